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
use crate::kernel::errno_causes;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{getpgrp, tcgetpgrp},
};
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Read, Write},
    net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    process::ExitCode,
    time::Duration,
};

const OPTIONS: [Opt; 8] = [
    ('l', "listen", No),
    ('p', "port", Must),
    ('k', "keep", No),
    ('n', "numeric", No),
    ('v', "verbose", No),
    ('z', "scan", No),
    ('N', "shutdown", No),
    ('w', "timeout", Must),
];

const USAGE: &str = "usage: nc -l [HOST] PORT | nc [-z] [-w SECONDS] HOST PORT";

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
    let patience = match parsed.value("timeout").map(|seconds| seconds.parse()) {
        None => None,
        Some(Ok(seconds @ 1..)) => Some(Duration::from_secs(seconds)),
        Some(_) => return complain("nc", "-w takes a number of seconds", 1),
    };
    let result = match listens {
        true => listen(host, port, patience, &parsed),
        false => connect(host, port, patience, &parsed),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let timed_out = (error.kind() == io::ErrorKind::TimedOut).then_some(libc::ETIMEDOUT);
            let Some(code) = error.raw_os_error().or(timed_out) else {
                // No call failed: the C library did not find the name.
                return complain("nc", &format!("{host} {port}: {error}"), 1);
            };
            let errno = Errno::from_raw(code);
            let hint = errno_causes::help(if listens { "bind" } else { "connect" }, errno, &[]);
            failed("nc", &format!("{host} {port}"), errno, hint.as_deref(), 1)
        }
    }
}

/// socket(2), bind(2), listen(2): the port belongs to the network namespace of this process from now on.
fn listen(host: &str, port: u16, patience: Option<Duration>, parsed: &Parsed) -> io::Result<()> {
    let listener = TcpListener::bind((host, port))?;
    if parsed.has("verbose") {
        let _ = writeln!(io::stderr(), "Listening on {host} {port}");
    }
    loop {
        let (connection, _) = listener.accept()?;
        talk(connection, patience, parsed.has("shutdown"))?;
        if !parsed.has("keep") {
            return Ok(());
        }
    }
}

/// connect(2), with every address that the name has. Where nothing comes back, the kernel itself asks for two minutes.
fn connect(host: &str, port: u16, patience: Option<Duration>, parsed: &Parsed) -> io::Result<()> {
    let connection = match patience {
        None => TcpStream::connect((host, port))?,
        Some(patience) => {
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            let mut addresses = (host, port).to_socket_addrs()?;
            let connected = addresses
                .find_map(|address| TcpStream::connect_timeout(&address, patience).map_err(|error| last = error).ok());
            connected.ok_or(last)?
        }
    };
    if parsed.has("scan") { Ok(()) } else { talk(connection, patience, parsed.has("shutdown")) }
}

/// In the background the terminal's input belongs to another job: reading it would stop us (SIGTTIN).
fn may_read_input() -> bool {
    let input = io::stdin();
    !input.is_terminal() || tcgetpgrp(&input).is_ok_and(|group| group == getpgrp())
}

/// Copies both ways until the other side has ended, or nothing has come for so long. Only with `ends` the end of our input ends
/// the other's: it may still have something to say.
fn talk(mut connection: TcpStream, patience: Option<Duration>, ends: bool) -> io::Result<()> {
    let timeout = patience.map_or(PollTimeout::NONE, |it| PollTimeout::try_from(it).unwrap_or(PollTimeout::MAX));
    let (mut input, mut reading) = (io::stdin(), true);
    let mut buffer = [0; 4096];
    loop {
        let socket = connection.try_clone()?;
        let stdin = io::stdin();
        let mut fds = vec![PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        if reading && may_read_input() {
            fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, timeout) {
            Ok(0) => return Ok(()),
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
