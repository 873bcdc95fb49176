//! On stage: the hall's screen and the speaker's, in step, whichever is restarted.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::PathBuf,
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        hall_and_speaker_are_in_step_and_either_may_be_restarted: [Root, Tool("tmux")],
        a_stranger_is_not_heard: [Root, Tool("tmux"), Tool("setpriv")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// Where root's halls listen: on a machine with a login of root's, or in /tmp.
fn socket() -> PathBuf {
    let login = PathBuf::from("/run/user/0");
    let dir = if fs::metadata(&login).is_ok_and(|dir| dir.permissions().mode() & 0o77 == 0) {
        login
    } else {
        "/tmp/boxwright-stage-0".into()
    };
    dir.join("boxwright-hall")
}

fn opened() -> Tmux {
    let tmux = Tmux::start(100, 30);
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --lang en present isolate", tmux.file("state").display()));
    tmux
}

fn hall() -> Tmux {
    let tmux = opened();
    tmux.sees("your answer");
    tmux
}

fn hall_and_speaker_are_in_step_and_either_may_be_restarted() {
    let speaker = Tmux::start(80, 40);
    let view = format!("{BOXWRIGHT} --lang en present --notes --minutes 45");
    speaker.line(&view);
    speaker.sees("No hall yet");
    let first = hall();
    let screen =
        speaker.until("the first step", |screen| screen.contains("isolate 1/10") && screen.contains("Answer: "));
    assert!(screen.contains(" of 45:00") && screen.contains("Then: 2/10"), "{screen}");
    let seen = first.screen();
    assert!(!seen.contains("Answer: ") && !seen.contains("Then: "), "{seen}");
    // The speaker answers and types; the hall shows it.
    speaker.keys(&["1"]);
    first.sees("◂");
    speaker.sees("Next: Space → ls -l /proc/self/ns");
    speaker.keys(&["Space"]);
    first.sees("uts -> ");
    // What the room sees stands in small below the notes.
    speaker.until("the hall in small", |screen| {
        screen.split("-- the hall sees: container --").nth(1).is_some_and(|below| below.contains("uts -> "))
    });
    speaker.keys(&["n"]);
    first.sees("isolate 2/10");
    speaker.sees("isolate 2/10");
    // The hall goes on; the speaker's view follows.
    first.sees("Space type the command");
    first.press(&["C-g"], "the lesson's keys", |screen| screen.contains("next step"));
    first.press(&["n"], "the third step", |screen| screen.contains("isolate 3/10"));
    speaker.sees("isolate 3/10");
    // Either side jumps.
    speaker.press(&["g", "2"], "the number", |screen| screen.contains("Jump to step: 2_"));
    speaker.keys(&["Enter"]);
    first.sees("isolate 2/10");
    // Keys go to the lesson until its command is due, and then to the terminal.
    first.sees("Space type the command");
    first.press(&["C-g", "g"], "the list", |screen| screen.contains("go there"));
    // No other step's number begins like this one.
    first.keys(&["3"]);
    first.until("the third step", |screen| screen.contains("isolate 3/10") && !screen.contains("go there"));
    speaker.sees("isolate 3/10");
    // The speaker's view is restarted.
    speaker.press(&["q"], "the shell", |screen| screen.trim_end().ends_with("ready>"));
    speaker.line(&view);
    speaker.sees("isolate 3/10");
    // The hall is killed and restarted: the view takes it back to where it was.
    drop(first);
    speaker.sees("No hall yet");
    let second = opened();
    second.sees("isolate 3/10");
    speaker.sees("isolate 3/10");
    second.quit();
    speaker.sees("No hall yet");
    speaker.press(&["q"], "the shell", |screen| screen.trim_end().ends_with("ready>"));
    assert!(!socket().exists());
}

fn a_stranger_is_not_heard() {
    let tmux = hall();
    let path = socket();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Another user does not even reach it.
    let script = format!("test -S {}; echo $?", path.display());
    let mut setpriv = std::process::Command::new("setpriv");
    let output = setpriv.args(["--reuid=65534", "--clear-groups", "sh", "-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1");
    // A process that is let in is told where the hall is, and what is no wish does no harm.
    let mut stream = UnixStream::connect(&path).unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    let stage: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&stage["lesson"], &stage["step"]), (&"isolate".into(), &0.into()));
    stream.write_all(&vec![b'x'; 1 << 20]).unwrap_or_default();
    let mut other = UnixStream::connect(&path).unwrap();
    other.write_all(b"type reboot\nstep 99\nnext\n").unwrap();
    tmux.until("the next step", |screen| screen.contains("isolate 2/10") && screen.contains("unshare -p sh"));
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}
