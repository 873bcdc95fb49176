//! Every step of every lesson on the real kernel: unsolved before, solved after, unsolved again after going back; by
//! keys, by hand, and with the distribution's own tools; and a challenge refuses wrong ways.

use crate::{
    harness::{Test, tests},
    needs::Need,
    support::{
        BOXWRIGHT, host,
        learner::{Learner, lacking, lessons},
        left_of,
    },
};
use boxwright::{
    lang::Lang,
    lesson::{
        Lesson,
        TerminalId::{self, Container, Host},
    },
    session::Verdict,
    tools::TOOLS,
};
use std::{os::unix::fs::symlink, process::Command};

/// Each lesson by itself, and no other test at the same time, because the state of the whole machine is compared.
pub fn tests() -> Vec<Test> {
    let mut tests = tests![every_step_can_be_done_here: [Root, EveryStep]];
    let ways = [
        ("by_keys", by_keys as fn(Lesson), Lang::En),
        ("by_hand", by_hand, Lang::Zh),
        ("wrong_ways", wrong_ways, Lang::En),
    ];
    for (way, run, lang) in ways {
        for lesson in lessons(lang) {
            let mut needs = vec![Need::Root];
            needs.extend(theirs().filter(|_| way == "by_hand").map(Need::Tool));
            let name = format!("{way}/{}", lesson.id);
            tests.push(
                Test::new(module_path!(), &name, move || run(lesson.clone()), needs).alone().in_its_own_process(),
            );
        }
    }
    tests
}

/// The doctor agrees with what the lessons say they need.
fn every_step_can_be_done_here() {
    let output = Command::new(BOXWRIGHT).args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let blocked = report["lessons"].as_array().unwrap().iter().filter(|lesson| lesson["possible"] != true);
    assert_eq!(blocked.count(), 0, "{report:#}");
}

/// At least one fact does not hold, and says what should be and what is; or something is still to be seen.
fn unsolved(learner: &Learner, verdicts: &[Verdict], place: &str) {
    let missed: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.passed == Some(false)).collect();
    assert!(!missed.is_empty() || learner.still_shows(), "{place} holds without its commands: {verdicts:#?}");
    for verdict in missed {
        assert!(!verdict.expected.is_empty() && !verdict.observed.is_empty(), "{place}: {verdict:?}");
        assert_ne!(verdict.expected, verdict.observed, "{place}");
    }
}

/// Goes through a lesson; `play` brings the step that is open to its end.
fn through(lesson: Lesson, play: impl Fn(&mut Learner)) {
    let before = host();
    let (steps, id) = (lesson.steps.len(), lesson.id.clone());
    let lacking = lacking(Lang::En);
    let mut learner = Learner::new(lesson, lacking);
    let name = learner.name();
    for step in 0..steps {
        if !learner.go_to(step) {
            continue;
        }
        let place = format!("{id}/{}", learner.id());
        let verdicts = learner.return_only();
        unsolved(&learner, &verdicts, &place);
        assert!(!learner.done(), "{place}");
        learner.go_to(step);
        play(&mut learner);
        assert!(learner.done(), "{place}");
        learner.go_to(step);
        let verdicts = learner.return_only();
        unsolved(&learner, &verdicts, &place);
    }
    assert_eq!(learner.early(), [""; 0], "{id}");
    drop(learner);
    assert_eq!(left_of(&name), Vec::<String>::new(), "{id}");
    assert_eq!(host(), before, "the machine is as it was");
}

fn by_keys(lesson: Lesson) {
    through(lesson, Learner::play);
}

/// What no distribution has: `skopeo` is here because the built-in image is a source that only ours knows, and `cgdelete`
/// because libcgroup's moves the members of a group away where the kernel says EBUSY, which is what the step shows.
const OURS: [&str; 5] = ["boxwright", "cgdelete", "hog", "image", "skopeo"];

/// The tools that the distribution has as well.
fn theirs() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name).filter(|name| !OURS.contains(name))
}

/// Every line with the distribution's own tools.
fn by_hand(lesson: Lesson) {
    let ours = tempfile::tempdir().unwrap();
    OURS.iter().for_each(|name| symlink(BOXWRIGHT, ours.path().join(name)).unwrap());
    let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", ours.path().display());
    through(lesson, |learner| {
        for terminal in TerminalId::ALL {
            learner.line(terminal, &path);
        }
        learner.type_all();
    });
}

/// A way that looks right and is not: the lesson, the lines, and the checks that refuse it, all others being satisfied.
type Wrong = (&'static str, &'static [(TerminalId, &'static str)], &'static [&'static str]);

const ISOLATED: &str = "unshare -imnpu --mount-proc --fork sh";
const NET_SHARED: &str = "unshare -impu --mount-proc --fork sh";
const UNPACK: (TerminalId, &str) = (Container, "boxwright image unpack builtin: rootfs");
const CREATE: (TerminalId, &str) = (Container, "cgcreate -g cpu,cpuacct,memory,pids:$BOX");

const WRONG: [Wrong; 24] = [
    ("isolate", &[(Container, ISOLATED), NAME], &["namespace net same"]),
    ("isolate", &[(Container, "unshare -impu --fork sh"), NAME], &["proc own"]),
    ("isolate", &[(Container, NET_SHARED)], &["hostname inside is challenge"]),
    ("isolate", &[(Container, "unshare -mpu --mount-proc --fork sh"), NAME], &["namespace ipc,mnt,pid,uts new"]),
    ("nsenter", &[(Container, ISOLATED), (Container, "sleep 300 &")], &["scorecard entered on"]),
    ("nsenter", &[(Container, ISOLATED), (Host, "sleep 300 &")], &["process inside sleep", "scorecard entered on"]),
    (
        "nsenter",
        &[(Container, ISOLATED), (Host, "nsenter -t {container} -p cat /dev/zero > /dev/null &")],
        &["process inside sleep"],
    ),
    (
        "nsenter",
        &[(Container, NET_SHARED), (Host, "nsenter -t {container} -p sleep 300 &")],
        &["scorecard isolated on"],
    ),
    ("rootfs", &[(Container, ISOLATED)], &[ROOTED, RELEASE, HELLO]),
    ("rootfs", &[UNPACK, (Container, IN_ROOT)], &[HELLO]),
    ("rootfs", &[UNPACK, (Container, "unshare -impu --fork chroot rootfs /bin/sh"), GREET], &["scorecard isolated on"]),
    ("rootfs", &[UNPACK, (Container, "echo other > rootfs/etc/os-release"), (Container, IN_ROOT), GREET], &[RELEASE]),
    ("cgroups", &[CREATE, QUARTER, MEMORY, (Container, ISOLATED)], &["in-group container yes"]),
    ("cgroups", &[CREATE, HALF, MEMORY, GROUPED], &["group share 25"]),
    ("cgroups", &[CREATE, QUARTER, GROUPED], &["group memory 16777216"]),
    (
        "cgroups",
        &[
            CREATE,
            QUARTER,
            MEMORY,
            (Container, "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -impu --mount-proc --fork sh"),
        ],
        &["scorecard isolated on"],
    ),
    // In the hierarchy of one controller only.
    (
        "cgroups",
        &[CREATE, QUARTER, MEMORY, (Container, "cgexec -g cpu:$BOX unshare -imnpu --mount-proc --fork sh")],
        &["in-group container yes"],
    ),
    // Entered, and yet outside the limits; and one who never came from outside.
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, CALLED, (Host, ENTER)], &["in-group sleep yes"]),
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, CALLED, (Container, "sleep 300 &")], &["scorecard entered on"]),
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, COMES], &["hostname inside is whole"]),
    ("together", &[UNPACK, CREATE, HALF, WHOLE, CALLED, COMES], &["group pids 12"]),
    (
        "together",
        &[
            UNPACK,
            CREATE,
            HALF,
            TWELVE,
            (
                Container,
                "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -impu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
            ),
            CALLED,
            COMES,
        ],
        &["scorecard isolated on"],
    ),
    ("together", &[CREATE, HALF, TWELVE, GROUPED, CALLED, COMES], &[ROOTED]),
    (
        "together",
        &[
            UNPACK,
            CREATE,
            HALF,
            TWELVE,
            (Container, "unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh"),
            CALLED,
            COMES,
        ],
        &["scorecard limited on"],
    ),
];

const NAME: (TerminalId, &str) = (Container, "hostname challenge");
const ROOTED: &str = "scorecard rooted on";
const RELEASE: &str = "file inside /etc/os-release contains boxwright";
const HELLO: &str = "file inside /hello contains world";
const GREET: (TerminalId, &str) = (Container, "echo world > /hello");
const IN_ROOT: &str = "unshare -imnpu --fork chroot rootfs /bin/sh";
const QUARTER: (TerminalId, &str) = (Container, "cgset -r cpu.cfs_quota_us=25000 $BOX");
const HALF: (TerminalId, &str) = (Container, "cgset -r cpu.cfs_quota_us=50000 $BOX");
const MEMORY: (TerminalId, &str) = (Container, "cgset -r memory.limit_in_bytes=16777216 $BOX");
const TWELVE: (TerminalId, &str) = (Container, "cgset -r pids.max=12 $BOX");
const GROUPED: (TerminalId, &str) =
    (Container, "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -imnpu --mount-proc --fork sh");
const WHOLE: (TerminalId, &str) = (
    Container,
    "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
);
const CALLED: (TerminalId, &str) = (Container, "hostname whole");
const ENTER: &str = "nsenter -t {container} -a sleep 300 &";
const COMES: (TerminalId, &str) =
    (Host, "cgexec -g cpu,cpuacct,memory,pids:$BOX nsenter -t {container} -a sleep 300 &");

/// The same in a step that is no challenge: lesson and step, the lines, and the checks that refuse it.
type Amiss = (&'static str, &'static str, &'static [(TerminalId, &'static str)], &'static [&'static str]);

const AMISS: [Amiss; 6] = [
    // Mounted in the container itself, nothing has leaked.
    ("isolate", "mounts-and-ipc", &[(Container, "mount -t tmpfs leak /srv")], &["leaked /srv"]),
    ("rootfs", "proc-and-dev", &[(Container, "mount -t proc proc /proc; echo x > /dev/null")], &[NULL]),
    (
        "rootfs",
        "chroot",
        &[
            UNPACK,
            (Container, "unshare -imnpu --mount-proc --fork chroot rootfs /bin/sh"),
            (Container, "touch /made-here"),
        ],
        &["handle outside"],
    ),
    (
        "cgroups",
        "move-in",
        &[(Container, "cgexec -g cpu:$BOX unshare -imnpu --mount-proc --fork sh")],
        &["in-group sh yes"],
    ),
    ("cgroups", "half-a-cpu", &[(Container, "cgset -r cpu.cfs_period_us=200000 $BOX"), HALF], &["group period 100000"]),
    (
        "nsenter",
        "not-the-cgroup",
        &[
            CREATE,
            GROUPED,
            (Host, "nsenter -t {container} -a sleep 300 &"),
            (Host, "cgexec -g pids:$BOX nsenter -t {container} -a sleep 301 &"),
        ],
        &["in-group sleep yes"],
    ),
];

const NULL: &str = "file inside /dev/null device c 1:3";

/// Where the lines before a block are these, it is refused until the step is done as it should be.
fn amiss(learner: &mut Learner, lesson: &Lesson) {
    for (_, id, lines, refused) in AMISS.iter().filter(|(of, ..)| *of == lesson.id) {
        let step = lesson.steps.iter().position(|step| step.id == *id).unwrap();
        if !learner.go_to(step) {
            continue;
        }
        for (terminal, line) in *lines {
            learner.line(*terminal, line);
        }
        let verdicts = learner.verdicts_of(refused);
        assert!(verdicts.iter().all(|passed| *passed == Some(false)), "{id}: {lines:?}: {verdicts:?}");
        assert!(!learner.done(), "{id}: {lines:?}");
    }
}

fn wrong_ways(lesson: Lesson) {
    let Some(challenge) = lesson.steps.iter().position(|step| step.challenge) else { panic!("no challenge") };
    let id = lesson.id.clone();
    let wrong: Vec<&Wrong> = WRONG.iter().filter(|(of, ..)| *of == id).collect();
    assert!(!wrong.is_empty(), "{id}: no wrong way is tried");
    let mut learner = Learner::new(lesson.clone(), lacking(Lang::En));
    amiss(&mut learner, &lesson);
    for (_, lines, refused) in wrong {
        if !learner.go_to(challenge) {
            break;
        }
        for (terminal, line) in *lines {
            learner.line(*terminal, line);
        }
        learner.refused(refused);
        let verdicts = learner.verdicts();
        unsolved(&learner, &verdicts, &format!("{id}: {lines:?}"));
        assert!(!learner.done(), "{id}: {lines:?}");
    }
}
