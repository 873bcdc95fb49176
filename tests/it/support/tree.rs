//! What a directory tree is, in full: a line for each file, to compare with another tree or with what it should be.

#![allow(unsafe_code, reason = "attributes have no call without it in the library")]

use super::layer::sha256;
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    fs,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{MetadataExt, PermissionsExt},
    },
    path::Path,
};

/// A file, without its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// Type as ls(1) writes it, mode, owners; then a file's content or digest, a link's text, a device's number.
    pub line: String,
    /// Time of last change, with nanoseconds.
    pub time: (i64, i64),
    /// The first of its names, for files with several.
    pub linked: Option<Vec<u8>>,
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Every file below a directory, and the directory itself as the empty name.
pub fn tree(root: &Path) -> BTreeMap<Vec<u8>, Facts> {
    let (mut all, mut linked) = (BTreeMap::new(), BTreeMap::new());
    let mut waiting = vec![Vec::new()];
    while let Some(name) = waiting.pop() {
        let path = root.join(std::ffi::OsString::from_vec(name.clone()));
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                let below = entry.unwrap().file_name().into_vec();
                waiting.push(if name.is_empty() { below } else { [name.as_slice(), b"/", &below].concat() });
            }
        }
        all.insert(name, path);
    }
    let facts = |(name, path): (Vec<u8>, std::path::PathBuf)| {
        let facts = facts(&name, &path, &mut linked);
        (name, facts)
    };
    all.into_iter().map(facts).collect()
}

fn facts(name: &[u8], path: &Path, linked: &mut BTreeMap<(u64, u64), Vec<u8>>) -> Facts {
    let stat = fs::symlink_metadata(path).unwrap();
    let (kind, rest) = match stat.mode() & libc::S_IFMT {
        libc::S_IFDIR => ('d', String::new()),
        libc::S_IFLNK => ('l', format!(" -> {}", fs::read_link(path).unwrap().display())),
        libc::S_IFIFO => ('p', String::new()),
        libc::S_IFCHR => ('c', number(stat.rdev())),
        libc::S_IFBLK => ('b', number(stat.rdev())),
        _ => ('-', content(&fs::read(path).unwrap())),
    };
    let several = stat.nlink() > 1 && kind != 'd';
    Facts {
        line: format!("{kind} {:o} {}:{}{rest}", stat.mode() & 0o7777, stat.uid(), stat.gid()),
        time: (stat.mtime(), stat.mtime_nsec()),
        linked: several.then(|| linked.entry((stat.dev(), stat.ino())).or_insert_with(|| name.to_vec()).clone()),
        attributes: attributes(path),
    }
}

fn number(device: u64) -> String {
    format!(" {},{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
}

/// Short content as it is, anything else by size and digest.
fn content(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() < 20 => format!(" {text:?}"),
        _ => format!(" {} {}", bytes.len(), sha256(bytes)),
    }
}

fn attributes(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    let (mut names, mut all) = (vec![0u8; 4096], BTreeMap::new());
    // SAFETY: the path ends in NUL, and the kernel writes at most as many bytes as the buffer has.
    let size = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    names.truncate(usize::try_from(size).unwrap_or(0));
    for name in names.split_inclusive(|byte| *byte == 0) {
        let name = CStr::from_bytes_with_nul(name).unwrap();
        let mut value = vec![0u8; 4096];
        // SAFETY: path and name end in NUL, and the kernel writes at most as many bytes as the buffer has.
        let size = unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        value.truncate(usize::try_from(size).unwrap_or(0));
        all.insert(name.to_bytes().to_vec(), value);
    }
    all
}

/// Sets an attribute; false where this file system or user cannot.
pub fn set_attribute(path: &Path, name: &CStr, value: &[u8]) -> bool {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: path and name end in NUL, value is as long as said, and the kernel only reads them.
    unsafe { libc::lsetxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) == 0 }
}

/// Removes a tree, also one whose directories are closed to us.
pub fn remove(root: &Path) {
    let mut waiting = vec![root.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let entries = fs::read_dir(&dir).unwrap().flatten();
        waiting.extend(entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()));
    }
    fs::remove_dir_all(root).unwrap();
}
