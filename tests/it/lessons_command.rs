//! What the program says of lessons: their list, their origin, their guide, and what authors ask for.

use super::lessons::{problems, small};
use crate::harness::{Test, tests};
use boxwright::lang::Lang;
use boxwright::lesson;

pub fn tests() -> Vec<Test> {
    tests![
        a_lesson_in_one_language_is_marked_for_readers_of_the_other,
        a_misspelt_name_is_found,
        where_a_lesson_comes_from_is_said_before_it_runs,
        the_guide_of_the_program_has_its_words,
        the_authors_commands_say_how_they_ended,
        the_guide_lists_every_check,
        the_speakers_document_holds_notes_and_solution,
    ]
}

pub fn boxwright(args: &[&str], lang: &str) -> std::process::Output {
    let mut command = std::process::Command::new(crate::support::BOXWRIGHT);
    command.args(args).env("BOXWRIGHT_LANG", lang).env_remove("BOXWRIGHT_TRUST_LESSONS").output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn a_lesson_in_one_language_is_marked_for_readers_of_the_other() {
    let dir = tempfile::tempdir().unwrap();
    lesson::cli::new(dir.path(), "mine", Lang::En, &mut Vec::new()).unwrap();
    std::fs::remove_file(dir.path().join("mine/zh.md")).unwrap();
    let lessons = lesson::load(Some(dir.path())).unwrap();
    let mine = lessons.last().unwrap();
    assert_eq!(
        (mine.get(Lang::En).unwrap().title.as_str(), mine.get(Lang::Zh).unwrap().title.as_str()),
        ("mine", "mine（英文）")
    );
    assert_eq!(mine.get(Lang::Zh).unwrap().steps[0].title, "A first step（英文）");
    assert_eq!(mine.get(Lang::Zh).unwrap().lang, Lang::Zh, "the program's own words are the reader's");
    let dir = dir.path().to_str().unwrap();
    let checked = boxwright(&["lessons", "check", dir], "en");
    assert_eq!(checked.status.code(), Some(0));
    assert!(text(&checked.stdout).starts_with("mine: 1 step, en: no problems; without zh.md"), "{checked:?}");
    let listed = boxwright(&["--lessons", dir, "lessons", "list"], "zh");
    assert!(text(&listed.stdout).contains("mine *  mine（英文）"), "{listed:?}");
}

fn a_misspelt_name_is_found() {
    for (from, to, wanted) in [
        ("alone : yes", "call mount EPREM : no", "did you mean `EPERM`?"),
        ("alone : yes", "call moutn EPERM : no", "did you mean `mount`?"),
        ("alone : yes", "process inside slepe : no", "did you mean `sleep`?"),
        ("alone : yes", "mount inside /mnt tmpsf : no", "did you mean `tmpfs`?"),
        ("alone : yes", "namspace pid new : no", "did you mean `namespace`?"),
        ("Do it.", "```requires\ncontroller memroy\n```", "did you mean `memory`?"),
        ("Do it.", "```requires\nprogram pythno3\n```", "did you mean `python3`?"),
        ("```why", "```wyh", "did you mean `why`?"),
        ("run container", "run contianer", "did you mean `container`?"),
    ] {
        let found = problems("small/en.md", &small(from, to));
        assert!(found.iter().any(|problem| problem.what.ends_with(wanted)), "{to}: {found:#?}");
    }
    // A program of the author's own is no mistake.
    let own = small("alone : yes", "process inside my-daemon : yes").replace("\nls\n", "\n./my-daemon & ls\n");
    let found = problems("small/en.md", &own);
    assert!(found.iter().all(|problem| !problem.what.contains("did you mean")), "{found:#?}");
}

fn where_a_lesson_comes_from_is_said_before_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    lesson::cli::new(dir.path(), "isolate", Lang::En, &mut Vec::new()).unwrap();
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    let config = "[core]\n\turl = no\n[remote \"origin\"]\n\turl = https://example.org/pack\n";
    std::fs::write(dir.path().join(".git/config"), config).unwrap();
    let name = dir.path().to_str().unwrap();
    for (lang, wanted) in [
        (
            "en",
            [
                "It is in ",
                "git has it from https://example.org/pack.",
                "in place of the lesson isolate",
                "container $ hostname box",
            ],
        ),
        (
            "zh",
            [
                "它在 ",
                "git 记录的来源：https://example.org/pack。",
                "取代了 boxwright 自带的课程 isolate",
                "container $ hostname box",
            ],
        ),
    ] {
        let output = boxwright(&["run", "--lessons", name, "isolate"], lang);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        wanted.iter().for_each(|part| assert!(said.contains(part), "{part}: {said}"));
        assert!(said.contains(&format!("{name}/isolate")), "{said}");
    }
    let listed = boxwright(&["lessons", "list", "--lessons", name], "en");
    assert!(text(&listed.stderr).contains("isolate stands in place of a lesson of boxwright"), "never silently");
}

fn the_guide_of_the_program_has_its_words() {
    let output = boxwright(&["lessons", "guide"], "en");
    let guide = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    let page = include_str!("../../lessons/README.md");
    assert!(guide.starts_with(page.trim_end()), "the page and the program's words agree");
    for name in ["pivot_root", "EPERM", "uts", "cpuset", "unshare", "hostname"] {
        assert!(guide[page.len()..].contains(name), "{name}");
    }
}

fn the_authors_commands_say_how_they_ended() {
    let dir = tempfile::tempdir().unwrap();
    let status = |code: std::io::Result<std::process::ExitCode>| format!("{:?}", code.unwrap());
    let exit = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    let mut out = Vec::new();
    assert_eq!(status(lesson::cli::check(None, Lang::En, &mut out)), exit(0));
    assert_eq!(status(lesson::cli::check(Some(dir.path()), Lang::En, &mut out)), exit(2));
    assert_eq!(status(lesson::cli::new(dir.path(), "mine", Lang::En, &mut out)), exit(0));
    assert_eq!(status(lesson::cli::new(dir.path(), "mine", Lang::En, &mut out)), exit(1));
    assert_eq!(status(lesson::cli::new(dir.path(), "../mine", Lang::En, &mut out)), exit(2));
    assert_eq!(status(lesson::cli::check(Some(dir.path()), Lang::En, &mut out)), exit(0));
    let lessons = lesson::load(None).unwrap();
    assert_eq!(status(lesson::cli::export(&lessons, "nothing", Default::default(), &mut out)), exit(2));

    std::fs::write(dir.path().join("mine/zh.md"), small("T", "T").replace("alone", "lonely")).unwrap();
    out.clear();
    assert_eq!(status(lesson::cli::check(Some(dir.path()), Lang::En, &mut out)), exit(1));
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
    for lang in Lang::ALL {
        let mut out = Vec::new();
        lesson::cli::export(&lessons, "isolate", lang, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("unshare -impu --mount-proc --fork sh"));
        assert_eq!(text.matches(lang.pick("**Speaker**", "**讲者**")).count(), 10);
    }
}
