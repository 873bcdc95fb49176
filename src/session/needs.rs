//! What a step needs: of the machine, so that it can be done, and of the observers, so that it can be judged.

use super::Session;
use crate::{
    lesson::{Block, Fact, Where},
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
        let step = self.step()?;
        let needs = step.blocks.iter().filter_map(|block| match block {
            Block::Requires(needs) => Some(needs),
            _ => None,
        });
        needs
            .flatten()
            .find_map(|need| self.lacking.iter().find(|(lacking, _)| lacking == need).map(|(_, reason)| reason.clone()))
    }
}
