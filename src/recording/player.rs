//! A recorded session that can be gone through in both directions.
//!
//! The state at an event is what the events before it make of the header. Going back begins at the nearest copy of the state
//! before that place, of which a few are kept.

use super::{Header, Unreadable, replay::Unseen};
use crate::{
    app::{Glance, Mark, State, reads_the_frame, unmeasured, update, watching},
    event::Event,
    lang::Lang,
    lesson::Translations,
};
use std::time::Duration;

/// How many copies are kept, and how many events lie between two of them at least.
const MAX_POINTS: usize = 48;
const APART: usize = 128;

/// What has come of what is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum News {
    /// Nothing to be seen.
    Nothing,
    /// Only what grows by itself: counters, and the time.
    Counts,
    /// Something else.
    Changes,
}

/// A place in the stream, and the state there.
#[derive(Clone, Debug)]
struct Point {
    /// How many events have happened.
    at: usize,
    state: State,
    /// The language that the session had then. The state is in that of the viewer.
    lang: Lang,
}

/// The events that are there, and the state at one of them.
#[derive(Debug)]
pub(crate) struct Player {
    lang: Lang,
    events: Vec<(Duration, Event)>,
    now: Point,
    points: Vec<Point>,
    apart: usize,
    /// What is worth stopping at: after how many events, and why; known as far as the stream was gone through.
    marks: Vec<(usize, Mark)>,
    known: usize,
    /// After how many events the session's screen was drawn last, as far as that is there.
    drawn: Option<usize>,
    /// Where frames of the session's are measured.
    unseen: Unseen,
}

impl Player {
    /// Before the first event.
    pub(crate) fn new(header: &Header, lessons: &[Translations], lang: Lang) -> Result<Player, Unreadable> {
        let mut state = header.state(lessons)?;
        watching::speak(&mut state, lang);
        let now = Point { at: 0, state, lang: header.lang };
        let (events, points) = (Vec::new(), vec![now.clone()]);
        let (marks, unseen) = (Vec::new(), Unseen::default());
        Ok(Player { lang, events, now, points, apart: APART, marks, known: 0, drawn: None, unseen })
    }

    /// One more event is there.
    pub(crate) fn push(&mut self, at: Duration, event: Event) {
        // Whatever wrote it, time does not go back.
        let at = at.max(self.total());
        if event == Event::Drawn {
            self.drawn = Some(self.events.len());
        }
        self.events.push((at, event));
    }

    /// The state at this place.
    pub(crate) fn state(&mut self) -> &mut State {
        &mut self.now.state
    }

    /// When the last event up to here came.
    pub(crate) fn at(&self) -> Duration {
        self.now.at.checked_sub(1).and_then(|last| self.events.get(last)).map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// When the next event comes, if there is one.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.events.get(self.now.at).map(|(at, _)| *at)
    }

    /// When the last event came that is there.
    pub(crate) fn total(&self) -> Duration {
        self.events.last().map_or(Duration::ZERO, |(at, _)| *at)
    }

    /// Has everything said in this language from now on.
    pub(crate) fn speak(&mut self, lang: Lang) {
        self.lang = lang;
        watching::speak(&mut self.now.state, lang);
    }

    /// Lets the next event happen; gives what it means.
    pub(crate) fn step(&mut self) -> Option<Mark> {
        let (_, event) = self.events.get(self.now.at)?;
        let event = event.clone();
        let before = Glance::at(&self.now.state);
        match &event {
            Event::Drawn if self.is_looked_at() => self.measure(),
            Event::Drawn => unmeasured(&mut self.now.state),
            _ => self.happen(event),
        }
        self.now.at += 1;
        let mark = Glance::at(&self.now.state).since(&before);
        if self.now.at > self.known {
            self.known = self.now.at;
            self.marks.extend(mark.map(|mark| (self.now.at, mark)));
            self.keep();
        }
        mark
    }

    fn happen(&mut self, event: Event) {
        let Point { state, lang, .. } = &mut self.now;
        drop(update(state, event));
        if state.lang != self.lang {
            // The session has changed its language; the viewer has not.
            *lang = lang.pick(Lang::Zh, Lang::En);
            watching::speak(state, self.lang);
        }
    }

    /// Whether what this frame measured matters: what a key does may depend on what was seen. Of the newest frame that is not
    /// known yet.
    fn is_looked_at(&self) -> bool {
        for (_, event) in self.events.iter().skip(self.now.at + 1) {
            match event {
                Event::Drawn => return false,
                Event::Key(key) if reads_the_frame(key) => return true,
                _ => {}
            }
        }
        true
    }

    /// Measures as the session's own screen did, in its language.
    fn measure(&mut self) {
        let Point { state, lang, .. } = &mut self.now;
        watching::speak(state, *lang);
        self.unseen.measure(state);
        watching::speak(state, self.lang);
    }

    /// Keeps a copy, where the last one is far enough away.
    fn keep(&mut self) {
        if self.points.last().is_some_and(|last| self.now.at < last.at + self.apart) {
            return;
        }
        if self.points.len() >= MAX_POINTS {
            let mut number = 0;
            self.points.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.apart *= 2;
        }
        self.points.push(self.now.clone());
    }

    /// Goes to the place after so many events.
    fn go_to(&mut self, at: usize) {
        if at < self.now.at
            && let Some(point) = self.points.iter().rev().find(|point| point.at <= at)
        {
            self.now = point.clone();
            watching::speak(&mut self.now.state, self.lang);
        }
        while self.now.at < at && self.now.at < self.events.len() {
            self.step();
        }
    }

    /// Goes to the next event that is worth stopping at for this reason or a better one, or to the one before; false where
    /// there is none that way.
    pub(crate) fn seek(&mut self, on: bool, reason: impl Fn(Mark) -> bool) -> bool {
        let here = self.now.at;
        if !on {
            let before = self.marks.iter().rev().find(|(at, mark)| *at < here && reason(*mark)).map(|(at, _)| *at);
            self.go_to(before.unwrap_or(0));
            return before.is_some();
        }
        while self.now.at < self.events.len() {
            if self.step().is_some_and(&reason) {
                return true;
            }
        }
        false
    }

    /// Goes on to what the session's screen has shown last; gives what has come of that. What came after that frame is
    /// shown with the next one, and the frame itself is measured only once it is known that a key came after it. A session
    /// without a screen is at its newest event.
    pub(crate) fn keep_up(&mut self) -> News {
        let newest = self.drawn.unwrap_or(self.events.len());
        let mut news = News::Nothing;
        while self.now.at < newest {
            let event = self.events.get(self.now.at).map(|(_, event)| event);
            let counts = matches!(event, Some(Event::Clock(_) | Event::Sample(..) | Event::Drawn));
            let mark = self.step();
            news = news.max(if counts && mark.is_none() { News::Counts } else { News::Changes });
        }
        news
    }

    /// Goes to the beginning, or to the newest event.
    pub(crate) fn edge(&mut self, end: bool) {
        self.go_to(if end { self.events.len() } else { 0 });
    }
}
