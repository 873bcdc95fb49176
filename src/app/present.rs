//! On stage: where the session is, for the speaker's view, and what that asks for.

use super::{Command, Effect, Event, Play, State, View, commands, update::tell};
use crate::{
    present::{Drive, Stage, Waits},
    session::{Phase, Wish},
};

/// What the speaker's views were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hall {
    told: Option<Stage>,
    /// What the hall's terminal showed with the last frame.
    shown: Vec<String>,
}

/// So much of the hall's terminal is told, in rows and in characters of each.
const ROWS: usize = 12;
const COLUMNS: usize = 160;

/// A frame was drawn: tells the speaker's views what the hall's terminal shows now.
pub(crate) fn drawn(state: &mut State) -> Option<Effect> {
    let (hall, play) = (state.hall.as_mut()?, state.play.as_ref()?);
    let contents = play.terminals.get(&play.shown).map(|term| term.screen.contents()).unwrap_or_default();
    let rows: Vec<&str> = contents.trim_end().lines().collect();
    let last = rows.get(rows.len().saturating_sub(ROWS)..).unwrap_or_default();
    hall.shown = last.iter().map(|row| row.trim_end().chars().take(COLUMNS).collect()).collect();
    present(state)
}

/// Tells the speaker's views where the session is, where that has changed.
pub(super) fn present(state: &mut State) -> Option<Effect> {
    let (hall, play) = (state.hall.as_mut()?, state.play.as_ref()?);
    let now = Stage { terminal: Some(play.shown), shown: hall.shown.clone(), ..stage(play) };
    if hall.told.as_ref() == Some(&now) {
        return None;
    }
    hall.told = Some(now.clone());
    Some(Effect::Present(now))
}

fn stage(play: &Play) -> Stage {
    let session = &play.session;
    let waits = match session.phase() {
        Phase::Asking(_) => Waits::Answer,
        Phase::Due(_) => Waits::Line,
        Phase::Held => Waits::Call,
        Phase::Guarded => Waits::Consent,
        Phase::Checking(_) => Waits::Facts,
        Phase::Done | Phase::Blocked(_) => Waits::Next,
        Phase::Preparing(..) | Phase::Running | Phase::Free => Waits::Busy,
    };
    Stage {
        lesson: session.lesson().id.clone(),
        step: session.step_index(),
        at: session.at(),
        waits,
        line: play.due().map(|run| play.fill(&run.line)),
        call: session.held().first().map(|(_, call)| format!("{}({})", call.syscall, call.args_text())),
        holds: session.holding(),
        ..Stage::default()
    }
}

/// Does what a speaker's view asks for, as the keys of the hall would.
pub(super) fn drive(state: &mut State, drive: Drive) -> Vec<Effect> {
    let Some(play) = state.play.as_ref().filter(|_| state.view == View::Lesson && state.overlay.is_none()) else {
        return Vec::new();
    };
    let (phase, last, steps) = (play.session.phase(), play.is_last(), play.session.lesson().steps.len());
    if phase == Phase::Guarded {
        return Vec::new();
    }
    let ended = matches!(phase, Phase::Done | Phase::Blocked(_)) && last;
    match drive {
        Drive::Go if ended => commands::run(state, Command::Finish),
        Drive::Go => commands::run(state, Command::Go),
        Drive::Next if last => Vec::new(),
        Drive::Next => commands::run(state, Command::Next),
        Drive::Back => commands::run(state, Command::Back),
        Drive::Hold => commands::run(state, Command::ToggleHold),
        Drive::Run => commands::run(state, Command::RunOn),
        Drive::Mark if state.recorded => commands::run(state, Command::Mark),
        Drive::Mark => Vec::new(),
        Drive::Answer(answer) => tell(state, Event::Wish(Wish::Answer(answer))),
        Drive::Step(step) if step < steps => commands::in_lesson_go_to(state, step),
        Drive::Step(_) => Vec::new(),
    }
}
