//! A lesson that its author changes while it is played.

use super::{Block, Fills, Lesson, LoadError, Predict, Problem, Translations, folder, pack::fall_back, store::texts};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The files of a lesson as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// The lesson's folder.
    folder: String,
    /// Names and texts.
    files: Vec<(String, String)>,
    fills: Fills,
}

impl Edited {
    /// Reads the files of this folder.
    ///
    /// Errors: those of the file system.
    pub(crate) fn read(folder: &str, fills: &Fills) -> Result<Edited, LoadError> {
        let mut files: Vec<_> = texts(Path::new(folder))?
            .into_iter()
            .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
            .collect();
        files.sort();
        Ok(Edited { folder: folder.into(), files, fills: fills.clone() })
    }

    /// What they say.
    ///
    /// Errors: the first of their problems.
    pub(crate) fn lesson(&self) -> Result<Translations, Problem> {
        let files: Vec<_> = self.files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        let (mut lesson, problems) = folder(&self.folder, &files);
        if let Some(first) = problems.into_iter().next() {
            return Err(first);
        }
        fall_back(&mut lesson);
        lesson.fill(&self.fills);
        Ok(lesson)
    }
}

/// Whether two lessons differ in nothing but their sentences, so that one may take the other's place in the middle of a step.
pub(crate) fn says_it_otherwise(one: &Lesson, other: &Lesson) -> bool {
    bare(one) == bare(other)
}

/// The lesson without its sentences, and without the places of anything in its file.
fn bare(lesson: &Lesson) -> Lesson {
    let mut bare = lesson.clone();
    bare.title.clear();
    bare.summary.clear();
    bare.intro.clear();
    for step in &mut bare.steps {
        step.title.clear();
        step.line = 0;
        for block in &mut step.blocks {
            match block {
                Block::Prose(text) | Block::Hint(text) | Block::Why(text) | Block::Note(text) => text.clear(),
                Block::Predict(Predict { question, options, .. }) => {
                    question.clear();
                    options.iter_mut().for_each(String::clear);
                }
                Block::Run(run) => run.at = 0,
                Block::Solution(way) | Block::Wrong(way) => way.runs.iter_mut().for_each(|run| run.at = 0),
                Block::Refused(facts) => facts.iter_mut().for_each(|fact| fact.at = 0),
                Block::Break(runs) => runs.iter_mut().for_each(|run| run.at = 0),
                Block::Check(checks) => {
                    for check in checks {
                        check.text.clear();
                        check.at = 0;
                    }
                }
                Block::Requires(_) | Block::Changes(_) => {}
            }
        }
    }
    bare
}
