//! sha256sum(1): print the SHA-256 of files, or check them against a list.

use super::{
    args::{Opt, Parsed, Value::No, parse_bytes},
    complain, is_printed,
    other::misused,
    print_bytes,
};
use crate::{
    image::digest::{Algorithm, Hasher},
    kernel::errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, stdin},
    os::unix::ffi::OsStrExt,
    process::ExitCode,
};

const OPTIONS: [Opt; 6] = [
    ('b', "binary", No),
    ('t', "text", No),
    ('c', "check", No),
    ('\0', "quiet", No),
    ('\0', "status", No),
    ('\0', "tag", No),
];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let mut parsed = match parse_bytes(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("sha256sum", args, &what, "usage: sha256sum [-c] [FILE…]", 1),
    };
    if parsed.words.is_empty() {
        parsed.words.push("-".into());
    }
    let mut status = ExitCode::SUCCESS;
    for name in &parsed.words {
        let one = match hash_or_check(&parsed, name) {
            Ok(status) => status,
            Err(error) => complain("sha256sum", &format!("{}: {}", name.display(), errno::why_io(&error)), 1),
        };
        if one != ExitCode::SUCCESS {
            status = one;
        }
    }
    status
}

fn hash_or_check(parsed: &Parsed<OsString>, name: &OsStr) -> io::Result<ExitCode> {
    if parsed.has("check") {
        return Ok(check(name, parsed.has("quiet") || parsed.has("status")));
    }
    let digest = hash(name)?;
    let mark = if parsed.has("binary") { '*' } else { ' ' };
    let (before, after) = match parsed.has("tag") {
        true => ("SHA256 (".to_string(), format!(") = {digest}\n")),
        false => (format!("{digest} {mark}"), "\n".into()),
    };
    // A name is bytes, and need not be text.
    Ok(print_bytes(&[before.as_bytes(), name.as_bytes(), after.as_bytes()].concat()))
}

fn open(name: &OsStr) -> io::Result<Box<dyn Read>> {
    Ok(if name == "-" { Box::new(stdin()) } else { Box::new(File::open(name)?) })
}

/// A file may be larger than memory, so it is hashed piece by piece.
fn hash(name: &OsStr) -> io::Result<String> {
    let (mut file, mut hasher, mut buffer) = (open(name)?, Hasher::new(Algorithm::Sha256), vec![0; 128 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish().hex().to_string()),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Each line of the list is `DIGITS  NAME`.
fn check(list: &OsStr, quiet: bool) -> ExitCode {
    let (shown, mut lines) = (list.display(), Vec::new());
    if let Err(error) = open(list).and_then(|mut file| file.read_to_end(&mut lines)) {
        return complain("sha256sum", &format!("{shown}: {}", errno::why_io(&error)), 1);
    }
    let (mut wrong, mut unread, mut right, mut lost) = (0, 0, 0, false);
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((digits, [b' ', b' ' | b'*', name @ ..])) = line.split_at_checked(64) else { continue };
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            continue;
        }
        let (digits, name) = (String::from_utf8_lossy(digits), OsStr::from_bytes(name));
        let verdict = match hash(name) {
            Ok(found) if found.eq_ignore_ascii_case(&digits) => {
                right += 1;
                "OK"
            }
            Ok(_) => {
                wrong += 1;
                "FAILED"
            }
            Err(error) => {
                super::wrong("sha256sum", &format!("{}: {}", name.display(), errno::why_io(&error)));
                unread += 1;
                "FAILED open or read"
            }
        };
        if !(quiet && verdict == "OK") {
            lost |= !is_printed(&[name.as_bytes(), format!(": {verdict}\n").as_bytes()].concat());
        }
    }
    if wrong > 0 {
        super::wrong("sha256sum", &format!("WARNING: {wrong} computed checksum did NOT match"));
    }
    match (right + wrong + unread, wrong + unread) {
        (0, _) => complain("sha256sum", &format!("{shown}: no properly formatted checksum lines found"), 1),
        (_, 0) if !lost => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
