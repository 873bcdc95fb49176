//! The JSON files of an image: index, manifest, configuration (OCI image specification; Docker's schema 2 says the same).

use super::{Digest, Error, Platform, Result};
use crate::kernel::text::shown;
use crate::lang::say;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Media types of OCI.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A manifest.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A configuration.
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer compressed with gzip.
pub(crate) const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Media types of Docker.
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A manifest.
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// An index or a manifest larger than this is not an honest one (registries refuse more as well), in bytes.
pub(crate) const MAX_JSON: u64 = 4 << 20;
/// How many values such a file may have: each takes more memory than it takes bytes.
const MAX_VALUES: usize = 100_000;

/// How one file of an image names another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
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
    /// Where else it may be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// What else the file says, which is kept.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Descriptor {
    /// The first address that the file itself may be had from, for people.
    pub(crate) fn address(&self) -> Option<String> {
        self.urls.first().map(|url| shown(url.as_bytes()))
    }
}

impl Default for Descriptor {
    fn default() -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: Digest::of(b""),
            size: 0,
            platform: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            more: Map::new(),
        }
    }
}

/// A list of images: the same one for several machines, or all images of a layout.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// What kind of file it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The images.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// What else the file says, which is kept.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Index {
    /// A list of these.
    pub(crate) fn of(manifests: Vec<Descriptor>) -> Index {
        Index { schema_version: 2, media_type: None, manifests, more: Map::new() }
    }
}

/// One image: its configuration and its layers, the lowest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// What kind of file it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What else the file says, which is kept.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What a container made of the image should be like.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Config {
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
pub(crate) struct Execution {
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
pub(crate) struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// One digest a layer, the lowest first.
    #[serde(default)]
    pub diff_ids: Vec<Digest>,
}

/// How a layer came about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    /// The command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether there is no layer for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// What a registry, a layout or a directory answers when asked for an image.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    /// A list of images.
    Index(Index),
    /// An image.
    Manifest(Box<Manifest>),
}

impl Document {
    /// Reads one. The file's own `mediaType` decides, then what the file that names it said, then what is in it.
    pub(crate) fn parse(bytes: &[u8], named: &str, what: &str) -> Result<Document> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            schema_version: Option<u32>,
            media_type: Option<String>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let probe: Probe = json(bytes, what)?;
        if probe.schema_version == Some(1) {
            return Err(Error::Unavailable {
                what: what.into(),
                why: "too old a format: schema 1 names no configuration".into(),
                hint: say(
                    "push the image again with a newer tool; registries and tools gave up schema 1 years ago",
                    "请用较新的工具重新推送镜像；镜像仓库和各种工具多年前就已放弃 schema 1",
                )
                .into(),
            });
        }
        let kind = probe.media_type.unwrap_or_else(|| named.to_string());
        match kind.as_str() {
            OCI_INDEX | DOCKER_LIST => Ok(Document::Index(json(bytes, what)?)),
            OCI_MANIFEST | DOCKER_MANIFEST => Ok(Document::Manifest(Box::new(json(bytes, what)?))),
            _ if probe.manifests.is_some() => Ok(Document::Index(json(bytes, what)?)),
            "" | "application/json" | "application/octet-stream" => {
                Ok(Document::Manifest(Box::new(json(bytes, what)?)))
            }
            other => Err(Error::malformed(what, format!("{other} is not an image"))),
        }
    }
}

/// Reads JSON of which the name is `what`. As in the tools that most of it comes from, `null` is the same as nothing, and of
/// one key twice the last one counts.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let wrong = |error| Error::malformed(what, error);
    if count(bytes) > MAX_VALUES {
        return Err(Error::malformed(what, format!("more than {MAX_VALUES} values in it")));
    }
    let mut value = serde_json::from_slice(bytes).map_err(wrong)?;
    without_nulls(&mut value);
    T::deserialize(value).map_err(wrong)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(all) => all.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// About how many values JSON has: what separates them, outside of texts.
fn count(bytes: &[u8]) -> usize {
    let (mut count, mut text, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b',' | b':' | b'[' | b'{' if !text => count += 1,
            _ => {}
        }
    }
    count
}

/// The same JSON, every member in a line of its own with four spaces a level. Nothing of it is lost, nor its order.
pub(crate) fn indented(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if quoted {
            out.push(letter);
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
            continue;
        }
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("    ", depth));
        };
        match letter {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                out.push(letter);
                while letters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match letters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                quoted = true;
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
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
    fn null_is_nothing() {
        let config: Config = json(
            br#"{"created":null,"os":null,"history":[{"created_by":null,"empty_layer":null}],"rootfs":{"type":null,"diff_ids":null},
                "config":{"Env":null,"Cmd":null,"Labels":{"a":null,"b":"1"},"User":null}}"#,
            "c",
        )
        .unwrap();
        assert!(config.config.env.is_none() && config.rootfs.diff_ids.is_empty() && config.history.len() == 1);
        assert_eq!(config.config.labels.unwrap().into_keys().collect::<Vec<_>>(), ["b"]);
        for text in [
            r#"{"config":null,"rootfs":null,"history":null}"#,
            r#"{"rootfs":{"diff_ids":[]}}"#,
            r#"{"variant":"","author":"x"}"#,
        ] {
            assert!(json::<Config>(text.as_bytes(), "c").is_ok(), "{text}");
        }
        let digest = Digest::of(b"x");
        let of = |rest: &str| {
            format!(r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":1{rest}}},"layers":null}}"#)
        };
        let manifest: Manifest =
            json(of(r#","annotations":null,"urls":null,"mediaType":null"#).as_bytes(), "m").unwrap();
        assert!(manifest.layers.is_empty() && manifest.config.media_type.is_empty());
        assert!(json::<Index>(br#"{"schemaVersion":2,"manifests":null,"annotations":null}"#, "i").is_ok());
        let platform: Manifest =
            json(of(r#","platform":{"os":"linux","architecture":"arm64","variant":""}"#).as_bytes(), "m").unwrap();
        assert_eq!(platform.config.platform.unwrap().to_string(), "linux/arm64");
        // A digest and a size are meant, always.
        for text in [r#"{"digest":null,"size":1}"#, r#"{"digest":"sha256:00","size":1}"#] {
            assert!(json::<Descriptor>(text.as_bytes(), "d").is_err(), "{text}");
        }
        assert!(json::<Descriptor>(format!(r#"{{"digest":"{digest}","size":null}}"#).as_bytes(), "d").is_err());
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"","digest":"{digest}","size":1,"artifactType":"a/b"}}],"subject":{{"x":1}}}}"#
        );
        let index: Index = json(text.as_bytes(), "i").unwrap();
        let again: Value = serde_json::to_value(&index).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn json_of_very_many_values_is_refused() {
        let many = format!("[{}1]", "1,".repeat(MAX_VALUES));
        assert!(json::<Value>(many.as_bytes(), "x").unwrap_err().to_string().contains("more than 100000 values"));
        // What is within a text is one value.
        let text = serde_json::to_vec(&many.replace('1', "\"\\")).unwrap();
        assert!(json::<Value>(&text, "x").is_ok());
    }

    #[test]
    fn json_is_indented_as_it_is() {
        let text = br#"{"b":[1,{"x":"a, [b] \" {c}"}],"a":{},"e":[ ],"n":1.50}"#;
        let wanted = "{\n    \"b\": [\n        1,\n        {\n            \"x\": \"a, [b] \\\" {c}\"\n        }\n    ],\n    \
                      \"a\": {},\n    \"e\": [],\n    \"n\": 1.50\n}";
        assert_eq!(indented(text), wanted);
        assert_eq!(indented(indented(text).as_bytes()), wanted);
    }
}
