//! Unpacking: the layers of an image, one over another, become a directory tree.
//!
//! A layer is read once. On its way the stored bytes are hashed and compared with the manifest, decompressed, hashed
//! again and compared with the configuration's `diff_id`, and written. It all happens in a directory of another name,
//! which gets its own when everything was right: whatever goes wrong, nothing half-made is left.
//!
//! Nothing in a layer reaches outside the root: no `..`, no absolute path, no link, whether of this layer or another
//! ([`tree`]). Where unpackers disagree, this one does as the OCI image specification says: a whiteout hides only what
//! lower layers put there, wherever in its layer it stands; of several entries of one path the last one counts; a hard link
//! has no metadata of its own.

mod apply;
mod directories;
pub mod entries;
mod pax;
pub(in crate::image) mod pieces;
pub mod report;
mod starting;
pub mod stream;
mod tree;
mod whiteout;
mod xattr;

use super::{
    Error, Image, Result,
    digest::{Algorithm, Hasher},
    staging::go_on,
};
pub use apply::{Rules, Unpacker};
use entries::Entries;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use pieces::{Filling, pieces};
use report::Report;
use std::{
    fs,
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    thread,
};
pub(super) use tree::clean;

/// How many bytes an image may have when it is unpacked, unless the caller says otherwise.
pub const MAX_BYTES: u64 = 8 << 30;
/// How many entries all layers together may have.
pub const MAX_ENTRIES: u64 = 1_000_000;

/// Unpacks all layers of an image into a directory that is empty or not there yet. `tell` hears of each finished layer.
pub fn image(image: &Image, dir: &Path, max_bytes: u64, mut tell: impl FnMut(usize, &Report)) -> Result<Report> {
    let diff_ids = image.diff_ids()?.to_vec();
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        stream::Compression::of(&layer.media_type, &image.layer_name(index))?;
    }
    let place = Place::new(dir)?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let root =
        openat(AT_FDCWD, &place.path, flags, Mode::empty()).map_err(|errno| Error::io(&place.path)(errno.into()))?;
    let rules = Rules { layer: true, owners: true, umask: 0, max_bytes, max_entries: MAX_ENTRIES };
    let failed = |errno: nix::errno::Errno| Error::io(dir)(errno.into());
    let mut unpacker = Unpacker::new(root, rules).map_err(failed)?;
    for (index, diff_id) in diff_ids.iter().enumerate() {
        let name = image.layer_name(index);
        layer(image, index, diff_id, &mut unpacker, max_bytes).map_err(|error| within(&name, error).on(&place.path))?;
        tell(index, &unpacker.report);
    }
    let mut report = unpacker.finish().map_err(failed)?;
    starting::notes(&place.path, &image.config.config, &mut report);
    go_on()?;
    place.keep(dir)?;
    Ok(report)
}

/// Names the layer in an error that does not.
fn within(layer: &str, error: Error) -> Error {
    match error {
        Error::Io { what, source } if !what.starts_with(layer) => {
            Error::Io { what: format!("{layer}: {what}"), source }
        }
        Error::Malformed { what, why } if !what.starts_with(layer) => {
            Error::Malformed { what: format!("{layer}: {what}"), why }
        }
        Error::Registry { fault, .. } => Error::Registry { what: layer.into(), fault },
        Error::Unusable { what, why, hint } if !what.starts_with(layer) => {
            Error::Unusable { what: format!("{layer}: {what}"), why, hint }
        }
        error => error,
    }
}

/// What reading a layer gave: how it was compressed, and the digest of what was in it, where that was asked for and all of it
/// was wanted.
type Found = (stream::Compression, Option<super::Digest>, bool);

/// One layer: another thread hashes and decompresses it while this one writes.
fn layer(image: &Image, index: usize, diff_id: &super::Digest, unpacker: &mut Unpacker, max_bytes: u64) -> Result<()> {
    let name = image.layer_name(index);
    let descriptor = image.manifest.layers.get(index).ok_or_else(|| Error::malformed(&name, "there is none"))?;
    let told = stream::Compression::of(&descriptor.media_type, &name)?;
    let stored = image.blob(descriptor, &name)?;
    let (filling, stream) = pieces();
    // A layer without compression is named twice by the same digest, and verified once.
    let same = descriptor.digest == *diff_id;
    let (inner_name, algorithm) = (name.clone(), diff_id.algorithm());
    let reading = thread::spawn(move || {
        decompress(stored, algorithm, same, max_bytes, filling).map_err(|error| Error::from_io(inner_name, error))
    });
    let mut entries = Entries::new(stream);
    let written = unpacker.archive(&mut entries, |_| true);
    let rest = written.and_then(|()| {
        // What follows the archive belongs to the layer, and to its digest, all the same.
        io::copy(&mut entries.into_inner(), &mut io::sink()).map(drop).map_err(|error| Error::from_io(&name, error))
    });
    let read = reading.join().unwrap_or_else(|_| Err(Error::malformed(&name, "the decompressor gave up")));
    // Where reading failed, the writer saw only that the stream ended.
    let (compression, found) = match (read, rest) {
        (Ok((compression, found, true)), rest) => {
            rest?;
            (compression, found)
        }
        (Ok(_), rest) => {
            rest?;
            return Err(Error::malformed(&name, "unread"));
        }
        // What the way to a registry did is told as it is, and not tried once more.
        (Err(error @ (Error::Registry { .. } | Error::Interrupted)), _) => return Err(error),
        (Err(error), _) => return Err(bad_bytes(image, index).unwrap_or(error)),
    };
    if compression != told {
        let what = format!("{name}: its media type {:?} says {told}, and it is {compression}", descriptor.media_type);
        unpacker.report.note(what);
    }
    match found {
        Some(found) if found != *diff_id => {
            let what = format!("{name}: uncompressed (diff_id)");
            Err(Error::Digest { what, expected: diff_id.clone(), found })
        }
        _ => Ok(()),
    }
}

/// A decompressor stumbles over a wrong byte long before the digest is known. Which bytes were promised is the better
/// answer, so a layer that failed is read to its end.
fn bad_bytes(image: &Image, index: usize) -> Option<Error> {
    let name = image.layer_name(index);
    let mut stored = image.blob(image.manifest.layers.get(index)?, &name).ok()?;
    io::copy(&mut stored, &mut io::sink()).err().map(|error| Error::from_io(name, error))
}

/// Sends the archive piece by piece. `same` is whether its digest is that of what is stored, if it is not compressed.
fn decompress(
    stored: impl Read + Send + 'static,
    algorithm: Algorithm,
    same: bool,
    max_bytes: u64,
    filling: Filling,
) -> io::Result<Found> {
    let (compression, mut archive) = stream::open(stored)?;
    let mut hasher = (!same || compression != stream::Compression::None).then(|| Hasher::new(algorithm));
    // Headers and padding need room as well, but not as much again.
    let most = max_bytes.saturating_add(max_bytes / 2).saturating_add(64 << 20);
    let mut total = 0_u64;
    let whole = filling.send_all(&mut archive, |piece| {
        total += piece.len() as u64;
        if let Some(hasher) = &mut hasher {
            hasher.update(piece);
        }
        if total > most {
            return Err(Error::Unusable {
                what: "archive".into(),
                why: format!("more than {most} bytes when decompressed"),
                hint: "--limit BYTES allows more, if you know what it is".into(),
            }
            .into());
        }
        Ok(())
    })?;
    Ok((compression, hasher.map(Hasher::finish), whole))
}

/// Where the tree grows until it is complete.
struct Place {
    path: PathBuf,
    /// Whether the path is the final one: a mount point cannot be replaced by another directory.
    fixed: bool,
    done: bool,
}

impl Place {
    fn new(dir: &Path) -> Result<Place> {
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(there) = fs::metadata(dir) {
            let empty = there.is_dir() && fs::read_dir(dir).map_err(Error::io(dir))?.next().is_none();
            if !empty {
                return Err(Error::Unusable {
                    what: dir.display().to_string(),
                    why: "not an empty directory".into(),
                    hint: "an image is unpacked into a directory of its own: name one that is not there yet".into(),
                });
            }
            let link = fs::symlink_metadata(dir).is_ok_and(|metadata| metadata.is_symlink());
            if link || dir.file_name().is_none() || fs::metadata(parent).is_ok_and(|above| above.dev() != there.dev()) {
                return Ok(Place { path: dir.into(), fixed: true, done: false });
            }
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(dir.file_name().unwrap_or_default());
        name.push(format!(".partial.{}", std::process::id()));
        let path = parent.join(name);
        // Nobody enters before it is complete.
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(Error::io(&path))?;
        Ok(Place { path, fixed: false, done: false })
    }

    fn keep(mut self, dir: &Path) -> Result<()> {
        if !self.fixed {
            fs::rename(&self.path, dir).map_err(Error::io(dir))?;
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if !self.fixed {
            let _ = fs::remove_dir_all(&self.path);
            return;
        }
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}
