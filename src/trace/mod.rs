//! The tracer: which container-relevant system calls does a command make, and what does each one change?
//!
//! A seccomp filter ([`filter`]) in the traced command stops it before the few interesting calls and lets all others run
//! at full speed. One thread ([`Tracer`]) owns all traced processes, because ptrace(2) belongs to a thread: it decodes
//! each call ([`decode`]), holds it where that is wanted, lets it happen, and looks at what changed ([`effects`]).

#[cfg(any(test, fuzzing))]
mod any;
mod argument;
pub mod aside;
mod attach;
mod calls;
mod change;
pub(crate) mod cli;
mod decode;
mod effects;
mod event;
mod filter;
mod flags;
mod following;
mod guard;
mod i386;
mod instead;
pub mod launch;
mod lifecycle;
mod memory;
mod mounts;
mod netdevice;
mod network;
mod nftables;
mod note;
mod objects;
mod orders;
mod paths;
mod ptrace_refused;
mod registers;
mod returns;
mod rtnetlink;
mod signals;
mod stop;
mod stops;
mod task;
mod tracer;
mod zombies;

pub(crate) use crate::kernel::harm::Harm;
#[cfg(any(test, fuzzing))]
pub(crate) use any::{any_call, known_calls};
pub(crate) use argument::{Argument, Value};
pub(crate) use calls::Syscall;
pub(crate) use change::folded;
pub use change::{Change, Mounted, Mounts};
pub use event::{Call, Ended, Hold, Return, Root, SyscallEvent, TraceEvent, TraceJson};
pub(crate) use flags::Flags;
pub(crate) use guard::Guard;
pub use instead::Instead;
pub use note::{Loss, Note, Raise};
pub use tracer::{Spawn, Tracer};
