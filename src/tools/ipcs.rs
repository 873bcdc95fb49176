//! ipcs(1): list the System V objects of the IPC namespace.

use super::{
    args::{Opt, Value::No, parse},
    failed,
    other::misused,
    print,
};
use crate::kernel::{errno::of, text};
use crate::lang::say;
use nix::unistd::{Uid, User};
use std::{ffi::OsString, fmt::Write, process::ExitCode};

const OPTIONS: [Opt; 4] = [('q', "queues", No), ('m', "shmems", No), ('s', "semaphores", No), ('a', "all", No)];

/// A table: its option, the file, the heading, the names of the columns, and which fields they are.
struct Table {
    option: &'static str,
    file: &'static str,
    heading: &'static str,
    id: &'static str,
    columns: &'static [(&'static str, usize)],
    owner: usize,
}

/// The kernel's own tables, which show the IPC namespace of their reader (proc_sysvipc(5)).
const TABLES: [Table; 3] = [
    Table {
        option: "queues",
        file: "msg",
        heading: "Message Queues",
        id: "msqid",
        columns: &[("used-bytes", 3), ("messages", 4)],
        owner: 7,
    },
    Table {
        option: "shmems",
        file: "shm",
        heading: "Shared Memory Segments",
        id: "shmid",
        columns: &[("bytes", 3), ("nattch", 6)],
        owner: 7,
    },
    Table {
        option: "semaphores",
        file: "sem",
        heading: "Semaphore Arrays",
        id: "semid",
        columns: &[("nsems", 3)],
        owner: 4,
    },
];

/// Reads a table of this IPC namespace (sysvipc(7)). One that cannot be read is not an empty one.
pub(super) fn table(tool: &str, name: &str) -> Result<String, ExitCode> {
    let file = format!("/proc/sysvipc/{name}");
    let hint = say(
        "the kernel shows its objects in /proc: mount -t proc proc /proc",
        "内核通过 /proc 显示这些对象：mount -t proc proc /proc",
    );
    text::read(&file).map_err(|error| failed(tool, &format!("open {file}"), of(&error), Some(hint), 1))
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("ipcs", args, &what, "usage: ipcs [-a] [-q] [-m] [-s]", 1),
    };
    let all = parsed.has("all") || parsed.options.is_empty();
    let mut out = String::new();
    for table in TABLES.iter().filter(|table| all || parsed.has(table.option)) {
        let text = match self::table("ipcs", table.file) {
            Ok(text) => text,
            Err(status) => return status,
        };
        let _ = write!(
            out,
            "\n------ {} --------\n{:<10} {:<10} {:<10} {:<10}",
            table.heading, "key", table.id, "owner", "perms"
        );
        for (name, _) in table.columns {
            let _ = write!(out, " {name:<12}");
        }
        out.push('\n');
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let field = |index: usize| fields.get(index).copied().unwrap_or("-");
            let key = field(0).parse::<i32>().unwrap_or(0);
            let owner =
                field(table.owner).parse().ok().map(Uid::from_raw).and_then(|uid| User::from_uid(uid).ok().flatten());
            let owner = owner.map_or(field(table.owner).to_string(), |user| text::printable(&user.name));
            let _ = write!(out, "{key:<#010x} {:<10} {owner:<10} {:<10}", field(1), field(2));
            for (_, index) in table.columns {
                let _ = write!(out, " {:<12}", field(*index));
            }
            out.push('\n');
        }
    }
    out.push('\n');
    print(&out)
}
