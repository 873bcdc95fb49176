//! Sessions that are not played here: recordings, and those of others.

use super::{CANNOT, FAILED, own_program};
use crate::{
    app::{Look, ThemeName},
    cli::{Common, Player, Show, complain},
    kernel::errno,
    lang::Lang,
    runtime::{
        signals, tui,
        watch::{self, WatchOptions},
    },
    session::fresh_name,
};
use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
};

/// How it is shown.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// In plain lines.
    pub plain: bool,
    /// How the screen looks.
    pub show: Show,
}

/// Shows a recording, or writes it for other players.
pub(super) fn replay(
    common: &Common,
    file: &Path,
    brief: bool,
    to: Option<Player>,
    form: &Form,
    lang: Lang,
) -> ExitCode {
    match to {
        Some(Player::Cast) => {
            watch::to_cast(file, common.lessons.as_deref(), look(common, &form.show), (brief, false), lang)
        }
        None => show(common, file, brief, false, form, lang),
    }
}

/// Shows what is recorded now.
pub(super) fn follow(common: &Common, path: &Path, form: &Form, lang: Lang) -> ExitCode {
    show(common, path, false, true, form, lang)
}

fn show(common: &Common, path: &Path, brief: bool, follow: bool, form: &Form, lang: Lang) -> ExitCode {
    let exe = match own_program(lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    // Nothing of it needs more than a terminal, so that only signals are to be taken.
    if let Err(error) = signals::take(lang) {
        return complain(&format!("signalfd: {}", errno::why_io(&error)), None, CANNOT);
    }
    let (look, plain) = (look(common, &form.show), is_plain(form.plain));
    watch::run(WatchOptions {
        path: path.into(),
        follow,
        exe,
        lang,
        look,
        lessons: common.lessons.clone(),
        brief,
        plain,
    })
}

/// Runs a lesson without a screen, and writes what a screen would have shown for other players.
pub(super) fn export(common: &Common, id: &str, lang: Lang) -> ExitCode {
    let exe = match own_program(lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let name = fresh_name().unwrap_or_default();
    let file = std::env::temp_dir().join(format!("boxwright-{name}.recording"));
    let mut run = Command::new(exe);
    run.args(["run", id, "--lang", lang.code(), "--image", &common.image.to_string(), "--record"]).arg(&file);
    if let Some(dir) = &common.lessons {
        run.arg("--lessons").arg(dir);
    }
    if common.yes {
        run.arg("--yes");
    }
    let form = Form::default();
    let status = match run.stdin(Stdio::null()).stdout(Stdio::null()).status() {
        // What a lesson could not do is part of it; without a recording the reason has been told.
        Ok(_) if file.exists() => {
            watch::to_cast(&file, common.lessons.as_deref(), look(common, &form.show), (true, true), lang)
        }
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)),
        Err(error) => complain(&format!("run {id}: {}", errno::why_io(&error)), None, FAILED),
    };
    // It was made for this alone; where it is gone already, nothing is left.
    let _ = std::fs::remove_file(&file);
    status
}

/// Colours and characters.
pub(super) fn look(common: &Common, show: &Show) -> Look {
    Look {
        theme: common.theme.unwrap_or(if show.large_print { ThemeName::Contrast } else { ThemeName::Default }),
        colourless: common.colourless(),
        ascii: show.ascii || tui::ascii_only(|name| std::env::var(name).ok()),
        large_print: show.large_print,
        bottom_margin: show.bottom_margin.unwrap_or(0),
    }
}

/// Whether nothing is to be drawn.
pub(super) fn is_plain(wanted: bool) -> bool {
    wanted || is_accessible(std::env::var("ACCESSIBLE").ok().as_deref())
}

/// Whether the user asks every program for plain text: `ACCESSIBLE` set to anything but 0, as some programs have it.
pub(super) fn is_accessible(value: Option<&str>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}
