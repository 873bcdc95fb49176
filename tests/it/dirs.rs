//! Which directory a session goes to on machines that mount things as stock distributions do, what happens where none is
//! right, and whose directories are left alone. Everything is mounted in a mount namespace of its own.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    tests![
        the_mounts_of_stock_distributions_stop_no_step: [Root],
        the_doctor_names_the_directory_with_its_flags_and_its_room: [Root],
        where_no_program_starts_that_is_said_at_once: [Root],
        what_a_directory_cannot_do_is_skipped_with_the_reason: [Root],
        a_user_goes_where_programs_start: [Root],
        what_an_earlier_session_left_elsewhere_is_found: [Root],
        root_makes_nothing_in_a_home_that_is_not_roots: [Root],
        a_users_own_cache_is_kept_as_before: [Root],
        tar_stops_listing_what_failed_and_names_the_full_file_system: [Root],
        a_full_disk_ends_a_session_that_leaves_nothing: [Root],
        mount_says_that_an_overlay_stands_on_another: [Root],
    ]
}

/// An ordinary user, by number: nothing in the user database is needed.
const USER: u32 = 12_345;

/// Every directory that sessions may use, each a file system of its own: enough for all lessons.
const DISKS: &str = "for dir in /var/lib /var/tmp /run /tmp; do mount -t tmpfs -o mode=1777,size=600m disk $dir; done
    chmod 755 /var/lib /run\n";

/// Where a script finds the program and its home directory, wherever the tests were built.
const BW: &str = "/mnt/bin/boxwright";
const HOME: &str = "/mnt/home";

/// Runs a script in a mount namespace of its own, with `$BW` as the program; `home` becomes the home directory.
fn script(home: &Path, lines: &str) -> Output {
    let bin = Path::new(BOXWRIGHT).parent().unwrap();
    let lines = format!(
        "mount -t tmpfs -o mode=755 place /mnt; mkdir /mnt/bin {HOME}
         mount --bind {} /mnt/bin; mount --bind {} {HOME}\n{lines}",
        bin.display(),
        home.display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-ec", &lines]).env("BW", BW).env("HOME", HOME);
    for name in ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME", "SUDO_UID", "SUDO_GID", "TMPDIR"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8").output().unwrap()
}

/// A home directory, which is ours alone.
fn home() -> tempfile::TempDir {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The doctor's row about the directory, from its JSON.
fn row(output: &Output) -> Value {
    let line = text(&output.stdout);
    let report: Value = serde_json::from_str(line.trim()).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["check"] == "run directory").unwrap().clone()
}

/// The outcomes of a headless run as `LESSON/STEP outcome reason`.
fn outcomes(output: &Output) -> Vec<String> {
    let events = text(&output.stdout);
    let events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let word = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_string();
    events
        .filter(|event| event["event"] == "outcome")
        .map(|event| {
            let [lesson, step, outcome, reason] =
                ["lesson", "step", "outcome", "reason"].map(|name| word(&event, name));
            format!("{lesson}/{step} {outcome} {reason}").trim().to_string()
        })
        .collect()
}

/// The steps that a directory with the wrong flags fails, one for each flag.
const STEPS: &str = "rootfs/chroot rootfs/proc-and-dev rootfs/overlay";

fn the_mounts_of_stock_distributions_stop_no_step() {
    for run in ["nosuid,nodev,noexec,size=10%,mode=0755", "nosuid,nodev,size=20%,mode=755"] {
        let home = home();
        let lines = format!(
            "{DISKS} umount /run; mount -t tmpfs -o {run} tmpfs /run; mount -o remount,nosuid,nodev /tmp
             $BW run --json --patience 8 {STEPS}; ls -A /var/lib /run /tmp /var/tmp >&2"
        );
        let output = script(home.path(), &lines);
        let passed = ["rootfs/chroot passed", "rootfs/proc-and-dev passed", "rootfs/overlay passed"];
        assert_eq!(outcomes(&output), passed, "{run}: {}", text(&output.stderr));
        let left = text(&output.stderr).lines().filter(|line| line.contains("boxwright")).count();
        assert_eq!(left, 0, "not even the directory around it is left: {}", text(&output.stderr));
    }
}

fn the_doctor_names_the_directory_with_its_flags_and_its_room() {
    let home = home();
    let looked = |more: &str, options: &str| {
        row(&script(home.path(), &format!("{DISKS} {more}\n $BW doctor --json {options} || [ $? = 3 ]")))
    };
    let found = |row: &Value| row["found"].as_str().unwrap().to_string();
    let fits = looked("", "");
    assert_eq!(fits["level"], "ok", "{fits}");
    assert!(found(&fits).starts_with("/var/lib/boxwright: tmpfs on /var/lib, rw,relatime, "), "{fits}");
    assert!(found(&fits).ends_with(" MiB free"), "{fits}");

    let second = looked("mount -o remount,noexec /var/lib; mount -o remount,nodev /var/tmp", "");
    assert!(second["level"] == "ok" && found(&second).starts_with("/run: "), "{second}");

    // An image that is larger than all of them.
    let image = home.path().join("large.tar");
    fs::File::create(&image).unwrap().set_len(300 << 20).unwrap();
    let large = looked("", &format!("--image docker-archive:{HOME}/large.tar"));
    assert_eq!(large["level"], "limited", "{large}");
    assert!(large["remedy"].as_str().unwrap().contains("MiB free, 900.0 MiB needed"), "{large}");

    let full = looked("mount -o remount,size=1m /var/lib", "");
    assert!(found(&full).starts_with("/var/tmp: "), "{full}");
}

fn where_no_program_starts_that_is_said_at_once() {
    let home = home();
    let closed = format!("{DISKS} for dir in /var/lib /var/tmp /run /tmp; do mount -o remount,noexec $dir; done\n");
    let run = script(home.path(), &format!("{closed} $BW run rootfs"));
    let said = text(&run.stderr);
    assert_eq!((run.status.code(), text(&run.stdout).as_str()), (Some(3), ""), "{said}");
    assert!(said.starts_with("boxwright: no program can be started in a session's directory: "), "{said}");
    assert!(said.contains("noexec") && said.contains("mount -o remount,exec /var/lib"), "{said}");
    let zh = text(&script(home.path(), &format!("{closed} $BW --lang zh run together")).stderr);
    assert!(zh.contains("会话目录里无法启动程序") && zh.contains("noexec"), "{zh}");

    let other = script(home.path(), &format!("{closed} $BW run --json --patience 8 isolate/plain-process"));
    assert_eq!(outcomes(&other), ["isolate/plain-process passed"], "{}", text(&other.stderr));
    let mixed =
        script(home.path(), &format!("{closed} $BW run --json --patience 8 isolate/plain-process rootfs/chroot"));
    let [passed, skipped] = outcomes(&mixed).try_into().unwrap_or_else(|_| panic!("{mixed:?}"));
    assert_eq!((passed.as_str(), mixed.status.code()), ("isolate/plain-process passed", Some(0)));
    assert!(skipped.starts_with("rootfs/chroot skipped ") && skipped.contains("noexec"), "{skipped}");
    let row = row(&script(home.path(), &format!("{closed} $BW doctor --json || [ $? = 3 ]")));
    let wanted = serde_json::json!(["rootfs", "nsenter", "together", "rootless", "runtime", "fix"]);
    assert_eq!((&row["level"], &row["lessons"]), (&"missing".into(), &wanted));

    // And with the remedy that is always possible.
    let mended = format!(
        "{closed} mkdir $HOME/d; mount -t tmpfs -o mode=700 tmpfs $HOME/d
         XDG_RUNTIME_DIR=$HOME/d $BW run --json --patience 8 rootfs/chroot"
    );
    let mended = script(home.path(), &mended);
    assert_eq!(outcomes(&mended), ["rootfs/chroot passed"], "{}", text(&mended.stderr));
}

fn what_a_directory_cannot_do_is_skipped_with_the_reason() {
    let home = home();
    let overlay = format!(
        "{DISKS} mkdir -p /run/o/l; for dir in /var/lib /var/tmp /tmp; do mkdir -p /run/o$dir/u /run/o$dir/w
         mount -t overlay -o lowerdir=/run/o/l,upperdir=/run/o$dir/u,workdir=/run/o$dir/w root $dir; done
         chmod 1777 /var/tmp /tmp; mount -o remount,noexec /run\n"
    );
    let skipped = script(home.path(), &format!("{overlay} $BW run --json rootfs/overlay || [ $? = 3 ]"));
    let [told] = outcomes(&skipped).try_into().unwrap_or_else(|_| panic!("{skipped:?}"));
    assert!(
        told.starts_with("rootfs/overlay skipped the file system of /var/lib/boxwright is itself an overlay"),
        "{told}"
    );
    assert!(told.contains("mount(overlay): Invalid argument (EINVAL)") && told.contains("tmpfs"), "{told}");

    let devices = format!("{DISKS} for dir in /var/lib /var/tmp /run /tmp; do mount -o remount,nodev $dir; done\n");
    let skipped = script(home.path(), &format!("{devices} $BW run --json rootfs/proc-and-dev || [ $? = 3 ]"));
    let [told] = outcomes(&skipped).try_into().unwrap_or_else(|_| panic!("{skipped:?}"));
    assert!(told.starts_with("rootfs/proc-and-dev skipped /var/lib/boxwright: nodev: "), "{told}");
    assert!(told.contains("open(null): Permission denied (EACCES)") && told.contains("remount,dev"), "{told}");
}

fn a_user_goes_where_programs_start() {
    let home = home();
    chown(home.path(), Some(USER), Some(USER)).unwrap();
    let user = format!("setpriv --reuid {USER} --regid {USER} --clear-groups env XDG_RUNTIME_DIR=/run/user/dev");
    // What WSL 2 does, and what systemd does.
    for (options, base) in [
        ("nosuid,nodev,noexec,mode=755", format!("{HOME}/.cache/boxwright: ")),
        ("nosuid,nodev,mode=700", "/run/user/dev: tmpfs on /run/user/dev, rw,nosuid,nodev,relatime, ".to_string()),
    ] {
        let lines = format!(
            "{DISKS} mkdir -p /run/user/dev; mount -t tmpfs -o {options},uid={USER},gid={USER} none /run/user/dev
             {user} $BW doctor --json || [ $? = 3 ]"
        );
        let row = row(&script(home.path(), &lines));
        assert!(row["level"] == "ok" && row["found"].as_str().unwrap().starts_with(&base), "{options}: {row}");
    }
}

fn what_an_earlier_session_left_elsewhere_is_found() {
    let home = home();
    for base in ["/var/tmp", "/run", "/tmp", "/run/user/0", "/var/lib/boxwright"] {
        let name = "boxwright-0-0123456789ab";
        let lines = format!(
            "{DISKS} mkdir -pm 700 {base}; mkdir -p /var/tmp/{name}/bin /var/tmp/{name}/work
             printf 'boxwright ledger 1\\n+ run_dir /var/tmp/{name}\\n' >{base}/{name}.ledger
             chmod 600 {base}/{name}.ledger; $BW clean; ls -A /var/tmp {base} /var/lib >&2"
        );
        let output = script(home.path(), &lines);
        assert_eq!(text(&output.stdout), format!("removed run directory /var/tmp/{name}\n"), "{base}");
        assert!(!text(&output.stderr).contains("boxwright-"), "{base}: {}", text(&output.stderr));
    }
}

fn root_makes_nothing_in_a_home_that_is_not_roots() {
    let victim = home();
    for link in [None, Some(".cache"), Some(".cache/boxwright"), Some(".local"), Some(".local/state")] {
        let home = home();
        if let Some(link) = link {
            let link = home.path().join(link);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink("/mnt/victim", &link).unwrap();
        }
        for made in [home.path().to_path_buf(), home.path().join(".cache"), home.path().join(".local")] {
            if fs::symlink_metadata(&made).is_ok_and(|metadata| metadata.is_dir()) {
                chown(made, Some(USER), Some(USER)).unwrap();
            }
        }
        let before = tree(home.path());
        // root's own home is covered, so that nothing stays there; the variables are those that sudo -E keeps.
        let lines = format!(
            "mkdir /mnt/victim; mount --bind {} /mnt/victim
             mount -t tmpfs -o mode=700 root /root; mkdir /root/here; cd /root/here
             export SUDO_UID={USER} SUDO_GID={USER} TMPDIR=$HOME
             $BW skopeo copy -q builtin: dir:one; XDG_CACHE_HOME=$HOME/.cache $BW skopeo copy -q builtin: dir:two
             unset SUDO_UID SUDO_GID; $BW skopeo copy -q builtin: dir:three; $BW doctor >/dev/null || [ $? = 3 ]
             ls -A /root/.cache/boxwright",
            victim.path().display()
        );
        let output = script(home.path(), &lines);
        assert!(output.status.success() && text(&output.stdout).starts_with("image-"), "{link:?}: {output:?}");
        assert_eq!(text(&output.stderr), "", "{link:?}: it is not told");
        assert_eq!(tree(home.path()), before, "{link:?}");
        assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 0, "{link:?}");
    }
}

/// Every name below a directory with its owner and mode; links are not followed.
fn tree(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        all.push(format!("{} {} {:o}", entry.path().display(), metadata.uid(), metadata.mode()));
        if metadata.is_dir() {
            all.extend(tree(&entry.path()));
        }
    }
    all.sort();
    all
}

fn a_users_own_cache_is_kept_as_before() {
    let home = home();
    chown(home.path(), Some(USER), Some(USER)).unwrap();
    let user = format!("setpriv --reuid {USER} --regid {USER} --clear-groups");
    let output = script(home.path(), &format!("cd $HOME; {user} $BW skopeo copy -q builtin: dir:one"));
    assert!(output.status.success(), "{output:?}");
    let cache = home.path().join(".cache");
    for dir in [&cache, &cache.join("boxwright")] {
        let metadata = fs::metadata(dir).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (USER, 0o700));
    }
}

fn tar_stops_listing_what_failed_and_names_the_full_file_system() {
    let home = home();
    let lines = format!(
        "cd $HOME; mkdir many disk; for n in $(seq 300); do head -c 8192 /dev/zero >many/$n; done; tar -cf many.tar many
         mount -t tmpfs -o size=1m tmpfs disk; {BOXWRIGHT} tar -xf many.tar -C disk || echo $?"
    );
    let output = script(home.path(), &lines);
    let said = text(&output.stderr);
    assert_eq!(text(&output.stdout), "2\n", "{said}");
    assert_eq!(said.matches("ENOSPC").count(), 10, "{said}");
    let more = said.lines().find(|line| line.contains(" more that failed")).unwrap_or_else(|| panic!("{said}"));
    let more: u32 = more.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((100..300).contains(&more), "{said}");
    assert!(said.contains("disk (tmpfs): 0 B free of 1.0 MiB"), "{said}");
    assert!(said.lines().count() < 16, "{said}");
}

/// Wherever a session may go there is less room than its image takes.
fn a_full_disk_ends_a_session_that_leaves_nothing() {
    let home = home();
    let lines = "for dir in /var/lib /var/tmp /run /tmp $HOME; do mount -t tmpfs -o mode=1777,size=4m disk $dir; done
        chmod 755 /var/lib /run
        $BW run rootfs/unpack --json --lang en || echo $?
        find /var/lib /var/tmp /run /tmp -mindepth 1 ! -empty >&2; $BW clean >&2";
    let output = script(home.path(), lines);
    let (told, left) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(told.lines().last(), Some("1"), "{told}{left}");
    let events = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (outputs, others): (Vec<Value>, Vec<Value>) = events.partition(|event| event["event"] == "output");
    // The tool says what is full, and how much it would take.
    assert!(outputs.iter().any(|event| event["text"].as_str().unwrap().contains("ENOSPC")), "{outputs:?}");
    let outcome = others.iter().find(|event| event["event"] == "outcome").unwrap();
    assert!(outcome["reason"].as_str().unwrap().ends_with("and says why; --image names another image"), "{outcome}");
    assert!(!left.contains("boxwright-0-") && left.contains("Nothing is left"), "{left}");
}

fn mount_says_that_an_overlay_stands_on_another() {
    let home = home();
    let lines = "cd $HOME; mkdir top; mount -t tmpfs tmpfs top; cd top; mkdir l u w m
         mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m; cd m; mkdir l u w m
         $BW mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m || echo $?
         cd ..; mkdir u2 other; mount -t tmpfs tmpfs other; mkdir other/w
         $BW mount -t overlay -o lowerdir=l,upperdir=u2,workdir=other/w o m || echo $?";
    let output = script(home.path(), lines);
    assert_eq!(text(&output.stdout), "32\n32\n", "{output:?}");
    let said = text(&output.stderr);
    assert!(said.contains("EINVAL") && said.contains("upperdir=u is on an overlay itself, mounted on "), "{said}");
    assert!(said.contains("upperdir and workdir must be on one file system"), "{said}");
}
