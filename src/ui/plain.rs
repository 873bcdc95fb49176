//! What the drawn screen shows, as lines of plain text: for screen readers, serial consoles, pipes.

use super::{
    calls, chrome, lesson, limits, marks, meaning,
    sheet::Sheet,
    text::{Pieces, inline, wrap},
    theme::Role,
};
use crate::{
    app::{Jump, PROPERTIES, Play, Row, State},
    glossary::{SCORECARD, Term, of_step},
    lang::Lang,
    lesson::{Block, Predict, Run, TerminalId},
    session::{GuardedCall, Phase, closing},
};
use unicode_width::UnicodeWidthChar;

/// How long a line is at most: what every terminal and every Braille display can break well enough.
const COLUMNS: usize = 78;

/// The opening: what there is to start.
pub(crate) fn opening(state: &State) -> Vec<String> {
    let lang = state.lang;
    let title = lang.pick(
        "boxwright: build a Linux container by hand, one system call at a time",
        "boxwright：亲手造一个 Linux 容器，一次一个系统调用",
    );
    let machine = format!("{}{}", lang.pick("This machine: ", "这台机器："), chrome::machine(&state.facts, lang));
    let mut out = vec![title.to_string(), machine];
    for sentence in limits::sentences(state) {
        out.extend(wrap(&sentence, Role::Plain, COLUMNS).iter().map(flat));
    }
    out.push(String::new());
    for index in 0..state.lessons.len() {
        if let Some(lesson) = state.lesson(index) {
            let steps = lesson.steps.len();
            let reached = state.progress.of(lesson);
            let count = match reached.is_untouched() {
                true => lang.pick(format!("{steps} steps"), format!("{steps} 步")),
                false => closing::counts(&reached, lang),
            };
            let text = lang.pick(
                format!("{} {}: {} ({count})", index + 1, lesson.title, lesson.summary),
                format!("{} {}：{}（{count}）", index + 1, lesson.title, lesson.summary),
            );
            out.extend(wrap(&text, Role::Plain, COLUMNS).iter().map(flat));
        }
    }
    out.push(String::new());
    out.push(
        lang.pick(
            "A number and Enter starts a lesson. ? shows every command, q ends.",
            "输入编号并回车开始一课。? 列出所有命令，q 退出。",
        )
        .into(),
    );
    lines_of(state, out)
}

/// What a user cannot do on this machine, once that is known: the opening may have been said before.
pub(crate) fn limit(state: &State) -> Vec<String> {
    let sentence = limits::sentences(state).into_iter().next();
    let wrapped = sentence.iter().flat_map(|sentence| wrap(sentence, Role::Plain, COLUMNS));
    lines_of(state, wrapped.map(|pieces| flat(&pieces)).collect())
}

/// Every command of the plain mode.
pub(crate) fn help(state: &State) -> Vec<String> {
    let rows: &[(&str, &str, &str)] = &[
        (
            "Enter",
            "type the command that is due, let the held call happen, or go to the next step",
            "输入该执行的命令，放行暂停的调用，或进入下一步",
        ),
        ("1-9", "answer the question", "回答问题"),
        (
            "! LINE",
            "type LINE into the container terminal; ! ^C interrupts what runs there",
            "在容器终端里输入一行命令；! ^C 中断那里的程序",
        ),
        ("@ LINE", "the same in the host terminal", "在宿主机终端里输入 LINE"),
        ("h", "one more hint", "再给一条提示"),
        ("c", "let everything that is held go on", "放行所有暂停的调用"),
        ("u NAME", "go on until the next call of this name", "运行到下一次这个调用"),
        ("x", "hold before every call, or stop doing so", "逐个暂停调用，或不再暂停"),
        ("n  p", "next step, step before", "下一步，上一步"),
        ("r", "begin this step again", "重做这一步"),
        ("g", "the steps, and what each has come to", "列出各步，以及每步的完成情况"),
        ("g N", "go to step N, or to the one with N in its name", "跳到第 N 步，或名字里有 N 的那一步"),
        ("C", "how far you have come in all lessons", "全部课程的学习进度"),
        ("w", "what the kernel says now: namespaces, processes", "内核现在怎么说：命名空间、进程"),
        ("W", "the words of this step, and what the scorecard means", "这一步的术语，以及记分卡的含义"),
        ("e", "write the proof card (what the kernel counted) into a file", "把证据卡（内核的计数）写入文件"),
        ("N", "speaker notes on or off", "显示或隐藏讲者备注"),
        ("l", "中文", "English"),
        ("d", "what this machine allows", "这台机器允许什么"),
        ("R", "end, and start again as root", "退出并以 root 重新启动"),
        ("m", "the lessons", "课程列表"),
        ("q", "end", "退出"),
    ];
    let rows = rows.iter().filter(|(key, ..)| *key != "R" || state.facts.as_root.is_some());
    let text = rows.map(|(key, en, zh)| format!("{key:<8} {}", state.lang.pick(*en, *zh)));
    lines_of(state, text.collect())
}

/// The heading of the current step.
pub(crate) fn heading(state: &State, play: &Play) -> Vec<String> {
    let session = &play.session;
    let title = session.step().map_or("", |step| step.title.as_str());
    let (id, step, steps) = (&session.lesson().id, session.step_index() + 1, session.lesson().steps.len());
    let mut out = vec![String::new(), format!("== {id} {step}/{steps}  {title} =="), String::new()];
    if session.step_index() == 0 && !session.lesson().intro.is_empty() {
        out.extend(super::prose::lines(&session.lesson().intro, COLUMNS).iter().map(flat));
        out.push(String::new());
    }
    lines_of(state, out)
}

/// One block of the step as it is now; empty where it is not to be seen yet.
pub(crate) fn block(state: &State, play: &Play, index: usize) -> Vec<String> {
    let session = &play.session;
    let Some(block) = session.step().and_then(|step| step.blocks.get(index)) else { return Vec::new() };
    let past = session.at() > index;
    let phase = session.phase();
    let mut sheet = Sheet::default();
    if matches!(phase, Phase::Blocked(_)) {
        lesson::idea(state, play, block, COLUMNS, &mut sheet);
        return lines(state, &sheet);
    }
    match block {
        Block::Run(run) if phase == Phase::Due(index) => return due(state, play, run),
        Block::Predict(predict) if phase == Phase::Asking(index) => return question(state, predict),
        Block::Check(_) if past || phase == Phase::Checking(index) => {
            lesson::block(state, play, index, block, COLUMNS, &mut sheet);
        }
        // A command that was typed is in the terminal's output, an answer that was given is known.
        Block::Run(_) | Block::Predict(_) | Block::Check(_) => {}
        _ if session.at() >= index => lesson::block(state, play, index, block, COLUMNS, &mut sheet),
        _ => {}
    }
    if past {
        lesson::told_after(state, play, index, COLUMNS, &mut sheet);
    }
    lines(state, &sheet)
}

/// The command that Enter types.
fn due(state: &State, play: &Play, run: &Run) -> Vec<String> {
    let place = match run.terminal {
        TerminalId::Container => state.lang.pick("Enter types in the container terminal:", "按回车在容器终端输入："),
        TerminalId::Host => state.lang.pick("Enter types in the host terminal:", "按回车在宿主机终端输入："),
    };
    let mut out = vec![place.to_string(), format!("  {}", play.fill(&run.line))];
    if run.hold {
        out.push(state.lang.pick("Each system call waits for you.", "每个系统调用都会等你放行。").into());
    }
    lines_of(state, out)
}

/// A question, one numbered answer a line.
fn question(state: &State, predict: &Predict) -> Vec<String> {
    let question = format!("{}{}", state.lang.pick("Predict: ", "先猜："), predict.question);
    let answers = predict.options.iter().enumerate().map(|(number, answer)| format!("  {} {answer}", number + 1));
    let text = std::iter::once(question).chain(answers);
    let wrapped = text.flat_map(|text| inline(&text, Role::Plain).wrap(COLUMNS)).map(|pieces| flat(&pieces));
    lines_of(state, wrapped.collect())
}

/// The rung of help of this number, from 0.
pub(crate) fn hint(state: &State, play: &Play, rung: usize) -> Vec<String> {
    let step = play.session.step();
    let mut rungs = step.into_iter().flat_map(|step| &step.blocks).filter_map(|block| match block {
        Block::Hint(text) => Some(text),
        _ => None,
    });
    let Some(text) = rungs.nth(rung) else { return Vec::new() };
    let mut out = vec![format!("{} {}", state.lang.pick("Hint", "提示"), rung + 1)];
    out.extend(super::prose::lines(&play.fill(text), COLUMNS).iter().map(flat));
    lines_of(state, out)
}

/// A call or an end that the tracer saw.
pub(crate) fn row(state: &State, row: &Row) -> Vec<String> {
    lines(state, &calls::one(row, state.lang, COLUMNS))
}

/// What the session waits for.
pub(crate) fn waits_for(state: &State, play: &Play) -> Vec<String> {
    let lang = state.lang;
    let last = play.session.step_index() + 1 >= play.session.lesson().steps.len();
    let text = match play.session.phase() {
        Phase::Held => {
            let call = play.session.held().first().map(|(_, call)| call);
            let what = call.map(|call| format!("{} {}", call.pid, calls::brief(call)));
            let held = what.unwrap_or_default();
            let words = call.and_then(|call| meaning::sentence(call, lang)).unwrap_or_default();
            lang.pick(
                format!("Held: {held}. {words} Enter lets it happen, c lets everything go on."),
                format!("暂停在：{held}。{words}回车放行这个调用，c 全部放行。"),
            )
        }
        Phase::Guarded => play.session.guarded().map_or_else(String::new, |guarded| decision(guarded, lang)),
        Phase::Asking(_) => lang.pick("Answer with a number and Enter.", "输入编号并回车作答。").into(),
        Phase::Checking(_) if play.commands == 0 => lang
            .pick(
                "Your turn: ! LINE types LINE into the container terminal, @ LINE into the host's.",
                "轮到你了：! LINE 在容器终端里输入，@ LINE 在宿主机终端里输入。",
            )
            .into(),
        Phase::Checking(at) if play.session.measuring(at) => lang
            .pick(
                "Measuring: CPU use is the average of three seconds. If it does not come, h is a hint, r begins again.",
                "正在测量：CPU 用量是三秒的平均值，请稍等。如果一直不对，用 h 看提示，用 r 重做。",
            )
            .into(),
        Phase::Checking(_) => lang
            .pick(
                "Not yet. Go on with ! LINE or @ LINE, take a hint with h, begin again with r.",
                "还没有通过。可以继续用 ! LINE 或 @ LINE，用 h 看提示，用 r 重做。",
            )
            .into(),
        Phase::Blocked(reason) => {
            let here = lang.pick(
                format!("This step cannot be done here: {reason}."),
                format!("这台机器无法完成这一步：{reason}。"),
            );
            let next = match last {
                true => over(state, play),
                false => lang.pick("Enter goes to the next step.", "回车进入下一步。").into(),
            };
            format!("{here}{}{next}", lang.pick(" ", ""))
        }
        Phase::Done if last => over(state, play),
        Phase::Done => lang.pick("Enter goes to the next step.", "回车进入下一步。").into(),
        Phase::Due(_) | Phase::Preparing(..) | Phase::Running => return Vec::new(),
    };
    let mut sheet = Sheet::default();
    sheet.add(wrap(&text, Role::Plain, COLUMNS));
    lines(state, &sheet)
}

/// The last step has ended.
fn over(state: &State, play: &Play) -> String {
    let keys =
        state.lang.pick(" Enter shows how it went, m the lessons, q ends.", "回车看本课小结，m 查看课程，q 退出。");
    format!("{}{keys}", lesson::said_at_the_end(state, play))
}

/// What a lesson, or the whole course, has come to, and where to go on.
pub(crate) fn closing(state: &State, lesson: Option<usize>) -> Vec<String> {
    let mut all = vec![String::new()];
    all.extend(lines(state, &super::closing::sheet(state, lesson, COLUMNS)));
    let key = state.lang.pick("Enter", "回车");
    all.extend(super::closing::onward(state, lesson, key));
    all
}

/// The steps that fit what was typed (all where nothing was), and what each has come to.
pub(crate) fn steps(state: &State, play: &Play, typed: &str) -> Vec<String> {
    let jump = Jump { chosen: play.session.step_index(), typed: typed.into() };
    lines(state, &super::steps::sheet(state, &jump, COLUMNS))
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

/// The scorecard in words.
pub(crate) fn scorecard(state: &State, play: &Play) -> Option<String> {
    let card = play.sample.as_ref()?.scorecard;
    let values = [card.isolated, card.rooted, card.limited, card.entered];
    let words = PROPERTIES.iter().zip(values).map(|(property, on)| {
        let answer = if on { state.lang.pick("yes", "是") } else { state.lang.pick("no", "否") };
        format!("{} {answer}", state.lang.pick(property.name.0, property.name.1))
    });
    Some(words.collect::<Vec<_>>().join(state.lang.pick(", ", "，")))
}

/// What the kernel says of the container now.
pub(crate) fn now(state: &State, play: &Play) -> Vec<String> {
    let mut out = lines(state, &super::namespaces::sheet(state, play, COLUMNS, 40));
    out.push(String::new());
    out.extend(lines(state, &super::processes::sheet(state, play, COLUMNS)));
    out.extend(scorecard(state, play));
    out
}

/// The words of the current step, and what the scorecard means.
pub(crate) fn glossary(state: &State, play: &Play) -> Vec<String> {
    let lang = state.lang;
    let row = |term: &Term| format!("{}{}{}", term.name(lang), lang.pick(": ", "："), term.meaning(lang));
    let words = play.session.step().map(of_step).unwrap_or_default();
    let mut rows: Vec<String> = words.into_iter().map(row).collect();
    rows.push(lang.pick("The scorecard:", "记分卡：").into());
    rows.extend(SCORECARD.iter().map(row));
    let wrapped = rows.iter().flat_map(|text| wrap(text, Role::Plain, COLUMNS));
    lines_of(state, wrapped.map(|pieces| flat(&pieces)).collect())
}

/// What the learner must be told once.
pub(crate) fn notice(state: &State) -> Option<String> {
    chrome::said(state)
}

fn lines(state: &State, sheet: &Sheet) -> Vec<String> {
    lines_of(state, sheet.lines.iter().map(flat).collect())
}

fn flat(pieces: &Pieces) -> String {
    let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    whole.trim_end().to_string()
}

/// Nothing but ASCII where the terminal shows nothing else, apart from Chinese that was asked for.
fn lines_of(state: &State, lines: Vec<String>) -> Vec<String> {
    if !state.look.ascii {
        return lines;
    }
    let keep = |letter: char| letter.is_ascii() || state.lang == Lang::Zh && letter.width() == Some(2);
    let stand_in = |letter| if keep(letter) { letter } else { marks::ascii(letter) };
    lines.iter().map(|line| line.chars().map(stand_in).collect()).collect()
}
