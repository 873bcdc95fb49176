//! Where the lines of a recording come from: a file as it is, a file that grows, a socket, a pipe.
//!
//! What comes while a session is followed is gathered and read together: a key, its echo, and what the line did. A follower
//! wakes once for all of it, and not for each line, since forty of them share the teacher's processors.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    mem::MaybeUninit,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            fs::{FileTypeExt, MetadataExt},
            net::UnixStream,
        },
    },
    path::{Path, PathBuf},
};

/// The lines of a recording.
pub(super) type Lines = BufReader<Box<dyn Read + Send>>;

/// How long what comes is gathered, in milliseconds. A follower is in step with the teacher's screen within a quarter of a second, the drawing
/// included; of a quick typist's keys two come together.
const GATHER: u8 = 220;

fn lines(from: impl Read + Send + 'static) -> Lines {
    BufReader::new(Box::new(from))
}

/// Which file it was: device and inode.
type Id = (u64, u64);

/// Opens a file as it is now.
pub(super) fn open(path: &Path) -> io::Result<Lines> {
    Ok(lines(File::open(path)?))
}

/// A file in which a session was followed that may be killed and begin anew.
#[derive(Debug)]
pub(super) struct Followed {
    path: PathBuf,
    id: Id,
}

impl Followed {
    /// The file of this path as it is now; `None` for a socket, a pipe, standard input, and where there is none.
    pub(super) fn at(path: &Path) -> Option<Followed> {
        Some(Followed { path: path.into(), id: id(path)? })
    }

    /// Waits until another file stands in its place, and opens that.
    ///
    /// Errors: those of inotify(7), such as that the directory is gone.
    pub(super) fn anew(&mut self) -> io::Result<Lines> {
        let news = inotify::init(CreateFlags::CLOEXEC)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let comes = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR | WatchFlags::DELETE_SELF;
        // The watch comes first: a file that comes after the look is told then.
        inotify::add_watch(&news, dir, comes)?;
        loop {
            if let Some(id) = id(&self.path).filter(|id| *id != self.id) {
                self.id = id;
                return follow(&self.path);
            }
            let mut room = [MaybeUninit::uninit(); 4096];
            match Reader::new(&news, &mut room).next() {
                Ok(event) if event.events().intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED) => {
                    return Err(io::ErrorKind::NotFound.into());
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn id(path: &Path) -> Option<Id> {
    let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.is_file())?;
    Some((metadata.dev(), metadata.ino()))
}

/// Opens what is written now. Nothing is ever written to it. `-` is standard input, whose place the terminal takes.
pub(super) fn follow(path: &Path) -> io::Result<Lines> {
    if path == Path::new("-") {
        let stream = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Without a terminal no key can be pressed; plain lines need none.
        if let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") {
            nix::unistd::dup2_stdin(terminal)?;
        }
        return Ok(lines(Gathered(stream)));
    }
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_socket() {
        let stream = UnixStream::connect(path)?;
        stream.shutdown(Shutdown::Write)?;
        return Ok(lines(Gathered(stream)));
    }
    if !kind.is_file() {
        return Ok(lines(Gathered(File::open(path)?)));
    }
    let news = inotify::init(CreateFlags::CLOEXEC)?;
    let grows = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
    // The watch comes first: what is written after the last read is told then.
    inotify::add_watch(&news, path, grows)?;
    Ok(lines(Growing { file: File::open(path)?, news, closed: false }))
}

/// Waits until there is something to read, and then until its writer is gone, at most as long as what comes is gathered.
fn gather(from: impl AsFd) {
    let wait = |what, at_most| poll(&mut [PollFd::new(from.as_fd(), what)], at_most);
    // What cannot be waited for is read at once, and that says why.
    if wait(PollFlags::POLLIN, PollTimeout::NONE).is_ok() {
        // Where nothing is asked for, poll(2) tells of the other end alone.
        let _ = wait(PollFlags::empty(), PollTimeout::from(GATHER));
    }
}

/// What others write: it is read together where it has to be waited for.
struct Gathered<F>(F);

impl<F: Read + AsFd> Read for Gathered<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO) == Ok(0) {
            gather(&self.0);
        }
        self.0.read(buffer)
    }
}

/// A file that still grows: reading waits at its end, until the writer has closed it.
struct Growing {
    file: File,
    news: OwnedFd,
    closed: bool,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.file.read(buffer)?;
            if count > 0 || self.closed {
                return Ok(count);
            }
            self.wait()?;
        }
    }
}

impl Growing {
    /// Waits until something has happened to the file.
    fn wait(&mut self) -> io::Result<()> {
        gather(&self.news);
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.news, &mut room);
        loop {
            let over = ReadFlags::CLOSE_WRITE | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
            match events.next() {
                Ok(event) => self.closed |= event.events().intersects(over),
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if events.is_buffer_empty() {
                return Ok(());
            }
        }
    }
}
