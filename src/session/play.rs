//! A step as it is played: read, predict, run, observe, explain.

use super::{
    Action, Event, Evidence, GuardedCall, HeldCall, Lacking, Notice, Outcome, OwnLine, Phase, Proof, Ran, Report,
    Verdict, Wish,
    flood::{MOST_CALLS, thin},
    replay::Replay,
};
use crate::{
    lesson::{Block, Check, Lesson, Run, TerminalId},
    trace::{Hold, TraceEvent},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// How long a headless run waits for a prompt or for a check; a learner may take for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same where CPU use is measured: on a machine that is busy otherwise, the group may not get what it may use.
const MEASURING: Duration = Duration::from_secs(40);

/// A lesson being played.
#[derive(Debug)]
pub struct Session {
    pub(super) lesson: Lesson,
    pub(super) auto: bool,
    pub(super) lacking: Lacking,
    /// How many times as long as usual is waited.
    slowness: u32,
    pub(super) replay: Option<Replay>,
    pub(super) step: usize,
    pub(super) at: usize,
    pub(super) due: VecDeque<Run>,
    pub(super) waiting: Option<TerminalId>,
    /// The line whose prompt is waited for, and its block.
    pub(super) typed: Option<(Option<usize>, Run)>,
    /// The line that was last typed into each terminal by the session: when the shell takes it, that is not news.
    pub(super) sent: BTreeMap<TerminalId, String>,
    pub(super) shells: BTreeMap<TerminalId, Shell>,
    /// The last line of this step that each terminal's shell took; `None` where it is not known.
    pub(super) submitted: BTreeMap<TerminalId, Option<String>>,
    /// Terminals with something typed at their prompt.
    pub(super) half_typed: BTreeSet<TerminalId>,
    pub(super) evidence: Evidence,
    pub(super) touched: bool,
    /// Whether the learner typed something of their own since the last block of checks passed.
    pub(super) own: bool,
    pub(super) solved: bool,
    /// What became of the commands of the step, by block.
    pub(super) ran: BTreeMap<usize, Ran>,
    /// The blocks of checks that have held.
    pub(super) passed: BTreeSet<usize>,
    /// Blocks of checks that did not hold when they were last looked at since the session typed something.
    pub(super) failed: BTreeSet<usize>,
    /// Whether the step goes on from a container.
    pub(super) inside: bool,
    /// Blocks that the learner went past, straight to the goal.
    pub(super) straight: BTreeSet<usize>,
    /// What else ran in this step, oldest first.
    pub(super) own_lines: Vec<OwnLine>,
    pub(super) answers: BTreeMap<usize, usize>,
    pub(super) hints: usize,
    pub(super) held: Vec<HeldCall>,
    pub(super) guarded: Vec<GuardedCall>,
    pub(super) holding: bool,
    /// The line that is due and holds each call, whoever types it, and its terminal.
    pub(super) armed: Option<(usize, TerminalId)>,
    /// The calls of a command were let go while such a line was due: those of the next one are held again.
    pub(super) ran_on: bool,
    pub(super) verdicts: BTreeMap<usize, Vec<Verdict>>,
    pub(super) outcomes: Vec<Option<Outcome>>,
    pub(super) wanted: u64,
    pub(super) seen: u64,
    pub(super) notice: Option<Notice>,
    pub(super) finished: bool,
    /// What the kernel counted when the limits were tested, in all steps so far.
    pub(super) proof: Proof,
    /// The block of checks that has a deadline.
    pub(super) pressed: Option<usize>,
    /// How often the end of waiting for the current checks was put off.
    pub(super) put_off: usize,
    /// The learner asked for a command that names a process, before it was known which one.
    pub(super) postponed: bool,
    /// The image that the user has chosen cannot be used.
    pub(super) imageless: bool,
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

impl Session {
    /// A session of this lesson that waits for [`Wish::GoTo`]. `auto` goes through it without a learner.
    pub fn new(lesson: Lesson, auto: bool, lacking: Lacking) -> Session {
        let outcomes = vec![None; lesson.steps.len()];
        Session {
            lesson,
            auto,
            lacking,
            slowness: 1,
            replay: None,
            step: 0,
            at: 0,
            due: VecDeque::new(),
            waiting: None,
            typed: None,
            sent: BTreeMap::new(),
            shells: BTreeMap::new(),
            submitted: BTreeMap::new(),
            half_typed: BTreeSet::new(),
            evidence: Evidence::default(),
            touched: false,
            own: false,
            solved: false,
            ran: BTreeMap::new(),
            passed: BTreeSet::new(),
            straight: BTreeSet::new(),
            failed: BTreeSet::new(),
            inside: false,
            own_lines: Vec::new(),
            answers: BTreeMap::new(),
            hints: 0,
            held: Vec::new(),
            guarded: Vec::new(),
            holding: false,
            armed: None,
            ran_on: false,
            verdicts: BTreeMap::new(),
            outcomes,
            wanted: 0,
            seen: 0,
            notice: None,
            finished: false,
            proof: Proof::default(),
            pressed: None,
            put_off: 0,
            postponed: false,
            imageless: false,
        }
    }

    /// The same on a machine that needs so many times as long for everything.
    pub(crate) fn slowed(self, slowness: u32) -> Session {
        Session { slowness: slowness.max(1), ..self }
    }

    /// How long to wait for a prompt, and for a check that measures nothing.
    pub(super) fn patience(&self) -> Duration {
        PATIENCE * self.slowness
    }

    /// The same for these checks.
    pub(super) fn patience_for(&self, checks: &[Check]) -> Duration {
        if checks.iter().any(Check::measures) { MEASURING * self.slowness } else { self.patience() }
    }

    /// Takes in what happened; gives what is to be done, in order.
    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Prompt(terminal, status, _) => self.prompt(terminal, status, &mut out),
            Event::Typed(terminal) => {
                self.touched = true;
                self.own = true;
                if self.shells.get(&terminal) == Some(&Shell::Idle) {
                    self.shells.insert(terminal, Shell::Busy);
                }
            }
            Event::Submitted(terminal, line) => self.took(terminal, line, &mut out),
            Event::HalfTyped(terminal, true) => {
                self.half_typed.insert(terminal);
            }
            Event::HalfTyped(terminal, false) => {
                self.half_typed.remove(&terminal);
            }
            Event::Closed(terminal) => {
                self.shells.insert(terminal, Shell::Ended);
                self.half_typed.remove(&terminal);
                self.held.retain(|(place, _)| *place != terminal);
                self.guarded.retain(|(place, ..)| *place != terminal);
                if self.waiting == Some(terminal) {
                    self.waiting = None;
                    self.notice = Some(Notice::Ended(terminal));
                    if self.auto || self.replay.is_some() {
                        self.fail(self.lesson.lang.pick("the shell ended", "shell 结束了").into(), &mut out);
                    }
                }
                self.look(&mut out);
            }
            Event::Trace(terminal, event) => self.trace(terminal, event, &mut out),
            Event::Sample(number, sample) => {
                self.seen = self.seen.max(number);
                self.evidence.remember(&sample);
                self.evidence.sample = Some(sample);
                self.note_container();
                let postponed = std::mem::take(&mut self.postponed) && !self.auto && self.replay.is_none();
                if postponed && matches!(self.phase(), Phase::Due(_)) {
                    self.type_due(&mut out);
                }
                self.go_on(&mut out);
            }
            Event::Deadline => self.deadline(&mut out),
            Event::Wish(wish) => self.wish(wish, &mut out),
            // The rest concerns whoever shows the session.
            _ => {}
        }
        self.notice = self.notice.take().filter(|notice| self.still(notice));
        out
    }

    /// Whether the cause of a notice is still there.
    fn still(&self, notice: &Notice) -> bool {
        match notice {
            Notice::Busy(terminal) => self.shells.get(terminal) == Some(&Shell::Busy),
            Notice::HalfTyped(terminal) => self.half_typed.contains(terminal),
            Notice::Ended(terminal) => self.shells.get(terminal) == Some(&Shell::Ended),
            Notice::AnswerFirst => matches!(self.phase(), Phase::Asking(_)),
            Notice::Lost => self.is_lost(),
            Notice::NotRebuilt(_) | Notice::NoImage(..) | Notice::Stumbled(..) => true,
        }
    }

    pub(super) fn wish(&mut self, wish: Wish, out: &mut Vec<Action>) {
        self.notice = None;
        self.postponed = false;
        match wish {
            Wish::GoTo(step) => {
                self.leave_for(step, out);
                self.rebuild(step, out);
            }
            Wish::PassOver => self.pass_over(out),
            Wish::Go => match self.phase() {
                Phase::Due(_) => {
                    self.type_due(out);
                    self.go_on(out);
                }
                Phase::Asking(_) => self.notice = Some(Notice::AnswerFirst),
                Phase::Done | Phase::Blocked(_) => self.next_step(out),
                Phase::Held => self.wish(Wish::StepCall, out),
                Phase::Preparing(..) | Phase::Running | Phase::Checking(_) | Phase::Guarded => {}
            },
            Wish::Answer(answer) => {
                if let Phase::Asking(block) = self.phase()
                    && let Some(Block::Predict(predict)) = self.block(block)
                    && answer < predict.options.len()
                {
                    out.push(Action::Report(Report::Answered(self.step, block, answer == predict.answer)));
                    self.answers.insert(block, answer);
                    self.go_on(out);
                }
            }
            Wish::Hint => {
                self.hints = self.rungs().min(self.hints + 1);
            }
            Wish::StepCall => out.extend(self.held.first().map(|(_, call)| Action::Step(call.pid))),
            Wish::Allow(allow) => self.allow(allow, out),
            Wish::RunOn => {
                self.holding = false;
                self.ran_on = self.armed.is_some();
                for terminal in TerminalId::ALL {
                    out.push(Action::RunOn(terminal));
                }
            }
            Wish::RunUntil(name) => {
                self.holding = true;
                out.push(Action::Hold(TerminalId::Container, Hold::Until(name)));
                out.extend(self.held.iter().map(|(_, call)| Action::Step(call.pid)));
            }
            Wish::ToggleHold => {
                self.holding = !self.holding;
                let hold = if self.holding { Hold::Every } else { Hold::Off };
                out.push(Action::Hold(TerminalId::Container, hold));
            }
        }
    }

    pub(super) fn block(&self, index: usize) -> Option<&Block> {
        self.step().and_then(|step| step.blocks.get(index))
    }

    pub(super) fn prompt(&mut self, terminal: TerminalId, status: i32, out: &mut Vec<Action>) {
        self.shells.insert(terminal, Shell::Idle);
        if self.armed.is_some_and(|(_, armed)| armed == terminal) && std::mem::take(&mut self.ran_on) {
            self.armed = None;
        }
        if self.waiting == Some(terminal) {
            self.waiting = None;
            out.push(Action::Deadline(None));
            // What follows was written for the state that this line should have made. Elsewhere, such as on the host
            // instead of in a container, it might do harm.
            if let Some((block, run)) = self.typed.take().filter(|(_, run)| status != 0 && !run.may_fail()) {
                block.map(|block| self.ran.remove(&block));
                return self.stumble(&run, status, out);
            }
            // What was held by itself has ended, and the next line is not.
            if self.holding && self.due.is_empty() && self.replay.is_none() {
                self.holding = false;
                out.push(Action::Hold(terminal, Hold::Off));
            }
        }
        self.look(out);
        self.go_on(out);
    }

    pub(super) fn trace(&mut self, terminal: TerminalId, event: TraceEvent, out: &mut Vec<Action>) {
        match event {
            TraceEvent::Syscall(_, event) => {
                self.evidence.calls.push(event);
                thin(&mut self.evidence.calls);
                self.look(out);
            }
            TraceEvent::Held(_, call) => {
                if self.auto {
                    out.push(Action::Step(call.pid));
                } else {
                    self.held.push((terminal, call));
                    self.look(out);
                }
            }
            TraceEvent::Guarded(_, call, harm) => self.guard(terminal, call, harm, out),
            TraceEvent::Released(_, pid) => {
                self.held.retain(|(_, call)| call.pid != pid);
                self.guarded.retain(|(_, call, _)| call.pid != pid);
            }
            TraceEvent::Exit { comm, ended, .. } => {
                if self.evidence.ends.len() < MOST_CALLS {
                    self.evidence.ends.push((comm, ended));
                }
                self.look(out);
            }
            TraceEvent::Refused(_, reason) => self.evidence.untraced = Some(reason),
            TraceEvent::Noted { .. } | TraceEvent::Finished(..) => {}
        }
        self.go_on(out);
    }

    /// Drops what belongs to shells that are about to end.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.guarded.clear();
        self.due.clear();
        self.waiting = None;
        self.holding = false;
        self.notice = None;
        self.replay = None;
    }

    /// Asks for a sample that shows what has happened up to now.
    pub(super) fn look(&mut self, out: &mut Vec<Action>) {
        self.wanted += 1;
        out.push(Action::Sample(self.wanted));
    }

    /// Begins a step whose state is there.
    pub(super) fn begin(&mut self, out: &mut Vec<Action>) {
        self.at = 0;
        self.pressed = None;
        self.put_off = 0;
        self.postponed = false;
        (self.armed, self.ran_on) = (None, false);
        self.due.clear();
        self.touched = false;
        self.own = false;
        self.solved = false;
        self.ran.clear();
        self.passed.clear();
        self.straight.clear();
        self.failed.clear();
        self.inside = false;
        self.note_container();
        self.own_lines.clear();
        self.submitted.clear();
        self.answers.clear();
        self.hints = 0;
        self.verdicts.clear();
        self.evidence.calls.clear();
        self.evidence.ends.clear();
        // Counters are compared with what was last seen before the step's commands.
        self.evidence.history.drain(..self.evidence.history.len().saturating_sub(1));
        self.finished = false;
        out.push(Action::Watch(self.asked()));
        if let Some(outcome) = self.outcomes.get_mut(self.step) {
            *outcome = None;
        }
        out.push(Action::Report(Report::Step(self.step)));
        if let Some(reason) = self.lack() {
            self.close(Outcome::Skipped(reason), out);
        } else {
            self.go_on(out);
        }
    }
}
