//! The one reader of the kernel's text (proc(5), cgroups(7)), which is bytes, and the one way out of it to people.
//!
//! A mount point, a program's name or a group can hold any byte but NUL, and a reader that insists on UTF-8 fails on the
//! whole table for one of them. clippy.toml forbids the strict ones of the standard library. The same names can hold escape
//! sequences, which would write into the clipboard of the reader.
//!
//! What procfs can parse, it is given as text ([`read_as`]). By hand is read what it does not know, such as `fdinfo`, `uid_map`,
//! `/proc/swaps` and most of `/proc/sys`, and what it reads otherwise than is wanted, as the pages of those modules say.

use procfs::FromRead;
use serde::Serialize;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Reads a file of the kernel's; what is not UTF-8 in it becomes U+FFFD.
///
/// Such a file says that it is empty, so that a reader that trusts its size begins with a read of a few bytes, and the
/// kernel makes the whole text again for each. Nearly all of them fit into one page.
///
/// Errors: those of open(2) and read(2). What cannot be read is unknown: callers must not take it for an empty table.
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<String> {
    read_all(File::open(path)?)
}

/// The same for what is open already.
pub(crate) fn read_all(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(4096);
    from.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(of(bytes))
}

/// What procfs makes of a file of `/proc`. It insists on UTF-8 in most of them, so that it is given what [`read`] reads.
///
/// Errors: those of [`read`]; one that no system call has made where the text is another one than procfs expects.
pub(crate) fn read_as<T: FromRead>(path: impl AsRef<Path>) -> io::Result<T> {
    T::from_read(read(path)?.as_bytes()).map_err(io::Error::other)
}

/// What stands behind a name in lines such as those of `/proc/PID/status` and `fdinfo`.
pub(crate) fn field<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The text of these bytes.
pub(crate) fn of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}

/// Whether a terminal obeys a character instead of showing it, or shows others in another order or on another line for it.
pub fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A name for people, on one line: what would be obeyed is written as an escape.
pub(crate) fn printable(name: &str) -> String {
    escaped(name, |_| false)
}

/// Some lines for people: the same, but that tabs and the ends of lines stay.
pub(crate) fn safe(lines: &str) -> String {
    escaped(lines, |letter| matches!(letter, '\n' | '\t'))
}

fn escaped(text: &str, stays: fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_obeyed(letter) && !stays(letter) { out.extend(letter.escape_default()) } else { out.push(letter) }
    }
    out
}

/// A path or a name for people that is bytes still: those that are no text are escapes, too.
pub(crate) fn shown(name: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        printable(chunk.valid()) + &invalid
    };
    name.utf8_chunks().map(chunk).collect()
}

/// One line of JSON for a terminal or a pipe: also DEL, C1 and what reorders text is escaped in it, which JSON allows to stand
/// for itself.
///
/// Errors: those of the value's own serialization.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    let mut out = String::with_capacity(text.len());
    // Such a character can only stand inside a string, and all of them are in the first plane.
    for letter in text.chars() {
        if is_obeyed(letter) { out.push_str(&format!("\\u{:04x}", u32::from(letter))) } else { out.push(letter) }
    }
    Ok(out)
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

    #[test]
    fn a_field_has_its_whole_name() {
        let status = "Name:\tx\nSeccomp_filters:\t1\nSeccomp:\t2\nGroups:\t 4 24 \n";
        assert_eq!(["Seccomp", "Groups", "Uid"].map(|name| field(status, name)), [Some("2"), Some("4 24"), None]);
    }

    #[test]
    fn what_procfs_does_not_expect_is_no_error_of_the_kernel() {
        assert!(read_as::<procfs::Meminfo>("/proc/meminfo").unwrap().mem_total > 0);
        assert!(read_as::<procfs::Meminfo>("/proc/self/comm").unwrap_err().raw_os_error().is_none());
        assert_eq!(read_as::<procfs::Meminfo>("/proc/none").unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn nothing_that_a_terminal_obeys_comes_out() {
        let hostile = "a\x1b]52;c;eA==\x07b\u{9b}6n\x7f\u{202e}c\n\t";
        assert_eq!(printable(hostile), r"a\u{1b}]52;c;eA==\u{7}b\u{9b}6n\u{7f}\u{202e}c\n\t");
        assert!(safe(hostile).ends_with("c\n\t") && !safe(hostile).contains('\x1b'));
        assert_eq!(shown(b"a\xff\x1bb"), r"a\xff\u{1b}b");
        let line = json(&hostile).unwrap();
        assert!(!line.chars().any(is_obeyed), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
        assert_eq!(printable("容器 é"), "容器 é");
    }
}
