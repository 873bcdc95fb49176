//! A lesson, samples and calls for tests, played through [`update`] as the real ones are.

use crate::kernel::errno::Errno;
use crate::{
    app::{Effect, Event, Facts, Look, Prefix, State, update},
    kernel::{namespaces::Kind, pid::Pid},
    lang::Lang,
    lesson::{Block, Check, Fact, Lesson, Predict, Run, Step, TerminalId, Translations},
    observe::{ForChildren, Interface, Links, Mount, Process, Sample, Side},
    session::Action,
    trace::{Call, Change, Return, SyscallEvent, TraceEvent},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Style};
use std::{fmt::Write, sync::Arc};

const HOST: u64 = 4026531830;

/// A small lesson in the manner of the real one.
pub(crate) fn lesson(lang: Lang) -> Lesson {
    let text = |en: &str, zh: &str| lang.pick(en, zh).to_string();
    let check = |fact: Fact, text: String| Check { fact, text, source: String::new(), keeps: false, at: 1 };
    let first = Step {
        id: "plain".into(),
        title: text("A plain process", "普通进程"),
        fresh: true,
        blocks: vec![
            Block::Prose(text(
                "A shell is a process like any other. Its links in `/proc/self/ns` name the namespaces that it lives in.",
                "shell 和别的进程没有区别。`/proc/self/ns` 里的链接说明它属于哪些命名空间。",
            )),
            Block::Run(Run { line: "ls -l /proc/self/ns".into(), ..Run::default() }),
            Block::Check(vec![check(
                Fact::Namespace(vec![Kind::Pid], false),
                text("its pid link is the host's", "它的 pid 链接与宿主机相同"),
            )]),
        ],
        ..Step::default()
    };
    let second = Step {
        id: "one-call-at-a-time".into(),
        title: text("One call at a time", "一次一个调用"),
        fresh: true,
        blocks: vec![
            Block::Prose(text(
                "You are about to make a process that has its own PIDs, host name, mounts, IPC and network. **Every** system \
                 call waits until you let it happen.",
                "你将创建一个拥有自己的 PID、主机名、挂载、IPC 和网络的进程。**每个**系统调用都会等你放行，再真正发生。",
            )),
            Block::Predict(Predict {
                question: text("Which link changes at the first call?", "第一个调用之后，哪个链接会变？"),
                options: vec![
                    "`pid`".into(),
                    "`pid_for_children`".into(),
                    text("both", "两个都变"),
                    text("neither", "都不变"),
                ],
                answer: 1,
            }),
            Block::Hint(text("Look at the Namespaces pane.", "看命名空间窗格。")),
            Block::Hint(text("`unshare` makes PIDs for children only.", "`unshare` 只影响子进程的 PID。")),
            Block::Run(Run { line: "unshare -imnpu --mount-proc --fork sh".into(), hold: true, ..Run::default() }),
            Block::Check(vec![
                check(
                    Fact::Namespace(vec![Kind::Uts, Kind::Ipc], true),
                    text("uts and ipc are new", "uts 和 ipc 是新的"),
                ),
                check(Fact::Init("sh".into()), text("inside, PID 1 is `sh`", "容器内 1 号进程是 `sh`")),
            ]),
            Block::Note(text("Ask the class before the second call.", "第二个调用前先问全班。")),
            Block::Why(text(
                "A process keeps the PID that it was born with; only its children are born in the new namespace.",
                "进程的 PID 在创建时就定了；只有它的子进程会进入新的命名空间。",
            )),
        ],
        ..Step::default()
    };
    Lesson {
        id: "isolate".into(),
        lang,
        title: text("Isolation", "隔离"),
        steps: vec![first, second],
        ..Lesson::default()
    }
}

/// An app with that lesson, on a screen of this size.
pub(crate) fn state(lang: Lang, size: (u16, u16), look: Look) -> State {
    state_of(lesson, lang, size, look)
}

/// An app with a lesson of one step.
pub(crate) fn step_of(blocks: Vec<Block>, size: (u16, u16)) -> State {
    let lesson = |lang| {
        let step = |id: &str| Step {
            id: id.into(),
            title: "A step".into(),
            fresh: true,
            blocks: blocks.clone(),
            ..Step::default()
        };
        Lesson {
            id: "own".into(),
            lang,
            title: "Own".into(),
            steps: vec![step("one"), step("two")],
            ..Lesson::default()
        }
    };
    let mut state = state_of(lesson, Lang::En, size, Look::default());
    press(&mut state, "\n");
    prompts(&mut state);
    shot(&mut state);
    state
}

fn state_of(lesson: impl Fn(Lang) -> Lesson, lang: Lang, size: (u16, u16), look: Look) -> State {
    let facts = Facts { root: true, kernel: "6.18.44".into(), cgroup_mode: "hybrid".into(), ..Facts::default() };
    let translations: Translations = Lang::ALL.into_iter().map(|lang| (lang.code(), lesson(lang))).collect();
    let mut state = State::new(lang, look, facts, vec![translations], Prefix::default());
    update(&mut state, Event::Resize(size.0, size.1));
    state
}

/// Presses keys: a space is the space bar, `\n` Return, `^` and a letter Control.
pub(crate) fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut letters = keys.chars();
    while let Some(letter) = letters.next() {
        let event = match letter {
            '\n' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            '\t' => KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE),
            '\x1b' => KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
            '^' => KeyEvent::new(KeyCode::Char(letters.next().unwrap()), KeyModifiers::CONTROL),
            letter => KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE),
        };
        effects.extend(feed(state, Event::Key(event)));
    }
    effects
}

/// Gives an event, and answers every request for a sample with the current one.
pub(crate) fn feed(state: &mut State, event: Event) -> Vec<Effect> {
    let mut effects = update(state, event);
    let wanted = |effect: &Effect| matches!(effect, Effect::Session(Action::Sample(_)));
    while let Some(place) = effects.iter().position(wanted) {
        let Effect::Session(Action::Sample(number)) = effects.remove(place) else { break };
        let sample = state.play.as_ref().and_then(|play| play.sample.clone()).unwrap_or_else(|| Arc::new(plain()));
        effects.extend(update(state, Event::Sample(number, sample)));
    }
    effects
}

/// A new state of the world.
pub(crate) fn sample(state: &mut State, sample: Sample) {
    update(state, Event::Sample(u64::MAX, Arc::new(sample)));
}

/// Both shells show their prompts.
pub(crate) fn prompts(state: &mut State) {
    for terminal in TerminalId::ALL {
        feed(state, Event::Output(terminal, b"\x1b]133;D;0;aid=1\x07\x1b]133;A\x07$ \x1b]133;B\x07".to_vec()));
    }
}

/// Goes to the second step, with both shells at their prompts.
pub(crate) fn at_question(state: &mut State) {
    press(state, "\n");
    prompts(state);
    press(state, "^gn");
    prompts(state);
    shot(state);
}

/// Answers, types the command and waits before its first call.
pub(crate) fn held(state: &mut State) {
    at_question(state);
    press(state, "1 ");
    feed(state, Event::Output(TerminalId::Container, b"unshare -imnpu --mount-proc --fork sh\r\n".to_vec()));
    let call = unshare();
    sample(state, with_unshare());
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Held(Pid(4702), call)));
}

/// Lets the first call happen; the second one waits.
pub(crate) fn after(state: &mut State) {
    held(state);
    press(state, " ");
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Released(Pid(4702), Pid(4711))));
    let link = |kind, before, after| Change::Namespace { kind, before: Some(before), after: Some(after) };
    let event = SyscallEvent {
        call: unshare(),
        returned: Return::Value(0),
        micros: 1234,
        changed: vec![
            link(Kind::Ipc, HOST + 9, 4026532179),
            link(Kind::Uts, HOST + 8, 4026532178),
            link(Kind::Net, HOST + 3, 4026532181),
            link(Kind::Mnt, HOST + 2, 4026532177),
            Change::PidForChildren { before: ForChildren::Inode(HOST + 6), after: ForChildren::NotMade },
        ],
    };
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Syscall(Pid(4702), event)));
    sample(state, unshared());
    let call = Call::of(4711, "unshare", "clone", [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]);
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Held(Pid(4702), call)));
}

/// The command has failed: its prompt is back and nothing has changed.
pub(crate) fn refused(state: &mut State) {
    at_question(state);
    press(state, "1 ");
    feed(
        state,
        Event::Output(
            TerminalId::Container,
            b"unshare -imnpu --mount-proc --fork sh\r\nunshare: Operation not permitted\r\n".to_vec(),
        ),
    );
    let event =
        SyscallEvent { call: unshare(), returned: Return::Error(Errno::EPERM), micros: 12, changed: Vec::new() };
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Syscall(Pid(4702), event)));
    prompts(state);
}

/// The core command's first call: new mount, UTS, IPC, PID and network namespaces.
fn unshare() -> Call {
    let kinds = [Kind::Mnt, Kind::Uts, Kind::Ipc, Kind::Pid, Kind::Net];
    let flags = kinds.into_iter().fold(0, |flags, kind| flags | kind.row().flag);
    Call::of(4711, "unshare", "unshare", [flags, 0, 0, 0, 0, 0])
}

fn links() -> Links {
    [
        (Kind::Uts, 8),
        (Kind::Ipc, 9),
        (Kind::Mnt, 2),
        (Kind::Net, 3),
        (Kind::Pid, 6),
        (Kind::User, 7),
        (Kind::Cgroup, 5),
        (Kind::Time, 4),
    ]
    .into_iter()
    .map(|(kind, offset)| (kind, HOST + offset))
    .collect()
}

fn process(pid: i32, ppid: i32, nspid: &[i32], comm: &str) -> Process {
    Process {
        pid,
        ppid,
        nspid: nspid.to_vec(),
        comm: comm.into(),
        state: 'S',
        pid_ns: links().get(&Kind::Pid).copied(),
    }
}

fn side() -> Side {
    let mount = |id: u32, point: &str, kind: &str, source: &str| Mount {
        id,
        point: point.into(),
        kind: kind.into(),
        source: source.into(),
        root: "/".into(),
        ..Mount::default()
    };
    Side {
        hidden_mounts: Some(0),
        hostname: Some("classroom".into()),
        interfaces: vec![
            Interface { name: "lo".into(), up: true, addresses: vec!["127.0.0.1/8".into()] },
            Interface { name: "eth0".into(), up: true, addresses: vec!["10.0.0.5/24".into()] },
        ],
        listening: vec![22, 8080],
        sysv: Vec::new(),
        mounts: vec![mount(1, "/", "ext4", "/dev/vda"), mount(2, "/proc", "proc", "proc")],
        proc_shows_host: Some(true),
    }
}

/// A shell and nothing else.
pub(crate) fn plain() -> Sample {
    let mut sample = Sample {
        container: Some(4702),
        namespaces: links(),
        host_namespaces: links(),
        for_children: ForChildren::Inode(HOST + 6),
        processes: vec![process(4702, 1, &[4702], "sh")],
        host: side(),
        inside: side(),
        ..Sample::default()
    };
    sample.cgroup.paths =
        [("cpu", "/"), ("memory", "/"), ("pids", "/user.slice")].map(|(name, path)| (name.into(), path.into())).into();
    sample.cgroup.memory.current = Some(5_347_737);
    sample.cgroup.memory.limit = Some(10 << 20);
    sample
}

fn with_unshare() -> Sample {
    let mut sample = plain();
    sample.container = Some(4711);
    sample.processes.push(process(4711, 4702, &[4711], "unshare"));
    sample
}

/// After `unshare` with five flags, before the fork.
pub(crate) fn unshared() -> Sample {
    let mut sample = with_unshare();
    for (kind, inode) in
        [(Kind::Uts, 4026532178), (Kind::Ipc, 4026532179), (Kind::Mnt, 4026532177), (Kind::Net, 4026532181)]
    {
        sample.namespaces.insert(kind, inode);
    }
    sample.for_children = ForChildren::NotMade;
    sample.inside.interfaces = vec![Interface { name: "lo".into(), up: false, addresses: Vec::new() }];
    sample.inside.listening.clear();
    sample.inside.mounts.push(Mount {
        id: 9,
        point: "/tmp/容器測試".into(),
        kind: "tmpfs".into(),
        source: "none".into(),
        ..Mount::default()
    });
    sample
}

/// Draws one frame and feeds back what it measured.
pub(crate) fn shot(state: &mut State) -> Buffer {
    let (columns, rows) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let mut extents = crate::app::Extents::new();
    terminal.draw(|frame| extents = super::draw(state, frame)).unwrap();
    crate::app::measured(state, extents);
    terminal.backend().buffer().clone()
}

/// The text of a frame.
pub(crate) fn text(buffer: &Buffer) -> String {
    rows(buffer).into_iter().map(|(text, _)| text + "\n").collect()
}

/// The text, then a letter for the style of each cell of the rows that have any, then what the letters mean.
pub(crate) fn styled(buffer: &Buffer) -> String {
    let mut legend: Vec<Style> = Vec::new();
    let (mut out, mut below) = (String::new(), String::new());
    for (number, (text, styles)) in rows(buffer).into_iter().enumerate() {
        writeln!(out, "{}", text.trim_end()).unwrap();
        let mut letters = String::new();
        for style in styles {
            if plainly(style) {
                letters.push(' ');
                continue;
            }
            let place = legend.iter().position(|known| *known == style).unwrap_or_else(|| {
                legend.push(style);
                legend.len() - 1
            });
            letters.push(char::from(b'a' + place as u8));
        }
        if !letters.trim().is_empty() {
            writeln!(below, "{number:>2} {}", letters.trim_end()).unwrap();
        }
    }
    for (number, style) in legend.iter().enumerate() {
        let colours = [style.fg, style.bg].map(|colour| colour.map_or_else(String::new, |colour| colour.to_string()));
        writeln!(
            below,
            "{} = {} on {} {:?}",
            char::from(b'a' + number as u8),
            colours[0],
            colours[1],
            style.add_modifier
        )
        .unwrap();
    }
    out + "styles\n" + &below
}

fn plainly(style: Style) -> bool {
    use ratatui::style::Color;
    style.fg == Some(Color::Reset) && style.bg == Some(Color::Reset) && style.add_modifier.is_empty()
}

fn rows(buffer: &Buffer) -> Vec<(String, Vec<Style>)> {
    use unicode_width::UnicodeWidthStr;
    (0..buffer.area.height)
        .map(|y| {
            let mut text = String::new();
            let mut styles = Vec::new();
            let mut x = 0;
            while x < buffer.area.width {
                let cell = &buffer[(x, y)];
                let wide = cell.symbol().width().max(1);
                text.push_str(cell.symbol());
                styles.extend(std::iter::repeat_n(cell.style(), wide));
                x += wide as u16;
            }
            (text, styles)
        })
        .collect()
}
