//! What a line leaves running in the background, and when it is there.

use std::{collections::BTreeSet, fs};

/// The programs that lessons leave running.
const PROGRAMS: [&str; 6] = ["sleep", "nc", "hog", "python3", "cat", "tail"];

/// A line that goes on in the background, and the processes of the session before it.
pub struct Background {
    line: String,
    before: BTreeSet<i32>,
}

impl Background {
    /// Of a line that has not been typed yet, with the processes that there are; `None` where it comes back by itself.
    pub fn of(line: &str, before: impl FnOnce() -> BTreeSet<i32>) -> Option<Background> {
        is_background(line).then(|| Background { line: line.to_string(), before: before() })
    }

    /// Of a line that has been typed when there was nothing else.
    pub fn first(line: &str) -> Option<Background> {
        Background::of(line, BTreeSet::new)
    }

    /// Whether its programs are among these processes, and its servers serve.
    pub fn has_come(&self, processes: &BTreeSet<i32>) -> bool {
        // What the file of a bundle says that its container runs.
        let line = self.line.replace("./start", "sleep");
        let wanted: Vec<&str> = line.split_whitespace().filter(|word| PROGRAMS.contains(word)).collect();
        assert!(!wanted.is_empty(), "{}: what does it leave running?", self.line);
        let new = processes.difference(&self.before).copied();
        let ready: Vec<String> = new.filter_map(ready).collect();
        let count = |name: &str| {
            (wanted.iter().filter(|word| **word == name).count(), ready.iter().filter(|comm| *comm == name).count())
        };
        PROGRAMS.iter().map(|name| count(name)).all(|(wanted, ready)| ready >= wanted)
    }
}

fn is_background(line: &str) -> bool {
    line.trim_end().ends_with('&')
}

/// The name of a process's program, once it does what it is there for.
fn ready(pid: i32) -> Option<String> {
    let comm = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_string();
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let listens = arguments.split(|byte| *byte == 0).any(|word| word.starts_with(b"-l"));
    let serves = comm == "python3" || comm == "nc" && listens;
    (!serves || has_server(pid)).then_some(comm)
}

/// Whether the process has a TCP socket that listens, or one of UDP that is bound (proc_pid_net(5)).
fn has_server(pid: i32) -> bool {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = fds.filter_map(|fd| fs::read_link(fd.path()).ok()?.into_os_string().into_string().ok());
    let own: BTreeSet<String> =
        links.filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_string())).collect();
    [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")].iter().any(|(table, state)| {
        let rows = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        rows.lines().skip(1).any(|row| {
            let columns: Vec<&str> = row.split_whitespace().collect();
            columns.get(3) == Some(state) && columns.get(9).is_some_and(|inode| own.contains(*inode))
        })
    })
}
