//! Processes and signals by their numbers.

use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, path::PathBuf, process::Child, str::FromStr};

/// A process or a thread, by its number in this program's own PID namespace: as its `/proc` shows it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Pid(pub i32);

impl Pid {
    /// This process.
    pub fn own() -> Pid {
        Pid(std::process::id().cast_signed())
    }

    /// A child that was started.
    pub fn of(child: &Child) -> Pid {
        Pid(child.id().cast_signed())
    }

    /// Its directory in `/proc`.
    pub fn dir(self) -> PathBuf {
        PathBuf::from(format!("/proc/{self}"))
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Pid {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Pid, ParseIntError> {
        text.parse().map(Pid)
    }
}

impl From<Pid> for nix::unistd::Pid {
    fn from(pid: Pid) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(pid.0)
    }
}

/// A signal by its number: also a real-time one, which the manual pages give no name (signal(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Signal(pub i32);

impl Signal {
    /// It cannot be caught: sent by `kill -9`, the OOM killer, and the end of a PID namespace.
    pub const KILL: Signal = Signal(libc::SIGKILL);
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(nix::sys::signal::Signal::try_from(self.0).map_or("SIGRT", nix::sys::signal::Signal::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_their_names() {
        assert_eq!((Signal::KILL.to_string(), Signal(40).to_string()), ("SIGKILL".into(), "SIGRT".into()));
    }

    #[test]
    fn a_process_is_written_as_a_number() {
        assert_eq!(serde_json::to_string(&Pid(4711)).unwrap(), "4711");
        assert_eq!(Pid(7).dir(), PathBuf::from("/proc/7"));
    }
}
