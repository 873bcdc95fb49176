//! What the screen does about each thing that output asks for, where avt alone does not do it.

use super::{Screen, small, terminal};
use crate::terminal::Size;
use crate::terminal::{
    decoder::{Act, Query},
    graphemes::{self, Kind},
    prompt::{Ended, Prompt},
    transcript::{Piece, Transcript},
};
use avt::{
    Anchor, Line,
    observer::ShellEvent,
    parser::{AnsiMode, EdScope, ElScope, Function, Osc, ShellIntegration},
};
use std::{iter, str::Chars};

impl Screen {
    /// Carries out what is nothing but cells, at once, and gives the first thing that is more; `None` at the end.
    pub(super) fn run(&mut self, rest: &mut Chars<'_>) -> Option<Act> {
        let Screen { terminal, decoder, prompt, transcript, inserting, .. } = self;
        let observed = prompt.input.is_some() || *inserting;
        let mut more = None;
        let cells = iter::from_fn(|| {
            loop {
                match decoder.feed(rest.next()?) {
                    None => {}
                    Some(Act::Change(function)) if !observed && transcribed(&function, transcript, prompt) => {
                        return Some(function);
                    }
                    act => {
                        more = act;
                        return None;
                    }
                }
            }
        });
        // The tracker looks at nothing but marks until there is a line to follow.
        terminal.execute(cells);
        more
    }

    pub(super) fn change(&mut self, function: Function) {
        if self.wraps(&function) {
            return;
        }
        match &function {
            Function::Print(c) => return self.print(*c),
            Function::Lf if self.prompt.is_submitted_by_a_line_feed() || self.echoes_a_line_typed_ahead() => {
                self.mark(ShellIntegration::CommandExecuted, None);
            }
            Function::Sm(modes) | Function::Rm(modes) if modes.as_slice().contains(&AnsiMode::Insert) => {
                self.inserting = matches!(function, Function::Sm(_));
            }
            Function::Ris => {
                self.inserting = false;
                self.decoder.modes = Default::default();
            }
            Function::Decstr => self.inserting = false,
            Function::Ed(EdScope::SavedLines) => return self.forget_history(),
            _ => drop(transcribed(&function, &mut self.transcript, &mut self.prompt)),
        }
        self.execute(function);
    }

    /// The first line of what was typed from here on, where it begins a here-document: bash says that it starts the command
    /// once it has read the others, too.
    fn here_document(&self, input: &Anchor) -> Option<String> {
        let (place, screen) = (self.terminal.resolve(input)?, self.terminal.screen());
        let scrolled = screen.all_lines().count() - screen.visible_lines().len();
        let mut rows = screen.all_lines().skip(scrolled.checked_add_signed(place.row)?).peekable();
        let mut typed = text(rows.peek()?.cells().get(place.col..)?);
        while rows.next().is_some_and(Line::is_wrapped) {
            typed.push_str(&text(rows.peek()?.cells()));
        }
        typed.contains("<<").then(|| self.graphemes.expand(typed.trim_end()))
    }

    /// Whether the shell has echoed behind its prompt what was typed before: it takes that line.
    fn echoes_a_line_typed_ahead(&self) -> bool {
        let Some(place) = self.prompt.input.as_ref().and_then(|input| self.terminal.resolve(input)) else {
            return false;
        };
        let row = usize::try_from(place.row).ok().and_then(|row| self.terminal.screen().line(row));
        row.is_some_and(|row| {
            self.prompt.ahead.is_next(text(row.cells().get(place.col..).unwrap_or_default()).trim_end())
        })
    }

    /// What is typed from here on is the shell's next line.
    pub(super) fn begin_input(&mut self) {
        self.prompt.input = Some(self.terminal.anchor_at_cursor());
        self.terminal
            .execute_with(Function::Osc(Osc::ShellIntegration(ShellIntegration::CommandStart)), &mut self.tracker);
    }

    /// A shell waits for a line. Where it has not marked its prompt, the row as far as the cursor is the prompt, and the
    /// line is followed from there on. Gives the lines that it has taken before, because they were typed ahead; `None` where
    /// nothing new is known.
    pub fn waits(&mut self) -> Option<Vec<String>> {
        if self.prompt.input.is_some() || self.alternate_screen() {
            return None;
        }
        let cursor = self.terminal.cursor_position();
        let row = usize::try_from(cursor.row).ok().and_then(|row| self.terminal.screen().line(row))?;
        let before = text(row.cells().get(..cursor.col).unwrap_or_default());
        let end = self.prompt.end_of(&before)?;
        let drawn: String = before.chars().take(end).collect();
        let rows: Vec<String> =
            self.terminal.screen().all_lines().map(|line| text(line.cells()).trim_end().to_string()).collect();
        let ran = self.prompt.ahead.echoed(&drawn, rows.iter().map(String::as_str));
        // Columns, not characters: a prompt may be Chinese.
        let cells = row.cells().iter().enumerate().filter(|(_, cell)| cell.width() > 0);
        let col = cells.map(|(col, cell)| col + usize::from(cell.width())).nth(end.saturating_sub(1));
        self.prompt.returns = 0;
        self.prompt.drawing = false;
        self.prompt.shell = None;
        // A line begins where the cursor is.
        self.terminal.execute(iter::once(Function::Cha(small(col.unwrap_or(cursor.col) + 1))));
        self.begin_input();
        self.terminal.execute(iter::once(Function::Cha(small(cursor.col + 1))));
        Some(ran)
    }

    /// Whether this erases the place where the typed line begins, while the cursor stands there: the line is then empty
    /// or its first character goes, and it begins there again.
    fn empties_input(&self, function: &Function) -> bool {
        let erases = matches!(
            function,
            Function::El(ElScope::ToRight) | Function::Ed(EdScope::Below) | Function::Ech(_) | Function::Dch(_)
        );
        let start = self.prompt.input.as_ref().filter(|_| erases).and_then(|anchor| self.terminal.resolve(anchor));
        start == Some(self.terminal.cursor_position())
    }

    /// busybox begins the next row of a typed line by itself, with two carriage returns and a line feed behind the last
    /// column. Here that must be a wrapped line like any other.
    fn wraps(&mut self, function: &Function) -> bool {
        let (cols, _) = self.terminal.size();
        let behind = self.terminal.cursor().col == cols && self.prompt.input.is_some();
        match (function, self.returns) {
            (Function::Cr, 0) if behind => self.returns = 1,
            (Function::Cr, 1) => self.returns = 2,
            (Function::Lf, 2) => {
                self.returns = 0;
                self.execute(Function::Print(' '));
                self.execute(Function::Cr);
            }
            (_, 0) => return false,
            _ => {
                self.returns = 0;
                self.transcript.carriage_return();
                self.execute(Function::Cr);
                return false;
            }
        }
        true
    }

    fn execute(&mut self, function: Function) {
        let again = self.empties_input(&function);
        for event in self.terminal.execute_with(function, &mut self.tracker) {
            if let ShellEvent::CommandSubmitted(command) = event {
                let line = command.text.map(|text| self.graphemes.expand(&text));
                self.prompt.ahead.took(line.as_deref());
                let document = self.prompt.document.take();
                self.transcript.note(Piece::Submitted(line.or(document)));
            }
        }
        if again {
            self.begin_input();
        }
    }

    fn say(&mut self, c: char) {
        if !self.prompt.drawing {
            self.transcript.print(c);
        }
    }

    fn print(&mut self, c: char) {
        match graphemes::kind(c) {
            Kind::Nothing if c == '\u{7f}' => {}
            Kind::Nothing => self.say(c),
            Kind::Mark => {
                self.say(c);
                self.join(c);
            }
            Kind::Cell => {
                self.say(c);
                let c = graphemes::plain(c);
                if self.inserting && is_wide(c) {
                    self.make_room();
                }
                self.execute(Function::Print(c));
            }
        }
    }

    /// avt 0.19 moves the rest of the line by one column whatever is inserted.
    fn make_room(&mut self) {
        let (cols, _) = self.terminal.size();
        if self.terminal.cursor().col + 2 <= cols {
            self.execute(Function::Ich(1));
        }
    }

    /// Puts a mark onto the character before the cursor.
    fn join(&mut self, mark: char) {
        let cursor = self.terminal.cursor();
        let Some(line) = self.terminal.screen().line(cursor.row) else { return };
        let cells = line.cells().get(..cursor.col).unwrap_or_default();
        let Some((col, cell)) = cells.iter().enumerate().rev().find(|(_, cell)| cell.width() > 0) else { return };
        let Some(joined) = self.graphemes.join(cell.char(), mark, cell.width()) else { return };
        let inserting = self.inserting;
        if inserting {
            self.execute(Function::Rm([AnsiMode::Insert].as_slice().into()));
        }
        self.execute(Function::Cha(small(col + 1)));
        self.execute(Function::Print(joined));
        if inserting {
            self.execute(Function::Sm([AnsiMode::Insert].as_slice().into()));
        }
    }

    pub(super) fn mark(&mut self, mark: ShellIntegration, ended: Option<Ended>) {
        self.prompt.drawing = false;
        if std::mem::take(&mut self.returns) > 0 {
            self.execute(Function::Cr);
        }
        match mark {
            ShellIntegration::CommandFinished { .. } => {
                self.prompt.ended = ended;
                self.prompt.drawing = ended.is_some();
                if ended.is_none() {
                    return;
                }
                self.prompt.input = None;
            }
            ShellIntegration::PromptStart => {
                self.prompt.drawing = self.prompt.ended.is_some();
                if !self.prompt.drawing {
                    return;
                }
            }
            ShellIntegration::CommandStart => {
                let Some(ended) = self.prompt.ended.take() else { return };
                // A shell that asks twice has run something that it did not have to ask for.
                let same = self.prompt.shell.is_some_and(|before| before.shell == ended.shell);
                if same && std::mem::take(&mut self.prompt.fresh) && !ended.says_when_it_starts {
                    let ran = self.prompt.ahead.taken();
                    ran.into_iter().for_each(|line| self.transcript.note(Piece::Submitted(Some(line))));
                } else {
                    self.prompt.ahead.asked(same);
                }
                self.prompt.fresh = true;
                // A shell may draw its prompt anew, before it reads the Return that was typed.
                if self.prompt.shell.replace(ended).is_none_or(|before| before.shell != ended.shell) {
                    self.prompt.returns = 0;
                }
                self.transcript.note(Piece::Prompt { status: ended.status, shell: ended.shell });
                return self.begin_input();
            }
            ShellIntegration::CommandExecuted => {
                (self.prompt.returns, self.prompt.fresh) = (0, false);
                let Some(input) = self.prompt.input.take() else { return };
                self.prompt.document = self.here_document(&input);
            }
        }
        self.execute(Function::Osc(Osc::ShellIntegration(mark)));
    }

    /// Answers as xterm does (ctlseqs); a program that asks waits for the answer.
    pub(super) fn answer(&self, query: Query) -> String {
        let (row, col) = self.cursor_now();
        let (row, col) = (row + 1, col + 1);
        match query {
            Query::Status => "\x1b[0n".into(),
            Query::Cursor => format!("\x1b[{row};{col}R"),
            Query::ExtendedCursor => format!("\x1b[?{row};{col}R"),
            // A VT220 with colours, and an xterm of no particular version.
            Query::Attributes => "\x1b[?62;22c".into(),
            Query::Version => "\x1b[>1;10;0c".into(),
            Query::Size => {
                let Size { columns, rows } = self.size();
                format!("\x1b[8;{rows};{columns}t")
            }
        }
    }

    /// `clear` asks for this (ED 3), which avt 0.19 does not do: the screen goes to one that has no history.
    fn forget_history(&mut self) {
        let input = self.prompt.input.as_ref().and_then(|anchor| self.terminal.resolve(anchor));
        let (cols, rows) = self.terminal.size();
        let mut fresh = terminal(cols, rows);
        fresh.feed(self.terminal.dump());
        self.terminal = fresh;
        self.prompt.input = input.and_then(|place| self.terminal.anchor_at(place));
    }
}

/// Writes a change of cells into the transcript; false where it is more than that, or not just that.
fn transcribed(function: &Function, transcript: &mut Transcript, prompt: &mut Prompt) -> bool {
    match function {
        Function::Print(c) => {
            if graphemes::kind(*c) != Kind::Cell || graphemes::plain(*c) != *c {
                return false;
            }
            if !prompt.drawing {
                transcript.print(*c);
            }
        }
        Function::Lf => {
            // Our prompts are one line: if the rest of one got lost, output must not be taken for a prompt for ever.
            prompt.drawing = false;
            transcript.line_feed();
        }
        Function::Cr => transcript.carriage_return(),
        Function::Ht if !prompt.drawing => transcript.print('\t'),
        Function::Bs if !prompt.drawing => transcript.print('\x08'),
        Function::Sm(_) | Function::Rm(_) | Function::Ris | Function::Decstr | Function::Osc(_) => return false,
        Function::Ed(EdScope::SavedLines) => return false,
        _ => {}
    }
    true
}

/// The characters of cells.
fn text(cells: &[avt::Cell]) -> String {
    cells.iter().filter(|cell| cell.width() > 0).map(|cell| cell.char()).collect()
}

fn is_wide(c: char) -> bool {
    unicode_width::UnicodeWidthChar::width(c) == Some(2)
}
