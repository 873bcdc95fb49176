//! `boxwright present`: the hall's screen, and the speaker's.

use super::{CANNOT, FAILED, USAGE, load, screen};
use crate::{
    cli::{Cli, Show, Stage, complain},
    kernel::{errno, program},
    lang::Lang,
    runtime::{hall::Listening, notes},
};
use std::{io, io::IsTerminal, process::ExitCode};

/// Opens the hall's screen with this lesson.
pub(super) fn hall(cli: &Cli, place: Option<&String>, show: &Show, stage: &Stage, lang: Lang) -> ExitCode {
    let Some(place) = place.or(cli.place.as_ref()) else {
        let what = lang.pick("present: which lesson?", "present：演示哪一课？");
        return complain(what, Some(&format!("{} lessons list", program::path())), USAGE);
    };
    let cli =
        Cli { place: Some(place.clone()), show: cli.show.with(show), stage: cli.stage.with(stage), ..cli.clone() };
    screen(&cli, lang)
}

/// Opens the speaker's view.
pub(super) fn speaker(cli: &Cli, minutes: Option<u64>, lang: Lang) -> ExitCode {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let why = lang.pick("standard input and output must be a terminal", "标准输入和标准输出必须是终端");
        let hint = lang.pick(
            format!("{} lessons export LESSON prints a lesson with its notes", program::path()),
            format!("{} lessons export 课程 会打印整门课及备注", program::path()),
        );
        return complain(&format!("present --notes: {why}"), Some(&hint), CANNOT);
    }
    let lessons = match load(&cli.common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    match notes::run(notes::Options { lessons, minutes, lang }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("present --notes: {}", errno::why_io(&error)), None, FAILED),
    }
}

/// The socket of this user's hall.
pub(super) fn listening(lang: Lang) -> Result<Listening, ExitCode> {
    Listening::start().map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        let hint = lang.pick("a hall is open already: q ends it there", "已经有一个演示画面：在那里按 q 结束它");
        complain(&format!("present: {}", errno::why_io(&error)), taken.then_some(hint), FAILED)
    })
}
