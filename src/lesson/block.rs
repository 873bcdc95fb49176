//! A fenced block of a lesson file becomes typed instructions.

use super::{
    fact::parse_fact,
    model::{Block, Check, Predict, Run, TerminalId},
    requirement::{Ability, Requirement},
    source::{Source, Word},
};
use crate::kernel::{harm::Harm, namespaces::Kind};

/// Between an instruction of a `check` block and its sentence.
pub(super) const SEPARATOR: &str = " : ";

/// The info words that make a fenced block an instruction.
pub(super) const WORDS: [&str; 9] =
    ["run", "predict", "check", "hint", "why", "note", "solution", "requires", "changes"];

/// A block and the line where it stands, from 1.
pub(super) type Placed = (Block, usize);

/// Reads one fenced block: its info words and the lines between its fences. `line` is where it begins.
pub(super) fn parse_block(source: &mut Source<'_>, info: &[Word<'_>], body: &[Word<'_>], line: usize) -> Vec<Placed> {
    let Some((word, arguments)) = info.split_first() else { return Vec::new() };
    if body.iter().all(|line| line.text.trim().is_empty()) {
        source.wrong(*word, format!("the `{}` block is empty", word.text));
        return Vec::new();
    }
    if !matches!(word.text, "run" | "solution") {
        for argument in arguments {
            source.wrong(*argument, format!("`{}` takes no `{}`", word.text, argument.text));
        }
    }
    let block = match word.text {
        "run" => {
            let runs = runs(source, *word, arguments, body);
            return runs.into_iter().map(|run| (run.at, run)).map(|(at, run)| (Block::Run(run), at)).collect();
        }
        "solution" => Block::Solution(runs(source, *word, arguments, body)),
        "predict" => Block::Predict(predict(source, *word, body)),
        "check" => Block::Check(checks(source, body)),
        "requires" => Block::Requires(requirements(source, body)),
        "changes" => Block::Changes(changes(source, body)),
        "hint" => Block::Hint(prose(body)),
        "why" => Block::Why(prose(body)),
        "note" => Block::Note(prose(body)),
        other => {
            source.wrong(*word, format!("unknown block `{other}`; there are: {}, text", WORDS.join(", ")));
            return Vec::new();
        }
    };
    vec![(block, line)]
}

fn prose(body: &[Word<'_>]) -> String {
    body.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn runs(source: &mut Source<'_>, word: Word<'_>, arguments: &[Word<'_>], body: &[Word<'_>]) -> Vec<Run> {
    let mut model = Run::default();
    let mut terminal = None;
    for argument in arguments {
        match argument.text {
            "hold" => model.hold = true,
            "fails" => model.fails = true,
            "busy" => model.busy = true,
            "look" => model.look = true,
            name => match TerminalId::ALL.into_iter().find(|id| id.name() == name) {
                Some(id) if terminal.is_none() => terminal = Some(id),
                Some(_) => source.wrong(*argument, "a second terminal is named"),
                None => source.wrong(*argument, format!("`{}` takes no `{name}`, only {FLAGS}", word.text)),
            },
        }
    }
    if terminal.is_none() {
        source.wrong(word, format!("`{}` must name its terminal: container or host", word.text));
    }
    model.terminal = terminal.unwrap_or_default();
    lines(body).map(|line| Run { line: line.text.to_owned(), at: line.line, ..model.clone() }).collect()
}

const FLAGS: &str = "container, host, hold, fails, busy, look";

fn lines<'a>(body: &[Word<'a>]) -> impl Iterator<Item = Word<'a>> {
    body.iter().map(|line| line.trim()).filter(|line| !line.text.is_empty())
}

fn predict(source: &mut Source<'_>, word: Word<'_>, body: &[Word<'_>]) -> Predict {
    let mut predict = Predict::default();
    let mut right = Vec::new();
    let mut question: Vec<&str> = Vec::new();
    for line in lines(body) {
        let answer = ["- [ ]", "- [x]", "- [X]"].iter().find_map(|mark| Some((*mark, line.text.strip_prefix(mark)?)));
        match answer {
            Some((_, text)) if text.trim().is_empty() => source.wrong(line, "the answer is empty"),
            Some((mark, text)) => {
                if mark != "- [ ]" {
                    right.push(predict.options.len());
                }
                predict.options.push(text.trim().to_owned());
            }
            None if line.text.starts_with("- ") || !predict.options.is_empty() => {
                source.wrong(line, "an answer begins with `- [ ]`, the right one with `- [x]`");
            }
            None => question.push(line.text),
        }
    }
    predict.question = question.join(" ");
    if predict.question.is_empty() {
        source.wrong(word, "the prediction has no question");
    }
    if predict.options.len() < 2 {
        source.wrong(word, "a prediction needs at least two answers");
    }
    match right.as_slice() {
        [answer] => predict.answer = *answer,
        _ => source.wrong(word, format!("a prediction needs exactly one right answer, not {}", right.len())),
    }
    predict
}

/// The word before an instruction whose fact must stay true.
const KEEPS: &str = "keeps";

fn checks(source: &mut Source<'_>, body: &[Word<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    for line in lines(body) {
        let Some((instruction, sentence)) = line.split_once(SEPARATOR) else {
            source.wrong(line, "a check is `INSTRUCTION : sentence`, with a blank on both sides of the colon");
            continue;
        };
        let (words, sentence) = (instruction.split(), sentence.trim());
        if sentence.text.is_empty() {
            source.wrong(sentence, "the check has no sentence");
        }
        let keeps = words.first().is_some_and(|word| word.text == KEEPS);
        let words = words.get(usize::from(keeps)..).unwrap_or_default();
        let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
        match parse_fact(&texts) {
            Ok(fact) => {
                let (text, source) = (sentence.text.to_owned(), texts.join(" "));
                let check = Check { fact, text, source, keeps, at: line.line };
                checks.push(check);
            }
            Err((at, what)) => {
                // Where a word is missing, the place is the end of the instruction.
                let end = instruction.trim();
                let end = Word { column: end.column + end.text.chars().count(), ..end };
                source.wrong(words.get(at).copied().unwrap_or(end), what);
            }
        }
    }
    checks
}

fn changes(source: &mut Source<'_>, body: &[Word<'_>]) -> Vec<String> {
    let mut words = Vec::new();
    for word in lines(body).flat_map(|line| line.split()) {
        match Harm::WORDS.contains(&word.text) {
            true => words.push(word.text.to_owned()),
            false => source.wrong(word, format!("`{}` is none of {}", word.text, Harm::WORDS.join(", "))),
        }
    }
    words
}

fn requirements(source: &mut Source<'_>, body: &[Word<'_>]) -> Vec<Requirement> {
    let mut needs = Vec::new();
    for line in lines(body) {
        let words = line.split();
        let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
        match texts.as_slice() {
            ["root"] => needs.push(Requirement::Root),
            ["ptrace"] => needs.push(Requirement::Ptrace),
            ["swap"] => needs.push(Requirement::Swap),
            ["memsw"] => needs.push(Requirement::Memsw),
            ["hard-memory"] => needs.push(Requirement::HardMemory),
            ["machine-root"] => needs.push(Requirement::MachineRoot),
            ["cgroup", version @ ("v1" | "v2"), controller] => {
                needs.push(Requirement::CgroupVersion(if *version == "v1" { 1 } else { 2 }, (*controller).to_owned()));
            }
            ["proc"] => needs.push(Requirement::Proc),
            ["call", name @ ("chroot" | "pivot_root" | "setns")] => needs.push(Requirement::Call((*name).to_owned())),
            ["controller", names] if names.contains('|') => {
                needs.push(Requirement::AnyController(names.split('|').map(str::to_owned).collect()));
            }
            ["controller", names] => {
                needs.extend(names.split(',').map(|name| Requirement::Controller(name.to_owned())));
            }
            ["filesystem", name] => needs.push(Requirement::Filesystem((*name).to_owned())),
            ["program", name] => needs.push(Requirement::Program((*name).to_owned())),
            ["session-dir", names] => {
                let ability = |name| Ability::ALL.into_iter().find(|ability| ability.name() == name);
                match names.split(',').map(ability).collect::<Option<Vec<_>>>() {
                    Some(abilities) => needs.extend(abilities.into_iter().map(Requirement::SessionDir)),
                    None => source.wrong(words.get(1).copied().unwrap_or(line), "expected `exec`, `dev` or `upperdir`"),
                }
            }
            ["namespace", kinds] => match kinds.split(',').map(Kind::from_link).collect::<Option<Vec<_>>>() {
                Some(kinds) => needs.extend(kinds.into_iter().map(Requirement::Namespace)),
                None => {
                    source.wrong(words.get(1).copied().unwrap_or(line), "expected namespace kinds such as `pid,uts`")
                }
            },
            _ => source.wrong(line, "expected `root`, `ptrace`, `namespace KIND,…`, `proc`, `call chroot|pivot_root|setns`, `controller NAME,…`, `controller NAME|…`, `cgroup v1|v2 CONTROLLER`, `swap`, `memsw`, `hard-memory`, `machine-root`, `filesystem NAME`, `session-dir exec|dev|upperdir` or `program NAME`"),
        }
    }
    needs
}
