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
        every_way_of_a_challenge_is_tried: [Root],
        a_hand_out_holds_what_was_printed_and_gives_no_answer_away: [Root],
        a_lesson_is_read_again_while_it_is_played: [Root, Tool("tmux")],
        a_book_is_bound_by_links_and_loads_nothing: [Root],
        the_sources_of_a_book_are_what_mdbook_reads: [Root],
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
    let wrong = tmux.until("what is wrong", |screen| screen.contains("did you mean") && screen.contains("`hostname`?"));
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

/// The whole lesson of the guide.
fn lesson_of_the_guide() -> String {
    let guide = Command::new(BOXWRIGHT).args(["lessons", "guide", "--lang", "en"]).output().unwrap();
    let guide = String::from_utf8(guide.stdout).unwrap();
    let (_, lesson) = guide.split_once("\n````markdown\n").unwrap();
    lesson.split_once("\n````\n").unwrap().0.to_string()
}

/// A wrong way that is accepted, that another fact refuses, or another solution that solves nothing.
fn every_way_of_a_challenge_is_tried() {
    let good = lesson_of_the_guide();
    let wrong = "```wrong container\nunshare --uts sh\n";
    for (from, to, said) in [
        (
            wrong,
            "```wrong container\nunshare --uts --ipc sh\n",
            "a wrong way is accepted: unshare --uts --ipc sh; hostname mine",
        ),
        (
            "```refused\nnamespace uts,ipc new\n```\n",
            "",
            "a wrong way is refused by `namespace uts,ipc new`, not by `namespace uts,ipc new`, `hostname inside is mine`: ",
        ),
        (
            wrong,
            "```solution container or\nunshare --uts sh\n```\n\n```wrong container\nunshare --uts sh\n",
            "after its commands this does not hold: `namespace uts,ipc new`",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("two-names")).unwrap();
        std::fs::write(dir.path().join("two-names/en.md"), good.replace(from, to)).unwrap();
        let args = ["lessons", "check", "--run", "--lang", "en"];
        let output = Command::new(BOXWRIGHT).args(args).arg(dir.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && text.contains(said), "{said}: {text}");
    }
}

/// What an author has who knows one language and nothing but `lessons guide`: its whole lesson is one, file for file.
fn the_lesson_in_the_guide_is_proved() {
    let lesson = lesson_of_the_guide();
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

/// The values of an attribute in a page.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!(" {name}=\"");
    page.match_indices(&begin).map(|(at, _)| page[at + begin.len()..].split('"').next().unwrap()).collect()
}

/// `mdbook build` itself is tried by the release, which publishes its book: building mdBook takes minutes.
fn the_sources_of_a_book_are_what_mdbook_reads() {
    let top = tempfile::tempdir().unwrap();
    let (dir, own) = (top.path().join("book"), top.path().join("own"));
    assert!(Command::new(BOXWRIGHT).args(["lessons", "new", "mine"]).arg(&own).status().unwrap().success());
    let mut command = Command::new(BOXWRIGHT);
    command.args(["--lang", "en", "--yes", "--lessons"]).arg(&own).args(["lessons", "book", "--mdbook"]).arg(&dir);
    let bound = command.arg("mine").output().unwrap();
    assert_eq!((bound.status.code(), bound.stderr.as_slice()), (Some(0), &b""[..]), "{bound:?}");
    let begin = ["en", "zh"].map(|lang| format!("{}\n", dir.join(lang).join("book.toml").display())).concat();
    assert_eq!(String::from_utf8(bound.stdout).unwrap(), begin);
    for (lang, word) in [("en", "The kernel says"), ("zh", "内核说")] {
        let read = |path: &str| std::fs::read_to_string(dir.join(lang).join(path)).unwrap();
        assert!(read("book.toml").contains(&format!("language = \"{lang}\"")));
        let (summary, chapter) = (read("src/SUMMARY.md"), read("src/mine.md"));
        let title = chapter.lines().next().unwrap().strip_prefix("# ").unwrap();
        assert!(summary.lines().any(|line| line == format!("- [{title}](mine.md)")), "{summary}");
        assert!(chapter.contains(word) && chapter.contains("✔"), "{chapter}");
    }
}

/// Every link of every page leads to a page of the book, and nothing is loaded from anywhere.
fn a_book_is_bound_by_links_and_loads_nothing() {
    let top = tempfile::tempdir().unwrap();
    let (dir, own) = (top.path().join("book"), top.path().join("own"));
    // An author's lesson, in one language.
    assert!(Command::new(BOXWRIGHT).args(["lessons", "new", "mine"]).arg(&own).status().unwrap().success());
    std::fs::remove_file(own.join("mine/zh.md")).unwrap();
    let bind = || {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["--lang", "en", "--yes", "--lessons"]).arg(&own).args(["lessons", "book"]).arg(&dir);
        command.args(["isolate", "mine"]).output().unwrap()
    };
    let bound = bind();
    assert_eq!((bound.status.code(), bound.stderr.as_slice()), (Some(0), &b""[..]), "{bound:?}");
    assert_eq!(String::from_utf8(bound.stdout).unwrap(), format!("{}\n", dir.join("index.html").display()));
    let again = bind();
    assert_eq!(again.status.code(), Some(2), "nothing is overwritten: {again:?}");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
    let mut pages = vec![dir.join("index.html")];
    for lang in ["en", "zh"] {
        pages.extend(["index", "isolate", "mine"].map(|name| dir.join(lang).join(format!("{name}.html"))));
    }
    let mut reached = std::collections::BTreeSet::new();
    for path in &pages {
        let page = read(path);
        assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'"), "{path:?}");
        for loads in ["<script", "<img", "<link", "<iframe", "<object", " src=", "url(", "@import", "://"] {
            assert!(!page.contains(loads), "{path:?}: {loads}");
        }
        let links = attributes(&page, "href");
        assert!(links.len() > 1, "{path:?}");
        for link in links {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = path.parent().unwrap().join(file).canonicalize();
            let target = target.unwrap_or_else(|why| panic!("{path:?}: {link}: {why}"));
            assert!(anchor.is_empty() || attributes(&read(&target), "id").contains(&anchor), "{path:?}: {link}");
            reached.insert(target);
        }
    }
    let all: std::collections::BTreeSet<_> = pages[1..].iter().map(|path| path.canonicalize().unwrap()).collect();
    assert_eq!(reached, all, "each page is linked to");
    // Each language is spoken by the kernel's answers as well: every language has a run of its own.
    let (english, chinese) = (read(&dir.join("en/isolate.html")), read(&dir.join("zh/isolate.html")));
    assert!(english.contains("unshare(CLONE_NEW") && english.contains("✔") && !english.contains("✘"), "{english}");
    assert!(chinese.contains("unshare(CLONE_NEW") && chinese.contains("✔") && chinese.contains("内核说"), "{chinese}");
    assert!(!chinese.contains("changed:") && english.contains("lang=\"zh\""), "{chinese}");
    for given_away in ["☑", "class=\"note\"", "class=\"hint\""] {
        assert!(!english.contains(given_away) && !chinese.contains(given_away), "{given_away}");
    }
}
