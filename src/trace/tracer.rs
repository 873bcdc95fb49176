//! The tracer's handle: orders go to its one thread, events come out of the sink.

use super::{Guard, Hold, Instead, Root, TraceEvent, stop::news, stops::Tracing, task::Refusal};
use crate::kernel::pid::Pid;
use nix::{
    errno::Errno,
    sys::{
        epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
        eventfd::{EfdFlags, EventFd},
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    },
};
use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI32, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long the end of everything traced is waited for by default.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the thread may take to answer: it may just look at something.
const ANSWER: Duration = Duration::from_millis(200);

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
    /// Calls that would change what belongs to the machine itself are held ([`TraceEvent::Guarded`]); what it says is the
    /// command's own. `None`: nothing is held for that.
    pub guard: Option<Guard>,
}

/// What the thread is told.
pub(super) enum Order {
    Spawn(Spawn, Hold, SyncSender<io::Result<Root>>),
    Attach(Pid, SyncSender<io::Result<Root>>),
    Hold(Root, Hold),
    Step(Pid),
    Refuse(Pid),
    Instead(Pid, Instead),
    RunOn(Root),
    Kill(Root),
    /// Tells the processes of a family that have not ended.
    Processes(Root, SyncSender<Vec<Pid>>),
    /// Kills all, and ends the thread when they have ended or the time has come; tells who has not.
    Stop(Instant, SyncSender<Vec<Pid>>),
}

/// What the handle and the thread share.
struct Mailbox {
    orders: Mutex<VecDeque<Order>>,
    wakeup: EventFd,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running tracer. Dropping it kills everything that it started: the kernel does the same where we die in any other way
/// (PTRACE_O_EXITKILL).
pub struct Tracer {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl Tracer {
    /// Starts the thread. `exe` is this program, which takes the role [`super::launch::ROLE`]. The process gets a handler
    /// for SIGCHLD; other threads may block the signal or not.
    ///
    /// Errors: those of eventfd(2), epoll_create(2), sigaction(2) and of making a thread.
    pub fn start(exe: &Path, sink: impl Fn(TraceEvent) + Send + 'static) -> io::Result<Tracer> {
        let wakeup = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let mailbox = Arc::new(Mailbox { orders: Mutex::default(), wakeup });
        let poll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // An edge each time it rings, so that the counter, which all tracers of the process share, need not be read.
        let edge = |data| EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, data);
        poll.add(children()?, edge(0))?;
        poll.add(&mailbox.wakeup, edge(1))?;
        let (at, exe) = (mailbox.clone(), exe.to_path_buf());
        let work = move || run(&at, &poll, Tracing::new(exe, Box::new(sink)));
        let thread = thread::Builder::new().name("tracer".into()).spawn(work)?;
        Ok(Tracer { mailbox, thread: Some(thread) })
    }

    /// Starts a command; gives the host PID of its first process, which names its family from then on.
    ///
    /// Errors: those of fork(2) and of starting this program. A command that cannot be executed says so on its own
    /// standard error and ends with 126 or 127, as under env(1).
    pub fn spawn(&self, spawn: Spawn) -> io::Result<Root> {
        self.spawn_held(spawn, Hold::Off)
    }

    /// The same for a command that may have to wait before its very first call: a hold that is asked for afterwards could
    /// come too late.
    pub(crate) fn spawn_held(&self, spawn: Spawn, hold: Hold) -> io::Result<Root> {
        let (answer, answered) = sync_channel(1);
        self.tell(Order::Spawn(spawn, hold, answer));
        answered.recv().unwrap_or_else(|_| Err(io::Error::other("the tracer has ended")))
    }

    /// Traces a process that runs already, with all its threads and whatever they make. Every call of theirs stops, because a
    /// filter cannot be given from outside. [`Tracer::kill`], and the end of the tracer, let it go on alone.
    ///
    /// Errors: those of ptrace(PTRACE_SEIZE).
    pub(crate) fn attach(&self, pid: Pid) -> io::Result<Root> {
        let (answer, answered) = sync_channel(1);
        self.tell(Order::Attach(pid, answer));
        answered.recv().unwrap_or_else(|_| Err(io::Error::other("the tracer has ended")))
    }

    /// Says when processes of this family wait before a call. Those that wait already go on waiting.
    pub fn hold(&self, root: Root, hold: Hold) {
        self.tell(Order::Hold(root, hold));
    }

    /// Lets the held call of this thread happen.
    pub fn step(&self, pid: Pid) {
        self.tell(Order::Step(pid));
    }

    /// Makes the held call of this thread fail with EPERM: the kernel never makes it.
    pub(crate) fn refuse(&self, pid: Pid) {
        self.tell(Order::Refuse(pid));
    }

    /// Lets the held call of this thread happen without a flag, or fail with an error. A flag that it does not have is not
    /// dropped, and the call stays held; so it does where it would change the machine itself only now
    /// ([`TraceEvent::Guarded`]). What is guarded already stays as it is.
    pub fn instead(&self, pid: Pid, instead: Instead) {
        self.tell(Order::Instead(pid, instead));
    }

    /// Holds no more, and lets everything held go on but what is guarded.
    pub fn run_on(&self, root: Root) {
        self.tell(Order::RunOn(root));
    }

    /// Kills every process of the family; [`TraceEvent::Finished`] follows when the last one has ended.
    pub fn kill(&self, root: Root) {
        self.tell(Order::Kill(root));
    }

    /// The processes of a family that have not ended, by their host PIDs.
    pub(crate) fn processes(&self, root: Root) -> Vec<Pid> {
        let (answer, answered) = sync_channel(1);
        self.tell(Order::Processes(root, answer));
        answered.recv_timeout(ANSWER).unwrap_or_default()
    }

    /// Kills everything that it started and ends the thread, within this time. Gives the processes that have not ended: the
    /// kernel ends them when whatever holds them lets go.
    pub(crate) fn stop(&mut self, within: Duration) -> Vec<Pid> {
        let Some(thread) = self.thread.take() else { return Vec::new() };
        let (answer, answered) = sync_channel(1);
        self.tell(Order::Stop(Instant::now() + within, answer));
        match answered.recv_timeout(within + ANSWER) {
            Ok(left) => {
                let _ = thread.join();
                left
            }
            // It has died; or it looks at something that does not answer, and ends with the process.
            Err(_) => Vec::new(),
        }
    }

    fn tell(&self, order: Order) {
        self.mailbox.lock().push_back(order);
        // It can only be full after 2⁶⁴ rings.
        let _ = self.mailbox.wakeup.write(1);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.stop(PATIENCE);
    }
}

fn run(mailbox: &Mailbox, poll: &Epoll, mut tracing: Tracing) {
    let mut stopping: Option<(Instant, SyncSender<Vec<Pid>>)> = None;
    // Where the signal is blocked around us, this thread is the one that takes it.
    let _ = SigSet::from(Signal::SIGCHLD).thread_unblock();
    loop {
        handle_orders(mailbox, &mut tracing, &mut stopping);
        // A ring only says that something happened, once for any number of stops: all of them are taken. What was ordered
        // before a stop came is handled before it is taken, so that a "hold" before a typed line is not too late.
        while let Some(news) = news() {
            handle_orders(mailbox, &mut tracing, &mut stopping);
            tracing.take(news);
        }
        tracing.take_in_orphans();
        tracing.zombies.reap();
        let mut timeout = EpollTimeout::NONE;
        if let Some((until, answer)) = &stopping {
            let left = until.saturating_duration_since(Instant::now());
            if tracing.is_empty() || left.is_zero() {
                // The kernel kills what is still there once more when this thread has ended (PTRACE_O_EXITKILL).
                let _ = answer.send(tracing.processes(None));
                return;
            }
            // Rounded up: a timeout of less than a millisecond would spin.
            timeout = EpollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(EpollTimeout::ZERO);
        }
        match poll.wait(&mut [EpollEvent::empty(); 2], timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

fn handle_orders(mailbox: &Mailbox, tracing: &mut Tracing, stopping: &mut Option<(Instant, SyncSender<Vec<Pid>>)>) {
    loop {
        let Some(order) = mailbox.lock().pop_front() else { return };
        match order {
            Order::Spawn(spawn, hold, answer) => drop(answer.send(tracing.spawn(&spawn, hold))),
            Order::Attach(pid, answer) => drop(answer.send(tracing.attach(pid))),
            Order::Hold(root, hold) => tracing.hold(root, hold),
            Order::Step(pid) => tracing.step(pid),
            Order::Refuse(pid) => tracing.refuse(pid, Refusal::Guard),
            Order::Instead(pid, instead) => tracing.instead(pid, instead),
            Order::RunOn(root) => tracing.run_on(root),
            Order::Kill(root) => tracing.kill(root),
            Order::Processes(root, answer) => drop(answer.send(tracing.processes(Some(root)))),
            Order::Stop(until, answer) => {
                *stopping = Some((until, answer));
                tracing.kill_all();
            }
        }
    }
}

static CHILDREN: AtomicI32 = AtomicI32::new(-1);

/// The counter that rings whenever a child of this process has something to tell.
///
/// A signalfd(2) would be silent as soon as one thread does not block SIGCHLD; a handler works in any thread.
#[expect(unsafe_code, reason = "a signal handler is installed")]
fn children() -> io::Result<&'static EventFd> {
    static COUNTER: OnceLock<EventFd> = OnceLock::new();
    if let Some(counter) = COUNTER.get() {
        return Ok(counter);
    }
    let made = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let counter = COUNTER.get_or_init(|| made);
    CHILDREN.store(counter.as_raw_fd(), Ordering::SeqCst);
    let action = SigAction::new(SigHandler::Handler(ring), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler calls nothing but write(2), as signal-safety(7) asks, and keeps errno.
    unsafe { sigaction(Signal::SIGCHLD, &action) }?;
    Ok(counter)
}

#[expect(unsafe_code, reason = "a signal handler may call little else than write(2) itself")]
extern "C" fn ring(_: libc::c_int) {
    let (errno, one) = (Errno::last_raw(), 1u64.to_ne_bytes());
    // SAFETY: eight bytes of ours go to a descriptor that is open as long as the process lives.
    unsafe { libc::write(CHILDREN.load(Ordering::SeqCst), one.as_ptr().cast(), one.len()) };
    Errno::set_raw(errno);
}
