//! `boxwright certificate RECORDING` and `boxwright verify FILE`: what a recording proves, written before it, and judged again by
//! any user, without root.
//!
//! A certificate is the facts on one line, and after it the recording that they follow from. It is as true as the recording:
//! nothing is signed, and one can be made up by hand.

use super::{CANNOT, FAILED, messages};
use crate::{
    cli::complain,
    kernel::{errno, text::printable},
    lang::Lang,
    observe::{BEYOND, NAMES},
    recording::{Judged, MAX_BYTES, Recording, Unreadable, judge},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

/// The first line.
#[derive(Serialize, Deserialize)]
struct Certificate {
    certificate: Judged,
}

/// Writes the certificate of a recording to standard output.
pub(super) fn certify(path: &Path, lang: Lang) -> ExitCode {
    let (bytes, judged) = match judged(path, lang) {
        Ok((claimed, bytes, judged)) => {
            (bytes.get(claimed.map_or(0, |(_, at)| at)..).unwrap_or_default().to_vec(), judged)
        }
        Err(status) => return status,
    };
    let mut out = io::stdout().lock();
    let written = serde_json::to_string(&Certificate { certificate: judged }).map_err(io::Error::from);
    messages::printed(written.and_then(|line| {
        writeln!(out, "{line}")?;
        out.write_all(&bytes)?;
        out.flush().map(|()| ExitCode::SUCCESS)
    }))
}

/// Says what a recording or a certificate proves. Status 1 where a certificate says something else than its recording.
pub(super) fn verify(path: &Path, lang: Lang) -> ExitCode {
    let (claimed, judged) = match judged(path, lang) {
        Ok((claimed, _, judged)) => (claimed, judged),
        Err(status) => return status,
    };
    let mut lines: Vec<String> =
        judged.passed.iter().map(|step| lang.pick(format!("{step}: passed"), format!("{step}：通过"))).collect();
    let named = |(key, en, zh): &(&str, &'static str, &'static str)| {
        judged.properties.as_ref().is_some_and(|all| all.contains(*key)).then(|| lang.pick(*en, *zh))
    };
    let properties: Vec<&str> = NAMES.iter().chain(&BEYOND).filter_map(named).collect();
    if !properties.is_empty() {
        let list = properties.join(lang.pick(", ", "、"));
        lines.push(lang.pick(format!("the kernel said of the container: {list}"), format!("内核对容器的描述：{list}")));
    }
    for (name, script) in &judged.scripts {
        lines.push(lang.pick(format!("the script {name}, as it was then:"), format!("当时的脚本 {name}：")));
        lines.extend(script.lines().map(|line| format!("    {line}")));
    }
    let who = if judged.root { "root" } else { lang.pick("not root", "非 root") };
    let (steps, right, answered) = (judged.passed.len(), judged.right, judged.answered);
    lines.push(lang.pick(
        format!("{steps} steps passed; predicted right at once: {right} of {answered}"),
        format!("通过 {steps} 步；第一次就猜对 {right}/{answered}"),
    ));
    lines.push(format!(
        "{who} · cgroup {} · Linux {} · boxwright {}",
        judged.cgroup_mode, judged.kernel, judged.boxwright
    ));
    let mut out = io::stdout().lock();
    let written = lines.iter().try_for_each(|line| writeln!(out, "{}", printable(line)));
    drop(out);
    match claimed {
        Some((claimed, _)) if !claimed.agrees(&judged) => {
            let extra: Vec<&str> = claimed.passed.difference(&judged.passed).map(String::as_str).collect();
            let what = match extra.is_empty() {
                true => lang
                    .pick("the certificate says something else than its recording", "证书与其中的录制不符")
                    .to_owned(),
                false => {
                    let list = extra.join(", ");
                    lang.pick(
                        format!("the recording does not show what the certificate says: {list}"),
                        format!("录制里看不到证书所说的：{list}"),
                    )
                }
            };
            complain(&what, None, FAILED)
        }
        _ => messages::printed(written.map(|()| ExitCode::SUCCESS)),
    }
}

/// What a certificate claims, and where its recording begins.
type Claimed = Option<(Judged, usize)>;

/// What `read` makes of the recording in a file, which may be that of a certificate.
pub(super) fn recorded<T>(
    path: &Path,
    lang: Lang,
    read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, ExitCode> {
    opened(path, lang, read).map(|(_, _, found)| found)
}

/// The learner's scripts in a recording or a certificate, as the recording shows them.
pub(super) fn scripts(path: &Path, lang: Lang) -> Result<BTreeMap<String, String>, ExitCode> {
    judged(path, lang).map(|(_, _, judged)| judged.scripts)
}

/// Reads a file and judges the recording in it.
fn judged(path: &Path, lang: Lang) -> Result<(Claimed, Vec<u8>, Judged), ExitCode> {
    opened(path, lang, |bytes| Recording::open(bytes).and_then(judge))
}

/// Reads a file, and what `read` makes of the recording in it.
fn opened<T>(
    path: &Path,
    lang: Lang,
    read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> Result<(Claimed, Vec<u8>, T), ExitCode> {
    let colon = lang.pick(": ", "：");
    let failed = |why: String, status| complain(&format!("{}{colon}{why}", path.display()), None, status);
    let mut bytes = Vec::new();
    let got = File::open(path).and_then(|file| file.take(2 * MAX_BYTES).read_to_end(&mut bytes));
    got.map_err(|error| failed(errno::why_io(&error), FAILED))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let first = bytes.get(..end).unwrap_or_default();
    let claimed = serde_json::from_slice::<Certificate>(first).ok().map(|it| (it.certificate, end));
    let recorded = bytes.get(claimed.as_ref().map_or(0, |(_, at)| *at)..).unwrap_or_default();
    match read(recorded) {
        Ok(found) => Ok((claimed, bytes, found)),
        Err(error @ (Unreadable::Format(_) | Unreadable::Lesson(_))) => Err(failed(error.to_string(), CANNOT)),
        Err(error) => Err(failed(error.to_string(), FAILED)),
    }
}
