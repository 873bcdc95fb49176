//! What surrounds the panes: header, scorecard, titles, key bar.

use super::{
    marks,
    text::{Pieces, Rich, clip, hang, paint, paint_line, width, wrap},
    theme::Role,
};
use crate::{
    app::{Facts, Focus, PROPERTIES, Pane, Play, Shape, State, keys},
    inspect::beyond,
    lang::Lang,
    lesson::TerminalId,
    observe::{self, Sample, Scorecard},
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

/// The second row of the scorecard: whether each property holds, its name, what the kernel said.
pub(super) fn besides(sample: &Sample, lang: Lang) -> Vec<(bool, String, String)> {
    let row = observe::beyond(sample, sample.more_devices.clone());
    let on = [row.reachable, row.rootless, row.least_privilege];
    let told = beyond::rows(sample, &row, lang).into_iter().map(|row| row.into_iter().skip(1));
    on.into_iter()
        .zip(told)
        .map(|(on, mut words)| (on, words.next().unwrap_or_default(), words.next().unwrap_or_default()))
        .collect()
}

/// The same where the whole row has room.
fn second_row(state: &State, play: &Play) -> Pieces {
    let Some(sample) = play.sample.as_deref().filter(|sample| sample.container.is_some()) else { return Pieces::new() };
    let before = play.before.as_deref().map(|before| besides(before, state.lang));
    let piece = |(index, (on, name, _)): (usize, (bool, String, String))| {
        let changed = before.as_ref().and_then(|before| before.get(index)).is_some_and(|(was, ..)| *was != on);
        let role = match (changed, on) {
            (true, _) => Role::Changed,
            (false, true) => Role::Container,
            (false, false) => Role::Quiet,
        };
        (format!("[{} {name}]", if on { marks::TRUE } else { marks::NOT_YET }), role)
    };
    besides(sample, state.lang).into_iter().enumerate().map(piece).collect()
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
    let (place, title) = match play.is_lab() {
        true => (session.lesson().title.clone(), subject(state, play)),
        false => (
            format!("{} {}/{}", session.lesson().id, session.step_index() + 1, session.lesson().steps.len()),
            session.step().map(|step| step.title.clone()).unwrap_or_default(),
        ),
    };
    left.push((place, Role::Code));
    left.push((if wide { "  " } else { " " }.into(), Role::Plain));
    left.push((title, Role::Strong));
    let total = area.width as usize;
    // The words of the scorecard stay where there is room, and from 100 columns on before the end of the title.
    let words = scorecard(state, Some(play), true);
    let long = total >= 100 || width(&left) + width(&words) + 2 <= total;
    let card = if long { words } else { scorecard(state, Some(play), false) };
    let mut card = card;
    if let Some(sharing) = &state.class {
        let sign =
            sharing.flag.map_or(state.lang.pick("class", "班级"), |flag| flag.sign(state.look.ascii).trim_end());
        card.insert(0, (format!(" {sign} "), Role::Container));
    }
    let second = if long { second_row(state, play) } else { Pieces::new() };
    if !second.is_empty() && width(&left) + width(&card) + 1 + width(&second) + 3 <= total {
        card.push((" ".into(), Role::Plain));
        card.extend(second);
    }
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

/// The process that the panes of the lab are about.
fn subject(state: &State, play: &Play) -> String {
    let Some(sample) = play.sample.as_deref() else { return String::new() };
    let Some(pid) = sample.container else { return String::new() };
    let name = sample.processes.iter().find(|process| process.pid == pid).map_or("", |process| process.comm.as_str());
    let by = play.containers().iter().find(|one| one.pid == pid && !one.by.is_empty()).map(|one| one.by.as_str());
    match by {
        Some(by) => {
            state.lang.pick(format!("pid {pid} {name}, made by {by}"), format!("pid {pid} {name}，由 {by} 创建"))
        }
        None => format!("pid {pid} {name}"),
    }
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
    let tabs: Vec<Pane> = play.panes().filter(|tab| !play.always_on(*tab)).collect();
    let watched = state.is_watched();
    let numbers = play.focus == Focus::Lesson || watched;
    let short_name = |pane: Pane| state.lang.pick(pane.short().0, pane.short().1);
    // The names as they are; all but that of this pane shorter, and that one as well; the numbers alone.
    let name =
        |tab: Pane, level: usize| if level == 0 || level != 2 && tab == pane { name(tab) } else { short_name(tab) };
    let label = |tab: Pane, level: usize| match (tab == pane, watched || numbers && tab.number() > play.answers()) {
        (true, true) => format!("{}▸{}", tab.digit(), name(tab, level)),
        (true, false) => format!("▸{}", name(tab, level)),
        (false, true) if level == 3 => tab.digit().to_string(),
        (false, true) => format!("{} {}", tab.digit(), name(tab, level)),
        (false, false) => name(tab, level).to_string(),
    };
    let build = |level: usize| -> Pieces {
        let mut out: Pieces = vec![(" ".into(), Role::Plain)];
        for tab in tabs.iter().filter(|tab| numbers || level < 3 || **tab == pane) {
            out.push((label(*tab, level), if *tab == pane { Role::Strong } else { Role::Quiet }));
            out.push((" ".into(), Role::Plain));
        }
        out
    };
    let fits = |pieces: &Pieces| width(pieces) + 2 <= columns;
    let pieces = (0..3).map(build).find(fits).unwrap_or_else(|| build(3));
    paint_line(&fit(&pieces, columns.saturating_sub(2)), theme)
}

/// What the learner must be told, as a whole, in lines of this width; none where there is nothing.
fn message(state: &State, bar: Rect) -> Vec<Pieces> {
    let own = state.watching.as_ref().filter(|watching| watching.said.is_some() || watching.idle.is_some());
    let (trouble, told, idle) = match own {
        Some(watching) => (true, &watching.said, &watching.idle),
        None => (state.trouble.is_none(), &state.said, &state.idle),
    };
    let (text, mark, role) = match (trouble, told, idle) {
        (true, Some(text), _) => (text.clone(), marks::PASSED, Role::Container),
        (true, None, Some(text)) => (text.clone(), "-", Role::Limit),
        _ => match said(state) {
            Some(text) => (text, "!", Role::Danger),
            None => return Vec::new(),
        },
    };
    let columns = bar.width.saturating_sub(2) as usize;
    let mut lines = hang(&[(format!(" {mark} "), role)], &Rich::default().with(&text, role), columns);
    lines.truncate(usize::from(bar.y / 2).max(MAX_ROWS));
    lines
}

/// The row below everything but the message and the keys: nothing that can be read lies under a message.
pub(super) fn bottom(state: &State, bar: Rect) -> u16 {
    bar.y.saturating_sub(message(state, bar).len() as u16)
}

/// A message may have so many rows, or half of the screen.
const MAX_ROWS: usize = 4;

/// The last line: the keys that work now. What went wrong stands above it.
pub(super) fn bar(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let place = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    let lines = message(state, place);
    let above = Rect { y: place.y.saturating_sub(lines.len() as u16), height: lines.len() as u16, ..place };
    frame.render_widget(ratatui::widgets::Clear, above);
    frame.render_widget(Paragraph::new(paint(&lines, state.look.theme)), above);
    let mut pieces: Pieces = vec![(" ".into(), Role::Plain)];
    pieces.extend(watched(state));
    let mut shown: Vec<(usize, u8, [Pieces; 2])> = Vec::new();
    for (order, binding) in keys::bindings(state).into_iter().enumerate() {
        let Some(rank) = binding.rank else { continue };
        let label = state.lang.pick(binding.label.0, binding.label.1);
        // What stands behind a semicolon is left out first.
        let brief = label.split([';', '；']).next().unwrap_or_default();
        let texts =
            [label, brief].map(|label| vec![(binding.shown.clone(), Role::Key), (format!(" {label}"), Role::Plain)]);
        shown.push((order, rank, texts));
    }
    shown.sort_by_key(|(_, rank, _)| *rank);
    let mut left = (area.width as usize).saturating_sub(width(&pieces) + 1);
    let mut kept: Vec<(usize, Pieces)> = Vec::new();
    for (order, _, texts) in shown {
        if let Some(text) = texts.into_iter().find(|text| width(text) <= left && left > 0) {
            left = left.saturating_sub(width(&text) + 3);
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

/// The keys that were pressed last, in the border above the key bar, at the right.
pub(super) fn caster(state: &State, frame: &mut Frame) {
    let Some(caster) = &state.caster else { return };
    let area = frame.area();
    let y = bottom(state, Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }).saturating_sub(1);
    let mut pieces: Pieces = vec![(" ".into(), Role::Plain)];
    for key in caster.keys() {
        pieces.extend([(key.to_string(), Role::Key), (" ".into(), Role::Plain)]);
    }
    while width(&pieces) + 4 > area.width as usize && pieces.len() > 2 {
        pieces.drain(1..3);
    }
    let columns = (width(&pieces) as u16).min(area.width);
    if columns > 1 {
        let place = Rect { x: area.right().saturating_sub(columns + 2), y, width: columns, height: 1 };
        frame.render_widget(ratatui::widgets::Clear, place);
        frame.render_widget(paint_line(&pieces, state.look.theme), place);
    }
}

/// That this is no session of one's own, and where it stands.
fn watched(state: &State) -> Pieces {
    let lang = state.lang;
    if let Some((place, count)) = state.past.place().filter(|_| !state.is_watched()) {
        let name = lang.pick("PAST", "回看");
        return vec![(name.into(), Role::Changed), (format!(" {place}/{count}   "), Role::Plain)];
    }
    let Some(watching) = &state.watching else { return Pieces::new() };
    let name = match watching.live {
        true => lang.pick("LIVE", "直播"),
        false => lang.pick("RECORDING", "录像"),
    };
    let clock = |time: std::time::Duration| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
    let place = match (watching.newest, watching.live) {
        (true, _) => clock(watching.at),
        (false, true) => format!("-{}", clock(watching.total.saturating_sub(watching.at))),
        (false, false) => format!("{}/{}", clock(watching.at), clock(watching.total)),
    };
    let moves = match (watching.newest, watching.playing) {
        (true, _) => String::new(),
        (false, false) => format!(" {}", marks::HELD),
        (false, true) if watching.percent == 100 => format!(" {}", marks::NOW),
        (false, true) => format!(" {}{}%", marks::NOW, watching.percent),
    };
    vec![(name.into(), Role::Changed), (format!(" {place}{moves}   "), Role::Plain)]
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
                "The image cannot be used, and the terminal says why; --image names another ({line} ended with status {status})"
            ),
            format!("无法使用这个镜像，原因见终端；可以用 --image 指定别的镜像（{line} 的退出状态是 {status}）"),
        ),
        Notice::AnswerFirst => lang.pick("Answer first: any answer will do".into(), "先选一个答案，对错都行".into()),
    })
}

/// What a terminal is called on screen.
pub(super) fn terminal_name(terminal: TerminalId, lang: Lang) -> &'static str {
    terminal.label(lang)
}
