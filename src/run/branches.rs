//! `boxwright what-if`: both branches of a call, or of a line, side by side; and the process that plays one of them.

use super::{CANNOT, FAILED, USAGE, lessons::not_agreed, load_filled, messages, need, own_program, prepare, setup};
use crate::{
    cli::{Common, WhatIf, complain, tell},
    doctor,
    event::{Branch, Change, Given, Plan},
    headless,
    kernel::{mountinfo, program},
    lang::Lang,
    lesson::{
        Block, Fills, Lesson, Run, Translations,
        mutants::{self, Own},
    },
    near::{did_you_mean, nearest},
    runtime::branches::{Again, Asked, NAMES, not_played, play},
    trace::Syscall,
    ui::branches,
};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{prctl::set_pdeathsig, signal::Signal},
};
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// The most columns that a table takes, and as many as it has where no terminal shows it.
const COLUMNS: usize = 120;

/// Plays both and prints what differs; or plays one.
pub(super) fn what_if(wanted: &WhatIf, common: &Common, lang: Lang) -> ExitCode {
    if let Some(name) = &wanted.branch {
        return one(name, common, lang);
    }
    let place = wanted.place.as_deref().unwrap_or_default();
    let plan = match planned(wanted, place, common, lang) {
        Ok(plan) => plan,
        Err(status) => return status,
    };
    let exe = match own_program(lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let both = match play(&Again { exe, options: common.again(), own: None, lang }, plan) {
        Ok(both) => both,
        Err(why) => return complain(&not_played(&why, lang), None, FAILED),
    };
    let mut out = io::stdout().lock();
    if wanted.json {
        let text = serde_json::to_string_pretty(&branches::told(&both)).map_err(io::Error::from);
        return messages::printed(text.and_then(|text| writeln!(out, "{text}")).map(|()| ExitCode::SUCCESS));
    }
    let columns = crossterm::terminal::size().map_or(COLUMNS, |(columns, _)| usize::from(columns).clamp(60, COLUMNS));
    let mut lines = branches::table(&both, lang, columns).into_iter();
    messages::printed(lines.try_for_each(|line| writeln!(out, "{line}")).map(|()| ExitCode::SUCCESS))
}

/// What is to be played twice.
///
/// Errors: the status of what is said of a step, a call or a change that there is not.
fn planned(wanted: &WhatIf, place: &str, common: &Common, lang: Lang) -> Result<Plan, ExitCode> {
    let lessons = lessons(common, place, None, lang)?;
    let found =
        headless::place(place, &lessons, lang).map_err(|wrong| messages::no_place(place, &wrong, false, lang))?;
    if let Some(status) = not_agreed(&found, common, lang) {
        return Err(status);
    }
    let (id, step) = found.parts();
    let lesson = spoken(&lessons, id, lang);
    let lines = lesson.and_then(|lesson| lesson.steps.get(step)).into_iter().flat_map(|step| &step.blocks);
    let mut lines = lines.filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
    let (Some(Run { terminal, line, .. }), Some(lesson)) = (lines.next(), lesson) else {
        let what = lang.pick("this step has no line of its own", "这一步没有自己的命令行");
        return Err(complain(&format!("{place}{}{what}", lang.pick(": ", "：")), None, USAGE));
    };
    let change = match (&wanted.line, &wanted.call) {
        (Some(line), _) => Change::Line(line.clone()),
        (None, call) => changed(call.as_deref().unwrap_or_default(), &wanted.change, lang)?,
    };
    let step = lesson.steps.get(step).map(|step| step.id.clone()).unwrap_or_default();
    let before: Vec<Given> = Vec::new();
    Ok(Plan { place: (id.into(), step), before, terminal: *terminal, line: line.clone(), change })
}

/// The change that these words ask for.
fn changed(call: &str, names: &[String], lang: Lang) -> Result<Change, ExitCode> {
    let (name, number) = call.split_once(':').map_or((call, Ok(1)), |(name, number)| (name, number.parse::<usize>()));
    let Some((syscall, after)) = Syscall::named(name).zip(number.ok().and_then(|number| number.checked_sub(1))) else {
        let hint = nearest(name, Syscall::names()).map(|near| did_you_mean(near, lang));
        let what = lang.pick(format!("no call `{call}` is traced"), format!("没有可跟踪的调用 `{call}`"));
        return Err(complain(&what, hint.as_deref(), USAGE));
    };
    let instead = syscall.choice(&names.join(" ")).ok_or_else(|| {
        let all: Vec<String> = syscall.choices().iter().map(ToString::to_string).collect();
        let what = lang.pick(
            format!("{name}: name flags that are dropped, or one error with which it fails"),
            format!("{name}：请写要去掉的标志，或让它失败的一个错误"),
        );
        complain(&what, Some(&all.join(" ")), USAGE)
    })?;
    Ok(Change::Call { syscall, after, instead })
}

/// The lessons, and the mutant that a place names.
fn lessons(common: &Common, place: &str, own: Option<Own>, lang: Lang) -> Result<Vec<Translations>, ExitCode> {
    let seeds: Vec<u64> = mutants::named(place).into_iter().collect();
    load_filled(common, &Fills::of_this_machine(&common.image()).with_mutants(&seeds).with_own(own), lang)
}

fn spoken<'a>(lessons: &'a [Translations], id: &str, lang: Lang) -> Option<&'a Lesson> {
    let all = lessons.iter().find(|lesson| lesson.id() == id)?;
    all.best(lang)
}

/// Plays one branch of the plan on standard input, in namespaces that end with this program.
fn one(name: &str, common: &Common, lang: Lang) -> ExitCode {
    // Nobody hears of it when its reader has gone.
    let _ = set_pdeathsig(Signal::SIGTERM);
    let machine = if copied().is_ok() { headless::Machine::Copy } else { headless::Machine::Itself };
    let (plan, own) = match serde_json::from_reader(io::stdin().lock()) {
        Ok(Asked { plan, own }) => (plan.into_owned(), own.into_owned()),
        Err(error) => return complain(&format!("--branch: {error}"), None, USAGE),
    };
    let changed = name == NAMES[1];
    let lessons = match lessons(common, &format!("{}/{}", plan.place.0, plan.place.1), own, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let exe = match prepare(common, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let Some(lesson) = spoken(&lessons, &plan.place.0, lang) else {
        return answer(&Err(lang.pick("this program has no such lesson", "本程序没有这一课").into()));
    };
    let lacking = doctor::lacking_for(need(common), &doctor::requirements(&lessons));
    let lacking = lacking.into_iter().find(|(known, _)| *known == lang).map(|(_, lacking)| lacking).unwrap_or_default();
    let asked = headless::Asked { plan: &plan, changed, lesson, machine };
    let setup = setup(common, exe, true, lang);
    match headless::branch(&asked, &lacking, setup) {
        Ok((came, left)) => {
            for line in &left {
                tell(line);
            }
            match came {
                headless::Came::To(branch) => answer(&Ok(*branch)),
                headless::Came::ToNothing(why) => answer(&Err(why)),
                headless::Came::Signal(signal) => ExitCode::from(128u8.saturating_add(signal as u8)),
            }
        }
        Err(trouble) => complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT),
    }
}

fn answer(came: &Result<Branch, String>) -> ExitCode {
    let mut out = io::stdout().lock();
    let text = serde_json::to_string(came).map_err(io::Error::from);
    messages::printed(text.and_then(|text| writeln!(out, "{text}")).map(|()| ExitCode::SUCCESS))
}

/// Mount, UTS and IPC namespaces of our own, which are as the machine's: mounts that were shared are shared again, but with
/// none of the machine's.
///
/// Errors: EPERM for an ordinary user.
fn copied() -> nix::Result<()> {
    let shared: Vec<String> =
        mountinfo::own().into_iter().filter(|mount| mount.is_shared()).map(|mount| mount.point).collect();
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)?;
    let change = |point: &str, flags| mount(None::<&Path>, Path::new(point), None::<&Path>, flags, None::<&Path>);
    change("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    for point in shared {
        // One that is mounted over cannot be reached, here as there.
        let _ = change(&point, MsFlags::MS_SHARED);
    }
    Ok(())
}
