//! Free space is looked at before anything is written. Only what is certain counts: where the size of what will be written is
//! not known, nothing is said, and a write that finds no room says it later.

use super::{
    Error, Image, Result,
    manifest::Descriptor,
    staging::go_on,
    unpack::{
        entries::{Entries, Kind},
        stream::Compression,
    },
};
use crate::lang::say;
use crate::{columns::bytes, kernel::filesystem::FileSystem};
use nix::{sys::statvfs::statvfs, unistd::geteuid};
use std::{io::BufReader, path::Path};

/// Looks for room for so many bytes more on the file system of a path, which need not be there yet; `what` is what needs them.
/// A file system that does not tell is not an error.
pub(super) fn room(path: &Path, needed: u64, what: &str) -> Result<()> {
    match system(path) {
        Some(system) if system.room() < needed => Err(Error::Unavailable {
            what: what.into(),
            why: format!("{} are needed; {} (ENOSPC)", bytes(needed), system.fullness()),
            hint: say("make room there, or choose another directory", "请腾出空间，或换一个目录").into(),
        }),
        _ => Ok(()),
    }
}

/// The file system that holds a path, and what is free on it for this user: root may use what is kept for root.
fn system(path: &Path) -> Option<FileSystem> {
    let mut system = FileSystem::nearest(path).ok()?;
    if geteuid().is_root()
        && let Ok(stat) = statvfs(&system.point)
    {
        system.free = system.free.max(stat.blocks_free().saturating_mul(stat.fragment_size()));
    }
    Some(system)
}

/// Looks for room for an image that is to be unpacked. Every layer is written, whatever later ones hide: the largest is needed
/// at least.
pub(super) fn room_for_tree(image: &Image, dir: &Path) -> Result<()> {
    let Some(system) = system(dir) else { return Ok(()) };
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        if layer.size > system.room() {
            room(dir, least(image, index, layer)?, &image.layer_name(index))?;
        }
    }
    Ok(())
}

/// How many bytes a layer takes at least. What is compressed becomes no smaller; what is not is looked through, because headers
/// take no room outside of an archive.
fn least(image: &Image, index: usize, layer: &Descriptor) -> Result<u64> {
    let name = image.layer_name(index);
    if Compression::of(&layer.media_type, &name)? != Compression::None {
        return Ok(layer.size);
    }
    let mut entries = Entries::new(BufReader::new(image.blob(layer, &name)?));
    let mut content = 0_u64;
    while let Some(entry) = entries.next_entry().map_err(|error| Error::from_io(&name, error))? {
        go_on()?;
        let stored = entry.pieces.as_ref().map(|pieces| pieces.iter().map(|(_, length)| *length).sum());
        if entry.kind == Kind::File {
            content = content.saturating_add(stored.unwrap_or(entry.size));
        }
    }
    Ok(content)
}
