//! A session's events in a file, and back: one JSON object a line.
//!
//! The first line is the [`Header`]: what a screen shows before anything has happened. Each line after it is an event of the
//! one stream ([`crate::event`]) and when it came, such as `{"at_micros":1200,"event":{"output":["host","$ "]}}`. Of a sample
//! ([`Event::Sample`]) after the first there is only what has changed ([`delta`]): `{"at_micros":1300,"sample":[7,{…}]}`. The last line
//! says why there are no more: `{"at_micros":9000,"end":"finished"}`. Where it is missing, the program was killed.
//!
//! Everything that was typed is in it, so the file is for its owner's eyes ([`Recorder::start`] is given one that is).

mod cast;
mod delta;
mod judge;
mod player;
mod redo;
mod replay;
mod restart;
#[cfg(test)]
mod tests;
mod viewer;

pub(crate) use cast::{Drawn, cast};
pub(crate) use judge::{Judged, judge};
pub(crate) use player::Player;
pub(crate) use redo::{Done, done, kind};
pub use replay::last_screen;
pub(crate) use restart::{hold, make_room};
pub(crate) use viewer::{Asked, Viewer};

use crate::{
    app::{Facts, Look, Prefix, Script, State},
    event::Event,
    kernel::errno,
    lang::Lang,
    lesson::{self, Fills, LoadError, Translations},
    session::Progress,
};
use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::{Map, Value};
use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What the lines mean: grows when an older reader would misunderstand them.
const FORMAT: u32 = 2;

/// How long a recording becomes at most, in bytes.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// What is left for the last line, which says that there is no room for more.
const LAST_LINE: u64 = 128;

/// What a screen shows before anything has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program that wrote this.
    boxwright: String,
    format: u32,
    /// When it began, in seconds since 1970.
    started: u64,
    lang: Lang,
    /// The image that lessons use.
    image: String,
    /// Where it was to start, as `LESSON` or `LESSON/STEP`.
    places: Vec<String>,
    /// The names of the lessons that there were, in order.
    lessons: Vec<String>,
    machine: Facts,
    look: Look,
    prefix: Prefix,
    progress: Progress,
    /// Whether lessons were gone through without a learner.
    #[serde(default)]
    auto: bool,
    /// Who typed the lesson's lines: what a key did depends on it.
    #[serde(default)]
    script: Script,
    /// Whether keys were shown from the beginning.
    #[serde(default)]
    keys: bool,
    /// What the lessons named of its machine.
    #[serde(default)]
    fills: Option<Fills>,
}

impl Header {
    /// For a session that begins now with this state; `places` are those that were asked for.
    pub(crate) fn of(state: &State, image: &str, fills: Fills, places: Vec<String>) -> Header {
        Header {
            boxwright: env!("CARGO_PKG_VERSION").into(),
            format: FORMAT,
            // A clock before 1970 tells nothing.
            started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            lang: state.lang,
            image: image.into(),
            places,
            lessons: state.lessons.iter().map(|lesson| lesson.id().to_string()).collect(),
            machine: state.facts.clone(),
            look: state.look,
            prefix: state.prefix,
            progress: state.progress.clone(),
            auto: state.auto,
            script: state.script,
            keys: state.caster.is_some(),
            fills: Some(fills),
        }
    }
}

/// Why no more is recorded.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The file has the size that it may have.
    Full(PathBuf),
    /// It cannot be written.
    Failed(PathBuf, io::Error),
}

impl Ended {
    /// In one sentence.
    pub(crate) fn say(&self, lang: Lang) -> String {
        match self {
            Ended::Full(path) => {
                let (path, size) = (path.display(), MAX_BYTES >> 20);
                lang.pick(
                    format!("The recording ends here: {path} has reached {size} MiB"),
                    format!("录制到此为止：{path} 已达 {size} MiB"),
                )
            }
            Ended::Failed(path, error) => {
                let (path, why) = (path.display(), errno::why_io(error));
                lang.pick(format!("The recording ends here: {path}: {why}"), format!("录制到此为止：{path}：{why}"))
            }
        }
    }
}

/// Writes events down. Each line is written when its event comes, so that a program that is killed loses none.
pub(crate) struct Recorder {
    out: Box<dyn Write + Send>,
    path: PathBuf,
    room: u64,
    /// The sample that was written last.
    sample: Option<Map<String, Value>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("path", &self.path).field("room", &self.room).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    at_micros: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<(u64, Map<String, Value>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<&'a str>,
}

impl Recorder {
    /// Writes the header; `path` is what people know the file by.
    pub(crate) fn start(out: impl Write + Send + 'static, path: &Path, header: &Header) -> io::Result<Recorder> {
        Recorder::limited(out, path, header, MAX_BYTES)
    }

    fn limited(out: impl Write + Send + 'static, path: &Path, header: &Header, room: u64) -> io::Result<Recorder> {
        let (out, path) = (Box::new(out), path.into());
        let mut recorder = Recorder { out, path, room: room.saturating_sub(LAST_LINE), sample: None };
        recorder.line(header)?;
        Ok(recorder)
    }

    /// Writes an event down, which came so long after the beginning. The error says that it was the last one.
    pub(crate) fn write(&mut self, at: Duration, event: &Event) -> Result<(), Ended> {
        let sample = self.changed(event);
        let event = Some(event).filter(|_| sample.is_none());
        match self.line(&Written { at_micros: micros(at), event, sample, end: None }) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.end(at, "full");
                Err(Ended::Full(self.path.clone()))
            }
            Err(error) => Err(Ended::Failed(self.path.clone(), error)),
        }
    }

    /// What has changed in a sample; `None` for the first one, and for any other event.
    fn changed(&mut self, event: &Event) -> Option<(u64, Map<String, Value>)> {
        let Event::Sample(number, sample) = event else { return None };
        let Ok(Value::Object(now)) = serde_json::to_value(sample.as_ref()) else {
            self.sample = None;
            return None;
        };
        let changed = self.sample.as_ref().map(|before| (*number, delta::difference(before, &now)));
        self.sample = Some(now);
        changed
    }

    /// Nothing comes any more.
    pub(crate) fn finish(mut self, at: Duration) {
        self.end(at, "finished");
    }

    fn end(&mut self, at: Duration, why: &str) {
        self.room = LAST_LINE;
        // Who reads it can do without: it says only that nothing was lost.
        let _ = self.line(&Written { at_micros: micros(at), event: None, sample: None, end: Some(why) });
    }

    /// False where there is no room for the line.
    fn line(&mut self, value: &impl Serialize) -> io::Result<bool> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        let Some(rest) = self.room.checked_sub(line.len() as u64) else { return Ok(false) };
        self.room = rest;
        self.out.write_all(&line).map(|()| true)
    }
}

fn micros(at: Duration) -> u64 {
    at.as_micros().try_into().unwrap_or(u64::MAX)
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A line, counted from 1.
    #[error("line {0}: {1}")]
    Line(usize, serde_json::Error),
    /// A later program wrote it.
    #[error("its format is {0}; this program knows {FORMAT}")]
    Format(u32),
    /// It needs a lesson that is not here.
    #[error("it needs the lesson `{0}`")]
    Lesson(String),
}

impl Unreadable {
    /// In one sentence.
    pub(crate) fn say(&self, lang: Lang) -> String {
        match self {
            Unreadable::File(error) => errno::why_io(error),
            Unreadable::Line(1, _) => {
                lang.pick("this is not a recording of boxwright", "这不是 boxwright 的录制文件").into()
            }
            Unreadable::Line(number, _) => lang.pick(
                format!("line {number} is damaged; what comes before it is shown"),
                format!("第 {number} 行已损坏，只显示它之前的内容"),
            ),
            Unreadable::Format(format) => lang.pick(
                format!("a newer boxwright wrote it: its format is {format}, and this program knows {FORMAT}"),
                format!("它由更新版本的 boxwright 写成：格式是 {format}，本程序只认识 {FORMAT}"),
            ),
            Unreadable::Lesson(id) => lang.pick(
                format!("it shows the lesson `{id}`, which is not here: --lessons DIR names its directory"),
                format!("它用到课程 `{id}`，这里没有：请用 --lessons 目录 指明课程目录"),
            ),
        }
    }
}

#[derive(Deserialize)]
struct Line {
    at_micros: u64,
    event: Option<Event>,
    sample: Option<(u64, Map<String, Value>)>,
    end: Option<String>,
}

/// A recording that is read: its header, then its events in order and when each came.
#[derive(Debug)]
pub struct Recording<R> {
    header: Header,
    lines: R,
    number: usize,
    end: Option<String>,
    /// The sample that was read last.
    sample: Option<Map<String, Value>>,
}

impl<R: BufRead> Recording<R> {
    /// Reads the header.
    pub fn open(mut lines: R) -> Result<Recording<R>, Unreadable> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let line = one_line(&mut lines)?.unwrap_or_default();
        let not_read = |error| Unreadable::Line(1, error);
        let Version { format } = serde_json::from_slice(&line).map_err(not_read)?;
        if format > FORMAT {
            return Err(Unreadable::Format(format));
        }
        let header = serde_json::from_slice(&line).map_err(not_read)?;
        Ok(Recording { header, lines, number: 1, end: None, sample: None })
    }
}

impl<R> Recording<R> {
    /// What a screen shows before anything has happened.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The lessons as they were in that session; `dir` is a directory of the user's.
    pub fn lessons(&self, dir: Option<&Path>) -> Result<Vec<Translations>, LoadError> {
        match &self.header.fills {
            Some(fills) => lesson::load_as(dir, fills).map(|(lessons, _)| lessons),
            None => lesson::load(dir),
        }
    }

    /// Why there is no more, in the recording's own word; `None` where it does not say: its program was killed, or writes yet.
    pub(crate) fn end(&self) -> Option<&str> {
        self.end.as_deref()
    }
}

impl<R: Read> Recording<BufReader<R>> {
    /// Whether the next event is there already, and nothing has to be read for it.
    pub(crate) fn has_next(&self) -> bool {
        self.lines.buffer().contains(&b'\n')
    }
}

impl<R: BufRead> Iterator for Recording<R> {
    type Item = Result<(Duration, Event), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        let line = match one_line(&mut self.lines) {
            Ok(line) => line?,
            Err(error) => return Some(Err(error.into())),
        };
        match serde_json::from_slice::<Line>(&line) {
            Ok(Line { at_micros, event, sample, end }) => {
                self.end = end;
                let event = match sample {
                    Some((number, changed)) => self.changed(number, changed).map(Some),
                    None => self.whole(event.as_ref()).map(|()| event),
                };
                let event = event.map_err(|error| Unreadable::Line(self.number, error)).transpose()?;
                Some(event.map(|event| (Duration::from_micros(at_micros), event)))
            }
            Err(error) => Some(Err(Unreadable::Line(self.number, error))),
        }
    }
}

impl<R> Recording<R> {
    /// Keeps a sample that was written as a whole.
    fn whole(&mut self, event: Option<&Event>) -> Result<(), serde_json::Error> {
        if let Some(Event::Sample(_, sample)) = event {
            self.sample = serde_json::to_value(sample.as_ref())?.as_object().cloned();
        }
        Ok(())
    }

    /// The sample that these changes make of the one before.
    fn changed(&mut self, number: u64, changed: Map<String, Value>) -> Result<Event, serde_json::Error> {
        let wrong = || serde_json::Error::custom("it changes a sample that was not told");
        let mut now = self.sample.take().ok_or_else(wrong)?;
        if !delta::apply(&mut now, changed) {
            return Err(wrong());
        }
        let sample = Deserialize::deserialize(&now)?;
        self.sample = Some(now);
        Ok(Event::Sample(number, Arc::new(sample)))
    }
}

/// The next whole line: what is cut off was being written when the program was killed. No line is longer than a recording.
fn one_line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_BYTES).read_until(b'\n', &mut line)?;
    Ok(line.ends_with(b"\n").then_some(line))
}
