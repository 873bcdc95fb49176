//! Letters that spell a word: what was meant for the shell is not taken for keys of the lesson.
//!
//! Where a step is being prepared or done, or a call is held, a learner who went there by Space has the lesson's keys unasked, and may
//! type a command all the same. A single letter does what the key bar says, unless it would end what runs: then it is
//! asked for once more. Letters that follow one another are a word. Where a shell waits it gets the word; whatever the
//! first letters have changed on the screen is put back.

use super::{
    Command, Effect, Event, Focus, Key, Pane, Play, State, Zoom, answer, commands,
    input::send,
    keys::{self, Binding},
    state::ThemeName,
    update::tell,
};
use crate::{
    lang::Lang,
    lesson::TerminalId,
    session::{Phase, Wish},
};

/// What was pressed in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    text: String,
    /// The last key has done nothing yet: the same one once more does.
    waits: bool,
    /// How the screen looked before the first letter.
    before: Option<Before>,
}

#[derive(Clone, Copy, Debug)]
struct Before {
    lang: Lang,
    theme: ThemeName,
    pane: Pane,
    bottom: Pane,
    shown: TerminalId,
    picked: bool,
    both: Option<bool>,
    notes: bool,
    zoom: Option<Zoom>,
    holding: bool,
}

impl Before {
    fn of(state: &State, play: &Play) -> Before {
        Before {
            lang: state.lang,
            theme: state.look.theme,
            pane: play.pane,
            bottom: play.bottom,
            shown: play.shown,
            picked: play.picked,
            both: play.both,
            notes: play.notes,
            zoom: play.zoom,
            holding: play.session.holding(),
        }
    }
}

/// What becomes of a key that the lesson got unasked.
enum Turn {
    /// What the table says.
    Acts,
    /// Nothing yet: once more, and it does.
    Waits(Option<Binding>),
    /// It belongs to a word.
    Spells,
    /// Nothing: it takes back the key before it.
    TakesBack,
}

/// Takes a key for a part of a word; `None` where it is a key of the lesson and no more.
pub(super) fn spell(state: &mut State, key: Option<Key>) -> Option<Vec<Effect>> {
    let play = state.play.as_ref()?;
    let unasked = play.focus == Focus::Lesson && !play.asked;
    let phase = play.session.phase();
    let letter = match key {
        Some(Key::Char(letter)) => Some(letter),
        Some(Key::Enter) => Some('\r'),
        _ => None,
    };
    if key == Some(Key::Esc) && play.word.waits {
        state.play.as_mut()?.word = Word::default();
        return Some(Vec::new());
    }
    let spells = matches!(phase, Phase::Preparing(..) | Phase::Done | Phase::Blocked(_) | Phase::Held);
    let (Some(letter), true, true) = (letter, unasked, spells) else {
        state.play.as_mut()?.word = Word::default();
        return None;
    };
    let binding = key.and_then(|key| keys::binding(state, key));
    // Those that walk from call to call are pressed again and again, and begin no word then.
    let walks = binding.as_ref().is_some_and(|binding| matches!(binding.command, Command::Walk(_)));
    let turn = turn(&play.word, letter, binding);
    let before = play.word.before.unwrap_or_else(|| Before::of(state, play));
    let word = &mut state.play.as_mut()?.word;
    match turn {
        Turn::Acts => {
            *word = match letter.is_alphabetic() && !word.waits && !walks {
                true => Word { text: format!("{}{letter}", word.text), waits: false, before: Some(before) },
                false => Word::default(),
            };
            None
        }
        Turn::TakesBack => {
            *word = Word::default();
            Some(Vec::new())
        }
        Turn::Waits(binding) => {
            word.text.push(letter);
            (word.waits, word.before) = (true, Some(before));
            state.idle =
                Some(binding.map_or_else(|| answer::why(state, key), |binding| once_more(state, &binding, key)));
            Some(Vec::new())
        }
        Turn::Spells => {
            word.text.push(letter);
            (word.waits, word.before) = (true, Some(before));
            Some(hand_over(state, before))
        }
    }
}

fn turn(word: &Word, letter: char, binding: Option<Binding>) -> Turn {
    let length = word.text.chars().count();
    let blank = matches!(letter, ' ' | '\r');
    if word.waits {
        // What is no letter of a word, and the first letter of one, may be pressed once more.
        let again = word.text.ends_with(letter) && (blank || letter == 'q' || length == 1);
        return match () {
            () if again && binding.is_some() => Turn::Acts,
            () if blank && length == 1 || letter == '\r' => Turn::TakesBack,
            () if letter.is_ascii_digit() && length == 1 => Turn::Acts,
            () => Turn::Spells,
        };
    }
    let Some(binding) = binding else { return Turn::Waits(None) };
    let waits = match binding.command {
        Command::Back | Command::Reset | Command::Next => true,
        Command::Quit => length > 0,
        // The letter for it may be the beginning of a word, the bar and Return its end.
        Command::Go | Command::Finish if !blank => true,
        Command::Go | Command::Finish => length > 1,
        Command::RunOn => length > 0,
        _ => false,
    };
    match () {
        () if waits => Turn::Waits(Some(binding)),
        () if length > 1 && letter.is_alphabetic() => Turn::Spells,
        () => Turn::Acts,
    }
}

fn once_more(state: &State, binding: &Binding, key: Option<Key>) -> String {
    let lang = state.lang;
    let (key, label) =
        (key.map(|key| key.to_string()).unwrap_or_default(), lang.pick(binding.label.0, binding.label.1));
    match binding.command {
        Command::Back | Command::Reset | Command::Next => lang.pick(
            format!("{key} once more: {label}. What runs in the terminals ends"),
            format!("再按一次 {key}：{label}，终端里运行的程序会结束"),
        ),
        _ => lang.pick(
            format!("{key} once more: {label}. To type into the shell, press {} t first", state.prefix),
            format!("再按一次 {key}：{label}。要在 shell 里输入，请先按 {} t", state.prefix),
        ),
    }
}

/// The shell gets what was typed for it, and the keys, where it waits with nothing typed; the keys alone where they type along.
fn hand_over(state: &mut State, before: Before) -> Vec<Effect> {
    let mut effects = put_back(state, before);
    let (lang, prefix) = (state.lang, state.prefix);
    let Some(play) = &mut state.play else { return effects };
    let terminal = play.shown;
    if play.session.phase() == Phase::Held || play.is_empty(terminal) != Some(true) {
        let text = match play.session.phase() {
            Phase::Held => lang.pick(
                "A call is held: the shell waits until it happens. Space: next call, c: run on".into(),
                "有调用暂停着，shell 要等它发生：空格放行一个，c 全部放行".into(),
            ),
            _ => lang.pick(
                format!("No shell waits for a line in this terminal; {prefix} t gives it the keys"),
                format!("这个终端里没有 shell 在等命令；按 {prefix} t 把按键交给它"),
            ),
        };
        state.idle = Some(text);
        return effects;
    }
    let word = std::mem::take(&mut play.word);
    play.focus = Focus::Terminal;
    if !state.script.along || play.along.free {
        effects.extend(send(state, terminal, word.text.into_bytes()));
    }
    effects
}

fn put_back(state: &mut State, before: Before) -> Vec<Effect> {
    let mut effects = Vec::new();
    state.look.theme = before.theme;
    if state.lang != before.lang {
        effects.extend(commands::language(state));
    }
    let Some(play) = &mut state.play else { return effects };
    (play.pane, play.bottom, play.shown, play.picked) = (before.pane, before.bottom, before.shown, before.picked);
    (play.both, play.notes, play.zoom) = (before.both, before.notes, before.zoom);
    if play.session.holding() != before.holding {
        effects.extend(tell(state, Event::Wish(Wish::ToggleHold)));
    }
    effects
}
