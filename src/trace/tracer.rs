//! The tracer's handle: orders go to its one thread, events come out of the sink.

use super::{Hold, Root, TraceEvent, stops::Tracing};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
};
use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// A command to be started under the tracer.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// The program with its full path.
    pub program: PathBuf,
    /// Its arguments, the name first.
    pub argv: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub dir: PathBuf,
    /// A terminal such as `/dev/pts/3`: the command leads a new session there. `None`: it stays in ours.
    pub tty: Option<PathBuf>,
}

/// What the thread is told.
pub(super) enum Order {
    Spawn(Spawn, SyncSender<io::Result<Root>>),
    Hold(Root, Hold),
    Step(i32),
    RunOn(Root),
    Kill(Root),
    Stop,
}

/// What the handle and the thread share.
struct Desk {
    orders: Mutex<VecDeque<Order>>,
    bell: EventFd,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running tracer. Dropping it kills everything that it started: the kernel does the same where we die in any other way
/// (PTRACE_O_EXITKILL).
pub struct Tracer {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Tracer {
    /// Starts the thread. `exe` is this program, which takes the role [`super::launch::ROLE`]. SIGCHLD must be blocked in
    /// every thread, because the kernel throws away a signal that is ignored.
    ///
    /// Errors: those of eventfd(2), signalfd(2) and of making a thread.
    pub fn start(exe: &Path, sink: impl Fn(TraceEvent) + Send + 'static) -> io::Result<Tracer> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let desk = Arc::new(Desk { orders: Mutex::default(), bell });
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&SigSet::from(Signal::SIGCHLD), flags)?;
        let (at, exe) = (desk.clone(), exe.to_path_buf());
        let work = move || run(&at, &signals, Tracing::new(exe, Box::new(sink)));
        let thread = thread::Builder::new().name("tracer".into()).spawn(work)?;
        Ok(Tracer { desk, thread: Some(thread) })
    }

    /// Starts a command; gives the host PID of its first process, which names its family from then on.
    ///
    /// Errors: those of fork(2) and of starting this program. A command that cannot be executed says so on its own
    /// standard error and ends with 126 or 127, as under env(1).
    pub fn spawn(&self, spawn: Spawn) -> io::Result<Root> {
        let (answer, answered) = sync_channel(1);
        self.tell(Order::Spawn(spawn, answer));
        answered.recv().unwrap_or_else(|_| Err(io::Error::other("the tracer has ended")))
    }

    /// Says when processes of this family wait before a call. Those that wait already go on waiting.
    pub fn hold(&self, root: Root, hold: Hold) {
        self.tell(Order::Hold(root, hold));
    }

    /// Lets the held call of this thread happen.
    pub fn step(&self, pid: i32) {
        self.tell(Order::Step(pid));
    }

    /// Holds no more, and lets everything held go on.
    pub fn run_on(&self, root: Root) {
        self.tell(Order::RunOn(root));
    }

    /// Kills every process of the family; [`TraceEvent::Finished`] follows when the last one has ended.
    pub fn kill(&self, root: Root) {
        self.tell(Order::Kill(root));
    }

    fn tell(&self, order: Order) {
        self.desk.lock().push_back(order);
        // It can only be full after 2⁶⁴ rings.
        let _ = self.desk.bell.write(1);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.tell(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(desk: &Desk, signals: &SignalFd, mut tracing: Tracing) {
    let mut stopping = false;
    loop {
        // The signal only says that something happened, once for any number of stops: all of them are taken.
        while let Ok(Some(_)) = signals.read_signal() {}
        let _ = desk.bell.read();
        tracing.reap();
        loop {
            let Some(order) = desk.lock().pop_front() else { break };
            match order {
                Order::Spawn(spawn, answer) => drop(answer.send(tracing.spawn(&spawn))),
                Order::Hold(root, hold) => tracing.hold(root, hold),
                Order::Step(pid) => tracing.step(pid),
                Order::RunOn(root) => tracing.run_on(root),
                Order::Kill(root) => tracing.kill(root),
                Order::Stop => {
                    stopping = true;
                    tracing.kill_all();
                }
            }
        }
        if stopping && tracing.is_empty() {
            return;
        }
        let mut fds =
            [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(desk.bell.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
