//! The calls that `boxwright trace` tells of real programs, beside those that strace(1) tells.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::deny::denied;
use crate::support::traced::{BOX, DIRECTORIES, as_many, calls, ends, events, same, trace};
use boxwright::kernel::groups::Hierarchies;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        the_distributions_unshare: [Root, Tool("strace"), Tool("unshare")],
        our_own_unshare: [Root, Tool("strace")],
        the_distributions_pivot_root: [Root, Tool("strace"), Tool("pivot_root")],
        our_own_pivot_root: [Root, Tool("strace")],
        bubblewrap: [Root, Tool("strace"), Tool("bwrap")],
        a_container_runtime: [Root, Tool("crun"), Tool("strace"), Runtime],
        the_runtime_of_docker: [Root, Tool("runc"), Tool("strace")],
        what_a_process_may_do_is_told: [Root, Tool("setpriv"), Tool("python3")],
        a_child_that_wants_no_tracer_has_its_calls: [Root, Tool("python3")],
        what_another_filter_refuses_is_told: [Root, Tool("unshare")],
        what_a_filter_answers_with_a_signal_is_told: [Root, Tool("python3")],
        a_filter_of_its_own_hides_nothing: [Root, Tool("python3")],
        a_failed_start_is_not_dropped: [Root],
        fifty_processes_at_once: [Root, Tool("strace")],
        a_process_is_told_after_the_call_that_made_it: [Root, Tool("taskset")],
        double_forks_and_orphans: [Root, Tool("strace")],
        a_program_started_by_another_thread: [Root, Tool("python3")],
        every_kind_of_argument: [Root, Tool("strace"), Tool("python3")],
        what_changed_is_told: [Root, Tool("unshare")],
        control_groups_and_maps: [Root, UserNamespaces, Controller("pids")],
        a_search_that_fails_is_told_once: [Root],
    ]
}

fn the_distributions_unshare() {
    same(&[&["unshare"], &BOX[..]].concat());
}

fn our_own_unshare() {
    same(&[&[BOXWRIGHT, "unshare"], &BOX[..]].concat());
}

/// The last call of a script that has made a mount to pivot to; both are gone with their mount namespace.
fn pivots(tool: &str) {
    let place = tempfile::tempdir().unwrap();
    let new = place.path().display();
    let script = format!("mount -t tmpfs box {new} && mkdir {new}/old && exec {tool} {new} {new}/old");
    let command = ["unshare", "-m", "sh", "-c", &script];
    same(&command);
    let (out, events) = trace(&command);
    assert!(out.status.success(), "{out:?}");
    let pivot = calls(&events, "pivot_root");
    assert_eq!(pivot.len(), 1, "{events:?}");
    assert_eq!(pivot[0]["args"], format!("\"{new}\", \"{new}/old\""));
}

fn the_distributions_pivot_root() {
    pivots("pivot_root");
}

fn our_own_pivot_root() {
    pivots(&format!("{BOXWRIGHT} pivot_root"));
}

fn bubblewrap() {
    let command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"];
    same(&command);
}

/// A bundle for the distribution's runtime, and the command that runs it. The runtime refuses a machine where both cgroup
/// versions are mounted, so it runs where the newer one is not.
fn runtime() -> (tempfile::TempDir, [String; 5]) {
    let bundle = tempfile::tempdir().unwrap();
    let path = bundle.path().display();
    let spec = Command::new("crun").arg("spec").current_dir(&bundle).status().unwrap();
    assert!(spec.success());
    let file = bundle.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["/bin/true"]);
    config["linux"].as_object_mut().unwrap().remove("resources");
    config["mounts"] = serde_json::json!([{ "destination": "/proc", "type": "proc", "source": "proc" }]);
    fs::write(&file, config.to_string()).unwrap();
    fs::create_dir_all(bundle.path().join("rootfs")).unwrap();
    let name = format!("boxwright-test-{}", std::process::id());
    let script = format!(
        "umount /sys/fs/cgroup/unified 2>/dev/null; mount --bind / {path}/rootfs; \
         exec crun --root {path}/state --cgroup-manager=disabled run --bundle {path} {name}"
    );
    let command = ["unshare", "-m", "sh", "-c", &script].map(String::from);
    (bundle, command)
}

/// Whether the runtime runs here at all.
pub fn runs_untraced() -> Result<(), String> {
    crate::needs::program("crun").ok_or("crun is not installed")?;
    let (_bundle, command) = runtime();
    let output = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " "))
    }
}

fn a_container_runtime() {
    let (_bundle, command) = runtime();
    same(&command.each_ref().map(String::as_str));
}

fn the_runtime_of_docker() {
    let bundle = tempfile::tempdir().unwrap();
    let path = bundle.path().display();
    assert!(Command::new("runc").arg("spec").current_dir(&bundle).status().unwrap().success());
    let file = bundle.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["/bin/true"]);
    config["process"]["user"] = serde_json::json!({ "uid": 1000, "gid": 1000 });
    config["linux"]["seccomp"] = serde_json::json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": ["keyctl"], "action": "SCMP_ACT_ERRNO" }]
    });
    fs::write(&file, config.to_string()).unwrap();
    fs::create_dir_all(bundle.path().join("rootfs")).unwrap();
    let name = format!("boxwright-test-{}", std::process::id());
    let script = format!(
        "mount --bind / {path}/rootfs; exec runc --root {path}/state run --no-pivot --bundle {path} {name} </dev/null"
    );
    let names = [
        "unshare",
        "setns",
        "mount",
        "umount2",
        "chroot",
        "sethostname",
        "capset",
        "prctl",
        "seccomp",
        "setresuid",
        "setresgid",
        "setgroups",
        "mknodat",
        "keyctl",
    ];
    as_many(&["unshare", "-m", "sh", "-c", &script], &names);
}

fn what_a_process_may_do_is_told() {
    let script = "setpriv --no-new-privs --bounding-set -mknod --reuid 1000 --regid 1000 --clear-groups true";
    let (_, events) = trace(&["sh", "-c", script]);
    let changed: Vec<String> = events
        .iter()
        .flat_map(|event| event["changed"].as_array().into_iter().flatten())
        .map(|change| change.as_str().unwrap().to_string())
        .collect();
    for wanted in ["NoNewPrivs: 0 -> 1", "Uid: 0 0 0 0 -> 1000 1000 1000 1000", "CapBnd: ", "CapEff: "] {
        assert!(changed.iter().any(|change| change.starts_with(wanted)), "{wanted}: {changed:?}");
    }
    assert!(calls(&events, "prctl").iter().all(|call| !call["args"].as_str().unwrap().contains("PR_SET_NAME")));
}

/// The numbers of this machine's calls, as Python's variables.
fn numbers() -> String {
    format!("clone, seccomp, unshare = {}, {}, {}\n", libc::SYS_clone, libc::SYS_seccomp, libc::SYS_unshare)
}

fn a_child_that_wants_no_tracer_has_its_calls() {
    let program = "import ctypes, os\n\
                   call = ctypes.CDLL(None, use_errno=True).syscall\n\
                   args = (ctypes.c_uint64 * 11)(0x800000, 0, 0, 0, 17)\n\
                   for made in (lambda: call(clone, 0x800000 | 17, 0, 0, 0, 0), lambda: call(435, args, 88)):\n\
                   \x20   pid = made()\n\
                   \x20   if pid == 0: os._exit(call(unshare, 0) and 7)\n\
                   \x20   assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n";
    let (out, events) = trace(&["python3", "-c", &(numbers() + program)]);
    assert!(out.status.success(), "{out:?}");
    assert_eq!(calls(&events, "unshare").len(), 2, "{events:?}");
}

/// As a container's profile does: before anything is traced.
fn what_another_filter_refuses_is_told() {
    let refused = [(libc::SYS_unshare, libc::EPERM), (libc::SYS_mount, libc::EPERM)];
    let mut command = denied(&refused, BOXWRIGHT);
    // The distribution's own mount may have newer calls than the one that is refused.
    let script = "unshare -u true; \"$0\" mount -t tmpfs t /mnt; mkdir /nosuch/dir; exec true";
    let out =
        command.args(["trace", "--json", "--", "sh", "-c", script, BOXWRIGHT]).stdin(Stdio::null()).output().unwrap();
    let events = events(&out.stdout);
    for (name, errno) in [("unshare", "EPERM"), ("mount", "EPERM")] {
        let calls = calls(&events, name);
        assert_eq!(calls.len(), 1, "{name}: {events:?}");
        assert_eq!((&calls[0]["errno"], &calls[0]["filtered"]), (&errno.into(), &true.into()), "{calls:?}");
    }
    // What the filter lets pass is told once, and as ever.
    let started: Vec<&Value> = calls(&events, "execve").into_iter().filter(|call| call["result"] == 0).collect();
    assert_eq!(started.len(), 5, "{started:?}");
    assert!(started.iter().all(|call| call.get("filtered").is_none()), "{started:?}");
}

/// As bwrap --seccomp and the runtimes do: the process installs it, and starts a program under it.
fn a_filter_of_its_own_hides_nothing() {
    let program = "import ctypes, os, struct\n\
                   call = ctypes.CDLL(None, use_errno=True).syscall\n\
                   steps = [(0x20, 0, 0, 0), (0x15, 0, 1, unshare), (6, 0, 0, 0x50000 | 13), (6, 0, 0, 0x7fff0000)]\n\
                   code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))\n\
                   kept = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 4, ctypes.addressof(code)))\n\
                   assert call(unshare, 0) == 0\n\
                   assert call(seccomp, 1, 0, kept) == 0\n\
                   if os.fork() == 0: call(unshare, 0x4000000); os._exit(0)\n\
                   os.wait()\n\
                   os.execv('/usr/bin/unshare', ['unshare', '-u', 'true'])\n";
    let (out, events) = trace(&["python3", "-c", &(numbers() + program)]);
    let unshares = calls(&events, "unshare");
    let ends: Vec<(&Value, bool)> = unshares.iter().map(|call| (&call["errno"], call["filtered"] == true)).collect();
    let (fine, refused) = ((&Value::Null, false), (&Value::from("EACCES"), true));
    assert_eq!(ends, [fine, refused, refused], "{out:?}\n{events:?}");
    let installed = calls(&events, "seccomp");
    assert!(installed[0]["changed"].to_string().contains("Seccomp_filters: 1 -> 2"), "{installed:?}");
}

/// A filter may send a signal in place of an error; then there is no result.
fn what_a_filter_answers_with_a_signal_is_told() {
    // SECCOMP_RET_TRAP, which a program may handle, and SECCOMP_RET_KILL_PROCESS.
    for (action, dies) in [(0x3_0000u32, false), (0x8000_0000, true)] {
        let program = format!(
            "import ctypes, os, signal, struct\n\
             call = ctypes.CDLL(None, use_errno=True).syscall\n\
             steps = [(0x20, 0, 0, 0), (0x15, 0, 1, unshare), (6, 0, 0, {action}), (6, 0, 0, 0x7fff0000)]\n\
             code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))\n\
             kept = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', 4, ctypes.addressof(code)))\n\
             signal.signal(signal.SIGSYS, lambda *_: os.write(1, b'signal\\n'))\n\
             assert call(seccomp, 1, 0, kept) == 0\n\
             call(unshare, 0x4000000)\n\
             os._exit(0)\n"
        );
        let (out, events) = trace(&["python3", "-c", &(numbers() + &program)]);
        let unshares = calls(&events, "unshare");
        assert_eq!(unshares.len(), 1, "{events:?}");
        let call = unshares[0];
        assert_eq!([&call["result"], &call["errno"]], [&Value::Null; 2], "{call}");
        assert_eq!(call["filtered"], true, "{call}");
        let signal = ends(&events).into_iter().find(|end| end["pid"] == call["pid"]).unwrap()["signal"].clone();
        let handled = String::from_utf8_lossy(&out.stdout).lines().any(|line| line == "signal");
        assert_eq!((signal == "SIGSYS", handled), (dies, !dies), "{out:?}");
    }
}

fn a_failed_start_is_not_dropped() {
    let script = "import os\ntry: os.execv('/nosuch/program', ['a'])\nexcept OSError: os.execv('/bin/true', ['true'])";
    let (_, events) = trace(&["python3", "-c", script]);
    let failed = calls(&events, "execve").into_iter().filter(|call| call["errno"] == "ENOENT");
    assert_eq!(
        failed.filter(|call| call["args"].as_str().unwrap().contains("/nosuch/program")).count(),
        1,
        "{events:?}"
    );
}

/// Where all share one CPU it is chance who of a process and its maker goes on first.
fn a_process_is_told_after_the_call_that_made_it() {
    let script = "/bin/true; /bin/false; (:); /bin/true; /bin/false; :";
    for _ in 0..60 {
        let mut tracer = Command::new("taskset");
        tracer
            .args(["-c", "0", BOXWRIGHT, "trace", "--json", "-o", "&1", "--", "sh", "-c", script])
            .stdin(Stdio::null());
        let events = events(&tracer.output().unwrap().stdout);
        let first = &events[0]["pid"];
        let mut made: Vec<String> = Vec::new();
        for event in &events {
            assert!(event["pid"] == *first || made.contains(&event["pid"].to_string()), "{events:?}");
            let changed = event["changed"].as_array().into_iter().flatten();
            let child = changed.filter_map(|change| change.as_str()?.strip_prefix("child: none -> "));
            made.extend(child.map(String::from));
        }
        assert_eq!(made.len(), 5, "{events:?}");
    }
}

fn fifty_processes_at_once() {
    let script = "i=0; while [ $i -lt 50 ]; do (:) & i=$((i+1)); done; wait";
    same(&["sh", "-c", script]);
}

fn double_forks_and_orphans() {
    let script = "(sh -c 'sh -c \"exec true\" & exec true' &) ; (exec nosuch) ; exec sh -c 'exit 7'";
    same(&["sh", "-c", script]);
}

fn a_program_started_by_another_thread() {
    let program =
        "import os, threading; threading.Thread(target=os.execv, args=('/bin/echo', ['echo', 'done'])).start()";
    let (out, events) = trace(&["python3", "-c", program]);
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stdout).contains("done\n")), (Some(0), true));
    let started = calls(&events, "execve");
    let last = started.last().unwrap();
    assert!(last["args"].as_str().unwrap().starts_with("\"/bin/echo\", [\"echo\", \"done\"]"), "{last}");
    assert_ne!(last["pid"], started[0]["pid"], "the thread that made the call");
    let ends = ends(&events);
    assert_eq!((&ends.last().unwrap()["comm"], &ends.last().unwrap()["status"]), (&"echo".into(), &0.into()));
    assert!(calls(&events, "clone3").is_empty(), "a thread is no process");
}

fn every_kind_of_argument() {
    // The calls happen in namespaces of their own; most of them fail, which must be told alike as well.
    let probe = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/calls.py");
    same(&["unshare", "-mun", "/usr/bin/python3", probe]);
}

fn what_changed_is_told() {
    let (_, events) = trace(&[&["unshare"], &BOX[..]].concat());
    let changed = |name: &str| -> Vec<String> {
        let call = calls(&events, name)[0]["changed"].as_array().unwrap();
        call.iter().map(|change| change.as_str().unwrap().to_string()).collect()
    };
    let unshare = changed("unshare");
    let what: Vec<&str> = unshare.iter().map(|change| change.split_once(": ").unwrap().0).collect();
    assert_eq!(what, ["ipc", "uts", "net", "mnt", "pid_for_children"]);
    assert!(unshare[4].ends_with(" -> none"), "no process is in it yet: {unshare:?}");
    let clone = changed("clone");
    let child: i64 = clone[0].strip_prefix("child: none -> ").unwrap().parse().unwrap();
    assert!(calls(&events, "mount").iter().all(|mount| mount["pid"] == child), "the host's number");
    assert!(clone[1].starts_with("pid: ") && clone[2].starts_with("pid_for_children: none -> "), "{clone:?}");
    let mounted: Vec<&Value> = calls(&events, "mount");
    assert_eq!(mounted[1]["changed"][0], "mount /proc: none -> proc");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(changed("sethostname"), [format!("hostname: {} -> box", host.trim())]);
}

/// Control groups are made in a hierarchy of this machine, below a name of our own, and removed again.
fn control_groups_and_maps() {
    let pids = Hierarchies::read().find("pids").unwrap().top();
    let pids = pids.display();
    let name = format!("boxwright-trace-{}", std::process::id());
    let script = format!(
        "mkdir /tmp/{name}; rmdir /tmp/{name}; cd {pids}; mkdir {name}; \
         echo 77 > {name}/pids.max; sh -c 'echo $$ > {name}/cgroup.procs'; echo noise > /dev/null; rmdir {pids}/{name}; \
         unshare -U sh -c 'read x; true' < /dev/null; unshare --map-root-user true"
    );
    let (out, events) = trace(&["sh", "-c", &script]);
    let told = |name: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.to_string();
        calls(&events, name).iter().map(|call| (text(&call["args"]), text(&call["changed"]))).collect()
    };
    let (made, removed) = DIRECTORIES;
    assert_eq!(told(made).len(), 1, "only those of control groups: {:?}", told(made));
    assert!(told(made)[0].1.contains(&format!("cgroup {name}: none -> made")), "{:?}", told(made));
    assert!(told(removed)[0].1.contains(&format!("cgroup {name}: empty -> none")), "{:?}", told(removed));
    let writes = told("write");
    let find = |part: &str| writes.iter().find(|(args, _)| args.contains(part)).cloned().unwrap_or_default();
    assert!(find("77\\\\n").1.contains("pids.max: max -> 77"), "{writes:?}\n{out:?}");
    assert!(find("deny").1.contains("setgroups: allow -> deny"), "{writes:?}");
    assert!(find("0 0 1").1.contains("_map: none -> 0 0 1"), "{writes:?}");
    assert!(!writes.iter().any(|(args, _)| args.contains("noise")), "{writes:?}");
    assert!(!Path::new(&pids.to_string()).join(&name).exists());
}

fn a_search_that_fails_is_told_once() {
    let (out, events) = trace(&["env", "PATH=/nosuch:/usr/nosuch:/var/nosuch", "nosuch"]);
    assert_eq!(out.status.code(), Some(127));
    let failed: Vec<&Value> = calls(&events, "execve").into_iter().filter(|call| call["errno"] == "ENOENT").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
}
