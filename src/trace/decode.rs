//! Writes a call's arguments as strace(1) writes them, but without cutting: paths, strings and argv are whole.

use super::{
    flags::{AT, CLONE, FSCONFIG, FSMOUNT, FSOPEN, MOUNT, MOUNT_ATTR, MOVE_MOUNT, NAMESPACE, OPEN_TREE, UMOUNT},
    memory::Memory,
};
use nix::sys::signal::Signal;

/// The longest text that is read: a path (PATH_MAX).
const LONGEST: usize = 4096;
/// The most words of an argv or environment that are counted.
const MOST: usize = 4096;
/// How much of one argv is shown in all.
const ARGV: usize = 4096;

/// The arguments of a call, as they stand between its parentheses.
pub(super) fn arguments(pid: i32, name: &str, args: &[u64; 6]) -> String {
    let at = Reader(Memory(pid));
    let [a, b, c, d, e, _] = *args;
    match name {
        "unshare" => CLONE.text(a),
        "setns" => format!("{}, {}", a as i32, NAMESPACE.text(c_int(b))),
        "clone" => clone(args),
        "clone3" => at.clone3(a, b),
        "mount" => at.mount(args),
        "umount2" => format!("{}, {}", at.string(a), UMOUNT.text(c_int(b))),
        "pivot_root" => format!("{}, {}", at.string(a), at.string(b)),
        "chroot" | "rmdir" => at.string(a),
        "sethostname" | "setdomainname" => format!("{}, {}", at.counted(a, b), b as i32),
        "mkdir" => format!("{}, {}", at.string(a), mode(b)),
        "mkdirat" => format!("{}, {}, {}", directory(a), at.string(b), mode(c)),
        "unlinkat" => format!("{}, {}, {}", directory(a), at.string(b), AT.text(c_int(c))),
        "execve" => format!("{}, {}, {}", at.string(a), at.argv(b), at.environment(c)),
        "execveat" => {
            let program = format!("{}, {}", directory(a), at.string(b));
            format!("{program}, {}, {}, {}", at.argv(c), at.environment(d), AT.text(c_int(e)))
        }
        "fsopen" => format!("{}, {}", at.string(a), FSOPEN.text(c_int(b))),
        "fsconfig" => at.fsconfig(args),
        "fsmount" => format!("{}, {}, {}", a as i32, FSMOUNT.text(c_int(b)), MOUNT_ATTR.text(c_int(c))),
        "move_mount" => {
            let (from, to) =
                (format!("{}, {}", directory(a), at.string(b)), format!("{}, {}", directory(c), at.string(d)));
            format!("{from}, {to}, {}", MOVE_MOUNT.text(c_int(e)))
        }
        "open_tree" => format!("{}, {}, {}", directory(a), at.string(b), OPEN_TREE.text(c_int(c))),
        "mount_setattr" => {
            format!("{}, {}, {}, {}, {e}", directory(a), at.string(b), AT.text(c_int(c)), at.attributes(d, e))
        }
        "write" => format!("{}, {}, {c}", a as i32, at.counted(b, c)),
        "pwrite64" => format!("{}, {}, {c}, {}", a as i32, at.counted(b, c), d as i64),
        "writev" => format!("{}, {}, {}", a as i32, at.vectors(b, c), c),
        _ => String::new(),
    }
}

/// Whether a clone3 call makes a thread.
pub(super) fn makes_thread(pid: i32, args: &[u64; 6]) -> bool {
    Memory(pid).word(args[0]).is_some_and(|flags| flags & libc::CLONE_THREAD as u64 != 0)
}

/// Whether the maker of a process stands still until that process has called exec or ended (vfork(2)).
pub(super) fn waits_for_child(pid: i32, name: &str, args: &[u64; 6]) -> bool {
    name == "vfork" || clone_flags(pid, name, args) & libc::CLONE_VFORK as u64 != 0
}

/// The flags of a call that makes a process.
pub(super) fn clone_flags(pid: i32, name: &str, args: &[u64; 6]) -> u64 {
    match name {
        "clone" => args[0] & !0xff,
        "clone3" => Memory(pid).word(args[0]).unwrap_or(0),
        _ => 0,
    }
}

/// An argument that the kernel takes as 32 bits.
fn c_int(value: u64) -> u64 {
    u64::from(value as u32)
}

fn mode(value: u64) -> String {
    match value as u32 & 0o177_7777 {
        0 => "000".into(),
        mode => format!("0{mode:03o}"),
    }
}

fn directory(value: u64) -> String {
    match value as i32 {
        libc::AT_FDCWD => "AT_FDCWD".into(),
        fd => fd.to_string(),
    }
}

fn address(value: u64) -> String {
    if value == 0 { "NULL".into() } else { format!("{value:#x}") }
}

fn signal(number: u64) -> String {
    match i32::try_from(number).ok().and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => signal.as_str().into(),
        None => number.to_string(),
    }
}

/// A signal by its name; the real-time ones have none.
pub(super) fn signal_name(signal: i32) -> &'static str {
    Signal::try_from(signal).map_or("SIGRT", Signal::as_str)
}

/// clone(2): the low byte of the flags is the signal that the child sends when it ends. The last two arguments have
/// swapped places on x86-64.
fn clone(args: &[u64; 6]) -> String {
    let [flags, stack, parent, d, e, _] = *args;
    let (child, tls) = if cfg!(target_arch = "x86_64") { (d, e) } else { (e, d) };
    let (bits, low) = (flags & 0xffff_ff00, flags & 0xff);
    let mut text = match (bits, low) {
        (_, 0) => CLONE.text(bits),
        (0, _) => signal(low),
        _ => format!("{}|{}", CLONE.text(bits), signal(low)),
    };
    text = format!("child_stack={}, flags={text}", address(stack));
    if flags & 0x10_1000 != 0 {
        text += &format!(", parent_tid={}", address(parent));
    }
    if flags & 0x8_0000 != 0 {
        text += &format!(", tls={}", address(tls));
    }
    if flags & 0x120_0000 != 0 {
        text += &format!(", child_tidptr={}", address(child));
    }
    text
}

/// The bytes between quotes, escaped as in C.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => text += "\\\"",
            b'\\' => text += "\\\\",
            b'\n' => text += "\\n",
            b'\t' => text += "\\t",
            b'\r' => text += "\\r",
            0x0b => text += "\\v",
            0x0c => text += "\\f",
            b' '..=b'~' => text.push(char::from(byte)),
            // A digit behind a short octal number would read as a part of it.
            _ if bytes.get(index + 1).is_some_and(|next| matches!(next, b'0'..=b'7')) => {
                text += &format!("\\{byte:03o}")
            }
            _ => text += &format!("\\{byte:o}"),
        }
    }
    text + "\""
}

struct Reader(Memory);

impl Reader {
    fn string(&self, at: u64) -> String {
        match self.0.text(at, LONGEST) {
            Some((text, more)) => quoted(&text) + if more { "..." } else { "" },
            None => address(at),
        }
    }

    fn counted(&self, at: u64, len: u64) -> String {
        let len = len as usize;
        match self.0.bytes(at, len.min(LONGEST)) {
            Some(bytes) if len <= LONGEST || at != 0 => quoted(&bytes) + if len > LONGEST { "..." } else { "" },
            _ => address(at),
        }
    }

    fn argv(&self, at: u64) -> String {
        let Some(words) = (at != 0).then(|| self.0.words(at, MOST)).flatten() else { return address(at) };
        let mut parts = Vec::new();
        let mut size = 0;
        for word in words {
            if size > ARGV {
                parts.push("...".into());
                break;
            }
            let part = self.string(word);
            size += part.len();
            parts.push(part);
        }
        format!("[{}]", parts.join(", "))
    }

    fn environment(&self, at: u64) -> String {
        match (at != 0).then(|| self.0.words(at, MOST)).flatten() {
            Some(words) => format!("{at:#x} /* {} var{} */", words.len(), if words.len() == 1 { "" } else { "s" }),
            None => address(at),
        }
    }

    /// mount(2): what a call with these flags does not look at is shown as an address.
    fn mount(&self, args: &[u64; 6]) -> String {
        let [source, target, kind, flags, data, _] = *args;
        let old = flags & 0xffff_0000 == 0xc0ed_0000;
        let flags = if old { flags & 0xffff } else { flags };
        let remount = flags & (1 << 5) != 0;
        let other = !remount && flags & (1 << 12 | 1 << 13 | 0b1111 << 17) != 0;
        let show = |at, ignored| if ignored { address(at) } else { self.string(at) };
        let bits = match (old, flags) {
            (true, 0) => "MS_MGC_VAL".into(),
            (true, _) => format!("MS_MGC_VAL|{}", MOUNT.text(flags)),
            (false, _) => MOUNT.text(flags),
        };
        let names = format!("{}, {}", self.string(source), self.string(target));
        format!("{names}, {}, {bits}, {}", show(kind, remount || other), show(data, other))
    }

    fn fsconfig(&self, args: &[u64; 6]) -> String {
        let [fd, command, key, value, aux, _] = *args;
        let command = c_int(command);
        let value = match command {
            1 | 3 | 4 => self.string(value),
            2 => match self.0.bytes(value, (aux as u32 as usize).min(LONGEST)) {
                Some(bytes) => format!("\"{}\"", bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>()),
                None => address(value),
            },
            _ => address(value),
        };
        let key = if command <= 5 { self.string(key) } else { address(key) };
        let aux = if matches!(command, 3 | 4) { directory(aux) } else { (aux as i32).to_string() };
        format!("{}, {}, {key}, {value}, {aux}", fd as i32, FSCONFIG.value(command))
    }

    fn attributes(&self, at: u64, size: u64) -> String {
        let field = |index: u64| self.0.word(at + 8 * index).filter(|_| size >= 32);
        let (Some(set), Some(clear), Some(propagation), Some(user)) = (field(0), field(1), field(2), field(3)) else {
            return address(at);
        };
        let propagation = if propagation == 0 { "0 /* MS_??? */".into() } else { MOUNT.text(propagation) };
        let (set, clear) = (MOUNT_ATTR.text(set), MOUNT_ATTR.text(clear));
        format!("{{attr_set={set}, attr_clr={clear}, propagation={propagation}, userns_fd={user}}}")
    }

    /// clone3(2): only the fields that the flags make count.
    fn clone3(&self, at: u64, size: u64) -> String {
        let field = |index: u64| if size >= 8 * (index + 1) { self.0.word(at + 8 * index) } else { Some(0) };
        let Some(flags) = field(0) else { return format!("{}, {size}", address(at)) };
        let field = |index| field(index).unwrap_or(0);
        let mut parts = vec![format!("flags={}", CLONE.text(flags))];
        let mut show = |wanted: u64, name: &str, index| {
            if flags & wanted != 0 {
                parts.push(format!("{name}={}", address(field(index))));
            }
        };
        show(0x1000, "pidfd", 1);
        show(0x120_0000, "child_tid", 2);
        show(0x10_0000, "parent_tid", 3);
        let size_text = if field(6) == 0 { "0".into() } else { format!("{:#x}", field(6)) };
        let exit = if field(4) == 0 { "0".into() } else { signal(field(4)) };
        parts.push(format!("exit_signal={exit}, stack={}, stack_size={size_text}", address(field(5))));
        if flags & 0x8_0000 != 0 {
            parts.push(format!("tls={}", address(field(7))));
        }
        if field(8) != 0 || field(9) != 0 {
            let list: Vec<String> = (0..field(9).min(32))
                .filter_map(|index| self.0.bytes(field(8) + 4 * index, 4)?.try_into().ok())
                .map(|bytes| i32::from_ne_bytes(bytes).to_string())
                .collect();
            parts.push(format!("set_tid=[{}], set_tid_size={}", list.join(", "), field(9)));
        }
        if flags & 0x2_0000_0000 != 0 {
            parts.push(format!("cgroup={}", field(10)));
        }
        format!("{{{}}}, {size}", parts.join(", "))
    }

    fn vectors(&self, at: u64, count: u64) -> String {
        let part = |index: u64| {
            let (base, len) = (self.0.word(at + 16 * index)?, self.0.word(at + 16 * index + 8)?);
            Some(format!("{{iov_base={}, iov_len={len}}}", self.counted(base, len)))
        };
        match (0..count.min(64)).map(part).collect::<Option<Vec<_>>>() {
            Some(parts) => format!("[{}]", parts.join(", ")),
            None => address(at),
        }
    }
}

/// An error by its name (errno(3)).
pub(super) fn errno_name(errno: i32) -> &'static str {
    ERRNOS.iter().find(|(known, _)| *known == errno).map_or("ERRNO", |(_, name)| name)
}

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

const ERRNOS: &[(i32, &str)] = errnos!(
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
    ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT
    EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT
    ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC
    EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT
    EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET
    ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS
    ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED
    EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
);

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
