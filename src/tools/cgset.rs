//! cgset(1): set limits of control groups.

use super::{
    args::{Opt, Value::Must, parse},
    complain, failed,
    other::misused,
    tell,
};
use crate::kernel::{
    controls::{self, bytes},
    groups::{self, Group, Hierarchies, Name},
    text,
};
use crate::lang::say;
use nix::errno::Errno;
use std::{ffi::OsString, process::ExitCode};

const USAGE: &str = "usage: cgset -r NAME=VALUE … PATH …";
const OPTIONS: [Opt; 1] = [('r', "set", Must)];

/// libcgroup's statuses: wrong usage; the controller is not mounted; there is no such group or file; another error.
const WRONG: u8 = 255;
const NOT_MOUNTED: u8 = 84;
const NO_FILE: u8 = 95;
const OTHER: u8 = 96;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) if !parsed.options.is_empty() && !parsed.words.is_empty() => parsed,
        Ok(_) => return complain("cgset", USAGE, WRONG),
        Err(what) => return misused("cgset", args, &what, USAGE, WRONG),
    };
    let hierarchies = Hierarchies::read();
    for path in &parsed.words {
        // In the order in which they were given: a memory limit, say, must come before the one with swap.
        for setting in parsed.options.iter().filter_map(|(_, value)| value.as_deref()) {
            let Some((name, value)) =
                setting.split_once('=').filter(|(name, _)| name.contains('.') || groups::is_core(name))
            else {
                return complain("cgset", &format!("{setting}: {USAGE}"), WRONG);
            };
            let controller = name.split('.').next().unwrap_or_default();
            let wanted = groups::parse(&format!("{controller}:{path}"));
            let Some(wanted) = wanted else { return complain("cgset", &format!("{path}: {USAGE}"), WRONG) };
            if let Err(status) = set(&hierarchies, &wanted, name, value) {
                return status;
            }
        }
    }
    ExitCode::SUCCESS
}

fn set(hierarchies: &Hierarchies, wanted: &Name, name: &str, value: &str) -> Result<(), ExitCode> {
    let found = match wanted.controllers.as_slice() {
        [controller] if hierarchies.find(controller).is_err() && groups::is_core(name) => {
            return Err(complain("cgset", &groups::core_hint(hierarchies, wanted, name), NO_FILE));
        }
        _ => hierarchies.groups(wanted),
    };
    let found = found.map_err(|why| complain("cgset", &format!("{name}: {why}"), NOT_MOUNTED))?;
    for group in &found {
        let read = |file: &str| text::read(group.dir.join(file)).unwrap_or_default();
        let exists = group.dir.join(name).exists();
        // A name of the other version is written as this version's, where both mean the same.
        let files = if exists { Ok(None) } else { controls::set(group.version, name, value, &read) };
        match files.map_err(|why| complain("cgset", &format!("{name}={value}: {why}"), OTHER))? {
            None => put(group, name, value)?,
            Some(files) => {
                for (file, value) in &files {
                    tell(
                        "cgset",
                        &say(
                            format!("{name} is {file}={value} in cgroup v{}", group.version),
                            format!("{name} 在 cgroup v{} 里是 {file}={value}", group.version),
                        ),
                    );
                    put(group, file, value)?;
                }
            }
        }
    }
    Ok(())
}

/// Writes one value and reads back what the kernel made of it.
fn put(group: &Group, name: &str, value: &str) -> Result<(), ExitCode> {
    let file = group.dir.join(name);
    // One write(2): the kernel takes each for a whole value, and a second one with the newline would be an empty value.
    groups::write(&file, value).map_err(|errno| {
        let status = if errno == Errno::ENOENT { NO_FILE } else { OTHER };
        let what = format!("write {value} to {}", file.display());
        failed("cgset", &what, errno, controls::why(errno, group, name, value).as_deref(), status)
    })?;
    let kept = text::read(&file).unwrap_or_default();
    if let (Some(asked), Some(kept)) = (bytes(value), bytes(&kept))
        && asked != kept
    {
        // Memory comes in whole pages, for one.
        tell(
            "cgset",
            &say(format!("{name}: the kernel made {kept} of {value}"), format!("{name}：内核把 {value} 调整为 {kept}")),
        );
    }
    Ok(())
}
