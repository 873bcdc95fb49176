//! Facts about what has happened since the step began: calls, and ends of processes.

use super::{Evidence, Verdict, is_program};
use crate::{
    kernel::{errno, namespaces::Kind, pid::Pid},
    lang::Lang,
    lesson::{End, Outcome},
    trace::{Change, Ended, Return, Syscall},
};
use std::collections::BTreeSet;

/// Such a call was made since the step began.
pub(super) fn call(name: &str, outcome: &Outcome, text: Option<&str>, evidence: &Evidence, lang: Lang) -> Verdict {
    let wanted_end = match outcome {
        Outcome::Ok => "= 0".to_string(),
        Outcome::Failed(errno) => format!("= {errno}"),
    };
    let expected = match text {
        Some(text) => format!("{name}(…{text}…) {wanted_end}"),
        None => format!("{name}(…) {wanted_end}"),
    };
    if let Some(reason) = &evidence.untraced {
        return Verdict { passed: None, expected, observed: reason.say(lang).into(), ..Verdict::default() };
    }
    let mut seen = None;
    for event in evidence.calls.iter().rev().filter(|event| same_call(name, event.call.syscall)) {
        // What the kernel never saw is no word of the kernel's.
        let errno = event.returned.error().filter(|_| !event.returned.is_refused()).map(errno::name);
        let right_end = match outcome {
            Outcome::Ok => matches!(event.returned, Return::Value(_)),
            Outcome::Failed(wanted) => errno.as_ref() == Some(wanted),
        };
        if right_end && text.is_none_or(|text| event.call.args_text().contains(text)) {
            return Verdict { passed: Some(true), observed: expected.clone(), expected, ..Verdict::default() };
        }
        let end = match event.returned.error().filter(|_| event.returned.is_refused()) {
            Some(error) => {
                format!("{}{}", errno::name(error), lang.pick(" (not from the kernel)", "（不是内核返回的）"))
            }
            None => errno.unwrap_or_else(|| event.returned.to_string()),
        };
        seen.get_or_insert_with(|| format!("{} = {end}", event.call));
    }
    let observed = seen.unwrap_or_else(|| lang.pick("no such call yet", "尚无此调用").into());
    Verdict::new(false, expected, observed)
}

/// Something is mounted there in the container, and a process in another mount namespace has mounted it.
pub(super) fn leaked(path: &str, evidence: &Evidence, lang: Lang) -> Verdict {
    let expected = format!("{path} {}", lang.pick("mounted from another namespace", "由另一个命名空间挂载"));
    if let Some(reason) = &evidence.untraced {
        return Verdict { passed: None, expected, observed: reason.say(lang).into(), ..Verdict::default() };
    }
    let sample = evidence.sample.as_deref();
    let own = sample.and_then(|sample| sample.namespaces.get(&Kind::Mnt).copied());
    let mut elsewhere: BTreeSet<Pid> = BTreeSet::new();
    let mut from_there = false;
    for event in &evidence.calls {
        let caller = event.call.pid;
        for change in &event.changed {
            match change {
                Change::Namespace { kind: Kind::Mnt, after, .. } if after.is_some() && *after != own => {
                    let child = event.changed.iter().find_map(child);
                    elsewhere.insert(child.unwrap_or(caller));
                }
                Change::Child(pid) if elsewhere.contains(&caller) => drop(elsewhere.insert(*pid)),
                Change::Mounted { point, .. } => from_there |= point == path && elsewhere.contains(&caller),
                _ => {}
            }
        }
    }
    let there = sample.is_some_and(|sample| sample.inside.mounts.iter().any(|mount| mount.point == path));
    let observed = match (there, from_there) {
        (true, true) => expected.clone(),
        (true, false) => format!("{path} {}", lang.pick("mounted in the container itself", "在容器里直接挂载")),
        (false, _) => lang.pick("nothing is mounted there", "那里没有挂载").into(),
    };
    Verdict::new(there && from_there, expected, observed)
}

fn child(change: &Change) -> Option<Pid> {
    if let Change::Child(pid) = change { Some(*pid) } else { None }
}

/// `fork` in a lesson means every way to make a process, because shells differ in the one that they use; and `mkdir` also the call
/// that does the same on aarch64, which has no other.
fn same_call(wanted: &str, syscall: Syscall) -> bool {
    let made = syscall.name();
    let newer = match wanted {
        "mkdir" => made == "mkdirat",
        // Its other form, which removes a file, is never told.
        "rmdir" => made == "unlinkat",
        "mknod" => made == "mknodat",
        "fork" => syscall.makes_process(),
        _ => false,
    };
    wanted == made || newer
}

/// A process of one of these programs ended like this since the step began.
pub(super) fn ended(names: &str, end: &End, evidence: &Evidence, lang: Lang) -> Verdict {
    let status = |name: &str, status: i32| format!("{name}{} {status}", lang.pick(": status", "：退出状态"));
    let expected = |name: &str| match end {
        End::Status(wanted) => status(name, *wanted),
        End::Signal(signal) => format!("{name}: {signal}"),
    };
    let word = |name: &str, end: &Ended| match end {
        Ended::Exited(ended) => status(name, *ended),
        Ended::Killed(signal) => format!("{name}: {signal}"),
    };
    if let Some(reason) = &evidence.untraced {
        return Verdict {
            passed: None,
            expected: expected(names),
            observed: reason.say(lang).into(),
            ..Verdict::default()
        };
    }
    let ends = evidence.ends.iter().filter(|(comm, _)| names.split(',').any(|name| is_program(name, comm)));
    let seen: Vec<(String, bool)> =
        ends.map(|(comm, end)| (word(comm, end), word(comm, end) == expected(comm))).collect();
    let right = seen.iter().find(|(_, right)| *right);
    let observed = right.or(seen.last()).map(|(text, _)| text.clone());
    let observed = observed.unwrap_or_else(|| format!("{names}{}", lang.pick(": has not ended", "：没有结束")));
    Verdict::new(right.is_some(), expected(names), observed)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Evidence,
        cases::{call, decided, exited, killed, sample, unfinished, untraced, with},
    };
    use crate::{
        kernel::{errno::Errno, namespaces::Kind, pid::Pid},
        observe::mounts,
        trace::{Change, Mounted, Return, SyscallEvent},
    };

    const UTS: u64 = libc::CLONE_NEWUTS as u64;
    const PID: u64 = libc::CLONE_NEWPID as u64;

    fn calls(calls: Vec<SyscallEvent>) -> Evidence {
        Evidence { calls, ..Evidence::default() }
    }

    #[test]
    fn a_call_has_its_name_its_end_and_its_text() {
        let uts = || call("unshare", UTS, Ok(0));
        let refused = || call("unshare", PID, Err(libc::EPERM));
        let fork = |name| call(name, 0, Ok(77));
        let none = "no such call yet";
        for (instruction, evidence, passed, expected, observed) in [
            ("call unshare ok", vec![uts()], true, "unshare(…) = 0", "unshare(…) = 0"),
            ("call unshare ok", vec![], false, "unshare(…) = 0", none),
            ("call setns ok", vec![uts()], false, "setns(…) = 0", none),
            ("call unshare ok", vec![refused()], false, "unshare(…) = 0", "unshare(CLONE_NEWPID) = EPERM"),
            ("call unshare EPERM", vec![refused()], true, "unshare(…) = EPERM", "unshare(…) = EPERM"),
            ("call unshare EPERM", vec![uts()], false, "unshare(…) = EPERM", "unshare(CLONE_NEWUTS) = 0"),
            ("call unshare EINVAL", vec![refused()], false, "unshare(…) = EINVAL", "unshare(CLONE_NEWPID) = EPERM"),
            // A call whose process died in it has no result.
            ("call unshare ok", vec![unfinished("unshare", UTS)], false, "unshare(…) = 0", "unshare(CLONE_NEWUTS) = ?"),
            (
                "call unshare ok CLONE_NEWUTS",
                vec![uts()],
                true,
                "unshare(…CLONE_NEWUTS…) = 0",
                "unshare(…CLONE_NEWUTS…) = 0",
            ),
            ("call unshare ok NEWPID", vec![uts()], false, "unshare(…NEWPID…) = 0", "unshare(CLONE_NEWUTS) = 0"),
            (
                "call unshare EPERM NEWPID",
                vec![refused(), uts()],
                true,
                "unshare(…NEWPID…) = EPERM",
                "unshare(…NEWPID…) = EPERM",
            ),
            // An error that the guard or the learner made is no word of the kernel's.
            (
                "call unshare EPERM",
                vec![SyscallEvent { returned: Return::Answered(Errno::EPERM), ..refused() }],
                false,
                "unshare(…) = EPERM",
                "unshare(CLONE_NEWPID) = EPERM (not from the kernel)",
            ),
            (
                "call unshare EPERM",
                vec![SyscallEvent { returned: Return::Refused, ..refused() }],
                false,
                "unshare(…) = EPERM",
                "unshare(CLONE_NEWPID) = EPERM (not from the kernel)",
            ),
            // Any of them will do; the newest is what is shown.
            ("call unshare ok", vec![uts(), refused()], true, "unshare(…) = 0", "unshare(…) = 0"),
            (
                "call unshare EINVAL",
                vec![uts(), refused()],
                false,
                "unshare(…) = EINVAL",
                "unshare(CLONE_NEWPID) = EPERM",
            ),
            ("call fork ok", vec![fork("fork")], true, "fork(…) = 0", "fork(…) = 0"),
            ("call fork ok", vec![fork("vfork")], true, "fork(…) = 0", "fork(…) = 0"),
            ("call fork ok", vec![fork("clone")], true, "fork(…) = 0", "fork(…) = 0"),
            ("call fork ok", vec![fork("clone3")], true, "fork(…) = 0", "fork(…) = 0"),
            ("call fork ok", vec![uts()], false, "fork(…) = 0", none),
            ("call clone ok", vec![fork("fork")], false, "clone(…) = 0", none),
            // aarch64 has none of the older calls, and no lesson asks for the newer ones.
            ("call mkdir ok", vec![call("mkdirat", 0, Ok(0))], true, "mkdir(…) = 0", "mkdir(…) = 0"),
            ("call mknod ok", vec![call("mknodat", 0, Ok(0))], true, "mknod(…) = 0", "mknod(…) = 0"),
            ("call mknodat ok", vec![call("mknod", 0, Ok(0))], false, "mknodat(…) = 0", none),
            ("call rmdir EBUSY", vec![call("mkdirat", 0, Err(libc::EBUSY))], false, "rmdir(…) = EBUSY", none),
            (
                "call rmdir EBUSY",
                vec![call("unlinkat", 0, Err(libc::EBUSY))],
                true,
                "rmdir(…) = EBUSY",
                "rmdir(…) = EBUSY",
            ),
        ] {
            decided(instruction, &calls(evidence), Some(passed), expected, observed);
        }
    }

    #[test]
    fn a_process_ended_as_it_should() {
        let ends = |ends: &[_]| Evidence { ends: ends.to_vec(), ..Evidence::default() };
        for (instruction, evidence, passed, expected, observed) in [
            ("ended sh status 3", ends(&[exited("sh", 3)]), true, "sh: status 3", "sh: status 3"),
            ("ended sh status 3", ends(&[exited("sh", 2)]), false, "sh: status 3", "sh: status 2"),
            ("ended sh status 0", ends(&[exited("sh", 3)]), false, "sh: status 0", "sh: status 3"),
            ("ended sh status 3", ends(&[exited("top", 3)]), false, "sh: status 3", "sh: has not ended"),
            ("ended sh status 9", ends(&[killed("sh", 9)]), false, "sh: status 9", "sh: SIGKILL"),
            ("ended sh signal SIGKILL", ends(&[killed("sh", 9)]), true, "sh: SIGKILL", "sh: SIGKILL"),
            ("ended sh signal SIGKILL", ends(&[killed("sh", 15)]), false, "sh: SIGKILL", "sh: SIGTERM"),
            ("ended sh signal SIGKILL", ends(&[exited("sh", 137)]), false, "sh: SIGKILL", "sh: status 137"),
            ("ended sh,bash status 3", ends(&[exited("bash", 3)]), true, "sh,bash: status 3", "bash: status 3"),
            ("ended sh status 3", ends(&[exited("ash", 3)]), true, "sh: status 3", "ash: status 3"),
            (
                "ended top,bash status 3",
                ends(&[exited("ash", 3)]),
                false,
                "top,bash: status 3",
                "top,bash: has not ended",
            ),
            // Any of them will do; the newest is what is shown otherwise.
            ("ended sh status 3", ends(&[exited("sh", 3), exited("sh", 0)]), true, "sh: status 3", "sh: status 3"),
            ("ended sh status 3", ends(&[exited("sh", 1), exited("sh", 2)]), false, "sh: status 3", "sh: status 2"),
            ("ended sh status 3", ends(&[]), false, "sh: status 3", "sh: has not ended"),
        ] {
            decided(instruction, &evidence, Some(passed), expected, observed);
        }
    }

    #[test]
    fn where_nothing_is_traced_neither_can_be_told() {
        let evidence = Evidence {
            untraced: Some(untraced()),
            calls: vec![call("unshare", UTS, Ok(0))],
            ends: vec![exited("sh", 3)],
            sample: Some(sample().into()),
            ..Evidence::default()
        };
        decided("call unshare ok", &evidence, None, "unshare(…) = 0", "no tracer");
        decided("ended sh status 3", &evidence, None, "sh: status 3", "no tracer");
        // What the kernel's state tells needs no tracer.
        decided("hostname inside is box", &evidence, Some(true), "box", "box");
    }

    /// What a call of this process changed.
    fn by(pid: i32, changed: Vec<Change>) -> SyscallEvent {
        let mut event = call("mount", 0, Ok(0));
        event.call.pid = Pid(pid);
        SyscallEvent { changed, ..event }
    }

    #[test]
    fn a_mount_has_leaked_where_a_process_of_another_namespace_made_it() {
        let own = sample().namespaces[&Kind::Mnt];
        let link = |kind, after| Change::Namespace { kind, before: Some(own), after };
        let elsewhere = |pid| by(pid, vec![link(Kind::Mnt, Some(own + 50))]);
        let mount = |pid, point: &str| {
            let mounted = Mounted { kind: "tmpfs".into(), root: "/".into(), source: "leak".into() };
            by(pid, vec![Change::Mounted { point: point.into(), mounted }])
        };
        let child = |pid, child| by(pid, vec![Change::Child(Pid(child))]);
        let clone = |pid, child| by(pid, vec![link(Kind::Mnt, Some(own + 50)), Change::Child(Pid(child))]);
        let wanted = "/srv mounted from another namespace";
        let there = with(|sample| {
            sample.inside.mounts =
                mounts::parse("50 27 254:0 / / rw - ext4 /dev/vda rw\n52 50 0:41 / /srv rw - tmpfs leak rw\n")
        });
        let here = "/srv mounted in the container itself";
        for (calls, sees, passed, observed) in [
            (vec![elsewhere(200), mount(200, "/srv")], &there, true, wanted),
            (vec![elsewhere(200), mount(200, "/srv"), mount(200, "/mnt")], &there, true, wanted),
            (vec![elsewhere(200), child(200, 201), mount(201, "/srv")], &there, true, wanted),
            (vec![clone(200, 201), mount(201, "/srv")], &there, true, wanted),
            // The maker of such a child is where it was.
            (vec![clone(200, 201), mount(200, "/srv")], &there, false, here),
            (vec![child(200, 201), mount(201, "/srv")], &there, false, here),
            (vec![elsewhere(200), mount(102, "/srv")], &there, false, here),
            (vec![elsewhere(200), mount(200, "/mnt")], &there, false, here),
            // In the container's own mount namespace, in one that cannot be read, in another one of another kind.
            (vec![by(200, vec![link(Kind::Mnt, Some(own))]), mount(200, "/srv")], &there, false, here),
            (vec![by(200, vec![link(Kind::Mnt, None)]), mount(200, "/srv")], &there, false, here),
            (vec![by(200, vec![link(Kind::Uts, Some(own + 50))]), mount(200, "/srv")], &there, false, here),
            (vec![elsewhere(200), mount(200, "/srv")], &sample(), false, "nothing is mounted there"),
        ] {
            let evidence = Evidence { sample: Some(sees.clone().into()), ..self::calls(calls) };
            decided("leaked /srv", &evidence, Some(passed), wanted, observed);
        }
        let evidence = Evidence { untraced: Some(untraced()), ..Evidence::default() };
        decided("leaked /srv", &evidence, None, wanted, "no tracer");
    }
}
