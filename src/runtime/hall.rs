//! The hall's end of the socket: it tells every speaker's view where the session is, and takes what they ask for.

use super::queue::Queue;
use crate::{
    event::Event,
    kernel::text,
    present::{
        Drive, Stage,
        socket::{self, NAME},
    },
};
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// More views than this are refused.
const MAX: usize = 8;
/// A line that is longer was not sent by a speaker's view.
const MAX_LEN: u64 = 64;
/// How long a view may take nothing until it is left behind.
const PATIENCE: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
struct Views {
    streams: Vec<UnixStream>,
    /// What a view is told that comes later.
    last: Option<Stage>,
}

/// A hall that is open. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Hall {
    directory: PathBuf,
    views: Arc<Mutex<Views>>,
    began: Instant,
}

fn lock(views: &Mutex<Views>) -> MutexGuard<'_, Views> {
    views.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A hall's socket, before there is a session.
#[derive(Debug)]
pub(crate) struct Listening {
    directory: PathBuf,
    listener: UnixListener,
}

impl Listening {
    /// Takes the place of this user's hall.
    ///
    /// Errors: those of [`socket::directory`] and [`socket::listen`].
    pub(crate) fn start() -> io::Result<Listening> {
        let directory = socket::directory()?;
        Ok(Listening { listener: socket::listen(&directory)?, directory })
    }

    /// Lets speaker's views in from now on.
    pub(super) fn open(self, queue: Arc<Queue>) -> io::Result<Hall> {
        let Listening { directory, listener } = self;
        let hall = Hall { directory, views: Arc::default(), began: Instant::now() };
        let (views, began) = (hall.views.clone(), hall.began);
        let accept = move || accept(&listener, &views, began, &queue);
        thread::Builder::new().name("hall".into()).spawn(accept)?;
        Ok(hall)
    }
}

impl Hall {
    /// Tells all views where the session is.
    pub(super) fn tell(&self, stage: Stage) {
        let mut views = lock(&self.views);
        let line = line(&stage, self.began);
        views.last = Some(stage);
        views.streams.retain_mut(|stream| stream.write_all(&line).is_ok());
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        // The thread that listens ends with the process.
        let _ = fs::remove_file(self.directory.join(NAME));
        let nobody = lock(&self.views).streams.is_empty();
        for stream in lock(&self.views).streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if nobody {
            socket::tidy(&self.directory);
        }
    }
}

fn line(stage: &Stage, began: Instant) -> Vec<u8> {
    let stage = Stage { seconds: began.elapsed().as_secs(), ..stage.clone() };
    let mut line = serde_json::to_vec(&stage).unwrap_or_default();
    line.push(b'\n');
    line
}

fn accept(listener: &UnixListener, views: &Arc<Mutex<Views>>, began: Instant, queue: &Arc<Queue>) {
    for stream in listener.incoming() {
        // Without descriptors to be had there is nothing to wait for but that one is closed.
        let Ok(stream) = stream else { return };
        let Ok(reader) = stream.try_clone() else { continue };
        let mut all = lock(views);
        if !socket::is_ours(&stream) || all.streams.len() >= MAX || stream.set_write_timeout(Some(PATIENCE)).is_err() {
            continue;
        }
        let mut stream = stream;
        if let Some(last) = &all.last
            && stream.write_all(&line(last, began)).is_err()
        {
            continue;
        }
        all.streams.push(stream);
        drop(all);
        let queue = queue.clone();
        let listen = move || listen(reader, &queue);
        if thread::Builder::new().name("view".into()).spawn(listen).is_err() {
            return;
        }
    }
}

/// Takes what one view asks for, until it ends.
fn listen(stream: UnixStream, queue: &Queue) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(MAX_LEN).read_until(b'\n', &mut line) {
            Ok(1..) if line.ends_with(b"\n") => {
                if let Some(drive) = Drive::parse(&text::of(line)) {
                    queue.send(Event::Drive(drive));
                }
            }
            _ => {
                let _ = reader.get_ref().shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
