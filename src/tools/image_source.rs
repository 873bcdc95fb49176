//! What the tools that read images share: opening one, choosing its platform, and stopping at Ctrl-C.
#![allow(unsafe_code)]

use super::{
    TOOLS,
    args::{
        Opt, Parsed,
        Value::{May, Must, No},
    },
};
use crate::image::{Access, Image, Platform, Reference, Result, registry::Credentials, staging};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::{ffi::OsStr, io::Write};

/// Opens an image; the built-in one is made where there is none yet.
pub(super) fn open(reference: &Reference, platform: &Platform, access: &Access) -> Result<Image> {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    Image::open(reference, platform, &names, access)
}

/// The options of skopeo(1) that say how a registry is reached.
pub(super) const ACCESS: [Opt; 11] = [
    ('\0', "tls-verify", May),
    ('\0', "src-tls-verify", May),
    ('\0', "creds", Must),
    ('\0', "src-creds", Must),
    ('\0', "no-creds", No),
    ('\0', "src-no-creds", No),
    ('\0', "authfile", Must),
    ('\0', "src-authfile", Must),
    ('\0', "cert-dir", Must),
    ('\0', "src-cert-dir", Must),
    // Images are copied to places on this machine, where no certificate is wanted.
    ('\0', "dest-cert-dir", Must),
];

/// What they say.
pub(super) fn access(parsed: &Parsed<impl AsRef<OsStr>>) -> std::result::Result<Access, String> {
    let value = |name: &str| parsed.text(&format!("src-{name}")).or(parsed.text(name));
    let either = |name: &str| parsed.has(&format!("src-{name}")) || parsed.has(name);
    let tls_verify = match value("tls-verify").as_deref() {
        None if either("tls-verify") => Some(true),
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(other) => return Err(format!("--tls-verify={other}: true or false")),
    };
    let credentials = match value("creds") {
        Some(text) => Some(Credentials::parse(&text).map_err(|why| format!("--src-creds: {why}"))?),
        None => either("no-creds").then_some(Credentials::Anonymous),
    };
    let auth_file = parsed.value("src-authfile").or(parsed.value("authfile"));
    let cert_dir = parsed.value("src-cert-dir").or(parsed.value("cert-dir")).map(|path| path.as_ref().into());
    let auth_file = auth_file.map(|path| path.as_ref().into());
    let notice = |line: &str| drop(writeln!(std::io::stderr(), "{line}"));
    Ok(Access { tls_verify, credentials, auth_file, cert_dir, notice: Some(notice) })
}

/// The platform that the options name, or this machine.
pub(super) fn platform(parsed: &Parsed<impl AsRef<OsStr>>) -> std::result::Result<Platform, String> {
    let mut platform = match parsed.text("platform") {
        Some(text) => text.parse()?,
        None => Platform::host(),
    };
    if let Some(os) = parsed.text("override-os") {
        platform.os = os.into();
    }
    if let Some(architecture) = parsed.text("override-arch") {
        platform = Platform { architecture: architecture.into(), variant: None, ..platform };
    }
    if let Some(variant) = parsed.text("override-variant") {
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
