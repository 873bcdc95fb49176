//! System calls, newest last: what was called, how it ended, what it changed, and what is about to happen.

use super::{
    marks, meaning,
    sheet::{Follow, Sheet},
    text::{Pieces, Rich, clip, hang, line, pad, width, wrap},
    theme::Role,
};
use crate::{
    app::{Play, Row, State},
    kernel::{
        causes,
        pid::{Pid, Signal},
        usable::OURS,
    },
    lang::Lang,
    observe::ForChildren,
    trace::{Argument, Call, Change, Ended, Flags, Note, Return, SyscallEvent, Value},
};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};
use unicode_width::UnicodeWidthStr;

/// Lays out the calls of this step.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet { follow: Follow::End, ..Sheet::default() };
    let lang = state.lang;
    if let Some(reason) = play.session.untraced() {
        let text = lang.pick("System calls cannot be seen here: ", "这里看不到系统调用：");
        sheet.add(wrap(&format!("{text}{reason}"), Role::Danger, columns));
    }
    let newest = play.calls.rows().rev().find_map(|row| match row {
        Row::Call(event) => Some(event),
        _ => None,
    });
    for row in play.calls.rows() {
        match row {
            Row::Call(event) => {
                returned(event, lang, columns, newest.is_some_and(|last| std::ptr::eq(last, event)), &mut sheet)
            }
            Row::End(pid, comm, ended) => sheet.line(end(*pid, comm, *ended, lang)),
            Row::Note(pid, comm, note) => noted(*pid, comm, note, lang, columns, &mut sheet),
        }
    }
    for (_, call) in play.session.held() {
        held(call, lang, columns, &mut sheet);
    }
    if sheet.lines.is_empty() {
        let text = lang.pick(
            "Nothing yet. Calls that make or change a container appear here as they happen.",
            "还没有。与容器有关的系统调用会在发生时出现在这里。",
        );
        sheet.add(wrap(text, Role::Quiet, columns));
    }
    sheet
}

/// What should be known of a process besides its calls.
fn noted(pid: Pid, comm: &str, note: &Note, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let first = [(format!("{pid:>5} "), Role::Quiet)];
    let who = format!("{}{}", clip(comm, 15), lang.pick(": ", "："));
    sheet.add(hang(&first, &Rich::default().with(&who, Role::Quiet).with(&note.say(lang), Role::Plain), columns));
}

fn who(call: &Call, columns: usize) -> Pieces {
    let mut out = vec![(format!("{:>5} ", call.pid), Role::Quiet)];
    if columns >= 80 {
        out.push((pad(&call.comm, 9), Role::Quiet));
        out.push((" ".into(), Role::Plain));
    }
    out
}

/// The call as strace writes it, without what says nothing about containers; the prefix that all flags share is left out
/// where room is short.
fn text(call: &Call, room: usize) -> String {
    let whole = brief(call);
    if whole.width() <= room { whole } else { whole.replace("CLONE_", "") }
}

/// What a C library adds to every fork.
const BY_ITSELF: u64 = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID | libc::CLONE_PARENT_SETTID) as u64;

/// The call without addresses, environments, and what a C library adds to every fork.
pub(super) fn brief(call: &Call) -> String {
    let unread = matches!(call.args.first(), Some(Argument { name: None, value: Value::Address(_) }));
    let args = match call.syscall.makes_process() && !unread {
        true => flags(&call.args).iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
        false => call.args.iter().filter_map(shown).collect::<Vec<_>>().join(", "),
    };
    format!("{}({args})", call.syscall)
}

/// What distinguishes one fork from another.
fn flags(args: &[Argument]) -> Vec<Value> {
    let bits = |bits: u64| Value::Bits(Flags::Clone, bits & !BY_ITSELF);
    let all = args.iter().flat_map(|argument| match &argument.value {
        Value::Bits(Flags::Clone, flags) => vec![bits(*flags)],
        Value::CloneFlags(flags, signal) => vec![bits(*flags), Value::Signal(*signal)],
        Value::Signal(signal) => vec![Value::Signal(*signal)],
        Value::Struct(members) => flags(members),
        _ => Vec::new(),
    });
    all.filter(|value| !matches!(value, Value::Bits(_, 0) | Value::Signal(Signal(0)))).collect()
}

/// One argument; nothing of an environment, which is an address and a count.
fn shown(argument: &Argument) -> Option<String> {
    if matches!(argument.value, Value::Environment(..)) {
        return None;
    }
    Some(argument.path().and_then(in_tools).unwrap_or_else(|| argument.to_string()))
}

/// A program of the session's folder of tools, whose long name says nothing.
fn in_tools(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| folder.file_name() == Some("bin".as_ref()))?;
    let ours = |part: &OsStr| part.as_bytes().starts_with(OURS.as_bytes());
    let tool = path.file_name().filter(|_| folder.iter().any(ours))?;
    Some(format!("\"…/bin/{}\"", tool.display()))
}

/// How a call ended, as strace writes it.
pub(super) fn result(returned: &Return, lang: Lang) -> String {
    match returned {
        Return::Value(_) | Return::Error(_) => format!("= {returned}"),
        Return::Filtered(errno) => {
            let filter = lang.pick(" (a seccomp filter)", "（seccomp 过滤器）");
            format!("= -1 {}{filter}", crate::kernel::errno::name(*errno))
        }
        Return::Refused => lang.pick("= -1 EPERM (you refused it)", "= -1 EPERM（被你拒绝）").into(),
        Return::Never => lang.pick("= ? (it ended in the call)", "= ?（进程在调用中结束）").into(),
    }
}

fn returned(event: &SyscallEvent, lang: Lang, columns: usize, newest: bool, sheet: &mut Sheet) {
    let first = who(&event.call, columns);
    let room = columns.saturating_sub(width(&first));
    let result = result(&event.returned, lang);
    let role = if matches!(event.returned, Return::Value(_)) { Role::Strong } else { Role::Danger };
    let time = duration(event.micros);
    let body = text(&event.call, room.saturating_sub(result.width() + time.width() + 3));
    let call_role = if newest { Role::Strong } else { Role::Plain };
    let rich = Rich::default().with(&body, call_role).with(" ", Role::Plain).with(&result, role);
    let mut lines = hang(&first, &rich, columns);
    if let Some(last) = lines.last_mut() {
        let free = columns.saturating_sub(width(last));
        if free > time.width() + 1 {
            last.push((format!("{}{time}", " ".repeat(free - time.width())), Role::Quiet));
        }
    }
    sheet.add(lines);
    let indent = " ".repeat(width(&first).min(6));
    let failed = if let Return::Error(errno) = event.returned { Some(errno) } else { None };
    if let Some(cause) = failed.and_then(|errno| causes::cause(event.call.syscall.name(), errno, &[], lang)) {
        sheet.add(hang(&[(indent.clone(), Role::Plain)], &Rich::default().with(cause, Role::Plain), columns));
    }
    for text in changes(&event.changed, lang) {
        let rich = Rich::default().with(&text, Role::Changed);
        sheet.add(hang(
            &[(indent.clone(), Role::Plain), (format!("{} ", marks::CHANGED), Role::Changed)],
            &rich,
            columns,
        ));
    }
}

/// What a call changed, in few words: links of namespaces together, everything else by itself.
pub(super) fn changes(changed: &[Change], lang: Lang) -> Vec<String> {
    let (mut links, mut child, mut out) = (Vec::new(), None, Vec::new());
    for change in changed {
        match change {
            Change::Child(pid) => child = Some(pid),
            Change::Namespace { kind, after: Some(_), .. } => links.push(*kind),
            Change::PidForChildren { after: ForChildren::NotMade, .. } => out.push(
                lang.pick("pid_for_children: made at the next fork", "pid_for_children：下一次 fork 时才创建")
                    .to_string(),
            ),
            _ => out.push(one_change(change, lang)),
        }
    }
    // In the order of the Namespaces pane.
    links.sort_by_key(|link| super::namespaces::ORDER.iter().position(|kind| kind == link));
    let links: Vec<&str> = links.iter().map(|kind| kind.row().link).collect();
    let new = if links.is_empty() {
        String::new()
    } else {
        format!("{}{}", links.join(" "), lang.pick(": new", "：新的"))
    };
    match child {
        // The links that a fork changes are the child's; its maker keeps its own.
        Some(child) => {
            let name = lang.pick(format!("child {child}"), format!("子进程 {child}"));
            out.insert(0, if new.is_empty() { name } else { format!("{name}{}{new}", lang.pick(", ", "，")) });
        }
        None if new.is_empty() => {}
        None => out.insert(0, new),
    }
    out
}

fn one_change(change: &Change, lang: Lang) -> String {
    let subject = change.subject(lang);
    let (before, after) = change.values(lang);
    let gone = || lang.pick("gone", "已消失").to_string();
    let colon = lang.pick(": ", "：");
    match before {
        Some(before) => format!("{subject}{colon}{before} {} {}", marks::TO, after.unwrap_or_else(gone)),
        None => after.map_or(subject.clone(), |after| format!("{subject}{colon}{after}")),
    }
}

fn held(call: &Call, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let first = who(call, columns);
    let room = columns.saturating_sub(width(&first));
    let note = format!("{} {}", marks::HELD, lang.pick("about to happen", "即将发生"));
    let body = text(call, room.saturating_sub(note.width() + 2));
    let mut lines = hang(&first, &Rich::default().with(&body, Role::Strong), columns);
    match lines.last_mut() {
        Some(last) if width(last) + note.width() + 2 <= columns => {
            let free = columns - width(last) - note.width();
            last.push((format!("{}{note}", " ".repeat(free)), Role::Changed));
        }
        _ => lines.push(vec![("      ".into(), Role::Plain), (note, Role::Changed)]),
    }
    sheet.add(lines);
    if let Some(words) = meaning::sentence(call, lang) {
        sheet.add(hang(&line("      ", Role::Plain), &Rich::default().with(&words, Role::Plain), columns));
    }
}

/// That a process ended, and how.
pub(super) fn end(pid: Pid, comm: &str, ended: Ended, lang: Lang) -> Pieces {
    let (text, role) = match ended {
        Ended::Exited(0) => (lang.pick("ended, status 0".to_string(), "结束，状态 0".into()), Role::Quiet),
        Ended::Exited(status) => {
            (lang.pick(format!("ended, status {status}"), format!("结束，状态 {status}")), Role::Plain)
        }
        Ended::Killed(signal) => (lang.pick(format!("killed by {signal}"), format!("被 {signal} 杀死")), Role::Danger),
    };
    let mut out = line(format!("{pid:>5} {} ", clip(comm, 15)), Role::Quiet);
    out.push((text, role));
    out
}

fn duration(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} us"),
        1000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::namespaces::Kind;

    #[test]
    fn a_fork_says_only_what_matters() {
        let brief = |name, values| brief(&Call::of(1, "sh", name, values));
        let glibc = BY_ITSELF | libc::SIGCHLD as u64;
        assert_eq!(brief("clone", [glibc, 0, 7, 7, 7, 0]), "clone(SIGCHLD)");
        assert_eq!(brief("clone", [Kind::Pid.row().flag | 17, 0, 0, 0, 0, 0]), "clone(CLONE_NEWPID|SIGCHLD)");
        assert_eq!(brief("clone", [0; 6]), "clone()");
        assert_eq!(brief("vfork", [0; 6]), "vfork()");
        let clone3 = [(libc::CLONE_VM | libc::CLONE_VFORK) as u64, 0, 0, 0, 17, 0x7f, 0, 0, 0, 0, 0];
        assert_eq!(brief("clone3", [clone3.as_ptr() as u64, 88, 0, 0, 0, 0]), "clone3(CLONE_VM|CLONE_VFORK|SIGCHLD)");
        assert_eq!(brief("clone3", [8, 88, 0, 0, 0, 0]), "clone3(0x8, 88)", "nothing is mapped there");
        assert_eq!(brief("unshare", [Kind::Mnt.row().flag, 0, 0, 0, 0, 0]), "unshare(CLONE_NEWNS)");
    }

    #[test]
    fn a_program_is_shown_without_its_environment_and_a_tool_without_its_folder() {
        let brief = |program: &std::ffi::CStr, name: &std::ffi::CStr| {
            let (argv, env) = ([name.as_ptr(), c"-e".as_ptr(), std::ptr::null()], [c"A=1".as_ptr(), std::ptr::null()]);
            let values = [program.as_ptr() as u64, argv.as_ptr() as u64, env.as_ptr() as u64, 0, 0, 0];
            brief(&Call::of(1, "sh", "execve", values))
        };
        assert_eq!(brief(c"/bin/sh", c"sh"), r#"execve("/bin/sh", ["sh", "-e"])"#);
        assert_eq!(brief(c"/run/boxwright-0-1a2b/bin/ps", c"ps"), r#"execve("…/bin/ps", ["ps", "-e"])"#);
        assert_eq!(
            brief(c"/bin/ps", c"/run/boxwright-0-1a2b/bin/ps"),
            r#"execve("/bin/ps", ["/run/boxwright-0-1a2b/bin/ps", "-e"])"#
        );
    }

    #[test]
    fn links_are_told_together() {
        let link = |kind, after| Change::Namespace { kind, before: Some(1), after };
        let list = [
            link(Kind::Uts, Some(2)),
            Change::HostName { before: "a".into(), after: "box".into() },
            link(Kind::Ipc, Some(3)),
            link(Kind::Net, None),
            Change::PidForChildren { before: ForChildren::Inode(4), after: ForChildren::NotMade },
        ];
        assert_eq!(
            changes(&list, Lang::En),
            ["uts ipc: new", "hostname: a → box", "net: 1 → gone", "pid_for_children: made at the next fork"]
        );
        let fork = [Change::Child(Pid(7)), link(Kind::Pid, Some(2))];
        assert_eq!(changes(&fork, Lang::En), ["child 7, pid: new"]);
        assert_eq!(changes(&fork[..1], Lang::En), ["child 7"]);
        let born = Change::PidForChildren { before: ForChildren::NotMade, after: ForChildren::Inode(5) };
        assert_eq!(changes(&[born], Lang::En), ["pid_for_children: 5"]);
        let group = [Change::GroupMade("box".into(), None), Change::GroupRemoved("box".into())];
        assert_eq!(changes(&group, Lang::En), ["cgroup box: made", "cgroup box: empty → gone"]);
        assert_eq!(changes(&group, Lang::Zh), ["cgroup box：已创建", "cgroup box：空 → 已消失"]);
    }
}
