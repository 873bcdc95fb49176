use super::*;
use crate::{
    app::{Look, Pane},
    lang::Lang,
    lesson::TerminalId,
    ui::stage::{self, press, shot},
};

fn screen(state: &mut State) -> Vec<String> {
    shot(state);
    let text = stage::text(&shot(state));
    text.lines().filter(|row| row.starts_with('│')).map(|row| row.trim_end().to_string()).collect()
}

fn bar(state: &mut State) -> String {
    stage::text(&shot(state)).trim_end().lines().last().unwrap_or_default().to_string()
}

#[test]
fn each_change_can_be_looked_at_again_while_the_session_goes_on() {
    for (size, lang) in [((80, 24), Lang::En), ((140, 45), Lang::Zh)] {
        let mut state = stage::state(lang, size, Look::default());
        stage::held(&mut state);
        let held = screen(&mut state);
        let mut state = stage::state(lang, size, Look::default());
        stage::after(&mut state);
        let now = screen(&mut state);
        assert_ne!(held, now);
        let mut back = 0;
        while screen(&mut state) != held {
            back += 1;
            assert!(back < 9, "{:#?}", screen(&mut state));
            press(&mut state, "<");
        }
        assert!(back > 1, "the call, the links and the next call are three changes");
        assert!(bar(&mut state).contains(lang.pick("PAST", "回看")), "{}", bar(&mut state));
        // The shells go on, and the past stays.
        stage::feed(&mut state, Event::Output(TerminalId::Container, b"news\r\n".to_vec()));
        assert_eq!(screen(&mut state), held);
        (0..back).for_each(|_| drop(press(&mut state, ">")));
        assert!(state.past.shown().is_none());
        assert!(screen(&mut state).iter().any(|row| row.contains("news")));
    }
}

#[test]
fn panes_are_chosen_in_the_past_and_every_other_key_comes_back() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    stage::after(&mut state);
    shot(&mut state);
    for (key, back) in [("3", false), ("\t", false), ("\x1b", true), (" ", true), ("c", true), ("q", true)] {
        press(&mut state, "<");
        let held = state.play.as_ref().map(|play| play.session.held().to_vec());
        assert!(press(&mut state, key).is_empty(), "{key:?} does nothing now");
        assert_eq!(state.past.shown().is_none(), back, "{key:?}");
        assert_eq!(state.play.as_ref().map(|play| play.session.held().to_vec()), held, "{key:?}");
        if key == "3" {
            assert!(screen(&mut state).iter().any(|row| row.contains("pid_for_children")));
            assert_ne!(state.play.as_ref().map(|play| play.pane), Some(Pane::Namespaces));
        }
        press(&mut state, if back { "" } else { "\x1b" });
    }
}

#[test]
fn what_is_kept_has_a_bound() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    stage::after(&mut state);
    for number in 0..(MAX_STRETCHES + 2) * MAX_EVENTS {
        let text = format!("line {number}\r\n");
        stage::feed(&mut state, Event::Output(TerminalId::Host, text.into_bytes()));
    }
    let past = &state.past;
    assert_eq!(past.stretches.len(), MAX_STRETCHES);
    assert!(past.stretches.iter().all(|stretch| stretch.kept.len() <= MAX_EVENTS + 1));
    assert!(past.stretches.iter().all(|stretch| stretch.bytes <= MAX_BYTES + (64 << 10)));
}

#[test]
fn a_flood_of_output_is_kept_within_bounds() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    stage::after(&mut state);
    let line = [b"0123456789abcdef".repeat(255), b"\r\n".to_vec()].concat();
    for _ in 0..(MAX_STRETCHES + 2) * MAX_BYTES / line.len() {
        drop(crate::app::update(&mut state, Event::Output(TerminalId::Container, line.clone())));
    }
    assert_eq!(state.past.stretches.len(), MAX_STRETCHES);
    for stretch in &state.past.stretches {
        let kept: usize = stretch
            .kept
            .iter()
            .map(|kept| if let Kept::Event(Event::Output(_, bytes)) = kept { bytes.len() } else { 0 })
            .sum();
        assert!(kept <= MAX_BYTES + 2 * line.len() && stretch.kept.len() <= MAX_EVENTS + 1, "{kept}");
        // A beginning holds nothing of what came before it.
        assert!(stretch.start.past.stretches.is_empty() && stretch.start.past.shown.is_none());
    }
}
