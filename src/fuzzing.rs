//! What the targets in fuzz/ reach of this program's inside: its readers, each with what must hold whatever they read.

use crate::{
    kernel::{
        cgroups, groups, mountinfo, namespaces, process,
        text::{self, is_obeyed},
    },
    lesson, observe, trace,
};

/// Reads bytes as every text of the kernel's that there is, and as a name in those that hold one.
///
/// Panics where a reader does, where a name comes back changed, and where a terminal would obey what is written of it.
pub fn kernel_text(bytes: &[u8]) {
    let text = text::of(bytes.to_vec());
    let mounts = mountinfo::parse_with_options(&text);
    let (hierarchies, memberships) = (cgroups::hierarchies(&mounts), cgroups::parse_membership(&text));
    let _ = (cgroups::mode(&hierarchies), cgroups::mounted_from_outside(&hierarchies, "cpu"));
    for controller in ["cpu", ""] {
        let place = cgroups::place(&hierarchies, &memberships, controller);
        let _ = place.as_ref().map(|place| place.dir(&place.path));
    }
    let _ = (process::parse(&text), process::parse_call(&text), namespaces::parse_link(&text), groups::parse(&text));
    observe::read_any(&text);
    shown(bytes, &text);
    named(bytes);
}

/// What is written of a name for people.
fn shown(bytes: &[u8], text: &str) {
    let lines = text::safe(text);
    assert!(lines.split(['\n', '\t']).all(|line| !line.chars().any(is_obeyed)), "{lines:?}");
    for line in [text::printable(text), text::shown(bytes), text::json(&text).unwrap_or_default()] {
        assert!(!line.chars().any(is_obeyed), "{line:?}");
    }
}

/// The kernel writes a name as it is into `stat` and `cgroup`, and escapes it in `mountinfo`.
fn named(bytes: &[u8]) {
    let name: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, 0 | b'\n')).collect();
    let known = text::of(name.clone());
    let stat = format!("7 ({known}) S 3 7 7 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 4242 0 0{}", " 0".repeat(28));
    let process = process::parse(&stat).map(|stat| (stat.comm, stat.ppid, stat.starttime));
    assert_eq!(process, Some((known.clone(), 3, 4242)));
    let membership = cgroups::parse_membership(&format!("4:memory:/{known}\n0::/{known}\n"));
    assert!(membership.iter().all(|membership| membership.path == format!("/{known}")));
    assert_eq!(membership.len(), 2);
    let escaped: String = known
        .chars()
        .map(|letter| match letter {
            ' ' | '\t' | '#' | '\\' => format!("\\{:03o}", u32::from(letter)),
            other => other.to_string(),
        })
        .collect();
    let line = format!("31 22 0:5 / /{escaped} rw shared:1 master:2 - tmpfs {escaped} rw,size=1k\n");
    let mounts = mountinfo::parse(&line);
    assert_eq!(mounts.len(), 1, "{line:?}");
    assert!(mounts.iter().all(|mount| mount.point == format!("/{known}") && mount.source == known), "{line:?}");
}

/// Decodes a call with these registers, of a 64-bit program or one of i386, whose pointers lead into our own memory.
///
/// Panics where decoding does, where what is written of the call would be obeyed by a terminal, and where it does not come back
/// from a recording as it was.
pub fn call(number: u64, i386: bool, registers: [u64; 6]) {
    let Some(call) = trace::any_call(number, i386, registers) else { return };
    assert!(!call.args_text().chars().any(is_obeyed), "{:?}", call.args_text());
    let stored = serde_json::to_string(&call).unwrap_or_default();
    assert_eq!(serde_json::from_str::<trace::Call>(&stored).ok(), Some(call), "{stored}");
}

/// How many calls are known by name.
pub fn calls() -> usize {
    trace::known_calls()
}

/// Reads a lesson.
///
/// Panics where reading does, and where a problem stands outside the text.
pub fn lesson(text: &str) {
    let problems = lesson::parse("lessons/any/en.md", text).err().unwrap_or_default();
    // One line more: what is missing stands behind the last one.
    let lines = text.split('\n').count() + 1;
    for problem in problems {
        assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{problem:?} of {lines} lines");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn the_readers_take_what_this_kernel_writes_of_us() {
        for name in ["mountinfo", "cgroup", "stat", "status", "net/tcp", "net/dev"] {
            super::kernel_text(&fs::read(format!("/proc/self/{name}")).unwrap());
        }
        super::kernel_text("a name\\ of \u{1b}[31m 容器) R 1".as_bytes());
    }

    #[test]
    fn every_known_call_is_decoded_from_our_own_memory() {
        let text = *b"/proc\0 \x1b[31m and no end of it";
        for number in 0..super::calls() as u64 {
            super::call(number, false, [text.as_ptr() as u64; 6]);
        }
        for number in 0..512 {
            super::call(number, true, [3; 6]);
        }
    }

    #[test]
    fn lessons_are_read_whole_and_cut_off() {
        let text = include_str!("../lessons/isolate/zh.md");
        super::lesson(text);
        super::lesson(&text.chars().take(text.chars().count() / 2).collect::<String>());
    }
}
