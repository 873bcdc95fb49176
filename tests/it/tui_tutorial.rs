//! The best-known tutorial, typed as it is printed into the panes of the matching lessons: with its own names, with
//! `bash`, with `sudo`. The lessons follow, and the machine is as before.

use crate::harness::{Test, tests};
use crate::support::{
    client::{boxwright, image},
    distribution::Registry,
    host,
    tmux::Tmux,
};
use crate::tui_typing::{answers, at_with, bar};
use std::{fs, path::Path};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        the_tutorials_isolation_is_followed: [Root, Tool("tmux"), Tool("bash")],
        the_tutorials_image_is_followed: [Root, Tool("tmux"), Tool("bash"), Tool("docker-registry")],
        the_tutorials_limits_are_followed: [Root, Tool("tmux"), Tool("bash")],
        the_tutorials_nsenter_is_followed: [Root, Tool("tmux"), Tool("bash")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

const GROUP: &str = "customized_container";

/// What the machine has apart from processes: also the tutorial's control group, wherever it might be.
fn machine() -> (std::collections::BTreeSet<String>, Vec<String>) {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let groups = hierarchies.map(|dir| dir.join(GROUP)).filter(|dir| dir.exists());
    (host(), groups.map(|dir| dir.display().to_string()).collect())
}

fn lesson_keys(tmux: &Tmux) {
    let has = |screen: &str| bar(screen).contains("q quit");
    if !has(&tmux.screen()) {
        tmux.press(&["C-g"], "the lesson's keys", has);
    }
}

/// Ends the program and looks at the machine.
fn leaves_nothing(tmux: &Tmux, before: &(std::collections::BTreeSet<String>, Vec<String>)) {
    lesson_keys(tmux);
    tmux.keys(&["q"]);
    tmux.until("the shell", |screen| {
        screen.lines().rfind(|line| !line.is_empty()).is_some_and(|line| line.starts_with("ready>"))
    });
    assert_eq!(machine(), *before);
    assert_eq!(before.1, Vec::<String>::new());
}

pub(crate) fn sudo() -> &'static str {
    // Where one is root, a machine may do without it; then one types the line without the word.
    if Path::new("/usr/bin/sudo").exists() { "sudo " } else { "" }
}

/// The step is done.
fn done(tmux: &Tmux) -> String {
    tmux.until("the end of the step", |screen| bar(screen).contains("Space next step"))
}

/// Goes to the next step and answers its question.
fn next(tmux: &Tmux, title: &str, answer: &str) {
    tmux.press(&["Space"], title, |screen| screen.lines().next().is_some_and(|line| line.contains(title)));
    answers(tmux, answer);
    due(tmux);
}

/// A command is due, and the prompt is empty.
fn due(tmux: &Tmux) {
    tmux.until("the command", |screen| bar(screen).contains("Space type the command"));
}

/// A shell that draws its own prompt waits.
fn prompt(tmux: &Tmux) {
    tmux.until("the prompt", |screen| {
        let pane = screen.lines().skip(2).take_while(|line| !line.starts_with('╰'));
        let rows: Vec<&str> = pane.map(|line| line.trim_matches('│').trim()).filter(|row| !row.is_empty()).collect();
        rows.last().is_some_and(|row| row.ends_with(['#', '$'])) && bar(screen).contains("Space")
    });
}

/// Types a line and waits until the lesson has listed it, or is done.
fn types(tmux: &Tmux, line: &str) {
    tmux.line(line);
    let listed = format!("$ {line}");
    tmux.until(line, |screen| {
        let lesson = screen.lines().skip_while(|line| !line.starts_with('╰'));
        let words: Vec<&str> = lesson.map(|line| line.trim_matches('│').trim()).collect();
        words.join(" ").contains(&listed) || bar(screen).contains("Space next step")
    });
}

/// The name of the image's first layer, as `cat manifest.json` prints it.
fn layer(tmux: &Tmux) -> String {
    tmux.line("cat manifest.json");
    let read = |screen: &str| {
        // A row that is full goes on in the next one.
        let rows: String = screen.lines().map(|line| line.trim_matches('│')).collect();
        let digest: String = rows.split("\"layers\"").nth(1)?.split("sha256:").nth(1)?.chars().take(64).collect();
        (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digest)
    };
    let screen = tmux.until("the manifest", |screen| read(screen).is_some());
    prompt(tmux);
    read(&screen).unwrap()
}

fn the_tutorials_isolation_is_followed() {
    let before = machine();
    let tmux = at_with("isolate/4", "");
    answers(&tmux, "2");
    tmux.line(&format!("{}unshare -imnpu --mount-proc --fork bash", sudo()));
    tmux.until("the held call", |screen| bar(screen).contains("Space next call"));
    tmux.keys(&["c"]);
    let screen = done(&tmux);
    assert!(screen.contains("inside: new"), "{screen}");
    next(&tmux, "Seen from inside", "2");
    types(&tmux, "ps -ef");
    let screen = done(&tmux);
    assert!(screen.contains(" bash") && !screen.contains("systemd"), "{screen}");
    leaves_nothing(&tmux, &before);

    let tmux = at_with("isolate/7", "");
    due(&tmux);
    types(&tmux, "ip add");
    tmux.until("the interface", |screen| screen.contains("lo: <LOOPBACK>"));
    // The line that only shows is done: what changes something comes next.
    tmux.until("the next line", |screen| screen.contains("ip link set lo up") && screen.contains("$ ip add"));
    leaves_nothing(&tmux, &before);
}

fn the_tutorials_image_is_followed() {
    let before = machine();
    let (registry, top) = (Registry::start(), image());
    let name = format!("docker://{}/library/alpine:latest", registry.host);
    let pushed = boxwright(&top, &[], &["skopeo", "copy", "-q", "builtin:", &name]);
    assert!(pushed.status.success(), "{pushed:?}");
    let mirror = format!("BOXWRIGHT_MIRROR=http://{}", registry.host);

    let tmux = at_with("rootfs/1", &mirror);
    answers(&tmux, "3");
    due(&tmux);
    types(&tmux, "skopeo copy docker://index.docker.io/library/alpine dir:./alpine");
    tmux.until("the facts", |screen| screen.contains("✓ There is a manifest") && screen.contains("done your way"));
    types(&tmux, "cd alpine");
    types(&tmux, "ls -l");
    done(&tmux);
    next(&tmux, "The manifest", "2");
    types(&tmux, "cat manifest.json");
    done(&tmux);
    leaves_nothing(&tmux, &before);

    let tmux = at_with("rootfs/5", &mirror);
    answers(&tmux, "1");
    due(&tmux);
    types(&tmux, "skopeo copy docker://index.docker.io/library/alpine dir:./alpine");
    types(&tmux, "cd alpine");
    // This line is the lesson's own.
    tmux.line("mkdir rootfs");
    tmux.until("the directory", |screen| screen.contains("$ mkdir rootfs"));
    // The digest is read from the screen, and typed whole.
    let line = format!("tar -zxf {} -C rootfs", layer(&tmux));
    tmux.line(&line);
    tmux.until("the facts", |screen| screen.contains("✓ It has programs") && screen.contains("✓ And a list of users"));
    types(&tmux, "ls -l rootfs/");
    done(&tmux);
    leaves_nothing(&tmux, &before);

    let tmux = at_with("rootfs/7", &mirror);
    answers(&tmux, "2");
    due(&tmux);
    types(&tmux, "boxwright image unpack builtin: rootfs");
    types(&tmux, &format!("{}unshare -imnpu --mount-proc --fork bash", sudo()));
    tmux.sees("inside: new");
    prompt(&tmux);
    types(&tmux, "chroot rootfs /bin/sh");
    tmux.until("the root", |screen| screen.contains("✓ The scorecard says: own root"));
    due(&tmux);
    tmux.line("cat /etc/os-release");
    tmux.until("the file", |screen| screen.contains("boxwright"));
    prompt(&tmux);
    tmux.line("touch /made-here");
    // What the tutorial does not do is not taken for done, and said.
    tmux.until("what is missing", |screen| {
        screen.contains("✓ Inside, the file is in `/`") || screen.contains("✓ Inside, the file is in /")
    });
    let screen = tmux.until("the handle", |screen| screen.contains("It has the old / open"));
    assert!(!screen.contains("✓ It has the old / open"), "{screen}");
    leaves_nothing(&tmux, &before);
}

fn the_tutorials_limits_are_followed() {
    let before = machine();
    let tmux = at_with("cgroups/2", "");
    answers(&tmux, "2");
    due(&tmux);
    tmux.line(&format!("{}cgcreate -g cpu,cpuacct,memory:{GROUP}", sudo()));
    tmux.until("the facts", |screen| screen.contains("✓ The group exists") && screen.contains("done your way"));
    tmux.sees("removed at the end");
    types(&tmux, &format!("ls -l /sys/fs/cgroup/cpu/{GROUP}"));
    done(&tmux);
    next(&tmux, "What a new group allows", "3");
    types(&tmux, &format!("cat /sys/fs/cgroup/cpu/{GROUP}/cpu.cfs_period_us"));
    types(&tmux, &format!("cat /sys/fs/cgroup/cpu/{GROUP}/cpu.cfs_quota_us"));
    types(&tmux, &format!("cat /sys/fs/cgroup/memory/{GROUP}/memory.limit_in_bytes"));
    done(&tmux);
    next(&tmux, "Half a CPU", "1");
    tmux.line(&format!("cgset -r cpu.cfs_quota_us=50000 {GROUP}"));
    tmux.until("the quota", |screen| screen.contains("✓ The kernel says: 50000"));
    types(&tmux, &format!("cat /sys/fs/cgroup/cpu/{GROUP}/cpu.cfs_quota_us"));
    done(&tmux);
    leaves_nothing(&tmux, &before);

    let tmux = at_with("cgroups/7", "");
    due(&tmux);
    tmux.line(&format!("cgcreate -g cpu,cpuacct,memory:{GROUP}"));
    tmux.line(&format!("cgset -r cpu.cfs_quota_us=50000 {GROUP}"));
    tmux.line(&format!("cgset -r memory.limit_in_bytes=10485760 {GROUP}"));
    tmux.until("the limit", |screen| screen.contains("✓ The kernel says: 10485760 bytes"));
    types(&tmux, &format!("cat /sys/fs/cgroup/memory/{GROUP}/memory.limit_in_bytes"));
    done(&tmux);
    if Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists() {
        next(&tmux, "And no swap", "2");
        tmux.line(&format!("cgset -r memory.memsw.limit_in_bytes=10485760 {GROUP}"));
        tmux.until("the limit", |screen| screen.contains("✓ Memory and swap together: 10485760 bytes"));
        types(&tmux, &format!("cat /sys/fs/cgroup/memory/{GROUP}/memory.memsw.limit_in_bytes"));
        done(&tmux);
    }
    next(&tmux, "Put a container into it", "2");
    types(&tmux, "boxwright image unpack builtin: rootfs");
    tmux.line(&format!("cgexec -g cpu,cpuacct,memory:{GROUP} unshare -imnpu --mount-proc --fork bash"));
    tmux.until("the scorecard", |screen| screen.contains("✓ It is limited") || bar(screen).contains("Space next step"));
    done(&tmux);
    tmux.line("chroot rootfs /bin/sh");
    tmux.until("another root", |screen| screen.lines().next().is_some_and(|line| line.contains("[■][■][■]")));
    prompt(&tmux);
    next(&tmux, "Prove the CPU cap", "2");
    tmux.line("i=0; while true; do i=i+i; done");
    // The kernel's counters have shown half of one CPU: the lesson goes on, in the host's terminal.
    tmux.until("half a CPU", |screen| screen.contains("Halve the quota from outside"));
    tmux.line("top");
    tmux.until("top", |screen| screen.contains("▸host") && bar(screen).contains("every other key: the shell"));
    tmux.keys(&["q"]);
    prompt(&tmux);
    tmux.line("top -b -n 1 | grep -w sh | head -n 3");
    tmux.until("the loop", |screen| screen.lines().any(|line| line.contains(" R ") && line.contains(" sh")));
    leaves_nothing(&tmux, &before);
}

fn the_tutorials_nsenter_is_followed() {
    let before = machine();
    let tmux = at_with("nsenter/1", "");
    answers(&tmux, "2");
    due(&tmux);
    tmux.line(&format!("{}unshare -imnpu --mount-proc --fork bash", sudo()));
    let screen = tmux.until("the container", |screen| {
        screen.contains("grep NSpid /proc/") && bar(screen).contains("Space type the command")
    });
    let pid = screen.split("grep NSpid /proc/").nth(1).unwrap().split('/').next().unwrap().to_string();
    types(&tmux, &format!("grep NSpid /proc/{pid}/status"));
    done(&tmux);
    next(&tmux, "What is different", "3");
    types(&tmux, "ls -al /proc/self/ns/");
    types(&tmux, &format!("ls -al /proc/{pid}/ns/"));
    done(&tmux);
    tmux.press(&["Space"], "the next step", |screen| screen.contains("Only the PID namespace"));
    due(&tmux);
    types(&tmux, &format!("nsenter -t {pid} -p"));
    // A line that is typed before the new shell asks for it is the shell's alone.
    tmux.sees("inside: new pid");
    due(&tmux);
    types(&tmux, "echo $$");
    answers(&tmux, "2");
    due(&tmux);
    tmux.line("ps -ef");
    tmux.until("the way out", |screen| screen.contains("Leave again before you go on"));
    tmux.line("exit");
    done(&tmux);
    leaves_nothing(&tmux, &before);
}
