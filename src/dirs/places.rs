//! The directories that a session's own one, and the built-in image, can be in; and what the kernel says of each.

use super::{
    Extent, Facts, Lack, Need, Place, Walk, choose, home_of,
    starts::starts,
    walk::{is_roots, keeps_names, nobody},
};
use crate::kernel::filesystem::FileSystem;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    sys::stat::{Mode, fstat},
    unistd::{AccessFlags, Gid, Uid, UnlinkatFlags, faccessat, getegid, geteuid, unlinkat},
};
use std::{
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
};

/// The name of our own directory below one that others use as well.
const OURS: &str = "boxwright";

/// A directory to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// One of our own, which is made where it is missing and removed where it is empty.
    Own(Walk),
    /// One that is there and that all users use, such as `/tmp`.
    Shared(PathBuf),
    /// One that is there and that must be this user's alone.
    Private(PathBuf),
}

impl Candidate {
    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Candidate::Own(walk) => walk.path(),
            Candidate::Shared(path) | Candidate::Private(path) => path.clone(),
        }
    }

    /// Makes it, where it is ours to make.
    ///
    /// Errors: those of [`Walk::make`].
    pub(crate) fn make(&self) -> nix::Result<()> {
        match self {
            Candidate::Own(walk) => walk.make().map(drop),
            Candidate::Shared(_) | Candidate::Private(_) => Ok(()),
        }
    }

    /// Whether only we can change what we make there.
    pub(crate) fn is_safe(&self) -> bool {
        self.open().is_ok()
    }

    /// What is known of it. Nothing is made to find out.
    fn facts(&self) -> Facts {
        let looked = self.open().and_then(|dir| {
            let access = AccessFlags::W_OK | AccessFlags::X_OK;
            faccessat(&dir, ".", access, AtFlags::AT_EACCESS).map_err(Lack::Denied)?;
            Ok((FileSystem::of_file(dir.as_fd()).map_err(Lack::Denied)?, dir))
        });
        let starts = looked.as_ref().map_or(Ok(()), |(system, dir)| if system.noexec { Ok(()) } else { starts(dir) });
        Facts { path: self.path(), system: looked.map(|(system, _)| system), starts }
    }

    fn open(&self) -> Result<OwnedFd, Lack> {
        let (path, private) = match self {
            Candidate::Own(walk) => {
                return walk
                    .reach()
                    .map_err(|errno| if errno == Errno::EPERM { Lack::Foreign } else { Lack::Denied(errno) });
            }
            Candidate::Shared(path) => (path, false),
            Candidate::Private(path) => (path, true),
        };
        if geteuid().is_root() && path.exists() && !is_roots(path) {
            return Err(Lack::Foreign);
        }
        let dir = openat(AT_FDCWD, path, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(Lack::Denied)?;
        let stat = fstat(&dir).map_err(Lack::Denied)?;
        let me = geteuid().as_raw();
        let safe = match private {
            true => stat.st_uid == me && stat.st_mode & 0o022 == 0,
            // The owner of a directory can rename everything in it.
            false => [0, me, nobody()].contains(&stat.st_uid) && keeps_names(&stat) && (stat.st_mode & 0o1020 != 0o020),
        };
        if safe { Ok(dir) } else { Err(Lack::Foreign) }
    }
}

/// What the environment and the user database say, for this process.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where a session's directory can be made, in the order of preference.
///
/// For root: where services keep their data, what temporary files survive in, and what the memory holds. `$XDG_RUNTIME_DIR`
/// comes last, because a login manager mounts it `nodev`; it is for machines where nothing else will do. For users it comes
/// first, as its specification wants it, then the cache directory below their home.
pub fn candidates() -> Vec<Candidate> {
    order(variable, geteuid(), home_of, is_foreign)
}

fn order(
    get: impl Fn(&str) -> Option<PathBuf>,
    user: Uid,
    home_of: impl Fn(Uid) -> Option<PathBuf>,
    foreign: impl Fn(&Path) -> bool,
) -> Vec<Candidate> {
    let shared = |path: &str| Candidate::Shared(path.into());
    let session = get("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()).map(Candidate::Private);
    let mut all: Vec<Candidate> = if user.is_root() {
        let own = Walk { base: "/var/lib".into(), below: OURS.into(), owner: Some((user, Gid::from_raw(0))) };
        let fixed = [Candidate::Own(own), shared("/var/tmp"), shared("/run"), shared("/tmp")];
        fixed.into_iter().chain(session).collect()
    } else {
        let caches = caches_of(get, user, home_of, foreign).into_iter().map(Candidate::Own);
        session.into_iter().chain(caches).chain([shared("/var/tmp"), shared("/tmp")]).collect()
    };
    let mut seen = Vec::new();
    all.retain(|candidate| matches!(candidate, Candidate::Own(_)) || first(&mut seen, &candidate.path()));
    all
}

/// Our directories below the effective user's cache directories, the best first (XDG base directory specification). Every
/// part of them must be that user's own: root, under sudo, makes nothing in another user's home, whatever the
/// environment says that was kept.
pub fn caches() -> Vec<Walk> {
    caches_of(variable, geteuid(), home_of, is_foreign)
}

/// Whether a directory is there, and another user's.
fn is_foreign(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.uid() != geteuid().as_raw())
}

fn caches_of(
    get: impl Fn(&str) -> Option<PathBuf>,
    user: Uid,
    home_of: impl Fn(Uid) -> Option<PathBuf>,
    foreign: impl Fn(&Path) -> bool,
) -> Vec<Walk> {
    let usable = |path: &PathBuf| path.is_absolute() && path != Path::new("/") && !foreign(path);
    let owner = Some((user, getegid()));
    let walk = |base: PathBuf, below: PathBuf| Walk { base, below, owner };
    let mut all = Vec::new();
    if let Some(cache) = get("XDG_CACHE_HOME").filter(usable) {
        all.push(walk(cache.clone(), OURS.into()));
        // The specification wants it to be made where it is missing; its parent is then where the walk begins.
        let made = cache.parent().zip(cache.file_name());
        all.extend(made.map(|(parent, name)| walk(parent.into(), Path::new(name).join(OURS))));
    }
    let home = get("HOME").filter(usable).or_else(|| home_of(user).filter(usable));
    all.extend(home.map(|home| walk(home, Path::new(".cache").join(OURS))));
    all
}

/// Looks at every candidate, and puts the best first.
pub fn survey(need: Need) -> Vec<(Candidate, Place)> {
    looked_at(need, Extent::All)
}

/// The best, before those that are worse, as far as they were looked at: to look at one is to start a program there.
pub(crate) fn best(need: Need) -> Vec<(Candidate, Place)> {
    looked_at(need, Extent::Enough)
}

fn looked_at(need: Need, extent: Extent) -> Vec<(Candidate, Place)> {
    let facts = candidates().into_iter().map(|candidate| {
        let facts = candidate.facts();
        (candidate, facts)
    });
    let mut places = choose(facts, need, extent);
    // One directory may be reached in two ways, of which the better one stands first.
    let mut seen = Vec::new();
    places.retain(|(_, place)| first(&mut seen, &place.path));
    places
}

/// Whether this path was not there yet.
fn first(seen: &mut Vec<PathBuf>, path: &Path) -> bool {
    let new = !seen.iter().any(|known| known == path);
    seen.push(path.into());
    new
}

/// Every directory that a session of this user may have kept something in, however it was started: with another
/// environment, or when another file system had more room.
pub fn everywhere() -> Vec<PathBuf> {
    let session = PathBuf::from(format!("/run/user/{}", geteuid()));
    let mut all: Vec<PathBuf> = candidates().iter().map(Candidate::path).chain([session, "/run".into()]).collect();
    let mut seen = Vec::new();
    all.retain(|path| first(&mut seen, path));
    all
}

/// Removes our own directories that nothing is left in. Whatever is in one keeps it.
pub fn tidy() {
    for candidate in candidates() {
        let Candidate::Own(walk) = candidate else { continue };
        let (above, name) = (walk.below.parent().map(PathBuf::from), walk.below.file_name());
        let above = above.map(|below| Walk { below, ..walk.clone() }.open());
        if let (Some(Ok(dir)), Some(name)) = (above, name) {
            let _ = unlinkat(&dir, name, UnlinkatFlags::RemoveDir);
        }
    }
}

/// Does so when it is dropped. Whatever is made in such a directory must be gone before.
#[derive(Debug)]
pub struct Tidy;

impl Drop for Tidy {
    fn drop(&mut self) {
        tidy();
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
