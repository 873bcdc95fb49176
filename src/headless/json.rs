//! Events as lines of JSON on standard output.

use super::{Event, Printer};
use crate::kernel::text;
use crate::lesson::Lesson;
use std::io::{self, Write};

pub(super) struct Json;

impl Printer for Json {
    fn tell(&mut self, event: &Event<'_>, _: Option<&Lesson>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        // A line at a time, so that the reader of a pipe sees what happens when it happens.
        writeln!(out, "{}", text::json(event)?)?;
        out.flush()
    }
}
