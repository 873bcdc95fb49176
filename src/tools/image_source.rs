//! What the tools that read images share: opening one, choosing its platform, and stopping at Ctrl-C.
#![allow(unsafe_code)]

use super::{TOOLS, args::Parsed};
use crate::image::{Image, Platform, Reference, Result, staging};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Opens an image; the built-in one is made where there is none yet.
pub(super) fn open(reference: &Reference, platform: &Platform) -> Result<Image> {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    Image::open(reference, platform, &names)
}

/// The platform that the options name, or this machine.
pub(super) fn platform(parsed: &Parsed) -> std::result::Result<Platform, String> {
    let mut platform = match parsed.value("platform") {
        Some(text) => text.parse()?,
        None => Platform::host(),
    };
    if let Some(os) = parsed.value("override-os") {
        platform.os = os.into();
    }
    if let Some(architecture) = parsed.value("override-arch") {
        platform = Platform { architecture: architecture.into(), variant: None, ..platform };
    }
    if let Some(variant) = parsed.value("override-variant") {
        platform.variant = Some(variant.into());
    }
    Ok(platform)
}

/// From now on Ctrl-C and SIGTERM let the tool clean up before it ends.
pub(super) fn watch_for_interrupts() {
    let note = SigAction::new(SigHandler::Handler(staging::interrupt), SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores one atomic flag and does nothing else.
        let _ = unsafe { sigaction(signal, &note) };
    }
}
