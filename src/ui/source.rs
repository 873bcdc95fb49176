//! The source of the tool that runs, at the lines that make the current call.

use super::{
    marks,
    sheet::{Follow, Sheet},
    text::{Pieces, clip, line, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State},
    tools,
    trace::Call,
};

/// Lays out the file with line numbers.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let tool = play.running_tool();
    let Some((tool, call)) = tool.as_ref().and_then(|(name, call)| Some((tools::find(name)?, *call))) else {
        let Some((name, _)) = tool else {
            let text = state.lang.pick(
                "No program yet: the source of the tool that runs appears here.",
                "还没有程序：正在运行的工具，其源码会显示在这里。",
            );
            sheet.add(wrap(text, Role::Quiet, columns));
            return sheet;
        };
        let text = state.lang.pick(
            format!("No source of {name} here: it is a program of this machine. The tools of the lessons show theirs."),
            format!("{name} 是这台机器上的程序，这里没有它的源码。课程自带的工具会显示源码。"),
        );
        sheet.add(wrap(&text, Role::Quiet, columns));
        return sheet;
    };
    sheet.line(line(format!("src/tools/{}.rs", tool.name), Role::Quiet));
    let made: Vec<usize> =
        call.map_or_else(Vec::new, |call| makers(tool.source, call).iter().map(|(at, _)| *at).collect());
    for (number, text) in tool.source.lines().enumerate() {
        let here = made.contains(&(number + 1));
        if here && sheet.follow == Follow::Top {
            sheet.follow = Follow::Around(sheet.lines.len());
        }
        let (sign, role) = if here { (marks::NOW, Role::Changed) } else { (" ", Role::Quiet) };
        let mut whole = vec![(format!("{:>4}{sign}", number + 1), role)];
        whole.extend(coloured(&clip(text, columns.saturating_sub(6)), here));
        sheet.line(whole);
    }
    sheet
}

/// The lines of a tool that make this call, with their numbers from 1 on: of several those that name most of its texts.
pub(super) fn makers<'a>(source: &'a str, call: &Call) -> Vec<(usize, &'a str)> {
    let texts: Vec<String> = call.args.iter().filter(|it| it.path().is_some()).map(ToString::to_string).collect();
    let named = |line: &str| texts.iter().filter(|text| line.contains(text.as_str())).count();
    let lines = source.lines().enumerate().map(|(at, line)| (at + 1, line));
    // The tests of a file come last, and make their own calls.
    let lines = lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    let all: Vec<(usize, &str)> = lines.filter(|(_, line)| makes(line, call.syscall.name())).collect();
    let most = all.iter().map(|(_, line)| named(line)).max().unwrap_or(0);
    all.into_iter().filter(|(_, line)| named(line) == most).collect()
}

/// Whether a line of source makes this call: its name stands there as a word before a bracket.
fn makes(text: &str, call: &str) -> bool {
    let code = text.trim_start();
    if ["//", "use ", "fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn "].iter().any(|word| code.starts_with(word)) {
        return false;
    }
    // A C library makes these calls under another name.
    let names: &[&str] = match call {
        "clone" | "clone3" | "vfork" => &["fork", "clone", "spawn", "start::split", "split"],
        "umount2" => &["umount2", "umount"],
        "execve" | "execveat" => &["execve", "execvp", "execv", "exec", "become_program"],
        "mkdir" | "mkdirat" => &["mkdir", "create_dir"],
        "rmdir" | "unlinkat" => &["rmdir", "remove_dir"],
        "write" => &["groups::write", "join"],
        _ => &[call],
    };
    names.iter().any(|name| {
        code.match_indices(name).any(|(at, _)| {
            let before = code.get(..at).and_then(|text| text.chars().last());
            let after = code.get(at + name.len()..).and_then(|text| text.chars().next());
            after == Some('(') && before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        })
    })
}

const WORDS: [&str; 24] = [
    "as", "const", "else", "enum", "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move",
    "mut", "pub", "return", "static", "struct", "true", "unsafe", "use", "while",
];

/// Comments, strings and words of the language: as much colour as reading needs.
fn coloured(text: &str, here: bool) -> Pieces {
    if text.trim_start().starts_with("//") {
        return line(text, Role::Quiet);
    }
    let plain = if here { Role::Strong } else { Role::Plain };
    let mut out = Pieces::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (end, role) = if first == '"' {
            (string_end(rest), Role::Host)
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            (end, if WORDS.contains(&word) { Role::Limit } else { plain })
        } else {
            let end = rest.find(|letter: char| letter.is_alphabetic() || letter == '_' || letter == '"');
            (end.unwrap_or(rest.len()).max(first.len_utf8()), plain)
        };
        let (piece, later) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push((piece.to_string(), role));
        rest = later;
    }
    out
}

/// The byte after a string's closing quote.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_makes_a_call_by_its_whole_name() {
        assert!(makes("    unshare(flags)?;", "unshare"));
        assert!(!makes("// unshare(flags)", "unshare") && !makes("    do_unshare(x)", "unshare"));
        assert!(makes("match unsafe { fork() }?", "clone"));
    }

    #[test]
    fn colouring_keeps_every_character() {
        for text in ["let a = \"x\\\"y\"; // ok", "'容' \"", "fn f() -> i32 { 0x1f }", ""] {
            assert_eq!(coloured(text, false).into_iter().map(|(text, _)| text).collect::<String>(), text);
        }
    }
}
