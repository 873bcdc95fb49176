//! Connections of the HTTP client that hear Ctrl-C wherever they wait: for a name, for a host that does not answer, for bytes.
//!
//! The client's own connections wait within connect(2) and recv(2), which a signal handler cannot end. These wait in poll(2),
//! for the socket and for Ctrl-C at once. A wait that Ctrl-C ends looks like a connection that was cut; the caller that
//! tries again asks [`staging::go_on`] first.

use crate::image::staging;
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::PollFlags,
    sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket},
    unistd::pipe2,
};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, AsRawFd},
    thread,
    time::{Duration, Instant},
};
use ureq::{
    Error, Timeout,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport},
    },
};

/// What counts as waiting without end.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits until the file descriptor is ready, the time is over, or Ctrl-C was pressed.
fn ready(fd: impl AsFd, flags: PollFlags, limit: Duration, reason: Timeout) -> Result<(), Error> {
    match staging::wait_for(fd.as_fd(), flags, limit.min(FOR_EVER)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Timeout(reason)),
        Err(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
    }
}

/// Resolves names as the C library does, in a thread of its own: getaddrinfo(3) cannot be interrupted.
#[derive(Debug)]
pub(super) struct Names;

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let (done, end) = pipe2(OFlag::O_CLOEXEC).map_err(io::Error::from)?;
        let (uri, config) = (uri.clone(), config.clone());
        let resolving = thread::Builder::new().name("resolver".into()).spawn(move || {
            let found = DefaultResolver::default().resolve(&uri, &config, timeout);
            drop(end);
            found
        })?;
        ready(done, PollFlags::POLLIN, *timeout.after, timeout.reason)?;
        resolving.join().unwrap_or(Err(Error::HostNotFound))
    }
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Tcp;

impl<In: Transport> Connector<In> for Tcp {
    type Out = Either<In, Socket>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        // A proxy's connection takes the place of ours.
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let stream = first(&details.addrs, *details.timeout.after, details.timeout.reason)?;
        stream.set_nodelay(details.config.no_delay())?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Socket { stream, buffers })))
    }
}

/// Connects to the first address that answers. Each gets half of the time that is left, the last one all of it.
fn first(addresses: &[SocketAddr], limit: Duration, reason: Timeout) -> Result<TcpStream, Error> {
    let end = Instant::now() + limit.min(FOR_EVER);
    let mut last = Error::HostNotFound;
    for (index, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = if index + 1 == addresses.len() { left } else { left / 2 };
        match to(address, share, reason) {
            Err(error) if staging::go_on().is_ok() => last = error,
            done => return done,
        }
    }
    Err(last)
}

fn to(address: &SocketAddr, limit: Duration, reason: Timeout) -> Result<TcpStream, Error> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Stream, flags, None).map_err(io::Error::from)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(*address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(errno) => return Err(io::Error::from(errno).into()),
    }
    ready(&socket, PollFlags::POLLOUT, limit, reason)?;
    let stream = TcpStream::from(socket);
    stream.take_error()?.map_or(Ok(stream), |error| Err(error.into()))
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Socket {
    /// It does not block.
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let mut output = self.buffers.output().get(..amount).unwrap_or_default();
        while !output.is_empty() {
            match self.stream.write(output) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(count) => output = output.get(count..).unwrap_or_default(),
                Err(error) => wait(&self.stream, error, PollFlags::POLLOUT, &timeout)?,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) => wait(&self.stream, error, PollFlags::POLLIN, &timeout)?,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // A server that sends unasked, or has closed the connection, is not asked again.
        matches!(self.stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Waits where the error says only that nothing could be done just now.
fn wait(stream: &TcpStream, error: io::Error, flags: PollFlags, timeout: &NextTimeout) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::WouldBlock => ready(stream, flags, *timeout.after, timeout.reason),
        io::ErrorKind::Interrupted => Ok(()),
        _ => Err(error.into()),
    }
}
