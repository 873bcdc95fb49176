//! A fenced block of a lesson file becomes typed instructions.

use super::{
    fact::parse_fact,
    model::{Block, Check, Predict, Run, TerminalId},
    requirement::{Ability, Requirement, Wiring},
    source::{Source, Word, or_meant},
    way::{Refusal, Way},
};
use crate::{
    kernel::{harm::Harm, namespaces::Kind},
    lang::say,
    near::nearest,
};

/// Between an instruction of a `check` block and its sentence.
pub(super) const SEPARATOR: &str = " : ";

/// The info words that make a fenced block an instruction.
pub(super) const WORDS: [&str; 12] =
    ["run", "predict", "check", "hint", "why", "note", "solution", "wrong", "refused", "break", "requires", "changes"];

/// Those that hold command lines.
const TYPED: [&str; 4] = ["run", "solution", "wrong", "break"];

/// A block and the line where it stands, from 1.
pub(super) type Placed = (Block, usize);

/// Reads one fenced block: its info words and the lines between its fences. `line` is where it begins.
pub(super) fn parse_block(source: &mut Source<'_>, info: &[Word<'_>], body: &[Word<'_>], line: usize) -> Vec<Placed> {
    let Some((word, arguments)) = info.split_first() else { return Vec::new() };
    if body.iter().all(|line| line.text.trim().is_empty()) {
        source.wrong(*word, say(format!("the `{}` block is empty", word.text), format!("`{}` 块是空的", word.text)));
        return Vec::new();
    }
    if !TYPED.contains(&word.text) {
        for argument in arguments {
            source.wrong(
                *argument,
                say(
                    format!("`{}` takes no `{}`", word.text, argument.text),
                    format!("`{}` 后面不能写 `{}`", word.text, argument.text),
                ),
            );
        }
    }
    let block = match word.text {
        "run" => {
            let (runs, _) = runs(source, *word, arguments, body);
            return runs.into_iter().map(|run| (run.at, run)).map(|(at, run)| (Block::Run(run), at)).collect();
        }
        "solution" => Block::Solution(way(source, *word, arguments, body)),
        "wrong" => Block::Wrong(way(source, *word, arguments, body)),
        "refused" => Block::Refused(lines(body).map(refusal).collect()),
        "break" => Block::Break(runs(source, *word, arguments, body).0),
        "predict" => Block::Predict(predict(source, *word, body)),
        "check" => Block::Check(checks(source, body)),
        "requires" => Block::Requires(requirements(source, body)),
        "changes" => Block::Changes(changes(source, body)),
        "hint" => Block::Hint(prose(body)),
        "why" => Block::Why(prose(body)),
        "note" => Block::Note(prose(body)),
        other => {
            let (near, known) = (or_meant(nearest(other, WORDS)), WORDS.join(", "));
            let what = say(
                format!("unknown block `{other}`; there are: {known}, text{near}"),
                format!("没有 `{other}` 这种块；只有：{known}, text{near}"),
            );
            source.wrong(*word, what);
            return Vec::new();
        }
    };
    vec![(block, line)]
}

fn prose(body: &[Word<'_>]) -> String {
    body.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A fact as it stands in a `check` block, without `keeps` and without its sentence.
fn refusal(line: Word<'_>) -> Refusal {
    let words: Vec<&str> = line.split().iter().map(|word| word.text).collect();
    Refusal { source: words.join(" "), at: line.line }
}

fn way(source: &mut Source<'_>, word: Word<'_>, arguments: &[Word<'_>], body: &[Word<'_>]) -> Way {
    let (runs, or) = runs(source, word, arguments, body);
    Way { runs, or }
}

/// The lines of a block, and whether it begins another way.
fn runs(source: &mut Source<'_>, word: Word<'_>, arguments: &[Word<'_>], body: &[Word<'_>]) -> (Vec<Run>, bool) {
    let mut model = Run::default();
    let (mut terminal, mut or) = (None, false);
    // What is played before the learner acts is waited for, line by line, and not shown.
    let broken = word.text == "break";
    for argument in arguments {
        match argument.text {
            "or" if matches!(word.text, "solution" | "wrong") => or = true,
            "fails" => model.fails = true,
            "hold" if !broken => model.hold = true,
            "busy" if !broken => model.busy = true,
            "look" if !broken => model.look = true,
            "once" if word.text == "run" => model.once = true,
            name => match TerminalId::ALL.into_iter().find(|id| id.name() == name) {
                Some(id) if terminal.is_none() => terminal = Some(id),
                Some(_) => source.wrong(*argument, say("a second terminal is named", "又写了一个终端")),
                None => {
                    let flags = if broken { "container, host, fails" } else { FLAGS };
                    let (near, word) = (or_meant(nearest(name, flags.split(", "))), word.text);
                    let what = say(
                        format!("`{word}` takes no `{name}`, only {flags}{near}"),
                        format!("`{word}` 后面不能写 `{name}`，只能写 {flags}{near}"),
                    );
                    source.wrong(*argument, what);
                }
            },
        }
    }
    if terminal.is_none() {
        source.wrong(
            word,
            say(
                format!("`{}` must name its terminal: container or host", word.text),
                format!("`{}` 要写明终端：container 或 host", word.text),
            ),
        );
    }
    model.terminal = terminal.unwrap_or_default();
    let typed = typed(source, body);
    (typed.into_iter().map(|(line, at)| Run { line, at, ..model.clone() }).collect(), or)
}

/// The command lines of a block, each with the line where it begins. A here-document is part of its command, down to the word that
/// ends it, and keeps its indentation.
fn typed(source: &mut Source<'_>, body: &[Word<'_>]) -> Vec<(String, usize)> {
    let mut typed = Vec::new();
    let mut rest = body.iter();
    while let Some(first) = rest.next() {
        let first = first.trim();
        if first.text.is_empty() {
            continue;
        }
        let mut text = first.text.to_owned();
        if let Some(end) = here_document(first.text) {
            let closed = rest.by_ref().any(|line| {
                let line = line.text.trim_end();
                text.push('\n');
                text.push_str(line);
                line == end
            });
            if !closed {
                let what = say(
                    format!("the here-document has no line `{end}` that ends it"),
                    format!("here-document 没有以 `{end}` 这一行结束"),
                );
                source.wrong(first, what);
            }
        }
        typed.push((text, first.line));
    }
    typed
}

/// The word that ends the here-document of this line (sh(1), Redirection), if it has one.
fn here_document(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("<<")?;
    let word = after.trim_start().trim_matches(['\'', '"']);
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    is_word.then_some(word)
}

/// What a machine can be asked for, but for the last form.
const FORMS: &str = "`root`, `user-namespaces`, `user-proc`, `user-program`, `ptrace`, `namespace KIND,…`, `proc`, \
                     `call chroot|pivot_root|setns`, `controller NAME,…`, `controller NAME|…`, `cgroup v1|v2 CONTROLLER`, `swap`, \
                     `memsw`, `hard-memory`, `machine-root`, `namespace-root`, `filesystem NAME`, `network veth|bridge|nat`, `session-dir exec|dev|upperdir`";

const FLAGS: &str = "container, host, hold, fails, busy, look, once";

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
            Some((_, text)) if text.trim().is_empty() => source.wrong(line, say("the answer is empty", "答案是空的")),
            Some((mark, text)) => {
                if mark != "- [ ]" {
                    right.push(predict.options.len());
                }
                predict.options.push(text.trim().to_owned());
            }
            None if line.text.starts_with("- ") || !predict.options.is_empty() => {
                source.wrong(
                    line,
                    say(
                        "an answer begins with `- [ ]`, the right one with `- [x]`",
                        "答案以 `- [ ]` 开头，正确的以 `- [x]` 开头",
                    ),
                );
            }
            None => question.push(line.text),
        }
    }
    predict.question = question.join(" ");
    if predict.question.is_empty() {
        source.wrong(word, say("the prediction has no question", "预测没有问题"));
    }
    if predict.options.len() < 2 {
        source.wrong(word, say("a prediction needs at least two answers", "预测至少要有两个答案"));
    }
    match right.as_slice() {
        [answer] => predict.answer = *answer,
        _ => {
            let count = right.len();
            let what = say(
                format!("a prediction needs exactly one right answer, not {count}"),
                format!("预测只能有一个正确答案，这里有 {count} 个"),
            );
            source.wrong(word, what);
        }
    }
    predict
}

/// The word before an instruction whose fact must stay true.
const KEEPS: &str = "keeps";

fn checks(source: &mut Source<'_>, body: &[Word<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    for line in lines(body) {
        let Some((instruction, sentence)) = line.split_once(SEPARATOR) else {
            source.wrong(
                line,
                say(
                    "a check is `INSTRUCTION : sentence`, with a blank on both sides of the colon",
                    "检查写作 `指令 : 句子`，半角冒号两边各一个空格",
                ),
            );
            continue;
        };
        let (words, sentence) = (instruction.split(), sentence.trim());
        if sentence.text.is_empty() {
            source.wrong(sentence, say("the check has no sentence", "检查没有句子"));
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
            false => {
                let (text, known) = (word.text, Harm::WORDS.join(", "));
                source.wrong(word, say(format!("`{text}` is none of {known}"), format!("`{text}` 不在其中：{known}")));
            }
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
            ["user-namespaces"] => needs.push(Requirement::UserNamespaces),
            ["user-proc"] => needs.push(Requirement::UserProc),
            ["user-program"] => needs.push(Requirement::UserProgram),
            ["ptrace"] => needs.push(Requirement::Ptrace),
            ["swap"] => needs.push(Requirement::Swap),
            ["memsw"] => needs.push(Requirement::Memsw),
            ["hard-memory"] => needs.push(Requirement::HardMemory),
            ["machine-root"] => needs.push(Requirement::MachineRoot),
            ["namespace-root"] => needs.push(Requirement::NamespaceRoot),
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
            ["file", path] if path.starts_with('/') => needs.push(Requirement::File((*path).to_owned())),
            ["network", names] => {
                let wiring = |name| Wiring::ALL.into_iter().find(|wiring| wiring.name() == name);
                match names.split(',').map(wiring).collect::<Option<Vec<_>>>() {
                    Some(all) => needs.extend(all.into_iter().map(Requirement::Network)),
                    None => source.wrong(
                        words.get(1).copied().unwrap_or(line),
                        say("expected `veth`, `bridge` or `nat`", "这里应当是 `veth`、`bridge` 或 `nat`"),
                    ),
                }
            }
            ["session-dir", names] => {
                let ability = |name| Ability::ALL.into_iter().find(|ability| ability.name() == name);
                match names.split(',').map(ability).collect::<Option<Vec<_>>>() {
                    Some(abilities) => needs.extend(abilities.into_iter().map(Requirement::SessionDir)),
                    None => source.wrong(
                        words.get(1).copied().unwrap_or(line),
                        say("expected `exec`, `dev` or `upperdir`", "这里应当是 `exec`、`dev` 或 `upperdir`"),
                    ),
                }
            }
            ["namespace", kinds] => match kinds.split(',').map(Kind::from_link).collect::<Option<Vec<_>>>() {
                Some(kinds) => needs.extend(kinds.into_iter().map(Requirement::Namespace)),
                None => source.wrong(
                    words.get(1).copied().unwrap_or(line),
                    say("expected namespace kinds such as `pid,uts`", "这里应当是命名空间的种类，例如 `pid,uts`"),
                ),
            },
            _ => {
                let what =
                    say(format!("expected {FORMS} or `program NAME`"), format!("这里应当是 {FORMS} 或 `program NAME`"));
                source.wrong(line, what);
            }
        }
    }
    needs
}
