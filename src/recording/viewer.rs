//! A viewer of a recording or of a session that is being recorded: what is on their screen, and what their keys do.
//!
//! It reads no clock: the caller says how much time has passed.

use super::{
    Header, Unreadable,
    player::{News, Player},
};
use crate::{
    app::{Look, Mark, Play, Seen, State, Watch},
    event::Event,
    lang::Lang,
    lesson::Translations,
    terminal::Size,
    ui,
};
use crossterm::event::KeyEvent;
use ratatui::Frame;
use std::time::Duration;

/// How long a silence stays that is shortened.
const BRIEF: Duration = Duration::from_secs(2);

/// Speeds, in percent.
const SPEEDS: [u32; 8] = [25, 50, 100, 200, 400, 800, 1600, 3200];

/// What a key asks of the caller that shows the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// To leave.
    Leave,
    /// To begin this step (`LESSON/NUMBER`) in a container of one's own.
    Fork(String),
    /// To give this line to other programs.
    Copy(String),
}

/// A stream of events on a screen.
#[derive(Debug)]
pub(crate) struct Viewer {
    player: Player,
    seen: Seen,
    live: bool,
    /// What comes is shown when it comes.
    newest: bool,
    playing: bool,
    percent: u32,
    brief: bool,
    /// Where it stands, on the clock of the recording.
    time: Duration,
    /// Whether all that there is has come.
    ended: bool,
    /// Whether it goes to the end as soon as that has come.
    hurries: bool,
    /// Whether the next frame may differ from the last one.
    pub(crate) dirty: bool,
    /// Whether it differs only in what grows by itself.
    pub(crate) calm: bool,
    redraw: bool,
}

impl Viewer {
    /// Before the first event. A `live` one shows the newest that there is, another one plays from the beginning.
    pub(crate) fn new(
        header: &Header,
        lessons: &[Translations],
        lang: Lang,
        look: Look,
        live: bool,
    ) -> Result<Viewer, Unreadable> {
        let player = Player::new(header, lessons, lang)?;
        let seen = Seen::new(lang, look);
        let (newest, playing) = (live, true);
        let viewer = Viewer {
            player,
            seen,
            live,
            newest,
            playing,
            percent: 100,
            brief: false,
            time: Duration::ZERO,
            ended: false,
            hurries: false,
            dirty: true,
            calm: false,
            redraw: false,
        };
        Ok(viewer)
    }

    /// The session was killed, and has begun anew: the viewer keeps language, size and panes.
    ///
    /// Errors: that the new one needs a lesson which is not here.
    pub(crate) fn anew(&mut self, header: &Header, lessons: &[Translations]) -> Result<(), Unreadable> {
        self.player = Player::new(header, lessons, self.seen.lang())?;
        (self.live, self.newest, self.playing, self.ended) = (true, true, true, false);
        (self.time, self.seen.tell().said) = (Duration::ZERO, None);
        self.differs();
        Ok(())
    }

    /// The viewer can begin a lesson of their own at the step that is seen.
    pub(crate) fn forks(mut self) -> Viewer {
        self.seen.tell().forks = true;
        self
    }

    /// Shortens long silences.
    pub(crate) fn brief(mut self, brief: bool) -> Viewer {
        self.brief = brief;
        self
    }

    /// The language that the viewer reads.
    pub(crate) fn lang(&self) -> Lang {
        self.seen.lang()
    }

    /// One more event is there.
    pub(crate) fn push(&mut self, at: Duration, event: Event) {
        self.player.push(at, event);
        // How much there is stands in the last line.
        if !self.newest {
            self.differs();
        }
    }

    /// No more comes; `why` is what must be said of that.
    pub(crate) fn end(&mut self, why: Option<String>) {
        self.ended = true;
        self.differs();
        self.live = false;
        if std::mem::take(&mut self.newest) {
            self.player.edge(true);
            self.time = self.player.at();
            self.playing = false;
        }
        if why.is_some() {
            self.seen.tell().said = why;
        }
    }

    /// Says something above the last line, until the next key.
    pub(crate) fn say(&mut self, text: String) {
        self.seen.tell().idle = Some(text);
        self.differs();
    }

    /// The screen has so many columns and rows now.
    pub(crate) fn resize(&mut self, size: Size) {
        self.seen.resize(size);
        self.differs();
    }

    /// Columns and rows of the screen.
    pub(crate) fn size(&self) -> Size {
        self.seen.size()
    }

    /// So much time has passed.
    pub(crate) fn pass(&mut self, passed: Duration) {
        if self.newest || self.hurries {
            match self.player.keep_up() {
                News::Nothing => {}
                News::Counts => self.dirty = true,
                News::Changes => self.differs(),
            }
            if self.ended {
                self.player.edge(true);
            }
            self.time = self.player.at();
            self.hurries &= !self.ended;
            return;
        }
        if !self.playing {
            return;
        }
        let passed = passed.saturating_mul(self.percent) / 100;
        self.time += passed;
        while let Some(next) = self.player.next_at() {
            if self.brief && next > self.time + BRIEF {
                self.time = next - BRIEF;
            }
            if next > self.time {
                break;
            }
            self.player.step();
            self.differs();
        }
        if self.player.next_at().is_none() {
            self.time = self.player.total();
            self.newest = self.live;
            if self.ended {
                if self.playing {
                    self.differs();
                }
                self.playing = false;
            }
        }
    }

    /// The next frame differs from the last one.
    fn differs(&mut self) {
        (self.dirty, self.calm) = (true, false);
    }

    /// Whether what comes is shown when it comes.
    pub(crate) fn keeps_up(&self) -> bool {
        self.newest
    }

    /// How long nothing happens by itself; `None` where nothing does.
    pub(crate) fn rest(&self) -> Option<Duration> {
        if self.newest || !self.playing {
            return None;
        }
        let next = self.player.next_at()?.saturating_sub(self.time);
        let next = if self.brief { next.min(BRIEF) } else { next };
        // The clock in the last line shows seconds.
        let second = Duration::from_nanos(u64::from(1_000_000_000 - self.time.subsec_nanos()));
        Some(next.min(second) * 100 / self.percent)
    }

    /// A key; what it asks for that is not done here.
    pub(crate) fn key(&mut self, key: &KeyEvent) -> Asked {
        self.differs();
        self.say_where();
        let wanted = self.seen.key(self.player.state(), key);
        self.player.speak(self.seen.lang());
        if matches!(wanted, Some(watch) if watch.moves() || watch == Watch::Pause) {
            self.hurries = false;
        }
        match wanted {
            None => {}
            Some(Watch::Leave) => return Asked::Leave,
            Some(Watch::Fork) => return self.place().map_or(Asked::Nothing, Asked::Fork),
            Some(Watch::Redraw) => self.redraw = true,
            Some(Watch::Pause) => self.playing = !self.playing,
            Some(Watch::Speed(faster)) => self.speed(faster),
            Some(Watch::Brief) => self.brief = !self.brief,
            Some(Watch::Edge(end)) => {
                self.player.edge(end);
                self.newest = end && self.live;
                self.playing &= !end || self.newest;
                self.hurries = end && !self.ended;
            }
            Some(Watch::Change(on)) => self.seek(on, |_| true),
            Some(Watch::Call(on)) => self.seek(on, |mark| mark == Mark::Call),
            Some(Watch::Step(on)) => self.seek(on, |mark| mark == Mark::Step),
            Some(Watch::Mark(on)) => self.seek(on, |mark| mark == Mark::Set),
            Some(Watch::Copy) => {
                let line = self.player.state().play.as_ref().and_then(Play::last_line);
                match line {
                    Some(line) => return Asked::Copy(line),
                    None => {
                        let text = self.lang().pick("No line has run in this step yet", "这一步还没有运行过命令");
                        self.seen.tell().idle = Some(text.into());
                    }
                }
            }
        }
        if wanted.is_some_and(Watch::moves) {
            self.time = self.player.at();
        }
        Asked::Nothing
    }

    /// The step that is seen.
    fn place(&mut self) -> Option<String> {
        let play = self.player.state().play.as_ref()?;
        Some(format!("{}/{}", play.session.lesson().id, play.session.step_index() + 1))
    }

    /// Whether everything is to be drawn anew; once.
    pub(crate) fn take_redraw(&mut self) -> bool {
        std::mem::take(&mut self.redraw)
    }

    fn speed(&mut self, faster: bool) {
        let other = match faster {
            true => SPEEDS.iter().find(|speed| **speed > self.percent),
            false => SPEEDS.iter().rev().find(|speed| **speed < self.percent),
        };
        self.percent = other.copied().unwrap_or(self.percent);
    }

    /// A viewer who looks for a place stays there.
    fn seek(&mut self, on: bool, reason: impl Fn(Mark) -> bool) {
        (self.newest, self.playing) = (false, false);
        if !self.player.seek(on, reason) {
            let lang = self.seen.lang();
            self.seen.tell().idle = Some(match on {
                true => lang.pick("None comes after this", "后面没有了").into(),
                false => lang.pick("This is the beginning", "这里是开头").into(),
            });
        }
    }

    fn say_where(&mut self) {
        let (live, newest, playing, percent, brief) = (self.live, self.newest, self.playing, self.percent, self.brief);
        let (at, total) = (self.time.min(self.player.total()), self.player.total());
        let watching = self.seen.tell();
        (watching.live, watching.newest, watching.playing) = (live, newest, playing);
        (watching.percent, watching.brief, watching.at, watching.total) = (percent, brief, at, total);
    }

    /// The session's state with the viewer's screen in the place of its own, for as long as `see` takes.
    fn with_screen<T>(&mut self, see: impl FnOnce(&mut State) -> T) -> T {
        self.say_where();
        let state = self.player.state();
        self.seen.attend(state);
        self.seen.swap(state);
        crate::app::as_seen(state);
        let seen = see(state);
        self.seen.swap(state);
        seen
    }

    /// Draws one frame.
    pub(crate) fn draw(&mut self, frame: &mut Frame) {
        (self.dirty, self.calm) = (false, true);
        self.with_screen(|state| {
            let extents = ui::draw(state, frame);
            crate::app::measured(state, extents);
        });
    }
}
