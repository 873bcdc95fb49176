//! What lets no lesson begin at all. It is looked for before every session, and then said at once, with the remedy,
//! instead of in the middle of one.

use super::{Level, Row, attempt::attempt, directory, facts::Facts, remedy::Remedy, silent};
use crate::{
    dirs::Need,
    kernel::{errno, errno_causes},
    lang::Lang,
    terminal::shell,
};
use nix::{
    errno::Errno,
    sys::resource::{RLIM_INFINITY as NO_LIMIT, Resource, getrlimit, rlim_t},
};
use std::{path::Path, thread};

/// As many open files as a session may need: the screen, three terminals, the tracer, ledgers, and what unpacks an image had
/// 26 at most.
const OPEN_FILES: rlim_t = 64;
/// To what runtimes set the limit of their containers, which without the right to raise it fails.
const OF_RUNTIMES: rlim_t = 1024;

/// Why no lesson can begin here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// What was found, in one line.
    pub what: String,
    /// What to do about it; further lines are to be typed.
    pub remedy: String,
}

/// The first thing that lets no lesson begin; `None` where one can. `need` is what a session's directory must offer.
pub(crate) fn bar(need: Need, lang: Lang) -> Option<Bar> {
    let bad = |row: &Row| row.bars && row.level == Level::Missing;
    let directory = || Some(directory::row(&Facts::read(), need, lang)).filter(bad);
    let row = rows(lang).into_iter().find(bad).or_else(directory)?;
    Some(Bar::of(row))
}

/// The mount that does not answer, where this program must ask it.
pub(crate) fn silent(lang: Lang) -> Option<Bar> {
    silent::bar(lang).map(Bar::of)
}

impl Bar {
    fn of(row: Row) -> Bar {
        let remedy = row.remedy.map(|remedy| remedy.text().replace('\n', "\n  ")).unwrap_or_default();
        Bar { what: format!("{}: {}", row.check, row.found), remedy }
    }
}

/// One row each, the most fundamental first.
pub(super) fn rows(lang: Lang) -> Vec<Row> {
    let proc = own_proc(lang).barring();
    // Without it everything else would be told from tables that are not there, or are another's.
    if proc.level != Level::Ok {
        return vec![proc];
    }
    let open_files = open_files(getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((NO_LIMIT, NO_LIMIT)), lang);
    // Without them each of the others would fail for want of them.
    if open_files.level != Level::Ok {
        return vec![proc, open_files.barring()];
    }
    let more = [open_files, processes(lang), shell(lang), pseudo_terminals(lang)];
    std::iter::once(proc).chain(more.into_iter().map(Row::barring)).collect()
}

/// A `/proc` mounted from another PID namespace makes every tool lie: it was not mounted anew (`unshare --pid --fork`), or
/// a mount inside spread to the outside.
fn own_proc(lang: Lang) -> Row {
    let check = lang.pick("/proc is our own", "/proc 与当前命名空间一致");
    match std::fs::read_link("/proc/self") {
        Ok(target) if target.to_string_lossy() == std::process::id().to_string() => {
            if Path::new("/proc/sys").exists() {
                return Row::ok(check, lang.pick("yes", "是"));
            }
            let found = lang.pick(
                "it holds processes and nothing else (subset=pid): /proc/sys is not there",
                "里面只有进程（subset=pid）：没有 /proc/sys",
            );
            let remedy = lang.pick(
                "mount a whole one: mount -t proc proc /proc; in a unit of systemd: ProcSubset=all",
                "挂载一个完整的：mount -t proc proc /proc；在 systemd 单元里：ProcSubset=all",
            );
            Row::bad(Level::Missing, check, found, remedy)
        }
        Ok(target) => {
            let found = lang.pick(
                format!("no: /proc/self is {}, and this process is {}", target.display(), std::process::id()),
                format!("不是：/proc/self 指向 {}，而本进程是 {}", target.display(), std::process::id()),
            );
            let remedy = lang.pick(
                "it shows another PID namespace: unshare has --mount-proc, or mount it again: mount -t proc proc /proc; if a mount from inside covers it: umount /proc",
                "它显示的是别的 PID 命名空间：给 unshare 加 --mount-proc，或重新挂载：mount -t proc proc /proc；如果是里面的挂载盖住了它：umount /proc",
            );
            Row::bad(Level::Missing, check, found, remedy)
        }
        Err(error) => Row::bad(Level::Missing, check, errno::why_io(&error), "mount -t proc proc /proc"),
    }
}

/// Whether as many files may be open as a session needs; `limits` are the soft and the hard one.
fn open_files((soft, hard): (rlim_t, rlim_t), lang: Lang) -> Row {
    let check = lang.pick("open files", "可同时打开的文件");
    if soft >= OPEN_FILES && hard >= OF_RUNTIMES {
        return Row::ok(
            check,
            if soft == NO_LIMIT { lang.pick("no limit", "没有上限").into() } else { soft.to_string() },
        );
    }
    let found = lang.pick(
        format!("{soft} at a time, {hard} at most; a session needs {OPEN_FILES}, and runtimes set {OF_RUNTIMES}"),
        format!("最多 {soft} 个，硬上限 {hard}；一个会话需要 {OPEN_FILES} 个，容器运行时会设为 {OF_RUNTIMES}"),
    );
    let remedy = match hard >= OF_RUNTIMES {
        true => format!("ulimit -n {OF_RUNTIMES}"),
        false => lang.pick(
            format!("only root raises the hard limit: ulimit -Hn {OF_RUNTIMES}; in a unit of systemd: LimitNOFILE={OF_RUNTIMES}"),
            format!("只有 root 能提高硬上限：ulimit -Hn {OF_RUNTIMES}；在 systemd 单元里：LimitNOFILE={OF_RUNTIMES}"),
        ),
    };
    Row::bad(Level::Missing, check, found, remedy)
}

/// Whether a thread and a process can be made.
fn processes(lang: Lang) -> Row {
    let check = lang.pick("processes and threads", "进程和线程");
    let refused = thread::Builder::new().spawn(|| ()).map(|thread| drop(thread.join()));
    let refused = refused.map_err(|error| (errno::of(&error), errno::why_io(&error)));
    let refused = refused.and_then(|()| {
        attempt("process").map_err(|failure| (failure.errno().unwrap_or(Errno::UnknownErrno), failure.describe()))
    });
    match refused {
        Ok(()) => Row::ok(check, lang.pick("can be made", "可以创建")),
        Err((errno, why)) => Row::bad(Level::Missing, check, format!("clone3: {why}"), no_processes(errno, lang)),
    }
}

fn no_processes(errno: Errno, lang: Lang) -> Remedy {
    match errno_causes::thread(errno, lang) {
        Some(hint) => hint.into(),
        None => Facts::read().refused(Some(errno), None, lang),
    }
}

fn shell(lang: Lang) -> Row {
    let check = lang.pick("shell", "shell");
    match shell::program() {
        Ok(argv) => Row::ok(check, argv.first().map(|program| program.display().to_string()).unwrap_or_default()),
        Err(error) => {
            let found = lang.pick("there is no bash, and /bin/sh", "没有 bash，而 /bin/sh");
            let remedy = lang.pick(
                "install bash, or make /bin/sh a shell that can be run",
                "请安装 bash，或让 /bin/sh 成为可以运行的 shell",
            );
            Row::bad(Level::Missing, check, format!("{found}: {}", errno::why_io(&error)), remedy)
        }
    }
}

fn pseudo_terminals(lang: Lang) -> Row {
    let check = lang.pick("pseudo-terminals", "伪终端");
    match nix::pty::openpty(None, None) {
        Ok(_) => Row::ok(check, "/dev/pts"),
        Err(error) => {
            let remedy = lang.pick(
                "the terminal panes need /dev/pts: mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts",
                "终端窗格需要 /dev/pts：mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts",
            );
            Row::bad(Level::Missing, check, format!("openpty: {}", errno::why(error)), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_for_few_open_files_is_one_that_this_shell_can_take() {
        let row = |limits| open_files(limits, Lang::En);
        let remedy = |limits| row(limits).remedy.map(|remedy| remedy.text()).unwrap_or_default();
        assert_eq!([row((64, 1024)).level, row((NO_LIMIT, NO_LIMIT)).level], [Level::Ok; 2]);
        assert_eq!([row((63, 4096)).level, row((512, 1023)).level], [Level::Missing; 2]);
        assert_eq!(remedy((63, 4096)), "ulimit -n 1024");
        assert!(remedy((512, 1023)).contains("only root raises") && remedy((20, 20)).contains("only root raises"));
    }
}
