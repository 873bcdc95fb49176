//! A recording on another screen: an ordinary user, another size, another language.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use boxwright::{
    lesson,
    recording::{Recording, last_screen},
};
use serde_json::Value;
use std::{
    fs::{self, File, Permissions},
    io::BufReader,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    tests![
        each_lesson_replays_as_an_ordinary_user_to_what_was_checked: [Root],
        a_session_replays_to_its_last_panes: [Root, Tool("tmux")],
        networks_are_drawn_again_for_an_ordinary_user: [Root, Tool("tmux"), Tool("ip"), Tool("nft"), Tool("setpriv")],
        keys_go_through_a_recording_in_both_directions: [Root, Tool("tmux")],
        a_mark_is_set_and_found_again: [Root, Tool("tmux")],
        what_is_no_whole_recording_is_said_in_one_line: [Root],
    ]
}

/// All lessons that there are.
fn lessons() -> Vec<String> {
    lesson::embedded().unwrap().iter().map(|all| all.id().to_string()).collect()
}

/// Runs a lesson without a screen, recorded into this file, and gives the events that it told.
fn recorded_run(place: &str, path: &Path) -> Vec<Value> {
    let run = Command::new(BOXWRIGHT).args(["run", place, "--json", "--record"]).arg(path).output().unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    String::from_utf8(run.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A directory that all users may enter.
fn open_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Replays as a user who may do nothing on this machine.
fn replay(args: &[&str], path: &Path) -> Output {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("replay").args(args).arg(path).env("LC_ALL", "C.UTF-8").uid(65534).gid(65534).output().unwrap()
}

fn each_lesson_replays_as_an_ordinary_user_to_what_was_checked() {
    for lesson in &lessons() {
        let dir = open_dir();
        let path = dir.path().join("recorded");
        let events = recorded_run(lesson, &path);
        let passed: Vec<&str> = events
            .iter()
            .filter(|event| event["event"] == "check" && event["passed"] == true)
            .filter_map(|event| event["text"].as_str())
            .collect();
        assert!(passed.len() > 5, "{lesson}: {passed:?}");
        let shown = replay(&["--plain"], &path);
        assert!(shown.status.success() && shown.stderr.is_empty(), "{lesson}: {shown:?}");
        // Long sentences are broken into lines.
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
        let shown = flat(&String::from_utf8(shown.stdout).unwrap());
        for check in passed {
            let held = shown.contains(&format!("Holds: {}", flat(check)));
            assert!(held, "{lesson}: {check}\n{shown}");
        }
        let skipped = events.iter().filter(|event| event["outcome"] == "skipped").count();
        // Nothing comes after the last step: there one stays, also where it was skipped.
        let last = events.iter().rfind(|event| event["outcome"].is_string()).unwrap();
        let stays = usize::from(last["outcome"] == "skipped");
        let steps = events.iter().filter(|event| event["event"] == "step").count() - skipped + stays;
        assert_eq!(shown.matches(" was skipped: ").count(), skipped, "{lesson}: {shown}");
        assert_eq!(shown.matches(&format!("== {lesson}, step ")).count(), steps, "{lesson}");
    }
}

/// Opens a lesson on a screen, does what comes first, and leaves.
fn recorded_session(tmux: &Tmux, lesson: &str, path: &Path) {
    let state = tmux.file("state");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --record {} {lesson}", state.display(), path.display()));
    let begins = |screen: &str| bar(screen).contains("1-") || bar(screen).contains("type the command");
    let first = tmux.until("the lesson", |screen| begins(screen) || bar(screen).contains("go there"));
    // Where every step stands by itself, the list of them comes first.
    if !begins(&first) {
        tmux.press(&["Enter"], "the first step", begins);
    }
    let asks = |screen: &str| bar(screen).contains("1-");
    let over = |screen: &str| {
        let said = ["Space goes to the next step", "Not yet.", "Your turn"];
        said.iter().any(|text| screen.contains(text))
    };
    let mut screen = tmux.screen();
    while !over(&screen) {
        screen = match asks(&screen) {
            true => tmux.press(&["1"], "the command", |screen| !asks(screen)),
            false => tmux.press(&["Space"], "its end", |now| {
                over(now) || asks(now) || now != screen && bar(now).contains("Space type")
            }),
        };
    }
    tmux.quit();
    tmux.until("the shell", |screen| screen.lines().rfind(|row| !row.is_empty()) == Some("ready>"));
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
}

/// What stands in the boxes: the titles tell which keys choose them, and the last line is the viewer's own.
fn panes<'a>(rows: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    rows.map(str::trim_end).filter(|row| row.starts_with('│')).collect()
}

fn a_session_replays_to_its_last_panes() {
    for lesson in &lessons() {
        let tmux = Tmux::start(80, 24);
        let path = tmux.file("recorded");
        recorded_session(&tmux, lesson, &path);
        let recording = Recording::open(BufReader::new(File::open(&path).unwrap())).unwrap();
        let lessons = recording.lessons(None).unwrap();
        let rows = last_screen(recording, &lessons).unwrap();
        let expected = panes(rows.iter().map(String::as_str));
        assert!(expected.len() > 10, "{rows:#?}");
        tmux.line(&format!("setpriv --reuid 65534 --regid 65534 --clear-groups {BOXWRIGHT} replay {}", path.display()));
        tmux.sees("RECORDING");
        tmux.press(&["E"], "the last panes", |screen| panes(screen.lines()) == expected);
        tmux.press(&["q"], "the shell", |screen| !screen.contains("RECORDING"));
    }
}

/// The rows of the picture in the Network pane, without the frame of the pane.
fn picture(screen: &str) -> Vec<&str> {
    let inner = screen.lines().filter_map(|row| row.strip_prefix('│')?.strip_suffix('│'));
    inner
        .map(str::trim_end)
        .filter(|row| ["╭", "│ ", "├", "╰"].iter().any(|sign| row.trim_start().starts_with(sign)))
        .collect()
}

fn networks_are_drawn_again_for_an_ordinary_user() {
    let tmux = Tmux::start(80, 24);
    let path = tmux.file("recorded");
    // What a bridge with two containers and a published port come to.
    let events = recorded_run("network/publish", &path);
    let passed = |event: &Value| event["event"] == "summary" && event["passed"] == 1;
    assert!(events.iter().any(passed), "{events:#?}");
    fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    for (lang, recording, route) in [("en", "RECORDING", "route"), ("zh", "录像", "路由")] {
        let user = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        tmux.line(&format!("clear; {user} {BOXWRIGHT} --lang {lang} replay {}", path.display()));
        tmux.sees(recording);
        // The end may still be read: the recording ends before the next step.
        let stands = |screen: &str| bar(screen).contains("play") || bar(screen).contains("播放");
        tmux.press(&["E"], "the end", |screen| stands(screen) && screen.contains("network 11/12"));
        let rows = [
            "2 va UP 10.1.0.1/24              ├────┤ 2 eth0 UP 10.1.0.2/24",
            "3 vc UP 10.2.0.1/24              ├────┤ 2 eth0 UP",
        ];
        let is_drawn = |screen: &str, row| picture(screen).iter().any(|drawn| drawn.contains(row));
        tmux.press(&["0"], "the wiring", |screen| rows.iter().all(|row| is_drawn(screen, row)));
        // What each namespace holds stands below, and was read by nobody but the recorder.
        tmux.press(&["PageDown"], "the routes", |screen| screen.contains(route) && screen.contains("net:["));
        tmux.press(&["q"], "the shell", |screen| !screen.contains(recording));
    }
}

fn keys_go_through_a_recording_in_both_directions() {
    let tmux = Tmux::start(80, 24);
    let path = tmux.file("recorded");
    recorded_run("isolate/4", &path);
    tmux.line(&format!("{BOXWRIGHT} replay {}", path.display()));
    tmux.sees("RECORDING");
    let next = "isolate 5/10";
    // The end may still be read.
    let at_end = tmux.press(&["E"], "the end", |screen| bar(screen).contains("play") && screen.contains(next));
    tmux.press(&["B"], "the beginning", |screen| bar(screen).contains("0:00/"));
    let step = |screen: &str| screen.contains("isolate 4/10") && !screen.contains("unshare(");
    tmux.press(&["n"], "the step's beginning", step);
    // The first call is a fork of the shell, then comes the program, then its first call of its own.
    let first = tmux.press(&["Right"], "the first call", |screen| screen.contains("clone(SIGCHLD) ="));
    let second = tmux.press(&["Right", "Right"], "a later one", |screen| screen.contains("unshare(NEWNS"));
    assert_ne!(panes(second.lines()), panes(at_end.lines()));
    tmux.press(&["Left", "Left"], "the first call again", |screen| panes(screen.lines()) == panes(first.lines()));
    // The viewer's own language, panes and size.
    tmux.press(&["l"], "Chinese", |screen| screen.contains("录像") && screen.contains("系统调用"));
    tmux.press(&["3"], "the links", |screen| screen.contains("3▸命名空间") && screen.contains("pid_for_children"));
    tmux.resize(120, 40);
    tmux.until("a wide screen", |screen| screen.lines().count() == 40 && screen.contains("╭ 命名空间"));
    tmux.press(&["?"], "the keys", |screen| screen.contains("缩短停顿"));
    tmux.press(&["Escape"], "the recording", |screen| !screen.contains("缩短停顿"));
    tmux.press(&["q"], "the shell", |screen| !screen.contains("录像"));
    // It plays by itself to its end, and stays there.
    tmux.line(&format!("{BOXWRIGHT} replay --brief {}", path.display()));
    let last = tmux.until("the end", |screen| bar(screen).contains("play") && screen.contains(next));
    assert!(bar(&last).contains("RECORDING"), "{last}");
    tmux.press(&["C-c"], "the shell", |screen| !screen.contains("RECORDING"));
}

fn a_mark_is_set_and_found_again() {
    let tmux = Tmux::start(80, 24);
    let (path, state) = (tmux.file("recorded"), tmux.file("state"));
    let (path, state) = (path.display(), state.display());
    tmux.line(&format!("XDG_STATE_HOME={state} {BOXWRIGHT} --lang en --record {path} isolate/1"));
    tmux.until("the question", |screen| bar(screen).contains("1-3"));
    tmux.press(&["*"], "a mark", |screen| screen.contains("Mark 1 is set"));
    tmux.press(&["1"], "the command", |screen| bar(screen).contains("Space type"));
    tmux.press(&["Space"], "its output", |screen| screen.contains("uts -> "));
    tmux.press(&["C-g", "*"], "another mark", |screen| screen.contains("Mark 2 is set"));
    tmux.keys(&["q"]);
    tmux.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    tmux.line(&format!("clear; {BOXWRIGHT} --lang en replay {path}"));
    tmux.press(&["B"], "the beginning", |screen| bar(screen).contains("0:00/"));
    let first = |screen: &str| screen.contains("Mark 1 is set") && !screen.contains("uts -> ");
    tmux.press(&["m"], "the first mark", first);
    tmux.press(&["m"], "the second", |screen| screen.contains("Mark 2 is set"));
    tmux.press(&["m"], "that there is no other", |screen| screen.contains("None comes after this"));
    tmux.press(&["M"], "the second again", |screen| screen.contains("Mark 2 is set"));
    tmux.press(&["M"], "the first again", first);
    tmux.press(&["q"], "the shell", |screen| !screen.contains("RECORDING"));
    tmux.line(&format!("clear; {BOXWRIGHT} --lang en replay --plain {path} | grep -c '^Mark [12]'"));
    tmux.until("both in plain lines", |screen| screen.lines().any(|line| line.trim() == "2"));
}

fn what_is_no_whole_recording_is_said_in_one_line() {
    let dir = open_dir();
    let path = dir.path().join("recorded");
    recorded_run("isolate/1", &path);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let damage = lines.len() - 3;
    let broken = [&lines[..damage], &["{\"at_micros\":1,\"event\":\"no"], &lines[damage + 1..]].concat().join("\n");
    let damaged = format!("line {} is damaged; what comes before it is shown", damage + 1);
    for (name, text, why, status) in [
        ("empty", "", "this is not a recording of boxwright", 1),
        ("foreign", "\u{0}\u{1}ELF\n\u{2}", "this is not a recording of boxwright", 1),
        (
            "cast",
            "{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"x\"]\n",
            "this is not a recording of boxwright",
            1,
        ),
        ("newer", &whole.replacen("\"format\":2", "\"format\":9", 1), "a newer boxwright wrote it", 1),
        ("cut", &whole[..whole.len() - 100], "ends here without an end", 1),
        ("damaged", &broken, &damaged, 1),
        ("whole", &whole, "", 0),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let shown = replay(&["--plain"], &path);
        let said = String::from_utf8(shown.stderr).unwrap();
        assert!(said.lines().count() == usize::from(status == 1) && said.contains(why), "{name}: {said}");
        assert_eq!(shown.status.code(), Some(status), "{name}");
        let begins = matches!(name, "cut" | "damaged" | "whole");
        assert_eq!(String::from_utf8(shown.stdout).unwrap().contains("== isolate, step 1 of"), begins, "{name}");
    }
    let missing = String::from_utf8(replay(&["--plain"], &dir.path().join("none")).stderr).unwrap();
    assert!(missing.starts_with("boxwright: ") && missing.contains("ENOENT"), "{missing}");
    let folder = String::from_utf8(replay(&["--plain"], dir.path()).stderr).unwrap();
    assert!(folder.lines().count() == 1 && folder.contains("EISDIR"), "{folder}");
}
