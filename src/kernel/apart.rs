//! Processes in namespaces of their own, for tests: one that waits in them, and work that is done in another process.
//!
//! A test that needs a user namespace says so, and is ignored where none could be made when it was built (`build.rs`):
//! `#[cfg_attr(no_user_namespaces, ignore = "…")]`. It fails where none can be made any more.

use super::{exit, pid::Pid};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, unshare},
    sys::{
        prctl::set_pdeathsig,
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{ForkResult, fork, getegid, geteuid, sethostname},
};
use std::{
    env, fs, io,
    io::{Read, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Child, Command, Stdio},
};

/// It waits in a user, UTS, IPC, network and mount namespace of its own until it is dropped. Its host name is `box`.
pub(crate) struct Apart(Child);

impl Apart {
    #[expect(unsafe_code, reason = "the standard library marks what runs between fork and exec so")]
    pub(crate) fn new() -> Apart {
        let own = CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWNS;
        let mut command = Command::new("cat");
        // SAFETY: both are system calls and nothing else.
        unsafe { command.pre_exec(move || Ok(unshare(own).and_then(|()| sethostname("box"))?)) };
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        Apart(child.unwrap_or_else(|error| refused(&error.to_string())))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::of(&self.0)
    }

    /// The file of one of its namespaces.
    pub(crate) fn file(&self, link: &str) -> String {
        self.pid().dir().join("ns").join(link).display().to_string()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn refused(why: &str) -> ! {
    panic!("no user namespace can be made here: {why}; if that has changed since the build: touch build.rs")
}

/// What this work gives in a process with a single thread, which setns(2) and unshare(2) want for a user namespace.
#[expect(unsafe_code, reason = "fork(2)")]
pub(crate) fn forked(work: impl FnOnce() -> String) -> String {
    let (mut answer, mut told) = io::pipe().unwrap();
    // SAFETY: the child does its work, which takes no lock of this process, and ends without running anything of the parent's.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            // Whatever it does, it ends with the test.
            let _ = set_pdeathsig(Signal::SIGKILL);
            let line = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| "panicked".into());
            let _ = told.write_all(line.as_bytes());
            exit::now(0);
        }
        ForkResult::Parent { child } => {
            drop(told);
            // It tells all at its end.
            let told = loop {
                match poll(&mut [PollFd::new(answer.as_fd(), PollFlags::POLLIN)], PollTimeout::from(20_000u16)) {
                    Err(nix::errno::Errno::EINTR) => {}
                    told => break told,
                }
            };
            let mut bytes = Vec::new();
            if told == Ok(1) {
                answer.read_to_end(&mut bytes).unwrap();
            }
            let _ = kill(child, Signal::SIGKILL);
            waitpid(child, None).unwrap();
            assert_eq!(told, Ok(1), "the child does not end");
            super::text::of(bytes)
        }
    }
}

/// The same as root of a new user namespace, and in these namespaces besides.
pub(crate) fn as_root_apart(besides: CloneFlags, work: impl FnOnce() -> String) -> String {
    const REFUSED: &str = "no namespace: ";
    let (uid, gid) = (geteuid(), getegid());
    let told = forked(|| {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWUSER | besides) {
            return format!("{REFUSED}{errno}");
        }
        let maps = [("setgroups", "deny".into()), ("uid_map", format!("0 {uid} 1")), ("gid_map", format!("0 {gid} 1"))];
        for (file, map) in maps {
            fs::write(format!("/proc/self/{file}"), map).unwrap();
        }
        work()
    });
    told.strip_prefix(REFUSED).map_or_else(|| told.clone(), |why| refused(why))
}

/// Whether `BOXWRIGHT_REQUIRE` is told to fail what would be ignored for want of them, as in `tests/it`.
fn are_required(names: &str) -> bool {
    let names: Vec<&str> = names.split(',').collect();
    let names_it = |name| names.contains(&name);
    names_it("user-namespaces") || names_it("all") && !names_it("-user-namespaces")
}

#[test]
fn namespaces_that_are_required_could_be_made() {
    let required = env::var("BOXWRIGHT_REQUIRE").unwrap_or_default();
    assert!(
        !cfg!(no_user_namespaces) || !are_required(&required),
        "none could be made when this was built: ignored is what needs them"
    );
    let wanted = ["", "root,all", "user-namespaces", "all,-root", "-user-namespaces,all"].map(are_required);
    assert_eq!(wanted, [false, true, true, true, false]);
}
