//! The lesson's lines, typed by a speaker's keys or by themselves.
//!
//! Type-along: whatever key is hit, the next character of the line that is due goes to the shell. What the shell gets is
//! typed like anything else, so that the line can be changed before it runs, and what it ran is what is ticked off. With a
//! pace, the app hits the keys; by itself, it also does what stands between two lines. Time is not known here: what waits is
//! asked for as [`Effect::Wake`] and comes as [`Event::Woke`].
//!
//! Keys come faster than a shell answers, and overtake its output. So what stands behind the prompt is known by what was sent,
//! not by what is seen; and where no line is due, or the shell has not taken the last one yet, a key does nothing.

use super::{Effect, Event, Focus, Key, Play, State, View, finish, input::send, update::tell};
use crate::{
    lesson::{Block, CONTAINER, Run, TerminalId},
    session::{Phase, Wish},
};
use crossterm::event::KeyEvent;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who types the lesson's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// Whether each key types the next character.
    pub along: bool,
    /// Whether a line that is asked for is typed at the speed of a person.
    pub pace: bool,
    /// So long after the last thing that happened, the lesson goes on by itself.
    pub auto: Option<Duration>,
}

/// How far the line is that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Along {
    /// What was sent of it, and where to; `None` where nothing was typed along since the prompt was empty.
    typed: Option<(TerminalId, String)>,
    /// A line was submitted there, and its shell has not taken it yet.
    sent: Option<TerminalId>,
    /// Whether the keys are the speaker's own for now.
    pub free: bool,
    /// Whether the line is being typed by itself.
    pacing: bool,
    /// How many lines of a challenge's solution were sent.
    solved: usize,
    /// What the lesson waits for, if it was last asked to go on by itself.
    planned: Option<Awaits>,
}

/// What a lesson that plays by itself waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaits {
    step: usize,
    phase: Phase,
    solved: usize,
    /// Calls that have happened: each held one is waited for anew.
    calls: usize,
}

/// What the next key does where keys type along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextKey {
    /// Type the next character.
    Types,
    /// The line is whole: Return runs it.
    Runs,
    /// The line is as far as the lesson has it: the rest is the speaker's.
    Leaves,
    /// Whatever the speaker likes.
    Own,
    /// Nothing: no line is due, or not yet.
    Waits,
}

/// A short breath before a line that was typed by itself runs.
const BREATH: Duration = Duration::from_millis(600);

impl Play {
    /// The line that is to be typed next, and where; the second value says whether the speaker has to write its end.
    fn line(&self) -> Option<(Run, String, bool)> {
        let run = self.due().cloned().or_else(|| self.solution())?;
        let line = self.fill(&run.line);
        // A PID that is not known yet is left to the speaker.
        match line.split_once(CONTAINER) {
            Some((known, _)) => Some((run, known.to_string(), true)),
            None => Some((run, line, false)),
        }
    }

    /// The next line of a challenge's solution, where the lesson plays by itself.
    fn solution(&self) -> Option<Run> {
        self.by_itself.then_some(())?;
        matches!(self.session.phase(), Phase::Checking(_)).then_some(())?;
        self.session.step()?.solutions().into_iter().next()?.into_iter().nth(self.along.solved)
    }

    /// Whether a line can be begun in this terminal.
    fn takes(&self, run: &Run) -> bool {
        run.interrupts() || self.is_empty(run.terminal) == Some(true)
    }

    /// What the next key does; `None` where it is the speaker's own, because there is no line, or the shell is gone.
    pub(crate) fn next_key(&self) -> Option<NextKey> {
        if self.is_over() || self.is_lost() {
            return None;
        }
        let Some((run, line, half)) = self.line() else {
            let ours = !matches!(self.session.phase(), Phase::Due(_) | Phase::Checking(_) | Phase::Free);
            return (ours && !self.along.free && !self.is_lab()).then_some(NextKey::Waits);
        };
        let typed = match &self.along.typed {
            Some((terminal, typed)) if *terminal == run.terminal && line.starts_with(typed.as_str()) => Some(typed),
            _ => None,
        };
        Some(match typed {
            _ if self.along.free => NextKey::Own,
            _ if self.along.sent == Some(run.terminal) => NextKey::Waits,
            None if self.along.typed.as_ref().is_some_and(|(_, typed)| !typed.is_empty()) => NextKey::Own,
            None if !self.takes(&run) => match self.stands(run.terminal) {
                true => NextKey::Own,
                false => NextKey::Waits,
            },
            _ if run.interrupts() => NextKey::Runs,
            typed if typed.is_none_or(|typed| typed.len() < line.len()) => NextKey::Types,
            _ if half => NextKey::Leaves,
            _ => NextKey::Runs,
        })
    }

    /// Whether somebody's line stands behind the prompt of this terminal.
    fn stands(&self, terminal: TerminalId) -> bool {
        self.terminals.get(&terminal).is_some_and(|term| !term.unechoed && term.screen.prompt_is_empty() == Some(false))
    }

    /// Whether an Escape that came together with another key is a key of its own.
    pub(super) fn escapes(&self) -> bool {
        self.next_key().is_some_and(|next| next != NextKey::Own)
    }
}

impl Along {
    /// The shell of this terminal has taken a line, or has come back to its prompt.
    pub(super) fn taken(&mut self, terminal: TerminalId) {
        self.sent = self.sent.filter(|sent| *sent != terminal);
    }

    /// How many bytes of the line were sent.
    fn length(&self) -> usize {
        self.typed.as_ref().map_or(0, |(_, typed)| typed.len())
    }
}

/// A text was pasted: the line is the speaker's own.
pub(super) fn pasted(play: &mut Play) {
    play.along.free |= play.next_key().is_some();
}

/// Takes a key that would go to a shell; `None` where it goes there as it is.
pub(super) fn key(state: &mut State, event: KeyEvent) -> Option<Vec<Effect>> {
    if !state.script.along && !state.play.as_ref().is_some_and(|play| play.along.pacing) {
        return None;
    }
    let play = state.play.as_mut().filter(|play| play.focus == Focus::Terminal && !play.is_full())?;
    let key = Key::of(&event);
    if play.along.pacing && !matches!(key, Some(Key::Esc | Key::Enter | Key::Ctrl('c'))) {
        // No key goes into a line that types itself.
        return Some(Vec::new());
    }
    play.along.pacing = false;
    let next = play.next_key().filter(|next| *next != NextKey::Waits || state.script.along)?;
    if key == Some(Key::Esc) {
        return Some(turn(state, next));
    }
    if next == NextKey::Waits {
        return waits(state, key);
    }
    let (run, line, _) = play.line()?;
    match (next, key) {
        (NextKey::Own, _) => None,
        (NextKey::Types, Some(Key::Char(_))) => Some(type_on(state, &run, &line, 1)),
        (NextKey::Types, Some(Key::Enter)) => Some(type_on(state, &run, &line, usize::MAX)),
        (NextKey::Runs, Some(Key::Enter)) => Some(submit(state, &run)),
        (NextKey::Runs, Some(Key::Char(_))) => {
            let text = state.lang.pick(
                "The line is whole: Enter runs it, Esc lets you change it",
                "这一行已打完：回车运行，Esc 可以修改",
            );
            state.idle = Some(text.into());
            Some(Vec::new())
        }
        (NextKey::Types | NextKey::Runs, Some(Key::Backspace)) if play.along.length() > 0 => {
            if let Some((_, typed)) = &mut play.along.typed {
                typed.pop();
            }
            Some(send(state, run.terminal, vec![0x7f]))
        }
        // A speaker who moves in the line goes on without help; these two end it.
        (_, Some(Key::Ctrl('u'))) => {
            if let Some((_, typed)) = &mut play.along.typed {
                typed.clear();
            }
            None
        }
        (_, Some(Key::Ctrl('c'))) => {
            // Another prompt comes.
            (play.along.typed, play.along.sent) = (None, Some(play.shown));
            None
        }
        _ => {
            play.along.free |= play.along.length() > 0;
            None
        }
    }
}

/// A key that types nothing, because no line is due yet; `None` where it means something else.
fn waits(state: &mut State, key: Option<Key>) -> Option<Vec<Effect>> {
    let play = state.play.as_ref()?;
    match key? {
        Key::Char(' ') if play.space_goes_on() => return None,
        Key::Char(_) | Key::Enter | Key::Backspace => {}
        _ => return None,
    }
    // While a line runs, it is only too early.
    if play.along.sent.is_none() && play.session.phase() != Phase::Running {
        let text = state.lang.pick("No line is due here; Esc gives you the keys", "现在没有要打的行；按 Esc 自由输入");
        state.idle = Some(text.into());
    }
    Some(Vec::new())
}

/// Escape: the speaker's own keys, and back.
fn turn(state: &mut State, next: NextKey) -> Vec<Effect> {
    let lang = state.lang;
    let Some(play) = &mut state.play else { return Vec::new() };
    let terminal = play.line().map_or(play.shown, |(run, ..)| run.terminal);
    let text = match next {
        NextKey::Own if play.is_empty(terminal) == Some(true) => {
            (play.along.free, play.along.typed) = (false, None);
            lang.pick("Each key types the next character of the line", "每按一个键，就打出这一行的下一个字符")
        }
        NextKey::Own => lang.pick(
            "Your own line stands there: run it, or drop it with ^U; then Esc types along again",
            "那里是你自己的一行：运行它，或用 ^U 清掉；再按 Esc 恢复跟打",
        ),
        _ => {
            play.along.free = true;
            lang.pick("Your own keys now; Esc types along again", "现在按什么就是什么；再按 Esc 恢复跟打")
        }
    };
    state.said = Some(text.into());
    Vec::new()
}

/// Sends the next characters of the line.
fn type_on(state: &mut State, run: &Run, line: &str, count: usize) -> Vec<Effect> {
    let Some(play) = &mut state.play else { return Vec::new() };
    let (_, typed) = play.along.typed.get_or_insert_with(|| (run.terminal, String::new()));
    let text: String = line.get(typed.len()..).unwrap_or_default().chars().take(count).collect();
    typed.push_str(&text);
    (play.shown, play.focus) = (run.terminal, Focus::Terminal);
    send(state, run.terminal, text.into_bytes())
}

/// Runs the line as it stands.
fn submit(state: &mut State, run: &Run) -> Vec<Effect> {
    if let Some(play) = &mut state.play {
        play.along.solved += usize::from(matches!(play.session.phase(), Phase::Checking(_)));
        (play.along.typed, play.along.sent) = (None, Some(run.terminal));
        (play.along.free, play.along.pacing) = (false, false);
    }
    send(state, run.terminal, vec![if run.interrupts() { 0x03 } else { b'\r' }])
}

/// Begins to type the line that is due by itself; `None` where that is not wanted, or there is none.
pub(super) fn begin(state: &mut State) -> Option<Vec<Effect>> {
    let play = state.play.as_mut().filter(|_| state.script.pace)?;
    let next = play.next_key()?;
    let (run, ..) = play.line()?;
    if !play.takes(&run) && play.along.length() == 0 || matches!(next, NextKey::Leaves | NextKey::Waits) {
        return None;
    }
    (play.along.free, play.along.pacing) = (false, true);
    (play.shown, play.focus) = (run.terminal, Focus::Terminal);
    Some(vec![Effect::Wake(pause(play.along.length(), ' '))])
}

/// How long a person takes for a character: the same each time, so that a demo can be rehearsed.
fn pause(at: usize, before: char) -> Duration {
    // People type unevenly, and think of words as a whole.
    let uneven = (at * 37 + 11) % 60;
    let word = if before == ' ' { 90 } else { 0 };
    Duration::from_millis(45 + uneven as u64 + word)
}

/// The time that was asked for is over.
pub(super) fn woke(state: &mut State) -> Vec<Effect> {
    let Some(play) = state.play.as_mut().filter(|_| state.view == View::Lesson) else { return Vec::new() };
    if !play.along.pacing {
        let due = play.along.planned.take().is_some_and(|planned| Some(planned) == awaits(play));
        return if due && state.script.auto.is_some() { go_on(state) } else { Vec::new() };
    }
    let next = play.next_key().filter(|_| play.session.guarded().is_none());
    let Some((next, (run, line, _))) = next.zip(play.line()) else {
        play.along.pacing = false;
        return Vec::new();
    };
    match next {
        NextKey::Types => {
            let last = line.get(play.along.length()..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
            let mut effects = type_on(state, &run, &line, 1);
            let typed = state.play.as_ref().map_or(0, |play| play.along.length());
            effects.push(Effect::Wake(if typed >= line.len() { BREATH } else { pause(typed, last) }));
            effects
        }
        NextKey::Runs => submit(state, &run),
        NextKey::Leaves => {
            (play.along.pacing, play.along.free) = (false, true);
            Vec::new()
        }
        NextKey::Own | NextKey::Waits => {
            play.along.pacing = false;
            Vec::new()
        }
    }
}

/// What the lesson waits for; `None` while something runs, and where only a person may decide.
fn awaits(play: &Play) -> Option<Awaits> {
    let phase = play.session.phase();
    let ready = match &phase {
        Phase::Asking(_) | Phase::Held | Phase::Done | Phase::Blocked(_) => true,
        Phase::Due(_) | Phase::Checking(_) => {
            play.line().is_some_and(|(run, _, half)| !half && play.takes(&run) && play.along.sent != Some(run.terminal))
        }
        Phase::Preparing(..) | Phase::Running | Phase::Guarded | Phase::Free => false,
    };
    let (step, solved, calls) = (play.session.step_index(), play.along.solved, play.calls.end());
    (ready && !play.along.pacing).then_some(Awaits { step, phase, solved, calls })
}

/// Has the lesson go on by itself once it has waited long enough; whatever happens begins that anew.
pub(super) fn plan(state: &mut State, key: bool) -> Option<Effect> {
    let after = state.script.auto.filter(|_| state.view == View::Lesson && state.overlay.is_none())?;
    let play = state.play.as_mut()?;
    play.by_itself = true;
    let now = awaits(play);
    if now == play.along.planned && !(key && now.is_some()) {
        return None;
    }
    play.along.planned = now;
    // Many calls in a row are walked through faster.
    let held = play.session.phase() == Phase::Held;
    play.along.planned.is_some().then_some(Effect::Wake(if held { after / 3 } else { after }))
}

/// Does what a learner would do now.
fn go_on(state: &mut State) -> Vec<Effect> {
    let Some(play) = &state.play else { return Vec::new() };
    match play.session.phase() {
        Phase::Asking(block) => match play.session.step().and_then(|step| step.blocks.get(block)) {
            Some(Block::Predict(predict)) => tell(state, Event::Wish(Wish::Answer(predict.answer))),
            _ => Vec::new(),
        },
        Phase::Due(_) | Phase::Checking(_) => begin(state).unwrap_or_default(),
        Phase::Held => tell(state, Event::Wish(Wish::StepCall)),
        Phase::Done | Phase::Blocked(_) if play.is_last() => finish::go_on(state),
        Phase::Done | Phase::Blocked(_) => tell(state, Event::Wish(Wish::Go)),
        _ => Vec::new(),
    }
}

/// Switches typing along on or off.
pub(super) fn toggle(state: &mut State) {
    state.script.along = !state.script.along;
    if let Some(play) = &mut state.play {
        play.along.free = false;
    }
    let text = match state.script.along {
        true => state.lang.pick(
            "Type along: on. Each key in the terminal types the next character of the line",
            "跟打：开。在终端里每按一个键，就打出这一行的下一个字符",
        ),
        false => state.lang.pick("Type along: off", "跟打：关"),
    };
    state.said = Some(text.into());
}
