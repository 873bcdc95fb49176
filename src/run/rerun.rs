//! `boxwright verify FILE --rerun`: the lines of a recording, typed once more on this machine.

use super::{CANNOT, FAILED, USAGE, certificate, need, prepare, setup, told};
use crate::{
    cli::{Common, complain},
    doctor, headless,
    kernel::{program, text::printable},
    lang::Lang,
    lesson::Lesson,
    recording::{self, Done, Recording},
};
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// Does again what a recording shows, and says of each step whether the same comes of it. Status 1 where something else does.
pub(super) fn rerun(path: &Path, common: &Common, lang: Lang) -> ExitCode {
    let done = certificate::recorded(path, lang, |bytes| Recording::open(bytes).and_then(recording::done));
    let (done, lessons) = match done {
        Ok(both) => both,
        Err(status) => return status,
    };
    if !common.yes {
        return not_agreed(path, &done, lang);
    }
    let exe = match prepare(common, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let lacking = doctor::lacking_for(need(common), &doctor::requirements(&lessons));
    let lacking = lacking.into_iter().find(|(known, _)| *known == lang).map(|(_, lacking)| lacking).unwrap_or_default();
    let lessons: Vec<Lesson> = lessons.iter().filter_map(|lesson| lesson.get(lang.code())).cloned().collect();
    let mut out = io::stdout();
    let (mut failed, mut same, mut written) = (false, 0usize, Ok(()));
    let ended = headless::rerun(&done, &lessons, &lacking, setup(common, exe, true, lang), &mut |step| {
        failed |= !step.wrong.is_empty();
        same += usize::from(step.wrong.is_empty() && step.skipped.is_none());
        if written.is_ok() {
            written =
                told::step(&step, lang.pick("done again, the same came of it", "重做一遍，结果相同"), lang, &mut out);
        }
    });
    match ended {
        Ok(Ok(left)) => {
            for line in &left {
                complain(line, None, 0);
            }
        }
        Ok(Err(signal)) => return ExitCode::from(128u8.saturating_add(signal as u8)),
        Err(trouble) => return complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT),
    }
    let all = done.len();
    let sum = lang.pick(format!("{same} of {all} steps came out the same"), format!("{all} 步中有 {same} 步结果相同"));
    let written = written.and_then(|()| writeln!(out, "{sum}"));
    match (failed, same) {
        (true, _) => ExitCode::from(FAILED),
        (false, 0) => ExitCode::from(CANNOT),
        (false, _) => told::printed(written.map(|()| ExitCode::SUCCESS)),
    }
}

/// What a learner typed may do anything: it is shown before it runs.
fn not_agreed(path: &Path, done: &[Done], lang: Lang) -> ExitCode {
    let mut lines = Vec::new();
    for Done { place: (id, step), lines: took, .. } in done {
        lines.push(format!("{id}/{step}"));
        let unknown = lang.pick("(a line that the recording does not know)", "（录制里无从得知的一行）");
        lines.extend(took.iter().map(|took| {
            let terminal = took.terminal.label(lang);
            format!("  {terminal} $ {}", printable(took.line.as_deref().unwrap_or(unknown)))
        }));
    }
    lines.push(
        lang.pick(
            "read them; then add --yes, best on a machine that you can throw away",
            "请先读一遍，然后加上 --yes；最好在一台用完即弃的机器上",
        )
        .into(),
    );
    let what = lang.pick("these lines would be typed on this machine", "下面这些命令将在本机上输入");
    let colon = lang.pick(": ", "：");
    complain(&format!("{}{colon}{what}", path.display()), Some(&lines.join("\n  ")), USAGE)
}
