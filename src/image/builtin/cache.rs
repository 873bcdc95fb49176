//! Where the built-in image is kept: in the effective user's own cache directory. Under sudo that is root's, and never the
//! one in the home of the person at the keyboard: what root would make there, its owner could not remove, and what its owner
//! makes there could be a link to anywhere.

use super::pack::Packed;
use crate::lang::say;
use crate::{
    cleanup::{Made, report},
    dirs::{self, Candidate, Walk},
    image::{Error, Result, layout::Target, manifest::OCI_MANIFEST},
    lang::Lang,
};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The tag of the image in its layout.
pub(super) const TAG: &str = "latest";

/// How long the image of another build is kept.
const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// A directory that may hold the image, in one that only we can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    parent: Walk,
    pub path: PathBuf,
}

impl Place {
    fn new(parent: Walk, name: &str) -> Place {
        Place { path: parent.path().join(name), parent }
    }

    /// Whether it is there and ours alone: the content of a stranger's directory is not an image of ours.
    pub(super) fn owned(&self) -> bool {
        self.parent.open().is_ok() && owned(&self.path)
    }
}

fn owned(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0)
}

/// The places to try, the best first; the last ones need no home at all.
pub(super) fn places(name: &str) -> Vec<Place> {
    let cached = dirs::caches().into_iter().map(|walk| Place::new(walk, name));
    cached.chain(temporary(name)).collect()
}

/// Where temporary files are, as far as only their owners can change what is there. sudo may keep TMPDIR.
fn temporary(name: &str) -> Vec<Place> {
    let safe = |path: &PathBuf| path.is_absolute() && Candidate::Shared(path.clone()).is_safe();
    let dirs = [std::env::temp_dir(), "/var/tmp".into(), "/tmp".into()].into_iter().filter(safe);
    let name = format!("boxwright-{}-{name}", geteuid());
    dirs.map(|base| Place::new(Walk { base, below: PathBuf::new(), owner: None }, &name)).collect()
}

/// Writes the layout in the first place that takes it. Others see all of it or nothing: it is renamed when complete.
pub(super) fn store(name: &str, packed: &Packed) -> Result<PathBuf> {
    let mut first = None;
    for place in dirs::caches().into_iter().map(|walk| Place::new(walk, name)) {
        match store_in(&place, packed) {
            Ok(()) => return Ok(place.path),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    // The first place is the one that people expect, so it is the one to explain.
    if let Some(error) = &first {
        let hint = say("XDG_CACHE_HOME names another directory", "可用 XDG_CACHE_HOME 指定别的目录");
        let what = say("the built-in image is not kept in the cache: ", "内置镜像无法保存到缓存：");
        let _ = writeln!(io::stderr(), "boxwright: {what}{error}\n  {hint}");
    }
    let mut last =
        first.unwrap_or_else(|| Error::malformed("built-in image", say("no directory to keep it in", "没有地方存放")));
    for place in temporary(name) {
        match store_in(&place, packed) {
            Ok(()) => return Ok(place.path),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn store_in(place: &Place, packed: &Packed) -> Result<()> {
    let parent = place.parent.path();
    place.parent.make().map_err(|errno| Error::io(&parent)(errno.into()))?;
    remove_old(place, &parent);
    let new = parent.join(format!(".boxwright-image.{}", std::process::id()));
    // What an earlier process of this number left.
    remove(&new);
    let made = Made::make(&new, Mode::from_bits_truncate(0o755)).map_err(|errno| Error::io(&new)(errno.into()))?;
    let written = fill(&new, packed).and_then(|()| take_name(&new, place).map_err(Error::io(&place.path)));
    match &written {
        // After an exchange it is the damaged one that has this name.
        Ok(()) => remove(&new),
        Err(_) => drop(made.remove()),
    }
    written
}

/// Gives the finished layout its name. Where there is one already, which is damaged, the two change places: a process
/// that opens the name at this moment finds one or the other, never half of one.
fn take_name(new: &Path, place: &Place) -> io::Result<()> {
    match fs::rename(new, &place.path) {
        Err(_) if place.owned() => Ok(renameat2(AT_FDCWD, new, AT_FDCWD, &place.path, RenameFlags::RENAME_EXCHANGE)?),
        renamed => renamed,
    }
}

fn fill(new: &Path, packed: &Packed) -> Result<()> {
    let mut target = Target::create(new)?;
    for (descriptor, bytes) in &packed.blobs {
        target.put(descriptor, bytes.as_slice())?;
    }
    target.finish(&packed.manifest, OCI_MANIFEST, Some(TAG))
}

/// Removes the images of earlier builds of this program, each of which had a name of its own. Those of the last days may
/// still be in use by another build.
fn remove_old(place: &Place, parent: &Path) {
    let prefix = place.path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
    let Some((prefix, _)) = prefix else { return };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        let old = name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-')) && age > Some(KEPT);
        let path = entry.path();
        if old && path != place.path && owned(&path) {
            remove(&path);
        }
    }
}

/// Removes a directory of the cache, if it is ours. What is mounted in it stays, and is told.
fn remove(path: &Path) {
    let left = match Made::found(path, geteuid()) {
        Ok(Some(made)) => made.remove(),
        Ok(None) => Vec::new(),
        Err(left) => vec![left],
    };
    for line in report("cannot remove an image of the cache", &left, Lang::En) {
        // A closed standard error has no reader.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
