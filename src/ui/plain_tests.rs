use super::*;
use crate::app::Pane;
use crate::{
    app::Look,
    lesson::{Block, written_once},
    ui::stage,
};
use unicode_width::UnicodeWidthStr;

/// Everything of a built-in lesson that a learner hears of the lesson itself.
fn texts(lesson: &crate::lesson::Lesson) -> Vec<String> {
    let blocks = lesson.steps.iter().flat_map(|step| &step.blocks);
    let text = |block: &Block| match block {
        Block::Prose(text) | Block::Why(text) | Block::Hint(text) | Block::Note(text) => {
            crate::ui::prose::paragraphs(&panes::with_commands(text, lesson.lang))
        }
        Block::Predict(predict) => std::iter::once(&predict.question).chain(&predict.options).cloned().collect(),
        Block::Check(list) => list.iter().map(|check| check.text.clone()).collect(),
        _ => Vec::new(),
    };
    crate::ui::prose::paragraphs(&lesson.intro).into_iter().chain(blocks.flat_map(text)).collect()
}

#[test]
fn every_text_fits_forty_columns_and_names_the_commands_of_panes() {
    for lang in Lang::ALL {
        let state = stage::state(lang, (80, 24), Look::default());
        let mut named = 0;
        for lesson in written_once().iter().filter_map(|lesson| lesson.get(lang)) {
            let texts = texts(lesson);
            let lines = fit(&state, &texts, 40);
            let wide = lines.iter().find(|line| line.width() > 40);
            assert_eq!(wide, None);
            // Nothing is lost on the way.
            let letters = |lines: &[String]| lines.concat().chars().filter(|letter| *letter != ' ').collect::<String>();
            assert_eq!(letters(&lines), letters(&texts));
            for text in texts {
                let pane = Pane::ALL.iter().find(|pane| {
                    let name = lang.pick(format!("{} pane", pane.label().0), format!("{}窗格", pane.label().1));
                    text.contains(&name) && !text.contains("`w ")
                });
                assert_eq!(pane, None, "{text}");
                named += usize::from(text.contains("`w "));
            }
        }
        assert!(named >= 8, "{named}");
        let mut own = help(&state);
        own.extend(opening(&state));
        assert_eq!(fit(&state, &own, 40).iter().find(|line| line.width() > 40), None);
    }
}

#[test]
fn a_terminal_that_knows_no_width_has_a_usual_one() {
    let state = stage::state(Lang::En, (80, 24), Look::default());
    let text = ["word ".repeat(60)];
    let widest = |columns| fit(&state, &text, columns).iter().map(|line| line.width()).max();
    assert_eq!((widest(0), widest(500), widest(60), widest(20)), (Some(74), Some(74), Some(59), Some(39)));
}

#[test]
fn panes_are_found_by_the_beginning_of_their_names_in_both_languages() {
    let mut state = stage::state(Lang::Zh, (80, 24), Look::default());
    stage::held(&mut state);
    let play = state.play.as_ref().unwrap();
    for (word, wanted) in [
        ("na", "mnt"),
        ("n", "`w na`（namespaces）、`w ne`（network）"),
        ("net", "尚未读到"),
        ("命名", "mnt"),
        ("PROC", "PID"),
        ("挂", "挂载表"),
        ("内外", "主机名"),
        ("x", "没有叫"),
    ] {
        let said = pane(&state, play, word).join("\n");
        assert!(said.contains(wanted), "{word}: {said}");
    }
    assert!(pane(&state, play, "namespaces").join("\n").contains("pid_for_children：与宿主机相同，即将改变"));
}
