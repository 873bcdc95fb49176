//! The commands that a step holds besides those that it shows: what breaks it, what solves it, what only seems to.

use super::model::{Block, Check, Run, Step};

/// Commands that lead to a state, or a part of them: those of one terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The commands.
    pub runs: Vec<Run>,
    /// Whether another way begins here (`or`); otherwise these go on from the block of the same kind before.
    pub or: bool,
}

/// A way that looks like a solution and is none, and what refuses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrongWay {
    /// The commands.
    pub runs: Vec<Run>,
    /// The facts that it leaves false, as instructions, in the order of the checks; all others hold.
    pub refused: Vec<String>,
}

/// A fact that refuses a wrong way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The instruction of a check of the step.
    pub source: String,
    /// The line in the file, from 1.
    pub at: usize,
}

impl Step {
    /// Whether something is broken in it, and to be repaired.
    pub fn is_broken(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block, Block::Break(_)))
    }

    /// The commands that break it.
    pub(crate) fn breaks(&self) -> Vec<Run> {
        let runs =
            self.blocks.iter().filter_map(|block| if let Block::Break(runs) = block { Some(runs) } else { None });
        runs.flatten().cloned().collect()
    }

    /// The commands of each solution of a challenge.
    pub fn solutions(&self) -> Vec<Vec<Run>> {
        ways(self.blocks.iter().filter_map(|block| if let Block::Solution(way) = block { Some(way) } else { None }))
    }

    /// Each way that looks like a solution and is none. Where nothing names what refuses it, it changes nothing: what the
    /// commands of a solution bring about is missing, and what must stay is there.
    pub fn wrong_ways(&self) -> Vec<WrongWay> {
        let mut ways: Vec<(Vec<Run>, Option<&[Refusal]>)> = Vec::new();
        for block in &self.blocks {
            match (block, ways.last_mut()) {
                (Block::Wrong(part), Some((runs, _))) if !part.or => runs.extend(part.runs.iter().cloned()),
                (Block::Wrong(part), _) => ways.push((part.runs.clone(), None)),
                (Block::Refused(facts), Some((_, refused))) => *refused = Some(facts),
                _ => {}
            }
        }
        ways.into_iter().map(|(runs, refused)| WrongWay { runs, refused: self.refusing(refused) }).collect()
    }

    fn refusing(&self, named: Option<&[Refusal]>) -> Vec<String> {
        let refuses = |check: &&Check| match named {
            Some(facts) => facts.iter().any(|fact| fact.source == check.source),
            None => !check.keeps,
        };
        self.facts().filter(refuses).map(|check| check.source.clone()).collect()
    }

    /// Every fact of the step, in order.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Check> {
        self.blocks
            .iter()
            .filter_map(|block| if let Block::Check(checks) = block { Some(checks) } else { None })
            .flatten()
    }
}

fn ways<'a>(parts: impl Iterator<Item = &'a Way>) -> Vec<Vec<Run>> {
    let mut ways: Vec<Vec<Run>> = Vec::new();
    for part in parts {
        match ways.last_mut().filter(|_| !part.or) {
            Some(way) => way.extend(part.runs.iter().cloned()),
            None => ways.push(part.runs.clone()),
        }
    }
    ways
}

impl Block {
    /// The command lines that are typed because of it, by the learner or for them.
    pub(crate) fn runs(&self) -> &[Run] {
        match self {
            Block::Run(run) => std::slice::from_ref(run),
            Block::Solution(way) => &way.runs,
            Block::Break(runs) => runs,
            _ => &[],
        }
    }
}
