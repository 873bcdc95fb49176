//! chroot and pivot_root beside the distribution's, with the same arguments, on a real kernel.

use crate::harness::{Test, tests};
use crate::support::tools::{calls, error, run, same_end, words};
use crate::support::{ours, theirs};
use std::{
    fs,
    io::Write,
    os::fd::AsRawFd,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        chroot_is_the_fields_chroot: [Root, Tool("strace"), Tool("chroot")],
        chroot_becomes_the_user_that_it_is_told: [Root, Tool("strace"), Tool("chroot")],
        chroot_without_a_command_finds_a_shell_and_explains_a_missing_loader: [Root],
        pivot_root_fails_and_works_as_the_fields_and_says_why: [Root, Tool("pivot_root")],
    ]
}

/// A directory with programs and the libraries that they need, to be a root.
fn root_with(programs: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let copy = |from: &str| {
        let to = root.path().join(from.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    for program in programs {
        copy(program);
        let needs = run(Path::new("ldd"), &[program]).stdout;
        String::from_utf8(needs).unwrap().split_whitespace().filter(|word| word.starts_with('/')).for_each(copy);
    }
    root
}

fn chroot_is_the_fields_chroot() {
    let root = root_with(&["/bin/sh"]);
    let place = root.path().to_str().unwrap();
    fs::write(root.path().join("plain"), "").unwrap();
    for args in [
        &[place, "/bin/sh", "-c", "pwd; echo /*; exit 3"][..],
        &[place, "/bin/sh", "-c", "kill -9 $$"],
        &[place, "/no/such/program"],
        &[place, "no-such-program"],
        &[place, "/plain"],
        &[place, "/bin"],
        &["/no/such/root", "sh"],
        &["/etc/passwd", "sh"],
        &["--", place, "sh", "-c", "exit 4"],
        &[],
        &["--frob", place],
    ] {
        same_end("chroot", args);
    }
    let (bin, args) = (ours(), [place, "/bin/sh", "-c", "exit 0"]);
    let (ours, other) = (calls(&bin.path().join("chroot"), &args), theirs("chroot"));
    assert_eq!(ours, calls(&other, &args));
    assert_eq!(ours[..2], [format!("chroot(\"{place}\")"), "chdir(\"/\")".into()]);
}

fn chroot_becomes_the_user_that_it_is_told() {
    let place = tempfile::tempdir().unwrap();
    let bare = place.path().to_str().unwrap();
    for args in [
        &["--userspec=daemon", "/", "id"][..],
        &["--userspec=daemon:", "/", "id"],
        &["--userspec=1:+7", "/", "id"],
        &["--userspec=:7", "/", "id"],
        &["--userspec=987654:7", "/", "id"],
        &["--userspec=", "/", "id"],
        &["--userspec=:", "/", "id"],
        &["--groups=", "/", "id"],
        &["--groups=daemon,7", "/", "id"],
        &["--groups=daemon,", "--userspec=bin", "/", "id"],
        &["--skip-chdir", "/", "pwd"],
        &["--skip-chdir", "/usr", "pwd"],
        &["--userspec=nosuch", "/", "id"],
        &["--userspec=daemon:nosuch", "/", "id"],
        &["--userspec=987654", "/", "id"],
        &["--groups=daemon,nosuch", "/", "id"],
        &["--groups=,", "/", "id"],
        &["--groups=4294967295", "/", "id"],
        &["--userspec=daemon", "/", "no-such-program"],
        &["--userspec=daemon", "/", "/etc/passwd"],
        &["--userspec=daemon:7", bare, "/bin/id"],
        &["--userspec"],
    ] {
        same_end("chroot", args);
    }
    // In the order in which the kernel still lets us.
    let (strace, other) = (theirs("strace"), theirs("chroot"));
    let gives_up = |chroot: &Path| {
        let filter = ["-qq", "-e", "trace=chroot,chdir,setgroups,setgid,setuid"];
        let command = ["--userspec=daemon:7", "--groups=1,7", "/", "true"];
        let output = Command::new(&strace).args(filter).arg(chroot).args(command).output().unwrap();
        words(&error(&output)).join(" ")
    };
    let ours = gives_up(&ours().path().join("chroot"));
    assert_eq!(ours, gives_up(&other));
    assert!(ours.ends_with("setgroups(2, [1, 7]) = 0 setgid(7) = 0 setuid(1) = 0"), "{ours}");
}

fn chroot_without_a_command_finds_a_shell_and_explains_a_missing_loader() {
    let (bin, root) = (ours(), root_with(&["/bin/sh"]));
    // Theirs would fail here: it takes $SHELL as it is. A learner's shell is seldom in the new root, /bin/sh mostly is.
    let mut chroot = Command::new(bin.path().join("chroot"))
        .arg(root.path())
        .env("SHELL", "/bin/fancy-shell")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    chroot.stdin.take().unwrap().write_all(b"pwd\nexit 6\n").unwrap();
    let output = chroot.wait_with_output().unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("/\n", Some(6)));

    let bare = tempfile::tempdir().unwrap();
    fs::create_dir(bare.path().join("bin")).unwrap();
    fs::copy("/bin/sh", bare.path().join("bin/sh")).unwrap();
    fs::write(bare.path().join("bin/script"), "#!/usr/bin/python3 -u\n").unwrap();
    fs::set_permissions(bare.path().join("bin/script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (program, why) in [
        ("/bin/sh", "not the interpreter that it names: /"),
        ("sh", "not the interpreter that it names: /"),
        ("/bin/script", "not the interpreter that it names: /usr/bin/python3"),
        ("/bin/ls", "no /bin/ls in this root directory"),
    ] {
        let output =
            Command::new(bin.path().join("chroot")).arg(bare.path()).arg(program).env("PATH", "/usr/bin:/bin").output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(127));
        assert!(error(&output).contains("(ENOENT)") && error(&output).contains(why), "{program}: {}", error(&output));
    }
}

/// A directory on the root mount itself, as pivot_root(2) sees it: `/tmp` often is a mount of its own.
fn on_the_root_mount() -> tempfile::TempDir {
    let mount = |dir: &str| -> Option<String> {
        let dir = fs::File::open(dir).ok()?;
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", dir.as_raw_fd())).ok()?;
        info.lines().find(|line| line.starts_with("mnt_id:")).map(String::from)
    };
    let base =
        ["/tmp", "/var/tmp", "/var/lib", "/opt", "/srv", "/root", "/"].iter().find(|dir| mount(dir) == mount("/"));
    tempfile::tempdir_in(base.unwrap()).unwrap()
}

/// Each attempt in a mount namespace of its own; PIVOT is the tool.
const PIVOTS: &[(&str, &str)] = &[
    ("mkdir new/old; $PIVOT new new/old", "is on the current root mount, and must be a separate mount: mount --bind"),
    ("mount -t tmpfs t new; $PIVOT new old", "old is on the current root mount; the old root must go to"),
    ("mount -t tmpfs t new; mkdir new/sub; $PIVOT new/sub new/sub", "new/sub is not a mount point: mount --bind"),
    ("mount -t tmpfs t new; mount -t tmpfs o old; $PIVOT new old", "old is not at or below"),
    ("mount -t tmpfs t new; mkdir new/old; mount --make-shared new; $PIVOT new new/old", "is shared with other"),
    ("mount -t tmpfs t new; mkdir new/old; mount --make-shared /; $PIVOT new new/old", "the parent mount of"),
    ("mount -t tmpfs t new; $PIVOT new /etc/passwd", "/etc/passwd is not a directory"),
    ("mount -t tmpfs t new; $PIVOT new new/old", "new/old does not exist: mkdir new/old"),
    ("$PIVOT new", "pivot_root NEW_ROOT PUT_OLD"),
    ("mount -t tmpfs t new; mkdir new/old; $PIVOT new new/old && cd / && echo *", ""),
    ("mount -t tmpfs t new; cd new; $PIVOT . . && echo done", ""),
];

fn pivot_root_fails_and_works_as_the_fields_and_says_why() {
    let bin = ours();
    for (script, why) in PIVOTS {
        let attempt = |tool: &Path| {
            let dir = on_the_root_mount();
            fs::create_dir(dir.path().join("new")).unwrap();
            fs::create_dir(dir.path().join("old")).unwrap();
            Command::new("unshare")
                .args(["-m", "--propagation", "private", "sh", "-c", script])
                .current_dir(dir.path())
                .env("PIVOT", tool)
                .env("LC_ALL", "C")
                .output()
                .unwrap()
        };
        let ours = attempt(&bin.path().join("pivot_root"));
        assert_eq!(why.is_empty(), ours.stderr.is_empty(), "{script}: {ours:?}");
        assert!(error(&ours).contains(why), "{script}: {}", error(&ours));
        let theirs = attempt(&theirs("pivot_root"));
        assert_eq!((ours.status.code(), &ours.stdout), (theirs.status.code(), &theirs.stdout), "{script}: {theirs:?}");
    }
}
