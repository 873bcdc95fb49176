//! A lesson in the languages that it exists in, each read when it is first asked for.
//!
//! Nearly everyone reads one language, and whoever starts the program waits until it is read: the embedded lessons in the other
//! one are read when a reader changes the language.

use super::{
    fills::{Fills, fill_in},
    model::Lesson,
    pack::Pack,
    parse,
};
use crate::lang::Lang;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A lesson in every language that it exists in, in the order of [`Lang::ALL`]. To clone it copies no text.
#[derive(Clone, Default, PartialEq)]
pub struct Translations(Vec<(Lang, Arc<Translation>)>);

/// One language of a lesson.
#[derive(Clone, Default)]
struct Translation {
    lesson: OnceLock<Lesson>,
    /// The file that it is read from; none where it came as a lesson.
    unread: Option<Unread>,
}

/// A file in this program.
#[derive(Clone)]
struct Unread {
    id: &'static str,
    path: String,
    text: &'static str,
    fills: Option<Fills>,
}

impl Translation {
    fn lesson(&self) -> &Lesson {
        self.lesson.get_or_init(|| {
            let Some(Unread { path, text, fills, .. }) = &self.unread else { return Lesson::default() };
            let mut lesson = parse::read_own(path, text);
            if let Some(fills) = fills {
                fill_in(&mut lesson, fills);
            }
            lesson
        })
    }
}

impl PartialEq for Translation {
    fn eq(&self, other: &Translation) -> bool {
        self.lesson() == other.lesson()
    }
}

impl Translations {
    /// Files of this program, one a language: the name of the lesson, and for each language its path and its text.
    pub(super) fn unread(
        id: &'static str,
        files: impl IntoIterator<Item = (Lang, String, &'static str)>,
    ) -> Translations {
        let of = |(lang, path, text)| {
            let unread = Some(Unread { id, path, text, fills: None });
            (lang, Arc::new(Translation { lesson: OnceLock::new(), unread }))
        };
        Translations(files.into_iter().map(of).collect())
    }

    /// The lesson's name; empty where there is no language.
    pub fn id(&self) -> &str {
        self.0.first().map_or("", |(_, first)| match &first.unread {
            Some(unread) => unread.id,
            None => &first.lesson().id,
        })
    }

    /// The lesson in this language, if it exists in it.
    pub fn get(&self, lang: Lang) -> Option<&Lesson> {
        self.0.iter().find(|(known, _)| *known == lang).map(|(_, one)| one.lesson())
    }

    /// The lesson in this language, or in the one that it has; none where there is no language.
    pub fn best(&self, lang: Lang) -> Option<&Lesson> {
        self.get(lang).or_else(|| self.any())
    }

    /// The lesson where no word of it is asked for: in a language that was read already, if any was.
    pub fn any(&self) -> Option<&Lesson> {
        let read = self.0.iter().find_map(|(_, one)| one.lesson.get());
        read.or_else(|| self.0.first().map(|(_, one)| one.lesson()))
    }

    /// The languages that it exists in.
    pub fn languages(&self) -> impl Iterator<Item = Lang> {
        self.0.iter().map(|(lang, _)| *lang)
    }

    /// The lesson in every language that it exists in.
    pub fn values(&self) -> impl Iterator<Item = &Lesson> {
        self.0.iter().map(|(_, one)| one.lesson())
    }

    /// The same, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Lesson> {
        self.0.iter_mut().filter_map(|(_, one)| {
            let one = Arc::make_mut(one);
            one.lesson();
            // It is no longer what is written in the file.
            one.unread = None;
            one.lesson.get_mut()
        })
    }

    /// What is known of the folder that it comes from, where it is not part of this program.
    pub fn pack(&self) -> Option<&Pack> {
        self.0.iter().filter(|(_, one)| one.unread.is_none()).find_map(|(_, one)| one.lesson().pack.as_ref())
    }

    /// Its commands may run: it is treated as part of this program.
    pub(crate) fn trust(&mut self) {
        if self.pack().is_some() {
            self.values_mut().for_each(|lesson| lesson.foreign = false);
        }
    }

    /// Puts the lesson in this language, in the place of what was there.
    pub(super) fn insert(&mut self, lesson: Lesson) {
        let lang = lesson.lang;
        self.0.retain(|(known, _)| *known != lang);
        self.0.push((lang, Arc::new(Translation { lesson: OnceLock::from(lesson), unread: None })));
        self.0.sort_by_key(|(lang, _)| Lang::ALL.iter().position(|known| known == lang));
    }

    /// Leaves the languages of which this is true.
    pub(super) fn retain(&mut self, stays: impl Fn(Lang) -> bool) {
        self.0.retain(|(lang, _)| stays(*lang));
    }

    /// Fills in what only this machine knows, at once or when it is read.
    pub(super) fn fill(&mut self, fills: &Fills) {
        for (_, one) in &mut self.0 {
            let one = Arc::make_mut(one);
            match (one.lesson.get_mut(), &mut one.unread) {
                (Some(lesson), _) => fill_in(lesson, fills),
                (None, Some(unread)) => unread.fills = Some(fills.clone()),
                (None, None) => {}
            }
        }
    }
}

impl FromIterator<Lesson> for Translations {
    fn from_iter<I: IntoIterator<Item = Lesson>>(lessons: I) -> Translations {
        let mut all = Translations::default();
        lessons.into_iter().for_each(|lesson| all.insert(lesson));
        all
    }
}

impl fmt::Debug for Translations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Block, load};

    /// The languages that were read so far.
    fn read(lesson: &Translations) -> Vec<Lang> {
        lesson.0.iter().filter(|(_, one)| one.lesson.get().is_some()).map(|(lang, _)| *lang).collect()
    }

    #[test]
    fn a_language_is_read_when_it_is_asked_for() {
        let lessons = load(None).unwrap();
        let lesson = lessons.iter().find(|lesson| lesson.id() == "isolate").unwrap();
        assert_eq!((lesson.pack(), lesson.languages().collect::<Vec<_>>()), (None, Lang::ALL.to_vec()));
        assert_eq!(read(lesson), [], "its name and its languages are known without it");
        assert_eq!(lesson.best(Lang::Zh).unwrap().lang, Lang::Zh);
        assert_eq!(lesson.any().unwrap().lang, Lang::Zh, "the one that was read already");
        assert_eq!(read(&lesson.clone()), [Lang::Zh]);
        let runs = lesson.get(Lang::En).unwrap().steps.iter().flat_map(|step| &step.blocks).flat_map(Block::runs);
        let lines: Vec<&str> = runs.map(|run| run.line.as_str()).filter(|line| line.contains("nc -l")).collect();
        assert!(lines.len() > 1 && !lines.iter().any(|line| line.contains("{port}")), "filled in late: {lines:?}");
        assert_eq!(read(lesson), Lang::ALL);
    }

    #[test]
    fn what_stands_beside_the_files_is_changed_without_reading_them() {
        let (mut own, mut foreign) = (load(None).unwrap().remove(0), Translations::default());
        own.trust();
        assert_eq!(read(&own), []);
        let lesson = Lesson { foreign: true, pack: Some(Pack::default()), ..own.get(Lang::Zh).unwrap().clone() };
        foreign.insert(lesson.clone());
        assert_eq!((foreign.id(), foreign.best(Lang::En)), (own.id(), Some(&lesson)));
        assert!(foreign.get(Lang::En).is_none() && foreign != own);
        foreign.trust();
        assert!(foreign.pack().is_some() && !foreign.any().unwrap().foreign);
        foreign.insert(Lesson { lang: Lang::En, ..lesson });
        assert!(foreign.languages().eq(Lang::ALL), "in the order of the languages");
        foreign.retain(|lang| lang == Lang::En);
        assert!(foreign.languages().eq([Lang::En]));
        own.values_mut().for_each(|lesson| lesson.title.clear());
        assert!(own.values().all(|lesson| lesson.title.is_empty()), "not read from the file again");
    }
}
