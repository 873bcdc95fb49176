//! Names of mounts, programs and groups are bytes: one that is not UTF-8 hides nothing else, anywhere.

use crate::{
    harness::{Test, tests},
    support::{self, BOXWRIGHT, tools::text, traced},
};
use boxwright::kernel::groups::{Hierarchies, parse};
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
        &["\"name\":\"mkdir\""],
    );
    let events = traced::events(traced.as_bytes());
    let changes = |name: &str| -> Vec<Value> {
        traced::calls(&events, name)
            .iter()
            .flat_map(|call| call["changed"].as_array().cloned().unwrap_or_default())
            .collect()
    };
    assert_eq!(changes("mount").len(), 1, "one mount is one change: {:?}", changes("mount"));
    assert_eq!(changes("mkdir").len(), 1, "{events:?}");
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
