//! The system calls of the tracer as one table: filter, decoding, following and effects all read it.

mod table;

pub(super) use table::TABLE;

use super::decode::Decoding;
use crate::kernel::{objects::SystemV, refusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// When the filter stops a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// Always.
    Always,
    /// Where this argument has any of these bits.
    If(usize, u32),
    /// Where it has none of them.
    Unless(usize, u32),
    /// Where it is another number than this.
    Except(usize, u32),
    /// Where it is one of these numbers.
    OneOf(usize, &'static [u32]),
    /// Never: it stops only in a thread that is followed, which stops at every call.
    Never,
}

impl Trap {
    /// Whether the filter stops a call with these arguments.
    pub(super) fn stops(self, values: &[u64; 6]) -> bool {
        let value = |index: usize| values.get(index).map_or(0, |value| *value as u32);
        match self {
            Trap::Always => true,
            Trap::If(index, bits) => value(index) & bits != 0,
            Trap::Unless(index, bits) => value(index) & bits == 0,
            Trap::Except(index, number) => value(index) != number,
            Trap::OneOf(index, numbers) => numbers.contains(&value(index)),
            Trap::Never => false,
        }
    }
}

/// What a call may change, and so what is done with it. A number is the index of the argument that is a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that is compared; it is told.
    Nothing,
    /// The caller's namespaces.
    Namespaces,
    /// The caller's mount table.
    Mounts,
    /// The caller's root directory.
    RootDirectory,
    /// The host name of the caller's UTS namespace.
    HostName,
    /// A process is made, or a thread, which is not told. These flags of clone(2) are set without being arguments.
    Child(u64),
    /// A program starts.
    Program,
    /// A directory is made; told where it is a control group.
    GroupMade(usize),
    /// A directory is removed; told where it is a control group.
    GroupRemoved(usize),
    /// A file is opened for writing. Not told, but where it is a control file the thread is followed.
    Opens(usize),
    /// An open file is written, whose descriptor is the argument of this index; told where it is a control file.
    Writes(usize),
    /// A file gets another name; told where it is a control group. The paths, old and new.
    Renamed(usize, usize),
    /// What the caller may do: its capabilities, users and groups, filters.
    Rights,
    /// An open file is closed; not told.
    Closes,
    /// An object is made that stays when its maker has ended; told where it was not there before.
    ObjectMade(Made),
    /// Such an object is removed.
    ObjectRemoved(Made),
    /// Processes get a signal; told only where they are not this session's.
    Signals,
    /// A netlink socket is made. Not told, but where the family is guarded the thread is followed.
    Connects,
    /// Something is sent through a socket, whose descriptor comes first; told where it asks for a change of a network.
    Sends,
    /// An interface, a route or a bridge is changed by ioctl(2); or a packet filter by setsockopt(2), which is told only where
    /// it is the machine's.
    Configures,
    /// What belongs to the whole machine.
    Guarded(Guarded),
}

/// What a traced process asks of its tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// For a command that is not traced.
    Untraced,
    /// Whether its last call was refused.
    Refused,
}

/// What kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Of System V.
    SystemV(SystemV),
    /// A POSIX message queue.
    Queue,
}

/// What no namespace, or only one that is not compared, has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarded {
    /// The NIS domain name of the caller's UTS namespace.
    DomainName,
    /// The options of a mounted file system.
    FileSystem,
    /// The clock.
    Clock,
    /// Reboot, power off.
    Reboot,
    /// Another kernel.
    Kernel,
    /// Swap.
    Swap,
    /// Modules of the kernel.
    Modules,
}

impl Effect {
    /// Whether it is told only where it would do harm.
    pub(super) fn is_told_as_harm(self) -> bool {
        matches!(self, Effect::Signals | Effect::Sends | Effect::Configures)
    }

    /// Whether a mount table may be another one afterwards.
    pub(super) fn changes_mounts(self) -> bool {
        matches!(self, Effect::Namespaces | Effect::Mounts | Effect::RootDirectory)
    }
}

/// All that is known of one system call.
#[derive(Debug)]
pub(super) struct Row {
    /// Its name in the manual pages.
    pub(super) name: &'static str,
    /// Its number; `None` where this architecture does not have it.
    pub(super) number: Option<i64>,
    /// When it stops.
    pub(super) trap: Trap,
    /// What it may change.
    pub(super) effect: Effect,
    /// How its arguments are read.
    pub(super) decoding: Decoding,
}

/// A system call that the tracer knows.
#[derive(Clone, Copy)]
pub struct Syscall(&'static Row);

impl Syscall {
    /// The names of all calls that the tracer knows.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }

    /// The call of this name in the manual pages.
    pub(crate) fn named(name: &str) -> Option<Syscall> {
        TABLE.iter().find(|row| row.name == name).map(Syscall)
    }

    /// The call of this number on this architecture.
    pub(super) fn numbered(number: i64) -> Option<Syscall> {
        TABLE.iter().find(|row| row.number == Some(number)).map(Syscall)
    }

    /// Its name in the manual pages.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What a call with these arguments asks of the tracer itself.
    pub(super) fn question(self, values: &[u64; 6]) -> Option<Question> {
        match values[0] as u32 {
            _ if self.0.number != Some(libc::SYS_prctl) => None,
            super::aside::ASK => Some(Question::Untraced),
            refusal::ASK => Some(Question::Refused),
            _ => None,
        }
    }

    /// Whether it makes a process.
    pub(crate) fn makes_process(self) -> bool {
        matches!(self.0.effect, Effect::Child(_))
    }

    pub(super) fn row(self) -> &'static Row {
        self.0
    }
}

impl PartialEq for Syscall {
    fn eq(&self, other: &Syscall) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Syscall {}

impl fmt::Debug for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Syscall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Syscall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Syscall, D::Error> {
        let name = String::deserialize(deserializer)?;
        Syscall::named(&name).ok_or_else(|| D::Error::custom(format!("{name}: not a system call that is traced")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_and_no_number_stands_twice() {
        for (index, row) in TABLE.iter().enumerate() {
            let alike = |other: &Row| other.name == row.name || other.number.is_some() && other.number == row.number;
            assert!(!TABLE[index + 1..].iter().any(alike), "{row:?}");
            assert_eq!(Syscall::named(row.name).map(Syscall::name), Some(row.name));
        }
    }
}
