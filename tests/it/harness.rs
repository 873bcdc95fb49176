//! What a test is: its name, what it needs of the machine, and whether others may run beside it.
//!
//! The usual harness knows no requirement that is found out when a test runs, so the tests are run by `libtest-mimic`, which
//! takes the same arguments and prints the same lines. A test whose requirement is missing is ignored, with the reason;
//! `BOXWRIGHT_REQUIRE` makes it fail instead (see [`Required`]).

use crate::needs::Need;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// One test.
pub struct Test {
    pub name: String,
    run: Box<dyn Fn() + Send + Sync>,
    needs: Vec<Need>,
    alone: bool,
    own_process: bool,
}

/// The tests of a module: `name`, or `name: [needs]`. A function that is left out is dead code, which the lints refuse.
macro_rules! tests {
    ($($name:ident $(: [$($need:expr),+ $(,)?])?),+ $(,)?) => {{
        #[allow(unused_imports, reason = "not every module needs them")]
        use $crate::needs::Need::*;
        vec![$($crate::harness::Test::new(module_path!(), stringify!($name), $name, vec![$($($need),+)?])),+]
    }};
}
pub(crate) use tests;

impl Test {
    /// A test of this module, by its path from the crate's root.
    pub fn new(module: &str, name: &str, run: impl Fn() + Send + Sync + 'static, needs: Vec<Need>) -> Test {
        let module = module.split_once("::").map_or("", |(_, module)| module);
        let name = format!("{module}::{name}");
        Test { name, run: Box::new(run), needs, alone: false, own_process: false }
    }

    /// No other test runs at the same time: it compares the state of the whole machine, or its time is short.
    pub fn alone(self) -> Test {
        Test { alone: true, ..self }
    }

    /// Runs in another process of this program, which blocks SIGCHLD before it has a second thread: the tracer wants that
    /// signal blocked in every thread, and here the threads of the runner exist already.
    pub fn in_its_own_process(self) -> Test {
        Test { own_process: true, ..self }
    }

    /// What it needs.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// What is missing of that, if anything is.
    fn missing(&self) -> Option<(&Need, String)> {
        self.needs.iter().find_map(|need| Some((need, need.missing()?)))
    }
}

thread_local! {
    /// What the test on this thread has declared.
    static DECLARED: RefCell<Vec<Need>> = const { RefCell::new(Vec::new()) };
}

/// Fails the test that uses a thing which it has not declared, so that a machine that has everything shows it, too.
#[track_caller]
pub fn declared(need: &Need) {
    let known = DECLARED.with_borrow(|declared| declared.contains(need));
    assert!(known, "this test needs {}, which its line in tests() does not say", need.name());
}

/// Calls the test's function.
pub fn call(test: &Test) {
    DECLARED.set(test.needs.clone());
    (test.run)();
}

/// What must be there, from `BOXWRIGHT_REQUIRE`: names of requirements between commas, `all`, and `-NAME` for an exception.
pub struct Required(BTreeSet<String>);

impl Required {
    /// Reads the variable's text.
    ///
    /// # Errors
    /// A name that no test has is a mistake, because it would require nothing.
    pub fn parse(text: &str, known: &BTreeSet<String>) -> Result<Required, String> {
        let mut required = BTreeSet::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let name = word.strip_prefix('-').unwrap_or(word);
            if word == "all" {
                required.extend(known.iter().cloned());
            } else if !known.contains(name) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(format!("BOXWRIGHT_REQUIRE: no test needs {name:?}; known are all, {}", known.join(", ")));
            } else if name == word {
                required.insert(name.into());
            } else {
                required.remove(name);
            }
        }
        Ok(Required(required))
    }

    /// Ignored or failed: what becomes of a test for want of this.
    fn without(&self, need: &Need, why: String) -> Result<Completion, Failed> {
        let name = need.name();
        let reason = format!("needs {name}: {why}");
        if self.0.contains(&name) { Err(Failed::from(reason)) } else { Ok(Completion::ignored_with(reason)) }
    }
}

/// Makes trials of the tests. Those that run alone come last, so that they wait for the others once. With `again`, what fails
/// runs once more, alone.
pub fn trials(mut tests: Vec<Test>, args: &Arguments, required: Required, again: Option<Again>) -> Vec<Trial> {
    tests.sort_by_key(|test| test.alone);
    let (machine, required) = (Arc::new(RwLock::new(())), Arc::new(required));
    let trial = |test: Test| {
        let (machine, required, again) = (Arc::clone(&machine), Arc::clone(&required), again.clone());
        // What is missing is found out here only where the arguments ask for tests by that.
        let ignored = args.ignored && test.missing().is_some();
        let regardless = args.ignored || args.include_ignored;
        let name = test.name.clone();
        let run = move || match test.missing().filter(|_| !regardless) {
            Some((need, why)) => required.without(need, why),
            None => run(&test, &machine, again.as_deref()).map(|()| Completion::Completed),
        };
        Trial::ignorable_test(name, run).with_ignored_flag(ignored)
    };
    tests.into_iter().map(trial).collect()
}

/// The names of the tests that failed beside others and held alone. A machine that others share is to turn no test red, and
/// a test that needs a second attempt is to be known.
pub type Again = Arc<Mutex<Vec<String>>>;

fn run(test: &Test, machine: &RwLock<()>, again: Option<&Mutex<Vec<String>>>) -> Result<(), Failed> {
    let Err(failed) = once(test, machine, test.alone) else { return Ok(()) };
    let Some(unsteady) = again else { return Err(failed) };
    eprintln!("{} failed, and runs once more: {}", test.name, failed.message().unwrap_or_default());
    once(test, machine, true)?;
    unsteady.lock().unwrap_or_else(PoisonError::into_inner).push(test.name.clone());
    Ok(())
}

fn once(test: &Test, machine: &RwLock<()>, alone: bool) -> Result<(), Failed> {
    // A lock that a failed test has poisoned still keeps the others apart.
    let (_alone, _beside);
    if alone {
        _alone = machine.write().unwrap_or_else(PoisonError::into_inner);
    } else {
        _beside = machine.read().unwrap_or_else(PoisonError::into_inner);
    }
    let _timed = Timed(&test.name, Instant::now());
    if test.own_process {
        let status = Command::new(std::env::current_exe()?).args([OWN_PROCESS, &test.name]).status()?;
        return if status.success() { Ok(()) } else { Err(format!("{status}; what it said is above").into()) };
    }
    catch_unwind(AssertUnwindSafe(|| call(test))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Failed::from(text.unwrap_or("a panic"))
    })
}

/// How long each test took that has ended.
static TAKEN: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// A test that runs: what it took is known once it has ended, however it did.
struct Timed<'a>(&'a str, Instant);

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push((self.1.elapsed(), self.0.into()));
    }
}

/// The tests that took longest, a line each, the longest first; none where all were quick.
pub fn slowest() -> Vec<String> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    taken.retain(|(time, _)| *time > Duration::from_secs(5));
    taken.sort_by(|one, other| other.cmp(one));
    taken.iter().take(60).map(|(time, name)| format!("{:6.1} s  {name}", time.as_secs_f64())).collect()
}

/// The first argument of a process that runs one test.
pub const OWN_PROCESS: &str = "__test";
