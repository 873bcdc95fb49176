//! `boxwright fix --mutant --script FILE`: a mutant of a learner's own script. The script must come to a container that has every fact of
//! the certificate; what is shown is a mutant whose container has not.

use super::{CANNOT, FAILED, USAGE, certificate, fix, load_filled, need, open_filled, prepare, progress::look, setup};
use crate::{
    cli::{Cli, complain, tell},
    doctor,
    headless::{self, Trials, Untried},
    kernel::{errno, program, text::printable},
    lang::Lang,
    lesson::{
        Fills, Translations,
        mutants::{self, Candidate, Good, MAX_SCRIPT, MUTANTS, Own},
    },
    session::Lacking,
};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

/// How many mutants are tried before it is said that none is noticed.
const TRIES: usize = 24;

/// What came of the trials.
enum Came {
    Mutant(Box<Own>),
    /// The script as it is lacks these.
    Lacks(i32, Vec<String>),
    /// No row of the table has a place in it.
    NoPlace,
    /// None of so many was noticed.
    Unnoticed(usize),
}

/// Opens the mutant of a script: that of a seed, of today, or the first that is not repaired yet.
pub(super) fn mutant(cli: &Cli, path: &Path, seed: Option<u64>, daily: bool, lang: Lang) -> ExitCode {
    played(cli, path, seed, daily, lang).unwrap_or_else(|status| status)
}

fn played(cli: &Cli, path: &Path, seed: Option<u64>, daily: bool, lang: Lang) -> Result<ExitCode, ExitCode> {
    let script = read(path, cli.common.yes, lang)?;
    let seed = match (daily, seed) {
        (true, _) => fix::today(),
        (false, Some(seed)) => seed,
        (false, None) => fix::first_open(&look(lang)?, |seed| mutants::bare_own(&script, seed)),
    };
    let exe = prepare(&cli.common, lang)?;
    let proof = mutants::proof(&script, lang);
    let asked: Translations = [proof.lesson].into_iter().collect();
    let lacking = doctor::lacking_for(need(&cli.common), &doctor::requirements(std::slice::from_ref(&asked)));
    let lacking: Lacking =
        lacking.into_iter().find(|(known, _)| *known == lang).map(|(_, lacking)| lacking).unwrap_or_default();
    let setup = setup(&cli.common, exe.clone(), true, lang);
    let trials = headless::trials(&lacking, setup, |trials| search(trials, &script, seed, path, lang));
    let (came, left) =
        trials.map_err(|trouble| complain(&trouble.say(lang), Some(&format!("{} doctor", program::path())), CANNOT))?;
    left.iter().for_each(|line| tell(line));
    let own = match came {
        Ok(Came::Mutant(own)) => *own,
        Ok(came) => return Err(refused(path, &came, lang)),
        Err(Untried::Signal(signal)) => return Err(ExitCode::from(128u8.saturating_add(signal as u8))),
        Err(Untried::Lacks(why)) => return Err(told(path, &why, &format!("{} doctor", program::path()), CANNOT, lang)),
        Err(Untried::Wrong(why)) => return Err(told(path, &why, &hint(lang), FAILED, lang)),
    };
    let place = format!("{MUTANTS}/{}", own.step());
    let fills = Fills::of_this_machine(&cli.common.image()).with_own(Some(own));
    let lessons = load_filled(&cli.common, &fills, lang)?;
    let place = headless::place(&place, &lessons, lang).map_err(|wrong| complain(&wrong.what, None, USAGE))?;
    Ok(open_filled(cli, lang, exe, (lessons, fills), Some(place), false))
}

/// The script of a file, or the one in a recording or certificate: that may be anybody's, and is shown before it runs.
fn read(path: &Path, yes: bool, lang: Lang) -> Result<String, ExitCode> {
    let wrong = |why: &str, hint: &str| told(path, why, hint, USAGE, lang);
    let failed = |error: io::Error| told(path, &errno::why_io(&error).to_string(), "", FAILED, lang);
    let mut bytes = Vec::new();
    let size = MAX_SCRIPT as u64 + 1;
    let got = File::open(path).and_then(|file| file.take(size).read_to_end(&mut bytes));
    got.map_err(failed)?;
    let hint = hint(lang);
    if bytes.starts_with(b"{") {
        let mut scripts = certificate::scripts(path, lang)?;
        let one = scripts.remove("mybox").or_else(|| scripts.into_values().next());
        let why = lang.pick(
            "no step in this recording was passed with a script of the learner's",
            "这份录制里，没有一步是用学员自己的脚本通过的",
        );
        let script = one.ok_or_else(|| wrong(why, &hint))?;
        return if yes { Ok(script) } else { Err(not_agreed(path, &script, lang)) };
    }
    if bytes.len() > MAX_SCRIPT {
        let kib = MAX_SCRIPT >> 10;
        return Err(wrong(&lang.pick(format!("larger than {kib} KiB"), format!("大于 {kib} KiB")), ""));
    }
    let script =
        String::from_utf8(bytes).map_err(|_| wrong(lang.pick("this is not UTF-8 text", "这不是 UTF-8 文本"), ""))?;
    if !script.starts_with("#!") {
        let why = lang.pick("not a script: its first line does not begin with #!", "这不是脚本：第一行不以 #! 开头");
        return Err(wrong(why, &hint));
    }
    Ok(script)
}

fn not_agreed(path: &Path, script: &str, lang: Lang) -> ExitCode {
    let mut lines: Vec<String> = script.lines().map(printable).collect();
    lines.push(lang.pick("read it; then add --yes", "请先读一遍，然后加上 --yes").into());
    let why = lang.pick("this script would run on this machine", "下面这个脚本将在本机上运行");
    told(path, why, &lines.join("\n  "), USAGE, lang)
}

/// What a script must be.
fn hint(lang: Lang) -> String {
    let program = program::path();
    lang.pick(
        format!(
            "it must answer `./mybox run builtin: sh` and `./mybox exec CMD` as at the end of the lesson: {program} runtime/challenge"
        ),
        format!("它要像那一课结束时那样，能执行 `./mybox run builtin: sh` 和 `./mybox exec 命令`：{program} runtime/challenge"),
    )
}

/// Tries the script, and then its mutants until one is noticed.
fn search(trials: &mut Trials<'_>, script: &str, seed: u64, path: &Path, lang: Lang) -> Result<Came, Untried> {
    let name = printable(&path.display().to_string());
    let colon = lang.pick(": ", "：");
    tell(&format!("{name}{colon}{}", lang.pick("trying it as it is", "先原样试一遍")));
    let tried = trials.tries(&mutants::proof(script, lang))?;
    let lacks: Vec<String> = mutants::certificate().into_iter().filter(|fact| tried.broken.contains(fact)).collect();
    if tried.run != 0 || !lacks.is_empty() {
        return Ok(Came::Lacks(tried.run, lacks));
    }
    // Only now it is known what the group allows, and which facts name it.
    let good = Good::of(script, &tried);
    let all: Vec<Candidate> = mutants::candidates(script, seed);
    if all.is_empty() {
        return Ok(Came::NoPlace);
    }
    tell(&format!(
        "{name}{colon}{}",
        lang.pick(
            "it has every fact of the certificate; looking for a call to change",
            "证书上的条件全部成立；正在挑一个调用来改动"
        )
    ));
    let mut count = 0;
    for candidate in all {
        let Some(trial) = candidate.trial(&good, lang) else { continue };
        if count == TRIES {
            break;
        }
        count += 1;
        match trials.tries(&trial) {
            Ok(tried) => {
                if let Some(own) = candidate.noticed(script, seed, &good, &tried) {
                    return Ok(Came::Mutant(Box::new(own)));
                }
            }
            // Another one may do: this one does not end, or would change the machine.
            Err(Untried::Wrong(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Came::Unnoticed(count))
}

/// Says why there is no mutant.
fn refused(path: &Path, came: &Came, lang: Lang) -> ExitCode {
    let why = match came {
        Came::Lacks(status, _) if *status != 0 => lang.pick(
            format!("as it is, `./mybox run builtin: sh` ends with status {status}"),
            format!("原样运行时，`./mybox run builtin: sh` 以状态 {status} 结束"),
        ),
        Came::Lacks(_, facts) => {
            let list: Vec<String> = facts.iter().map(|fact| format!("`{fact}`")).collect();
            let list = list.join(lang.pick(", ", "、"));
            lang.pick(format!("as it is, this does not hold: {list}"), format!("原样运行时，这些不成立：{list}"))
        }
        Came::NoPlace => lang
            .pick(
                "none of its commands is one that a mutant changes, such as mount, umount, unshare, nsenter, setpriv",
                "其中没有变异体会改动的命令，例如 mount、umount、unshare、nsenter、setpriv",
            )
            .into(),
        Came::Unnoticed(count) => lang.pick(
            format!("none of {count} mutants is noticed by the kernel as it should be"),
            format!("试了 {count} 个变异体，内核都没有如期察觉"),
        ),
        Came::Mutant(_) => String::new(),
    };
    let program = program::path();
    let hint = match came {
        Came::Lacks(..) => hint(lang),
        _ => lang.pick(
            format!("{program} fix --mutant has mutants of the lesson's own script"),
            format!("{program} fix --mutant 有课程自己脚本的变异体"),
        ),
    };
    told(path, &why, &hint, FAILED, lang)
}

fn told(path: &Path, why: &str, hint: &str, status: u8, lang: Lang) -> ExitCode {
    let what = format!("--script {}{}{why}", printable(&path.display().to_string()), lang.pick(": ", "："));
    complain(&what, Some(hint).filter(|hint| !hint.is_empty()), status)
}
