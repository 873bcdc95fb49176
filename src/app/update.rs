//! One event in, effects out.

use super::{
    Effect, Event, Extents, Focus, Key, Overlay, Pane, Play, Shape, State, View, answer, attend::attend, commands,
    jump, keys, layout, play::Term, word,
};
use crate::{
    lesson::{self, Run, TerminalId},
    session::{Action, Report},
    terminal::{keys as encoding, shell::TAKE_OFFER},
    trace::TraceEvent,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// No system call has a longer name.
const LONGEST_NAME: usize = 32;

/// Takes in what happened; gives what is to be done, in order.
pub(crate) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let effects = happen(state, event);
    attend(state);
    effects
}

/// Takes in what the last frame measured.
pub(crate) fn measured(state: &mut State, extents: Extents) {
    // The key bar says whether there is more to read.
    state.dirty |= state.extents != extents;
    state.extents = extents;
    attend(state);
}

fn happen(state: &mut State, event: Event) -> Vec<Effect> {
    if !matches!(event, Event::Clock(_)) {
        state.dirty = true;
    }
    match event {
        Event::Key(key) => {
            (state.said, state.idle) = (None, None);
            on_key(state, key)
        }
        Event::Paste(text) => paste(state, &text),
        Event::Resize(columns, rows) => resize(state, columns, rows),
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
                let Some(lesson) = lesson.values().next() else { continue };
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
        Event::Open(lesson, step) => {
            let place = state.lessons.iter().position(|known| lesson::id(known) == lesson);
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
    let Some(play) = &mut state.play else { return Vec::new() };
    let actions = play.session.handle(event);
    let mut effects = Vec::new();
    let mut news = false;
    for action in actions {
        if let Action::Report(report) = &action {
            news |= state.progress.note(play.session.lesson(), report);
        }
        effects.extend(follow(play, action));
    }
    effects.extend(news.then_some(Effect::Save));
    effects
}

fn follow(play: &mut Play, action: Action) -> Option<Effect> {
    match &action {
        Action::Restart(terminal) => {
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
        Action::Step(_) | Action::RunOn(_) => play.remember(),
        Action::Report(report) => {
            if let Report::Step(_) = report {
                play.calls.clear();
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

fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    state.trouble = None;
    if event.modifiers.contains(KeyModifiers::ALT) && !in_terminal(state) {
        // Escape and a key pressed right after it arrive as one key with Alt, which nothing here is bound to.
        let mut effects = on_key(state, KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        let rest = KeyEvent { modifiers: event.modifiers - KeyModifiers::ALT, ..event };
        effects.extend(on_key(state, rest));
        return effects;
    }
    let key = Key::of(&event);
    if state.view == View::Lesson && state.overlay.is_none() {
        let prefix = state.prefix;
        if let Some(play) = &mut state.play {
            let again = std::mem::take(&mut play.left) && key == Some(prefix.key());
            if again {
                play.focus = Focus::Terminal;
                return vec![Effect::Write(play.shown, vec![prefix.byte()])];
            }
            let asked = play.session.guarded().is_some();
            if play.focus == Focus::Terminal && key != Some(prefix.key()) && !asked {
                // Only Space and the keys of panes may mean the lesson: the table says whether they do.
                let ours = key.filter(|key| *key == Key::Char(' ') || matches!(key, Key::F(_)) && !play.is_full());
                return match ours.and_then(|key| keys::command(state, key)) {
                    Some(command) => commands::run(state, command),
                    None => to_terminal(state, event),
                };
            }
        }
        if let Some(effects) = word::spell(state, key) {
            return effects;
        }
    }
    match (key.and_then(|key| keys::command(state, key)), &mut state.overlay) {
        (Some(command), _) => commands::run(state, command),
        (None, Some(Overlay::Until(name))) => {
            type_name(name, event.code);
            Vec::new()
        }
        (None, Some(Overlay::GoTo(_))) => jump::typed(state, event.code),
        (None, _) => {
            state.idle = Some(answer::why(state, key));
            Vec::new()
        }
    }
}

/// Whether keys go to a shell.
fn in_terminal(state: &State) -> bool {
    let focus = state.play.as_ref().map(|play| play.focus);
    state.view == View::Lesson && state.overlay.is_none() && focus == Some(Focus::Terminal)
}

fn type_name(name: &mut String, code: KeyCode) {
    match code {
        KeyCode::Char(letter) if is_of_a_call(letter) && name.len() < LONGEST_NAME => name.push(letter),
        KeyCode::Backspace => drop(name.pop()),
        _ => {}
    }
}

fn is_of_a_call(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

/// A key for the shell. An interrupt cannot arrive in a process that is held: those are let go first.
fn to_terminal(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Some(play) = &mut state.play else { return Vec::new() };
    let terminal = match event.code {
        KeyCode::Char(_) if event.modifiers.is_empty() => play.turn_to_the_task(),
        // So does the Ctrl-C that is due.
        _ if Key::of(&event) == Some(Key::Ctrl('c')) && play.due().is_some_and(Run::interrupts) => {
            play.turn_to_the_task()
        }
        _ => play.shown,
    };
    let Some(term) = play.terminals.get_mut(&terminal) else { return Vec::new() };
    let bytes = encoding::encode(event, term.screen.application_cursor());
    if bytes.is_empty() {
        return Vec::new();
    }
    term.screen.scroll_to_bottom();
    let mut effects = Vec::new();
    if Key::of(&event) == Some(Key::Ctrl('c')) && !play.session.held().is_empty() {
        effects.extend(tell(state, Event::Wish(crate::session::Wish::RunOn)));
    }
    effects.extend(send(state, terminal, bytes));
    if Key::of(&event) == Some(Key::Ctrl('l')) {
        // The shell clears its screen; what others left on ours goes with it.
        effects.push(Effect::Redraw);
    }
    effects
}

/// Sends bytes to a terminal. A line that ends with Return may be a command: what it changes is to be marked.
pub(super) fn send(state: &mut State, terminal: TerminalId, bytes: Vec<u8>) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(play) = &mut state.play {
        play.types = true;
        if let Some(term) = play.terminals.get_mut(&terminal) {
            term.screen.sent(&bytes);
            term.unechoed = true;
        }
    }
    if bytes.contains(&b'\r') {
        if let Some(play) = &mut state.play {
            play.remember();
            play.commands += 1;
            play.tops.remove(&Pane::Lesson);
        }
        effects.extend(tell(state, Event::Typed(terminal)));
    }
    effects.push(Effect::Write(terminal, bytes));
    effects
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(Overlay::Until(name)) = &mut state.overlay {
        let room = LONGEST_NAME.saturating_sub(name.len());
        name.extend(text.chars().filter(|letter| is_of_a_call(*letter)).take(room));
        return Vec::new();
    }
    if let Some(Overlay::GoTo(_)) = &state.overlay {
        text.chars().for_each(|letter| drop(jump::write(state, letter)));
        return Vec::new();
    }
    if !in_terminal(state) {
        let text = state.lang.pick(
            "Only a terminal takes what is pasted: give it the keys first",
            "只有终端接受粘贴：请先把按键交给终端",
        );
        state.idle = Some(text.into());
        return Vec::new();
    }
    let Some(play) = &mut state.play else { return Vec::new() };
    let terminal = play.turn_to_the_task();
    let Some(term) = play.terminals.get(&terminal) else { return Vec::new() };
    let bytes = encoding::paste(text, term.screen.bracketed_paste());
    send(state, terminal, bytes)
}

fn resize(state: &mut State, columns: u16, rows: u16) -> Vec<Effect> {
    // A terminal that does not know its size says 0 by 0.
    state.size = if columns == 0 || rows == 0 { (80, 24) } else { (columns, rows) };
    sizes(state)
}

/// The size of both terminals, for those who need to know.
pub(super) fn sizes(state: &mut State) -> Vec<Effect> {
    let (size, shape, large_print) = (state.size, state.shape(), state.look.large_print);
    let Some(play) = &mut state.play else { return Vec::new() };
    (play.shape, play.large_print) = (shape, large_print);
    if Shape::of(size) == Shape::TooSmall {
        return Vec::new();
    }
    let (rows, columns) = layout::places(size, play.chosen()).terminal_size;
    let mut effects = Vec::new();
    for (terminal, term) in &mut play.terminals {
        term.screen.set_size(rows, columns);
        effects.push(Effect::Resize(*terminal, rows, columns));
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
        if held && play.pane == Pane::Lesson && play.shape == Shape::Small {
            // One pane at a time: what is about to happen is what there is to see now.
            play.pane = Pane::Calls;
        }
    }
    tell(state, Event::Trace(terminal, event))
}
