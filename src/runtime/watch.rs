//! A session that is not played here, on this screen: a recording from a file, or one that is made now.

mod export;
mod print;
mod source;

use super::{
    clipboard::{self, Way},
    guard::Guard,
    input::{self, Input},
    queue::{Item, Queue, Recorded},
    signals,
    tui::{CANNOT, FRAME, GONE, Screen, ended_by, refusal},
};
use crate::{
    app::{Copied, Look},
    cli::{complain, tell},
    event::Event,
    kernel::{errno, program},
    lang::Lang,
    lesson::Translations,
    recording::{Asked, Recording, Unreadable, Viewer},
};
pub(crate) use export::to_cast;
use nix::sys::signal::{Signal, raise};
use source::{Followed, Lines};
use std::{
    io,
    path::PathBuf,
    process::{Command, ExitCode},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// What is watched, and how.
#[derive(Clone, Debug)]
pub(crate) struct WatchOptions {
    /// The file or, to be followed, also a socket, a pipe, or `-` for standard input.
    pub path: PathBuf,
    /// Whether it is followed as it grows.
    pub follow: bool,
    /// This program, for a lesson of the viewer's own.
    pub exe: PathBuf,
    /// The language of the viewer.
    pub lang: Lang,
    /// Colours and characters.
    pub look: Look,
    /// A directory of lessons.
    pub lessons: Option<PathBuf>,
    /// Whether long silences are shortened.
    pub brief: bool,
    /// Whether it is told in plain lines.
    pub plain: bool,
}

/// How much is taken in before a frame may be drawn: so often what was read together.
const AT_ONCE: usize = 64;

/// How long what only counts is gathered for one frame while a session is followed. The room looks at the teacher's screen, and
/// forty draw on the same processors.
const CALM: Duration = Duration::from_secs(3);

/// Shows it until the viewer leaves. Status 0; 1 where it cannot be read; 3 where there is no terminal; 128 and the signal
/// that ended it.
pub(crate) fn run(options: WatchOptions) -> ExitCode {
    let lang = options.lang;
    let failed = |why: String| {
        let colon = lang.pick(": ", "：");
        complain(&format!("{}{colon}{why}", options.path.display()), None, 1)
    };
    let open = if options.follow { source::follow } else { source::open };
    let recording = match open(&options.path).map_err(Unreadable::from).and_then(Recording::open) {
        Ok(recording) => recording,
        Err(error) => return failed(error.say(lang)),
    };
    let lessons = match recording.lessons(options.lessons.as_deref()) {
        Ok(lessons) => lessons,
        Err(error) => return complain(&format!("--lessons{}{error}", lang.pick(": ", "：")), None, 2),
    };
    let followed = if options.follow { Followed::at(&options.path) } else { None };
    if options.plain {
        return match plainly(recording, lessons, followed, &options) {
            Ok(None) => ExitCode::SUCCESS,
            // A teacher who has left has not failed.
            Ok(Some(why)) if options.follow => complain(&why, None, 0),
            Ok(Some(why)) => failed(why),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("{}{}", lang.pick("standard output: ", "标准输出："), errno::why_io(&error)), None, 1)
            }
        };
    }
    let viewer = Viewer::new(recording.header(), &lessons, lang, options.look, options.follow);
    let viewer = match viewer {
        Ok(viewer) if options.follow => viewer.forks(),
        Ok(viewer) => viewer.brief(options.brief),
        Err(error) => return failed(error.say(lang)),
    };
    if let Some(why) = refusal(lang) {
        let what = lang.pick("no screen", "无法显示界面");
        let program = program::path();
        let hint = lang.pick(
            format!("{program} replay --plain and follow --plain print it as text"),
            format!("{program} replay --plain 和 follow --plain 以纯文本输出"),
        );
        return complain(&format!("{what}{}{why}", lang.pick(": ", "：")), Some(&hint), CANNOT);
    }
    match show(viewer, recording, followed, &options) {
        Ok(status) => ExitCode::from(status),
        Err(error) if error.raw_os_error() == Some(libc::EIO) => ExitCode::from(GONE),
        Err(error) => {
            complain(&format!("{}{}", lang.pick("the screen: ", "界面："), errno::why_io(&error)), None, CANNOT)
        }
    }
}

/// Prints what is recorded, again where it begins anew.
fn plainly(
    mut recording: Recording<Lines>,
    mut lessons: Vec<Translations>,
    mut followed: Option<Followed>,
    options: &WatchOptions,
) -> io::Result<Option<String>> {
    loop {
        let (why, killed) = print::print(recording, &lessons, options.lang)?;
        let Some(file) = followed.as_mut().filter(|_| killed) else { return Ok(why) };
        tell(&killed_said(options.lang));
        (recording, lessons) = match anew(file, options) {
            Ok(anew) => anew,
            Err(why) => return Ok(Some(why)),
        };
    }
}

/// Brings what is recorded, until there is no more. What was read together comes together, once a frame of the session's is in
/// it.
fn bring(mut recording: Recording<Lines>, queue: &Queue, mut followed: Option<Followed>, options: &WatchOptions) {
    let lang = options.lang;
    let put = |recorded| queue.put(Item::Recorded(recorded));
    let (mut gathered, mut draws, mut shows) = (Vec::new(), false, false);
    loop {
        let next = recording.next();
        draws |= matches!(next, Some(Ok((_, Event::Drawn))));
        let over = !matches!(next, Some(Ok(_)));
        if over && !gathered.is_empty() {
            put(Recorded::Events(std::mem::take(&mut gathered)));
        }
        let why = match next {
            Some(Ok(event)) => {
                // Of a session without a screen each event is shown.
                shows |= event.1 == Event::Drawn || !draws;
                gathered.push(event);
                if shows && !recording.has_next() {
                    put(Recorded::Events(std::mem::take(&mut gathered)));
                    shows = false;
                }
                continue;
            }
            Some(Err(error)) => Some(error.say(lang)),
            None if recording.end().is_none() && followed.is_some() => Some(killed_said(lang)),
            None if options.follow => Some(left(recording.end(), lang)),
            None => ending(recording.end(), lang),
        };
        let killed = recording.end().is_none();
        put(Recorded::End(why));
        let Some(file) = followed.as_mut().filter(|_| killed) else { return };
        match anew(file, options) {
            Ok((begun, lessons)) => {
                put(Recorded::Anew(Box::new((begun.header().clone(), lessons))));
                (recording, draws, shows) = (begun, false, false);
            }
            Err(why) => return put(Recorded::End(Some(why))),
        }
    }
}

/// Waits until a session that was killed begins anew.
fn anew(followed: &mut Followed, options: &WatchOptions) -> Result<(Recording<Lines>, Vec<Translations>), String> {
    let lang = options.lang;
    let begun = followed.anew().map_err(Unreadable::from).and_then(Recording::open);
    let begun = begun.map_err(|error| error.say(lang))?;
    let lessons = begun.lessons(options.lessons.as_deref()).map_err(|error| error.to_string())?;
    Ok((begun, lessons))
}

/// That the session was killed, and what follows from that.
fn killed_said(lang: Lang) -> String {
    lang.pick(
        "The session was killed. When it records into this file again, it goes on here",
        "对方的会话被杀死了。它重新录到这个文件时，这里会接着放",
    )
    .into()
}

/// That nothing comes any more from a session that was followed.
fn left(end: Option<&str>, lang: Lang) -> String {
    let why = ending(end, lang).unwrap_or_else(|| lang.pick("The session has ended", "这次演示已经结束").into());
    lang.pick(format!("{why}. You can still look back"), format!("{why}。仍可回看"))
}

/// What must be said of the end of a recording; nothing where it came to its end.
fn ending(end: Option<&str>, lang: Lang) -> Option<String> {
    Some(match end {
        Some("finished") => return None,
        Some("full") => lang.pick("The recording ends here: its file was full", "录制到此为止：文件已达上限").into(),
        _ => lang
            .pick(
                "The recording ends here without an end: its program was killed, or is still running",
                "录制到此中断：录制的程序被杀死了，或者还在运行",
            )
            .into(),
    })
}

/// The exit status.
fn show(
    mut viewer: Viewer,
    recording: Recording<Lines>,
    followed: Option<Followed>,
    options: &WatchOptions,
) -> io::Result<u8> {
    input::block()?;
    crossterm::style::force_color_output(true);
    let queue = Arc::new(Queue::default());
    let sink = queue.clone();
    signals::watch(move |signal| sink.send(Event::Signal(signal)));
    viewer.resize(input::size());
    let guard = Guard::take()?;
    let mut screen = Screen::new(viewer.size())?;
    let (sink, its) = (queue.clone(), options.clone());
    thread::Builder::new().name("recording".into()).spawn(move || bring(recording, &sink, followed, &its))?;
    loop {
        let input = Input::start(queue.clone())?;
        let ended = follow(&mut viewer, &queue, &mut screen, &guard)?;
        drop(input);
        match ended {
            Left::With(status) => return Ok(status),
            Left::For(place) => {
                guard.lend();
                let own = Command::new(&options.exe).arg(&place).args(["--lang", viewer.lang().code()]).status();
                guard.retake()?;
                viewer.resize(input::size());
                screen = Screen::new(viewer.size())?;
                if let Err(error) = own {
                    viewer.say(errno::why_io(&error));
                }
            }
        }
    }
}

/// Why the view has ended.
enum Left {
    /// With this exit status.
    With(u8),
    /// For a lesson of the viewer's own, at this step.
    For(String),
}

/// Waits for what happens, until the viewer leaves; gives the exit status.
fn follow(viewer: &mut Viewer, queue: &Queue, screen: &mut Screen, guard: &Guard) -> io::Result<Left> {
    let mut last = Instant::now();
    // When the last frame was drawn, and since when there is something for the next one.
    let (mut drawn, mut since) = (None, last);
    let next = |viewer: &Viewer, drawn: Option<Instant>, since: Instant| {
        let gathers = if viewer.keeps_up() && viewer.calm { CALM } else { Duration::ZERO };
        drawn.map_or(since, |drawn: Instant| (drawn + FRAME).max(since + gathers))
    };
    loop {
        let rest = viewer.rest().map(|rest| Instant::now() + rest);
        let until = rest.into_iter().chain(viewer.dirty.then(|| next(viewer, drawn, since))).min();
        let (mut hurried, before) = (false, (viewer.dirty, viewer.calm));
        let mut item = queue.take(until);
        for _ in 0..AT_ONCE {
            match item {
                Some(Item::Event(Event::Signal(signal))) => return Ok(Left::With(ended_by(signal))),
                Some(Item::Event(Event::HungUp)) => return Ok(Left::With(GONE)),
                Some(Item::Event(Event::Suspend)) => {
                    guard.lend();
                    raise(Signal::SIGSTOP)?;
                }
                Some(Item::Event(Event::Resume)) => {
                    guard.retake()?;
                    viewer.resize(input::size());
                    *screen = Screen::new(viewer.size())?;
                }
                Some(Item::Event(Event::Resize(size))) => {
                    viewer.resize(size);
                    *screen = Screen::new(viewer.size())?;
                    hurried = true;
                }
                Some(Item::Event(Event::Key(key))) => {
                    hurried = true;
                    match viewer.key(&key) {
                        Asked::Nothing => {}
                        Asked::Leave => return Ok(Left::With(0)),
                        Asked::Fork(place) => return Ok(Left::For(place)),
                        Asked::Copy(line) => {
                            let given = clipboard::give(Way::here(), Copied::Line, &line, None, viewer.lang());
                            viewer.say(given.unwrap_or_else(|trouble| trouble));
                        }
                    }
                    if viewer.take_redraw() {
                        *screen = Screen::new(viewer.size())?;
                    }
                }
                Some(Item::Recorded(Recorded::Events(events))) => {
                    events.into_iter().for_each(|(at, event)| viewer.push(at, event));
                }
                Some(Item::Recorded(Recorded::End(why))) => viewer.end(why),
                Some(Item::Recorded(Recorded::Anew(begun))) => {
                    let (header, lessons) = *begun;
                    if let Err(error) = viewer.anew(&header, &lessons) {
                        viewer.end(Some(error.say(viewer.lang())));
                    }
                }
                Some(Item::Event(_) | Item::Machine(_) | Item::Woke(_)) => {}
                None => break,
            }
            item = queue.take(Some(Instant::now()));
        }
        let now = Instant::now();
        viewer.pass(now.duration_since(last));
        last = now;
        if before != (viewer.dirty, viewer.calm) {
            since = now;
        }
        if viewer.dirty && (hurried || now >= next(viewer, drawn, since)) {
            screen.show(|frame| viewer.draw(frame))?;
            drawn = Some(Instant::now());
        }
    }
}
