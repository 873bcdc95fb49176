//! The socket between hall and speaker: in a directory that only its user can enter, and for that user alone.

use nix::{
    errno::Errno,
    sys::socket::{getsockopt, sockopt::PeerCredentials},
    unistd::{Uid, geteuid},
};
use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// The socket's name.
pub(crate) const NAME: &str = "boxwright-hall";

/// The user's own directory for it, made where it is missing: the one of the login (pam_systemd(8)), else one in /tmp.
///
/// Errors: that it is another user's, or open to others.
pub(crate) fn directory() -> io::Result<PathBuf> {
    let user = geteuid();
    let login = PathBuf::from(format!("/run/user/{user}"));
    if is_private(&login, user).is_ok() {
        return Ok(login);
    }
    own(Path::new("/tmp"), user)
}

fn own(base: &Path, user: Uid) -> io::Result<PathBuf> {
    let path = base.join(format!("boxwright-stage-{user}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => is_private(&path, user)?,
    }
    Ok(path)
}

fn is_private(path: &Path, user: Uid) -> io::Result<()> {
    // Not through a link: that it leads to a directory of ours today says nothing of tomorrow.
    let found = fs::symlink_metadata(path)?;
    let private = found.is_dir() && found.uid() == user.as_raw() && found.mode() & 0o077 == 0;
    if private { Ok(()) } else { Err(io::Error::from(Errno::EPERM)) }
}

/// Takes away the directory where it was made for this alone and is not in use.
pub(crate) fn tidy(directory: &Path) {
    if directory.starts_with("/tmp") {
        let _ = fs::remove_dir(directory);
    }
}

/// Listens there. What a hall has left that was killed is replaced.
///
/// Errors: EADDRINUSE where another hall is open.
pub(crate) fn listen(directory: &Path) -> io::Result<UnixListener> {
    let (path, new) = (directory.join(NAME), directory.join(format!("{NAME}.{}", std::process::id())));
    if UnixStream::connect(&path).is_ok() {
        return Err(Errno::EADDRINUSE.into());
    }
    let _ = fs::remove_file(&new);
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, Permissions::from_mode(0o600))?;
    // A view that waits for the name finds a socket that listens.
    fs::rename(&new, &path)?;
    Ok(listener)
}

/// Whether the other end is a process of this user.
pub(crate) fn is_ours(stream: &UnixStream) -> bool {
    getsockopt(stream, PeerCredentials).is_ok_and(|peer| peer.uid() == geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_directory_is_the_users_alone() {
        let base = tempfile::tempdir().unwrap();
        let path = own(base.path(), geteuid()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(own(base.path(), geteuid()).unwrap(), path, "it may be there already");
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        assert!(own(base.path(), geteuid()).is_err(), "others can enter it");
        fs::remove_dir(&path).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o700)).unwrap();
        symlink(elsewhere.path(), &path).unwrap();
        assert!(own(base.path(), geteuid()).is_err(), "it is a link");
        assert!(is_private(elsewhere.path(), Uid::from_raw(geteuid().as_raw() + 1)).is_err(), "another user's");
    }

    #[test]
    fn one_hall_at_a_time_and_a_killed_one_makes_room() {
        let base = tempfile::tempdir().unwrap();
        let first = listen(base.path()).unwrap();
        let path = base.path().join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(listen(base.path()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(is_ours(&UnixStream::connect(&path).unwrap()));
        drop(first);
        listen(base.path()).unwrap();
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
