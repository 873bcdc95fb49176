use super::*;
use crate::{
    lesson::{Block, Lesson, Predict, Step},
    session::{Outcome, Progress, Report},
};
use std::collections::BTreeMap;

fn lesson_of(count: usize) -> Lesson {
    let step = |number: usize| Step {
        id: format!("s{number}"),
        title: format!("Title {number}"),
        blocks: vec![Block::Predict(Predict::default())],
        ..Step::default()
    };
    Lesson {
        id: "isolate".into(),
        title: "Isolate a process".into(),
        summary: "Give a process its own PIDs.".into(),
        steps: (1..=count).map(step).collect(),
        ..Lesson::default()
    }
}

fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.text.as_str()).collect()
}

#[test]
fn a_lesson_that_is_done_says_what_one_can_do_now_and_how_it_went() {
    let lesson = lesson_of(3);
    let mut progress = Progress::default();
    progress.lacks(&lesson, &BTreeMap::from([("en", Vec::new())]));
    for report in [
        Report::Answered(0, 0, true),
        Report::Solved(0, true),
        Report::Answered(1, 0, false),
        Report::Answered(1, 0, true),
        Report::Solved(1, false),
        Report::Outcome(2, Outcome::Skipped("no swap".into())),
    ] {
        assert!(progress.note(&lesson, &report) || report == Report::Answered(1, 0, true));
    }
    let rows = super::lesson(&progress.of(&lesson), Lang::En);
    assert_eq!(
        texts(&rows),
        [
            "Isolate a process: the lesson is done",
            "2 of 3 steps done; 1 with the solution shown, 1 not possible here.",
            "You can do this now",
            "Give a process its own PIDs.",
            "Your predictions",
            "1 of 2 right at the first answer; surprised by 2 Title 2.",
            "Solved with the solution shown",
            "2 Title 2",
            "Not possible on this machine",
            "3 Title 3 (no swap)",
        ]
    );
    assert_eq!(rows[0].kind, Kind::Title(true));
}

#[test]
fn the_last_step_alone_is_not_the_lesson() {
    let lesson = lesson_of(3);
    let mut progress = Progress::default();
    progress.note(&lesson, &Report::Left(0));
    progress.note(&lesson, &Report::Answered(2, 0, true));
    progress.note(&lesson, &Report::Solved(2, true));
    let of = progress.of(&lesson);
    assert!(!of.is_complete());
    let rows = super::lesson(&of, Lang::Zh);
    assert_eq!(rows[0], row(Kind::Title(false), "Isolate a process：本课还没有完成"));
    assert_eq!(rows[1].text, "共 3 步，完成 1 步；1 步跳过。");
    let said = texts(&rows).join("|");
    assert!(said.contains("完成之后你能做到|") && said.contains("跳过了|1 Title 1|还没有做|2 Title 2"), "{said}");
    assert!(said.contains("3 题里第一次就答对 1 题；2 题没有回答。"), "{said}");
}

#[test]
fn the_course_is_done_when_each_lesson_is() {
    let lesson = lesson_of(1);
    let other = Lesson { id: "rootfs".into(), title: "Roots".into(), summary: "Turn it.".into(), ..lesson.clone() };
    let mut progress = Progress::default();
    progress.note(&lesson, &Report::Solved(0, true));
    let of = |progress: &Progress| course(&[progress.of(&lesson), progress.of(&other)], Lang::En);
    let half = of(&progress);
    assert_eq!(half[0], row(Kind::Title(false), "1 of 2 lessons done"));
    assert_eq!(half[2], row(Kind::Lesson(false), "Roots: 0 of 1 steps done; predictions: 0 of 1 right."));
    assert!(!texts(&half).contains(&"Turn it.") && !texts(&half).contains(&"Where to go on"));
    progress.note(&other, &Report::Solved(0, true));
    let whole = of(&progress);
    assert_eq!(whole[0], row(Kind::Title(true), "The whole course is done"));
    assert!(texts(&whole).contains(&"Turn it.") && texts(&whole).contains(&"Where to go on"));
    assert_eq!(course(&[], Lang::En)[0].kind, Kind::Title(false));
}

#[test]
fn a_lesson_that_asks_nothing_tells_of_no_prediction() {
    let lesson = lesson_of(2);
    let asked = Progress::default().of(&lesson);
    assert_eq!(predicted(&asked, Lang::En).as_deref(), Some("predictions: 0 of 2 right"));
    let steps = lesson.steps.into_iter().map(|step| Step { blocks: Vec::new(), ..step }).collect();
    assert_eq!(predicted(&Progress::default().of(&Lesson { steps, ..lesson_of(0) }), Lang::En), None);
}

#[test]
fn after_the_last_lesson_there_are_other_commands() {
    for lang in Lang::ALL {
        let commands = ["trace --", "inspect PID", "lessons new"].map(|command| format!("`boxwright {command}"));
        assert!(beyond(lang).iter().zip(commands).all(|(line, command)| line.contains(&command)));
    }
}
