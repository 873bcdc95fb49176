//! The terminal, and the place where progress is kept.

use super::{Level, Row};
use crate::kernel::program;
use crate::lang::Lang;
use crate::session::StateDir;
use std::io::IsTerminal;

/// The smallest terminal that shows a lesson well.
const SMALLEST: (u16, u16) = (80, 24);

/// One row each; none of them needs a terminal to be there.
pub(super) fn rows(lang: Lang) -> Vec<Row> {
    vec![terminal(lang), cpus(lang), state(lang)]
}

/// What a learner takes of a CPU where limits are tested, in percent: half of one for the loop, and what watches it.
const LEARNER: usize = 65;

/// For how many learners at once the CPUs suffice.
fn cpus(lang: Lang) -> Row {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let learners = (count * 100 / LEARNER).max(1);
    let found = lang.pick(
        format!(
            "{count}: for {learners} learners at once; with more, CPU limits are proved by what each waited for others"
        ),
        format!("{count} 个：够 {learners} 人同时学；人再多，CPU 限制就靠各自等待的时间来证明"),
    );
    Row::ok(lang.pick("CPUs", "CPU"), found)
}

/// Whether a locale name asks for UTF-8.
fn is_utf8(locale: &str) -> bool {
    let lower = locale.to_ascii_lowercase();
    lower.contains("utf-8") || lower.contains("utf8")
}

/// How many colours a terminal of this name and this `COLORTERM` has, as far as names tell. Few terminals of today have
/// fewer than 256, and none of those that were written for this century: the old ones are the list.
fn colours(term: &str, colorterm: &str) -> &'static str {
    const MILLIONS: [&str; 9] =
        ["alacritty", "contour", "foot", "ghostty", "kitty", "rio", "wezterm", "xterm-ghostty", "xterm-kitty"];
    const EIGHT: [&str; 9] = ["ansi", "cons25", "cygwin", "eterm", "hurd", "linux", "pcansi", "putty", "sun"];
    // `foot-extra`, `linux-16color`: a name, then what is special of it.
    let of = |names: &[&str]| {
        names.iter().any(|name| term.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
    };
    let suffix = |suffix: &str| term.ends_with(suffix);
    match colorterm {
        "truecolor" | "24bit" => "16777216",
        _ if suffix("-direct") || suffix("-truecolor") => "16777216",
        _ if suffix("-mono") || suffix("-m") || term.starts_with("vt") || matches!(term, "" | "dumb" | "unknown") => {
            "0"
        }
        _ if term.contains("256color") => "256",
        _ if suffix("-88color") => "88",
        _ if suffix("-16color") => "16",
        _ if suffix("-color") && !of(&MILLIONS) => "8",
        _ if of(&MILLIONS) => "16777216",
        _ if of(&EIGHT) => "8",
        _ => "256",
    }
}

fn terminal(lang: Lang) -> Row {
    let check = lang.pick("terminal", "终端");
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let term = get("TERM").unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(get).unwrap_or_default();
    let program = program::path();
    let plain = lang.pick(format!("{program} run, or --plain"), format!("{program} run，或加 --plain"));
    if !std::io::stdout().is_terminal() && !std::io::stdin().is_terminal() {
        let found = lang.pick("none here (the output is a file or a pipe)", "这里没有（输出是文件或管道）");
        return Row::bad(Level::Limited, check, found, plain);
    }
    let (columns, rows) = crossterm::terminal::size().unwrap_or((0, 0));
    let shown = if term.is_empty() { "TERM=".to_string() } else { term.clone() };
    let encoding = if is_utf8(&locale) { "UTF-8".to_string() } else { format!("LANG={locale}") };
    let colours = colours(&term, &get("COLORTERM").unwrap_or_default());
    let found = format!("{shown}, {columns}x{rows}, {encoding}, {colours} {}", lang.pick("colours", "色"));
    if matches!(term.as_str(), "" | "dumb" | "unknown") {
        return Row::bad(Level::Limited, check, found, plain);
    }
    if columns < SMALLEST.0 || rows < SMALLEST.1 {
        let larger = lang.pick("enlarge it to 80x24 or more", "请放大到 80x24 以上");
        return Row::bad(Level::Limited, check, found, larger);
    }
    if !is_utf8(&locale) {
        let ascii = lang
            .pick("drawn in ASCII; for lines and marks: LANG=C.UTF-8", "将用 ASCII 绘制；要线条和符号：LANG=C.UTF-8");
        return Row::bad(Level::Limited, check, found, ascii);
    }
    Row::ok(check, found)
}

fn state(lang: Lang) -> Row {
    let check = lang.pick("progress is kept", "保存进度");
    match StateDir::open() {
        Ok(state) => Row::ok(check, state.path().display().to_string()),
        Err(unsaved) => {
            let remedy = lang.pick("lessons work; progress is lost at the end", "课程可以做，但退出后进度不保留");
            Row::bad(Level::Limited, check, unsaved.to_string(), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_judged_by_their_names() {
        assert!(is_utf8("zh_CN.UTF-8") && is_utf8("C.utf8") && !is_utf8("C") && !is_utf8(""));
        for (term, colorterm, expected) in [
            ("alacritty", "", "16777216"),
            ("xterm-kitty", "", "16777216"),
            ("foot-extra", "", "16777216"),
            ("xterm-ghostty", "", "16777216"),
            ("tmux-direct", "", "16777216"),
            ("xterm", "truecolor", "16777216"),
            ("xterm", "", "256"),
            ("xterm-256color", "", "256"),
            ("screen", "", "256"),
            ("tmux", "", "256"),
            ("a-terminal-of-next-year", "", "256"),
            ("rxvt-88color", "", "88"),
            ("linux-16color", "", "16"),
            ("linux", "", "8"),
            ("xterm-color", "", "8"),
            ("vt220", "", "0"),
            ("xterm-mono", "", "0"),
            ("dumb", "", "0"),
        ] {
            assert_eq!(colours(term, colorterm), expected, "{term} {colorterm}");
        }
    }
}
