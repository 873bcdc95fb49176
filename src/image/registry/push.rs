//! Images to a registry (distribution specification, "Push"): blobs first, each by its digest, then the manifest that names
//! them. What the registry has already is not sent again.

use super::{
    Access, DIGEST, Fault, Name,
    client::{Client, Schemes, Sent},
    http::Outgoing,
    retry::retry,
    stored,
};
use crate::image::{Digest, Error, Result, manifest::Descriptor, staging};
use crate::lang::say;
use std::io::{self, Read};
use ureq::http::{Method, header};

/// A repository that an image is copied to.
#[derive(Debug)]
pub(in crate::image) struct Target {
    client: Client,
    name: Name,
}

impl Target {
    /// Sets up; nothing is sent yet.
    pub(in crate::image) fn open(name: &Name, access: &Access) -> Result<Target> {
        if name.digest.is_some() && name.tag.is_some() {
            return Err(Error::Unavailable {
                what: format!("docker://{name}"),
                why: "a tag and a digest: an image is copied to one of them".into(),
                hint: say("name the tag alone", "只写标签即可").into(),
            });
        }
        let credentials = match &access.credentials {
            Some(credentials) => credentials.clone(),
            None => stored(access, &format!("{}/{}", name.registry, name.path))?,
        };
        let schemes = Schemes::of(name.host(), access.tls_verify);
        let http = super::http(access, access.cert_dir.as_deref(), name.host())?;
        let client = Client::new(http, name.host(), &name.path, schemes, credentials).for_push();
        Ok(Target { client, name: name.clone() })
    }

    fn what(&self) -> String {
        format!("docker://{}", self.name)
    }

    /// Whether the registry has a blob.
    pub(in crate::image) fn has(&self, digest: &Digest) -> Result<bool> {
        let rest = format!("blobs/{digest}");
        retry(&format!("{}: {digest}", self.what()), || {
            match self.client.send(&Method::HEAD, &rest, Outgoing::default()) {
                Ok(_) => Ok(true),
                Err(failed) if matches!(failed.fault, Fault::NotFound { .. }) => Ok(false),
                Err(failed) => Err(failed),
            }
        })
    }

    /// Sends a blob. Where that fails on the way, `content` gives it anew.
    pub(in crate::image) fn put<R: Read>(
        &self,
        descriptor: &Descriptor,
        content: impl Fn() -> Result<R>,
    ) -> Result<()> {
        let what = format!("{}: {}", self.what(), descriptor.digest);
        retry(&what, || {
            let begun = self.client.send(&Method::POST, "blobs/uploads/", Outgoing::default())?;
            let wrong = |why: String| Fault::Protocol { host: self.client.host().into(), why };
            let place = begun.location().ok_or_else(|| wrong("an upload that begins nowhere".into()))?;
            let joint = if place.contains('?') { '&' } else { '?' };
            let place = format!("{place}{joint}digest={}", descriptor.digest);
            let mut from = match content() {
                Ok(from) => from,
                Err(error) => return Ok(Err(error)),
            };
            // A source that fails is not a fault of the registry.
            let mut source = Source { inner: &mut from, failed: None };
            let body = Outgoing { body: Some((&mut source, descriptor.size)), ..Outgoing::default() };
            let sent = self.client.send(&Method::PUT, &place, body);
            if let Some(error) = source.failed.take() {
                return Ok(Err(Error::from_io(what.as_str(), error)));
            }
            sent?;
            // The last byte is there, and only now it is known whether the source was right.
            let rest = io::copy(&mut source.inner, &mut io::sink());
            Ok(rest.map(drop).map_err(|error| Error::from_io(what.as_str(), error)))
        })?
    }

    /// Sends a manifest under its digest, or under the name that was asked for.
    pub(in crate::image) fn manifest(&self, raw: &[u8], media_type: &str, last: bool) -> Result<()> {
        staging::go_on()?;
        let digest = Digest::of(raw);
        if let Some(named) = self.name.digest.as_ref().filter(|named| last && **named != digest) {
            return Err(Error::Digest { what: self.what(), expected: named.clone(), found: digest });
        }
        let rest = format!("manifests/{}", if last { self.name.wanted() } else { digest.to_string() });
        let what = self.what();
        let sent = retry(&what, || {
            let mut bytes = raw;
            let body = Outgoing { body: Some((&mut bytes, raw.len() as u64)), media_type };
            self.client.send(&Method::PUT, &rest, body)
        })?;
        match sent.header(DIGEST) {
            Some(theirs) if theirs.parse() != Ok(digest.clone()) => {
                let fault = Fault::Protocol {
                    host: self.client.host().into(),
                    why: format!("it took {digest} and calls it {theirs}"),
                };
                Err(Error::Registry { what, fault })
            }
            _ => Ok(()),
        }
    }
}

/// Remembers why a source failed: who sends it only knows that it did.
struct Source<'a, R> {
    inner: &'a mut R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        staging::go_on()?;
        self.inner.read(buffer).map_err(|error| {
            let told = io::Error::other("the source failed");
            self.failed = Some(error);
            told
        })
    }
}

impl Sent {
    fn location(&self) -> Option<String> {
        self.header(header::LOCATION.as_str())
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then(|| value.to_string())
    }
}
