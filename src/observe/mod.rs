//! The witnesses: `/proc` and cgroupfs, read into plain data.
//!
//! Pure `parse(&str)` functions do the understanding; thin `read` functions do the reading. A process that ends while
//! it is read (ENOENT, ESRCH) is normal and leaves a gap, not an error. "The host" is always boxwright's own namespaces,
//! because those of PID 1 may be unreadable even for root.

mod answered;
mod beyond;
pub(crate) mod cgroup;
mod choose;
mod containers;
mod files;
mod group;
mod names;
mod network;
mod networks;
mod networks_helper;
pub mod ns_helper;
mod place;
mod processes;
mod reach;
mod reader;
mod rights;
mod sample;
mod sampler;
mod scorecard;
#[cfg(test)]
pub(crate) mod stub;
mod sysv;
mod users;

pub(crate) use crate::kernel::mountinfo::{self as mounts, Mount};
pub(crate) use beyond::{BEYOND, Beyond, beyond};
pub use containers::Container;
pub use names::Resolved;
pub use networks::{Count, Link, Member, Neighbour, Network, Networks, Packets, Peer, Route};
pub(crate) use place::Place;
pub use reach::Reached;
pub(crate) use reach::locate;
pub use reader::{Extra, Reader, Subject, for_children, links};
pub use sample::{
    Asked, Cgroup, Cpu, Entrant, ForChildren, Group, Interface, Io, Links, Memory, Pids, Pressure, Privileges, Process,
    Sample, Scorecard, Side,
};
pub(crate) use sampler::Sampler;
pub(crate) use scorecard::{Evidence, ISOLATING, NAMES};
pub use users::Users;

use crate::kernel::text;
use std::path::Path;

/// Gives a text to every reader of this module, for fuzz/.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_any(text: &str) {
    let _ = (processes::parse_nspid(text), processes::parse_privileges(text));
    let _ = (network::parse_sockets(text), sysv::parse_ids(text));
    let _ = networks::parse_packets(text);
    let _ = (cgroup::parse_cpu_max(text), cgroup::parse_pressure(text), cgroup::field(text, "nr_periods"));
}

/// Reads `status`, `mountinfo` or `cgroup` of `/proc/PID` as a sample does, and of other files the text alone; gives how much there
/// is. For `benches/sampling.rs`, which says what it is worth that procfs does not read them.
pub fn read_by_hand(file: &Path) -> usize {
    let text = text::read(file).unwrap_or_default();
    match file.file_name().and_then(|name| name.to_str()) {
        Some("mountinfo") => mounts::parse_with_options(&text).len(),
        Some("cgroup") => cgroup::parse_membership(&text).len(),
        Some("status") => processes::parse_nspid(&text).len(),
        _ => text.len(),
    }
}

/// Says how this machine mounts its cgroup hierarchies: `v1`, `hybrid`, `v2` or `none`.
pub(crate) fn cgroup_mode() -> &'static str {
    cgroup::mode(&cgroup::own().0)
}
