//! Which keys work now, what they do, and what the key bar says of them: one table.

mod key;

pub(crate) use key::{Key, Prefix};

use super::{Focus, Onward, Overlay, Pane, Play, Shape, State, View};
use crate::{lesson::TerminalId, session::Phase};

/// What a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Begin the chosen lesson, or accept.
    Accept,
    /// Begin the chosen lesson at its first step.
    FromStart,
    /// Close what lies on top, or go back to the opening.
    Close,
    /// Move the choice up.
    Up,
    /// Move the choice down.
    Down,
    /// Type the command that is due, let the held call happen, or go to the next step.
    Go,
    /// Let everything that is held go on.
    RunOn,
    /// Let the guarded call happen, or make it fail.
    Allow(bool),
    /// Go on until a call of a name that is asked for.
    RunUntil,
    /// Hold before every call, or stop doing so.
    ToggleHold,
    /// Go to the next step, done or not.
    Next,
    /// Pass over the line that is due: it only shows something.
    PassOver,
    /// Go to the step before.
    Back,
    /// Begin this step again.
    Reset,
    /// Choose a step.
    GoTo,
    /// One more rung of help.
    Hint,
    /// Bring the open question into view.
    ShowQuestion,
    /// Give this answer.
    Answer(usize),
    /// Show this pane.
    Show(Pane),
    /// Show the next pane.
    NextPane,
    /// Show the pane before.
    PreviousPane,
    /// Scroll by lines; negative is up.
    Scroll(i32),
    /// Scroll by pages; negative is up.
    Page(i32),
    /// Go to the top (false) or follow the end again (true).
    Edge(bool),
    /// Give the keys to the terminal, or take them back.
    Terminal,
    /// Show the other terminal.
    OtherTerminal,
    /// Show both terminals, or one.
    BothTerminals,
    /// Scroll the terminal's history by half pages; positive is up.
    Terminals(i32),
    /// Write the proof card into a file.
    Export,
    /// Show or hide the speaker's notes.
    Notes,
    /// The other language.
    Language,
    /// The next theme.
    Theme,
    /// What this machine allows.
    Doctor,
    /// End, and start again as root.
    AsRoot,
    /// Draw everything anew.
    Redraw,
    /// What the lesson has come to; or go on from there.
    Finish,
    /// How far the learner has come in the whole course.
    Course,
    /// Every key that works.
    Help,
    /// The words of the field in the current step.
    Glossary,
    /// End.
    Quit,
}

/// A key that works now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The keys; the first one is named in the key bar.
    pub keys: Vec<Key>,
    /// How bar and help write them.
    pub shown: String,
    /// What they do.
    pub command: Command,
    /// What bar and help say, in English and Chinese.
    pub label: (&'static str, &'static str),
    /// How much it matters that the bar shows it: the lowest numbers stay where room is short; `None` is for help only.
    pub rank: Option<u8>,
}

fn bind(keys: &[Key], command: Command, label: (&'static str, &'static str), rank: impl Into<Option<u8>>) -> Binding {
    let shown = keys.first().map(Key::to_string).unwrap_or_default();
    Binding { keys: keys.to_vec(), shown, command, label, rank: rank.into() }
}

/// A single letter.
fn letter(key: char, command: Command, label: (&'static str, &'static str), rank: impl Into<Option<u8>>) -> Binding {
    bind(&[Key::Char(key)], command, label, rank)
}

impl Binding {
    fn shown(mut self, text: impl Into<String>) -> Binding {
        self.shown = text.into();
        self
    }
}

/// Every key that works now, in the order of the help page.
pub(crate) fn bindings(state: &State) -> Vec<Binding> {
    match (&state.overlay, state.view, &state.play) {
        (Some(overlay), ..) => in_overlay(state, overlay),
        (None, View::Lesson, Some(play)) if play.session.guarded().is_some() => guarding(),
        (None, View::Lesson, Some(play)) if play.focus == Focus::Terminal => in_terminal(state, play),
        _ => below(state),
    }
}

/// What a lesson has come to, or the course; and where to go on.
fn closing(state: &State, lesson: Option<usize>) -> Vec<Binding> {
    let mut all = Vec::new();
    let go: &[Key] = &[Key::Enter, Key::Char(' ')];
    let onward = lesson.and_then(|lesson| state.onward(lesson));
    all.push(match onward {
        Some(Onward::Step(_)) => bind(go, Command::Finish, ("to a step that is left", "去做剩下的步骤"), 0),
        Some(Onward::Lesson(_)) => bind(go, Command::Finish, ("next lesson", "下一课"), 0),
        Some(Onward::Course) => bind(go, Command::Finish, ("the whole course", "全部课程"), 0),
        None => bind(go, Command::Close, ("back", "返回"), 0),
    });
    if lesson.is_some() {
        all.push(letter('c', Command::Course, ("the whole course", "全部课程"), 5));
    }
    all.push(bind(&[Key::Esc], Command::Close, ("lessons", "课程列表"), 1));
    all.extend(scrolling(state, None));
    all.extend(common(state, View::Closing(lesson)));
    all
}

/// What this key does now.
pub(crate) fn command(state: &State, key: Key) -> Option<Command> {
    bindings(state).into_iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
}

const QUIT: [Key; 2] = [Key::Char('q'), Key::Ctrl('c')];

fn choosing() -> [Binding; 2] {
    [
        bind(&[Key::Up, Key::Char('k')], Command::Up, ("choose", "选择"), 6).shown("↑↓"),
        bind(&[Key::Down, Key::Char('j')], Command::Down, ("choose", "选择"), None).shown("↓"),
    ]
}

/// The keys that move the text `pane` (`None`: the overlay or the view); the bar tells of them where there is more.
fn scrolling(state: &State, pane: Option<Pane>) -> Vec<Binding> {
    let more = state.extents.get(&pane).is_some_and(|extent| extent.top < extent.last_top());
    vec![
        bind(&[Key::PageDown], Command::Page(1), ("more", "下翻"), more.then_some(3)),
        bind(&[Key::Up, Key::Char('k')], Command::Scroll(-1), ("scroll", "滚动"), None).shown("↑ ↓ PgUp Home End"),
        bind(&[Key::Down, Key::Char('j')], Command::Scroll(1), ("", ""), None),
        bind(&[Key::PageUp], Command::Page(-1), ("", ""), None),
        bind(&[Key::Home], Command::Edge(false), ("", ""), None),
        bind(&[Key::End], Command::Edge(true), ("", ""), None),
    ]
}

fn common(state: &State, view: View) -> Vec<Binding> {
    let mut all = Vec::new();
    if view != View::Lesson && state.facts.as_root.is_some() {
        all.push(letter('R', Command::AsRoot, ("as root", "以 root 启动"), 2));
    }
    all.push(letter('l', Command::Language, ("中文", "English"), (view == View::Opening).then_some(3)));
    if view != View::Doctor {
        let label = match view {
            View::Opening => ("what works here", "本机检查"),
            _ => ("what this machine allows", "本机检查"),
        };
        all.push(letter('d', Command::Doctor, label, (view == View::Opening).then_some(4)));
    }
    if view != View::Doctor {
        let label = match view {
            View::Lesson => ("words of this step, scorecard", "本步术语、记分卡"),
            _ => ("what the scorecard means", "记分卡的含义"),
        };
        all.push(letter('w', Command::Glossary, label, (view == View::Lesson).then_some(16)));
    }
    all.push(letter('T', Command::Theme, ("next colour theme", "换一种配色"), None));
    all.push(bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None));
    all.push(letter('?', Command::Help, ("help", "帮助"), 2));
    all.push(bind(&QUIT, Command::Quit, ("quit", "退出"), 1));
    all
}

fn opening(state: &State) -> Vec<Binding> {
    let mut all = Vec::new();
    if !state.lessons.is_empty() {
        let open = state.play.as_ref().is_some_and(|play| play.index == state.selected);
        let begun = open || state.resumes_at(state.selected) > 0;
        let label = if begun { ("go on", "继续") } else { ("start", "开始") };
        all.push(bind(&[Key::Enter, Key::Char(' ')], Command::Accept, label, 0));
        // A lesson from a folder is asked for first.
        if begun && state.lesson(state.selected).is_some_and(|lesson| !lesson.foreign) {
            all.push(letter('b', Command::FromStart, ("from the beginning", "从头开始"), 5));
        }
    }
    if state.lessons.len() > 1 {
        all.extend(choosing());
    }
    if state.lessons.iter().flat_map(|all| all.values().next()).any(|lesson| state.progress.has_begun(lesson)) {
        all.push(letter('c', Command::Course, ("your progress", "学习进度"), 7));
    }
    all.extend(common(state, View::Opening));
    all
}

fn doctor(state: &State) -> Vec<Binding> {
    let mut all = vec![bind(&[Key::Esc, Key::Char('d'), Key::Enter], Command::Close, ("back", "返回"), 0)];
    all.extend(scrolling(state, None));
    all.extend(common(state, View::Doctor));
    all
}

fn in_overlay(state: &State, overlay: &Overlay) -> Vec<Binding> {
    let quit = bind(&[Key::Ctrl('c')], Command::Quit, ("quit", "退出"), None);
    let mut all = Vec::new();
    match overlay {
        Overlay::Help | Overlay::Glossary => {
            let same = Key::Char(if *overlay == Overlay::Help { '?' } else { 'w' });
            all.push(bind(&[Key::Esc, same, Key::Enter, Key::Char('q')], Command::Close, ("close", "关闭"), 0));
            all.extend(scrolling(state, None));
        }
        Overlay::GoTo(_) => {
            all.push(bind(&[Key::Enter], Command::Accept, ("go there", "前往"), 0));
            // Letters are typed: they choose by name.
            all.push(bind(&[Key::Up], Command::Up, ("choose", "选择"), 6).shown("↑↓"));
            all.push(bind(&[Key::Down], Command::Down, ("choose", "选择"), None).shown("↓"));
            all.push(bind(&[Key::Esc], Command::Close, ("stay here", "留在这里"), 1));
        }
        Overlay::Until(_) => {
            all.push(bind(&[Key::Enter], Command::Accept, ("run until that call", "运行到该调用"), 0));
            all.push(bind(&[Key::Esc], Command::Close, ("stay here", "留在这里"), 1));
        }
        Overlay::Consent(_) => {
            all.push(letter('y', Command::Accept, ("run its commands", "运行其中的命令"), 0));
            all.push(bind(&[Key::Esc, Key::Char('n'), Key::Char('q')], Command::Close, ("do not", "不运行"), 1));
        }
    }
    all.push(bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None));
    all.push(quit);
    all
}

/// A call that would change the machine itself waits. What was typed ahead for a shell must not answer: letting it happen
/// takes a capital letter.
fn guarding() -> Vec<Binding> {
    vec![
        bind(&[Key::Char('n'), Key::Esc, Key::Ctrl('c')], Command::Allow(false), ("refuse it", "拒绝"), 0),
        letter('Y', Command::Allow(true), ("let it happen, on the machine itself", "放行，改变机器本身"), 0),
        bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None),
    ]
}

fn in_terminal(state: &State, play: &Play) -> Vec<Binding> {
    let mut all = Vec::new();
    if play.space_types() {
        all.push(letter(' ', Command::Go, ("type the command", "输入命令"), 0));
    }
    let label = match play.session.phase() {
        Phase::Held => ("leaves the terminal; then Space: next call", "离开终端；再按空格：下一个调用"),
        _ if play.space_types() => ("lesson keys: h hint, n next, ?, q", "课程键：h 提示、n 下一步、?、q"),
        _ => (
            "lesson keys: h hint, n next, ?, q; every other key: the shell",
            "课程键：h 提示、n 下一步、?、q；其他按键都发给 shell",
        ),
    };
    all.push(bind(&[state.prefix.key()], Command::Terminal, label, 1));
    all
}

fn in_lesson(state: &State, play: &Play) -> Vec<Binding> {
    let session = &play.session;
    let phase = session.phase();
    let mut all = Vec::new();
    let go: &[Key] = &[Key::Char(' '), Key::Enter];
    let last = session.step_index() + 1 >= session.lesson().steps.len();
    let over = play.is_over();
    // Who types a command before the question is answered must not be taken at each letter.
    let asking = matches!(phase, Phase::Asking(_));
    match &phase {
        Phase::Asking(_) if asks(state, play) => all.extend(answers(play)),
        Phase::Asking(_) => all.push(bind(go, Command::ShowQuestion, ("show the question", "看问题"), 0)),
        Phase::Due(_) if !over => all.push(bind(go, Command::Go, ("type the command", "输入命令"), 0)),
        Phase::Held => all.push(bind(go, Command::Go, ("next call", "下一个调用"), 0)),
        Phase::Done | Phase::Blocked(_) if !last => all.push(bind(go, Command::Go, ("next step", "下一步"), 0)),
        Phase::Done | Phase::Blocked(_) => all.push(bind(go, Command::Finish, ("how it went", "本课小结"), 0)),
        _ => {}
    }
    if phase == Phase::Held {
        all.push(letter('c', Command::RunOn, ("run on", "放行"), 1));
        all.push(letter('u', Command::RunUntil, ("run until …", "运行到…"), 5));
    }
    let hold = if session.holding() {
        ("hold calls: on", "逐个暂停：开")
    } else {
        ("hold calls: off", "逐个暂停：关")
    };
    let terminal = ("to the terminal", "进入终端");
    if asking {
        all.push(bind(&[state.prefix.key()], Command::Terminal, terminal, 4));
    } else if !over {
        all.push(letter('x', Command::ToggleHold, hold, Some(if session.holding() { 5 } else { 14 })));
        all.push(bind(&[Key::Char('t'), state.prefix.key()], Command::Terminal, terminal, 4));
    }
    let other = match play.shown {
        TerminalId::Container => ("host terminal", "宿主机终端"),
        TerminalId::Host => ("container terminal", "容器终端"),
    };
    if !asking {
        all.push(letter('o', Command::OtherTerminal, other, 11));
        let both = if play.both {
            ("both terminals: on", "两个终端：开")
        } else {
            ("both terminals: off", "两个终端：关")
        };
        all.push(letter('b', Command::BothTerminals, both, 17));
    }
    all.push(bind(&[Key::Tab], Command::NextPane, ("pane", "窗格"), 7));
    all.push(bind(&[Key::BackTab], Command::PreviousPane, ("pane before", "上一个窗格"), None));
    for pane in Pane::ALL.into_iter().filter(|pane| pane.number() > play.answers()) {
        let key = char::from_digit(pane.number() as u32, 10).unwrap_or('1');
        all.push(letter(key, Command::Show(pane), pane.label(), None));
    }
    let rungs = session.rungs();
    if session.hints() < rungs {
        all.push(letter('h', Command::Hint, ("hint", "提示"), 6).shown(format!("h({})", rungs - session.hints())));
    }
    if play.shows() {
        all.push(letter('n', Command::PassOver, ("pass over it", "略过它"), 3));
    } else if !last && !asking && !matches!(phase, Phase::Done | Phase::Blocked(_)) {
        all.push(letter('n', Command::Next, ("next step", "下一步"), 8));
    } else if !last && !asking {
        all.push(letter('n', Command::Go, ("next step", "下一步"), None));
    }
    if session.step_index() > 0 && !asking {
        all.push(letter('p', Command::Back, ("step before", "上一步"), 9));
    }
    if !asking {
        all.push(letter('r', Command::Reset, ("begin again", "重来"), if over { 0 } else { 10 }));
    }
    all.push(letter('g', Command::GoTo, ("go to step", "跳到"), 12));
    if !asking {
        all.push(letter('s', Command::Show(Pane::Source), ("source", "源码"), 13));
    }
    if !session.proof().is_empty() && !asking {
        all.push(letter('e', Command::Export, ("write the proof card into a file", "把证据卡写入文件"), 15));
    }
    all.push(letter('[', Command::Terminals(1), ("scroll the terminal up", "终端向上滚动"), None));
    all.push(letter(']', Command::Terminals(-1), ("scroll the terminal down", "终端向下滚动"), None));
    let notes = if play.notes {
        ("speaker notes: on", "讲者备注：开")
    } else {
        ("speaker notes: off", "讲者备注：关")
    };
    all.push(letter('N', Command::Notes, notes, None));
    all.push(bind(&[Key::Esc], Command::Close, ("lessons", "课程列表"), None));
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

/// Whether a key helps somebody whose shell has ended.
fn helps(command: Command) -> bool {
    matches!(
        command,
        Command::Reset | Command::Back | Command::GoTo | Command::OtherTerminal | Command::Help | Command::Quit
    )
}

/// Whether the open question is to be seen: only then digits answer it.
fn asks(state: &State, play: &Play) -> bool {
    let shown = play.pane == Pane::Lesson || Shape::of(state.size) == Shape::Wide;
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

/// Every key that works when the overlay is closed: what the help page shows.
pub(crate) fn below(state: &State) -> Vec<Binding> {
    match (state.view, &state.play) {
        (View::Opening, _) | (View::Lesson, None) => opening(state),
        (View::Doctor, _) => doctor(state),
        (View::Closing(lesson), _) => closing(state, lesson),
        (View::Lesson, Some(play)) => in_lesson(state, play),
    }
}
