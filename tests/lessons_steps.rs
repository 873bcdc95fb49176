//! Every step of every lesson on the real kernel: unsolved before, solved after, unsolved again after going back; by
//! keys, by hand, and with the distribution's own tools; and a challenge refuses wrong ways.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "support/learner.rs"]
mod learner;
mod support;

use boxwright::{
    doctor::attempt,
    lang::Lang,
    lesson::TerminalId::{self, Container, Host},
    session::Verdict,
    tools::TOOLS,
};
use learner::{Learner, lacking, lessons};
use std::{os::unix::fs::symlink, panic::catch_unwind, path::Path, process::ExitCode, time::Instant};
use support::{BOXWRIGHT, host, left_of, not_root};

/// One at a time, because the state of the whole machine is compared.
const TESTS: [(&str, fn()); 3] = [
    ("every_step_is_unsolved_before_and_solved_after_and_unsolved_again", by_keys),
    ("every_step_can_be_typed_with_the_distributions_tools", by_hand),
    ("a_challenge_refuses_what_only_looks_right", wrong_ways),
];

/// The tracer wants SIGCHLD blocked in every thread, and the usual harness starts some before a test can block anything.
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [role, rest @ ..] = args.as_slice()
        && role == attempt::ROLE
    {
        // What a machine allows is tried by another process of the same program, which is this one here.
        return attempt::run(rest);
    }
    boxwright::runtime::signals::block().unwrap();
    let filter = args.iter().find(|arg| !arg.starts_with('-'));
    let chosen = TESTS.iter().filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter.as_str())));
    let (began, mut passed, mut failed) = (Instant::now(), 0, 0);
    for (name, test) in chosen {
        let good = not_root(name) || catch_unwind(test).is_ok();
        println!("test {name} ... {}", if good { "ok" } else { "FAILED" });
        *(if good { &mut passed } else { &mut failed }) += 1;
    }
    // The last line is the one that whoever reads the output of many tests looks for.
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        TESTS.len() - passed - failed,
        began.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

/// Goes through all lessons; `play` brings the step that is open to its end.
fn through_all(lang: Lang, play: impl Fn(&mut Learner)) {
    let before = host();
    let lacking = lacking(lang);
    for lesson in lessons(lang) {
        let steps = lesson.steps.len();
        let id = lesson.id.clone();
        let mut learner = Learner::new(lesson, lacking.clone());
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
    }
    assert_eq!(host(), before, "the machine is as it was");
}

fn by_keys() {
    through_all(Lang::En, Learner::play);
}

/// A directory with what no distribution has, and what this machine's lacks.
fn only_ours() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let there = |name: &str| DISTRIBUTION.split(':').any(|place| Path::new(place).join(name).exists());
    for name in TOOLS.iter().map(|tool| tool.name).chain(["boxwright"]) {
        if OURS.contains(&name) || !there(name) {
            if !OURS.contains(&name) {
                eprintln!("skipped: {name}: this machine has none of its own");
            }
            symlink(BOXWRIGHT, dir.path().join(name)).unwrap();
        }
    }
    dir
}

const DISTRIBUTION: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// What no distribution has: `skopeo` is here because the built-in image is a source that only ours knows, and `cgdelete`
/// because libcgroup's moves the members of a group away where the kernel says EBUSY, which is what the step shows.
const OURS: [&str; 4] = ["boxwright", "cgdelete", "hog", "skopeo"];

fn by_hand() {
    let ours = only_ours();
    let path = format!("PATH={}:{DISTRIBUTION}", ours.path().display());
    through_all(Lang::Zh, |learner| {
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

fn wrong_ways() {
    let lacking = lacking(Lang::En);
    for lesson in lessons(Lang::En) {
        let Some(challenge) = lesson.steps.iter().position(|step| step.challenge) else { continue };
        let id = lesson.id.clone();
        let wrong: Vec<&Wrong> = WRONG.iter().filter(|(of, _)| *of == id).collect();
        assert!(!wrong.is_empty(), "{id}: no wrong way is tried");
        let mut learner = Learner::new(lesson, lacking.clone());
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
}
