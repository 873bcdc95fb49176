//! The one place where everything that happens arrives, and where the main thread waits.

use super::machine::Happening;
use crate::{app::Event, session::Lacking, terminal::PtyEvent};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// How many bytes of output may wait. A program that prints faster than we draw waits in its writes, as at any slow
/// terminal; keys do not wait behind it.
const MOST_OUTPUT: usize = 256 * 1024;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Letter {
    /// On the screen's terminal, or what another thread found out.
    Screen(Event),
    /// On the machine.
    Machine(Happening),
    /// A line of standard input, without its end.
    Line(String),
    /// What this machine lacks, by language.
    Lacking(BTreeMap<&'static str, Lacking>),
    /// A signal that asks us to end.
    Signal(i32),
    /// Job control asks us to stop for a while.
    Stop,
    /// Somebody lets us go on, whether or not we knew that we were stopped.
    GoOn,
    /// The screen's terminal is gone.
    Gone,
}

impl Letter {
    /// Whether somebody waits for the answer.
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Letter::Screen(event) => matches!(event, Event::Key(_) | Event::Paste(_) | Event::Resize(..)),
            Letter::Machine(_) | Letter::Lacking(_) => false,
            Letter::Line(_) | Letter::Signal(_) | Letter::Stop | Letter::GoOn | Letter::Gone => true,
        }
    }

    fn output(&self) -> usize {
        match self {
            Letter::Machine(Happening::Pty(_, _, PtyEvent::Output(bytes))) => bytes.len(),
            _ => 0,
        }
    }
}

/// Letters, the urgent ones first.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    urgent: VecDeque<Letter>,
    rest: VecDeque<Letter>,
    output: usize,
    closed: bool,
}

impl Inbox {
    /// Puts a letter in. Only output may have to wait for room.
    pub(super) fn send(&self, letter: Letter) {
        let mut queue = self.lock();
        let output = letter.output();
        if output > 0 {
            let full = |queue: &mut Queue| queue.output >= MOST_OUTPUT && !queue.closed;
            queue = self.room.wait_while(queue, full).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.closed {
            return;
        }
        queue.output += output;
        if letter.is_urgent() {
            queue.urgent.push_back(letter)
        } else {
            queue.rest.push_back(letter)
        }
        self.arrived.notify_one();
    }

    /// Waits for the next letter, at most until then.
    pub(super) fn take(&self, until: Option<Instant>) -> Option<Letter> {
        let mut queue = self.lock();
        loop {
            let letter = match queue.urgent.pop_front() {
                Some(letter) => Some(letter),
                None => queue.rest.pop_front(),
            };
            if let Some(letter) = letter {
                queue.output -= letter.output();
                self.room.notify_all();
                return Some(letter);
            }
            queue = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Takes nothing any more, so that nobody waits for room.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::TerminalId;
    use std::sync::Arc;

    fn output(size: usize) -> Letter {
        Letter::Machine(Happening::Pty(TerminalId::Host, 1, PtyEvent::Output(vec![b'x'; size])))
    }

    #[test]
    fn a_key_overtakes_output_and_output_waits_for_room() {
        let inbox = Arc::new(Inbox::default());
        inbox.send(output(MOST_OUTPUT));
        let sender = inbox.clone();
        let writer = std::thread::spawn(move || sender.send(output(1)));
        inbox.send(Letter::Screen(Event::Paste("x".into())));
        assert!(matches!(inbox.take(None), Some(Letter::Screen(_))));
        assert_eq!(inbox.take(None).map(|letter| letter.output()), Some(MOST_OUTPUT));
        assert_eq!(inbox.take(None).map(|letter| letter.output()), Some(1));
        writer.join().unwrap();
    }

    #[test]
    fn nobody_waits_at_a_closed_box_and_a_wait_has_an_end() {
        let inbox = Inbox::default();
        assert!(inbox.take(Some(Instant::now())).is_none());
        inbox.close();
        inbox.send(output(MOST_OUTPUT + 1));
        inbox.send(output(MOST_OUTPUT + 1));
        assert!(inbox.take(Some(Instant::now())).is_none());
    }
}
