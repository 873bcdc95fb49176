//! `boxwright verify FILE --rerun`: the lines of a recording, typed once more on this machine.

use super::{USAGE, certificate, proof};
use crate::{
    cli::{Common, complain, tell},
    headless,
    kernel::text::printable,
    lang::Lang,
    recording::{self, Done, Recording},
};
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// Does again what a recording shows, and says of each step whether the same comes of it. Status 1 where something else does.
pub(super) fn rerun(path: &Path, common: &Common, lang: Lang) -> ExitCode {
    let done = certificate::recorded(path, lang, |bytes| Recording::open(bytes).and_then(recording::done));
    let (done, lessons) = match done {
        Ok(both) => both,
        Err(status) => return status,
    };
    if !common.yes {
        return not_agreed(path, &done, lang);
    }
    let well = lang.pick("done again, the same came of it", "重做一遍，结果相同");
    let proof = proof::prove(&lessons, well, common, lang, |lessons, lacking, setup, told| {
        headless::rerun(&done, lessons, lacking, setup, told)
    });
    let proof = match proof {
        Ok(proof) => proof,
        Err(status) => return status,
    };
    for line in &proof.left {
        tell(line);
    }
    let (same, all) = (proof.well, done.len());
    let sum = lang.pick(format!("{same} of {all} steps came out the same"), format!("{all} 步中有 {same} 步结果相同"));
    let written = writeln!(io::stdout(), "{sum}");
    proof.status(false, written)
}

/// What a learner typed may do anything: it is shown before it runs.
fn not_agreed(path: &Path, done: &[Done], lang: Lang) -> ExitCode {
    let mut lines = Vec::new();
    for Done { place: (id, step), lines: took, .. } in done {
        lines.push(format!("{id}/{step}"));
        let unknown = lang.pick("(a line that the recording does not know)", "（录制里无从得知的一行）");
        lines.extend(took.iter().map(|took| {
            let terminal = took.terminal.label(lang);
            format!("  {terminal} $ {}", printable(took.line.as_deref().unwrap_or(unknown)))
        }));
    }
    lines.push(
        lang.pick(
            "read them; then add --yes, best on a machine that you can throw away",
            "请先读一遍，然后加上 --yes；最好在一台用完即弃的机器上",
        )
        .into(),
    );
    let what = lang.pick("these lines would be typed on this machine", "下面这些命令将在本机上输入");
    let colon = lang.pick(": ", "：");
    complain(&format!("{}{colon}{what}", path.display()), Some(&lines.join("\n  ")), USAGE)
}
