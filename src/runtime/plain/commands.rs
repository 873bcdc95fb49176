//! What a line means: a letter, a number, or a line for one of the terminals.

use super::{Talk, play_now, print};
use crate::{
    app::{Effect, Event, Jump, Onward, Play, View, answer, go_on, wish},
    lesson::TerminalId,
    session::Wish,
    ui::plain as say,
};
use std::io;

impl Talk {
    /// Does what one line asks for.
    pub(super) fn obey(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches('\r');
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        for (sign, terminal) in [('!', TerminalId::Container), ('@', TerminalId::Host)] {
            if let Some(text) = line.trim_start().strip_prefix(sign) {
                return self.type_line(terminal, text.strip_prefix(' ').unwrap_or(text));
            }
        }
        let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let playing = self.driver.state.play.is_some() && self.driver.state.view == View::Lesson;
        match word {
            "q" => self.driver.perform(vec![Effect::Quit]),
            "?" => print(&say::help(&self.driver.state))?,
            "d" => self.driver.perform(vec![Effect::Doctor(self.driver.state.lang)]),
            "R" if self.driver.state.facts.as_root.is_some() => self.driver.perform(vec![Effect::AsRoot]),
            "l" => self.language(),
            "m" => {
                self.driver.state.view = View::Opening;
                print(&say::opening(&self.driver.state))?;
            }
            "C" => print(&say::closing(&self.driver.state, None))?,
            "" if self.is_over() => return self.finish(),
            _ if !playing => match number.filter(|number| *number < self.driver.state.lessons.len()) {
                Some(lesson) => self.start(lesson, self.driver.state.resumes_at(lesson))?,
                None => print(&say::opening(&self.driver.state))?,
            },
            _ => return self.in_lesson(word, rest, number),
        }
        Ok(())
    }

    fn in_lesson(&mut self, word: &str, rest: &str, number: Option<usize>) -> io::Result<()> {
        let Some(play) = &mut self.driver.state.play else { return Ok(()) };
        let step = play.session.step_index();
        let to = rest.trim().parse::<usize>().ok().and_then(|step| step.checked_sub(1));
        let wanted = match (word, number, to) {
            ("Y" | "n", ..) if play.session.guarded().is_some() => Wish::Allow(word == "Y"),
            ("", ..) => Wish::Go,
            ("n", ..) => Wish::GoTo(step + 1),
            ("p", ..) => Wish::GoTo(step.saturating_sub(1)),
            ("r", ..) => Wish::GoTo(step),
            ("g", ..) => {
                let found = Jump { chosen: step, typed: rest.trim().into() }.found(play.session.lesson());
                match (to, found.as_slice()) {
                    (Some(to), _) => Wish::GoTo(to),
                    (None, [only]) => Wish::GoTo(*only),
                    _ => return self.list_steps(rest.trim()),
                }
            }
            ("h", ..) => Wish::Hint,
            ("c", ..) => Wish::RunOn,
            ("x", ..) => Wish::ToggleHold,
            ("u", ..) if !rest.trim().is_empty() => Wish::RunUntil(rest.trim().to_string()),
            ("e", ..) if play.session.proof().is_empty() => {
                return print(&[answer::no_proof(self.driver.state.lang).into()]);
            }
            ("e", ..) => {
                let (lesson, proof) = (play.session.lesson().id.clone(), play.session.proof().clone());
                self.driver.perform(vec![Effect::Export(lesson, proof)]);
                return Ok(());
            }
            ("N", ..) => {
                play.notes = !play.notes;
                let state = &mut self.driver.state;
                state.said = state.play.as_ref().map(|play| answer::notes(play, state.lang));
                return Ok(());
            }
            ("w", ..) => return play_now(&self.driver.state),
            ("W", ..) => {
                let lines = self.driver.state.play.as_ref().map(|play| say::glossary(&self.driver.state, play));
                return print(&lines.unwrap_or_default());
            }
            (_, Some(answer), _) => Wish::Answer(answer),
            _ => return print(&say::help(&self.driver.state)),
        };
        self.waits_for = None;
        let toggled = wanted == Wish::ToggleHold;
        let state = &mut self.driver.state;
        let effects = wish(state, wanted);
        if toggled {
            state.said = state.play.as_ref().map(|play| answer::hold(play, state.lang));
        }
        self.driver.perform(effects);
        Ok(())
    }

    /// Whether the lesson has come to its end, or that is being told.
    fn is_over(&self) -> bool {
        let state = &self.driver.state;
        match state.view {
            View::Closing(Some(_)) => true,
            View::Lesson => state.play.as_ref().is_some_and(Play::is_at_its_end),
            _ => false,
        }
    }

    /// Tells what the lesson has come to; from there, goes on.
    fn finish(&mut self) -> io::Result<()> {
        let state = &mut self.driver.state;
        if let View::Closing(Some(lesson)) = state.view
            && let Some(Onward::Lesson(next)) = state.onward(lesson)
        {
            let step = state.resumes_at(next);
            return self.start(next, step);
        }
        self.waits_for = None;
        let effects = go_on(state);
        self.driver.perform(effects);
        match self.driver.state.view {
            View::Closing(lesson) => print(&say::closing(&self.driver.state, lesson)),
            _ => Ok(()),
        }
    }

    fn list_steps(&self, typed: &str) -> io::Result<()> {
        let state = &self.driver.state;
        state.play.as_ref().map_or(Ok(()), |play| print(&say::steps(state, play, typed)))
    }

    fn language(&mut self) {
        use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
        self.driver.tell(Event::Key(KeyEvent::new(KeyCode::Char('l'), KeyModifiers::NONE)));
        self.said = None;
        self.blocks.clear();
        self.waits_for = None;
    }

    /// Types a line of the learner's; `^C` and the like are the control characters that they name.
    fn type_line(&mut self, terminal: TerminalId, text: &str) -> io::Result<()> {
        match text.as_bytes() {
            [b'^', letter @ (b'a'..=b'z' | b'A'..=b'Z' | b'\\')] => {
                self.driver.perform(vec![Effect::Write(terminal, vec![letter & 0x1f])]);
            }
            _ => {
                self.busy.insert(terminal);
                self.driver.tell(Event::Line(terminal, text.to_string()));
            }
        }
        Ok(())
    }
}
