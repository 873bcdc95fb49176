//! Characters that are made of several, such as a letter and the accents over it.
//!
//! A cell of avt holds one character. Such a cluster is therefore kept here, and a character that no program prints
//! stands for it in the cell: one of plane 16, which is for private use and one cell wide, or one of plane 3 that is not
//! assigned and two cells wide.

use std::{collections::HashMap, ops::RangeInclusive};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const NARROW: RangeInclusive<u32> = 0x10_0000..=0x10_fffd;
const WIDE: RangeInclusive<u32> = 0x3_3480..=0x3_fffd;

/// How many clusters of each width are kept. Further ones lose their marks: output may invent any number of them.
const MAX_CLUSTERS: usize = 4096;

/// How long a cluster may be, in bytes.
const MAX_LENGTH: usize = 32;

/// What to do about a character of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It takes a cell, or two.
    Cell,
    /// It belongs to the character before it.
    Mark,
    /// It is not shown: it has no shape, or terminals disagree on what it does to its neighbours' width or order.
    Nothing,
}

/// Says what to do about a character.
pub(super) fn kind(c: char) -> Kind {
    match c {
        '\u{7f}' => Kind::Nothing,
        '\0'..'\u{300}' => Kind::Cell,
        // Joiners, selectors, directions and tags.
        '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => Kind::Nothing,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' => Kind::Nothing,
        _ if c.width() == Some(0) => Kind::Mark,
        _ => Kind::Cell,
    }
}

/// The clusters of one screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Graphemes {
    narrow: Vec<Box<str>>,
    wide: Vec<Box<str>>,
    known: HashMap<Box<str>, char>,
}

impl Graphemes {
    /// What a character in a cell stands for, where it stands for a cluster.
    pub(super) fn cluster(&self, c: char) -> Option<&str> {
        let c = u32::from(c);
        let (range, clusters) = if NARROW.contains(&c) { (NARROW, &self.narrow) } else { (WIDE, &self.wide) };
        let index = usize::try_from(c.checked_sub(*range.start())?).ok()?;
        clusters.get(index).map(AsRef::as_ref)
    }

    /// Appends a mark to what stands in a cell of this many columns, and gives the character that stands for both;
    /// `None` where the mark has to be left out.
    pub(super) fn join(&mut self, before: char, mark: char, columns: u8) -> Option<char> {
        let mut cluster = self.cluster(before).map_or_else(|| before.to_string(), str::to_string);
        cluster.push(mark);
        if let Some(known) = self.known.get(cluster.as_str()) {
            return Some(*known);
        }
        let (range, clusters) = if columns == 2 { (WIDE, &mut self.wide) } else { (NARROW, &mut self.narrow) };
        let fits = cluster.width() == usize::from(columns) && cluster.len() <= MAX_LENGTH;
        if !fits || clusters.len() >= MAX_CLUSTERS {
            return None;
        }
        let c = char::from_u32(*range.start() + u32::try_from(clusters.len()).ok()?)?;
        clusters.push(cluster.as_str().into());
        self.known.insert(cluster.into(), c);
        Some(c)
    }

    /// Text of cells, with each cluster written out.
    pub(super) fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match self.cluster(c) {
                Some(cluster) => out.push_str(cluster),
                None => out.push(c),
            }
        }
        out
    }
}

/// The character itself, or U+FFFD for one that would be taken for a cluster.
pub(super) fn plain(c: char) -> char {
    let number = u32::from(c);
    if NARROW.contains(&number) || WIDE.contains(&number) { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_cluster_is_as_wide_as_the_cluster() {
        for (range, columns) in [(NARROW, 1), (WIDE, 2)] {
            for number in [*range.start(), range.start() + MAX_CLUSTERS as u32] {
                assert!(range.contains(&number));
                assert_eq!(char::from_u32(number).unwrap().width(), Some(columns), "{number:x}");
            }
        }
    }

    #[test]
    fn marks_join_and_are_found_again() {
        let mut all = Graphemes::default();
        let accented = all.join('e', '\u{301}', 1).unwrap();
        assert_eq!(all.cluster(accented), Some("e\u{301}"));
        assert_eq!(all.join('e', '\u{301}', 1), Some(accented));
        let twice = all.join(accented, '\u{323}', 1).unwrap();
        assert_eq!(all.expand(&format!("x{twice}y{accented}")), "xe\u{301}\u{323}ye\u{301}");
        let wide = all.join('中', '\u{301}', 2).unwrap();
        assert_eq!((wide.width(), all.cluster(wide)), (Some(2), Some("中\u{301}")));
        assert_eq!(all.cluster('e'), None);
        assert_eq!(plain(wide), '\u{fffd}');
    }

    #[test]
    fn no_output_fills_the_memory() {
        let mut all = Graphemes::default();
        let mut last = 'a';
        while let Some(next) = all.join(last, '\u{301}', 1) {
            last = next;
        }
        assert!(all.cluster(last).unwrap().len() <= MAX_LENGTH);
        let made = ('\u{4e00}'..='\u{9000}').filter(|c| all.join(*c, '\u{301}', 2).is_some()).count();
        assert_eq!(made, MAX_CLUSTERS);
    }

    #[test]
    fn kinds() {
        for (c, expected) in [
            ('a', Kind::Cell),
            ('\u{ad}', Kind::Cell),
            ('中', Kind::Cell),
            ('\u{7f}', Kind::Nothing),
            ('\u{301}', Kind::Mark),
            ('\u{200d}', Kind::Nothing),
            ('\u{fe0f}', Kind::Nothing),
            ('\u{202e}', Kind::Nothing),
            ('\u{e0061}', Kind::Nothing),
            ('\u{1160}', Kind::Mark),
        ] {
            assert_eq!(kind(c), expected, "{c:?}");
        }
    }
}
