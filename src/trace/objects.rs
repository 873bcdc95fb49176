//! Objects that processes make to talk to one another, and that stay when they have ended.

use super::{Argument, Call, Change, calls::Made, stop::Stopped, task::shares};
use crate::kernel::{
    namespaces::Kind,
    objects::{Object, SHARED, SystemV},
    pid::Pid,
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What was there before an object is made.
pub(super) enum Before {
    /// These of the kind, in the machine's own namespace; `None` in another one, where nothing of it is listed for us.
    SystemV(SystemV, i32, Option<BTreeSet<i32>>),
    /// A queue of this name was not there in the machine's own namespace.
    Queue(String),
    /// A file of this name was not there.
    Shared(PathBuf),
}

/// Looks at what there is, just before a call that may make one.
pub(super) fn before(tid: Pid, call: &Call, values: &[u64; 6], made: Made) -> Option<Before> {
    let machines = shares(tid, Kind::Ipc);
    match made {
        Made::SystemV(kind) => {
            let known = machines.then(|| kind.all().into_iter().map(|(id, _)| id).collect());
            Some(Before::SystemV(kind, values[0] as i32, known))
        }
        Made::Queue => {
            let name = call.args.first().and_then(Argument::path).and_then(Path::to_str)?;
            (machines && Object::queue(name).is_none()).then(|| Before::Queue(name.into()))
        }
    }
}

/// The same for an opening call, where it is one for shared memory with O_CREAT.
pub(super) fn shared(tid: Pid, call: &Call, values: &[u64; 6], index: usize) -> Option<Before> {
    let makes = match call.syscall.name() {
        "creat" => true,
        // What openat2(2) is asked for stands in memory; no C library makes shared memory so.
        "openat2" => false,
        _ => values.get(index + 1).is_some_and(|flags| flags & libc::O_CREAT as u64 != 0),
    };
    let path = call.args.get(index).and_then(Argument::path);
    let path = path.filter(|path| makes && path.parent() == Some(Path::new(SHARED)))?;
    let machines =
        shares(tid, Kind::Mnt) && fs::read_link(tid.dir().join("root")).is_ok_and(|root| root == Path::new("/"));
    (machines && fs::symlink_metadata(path).is_err()).then(|| Before::Shared(path.into()))
}

/// The object that a call has made, which returned this.
pub(super) fn after(stop: &Stopped, before: Before, result: i64) -> Option<Change> {
    let id = result as i32;
    let opened = || fs::metadata(stop.tid().dir().join(format!("fd/{id}"))).ok();
    match before {
        Before::SystemV(kind, key, Some(known)) if !known.contains(&id) => {
            Some(Change::ObjectMade(Object::SystemV(kind, id, key), true))
        }
        Before::SystemV(kind, key, None) if key == libc::IPC_PRIVATE => {
            Some(Change::ObjectMade(Object::SystemV(kind, id, key), false))
        }
        Before::SystemV(..) => None,
        Before::Queue(name) => {
            opened().map(|queue| Change::ObjectMade(Object::Queue(name, queue.dev(), queue.ino()), true))
        }
        Before::Shared(path) => {
            opened().map(|file| Change::ObjectMade(Object::Shared(path, file.dev(), file.ino()), true))
        }
    }
}

/// The object of the machine's own namespace that a call is going to remove.
pub(super) fn removed(tid: Pid, call: &Call, values: &[u64; 6], made: Made) -> Option<Object> {
    if !shares(tid, Kind::Ipc) {
        return None;
    }
    match made {
        Made::SystemV(kind) => {
            let wanted = values[0] as i32;
            let (id, key) = kind.all().into_iter().find(|(id, _)| *id == wanted)?;
            Some(Object::SystemV(kind, id, key))
        }
        Made::Queue => Object::queue(call.args.first()?.path()?.to_str()?),
    }
}
