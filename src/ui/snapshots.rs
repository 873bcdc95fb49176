//! Every screen, in both languages and both sizes. The snapshots are read by people: text first, styles below it.

use super::stage::{self, after, at_question, held, press, prompts, refused, shot, straight, styled};
use crate::{
    app::{Event, Look, State, update},
    lang::Lang,
};
use unicode_width::UnicodeWidthStr;

const SIZES: [(u16, u16); 2] = [(80, 24), (140, 45)];

fn all(name: &str, prepare: impl Fn(&mut State)) {
    for size in SIZES {
        for lang in Lang::ALL {
            let mut state = stage::state(lang, size, Look::default());
            prepare(&mut state);
            shot(&mut state);
            let buffer = shot(&mut state);
            straight(&stage::text(&buffer), size);
            if state.overlay.is_none() && state.view == crate::app::View::Lesson {
                stage::boxes(&buffer);
            }
            insta::assert_snapshot!(format!("{name}_{}_{}", size.0, lang.code()), styled(&buffer));
        }
    }
}

#[test]
fn opening() {
    all("opening", |_| {});
}

#[test]
fn step_start() {
    all("step_start", |state| {
        press(state, "\n");
        prompts(state);
    });
}

#[test]
fn question() {
    all("question", at_question);
}

#[test]
fn held_call() {
    all("held", held);
}

#[test]
fn after_the_call() {
    all("after", after);
}

#[test]
fn checks_refused() {
    all("refused", refused);
}

#[test]
fn hint() {
    all("hint", |state| {
        at_question(state);
        press(state, "1^gh");
    });
}

#[test]
fn help() {
    all("help", |state| {
        at_question(state);
        press(state, "?");
    });
}

/// No snapshot: the tools' sources change with the tools.
#[test]
fn source() {
    for size in SIZES {
        let mut state = stage::state(Lang::En, size, Look::default());
        held(&mut state);
        press(&mut state, "s");
        shot(&mut state);
        let text = stage::text(&shot(&mut state));
        straight(&text, size);
        match crate::tools::find("unshare") {
            Some(_) => assert!(text.contains("unshare(") && text.contains('▶'), "{text}"),
            None => assert!(text.contains("No source of unshare"), "{text}"),
        }
    }
}

#[test]
fn panes() {
    for (name, key) in [("namespaces", '3'), ("processes", '4'), ("sides", '5'), ("mounts", '6'), ("cgroup", '7')] {
        all(name, |state| {
            after(state);
            press(state, &key.to_string());
        });
    }
}

#[test]
fn go_to() {
    all("go_to", |state| {
        at_question(state);
        press(state, "1^gg");
    });
}

#[test]
fn terminal_focus() {
    all("terminal", |state| {
        at_question(state);
        press(state, "^gt");
    });
}

#[test]
fn doctor() {
    all("doctor", |state| {
        press(state, "d");
        let lines = [
            "kernel      ok       Linux 6.18.44",
            "root        ok       uid 0",
            "",
            "cgroup      limited  hybrid",
            "    remedy: boot with systemd.unified_cgroup_hierarchy=1 to have all controllers in one hierarchy",
        ];
        update(state, Event::Doctor(lines.map(Into::into).into()));
    });
}

#[test]
fn too_small() {
    for (size, lang) in [((39, 24), Lang::En), ((80, 9), Lang::Zh), ((5, 3), Lang::En)] {
        let mut state = stage::state(lang, size, Look::default());
        insta::assert_snapshot!(format!("too_small_{}x{}", size.0, size.1), stage::text(&shot(&mut state)));
    }
}

#[test]
fn ascii_and_colourless() {
    let look = Look { colourless: true, ascii: true, ..Look::default() };
    let mut state = stage::state(Lang::En, (80, 24), look);
    after(&mut state);
    let buffer = shot(&mut state);
    let text = stage::text(&buffer);
    assert!(text.is_ascii(), "{text}");
    assert!(
        buffer
            .content
            .iter()
            .all(|cell| cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset)
    );
    insta::assert_snapshot!("ascii", text);
}

#[test]
fn every_step_of_the_lessons_fits_its_pane() {
    let mut lessons = crate::lesson::embedded_once().to_vec();
    for lesson in lessons.iter_mut().flat_map(|lesson| lesson.values_mut()) {
        for step in &lesson.steps {
            for block in &step.blocks {
                use crate::lesson::Block::{Hint, Note, Prose, Why};
                let (Prose(text) | Why(text) | Hint(text) | Note(text)) = block else { continue };
                for columns in [36, 46, 76] {
                    for line in super::prose::lines(text, columns) {
                        let wide: usize = line.iter().map(|(text, _)| text.width()).sum();
                        assert!(wide <= columns, "{}/{}: {line:?}", lesson.id, step.id);
                    }
                }
            }
        }
    }
}
