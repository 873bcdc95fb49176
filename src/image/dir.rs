//! `dir:`: one image as plain files: `manifest.json`, `version`, and each blob under the digits of its digest.

use super::{
    Error, Image, Result, Source,
    manifest::{Descriptor, MAX_JSON},
    staging::{Staging, open_plain, read_small},
};
use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

const VERSION: &str = "version";
const MANIFEST: &str = "manifest.json";
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

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_plain(&self.path.join(descriptor.digest.hex()))?))
    }
}

/// A directory that an image is copied to.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    staging: Staging,
    wanted: BTreeSet<String>,
}

impl Target {
    /// Takes a directory that is missing, empty, or holds an image: nobody's other files are written over.
    pub(super) fn create(path: &Path) -> Result<Target> {
        let mut staging = Staging::default();
        staging.directory(path)?;
        let empty = fs::read_dir(path).map_err(Error::io(path))?.next().is_none();
        if !empty && fs::read(path.join(VERSION)).ok().as_deref() != Some(CONTENT) {
            return Err(Error::Unusable {
                what: format!("dir:{}", path.display()),
                why: "not a containers image directory, don't want to overwrite important data".into(),
                hint: "name a directory that is empty or not there".into(),
            });
        }
        Ok(Target { path: path.into(), staging, wanted: BTreeSet::new() })
    }

    /// Writes a blob; the reader verifies it.
    pub(super) fn put(&mut self, descriptor: &Descriptor, content: impl Read) -> Result<()> {
        let name = descriptor.digest.hex();
        self.staging.file(&self.path.join(name), content)?;
        self.wanted.insert(name.into());
        Ok(())
    }

    /// Writes the manifest last: a directory with a manifest is complete.
    pub(super) fn finish(mut self, image: &Image) -> Result<()> {
        self.staging.file(&self.path.join(VERSION), CONTENT)?;
        self.staging.file(&self.path.join(MANIFEST), image.raw.as_slice())?;
        self.staging.keep();
        // Blobs of an image that was here before belong to nothing any more.
        for entry in fs::read_dir(&self.path).map_err(Error::io(&self.path))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let blob = name.len() >= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if blob && !self.wanted.contains(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}
