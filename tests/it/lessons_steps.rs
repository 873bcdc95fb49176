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

/// At least one fact does not hold, and says what should be and what is.
fn unsolved(verdicts: &[Verdict], place: &str) {
    let missed: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.passed == Some(false)).collect();
    assert!(!missed.is_empty(), "{place} holds without its commands: {verdicts:#?}");
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
        unsolved(&learner.return_only(), &place);
        assert!(!learner.done(), "{place}");
        learner.go_to(step);
        play(&mut learner);
        assert!(learner.done(), "{place}");
        learner.go_to(step);
        unsolved(&learner.return_only(), &place);
    }
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

/// A way that looks right and is not: the lesson, and the lines.
type Wrong = (&'static str, &'static [(TerminalId, &'static str)]);

const WRONG: [Wrong; 9] = [
    ("isolate", &[(Container, "unshare -imnpu --mount-proc --fork sh"), (Container, "hostname challenge")]),
    ("isolate", &[(Container, "unshare -impu --fork sh"), (Container, "hostname challenge")]),
    ("nsenter", &[(Container, "unshare -imnpu --mount-proc --fork sh"), (Container, "sleep 300 &")]),
    ("nsenter", &[(Container, "unshare -imnpu --mount-proc --fork sh"), (Host, "sleep 300 &")]),
    ("rootfs", &[(Container, "unshare -imnpu --mount-proc --fork sh")]),
    (
        "rootfs",
        &[
            (Container, "boxwright image unpack builtin: rootfs"),
            (Container, "unshare -imnpu --mount-proc --fork sh"),
            (Container, "chroot rootfs /bin/sh"),
            (Container, "echo world > /hello"),
        ],
    ),
    (
        "cgroups",
        &[
            (Container, "cgcreate -g cpu,cpuacct,memory,pids:$BOX"),
            (Container, "cgset -r cpu.cfs_quota_us=25000 $BOX"),
            (Container, "cgset -r memory.limit_in_bytes=16777216 $BOX"),
            (Container, "unshare -imnpu --mount-proc --fork sh"),
        ],
    ),
    // Entered, and yet outside the limits; and one who never came from outside.
    (
        "together",
        &[WHOLE[0], WHOLE[1], WHOLE[2], WHOLE[3], WHOLE[4], WHOLE[5], (Host, "nsenter -t {container} -a sleep 300 &")],
    ),
    ("together", &[WHOLE[0], WHOLE[1], WHOLE[2], WHOLE[3], WHOLE[4], WHOLE[5], (Container, "sleep 300 &")]),
];

/// Everything that the closing challenge asks for, but for whom comes in.
const WHOLE: [(TerminalId, &str); 6] = [
    (Container, "boxwright image unpack builtin: rootfs"),
    (Container, "cgcreate -g cpu,cpuacct,memory,pids:$BOX"),
    (Container, "cgset -r cpu.cfs_quota_us=50000 $BOX"),
    (Container, "cgset -r pids.max=12 $BOX"),
    (
        Container,
        "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
    ),
    (Container, "hostname whole"),
];

fn wrong_ways(lesson: Lesson) {
    let Some(challenge) = lesson.steps.iter().position(|step| step.challenge) else { panic!("no challenge") };
    let id = lesson.id.clone();
    let wrong: Vec<&Wrong> = WRONG.iter().filter(|(of, _)| *of == id).collect();
    assert!(!wrong.is_empty(), "{id}: no wrong way is tried");
    let mut learner = Learner::new(lesson, lacking(Lang::En));
    for (_, lines) in wrong {
        if !learner.go_to(challenge) {
            break;
        }
        for (terminal, line) in *lines {
            learner.line(*terminal, line);
        }
        unsolved(&learner.verdicts(), &format!("{id}: {lines:?}"));
        assert!(!learner.done(), "{id}: {lines:?}");
    }
}
