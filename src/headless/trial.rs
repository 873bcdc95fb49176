//! Trying scripts: what the kernel says of the container that each comes to.

use super::prover::{Prover, Stuck, played};
use crate::{
    event::Event,
    lesson::{
        Block, Check, Run, TerminalId,
        mutants::{Trial, Tried},
    },
    runtime::{Setup, Trouble},
    session::{Lacking, Phase, Wish},
};
use std::time::{Duration, Instant};

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what should be true may take to come true.
const SETTLING: Duration = Duration::from_secs(8);

/// Why a script could not be tried.
#[derive(Debug)]
pub(crate) enum Untried {
    /// This machine lacks something.
    Lacks(String),
    /// It does what no lesson may, or does not come to an end; in words.
    Wrong(String),
    /// This signal asks us to end.
    Signal(i32),
}

/// A session in which scripts are tried, one after the other.
pub(crate) struct Trials<'a> {
    prover: &'a mut Prover,
    lacking: &'a Lacking,
}

/// Starts a session, has `play` try scripts in it, and ends it; gives what `play` gives, and what was left behind.
///
/// Errors: this machine cannot.
pub(crate) fn trials<T>(
    lacking: &Lacking,
    setup: Setup,
    play: impl FnOnce(&mut Trials<'_>) -> Result<T, Untried>,
) -> Result<(Result<T, Untried>, Vec<String>), Trouble> {
    let mut came = None;
    let (_, left) = played(lacking, setup, |prover| {
        let result = play(&mut Trials { prover, lacking });
        let signal = if let Err(Untried::Signal(signal)) = &result { Some(*signal) } else { None };
        came = Some(result);
        signal
    })?;
    Ok((came.unwrap_or_else(|| Err(Untried::Wrong(String::new()))), left))
}

impl Trials<'_> {
    /// Tries a script.
    pub(crate) fn tries(&mut self, trial: &Trial) -> Result<Tried, Untried> {
        self.prover.begin(&trial.lesson, self.lacking);
        self.prover.tries(trial).map_err(|stuck| match stuck {
            Stuck::Signal(signal) => Untried::Signal(signal),
            Stuck::Wrong(why) => Untried::Wrong(why),
        })?
    }
}

impl Prover {
    fn tries(&mut self, trial: &Trial) -> Result<Result<Tried, Untried>, Stuck> {
        if let Some(why) = self.go_to(0)? {
            return Ok(Err(Untried::Lacks(why)));
        }
        let mut tried = Tried::default();
        let [run, enter] = trial.lines();
        tried.run = self.ends(run)?;
        let entered = self.ends(enter)?;
        tried.entered = trial.shut.then_some(entered);
        let checks: Vec<Check> = self
            .session
            .step()
            .into_iter()
            .flat_map(|step| &step.blocks)
            .fold(Vec::new(), |checks, block| if let Block::Check(more) = block { more.clone() } else { checks });
        let right = checks.get(..trial.right).unwrap_or_default();
        self.within(Instant::now() + SETTLING, |prover| {
            let known = prover.seen >= prover.asked;
            known && prover.session.judge(right).iter().all(|verdict| verdict.passed != Some(false))
        })?;
        let verdicts = self.session.judge(&checks);
        let failing = checks.iter().zip(verdicts).filter(|(_, verdict)| verdict.passed != Some(true));
        tried.broken = failing.map(|(check, _)| check.source.clone()).collect();
        tried.limit = self.sample.as_ref().and_then(|sample| sample.group.values.memory.limit);
        Ok(Ok(tried))
    }

    /// Types a line, and gives the status that it ends with.
    fn ends(&mut self, (terminal, line): (TerminalId, &str)) -> Result<i32, Stuck> {
        self.state()?;
        let before = self.prompts(terminal);
        self.give_line(&Run { terminal, line: line.into(), ..Run::default() });
        let ended = |prover: &Prover| prover.prompts(terminal) > before && prover.seen >= prover.asked;
        let guarded = |prover: &Prover| prover.session.phase() == Phase::Guarded;
        let in_time = self.within(Instant::now() + PATIENCE, |prover| ended(prover) || guarded(prover))?;
        let lang = self.lang;
        if let Some((_, call, _)) = self.session.guarded() {
            let call = call.syscall.name();
            self.give(Event::Wish(Wish::Allow(false)));
            return Err(Stuck::Wrong(lang.pick(
                format!("`{line}`: {call} would change the machine itself, and was refused"),
                format!("`{line}`：{call} 会改变机器本身，已被拒绝"),
            )));
        }
        if !in_time {
            let seconds = PATIENCE.as_secs();
            return Err(Stuck::Wrong(lang.pick(
                format!("`{line}` has not come to its prompt within {seconds} seconds"),
                format!("`{line}` 在 {seconds} 秒内没有出现提示符"),
            )));
        }
        Ok(self.panes.get(&terminal).map_or(0, |pane| pane.status))
    }
}
