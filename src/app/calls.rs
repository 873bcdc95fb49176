//! The calls and ends of the current step, oldest first.

use crate::{
    kernel::pid::Pid,
    trace::{Ended, Note, SyscallEvent, TraceEvent},
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
    /// What should be known of a process: PID, program, what.
    Note(Pid, String, Note),
}

impl Row {
    /// The row of an event; none of those that are shown elsewhere.
    pub(crate) fn of(event: &TraceEvent) -> Option<Row> {
        match event {
            TraceEvent::Syscall(_, event) => Some(Row::Call(event.clone())),
            TraceEvent::Exit { pid, comm, ended, .. } => Some(Row::End(*pid, comm.clone(), *ended)),
            TraceEvent::Noted { pid, comm, note, .. } => Some(Row::Note(*pid, comm.clone(), note.clone())),
            _ => None,
        }
    }
}

/// The newest rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog {
    rows: VecDeque<Row>,
}

impl CallLog {
    /// Takes in what the tracer saw.
    pub(crate) fn push(&mut self, event: &TraceEvent) {
        let Some(row) = Row::of(event) else { return };
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
            _ => None,
        })
    }
}
