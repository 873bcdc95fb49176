use crate::{
    app::{Look, State, View},
    lang::Lang,
    session::Phase,
    ui::{
        plain,
        stage::{self, press, prompts},
    },
};

fn screen(state: &mut State) -> String {
    stage::shot(state);
    stage::text(&stage::shot(state))
}

/// Solves the first step of the stage's lesson.
fn solve(state: &mut State) {
    press(state, " ");
    prompts(state);
    stage::sample(state, stage::plain());
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Done);
}

/// A lesson of one step, at its end.
fn at_the_end(lang: Lang, size: (u16, u16)) -> State {
    let mut state = stage::state(lang, size, Look::default());
    state.lessons[0].values_mut().for_each(|lesson| {
        lesson.steps.truncate(1);
        lesson.summary = lang.pick("Look at a process.", "看一个进程。").into();
    });
    press(&mut state, "\n");
    prompts(&mut state);
    solve(&mut state);
    state
}

#[test]
fn the_end_of_a_lesson_says_what_one_can_do_now_and_leads_on() {
    for lang in Lang::ALL {
        for size in [(80, 24), (140, 45), (60, 18)] {
            let mut state = at_the_end(lang, size);
            assert!(screen(&mut state).contains(lang.pick("Space shows how it went.", "按空格看本课小结。")));
            press(&mut state, " ");
            assert_eq!(state.view, View::Closing(Some(0)));
            let text = screen(&mut state);
            for wanted in lang.pick(
                ["Isolation: the lesson is done", "1 of 1 steps done.", "You can do this now", "Look at a process."],
                ["隔离：本课完成", "共 1 步，完成 1 步。", "你现在能做到", "看一个进程。"],
            ) {
                assert!(text.contains(wanted), "{wanted}: {text}");
                assert!(plain::closing(&state, Some(0)).join("\n").contains(wanted), "{wanted}");
            }
            // It was the only lesson: the course is done.
            press(&mut state, " ");
            assert_eq!(state.view, View::Closing(None));
            let text = screen(&mut state);
            for wanted in lang.pick(
                ["The whole course is done", "Where to go on", "boxwright inspect PID"],
                ["全部课程完成", "接下来", "boxwright inspect PID"],
            ) {
                assert!(text.contains(wanted), "{wanted}: {text}");
                assert!(plain::closing(&state, None).join("\n").contains(wanted), "{wanted}");
            }
            press(&mut state, "\x1b");
            assert_eq!(state.view, View::Opening);
        }
    }
}

#[test]
fn the_last_step_is_not_the_lesson() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    state.lessons[0].values_mut().for_each(|lesson| lesson.steps.reverse());
    press(&mut state, "\n");
    prompts(&mut state);
    press(&mut state, "g2");
    prompts(&mut state);
    solve(&mut state);
    let text = screen(&mut state);
    assert!(text.contains("step 1 is not") && !text.contains("The lesson is done"), "{text}");
    press(&mut state, " ");
    let text = screen(&mut state);
    assert!(text.contains("not done yet") && text.contains("Skipped"), "{text}");
    assert!(text.contains("Space goes to step 1: One call at a time"), "{text}");
    press(&mut state, " ");
    prompts(&mut state);
    assert_eq!((state.view, state.play.as_ref().unwrap().session.step_index()), (View::Lesson, 0));
    assert_eq!(state.resumes_at(0), 0, "and it is where one goes on next time");
}

#[test]
fn the_next_lesson_is_the_next_that_is_not_done() {
    let mut state = at_the_end(Lang::En, (80, 24));
    for id in ["second", "third"] {
        let mut lesson = state.lessons[0].clone();
        lesson.values_mut().for_each(|lesson| (lesson.id, lesson.title) = (id.into(), format!("The {id}")));
        state.lessons.push(lesson);
    }
    let done = state.lessons[1].get(Lang::En).unwrap().clone();
    state.progress.note(&done, &crate::session::Report::Solved(0, true));
    press(&mut state, " ");
    assert!(screen(&mut state).contains("Space goes to the next lesson: The third"));
    press(&mut state, " ");
    prompts(&mut state);
    assert_eq!((state.view, state.play.as_ref().unwrap().session.lesson().id.as_str()), (View::Lesson, "third"));
}
