//! A lesson as data. Prose is Markdown text; instructions are typed.

use super::requirement::Requirement;
use crate::{kernel::namespaces::Kind, lang::Lang};
use std::collections::BTreeMap;

/// Which of the two terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TerminalId {
    /// The one in which the container is made.
    #[default]
    Container,
    /// A shell that stays outside.
    Host,
}

impl TerminalId {
    /// Both, in screen order.
    pub const ALL: [TerminalId; 2] = [TerminalId::Container, TerminalId::Host];

    /// The name in lesson files and events.
    pub(crate) fn name(self) -> &'static str {
        match self {
            TerminalId::Container => "container",
            TerminalId::Host => "host",
        }
    }

    /// What it is called on screen and in transcripts.
    pub(crate) fn label(self, lang: Lang) -> &'static str {
        match self {
            TerminalId::Container => lang.pick("container", "容器"),
            TerminalId::Host => lang.pick("host", "宿主机"),
        }
    }
}

/// A lesson in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// The folder's name, such as `isolate`.
    pub id: String,
    /// The language of the prose.
    pub lang: Lang,
    /// The heading of the lesson.
    pub title: String,
    /// One line for the opening screen.
    pub summary: String,
    /// What the lesson says before its first step (Markdown).
    pub intro: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether it came from a directory and not from this binary: its commands need the user's consent.
    pub foreign: bool,
}

/// A step of a lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The stable name, such as `one-call-at-a-time`.
    pub id: String,
    /// The heading.
    pub title: String,
    /// Whether the step begins in new terminals; otherwise it goes on from the state that the step before it left.
    pub fresh: bool,
    /// Whether this is the challenge: no command is given, only the kernel's state is judged.
    pub challenge: bool,
    /// Prose and instructions, in order.
    pub blocks: Vec<Block>,
    /// The line of the heading in the file, from 1.
    pub line: usize,
}

/// One block of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Markdown text to read before acting.
    Prose(String),
    /// A question to commit to before the command runs.
    Predict(Predict),
    /// A command to type.
    Run(Run),
    /// Facts that must hold before the step goes on. The block passes at the first moment at which all of them hold
    /// *together*, and stays passed; it is judged only after the blocks before it. Calls and endings count since the
    /// step began.
    Check(Vec<Check>),
    /// Rungs of help: a nudge, the idea, the command.
    Hint(String),
    /// Markdown text shown once the checks before it hold.
    Why(String),
    /// Markdown text for the speaker alone.
    Note(String),
    /// Commands that solve a challenge: hidden from the learner, run by tests and headless.
    Solution(Vec<Run>),
    /// What the machine must offer for this step.
    Requires(Vec<Requirement>),
    /// What of the machine itself the step changes, in the words of [`crate::kernel::harm::Harm::WORDS`].
    Changes(Vec<String>),
}

/// A question with one right answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predict {
    /// The question.
    pub question: String,
    /// The answers, in order.
    pub options: Vec<String>,
    /// The index of the right one.
    pub answer: usize,
}

/// A command line typed into a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The terminal.
    pub terminal: TerminalId,
    /// The line, without its newline. `{container}` in it becomes the host PID of the container process when the line is
    /// typed.
    pub line: String,
    /// Whether its calls are held, to be stepped one at a time.
    pub hold: bool,
    /// Whether the experiment is meant to fail: its failure is what the step shows. The line then ends with a status
    /// other than 0; a line without this flag ends with 0 or leaves a new shell at its prompt.
    pub fails: bool,
    /// Whether the command does not come back by itself: the step goes on without waiting for a prompt. Replays leave it
    /// out, and the Ctrl-C that ends it.
    pub busy: bool,
    /// Whether the line only shows something: it stays offered after the facts hold, until it has run or is passed over.
    pub look: bool,
    /// Whether the line names the image that the user has chosen. Where that image cannot be used, neither can the lesson.
    pub image: bool,
    /// The line of the instruction in the file, from 1.
    pub at: usize,
}

/// The line that is not typed but sent as the key that it names: Ctrl-C.
pub const INTERRUPT: &str = "^C";

impl Run {
    /// Whether another status than 0 is all right: where failing is the point, and where a shell ends, because a shell in
    /// a PID namespace cannot give the terminal back and then ends with a status of its own.
    pub(crate) fn may_fail(&self) -> bool {
        self.fails || self.interrupts() || self.line == "exit"
    }

    /// Whether it is Ctrl-C.
    pub(crate) fn interrupts(&self) -> bool {
        self.line == INTERRUPT
    }
}

/// Where a fact is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the container process's namespaces.
    Inside,
    /// In boxwright's own.
    Host,
}

/// How a call ended, as far as a check cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// It failed with this errno name.
    Failed(String),
}

/// How a process ended, as far as a check cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Status(i32),
    /// By this signal, such as `SIGKILL`.
    Signal(String),
}

/// What stands for the container process's host PID in a line or a text of a lesson.
pub const CONTAINER: &str = "{container}";

/// A fact of the kernel, with the text that the learner sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The fact.
    pub fact: Fact,
    /// The sentence shown beside the tick mark, in the lesson's language.
    pub text: String,
    /// The instruction as written, without the sentence and `keeps`: the same in every language.
    pub source: String,
    /// Whether the fact holds before the block's commands already, and must still hold after them (`keeps`). Every other
    /// fact is one that the commands bring about.
    pub keeps: bool,
    /// The line of the instruction in the file, from 1.
    pub at: usize,
}

impl Check {
    /// Whether it needs some seconds by itself: CPU use is an average over a time, and a period of a quota has to pass.
    pub(crate) fn measures(&self) -> bool {
        matches!(self.fact, Fact::Group(GroupFact::Cpu(..) | GroupFact::Grew(Counter::Throttled)))
    }

    /// Whether it is about something that happens after the step has begun, and so cannot hold before.
    pub(crate) fn happens(&self) -> bool {
        let counted = GroupFact::Grew(Counter::OomKills);
        self.measures()
            || matches!(self.fact, Fact::Call(..) | Fact::Ended(..) | Fact::Leaked(_))
            || self.fact == Fact::Group(counted)
    }
}

/// The vocabulary of checks. Each is decided by a sample or by the calls since the step began, never by typed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `namespace uts,ipc new|same`: the container process's links differ from (equal) the host's.
    Namespace(Vec<Kind>, bool),
    /// `pid-for-children new|same`: the container process's next child is born in another (the same) PID namespace; one
    /// that was not made yet counts as another.
    ForChildren(bool),
    /// `hostname inside|host is NAME`.
    Hostname(Where, String),
    /// `hostname inside|host is-not NAME`.
    HostnameNot(Where, String),
    /// `processes inside only A,B`: exactly these program names live in the container's PID namespace.
    ProcessesOnly(Vec<String>),
    /// `process inside|host NAME`: a program of this name runs in that PID namespace.
    Process(Where, String),
    /// `init NAME`: PID 1 of the container's PID namespace runs this program.
    Init(String),
    /// `capabilities all|fewer`: the container process has every capability that boxwright has, or lacks some.
    Capabilities(bool),
    /// `no-new-privs on|off`: execve(2) can no longer give the container process more than it has, or still can.
    NoNewPrivs(bool),
    /// `adopted NAME`: a program of this name inside has PID 1 as its parent.
    Adopted(String),
    /// `proc host|own`: `/proc` inside shows the host's processes, or the container's own.
    ProcShowsHost(bool),
    /// `mount inside|host PATH FSTYPE`.
    Mount(Where, String, String),
    /// `no-mount inside|host PATH [FSTYPE]`.
    NoMount(Where, String, Option<String>),
    /// `interfaces inside|host only A,B`.
    InterfacesOnly(Where, Vec<String>),
    /// `interface inside|host NAME up|down`.
    Interface(Where, String, bool),
    /// `listening inside|host PORT`: a TCP socket listens there. 0 stands for `{port}` until [`super::load`] fills it in.
    Listening(Where, u16),
    /// `not-listening inside|host PORT`.
    NotListening(Where, u16),
    /// `sysv inside|host some|none`: whether System V objects exist there.
    Sysv(Where, bool),
    /// `call NAME ok|ERRNO [TEXT]`: such a call was made since the step began, with TEXT somewhere in its arguments.
    /// The NAME `fork` stands for vfork, clone and clone3 as well.
    Call(String, Outcome, Option<String>),
    /// `ended NAME status N` or `ended NAME signal SIGNAL`: such a process ended since the step began.
    Ended(String, End),
    /// `file inside|host PATH present|absent`, `file inside|host PATH contains TEXT`.
    File(Where, String, FileFact),
    /// `group …`: the session's own control group.
    Group(GroupFact),
    /// `in-group NAME yes|no|CONTROLLER`: a process of this name is a member of that group.
    InGroup(String, Member),
    /// `leaked PATH`: a process in another mount namespace has mounted what is mounted there in the container.
    Leaked(String),
    /// `handle outside`: the container process has a directory open that lies outside its root.
    HandleOutside,
    /// `scorecard isolated|rooted|limited|entered on|off`.
    Scorecard(String, bool),
    /// `alone`: nothing in the terminal is isolated (any more).
    Alone,
}

/// What it means to be a member of the session's own control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// In every hierarchy in which the group exists.
    Everywhere,
    /// In none.
    Nowhere,
    /// In the hierarchy of this controller.
    Of(String),
}

/// What is asked of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFact {
    /// It exists, or not.
    Present(bool),
    /// This text is in it.
    Contains(String),
    /// It is this device, such as `c 1:3`.
    Device(String),
}

/// What is asked of the session's own control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupFact {
    /// It exists, or not.
    Exists(bool),
    /// The kernel's value of a setting; `None` for no limit.
    Setting(Setting, Option<u64>),
    /// The quota allows so many percent of one CPU.
    Share(u64),
    /// At least so many bytes of the group's memory are in swap.
    Swapped(u64),
    /// CPU use over at least three seconds, in percent of one CPU: from, to.
    Cpu(u64, u64),
    /// A counter is greater than when the step began.
    Grew(Counter),
}

/// A setting of a control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// CPU time a period, in microseconds.
    Quota,
    /// The period, in microseconds.
    Period,
    /// Memory in bytes.
    Memory,
    /// The limit of memory and swap together in bytes.
    MemoryAndSwap,
    /// Processes.
    Pids,
}

/// A counter of a control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Periods in which it was throttled.
    Throttled,
    /// Processes that the OOM killer has killed in it.
    OomKills,
}

/// A place in a lesson file where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct Problem {
    /// The file, as the reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// One sentence.
    pub what: String,
}

/// A lesson in every language that it exists in.
pub type Translations = BTreeMap<&'static str, Lesson>;
