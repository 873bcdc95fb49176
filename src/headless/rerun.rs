//! `boxwright verify --rerun`: types what a learner typed, on this machine, and compares what comes of it with the recording.

use super::{
    prove::{Proved, with_prover},
    prover::{Prover, Stuck},
};
use crate::{
    event::Event,
    lesson::{Block, Lesson, Run},
    recording::{Done, kind},
    runtime::{Setup, Trouble},
    session::{Lacking, Phase, Took, Wish},
};
use std::collections::BTreeSet;

/// Does each step again and gives it to `told`; what differs from the recording is wrong with it. The value says what was left
/// behind.
///
/// Errors: this machine cannot; or, inside, a signal that asks us to end.
pub(crate) fn rerun(
    steps: &[Done],
    lessons: &[Lesson],
    lacking: &Lacking,
    setup: Setup,
    told: &mut dyn FnMut(Proved),
) -> Result<Result<Vec<String>, i32>, Trouble> {
    with_prover(lacking, setup, |prover| {
        for done in steps {
            let (mut wrong, mut skipped) = (Vec::new(), None);
            match prover.again(done, lessons, lacking) {
                Ok(None) => wrong.extend(prover.differences(done)),
                Ok(why) => skipped = why,
                Err(Stuck::Signal(signal)) => return Some(signal),
                Err(Stuck::Wrong(what)) => wrong.push(what),
            }
            told(Proved { step: format!("{}/{}", done.place.0, done.place.1), wrong, skipped });
        }
        None
    })
}

impl Prover {
    /// Goes to the step's beginning and types its lines; the value says why this machine cannot do it.
    fn again(&mut self, done: &Done, lessons: &[Lesson], lacking: &Lacking) -> Result<Option<String>, Stuck> {
        let (id, step) = &done.place;
        let lesson = lessons.iter().find(|lesson| lesson.id == *id);
        let index = lesson.and_then(|lesson| lesson.steps.iter().position(|known| known.id == *step));
        let (Some(lesson), Some(index)) = (lesson, index) else {
            let why = self.lang.pick("this program has no such step", "本程序没有这一步");
            return Ok(Some(why.into()));
        };
        if self.session.lesson().id != *id {
            self.begin(lesson, lacking);
        }
        if let Some(why) = self.go_to(index)? {
            return Ok(Some(why));
        }
        for took in &done.lines {
            self.comes_to(took.at)?;
            if self.session.phase() == Phase::Done {
                break;
            }
            let run = self.line(took)?;
            self.type_run(&run)?;
        }
        self.comes_to(usize::MAX)?;
        Ok(None)
    }

    /// Waits until the step has come to this block, as it had when the line after it was typed, or to its end.
    fn comes_to(&mut self, block: usize) -> Result<(), Stuck> {
        loop {
            self.ready()?;
            if self.session.at() >= block || self.session.phase() == Phase::Done {
                return Ok(());
            }
            let (at, phase) = (self.session.at(), self.session.phase());
            self.until(|prover| (prover.session.at(), prover.session.phase()) != (at, phase.clone()))?;
        }
    }

    /// The recorded line as one to type. What the lesson knows as busy does not come back by itself.
    fn line(&self, took: &Took) -> Result<Run, Stuck> {
        let Some(line) = took.line.clone() else {
            let why = self.lang.pick("the recording does not know a line of it", "录制里有一行命令无从得知");
            return Err(Stuck::Wrong(why.into()));
        };
        let blocks = self.session.step().map(|step| step.blocks.as_slice()).unwrap_or_default();
        let mut own = blocks.iter().filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
        let busy = own.any(|run| run.busy && run.terminal == took.terminal && run.line == line);
        Ok(Run { terminal: took.terminal, line, busy, ..Run::default() })
    }

    /// Answers the question that is open, and presses Ctrl-C where the step has come to that.
    fn ready(&mut self) -> Result<(), Stuck> {
        loop {
            let phase = self.session.phase();
            let block = match &phase {
                Phase::Asking(at) | Phase::Due(at) => self.session.step().and_then(|step| step.blocks.get(*at)),
                Phase::Held => return self.step_call(),
                Phase::Guarded => return Err(self.refused()),
                _ => return Ok(()),
            };
            let wish = match block {
                Some(Block::Predict(predict)) => Wish::Answer(predict.answer),
                Some(Block::Run(run)) if run.interrupts() => Wish::Go,
                _ => return Ok(()),
            };
            self.give(Event::Wish(wish));
            self.until(|prover| prover.session.phase() != phase)?;
        }
    }

    /// What was called in the recording and not here, and the other way round.
    fn differences(&self, done: &Done) -> Vec<String> {
        let here: BTreeSet<String> = self.session.calls().iter().map(kind).collect();
        let list = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>().join(", ");
        let (there, new) = (list(&done.calls, &here), list(&here, &done.calls));
        let lang = self.lang;
        let named = |text: &'static str, list: String| (!list.is_empty()).then(|| format!("{text}{list}"));
        let there = named(lang.pick("called in the recording, and not here: ", "录制里有、这里没有的调用："), there);
        let new = named(lang.pick("called here, and not in the recording: ", "这里有、录制里没有的调用："), new);
        there.into_iter().chain(new).collect()
    }
}
