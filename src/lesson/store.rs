//! Where lessons come from: the copy in this binary, and directories of the user's.

use super::{
    lint,
    model::{Block, Fact, Lesson, Problem, Run, Translations},
    parse::{self, Located},
};
use crate::{
    kernel::{errno::why_io, usable::usable},
    lang::{Lang, say},
};
use include_dir::{Dir, include_dir};
use std::{
    fmt,
    io::{self, Read},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lessons");

/// The order of the lessons on the opening screen; others follow by name.
const ORDER: [&str; 5] = ["isolate", "rootfs", "cgroups", "nsenter", "together"];

/// A lesson file is a page or two; anything far larger is a mistake.
const MOST_BYTES: u64 = 1 << 20;

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
                let why = say(": no folder with en.md and zh.md in it", "：里面没有含 en.md 和 zh.md 的文件夹");
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

/// Loads the embedded lessons, and those of `dir`, which replace embedded ones of the same name and are marked as
/// foreign. `{port}` is filled in with a TCP port that is free now, `{image}` with the built-in image, `{controllers}` with
/// the controllers that groups can have here.
pub fn load(dir: Option<&Path>) -> Result<Vec<Translations>, LoadError> {
    load_with(dir, "builtin:")
}

/// The same for another image, as a word for a shell's command line.
pub fn load_with(dir: Option<&Path>, image: &str) -> Result<Vec<Translations>, LoadError> {
    let mut lessons = embedded()?;
    if let Some(dir) = dir {
        for mut foreign in directory(dir)? {
            foreign.values_mut().for_each(|lesson| lesson.foreign = true);
            let id = id(&foreign).to_owned();
            match lessons.iter_mut().find(|own| self::id(own) == id) {
                Some(own) => *own = foreign,
                None => lessons.push(foreign),
            }
        }
    }
    lessons.sort_by_key(|lesson| {
        let id = id(lesson);
        (ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len()), id.to_owned())
    });
    let port = free_port().unwrap_or(FALLBACK_PORT);
    let controllers = controllers(|name| usable(name).ok().map(|(version, _)| version));
    let fills = [("{port}", port.to_string()), (IMAGE, image.to_owned()), ("{controllers}", controllers)];
    lessons.iter_mut().flat_map(|lesson| lesson.values_mut()).for_each(|lesson| fill_in(lesson, port, &fills));
    Ok(lessons)
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

/// The lessons in a directory, as they are written: each is a folder with one file a language.
pub fn directory(dir: &Path) -> Result<Vec<Translations>, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| LoadError::Io(path, error)
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let folder = entry.map_err(failed(dir))?.path();
        let hidden = folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || !folder.is_dir() {
            continue;
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
            let path = entry.map_err(failed(&folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Opening anything else, such as a FIFO, might wait for ever.
            if name.ends_with(".md") && path.is_file() {
                files.push((name, contents(&path).map_err(failed(&path))?));
            }
        }
        if !files.is_empty() {
            folders.push((folder.display().to_string(), files));
        }
    }
    if folders.is_empty() {
        return Err(LoadError::Empty(dir.to_owned()));
    }
    folders.sort();
    collect(folders)
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A folder's name for people, and its files by name.
type Folder = (String, Vec<(String, Vec<u8>)>);

fn collect(folders: impl IntoIterator<Item = Folder>) -> Result<Vec<Translations>, LoadError> {
    let (mut lessons, mut problems) = (Vec::new(), Vec::new());
    for (label, files) in folders {
        let (lesson, found) = folder(&label, &files);
        lessons.push(lesson);
        problems.extend(found);
    }
    if problems.is_empty() { Ok(lessons) } else { Err(LoadError::Problems(problems)) }
}

/// Reads one lesson in every language, with every problem of it.
pub fn folder(label: &str, files: &[(String, Vec<u8>)]) -> (Translations, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut found: Vec<(String, Located)> = Vec::new();
    for lang in Lang::ALL {
        let name = format!("{}.md", lang.code());
        let path = format!("{label}/{name}");
        let Some((_, bytes)) = files.iter().find(|(file, _)| *file == name) else {
            problems.push(Problem { file: path, line: 1, column: 1, what: "this file is missing".into() });
            continue;
        };
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
            let what = "only en.md and zh.md (and README.md) belong here".into();
            problems.push(Problem { file: format!("{label}/{name}"), line: 1, column: 1, what });
        }
    }
    if let Some(((_, original), translations)) = found.split_first() {
        for (path, translation) in translations {
            problems.extend(lint::agree(original, translation, path));
        }
    }
    let lessons = found.into_iter().map(|(_, located)| (located.lesson.lang.code(), located.lesson));
    (lessons.collect(), problems)
}

/// The text of a file, or where it stops being text.
fn text(bytes: &[u8]) -> Result<&str, (usize, usize, String)> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err((1, 1, format!("the file is larger than {MOST_BYTES} bytes")));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = std::str::from_utf8(good).unwrap_or_default();
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (good.matches('\n').count() + 1, column, "this is not UTF-8 text".into())
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
fn fill_in(lesson: &mut Lesson, port: u16, fills: &[(&str, String)]) {
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
            Block::Solution(runs) => runs.iter_mut().for_each(fill_line),
            Block::Check(checks) => {
                for check in checks {
                    fill(&mut check.text);
                    if let Fact::Listening(_, wanted @ 0) | Fact::NotListening(_, wanted @ 0) = &mut check.fact {
                        *wanted = port;
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
                    Block::Solution(runs) => runs.iter().map(|run| &run.line).collect(),
                    _ => Vec::new(),
                };
                let left =
                    |text: &&String| ["{port}", "{image}", "{controllers}"].iter().any(|name| text.contains(name));
                assert!(!texts.iter().any(left), "{}: {texts:?}", step.id);
            }
        }
    }
}
