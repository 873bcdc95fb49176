//! Mounted file systems that do not answer. A process that asks them waits for ever, and so would this program.

use super::{Level, Row};
use crate::{
    dirs,
    kernel::silent::{self, Silent},
    lang::Lang,
};
use nix::unistd::{Uid, geteuid};
use std::path::{Path, PathBuf};

/// Where every session looks, besides its own directories.
const NEEDED: [&str; 14] = [
    "/proc/self",
    "/proc/cgroups",
    "/proc/filesystems",
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/yama/ptrace_scope",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sysvipc/msg",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/pts/ptmx",
    "/usr/bin",
    "/etc/passwd",
    "/tmp",
    "/var/tmp",
];

/// One row for each mount that is silent.
pub(super) fn rows(lang: Lang) -> Vec<Row> {
    let silent = silent::mounts(|_| true);
    if silent.is_empty() {
        return Vec::new();
    }
    let needed = needed();
    silent.iter().map(|silent| row(silent, is_needed(&silent.point, &needed), lang)).collect()
}

/// The first silent mount that lets no lesson begin.
pub(super) fn bar(lang: Lang) -> Option<Row> {
    let needed = needed();
    let silent = silent::mounts(|point| is_needed(point, &needed));
    silent.first().map(|silent| row(silent, true, lang))
}

fn row(silent: &Silent, needed: bool, lang: Lang) -> Row {
    let check = lang.pick("mounts that answer", "挂载有响应");
    let point = silent.point.display();
    let kind = if silent.kind.is_empty() { String::new() } else { format!(" ({})", silent.kind) };
    let found = lang.pick(
        format!("{point}{kind} does not answer: what it holds is unknown"),
        format!("{point}{kind} 没有响应：里面的内容未知"),
    );
    let remedy = lang.pick(
        format!("start its program or server again, or: umount -l {point}"),
        format!("重新启动它背后的程序或服务器，或者：umount -l {point}"),
    );
    let level = if needed { Level::Missing } else { Level::Limited };
    let row = Row::bad(level, check, found, remedy);
    if needed { row.barring() } else { row }
}

/// The places that a session needs. None of them is asked anything.
fn needed() -> Vec<PathBuf> {
    let user = geteuid();
    let variables = ["HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"];
    let homes = [user, Uid::from_raw(0)].into_iter().filter_map(dirs::home_of);
    let runtime = PathBuf::from(format!("/run/user/{user}"));
    NEEDED
        .iter()
        .map(PathBuf::from)
        .chain(variables.iter().filter_map(std::env::var_os).map(PathBuf::from))
        .chain(homes)
        .chain(["/run", "/var/lib"].map(PathBuf::from))
        .chain([runtime])
        .collect()
}

/// Whether a mount covers one of these places, or stands where hierarchies of control groups are.
fn is_needed(point: &Path, needed: &[PathBuf]) -> bool {
    needed.iter().any(|place| place.starts_with(point)) || point.starts_with("/sys/fs/cgroup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_needed_where_it_covers_what_sessions_use() {
        let needed = [PathBuf::from("/proc/self"), PathBuf::from("/home/learner")];
        for point in ["/", "/proc", "/proc/self", "/home", "/home/learner", "/sys/fs/cgroup/cpu"] {
            assert!(is_needed(Path::new(point), &needed), "{point}");
        }
        for point in ["/proc/timer_list", "/home/other", "/mnt", "/home/learner/share"] {
            assert!(!is_needed(Path::new(point), &needed), "{point}");
        }
    }
}
