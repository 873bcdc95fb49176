//! What only the machine of a session knows, and lessons name: a free port, the image, controllers, an ordinary user.

use super::{
    model::{Block, Fact, Lesson, Run},
    mutants,
    translations::Translations,
};
use crate::kernel::{availability::available_in, cgroups::own, ordinary};
use serde::{Deserialize, Serialize};
use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::OnceLock,
};

/// What only the machine of a session knows, and lessons name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fills {
    port: u16,
    image: String,
    controllers: String,
    ids: (u32, u32),
    /// The seeds of the mutants that are among the lessons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) mutants: Vec<u64>,
    /// The mutant of a learner's own script that is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) own: Option<mutants::Own>,
}

impl Fills {
    /// Here; all lessons of a process name the same port.
    pub fn of_this_machine(image: &str) -> Fills {
        static PORT: OnceLock<u16> = OnceLock::new();
        let port = *PORT.get_or_init(|| free_port().unwrap_or(FALLBACK_PORT));
        let (hierarchies, memberships) = own();
        let version = |name: &str| available_in(&hierarchies, &memberships, name).ok().map(|(version, _)| version);
        let controllers = controllers(version);
        Fills { port, image: image.into(), controllers, ids: ordinary::user(), mutants: Vec::new(), own: None }
    }

    /// The same with the mutants of these seeds among the lessons.
    pub(crate) fn with_mutants(self, seeds: &[u64]) -> Fills {
        Fills { mutants: seeds.to_vec(), ..self }
    }

    /// The same with a mutant of a learner's own script among the lessons.
    pub(crate) fn with_own(self, own: Option<mutants::Own>) -> Fills {
        Fills { own, ..self }
    }

    /// The mutant of a learner's own script.
    pub(crate) fn own(&self) -> Option<&mutants::Own> {
        self.own.as_ref()
    }

    /// The same with the mutants that are among these lessons.
    pub(crate) fn with_those_of(self, lessons: &[Translations]) -> Fills {
        self.with_mutants(&mutants::seeds(lessons))
    }
}

/// Only used where no socket can be opened at all.
const FALLBACK_PORT: u16 = 47_001;
/// What stands in lessons for the image that the user has chosen.
const IMAGE: &str = "{image}";

/// A port that the kernel calls free on the loopback address. Each session has its own, because many learners may share
/// one machine.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The controllers that lessons about limits use.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuacct", "memory", "pids"];

/// Those that groups can have here, as tools take them; `version` gives the version of each one's hierarchy. Version 2
/// counts CPU time without `cpuacct`, and the distribution's cgcreate knows no such controller there. Where no group can
/// be made at all, the steps that would make one are skipped, and the text names what it would take.
fn controllers(version: impl Fn(&str) -> Option<u8>) -> String {
    let usable = |name: &&&str| version(name).is_some_and(|version| version == 1 || **name != "cpuacct");
    let found: Vec<&str> = CONTROLLERS.iter().filter(usable).copied().collect();
    if found.is_empty() { "cpu,memory,pids".into() } else { found.join(",") }
}

/// Puts what only this machine knows in its place everywhere, so that nothing after this needs to know of it.
pub(super) fn fill_in(lesson: &mut Lesson, fills: &Fills) {
    let Fills { port, image, controllers, ids, .. } = fills;
    let fills = [
        ("{port}", &port.to_string()),
        (IMAGE, image),
        ("{controllers}", controllers),
        ("{uid}", &ids.0.to_string()),
        ("{gid}", &ids.1.to_string()),
    ];
    let fill = |text: &mut String| {
        // Hardly any has one.
        if !text.contains('{') {
            return;
        }
        for (name, value) in fills {
            if text.contains(name) {
                *text = text.replace(name, value);
            }
        }
    };
    let fill_line = |run: &mut Run| {
        run.image = run.line.contains(IMAGE);
        fill(&mut run.line);
    };
    fill(&mut lesson.intro);
    for block in lesson.steps.iter_mut().flat_map(|step| &mut step.blocks) {
        match block {
            Block::Prose(text) | Block::Hint(text) | Block::Why(text) | Block::Note(text) => fill(text),
            Block::Predict(predict) => {
                fill(&mut predict.question);
                predict.options.iter_mut().for_each(fill);
            }
            Block::Run(run) => fill_line(run),
            Block::Solution(way) | Block::Wrong(way) => way.runs.iter_mut().for_each(fill_line),
            Block::Break(runs) => runs.iter_mut().for_each(fill_line),
            Block::Check(checks) => {
                for check in checks {
                    fill(&mut check.text);
                    if let Fact::Listening(_, wanted @ 0) | Fact::NotListening(_, wanted @ 0) = &mut check.fact {
                        *wanted = *port;
                    }
                    check.fact.be(*ids);
                    if let Fact::Call(_, _, Some(text)) = &mut check.fact {
                        fill(text);
                    }
                }
            }
            Block::Refused(_) | Block::Requires(_) | Block::Changes(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::load, *};

    #[test]
    fn lines_name_the_controllers_that_groups_have_here() {
        let named = |found: &'static [(&str, u8)]| {
            controllers(|name| found.iter().find(|(known, _)| *known == name).map(|(_, version)| *version))
        };
        assert_eq!(named(&[("cpu", 1), ("cpuacct", 1), ("memory", 1), ("pids", 1)]), "cpu,cpuacct,memory,pids");
        assert_eq!(named(&[("cpu", 2), ("cpuacct", 2), ("memory", 2), ("pids", 2)]), "cpu,memory,pids");
        assert_eq!(
            named(&[("cpuacct", 2), ("memory", 2), ("pids", 2)]),
            "memory,pids",
            "what Ubuntu 22.04 gives to users"
        );
        assert_eq!(named(&[("cpu", 1), ("cpuacct", 1), ("pids", 2)]), "cpu,cpuacct,pids");
        assert_eq!(named(&[]), "cpu,memory,pids");
    }

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for step in load(None).unwrap().iter().flat_map(|lesson| lesson.values()).flat_map(|lesson| &lesson.steps) {
            for block in &step.blocks {
                let texts: Vec<&String> = match block {
                    Block::Prose(text) | Block::Hint(text) | Block::Why(text) | Block::Note(text) => vec![text],
                    Block::Run(run) => vec![&run.line],
                    Block::Solution(way) | Block::Wrong(way) => way.runs.iter().map(|run| &run.line).collect(),
                    Block::Break(runs) => runs.iter().map(|run| &run.line).collect(),
                    _ => Vec::new(),
                };
                let left = |text: &&String| {
                    ["{port}", "{image}", "{controllers}", "{uid}", "{gid}"].iter().any(|name| text.contains(name))
                };
                assert!(!texts.iter().any(left), "{}: {texts:?}", step.id);
            }
        }
    }
}
