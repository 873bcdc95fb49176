//! What the drawn screen shows, as sentences: for screen readers, Braille lines, serial consoles, pipes.
//!
//! Nothing here is broken into lines but by [`fit`]. Code stands between backquotes, because a full stop after it would
//! else be heard as a part of it.

mod help;
mod idle;
mod panes;
mod parts;

pub(crate) use help::help;
pub(crate) use idle::{unknown, why};
pub(crate) use panes::{is_network, now, pane};
pub(crate) use parts::{NOT_YET, Part, decided, hint, parts};

use super::{
    branches, calls, chrome, instead, lesson, limits, marks, meaning,
    sheet::Sheet,
    text::{Pieces, Rich, hang},
    theme::Role,
};
use crate::{
    app::{Jump, PROPERTIES, Play, Row, State},
    event::Branches,
    glossary::{BESIDES, SCORECARD, Term, of_step},
    kernel::errno_causes,
    lang::Lang,
    session::{GuardedCall, Notice, Phase, Standing, closing},
    trace::{Call, Return, SyscallEvent, folded},
};
use unicode_width::UnicodeWidthChar;

/// The longest line: what every terminal and every Braille display can break well enough.
const MAX_LEN: usize = 78;
/// The shortest.
const MIN_LEN: usize = 40;

/// Breaks sentences into lines for a terminal of so many columns (0: it does not know), and leaves nothing but ASCII where
/// it shows nothing else, apart from Chinese that was asked for.
pub(crate) fn fit(state: &State, lines: &[String], columns: u16) -> Vec<String> {
    let columns = if columns == 0 { MAX_LEN } else { usize::from(columns).clamp(MIN_LEN, MAX_LEN) };
    let keep = |letter: char| letter.is_ascii() || state.lang == Lang::Zh && letter.width() == Some(2);
    let stand_in = |letter| if !state.look.ascii || keep(letter) { letter } else { marks::ascii(letter) };
    let broken = lines.iter().flat_map(|line| {
        let text = line.trim_start_matches(' ');
        let indent = " ".repeat((line.len() - text.len()).min(8));
        hang(&[(indent, Role::Plain)], &spoken(text), columns)
    });
    broken.map(|line| flat(&line).chars().map(stand_in).collect()).collect()
}

/// Text with its code between backquotes, which is not broken where it fits a line.
fn spoken(text: &str) -> Rich {
    let mut rich = Rich::default();
    for (number, part) in text.split('`').enumerate() {
        match number % 2 {
            0 => rich.push(part, Role::Plain),
            _ => rich.push(&format!("`{part}`"), Role::Code),
        }
    }
    rich
}

fn flat(pieces: &Pieces) -> String {
    let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    whole.trim_end().to_string()
}

fn lines(sheet: &Sheet) -> Vec<String> {
    sheet.lines.iter().map(flat).collect()
}

/// The opening: what there is to start, and what the scorecard means.
pub(crate) fn opening(state: &State) -> Vec<String> {
    let lang = state.lang;
    let title = lang.pick(
        "boxwright: build a Linux container by hand, one system call at a time",
        "boxwright：亲手造一个 Linux 容器，一次一个系统调用",
    );
    let machine = format!("{}{}", lang.pick("This machine: ", "这台机器："), chrome::machine(&state.facts, lang));
    let mut out = vec![title.to_string(), machine];
    out.extend(limits::sentences(state));
    let properties = PROPERTIES.iter().map(|property| {
        let (name, meaning) = (property.name, property.meaning);
        lang.pick(format!("{} ({})", name.0, meaning.0), format!("{}（{}）", name.1, meaning.1))
    });
    let listed = properties.collect::<Vec<_>>().join(lang.pick(", ", "、"));
    out.push(lang.pick(
        format!("The scorecard says which of four properties the container has: {listed}."),
        format!("记分卡说明容器具备四种性质中的哪几种：{listed}。"),
    ));
    out.push(String::new());
    for index in 0..state.lessons.len() {
        if let Some(lesson) = state.lesson(index) {
            let steps = lesson.steps.len();
            let reached = state.progress.of(lesson);
            let count = match reached.is_untouched() {
                true => lang.pick(format!("{steps} steps"), format!("{steps} 步")),
                false => closing::counts(&reached, lang),
            };
            out.push(lang.pick(
                format!("{} {}: {} ({count})", index + 1, lesson.title, lesson.summary),
                format!("{} {}：{}（{count}）", index + 1, lesson.title, lesson.summary),
            ));
        }
    }
    out.push(String::new());
    let keys = lang.pick(
        "A number and Enter start a lesson. ? tells every command, q ends.",
        "输入数字并回车，开始一课。? 列出所有命令，q 退出。",
    );
    out.push(keys.into());
    out
}

const YOUR_TURN: (&str, &str) = (
    "Your turn: ! LINE types LINE into the container terminal, @ LINE into the host's.",
    "轮到你了：! 命令，在容器终端里输入；@ 命令，在宿主机终端里输入。",
);

/// What a user cannot do on this machine, once that is known: the opening may have been said before.
pub(crate) fn limit(state: &State) -> Vec<String> {
    limits::sentences(state).into_iter().take(1).collect()
}

/// The heading of the current step.
pub(crate) fn heading(play: &Play, lang: Lang) -> Vec<String> {
    let session = &play.session;
    let title = session.step().map_or("", |step| step.title.as_str());
    let (id, step, steps) = (&session.lesson().id, session.step_index() + 1, session.lesson().steps.len());
    let heading = lang.pick(
        format!("== {id}, step {step} of {steps}: {title} =="),
        format!("== {id}，第 {step} 步，共 {steps} 步：{title} =="),
    );
    let mut out = vec![String::new(), heading, String::new()];
    if session.step_index() == 0 && !session.lesson().intro.is_empty() {
        out.extend(super::prose::paragraphs(&session.lesson().intro));
        out.push(String::new());
    }
    out
}

/// A call or an end that the tracer saw; `was_held` where the call itself has just been told.
pub(crate) fn row(row: &Row, was_held: bool, lang: Lang) -> String {
    let text = match row {
        Row::Call(event) => call(event, was_held, lang),
        Row::End(pid, comm, ended) => flat(&calls::end(*pid, comm, *ended, lang)).trim_start().to_string(),
        Row::Note(pid, comm, note) => format!("{pid} {comm}{}{}", lang.pick(": ", "："), note.say(lang)),
    };
    format!("{}| {text}", lang.pick("kernel", "内核"))
}

fn call(event: &SyscallEvent, was_held: bool, lang: Lang) -> String {
    let result = calls::result(&event.returned, lang);
    let value = result.trim_start_matches("= ");
    // What was told is another call than the one that happened, where the learner has changed it.
    let mut text = match was_held && event.asked.is_none() {
        true => lang.pick(format!("it returned {value}"), format!("返回值 {value}")),
        false => format!("{} {} {result}", event.call.pid, calls::brief(&event.call)),
    };
    if let Return::Error(errno) = event.returned
        && let Some(cause) = errno_causes::cause(event.call.syscall.name(), errno, &[], lang)
    {
        text += &format!("{}{cause}", lang.pick("; cause: ", "；原因："));
    }
    if let Some(asked) = calls::changed_by_learner(event, lang) {
        text += &format!("{}{asked}", lang.pick("; ", "；"));
    }
    let changes = folded(calls::changes(&event.changed, lang), lang);
    let changes: Vec<String> = changes.iter().map(|change| said_change(change, lang)).collect();
    if !changes.is_empty() {
        text += &format!("{}{}", lang.pick("; changed: ", "；变化："), changes.join(lang.pick("; ", "；")));
    }
    text
}

/// An arrow is a sign to see, not to hear.
fn said_change(change: &str, lang: Lang) -> String {
    change.replace(&format!(" {} ", marks::TO), lang.pick(", now ", "，现为 "))
}

/// What can become of the held call.
pub(crate) fn what_if(play: &Play, call: &Call, lang: Lang) -> Vec<String> {
    instead::lines(play, call, lang)
}

/// What differs between both branches of a call.
pub(crate) fn branches(both: &Branches, lang: Lang) -> Vec<String> {
    branches::lines(both, lang)
}

/// What the session waits for. `taught`: the commands for a held call have been told.
pub(crate) fn waits_for(state: &State, play: &Play, taught: bool) -> Option<String> {
    let lang = state.lang;
    let last = play.session.step_index() + 1 >= play.session.lesson().steps.len();
    let next = || match last {
        true => over(state, play),
        false => lang.pick("Enter goes to the next step.", "回车进入下一步。").into(),
    };
    if play.is_lost() {
        return Some(
            lang.pick("Your container has ended: r builds it again.", "你的容器已经结束：r 重新建立。").into(),
        );
    }
    Some(match play.session.phase() {
        Phase::Held => held(play, taught, lang)?,
        Phase::Guarded => decision(play.session.guarded()?, lang),
        Phase::Asking(_) => lang.pick("Answer with a number and Enter.", "输入数字并回车作答。").into(),
        Phase::Checking(_) if play.commands == 0 => lang.pick(YOUR_TURN.0, YOUR_TURN.1).into(),
        Phase::Checking(at) if play.session.measuring(at) => lang
            .pick(
                "Measuring: CPU use is the average of three seconds. If it does not come, h is a hint, r begins again.",
                "正在测量：CPU 用量是三秒的平均值，请稍等。如果一直不对，用 h 看提示，用 r 重做。",
            )
            .into(),
        Phase::Checking(at) if !play.session.is_shown() || play.session.failing(at).next().is_none() => return None,
        Phase::Checking(_) if !play.has_tried() => lang.pick(YOUR_TURN.0, YOUR_TURN.1).into(),
        Phase::Checking(_) => lang
            .pick(
                "Not done yet: go on with ! LINE or @ LINE, take a hint with h, begin again with r.",
                "还没有通过：可以继续输入 ! 命令 或 @ 命令，用 h 看提示，用 r 重做。",
            )
            .into(),
        Phase::Blocked(_) | Phase::Done => {
            lesson::repaired(play, lang).map_or_else(next, |text| format!("{text} {}", next()))
        }
        Phase::Due(_) | Phase::Preparing(..) | Phase::Running | Phase::Free => return None,
    })
}

/// The call that waits, what it will do, and, once, which commands there are.
fn held(play: &Play, taught: bool, lang: Lang) -> Option<String> {
    let (_, call) = play.session.held().first()?;
    let brief = calls::brief(call);
    let words = meaning::sentence(call, lang).unwrap_or_default();
    let keys = lang.pick(" Enter lets it happen, c lets everything go on.", "回车放行这个调用，c 全部放行。");
    let keys = if taught { "" } else { keys };
    let text =
        lang.pick(format!("Held: {} {brief}. {words}", call.pid), format!("暂停在：{} {brief}。{words}", call.pid));
    Some(format!("{}{keys}", text.trim_end()))
}

/// The last step has ended.
fn over(state: &State, play: &Play) -> String {
    let keys =
        state.lang.pick(" Enter shows how it went, m the lessons, q ends.", "回车看本课小结，m 查看课程，q 退出。");
    format!("{}{keys}", lesson::said_at_the_end(state, play))
}

fn decision((_, call, harm): &GuardedCall, lang: Lang) -> String {
    let (what, why) = (calls::brief(call), harm.say(lang));
    lang.pick(
        format!(
            "Held, because it would change the machine itself: {} {what}. Why: {why}. n refuses it, Y lets it happen.",
            call.pid
        ),
        format!("已暂停，因为它会改变机器本身：{} {what}。原因：{why}。n 拒绝，Y 放行。", call.pid),
    )
}

/// What a lesson, or the whole course, has come to, and where to go on.
pub(crate) fn closing(state: &State, lesson: Option<usize>) -> Vec<String> {
    let lang = state.lang;
    let rows = match lesson {
        Some(index) => state.reached(index).map_or_else(Vec::new, |lesson| closing::lesson(&lesson, lang)),
        None => super::closing::course(state),
    };
    let mut all = vec![String::new()];
    all.extend(rows.into_iter().map(|row| match row.kind {
        closing::Kind::Head => format!("{}{}", row.text, lang.pick(":", "：")),
        _ => row.text,
    }));
    all.extend(super::closing::onward(state, lesson, lang.pick("Enter", "回车")));
    all
}

/// The steps that fit what was typed (all where nothing was), and what each has come to.
pub(crate) fn steps(state: &State, play: &Play, typed: &str) -> Vec<String> {
    let lang = state.lang;
    let (lesson, here) = (play.session.lesson(), play.session.step_index());
    let found = Jump { chosen: here, typed: typed.into() }.found(lesson);
    if found.is_empty() {
        return vec![lang.pick(
            format!("No step has the number {typed}, or {typed} in its name. g lists the steps."),
            format!("没有哪一步的序号或名字里有“{typed}”。g 列出各步。"),
        )];
    }
    let row = |index: usize| {
        let title = lesson.steps.get(index).map_or("", |step| step.title.as_str());
        let word = match state.progress.standing(lesson, index) {
            Standing::Done => lang.pick("done", "完成").to_string(),
            Standing::Helped => lang.pick("done with help", "看了答案").into(),
            Standing::Skipped => lang.pick("skipped", "跳过").into(),
            Standing::Impossible(why) => lang.pick(format!("not possible here, {why}"), format!("本机做不了，{why}")),
            Standing::Open => lang.pick("open", "未做").into(),
        };
        let here = if index == here { lang.pick(" (you are here)", "（你在这里）") } else { "" };
        lang.pick(format!("{} {title}: {word}{here}", index + 1), format!("{} {title}：{word}{here}", index + 1))
    };
    let mut out: Vec<String> = found.into_iter().map(row).collect();
    out.push(lang.pick("g N goes to step N.", "g 加数字，跳到那一步。").into());
    out
}

/// The scorecard in words.
pub(crate) fn scorecard(state: &State, play: &Play) -> Option<String> {
    let lang = state.lang;
    let card = play.sample.as_ref()?.scorecard;
    let values = [card.isolated, card.rooted, card.limited, card.entered];
    let words = PROPERTIES.iter().zip(values).map(|(property, on)| {
        let answer = if on { lang.pick("yes", "是") } else { lang.pick("no", "否") };
        format!("{} {answer}", lang.pick(property.name.0, property.name.1))
    });
    let words = words.collect::<Vec<_>>().join(lang.pick(", ", "，"));
    Some(lang.pick(format!("Scorecard: {words}."), format!("记分卡：{words}。")))
}

/// The second row of the scorecard in words, each property with what the kernel said.
pub(crate) fn besides(state: &State, play: &Play) -> Vec<String> {
    let lang = state.lang;
    let Some(sample) = play.sample.as_deref().filter(|sample| sample.container.is_some()) else { return Vec::new() };
    let mut out =
        vec![lang.pick("Second row, compared with Docker's defaults:", "第二行，与 Docker 的默认比较：").to_string()];
    out.extend(chrome::besides(sample, lang).into_iter().map(|(on, name, why)| {
        let answer = if on { lang.pick("yes", "是") } else { lang.pick("no", "否") };
        lang.pick(format!("  {name} {answer}: {why}"), format!("  {name} {answer}：{why}"))
    }));
    out
}

/// The words of the current step, and what the scorecard means.
pub(crate) fn glossary(play: &Play, lang: Lang) -> Vec<String> {
    let row = |term: &Term| format!("{}{}{}", term.name(lang), lang.pick(": ", "："), term.meaning(lang));
    let words = play.session.step().map(of_step).unwrap_or_default();
    let mut rows: Vec<String> = words.into_iter().map(row).collect();
    rows.push(lang.pick("The scorecard:", "记分卡：").into());
    rows.extend(SCORECARD.iter().map(row));
    rows.push(lang.pick("Its second row, what tools add:", "第二行，工具另外加上的：").into());
    rows.extend(BESIDES.iter().map(row));
    rows
}

/// What the learner must be told once.
pub(crate) fn notice(state: &State) -> Option<String> {
    let lang = state.lang;
    let notice = state.play.as_ref().and_then(|play| play.session.notice());
    if state.trouble.is_some() || state.said.is_some() {
        return chrome::said(state);
    }
    Some(match notice? {
        Notice::Busy(terminal) => {
            let (name, sign) = (terminal.label(lang), idle::sign(*terminal));
            lang.pick(
                format!("The {name} terminal is busy: what runs there must end first. {sign} ^C interrupts it."),
                format!("{name}终端正忙：先等那里的程序结束，或用 {sign} ^C 中断它。"),
            )
        }
        Notice::HalfTyped(terminal) => {
            let (name, sign) = (terminal.label(lang), idle::sign(*terminal));
            lang.pick(
                format!("A line is half typed in the {name} terminal: {sign} ^C drops it."),
                format!("{name}终端里有一行没打完：用 {sign} ^C 放弃它。"),
            )
        }
        Notice::Stumbled(line, status) => lang.pick(
            format!("`{line}` ended with status {status}: Enter types it again, r begins the step again."),
            format!("`{line}` 的退出状态是 {status}：回车再输入一次，r 重做这一步。"),
        ),
        _ => return chrome::said(state),
    })
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
