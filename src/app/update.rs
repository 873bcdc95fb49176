//! One event in, effects out.

use super::{
    Along, Effect, Event, Extents, Glance, Overlay, Pane, Play, Shape, State, View, ahead, along,
    attend::attend,
    caster, class, commands, edited,
    input::{on_key, paste, send},
    layout, past,
    play::Term,
    present,
};
use crate::{
    lesson::TerminalId,
    session::{Action, Outcome, Report, Wish},
    terminal::Size,
    terminal::shell::TAKE_OFFER,
    trace::TraceEvent,
};

/// Takes in what happened; gives what is to be done, in order.
pub(crate) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let key = matches!(event, Event::Key(_) | Event::Paste(_));
    if past::takes(state, &event) {
        return Vec::new();
    }
    if let Event::Key(key) = &event {
        caster::pressed(state, key);
    }
    let before = Glance::at(state);
    let kept = (!matches!(event, Event::Drawn)).then(|| event.clone());
    let mut effects = happen(state, event);
    past::keep(state, kept, &before);
    effects.extend(ahead::catch_up(state));
    effects.extend(along::plan(state, key));
    effects.extend(class::share(state));
    effects.extend(present::present(state));
    effects.extend(networks(state));
    effects
}

/// Has network namespaces read while they are seen, and no longer.
fn networks(state: &mut State) -> Option<Effect> {
    let seen =
        state.view == View::Lesson && state.play.as_ref().is_some_and(|play| play.sees(Pane::Network, state.size));
    (std::mem::replace(&mut state.networks, seen) != seen).then_some(Effect::Networks(seen))
}

/// Takes in what the last frame measured.
pub(crate) fn measured(state: &mut State, extents: Extents) {
    if let Some(past) = past::seen(state) {
        past.extents = extents;
        return;
    }
    if state.extents != extents {
        past::measured(state, &extents);
    }
    // The key bar says whether there is more to read.
    state.dirty |= state.extents != extents;
    state.extents = extents;
    attend(state);
}

/// A frame was drawn of which nothing that matters was measured.
pub(crate) fn unmeasured(state: &mut State) {
    if past::seen(state).is_none() {
        attend(state);
    }
}

/// What an event does to the state, and where the keys go then.
pub(super) fn happen(state: &mut State, event: Event) -> Vec<Effect> {
    state.reports.clear();
    let effects = take_in(state, event);
    attend(state);
    effects
}

fn take_in(state: &mut State, event: Event) -> Vec<Effect> {
    // That a shell waits is news only where it was not known.
    if !matches!(event, Event::Clock(_) | Event::Waits(..)) {
        state.dirty = true;
    }
    match event {
        Event::Key(key) => {
            (state.said, state.idle) = (None, None);
            on_key(state, key)
        }
        Event::Paste(text) => paste(state, &text),
        Event::Resize(size) => resize(state, size),
        Event::Output(terminal, bytes) => output(state, terminal, &bytes),
        Event::Closed(terminal) => {
            if let Some(term) = state.play.as_mut().and_then(|play| play.terminals.get_mut(&terminal)) {
                term.ended = true;
            }
            tell(state, Event::Closed(terminal))
        }
        Event::Waits(terminal, shell) => {
            let term = state.play.as_mut().and_then(|play| play.terminals.get_mut(&terminal));
            let news = term.map(|term| Event::of_waiting(terminal, shell, &mut term.screen)).unwrap_or_default();
            if !news.is_empty() {
                state.dirty = true;
                offer_a_prompt(state);
            }
            news.into_iter().flat_map(|event| tell(state, event)).collect()
        }
        Event::Place(terminal, place) => {
            if let Some(term) = state.play.as_mut().and_then(|play| play.terminals.get_mut(&terminal)) {
                term.place = Some(place);
            }
            Vec::new()
        }
        Event::Trace(terminal, event) => trace(state, terminal, event),
        Event::Sample(number, sample) => {
            if let Some(play) = &mut state.play {
                play.history.push(state.now, &sample.cgroup);
                play.before.get_or_insert_with(|| sample.clone());
                play.sample = Some(sample.clone());
            }
            tell(state, Event::Sample(number, sample))
        }
        Event::Clock(now) => {
            state.now = now;
            Vec::new()
        }
        Event::Deadline => tell(state, Event::Deadline),
        Event::Woke => along::woke(state),
        Event::Drive(drive) => present::drive(state, drive),
        Event::Doctor(lines) => {
            state.doctor = Some(lines);
            Vec::new()
        }
        Event::Trouble(text) | Event::Working(text) => {
            state.trouble = Some(text);
            Vec::new()
        }
        Event::Said(text) => {
            state.said = Some(text);
            Vec::new()
        }
        Event::Lacking(lacking) => {
            state.facts.lacking = lacking;
            let lacking = state.lacking();
            if let Some(play) = &mut state.play {
                play.session.lacks(lacking);
            }
            let played = state.play.as_ref().map(|play| play.index);
            let mut news = false;
            for (index, lesson) in state.lessons.iter().enumerate() {
                let Some(lesson) = lesson.any() else { continue };
                if played == Some(index) || state.progress.has_begun(lesson) {
                    news |= state.progress.lacks(lesson, &state.facts.lacking);
                }
            }
            news.then_some(Effect::Save).into_iter().collect()
        }
        Event::Line(terminal, mut line) => {
            line.push('\r');
            send(state, terminal, line.into_bytes())
        }
        Event::Branches(branches) => {
            (state.branches, state.overlay, state.top) = (Some(branches), Some(Overlay::Branches), 0);
            state.said = None;
            Vec::new()
        }
        Event::Edited(files) => edited::edited(state, &files),
        Event::Open(lesson, step) => {
            let place = state.lessons.iter().position(|known| known.id() == lesson);
            place.map_or_else(Vec::new, |index| commands::open(state, index, step))
        }
        Event::Wish(wish) => tell(state, Event::Wish(wish)),
        // These are about the program, or what this module makes of the others.
        Event::Drawn | Event::Signal(_) | Event::Suspend | Event::Resume | Event::HungUp | Event::Stdin(_) => {
            Vec::new()
        }
        Event::Prompt(..) | Event::Typed(_) | Event::Submitted(..) | Event::HalfTyped(..) => Vec::new(),
    }
}

/// A shell has a prompt of its own. It is understood; ours, which also tells how a command ended, is offered once.
fn offer_a_prompt(state: &mut State) {
    let Some(play) = state.play.as_mut().filter(|play| !play.offered) else { return };
    play.offered = true;
    let text = state.lang.pick(
        format!("This shell has its own prompt, and the lesson follows it. For ours, in bash or sh: {TAKE_OFFER}"),
        format!("这个 shell 用自己的提示符，课程照样能跟上。想换成我们的，在 bash 或 sh 里输入：{TAKE_OFFER}"),
    );
    state.said.get_or_insert(text);
}

/// Hands the session what happened, and follows what it does.
pub(super) fn tell(state: &mut State, event: Event) -> Vec<Effect> {
    let now = state.now;
    let Some(play) = &mut state.play else { return Vec::new() };
    if let Event::Submitted(terminal, _) | Event::Prompt(terminal, ..) | Event::Closed(terminal) = &event {
        play.along.taken(*terminal);
    }
    // Keys that were asked for and used go where the next task is.
    play.asked &= !matches!(&event, Event::Wish(wish) if !matches!(wish, Wish::Hint | Wish::ToggleHold));
    let actions = play.session.handle(event);
    let mut effects = Vec::new();
    let mut news = false;
    for action in actions {
        if let Action::Report(report) = &action
            && !play.is_lab()
        {
            news |= state.progress.note(play.session.lesson(), report);
            if state.auto {
                state.reports.push(report.clone());
            }
            match report {
                Report::Step(_) => (play.began, play.repair) = (now, None),
                Report::Outcome(index, Outcome::Passed) => {
                    let repair = play.has_repaired(now);
                    news |= repair.is_some_and(|it| state.progress.repaired(play.session.lesson(), *index, it));
                }
                _ => {}
            }
        }
        effects.extend(follow(play, action));
    }
    effects.extend(news.then_some(Effect::Save));
    effects
}

fn follow(play: &mut Play, action: Action) -> Option<Effect> {
    match &action {
        Action::Restart(terminal, _) => {
            if let Some(term) = play.terminals.get_mut(terminal) {
                *term = Term::new(term.screen.size());
            }
        }
        Action::Type(terminal, _) => {
            play.remember();
            play.commands += 1;
            play.shown = *terminal;
            if let Some(term) = play.terminals.get_mut(terminal) {
                term.screen.sent(b"\r");
            }
        }
        Action::Step(_) | Action::Instead(..) | Action::RunOn(_) => play.remember(),
        Action::Report(report) => {
            if let Report::Step(_) = report {
                play.calls.clear();
                play.along = Along::default();
                play.call = None;
                play.commands = 0;
                play.remember();
                play.tops.clear();
                // A new step is read from its beginning.
                play.tops.insert(Pane::Lesson, 0);
                play.shown = TerminalId::Container;
            }
            if let Report::Outcome(..) = report {
                // What came of it stands at the end.
                play.tops.remove(&Pane::Lesson);
            }
            return None;
        }
        _ => {}
    }
    Some(Effect::Session(action))
}

pub(super) fn resize(state: &mut State, size: Size) -> Vec<Effect> {
    let Size { columns, rows } = size.or_usual();
    // A margin never makes a screen too small that is large enough.
    let margin = state.look.bottom_margin.min(rows.saturating_sub(layout::LEAST_ROWS));
    state.size = Size { columns, rows: rows - margin };
    sizes(state)
}

/// The size of both terminals, for those who need to know.
pub(super) fn sizes(state: &mut State) -> Vec<Effect> {
    let (size, shape, large_print) = (state.size, state.shape(), state.look.large_print);
    let Some(play) = &mut state.play else { return Vec::new() };
    (play.shape, play.large_print) = (shape, large_print);
    // Without a learner they keep the size that they have from the beginning.
    if Shape::of(size) == Shape::TooSmall || state.auto {
        return Vec::new();
    }
    let size = layout::places(size, play.chosen()).terminal_size;
    let mut effects = Vec::new();
    for (terminal, term) in &mut play.terminals {
        term.screen.set_size(size);
        effects.push(Effect::Resize(*terminal, size));
    }
    effects
}

fn output(state: &mut State, terminal: TerminalId, bytes: &[u8]) -> Vec<Effect> {
    let Some(term) = state.play.as_mut().and_then(|play| play.terminals.get_mut(&terminal)) else { return Vec::new() };
    let processed = term.screen.process(bytes);
    term.unechoed = false;
    let mut effects = Vec::new();
    if !processed.reply.is_empty() {
        effects.push(Effect::Write(terminal, processed.reply));
    }
    let half_typed = term.screen.prompt_is_empty() == Some(false);
    effects.extend(tell(state, Event::HalfTyped(terminal, half_typed)));
    for event in processed.pieces.into_iter().filter_map(|piece| Event::of_output(terminal, piece)) {
        effects.extend(tell(state, event));
    }
    effects
}

fn trace(state: &mut State, terminal: TerminalId, event: TraceEvent) -> Vec<Effect> {
    if let Some(play) = &mut state.play {
        play.calls.push(&event);
        if matches!(event, TraceEvent::Held(..)) {
            // What is about to happen is what there is to see: the call, and the line that makes it.
            play.call = None;
            play.tops.remove(&Pane::Source);
        }
        let held = matches!(event, TraceEvent::Held(..));
        let seen =
            if play.is_lab() { matches!(play.pane, Pane::Calls | Pane::Namespaces) } else { play.pane != Pane::Lesson };
        if held && !seen && play.shape == Shape::Small {
            // One pane at a time: what is about to happen is what there is to see now.
            play.pane = Pane::Calls;
        }
    }
    tell(state, Event::Trace(terminal, event))
}
