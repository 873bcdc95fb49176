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
mod metadata;
mod pax;
pub(in crate::image) mod pieces;
pub(crate) mod report;
mod starting;
pub mod stream;
mod tree;
mod whiteout;
mod xattr;

use super::{
    Error, Image, Result,
    digest::{Algorithm, Hasher},
    journal::Pending,
    partial::fresh_name,
    room::room_for_tree,
    staging::go_on,
};
use crate::lang::say;
use crate::{
    cleanup::{Made, report as left, tree as tree_below},
    lang::Lang,
};
pub use apply::{Rules, Unpacker};
use entries::Entries;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat, renameat},
    sys::stat::{Mode, fstat},
};
use pieces::{Filling, pieces};
use report::Report;
use std::{
    fs,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
};
pub(super) use tree::clean;

/// How many bytes an image may have when it is unpacked, unless the caller says otherwise.
pub(crate) const MAX_BYTES: u64 = 8 << 30;
/// How many entries all layers together may have.
pub(crate) const MAX_ENTRIES: u64 = 1_000_000;

/// Unpacks all layers of an image into a directory that is empty or not there yet. `tell` hears of each finished layer.
pub(crate) fn image(image: &Image, dir: &Path, max_bytes: u64, mut tell: impl FnMut(usize, &Report)) -> Result<Report> {
    let diff_ids = image.diff_ids()?.to_vec();
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        stream::Compression::of(&layer.media_type, &image.layer_name(index))?;
    }
    room_for_tree(image, dir)?;
    let place = Place::new(dir)?;
    let (root, path) = place.root();
    let root = root.try_clone().map_err(Error::io(path))?;
    let rules = Rules { layer: true, owners: true, umask: 0, max_bytes, max_entries: MAX_ENTRIES };
    let failed = |errno: nix::errno::Errno| Error::io(dir)(errno.into());
    let mut unpacker = Unpacker::new(root, rules).map_err(failed)?;
    for (index, diff_id) in diff_ids.iter().enumerate() {
        let name = image.layer_name(index);
        layer(image, index, diff_id, &mut unpacker, max_bytes)
            .map_err(|error| within(&name, error).on(place.root().1))?;
        tell(index, &unpacker.report);
    }
    let mut report = unpacker.finish().map_err(failed)?;
    starting::notes(place.root().0, &image.config.config, &mut report);
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
        Error::Unavailable { what, why, hint } if !what.starts_with(layer) => {
            Error::Unavailable { what: format!("{layer}: {what}"), why, hint }
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
    let read = move || {
        decompress(stored, algorithm, same, max_bytes, filling).map_err(|error| Error::from_io(inner_name, error))
    };
    let reading = thread::Builder::new().name("layer".into()).spawn(read);
    let reading = reading.map_err(|source| Error::Io { what: crate::kernel::errno::THREAD.into(), source })?;
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
        (Err(error), _) => {
            // After Ctrl-C a decompressor finds its input cut short.
            go_on()?;
            return Err(bad_bytes(image, index).unwrap_or(error));
        }
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
            return Err(Error::Unavailable {
                what: "archive".into(),
                why: format!("more than {most} bytes when decompressed"),
                hint: say(
                    "--limit BYTES allows more, if you know what it is",
                    "确认内容可信后，可用 --limit 字节数 放宽",
                )
                .into(),
            }
            .into());
        }
        Ok(())
    })?;
    Ok((compression, hasher.map(Hasher::finish), whole))
}

/// Where the tree grows until it is complete. It is held open: whatever takes its name meanwhile, a failure removes only
/// what was unpacked.
struct Place {
    root: Root,
    /// Where it is written down that it grows.
    line: Option<Pending>,
    done: bool,
}

enum Root {
    /// A new directory beside the final one, whose name it gets.
    New(Made),
    /// The final one itself, which was empty: a mount point cannot be replaced by another directory.
    Fixed(OwnedFd, PathBuf),
}

impl Place {
    fn new(dir: &Path) -> Result<Place> {
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let failed = |errno: Errno| Error::io(dir)(errno.into());
        match openat(AT_FDCWD, dir, flags, Mode::empty()) {
            Ok(there) => {
                if !tree_below::names(&there).map_err(failed)?.is_empty() {
                    return Err(not_empty(dir));
                }
                let link = fs::symlink_metadata(dir).is_ok_and(|metadata| metadata.is_symlink());
                let device = fstat(&there).map_err(failed)?.st_dev;
                if link || dir.file_name().is_none() || fs::metadata(parent).is_ok_and(|above| above.dev() != device) {
                    return Ok(Place { root: Root::Fixed(there, dir.into()), line: None, done: false });
                }
            }
            Err(Errno::ENOENT) => {}
            Err(Errno::ENOTDIR) => return Err(not_empty(dir)),
            Err(errno) => return Err(failed(errno)),
        }
        let path = fresh_name(&parent.join("x"));
        let line = Pending::begin(&path);
        // Others do not enter before it is complete.
        let made = Made::make(&path, Mode::S_IRWXU).map_err(|errno| Error::io(&path)(errno.into()))?;
        line.made(made.dir());
        Ok(Place { root: Root::New(made), line: Some(line), done: false })
    }

    /// The open directory, and its path for messages.
    fn root(&self) -> (&OwnedFd, &Path) {
        match &self.root {
            Root::New(made) => (made.dir(), made.path()),
            Root::Fixed(dir, path) => (dir, path),
        }
    }

    /// It is complete, and gets its name, beside which it was made.
    fn keep(mut self, dir: &Path) -> Result<()> {
        if let Root::New(made) = &self.root {
            let (parent, partial) = made.place();
            let renamed = renameat(parent, partial, parent, dir.file_name().unwrap_or_default());
            renamed.map_err(|errno| Error::io(dir)(errno.into()))?;
        }
        self.done = true;
        Ok(())
    }
}

fn not_empty(dir: &Path) -> Error {
    Error::Unavailable {
        what: dir.display().to_string(),
        why: "not an empty directory".into(),
        hint: say(
            "an image is unpacked into a new directory: name one that does not exist yet",
            "镜像要解包到单独的目录：请指定尚不存在的目录",
        )
        .into(),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let left_over = match &self.root {
            Root::New(made) => made.remove(),
            Root::Fixed(dir, path) => tree_below::empty(dir, path),
        };
        if let Some(line) = self.line.take().filter(|_| !left_over.is_empty()) {
            line.stays();
        }
        for line in left("cannot remove what was unpacked", &left_over, Lang::En) {
            // A closed standard error has no reader.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_failure_empties_what_was_unpacked_and_not_what_its_link_means_by_now() {
        let top = tempfile::tempdir().unwrap();
        let [mine, victim, link] = ["mine", "victim", "link"].map(|name| top.path().join(name));
        fs::create_dir(&mine).unwrap();
        fs::create_dir_all(victim.join("thesis")).unwrap();
        symlink(&mine, &link).unwrap();
        let place = Place::new(&link).unwrap();
        fs::create_dir_all(mine.join("usr/bin")).unwrap();
        fs::remove_file(&link).unwrap();
        symlink(&victim, &link).unwrap();
        drop(place);
        assert!(victim.join("thesis").exists());
        assert_eq!(fs::read_dir(&mine).unwrap().count(), 0);
    }

    #[test]
    fn a_failure_removes_the_new_directory_itself_also_where_its_name_means_another_one_by_now() {
        let top = tempfile::tempdir().unwrap();
        let place = Place::new(&top.path().join("root")).unwrap();
        let partial = place.root().1.to_path_buf();
        fs::create_dir_all(partial.join("usr/bin")).unwrap();
        fs::rename(&partial, top.path().join("moved")).unwrap();
        fs::create_dir_all(partial.join("thesis")).unwrap();
        drop(place);
        assert!(partial.join("thesis").exists());
        assert_eq!(fs::read_dir(top.path().join("moved")).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_holds_something_is_refused() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("file"), "").unwrap();
        assert!(Place::new(top.path()).is_err() && Place::new(&top.path().join("file")).is_err());
    }
}
