//! A recording for other players.

use super::source;
use crate::{
    app::Look,
    cli::complain,
    kernel::errno,
    lang::Lang,
    recording::{Drawn, Recording, Unreadable, cast},
    terminal::Size,
};
use std::{
    io::{self, BufWriter},
    path::Path,
    process::ExitCode,
};

/// Columns and rows of what is exported: most terminals have them, and a call and what it changes stand side by side.
const SIZE: Size = Size::new(100, 30);

/// Writes a recording as an asciicast to standard output: with shorter silences, and slowly enough to be read, where that is
/// wanted. Status 0; 1 where it cannot be read as a whole.
pub(crate) fn to_cast(
    path: &Path,
    lessons: Option<&Path>,
    look: Look,
    (brief, slow): (bool, bool),
    lang: Lang,
) -> ExitCode {
    let colon = lang.pick(": ", "：");
    let failed = |why: &str| complain(&format!("{}{colon}{why}", path.display()), None, 1);
    let mut recording = match source::open(path).map_err(Unreadable::from).and_then(Recording::open) {
        Ok(recording) => recording,
        Err(error) => return failed(&error.say(lang)),
    };
    let lessons = match recording.lessons(lessons) {
        Ok(lessons) => lessons,
        Err(error) => return complain(&format!("--lessons{colon}{error}"), None, 2),
    };
    crossterm::style::force_color_output(true);
    let header = recording.header().clone();
    let mut damaged = None;
    let events = recording.by_ref().map_while(|event| event.map_err(|error| damaged = Some(error)).ok());
    let how = Drawn { lang, look, size: SIZE, brief, slow };
    let written = cast(&header, &lessons, events, how, &mut BufWriter::new(io::stdout().lock()));
    match (written, damaged) {
        (Ok(Ok(())), None) => ExitCode::SUCCESS,
        (Ok(Ok(())), Some(error)) | (Ok(Err(error)), _) => failed(&error.say(lang)),
        (Err(error), _) => {
            complain(&format!("{}{}", lang.pick("standard output: ", "标准输出："), errno::why_io(&error)), None, 1)
        }
    }
}
