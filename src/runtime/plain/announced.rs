//! What was said already: nothing is said twice unless the learner asks for it.

use super::Talk;
use crate::{
    app::{Play, View},
    session::Phase,
    trace::Call,
    ui::plain::{self as say, Part},
};
use std::{collections::BTreeMap, io};

/// What the learner has heard of the current step.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// The lesson and the step.
    here: Option<(usize, usize)>,
    /// What each part of the step meant, and its detail.
    parts: BTreeMap<(usize, usize), (&'static str, String)>,
    hints: usize,
    card: Option<String>,
    notice: Option<String>,
    /// What the session waited for when that was said.
    pub waits_for: Option<String>,
    /// Whether the commands for a held call have been told in this step.
    taught: bool,
    /// The process and the name of the held call that was told last.
    held: Option<(i32, &'static str)>,
    /// Whether the learner has done something since details were told.
    pub acted: bool,
}

impl Announced {
    /// Forgets all but the scorecard: the step begins anew.
    pub(super) fn forget(&mut self) {
        let card = self.card.take();
        *self = Announced { card, ..Announced::default() };
    }

    /// The learner wants to hear all of the step again.
    pub(super) fn again(&mut self) {
        *self = Announced { acted: true, ..Announced::default() };
    }

    /// The learner wants something: what stands in its way is told anew.
    pub(super) fn wished(&mut self) {
        self.notice = None;
        self.acted = true;
    }

    /// Whether this call was told when it was held; once.
    pub(super) fn take_held(&mut self, call: &Call) -> bool {
        self.held.take_if(|held| *held == (call.pid.0, call.syscall.name())).is_some()
    }

    /// Whether a part is new or means something else than before.
    fn is_news(&self, part: &Part) -> bool {
        match self.parts.get(&part.place) {
            None => true,
            Some((state, detail)) => *state != part.state || self.acted && *detail != part.detail,
        }
    }
}

impl Talk {
    /// Says what has become visible since the last time.
    pub(super) fn tell(&mut self) -> io::Result<()> {
        self.tell_notice()?;
        let state = &self.driver.state;
        let Some(play) = state.play.as_ref().filter(|_| state.view == View::Lesson) else { return Ok(()) };
        let phase = play.session.phase();
        if matches!(phase, Phase::Preparing(..)) {
            if self.announced.here.is_some() {
                self.forget();
            }
            return Ok(());
        }
        let here = (play.index, play.session.step_index());
        if self.announced.here != Some(here) {
            self.announced.forget();
            self.announced.here = Some(here);
            self.say(&say::heading(play, state.lang))?;
        }
        let settled = self.is_settled();
        // A person hears of the step also while their program runs.
        let lasts = matches!(phase, Phase::Checking(_)) && !self.busy.is_empty() && self.driver.engine.is_up_to_date();
        if settled || self.person && lasts {
            if settled {
                self.flush()?;
            }
            self.tell_step(settled)?;
        }
        Ok(())
    }

    fn tell_notice(&mut self) -> io::Result<()> {
        let notice = say::notice(&self.driver.state);
        let state = &mut self.driver.state;
        // A notice of the session's stays until its cause goes; all else is said once.
        let new = state.trouble.take().is_some() | state.said.take().is_some();
        if let Some(text) = &notice
            && (new || self.announced.notice != notice)
        {
            self.say(std::slice::from_ref(text))?;
        }
        if !new {
            self.announced.notice = notice;
        }
        Ok(())
    }

    fn tell_step(&mut self, settled: bool) -> io::Result<()> {
        let state = &self.driver.state;
        let Some(play) = &state.play else { return Ok(()) };
        let card = say::scorecard(state, play);
        if let Some(text) = card.as_ref().filter(|_| card != self.announced.card) {
            self.say(std::slice::from_ref(text))?;
            self.announced.card = card;
        }
        for part in say::parts(state, play) {
            // While something runs, what does not hold may hold in a moment.
            if (settled || part.state != say::NOT_YET) && self.announced.is_news(&part) {
                self.say(&part.lines)?;
                self.announced.parts.insert(part.place, (part.state, part.detail));
            }
        }
        self.announced.acted &= !settled;
        while self.announced.hints < play.session.hints() {
            self.say(&say::hint(play, self.announced.hints, state.lang))?;
            self.announced.hints += 1;
        }
        let quiet = |play: &Play| matches!(play.session.phase(), Phase::Checking(at) if !play.session.measuring(at));
        if !settled && quiet(play) {
            return Ok(());
        }
        let waits = say::waits_for(state, play, self.announced.taught);
        if waits.is_some() && waits != self.announced.waits_for {
            self.say(waits.as_slice())?;
            if let Some((_, call)) = play.session.held().first() {
                self.announced.taught = true;
                self.announced.held = Some((call.pid.0, call.syscall.name()));
            }
            // Announced without the commands from now on, it is the same.
            self.announced.waits_for = say::waits_for(state, play, self.announced.taught);
        } else if waits.is_none() {
            self.announced.waits_for = None;
        }
        Ok(())
    }
}
