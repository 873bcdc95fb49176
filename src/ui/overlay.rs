//! What lies over a view: keys, steps, a question.

use super::{
    branches, call, calls,
    chrome::{self, terminal_name},
    containers, instead, marks,
    sheet::Sheet,
    steps,
    text::{Rich, clip, hang, line, pad, paint_line, wrap},
    theme::Role,
};
use crate::{
    app::{Extents, Overlay, State, View, keys},
    glossary::{BESIDES, SCORECARD, Term, of_step},
    kernel::text::printable,
    lesson,
    session::GuardedCall,
};
use ratatui::{Frame, layout::Rect, widgets::Clear};

/// Draws it in the middle of the screen, above the key bar.
pub(super) fn draw(state: &State, over: &Overlay, frame: &mut Frame, extents: &mut Extents) {
    let columns = frame.area().width.saturating_sub(8).clamp(20, 76) as usize;
    let (title, sheet) = match over {
        Overlay::Help => (state.lang.pick(" Keys ", " 按键 "), help(state, columns)),
        Overlay::Glossary => (state.lang.pick(" Words ", " 术语 "), glossary(state, columns)),
        Overlay::GoTo(jump) => (state.lang.pick(" Go to step ", " 跳到某一步 "), steps::sheet(state, jump, columns)),
        Overlay::Call => return opened(state, columns, frame, extents),
        Overlay::Until(name) => (state.lang.pick(" Run until ", " 运行到 "), until(state, name, columns)),
        Overlay::WhatIf { chosen, marked, .. } => {
            (state.lang.pick(" What if … ", " 如果… "), instead::sheet(state, *chosen, *marked, columns))
        }
        Overlay::Branches => {
            let sheet = state.branches.as_ref().map(|both| branches::sheet(both, state.lang, columns));
            (state.lang.pick(" Both branches ", " 两种结果 "), sheet.unwrap_or_default())
        }
        Overlay::Containers(chosen) => {
            (state.lang.pick(" Containers ", " 容器 "), containers::sheet(state, *chosen, columns))
        }
        Overlay::Consent(index) => {
            (state.lang.pick(" A lesson from a folder ", " 外部课程 "), consent(state, *index, columns))
        }
    };
    let place = centred(frame, &sheet, columns);
    frame.render_widget(Clear, place);
    let title = paint_line(&line(title, Role::Strong), state.look.theme);
    let top = matches!(over, Overlay::Help | Overlay::Glossary | Overlay::Branches).then_some(state.top);
    let extent = sheet.draw(state, place, title, true, top, frame);
    extents.insert(None, extent);
}

/// The chosen call.
fn opened(state: &State, columns: usize, frame: &mut Frame, extents: &mut Extents) {
    let Some(play) = &state.play else { return };
    let sheet = call::sheet(state, play, columns);
    let place = centred(frame, &sheet, columns);
    frame.render_widget(Clear, place);
    let title = paint_line(&line(call::title(play, state.lang), Role::Strong), state.look.theme);
    let extent = sheet.draw(state, place, title, true, Some(state.top), frame);
    extents.insert(None, extent);
}

/// The question whether a call may change the machine itself, above everything else until it is answered.
pub(super) fn guarded(state: &State, (terminal, call, harm): &GuardedCall, frame: &mut Frame) {
    let (columns, lang) = (frame.area().width.saturating_sub(8).clamp(20, 76) as usize, state.lang);
    let mut sheet = Sheet::default();
    let name = terminal_name(*terminal, lang);
    let text = lang.pick(
        format!("In the {name} terminal, {} (process {}) is about to call", call.comm, call.pid),
        format!("{name}终端里的 {}（进程 {}）即将调用", call.comm, call.pid),
    );
    sheet.add(wrap(&text, Role::Plain, columns));
    sheet.add(wrap(&calls::brief(call), Role::Code, columns));
    sheet.gap();
    let why = harm.say(lang);
    let text = lang.pick(format!("That would change the machine itself: {why}."), format!("这会改变机器本身：{why}。"));
    sheet.add(wrap(&text, Role::Danger, columns));
    sheet.gap();
    for (key, text) in [
        ("n", lang.pick("refuse it: the program gets EPERM", "拒绝：程序会得到 EPERM")),
        ("Y", lang.pick("let it happen: it stays when the session has ended", "放行：会话结束后改动仍会留下")),
    ] {
        sheet.line(vec![(format!("{key}  "), Role::Key), (text.into(), Role::Plain)]);
    }
    let place = centred(frame, &sheet, columns);
    frame.render_widget(Clear, place);
    let title = lang.pick(" The machine itself ", " 机器本身 ");
    sheet.draw(state, place, paint_line(&line(title, Role::Strong), state.look.theme), true, None, frame);
}

fn centred(frame: &Frame, sheet: &Sheet, columns: usize) -> Rect {
    let room = frame.area();
    let rows = (sheet.lines.len() as u16 + 2).min(room.height.saturating_sub(3));
    let width = (columns as u16 + 4).min(room.width);
    Rect::new((room.width - width) / 2, (room.height.saturating_sub(1 + rows)) / 2, width, rows)
}

/// Every key that works below the overlay, from the table that handles them.
fn help(state: &State, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let mut seen: Vec<String> = Vec::new();
    for binding in keys::below(state) {
        let label = lang.pick(binding.label.0, binding.label.1);
        if label.is_empty() || seen.contains(&binding.shown) {
            continue;
        }
        let rich = Rich::default().with(label, Role::Plain);
        sheet.add(hang(&[(pad(&binding.shown, 24.min(columns / 3)), Role::Key)], &rich, columns));
        seen.push(binding.shown);
    }
    if state.view == View::Lesson {
        sheet.gap();
        let key = state.prefix;
        let text = lang.pick(
            format!(
                "Where a command is due, the terminal has the keys: type it, or press Space at the empty prompt. {key} \
                 gives the keys to the lesson; pressed \
                 twice it goes to the shell. BOXWRIGHT_PREFIX sets another one. Ctrl-C there first lets held calls go on, so that it can arrive."
            ),
            format!(
                "该输入命令时，按键都归终端：自己输入，或在空的提示符后按空格。按 {key} 把按键交给课程，连按两次则发给 shell。\
                 可用 BOXWRIGHT_PREFIX 换一个键。终端里的 Ctrl-C 会先放行暂停的调用，这样中断才能送达。"
            ),
        );
        sheet.add(wrap(&text, Role::Quiet, columns));
        sheet.gap();
        for (mark, meaning) in [
            (marks::CHANGED, lang.pick("changed by the last call or command", "被上一个调用或命令改变")),
            (marks::HELD, lang.pick("waits before a call", "在调用前暂停")),
            (marks::TRUE, lang.pick("the kernel says it is so", "内核确认成立")),
            (marks::PASSED, lang.pick("a check that holds", "检查通过")),
            (marks::REFUSED, lang.pick("a check that does not hold", "检查未通过")),
            (marks::OPEN, lang.pick("a check that is not decided yet", "检查尚未判定")),
        ] {
            sheet.line(vec![(format!("{mark}  "), Role::Changed), (meaning.into(), Role::Plain)]);
        }
    }
    sheet
}

/// The words of the current step, and what the four boxes of the scorecard mean.
fn glossary(state: &State, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let (lang, step) = (state.lang, state.play.as_ref().and_then(|play| play.session.step()));
    let row = |term: &Term| {
        let name = Rich::default().with(&term.name(lang), Role::Strong);
        name.with("  ", Role::Plain).with(term.meaning(lang), Role::Plain).wrap(columns)
    };
    let words = step.filter(|_| state.view == View::Lesson).map(of_step).unwrap_or_default();
    if !words.is_empty() {
        words.into_iter().for_each(|term| sheet.add(row(term)));
        sheet.gap();
    }
    let title =
        lang.pick("The scorecard: what the kernel says of the container process", "记分卡：内核对容器进程的描述");
    sheet.add(wrap(title, Role::Quiet, columns));
    SCORECARD.iter().for_each(|term| sheet.add(row(term)));
    sheet.gap();
    let title = lang.pick(
        "Its second row: what tools add, compared with Docker's defaults",
        "第二行：工具另外加上的，与 Docker 的默认比较",
    );
    sheet.add(wrap(title, Role::Quiet, columns));
    let sample = state.play.as_ref().filter(|_| state.view == View::Lesson).and_then(|play| play.sample.as_deref());
    match sample.filter(|sample| sample.container.is_some()) {
        None => BESIDES.iter().for_each(|term| sheet.add(row(term))),
        Some(sample) => {
            for (on, name, why) in chrome::besides(sample, lang) {
                let (mark, role) = if on { (marks::TRUE, Role::Container) } else { (marks::NOT_YET, Role::Quiet) };
                let first = [(format!("[{mark}] {name}  "), role)];
                sheet.add(hang(&first, &Rich::default().with(&why, Role::Plain), columns));
            }
        }
    }
    sheet
}

fn until(state: &State, name: &str, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let text = state.lang.pick("Go on until the next call of this name:", "继续运行，直到下一次这个调用：");
    sheet.add(wrap(text, Role::Plain, columns));
    sheet.gap();
    sheet.line(vec![
        ("> ".into(), Role::Focus),
        (clip(name, columns.saturating_sub(4)), Role::Code),
        ("_".into(), Role::Focus),
    ]);
    sheet.gap();
    sheet.add(wrap("unshare  clone  mount  execve  sethostname  pivot_root  setns", Role::Quiet, columns));
    sheet
}

fn consent(state: &State, index: usize, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let name = state.lesson(index).map(|lesson| lesson.id.clone()).unwrap_or_default();
    let text = state.lang.pick(
        format!("{name} does not come with boxwright. Its commands run on this machine with your rights."),
        format!("{name} 不是 boxwright 自带的课程。其中的命令会以你的权限在这台机器上运行。"),
    );
    sheet.add(wrap(&text, Role::Plain, columns));
    let Some(lesson) = state.lesson(index) else { return sheet };
    sheet.add(wrap(&lesson::of_where(lesson, state.lang).join(" "), Role::Plain, columns));
    sheet.gap();
    sheet.add(wrap(state.lang.pick("Its commands:", "其中的命令："), Role::Quiet, columns));
    for (terminal, line) in lesson::commands(lesson) {
        sheet.add(wrap(&format!("{} $ {}", terminal.label(state.lang), printable(line)), Role::Code, columns));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use crate::{app::Look, lang::Lang, ui::stage};

    #[test]
    fn the_second_row_says_why() {
        for lang in Lang::ALL {
            let mut state = stage::state(lang, (80, 60), Look::default());
            stage::press(&mut state, "w");
            let opening = stage::text(&stage::shot(&mut state));
            let means = lang.pick("rootless  on the host it is not root", "免 root rootless  即使在里面是 root");
            assert!(opening.contains(means), "{opening}");
            stage::press(&mut state, "w");
            stage::at_question(&mut state);
            let mut sample = stage::plain();
            sample.privileges.uid = Some(1000);
            stage::sample(&mut state, sample);
            stage::press(&mut state, "w");
            let words = stage::text(&stage::shot(&mut state));
            for said in [
                lang.pick("[■] reachable  eth0 10.0.0.5/24", "[■] 可连通  eth0 10.0.0.5/24"),
                lang.pick("[■] rootless  on the host it is user 1000", "[■] 免 root  在宿主机上它是用户 1000"),
                lang.pick("[□] least privilege  ? capabilities", "[□] 最小权限  ? 项能力"),
            ] {
                assert!(words.contains(said), "{said}: {words}");
            }
        }
    }

    #[test]
    fn one_key_explains_the_words_of_a_step_and_the_scorecard() {
        for lang in Lang::ALL {
            let mut state = stage::state(lang, (80, 24), Look::default());
            stage::press(&mut state, "w");
            let opening = stage::text(&stage::shot(&mut state));
            assert!(opening.contains(lang.pick("own root  its /", "独立根目录 own root  它的 /")), "{opening}");
            stage::press(&mut state, "w");
            stage::at_question(&mut state);
            stage::press(&mut state, "w");
            let words = stage::text(&stage::shot(&mut state));
            assert!(words.contains(lang.pick("namespace  what a process sees", "命名空间 namespace  决定")), "{words}");
            assert!(words.contains(lang.pick("entered  a process", "已进入 entered  有")), "{words}");
            stage::press(&mut state, "w");
            assert_eq!(state.overlay, None);
        }
    }
}
