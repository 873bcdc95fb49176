//! A lesson, samples and calls for tests, played through [`update`] as the real ones are.

#[path = "stage/shots.rs"]
mod shots;
#[path = "stage/world.rs"]
mod world;

pub(crate) use shots::{boxes, draw, draw_on, shot, straight, styled, text};
pub(crate) use world::{plain, unshared};

use crate::kernel::errno::Errno;
use crate::{
    app::{Effect, Event, Facts, Look, Prefix, State, update},
    kernel::{namespaces::Kind, pid::Pid},
    lang::Lang,
    lesson::{Block, Check, Fact, Lesson, Predict, Run, Step, TerminalId, Translations},
    observe::{ForChildren, Sample},
    session::Action,
    terminal::Size,
    trace::{Call, Change, Return, SyscallEvent, TraceEvent},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::sync::Arc;

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
pub(crate) fn state(lang: Lang, size: impl Into<Size>, look: Look) -> State {
    state_of(lesson, lang, size, look)
}

/// An app with a lesson of one step.
pub(crate) fn step_of(blocks: Vec<Block>, size: impl Into<Size>) -> State {
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

/// The lab, whose shells are not there yet.
pub(crate) fn lab() -> State {
    let step = Step { id: "lab".into(), title: "Lab".into(), fresh: true, ..Step::default() };
    let lab = |lang| Lesson {
        id: "lab".into(),
        lang,
        title: "Lab".into(),
        steps: vec![step.clone()],
        free: true,
        ..Lesson::default()
    };
    let mut state = state_of(lab, Lang::En, (80, 24), Look::default());
    press(&mut state, "\n");
    state
}

fn state_of(lesson: impl Fn(Lang) -> Lesson, lang: Lang, size: impl Into<Size>, look: Look) -> State {
    let facts = Facts { root: true, kernel: "6.18.44".into(), cgroup_mode: "hybrid".into(), ..Facts::default() };
    let translations: Translations = Lang::ALL.into_iter().map(lesson).collect();
    let mut state = State::new(lang, look, facts, vec![translations], Prefix::default());
    update(&mut state, Event::Resize(size.into()));
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
    draw(state);
}

/// Answers, types the command and waits before its first call.
pub(crate) fn held(state: &mut State) {
    at_question(state);
    press(state, "1 ");
    feed(state, Event::Output(TerminalId::Container, b"unshare -imnpu --mount-proc --fork sh\r\n".to_vec()));
    let call = unshare();
    sample(state, world::with_unshare());
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Held(Pid(4702), call)));
}

/// A program in the container terminal waits before its first call.
pub(crate) fn hold_a_call(state: &mut State) {
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Held(Pid(4702), unshare())));
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
            link(Kind::Ipc, world::HOST + 9, 4026532179),
            link(Kind::Uts, world::HOST + 8, 4026532178),
            link(Kind::Net, world::HOST + 3, 4026532181),
            link(Kind::Mnt, world::HOST + 2, 4026532177),
            Change::PidForChildren { before: ForChildren::Inode(world::HOST + 6), after: ForChildren::NotMade },
        ],
        asked: None,
    };
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Syscall(Pid(4702), event)));
    sample(state, unshared());
    let call = Call::of(Pid(4711), "unshare", "clone", [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]);
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
    let event = SyscallEvent {
        call: unshare(),
        returned: Return::Error(Errno::EPERM),
        micros: 12,
        changed: Vec::new(),
        asked: None,
    };
    feed(state, Event::Trace(TerminalId::Container, TraceEvent::Syscall(Pid(4702), event)));
    prompts(state);
}

/// The core command's first call: new mount, UTS, IPC, PID and network namespaces.
fn unshare() -> Call {
    let kinds = [Kind::Mnt, Kind::Uts, Kind::Ipc, Kind::Pid, Kind::Net];
    let flags = kinds.into_iter().fold(0, |flags, kind| flags | kind.row().flag);
    Call::of(Pid(4711), "unshare", "unshare", [flags, 0, 0, 0, 0, 0])
}
