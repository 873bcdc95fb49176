//! What in a stream of events is worth stopping at.

use super::{State, View};
use crate::{observe::Sample, session::Phase};
use std::{mem::Discriminant, sync::Arc};

/// Why one would stop at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Something else that is seen has changed: links, processes, a check; a command was given.
    Change,
    /// A call is about to happen, or has returned; or a process has ended.
    Call,
    /// A step begins.
    Step,
    /// A mark was set.
    Set,
}

/// What a state shows, as far as it is worth stopping at: taken before an event and after it, it says what the event meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Glance {
    place: Option<(usize, usize)>,
    phase: Option<Discriminant<Phase>>,
    commands: usize,
    calls: usize,
    held: usize,
    sample: Option<Arc<Sample>>,
    marks: usize,
    /// While earlier steps are replayed nothing is shown of them.
    prepares: bool,
}

impl Glance {
    /// What is to be seen now.
    pub(crate) fn at(state: &State) -> Glance {
        let play = state.play.as_ref().filter(|_| state.view == View::Lesson);
        let phase = play.map(|play| play.session.phase());
        Glance {
            place: play.map(|play| (play.index, play.session.step_index())),
            prepares: matches!(phase, Some(Phase::Preparing(..))),
            marks: state.marks,
            phase: phase.map(|phase| std::mem::discriminant(&phase)),
            commands: play.map_or(0, |play| play.commands),
            calls: play.map_or(0, |play| play.calls.end()),
            held: play.map_or(0, |play| play.session.held().len()),
            sample: play.and_then(|play| play.sample.clone()),
        }
    }

    /// Whether nothing is shown yet of what happens.
    pub(super) fn is_preparing(&self) -> bool {
        self.prepares
    }

    /// What has happened since then, if it is worth stopping at.
    pub(crate) fn since(&self, before: &Glance) -> Option<Mark> {
        if self.prepares || self.place.is_none() {
            return None;
        }
        if self.marks > before.marks {
            return Some(Mark::Set);
        }
        if self.place != before.place || before.prepares {
            return Some(Mark::Step);
        }
        if self.calls > before.calls || self.held > before.held {
            return Some(Mark::Call);
        }
        let other = match (&self.sample, &before.sample) {
            (Some(now), Some(then)) => !Arc::ptr_eq(now, then) && differ(now, then),
            _ => false,
        };
        (other || self.phase != before.phase || self.commands != before.commands).then_some(Mark::Change)
    }
}

/// Whether two samples differ in more than what grows by itself.
fn differ(one: &Sample, other: &Sample) -> bool {
    let processes = |sample: &Sample| -> Vec<_> {
        sample.processes.iter().map(|process| (process.pid, process.comm.clone(), process.pid_ns)).collect()
    };
    one.container != other.container
        || one.namespaces != other.namespaces
        || one.for_children != other.for_children
        || one.scorecard != other.scorecard
        || one.host != other.host
        || one.inside != other.inside
        || (one.group.exists, &one.group.members) != (other.group.exists, &other.group.members)
        || one.cgroup.paths != other.cgroup.paths
        || (&one.files, &one.devices) != (&other.files, &other.devices)
        || processes(one) != processes(other)
}
