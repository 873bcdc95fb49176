//! The end of a machine: its processes first, then what it made, all within a given time.

use super::Machine;
use crate::{
    clean,
    cleanup::{Left, Stayed, groups, word},
    kernel::errno,
    lang::Lang,
    runtime::signals,
    session::Entry,
};
use nix::errno::Errno;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// What is left of a machine.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// Processes of its terminals that were killed and have not ended.
    pub processes: Vec<Stayed>,
    /// What it made and could not remove; it stays in the ledger.
    pub entries: Vec<(Entry, Vec<Left>)>,
}

impl Rest {
    /// Lines for standard error; none where nothing is left.
    pub(crate) fn lines(&self, lang: Lang) -> Vec<String> {
        let line = |process: &Stayed| format!("boxwright: {}\n  {}", process.say(lang), process.remedy(lang));
        let processes = self.processes.iter().map(line);
        processes.chain(clean::at_end(&self.entries, lang)).collect()
    }
}

impl Machine {
    /// Why the ledger is not where it should be, or has no lock; a line for each directory that refused one.
    pub(crate) fn refused(&self, lang: Lang) -> Vec<String> {
        let kept = word(self.ledger.path());
        let kept = match self.ledger.is_locked() {
            true => lang.pick(format!("the ledger is {kept}"), format!("记录放在 {kept}")),
            false => lang.pick(format!("the ledger {kept} has no lock"), format!("记录 {kept} 没有锁")),
        };
        let line = |(dir, errno): &(PathBuf, Errno)| format!("boxwright: flock {}: {}", word(dir), errno::why(*errno));
        let mut lines: Vec<String> = self.ledger.refused().iter().map(line).collect();
        if let Some(last) = lines.last_mut() {
            last.push_str(&format!("\n  {kept}"));
        }
        lines
    }

    /// Ends every process in the terminals, and removes what the session made. Waits no longer than this time in all;
    /// what takes longer is left, and named. Files are removed to the last, however many there are.
    pub(crate) fn finish(&mut self, within: Duration) -> Rest {
        if std::mem::replace(&mut self.finished, true) {
            return Rest::default();
        }
        let until = Instant::now() + within;
        // What the tools wrote down is read before it goes.
        self.delegation.learn(self.run_dir.path());
        let stayed = self.tracer.stop(within / 3);
        self.sampler.stop(within / 8);
        self.users = None;
        let mut entries = self.found.finish(until);
        entries.extend(self.ledger.finish(until));
        // After the groups that were made below it.
        entries.extend(self.delegation.finish(until));
        signals::would_leave(None);
        // What ended meanwhile, because its group was thawed, is not named.
        Rest { processes: groups::stayed(stayed), entries }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.finish(super::PATIENCE);
    }
}
