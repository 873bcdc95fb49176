//! The same in sentences, where nothing is drawn.

use super::unread;
use crate::{
    app::{Play, State},
    inspect::network::lines,
    observe::Sample,
};

/// What the session's network namespaces hold; what has just changed is named.
pub(in crate::ui) fn plain(state: &State, play: &Play, now: &Sample) -> Vec<String> {
    let lang = state.lang;
    let Some(now) = &now.networks else { return vec![unread(state).into()] };
    let before = play.before.as_deref().and_then(|sample| sample.networks.as_ref());
    lines(now, before, lang)
}
