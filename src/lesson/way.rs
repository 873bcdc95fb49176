//! The commands that a step holds besides those that it shows: what breaks it, what solves it, what only seems to.

use super::model::{Block, Run, Step};

/// Commands that lead to a state, or a part of them: those of one terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The commands.
    pub runs: Vec<Run>,
    /// Whether another way begins here (`or`); otherwise these go on from the block of the same kind before.
    pub or: bool,
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

    /// The commands of each way that looks like a solution and is none.
    pub fn wrong_ways(&self) -> Vec<Vec<Run>> {
        ways(self.blocks.iter().filter_map(|block| if let Block::Wrong(way) = block { Some(way) } else { None }))
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
