//! What the speaker sees: the note before the command, the next line, the answer, the time, the next step.

use super::{Stage, Waits};
use crate::{
    kernel::text,
    lang::Lang,
    lesson::{Block, Lesson, Step, Translations},
    terminal::Size,
};
use unicode_width::UnicodeWidthChar;

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The language.
    pub lang: Lang,
    /// Columns and rows.
    pub size: Size,
    /// How long the talk takes by now, in seconds.
    pub elapsed: u64,
    /// How long it is to take, in minutes.
    pub minutes: Option<u64>,
    /// The number of the step to jump to, as far as it is typed.
    pub jump: Option<usize>,
}

/// The lesson of this name, in this language or in the one that it has.
pub(crate) fn lesson<'a>(lessons: &'a [Translations], id: &str, lang: Lang) -> Option<&'a Lesson> {
    let all = lessons.iter().find(|all| all.id() == id)?;
    all.best(lang)
}

/// All lines; `stage` is where the hall is, if there is one.
pub(crate) fn lines(stage: Option<&Stage>, lessons: &[Translations], look: Look) -> Vec<String> {
    let lang = look.lang;
    let (columns, rows) = (usize::from(look.size.columns).max(20), usize::from(look.size.rows));
    let keys = match look.jump {
        None => lang
            .pick(
                "Space go  n next  p back  g jump  x hold  c run on  1-9 answer  * mark  q quit",
                "空格 继续  n 下一步  p 上一步  g 跳到  x 暂停  c 放行  1-9 作答  * 标记  q 退出",
            )
            .to_string(),
        Some(typed) => {
            let typed = if typed == 0 { String::new() } else { typed.to_string() };
            lang.pick(
                format!("Jump to step: {typed}_   Enter go there   Esc stay"),
                format!("跳到第几步：{typed}_   回车 前往   Esc 留在这里"),
            )
        }
    };
    let mut out = Vec::new();
    let known = stage.and_then(|stage| Some((stage, lesson(lessons, &stage.lesson, lang)?)));
    match known {
        None => {
            out.push(time(look, None));
            out.push(String::new());
            out.extend(wrap(
                lang.pick(
                    "No hall yet: boxwright present LESSON, in the terminal that the room sees. It is waited for.",
                    "还没有演示画面：在投影的终端里运行 boxwright present 课程。正在等待。",
                ),
                columns,
            ));
        }
        Some((stage, lesson)) => {
            let count = lesson.steps.len();
            let step = lesson.steps.get(stage.step);
            let title = step.map_or("", |step| step.title.as_str());
            out.push(time(look, Some((stage.step, count))));
            out.extend(wrap(&format!("{} {}/{count}  {title}", lesson.id, stage.step + 1), columns));
            out.push(String::new());
            out.extend(step.map(|step| told(step, stage, lang, columns)).unwrap_or_default());
            out.push(String::new());
            let then =
                lesson.steps.get(stage.step + 1).map(|next| format!("{}/{count}  {}", stage.step + 2, next.title));
            let then = then.unwrap_or_else(|| lang.pick("the end of the lesson", "本课结束").into());
            out.extend(wrap(&format!("{}{then}", lang.pick("Then: ", "接下来：")), columns));
            out.extend(hall(stage, lang, (columns, rows.saturating_sub(out.len() + 1))));
        }
    }
    // The keys stand on the last line, whatever there is to read.
    out.truncate(rows.saturating_sub(1));
    out.resize(rows.saturating_sub(1), String::new());
    out.push(wrap(&keys, columns).into_iter().next().unwrap_or_default());
    out
}

/// What the room sees: as many of the last rows of the terminal as there is room for; nothing where that is not worth it.
fn hall(stage: &Stage, lang: Lang, (columns, rows): (usize, usize)) -> Vec<String> {
    const LEAST: usize = 4;
    let Some(terminal) = stage.terminal.filter(|_| rows >= LEAST && !stage.shown.is_empty()) else { return Vec::new() };
    let name = terminal.label(lang);
    let title = lang.pick(format!("-- the hall sees: {name} --"), format!("-- 演示画面：{name} --"));
    let last = stage.shown.get(stage.shown.len().saturating_sub(rows - 2)..).unwrap_or_default();
    let cut = |row: &String| clip(&text::printable(row), columns);
    [String::new(), clip(&title, columns)].into_iter().chain(last.iter().map(cut)).collect()
}

/// As much of a text as fits so many columns.
fn clip(text: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = |letter: &char| match left.checked_sub(letter.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

/// What is to be said and done in a step.
fn told(step: &Step, stage: &Stage, lang: Lang, columns: usize) -> Vec<String> {
    let mut out = Vec::new();
    let notes = step.blocks.iter().filter_map(|block| if let Block::Note(text) = block { Some(text) } else { None });
    for note in notes {
        out.extend(wrap(&note.replace('\n', " "), columns));
        out.push(String::new());
    }
    if out.is_empty() {
        out.push(lang.pick("(no note)", "（没有备注）").into());
        out.push(String::new());
    }
    let now = match stage.waits {
        Waits::Line => {
            format!("{}{}", lang.pick("Next: Space → ", "下一行：空格 → "), stage.line.as_deref().unwrap_or_default())
        }
        Waits::Call => {
            let call = stage.call.as_deref().unwrap_or_default();
            format!("{}{call}", lang.pick("Held: Space → ", "暂停中：空格 → "))
        }
        Waits::Answer => lang.pick("The room predicts", "请大家先猜").into(),
        Waits::Consent => lang
            .pick("A call would change the machine: decide in the hall", "有调用会改变机器本身：请在演示画面里决定")
            .into(),
        Waits::Facts => lang.pick("The kernel does not say so yet", "内核还没有确认").into(),
        Waits::Next => lang.pick("Done: Space → next step", "完成：空格 → 下一步").into(),
        Waits::Busy => lang.pick("Working …", "正在运行……").into(),
    };
    out.extend(wrap_exactly(&now, columns));
    if stage.holds {
        out.push(lang.pick("Each call is held", "每个调用都会暂停").into());
    }
    // The question that is open, or the one that comes.
    let ahead = step.blocks.iter().enumerate().filter(|(index, _)| *index >= stage.at);
    let question =
        ahead.filter_map(|(_, block)| if let Block::Predict(predict) = block { Some(predict) } else { None });
    for predict in question.take(1) {
        out.push(String::new());
        out.extend(wrap(&predict.question, columns));
        let answer = predict.options.get(predict.answer).map_or("", String::as_str);
        let number = predict.answer + 1;
        let answer = lang.pick(format!("Answer: {number}, {answer}"), format!("答案：{number}，{answer}"));
        out.extend(wrap(&answer, columns));
    }
    out
}

/// `12:40 of 45:00`, and whether that is early or late for this step.
fn time(look: Look, place: Option<(usize, usize)>) -> String {
    let lang = look.lang;
    let clock = |seconds: u64| format!("{}:{:02}", seconds / 60, seconds % 60);
    let elapsed = clock(look.elapsed);
    let Some(minutes) = look.minutes else { return elapsed };
    let all = clock(minutes * 60);
    let mut text = lang.pick(format!("{elapsed} of {all}"), format!("{elapsed} / {all}"));
    if let Some((step, count)) = place {
        let begin = minutes * 60 * step as u64 / count.max(1) as u64;
        let end = minutes * 60 * (step as u64 + 1) / count.max(1) as u64;
        let minutes = |seconds: u64| seconds.div_ceil(60);
        if look.elapsed > end {
            let late = minutes(look.elapsed - end);
            text += &lang.pick(format!("   {late} min late"), format!("   晚了 {late} 分钟"));
        } else if look.elapsed < begin {
            let early = minutes(begin - look.elapsed);
            text += &lang.pick(format!("   {early} min early"), format!("   早了 {early} 分钟"));
        }
    }
    text
}

/// Lines of so many columns, as text: the marks of Markdown around code are not said.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_exactly(&text.replace('`', ""), columns)
}

/// The same of what is typed or called, where every character counts.
fn wrap_exactly(text: &str, columns: usize) -> Vec<String> {
    textwrap::wrap(text, columns).into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;
    use unicode_width::UnicodeWidthStr;

    fn look(lang: Lang, elapsed: u64) -> Look {
        Look { lang, size: Size::USUAL, elapsed, minutes: Some(45), jump: None }
    }

    /// The step of this name, with its place.
    fn place(id: &str) -> Stage {
        let lessons = lesson::written_once();
        let step = super::lesson(lessons, "isolate", Lang::En).unwrap().steps.iter().position(|step| step.id == id);
        Stage { lesson: "isolate".into(), step: step.unwrap(), ..Stage::default() }
    }

    #[test]
    fn the_note_comes_before_the_command_with_answer_time_and_next_step() {
        let lessons = lesson::written_once();
        for lang in Lang::ALL {
            let isolate = super::lesson(lessons, "isolate", lang).unwrap();
            let stage = Stage { waits: Waits::Answer, ..place("plain-process") };
            let all = lines(Some(&stage), lessons, look(lang, 760));
            let text = all.join("\n");
            let blocks = &isolate.steps[0].blocks;
            let note = blocks.iter().find_map(|block| if let Block::Note(note) = block { Some(note) } else { None });
            let begin: String = note.unwrap().chars().take(12).collect();
            assert!(text.contains(&begin), "{begin}\n{text}");
            let Some(Block::Predict(predict)) = blocks.iter().find(|block| matches!(block, Block::Predict(_))) else {
                panic!("no question")
            };
            let (number, answer) = (predict.answer + 1, &predict.options[predict.answer]);
            let answer = lang.pick(format!("{number}, {answer}"), format!("{number}，{answer}"));
            assert!(text.contains(&answer) && text.contains("12:40") && text.contains("45:00"), "{text}");
            assert!(text.contains(&format!("2/10  {}", isolate.steps[1].title)), "{text}");
            assert_eq!(all.len(), 24);
            assert!(all.iter().all(|line| line.width() <= 80), "{text}");
        }
    }

    #[test]
    fn what_comes_next_is_the_line_or_the_call() {
        let lessons = lesson::written_once();
        let line = Stage { waits: Waits::Line, line: Some("unshare -pf sh".into()), ..place("without-fork") };
        assert!(lines(Some(&line), lessons, look(Lang::En, 0)).contains(&"Next: Space → unshare -pf sh".to_string()));
        let call = Stage { waits: Waits::Call, call: Some("clone(SIGCHLD)".into()), ..line };
        assert!(lines(Some(&call), lessons, look(Lang::En, 0)).contains(&"Held: Space → clone(SIGCHLD)".to_string()));
    }

    #[test]
    fn the_hall_is_seen_in_small_where_there_is_room() {
        let lessons = lesson::written_once();
        let shown: Vec<String> = (1..=12).map(|row| format!("row {row} 演示\u{1b}[2J")).collect();
        let stage = Stage { terminal: Some(lesson::TerminalId::Host), shown, ..place("without-fork") };
        let all = lines(Some(&stage), lessons, Look { size: Size::new(60, 60), ..look(Lang::En, 0) });
        let at = all.iter().position(|line| line == "-- the hall sees: host --").unwrap();
        assert!(all[at + 1].starts_with("row 1 ") && all[at + 12].starts_with("row 12 "), "{all:#?}");
        assert!(all.iter().all(|line| line.width() <= 60 && !line.contains('\u{1b}')), "{all:#?}");
        // The newest rows are those that stay.
        let less = lines(Some(&stage), lessons, Look { size: Size::new(60, at as u16 + 4), ..look(Lang::En, 0) });
        assert!(less[at + 1].starts_with("row 11 ") && less[at + 2].starts_with("row 12 "), "{less:#?}");
        let none = lines(Some(&stage), lessons, Look { size: Size::new(60, at as u16 + 2), ..look(Lang::En, 0) });
        assert!(!none.iter().any(|line| line.contains("hall sees")), "{none:#?}");
        let asked = lines(Some(&stage), lessons, Look { jump: Some(7), ..look(Lang::En, 0) });
        assert!(asked[23].starts_with("Jump to step: 7_"), "{asked:#?}");
    }

    #[test]
    fn what_is_code_is_said_without_the_marks_of_markdown() {
        assert_eq!(wrap("read `ls -l` aloud", 80), ["read ls -l aloud"]);
        let line = Stage { waits: Waits::Line, line: Some("echo `id`".into()), ..place("without-fork") };
        let lessons = lesson::written_once();
        let all = lines(Some(&line), lessons, look(Lang::En, 0));
        assert!(all.contains(&"Next: Space → echo `id`".to_string()), "{all:#?}");
    }

    #[test]
    fn early_and_late_are_told_against_the_plan() {
        let at = |step, elapsed| time(look(Lang::En, elapsed), Some((step, 10)));
        assert_eq!(at(0, 100), "1:40 of 45:00");
        assert_eq!(at(0, 400), "6:40 of 45:00   3 min late");
        assert_eq!(at(4, 60), "1:00 of 45:00   17 min early");
        assert_eq!(time(Look { minutes: None, ..look(Lang::En, 61) }, None), "1:01");
    }

    #[test]
    fn without_a_hall_it_says_what_it_waits_for() {
        let text = lines(None, &[], look(Lang::En, 0)).join(" ");
        assert!(text.contains("boxwright present LESSON"), "{text}");
        let unknown = Stage { lesson: "nowhere".into(), step: 99, ..Stage::default() };
        assert!(lines(Some(&unknown), &[], look(Lang::En, 0)).len() == 24);
    }
}
