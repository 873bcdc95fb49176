//! The tracer's thread: every stop of every traced thread, and what follows from it (ptrace(2)).

use super::{
    Argument, Call, Ended, Hold, Root, Syscall, SyscallEvent, TraceEvent,
    calls::{Effect, Question},
    effects,
    following::{self, Cgroups},
    guard::Inode,
    memory::Width,
    objects,
    stop::{News, Place, Stopped, Until, Why},
    task::{Family, Pending, Task, comm},
    zombies::Zombies,
};
use crate::kernel::{objects::Object, pid::Pid, refusal::Answer};
use nix::sys::signal::{Signal, raise};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Instant,
};

/// Errors with which the kernel says to itself that a call must be made again after a signal (`linux/errno.h`).
pub(super) const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;

type Sink = Box<dyn Fn(TraceEvent)>;

/// Everything that the thread knows.
pub(super) struct Tracing {
    pub(super) exe: PathBuf,
    pub(super) sink: Sink,
    pub(super) tasks: BTreeMap<Pid, Task>,
    pub(super) families: BTreeMap<Root, Family>,
    /// Threads that stopped for the first time before we were told whose children they are.
    pub(super) early: BTreeMap<Pid, Stopped>,
    /// Those that ended before we were told.
    pub(super) stillborn: BTreeMap<Pid, Ended>,
    pub(super) cgroups: Cgroups,
    /// Every control group that was made under this tracer.
    pub(super) groups: BTreeSet<Inode>,
    /// Every object that was made so in the machine's own namespaces.
    pub(super) objects: Vec<Object>,
    pub(super) zombies: Zombies,
    /// Who watches over commands that are not traced, and for which family.
    pub(super) asides: BTreeMap<Pid, Root>,
}

impl Tracing {
    pub(super) fn new(exe: PathBuf, sink: Sink) -> Tracing {
        let (tasks, families, early, stillborn, cgroups, groups, objects, zombies) = Default::default();
        let asides = BTreeMap::new();
        Tracing { exe, sink, tasks, families, early, stillborn, cgroups, groups, objects, zombies, asides }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.families.is_empty() && self.asides.is_empty()
    }

    pub(super) fn tell(&self, event: TraceEvent) {
        (self.sink)(event);
    }

    /// Decides how a thread that stopped goes on, or takes note of its end.
    pub(super) fn take(&mut self, news: News) {
        let (stop, why) = match news {
            News::Ended(tid, ended) => return self.ended(tid, ended),
            News::Stopped(stop, why) => (stop, why),
        };
        let tid = stop.tid();
        if self.is_leaving(tid) {
            return self.leave(stop, Some(why));
        }
        if self.tasks.get(&tid).is_none_or(|task| task.unborn) {
            // It waits for its maker's report, so that what it is born with is not missed.
            self.early.insert(tid, stop);
            return;
        }
        match why {
            Why::Filter => self.before_call(stop),
            Why::Call => self.at_call(stop),
            Why::Made => {
                self.made(&stop);
                self.resume(stop);
            }
            Why::Program => {
                self.replaced(&stop);
                self.resume(stop);
            }
            Why::Group(signal) => {
                stop.listen();
                // The shell that started us must see its job stopped, and wakes both of us. SIGSTOP is for the command
                // alone, and so is the SIGCONT that follows: while we stood still we would not hear of it.
                let job = signal.0 != libc::SIGSTOP;
                if job && self.families.get(&tid).is_some_and(|family| family.shares_our_terminal) {
                    let _ = raise(Signal::SIGSTOP);
                }
            }
            Why::Signal(signal) => stop.resume(self.until(tid), Some(signal)),
            Why::Nothing => self.resume(stop),
        }
    }

    fn is_filtered(&self, tid: Pid) -> bool {
        self.tasks.get(&tid).is_some_and(|task| task.filtered)
    }

    /// How far a thread goes: to the end of its call where that matters, else to the next interesting one.
    fn until(&self, tid: Pid) -> Until {
        let at_call =
            self.tasks.get(&tid).is_some_and(|task| task.pending.is_some() || task.following || task.filtered);
        if at_call { Until::Call } else { Until::Filter }
    }

    /// Lets a thread go on.
    pub(super) fn resume(&self, stop: Stopped) {
        let until = self.until(stop.tid());
        stop.resume(until, None);
    }

    /// Before an interesting call.
    fn before_call(&mut self, stop: Stopped) {
        if let Some(pending) = self.tasks.get_mut(&stop.tid()).and_then(|task| task.pending.as_mut()) {
            // It was taken up where the call began.
            pending.unseen = false;
            return self.resume(stop);
        }
        match stop.place() {
            Some(Place::Entry(Some(syscall), values, width)) => {
                return self.begin(stop, Entered { syscall, values, width, unseen: false });
            }
            Some(Place::Foreign) => self.foreign(stop.tid()),
            _ => {}
        }
        self.resume(stop);
    }

    /// Takes up a call, and holds it where that is wanted.
    fn begin(&mut self, stop: Stopped, entered: Entered) {
        let Entered { syscall, values, width, unseen } = entered;
        match syscall.question(&values) {
            Some(Question::Untraced) => return self.aside(stop, &values),
            Some(Question::Refused) => {
                stop.answer(self.tasks.get(&stop.tid()).and_then(|task| task.meddled).map_or(0, Answer::coded));
                return self.resume(stop);
            }
            None => {}
        }
        let tid = stop.tid();
        let effect = syscall.row().effect;
        let mut call = Call::read(tid, stop.memory().with(width), syscall, &values);
        let (told, wanted) = match effect {
            Effect::Child(_) => {
                let flags = call.clone_flags();
                if flags & libc::CLONE_UNTRACED as u64 != 0 {
                    let word = values[0];
                    let in_memory = syscall.name() == "clone3";
                    let flags = if in_memory { flags } else { word } & !(libc::CLONE_UNTRACED as u64);
                    stop.clear_flags(in_memory, word, flags, width);
                }
                (true, flags & libc::CLONE_THREAD as u64 == 0)
            }
            Effect::GroupMade(index) | Effect::GroupRemoved(index) | Effect::Renamed(index, _) => {
                (true, self.cgroups.directory(&stop, &call.args, index).is_some())
            }
            Effect::Opens(index) => {
                let control = following::may_be_control_file(call.args.get(index).and_then(Argument::path));
                let shared = !control && objects::shared(tid, &call, &values, index).is_some();
                (shared, control || shared)
            }
            Effect::Connects => {
                let family = self.tasks.get(&tid).and_then(|task| self.families.get(&task.root));
                (false, family.is_some_and(|family| family.guard.is_some()))
            }
            Effect::Sends | Effect::Writes(_) if self.speaks(tid, effect, &values) => {
                let asked = self.asked_of_the_network(tid, stop.memory().with(width), syscall.name(), &values);
                let told = asked.is_some();
                if let (Some(asked), Some(argument)) = (asked, call.args.get_mut(1)) {
                    *argument = asked.into();
                }
                (told, true)
            }
            Effect::Sends => (false, false),
            // As what is asked by a message is, whosever network it is.
            Effect::Configures if syscall.name() == "ioctl" => (true, true),
            effect if effect.is_told_as_harm() => (false, true),
            _ => (true, true),
        };
        let harm = if wanted { self.harm(&stop, stop.memory().with(width), &call, &values) } else { None };
        let told = told || harm.is_some();
        let family = self.tasks.get(&tid).and_then(|task| self.families.get(&task.root));
        let unseen = unseen && family.is_none_or(|family| !family.without_filter);
        // What is ours until the command begins is not the command's.
        let wanted = wanted && (effect == Effect::Program || family.is_none_or(|family| family.started));
        let wanted = wanted && (told || !effect.is_told_as_harm());
        let Some(task) = self.tasks.get_mut(&tid).filter(|_| wanted) else { return self.resume(stop) };
        // A shell that looks for a program along the PATH tries one file after the other of the same name.
        let search = |failed: &SyscallEvent| {
            effect == Effect::Program && program(&call).is_some_and(|name| program(&failed.call) == Some(name))
        };
        let failed = task.failed_exec.take_if(|failed| told && !search(failed));
        task.comm = comm(tid);
        call.comm.clone_from(&task.comm);
        let before = effects::Before::Nothing;
        let started = Instant::now();
        let again = task.again.take().filter(|again| (again.syscall, again.values) == (syscall, values));
        let is_again = again.is_some();
        task.pending = Some(Pending {
            call: call.clone(),
            values,
            width,
            asked: again.and_then(|again| again.asked),
            told,
            refused: None,
            unseen,
            before,
            started,
            made: false,
            born: Vec::new(),
            child: None,
        });
        let root = task.root;
        if let Some(failed) = failed {
            self.tell(TraceEvent::Syscall(root, failed));
        }
        if let Some(harm) = harm.filter(|_| !is_again)
            && let Some(task) = self.tasks.get_mut(&tid)
        {
            task.held = Some(stop);
            task.guarded = true;
            self.tell(TraceEvent::Guarded(root, call, harm));
        } else if told
            && !is_again
            && self.holds(root, &stop, &call)
            && let Some(task) = self.tasks.get_mut(&tid)
        {
            task.held = Some(stop);
            self.tell(TraceEvent::Held(root, call));
        } else {
            self.happen(stop);
        }
    }

    /// Whether this call is held. The attempts with which a shell looks for a program along the PATH are not.
    fn holds(&mut self, root: Root, stop: &Stopped, call: &Call) -> bool {
        let Some(family) = self.families.get_mut(&root).filter(|family| !family.killing) else { return false };
        let hold = match &family.hold {
            Hold::Off => false,
            Hold::Every => true,
            Hold::Until(name) => name == call.syscall.name(),
        };
        let program =
            call.args.first().and_then(Argument::path).filter(|_| call.syscall.row().effect == Effect::Program);
        let hold = hold && program.is_none_or(|path| following::program_exists(stop, path));
        if hold {
            family.hold = Hold::Every;
        }
        hold
    }

    /// Lets a held call happen.
    pub(super) fn release(&mut self, tid: Pid) {
        if let Some(task) = self.tasks.get_mut(&tid)
            && let Some(stop) = task.held.take()
        {
            let root = task.root;
            task.guarded = false;
            self.tell(TraceEvent::Released(root, tid));
            self.happen(stop);
        }
    }

    /// Lets the call happen, after a look at what it may change.
    fn happen(&mut self, stop: Stopped) {
        let pending = self.tasks.get_mut(&stop.tid()).and_then(|task| task.pending.as_mut());
        if let Some(pending) = pending.filter(|pending| pending.refused.is_none()) {
            let group = match pending.call.syscall.row().effect {
                Effect::GroupMade(index) | Effect::GroupRemoved(index) | Effect::Renamed(index, _) => {
                    self.cgroups.directory(&stop, &pending.call.args, index)
                }
                _ => None,
            };
            pending.before = effects::before(&stop, &pending.call, &pending.values, group, &self.exe);
            pending.started = Instant::now();
        }
        self.resume(stop);
    }

    /// At the beginning of a call of a thread that is followed, or at the end of a call.
    fn at_call(&mut self, stop: Stopped) {
        match stop.place() {
            Some(Place::Exit(result)) => return self.returned(stop, result),
            Some(Place::Entry(Some(syscall), values, width)) => {
                match syscall.row().effect {
                    Effect::Writes(index) if following::control_file(&stop, values[index] as i32).is_some() => {
                        return self.begin(stop, Entered { syscall, values, width, unseen: false });
                    }
                    effect if self.speaks(stop.tid(), effect, &values) => {
                        return self.begin(stop, Entered { syscall, values, width, unseen: false });
                    }
                    _ if self.is_filtered(stop.tid()) && syscall.row().trap.stops(&values) => {
                        return self.begin(stop, Entered { syscall, values, width, unseen: true });
                    }
                    // It may lose its file with this call; whether it did shows at its end.
                    Effect::Closes => {
                        if let Some(task) = self.tasks.get_mut(&stop.tid()) {
                            task.closing = true;
                        }
                    }
                    _ => {}
                }
            }
            Some(Place::Foreign) => self.foreign(stop.tid()),
            Some(Place::Entry(None, ..)) | None => {}
        }
        self.resume(stop);
    }
}

/// A call that begins.
struct Entered {
    syscall: Syscall,
    values: [u64; 6],
    width: Width,
    /// Our filter has still to stop it, if no other one answers before.
    unseen: bool,
}

/// The name of the file that a call is to start.
fn program(call: &Call) -> Option<&std::ffi::OsStr> {
    call.args.iter().find_map(Argument::path).and_then(std::path::Path::file_name)
}
