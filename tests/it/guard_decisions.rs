//! What the guard stops is decided by the learner, or by what the lesson declares.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use std::{
    fs,
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_learner_decides: [Root, Tool("unshare"), Tool("tmux")],
        a_learner_decides_in_plain_lines: [Root, Tool("unshare"), Tool("setsid")],
        a_run_refuses_what_the_lesson_does_not_declare: [Root, Tool("unshare"), Tool("setsid")],
    ]
}

/// The mount table of the program in the window.
fn mounts(tmux: &Tmux) -> String {
    fs::read_to_string(format!("/proc/{}/mountinfo", tmux.ask("#{pane_pid}"))).unwrap()
}

fn a_learner_decides() {
    for (lang, why, refused) in
        [("en", "machine's own mount namespace", "you refused it"), ("zh", "机器自己的 mount 命名空间", "被你拒绝")]
    {
        let tmux = Tmux::start(80, 24);
        tmux.line(&format!("exec unshare -mui --propagation private {BOXWRIGHT} --lang {lang} isolate/without-fork"));
        tmux.until("the step", |screen| screen.contains("unshare -p sh"));
        tmux.until("the terminal", |now| now.lines().last().unwrap_or_default().contains("^G"));
        for (answer, stays, word) in [("n", false, "first"), ("Y", true, "second")] {
            tmux.line("mount -t tmpfs box /mnt");
            let asked = tmux.until("the question", |screen| screen.contains("│ Y  "));
            let bare = |text: &str| text.replace(['│', '╭', '╮', '╯', '╰', '─', ' ', '\n'], "");
            assert!(bare(&asked).contains(&bare(why)), "{asked}");
            // What is typed ahead for the shell is no answer.
            tmux.text("y \r");
            assert!(!mounts(&tmux).contains(" /mnt "), "{asked}");
            tmux.press(&[answer], "the answer", |now| !now.contains('Y'));
            // It is printed when the command has ended, and stands in no line that was typed.
            tmux.line(&format!("echo {word}''ly"));
            tmux.until("the prompt", |screen| screen.contains(&format!("{word}ly")));
            assert_eq!(mounts(&tmux).contains(" /mnt "), stays);
            if !stays {
                tmux.keys(&["C-g"]);
                tmux.press(&["2"], "the calls", |now| now.contains(refused));
                tmux.press(&["t"], "the terminal", |now| now.lines().last().unwrap_or_default().contains("^G"));
            }
        }
    }
}

fn a_learner_decides_in_plain_lines() {
    let talk = |lines: &str| {
        let mut command = Command::new("unshare");
        command.args(["-mui", "--propagation", "private", "sh", "-c"]);
        let script = format!(
            "printf '{lines}' | setsid -w {BOXWRIGHT} --plain --lang en isolate/without-fork; \
             echo \"left: $(grep -c ' /mnt ' /proc/self/mountinfo)\""
        );
        let out = command.arg(script).output().unwrap();
        // Sentences are broken at the width of a terminal.
        String::from_utf8_lossy(&out.stdout).replace('\n', " ")
    };
    let said = talk("! mount -t tmpfs box /mnt\\nn\\nq\\n");
    assert!(said.contains("would change the machine itself") && said.contains("n refuses it"), "{said}");
    assert!(said.contains("you refused it") && said.contains("left: 0"), "{said}");
    let said = talk("! mount -t tmpfs box /mnt\\nY\\nq\\n");
    assert!(said.contains("left: 1"), "{said}");
}

fn a_run_refuses_what_the_lesson_does_not_declare() {
    let dir = tempfile::tempdir().unwrap();
    let lesson = |changes: &str| {
        format!(
            "# T\n\n> S\n\n## One {{#one fresh}}\n\nDo it.\n\n{changes}```run container\nhostname declared\n```\n\n\
             ```check\nhostname host is declared : Renamed\n```\n\n```hint\nA\n```\n\n```hint\nB\n```\n\n\
             ```hint\n`hostname declared`\n```\n\n```why\nSo.\n```\n"
        )
    };
    for (changes, status, said) in [
        ("", 1, "would change the machine itself"),
        ("```changes\nmounts\n```\n\n", 1, "the step does not declare it"),
        ("```changes\nhostname\n```\n\n", 0, "[ok] Renamed"),
    ] {
        let place = dir.path().join("declared");
        fs::create_dir_all(&place).unwrap();
        for lang in ["en", "zh"] {
            fs::write(place.join(format!("{lang}.md")), lesson(changes)).unwrap();
        }
        let mut command = Command::new("unshare");
        command.args(["-mui", "setsid", "-w", BOXWRIGHT, "--lang", "en", "--yes", "--lessons"]).arg(dir.path());
        let out = command.args(["run", "declared"]).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(status), "{text}{}", String::from_utf8_lossy(&out.stderr));
        assert!(text.contains(said), "{text}");
    }
}
