//! seccomp: run a program to which the kernel refuses some system calls (seccomp(2)).

use super::{
    args::{
        Misuse, Opt,
        Value::{Must, No},
        parse_bytes,
    },
    complain, failed,
    other::misused,
    seccomp_calls::number,
    start::become_program,
};
use crate::kernel::errno_causes;
use crate::{
    kernel::{errno, seccomp},
    lang::say,
};
use nix::{errno::Errno, sys::prctl::set_no_new_privs};
use std::{ffi::OsString, process::ExitCode};

pub(super) const USAGE: &str =
    "seccomp --deny CALL,... [--errno NAME | --kill] [--allow-new-privs] [--] COMMAND [ARG]...";
const OPTIONS: [Opt; 4] = [('d', "deny", Must), ('e', "errno", Must), ('k', "kill", No), ('\0', "allow-new-privs", No)];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    filter(args).map_or_else(|status| status, |command| become_program("seccomp", &command))
}

/// Does everything up to the program; gives the program, or the exit status.
fn filter(args: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    let wrong = |what: String| misused("seccomp", args, &Misuse::Wrong(what), &format!("usage: {USAGE}"), 2);
    let parsed = parse_bytes(args, &OPTIONS, true)
        .map_err(|what| misused("seccomp", args, &what, &format!("usage: {USAGE}"), 2))?;
    let names: Vec<String> = parsed.texts("deny").iter().flat_map(|list| list.split(',')).map(str::to_string).collect();
    if names.is_empty() || parsed.words.is_empty() {
        return Err(complain("seccomp", &format!("usage: {USAGE}"), 2));
    }
    let calls: Result<Vec<Option<u32>>, &String> = names.iter().map(|name| number(name).ok_or(name)).collect();
    let calls = calls.map_err(|name| {
        wrong(say(format!("no system call '{name}' is known here"), format!("不认识系统调用 '{name}'")))
    })?;
    // Nothing can make a call that this machine does not have, such as mkdir on aarch64: there is nothing to refuse.
    let calls: Vec<u32> = calls.into_iter().flatten().collect();
    // A filter can end the whole process with a signal that nothing catches, or answer in the kernel's place with an error. EPERM says
    // "you may not", ENOSYS "there is no such call": programs that know a second way take it then.
    let refusal = match (parsed.has("kill"), parsed.text("errno")) {
        (true, Some(_)) => {
            return Err(wrong(say("--errno and --kill exclude each other", "--errno 和 --kill 不能同时用").into()));
        }
        (true, None) => libc::SECCOMP_RET_KILL_PROCESS,
        (false, name) => {
            let name = name.unwrap_or("EPERM".into());
            let known = (1..errno::END).map(Errno::from_raw).find(|known| errno::name(*known) == name);
            let known = known.filter(|known| *known != Errno::UnknownErrno);
            let code = known.ok_or_else(|| wrong(say(format!("no error '{name}'"), format!("没有错误码 '{name}'"))))?;
            libc::SECCOMP_RET_ERRNO | code as u32
        }
    };
    // The kernel asks who installs a filter to give up privileges to come, because it could otherwise make a set-user-ID program
    // believe that a call has succeeded, such as the one that gives its rights away. One with CAP_SYS_ADMIN need not.
    let mut program = seccomp::deny(&calls, refusal);
    let loaded = match seccomp::load(&mut program) {
        Err(Errno::EACCES) if !parsed.has("allow-new-privs") => {
            set_no_new_privs().and_then(|()| seccomp::load(&mut program))
        }
        other => other,
    };
    loaded.map_err(|errno| {
        let hint = errno_causes::help("seccomp", errno, &[]);
        failed("seccomp", "seccomp(SECCOMP_SET_MODE_FILTER)", errno, hint.as_deref(), 1)
    })?;
    // It stays for good: nothing takes a filter off, and every child has it from its birth on.
    Ok(parsed.words)
}
