//! `builtin:`, the image that needs no network and no download: it is made of this machine's own programs.
//!
//! On first use `sh` and a few dozen programs are packed with the libraries that their ELF headers name, together with
//! this program under the names of its tools, as a real OCI layout in the user's cache directory. From then on it is an
//! image like any other. Everything is copied, never linked: root in a container could write into a file of the host.

mod cache;
mod libraries;
mod pack;
mod recipe;

use super::{Digest, Error, Result, Source, layout::Layout};
use std::{io, path::Path};

/// Opens the built-in image, and makes it first where it is missing, damaged, or of another program.
pub(super) fn open(tools: &[&str]) -> Result<Layout> {
    let exe = std::env::current_exe().map_err(|error| Error::from_io("/proc/self/exe", error))?;
    let recipe = recipe::Recipe::new(&exe, tools).map_err(|error| Error::from_io("built-in image", error))?;
    let fingerprint = recipe.fingerprint().map_err(|error| Error::from_io("built-in image", error))?;
    let digest = Digest::of(fingerprint.as_bytes());
    let name = format!("image-{}", digest.short());
    if let Some(layout) = cache::places(&name).iter().find_map(|place| place.owned().then(|| whole(&place.path))?) {
        return Ok(layout);
    }
    let packed = pack::pack(&recipe)?;
    let path = cache::store(&name, &packed)?;
    whole(&path).ok_or_else(|| Error::malformed(path.display().to_string(), "it was damaged while it was written"))
}

/// How many bytes the image has when it is unpacked, without making it.
pub(super) fn size(tools: &[&str]) -> io::Result<u64> {
    let recipe = recipe::Recipe::new(&std::env::current_exe()?, tools)?;
    let sizes = recipe.files.values().map(|file| std::fs::metadata(file).map(|metadata| metadata.len()));
    sizes.sum()
}

/// A layout, if every byte of it is right.
fn whole(path: &Path) -> Option<Layout> {
    let layout = Layout::open(path, Some(cache::TAG)).ok()?;
    let image = super::Image::from_source(
        Box::new(Layout::open(path, Some(cache::TAG)).ok()?),
        "builtin:".into(),
        &super::Platform::host(),
    )
    .ok()?;
    for layer in &image.manifest.layers {
        io::copy(&mut image.blob(layer, "builtin:").ok()?, &mut io::sink()).ok()?;
    }
    layout.top().is_ok().then_some(layout)
}
