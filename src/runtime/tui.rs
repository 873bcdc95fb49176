//! The drawn screen: one loop that waits, updates, and draws when something may look different.

use super::{
    as_root,
    driver::Driver,
    edits,
    engine::{Engine, Setup},
    guard::Guard,
    hall::Listening,
    input::{self, Input},
    signals,
    sure::Sure,
};
use crate::{
    app::{Caster, Event, Facts, Jump, Look, Overlay, Prefix, Script, State},
    class::Place,
    cli::complain,
    doctor::{Tier, tier},
    kernel::{errno, program},
    lang::Lang,
    lesson::{Fills, Translations},
    observe,
    recording::{Header, Recorder},
    session::{Progress, StateDir},
    terminal::Size,
    ui,
};
use nix::{
    sys::signal::{Signal, raise},
    unistd,
};
use ratatui::{Frame, Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, layout::Rect};
use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// The time between two frames that are not waited for. A frame after a key is drawn at once.
pub(super) const FRAME: Duration = Duration::from_millis(33);

/// The exit status where there is no screen to be had.
pub(super) const CANNOT: u8 = 3;

/// How long a program in the background waits before it looks again whether it is in front.
const LOOK: Duration = Duration::from_secs(1);

/// The status of a program whose terminal is gone.
pub(super) const GONE: u8 = 128 + libc::SIGHUP as u8;

/// Everything that the screen is started with.
#[derive(Debug)]
pub(crate) struct TuiOptions {
    /// What the session is played with.
    pub setup: Setup,
    /// Colours and characters.
    pub look: Look,
    /// Who types the lesson's lines.
    pub script: Script,
    /// The lessons, in order.
    pub lessons: Vec<Translations>,
    /// A lesson and a step to begin with, by their places; otherwise the opening.
    pub start: Option<(usize, usize)>,
    /// Whether the list of steps opens first.
    pub list: bool,
    /// The key that leaves a terminal.
    pub prefix: Prefix,
    /// How far the learner has come.
    pub progress: Progress,
    /// Where that is kept; `None` where it cannot be.
    pub kept: Option<StateDir>,
    /// What the lessons name of this machine.
    pub fills: Fills,
    /// Where the speaker's views of this hall come to, where it is one.
    pub hall: Option<Listening>,
    /// The place of this session in its class, where the learner shares.
    pub class: Option<Place>,
    /// Whether the room is shown which keys are pressed.
    pub keys: bool,
    /// Where the session is recorded.
    pub record: Option<(File, PathBuf)>,
}

impl TuiOptions {
    /// The app before anything has happened.
    pub(super) fn driver(self) -> io::Result<(Driver, Option<(usize, usize)>)> {
        let Setup { lang, exe, image, .. } = &self.setup;
        let mut state = State::new(*lang, self.look, facts(exe), self.lessons, self.prefix);
        (state.script, state.picked) = (self.script, self.setup.picked);
        state.caster = self.keys.then(Caster::default);
        state.resume(self.progress);
        let places = self
            .start
            .iter()
            .filter_map(|(lesson, step)| Some(format!("{}/{}", state.lessons.get(*lesson)?.id(), step + 1)));
        let header = Header::of(&state, image, self.fills.clone(), places.collect());
        let recorder = self.record.map(|(file, path)| Recorder::start(file, &path, &header)).transpose()?;
        state.recorded = recorder.is_some();
        let engine = Engine::new(self.setup).recorded(recorder);
        // Without it, a lesson stays as it was when it was opened.
        let _ = edits::watch(&state.lessons, &self.fills, engine.queue());
        let mut driver = Driver::new(state, engine, self.kept);
        self.class.map(|place| driver.share(place)).transpose()?;
        self.hall.map(|listening| driver.present(listening)).transpose()?;
        Ok((driver, self.start))
    }
}

/// What is known of this machine at once, without trying anything.
pub(crate) fn facts(exe: &Path) -> Facts {
    let release = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
    Facts {
        root: tier() == Tier::Root,
        as_root: program::way().map(|way| program::as_root(&program::word(&exe.to_string_lossy()), Some(&way))),
        kernel: release.unwrap_or_default(),
        cgroup_mode: observe::cgroup_mode().to_string(),
        ..Facts::default()
    }
}

/// Terminals whose letters are those of their time, whatever the locale says. The Linux console has 512 at most.
const OLD: [&str; 10] = ["linux", "vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "cons25", "ansi", "sun"];

/// Whether a value of `TERM` names one of those, such as `vt100-am` and `linux-16color`, but not `vte-256color`.
pub(super) fn is_old(term: &str) -> bool {
    term.split('-').next().is_some_and(|term| OLD.contains(&term))
}

/// Whether the terminal shows nothing but ASCII for sure: an old one or, as for every other program, what the locale says
/// (locale(7)).
pub(crate) fn ascii_only(get: impl Fn(&str) -> Option<String>) -> bool {
    if is_old(&get("TERM").unwrap_or_default()) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| get(name).filter(|value| !value.is_empty()));
    // Where none is set, the terminal is more likely to be a new one than an old one.
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// Why this is not a place to draw; `None` where it is one.
pub(super) fn refusal(lang: Lang) -> Option<&'static str> {
    let dumb = std::env::var("TERM").map_or(true, |term| term.is_empty() || term == "dumb");
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Some(lang.pick("standard input and output must be a terminal", "标准输入和标准输出必须是终端"));
    }
    dumb.then(|| lang.pick("TERM names no terminal that can be drawn on", "TERM 没有指明可以绘制的终端"))
}

/// Shows the screen until the learner leaves. Status 0; 3 where there is no terminal; 128 and the signal that ended it.
pub(crate) fn run(options: TuiOptions) -> ExitCode {
    let lang = options.setup.lang;
    if let Some(why) = refusal(lang) {
        let what = lang.pick("no screen", "无法显示界面");
        let program = program::path();
        let hint = lang.pick(
            format!("{program} --plain asks and answers in plain lines; {program} run plays the lessons by itself"),
            format!("{program} --plain 以纯文本逐行交互；{program} run 自动演示课程"),
        );
        return complain(&format!("{what}{}{why}", lang.pick(": ", "：")), Some(&hint), CANNOT);
    }
    let exe = options.setup.exe.clone();
    match show(options) {
        Ok((_, Some(lang))) => as_root::start(&exe, lang),
        Ok((status, None)) => ExitCode::from(status),
        // The terminal is gone, and the hang-up that says so is still on its way.
        Err(error) if error.raw_os_error() == Some(libc::EIO) => ExitCode::from(GONE),
        Err(error) => {
            complain(&format!("{}{}", lang.pick("the screen: ", "界面："), errno::why_io(&error)), None, CANNOT)
        }
    }
}

/// The exit status, and the language to go on in where the learner wants to start again as root.
fn show(options: TuiOptions) -> io::Result<(u8, Option<Lang>)> {
    input::block()?;
    // NO_COLOR was looked at when the options were made; a second opinion would only hide --color always.
    crossterm::style::force_color_output(true);
    let list = options.list;
    let (mut driver, start) = options.driver()?;
    driver.engine.watch_signals();
    if let Some(signal) = wait_for_the_foreground(&mut driver) {
        return Ok((ended_by(signal), None));
    }
    driver.give(Event::Resize(input::size()));
    let guard = Guard::take()?;
    let mut screen = Screen::new(driver.state.size)?;
    if let Some((lesson, step)) = start {
        driver.open(lesson, step);
        driver.state.overlay = driver
            .state
            .overlay
            .take()
            .or_else(|| list.then(|| Overlay::GoTo(Jump { chosen: step, ..Jump::default() })));
    }
    // The first frame comes before anything is started.
    screen.draw(&mut driver)?;
    driver.examine()?;
    let input = Input::start(driver.engine.queue())?;
    let ended = follow(&mut driver, &mut screen, &guard);
    signals::limit(*ended.as_ref().unwrap_or(&CANNOT));
    let again = driver.wants_root();
    drop(input);
    // The shell gets its terminal first: tidying up may take a moment.
    drop(guard);
    driver.finish(signals::TIDYING);
    ended.map(|status| (status, again))
}

/// Waits until the terminal is ours to draw on; gives the signal that ended the waiting.
///
/// A background process that sets the terminal's modes is stopped, and then no signal but SIGKILL ends it.
fn wait_for_the_foreground(driver: &mut Driver) -> Option<i32> {
    let in_front = || unistd::tcgetpgrp(io::stdin()).map_or(true, |group| group == unistd::getpgrp());
    if !in_front() {
        let text = driver.state.lang.pick(
            "boxwright: it was started in the background, and waits: fg brings it to the front",
            "boxwright：程序是在后台启动的，正在等待：用 fg 把它调到前台",
        );
        let _ = writeln!(io::stderr(), "{text}");
    }
    while !in_front() {
        // No shell tells a running job that it brought it to the front; it can only be looked for.
        if let Some(Event::Signal(signal)) = driver.engine.next(Some(Instant::now() + LOOK)) {
            return Some(signal);
        }
    }
    None
}

pub(super) fn ended_by(signal: i32) -> u8 {
    128_u8.saturating_add(u8::try_from(signal).unwrap_or_default())
}

/// Waits for what happens, until the end; gives the exit status.
fn follow(driver: &mut Driver, screen: &mut Screen, guard: &Guard) -> io::Result<u8> {
    let mut next = Instant::now();
    while !driver.has_ended() {
        let until = driver.state.dirty.then_some(next);
        let mut hurried = false;
        match driver.engine.next(until) {
            Some(Event::Signal(signal)) => return Ok(ended_by(signal)),
            Some(Event::HungUp) => return Ok(GONE),
            Some(Event::Suspend) => {
                guard.lend();
                raise(Signal::SIGSTOP)?;
            }
            Some(Event::Resume) => {
                guard.retake()?;
                // A window that changed while others had it told them.
                driver.give(Event::Resize(input::size()));
                *screen = Screen::new(driver.state.size)?;
            }
            Some(event) => {
                let resized = matches!(event, Event::Resize(..));
                hurried = matches!(event, Event::Key(_) | Event::Resize(..));
                driver.tell(event);
                if resized || driver.take_redraw() {
                    *screen = Screen::new(driver.state.size)?;
                }
            }
            None => {}
        }
        if driver.state.dirty && (hurried || Instant::now() >= next) {
            screen.draw(driver)?;
            next = Instant::now() + FRAME;
        }
    }
    Ok(0)
}

/// The terminal as ratatui draws on it.
pub(super) struct Screen(Terminal<Sure<CrosstermBackend<BufWriter<Stdout>>>>);

impl Screen {
    /// An empty screen of this size. The size is ours to say: asking again might start a program.
    pub(super) fn new(Size { columns, rows }: Size) -> io::Result<Screen> {
        // One write for a frame: a slow line shows it at once, and not from the top to the bottom.
        let mut out = BufWriter::with_capacity(256 * 1024, io::stdout());
        out.write_all(b"\x1b[0m\x1b[2J")?;
        let area = Rect::new(0, 0, columns, rows);
        let backend = Sure::new(CrosstermBackend::new(out), area);
        Ok(Screen(Terminal::with_options(backend, TerminalOptions { viewport: Viewport::Fixed(area) })?))
    }

    /// Draws one frame.
    pub(super) fn show(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.0.draw(draw).map(drop)
    }

    fn draw(&mut self, driver: &mut Driver) -> io::Result<()> {
        let mut extents = crate::app::Extents::new();
        let state = &mut driver.state;
        state.dirty = false;
        self.show(|frame| extents = ui::draw(state, frame))?;
        crate::app::measured(state, extents);
        driver.engine.note(&Event::Drawn);
        let told = crate::app::present::drawn(&mut driver.state);
        driver.perform(told.into_iter().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ascii_goes_to_old_terminals_and_into_locales_of_eight_bits() {
        for (term, locale, ascii) in [
            ("xterm-256color", "en_US.UTF-8", false),
            ("tmux-256color", "zh_CN.utf8", false),
            ("vte-256color", "C.UTF-8", false),
            ("linux", "en_US.UTF-8", true),
            ("linux-16color", "C.UTF-8", true),
            ("vt100", "C.UTF-8", true),
            ("vt220-w", "C.UTF-8", true),
            ("xterm", "en_US.ISO-8859-1", true),
            ("xterm", "zh_CN.GB18030", true),
            ("xterm", "C", true),
            ("xterm", "", false),
        ] {
            let get = |name: &str| match name {
                "TERM" => Some(term.to_string()),
                "LANG" => Some(locale.to_string()),
                _ => None,
            };
            assert_eq!(ascii_only(get), ascii, "TERM={term} LANG={locale}");
        }
    }
}
