//! Reads a call's arguments as data: numbers from registers, everything else from the caller's memory.

use super::{
    Argument, Value,
    argument::Text,
    flags::{Flags, without_magic},
    memory::{Memory, Width},
    netdevice,
};
use crate::kernel::pid::Signal;

/// The longest text that is read: a path (PATH_MAX).
const PATH_MAX: usize = 4096;
/// The most words of an argv or environment that are read.
const MAX_WORDS: usize = 4096;
/// How many bytes of one argv are read in all.
const MAX_ARGV: usize = 4096;

/// How the arguments of a call are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decoding {
    /// Each for itself.
    Each(&'static [Kind]),
    /// clone(2).
    Clone,
    /// mount(2).
    Mount,
    /// fsconfig(2).
    FsConfig,
    /// ioctl(2) of a socket.
    Netdevice,
}

/// What one argument is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A 32-bit number, such as a descriptor.
    Number,
    /// A 64-bit number.
    Long,
    /// A 32-bit number without a sign.
    Length,
    /// A 64-bit number without a sign.
    Size,
    /// A 32-bit number that is written in hexadecimal.
    Hex,
    /// A place in memory that is not read.
    Pointer,
    /// A signal.
    Signal,
    /// The directory where the path that follows begins.
    Directory,
    /// A text that ends with NUL.
    Path,
    /// A text as long as the next argument says.
    Counted,
    /// The mode of a file.
    Mode,
    /// Bits that the kernel takes as 32 bits.
    Bits(Flags),
    /// Bits that it takes as 64 bits.
    Wide(Flags),
    /// The arguments of a program.
    Argv,
    /// Its environment.
    Environment,
    /// As many pieces of memory as the next argument says (writev(2)).
    Vectors,
    /// What mount_setattr(2) is to do; the next argument is the size.
    Attributes,
    /// The arguments of clone3(2); the next argument is the size.
    Clone,
}

impl Decoding {
    /// Reads the arguments from these registers.
    pub(super) fn read(self, memory: Memory<'_>, args: &[u64; 6]) -> Vec<Argument> {
        let at = Reader(memory);
        let each = |kinds: &[Kind]| {
            let values = kinds.iter().zip(args).enumerate();
            let next = |index: usize| args.get(index + 1).copied().unwrap_or(0);
            values.map(|(index, (kind, arg))| at.value(*kind, *arg, next(index)).into()).collect()
        };
        match self {
            Decoding::Each(kinds) => each(kinds),
            Decoding::Clone => clone(args, memory.width()),
            Decoding::Mount => at.mount(args).map(Argument::from).into(),
            Decoding::FsConfig => at.fsconfig(args).map(Argument::from).into(),
            Decoding::Netdevice => {
                let [fd, request, about, ..] = *args;
                let request = Value::Choice(Flags::Netdevice, u64::from(request as u32));
                let about = netdevice::read(memory, args[1] as u32, about);
                [Value::Number(fd as i32 as i64), request, about].map(Argument::from).into()
            }
        }
    }
}

/// The bits of clone(2) among the arguments of a call that makes a process.
pub(super) fn clone_flags(args: &[Argument]) -> u64 {
    let bits = |argument: &Argument| match &argument.value {
        Value::Bits(Flags::Clone, bits) | Value::CloneFlags(bits, _) => *bits,
        Value::Struct(members) => clone_flags(members),
        _ => 0,
    };
    args.iter().map(bits).fold(0, |all, bits| all | bits)
}

/// clone(2): the low byte of the flags is the signal that the child sends when it ends. The last two arguments have
/// swapped places on x86-64, but not for programs of i386.
fn clone(args: &[u64; 6], width: Width) -> Vec<Argument> {
    let [flags, stack, parent, d, e, _] = *args;
    let swapped = cfg!(target_arch = "x86_64") && width == Width::Eight;
    let (child, tls) = if swapped { (d, e) } else { (e, d) };
    let flags = (flags & 0xffff_ff00, Signal((flags & 0xff) as i32));
    let mut out = vec![
        Argument::named("child_stack", Value::Address(stack)),
        Argument::named("flags", Value::CloneFlags(flags.0, flags.1)),
    ];
    for (wanted, name, at) in
        [(0x10_1000, "parent_tid", parent), (0x8_0000, "tls", tls), (0x120_0000, "child_tidptr", child)]
    {
        if flags.0 & wanted != 0 {
            out.push(Argument::named(name, Value::Address(at)));
        }
    }
    out
}

/// An argument that the kernel takes as 32 bits.
fn c_int(value: u64) -> u64 {
    u64::from(value as u32)
}

struct Reader<'a>(Memory<'a>);

impl Reader<'_> {
    fn value(&self, kind: Kind, arg: u64, next: u64) -> Value {
        match kind {
            Kind::Number => Value::Number((arg as i32).into()),
            Kind::Long => Value::Number(arg as i64),
            Kind::Size => Value::Size(arg),
            Kind::Length => Value::Size(c_int(arg)),
            Kind::Hex => Value::Hex(c_int(arg)),
            Kind::Pointer => Value::Address(arg),
            Kind::Signal => Value::Signal(Signal(arg as i32)),
            Kind::Directory => Value::Directory(arg as i32),
            Kind::Path => self.string(arg),
            Kind::Counted => self.counted(arg, next),
            Kind::Mode => Value::Mode(arg as u32 & 0o177_7777),
            Kind::Bits(flags) => Value::Bits(flags, c_int(arg)),
            Kind::Wide(flags) => Value::Bits(flags, arg),
            Kind::Argv => self.argv(arg),
            Kind::Environment => self.environment(arg),
            Kind::Vectors => self.vectors(arg, next),
            Kind::Attributes => self.attributes(arg, next),
            Kind::Clone => self.clone3(arg, next),
        }
    }

    fn string(&self, at: u64) -> Value {
        let text = self.0.text(at, PATH_MAX).map(|(bytes, cut)| Value::Text(Text { bytes, cut }));
        text.unwrap_or(Value::Address(at))
    }

    fn counted(&self, at: u64, len: u64) -> Value {
        // So much that the kernel takes none of it.
        if i32::try_from(len).is_err() {
            return Value::Address(at);
        }
        let len = len as usize;
        let cut = len > PATH_MAX;
        let bytes = self.0.bytes(at, len.min(PATH_MAX));
        bytes.map_or(Value::Address(at), |bytes| Value::Text(Text { bytes, cut }))
    }

    fn words(&self, at: u64) -> Option<Vec<u64>> {
        if at == 0 { None } else { self.0.words(at, MAX_WORDS) }
    }

    fn argv(&self, at: u64) -> Value {
        let Some(words) = self.words(at) else { return Value::Address(at) };
        let (mut items, mut size, mut cut) = (Vec::new(), 0, false);
        for word in words {
            if size > MAX_ARGV {
                cut = true;
                break;
            }
            let item = self.string(word);
            size += item.to_string().len();
            items.push(item);
        }
        Value::List { items, cut }
    }

    fn environment(&self, at: u64) -> Value {
        self.words(at).map_or(Value::Address(at), |words| Value::Environment(at, words.len()))
    }

    /// mount(2): what a call with these flags does not look at is an address.
    fn mount(&self, args: &[u64; 6]) -> [Value; 5] {
        let [source, target, kind, flags, data, _] = *args;
        let bits = without_magic(flags);
        let remount = bits & libc::MS_REMOUNT != 0;
        let propagation = libc::MS_UNBINDABLE | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_SHARED;
        let other = !remount && bits & (libc::MS_BIND | libc::MS_MOVE | propagation) != 0;
        let read = |at, ignored| if ignored { Value::Address(at) } else { self.string(at) };
        let (kind, data) = (read(kind, remount || other), read(data, other));
        [self.string(source), self.string(target), kind, Value::Bits(Flags::Mount, flags), data]
    }

    fn fsconfig(&self, args: &[u64; 6]) -> [Value; 5] {
        let [fd, command, key, value, aux, _] = *args;
        let command = c_int(command);
        let value = match command {
            1 | 3 | 4 => self.string(value),
            2 => match self.0.bytes(value, (aux as u32 as usize).min(PATH_MAX)) {
                Some(bytes) => Value::Binary(Text { bytes, cut: false }),
                None => Value::Address(value),
            },
            _ => Value::Address(value),
        };
        let key = if command <= 5 { self.string(key) } else { Value::Address(key) };
        let aux = if matches!(command, 3 | 4) { Kind::Directory } else { Kind::Number };
        let (fd, aux) = (self.value(Kind::Number, fd, 0), self.value(aux, args[4], 0));
        [fd, Value::Choice(Flags::FsConfig, command), key, value, aux]
    }

    fn attributes(&self, at: u64, size: u64) -> Value {
        let field = |index: u64| self.0.word(at.wrapping_add(8 * index)).filter(|_| size >= 32);
        let (Some(set), Some(clear), Some(propagation), Some(user)) = (field(0), field(1), field(2), field(3)) else {
            return Value::Address(at);
        };
        Value::Struct(vec![
            Argument::named("attr_set", Value::Bits(Flags::MountAttr, set)),
            Argument::named("attr_clr", Value::Bits(Flags::MountAttr, clear)),
            Argument::named("propagation", Value::Bits(Flags::Propagation, propagation)),
            Argument::named("userns_fd", Value::Size(user)),
        ])
    }

    /// clone3(2): only the fields that the flags make count.
    fn clone3(&self, at: u64, size: u64) -> Value {
        let field =
            |index: u64| if size >= 8 * (index + 1) { self.0.word(at.wrapping_add(8 * index)) } else { Some(0) };
        // The kernel takes nothing shorter (CLONE_ARGS_SIZE_VER0).
        let Some(flags) = field(0).filter(|_| size >= 64) else { return Value::Address(at) };
        let field = |index| field(index).unwrap_or(0);
        let address = |name, index| Argument::named(name, Value::Address(field(index)));
        let optional = |wanted: u64, name, index| (flags & wanted != 0).then(|| address(name, index));
        let mut out = vec![Argument::named("flags", Value::Bits(Flags::Clone, flags))];
        out.extend(optional(0x1000, "pidfd", 1));
        out.extend(optional(0x120_0000, "child_tid", 2));
        out.extend(optional(0x10_0000, "parent_tid", 3));
        out.push(Argument::named("exit_signal", Value::Signal(Signal(field(4) as i32))));
        out.push(address("stack", 5));
        out.push(Argument::named("stack_size", Value::Hex(field(6))));
        out.extend(optional(0x8_0000, "tls", 7));
        if field(8) != 0 || field(9) != 0 {
            let read =
                |index| Some(i32::from_ne_bytes(self.0.bytes(field(8).wrapping_add(4 * index), 4)?.try_into().ok()?));
            let items = (0..field(9).min(32)).filter_map(read).map(|pid| Value::Number(pid.into())).collect();
            out.push(Argument::named("set_tid", Value::List { items, cut: false }));
            out.push(Argument::named("set_tid_size", Value::Size(field(9))));
        }
        if flags & 0x2_0000_0000 != 0 {
            out.push(Argument::named("cgroup", Value::Size(field(10))));
        }
        Value::Struct(out)
    }

    fn vectors(&self, at: u64, count: u64) -> Value {
        let part = |index: u64| {
            let (base, len) = (self.0.pointer(at, 2 * index)?, self.0.pointer(at, 2 * index + 1)?);
            let base = Argument::named("iov_base", self.counted(base, len));
            Some(Value::Struct(vec![base, Argument::named("iov_len", Value::Size(len))]))
        };
        let items = (0..count.min(64)).map(part).collect::<Option<Vec<_>>>();
        items.map_or(Value::Address(at), |items| Value::List { items, cut: false })
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
