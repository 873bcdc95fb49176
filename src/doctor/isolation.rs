//! Namespaces, mounts, the tracer and `/proc`: the calls themselves, each tried in a child.

use super::attempt::{Failure, attempt};
use super::machine::{Machine, sysctl};
use super::{LESSONS, Level, Row};
use crate::kernel::namespaces::{Kind, TABLE};
use crate::lang::Lang;
use crate::observe::ISOLATING;
use nix::errno::Errno;

/// One row for each thing that lessons do to namespaces and mounts.
pub fn rows(machine: &Machine, lang: Lang) -> Vec<Row> {
    let mut rows: Vec<Row> = TABLE.iter().map(|row| namespace(row.kind, machine, lang)).collect();
    rows.push(mount_proc(machine, lang));
    let pivot = lang.pick("pivot_root", "pivot_root");
    rows.push(tried(pivot, "pivot_root", &["rootfs"], machine, lang, |failure| {
        let initramfs = lang.pick(
            "the root file system is the initramfs, which cannot be pivoted away from: chroot lessons still work",
            "根文件系统是 initramfs，不能用 pivot_root 离开：chroot 部分仍可做",
        );
        (failure.errno() == Some(Errno::EINVAL)).then(|| initramfs.to_string())
    }));
    rows.push(tried("setns", "setns", &["nsenter", "together"], machine, lang, |_| None));
    rows.extend(tracer(machine, lang));
    rows.push(own_proc(lang));
    rows.extend(sysctls(lang));
    rows
}

fn works(lang: Lang) -> &'static str {
    lang.pick("works", "可用")
}

fn tried(
    check: &str,
    what: &str,
    lessons: &'static [&'static str],
    machine: &Machine,
    lang: Lang,
    special: impl Fn(&Failure) -> Option<String>,
) -> Row {
    match attempt(what) {
        Ok(()) => Row::ok(check, works(lang)).needed_by(lessons),
        Err(failure) => {
            let remedy = special(&failure).unwrap_or_else(|| machine.remedy(failure.errno(), None, lang));
            Row::bad(Level::Missing, check, failure.describe(), remedy).needed_by(lessons)
        }
    }
}

fn namespace(kind: Kind, machine: &Machine, lang: Lang) -> Row {
    let check = format!("{} {kind}", lang.pick("namespace", "命名空间"));
    match attempt(kind.row().link) {
        Ok(()) if machine.root || kind == Kind::User => Row::ok(check, works(lang)),
        Ok(()) => Row::ok(check, lang.pick("works, in a user namespace of its own", "可用（在自己的用户命名空间里）")),
        Err(failure) => {
            // The lessons need five kinds; without root the user namespace is the door to all of them.
            let needed = ISOLATING.contains(&kind) || kind == Kind::User && !machine.root;
            let level = if needed { Level::Missing } else { Level::Limited };
            Row::bad(level, check, failure.describe(), machine.remedy(failure.errno(), Some(kind), lang))
        }
    }
    .needed_by(&LESSONS)
}

/// Inside an ordinary container parts of `/proc` are covered, and the kernel then refuses a new, uncovered one.
fn mount_proc(machine: &Machine, lang: Lang) -> Row {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let covered = covered(&table);
    let row = tried(
        lang.pick("mount a new /proc", "挂载新的 /proc"),
        "proc",
        &["isolate", "together"],
        machine,
        lang,
        |failure| {
            let masked = lang.pick(
                "parts of /proc are covered here, so the kernel refuses a new one",
                "这里的 /proc 有部分被遮住，内核因此拒绝新的",
            );
            let advice = lang.pick(
                "docker run --security-opt systempaths=unconfined",
                "docker run --security-opt systempaths=unconfined",
            );
            (failure.errno() == Some(Errno::EPERM) && !covered.is_empty())
                .then(|| format!("{masked} ({}); {advice}", covered.join(" ")))
        },
    );
    // Everything but the steps about /proc can still be done, with ps showing the outer processes.
    if row.level == Level::Missing && !covered.is_empty() { Row { level: Level::Limited, ..row } } else { row }
}

/// The mount points below `/proc`, other than the one that binfmt_misc has by right.
fn covered(mountinfo: &str) -> Vec<String> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .filter(|point| point.starts_with("/proc/") && *point != "/proc/sys/fs/binfmt_misc")
        .map(String::from)
        .collect()
}

/// Without the tracer every lesson still works, only without the pane of system calls.
fn tracer(machine: &Machine, lang: Lang) -> Vec<Row> {
    let without = lang.pick("lessons work, but without the system calls pane", "课程可以做，但没有系统调用面板");
    let row = |check: &str, what: &str, more: Option<String>| {
        let row = tried(check, what, &[], machine, lang, |_| None);
        let found = more.map_or(row.found.clone(), |more| format!("{}, {more}", row.found));
        let remedy = row.remedy.as_ref().map(|remedy| format!("{without}; {remedy}"));
        let level = row.level.min(Level::Limited);
        Row { found, remedy, level, ..row }
    };
    let yama = sysctl("kernel.yama.ptrace_scope").map(|scope| format!("kernel.yama.ptrace_scope = {scope}"));
    vec![row("ptrace", "ptrace", yama), row(lang.pick("seccomp filter", "seccomp 过滤器"), "seccomp", None)]
}

/// A `/proc` mounted from another PID namespace (a slip with shared mounts) makes every tool lie.
fn own_proc(lang: Lang) -> Row {
    let check = lang.pick("/proc is our own", "/proc 属于本机");
    match std::fs::read_link("/proc/self") {
        Ok(target) if target.to_string_lossy() == std::process::id().to_string() => {
            Row::ok(check, lang.pick("yes", "是"))
        }
        other => {
            let found = other.map_or_else(
                |error| crate::kernel::errno::why_io(&error),
                |target| format!("/proc/self -> {}", target.display()),
            );
            let remedy = lang.pick(
                "it shows another PID namespace; mount it again: umount /proc, or mount -t proc proc /proc",
                "它显示的是别的 PID 命名空间；重新挂载：umount /proc，或 mount -t proc proc /proc",
            );
            Row::bad(Level::Missing, check, found, remedy).needed_by(&LESSONS)
        }
    }
}

/// The switches that distributions add, with their values; a row only where the kernel has the file.
fn sysctls(lang: Lang) -> Vec<Row> {
    let row = |name: &str, closed: &str| {
        let value = sysctl(name)?;
        let found = format!("{name} = {value}");
        let check = lang.pick("user namespaces", "用户命名空间开关");
        Some(match value == closed && !nix::unistd::geteuid().is_root() {
            true => Row::bad(
                Level::Limited,
                check,
                found,
                lang.pick(
                    "without root no lesson can make namespaces: sudo boxwright",
                    "不是 root 就建不了命名空间：sudo boxwright",
                ),
            ),
            false => Row::ok(check, found),
        })
    };
    [
        row("user.max_user_namespaces", "0"),
        row("kernel.unprivileged_userns_clone", "0"),
        row("kernel.apparmor_restrict_unprivileged_userns", "1"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_proc_is_named() {
        let table = "22 27 0:21 / /proc rw - proc proc rw\n\
                     31 22 0:5 /null /proc/timer_list rw - devtmpfs udev rw\n\
                     32 22 0:6 / /proc/sys/fs/binfmt_misc rw - binfmt_misc b rw\n";
        assert_eq!(covered(table), ["/proc/timer_list"]);
    }
}
