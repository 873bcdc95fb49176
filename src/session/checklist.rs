//! A step as a checklist that the kernel ticks: which of its lines have run, however they came, and how far it is done.

use super::{
    Action, Session, Wish,
    alike::shows_the_same,
    stage::{Running, Shell},
};
use crate::{
    lesson::{Block, CONTAINER, Check, Fact, Run, TerminalId},
    terminal::shell::is_shell,
    trace::Hold,
};

/// What became of a line that a step offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It ran as it stands; with the PID that the container had then.
    Line(String),
    /// What it should bring about came about in another way.
    Otherwise,
    /// The learner passed over it.
    PassedOver,
}

/// A line of the learner's own that a shell ran in this step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnLine {
    /// The block that the step had come to.
    pub at: usize,
    /// Where it ran.
    pub terminal: TerminalId,
    /// As it was typed.
    pub line: String,
}

/// A line that a shell took in this step, whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Took {
    /// The block that the step had come to.
    pub at: usize,
    /// Where it ran.
    pub terminal: TerminalId,
    /// As it was typed, `{container}` in the place of the container's PID; `None` where it is not known.
    pub line: Option<String>,
}

/// How many own lines of a step are kept: a pasted file must not fill the memory.
pub(super) const MAX_LINES: usize = 200;

impl Session {
    /// A shell took a line: the step's own line is ticked off, however it came.
    pub(super) fn took(&mut self, terminal: TerminalId, line: Option<String>, out: &mut Vec<Action>) {
        self.step.submitted.insert(terminal, line.clone());
        self.note_taken(terminal, line.as_deref());
        let sent = self.terminals.sent.remove(&terminal);
        let Some(line) = line.filter(|line| !line.trim().is_empty()) else { return };
        if self.auto || self.is_replaying() || sent.is_some_and(|sent| is_same(&sent, &line)) {
            return;
        }
        self.notice = None;
        let Some((block, run)) = self.offers(terminal, &line) else {
            if self.step.own_lines.len() < MAX_LINES {
                self.step.own_lines.push(OwnLine { at: self.step.at, terminal, line });
            }
            return;
        };
        self.step.ran.insert(block, Ran::Line(line));
        if run.busy {
            self.look(out);
        } else if !self.terminals.waits() {
            self.terminals.running = Some(Running { block: Some(block), run });
        }
        self.go_on(out);
    }

    fn note_taken(&mut self, terminal: TerminalId, line: Option<&str>) {
        if self.is_replaying() || self.step.took.len() >= MAX_LINES || line.is_some_and(|line| line.trim().is_empty()) {
            return;
        }
        let pid = self.evidence.sample.as_ref().and_then(|sample| sample.container);
        let line = line.map(|line| match pid {
            Some(pid) => with_container(line, &pid.to_string()),
            None => line.to_string(),
        });
        self.step.took.push(Took { at: self.step.at, terminal, line });
    }

    /// The first line of the step, from where the learner is, that is this one and has not run.
    fn offers(&self, terminal: TerminalId, line: &str) -> Option<(usize, Run)> {
        let blocks = self.step()?.blocks.iter().enumerate().skip(self.step.at);
        blocks.into_iter().find_map(|(index, block)| match block {
            Block::Run(run) if run.terminal == terminal && self.is_open(index) => {
                let is_it = if run.look { shows_the_same(&run.line, line) } else { is_same(&run.line, line) };
                is_it.then(|| (index, run.clone()))
            }
            _ => None,
        })
    }

    /// Whether this terminal runs a program of the step that does not end by itself, such as a loop.
    pub(crate) fn works(&self, terminal: TerminalId) -> bool {
        let (Some(step), Some(line)) = (self.step(), self.submitted(terminal)) else { return false };
        let its_own = |block: &Block| matches!(block, Block::Run(run) if run.busy && run.terminal == terminal && is_same(&run.line, line));
        self.terminals.shells.get(&terminal) == Some(&Shell::Busy) && step.blocks.iter().any(its_own)
    }

    fn is_open(&self, block: usize) -> bool {
        matches!(self.step.ran.get(&block), None | Some(Ran::PassedOver))
    }

    /// Passes over the line that is due, where it only shows something; otherwise goes to the next step.
    pub(super) fn pass_over(&mut self, out: &mut Vec<Action>) {
        match self.block(self.step.at) {
            Some(Block::Run(run)) if run.look && !self.terminals.waits() => {
                self.step.ran.insert(self.step.at, Ran::PassedOver);
                // What the line would have shown may be all that the step waits for.
                self.step.touched = true;
                self.go_on(out);
            }
            _ => self.wish(Wish::GoTo(self.step.index + 1), out),
        }
    }

    /// A block of checks holds: the lines that lead to it are done, but for those that only show something. In a broken container
    /// these show a symptom, which is gone.
    pub(super) fn pass(&mut self, check: usize) {
        self.step.passed.insert(check);
        if let Some(Block::Check(checks)) = self.block(check)
            && checks.iter().any(|check| check.fact == Fact::Alone)
        {
            self.step.inside = false;
        }
        let Some(step) = self.lesson.steps.get(self.step.index) else { return };
        for (index, block) in step.blocks.iter().enumerate().take(check) {
            if matches!(block, Block::Run(run) if !run.look || step.is_broken()) && !self.step.straight.contains(&index)
            {
                self.step.ran.entry(index).or_insert(Ran::Otherwise);
            }
        }
    }

    /// The next block of checks that does not hold yet, from where the learner is.
    pub(super) fn next_checks(&self) -> Option<usize> {
        let blocks = self.step()?.blocks.iter().enumerate().skip(self.step.at);
        let mut checks = blocks.filter(|(_, block)| matches!(block, Block::Check(_))).map(|(index, _)| index);
        checks.find(|index| !self.step.passed.contains(index) && !self.step.straight.contains(index))
    }

    /// Moves over everything that is done, and decides the checks that are due.
    pub(super) fn go_on(&mut self, out: &mut Vec<Action>) {
        if self.is_replaying() {
            return self.replay_on(out);
        }
        if self.outcomes.get(self.step.index).is_none_or(Option::is_some) {
            return;
        }
        self.look_ahead(out);
        while let Some(block) = self.block(self.step.at).cloned() {
            let done = match block {
                Block::Predict(_) => self.auto || self.step.answers.contains_key(&self.step.at),
                Block::Run(run) => !self.terminals.waits() && self.has_run(run, out),
                Block::Check(checks) => self.has_held(&checks, out),
                _ => true,
            };
            if !done {
                return self.arm(out);
            }
            self.step.at += 1;
        }
        self.arm(out);
        if !self.is_free() {
            self.close(self.verdict(), out);
        }
    }

    /// Each system call of a line with `hold` waits, however it is typed: the processes of its terminal are held from
    /// the moment on at which it is due, until the step has come past it.
    fn arm(&mut self, out: &mut Vec<Action>) {
        let due = match self.block(self.step.at) {
            Some(Block::Run(run)) if run.hold && !self.auto => Some((self.step.at, run.terminal)),
            _ => None,
        };
        if self.terminals.waits() || self.step.armed == due {
            return;
        }
        let before = std::mem::replace(&mut self.step.armed, due);
        if let Some((_, terminal)) = due {
            self.terminals.holding = true;
            out.push(Action::Hold(terminal, Hold::Every));
        } else if let Some((_, terminal)) = before.filter(|_| self.terminals.holding) {
            self.terminals.holding = false;
            out.push(Action::RunOn(terminal));
        }
    }

    fn has_run(&mut self, run: Run, out: &mut Vec<Action>) -> bool {
        // The learner's Ctrl-C was faster.
        let interrupted = run.interrupts() && self.terminals.shells.get(&run.terminal) == Some(&Shell::Idle);
        // What was left out on the way to the goal is not made up for: it would do something else now.
        if self.step.ran.contains_key(&self.step.at) || interrupted || self.step.straight.contains(&self.step.at) {
            return true;
        }
        if self.auto {
            self.type_run(&run, out);
        }
        false
    }

    fn has_held(&mut self, checks: &[Check], out: &mut Vec<Action>) -> bool {
        if self.step.passed.contains(&self.step.at) || self.step.straight.contains(&self.step.at) {
            return true;
        }
        if self.auto && self.solve(out) {
            return false;
        }
        if self.decide_block(self.step.at, out) {
            self.pass(self.step.at);
            return true;
        }
        // Once: whatever happens meanwhile must not put the end off.
        if self.auto && !self.terminals.waits() && self.step.pressed != Some(self.step.at) {
            self.step.pressed = Some(self.step.at);
            self.step.put_off = 0;
            out.push(Action::Deadline(Some(self.patience_for(checks))));
        }
        false
    }
}

/// Whether a line is the one that a lesson has, blanks aside. `sudo` before it changes nothing for root, any number stands
/// for the container's, and any shell for the `sh` that it ends with.
pub(super) fn is_same(wanted: &str, line: &str) -> bool {
    // A shell without PS0 tells the first line of a command with a here-document, and never the others.
    let wanted = if line.contains('\n') { wanted } else { wanted.lines().next().unwrap_or_default() };
    let mut words = line.split_whitespace().peekable();
    if !wanted.starts_with("sudo") {
        words.next_if_eq(&"sudo");
    }
    let mut wanted = wanted.split_whitespace();
    loop {
        match (wanted.next(), words.next()) {
            (None, None) => return true,
            (Some(wanted), Some(word)) if is_same_word(wanted, word) => {}
            (Some("sh"), Some(word)) => return wanted.next().is_none() && words.next().is_none() && is_shell(word),
            _ => return false,
        }
    }
}

fn is_same_word(wanted: &str, word: &str) -> bool {
    let Some((before, after)) = wanted.split_once(CONTAINER) else { return wanted == word };
    let number = word.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The line with [`CONTAINER`] wherever it names this PID.
fn with_container(line: &str, pid: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut from = 0;
    for (at, found) in line.match_indices(pid) {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let (before, after) = line.split_at(at);
        if !digit(before.chars().next_back()) && !digit(after.get(found.len()..).and_then(|rest| rest.chars().next())) {
            out.push_str(line.get(from..at).unwrap_or_default());
            out.push_str(CONTAINER);
            from = at + found.len();
        }
    }
    out.push_str(line.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_same_blanks_aside() {
        for (wanted, line, same) in [
            ("ls -l image", "  ls   -l image ", true),
            ("ls -l image", "ls -l images", false),
            ("ls -l image", "ls -l", false),
            ("ls", "ls -l", false),
            ("unshare -p sh", "sudo unshare -p sh", true),
            ("sudo -i", "sudo -i", true),
            ("unshare -p sh", "unshare -p bash", true),
            ("unshare -p sh", "unshare -p top", false),
            ("unshare -p sh", "unshare -p bash -i", false),
            ("nsenter -t {container} -a sh", "sudo nsenter -t 7 -a zsh", true),
            ("echo sh sh", "echo bash sh", false),
            ("kill -KILL {container}", "kill -KILL 4711", true),
            ("ls /proc/{container}/ns", "ls /proc/4711/ns", true),
            ("ls /proc/{container}/ns", "ls /proc/self/ns", false),
            ("P={container}", "P=", false),
        ] {
            assert_eq!(is_same(wanted, line), same, "{line}");
        }
    }

    #[test]
    fn a_pid_is_named_by_what_it_is_and_by_nothing_longer() {
        for (line, with) in [
            ("kill -KILL 102", "kill -KILL {container}"),
            ("ls /proc/102/ns /proc/102", "ls /proc/{container}/ns /proc/{container}"),
            ("echo 1102 1021", "echo 1102 1021"),
            ("", ""),
        ] {
            assert_eq!(with_container(line, "102"), with);
        }
    }
}
