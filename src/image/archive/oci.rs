//! `oci-archive:`: an OCI image layout packed into one file.

use super::Archive;
use crate::image::{
    Error, Result, Source,
    layout::{self, INDEX, Meant},
    manifest::{Descriptor, Index, MAX_JSON, json},
};
use crate::lang::say;
use std::{io::Read, path::Path};

/// An archive, and the image that is meant.
#[derive(Debug)]
pub(in crate::image) struct OciArchive {
    archive: Archive,
    meant: Meant,
}

impl OciArchive {
    /// Opens an archive and finds the image: that with the tag, or the only one.
    pub(in crate::image) fn open(path: &Path, tag: Option<&str>) -> Result<OciArchive> {
        let (archive, name) = (Archive::open(path)?, format!("oci-archive:{}", path.display()));
        if !archive.has(INDEX) && archive.has(super::docker::MANIFEST) {
            return Err(Error::Unavailable {
                why: "no index.json in it".into(),
                hint: say(
                    format!("docker-archive:{} reads what docker save wrote", path.display()),
                    format!("docker save 的归档请用 docker-archive:{}", path.display()),
                ),
                what: name,
            });
        }
        let index: Index = json(&archive.read_small(INDEX, MAX_JSON)?, &archive.named(INDEX))?;
        let meant = layout::choose(&index, tag, &name)?;
        Ok(OciArchive { archive, meant })
    }
}

impl Source for OciArchive {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        self.meant.top(|digest| self.archive.read_small(&layout::blob_name(digest), MAX_JSON))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        Ok(self.archive.read(&layout::blob_name(&descriptor.digest))?.1)
    }
}
