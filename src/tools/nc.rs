//! nc(1): listen on a TCP port, or connect to one.

use super::{
    args::{
        Opt, Parsed,
        Value::{Must, No},
        parse,
    },
    complain, failed,
    other::misused,
};
use crate::lang::say;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{getpgrp, tcgetpgrp},
};
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::AsFd,
    process::ExitCode,
};

const OPTIONS: [Opt; 7] = [
    ('l', "listen", No),
    ('p', "port", Must),
    ('k', "keep", No),
    ('n', "numeric", No),
    ('v', "verbose", No),
    ('z', "scan", No),
    ('N', "shutdown", No),
];

const USAGE: &str = "usage: nc -l [HOST] PORT | nc [-z] HOST PORT";

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("nc", args, &what, USAGE, 1),
    };
    let listens = parsed.has("listen");
    let (host, port) = match (parsed.words.as_slice(), parsed.value("port")) {
        ([host, port], None) => (host.as_str(), port.as_str()),
        ([host], Some(port)) if listens => (host.as_str(), port.as_str()),
        ([], Some(port)) if listens => ("0.0.0.0", port.as_str()),
        ([port], None) if listens => ("0.0.0.0", port.as_str()),
        _ => return complain("nc", USAGE, 1),
    };
    let Ok(port) = port.parse::<u16>() else { return complain("nc", &format!("port number invalid: {port}"), 1) };
    // Without -N the end of our input is not a reason to end the other's: it may still have something to say.
    let ends = parsed.has("shutdown");
    let result = if listens { listen(host, port, &parsed) } else { connect(host, port, parsed.has("scan"), ends) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
            let hint = match errno {
                Errno::EADDRINUSE => Some(say(
                    "another program of this network namespace listens there",
                    "这个网络命名空间里已有程序在监听这个端口",
                )),
                Errno::EADDRNOTAVAIL | Errno::ENETUNREACH => {
                    Some(say("is lo up? ip link set lo up", "lo 启用了吗？ip link set lo up"))
                }
                _ => None,
            };
            failed("nc", &format!("{host} {port}"), errno, hint, 1)
        }
    }
}

/// socket(2), bind(2), listen(2): the port belongs to the network namespace of this process from now on.
fn listen(host: &str, port: u16, parsed: &Parsed) -> io::Result<()> {
    let listener = TcpListener::bind((host, port))?;
    if parsed.has("verbose") {
        let _ = writeln!(io::stderr(), "Listening on {host} {port}");
    }
    loop {
        let (connection, _) = listener.accept()?;
        talk(connection, parsed.has("shutdown"))?;
        if !parsed.has("keep") {
            return Ok(());
        }
    }
}

fn connect(host: &str, port: u16, scan: bool, ends: bool) -> io::Result<()> {
    let connection = TcpStream::connect((host, port))?;
    if scan { Ok(()) } else { talk(connection, ends) }
}

/// In the background the terminal's input belongs to somebody else: reading it would stop us (SIGTTIN).
fn may_read_input() -> bool {
    let input = io::stdin();
    !input.is_terminal() || tcgetpgrp(&input).is_ok_and(|group| group == getpgrp())
}

/// Copies both ways until the other side has ended.
fn talk(mut connection: TcpStream, ends: bool) -> io::Result<()> {
    let (mut input, mut reading) = (io::stdin(), true);
    let mut buffer = [0; 4096];
    loop {
        let socket = connection.try_clone()?;
        let stdin = io::stdin();
        let mut fds = vec![PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        if reading && may_read_input() {
            fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        if ready.first() == Some(&true) {
            match connection.read(&mut buffer)? {
                0 => return Ok(()),
                count => io::stdout().write_all(buffer.get(..count).unwrap_or_default())?,
            }
            io::stdout().flush()?;
        }
        if ready.get(1) == Some(&true) {
            match input.read(&mut buffer)? {
                0 => {
                    reading = false;
                    if ends {
                        connection.shutdown(Shutdown::Write)?;
                    }
                }
                count => connection.write_all(buffer.get(..count).unwrap_or_default())?,
            }
        }
    }
}
