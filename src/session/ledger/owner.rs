//! Whose ledger it is, for when a lock cannot say so: some file systems have none (ENOLCK), and on others a lock is not seen
//! from other machines.

use crate::{
    cleanup::identity::{boot, namespace},
    kernel::{pid::Pid, process},
};
use std::fs;

/// The process that keeps a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// `machine-id(5)`, empty where there is none.
    machine: String,
    boot: String,
    /// The PID namespace that the number is of.
    namespace: u64,
    pid: Pid,
    /// When it started, in clock ticks after boot: the number may have been given to another process since.
    start: u64,
    /// Whether it holds a lock on the ledger.
    locked: bool,
}

/// What is known of an owner without its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Alive,
    Dead,
    /// It runs on another machine, or in a PID namespace that we don't see.
    Unknown,
}

impl Owner {
    /// This process.
    pub(super) fn new(locked: bool) -> Owner {
        let machine = String::from_utf8_lossy(&fs::read("/etc/machine-id").unwrap_or_default()).trim().to_string();
        let pid = Pid::own();
        let start = process::stat(&pid.dir()).map_or(0, |stat| stat.starttime);
        Owner { machine, boot: boot(), namespace: namespace("pid"), pid, start, locked }
    }

    /// One line of the ledger, which earlier versions of this program pass over.
    pub(super) fn line(&self) -> String {
        let or = |text: &str| if text.is_empty() { "-".into() } else { text.replace(' ', "") };
        let lock = if self.locked { "locked" } else { "unlocked" };
        let (machine, boot) = (or(&self.machine), or(&self.boot));
        format!("= owner {lock} {machine} {boot} {} {} {}\n", self.namespace, self.pid, self.start)
    }

    /// Finds it in a ledger's text.
    pub(super) fn read(text: &str) -> Option<Owner> {
        let line = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let words: Vec<&str> = line.filter_map(|line| line.strip_prefix("= owner ")).next()?.split(' ').collect();
        let [lock, machine, boot, namespace, pid, start] = words[..] else { return None };
        let known = |word: &str| if word == "-" { String::new() } else { word.to_string() };
        Some(Owner {
            machine: known(machine),
            boot: known(boot),
            namespace: namespace.parse().ok()?,
            pid: pid.parse().ok()?,
            start: start.parse().ok()?,
            locked: lock == "locked",
        })
    }

    /// Whether a lock that is free says that the owner is dead: not where it never had one, and not on another machine,
    /// where its lock may not be seen.
    pub(super) fn believes_locks(&self) -> bool {
        self.locked && self.is_here() != Some(false)
    }

    /// Whether this is the machine that it ran on; `None` where nothing says so.
    fn is_here(&self) -> Option<bool> {
        let here = Owner::new(false);
        if !self.boot.is_empty() && self.boot == here.boot {
            return Some(true);
        }
        (!self.machine.is_empty() && !here.machine.is_empty()).then(|| self.machine == here.machine)
    }

    /// What is known without a lock.
    pub(super) fn known(&self) -> Known {
        let here = Owner::new(false);
        match self.is_here() {
            Some(true) if self.boot != here.boot => Known::Dead,
            Some(true) if self.namespace != 0 && self.namespace == here.namespace && here.start != 0 => {
                let alive = process::stat(&self.pid.dir()).is_some_and(|stat| stat.starttime == self.start);
                if alive { Known::Alive } else { Known::Dead }
            }
            _ => Known::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_again() {
        for owner in [Owner::new(true), Owner::new(false)] {
            assert_eq!(Owner::read(&format!("boxwright ledger 1\n{}+ run_dir /x\n", owner.line())), Some(owner));
        }
        assert_eq!(Owner::read("boxwright ledger 1\n+ run_dir /= owner x\n= owner locked - - 1 2 3"), None);
    }

    #[test]
    fn without_a_lock_the_process_itself_is_looked_for() {
        let me = Owner::new(false);
        assert_eq!((me.known(), me.believes_locks()), (Known::Alive, false));
        assert_eq!(Owner { start: me.start + 1, ..me.clone() }.known(), Known::Dead);
        assert_eq!(Owner { namespace: 1, ..me.clone() }.known(), Known::Unknown);
        let (here, there) = ("0123".to_string(), "4567".to_string());
        let earlier = Owner { boot: "an earlier one".into(), machine: here.clone(), ..me.clone() };
        // This machine need not have an ID of its own, so the two cases are decided by what it has.
        let id = !me.machine.is_empty();
        assert_eq!(Owner { machine: me.machine.clone(), ..earlier.clone() }.known() == Known::Dead, id);
        assert_eq!(Owner { machine: there, ..earlier.clone() }.known(), Known::Unknown);
        assert_eq!(Owner { locked: true, ..earlier }.believes_locks(), !id);
        // Where a ledger names no machine, the boot alone says that it is this one.
        assert_eq!(Owner { machine: String::new(), ..me.clone() }.known(), Known::Alive);
        let nowhere = Owner { boot: "an earlier one".into(), machine: String::new(), locked: true, ..me.clone() };
        assert!(nowhere.believes_locks() && nowhere.known() == Known::Unknown);
        assert!(Owner { locked: true, ..me }.believes_locks());
    }
}
