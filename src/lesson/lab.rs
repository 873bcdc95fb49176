//! The lab: two terminals and every pane, and nothing to learn.
//!
//! It has the form of a lesson, so that a session plays it as any other, with the guard and the ledger; what makes it
//! another thing is [`Lesson::free`].

use super::{Block, Lesson, Run, Step, TerminalId, Translations};
use crate::lang::Lang;

/// What the lab is called where lessons have their names.
pub(crate) const LAB: &str = "lab";

/// The lab, in every language; `image` is a word of a shell's command line, which is offered to be unpacked.
pub(crate) fn lab(image: Option<&str>) -> Translations {
    let unpack = image.map(|image| {
        Block::Run(Run {
            terminal: TerminalId::Container,
            line: format!("boxwright image unpack {image} rootfs"),
            look: true,
            ..Run::default()
        })
    });
    let blocks: Vec<Block> = unpack.into_iter().collect();
    let of = |lang: Lang| {
        let title = lang.pick("Lab", "实验台").to_string();
        let step =
            Step { id: LAB.into(), title: title.clone(), fresh: true, blocks: blocks.clone(), ..Step::default() };
        Lesson { id: LAB.into(), lang, title, steps: vec![step], free: true, ..Lesson::default() }
    };
    Lang::ALL.into_iter().map(of).collect()
}
