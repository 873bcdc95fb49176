//! Which keys work now, what they do, and what the key bar says of them: one table.

mod key;
mod lesson;
mod views;
mod watching;

pub(crate) use key::{Key, Prefix};

use super::{Focus, Pane, State, View, Watch};
use crate::class::Flag;
use lesson::{guarding, in_lesson, in_terminal};
use views::{closing, doctor, in_overlay, opening};

/// What a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Begin the chosen lesson, or accept.
    Accept,
    /// Begin the chosen lesson at its first step.
    FromStart,
    /// Close what lies on top, or go back to the opening.
    Close,
    /// Move the choice up.
    Up,
    /// Move the choice down.
    Down,
    /// Type the command that is due, let the held call happen, or go to the next step.
    Go,
    /// Let everything that is held go on.
    RunOn,
    /// Interrupt what runs in the terminal, as Ctrl-C does there.
    Interrupt,
    /// Let the guarded call happen, or make it fail.
    Allow(bool),
    /// Ask what is to become of the held call.
    WhatIf,
    /// Mark the chosen flag, to drop it with others.
    MarkFlag,
    /// Play both branches, the call as it is and as it is chosen.
    PlayBoth,
    /// Choose this row.
    Choose(usize),
    /// Go on until a call of a name that is asked for.
    RunUntil,
    /// Hold before every call, or stop doing so.
    ToggleHold,
    /// Go to the next step, done or not.
    Next,
    /// Pass over the line that is due: it only shows something.
    PassOver,
    /// Go to the step before.
    Back,
    /// Begin this step again.
    Reset,
    /// Raise a flag for the class, or take it down.
    Raise(Flag),
    /// Leave the class.
    LeaveClass,
    /// Copy the line, the pane that is looked at, or the container's PID.
    CopyLine,
    /// See [`Command::CopyLine`].
    CopyPane,
    /// See [`Command::CopyLine`].
    CopyPid,
    /// Give the whole screen to the pane, then to the terminal, then to none.
    Zoom,
    /// Each key types the next character of the line, or is a key as any other.
    TypeAlong,
    /// Show the room which keys are pressed, or do not.
    Caster,
    /// Mark this place in the recording.
    Mark,
    /// Choose a container.
    Containers,
    /// Choose a step.
    GoTo,
    /// One more rung of help.
    Hint,
    /// Bring the open question into view.
    ShowQuestion,
    /// Give this answer.
    Answer(usize),
    /// Show this pane.
    Show(Pane),
    /// Show the next pane.
    NextPane,
    /// Show the pane before.
    PreviousPane,
    /// Scroll by lines; negative is up.
    Scroll(i32),
    /// Scroll by pages; negative is up.
    Page(i32),
    /// Go to the top (false) or follow the end again (true).
    Edge(bool),
    /// Give the keys to the terminal, or take them back.
    Terminal,
    /// Show the other terminal.
    OtherTerminal,
    /// Show both terminals, or one.
    BothTerminals,
    /// Scroll the terminal's history by half pages; positive is up.
    Terminals(i32),
    /// Write the proof card into a file.
    Export,
    /// Write what was reached into a file, as a picture.
    Card,
    /// Show or hide the speaker's notes.
    Notes,
    /// The other language.
    Language,
    /// The next theme.
    Theme,
    /// What this machine allows.
    Doctor,
    /// End, and start again as root.
    AsRoot,
    /// Draw everything anew.
    Redraw,
    /// What the lesson has come to; or go on from there.
    Finish,
    /// How far the learner has come in the whole course.
    Course,
    /// Open the chosen call, or the newest one.
    OpenCall,
    /// Choose the next call (true) or the one before.
    Walk(bool),
    /// Large print, or everything side by side.
    LargePrint,
    /// Every key that works.
    Help,
    /// The words of the field in the current step.
    Glossary,
    /// Look at what just happened: one change on (true) or back.
    Past(bool),
    /// Something of a session that is watched.
    Watch(Watch),
    /// End.
    Quit,
}

/// A key that works now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The keys; the first one is named in the key bar.
    pub keys: Vec<Key>,
    /// How bar and help write them.
    pub shown: String,
    /// What they do.
    pub command: Command,
    /// What bar and help say, in English and Chinese.
    pub label: (&'static str, &'static str),
    /// How much it matters that the bar shows it: the lowest numbers stay where room is short; `None` is for help only.
    pub rank: Option<u8>,
}

fn bind(keys: &[Key], command: Command, label: (&'static str, &'static str), rank: impl Into<Option<u8>>) -> Binding {
    let shown = keys.first().map(Key::to_string).unwrap_or_default();
    Binding { keys: keys.to_vec(), shown, command, label, rank: rank.into() }
}

/// A single letter.
fn letter(key: char, command: Command, label: (&'static str, &'static str), rank: impl Into<Option<u8>>) -> Binding {
    bind(&[Key::Char(key)], command, label, rank)
}

impl Binding {
    fn shown(mut self, text: impl Into<String>) -> Binding {
        self.shown = text.into();
        self
    }
}

/// Every key that works now, in the order of the help page.
pub(crate) fn bindings(state: &State) -> Vec<Binding> {
    if state.past.shown().is_some() && !state.is_watched() {
        return lesson::past(state);
    }
    match (&state.overlay, state.view, &state.play) {
        (None, ..) if state.is_watched() => below(state),
        (Some(overlay), ..) => in_overlay(state, overlay),
        (None, View::Lesson, Some(play)) if play.session.guarded().is_some() => guarding(),
        (None, View::Lesson, Some(play)) if play.focus == Focus::Terminal => in_terminal(state, play),
        _ => below(state),
    }
}

/// What this key does now.
pub(crate) fn command(state: &State, key: Key) -> Option<Command> {
    binding(state, key).map(|binding| binding.command)
}

/// The row of this key.
pub(super) fn binding(state: &State, key: Key) -> Option<Binding> {
    bindings(state).into_iter().find(|binding| binding.keys.contains(&key))
}

const QUIT: [Key; 2] = [Key::Char('q'), Key::Ctrl('c')];

/// The keys that move the text `pane` (`None`: the overlay or the view); the bar tells of them where there is more.
fn scrolling(state: &State, pane: Option<Pane>) -> Vec<Binding> {
    let more = state.extents.get(&pane).is_some_and(|extent| extent.top < extent.last_top());
    vec![
        bind(&[Key::PageDown], Command::Page(1), ("more", "下翻"), more.then_some(3)),
        bind(&[Key::Up, Key::Char('k')], Command::Scroll(-1), ("scroll", "滚动"), None).shown("↑ ↓ PgUp Home End"),
        bind(&[Key::Down, Key::Char('j')], Command::Scroll(1), ("", ""), None),
        bind(&[Key::PageUp], Command::Page(-1), ("", ""), None),
        bind(&[Key::Home], Command::Edge(false), ("", ""), None),
        bind(&[Key::End], Command::Edge(true), ("", ""), None),
    ]
}

fn common(state: &State, view: View) -> Vec<Binding> {
    let mut all = Vec::new();
    if view != View::Lesson && state.facts.as_root.is_some() {
        all.push(letter('R', Command::AsRoot, ("as root", "以 root 启动"), 2));
    }
    all.push(letter('l', Command::Language, ("中文", "English"), (view == View::Opening).then_some(3)));
    if view != View::Doctor {
        let label = match view {
            View::Opening => ("what works here", "本机检查"),
            _ => ("what this machine allows", "本机检查"),
        };
        all.push(letter('d', Command::Doctor, label, (view == View::Opening).then_some(4)));
    }
    if view != View::Doctor {
        let label = match view {
            View::Lesson => ("words of this step, scorecard", "本步术语、记分卡"),
            _ => ("what the scorecard means", "记分卡的含义"),
        };
        all.push(letter('w', Command::Glossary, label, (view == View::Lesson).then_some(16)));
    }
    all.push(letter('T', Command::Theme, ("next colour theme", "换一种配色"), None));
    let print = if state.look.large_print {
        ("large print: on", "大字版面：开")
    } else {
        ("large print: off", "大字版面：关")
    };
    all.push(letter('L', Command::LargePrint, print, None));
    all.push(bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None));
    all.push(letter('?', Command::Help, ("help", "帮助"), 2));
    all.push(bind(&QUIT, Command::Quit, ("quit", "退出"), 1));
    all
}

/// Every key that works when the overlay is closed: what the help page shows.
pub(crate) fn below(state: &State) -> Vec<Binding> {
    if let Some(watched) = &state.watching {
        return watching::watching(state, watched);
    }
    match (state.view, &state.play) {
        (View::Opening, _) | (View::Lesson, None) => opening(state),
        (View::Doctor, _) => doctor(state),
        (View::Closing(lesson), _) => closing(state, lesson),
        (View::Lesson, Some(play)) => in_lesson(state, play),
    }
}
