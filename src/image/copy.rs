//! Copying an image: every blob is verified on its way.

use super::{
    Error, Image, Reference, Result,
    archive::write::{DockerTarget, OciTarget},
    dir, layout,
    manifest::{DOCKER_MANIFEST, Descriptor, Manifest, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST},
};
use std::collections::BTreeSet;

/// What is being copied, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A layer, by its index.
    Layer(usize, &'a Descriptor),
    /// A layer that is at the destination already.
    Skipped(&'a Descriptor),
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
}

impl Target {
    /// Whether a layer is there already, so that its source need not be asked.
    fn has(&mut self, layer: &Descriptor) -> Result<bool> {
        match self {
            Target::Dir(target) => target.has(layer),
            Target::Oci(target, _) => target.has(layer),
            Target::OciArchive(..) | Target::DockerArchive(..) => Ok(false),
        }
    }

    fn layer(&mut self, image: &Image, index: usize, layer: &Descriptor) -> Result<()> {
        let content = || image.blob(layer, &image.layer_name(index));
        match self {
            Target::Dir(target) => target.put(layer, content()?),
            Target::Oci(target, _) => target.put(layer, content()?),
            Target::OciArchive(target, _) => target.put(layer, content()?),
            Target::DockerArchive(target, _) => target.layer(image, index),
        }
    }

    fn finish(mut self, image: &Image) -> Result<()> {
        let (config, bytes) = (&image.manifest.config, image.raw_config.as_slice());
        match &mut self {
            Target::Dir(target) => target.put(config, bytes)?,
            Target::Oci(target, _) => target.put(config, bytes)?,
            Target::OciArchive(target, _) => target.put(config, bytes)?,
            Target::DockerArchive(..) => {}
        }
        match self {
            Target::Dir(target) => target.finish(image),
            Target::Oci(target, tag) => {
                as_oci(image).and_then(|(raw, media_type)| target.finish(&raw, &media_type, tag.as_deref()))
            }
            Target::OciArchive(target, tag) => {
                as_oci(image).and_then(|(raw, media_type)| target.finish(&raw, &media_type, tag.as_deref()))
            }
            Target::DockerArchive(target, name) => target.finish(image, name.as_deref()),
        }
    }
}

/// Copies an image. On failure nothing is left at the destination that was not there before.
pub fn copy(image: &Image, to: &Reference, mut tell: impl FnMut(Part)) -> Result<()> {
    let mut target = match to {
        Reference::Dir(path) => Target::Dir(dir::Target::create(path)?),
        Reference::Oci { dir, tag } => Target::Oci(layout::Target::create(dir)?, tag.clone()),
        Reference::OciArchive { file, tag } => Target::OciArchive(OciTarget::create(file)?, tag.clone()),
        Reference::DockerArchive { file, name } => Target::DockerArchive(DockerTarget::create(file)?, name.clone()),
        Reference::Builtin | Reference::Docker(_) => {
            return Err(Error::Unusable {
                what: to.to_string(),
                why: "images are not copied there, only from there".into(),
                hint: "copy to dir:DIR or to oci:DIR:TAG".into(),
            });
        }
    };
    let mut done = BTreeSet::new();
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        // Two layers may be the same blob, which is one file.
        if !done.insert(layer.digest.clone()) {
            continue;
        }
        if target.has(layer)? {
            tell(Part::Skipped(layer));
        } else {
            tell(Part::Layer(index, layer));
            target.layer(image, index, layer)?;
        }
    }
    tell(Part::Config(&image.manifest.config));
    tell(Part::Manifest);
    target.finish(image)
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
