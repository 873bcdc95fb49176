//! What a process may do beyond what all may, and what has come into its namespaces.

use super::{Links, Reader, Sample, Subject, links, processes, text};
use crate::kernel::namespaces::Kind;
use std::path::Path;

impl Reader {
    /// What the sample says of filters and of children that end; `dir` is the container process's directory in `/proc`.
    pub(super) fn rights(&self, subject: Subject, dir: &Path, sample: &mut Sample) {
        // What is traced has a filter of the tracer's.
        if let Subject::Below(watched, _) | Subject::Anywhere(watched, ..) = subject {
            let around = text::read(self.proc_root.join(watched.to_string()).join("status")).unwrap_or_default();
            let around = processes::parse_privileges(&around).filters;
            let privileges = &mut sample.privileges;
            privileges.filters = privileges.filters.zip(around).map(|(all, around)| all.saturating_sub(around));
            privileges.seccomp = privileges.filters.map(|count| count > 0);
        }
        let status = text::read(dir.join("status")).unwrap_or_default();
        sample.reaps = processes::reaps(&status, text::read(dir.join("syscall")).ok().as_deref());
    }

    /// The namespaces of a container that one of these processes is in; of several, the one that is in most.
    pub(super) fn shared_with(&self, processes: &[i32], namespaces: &Links) -> Option<Vec<Kind>> {
        let shared = |pid: &i32| -> Vec<Kind> {
            let theirs = links(&self.proc_root.join(pid.to_string()));
            namespaces.iter().filter(|(kind, ns)| theirs.get(kind) == Some(ns)).map(|(kind, _)| *kind).collect()
        };
        processes.iter().map(shared).max_by_key(Vec::len)
    }
}
