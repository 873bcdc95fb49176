//! The board: what a room and its helpers see of a class, as lines of text.

use super::{Asked, Doing, Flag, Room, card::Signed};
use crate::lang::Lang;
use crate::terminal::Size;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The language.
    pub lang: Lang,
    /// Only ASCII characters.
    pub ascii: bool,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// Columns and rows; rows beyond these are counted and not shown.
    pub size: Size,
}

/// How the room has answered one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Answers {
    /// The lesson's name.
    pub lesson: String,
    /// The step's name.
    pub step: String,
    /// The number of the step, from 1.
    pub number: usize,
    /// The block of the step.
    pub block: usize,
    /// How many have chosen each answer.
    pub chosen: Vec<usize>,
    /// How many have not answered yet.
    pub waiting: usize,
}

/// A question has so many answers at most: the keys 1 to 9.
const MAX_ANSWERS: usize = 9;

/// How the room has answered the question that most of it has come to; `None` where no learner has come to one.
pub(crate) fn answers(room: &Room) -> Option<Answers> {
    let mut all: Vec<Answers> = Vec::new();
    for Signed { card, .. } in &room.cards {
        let Some(Asked { block, options, answer }) = card.question.clone() else { continue };
        let is_it = |known: &Answers| (&known.lesson, &known.step, known.block) == (&card.lesson, &card.step, block);
        let at = all.iter().position(is_it).unwrap_or_else(|| {
            let (lesson, step, number) = (card.lesson.clone(), card.step.clone(), card.number);
            all.push(Answers { lesson, step, number, block, ..Answers::default() });
            all.len() - 1
        });
        let Some(known) = all.get_mut(at) else { continue };
        let count = options.min(MAX_ANSWERS).max(known.chosen.len());
        known.chosen.resize(count, 0);
        match answer {
            Some(answer) => {
                if let Some(count) = known.chosen.get_mut(answer) {
                    *count += 1;
                }
            }
            None => known.waiting += 1,
        }
    }
    all.into_iter().max_by_key(|one| (one.chosen.iter().sum::<usize>() + one.waiting, one.waiting))
}

/// The whole board. `question` gives the text of a question and its answers, where this program knows the lesson.
pub(crate) fn lines(
    room: &Room,
    look: Look,
    question: impl Fn(&Answers) -> Option<(String, Vec<String>)>,
) -> Vec<String> {
    let (columns, rows) = (usize::from(look.size.columns), usize::from(look.size.rows));
    let lang = look.lang;
    let count = |flag| room.cards.iter().filter(|signed| signed.card.flag == Some(flag)).count();
    let (all, help, done) = (room.cards.len(), count(Flag::Help), count(Flag::Done));
    let (hand, tick) = (Flag::Help.sign(look.ascii).trim_end(), Flag::Done.sign(look.ascii).trim_end());
    let head = lang.pick(
        format!("{all} learners   {hand} {help}   {tick} {done}"),
        format!("{all} 名学员   {hand} {help}   {tick} {done}"),
    );
    let mut tail = Vec::new();
    if let Some(answers) = answers(room) {
        tail.push(String::new());
        tail.extend(counted(&answers, look, question(&answers)));
    }
    if room.unread > 0 {
        let unread = room.unread;
        tail.push(lang.pick(format!("{unread} files could not be read"), format!("有 {unread} 个文件无法读取")));
    }
    if room.cards.is_empty() {
        tail.push(lang.pick("Nothing is shared here yet", "还没有人共享").into());
    }
    let room_for = rows.saturating_sub(2 + tail.len()).max(1);
    let mut out = vec![head, String::new()];
    let mut seen: Vec<String> = room.cards.iter().map(|signed| row(signed, look)).collect();
    if seen.len() > room_for {
        let more = seen.len() - room_for + 1;
        seen.truncate(room_for - 1);
        seen.push(lang.pick(format!("… {more} more"), format!("……还有 {more} 人")));
    }
    out.extend(seen);
    out.extend(tail);
    out.iter().map(|line| clip(line, columns)).collect()
}

/// One learner.
fn row(signed: &Signed, look: Look) -> String {
    let (lang, card) = (look.lang, &signed.card);
    let sign = card.flag.map_or("  ", |flag| flag.sign(look.ascii));
    let since = signed.flag_since.unwrap_or(signed.since);
    let age = age(look.now.saturating_sub(since), lang);
    let place = format!("{} {}/{} {}", card.lesson, card.number, card.of, card.step);
    let state = match (&card.failed, card.doing) {
        (Some(failed), Doing::Working) => {
            let mark = if look.ascii { "!" } else { "✗" };
            let check = failed.check.replace('`', "");
            let (expected, observed) = (&failed.expected, &failed.observed);
            lang.pick(
                format!("{mark} {check}: expected {expected}, observed {observed}"),
                format!("{mark} {check}：期望 {expected}，实际 {observed}"),
            )
        }
        (_, Doing::Asked) => lang.pick("asked", "答题中").into(),
        (_, Doing::Done) => lang.pick("step done", "本步完成").into(),
        (None, Doing::Working) => String::new(),
    };
    format!("{sign} {} {} {}  {state}", pad(&age, 7), pad(&signed.name, 16), pad(&place, 34)).trim_end().into()
}

fn age(seconds: u64, lang: Lang) -> String {
    match seconds / 60 {
        0 => lang.pick("now", "刚刚").into(),
        minutes @ 1..=99 => lang.pick(format!("{minutes} min"), format!("{minutes} 分")),
        minutes => lang.pick(format!("{} h", minutes / 60), format!("{} 时", minutes / 60)),
    }
}

/// How the room answered; which answer is right is not told.
fn counted(answers: &Answers, look: Look, known: Option<(String, Vec<String>)>) -> Vec<String> {
    let lang = look.lang;
    let given: usize = answers.chosen.iter().sum();
    let all = given + answers.waiting;
    let place = format!("{} {} {}", answers.lesson, answers.number, answers.step);
    let (question, options) = known.unwrap_or_default();
    // The marks of Markdown around code are not said.
    let (question, options): (_, Vec<_>) =
        (question.replace('`', ""), options.iter().map(|text| text.replace('`', "")).collect());
    let mut out = vec![lang.pick(
        format!("{place}: {given} of {all} have answered  {question}"),
        format!("{place}：{all} 人中 {given} 人已答  {question}"),
    )];
    let bar = if look.ascii { "#" } else { "█" };
    for (at, count) in answers.chosen.iter().enumerate() {
        let text = options.get(at).map(String::as_str).unwrap_or_default();
        let length = (count * 20).div_ceil(all.max(1));
        out.push(format!("  {} {} {count:>3}  {text}", at + 1, pad(&bar.repeat(length), 20)));
    }
    out
}

/// As much of a text as fits so many columns, and blanks up to there.
fn pad(text: &str, columns: usize) -> String {
    let text = clip(text, columns);
    let blanks = columns.saturating_sub(text.width());
    text + &" ".repeat(blanks)
}

fn clip(text: &str, columns: usize) -> String {
    let mut room = columns;
    let fits = |letter: &char| match room.checked_sub(letter.width().unwrap_or(0)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Card, Failed};
    use super::*;

    fn signed(name: &str, step: &str, answer: Option<Option<usize>>) -> Signed {
        let question = answer.map(|answer| Asked { block: 1, options: 3, answer });
        let card = Card { lesson: "isolate".into(), step: step.into(), number: 4, of: 10, question, ..Card::default() };
        Signed { class: 1, name: name.into(), since: 1000, card, ..Signed::default() }
    }

    fn look(size: Size, lang: Lang, ascii: bool) -> Look {
        Look { lang, ascii, now: 1000 + 180, size }
    }

    fn room() -> Room {
        let mut help = signed("李明", "one-call", None);
        help.card.flag = Some(Flag::Help);
        let (check, expected, observed) = ("the `host name` is box".into(), "box".into(), "vm".into());
        help.card.failed = Some(Failed { check, expected, observed });
        let others = [
            signed("Ann", "one-call", Some(Some(1))),
            signed("Bob", "one-call", Some(Some(1))),
            signed("Cem", "one-call", Some(Some(0))),
            signed("Dan", "one-call", Some(None)),
            signed("Eve", "another", Some(None)),
        ];
        Room { cards: [help].into_iter().chain(others).collect(), unread: 2 }
    }

    #[test]
    fn it_tells_who_is_where_and_what_fails() {
        let lines = lines(&room(), look(Size::new(120, 24), Lang::En, false), |_| None);
        assert!(lines[0].starts_with("6 learners   ✋ 1"), "{lines:#?}");
        assert!(lines[2].starts_with("✋ 3 min   李明"), "{lines:#?}");
        assert!(
            lines[2].contains("isolate 4/10 one-call")
                && lines[2].contains("the host name is box: expected box, observed vm")
        );
        assert!(lines.iter().any(|line| line == "2 files could not be read"));
        let ascii = super::lines(&room(), look(Size::new(120, 24), Lang::En, true), |_| None);
        assert!(ascii.iter().all(|line| line.replace("李明", "").is_ascii()), "{ascii:#?}");
    }

    #[test]
    fn the_rooms_answers_are_those_to_the_question_that_most_have_come_to() {
        let found = answers(&room()).unwrap();
        assert_eq!((found.step.as_str(), found.chosen.as_slice(), found.waiting), ("one-call", &[1, 2, 0][..], 1));
        let known = |_: &Answers| Some(("Which `link`?".to_string(), vec!["`pid`".to_string(), "`uts`".to_string()]));
        let lines = lines(&room(), look(Size::USUAL, Lang::En, false), known).join("\n");
        assert!(lines.contains("3 of 4 have answered  Which link?"), "{lines}");
        assert!(lines.contains("  2 ██████████             2  uts"), "{lines}");
        // A file may say anything.
        let wild = Asked { block: 1, options: usize::MAX, answer: Some(usize::MAX) };
        let mut one = signed("x", "a", None);
        one.card.question = Some(wild);
        assert_eq!(answers(&Room { cards: vec![one], unread: 0 }).unwrap().chosen, [0; MAX_ANSWERS]);
    }

    #[test]
    fn it_never_leaves_its_terminal() {
        let cards =
            (0..200).map(|at| signed(&format!("learner {at} 李明李明李明李明"), "one-call", Some(Some(at % 3))));
        let room = Room { cards: cards.collect(), unread: 1 };
        for size in [(80, 24), (40, 10), (120, 30), (20, 5)].map(Size::from) {
            for lang in Lang::ALL {
                let lines = lines(&room, look(size, lang, false), |_| None);
                assert!(lines.iter().all(|line| line.width() <= usize::from(size.columns)), "{size:?} {lines:#?}");
                assert!(size.rows < 10 || lines.len() <= usize::from(size.rows), "{size:?} {lines:#?}");
            }
        }
    }
}
