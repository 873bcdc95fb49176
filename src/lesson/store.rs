//! Where lessons come from: the copy in this binary, and directories of the user's.

use super::{
    agree::agree,
    model::{Block, Fact, Lesson, Problem, Run, Translations},
    pack::{self, LeftOut},
    parse::{self, Located},
};
use crate::{
    kernel::{availability::available, errno::why_io, ordinary},
    lang::{Lang, say},
};
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    io::{self, Read},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::OnceLock,
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lessons");

/// The order of the lessons on the opening screen; others follow by name.
const ORDER: [&str; 10] =
    ["isolate", "rootfs", "cgroups", "nsenter", "together", "network", "rootless", "privileges", "runtime", "fix"];

/// A lesson file is a page or two; anything far larger is a mistake.
const MAX_BYTES: u64 = 1 << 20;

/// Why lessons could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// This directory or file could not be read.
    Io(PathBuf, io::Error),
    /// The directory holds no lesson.
    Empty(PathBuf),
    /// These places are wrong.
    Problems(Vec<Problem>),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Io(path, error) => write!(f, "{}{}{}", path.display(), say(": ", "："), why_io(error)),
            LoadError::Empty(path) => {
                let why = say(": no folder with en.md or zh.md in it", "：里面没有含 en.md 或 zh.md 的文件夹");
                write!(f, "{}{why}", path.display())
            }
            LoadError::Problems(problems) => {
                let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

impl std::error::Error for LoadError {}

/// Loads the embedded lessons, and those of `dir`, which stand in the place of embedded ones of the same name and are marked as
/// foreign. `{port}` is filled in with a TCP port that is free now, `{image}` with the built-in image, `{controllers}` with
/// the controllers that groups can have here.
pub fn load(dir: Option<&Path>) -> Result<Vec<Translations>, LoadError> {
    load_all(dir, "builtin:").map(|(lessons, _)| lessons)
}

/// The embedded lessons, read once for all tests.
#[cfg(test)]
pub(crate) fn embedded_once() -> Vec<Translations> {
    static ALL: std::sync::LazyLock<Vec<Translations>> = std::sync::LazyLock::new(|| load(None).unwrap());
    ALL.clone()
}

/// The same for another image, as a word for a shell's command line; and with what of `dir` could not be used.
///
/// Errors: nothing of `dir` can be used, or it cannot be read.
pub fn load_all(dir: Option<&Path>, image: &str) -> Result<(Vec<Translations>, Vec<LeftOut>), LoadError> {
    load_as(dir, &Fills::of_this_machine(image))
}

/// What only the machine of a session knows, and lessons name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fills {
    port: u16,
    image: String,
    controllers: String,
    ids: (u32, u32),
}

impl Fills {
    /// Here; all lessons of a process name the same port.
    pub fn of_this_machine(image: &str) -> Fills {
        static PORT: OnceLock<u16> = OnceLock::new();
        let port = *PORT.get_or_init(|| free_port().unwrap_or(FALLBACK_PORT));
        let controllers = controllers(|name| available(name).ok().map(|(version, _)| version));
        Fills { port, image: image.into(), controllers, ids: ordinary::user() }
    }
}

/// Loads them as they are, or were, on another machine.
pub fn load_as(dir: Option<&Path>, fills: &Fills) -> Result<(Vec<Translations>, Vec<LeftOut>), LoadError> {
    let (mut lessons, mut left_out) = (embedded()?, Vec::new());
    if let Some(dir) = dir {
        let found;
        (found, left_out) = sound(dir)?;
        for mut foreign in found {
            let id = id(&foreign).to_owned();
            match lessons.iter_mut().find(|own| self::id(own) == id) {
                Some(own) => {
                    pack::replaces(&mut foreign);
                    *own = foreign;
                }
                None => lessons.push(foreign),
            }
        }
    }
    lessons.sort_by_key(|lesson| {
        let id = id(lesson);
        (ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len()), id.to_owned())
    });
    lessons.iter_mut().for_each(pack::fall_back);
    lessons.iter_mut().for_each(|lesson| fill(lesson, fills));
    Ok((lessons, left_out))
}

/// Fills in what only the machine of a session knows.
pub(super) fn fill(lesson: &mut Translations, fills: &Fills) {
    let Fills { port, image, controllers, ids } = fills.clone();
    let fills = [
        ("{port}", port.to_string()),
        (IMAGE, image),
        ("{controllers}", controllers),
        ("{uid}", ids.0.to_string()),
        ("{gid}", ids.1.to_string()),
    ];
    lesson.values_mut().for_each(|lesson| fill_in(lesson, port, ids, &fills));
}

/// What of a directory can be used, marked as foreign, and what cannot.
fn sound(dir: &Path) -> Result<(Vec<Translations>, Vec<LeftOut>), LoadError> {
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for (label, files) in folders(dir)? {
        let (lesson, wrong) = pack::sound(&label, folder(&label, &files));
        if let Some(mut lesson) = lesson {
            pack::mark(&mut lesson, &label);
            found.push(lesson);
        }
        left_out.extend(wrong);
    }
    match found.is_empty() {
        true => Err(LoadError::Problems(left_out.into_iter().flat_map(|left_out| left_out.problems).collect())),
        false => Ok((found, left_out)),
    }
}

/// Whether the user agreed beforehand that commands of foreign lessons may run: by a flag, or for a whole environment.
pub fn trusted(flag: bool) -> bool {
    flag || std::env::var_os("BOXWRIGHT_TRUST_LESSONS").is_some_and(|value| value == "1")
}

/// The embedded lessons as they are written.
pub fn embedded() -> Result<Vec<Translations>, LoadError> {
    let folders = EMBEDDED.dirs().map(|folder| {
        let label = format!("lessons/{}", folder.path().display());
        let files = folder.files().filter_map(|file| {
            Some((file.path().file_name()?.to_string_lossy().into_owned(), file.contents().to_vec()))
        });
        (label, files.collect())
    });
    collect(folders)
}

/// The guide for authors of lessons.
pub(super) fn guide() -> &'static str {
    EMBEDDED.get_file("README.md").and_then(include_dir::File::contents_utf8).unwrap_or_default()
}

/// The lessons in a directory, as they are written: each is a folder with one file a language, and one language is enough. The
/// folder of a single lesson is taken as well.
///
/// Errors: every problem of every lesson, or that there is none.
pub fn directory(dir: &Path) -> Result<Vec<Translations>, LoadError> {
    collect(folders(dir)?)
}

/// A folder's name for people, and its files by name.
type Folder = (String, Vec<(String, Vec<u8>)>);

fn folders(dir: &Path) -> Result<Vec<Folder>, LoadError> {
    let is_lesson = Lang::ALL.iter().any(|lang| dir.join(format!("{}.md", lang.code())).is_file());
    if is_lesson {
        // `.` has no name, and the folder's name is the lesson's.
        let whole = dir.canonicalize().map_err(|error| LoadError::Io(dir.to_owned(), error))?;
        return Ok(vec![(whole.display().to_string(), texts(&whole)?)]);
    }
    let failed = |error| LoadError::Io(dir.to_owned(), error);
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let folder = entry.map_err(failed)?.path();
        let hidden = folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && folder.is_dir() {
            folders.push((folder.display().to_string(), texts(&folder)?));
        }
    }
    folders.retain(|(_, files)| !files.is_empty());
    folders.sort();
    if folders.is_empty() { Err(LoadError::Empty(dir.to_owned())) } else { Ok(folders) }
}

/// The Markdown files of a folder.
pub(super) fn texts(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
    let failed = |error| LoadError::Io(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Opening anything else, such as a FIFO, might wait for ever.
        if name.ends_with(".md") && path.is_file() {
            let bytes = contents(&path).map_err(|error| LoadError::Io(path, error))?;
            files.push((name, bytes));
        }
    }
    Ok(files)
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn collect(folders: impl IntoIterator<Item = Folder>) -> Result<Vec<Translations>, LoadError> {
    let (mut lessons, mut problems) = (Vec::new(), Vec::new());
    for (label, files) in folders {
        let (lesson, found) = folder(&label, &files);
        lessons.push(lesson);
        problems.extend(found);
    }
    if problems.is_empty() { Ok(lessons) } else { Err(LoadError::Problems(problems)) }
}

/// Reads one lesson in every language that it is written in, with every problem of it.
pub fn folder(label: &str, files: &[(String, Vec<u8>)]) -> (Translations, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut found: Vec<(String, Located)> = Vec::new();
    for lang in Lang::ALL {
        let name = format!("{}.md", lang.code());
        let path = format!("{label}/{name}");
        let Some((_, bytes)) = files.iter().find(|(file, _)| *file == name) else { continue };
        match text(bytes) {
            Ok(text) => {
                let (located, wrong) = parse::read(&path, text);
                problems.extend(wrong);
                found.push((path, located));
            }
            Err((line, column, what)) => problems.push(Problem { file: path, line, column, what }),
        }
    }
    for (name, _) in files {
        let known = Lang::ALL.iter().any(|lang| *name == format!("{}.md", lang.code()));
        if !known && name.ends_with(".md") && name != "README.md" {
            let what =
                say("only en.md and zh.md (and README.md) belong here", "这里只应有 en.md 和 zh.md（以及 README.md）")
                    .into();
            problems.push(Problem { file: format!("{label}/{name}"), line: 1, column: 1, what });
        }
    }
    if found.is_empty() && problems.is_empty() {
        let what = say("neither en.md nor zh.md is here", "这里没有 en.md，也没有 zh.md").into();
        problems.push(Problem { file: label.to_owned(), line: 1, column: 1, what });
    }
    if let Some(((_, original), translations)) = found.split_first() {
        for (path, translation) in translations {
            problems.extend(agree(original, translation, path));
        }
    }
    let lessons = found.into_iter().map(|(_, located)| (located.lesson.lang.code(), located.lesson));
    (lessons.collect(), problems)
}

/// The text of a file, or where it stops being text.
fn text(bytes: &[u8]) -> Result<&str, (usize, usize, String)> {
    if bytes.len() as u64 > MAX_BYTES {
        let what = say(format!("the file is larger than {MAX_BYTES} bytes"), format!("文件大于 {MAX_BYTES} 字节"));
        return Err((1, 1, what));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = std::str::from_utf8(good).unwrap_or_default();
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (good.matches('\n').count() + 1, column, say("this is not UTF-8 text", "这不是 UTF-8 文本").into())
    })
}

/// The name of a lesson.
pub fn id(lesson: &Translations) -> &str {
    lesson.values().next().map_or("", |lesson| lesson.id.as_str())
}

/// Only used where no socket can be opened at all.
const FALLBACK_PORT: u16 = 47_001;
/// What stands in lessons for the image that the user has chosen.
const IMAGE: &str = "{image}";

/// A port that the kernel calls free on the loopback address. Each session has its own, because many learners may share
/// one machine.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The controllers that lessons about limits use.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuacct", "memory", "pids"];

/// Those that groups can have here, as tools take them; `version` gives the version of each one's hierarchy. Version 2
/// counts CPU time without `cpuacct`, and the distribution's cgcreate knows no such controller there. Where no group can
/// be made at all, the steps that would make one are skipped, and the text names what it would take.
fn controllers(version: impl Fn(&str) -> Option<u8>) -> String {
    let usable = |name: &&&str| version(name).is_some_and(|version| version == 1 || **name != "cpuacct");
    let found: Vec<&str> = CONTROLLERS.iter().filter(usable).copied().collect();
    if found.is_empty() { "cpu,memory,pids".into() } else { found.join(",") }
}

/// Puts what only this machine knows in its place everywhere, so that nothing after this needs to know of it.
fn fill_in(lesson: &mut Lesson, port: u16, ids: (u32, u32), fills: &[(&str, String)]) {
    let fill = |text: &mut String| {
        for (name, value) in fills {
            if text.contains(name) {
                *text = text.replace(name, value);
            }
        }
    };
    let fill_line = |run: &mut Run| {
        run.image = run.line.contains(IMAGE);
        fill(&mut run.line);
    };
    fill(&mut lesson.intro);
    for block in lesson.steps.iter_mut().flat_map(|step| &mut step.blocks) {
        match block {
            Block::Prose(text) | Block::Hint(text) | Block::Why(text) | Block::Note(text) => fill(text),
            Block::Predict(predict) => {
                fill(&mut predict.question);
                predict.options.iter_mut().for_each(fill);
            }
            Block::Run(run) => fill_line(run),
            Block::Solution(way) | Block::Wrong(way) => way.runs.iter_mut().for_each(fill_line),
            Block::Break(runs) => runs.iter_mut().for_each(fill_line),
            Block::Check(checks) => {
                for check in checks {
                    fill(&mut check.text);
                    if let Fact::Listening(_, wanted @ 0) | Fact::NotListening(_, wanted @ 0) = &mut check.fact {
                        *wanted = port;
                    }
                    check.fact.be(ids);
                    if let Fact::Call(_, _, Some(text)) = &mut check.fact {
                        fill(text);
                    }
                }
            }
            Block::Requires(_) | Block::Changes(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_the_controllers_that_groups_have_here() {
        let named = |found: &'static [(&str, u8)]| {
            controllers(|name| found.iter().find(|(known, _)| *known == name).map(|(_, version)| *version))
        };
        assert_eq!(named(&[("cpu", 1), ("cpuacct", 1), ("memory", 1), ("pids", 1)]), "cpu,cpuacct,memory,pids");
        assert_eq!(named(&[("cpu", 2), ("cpuacct", 2), ("memory", 2), ("pids", 2)]), "cpu,memory,pids");
        assert_eq!(
            named(&[("cpuacct", 2), ("memory", 2), ("pids", 2)]),
            "memory,pids",
            "what Ubuntu 22.04 gives to users"
        );
        assert_eq!(named(&[("cpu", 1), ("cpuacct", 1), ("pids", 2)]), "cpu,cpuacct,pids");
        assert_eq!(named(&[]), "cpu,memory,pids");
    }

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for step in load(None).unwrap().iter().flat_map(|lesson| lesson.values()).flat_map(|lesson| &lesson.steps) {
            for block in &step.blocks {
                let texts: Vec<&String> = match block {
                    Block::Prose(text) | Block::Hint(text) | Block::Why(text) | Block::Note(text) => vec![text],
                    Block::Run(run) => vec![&run.line],
                    Block::Solution(way) | Block::Wrong(way) => way.runs.iter().map(|run| &run.line).collect(),
                    Block::Break(runs) => runs.iter().map(|run| &run.line).collect(),
                    _ => Vec::new(),
                };
                let left = |text: &&String| {
                    ["{port}", "{image}", "{controllers}", "{uid}", "{gid}"].iter().any(|name| text.contains(name))
                };
                assert!(!texts.iter().any(left), "{}: {texts:?}", step.id);
            }
        }
    }
}
