//! What a step needs: of the machine, so that it can be done, and of the observers, so that it can be judged.

use super::{Lacking, Session};
use crate::{
    lesson::{Block, Fact, Lesson, Requirement, Where, needs},
    observe::Asked,
};

impl Session {
    /// The files that the checks of the current step look at.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let checks = self.step().into_iter().flat_map(|step| &step.blocks).filter_map(|block| match block {
            Block::Check(checks) => Some(checks),
            _ => None,
        });
        let file = |fact: &Fact| match fact {
            Fact::File(place, path, _) => Some(Asked { inside: *place == Where::Inside, path: path.clone() }),
            _ => None,
        };
        checks.flatten().filter_map(|check| file(&check.fact)).collect()
    }

    /// What this machine lacks for the current step.
    pub(super) fn lack(&self) -> Option<String> {
        lack(&self.lesson, self.step.index, &self.lacking).map(|(_, reason)| reason.clone())
    }
}

/// What a machine that lacks all this lacks for the step of this index; the first such requirement, and the reason.
pub(crate) fn lack<'a>(lesson: &Lesson, step: usize, lacking: &'a Lacking) -> Option<&'a (Requirement, String)> {
    needs(lesson, step).iter().find_map(|need| lacking.iter().find(|(known, _)| known == need))
}
