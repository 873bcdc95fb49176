//! A session of another user's, or of another day, on this screen: where it stands, and what the viewer can ask for.

use super::{Command, Effect, Extents, Key, Overlay, Pane, Shape, State, View, answer, commands, keys};
use crate::terminal::Size;
use crate::{lang::Lang, session::Phase};
use crossterm::event::{KeyEvent, KeyEventKind};
use std::{collections::BTreeMap, time::Duration};

/// What the last line says of what is watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Watching {
    /// Whether it may go on growing: it is played now.
    pub live: bool,
    /// Whether the viewer's own lesson can be begun at the step that is seen.
    pub forks: bool,
    /// Whether the newest that there is is on the screen, and what comes follows by itself.
    pub newest: bool,
    /// Whether it moves by itself.
    pub playing: bool,
    /// How fast it moves, in percent.
    pub percent: u32,
    /// Whether long silences are shortened.
    pub brief: bool,
    /// Where it stands, and how long it is as far as that is known.
    pub at: Duration,
    /// How long it is, as far as that is known.
    pub total: Duration,
    /// What the viewer must be told.
    pub said: Option<String>,
    /// Why the viewer's last key did nothing.
    pub idle: Option<String>,
}

/// What a viewer can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Go on by itself, or stop.
    Pause,
    /// Twice as fast, or half as fast.
    Speed(bool),
    /// Shorten long silences, or do not.
    Brief,
    /// To the next thing that changed something to be seen, or to the one before.
    Change(bool),
    /// To the next system call, or to the one before.
    Call(bool),
    /// To the next step, or to the beginning of this one, or of the one before.
    Step(bool),
    /// To the next mark that was set, or to the one before.
    Mark(bool),
    /// Copy the line that was run last.
    Copy,
    /// To the end, or to the beginning.
    Edge(bool),
    /// Draw everything anew.
    Redraw,
    /// Begin the step that is seen in a container of one's own.
    Fork,
    /// Leave.
    Leave,
}

impl Watch {
    /// Whether it goes to another place.
    pub(crate) fn moves(self) -> bool {
        matches!(self, Watch::Edge(_) | Watch::Change(_) | Watch::Call(_) | Watch::Step(_) | Watch::Mark(_))
    }
}

/// How the viewer sees it: all of a screen that is not the session's.
#[derive(Debug)]
pub(crate) struct Seen {
    lang: Lang,
    look: super::Look,
    size: Size,
    overlay: Option<Overlay>,
    top: usize,
    extents: Extents,
    watching: Option<Watching>,
    pane: Pane,
    bottom: Pane,
    tops: BTreeMap<Pane, usize>,
    shape: Shape,
    large_print: bool,
    both: Option<bool>,
    /// Whether the viewer has chosen a pane in this step; otherwise it is that of the session.
    chosen: Option<(usize, usize)>,
}

impl Seen {
    /// For a viewer who reads this language, on a screen like that.
    pub(crate) fn new(lang: Lang, look: super::Look) -> Seen {
        let size = Size::USUAL;
        Seen {
            lang,
            look,
            size,
            overlay: None,
            top: 0,
            extents: Extents::new(),
            watching: Some(Watching::default()),
            pane: Pane::Lesson,
            bottom: Pane::Calls,
            tops: BTreeMap::new(),
            shape: Shape::seen(size, look.large_print),
            large_print: look.large_print,
            both: None,
            chosen: None,
        }
    }

    /// The language that the viewer reads.
    pub(crate) fn lang(&self) -> Lang {
        self.lang
    }

    /// Draws as if not watched: with the session's own last line.
    pub(crate) fn unwatched(&mut self) {
        self.watching = None;
    }

    /// Columns and rows of the screen.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The screen has this size now.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = size.or_usual();
        self.shape = Shape::seen(self.size, self.look.large_print);
        if self.bottom.always_on(self.shape) {
            // It has a place of its own now.
            self.bottom = Pane::Calls;
        }
    }

    /// What the last line says.
    pub(crate) fn tell(&mut self) -> &mut Watching {
        self.watching.get_or_insert_default()
    }

    /// Puts the viewer's screen in the place of the session's, or takes it out again.
    pub(crate) fn swap(&mut self, state: &mut State) {
        use std::mem::swap;
        swap(&mut self.look, &mut state.look);
        swap(&mut self.size, &mut state.size);
        swap(&mut self.overlay, &mut state.overlay);
        swap(&mut self.top, &mut state.top);
        swap(&mut self.extents, &mut state.extents);
        swap(&mut self.watching, &mut state.watching);
        let Some(play) = &mut state.play else { return };
        swap(&mut self.pane, &mut play.pane);
        swap(&mut self.bottom, &mut play.bottom);
        swap(&mut self.tops, &mut play.tops);
        swap(&mut self.shape, &mut play.shape);
        swap(&mut self.large_print, &mut play.large_print);
        swap(&mut self.both, &mut play.both);
    }

    /// Where the viewer has chosen no pane in this step, the one that the session shows; where the viewer has less room than
    /// the session had, the one in which something happens.
    pub(crate) fn attend(&mut self, state: &State) {
        let Some(play) = &state.play else { return };
        let here = (play.index, play.session.step_index());
        if self.chosen == Some(here) {
            return;
        }
        self.chosen = None;
        self.tops.clear();
        let phase = play.session.phase();
        let moves = matches!(phase, Phase::Running | Phase::Held | Phase::Guarded);
        let less = self.shape == Shape::Small && (play.shape != Shape::Small || state.auto);
        self.pane = if less && moves { Pane::Calls } else { play.pane };
        self.bottom = play.bottom;
        self.both = play.both;
    }

    /// A key of the viewer's; `state` is the session's. Gives what else than the view it concerns.
    pub(crate) fn key(&mut self, state: &mut State, event: &KeyEvent) -> Option<Watch> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        (self.tell().said, self.tell().idle) = (None, None);
        let (tops, idle) = (self.tops.clone(), state.idle.clone());
        self.swap(state);
        let key = Key::of(event);
        let command = key.and_then(|key| keys::command(state, key));
        let wanted = self.handle(state, key, command);
        self.swap(state);
        if state.idle != idle {
            self.tell().idle = std::mem::replace(&mut state.idle, idle);
        }
        let moved = matches!(command, Some(Command::Show(_) | Command::NextPane | Command::PreviousPane));
        if (moved || tops != self.tops)
            && let Some(play) = &state.play
        {
            self.chosen = Some((play.index, play.session.step_index()));
        }
        wanted
    }

    /// Does what concerns the view alone; the viewer's screen is in the place of the session's.
    fn handle(&mut self, state: &mut State, key: Option<Key>, command: Option<Command>) -> Option<Watch> {
        match command {
            None => state.idle = Some(answer::why(state, key)),
            Some(Command::Watch(watch)) => return Some(watch),
            Some(Command::Quit) => return Some(Watch::Leave),
            Some(Command::Redraw) => return Some(Watch::Redraw),
            Some(Command::Close) => (state.overlay, state.top) = (None, 0),
            Some(Command::Language) => self.lang = self.lang.pick(Lang::Zh, Lang::En),
            Some(Command::LargePrint) => {
                state.look.large_print = !state.look.large_print;
                let shape = state.shape();
                if let Some(play) = &mut state.play {
                    (play.shape, play.large_print) = (shape, state.look.large_print);
                }
            }
            Some(command) => {
                // The keys that are left only look.
                let effects: Vec<Effect> = commands::run(state, command);
                drop(effects);
            }
        }
        None
    }
}

/// Has everything said in this language from now on.
pub(crate) fn speak(state: &mut State, lang: Lang) {
    if state.lang != lang {
        drop(commands::language(state));
    }
}

impl State {
    /// Whether a session of one's own is on the screen.
    pub(crate) fn is_watched(&self) -> bool {
        self.watching.is_some()
    }

    /// Whether panes can be chosen: there is a lesson to be seen.
    pub(crate) fn shows_panes(&self) -> bool {
        self.view == View::Lesson && self.play.is_some()
    }
}
