//! The lab as it is drawn: terminals and panes, and nothing of a lesson.

use super::stage::{self, feed, press, prompts, sample, shot, straight, text, unshared};
use crate::kernel::pid::Pid;
use crate::{
    app::{Effect, Event, Facts, Look, Overlay, Pane, Prefix, State, update},
    lang::Lang,
    lesson::{self, TerminalId},
    observe::Container,
    session::{Action, Phase},
    terminal::Size,
};

fn lab(lang: Lang, size: (u16, u16), image: Option<&str>) -> State {
    let mut state = State::new(lang, Look::default(), Facts::default(), vec![lesson::lab(image)], Prefix::default());
    update(&mut state, Event::Resize(size.into()));
    update(&mut state, Event::Open("lab".into(), 0));
    prompts(&mut state);
    state
}

fn two_containers() -> crate::observe::Sample {
    let one = |pid, comm: &str, by: &str| Container { pid, start: 7, comm: comm.into(), by: by.into() };
    crate::observe::Sample {
        containers: vec![one(Pid(4711), "sh", "unshare"), one(Pid(99), "nginx", "conmon")],
        ..unshared()
    }
}

#[test]
fn nothing_of_a_lesson_is_drawn() {
    for (lang, words) in [
        (Lang::En, ["Lesson", "hint", "step", "lessons", "speaker"]),
        (Lang::Zh, ["课文", "提示", "步骤", "课程", "讲者"]),
    ] {
        for size in [(80, 24), (100, 30), (120, 30), (140, 45)] {
            let mut state = lab(lang, size, None);
            sample(&mut state, two_containers());
            for keys in ["", "^g", "\t\t\t\t\t\t\t\t", "?"] {
                press(&mut state, keys);
                shot(&mut state);
                let seen = text(&shot(&mut state));
                straight(&seen, size);
                for word in words {
                    // The help page says of the prefix what it always says.
                    assert!(keys == "?" || !seen.contains(word), "{word} {size:?}:\n{seen}");
                }
            }
        }
    }
}

#[test]
fn every_pane_is_there_but_that_of_the_lesson() {
    let mut state = lab(Lang::En, (80, 24), None);
    press(&mut state, "^g");
    let mut seen = Vec::new();
    for _ in 1..Pane::ALL.len() {
        seen.push(state.play.as_ref().unwrap().pane);
        press(&mut state, "\t");
    }
    assert_eq!(seen[0], Pane::Calls);
    let all: std::collections::BTreeSet<Pane> = seen.iter().copied().collect();
    assert_eq!((all.len(), all.contains(&Pane::Lesson)), (Pane::ALL.len() - 1, false));
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Calls, "they go round");
    press(&mut state, "1");
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Calls);
}

#[test]
fn nothing_is_kept_of_it() {
    let mut state = lab(Lang::En, (80, 24), None);
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Free);
    let effects = feed(&mut state, Event::Line(TerminalId::Container, "ls".into()));
    assert!(!effects.contains(&Effect::Save));
    assert_eq!(state.progress, crate::session::Progress::default());
}

#[test]
fn calls_are_held_and_stepped_as_in_a_lesson() {
    let mut state = lab(Lang::En, (80, 24), None);
    let effects = press(&mut state, "^gx");
    let hold = Action::Hold(TerminalId::Container, crate::trace::Hold::Every);
    assert!(effects.contains(&Effect::Session(hold)), "{effects:?}");
    press(&mut state, "t");
    stage::hold_a_call(&mut state);
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Calls);
    let effects = press(&mut state, " ");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Step(_)))), "{effects:?}");
}

#[test]
fn a_container_is_picked_from_the_list() {
    let mut state = lab(Lang::En, (80, 24), None);
    sample(&mut state, two_containers());
    press(&mut state, "^gv");
    assert_eq!(state.overlay, Some(Overlay::Containers(0)));
    let seen = text(&shot(&mut state));
    assert!(seen.contains("99") && seen.contains("nginx") && seen.contains("made by conmon"), "{seen}");
    assert_eq!(press(&mut state, "jj\n"), [Effect::Pick(Some((Pid(99), 7)))]);
    press(&mut state, "v");
    assert_eq!(state.overlay, Some(Overlay::Containers(2)), "it is the chosen one");
    assert_eq!(press(&mut state, "kk\n"), [Effect::Pick(None)]);
}

#[test]
fn an_image_is_offered_and_may_be_passed_over() {
    let mut state = lab(Lang::En, (80, 24), Some("docker://alpine"));
    assert!(text(&shot(&mut state)).contains("Space type the command"));
    let effects = press(&mut state, " ");
    let typed = Action::Type(TerminalId::Container, "boxwright image unpack docker://alpine rootfs".into());
    assert!(effects.contains(&Effect::Session(typed)), "{effects:?}");
    let mut state = lab(Lang::En, (80, 24), Some("builtin:"));
    press(&mut state, "^gn");
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Free);
}

#[test]
fn the_margin_below_stays_empty_and_never_takes_the_screen() {
    for (margin, rows, left) in [(6, 24, 18), (0, 24, 24), (200, 24, 10), (3, 8, 8)] {
        let mut state = lab(Lang::En, (80, 24), None);
        state.look.bottom_margin = margin;
        update(&mut state, Event::Resize(Size::new(80, rows)));
        assert_eq!(state.size, Size::new(80, left), "{margin} of {rows}");
    }
}
