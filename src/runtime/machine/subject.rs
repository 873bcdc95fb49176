//! What a session looks at: its container, and the control groups that bear its name.

use super::Machine;
use crate::kernel::pid::Pid;
use crate::{kernel::availability::outside_ours, observe::cgroup};
use std::path::{Path, PathBuf};

impl Machine {
    /// Looks at this container from now on, by PID and start; `None` at the one that is found.
    pub(in crate::runtime) fn pick(&self, picked: Option<(Pid, u64)>) {
        self.sampler.anywhere(picked);
    }

    /// Reads the session's network namespaces from now on, or no longer.
    pub(in crate::runtime) fn networks(&self, seen: bool) {
        self.sampler.networks(seen);
    }
}

/// Where control groups of this name would be: at the top of each hierarchy, and in the group that we came from.
pub(super) fn groups(name: &str) -> Vec<PathBuf> {
    let (hierarchies, memberships) = cgroup::own();
    let mut all: Vec<PathBuf> = hierarchies.iter().map(|hierarchy| Path::new(&hierarchy.point).join(name)).collect();
    for hierarchy in &hierarchies {
        let own = memberships.iter().find(|membership| membership.controllers == hierarchy.controllers);
        let own = own.map(|own| outside_ours(&own.path));
        if let Some(below) = own.as_deref().and_then(|own| own.strip_prefix(&hierarchy.root)) {
            all.push(Path::new(&hierarchy.point).join(below.trim_start_matches('/')).join(name));
        }
    }
    all.sort();
    all.dedup();
    all
}
