//! Mutants as a learner meets them: by seed and by date, on the screen in both languages, in plain lines, and without a screen.
//! That each is noticed and healed is in [`crate::lessons_steps`].

use crate::harness::{Test, tests};
use crate::support::words::{CHINESE, ENGLISH, Words};
use crate::support::{BOXWRIGHT, host, left_of, processes_of, session_of, tmux::Tmux};
use boxwright::lang::Lang;
use boxwright::lesson::{Step, TerminalId, mutants};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_running_container_is_repaired_by_typing: [Root, Tool("tmux"), Tool("setpriv")],
        the_script_is_repaired_by_typing_in_chinese: [Root, Tool("tmux"), Tool("setpriv")],
        a_script_of_the_learners_own_is_repaired_by_typing: [Root, Tool("tmux"), Tool("setpriv")],
        a_bundle_is_repaired_by_typing: [Root, Tool("tmux"), Tool("crun")],
        a_case_is_repaired_in_a_way_that_no_lesson_has: [Root, Tool("tmux")],
        a_script_that_is_none_is_refused: [Root, Tool("setpriv"), Asked],
        a_mutant_is_run_and_judged_again_without_a_screen: [Root, Tool("setpriv")],
        today_has_the_mutant_of_its_date: [Root],
        plain_lines_show_the_same_mutant: [Root, Tool("setpriv")],
        the_list_names_them,
        a_seed_wants_a_mutant,
    ]
}

fn boxwright(args: &[&str], state: &Path) -> Output {
    Command::new(BOXWRIGHT).args(args).env("XDG_STATE_HOME", state).output().unwrap()
}

/// The first seed whose mutant has this title, and its step.
fn titled(title: &str, lang: &str) -> (u64, Step) {
    let step = |seed: u64| mutants::of_seed(seed).get(Lang::parse(lang).unwrap()).unwrap().steps[0].clone();
    (1..2_000).map(|seed| (seed, step(seed))).find(|(_, step)| step.title == title).unwrap()
}

fn bar(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}

/// The program in the window: the child of its shell.
fn program(tmux: &Tmux) -> i32 {
    let shell = tmux.ask("#{pane_pid}");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// PID 1 of the session's container, as the host numbers it.
fn container(session: &str) -> Option<i32> {
    let is_first = |pid: &i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        numbers.len() > 1 && numbers.last() == Some(&"1")
    };
    processes_of(session).into_iter().find(is_first)
}

/// Brings the other terminal to the front.
fn other_terminal(tmux: &Tmux) {
    for key in ["C-g", "o", "t"] {
        let before = tmux.screen();
        // Where the lesson has the keys already, the first of these changes nothing.
        tmux.press(&[key], "the other terminal", |now| now != before || key == "C-g");
    }
}

/// Opens a mutant, shows its symptom, and types its repair of this number; the kernel says when it is healthy.
fn repairs(title: &str, repair: usize, words: &Words) {
    let (seed, step) = titled(title, words.lang);
    let solutions = step.solutions();
    let lines: Vec<_> = solutions[repair].iter().map(|run| (run.terminal, run.line.as_str())).collect();
    typed(&["--mutant", "--seed", &seed.to_string()], Some(&step.title), &lines, words);
}

/// Opens a mutant at 80 by 24, shows its symptom, and types these lines; the kernel says when it is healthy.
fn typed(args: &[&str], title: Option<&str>, lines: &[(TerminalId, &str)], words: &Words) {
    let before = host();
    let tmux = Tmux::start(80, 24);
    let state = tmux.file("state");
    tmux.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} fix {} --lang {}; echo status=$?",
        state.display(),
        args.join(" "),
        words.lang
    ));
    let screen = tmux.until("the symptom", |screen| bar(screen).contains(words.command));
    let head = screen.lines().next().unwrap_or_default();
    assert!(title.is_none_or(|title| head.contains(title)), "{screen}");
    let session = session_of(program(&tmux)).unwrap();
    // What crun makes has no sign of the session, and its number stands above the terminal.
    let number = screen.split("pid ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<i32>().ok());
    tmux.press(&["Space"], "the learner's turn", |now| !bar(now).contains(words.command));
    // What shows the symptom may have brought the other one to the front.
    let in_front = |name: &&str| tmux.screen().contains(*name);
    let mut shown = if ["▸host", "▸宿主机"].iter().any(in_front) { "host" } else { "container" };
    for (terminal, line) in lines {
        let terminal = if *terminal == TerminalId::Host { "host" } else { "container" };
        if terminal != shown {
            other_terminal(&tmux);
            shown = terminal;
        }
        let line = line.replace("{container}", &container(&session).or(number).unwrap_or_default().to_string());
        let last = tmux.screen();
        tmux.line(&line);
        let prompt = |now: &str| {
            now.lines().any(|row| ["│$", "│#"].iter().any(|sign| row.trim_end_matches(['│', ' ']) == *sign))
        };
        tmux.until(&line, |now| now != last && (prompt(now) || now.contains(words.next) || now.contains(words.done)));
        if line.contains("mybox run") {
            // Before it has its own root nobody can enter it.
            let is_there = |now: &str| container(&session).is_some_and(|pid| now.contains(&format!("pid {pid}")));
            let card = |now: &str| now.lines().next().is_some_and(|head| head.matches('■').count() > 2);
            tmux.until("the container", |now| is_there(now) && card(now));
        }
    }
    tmux.until("a healthy container", |now| bar(now).contains(words.next) || now.contains(words.done));
    tmux.quit();
    tmux.sees("status=0");
    let kept: Value = serde_json::from_slice(&fs::read(state.join("boxwright/progress.json")).unwrap()).unwrap();
    let mutant = args[0] == "--mutant";
    let repairs = kept["lessons"][if mutant { "mutants" } else { "fix" }]["repairs"].as_object().unwrap();
    assert_eq!(repairs.len(), 1, "{kept}");
    let least = lines.len() as u64;
    assert!(repairs.values().all(|repair| repair["commands"].as_u64().is_some_and(|count| count >= least)), "{kept}");
    // The next is another one, and the list counts this one.
    let list = boxwright(&["fix", "--list", "--lang", "en"], &state);
    let counted = if mutant { "without end: 1 repaired" } else { "1 of 14 repaired" };
    assert!(String::from_utf8_lossy(&list.stdout).contains(counted), "{list:?}");
    assert_eq!(left_of(&session), Vec::<String>::new());
    assert_eq!(host(), before, "the machine is as it was");
}

/// A runtime that is written otherwise than the lesson's.
pub const ANOTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lesson/mutants/own/another.sh");

/// The learner has the script, and puts it in the place of the mutant.
fn a_script_of_the_learners_own_is_repaired_by_typing() {
    let copy = format!("cp {ANOTHER} mybox");
    let lines = [
        (TerminalId::Host, copy.as_str()),
        (TerminalId::Container, "exit"),
        (TerminalId::Container, "./mybox run builtin: sh"),
        (TerminalId::Host, "./mybox exec sleep 300 &"),
    ];
    // The first mutant of this seed that the kernel notices: no_new_privs is missing.
    typed(&["--mutant", "--script", ANOTHER, "--seed", "2"], Some("More than it began with"), &lines, &ENGLISH);
}

/// The file, the container that was made of it, and crun itself, as `start` calls it.
fn a_bundle_is_repaired_by_typing() {
    let (seed, _) = titled("Only a promise", "en");
    let lines = [
        (TerminalId::Host, "sed -i 's/reservation/limit/' config.json"),
        (TerminalId::Host, "kill -KILL {container}"),
        (TerminalId::Container, "wait"),
        (
            TerminalId::Container,
            "unshare -m sh -c 'umount -l /sys/fs/cgroup/unified; crun --root state run --preserve-fds 1 $BOX 3<> up' &",
        ),
    ];
    typed(&["--mutant", "--seed", &seed.to_string()], Some("Only a promise"), &lines, &ENGLISH);
}

/// No solution of the lesson's comes from the host terminal, or moves a mount.
fn a_case_is_repaired_in_a_way_that_no_lesson_has() {
    for line in [
        "nsenter -t {container} -m -p -r mount -t proc none /proc",
        "nsenter -t {container} -m -p -r sh -c 'mkdir /p; mount -t proc p /p; mount --move /p /proc'",
    ] {
        typed(&["proc"], None, &[(TerminalId::Host, line)], &ENGLISH);
    }
}

fn a_script_that_is_none_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("mybox");
    let good = fs::read_to_string(ANOTHER).unwrap();
    let (unlimited, ended) =
        (good.replace("\n    join\n    exec unshare", "\n    exec unshare"), "#!/bin/sh\nexit 7\n");
    for (script, status, said) in [
        ("mount", 2, "not a script: its first line does not begin with #!"),
        (ended, 1, "as it is, `./mybox run builtin: sh` ends with status 7"),
        (&unlimited, 1, "as it is, this does not hold: `scorecard limited on`"),
    ] {
        fs::write(&path, script).unwrap();
        let output = boxwright(&["fix", "--mutant", "--script", path.to_str().unwrap(), "--lang", "en"], state.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.contains(said) && errors.contains("runtime/challenge"), "{errors}");
    }
}

fn a_running_container_is_repaired_by_typing() {
    repairs("Not its name", 1, &ENGLISH);
}

fn the_script_is_repaired_by_typing_in_chinese() {
    repairs("什么都能做", 0, &CHINESE);
}

fn events(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn a_mutant_is_run_and_judged_again_without_a_screen() {
    let dir = tempfile::tempdir().unwrap();
    let (seed, step) = titled("Twice as much", "en");
    let (place, file) = (format!("mutants/seed-{seed}"), dir.path().join("recording"));
    let file = file.to_str().unwrap();
    let output = boxwright(&["run", "--json", "--lang", "zh", "--record", file, &place], dir.path());
    assert!(output.status.success(), "{output:?}");
    let events = events(&output);
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    assert_eq!(of("step")[0]["title"], mutants::of_seed(seed).get(Lang::Zh).unwrap().steps[0].title);
    let typed: Vec<&str> = of("command").iter().filter_map(|event| event["line"].as_str()).collect();
    for run in &step.solutions()[0] {
        assert!(typed.contains(&run.line.as_str()), "{typed:?}");
    }
    assert_eq!(of("summary")[0]["passed"], 1, "{events:?}");
    // Whoever judges the recording has nothing but the seed in it.
    let judged = boxwright(&["verify", file, "--lang", "en"], dir.path());
    assert!(judged.status.success(), "{judged:?}");
    assert!(String::from_utf8_lossy(&judged.stdout).contains(&place), "{judged:?}");
}

fn day() -> u64 {
    mutants::daily(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// What the plain screen says until it asks for the first line, and the status.
fn plain(args: &[&str], state: &Path) -> String {
    let args = [&["fix", "--plain", "--lang", "en"], args].concat();
    let output = boxwright(&args, state);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn today_has_the_mutant_of_its_date() {
    let state = tempfile::tempdir().unwrap();
    // It may be midnight.
    let (before, said, after) = (day(), plain(&["--mutant", "--daily"], state.path()), day());
    let title = |day| mutants::of_seed(day).get(Lang::En).unwrap().steps[0].title.clone();
    assert!(said.contains(&title(before)) || said.contains(&title(after)), "{said}");
}

fn plain_lines_show_the_same_mutant() {
    let state = tempfile::tempdir().unwrap();
    let shown = |seed: u64| plain(&["--mutant", "--seed", &seed.to_string()], state.path());
    let (seed, step) = titled("Not found", "en");
    for said in [shown(seed), shown(seed)] {
        assert!(said.contains(&step.title) && said.contains("./mybox run builtin: sh"), "{said}");
    }
}

fn the_list_names_them() {
    let state = tempfile::tempdir().unwrap();
    for (lang, said) in [
        ("en", "mutants of mybox and crun, without end: 0 repaired"),
        ("zh", "mybox 和 crun 的变异体，没有尽头：修好 0 个"),
    ] {
        let output = boxwright(&["fix", "--list", "--lang", lang], state.path());
        let list = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && list.contains(said) && list.contains("fix --mutant"), "{list}");
    }
}

fn a_seed_wants_a_mutant() {
    let state = tempfile::tempdir().unwrap();
    for args in [
        &["fix", "--seed", "3"][..],
        &["fix", "--daily"],
        &["fix", "--mutant", "--seed", "3", "--daily"],
        &["fix", "--script", "mybox"],
        &["fix", "--mutant", "--list"],
        &["fix", "--mutant", "proc"],
        &["fix", "--mutant", "--seed", "-1"],
        &["run", "mutants/7"],
    ] {
        assert_eq!(boxwright(args, state.path()).status.code(), Some(2), "{args:?}");
    }
    for place in ["mutants", "mutants/7", "mutants/seed-07"] {
        let output = boxwright(&["run", place, "--lang", "en"], state.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with(&format!("boxwright: {place}: a mutant is named by its seed")), "{said}");
        assert!(
            output.status.code() == Some(2) && said.contains("\n  ") && said.contains(" fix --mutant --seed 7\n"),
            "{said}"
        );
    }
}
