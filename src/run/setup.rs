//! What a session is played with, by the options of the command line, and what is done before it begins.

use super::{CANNOT, load_with};
use crate::{
    clean,
    cli::{Cli, Common, complain},
    dirs::Need,
    doctor::{self, Bar},
    image::{Reference, size},
    kernel::{errno, text},
    lang::Lang,
    lesson::{self, Translations},
    runtime::{Setup, scope, signals},
    tools::TOOLS,
};
use std::{
    io::{self, Write},
    panic::resume_unwind,
    path::PathBuf,
    process::ExitCode,
    sync::OnceLock,
    thread,
};

/// What the directory of a session with this image must offer.
pub(super) fn need(common: &Common) -> Need {
    match &common.image {
        Reference::Builtin => Need::measured(|| Need::room_of(builtin(), builtin())),
        image => Need::of_images(size::unpacked(image, &[]), builtin()),
    }
}

/// The size of the built-in image, measured once.
fn builtin() -> u64 {
    static BYTES: OnceLock<u64> = OnceLock::new();
    let names = || TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>();
    *BYTES.get_or_init(|| size::unpacked(&Reference::Builtin, &names()))
}

/// What a session is played with; `unseen` where its terminals are not shown.
pub(super) fn setup(common: &Common, exe: PathBuf, unseen: bool, lang: Lang) -> Setup {
    let (need, image, guarded) = (need(common), common.image.to_string(), !common.unguarded);
    let options = common.again();
    Setup { exe, need, image, guarded, anywhere: false, picked: None, unseen, lang, options, own: None }
}

/// This program, for the links to our tools and for the hidden roles.
pub(super) fn own_program(lang: Lang) -> Result<PathBuf, ExitCode> {
    std::env::current_exe().map_err(|error| {
        let hint = lang.pick("is /proc mounted?", "/proc 挂载了吗？");
        complain(&format!("/proc/self/exe: {}", errno::why_io(&error)), Some(hint), CANNOT)
    })
}

/// Loads the lessons and looks meanwhile for what lets none begin, which is mostly waiting for what it starts: the first frame
/// waits for both.
pub(super) fn load_and_look(
    cli: &Cli,
    seeds: &[u64],
    lang: Lang,
) -> (Result<Vec<Translations>, ExitCode>, Option<Bar>) {
    let look = || doctor::bar(need(&cli.common), lang);
    thread::scope(|scope| {
        let looking = thread::Builder::new().spawn_scoped(scope, look);
        let lessons = load_with(&cli.common, seeds, lang);
        // Of a place only its own lesson is shown; the others are read when they are.
        if let (Ok(lessons), None) = (&lessons, &cli.place) {
            lesson::read_ahead(lessons, lang);
        }
        // Where no thread can be made, that is what will be found.
        let bar =
            looking.map_or_else(|_| look(), |looking| looking.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (lessons, bar)
    })
}

/// What every session does before its first thread that stays.
pub(super) fn prepare(common: &Common, lang: Lang) -> Result<PathBuf, ExitCode> {
    prepare_unless(doctor::bar(need(common), lang), lang)
}

/// The same, where it was found already what lets no lesson begin: signals are taken from a signalfd(2), and what dead sessions
/// left is removed.
pub(super) fn prepare_unless(bar: Option<Bar>, lang: Lang) -> Result<PathBuf, ExitCode> {
    if let Some(bar) = bar {
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
