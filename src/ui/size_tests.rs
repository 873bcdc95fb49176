//! What must hold at every size, in both languages.

use super::stage;
use crate::{
    app::{Event, Look, Shape, State},
    lang::Lang,
};
use crossterm::event::{KeyCode, KeyEvent};

const SIZES: [(u16, u16); 6] = [(80, 24), (100, 30), (120, 30), (140, 45), (200, 60), (60, 18)];

/// Longer than any that the doctor gives.
const REASON: (&str, &str) = (
    "the kernel was built without cgroup v2 controllers for CPU and memory, or another program has them all; boot with \
     systemd.unified_cgroup_hierarchy=1 on the kernel's command line, or stop that program first: boxwright doctor names it",
    "内核没有编入 CPU 和内存的 cgroup v2 控制器，或者都被别的程序占用了；请在内核命令行加上 systemd.unified_cgroup_hierarchy=1 \
     重启，或先停掉那个程序：boxwright doctor 会指出是哪一个",
);

fn press(state: &mut State, code: KeyCode) {
    stage::feed(state, Event::Key(KeyEvent::from(code)));
}

#[test]
fn what_a_held_call_will_change_is_marked_at_every_size() {
    for size in SIZES {
        for lang in Lang::ALL {
            let mut state = stage::state(lang, size, Look::default());
            stage::held(&mut state);
            let marked = |state: &mut State, mark: &str| {
                if state.shape() == Shape::Small {
                    press(state, KeyCode::F(3));
                }
                stage::shot(state);
                let mut seen = stage::text(&stage::shot(state));
                press(state, KeyCode::End);
                seen += &stage::text(&stage::shot(state));
                ["uts", "ipc", "mnt", "net", "pid_for_children"].into_iter().all(|link| {
                    let cell = |cell: &str| cell.trim_start().starts_with(link) && cell.contains(mark);
                    seen.lines().any(|line| line.split('│').any(cell))
                })
            };
            assert!(marked(&mut state, lang.pick("⏸ will change", "⏸ 将改变")), "{size:?}");
            let mut state = stage::state(lang, size, Look::default());
            stage::after(&mut state);
            assert!(marked(&mut state, "◆"), "{size:?}");
        }
    }
}

#[test]
fn the_keys_are_told_at_every_size() {
    for (size, lang) in SIZES.into_iter().flat_map(|size| Lang::ALL.map(|lang| (size, lang))) {
        let mut state = stage::state(lang, size, Look::default());
        stage::at_question(&mut state);
        stage::press(&mut state, "^gt");
        let text = stage::text(&stage::shot(&mut state));
        assert!(
            text.lines().last().is_some_and(|bar| bar.contains(lang.pick("lesson keys: h", "课程键：h"))),
            "{text}"
        );
    }
}

#[test]
fn a_message_is_never_cut() {
    for lang in Lang::ALL {
        let mut state = stage::state(lang, (60, 18), Look::default());
        stage::at_question(&mut state);
        let reason = lang.pick(REASON.0, REASON.1);
        state.trouble = Some(reason.into());
        let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        let text = stage::text(&stage::shot(&mut state));
        assert!(letters(&text).contains(&letters(reason)), "{text}");
    }
}
