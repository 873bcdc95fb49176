//! mount(8): mount a file system, bind a directory, change propagation.
//!
//! The list of all mounts is read by hand: procfs gives the options in another order each time, and leaves `\040` in names.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse_bytes,
    },
    complain, failed,
    other::{hand_on, misused},
    print,
};
use crate::kernel::rights;
use crate::kernel::text;
use crate::kernel::{
    errno_causes::{self, Fact},
    filesystem::FileSystem,
    mountinfo::unescape,
    mounts::{self, OPTIONS, PROPAGATION},
};
use crate::lang::say;
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt, fs::FileTypeExt},
    path::Path,
    process::ExitCode,
};

/// mount(8): the call failed.
const FAILED: u8 = 32;

const ARGS: [Opt; 17] = [
    ('t', "types", Must),
    ('o', "options", Must),
    ('B', "bind", No),
    ('R', "rbind", No),
    ('M', "move", No),
    ('r', "read-only", No),
    ('w', "rw", No),
    ('n', "no-mtab", No),
    ('v', "verbose", No),
    ('\0', "make-shared", No),
    ('\0', "make-slave", No),
    ('\0', "make-private", No),
    ('\0', "make-unbindable", No),
    ('\0', "make-rshared", No),
    ('\0', "make-rslave", No),
    ('\0', "make-rprivate", No),
    ('\0', "make-runbindable", No),
];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse_bytes(args, &ARGS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("mount", args, &what, "Try 'man mount' for more information.", 1),
    };
    if parsed.words.is_empty() {
        return list(parsed.text("types").as_deref());
    }
    let (mut flags, mut data) = (MsFlags::empty(), Vec::new());
    // A remount replaces all flags of the mount, so those that it has are where we begin: without them a read-only
    // remount would also make it suid again.
    let words = || {
        let lists = parsed.options.iter().filter(|(name, _)| *name == "options").filter_map(|(_, list)| list.as_ref());
        lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).filter(|word| !word.is_empty())
    };
    let target = parsed.words.last().map(Path::new).filter(|_| words().any(|word| word == b"remount"));
    let remounted = target.and_then(mounts::at);
    for word in remounted.iter().flat_map(|(_, options)| options.split(',')) {
        OPTIONS.iter().filter(|(name, ..)| *name == word).for_each(|(_, bits, on)| flags.set(*bits, *on));
    }
    for word in words() {
        match OPTIONS.iter().find(|(name, ..)| name.as_bytes() == word) {
            Some((_, bits, on)) => flags.set(*bits, *on),
            // What mount(2) has no flag for is the file system's own business, such as size=10m of tmpfs.
            None => data.push(word),
        }
    }
    for (name, bits) in [
        ("read-only", MsFlags::MS_RDONLY),
        ("bind", MsFlags::MS_BIND),
        ("rbind", MsFlags::MS_BIND | MsFlags::MS_REC),
        ("move", MsFlags::MS_MOVE),
    ] {
        flags.insert(if parsed.has(name) { bits } else { MsFlags::empty() });
    }
    let made = |(name, kind): &(&str, MsFlags)| match () {
        () if parsed.has(&format!("make-r{name}")) => Some(*kind | MsFlags::MS_REC),
        () if parsed.has(&format!("make-{name}")) => Some(*kind),
        () => None,
    };
    let propagation = PROPAGATION.iter().find_map(made);
    let (source, target) = match parsed.words.as_slice() {
        [target] if propagation.is_some() || flags.contains(MsFlags::MS_REMOUNT) => {
            (remounted.as_ref().map_or("none", |(source, _)| source).as_ref(), Path::new(target))
        }
        [source, target] => (Path::new(source), Path::new(target)),
        [word] if in_fstab(word) => {
            let known = hand_on("mount", args, "/etc/fstab is not for me");
            return known.unwrap_or_else(|| complain("mount", &format!("{}: in /etc/fstab", word.display()), 1));
        }
        [word] => {
            return complain(
                "mount",
                &format!(
                    "{}: can't find in /etc/fstab.\n  {}",
                    word.display(),
                    say("it takes a source and a directory", "需要来源和目录两个参数")
                ),
                1,
            );
        }
        _ => return complain("mount", "bad usage\nTry 'man mount' for more information.", 1),
    };
    let kind = parsed.text("types");
    let kind = kind.as_deref();
    let moves = flags.intersects(MsFlags::MS_BIND | MsFlags::MS_MOVE | MsFlags::MS_REMOUNT);
    // Image files and disks: finding out what is on them, and making a loop device, is another program's business.
    let device = fs::metadata(source).is_ok_and(|source| source.is_file() || source.file_type().is_block_device());
    let unlike_ours = data.contains(&&b"loop"[..]) || (kind.is_none() && !moves && propagation.is_none() && device);
    if let Some(status) = unlike_ours.then(|| hand_on("mount", args, "images and disks are not for me")).flatten() {
        return status;
    }
    if kind.is_none() && !moves && propagation.is_none() {
        return complain(
            "mount",
            &format!(
                "{}: unknown file system type\n  {}mount -t tmpfs …",
                source.display(),
                say("say which with -t: ", "用 -t 指定类型：")
            ),
            1,
        );
    }
    if propagation.is_none() || parsed.words.len() == 2 {
        let data = (!data.is_empty()).then(|| data.join(&b','));
        // One call does all of it: which file system, from what, where, how. It counts for this mount namespace, and for
        // those that the parent mount is shared with.
        let mut result = mount(Some(source), target, kind, flags, data.as_deref());
        // A bind mount takes its flags from its source; only a second call can make it read-only.
        let changes = flags & (MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC);
        if result.is_ok()
            && flags.contains(MsFlags::MS_BIND)
            && !flags.contains(MsFlags::MS_REMOUNT)
            && !changes.is_empty()
        {
            let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | changes;
            result = mount(None::<&str>, target, None::<&str>, again, None::<&str>);
        }
        if let Err(errno) = result {
            let overlay =
                (errno == Errno::EINVAL && kind == Some("overlay")).then(|| overlay_hint(data.as_deref())).flatten();
            let hint = overlay.or_else(|| why(errno, source, target, kind));
            return failed("mount", &target.display().to_string(), errno, hint.as_deref(), FAILED);
        }
    }
    if let Some(kind) = propagation
        // A call of its own, as mount(2) wants it: it changes no file system, only with whom the mount is shared.
        && let Err(errno) = mount(Some("none"), target, None::<&str>, kind, None::<&str>)
    {
        return failed(
            "mount",
            &target.display().to_string(),
            errno,
            why(errno, source, target, None).as_deref(),
            FAILED,
        );
    }
    ExitCode::SUCCESS
}

/// Whether a line of fstab(5) names this device or directory.
fn in_fstab(word: &OsStr) -> bool {
    let table = text::read("/etc/fstab").unwrap_or_default();
    let mut lines = table.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.any(|line| line.split_whitespace().take(2).any(|field| OsStr::new(&unescape(field)) == word))
}

/// The bit of CAP_SYS_ADMIN, with which file systems are mounted.
const SYS_ADMIN: u32 = 21;

fn why(errno: Errno, source: &Path, target: &Path, kind: Option<&str>) -> Option<String> {
    let missing = |path| fs::symlink_metadata(path).is_err();
    let facts = [
        (Fact::Proc, kind == Some("proc")),
        (Fact::Sysfs, kind == Some("sysfs") && rights::effective() & 1 << SYS_ADMIN != 0),
        (Fact::NoTarget, missing(target)),
        (Fact::NoSource, missing(source)),
        (Fact::Again, kind.is_none()),
    ];
    errno_causes::help("mount", errno, &errno_causes::true_ones(facts))
}

/// The kernel says EINVAL for whatever is wrong with an overlay, and the cause to its log alone. Where a directory stands on
/// a file system that cannot hold the changes, that is the cause.
fn overlay_hint(data: Option<&[u8]>) -> Option<String> {
    let value = |name: &[u8]| {
        let mut words = data?.split(|byte| *byte == b',');
        words.find_map(|word| word.strip_prefix(name)).map(|path| Path::new(OsStr::from_bytes(path)))
    };
    let (upper, work) = (value(b"upperdir=")?, value(b"workdir="));
    let system = FileSystem::of(upper).ok()?;
    let name = upper.display();
    if !system.holds_upper() {
        let what = match system.kind.as_str() {
            "overlay" => say(
                format!("upperdir={name} is on an overlay itself, mounted on {}", system.point.display()),
                format!("upperdir={name} 本身就在 overlay 上（挂载点 {}）", system.point.display()),
            ),
            kind => say(
                format!("upperdir={name} is on {kind}, mounted on {}", system.point.display()),
                format!("upperdir={name} 在 {kind} 上（挂载点 {}）", system.point.display()),
            ),
        };
        return Some(say(
            format!("{what}; it must be on another file system: mount -t tmpfs tmpfs DIR"),
            format!("{what}；必须换到别的文件系统：mount -t tmpfs tmpfs 目录"),
        ));
    }
    let work = FileSystem::of(work?).ok()?;
    (work.point != system.point).then(|| {
        say(
            "upperdir and workdir must be on one file system, in one mount",
            "upperdir 和 workdir 必须在同一个文件系统的同一个挂载里",
        )
        .into()
    })
}

/// Every mount that this process sees, as `SOURCE on POINT type TYPE (OPTIONS)`.
fn list(kind: Option<&str>) -> ExitCode {
    let table = match text::read("/proc/self/mounts") {
        Ok(table) => table,
        Err(error) => {
            return complain("mount", &format!("/proc/self/mounts: {}", crate::kernel::errno::why_io(&error)), 1);
        }
    };
    let line = |line: &str| {
        let fields: Vec<String> = line.split(' ').map(|field| text::printable(&unescape(field))).collect();
        let [source, point, known, options, ..] = fields.as_slice() else { return None };
        kind.is_none_or(|kind| kind == known).then(|| format!("{source} on {point} type {known} ({options})\n"))
    };
    print(&table.lines().filter_map(line).collect::<String>())
}
