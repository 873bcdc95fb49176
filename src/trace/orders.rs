//! What the tracer's handle orders: start a command, hold it, let it go on, kill it.

use super::{
    Hold, Root, Spawn, TraceEvent,
    launch::{ROLE, TRACED, UNTRACED},
    ptrace_refused::refusal,
    stops::Tracing,
    task::{Family, Task},
};
use crate::kernel::{freezer::Freezers, pid::Pid, process, rights};
use nix::{
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill},
    },
    unistd::{pipe2, write},
};
use std::{
    collections::BTreeSet,
    io,
    os::fd::AsRawFd,
    process::{Command, Stdio},
};

/// How we want to be told: of children, of new programs, with system call stops marked; and when we die, all die.
pub(super) const OPTIONS: Options = Options::PTRACE_O_TRACESYSGOOD
    .union(Options::PTRACE_O_TRACESECCOMP)
    .union(Options::PTRACE_O_TRACEFORK)
    .union(Options::PTRACE_O_TRACEVFORK)
    .union(Options::PTRACE_O_TRACECLONE)
    .union(Options::PTRACE_O_TRACEEXEC)
    .union(Options::PTRACE_O_EXITKILL);

impl Tracing {
    /// Starts a command: a process that waits at a pipe, is seized, and only then becomes the command.
    pub(super) fn spawn(&mut self, spawn: &Spawn, hold: Hold) -> io::Result<Root> {
        // The reading end must outlive an execve, so it is not close-on-exec; the new process closes it.
        let (read, go) = pipe2(nix::fcntl::OFlag::empty())?;
        nix::fcntl::fcntl(&go, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
        let mut command = Command::new(&self.exe);
        command
            .arg(ROLE)
            .arg(read.as_raw_fd().to_string())
            .arg(spawn.tty.clone().unwrap_or_default())
            .arg(&spawn.dir)
            .arg(&spawn.program)
            .args(&spawn.argv)
            .env_clear()
            .envs(spawn.env.iter().cloned());
        if spawn.tty.is_some() {
            // Until it has its own terminal it must not touch ours.
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        }
        let root = Pid::of(&command.spawn()?);
        drop(read);
        let seized = ptrace::seize(root.into(), OPTIONS);
        let untraced = seized.is_err();
        let comm = spawn.program.file_name().unwrap_or_default().display().to_string();
        let shares_our_terminal = spawn.tty.is_none();
        let guard = spawn.guard.clone();
        let family = Family { hold, guard, untraced, shares_our_terminal, ..Family::new(comm) };
        self.families.insert(root, family);
        match seized {
            Ok(()) => {
                self.zombies.adopt();
                // A filter that is around us is around it.
                let filtered = rights::status().and_then(|status| status.seccomp).is_some_and(|mode| mode != 0);
                self.tasks.insert(root, Task { filtered, ..Task::new(root, root) });
            }
            Err(refused) => self.tell(TraceEvent::Refused(root, refusal(refused))),
        }
        // Where it has ended meanwhile, its end is told like any other.
        let _ = write(&go, &[if untraced { UNTRACED } else { TRACED }]);
        Ok(root)
    }

    pub(super) fn hold(&mut self, root: Root, hold: Hold) {
        if let Some(family) = self.families.get_mut(&root) {
            family.hold = hold;
        }
    }

    pub(super) fn step(&mut self, tid: Pid) {
        self.release(tid);
    }

    pub(super) fn run_on(&mut self, root: Root) {
        self.hold(root, Hold::Off);
        let held = self.tasks.iter().filter(|(_, task)| task.root == root && task.held.is_some() && !task.guarded);
        for tid in held.map(|(tid, _)| *tid).collect::<Vec<_>>() {
            self.release(tid);
        }
    }

    pub(super) fn kill(&mut self, root: Root) {
        self.end_asides(root);
        if self.families.get(&root).is_some_and(|family| family.attached) {
            return self.let_go(root);
        }
        let Some(family) = self.families.get_mut(&root) else { return };
        family.killing = true;
        let untraced = family.untraced;
        let mut processes = if untraced { process::family(root, usize::MAX) } else { self.processes(Some(root)) };
        // They have to end others.
        processes.retain(|pid| !self.asides.contains_key(pid));
        for pid in &processes {
            let _ = kill((*pid).into(), Signal::SIGKILL);
        }
        // What is frozen dies only now, and does nothing else any more.
        let freezers = Freezers::read();
        processes.iter().for_each(|pid| freezers.release(*pid));
    }

    /// The processes of one family, or of all, that have not ended.
    pub(super) fn processes(&self, root: Option<Root>) -> Vec<Pid> {
        let wanted = |family: Root| root.is_none_or(|root| root == family);
        let traced = self.tasks.values().filter(|task| wanted(task.root)).map(|task| task.process);
        let untraced =
            self.families.iter().filter(|(root, family)| family.untraced && wanted(**root)).map(|(root, _)| *root);
        let asides = self.asides.iter().filter(|(_, root)| wanted(**root)).map(|(supervisor, _)| *supervisor);
        traced.chain(untraced).chain(asides).collect::<BTreeSet<Pid>>().into_iter().collect()
    }

    pub(super) fn kill_all(&mut self) {
        let all: BTreeSet<Root> = self.families.keys().chain(self.asides.values()).copied().collect();
        for root in all {
            self.kill(root);
        }
    }
}
