//! Copying an image: every blob is verified on its way.

use super::{
    Access, Digest, Error, Image, Reference, Result,
    archive::write::{DockerTarget, OciTarget},
    dir, layout,
    manifest::{
        DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Index, Manifest, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST,
    },
    registry::push,
    room::room,
};
use crate::lang::say;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What is being copied, for the caller that shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// One image of a list: its number, and how many there are.
    Image(usize, usize),
    /// A layer, by its index.
    Layer(usize, &'a Descriptor),
    /// A layer that is at the destination already.
    Skipped(&'a Descriptor),
    /// A layer that has its own address, which goes along in its place.
    Elsewhere(&'a Descriptor),
    /// The configuration.
    Config(&'a Descriptor),
    /// The manifest, last.
    Manifest,
}

enum Target {
    Dir(dir::Target),
    Oci(layout::Target, Option<String>),
    OciArchive(OciTarget, Option<String>),
    DockerArchive(DockerTarget, Option<String>),
    Registry(Box<push::Target>),
}

impl Target {
    fn create(to: &Reference, access: &Access) -> Result<Target> {
        Ok(match to {
            Reference::Dir(path) => Target::Dir(dir::Target::create(path)?),
            Reference::Oci { dir, tag } => Target::Oci(layout::Target::create(dir)?, tag.clone()),
            Reference::OciArchive { file, tag } => Target::OciArchive(OciTarget::create(file)?, tag.clone()),
            Reference::DockerArchive { file, name } => Target::DockerArchive(DockerTarget::create(file)?, name.clone()),
            Reference::Docker(name) => Target::Registry(Box::new(push::Target::open(name, access)?)),
            Reference::Builtin => {
                return Err(Error::Unavailable {
                    what: to.to_string(),
                    why: "this image is made of the programs of this machine, and nothing is copied there".into(),
                    hint: say("copy to dir:DIR or to oci:DIR:TAG", "请复制到 dir:目录 或 oci:目录:标签").into(),
                });
            }
        })
    }

    /// Whether a layer is there already, so that its source need not be asked.
    fn has(&mut self, layer: &Descriptor) -> Result<bool> {
        match self {
            Target::Dir(target) => target.has(layer),
            Target::Oci(target, _) => target.has(layer),
            Target::Registry(target) => target.has(&layer.digest),
            Target::OciArchive(..) | Target::DockerArchive(..) => Ok(false),
        }
    }

    /// Whether the destination takes the address of a layer in place of the layer, as skopeo does: what has one may mostly not
    /// be distributed (OCI image specification, layer: non-distributable layers).
    fn is_elsewhere(&self, layer: &Descriptor) -> bool {
        !layer.urls.is_empty() && matches!(self, Target::Oci(..) | Target::OciArchive(..) | Target::Registry(_))
    }

    /// Looks for room for what is not there yet. Layers that are kept without their compression become larger than this.
    fn look_for_room(&self, image: &Image, done: &BTreeSet<Digest>) -> Result<()> {
        let (path, there): (&Path, &dyn Fn(&Descriptor) -> bool) = match self {
            Target::Dir(target) => (target.path(), &|blob| target.may_have(blob)),
            Target::Oci(target, _) => (target.path(), &|blob| target.may_have(blob)),
            Target::OciArchive(target, _) => (target.path(), &|_| false),
            Target::DockerArchive(target, _) => (target.path(), &|_| false),
            Target::Registry(_) => return Ok(()),
        };
        let blobs = image.manifest.layers.iter().chain([&image.manifest.config]);
        let missing = blobs.filter(|blob| !done.contains(&blob.digest) && !self.is_elsewhere(blob) && !there(blob));
        let sizes: BTreeMap<&Digest, u64> = missing.map(|blob| (&blob.digest, blob.size)).collect();
        room(path, sizes.values().copied().fold(0, u64::saturating_add), image.name())
    }

    fn layer(&mut self, image: &Image, index: usize, layer: &Descriptor) -> Result<()> {
        let content = || image.blob(layer, &image.layer_name(index));
        match self {
            Target::Dir(target) => target.put(layer, content()?),
            Target::Oci(target, _) => target.put(layer, content()?),
            Target::OciArchive(target, _) => target.put(layer, content()?),
            Target::DockerArchive(target, _) => target.layer(image, index),
            Target::Registry(target) => target.put(layer, content),
        }
    }

    fn config(&mut self, image: &Image) -> Result<()> {
        let (config, bytes) = (&image.manifest.config, image.raw_config.as_slice());
        match self {
            Target::Dir(target) => target.put(config, bytes),
            Target::Oci(target, _) => target.put(config, bytes),
            Target::OciArchive(target, _) => target.put(config, bytes),
            Target::Registry(target) if target.has(&config.digest)? => Ok(()),
            Target::Registry(target) => target.put(config, || Ok(bytes)),
            Target::DockerArchive(..) => Ok(()),
        }
    }

    /// What the image's manifest is there.
    fn manifest_of(&self, image: &Image) -> Result<(Vec<u8>, String)> {
        match self {
            Target::Oci(..) | Target::OciArchive(..) => as_oci(image),
            _ if image.media_type.is_empty() => Ok((image.raw.clone(), OCI_MANIFEST.into())),
            _ => Ok((image.raw.clone(), image.media_type.clone())),
        }
    }

    /// Writes the manifest of one image of a list.
    fn one_of(&mut self, image: &Image, named: &Descriptor) -> Result<Descriptor> {
        let (raw, media_type) = self.manifest_of(image)?;
        let named = Descriptor { media_type, digest: Digest::of(&raw), size: raw.len() as u64, ..named.clone() };
        match self {
            Target::Dir(target) => target.one_of(&named, &raw)?,
            Target::Oci(target, _) => target.put(&named, raw.as_slice())?,
            Target::OciArchive(target, _) => target.put(&named, raw.as_slice())?,
            Target::Registry(target) => target.manifest(&raw, &named.media_type, false)?,
            Target::DockerArchive(..) => {}
        }
        Ok(named)
    }

    /// Writes what the reference names, last.
    fn finish(self, image: &Image, raw: &[u8], media_type: &str) -> Result<()> {
        match self {
            Target::Dir(target) => target.finish(raw),
            Target::Oci(target, tag) => target.finish(raw, media_type, tag.as_deref()),
            Target::OciArchive(target, tag) => target.finish(raw, media_type, tag.as_deref()),
            Target::DockerArchive(target, name) => target.finish(image, name.as_deref()),
            Target::Registry(target) => target.manifest(raw, media_type, true),
        }
    }
}

/// Copies an image, or all images of a list. On failure nothing is left at a destination on this machine that was not there
/// before. `access` is how a registry is reached that is copied to.
pub(crate) fn copy(
    image: &Image,
    to: &Reference,
    access: &Access,
    all: bool,
    mut tell: impl FnMut(Part),
) -> Result<()> {
    let list = if all { image.list()? } else { None };
    if list.is_some() && matches!(to, Reference::DockerArchive { .. }) {
        return Err(Error::Unavailable {
            what: to.to_string(),
            why: "a list of images cannot be kept there".into(),
            hint: say(
                "copy it to oci:DIR:TAG, or one of its images without --all",
                "请复制到 oci:目录:标签，或去掉 --all 只复制其中一个镜像",
            )
            .into(),
        });
    }
    let (mut target, mut done) = (Target::create(to, access)?, BTreeSet::new());
    let Some(index) = list else {
        blobs(image, &mut target, &mut done, &mut tell)?;
        tell(Part::Manifest);
        let (raw, media_type) = target.manifest_of(image)?;
        return target.finish(image, &raw, &media_type);
    };
    let mut named = Vec::new();
    for (number, descriptor) in index.manifests.iter().enumerate() {
        tell(Part::Image(number + 1, index.manifests.len()));
        let one = image.one(descriptor)?;
        blobs(&one, &mut target, &mut done, &mut tell)?;
        tell(Part::Manifest);
        named.push(target.one_of(&one, descriptor)?);
    }
    tell(Part::Manifest);
    let docker = index.media_type.as_deref() == Some(DOCKER_LIST);
    let oci = matches!(target, Target::Oci(..) | Target::OciArchive(..));
    if named == index.manifests && !(docker && oci) {
        return target.finish(image, &image.top, if docker { DOCKER_LIST } else { OCI_INDEX });
    }
    let index = Index { media_type: Some(OCI_INDEX.into()), manifests: named, ..index };
    let raw = serde_json::to_vec(&index).map_err(|error| Error::malformed(image.name(), error))?;
    target.finish(image, &raw, OCI_INDEX)
}

/// Copies what a manifest names. Two layers may be the same blob, which is one file.
fn blobs(image: &Image, target: &mut Target, done: &mut BTreeSet<Digest>, tell: &mut impl FnMut(Part)) -> Result<()> {
    target.look_for_room(image, done)?;
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        if !done.insert(layer.digest.clone()) {
            continue;
        }
        if target.is_elsewhere(layer) {
            tell(Part::Elsewhere(layer));
        } else if target.has(layer)? {
            tell(Part::Skipped(layer));
        } else {
            tell(Part::Layer(index, layer));
            target.layer(image, index, layer)?;
        }
    }
    tell(Part::Config(&image.manifest.config));
    if done.insert(image.manifest.config.digest.clone()) { target.config(image) } else { Ok(()) }
}

/// A layout holds OCI's own documents, so Docker's manifest is written anew. The blobs stay what they are.
fn as_oci(image: &Image) -> Result<(Vec<u8>, String)> {
    if image.media_type != DOCKER_MANIFEST {
        return Ok((image.raw.clone(), OCI_MANIFEST.into()));
    }
    let config = Descriptor { media_type: OCI_CONFIG.into(), ..image.manifest.config.clone() };
    let layers = image.manifest.layers.iter().map(|layer| Descriptor {
        media_type: match layer.media_type.as_str() {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => OCI_LAYER_GZIP.into(),
            "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar".into(),
            other => other.to_string(),
        },
        ..layer.clone()
    });
    let manifest =
        Manifest { media_type: Some(OCI_MANIFEST.into()), config, layers: layers.collect(), ..image.manifest.clone() };
    let raw = serde_json::to_vec(&manifest).map_err(|error| Error::malformed(image.name(), error))?;
    Ok((raw, OCI_MANIFEST.into()))
}
