//! System calls, newest last: what was called, how it ended, what it changed, and what is about to happen.

mod changes;
mod fold;

pub(super) use changes::{changes, one_change};

use super::{
    marks, meaning,
    sheet::{Follow, Sheet},
    text::{Pieces, Rich, clip, hang, line, pad, width, wrap},
    theme::Role,
};
use crate::{
    app::{Play, Row, State},
    kernel::{
        availability::OURS,
        errno_causes,
        pid::{Pid, Signal},
    },
    lang::Lang,
    trace::{Argument, Call, Ended, Flags, Note, Return, SyscallEvent, Value, folded},
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
    rows(play, lang, columns, &mut sheet);
    let chosen = play.call.filter(|_| play.walks());
    for (at, (_, call)) in play.session.held().iter().enumerate() {
        let first = sheet.lines.len();
        held(call, lang, columns, &mut sheet);
        if chosen == Some(play.calls.end() + at) {
            point(&mut sheet, first);
        }
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

/// The rows of the log. Of a flood the last ones stand for all.
fn rows(play: &Play, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let numbered: Vec<(usize, &Row)> = play.calls.numbered().collect();
    let all: Vec<&Row> = numbered.iter().map(|(_, row)| *row).collect();
    let newest = all.iter().rposition(|row| matches!(row, Row::Call(_)));
    let chosen = play.call.filter(|_| play.walks());
    let open = numbered.iter().position(|(number, _)| Some(*number) == chosen);
    for shown in fold::fold(&all, open) {
        if shown.before > 0 {
            let times = shown.before;
            let text = match shown.rows {
                1 => lang.pick(format!("{times} times before: the same"), format!("同样的调用此前有 {times} 次")),
                rows => lang.pick(
                    format!("{times} times before: the same {rows} lines"),
                    format!("下面 {rows} 行此前重复了 {times} 次"),
                ),
            };
            sheet.add(wrap(&format!("      {text}"), Role::Quiet, columns));
        }
        for at in shown.first..shown.first + shown.rows {
            let Some(row) = all.get(at) else { continue };
            let first = sheet.lines.len();
            match row {
                Row::Call(event) => returned(event, lang, columns, newest == Some(at), sheet),
                Row::End(pid, comm, ended) => sheet.line(end(*pid, comm, *ended, lang)),
                Row::Note(pid, comm, note) => noted(*pid, comm, note, lang, columns, sheet),
            }
            if open == Some(at) {
                point(sheet, first);
            }
        }
    }
}

/// Marks the call that begins in this line as the chosen one, and shows it.
fn point(sheet: &mut Sheet, first: usize) {
    if let Some((pid, role)) = sheet.lines.get_mut(first).and_then(|line| line.first_mut()) {
        // The blank behind the PID makes room.
        pid.pop();
        pid.push_str(marks::HERE);
        *role = Role::Focus;
    }
    sheet.follow = Follow::Around(first);
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
        Return::Trapped => lang.pick("= ? SIGSYS (a seccomp filter)", "= ? SIGSYS（seccomp 过滤器）").into(),
        Return::Refused => lang.pick("= -1 EPERM (you refused it)", "= -1 EPERM（被你拒绝）").into(),
        Return::Answered(errno) => {
            let by = lang.pick(" (you made it fail)", "（你让它失败）");
            format!("= -1 {}{by}", crate::kernel::errno::name(*errno))
        }
        Return::Never => lang.pick("= ? (it ended in the call)", "= ?（进程在调用中结束）").into(),
    }
}

/// What the program asked for, where the learner let something else happen.
pub(super) fn changed_by_learner(event: &SyscallEvent, lang: Lang) -> Option<String> {
    let asked = brief(&event.asked()?);
    Some(lang.pick(format!("you changed it; asked for: {asked}"), format!("被你改动；原本请求：{asked}")))
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
    if let Some(text) = changed_by_learner(event, lang) {
        sheet.add(hang(&[(indent.clone(), Role::Plain)], &Rich::default().with(&text, Role::Limit), columns));
    }
    let failed = if let Return::Error(errno) = event.returned { Some(errno) } else { None };
    if let Some(cause) = failed.and_then(|errno| errno_causes::cause(event.call.syscall.name(), errno, &[], lang)) {
        sheet.add(hang(&[(indent.clone(), Role::Plain)], &Rich::default().with(cause, Role::Plain), columns));
    }
    for text in folded(changes(&event.changed, lang), lang) {
        let rich = Rich::default().with(&text, Role::Changed);
        sheet.add(hang(
            &[(indent.clone(), Role::Plain), (format!("{} ", marks::CHANGED), Role::Changed)],
            &rich,
            columns,
        ));
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
        let brief = |name, values| brief(&Call::of(Pid(1), "sh", name, values));
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
            brief(&Call::of(Pid(1), "sh", "execve", values))
        };
        assert_eq!(brief(c"/bin/sh", c"sh"), r#"execve("/bin/sh", ["sh", "-e"])"#);
        assert_eq!(brief(c"/run/boxwright-0-1a2b/bin/ps", c"ps"), r#"execve("…/bin/ps", ["ps", "-e"])"#);
        assert_eq!(
            brief(c"/bin/ps", c"/run/boxwright-0-1a2b/bin/ps"),
            r#"execve("/bin/ps", ["/run/boxwright-0-1a2b/bin/ps", "-e"])"#
        );
    }
}
