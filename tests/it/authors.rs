//! What authors of lessons are told by running them.

use crate::{
    harness::{Test, tests},
    support::{BOXWRIGHT, tmux::Tmux},
};
use std::process::Command;

pub fn tests() -> Vec<Test> {
    tests![
        each_step_is_proved_on_this_machine: [Root],
        the_lesson_in_the_guide_is_proved: [Root],
        a_hand_out_holds_what_was_printed_and_gives_no_answer_away: [Root],
        a_lesson_is_read_again_while_it_is_played: [Root, Tool("tmux")],
    ]
}

/// `lessons check --run`: what an author gets wrong that no linter can see.
fn each_step_is_proved_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let boxwright = |args: &[&str]| {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["lessons"]).args(args).arg(dir.path()).env("BOXWRIGHT_LANG", "en").output().unwrap()
    };
    assert!(boxwright(&["new", "mine"]).status.success());
    let file = dir.path().join("mine/en.md");
    std::fs::remove_file(dir.path().join("mine/zh.md")).unwrap();
    let good = std::fs::read_to_string(&file).unwrap();
    for (from, to, status, said) in [
        ("", "", 0, "mine/first-step: not solved before, solved after, clean\n"),
        (
            "hostname inside is box",
            "hostname host is-not box",
            1,
            "`hostname host is-not box` holds before its commands have run\n",
        ),
        (
            "hostname inside is box",
            "keeps hostname inside is box",
            1,
            "does not hold before its commands, and should stay\n",
        ),
        ("hostname box", "hostname box; false", 1, "`hostname box; false` ended with status 1"),
        ("hostname box", "mount -t tmpfs none /mnt", 1, "mount would change the machine itself"),
        ("\nroot\n", "\nroot\nprogram no-such-program\n", 3, "mine/first-step: not possible here: "),
    ] {
        // `unshare` would take the mount out of the machine's own namespace.
        let text = if to.starts_with("mount") {
            good.replace("unshare --uts sh", "sh").replace("namespace uts new :", "hostname inside is box :")
        } else {
            good.clone()
        };
        let text = if from.is_empty() { text } else { text.replace(from, to) };
        std::fs::write(&file, text).unwrap();
        let output = boxwright(&["check", "--run"]);
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(output.status.code(), Some(status), "{to}: {output:?}");
        assert!(text.contains(said), "{to}: {output:?}");
        assert_eq!(output.stderr, b"", "{to}");
    }
    std::fs::write(&file, good.replace("call", "cal").replace("hostname inside is", "hostnam inside is")).unwrap();
    let output = boxwright(&["check", "--run"]);
    assert_eq!(output.status.code(), Some(1), "the linter comes first: {output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("did you mean `hostname`?"));
}

/// Sentences change in the middle of a step; other commands begin it again; what is wrong is named, and changes nothing.
fn a_lesson_is_read_again_while_it_is_played() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().display().to_string();
    assert!(Command::new(BOXWRIGHT).args(["lessons", "new", "mine", &path]).status().unwrap().success());
    std::fs::remove_file(dir.path().join("mine/zh.md")).unwrap();
    let file = dir.path().join("mine/en.md");
    let good = std::fs::read_to_string(&file).unwrap();
    let edit = |text: String| std::fs::write(&file, text).unwrap();
    let tmux = Tmux::start(80, 24);
    tmux.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} --lang en --lessons {path} --yes mine",
        tmux.file("state").display()
    ));
    tmux.until("the question", |screen| screen.contains("Whose name will the command change?"));
    tmux.press(&["1"], "the command", |screen| screen.contains("unshare --uts sh"));
    tmux.line("unshare --uts sh");
    tmux.until("the container", |screen| screen.contains("inside: new uts"));
    edit(good.replace(": Inside, the host name is box", ": In there, box is its name"));
    tmux.until("the sentence", |screen| {
        screen.contains("In there, box is its name") && screen.contains("inside: new uts")
    });
    edit(good.replace("hostname inside is", "hostnam inside is"));
    let wrong = tmux.until("what is wrong", |screen| screen.contains("did you mean `hostname`?"));
    assert!(wrong.contains("mine/en.md:") && wrong.contains("inside: new uts"), "{wrong}");
    // An editor that puts another file in its place.
    let whole = good.replace("hostname box", "hostname bax").replace("is box", "is bax");
    std::fs::write(dir.path().join("mine/.new"), whole).unwrap();
    std::fs::rename(dir.path().join("mine/.new"), &file).unwrap();
    tmux.until("the step's beginning", |screen| {
        screen.contains("Answer with a number key") && !screen.contains("did you mean") && !screen.contains("inside:")
    });
    tmux.press(&["1"], "the command", |screen| screen.contains("unshare --uts sh"));
    tmux.line("unshare --uts sh");
    tmux.until("the other command", |screen| screen.contains("hostname bax"));
    tmux.quit();
    // Who has not agreed beforehand is shown commands before they run, also those that are new.
    edit(good.clone());
    tmux.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    let state = tmux.file("other").display().to_string();
    tmux.line(&format!("clear; XDG_STATE_HOME={state} {BOXWRIGHT} --lang en --lessons {path} mine"));
    tmux.until("the commands", |screen| screen.contains("$ hostname box"));
    tmux.press(&["y"], "the question", |screen| screen.contains("Answer with a number key"));
    edit(good.replace("hostname box", "hostname bax").replace("is box", "is bax"));
    tmux.until("the new commands", |screen| screen.contains("$ hostname bax"));
    tmux.press(&["y"], "the lesson", |screen| screen.contains("Answer with a number key"));
}

/// What an author has who knows one language and nothing but `lessons guide`: its whole lesson is one, file for file.
fn the_lesson_in_the_guide_is_proved() {
    let guide = Command::new(BOXWRIGHT).args(["lessons", "guide", "--lang", "en"]).output().unwrap();
    let guide = String::from_utf8(guide.stdout).unwrap();
    let (_, lesson) = guide.split_once("\n````markdown\n").unwrap();
    let (lesson, _) = lesson.split_once("\n````\n").unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("two-names")).unwrap();
    std::fs::write(dir.path().join("two-names/en.md"), lesson).unwrap();
    let proved = |lang| {
        let args = ["lessons", "check", "--run", "--lang", lang];
        let output = Command::new(BOXWRIGHT).args(args).arg(dir.path()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (english, chinese) = (proved("en"), proved("zh"));
    for step in ["own-name", "from-outside", "challenge"] {
        let line = format!("two-names/{step}: not solved before, solved after, clean\n");
        assert!(english.contains(&line), "{english}");
        assert!(
            chinese.contains(&format!("two-names/{step}：")),
            "the author's readers may speak the other one: {chinese}"
        );
    }
}

fn handed_out(args: &[&str]) -> String {
    let output = Command::new(BOXWRIGHT).args(["lessons", "export", "isolate"]).args(args).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn a_hand_out_holds_what_was_printed_and_gives_no_answer_away() {
    let own = std::fs::read_link("/proc/self/ns/user").unwrap();
    let kernel = format!("'{}'", own.display());
    for lang in ["en", "zh"] {
        let page = handed_out(&["--to", "html", "--lang", lang]);
        assert!(page.starts_with("<!doctype html>"));
        assert!(page.contains(&format!("user -&gt; {kernel}")), "the output is this machine's");
        assert!(page.contains("unshare(CLONE_NEW") && page.contains("✔"), "calls, and what the kernel said");
        assert!(page.contains("<article lang=\"en\">") && page.contains("<article lang=\"zh\">"), "both languages");
        assert!(page.contains("default-src 'none'"));
        // Nothing is loaded from anywhere: no script, no picture, no style or font by address.
        for loads in ["<script", "<img", "<link", "<iframe", "src=", "href=\"http", "url(", "@import"] {
            assert!(!page.contains(loads), "{loads}");
        }
        for given_away in ["☑", "class=\"note\"", "class=\"hint\"", "✘"] {
            assert!(!page.contains(given_away), "{given_away}");
        }
    }
    let page = handed_out(&["--to", "html", "--speaker"]);
    assert!(["☑", "class=\"note\"", "class=\"hint\""].iter().all(|part| page.contains(part)));
    let (text, speakers) = (handed_out(&["--to", "md"]), handed_out(&["--to", "md", "--speaker"]));
    assert!(text.contains(&format!("user -> {kernel}")) && text.contains("- [ ] ") && !text.contains("- [x] "));
    assert!(!text.contains("**Speaker**") && speakers.contains("**Speaker**") && speakers.contains("- [x] "));
    let solution = "hostname challenge";
    assert!(!text.contains(&format!("$ {solution}")) && speakers.contains(&format!("$ {solution}")), "{speakers}");
}
