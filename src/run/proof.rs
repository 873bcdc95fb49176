//! Going through lessons step by step and judging each of them: what `lessons check --run` and `verify --rerun` share.

use super::{CANNOT, FAILED, messages, need, prepare, setup};
use crate::{
    cli::{Common, complain},
    doctor,
    headless::Proved,
    kernel::program,
    lang::Lang,
    lesson::{Lesson, Translations},
    runtime::{Setup, Trouble},
    session::Lacking,
};
use std::{io, process::ExitCode};

/// What came of all steps.
pub(super) struct Proof {
    /// What was left behind, a line each.
    pub left: Vec<String>,
    /// How many steps came out well.
    pub well: usize,
    failed: bool,
    written: io::Result<()>,
}

impl Proof {
    /// Status 1 where a step came out otherwise or where `failed` says so, 3 where none could be done; else whether all was
    /// printed.
    pub(super) fn status(self, failed: bool, written: io::Result<()>) -> ExitCode {
        match (self.failed || failed, self.well) {
            (true, _) => ExitCode::from(FAILED),
            (false, 0) => ExitCode::from(CANNOT),
            (false, _) => messages::printed(self.written.and(written).map(|()| ExitCode::SUCCESS)),
        }
    }
}

/// Gets this machine ready for the lessons, has `play` go through them, and tells each step as it comes, `well` where
/// nothing is wrong with it.
///
/// Errors: the status of a machine that cannot, which is said, or of a signal that asked us to end.
pub(super) fn prove(
    lessons: &[Translations],
    well: &str,
    common: &Common,
    lang: Lang,
    play: impl FnOnce(&[Lesson], &Lacking, Setup, &mut dyn FnMut(Proved)) -> Result<Result<Vec<String>, i32>, Trouble>,
) -> Result<Proof, ExitCode> {
    let exe = prepare(common, lang)?;
    let lacking = doctor::lacking_for(need(common), &doctor::requirements(lessons));
    let lacking = lacking.into_iter().find(|(known, _)| *known == lang).map(|(_, lacking)| lacking).unwrap_or_default();
    let chosen: Vec<Lesson> = lessons.iter().filter_map(|lesson| lesson.get(lang)).cloned().collect();
    let mut out = io::stdout();
    let mut proof = Proof { left: Vec::new(), well: 0, failed: false, written: Ok(()) };
    let ended = play(&chosen, &lacking, setup(common, exe, true, lang), &mut |step| {
        proof.failed |= !step.wrong.is_empty();
        proof.well += usize::from(step.wrong.is_empty() && step.skipped.is_none());
        if proof.written.is_ok() {
            proof.written = messages::step(&step, well, lang, &mut out);
        }
    });
    match ended {
        Ok(Ok(left)) => Ok(Proof { left, ..proof }),
        Ok(Err(signal)) => Err(ExitCode::from(128u8.saturating_add(signal as u8))),
        Err(trouble) => Err(complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT)),
    }
}
