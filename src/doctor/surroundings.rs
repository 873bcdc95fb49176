//! The terminal, pseudo-terminals, and the place where progress is kept.

use super::{LESSONS, Level, Row};
use crate::kernel::errno;
use crate::lang::Lang;
use crate::session::StateDir;
use std::io::IsTerminal;

/// The smallest terminal that shows a lesson well.
const SMALLEST: (u16, u16) = (80, 24);

/// One row each; none of them needs a terminal to be there.
pub fn rows(lang: Lang) -> Vec<Row> {
    vec![pseudo_terminals(lang), terminal(lang), state(lang)]
}

fn pseudo_terminals(lang: Lang) -> Row {
    let check = lang.pick("pseudo-terminals", "伪终端");
    match nix::pty::openpty(None, None) {
        Ok(_) => Row::ok(check, "/dev/pts"),
        Err(error) => {
            let remedy = lang.pick(
                "the terminal panes need /dev/pts: mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts",
                "终端面板需要 /dev/pts：mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts",
            );
            Row::bad(Level::Missing, check, format!("openpty: {}", errno::why(error)), remedy).needed_by(&LESSONS)
        }
    }
}

/// Whether a locale name asks for UTF-8.
fn is_utf8(locale: &str) -> bool {
    let lower = locale.to_ascii_lowercase();
    lower.contains("utf-8") || lower.contains("utf8")
}

/// How many colours a terminal of this name and this `COLORTERM` has, as far as names tell.
fn colours(term: &str, colorterm: &str) -> &'static str {
    match (term, colorterm) {
        (_, "truecolor" | "24bit") => "16777216",
        (term, _) if term.contains("256color") => "256",
        (term, _) if term.starts_with("vt") => "0",
        _ => "8",
    }
}

fn terminal(lang: Lang) -> Row {
    let check = lang.pick("terminal", "终端");
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let term = get("TERM").unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(get).unwrap_or_default();
    let plain = lang.pick("use boxwright run, or --plain", "请用 boxwright run，或加 --plain");
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
        assert_eq!(colours("xterm-256color", ""), "256");
        assert_eq!(colours("xterm", "truecolor"), "16777216");
        assert_eq!(colours("vt100", ""), "0");
    }
}
