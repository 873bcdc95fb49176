//! Unpacks whatever comes, one layer over another, and looks whether anything outside the root has changed.

#![no_main]

use boxwright::image::unpack::{Rules, Unpacker, entries::Entries, stream};
use libfuzzer_sys::fuzz_target;
use std::{fs, io::Cursor, os::unix::fs::PermissionsExt, path::Path};

const BLOCK: usize = 512;

fuzz_target!(|data: &[u8]| {
    let top = tempfile::tempdir().unwrap();
    let (root, outside) = (top.path().join("root"), top.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "kept").unwrap();
    let Some((first, rest)) = data.split_first() else { return };
    let rules = Rules { layer: first & 1 == 0, owners: false, umask: 0, max_bytes: 1 << 20, max_entries: 1000 };
    let mut unpacker = Unpacker::new(fs::File::open(&root).unwrap().into(), rules).unwrap();
    let layers = usize::from(first >> 1) % 3 + 1;
    for layer in rest.chunks(rest.len().div_ceil(layers).next_multiple_of(BLOCK).max(1)) {
        let Ok((_, archive)) = stream::open(Cursor::new(with_checksums(layer))) else { continue };
        let _ = unpacker.archive(&mut Entries::new(archive), |_| true);
    }
    let _ = unpacker.finish();
    assert_eq!(names(&outside), ["secret"]);
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"kept");
    assert_eq!(fs::metadata(outside.join("secret")).unwrap().permissions().mode() & 0o7777, 0o644 & !umask());
    assert_eq!(names(top.path()), ["outside", "root"]);
    open_all(&root);
});

/// Nothing that changes bytes at random finds a right checksum; so headers get one, as far as they can be found.
fn with_checksums(layer: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (layer.to_vec(), 0);
    while let Some(header) = bytes.get_mut(at..at + BLOCK) {
        let size =
            std::str::from_utf8(&header[124..135]).ok().and_then(|text| u64::from_str_radix(text.trim(), 8).ok());
        if header.iter().any(|byte| *byte != 0) {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let content = size.filter(|size| *size < 1 << 20).unwrap_or(0) as usize;
        at += BLOCK + content.next_multiple_of(BLOCK);
    }
    bytes
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    u32::from_str_radix(line.trim(), 8).unwrap()
}

/// A directory that is closed to us could not be removed.
fn open_all(dir: &Path) {
    let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_all(&entry.path());
        }
    }
}
