//! The keys of a viewer of a session that is not played here.

use super::{
    super::{Pane, State, Watching, watching::Watch},
    Binding, Command, Key, bind, letter, scrolling,
};

fn watch(keys: &[Key], what: Watch, label: (&'static str, &'static str), rank: impl Into<Option<u8>>) -> Binding {
    bind(keys, Command::Watch(what), label, rank)
}

pub(super) fn watching(state: &State, watching: &Watching) -> Vec<Binding> {
    let pause = if watching.playing { ("pause", "暂停") } else { ("play", "播放") };
    let mut all = Vec::new();
    if !watching.newest {
        all.push(watch(&[Key::Char(' ')], Watch::Pause, pause, 0));
    }
    let change = watch(&[Key::Char('<'), Key::Char(',')], Watch::Change(false), ("changes", "变化"), 2);
    all.push(change.shown("< >"));
    all.push(watch(&[Key::Char('>'), Key::Char('.')], Watch::Change(true), ("", ""), None));
    all.push(watch(&[Key::Left], Watch::Call(false), ("calls", "调用"), 4).shown("← →"));
    all.push(watch(&[Key::Right], Watch::Call(true), ("", ""), None));
    all.push(watch(&[Key::Char('p')], Watch::Step(false), ("steps", "步骤"), 3).shown("p n"));
    all.push(watch(&[Key::Char('n')], Watch::Step(true), ("", ""), None));
    all.push(watch(&[Key::Char('m')], Watch::Mark(true), ("marks", "标记"), 6).shown("M m"));
    all.push(watch(&[Key::Char('M')], Watch::Mark(false), ("", ""), None));
    all.push(watch(&[Key::Char('y')], Watch::Copy, ("copy the last line", "复制最后一行命令"), 6));
    let end = if watching.live { ("to what happens now", "回到现在") } else { ("to the end", "到末尾") };
    all.push(watch(&[Key::Char('E')], Watch::Edge(true), end, watching.live.then_some(1)));
    all.push(watch(&[Key::Char('B')], Watch::Edge(false), ("to the beginning", "到开头"), None));
    all.push(watch(&[Key::Char('+'), Key::Char('=')], Watch::Speed(true), ("speed", "速度"), 5).shown("+ -"));
    all.push(watch(&[Key::Char('-')], Watch::Speed(false), ("", ""), None));
    let brief = match watching.brief {
        true => ("shorten silences: on", "缩短停顿：开"),
        false => ("shorten silences: off", "缩短停顿：关"),
    };
    all.push(watch(&[Key::Char('z')], Watch::Brief, brief, None));
    if state.shows_panes() && watching.forks {
        all.push(watch(&[Key::Char('f')], Watch::Fork, ("try it yourself", "自己动手"), 2));
    }
    if state.shows_panes() {
        all.push(bind(&[Key::Tab], Command::NextPane, ("pane", "窗格"), 6));
        all.push(bind(&[Key::BackTab], Command::PreviousPane, ("pane before", "上一个窗格"), None));
        for pane in Pane::ALL {
            let keys = [Key::Char(pane.digit()), Key::F(pane.number() as u8)];
            all.push(bind(&keys, Command::Show(pane), pane.label(), None));
        }
        all.push(letter('b', Command::BothTerminals, ("both terminals", "两个终端"), None));
    }
    all.extend(scrolling(state, state.play.as_ref().filter(|_| state.shows_panes()).map(|play| play.pane)));
    all.push(letter('l', Command::Language, ("中文", "English"), None));
    all.push(letter('T', Command::Theme, ("next colour theme", "换一种配色"), None));
    all.push(letter('L', Command::LargePrint, ("large print", "大字版面"), None));
    all.push(bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None));
    all.push(letter('?', Command::Help, ("help", "帮助"), 7));
    all.push(bind(&super::QUIT, Command::Quit, ("quit", "退出"), 1));
    all
}
