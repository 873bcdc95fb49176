//! `boxwright untraced COMMAND…`: a command that is not traced, asked for by a process that is.
//!
//! A traced process cannot start one: its children are traced from birth, and its seccomp filter, which they inherit, makes
//! calls fail where no tracer answers. So the tracer starts it from outside. The asking process ([`client`]) makes an agreed
//! call; the tracer answers it by starting a [`supervisor`], which makes the command a process just like the asking one:
//! same namespaces, root, directory, environment, control groups and files ([`join`]). A socket between both carries the
//! signals one way and the status the other, and a terminal of its own serves the command where the asking one has one
//! ([`relay`]).
//!
//! All of it ends with the session: the supervisor is the parent of whatever the command leaves behind, and kills it when the
//! tracer says so, or has gone.

mod client;
mod join;
mod relay;
mod supervisor;

pub use client::run as untraced;
pub use supervisor::{ROLE, run};

use super::{Ended, Note, stop::Stopped, stops::Tracing};
use crate::kernel::{
    pid::Pid,
    pidfd,
    process::{self, Process},
    text,
};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg},
    },
};
use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    process::{Command, Stdio},
};

/// The option of prctl(2) that asks for it, together with a socket's descriptor and how many words of the asking process's own
/// arguments, the last ones, are the command. The kernel does not know it and answers EINVAL.
pub(super) const ASK: u32 = u32::from_be_bytes(*b"boxw");

/// What goes over the socket, one message each.
#[derive(Debug, PartialEq, Eq)]
enum Message {
    /// The command has started; the terminal's other end comes along where it has one.
    Started,
    /// It has not: why.
    Failed(String),
    /// It ended: the status of wait(2).
    Ended(i32),
    /// Send it this signal.
    Signal(i32),
}

/// How often those are looked for that a killed supervisor leaves behind.
const PASSES: u8 = 3;

/// The longest message.
const MAX_LEN: usize = 4096;

impl Message {
    fn bytes(&self) -> Vec<u8> {
        let (kind, rest) = match self {
            Message::Started => (b's', Vec::new()),
            Message::Failed(why) => (b'f', why.bytes().take(MAX_LEN - 1).collect()),
            Message::Ended(status) => (b'e', status.to_ne_bytes().to_vec()),
            Message::Signal(signal) => (b'k', signal.to_ne_bytes().to_vec()),
        };
        [vec![kind], rest].concat()
    }

    fn read(bytes: &[u8]) -> Option<Message> {
        let (kind, rest) = bytes.split_first()?;
        let number = || rest.try_into().ok().map(i32::from_ne_bytes);
        match kind {
            b's' => Some(Message::Started),
            b'f' => Some(Message::Failed(text::of(rest.to_vec()))),
            b'e' => number().map(Message::Ended),
            b'k' => number().map(Message::Signal),
            _ => None,
        }
    }

    /// Sends it, with a descriptor where there is one.
    fn send(&self, socket: &OwnedFd, along: Option<&OwnedFd>) -> nix::Result<()> {
        let fds: Vec<RawFd> = along.iter().map(|fd| fd.as_raw_fd()).collect();
        let rights = [ControlMessage::ScmRights(&fds)];
        let rights = if fds.is_empty() { &[][..] } else { &rights[..] };
        let bytes = self.bytes();
        sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], rights, MsgFlags::MSG_NOSIGNAL, None).map(drop)
    }

    /// Waits for the next one; `None` where the other end has gone.
    #[expect(unsafe_code, reason = "a descriptor that was received is a number")]
    fn receive(socket: &OwnedFd) -> Option<(Message, Option<OwnedFd>)> {
        let mut bytes = [0; MAX_LEN];
        let mut space = nix::cmsg_space!(RawFd);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let got = loop {
            match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags) {
                Err(Errno::EINTR) => {}
                other => break other.ok()?,
            }
        };
        let mut along = None;
        for message in got.cmsgs().ok()? {
            if let ControlMessageOwned::ScmRights(fds) = message {
                // SAFETY: the kernel has just made it for us, and nothing else owns it.
                along = fds.first().map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) });
            }
        }
        let count = got.bytes;
        Message::read(&bytes[..count]).map(|message| (message, along))
    }
}

impl Tracing {
    /// A thread asks for a command that is not traced. `values` are the arguments of its call.
    pub(super) fn aside(&mut self, stop: Stopped, values: &[u64; 6]) {
        let tid = stop.tid();
        let Some(task) = self.tasks.get(&tid) else { return self.resume(stop) };
        let (root, process, filtered) = (task.root, task.process, task.filtered);
        let answer = match filtered {
            // It would escape from a filter that is not ours.
            true => Err(Errno::EPERM),
            false => self.start_aside(process, values),
        };
        match answer {
            Ok(supervisor) => {
                self.asides.insert(supervisor, root);
                stop.answer(0);
                self.note(root, tid, Note::Aside(command(process, values[2] as usize)));
            }
            Err(errno) => drop(stop.refuse(errno)),
        }
        self.resume(stop);
    }

    fn start_aside(&self, process: Pid, values: &[u64; 6]) -> Result<Pid, Errno> {
        // Taken while the asking process stands still, so that its end of the socket hears of ours in any case.
        let socket = pidfd::copy(&pidfd::open(process)?, values[1] as RawFd)?;
        let mut supervisor = Command::new(&self.exe);
        supervisor
            .arg(ROLE)
            .args([process.to_string(), (values[2] as i32).to_string(), Pid::own().to_string()])
            .current_dir("/")
            .stdin(Stdio::from(socket))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = supervisor.spawn().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
        Ok(Pid::of(&started))
    }

    /// A supervisor that is killed cannot end what its command has left behind, and the kernel makes us the parent of that
    /// ([`super::zombies`]).
    pub(super) fn supervisor_ended(&self, ended: Ended) {
        if !matches!(ended, Ended::Killed(_)) {
            return;
        }
        // The next pass finds what was made while the others were killed. One that is frozen dies later.
        for _ in 0..PASSES {
            for pid in self.orphans() {
                let _ = kill(pid.into(), Signal::SIGKILL);
            }
        }
    }

    /// Our children that are neither traced nor one of this program's roles, and all below them.
    fn orphans(&self) -> Vec<Pid> {
        let own = Pid::own();
        let all: Vec<Process> = process::all().unwrap_or_default();
        let alive = all.iter().filter(|process| !matches!(process.state, 'Z' | 'X'));
        let is_role = |process: &Process| process.command.get(1).is_some_and(|word| word.starts_with("__"));
        let adopted =
            |process: &&Process| process.ppid == own && !self.tasks.contains_key(&process.pid) && !is_role(process);
        let mut found: Vec<Pid> = alive.clone().filter(adopted).map(|process| process.pid).collect();
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            at += 1;
            found.extend(alive.clone().filter(|process| process.ppid == parent).map(|process| process.pid));
        }
        found
    }

    /// Tells the supervisors of a family, or of all, to end what they have started.
    pub(super) fn end_asides(&self, of: Pid) {
        for (supervisor, _) in self.asides.iter().filter(|(_, root)| **root == of) {
            let _ = kill((*supervisor).into(), Signal::SIGTERM);
        }
    }
}

/// The last words of a process's arguments, as one line.
fn command(process: Pid, count: usize) -> String {
    let words = text::read(process.dir().join("cmdline")).unwrap_or_default();
    let words: Vec<&str> = words.split_terminator('\0').collect();
    words[words.len().saturating_sub(count)..].join(" ")
}

/// Whether something can be read from this descriptor, or its other end has gone (poll(2)).
fn is_ready(events: Option<nix::poll::PollFlags>) -> bool {
    events.is_some_and(|events| !events.is_empty())
}

/// A descriptor as poll(2) takes it.
fn readable(fd: &impl AsFd) -> nix::poll::PollFd<'_> {
    nix::poll::PollFd::new(fd.as_fd(), nix::poll::PollFlags::POLLIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    #[test]
    fn messages_arrive_whole_and_with_their_descriptor() {
        let (one, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let along = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        Message::Started.send(&one, Some(&along)).unwrap();
        for message in [Message::Failed("no 不".into()), Message::Ended(256), Message::Signal(15)] {
            message.send(&one, None).unwrap();
        }
        drop(one);
        let (first, along) = Message::receive(&other).unwrap();
        assert_eq!((first, along.is_some()), (Message::Started, true));
        let rest: Vec<Message> = std::iter::from_fn(|| Message::receive(&other)).map(|(message, _)| message).collect();
        assert_eq!(rest, [Message::Failed("no 不".into()), Message::Ended(256), Message::Signal(15)]);
    }

    #[test]
    fn the_kernel_does_not_know_the_question() {
        assert_eq!(client::ask(0, 0), Err(Errno::EINVAL));
    }
}
