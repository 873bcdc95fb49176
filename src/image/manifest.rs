//! The JSON files of an image: index, manifest, configuration (OCI image specification; Docker's schema 2 says the same).

use super::{Digest, Error, Platform, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Media types of OCI.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer compressed with gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Media types of Docker.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// An index or a manifest larger than this is no honest one (registries refuse more than 4 MiB).
pub const MAX_JSON: u64 = 8 << 20;

/// How one file of an image names another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of file it is.
    #[serde(default)]
    pub media_type: String,
    /// Its digest, which is its name.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// In an index: the machine it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Notes, such as the tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Default for Descriptor {
    fn default() -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: Digest::of(b""),
            size: 0,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// A list of images: the same one for several machines, or all images of a layout.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What kind of file it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The images.
    pub manifests: Vec<Descriptor>,
}

/// One image: its configuration and its layers, the lowest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// What kind of file it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers.
    pub layers: Vec<Descriptor>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What a container made of the image should be like.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Config {
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The CPU.
    #[serde(default)]
    pub architecture: String,
    /// Its variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The operating system.
    #[serde(default)]
    pub os: String,
    /// What to run, and how.
    #[serde(default)]
    pub config: Execution,
    /// The layers.
    #[serde(default)]
    pub rootfs: RootFs,
    /// How each layer came about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// What to run, and how. Every field may be missing or null.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// User and group, by name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments, or the program where there is no entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Where to start it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// The layers once more, as digests of the *uncompressed* archives.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// One digest a layer, the lowest first.
    #[serde(default)]
    pub diff_ids: Vec<Digest>,
}

/// How a layer came about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    /// The command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether there is no layer for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// What a registry, a layout or a directory answers when asked for an image.
#[derive(Clone, Debug)]
pub enum Document {
    /// A list of images.
    Index(Index),
    /// An image.
    Manifest(Manifest),
}

impl Document {
    /// Reads one. The file's own `mediaType` decides, then what the file that names it said, then what is in it.
    pub fn parse(bytes: &[u8], named: &str, what: &str) -> Result<Document> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            schema_version: Option<u32>,
            media_type: Option<String>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let probe: Probe = json(bytes, what)?;
        if probe.schema_version == Some(1) {
            return Err(Error::Unusable {
                what: what.into(),
                why: "too old a format: schema 1 names no configuration".into(),
                hint: "push the image again with a newer tool; registries and tools gave up schema 1 years ago".into(),
            });
        }
        let kind = probe.media_type.unwrap_or_else(|| named.to_string());
        match kind.as_str() {
            OCI_INDEX | DOCKER_LIST => Ok(Document::Index(json(bytes, what)?)),
            OCI_MANIFEST | DOCKER_MANIFEST => Ok(Document::Manifest(json(bytes, what)?)),
            _ if probe.manifests.is_some() => Ok(Document::Index(json(bytes, what)?)),
            "" | "application/json" | "application/octet-stream" => Ok(Document::Manifest(json(bytes, what)?)),
            other => Err(Error::malformed(what, format!("{other} is no image"))),
        }
    }
}

/// Reads JSON of which the name is `what`.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_1_is_too_old_and_not_an_image_without_layers() {
        let error = Document::parse(br#"{"schemaVersion":1,"fsLayers":[]}"#, "", "m").unwrap_err();
        assert!(error.to_string().contains("too old"), "{error}");
    }

    #[test]
    fn a_configuration_may_be_nearly_empty() {
        let config: Config = json(br#"{"config":{"Env":null,"Cmd":null},"rootfs":{"diff_ids":[]}}"#, "c").unwrap();
        assert!(config.config.env.is_none());
    }
}
