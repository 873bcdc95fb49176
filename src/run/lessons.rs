//! `boxwright run`: lessons without a screen.

use super::{
    CANNOT, FAILED, USAGE, load, load_with, messages, need, not_recorded, prepare, proof, record, setup, watching,
};
use crate::{
    app::{Look, Prefix, State},
    cli::{Common, complain, format::Format, tell},
    doctor, headless,
    kernel::{errno, program},
    lang::Lang,
    lesson::{self, Ability, Fills, Requirement, Translations, mutants},
    recording::{Header, Recorder},
    runtime::{Setup, export, tui},
};
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// How they are run.
pub(super) struct How {
    /// Events instead of a transcript.
    pub json: bool,
    /// A skipped step is a failure.
    pub strict: bool,
    /// How many times as long as usual is waited.
    pub patience: u32,
}

/// Runs these places, or every lesson where none is named.
pub(super) fn run(names: &[String], how: How, record: Option<&Path>, common: &Common, lang: Lang) -> ExitCode {
    let seeds: Vec<u64> = names.iter().filter_map(|name| mutants::named(name)).collect();
    let lessons = match load_with(common, &seeds, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let all: Vec<String> = lessons.iter().map(|lesson| lesson.id().to_string()).collect();
    let wanted = if names.is_empty() { &all } else { names };
    let mut places = Vec::new();
    for name in wanted {
        match headless::place(name, &lessons, lang) {
            Ok(place) => places.push(place),
            Err(wrong) => return messages::no_place(name, &wrong, false, lang),
        }
    }
    if let Some(status) = places.iter().find_map(|place| not_agreed(place, common, lang)) {
        return status;
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
    let is_run = |lesson: &&Translations| places.iter().any(|place| place.parts().0 == lesson.id());
    let lacking = lacking(&lessons.iter().filter(is_run).cloned().collect::<Vec<_>>(), common);
    let setup = setup(common, exe, true, lang);
    let recorder = match record.map(|path| recorder(path, wanted, lessons, &setup, &common.image())).transpose() {
        Ok(recorder) => recorder,
        Err(status) => return status,
    };
    let How { json, strict, patience } = how;
    match headless::run(&places, &lacking, headless::How { json, patience, setup, recorder }) {
        Ok(headless::Ended::Done { failed, .. }) if failed > 0 => ExitCode::from(FAILED),
        Ok(headless::Ended::Done { passed: 0, .. }) => ExitCode::from(CANNOT),
        Ok(headless::Ended::Done { skipped, .. }) if strict && skipped > 0 => ExitCode::from(FAILED),
        Ok(headless::Ended::Done { .. }) => ExitCode::SUCCESS,
        Ok(headless::Ended::Signal(signal)) => ExitCode::from(128u8.saturating_add(signal as u8)),
        Err(headless::Failure::Machine(trouble)) => {
            complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT)
        }
        Err(headless::Failure::Output(error)) => messages::output_failed(&error),
    }
}

/// What is said where the commands of a lesson come from a directory and were not agreed to.
pub(super) fn not_agreed(place: &headless::Place, common: &Common, lang: Lang) -> Option<ExitCode> {
    if !place.foreign() || lesson::trusted(common.yes) {
        return None;
    }
    let what =
        lang.pick("its commands come from --lessons, not from boxwright", "其中的命令来自 --lessons，而不是 boxwright");
    let mut lines = place.consent(lang);
    lines.push(lang.pick("read them; then add --yes", "请先读一遍，然后加上 --yes").into());
    let colon = lang.pick(": ", "：");
    Some(complain(&format!("{}{colon}{what}", place.parts().0), Some(&lines.join("\n  ")), USAGE))
}

/// `lessons export NAME --to FORMAT`: the lesson is run, and what came of it is its hand-out.
pub(super) fn hand_out(name: &str, to: Format, speaker: bool, common: &Common, lang: Lang) -> ExitCode {
    if to == Format::Cast {
        return watching::export(common, name, lang);
    }
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let place = match headless::place(name, &lessons, lang) {
        Ok(place) => place,
        Err(wrong) => return messages::no_place(name, &wrong, false, lang),
    };
    if let Some(status) = not_agreed(&place, common, lang) {
        return status;
    }
    let lacking = lacking(&lessons, common);
    let (record, failed, passed) = match collected(&place, &lacking, common, lang) {
        Ok(came) => came,
        Err(status) => return status,
    };
    let status = status(failed, passed);
    let Some(lesson) = lessons.iter().find(|lesson| lesson.id() == place.parts().0) else { return status };
    let text = match to {
        Format::Html => headless::page(lesson, &record, speaker, lang),
        Format::Md => lesson.get(lang).map(|it| headless::document(it, &record, speaker)).unwrap_or_default(),
        // It shows the screen, and was made above.
        Format::Cast => String::new(),
    };
    messages::printed(io::stdout().lock().write_all(text.as_bytes()).map(|()| status))
}

/// What steps lack on this machine, by language.
fn lacking(lessons: &[Translations], common: &Common) -> headless::ByLanguage {
    let lacking = doctor::lacking_for(need(common), &doctor::requirements(lessons));
    lacking.into_iter().map(|(lang, lacking)| (lang.code(), lacking)).collect()
}

/// The status of a run of which so many steps failed and passed.
fn status(failed: usize, passed: usize) -> ExitCode {
    match (failed, passed) {
        (0, 0) => ExitCode::from(CANNOT),
        (0, _) => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}

/// Runs a lesson and gives what came of it, with how many steps failed and passed.
///
/// Errors: the status of a machine that cannot, which is said, or of a signal that asked us to end.
fn collected(
    place: &headless::Place,
    lacking: &headless::ByLanguage,
    common: &Common,
    lang: Lang,
) -> Result<(headless::Record, usize, usize), ExitCode> {
    let exe = prepare(common, lang)?;
    let (into, setup) = (headless::Collector::new(lang), setup(common, exe, true, lang));
    let how = headless::How { json: false, patience: 1, setup, recorder: None };
    match headless::collect(std::slice::from_ref(place), lacking, how, &into) {
        Ok(headless::Ended::Done { failed, passed, .. }) => Ok((into.record(), failed, passed)),
        Ok(headless::Ended::Signal(signal)) => Err(ExitCode::from(128u8.saturating_add(signal as u8))),
        Err(headless::Failure::Machine(trouble)) => {
            Err(complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT))
        }
        Err(headless::Failure::Output(error)) => Err(messages::output_failed(&error)),
    }
}

/// `lessons book DIR`: every lesson is run in every language, and what came of it is a page.
pub(super) fn book(dir: &Path, names: &[String], mdbook: bool, speaker: bool, common: &Common, lang: Lang) -> ExitCode {
    let exists =
        || lang.pick("it exists already: a book is written into a new directory", "已经存在：书要写进新的目录");
    let colon = lang.pick(": ", "：");
    // What takes minutes would be in vain.
    if dir.symlink_metadata().is_ok() {
        return complain(&format!("{}{colon}{}", dir.display(), exists()), None, USAGE);
    }
    let lessons = match load(common, lang) {
        Ok(lessons) => lessons,
        Err(status) => return status,
    };
    let all: Vec<String> = lessons.iter().map(|lesson| lesson.id().to_string()).collect();
    let mut chosen: Vec<&Translations> = Vec::new();
    for name in if names.is_empty() { &all } else { names } {
        let place = match headless::place(name, &lessons, lang) {
            Ok(place) => place,
            Err(wrong) => return messages::no_place(name, &wrong, false, lang),
        };
        if let Some(status) = not_agreed(&place, common, lang) {
            return status;
        }
        let id = place.parts().0;
        let new = chosen.iter().all(|lesson| lesson.id() != id);
        chosen.extend(lessons.iter().find(|lesson| new && lesson.id() == id));
    }
    let lacking = lacking(&lessons, common);
    let (mut chapters, mut failed, mut passed): (Vec<headless::Chapter<'_>>, _, _) = (Vec::new(), 0, 0);
    for lesson in chosen {
        let mut records = Vec::new();
        for spoken in Lang::ALL {
            let Ok(place) = headless::place(lesson.id(), &lessons, spoken) else { continue };
            match collected(&place, &lacking, common, spoken) {
                Ok((record, wrong, well)) => {
                    records.push(record);
                    (failed, passed) = (failed + wrong, passed + well);
                }
                Err(status) => return status,
            }
        }
        chapters.push((lesson, records));
    }
    let pages = if mdbook { headless::sources(&chapters, speaker) } else { headless::book(&chapters, speaker) };
    let files: Vec<(&str, &str)> = pages.iter().map(|page| (page.path.as_str(), page.text.as_str())).collect();
    match export::folder(dir, &files) {
        Ok(()) => {
            // Where to begin.
            let begin = |page: &&headless::Page| page.path == "index.html" || page.path.ends_with("book.toml");
            let mut lines = pages.iter().filter(begin).map(|page| dir.join(&page.path));
            let told = lines.try_for_each(|line| writeln!(io::stdout(), "{}", line.display()));
            messages::printed(told.map(|()| status(failed, passed)))
        }
        Err(error) => complain(&format!("{}{colon}{}", dir.display(), errno::why_io(&error)), None, FAILED),
    }
}

/// Begins to record a run of these places.
fn recorder(
    path: &Path,
    places: &[String],
    lessons: Vec<Translations>,
    setup: &Setup,
    image: &str,
) -> Result<Recorder, ExitCode> {
    let (file, path) = record(path)?;
    let fills = Fills::of_this_machine(image).with_those_of(&lessons);
    let mut state = State::new(setup.lang, Look::default(), tui::facts(&setup.exe), lessons, Prefix::default());
    state.auto = true;
    let header = Header::of(&state, &setup.image, fills, places.to_vec());
    Recorder::start(file, &path, &header).map_err(|error| not_recorded(&path, &error))
}

/// `lessons check --run`: the linter first, then every step on this machine. Naming the directory is consent to run what is in
/// it.
pub(super) fn prove(dir: Option<&Path>, common: &Common, lang: Lang) -> ExitCode {
    let mut out = io::stdout();
    match lesson::cli::check(dir, lang, &mut out) {
        Ok(status) if status == ExitCode::SUCCESS => {}
        other => return messages::printed(other),
    }
    let lessons = match lesson::load_all(dir, &common.image()) {
        Ok((lessons, _)) => lessons,
        Err(error) => return complain(&error.to_string(), None, USAGE),
    };
    let wanted = |lesson: &&Translations| dir.is_none() || lesson.pack().is_some();
    let lessons: Vec<Translations> = lessons.iter().filter(wanted).cloned().collect();
    let proved = lang.pick("not solved before, solved after, clean", "之前不成立，之后成立，不留痕迹");
    let proof = match proof::prove(&lessons, proved, common, lang, headless::prove) {
        Ok(proof) => proof,
        Err(status) => return status,
    };
    for line in &proof.left {
        let left_behind = lang.pick("left behind: ", "留下了：");
        tell(&format!("{left_behind}{}", line.trim_start_matches("boxwright: ")));
    }
    let dirty = !proof.left.is_empty();
    proof.status(dirty, Ok(()))
}
