//! What a learner makes of a held call before it happens: flags of it are dropped, or an error answers it.
//!
//! Only flags in registers can be dropped. A structure, as that of clone3(2), stays as the program wrote it: other threads
//! of it may read the same memory.

use super::{
    Argument, Call, Note, Syscall, TraceEvent, Value,
    calls::Effect,
    decode::Decoding,
    flags::{Flags, without_magic},
    registers,
    stops::Tracing,
    task::Refusal,
};
use crate::kernel::{errno, namespaces::TABLE, pid::Pid};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What becomes of a held call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    /// It happens without these bits of its flags.
    Without(Flags, u64),
    /// It fails with this error, and the kernel never sees it.
    Fails(#[serde(with = "errno")] Errno),
}

impl Instead {
    /// This without those flags; `None` where none is left.
    pub(crate) fn less(self, other: Instead) -> Option<Instead> {
        match (self, other) {
            (Instead::Without(flags, bits), Instead::Without(others, less)) if flags == others => {
                (bits & !less != 0).then_some(Instead::Without(flags, bits & !less))
            }
            _ => Some(self),
        }
    }

    /// Both at once: flags of one kind, which stand in one register.
    pub(crate) fn and(self, other: Instead) -> Option<Instead> {
        match (self, other) {
            (Instead::Without(flags, bits), Instead::Without(others, more)) if flags == others => {
                Some(Instead::Without(flags, bits | more))
            }
            _ => None,
        }
    }
}

/// What these names stand for among the choices; `None` where one of them stands for nothing.
fn named(choices: &[Instead], names: &str) -> Option<Instead> {
    let mut chosen: Option<Instead> = None;
    for name in names.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '|')) {
        let known = choices.iter().find(|way| way.to_string().eq_ignore_ascii_case(name)).copied();
        chosen = match (chosen, known) {
            (chosen, None) if name.is_empty() => chosen,
            (_, None) => return None,
            (None, known) => known,
            (Some(all), Some(one)) => Some(all.and(one)?),
        };
    }
    chosen
}

/// The kinds of flags that are bits of their own.
const BITS: [Flags; 11] = [
    Flags::Clone,
    Flags::Namespace,
    Flags::Mount,
    Flags::Umount,
    Flags::At,
    Flags::OpenTree,
    Flags::MoveMount,
    Flags::FsOpen,
    Flags::FsMount,
    Flags::FsPick,
    Flags::MountAttr,
];

impl Syscall {
    /// What can be made of some call of this name, by the names of flags or of an error.
    pub(crate) fn choice(self, names: &str) -> Option<Instead> {
        named(&self.choices(), names)
    }

    /// Everything that can be made of a call of this name which has every flag.
    pub(crate) fn choices(self) -> Vec<Instead> {
        let its = BITS.into_iter().filter(|flags| self.row().decoding.register(*flags).is_some());
        let flags = its.flat_map(|flags| flags.set_in(u64::MAX).map(move |bit| Instead::Without(flags, bit)));
        flags.chain(ERRORS.map(Instead::Fails)).collect()
    }
}

/// The errors that a call can be answered with: no right, no sense, no such call, no memory, in use.
const ERRORS: [Errno; 5] = [Errno::EPERM, Errno::EINVAL, Errno::ENOSYS, Errno::ENOMEM, Errno::EBUSY];

/// Every `CLONE_NEW…`.
fn namespace_flags() -> u64 {
    TABLE.iter().fold(0, |all, row| all | row.flag)
}

/// The flag that is dropped, or the error, by its name in the manual pages.
impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instead::Without(flags, bits) => f.write_str(&flags.text(*bits)),
            Instead::Fails(error) => f.write_str(&errno::name(*error)),
        }
    }
}

impl Call {
    /// Everything that can be made of it: each flag in the order in which it is written, then the errors.
    pub(crate) fn choices(&self) -> Vec<Instead> {
        let flags = self.args.iter().flat_map(|argument| match argument.value {
            Value::Bits(flags, bits) => self.droppable(flags, bits),
            // Without the others a C library's fork does not work.
            Value::CloneFlags(bits, _) => self.droppable(Flags::Clone, bits & namespace_flags()),
            _ => Vec::new(),
        });
        flags.chain(ERRORS.map(Instead::Fails)).collect()
    }

    /// What can be made of it by the name of an error, or by those of one or more flags, with blanks, commas or bars between
    /// them.
    pub fn choice(&self, names: &str) -> Option<Instead> {
        named(&self.choices(), names)
    }

    /// Whether it can be changed so.
    pub(crate) fn allows(&self, instead: Instead) -> bool {
        match instead {
            Instead::Fails(_) => self.choices().contains(&instead),
            Instead::Without(flags, bits) => {
                let one = |way: Instead| if let Instead::Without(known, bit) = way { Some((known, bit)) } else { None };
                let its = self.choices().into_iter().filter_map(one).filter(|(known, _)| *known == flags);
                bits != 0 && bits & !its.fold(0, |all, (_, bit)| all | bit) == 0
            }
        }
    }

    /// Whether it has flags in memory, which stay as they are.
    pub(crate) fn has_flags_in_memory(&self) -> bool {
        let is_flags = |member: &Argument| matches!(member.value, Value::Bits(..));
        self.args
            .iter()
            .any(|argument| matches!(&argument.value, Value::Struct(members) if members.iter().any(is_flags)))
    }

    fn droppable(&self, flags: Flags, bits: u64) -> Vec<Instead> {
        if self.syscall.row().decoding.register(flags).is_none() {
            return Vec::new();
        }
        let bits = if flags == Flags::Mount { without_magic(bits) } else { bits };
        flags.set_in(bits).map(|bit| Instead::Without(flags, bit)).collect()
    }
}

impl Decoding {
    /// The register with the flags of this kind, by its place among the arguments; `None` where they are in memory, or are
    /// one value and not bits of their own.
    fn register(self, flags: Flags) -> Option<usize> {
        use super::decode::Kind::{Bits, Wide};
        if matches!(flags, Flags::Prctl | Flags::Seccomp | Flags::Bpf | Flags::Ptrace | Flags::Open) {
            return None;
        }
        match self {
            Decoding::Each(kinds) => {
                kinds.iter().position(|kind| matches!(kind, Bits(known) | Wide(known) if *known == flags))
            }
            Decoding::Clone => (flags == Flags::Clone).then_some(0),
            Decoding::Mount => (flags == Flags::Mount).then_some(3),
            Decoding::FsConfig | Decoding::Netdevice => None,
        }
    }
}

impl Tracing {
    /// Lets a held call go as the learner wants it. Where it would change the machine itself only now, that is asked first.
    pub(super) fn instead(&mut self, tid: Pid, instead: Instead) {
        match instead {
            Instead::Fails(errno) => self.refuse(tid, Refusal::Learner(errno)),
            Instead::Without(flags, bits) => self.drop_flags(tid, flags, bits),
        }
    }

    fn drop_flags(&mut self, tid: Pid, flags: Flags, bits: u64) {
        let Some(task) = self.tasks.get_mut(&tid).filter(|task| !task.guarded) else { return };
        let (root, Some(pending)) = (task.root, &mut task.pending) else { return };
        let Some(register) = pending.call.syscall.row().decoding.register(flags) else { return };
        let Some(stop) = task.held.take() else { return };
        let before = pending.values[register];
        if stop.set_argument(register, pending.width, before & !bits) {
            pending.values[register] &= !bits;
            let memory = stop.memory().with(pending.width);
            let call = Call::read(tid, memory, pending.call.syscall, &pending.values);
            let comm = pending.call.comm.clone();
            let asked = std::mem::replace(&mut pending.call, Call { comm, ..call });
            pending.asked = Some(Asked { args: asked.args, register, value: before });
        }
        let (call, values, width) = (pending.call.clone(), pending.values, pending.width);
        let harm = self.harm(&stop, stop.memory().with(width), &call, &values);
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.held = Some(stop);
            task.guarded = harm.is_some();
        }
        match harm {
            None => self.release(tid),
            Some(harm) => {
                self.tell(TraceEvent::Released(root, tid));
                self.tell(TraceEvent::Guarded(root, call, harm));
            }
        }
    }

    /// Makes the held call of a thread fail.
    pub(super) fn refuse(&mut self, tid: Pid, refusal: Refusal) {
        if let Some(task) = self.tasks.get_mut(&tid)
            && let (Some(stop), Some(pending)) = (&task.held, &mut task.pending)
            && stop.refuse(refusal.errno())
        {
            pending.refused = Some(refusal);
            if task.filtered {
                let root = task.root;
                self.note(root, tid, Note::Judged);
            }
        }
        self.release(tid);
    }
}

/// What a program asked for, where the learner let something else happen.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) args: Vec<Argument>,
    register: usize,
    value: u64,
}

impl Asked {
    /// Puts the program's own value back: it may count on its registers. Not where a new program has got new ones, and not
    /// where the result stands in its place.
    pub(super) fn put_back(&self, stop: &super::stop::Stopped, width: super::memory::Width, effect: Effect) {
        if effect != Effect::Program && registers::survives(self.register) {
            stop.set_argument(self.register, width, self.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::namespaces::Kind;

    fn names(name: &str, values: [u64; 6]) -> Vec<String> {
        let choices = Call::of(Pid(7), "sh", name, values).choices();
        let flags = choices.iter().filter(|choice| matches!(choice, Instead::Without(..)));
        flags.map(ToString::to_string).collect()
    }

    #[test]
    fn each_flag_in_a_register_can_be_dropped() {
        let (mnt, uts) = (Kind::Mnt.row().flag, Kind::Uts.row().flag);
        assert_eq!(names("unshare", [mnt | uts, 0, 0, 0, 0, 0]), ["CLONE_NEWNS", "CLONE_NEWUTS"]);
        assert_eq!(names("setns", [3, uts, 0, 0, 0, 0]), ["CLONE_NEWUTS"]);
        let fork = (libc::CLONE_CHILD_SETTID | libc::CLONE_VM | libc::SIGCHLD) as u64;
        assert_eq!(names("clone", [fork | mnt, 0, 0, 0, 0, 0]), ["CLONE_NEWNS"]);
        let private = libc::MS_REC | libc::MS_PRIVATE;
        assert_eq!(names("mount", [0, 0, 0, private, 0, 0]), ["MS_REC", "MS_PRIVATE"]);
        assert_eq!(names("mount", [0, 0, 0, 0xc0ed_0000 | libc::MS_RDONLY, 0, 0]), ["MS_RDONLY"], "old programs");
        assert_eq!(names("umount2", [0, libc::MNT_DETACH as u64, 0, 0, 0, 0]), ["MNT_DETACH"]);
        assert_eq!(names("fsmount", [3, 1, 1, 0, 0, 0]), ["FSMOUNT_CLOEXEC", "MOUNT_ATTR_RDONLY"]);
        assert_eq!(names("prctl", [38, 1, 0, 0, 0, 0]), [""; 0], "a number and not bits");
        assert_eq!(names("execve", [0; 6]), [""; 0]);
    }

    #[test]
    fn what_is_in_memory_stays() {
        let args = [Kind::Mnt.row().flag, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
        let clone3 = Call::of(Pid(7), "sh", "clone3", [args.as_ptr() as u64, 88, 0, 0, 0, 0]);
        assert_eq!(clone3.choices(), ERRORS.map(Instead::Fails));
        assert!(clone3.has_flags_in_memory());
        let unshare = Call::of(Pid(7), "sh", "unshare", [Kind::Mnt.row().flag, 0, 0, 0, 0, 0]);
        assert!(!unshare.has_flags_in_memory());
    }

    #[test]
    fn a_choice_goes_by_its_name() {
        let call = Call::of(Pid(7), "sh", "unshare", [Kind::Mnt.row().flag, 0, 0, 0, 0, 0]);
        assert_eq!(call.choice("clone_newns"), Some(Instead::Without(Flags::Clone, Kind::Mnt.row().flag)));
        assert_eq!(call.choice("ENOSYS"), Some(Instead::Fails(Errno::ENOSYS)));
        assert_eq!((call.choice("CLONE_NEWUTS"), call.choice("EIO"), call.choice("")), (None, None, None));
        assert!(call.choices().into_iter().all(|choice| call.allows(choice)));
        for choice in call.choices() {
            let stored = serde_json::to_string(&choice).unwrap();
            assert_eq!(serde_json::from_str::<Instead>(&stored).unwrap(), choice, "{stored}");
        }
    }
    #[test]
    fn several_flags_are_dropped_at_once() {
        let (mnt, uts, ipc) = (Kind::Mnt.row().flag, Kind::Uts.row().flag, Kind::Ipc.row().flag);
        let call = Call::of(Pid(7), "sh", "unshare", [mnt | uts | ipc, 0, 0, 0, 0, 0]);
        let both = Instead::Without(Flags::Clone, mnt | uts);
        for names in ["CLONE_NEWNS CLONE_NEWUTS", "clone_newuts|clone_newns", " CLONE_NEWUTS, CLONE_NEWNS "] {
            assert_eq!(call.choice(names), Some(both), "{names}");
        }
        assert_eq!(both.to_string(), "CLONE_NEWNS|CLONE_NEWUTS");
        for names in ["CLONE_NEWNS EPERM", "EPERM EINVAL", "CLONE_NEWNS CLONE_NEWNET", " "] {
            assert_eq!(call.choice(names), None, "{names}");
        }
        assert_eq!(Syscall::named("unshare").unwrap().choice("CLONE_NEWNS CLONE_NEWUTS"), Some(both));
        assert_eq!(Syscall::named("execve").unwrap().choice("CLONE_NEWNS"), None);
        for (way, so) in [
            (Instead::Without(Flags::Clone, mnt | ipc), true),
            (Instead::Without(Flags::Clone, 0), false),
            (Instead::Without(Flags::Clone, mnt | Kind::Net.row().flag), false),
            (Instead::Without(Flags::Mount, mnt), false),
            (Instead::Fails(Errno::EPERM), true),
            (Instead::Fails(Errno::EIO), false),
        ] {
            assert_eq!(call.allows(way), so, "{way:?}");
        }
    }
}
