//! Writing a file for the learner: in the directory that boxwright was started in or, where nothing can be written there, in
//! the state directory.

use crate::{dirs::person, kernel::owner::AsOwner, session::StateDir};
use nix::unistd::{Gid, Uid, geteuid};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// How many files of the same kind may lie in one place.
const MAX: usize = 1000;

/// Writes `NAME.json`, or `NAME-2.json` and so on where that exists: nothing is ever overwritten. Gives the path. Under
/// sudo the file belongs to the person at the keyboard.
///
/// Errors: those of the last place that was tried.
pub(super) fn export(name: &str, text: &str, kept: Option<&StateDir>) -> io::Result<PathBuf> {
    written(name, "json", text, kept)
}

/// The same for plain text: `NAME.txt`.
pub(super) fn text(name: &str, text: &str, kept: Option<&StateDir>) -> io::Result<PathBuf> {
    written(name, "txt", text, kept)
}

/// The same for a file whose name ends in `kind`.
pub(super) fn written(name: &str, kind: &str, text: &str, kept: Option<&StateDir>) -> io::Result<PathBuf> {
    let person = person(|name| std::env::var_os(name).map(PathBuf::from), geteuid());
    let here = std::env::current_dir().and_then(|here| write_here(&here, (name, kind), text, person));
    match (here, kept) {
        (Err(_), Some(kept)) => write_new(kept.path(), (name, kind), |file| kept.add(file, text.as_bytes())),
        (done, _) => done,
    }
}

/// Makes a file that was not there and that only its owner may read. Under sudo it belongs to the person at the keyboard.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let person = person(|name| std::env::var_os(name).map(PathBuf::from), geteuid());
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    as_person(dir, person, || File::options().write(true).create_new(true).mode(0o600).open(path))
}

/// Makes a directory that was not there, with these files in it and in directories below. Under sudo all belongs to the person at
/// the keyboard.
pub(crate) fn folder(dir: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    let person = person(|name| std::env::var_os(name).map(PathBuf::from), geteuid());
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    as_person(above, person, || {
        fs::create_dir(dir)?;
        for (name, text) in files {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            File::create_new(path)?.write_all(text.as_bytes())?;
        }
        Ok(())
    })
}

fn write_here(dir: &Path, name: (&str, &str), text: &str, person: Option<(Uid, Gid)>) -> io::Result<PathBuf> {
    // O_EXCL follows no link that is there already.
    let write = || write_new(dir, name, |file| File::create_new(dir.join(file))?.write_all(text.as_bytes()));
    as_person(dir, person, write)
}

/// As that person or, where only root may write, as root: never as root in another user's directory.
fn as_person<T>(dir: &Path, person: Option<(Uid, Gid)>, make: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let make = |owner| {
        let _owner = AsOwner::new(owner);
        make()
    };
    let own = || std::fs::metadata(dir).is_ok_and(|metadata| metadata.uid() == geteuid().as_raw());
    match make(person) {
        Err(_) if person.is_some() && own() => make(None),
        made => made,
    }
}

fn write_new(dir: &Path, (name, kind): (&str, &str), write: impl Fn(&str) -> io::Result<()>) -> io::Result<PathBuf> {
    for number in 1..=MAX {
        let file = if number == 1 { format!("{name}.{kind}") } else { format!("{name}-{number}.{kind}") };
        let path = dir.join(&file);
        match write(&file) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recording");
        let mode = create(&path).unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("link")).unwrap();
        assert!(create(&dir.path().join("link")).is_err(), "no link is followed");
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text| write_here(dir.path(), ("card", "json"), text, None);
        assert_eq!(write("1").unwrap(), dir.path().join("card.json"));
        assert_eq!(write("2").unwrap(), dir.path().join("card-2.json"));
        assert_eq!(std::fs::read_to_string(dir.path().join("card.json")).unwrap(), "1");
        let missing = write_here(&dir.path().join("none"), ("card", "json"), "3", None).unwrap_err();
        assert!(missing.to_string().contains("none/card.json"), "{missing}");
        let kept = StateDir::at(&dir.path().join("kept")).unwrap();
        let keep = || write_new(kept.path(), ("card", "json"), |file| kept.add(file, b"4"));
        assert_eq!(
            (keep().unwrap(), keep().unwrap()),
            (kept.path().join("card.json"), kept.path().join("card-2.json"))
        );
    }

    #[test]
    #[ignore = "needs root, to act as another user: cargo test --lib -- --ignored"]
    fn what_root_writes_for_a_user_belongs_to_the_user() {
        let person = Some((Uid::from_raw(65534), Gid::from_raw(65534)));
        let (theirs, roots) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        chown(theirs.path(), Some(65534), Some(65534)).unwrap();
        let owner = |dir: &Path| {
            write_here(dir, ("card", "json"), "x", person).map(|path| std::fs::metadata(path).unwrap().uid())
        };
        assert_eq!(owner(theirs.path()).unwrap(), 65534);
        assert_eq!(owner(roots.path()).unwrap(), 0, "where only root can");
        std::fs::set_permissions(theirs.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
        assert!(owner(theirs.path()).is_err(), "never as root in another user's directory");
    }
}
