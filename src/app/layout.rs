//! What is drawn where. Pure geometry: the terminals' sizes follow it as well as the drawing.

use crate::terminal::Size;
use ratatui::layout::Rect;

/// A part of the screen that shows one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pane {
    /// The lesson's text.
    #[default]
    Lesson,
    /// System calls.
    Calls,
    /// Namespace links, host and container.
    Namespaces,
    /// The process tree.
    Processes,
    /// What host and container answer.
    Sides,
    /// Mounts that differ from the host's.
    Mounts,
    /// The cgroup's limits and counters.
    Cgroup,
    /// The source of the tool that runs.
    Source,
    /// Users and groups, maps, capabilities, owners of namespaces.
    Users,
    /// Network namespaces, and how they are wired.
    Network,
}

impl Pane {
    /// All panes, in the order of their numbers.
    pub(crate) const ALL: [Pane; 10] = [
        Pane::Lesson,
        Pane::Calls,
        Pane::Namespaces,
        Pane::Processes,
        Pane::Sides,
        Pane::Mounts,
        Pane::Cgroup,
        Pane::Source,
        Pane::Users,
        Pane::Network,
    ];

    /// Its place among all of them, from 1 on.
    pub(crate) fn number(self) -> usize {
        self as usize + 1
    }

    /// The number key that shows it; the tenth has `0`, as on a keyboard.
    pub(crate) fn digit(self) -> char {
        char::from_digit(self.number() as u32 % 10, 10).unwrap_or('0')
    }

    /// Its name in English and Chinese.
    pub(crate) fn label(self) -> (&'static str, &'static str) {
        match self {
            Pane::Lesson => ("Lesson", "课文"),
            Pane::Calls => ("Calls", "系统调用"),
            Pane::Namespaces => ("Namespaces", "命名空间"),
            Pane::Processes => ("Processes", "进程"),
            Pane::Sides => ("Sides", "内外对比"),
            Pane::Mounts => ("Mounts", "挂载"),
            Pane::Cgroup => ("Cgroup", "Cgroup"),
            Pane::Source => ("Source", "源码"),
            Pane::Users => ("Users", "用户"),
            Pane::Network => ("Network", "网络"),
        }
    }

    /// The same where there is little room.
    pub(crate) fn short(self) -> (&'static str, &'static str) {
        match self {
            Pane::Calls => ("Calls", "调用"),
            Pane::Namespaces => ("NS", "命名空间"),
            Pane::Processes => ("PIDs", "进程"),
            Pane::Sides => ("Sides", "内外"),
            Pane::Mounts => ("Mnt", "挂载"),
            Pane::Cgroup => ("Cgrp", "Cgrp"),
            Pane::Source => ("Src", "源码"),
            Pane::Network => ("Net", "网络"),
            Pane::Lesson | Pane::Users => self.label(),
        }
    }

    /// Whether a screen of this shape shows it all the time.
    pub(crate) fn always_on(self, shape: Shape) -> bool {
        match shape {
            Shape::Wide => matches!(self, Pane::Lesson | Pane::Namespaces | Pane::Processes),
            Shape::Beside => self == Pane::Lesson,
            Shape::Small | Shape::TooSmall => false,
        }
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Not even for one pane.
    TooSmall,
    /// One pane at a time, and the terminal.
    Small,
    /// The lesson on the left; terminals and one pane on the right.
    Beside,
    /// Everything side by side.
    Wide,
}

/// A screen has so many rows at least.
pub(super) const LEAST_ROWS: u16 = 10;

/// From so many columns on both terminals are seen by themselves.
const BOTH: u16 = 100;

impl Shape {
    /// Decides by columns and rows. In large print there is one pane at a time, however large the screen is.
    pub(crate) fn seen(size: Size, large_print: bool) -> Shape {
        match Shape::of(size) {
            Shape::Beside | Shape::Wide if large_print => Shape::Small,
            shape => shape,
        }
    }

    /// Whether both terminals are seen without being asked for.
    pub(crate) fn shows_both(self) -> bool {
        matches!(self, Shape::Beside | Shape::Wide)
    }

    /// Decides by columns and rows.
    pub(crate) fn of(Size { columns, rows }: Size) -> Shape {
        match () {
            () if columns < 40 || rows < LEAST_ROWS => Shape::TooSmall,
            () if columns >= 110 && rows >= 32 => Shape::Wide,
            () if columns >= BOTH && rows >= 24 => Shape::Beside,
            () => Shape::Small,
        }
    }
}

/// The places of everything in the lesson view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The first line.
    pub header: Rect,
    /// The terminal with its border; empty where it is not shown.
    pub terminal: Rect,
    /// The other terminal with its border; empty where only one is seen.
    pub other: Rect,
    /// Panes with their borders.
    pub panes: Vec<(Pane, Rect)>,
    /// The last line.
    pub bar: Rect,
    /// The size of both terminals. It does not depend on what is shown how large: changing it would
    /// make the programs in them draw anew.
    pub terminal_size: Size,
}

impl Places {
    /// Makes room below: nothing reaches this row. What would be nothing but its border is not shown.
    pub(crate) fn end_at(&mut self, row: u16) {
        let end = |place: Rect| {
            let height = place.height.min(row.saturating_sub(place.y));
            if height > 2 { Rect { height, ..place } } else { Rect::ZERO }
        };
        (self.terminal, self.other) = (end(self.terminal), end(self.other));
        self.panes.iter_mut().for_each(|(_, place)| *place = end(*place));
        self.panes.retain(|(_, place)| place.height > 0);
    }
}

/// What the learner looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen {
    /// Whether the terminal has the most room.
    pub large: bool,
    /// The pane that a small screen shows.
    pub pane: Pane,
    /// The pane in the lower right, beside the lesson.
    pub bottom: Pane,
    /// Whether no command was given in this step: then there is more to read than to see.
    pub reading: bool,
    /// Whether a call is held, or is going to be: then what was called and the links are seen at once.
    pub held: bool,
    /// Whether both terminals are to be seen; `None` leaves it to the room that there is.
    pub both: Option<bool>,
    /// Whether a program in the terminal draws the whole screen, and needs it.
    pub full: bool,
    /// Whether there is to be one pane at a time and more air: for a hall.
    pub large_print: bool,
    /// Whether there is no lesson: then the calls have its place.
    pub lab: bool,
}

impl Chosen {
    /// What stands on the left.
    fn left(self) -> Pane {
        if self.lab { Pane::Calls } else { Pane::Lesson }
    }

    fn both(self, shape: Shape) -> bool {
        !self.full && self.both.unwrap_or(shape.shows_both())
    }
}

/// Lays out the lesson view.
pub(crate) fn places(size: Size, chosen: Chosen) -> Places {
    let Size { columns, rows } = size;
    let header = Rect::new(0, 0, columns, rows.min(1));
    let bar = Rect::new(0, rows.saturating_sub(1), columns, rows.min(1));
    let body = Rect::new(0, 1, columns, rows.saturating_sub(2));
    match Shape::seen(size, chosen.large_print) {
        Shape::Wide => wide(header, body, bar, chosen),
        Shape::Beside => beside(header, body, bar, chosen),
        Shape::Small | Shape::TooSmall => small(header, body, bar, chosen),
    }
}

fn wide(header: Rect, body: Rect, bar: Rect, chosen: Chosen) -> Places {
    let left = (body.width * 37 / 100).clamp(44, 72);
    let right = body.width - left;
    // Nine links and a heading, with the border.
    let middle = 12.min(body.height / 3 + 1);
    let both = chosen.both(Shape::Wide);
    let share = if both { 60 } else { 45 };
    let top = (body.height - middle) * share / 100;
    let terminals = Rect::new(left, body.y, right, top);
    let (terminal, other) = split(terminals, both);
    let alone = Rect { height: (body.height - middle) * 45 / 100, ..terminals };
    let links = (right * 58 / 100).max(46).min(right - 20);
    let y = body.y + top;
    Places {
        header,
        terminal,
        other,
        panes: vec![
            (chosen.left(), Rect::new(0, body.y, left, body.height)),
            (Pane::Namespaces, Rect::new(left, y, links, middle)),
            (Pane::Processes, Rect::new(left + links, y, right - links, middle)),
            (chosen.bottom, Rect::new(left, y + middle, right, body.height - top - middle)),
        ],
        bar,
        terminal_size: inner(alone),
    }
}

fn beside(header: Rect, body: Rect, bar: Rect, chosen: Chosen) -> Places {
    let left = body.width * 42 / 100;
    let right = Rect { x: left, width: body.width - left, ..body };
    // A program that draws its whole screen must not be cut when a call is held.
    let alone = right.height * 5 / 8;
    let sees_calls =
        chosen.held && !chosen.lab && matches!(chosen.bottom, Pane::Calls | Pane::Namespaces) && !chosen.full;
    let both = chosen.both(Shape::Beside);
    let least = if both && right.height >= LINKS + 3 * LEAST { 2 * LEAST } else { LEAST };
    let below = if sees_calls { (LINKS + 7).min(right.height - least) } else { right.height - alone };
    let top = right.height - below;
    let (terminal, other) = split(Rect { height: top, ..right }, both);
    let below = Rect { y: right.y + top, height: below, ..right };
    let mut panes = vec![(chosen.left(), Rect { width: left, ..body })];
    if sees_calls {
        panes.extend(calls_and_links(below))
    } else {
        panes.push((chosen.bottom, below))
    };
    Places { header, terminal, other, panes, bar, terminal_size: inner(Rect { height: alone, ..right }) }
}

fn small(header: Rect, body: Rect, bar: Rect, chosen: Chosen) -> Places {
    // Where two boxes would be slivers, the focused one has it all.
    let large = if body.height < 14 { body.height } else { body.height * 5 / 8 };
    let both = chosen.both(Shape::Small) && body.height >= 2 * LEAST + 6;
    let together = !both && chosen.held && body.height >= 20 && matches!(chosen.pane, Pane::Calls | Pane::Namespaces);
    let terminal_rows = match chosen.large {
        _ if both => large.max(2 * LEAST),
        true => large,
        false if together => {
            if body.height >= 26 {
                8
            } else {
                LEAST
            }
        }
        false if body.height >= 18 && chosen.reading && chosen.pane == Pane::Lesson => LEAST,
        false => body.height - large,
    };
    let (terminal, other) = split(Rect::new(0, body.y, body.width, terminal_rows), both);
    let below = Rect::new(0, body.y + terminal_rows, body.width, body.height - terminal_rows);
    let panes = match below.height {
        0 => Vec::new(),
        _ if together && !chosen.large => calls_and_links(below),
        _ => vec![(chosen.pane, below)],
    };
    Places { header, terminal, other, panes, bar, terminal_size: inner(Rect { height: large, ..body }) }
}

/// The place of one terminal, and of the other below it.
fn split(area: Rect, both: bool) -> (Rect, Rect) {
    if !both || area.height < 2 * LEAST {
        return (area, Rect::ZERO);
    }
    let upper = area.height / 2;
    let lower = Rect { y: area.y + upper, height: area.height - upper, ..area };
    (Rect { height: upper, ..area }, lower)
}

/// A terminal has at least so many rows with its border.
const LEAST: u16 = 5;

/// The table of links with its border, where those that say nothing share a row.
const LINKS: u16 = 10;

/// The last calls, and below them the links: all of them in a row each where there is room.
fn calls_and_links(area: Rect) -> Vec<(Pane, Rect)> {
    let links = if area.height >= 20 { LINKS + 2 } else { LINKS };
    let calls = area.height - links;
    vec![
        (Pane::Calls, Rect { height: calls, ..area }),
        (Pane::Namespaces, Rect { y: area.y + calls, height: links, ..area }),
    ]
}

/// The size inside a border.
fn inner(area: Rect) -> Size {
    let inside = |length: u16| length.saturating_sub(2).max(1);
    Size::new(inside(area.width), inside(area.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_and_nothing_leaves_the_screen() {
        for columns in (1..260).step_by(7).chain([40, 80, 110, 140, 500]) {
            for rows in (1..120).step_by(3).chain([10, 24, 32, 45, 200]) {
                for number in 0..256 {
                    let [large, reading, held, both, asked, full, large_print, lab] =
                        [1, 2, 4, 8, 16, 32, 64, 128].map(|bit| number & bit != 0);
                    let pane = if held { Pane::Calls } else { Pane::Lesson };
                    let bottom = if reading { Pane::Mounts } else { Pane::Calls };
                    let both = asked.then_some(both);
                    let chosen = Chosen { large, reading, held, both, pane, bottom, full, large_print, lab };
                    let places = places(Size { columns, rows }, chosen);
                    if Shape::of(Size { columns, rows }) != Shape::TooSmall {
                        let low = |area: Rect| area.height > 0 && area.height < LEAST;
                        assert!(!low(places.terminal) && !low(places.other), "{columns}x{rows}");
                        let wanted = both == Some(true) && rows >= 24 && !full;
                        let sees_calls = columns >= BOTH && held && rows < 27 && !lab;
                        assert!(!wanted || sees_calls || places.other.height > 0, "{columns}x{rows}");
                    }
                    let mut all: Vec<Rect> = places.panes.iter().map(|(_, area)| *area).collect();
                    all.extend([places.terminal, places.other, places.header, places.bar]);
                    let screen = Rect::new(0, 0, columns, rows);
                    for (index, area) in all.iter().enumerate() {
                        assert!(area.area() == 0 || screen.union(*area) == screen, "{area:?} on {screen:?}");
                        let later = all.iter().skip(index + 1);
                        if rows > 2 {
                            assert!(later.into_iter().all(|other| area.intersection(*other).area() == 0));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_terminals_keep_their_size_however_large_they_are_shown() {
        for size in [(80, 24), (100, 30), (120, 30), (140, 45), (60, 12)].map(Size::from) {
            let with =
                |large, both| places(size, Chosen { large, both: Some(both), ..Chosen::default() }).terminal_size;
            assert_eq!(with(false, false), with(true, false));
            assert_eq!(with(false, false), with(false, true));
        }
    }

    #[test]
    fn from_100_columns_on_both_terminals_the_lesson_calls_and_links_are_seen_at_once() {
        for size in [(100, 30), (120, 30), (100, 40), (140, 45), (200, 60)].map(Size::from) {
            let places = places(size, Chosen { held: true, bottom: Pane::Calls, ..Chosen::default() });
            assert!(places.terminal.height >= LEAST && places.other.height >= LEAST, "{size:?}");
            for pane in [Pane::Lesson, Pane::Calls, Pane::Namespaces] {
                assert!(places.panes.iter().any(|(seen, _)| *seen == pane), "{pane:?} at {size:?}");
            }
        }
        // The learner's own choice of a pane counts for more.
        let places = places(Size::new(100, 30), Chosen { held: true, bottom: Pane::Mounts, ..Chosen::default() });
        assert!(places.panes.iter().any(|(seen, _)| *seen == Pane::Mounts));
    }
}
