//! `boxwright trace [--json] [--step] [--guard] -- COMMAND…`: any command, with the calls that make a container.
//!
//! The calls go to standard error, as those of strace(1) do, or as JSON to standard output, where the command's own output
//! goes as well: a line of JSON begins with `{"event":`. `--step` waits for Return on the terminal before each call.

use super::{Call, Ended, Guard, Harm, Hold, Spawn, SyscallEvent, Told, TraceEvent, Tracer};
use crate::{
    cleanup::groups::stayed,
    kernel::{errno, exit, pid::Pid, text},
    lang::{Lang, say},
};
use nix::{
    errno::Errno,
    poll::{PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::{AccessFlags, access},
};
use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// How long the command may take to end when a signal asks us to, before it is said who has not; and, in milliseconds, how
/// long we go on at the most.
const ENDING: Duration = Duration::from_millis(1200);
const LIMIT: u16 = 1800;

const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
const CANNOT: u8 = 3;
const USAGE: u8 = 2;

enum Message {
    Trace(TraceEvent),
    Go,
    /// Whether this thread's guarded call may happen.
    Word(Pid, bool),
    /// This signal asks us to end.
    End(i32),
}

/// How a command is traced.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// JSON on standard output, otherwise lines on standard error.
    pub json: bool,
    /// Each call waits for Return.
    pub step: bool,
    /// Calls that would change the machine itself wait for a word on the terminal; without one they fail.
    pub guard: bool,
}

/// Runs the command under the tracer; the exit status is the command's, or 128 and the signal that killed it.
pub fn run(how: How, command: &[OsString], lang: Lang) -> ExitCode {
    let Some(name) = command.first() else {
        let status = complain(lang.pick("no command given", "没有给出命令"), USAGE);
        let _ = writeln!(io::stderr(), "  boxwright trace [--json] [--step] [--guard] -- CMD…");
        return status;
    };
    let program = match find(name) {
        Ok(program) => program,
        Err(errno) => {
            let status = if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE };
            return complain(&format!("{}{}{}", name.display(), say(": ", "："), errno::why(errno)), status);
        }
    };
    match follow(how, program, command, lang) {
        Ok(Ended::Exited(status)) => ExitCode::from(status as u8),
        Ok(Ended::Killed(signal)) => ExitCode::from(128u8.saturating_add(signal.0 as u8)),
        Err(error) => cannot(&error, lang),
    }
}

/// Says why there is no tracer, and what may help.
fn cannot(error: &io::Error, lang: Lang) -> ExitCode {
    let hint = errno::thread_hint(errno::of(error), lang).map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain(&format!("{}: {}{hint}", errno::THREAD, errno::why_io(error)), CANNOT)
}

fn complain(what: &str, status: u8) -> ExitCode {
    let _ =
        writeln!(io::stderr(), "{}", text::safe(&format!("{}{what}", say("boxwright: trace: ", "boxwright：trace："))));
    ExitCode::from(status)
}

/// The program that a shell would start.
fn find(name: &OsStr) -> Result<PathBuf, Errno> {
    let executable = |path: &Path| access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    let path = Path::new(name);
    if path.components().count() > 1 || path.has_root() {
        return match access(path, AccessFlags::X_OK) {
            Err(errno) => Err(errno),
            Ok(()) if path.is_dir() => Err(Errno::EISDIR),
            Ok(()) => std::path::absolute(path).map_err(|_| Errno::ENOENT),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| executable(path)).ok_or(Errno::ENOENT)
}

fn follow(how: How, program: PathBuf, command: &[OsString], lang: Lang) -> io::Result<Ended> {
    let How { json, step, guard } = how;
    // Ctrl-C is the command's to handle; SIGHUP and SIGTERM end it and then us. Ctrl-Z stops the command, and the tracer
    // then stops us.
    let ending: SigSet = [Signal::SIGHUP, Signal::SIGTERM].into_iter().collect();
    let mut blocked = ending;
    blocked.add(Signal::SIGINT);
    blocked.add(Signal::SIGQUIT);
    blocked.add(Signal::SIGTSTP);
    blocked.add(Signal::SIGCHLD);
    blocked.thread_block()?;
    let (send, receive) = channel();
    let traced = send.clone();
    let exe = std::env::current_exe()?;
    let tracer = Tracer::start(&exe, move |event| drop(traced.send(Message::Trace(event))))?;
    let signals = SignalFd::with_flags(&ending, SfdFlags::SFD_CLOEXEC)?;
    let ended = send.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let signal = loop {
            match signals.read_signal() {
                Ok(Some(info)) => break info.ssi_signo as i32,
                Ok(None) => {}
                Err(_) => return,
            }
        };
        drop(ended.send(Message::End(signal)));
        // Neither a command that cannot die nor an output that nobody reads keeps us longer.
        let _ = poll(&mut [], PollTimeout::from(LIMIT));
        exit::now(128u8.saturating_add(signal as u8));
    })?;
    let words = send.clone();
    if step {
        keys(send)?;
    }
    let spawn = Spawn {
        program,
        argv: command.to_vec(),
        env: std::env::vars_os().collect(),
        dir: std::env::current_dir()?,
        tty: None,
        guard: guard.then(Guard::default),
    };
    let root = tracer.spawn_held(spawn, if step { Hold::Every } else { Hold::Off })?;
    let mut held: Vec<Call> = Vec::new();
    let mut guarded: VecDeque<(Call, Harm)> = VecDeque::new();
    let mut end: Option<(Instant, i32)> = None;
    loop {
        let message = match end {
            None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((until, _)) => receive.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        let message = match (message, end) {
            (Ok(message), _) => message,
            (Err(RecvTimeoutError::Timeout), Some((_, signal))) => {
                for process in stayed(tracer.processes(root)) {
                    complain(&process.say(lang), 0);
                }
                return Ok(Ended::Killed(crate::kernel::pid::Signal(signal)));
            }
            (Err(_), _) => return Err(io::Error::other(say("the tracer has ended", "跟踪线程已结束"))),
        };
        let told = match message {
            Message::Trace(TraceEvent::Finished(_, ended)) => return Ok(ended),
            Message::Trace(TraceEvent::Held(_, call)) => {
                let told = writeln!(io::stderr(), "{}  ⏸ {}", line_of(&call), held_hint(lang));
                held.push(call);
                told
            }
            Message::Trace(TraceEvent::Guarded(root, call, harm)) => {
                let told = tell(&TraceEvent::Guarded(root, call.clone(), harm.clone()), json, lang);
                guarded.push_back((call, harm));
                if let [(call, _)] = guarded.make_contiguous() {
                    ask(call.pid, &words, lang)?;
                }
                told
            }
            Message::Word(pid, true) => {
                tracer.step(pid);
                Ok(())
            }
            Message::Word(pid, false) => {
                tracer.refuse(pid);
                Ok(())
            }
            Message::Trace(TraceEvent::Released(_, pid)) => {
                held.retain(|call| call.pid != pid);
                let first = guarded.front().map(|(call, _)| call.pid);
                guarded.retain(|(call, _)| call.pid != pid);
                if let Some((call, _)) = guarded.front().filter(|_| first == Some(pid)) {
                    ask(call.pid, &words, lang)?;
                }
                Ok(())
            }
            Message::Trace(event) => tell(&event, json, lang),
            Message::Go => {
                held.first().iter().for_each(|call| tracer.step(call.pid));
                Ok(())
            }
            Message::End(signal) => {
                tracer.kill(root);
                end = Some((Instant::now() + ENDING, signal));
                Ok(())
            }
        };
        if told.is_err() {
            // The reader has gone: the command goes on, but is not held.
            tracer.run_on(root);
        }
    }
}

fn held_hint(lang: Lang) -> &'static str {
    lang.pick("Return lets it happen", "按回车放行")
}

/// Each Return on the terminal lets one call happen. At its end nothing is held any longer.
fn keys(send: Sender<Message>) -> io::Result<()> {
    let terminal = BufReader::new(File::open("/dev/tty").map_err(|error| {
        io::Error::other(format!(
            "{}{}",
            say("--step needs a terminal: open /dev/tty: ", "--step 需要终端：open /dev/tty："),
            errno::why_io(&error)
        ))
    })?);
    let read = move || {
        for _ in terminal.split(b'\n').map_while(Result::ok) {
            if send.send(Message::Go).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(read).map(drop)
}

/// Asks on the terminal whether the guarded call of this thread may happen. Where there is no terminal, it may not.
fn ask(pid: Pid, words: &Sender<Message>, lang: Lang) -> io::Result<()> {
    let words = words.clone();
    let question = lang.pick("let it happen? y/N ", "放行吗？y/N ");
    let answer = move || {
        let word = File::options().read(true).write(true).open("/dev/tty").and_then(|mut terminal| {
            terminal.write_all(question.as_bytes())?;
            let mut line = Vec::new();
            BufReader::new(terminal).read_until(b'\n', &mut line)?;
            Ok(line)
        });
        let allowed = word.is_ok_and(|word| matches!(word.trim_ascii(), b"y" | b"Y" | b"yes"));
        // Nobody listens any more where the command has ended.
        drop(words.send(Message::Word(pid, allowed)));
    };
    thread::Builder::new().name("question".into()).spawn(answer).map(drop)
}

fn line_of(call: &Call) -> String {
    format!("{} {} {call}", call.pid, text::printable(&call.comm))
}

fn tell(event: &TraceEvent, json: bool, lang: Lang) -> io::Result<()> {
    if json {
        let Some(told) = Told::new(event, lang) else { return Ok(()) };
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text::json(&told)?)?;
        return out.flush();
    }
    let mut out = io::stderr().lock();
    match event {
        TraceEvent::Syscall(_, SyscallEvent { call, returned, changed, .. }) => {
            writeln!(out, "{} = {returned}", line_of(call))?;
            changed.iter().try_for_each(|change| writeln!(out, "    {}", text::printable(&change.say(lang))))
        }
        TraceEvent::Exit { pid, comm, ended, .. } => {
            let comm = text::printable(comm);
            match ended {
                Ended::Exited(status) => writeln!(out, "{pid} {comm} +++ exited with {status} +++"),
                Ended::Killed(signal) => writeln!(out, "{pid} {comm} +++ killed by {signal} +++"),
            }
        }
        TraceEvent::Guarded(_, call, harm) => {
            let what = lang.pick("would change the machine itself", "会改变机器本身");
            {
                let colon = lang.pick(": ", "：");
                writeln!(out, "{}  ! {what}{colon}{}", line_of(call), text::printable(&harm.say(lang)))
            }
        }
        TraceEvent::Refused(_, reason) => {
            writeln!(out, "{}{}", say("boxwright: trace: ", "boxwright：trace："), reason.say(lang))
        }
        _ => Ok(()),
    }
}
