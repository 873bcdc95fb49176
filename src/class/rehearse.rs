//! `boxwright class DIR --rehearse N`: fills a class's directory with sessions without learners, and proves that the board is
//! right. Each is a whole session: shells, tracer, directory, control groups.
//!
//! All of them play the first step of a lesson: they come to its question, are asked, and give answers that are known here.
//! Then every fourth raises its hand, and all leave. What is proved is that each stage stands on the board as it was given.

use super::{Flag, Room, board, room};
use crate::{
    kernel::{errno, pid::Pid, pidfd},
    lang::Lang,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
};
use std::{
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// What they play: a step that begins with a question of three answers.
const STEP: &str = "isolate/1";
const ANSWERS: usize = 3;
/// How long one stage may take, and besides for each session.
const PATIENCE: Duration = Duration::from_secs(60);
const EACH: Duration = Duration::from_secs(5);

/// One session.
struct Learner {
    child: Child,
    process: OwnedFd,
    name: String,
}

/// All of them; dropped, none is left.
struct Class<'a> {
    dir: &'a Path,
    learners: Vec<Learner>,
    news: Inotify,
    within: Duration,
}

/// Why it is not proved.
enum Failed {
    /// The machine.
    Io(io::Error),
    /// This stage was not seen in time.
    Late(&'static str, usize),
}

impl<E: Into<io::Error>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::Io(error.into())
    }
}

/// Hears of each stage when it is proved: after how many seconds, and what it was.
pub(crate) type Say<'a> = &'a mut dyn FnMut(f64, &str) -> io::Result<()>;

/// Rehearses, and tells each stage when it is proved. Status 1 where one is not.
pub(crate) fn run(dir: &Path, count: usize, lang: Lang) -> ExitCode {
    match prove(dir, count, lang, &mut |seconds, what| writeln!(io::stdout().lock(), "{seconds:5.1} s  {what}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let colon = lang.pick(": ", "：");
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr(), "boxwright{colon}--rehearse {count}{colon}{why}");
            ExitCode::FAILURE
        }
    }
}

/// Rehearses; errors say which stage was not seen in time, or what the machine refused.
pub(crate) fn prove(dir: &Path, count: usize, lang: Lang, say: Say<'_>) -> Result<(), String> {
    rehearse(dir, count, lang, say).map_err(|failed| match failed {
        Failed::Io(error) => errno::why_io(&error),
        Failed::Late(what, seen) => {
            lang.pick(format!("{what}: only {seen} of {count}"), format!("{what}：{count} 个里只有 {seen} 个"))
        }
    })
}

fn rehearse(dir: &Path, count: usize, lang: Lang, say: Say<'_>) -> Result<(), Failed> {
    let began = Instant::now();
    let mut class = Class::start(dir, count)?;
    let mut say = |what: String| say(began.elapsed().as_secs_f64(), &what);
    let there = lang.pick("sessions stand on the board, and are asked", "个会话出现在看板上，正在答题");
    class.until(there, |room, names| ours(room, names).filter(|card| card.question.is_some()).count())?;
    say(format!("{count} {there}"))?;

    let mut expected = vec![0; ANSWERS];
    for (number, learner) in class.learners.iter_mut().enumerate() {
        let answer = number % ANSWERS;
        if let Some(count) = expected.get_mut(answer) {
            *count += 1;
        }
        learner.says(&format!("{}\n", answer + 1))?;
    }
    let answered = lang.pick("answers are counted", "个回答都统计到了");
    class.until(answered, |room, names| {
        ours(room, names).filter(|card| card.question.as_ref().is_some_and(|asked| asked.answer.is_some())).count()
    })?;
    // Nobody else may be here for that.
    let room = room(dir)?;
    let alone = room.cards.len() == count;
    let right = board::answers(&room).is_some_and(|answers| answers.chosen == expected && answers.waiting == 0);
    if alone && !right {
        return Err(Failed::Late(answered, 0));
    }
    let chosen: Vec<String> = expected.iter().map(usize::to_string).collect();
    say(format!("{count} {answered} ({})", chosen.join(", ")))?;

    let hands = count.div_ceil(4);
    for learner in class.learners.iter_mut().step_by(4) {
        learner.says("H\n")?;
    }
    let raised = lang.pick("hands are seen, before all others", "只手都看到了，排在最前面");
    let wanted = move |seen: usize| seen + (count - hands);
    class.until(raised, |room, names| {
        let first = room.cards.iter().take_while(|signed| signed.card.flag == Some(Flag::Help));
        wanted(first.filter(|signed| names.contains(&signed.name.as_str())).count())
    })?;
    say(format!("{hands} {raised}"))?;

    class.leave()?;
    let gone = lang.pick("sessions have left, and nothing of them is there", "个会话都已离开，什么也没留下");
    class.until(gone, |room, names| names.len() - ours(room, names).count().min(names.len()))?;
    say(format!("{count} {gone}"))?;
    Ok(())
}

/// The cards of these names.
fn ours<'a>(room: &'a Room, names: &'a [&str]) -> impl Iterator<Item = &'a super::Card> {
    room.cards.iter().filter(|signed| names.contains(&signed.name.as_str())).map(|signed| &signed.card)
}

impl Learner {
    fn says(&mut self, line: &str) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(line.as_bytes()))
    }
}

impl<'a> Class<'a> {
    fn start(dir: &'a Path, count: usize) -> Result<Class<'a>, Failed> {
        let news = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let kinds = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_MOVED_FROM | AddWatchFlags::IN_DELETE;
        // Watched before anybody writes: nothing is missed.
        news.add_watch(dir, kinds | AddWatchFlags::IN_ONLYDIR)?;
        let within = PATIENCE + EACH.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let mut class = Class { dir, learners: Vec::new(), news, within };
        for number in 1..=count {
            // Their names are those of this rehearsal alone.
            let name = format!("rehearsal {} {number}", std::process::id());
            let mut command = Command::new("/proc/self/exe");
            // Nobody's progress is kept: below this there can be nothing.
            command.args(["--plain", STEP, "--name", &name, "--class"]).arg(dir).env("XDG_STATE_HOME", "/dev/null");
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn()?;
            let process = pidfd::open(Pid::of(&child))?;
            class.learners.push(Learner { child, process, name });
        }
        Ok(class)
    }

    /// Waits until as many as there are sessions are counted.
    fn until(&self, what: &'static str, count: impl Fn(&Room, &[&str]) -> usize) -> Result<(), Failed> {
        let names: Vec<&str> = self.learners.iter().map(|learner| learner.name.as_str()).collect();
        let deadline = Instant::now() + self.within;
        loop {
            let seen = count(&room(self.dir)?, &names);
            if seen >= names.len() {
                return Ok(());
            }
            let mut fds = [PollFd::new(self.news.as_fd(), PollFlags::POLLIN)];
            if !wait(&mut fds, deadline)? {
                return Err(Failed::Late(what, seen));
            }
            while self.news.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
    }

    /// All of them leave by themselves.
    fn leave(&mut self) -> Result<(), Failed> {
        for learner in &mut self.learners {
            // Who has ended already cannot be told.
            let _ = learner.says("q\n");
            drop(learner.child.stdin.take());
        }
        let deadline = Instant::now() + self.within;
        for (number, learner) in self.learners.iter_mut().enumerate() {
            if !wait(&mut [PollFd::new(learner.process.as_fd(), PollFlags::POLLIN)], deadline)? {
                return Err(Failed::Late("q", number));
            }
            learner.child.wait()?;
        }
        Ok(())
    }
}

/// Whether something came before the deadline.
fn wait(fds: &mut [PollFd], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll(fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

impl Drop for Class<'_> {
    fn drop(&mut self) {
        for learner in &mut self.learners {
            // A session that is asked to end removes what it made; most have ended already.
            let _ = learner.says("q\n");
            drop(learner.child.stdin.take());
        }
        let deadline = Instant::now() + EACH;
        for learner in &mut self.learners {
            let ended = wait(&mut [PollFd::new(learner.process.as_fd(), PollFlags::POLLIN)], deadline);
            if !ended.unwrap_or(false) {
                let _ = pidfd::kill(learner.process.as_fd());
            }
            let _ = learner.child.wait();
        }
    }
}
