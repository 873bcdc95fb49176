//! Writing a file for the learner: in the directory that boxwright was started in or, where nothing can be written there, in
//! the state directory.

use crate::session::StateDir;
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// How many files of the same kind may lie in one place.
const MOST: usize = 1000;

/// Writes `NAME.json`, or `NAME-2.json` and so on where that exists: nothing is ever overwritten. Gives the path.
///
/// Errors: those of the last place that was tried.
pub fn export(name: &str, text: &str, kept: Option<&StateDir>) -> io::Result<PathBuf> {
    let here = std::env::current_dir().and_then(|here| write_new(&here, name, text));
    match (here, kept) {
        (Err(_), Some(kept)) => write_new(kept.path(), name, text),
        (done, _) => done,
    }
}

fn write_new(dir: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    for number in 1..=MOST {
        let path = match number {
            1 => dir.join(format!("{name}.json")),
            _ => dir.join(format!("{name}-{number}.json")),
        };
        // O_EXCL follows no link that somebody else put there.
        match File::create_new(&path) {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(write_new(dir.path(), "card", "1").unwrap(), dir.path().join("card.json"));
        assert_eq!(write_new(dir.path(), "card", "2").unwrap(), dir.path().join("card-2.json"));
        assert_eq!(std::fs::read_to_string(dir.path().join("card.json")).unwrap(), "1");
        let missing = write_new(&dir.path().join("none"), "card", "3").unwrap_err();
        assert!(missing.to_string().contains("none/card.json"), "{missing}");
    }
}
