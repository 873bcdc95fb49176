//! One branch of a held call: the state before it is rebuilt, the line runs up to it and on, and what came of that is read.

use super::prover::{Prover, Stuck, played};
use crate::{
    event::{Branch, Change, Event, Given, Plan, Wish},
    kernel::{harm::Harm, pid::Pid},
    lang::Both,
    lesson::{Lesson, Run},
    runtime::{Setup, Trouble},
    session::{Action, Lacking},
    trace::{Argument, Call, Hold, Instead, SyscallEvent, Value},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a line may take to its next prompt; one that works longer is looked at while it does.
const WORKS: Duration = Duration::from_secs(6);

/// What may become of calls that would change the machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// It is this machine: none of them happens.
    Itself,
    /// Its mounts, host names and IPC objects are copies that end with this program: what changes only these may happen.
    Copy,
}

impl Machine {
    /// Whether a call that would do this may happen.
    fn bears(self, call: &Call, harm: &Harm) -> bool {
        self == Machine::Copy
            && match harm {
                Harm::Mounts | Harm::Propagation(_) => mounts_apart(call),
                Harm::HostName | Harm::Ipc(_) => true,
                // These are the same in all of our namespaces.
                _ => false,
            }
    }
}

/// What this program reads and writes itself: a mount there would blind it.
const KEPT: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// Whether a call changes the mount table alone, and none of its entries that this program needs.
fn mounts_apart(call: &Call) -> bool {
    let flags = call.args.iter().find_map(|argument| match argument.value {
        Value::Bits(_, bits) => Some(bits),
        _ => None,
    });
    let has = |flag: u64| flags.unwrap_or_default() & flag != 0;
    let kinds = libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;
    let target = |index: usize| call.args.get(index).and_then(Argument::path).and_then(|path| place(call.pid, path));
    let apart = |path: PathBuf| path != Path::new("/") && !KEPT.iter().any(|kept| path.starts_with(kept));
    match call.syscall.name() {
        // Without MS_BIND it changes the file system, which is the machine's.
        "mount" if has(libc::MS_REMOUNT) && !has(libc::MS_BIND) => false,
        "mount" if has(kinds) && !has(libc::MS_REMOUNT) => true,
        "mount" => target(1).is_some_and(apart),
        "umount2" => !has(libc::MNT_FORCE as u64) && target(0).is_some_and(apart),
        _ => false,
    }
}

/// Where a path of a thread leads; `None` where that is not known.
fn place(tid: Pid, path: &Path) -> Option<PathBuf> {
    let whole = if path.is_absolute() { path.into() } else { fs::read_link(tid.dir().join("cwd")).ok()?.join(path) };
    fs::canonicalize(whole).ok()
}

/// What is played.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// How to come to it.
    pub plan: &'a Plan,
    /// Whether the change is made.
    pub changed: bool,
    /// The lesson.
    pub lesson: &'a Lesson,
    /// What may become of the machine.
    pub machine: Machine,
}

/// How a branch has ended.
#[derive(Debug)]
pub(crate) enum Came {
    /// With this.
    To(Box<Branch>),
    /// It cannot be played; why.
    ToNothing(String),
    /// This signal asks us to end.
    Signal(i32),
}

/// Plays one branch; the last value is what was left behind.
///
/// Errors: this machine cannot.
pub(crate) fn branch(asked: &Asked<'_>, lacking: &Lacking, setup: Setup) -> Result<(Came, Vec<String>), Trouble> {
    let mut came = None;
    let (signal, left) = played(lacking, setup, |prover| match prover.branch(asked, lacking) {
        Ok(branch) => {
            came = Some(Came::To(Box::new(branch)));
            None
        }
        Err(Stuck::Wrong(why)) => {
            came = Some(Came::ToNothing(why));
            None
        }
        Err(Stuck::Signal(signal)) => Some(signal),
    })?;
    Ok((came.unwrap_or(Came::Signal(signal.unwrap_or_default())), left))
}

/// What has become of the line so far.
#[derive(Debug, Default)]
struct SoFar {
    /// The thread whose call the plan is about, once it was held.
    reached: Option<Pid>,
    guarded: Vec<(Call, Harm, bool)>,
}

impl Prover {
    fn branch(&mut self, asked: &Asked<'_>, lacking: &Lacking) -> Result<Branch, Stuck> {
        let (plan, lesson) = (asked.plan, asked.lesson);
        let missing = || Stuck::Wrong(no_step().say(lesson.lang).into());
        let step = lesson.steps.iter().position(|step| step.id == plan.place.1).ok_or_else(missing)?;
        self.begin(lesson, lacking);
        if let Some(why) = self.go_to(step)? {
            return Err(Stuck::Wrong(why));
        }
        for given in &plan.before {
            self.once_more(given, asked.machine)?;
        }
        self.last(asked)
    }

    /// A line of the step that stood before.
    fn once_more(&mut self, given: &Given, machine: Machine) -> Result<(), Stuck> {
        let run = Run { terminal: given.terminal, line: given.line.clone(), ..Run::default() };
        self.state()?;
        let before = self.prompts(run.terminal);
        self.give_line(&run);
        let deadline = Instant::now() + WORKS;
        let ended = self.carry_on(
            deadline,
            machine,
            &mut SoFar::default(),
            |_, _| None,
            |prover| prover.prompts(run.terminal) > before,
        )?;
        match ended || !given.ends {
            true => Ok(()),
            false => Err(Stuck::Wrong(not_again(&given.line).say(self.lang).into())),
        }
    }

    /// The line that is played twice.
    fn last(&mut self, asked: &Asked<'_>) -> Result<Branch, Stuck> {
        let plan = asked.plan;
        let line = match &plan.change {
            Change::Line(other) if asked.changed => other,
            _ => &plan.line,
        };
        let run = Run { terminal: plan.terminal, line: line.clone(), ..Run::default() };
        self.state()?;
        if matches!(plan.change, Change::Call { .. }) {
            self.engine.apply(&Action::Hold(run.terminal, Hold::Every));
        }
        let before = self.prompts(run.terminal);
        self.give_line(&run);
        let mut so_far = SoFar::default();
        let reached = |prover: &Prover, call: &Call| prover.reaches(asked, call);
        let deadline = Instant::now() + WORKS;
        let done = |prover: &Prover| prover.prompts(run.terminal) > before;
        let ended = self.carry_on(deadline, asked.machine, &mut so_far, reached, done)?;
        if matches!(plan.change, Change::Call { .. }) && so_far.reached.is_none() {
            return Err(Stuck::Wrong(no_call().say(self.lang).into()));
        }
        self.asked += 1;
        self.engine.apply(&Action::Sample(self.asked));
        self.state()?;
        let pane = self.panes.get(&run.terminal);
        Ok(Branch {
            name: self.engine.name().unwrap_or_default().into(),
            call: so_far.reached.and_then(|pid| self.call_of(plan, pid)),
            guarded: so_far.guarded,
            status: pane.filter(|_| ended).map(|pane| pane.status),
            printed: pane.map(|pane| last_line(&pane.printed)).unwrap_or_default(),
            sample: self.sample.as_deref().cloned().unwrap_or_default(),
        })
    }

    /// What is to become of this held call, where it is the one that the plan is about.
    fn reaches(&self, asked: &Asked<'_>, call: &Call) -> Option<Option<Instead>> {
        let Change::Call { syscall, after, instead } = &asked.plan.change else { return None };
        let here = |known: &(_, SyscallEvent)| known.0 == asked.plan.terminal && known.1.call.syscall == *syscall;
        let is_it = call.syscall == *syscall && self.returned.iter().filter(|known| here(known)).count() == *after;
        is_it.then_some(Some(*instead).filter(|_| asked.changed))
    }

    /// How the call has returned that this thread was held before.
    fn call_of(&self, plan: &Plan, pid: Pid) -> Option<SyscallEvent> {
        let Change::Call { syscall, after, .. } = &plan.change else { return None };
        let mut its = self
            .returned
            .iter()
            .filter(|(terminal, event)| *terminal == plan.terminal && event.call.syscall == *syscall);
        its.by_ref().take(*after).for_each(drop);
        its.map(|(_, event)| event).find(|event| event.call.pid == pid).cloned()
    }

    /// Lets what runs go on until it is so, at most until then; tells whether it is. Every held call happens; `reached` says
    /// which is the one that is looked for, after which none is held.
    fn carry_on(
        &mut self,
        deadline: Instant,
        machine: Machine,
        so_far: &mut SoFar,
        reached: impl Fn(&Prover, &Call) -> Option<Option<Instead>>,
        so: impl Fn(&Prover) -> bool,
    ) -> Result<bool, Stuck> {
        loop {
            let stands = |prover: &Prover| !prover.session.held().is_empty() || prover.session.guarded().is_some();
            if !self.within(deadline, |prover| stands(prover) || so(prover))? {
                return Ok(false);
            }
            if let Some((_, call, harm)) = self.session.guarded().cloned() {
                let allowed = machine.bears(&call, &harm);
                so_far.guarded.push((call, harm, allowed));
                self.give(Event::Wish(Wish::Allow(allowed)));
            } else if let Some((terminal, call)) = self.session.held().first().cloned() {
                match reached(self, &call).filter(|_| so_far.reached.is_none()) {
                    None => self.give(Event::Wish(Wish::StepCall)),
                    Some(Some(instead)) if !call.allows(instead) => {
                        return Err(Stuck::Wrong(no_flag(&call, instead).say(self.lang).into()));
                    }
                    Some(instead) => {
                        so_far.reached = Some(call.pid);
                        self.engine.apply(&Action::Hold(terminal, Hold::Off));
                        let wish = instead.map_or(Wish::StepCall, |instead| Wish::Instead(call.pid, instead));
                        self.give(Event::Wish(wish));
                    }
                }
                let gone = |prover: &Prover| prover.session.held().iter().all(|(_, held)| *held != call);
                if !self.within(deadline, gone)? {
                    return Ok(false);
                }
            } else if so(self) {
                return Ok(true);
            }
        }
    }
}

/// The last line of a text that is not blank.
fn last_line(text: &str) -> String {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().chars().take(200).collect()
}

fn no_step() -> Both {
    Both::new("this program has no such step", "本程序没有这一步")
}

fn no_call() -> Both {
    Both::new("the line did not come to that call this time", "这一次，这行命令没有走到那个调用")
}

fn no_flag(call: &Call, instead: Instead) -> Both {
    Both::new(&format!("{call} has no {instead} that could be dropped"), &format!("{call} 里没有可去掉的 {instead}"))
}

fn not_again(line: &str) -> Both {
    Both::new(
        &format!("the state cannot be rebuilt: `{line}` did not come to its end"),
        &format!("无法重建状态：`{line}` 没有结束"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn a_copy_bears_what_ends_with_it() {
        let call = Call::of(Pid::own(), "sh", "sethostname", [0; 6]);
        for (harm, so) in [
            (Harm::HostName, true),
            (Harm::Ipc("shm 1".into()), true),
            (Harm::Mounts, false),
            (Harm::FileSystem("/".into()), false),
            (Harm::Network, false),
            (Harm::Clock, false),
            (Harm::Reboot, false),
            (Harm::Swap, false),
            (Harm::Modules, false),
            (Harm::Group("/".into()), false),
            (Harm::Process(Pid(1), "init".into()), false),
            (Harm::Processes(2), false),
        ] {
            assert_eq!(Machine::Copy.bears(&call, &harm), so, "{harm:?}");
            assert!(!Machine::Itself.bears(&call, &harm), "{harm:?}");
        }
    }

    #[test]
    fn a_copy_bears_mounts_that_are_none_of_ours() {
        let own = Pid::own();
        let text = |path: &str| CString::new(path).unwrap();
        let mount = |point: &str, flags: u64| {
            let point = text(point);
            Call::of(own, "mount", "mount", [0, point.as_ptr() as u64, 0, flags, 0, 0])
        };
        let unmount = |point: &str, flags: i32| {
            let point = text(point);
            Call::of(own, "umount", "umount2", [point.as_ptr() as u64, flags as u64, 0, 0, 0, 0])
        };
        let inside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/proc", inside.path().join("link")).unwrap();
        let (here, link) = (inside.path().display().to_string(), inside.path().join("link").display().to_string());
        for (call, so) in [
            (mount(&here, 0), true),
            (mount(&here, libc::MS_BIND), true),
            (mount(&here, libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY), true),
            (mount(&here, libc::MS_REMOUNT | libc::MS_RDONLY), false),
            (mount("/", libc::MS_REC | libc::MS_PRIVATE), true),
            (mount("/", libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY), false),
            (mount("/", 0), false),
            (mount("/proc", 0), false),
            (mount("/proc/sys", 0), false),
            (mount("/sys", 0), false),
            (mount(&link, 0), false),
            (mount(&format!("{here}/../../proc"), 0), false),
            (mount("/no/such/place", 0), false),
            (unmount(&here, 0), true),
            (unmount(&here, libc::MNT_DETACH), true),
            (unmount(&here, libc::MNT_FORCE), false),
            (unmount("/proc", 0), false),
            (Call::of(own, "sh", "pivot_root", [0; 6]), false),
            (Call::of(own, "sh", "move_mount", [0; 6]), false),
        ] {
            for harm in [Harm::Mounts, Harm::Propagation("/".into())] {
                assert_eq!(Machine::Copy.bears(&call, &harm), so, "{call}");
                assert!(!Machine::Itself.bears(&call, &harm), "{call}");
            }
        }
    }

    #[test]
    fn the_last_line_that_says_something() {
        assert_eq!(last_line("a\r\n unshare: no\r\n\r\n"), "unshare: no");
        assert_eq!(last_line(" \n"), "");
    }
}
