//! Questions that may never be answered: a file system of FUSE whose program hangs, or one of NFS whose server is away, keeps
//! a process that asks for anything in it, until it is killed.
//!
//! So they are asked by a thread of their own, which is left behind where it does not come back. It ends with the process.

use super::{mountinfo, text};
use crate::lang::Lang;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// What has not answered after this time is silent. A server that works on is quicker, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// What a question is about just now, as a path that may be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looking(Arc<Mutex<PathBuf>>);

impl Looking {
    /// From now on it is about this.
    pub(crate) fn at(&self, path: impl Into<PathBuf>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = path.into();
    }

    fn place(&self) -> PathBuf {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Asks one question after the other, and none while an earlier one has no answer.
#[derive(Debug, Default)]
pub(crate) struct Asker {
    open: Option<(Receiver<()>, Looking)>,
}

impl Asker {
    /// The answer to a question.
    ///
    /// Errors: what did not answer within [`PATIENCE`], or does not since an earlier question.
    pub(crate) fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&Looking) -> T + Send + 'static,
    ) -> Result<T, PathBuf> {
        self.ask_within(PATIENCE, question)
    }

    fn ask_within<T: Send + 'static>(
        &mut self,
        limit: Duration,
        question: impl FnOnce(&Looking) -> T + Send + 'static,
    ) -> Result<T, PathBuf> {
        if let Some((done, looking)) = &self.open {
            if done.try_recv() == Err(TryRecvError::Empty) {
                return Err(looking.place());
            }
            self.open = None;
        }
        let looking = Looking::default();
        let (finished, done) = channel();
        let (send, answer) = channel();
        let about = looking.clone();
        let question = Arc::new(Mutex::new(Some(question)));
        let take = |question: &Mutex<Option<_>>| question.lock().unwrap_or_else(PoisonError::into_inner).take();
        let theirs = Arc::clone(&question);
        let work = move || {
            let _finished = finished;
            drop(take(&theirs).map(|question| send.send(question(&about))));
        };
        // Where no thread can be made it is asked here: that may take long, and says nothing false.
        if thread::Builder::new().name("asker".into()).spawn(work).is_err()
            && let Some(question) = take(&question)
        {
            return Ok(question(&looking));
        }
        match answer.recv_timeout(limit) {
            Ok(answer) => Ok(answer),
            Err(_) => {
                let place = looking.place();
                self.open = Some((done, looking));
                Err(place)
            }
        }
    }
}

/// The answer to one question, or `None` after [`PATIENCE`].
pub(crate) fn within<T: Send + 'static>(question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    Asker::default().ask(|_| question()).ok()
}

/// That something did not answer, in one clause.
pub(crate) fn say(place: &str, lang: Lang) -> String {
    let place = text::printable(place);
    lang.pick(
        format!("unknown: {place} does not answer (a file system of FUSE or a network that hangs)"),
        format!("未知：{place} 没有响应（FUSE 或网络文件系统挂起了）"),
    )
}

/// A mounted file system that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silent {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Its type; empty where that cannot be read.
    pub kind: String,
}

/// More of them are not asked.
const MAX: usize = 64;

/// The mounts that this process sees and that do not answer, among those that `asked` chooses by their mount points. Takes
/// [`PATIENCE`] where there are any, and no time otherwise.
pub(crate) fn mounts(asked: impl Fn(&Path) -> bool) -> Vec<Silent> {
    let Some(table) = within(|| text::read("/proc/self/mountinfo").unwrap_or_default()) else {
        return vec![Silent { point: "/proc".into(), kind: String::new() }];
    };
    let mounts = mountinfo::parse(&table).into_iter().filter(|mount| can_be_silent(&mount.kind));
    let chosen = mounts.filter(|mount| asked(Path::new(&mount.point))).take(MAX);
    let open: Vec<(Silent, Receiver<()>)> = chosen
        .map(|mount| {
            let point = PathBuf::from(mount.point);
            (Silent { point: point.clone(), kind: mount.kind }, ask(point))
        })
        .collect();
    let until = Instant::now() + PATIENCE;
    let silent = |(silent, answer): (Silent, Receiver<()>)| {
        let answered = answer.recv_timeout(until.saturating_duration_since(Instant::now()));
        (answered == Err(RecvTimeoutError::Timeout)).then_some(silent)
    };
    open.into_iter().filter_map(silent).collect()
}

/// Asks for what no cache knows.
fn ask(point: PathBuf) -> Receiver<()> {
    let (send, answer) = channel();
    let work = move || {
        let how = AtFlags::STATX_FORCE_SYNC | AtFlags::NO_AUTOMOUNT;
        let _ = statx(CWD, &point, how, StatxFlags::BASIC_STATS);
        drop(send);
    };
    // Without a thread nothing is asked, and the end of `send` is the answer.
    let _ = thread::Builder::new().name("asker".into()).spawn(work);
    answer
}

/// Whether a file system of this type asks a program or another machine.
fn can_be_silent(kind: &str) -> bool {
    const KINDS: [&str; 11] =
        ["fuse", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph", "afs", "lustre"];
    KINDS.contains(&kind) || kind.starts_with("fuse.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_question_without_an_answer_is_named_and_blocks_only_itself() {
        let mut asker = Asker::default();
        assert_eq!(asker.ask(|_| 7), Ok(7));
        let (release, released) = sync_channel::<()>(0);
        let (look, looks) = channel();
        let hung = asker.ask_within(Duration::from_millis(1), move |looking| {
            looking.at("/proc/7/root");
            look.send(()).unwrap();
            let _ = released.recv();
        });
        // It may not have said yet where it looks.
        assert!(hung.is_err());
        looks.recv_timeout(Duration::from_secs(20)).unwrap();
        let mut other = Asker::default();
        assert_eq!(other.ask(|_| 8), Ok(8));
        assert_eq!(asker.ask(|_| 9), Err("/proc/7/root".into()), "the first one has still no answer");
        drop(release);
        let deadline = Instant::now() + Duration::from_secs(20);
        while asker.ask(|_| 9) != Ok(9) {
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
    }

    #[test]
    fn what_is_silent_is_named_without_what_a_terminal_obeys() {
        let said = say("/mnt/\x1bx", Lang::En);
        assert!(said.contains(r"/mnt/\u{1b}x does not answer"), "{said}");
        assert!(say("/mnt/x", Lang::Zh).contains("/mnt/x 没有响应"));
    }

    #[test]
    fn only_file_systems_that_ask_a_server_can_be_silent() {
        for kind in ["fuse", "fuse.sshfs", "fuseblk", "nfs4", "9p"] {
            assert!(can_be_silent(kind), "{kind}");
        }
        for kind in ["fusectl", "proc", "tmpfs", "ext4", "nfsd", "cgroup2"] {
            assert!(!can_be_silent(kind), "{kind}");
        }
        assert_eq!(mounts(|_| false), []);
    }
}
