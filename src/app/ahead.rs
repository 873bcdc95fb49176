//! What is typed ahead of a shell: a terminal keeps it until its program reads, and so does the lab, whose shells start after
//! the first frame.

use super::{Effect, State, input::send};
use crate::{lesson::TerminalId, session::Phase};

/// How much is kept, in bytes: as much as a terminal keeps of a line (termios(3)).
pub(super) const MAX: usize = 4096;

/// Sends a terminal what was typed or pasted, or keeps it until its shell is ready.
pub(super) fn send_or_keep(state: &mut State, terminal: TerminalId, bytes: Vec<u8>) -> Vec<Effect> {
    if !is_preparing(state) {
        return send(state, terminal, bytes);
    }
    if let Some(play) = &mut state.play
        && play.ahead.iter().map(|(_, kept)| kept.len()).sum::<usize>() + bytes.len() <= MAX
    {
        play.ahead.push((terminal, bytes));
    }
    Vec::new()
}

/// Sends what was kept, once the shells are ready for it.
pub(super) fn catch_up(state: &mut State) -> Vec<Effect> {
    if is_preparing(state) {
        return Vec::new();
    }
    let kept = state.play.as_mut().map(|play| std::mem::take(&mut play.ahead)).unwrap_or_default();
    kept.into_iter().flat_map(|(terminal, bytes)| send(state, terminal, bytes)).collect()
}

fn is_preparing(state: &State) -> bool {
    state.play.as_ref().is_some_and(|play| matches!(play.session.phase(), Phase::Preparing(..)))
}
