//! pivot_root(8): swap the root mount of a mount namespace.

use super::{args::parse_bytes, complain, failed};
use crate::kernel::{
    causes,
    mountinfo::{self, Mount},
};
use crate::lang::say;
use nix::{errno::Errno, unistd::pivot_root};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let words = parse_bytes(args, &[], false).map(|parsed| parsed.words).unwrap_or_default();
    let [new, put_old] = words.as_slice() else {
        return complain("pivot_root", "bad usage\n  pivot_root NEW_ROOT PUT_OLD", 1);
    };
    // One call: the mount NEW_ROOT becomes `/` of this mount namespace, and the old root mount is attached at PUT_OLD.
    // Unlike chroot(2) it moves mounts, so the old root can then be unmounted and is gone for good. Processes whose
    // root and working directory were the old ones are moved along by the kernel, our shell among them.
    let (new, put_old) = (Path::new(new), Path::new(put_old));
    let Err(errno) = pivot_root(new, put_old) else { return ExitCode::SUCCESS };
    let what = format!("failed to change root from `{}' to `{}'", new.display(), put_old.display());
    failed("pivot_root", &what, errno, why(errno, new, put_old).as_deref(), 1)
}

/// What pivot_root(2) leaves unsaid: its two errors have many causes, and this asks for each in the kernel's own order.
fn why(errno: Errno, new: &Path, put_old: &Path) -> Option<String> {
    match errno {
        Errno::EPERM => return causes::help("pivot_root", errno, &[]),
        Errno::ENOENT => {
            let missing = [new, put_old].into_iter().find(|dir| !dir.exists())?.display();
            return Some(say(
                format!("{missing} does not exist: mkdir {missing}"),
                format!("{missing} 不存在：mkdir {missing}"),
            ));
        }
        Errno::ENOTDIR => {
            let file = [new, put_old].into_iter().find(|dir| !dir.is_dir())?.display();
            return Some(say(format!("{file} is not a directory"), format!("{file} 不是目录")));
        }
        Errno::EINVAL | Errno::EBUSY => {}
        _ => return None,
    }
    diagnose(&mountinfo::own(), &fs::canonicalize(new).ok()?, &fs::canonicalize(put_old).ok()?)
}

/// Both directories as they are seen from the root that `table` is about.
fn diagnose(table: &[Mount], new: &Path, put_old: &Path) -> Option<String> {
    let (show, bind) = (new.display(), format!("mount --bind {0} {0}", new.display()));
    let Some(root) = at(table, Path::new("/")) else {
        let what = say(
            "the current root is not a mount point, as after chroot: this works only from a root mount",
            "当前的根不是挂载点（例如 chroot 之后）：只有根是挂载点时才能这样做",
        );
        return Some(what.into());
    };
    let (new_mount, old_mount) = (holding(table, new)?, holding(table, put_old)?);
    let parent = |mount: &Mount| table.iter().find(|other| other.id == mount.parent);
    // A shared mount would pass the change on to other mount namespaces, whose roots would then move as well.
    let shared = [
        (
            say(format!("the mount that {} is on", put_old.display()), format!("{} 所在的挂载", put_old.display())),
            Some(old_mount),
        ),
        (say(format!("the parent mount of {show}"), format!("{show} 的父挂载")), parent(new_mount)),
        (say("the parent mount of the current root", "当前根的父挂载").into(), parent(root)),
    ];
    if let Some((what, mount)) = shared.iter().find_map(|(what, mount)| Some((what, mount.filter(|m| m.is_shared())?)))
    {
        let point = &mount.point;
        return Some(say(
            format!("{what} ({point}) is shared with other mount namespaces: mount --make-rprivate /"),
            format!("{what}（{point}）与其他挂载命名空间共享：mount --make-rprivate /"),
        ));
    }
    if new_mount.id == root.id {
        return Some(say(
            format!("{show} is on the current root mount, and must be a separate mount: {bind}"),
            format!("{show} 就在当前的根挂载上，它必须是单独的挂载点：{bind}"),
        ));
    }
    if old_mount.id == root.id {
        let put_old = put_old.display();
        return Some(say(
            format!("{put_old} is on the current root mount; the old root must go to a directory at or below {show}"),
            format!("{put_old} 在当前的根挂载上；旧的根只能放到 {show} 或它下面的目录"),
        ));
    }
    if root.kind == "rootfs" || root.parent == root.id {
        let what = say(
            "the current root is the kernel's first file system (initramfs), which cannot be moved: switch_root",
            "当前的根是内核最初的文件系统（initramfs），不能移动：switch_root",
        );
        return Some(what.into());
    }
    if Path::new(&new_mount.point) != new {
        return Some(say(format!("{show} is not a mount point: {bind}"), format!("{show} 不是挂载点：{bind}")));
    }
    if !put_old.starts_with(new) {
        let put_old = put_old.display();
        return Some(say(
            format!("{put_old} is not at or below {show}, where the old root must go"),
            format!("{put_old} 不在 {show} 或它下面，而旧的根必须放到那里"),
        ));
    }
    None
}

/// The mount that is seen at exactly this place: the newest one covers the others.
fn at<'a>(table: &'a [Mount], point: &Path) -> Option<&'a Mount> {
    table.iter().rev().find(|mount| Path::new(&mount.point) == point)
}

/// The mount that a directory is on.
fn holding<'a>(table: &'a [Mount], dir: &Path) -> Option<&'a Mount> {
    dir.ancestors().map(PathBuf::from).find_map(|point| at(table, &point))
}

#[cfg(test)]
#[path = "pivot_root_tests.rs"]
mod tests;
