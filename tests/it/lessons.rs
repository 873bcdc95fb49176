//! The lesson files themselves, and what the parser says about broken ones.

use super::lessons_command::{boxwright, text};
use crate::harness::{Test, tests};
use boxwright::lang::Lang;
use boxwright::lesson::{self, Block, Fact, LoadError, Problem, Translations};
use proptest::prelude::*;

pub fn tests() -> Vec<Test> {
    tests![
        the_embedded_lessons_have_no_problems,
        isolate_has_the_ten_steps_of_the_course,
        a_loaded_lesson_has_a_real_port,
        every_problem_has_its_place,
        the_linter_speaks_chinese,
        a_here_document_is_part_of_its_command,
        no_problem_hides_the_next,
        windows_line_ends_change_nothing,
        languages_must_agree_on_everything_but_sentences,
        one_language_is_enough_and_a_broken_one_is_named,
        a_directory_overrides_and_is_foreign,
        a_broken_file_does_not_stop_the_others,
        arbitrary_text_never_panics,
        a_mutilated_lesson_never_panics,
    ]
}

const EN: &str = include_str!("../../lessons/isolate/en.md");
const ZH: &str = include_str!("../../lessons/isolate/zh.md");

pub fn problems(file: &str, text: &str) -> Vec<Problem> {
    lesson::parse(file, text).err().unwrap_or_default()
}

/// A whole lesson of one step, with one piece of it replaced.
pub fn small(from: &str, to: &str) -> String {
    let text = "# T\n\n> S\n\n## A {#a fresh}\n\nDo it.\n\n```run container\nls\n```\n\n```check\nalone : yes\n```\n\n\
                ```hint\none\n```\n\n```hint\ntwo\n```\n\n```hint\n`ls`\n```\n\n```why\nSo.\n```\n";
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn the_embedded_lessons_have_no_problems() {
    match lesson::embedded() {
        Ok(lessons) => assert!(lessons.iter().all(|lesson| lesson.languages().eq(Lang::ALL))),
        Err(error) => panic!("{error}"),
    }
}

fn isolate_has_the_ten_steps_of_the_course() {
    let lesson = lesson::parse("isolate/zh.md", ZH).unwrap();
    let steps: Vec<&str> = lesson.steps.iter().map(|step| step.id.as_str()).collect();
    let wanted = "plain-process without-fork without-proc one-call-at-a-time inside-ps host-name network mounts-and-ipc \
                  pid-one challenge";
    assert_eq!(steps.join(" "), wanted);
    for step in &lesson.steps {
        assert!(step.blocks.iter().any(|block| matches!(block, Block::Note(_))), "{} has no note", step.id);
    }
}

fn a_loaded_lesson_has_a_real_port() {
    let lessons = lesson::load(None).unwrap();
    for lesson in lessons.iter().flat_map(|lesson| lesson.values()) {
        assert!(!lesson.foreign);
        let blocks = lesson.steps.iter().flat_map(|step| &step.blocks);
        for block in blocks {
            if let Block::Run(run) = block {
                assert!(!run.line.contains("{port}"), "{}", run.line);
            }
            if let Block::Check(checks) = block {
                let zero = |fact: &Fact| matches!(fact, Fact::Listening(_, 0) | Fact::NotListening(_, 0));
                assert!(checks.iter().all(|check| !zero(&check.fact)));
            }
        }
    }
}

/// A piece of the small lesson, what stands in its place, and the problem that this is, with its line and column.
type Wrong<'a> = (&'a str, &'a str, usize, usize, &'a str);

/// `long` is a text of 91 words.
fn broken(long: &str) -> Vec<Wrong<'_>> {
    vec![
        ("# T", "T", 1, 1, "must begin with `# Title`"),
        ("> S", "S", 1, 1, "a summary must follow"),
        ("## A {#a fresh}", "## A", 5, 4, "has no name"),
        ("{#a fresh}", "{#A fresh}", 5, 7, "is not a step name"),
        ("{#a fresh}", "{#a frehs}", 5, 10, "cannot be `frehs`"),
        ("Do it.", "## B {#a}", 7, 7, "was given to the step on line 5"),
        ("Do it.", "### deeper", 7, 1, "are headings here"),
        ("Do it.", "Do <b>it</b>.", 7, 1, "HTML"),
        ("Do it.", "<div>it</div>\n", 7, 1, "HTML"),
        ("Do it.", long, 7, 1, "has 91 words"),
        ("Do it.", "Do\u{7}it.", 7, 3, "U+0007"),
        ("Do it.", "- x\n\n  ```run host\n  ls\n  ```", 9, 1, "outside lists"),
        ("run container", "runn container", 9, 4, "unknown block `runn`"),
        ("run container", "run", 9, 4, "must name its terminal"),
        ("run container", "run container host", 9, 18, "second terminal"),
        ("run container", "run container holds", 9, 18, "takes no `holds`"),
        ("run container\nls\n", "run container\n\n", 9, 4, "is empty"),
        ("container\nls\n", "container\nls\ncat <<'EOF'\n  EOF\n", 11, 1, "has no line `EOF`"),
        ("check\n", "check now\n", 13, 10, "takes no `now`"),
        ("alone : yes", "alone: yes", 14, 1, "INSTRUCTION : sentence"),
        ("alone : yes", "alone : ", 14, 1, "INSTRUCTION : sentence"),
        ("alone : yes", "lonely : yes", 14, 1, "unknown check `lonely`"),
        ("alone : yes", "init : yes", 14, 5, "expected a program"),
        (
            "```check\n",
            "```predict\nQ?\n- [x] a\n- [ ] b\n```\n\n```run host\nid\n```\n\n```check\n",
            13,
            1,
            "no check stands between the commands and this question",
        ),
        ("alone : yes", "keeps alone : yes", 13, 1, "every fact of this block holds before"),
        ("alone : yes", "alone : yes\nkeeps call unshare ok : so", 15, 1, "cannot hold before"),
        ("alone : yes", "alone : yes\nkeeps ended sh status 0 : so", 15, 1, "cannot hold before"),
        ("alone : yes", "alone : yes\nkeeps group cpu 1..2 : so", 15, 1, "cannot hold before"),
        ("alone : yes", "alone : yes\nkeeps group oom-kills grew : so", 15, 1, "cannot hold before"),
        ("alone : yes", "keeps lonely : yes", 14, 7, "unknown check `lonely`"),
        ("alone : yes", "keeps : yes", 14, 6, "unknown check ``"),
        ("alone : yes", "namespace pidd new : yes", 14, 11, "expected namespace kinds"),
        ("```check\nalone : yes\n```", "", 5, 1, "no check"),
        ("```hint\ntwo\n```", "", 5, 1, "it needs 3"),
        ("`ls`", "just do it", 5, 1, "must give a command"),
        ("```why\nSo.\n```", "", 5, 1, "no `why`"),
        ("```why\nSo.\n```", "```why\nSo.\n", 29, 1, "never closed"),
        ("fresh}", "challenge}", 5, 1, "no `solution`"),
        ("Do it.", "```predict\nWhy?\n- [x] a\n- [x] b\n```", 7, 4, "exactly one right answer, not 2"),
        ("Do it.", "```predict\nWhy?\n- [ ] a\n- [ ] b\n```", 7, 4, "exactly one right answer, not 0"),
        ("Do it.", "```predict\nWhy?\n- [x] a\n- b\n```", 10, 1, "an answer begins with"),
        ("Do it.", "```predict\n- [x] a\n- [ ] b\n```", 7, 4, "has no question"),
        ("Do it.", "```requires\nroot\nnamespace pidd\n```", 9, 11, "expected namespace kinds"),
        ("Do it.", "```solution host\nls\n```", 7, 1, "only a challenge"),
        ("```why\nSo.\n```", "```refused\nalone\n```\n\n```why\nSo.\n```", 29, 1, "stands behind the `wrong` blocks"),
        ("Do it.", "```wrong host\nls\n```\n\n```refused\nalon\n```", 12, 1, "no check of the step is `alon`"),
    ]
}

/// Every problem in the reader's language, as the program prints it; names and code stay what they are.
fn the_linter_speaks_chinese() {
    let (dir, long) = (tempfile::tempdir().unwrap(), "word ".repeat(91));
    let broken = broken(&long);
    for (index, (from, to, ..)) in broken.iter().enumerate() {
        let folder = dir.path().join(format!("small-{index}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("en.md"), small(from, to)).unwrap();
        if *from == "fresh}" {
            std::fs::write(folder.join("zh.md"), small("T", "T")).unwrap();
            std::fs::write(folder.join("other.md"), "").unwrap();
        }
    }
    let output = boxwright(&["lessons", "check", dir.path().to_str().unwrap(), "--lang", "zh"], "en");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.lines().count() >= broken.len(), "{said}");
    let english = |what: &str| {
        // Code is between backquotes. A name may stand alone, but two English words beside each other are a sentence.
        let prose: String = what.split('`').step_by(2).collect::<Vec<_>>().join("，");
        let words = prose.split(' ').map(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        words.clone().zip(words.skip(1)).any(|(first, second)| first && second)
    };
    for line in said.lines() {
        let (_, what) = line.split_once(": ").unwrap();
        let chinese = what.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter));
        assert!(chinese && !english(what), "{line}");
    }
}

fn every_problem_has_its_place() {
    let long = "word ".repeat(91);
    for (from, to, line, column, what) in broken(&long) {
        let found = problems("small/en.md", &small(from, to));
        let right = found.iter().any(|p| (p.line, p.column) == (line, column) && p.what.contains(what));
        assert!(right, "{from:?} -> {to:?}: {found:#?}");
    }
    assert_eq!(problems("small/en.md", &small("Do it.", "Do it.")), []);
    assert_eq!(problems("small/en.md", &small("Do it.", "<!-- for authors -->")), []);
    assert_eq!(problems("small/en.md", &small("alone : yes", "alone : yes\nkeeps init sh : so")), []);
    assert_eq!(problems("small/fr.md", &small("T", "T")).len(), 1);
    assert_eq!(problems("Small/en.md", &small("T", "T")).len(), 1);
}

fn a_here_document_is_part_of_its_command() {
    let text = small("ls\n", "  cat > f <<'EOF'\n  indented\n\n<<EOF\nEOF\n\nls << 2\nls\n");
    let lesson = lesson::parse("small/en.md", &text).unwrap();
    let runs =
        lesson.steps[0].blocks.iter().filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
    let lines: Vec<(&str, usize)> = runs.map(|run| (run.line.as_str(), run.at)).collect();
    assert_eq!(lines, [("cat > f <<'EOF'\n  indented\n\n<<EOF\nEOF", 10), ("ls << 2", 16), ("ls", 17)]);
}

fn no_problem_hides_the_next() {
    let text = small("alone : yes", "lonely : yes").replace("run container", "run nowhere").replace("{#a ", "{#A ");
    assert!(problems("small/en.md", &text).len() >= 4, "{:#?}", problems("small/en.md", &text));
}

fn windows_line_ends_change_nothing() {
    let text = small("T", "T");
    assert_eq!(lesson::parse("small/en.md", &text), lesson::parse("small/en.md", &text.replace('\n', "\r\n")));
}

/// What the linter says about two files of one lesson.
fn folder(en: &str, zh: &str) -> Vec<String> {
    let files = [("en.md".to_owned(), en.as_bytes().to_vec()), ("zh.md".to_owned(), zh.as_bytes().to_vec())];
    lesson::folder("small", &files).1.iter().map(Problem::to_string).collect()
}

fn languages_must_agree_on_everything_but_sentences() {
    assert_eq!(folder(EN, ZH), Vec::<String>::new());
    for (from, to, wanted) in [
        ("{#a fresh}", "{#b fresh}", "small/zh.md:5:1: the steps differ"),
        (
            "\nls\n",
            "\nls -l\n",
            "small/zh.md:10:1: `run container: ls -l` differs from `run container: ls` in en.md:10",
        ),
        ("run container", "run container fails", "small/zh.md:10:1:"),
        ("run container", "run host", "small/zh.md:10:1:"),
        ("alone : yes", "init sh : yes", "small/zh.md:14:1: `check init sh` differs"),
        ("alone : yes", "alone : yes\ninit sh : so", "small/zh.md:15:1: `and init sh` differs"),
        ("alone : yes", "keeps alone : yes", "small/zh.md:14:1: `check keeps alone` differs"),
        ("Do it.", "```note\nn\n```", "small/zh.md:7:1: `note` differs"),
        ("```why\nSo.\n```", "```why\nSo.\n```\n\n```note\nn\n```", "small/zh.md:33:1: `note` has no counterpart"),
    ] {
        let found = folder(&small("T", "T"), &small(from, to));
        assert!(found.iter().any(|problem| problem.starts_with(wanted)), "{from:?} -> {to:?}: {found:#?}");
    }
    let question =
        |first: &str, second: &str| format!("```predict\nWhy?\n- [{first}] a\n- [{second}] b\n```\n\n```run container");
    let en = small("```run container", &question("x", " "));
    let zh = small("```run container", &question(" ", "x"));
    assert!(folder(&en, &zh).iter().any(|problem| problem.contains("answer 2 of 2 is right")));
}

fn one_language_is_enough_and_a_broken_one_is_named() {
    let only = [("en.md".to_owned(), small("T", "T").into_bytes())];
    assert_eq!(lesson::folder("small", &only).1, []);
    let none = [("README.md".to_owned(), b"x".to_vec())];
    assert_eq!(lesson::folder("small", &none).1[0].to_string(), "small:1:1: neither en.md nor zh.md is here");
    let bad = [only[0].clone(), ("zh.md".to_owned(), b"# \xe4\xb8\xad\n> ok \xff\n".to_vec())];
    assert_eq!(lesson::folder("small", &bad).1[0].to_string(), "small/zh.md:2:6: this is not UTF-8 text");
}

fn a_directory_overrides_and_is_foreign() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    for id in ["isolate", "zebra"] {
        lesson::cli::new(dir.path(), id, Lang::En, &mut out).unwrap();
    }
    let lessons = lesson::load(Some(dir.path())).unwrap_or_else(|error| panic!("{error}"));
    let isolate = lessons.iter().find(|lesson| lesson.id() == "isolate").unwrap();
    assert_eq!(isolate.get(Lang::En).unwrap().steps.len(), 1);
    assert!(isolate.values().all(|lesson| lesson.foreign));
    assert_eq!(lessons.last().unwrap().id(), "zebra");

    let pack = isolate.get(Lang::En).unwrap().pack.as_ref().unwrap();
    assert_eq!((pack.folder.as_str(), pack.replaces), (dir.path().join("isolate").to_str().unwrap(), true));
    assert!(!lessons.last().unwrap().get(Lang::Zh).unwrap().pack.as_ref().unwrap().replaces);
    let own = lesson::embedded().unwrap().len();
    assert_eq!(lessons.iter().filter(|lesson| lesson.get(Lang::En).unwrap().pack.is_none()).count(), own - 1);

    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(matches!(lesson::load(Some(&empty)), Err(LoadError::Empty(_))));
    let one = lesson::load(Some(&dir.path().join("zebra"))).unwrap();
    assert_eq!((one.len(), one.last().unwrap().id()), (own + 1, "zebra"), "the folder of a single lesson");
    assert!(matches!(lesson::load(Some(&dir.path().join("nowhere"))), Err(LoadError::Io(..))));
}

fn a_broken_file_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    for id in ["half", "whole", "wrong"] {
        lesson::cli::new(dir.path(), id, Lang::En, &mut Vec::new()).unwrap();
    }
    std::fs::write(dir.path().join("half/zh.md"), "nonsense").unwrap();
    std::fs::write(dir.path().join("wrong/zh.md"), "nonsense").unwrap();
    std::fs::write(dir.path().join("wrong/en.md"), b"\xff").unwrap();
    let (lessons, left_out) = lesson::load_all(Some(dir.path()), "builtin:").unwrap();
    let named: Vec<&str> = lessons.iter().map(Translations::id).collect();
    assert_eq!(named[lesson::embedded().unwrap().len()..], ["half", "whole"]);
    let what: Vec<String> =
        left_out.iter().map(|left_out| left_out.what.replace(dir.path().to_str().unwrap(), "")).collect();
    assert_eq!(what, ["/half/zh.md", "/wrong"]);
    assert!(left_out.iter().all(|left_out| !left_out.problems.is_empty()));

    std::fs::remove_dir_all(dir.path().join("half")).unwrap();
    std::fs::remove_dir_all(dir.path().join("whole")).unwrap();
    match lesson::load(Some(dir.path())) {
        Err(LoadError::Problems(problems)) => assert!(problems.len() > 2, "{problems:?}"),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    fn arbitrary_text_never_panics(text in "\\PC{0,200}|[#>`\\-\\[\\]{}x \n\r:|<!a]{0,300}") {
        let _ = lesson::parse("isolate/en.md", &text);
    }

    fn a_mutilated_lesson_never_panics(at in 0usize..20_000, cut in 0usize..400, put in "[#>`\\-{}\n\r: <\\[\\]中]{0,12}") {
        for text in [EN, ZH] {
            let chars: Vec<char> = text.chars().collect();
            let at = at.min(chars.len());
            let rest = chars.iter().skip(at + cut);
            let text: String = chars.iter().take(at).copied().chain(put.chars()).chain(rest.copied()).collect();
            let files = [("en.md".to_owned(), EN.into()), ("zh.md".to_owned(), text.into_bytes())];
            let (_, problems) = lesson::folder("isolate", &files);
            for problem in problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1);
            }
        }
    }
}
