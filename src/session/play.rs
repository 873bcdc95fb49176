//! A step as it is played: read, predict, run, observe, explain.

use super::{
    Action, Event, Evidence, Lacking, Notice, Outcome, Phase, Proof, Report, Wish,
    flood::{MAX_CALLS, thin},
    stage::{Running, Shell, Stage, StepRun, Terminals},
};
use crate::{
    lesson::{Block, Check, Lesson, TerminalId},
    trace::{Hold, TraceEvent},
};
use std::time::Duration;

/// How long a headless run waits for a prompt or for a check; a learner may take for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same where CPU use is measured: on a machine that is busy otherwise, the group may not get what it may use.
const MEASURING: Duration = Duration::from_secs(40);

/// A lesson being played.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) lesson: Lesson,
    pub(super) auto: bool,
    pub(super) lacking: Lacking,
    /// How many times as long as usual is waited.
    slowness: u32,
    pub(super) stage: Stage,
    pub(super) step: StepRun,
    pub(super) terminals: Terminals,
    pub(super) evidence: Evidence,
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// The newest sample that was asked for, and the newest that came.
    pub(super) wanted: u64,
    pub(super) seen: u64,
    pub(super) notice: Option<Notice>,
    /// What the kernel counted when the limits were tested, in all steps so far.
    pub(super) proof: Proof,
    /// The image that the user has chosen cannot be used.
    pub(super) imageless: bool,
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
            stage: Stage::NotStarted,
            step: StepRun::default(),
            terminals: Terminals::default(),
            evidence: Evidence::default(),
            outcomes,
            wanted: 0,
            seen: 0,
            notice: None,
            proof: Proof::default(),
            imageless: false,
        }
    }

    /// The same on a machine that needs so many times as long for everything.
    pub(crate) fn slowed(self, slowness: u32) -> Session {
        Session { slowness: slowness.max(1), ..self }
    }

    /// The same behind another session of the same engine, whose samples were counted up to this number: it waits for newer ones.
    pub(crate) fn after_sample(self, number: u64) -> Session {
        Session { wanted: number, seen: number, ..self }
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
                self.step.touched = true;
                self.step.own = true;
                if self.terminals.shells.get(&terminal) == Some(&Shell::Idle) {
                    self.terminals.begins(terminal);
                }
            }
            Event::Submitted(terminal, line) => self.took(terminal, line, &mut out),
            Event::HalfTyped(terminal, true) => {
                self.terminals.half_typed.insert(terminal);
            }
            Event::HalfTyped(terminal, false) => {
                self.terminals.half_typed.remove(&terminal);
            }
            Event::Closed(terminal) => {
                self.terminals.shells.insert(terminal, Shell::Ended);
                self.terminals.half_typed.remove(&terminal);
                self.terminals.held.retain(|(place, _)| *place != terminal);
                self.terminals.guarded.retain(|(place, ..)| *place != terminal);
                if self.terminals.take_running(terminal).is_some() {
                    self.notice = Some(Notice::Ended(terminal));
                    if self.auto || self.is_replaying() {
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
                let postponed = std::mem::take(&mut self.step.postponed) && !self.auto && !self.is_replaying();
                if postponed && matches!(self.phase(), Phase::Due(_)) {
                    self.type_due(&mut out);
                }
                self.go_on(&mut out);
            }
            Event::Deadline => self.deadline(&mut out),
            Event::Wish(wish) => self.wish(wish, &mut out),
            // The rest concerns the code that shows the session.
            _ => {}
        }
        self.notice = self.notice.take().filter(|notice| self.still(notice));
        out
    }

    /// Whether the cause of a notice is still there.
    fn still(&self, notice: &Notice) -> bool {
        match notice {
            Notice::Busy(terminal) => self.terminals.shells.get(terminal) == Some(&Shell::Busy),
            Notice::HalfTyped(terminal) => self.terminals.half_typed.contains(terminal),
            Notice::Ended(terminal) => self.terminals.shells.get(terminal) == Some(&Shell::Ended),
            Notice::AnswerFirst => matches!(self.phase(), Phase::Asking(_)),
            Notice::Lost => self.is_lost(),
            Notice::NotRebuilt(_) | Notice::NoImage(..) | Notice::Stumbled(..) => true,
        }
    }

    pub(super) fn wish(&mut self, wish: Wish, out: &mut Vec<Action>) {
        self.notice = None;
        self.step.postponed = false;
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
                Phase::Preparing(..) | Phase::Running | Phase::Checking(_) | Phase::Guarded | Phase::Free => {}
            },
            Wish::Answer(answer) => {
                if let Phase::Asking(block) = self.phase()
                    && let Some(Block::Predict(predict)) = self.block(block)
                    && answer < predict.options.len()
                {
                    out.push(Action::Report(Report::Answered(self.step.index, block, answer == predict.answer)));
                    self.step.answers.insert(block, answer);
                    self.go_on(out);
                }
            }
            Wish::Hint => {
                self.step.hints = self.rungs().min(self.step.hints + 1);
            }
            Wish::StepCall => out.extend(self.terminals.held.first().map(|(_, call)| Action::Step(call.pid))),
            Wish::Instead(pid, instead) => {
                let held = self.terminals.held.iter().find(|(_, call)| call.pid == pid);
                // Once more, for a call that has changed since it was looked at.
                let known = held.filter(|(_, call)| call.allows(instead));
                out.extend(known.map(|_| Action::Instead(pid, instead)));
            }
            Wish::Allow(allow) => self.allow(allow, out),
            Wish::RunOn => {
                self.terminals.holding = false;
                self.step.ran_on = self.step.armed.is_some();
                for terminal in TerminalId::ALL {
                    out.push(Action::RunOn(terminal));
                }
            }
            Wish::RunUntil(name) => {
                self.terminals.holding = true;
                out.push(Action::Hold(TerminalId::Container, Hold::Until(name)));
                out.extend(self.terminals.held.iter().map(|(_, call)| Action::Step(call.pid)));
            }
            Wish::ToggleHold => {
                self.terminals.holding = !self.terminals.holding;
                // The shells start unheld: `begin` holds what comes after.
                if !self.is_replaying() {
                    let hold = if self.terminals.holding { Hold::Every } else { Hold::Off };
                    out.push(Action::Hold(TerminalId::Container, hold));
                }
            }
        }
    }

    pub(super) fn block(&self, index: usize) -> Option<&Block> {
        self.step().and_then(|step| step.blocks.get(index))
    }

    pub(super) fn prompt(&mut self, terminal: TerminalId, status: i32, out: &mut Vec<Action>) {
        self.terminals.shells.insert(terminal, Shell::Idle);
        if self.step.armed.is_some_and(|(_, armed)| armed == terminal) && std::mem::take(&mut self.step.ran_on) {
            self.step.armed = None;
        }
        if let Some(Running { block, run }) = self.terminals.take_running(terminal) {
            out.push(Action::Deadline(None));
            // What follows was written for the state that this line should have made. Elsewhere, such as on the host
            // instead of in a container, it might do harm.
            if status != 0 && !run.may_fail() {
                block.map(|block| self.step.ran.remove(&block));
                return self.stumble(&run, status, out);
            }
            // What was held by itself has ended, and the next line is not.
            if self.terminals.holding && self.step.due.is_empty() && !self.is_replaying() {
                self.terminals.holding = false;
                out.push(Action::Hold(terminal, Hold::Off));
            }
        }
        self.look(out);
        self.step.shown_by = self.wanted;
        self.go_on(out);
    }

    pub(super) fn trace(&mut self, terminal: TerminalId, event: TraceEvent, out: &mut Vec<Action>) {
        match event {
            TraceEvent::Syscall(_, event) => {
                self.step.changed |= event.is_changed();
                self.terminals.count(terminal, event.call.syscall.name());
                self.evidence.calls.push(event);
                thin(&mut self.evidence.calls);
                self.look(out);
            }
            TraceEvent::Held(_, call) => {
                if self.auto {
                    out.push(Action::Step(call.pid));
                } else {
                    self.terminals.held.push((terminal, call));
                    self.look(out);
                }
            }
            TraceEvent::Guarded(_, call, harm) => self.guard(terminal, call, harm, out),
            TraceEvent::Released(_, pid) => {
                self.terminals.held.retain(|(_, call)| call.pid != pid);
                self.terminals.guarded.retain(|(_, call, _)| call.pid != pid);
            }
            TraceEvent::Exit { comm, ended, .. } => {
                if self.evidence.ends.len() < MAX_CALLS {
                    self.evidence.ends.push((comm, ended));
                }
                self.look(out);
            }
            TraceEvent::Refused(_, reason) => self.evidence.untraced = Some(reason),
            TraceEvent::Noted { .. } | TraceEvent::Finished(..) => {}
        }
        self.go_on(out);
    }

    pub(super) fn is_replaying(&self) -> bool {
        matches!(self.stage, Stage::Replaying(_))
    }

    /// Asks for a sample that shows what has happened up to now.
    pub(super) fn look(&mut self, out: &mut Vec<Action>) {
        self.wanted += 1;
        out.push(Action::Sample(self.wanted));
    }

    /// Begins a step whose state is there.
    pub(super) fn begin(&mut self, out: &mut Vec<Action>) {
        self.stage = Stage::Playing;
        self.step = StepRun::new(self.step.index);
        self.evidence.begin();
        self.note_container();
        out.push(Action::Watch(self.asked(), self.asks_networks(), self.probes()));
        if self.terminals.holding {
            out.push(Action::Hold(TerminalId::Container, Hold::Every));
        }
        if let Some(outcome) = self.outcomes.get_mut(self.step.index) {
            *outcome = None;
        }
        out.push(Action::Report(Report::Step(self.step.index)));
        if let Some(reason) = self.lack() {
            self.close(Outcome::Skipped(reason), out);
        } else {
            self.go_on(out);
        }
    }
}
