//! What a session is made of: how far it is, the step as it is played, and its terminals. Each is replaced as a whole.

use super::{GuardedCall, HeldCall, OwnLine, Ran, Took, Verdict, replay::Replay};
use crate::lesson::{Run, TerminalId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How far a session is. In all of these there is a step to show ([`StepRun`]): the first one, the one that the replay leads
/// to, the one that is played, the last one.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// No step was gone to yet.
    NotStarted,
    /// The state that a step begins with is rebuilt.
    Replaying(Replay),
    /// A step is played.
    Playing,
    /// The last step has come to its end, and that was told.
    Finished,
}

/// A step as it is played, from its beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct StepRun {
    /// Which step.
    pub(super) index: usize,
    /// The first block that is not done.
    pub(super) at: usize,
    /// Lines of the hidden solution that are still to be typed.
    pub(super) due: VecDeque<Run>,
    /// Whether that was begun.
    pub(super) solved: bool,
    /// Whether the learner, or the session for them, has acted since the last block of checks passed.
    pub(super) touched: bool,
    /// The sample that shows what the last command has done.
    pub(super) shown_by: u64,
    /// Whether the learner typed something of their own since then.
    pub(super) own: bool,
    /// What became of the commands, by block.
    pub(super) ran: BTreeMap<usize, Ran>,
    /// The blocks of checks that have held.
    pub(super) passed: BTreeSet<usize>,
    /// Blocks of checks that did not hold when they were last looked at since the session typed something.
    pub(super) failed: BTreeSet<usize>,
    /// Blocks that the learner went past, straight to the goal.
    pub(super) straight: BTreeSet<usize>,
    /// Whether the step goes on from a container.
    pub(super) inside: bool,
    /// What else ran, oldest first.
    pub(super) own_lines: Vec<OwnLine>,
    /// All lines that the shells took, oldest first.
    pub(super) took: Vec<Took>,
    /// The last line that each terminal's shell took; `None` where it is not known.
    pub(super) submitted: BTreeMap<TerminalId, Option<String>>,
    /// The answers that were given, by block.
    pub(super) answers: BTreeMap<usize, usize>,
    /// How many rungs of help are shown.
    pub(super) hints: usize,
    /// The line that is due and holds each call, however it is typed, and its terminal.
    pub(super) armed: Option<(usize, TerminalId)>,
    /// The calls of a command were let go while such a line was due: those of the next one are held again.
    pub(super) ran_on: bool,
    /// The learner has changed a call, or made it fail: the state may be another one than the step's lines make.
    pub(super) changed: bool,
    /// The newest verdicts, by block.
    pub(super) verdicts: BTreeMap<usize, Vec<Verdict>>,
    /// The block of checks that has a deadline.
    pub(super) pressed: Option<usize>,
    /// How often the end of waiting for the current checks was put off.
    pub(super) put_off: usize,
    /// The learner asked for a command that names a process, before it was known which one.
    pub(super) postponed: bool,
}

impl StepRun {
    /// A step that nothing has happened in.
    pub(super) fn new(index: usize) -> StepRun {
        StepRun { index, ..StepRun::default() }
    }
}

/// Both terminals, since their shells were started.
#[derive(Clone, Debug, Default)]
pub(super) struct Terminals {
    pub(super) shells: BTreeMap<TerminalId, Shell>,
    /// The line whose prompt is waited for.
    pub(super) running: Option<Running>,
    /// The line that was last typed into each terminal by the session: when the shell takes it, that is not news.
    pub(super) sent: BTreeMap<TerminalId, String>,
    /// Terminals with something typed at their prompt.
    pub(super) half_typed: BTreeSet<TerminalId>,
    pub(super) held: Vec<HeldCall>,
    pub(super) guarded: Vec<GuardedCall>,
    /// Whether processes are held before every call.
    pub(super) holding: bool,
    /// How many calls of each name have returned in each terminal since its shell was given the line that runs.
    pub(super) returned: BTreeMap<TerminalId, BTreeMap<&'static str, usize>>,
}

impl Terminals {
    /// Shells that are being started.
    pub(super) fn starting() -> Terminals {
        Terminals { shells: TerminalId::ALL.map(|id| (id, Shell::Busy)).into(), ..Terminals::default() }
    }

    /// A line is given to the shell of this terminal.
    pub(super) fn begins(&mut self, terminal: TerminalId) {
        self.shells.insert(terminal, Shell::Busy);
        self.returned.remove(&terminal);
    }

    /// A call of this name has returned there.
    pub(super) fn count(&mut self, terminal: TerminalId, name: &'static str) {
        *self.returned.entry(terminal).or_default().entry(name).or_default() += 1;
    }

    /// Whether a line's prompt is waited for.
    pub(super) fn waits(&self) -> bool {
        self.running.is_some()
    }

    /// The line whose prompt is waited for in this terminal: it is not waited for any more.
    pub(super) fn take_running(&mut self, terminal: TerminalId) -> Option<Running> {
        self.running.take_if(|running| running.run.terminal == terminal)
    }
}

/// A line that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// Its block, where it is one of the step's own.
    pub(super) block: Option<usize>,
    pub(super) run: Run,
}

/// What a terminal's shell is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    /// It has not shown a prompt yet, or runs a command.
    Busy,
    /// It stands at its prompt.
    Idle,
    /// It has ended.
    Ended,
}
