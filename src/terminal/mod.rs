//! A terminal pane: pty, screen model, typing, prompt marks.
