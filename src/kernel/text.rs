//! The one reader of the kernel's text (proc(5), cgroups(7)), which is bytes.
//!
//! A mount point, a program's name or a group can hold any byte but NUL, and a reader that insists on UTF-8 fails on the
//! whole table for one of them. clippy.toml forbids the strict ones of the standard library.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Reads a file of the kernel's; what is not UTF-8 in it becomes U+FFFD.
///
/// Such a file says that it is empty, so that whoever trusts its size begins with a read of a few bytes, and the kernel
/// makes the whole text again for each. Nearly all of them fit into one page.
///
/// Errors: those of open(2) and read(2). What cannot be read is unknown: callers must not take it for an empty table.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    read_all(File::open(path)?)
}

/// The same for what is open already.
pub fn read_all(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(4096);
    from.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(of(bytes))
}

/// The text of these bytes.
pub fn of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_byte_hides_nothing_else() {
        assert_eq!(
            read_all(&b"tmpfs /bad\xff tmpfs\nproc /proc proc\n"[..]).unwrap(),
            "tmpfs /bad\u{fffd} tmpfs\nproc /proc proc\n"
        );
        // A Chinese name that was cut after 15 bytes, in the middle of a character.
        assert_eq!(of("a容器演示程".as_bytes()[..15].to_vec()), "a容器演示\u{fffd}");
        assert!(read("/proc/self/status").unwrap().starts_with("Name:"));
        assert!(read("/proc/none").is_err());
    }
}
