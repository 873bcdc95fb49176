//! What surrounds the panes: header, scorecard, titles, key bar.

use super::{
    marks,
    text::{Pieces, Rich, clip, hang, paint, paint_line, width, wrap},
    theme::Role,
};
use crate::{
    app::{Facts, Focus, PROPERTIES, Pane, Play, Shape, State, keys},
    lang::Lang,
    lesson::TerminalId,
    observe::Scorecard,
    session::Notice,
};
use ratatui::{Frame, layout::Rect, text::Line, widgets::Paragraph};
use unicode_width::UnicodeWidthStr;

/// Says how large the terminal should be.
pub(super) fn too_small(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let (w, h) = (area.width, area.height);
    let text =
        state.lang.pick(format!("please enlarge to 80x24 (now {w}x{h})"), format!("请放大到 80x24（现为 {w}x{h}）"));
    let lines: Vec<Line> =
        wrap(&text, Role::Plain, w as usize).iter().map(|line| paint_line(line, state.look.theme)).collect();
    let rows = (lines.len() as u16).min(h);
    frame.render_widget(Paragraph::new(lines), Rect { y: (h - rows) / 2, height: rows, ..area });
}

/// `root · hybrid · Linux 6.18`.
pub(super) fn machine(facts: &Facts, lang: Lang) -> String {
    let who = if facts.root { "root" } else { lang.pick("not root", "非 root") };
    let kernel: Vec<&str> = facts.kernel.split('.').take(2).collect();
    format!("{who} · cgroup {} · Linux {}", facts.cgroup_mode, kernel.join("."))
}

/// The four properties as the kernel says them, in few columns or in many.
pub(super) fn scorecard(state: &State, play: Option<&Play>, long: bool) -> Pieces {
    let values = |card: &Scorecard| [card.isolated, card.rooted, card.limited, card.entered];
    let sample = play.and_then(|play| play.sample.as_deref());
    let before = play.and_then(|play| play.before.as_deref()).map(|sample| values(&sample.scorecard));
    let now = sample.map(|sample| values(&sample.scorecard)).unwrap_or_default();
    let mut out = Pieces::new();
    for (index, property) in PROPERTIES.iter().enumerate() {
        let on = now.get(index).copied().unwrap_or(false);
        let changed = before.is_some_and(|before| before.get(index) != Some(&on));
        let role = match (changed, on) {
            (true, _) => Role::Changed,
            (false, true) => Role::Container,
            (false, false) => Role::Quiet,
        };
        let mark = if on { marks::TRUE } else { marks::NOT_YET };
        let name = state.lang.pick(property.name.0, property.name.1);
        out.push((if long { format!("[{mark} {name}]") } else { format!("[{mark}]") }, role));
    }
    out
}

/// The first line of the lesson view.
pub(super) fn header(state: &State, play: &Play, area: Rect, frame: &mut Frame) {
    let session = &play.session;
    let wide = state.shape() == Shape::Wide;
    let mut left: Pieces = vec![(" ".into(), Role::Plain)];
    if wide {
        left.push(("boxwright".into(), Role::Strong));
        left.push(("   ".into(), Role::Plain));
    }
    let place = format!("{} {}/{}", session.lesson().id, session.step_index() + 1, session.lesson().steps.len());
    left.push((place, Role::Code));
    left.push((if wide { "  " } else { " " }.into(), Role::Plain));
    let title = session.step().map(|step| step.title.clone()).unwrap_or_default();
    left.push((title, Role::Strong));
    let total = area.width as usize;
    // The words of the scorecard stay where there is room, and from 100 columns on before the end of the title.
    let words = scorecard(state, Some(play), true);
    let long = total >= 100 || width(&left) + width(&words) + 2 <= total;
    let card = if long { words } else { scorecard(state, Some(play), false) };
    let mut right = Pieces::new();
    right.extend(card.clone());
    right.push((format!("  {} ", machine(&state.facts, state.lang)), Role::Quiet));
    // The machine may go, then the end of the title; never the scorecard.
    if width(&left) + 2 + width(&right) > total {
        right = card;
        right.push((" ".into(), Role::Plain));
    }
    let room = total.saturating_sub(width(&right) + 1);
    frame.render_widget(paint_line(&fit(&left, room), state.look.theme), area);
    let space = (width(&right) as u16).min(area.width);
    let place = Rect { x: area.right() - space, width: space, ..area };
    frame.render_widget(paint_line(&right, state.look.theme), place);
}

/// Cuts a line to so many columns.
pub(super) fn fit(pieces: &Pieces, columns: usize) -> Pieces {
    let mut left = columns;
    let mut out = Pieces::new();
    for (text, role) in pieces {
        let text = clip(text, left);
        left -= text.width().min(left);
        out.push((text, *role));
        if left == 0 {
            break;
        }
    }
    out
}

/// What stands in the border above a pane: its name, and on a small screen or in the lower right its neighbours too.
pub(super) fn pane_title(state: &State, play: &Play, pane: Pane, columns: usize) -> Line<'static> {
    let shape = state.shape();
    let name = |pane: Pane| state.lang.pick(pane.label().0, pane.label().1);
    let theme = state.look.theme;
    // One title names the keys of all: that of the pane whose place they share.
    let shared = if shape == Shape::Small { play.pane } else { play.bottom };
    if pane != shared {
        return paint_line(&[(format!(" {} ", name(pane)), Role::Strong)], theme);
    }
    let tabs: Vec<Pane> = Pane::ALL.into_iter().filter(|tab| !tab.always_on(shape)).collect();
    let numbers = play.focus == Focus::Lesson;
    let label = |tab: Pane, short: bool| match (tab == pane, numbers && tab.number() > play.answers()) {
        (true, true) => format!("{}▸{}", tab.number(), name(tab)),
        (true, false) => format!("▸{}", name(tab)),
        (false, true) if short => format!("{}", tab.number()),
        (false, true) => format!("{} {}", tab.number(), name(tab)),
        (false, false) => name(tab).to_string(),
    };
    let build = |short: bool| -> Pieces {
        let mut out: Pieces = vec![(" ".into(), Role::Plain)];
        for tab in tabs.iter().filter(|tab| numbers || !short || **tab == pane) {
            out.push((label(*tab, short), if *tab == pane { Role::Strong } else { Role::Quiet }));
            out.push((" ".into(), Role::Plain));
        }
        out
    };
    let long = build(false);
    let pieces = if width(&long) + 2 <= columns { long } else { build(true) };
    paint_line(&fit(&pieces, columns.saturating_sub(2)), theme)
}

/// What the learner must be told, above the keys, as a whole.
fn message(state: &State, bar: Rect, frame: &mut Frame) {
    let (text, mark, role) = match (state.trouble.is_none(), &state.said, &state.idle) {
        (true, Some(text), _) => (text.clone(), marks::PASSED, Role::Container),
        (true, None, Some(text)) => (text.clone(), "-", Role::Limit),
        _ => match said(state) {
            Some(text) => (text, "!", Role::Danger),
            None => return,
        },
    };
    let columns = bar.width.saturating_sub(2) as usize;
    let mut lines = hang(&[(format!(" {mark} "), role)], &Rich::default().with(&text, role), columns);
    lines.truncate(usize::from(bar.y / 2).max(MOST_ROWS));
    let rows = lines.len() as u16;
    let place = Rect { y: bar.y - rows, height: rows, ..bar };
    frame.render_widget(ratatui::widgets::Clear, place);
    frame.render_widget(Paragraph::new(paint(&lines, state.look.theme)), place);
}

/// A message may have so many rows, or half of the screen.
const MOST_ROWS: usize = 4;

/// The last line: the keys that work now. What went wrong stands above it.
pub(super) fn bar(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let place = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    message(state, place, frame);
    let mut pieces: Pieces = vec![(" ".into(), Role::Plain)];
    let mut shown: Vec<(usize, u8, Pieces)> = Vec::new();
    for (order, binding) in keys::bindings(state).into_iter().enumerate() {
        let Some(rank) = binding.rank else { continue };
        let label = state.lang.pick(binding.label.0, binding.label.1);
        shown.push((order, rank, vec![(binding.shown, Role::Key), (format!(" {label}"), Role::Plain)]));
    }
    shown.sort_by_key(|(_, rank, _)| *rank);
    let mut left = (area.width as usize).saturating_sub(width(&pieces) + 1);
    let mut kept: Vec<(usize, Pieces)> = Vec::new();
    for (order, _, text) in shown {
        let need = width(&text) + 3;
        if need <= left + 3 && left > 0 {
            left = left.saturating_sub(need);
            kept.push((order, text));
        }
    }
    kept.sort_by_key(|(order, _)| *order);
    for (index, (_, text)) in kept.into_iter().enumerate() {
        if index > 0 {
            pieces.push(("   ".into(), Role::Plain));
        }
        pieces.extend(text);
    }
    frame.render_widget(ratatui::widgets::Clear, place);
    frame.render_widget(paint_line(&pieces, state.look.theme), place);
}

/// How to press a key of the lesson now: in a terminal the prefix comes first.
pub(super) fn key(state: &State, key: char) -> String {
    match state.play.as_ref().map(|play| play.focus) {
        Some(Focus::Terminal) => format!("{} {key}", state.prefix),
        _ => key.to_string(),
    }
}

/// What the learner must be told once.
pub(super) fn said(state: &State) -> Option<String> {
    if let Some(trouble) = &state.trouble {
        return Some(trouble.clone());
    }
    if let Some(text) = &state.said {
        return Some(text.clone());
    }
    let lang = state.lang;
    let name = |terminal: TerminalId| terminal_name(terminal, lang);
    let again = key(state, 'r');
    Some(match state.play.as_ref()?.session.notice()? {
        Notice::Busy(terminal) => lang.pick(
            format!("The {} terminal is busy: what runs there must end first", name(*terminal)),
            format!("{}终端正忙：先等那里的程序结束", name(*terminal)),
        ),
        Notice::HalfTyped(terminal) => lang.pick(
            format!("A line is half typed in the {} terminal: finish it there, or drop it with ^C", name(*terminal)),
            format!("{}终端里有一行没打完：到那里打完，或按 ^C 放弃", name(*terminal)),
        ),
        Notice::Lost => lang.pick(
            format!("Your container has ended: {again} builds it again"),
            format!("你的容器已经结束：按 {again} 重建"),
        ),
        Notice::Ended(terminal) => lang.pick(
            format!("The shell of the {} terminal has ended: {again} begins the step again", name(*terminal)),
            format!("{}终端的 shell 已结束：按 {again} 重做这一步", name(*terminal)),
        ),
        Notice::NotRebuilt(reason) => lang.pick(
            format!("The state of this step could not be rebuilt: {reason}"),
            format!("无法重建这一步的状态：{reason}"),
        ),
        Notice::Stumbled(line, status) => lang.pick(
            format!("{line} ended with status {status}: Space types it again, {again} begins the step again"),
            format!("{line} 的退出状态是 {status}：按空格再输入一次，按 {again} 重做这一步"),
        ),
        Notice::NoImage(line, status) => lang.pick(
            format!(
                "The image cannot be used: leave, and name another with --image ({line} ended with status {status})"
            ),
            format!("无法使用这个镜像：请退出，用 --image 指定别的镜像（{line} 的退出状态是 {status}）"),
        ),
        Notice::AnswerFirst => lang.pick("Answer first: any answer will do".into(), "先选一个答案，对错都行".into()),
    })
}

/// What a terminal is called on screen.
pub(super) fn terminal_name(terminal: TerminalId, lang: Lang) -> &'static str {
    terminal.label(lang)
}
