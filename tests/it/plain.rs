//! The lessons as numbered lines (`--plain`), by a learner who types.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

pub fn tests() -> Vec<Test> {
    tests![
        isolate_is_done_by_its_text_alone: [Root],
        cgroups_is_done_by_its_text_alone: [Root],
        every_line_is_answered: [Root],
        a_second_lesson_counts_its_own_samples: [Root],
        networks_are_read_once_they_are_asked_for: [Root, Tool("ip")],
        a_locale_that_is_not_installed_gives_way: [Root, Tool("bash"), Tool("locale")],
    ]
}

/// What is printed where these lines are typed.
fn typed(lines: &str, arguments: &[&str], locale: &str) -> String {
    let state = tempfile::tempdir().unwrap();
    let script = format!("printf '{lines}' | exec setsid -w {BOXWRIGHT} --plain \"$@\" 2>&1");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).args(arguments).stdin(Stdio::null());
    command
        .env("XDG_STATE_HOME", state.path())
        .env("LC_ALL", locale)
        .env_remove("SUDO_UID")
        .env_remove("BOXWRIGHT_LANG");
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

fn a_second_lesson_counts_its_own_samples() {
    // The first step of one lesson and then of another: an answer and two commands each.
    let said = typed(r"1\n1\n\n\nm\n4\n1\n\n\n\nq\n", &["--lang", "en"], "C.UTF-8");
    let (first, second) = said.split_once("== nsenter, step 1 of").unwrap_or_else(|| panic!("{said}"));
    for lesson in [first, second] {
        assert!(lesson.contains("Enter goes to the next step") && lesson.contains("Holds: "), "{said}");
    }
    assert!(!said.contains("Not yet") && !said.contains("Not done"), "{said}");
}

fn networks_are_read_once_they_are_asked_for() {
    let lines = r"@ unshare -n sh\n@ ip link add v0 type veth peer name v1\nw net\nq\n";
    let said = typed(lines, &["isolate/1", "--lang", "en"], "C.UTF-8");
    assert!(said.contains("host terminal: network namespace 40265") && said.contains(", processes sh "), "{said}");
    assert!(said.contains(" v0 DOWN, leads to v1 in host terminal\n"), "{said}");
}

fn a_locale_that_is_not_installed_gives_way() {
    let said =
        typed(r"! locale charmap; bash -c : ; printf %%s 汉字 | wc -m\nq\n", &["isolate/without-fork"], "zh_XX.UTF-8");
    assert!(said.contains("容器"), "the interface stays Chinese: {said}");
    assert!(
        said.contains("UTF-8\n") && !said.contains("cannot change locale") && !said.contains("Cannot set"),
        "{said}"
    );
    assert!(said.lines().any(|line| line.ends_with("| 2")), "two characters: {said}");
}

/// How long the program may say nothing: less than a learner waits.
const SILENCE: Duration = Duration::from_secs(60);

/// What the text says that asks for something, in English and Chinese.
struct Cues {
    lang: &'static str,
    question: &'static str,
    command: &'static str,
    held: &'static str,
    next: &'static str,
    turn: &'static str,
    end: &'static str,
    /// Before the hint that gives the commands, and behind it.
    hint: (&'static str, &'static str),
    done: &'static str,
    holds: &'static str,
    refused: (&'static str, &'static str),
}

const ENGLISH: Cues = Cues {
    lang: "en",
    question: "Answer with a number",
    command: "Enter types in",
    held: "Held: ",
    next: "Enter goes to the next step",
    turn: "Your turn: ",
    end: "The lesson is done",
    hint: ("Hint 3: ", "! LINE types"),
    done: "the lesson is done",
    holds: "Holds: ",
    refused: ("Not yet: ", "Observed: "),
};

const CHINESE: Cues = Cues {
    lang: "zh",
    question: "输入数字并回车作答",
    command: "按回车，在",
    held: "暂停在：",
    next: "回车进入下一步",
    turn: "轮到你了：",
    end: "本课完成。",
    hint: ("提示 3：", "! 命令，在"),
    done: "：本课完成",
    holds: "成立：",
    refused: ("还不成立：", "实际："),
};

/// A learner who hears the text, and knows nothing but what it says.
struct Listener {
    cues: &'static Cues,
    keyboard: ChildStdin,
    said: Vec<String>,
    hint: Option<String>,
}

impl Listener {
    fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Does what the line asks for; false once the lesson is over.
    fn hears(&mut self, line: String) -> bool {
        let cues = self.cues;
        if line.starts_with(cues.hint.0) {
            self.hint = Some(String::new());
        }
        if line.starts_with(cues.hint.1) {
            let hint = self.hint.take().unwrap_or_default();
            // Code stands between backquotes.
            hint.split('`').skip(1).step_by(2).for_each(|command| self.types(&format!("! {command}")));
        } else if let Some(hint) = &mut self.hint {
            // Code is broken only at blanks.
            let blank = cues.lang == "en" || hint.matches('`').count() % 2 == 1;
            hint.push_str(if blank { " " } else { "" });
            hint.push_str(&line);
        } else if line.contains(cues.done) {
            self.types("q");
            self.said.push(line);
            return false;
        } else if line.starts_with(cues.question) {
            self.types("1");
        } else if line.starts_with(cues.turn) {
            ["h", "h", "h"].iter().for_each(|key| self.types(key));
        } else if [cues.command, cues.held, cues.next, cues.end].iter().any(|cue| line.starts_with(cue)) {
            self.types("");
        }
        self.said.push(line);
        true
    }
}

fn listen(lesson: &str, cues: &'static Cues) -> Vec<String> {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(BOXWRIGHT);
    command.args(["--lang", cues.lang, lesson]).env("XDG_STATE_HOME", state.path()).env("ACCESSIBLE", "1");
    command.env("LC_ALL", "C.UTF-8").env_remove("SUDO_UID").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut listener = Listener { cues, keyboard: child.stdin.take().unwrap(), said: Vec::new(), hint: None };
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                if !listener.hears(line) {
                    break;
                }
            }
            Err(error) => {
                child.kill().unwrap();
                panic!("{error}: {lesson} in {}:\n{}", cues.lang, listener.said.join("\n"));
            }
        }
    }
    assert!(child.wait().unwrap().success());
    drop(reader.join().unwrap());
    listener.said
}

/// Nothing is said twice, signs are words, and no key of the drawn screen is named.
fn is_plain(said: &[String], cues: &Cues) {
    let all = said.join("\n");
    for step in all.split("\n== ") {
        let own: Vec<&str> = step.lines().filter(|line| !line.contains("| ") && !line.is_empty()).collect();
        // What follows a call is a part of it.
        for (line, next) in step.lines().zip(step.lines().skip(1)).filter(|(line, _)| !line.contains("| ")) {
            assert!(line != next || line.is_empty(), "said twice: {line}\n{step}");
        }
        let verdicts: Vec<&&str> = own.iter().filter(|line| line.starts_with(cues.holds)).collect();
        for (index, verdict) in verdicts.iter().enumerate() {
            assert!(!verdicts[..index].contains(verdict), "{verdict}\n{step}");
        }
        for line in &own {
            let sign = line.chars().find(|letter| "✓✗◆◂▶⏸□■○→".contains(*letter));
            assert_eq!(sign, None, "{line}");
            for key in ["Space", "空格", "按 t", "PgDn", "[ok]"] {
                assert!(!line.contains(key), "{key}: {line}");
            }
            assert!(!line.starts_with(cues.refused.1), "what was observed, and of what? {line}");
        }
    }
}

fn is_done_by_its_text_alone(lesson: &str) {
    for cues in [&ENGLISH, &CHINESE] {
        let said = listen(lesson, cues);
        is_plain(&said, cues);
        assert!(said.iter().any(|line| line.contains(cues.done)), "{said:#?}");
    }
}

fn isolate_is_done_by_its_text_alone() {
    is_done_by_its_text_alone("isolate");
}

fn cgroups_is_done_by_its_text_alone() {
    is_done_by_its_text_alone("cgroups");
}

/// Each line has an answer of its own, also where it does nothing.
fn every_line_is_answered() {
    let cases = [
        ("", "Answer first"),
        ("9", "The answers are 1 to 3"),
        ("frob", "`frob` is not a command"),
        ("c", "No call is held"),
        ("u", "No call is held"),
        ("p", "This is the first step"),
        ("Y", "No call waits for your consent"),
        ("g 77", "No step has the number 77"),
        ("e", "No proof card yet"),
        ("R", "You are root already"),
        ("w nosuch", "No pane is called `nosuch`"),
        ("w c", "`w c` may be one of 2: `w ca` (calls), `w cg` (cgroup)"),
        ("w mounts", "The mount table is the host"),
        ("w cgroup", "Memory: "),
        ("w sides", "host name: on the host"),
        ("w source", "No source of ls here"),
        ("w", "Namespaces of process"),
        ("W", "namespace: "),
        ("N", "On: speaker notes"),
        ("s", "== isolate, step 1 of 10"),
        ("C", " lessons done"),
    ];
    let typed: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    let said = self::typed(&format!("{}\\nq\\n", typed.join("\\n")), &["--lang", "en", "isolate"], "C.UTF-8");
    let mut rest = said.split_once("Answer with a number").unwrap_or_else(|| panic!("{said}")).1;
    for (line, answer) in cases {
        rest = rest.split_once(answer).unwrap_or_else(|| panic!("{line}: {answer}\n{said}")).1;
    }
}
