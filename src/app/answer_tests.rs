//! No key is silent.

use super::{Event, State, update};
use crate::{
    app::Look,
    lang::Lang,
    lesson::{Block, Run},
    ui::stage::{self, press, shot},
};

fn screen(state: &mut State) -> String {
    shot(state);
    stage::text(&shot(state))
}

#[test]
fn whether_calls_are_held_and_notes_are_shown_is_said() {
    for lang in Lang::ALL {
        for size in [(80, 24), (140, 45)] {
            let mut state = stage::state(lang, size, Look::default());
            first(&mut state);
            for (key, on, off) in lang.pick(
                [("x", "On: each call", "Off: calls are not held"), ("N", "On: speaker notes", "Off: speaker notes")],
                [("x", "已打开：容器终端", "已关闭：调用"), ("N", "已打开：讲者备注", "已关闭：讲者备注")],
            ) {
                for said in [on, off, on] {
                    press(&mut state, key);
                    let text = screen(&mut state);
                    assert!(text.contains(said), "{said}: {text}");
                }
            }
            press(&mut state, "?");
            let mut help = screen(&mut state);
            for _ in 0..4 {
                stage::feed(&mut state, Event::Key(crossterm::event::KeyCode::PageDown.into()));
                help += &screen(&mut state);
            }
            for said in lang.pick(["hold calls: on", "speaker notes: on"], ["逐个暂停：开", "讲者备注：开"])
            {
                assert!(help.contains(said), "{said}: {help}");
            }
        }
    }
}

#[test]
fn a_key_that_does_nothing_says_why() {
    type Case = (fn(&mut State), &'static str, [&'static str; 2]);
    let cases: [Case; 12] = [
        (|_| {}, "z", ["z does nothing here; ? shows", "z 在这里不起作用"]),
        (|_| {}, "R", ["You are root already", "已经是 root"]),
        (stage::at_question, "n", ["A question is open: answer it first", "先回答问题"]),
        (stage::at_question, "e", ["No proof card yet", "还没有证据卡"]),
        (due, "c", ["No call is held now", "没有暂停的调用"]),
        (due, "n", ["This is the last step", "这是最后一步"]),
        (due, "hhhh", ["All 2 hints", "2 条提示都已显示"]),
        (due, "%", ["% does nothing here", "% 在这里不起作用"]),
        (first, "p", ["This is the first step", "这是第一步"]),
        (first, "?z", ["the keys that work stand below", "见下一行"]),
        (running, " ", ["The command still runs", "命令还在运行"]),
        (preparing, " ", ["The step is being prepared", "正在准备"]),
    ];
    for lang in Lang::ALL {
        for (way, key, said) in &cases {
            let mut state = stage::state(lang, (80, 24), Look::default());
            way(&mut state);
            press(&mut state, key);
            let text = screen(&mut state);
            assert!(text.contains(lang.pick(said[0], said[1])), "{key:?}: {text}");
            // The next key that does something takes it away.
            press(&mut state, "\x1b?");
            assert_eq!(state.idle, None);
        }
    }
}

fn due(state: &mut State) {
    stage::at_question(state);
    press(state, "1^g");
}

fn first(state: &mut State) {
    preparing(state);
    stage::prompts(state);
    press(state, "^g");
}

fn preparing(state: &mut State) {
    press(state, "\n");
}

fn running(state: &mut State) {
    first(state);
    press(state, " ^g");
}

#[test]
fn what_is_pasted_nowhere_is_not_lost_in_silence() {
    let mut state = stage::step_of(vec![Block::Run(Run { line: "true".into(), ..Run::default() })], (80, 24));
    press(&mut state, "^g");
    update(&mut state, Event::Paste("hostname box".into()));
    assert!(screen(&mut state).contains("Only a terminal takes what is pasted"));
}
