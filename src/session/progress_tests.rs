use super::*;
use crate::lesson::{Requirement, Step};
use nix::fcntl::{Flock, FlockArg};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

pub(super) fn lesson_of(id: &str, steps: &[&str]) -> Lesson {
    let step = |id: &&str| Step { id: id.to_string(), ..Step::default() };
    Lesson { id: id.into(), steps: steps.iter().map(step).collect(), ..Lesson::default() }
}

pub(super) fn lesson() -> Lesson {
    lesson_of("isolate", &["first", "second"])
}

pub(super) fn passed(step: usize) -> Report {
    Report::Solved(step, true)
}

pub(super) fn done(progress: &Progress, lesson: &Lesson) -> usize {
    progress.of(lesson).done()
}

/// A window that is opened now.
pub(super) fn window(state: &StateDir) -> Progress {
    Progress::load(state).unwrap().0
}

#[test]
fn what_was_reached_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let (mut progress, aside) = Progress::load(&state).unwrap();
    assert_eq!((progress.at(&lesson()), aside), (None, None));
    assert!(progress.note(&lesson(), &Report::Step(0)));
    assert!(!progress.note(&lesson(), &Report::Step(0)), "nothing new");
    assert!(progress.note(&lesson(), &passed(0)));
    assert!(progress.note(&lesson(), &Report::Step(1)));
    assert!(!progress.note(&lesson(), &Report::Outcome(1, Outcome::Failed("x".into()))));
    assert!(progress.is_unsaved());
    progress.save(&state).unwrap();
    assert!(!progress.is_unsaved());

    let progress = window(&state);
    assert_eq!((progress.last(), progress.at(&lesson()), done(&progress, &lesson())), (Some("isolate"), Some(1), 1));
    let mut shorter = lesson();
    shorter.steps.pop();
    assert_eq!(progress.at(&shorter), None, "a step that was edited away");
}

/// What earlier versions have written: a step that was passed then is done.
#[test]
fn a_file_of_an_earlier_version_is_read_and_kept() {
    let old = br#"{
  "lessons": {
    "isolate": {
      "at": "second",
      "passed": [
        "first"
      ]
    }
  },
  "last": "isolate"
}
"#;
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    state.save(FILE, old).unwrap();
    let mut progress = window(&state);
    assert_eq!(progress.standing(&lesson(), 0), Standing::Done);
    assert_eq!((progress.at(&lesson()), progress.standing(&lesson(), 1)), (Some(1), Standing::Open));
    assert!(!progress.note(&lesson(), &Report::Left(0)) || progress.standing(&lesson(), 0) == Standing::Done);
    progress.note(&lesson(), &Report::Solved(1, false));
    progress.save(&state).unwrap();
    let later = window(&state);
    assert_eq!((later.standing(&lesson(), 0), later.standing(&lesson(), 1)), (Standing::Done, Standing::Helped));
    assert!(later.of(&lesson()).is_complete());
}

fn swap_lacks() -> BTreeMap<&'static str, Lacking> {
    let why = |text: &str| vec![(Requirement::Swap, text.to_string())];
    BTreeMap::from([("en", why("no swap")), ("zh", why("没有交换空间"))])
}

pub(super) fn needing_swap() -> Lesson {
    let mut lesson = lesson();
    lesson.steps[1].blocks.push(Block::Requires(vec![Requirement::Swap]));
    lesson
}

#[test]
fn what_the_machine_cannot_do_is_not_missing_and_never_done() {
    let lesson = needing_swap();
    let mut progress = Progress::default();
    assert!(progress.lacks(&lesson, &swap_lacks()) && !progress.lacks(&lesson, &swap_lacks()), "once is enough");
    assert_eq!(progress.standing(&lesson, 1), Standing::Impossible("no swap".into()));
    let zh = Lesson { lang: crate::lang::Lang::Zh, ..lesson.clone() };
    assert_eq!(progress.standing(&zh, 1), Standing::Impossible("没有交换空间".into()));
    assert!(!progress.of(&lesson).is_complete(), "nothing is done");
    progress.note(&lesson, &passed(0));
    assert!(progress.of(&lesson).is_complete());
    // Another machine, or root, can do it: then it is missing.
    assert!(progress.lacks(&lesson, &BTreeMap::from([("en", Vec::new())])));
    assert_eq!((progress.standing(&lesson, 1), progress.of(&lesson).left()), (Standing::Open, vec![2]));
    // Done once, on whatever machine, it is done.
    progress.note(&lesson, &passed(1));
    progress.lacks(&lesson, &swap_lacks());
    assert_eq!(progress.standing(&lesson, 1), Standing::Done);
    assert!(!progress.lacks(&lesson, &BTreeMap::new()), "a machine that was not looked at says nothing");
}

#[test]
fn a_step_that_could_not_be_seen_whole_counts_as_not_possible() {
    let lesson = needing_swap();
    let mut progress = Progress::default();
    progress.lacks(&lesson, &swap_lacks());
    assert!(!progress.note(&lesson, &Report::Outcome(1, Outcome::Skipped("no swap".into()))), "that is known");
    assert!(progress.note(&lesson, &Report::Outcome(0, Outcome::Skipped("ptrace is refused".into()))));
    assert_eq!(progress.standing(&lesson, 0), Standing::Impossible("ptrace is refused".into()));
}

#[test]
fn what_is_solved_stays_solved_and_help_is_made_up_for() {
    let mut progress = Progress::default();
    progress.note(&lesson(), &Report::Left(0));
    assert_eq!(progress.standing(&lesson(), 0), Standing::Skipped);
    progress.note(&lesson(), &Report::Solved(0, false));
    assert_eq!(progress.standing(&lesson(), 0), Standing::Helped);
    // Going back to read, and leaving again.
    progress.note(&lesson(), &Report::Step(0));
    progress.note(&lesson(), &Report::Left(0));
    assert_eq!(progress.standing(&lesson(), 0), Standing::Helped);
    progress.note(&lesson(), &Report::Solved(0, true));
    assert_eq!(progress.standing(&lesson(), 0), Standing::Done);
    progress.note(&lesson(), &Report::Solved(0, false));
    assert_eq!(progress.standing(&lesson(), 0), Standing::Done);
}

#[test]
fn answers_survive_a_restart_and_the_first_one_counts() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mut lesson = lesson();
    let ask = || Block::Predict(crate::lesson::Predict::default());
    lesson.steps[0].blocks = vec![Block::Prose(String::new()), ask(), Block::Prose(String::new()), ask()];
    let mut progress = window(&state);
    assert!(progress.note(&lesson, &Report::Answered(0, 3, false)));
    assert!(!progress.note(&lesson, &Report::Answered(0, 3, true)));
    progress.save(&state).unwrap();
    let of = window(&state).of(&lesson);
    assert_eq!(of.steps[0].answers, [None, Some(false)]);
    assert_eq!(of.predictions(), Predictions { all: 2, answered: 1, right: 0 });
}

#[test]
fn a_broken_file_is_put_aside_and_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    state.save(FILE, b"{\"lessons\": tor").unwrap();
    let (progress, aside) = Progress::load(&state).unwrap();
    assert_eq!(progress, Progress::default());
    assert!(aside.unwrap().contains(ASIDE));
    assert_eq!(state.load(ASIDE).unwrap().unwrap(), b"{\"lessons\": tor");
}

#[test]
fn two_windows_keep_what_either_has_passed() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let (mut one, mut other) = (window(&state), window(&state));
    let roots = lesson_of("rootfs", &["copy"]);
    for report in [Report::Step(0), passed(0)] {
        one.note(&lesson(), &report);
    }
    one.save(&state).unwrap();
    for report in [Report::Step(0), passed(0)] {
        other.note(&roots, &report);
    }
    other.note(&lesson(), &passed(1));
    other.save(&state).unwrap();
    assert_eq!((done(&other, &lesson()), other.last()), (2, Some("rootfs")), "it has learnt of the first");
    let third = window(&state);
    assert_eq!((done(&third, &lesson()), done(&third, &roots), third.at(&lesson())), (2, 1, Some(0)));
}

#[test]
fn many_windows_that_save_at_the_same_moment_lose_nothing() {
    const WINDOWS: usize = 4;
    const STEPS: usize = 25;
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..WINDOWS * STEPS).map(|number| format!("step-{number}")).collect();
    let lesson = lesson_of("long", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let start = Barrier::new(WINDOWS);
    std::thread::scope(|scope| {
        for number in 0..WINDOWS {
            let (lesson, start, path) = (&lesson, &start, dir.path());
            scope.spawn(move || {
                let state = StateDir::at(path).unwrap();
                let mut progress = window(&state);
                start.wait();
                for step in 0..STEPS {
                    assert!(progress.note(lesson, &passed(step * WINDOWS + number)));
                    // Who waits for the lock too long is told, and tries again later, as a session does.
                    assert!((0..100).any(|_| progress.save(&state).is_ok()));
                }
            });
        }
    });
    assert_eq!(done(&window(&StateDir::at(dir.path()).unwrap()), &lesson), WINDOWS * STEPS);
}

#[test]
fn a_reset_forgets_for_every_window_and_keeps_what_comes_after() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mut open = window(&state);
    open.note(&lesson(), &passed(0));
    open.save(&state).unwrap();
    assert_eq!(Progress::reset(&state).unwrap(), Progress::default());
    open.note(&lesson(), &passed(1));
    open.save(&state).unwrap();
    assert_eq!((done(&open, &lesson()), done(&window(&state), &lesson())), (1, 1));
}

fn take_lock(dir: &Path) -> Flock<std::fs::File> {
    let file = OpenOptions::new().write(true).open(dir.join("progress.json.lock")).unwrap();
    Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
}

#[test]
fn a_lock_that_is_not_given_back_is_told_in_time_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mut progress = window(&state);
    progress.save(&state).unwrap();
    let lock = take_lock(dir.path());
    progress.note(&lesson(), &passed(0));
    let (began, patience) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(progress.save_within(patience, &state).unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(began.elapsed() >= patience && began.elapsed() < PATIENCE * 8, "{:?}", began.elapsed());
    assert!(progress.is_unsaved() && done(&window(&state), &lesson()) == 0);
    drop(lock);
    progress.save(&state).unwrap();
    assert_eq!(done(&window(&state), &lesson()), 1);
}

#[test]
fn without_locks_it_is_saved_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let refused = std::thread::scope(|scope| {
        let saving = scope.spawn(|| {
            refuse_locks();
            let turn = state.turn(FILE, PATIENCE).unwrap();
            let mut progress = window(&state);
            progress.note(&lesson(), &passed(0));
            progress.save(&state).unwrap();
            turn._lock.unwrap_err()
        });
        saving.join().unwrap()
    });
    assert_eq!(refused, nix::errno::Errno::ENOLCK);
    assert_eq!(done(&window(&state), &lesson()), 1);
}

/// Makes flock(2) fail with ENOLCK in this thread and those that it starts, as a home on a network may.
#[expect(unsafe_code, reason = "nix has no seccomp(2)")]
fn refuse_locks() {
    let instruction = |code: u32, k: u32, jt, jf| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut filter = [
        // The number is the first word of struct seccomp_data.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, libc::SYS_flock as u32, 0, 1),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::ENOLCK as u32, 0, 0),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    nix::sys::prctl::set_no_new_privs().unwrap();
    // SAFETY: `program` points to `filter`, and both live until the call has returned; the kernel copies them.
    let loaded = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    assert_eq!(loaded, 0, "{}", io::Error::last_os_error());
}

fn any_place() -> impl Strategy<Value = Place> {
    let step = || prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(String::from);
    let set = move || vec(step(), 0..4).prop_map(|steps| steps.into_iter().collect());
    let reasons = move || {
        vec((step(), step()), 0..3).prop_map(|all| all.into_iter().map(|(step, why)| (step, reason(&why))).collect())
    };
    let answers = vec((step(), 0..2usize, any::<bool>()), 0..4).prop_map(|given| {
        let mut answers: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
        for (step, question, right) in given {
            answers.entry(step).or_default().insert(question, right);
        }
        answers
    });
    let at = prop::option::of(step()).prop_map(Option::unwrap_or_default);
    let repairs = vec((step(), 0..9u64, 0..3usize), 0..3).prop_map(|all| {
        all.into_iter().map(|(step, seconds, commands)| (step, Repair { seconds, commands, hints: 0 })).collect()
    });
    (at, set(), set(), set(), set(), reasons(), prop::option::of(reasons()), answers, repairs).prop_map(
        |(at, passed, helped, alone, skipped, unseen, lacking, answers, repairs)| Place {
            at,
            passed,
            helped,
            alone,
            skipped,
            unseen,
            lacking,
            answers,
            repairs,
        },
    )
}

fn reason(why: &str) -> Reason {
    Reason::from([("en".into(), why.into())])
}

fn any_record() -> impl Strategy<Value = Record> {
    let name = || prop::sample::select(vec!["isolate", "rootfs", "cgroups"]).prop_map(String::from);
    let lessons = vec((name(), any_place()), 0..4).prop_map(|lessons| lessons.into_iter().collect());
    let days = prop::collection::btree_set(0u64..4, 0..3);
    (lessons, prop::option::of(name()), days).prop_map(|(lessons, last, days)| Record { lessons, last, days })
}

fn sum(one: &Record, later: &Record) -> Record {
    let mut both = one.clone();
    both.add(later.clone());
    both
}

fn steps_of(record: &Record) -> BTreeSet<(String, String)> {
    let steps = |(lesson, place): (&String, &Place)| -> Vec<(String, String)> {
        place.passed.iter().map(|step| (lesson.clone(), step.clone())).collect()
    };
    record.lessons.iter().flat_map(steps).collect()
}

proptest! {
    #[test]
    fn adding_loses_nothing_in_whatever_order_and_however_often(
        one in any_record(), two in any_record(), three in any_record(),
    ) {
        let both = sum(&one, &two);
        let all: BTreeSet<_> = steps_of(&one).union(&steps_of(&two)).cloned().collect();
        prop_assert_eq!(steps_of(&both), all.clone());
        prop_assert_eq!(steps_of(&sum(&two, &one)), all);
        prop_assert_eq!(&sum(&both, &two), &both);
        prop_assert_eq!(&sum(&one, &one), &one);
        prop_assert_eq!(sum(&both, &three), sum(&one, &sum(&two, &three)));
        // The first answer to a question is the one that counts.
        for (lesson, place) in &one.lessons {
            for (step, given) in &place.answers {
                given.iter().for_each(|(question, right)| assert_eq!(both.lessons[lesson].answers[step][question], *right));
            }
        }
        // The last place is the one that was said last.
        prop_assert_eq!(&both.last, if two.last.is_some() { &two.last } else { &one.last });
        for (lesson, place) in two.lessons.iter().filter(|(_, place)| !place.at.is_empty()) {
            prop_assert_eq!(&both.lessons[lesson].at, &place.at);
        }
    }
}
