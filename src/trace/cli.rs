//! `boxwright trace [OPTIONS] -- COMMAND…`: any command, with the calls that make a container.
//!
//! The calls go to standard error, as those of strace(1) do, or where `-o` says. With `--json` they have standard output for
//! themselves, and what the command prints goes to standard error. `--step` waits on the terminal before each call.

mod keyboard;
mod output;

use keyboard::{Key, Keyboard, Reading, choices_hint, held_hint, is_yes, no_keys};
pub(crate) use output::Form;
use output::{Printer, line_of};

use super::{Call, Ended, Guard, Harm, Hold, Root, Spawn, TraceEvent, Tracer};
use crate::{
    cleanup::groups::stayed,
    kernel::{errno, errno_causes, exit, pid::Pid, text},
    lang::{Lang, say},
    near::{did_you_mean, nearest},
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
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::mpsc::{RecvTimeoutError, channel},
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
    /// What was typed on the terminal; `None` at its end.
    Line(Option<Vec<u8>>),
    /// This signal asks us to end.
    End(i32),
}

/// How a command is traced.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    /// What is told of it, and in which form.
    pub form: Form,
    /// Where that goes: a file, `|COMMAND` or `&DESCRIPTOR`; otherwise standard error, or standard output for JSON.
    pub to: Option<String>,
    /// Each call waits for Return.
    pub step: bool,
    /// A process that runs already, in the place of a command.
    pub(crate) process: Option<Pid>,
    /// Calls that would change the machine itself wait for a word on the terminal; without one they fail.
    pub guard: bool,
}

/// Runs the command under the tracer; the exit status is the command's, or 128 and the signal that killed it.
pub(crate) fn run(how: How, command: &[OsString], lang: Lang) -> ExitCode {
    let name = command.first();
    if name.is_none() && how.process.is_none() {
        let status = complain(lang.pick("no command given", "没有给出命令"), USAGE);
        let _ = writeln!(
            io::stderr(),
            "  boxwright trace [-o FILE] [-e CLASS,…] [-c] [-t] [--json] [--step] [--guard] -- CMD…"
        );
        return status;
    }
    if let Some(word) = how.form.unknown() {
        let classes = Form::classes();
        let near = nearest(word, Form::words()).map(|near| format!("\n  {}", did_you_mean(near, lang)));
        let (word, near) = (text::printable(word), near.unwrap_or_default());
        return complain(
            &lang.pick(
                format!("-e {word}: no class and no call that is output; the classes are {classes}{near}"),
                format!("-e {word}：不是类别，也不是会显示的调用；类别有 {classes}{near}"),
            ),
            USAGE,
        );
    }
    let printer = match Printer::open(how.form.clone(), how.to.as_deref(), lang) {
        Ok(printer) => printer,
        Err(error) => return complain(&output::cannot_open(how.to.as_deref().unwrap_or_default(), &error), CANNOT),
    };
    let program = match name.map(|name| (name, find(name))) {
        None => PathBuf::new(),
        Some((_, Ok(program))) => program,
        Some((name, Err(errno))) => {
            let status = if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE };
            return complain(&format!("{}{}{}", name.display(), say(": ", "："), errno::why(errno)), status);
        }
    };
    match follow(&how, printer, program, command, lang) {
        Ok(Ended::Exited(status)) => ExitCode::from(status as u8),
        Ok(Ended::Killed(signal)) => ExitCode::from(128u8.saturating_add(signal.0 as u8)),
        Err(error) => cannot(&error, lang),
    }
}

/// Says why there is no tracer, and what may help.
fn cannot(error: &io::Error, lang: Lang) -> ExitCode {
    // What has no errno of its own is a whole sentence.
    if error.raw_os_error().is_none() {
        return complain(&error.to_string(), CANNOT);
    }
    let hint = errno_causes::thread(errno::of(error), lang).map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain(&format!("{}: {}{hint}", errno::THREAD, errno::why_io(error)), CANNOT)
}

fn complain(what: &str, status: u8) -> ExitCode {
    tell(what);
    ExitCode::from(status)
}

fn tell(what: &str) {
    let told = format!("{}{what}", say("boxwright: trace: ", "boxwright：trace："));
    let _ = writeln!(io::stderr(), "{}", text::safe(&told));
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

fn follow(how: &How, mut printer: Printer, program: PathBuf, command: &[OsString], lang: Lang) -> io::Result<Ended> {
    let (step, guard) = (how.step, how.guard);
    // Ctrl-C is the command's to handle; SIGHUP and SIGTERM end it and then us. Ctrl-Z stops the command, and the tracer
    // then stops us.
    let mut ending: SigSet = [Signal::SIGHUP, Signal::SIGTERM].into_iter().collect();
    if how.process.is_some() {
        ending.add(Signal::SIGINT);
    }
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
        // Neither a command that cannot die nor an output that is not read keeps us longer.
        let _ = poll(&mut [], PollTimeout::from(LIMIT));
        exit::now(128u8.saturating_add(signal as u8));
    })?;
    let mut keyboard = Keyboard { send, state: Reading::Not };
    if step {
        keyboard.begin().map_err(|error| no_keys(&error))?;
    }
    let spawn = Spawn {
        program,
        argv: command.to_vec(),
        env: std::env::vars_os().collect(),
        dir: std::env::current_dir()?,
        tty: None,
        guard: guard.then(Guard::default),
    };
    let root = match how.process {
        Some(process) => attach(&tracer, process, lang)?,
        None => tracer.spawn_held(spawn, if step { Hold::Every } else { Hold::Off })?,
    };
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
                    tell(&process.say(lang));
                }
                return Ok(Ended::Killed(crate::kernel::pid::Signal(signal)));
            }
            (Err(_), _) => return Err(io::Error::other(say("the tracer has ended", "跟踪线程已结束"))),
        };
        let told = match message {
            Message::Trace(TraceEvent::Finished(_, ended)) => {
                printer.end();
                return Ok(ended);
            }
            Message::Trace(TraceEvent::Held(_, call)) => {
                let told = writeln!(io::stderr(), "{}  ⏸ {}", line_of(&call), held_hint(lang));
                held.push(call);
                told
            }
            Message::Trace(TraceEvent::Guarded(root, call, harm)) => {
                let told = printer.tell(&TraceEvent::Guarded(root, call.clone(), harm.clone()));
                guarded.push_back((call, harm));
                if let [(call, _)] = guarded.make_contiguous()
                    && !keyboard.ask(lang)
                {
                    tracer.refuse(call.pid);
                }
                told
            }
            Message::Trace(TraceEvent::Released(_, pid)) => {
                held.retain(|call| call.pid != pid);
                let first = guarded.front().map(|(call, _)| call.pid);
                guarded.retain(|(call, _)| call.pid != pid);
                if let Some((call, _)) = guarded.front().filter(|_| first == Some(pid))
                    && !keyboard.ask(lang)
                {
                    tracer.refuse(call.pid);
                }
                Ok(())
            }
            Message::Trace(event) => printer.tell(&event),
            Message::Line(None) => {
                keyboard.state = Reading::Over;
                guarded.front().iter().for_each(|(call, _)| tracer.refuse(call.pid));
                tracer.run_on(root);
                Ok(())
            }
            // A question comes before the keys.
            Message::Line(Some(line)) if !guarded.is_empty() => {
                let allowed = is_yes(&line);
                if let Some((call, _)) = guarded.front() {
                    if allowed { tracer.step(call.pid) } else { tracer.refuse(call.pid) }
                }
                Ok(())
            }
            Message::Line(Some(line)) => {
                let Some(key) = Key::read(&text::of(line)) else { continue };
                match key {
                    Key::Next => held.first().iter().for_each(|call| tracer.step(call.pid)),
                    Key::RunOn => tracer.run_on(root),
                    Key::Instead(name) => {
                        if let Some(call) = held.first() {
                            match call.choice(&name) {
                                Some(instead) => tracer.instead(call.pid, instead),
                                None => drop(writeln!(io::stderr(), "  {}", choices_hint(call, lang))),
                            }
                        }
                    }
                    Key::Until(name) => {
                        tracer.hold(root, Hold::Until(name));
                        held.iter().for_each(|call| tracer.step(call.pid));
                    }
                    Key::Quit => {
                        tracer.kill(root);
                        end = Some((Instant::now() + ENDING, Signal::SIGTERM as i32));
                    }
                }
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

/// Takes a process that runs already, and says what that means.
fn attach(tracer: &Tracer, process: Pid, lang: Lang) -> io::Result<Root> {
    let root = tracer.attach(process)?;
    let comm = text::printable(&super::task::comm(root)).to_string();
    let told = lang.pick(
        format!("{root} {comm} is traced: every call stops, so it is slower; Ctrl-C lets it go on alone"),
        format!("正在跟踪 {root} {comm}：每个调用都会停一下，所以变慢；按 Ctrl-C 让它独自继续"),
    );
    tell(&told);
    Ok(root)
}
