//! The one place where everything that happens arrives, and where the main thread waits.

use super::machine::Message;
use crate::{event::Event, lesson::Translations, recording::Header, terminal::PtyEvent};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many bytes of output may wait. A program that prints faster than we draw waits in its writes, as at any slow
/// terminal; keys do not wait behind it.
const MAX_OUTPUT: usize = 256 * 1024;

/// What arrives.
#[derive(Debug)]
pub(super) enum Item {
    /// An event as it is.
    Event(Event),
    /// What a thread of the machine brings: the machine says which events that means.
    Machine(Message),
    /// The time of this number is over that the screen asked for.
    Woke(u64),
    /// What comes of a session that is watched.
    Recorded(Recorded),
}

/// What comes of a session that is watched.
#[derive(Debug)]
pub(super) enum Recorded {
    /// Events, and when each came.
    Events(Vec<(Duration, Event)>),
    /// No more comes; what must be said of that.
    End(Option<String>),
    /// The session was killed, and has begun anew: its header, and its lessons.
    Anew(Box<(Header, Vec<Translations>)>),
}

impl Item {
    /// Whether the answer is waited for.
    fn is_urgent(&self) -> bool {
        match self {
            Item::Machine(_) | Item::Woke(_) | Item::Recorded(_) => false,
            Item::Event(event) => matches!(
                event,
                Event::Key(_)
                    | Event::Paste(_)
                    | Event::Drive(_)
                    | Event::Resize(..)
                    | Event::Stdin(_)
                    | Event::Signal(_)
                    | Event::Suspend
                    | Event::Resume
                    | Event::HungUp
            ),
        }
    }

    fn output(&self) -> usize {
        match self {
            Item::Machine(Message::Pty(_, _, PtyEvent::Output(bytes))) => bytes.len(),
            _ => 0,
        }
    }
}

/// A queue of all that happens, the urgent first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<Item>,
    rest: VecDeque<Item>,
    output: usize,
    closed: bool,
}

impl Queue {
    /// Puts an event in.
    pub(super) fn send(&self, event: Event) {
        self.put(Item::Event(event));
    }

    /// Puts in what a thread of the machine brings. Only output may have to wait for room.
    pub(super) fn put(&self, item: Item) {
        let mut waiting = self.lock();
        let output = item.output();
        if output > 0 {
            let full = |waiting: &mut Waiting| waiting.output >= MAX_OUTPUT && !waiting.closed;
            waiting = self.room.wait_while(waiting, full).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.closed {
            return;
        }
        waiting.output += output;
        if item.is_urgent() {
            waiting.urgent.push_back(item)
        } else {
            waiting.rest.push_back(item)
        }
        self.arrived.notify_one();
    }

    /// Waits for the next item, at most until then.
    pub(super) fn take(&self, until: Option<Instant>) -> Option<Item> {
        let mut waiting = self.lock();
        loop {
            let item = match waiting.urgent.pop_front() {
                Some(item) => Some(item),
                None => waiting.rest.pop_front(),
            };
            if let Some(item) = item {
                waiting.output -= item.output();
                self.room.notify_all();
                return Some(item);
            }
            waiting = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.arrived.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Takes nothing any more: no thread waits for room.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::TerminalId;
    use std::sync::Arc;

    fn output(size: usize) -> Item {
        Item::Machine(Message::Pty(TerminalId::Host, 1, PtyEvent::Output(vec![b'x'; size])))
    }

    #[test]
    fn a_key_overtakes_output_and_output_waits_for_room() {
        let queue = Arc::new(Queue::default());
        queue.put(output(MAX_OUTPUT));
        let sender = queue.clone();
        let writer = std::thread::spawn(move || sender.put(output(1)));
        queue.send(Event::Paste("x".into()));
        assert!(matches!(queue.take(None), Some(Item::Event(Event::Paste(_)))));
        assert_eq!(queue.take(None).map(|item| item.output()), Some(MAX_OUTPUT));
        assert_eq!(queue.take(None).map(|item| item.output()), Some(1));
        writer.join().unwrap();
    }

    #[test]
    fn no_thread_waits_at_a_closed_queue_and_a_wait_has_an_end() {
        let queue = Queue::default();
        assert!(queue.take(Some(Instant::now())).is_none());
        queue.close();
        queue.put(output(MAX_OUTPUT + 1));
        queue.put(output(MAX_OUTPUT + 1));
        assert!(queue.take(Some(Instant::now())).is_none());
    }
}
