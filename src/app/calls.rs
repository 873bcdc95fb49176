//! The calls and ends of the current step, oldest first.

use crate::{
    kernel::pid::Pid,
    trace::{Ended, Note, SyscallEvent, TraceEvent},
};
use std::collections::VecDeque;

/// How many rows are kept: a fork bomb must not fill the memory.
const MAX: usize = 2000;

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
    /// How many rows were dropped since the step began.
    dropped: usize,
}

impl CallLog {
    /// Takes in what the tracer saw.
    pub(crate) fn push(&mut self, event: &TraceEvent) {
        let Some(row) = Row::of(event) else { return };
        if self.rows.len() == MAX {
            self.rows.pop_front();
            self.dropped += 1;
        }
        self.rows.push_back(row);
    }

    /// Forgets everything: a step begins.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.dropped = 0;
    }

    /// The row of this number; `None` where it was dropped, and where there is none yet.
    pub(crate) fn at(&self, number: usize) -> Option<&Row> {
        self.rows.get(number.checked_sub(self.dropped)?)
    }

    /// The number of the next row.
    pub(crate) fn end(&self) -> usize {
        self.dropped + self.rows.len()
    }

    /// The rows with their numbers, oldest first. The number of a row never changes.
    pub(crate) fn numbered(&self) -> impl DoubleEndedIterator<Item = (usize, &Row)> {
        let first = self.dropped;
        self.rows.iter().enumerate().map(move |(at, row)| (first + at, row))
    }

    /// The rows, oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter()
    }
}
