//! The image of a session is fetched once. Each of its lines is a program of its own, and the lesson types some of them
//! again; what the first one got from the registry, or decompressed, lies in the session's directory for those that follow.
//!
//! What is kept is held to its digest like everything else. Without room for it, and for all that is made of it, nothing is
//! kept, and nothing is wrong.

use super::{
    Access, Digest, Reference, Result, Source,
    digest::Verified,
    manifest::{Descriptor, Document, MAX_JSON},
    partial::Partial,
    registry::{Name, Registry},
    staging::{open_plain, read_small},
};
use crate::kernel::filesystem::FileSystem;
use std::{
    cell::OnceCell,
    env,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The session's directory, and the image that its lessons use.
pub(crate) const DIR: &str = "BOXWRIGHT_RUN";
/// See [`DIR`].
pub(crate) const IMAGE: &str = "BOXWRIGHT_IMAGE";
/// The file with the descriptor of what the reference names.
const TOP: &str = "image";

/// How many times its compressed layers an image needs: what is kept, a copy, and two trees, each a few times as large.
const TIMES: u64 = 8;

/// An image in a registry, of which a session keeps what it has fetched.
pub(super) struct Kept {
    dir: PathBuf,
    name: Name,
    access: Access,
    registry: OnceCell<Registry>,
    /// Whether there is room to keep the image, once its manifest is known.
    fits: OnceCell<bool>,
}

/// Where the session that this process belongs to keeps this image; none where it belongs to no session, or where the
/// session's image is another one.
pub(super) fn dir(name: &Name) -> Option<PathBuf> {
    let image: Reference = env::var(IMAGE).ok()?.parse().ok()?;
    let dir = PathBuf::from(env::var_os(DIR)?);
    (image == Reference::Docker(name.clone()) && dir.is_dir()).then_some(dir)
}

/// Where the session keeps what a compressed archive decompresses to; none where this file is not the session's image, or
/// where there is no room for it. A file that changes is another one.
pub(super) fn archive(stored: &File) -> Option<PathBuf> {
    let image: Reference = env::var(IMAGE).ok()?.parse().ok()?;
    let (Reference::DockerArchive { file, .. } | Reference::OciArchive { file, .. }) = image else { return None };
    let dir = PathBuf::from(env::var_os(DIR)?);
    let [named, this] = [fs::metadata(file).ok()?, stored.metadata().ok()?];
    let same = (named.dev(), named.ino()) == (this.dev(), this.ino());
    let fits = FileSystem::nearest(&dir).is_ok_and(|system| system.room() / TIMES >= this.len());
    let name = format!("archive-{:x}-{:x}-{:x}-{:x}", this.ino(), this.len(), this.mtime(), this.mtime_nsec());
    (same && fits && dir.is_dir()).then(|| dir.join(name))
}

impl Kept {
    /// The image of this name, kept in this directory. Nothing is asked for yet.
    pub(super) fn new(dir: PathBuf, name: &Name, access: &Access) -> Kept {
        Kept { dir, name: name.clone(), access: access.clone(), registry: OnceCell::new(), fits: OnceCell::new() }
    }

    fn registry(&self) -> Result<&Registry> {
        if let Some(registry) = self.registry.get() {
            return Ok(registry);
        }
        let opened = Registry::open(&self.name, &self.access)?;
        Ok(self.registry.get_or_init(|| opened))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{TOP}-{}", digest.hex()))
    }

    /// What the reference named when it was fetched.
    fn top(&self) -> Option<(Vec<u8>, Descriptor)> {
        let named = read_small(&self.dir.join(TOP), MAX_JSON).ok()?;
        let named: Descriptor = serde_json::from_slice(&named).ok()?;
        let raw = read_small(&self.path(&named.digest), MAX_JSON).ok()?;
        (Digest::of(&raw) == named.digest).then_some((raw, named))
    }

    /// Layers are kept only where that takes no room from what the lesson makes of them.
    fn look_for_room(&self, raw: &[u8]) {
        if let Some(size) = layers(raw) {
            let free = FileSystem::nearest(&self.dir).map_or(u64::MAX, |system| system.room());
            let _ = self.fits.set(free / TIMES >= size);
        }
    }

    fn keep_top(&self, raw: &[u8], named: &Descriptor) -> Result<()> {
        // The descriptor's digest may be wrong, or of another algorithm.
        if Digest::of(raw) != named.digest {
            return Ok(());
        }
        write(&self.path(&named.digest), raw)?;
        write(&self.dir.join(TOP), &serde_json::to_vec(named).unwrap_or_default())
    }

    fn fetch(
        &self,
        descriptor: &Descriptor,
        ask: impl FnOnce(&Registry) -> Result<Box<dyn Read + Send>>,
    ) -> Result<Box<dyn Read + Send>> {
        let path = self.path(&descriptor.digest);
        match open_plain(&path) {
            Ok(file) if file.metadata().is_ok_and(|metadata| metadata.len() == descriptor.size) => Ok(Box::new(file)),
            _ => {
                let from = Verified::new(ask(self.registry()?)?, descriptor, descriptor.digest.to_string());
                let partial = self.fits.get().copied().unwrap_or(true).then(|| Partial::create(&path).ok()).flatten();
                Ok(Box::new(Keeping { from, partial }))
            }
        }
    }
}

/// How many bytes the layers of a manifest have; none where it is not one.
fn layers(raw: &[u8]) -> Option<u64> {
    match Document::parse(raw, "", TOP).ok()? {
        Document::Manifest(manifest) => {
            Some(manifest.layers.iter().fold(0, |sum, layer| layer.size.saturating_add(sum)))
        }
        Document::Index(_) => None,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut partial = Partial::create(path)?;
    partial.file.write_all(bytes).map_err(super::Error::io(path))?;
    partial.keep()
}

impl Source for Kept {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        if let Some((raw, named)) = Kept::top(self) {
            if let Some(notice) = self.access.notice {
                notice(&format!("docker://{}: as this session has fetched it, from {}", self.name, self.dir.display()));
            }
            self.look_for_room(&raw);
            return Ok((raw, Some(named)));
        }
        let (raw, named) = self.registry()?.top()?;
        self.look_for_room(&raw);
        if let Some(named) = &named {
            // No room for it: then it is asked for again.
            let _ = self.keep_top(&raw, named);
        }
        Ok((raw, named))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let mut raw = Vec::new();
        let read = self.fetch(descriptor, |registry| registry.manifest(descriptor))?.read_to_end(&mut raw);
        read.map_err(|error| super::Error::from_io(descriptor.digest.to_string(), error))?;
        self.look_for_room(&raw);
        Ok(Box::new(io::Cursor::new(raw)))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        self.fetch(descriptor, |registry| registry.blob(descriptor))
    }

    fn tags(&self) -> Result<Vec<String>> {
        self.registry()?.tags()
    }
}

/// Writes down what is read from a registry, and keeps it where all of it was right.
struct Keeping<R> {
    from: Verified<R>,
    partial: Option<Partial>,
}

impl<R: Read> Read for Keeping<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        let part = buffer.get(..count).unwrap_or_default();
        if count == 0 && !buffer.is_empty() {
            // Where it cannot be kept, it is asked for again.
            drop(self.partial.take().map(Partial::keep));
        } else if self.partial.as_mut().is_some_and(|partial| partial.file.write_all(part).is_err()) {
            self.partial = None;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(dir: &Path) -> Kept {
        Kept::new(dir.into(), &"127.0.0.1:9/x".parse().unwrap(), &Access::default())
    }

    fn descriptor(of: &[u8]) -> Descriptor {
        Descriptor { digest: Digest::of(of), size: of.len() as u64, ..Descriptor::default() }
    }

    #[test]
    fn what_was_read_whole_and_right_is_there_the_next_time() {
        let dir = tempfile::tempdir().unwrap();
        let read = |kept: &Kept, sent: Option<&'static [u8]>, promised: &[u8]| {
            let mut all = Vec::new();
            let ask = |_: &Registry| Ok(Box::new(sent.unwrap()) as Box<dyn Read + Send>);
            kept.fetch(&descriptor(promised), ask)?
                .read_to_end(&mut all)
                .map_err(|error| super::super::Error::from_io("x", error))?;
            Ok::<_, super::super::Error>(all)
        };
        let first = kept(dir.path());
        assert!(read(&first, Some(b"wrong"), b"right").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(read(&first, Some(b"right"), b"right").unwrap(), b"right");
        assert_eq!(read(&kept(dir.path()), None, b"right").unwrap(), b"right", "no question is asked");
        assert!(first.keep_top(b"top", &descriptor(b"other")).is_ok() && Kept::top(&first).is_none());
        first.keep_top(b"top", &descriptor(b"top")).unwrap();
        assert_eq!(Kept::top(&kept(dir.path())).unwrap().0, b"top");
        fs::write(first.path(&Digest::of(b"top")), "changed").unwrap();
        assert!(Kept::top(&first).is_none());
    }
}
