//! Where `boxwright trace` writes, and what of it: a file, a command or a descriptor; some calls or all; lines, JSON or sums.

use crate::{
    kernel::{errno, text},
    lang::{Lang, say},
    trace::{Call, Ended, Return, Syscall, SyscallEvent, TraceEvent, TraceJson, calls::Effect, folded},
};
use nix::errno::Errno;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd},
    process::{Child, Command, Stdio},
    time::Instant,
};

/// The classes of calls by which `-e` chooses. Every call belongs to one of them, or to none, which its own name chooses.
const CLASSES: [&str; 7] = ["namespace", "process", "mount", "root", "cgroup", "rights", "object"];

/// The class of a call.
fn class(effect: Effect) -> &'static str {
    match effect {
        Effect::Namespaces | Effect::HostName => "namespace",
        Effect::Child(_) | Effect::Program | Effect::Signals => "process",
        Effect::Mounts => "mount",
        Effect::RootDirectory => "root",
        Effect::GroupMade(_) | Effect::GroupRemoved(_) | Effect::Opens(_) | Effect::Writes(_) | Effect::Renamed(..) => {
            "cgroup"
        }
        Effect::Rights => "rights",
        Effect::ObjectMade(_) | Effect::ObjectRemoved(_) => "object",
        Effect::Nothing
        | Effect::Closes
        | Effect::Connects
        | Effect::Sends
        | Effect::Configures
        | Effect::Guarded(_) => "",
    }
}

/// What to tell, and in which form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// One JSON event a line.
    pub json: bool,
    /// Only the calls of these classes or names; all where it is empty.
    pub only: Vec<String>,
    /// Seconds since the beginning before each line.
    pub time: bool,
    /// Nothing but sums, at the end.
    pub count: bool,
}

impl Form {
    /// The first word of the filter that chooses nothing.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let known = |word: &&String| CLASSES.contains(&word.as_str()) || Syscall::named(word).is_some();
        self.only.iter().find(|word| !known(word)).map(String::as_str)
    }

    /// Every word that the filter takes.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        CLASSES.into_iter().chain(Syscall::names())
    }

    /// Every word that the filter takes besides names of calls.
    pub(crate) fn classes() -> String {
        CLASSES.join(", ")
    }

    fn chooses(&self, call: &Call) -> bool {
        let (name, class) = (call.syscall.name(), class(call.syscall.row().effect));
        self.only.is_empty() || self.only.iter().any(|word| word == name || word == class)
    }
}

/// Calls of one name, added up.
#[derive(Default)]
struct Sum {
    calls: u64,
    errors: u64,
    micros: u64,
}

/// More equal calls in a row than this are one line.
const FEW: u64 = 3;

/// Where the calls go.
pub(super) struct Printer {
    form: Form,
    lang: Lang,
    out: Box<dyn Write>,
    reader: Option<Child>,
    begun: Instant,
    sums: BTreeMap<&'static str, Sum>,
    /// What the last call was, whose it was and how it ended; and how many of them there were.
    last: Option<((i32, &'static str, Return), u64)>,
}

impl Printer {
    /// Opens what `-o` names: a file, `|COMMAND` or `&DESCRIPTOR`; else standard error, or for JSON standard output, which the
    /// command then does not get.
    ///
    /// Errors: those of open(2), dup2(2) and of starting a shell.
    pub(super) fn open(form: Form, to: Option<&str>, lang: Lang) -> io::Result<Printer> {
        let mut reader = None;
        let out: Box<dyn Write> = match (to, form.json) {
            (None, true) => {
                // Nothing of the command's may stand between two events, so what it prints goes to standard error.
                let own = io::stdout().as_fd().try_clone_to_owned()?;
                nix::unistd::dup2_stdout(io::stderr())?;
                Box::new(File::from(own))
            }
            (None, false) => Box::new(io::stderr()),
            (Some(to), _) => match (to.strip_prefix('|'), to.strip_prefix('&')) {
                (Some(command), _) => {
                    let mut child = Command::new("/bin/sh").args(["-c", command]).stdin(Stdio::piped()).spawn()?;
                    let pipe = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
                    reader = Some(child);
                    Box::new(pipe)
                }
                (None, Some(descriptor)) => Box::new(inherited(descriptor)?),
                (None, None) => Box::new(File::create(to)?),
            },
        };
        Ok(Printer { form, lang, out, reader, begun: Instant::now(), sums: BTreeMap::new(), last: None })
    }

    /// Tells one event.
    ///
    /// Errors: those of write(2).
    pub(super) fn tell(&mut self, event: &TraceEvent) -> io::Result<()> {
        if let TraceEvent::Syscall(_, SyscallEvent { call, returned, micros, .. }) = event {
            if !self.form.chooses(call) {
                return Ok(());
            }
            if self.form.count {
                let sum = self.sums.entry(call.syscall.name()).or_default();
                sum.calls += 1;
                sum.errors += u64::from(returned.error().is_some() || *returned == Return::Trapped);
                sum.micros += micros;
            }
        }
        if self.form.count && !matches!(event, TraceEvent::Refused(..) | TraceEvent::Guarded(..)) {
            return Ok(());
        }
        if self.form.json {
            let Some(told) = TraceJson::new(event, self.lang) else { return Ok(()) };
            // In one piece: what the command prints meanwhile must not stand between the line and its end.
            self.out.write_all((text::json(&told)? + "\n").as_bytes())?;
            return self.out.flush();
        }
        if self.folds(event)? {
            return Ok(());
        }
        let lines = lines(event, self.lang);
        if !lines.is_empty() {
            let time =
                if self.form.time { format!("{:12.6} ", self.begun.elapsed().as_secs_f64()) } else { String::new() };
            writeln!(self.out, "{time}{}", lines.join("\n"))?;
        }
        self.out.flush()
    }

    /// Whether this event is one more of a flood, as where an old root with all its mounts is taken away. The end of a flood
    /// is told before anything else.
    fn folds(&mut self, event: &TraceEvent) -> io::Result<bool> {
        let this = match event {
            TraceEvent::Syscall(_, SyscallEvent { call, returned, asked: None, .. }) => {
                Some((call.pid.0, call.syscall.name(), *returned))
            }
            _ => None,
        };
        if let (Some(this), Some((last, count))) = (&this, &mut self.last)
            && this == last
        {
            *count += 1;
            return Ok(*count > FEW);
        }
        self.end_flood()?;
        self.last = this.map(|this| (this, 1));
        Ok(false)
    }

    fn end_flood(&mut self) -> io::Result<()> {
        match self.last.take() {
            Some(((pid, name, returned), count)) if count > FEW => {
                let more = count - FEW;
                let text = self.lang.pick(
                    format!("{pid} … and {more} more calls of {name} = {returned}"),
                    format!("{pid} … 还有 {more} 次 {name} = {returned}"),
                );
                writeln!(self.out, "{text}")
            }
            _ => Ok(()),
        }
    }

    /// Tells what is left, and waits for the command that reads it.
    pub(super) fn end(mut self) {
        // A reader that has gone wants to know nothing any more.
        let _ = self.end_flood().and_then(|()| if self.form.count { self.table() } else { Ok(()) });
        let _ = self.out.flush();
        drop(self.out);
        if let Some(mut reader) = self.reader {
            let _ = reader.wait();
        }
    }

    fn table(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "{:>8} {:>8} {:>10}  {}",
            say("calls", "次数"),
            say("errors", "失败"),
            say("microseconds", "微秒"),
            say("call", "调用")
        )?;
        for (name, sum) in &self.sums {
            writeln!(self.out, "{:>8} {:>8} {:>10}  {name}", sum.calls, sum.errors, sum.micros)?;
        }
        Ok(())
    }
}

/// A call as strace(1) writes it, with who makes it.
pub(super) fn line_of(call: &Call) -> String {
    format!("{} {} {call}", call.pid, text::printable(&call.comm))
}

/// An event as lines for people.
fn lines(event: &TraceEvent, lang: Lang) -> Vec<String> {
    match event {
        TraceEvent::Syscall(_, event @ SyscallEvent { call, returned, changed, .. }) => {
            let asked = event.asked().map(|asked| {
                let who = lang.pick("you changed it; the program asked for", "被你改动；程序原本请求的是");
                format!("    {who} {asked}")
            });
            let changes = folded(changed.iter().map(|change| change.say(lang)).collect(), lang);
            let changes = changes.into_iter().map(|change| format!("    {}", text::printable(&change)));
            std::iter::once(format!("{} = {returned}", line_of(call))).chain(asked).chain(changes).collect()
        }
        TraceEvent::Exit { pid, comm, ended, .. } => {
            let comm = text::printable(comm);
            vec![match ended {
                Ended::Exited(status) => format!("{pid} {comm} +++ exited with {status} +++"),
                Ended::Killed(signal) => format!("{pid} {comm} +++ killed by {signal} +++"),
            }]
        }
        TraceEvent::Guarded(_, call, harm) => {
            let what = lang.pick("would change the machine itself", "会改变机器本身");
            let colon = lang.pick(": ", "：");
            vec![format!("{}  ! {what}{colon}{}", line_of(call), text::printable(&harm.say(lang)))]
        }
        TraceEvent::Noted { pid, comm, note, .. } => {
            let colon = lang.pick(": ", "：");
            vec![format!("{pid} {}{colon}{}", text::printable(comm), text::printable(&note.say(lang)))]
        }
        TraceEvent::Refused(_, reason) => {
            vec![format!("{}{}", say("boxwright: trace: ", "boxwright：trace："), reason.say(lang))]
        }
        _ => Vec::new(),
    }
}

/// Why `-o` cannot be opened.
pub(super) fn cannot_open(to: &str, error: &io::Error) -> String {
    format!("-o {}: {}", text::printable(to), errno::why_io(error))
}
/// A copy of a descriptor that this program was started with. It is not opened anew: as another user one might not be allowed
/// to, and a socket cannot be opened at all.
///
/// Errors: EBADF where there is none of this number.
#[expect(unsafe_code, reason = "a descriptor that was handed down is a number")]
fn inherited(descriptor: &str) -> io::Result<File> {
    let number = descriptor.parse().ok().filter(|number| *number >= 0).ok_or(Errno::EBADF)?;
    // SAFETY: it is only used to make a copy, and the kernel says whether it is open.
    let handed_down = unsafe { BorrowedFd::borrow_raw(number) };
    Ok(File::from(handed_down.try_clone_to_owned()?))
}
