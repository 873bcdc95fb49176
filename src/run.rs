//! Carries out the command line: everything but the tools and the hidden roles, which never get here.

use crate::{
    app::{Look, Prefix, State, ThemeName},
    clean,
    cli::{self, Cli, Command, Common, Lessons, complain},
    dirs::Need,
    doctor, glossary, headless,
    image::{Reference, size},
    inspect,
    kernel::{errno, program, text},
    lang::{self, Lang},
    lesson::{self, Ability, LoadError, Requirement, Translations},
    recording::{Header, Recorder},
    runtime::{Setup, TuiOptions, export, plain, scope, signals, tui},
    session::{Progress, StateDir, progress_report as report, why_not_kept},
    tools::TOOLS,
    trace,
};
use clap::error::ErrorKind;
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const CANNOT: u8 = 3;

/// Reads the command line (`args` begins with the program's name) and does what it says.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let lang = cli::asked(&args).unwrap_or_else(lang::spoken);
    lang::speak(lang);
    let cli = match cli::read(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if asks_the_machine(cli.command.as_ref())
        && let Some(bar) = doctor::silent_mount(lang)
    {
        return complain(&bar.what, Some(&bar.remedy), CANNOT);
    }
    match &cli.command {
        None => screen(&cli, lang),
        Some(Command::Run { places, json, patience, record }) => {
            let record = record.as_deref().or(cli.record.as_deref());
            run_lessons(places, *json, *patience, record, &cli.common, lang)
        }
        Some(Command::Trace { json, output, only, count, time, step, guard, process, command }) => {
            let form = trace::cli::Form { json: *json, only: only.clone(), count: *count, time: *time };
            let how = trace::cli::How { form, to: output.clone(), step: *step, guard: *guard, process: *process };
            trace::cli::run(how, command, lang)
        }
        Some(Command::Untraced { command }) => trace::aside::untraced(command, lang),
        Some(Command::Inspect { pid, json, watch }) => inspect::run(*pid, *json, *watch, lang),
        Some(Command::Doctor { fix: true, .. }) => doctor::fix(lang),
        Some(Command::Doctor { json, .. }) => {
            scope::enter();
            load(&cli.common, lang)
                .map_or_else(|status| status, |lessons| doctor::run(&lessons, *json, need(&cli.common), lang))
        }
        Some(Command::Clean { dry_run }) => clean::run(*dry_run, lang),
        Some(Command::Progress { json, markdown }) => show_progress(*json, *markdown, &cli.common, lang),
        Some(Command::Lessons(command)) => lessons(command, &cli.common, lang),
        Some(Command::Tools) => printed(list_tools()),
        Some(Command::Glossary { word }) => glossary(word.as_deref(), lang),
    }
}

/// Whether a command looks at the machine from its very beginning on, and so must not wait for a mount that does not answer.
/// What runs under the tracer waits by itself.
fn asks_the_machine(command: Option<&Command>) -> bool {
    !matches!(
        command,
        Some(Command::Trace { .. } | Command::Untraced { .. } | Command::Tools | Command::Glossary { .. })
    )
}

/// clap's own message, with the exit status of this program.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = cli::print(error).is_ok();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if shown => ExitCode::SUCCESS,
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::from(FAILED),
        _ => ExitCode::from(USAGE),
    }
}

fn printed(result: io::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| output_failed(&error))
}

fn output_failed(error: &io::Error) -> ExitCode {
    complain(&format!("{}{}", lang::say("standard output: ", "标准输出："), errno::why_io(error)), None, FAILED)
}

/// What the directory of a session with this image must offer.
fn need(common: &Common) -> Need {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    let builtin = size::unpacked(&Reference::Builtin, &names);
    Need::of_images(size::unpacked(&common.image, &names), builtin)
}

fn list_tools() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    TOOLS.iter().try_for_each(|tool| writeln!(out, "{:<11} {}", tool.name, tool.about()))?;
    Ok(ExitCode::SUCCESS)
}

fn glossary(word: Option<&str>, lang: Lang) -> ExitCode {
    match glossary::lines(word, lang) {
        Ok(lines) => {
            let mut out = io::stdout().lock();
            printed(lines.iter().try_for_each(|line| writeln!(out, "{line}")).map(|()| ExitCode::SUCCESS))
        }
        Err(why) => complain(&why, Some(&format!("{} glossary", program::path())), FAILED),
    }
}

/// What was reached so far; nothing is changed, no directory made.
fn show_progress(json: bool, markdown: bool, common: &Common, lang: Lang) -> ExitCode {
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let progress = match Progress::look() {
        Ok(progress) => progress,
        Err((path, error)) => {
            let what = format!("{}{}{}", path.display(), lang.pick(": ", "："), why_not_kept(&error, lang));
            return complain(&what, None, FAILED);
        }
    };
    let of = |all: &Translations| all.get(lang.code()).or_else(|| all.values().next()).map(|it| progress.of(it));
    let reached: Vec<_> = lessons.iter().filter_map(of).collect();
    let lines = match (json, markdown) {
        (true, _) => vec![text::json(&report::value(&reached, progress.last())).unwrap_or_default()],
        (false, true) => report::markdown(&reached, lang),
        (false, false) => report::text(&reached, lang),
    };
    let mut out = io::stdout().lock();
    printed(lines.iter().try_for_each(|line| writeln!(out, "{}", text::safe(line))).map(|()| ExitCode::SUCCESS))
}

/// The lessons that there are; where they cannot be loaded, that has been said.
fn load(common: &Common, lang: Lang) -> Result<Vec<Translations>, ExitCode> {
    lesson::load_with(common.lessons.as_deref(), &common.image()).map_err(|error| match error {
        LoadError::Problems(_) => {
            let program = program::path();
            let hint = lang.pick(
                format!("{program} lessons check DIR shows all of them"),
                format!("{program} lessons check 目录 会列出全部"),
            );
            complain(&format!("--lessons{}{error}", lang.pick(": ", "：")), Some(&hint), USAGE)
        }
        error => complain(&format!("--lessons{}{error}", lang.pick(": ", "：")), None, USAGE),
    })
}

fn lessons(command: &Lessons, common: &Common, lang: Lang) -> ExitCode {
    let mut out = io::stdout().lock();
    let result = match command {
        Lessons::Check { dir, stats } => {
            let dir = dir.as_deref().or(common.lessons.as_deref());
            if *stats { lesson::cli::stats(dir, lang, &mut out) } else { lesson::cli::check(dir, lang, &mut out) }
        }
        Lessons::New { id, dir } => lesson::cli::new(dir, id, lang, &mut out),
        Lessons::List | Lessons::Export { .. } => match load(common, lang) {
            Err(status) => return status,
            Ok(lessons) => match command {
                Lessons::Export { id } => lesson::cli::export(&lessons, id, lang, &mut out),
                _ => lesson::cli::list(&lessons, lang, &mut out).map(|()| ExitCode::SUCCESS),
            },
        },
    };
    let flushed = result.and_then(|status| out.flush().map(|()| status));
    drop(out);
    printed(flushed)
}

/// This program, for the links to our tools and for the hidden roles.
fn own_program(lang: Lang) -> Result<PathBuf, ExitCode> {
    std::env::current_exe().map_err(|error| {
        let hint = lang.pick("is /proc mounted?", "/proc 挂载了吗？");
        complain(&format!("/proc/self/exe: {}", errno::why_io(&error)), Some(hint), CANNOT)
    })
}

fn run_lessons(
    names: &[String],
    json: bool,
    patience: u32,
    record: Option<&Path>,
    common: &Common,
    lang: Lang,
) -> ExitCode {
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let all: Vec<String> = lessons.iter().map(|lesson| lesson::id(lesson).to_string()).collect();
    let wanted = if names.is_empty() { &all } else { names };
    let mut places = Vec::new();
    for name in wanted {
        match headless::place(name, &lessons, lang) {
            Ok(place) => places.push(place),
            Err(why) => return complain(&why, Some(&format!("{} lessons list", program::path())), USAGE),
        }
    }
    if let Some(place) = places.iter().find(|place| place.foreign())
        && !lesson::trusted(common.yes)
    {
        let what = lang
            .pick("its commands come from --lessons, not from boxwright", "其中的命令来自 --lessons，而不是 boxwright");
        let hint = lang.pick("read them; then add --yes", "请先读一遍，然后加上 --yes");
        return complain(&format!("{}: {what}", place.parts().0), Some(hint), USAGE);
    }
    let exe = match prepare(common, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    let need = need(common);
    // Nothing of what was asked for can be done as it should: that is said before anything is done, together with what helps.
    // Where something can be, the steps that cannot are skipped by name.
    if places.iter().all(|place| place.needs(&Requirement::SessionDir(Ability::Exec)))
        && let Some((why, remedy)) = doctor::no_program_starts(need, lang)
    {
        let what = lang.pick("no program can be started in a session's directory: ", "会话目录里无法启动程序：");
        return complain(&format!("{what}{why}"), Some(&remedy), CANNOT);
    }
    let lacking = doctor::lacking_for(need, &doctor::requirements(&lessons));
    let lacking = lacking.into_iter().find(|(known, _)| *known == lang).map(|(_, lacking)| lacking).unwrap_or_default();
    let setup = setup(common, exe, true, lang);
    let recorder = match record.map(|path| recorder(path, wanted, lessons, &setup)).transpose() {
        Ok(recorder) => recorder,
        Err(status) => return status,
    };
    match headless::run(&places, &lacking, headless::How { json, patience, setup, recorder }) {
        Ok(headless::Ended::Done { failed, .. }) if failed > 0 => ExitCode::from(FAILED),
        Ok(headless::Ended::Done { passed: 0, .. }) => ExitCode::from(CANNOT),
        Ok(headless::Ended::Done { .. }) => ExitCode::SUCCESS,
        Ok(headless::Ended::Signal(signal)) => ExitCode::from(128u8.saturating_add(signal as u8)),
        Err(headless::Failure::Machine(trouble)) => {
            complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT)
        }
        Err(headless::Failure::Output(error)) => output_failed(&error),
    }
}

/// What a session is played with; `unseen` where nobody sees its terminals.
fn setup(common: &Common, exe: PathBuf, unseen: bool, lang: Lang) -> Setup {
    let (need, image, guarded) = (need(common), common.image.to_string(), !common.unguarded);
    Setup { exe, need, image, guarded, unseen, lang }
}

/// Opens the file of a recording, which must not be there yet.
fn record(path: &Path) -> Result<(File, PathBuf), ExitCode> {
    let opened = export::create(path).map(|file| (file, path.to_path_buf()));
    opened.map_err(|error| not_recorded(path, &error))
}

fn not_recorded(path: &Path, error: &io::Error) -> ExitCode {
    let exists = error.kind() == io::ErrorKind::AlreadyExists;
    let hint = lang::say("nothing is overwritten: name another file", "不会覆盖已有文件：请换一个文件名");
    let what = format!("--record{}{}", lang::say(": ", "："), path.display());
    complain(&format!("{what}: {}", errno::why_io(error)), exists.then_some(hint), FAILED)
}

/// Begins to record a run of these places.
fn recorder(path: &Path, places: &[String], lessons: Vec<Translations>, setup: &Setup) -> Result<Recorder, ExitCode> {
    let (file, path) = record(path)?;
    let state = State::new(setup.lang, Look::default(), tui::facts(&setup.exe), lessons, Prefix::default());
    let header = Header::of(&state, &setup.image, places.to_vec());
    Recorder::start(file, &path, &header).map_err(|error| not_recorded(&path, &error))
}

/// What every session does before its first thread: signals are taken from a signalfd(2), and what dead sessions left is
/// removed.
fn prepare(common: &Common, lang: Lang) -> Result<PathBuf, ExitCode> {
    if let Some(bar) = doctor::bar(need(common), lang) {
        return Err(complain(&bar.what, Some(&bar.remedy), CANNOT));
    }
    let exe = own_program(lang)?;
    scope::enter();
    if let Err(error) = signals::take(lang) {
        return Err(complain(&format!("signalfd: {}", errno::why_io(&error)), None, CANNOT));
    }
    for line in clean::at_start(lang) {
        let _ = writeln!(io::stderr(), "{}", text::safe(&line));
    }
    Ok(exe)
}

fn screen(cli: &Cli, lang: Lang) -> ExitCode {
    let lessons = match load(&cli.common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let place = match cli.place.as_deref().map(|name| headless::place(name, &lessons, lang)).transpose() {
        Ok(place) => place,
        Err(why) => return complain(&why, Some(&format!("{} lessons list", program::path())), USAGE),
    };
    let exe = match prepare(&cli.common, lang) {
        Ok(exe) => exe,
        Err(status) => return status,
    };
    open(cli, lang, exe, lessons, place)
}

/// How far the learner has come, and where that is kept. Lessons can be taken without.
fn progress(reset: bool, lang: Lang) -> (Progress, Option<StateDir>) {
    let opened = StateDir::open().map_err(|unsaved| unsaved.to_string()).and_then(|kept| {
        let loaded = if reset { Progress::reset(&kept).map(|empty| (empty, None)) } else { Progress::load(&kept) };
        let place = kept.path().display().to_string();
        loaded.map(|loaded| (loaded, kept)).map_err(|error| format!("{place}: {}", why_not_kept(&error, lang)))
    });
    let colon = lang.pick(": ", "：");
    match opened {
        Ok(((progress, aside), kept)) => {
            if let Some(aside) = aside {
                let what = lang.pick("progress could not be read and was put aside", "进度无法读取，已另存");
                complain(&format!("{what}{colon}{aside}"), None, 0);
            }
            (progress, Some(kept))
        }
        Err(why) => {
            let what = lang.pick("progress is not kept", "进度无法保存");
            complain(&format!("{what}{colon}{why}"), None, 0);
            (Progress::default(), None)
        }
    }
}

fn open(
    cli: &Cli,
    lang: Lang,
    exe: PathBuf,
    mut lessons: Vec<Translations>,
    place: Option<headless::Place>,
) -> ExitCode {
    if lesson::trusted(cli.common.yes) {
        lessons.iter_mut().flat_map(|lesson| lesson.values_mut()).for_each(|lesson| lesson.foreign = false);
    }
    let start = place.as_ref().and_then(|place| {
        let (id, step) = place.parts();
        Some((lessons.iter().position(|lesson| lesson::id(lesson) == id)?, step))
    });
    let variable = |name: &str| std::env::var(name).ok();
    let prefix = match variable("BOXWRIGHT_PREFIX").map(|text| (Prefix::parse(&text), text)) {
        None => Prefix::default(),
        Some((Some(prefix), _)) => prefix,
        Some((None, text)) => {
            let hint = lang.pick("write ^ and a letter that no shell needs: ^O", "写成 ^ 加一个 shell 不用的字母：^O");
            return complain(&format!("BOXWRIGHT_PREFIX={text}"), Some(hint), USAGE);
        }
    };
    let look = Look {
        theme: cli.common.theme.unwrap_or(if cli.large_print { ThemeName::Contrast } else { ThemeName::Default }),
        colourless: cli.common.colourless(),
        ascii: cli.ascii || tui::ascii_only(variable),
        large_print: cli.large_print,
    };
    let (progress, kept) = progress(cli.reset, lang);
    let record = match cli.record.as_deref().map(record).transpose() {
        Ok(record) => record,
        Err(status) => return status,
    };
    let plain = cli.plain || is_accessible(variable("ACCESSIBLE").as_deref());
    let setup = setup(&cli.common, exe, plain, lang);
    let options = TuiOptions { setup, look, lessons, start, prefix, record, progress, kept };
    if plain { plain::run(options) } else { tui::run(options) }
}

/// Whether the user asks every program for plain text: `ACCESSIBLE` set to anything but 0, as some programs have it.
fn is_accessible(value: Option<&str>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}
