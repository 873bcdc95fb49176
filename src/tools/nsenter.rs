//! nsenter(1): run a program in the namespaces of another process.

use super::{
    args::{
        Opt, Parsed,
        Value::{May, Must, No},
        parse_bytes,
    },
    complain, failed,
    identity::{find_group, find_user},
    other::misused,
    start::{become_program, end_like, shell, split},
    tell,
};
use crate::kernel::{
    errno_causes::{self, Fact},
    namespaces::{Kind, Namespace, TABLE, read_link},
    pid::Pid,
};
use crate::lang::say;
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
    unistd::{Gid, Uid, chdir, chroot, fchdir, setgid, setgroups, setuid},
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::ExitCode,
};

const OPTIONS: [Opt; 17] = [
    ('a', "all", No),
    ('t', "target", Must),
    ('m', "mount", May),
    ('u', "uts", May),
    ('i', "ipc", May),
    ('n', "net", May),
    ('p', "pid", May),
    ('U', "user", May),
    ('C', "cgroup", May),
    ('T', "time", May),
    ('r', "root", May),
    ('w', "wd", May),
    ('W', "wdns", Must),
    ('F', "no-fork", No),
    ('S', "setuid", Must),
    ('G', "setgid", Must),
    ('\0', "preserve-credentials", No),
];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    enter(args).unwrap_or_else(|status| status)
}

fn enter(args: &[OsString]) -> Result<ExitCode, ExitCode> {
    let options = parse_bytes(args, &OPTIONS, true)
        .map_err(|what| misused("nsenter", args, &what, "Try 'man nsenter' for more information.", 1))?;
    let target: Option<Pid> = match options.text("target").map(|pid| (pid.parse(), pid)) {
        Some((Ok(pid), _)) => Some(pid),
        Some((Err(_), text)) => return Err(complain("nsenter", &format!("failed to parse pid: '{text}'"), 1)),
        None if options.has("all") => return Err(complain("nsenter", "no target PID specified for --all", 1)),
        None => None,
    };
    let wanted_ids = ids(&options)?;
    // Every file is opened before the first setns(2): as soon as we are in the other mount namespace, /proc/PID may be
    // another process or nothing at all. An open descriptor holds its namespace or directory wherever we go.
    let mut files: Vec<(&Namespace, File)> = Vec::new();
    for row in &TABLE {
        let path = match (wanted(&options, row.long, target, &format!("ns/{}", row.link))?, target) {
            (None, Some(pid)) if options.has("all") && elsewhere(pid, row) => {
                format!("/proc/{pid}/ns/{}", row.link).into()
            }
            (None, _) => continue,
            (Some(path), _) => path,
        };
        files.push((row, open(&path, target)?));
    }
    if let Some(pid) = target {
        let more = options.has("root") || options.has("wd") || files.is_empty() && !options.has("all");
        note_nothing_new(pid, &files, more);
    }
    let root = wanted(&options, "root", target, "root")?.map(|path| open(&path, target)).transpose()?;
    let dir = match wanted(&options, "wd", target, "cwd")? {
        Some(path) => Some(open(&path, target)?),
        // A new root does not change where we work: without -w that stays a directory outside.
        None => root.as_ref().map(|_| open(OsStr::new("."), None)).transpose()?,
    };

    // Twice through the table. A privileged caller enters the user namespace last, because that gives up the right to the
    // others; an unprivileged one must be root of the user namespace before it may enter what belongs to it. So the first
    // round leaves the user namespace and every refusal to the second.
    let mut left: Vec<&(&Namespace, File)> = files.iter().collect();
    left.retain(|(row, file)| row.kind == Kind::User || setns(file, flag(row)).is_err());
    for (row, file) in left {
        setns(file, flag(row)).map_err(|errno| {
            let what = format!("reassociate to namespace 'ns/{}' failed", row.link);
            let why = errno_causes::help("setns", errno, &[Fact::About(row.kind)]);
            failed("nsenter", &what, errno, why.as_deref(), 1)
        })?;
    }
    if let Some(root) = &root {
        // A directory that came along from outside stays usable after chroot(2): first go there, then make it the root.
        let result = fchdir(root).and_then(|()| chroot(".")).and_then(|()| chdir("/"));
        result.map_err(|errno| failed("nsenter", "cannot change root directory", errno, None, 1))?;
    }
    if let Some(dir) = options.value("wdns") {
        // A path in the namespaces that we have entered, unlike that of -w, which was opened outside.
        let cannot = |errno| failed("nsenter", &format!("cannot change to {}", dir.display()), errno, None, 1);
        chdir(dir.as_os_str()).map_err(cannot)?;
    } else if let Some(dir) = &dir {
        fchdir(dir).map_err(|errno| failed("nsenter", "cannot change directory", errno, None, 1))?;
    }
    let entered = |kind| files.iter().any(|(row, _)| row.kind == kind);
    let users = entered(Kind::User) && !options.has("preserve-credentials");
    let forks = entered(Kind::Pid) && !options.has("no-fork");
    drop((files, root, dir));
    if forks {
        // A process never changes its PID, so only a child is inside the PID namespace that we entered.
        match split() {
            Err(errno) => {
                let why = errno_causes::help("fork", errno, &[]);
                return Err(failed("nsenter", "fork failed", errno, why.as_deref(), 1));
            }
            Ok(Some(child)) => return Ok(end_like("nsenter", child, true)),
            Ok(None) => {}
        }
    }
    become_them(wanted_ids.0, wanted_ids.1, users)?;
    Ok(become_program("nsenter", &if options.words.is_empty() { vec![shell()] } else { options.words }))
}

/// The user and the group that -S and -G name.
fn ids(options: &Parsed<OsString>) -> Result<(Option<Uid>, Option<Gid>), ExitCode> {
    let unknown = |what: &str, text: &str| complain("nsenter", &format!("failed to parse {what}: '{text}'"), 1);
    let user = options.text("setuid").map(|text| find_user(&text).ok_or_else(|| unknown("uid", &text)));
    let group = options.text("setgid").map(|text| find_group(&text).ok_or_else(|| unknown("gid", &text)));
    Ok((user.transpose()?.map(|(uid, _)| uid), group.transpose()?))
}

/// Takes the IDs that were asked for. In another user namespace our own mean nothing, so there we become its root.
fn become_them(user: Option<Uid>, group: Option<Gid>, new_users: bool) -> Result<(), ExitCode> {
    let root = |id: u32| new_users.then_some(id);
    let user = user.or_else(|| root(0).map(Uid::from_raw));
    let group = group.or_else(|| root(0).map(Gid::from_raw));
    let cannot = |what: &'static str| move |errno| failed("nsenter", what, errno, None, 1);
    if let Some(group) = group {
        // Groups come first: without root they cannot be changed. Where the namespace denies setgroups(2) they stay.
        setgroups(&[])
            .or_else(|errno| if new_users { Ok(()) } else { Err(errno) })
            .map_err(cannot("setgroups failed"))?;
        setgid(group).map_err(cannot("setgid failed"))?;
    }
    user.map_or(Ok(()), setuid).map_err(cannot("setuid failed"))
}

fn flag(row: &Namespace) -> CloneFlags {
    CloneFlags::from_bits_retain(row.flag as i32)
}

/// Says where entering changes nothing: a wrong PID is entered as quietly as the right one.
fn note_nothing_new(pid: Pid, files: &[(&Namespace, File)], more: bool) {
    let link = |pid: &str, name: &str| read_link(Path::new(&format!("/proc/{pid}/ns/{name}"))).ok();
    let same =
        |row: &Namespace| link("self", row.link).is_some_and(|own| link(&pid.to_string(), row.link) == Some(own));
    let children = link(&pid.to_string(), "pid_for_children");
    let has_pid = files.iter().any(|(row, _)| row.kind == Kind::Pid && same(row));
    if has_pid && children.is_some() && children != link("self", "pid") {
        let what = say(
            format!(
                "PID {pid} is in this PID namespace itself, and only its children are in another: enter one of those (ps -ef)"
            ),
            format!("PID {pid} 自己就在这个 PID 命名空间里，只有它的子进程在另一个里：请进入其中一个子进程（ps -ef）"),
        );
        tell("nsenter", &what);
    } else if !more && files.iter().all(|(row, _)| same(row)) {
        let what = say(
            format!("PID {pid} is in the same namespaces as this process: is it the right one?"),
            format!("PID {pid} 和本进程在同样的命名空间里：PID 对吗？"),
        );
        tell("nsenter", &what);
    }
}

/// Whether the target is in another namespace of this kind (or its own cannot be told). In the same one there is nothing
/// to enter, and for a user namespace setns(2) would even fail, because it would give back capabilities once given up.
fn elsewhere(pid: Pid, row: &Namespace) -> bool {
    let inode = |pid: &str| read_link(Path::new(&format!("/proc/{pid}/ns/{}", row.link))).ok();
    inode("self").is_some_and(|own| inode(&pid.to_string()) != Some(own))
}

/// The path that an option means: its own value, or the target's; `None` where it was not given.
fn wanted(
    options: &Parsed<OsString>,
    option: &str,
    target: Option<Pid>,
    file: &str,
) -> Result<Option<OsString>, ExitCode> {
    match (options.has(option), options.value(option), target) {
        (false, ..) => Ok(None),
        (true, Some(path), _) => Ok(Some(path.clone())),
        (true, None, Some(pid)) => Ok(Some(format!("/proc/{pid}/{file}").into())),
        (true, None, None) => {
            let what = format!(
                "neither filename nor target pid supplied for {file}\n  {}",
                say("-t PID names the process whose namespaces to enter", "用 -t PID 指定进入哪个进程的命名空间")
            );
            Err(complain("nsenter", &what, 1))
        }
    }
}

fn open(path: &OsStr, target: Option<Pid>) -> Result<File, ExitCode> {
    File::open(path).map_err(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let proc = Path::new(path).starts_with("/proc");
        let dead = target.filter(|pid| proc && !Path::new(&format!("/proc/{pid}")).exists());
        if let Some(pid) = dead {
            let hint = errno_causes::help("open ns", Errno::ESRCH, &[]);
            return failed("nsenter", &format!("PID {pid}"), Errno::ESRCH, hint.as_deref(), 1);
        }
        let letters = path.as_bytes().iter().all(|letter| b"muinpUCTrwF".contains(letter));
        let hint = errno_causes::help(
            "open ns",
            errno,
            &errno_causes::true_ones([(Fact::Proc, proc), (Fact::Joined, letters)]),
        );
        failed("nsenter", &format!("cannot open {}", path.display()), errno, hint.as_deref(), 1)
    })
}
