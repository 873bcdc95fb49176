//! Copying an image: every blob is verified on its way.

use super::{
    Error, Image, Reference, Result, dir, layout,
    manifest::{DOCKER_MANIFEST, Descriptor, Manifest, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST},
};
use std::{collections::BTreeSet, io::Read};

/// What is being copied, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A layer, by its index.
    Layer(usize, &'a Descriptor),
    /// The configuration.
    Config(&'a Descriptor),
    /// The manifest, last.
    Manifest,
}

enum Target {
    Dir(dir::Target),
    Oci(layout::Target, Option<String>),
}

impl Target {
    fn put(&mut self, descriptor: &Descriptor, content: impl Read) -> Result<()> {
        match self {
            Target::Dir(target) => target.put(descriptor, content),
            Target::Oci(target, _) => target.put(descriptor, content),
        }
    }
}

/// Copies an image. On failure nothing is left at the destination that was not there before.
pub fn copy(image: &Image, to: &Reference, mut tell: impl FnMut(Part)) -> Result<()> {
    let mut target = match to {
        Reference::Dir(path) => Target::Dir(dir::Target::create(path)?),
        Reference::Oci { dir, tag } => Target::Oci(layout::Target::create(dir)?, tag.clone()),
        Reference::Builtin => {
            return Err(Error::Unusable {
                what: to.to_string(),
                why: "the built-in image is only a source".into(),
                hint: "copy to dir:DIR or to oci:DIR:TAG".into(),
            });
        }
    };
    let mut done = BTreeSet::new();
    for (index, layer) in image.manifest.layers.iter().enumerate() {
        // Two layers may be the same blob, which is one file.
        if done.insert(layer.digest.clone()) {
            tell(Part::Layer(index, layer));
            target.put(layer, image.blob(layer, &image.layer_name(index))?)?;
        }
    }
    let config = &image.manifest.config;
    tell(Part::Config(config));
    target.put(config, image.raw_config.as_slice())?;
    tell(Part::Manifest);
    match target {
        Target::Dir(target) => target.finish(image),
        Target::Oci(target, tag) => {
            let (raw, media_type) = as_oci(image)?;
            target.finish(&raw, &media_type, tag.as_deref())
        }
    }
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
