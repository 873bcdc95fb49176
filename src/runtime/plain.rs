//! The same session in numbered plain lines: nothing is drawn, nothing moves, everything is said once, in order.
//!
//! Lines of a person are obeyed at once. Lines that come through a pipe wait until what the line before began has ended,
//! so that a prepared conversation means the same on a slow machine.

mod announced;
mod commands;

use super::{as_root, driver::Driver, input, queue::Queue, signals, tui::TuiOptions};
use crate::{
    app::{Event, Row, View},
    cli::complain,
    kernel::{errno, text},
    lang::Lang,
    lesson::{TerminalId, consent},
    session::Phase,
    terminal::{Piece, Screen},
    trace::TraceEvent,
    ui::plain as say,
};
use announced::Announced;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// How long a prepared line waits for what the line before began: it may have begun something that reads lines itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks until the learner leaves, their lines end, or nobody reads any more. Status 0; 1 where standard output cannot be
/// written; 128 and the signal that ended it.
pub(crate) fn run(options: TuiOptions) -> ExitCode {
    let lang = options.setup.lang;
    let exe = options.setup.exe.clone();
    let (driver, start) = match options.driver() {
        Ok(driver) => driver,
        Err(error) => return complain(&format!("--record: {}", errno::why_io(&error)), None, 1),
    };
    let mut talk = Talk::new(driver);
    let ended = talk.begin(start).and_then(|()| talk.follow());
    let again = talk.driver.wants_root();
    signals::limit(*ended.as_ref().unwrap_or(&1));
    // What the session made goes before anything comes after it.
    talk.driver.finish(signals::TIDYING);
    match ended {
        Ok(status) => again.map_or(ExitCode::from(status), |lang| as_root::start(&exe, lang)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error has no reader.
            let _ = writeln!(io::stderr(), "boxwright: {}{error}", lang.pick("standard output: ", "标准输出："));
            ExitCode::FAILURE
        }
    }
}

/// Reads lines until there are none.
fn listen(queue: &Queue) {
    for line in io::stdin().lock().split(b'\n') {
        match line {
            Ok(line) => queue.send(Event::Stdin(text::of(line))),
            Err(_) => break,
        }
    }
    queue.send(Event::HungUp);
}

struct Talk {
    driver: Driver,
    person: bool,
    lines: VecDeque<String>,
    over: bool,
    /// Since when the oldest prepared line waits.
    waits: Option<Instant>,
    /// Terminals in which a line of the learner's runs.
    busy: BTreeSet<TerminalId>,
    screens: BTreeMap<TerminalId, Screen>,
    /// Output that has no newline yet.
    partial: BTreeMap<TerminalId, String>,
    /// The line that a terminal is about to echo: at Enter the user has just heard it.
    echo: BTreeMap<TerminalId, String>,
    /// Set from the moment on at which a held call was let go, until it goes.
    stepping: bool,
    /// Both branches of the held call are being played.
    branching: bool,
    announced: Announced,
}

impl Talk {
    fn new(driver: Driver) -> Talk {
        Talk {
            driver,
            person: io::stdin().is_terminal(),
            lines: VecDeque::new(),
            over: false,
            waits: None,
            busy: BTreeSet::new(),
            screens: BTreeMap::new(),
            partial: BTreeMap::new(),
            echo: BTreeMap::new(),
            stepping: false,
            branching: false,
            announced: Announced::default(),
        }
    }

    fn begin(&mut self, start: Option<(usize, usize)>) -> io::Result<()> {
        self.driver.examine()?;
        self.driver.engine.watch_signals();
        let queue = self.driver.engine.queue();
        thread::Builder::new().name("lines".into()).spawn(move || listen(&queue))?;
        match start {
            Some((lesson, step)) => self.start(lesson, step),
            None => self.say(&say::opening(&self.driver.state)),
        }
    }

    fn start(&mut self, lesson: usize, step: usize) -> io::Result<()> {
        if self.driver.state.lesson(lesson).is_some_and(|lesson| lesson.foreign) {
            let text = self.driver.state.lang.pick(
                "This lesson does not come with boxwright: start again with --yes to let its commands run.",
                "这一课不是 boxwright 自带的：加上 --yes 重新启动，才会运行其中的命令。",
            );
            let mut lines = vec![text.to_string()];
            if let Some(lesson) = self.driver.state.lesson(lesson) {
                lines.extend(consent(lesson, self.driver.state.lang));
            }
            return self.say(&lines);
        }
        self.forget();
        self.driver.open(lesson, step);
        Ok(())
    }

    fn forget(&mut self) {
        self.announced.forget();
        self.stepping = false;
        self.busy.clear();
        self.partial.clear();
        self.screens.clear();
        self.echo.clear();
    }

    /// Says sentences, broken for the terminal as wide as it is now.
    fn say(&self, lines: &[String]) -> io::Result<()> {
        print(&say::fit(&self.driver.state, lines, input::size().columns))
    }

    fn follow(&mut self) -> io::Result<u8> {
        loop {
            while let Some(event) = self.driver.engine.ready() {
                self.happened(event)?;
            }
            self.tell()?;
            if self.driver.has_ended() {
                return Ok(0);
            }
            let settled = self.is_settled();
            if settled && let Some(line) = self.lines.pop_front() {
                self.waits = None;
                self.run_command(&line)?;
                continue;
            }
            if self.over && settled && self.lines.is_empty() {
                return Ok(0);
            }
            // Branches always come to an end, which is told.
            let waiting = (self.over || !self.lines.is_empty()) && !self.branching;
            let until = waiting.then(|| *self.waits.get_or_insert_with(Instant::now) + PATIENCE);
            match self.driver.engine.next(until) {
                Some(Event::Stdin(line)) if self.person => self.run_command(&line)?,
                Some(Event::Stdin(line)) => self.lines.push_back(line),
                Some(Event::HungUp) if self.person => return Ok(0),
                Some(Event::HungUp) => self.over = true,
                Some(Event::Signal(signal)) => return Ok(128_u8.saturating_add(signal as u8)),
                Some(event) => self.happened(event)?,
                // What waited long enough is typed anyway; where nothing is left, this is the end.
                None => match self.lines.pop_front() {
                    Some(line) => {
                        self.waits = None;
                        self.run_command(&line)?;
                    }
                    None => return Ok(0),
                },
            }
        }
    }

    /// Whether what the last line began has ended.
    fn is_settled(&self) -> bool {
        let Some(play) = self.driver.state.play.as_ref().filter(|_| self.driver.state.view == View::Lesson) else {
            return true;
        };
        let phase = play.session.phase();
        let runs = matches!(phase, Phase::Preparing(..) | Phase::Running);
        match phase {
            Phase::Held => !self.stepping && !self.branching,
            Phase::Guarded => true,
            _ => !runs && self.busy.is_empty() && self.driver.engine.is_up_to_date(),
        }
    }

    fn happened(&mut self, event: Event) -> io::Result<()> {
        match &event {
            Event::Output(terminal, bytes) => self.output(*terminal, bytes)?,
            Event::Closed(terminal) => {
                self.busy.remove(terminal);
            }
            Event::Said(text) => {
                self.flush()?;
                return self.say(std::slice::from_ref(text));
            }
            Event::Doctor(lines) => self.say(lines)?,
            Event::Trouble(_) => self.branching = false,
            Event::Branches(both) => {
                self.branching = false;
                self.flush()?;
                self.say(&say::branches(both, self.driver.state.lang))?;
            }
            Event::Trace(_, trace) => self.traced(trace)?,
            _ => {}
        }
        let examined = matches!(event, Event::Lacking(_));
        self.driver.tell(event);
        if examined && self.driver.state.view == View::Opening {
            self.say(&say::limit(&self.driver.state))?;
        }
        Ok(())
    }

    fn traced(&mut self, trace: &TraceEvent) -> io::Result<()> {
        if matches!(trace, TraceEvent::Released(..)) {
            self.stepping = false;
            self.announced.waits_for = None;
        }
        if !self.is_visible() {
            return Ok(());
        }
        let lang = self.driver.state.lang;
        if let Some(row) = Row::of(trace) {
            self.flush()?;
            let was_held = match &row {
                Row::Call(event) => self.announced.take_held(&event.call),
                _ => false,
            };
            self.say(&[say::row(&row, was_held, lang)])?;
        }
        if let TraceEvent::Refused(_, why) = trace {
            let text = lang.pick("System calls cannot be seen here: ", "这里看不到系统调用：");
            self.say(&[format!("{text}{}", why.say(lang))])?;
        }
        Ok(())
    }

    /// Whether what happens belongs to the step and not to the way there.
    fn is_visible(&self) -> bool {
        let play = self.driver.state.play.as_ref();
        play.is_some_and(|play| !matches!(play.session.phase(), Phase::Preparing(..)))
    }

    fn output(&mut self, terminal: TerminalId, bytes: &[u8]) -> io::Result<()> {
        let visible = self.is_visible();
        let screen = self.screens.entry(terminal).or_default();
        for piece in screen.process(bytes).pieces {
            match piece {
                Piece::Text(text) if visible => {
                    let partial = self.partial.entry(terminal).or_default();
                    partial.push_str(&text);
                    if let Some(end) = partial.rfind('\n') {
                        let rest = partial.split_off(end + 1);
                        let whole = std::mem::replace(partial, rest);
                        let whole = self.without_echo(terminal, whole);
                        print(&labelled(terminal, &whole, self.driver.state.lang))?;
                    }
                }
                Piece::Prompt { .. } => {
                    self.busy.remove(&terminal);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Says what has no newline yet.
    fn flush(&mut self) -> io::Result<()> {
        for (terminal, text) in std::mem::take(&mut self.partial) {
            print(&labelled(terminal, &text, self.driver.state.lang))?;
        }
        Ok(())
    }

    /// What a terminal printed without the line that was typed there.
    fn without_echo(&mut self, terminal: TerminalId, text: String) -> String {
        let Some(typed) = self.echo.remove(&terminal) else { return text };
        let (mut typed, mut rest) = (typed.lines().peekable(), text.as_str());
        while let (Some(line), Some((row, below))) = (typed.peek(), rest.split_once('\n'))
            && is_echo(row, line)
        {
            typed.next();
            rest = below;
        }
        let left: Vec<&str> = if rest.is_empty() { typed.collect() } else { Vec::new() };
        if !left.is_empty() {
            self.echo.insert(terminal, left.join("\n"));
        }
        rest.to_string()
    }
}

/// Whether a row is the echo of this line. A shell asks for each further line of a here-document.
fn is_echo(row: &str, line: &str) -> bool {
    let (row, line) = (row.trim_start_matches('\r').trim_end(), line.trim_end());
    row == line || row.strip_prefix('>').is_some_and(|row| row.strip_prefix(' ').unwrap_or(row) == line)
}

/// Output of a terminal, each line with the terminal's name.
fn labelled(terminal: TerminalId, text: &str, lang: Lang) -> Vec<String> {
    text.lines().map(|line| format!("{}| {}", terminal.label(lang), line.trim_end())).collect()
}

fn print(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{}", text::safe(line))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::is_echo;

    #[test]
    fn what_a_shell_asks_with_is_no_part_of_the_line() {
        for (row, line) in [
            ("ls -l\r", "ls -l"),
            ("\r> exec \"$@\"", "exec \"$@\""),
            ("\r>     fi", "    fi"),
            ("\r> ", ""),
            ("> > f", "> f"),
        ] {
            assert!(is_echo(row, line), "{row:?}");
        }
        assert!(!is_echo("> ls", "df") && !is_echo("", "ls") && !is_echo("lsx", "ls"));
    }
}
