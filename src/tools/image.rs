//! `boxwright image unpack REF DIR`: every layer of an image in order, as a container engine does before it starts one.
//! (skopeo copy only copies, and tar unpacks one archive and knows no whiteouts.)

use super::{
    args::{Opt, Value::Must, Value::No, parse_bytes},
    complain, image_source, is_printed, print,
    progress::Progress,
};
use crate::image::{Error, Reference, reference::FORMS, unpack};
use crate::lang::say;
use nix::sys::stat::{Mode, umask};
use std::{ffi::OsString, io::Write, path::Path, process::ExitCode};

const USAGE: &str = "usage: boxwright image unpack [--platform OS/ARCH] [--limit BYTES] REF DIR";

const OPTIONS: [Opt; 4] = [('q', "quiet", No), ('\0', "platform", Must), ('\0', "limit", Must), ('h', "help", No)];

/// What it takes, for `--help`.
pub(super) fn help() -> String {
    let (access, platform) = (image_source::access_help(), image_source::platform_help());
    let most = unpack::MAX_BYTES;
    say(
        format!(
            "{USAGE}
Unpacks every layer of an image, in order, into a new or empty directory.
REF is one of  {FORMS}
{platform}  --limit BYTES             the largest size when unpacked (default {most})
  -q, --quiet               prints nothing about the layers
{access}"
        ),
        format!(
            "{USAGE}
按顺序解包镜像的每一层，放进一个新的或空的目录。
REF 的写法：{FORMS}
{platform}  --limit BYTES             解包后最多多少字节（默认 {most}）
  -q, --quiet               不显示各层的进展
{access}"
        ),
    )
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let options = [&OPTIONS[..], &image_source::ACCESS].concat();
    let parsed = match parse_bytes(args, &options, false) {
        Ok(parsed) => parsed,
        Err(what) => return complain("image", &format!("{what}\n  {USAGE}"), 2),
    };
    if parsed.has("help") {
        return print(&help());
    }
    let limit = parsed.text("limit").map_or(Some(unpack::MAX_BYTES), |text| text.parse().ok());
    let (from, dir, limit) = match (parsed.words.as_slice(), limit) {
        ([verb, from, dir], Some(limit)) if verb == "unpack" => (from.to_string_lossy(), Path::new(dir), limit),
        _ => return complain("image", USAGE, 2),
    };
    let read = |why: String| complain("image", &why, 2);
    let (platform, access) = (image_source::platform(&parsed), image_source::access(&parsed));
    let (reference, platform, access) = match (from.parse::<Reference>(), platform, access) {
        (Ok(reference), Ok(platform), Ok(access)) => (reference, platform, access),
        (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => return read(why),
    };
    image_source::watch_for_interrupts();
    let quiet = parsed.has("quiet");
    let unpacked = image_source::open(&reference, &platform, &access).and_then(|mut image| {
        let progress = Progress::watch(&mut image, false, quiet);
        image.check_platform(&platform)?;
        let layers = image.manifest.layers.clone();
        // The image says which modes its files have; nothing else is made from here on that other users could reach.
        umask(Mode::empty());
        unpack::image(&image, dir, limit, |index, report| {
            if let Some(progress) = &progress {
                progress.clear();
                progress.layer(index + 1);
            }
            if let Some(layer) = layers.get(index).filter(|_| !quiet) {
                let (number, all) = (index + 1, layers.len());
                let (digest, entries) = (layer.digest.short(), report.entries);
                is_printed(format!("layer {number} of {all}: {digest}: {entries} entries so far\n").as_bytes());
            }
        })
    });
    match unpacked {
        Ok(report) => {
            let mut err = std::io::stderr();
            report.lines().iter().for_each(|line| drop(writeln!(err, "image: {line}")));
            let (entries, bytes, hidden) = (report.entries, report.bytes, report.hidden);
            let done =
                format!("{}: {entries} entries, {bytes} bytes; {hidden} hidden by upper layers\n", dir.display());
            if quiet { ExitCode::SUCCESS } else { print(&done) }
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    let hint = error.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain("image", &format!("{error}{hint}"), image_source::status(error))
}
