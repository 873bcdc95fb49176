//! Archives that an image is copied to. They grow under another name, like every file here.

use super::docker::{self, Saved};
use crate::image::{
    Digest, Error, Image, Result,
    digest::{Algorithm, Hasher, Hashing},
    layout,
    manifest::{Descriptor, Index},
    partial::Partial,
    staging::{Staging, copy},
    unpack::stream,
};
use crate::lang::say;
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use tar::{EntryType, Header};

const BLOCK: u64 = 512;

/// A tar archive that is being written.
struct Packer {
    path: PathBuf,
    /// Dropped before the directories that were made for it.
    partial: Partial,
    staging: Staging,
}

impl Packer {
    fn create(path: &Path) -> Result<Packer> {
        let mut staging = Staging::default();
        if let Some(parent) = path.parent() {
            staging.directory(parent)?;
        }
        Ok(Packer { path: path.into(), partial: Partial::create(path)?, staging })
    }

    /// Adds a file.
    fn member(&mut self, name: &str, content: impl Read, hasher: Hasher) -> Result<Digest> {
        self.add(name, content, hasher).map_err(|error| error.on(&self.path))
    }

    /// How large it is may be known only afterwards, so its header is written then.
    fn add(&mut self, name: &str, mut content: impl Read, hasher: Hasher) -> Result<Digest> {
        let what = format!("{}: {name}", self.path.display());
        let fail = |error: io::Error| Error::from_io(what.as_str(), error);
        let file = &mut self.partial.file;
        let start = file.stream_position().map_err(fail)?;
        file.seek(SeekFrom::Current(BLOCK.cast_signed())).map_err(fail)?;
        let mut hashing = Hashing { inner: &mut *file, hasher };
        let size = copy(&mut content, &mut hashing, &what)?;
        let digest = hashing.hasher.finish();
        let padding = size.next_multiple_of(BLOCK) - size;
        io::copy(&mut io::repeat(0).take(padding), file).map_err(fail)?;
        let mut header = Header::new_gnu();
        header.set_path(name).map_err(fail)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_cksum();
        file.seek(SeekFrom::Start(start)).map_err(fail)?;
        file.write_all(header.as_bytes()).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        Ok(digest)
    }

    /// Two empty blocks end an archive. One that has its name is replaced, or is an error.
    fn finish(mut self, replace: bool) -> Result<()> {
        self.partial.file.write_all(&[0; 2 * BLOCK as usize]).map_err(Error::io(&self.path))?;
        if replace {
            self.partial.keep()?
        } else {
            self.partial.keep_new()?
        }
        self.staging.keep();
        Ok(())
    }
}

fn sha256() -> Hasher {
    Hasher::new(Algorithm::Sha256)
}

/// `oci-archive:` as a destination.
pub(in crate::image) struct OciTarget(Packer);

impl OciTarget {
    /// Begins the archive; one that is there is replaced once this one is complete.
    pub(in crate::image) fn create(path: &Path) -> Result<OciTarget> {
        Packer::create(path).map(OciTarget)
    }

    /// Where it will be.
    pub(in crate::image) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Writes a blob; the reader verifies it.
    pub(in crate::image) fn put(&mut self, descriptor: &Descriptor, content: impl Read) -> Result<()> {
        self.0.member(&layout::blob_name(&descriptor.digest), content, sha256()).map(drop)
    }

    /// Writes the manifest and the index that names it.
    pub(in crate::image) fn finish(mut self, raw: &[u8], media_type: &str, tag: Option<&str>) -> Result<()> {
        let descriptor = layout::named(raw, media_type, tag);
        self.put(&descriptor, raw)?;
        let index = Index::of(vec![descriptor]);
        let text = serde_json::to_vec(&index).map_err(|error| Error::malformed(layout::INDEX, error))?;
        self.0.member(layout::INDEX, text.as_slice(), sha256())?;
        self.0.member(layout::MARK, layout::VERSION, sha256())?;
        self.0.finish(true)
    }
}

/// `docker-archive:` as a destination: what `docker load` reads.
pub(in crate::image) struct DockerTarget(Packer);

impl DockerTarget {
    /// Begins the archive. One that is there may hold other images, and is not touched.
    pub(in crate::image) fn create(path: &Path) -> Result<DockerTarget> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(Error::Unavailable {
                what: format!("docker-archive:{}", path.display()),
                why: "the file exists already, and a saved image cannot be added to it".into(),
                hint: say("name a file that is not there", "请指定尚不存在的文件").into(),
            });
        }
        Packer::create(path).map(DockerTarget)
    }

    /// Where it will be.
    pub(in crate::image) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Writes a layer without its compression, which must give what the configuration says.
    pub(in crate::image) fn layer(&mut self, image: &Image, index: usize) -> Result<()> {
        let name = image.layer_name(index);
        let missing = || Error::malformed(&name, "there is none");
        let diff_id = image.diff_ids()?.get(index).ok_or_else(missing)?;
        let descriptor = image.manifest.layers.get(index).ok_or_else(missing)?;
        stream::Compression::of(&descriptor.media_type, &name)?;
        let opened = stream::open(image.blob(descriptor, &name)?);
        let (_, archive) = opened.map_err(|error| Error::from_io(&name, error))?;
        let found = self.0.member(&file(diff_id), archive, Hasher::new(diff_id.algorithm()))?;
        if found != *diff_id {
            let what = format!("{name}: uncompressed (diff_id)");
            return Err(Error::Digest { what, expected: diff_id.clone(), found });
        }
        Ok(())
    }

    /// Writes the configuration, and the list that names it.
    pub(in crate::image) fn finish(mut self, image: &Image, name: Option<&str>) -> Result<()> {
        let config = format!("{}.json", Digest::of(&image.raw_config).hex());
        self.0.member(&config, image.raw_config.as_slice(), sha256())?;
        let repo_tags = Some(name.map(docker::plain).into_iter().collect());
        let saved = [Saved { config, repo_tags, layers: image.diff_ids()?.iter().map(file).collect() }];
        let text = serde_json::to_vec(&saved).map_err(|error| Error::malformed(docker::MANIFEST, error))?;
        self.0.member(docker::MANIFEST, text.as_slice(), sha256())?;
        self.0.finish(false)
    }
}

fn file(diff_id: &Digest) -> String {
    format!("{}.tar", diff_id.hex())
}
