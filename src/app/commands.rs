//! The command handlers: what the commands of the key table do.

use super::{
    Command, Effect, Event, Extent, Focus, Jump, Overlay, Pane, Play, State, View, Zoom, along, answer, caster, class,
    copy, finish, input, instead, layout, past,
    update::{sizes, tell},
};
use crate::{
    lesson::TerminalId,
    session::{Phase, Session, Wish},
    terminal::Size,
};

/// Does what a key asks for.
pub(super) fn run(state: &mut State, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => return vec![Effect::Quit],
        Command::AsRoot => return vec![Effect::AsRoot],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Interrupt => return input::interrupt(state),
        Command::Past(on) => past::go(state, on),
        Command::Accept => return accept(state),
        Command::Close => close(state),
        Command::Up => choose(state, -1),
        Command::Down => choose(state, 1),
        Command::WhatIf => instead::open(state),
        Command::MarkFlag => instead::mark(state),
        Command::PlayBoth => return instead::play_both(state),
        Command::Choose(row) => {
            if let Some(Overlay::WhatIf { chosen, .. }) = &mut state.overlay {
                *chosen = row;
            }
        }
        Command::FromStart => return begin(state, state.selected, 0),
        Command::Language => return language(state),
        Command::Theme => state.look.theme = state.look.theme.next(),
        Command::LargePrint => {
            state.look.large_print = !state.look.large_print;
            state.said = Some(answer::large_print(state.look.large_print, state.lang));
            return sizes(state);
        }
        Command::Doctor => {
            state.view = View::Doctor;
            state.top = 0;
            return vec![Effect::Doctor(state.lang)];
        }
        Command::Help | Command::Glossary => {
            let glossary = command == Command::Glossary;
            state.overlay = Some(if glossary { Overlay::Glossary } else { Overlay::Help });
            state.top = 0;
        }
        Command::Caster => caster::toggle(state),
        Command::Mark => {
            state.marks += 1;
            let number = state.marks;
            state.said = Some(state.lang.pick(format!("Mark {number} is set"), format!("已设标记 {number}")));
        }
        Command::Finish => return finish::go_on(state),
        Command::Card => return vec![Effect::Card],
        Command::Course => {
            state.view = View::Closing(None);
            state.top = 0;
        }
        Command::Scroll(lines) => scroll(state, lines, false),
        Command::Page(pages) => scroll(state, pages, true),
        Command::Edge(end) => edge(state, end),
        _ => return in_lesson(state, command),
    }
    Vec::new()
}

fn in_lesson(state: &mut State, command: Command) -> Vec<Effect> {
    if command == Command::Go
        && let Some(effects) = along::begin(state)
    {
        return effects;
    }
    let Some(play) = &mut state.play else { return Vec::new() };
    let step = play.session.step_index();
    let wish = match command {
        Command::Raise(flag) => {
            class::raise(state, flag);
            return Vec::new();
        }
        Command::LeaveClass => return class::leave(state),
        Command::CopyLine | Command::CopyPane | Command::CopyPid => return copy::copy(state, command),
        Command::TypeAlong => {
            along::toggle(state);
            return Vec::new();
        }
        Command::Go => {
            // A learner who lets the lesson type no longer types; the next step and the next call are nothing typed.
            play.types &= !matches!(play.session.phase(), Phase::Due(_));
            Wish::Go
        }
        Command::RunOn => Wish::RunOn,
        Command::Allow(allow) => Wish::Allow(allow),
        Command::ToggleHold => {
            let effects = tell(state, Event::Wish(Wish::ToggleHold));
            state.said = state.play.as_ref().map(|play| answer::hold(play, state.lang));
            return effects;
        }
        Command::Next => Wish::GoTo(step + 1),
        Command::PassOver => Wish::PassOver,
        Command::Back => Wish::GoTo(step.saturating_sub(1)),
        Command::Reset => Wish::GoTo(step),
        Command::Hint => {
            // It stands in the lesson's text.
            play.show(Pane::Lesson);
            Wish::Hint
        }
        Command::Answer(answer) => Wish::Answer(answer),
        Command::Export => {
            return vec![Effect::Export(play.session.lesson().id.clone(), play.session.proof().clone())];
        }
        _ => {
            look(state, command);
            return Vec::new();
        }
    };
    play.tops.remove(&Pane::Lesson);
    if matches!(wish, Wish::GoTo(_)) {
        play.show_lesson();
    }
    tell(state, Event::Wish(wish))
}

/// What changes only where the learner looks.
fn look(state: &mut State, command: Command) {
    let Some(play) = &mut state.play else { return };
    match command {
        Command::Show(pane) => {
            // From a call that is open, its source is one key away.
            state.overlay = None;
            if pane == Pane::Source {
                play.tops.remove(&pane);
            }
            play.show(pane);
        }
        Command::OpenCall => {
            (state.overlay, state.top) = (Some(Overlay::Call), 0);
            play.call = play.chosen_call();
        }
        Command::Walk(on) => {
            let before = play.chosen_call();
            play.walk(on);
            state.top = 0;
            if play.chosen_call() == before {
                state.idle = Some(answer::no_more_calls(on, state.lang));
            }
        }
        Command::ShowQuestion => {
            play.show(Pane::Lesson);
            play.tops.remove(&Pane::Lesson);
        }
        Command::NextPane => turn(play, true),
        Command::PreviousPane => turn(play, false),
        Command::Terminals(by) => {
            if let Some(term) = play.terminals.get_mut(&play.shown) {
                let half = (term.screen.size().rows as isize / 2).max(1);
                term.screen.scroll(by as isize * half);
            }
        }
        Command::Notes => {
            play.notes = !play.notes;
            state.said = Some(answer::notes(play, state.lang));
        }
        Command::BothTerminals => {
            let both = !play.sees_both();
            play.both = Some(both);
            if both && layout::places(state.size, play.chosen()).other.height == 0 {
                let few = "Both terminals need more rows than this screen has";
                state.idle = Some(state.lang.pick(few, "屏幕行数不够，放不下两个终端").into());
            }
        }
        Command::OtherTerminal => {
            play.shown = match play.shown {
                TerminalId::Container => TerminalId::Host,
                TerminalId::Host => TerminalId::Container,
            };
            play.picked = true;
        }
        Command::Terminal => {
            play.left = play.focus == Focus::Terminal;
            play.focus = if play.left { Focus::Lesson } else { Focus::Terminal };
            play.asked = play.left;
            play.large = !play.left;
        }
        Command::GoTo => {
            let chosen = play.session.step_index();
            state.overlay = Some(Overlay::GoTo(Jump { chosen, typed: String::new() }));
        }
        Command::Containers => {
            let at = play.containers().iter().position(|one| Some((one.pid, one.start)) == play.picked_container);
            (state.overlay, state.top) = (Some(Overlay::Containers(at.map_or(0, |at| at + 1))), 0);
        }
        Command::Zoom => {
            play.zoom = match play.zoom {
                None => Some(Zoom::Pane),
                Some(Zoom::Pane) => Some(Zoom::Terminal),
                Some(Zoom::Terminal) => None,
            };
        }
        Command::RunUntil => state.overlay = Some(Overlay::Until(String::new())),
        _ => {}
    }
}

fn turn(play: &mut Play, on: bool) {
    let panes: Vec<Pane> = play.panes().collect();
    let by = if on { 1 } else { panes.len() - 1 };
    let at = panes.iter().position(|pane| *pane == play.pane).unwrap_or(0);
    if let Some(pane) = panes.get((at + by) % panes.len()) {
        play.show(*pane);
    }
}

pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    match state.overlay.take() {
        Some(Overlay::GoTo(jump)) => go_to(state, jump),
        Some(Overlay::Until(name)) if !name.is_empty() => tell(state, Event::Wish(Wish::RunUntil(name))),
        Some(Overlay::WhatIf { pid, chosen, marked }) => instead::accept(state, pid, chosen, marked),
        Some(Overlay::Containers(chosen)) => pick(state, chosen),
        Some(Overlay::Consent(index)) => begin(state, index, state.resumes_at(index)),
        Some(_) => Vec::new(),
        None if state.play.as_ref().is_some_and(|play| play.index == state.selected) => {
            state.view = View::Lesson;
            sizes(state)
        }
        None => open(state, state.selected, state.resumes_at(state.selected)),
    }
}

/// Looks at the chosen container of the list, whose first row stands for the one that is found.
fn pick(state: &mut State, chosen: usize) -> Vec<Effect> {
    let Some(play) = &mut state.play else { return Vec::new() };
    let chosen = chosen.checked_sub(1).and_then(|at| play.containers().get(at));
    play.picked_container = chosen.map(|one| (one.pid, one.start));
    play.remember();
    vec![Effect::Pick(play.picked_container)]
}

/// Goes to the chosen step; nowhere where nothing of that name was found.
fn go_to(state: &mut State, jump: Jump) -> Vec<Effect> {
    if state.play.as_ref().is_some_and(|play| jump.found(play.session.lesson()).contains(&jump.chosen)) {
        return in_lesson_go_to(state, jump.chosen);
    }
    state.overlay = Some(Overlay::GoTo(jump));
    Vec::new()
}

pub(super) fn in_lesson_go_to(state: &mut State, step: usize) -> Vec<Effect> {
    if let Some(play) = &mut state.play {
        play.tops.clear();
        play.show_lesson();
    }
    tell(state, Event::Wish(Wish::GoTo(step)))
}

/// Begins a lesson at a step, or asks whether its commands may run.
pub(super) fn open(state: &mut State, index: usize, step: usize) -> Vec<Effect> {
    if !state.auto && state.lesson(index).is_some_and(|lesson| lesson.foreign) {
        state.selected = index;
        state.overlay = Some(Overlay::Consent(index));
        return Vec::new();
    }
    begin(state, index, step)
}

/// Begins a lesson at a step.
pub(super) fn begin(state: &mut State, index: usize, step: usize) -> Vec<Effect> {
    let Some(lesson) = state.lesson(index).cloned() else { return Vec::new() };
    let session = Session::new(lesson, state.auto, state.lacking());
    state.selected = index;
    state.view = View::Lesson;
    let mut play = Play::new(index, session, Size::USUAL);
    play.picked_container = state.picked;
    state.play = Some(play);
    // The sizes come first: the shells start with them.
    let mut effects = sizes(state);
    if let Some(lesson) = state.lessons.get(index).and_then(|lesson| lesson.any()) {
        effects.extend(state.progress.lacks(lesson, &state.facts.lacking).then_some(Effect::Save));
    }
    effects.extend(tell(state, Event::Wish(Wish::GoTo(step))));
    effects
}

fn close(state: &mut State) {
    let zoomed = state.play.as_mut().filter(|_| state.view == View::Lesson && state.overlay.is_none());
    if zoomed.is_some_and(|play| play.zoom.take().is_some()) {
        return;
    }
    if state.overlay.take().is_none() {
        state.view = match state.view {
            View::Doctor if state.play.is_some() => View::Lesson,
            _ => View::Opening,
        };
    }
    state.top = 0;
}

fn choose(state: &mut State, by: i32) {
    let ways = instead::rows(state).len();
    let moved = |at: usize, count: usize| at.saturating_add_signed(by as isize).min(count.saturating_sub(1));
    match &mut state.overlay {
        Some(Overlay::GoTo(jump)) => {
            let found = state.play.as_ref().map_or_else(Vec::new, |play| jump.found(play.session.lesson()));
            let at = found.iter().position(|step| *step == jump.chosen).unwrap_or(0);
            jump.chosen = found.get(moved(at, found.len())).copied().unwrap_or(jump.chosen);
        }
        Some(Overlay::WhatIf { chosen, .. }) => *chosen = moved(*chosen, ways),
        Some(Overlay::Containers(chosen)) => {
            let count = state.play.as_ref().map_or(0, |play| play.containers().len());
            *chosen = moved(*chosen, count + 1);
        }
        _ => state.selected = moved(state.selected, state.lessons.len()),
    }
}

pub(super) fn language(state: &mut State) -> Vec<Effect> {
    state.lang = state.lang.pick(crate::lang::Lang::Zh, crate::lang::Lang::En);
    let lesson = state.play.as_ref().and_then(|play| state.lesson(play.index)).cloned();
    if let (Some(play), Some(lesson)) = (&mut state.play, lesson) {
        play.session.translate(lesson);
        play.tops.remove(&Pane::Lesson);
    }
    if state.view == View::Doctor { vec![Effect::Doctor(state.lang)] } else { Vec::new() }
}

fn scroll(state: &mut State, by: i32, pages: bool) {
    let key = scrolled(state);
    let Some(extent) = state.extents.get(&key).copied() else { return };
    let lines = if pages { by * extent.rows.saturating_sub(1).max(1) as i32 } else { by };
    set_top(state, key, extent, extent.top.saturating_add_signed(lines as isize));
}

fn edge(state: &mut State, end: bool) {
    let key = scrolled(state);
    let Some(extent) = state.extents.get(&key).copied() else { return };
    set_top(state, key, extent, if end { usize::MAX } else { 0 });
}

/// What the scrolling keys move: the overlay or the view where they have one text, else the chosen pane.
fn scrolled(state: &State) -> Option<Pane> {
    match (&state.overlay, state.view, &state.play) {
        (None, View::Lesson, Some(play)) => Some(play.pane),
        _ => None,
    }
}

fn set_top(state: &mut State, key: Option<Pane>, extent: Extent, top: usize) {
    let (wanted, top) = (top, top.min(extent.last_top()));
    match (key, &mut state.play) {
        (Some(pane), Some(play)) => {
            // At the end it stays at the end, also where that moves. By itself a pane may show something before its end.
            let last = wanted > 0 && top == extent.last_top() && pane != Pane::Source;
            play.tops.insert(pane, if last { usize::MAX } else { top });
        }
        _ => state.top = top,
    }
}
