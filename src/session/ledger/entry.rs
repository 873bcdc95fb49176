//! What a ledger lists, and how a line of it is written.

use crate::{
    cleanup::{Identity, Left, Made, Why, groups, identity::boot, unfinished},
    image::partial,
    kernel::{groups::delegates, objects::Object},
    session::run_dir::{WORK, is_ours},
};
use nix::errno::Errno;
use std::{
    ffi::OsStr,
    io,
    path::{Component, Path, PathBuf},
    time::Instant,
};

/// Something that outlives a killed process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A run directory.
    RunDir(PathBuf),
    /// A file or a directory of an image that was to get another name when it was complete.
    Partial(PathBuf),
    /// A control group, as its directory in cgroupfs.
    Cgroup(PathBuf),
    /// A control group that a learner made under a name of their own. Only the one that was made is ever removed.
    Group(PathBuf),
    /// An object for talking between processes.
    Object(Lasting),
    /// What a group hands down since a session, and did not before.
    Delegated(Delegated),
}

/// An object that processes of a session made in the machine's own namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Which one.
    pub object: Object,
    path: PathBuf,
    boot: String,
}

impl Lasting {
    /// What was made since the machine was started.
    pub(crate) fn new(object: Object) -> Lasting {
        Lasting { path: object.path(), object, boot: boot() }
    }

    fn read(text: &str) -> Option<Lasting> {
        let (boot, words) = text.split_once(' ')?;
        let object = Object::read(words)?;
        Some(Lasting { path: object.path(), object, boot: boot.into() })
    }

    /// No later boot of the machine knows anything of it.
    fn is_there(&self) -> bool {
        self.boot == boot() && self.object.is_there()
    }
}

/// A controller in the `cgroup.subtree_control` of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// The group's directory.
    pub dir: PathBuf,
    /// The controller.
    pub controller: String,
    /// When: no later boot of the machine knows anything of it (`/proc/sys/kernel/random/boot_id`).
    boot: String,
}

impl Delegated {
    /// What is handed down since the machine was started.
    pub fn new(dir: PathBuf, controller: String) -> Delegated {
        Delegated { dir, controller, boot: boot() }
    }

    fn read(text: &str) -> Option<Delegated> {
        let mut fields = text.splitn(3, ' ').map(String::from);
        let (boot, controller) = (fields.next()?, fields.next()?);
        Some(Delegated { boot, controller, dir: fields.next()?.into() })
    }

    pub(super) fn is_there(&self) -> bool {
        self.boot == boot() && delegates(&self.dir, &self.controller)
    }
}

impl Entry {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Entry::RunDir(path) | Entry::Partial(path) | Entry::Cgroup(path) | Entry::Group(path) => path,
            Entry::Object(kept) => &kept.path,
            Entry::Delegated(what) => &what.dir,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Entry::RunDir(_) => "run_dir",
            Entry::Partial(_) => "partial",
            Entry::Cgroup(_) => "cgroup",
            Entry::Group(_) => "group",
            Entry::Object(_) => "object",
            Entry::Delegated(_) => "handed_down",
        }
    }

    /// One line of the file. A path that is not UTF-8 or holds a newline has none.
    pub(super) fn line(&self, sign: char) -> io::Result<String> {
        let path = self.path().to_str().filter(|path| !path.contains('\n'));
        let path = path.ok_or_else(|| io::Error::other("the path is not a single line of UTF-8"))?;
        if let Entry::Object(kept) = self {
            return Ok(format!("{sign} {} {} {}\n", self.word(), kept.boot, kept.object.words()));
        }
        let more = match self {
            Entry::Delegated(what) => format!("{} {} ", what.boot, what.controller),
            _ => String::new(),
        };
        Ok(format!("{sign} {} {more}{path}\n", self.word()))
    }

    /// The line that says which directory was made.
    pub(super) fn made(&self, identity: &Identity) -> io::Result<String> {
        let line = self.line('=')?;
        let path = line.splitn(3, ' ').nth(2).unwrap_or_default();
        Ok(format!("= {} {} {path}", self.word(), identity.words()))
    }

    /// Whether a user's session can have made this: a plain absolute path with our own name in the right place.
    pub(super) fn is_ours(&self, uid: u32) -> bool {
        let plain = |part: Component| matches!(part, Component::RootDir | Component::Normal(_));
        let named = |part: Component| part.as_os_str().to_str().is_some_and(|name| is_ours(name, uid));
        self.path().is_absolute()
            && self.path().components().all(plain)
            && match self {
                Entry::RunDir(path) => path.components().next_back().is_some_and(named),
                Entry::Partial(path) => path.file_name().and_then(OsStr::to_str).is_some_and(partial::is_ours),
                Entry::Cgroup(path) => path.components().any(named),
                // These may be called as they like; which one it was is written down with them.
                Entry::Group(_) | Entry::Object(_) => true,
                // Any group can hand something down; only what a session saw is in its ledger.
                Entry::Delegated(what) => what.controller.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            }
    }

    pub(super) fn is_there(&self) -> bool {
        match self {
            Entry::Delegated(what) => what.is_there(),
            Entry::Object(kept) => kept.is_there(),
            _ => std::fs::symlink_metadata(self.path()).is_ok(),
        }
    }

    /// Whether what has its path now was made by another program, which may call a group as it likes.
    pub(super) fn is_another(&self, identity: Option<&Identity>) -> bool {
        let found = |path: &Path| identity.map(|identity| Made::find(path, Some(identity)));
        matches!(self, Entry::Group(path) if matches!(found(path), Some(Err(Left { why: Why::Replaced, .. }))))
    }

    /// Removes it; what is not there any more, or was never made, is not a failure. `held` is the directory itself where it was
    /// kept open, `identity` what was written down of it.
    pub(super) fn remove(&self, held: Option<&Made>, identity: Option<&Identity>, until: Instant) -> Vec<Left> {
        match (self, held) {
            (Entry::RunDir(_), Some(made)) => made.remove_session(WORK),
            (Entry::RunDir(path), None) => match Made::find(path, identity) {
                Ok(made) => made.map_or_else(Vec::new, |made| made.remove_session(WORK)),
                Err(left) => vec![left],
            },
            (Entry::Partial(path), _) => unfinished::remove(path, identity),
            (Entry::Cgroup(path), _) => groups::remove(path, until),
            // It was not noted which one was made: it may be another's.
            (Entry::Group(path), None) if identity.is_none() => vec![Left { path: path.clone(), why: Why::Foreign }],
            (Entry::Group(path), None) => match Made::find(path, identity) {
                Ok(Some(_)) => groups::remove(path, until),
                Ok(None) | Err(Left { why: Why::Replaced, .. }) => Vec::new(),
                Err(left) => vec![left],
            },
            (Entry::Group(path), Some(made)) => match made.is_in_place() {
                true => groups::remove(path, until),
                false => Vec::new(),
            },
            (Entry::Object(kept), _) if kept.is_there() => match kept.object.remove() {
                Ok(()) => Vec::new(),
                Err(errno) => vec![Left::call(&kept.path, "remove", errno)],
            },
            (Entry::Object(_), _) => Vec::new(),
            (Entry::Delegated(what), _) if what.is_there() => match groups::take_back(&what.dir, &what.controller) {
                Ok(()) | Err(Errno::ENOENT) => Vec::new(),
                Err(errno) => vec![Left::call(&what.dir, "write", errno)],
            },
            (Entry::Delegated(_), _) => Vec::new(),
        }
    }
}

/// An entry that is still listed, and which directory it was.
pub(super) type Listed = (Entry, Option<Identity>);

/// Reads what is still listed according to a ledger's text. A last line without its newline was torn by a crash: the
/// thing that it announces was not made yet.
pub(super) fn parse(text: &str) -> Vec<Listed> {
    let mut entries: Vec<Listed> = Vec::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut fields = line.splitn(3, ' ');
        let (Some(sign), Some(word), Some(rest)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (identity, rest) = match (sign, Identity::read(rest)) {
            ("=", Some((identity, rest))) => (Some(identity), rest),
            ("=", None) => continue,
            _ => (None, rest),
        };
        let entry = match word {
            "run_dir" => Entry::RunDir(rest.into()),
            "partial" => Entry::Partial(rest.into()),
            "cgroup" => Entry::Cgroup(rest.into()),
            "group" => Entry::Group(rest.into()),
            "object" => match Lasting::read(rest) {
                Some(kept) => Entry::Object(kept),
                None => continue,
            },
            "handed_down" => match Delegated::read(rest) {
                Some(what) => Entry::Delegated(what),
                None => continue,
            },
            _ => continue,
        };
        match sign {
            "+" => entries.push((entry, None)),
            "-" => entries.retain(|(known, _)| *known != entry),
            "=" => {
                entries.iter_mut().filter(|(known, _)| *known == entry).for_each(|(_, which)| *which = identity.clone())
            }
            _ => {}
        }
    }
    entries
}
