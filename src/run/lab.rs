//! `boxwright lab`: the screen without a lesson.

use super::{CANNOT, USAGE, open, prepare, watching::is_accessible};
use crate::{
    cli::{Cli, Show, complain},
    image::Reference,
    inspect,
    kernel::{pid::Pid, program},
    lang::Lang,
    lesson,
};
use std::process::ExitCode;

/// Opens the lab about a process, which this user must be allowed to look at.
pub(super) fn about(cli: &Cli, pid: Pid, lang: Lang) -> ExitCode {
    match inspect::look(pid, lang) {
        Ok(()) => lab(cli, None, &Show::default(), lang),
        Err(status) => status,
    }
}

/// Opens the lab; `image` is offered to be unpacked there.
pub(super) fn lab(cli: &Cli, image: Option<&Reference>, show: &Show, lang: Lang) -> ExitCode {
    let mut cli = Cli { show: cli.show.with(show), ..cli.clone() };
    let program = program::path();
    if cli.place.is_some() {
        let what = lang.pick("lab: it has no lesson and no step", "lab：实验台没有课程，也没有步骤");
        return complain(what, Some(&format!("{program} lab [IMAGE]")), USAGE);
    }
    if cli.plain || is_accessible(std::env::var("ACCESSIBLE").ok().as_deref()) {
        let what = lang.pick("lab: it is drawn, and has no plain form", "lab：实验台是画出来的界面，没有纯文本形式");
        let hint = lang.pick(
            format!(
                "{program} trace -- sh tells the calls of a shell in plain lines; {program} inspect PID, a process"
            ),
            format!("{program} trace -- sh 用纯文本逐行说明一个 shell 的调用；{program} inspect PID 查看进程"),
        );
        return complain(what, Some(&hint), CANNOT);
    }
    cli.common.image = image.cloned().unwrap_or(cli.common.image);
    let exe = match prepare(&cli.common, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let image = image.map(|_| cli.common.image());
    open(&cli, lang, exe, vec![lesson::lab(image.as_deref())], None, false)
}
