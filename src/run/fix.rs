//! `boxwright fix`: broken containers, which are steps of lessons with a `break` block.

use super::{USAGE, load, load_with, messages::printed, prepare, progress::look};
use crate::{
    cli::{Cli, Common, complain},
    columns::align,
    headless,
    kernel::{program, text},
    lang::Lang,
    lesson::{
        Lesson, Step, Translations,
        mutants::{self, MUTANTS},
    },
    near::{did_you_mean, nearest},
    session::{Progress, Standing},
};
use std::{
    io::{self, Write},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

/// The lesson whose cases need no name before them.
const OWN: &str = "fix";

/// A broken container: its lesson, and its place there.
struct Case<'a> {
    lesson: &'a Lesson,
    index: usize,
    step: &'a Step,
}

impl Case<'_> {
    /// What a learner types for it.
    fn name(&self) -> String {
        if self.lesson.id == OWN { self.step.id.clone() } else { format!("{}/{}", self.lesson.id, self.step.id) }
    }

    fn is(&self, name: &str) -> bool {
        self.step.id == name || name.split_once('/') == Some((&self.lesson.id, &self.step.id))
    }

    fn standing(&self, progress: &Progress) -> Standing {
        progress.standing(self.lesson, self.index)
    }
}

/// All of them, in the order of the lessons.
fn cases(lessons: &[Translations], lang: Lang) -> Vec<Case<'_>> {
    let spoken = lessons.iter().filter_map(|all| all.best(lang));
    let steps = spoken
        .flat_map(|lesson| lesson.steps.iter().enumerate().map(move |(index, step)| Case { lesson, index, step }));
    steps.filter(|case| case.step.is_broken()).collect()
}

/// Prints them: name, title, what each has come to, and the fastest repair.
pub(super) fn list(common: &Common, lang: Lang) -> ExitCode {
    let (lessons, progress) = match load(common, lang).and_then(|lessons| Ok((lessons, look(lang)?))) {
        Ok(both) => both,
        Err(status) => return status,
    };
    let cases = cases(&lessons, lang);
    let rows: Vec<Vec<String>> = cases.iter().map(|case| row(case, &progress, lang)).collect();
    let done = cases.iter().filter(|case| is_done(&case.standing(&progress))).count();
    let sum = lang.pick(
        format!("{done} of {} repaired; {} fix NAME opens one", cases.len(), program::path()),
        format!("共 {} 个，修好 {done} 个；{} fix 名字 打开一个", cases.len(), program::path()),
    );
    let mut out = io::stdout().lock();
    let mut lines = align(&rows).into_iter().chain([sum, without_end(&progress, lang)]);
    printed(lines.try_for_each(|line| writeln!(out, "{}", text::safe(&line))).map(|()| ExitCode::SUCCESS))
}

/// What there is besides the list.
fn without_end(progress: &Progress, lang: Lang) -> String {
    let (repaired, program) = (progress.repairs(MUTANTS), program::path());
    lang.pick(
        format!("mutants of mybox and crun, without end: {repaired} repaired; {program} fix --mutant opens the next, --daily that of today (UTC), --script FILE one of your own mybox"),
        format!("mybox 和 crun 的变异体，没有尽头：修好 {repaired} 个；{program} fix --mutant 打开下一个，再加 --daily 是今天的（UTC），再加 --script 文件 是你自己的 mybox 的"),
    )
}

fn row(case: &Case<'_>, progress: &Progress, lang: Lang) -> Vec<String> {
    let took = progress.best(case.lesson, &case.step.id).map(|best| best.say(lang));
    let state = match case.standing(progress) {
        Standing::Done | Standing::Helped => took.map_or_else(
            || lang.pick("repaired".to_string(), "修好了".into()),
            |took| lang.pick(format!("repaired: {took}"), format!("修好了：{took}")),
        ),
        Standing::Impossible(why) => lang.pick(format!("not possible here: {why}"), format!("本机做不了：{why}")),
        Standing::Open | Standing::Skipped => lang.pick("not repaired yet", "还没修好").into(),
    };
    vec![case.name(), case.step.title.clone(), state]
}

fn is_done(standing: &Standing) -> bool {
    matches!(standing, Standing::Done | Standing::Helped)
}

/// Opens the mutant of a seed, of today, or the first that is not repaired yet; after it come others.
pub(super) fn mutant(cli: &Cli, seed: Option<u64>, daily: bool, lang: Lang) -> ExitCode {
    let seeds = match (daily, seed) {
        (true, _) => vec![today()],
        (false, Some(seed)) => mutants::course(seed),
        (false, None) => match look(lang) {
            Ok(progress) => mutants::course(next(&progress)),
            Err(status) => return status,
        },
    };
    let lessons = match load_with(&cli.common, &seeds, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let first = seeds.first().copied().unwrap_or_default();
    play(cli, lessons, &format!("{MUTANTS}/{}", mutants::step(first)), false, lang)
}

/// The seed of today.
pub(super) fn today() -> u64 {
    // A clock before 1970 has no day that anybody else has.
    mutants::daily(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// The first seed whose mutant is not repaired yet, and can be.
fn next(progress: &Progress) -> u64 {
    first_open(progress, mutants::bare)
}

/// The same for lessons that stand for the mutants of a seed.
pub(super) fn first_open(progress: &Progress, bare: impl Fn(u64) -> Lesson) -> u64 {
    let open = |seed: &u64| matches!(progress.standing(&bare(*seed), 0), Standing::Open | Standing::Skipped);
    (1..=u64::MAX).find(open).unwrap_or(1)
}

/// Opens the case of this name or, without one, the list at the first that can be repaired and is not.
pub(super) fn open(cli: &Cli, name: Option<&str>, lang: Lang) -> ExitCode {
    let lessons = match load(&cli.common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let cases = cases(&lessons, lang);
    let found = match name {
        Some(name) => cases.iter().find(|case| case.is(name)),
        None => {
            let progress = match look(lang) {
                Ok(progress) => progress,
                Err(status) => return status,
            };
            let open = |case: &&Case<'_>| matches!(case.standing(&progress), Standing::Open | Standing::Skipped);
            cases.iter().find(open).or_else(|| cases.first())
        }
    };
    let Some(case) = found else {
        let known: Vec<String> = cases.iter().map(Case::name).collect();
        let name = name.unwrap_or(OWN);
        let what = lang.pick(
            format!("no broken container `{name}`; there are: {}", known.join(", ")),
            format!("没有名为 `{name}` 的案例；现有：{}", known.join("、")),
        );
        let near = nearest(name, known.iter().map(String::as_str)).map(|near| did_you_mean(near, lang));
        let hint = near.unwrap_or_else(|| format!("{} fix --list", program::path()));
        return complain(&what, Some(&hint), USAGE);
    };
    let place = format!("{}/{}", case.lesson.id, case.step.id);
    drop(cases);
    play(cli, lessons, &place, name.is_none(), lang)
}

/// Opens a step, or the list at it.
fn play(cli: &Cli, lessons: Vec<Translations>, place: &str, list: bool, lang: Lang) -> ExitCode {
    let place = match headless::place(place, &lessons, lang) {
        Ok(place) => place,
        Err(wrong) => return complain(&wrong.what, None, USAGE),
    };
    match prepare(&cli.common, lang) {
        Ok(exe) => super::open(cli, lang, exe, lessons, Some(place), list),
        Err(status) => status,
    }
}
