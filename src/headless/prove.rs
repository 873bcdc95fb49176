//! `boxwright lessons check --run`: goes through lessons on this machine and proves of each step that its facts do not hold
//! before its commands, hold after them, no longer hold once the step begins again, and that nothing of it is left behind.

mod ways;

use super::prover::{Prover, Stuck, played};
use crate::{
    event::Event,
    kernel::text::{self, printable},
    lesson::{Block, Lesson, Run},
    runtime::{Setup, Trouble},
    session::{Lacking, Notice, Phase, Wish},
};
use std::collections::{BTreeSet, VecDeque};

/// What came of a step.
#[derive(Debug)]
pub(crate) struct Proved {
    /// `LESSON/STEP`.
    pub step: String,
    /// What is wrong with it; nothing where it was proved.
    pub wrong: Vec<String>,
    /// Why this machine cannot do it.
    pub skipped: Option<String>,
}

/// Goes through lessons and gives each step to `told` as soon as it was proved; the value says what was left behind.
///
/// Errors: this machine cannot; or, inside, a signal that asks us to end.
pub(crate) fn prove(
    lessons: &[Lesson],
    lacking: &Lacking,
    setup: Setup,
    told: &mut dyn FnMut(Proved),
) -> Result<Result<Vec<String>, i32>, Trouble> {
    with_prover(lacking, setup, |prover| lessons.iter().find_map(|lesson| prover.lesson(lesson, lacking, told)))
}

/// Starts a session, has `play` play in it, and ends it; the value says what was left behind.
///
/// Errors: this machine cannot; or, inside, a signal that asks us to end, which `play` gives.
pub(super) fn with_prover(
    lacking: &Lacking,
    setup: Setup,
    play: impl FnOnce(&mut Prover) -> Option<i32>,
) -> Result<Result<Vec<String>, i32>, Trouble> {
    let (lang, before) = (setup.lang, host());
    let mut left = match played(lacking, setup, play)? {
        (Some(signal), _) => return Ok(Err(signal)),
        (None, left) => left,
    };
    let after = host();
    let changed = after.symmetric_difference(&before).map(|fact| {
        let how = if after.contains(fact) { lang.pick("new", "多了") } else { lang.pick("gone", "少了") };
        format!("{how}{}{}", lang.pick(": ", "："), printable(fact))
    });
    left.extend(changed);
    Ok(Ok(left))
}

/// What a lesson must leave as it was: host name, mounts, interfaces.
fn host() -> BTreeSet<String> {
    let read = |path: &str| text::read(path).unwrap_or_default();
    let mut facts = BTreeSet::from([format!("hostname {}", read("/proc/sys/kernel/hostname").trim())]);
    for line in read("/proc/self/mountinfo").lines() {
        // Without the IDs, which the kernel counts up.
        facts.insert(format!("mount {}", line.split(' ').skip(2).collect::<Vec<_>>().join(" ")));
    }
    let links = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    facts.extend(links.map(|link| format!("interface {}", link.file_name().display())));
    facts
}

impl Prover {
    /// Proves the steps of a lesson; a signal's number where one came.
    fn lesson(&mut self, lesson: &Lesson, lacking: &Lacking, told: &mut dyn FnMut(Proved)) -> Option<i32> {
        self.begin(lesson, lacking);
        for (index, step) in lesson.steps.iter().enumerate() {
            let mut skipped = None;
            match self.step(index) {
                Ok(why) => skipped = why,
                Err(Stuck::Signal(signal)) => return Some(signal),
                Err(Stuck::Wrong(what)) => self.wrong.push(what),
            }
            let step = format!("{}/{}", lesson.id, step.id);
            told(Proved { step, wrong: std::mem::take(&mut self.wrong), skipped });
        }
        None
    }

    /// Proves one step; the value says why this machine cannot do it.
    fn step(&mut self, index: usize) -> Result<Option<String>, Stuck> {
        if let Some(why) = self.go_to(index)? {
            return Ok(Some(why));
        }
        let step = self.session.step().cloned().unwrap_or_default();
        self.play(step.solutions().into_iter().next().unwrap_or_default().into())?;
        self.other_ways(index, &step)?;
        let wrong = std::mem::take(&mut self.wrong);
        // What holds before is known by now: what is asked here is whether going back took the commands' work away.
        self.go_to(index)?;
        self.look_before()?;
        let again = std::mem::replace(&mut self.wrong, wrong);
        let new: Vec<String> = again.into_iter().filter(|what| !self.wrong.contains(what)).collect();
        let after = self.lang.pick("after beginning the step again: ", "重新开始这一步之后：");
        self.wrong.extend(new.into_iter().map(|what| format!("{after}{what}")));
        Ok(None)
    }

    pub(super) fn go_to(&mut self, step: usize) -> Result<Option<String>, Stuck> {
        self.looked_at = None;
        self.give(Event::Wish(Wish::GoTo(step)));
        self.until(|prover| !matches!(prover.session.phase(), Phase::Preparing(..)))?;
        self.noticed()?;
        Ok(match self.session.phase() {
            Phase::Blocked(why) => Some(why),
            _ => None,
        })
    }

    /// Goes through the step: right answers, the lesson's commands, those of a solution, one held call after the other.
    fn play(&mut self, mut solution: VecDeque<Run>) -> Result<(), Stuck> {
        loop {
            self.look_before()?;
            match self.session.phase() {
                Phase::Done | Phase::Free => return Ok(()),
                Phase::Asking(block) => {
                    let answer = match self.session.step().and_then(|step| step.blocks.get(block)) {
                        Some(Block::Predict(predict)) => predict.answer,
                        _ => 0,
                    };
                    self.give(Event::Wish(Wish::Answer(answer)));
                }
                Phase::Held => self.step_call()?,
                Phase::Guarded => return Err(self.refused()),
                Phase::Due(at) => {
                    self.state()?;
                    self.look_between(at);
                    self.give(Event::Wish(Wish::Go));
                    self.noticed()?;
                    self.until(|prover| prover.session.phase() != Phase::Due(at))?;
                }
                Phase::Checking(at) => match solution.pop_front() {
                    Some(run) => self.type_run(&run)?,
                    None => {
                        self.until(|prover| prover.session.phase() != Phase::Checking(at))?;
                    }
                },
                Phase::Running => self.until(|prover| prover.session.phase() != Phase::Running)?,
                Phase::Preparing(..) => self.until(|prover| !matches!(prover.session.phase(), Phase::Preparing(..)))?,
                Phase::Blocked(why) => return Err(Stuck::Wrong(why)),
            }
            self.noticed()?;
        }
    }

    /// Looks at each fact of the checks that are next, once, before any of their commands has run.
    fn look_before(&mut self) -> Result<(), Stuck> {
        let Some(block) = self.checks().filter(|block| self.looked_at != Some(*block)) else { return Ok(()) };
        self.looked_at = Some(block);
        self.state()?;
        let Some(Block::Check(checks)) = self.session.step().and_then(|step| step.blocks.get(block)) else {
            return Ok(());
        };
        let (checks, lang) = (checks.clone(), self.lang);
        for (check, verdict) in checks.iter().zip(self.session.judge(&checks)) {
            // What counts the calls of a step cannot hold before, wherever they can be seen at all.
            if verdict.passed.is_some_and(|passed| passed != check.keeps) {
                let how = match check.keeps {
                    true => lang.pick(
                        "does not hold before its commands, and should stay",
                        "命令运行之前不成立，而它应当保持成立",
                    ),
                    false => lang.pick("holds before its commands have run", "命令还没有运行就已经成立"),
                };
                self.wrong.push(format!("`{}` {how}", check.source));
            }
        }
        Ok(())
    }

    /// Facts that hold together before a line of theirs has run end the block for a learner who takes a moment, and the
    /// line is never offered.
    fn look_between(&mut self, due: usize) {
        let blocks = self.session.step().map(|step| step.blocks.as_slice()).unwrap_or_default();
        let (Some(Block::Run(run)), Some(Block::Check(checks))) =
            (blocks.get(due), self.checks().and_then(|block| blocks.get(block)))
        else {
            return;
        };
        if !run.look && self.session.judge(checks).iter().all(|verdict| verdict.passed == Some(true)) {
            let line = &run.line;
            self.wrong.push(self.lang.pick(
                format!("all facts hold before `{line}` has run: it would never be offered"),
                format!("`{line}` 还没有运行，所有条件就已成立：这一行不会再提示输入"),
            ));
        }
    }

    /// The index of the next block of checks.
    fn checks(&self) -> Option<usize> {
        let blocks = self.session.step()?.blocks.iter().enumerate().skip(self.session.at());
        blocks.into_iter().find(|(_, block)| matches!(block, Block::Check(_))).map(|(index, _)| index)
    }

    pub(super) fn type_run(&mut self, run: &Run) -> Result<(), Stuck> {
        self.state()?;
        let before = self.prompts(run.terminal);
        self.give_line(run);
        let ended = |prover: &Prover| run.busy || prover.prompts(run.terminal) > before && prover.seen >= prover.asked;
        while !ended(self) {
            self.until(|prover| ended(prover) || matches!(prover.session.phase(), Phase::Held | Phase::Guarded))?;
            match self.session.phase() {
                Phase::Guarded => return Err(self.refused()),
                Phase::Held => self.step_call()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets the oldest held call happen.
    pub(super) fn step_call(&mut self) -> Result<(), Stuck> {
        self.give(Event::Wish(Wish::StepCall));
        let held = self.session.held().to_vec();
        self.until(|prover| prover.session.held() != held)
    }

    /// Refuses a call that would change the machine itself.
    pub(super) fn refused(&mut self) -> Stuck {
        let call = self.session.guarded().map(|(_, call, _)| call.syscall.name()).unwrap_or_default();
        self.give(Event::Wish(Wish::Allow(false)));
        Stuck::Wrong(self.lang.pick(
            format!("{call} would change the machine itself: a `changes` block must say so"),
            format!("{call} 会改变机器本身：要用 `changes` 块说明"),
        ))
    }

    /// What went wrong with a line.
    fn noticed(&self) -> Result<(), Stuck> {
        let lang = self.lang;
        let wrong = match self.session.notice() {
            Some(Notice::Stumbled(line, status) | Notice::NoImage(line, status)) => lang.pick(
                format!("`{line}` ended with status {status}; `fails` says that this is meant"),
                format!("`{line}` 的退出状态是 {status}；如果本来就要失败，请写 `fails`"),
            ),
            Some(Notice::NotRebuilt(line)) => lang.pick(
                format!("`{line}` does not come to its end when the steps before are replayed"),
                format!("重放前面的步骤时，`{line}` 没有结束"),
            ),
            Some(Notice::Lost) => lang.pick("the container has ended", "容器已经结束").into(),
            _ => return Ok(()),
        };
        Err(Stuck::Wrong(wrong))
    }

    /// Where the step stands when nothing more happens.
    pub(super) fn plight(&self) -> String {
        let lang = self.lang;
        let failing =
            |block| self.session.failing(block).map(|check| format!("`{}`", check.source)).collect::<Vec<_>>();
        match self.session.phase() {
            Phase::Checking(block) => {
                let list = failing(block).join(lang.pick(", ", "、"));
                lang.pick(
                    format!("after its commands this does not hold: {list}"),
                    format!("命令运行之后仍不成立：{list}"),
                )
            }
            phase => lang.pick(format!("nothing more happens ({phase:?})"), format!("不再有任何进展（{phase:?}）")),
        }
    }
}
