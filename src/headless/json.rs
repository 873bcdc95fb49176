//! Events as lines of JSON on standard output.

use super::{Event, Teller};
use crate::lesson::Lesson;
use std::io::{self, Write};

pub(super) struct Json;

impl Teller for Json {
    fn tell(&mut self, event: &Event<'_>, _: Option<&Lesson>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, event)?;
        // A line at a time, so that whoever reads a pipe sees what happens when it happens.
        out.write_all(b"\n")?;
        out.flush()
    }
}
