//! What if? The held call as it is, without one of its flags, or failing with an error of the learner's choice.

use super::{Effect, Event, Overlay, Play, State, answer, update::tell};
use crate::{
    kernel::pid::Pid,
    session::{Phase, Wish},
    trace::{Call, Instead},
};

/// The call that can be changed now: the oldest one that is held.
pub(crate) fn held(play: &Play) -> Option<&Call> {
    play.session.held().first().map(|(_, call)| call).filter(|_| play.session.phase() == Phase::Held)
}

/// What can become of a call, in the order of the rows; `None` is the call as it is.
pub(crate) fn rows(call: &Call) -> Vec<Option<Instead>> {
    std::iter::once(None).chain(call.choices().into_iter().map(Some)).collect()
}

/// Asks what is to become of the held call.
pub(super) fn open(state: &mut State) {
    if let Some(call) = state.play.as_ref().and_then(held) {
        (state.overlay, state.top) = (Some(Overlay::WhatIf { pid: call.pid, chosen: 0 }), 0);
    }
}

/// Takes the question away where its call has gone.
pub(super) fn attend(state: &mut State) {
    if let Some(Overlay::WhatIf { pid, .. }) = state.overlay
        && state.play.as_ref().and_then(held).is_none_or(|call| call.pid != pid)
    {
        state.overlay = None;
    }
}

/// How many rows the question has.
pub(super) fn count(state: &State) -> usize {
    state.play.as_ref().and_then(held).map_or(0, |call| rows(call).len())
}

/// Does what the chosen row says.
pub(super) fn accept(state: &mut State, pid: Pid, chosen: usize) -> Vec<Effect> {
    let call = state.play.as_ref().and_then(held).filter(|call| call.pid == pid).cloned();
    match call.and_then(|call| Some((rows(&call).get(chosen).copied()?, call))) {
        Some((Some(instead), call)) => change(state, &call, instead),
        Some((None, _)) => tell(state, Event::Wish(Wish::StepCall)),
        None => Vec::new(),
    }
}

/// Has the call changed, and says so.
pub(super) fn change(state: &mut State, call: &Call, instead: Instead) -> Vec<Effect> {
    let effects = tell(state, Event::Wish(Wish::Instead(call.pid, instead)));
    state.said = Some(answer::changed(call, instead, state.lang));
    effects
}
