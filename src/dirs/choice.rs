//! Which directory a session's own one is made in: a decision on what is known of each, and nothing else.

use crate::{
    columns::bytes,
    kernel::{errno, filesystem::FileSystem},
    lang::Lang,
};
use nix::{errno::Errno, unistd::geteuid};
use std::{cmp::Reverse, path::PathBuf};

/// The size of the built-in image when it is unpacked, about: it is made of this machine's own programs.
const BUILTIN: u64 = 25 << 20;

/// More room than any built-in image takes: that of a few dozen programs.
const PLENTY: u64 = 4 << 30;

/// What a session's directory must offer.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// Device nodes work: root makes one in a lesson, and only root may.
    pub devices: bool,
    /// How much must be free.
    pub room: Room,
}

/// Bytes that must be free.
#[derive(Clone, Copy, Debug)]
pub enum Room {
    /// So many.
    Known(u64),
    /// As many as a look at this machine's programs tells, for the built-in image. It takes longer than all else before the first
    /// frame, and is taken where there is not plenty of room.
    Measured(fn() -> u64),
}

impl Room {
    /// How many they are.
    pub fn bytes(self) -> u64 {
        match self {
            Room::Known(bytes) => bytes,
            Room::Measured(bytes) => bytes(),
        }
    }

    fn is_more_than(self, free: u64) -> bool {
        match self {
            Room::Measured(_) if free >= PLENTY => false,
            room => free < room.bytes(),
        }
    }
}

impl Need {
    /// For the built-in image alone, which this measures when it is unpacked.
    pub(crate) fn measured(room: fn() -> u64) -> Need {
        Need { devices: geteuid().is_root(), room: Room::Measured(room) }
    }

    /// For an image and the built-in one, by their sizes when they are unpacked.
    ///
    /// The step that needs most has a copy and a tree of the image, and a copy and two trees of the built-in one. A copy is
    /// about half as large as its tree. Other lessons, and what a learner adds, make it three times the image at least.
    pub(crate) fn of_images(image: u64, builtin: u64) -> Need {
        Need { devices: geteuid().is_root(), room: Room::Known(Need::room_of(image, builtin)) }
    }

    /// The room alone, in bytes.
    pub(crate) fn room_of(image: u64, builtin: u64) -> u64 {
        let halves = |size: u64, count: u64| (size / 2).saturating_mul(count);
        let most = halves(image, 3).saturating_add(halves(builtin, 5));
        most.max(image.saturating_mul(3))
    }
}

impl Default for Need {
    /// For the built-in image alone.
    fn default() -> Need {
        Need::of_images(BUILTIN, BUILTIN)
    }
}

/// What is known of a directory that a session's own one could be made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The directory. It may have to be made.
    pub path: PathBuf,
    /// Its file system, or why nothing may be made there.
    pub system: Result<FileSystem, Lack>,
    /// What became of a program that was started from there.
    pub starts: Result<(), Errno>,
}

/// Something that a directory lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It cannot be reached, made or written.
    Denied(Errno),
    /// It is another user's, or others may rename what is in it.
    Foreign,
    /// It is mounted `noexec`: no program starts.
    NoExec,
    /// A program that was started there was refused, though the mount allows it: a security module.
    Refused(Errno),
    /// So many bytes are free, and so many are needed.
    Room(u64, u64),
    /// It is mounted `nodev`: no device node can be opened.
    NoDev,
    /// Its file system cannot hold the upper directory of an overlay.
    NoUpper,
}

impl Lack {
    /// Whether nothing can be made there at all.
    pub(crate) fn closed(self) -> bool {
        matches!(self, Lack::Denied(_) | Lack::Foreign)
    }

    /// Whether no program starts there.
    pub(crate) fn stops_programs(self) -> bool {
        matches!(self, Lack::NoExec | Lack::Refused(_))
    }

    /// What is missing, in one clause.
    pub(crate) fn say(self, lang: Lang) -> String {
        match self {
            Lack::Denied(errno) => errno::why(errno),
            Lack::Foreign => lang.pick("others may change what is in it", "别人可以改动其中的内容").into(),
            Lack::NoExec => lang.pick("noexec: no program starts there", "noexec：里面的程序无法启动").into(),
            Lack::Refused(errno) => format!(
                "{}: {}",
                lang.pick("a program that was started there was refused", "在里面启动程序被拒绝"),
                errno::why(errno)
            ),
            Lack::Room(free, needed) => lang.pick(
                format!("{} free, {} needed", bytes(free), bytes(needed)),
                format!("可用 {}，需要 {}", bytes(free), bytes(needed)),
            ),
            Lack::NoDev => lang.pick("nodev: no device node works there", "nodev：里面的设备节点不能用").into(),
            Lack::NoUpper => {
                lang.pick("an overlay cannot have its upper directory there", "不能存放 overlay 的上层目录").into()
            }
        }
    }
}

/// A directory, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub path: PathBuf,
    /// Its file system, where it could be looked at.
    pub system: Option<FileSystem>,
    /// What it lacks; nothing where it fits.
    pub lacks: Vec<Lack>,
}

impl Place {
    fn judge(facts: Facts, need: Need) -> Place {
        let Facts { path, system, starts } = facts;
        let system = match system {
            Ok(system) => system,
            Err(lack) => return Place { path, system: None, lacks: vec![lack] },
        };
        let mut lacks = Vec::new();
        match starts {
            _ if system.read_only => lacks.push(Lack::Denied(Errno::EROFS)),
            _ if system.noexec => lacks.push(Lack::NoExec),
            Err(errno @ (Errno::EACCES | Errno::EPERM)) => lacks.push(Lack::Refused(errno)),
            Err(errno @ Errno::EROFS) => lacks.push(Lack::Denied(errno)),
            // What is full or beyond a quota shows as missing room.
            Err(_) => lacks.push(Lack::Room(0, need.room.bytes())),
            Ok(()) => {}
        }
        let full = lacks.iter().any(|lack| matches!(lack, Lack::Room(..)));
        if !full && need.room.is_more_than(system.room()) {
            lacks.push(Lack::Room(system.room(), need.room.bytes()));
        }
        if need.devices && system.nodev {
            lacks.push(Lack::NoDev);
        }
        if !system.holds_upper() {
            lacks.push(Lack::NoUpper);
        }
        Place { path, system: Some(system), lacks }
    }

    /// What is worse sorts later: closed before all, then whether programs start, how much room is missing, and how many
    /// single steps are lost.
    fn badness(&self) -> (bool, bool, Option<Reverse<u64>>, usize) {
        let has = |what: fn(Lack) -> bool| self.lacks.iter().any(|lack| what(*lack));
        let room = self.lacks.iter().find_map(|lack| match lack {
            Lack::Room(free, _) => Some(Reverse(*free)),
            _ => None,
        });
        (has(Lack::closed), has(Lack::stops_programs), room, self.lacks.len())
    }

    /// Whether a session's directory can be made there, with or without everything that lessons need.
    pub(crate) fn is_open(&self) -> bool {
        !self.lacks.iter().any(|lack| lack.closed())
    }

    /// The directory with what it lacks: `/run: noexec: no program starts there; nodev: …`.
    pub(crate) fn say(&self, lang: Lang) -> String {
        let lacks: Vec<String> = self.lacks.iter().map(|lack| lack.say(lang)).collect();
        format!("{}{}{}", self.path.display(), lang.pick(": ", "："), lacks.join(lang.pick("; ", "；")))
    }
}

/// Judges directories and puts the best first: the first that lacks nothing or, where each lacks something, the one where
/// most can be done.
pub(crate) fn choose<T>(facts: impl IntoIterator<Item = (T, Facts)>, need: Need, extent: Extent) -> Vec<(T, Place)> {
    let mut places = Vec::new();
    for (what, facts) in facts {
        let place = Place::judge(facts, need);
        let fits = place.lacks.is_empty();
        places.push((what, place));
        if fits && extent == Extent::Enough {
            break;
        }
    }
    // What is equally good stays in the order of preference.
    places.sort_by_key(|(_, place)| place.badness());
    places
}

/// How many directories are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Each of them: the best may still refuse.
    All,
    /// Until one lacks nothing, which no other can be better than.
    Enough,
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
