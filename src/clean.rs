//! `boxwright clean`: removes what crashed sessions left, and nothing else.

use crate::dirs;
use crate::kernel::{errno, groups::SUBTREE_CONTROL};
use crate::lang::Lang;
use crate::session::{
    Entry, HandedDown,
    ledger::{Outcome, directories, sweep},
    removal,
};
use std::io::Write;
use std::process::ExitCode;

/// Sweeps, one line on standard output for each thing that was found. Status 1 where something could not be removed.
pub fn run(dry_run: bool, lang: Lang) -> ExitCode {
    let swept = sweep(&directories(), dry_run);
    if !dry_run {
        dirs::tidy();
    }
    let mut lines = describe(&swept, lang);
    if lines.is_empty() {
        lines.push(lang.pick("Nothing is left of earlier sessions.", "没有以前会话的遗留物。").into());
    }
    let failed = swept.iter().any(|(_, outcome)| matches!(outcome, Outcome::Foreign | Outcome::Failed(_)));
    let printed = writeln!(std::io::stdout().lock(), "{}", lines.join("\n"));
    if failed || printed.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Sweeps at the start of a session; the lines are for its status line or standard error.
pub fn at_start(lang: Lang) -> Vec<String> {
    describe(&sweep(&directories(), false), lang)
}

fn describe(swept: &[(Entry, Outcome)], lang: Lang) -> Vec<String> {
    swept.iter().map(|(entry, outcome)| line(entry, outcome, lang)).collect()
}

fn line(entry: &Entry, outcome: &Outcome, lang: Lang) -> String {
    if let Entry::HandedDown(what) = entry {
        return handed_down(what, outcome, lang);
    }
    let what = match entry {
        Entry::RunDir(_) => lang.pick("run directory", "运行目录"),
        Entry::Cgroup(_) | Entry::HandedDown(_) => lang.pick("control group", "控制组"),
    };
    let path = entry.path().display();
    match outcome {
        Outcome::Removed => format!("{} {what} {path}", lang.pick("removed", "已删除")),
        Outcome::Would => format!("{} {what} {path}", lang.pick("would remove", "将会删除")),
        Outcome::Foreign => format!(
            "{} {what} {path}: {}",
            lang.pick("left alone:", "未动："),
            lang.pick("its name is not one of boxwright's", "名称不是 boxwright 起的")
        ),
        Outcome::Failed(error) => {
            format!("boxwright: {} {what} {path}: {}", lang.pick("cannot remove", "无法删除"), errno::why_io(error))
        }
    }
}

/// What a session had to enable for the groups below, with the command that takes it back where we cannot.
fn handed_down(what: &HandedDown, outcome: &Outcome, lang: Lang) -> String {
    let file = what.dir.join(SUBTREE_CONTROL);
    let (controller, file) = (&what.controller, file.display());
    match outcome {
        Outcome::Removed => format!("{} -{controller} {file}", lang.pick("took back", "已收回")),
        Outcome::Would => format!("{} -{controller} {file}", lang.pick("would take back", "将会收回")),
        Outcome::Foreign => format!("{} -{controller} {file}", lang.pick("left alone:", "未动：")),
        Outcome::Failed(error) => {
            let users: Vec<String> =
                removal::users(&what.dir, controller).iter().map(|group| group.display().to_string()).collect();
            let used = if users.is_empty() { String::new() } else { format!(" ({})", users.join(", ")) };
            format!(
                "boxwright: {} {controller}: {}{used}\n  {} echo -{controller} > {file}",
                lang.pick("cannot take back", "无法收回"),
                errno::why_io(error),
                lang.pick("it was enabled for a session; later:", "它是为一次会话启用的；稍后再试："),
            )
        }
    }
}
