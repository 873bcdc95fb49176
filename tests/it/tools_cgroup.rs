//! The control group tools beside libcgroup's, on the hierarchies that this machine has. Every group that is made here has
//! the test's own name, and goes when the test ends.

use crate::harness::{Test, tests};
use crate::{
    harness::declared,
    needs::Need,
    support::{self, BOXWRIGHT, for_everybody},
};
use boxwright::kernel::groups::{Group, Hierarchies, listed, parse};
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_group_is_made_in_every_hierarchy_and_removed_from_every_one: [Root, Controller("cpu"), Controller("cpuacct"), Controller("memory")],
        values_are_what_libcgroup_sets_and_shows: [Root, Controller("cpu"), Controller("memory"), Tool("cgget")],
        every_value_is_one_write: [Root, Controller("memory"), Tool("strace")],
        a_program_runs_in_the_groups_from_its_first_instruction_on: [Root, Controller("cpu"), Controller("memory"), Controller("pids")],
        a_group_with_a_process_is_busy_and_says_whose: [Root, Controller("cpu"), Controller("memory")],
        a_refused_value_is_explained: [Root, Controller("cpu"), Controller("memory"), Tool("cgset")],
        a_new_cpuset_can_be_joined: [Root, Controller("cpuset")],
        a_quota_makes_a_busy_program_wait: [Root, Controller("cpu")],
        swap_is_not_limited_before_memory: [Root, Controller("memory"), Swap],
        too_much_memory_ends_by_the_kernels_hand: [Root, Controller("memory")],
        wrong_command_lines_end_as_libcgroups: [Tool("cgcreate"), Tool("cgset"), Tool("cgget"), Tool("cgexec"), Tool("cgclassify")],
        a_user_without_rights_is_told_so: [Root, Controller("cpu"), Tool("setpriv")],
        doctor_tells_a_read_only_hierarchy_from_one_that_is_not_there: [Root, Controller("cpu"), Controller("memory"), Controller("pids")],
    ]
}

/// A name that no other test has, and the removal of its groups.
struct Name(String);

impl Name {
    /// Groups of these controllers, which the test has declared.
    fn new(test: &str, controllers: &[&'static str]) -> Name {
        controllers.iter().for_each(|name| declared(&Need::Controller(name)));
        Name(format!("boxwright-test-{}-{}", std::process::id(), test.replace(' ', "-")))
    }

    fn in_groups(&self, controllers: &str) -> String {
        format!("{controllers}:{}", self.0)
    }

    fn group(&self, controller: &str) -> Group {
        Hierarchies::read().groups(&parse(&self.in_groups(controller)).unwrap()).unwrap().remove(0)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.group(file.split('.').next().unwrap()).dir.join(file)).unwrap().trim().to_string()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let all = Hierarchies::read().groups(&parse(&self.in_groups("*")).unwrap()).unwrap();
        for group in all.iter().filter(|group| group.dir.exists()) {
            for child in fs::read_dir(&group.dir).unwrap().flatten().filter(|entry| entry.file_type().unwrap().is_dir())
            {
                fs::remove_dir(child.path()).unwrap();
            }
            fs::remove_dir(&group.dir).unwrap();
        }
    }
}

fn ours(args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).args(args).stdin(Stdio::null()).output().unwrap()
}

fn good(args: &[&str]) -> String {
    let output = ours(args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The same of libcgroup's tools.
fn theirs(tool: &'static str, args: &[&str]) -> Output {
    Command::new(support::theirs(tool)).args(args).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A process that does nothing, ended when this is dropped.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Self {
        Sleeper(Command::new("sleep").arg("600").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn a_group_is_made_in_every_hierarchy_and_removed_from_every_one() {
    let name = Name::new("made and removed", &["cpu", "cpuacct", "memory"]);
    let groups = name.in_groups("cpu,cpuacct,memory");
    good(&["cgcreate", "-g", &groups]);
    // Making what is there already is no mistake.
    good(&["cgcreate", "-g", &groups]);
    assert!(["cpu", "cpuacct", "memory"].iter().all(|controller| name.group(controller).dir.is_dir()));
    good(&["cgdelete", "-g", &groups]);
    assert!(["cpu", "cpuacct", "memory"].iter().all(|controller| !name.group(controller).dir.exists()));
    let again = ours(&["cgdelete", "-g", &groups]);
    assert_eq!(again.status.code(), Some(96));
    assert!(said(&again).contains("(ENOENT)"), "{}", said(&again));
}

fn values_are_what_libcgroup_sets_and_shows() {
    let name = Name::new("values", &["cpu", "memory"]);
    good(&["cgcreate", "-g", &name.in_groups("cpu,memory")]);
    let v1 = name.group("memory").version == 1 && name.group("cpu").version == 1;
    let (quota, memory) = if v1 { ("cpu.cfs_quota_us", "memory.limit_in_bytes") } else { ("cpu.max", "memory.max") };
    let half = if v1 { "50000" } else { "50000 100000" };
    good(&["cgset", "-r", &format!("{quota}={half}"), "-r", &format!("{memory}=10M"), &name.0]);
    assert_eq!((name.read(quota).as_str(), name.read(memory).as_str()), (half, "10485760"));
    for show in [
        vec!["cgget", "-r", quota, "-r", memory, &name.0],
        vec!["cgget", "-n", "-r", quota, &name.0],
        vec!["cgget", "-v", "-n", "-r", memory, &name.0],
    ] {
        let theirs = theirs("cgget", &show[1..]);
        assert_eq!(good(&show), String::from_utf8_lossy(&theirs.stdout), "{show:?}");
    }
    // The names of the other version mean the same group.
    let both = ["cpu.cfs_quota_us", "cpu.cfs_period_us", "memory.limit_in_bytes", "cpu.max", "memory.max"];
    let values = both.map(|file| good(&["cgget", "-n", "-v", "-r", file, &name.0]).trim().to_string());
    assert_eq!(values, ["50000", "100000", "10485760", "50000 100000", "10485760"]);
    let other = if v1 { "cpu.max=20000 100000" } else { "cpu.cfs_quota_us=20000" };
    let output = ours(&["cgset", "-r", other, &name.0]);
    assert!(output.status.success() && said(&output).contains(quota), "{}", said(&output));
    assert!(name.read(quota).starts_with("20000"));
}

fn every_value_is_one_write() {
    let name = Name::new("one write", &["memory"]);
    good(&["cgcreate", "-g", &name.in_groups("memory")]);
    let v1 = name.group("memory").version == 1;
    let file = if v1 { "memory.limit_in_bytes" } else { "memory.max" };
    let log = tempfile::NamedTempFile::new().unwrap();
    let strace =
        ["-y", "-e", "trace=write,pwrite64,writev", "-o", log.path().to_str().unwrap(), BOXWRIGHT, "cgset", "-r"];
    let output = Command::new(support::theirs("strace"))
        .args(strace)
        .arg(format!("{file}=10485760"))
        .arg(&name.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let log = fs::read_to_string(log.path()).unwrap();
    let writes: Vec<&str> = log.lines().filter(|line| line.contains("/cgroup")).collect();
    assert_eq!(writes.len(), 1, "{log}");
    assert!(writes[0].contains("\"10485760\", 8) = 8"), "{log}");
}

fn a_program_runs_in_the_groups_from_its_first_instruction_on() {
    let name = Name::new("cgexec", &["cpu", "memory", "pids"]);
    let groups = name.in_groups("cpu,memory,pids");
    let early = ours(&["cgexec", "-g", &groups, "true"]);
    assert_eq!(early.status.code(), Some(82));
    assert!(said(&early).contains("cgcreate -g"), "{}", said(&early));
    good(&["cgcreate", "-g", &groups]);
    let inside = good(&["cgexec", "-g", &groups, "cat", "/proc/self/cgroup"]);
    for controller in ["cpu", "memory", "pids"] {
        let v1 = name.group(controller).version == 1;
        let line = inside.lines().find(|line| match line.split(':').nth(1) {
            Some("") => !v1,
            names => v1 && names.is_some_and(|names| names.split(',').any(|known| known == controller)),
        });
        assert!(line.is_some_and(|line| line.ends_with(&format!("/{}", name.0))), "{controller}: {inside}");
    }
    assert_eq!(ours(&["cgexec", "-g", &groups, "sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(ours(&["cgexec", "-g", &groups, "/nonexistent"]).status.code(), Some(127));
    // The pids controller refuses the second process.
    good(&["cgset", "-r", "pids.max=1", &name.0]);
    let bomb = ours(&["cgexec", "-g", &groups, BOXWRIGHT, "hog", "fork", "5"]);
    assert!(said(&bomb).contains("(EAGAIN)"), "{}", said(&bomb));
}

fn a_group_with_a_process_is_busy_and_says_whose() {
    let name = Name::new("busy", &["cpu", "memory"]);
    let groups = name.in_groups("cpu,memory");
    good(&["cgcreate", "-g", &groups]);
    let sleeper = Sleeper::new();
    good(&["cgclassify", "-g", &groups, &sleeper.pid()]);
    let dir = name.group("memory").dir;
    // Not by cgcreate: in version 2 a group that hands memory down may hold no process.
    fs::create_dir(dir.join("below")).unwrap();
    assert!(listed(&dir.join("cgroup.procs")).any(|pid| pid == sleeper.pid()));
    let busy = ours(&["cgdelete", "-r", "-g", &groups]);
    assert_eq!(busy.status.code(), Some(96));
    assert!(said(&busy).contains(&format!("{} (sleep)", sleeper.pid())), "{}", said(&busy));
    // What had no process in it was removed all the same, and the rest follows.
    assert!(dir.is_dir() && !dir.join("below").exists());
    drop(sleeper);
    good(&["cgdelete", "-g", &groups]);
    assert!(!dir.exists());
}

fn a_refused_value_is_explained() {
    let name = Name::new("refused", &["cpu", "memory"]);
    good(&["cgcreate", "-g", &name.in_groups("cpu,memory")]);
    let refused = |setting: &str, status: i32, why: &str| {
        let args = ["cgset", "-r", setting, &name.0];
        let output = ours(&args);
        assert_eq!(output.status.code(), Some(status), "{setting}: {}", said(&output));
        assert!(said(&output).contains(why), "{setting}: {}", said(&output));
        let theirs = theirs("cgset", &args[1..]);
        if has_the_known_statuses() {
            assert_eq!(theirs.status.code(), Some(status), "libcgroup: {setting}: {}", said(&theirs));
        }
    };
    refused("nosuch.thing=1", 84, "no controller nosuch");
    refused("cpu.nosuch=1", 95, "groups of cpu do not have this file here");
    if name.group("cpu").version == 1 {
        refused("cpu.cfs_quota_us=999", 96, "at least 1000 microseconds");
    }
    if name.group("memory").version == 1 && name.group("memory").dir.join("memory.memsw.limit_in_bytes").exists() {
        good(&["cgset", "-r", "memory.limit_in_bytes=10M", &name.0]);
        refused("memory.memsw.limit_in_bytes=5M", 96, "set memory.limit_in_bytes first");
        good(&["cgset", "-r", "memory.memsw.limit_in_bytes=10M", &name.0]);
        refused("memory.limit_in_bytes=20M", 96, "set memory.memsw.limit_in_bytes first");
    }
    let rounded = ours(&["cgset", "-r", "memory.max=5000001", &name.0]);
    assert!(rounded.status.success() && said(&rounded).contains("made 4997120 of 5000001"), "{}", said(&rounded));
}

fn a_new_cpuset_can_be_joined() {
    let name = Name::new("cpuset", &["cpuset"]);
    good(&["cgcreate", "-g", &format!("cpuset:{}/below", name.0)]);
    good(&["cgexec", "-g", &format!("cpuset:{}/below", name.0), "true"]);
}

fn a_quota_makes_a_busy_program_wait() {
    let name = Name::new("quota", &["cpu"]);
    let throttled = || {
        let stat = name.read("cpu.stat");
        stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.parse::<u64>().ok()).unwrap()
    };
    good(&["cgcreate", "-g", &name.in_groups("cpu")]);
    // So little that a busy machine leaves it more than that.
    good(&["cgset", "-r", "cpu.max=5000 100000", &name.0]);
    let before = throttled();
    good(&["cgexec", "-g", &name.in_groups("cpu"), BOXWRIGHT, "hog", "cpu", "1"]);
    assert!(throttled() > before, "{}", name.read("cpu.stat"));
}

fn swap_is_not_limited_before_memory() {
    let name = Name::new("swap", &["memory"]);
    good(&["cgcreate", "-g", &name.in_groups("memory")]);
    let dir = name.group("memory").dir;
    assert!(["memory.memsw.limit_in_bytes", "memory.swap.max"].iter().any(|file| dir.join(file).exists()));
    let early = ours(&["cgset", "-r", "memory.memsw.limit_in_bytes=10M", &name.0]);
    assert_eq!(early.status.code(), Some(96), "{}", said(&early));
    assert!(said(&early).contains("together cannot be less than memory alone"), "{}", said(&early));
    good(&["cgset", "-r", "memory.limit_in_bytes=10M", "-r", "memory.memsw.limit_in_bytes=10M", &name.0]);
    assert!(good(&["cgget", "-r", "memory.swap.max", &name.0]).contains("memory.swap.max: 0\n"));
}

fn too_much_memory_ends_by_the_kernels_hand() {
    let name = Name::new("oom", &["memory"]);
    let group = name.in_groups("memory");
    good(&["cgcreate", "-g", &group]);
    good(&["cgset", "-r", "memory.max=10M", &name.0]);
    // Where swap is not counted and there is none, the limit holds without this.
    let _ = ours(&["cgset", "-r", "memory.swap.max=0", &name.0]);
    let killed = ours(&["cgexec", "-g", &group, BOXWRIGHT, "hog", "memory", "64M", "--exit"]);
    assert_eq!(killed.status.signal(), Some(9), "{killed:?}");
    let file = if name.group("memory").version == 1 { "memory.oom_control" } else { "memory.events" };
    let counted = name.read(file).lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse::<u64>().ok());
    assert!(counted.is_some_and(|kills| kills >= 1), "{}", name.read(file));
}

/// Whether this machine's libcgroup ends as ours does: version 3 has changed the statuses of wrong command lines.
fn has_the_known_statuses() -> bool {
    let newer = |dir: fs::DirEntry| dir.path().join("libcgroup.so.3").exists();
    !fs::read_dir("/usr/lib").unwrap().flatten().any(newer) && !std::path::Path::new("/usr/lib/libcgroup.so.3").exists()
}

fn wrong_command_lines_end_as_libcgroups() {
    for (line, status) in [
        ("cgcreate", 255),
        ("cgcreate -g nosuch:x", 84),
        ("cgset", 255),
        ("cgget", 1),
        ("cgexec", 1),
        ("cgclassify", 2),
        ("cgclassify -g cpu:/ 4194305", 1),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        assert_eq!(ours(&args).status.code(), Some(status), "{line}: {}", said(&ours(&args)));
        if has_the_known_statuses() {
            assert_eq!(theirs(args[0], &args[1..]).status.code(), Some(status), "libcgroup: {line}");
        }
    }
}

fn a_user_without_rights_is_told_so() {
    let name = Name::new("unprivileged", &["cpu"]);
    let (_dir, program) = for_everybody();
    let as_nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    command.args(as_nobody).arg(&program).args(["cgcreate", "-g", &name.in_groups("cpu")]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(96));
    assert!(said(&output).contains("(EACCES)") && said(&output).contains("root"), "{}", said(&output));
}

/// What `doctor` says of one controller: level, what was found, remedy.
fn diagnosed(prepare: &str, controller: &str) -> (String, String, String) {
    let home = tempfile::tempdir().unwrap();
    let script = format!("{prepare} exec \"$0\" doctor --json");
    let out = Command::new("unshare")
        .args(["-m", "sh", "-c", &script, BOXWRIGHT])
        .env("HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"));
    let rows = report["rows"].as_array().unwrap_or_else(|| panic!("{report}"));
    let row = rows.iter().find(|row| row["check"] == format!("cgroup {controller}").as_str()).unwrap();
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_string();
    (text("level"), text("found"), text("remedy"))
}

fn doctor_tells_a_read_only_hierarchy_from_one_that_is_not_there() {
    let test = "doctor-read-only";
    let _name = Name::new(test, &["cpu", "memory", "pids"]);
    for controller in ["cpu", "memory", "pids"] {
        let top = Hierarchies::read().find(controller).unwrap().top();
        let top = top.display();
        let (level, found, _) = diagnosed("", controller);
        assert_eq!(level, "ok", "{controller}: {found}");
        assert!(found.contains(&top.to_string()), "{found}");
        let (level, found, remedy) = diagnosed(&format!("mount -o remount,ro,bind {top};"), controller);
        assert_ne!(level, "ok", "{controller}: {found}");
        assert!(found.contains("read-only") && remedy.contains("--privileged"), "{found} -> {remedy}");
        // The others are not touched by it, unless they share the hierarchy.
        let other = ["cpu", "memory", "pids"].into_iter().find(|other| {
            Hierarchies::read().find(other).unwrap().top() != Hierarchies::read().find(controller).unwrap().top()
        });
        if let Some(other) = other {
            assert_eq!(diagnosed(&format!("mount -o remount,ro,bind {top};"), other).0, "ok", "{other}");
        }
        let (level, found, _) = diagnosed(&format!("umount -l {top};"), controller);
        assert_ne!(level, "ok", "{controller}: {found}");
        assert!(found.contains("mounted here"), "{found}");
    }
}
