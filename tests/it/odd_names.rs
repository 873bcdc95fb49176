//! Names of mounts, programs and groups are bytes: one that is not UTF-8 hides nothing else, anywhere.

use crate::{
    harness::{Test, tests},
    support::{self, BOXWRIGHT, tools::text, traced},
};
use boxwright::kernel::{
    groups::{Hierarchies, parse},
    text::is_obeyed,
};
use serde_json::Value;
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        tables_are_whole_beside_a_name_that_is_no_text: [Root, Controller("cpu"), Controller("pids")],
        no_name_reaches_a_terminal_as_a_command: [Root, Controller("cpu"), Tool("ip")],
        a_step_passes_beside_names_that_are_no_text: [Root, Controller("cpu"), Controller("memory"), Controller("pids")],
    ]
}

/// The name of a mount point, a program and a group: a Chinese one that was cut inside a character, as comm cuts it.
const ODD: &[u8] = b"a\xe5\xae\xb9\xe5\x99\xa8\xe6\xbc";

/// A mount namespace in which a file system is mounted on a directory with the odd name, a program with that name runs, and
/// the shell is in a group with that name.
struct Odd {
    dir: tempfile::TempDir,
    groups: Vec<PathBuf>,
}

impl Odd {
    fn new(test: &str) -> Odd {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(OsStr::from_bytes(ODD))).unwrap();
        let group = |controller: &str| {
            let name =
                parse(&format!("{controller}:boxwright-test-odd-{}-{test}-{controller}", std::process::id())).unwrap();
            let mut path = Hierarchies::read().groups(&name).unwrap().remove(0).dir.into_os_string();
            path.push(OsString::from_vec(ODD.into()));
            PathBuf::from(path)
        };
        let groups = vec![group("cpu"), group("pids")];
        groups.iter().for_each(|group| fs::create_dir(group).unwrap());
        Odd { dir, groups }
    }

    /// Runs a script there: `$D` is the odd directory, `$E` an empty one, `$G` the group, `$B` this program.
    fn run(&self, script: &str) -> Output {
        let mounted = self.dir.path().join(OsStr::from_bytes(ODD));
        let before = "mount -t tmpfs odd \"$D\" && cp /bin/sleep \"$D/$N\" && { \"$D/$N\" 1000 & } && \
                      for group in \"$G\" \"$H\"; do echo $$ > \"$group/cgroup.procs\" || exit; done; mkdir \"$D/e\" && export E=$D/e;\n";
        let after = "\nstatus=$?; kill %1; wait; exit $status";
        Command::new("unshare")
            .args(["-m", "--propagation", "private", "bash", "-c", &format!("{before}{script}{after}")])
            .env("D", &mounted)
            .env("N", OsStr::from_bytes(ODD))
            .env("G", &self.groups[0])
            .env("H", &self.groups[1])
            .env("B", BOXWRIGHT)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.groups.iter().for_each(|group| drop(fs::remove_dir(group)));
    }
}

/// A name that sets the title of a terminal, moves its cursor by one byte of C1, and turns the order of letters around.
const HOSTILE: &str = "\u{1b}]0;T\u{7}\u{9b}c\u{202e}";

fn no_name_reaches_a_terminal_as_a_command() {
    let dir = tempfile::tempdir().unwrap();
    // The name is that of a mount, a program, the machine and an interface.
    let before = "ip=$(command -v ip); mkdir \"$D/$N\" && mount -t tmpfs \"$N\" \"$D/$N\" && cp /bin/sleep \"$D/$N/$N\" && \
                  printf %s \"$N\" > /proc/sys/kernel/hostname && $ip link set lo name \"$N\" && \
                  { \"$D/$N/$N\" 1000 & } && ";
    let traced = "-- sh -c 'mkdir \"$D/$N/$N.d\"; mount -t tmpfs none \"$D/$N/$N.d\"; umount \"$D/$N/$N.d\"; \
                  hostname changed; \"$D/$N/$N\" 0; \"$D/$N/missing$N\" 2>/dev/null; true'";
    let cases = [
        ("mount", "on", ""),
        ("ps -ef", "sleep", ""),
        ("ps -e -o comm,args", "COMMAND", ""),
        ("top -b -n1", "COMMAND", ""),
        ("ip addr", "lo", ""),
        ("ipcs", "key", ""),
        ("inspect $!", "Process", ""),
        ("inspect --json $!", "comm", ""),
        ("inspect $$", "Process", ""),
        ("doctor", "kernel", "; true"),
        ("doctor --json", "rows", "; true"),
        ("umount \"$D/$N/none\"", "umount", "; true"),
        ("cgclassify -g \"cpu:$N\" 1", "cgclassify", "; true"),
        ("cgdelete -g \"cpu:$N\"", "cgdelete", "; true"),
        ("clean --dry-run", "", "; true"),
        (&format!("trace {traced} 2>&1"), "mount(", ""),
        (&format!("trace --json {traced} 2>/dev/null"), "mount", ""),
        ("run isolate/plain-process", "uts", ""),
        ("run isolate/plain-process --json", "uts", ""),
        ("--plain isolate/plain-process < \"$D/input\"", "isolate", ""),
    ];
    std::fs::write(dir.path().join("input"), "\n1\n\n1\n\n! hostname; ps -ef\nw\nq\n").unwrap();
    for (command, wanted, after) in cases {
        let output = Command::new("unshare")
            .args(["-mun", "--propagation", "private", "bash", "-c"])
            .arg(format!("{before}\"$B\" {command} 2>&1{after}; status=$?; kill %1; exit $status"))
            .env("D", dir.path())
            .env("N", HOSTILE)
            .env("B", BOXWRIGHT)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let _ = fs::remove_dir(dir.path().join(HOSTILE));
        let said = text(&output.stdout);
        assert!(said.contains(wanted) && output.status.success(), "{command}: {said:?}{}", text(&output.stderr));
        let obeyed = said.chars().filter(|letter| is_obeyed(*letter) && !matches!(letter, '\n' | '\t'));
        assert_eq!(obeyed.collect::<String>(), "", "{command}: {said:?}");
    }
}

/// The odd name as it is shown.
fn shown() -> String {
    String::from_utf8_lossy(ODD).into_owned()
}

fn tables_are_whole_beside_a_name_that_is_no_text() {
    let odd = Odd::new("tables");
    let holds = |script: &str, wanted: &[&str]| {
        let output = odd.run(script);
        let said = text(&output.stdout);
        assert!(output.status.success(), "{script}: {}{said}", text(&output.stderr));
        for wanted in wanted {
            assert!(said.contains(wanted), "{script}: {wanted} is not in {said}");
        }
        said
    };
    let name = shown();
    holds("\"$B\" mount", &[&name, "proc on /proc type proc"]);
    holds(
        "\"$B\" mount -t tmpfs none \"$E\" && \"$B\" umount \"$E\" && mountpoint \"$E\" || true",
        &["is not a mountpoint"],
    );
    holds("\"$B\" ps -e -o comm,args", &[&name, "bash"]);
    holds("\"$B\" top -b -n1", &[&name, "bash"]);
    holds("sleep 100 & \"$B\" inspect $!; kill $!", &[&name, "proc"]);
    holds(
        "\"$B\" cgcreate -g cpu:boxwright-test-odd && \"$B\" cgdelete -g cpu:boxwright-test-odd && echo done",
        &["done"],
    );

    let traced = holds(
        "\"$B\" trace --json -- sh -c 'mount -t tmpfs none \"$E\"; mkdir \"$G/below\"; rmdir \"$G/below\"'",
        &[&format!("\"name\":\"{}\"", traced::DIRECTORIES.0)],
    );
    let events = traced::events(traced.as_bytes());
    let changes = |name: &str| -> Vec<Value> {
        traced::calls(&events, name)
            .iter()
            .flat_map(|call| call["changed"].as_array().cloned().unwrap_or_default())
            .collect()
    };
    assert_eq!(changes("mount").len(), 1, "one mount is one change: {:?}", changes("mount"));
    assert_eq!(changes(traced::DIRECTORIES.0).len(), 1, "{events:?}");
}

fn a_step_passes_beside_names_that_are_no_text() {
    let before = support::host();
    let odd = Odd::new("step");
    let output = odd.run("\"$B\" run isolate/plain-process cgroups/make-one --json");
    let said = text(&output.stdout);
    let passed =
        said.lines().any(|line| line.contains("\"event\":\"summary\"") && line.contains("\"passed\":2,\"failed\":0"));
    assert!(passed && output.status.success(), "{said}{}", text(&output.stderr));
    assert_eq!(support::host(), before);
    assert!(Path::new(&odd.groups[0]).is_dir());
}
