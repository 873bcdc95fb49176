//! The facts of a machine that decide which remedy helps.

use super::{
    container::{Container, Signs},
    lacking::in_chroot,
};
use crate::kernel::{
    mountinfo::{self, Mount},
    program, rights, text,
};
use nix::unistd::{User, geteuid};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Whose rights this program has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Who {
    /// Root of the machine: of the first user namespace.
    Root,
    /// Root of a user namespace only.
    RootWithin,
    /// Any other user.
    #[default]
    User,
}

/// Whether systemd's manager of this user can be asked for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manager {
    /// It can.
    Here,
    /// It runs, but the environment does not name its socket, as after su(1).
    Unnamed,
    /// The user has none: there was no login.
    #[default]
    None,
}

/// What is known. Tests make it by hand, one for each kind of machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub who: Who,
    /// The user's ID and name.
    pub uid: u32,
    pub user: String,
    /// The effective capabilities, one bit each.
    pub capabilities: u64,
    /// `Seccomp` and `NoNewPrivs` of `/proc/self/status`.
    pub seccomp: u32,
    pub no_new_privs: bool,
    /// The kernel's release.
    pub release: String,
    pub container: Option<Container>,
    /// Whether systemd is init (sd_booted(3)), and the user's own manager.
    pub systemd: bool,
    pub manager: Manager,
    /// The program that makes this user root, such as sudo(8).
    pub way: Option<PathBuf>,
    /// This program's own path, as it is typed.
    pub program: String,
    /// The values of [`SYSCTLS`] that this kernel has.
    pub sysctls: BTreeMap<&'static str, String>,
    /// The mount points below `/proc`.
    pub covered: Vec<String>,
    /// Whether `/` is not the root of this mount namespace. It is tried in a process of its own, where a remedy asks.
    pub chroot: Asked,
}

/// What is found out only where it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(pub fn() -> bool);

impl Default for Asked {
    fn default() -> Asked {
        Asked(|| false)
    }
}

/// Switches that keep users from namespaces, or that limit their number. One that is absent is never proposed.
const SYSCTLS: [&str; 11] = [
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.yama.ptrace_scope",
    "user.max_user_namespaces",
    "user.max_cgroup_namespaces",
    "user.max_ipc_namespaces",
    "user.max_uts_namespaces",
    "user.max_net_namespaces",
    "user.max_pid_namespaces",
    "user.max_mnt_namespaces",
    "user.max_time_namespaces",
];

fn sysctl(name: &str) -> Option<String> {
    let value = text::read(Path::new("/proc/sys").join(name.replace('.', "/"))).ok()?;
    Some(value.trim().to_string())
}

/// The kernel's release, such as `6.1.0-18-amd64`.
pub(crate) fn release() -> String {
    sysctl("kernel.osrelease").unwrap_or_default()
}

/// Whether we are root of the first user namespace, which maps every ID to itself (user_namespaces(7)).
fn of_the_machine() -> bool {
    text::read("/proc/self/uid_map").unwrap_or_default().split_whitespace().eq(["0", "0", "4294967295"])
}

impl Facts {
    /// Reads them.
    pub(super) fn read() -> Facts {
        let uid = geteuid();
        let who = match (uid.is_root(), of_the_machine()) {
            (true, true) => Who::Root,
            (true, false) => Who::RootWithin,
            (false, _) => Who::User,
        };
        let status = rights::status();
        Facts {
            who,
            uid: uid.as_raw(),
            user: User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name),
            capabilities: rights::effective(),
            seccomp: status.as_ref().and_then(|status| status.seccomp).unwrap_or(0),
            no_new_privs: status.and_then(|status| status.nonewprivs) == Some(1),
            release: release(),
            container: Signs::read().container(),
            systemd: Path::new("/run/systemd/system").is_dir(),
            manager: manager(std::env::var("XDG_RUNTIME_DIR").ok().as_deref(), uid.as_raw(), |path| path.exists()),
            way: program::way(),
            program: program::path(),
            sysctls: SYSCTLS.iter().filter_map(|name| Some((*name, sysctl(name)?))).collect(),
            covered: covered(&mountinfo::own()),
            chroot: Asked(in_chroot),
        }
    }

    /// Whether this program is root of anything.
    pub(super) fn is_root(&self) -> bool {
        self.who != Who::User
    }

    /// A switch's value, where this kernel has it.
    pub(super) fn sysctl(&self, name: &str) -> Option<&str> {
        self.sysctls.get(name).map(String::as_str)
    }

    /// WSL 1 translates Linux calls and has no namespaces; WSL 2 is a real kernel (`…-microsoft-standard-WSL2`).
    pub(super) fn wsl1(&self) -> bool {
        self.release.ends_with("-Microsoft")
    }
}

/// Where `systemd-run --user` finds the manager: the sockets below `$XDG_RUNTIME_DIR`, which pam_systemd(8) makes.
fn manager(runtime: Option<&str>, uid: u32, exists: impl Fn(&Path) -> bool) -> Manager {
    let has = |dir: &str| ["systemd/private", "bus"].iter().any(|socket| exists(&Path::new(dir).join(socket)));
    match runtime {
        Some(dir) if has(dir) => Manager::Here,
        _ if has(&format!("/run/user/{uid}")) => Manager::Unnamed,
        _ => Manager::None,
    }
}

/// The mount points below `/proc`, other than the one that binfmt_misc has by right.
fn covered(mounts: &[Mount]) -> Vec<String> {
    let points = mounts.iter().map(|mount| &mount.point);
    points.filter(|point| point.starts_with("/proc/") && *point != "/proc/sys/fs/binfmt_misc").cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_proc_is_named() {
        let table = "22 27 0:21 / /proc rw - proc proc rw\n\
                     31 22 0:5 /null /proc/timer_list rw - devtmpfs udev rw\n\
                     32 22 0:6 / /proc/sys/fs/binfmt_misc rw - binfmt_misc b rw\n";
        assert_eq!(covered(&mountinfo::parse(table)), ["/proc/timer_list"]);
    }

    #[test]
    fn the_users_manager_is_found_where_pam_systemd_puts_it() {
        let at = |there: &'static str| move |path: &Path| path == Path::new(there);
        assert_eq!(manager(Some("/run/user/7"), 7, at("/run/user/7/systemd/private")), Manager::Here);
        assert_eq!(manager(None, 7, at("/run/user/7/bus")), Manager::Unnamed);
        assert_eq!(manager(Some("/run/user/0"), 7, at("/run/user/7/bus")), Manager::Unnamed, "as plain su leaves it");
        assert_eq!(manager(Some("/run/user/7"), 7, at("/nowhere")), Manager::None);
    }
}
