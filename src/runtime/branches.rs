//! Both branches of a held call, each in a session of its own: a process that rebuilds the state, plays, tells, and is gone.

use super::queue::Queue;
use crate::{
    event::{Branch, Branches, Event, Plan},
    kernel::{errno, text},
    lang::Lang,
    lesson::mutants,
    observe::ns_helper::read_until,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How long one branch may take.
const LIMIT: Duration = Duration::from_secs(90);
/// How long a branch that was asked to end may take.
const ENDING: Duration = Duration::from_secs(2);

/// The command of this program that plays one branch.
pub(crate) const COMMAND: [&str; 2] = ["what-if", "--branch"];

/// What [`COMMAND`] calls the branches, in the order in which they are played.
pub(crate) const NAMES: [&str; 2] = ["as-it-is", "changed"];

/// How this program is started for a branch.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    /// The program.
    pub exe: PathBuf,
    /// Its options, such as those that say where lessons are.
    pub options: Vec<OsString>,
    /// The mutant of a learner's own script, which no option names.
    pub own: Option<mutants::Own>,
    /// The language of what it tells.
    pub lang: Lang,
}

/// What the process of a branch reads on its standard input, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked<'a> {
    /// What is to be played.
    pub plan: Cow<'a, Plan>,
    /// The mutant of a learner's own script that it is played in.
    pub own: Cow<'a, Option<mutants::Own>>,
}

/// The process that plays now, and whether no more may be started.
#[derive(Debug, Default)]
struct Slot {
    playing: Option<Child>,
    stopped: bool,
}

type Shared = Arc<Mutex<Slot>>;

/// Both branches are being played.
#[derive(Debug)]
pub(super) struct Playing {
    slot: Shared,
    ended: Receiver<()>,
}

impl Playing {
    /// Begins to play them; that they are played, and what comes of it, are events of the queue.
    ///
    /// Errors: those of making a thread.
    pub(super) fn start(again: Again, plan: Plan, queue: Arc<Queue>) -> io::Result<Playing> {
        let (slot, (told, ended)) = (Shared::default(), channel());
        let its = slot.clone();
        thread::Builder::new().name("branches".into()).spawn(move || {
            let played = both(&again, plan, &its, &|| queue.send(Event::Said(are_played(again.lang).into())));
            // Whoever hears of the end may begin anew at once.
            drop(told);
            queue.send(match played {
                Ok(branches) => Event::Branches(Arc::new(branches)),
                Err(why) => Event::Trouble(not_played(&why, again.lang)),
            });
        })?;
        Ok(Playing { slot, ended })
    }

    /// Whether they are still being played.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.ended.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty))
    }

    /// Asks what plays to end, and starts nothing more.
    pub(super) fn stop(&self) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.stopped = true;
        if let Some(child) = &slot.playing {
            end(child);
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stop();
        // It ends when the other side is dropped.
        let _ = self.ended.recv_timeout(ENDING);
    }
}

/// That the branches could not be played, and why.
pub(crate) fn not_played(why: &str, lang: Lang) -> String {
    lang.pick(format!("The branches could not be played: {why}"), format!("两种结果没能演示出来：{why}"))
}

/// Plays both, one after the other.
///
/// Errors: why they cannot be played, as the process of a branch says it.
pub(crate) fn play(again: &Again, plan: Plan) -> Result<Branches, String> {
    both(again, plan, &Shared::default(), &|| {})
}

fn are_played(lang: Lang) -> &'static str {
    lang.pick(
        "Both branches are being played, each in a session of its own; your call waits",
        "两种结果正在各自的会话里演示；你的调用还停着",
    )
}

fn both(again: &Again, plan: Plan, slot: &Shared, began: &dyn Fn()) -> Result<Branches, String> {
    let [first, second] = NAMES;
    let as_it_is = one(again, &plan, first, slot, began)?;
    let changed = one(again, &plan, second, slot, &|| {})?;
    Ok(Branches { plan, as_it_is, changed })
}

/// Plays one; `began` is called once its process is there.
fn one(again: &Again, plan: &Plan, name: &str, slot: &Shared, began: &dyn Fn()) -> Result<Branch, String> {
    let io = |error: io::Error| errno::why_io(&error);
    let lock = || slot.lock().unwrap_or_else(PoisonError::into_inner);
    let stopped = || again.lang.pick("it was stopped", "被中止了").to_string();
    let mut out = {
        let mut slot = lock();
        if slot.stopped {
            return Err(stopped());
        }
        let (child, out) = start(again, plan, name).map_err(io)?;
        slot.playing = Some(child);
        out
    };
    began();
    let told = read_until(&mut out, Instant::now() + LIMIT);
    let mut slot = lock();
    let Some(mut child) = slot.playing.take() else { return Err(stopped()) };
    if told.is_none() {
        end(&child);
        // Its output ends with it.
        if read_until(&mut out, Instant::now() + ENDING).is_none() {
            let _ = child.kill();
        }
    }
    let errors = child.stderr.take();
    child.wait().map_err(io)?;
    let stopped_meanwhile = slot.stopped;
    drop(slot);
    match told.and_then(|told| serde_json::from_slice::<Result<Branch, String>>(&told).ok()) {
        Some(came) => came,
        None if stopped_meanwhile => Err(stopped()),
        None => Err(complaint(errors).unwrap_or_else(|| again.lang.pick("no answer", "没有回应").into())),
    }
}

/// Starts the process of a branch, and gives it the plan.
fn start(again: &Again, plan: &Plan, name: &str) -> io::Result<(Child, ChildStdout)> {
    let mut command = Command::new(&again.exe);
    command.args(COMMAND).arg(name).args(["--lang", again.lang.code()]).args(&again.options);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that has ended already says why on its standard error.
        let asked = Asked { plan: Cow::Borrowed(plan), own: Cow::Borrowed(&again.own) };
        let _ = input.write_all(&serde_json::to_vec(&asked)?);
    }
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, out))
}

/// Asks a process that was not waited for yet to end: it removes what it made.
fn end(child: &Child) {
    let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
}

/// The first line of what a process that has ended said on its standard error.
fn complaint(errors: Option<impl Read>) -> Option<String> {
    let mut said = Vec::new();
    errors?.take(4096).read_to_end(&mut said).ok()?;
    let line = text::of(said).lines().next()?.trim_start_matches("boxwright: ").to_string();
    (!line.is_empty()).then_some(line)
}
