//! The drawn screen and what is hard to remove: processes that cannot die, and mounts on what the session made.

use crate::harness::{Test, tests};
use crate::support::tmux::Tmux;
use crate::support::{self, BOXWRIGHT, left_of};
use boxwright::kernel::pid::Pid;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        beginning_again_and_leaving_with_a_frozen_process: [Root, Tool("tmux"), Tool("unshare"), Controller("freezer")],
        a_closed_terminal_and_a_frozen_process: [Root, Tool("tmux"), Tool("unshare"), Controller("freezer")],
        beginning_again_goes_on_beside_who_cannot_end: [
            Root,
            Tool("tmux"),
            Tool("setpriv"),
            Controller("freezer"),
            UserNamespaces
        ],
        a_mount_on_the_work_directory_is_named_and_nothing_begins_in_it: [Root, Tool("tmux"), Tool("unshare")],
        a_mount_on_the_run_directory_keeps_only_itself: [Root, Tool("tmux"), Tool("unshare")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// How long an end may take: two seconds are promised; tmux and a busy machine take their time as well.
const SOON: Duration = Duration::from_secs(4);

/// The screen of a lesson in a mount namespace of its own, with the terminal in front; what it says last goes to a file.
/// Nothing is guarded: what is mounted here by hand is what has to be survived.
fn started() -> Tmux {
    let tmux = Tmux::start(140, 45);
    let (state, errors, pid) = (tmux.file("state"), tmux.file("errors"), tmux.file("pid"));
    fs::create_dir(tmux.file("precious")).unwrap();
    fs::write(tmux.file("precious/thesis"), "x").unwrap();
    let line = format!(
        "unshare -m --propagation private sh -c 'echo $$ > {}; XDG_STATE_HOME={} {BOXWRIGHT} isolate/2 --unguarded --lang en \
         2> {}; echo status=$?; exec sh'",
        pid.display(),
        state.display(),
        errors.display()
    );
    tmux.line(&line);
    tmux.sees("Space type the command");
    tmux
}

/// Types a line into the container's terminal, which has the keys, waits for what it prints last, and goes back to the lesson.
fn typed(tmux: &Tmux, line: &str) {
    tmux.line(&format!("{line}; echo do''ne"));
    tmux.sees("done");
    tmux.keys(&["C-g"]);
}

/// The shell around the program, and the name of its session.
fn session(tmux: &Tmux) -> (i32, String) {
    let shell: i32 = fs::read_to_string(tmux.file("pid")).unwrap().trim().parse().unwrap();
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    let program = children.split_whitespace().next().unwrap().parse().unwrap();
    (program, support::session_of(program).unwrap())
}

fn errors(tmux: &Tmux) -> String {
    fs::read_to_string(tmux.file("errors")).unwrap_or_default()
}

const FREEZE: &str = "mkdir -p /sys/fs/cgroup/freezer/$BOX/below; sleep 300 & \
                      echo $! > /sys/fs/cgroup/freezer/$BOX/below/cgroup.procs; \
                      echo FROZEN > /sys/fs/cgroup/freezer/$BOX/freezer.state";

fn beginning_again_and_leaving_with_a_frozen_process() {
    let tmux = started();
    let (_, name) = session(&tmux);
    let group = PathBuf::from("/sys/fs/cgroup/freezer").join(&name);
    typed(&tmux, FREEZE);
    assert!(group.exists());
    tmux.keys(&["r"]);
    // The step begins anew: the terminal is empty, and the group is gone.
    tmux.until("the new shell", |screen| !screen.contains("done") && screen.contains("Space type the command"));
    assert!(!group.exists());
    typed(&tmux, FREEZE);
    let began = Instant::now();
    tmux.keys(&["q"]);
    tmux.sees("status=0");
    let took = began.elapsed();
    assert!(took < SOON, "{took:?}");
    assert_eq!((left_of(&name), errors(&tmux)), (Vec::new(), String::new()));
}

fn a_closed_terminal_and_a_frozen_process() {
    let tmux = started();
    let (program, name) = session(&tmux);
    typed(&tmux, FREEZE);
    let process = boxwright::kernel::pidfd::open(Pid(program)).unwrap();
    let began = Instant::now();
    drop(tmux);
    support::wait_for_the_end(&process);
    let took = began.elapsed();
    assert!(took < SOON, "{took:?}");
    assert_eq!(left_of(&name), Vec::<String>::new());
}

fn beginning_again_goes_on_beside_who_cannot_end() {
    struct Group(String);
    impl Drop for Group {
        fn drop(&mut self) {
            let _ = fs::write(format!("{}/freezer.state", self.0), "THAWED");
            boxwright::cleanup::groups::remove(self.0.as_ref(), Instant::now() + SOON);
        }
    }
    let group = Group(format!("/sys/fs/cgroup/freezer/given-{}", std::process::id()));
    let tmux = Tmux::start(140, 45);
    let home = tmux.file("home");
    for dir in [home.as_path(), group.0.as_ref()] {
        fs::create_dir(dir).unwrap();
        let given = std::process::Command::new("chown").args(["-R", "65534:65534"]).arg(dir).status().unwrap();
        assert!(given.success());
    }
    fs::set_permissions(home.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    tmux.line(&format!(
        "setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_STATE_HOME -u XDG_RUNTIME_DIR HOME={} \
         {BOXWRIGHT} isolate/2 --unguarded --lang en; echo status=$?",
        home.display()
    ));
    tmux.sees("Space type the command");
    let group_path = &group.0;
    typed(&tmux, &format!("sleep 300 & echo $! > {group_path}/cgroup.procs; echo FROZEN > {group_path}/freezer.state"));
    tmux.keys(&["r"]);
    // A moment later it is said who keeps the old shell from ending, and a new one is there all the same.
    let trouble = format!("! echo THAWED > {group_path}/freezer.state");
    tmux.until("the new shell", |screen| {
        let waits = screen.contains("││$ ") && screen.contains("^G lesson keys");
        screen.contains(&trouble) && !screen.contains("done") && waits
    });
    typed(&tmux, "echo again");
    let began = Instant::now();
    tmux.keys(&["q"]);
    tmux.sees("status=0");
    let took = began.elapsed();
    assert!(took < SOON, "{took:?}");
}

fn a_mount_on_the_work_directory_is_named_and_nothing_begins_in_it() {
    let tmux = started();
    let precious = tmux.file("precious");
    typed(&tmux, &format!("mount --bind {} $PWD", precious.display()));
    tmux.keys(&["r"]);
    tmux.sees("! umount /");
    assert!(precious.join("thesis").exists());
    let (_, name) = session(&tmux);
    // The other terminal is there, and can do what is said. The key of the message line is any key.
    tmux.keys(&["q"]);
    tmux.sees("status=0");
    let said = errors(&tmux);
    assert!(precious.join("thesis").exists());
    assert!(said.contains("cannot remove run directory") && said.contains(&format!("{name}/work")), "{said}");
    assert!(said.contains("is mounted on") && said.contains("\n  umount /"), "{said}");
    assert!(said.contains("boxwright clean"), "{said}");

    // After the remedy it goes, as was said.
    let remedy = said.lines().find_map(|line| line.trim().strip_prefix("umount ")).unwrap().to_string();
    tmux.line(&format!("umount {remedy} && XDG_STATE_HOME={} {BOXWRIGHT} clean", tmux.file("state").display()));
    tmux.sees("removed run directory");
    assert_eq!(left_of(&name), Vec::<String>::new());
    assert!(precious.join("thesis").exists());
}

fn a_mount_on_the_run_directory_keeps_only_itself() {
    let tmux = started();
    let (precious, (_, name)) = (tmux.file("precious"), session(&tmux));
    typed(&tmux, &format!("echo x > file; mount --bind {} $BOXWRIGHT_RUN", precious.display()));
    tmux.keys(&["q"]);
    tmux.sees("status=0");
    let said = errors(&tmux);
    assert!(precious.join("thesis").exists());
    let remedy = said.lines().find_map(|line| line.trim().strip_prefix("umount ")).unwrap().to_string();
    assert!(remedy.ends_with(&name), "{said}");
    // What it covers is empty by now: the session held it open.
    tmux.line(&format!(
        "umount {remedy} && ls {remedy} | wc -l && XDG_STATE_HOME={} {BOXWRIGHT} clean",
        tmux.file("state").display()
    ));
    tmux.until("an empty directory that goes", |screen| {
        screen.contains("\n0\n") && screen.contains("removed run directory")
    });
    assert_eq!(left_of(&name), Vec::<String>::new());
}
