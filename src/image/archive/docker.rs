//! `docker-archive:`: what `docker save` writes. Its `manifest.json` lists images, each with the names of its configuration
//! and of its layers, but no digest of a layer: it is the configuration's `diff_ids` that say what those must be.

use super::Archive;
use crate::image::{
    Digest, Error, Result, Source,
    digest::{Algorithm, Hasher, Hashing},
    manifest::{Config, DOCKER_MANIFEST, Descriptor, MAX_JSON, Manifest, json},
    staging,
    unpack::stream::Compression,
};
use crate::lang::say;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
};

/// The file that lists the images.
pub(super) const MANIFEST: &str = "manifest.json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// One image of the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    /// The configuration's file.
    pub config: String,
    /// What the image is called.
    pub repo_tags: Option<Vec<String>>,
    /// The layers' files, the lowest first.
    pub layers: Vec<String>,
}

/// An archive, and the image that is meant.
#[derive(Debug)]
pub(in crate::image) struct DockerArchive {
    archive: Archive,
    /// The manifest as a registry would have it.
    manifest: Vec<u8>,
    files: BTreeMap<Digest, String>,
}

impl DockerArchive {
    /// Opens an archive and finds the image: that of the name, or the only one.
    pub(in crate::image) fn open(path: &Path, name: Option<&str>) -> Result<DockerArchive> {
        let (archive, what) = (Archive::open(path)?, format!("docker-archive:{}", path.display()));
        if !archive.has(MANIFEST) {
            let (why, hint) = match (archive.has("index.json"), archive.has("repositories")) {
                (true, _) => (
                    "no manifest.json in it",
                    say(
                        format!("oci-archive:{} reads a layout", path.display()),
                        format!("这是 OCI layout，请用 oci-archive:{}", path.display()),
                    ),
                ),
                (_, true) => (
                    "too old a format: no manifest.json in it",
                    say("save it again with a newer docker", "请用较新的 docker 重新保存").into(),
                ),
                _ => (
                    "no manifest.json in it",
                    say("docker save NAME > FILE writes such an archive", "这种归档由 docker save 镜像 > 文件 生成")
                        .into(),
                ),
            };
            return Err(Error::Unavailable { what, why: why.into(), hint });
        }
        let images: Vec<Saved> = json(&archive.read_small(MANIFEST, MAX_JSON)?, &archive.named(MANIFEST))?;
        let image = choose(&images, name, what)?;
        let raw_config = archive.read_small(&image.config, MAX_JSON)?;
        let config_name = archive.named(&image.config);
        // The configuration is named after its digest: it is held to that, as nothing else says what it should be.
        let digest = Digest::of(&raw_config);
        if let Some(expected) = promised(&image.config).filter(|promised| *promised != digest) {
            return Err(Error::Digest { what: config_name, expected, found: digest });
        }
        let config: Config = json(&raw_config, &config_name)?;
        let ids = &config.rootfs.diff_ids;
        if ids.len() != image.layers.len() {
            let why = format!("{} diff_ids for {} layers", ids.len(), image.layers.len());
            return Err(Error::malformed(config_name, why));
        }
        let mut files = BTreeMap::new();
        let mut layers = Vec::new();
        for (file, id) in image.layers.iter().zip(ids) {
            let layer = layer(&archive, file, id)?;
            files.insert(layer.digest.clone(), file.clone());
            layers.push(layer);
        }
        files.insert(digest.clone(), image.config.clone());
        let size = raw_config.len() as u64;
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(DOCKER_MANIFEST.into()),
            config: Descriptor { media_type: CONFIG.into(), digest, size, ..Descriptor::default() },
            layers,
            annotations: BTreeMap::new(),
            more: serde_json::Map::new(),
        };
        let manifest = serde_json::to_vec(&manifest).map_err(|error| Error::malformed(config_name, error))?;
        Ok(DockerArchive { archive, manifest, files })
    }
}

impl DockerArchive {
    /// The names of all images in an archive.
    pub(in crate::image) fn tags(path: &Path) -> Result<Vec<String>> {
        let archive = Archive::open(path)?;
        let images: Vec<Saved> = json(&archive.read_small(MANIFEST, MAX_JSON)?, &archive.named(MANIFEST))?;
        Ok(images.into_iter().flat_map(|image| image.repo_tags.unwrap_or_default()).collect())
    }
}

impl Source for DockerArchive {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        Ok((self.manifest.clone(), None))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let missing = || Error::malformed(self.archive.named(&descriptor.digest.to_string()), "no such file");
        Ok(self.archive.read(self.files.get(&descriptor.digest).ok_or_else(missing)?)?.1)
    }
}

/// The image that is meant. Docker writes no tag as `:latest`, and its own registry's name not at all.
fn choose<'a>(images: &'a [Saved], name: Option<&str>, what: String) -> Result<&'a Saved> {
    let tags = |image: &'a Saved| image.repo_tags.iter().flatten();
    let found = match name {
        None if images.len() == 1 => images.first(),
        None => None,
        Some(name) => match name.strip_prefix('@').and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => images.get(number),
            None => images.iter().find(|image| tags(image).any(|tag| plain(tag) == plain(name))),
        },
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = images.iter().flat_map(tags).map(String::as_str).collect();
        let why = match name {
            Some(name) => format!("no image called {name:?}"),
            None => format!("{} images in it: which one?", images.len()),
        };
        let known = if known.is_empty() { "-".into() } else { known.join(", ") };
        let hint = say(format!("its images: {known} (or @0 and so on)"), format!("可用的镜像：{known}（或 @0 等）"));
        Error::Unavailable { what, why, hint }
    })
}

/// A name as it stands in `RepoTags`.
pub(super) fn plain(name: &str) -> String {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let tagged = short.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { short.into() } else { format!("{short}:latest") }
}

/// What a layer's descriptor would be in a registry. Newer versions of docker save compressed layers under their own
/// digest; elsewhere layers are plain, so that `diff_id` is their digest.
fn layer(archive: &Archive, file: &str, diff_id: &Digest) -> Result<Descriptor> {
    let (size, mut content) = archive.read(file)?;
    let mut start = [0; 4];
    let fail = |error| Error::from_io(archive.named(file), error);
    let count = content.read(&mut start).map_err(fail)?;
    let start = start.get(..count).unwrap_or_default();
    let suffix = match Compression::sniff(start) {
        Compression::None => {
            let (media_type, digest) = (LAYER.to_string(), diff_id.clone());
            return Ok(Descriptor { media_type, digest, size, ..Descriptor::default() });
        }
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let media_type = format!("{LAYER}.{suffix}");
    let digest = match promised(file) {
        Some(digest) => digest,
        // What is stored under another name is known only by what it decompresses to.
        None => {
            let mut hashing = Hashing { inner: io::sink(), hasher: Hasher::new(Algorithm::Sha256) };
            hashing.hasher.update(start);
            staging::copy(&mut content, &mut hashing, &archive.named(file))?;
            hashing.hasher.finish()
        }
    };
    Ok(Descriptor { media_type, digest, size, ..Descriptor::default() })
}

/// The digest that a file is named after: `blobs/sha256/HEX`, or `HEX.json` as older versions wrote it.
fn promised(file: &str) -> Option<Digest> {
    let name = file.rsplit('/').next()?;
    format!("sha256:{}", name.strip_suffix(".json").unwrap_or(name)).parse().ok()
}
