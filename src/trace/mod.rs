//! The tracer: which container-relevant system calls does a command make, and what does each one change?

mod event;

pub use event::{Call, Change, Ended, Hold, Root, SyscallEvent, TraceEvent};
