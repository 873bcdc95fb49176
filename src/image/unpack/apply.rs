//! Entries become files: in order, over what is there, never outside the root.

use super::{
    directories::Directories,
    entries::{Entries, Entry, Kind},
    metadata::{DEFAULT_ACL, time},
    report::{Dropped, Report},
    tree::{Dir, Key, Make, Tree, clean, is, key, split, stat},
    xattr,
};
use crate::image::{Error, Result, staging::go_on};
use crate::kernel::text::shown;
use crate::lang::say;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, SFlag, fchmod, futimens, makedev, mkdirat, mknodat},
    unistd::{LinkatFlags, UnlinkatFlags, linkat, symlinkat, unlinkat},
};
use std::{
    collections::{HashSet, hash_map::RandomState},
    fs::File,
    hash::{BuildHasher, BuildHasherDefault, Hasher},
    io::{self, Read, Seek, SeekFrom, Write},
    os::fd::OwnedFd,
};

const BUFFER: usize = 128 << 10;
/// The bits of a mode that are not permissions: setuid, setgid, sticky.
const SPECIAL: u32 = 0o7000;
/// What an entry is counted as that stands in no archive, in bytes: a directory on the way to another one.
const IMPLIED: u64 = 4 << 10;

/// A number that is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// What applies to an archive, beyond its entries.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether it is a layer: whiteouts hide what lower layers put there, and nothing is left of what was not asked for.
    pub layer: bool,
    /// Whether owners are kept. Where that fails it is counted.
    pub owners: bool,
    /// Bits that modes lose.
    pub umask: u32,
    /// How many bytes of content there may be in all.
    pub max_bytes: u64,
    /// How many entries.
    pub max_entries: u64,
}

/// Unpacks archives one over another.
pub struct Unpacker {
    pub(super) tree: Tree,
    pub(super) rules: Rules,
    /// Names that the present layer has made, hashed with their directories: a whiteout spares them.
    made: HashSet<u64, BuildHasherDefault<Hashed>>,
    hashing: RandomState,
    pub(super) directories: Directories,
    buffer: Vec<u8>,
    /// Whether a new file has the mode that it is made with: nothing takes bits away.
    pub(super) exact: bool,
    /// What was done.
    pub report: Report,
}

/// Names the entry in a failed call's error.
fn at(path: &[u8]) -> impl Fn(Errno) -> Error + '_ {
    move |errno| Error::Io { what: shown(path), source: errno.into() }
}

impl Unpacker {
    /// Unpacks below this directory.
    pub fn new(root: OwnedFd, rules: Rules) -> nix::Result<Unpacker> {
        let tree = Tree::new(root)?;
        let directories = Directories::new(tree.root(), rules.layer)?;
        let (made, hashing, buffer) = (HashSet::default(), RandomState::new(), vec![0; BUFFER]);
        // A default access control list takes bits away, and is handed down (acl(5)).
        let listed = xattr::names(&*tree.root().fd)?.iter().any(|name| name == DEFAULT_ACL);
        let exact = rules.layer && directories.without_umask() && !listed;
        Ok(Unpacker { tree, rules, made, hashing, directories, buffer, exact, report: Report::default() })
    }

    /// Unpacks an archive. `keep` is asked whether an entry is wanted, and sees each of them.
    pub fn archive<R: Read>(&mut self, entries: &mut Entries<R>, mut keep: impl FnMut(&Entry) -> bool) -> Result<()> {
        self.made.clear();
        while let Some(entry) = entries.next_entry().map_err(|error| Error::from_io("archive", error))? {
            go_on()?;
            if !keep(&entry) {
                continue;
            }
            self.report.entries += 1;
            self.report.bytes = self.report.bytes.saturating_add(entry.size);
            self.check_limits(&entry)?;
            let placed = self.entry(&entry, entries);
            match placed {
                Ok(()) => {}
                Err(error) if self.rules.layer || matches!(error, Error::Interrupted) => return Err(error),
                Err(error) => self.report.fail(&error),
            }
        }
        Ok(())
    }

    fn check_limits(&self, entry: &Entry) -> Result<()> {
        let (entries, bytes) = (self.rules.max_entries, self.rules.max_bytes);
        let implied = self.report.implied;
        let limit = if self.report.entries + implied > entries {
            format!("more than {entries} entries")
        } else if self.report.bytes.saturating_add(implied.saturating_mul(IMPLIED)) > bytes {
            format!("more than {bytes} bytes of content")
        } else {
            return Ok(());
        };
        let hint = say(
            "a small archive can name endless zeros; --limit BYTES allows more, if you know what it is",
            "很小的归档也能展开成海量数据；确认内容可信后，可用 --limit 字节数 放宽",
        )
        .into();
        Err(Error::Unavailable { what: shown(&entry.path), why: limit, hint })
    }

    fn entry<R: Read>(&mut self, entry: &Entry, content: &mut Entries<R>) -> Result<()> {
        let (path, escaped) = clean(&entry.path);
        if escaped {
            self.report.note(format!("{}: its path leads out of the root; it stays inside", shown(&entry.path)));
        }
        let fail = at(&entry.path);
        if path.contains(&0) {
            return Err(Error::malformed(shown(&entry.path), "a path with NUL in it"));
        }
        if self.tree.is_full() {
            self.settle().map_err(&fail)?;
        }
        let (above, name) = split(&path);
        if name.is_empty() {
            return self.root_entry(entry).map_err(fail);
        }
        if self.rules.layer
            && let Some(hidden) = name.strip_prefix(b".wh.")
        {
            return self.whiteout(above, hidden, entry).map_err(fail);
        }
        if self.rules.layer && above.split(|byte| *byte == b'/').any(|part| part.starts_with(b".wh.")) {
            // A name that hides another one is none that something can lie in.
            self.report.note(format!("{}: it lies below the name of a whiteout, and is left out", shown(&entry.path)));
            return Ok(());
        }
        let parent = self.parent(above, entry)?;
        match &entry.kind {
            Kind::Directory => self.directory(&parent, &path, name, entry).map_err(&fail)?,
            Kind::File => self.file(&parent, name, entry, content)?,
            Kind::HardLink(target) => self.hard_link(&parent, name, target, entry)?,
            other => {
                let made = self.special(&parent, name, other, entry.mode).map_err(&fail)?;
                if !made {
                    return Ok(());
                }
                self.metadata(&parent, name, entry).map_err(&fail)?;
            }
        }
        self.note_made(parent.key, name);
        Ok(())
    }

    fn note_made(&mut self, parent: Key, name: &[u8]) {
        if self.rules.layer {
            self.made.insert(self.hashing.hash_one((parent, name)));
        }
    }

    pub(super) fn was_made(&self, parent: Key, name: &[u8]) -> bool {
        self.made.contains(&self.hashing.hash_one((parent, name)))
    }

    /// Opens the directory that the entry lies in. One that is missing is made: with mode 0755, whatever the umask.
    fn parent(&mut self, above: &[u8], entry: &Entry) -> Result<Dir> {
        let fail = at(&entry.path);
        let make = Make { mode: 0o755 & !self.rules.umask, time: time(entry), replace: self.rules.layer };
        let parent = self.tree.directory(above, Some(make));
        for (dir, name) in std::mem::take(&mut self.tree.implied) {
            self.report.implied += 1;
            self.note_made(dir, &name);
            self.check_limits(entry)?;
        }
        let parent = parent.map_err(&fail)?;
        self.enter(&parent).map_err(&fail)?;
        Ok(parent)
    }

    /// Something is about to be removed that paths may lead through, or too much is open: every directory gets its time, and
    /// is looked for again.
    pub(super) fn settle(&mut self) -> nix::Result<()> {
        self.tree.forget();
        self.directories.leave()
    }

    /// From now on something is changed in this directory.
    pub(super) fn enter(&mut self, dir: &Dir) -> nix::Result<()> {
        self.directories.enter(dir)
    }

    /// Gives the last directories their times and modes.
    pub fn finish(mut self) -> nix::Result<Report> {
        self.directories.finish(&mut self.tree)?;
        Ok(self.report)
    }

    fn root_entry(&mut self, entry: &Entry) -> nix::Result<()> {
        if entry.kind != Kind::Directory {
            return Err(Errno::EISDIR);
        }
        let root = self.tree.root().clone();
        let dir = openat(&root.fd, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        self.own_file(&dir, entry)?;
        self.directory_attributes(&dir, entry)?;
        self.directories.set_root(entry.mode & !self.rules.umask, time(entry));
        Ok(())
    }

    fn directory(&mut self, parent: &Dir, path: &[u8], name: &[u8], entry: &Entry) -> nix::Result<()> {
        match stat(parent, name)? {
            Some(there) if is(&there, SFlag::S_IFDIR) => {}
            there => {
                if there.is_some_and(|there| is(&there, SFlag::S_IFLNK)) && self.rules.layer {
                    // The specification wants the link replaced. It is seldom what the author of the image wanted.
                    let what = "a directory takes the place of a link: the image is probably broken";
                    self.report.note(format!("{}: {what}", shown(&entry.path)));
                }
                if there.is_some() {
                    self.remove(parent, name)?;
                }
                mkdirat(&parent.fd, name, Mode::S_IRWXU)?;
            }
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let dir = openat(&parent.fd, name, flags, Mode::empty())?;
        self.own_file(&dir, entry)?;
        self.directory_attributes(&dir, entry)?;
        self.directories.set(&dir, path, entry.mode & !self.rules.umask, time(entry))
    }

    /// A file is always a new one: an old one may have other names, be open, or be a link to somewhere else.
    fn file<R: Read>(&mut self, parent: &Dir, name: &[u8], entry: &Entry, content: &mut Entries<R>) -> Result<()> {
        let fail = at(&entry.path);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = entry.mode & !self.rules.umask;
        // What chown(2) takes away is given afterwards.
        let at_once = self.exact && mode & SPECIAL == 0;
        let first = if at_once { Mode::from_bits_truncate(mode) } else { Mode::S_IRUSR | Mode::S_IWUSR };
        let create = || openat(&parent.fd, name, flags, first);
        let fd = match create() {
            Err(Errno::EEXIST) => {
                self.remove(parent, name).map_err(&fail)?;
                create().map_err(&fail)?
            }
            created => created.map_err(&fail)?,
        };
        let mut file = File::from(fd);
        let io = |error: io::Error| Error::from_io(shown(&entry.path), error);
        match &entry.pieces {
            None => {
                copy(content, &mut file, entry.size, &mut self.buffer, &entry.path)?;
            }
            Some(pieces) => {
                for (offset, length) in pieces {
                    file.seek(SeekFrom::Start(*offset)).map_err(io)?;
                    copy(content, &mut file, *length, &mut self.buffer, &entry.path)?;
                }
                file.set_len(entry.size).map_err(io)?;
            }
        }
        // Owner before mode: chown(2) takes the setuid bit away. Attributes last: both can take capabilities away.
        let wanted = (entry.uid, entry.gid);
        if self.rules.owners && !self.directories.gives(parent, &file, wanted).map_err(&fail)? {
            self.own_file(&file, entry).map_err(&fail)?;
        }
        if !at_once {
            fchmod(&file, Mode::from_bits_truncate(mode)).map_err(&fail)?;
        }
        self.attributes(entry, |name, value| xattr::set_on_file(&file, name, value)).map_err(&fail)?;
        futimens(&file, &time(entry), &time(entry)).map_err(&fail)
    }

    /// Another name for a file of this archive or of a lower layer. Owner, mode and time are the file's own: its entry
    /// set them, and this one only adds a name.
    fn hard_link(&mut self, parent: &Dir, name: &[u8], target: &[u8], entry: &Entry) -> Result<()> {
        let what = || format!("{}: hard link to {}", shown(&entry.path), shown(target));
        let fail = |errno: Errno| Error::Io { what: what(), source: errno.into() };
        let (path, _) = clean(target);
        let (above, file) = split(&path);
        let dir = self.tree.directory(above, None).map_err(fail)?;
        let there = stat(&dir, file).map_err(fail)?.ok_or_else(|| fail(Errno::ENOENT))?;
        match stat(parent, name).map_err(fail)? {
            // Linked to itself by another path.
            Some(old) if key(&old) == key(&there) => return Ok(()),
            Some(_) => self.remove(parent, name).map_err(fail)?,
            None => {}
        }
        linkat(&dir.fd, file, &parent.fd, name, LinkatFlags::empty()).map_err(fail)
    }

    /// Links, pipes and devices; `false` where a device may not be made. A plain file of its name would be worse than none.
    fn special(&mut self, parent: &Dir, name: &[u8], kind: &Kind, mode: u32) -> nix::Result<bool> {
        if stat(parent, name)?.is_some() {
            self.remove(parent, name)?;
        }
        let node = |kind, device| mknodat(&parent.fd, name, kind, Mode::from_bits_truncate(mode & 0o777), device);
        let made = match kind {
            // The text is kept as it is. Where it leads is decided when it is followed, inside the root.
            Kind::Symlink(text) => symlinkat(text.as_slice(), &parent.fd, name),
            Kind::Fifo => node(SFlag::S_IFIFO, 0),
            Kind::Character(major, minor) => node(SFlag::S_IFCHR, makedev((*major).into(), (*minor).into())),
            Kind::Block(major, minor) => node(SFlag::S_IFBLK, makedev((*major).into(), (*minor).into())),
            Kind::File | Kind::Directory | Kind::HardLink(_) => Err(Errno::EINVAL),
        };
        match made {
            Err(Errno::EPERM) if matches!(kind, Kind::Character(..) | Kind::Block(..)) => {
                self.report.drop(Dropped::Device);
                Ok(false)
            }
            made => made.map(|()| true),
        }
    }

    /// Removes a name and what is below it.
    fn remove(&mut self, parent: &Dir, name: &[u8]) -> nix::Result<()> {
        // No path leads through a plain file.
        if stat(parent, name)?.is_some_and(|there| !is(&there, SFlag::S_IFREG)) {
            self.settle()?;
            self.enter(parent)?;
        }
        match unlinkat(&parent.fd, name, UnlinkatFlags::NoRemoveDir) {
            Err(Errno::EISDIR | Errno::EPERM) if self.rules.layer => self.hide(parent, name, true),
            Err(Errno::EISDIR | Errno::EPERM) => unlinkat(&parent.fd, name, UnlinkatFlags::RemoveDir),
            other => other,
        }
    }
}

fn copy<R: Read>(from: &mut Entries<R>, to: &mut File, mut left: u64, buffer: &mut [u8], path: &[u8]) -> Result<()> {
    while left > 0 {
        go_on()?;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..most).unwrap_or_default();
        let count = from.read(part).map_err(|error| Error::from_io(shown(path), error))?;
        to.write_all(part.get(..count).unwrap_or_default()).map_err(|error| Error::from_io(shown(path), error))?;
        left -= count as u64;
    }
    Ok(())
}
