use crate::{
    app::{Event, Look, Overlay, State, update},
    lang::Lang,
    lesson::{Block, Requirement},
    session::{Phase, Standing},
    ui::stage::{self, press, prompts},
};

/// A lesson of two steps, of which the second cannot be done here.
fn without_swap(lang: Lang, size: (u16, u16)) -> State {
    let mut state = stage::state(lang, size, Look::default());
    for lesson in state.lessons.iter_mut().flat_map(|lesson| lesson.values_mut()) {
        lesson.steps[1].blocks.insert(0, Block::Requires(vec![Requirement::Swap]));
    }
    let why = |text: &str| vec![(Requirement::Swap, text.to_string())];
    update(&mut state, Event::Lacking([("en", why("no swap is on")), ("zh", why("没有打开交换空间"))].into()));
    press(&mut state, "\n");
    prompts(&mut state);
    state
}

fn screen(state: &mut State) -> String {
    stage::shot(state);
    stage::text(&stage::shot(state))
}

fn at(state: &State) -> usize {
    state.play.as_ref().unwrap().session.step_index()
}

#[test]
fn the_list_says_what_is_done_skipped_and_impossible() {
    for lang in Lang::ALL {
        let mut state = without_swap(lang, (80, 24));
        press(&mut state, "^gn");
        prompts(&mut state);
        press(&mut state, "g");
        let text = screen(&mut state);
        let (skipped, impossible, why) =
            lang.pick(("skipped", "not possible here", "no swap is on"), ("跳过", "本机做不了", "没有打开交换空间"));
        let row = |text: &str, of: &str| text.lines().rfind(|line| line.contains(of)).unwrap_or_default().to_string();
        assert!(row(&text, lang.pick("1 A plain process", "1 普通进程")).contains(skipped), "{text}");
        assert!(row(&text, lang.pick("2 One call", "2 一次一个")).contains(impossible) && text.contains(why), "{text}");
    }
}

#[test]
fn what_was_done_stays_done_when_one_goes_back_to_read() {
    let mut state = without_swap(Lang::En, (80, 24));
    press(&mut state, " ");
    prompts(&mut state);
    stage::sample(&mut state, stage::plain());
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Done);
    press(&mut state, "rr");
    prompts(&mut state);
    let lesson = state.lesson(0).unwrap();
    assert_eq!(state.progress.standing(lesson, 0), Standing::Done);
    press(&mut state, "^gg");
    let text = screen(&mut state);
    assert!(text.lines().any(|line| line.contains("1 A plain process") && line.contains("✓") && line.contains("done")));
}

#[test]
fn a_number_goes_there_and_letters_choose() {
    let mut state = without_swap(Lang::En, (80, 24));
    press(&mut state, "^gg2");
    prompts(&mut state);
    assert_eq!((at(&state), state.overlay.clone()), (1, None));
    press(&mut state, "gpLAIN");
    let text = screen(&mut state);
    assert!(text.contains("> pLAIN_") && text.contains("A plain process") && !text.contains(" 2 One call"), "{text}");
    press(&mut state, "\n");
    prompts(&mut state);
    assert_eq!(at(&state), 0);
    // Nothing of this name: that is said, and nothing happens.
    press(&mut state, "^ggjjkq\n");
    assert!(matches!(&state.overlay, Some(Overlay::GoTo(jump)) if jump.typed == "jjkq"), "{:?}", state.overlay);
    assert!(screen(&mut state).contains("No step has this number or name."));
    press(&mut state, "\x1b");
    assert_eq!((at(&state), state.overlay.clone()), (0, None));
}

#[test]
fn a_number_that_others_begin_with_waits_for_the_next_digit() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    for lesson in state.lessons.iter_mut().flat_map(|lesson| lesson.values_mut()) {
        let step = lesson.steps[0].clone();
        lesson.steps.resize(12, step);
    }
    press(&mut state, "\n");
    prompts(&mut state);
    press(&mut state, "^gg1");
    assert!(matches!(&state.overlay, Some(Overlay::GoTo(jump)) if jump.chosen == 0), "{:?}", state.overlay);
    press(&mut state, "2");
    prompts(&mut state);
    assert_eq!((at(&state), state.overlay.clone()), (11, None));
}

#[test]
fn what_cannot_be_done_here_can_be_read_and_does_not_keep_the_lesson_open() {
    for lang in Lang::ALL {
        for size in [(80, 24), (140, 45)] {
            let mut state = without_swap(lang, size);
            press(&mut state, " ");
            prompts(&mut state);
            stage::sample(&mut state, stage::plain());
            press(&mut state, " ");
            prompts(&mut state);
            let mut text = screen(&mut state);
            press(&mut state, "\u{1b}");
            press(&mut state, "\n");
            for _ in 0..9 {
                stage::feed(&mut state, Event::Key(crossterm::event::KeyCode::PageDown.into()));
                text += &screen(&mut state);
            }
            for wanted in lang.pick(
                [
                    "no swap is on",
                    "A process keeps the PID",
                    "unshare -imnpu",
                    "The lesson is done.",
                    "Space shows how",
                ],
                ["没有打开交换空间", "进程的 PID 在创建", "unshare -imnpu", "本课完成。", "按空格看本课小结。"],
            ) {
                assert!(text.contains(wanted), "{wanted}: {text}");
            }
        }
    }
}
