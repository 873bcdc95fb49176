//! What a key answers that changes nothing on the screen: why it does nothing here, or what is on now.

use super::{Key, Play, State, View, keys::Prefix};
use crate::{
    lang::Lang,
    lesson::Block,
    session::Phase,
    trace::{Call, Instead},
};

/// Why this key does nothing here; `None` is a key that nothing is bound to anywhere.
pub(super) fn why(state: &State, key: Option<Key>) -> String {
    let lang = state.lang;
    let play = state.play.as_ref().filter(|_| state.view == View::Lesson && state.overlay.is_none());
    let known = play.zip(key).and_then(|(play, key)| in_lesson(play, key, state.prefix, lang));
    known.or_else(|| key.and_then(|key| anywhere(state, key))).unwrap_or_else(|| {
        let name = key.map_or_else(|| lang.pick("This key", "这个键").into(), |key| key.to_string());
        match state.overlay {
            None => lang.pick(
                format!("{name} does nothing here; ? shows the keys that work"),
                format!("{name} 在这里不起作用；按 ? 查看可用的按键"),
            ),
            Some(_) => lang.pick(
                format!("{name} does nothing here; the keys that work stand below"),
                format!("{name} 在这里不起作用；可用的按键见下一行"),
            ),
        }
    })
}

/// Whether there is one pane at a time now.
pub(super) fn large_print(on: bool, lang: Lang) -> String {
    match on {
        true => lang.pick(
            "Large print: on. Enlarge the letters of your terminal as well",
            "大字版面：开。请把终端的字体也调大",
        ),
        false => lang.pick("Large print: off", "大字版面：关"),
    }
    .into()
}

/// The past was on the screen until this key.
pub(super) fn back_to_now(lang: Lang) -> String {
    lang.pick("Back to now: this key did nothing else", "已回到现在：这个键没有做别的事").into()
}

/// There is no call after the newest one, and none before the oldest.
pub(super) fn no_more_calls(on: bool, lang: Lang) -> String {
    match on {
        true => lang.pick("This is the newest call", "这是最新的调用"),
        false => lang.pick("This is the first call of this step", "这是本步的第一个调用"),
    }
    .into()
}

fn anywhere(state: &State, key: Key) -> Option<String> {
    let (lang, root) = (state.lang, state.facts.root);
    match key {
        Key::Char('R') if root => Some(lang.pick("You are root already", "现在已经是 root").into()),
        Key::Char('R') if state.facts.as_root.is_none() => {
            Some(lang.pick("No sudo, doas or su works here", "这里没有可用的 sudo、doas 或 su").into())
        }
        Key::Char('R') => Some(lang.pick("First go back to the lessons: Esc", "请先按 Esc 回到课程列表").into()),
        _ => None,
    }
}

fn in_lesson(play: &Play, key: Key, prefix: Prefix, lang: Lang) -> Option<String> {
    let session = &play.session;
    let phase = session.phase();
    let asking = matches!(phase, Phase::Asking(_));
    if phase == Phase::Guarded {
        return Some(
            lang.pick("A call waits: n refuses it, Y lets it happen", "有一个调用在等你决定：n 拒绝，Y 放行").into(),
        );
    }
    if play.is_lab() && matches!(key, Key::Char('h' | 'p' | 'e' | 'n' | ' ') | Key::Enter) {
        return None;
    }
    let text = match key {
        // Whoever presses it before each of the lesson's keys gets the lesson's keys.
        key if key == prefix.key() => {
            lang.pick("The lesson has the keys; t gives them to the terminal", "按键已归课程；按 t 交给终端").into()
        }
        Key::Char('h') if session.rungs() > 0 => lang.pick(
            format!("All {} hints of this step are shown", session.rungs()),
            format!("这一步的 {} 条提示都已显示", session.rungs()),
        ),
        Key::Char('h') => lang.pick("This step has no hints", "这一步没有提示").into(),
        Key::Char('p') => lang.pick("This is the first step", "这是第一步").into(),
        Key::Char('c' | 'u' | 'f') => {
            lang.pick("No call is held now; x holds each call", "现在没有暂停的调用；按 x 逐个暂停").into()
        }
        Key::Char('e') => no_proof(lang).into(),
        Key::Char('1'..='9') if asking && play.answers() > 0 => {
            lang.pick("The question is not in view: Space shows it", "问题不在屏幕上：按空格显示").into()
        }
        Key::Char('n' | 't' | 'x' | 'o' | 'b' | 's') if asking => lang.pick(
            format!("A question is open: answer it first, or {prefix} t gives the keys to the terminal"),
            format!("先回答问题，或按 {prefix} t 把按键交给终端"),
        ),
        Key::Char('n') => lang.pick("This is the last step", "这是最后一步").into(),
        Key::Char('t' | 'x') if play.is_over() => {
            lang.pick("The shell has ended: r begins the step again", "shell 已结束：按 r 重做这一步").into()
        }
        Key::Char(' ') | Key::Enter => match phase {
            Phase::Preparing(..) => lang.pick("The step is being prepared", "这一步正在准备").into(),
            Phase::Running => lang.pick("The command still runs", "命令还在运行").into(),
            Phase::Checking(_) => {
                lang.pick("No command is due: t goes to the terminal", "没有要代劳的命令：按 t 进入终端").into()
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(text)
}

/// Why there is no proof card to write.
pub(crate) fn no_proof(lang: Lang) -> &'static str {
    lang.pick(
        "No proof card yet: it tells what the kernel counts when a limit is tested",
        "还没有证据卡：测试限制时，内核的计数才会记在上面",
    )
}

/// What the learner has made of a call.
pub(crate) fn changed(call: &Call, instead: Instead, lang: Lang) -> String {
    let name = call.syscall.name();
    match instead {
        Instead::Without(..) => lang
            .pick(format!("You let {name} happen without {instead}"), format!("你让 {name} 在去掉 {instead} 之后发生")),
        Instead::Fails(_) => {
            lang.pick(format!("You made {name} fail with {instead}"), format!("你让 {name} 失败，返回 {instead}"))
        }
    }
}

/// What follows from it, where lines are read: the command for it is always there.
pub(crate) fn begins_again(lang: Lang) -> &'static str {
    lang.pick("; r begins the step again.", "；用 r 重做这一步。")
}

/// Whether each call is held now.
pub(crate) fn hold(play: &Play, lang: Lang) -> String {
    match play.session.holding() {
        true => lang
            .pick("On: each call in the container terminal waits for you", "已打开：容器终端里的每个调用都会等你放行"),
        false => lang.pick("Off: calls are not held", "已关闭：调用不再暂停"),
    }
    .into()
}

/// Whether the speaker's notes are shown now.
pub(crate) fn notes(play: &Play, lang: Lang) -> String {
    let blocks = play.session.step().map_or(&[][..], |step| &step.blocks);
    let some = blocks.iter().any(|block| matches!(block, Block::Note(_)));
    match (play.notes, some) {
        (true, true) => lang.pick("On: speaker notes are shown where they belong", "已打开：讲者备注会显示在相应位置"),
        (true, false) => lang.pick("On: speaker notes; this step has none", "已打开：讲者备注；这一步没有"),
        (false, _) => lang.pick("Off: speaker notes are hidden", "已关闭：讲者备注不再显示"),
    }
    .into()
}
