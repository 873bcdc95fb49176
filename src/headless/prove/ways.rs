//! The ways through a challenge that are not the first: other solutions, and what only looks like one.

use super::{Prover, Stuck};
use crate::lesson::{Block, Run, Step, TerminalId, WrongWay};

impl Prover {
    /// Every other solution of the step solves it, and every wrong way is refused by what refuses it and by nothing else.
    pub(super) fn other_ways(&mut self, index: usize, step: &Step) -> Result<(), Stuck> {
        for solution in step.solutions().into_iter().skip(1) {
            self.go_to(index)?;
            // What holds before is known by now.
            self.looked_at = self.checks();
            self.play(solution.into())?;
        }
        for way in step.wrong_ways() {
            self.go_to(index)?;
            let looks =
                step.blocks.iter().filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
            for run in looks.chain(&way.runs) {
                self.type_run(run)?;
            }
            self.refuses(&way)?;
        }
        Ok(())
    }

    /// Looks twice: what goes on in the background may come to its end meanwhile.
    fn refuses(&mut self, way: &WrongWay) -> Result<(), Stuck> {
        let so = |prover: &Prover| prover.seen >= prover.asked && prover.failing() == way.refused;
        match self.until(|prover| so(prover) || prover.checks().is_none()) {
            Err(Stuck::Wrong(_)) => {}
            ended => {
                ended?;
                // What a prompt comes after is in the sample that it asks for.
                self.type_run(&Run { terminal: TerminalId::Host, ..Run::default() })?;
                self.state()?;
            }
        }
        if so(self) { Ok(()) } else { Err(Stuck::Wrong(self.judged(way))) }
    }

    /// The facts of the checks that are next that do not hold.
    fn failing(&self) -> Vec<String> {
        let block = self.checks().into_iter();
        block.flat_map(|block| self.session.failing(block)).map(|check| check.source.clone()).collect()
    }

    fn judged(&self, way: &WrongWay) -> String {
        let lines: Vec<&str> = way.runs.iter().map(|run: &Run| run.line.as_str()).collect();
        let (lines, failing) = (lines.join("; "), self.failing());
        let list = |facts: &[String]| {
            facts.iter().map(|fact| format!("`{fact}`")).collect::<Vec<_>>().join(self.lang.pick(", ", "、"))
        };
        match failing.is_empty() {
            true => self.lang.pick(format!("a wrong way is accepted: {lines}"), format!("错误的做法被接受了：{lines}")),
            false => self.lang.pick(
                format!("a wrong way is refused by {}, not by {}: {lines}", list(&failing), list(&way.refused)),
                format!("错误的做法不成立的是 {}，而不是 {}：{lines}", list(&failing), list(&way.refused)),
            ),
        }
    }
}
