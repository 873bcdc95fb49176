//! The distribution's program of the same name: what ours does not know is left to it, and that is said.

use super::{args::Misuse, complain, start::become_program, tell};
use crate::{
    kernel::{program::executable, text},
    lang::say,
};
use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What becomes of a command line that a tool does not understand: where the distribution's program may know better, it is
/// started with the same arguments; else `what` is said, with the usage.
pub(super) fn misused(tool: &str, args: &[OsString], what: &Misuse, usage: &str, status: u8) -> ExitCode {
    let unknown = matches!(what, Misuse::Unknown(_)).then(|| hand_on(tool, args, &what.to_string())).flatten();
    unknown.unwrap_or_else(|| complain(tool, &format!("{what}\n  {usage}"), status))
}

/// Becomes the distribution's program, after one line on standard error that says so and why. `None` where there is none,
/// or where the arguments were pasted with signs that no program takes for options.
pub(super) fn hand_on(tool: &str, args: &[OsString], why: &str) -> Option<ExitCode> {
    if args.iter().any(|word| lookalike(&word.to_string_lossy()).is_some()) {
        return None;
    }
    let program = behind(tool)?;
    let path = program.display();
    tell(
        tool,
        &say(
            format!("boxwright's own says: {why}; starting {path} instead"),
            format!("boxwright 自带的不支持（{why}），改为启动 {path}"),
        ),
    );
    let words: Vec<OsString> = std::iter::once(program.into()).chain(args.iter().cloned()).collect();
    Some(become_program(tool, &words))
}

/// The first program of this name that stands in the PATH behind every link to ours. Two copies of ours may stand in it:
/// each looks behind itself alone, so that they do not call one another for ever.
fn behind(tool: &str) -> Option<PathBuf> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    let ours = identity(Path::new("/proc/self/exe"))?;
    let path = env::var_os("PATH")?;
    let all = env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(tool));
    let all: Vec<PathBuf> = all.collect();
    let after = all.iter().rposition(|path| identity(path) == Some(ours)).map_or(0, |last| last + 1);
    all.into_iter().skip(after).find(|path| executable(path))
}

/// Signs that text processors and web pages put in the place of those that a command line needs.
const LOOKALIKES: [(char, &str, &str, &str); 9] = [
    ('\u{2010}', "hyphen (U+2010)", "-", "连字符 U+2010"),
    ('\u{2011}', "hyphen (U+2011)", "-", "连字符 U+2011"),
    ('\u{2013}', "en dash (U+2013)", "-", "短破折号 U+2013"),
    ('\u{2014}', "em dash (U+2014)", "-", "长破折号 U+2014"),
    ('\u{2212}', "minus sign (U+2212)", "-", "减号 U+2212"),
    ('\u{2018}', "curly quote (U+2018)", "'", "弯引号 U+2018"),
    ('\u{2019}', "curly quote (U+2019)", "'", "弯引号 U+2019"),
    ('\u{201c}', "curly quote (U+201C)", "\"", "弯引号 U+201C"),
    ('\u{201d}', "curly quote (U+201D)", "\"", "弯引号 U+201D"),
];

/// What to say of the first such sign in a word.
fn lookalike(word: &str) -> Option<String> {
    let (_, en, meant, zh) = word.chars().find_map(|sign| LOOKALIKES.iter().find(|(known, ..)| *known == sign))?;
    let word = text::printable(word);
    Some(say(
        format!("{word} has a pasted {en}, which means nothing to a command: type {meant} instead"),
        format!("{word} 里有粘贴来的{zh}，命令不认识：请改成键盘上的 {meant}"),
    ))
}

/// The same for this process's own arguments, as the hint of whatever goes wrong with them.
pub(super) fn pasted() -> Option<String> {
    env::args_os().skip(1).find_map(|word| lookalike(&word.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_only_look_right_are_named() {
        for (word, sign, meant) in [
            ("–imnpu", "en dash (U+2013)", "type - "),
            ("—fork", "em dash (U+2014)", "type - "),
            ("cpu.cfs_quota_us=\u{2212}1", "minus sign (U+2212)", "type - "),
            ("“cpu=1”", "curly quote (U+201C)", "type \" "),
            ("‘x’", "curly quote (U+2018)", "type ' "),
        ] {
            let said = lookalike(word).unwrap();
            assert!(said.starts_with(word) && said.contains(sign) && said.contains(meant), "{said}");
        }
        assert_eq!(lookalike("--mount-proc='箱子'"), None);
    }
}
