//! A tool of ours beside the distribution's: how it is run, how both end, and what they call.

use super::{ours, theirs};
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Runs a program without input.
pub fn run(program: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh");
    command.stdin(Stdio::null()).output().unwrap()
}

/// A shell command with our tools first in its PATH, in namespaces of its own that the distribution's unshare made.
pub fn inside(flags: &str, script: &str, bin: Option<&Path>) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = bin.map_or_else(|| path.clone(), |bin| format!("{}:{path}", bin.display()));
    let mut command = Command::new("/usr/bin/unshare");
    command.args([flags, "--mount-proc", "--fork", "env", &format!("PATH={path}"), "sh", "-c", script]);
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().unwrap()
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a program said on standard error.
pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The words of a line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The calls that a tool makes on its way, by strace: descriptors are `_`, any kind of fork is `fork`, and the execve of
/// the tool itself, those that only searched the PATH and refused setns are left out. `child` marks what happens after the fork.
pub fn calls(program: &Path, args: &[&str]) -> Vec<String> {
    let strace = theirs("strace");
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(strace)
        .args(["-f", "-e", "trace=setns,chroot,chdir,fchdir,pivot_root,clone,clone3,vfork,fork,execve", "-o"])
        .arg(log.path())
        .arg(program)
        .args(args)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(!log.is_empty(), "strace: {output:?}");
    let first = log.split(' ').next().unwrap();
    let call = |line: &str| {
        let (pid, call) = line.split_once(' ')?;
        let (name, rest) = call.trim_start().split_once('(')?;
        let arguments = rest.split(") ").next()?.split(" <unfinished").next()?.trim_end_matches([')', ',']);
        let text = match name {
            "clone" | "clone3" | "vfork" | "fork" => "fork".to_string(),
            "setns" if rest.ends_with("(Operation not permitted)") => return None,
            "setns" => format!("setns(_,{})", arguments.split_once(',')?.1),
            "fchdir" => "fchdir(_)".into(),
            "execve" if rest.ends_with("(No such file or directory)") => return None,
            "execve" => format!("execve({})", arguments.split(", 0x").next()?),
            _ => format!("{name}({arguments})"),
        };
        let own = (!name.starts_with(['+', '-', '<'])).then_some(text)?;
        Some(
            each_namespace(&own)
                .into_iter()
                .map(|text| if pid == first { text } else { format!("child {text}") })
                .collect(),
        )
    };
    log.lines().filter_map(call).skip(1).flat_map(|calls: Vec<String>| calls).collect()
}

/// Since util-linux 2.40 one setns(2) on a pidfd enters several namespaces: as many calls, in the order that both used before.
fn each_namespace(call: &str) -> Vec<String> {
    const ORDER: [&str; 8] = ["USER", "CGROUP", "IPC", "UTS", "NET", "PID", "NS", "TIME"];
    let flags: Vec<&str> = call.strip_prefix("setns(_, ").map_or(Vec::new(), |flags| {
        flags.trim_end_matches(')').split('|').filter_map(|flag| flag.strip_prefix("CLONE_NEW")).collect()
    });
    if flags.len() < 2 {
        return vec![call.to_string()];
    }
    let entered = ORDER.into_iter().filter(|kind| flags.contains(kind));
    entered.map(|kind| format!("setns(_, CLONE_NEW{kind})")).collect()
}

/// Both tools with the same arguments: the same exit status, or the same signal.
pub fn same_end(tool: &'static str, args: &[&str]) {
    let (ours, theirs) = (run(&ours().path().join(tool), args), run(&theirs(tool), args));
    let end = |output: &Output| (output.status.code(), output.status.signal());
    assert_eq!(end(&ours), end(&theirs), "{tool} {args:?}: {} / {}", error(&ours), error(&theirs));
    assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout), "{tool} {args:?}");
}
