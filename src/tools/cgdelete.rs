//! cgdelete(1): remove control groups.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed,
    other::misused,
};
use crate::kernel::{
    errno::of,
    errno_causes::{self, Fact},
    groups::{self, Hierarchies, children, members},
};
use crate::lang::say;
use nix::errno::Errno;
use std::{ffi::OsString, fmt::Display, fs, path::Path, process::ExitCode};

const USAGE: &str = "usage: cgdelete [-r] [-g] CONTROLLER[,CONTROLLER…]:PATH …";
const OPTIONS: [Opt; 2] = [('g', "group", Must), ('r', "recursive", No)];

/// libcgroup's statuses: wrong usage; the controller is not mounted; another error, which errno tells.
const WRONG: u8 = 255;
const NOT_MOUNTED: u8 = 84;
const OTHER: u8 = 96;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("cgdelete", args, &what, USAGE, WRONG),
    };
    let hierarchies = Hierarchies::read();
    let mut status = ExitCode::SUCCESS;
    let given = parsed.options.iter().filter_map(|(_, value)| value.as_ref());
    for text in given.chain(&parsed.words) {
        let Some(name) = groups::parse(text).filter(|name| !name.path.is_empty()) else {
            return complain("cgdelete", &format!("{text}: {USAGE}"), WRONG);
        };
        let found = match hierarchies.groups(&name) {
            Ok(found) => found,
            Err(why) => {
                return complain("cgdelete", &format!("cannot remove group '{}': {why}", name.path), NOT_MOUNTED);
            }
        };
        // The group is a directory in each hierarchy, and goes from each; one that stays is not a reason to keep the rest.
        for group in &found {
            status = remove(&group.dir, parsed.has("recursive")).err().unwrap_or(status);
        }
    }
    status
}

/// Removes a group; with `below` first those below it, because only an empty one can go.
fn remove(dir: &Path, below: bool) -> Result<(), ExitCode> {
    if below {
        children(dir).iter().try_for_each(|child| remove(child, true))?;
    }
    // rmdir(2) alone: the control files are no files that could be removed, and they do not keep the directory.
    fs::remove_dir(dir).map_err(|error| {
        let errno = of(&error);
        failed("cgdelete", &format!("cannot remove {}", dir.display()), errno, why(errno, dir).as_deref(), OTHER)
    })
}

fn why(errno: Errno, dir: &Path) -> Option<String> {
    let (members, below) = (members(dir), children(dir).into_iter().next().unwrap_or_default());
    let facts = [(Fact::Members, !members.is_empty()), (Fact::GroupBelow, !below.as_os_str().is_empty())];
    let members = members.join(say(", ", "、"));
    let values: [(&str, &dyn Display); 2] = [("members", &members), ("below", &below.display())];
    errno_causes::help_with("remove group", errno, &errno_causes::true_ones(facts), &values)
}
