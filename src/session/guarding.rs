//! Calls that would change the machine itself: who decides whether they happen.

use super::{Action, Session, stage::Stage};
use crate::{
    lesson::{Block, TerminalId},
    trace::{Call, Harm},
};

impl Session {
    /// Decides over a call by what the lesson declares; a learner is asked about everything else.
    pub(super) fn guard(&mut self, terminal: TerminalId, call: Call, harm: Harm, out: &mut Vec<Action>) {
        let declared = self.declares(harm.word());
        if self.auto || declared {
            out.push(decided(&call, declared));
        } else {
            self.terminals.guarded.push((terminal, call, harm));
        }
    }

    /// The learner has decided over the oldest one.
    pub(super) fn allow(&mut self, allow: bool, out: &mut Vec<Action>) {
        if !self.terminals.guarded.is_empty() {
            let (_, call, _) = self.terminals.guarded.remove(0);
            out.push(decided(&call, allow));
        }
    }

    /// Whether the step, or one that is rebuilt on the way to it, says that it changes this of the machine.
    fn declares(&self, word: &str) -> bool {
        let steps = match self.stage {
            Stage::Replaying(_) => self.lesson.steps.get(..=self.step.index).unwrap_or_default(),
            _ => self.step().map(std::slice::from_ref).unwrap_or_default(),
        };
        let mut blocks = steps.iter().flat_map(|step| &step.blocks);
        blocks.any(|block| matches!(block, Block::Changes(words) if words.iter().any(|known| known == word)))
    }
}

fn decided(call: &Call, allow: bool) -> Action {
    if allow { Action::Step(call.pid) } else { Action::Refuse(call.pid) }
}
