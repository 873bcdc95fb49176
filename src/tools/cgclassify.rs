//! cgclassify(1): move processes into control groups.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed,
    other::misused,
};
use crate::kernel::groups::{self, Hierarchies, join_hint};
use crate::kernel::pid::Pid;
use std::{ffi::OsString, process::ExitCode};

const USAGE: &str = "usage: cgclassify -g CONTROLLER[,CONTROLLER…]:PATH … PID …";
const OPTIONS: [Opt; 2] = [('g', "group", Must), ('\0', "sticky", No)];

/// libcgroup's statuses: wrong usage; a process was not moved.
const WRONG: u8 = 2;
const NOT_MOVED: u8 = 1;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) if parsed.has("group") && !parsed.words.is_empty() => parsed,
        Ok(_) => return complain("cgclassify", USAGE, WRONG),
        Err(what) => return misused("cgclassify", args, &what, USAGE, WRONG),
    };
    let mut status = ExitCode::SUCCESS;
    for word in &parsed.words {
        let moved = match word.parse() {
            Ok(pid) => join("cgclassify", &parsed.texts("group"), pid, NOT_MOVED),
            Err(_) => Err(complain("cgclassify", &format!("{word} is not a PID"), NOT_MOVED)),
        };
        // The others are moved all the same.
        status = moved.err().unwrap_or(status);
    }
    status
}

/// Moves a process into the groups of every `-g`: one write of its PID into each hierarchy's group. The kernel moves all
/// threads of the process together; those that it has made already stay where they are.
pub(super) fn join(tool: &str, names: &[String], pid: Pid, status: u8) -> Result<(), ExitCode> {
    let hierarchies = Hierarchies::read();
    for text in names {
        let name =
            groups::parse(text).ok_or_else(|| complain(tool, &format!("{text} is not CONTROLLER:PATH"), status))?;
        let found = hierarchies.groups(&name);
        for group in found.map_err(|why| complain(tool, &format!("{}: {why}", name.path), status))? {
            let file = group.dir.join("cgroup.procs");
            groups::write(&file, &pid.to_string()).map_err(|errno| {
                let what = format!("write {pid} to {}", file.display());
                failed(tool, &what, errno, join_hint(errno, &group).as_deref(), status)
            })?;
        }
    }
    Ok(())
}
