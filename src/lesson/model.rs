//! A lesson as data. Prose is Markdown text; instructions are typed.

pub use super::asked::{Amount, Counter, Fact, FileFact, GroupFact, Member, Setting};
use super::{
    pack::Pack,
    requirement::Requirement,
    way::{Refusal, Way},
};
use crate::lang::Lang;

/// Which of the two terminals.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
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
    /// Where it came from; `None` where it is part of this binary.
    pub pack: Option<Pack>,
    /// Whether nothing is taught: the user does as they like, and nothing of it is judged or kept ([`mod@super::lab`]).
    pub free: bool,
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
    /// Whose shells its terminals have.
    pub shells: Shells,
    /// Whether this is the challenge: no command is given, only the kernel's state is judged.
    pub challenge: bool,
    /// Prose and instructions, in order.
    pub blocks: Vec<Block>,
    /// The line of the heading in the file, from 1.
    pub line: usize,
}

/// Whose shells the terminals of a step have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shells {
    /// Root's: where boxwright is not root, that of a user namespace which both terminals share.
    #[default]
    Root,
    /// Those of an ordinary user: the one who started boxwright or, where that was root, one without any rights.
    User,
    /// The same in the container terminal, and root's in the other one.
    UserAndRoot,
}

impl Shells {
    /// Whether this terminal has the shell of an ordinary user.
    pub(crate) fn is_users(self, terminal: TerminalId) -> bool {
        match self {
            Shells::Root => false,
            Shells::User => true,
            Shells::UserAndRoot => terminal == TerminalId::Container,
        }
    }
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
    Solution(Way),
    /// Commands that look like a solution and are none: hidden from the learner, and refused by the checks.
    Wrong(Way),
    /// The facts that refuse the wrong way before it; all others of the step hold.
    Refused(Vec<Refusal>),
    /// Commands that have run before the learner acts, and are not shown: what is to be repaired.
    Break(Vec<Run>),
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
    /// Whether replays leave it out: it takes long, and no later step counts on it.
    pub once: bool,
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
