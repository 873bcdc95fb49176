//! Layers and images as no honest tool would make them: every name, size and digest is written as it is told.

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{fs, io::Write, path::Path};
use tar::{Builder, EntryType, Header};

pub const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const OCI_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub const OCI_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// The time of every entry.
pub const TIME: u64 = 1_000_000_000;

/// One entry of a layer.
#[derive(Clone, Debug)]
pub struct Entry {
    pub kind: EntryType,
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub content: Vec<u8>,
    pub mode: u32,
    pub owner: (u64, u64),
    pub device: (u32, u32),
    /// Records of an extended header before it.
    pub pax: Vec<(&'static str, Vec<u8>)>,
    /// Long names are written as GNU writes them and not as POSIX does.
    pub gnu: bool,
}

pub fn entry(kind: EntryType, path: impl AsRef<[u8]>, rest: impl AsRef<[u8]>) -> Entry {
    let link = matches!(kind, EntryType::Symlink | EntryType::Link);
    let (link, content) = if link { (rest.as_ref(), &b""[..]) } else { (&b""[..], rest.as_ref()) };
    Entry {
        kind,
        path: path.as_ref().into(),
        link: link.into(),
        content: content.into(),
        mode: if kind == EntryType::Directory { 0o755 } else { 0o644 },
        owner: (0, 0),
        device: (1, 3),
        pax: Vec::new(),
        gnu: false,
    }
}

pub fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Entry {
    entry(EntryType::Regular, path, content)
}

pub fn dir(path: impl AsRef<[u8]>) -> Entry {
    entry(EntryType::Directory, path, "")
}

pub fn symlink(path: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Entry {
    entry(EntryType::Symlink, path, text)
}

pub fn hard_link(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Entry {
    entry(EntryType::Link, path, target)
}

/// A record `LENGTH KEY=VALUE\n`, whose length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let length = (1..20).map(|digits| rest.len() + digits).find(|all| all.to_string().len() + rest.len() == *all);
    [length.unwrap().to_string().into_bytes(), rest].concat()
}

/// A header of an entry without checksum.
pub fn header(one: &Entry) -> Header {
    let mut header = Header::new_gnu();
    let short = |text: &[u8]| text.get(..100).unwrap_or(text).to_vec();
    header.as_old_mut().name[..short(&one.path).len()].copy_from_slice(&short(&one.path));
    header.as_old_mut().linkname[..short(&one.link).len()].copy_from_slice(&short(&one.link));
    header.set_entry_type(one.kind);
    header.set_mode(one.mode);
    header.set_uid(one.owner.0);
    header.set_gid(one.owner.1);
    header.set_mtime(TIME);
    header.set_size(one.content.len() as u64);
    if matches!(one.kind, EntryType::Char | EntryType::Block) {
        header.set_device_major(one.device.0).unwrap();
        header.set_device_minor(one.device.1).unwrap();
    }
    header
}

/// An archive; names are written as they are, also those that no honest program writes.
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut put = |mut header: Header, content: &[u8]| {
        header.set_cksum();
        builder.append(&header, content).unwrap();
    };
    for one in entries {
        let mut records = one.pax.clone();
        for (text, key, kind) in
            [(&one.path, "path", EntryType::GNULongName), (&one.link, "linkpath", EntryType::GNULongLink)]
        {
            if text.len() > 100 && one.gnu {
                let content = [text.as_slice(), b"\0"].concat();
                put(header(&entry(kind, "././@LongLink", &content)), &content);
            } else if text.len() > 100 {
                records.push((key, text.clone()));
            }
        }
        if !records.is_empty() {
            let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
            put(header(&entry(EntryType::XHeader, "PaxHeaders/entry", &content)), &content);
        }
        put(header(one), &one.content);
    }
    builder.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A layer of an image, and what the image says about it.
#[derive(Clone, Debug)]
pub struct Layer {
    pub media_type: &'static str,
    /// What the manifest names.
    pub named: Vec<u8>,
    /// What is really there.
    pub stored: Vec<u8>,
    /// The digits of what the configuration names.
    pub diff_id: String,
}

impl Layer {
    /// An honest one of these bytes, compressed from this archive.
    pub fn new(media_type: &'static str, bytes: Vec<u8>, archive: &[u8]) -> Layer {
        Layer { media_type, named: bytes.clone(), stored: bytes, diff_id: sha256(archive) }
    }

    pub fn gzip(archive: &[u8]) -> Layer {
        Layer::new(OCI_GZIP, gzip(archive), archive)
    }
}

/// Writes a blob; gives its descriptor.
pub fn blob(path: &Path, media_type: &str, named: &[u8], stored: &[u8]) -> String {
    let blobs = path.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(sha256(named)), stored).unwrap();
    format!(r#"{{"mediaType":"{media_type}","digest":"sha256:{}","size":{}}}"#, sha256(named), named.len())
}

/// A descriptor that says more: `more` is `,"KEY":VALUE`.
pub fn with(descriptor: &str, more: &str) -> String {
    format!("{}{more}}}", descriptor.strip_suffix('}').unwrap())
}

/// Writes the blobs of an image for a platform, `OS/ARCHITECTURE`; `execution` is the JSON of how it is to be run. Gives the
/// manifest's descriptor and the configuration.
pub fn manifest(path: &Path, layers: &[Layer], platform: &str, execution: &str) -> (String, Vec<u8>) {
    let named = layers.iter().map(|layer| blob(path, layer.media_type, &layer.named, &layer.stored));
    let named: Vec<String> = named.collect();
    let ids: Vec<String> = layers.iter().map(|layer| format!(r#""sha256:{}""#, layer.diff_id)).collect();
    let (os, architecture) = platform.split_once('/').unwrap();
    let config = format!(
        r#"{{"architecture":"{architecture}","os":"{os}","config":{execution},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let config = config.into_bytes();
    let config_named = blob(path, "application/vnd.oci.image.config.v1+json", &config, &config);
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config_named},"layers":[{}]}}"#,
        named.join(",")
    );
    (blob(path, media_type, manifest.as_bytes(), manifest.as_bytes()), config)
}

/// Writes a list of what these descriptors name; gives its descriptor.
pub fn index(path: &Path, descriptors: &[String]) -> String {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let list = format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{}]}}"#, descriptors.join(","));
    blob(path, media_type, list.as_bytes(), list.as_bytes())
}

/// Makes a directory with blobs an OCI layout, in which what the descriptor names is `latest`.
pub fn latest(path: &Path, descriptor: &str) {
    tagged(path, descriptor, "latest");
}

/// The same with another tag.
pub fn tagged(path: &Path, descriptor: &str, tag: &str) {
    let named = with(descriptor, &format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#));
    fs::write(path.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{named}]}}"#)).unwrap();
    fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// This machine as `OS/ARCHITECTURE`.
pub fn here() -> String {
    format!("linux/{}", boxwright::image::Platform::host().architecture)
}

/// Writes an OCI layout with one image of these layers for this machine, and gives its configuration.
pub fn image(path: &Path, layers: &[Layer]) -> Vec<u8> {
    let (named, config) = manifest(path, layers, &here(), r#"{"Cmd":["/bin/sh"]}"#);
    latest(path, &named);
    config
}

/// The same of archives, each compressed with gzip; gives the digits of their blobs.
pub fn layout(path: &Path, archives: &[Vec<u8>]) -> Vec<String> {
    let layers: Vec<Layer> = archives.iter().map(|archive| Layer::gzip(archive)).collect();
    image(path, &layers);
    layers.iter().map(|layer| sha256(&layer.named)).collect()
}
