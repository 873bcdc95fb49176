//! A process in namespaces of its own, and work in another one that may enter them: what tests of the helper need.

use super::ns_helper::read_until;
use crate::kernel::{exit, pid::Pid};
use nix::{
    sched::{CloneFlags, unshare},
    sys::signal::{Signal, kill},
    unistd::{ForkResult, fork, sethostname},
};
use std::{
    env, io,
    io::Write,
    os::unix::process::CommandExt,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// It waits in a user, UTS, IPC, network and mount namespace of its own until it is dropped. Its host name is `box`.
pub(super) struct Apart(Child);

impl Apart {
    /// `None` where this user may not make user namespaces, unless `BOXWRIGHT_REQUIRE` wants them.
    #[expect(unsafe_code, reason = "the standard library marks what runs between fork and exec so")]
    pub(super) fn new() -> Option<Apart> {
        let own = CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWNS;
        let mut command = Command::new("cat");
        // SAFETY: both are system calls and nothing else.
        unsafe { command.pre_exec(move || Ok(unshare(own).and_then(|()| sethostname("box"))?)) };
        match command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn() {
            Ok(child) => Some(Apart(child)),
            Err(error) => {
                let required = env::var("BOXWRIGHT_REQUIRE").unwrap_or_default();
                let required = required.split(',').any(|name| ["all", "user-namespaces"].contains(&name));
                assert!(!required, "no user namespace can be made here: {error}");
                None
            }
        }
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::of(&self.0)
    }

    /// The file of one of its namespaces.
    pub(super) fn file(&self, link: &str) -> String {
        self.pid().dir().join("ns").join(link).display().to_string()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What this work gives in a process with a single thread, as the helper is one: setns(2) wants that for a user namespace.
#[expect(unsafe_code, reason = "fork(2)")]
pub(super) fn forked(work: impl FnOnce() -> String) -> String {
    let (mut answer, mut told) = io::pipe().unwrap();
    // SAFETY: the child does its work, which takes no lock of this process, and ends without running anything of the parent's.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let line = catch_unwind(AssertUnwindSafe(work)).unwrap_or_default();
            let _ = told.write_all(line.as_bytes());
            exit::now(0);
        }
        ForkResult::Parent { child } => {
            drop(told);
            let line = read_until(&mut answer, Instant::now() + Duration::from_secs(20));
            let _ = kill(child, Signal::SIGKILL);
            nix::sys::wait::waitpid(child, None).unwrap();
            String::from_utf8(line.unwrap()).unwrap()
        }
    }
}
