//! The keys of a lesson, by what is to be done now.

use super::{
    super::{NextKey, Pane, Play, State, View, Zoom},
    Binding, Command, Key, bind, common, letter, scrolling,
};
use crate::{class::Flag, lang::Lang, lesson::TerminalId, session::Phase};

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
    let along = play.next_key().filter(|_| state.script.along);
    if let Some(next) = along {
        all.extend(typing_along(next, state.lang));
        all.extend((next == NextKey::Waits && goes_on).then(|| onward(play, space)));
    } else if play.space_types() {
        all.push(bind(space, Command::Go, ("type the command", "输入命令"), 0));
    } else if goes_on {
        all.push(onward(play, space));
    }
    let label = match play.session.phase() {
        Phase::Held => ("leaves the terminal; then Space: next call", "离开终端；再按空格：下一个调用"),
        _ if play.is_lab() && play.space_types() => ("lab keys: panes, x hold, ?, q", "实验台按键：窗格、x 暂停、?、q"),
        _ if play.is_lab() => (
            "lab keys: panes, x hold, ?, q; every other key: the shell",
            "实验台按键：窗格、x 暂停、?、q；其他按键都发给 shell",
        ),
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
        all.extend(everywhere(play));
    }
    all
}

/// What keys do where they type along. Who gets them decides; here it only stands what that will be.
fn typing_along(next: NextKey, lang: Lang) -> Vec<Binding> {
    let row = |shown: &str, label, rank| bind(&[], Command::TypeAlong, label, rank).shown(shown);
    let own = row("Esc", ("own keys", "自由输入"), 2);
    match next {
        NextKey::Types => {
            let any = lang.pick("any key", "任意键");
            vec![row(any, ("types along", "跟打一个字符"), 0), row("Enter", ("whole line", "打完整行"), 1), own]
        }
        NextKey::Runs => vec![row("Enter", ("runs it", "运行"), 0), own],
        NextKey::Leaves => vec![row("Enter", ("runs what you add", "补完后运行"), 0)],
        NextKey::Own => vec![row("Esc", ("type along again", "恢复跟打"), 0)],
        NextKey::Waits => vec![own],
    }
}

/// Where a step is done, what comes after it.
fn onward(play: &Play, keys: &[Key]) -> Binding {
    match play.is_last() {
        false => bind(keys, Command::Go, ("next step", "下一步"), 0),
        true => bind(keys, Command::Finish, ("how it went", "本课小结"), 0),
    }
}

pub(super) fn in_lesson(state: &State, play: &Play) -> Vec<Binding> {
    if play.is_lab() {
        return in_lab(state, play);
    }
    let asking = matches!(play.session.phase(), Phase::Asking(_));
    let over = play.is_over();
    let mut all = due(state, play);
    all.extend(interrupt(play));
    if asking {
        // Who types a command before the question is answered must not be taken at each letter.
        let keys: &[Key] = if play.asked { &[Key::Char('t')] } else { &[] };
        all.push(bind(keys, Command::Terminal, TERMINAL, 4).shown(format!("{} t", state.prefix)));
    } else {
        all.extend(terminals(play));
    }
    all.extend(panes(play));
    all.extend(steps(play, asking));
    all.extend(flags(state));
    all.extend(others(state, play, asking));
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

/// Where nothing is taught: terminals, panes, calls.
fn in_lab(state: &State, play: &Play) -> Vec<Binding> {
    let mut all = due(state, play);
    all.extend(interrupt(play));
    all.extend(terminals(play));
    // Without a lesson nothing else holds calls.
    all.iter_mut().filter(|binding| binding.command == Command::ToggleHold).for_each(|hold| hold.rank = Some(3));
    all.extend(containers(play));
    all.extend(panes(play));
    if play.shows() {
        all.push(letter('n', Command::PassOver, ("pass over it", "略过它"), 3));
    }
    let again = if play.is_over() { 0 } else { 10 };
    all.push(letter('r', Command::Reset, ("begin again", "重来"), again));
    all.push(letter('s', Command::Show(Pane::Source), ("source", "源码"), 13));
    if state.past.is_there() {
        all.push(letter('<', Command::Past(false), ("what just happened", "回看刚才"), 15));
    }
    all.extend(flags(state));
    all.extend(shown_to_others(state));
    all.extend(out(play));
    all.extend(history(play));
    all.extend(scrolling(state, Some(play.pane)));
    all.extend(common(state, View::Lesson));
    all
}

/// The list of containers, which the bar tells of where there is a choice.
fn containers(play: &Play) -> Option<Binding> {
    let count = play.containers().len();
    let label = ("containers", "容器列表");
    let rank = (count > 1).then_some(2);
    play.is_lab().then(|| letter('v', Command::Containers, label, rank).shown(format!("v({count})")))
}

/// What is to be done now.
fn due(state: &State, play: &Play) -> Vec<Binding> {
    let go: &[Key] = &[Key::Char(' '), Key::Enter];
    match play.session.phase() {
        Phase::Asking(_) if asks(state, play) => answers(play),
        Phase::Asking(_) => vec![bind(go, Command::ShowQuestion, ("show the question", "看问题"), 0)],
        Phase::Due(_) if !play.is_over() && !play.is_lost() => {
            vec![bind(go, Command::Go, ("type the command", "输入命令"), 0)]
        }
        Phase::Done | Phase::Blocked(_) => vec![onward(play, go)],
        Phase::Held => vec![
            bind(go, Command::Go, ("next call", "下一个调用"), 0),
            letter('c', Command::RunOn, ("run on", "放行"), 1),
            letter('f', Command::WhatIf, ("what if", "如果…"), 2),
            letter('u', Command::RunUntil, ("run until …", "运行到…"), 5),
        ],
        _ => Vec::new(),
    }
}

/// While a program runs, or is held, this key is for it: who wants to end a command must not end the session.
fn interrupt(play: &Play) -> Option<Binding> {
    let runs = play.session.is_busy(play.shown);
    runs.then(|| bind(&[Key::Ctrl('c')], Command::Interrupt, ("interrupt the program", "中断程序"), None))
}

const TERMINAL: (&str, &str) = ("to the terminal", "进入终端");

fn terminals(play: &Play) -> Vec<Binding> {
    let mut all = Vec::new();
    if !play.is_over() {
        let (hold, rank) = match play.session.holding() {
            true => (("hold calls: on", "逐个暂停：开"), 5),
            false => (("hold calls: off", "逐个暂停：关"), 14),
        };
        all.push(letter('x', Command::ToggleHold, hold, rank));
        all.push(letter('t', Command::Terminal, TERMINAL, 4));
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
    for pane in play.panes().filter(|pane| pane.number() > play.answers()) {
        let key = pane.digit();
        all.push(letter(key, Command::Show(pane), pane.label(), None));
    }
    all.extend(everywhere(play));
    // Where a step is done, `i` may be the beginning of `ip` or `id`.
    let done = matches!(play.session.phase(), Phase::Done | Phase::Blocked(_));
    if play.calls_to_walk().next().is_some() && (play.walks() || !done) {
        all.push(letter('i', Command::OpenCall, ("explain", "调用详情"), Some(call_rank(play))));
        if play.walks() {
            all.push(bind(&[Key::Up, Key::Char('k')], Command::Walk(false), ("call", "选调用"), 3).shown("↑↓"));
            all.push(bind(&[Key::Down, Key::Char('j')], Command::Walk(true), ("", ""), None));
        }
    }
    all
}

/// The keys that show a pane wherever the keys go, unless a program draws the whole screen.
fn everywhere(play: &Play) -> impl Iterator<Item = Binding> + use<> {
    let first = play.panes().next();
    play.panes().map(move |pane| {
        let label = if Some(pane) == first { ("panes, from everywhere", "窗格，随时可用") } else { ("", "") };
        bind(&[Key::F(pane.number() as u8)], Command::Show(pane), label, None).shown("F1-F10")
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
    let wanted = play.is_over() || play.is_lost();
    if !asking || wanted {
        all.push(letter('r', Command::Reset, ("begin again", "重来"), if wanted { 0 } else { 10 }));
    }
    all.push(letter('g', Command::GoTo, ("go to step", "跳到"), 12));
    all
}

fn others(state: &State, play: &Play, asking: bool) -> Vec<Binding> {
    let mut all = Vec::new();
    if !asking {
        all.push(letter('s', Command::Show(Pane::Source), ("source", "源码"), 13));
    }
    if !play.session.proof().is_empty() && !asking {
        all.push(letter('e', Command::Export, ("write the proof card into a file", "把证据卡写入文件"), 15));
    }
    if state.past.is_there() {
        all.push(letter('<', Command::Past(false), ("what just happened", "回看刚才"), 15));
    }
    all.extend(out(play));
    all.extend(history(play));
    let notes = match play.notes {
        true => ("speaker notes: on", "讲者备注：开"),
        false => ("speaker notes: off", "讲者备注：关"),
    };
    // What the hall must not see stands in the speaker's view.
    if state.hall.is_none() {
        all.push(letter('N', Command::Notes, notes, None));
    }
    let along = match state.script.along {
        true => ("type along: on", "跟打：开"),
        false => ("type along: off", "跟打：关"),
    };
    all.push(letter('a', Command::TypeAlong, along, None));
    all.extend(shown_to_others(state));
    all.push(bind(&[Key::Esc], Command::Close, ("lessons", "课程列表"), None));
    all
}

/// For a room, and for the viewer of a recording.
fn shown_to_others(state: &State) -> impl Iterator<Item = Binding> + use<> {
    let keys = match state.caster.is_some() {
        true => ("show which keys are pressed: on", "显示按键：开"),
        false => ("show which keys are pressed: off", "显示按键：关"),
    };
    let mark = state
        .recorded
        .then(|| letter('*', Command::Mark, ("mark this place in the recording", "在录制里设标记"), None));
    mark.into_iter().chain([letter('K', Command::Caster, keys, None)])
}

/// What the class is told besides.
fn flags(state: &State) -> Vec<Binding> {
    let Some(sharing) = &state.class else { return Vec::new() };
    let is = |flag| sharing.flag == Some(flag);
    let help = if is(Flag::Help) { ("no help any more", "不用帮忙了") } else { ("help me", "请帮忙") };
    let done = if is(Flag::Done) { ("not done", "还没做完") } else { ("done", "做完了") };
    vec![
        letter('H', Command::Raise(Flag::Help), help, 7),
        letter('D', Command::Raise(Flag::Done), done, 8),
        letter('X', Command::LeaveClass, ("leave the class: share nothing", "退出班级，不再共享"), None),
    ]
}

/// Text for other programs, and for the outer terminal to select.
fn out(play: &Play) -> Vec<Binding> {
    let zoom = match play.zoom {
        None => ("the whole screen for this pane", "让这个窗格占满屏幕"),
        Some(Zoom::Pane) => ("for the terminal", "让终端占满屏幕"),
        Some(Zoom::Terminal) => ("everything again", "恢复原样"),
    };
    vec![
        letter('y', Command::CopyLine, ("copy the line", "复制命令行"), None),
        letter('Y', Command::CopyPane, ("copy the pane", "复制窗格"), play.zoom.map(|_| 1)),
        letter('P', Command::CopyPid, ("copy the PID", "复制 PID"), None),
        letter('z', Command::Zoom, zoom, play.zoom.map(|_| 0)),
    ]
}

/// What the terminal has printed before.
fn history(play: &Play) -> [Binding; 2] {
    let past = play.terminals.get(&play.shown).is_some_and(|term| term.screen.history() > 0);
    let scrolls =
        bind(&[Key::Char('[')], Command::Terminals(1), ("scroll the terminal", "滚动终端"), past.then_some(11));
    [scrolls.shown("[ ]"), letter(']', Command::Terminals(-1), ("", ""), None)]
}

/// The keys while the past is on the screen. Every other key comes back from there.
pub(super) fn past(state: &State) -> Vec<Binding> {
    let changes = ("changes", "变化");
    let mut all = vec![
        bind(&[Key::Char('<'), Key::Char(',')], Command::Past(false), changes, 0).shown("< >"),
        bind(&[Key::Char('>'), Key::Char('.')], Command::Past(true), ("", ""), None),
        bind(&[], Command::Close, ("back to now", "回到现在"), 0)
            .shown(state.lang.pick("Esc, any other key", "Esc、其他键")),
        bind(&[Key::Tab], Command::NextPane, ("pane", "窗格"), 3),
        bind(&[Key::BackTab], Command::PreviousPane, ("pane before", "上一个窗格"), None),
        letter('b', Command::BothTerminals, ("both terminals", "两个终端"), None),
    ];
    for pane in Pane::ALL {
        let keys = [Key::Char(pane.digit()), Key::F(pane.number() as u8)];
        all.push(bind(&keys, Command::Show(pane), pane.label(), None));
    }
    let shown = state.past.shown().unwrap_or(state);
    all.extend(scrolling(shown, shown.play.as_ref().map(|play| play.pane)));
    all
}

/// Whether a key helps a learner whose shell has ended.
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
