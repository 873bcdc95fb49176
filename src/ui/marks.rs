//! Signs, and what stands for them where only ASCII can be shown.

/// Changed by the last call or command.
pub(super) const CHANGED: &str = "◆";
/// Another in the second of two branches.
pub(super) const DIFFERS: &str = "≠";
/// A property that the kernel says is there.
pub(super) const TRUE: &str = "■";
/// A property that is not there yet.
pub(super) const NOT_YET: &str = "□";
/// A check that holds, an answer that was right.
pub(super) const PASSED: &str = "✓";
/// A check that does not hold, an answer that was wrong.
pub(super) const REFUSED: &str = "✗";
/// A check that was not decided yet.
pub(crate) const OPEN: &str = "○";
/// A step that was skipped.
pub(crate) const SKIPPED: &str = "›";
/// A step that this machine cannot do.
pub(crate) const IMPOSSIBLE: &str = "–";
/// A process that waits before a call.
pub(super) const HELD: &str = "⏸";
/// What the learner can do now.
pub(super) const NOW: &str = "▶";
/// The call or the pane that is chosen.
pub(super) const HERE: &str = "▸";
/// The answer that the learner gave.
pub(super) const CHOSEN: &str = "◂";
/// More text below.
pub(super) const BELOW: &str = "▼";
/// More text above.
pub(super) const ABOVE: &str = "▲";
/// From a value to a value.
pub(super) const TO: &str = "→";
/// The corner of a tree.
pub(super) const BRANCH: &str = "└";

/// What stands for a character where only ASCII can be shown. Always one column: nothing moves because of it.
pub(super) fn ascii(sign: char) -> char {
    match sign {
        '◆' => '*',
        '≠' => '#',
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
