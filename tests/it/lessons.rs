//! The lesson files themselves, and what the parser says about broken ones.

use crate::harness::{Test, tests};
use boxwright::lesson::{self, Block, Fact, LoadError, Problem};
use proptest::prelude::*;

pub fn tests() -> Vec<Test> {
    tests![
        the_embedded_lessons_have_no_problems,
        isolate_has_the_ten_steps_of_the_course,
        a_loaded_lesson_has_a_real_port,
        every_problem_has_its_place,
        no_problem_hides_the_next,
        windows_line_ends_change_nothing,
        languages_must_agree_on_everything_but_sentences,
        a_missing_or_broken_language_is_named,
        a_directory_overrides_and_is_foreign,
        the_authors_commands_say_how_they_ended,
        the_guide_lists_every_check,
        the_speakers_document_holds_notes_and_solution,
        arbitrary_text_never_panics,
        a_mutilated_lesson_never_panics,
    ]
}

const EN: &str = include_str!("../../lessons/isolate/en.md");
const ZH: &str = include_str!("../../lessons/isolate/zh.md");

fn problems(file: &str, text: &str) -> Vec<Problem> {
    lesson::parse(file, text).err().unwrap_or_default()
}

/// A whole lesson of one step, with one piece of it replaced.
fn small(from: &str, to: &str) -> String {
    let text = "# T\n\n> S\n\n## A {#a fresh}\n\nDo it.\n\n```run container\nls\n```\n\n```check\nalone : yes\n```\n\n\
                ```hint\none\n```\n\n```hint\ntwo\n```\n\n```hint\n`ls`\n```\n\n```why\nSo.\n```\n";
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn the_embedded_lessons_have_no_problems() {
    match lesson::embedded() {
        Ok(lessons) => assert!(lessons.iter().all(|lesson| lesson.len() == 2)),
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

fn every_problem_has_its_place() {
    let long = "word ".repeat(91);
    for (from, to, line, column, what) in [
        ("# T", "T", 1, 1, "must begin with `# Title`"),
        ("> S", "S", 1, 1, "a summary must follow"),
        ("## A {#a fresh}", "## A", 5, 4, "has no name"),
        ("{#a fresh}", "{#A fresh}", 5, 7, "is not a step name"),
        ("{#a fresh}", "{#a frehs}", 5, 10, "cannot be `frehs`"),
        ("Do it.", "## B {#a}", 7, 7, "was given to the step on line 5"),
        ("Do it.", "### deeper", 7, 1, "are headings here"),
        ("Do it.", "Do <b>it</b>.", 7, 1, "HTML"),
        ("Do it.", "<div>it</div>\n", 7, 1, "HTML"),
        ("Do it.", long.as_str(), 7, 1, "has 91 words"),
        ("Do it.", "Do\u{7}it.", 7, 3, "U+0007"),
        ("Do it.", "- x\n\n  ```run host\n  ls\n  ```", 9, 1, "outside lists"),
        ("run container", "runn container", 9, 4, "unknown block `runn`"),
        ("run container", "run", 9, 4, "must name its terminal"),
        ("run container", "run container host", 9, 18, "second terminal"),
        ("run container", "run container holds", 9, 18, "takes no `holds`"),
        ("run container\nls\n", "run container\n\n", 9, 4, "is empty"),
        ("check\n", "check now\n", 13, 10, "takes no `now`"),
        ("alone : yes", "alone: yes", 14, 1, "INSTRUCTION : sentence"),
        ("alone : yes", "alone : ", 14, 1, "INSTRUCTION : sentence"),
        ("alone : yes", "lonely : yes", 14, 1, "unknown check `lonely`"),
        ("alone : yes", "init : yes", 14, 5, "expected a program"),
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
    ] {
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

fn a_missing_or_broken_language_is_named() {
    let only = [("en.md".to_owned(), small("T", "T").into_bytes())];
    assert_eq!(lesson::folder("small", &only).1[0].to_string(), "small/zh.md:1:1: this file is missing");
    let bad = [only[0].clone(), ("zh.md".to_owned(), b"# \xe4\xb8\xad\n> ok \xff\n".to_vec())];
    assert_eq!(lesson::folder("small", &bad).1[0].to_string(), "small/zh.md:2:6: this is not UTF-8 text");
}

fn a_directory_overrides_and_is_foreign() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    for id in ["isolate", "zebra"] {
        lesson::cli::new(dir.path(), id, boxwright::lang::Lang::En, &mut out).unwrap();
    }
    let lessons = lesson::load(Some(dir.path())).unwrap_or_else(|error| panic!("{error}"));
    let isolate = lessons.iter().find(|lesson| lesson::id(lesson) == "isolate").unwrap();
    assert_eq!(isolate["en"].steps.len(), 1);
    assert!(isolate.values().all(|lesson| lesson.foreign));
    assert_eq!(lesson::id(lessons.last().unwrap()), "zebra");

    std::fs::write(dir.path().join("zebra/zh.md"), "nonsense").unwrap();
    match lesson::load(Some(dir.path())) {
        Err(LoadError::Problems(problems)) => assert!(problems.len() > 2, "{problems:?}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(lesson::load(Some(&dir.path().join("zebra"))), Err(LoadError::Empty(_))));
    assert!(matches!(lesson::load(Some(&dir.path().join("nowhere"))), Err(LoadError::Io(..))));
}

fn the_authors_commands_say_how_they_ended() {
    let dir = tempfile::tempdir().unwrap();
    let status = |code: std::io::Result<std::process::ExitCode>| format!("{:?}", code.unwrap());
    let exit = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    let mut out = Vec::new();
    assert_eq!(status(lesson::cli::check(None, boxwright::lang::Lang::En, &mut out)), exit(0));
    assert_eq!(status(lesson::cli::check(Some(dir.path()), boxwright::lang::Lang::En, &mut out)), exit(2));
    assert_eq!(status(lesson::cli::new(dir.path(), "mine", boxwright::lang::Lang::En, &mut out)), exit(0));
    assert_eq!(status(lesson::cli::new(dir.path(), "mine", boxwright::lang::Lang::En, &mut out)), exit(1));
    assert_eq!(status(lesson::cli::new(dir.path(), "../mine", boxwright::lang::Lang::En, &mut out)), exit(2));
    assert_eq!(status(lesson::cli::check(Some(dir.path()), boxwright::lang::Lang::En, &mut out)), exit(0));
    let lessons = lesson::load(None).unwrap();
    assert_eq!(status(lesson::cli::export(&lessons, "nothing", Default::default(), &mut out)), exit(2));

    std::fs::write(dir.path().join("mine/zh.md"), small("T", "T").replace("alone", "lonely")).unwrap();
    out.clear();
    assert_eq!(status(lesson::cli::check(Some(dir.path()), boxwright::lang::Lang::En, &mut out)), exit(1));
    let text = String::from_utf8(out).unwrap();
    let wanted = format!("{}/mine/zh.md:14:1: unknown check `lonely`", dir.path().display());
    assert!(text.lines().any(|line| line.starts_with(&wanted)), "{text}");
}

fn the_guide_lists_every_check() {
    let guide = include_str!("../../lessons/README.md");
    for word in &lesson::VOCABULARY {
        let form = format!("{} {}", word.name, word.usage);
        let row = format!("| `{}` | {} | `{}` |", form.trim().replace('|', "\\|"), word.meaning, word.example);
        assert!(guide.contains(&row), "lessons/README.md lacks:\n{row}");
    }
    let rows = guide.lines().skip_while(|line| !line.starts_with("| Check |")).skip(2);
    assert_eq!(rows.take_while(|line| line.starts_with('|')).count(), lesson::VOCABULARY.len());
}

fn the_speakers_document_holds_notes_and_solution() {
    let lessons = lesson::load(None).unwrap();
    for lang in boxwright::lang::Lang::ALL {
        let mut out = Vec::new();
        lesson::cli::export(&lessons, "isolate", lang, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("unshare -impu --mount-proc --fork sh"));
        assert_eq!(text.matches(lang.pick("**Speaker**", "**讲者**")).count(), 10);
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
