//! boxwright: build a Linux container by hand, one system call at a time.
//!
//! This page is the map. Every module's own page says more; `lessons/README.md` is the guide for authors of lessons.
//!
//! # Data flow
//!
//! ```text
//! lesson → session → terminal → traced processes → kernel
//!                                    │                │
//!            session ← trace events ─┘    samples ────┘ → session → app state → ui
//! ```
//!
//! A lesson file is read by [`lesson`] into steps. [`session`] decides what comes next: it is a state machine that takes
//! in what happened and gives back what is to be done. [`runtime`] does it: it types into terminals ([`terminal`]),
//! whose shells run under the tracer ([`trace`]), and reads `/proc` and cgroupfs ([`observe`]). What the tracer and the
//! observers see comes back as events; checks are decided by them alone. All of it is one stream ([`event`]), which the
//! engine yields ([`runtime::Engine`]) and which can be stored and read back ([`recording`]). [`app`] and [`ui`] show the session on a screen; [`headless`] tells it as a transcript or as JSON. [`tools`] are the programs that learners type.
//!
//! # Invariants
//!
//! - The process with the screen never unshares, mounts, enters a namespace, or forks without executing: namespaces
//!   belong to threads, and it has several. Whatever must happen elsewhere is a short-lived process of its own: a tool,
//!   or a hidden role of this program (`__launch`, `__ns-helper`, `__try`), chosen in `main` before the first thread exists.
//! - One thread traces. ptrace(2) belongs to a thread, so every request goes to it, and every event comes from it.
//! - Traced processes die with us (PTRACE_O_EXITKILL), and their namespaces and mounts with them. What the kernel does not
//!   take away is written to a ledger *before* it is made ([`session::ledger`]), and taken away by [`cleanup`] alone, which
//!   proves that it is what was made. Whatever holds that up, the program ends in time ([`runtime::signals`]).
//! - "The host" is always this program's own namespaces, never those of PID 1, which may be unreadable even for root.
//! - [`app`] and [`ui`] read no clock, no file and no environment; [`session`] decides nothing by time but its deadline.
//! - A failed system call in a lesson is data. Errors of the program name the call, the errno and a remedy.
//! - Namespaces, errno errno_causes, checks, keys: one table each, which code and text both read.
//!
//! # What is absent, and why
//!
//! - No engine that makes containers: the learner does, with tools that make the same calls as the field's own.
//! - No simulation: what cannot be done on a machine is said, with the reason, and never drawn.
//! - No async runtime, no polling, no fixed sleeps: threads block until something happens.
//! - No C library besides libc, and nothing to install: one binary.

#![warn(unreachable_pub)]
// They panic where nobody reads any more.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may fail"))]

mod app;
mod class;
mod clean;
pub mod cleanup;
mod cli;
mod columns;
pub mod dirs;
pub mod doctor;
pub mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod glossary;
mod headless;
pub mod image;
mod inspect;
pub mod kernel;
pub mod lang;
pub mod lesson;
mod near;
pub mod observe;
mod parallel;
mod present;
pub mod recording;
mod run;
pub mod runtime;
pub mod session;
pub mod terminal;
pub mod tools;
pub mod trace;
mod ui;

pub use run::run;
