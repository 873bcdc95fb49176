//! Packing the built-in image: two layers, a configuration and a manifest, always the same for the same files.

use super::recipe::Recipe;
use crate::image::{
    Digest, Error, Platform, Result,
    digest::{Algorithm, Hasher, Hashing},
    manifest::{Config, Descriptor, Execution, History, Manifest, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, RootFs},
    staging,
};
use flate2::{Compression, write::GzEncoder};
use include_dir::{Dir, include_dir};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::{Component, Path, PathBuf},
};
use tar::{Builder, EntryType, Header};

static LOWER: Dir = include_dir!("$CARGO_MANIFEST_DIR/assets/lower");
static UPPER: Dir = include_dir!("$CARGO_MANIFEST_DIR/assets/upper");

/// One time for every file: an image of the same files has the same digests.
const TIME: u64 = 1_000_000_000;

/// Directories that a root needs even while they are empty.
const DIRECTORIES: [(&str, u32); 13] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("var", 0o755),
    ("var/tmp", 0o1777),
];

/// The finished image: its blobs, and which of them is the manifest.
pub(super) struct Packed {
    /// Every blob with its bytes.
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
    /// The manifest, byte for byte.
    pub manifest: Vec<u8>,
}

/// Packs what the recipe names.
pub(super) fn pack(recipe: &Recipe) -> Result<Packed> {
    let lower = layer(|archive| lower(archive, recipe))?;
    let upper = layer(|archive| assets(archive, &UPPER, &BTreeSet::new()))?;
    let platform = Platform::host();
    let words = |words: &[&str]| Some(words.iter().map(|word| word.to_string()).collect());
    let told = |text: &str| History { created_by: Some(text.into()), empty_layer: false };
    let config = Config {
        created: Some("2001-09-09T01:46:40Z".into()),
        architecture: platform.architecture,
        variant: platform.variant,
        os: platform.os,
        config: Execution {
            env: words(&["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
            cmd: words(&["/bin/sh"]),
            working_dir: Some("/".into()),
            ..Execution::default()
        },
        rootfs: RootFs { kind: "layers".into(), diff_ids: vec![lower.diff_id.clone(), upper.diff_id.clone()] },
        history: vec![told("programs of this machine"), told("a whiteout and an opaque directory")],
    };
    let config = encoded(&config)?;
    let config_descriptor = describe(OCI_CONFIG, &config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(OCI_MANIFEST.into()),
        config: config_descriptor.clone(),
        layers: [&lower, &upper].map(|layer| describe(OCI_LAYER_GZIP, &layer.bytes)).to_vec(),
        annotations: BTreeMap::new(),
        more: serde_json::Map::new(),
    };
    let mut blobs: Vec<(Descriptor, Vec<u8>)> =
        manifest.layers.iter().cloned().zip([lower.bytes, upper.bytes]).collect();
    blobs.push((config_descriptor, config));
    Ok(Packed { manifest: encoded(&manifest)?, blobs })
}

fn encoded(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::malformed("built-in image", error))
}

fn describe(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        ..Descriptor::default()
    }
}

/// A layer: what is stored, and the digest of the archive within.
struct Layer {
    bytes: Vec<u8>,
    diff_id: Digest,
}

type Archive = Builder<Hashing<GzEncoder<Vec<u8>>>>;

fn layer(fill: impl FnOnce(&mut Archive) -> io::Result<()>) -> Result<Layer> {
    let gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = Builder::new(Hashing { inner: gzip, hasher: Hasher::new(Algorithm::Sha256) });
    let finished = fill(&mut archive).and_then(|()| archive.into_inner());
    let hashing = finished.map_err(|error| Error::from_io("built-in image", error))?;
    let bytes = hashing.inner.finish().map_err(|error| Error::from_io("built-in image", error))?;
    Ok(Layer { bytes, diff_id: hashing.hasher.finish() })
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(TIME);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Names in a layer begin at its root, without a slash.
fn inside(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

fn lower(archive: &mut Archive, recipe: &Recipe) -> io::Result<()> {
    let mut directories = BTreeMap::from(DIRECTORIES.map(|(name, mode)| (PathBuf::from(name), mode)));
    for path in recipe.files.keys().chain(recipe.links.keys()) {
        for parent in inside(path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            directories.entry(parent.into()).or_insert(0o755);
        }
    }
    for (path, mode) in &directories {
        archive.append_data(&mut header(EntryType::Directory, *mode, 0), path, io::empty())?;
    }
    assets(archive, &LOWER, &directories.into_keys().collect())?;
    for (path, from) in &recipe.files {
        staging::go_on()?;
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", from.display()));
        let file = File::open(from).map_err(named)?;
        let size = file.metadata()?.len();
        archive.append_data(&mut header(EntryType::Regular, 0o755, size), inside(path), file).map_err(named)?;
    }
    for (path, text) in &recipe.links {
        archive.append_link(&mut header(EntryType::Symlink, 0o777, 0), inside(path), text)?;
    }
    Ok(())
}

/// Adds the files of `assets/`, and the directories above them that are not there yet.
fn assets(archive: &mut Archive, dir: &Dir, there: &BTreeSet<PathBuf>) -> io::Result<()> {
    let mut dirs: Vec<&Dir> = dir.dirs().collect();
    dirs.sort_by_key(|dir| dir.path());
    let mut files: Vec<_> = dir.files().collect();
    files.sort_by_key(|file| file.path());
    for file in files {
        let bytes = file.contents();
        archive.append_data(&mut header(EntryType::Regular, 0o644, bytes.len() as u64), file.path(), bytes)?;
    }
    for dir in dirs {
        if !there.contains(dir.path()) {
            archive.append_data(&mut header(EntryType::Directory, 0o755, 0), dir.path(), io::empty())?;
        }
        assets(archive, dir, there)?;
    }
    Ok(())
}
