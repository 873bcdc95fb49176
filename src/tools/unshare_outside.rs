//! What unshare(1) must have done from outside: maps of many IDs, and namespaces that outlive their processes.

use super::{failed, start::split};
use crate::kernel::errno_causes::{self, Fact};
use crate::{
    kernel::{errno, namespaces::Kind, text},
    lang::say,
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    mount::{MsFlags, mount},
    sys::wait::{WaitStatus, waitpid},
    unistd::{Pid, User, geteuid, pipe2, read, write},
};
use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Command, ExitCode, exit},
};

/// A child that stays in the old namespaces, and does its work there once we are in the new ones.
pub(super) struct Outside {
    child: Pid,
    go: OwnedFd,
}

impl Outside {
    /// Makes the child. `work` gets our PID, and says whether all went well.
    pub(super) fn wait(work: impl FnOnce(Pid) -> bool) -> nix::Result<Outside> {
        let us = Pid::this();
        let (wait, go) = pipe2(OFlag::O_CLOEXEC)?;
        if let Some(child) = split()? {
            return Ok(Outside { child, go });
        }
        drop(go);
        // Without the word there is nothing to do: we have failed before.
        let told = read(&wait, &mut [0]) == Ok(1);
        exit(i32::from(told && !work(us)))
    }

    /// Lets it do its work, and waits until that is done. What went wrong it has said itself.
    pub(super) fn go(self) -> Result<(), ExitCode> {
        let done = write(&self.go, &[1]).and_then(|_| waitpid(self.child, None));
        if done == Ok(WaitStatus::Exited(self.child, 0)) { Ok(()) } else { Err(ExitCode::FAILURE) }
    }
}

/// Binds the links of a process's namespaces to files. A namespace lives as long as something holds it: a process, an open
/// descriptor, or such a mount.
pub(super) fn keep(pid: Pid, files: &[(Kind, PathBuf)]) -> Result<(), ExitCode> {
    for (kind, file) in files {
        // The caller never enters these two itself: what is to be kept is what its children are born into.
        let link = match kind {
            Kind::Pid => "pid_for_children",
            Kind::Time => "time_for_children",
            kind => kind.row().link,
        };
        let from = format!("/proc/{pid}/ns/{link}");
        mount(Some(from.as_str()), file, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(|errno| {
            let what = format!("mount {from} on {} failed", file.display());
            failed("unshare", &what, errno, not_kept(errno, *kind, file, Path::new(&from)).as_deref(), 1)
        })?;
    }
    Ok(())
}

fn not_kept(errno: Errno, kind: Kind, file: &Path, from: &Path) -> Option<String> {
    let about = kind != Kind::Pid || fs::read_link(from).is_err();
    let facts = [(Fact::NoTarget, !file.exists()), (Fact::About(kind), about)];
    errno_causes::help("keep namespace", errno, &errno_causes::true_ones(facts))
}

/// A range of IDs outside that appears as a range inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    outer: u32,
    inner: u32,
    count: u32,
}

impl Range {
    /// Reads `OUTER,INNER,COUNT`; newer ones also have `INNER:OUTER:COUNT`.
    fn parse(text: &str) -> Option<Range> {
        let numbers = |sign| text.split(sign).map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>();
        match (numbers(',').as_deref(), numbers(':').as_deref()) {
            (Some(&[outer, inner, count]), _) | (_, Some(&[inner, outer, count])) => {
                Some(Range { outer, inner, count })
            }
            _ => None,
        }
    }

    /// What an option asks for: a range, or with `auto` the one that `/etc/subuid` or `/etc/subgid` gives to this user.
    pub(super) fn asked(text: &str, file: &str) -> Result<Range, String> {
        if text != "auto" {
            return Range::parse(text).ok_or_else(|| format!("invalid mapping '{text}'"));
        }
        let uid = geteuid();
        let name = User::from_uid(uid).ok().flatten().map(|user| user.name).unwrap_or_default();
        let lines = text::read(file).unwrap_or_default();
        let own = lines.lines().find_map(|line| subordinate(line, &name, &uid.to_string()));
        own.ok_or_else(|| format!("no line matching user \"{name}\" in {file}"))
    }

    /// The lines of the map: the range, and the one ID that is mapped by itself. Where that lies in the range, it makes a
    /// hole, and the IDs outside move up by one.
    fn lines(self, own: Option<(u32, u32)>) -> Vec<Range> {
        let Some((inner, outer)) = own else { return vec![self] };
        let lower = inner.saturating_sub(self.inner).min(self.count);
        let hole = u32::from(inner >= self.inner && inner - self.inner < self.count);
        let before = Range { count: lower, ..self };
        let after =
            Range { outer: self.outer + lower, inner: self.inner + lower + hole, count: self.count - lower - hole };
        let all = [Range { outer, inner, count: 1 }, before, after];
        all.into_iter().filter(|range| range.count > 0).collect()
    }
}

/// One line of subuid(5): `NAME:FIRST:COUNT`, with a name or a number.
fn subordinate(line: &str, name: &str, id: &str) -> Option<Range> {
    let fields: Vec<&str> = line.split(':').collect();
    let [who, outer, count] = fields.as_slice() else { return None };
    let ours = *who == name || *who == id;
    Some(Range { outer: outer.parse().ok()?, inner: 0, count: count.trim().parse().ok()? }).filter(|_| ours)
}

/// The maps that are to be written from outside.
#[derive(Clone, Copy, Default)]
pub(super) struct Maps {
    /// Users: the range, and the one user that is mapped by itself (inside, outside).
    pub(super) users: Option<(Range, Option<(u32, u32)>)>,
    /// Groups.
    pub(super) groups: Option<(Range, Option<(u32, u32)>)>,
}

impl Maps {
    /// Whether there is anything to write.
    pub(super) fn any(&self) -> bool {
        self.users.is_some() || self.groups.is_some()
    }

    /// Writes them for this process. More than one's own ID takes a right outside: root has it, and newuidmap(1) and
    /// newgidmap(1) have it for each user whom /etc/subuid and /etc/subgid allow it.
    pub(super) fn write(&self, pid: Pid) -> bool {
        let all = [("uid_map", "newuidmap", self.users), ("gid_map", "newgidmap", self.groups)];
        all.into_iter().all(|(file, program, map)| {
            let Some((range, own)) = map else { return true };
            let lines = range.lines(own);
            if geteuid().is_root() { directly(pid, file, &lines) } else { by_program(pid, program, &lines) }
        })
    }
}

fn directly(pid: Pid, file: &str, lines: &[Range]) -> bool {
    let path = format!("/proc/{pid}/{file}");
    let text: String = lines.iter().map(|line| format!("{} {} {}\n", line.inner, line.outer, line.count)).collect();
    let written = fs::write(&path, text);
    if let Err(error) = &written {
        let _ = failed("unshare", &format!("write failed {path}"), errno::of(error), None, 1);
    }
    written.is_ok()
}

fn by_program(pid: Pid, program: &str, lines: &[Range]) -> bool {
    let numbers = lines.iter().flat_map(|line| [line.inner, line.outer, line.count]);
    let status = Command::new(program).arg(pid.to_string()).args(numbers.map(|number| number.to_string())).status();
    if let Err(error) = &status {
        let hint = say("it comes with the package uidmap (shadow)", "它在软件包 uidmap（shadow）里");
        let _ = failed("unshare", program, errno::of(error), Some(hint), 1);
    }
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, own: Option<(u32, u32)>) -> Vec<String> {
        let lines = Range::parse(text).unwrap().lines(own);
        lines.iter().map(|line| format!("{} {} {}", line.inner, line.outer, line.count)).collect()
    }

    #[test]
    fn one_id_makes_a_hole_in_the_range() {
        assert_eq!(lines("100000,0,10", None), ["0 100000 10"]);
        assert_eq!(lines("0:100000:10", Some((0, 1000))), ["0 1000 1", "1 100000 9"]);
        assert_eq!(lines("100000,0,10", Some((4, 1000))), ["4 1000 1", "0 100000 4", "5 100004 5"]);
        assert_eq!(lines("100000,0,10", Some((9, 1000))), ["9 1000 1", "0 100000 9"]);
        assert_eq!(lines("100000,0,10", Some((50, 1000))), ["50 1000 1", "0 100000 10"]);
        assert_eq!(lines("100000,5,10", Some((0, 1000))), ["0 1000 1", "5 100000 10"]);
    }

    #[test]
    fn ranges_are_read() {
        for wrong in ["", "1,2", "1,2,x", "1,2,3,4", "1:2", "-1,0,1"] {
            assert_eq!(Range::parse(wrong), None, "{wrong}");
        }
        let range = Some(Range { outer: 100_000, inner: 0, count: 65_536 });
        assert_eq!(subordinate("ada:100000:65536", "ada", "1000"), range);
        assert_eq!(subordinate("1000:100000:65536", "ada", "1000"), range);
        assert_eq!(subordinate("bob:100000:65536", "ada", "1000"), None);
    }
}
