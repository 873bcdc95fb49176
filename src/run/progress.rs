//! `boxwright progress`: what was reached, shown, and carried to another machine.

use super::{FAILED, load, messages::printed};
use crate::{
    cli::{Common, complain, tell},
    kernel::{errno, text},
    lang::Lang,
    lesson::Translations,
    runtime::export,
    session::{Progress, StateDir, progress_report as report, why_not_kept},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

/// What a learner reaches is a few kilobytes.
const MAX_BYTES: u64 = 1 << 20;

/// What was reached so far; nothing is changed, no directory made.
pub(super) fn show(json: bool, markdown: bool, common: &Common, lang: Lang) -> ExitCode {
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let progress = match look(lang) {
        Ok(progress) => progress,
        Err(status) => return status,
    };
    let of = |all: &Translations| all.best(lang).map(|it| progress.of(it));
    let reached: Vec<_> = lessons.iter().filter_map(of).collect();
    let lines = match (json, markdown) {
        (true, _) => vec![text::json(&report::value(&reached, progress.last())).unwrap_or_default()],
        (false, true) => report::markdown(&reached, lang),
        (false, false) => report::text(&reached, lang),
    };
    let mut out = io::stdout().lock();
    printed(lines.iter().try_for_each(|line| writeln!(out, "{}", text::safe(line))).map(|()| ExitCode::SUCCESS))
}

/// What was kept here, or why that cannot be read.
pub(super) fn look(lang: Lang) -> Result<Progress, ExitCode> {
    Progress::look().map_err(|(path, error)| {
        let what = format!("{}{}{}", path.display(), lang.pick(": ", "："), why_not_kept(&error, lang));
        complain(&what, None, FAILED)
    })
}

/// Writes what was reached into a new file, or to standard output where it is called `-`.
pub(super) fn carry_out(path: &Path, lang: Lang) -> ExitCode {
    let bytes = match look(lang).map(|progress| progress.carried()) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return complain(&error.to_string(), None, FAILED),
        Err(status) => return status,
    };
    if path.as_os_str() == "-" {
        return printed(io::stdout().lock().write_all(&bytes).map(|()| ExitCode::SUCCESS));
    }
    match export::create(path).and_then(|mut file| file.write_all(&bytes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let exists = error.kind() == io::ErrorKind::AlreadyExists;
            let hint = lang.pick("nothing is overwritten: name another file", "不会覆盖已有文件：请换一个文件名");
            complain(&failed("--export", path, &errno::why_io(&error), lang), exists.then_some(hint), FAILED)
        }
    }
}

/// Adds what was reached on another machine, read from a file or, where it is called `-`, from standard input.
pub(super) fn carry_in(path: &Path, lang: Lang) -> ExitCode {
    let read = |from: &mut dyn Read| {
        let mut bytes = Vec::new();
        from.take(MAX_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = match path.as_os_str() == "-" {
        true => read(&mut io::stdin().lock()),
        false => File::open(path).and_then(|mut file| read(&mut file)),
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return complain(&failed("--import", path, &errno::why_io(&error), lang), None, FAILED),
    };
    let theirs = match Progress::from_elsewhere(&bytes) {
        Ok(theirs) if bytes.len() as u64 <= MAX_BYTES => theirs,
        _ => {
            let why = lang.pick("this is not what --export writes", "不是 --export 写出的文件");
            return complain(&failed("--import", path, why, lang), None, FAILED);
        }
    };
    let kept = match StateDir::open() {
        Ok(kept) => kept,
        Err(unsaved) => return complain(&unsaved.to_string(), None, FAILED),
    };
    match theirs.add_to(&kept) {
        Ok(aside) => {
            put_aside(aside, lang);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let place = kept.path().display();
            complain(&format!("{place}{}{}", lang.pick(": ", "："), why_not_kept(&error, lang)), None, FAILED)
        }
    }
}

fn failed(option: &str, path: &Path, why: &str, lang: Lang) -> String {
    let colon = lang.pick(": ", "：");
    format!("{option}{colon}{}{colon}{why}", path.display())
}

fn put_aside(aside: Option<String>, lang: Lang) {
    if let Some(aside) = aside {
        let what = lang.pick("progress could not be read and was put aside", "进度无法读取，已另存");
        tell(&format!("{what}{}{aside}", lang.pick(": ", "：")));
    }
}

/// How far the learner has come, and where that is kept. Lessons can be taken without.
pub(super) fn opened(reset: bool, lang: Lang) -> (Progress, Option<StateDir>) {
    let opened = StateDir::open().map_err(|unsaved| unsaved.to_string()).and_then(|kept| {
        let loaded = if reset { Progress::reset(&kept).map(|empty| (empty, None)) } else { Progress::load(&kept) };
        let place = kept.path().display().to_string();
        loaded.map(|loaded| (loaded, kept)).map_err(|error| format!("{place}: {}", why_not_kept(&error, lang)))
    });
    let colon = lang.pick(": ", "：");
    match opened {
        Ok(((progress, aside), kept)) => {
            put_aside(aside, lang);
            (progress, Some(kept))
        }
        Err(why) => {
            let what = lang.pick("progress is not kept", "进度无法保存");
            tell(&format!("{what}{colon}{why}"));
            (Progress::default(), None)
        }
    }
}
