//! `boxwright clean`: removes what crashed sessions left, and nothing else.

use crate::cleanup::{Left, groups, report, word};
use crate::dirs;
use crate::kernel::text;
use crate::kernel::{errno, groups::SUBTREE_CONTROL};
use crate::lang::Lang;
use crate::session::{
    Delegated, Entry,
    ledger::{Outcome, directories, sweep},
};
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// How long processes that dead sessions left may take to end: when it is asked for, and at the start of a session.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_AT_START: Duration = Duration::from_secs(1);

/// Sweeps, one line on standard output for each thing that was found, and for what stays of it the reason and the remedy.
/// Status 1 where something could not be removed.
pub(crate) fn run(dry_run: bool, lang: Lang) -> ExitCode {
    let swept = sweep(&directories(), dry_run, PATIENCE);
    if !dry_run {
        dirs::tidy();
    }
    let mut lines = describe(&swept, lang);
    if lines.is_empty() {
        lines.push(lang.pick("Nothing is left of earlier sessions.", "没有以前会话的遗留物。").into());
    }
    let failed = swept.iter().any(|(_, outcome)| matches!(outcome, Outcome::Foreign | Outcome::Left(_)));
    let printed = writeln!(std::io::stdout().lock(), "{}", text::safe(&lines.join("\n")));
    if failed || !errno::is_written(&printed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Sweeps at the start of a session; the lines are for its status line or standard error.
pub(crate) fn at_start(lang: Lang) -> Vec<String> {
    describe(&sweep(&directories(), false, PATIENCE_AT_START), lang)
}

/// What stays of a session that ends, and who will try again.
pub(crate) fn at_end(left: &[(Entry, Vec<Left>)], lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> = left.iter().flat_map(|(entry, left)| stays(entry, left, lang)).collect();
    if !lines.is_empty() {
        lines.push(again(lang).into());
    }
    lines
}

/// Who removes the rest.
pub(crate) fn again(lang: Lang) -> &'static str {
    lang.pick(
        "boxwright: the next start tries again, and so does boxwright clean",
        "boxwright：下次启动时会再试，也可以运行 boxwright clean",
    )
}

fn describe(swept: &[(Entry, Outcome)], lang: Lang) -> Vec<String> {
    swept.iter().map(|(entry, outcome)| line(entry, outcome, lang)).collect()
}

fn line(entry: &Entry, outcome: &Outcome, lang: Lang) -> String {
    if let Entry::Delegated(what) = entry {
        return delegated(what, outcome, lang);
    }
    let what = match entry {
        Entry::RunDir(_) => lang.pick("run directory", "运行目录"),
        Entry::Partial(_) => lang.pick("half-made image files", "未完成的镜像文件"),
        Entry::Cgroup(_) | Entry::Group(_) | Entry::Delegated(_) => lang.pick("control group", "控制组"),
        Entry::Object(_) => lang.pick("object", "对象"),
    };
    let path = match entry {
        Entry::Object(kept) => kept.object.to_string(),
        _ => entry.path().display().to_string(),
    };
    match outcome {
        Outcome::Removed => format!("{} {what} {path}", lang.pick("removed", "已删除")),
        Outcome::Would => format!("{} {what} {path}", lang.pick("would remove", "将会删除")),
        Outcome::Foreign => format!(
            "{} {what} {path}: {}",
            lang.pick("left alone:", "未动："),
            lang.pick("its name is not one of boxwright's", "名称不是 boxwright 起的")
        ),
        Outcome::Left(left) => stays(entry, left, lang).join("\n"),
    }
}

/// What stays of one thing: one line with the reason and one with the remedy for each part of it.
fn stays(entry: &Entry, left: &[Left], lang: Lang) -> Vec<String> {
    if let Entry::Delegated(what) = entry {
        return vec![not_taken_back(what, left, lang)];
    }
    let path = word(entry.path());
    let what = match entry {
        Entry::RunDir(_) => lang.pick("cannot remove run directory", "无法删除运行目录"),
        Entry::Partial(_) => lang.pick("cannot remove half-made image files", "无法删除未完成的镜像文件"),
        Entry::Object(kept) => {
            let what = lang.pick("cannot remove", "无法删除");
            return report(&format!("{what} {}", kept.object), left, lang);
        }
        Entry::Cgroup(_) | Entry::Group(_) | Entry::Delegated(_) => {
            lang.pick("cannot remove control group", "无法删除控制组")
        }
    };
    report(&format!("{what} {path}"), left, lang)
}

/// What a session had to enable for the groups below, with the command that takes it back where we cannot.
fn delegated(what: &Delegated, outcome: &Outcome, lang: Lang) -> String {
    let file = what.dir.join(SUBTREE_CONTROL);
    let (controller, file) = (&what.controller, file.display());
    match outcome {
        Outcome::Removed => format!("{} -{controller} {file}", lang.pick("took back", "已收回")),
        Outcome::Would => format!("{} -{controller} {file}", lang.pick("would take back", "将会收回")),
        Outcome::Foreign => format!("{} -{controller} {file}", lang.pick("left alone:", "未动：")),
        Outcome::Left(left) => not_taken_back(what, left, lang),
    }
}

fn not_taken_back(what: &Delegated, left: &[Left], lang: Lang) -> String {
    let (controller, file) = (&what.controller, what.dir.join(SUBTREE_CONTROL));
    let users: Vec<String> =
        groups::users(&what.dir, controller).iter().map(|group| group.display().to_string()).collect();
    let used = if users.is_empty() { String::new() } else { format!(" ({})", users.join(", ")) };
    let why = left.first().map(|left| errno::why(left.errno())).unwrap_or_default();
    format!(
        "boxwright: {} {controller}: {why}{used}\n  {} echo -{controller} > {}",
        lang.pick("cannot take back", "无法收回"),
        lang.pick("it was enabled for a session; later:", "它是为一次会话启用的；稍后再试："),
        file.display(),
    )
}
