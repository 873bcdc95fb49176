//! What if? The held call as it is, without some of its flags, or failing with an error; and both branches of it.

use super::{Effect, Event, Overlay, Play, State, answer, update::tell};
use crate::{
    kernel::pid::Pid,
    session::{Different, Phase, Wish},
    trace::{Call, Instead},
};

/// What can become of a held call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It happens as it is.
    AsItIs,
    /// It is changed.
    Call(Instead),
    /// The line that makes it is played without this word, beside the line as it is.
    Line(String),
}

impl Way {
    /// Whether it is a flag that is dropped, of which there may be several.
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self, Way::Call(Instead::Without(..)))
    }
}

/// The call that can be changed now: the oldest one that is held.
pub(crate) fn held(play: &Play) -> Option<&Call> {
    play.session.held().first().map(|(_, call)| call).filter(|_| play.session.phase() == Phase::Held)
}

/// What can become of a held call, in the order of the rows.
pub(crate) fn ways(play: &Play, call: &Call) -> Vec<Way> {
    let options = if play.is_lab() { Vec::new() } else { play.session.options(call.pid) };
    let changes = call.choices().into_iter().map(Way::Call);
    std::iter::once(Way::AsItIs).chain(changes).chain(options.into_iter().map(Way::Line)).collect()
}

/// Whether this flag is among those that are marked.
pub(crate) fn is_marked(marked: Option<Instead>, way: &Way) -> bool {
    match (marked, way) {
        (Some(all), Way::Call(one)) => all.and(*one) == Some(all),
        _ => false,
    }
}

/// What a row stands for: a flag for itself and for all that are marked.
fn meant(way: &Way, marked: Option<Instead>) -> Way {
    match (way, marked) {
        (Way::Call(one), Some(all)) => Way::Call(all.and(*one).unwrap_or(*one)),
        _ => way.clone(),
    }
}

/// Asks what is to become of the held call.
pub(super) fn open(state: &mut State) {
    if let Some(call) = state.play.as_ref().and_then(held) {
        (state.overlay, state.top) = (Some(Overlay::WhatIf { pid: call.pid, chosen: 0, marked: None }), 0);
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

/// The rows of the question.
pub(super) fn rows(state: &State) -> Vec<Way> {
    let play = state.play.as_ref();
    play.and_then(|play| Some(ways(play, held(play)?))).unwrap_or_default()
}

/// Whether a flag of it can be marked.
pub(super) fn has_flags(state: &State) -> bool {
    rows(state).iter().filter(|way| way.is_flag()).nth(1).is_some()
}

/// Marks the flag of the chosen row, or takes the mark away. Flags of another kind stand in another register: they are dropped
/// in another call.
pub(super) fn mark(state: &mut State) {
    let rows = rows(state);
    let Some(Overlay::WhatIf { chosen, marked, .. }) = &mut state.overlay else { return };
    let Some(Way::Call(one)) = rows.get(*chosen).filter(|way| way.is_flag()) else {
        state.idle = Some(state.lang.pick("Only flags can be marked", "只能标记标志").into());
        return;
    };
    *marked = match *marked {
        Some(all) if all.and(*one) == Some(all) => all.less(*one),
        Some(all) => Some(all.and(*one).unwrap_or(*one)),
        None => Some(*one),
    };
}

/// The held call of this thread, and what the chosen row stands for.
fn chosen(state: &State, pid: Pid, chosen: usize, marked: Option<Instead>) -> Option<(Call, Way)> {
    let play = state.play.as_ref()?;
    let call = held(play).filter(|call| call.pid == pid)?;
    Some((call.clone(), meant(ways(play, call).get(chosen)?, marked)))
}

/// Does what the chosen row says.
pub(super) fn accept(state: &mut State, pid: Pid, row: usize, marked: Option<Instead>) -> Vec<Effect> {
    match chosen(state, pid, row, marked) {
        Some((call, Way::Call(instead))) => change(state, &call, instead),
        Some((_, Way::AsItIs)) => tell(state, Event::Wish(Wish::StepCall)),
        Some((_, Way::Line(word))) => both(state, pid, Different::Without(word)),
        None => Vec::new(),
    }
}

/// Has both branches played: the call as it is, and as the chosen row says. The call itself waits on.
pub(super) fn play_both(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::WhatIf { pid, chosen: row, marked }) = state.overlay else { return Vec::new() };
    let different = match chosen(state, pid, row, marked) {
        Some((_, Way::Call(instead))) => Different::Call(instead),
        Some((_, Way::Line(word))) => Different::Without(word),
        Some((_, Way::AsItIs)) => {
            let text = state.lang.pick("First choose what is different", "先选好要怎样改动");
            state.idle = Some(text.into());
            return Vec::new();
        }
        None => return Vec::new(),
    };
    state.overlay = None;
    both(state, pid, different)
}

/// The same, from a command.
pub(crate) fn both(state: &mut State, pid: Pid, different: Different) -> Vec<Effect> {
    let Some(play) = &state.play else { return Vec::new() };
    match play.session.plan(pid, different) {
        Ok(plan) => vec![Effect::Branches(Box::new(plan))],
        Err(why) => {
            state.trouble = Some(why.say(state.lang).into());
            Vec::new()
        }
    }
}

/// Has the call changed, and says so.
pub(super) fn change(state: &mut State, call: &Call, instead: Instead) -> Vec<Effect> {
    let effects = tell(state, Event::Wish(Wish::Instead(call.pid, instead)));
    state.said = Some(answer::changed(call, instead, state.lang));
    effects
}
