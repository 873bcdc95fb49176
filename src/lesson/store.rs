//! Where lessons come from: the copy in this binary, and directories of the user's.

use super::{
    agree::agree,
    fills::Fills,
    model::{Lesson, Problem},
    mutants,
    pack::{self, LeftOut},
    parse::{self, Located},
    translations::Translations,
};
use crate::{
    kernel::errno::why_io,
    lang::{Lang, say},
    parallel,
};
use include_dir::{Dir, include_dir};
use std::{
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
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
pub(crate) fn embedded_once() -> &'static [Translations] {
    static ALL: std::sync::LazyLock<Vec<Translations>> = std::sync::LazyLock::new(|| load(None).unwrap());
    &ALL
}

/// The same as they are written.
#[cfg(test)]
pub(crate) fn written_once() -> &'static [Translations] {
    static ALL: std::sync::LazyLock<Vec<Translations>> = std::sync::LazyLock::new(|| embedded().unwrap());
    &ALL
}

/// The same for another image, as a word for a shell's command line; and with what of `dir` could not be used.
///
/// Errors: nothing of `dir` can be used, or it cannot be read.
pub fn load_all(dir: Option<&Path>, image: &str) -> Result<(Vec<Translations>, Vec<LeftOut>), LoadError> {
    load_as(dir, &Fills::of_this_machine(image))
}

/// Loads them as they are, or were, on another machine.
pub fn load_as(dir: Option<&Path>, fills: &Fills) -> Result<(Vec<Translations>, Vec<LeftOut>), LoadError> {
    let (mut lessons, mut left_out) = (own_lessons(), Vec::new());
    if let Some(dir) = dir {
        let found;
        (found, left_out) = sound(dir)?;
        for mut foreign in found {
            let id = foreign.id().to_owned();
            match lessons.iter_mut().find(|own| own.id() == id) {
                Some(own) => {
                    pack::replaces(&mut foreign);
                    *own = foreign;
                }
                None => lessons.push(foreign),
            }
        }
    }
    lessons.sort_by_key(|lesson| {
        let id = lesson.id();
        (ORDER.iter().position(|known| *known == id).unwrap_or(ORDER.len()), id.to_owned())
    });
    lessons.iter_mut().for_each(pack::fall_back);
    if !fills.mutants.is_empty() {
        lessons.push(mutants::lesson(&fills.mutants));
    }
    lessons.iter_mut().for_each(|lesson| lesson.fill(fills));
    lessons.extend(fills.own.as_ref().and_then(|own| own.lesson(fills)));
    Ok((lessons, left_out))
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

/// The embedded lessons as they are written, with every problem of them.
pub fn embedded() -> Result<Vec<Translations>, LoadError> {
    collect(own())
}

/// The folders in this binary.
fn own() -> impl Iterator<Item = Folder> {
    EMBEDDED.dirs().map(|folder| {
        let label = format!("lessons/{}", folder.path().display());
        let files = folder.files().filter_map(|file| {
            Some((file.path().file_name()?.to_string_lossy().into_owned(), file.contents().to_vec()))
        });
        (label, files.collect())
    })
}

/// The embedded lessons, none of which is read yet.
fn own_lessons() -> Vec<Translations> {
    let lesson = |folder: &'static Dir<'static>| {
        let file = |lang: Lang| {
            let path = folder.path().join(format!("{}.md", lang.code()));
            let text = folder.get_file(&path)?.contents_utf8()?;
            Some((lang, format!("lessons/{}", path.display()), text))
        };
        Some(Translations::unread(folder.path().to_str()?, Lang::ALL.into_iter().filter_map(file)))
    };
    EMBEDDED.dirs().filter_map(lesson).collect()
}

/// Reads these lessons in a language, for which the first frame waits.
pub(crate) fn read_ahead(lessons: &[Translations], lang: Lang) {
    parallel::map(lessons, |lesson| {
        lesson.best(lang);
    });
}

/// What this program makes itself: a test has looked at its style, and whether its languages agree.
pub(super) fn made(id: &str, texts: impl IntoIterator<Item = (Lang, String)>) -> Translations {
    let read = |(lang, text): (Lang, String)| parse::read_own(&format!("lessons/{id}/{}.md", lang.code()), &text);
    texts.into_iter().map(read).collect()
}

/// An embedded lesson as it is written, in English.
pub(super) fn written(id: &str) -> Option<Lesson> {
    let path = format!("{id}/en.md");
    Some(parse::read_own(&format!("lessons/{path}"), EMBEDDED.get_file(&path)?.contents_utf8()?))
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
    (found.into_iter().map(|(_, located)| located.lesson).collect(), problems)
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
