//! Images that are one file: a tar archive, perhaps compressed, of an OCI layout or of what `docker save` writes.
//!
//! Nothing of such an archive is ever unpacked: its members are found once, by name, and read where they are. So no name
//! and no link in it can lead anywhere, and a compressed archive needs neither memory nor disk of its own size; it is
//! decompressed again up to the wanted member instead.

pub(super) mod docker;
pub(super) mod oci;
pub(super) mod write;

use super::{
    Error, Result,
    staging::{go_on, open_plain},
    unpack::{
        clean,
        entries::{Entries, Kind},
        stream::{self, Compression},
    },
};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    rc::Rc,
};

/// An image has a few files for each layer; an archive with more members than this is something else.
const MAX_MEMBERS: usize = 100_000;
/// How many links may lead from one to the next.
const MAX_LINKS: usize = 8;
/// How many bytes are decompressed in search of a member: a small file can promise endless zeros.
const MAX_BYTES: u64 = 64 << 30;

/// Where in the uncompressed archive a member's content is, or which other member it is.
#[derive(Clone, Debug)]
enum Member {
    Content { at: u64, size: u64 },
    Link(Vec<u8>),
}

/// The members of an archive.
#[derive(Debug)]
struct Archive {
    path: PathBuf,
    compressed: bool,
    members: BTreeMap<Vec<u8>, Member>,
}

impl Archive {
    /// Looks through the whole archive once.
    fn open(path: &Path) -> Result<Archive> {
        let what = path.display().to_string();
        let fail = |error| Error::from_io(what.as_str(), error);
        let (compression, archive) = stream::open(open_plain(path)?).map_err(fail)?;
        let seen = Rc::new(Cell::new(0));
        let mut entries = Entries::new(Counted { inner: archive, seen: seen.clone() });
        let mut members = BTreeMap::new();
        while let Some(entry) = entries.next_entry().map_err(fail)? {
            go_on()?;
            let (name, _) = clean(&entry.path);
            let member = match entry.kind {
                Kind::File if entry.pieces.is_none() => Member::Content { at: seen.get(), size: entry.size },
                // A symbolic link starts where it lies, a hard link at the top of the archive.
                Kind::Symlink(text) => Member::Link([name.as_slice(), b"/../", &text].concat()),
                Kind::HardLink(target) => Member::Link(target),
                _ => continue,
            };
            members.insert(name, member);
            if members.len() > MAX_MEMBERS {
                return Err(Error::malformed(what, format!("more than {MAX_MEMBERS} members")));
            }
        }
        Ok(Archive { path: path.into(), compressed: compression != Compression::None, members })
    }

    fn has(&self, name: &str) -> bool {
        self.content(name).is_some()
    }

    /// Where a member's content begins, and how long it is; links are followed within the archive.
    fn content(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = clean(name.as_bytes()).0;
        for _ in 0..MAX_LINKS {
            match self.members.get(&name)? {
                Member::Content { at, size } => return Some((*at, *size)),
                Member::Link(target) => name = clean(target).0,
            }
        }
        None
    }

    /// A member's size and content.
    fn read(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>)> {
        let what = self.named(name);
        let missing = || Error::malformed(&what, "there is no such file in the archive");
        let (at, size) = self.content(name).ok_or_else(missing)?;
        let mut file: File = open_plain(&self.path)?;
        let fail = |error| Error::from_io(what.as_str(), error);
        if !self.compressed {
            file.seek(SeekFrom::Start(at)).map_err(fail)?;
            return Ok((size, Box::new(file.take(size))));
        }
        let (_, mut archive) = stream::open(file).map_err(fail)?;
        pass(&mut archive, at).map_err(fail)?;
        Ok((size, Box::new(archive.take(size))))
    }

    /// A small member as a whole.
    fn read_small(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let (size, mut content) = self.read(name)?;
        if size > limit {
            return Err(Error::malformed(self.named(name), format!("more than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| Error::from_io(self.named(name), error))?;
        Ok(bytes)
    }

    /// A member as people call it.
    fn named(&self, name: &str) -> String {
        format!("{}: {name}", self.path.display())
    }
}

/// Reads over what comes before a member.
fn pass(archive: &mut impl Read, mut left: u64) -> io::Result<()> {
    let mut buffer = vec![0; 128 << 10];
    while left > 0 {
        go_on()?;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match archive.read(buffer.get_mut(..most).unwrap_or_default())? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => left -= count as u64,
        }
    }
    Ok(())
}

/// Counts what was read, and ends what would never end.
struct Counted<R> {
    inner: R,
    seen: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on()?;
        let count = self.inner.read(buffer)?;
        self.seen.set(self.seen.get() + count as u64);
        if self.seen.get() > MAX_BYTES {
            return Err(io::Error::other(format!("more than {MAX_BYTES} bytes when decompressed")));
        }
        Ok(count)
    }
}
