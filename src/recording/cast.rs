//! A recording as an asciicast (version 2), which terminal players take: frames are drawn as on a screen, and what differs
//! from the frame before is written.

use super::{Header, Unreadable, player::Player};
use crate::{
    app::{Look, Seen},
    event::Event,
    lang::Lang,
    lesson::Translations,
    terminal::Size,
    ui,
};
use ratatui::{
    Terminal,
    backend::{Backend, CrosstermBackend, TestBackend},
    buffer::Buffer,
};
use std::{
    io::{self, Write},
    time::Duration,
};

/// The time between two frames.
const FRAME: Duration = Duration::from_millis(50);

/// How long a silence stays that is shortened.
const BRIEF: Duration = Duration::from_secs(2);

/// At most so many times slower than it was.
const SLOWEST: f64 = 200.0;

/// The least time that a step of a lesson takes which is not played by hand: it is read.
const STEP: Duration = Duration::from_secs(4);

/// How a recording is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    /// The language.
    pub lang: Lang,
    /// Colours and characters.
    pub look: Look,
    /// Columns and rows.
    pub size: Size,
    /// Whether long silences are shortened.
    pub brief: bool,
    /// Whether time passes so slowly that each step can be read: a lesson that plays itself is over in a second.
    pub slow: bool,
}

/// Writes all of it.
///
/// Errors: those of `out`; the inner one says why the recording cannot be shown.
pub(crate) fn cast(
    header: &Header,
    lessons: &[Translations],
    events: impl Iterator<Item = (Duration, Event)>,
    how: Drawn,
    out: &mut impl Write,
) -> io::Result<Result<(), Unreadable>> {
    let mut player = match Player::new(header, lessons, how.lang) {
        Ok(player) => player,
        Err(error) => return Ok(Err(error)),
    };
    events.for_each(|(at, event)| player.push(at, event));
    let Size { columns: width, rows: height } = how.size;
    let first = serde_json::json!({
        "version": 2, "width": width, "height": height, "timestamp": header.started,
        "title": format!("boxwright {}", header.places.join(" ")), "env": { "TERM": "xterm-256color" },
    });
    writeln!(out, "{first}")?;
    let is_shown = |id: &str| header.places.iter().any(|place| place.split('/').next() == Some(id));
    let shown = lessons.iter().filter_map(Translations::any).filter(|lesson| is_shown(&lesson.id));
    let steps: usize = shown.map(|lesson| lesson.steps.len()).sum();
    let least = STEP.as_secs_f64() * steps as f64 / player.total().as_secs_f64().max(f64::MIN_POSITIVE);
    let slower = if how.slow { least.clamp(1.0, SLOWEST) } else { 1.0 };
    let shown = |at: Duration| at.mul_f64(slower);
    let mut painter = Painter::new(how);
    let (mut skipped, mut last) = (Duration::ZERO, Duration::ZERO);
    while let Some(next) = player.next_at().map(shown) {
        if how.brief {
            skipped += (next.saturating_sub(last)).saturating_sub(BRIEF);
        }
        let until = next + FRAME;
        while player.next_at().is_some_and(|at| shown(at) < until) {
            player.step();
        }
        last = shown(player.at());
        let bytes = painter.paint(&mut player)?;
        if !bytes.is_empty() {
            let text = String::from_utf8_lossy(&bytes);
            writeln!(out, "{}", serde_json::json!([(last - skipped).as_secs_f64(), "o", text]))?;
        }
    }
    out.flush()?;
    Ok(Ok(()))
}

/// A screen that is not shown, and what it showed last.
struct Painter {
    seen: Seen,
    terminal: Option<Terminal<TestBackend>>,
    before: Buffer,
    begun: bool,
}

impl Painter {
    fn new(how: Drawn) -> Painter {
        let Size { columns, rows } = how.size;
        let mut seen = Seen::new(how.lang, how.look);
        seen.resize(how.size);
        // It is the session that is shown, and not a viewer.
        seen.unwatched();
        let before = Buffer::empty(ratatui::layout::Rect::new(0, 0, columns, rows));
        Painter { seen, terminal: Terminal::new(TestBackend::new(columns, rows)).ok(), before, begun: false }
    }

    /// The bytes that lead from the last frame to this one.
    fn paint(&mut self, player: &mut Player) -> io::Result<Vec<u8>> {
        let Some(terminal) = &mut self.terminal else { return Ok(Vec::new()) };
        let state = player.state();
        self.seen.attend(state);
        self.seen.swap(state);
        crate::app::as_seen(state);
        let mut extents = crate::app::Extents::new();
        let drawn = terminal.draw(|frame| extents = ui::draw(state, frame)).map(|frame| frame.buffer.clone());
        crate::app::measured(state, extents);
        self.seen.swap(state);
        let Ok(now) = drawn;
        let mut bytes = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            bytes.extend_from_slice(b"\x1b[0m\x1b[2J\x1b[?25l");
        }
        let changed = self.before.diff(&now);
        if !changed.is_empty() {
            CrosstermBackend::new(&mut bytes).draw(changed.into_iter())?;
        }
        self.before = now;
        Ok(bytes)
    }
}
