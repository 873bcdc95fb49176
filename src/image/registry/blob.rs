//! A blob on its way: where the connection is cut, the rest is asked for, and the reader does not notice.

use super::{
    client::Client,
    fault::Fault,
    retry::{Failed, Tries, retry},
};
use crate::image::{Result, staging};
use std::{
    io::{self, Read},
    sync::Arc,
};
use ureq::{
    BodyReader,
    http::{HeaderMap, StatusCode, header},
};

/// After this many bytes without a cut the count of tries begins anew.
const PROGRESS: u64 = 1 << 20;

/// A blob that is being read.
pub(super) struct Blob {
    client: Arc<Client>,
    /// `blobs/DIGEST`.
    rest: String,
    /// For messages.
    what: String,
    size: u64,
    at: u64,
    body: Option<Open>,
    tries: Tries,
    /// Where the count of tries began.
    since: u64,
}

struct Open {
    reader: BodyReader<'static>,
    host: String,
    /// Whether the server said how long its answer is, so that a short one is what it meant to send.
    sized: bool,
}

impl Blob {
    /// Asks for a blob; fails where the registry has none.
    pub(super) fn open(client: Arc<Client>, rest: String, what: String, size: u64) -> Result<Blob> {
        let mut blob = Blob { client, rest, what, size, at: 0, body: None, tries: Tries::default(), since: 0 };
        blob.body = Some(blob.ask()?);
        Ok(blob)
    }

    fn ask(&self) -> Result<Open> {
        retry(&self.what, || {
            let (response, host) = match self.client.get(&self.rest, "*/*", self.at) {
                // Not every server gives the end of a blob: then it is asked for all of it.
                Err(Failed { fault: Fault::Status { status: 416, .. }, .. }) if self.at > 0 => {
                    self.client.get(&self.rest, "*/*", 0)?
                }
                got => got?,
            };
            let partial = response.status() == StatusCode::PARTIAL_CONTENT && starts_at(response.headers(), self.at);
            let sized = response.body().content_length().is_some();
            let mut reader = response.into_body().into_reader();
            if !partial {
                // Not every server knows ranges: what we have already is read again and dropped.
                let skipped = io::copy(&mut Read::by_ref(&mut reader).take(self.at), &mut io::sink());
                skipped.map_err(|error| self.client.http().body_fault(error, &host, 0, Some(self.size)))?;
            }
            Ok(Open { reader, host, sized })
        })
    }

    /// Goes on after a failure, or says why not.
    fn again(&mut self, failed: Failed) -> Result<()> {
        if self.at - self.since >= PROGRESS {
            (self.tries, self.since) = (Tries::default(), self.at);
        }
        self.tries.next(failed, &self.what)?;
        self.body = Some(self.ask()?);
        Ok(())
    }
}

fn starts_at(headers: &HeaderMap, at: u64) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    range.strip_prefix("bytes ").and_then(|range| range.split('-').next()).is_some_and(|start| start.parse() == Ok(at))
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            staging::go_on()?;
            let Some(body) = &mut self.body else { return Ok(0) };
            let error = match body.reader.read(buffer) {
                Ok(0) if self.at < self.size && !body.sized && !buffer.is_empty() => {
                    io::ErrorKind::UnexpectedEof.into()
                }
                Ok(count) => {
                    self.at += count as u64;
                    return Ok(count);
                }
                // All that was wanted is here.
                Err(_) if self.at >= self.size => return Ok(0),
                Err(error) => error,
            };
            let fault = self.client.http().body_fault(error, &body.host, self.at, Some(self.size));
            self.again(fault.into())?;
        }
    }
}
