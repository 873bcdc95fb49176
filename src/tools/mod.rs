//! The tools that learners type: one file a tool, the real system calls in the kernel's own order.

use std::process::ExitCode;

/// A tool, found by the name it is called by.
pub struct Tool {
    /// The name, such as `unshare`.
    pub name: &'static str,
    /// Runs it with its arguments (without the name) and gives the exit status.
    pub run: fn(&[String]) -> ExitCode,
    /// Its source, which the Source pane shows.
    pub source: &'static str,
    /// One line on what it does, for `boxwright help`.
    pub about: &'static str,
}

/// Every tool, in alphabetical order.
pub const TOOLS: &[Tool] = &[];

/// Finds a tool by name.
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}
