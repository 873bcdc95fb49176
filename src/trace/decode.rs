//! Arguments as people read them, written as strace(1) writes them.

use super::{
    calls::{Arg, Spec},
    flags, memory,
};
use std::fmt::Write;

/// Longer strings are cut, and end in dots.
const LONGEST: usize = 4096;
/// What old programs put into the upper half of mount(2)'s flags; the kernel takes it away (`linux/mount.h`).
const MAGIC: u64 = 0xc0ed_0000;
const MAGIC_MASK: u64 = 0xffff_0000;
/// More arguments of a program are not shown.
const MOST_WORDS: usize = 64;

/// The arguments of a call, without its name and the parentheses. The memory of the process must still be the caller's.
pub(super) fn arguments(pid: i32, spec: &Spec, values: &[u64; 6]) -> String {
    let order = order(spec.name);
    let written = spec.args.iter().enumerate().map(|(index, (name, arg))| {
        let place = order.get(index).copied().unwrap_or(index);
        let value = values.get(place).copied().unwrap_or(0);
        let next = values.get(place + 1).copied().unwrap_or(0);
        format!("{name}{}", argument(pid, *arg, value, next))
    });
    written.collect::<Vec<_>>().join(", ")
}

/// clone(2) is told stack first, as strace does; its raw arguments begin with the flags.
fn order(name: &str) -> &'static [usize] {
    if name == "clone" { &[1, 0] } else { &[] }
}

fn argument(pid: i32, arg: Arg, value: u64, next: u64) -> String {
    match arg {
        Arg::Number => (value as i32).to_string(),
        Arg::Mode => format!("{value:#05o}").replacen("0o", "0", 1),
        Arg::At if value as i32 == libc::AT_FDCWD => "AT_FDCWD".into(),
        Arg::At => (value as i32).to_string(),
        Arg::Text => string(pid, value),
        Arg::Bytes => quoted(&memory::bytes(pid, value, (next as usize).min(LONGEST)), next as usize > LONGEST),
        Arg::Flags(names) => flags::bits(names, value),
        Arg::OneOf(names) => flags::one_of(names, value),
        Arg::Address if value == 0 => "NULL".into(),
        Arg::Address => format!("{value:#x}"),
        Arg::Argv => vector(pid, value),
        Arg::Env => {
            let count = memory::words(pid, value, MOST_WORDS * 16).iter().take_while(|word| **word != 0).count();
            format!("{value:#x} /* {count} vars */")
        }
        Arg::MountFlags if value & MAGIC_MASK == MAGIC && value != MAGIC => {
            format!("MS_MGC_VAL|{}", flags::bits(&flags::MS, value & !MAGIC_MASK))
        }
        Arg::MountFlags if value == MAGIC => "MS_MGC_VAL".into(),
        Arg::MountFlags => flags::bits(&flags::MS, value),
        Arg::CloneFlags => with_signal(value),
        Arg::CloneArgs => clone_args(pid, value),
        Arg::MountAttr => {
            let [set, clear, propagation, user] = fields(pid, value);
            let (set, clear) = (flags::bits(&flags::MOUNT_ATTR, set), flags::bits(&flags::MOUNT_ATTR, clear));
            let propagation = flags::bits(&flags::MS, propagation);
            format!("{{attr_set={set}, attr_clr={clear}, propagation={propagation}, userns_fd={user}}}")
        }
        Arg::OpenHow => format!("{value:#x}"),
    }
}

/// The first words of a structure; what cannot be read counts as zero.
fn fields<const N: usize>(pid: i32, address: u64) -> [u64; N] {
    let mut all = [0; N];
    all.iter_mut().zip(memory::words(pid, address, N)).for_each(|(field, word)| *field = word);
    all
}

/// The lowest byte of clone(2)'s flags is the signal that the parent gets.
fn with_signal(value: u64) -> String {
    let (bits, signal) = (value & !0xff, (value & 0xff) as i32);
    match (bits, signal) {
        (0, 0) => "0".into(),
        (0, signal) => signal_name(signal).into(),
        (bits, 0) => flags::bits(&flags::CLONE, bits),
        (bits, signal) => format!("{}|{}", flags::bits(&flags::CLONE, bits), signal_name(signal)),
    }
}

/// `struct clone_args` (clone3(2)): the fields that say what is made, and those that are set.
fn clone_args(pid: i32, address: u64) -> String {
    let [flag, _pidfd, _child_tid, _parent_tid, signal, stack, stack_size, ..] = fields::<8>(pid, address);
    let mut out = format!("{{flags={}, exit_signal={}", flags::bits(&flags::CLONE, flag), signal_name(signal as i32));
    let _ = match (stack, stack_size) {
        (0, size) => write!(out, ", stack=NULL, stack_size={}}}", hex(size)),
        (stack, size) => write!(out, ", stack={stack:#x}, stack_size={}}}", hex(size)),
    };
    out
}

fn hex(value: u64) -> String {
    if value == 0 { "0".into() } else { format!("{value:#x}") }
}

/// A signal by its name; 0 is no signal at all.
pub(super) fn signal_name(signal: i32) -> &'static str {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(signal) => signal.as_str(),
        Err(_) if signal == 0 => "0",
        Err(_) => "SIGRT",
    }
}

/// An error by its name.
pub(super) fn errno_name(errno: i32) -> &'static str {
    ERRNOS.iter().find(|(known, _)| *known == errno).map_or("ERRNO", |(_, name)| name)
}

fn string(pid: i32, address: u64) -> String {
    if address == 0 {
        return "NULL".into();
    }
    match memory::text(pid, address, LONGEST) {
        Some(text) => quoted(&text, text.len() >= LONGEST),
        None => format!("{address:#x}"),
    }
}

fn vector(pid: i32, address: u64) -> String {
    if address == 0 {
        return "NULL".into();
    }
    let words = memory::words(pid, address, MOST_WORDS);
    let mut out: Vec<String> = words.iter().take_while(|word| **word != 0).map(|word| string(pid, *word)).collect();
    if !words.contains(&0) {
        out.push("...".into());
    }
    format!("[{}]", out.join(", "))
}

/// A string in quotes; bytes that are no printable text are written as C escapes.
fn quoted(bytes: &[u8], cut: bool) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if c.is_control() => {
                    let _ = write!(out, "\\{:o}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\{byte:o}");
        }
    }
    out.push_str(if cut { "\"..." } else { "\"" });
    out
}

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

/// The errors of the interesting calls, and some more (errno(3)).
const ERRNOS: &[(i32, &str)] = errnos!(
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
    ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP EOPNOTSUPP EOVERFLOW EUSERS ESTALE EDQUOT ECANCELED ENOTSUP ENODATA
    EALREADY EBADFD ELIBBAD EUCLEAN ENOMEDIUM EMEDIUMTYPE EREMOTEIO ETIMEDOUT
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::calls::find;

    /// Our own memory is read as another process's would be.
    fn decoded(number: i64, values: [u64; 6]) -> String {
        arguments(std::process::id() as i32, find(number).unwrap(), &values)
    }

    #[test]
    fn strings_and_vectors_are_read_from_memory() {
        let (path, name, weird) = (c"/bin/sh", c"sh", c"a\"\n\x01\xff");
        let argv = [name.as_ptr() as u64, weird.as_ptr() as u64, 0];
        let text =
            decoded(libc::SYS_execve, [path.as_ptr() as u64, argv.as_ptr() as u64, argv.as_ptr() as u64, 0, 0, 0]);
        let address = argv.as_ptr() as u64;
        assert_eq!(text, format!(r#""/bin/sh", ["sh", "a\"\n\1\377"], {address:#x} /* 2 vars */"#));
        let root = c"/";
        let mount = [c"none".as_ptr() as u64, root.as_ptr() as u64, 0, 0x4_4000, 0, 0];
        assert_eq!(decoded(libc::SYS_mount, mount), r#""none", "/", NULL, MS_REC|MS_PRIVATE, NULL"#);
        let old = [0, root.as_ptr() as u64, 0, 0xc0ed_1000, 0, 0];
        assert_eq!(decoded(libc::SYS_mount, old), r#"NULL, "/", NULL, MS_MGC_VAL|MS_BIND, NULL"#);
        assert_eq!(decoded(libc::SYS_chroot, [1, 0, 0, 0, 0, 0]), "0x1", "memory that is not there");
        let host = b"boxes";
        assert_eq!(decoded(libc::SYS_sethostname, [host.as_ptr() as u64, 3, 0, 0, 0, 0]), r#""box", 3"#);
    }

    #[test]
    fn processes_are_made_in_several_ways() {
        let flags = 0x120_0011;
        let clone = decoded(libc::SYS_clone, [flags, 0, 0, 0, 0, 0]);
        assert_eq!(clone, "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD");
        let args: [u64; 8] = [0x4100, 0, 0, 0, 17, 0x7000, 0x9000, 0];
        let clone3 = decoded(libc::SYS_clone3, [args.as_ptr() as u64, 88, 0, 0, 0, 0]);
        assert_eq!(clone3, "{flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7000, stack_size=0x9000}, 88");
    }

    #[test]
    fn numbers_have_their_usual_forms() {
        let path = c"x".as_ptr() as u64;
        assert_eq!(decoded(libc::SYS_mkdirat, [libc::AT_FDCWD as u64, path, 0o755, 0, 0, 0]), r#"AT_FDCWD, "x", 0755"#);
        assert_eq!(errno_name(libc::EINVAL), "EINVAL");
        assert_eq!((signal_name(9), signal_name(0)), ("SIGKILL", "0"));
    }
}
