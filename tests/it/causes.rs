//! Causes are read from the state of the machine: what is shown where something fails is true there.

use crate::{
    harness::{Test, tests},
    support::{BOXWRIGHT, tools::text},
};
use std::process::{Command, Stdio};

pub fn tests() -> Vec<Test> {
    tests![
        every_refusal_names_its_cause: [Root, Controller("memory"), Tool("setpriv")],
        a_chroot_and_a_machine_without_proc_are_known: [Root],
        a_hierarchy_of_another_cgroup_namespace_is_known: [Root],
    ]
}

/// What a shell command prints, in namespaces of its own; `$B` is this program.
fn said(flags: &str, script: &str) -> String {
    let output = Command::new("unshare")
        .args([flags, "--propagation", "private", "bash", "-c", script])
        .env("B", BOXWRIGHT)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

fn every_refusal_names_its_cause() {
    let group = format!("boxwright-test-causes-{}", std::process::id());
    let limited = format!(
        "$B cgcreate -g memory:{group} || exit; dir=$($B cgget -r cgroup.procs {group} 2>&1 | sed -n 's/^  \\(.*\\)\\/cgroup.procs$/\\1/p' | head -1);"
    );
    let removed = format!("; $B cgdelete -g memory:{group}");
    let grouped = |script: &str| format!("{limited}{script}{removed}");
    for (script, wanted) in [
        (grouped(&format!("$B cgset -r cgroup.procs=1 {group}")), "belongs to each hierarchy, not to a controller"),
        (grouped(&format!("$B cgget -r notify_on_release {group}")), "belongs to each hierarchy, not to a controller"),
        (
            grouped("$B trace -- sh -c \"echo 1 > $dir/memory.none\""),
            "/memory.none\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = -1 E",
        ),
        ("$B unshare -p $B unshare -p true".into(), "only the children of this process"),
        (
            "$B unshare -p $B trace -- true".into(),
            "clone3: Invalid argument (EINVAL)\n  only the children of this process",
        ),
        (
            "setpriv --reuid 65534 --regid 65534 --clear-groups $B unshare -Urm $B mount -t sysfs sysfs /mnt".into(),
            "sysfs shows the network namespace",
        ),
        (
            "unshare -p sh -c 'sleep 0.1 & exec sleep 9' & sleep 0.5; $B nsenter -t $! -p true; kill $!".into(),
            "only its children are in another",
        ),
        ("$B nsenter -t $$ -a true".into(), "in the same namespaces as this process"),
        ("$B nsenter -t $$ -u true".into(), "in the same namespaces as this process"),
        ("unshare -p sh -c '$B nsenter -t $$ -p true'".into(), "only our own PID namespace and those below it"),
    ] {
        let said = said("-m", &script);
        assert!(said.contains(wanted), "{script}: {said}");
    }
}

fn a_chroot_and_a_machine_without_proc_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().display();
    let mounted = format!("mount --rbind / {root} && mount --make-rprivate {root} && ");
    let chrooted = said("-m", &format!("{mounted} chroot {root} $B doctor"));
    assert!(chrooted.contains("in a chroot the kernel makes no user namespace"), "{chrooted}");
    // Whatever came of it is told of each, and no other cause.
    let refused = chrooted.matches("unshare(CLONE_NEWUSER").count();
    assert!(refused > 1 && chrooted.matches("in a chroot the kernel makes").count() == refused, "{chrooted}");
    assert!(!said("-m", "$B doctor").contains("in a chroot"), "the same machine outside of it");
    // What nsenter leads out of is not called possible there, and so not tried.
    let not_here = chrooted.lines().find(|line| line.contains("runtime") && line.contains("of 10 steps"));
    assert!(not_here.is_some_and(|line| line.contains("the namespace's root")), "{chrooted}");
    let run = said("-m", &format!("{mounted} chroot {root} $B run runtime"));
    assert!(run.contains(" 0 failed") && run.contains("this is a chroot: nsenter -m leads out of it"), "{run}");
    let bare = said("-m", &format!("{mounted} umount -l {root}/proc; chroot {root} $B doctor"));
    assert!(bare.contains("mount -t proc proc /proc") && !bare.contains("user namespace"), "{bare}");
}

fn a_hierarchy_of_another_cgroup_namespace_is_known() {
    // Only in a group of one's own is the new namespace's root another one.
    let group = format!("boxwright-test-causes-{}", std::process::id());
    let told = said(
        "-m",
        &format!(
            "$B cgcreate -g memory:{group} && $B cgexec -g memory:{group} unshare -C $B doctor; $B cgdelete -g memory:{group}"
        ),
    );
    assert!(told.contains("as seen from outside of this cgroup namespace"), "{told}");
    assert!(told.contains("umount /sys/fs/cgroup/memory; mount -t cgroup -o memory cgroup"), "{told}");
}
