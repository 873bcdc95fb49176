//! What was done in each step of a recording that passed, so that it can be done again.

use super::{Recording, Unreadable, judge::through};
use crate::{
    lesson::Translations,
    session::{Outcome, Session, Took},
    trace::{Return, SyscallEvent},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

/// A step that passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The lesson's name, and the step's.
    pub place: (String, String),
    /// The lines that the shells took, oldest first.
    pub lines: Vec<Took>,
    /// What its processes called, as [`kind`] names it.
    pub calls: BTreeSet<String>,
}

/// A kind of call: its name, and its error where it failed, such as `mount EPERM`. How often one comes depends on the machine's
/// shell; which ones come does not.
pub(crate) fn kind(event: &SyscallEvent) -> String {
    let name = event.call.syscall.name();
    match event.returned {
        Return::Trapped => format!("{name} SIGSYS"),
        Return::Value(_) | Return::Never => name.to_string(),
        _ => format!("{name} {}", event.returned.error().map(|errno| errno.to_string()).unwrap_or_default()),
    }
}

/// The steps that passed, in the order in which they did, and the lessons as they were then.
pub(crate) fn done(recording: Recording<impl BufRead>) -> Result<(Vec<Done>, Vec<Translations>), Unreadable> {
    let lessons = recording.lessons(None).unwrap_or_default();
    let (mut all, mut passed) = (Vec::new(), BTreeSet::new());
    // A step is known as it was before the event that ended it: where a lesson plays by itself, the next one has begun then.
    let mut open = BTreeMap::<(String, usize), Open>::new();
    through(recording, &lessons, |state| {
        let Some(play) = &state.play else { return };
        let session = &play.session;
        let lesson = &session.lesson().id;
        for (index, outcome) in session.outcomes().iter().enumerate() {
            let key = (lesson.clone(), index);
            if matches!(outcome, Some(Outcome::Passed)) && passed.insert(key.clone()) {
                all.extend(open.remove(&key).map(|open| open.done));
            }
        }
        let key = (lesson.clone(), session.step_index());
        if !passed.contains(&key) {
            note(open.entry(key).or_default(), session);
        }
    })?;
    Ok((all, lessons))
}

/// A step that has not passed yet, and how many of its calls are taken down.
#[derive(Default)]
struct Open {
    done: Done,
    calls: usize,
}

/// Takes down what is new in the step.
fn note(open: &mut Open, session: &Session) {
    let Some(step) = session.step() else { return };
    let done = &mut open.done;
    if done.place.1.is_empty() {
        done.place = (session.lesson().id.clone(), step.id.clone());
    }
    let (took, calls) = (session.lines(), session.calls());
    if done.lines.len() != took.len() {
        done.lines = took.to_vec();
    }
    // The step has begun again.
    if calls.len() < open.calls {
        done.calls.clear();
        open.calls = 0;
    }
    done.calls.extend(calls.iter().skip(open.calls).map(kind));
    open.calls = calls.len();
}
