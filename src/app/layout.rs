//! What is drawn where. Pure geometry: the terminals' sizes follow it as well as the drawing.

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
}

impl Pane {
    /// All panes, in the order of their numbers.
    pub(crate) const ALL: [Pane; 8] = [
        Pane::Lesson,
        Pane::Calls,
        Pane::Namespaces,
        Pane::Processes,
        Pane::Sides,
        Pane::Mounts,
        Pane::Cgroup,
        Pane::Source,
    ];

    /// The number key that shows it.
    pub(crate) fn number(self) -> usize {
        self as usize + 1
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
        }
    }

    /// Whether a wide screen shows it all the time.
    pub(crate) fn always_on_wide(self) -> bool {
        matches!(self, Pane::Lesson | Pane::Namespaces | Pane::Processes)
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Not even for one pane.
    TooSmall,
    /// One pane at a time, and the terminal.
    Small,
    /// Everything side by side.
    Wide,
}

impl Shape {
    /// Decides by columns and rows.
    pub(crate) fn of((columns, rows): (u16, u16)) -> Shape {
        match () {
            () if columns < 40 || rows < 10 => Shape::TooSmall,
            () if columns >= 110 && rows >= 32 => Shape::Wide,
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
    /// The size of both terminals in rows and columns. It does not depend on what is shown how large: changing it would
    /// make the programs in them draw anew.
    pub terminal_size: (u16, u16),
}

/// What the learner looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen {
    /// Whether the terminal has the most room.
    pub large: bool,
    /// The pane that a small screen shows.
    pub pane: Pane,
    /// The pane in the lower right of a wide screen.
    pub bottom: Pane,
    /// Whether no command was given in this step: then there is more to read than to see.
    pub reading: bool,
    /// Whether a call is held: then what was called and the links are seen at once.
    pub held: bool,
    /// Whether both terminals are to be seen.
    pub both: bool,
}

/// Lays out the lesson view.
pub(crate) fn places(size: (u16, u16), chosen: Chosen) -> Places {
    let (columns, rows) = size;
    let header = Rect::new(0, 0, columns, rows.min(1));
    let bar = Rect::new(0, rows.saturating_sub(1), columns, rows.min(1));
    let body = Rect::new(0, 1, columns, rows.saturating_sub(2));
    match Shape::of(size) {
        Shape::Wide => wide(header, body, bar, chosen),
        _ => small(header, body, bar, chosen),
    }
}

fn wide(header: Rect, body: Rect, bar: Rect, chosen: Chosen) -> Places {
    let left = (body.width * 37 / 100).clamp(44, 72);
    let right = body.width - left;
    // Nine links and a heading, with the border.
    let middle = 12.min(body.height / 3 + 1);
    let share = if chosen.both { 60 } else { 45 };
    let top = (body.height - middle) * share / 100;
    let terminals = Rect::new(left, body.y, right, top);
    let (terminal, other) = split(terminals, chosen.both);
    let alone = Rect { height: (body.height - middle) * 45 / 100, ..terminals };
    let links = (right * 58 / 100).max(46).min(right - 20);
    let y = body.y + top;
    Places {
        header,
        terminal,
        other,
        panes: vec![
            (Pane::Lesson, Rect::new(0, body.y, left, body.height)),
            (Pane::Namespaces, Rect::new(left, y, links, middle)),
            (Pane::Processes, Rect::new(left + links, y, right - links, middle)),
            (chosen.bottom, Rect::new(left, y + middle, right, body.height - top - middle)),
        ],
        bar,
        terminal_size: inner(alone),
    }
}

fn small(header: Rect, body: Rect, bar: Rect, chosen: Chosen) -> Places {
    // Where two boxes would be slivers, the focused one has it all.
    let large = if body.height < 14 { body.height } else { body.height * 5 / 8 };
    let both = chosen.both && body.height >= 2 * LEAST + 6;
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

/// The last calls, and below them the links: all of them in a row each where there is room.
fn calls_and_links(area: Rect) -> Vec<(Pane, Rect)> {
    let links = if area.height >= 20 { 12 } else { 10 };
    let calls = area.height - links;
    vec![
        (Pane::Calls, Rect { height: calls, ..area }),
        (Pane::Namespaces, Rect { y: area.y + calls, height: links, ..area }),
    ]
}

/// Rows and columns inside a border.
fn inner(area: Rect) -> (u16, u16) {
    (area.height.saturating_sub(2).max(1), area.width.saturating_sub(2).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_and_nothing_leaves_the_screen() {
        for columns in (1..260).step_by(7).chain([40, 80, 110, 140, 500]) {
            for rows in (1..120).step_by(3).chain([10, 24, 32, 45, 200]) {
                for number in 0..16 {
                    let [large, reading, held, both] = [1, 2, 4, 8].map(|bit| number & bit != 0);
                    let pane = if held { Pane::Calls } else { Pane::Lesson };
                    let chosen = Chosen { large, reading, held, both, pane, bottom: Pane::Mounts };
                    let places = places((columns, rows), chosen);
                    if Shape::of((columns, rows)) != Shape::TooSmall {
                        let low = |area: Rect| area.height > 0 && area.height < LEAST;
                        assert!(!low(places.terminal) && !low(places.other), "{columns}x{rows}");
                        assert!(!both || rows < 24 || places.other.height > 0, "{columns}x{rows}");
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
        for size in [(80, 24), (140, 45), (60, 12)] {
            let with = |large, both| places(size, Chosen { large, both, ..Chosen::default() }).terminal_size;
            assert_eq!(with(false, false), with(true, false));
            assert_eq!(with(false, false), with(false, true));
        }
    }
}
