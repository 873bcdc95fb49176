//! boxwright: build a Linux container by hand, one system call at a time.
//!
//! This page is the map; it is completed as the parts land.

pub mod app;
pub mod clean;
pub mod cli;
pub mod columns;
pub mod doctor;
pub mod headless;
pub mod inspect;
pub mod kernel;
pub mod lang;
pub mod lesson;
pub mod observe;
mod run;
pub mod runtime;
pub mod session;
pub mod terminal;
pub mod tools;
pub mod trace;
pub mod ui;

pub use run::run;
