//! A recording judged again: which steps the kernel's own events say were done. Neither root nor a machine takes part, and what the
//! recording says of earlier progress counts for nothing.

use super::{Recording, Unreadable, replay::draw};
use crate::{
    app::{State, update},
    event::Event,
    lesson::Translations,
    observe::{self, BEYOND, NAMES, Sample},
    session::{Outcome, Progress, Session},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
};

/// What a recording proves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Judged {
    /// The version of the program that recorded.
    pub boxwright: String,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// The kernel's release.
    pub kernel: String,
    /// `v1`, `hybrid`, `v2` or `none`.
    pub cgroup_mode: String,
    /// Whether it was root.
    pub root: bool,
    /// The steps whose facts all came true, as `LESSON/STEP`.
    pub passed: BTreeSet<String>,
    /// The properties, of both rows of the scorecard, that the kernel said the container had when a step passed, such as `isolated`
    /// and `rootless`. Absent where an older program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeSet<String>>,
    /// The learner's own scripts that a lesson asks for, as they were when the last of its steps passed: name and text, of which no
    /// more than 64 KiB.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scripts: BTreeMap<String, String>,
    /// How many questions were answered for the first time, and how many of them right.
    pub answered: usize,
    /// Of these, right at once.
    pub right: usize,
}

/// Judges a recording from its first event to its last: what a learner did, whose keys mean what they meant on the screen, and
/// what `boxwright run` did.
pub(crate) fn judge(recording: Recording<impl BufRead>) -> Result<Judged, Unreadable> {
    let header = recording.header.clone();
    let lessons = recording.lessons(None).unwrap_or_default();
    let mut judged = Judged {
        boxwright: header.boxwright.clone(),
        started: header.started,
        kernel: header.machine.kernel.clone(),
        cgroup_mode: header.machine.cgroup_mode.clone(),
        root: header.machine.root,
        ..Judged::default()
    };
    let mut before = None;
    let state = through(recording, &lessons, |state| {
        before.get_or_insert_with(|| sum(&header.progress, state));
        if let Some(play) = &state.play {
            judged.note(&play.session, play.sample.as_deref());
        }
    })?;
    let before = before.unwrap_or_default();
    let after = sum(&state.progress, &state);
    (judged.answered, judged.right) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
    Ok(judged)
}

/// Goes through a recording, and shows the state after each event; gives the last one.
pub(super) fn through(
    recording: Recording<impl BufRead>,
    lessons: &[Translations],
    mut see: impl FnMut(&State),
) -> Result<State, Unreadable> {
    let mut state = recording.header.state(lessons)?;
    for line in recording {
        match line?.1 {
            Event::Drawn => drop(draw(&mut state)),
            event => drop(update(&mut state, event)),
        }
        see(&state);
    }
    Ok(state)
}

impl Judged {
    /// Whether both say the same; what an older program did not write is no contradiction.
    pub(crate) fn agrees(&self, other: &Judged) -> bool {
        let properties = self.properties.as_ref().or(other.properties.as_ref()).cloned();
        let scripts = if self.scripts.is_empty() { other } else { self }.scripts.clone();
        Judged { properties, scripts, ..self.clone() } == *other
    }

    /// Takes down which steps have passed, and what the container and the scripts were then.
    fn note(&mut self, session: &Session, sample: Option<&Sample>) {
        let (lesson, known) = (session.lesson(), self.passed.len());
        let passed = session.outcomes().iter().zip(&lesson.steps);
        let passed = passed.filter(|(outcome, _)| matches!(outcome, Some(Outcome::Passed)));
        self.passed.extend(passed.map(|(_, step)| format!("{}/{}", lesson.id, step.id)));
        if let Some(sample) = sample.filter(|_| self.passed.len() > known) {
            self.properties.get_or_insert_default().extend(properties(sample).map(String::from));
            self.scripts.extend(scripts(sample).map(|(name, text)| (name.to_owned(), text.to_owned())));
        }
    }
}

/// The properties that a container has, by the names that JSON has for them.
fn properties(sample: &Sample) -> impl Iterator<Item = &'static str> {
    let (card, more) = (sample.scorecard, observe::beyond(sample, sample.more_devices.clone()));
    let first = [card.isolated, card.rooted, card.limited, card.entered];
    // A shell that is no container is reachable as the machine is.
    let second = [more.reachable, more.rootless, more.least_privilege].map(|on| on && card.isolated);
    let named = NAMES.iter().zip(first).chain(BEYOND.iter().zip(second));
    named.filter(|(_, on)| *on).map(|((name, ..), _)| *name)
}

/// The files of the learner's that begin as a script does, by their names.
fn scripts(sample: &Sample) -> impl Iterator<Item = (&str, &str)> {
    let own = sample.files.iter().filter(|(asked, _)| !asked.inside);
    own.filter_map(|(asked, text)| Some((asked.path.as_str(), text.as_deref().filter(|text| text.starts_with("#!"))?)))
}

/// How many questions were answered, and right.
fn sum(progress: &Progress, state: &State) -> (usize, usize) {
    let lessons = state.lessons.iter().filter_map(Translations::any);
    lessons
        .map(|lesson| progress.of(lesson).predictions())
        .fold((0, 0), |(answered, right), asked| (answered + asked.answered, right + asked.right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernel::namespaces::Kind, observe::Asked};

    #[test]
    fn what_a_container_was_is_named_and_a_shell_is_none() {
        let mut sample = Sample::default();
        sample.privileges.uid = Some(1000);
        assert_eq!(properties(&sample).count(), 0);
        sample.namespaces = [(Kind::Mnt, 1)].into();
        sample.scorecard.isolated = true;
        assert_eq!(properties(&sample).collect::<Vec<_>>(), ["isolated", "rootless"]);
    }

    #[test]
    fn what_an_older_program_did_not_write_is_no_contradiction() {
        let new = Judged { properties: Some(["isolated".to_string()].into()), ..Judged::default() };
        assert!(Judged::default().agrees(&new) && new.agrees(&new));
        assert!(!new.agrees(&Judged::default()), "it claims more than the recording shows");
        let script = |text: &str| Judged { scripts: [("mybox".into(), text.into())].into(), ..Judged::default() };
        assert!(Judged::default().agrees(&script("#!/bin/sh\n")));
        assert!(!script("#!/bin/sh\n").agrees(&script("#!/bin/bash\n")), "that was not the script");
    }

    #[test]
    fn a_script_is_a_file_of_the_learners_that_begins_like_one() {
        let mut sample = Sample::default();
        for (inside, path, text) in [
            (false, "mybox", Some("#!/bin/sh\nexec \"$@\"\n")),
            (false, "pid", Some("4711\n")),
            (false, "gone", None),
            (true, "/bin/tool", Some("#!/bin/sh\n")),
        ] {
            sample.files.insert(Asked { inside, path: path.into() }, text.map(String::from));
        }
        assert_eq!(scripts(&sample).collect::<Vec<_>>(), [("mybox", "#!/bin/sh\nexec \"$@\"\n")]);
    }
}
