//! What a process may do beyond what all may, and what has come into its namespaces.

use super::{Entrant, Links, Privileges, Process, Reader, Sample, Subject, links, processes, text};
use crate::kernel::{namespaces::Kind, pid::Pid};
use std::path::Path;

impl Reader {
    /// What the sample says of filters and of children that end; `dir` is the container process's directory in `/proc`.
    pub(super) fn rights(&self, subject: Subject, dir: &Path, sample: &mut Sample) {
        self.without_the_tracers(subject, &mut sample.privileges);
        let status = text::read(dir.join("status")).unwrap_or_default();
        sample.reaps = processes::reaps(&status, text::read(dir.join("syscall")).ok().as_deref());
    }

    /// What is traced has a filter of the tracer's, which does not count.
    fn without_the_tracers(&self, subject: Subject, privileges: &mut Privileges) {
        if let Subject::Below(watched, _) | Subject::Anywhere(watched, ..) = subject {
            let around = text::read(self.proc_root.join(watched.to_string()).join("status")).unwrap_or_default();
            let around = processes::parse_privileges(&around).filters;
            privileges.filters = privileges.filters.zip(around).map(|(all, around)| all.saturating_sub(around));
            privileges.seccomp = privileges.filters.map(|count| count > 0);
        }
    }

    /// What these processes, which came from outside, may do. One that has ended meanwhile is not there.
    pub(super) fn entrants(&self, subject: Subject, newcomers: &[Pid], sample: &Sample) -> Vec<Entrant> {
        let entrant = |process: &Process| {
            let dir = self.proc_root.join(process.pid.to_string());
            let mut privileges = processes::parse_privileges(&text::read(dir.join("status")).ok()?);
            self.without_the_tracers(subject, &mut privileges);
            let (user, theirs) = (sample.namespaces.get(&Kind::User), links(&dir));
            let other_user_namespace = user.is_some() && theirs.get(&Kind::User) != user;
            Some(Entrant { pid: process.pid, comm: process.comm.clone(), other_user_namespace, privileges })
        };
        sample.processes.iter().filter(|process| newcomers.contains(&process.pid)).filter_map(entrant).collect()
    }

    /// The namespaces of a container that one of these processes is in; of several, the one that is in most.
    pub(super) fn shared_with(&self, processes: &[Pid], namespaces: &Links) -> Option<Vec<Kind>> {
        let shared = |pid: &Pid| -> Vec<Kind> {
            let theirs = links(&self.proc_root.join(pid.to_string()));
            namespaces.iter().filter(|(kind, ns)| theirs.get(kind) == Some(ns)).map(|(kind, _)| *kind).collect()
        };
        processes.iter().map(shared).max_by_key(Vec::len)
    }
}
