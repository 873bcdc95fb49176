//! Signals that end the program come as ordinary events, so that everything is tidied up on the way out.

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use std::{io, thread};

/// The signals that ask the program to end.
const ENDING: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

/// Blocks the signals that are taken from a signalfd(2). It must happen before the first thread is made, because every
/// thread inherits the mask and the kernel gives a signal to any thread that does not block it.
pub fn block() -> io::Result<()> {
    let mut set: SigSet = ENDING.into_iter().collect();
    set.add(Signal::SIGCHLD);
    Ok(set.thread_block()?)
}

/// Starts a thread that tells of each ending signal, by its number.
pub fn watch(sink: impl Fn(i32) + Send + 'static) -> io::Result<()> {
    let signals = SignalFd::with_flags(&ENDING.into_iter().collect(), SfdFlags::SFD_CLOEXEC)?;
    let listen = move || {
        while let Ok(Some(info)) = signals.read_signal() {
            sink(info.ssi_signo as i32);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}
