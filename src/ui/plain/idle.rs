//! Why a command does nothing now: every line that is typed is answered.

use crate::{
    app::{Play, State, View},
    lang::Lang,
    lesson::TerminalId,
    session::Phase,
};

/// The sign before a line for a terminal.
pub(super) fn sign(terminal: TerminalId) -> char {
    match terminal {
        TerminalId::Container => '!',
        TerminalId::Host => '@',
    }
}

/// Why this command does nothing now; `None` where it does something. Whatever is no command at all is answered too.
pub(crate) fn why(state: &State, word: &str, rest: &str) -> Option<String> {
    let lang = state.lang;
    if word == "R" {
        return match (state.facts.root, &state.facts.as_root) {
            (true, _) => Some(lang.pick("You are root already.", "现在已经是 root。").into()),
            (false, None) => {
                Some(lang.pick("No sudo, doas or su works here.", "这里没有可用的 sudo、doas 或 su。").into())
            }
            (false, Some(_)) => None,
        };
    }
    let playing = state.play.as_ref().filter(|_| state.view == View::Lesson);
    match (playing, word) {
        (Some(play), _) => in_lesson(play, word, rest, lang),
        (
            None,
            "s" | "h" | "c" | "u" | "f" | "b" | "x" | "n" | "p" | "r" | "g" | "w" | "W" | "e" | "N" | "Y" | "!" | "@",
        ) => {
            Some(lang.pick("No lesson is open: its number starts one.", "还没有打开课程：输入课程的数字开始。").into())
        }
        _ => None,
    }
}

/// What is typed and is no command.
pub(crate) fn unknown(word: &str, lang: Lang) -> String {
    lang.pick(
        format!(
            "`{word}` is not a command; ? tells every command. `! {word}` would type it into the container terminal."
        ),
        format!("没有 `{word}` 这个命令；? 列出所有命令。要在容器终端里输入它，请写 `! {word}`。"),
    )
}

fn in_lesson(play: &Play, word: &str, rest: &str, lang: Lang) -> Option<String> {
    let session = &play.session;
    let phase = session.phase();
    let number = word.parse::<usize>().ok();
    let step = session.step_index();
    let held = phase == Phase::Held;
    let text = match word {
        "Y" if phase != Phase::Guarded => {
            lang.pick("No call waits for your consent.", "现在没有等你决定的调用。").into()
        }
        "n" | "Y" if phase == Phase::Guarded => return None,
        _ if phase == Phase::Guarded && matches!(word, "" | "c" | "u" | "f" | "b" | "x") => {
            lang.pick("A call waits: n refuses it, Y lets it happen.", "有一个调用在等你决定：n 拒绝，Y 放行。").into()
        }
        "" => match phase {
            Phase::Preparing(..) => lang.pick("The step is being prepared.", "这一步正在准备。").into(),
            Phase::Running => lang.pick("The command still runs.", "命令还在运行。").into(),
            Phase::Asking(_) => {
                lang.pick("Answer first, with a number: any answer will do.", "先输入数字作答，对错都行。").into()
            }
            Phase::Checking(_) => lang
                .pick(
                    "Enter has nothing to type now. s says this step again.",
                    "现在没有要代输的命令。s 把这一步再说一遍。",
                )
                .into(),
            _ => return None,
        },
        "h" if session.rungs() == 0 => lang.pick("This step has no hints.", "这一步没有提示。").into(),
        "h" if session.hints() >= session.rungs() => lang
            .pick("All hints of this step have been told. s says them again.", "这一步的提示都已说过。s 再说一遍。")
            .into(),
        "c" | "u" | "f" | "b" if !held => {
            lang.pick("No call is held now; x holds each call.", "现在没有暂停的调用；x 逐个暂停。").into()
        }
        "u" if rest.is_empty() => lang
            .pick("u needs the name of a call, such as `u execve`.", "u 后面要写调用的名字，例如 `u execve`。")
            .into(),
        "p" if step == 0 => {
            lang.pick("This is the first step. r begins it again.", "这是第一步。r 重做这一步。").into()
        }
        "n" if step + 1 >= session.lesson().steps.len() => lang.pick("This is the last step.", "这是最后一步。").into(),
        _ => return number.and_then(|number| no_answer(play, number, lang)),
    };
    Some(text)
}

/// Why this number is not an answer.
fn no_answer(play: &Play, number: usize, lang: Lang) -> Option<String> {
    if !matches!(play.session.phase(), Phase::Asking(_)) {
        return Some(lang.pick(
            format!("No question is open. `g {number}` goes to step {number}."),
            format!("现在没有问题要回答。`g {number}` 跳到第 {number} 步。"),
        ));
    }
    let most = play.answers();
    (number == 0 || number > most)
        .then(|| lang.pick(format!("The answers are 1 to {most}."), format!("答案是 1 到 {most}。")))
}
