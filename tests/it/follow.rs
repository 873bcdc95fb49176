//! Another user's session as it happens, and for other players.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use boxwright::{
    recording::{Recording, last_screen},
    terminal::{Screen, Size},
};
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixListener},
    process::{Command, Stdio},
    thread,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_follower_sees_what_the_teacher_does_and_tries_it_alone: [Root, Tool("tmux")],
        a_stream_through_a_socket_or_a_pipe_is_told_in_lines: [Root],
        other_players_show_the_last_screen: [Root, Tool("asciinema")],
        a_lesson_is_exported_for_other_players: [Root],
    ]
}

fn question(screen: &str) -> bool {
    bar(screen).contains("1-3")
}

fn a_follower_sees_what_the_teacher_does_and_tries_it_alone() {
    let (teacher, follower) = (Tmux::start(120, 40), Tmux::start(80, 24));
    let path = teacher.file("recorded");
    teacher.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} --record {} isolate",
        teacher.file("state").display(),
        path.display()
    ));
    teacher.until("the question", question);
    let follow = format!("XDG_STATE_HOME={} {BOXWRIGHT}", follower.file("state").display());
    follower.line(&format!("{follow} --lang zh follow {}", path.display()));
    follower.until("the question in Chinese", |screen| bar(screen).contains("直播") && screen.contains("先猜"));
    teacher.press(&["1"], "the command", |screen| !question(screen));
    teacher.line("echo live $((40 + 2))");
    follower.sees("live 42");
    // What the follower presses goes nowhere but to the follower.
    follower.press(&["<"], "what was before", |screen| !screen.contains("live 42"));
    follower.press(&["E"], "what happens now", |screen| screen.contains("live 42"));
    // The teacher's line is one key away for the learner's own shell.
    follower.set(&["-s", "set-clipboard", "on"]);
    follower.press(&["y"], "that it was copied", |screen| screen.contains("已送往终端的剪贴板"));
    assert_eq!(follower.buffer(), "echo live $((40 + 2))");
    // Their own containers, at the teacher's step; and back.
    follower.press(&["f"], "a lesson of their own", |screen| bar(screen).contains("1-3") && !screen.contains("直播"));
    follower.keys(&["q"]);
    follower.until("the teacher's again", |screen| bar(screen).contains("直播") && screen.contains("live 42"));
    assert!(!teacher.screen().contains("直播"));
    teacher.quit();
    follower.sees("这次演示已经结束");
    follower.press(&["q"], "the shell", |screen| !screen.contains("录像"));
}

fn a_stream_through_a_socket_or_a_pipe_is_told_in_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recorded");
    let run = Command::new(BOXWRIGHT).args(["run", "isolate/1", "--record"]).arg(&path).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let whole = fs::read(&path).unwrap();
    let replayed = Command::new(BOXWRIGHT).args(["replay", "--plain"]).arg(&path).output().unwrap().stdout;
    let follow = |place: &str| {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["follow", "--plain", place]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let mut piped = follow("-").spawn().unwrap();
    let mut stdin = piped.stdin.take().unwrap();
    // All but the last line, which says that it ended.
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    let (first, rest) = whole.split_at(last + 1);
    stdin.write_all(first).unwrap();
    // It is told before the end is there.
    let mut lines = BufReader::new(piped.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = vec![lines.next().unwrap()];
    while !told.iter().any(|line| line.contains("isolate, step 1")) {
        told.push(lines.next().unwrap());
    }
    stdin.write_all(rest).unwrap();
    drop(stdin);
    told.extend(lines);
    assert!(piped.wait().unwrap().success());
    assert_eq!(told, String::from_utf8(replayed.clone()).unwrap().lines().collect::<Vec<_>>());
    let place = dir.path().join("socket");
    let listener = UnixListener::bind(&place).unwrap();
    let serves = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&whole).unwrap();
        drop(stream.shutdown(std::net::Shutdown::Write));
        std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap()
    });
    let socket = follow(place.to_str().unwrap()).output().unwrap();
    assert_eq!(socket.stdout, replayed);
    assert_eq!(serves.join().unwrap(), 0, "a follower never writes");
}

fn boxed(text: &str) -> Vec<String> {
    text.lines().map(str::trim_end).filter(|row| row.starts_with('│')).map(String::from).collect()
}

fn other_players_show_the_last_screen() {
    let tmux = Tmux::start(100, 30);
    let path = tmux.file("recorded");
    let state = tmux.file("state");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --record {} isolate", state.display(), path.display()));
    tmux.until("the question", question);
    tmux.press(&["1"], "the command", |screen| !question(screen));
    tmux.press(&["Space"], "its end", |screen| screen.contains("uts -> ") && bar(screen).contains("Space"));
    tmux.quit();
    tmux.until("the shell", |screen| screen.lines().rfind(|row| !row.is_empty()) == Some("ready>"));
    let recording = Recording::open(BufReader::new(fs::File::open(&path).unwrap())).unwrap();
    let lessons = recording.lessons(None).unwrap();
    let expected = boxed(&last_screen(recording, &lessons).unwrap().join("\n"));
    let made = Command::new(BOXWRIGHT).args(["replay", "--to", "cast"]).arg(&path).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let cast = tmux.file("cast");
    fs::write(&cast, made.stdout).unwrap();
    let played = tmux.file("played");
    tmux.line(&format!("clear; LC_ALL=C.UTF-8 asciinema cat {} > {} && echo played", cast.display(), played.display()));
    tmux.until("its end", |screen| screen.lines().any(|row| row.trim_end() == "played"));
    let mut screen = Screen::new(Size::new(100, 30));
    screen.process(&fs::read(&played).unwrap());
    assert_eq!(boxed(&screen.contents()), expected);
    assert!(expected.len() > 20, "{expected:#?}");
}

fn a_lesson_is_exported_for_other_players() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(BOXWRIGHT);
    let made =
        command.args(["lessons", "export", "nsenter", "--to", "cast"]).env("TMPDIR", dir.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    let text = String::from_utf8(made.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (header, frames) = lines.split_first().unwrap();
    assert_eq!((&header["version"], &header["width"], &header["height"]), (&2.into(), &100.into(), &30.into()));
    let times: Vec<f64> = frames.iter().map(|frame| frame[0].as_f64().unwrap()).collect();
    assert!(times.is_sorted() && frames.len() > 20, "{times:?}");
    // Two seconds of silence, and what happened before and after it without a change on the screen.
    assert!(times.windows(2).all(|two| two[1] - two[0] < 3.0), "long silences are shortened: {times:?}");
    let mut screen = Screen::new(Size::new(100, 30));
    frames.iter().for_each(|frame| drop(screen.process(frame[2].as_str().unwrap().as_bytes())));
    let last = screen.contents();
    assert!(last.contains("nsenter 12/12") && last.contains("The lesson is done."), "{last}");
}
