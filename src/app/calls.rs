//! The calls and ends of the current step, oldest first.

use crate::{
    kernel::pid::Pid,
    trace::{Ended, SyscallEvent, TraceEvent},
};
use std::collections::VecDeque;

/// How many rows are kept: a fork bomb must not fill the memory.
const MOST: usize = 2000;

/// One thing that the tracer saw and the pane shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A call that returned.
    Call(SyscallEvent),
    /// A process that ended: PID, program, how.
    End(Pid, String, Ended),
}

/// The newest rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog {
    rows: VecDeque<Row>,
}

impl CallLog {
    /// Takes in what the tracer saw.
    pub(crate) fn push(&mut self, event: &TraceEvent) {
        let row = match event {
            TraceEvent::Syscall(_, event) => Row::Call(event.clone()),
            TraceEvent::Exit { pid, comm, ended, .. } => Row::End(*pid, comm.clone(), *ended),
            _ => return,
        };
        if self.rows.len() == MOST {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// Forgets everything: a step begins.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    /// The rows, oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter()
    }

    /// The newest call.
    pub(crate) fn last_call(&self) -> Option<&SyscallEvent> {
        self.rows.iter().rev().find_map(|row| match row {
            Row::Call(event) => Some(event),
            Row::End(..) => None,
        })
    }
}
