//! The guard: would this call change what belongs to the machine itself?
//!
//! Only facts of the kernel decide: the caller's namespaces beside this program's own, its capabilities, where its paths
//! lead, which groups and processes are this session's. Never what the program is called.

use super::{
    Call, Harm,
    calls::{Effect, Guarded},
    effects,
    flags::without_magic,
    following::start,
    memory::Memory,
    mounts::Table,
    objects,
    paths::{ours, reached, resolve},
    signals::Target,
    stop::Stopped,
    stops::Tracing,
    task::{shares, status},
};
use crate::kernel::{namespaces::Kind, pid::Pid, text};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Bits of capabilities (capabilities(7)).
const KILL: u32 = 5;
const SYS_MODULE: u32 = 16;
const SYS_ADMIN: u32 = 21;
const SYS_BOOT: u32 = 22;
const SYS_TIME: u32 = 25;

/// What a guarded command may change although it was there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Directories of control groups that are its own, whether they are there yet or not.
    pub groups: Vec<PathBuf>,
}

/// A directory by its device and inode.
pub(super) type Inode = (u64, u64);

/// Whether a thread has this capability over what belongs to the machine. Without it, the kernel refuses by itself.
pub(super) fn allows(tid: Pid, capability: u32) -> bool {
    status(tid).is_some_and(|status| status.capeff & (1 << capability) != 0) && shares(tid, Kind::User)
}

/// Whether a thread may send signals to this process (kill(2)).
pub(super) fn may_signal(tid: Pid, target: Pid) -> bool {
    let (Some(sender), Some(target)) = (status(tid), status(target)) else { return false };
    let users = [target.ruid, target.suid];
    allows(tid, KILL) || users.contains(&sender.ruid) || users.contains(&sender.euid)
}

/// A directory's identity, by a path of ours.
pub(super) fn inode(path: &Path) -> Option<Inode> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Tracing {
    /// Why this call, which is about to happen, must not without the user's word; `None` where it may.
    pub(super) fn harm(&mut self, stop: &Stopped, memory: Memory<'_>, call: &Call, values: &[u64; 6]) -> Option<Harm> {
        let tid = stop.tid();
        let family = self.families.get(&self.tasks.get(&tid)?.root)?;
        let guard = family.guard.clone().filter(|_| !family.killing)?;
        let machines = |kind, capability| shares(tid, kind) && allows(tid, capability);
        match call.syscall.row().effect {
            Effect::Mounts => self.mounting(tid, call, values),
            Effect::HostName | Effect::Guarded(Guarded::DomainName) => {
                machines(Kind::Uts, SYS_ADMIN).then_some(Harm::HostName)
            }
            Effect::Guarded(Guarded::FileSystem) => self.remounting(tid, call, 1),
            Effect::Guarded(Guarded::Clock) => {
                (sets_clock(stop, call, values) && allows(tid, SYS_TIME)).then_some(Harm::Clock)
            }
            // Another kernel is always the machine's; a reboot ends the caller's PID namespace.
            Effect::Guarded(Guarded::Kernel) => allows(tid, SYS_BOOT).then_some(Harm::Reboot),
            Effect::Guarded(Guarded::Reboot) => machines(Kind::Pid, SYS_BOOT).then_some(Harm::Reboot),
            Effect::Guarded(Guarded::Swap) => allows(tid, SYS_ADMIN).then_some(Harm::Swap),
            Effect::Guarded(Guarded::Modules) => allows(tid, SYS_MODULE).then_some(Harm::Modules),
            Effect::Sends => {
                self.messages_the_machine(tid, memory, call.syscall.name(), values).then_some(Harm::Network)
            }
            Effect::Configures => {
                self.sets_the_machines_network(tid, call.syscall.name(), values).then_some(Harm::Network)
            }
            Effect::Signals => self.signalling(tid, Target::of(stop, call, values)?),
            Effect::Writes(_) if self.messages_the_machine(tid, memory, call.syscall.name(), values) => {
                Some(Harm::Network)
            }
            Effect::Writes(index) => self.writing(stop, values[index] as i32, call, &guard),
            Effect::GroupRemoved(index) | Effect::Renamed(index, _) => {
                let path = self.cgroups.directory(stop, &call.args, index)?;
                (!self.is_own_group(&ours(tid, &path), &guard)).then(|| Harm::Group(path.display().to_string()))
            }
            Effect::ObjectRemoved(made) => {
                let object = objects::removed(tid, call, values, made)?;
                (!self.objects.contains(&object) && shares(tid, Kind::User)).then(|| Harm::Ipc(object.to_string()))
            }
            _ => None,
        }
    }

    fn mounting(&self, tid: Pid, call: &Call, values: &[u64; 6]) -> Option<Harm> {
        let name = call.syscall.name();
        // Of those that configure a file system only fspick(2) leads to one that is there already.
        if name == "fsconfig" {
            return None;
        }
        if name == "mount_setattr" && is_detached(tid, call, values) {
            return None;
        }
        // A copy stands nowhere yet.
        if name == "open_tree_attr" && values[2] & u64::from(libc::OPEN_TREE_CLONE) != 0 {
            return None;
        }
        if shares(tid, Kind::Mnt) {
            return allows(tid, SYS_ADMIN).then_some(Harm::Mounts);
        }
        let (table, machines) = (Table::read(tid)?, Table::read(Pid::own())?);
        let at = |index: usize| -> Option<PathBuf> {
            resolve(tid, &table, start(&call.args, index), call.args.get(index)?.path()?)
        };
        let above = |path: &Path| path.parent().and_then(|parent| table.holding(parent));
        let target = match name {
            "mount" => {
                let flags = without_magic(values[3]);
                if flags & libc::MS_REMOUNT != 0 {
                    let anew = flags & libc::MS_BIND == 0;
                    return anew.then(|| self.remounting(tid, call, 1)).flatten();
                }
                let kinds = libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;
                if flags & kinds != 0 {
                    return None;
                }
                table.holding(&at(1)?)
            }
            "umount2" => {
                let path = at(0)?;
                // What is passed on is what happens on the mount that it stands on.
                table.holding(&path).filter(|mount| Path::new(&mount.point) == path).and_then(|_| above(&path))
            }
            "move_mount" => table.holding(&at(3)?),
            _ => None,
        }?;
        table.passes_on(target, &machines).then(|| Harm::Propagation(target.point.clone()))
    }

    /// Whether options of a file system would change that the machine has mounted as well.
    fn remounting(&self, tid: Pid, call: &Call, index: usize) -> Option<Harm> {
        if !allows(tid, SYS_ADMIN) {
            return None;
        }
        let (table, machines) = (Table::read(tid)?, Table::read(Pid::own())?);
        let path = resolve(tid, &table, start(&call.args, index), call.args.get(index)?.path()?)?;
        let mount = table.holding(&path)?;
        table.shares(mount, &machines).then(|| Harm::FileSystem(mount.point.clone()))
    }

    /// A control file of a group that is not this session's, or a process that is not.
    fn writing(&mut self, stop: &Stopped, fd: i32, call: &Call, guard: &Guard) -> Option<Harm> {
        let tid = stop.tid();
        let file = super::following::control_group_file(stop, fd)?;
        let name = file.file_name()?.to_str()?.to_string();
        let text = call.args.get(1).map(|argument| argument.value.bytes()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).trim().to_string();
        let group = file.parent()?.to_path_buf();
        let harm = || Some(Harm::Group(group.display().to_string()));
        if matches!(name.as_str(), "cgroup.procs" | "cgroup.threads" | "tasks") {
            // What moves is what changes; a group that takes a process in stays what it is. What sendfile(2) and
            // splice(2) write is in another file, and not looked at.
            let Some(pid) = number(&text) else { return harm() };
            let Target::Process(who) = Target::numbered(tid, pid)? else { return None };
            return self.signalling(tid, Target::Process(who));
        }
        if reached(tid, fd).is_some_and(|file| file.parent().is_some_and(|group| self.is_own_group(group, guard))) {
            return None;
        }
        // What a session hands down is noted, and taken back at its end.
        let delegates = name == "cgroup.subtree_control"
            && !text.is_empty()
            && text.split_whitespace().all(|word| word.starts_with('+'));
        // Runtimes write into the groups above theirs what stands there already, to be sure.
        let same =
            || !text.is_empty() && effects::contents(tid, fd) == text.split_whitespace().collect::<Vec<_>>().join(" ");
        if delegates || same() { None } else { harm() }
    }

    /// Whether a group, by a path of ours, was made by this session or lies below one that was.
    fn is_own_group(&self, path: &Path, guard: &Guard) -> bool {
        let named: BTreeSet<Inode> = guard.groups.iter().filter_map(|path| inode(path)).collect();
        let known = |found: &Inode| self.groups.contains(found) || named.contains(found);
        path.ancestors().map_while(inode).any(|found| known(&found))
    }
}

/// A number as the kernel reads it: also in octal and hexadecimal.
fn number(text: &str) -> Option<i32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    match (digits.strip_prefix("0x").or(digits.strip_prefix("0X")), digits.strip_prefix('0')) {
        (Some(digits), _) => i32::from_str_radix(digits, 16).ok(),
        (None, Some(digits)) if !digits.is_empty() => i32::from_str_radix(digits, 8).ok(),
        _ => digits.parse().ok(),
    }
}

/// Whether mount_setattr(2) is about a mount that stands nowhere yet.
fn is_detached(tid: Pid, call: &Call, values: &[u64; 6]) -> bool {
    let [fd, _, flags, ..] = *values;
    // A path is looked up whatever the flag says.
    let empty = call.args.get(1).and_then(|path| path.path()).is_some_and(|path| path.as_os_str().is_empty());
    if flags & libc::AT_EMPTY_PATH as u64 == 0 || fd as i32 == libc::AT_FDCWD || !empty {
        return false;
    }
    let text = text::read(tid.dir().join(format!("fdinfo/{}", fd as i32))).unwrap_or_default();
    let mount = text::field(&text, "mnt_id").and_then(|id| id.parse().ok());
    // In a chroot the thread's own table leaves out what is outside of it.
    let attached = |pid, mount| Table::read(pid).is_none_or(|table| table.numbered(mount).is_some());
    mount.is_some_and(|mount| !attached(tid, mount) && !attached(Pid::own(), mount))
}

/// Whether this call sets the clock, and does not only ask for it.
fn sets_clock(stop: &Stopped, call: &Call, values: &[u64; 6]) -> bool {
    // The modes come first in `struct timex`; the last one asks for what is left of a slow adjustment.
    const READS: u32 = 0xa001;
    let modes = |address: u64| {
        let word = stop.memory().bytes(address, 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
        word.is_some_and(|modes| modes != 0 && modes != READS)
    };
    match call.syscall.name() {
        "adjtimex" => modes(values[0]),
        "clock_adjtime" => modes(values[1]),
        "clock_settime" => matches!(values[0] as i32, libc::CLOCK_REALTIME | libc::CLOCK_TAI),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_kernel_reads_them() {
        for (text, wanted) in
            [("500", Some(500)), ("0", Some(0)), ("0x1f4", Some(500)), ("0764", Some(500)), ("+5", Some(5))]
        {
            assert_eq!(number(text), wanted, "{text}");
        }
        assert_eq!([number(""), number("x"), number("09"), number("1 2")], [None; 4]);
    }

    #[test]
    fn old_programs_put_a_number_above_their_flags() {
        assert_eq!(without_magic(0xc0ed_0000 | libc::MS_BIND), libc::MS_BIND);
        assert_eq!(without_magic(libc::MS_PRIVATE), libc::MS_PRIVATE);
    }
}
