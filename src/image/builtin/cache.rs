//! Where the built-in image is kept: in the cache directory of the person at the keyboard, also under sudo.

use super::pack::Packed;
use crate::{
    image::{Error, Result, layout::Target, manifest::OCI_MANIFEST},
    kernel::{errno, owner::AsOwner},
};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::unistd::{Gid, Uid, User, geteuid};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// The tag of the image in its layout.
pub(super) const TAG: &str = "latest";

/// How long the image of another build is kept.
const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// A directory that may hold the image, and the user that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub path: PathBuf,
    owner: (Uid, Gid),
}

impl Place {
    /// Whether it is there and nobody else's: the content of a stranger's directory is no image of ours.
    pub(super) fn owned(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| {
            metadata.is_dir() && metadata.uid() == self.owner.0.as_raw() && metadata.mode() & 0o022 == 0
        })
    }
}

/// The places to try, the best first (XDG base directory specification); the last one needs no home at all.
pub(super) fn places(name: &str) -> Vec<Place> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let number = |name: &str| variable(name)?.to_str()?.parse::<u32>().ok().filter(|id| *id != 0);
    let me = (geteuid(), nix::unistd::getegid());
    let mut all = Vec::new();
    let behind_sudo = number("SUDO_UID").zip(number("SUDO_GID")).filter(|_| me.0.is_root());
    let owner = behind_sudo.map_or(me, |(uid, gid)| (Uid::from_raw(uid), Gid::from_raw(gid)));
    let own_home = User::from_uid(owner.0).ok().flatten().map(|user| user.dir);
    let home = if behind_sudo.is_some() { own_home } else { variable("HOME").or(own_home) };
    let bases = [variable("XDG_CACHE_HOME"), home.map(|home| home.join(".cache"))];
    for base in bases.into_iter().flatten().filter(|base| base.is_absolute()) {
        all.push(Place { path: base.join("boxwright").join(name), owner });
    }
    all.push(Place { path: std::env::temp_dir().join(format!("boxwright-{}-{name}", me.0)), owner: me });
    all
}

/// Writes the layout in the first place that takes it. Others see all of it or nothing: it is renamed when complete.
pub(super) fn store(name: &str, packed: &Packed) -> Result<PathBuf> {
    let mut last = Error::malformed("built-in image", "there is no place for it");
    for (at, place) in places(name).iter().enumerate() {
        let _owner = AsOwner::new(Some(place.owner));
        match store_in(place, packed) {
            Ok(()) => return Ok(place.path.clone()),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) if at == 0 => {
                let _ = writeln!(std::io::stderr(), "boxwright: the built-in image is not kept in the cache: {error}");
                last = error;
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn store_in(place: &Place, packed: &Packed) -> Result<()> {
    let parent = place.path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(Error::io(parent))?;
    remove_old(place, parent);
    let new = parent.join(format!(".boxwright-image.{}", std::process::id()));
    let _ = fs::remove_dir_all(&new);
    fs::DirBuilder::new().mode(0o755).create(&new).map_err(Error::io(&new))?;
    let written = fill(&new, packed).and_then(|()| take_name(&new, place).map_err(Error::io(&place.path)));
    // After an exchange it is the damaged one that has this name.
    let _ = fs::remove_dir_all(&new);
    written
}

/// Gives the finished layout its name. Where there is one already, which is damaged, the two change places: whoever opens
/// the name at this moment finds one or the other, and never half of one.
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
        let ours = Place { path: entry.path(), owner: place.owner };
        if old
            && ours.path != place.path
            && ours.owned()
            && let Err(error) = fs::remove_dir_all(&ours.path)
        {
            let _ = writeln!(std::io::stderr(), "boxwright: {}: {}", ours.path.display(), errno::why_io(&error));
        }
    }
}
