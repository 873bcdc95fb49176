//! Any layers at all, and honest ones with a few bytes changed: nothing outside the root changes, and nothing panics.
//! `PROPTEST_CASES` sets how many are tried.

use crate::harness::{Test, tests};
use crate::support::layer::{Entry, archive, entry, gzip, zstd};
use crate::support::tree::{self, tree};
use boxwright::image::unpack::{Rules, Unpacker, entries::Entries, stream};
use proptest::{collection::vec, prelude::*, sample::select};
use std::{fs, io::Cursor, path::Path};
use tar::EntryType;

pub fn tests() -> Vec<Test> {
    tests![layers_of_any_entries_stay_inside, compressed_layers_with_changed_bytes_stay_inside, any_bytes_stay_inside,]
}

const CASES: u32 = 256;

/// Names that meet each other, and ways out.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let part =
        select(vec!["a", "b", "c", ".", "..", "", ".wh.a", ".wh.b", ".wh..wh..opq", ".wh...", "outside", "secret"]);
    let parts = vec(part, 1..5).prop_map(|parts| parts.join("/").into_bytes());
    prop_oneof![
        8 => parts,
        1 => Just(b"/outside/secret".to_vec()),
        1 => Just(b"../outside/secret".to_vec()),
        1 => vec(any::<u8>(), 0..120),
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let kind = select(vec![
        EntryType::Regular,
        EntryType::Directory,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNUSparse,
        EntryType::XGlobalHeader,
    ]);
    let record = (
        select(vec!["path", "linkpath", "size", "mtime", "uid", "GNU.sparse.map", "SCHILY.xattr.user.a"]),
        prop_oneof![name(), "[0-9]{1,20}".prop_map(String::into_bytes)],
    );
    (kind, name(), name(), 0u32..0o10000, vec(record, 0..2)).prop_map(|(kind, path, rest, mode, pax)| Entry {
        mode,
        pax,
        ..entry(kind, path, rest)
    })
}

/// Bytes at places, each given as a part of the whole.
fn changes() -> impl Strategy<Value = Vec<(f64, u8)>> {
    vec((0.0..1.0, any::<u8>()), 0..6)
}

fn change(bytes: &mut [u8], changes: &[(f64, u8)]) {
    for (place, byte) in changes {
        let at = (*place * bytes.len() as f64) as usize;
        if let Some(old) = bytes.get_mut(at) {
            *old = *byte;
        }
    }
}

/// Unpacks one layer over another, whatever comes of it.
fn unpack(root: &Path, layers: &[Vec<u8>], layer: bool) {
    let rules = Rules { layer, owners: false, umask: 0, max_bytes: 1 << 20, max_entries: 1000 };
    let mut unpacker = Unpacker::new(fs::File::open(root).unwrap().into(), rules).unwrap();
    for bytes in layers {
        let Ok((_, archive)) = stream::open(Cursor::new(bytes.clone())) else { continue };
        let _ = unpacker.archive(&mut Entries::new(archive), |_| true);
    }
    let _ = unpacker.finish();
}

/// Does it in a place of its own, beside a directory that must stay as it is.
fn beside_others(layers: &[Vec<u8>]) {
    let top = tempfile::tempdir().unwrap();
    let outside = top.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "kept").unwrap();
    let before = tree(&outside);
    for layer in [true, false] {
        let root = top.path().join("root");
        fs::create_dir(&root).unwrap();
        unpack(&root, layers, layer);
        assert_eq!(tree(&outside), before);
        tree::remove(&root);
        let mut left: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["outside"]);
    }
}

fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(CASES), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    fn layers_of_any_entries_stay_inside(layers in vec(vec(any_entry(), 0..12), 1..4), changes in changes()) {
        let mut layers: Vec<Vec<u8>> = layers.iter().map(|entries| archive(entries)).collect();
        layers.iter_mut().for_each(|layer| change(layer, &changes));
        beside_others(&layers);
    }

    fn compressed_layers_with_changed_bytes_stay_inside(
        entries in vec(any_entry(), 1..12), changes in changes(), gzipped in any::<bool>(),
    ) {
        let plain = archive(&entries);
        let mut stored = if gzipped { gzip(&plain) } else { zstd(&plain) };
        change(&mut stored, &changes);
        beside_others(&[stored]);
    }

    fn any_bytes_stay_inside(bytes in vec(any::<u8>(), 0..2048)) {
        beside_others(&[bytes]);
    }
}
