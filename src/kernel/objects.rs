//! Objects for talking between processes that stay when their maker has ended: those of System V (sysvipc(7)), POSIX message
//! queues (mq_overview(7)) and POSIX shared memory (shm_overview(7)). All of them are those of this program's own namespaces.
//!
//! Their tables are read by hand: of those procfs knows shared memory alone, and none of it where one segment belongs to a user
//! above 65535.

use super::text;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::{
    ffi::CString,
    fmt, fs,
    os::fd::{FromRawFd, OwnedFd},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where shared memory has its names (shm_open(3)).
pub(crate) const SHARED: &str = "/dev/shm";

/// A kind of System V object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemV {
    /// A message queue.
    Queue,
    /// A segment of shared memory.
    Memory,
    /// A set of semaphores.
    Semaphores,
}

/// One row of a kind: its table below `/proc/sysvipc`, and its name as ipcs(1) has it.
const KINDS: [(SystemV, &str, &str); 3] = [
    (SystemV::Queue, "msg", "queue"),
    (SystemV::Memory, "shm", "shared memory"),
    (SystemV::Semaphores, "sem", "semaphores"),
];

impl SystemV {
    /// Its table, such as `/proc/sysvipc/msg`.
    pub(crate) fn table(self) -> PathBuf {
        let (_, table, _) = KINDS[self as usize];
        Path::new("/proc/sysvipc").join(table)
    }

    fn name(self) -> &'static str {
        let (_, _, name) = KINDS[self as usize];
        name
    }

    /// The objects that there are, each with its key.
    pub(crate) fn all(self) -> Vec<(i32, i32)> {
        let row = |line: &str| {
            let mut fields = line.split_ascii_whitespace();
            let key = fields.next()?.parse().ok()?;
            Some((fields.next()?.parse().ok()?, key))
        };
        text::read(self.table()).unwrap_or_default().lines().skip(1).filter_map(row).collect()
    }

    /// Makes one that no key finds (IPC_PRIVATE); gives its number. `size`: the bytes of a segment or the semaphores of a
    /// set; a queue has none. `mode`: permissions.
    ///
    /// Errors: EINVAL where the size does not suit the kind; ENOSPC where the namespace has no more of them.
    #[expect(unsafe_code, reason = "neither nix nor rustix has these calls")]
    pub(crate) fn make(self, size: usize, mode: i32) -> nix::Result<i32> {
        let flags = mode | libc::IPC_CREAT | libc::IPC_EXCL;
        let count = i32::try_from(size).map_err(|_| Errno::EINVAL);
        // SAFETY: the calls take numbers only.
        Errno::result(unsafe {
            match self {
                SystemV::Queue => libc::msgget(libc::IPC_PRIVATE, flags),
                SystemV::Memory => libc::shmget(libc::IPC_PRIVATE, size, flags),
                SystemV::Semaphores => libc::semget(libc::IPC_PRIVATE, count?, flags),
            }
        })
    }

    /// Removes one (IPC_RMID): it leaves the IPC namespace. Shared memory goes when the last process has detached it.
    ///
    /// Errors: EINVAL where there is no such object; EPERM where it is not ours.
    #[expect(unsafe_code, reason = "neither nix nor rustix has these calls")]
    pub(crate) fn remove(self, id: i32) -> nix::Result<()> {
        // SAFETY: IPC_RMID looks at no memory.
        Errno::result(unsafe {
            match self {
                SystemV::Queue => libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()),
                SystemV::Memory => libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()),
                SystemV::Semaphores => libc::semctl(id, 0, libc::IPC_RMID),
            }
        })
        .map(drop)
    }
}

/// One object, so that no other one is ever taken for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// Of System V: its number, which the kernel gives to no other one for a long time, and its key.
    SystemV(SystemV, i32, i32),
    /// A POSIX message queue: its name without a slash, and the device and inode behind it.
    Queue(String, u64, u64),
    /// Shared memory: its file below [`SHARED`], and the device and inode.
    Shared(PathBuf, u64, u64),
}

/// As a learner knows it: `queue 3`, `message queue /jobs`, `/dev/shm/cache`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::SystemV(kind, id, _) => write!(f, "{} {id}", kind.name()),
            Object::Queue(name, ..) => write!(f, "message queue /{name}"),
            Object::Shared(path, ..) => path.display().fmt(f),
        }
    }
}

impl Object {
    /// The message queue that has this name.
    pub(crate) fn queue(name: &str) -> Option<Object> {
        let queue = fs::File::from(open_queue(name).ok()?).metadata().ok()?;
        Some(Object::Queue(name.into(), queue.dev(), queue.ino()))
    }

    /// Where it can be looked at.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Object::SystemV(kind, ..) => kind.table(),
            Object::Queue(name, ..) => Path::new("/dev/mqueue").join(name),
            Object::Shared(path, ..) => path.clone(),
        }
    }

    /// Whether it is still there.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Object::SystemV(kind, id, key) => kind.all().contains(&(*id, *key)),
            Object::Queue(name, ..) => Object::queue(name).as_ref() == Some(self),
            Object::Shared(_, dev, ino) => !names(*dev, *ino).is_empty(),
        }
    }

    /// Removes it; one that is gone is not a failure.
    ///
    /// Errors: those of msgctl(2) and its like, mq_unlink(2), unlink(2).
    pub(crate) fn remove(&self) -> nix::Result<()> {
        if !self.is_there() {
            return Ok(());
        }
        match self {
            Object::SystemV(kind, id, _) => kind.remove(*id),
            Object::Queue(name, ..) => unlink_queue(name),
            Object::Shared(_, dev, ino) => names(*dev, *ino).iter().try_for_each(nix::unistd::unlink),
        }
    }

    /// As words for a ledger: the kind, two numbers, and a path or a name.
    pub(crate) fn words(&self) -> String {
        match self {
            Object::SystemV(kind, id, key) => format!("{} {id} {key} -", kind.name().replace(' ', "_")),
            Object::Queue(name, dev, ino) => format!("mqueue {dev} {ino} {name}"),
            Object::Shared(path, dev, ino) => format!("shm {dev} {ino} {}", path.display()),
        }
    }

    /// Reads the words.
    pub(crate) fn read(words: &str) -> Option<Object> {
        let fields: Vec<&str> = words.splitn(4, ' ').collect();
        let [kind, first, second, name] = fields.as_slice() else { return None };
        match *kind {
            "mqueue" => Some(Object::Queue((*name).into(), first.parse().ok()?, second.parse().ok()?)),
            "shm" => Some(Object::Shared((*name).into(), first.parse().ok()?, second.parse().ok()?)),
            _ => {
                let (kind, ..) = KINDS.iter().find(|(_, _, known)| known.replace(' ', "_") == *kind)?;
                Some(Object::SystemV(*kind, first.parse().ok()?, second.parse().ok()?))
            }
        }
    }
}

/// The names of a file of shared memory: sem_open(3) makes one under another name first.
fn names(dev: u64, ino: u64) -> Vec<PathBuf> {
    let entries = fs::read_dir(SHARED).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .filter(|path| {
            let found = path.symlink_metadata();
            found.is_ok_and(|found| found.is_file() && (found.dev(), found.ino()) == (dev, ino))
        })
        .collect()
}

/// Opens a message queue without changing it.
#[expect(unsafe_code, reason = "the C library wants a slash, and nix has the call only with another feature")]
fn open_queue(name: &str) -> nix::Result<OwnedFd> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    let (flags, none) = (libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC, std::ptr::null::<libc::c_void>());
    // SAFETY: the name ends with NUL and outlives the call; without O_CREAT nothing else is looked at.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_mq_open, name.as_ptr(), flags, 0, none) })?;
    // SAFETY: the kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

#[expect(unsafe_code, reason = "as above")]
fn unlink_queue(name: &str) -> nix::Result<()> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the name ends with NUL and outlives the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_mq_unlink, name.as_ptr()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (kind, ..)) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
    }

    #[test]
    fn the_words_are_read_again() {
        for object in [
            Object::SystemV(SystemV::Memory, 3, -1160636155),
            Object::Queue("jobs one".into(), 1, 2),
            Object::Shared("/dev/shm/a b".into(), 3, 4),
        ] {
            assert_eq!(Object::read(&object.words()), Some(object));
        }
        for broken in ["", "queue 1", "shm 1 x /dev/shm/a", "other 1 2 -"] {
            assert_eq!(Object::read(broken), None, "{broken}");
        }
    }

    /// A System V object of a test, which goes whatever the code under test does.
    struct Made(SystemV, i32);

    impl Drop for Made {
        #[expect(unsafe_code, reason = "the code under test has these calls, and may be broken")]
        fn drop(&mut self) {
            // SAFETY: IPC_RMID looks at no memory.
            unsafe {
                match self.0 {
                    SystemV::Queue => libc::msgctl(self.1, libc::IPC_RMID, std::ptr::null_mut()),
                    SystemV::Memory => libc::shmctl(self.1, libc::IPC_RMID, std::ptr::null_mut()),
                    SystemV::Semaphores => libc::semctl(self.1, 0, libc::IPC_RMID),
                };
            }
        }
    }

    #[test]
    fn a_system_v_object_is_known_by_its_number_and_its_key() {
        for (kind, table, name) in KINDS {
            let made = Made(kind, kind.make(1, 0o600).unwrap());
            let (id, object) = (made.1, Object::SystemV(kind, made.1, 0));
            assert!(kind.all().contains(&(id, 0)), "{table} lists it without a key");
            let rows = text::read(kind.table()).unwrap();
            let row = |line: &&str| line.split_ascii_whitespace().nth(1) == Some(&id.to_string());
            let mode = rows.lines().find(row).and_then(|line| line.split_ascii_whitespace().nth(2));
            assert_eq!(mode, Some("600"), "{table}");
            assert_eq!(object.to_string(), format!("{name} {id}"));
            assert_eq!(object.path(), Path::new("/proc/sysvipc").join(table));
            assert!(object.is_there() && !Object::SystemV(kind, id, 1).is_there(), "{table}");
            // One with another key is another one, and stays.
            Object::SystemV(kind, id, 1).remove().unwrap();
            assert!(object.is_there(), "{table}");
            object.remove().unwrap();
            assert!(!object.is_there(), "{table}");
            assert_eq!((object.remove(), kind.remove(id)), (Ok(()), Err(Errno::EINVAL)), "{table}");
        }
        assert_eq!(SystemV::Semaphores.make(usize::MAX, 0o600), Err(Errno::EINVAL));
    }

    #[test]
    fn shared_memory_is_removed_under_all_its_names() {
        let dir = tempfile::tempdir_in(SHARED).unwrap();
        let name = |kind: &str| Path::new(SHARED).join(format!("boxwright-{kind}-{}", std::process::id()));
        let [first, second, other] = ["first", "second", "other"].map(name);
        let _ended = [&first, &second, &other].map(|path| tempfile::TempPath::try_from_path(path).unwrap());
        fs::write(&first, "1").unwrap();
        fs::hard_link(&first, &second).unwrap();
        fs::write(&other, "1").unwrap();
        let file = fs::metadata(&first).unwrap();
        let object = Object::Shared(first.clone(), file.dev(), file.ino());
        assert_eq!((object.path(), object.to_string()), (first.clone(), first.display().to_string()));
        let mut both = names(file.dev(), file.ino());
        both.sort();
        assert_eq!(both, [first.clone(), second.clone()]);
        let inside = fs::metadata(dir.path()).unwrap();
        assert!(names(inside.dev(), inside.ino()).is_empty(), "a directory is none");
        assert!(object.is_there() && !Object::Shared(first.clone(), file.dev() + 1, file.ino()).is_there());
        object.remove().unwrap();
        assert!(!object.is_there() && !first.exists() && !second.exists() && other.exists());
    }

    #[test]
    fn a_queue_is_known_by_its_name_and_its_inode() {
        use nix::{fcntl::OFlag, sys::stat::Mode};
        let name = format!("boxwright-{}", std::process::id());
        assert_eq!(Object::queue(&name), None);
        let path = CString::new(format!("/{name}")).unwrap();
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDONLY;
        let made = make_queue(&path, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        let found = Object::queue(&name);
        let away =
            |object: Option<Object>| object.map(|object| (object.is_there(), object.remove(), object.is_there()));
        let (there, said) = (found.clone(), found.as_ref().map(ToString::to_string));
        let other = found.clone().map(|object| match object {
            Object::Queue(name, dev, ino) => Object::Queue(name, dev, ino + 1),
            object => object,
        });
        let (other, gone) = (away(other), away(found));
        unlink(&path);
        assert!(
            made && matches!(&there, Some(Object::Queue(known, _, ino)) if *known == name && *ino != 0),
            "{there:?}"
        );
        assert_eq!(said, Some(format!("message queue /{name}")));
        assert_eq!(there.map(|object| object.path()), Some(Path::new("/dev/mqueue").join(&name)));
        assert_eq!(other, Some((false, Ok(()), false)), "another one of this name stays");
        assert_eq!(gone, Some((true, Ok(()), false)));
        assert_eq!(unlink_queue(&name), Err(Errno::ENOENT));
    }

    #[expect(unsafe_code, reason = "nix has the call only with another feature")]
    fn make_queue(path: &CString, flags: nix::fcntl::OFlag, mode: nix::sys::stat::Mode) -> bool {
        // SAFETY: the name ends with NUL and outlives the call; without attributes the kernel's own count.
        let queue =
            unsafe { libc::mq_open(path.as_ptr(), flags.bits(), mode.bits(), std::ptr::null::<libc::c_void>()) };
        // SAFETY: the descriptor was made here and is used no more.
        queue >= 0 && unsafe { libc::close(queue) } == 0
    }

    #[expect(unsafe_code, reason = "as above")]
    fn unlink(path: &CString) {
        // SAFETY: the name ends with NUL and outlives the call.
        unsafe { libc::mq_unlink(path.as_ptr()) };
    }
}
