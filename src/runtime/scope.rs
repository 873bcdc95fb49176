//! A control group of one's own where systemd is init.
//!
//! There the whole tree is systemd's: what another program enables at its top it may disable again, and a unit that was
//! not delegated belongs to it with all that is below (its CGROUP_DELEGATION page). A scope that asks for
//! `Delegate=yes` is given away, with the controllers, and goes with its last process. So this program first becomes
//! itself in such a scope.

use crate::{
    kernel::{
        availability::SCOPE,
        cgroups::{own, place},
    },
    session::fresh_name,
};
use std::{
    env,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

/// Starts again in a scope, with the same arguments and the same PID. Comes back where there is no systemd, no version 2,
/// or no scope to be had: then all goes on in the group where it began.
pub(crate) fn enter() {
    // sd_booted(3).
    if env::var_os(SCOPE).is_some() || !Path::new("/run/systemd/system").is_dir() {
        return;
    }
    let (hierarchies, memberships) = own();
    let version = place(&hierarchies, &memberships, "cpu").map(|place| place.version);
    if version != Some(2) {
        return;
    }
    // What cannot be had is refused here, where it does no harm: execve(2) has no way back.
    let Some((mut trial, _)) = scope() else { return };
    let quiet = trial.arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !quiet.status().is_ok_and(|status| status.success()) {
        return;
    }
    let (Ok(exe), Some((mut command, name))) = (env::current_exe(), scope()) else { return };
    // The error is that systemd-run is gone by now.
    let _ = command.arg(exe).args(env::args_os().skip(1)).env(SCOPE, name).exec();
}

/// systemd-run(1), and the name of the scope. It does not begin as our own groups do, which are made below it.
fn scope() -> Option<(Command, String)> {
    let name = format!("run-{}.scope", fresh_name().ok()?);
    let mut command = Command::new("systemd-run");
    if !nix::unistd::geteuid().is_root() {
        command.arg("--user");
    }
    command
        .args(["--scope", "--quiet", "--collect", "--property=Delegate=yes"])
        .arg(format!("--unit={name}"))
        .arg("--");
    Some((command, name))
}
