//! The keys of a lesson, by what is to be done now.

use super::{
    super::{Pane, Play, State, View},
    Binding, Command, Key, bind, common, letter, scrolling,
};
use crate::{lesson::TerminalId, session::Phase};

/// A call that would change the machine itself waits. What was typed ahead for a shell must not answer: letting it happen
/// takes a capital letter.
pub(super) fn guarding() -> Vec<Binding> {
    vec![
        bind(&[Key::Char('n'), Key::Esc, Key::Ctrl('c')], Command::Allow(false), ("refuse it", "拒绝"), 0),
        letter('Y', Command::Allow(true), ("let it happen, on the machine itself", "放行，改变机器本身"), 0),
        bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None),
    ]
}

pub(super) fn in_terminal(state: &State, play: &Play) -> Vec<Binding> {
    let mut all = Vec::new();
    let space = &[Key::Char(' ')];
    let goes_on = play.space_goes_on();
    if play.space_types() {
        all.push(bind(space, Command::Go, ("type the command", "输入命令"), 0));
    } else if goes_on {
        all.push(onward(play, space));
    }
    let label = match play.session.phase() {
        Phase::Held => ("leaves the terminal; then Space: next call", "离开终端；再按空格：下一个调用"),
        _ if goes_on => ("lesson keys: h hint, p step before, ?, q", "课程键：h 提示、p 上一步、?、q"),
        _ if play.space_types() => ("lesson keys: h hint, n next, ?, q", "课程键：h 提示、n 下一步、?、q"),
        _ => (
            "lesson keys: h hint, n next, ?, q; every other key: the shell",
            "课程键：h 提示、n 下一步、?、q；其他按键都发给 shell",
        ),
    };
    all.push(bind(&[state.prefix.key()], Command::Terminal, label, 1));
    if play.terminals.get(&play.shown).is_some_and(|term| term.screen.history() > 0) {
        // The prefix gives the keys to the lesson, where the bracket is the key.
        all.push(bind(&[], Command::Terminals(1), ("scroll", "滚动"), 2).shown(format!("{} [", state.prefix)));
    }
    if !play.is_full() {
        all.extend(everywhere());
    }
    all
}

/// Where a step is done, what comes after it.
fn onward(play: &Play, keys: &[Key]) -> Binding {
    match play.is_last() {
        false => bind(keys, Command::Go, ("next step", "下一步"), 0),
        true => bind(keys, Command::Finish, ("how it went", "本课小结"), 0),
    }
}

pub(super) fn in_lesson(state: &State, play: &Play) -> Vec<Binding> {
    let asking = matches!(play.session.phase(), Phase::Asking(_));
    let over = play.is_over();
    let mut all = due(state, play);
    if asking {
        // Who types a command before the question is answered must not be taken at each letter.
        all.push(bind(&[state.prefix.key()], Command::Terminal, TERMINAL, 4));
    } else {
        all.extend(terminals(state, play));
    }
    all.extend(panes(play));
    all.extend(steps(play, asking));
    all.extend(others(play, asking));
    all.extend(scrolling(state, Some(play.pane)));
    all.extend(common(state, View::Lesson));
    if asking {
        all.retain(|binding| binding.command != Command::Doctor);
    }
    if over {
        all.iter_mut().filter(|binding| !helps(binding.command)).for_each(|binding| binding.rank = None);
    }
    all
}

/// What is to be done now.
fn due(state: &State, play: &Play) -> Vec<Binding> {
    let go: &[Key] = &[Key::Char(' '), Key::Enter];
    match play.session.phase() {
        Phase::Asking(_) if asks(state, play) => answers(play),
        Phase::Asking(_) => vec![bind(go, Command::ShowQuestion, ("show the question", "看问题"), 0)],
        Phase::Due(_) if !play.is_over() => vec![bind(go, Command::Go, ("type the command", "输入命令"), 0)],
        Phase::Done | Phase::Blocked(_) => vec![onward(play, go)],
        Phase::Held => vec![
            bind(go, Command::Go, ("next call", "下一个调用"), 0),
            letter('c', Command::RunOn, ("run on", "放行"), 1),
            letter('u', Command::RunUntil, ("run until …", "运行到…"), 5),
        ],
        _ => Vec::new(),
    }
}

const TERMINAL: (&str, &str) = ("to the terminal", "进入终端");

fn terminals(state: &State, play: &Play) -> Vec<Binding> {
    let mut all = Vec::new();
    if !play.is_over() {
        let (hold, rank) = match play.session.holding() {
            true => (("hold calls: on", "逐个暂停：开"), 5),
            false => (("hold calls: off", "逐个暂停：关"), 14),
        };
        all.push(letter('x', Command::ToggleHold, hold, rank));
        all.push(bind(&[Key::Char('t'), state.prefix.key()], Command::Terminal, TERMINAL, 4));
    }
    let other = match play.shown {
        TerminalId::Container => ("host terminal", "宿主机终端"),
        TerminalId::Host => ("container terminal", "容器终端"),
    };
    all.push(letter('o', Command::OtherTerminal, other, 11));
    let both = match play.sees_both() {
        true => ("both terminals: on", "两个终端：开"),
        false => ("both terminals: off", "两个终端：关"),
    };
    all.push(letter('b', Command::BothTerminals, both, 17));
    all
}

fn panes(play: &Play) -> Vec<Binding> {
    let mut all = vec![
        bind(&[Key::Tab], Command::NextPane, ("pane", "窗格"), 7),
        bind(&[Key::BackTab], Command::PreviousPane, ("pane before", "上一个窗格"), None),
    ];
    for pane in Pane::ALL.into_iter().filter(|pane| pane.number() > play.answers()) {
        let key = char::from_digit(pane.number() as u32, 10).unwrap_or('1');
        all.push(letter(key, Command::Show(pane), pane.label(), None));
    }
    all.extend(everywhere());
    // Where a step is done, `i` may be the beginning of `ip` or `id`.
    let done = matches!(play.session.phase(), Phase::Done | Phase::Blocked(_));
    if play.calls_to_walk().next().is_some() && (play.walks() || !done) {
        all.push(letter('i', Command::OpenCall, ("explain", "调用详情"), Some(call_rank(play))));
        if play.walks() {
            all.push(bind(&[Key::Up, Key::Char('k')], Command::Walk(false), ("calls", "选择调用"), 3).shown("↑↓"));
            all.push(bind(&[Key::Down, Key::Char('j')], Command::Walk(true), ("", ""), None));
        }
    }
    all
}

/// The keys that show a pane wherever the keys go, unless a program draws the whole screen.
fn everywhere() -> impl Iterator<Item = Binding> {
    Pane::ALL.into_iter().map(|pane| {
        let label = if pane == Pane::Lesson { ("panes, from everywhere", "窗格，随时可用") } else { ("", "") };
        bind(&[Key::F(pane.number() as u8)], Command::Show(pane), label, None).shown("F1-F8")
    })
}

/// How much it matters that the bar tells of opening a call: most where calls are what is looked at.
fn call_rank(play: &Play) -> u8 {
    if play.walks() || play.session.phase() == Phase::Held { 2 } else { 13 }
}

/// Help, and the way to other steps.
fn steps(play: &Play, asking: bool) -> Vec<Binding> {
    let session = &play.session;
    let mut all = Vec::new();
    let rungs = session.rungs();
    if session.hints() < rungs {
        all.push(letter('h', Command::Hint, ("hint", "提示"), 6).shown(format!("h({})", rungs - session.hints())));
    }
    let done = matches!(session.phase(), Phase::Done | Phase::Blocked(_));
    if play.shows() {
        all.push(letter('n', Command::PassOver, ("pass over it", "略过它"), 3));
    } else if !play.is_last() && !asking {
        let (command, rank) = if done { (Command::Go, None) } else { (Command::Next, Some(8)) };
        all.push(letter('n', command, ("next step", "下一步"), rank));
    }
    if session.step_index() > 0 && !asking {
        all.push(letter('p', Command::Back, ("step before", "上一步"), 9));
    }
    if !asking {
        all.push(letter('r', Command::Reset, ("begin again", "重来"), if play.is_over() { 0 } else { 10 }));
    }
    all.push(letter('g', Command::GoTo, ("go to step", "跳到"), 12));
    all
}

fn others(play: &Play, asking: bool) -> Vec<Binding> {
    let mut all = Vec::new();
    if !asking {
        all.push(letter('s', Command::Show(Pane::Source), ("source", "源码"), 13));
    }
    if !play.session.proof().is_empty() && !asking {
        all.push(letter('e', Command::Export, ("write the proof card into a file", "把证据卡写入文件"), 15));
    }
    let past = play.terminals.get(&play.shown).is_some_and(|term| term.screen.history() > 0);
    let scrolls =
        bind(&[Key::Char('[')], Command::Terminals(1), ("scroll the terminal", "滚动终端"), past.then_some(11));
    all.push(scrolls.shown("[ ]"));
    all.push(letter(']', Command::Terminals(-1), ("", ""), None));
    let notes = match play.notes {
        true => ("speaker notes: on", "讲者备注：开"),
        false => ("speaker notes: off", "讲者备注：关"),
    };
    all.push(letter('N', Command::Notes, notes, None));
    all.push(bind(&[Key::Esc], Command::Close, ("lessons", "课程列表"), None));
    all
}

/// Whether a key helps somebody whose shell has ended.
fn helps(command: Command) -> bool {
    matches!(
        command,
        Command::Reset | Command::Back | Command::GoTo | Command::OtherTerminal | Command::Help | Command::Quit
    )
}

/// Whether the open question is to be seen: only then digits answer it.
fn asks(state: &State, play: &Play) -> bool {
    let shown = play.pane == Pane::Lesson || Pane::Lesson.always_on(state.shape());
    shown && state.extents.get(&Some(Pane::Lesson)).is_some_and(|extent| extent.shows)
}

fn answers(play: &Play) -> Vec<Binding> {
    let count = play.answers();
    (0..count)
        .filter_map(|answer| Some((answer, char::from_digit(answer as u32 + 1, 10)?)))
        .map(|(answer, key)| {
            let rank = (answer == 0).then_some(0);
            letter(key, Command::Answer(answer), ("your answer", "你的答案"), rank).shown(format!("1-{count}"))
        })
        .collect()
}
