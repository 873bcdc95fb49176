//! The runner itself: what becomes of a test whose requirement is missing, and of arguments.

use crate::{
    harness::{Again, Required, Test, call, declared, tests, trials},
    needs::Need,
};
use libtest_mimic::{Arguments, Conclusion};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

pub fn tests() -> Vec<Test> {
    tests![
        what_is_missing_is_ignored_unless_it_is_required,
        what_fails_once_holds_the_second_time_and_is_named,
        arguments_ask_for_the_ignored_ones,
        a_name_that_no_test_has_is_refused,
        what_is_not_declared_is_not_used,
    ]
}

/// No machine has this program.
const MISSING: Need = Need::Tool("no-such-program");

/// One test that can run, one that fails, and one whose requirement is missing and that would fail.
fn three() -> Vec<Test> {
    let test = |name, run: fn(), needs: &[Need]| Test::new("it::three", name, run, needs.to_vec());
    vec![
        test("good", || {}, &[]),
        // A panic whose message and stack are not taken for a failure.
        test("bad", || resume_unwind(Box::new("bad")), &[]).alone(),
        test("missing", || resume_unwind(Box::new("it ran")), &[MISSING]),
    ]
}

/// Passed, failed, ignored.
fn counts(args: &[&str], required: &str) -> (u64, u64, u64) {
    // What these tests print is not for the reader of all tests' output.
    let log = tempfile::NamedTempFile::new().unwrap();
    let logfile = format!("--logfile={}", log.path().display());
    let args = Arguments::from_iter([&["it", &logfile][..], args].concat());
    let known = BTreeSet::from(["no-such-program".to_string(), "root".to_string()]);
    let trials = trials(three(), &args, Required::parse(required, &known).unwrap(), None);
    let Conclusion { num_passed, num_failed, num_ignored, .. } = libtest_mimic::run(&args, trials);
    (num_passed, num_failed, num_ignored)
}

fn what_is_missing_is_ignored_unless_it_is_required() {
    for (required, wanted) in [
        ("", (1, 1, 1)),
        ("root", (1, 1, 1)),
        ("no-such-program", (1, 2, 0)),
        ("root, no-such-program", (1, 2, 0)),
        ("all", (1, 2, 0)),
        ("all,-no-such-program", (1, 1, 1)),
    ] {
        assert_eq!(counts(&[], required), wanted, "{required:?}");
    }
}

fn what_fails_once_holds_the_second_time_and_is_named() {
    static RUNS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
    /// Fails as often as its number says.
    fn fails<const TIMES: usize>() {
        if RUNS[TIMES].fetch_add(1, Ordering::Relaxed) < TIMES as u32 {
            resume_unwind(Box::new("not yet"));
        }
    }
    let run = |again: Option<Again>| {
        RUNS.iter().for_each(|runs| runs.store(0, Ordering::Relaxed));
        let test = |name, run: fn()| Test::new("it::fails", name, run, Vec::new());
        let tests = vec![test("never", fails::<0>), test("once", fails::<1>), test("twice", fails::<2>)];
        let log = tempfile::NamedTempFile::new().unwrap();
        let args = Arguments::from_iter(["it".into(), format!("--logfile={}", log.path().display())]);
        let trials = trials(tests, &args, Required::parse("", &BTreeSet::new()).unwrap(), again);
        let Conclusion { num_passed, num_failed, .. } = libtest_mimic::run(&args, trials);
        (num_passed, num_failed, RUNS.each_ref().map(|runs| runs.load(Ordering::Relaxed)))
    };
    assert_eq!(run(None), (1, 2, [1, 1, 1]));
    let unsteady = Again::default();
    assert_eq!(run(Some(Arc::clone(&unsteady))), (2, 1, [1, 2, 2]));
    assert_eq!(*unsteady.lock().unwrap(), ["fails::once"]);
}

fn arguments_ask_for_the_ignored_ones() {
    assert_eq!(counts(&["three::good"], ""), (1, 0, 0));
    assert_eq!(counts(&["--exact", "three::missing"], ""), (0, 0, 1));
    assert_eq!(counts(&["--ignored"], ""), (0, 1, 0));
    assert_eq!(counts(&["--include-ignored"], ""), (1, 2, 0));
    assert_eq!(counts(&["--skip", "bad", "--test-threads=1"], ""), (1, 0, 1));
}

fn a_name_that_no_test_has_is_refused() {
    let known = BTreeSet::from(["root".to_string()]);
    for text in ["roots", "all,-roots", "root,strace"] {
        let why = Required::parse(text, &known).err().unwrap();
        assert!(why.contains("no test needs") && why.contains("known are all, root"), "{text}: {why}");
    }
}

fn what_is_not_declared_is_not_used() {
    let uses = |needs| Test::new("it::three", "uses", || declared(&Need::Root), needs);
    let fails = |test: Test| {
        let failed = std::thread::spawn(move || catch_unwind(AssertUnwindSafe(|| call(&test))).is_err());
        failed.join().unwrap()
    };
    assert!(!fails(uses(vec![Need::Root])));
    assert!(fails(uses(vec![MISSING])) && fails(uses(Vec::new())));
}
