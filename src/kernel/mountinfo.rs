//! Mounts from `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).
//!
//! They are read by hand: procfs leaves `\040` in a name with a blank, gives no mount at all where one line is not as it
//! expects, and takes 1.14 times as long for 20 mounts (`cargo bench --bench sampling`).

use serde::{Deserialize, Serialize};

/// One mount of a mount namespace (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mount {
    /// The mount's ID.
    pub id: u32,
    /// The ID of the mount that it stands on.
    pub parent: u32,
    /// The file system's device, as `MAJOR:MINOR`. Together with [`Mount::root`] it says which tree is mounted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The directory of the file system that is mounted here.
    pub root: String,
    /// Where it is mounted, as the process sees it.
    pub point: String,
    /// The file system type.
    pub kind: String,
    /// The source, such as a device.
    pub source: String,
    /// `shared`, `slave`, `shared,slave`, `unbindable`, or empty for private.
    pub propagation: String,
    /// Whether nothing can be written through it: by its own flag, or by that of its file system.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

impl Mount {
    /// Whether what is mounted on it appears in its peers, too.
    pub(crate) fn is_shared(&self) -> bool {
        self.propagation.starts_with("shared")
    }
}

/// Reads every line of a mountinfo file, each with the file system's own options, which cgroup v1 names controllers in.
pub(crate) fn parse_with_options(text: &str) -> Vec<(Mount, String)> {
    text.lines().filter_map(parse_line).collect()
}

/// Reads every line of a mountinfo file.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).map(|(mount, _)| mount).collect()
}

/// The mounts that this process sees; the newest last.
pub(crate) fn own() -> Vec<Mount> {
    parse(&super::text::read("/proc/self/mountinfo").unwrap_or_default())
}

fn parse_line(line: &str) -> Option<(Mount, String)> {
    // The number of optional fields varies, and " - " ends them; a blank inside a name is always escaped.
    let (left, right) = line.split_once(" - ")?;
    let mut fields = left.split(' ');
    let (id, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let device = fields.next()?.to_string();
    let (root, point) = (unescape(fields.next()?), unescape(fields.next()?));
    let flags = fields.next()?;
    let optional: Vec<&str> = fields.collect();
    let mut rest = right.split(' ');
    let (kind, source) = (unescape(rest.next()?), unescape(rest.next()?));
    let options = rest.next().unwrap_or_default().to_string();
    let read_only = [flags, &options].iter().any(|all| all.split(',').any(|flag| flag == "ro"));
    let propagation = propagation(&optional);
    Some((Mount { id, parent, device, root, point, kind, source, propagation, read_only }, options))
}

/// A mount can be shared and a slave at once: it passes on what it gets from its master.
fn propagation(optional: &[&str]) -> String {
    let has = |prefix: &str| optional.iter().any(|field| field.starts_with(prefix));
    match () {
        () if has("shared:") && has("master:") => "shared,slave",
        () if has("shared:") => "shared",
        () if has("master:") => "slave",
        () if has("unbindable") => "unbindable",
        () => "",
    }
    .to_string()
}

/// Undoes the kernel's escapes: a blank, tab, newline, `#` and backslash stand as three octal digits.
pub(crate) fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&unescape_bytes(text.as_bytes())).into_owned()
}

/// The same for a name that need not be text.
pub(crate) fn unescape_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'\\')
            .then(|| bytes.get(at + 1..at + 4))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 4 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURE: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
36 27 254:0 /srv/a\\040b /mnt/a\\040b rw,relatime shared:7 master:1 - ext4 /dev/vda rw
37 27 0:31 / /mnt/x rw master:3 propagate_from:2 - tmpfs none\\134 rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
broken line
";

    #[test]
    fn every_kind_of_line_is_read() {
        let mounts = parse(CAPTURE);
        assert_eq!(mounts.len(), 5);
        assert_eq!((mounts[0].kind.as_str(), mounts[0].device.as_str()), ("proc", "0:21"));
        assert_eq!((mounts[1].id, mounts[1].parent, mounts[1].propagation.as_str()), (27, 1, "shared"));
        assert_eq!(mounts[2].propagation, "shared,slave");
        let shared: Vec<bool> = mounts.iter().map(Mount::is_shared).collect();
        assert_eq!(shared, [false, true, true, false, false]);
        assert_eq!((mounts[2].root.as_str(), mounts[2].point.as_str()), ("/srv/a b", "/mnt/a b"));
        assert_eq!((mounts[3].propagation.as_str(), mounts[3].source.as_str()), ("slave", "none\\"));
        assert_eq!(parse_with_options(CAPTURE)[4].1, "rw,memory");
        assert!(mounts.iter().all(|mount| !mount.read_only));
        let protected =
            parse("38 22 0:21 /sys /proc/sys ro,relatime - proc proc rw\n39 27 7:0 / /a rw - squashfs a ro\n");
        assert!(protected.len() == 2 && protected.iter().all(|mount| mount.read_only));
    }

    #[test]
    fn a_mount_that_cannot_be_bound_is_told_from_a_private_one() {
        assert_eq!(propagation(&["unbindable"]), "unbindable");
        assert_eq!((propagation(&[]), propagation(&["propagate_from:2"])), (String::new(), String::new()));
    }

    #[test]
    fn this_process_sees_a_proc() {
        assert!(own().iter().any(|mount| mount.point == "/proc" && mount.kind == "proc"));
    }

    #[test]
    fn a_lone_backslash_stays() {
        assert_eq!(unescape("a\\"), "a\\");
        assert_eq!(unescape("\\999"), "\\999");
        assert_eq!(unescape("\\344\\270\\255"), "中");
    }
}
