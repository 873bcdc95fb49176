//! A compressed archive is decompressed once, into a file without a name: its members are then read where they lie, in any
//! order and as often as wanted. Killed or not, nothing is left of it: what a session keeps goes with the session.
//!
//! Where the list of layers stands at the end of the archive, as docker writes it, no layer can be unpacked before the last byte
//! is decompressed. For a Debian (172 MB, 61 MB compressed) that takes zlib-rs 0.42 s of one processor, as much as all of the
//! unpacking (0.38 s), so an archive that is compressed costs about twice the other one; gunzip(1) alone takes 1.05 s
//! (`cargo bench --bench images` prints all three).

use crate::image::{
    Error, Result, kept,
    partial::{Partial, fresh_name},
    room::room,
    staging::{go_on, open_plain},
    unpack::{pieces::pieces, stream},
};
use crate::lang::say;
use nix::{
    fcntl::{OFlag, open},
    sys::stat::Mode,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
};

/// How many bytes an archive may have: a small file can promise endless zeros.
pub(super) const MAX_BYTES: u64 = 64 << 30;
/// After so many bytes it is looked again whether there is room for more, and so many bytes stay free.
const LOOK: u64 = 32 << 20;
const SPARE: u64 = 64 << 20;

/// Decompresses an archive; `what` is its name for people. A session keeps that of its image for its next lines.
pub(super) fn spool(stored: File, what: &str) -> Result<File> {
    let kept = kept::archive(&stored);
    if let Some(file) = kept.as_ref().and_then(|path| open_plain(path).ok()) {
        return Ok(file);
    }
    let Some(partial) = kept.and_then(|path| Partial::create(&path).ok()) else {
        let (dir, file) = nameless()?;
        decompress(stored, &file, &dir, what)?;
        return Ok(file);
    };
    let path = partial.path().to_path_buf();
    decompress(stored, &partial.file, &path, what)?;
    partial.keep()?;
    open_plain(&path)
}

/// Decompresses into a file below `dir`.
fn decompress(stored: File, file: &File, dir: &Path, what: &str) -> Result<()> {
    let fail = |error| Error::from_io(what, error);
    let (_, mut archive) = stream::open(stored).map_err(fail)?;
    let (filling, mut stream) = pieces();
    let reading = thread::spawn(move || filling.send_all(&mut archive, |_| Ok(())));
    let written = write(&mut stream, file, dir, what);
    drop(stream);
    let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the decompressor gave up")));
    written?;
    read.map(drop).map_err(fail)
}

fn write(stream: &mut impl BufRead, mut file: &File, dir: &Path, what: &str) -> Result<()> {
    let cannot = |error| in_the_way(dir, error);
    let (mut total, mut looked) = (0_u64, 0);
    loop {
        go_on()?;
        let piece = stream.fill_buf().map_err(|error| Error::from_io(what, error))?;
        let count = piece.len();
        if count == 0 {
            // What ends in a hole has its length all the same.
            return file.set_len(total).map_err(cannot);
        }
        if piece.iter().all(|byte| *byte == 0) {
            file.seek(SeekFrom::Current(count as i64)).map_err(cannot)?;
        } else {
            file.write_all(piece).map_err(cannot)?;
        }
        stream.consume(count);
        total += count as u64;
        if total > MAX_BYTES {
            return Err(Error::malformed(what, format!("more than {MAX_BYTES} bytes when decompressed")));
        }
        if total >= looked + LOOK {
            looked = total;
            room(dir, LOOK + SPARE, what).map_err(advised)?;
        }
    }
}

fn in_the_way(dir: &Path, error: io::Error) -> Error {
    advised(Error::io(dir)(error))
}

/// Says how to decompress it elsewhere.
fn advised(error: Error) -> Error {
    let hint = say(
        "a compressed archive is decompressed first: TMPDIR=DIR names another directory for it, or gunzip it yourself",
        "压缩的归档要先解压：可用 TMPDIR=目录 指定别的目录，或自己先 gunzip",
    )
    .into();
    match error {
        Error::Io { what, source } => Error::Unavailable { what, why: crate::kernel::errno::why_io(&source), hint },
        Error::Unavailable { what, why, .. } => Error::Unavailable { what, why, hint },
        other => other,
    }
}

/// A file without a name, and the directory that it lies in: `TMPDIR`, else where large files may lie (hier(7)).
fn nameless() -> Result<(PathBuf, File)> {
    let named = std::env::var_os("TMPDIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dirs = named.map_or_else(|| vec!["/var/tmp".into(), "/tmp".into()], |dir| vec![dir]);
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for dir in &dirs {
        match nameless_in(dir) {
            Ok(file) => return Ok((dir.clone(), file)),
            Err(error) => last = error,
        }
    }
    Err(in_the_way(dirs.first().map_or(Path::new("/tmp"), PathBuf::as_path), last))
}

fn nameless_in(dir: &Path) -> io::Result<File> {
    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    if let Ok(file) = open(dir, flags, Mode::S_IRUSR | Mode::S_IWUSR) {
        return Ok(file.into());
    }
    // Not every file system has such files: then the name goes at once.
    let path = fresh_name(&dir.join("x"));
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
