//! The text of a step with a mutant of a learner's script, as an author would write it.

use super::{
    super::{
        Comes, Kind, MUTANTS,
        kind::ENTER,
        store,
        text::{self, MORE, Said, block, ways},
    },
    Candidate, Own,
};
use crate::{
    lang::Lang,
    lesson::{
        Translations,
        model::{
            Lesson,
            TerminalId::{self, Host},
        },
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

/// Stands where the line comes that mends the script.
pub(super) const MENDED: &str = "MEND-THE-SCRIPT";

/// A script to be tried.
pub(crate) struct Trial {
    /// The one step of this lesson writes the script down, and asks for all facts.
    pub lesson: Lesson,
    /// How many of the facts, counted from the first, should come true.
    pub right: usize,
    /// Whether what enters is to fail, and is waited for.
    pub shut: bool,
}

impl Trial {
    /// The lines that start the container and enter it.
    pub(crate) fn lines(&self) -> [(TerminalId, &'static str); 2] {
        [Kind::Mybox.run(), (Host, if self.shut { "./mybox exec true" } else { ENTER.1 })]
    }
}

/// The trial of a script; `right` is waited for.
pub(super) fn trial(script: &str, right: &[String], wrong: &[String], shut: bool, lang: Lang) -> Trial {
    let mut out = String::from("# Trial\n\n> A script.\n\n## Trial {#trial fresh challenge}\n\nA script.\n");
    block(&mut out, "requires", &requires());
    block(&mut out, "break host", &prepare(script));
    let facts = right.iter().chain(wrong).map(|fact| format!("{fact} : ."));
    block(&mut out, "check", &facts.collect::<Vec<_>>().join("\n"));
    // It lacks what only a learner needs.
    let lesson = store::made(MUTANTS, [(lang, out)]).any().cloned().unwrap_or_default();
    Trial { lesson, right: right.len(), shut }
}

/// What a machine must have. Which programs the script takes is its own affair.
fn requires() -> String {
    let all = Kind::Mybox.requires().lines();
    all.filter(|line| !line.starts_with("program ")).collect::<Vec<_>>().join("\n")
}

/// The lines that write a script down. Typed as it is, a tabulator would complete a word, and a delimiter might end it.
fn prepare(script: &str) -> String {
    let encoded = STANDARD.encode(script);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(76).filter_map(|at| encoded.get(at..(at + 76).min(encoded.len()))).collect();
    format!("base64 -d > mybox <<'EOF'\n{}\nEOF\nchmod +x mybox", lines.join("\n"))
}

/// The lesson of one mutant, as it is written.
pub(super) fn lesson(own: &Own, candidate: &Candidate) -> Translations {
    // A test holds that there is no problem.
    store::made(MUTANTS, Lang::ALL.map(|lang| (lang, markdown(own, candidate, lang))))
}

pub(super) fn markdown(own: &Own, candidate: &Candidate, lang: Lang) -> String {
    let row = candidate.row;
    let fill = |text: &str| candidate.fill(text, own.limit);
    let words = row.words(lang);
    let mut out = text::head(lang).to_owned();
    let told = lang.pick("This is your own `mybox`.", "这是你自己的 `mybox`。");
    let _ = write!(
        out,
        "\n## {} {{#{} fresh challenge}}\n\n{}\n\n{told}\n",
        fill(words.title),
        own.step(),
        fill(words.text)
    );
    block(&mut out, "requires", &requires());
    block(&mut out, "break host", &prepare(&candidate.mutated));
    let fails = if row.comes == Comes::Nothing { " fails" } else { "" };
    block(&mut out, &format!("break container{fails}"), Kind::Mybox.run().1);
    if row.comes == Comes::Whole {
        block(&mut out, "break host", ENTER.1);
    }
    let fails = if row.fails { " fails" } else { "" };
    block(&mut out, &format!("run {} look{fails}", row.look.0.name()), &fill(row.look.1));
    let facts = own.broken.iter().map(|fact| (false, fact)).chain(own.keeps.iter().map(|fact| (true, fact)));
    let facts: Vec<String> = facts
        .map(|(keeps, fact)| {
            format!("{}{fact} : {}", if keeps { "keeps " } else { "" }, sentence(candidate, own, fact, lang))
        })
        .collect();
    block(&mut out, "check", &facts.join("\n"));
    block(&mut out, "hint", &fill(words.nudge));
    block(&mut out, "hint", &fill(words.idea));
    let leave = if row.comes == Comes::Nothing { &[] } else { Kind::Mybox.leave() };
    let repair: Vec<_> =
        [(Host, MENDED)].into_iter().chain(leave.iter().copied()).chain([Kind::Mybox.run(), ENTER]).collect();
    block(&mut out, "hint", &text::typed(&repair, lang));
    ways(&mut out, "solution", std::iter::once(repair));
    // A script that was put in order has changed nothing of what runs.
    ways(&mut out, "wrong", std::iter::once(vec![(Host, MENDED)]));
    block(&mut out, "why", &fill(words.why));
    out
}

/// What is said of a fact.
fn sentence(candidate: &Candidate, own: &Own, fact: &str, lang: Lang) -> String {
    let is = |said: &&Said| candidate.fill(said.0, own.limit) == fact;
    let said = Kind::Mybox.facts().iter().chain(&MORE).find(is);
    let (_, en, zh) = said.copied().unwrap_or_default();
    candidate.fill(lang.pick(en, zh), own.limit)
}
