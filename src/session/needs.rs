//! What a step needs: of the machine, so that it can be done, and of the observers, so that it can be judged.

use super::{Lacking, Session};
use crate::{
    lesson::{Block, Check, Fact, Lesson, Probe, Requirement, Where, needs},
    observe::Asked,
};

impl Session {
    /// What the current step asks for.
    fn checks(&self) -> impl Iterator<Item = &Check> {
        let checks = self.step().into_iter().flat_map(|step| &step.blocks).filter_map(|block| match block {
            Block::Check(checks) => Some(checks),
            _ => None,
        });
        checks.flatten()
    }

    fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.checks().map(|check| &check.fact)
    }

    /// Whether the checks of the current step are about the session's network namespaces.
    pub(super) fn asks_networks(&self) -> bool {
        self.facts().any(Fact::needs_networks)
    }

    /// The files that the checks of the current step look at.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let file = |fact: &Fact| match fact {
            Fact::File(place, path, _) => Some(Asked { inside: *place == Where::Inside, path: path.clone() }),
            _ => None,
        };
        self.facts().filter_map(file).collect()
    }

    /// What is tried for them, once each.
    pub(super) fn probes(&self) -> Vec<Probe> {
        once_each(self.facts())
    }

    /// What is tried before the step begins: only what it counts on (`keeps`).
    pub(super) fn probes_of_kept(&self) -> Vec<Probe> {
        once_each(self.checks().filter(|check| check.keeps).map(|check| &check.fact))
    }

    /// What this machine lacks for the current step.
    pub(super) fn lack(&self) -> Option<String> {
        lack(&self.lesson, self.step.index, &self.lacking).map(|(_, reason)| reason.clone())
    }
}

fn once_each<'a>(facts: impl Iterator<Item = &'a Fact>) -> Vec<Probe> {
    let mut all = Vec::new();
    for probe in facts.filter_map(Fact::probe) {
        if !all.contains(&probe) {
            all.push(probe);
        }
    }
    all
}

/// What a machine that lacks all this lacks for the step of this index; the first such requirement, and the reason.
pub(crate) fn lack<'a>(lesson: &Lesson, step: usize, lacking: &'a Lacking) -> Option<&'a (Requirement, String)> {
    needs(lesson, step).iter().find_map(|need| lacking.iter().find(|(known, _)| known == need))
}
