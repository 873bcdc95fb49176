//! `oci:`: an OCI image layout: `oci-layout`, `index.json`, and each blob as `blobs/ALGORITHM/DIGITS`.

use super::{
    Digest, Error, Result, Source,
    destination::{Destination, holds, may_hold},
    lock::Lock,
    manifest::{Descriptor, Index, MAX_JSON, json},
    partial::sweep,
    staging::{open_plain, read_small},
};
use crate::lang::say;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The annotation that holds a tag.
const TAG: &str = "org.opencontainers.image.ref.name";
/// The file that makes a directory a layout.
pub(super) const MARK: &str = "oci-layout";
/// What is in it.
pub(super) const VERSION: &[u8] = br#"{"imageLayoutVersion": "1.0.0"}"#;
/// The directory with everything that is named by its digest.
const BLOBS: &str = "blobs";
/// The file that names the images.
pub(super) const INDEX: &str = "index.json";

/// A layout, and the image that is meant.
#[derive(Debug)]
pub(super) struct Layout {
    path: PathBuf,
    meant: Meant,
}

/// What a reference to a layout names.
#[derive(Debug)]
pub(super) enum Meant {
    /// One image, or a list that is a blob of its own.
    Image(Box<Descriptor>),
    /// Images for several machines that stand side by side in `index.json`: the same as a list, byte for byte as it is shown.
    List(Vec<u8>),
}

impl Meant {
    /// The document, and what its name promises about it; `read` reads a blob.
    pub(super) fn top(&self, read: impl Fn(&Digest) -> Result<Vec<u8>>) -> Result<(Vec<u8>, Option<Descriptor>)> {
        match self {
            Meant::Image(image) => Ok((read(&image.digest)?, Some((**image).clone()))),
            Meant::List(list) => Ok((list.clone(), None)),
        }
    }
}

impl Layout {
    /// Opens a layout and finds the image: that with the tag, or the only one.
    pub(super) fn open(path: &Path, tag: Option<&str>) -> Result<Layout> {
        let meant = choose(&index(path)?, tag, &format!("oci:{}", path.display()))?;
        Ok(Layout { path: path.into(), meant })
    }
}

/// What of an index is meant: the image with the tag, or the only one, or the images for several machines that have one tag
/// or none. `what` is the layout's name for people.
pub(super) fn choose(index: &Index, tag: Option<&str>, what: &str) -> Result<Meant> {
    let tag_of = |one: &Descriptor| one.annotations.get(TAG).cloned();
    let found: Vec<&Descriptor> =
        index.manifests.iter().filter(|one| tag.is_none_or(|tag| tag_of(one).as_deref() == Some(tag))).collect();
    let one_name = found.iter().all(|one| found.first().is_some_and(|first| tag_of(first) == tag_of(one)));
    match found.as_slice() {
        [one] => return Ok(Meant::Image(Box::new((*one).clone()))),
        [_, _, ..] if one_name && found.iter().all(|one| one.platform.is_some()) => {
            let list = Index { manifests: found.into_iter().cloned().collect(), ..index.clone() };
            let list = serde_json::to_vec(&list).map_err(|error| Error::malformed(what, error))?;
            return Ok(Meant::List(list));
        }
        [first, ..] if tag.is_some() => return Ok(Meant::Image(Box::new((*first).clone()))),
        _ => {}
    }
    let tags: Vec<String> = index.manifests.iter().filter_map(tag_of).collect();
    Err(Error::Unavailable {
        what: what.into(),
        why: match tag {
            Some(tag) => format!("no image of the tag {tag:?}"),
            None => format!("{} images in it: which one?", index.manifests.len()),
        },
        hint: format!(
            "{}{}",
            say("its tags: ", "可用的标签："),
            if tags.is_empty() { say("none", "无").into() } else { tags.join(", ") }
        ),
    })
}

impl Source for Layout {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        self.meant.top(|digest| read_small(&blob_path(&self.path, digest), MAX_JSON))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_plain(&blob_path(&self.path, &descriptor.digest))?))
    }
}

fn blob_path(layout: &Path, digest: &Digest) -> PathBuf {
    layout.join(blob_name(digest))
}

/// A blob's name below the layout.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}/{}/{}", digest.algorithm().name(), digest.hex())
}

fn index(path: &Path) -> Result<Index> {
    let path = path.join(INDEX);
    json(&read_small(&path, MAX_JSON)?, &path.display().to_string())
}

/// A manifest as an index names it.
pub(super) fn named(raw: &[u8], media_type: &str, tag: Option<&str>) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: Digest::of(raw),
        size: raw.len() as u64,
        annotations: tag.map(|tag| (TAG.to_string(), tag.to_string())).into_iter().collect(),
        ..Descriptor::default()
    }
}

/// A layout that an image is copied to; images that are there already stay.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    destination: Destination,
}

impl Target {
    /// Takes a layout, what a killed copy left of one, an empty directory, or makes one.
    pub(super) fn create(path: &Path) -> Result<Target> {
        let mut destination = Destination::enter(path, INDEX, MAX_JSON)?;
        let names = destination.names()?;
        match destination.before() {
            // What is to be added to must be readable, and this is known before anything is copied.
            Some(index) => drop(json::<Index>(index, &path.join(INDEX).display().to_string())?),
            None if names.iter().all(|name| [MARK, BLOBS].contains(&name.as_str())) => {}
            None => {
                return Err(Error::Unavailable {
                    what: format!("oci:{}", path.display()),
                    why: "other files are in it, and no index.json: this is not an image layout".into(),
                    hint: say("name a directory that is empty or not there", "请指定空目录或尚不存在的目录").into(),
                });
            }
        }
        if !names.iter().any(|name| name == MARK) {
            destination.file(&path.join(MARK), VERSION)?;
        }
        Ok(Target { path: path.into(), destination })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file of a blob's name and size is there.
    pub(super) fn may_have(&self, descriptor: &Descriptor) -> bool {
        may_hold(&blob_path(&self.path, &descriptor.digest), descriptor)
    }

    /// Whether a blob is there, and right.
    pub(super) fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        holds(&blob_path(&self.path, &descriptor.digest), descriptor)
    }

    /// Writes a blob; the reader verifies it.
    pub(super) fn put(&mut self, descriptor: &Descriptor, content: impl Read) -> Result<()> {
        let path = blob_path(&self.path, &descriptor.digest);
        if let Some(parent) = path.parent() {
            self.destination.directory(parent)?;
            sweep(parent);
        }
        self.destination.file(&path, content)
    }

    /// Writes the manifest, and last the index that names it, which may have other images by now.
    pub(super) fn finish(mut self, raw: &[u8], media_type: &str, tag: Option<&str>) -> Result<()> {
        let descriptor = named(raw, media_type, tag);
        self.put(&descriptor, raw)?;
        let _lock = Lock::alone(&self.path.join(BLOBS))?;
        let path = self.path.join(INDEX);
        let mut all = match fs::symlink_metadata(&path) {
            Ok(_) => index(&self.path)?,
            Err(_) => Index::of(Vec::new()),
        };
        // A tag names one image: the one that had it before loses it.
        all.manifests.retain(|one| {
            one.annotations.get(TAG).map(String::as_str) != tag || (tag.is_none() && one.digest != descriptor.digest)
        });
        all.manifests.push(descriptor);
        let text = serde_json::to_vec(&all).map_err(|error| Error::malformed(INDEX, error))?;
        self.destination.file(&path, text.as_slice())?;
        self.destination.keep();
        Ok(())
    }
}
