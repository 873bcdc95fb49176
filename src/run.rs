//! Carries out the command line: everything but the tools and the hidden roles, which never get here.

mod branches;
mod certificate;
mod class;
mod fix;
mod lab;
mod lessons;
mod messages;
mod own;
mod present;
mod progress;
mod proof;
mod rerun;
mod schema;
mod setup;
mod shell;
mod watching;

use crate::{
    app::{Prefix, Script},
    clean,
    cli::{self, Cli, Command, Common, Lessons, complain, tell},
    doctor, headless, inspect,
    kernel::{errno, program, text},
    lang::{self, Lang},
    lesson::{self, Fills, LoadError, Translations, mutants},
    recording,
    runtime::{Setup, TuiOptions, export, plain, scope, tui},
    trace,
};
use messages::printed;
use setup::{load_and_look, need, own_program, prepare, prepare_unless, setup};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use watching::{is_plain, look};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const CANNOT: u8 = 3;

/// Reads the command line (`args` begins with the program's name) and does what it says.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let lang = cli::asked(&args).unwrap_or_else(lang::spoken);
    lang::speak(lang);
    let cli = match cli::read(args) {
        Ok(cli) => cli,
        Err(error) => return messages::usage(&error),
    };
    if asks_the_machine(cli.command.as_ref())
        && let Some(bar) = doctor::silent_mount(lang)
    {
        return complain(&bar.what, Some(&bar.remedy), CANNOT);
    }
    match &cli.command {
        None => screen(&cli, lang),
        Some(Command::Class { dir, rehearse: Some(count), .. }) => class::rehearse(dir, *count, lang),
        Some(Command::Class { dir, json, once, ascii, .. }) => {
            class::board(dir, *json, *once, *ascii || cli.show.ascii, lang)
        }
        Some(Command::Present { notes: true, minutes, .. }) => present::speaker(&cli, *minutes, lang),
        Some(Command::Present { shown, show, stage, .. }) => present::hall(&cli, shown.as_ref(), show, stage, lang),
        Some(Command::Lab { tried, show, .. }) => lab::lab(&cli, tried.as_ref(), show, lang),
        Some(Command::Fix { list: true, .. }) => fix::list(&cli.common, lang),
        Some(Command::Fix { script: Some(script), seed, daily, .. }) => own::mutant(&cli, script, *seed, *daily, lang),
        Some(Command::Fix { mutant: true, seed, daily, .. }) => fix::mutant(&cli, *seed, *daily, lang),
        Some(Command::Fix { case, .. }) => fix::open(&cli, case.as_deref(), lang),
        Some(Command::Run { places, json, strict, patience, .. }) => {
            let how = lessons::How { json: *json, strict: *strict, patience: *patience };
            lessons::run(places, how, cli.record(), &cli.common, lang)
        }
        Some(Command::Trace { json, output, only, count, time, step, guard, process, command }) => {
            let form = trace::cli::Form { json: *json, only: only.clone(), count: *count, time: *time };
            let how = trace::cli::How { form, to: output.clone(), step: *step, guard: *guard, process: *process };
            trace::cli::run(how, command, lang)
        }
        Some(Command::WhatIf(wanted)) => branches::what_if(wanted, &cli.common, lang),
        Some(Command::Untraced { command }) => trace::aside::untraced(command, lang),
        Some(Command::Inspect { pid, panes: true, .. }) => lab::about(&cli, *pid, lang),
        Some(Command::Inspect { pid, json, watch, .. }) => inspect::run(*pid, *json, *watch, lang),
        Some(Command::Doctor { fix: true, .. }) => doctor::fix(lang),
        Some(Command::Doctor { class: Some(learners), json, .. }) => {
            let prove = |count, say: doctor::learners::Say<'_>| class::prove(count, &cli.common, say, lang);
            doctor::learners::run(*learners, *json, need(&cli.common), &prove, lang)
        }
        Some(Command::Doctor { learner: Some(code), .. }) => learner(code.as_deref(), &cli.common, lang),
        Some(Command::Doctor { json, .. }) => {
            scope::enter();
            load(&cli.common, lang)
                .map_or_else(|status| status, |lessons| doctor::run(&lessons, *json, need(&cli.common), lang))
        }
        Some(Command::Clean { dry_run }) => clean::run(*dry_run, lang),
        Some(Command::Progress { export: Some(file), .. }) => progress::carry_out(file, lang),
        Some(Command::Progress { import: Some(file), .. }) => progress::carry_in(file, lang),
        Some(Command::Progress { json, markdown, .. }) => progress::show(*json, *markdown, &cli.common, lang),
        Some(Command::Replay { file, brief, to, plain, show }) => {
            let form = watching::Form { plain: *plain || cli.plain, show: cli.show.with(show) };
            watching::replay(&cli.common, file, *brief, *to, &form, lang)
        }
        Some(Command::Follow { path, plain, show }) => {
            let form = watching::Form { plain: *plain || cli.plain, show: cli.show.with(show) };
            watching::follow(&cli.common, path, &form, lang)
        }
        Some(Command::Lessons(Lessons::Check { dir, run: true, .. })) => {
            lessons::prove(dir.as_deref().or(cli.common.lessons.as_deref()), &cli.common, lang)
        }
        Some(Command::Lessons(Lessons::Export { id, to: Some(to), speaker })) => {
            lessons::hand_out(id, *to, *speaker, &cli.common, lang)
        }
        Some(Command::Lessons(Lessons::Book { dir, names, mdbook, speaker })) => {
            lessons::book(dir, names, *mdbook, *speaker, &cli.common, lang)
        }
        Some(Command::Lessons(command)) => authors(command, &cli.common, lang),
        Some(Command::Tools) => printed(messages::list_tools()),
        Some(Command::Completions { shell }) => shell::completions(*shell),
        Some(Command::Man { dir }) => shell::man(dir, lang),
        Some(Command::Certificate { recording }) => certificate::certify(recording, lang),
        Some(Command::Verify { file, rerun: true }) => rerun::rerun(file, &cli.common, lang),
        Some(Command::Verify { file, .. }) => certificate::verify(file, lang),
        Some(Command::Schema { name }) => schema::show(name.as_deref(), lang),
        Some(Command::Help { command }) => messages::help(command, lang),
        Some(Command::Glossary { word }) => messages::glossary(word.as_deref(), lang),
    }
}

/// Whether a command looks at the machine from its very beginning on, and so must not wait for a mount that does not answer.
/// What runs under the tracer waits by itself.
fn asks_the_machine(command: Option<&Command>) -> bool {
    !matches!(
        command,
        Some(
            Command::Trace { .. }
                | Command::Untraced { .. }
                | Command::Tools
                | Command::Certificate { .. }
                | Command::Verify { rerun: false, .. }
                | Command::Schema { .. }
                | Command::Help { .. }
                | Command::Completions { .. }
                | Command::Man { .. }
                | Command::Glossary { .. }
                | Command::Replay { .. }
                | Command::Follow { .. }
        )
    )
}

/// The lessons that there are; where they cannot be loaded, that has been said.
fn load(common: &Common, lang: Lang) -> Result<Vec<Translations>, ExitCode> {
    load_with(common, &[], lang)
}

/// The same with the mutants of these seeds.
fn load_with(common: &Common, seeds: &[u64], lang: Lang) -> Result<Vec<Translations>, ExitCode> {
    load_filled(common, &Fills::of_this_machine(&common.image()).with_mutants(seeds), lang)
}

/// The same with all that is filled in.
fn load_filled(common: &Common, fills: &Fills, lang: Lang) -> Result<Vec<Translations>, ExitCode> {
    let loaded = lesson::load_as(common.lessons.as_deref(), fills);
    let (lessons, left_out) = loaded.map_err(|error| match error {
        LoadError::Problems(_) => {
            let program = program::path();
            let hint = lang.pick(
                format!("{program} lessons check DIR shows all of them"),
                format!("{program} lessons check 目录 会列出全部"),
            );
            complain(&format!("--lessons{}{error}", lang.pick(": ", "：")), Some(&hint), USAGE)
        }
        error => complain(&format!("--lessons{}{error}", lang.pick(": ", "：")), None, USAGE),
    })?;
    let colon = lang.pick(": ", "：");
    for left_out in left_out {
        tell(&format!("--lessons{colon}{}", left_out.say(lang)));
    }
    let packs = lessons.iter().filter_map(|lesson| lesson.pack());
    for pack in packs.filter(|pack| pack.replaces) {
        let said = lang.pick("stands in place of a lesson of boxwright", "取代了 boxwright 自带的同名课程");
        tell(&format!("--lessons{colon}{} {said}", text::printable(&pack.folder)));
    }
    Ok(lessons)
}

fn authors(command: &Lessons, common: &Common, lang: Lang) -> ExitCode {
    let mut out = io::stdout().lock();
    let result = match command {
        Lessons::Check { dir, stats, .. } => {
            let dir = dir.as_deref().or(common.lessons.as_deref());
            if *stats { lesson::cli::stats(dir, lang, &mut out) } else { lesson::cli::check(dir, lang, &mut out) }
        }
        Lessons::Guide => lesson::cli::guide(&mut out),
        Lessons::New { id, dir } => lesson::cli::new(dir, id, lang, &mut out),
        Lessons::List | Lessons::Export { .. } | Lessons::Book { .. } => match load(common, lang) {
            Err(status) => return status,
            Ok(lessons) => match command {
                Lessons::Export { id, .. } => lesson::cli::export(&lessons, id, lang, &mut out),
                _ => lesson::cli::list(&lessons, lang, &mut out).map(|()| ExitCode::SUCCESS),
            },
        },
    };
    let flushed = result.and_then(|status| out.flush().map(|()| status));
    drop(out);
    printed(flushed)
}

/// What a learner tells the teacher of this machine; or what a code says that a learner has told.
fn learner(code: Option<&str>, common: &Common, lang: Lang) -> ExitCode {
    scope::enter();
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let Some(code) = code else { return doctor::learner::run(&lessons, need(common), lang) };
    match doctor::learner::read(code, &lessons, lang) {
        Some(line) => printed(writeln!(io::stdout().lock(), "{line}").map(|()| ExitCode::SUCCESS)),
        None => {
            let hint = lang.pick(
                "it is what doctor --learner prints at its end, by the same version of boxwright",
                "它是 doctor --learner 最后输出的代码，要由同一版本的 boxwright 给出",
            );
            let what = lang.pick("this is not a learner's code", "这不是学员代码");
            complain(&format!("--learner {code}{}{what}", lang.pick(": ", "：")), Some(hint), USAGE)
        }
    }
}

/// Opens the file of a recording, which must not be there yet, unless its session was killed and begins again.
fn record(path: &Path) -> Result<(File, PathBuf), ExitCode> {
    let opened = export::create(path).or_else(|error| match recording::make_room(path) {
        Ok(Some(kept)) => {
            let (name, kept) = (path.display(), kept.display());
            let text = lang::say(
                format!("the session that recorded into {name} was killed; that is {kept} now"),
                format!("录到 {name} 的会话被杀死了；那份录制现在叫 {kept}"),
            );
            let _ = writeln!(io::stderr(), "{}", text::safe(&text));
            export::create(path)
        }
        _ => Err(error),
    });
    let file = opened.map_err(|error| not_recorded(path, &error))?;
    // Without a lock nobody can begin again in its place, and that is all.
    let _ = recording::hold(&file);
    Ok((file, path.to_path_buf()))
}

fn not_recorded(path: &Path, error: &io::Error) -> ExitCode {
    let exists = error.kind() == io::ErrorKind::AlreadyExists;
    let hint = lang::say("nothing is overwritten: name another file", "不会覆盖已有文件：请换一个文件名");
    let what = format!("--record{}{}", lang::say(": ", "："), path.display());
    complain(&format!("{what}: {}", errno::why_io(error)), exists.then_some(hint), FAILED)
}

fn screen(cli: &Cli, lang: Lang) -> ExitCode {
    let seeds: Vec<u64> = cli.place.as_deref().and_then(mutants::named).into_iter().collect();
    let (lessons, bar) = load_and_look(cli, &seeds, lang);
    let lessons = match lessons {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let place = match cli.place.as_deref().map(|name| headless::place(name, &lessons, lang)).transpose() {
        Ok(place) => place,
        Err(wrong) => return messages::no_place(cli.place.as_deref().unwrap_or_default(), &wrong, true, lang),
    };
    let exe = match prepare_unless(bar, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    open(cli, lang, exe, lessons, place, false)
}

fn open(
    cli: &Cli,
    lang: Lang,
    exe: PathBuf,
    lessons: Vec<Translations>,
    place: Option<headless::Place>,
    list: bool,
) -> ExitCode {
    let fills = Fills::of_this_machine(&cli.common.image()).with_those_of(&lessons);
    open_filled(cli, lang, exe, (lessons, fills), place, list)
}

/// The same with all that the lessons were filled in with.
fn open_filled(
    cli: &Cli,
    lang: Lang,
    exe: PathBuf,
    (mut lessons, fills): (Vec<Translations>, Fills),
    place: Option<headless::Place>,
    list: bool,
) -> ExitCode {
    if lesson::trusted(cli.common.yes) {
        lessons.iter_mut().for_each(Translations::trust);
    }
    // There is nothing to choose.
    let lab = lessons.iter().all(|lesson| lesson.id() == lesson::LAB);
    let start = place.as_ref().and_then(|place| {
        let (id, step) = place.parts();
        Some((lessons.iter().position(|lesson| lesson.id() == id)?, step))
    });
    let start = start.or(lab.then_some((0, 0)));
    let variable = |name: &str| std::env::var(name).ok();
    let prefix = match variable("BOXWRIGHT_PREFIX").map(|text| (Prefix::parse(&text), text)) {
        None => Prefix::default(),
        Some((Some(prefix), _)) => prefix,
        Some((None, text)) => {
            let hint = lang.pick("write ^ and a letter that no shell needs: ^O", "写成 ^ 加一个 shell 不用的字母：^O");
            return complain(&format!("BOXWRIGHT_PREFIX={text}"), Some(hint), USAGE);
        }
    };
    let look = look(&cli.common, &cli.show);
    let (progress, kept) = progress::opened(cli.reset, lang);
    let record = match cli.record().map(record).transpose() {
        Ok(record) => record,
        Err(status) => return status,
    };
    let plain = cli.plain || matches!(cli.command, Some(Command::Fix { plain: true, .. })) || is_plain(false);
    let picked = match cli.command {
        Some(Command::Inspect { pid, .. }) => inspect::began(pid).map(|start| (pid, start)),
        _ => None,
    };
    let setup = Setup { anywhere: lab, picked, own: fills.own().cloned(), ..setup(&cli.common, exe, plain, lang) };
    let class = cli.stage.class.as_deref().map(|dir| class::place(dir, cli.stage.name.as_deref(), lang)).transpose();
    let class = match class {
        Ok(class) => class,
        Err(status) => return status,
    };
    let hall = matches!(cli.command, Some(Command::Present { .. })).then(|| present::listening(lang)).transpose();
    let hall = match hall {
        Ok(hall) => hall,
        Err(status) => return status,
    };
    let keys = cli.stage.keys;
    let auto = cli.stage.auto.map(Duration::from_secs);
    let script = Script { along: cli.stage.type_along, pace: cli.stage.pace || auto.is_some(), auto };
    let options = TuiOptions {
        setup,
        fills,
        look,
        script,
        lessons,
        start,
        list,
        prefix,
        keys,
        record,
        hall,
        class,
        progress,
        kept,
    };
    if plain { plain::run(options) } else { tui::run(options) }
}
