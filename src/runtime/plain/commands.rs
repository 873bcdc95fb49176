//! What a line means: a letter, a number, or a line for one of the terminals.

use super::{PATIENCE, Talk};
use crate::{
    app::{Effect, Event, Jump, Onward, Play, View, answer, class, go_on, held_to_change, play_both},
    class::Flag,
    lesson::TerminalId,
    session::{Different, Phase, Wish},
    ui::plain as say,
};
use std::{io, time::Instant};

impl Talk {
    /// Does what one line asks for.
    pub(super) fn run_command(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches('\r');
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        for (sign, terminal) in [('!', TerminalId::Container), ('@', TerminalId::Host)] {
            if let Some(text) = line.trim_start().strip_prefix(sign) {
                let text = text.strip_prefix(' ').unwrap_or(text);
                return match say::why(&self.driver.state, &sign.to_string(), text) {
                    Some(why) => self.say(&[why]),
                    None => self.type_line(terminal, text),
                };
            }
        }
        let rest = rest.trim();
        let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let playing = self.driver.state.play.is_some() && self.driver.state.view == View::Lesson;
        match word {
            "q" => self.driver.perform(vec![Effect::Quit]),
            "?" => self.say(&say::help(&self.driver.state))?,
            "d" => self.driver.perform(vec![Effect::Doctor(self.driver.state.lang)]),
            "l" => self.language()?,
            "m" => {
                self.driver.state.view = View::Opening;
                self.say(&say::opening(&self.driver.state))?;
            }
            "C" => self.say(&say::closing(&self.driver.state, None))?,
            "" if self.is_over() => return self.finish(),
            _ => match say::why(&self.driver.state, word, rest) {
                Some(why) => self.say(&[why])?,
                None if word == "R" => self.driver.perform(vec![Effect::AsRoot]),
                None if playing => return self.in_lesson(word, rest, number),
                None => match number.filter(|number| *number < self.driver.state.lessons.len()) {
                    Some(lesson) => self.start(lesson, self.driver.state.resumes_at(lesson))?,
                    None => self.say(&say::opening(&self.driver.state))?,
                },
            },
        }
        Ok(())
    }

    /// A command of the lesson that does something now.
    fn in_lesson(&mut self, word: &str, rest: &str, number: Option<usize>) -> io::Result<()> {
        let Some(play) = &mut self.driver.state.play else { return Ok(()) };
        let step = play.session.step_index();
        let wanted = match (word, number) {
            ("Y" | "n", _) if play.session.guarded().is_some() => Wish::Allow(word == "Y"),
            ("", _) => Wish::Go,
            ("n", _) if play.shows() => Wish::PassOver,
            ("n", _) => Wish::GoTo(step + 1),
            ("p", _) => Wish::GoTo(step.saturating_sub(1)),
            ("r", _) => Wish::GoTo(step),
            ("g", _) => match self.step_named(rest) {
                Some(step) => Wish::GoTo(step),
                None => return self.list_steps(rest),
            },
            ("h", _) => Wish::Hint,
            ("c", _) => Wish::RunOn,
            ("x", _) => Wish::ToggleHold,
            ("f", _) => return self.what_if(rest),
            ("b", _) => return self.both(rest),
            ("u", _) => Wish::RunUntil(rest.to_string()),
            (_, Some(answer)) => Wish::Answer(answer),
            _ => return self.look(word, rest),
        };
        self.wish(wanted);
        Ok(())
    }

    /// What changes nothing of the lesson.
    fn look(&mut self, word: &str, rest: &str) -> io::Result<()> {
        let Some(play) = &mut self.driver.state.play else { return Ok(()) };
        let lang = self.driver.state.lang;
        match word {
            "s" => self.announced.again(),
            "e" if play.session.proof().is_empty() => return self.say(&[answer::no_proof(lang).into()]),
            "e" => {
                let (lesson, proof) = (play.session.lesson().id.clone(), play.session.proof().clone());
                self.driver.perform(vec![Effect::Export(lesson, proof)]);
            }
            "N" => {
                play.notes = !play.notes;
                let said = answer::notes(play, lang);
                self.driver.state.said = Some(said);
            }
            "w" if say::is_network(rest) => {
                self.read_networks()?;
                let state = &self.driver.state;
                let lines = state.play.as_ref().map(|play| say::pane(state, play, rest));
                return self.say(&lines.unwrap_or_default());
            }
            "H" | "D" | "X" if self.driver.state.class.is_some() => {
                let state = &mut self.driver.state;
                match word {
                    "H" => class::raise(state, Flag::Help),
                    "D" => class::raise(state, Flag::Done),
                    _ => {
                        let effects = class::leave(state);
                        self.driver.perform(effects);
                    }
                }
                // What is said of it is an event like any other, with which the class is told.
                if let Some(said) = self.driver.state.said.take() {
                    self.driver.give(Event::Said(said));
                }
            }
            "w" | "W" => {
                let state = &self.driver.state;
                let Some(play) = &state.play else { return Ok(()) };
                let lines = match (word, rest) {
                    ("W", _) => say::glossary(play, lang),
                    (_, "") => say::now(state, play),
                    (_, pane) => say::pane(state, play, pane),
                };
                return self.say(&lines);
            }
            _ => return self.say(&[say::unknown(word, lang)]),
        }
        Ok(())
    }

    /// Tells what can become of the held call; with the name of a flag or of an error, does it.
    fn what_if(&mut self, name: &str) -> io::Result<()> {
        let state = &self.driver.state;
        let Some(play) = &state.play else { return Ok(()) };
        let Some(call) = held_to_change(play).cloned() else { return Ok(()) };
        let Some(instead) = call.choice(name) else { return self.say(&say::what_if(play, &call, state.lang)) };
        self.wish(Wish::Instead(call.pid, instead));
        let state = &mut self.driver.state;
        let again = if state.play.as_ref().is_some_and(Play::is_lab) { "" } else { answer::begins_again(state.lang) };
        state.said = Some(format!("{}{again}", answer::changed(&call, instead, state.lang)));
        Ok(())
    }

    /// Has both branches played: as it is, and without these flags, with this error, or without this option of the line.
    fn both(&mut self, name: &str) -> io::Result<()> {
        let state = &self.driver.state;
        let Some(play) = &state.play else { return Ok(()) };
        let Some(call) = held_to_change(play).cloned() else { return Ok(()) };
        let option = || play.session.options(call.pid).into_iter().find(|option| option == name);
        let different = call.choice(name).map(Different::Call).or_else(|| option().map(Different::Without));
        let Some(different) = different else { return self.say(&say::what_if(play, &call, state.lang)) };
        let effects = play_both(&mut self.driver.state, call.pid, different);
        self.branching = !effects.is_empty();
        self.driver.perform(effects);
        Ok(())
    }

    /// Has the network namespaces read from now on, and waits for that; what else happens meanwhile is told as ever.
    fn read_networks(&mut self) -> io::Result<()> {
        self.driver.engine.networks(true);
        let until = Instant::now() + PATIENCE;
        let known = |talk: &Talk| {
            let sample = talk.driver.state.play.as_ref().and_then(|play| play.sample.as_ref());
            sample.is_some_and(|sample| sample.networks.is_some())
        };
        while !known(self) {
            match self.driver.engine.next(Some(until)) {
                None => break,
                Some(Event::Stdin(line)) => self.lines.push_back(line),
                Some(event @ (Event::HungUp | Event::Signal(_))) => {
                    self.driver.engine.queue().send(event);
                    break;
                }
                Some(event) => self.happened(event)?,
            }
        }
        Ok(())
    }

    /// The step that a number or a part of a name stands for, if it is one.
    fn step_named(&self, text: &str) -> Option<usize> {
        let play = self.driver.state.play.as_ref()?;
        let lesson = play.session.lesson();
        if let Ok(number) = text.parse::<usize>() {
            return number.checked_sub(1).filter(|step| *step < lesson.steps.len());
        }
        match (Jump { chosen: 0, typed: text.into() }).found(lesson).as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    fn wish(&mut self, wanted: Wish) {
        let Some(play) = &self.driver.state.play else { return };
        if let (Wish::Go, Some(run)) = (&wanted, play.due()) {
            self.echo.insert(run.terminal, play.fill(&run.line));
        }
        self.stepping = play.session.phase() == Phase::Held
            && matches!(wanted, Wish::Go | Wish::RunOn | Wish::RunUntil(_) | Wish::Instead(..));
        let toggled = wanted == Wish::ToggleHold;
        self.announced.wished();
        self.driver.give(Event::Wish(wanted));
        let state = &mut self.driver.state;
        if toggled {
            state.said = state.play.as_ref().map(|play| answer::hold(play, state.lang));
        }
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
        let effects = go_on(state);
        self.driver.perform(effects);
        match self.driver.state.view {
            View::Closing(lesson) => self.say(&say::closing(&self.driver.state, lesson)),
            _ => Ok(()),
        }
    }

    fn list_steps(&self, typed: &str) -> io::Result<()> {
        let state = &self.driver.state;
        state.play.as_ref().map_or(Ok(()), |play| self.say(&say::steps(state, play, typed)))
    }

    fn language(&mut self) -> io::Result<()> {
        use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
        self.driver.give(Event::Key(KeyEvent::new(KeyCode::Char('l'), KeyModifiers::NONE)));
        self.announced.again();
        match self.driver.state.view {
            View::Lesson => Ok(()),
            View::Closing(lesson) => self.say(&say::closing(&self.driver.state, lesson)),
            _ => self.say(&say::opening(&self.driver.state)),
        }
    }

    /// Types a line of the learner's; `^C` and the like are the control characters that they name.
    fn type_line(&mut self, terminal: TerminalId, text: &str) -> io::Result<()> {
        match text.as_bytes() {
            [b'^', letter @ (b'a'..=b'z' | b'A'..=b'Z' | b'\\')] => {
                self.driver.perform(vec![Effect::Write(terminal, vec![letter & 0x1f])]);
            }
            _ => {
                self.busy.insert(terminal);
                self.announced.wished();
                self.echo.insert(terminal, text.to_string());
                self.driver.give(Event::Line(terminal, text.to_string()));
            }
        }
        Ok(())
    }
}
