//! Text out of the screen: into the clipboard of the terminal or, where that takes nothing, into a file.
//!
//! A terminal takes text by OSC 52 (xterm's ctlseqs): the bytes go the way of all output, through ssh too. It never says
//! whether it did, so that what is told is what was sent.

use super::export;
use crate::{
    app::{Copied, copy},
    kernel::errno,
    lang::Lang,
    session::StateDir,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    io::{self, Write},
    process::{Command, Stdio},
};

/// What is longer goes into a file: terminals drop it, some from 74,994 bytes of base64 on.
const MAX_LEN: usize = 50_000;

/// How text leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As OSC 52.
    Plain,
    /// Wrapped, for tmux to hand through as it is.
    Through,
    /// Into a file: this terminal is known to take nothing.
    File,
}

impl Way {
    /// How it leaves this terminal. `variable` reads the environment, `tmux` an option of the server that we run in.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>, tmux: impl Fn(&[&str]) -> Option<String>) -> Way {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if set("TMUX") {
            return match (tmux(&["-gv", "allow-passthrough"]).as_deref(), tmux(&["-sv", "set-clipboard"]).as_deref()) {
                (Some("on" | "all"), _) => Way::Through,
                (_, Some("on")) => Way::Plain,
                _ => Way::File,
            };
        }
        let term = variable("TERM").unwrap_or_default();
        // GNOME's terminals and Apple's drop it; the consoles have no clipboard; screen(1) prints nothing of it.
        let without = set("VTE_VERSION") || set("STY") || variable("TERM_PROGRAM").as_deref() == Some("Apple_Terminal");
        if without || super::tui::is_old(&term) || term.starts_with("screen") { Way::File } else { Way::Plain }
    }

    /// How it leaves the terminal that this program runs in.
    pub(super) fn here() -> Way {
        Way::of(|name| std::env::var(name).ok(), tmux_option)
    }

    /// What is written to the terminal for this text; `None` where it goes into a file.
    pub(super) fn bytes(self, text: &str) -> Option<Vec<u8>> {
        if text.len() > MAX_LEN {
            return None;
        }
        let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
        match self {
            Way::Plain => Some(plain.into_bytes()),
            Way::Through => Some(format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")).into_bytes()),
            Way::File => None,
        }
    }
}

/// Gives a text to the terminal's clipboard or, where that takes none, writes it into a file. Says which; the error says why
/// it was neither.
pub(super) fn give(way: Way, what: Copied, text: &str, kept: Option<&StateDir>, lang: Lang) -> Result<String, String> {
    let told = copy::told(what, text, lang);
    match way.bytes(text).map(|bytes| write(&bytes)) {
        Some(Ok(())) => Ok(lang.pick(
            format!("Sent to the terminal's clipboard (OSC 52): {told}"),
            format!("已送往终端的剪贴板（OSC 52）：{told}"),
        )),
        Some(Err(error)) => Err(errno::why_io(&error)),
        None => match export::text("boxwright-copy", text, kept) {
            Ok(path) => {
                let path = path.display();
                Ok(lang.pick(
                    format!("This terminal takes no clipboard; written to {path}: {told}"),
                    format!("这个终端不接受剪贴板内容，已写入 {path}：{told}"),
                ))
            }
            Err(error) => Err(format!("{}{error}", lang.pick("Not copied: ", "没有复制："))),
        },
    }
}

fn tmux_option(args: &[&str]) -> Option<String> {
    let mut tmux = Command::new("tmux");
    let output = tmux.arg("show-options").args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Writes to the screen's terminal between two frames.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_what_the_terminal_takes() {
        for (variables, passes, sets, way) in [
            (&[("TERM", "xterm-256color")][..], "", "", Way::Plain),
            (&[("TERM", "foot")], "", "", Way::Plain),
            (&[("TERM", "linux")], "", "", Way::File),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], "", "", Way::File),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], "", "", Way::File),
            (&[("TERM", "screen.xterm-256color"), ("STY", "1.pts")], "", "", Way::File),
            (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x,1,0")], "on", "external", Way::Through),
            (&[("TERM", "screen"), ("TMUX", "/tmp/x,1,0")], "all", "off", Way::Through),
            (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x,1,0")], "off", "on", Way::Plain),
            (&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x,1,0")], "off", "external", Way::File),
            (&[("TERM", "xterm"), ("TMUX", "")], "off", "", Way::Plain),
        ] {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string());
            let tmux =
                |args: &[&str]| Some(if args.contains(&"allow-passthrough") { passes } else { sets }.to_string());
            assert_eq!(Way::of(variable, tmux), way, "{variables:?} {passes} {sets}");
        }
    }

    #[test]
    fn tmux_gets_every_escape_twice() {
        assert_eq!(Way::Plain.bytes("ls").unwrap(), b"\x1b]52;c;bHM=\x07");
        assert_eq!(Way::Through.bytes("ls").unwrap(), b"\x1bPtmux;\x1b\x1b]52;c;bHM=\x07\x1b\\");
        assert_eq!(Way::File.bytes("ls"), None);
        assert_eq!(Way::Plain.bytes(&"x".repeat(MAX_LEN + 1)), None);
    }
}
