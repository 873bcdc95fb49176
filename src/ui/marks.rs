//! Signs, and what stands for them where only ASCII can be shown.

/// Changed by the last call or command.
pub const CHANGED: &str = "◆";
/// A property that the kernel says is there.
pub const TRUE: &str = "■";
/// A property that is not there yet.
pub const NOT_YET: &str = "□";
/// A check that holds, an answer that was right.
pub const PASSED: &str = "✓";
/// A check that does not hold, an answer that was wrong.
pub const REFUSED: &str = "✗";
/// A check that was not decided yet.
pub const OPEN: &str = "○";
/// A step that was skipped.
pub const SKIPPED: &str = "›";
/// A step that this machine cannot do.
pub const IMPOSSIBLE: &str = "–";
/// A process that waits before a call.
pub const HELD: &str = "⏸";
/// What the learner can do now.
pub const NOW: &str = "▶";
/// The answer that the learner gave.
pub const CHOSEN: &str = "◂";
/// More text below.
pub const BELOW: &str = "▼";
/// More text above.
pub const ABOVE: &str = "▲";
/// From a value to a value.
pub const TO: &str = "→";
/// The corner of a tree.
pub const BRANCH: &str = "└";

/// What stands for a character where only ASCII can be shown. Always one column: nothing moves because of it.
pub fn ascii(sign: char) -> char {
    match sign {
        '◆' => '*',
        '■' => 'x',
        '□' => ' ',
        '✓' => '+',
        '✗' => '!',
        '○' => 'o',
        '⏸' => '=',
        '▶' | '▸' | '→' | '›' => '>',
        '◂' | '←' | '‹' => '<',
        '▼' | '↓' => 'v',
        '▲' | '↑' => '^',
        '─' | '━' | '–' | '—' | '‑' | '−' => '-',
        '│' | '┃' | '▏' => '|',
        '╭' | '╮' | '╰' | '╯' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        '·' | '•' => '.',
        '…' => '~',
        '‘' | '’' => '\'',
        '“' | '”' | '„' => '"',
        '×' => 'x',
        '█' | '▓' => '#',
        '░' => '.',
        '\u{a0}' => ' ',
        _ => '?',
    }
}
