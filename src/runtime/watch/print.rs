//! What is watched as plain lines, from its beginning to its end: everything is said once.

use super::ending;
use crate::{
    app::{Mark, Row, View},
    event::Event,
    kernel::text,
    lang::Lang,
    lesson::{TerminalId, Translations},
    recording::{Player, Recording},
    session::{Outcome, Phase, Report},
    terminal::{Piece, Screen},
    trace::TraceEvent,
    ui::plain as say,
};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
};

/// Prints it; gives what must be said where it does not come to its end, and whether its program was killed.
///
/// Errors: those of standard output.
pub(super) fn print(
    mut recording: Recording<impl BufRead>,
    lessons: &[Translations],
    lang: Lang,
) -> io::Result<(Option<String>, bool)> {
    let mut told = match Player::new(recording.header(), lessons, lang) {
        Ok(player) => Printer::new(player, lang),
        Err(error) => return Ok((Some(error.say(lang)), false)),
    };
    write(&[lang.pick("A recording, as text.", "以下是录像的文字内容。").into()])?;
    for event in recording.by_ref() {
        match event {
            Ok((at, event)) => {
                told.player.push(at, event.clone());
                told.happened(&event)?;
            }
            Err(error) => {
                told.flush()?;
                return Ok((Some(error.say(lang)), false));
            }
        }
    }
    told.flush()?;
    Ok((ending(recording.end(), lang), recording.end().is_none()))
}

/// What was said already.
struct Printer {
    player: Player,
    lang: Lang,
    screens: BTreeMap<TerminalId, Screen>,
    /// Output that has no newline yet.
    partial: BTreeMap<TerminalId, String>,
    /// What each part of the step meant when it was told.
    parts: BTreeMap<(usize, usize), &'static str>,
    hints: usize,
}

impl Printer {
    fn new(player: Player, lang: Lang) -> Printer {
        Printer { player, lang, screens: BTreeMap::new(), partial: BTreeMap::new(), parts: BTreeMap::new(), hints: 0 }
    }

    fn happened(&mut self, event: &Event) -> io::Result<()> {
        let mark = self.player.step();
        self.tell_decided()?;
        match mark {
            Some(Mark::Step) => self.begin()?,
            Some(Mark::Set) => {
                let number = self.player.state().marks;
                self.say(&[self.lang.pick(format!("Mark {number}."), format!("标记 {number}。"))])?;
            }
            _ => {}
        }
        if !self.is_visible() {
            // What was on the way to the step is not told.
            self.screens.clear();
            self.partial.clear();
            return Ok(());
        }
        match event {
            Event::Output(terminal, bytes) => self.output(*terminal, bytes)?,
            Event::Trace(_, event) => self.traced(event)?,
            Event::Said(text) | Event::Trouble(text) => write(std::slice::from_ref(text))?,
            _ => {}
        }
        if mark.is_some() { self.tell_parts() } else { Ok(()) }
    }

    /// Whether what happens belongs to a step and not to the way there.
    fn is_visible(&mut self) -> bool {
        let state = self.player.state();
        let play = state.play.as_ref().filter(|_| state.view == View::Lesson);
        play.is_some_and(|play| !matches!(play.session.phase(), Phase::Preparing(..)))
    }

    /// A step begins.
    fn begin(&mut self) -> io::Result<()> {
        self.flush()?;
        self.parts.clear();
        self.hints = 0;
        let lang = self.lang;
        let play = self.player.state().play.as_ref();
        play.map_or(Ok(()), |play| write(&say::heading(play, lang)))
    }

    fn output(&mut self, terminal: TerminalId, bytes: &[u8]) -> io::Result<()> {
        for piece in self.screens.entry(terminal).or_default().process(bytes).pieces {
            if let Piece::Text(text) = piece {
                let partial = self.partial.entry(terminal).or_default();
                partial.push_str(&text);
                if let Some(end) = partial.rfind('\n') {
                    let rest = partial.split_off(end + 1);
                    let whole = std::mem::replace(partial, rest);
                    write(&labelled(terminal, &whole, self.lang))?;
                }
            }
        }
        Ok(())
    }

    /// Says what has no newline yet.
    fn flush(&mut self) -> io::Result<()> {
        for (terminal, text) in std::mem::take(&mut self.partial) {
            write(&labelled(terminal, &text, self.lang))?;
        }
        Ok(())
    }

    fn traced(&mut self, event: &TraceEvent) -> io::Result<()> {
        let Some(row) = Row::of(event) else { return Ok(()) };
        self.flush()?;
        let line = say::row(&row, false, self.lang);
        self.say(&[line])
    }

    /// Says what of the step is new, or means something else now.
    fn tell_parts(&mut self) -> io::Result<()> {
        let state = self.player.state();
        let Some(play) = &state.play else { return Ok(()) };
        let mut lines = Vec::new();
        for part in say::parts(state, play) {
            let known = self.parts.get(&part.place);
            if known != Some(&part.state) && (known.is_none() || part.state != say::NOT_YET) {
                lines.extend(part.lines);
                self.parts.insert(part.place, part.state);
            }
        }
        while self.hints < play.session.hints() {
            lines.extend(say::hint(play, self.hints, state.lang));
            self.hints += 1;
        }
        self.say(&lines)
    }

    /// Says what the event has decided, where the step may be over by now.
    fn tell_decided(&mut self) -> io::Result<()> {
        let (state, lang) = (self.player.state(), self.lang);
        let Some(play) = &state.play else { return Ok(()) };
        let mut lines = Vec::new();
        for report in &state.reports {
            if let Report::Outcome(step, Outcome::Skipped(why)) = report {
                let steps = &play.session.lesson().steps;
                let title = steps.get(*step).map(|step| step.title.as_str()).unwrap_or_default();
                let number = step + 1;
                lines.push(lang.pick(
                    format!("Step {number} was skipped: {title}. Why: {why}."),
                    format!("第 {number} 步跳过了：{title}。原因：{why}。"),
                ));
            }
            let Report::Check(step, block, number, verdict) = report else { continue };
            let Some(part) = say::decided(play, *step, (*block, *number), verdict, lang) else { continue };
            // Parts that are told later in this step must not be told twice.
            if self.parts.insert(part.place, part.state) != Some(part.state) {
                lines.extend(part.lines);
            }
        }
        self.say(&lines)
    }

    fn say(&mut self, lines: &[String]) -> io::Result<()> {
        let lines = say::fit(self.player.state(), lines, 0);
        write(&lines)
    }
}

/// Output of a terminal, each line with the terminal's name.
fn labelled(terminal: TerminalId, text: &str, lang: Lang) -> Vec<String> {
    text.lines().map(|line| format!("{}| {}", terminal.label(lang), line.trim_start_matches('\r').trim_end())).collect()
}

fn write(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{}", text::safe(line)))?;
    out.flush()
}
