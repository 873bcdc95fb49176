//! Every step of every lesson on the real kernel: unsolved before, solved after, unsolved again after going back; by
//! keys, by hand with the distribution's own tools, and by other lines than the lesson's; and a challenge refuses wrong ways.

pub(crate) mod ways;

use crate::{
    harness::{Test, tests},
    needs::Need,
    support::{
        BOXWRIGHT, host,
        learner::{Learner, lacking, lessons},
        left_of,
    },
};
use boxwright::{
    lang::Lang,
    lesson::{self, Block, Lesson, Run, Step, TerminalId, WrongWay},
    session::Verdict,
    tools::TOOLS,
};
use std::{os::unix::fs::symlink, process::Command};

use ways::{AMISS, WRONG, Wrong};

/// Lessons that measure use of the CPU: a busy machine can keep a group below its limit before the lesson sets one.
const MEASURES: [&str; 1] = ["cgroups"];

/// Each lesson by itself. The state of the whole machine is compared: no lesson changes it, not even for a moment.
pub fn tests() -> Vec<Test> {
    let mut tests = tests![every_step_can_be_done_here: [Root, EveryStep]];
    let ways = [
        ("by_keys", by_keys as fn(Lesson), Lang::En),
        ("by_hand", by_hand, Lang::Zh),
        ("another_way", by_another_way, Lang::En),
        ("other_ways", other_ways, Lang::En),
        ("wrong_ways", wrong_ways, Lang::En),
    ];
    for (way, run, lang) in ways {
        let all = lessons(lang).into_iter().chain(mutants(lang));
        for lesson in all.filter(|lesson| plays(way, lesson)) {
            let mut needs = vec![Need::Root];
            needs.extend(theirs().filter(|_| way == "by_hand").map(Need::Tool));
            let name = format!("{way}/{}", lesson.id);
            let measures = MEASURES.contains(&lesson.id.as_str());
            let test = Test::new(module_path!(), &name, move || run(lesson.clone()), needs).in_its_own_process();
            tests.push(if measures { test.alone() } else { test });
        }
    }
    let own = of_another_script(Lang::En).into_iter().flat_map(|lesson| {
        [("by_keys", by_keys as fn(Lesson)), ("wrong_ways", wrong_ways)].map(|(way, run)| (way, run, lesson.clone()))
    });
    tests.extend(own.map(|(way, run, lesson)| {
        let name = format!("{way}/{}", lesson.id);
        let needs = vec![Need::Root, Need::Asked];
        Test::new(module_path!(), &name, move || run(lesson.clone()), needs).in_its_own_process()
    }));
    tests
}

/// How many mutants are gone through in one test.
const MUTANTS_AT_ONCE: usize = 10;

/// Every mutant of the table, in some lessons, so that several tests share the work.
fn mutants(lang: Lang) -> Vec<Lesson> {
    parts(lesson::mutants::every().get(lang).unwrap(), MUTANTS)
}

fn parts(every: &Lesson, name: &str) -> Vec<Lesson> {
    let part = |(number, steps): (usize, &[Step])| {
        let id = format!("{name}{}", number + 1);
        Lesson { id, steps: steps.to_vec(), ..every.clone() }
    };
    every.steps.chunks(MUTANTS_AT_ONCE).enumerate().map(part).collect()
}

const MUTANTS: &str = "mutants-";

/// Whether a lesson is gone through in this way. The lines of mutants are those of `runtime`.
fn plays(way: &str, lesson: &Lesson) -> bool {
    match way {
        "other_ways" => lesson.id == "fix" || lesson.id.starts_with(MUTANTS),
        "by_hand" | "another_way" => !lesson.id.starts_with(MUTANTS),
        _ => true,
    }
}

/// Every mutation of a script that is written otherwise than the lesson's.
fn of_another_script(lang: Lang) -> Vec<Lesson> {
    let script = include_str!("../../src/lesson/mutants/own/another.sh");
    parts(lesson::mutants::every_of(script).get(lang).unwrap(), "mutants-own-")
}

/// The doctor agrees with what the lessons say they need.
fn every_step_can_be_done_here() {
    let output = Command::new(BOXWRIGHT).args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let blocked = report["lessons"].as_array().unwrap().iter().filter(|lesson| lesson["possible"] != true);
    assert_eq!(blocked.count(), 0, "{report:#}");
}

/// At least one fact does not hold, and says what should be and what is; or something is still to be seen.
fn unsolved(learner: &Learner, verdicts: &[Verdict], place: &str) {
    let missed: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.passed == Some(false)).collect();
    assert!(!missed.is_empty() || learner.still_shows(), "{place} holds without its commands: {verdicts:#?}");
    for verdict in missed {
        assert!(!verdict.expected.is_empty() && !verdict.observed.is_empty(), "{place}: {verdict:?}");
        assert_ne!(verdict.expected, verdict.observed, "{place}");
    }
}

/// Goes through a lesson; `play` brings the step that is open to its end.
fn through(lesson: Lesson, play: impl Fn(&mut Learner)) {
    let before = host();
    let (steps, id) = (lesson.steps.len(), lesson.id.clone());
    let lacking = lacking(Lang::En);
    let mut learner = Learner::new(lesson, lacking);
    let name = learner.name();
    for step in 0..steps {
        if !learner.go_to(step) {
            continue;
        }
        let place = format!("{id}/{}", learner.id());
        let verdicts = learner.return_only();
        unsolved(&learner, &verdicts, &place);
        assert!(!learner.done(), "{place}");
        learner.go_to(step);
        play(&mut learner);
        assert!(learner.done(), "{place}");
        learner.go_to(step);
        let verdicts = learner.return_only();
        unsolved(&learner, &verdicts, &place);
    }
    assert_eq!(learner.early(), [""; 0], "{id}");
    drop(learner);
    assert_eq!(left_of(&name), Vec::<String>::new(), "{id}");
    assert_eq!(host(), before, "the machine is as it was");
}

fn by_keys(lesson: Lesson) {
    through(lesson, Learner::play);
}

/// What no distribution has: `skopeo` is here because the built-in image is a source that only ours knows, and `cgdelete`
/// because libcgroup's moves the members of a group away where the kernel says EBUSY, which is what the step shows.
const OURS: [&str; 6] = ["boxwright", "cgdelete", "hog", "image", "seccomp", "skopeo"];

/// The tools that the distribution has as well.
fn theirs() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name).filter(|name| !OURS.contains(name))
}

/// Every line with the distribution's own tools.
fn by_hand(lesson: Lesson) {
    let ours = tempfile::tempdir().unwrap();
    OURS.iter().for_each(|name| symlink(BOXWRIGHT, ours.path().join(name)).unwrap());
    let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", ours.path().display());
    through(lesson, |learner| {
        for terminal in TerminalId::ALL {
            learner.line(terminal, &path);
        }
        learner.type_all();
    });
}

/// Every step is also done by who knows other programs, options and files for the same thing.
fn by_another_way(lesson: Lesson) {
    let id = lesson.id.clone();
    through(lesson, |learner| learner.type_all_as(|line| ways::otherwise(&id, line)));
}

/// Where the lines before a block are these, it is refused until the step is done as it should be.
fn amiss(learner: &mut Learner, lesson: &Lesson) {
    for (_, id, lines, refused) in AMISS.iter().filter(|(of, ..)| *of == lesson.id) {
        let step = lesson.steps.iter().position(|step| step.id == *id).unwrap();
        if !learner.go_to(step) {
            continue;
        }
        for (terminal, line) in *lines {
            learner.line_until_come(*terminal, line);
        }
        let verdicts = learner.verdicts_of(refused);
        assert!(verdicts.iter().all(|passed| *passed == Some(false)), "{id}: {lines:?}: {verdicts:?}");
        assert!(!learner.done(), "{id}: {lines:?}");
    }
}

/// The lines of a step that show a symptom.
fn looks(step: &Step) -> impl Iterator<Item = &Run> {
    step.blocks.iter().filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None })
}

/// Every other solution that a lesson names is one.
fn other_ways(lesson: Lesson) {
    let before = host();
    let mut learner = Learner::new(lesson.clone(), lacking(Lang::En));
    for (index, step) in lesson.steps.iter().enumerate() {
        for solution in step.solutions().iter().skip(1) {
            if learner.go_to(index) {
                learner.type_with(solution, str::to_string);
            }
        }
    }
    let name = learner.name();
    drop(learner);
    assert_eq!(left_of(&name), Vec::<String>::new(), "{}", lesson.id);
    assert_eq!(host(), before, "the machine is as it was");
}

/// What a lesson itself calls wrong is refused by the facts that it names and by no others, although its lines do what they
/// should.
fn called_wrong(learner: &mut Learner, lesson: &Lesson) -> usize {
    let mut tried = 0;
    for (index, step) in lesson.steps.iter().enumerate() {
        for WrongWay { runs, refused } in step.wrong_ways() {
            if !learner.go_to(index) {
                break;
            }
            tried += 1;
            let place = format!("{}/{}: {runs:#?}", lesson.id, step.id);
            learner.until_broken();
            learner.type_runs(looks(step).chain(&runs));
            learner.refused(&refused, &place);
            let verdicts = learner.verdicts();
            unsolved(learner, &verdicts, &place);
        }
    }
    tried
}

fn wrong_ways(lesson: Lesson) {
    let Some(challenge) = lesson.steps.iter().position(|step| step.challenge) else { panic!("no challenge") };
    let id = lesson.id.clone();
    let wrong: Vec<&Wrong> = WRONG.iter().filter(|(of, ..)| *of == id).collect();
    let mut learner = Learner::new(lesson.clone(), lacking(Lang::En));
    let tried = called_wrong(&mut learner, &lesson);
    assert!(tried > 0 || !wrong.is_empty(), "{id}: no wrong way is tried");
    amiss(&mut learner, &lesson);
    for (_, lines, refused) in wrong {
        if !learner.go_to(challenge) {
            break;
        }
        for (terminal, line) in *lines {
            learner.line_until_come(*terminal, line);
        }
        let refused: Vec<String> = refused.iter().map(|fact| (*fact).to_string()).collect();
        let place = format!("{id}: {lines:?}");
        learner.refused(&refused, &place);
        let verdicts = learner.verdicts();
        unsolved(&learner, &verdicts, &place);
    }
}
