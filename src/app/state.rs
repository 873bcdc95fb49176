//! Everything that the screen depends on.

use super::{Caster, Extents, Past, Play, Script, Shape, Watching, class::Sharing, keys::Prefix, present::Hall};
use crate::{
    event::Branches,
    kernel::pid::Pid,
    lang::Lang,
    lesson::{Lesson, Translations},
    observe::NAMES,
    session::{Lacking, Progress, Report},
    terminal::Size,
    trace::Instead,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A named set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ThemeName {
    /// For dark backgrounds, and bearable on light ones.
    #[default]
    Default,
    /// For light backgrounds.
    Light,
    /// Few colours, strong differences: for projectors.
    Contrast,
    /// Blue and orange, which all eyes tell apart: Okabe and Ito's palette, as near as 256 colours come to it.
    ColourBlind,
    /// No colours.
    Mono,
}

impl ThemeName {
    /// All themes, in the order in which the key goes through them.
    pub(crate) const ALL: [ThemeName; 5] =
        [ThemeName::Default, ThemeName::Light, ThemeName::Contrast, ThemeName::ColourBlind, ThemeName::Mono];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ThemeName::Default => "default",
            ThemeName::Light => "light",
            ThemeName::Contrast => "contrast",
            ThemeName::ColourBlind => "colorblind",
            ThemeName::Mono => "mono",
        }
    }

    /// Reads a name; `None` where there is no such theme.
    pub(crate) fn parse(name: &str) -> Option<ThemeName> {
        ThemeName::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The one after this.
    pub(crate) fn next(self) -> ThemeName {
        let place = ThemeName::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        ThemeName::ALL.get(place + 1).copied().unwrap_or_default()
    }
}

/// What the terminal can show and what the user wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The colours.
    pub theme: ThemeName,
    /// No colour at all (`NO_COLOR`, `--color never`).
    pub colourless: bool,
    /// Only ASCII characters, apart from Chinese text that was asked for.
    pub ascii: bool,
    /// One pane at a time, and more air: for a hall.
    pub large_print: bool,
    /// So many rows below stay empty: where a hall does not see them.
    #[serde(default)]
    pub bottom_margin: u16,
}

/// What is known of this machine, for the opening and the header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Whether the effective user is root.
    pub root: bool,
    /// The kernel's release, such as `6.18.44`.
    pub kernel: String,
    /// `v1`, `hybrid`, `v2` or `none`.
    pub cgroup_mode: String,
    /// The command line that starts this program again as root, such as `sudo /home/li/boxwright`; `None` for root, and
    /// where nothing can do that.
    pub as_root: Option<String>,
    /// What this machine lacks, with the reasons, by language code. Where it is stored, it comes as an event.
    #[serde(skip)]
    pub lacking: BTreeMap<&'static str, Lacking>,
}

/// One of the four properties of a container, in lesson order.
#[derive(Debug)]
pub(crate) struct Property {
    /// The lesson that teaches it.
    pub lesson: &'static str,
    /// Its name in English and Chinese.
    pub name: (&'static str, &'static str),
    /// What it means, in English and Chinese.
    pub meaning: (&'static str, &'static str),
}

/// The four properties.
pub(crate) const PROPERTIES: [Property; 4] = [
    Property {
        lesson: "isolate",
        name: (NAMES[0].1, NAMES[0].2),
        meaning: ("its own PIDs, name, mounts, network", "自己的 PID、主机名、挂载和网络"),
    },
    Property {
        lesson: "rootfs", name: (NAMES[1].1, NAMES[1].2), meaning: ("its own directory tree", "自己的目录树")
    },
    Property {
        lesson: "cgroups",
        name: (NAMES[2].1, NAMES[2].2),
        meaning: ("a cap on CPU and memory", "CPU 和内存有上限"),
    },
    Property {
        lesson: "nsenter",
        name: (NAMES[3].1, NAMES[3].2),
        meaning: ("a shell from outside", "从外面进入的 shell"),
    },
];

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// The four properties, and where to start.
    #[default]
    Opening,
    /// A lesson being played.
    Lesson,
    /// What this machine allows.
    Doctor,
    /// What a lesson (its place among the lessons) or the whole course has come to.
    Closing(Option<usize>),
}

/// A step looked for in the list of steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jump {
    /// The chosen step.
    pub chosen: usize,
    /// What was typed: the beginning of a number, or a part of a name.
    pub typed: String,
}

/// What lies over the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Overlay {
    /// Every key that works.
    Help,
    /// The words of the field in the current step, and what the scorecard means.
    Glossary,
    /// The steps.
    GoTo(Jump),
    /// The chosen system call, decoded.
    Call,
    /// The name of a system call to run to, as far as it is typed.
    Until(String),
    /// What is to become of the held call of this thread; the place of the chosen row.
    WhatIf {
        /// The thread.
        pid: Pid,
        /// See [`ways`](super::ways).
        chosen: usize,
        /// The flags that are to be dropped together.
        marked: Option<Instead>,
    },
    /// Both branches of a held call, side by side.
    Branches,
    /// The containers of this machine, and which is chosen; 0 stands for the one that is found.
    Containers(usize),
    /// A lesson from a folder asks for consent to run its commands: its place among the lessons.
    Consent(usize),
}

/// The whole app.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The language of everything on screen.
    pub lang: Lang,
    /// Colours and characters.
    pub look: Look,
    /// Columns and rows of the screen.
    pub size: Size,
    /// This machine.
    pub facts: Facts,
    /// The lessons that can be started, in order.
    pub lessons: Vec<Translations>,
    /// What fills the screen.
    pub view: View,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// The chosen lesson of the opening.
    pub selected: usize,
    /// How far the learner has come.
    pub progress: Progress,
    /// The lesson being played.
    pub play: Option<Play>,
    /// The report on this machine, once it is there.
    pub doctor: Option<Vec<String>>,
    /// The first visible line of the view or the overlay.
    pub top: usize,
    /// The branches that were played last.
    pub branches: Option<Arc<Branches>>,
    /// What the last frame measured.
    pub extents: Extents,
    /// The key that leaves a terminal.
    pub prefix: Prefix,
    /// Whether lessons are gone through without a learner.
    pub auto: bool,
    /// What the last event meant in such a lesson: a step that is at its end makes room for the next one at once.
    pub reports: Vec<Report>,
    /// Where a session stands that is not played here, where one is watched.
    pub watching: Option<Watching>,
    /// What just happened, and whether it is looked at.
    pub past: Past,
    /// When the last sample came, since the program began.
    pub now: Duration,
    /// Who types the lesson's lines.
    pub script: Script,
    /// What the speaker's views were told, where there can be any: then notes and answers are theirs.
    pub hall: Option<Hall>,
    /// The keys that were pressed last, where a room is to see them.
    pub caster: Option<Caster>,
    /// Whether what happens is recorded: then places in it can be marked.
    pub recorded: bool,
    /// How many places were marked.
    pub marks: usize,
    /// What the class is told, where the learner shares that.
    pub class: Option<Sharing>,
    /// Something that the learner must know.
    pub trouble: Option<String>,
    /// What was done for the learner, until the next key.
    pub said: Option<String>,
    /// Why the last key did nothing.
    pub idle: Option<String>,
    /// The process that the panes are about from the beginning, by PID and start, where one was named.
    pub picked: Option<(Pid, u64)>,
    /// Whether the session's network namespaces are read because they are seen.
    pub networks: bool,
    /// Whether the next frame may differ from the last one.
    pub dirty: bool,
}

impl State {
    /// A state that shows the opening.
    pub(crate) fn new(lang: Lang, look: Look, facts: Facts, lessons: Vec<Translations>, prefix: Prefix) -> State {
        State {
            lang,
            look,
            size: Size::USUAL,
            facts,
            lessons,
            view: View::Opening,
            overlay: None,
            selected: 0,
            progress: Progress::default(),
            play: None,
            doctor: None,
            top: 0,
            branches: None,
            extents: Extents::new(),
            prefix,
            auto: false,
            reports: Vec::new(),
            watching: None,
            past: Past::default(),
            now: Duration::ZERO,
            script: Script::default(),
            hall: None,
            caster: None,
            recorded: false,
            marks: 0,
            class: None,
            trouble: None,
            said: None,
            idle: None,
            picked: None,
            networks: false,
            dirty: true,
        }
    }

    /// How much room the screen has.
    pub(crate) fn shape(&self) -> Shape {
        Shape::seen(self.size, self.look.large_print)
    }

    /// A lesson in the language of the screen, or in the one that it has.
    pub(crate) fn lesson(&self, index: usize) -> Option<&Lesson> {
        let translations = self.lessons.get(index)?;
        translations.best(self.lang)
    }

    /// Takes over what earlier sessions have reached: the lesson that was open last is chosen.
    pub(crate) fn resume(&mut self, progress: Progress) {
        let open = |translations: &Translations| progress.last() == Some(translations.id());
        self.selected = self.lessons.iter().position(open).unwrap_or(self.selected);
        self.progress = progress;
    }

    /// The step at which a lesson goes on: where it was left, or its first one where it was not begun or is done.
    pub(crate) fn resumes_at(&self, index: usize) -> usize {
        let Some(lesson) = self.lesson(index) else { return 0 };
        let done = self.progress.of(lesson).is_complete();
        self.progress.at(lesson).filter(|_| !done).unwrap_or(0)
    }

    /// What this machine lacks, in the language of the screen.
    pub(crate) fn lacking(&self) -> Lacking {
        self.facts.lacking.get(self.lang.code()).cloned().unwrap_or_default()
    }
}
