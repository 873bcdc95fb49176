//! Writes down for the class what a session tells of itself, beside everything else: a directory on the network may be slow.

use super::queue::Queue;
use crate::{
    class::{Card, Place},
    event::Event,
    kernel::errno,
    lang::say,
};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// How long the end of a session waits until it has left the class.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running writer. Dropping it leaves the class.
#[derive(Debug)]
pub(super) struct Sharing {
    cards: Option<Sender<Card>>,
    ended: Receiver<()>,
}

impl Sharing {
    /// Starts the thread.
    pub(super) fn start(mut place: Place, queue: Arc<Queue>) -> io::Result<Sharing> {
        let (cards, told) = channel::<Card>();
        let (alive, ended) = channel();
        let work = move || {
            let _alive: Sender<()> = alive;
            let mut fails = false;
            while let Ok(card) = told.recv() {
                // Of what has come meanwhile only the newest counts.
                let card = told.try_iter().last().unwrap_or(card);
                let result = place.write(&card);
                // Said once, until it works again.
                if let Err(error) = &result
                    && !fails
                {
                    let (path, why) = (place.path().display(), errno::why_io(error));
                    let what = say("The class is not told: ", "没有告知班级：");
                    queue.send(Event::Trouble(format!("{what}{path}: {why}")));
                }
                fails = result.is_err();
            }
            let _ = place.remove();
        };
        thread::Builder::new().name("class".into()).spawn(work)?;
        Ok(Sharing { cards: Some(cards), ended })
    }

    /// Tells the class.
    pub(super) fn tell(&self, card: Card) {
        if let Some(cards) = &self.cards {
            // A thread that has ended has said why.
            let _ = cards.send(card);
        }
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        self.cards = None;
        let ended = self.ended.recv_timeout(PATIENCE);
        debug_assert_ne!(ended, Ok(()), "nothing is sent");
        let _: Result<(), RecvTimeoutError> = ended;
    }
}
