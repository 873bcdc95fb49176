//! How to come to a held call once more: the step from its beginning, the lines since then, and the calls of the last one.

use super::{Session, stage::Shell};
use crate::{
    event::{Change, Given, Plan},
    kernel::pid::Pid,
    lang::Both,
    trace::Instead,
};

/// What is to be different in the second branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Different {
    /// The held call.
    Call(Instead),
    /// The line that makes it: without this word.
    Without(String),
}

impl Session {
    /// How to play both branches of the held call of this thread; the error says why that cannot be done.
    pub(crate) fn plan(&self, pid: Pid, different: Different) -> Result<Plan, Both> {
        if self.is_free() {
            return Err(Both::new(
                "Both branches begin with the step of a lesson, and there is none here",
                "两种结果都要从课程的步骤开始，这里没有课程",
            ));
        }
        let unknown = || Both::new("The line that makes this call is not known", "不知道这个调用来自哪一行命令");
        let (terminal, call) = self.held().iter().find(|(_, call)| call.pid == pid).ok_or_else(unknown)?;
        let step = self.step().ok_or_else(unknown)?;
        let lines = self.lines();
        let at = lines.iter().rposition(|took| took.terminal == *terminal).ok_or_else(unknown)?;
        let mut before = Vec::new();
        for (index, took) in lines.iter().enumerate().filter(|(index, _)| *index != at) {
            let last = lines.iter().rposition(|other| other.terminal == took.terminal) == Some(index);
            let runs = last && self.terminals.shells.get(&took.terminal) == Some(&Shell::Busy);
            let line = took.line.clone().ok_or_else(unknown)?;
            before.push(Given { terminal: took.terminal, line, ends: !runs });
        }
        let line = lines.get(at).and_then(|took| took.line.clone()).ok_or_else(unknown)?;
        let name = call.syscall.name();
        let after = self.terminals.returned.get(terminal).and_then(|of| of.get(name)).copied().unwrap_or_default();
        let change = match different {
            Different::Call(instead) => Change::Call { syscall: call.syscall, after, instead },
            Different::Without(word) => Change::Line(without(&line, &word).ok_or_else(unknown)?),
        };
        let place = (self.lesson.id.clone(), step.id.clone());
        Ok(Plan { place, before, terminal: *terminal, line, change })
    }

    /// The options of the line that makes the held call of this thread: whole words that begin with two dashes. What stands
    /// behind a quotation mark is not looked at.
    pub(crate) fn options(&self, pid: Pid) -> Vec<String> {
        let held = self.held().iter().find(|(_, call)| call.pid == pid);
        let line = held.and_then(|(terminal, _)| self.submitted(*terminal)).unwrap_or_default();
        options(line)
    }
}

fn options(line: &str) -> Vec<String> {
    let plain = line.split(['"', '\'', '\\', '`', '\n']).next().unwrap_or_default();
    let words = plain.split(' ').take_while(|word| *word != "--");
    let mut found: Vec<String> = Vec::new();
    for word in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
        if !found.iter().any(|known| known == word) {
            found.push(word.into());
        }
    }
    found
}

/// A line without the first of these words; `None` where it has none.
fn without(line: &str, word: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|known| *known == word)?;
    Some([words.get(..at)?, words.get(at + 1..)?].concat().join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Wish};
    use super::*;
    use crate::{
        lesson::{Block, Lesson, Run, Step, TerminalId},
        observe::Sample,
        trace::{Call, Flags, Return, SyscallEvent, TraceEvent},
    };
    use std::sync::Arc;

    const HERE: TerminalId = TerminalId::Container;

    fn call(name: &str) -> Call {
        Call::of(Pid(7), "unshare", name, [0x2_0000, 0, 0, 0, 0, 0])
    }

    fn returned(name: &str) -> Event {
        let event =
            SyscallEvent { call: call(name), returned: Return::Value(0), micros: 1, changed: Vec::new(), asked: None };
        Event::Trace(HERE, TraceEvent::Syscall(Pid(7), event))
    }

    fn session(free: bool) -> Session {
        let run = Run { line: "ls".into(), ..Run::default() };
        let step = Step { id: "one".into(), blocks: vec![Block::Run(run)], ..Step::default() };
        let lesson = Lesson { id: "isolate".into(), steps: vec![step], free, ..Lesson::default() };
        let mut session = Session::new(lesson, false, Vec::new());
        session.handle(Event::Wish(Wish::GoTo(0)));
        for terminal in TerminalId::ALL {
            session.handle(Event::Prompt(terminal, 0, 1));
        }
        let sample = Arc::new(Sample { container: Some(Pid(4711)), ..Sample::default() });
        session.handle(Event::Sample(session.wanted, sample));
        session
    }

    fn line(session: &mut Session, terminal: TerminalId, text: Option<&str>) {
        session.handle(Event::Typed(terminal));
        session.handle(Event::Submitted(terminal, text.map(str::to_string)));
    }

    fn hold(session: &mut Session) {
        session.handle(Event::Trace(HERE, TraceEvent::Held(Pid(7), call("unshare"))));
    }

    const INSTEAD: Instead = Instead::Without(Flags::Clone, 0x2_0000);

    #[test]
    fn a_plan_has_the_lines_since_the_step_began_and_the_calls_of_the_last_one() {
        let mut session = session(false);
        line(&mut session, HERE, Some("kill -0 4711"));
        session.handle(returned("unshare"));
        session.handle(Event::Prompt(HERE, 0, 1));
        line(&mut session, TerminalId::Host, Some("top"));
        line(&mut session, HERE, Some("unshare -m --fork sh"));
        session.handle(returned("unshare"));
        session.handle(returned("execve"));
        hold(&mut session);
        let plan = session.plan(Pid(7), Different::Call(INSTEAD)).unwrap();
        let given = |terminal, line: &str, ends| Given { terminal, line: line.into(), ends };
        let before = vec![given(HERE, "kill -0 {container}", true), given(TerminalId::Host, "top", false)];
        let change = Change::Call { syscall: call("unshare").syscall, after: 1, instead: INSTEAD };
        let place = ("isolate".to_string(), "one".to_string());
        assert_eq!(plan, Plan { place, before, terminal: HERE, line: "unshare -m --fork sh".into(), change });
        assert_eq!(session.options(Pid(7)), ["--fork"]);
        let other = session.plan(Pid(7), Different::Without("--fork".into())).unwrap();
        assert_eq!(other.change, Change::Line("unshare -m sh".into()));
        let stored = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
    }

    #[test]
    fn what_is_not_known_is_not_planned() {
        let mut session = session(false);
        assert!(session.plan(Pid(7), Different::Call(INSTEAD)).is_err(), "nothing is held");
        hold(&mut session);
        assert!(session.plan(Pid(7), Different::Call(INSTEAD)).is_err(), "no line");
        line(&mut session, HERE, None);
        assert!(session.plan(Pid(7), Different::Call(INSTEAD)).is_err(), "an unknown line");
        let mut session = self::session(false);
        line(&mut session, HERE, Some("unshare -m sh"));
        hold(&mut session);
        assert!(session.plan(Pid(7), Different::Call(INSTEAD)).is_ok());
        assert!(session.plan(Pid(7), Different::Without("--fork".into())).is_err(), "no such word");
        let mut lab = self::session(true);
        line(&mut lab, HERE, Some("unshare -m sh"));
        hold(&mut lab);
        assert!(lab.plan(Pid(7), Different::Call(INSTEAD)).is_err(), "nothing leads there");
    }

    #[test]
    fn options_are_whole_words() {
        for (line, found) in [
            ("unshare -imnpu --mount-proc --fork sh", &["--mount-proc", "--fork"][..]),
            ("unshare --fork --fork -- sh --login", &["--fork"]),
            ("sh -c \"unshare --fork\" --x", &[]),
            ("unshare -m sh", &[]),
        ] {
            assert_eq!(options(line), found, "{line}");
        }
        assert_eq!(without("unshare  --fork sh", "--fork").as_deref(), Some("unshare  sh"));
        assert_eq!(without("unshare --fork2 sh", "--fork"), None);
    }
}
