//! What a step needs: of the machine, so that it can be done, and of the observers, so that it can be judged.

use super::{Lacking, Session};
use crate::{
    lesson::{Block, Fact, Requirement, Step, Where},
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
        lack(self.step()?, &self.lacking)
    }
}

/// What a machine that lacks all this lacks for one step; the reason.
pub fn lack(step: &Step, lacking: &Lacking) -> Option<String> {
    let needs = step.blocks.iter().filter_map(|block| match block {
        Block::Requires(needs) => Some(needs),
        _ => None,
    });
    // Whoever is neither root nor may become it in a user namespace has not even the two shells.
    std::iter::once(&Requirement::Root)
        .chain(needs.flatten())
        .find_map(|need| lacking.iter().find(|(known, _)| known == need).map(|(_, reason)| reason.clone()))
}
