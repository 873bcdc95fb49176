//! `dir:`: one image as plain files: `manifest.json`, `version`, and each blob under the digits of its digest.

use super::{
    Error, Result, Source,
    destination::{Destination, holds, may_hold},
    manifest::{Descriptor, MAX_JSON},
    staging::{open_plain, read_small},
};
use crate::lang::say;
use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

const VERSION: &str = "version";
const MANIFEST: &str = "manifest.json";
/// What follows the digits in the name of a manifest that a list names.
const ONE_OF: &str = ".manifest.json";
/// containers-transports(5): the first line of `version`.
const CONTENT: &[u8] = b"Directory Transport Version: 1.1\n";

/// A directory that holds an image.
#[derive(Debug)]
pub(super) struct Dir {
    path: PathBuf,
}

impl Dir {
    /// Opens it.
    pub(super) fn open(path: &Path) -> Result<Dir> {
        fs::metadata(path.join(MANIFEST)).map_err(Error::io(&path.join(MANIFEST)))?;
        Ok(Dir { path: path.into() })
    }
}

impl Source for Dir {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        // Nothing names this manifest, so nothing says what its digest should be.
        Ok((read_small(&self.path.join(MANIFEST), MAX_JSON)?, None))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_plain(&self.path.join(format!("{}{ONE_OF}", descriptor.digest.hex())))?))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_plain(&self.path.join(descriptor.digest.hex()))?))
    }
}

/// A directory that an image is copied to.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    destination: Destination,
    /// The blobs of the image that was here before.
    old: BTreeSet<String>,
    wanted: BTreeSet<String>,
}

impl Target {
    /// Takes a directory that is missing, empty, or holds an image, whole or not: no other files are written over.
    pub(super) fn create(path: &Path) -> Result<Target> {
        let mut destination = Destination::enter(path, MANIFEST, MAX_JSON)?;
        let names = destination.names()?;
        if names.is_empty() {
            destination.file(&path.join(VERSION), CONTENT)?;
        } else if fs::read(path.join(VERSION)).ok().as_deref() != Some(CONTENT) {
            return Err(Error::Unavailable {
                what: format!("dir:{}", path.display()),
                why: "not a containers image directory, don't want to overwrite important data".into(),
                hint: say("name a directory that is empty or not there", "请指定空目录或尚不存在的目录").into(),
            });
        }
        let old = names.into_iter().filter(|name| is_blob(name)).collect();
        Ok(Target { path: path.into(), destination, old, wanted: BTreeSet::new() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file of a blob's name and size is there.
    pub(super) fn may_have(&self, descriptor: &Descriptor) -> bool {
        may_hold(&self.path.join(descriptor.digest.hex()), descriptor)
    }

    /// Whether a blob is there, and right.
    pub(super) fn has(&mut self, descriptor: &Descriptor) -> Result<bool> {
        let name = descriptor.digest.hex();
        let there = holds(&self.path.join(name), descriptor)?;
        if there {
            self.wanted.insert(name.into());
        }
        Ok(there)
    }

    /// Writes a blob; the reader verifies it.
    pub(super) fn put(&mut self, descriptor: &Descriptor, content: impl Read) -> Result<()> {
        let name = descriptor.digest.hex();
        self.destination.file(&self.path.join(name), content)?;
        self.wanted.insert(name.into());
        Ok(())
    }

    /// Writes the manifest of one image of a list.
    pub(super) fn one_of(&mut self, descriptor: &Descriptor, raw: &[u8]) -> Result<()> {
        let name = format!("{}{ONE_OF}", descriptor.digest.hex());
        self.destination.file(&self.path.join(&name), raw)?;
        self.wanted.insert(name);
        Ok(())
    }

    /// Writes the manifest last, or the list: a directory with a manifest is complete.
    pub(super) fn finish(mut self, raw: &[u8]) -> Result<()> {
        self.destination.file(&self.path.join(MANIFEST), raw)?;
        self.destination.keep();
        // Blobs of an image that was here before belong to nothing any more, unless to another program's copy.
        if self.destination.is_alone() {
            for name in self.old.difference(&self.wanted) {
                let _ = fs::remove_file(self.path.join(name));
            }
        }
        Ok(())
    }
}

/// Whether a name is that of a blob.
fn is_blob(name: &str) -> bool {
    let name = name.strip_suffix(ONE_OF).unwrap_or(name);
    name.len() >= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
