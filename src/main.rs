//! Picks the role: tool, subcommand or TUI.

fn main() {}
