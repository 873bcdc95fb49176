//! What the tools that read images share: opening one, choosing its platform, and stopping at Ctrl-C.

use super::{
    TOOLS,
    args::{
        Opt, Parsed,
        Value::{May, Must, No},
    },
};
use crate::image::{Access, Image, Platform, Reference, Result, registry::Credentials, staging};
use crate::lang::say;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::{ffi::OsStr, io::Write};

/// Opens an image; the built-in one is made where there is none yet.
pub(super) fn open(reference: &Reference, platform: &Platform, access: &Access) -> Result<Image> {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    Image::open(reference, platform, &names, access)
}

/// The options of skopeo(1) that say how a registry is reached.
pub(super) const ACCESS: [Opt; 10] = [
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
];

/// The same for a registry that is copied to.
pub(super) const DESTINATION: [Opt; 5] = [
    ('\0', "dest-tls-verify", May),
    ('\0', "dest-creds", Must),
    ('\0', "dest-no-creds", No),
    ('\0', "dest-authfile", Must),
    ('\0', "dest-cert-dir", Must),
];

/// What the options are, for `--help`.
pub(super) fn access_help() -> &'static str {
    say(ACCESS_HELP, ACCESS_HELP_ZH)
}

const ACCESS_HELP: &str = "  --src-tls-verify=BOOL     whether to check certificates; false also allows plain HTTP
  --src-creds USER:PASSWORD, --src-no-creds, --src-authfile FILE     how to log in
  --src-cert-dir DIR        certificates: *.crt of CAs, NAME.cert and NAME.key of the client
                            (each also without src-)
";

const ACCESS_HELP_ZH: &str = "  --src-tls-verify=BOOL     是否验证证书；false 还允许明文 HTTP
  --src-creds USER:PASSWORD, --src-no-creds, --src-authfile FILE     怎样登录
  --src-cert-dir DIR        证书目录：*.crt 是 CA 证书，NAME.cert 和 NAME.key 是客户端证书
                            （都可以不写 src-）
";

/// How platforms are chosen, for `--help`.
pub(super) fn platform_help() -> &'static str {
    say(
        "  --platform OS/ARCHITECTURE[/VARIANT]     the image for another platform than this machine's\n",
        "  --platform OS/ARCHITECTURE[/VARIANT]     选用为其他平台构建的镜像\n",
    )
}

/// What they say of the registry that an image comes from.
pub(super) fn access(parsed: &Parsed<impl AsRef<OsStr>>) -> std::result::Result<Access, String> {
    access_of(parsed, "src")
}

/// The same of the registry that it goes to.
pub(super) fn destination(parsed: &Parsed<impl AsRef<OsStr>>) -> std::result::Result<Access, String> {
    access_of(parsed, "dest")
}

fn access_of(parsed: &Parsed<impl AsRef<OsStr>>, side: &str) -> std::result::Result<Access, String> {
    // Without a side an option is for where the image comes from; the file with passwords is for both.
    let both = |name: &str| side == "src" || name == "authfile";
    let long = |name: &str| format!("{side}-{name}");
    let value = |name: &str| parsed.text(&long(name)).or(parsed.text(name).filter(|_| both(name)));
    let either = |name: &str| parsed.has(&long(name)) || (both(name) && parsed.has(name));
    let tls_verify = match value("tls-verify").as_deref() {
        None if either("tls-verify") => Some(true),
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(other) => return Err(format!("--tls-verify={other}: true or false")),
    };
    let credentials = match value("creds") {
        Some(text) => Some(Credentials::parse(&text).map_err(|why| format!("--{side}-creds: {why}"))?),
        None => either("no-creds").then_some(Credentials::Anonymous),
    };
    let path = |name: &str| parsed.value(&long(name)).or(parsed.value(name).filter(|_| both(name)));
    let auth_file = path("authfile");
    let cert_dir = path("cert-dir").map(|path| path.as_ref().into());
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

/// The exit status after an error: after Ctrl-C that of a shell whose command SIGINT ended.
pub(super) fn status(error: &crate::image::Error) -> u8 {
    if matches!(error, crate::image::Error::Interrupted) { 130 } else { 1 }
}

/// From now on Ctrl-C and SIGTERM let the tool clean up before it ends.
#[expect(unsafe_code, reason = "a signal handler is installed")]
pub(super) fn watch_for_interrupts() {
    let note = SigAction::new(SigHandler::Handler(staging::interrupt), SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores one atomic flag and does nothing else.
        let _ = unsafe { sigaction(signal, &note) };
    }
}
