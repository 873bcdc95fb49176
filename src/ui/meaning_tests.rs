use super::*;
use crate::{
    app::{Focus, Look, State},
    trace::Syscall,
    ui::stage::{self, shot},
};

#[test]
fn every_traced_call_has_its_words_in_both_languages() {
    for name in Syscall::names() {
        assert!(WORDS.iter().any(|(known, ..)| *known == name), "{name}");
    }
    for (index, (name, en, zh)) in WORDS.iter().enumerate() {
        assert!(Syscall::named(name).is_some(), "{name} is not traced");
        assert!(!WORDS[..index].iter().any(|(known, ..)| known == name), "{name} twice");
        assert!(en.is_ascii() && !zh.is_ascii() && !en.ends_with('.') && !zh.ends_with('。'), "{name}");
    }
}

fn screen(state: &mut State) -> String {
    shot(state);
    stage::text(&shot(state))
}

fn row<'a>(text: &'a str, link: &str) -> &'a str {
    text.lines().find(|line| line.split('│').any(|cell| cell.trim_start().starts_with(link))).unwrap_or_default()
}

#[test]
fn while_a_call_is_held_the_last_calls_and_the_links_are_seen_at_once() {
    for lang in Lang::ALL {
        for size in [(80, 24), (100, 30), (120, 30), (140, 45)] {
            let mut state = stage::state(lang, size, Look::default());
            stage::held(&mut state);
            let text = screen(&mut state);
            let (will, words) =
                lang.pick(("will change", "It moves this process"), ("将改变", "它会让这个进程离开原来的命名空间"));
            assert!(text.contains("unshare(") && text.contains(words), "{text}");
            for link in ["uts", "ipc", "mnt", "net", "pid_for_children"] {
                assert!(row(&text, link).contains(will), "{link}: {text}");
            }
            // A process keeps its PID, and this call has no other kinds.
            assert!(!row(&text, "pid  ").contains(will) && !row(&text, "user").contains(will), "{text}");
            assert_eq!(state.play.as_ref().unwrap().focus, Focus::Lesson);
        }
    }
}

#[test]
fn what_has_changed_is_marked_beside_the_call_that_comes_next() {
    for size in [(80, 24), (100, 30), (120, 30), (140, 45)] {
        let mut state = stage::state(Lang::En, size, Look::default());
        stage::after(&mut state);
        let text = screen(&mut state);
        assert!(text.contains("NEWNET) = 0") && text.contains("◆ pid_for_children: made at"), "{text}");
        assert!(row(&text, "uts").contains('◆') && text.contains("clone(SIGCHLD)"), "{text}");
        assert!(text.contains("It makes a child, a copy of this process.") && !text.contains("will change"), "{text}");
    }
}

#[test]
fn from_a_hundred_columns_on_the_scorecard_keeps_its_words() {
    for (size, words) in [((80, 24), false), ((100, 30), true), ((120, 30), true), ((140, 45), true)] {
        let mut state = stage::state(Lang::En, size, Look::default());
        state.lessons[0].values_mut().for_each(|lesson| lesson.steps[1].title = "A long title of a step".repeat(4));
        stage::held(&mut state);
        let text = screen(&mut state);
        assert_eq!(text.lines().next().unwrap().contains("[□ isolated][□ own root]"), words, "{text}");
    }
}
