//! The file system below a path: where it is mounted, with which flags, and how much room is left (statvfs(3)).

use super::mountinfo;
use super::text;
use crate::columns::bytes;
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::{
        stat::Mode,
        statfs::{OVERLAYFS_SUPER_MAGIC, fstatfs},
        statvfs::{FsFlags, fstatvfs},
    },
};
use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::{Path, PathBuf},
};

/// File systems whose directories the kernel refuses as the `upperdir` of an overlay: overlays themselves, and those whose
/// names may change elsewhere or that do not tell upper from lower case (Documentation/filesystems/overlayfs.rst). All
/// of FUSE belongs to them, under names such as `fuse.sshfs`.
const NO_UPPER: [&str; 14] = [
    "overlay", "aufs", "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse", "fuseblk", "vfat", "exfat", "msdos",
    "ecryptfs",
];

/// What is known of the file system below a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSystem {
    /// Its type, such as `tmpfs`; empty where the mount is not in our mount table.
    pub kind: String,
    /// Where it is mounted.
    pub point: PathBuf,
    /// The flags of the mount by their names, such as `rw,nosuid,nodev`.
    pub options: String,
    /// Nothing on it can be executed.
    pub noexec: bool,
    /// Its device nodes cannot be opened.
    pub nodev: bool,
    /// Nothing can be written.
    pub read_only: bool,
    /// Bytes in all; 0 where there is no limit.
    pub size: u64,
    /// Bytes that an ordinary user can still write.
    pub free: u64,
    /// Files in all; 0 where there is no limit.
    pub files: u64,
    /// Files that an ordinary user can still make.
    pub files_free: u64,
}

impl FileSystem {
    /// Looks at the file system that holds this path.
    ///
    /// Errors: those of open(2) and statvfs(3).
    pub(crate) fn of(path: &Path) -> nix::Result<FileSystem> {
        // A descriptor of this kind needs no right to read, and starts nothing that would wait at the other end.
        let file = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
        FileSystem::of_file(file.as_fd())
    }

    /// The same for what is open.
    pub(crate) fn of_file(file: BorrowedFd<'_>) -> nix::Result<FileSystem> {
        let numbers = fstatvfs(file)?;
        // The number of the mount is the only thing that tells two mounts on one place, or of one device, apart.
        let info = text::read(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap_or_default();
        let (mut kind, point, options) = text::field(&info, "mnt_id").and_then(mount).unwrap_or_default();
        if kind.is_empty() && fstatfs(file)?.filesystem_type() == OVERLAYFS_SUPER_MAGIC {
            kind = "overlay".into();
        }
        let flags = numbers.flags();
        // The numbers are of another width on other machines.
        #[allow(clippy::useless_conversion, reason = "the width depends on the machine")]
        let number = |count| u64::from(count);
        let unit = number(numbers.fragment_size()).max(1);
        Ok(FileSystem {
            kind,
            point,
            options,
            noexec: flags.contains(FsFlags::ST_NOEXEC),
            nodev: flags.contains(FsFlags::ST_NODEV),
            read_only: flags.contains(FsFlags::ST_RDONLY),
            size: number(numbers.blocks()).saturating_mul(unit),
            free: number(numbers.blocks_available()).saturating_mul(unit),
            files: number(numbers.files()),
            files_free: number(numbers.files_available()),
        })
    }

    /// The file system that holds this path or, where that does not exist, the nearest directory above it that does.
    pub(crate) fn nearest(path: &Path) -> nix::Result<FileSystem> {
        let here = (!path.is_absolute()).then_some(Path::new("."));
        let ancestors = path.ancestors().filter(|above| !above.as_os_str().is_empty()).chain(here);
        let mut last = Errno::ENOENT;
        for above in ancestors {
            match FileSystem::of(above) {
                Err(errno @ (Errno::ENOENT | Errno::ENOTDIR)) => last = errno,
                known => return known,
            }
        }
        Err(last)
    }

    /// Whether a directory on it can be the `upperdir` of an overlay, as far as its type tells.
    pub(crate) fn holds_upper(&self) -> bool {
        !NO_UPPER.contains(&self.kind.as_str()) && !self.kind.starts_with("fuse.")
    }

    /// Bytes that can still be written; `u64::MAX` where there is no limit.
    pub(crate) fn room(&self) -> u64 {
        if self.size == 0 { u64::MAX } else { self.free }
    }

    /// Where and what it is: `/run (tmpfs)`.
    pub(crate) fn name(&self) -> String {
        match self.kind.as_str() {
            "" => self.point.display().to_string(),
            kind => format!("{} ({kind})", self.point.display()),
        }
    }

    /// Why nothing more fits: its name, its size, and what is left: `/run (tmpfs): 0 B free of 97.0 MiB`.
    pub(crate) fn fullness(&self) -> String {
        // A file system can also run out of files, and that with bytes to spare.
        if self.files > 0 && self.files_free == 0 {
            return format!(
                "{}: no file free of {}, {} free of {}",
                self.name(),
                self.files,
                bytes(self.free),
                bytes(self.size)
            );
        }
        format!("{}: {} free of {}", self.name(), bytes(self.free), bytes(self.size))
    }
}

/// The mount of this number: its file system type, its point, its flags.
fn mount(id: &str) -> Option<(String, PathBuf, String)> {
    let table = text::read("/proc/self/mountinfo").ok()?;
    let line = table.lines().find(|line| line.split(' ').next() == Some(id))?;
    let mount = mountinfo::parse(line).pop()?;
    Some((mount.kind, mount.point.into(), line.split(' ').nth(5)?.into()))
}

/// What to say where a write to this path failed for want of room (ENOSPC, EDQUOT): which file system that is, and what is
/// left of it. `None` for any other error.
pub(crate) fn full(errno: Errno, path: &Path) -> Option<String> {
    let full = matches!(errno, Errno::ENOSPC | Errno::EDQUOT);
    full.then(|| FileSystem::nearest(path).ok().map(|system| system.fullness())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_below_a_path_is_found_by_its_number() {
        let proc = FileSystem::of(Path::new("/proc/self/status")).unwrap();
        assert_eq!((proc.kind.as_str(), proc.point.as_path()), ("proc", Path::new("/proc")));
        let dir = tempfile::tempdir().unwrap();
        let known = FileSystem::of(dir.path()).unwrap();
        assert!(known.point.is_absolute() && dir.path().canonicalize().unwrap().starts_with(&known.point));
        assert!(!known.kind.is_empty() && known.options.starts_with("rw"), "{known:?}");
        assert!(known.size >= known.free, "{known:?}");
        assert_eq!(FileSystem::nearest(&dir.path().join("not/there")).unwrap().point, known.point);
        assert_eq!(FileSystem::of(&dir.path().join("not/there")), Err(Errno::ENOENT));
        assert!(FileSystem::nearest(Path::new("not-there")).is_ok(), "a relative path begins here");
    }

    #[test]
    fn a_full_file_system_says_what_is_full() {
        let mib = 1 << 20;
        let run = FileSystem { kind: "tmpfs".into(), point: "/run".into(), size: 97 * mib, ..FileSystem::default() };
        assert_eq!(run.fullness(), "/run (tmpfs): 0 B free of 97.0 MiB");
        let files = FileSystem { files: 100, free: mib, ..run };
        assert_eq!(files.fullness(), "/run (tmpfs): no file free of 100, 1.0 MiB free of 97.0 MiB");
        assert_eq!(full(Errno::EACCES, Path::new("/")), None);
        assert!(full(Errno::ENOSPC, Path::new("/proc/x")).unwrap().starts_with("/proc (proc): "));
    }

    #[test]
    fn without_a_limit_there_is_room() {
        let of = |size, free| FileSystem { size, free, ..FileSystem::default() }.room();
        assert_eq!((of(9, 4), of(9, 0), of(0, 0)), (4, 0, u64::MAX));
        // To ask about a pipe does not wait for its other end.
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&dir.path().join("pipe"), Mode::S_IRUSR).unwrap();
        assert!(FileSystem::of(&dir.path().join("pipe")).is_ok());
    }

    #[test]
    fn an_overlay_cannot_stand_on_another_one() {
        let of = |kind: &str| FileSystem { kind: kind.into(), ..FileSystem::default() }.holds_upper();
        assert!(of("ext4") && of("tmpfs") && of("btrfs") && of(""));
        assert!(!of("overlay") && !of("nfs4") && !of("fuse.sshfs"));
    }
}
