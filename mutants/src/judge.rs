//! Every mutant against the tests: which of them does no test notice?

use crate::list::Mutant;
use anyhow::{Result, bail, ensure};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

/// A mutant that loops has so long, and this many times what the tests take without one.
const PATIENCE: Duration = Duration::from_secs(5);
const TIMES: u32 = 10;
/// A mutant that collects without end may have so much memory, in bytes.
const MEMORY: &str = "--as=1500000000";

/// Gives those that survive. `words` are names of tests; where there are none, those of the module that is changed run.
pub fn all<'a>(mutants: &[&'a Mutant], binary: &Path, tree: &Path, words: &[String]) -> Result<Vec<&'a Mutant>> {
    let tests = |mutant: &Mutant| if words.is_empty() { vec![module(&mutant.file)] } else { words.to_vec() };
    let mut times = BTreeMap::new();
    for words in mutants.iter().map(|mutant| tests(mutant)).collect::<BTreeSet<_>>() {
        let began = Instant::now();
        ensure!(passes(binary, tree, 0, &words, None)?, "the tests {words:?} fail without any mutant");
        times.insert(words, began.elapsed());
    }
    let jobs = env::var("JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(2);
    let (next, survived) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let words = tests(mutant);
            let patience = PATIENCE + times.get(&words).copied().unwrap_or_default() * TIMES;
            if passes(binary, tree, mutant.number, &words, Some(patience))? {
                survived.lock().unwrap_or_else(PoisonError::into_inner).push(*mutant);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a thread has ended")))
    })?;
    let mut survived = survived.into_inner().unwrap_or_else(PoisonError::into_inner);
    survived.sort_by_key(|mutant| mutant.number);
    Ok(survived)
}

/// The tests of the module of a file: `session::` for `src/session/play.rs`.
fn module(file: &str) -> String {
    let name = file.split('/').nth(1).unwrap_or_default();
    format!("{}::", name.trim_end_matches(".rs"))
}

/// Whether these tests pass in time while this mutant is on. The first one that fails ends the run.
fn passes(binary: &Path, tree: &Path, mutant: usize, words: &[String], patience: Option<Duration>) -> Result<bool> {
    let mut command = Command::new("prlimit");
    command.arg(MEMORY).arg("--").arg(binary).args(["--test-threads", "2"]).args(words).current_dir(tree);
    command.env("MUTANT", mutant.to_string()).env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", tree);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let passes = is_well(&mut child, patience);
    let _ = child.kill();
    child.wait()?;
    Ok(passes)
}

/// Whether it says so in time.
fn is_well(child: &mut Child, patience: Option<Duration>) -> bool {
    let Some(out) = child.stdout.take() else { return false };
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let ended = lines.filter(|line| line.starts_with("test ")).find_map(|line| match () {
            () if line.starts_with("test result: ok") => Some(true),
            () if line.ends_with("FAILED") => Some(false),
            () => None,
        });
        let _ = sender.send(ended.unwrap_or(false));
    });
    match patience {
        Some(patience) => receiver.recv_timeout(patience).unwrap_or(false),
        None => receiver.recv().unwrap_or(false),
    }
}
