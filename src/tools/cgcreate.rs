//! cgcreate(1): make control groups.

use super::{
    args::{Opt, Value::Must, parse},
    complain, failed,
    other::misused,
};
use crate::kernel::text;
use crate::kernel::{
    errno::of,
    errno_causes,
    groups::{self, Group, Hierarchies, SUBTREE_CONTROL, listed, members},
};
use crate::lang::say;
use std::{
    ffi::OsString,
    fmt::Display,
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "usage: cgcreate -g CONTROLLER[,CONTROLLER…]:PATH …";
const OPTIONS: [Opt; 1] = [('g', "group", Must)];

/// libcgroup's statuses: wrong usage; the controller is not mounted; another error, which errno tells.
const WRONG: u8 = 255;
const NOT_MOUNTED: u8 = 84;
const OTHER: u8 = 96;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) if !parsed.options.is_empty() && parsed.words.is_empty() => parsed,
        Ok(_) => return complain("cgcreate", USAGE, WRONG),
        Err(what) => return misused("cgcreate", args, &what, USAGE, WRONG),
    };
    let hierarchies = Hierarchies::read();
    for text in parsed.options.iter().filter_map(|(_, value)| value.as_deref()) {
        let Some(name) = groups::parse(text) else { return complain("cgcreate", &format!("{text}: {USAGE}"), WRONG) };
        let found = match hierarchies.groups(&name) {
            Ok(found) => found,
            Err(why) => return complain("cgcreate", &format!("can't create cgroup {}: {why}", name.path), NOT_MOUNTED),
        };
        // A hierarchy is a tree of directories of its own, so the group is made once in each of them.
        for group in &found {
            if let Err(status) = make(group) {
                return status;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Makes the group and those above it, from the top down.
fn make(group: &Group) -> Result<(), ExitCode> {
    let below = group.dir.strip_prefix(&group.top).unwrap_or(Path::new(""));
    let mut dir = group.top.clone();
    for part in below.components() {
        if group.version == 2 {
            delegate(&dir, &group.controllers)?;
        }
        let above: PathBuf = dir.clone();
        dir.push(part);
        // mkdir(2) is all it takes: the kernel fills the directory with control files, and rmdir(2) removes them again.
        match fs::create_dir(&dir) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => {
                let errno = of(&error);
                let hint = errno_causes::help("make group", errno, &[]);
                return Err(failed("cgcreate", &format!("mkdir {}", dir.display()), errno, hint.as_deref(), OTHER));
            }
        }
        if group.version == 1 && group.controllers.iter().any(|controller| controller == "cpuset") {
            // A new group of this controller has no CPU and no memory, and no process could join it (ENOSPC).
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let value = text::read(above.join(file)).unwrap_or_default();
                let _ = groups::write(&dir.join(file), value.trim());
            }
        }
    }
    Ok(())
}

/// In version 2 a group has only the controllers that the group above it hands down, one level at a time.
fn delegate(dir: &Path, controllers: &[String]) -> Result<(), ExitCode> {
    let file = dir.join(SUBTREE_CONTROL);
    let handed: Vec<String> = listed(&file).collect();
    for controller in controllers.iter().filter(|name| *name != "cpuacct" && !handed.contains(name)) {
        if let Err(errno) = groups::write(&file, &format!("+{controller}")) {
            let members = members(dir).join(say(", ", "、"));
            let values: [(&str, &dyn Display); 3] =
                [("dir", &dir.display()), ("members", &members), ("controller", controller)];
            let hint = errno_causes::help_with(SUBTREE_CONTROL, errno, &[], &values);
            return Err(failed(
                "cgcreate",
                &format!("write +{controller} to {}", file.display()),
                errno,
                hint.as_deref(),
                OTHER,
            ));
        }
        note(controller, dir);
    }
    Ok(())
}

/// Tells the session, if there is one. Where that fails the controller merely stays handed down.
fn note(controller: &str, dir: &Path) {
    let Some(run) = std::env::var_os("BOXWRIGHT_RUN") else { return };
    let file = fs::OpenOptions::new().create(true).append(true).open(Path::new(&run).join(groups::HANDED_DOWN));
    let _ = file.and_then(|mut file| file.write_all(format!("{controller} {}\n", dir.display()).as_bytes()));
}
