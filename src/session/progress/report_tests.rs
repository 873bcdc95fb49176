use super::*;
use crate::{
    lesson::{Block, Lesson, Predict, Step},
    session::{Outcome, Progress, Report},
};
use serde_json::json;

/// Two lessons: one with a step of each kind, and one that was not begun.
fn lessons(lang: Lang) -> Vec<LessonProgress> {
    let step = |id: &str| Step {
        id: id.into(),
        title: format!("Step {id}"),
        blocks: vec![Block::Predict(Predict::default())],
        ..Step::default()
    };
    let steps = ["a", "b", "c", "d", "e"].map(step).to_vec();
    let lesson = Lesson { id: "isolate".into(), title: "One | two".into(), lang, steps, ..Lesson::default() };
    let other =
        Lesson { id: "rootfs".into(), title: "Roots".into(), lang, steps: vec![step("x")], ..Lesson::default() };
    let mut progress = Progress::default();
    for report in [
        Report::Answered(0, 0, true),
        Report::Solved(0, true),
        Report::Answered(1, 0, false),
        Report::Solved(1, false),
        Report::Left(2),
        Report::Outcome(3, Outcome::Skipped("no swap".into())),
    ] {
        assert!(progress.note(&lesson, &report));
    }
    vec![progress.of(&lesson), progress.of(&other)]
}

#[test]
fn the_text_tells_kinds_apart_in_words() {
    assert_eq!(
        text(&lessons(Lang::En), Lang::En),
        [
            "isolate  2/5 done  1/4 predicted right  1 with the solution shown, 1 skipped, 1 not possible here",
            "    2 Step b: done with the solution shown",
            "    3 Step c: skipped",
            "    4 Step d: not possible here: no swap",
            "rootfs   0/1 done  0/1 predicted right",
            "0 of 2 lessons done, 1 of 5 predictions right",
        ]
    );
    assert_eq!(text(&lessons(Lang::Zh), Lang::Zh)[1], "    2 Step b：看了答案");
}

#[test]
fn markdown_is_a_table_and_a_list() {
    let lines = markdown(&lessons(Lang::En), Lang::En);
    assert_eq!(lines[2], r"| One \| two | 2/5 | 1 | 1 | 1 | 1/4 |");
    assert!(lines.contains(&"- [x] 1 Step a".to_string()) && lines.contains(&"- [ ] 3 Step c: skipped".to_string()));
    assert!(lines.contains(&"- [ ] 5 Step e".to_string()) && !lines.contains(&"## Roots".to_string()), "{lines:?}");
}

#[test]
fn json_names_every_step_and_its_state() {
    let lessons = lessons(Lang::En);
    let value = serde_json::to_value(value(&lessons, Some("isolate"))).unwrap();
    let lesson = &value["lessons"][0];
    let states: Vec<&str> =
        lesson["steps"].as_array().unwrap().iter().filter_map(|step| step["state"].as_str()).collect();
    assert_eq!(states, ["done", "helped", "skipped", "impossible", "open"]);
    assert_eq!(lesson["steps"][3]["reason"], "no swap");
    assert_eq!(lesson["steps"][1]["predictions"], json!([false]));
    assert_eq!(lesson["predictions"], json!({"all": 4, "answered": 2, "right": 1}));
    let counts = ["all", "done", "helped", "skipped", "impossible", "open"].map(|name| lesson[name].as_u64().unwrap());
    assert_eq!(counts, [5, 2, 1, 1, 1, 1]);
    assert_eq!((&value["last"], &value["complete"]), (&json!("isolate"), &json!(false)));
}

#[test]
fn nothing_done_is_said_in_so_many_words() {
    let none: Vec<LessonProgress> = vec![lessons(Lang::En)[1].clone()];
    for lang in Lang::ALL {
        let said = lang.pick("No progress yet", "还没有学习进度");
        assert!(text(&none, lang)[0].starts_with(said) && markdown(&none, lang)[0].starts_with(said));
    }
    assert_eq!(serde_json::to_value(value(&none, None)).unwrap()["lessons"][0]["done"], 0);
}

#[test]
fn a_lesson_without_a_learner_has_come_to_what_was_played() {
    let steps = ["a", "b", "c", "d"].map(|id| Step { id: id.into(), ..Step::default() }).to_vec();
    let lesson = Lesson { steps, ..Lesson::default() };
    let cannot = || Some(Outcome::Skipped("no swap".into()));
    let played = |outcomes: &[Option<Outcome>]| LessonProgress::played(&lesson, outcomes);
    let some = played(&[Some(Outcome::Passed), cannot(), None]);
    let standings: Vec<_> = some.steps.iter().map(|step| step.standing.clone()).collect();
    let impossible = Standing::Impossible("no swap".into());
    assert_eq!(standings, [Standing::Done, impossible, Standing::Open, Standing::Open]);
    let all = played(&[Some(Outcome::Passed), cannot(), cannot(), cannot()]);
    let none = played(&[cannot(), cannot(), cannot(), cannot()]);
    assert!(all.is_complete() && !some.is_complete());
    assert!(!none.is_complete(), "nothing can be done here, and nothing was");
    let complete = |lessons: &[LessonProgress]| value(lessons, None).complete;
    assert_eq!([complete(std::slice::from_ref(&all)), complete(&[all, some]), complete(&[])], [true, false, false]);
}
