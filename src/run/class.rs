//! `boxwright class DIR`, and a session's own place in a class.

use super::{CANNOT, FAILED, USAGE, need};
use crate::{
    class::{Place, board::Answers, default_name, rehearse, watch},
    cleanup,
    cli::{Common, complain},
    kernel::errno,
    lang::Lang,
    lesson::{self, Block},
    runtime::tui,
    session::{Ledger, RunDir},
};
use std::{
    io,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long the directory of a rehearsal may take to go.
const WITHIN: Duration = Duration::from_secs(5);

/// Shows the board.
pub(super) fn board(dir: &Path, json: bool, once: bool, ascii: bool, lang: Lang) -> ExitCode {
    let ascii = ascii || tui::ascii_only(|name| std::env::var(name).ok());
    let lessons = lesson::embedded().unwrap_or_default();
    let question = |answers: &Answers| {
        let lesson = lessons.iter().filter_map(|all| all.get(lang)).find(|one| one.id == answers.lesson)?;
        let step = lesson.steps.iter().find(|step| step.id == answers.step)?;
        match step.blocks.get(answers.block)? {
            Block::Predict(predict) => Some((predict.question.clone(), predict.options.clone())),
            _ => None,
        }
    };
    match watch::run(dir, watch::How { json, once, lang, ascii }, question) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if watch::is_over(&error) => ExitCode::SUCCESS,
        Err(error) => refused(dir, &error, lang),
    }
}

/// Fills the board with sessions without learners, and proves that it is right.
pub(super) fn rehearse(dir: &Path, count: u16, lang: Lang) -> ExitCode {
    // What is wrong with the directory is said as for a session of one's own.
    match place(dir, Some("rehearsal"), lang) {
        Ok(_) => rehearse::run(dir, usize::from(count), lang),
        Err(status) => status,
    }
}

/// Starts so many sessions at once, whose board lies in a directory that goes afterwards, and that `clean` finds.
pub(super) fn prove(count: u16, common: &Common, say: rehearse::Say<'_>, lang: Lang) -> Result<(), String> {
    let made = || {
        let mut ledger = Ledger::create()?;
        let exe = std::env::current_exe()?;
        let dir = RunDir::create_for(need(common), &mut ledger, &exe, &[])?;
        dir.work().map(|class| (ledger, class))
    };
    let (mut ledger, class) = made().map_err(|error: io::Error| errno::why_io(&error))?;
    let proved = rehearse::prove(&class, usize::from(count), lang, say);
    let stayed = ledger.finish(Instant::now() + WITHIN);
    proved.and_then(|()| match stayed.first() {
        None => Ok(()),
        Some((_, left)) => Err(cleanup::report("--class", left, lang).join("; ")),
    })
}

/// The place of a session in this class.
pub(super) fn place(dir: &Path, name: Option<&str>, lang: Lang) -> Result<Place, ExitCode> {
    let name = name.map_or_else(default_name, str::to_string);
    Place::open(dir, &name).map_err(|error| refused(dir, &error, lang))
}

fn refused(dir: &Path, error: &io::Error, lang: Lang) -> ExitCode {
    let what = format!("class: {}: {}", dir.display(), errno::why_io(error));
    let (hint, status) = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (
            lang.pick(
                format!("make it once, as the teacher: mkdir -m 1777 {}", dir.display()),
                format!("由老师建一次：mkdir -m 1777 {}", dir.display()),
            ),
            USAGE,
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            lang.pick(
                format!("each session that shares writes a file there: chmod 1777 {}", dir.display()),
                format!("每个共享者都要在里面写一个文件：chmod 1777 {}", dir.display()),
            ),
            CANNOT,
        ),
        io::ErrorKind::AlreadyExists => {
            (lang.pick("another name is free: --name NAME", "请换一个名字：--name 名字").into(), USAGE)
        }
        _ => return complain(&what, None, FAILED),
    };
    complain(&what, Some(&hint), status)
}
