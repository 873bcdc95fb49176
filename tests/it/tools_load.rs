//! hog, which uses a machine up, and top, which shows who does.

use crate::harness::{Test, tests};
use crate::support::ours;
use crate::support::tools::{error, run};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    tests![
        hog_takes_memory_and_holds_it,
        hog_keeps_to_its_rate,
        hog_ends_when_told_and_names_what_was_refused,
        hog_names_a_fork_that_fails: [Root],
        top_shows_who_is_busy,
        top_ends_at_q_and_gives_the_terminal_back,
    ]
}

fn hog_takes_memory_and_holds_it() {
    let bin = ours();
    let mut hog = Command::new(bin.path().join("hog")).args(["memory", "24M"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(hog.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take_while(|line| !line.starts_with("holding")).collect();
    assert_eq!((said.len(), said.last().map(String::as_str)), (24, Some("  24.0 MiB")), "{said:?}");
    let status = fs::read_to_string(format!("/proc/{}/status", hog.id())).unwrap();
    let kib = |name: &str| -> u64 {
        status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok()).unwrap()
    };
    // What it takes is what was asked for, with little besides.
    assert!((24 << 10..25 << 10).contains(&kib("RssAnon:")), "{status}");
    hog.kill().unwrap();
    assert_eq!(hog.wait().unwrap().signal(), Some(9));
}

fn hog_keeps_to_its_rate() {
    let began = Instant::now();
    let output = Command::new(ours().path().join("hog")).args(["memory", "8M", "--rate", "32M/s", "--exit"]).output();
    let output = output.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().last(), Some("   8.0 MiB"), "{output:?}");
    // Each of the eight waits for its tick, so it cannot be faster; how much slower it is, the machine's load decides.
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
}

fn hog_ends_when_told_and_names_what_was_refused() {
    let bin = ours();
    let hog = bin.path().join("hog");
    let end = run(&hog, &["memory", "2M", "--rate", "1G/s", "--exit"]);
    assert_eq!((end.status.code(), end.stdout.as_slice()), (Some(0), &b"   1.0 MiB\n   2.0 MiB\n"[..]));
    assert!(run(&hog, &["cpu", "0.05"]).status.success());
    assert_eq!(run(&hog, &["fork", "4"]).stdout, b"4 children\n");
    for wrong in
        [&["memory", "3X"][..], &["memory", "0"], &["cpu", "-1"], &["fork", "x"], &[], &["memory", "1M", "--rate", "?"]]
    {
        assert_eq!(run(&hog, wrong).status.code(), Some(1), "{wrong:?}");
    }
    let limited =
        Command::new("sh").args(["-c", "ulimit -v 400000; exec \"$0\" memory 1G"]).arg(&hog).output().unwrap();
    assert_eq!(limited.status.code(), Some(1));
    assert!(error(&limited).contains("Cannot allocate memory (ENOMEM)"), "{}", error(&limited));
}

fn hog_names_a_fork_that_fails() {
    // Once the first process of a PID namespace has ended, no process can be made in it.
    let script = "/bin/true; exec \"$0\" fork 2";
    let hog = ours();
    let dead = Command::new("unshare").args(["-p", "sh", "-c", script]).arg(hog.path().join("hog")).output().unwrap();
    assert_eq!((dead.status.code(), dead.stdout.as_slice()), (Some(1), &b"0 children\n"[..]));
    assert!(error(&dead).contains("hog: fork number 1 failed: Cannot allocate memory (ENOMEM)"), "{}", error(&dead));
}

fn top_shows_who_is_busy() {
    let bin = ours();
    let mut busy = Command::new(bin.path().join("hog")).arg("cpu").spawn().unwrap();
    let pids = format!("{},{}", std::process::id(), busy.id());
    let output = run(&bin.path().join("top"), &["-b", "-n", "2", "-d", "0.3", "-p", &pids]);
    busy.kill().unwrap();
    busy.wait().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let frames: Vec<&str> = text.split("top - ").skip(1).collect();
    assert_eq!(frames.len(), 2, "{text}");
    for frame in frames {
        let rows: Vec<Vec<&str>> = frame.lines().skip(3).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["PID", "USER", "%CPU", "%MEM", "RES", "S", "TIME+", "COMMAND"]);
        assert_eq!((rows[1][0], rows[1][7], rows[1][5]), (busy.id().to_string().as_str(), "hog", "R"), "{frame}");
        assert!(rows[1][2].parse::<f64>().unwrap() > 5.0, "{frame}");
        assert_eq!(rows[2][0], std::process::id().to_string(), "{frame}");
    }
    for wrong in [&["-b", "-n", "0"][..], &["-b", "-n", "x"], &["-b", "-d", "-1"], &["-n", "1"]] {
        assert_eq!(run(&bin.path().join("top"), wrong).status.code(), Some(1), "{wrong:?}");
    }
}

fn top_ends_at_q_and_gives_the_terminal_back() {
    let (bin, pty) = (
        ours(),
        nix::pty::openpty(&nix::pty::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }, None).unwrap(),
    );
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut top = Command::new(bin.path().join("top")).args(["-d", "600"]).stdin(end()).stdout(end()).spawn().unwrap();
    let before = nix::sys::termios::tcgetattr(&pty.slave).unwrap();
    let mut screen = fs::File::from(pty.master);
    let mut seen = String::new();
    while !seen.contains("COMMAND") {
        let mut bytes = [0; 4096];
        let length = screen.read(&mut bytes).unwrap();
        seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    screen.write_all(b"xq").unwrap();
    assert!(top.wait().unwrap().success());
    let after = nix::sys::termios::tcgetattr(&pty.slave).unwrap();
    assert!(after.local_flags.contains(nix::sys::termios::LocalFlags::ICANON | nix::sys::termios::LocalFlags::ECHO));
    assert_eq!(before.control_chars, after.control_chars);
}
