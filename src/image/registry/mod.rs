//! `docker://`: images in registries (OCI distribution specification).
//!
//! A name is written out in full ([`name`]); the manifest is asked for once; blobs follow, by digest. What a registry says
//! is believed only where a digest vouches for it. Plain HTTP is for this machine alone, or for who asks for it, and
//! credentials stay with the host that they are for.

mod answer;
mod blob;
mod certificates;
mod challenge;
mod client;
mod credentials;
mod fault;
mod http;
mod mirror;
pub(crate) mod name;
mod proxy;
pub(in crate::image) mod push;
mod retry;
mod tags;
mod tcp;
mod tls;
mod token;

use super::{
    Digest, Error, Result, Source,
    manifest::{DOCKER_LIST, DOCKER_MANIFEST, Descriptor, OCI_INDEX, OCI_MANIFEST},
};
use certificates::Certificates;
use client::{Client, Schemes};
pub(crate) use credentials::Credentials;
pub(crate) use fault::Fault;
use http::Http;
use mirror::Mirror;
pub(crate) use name::Name;
use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use ureq::{Body, http::Response};

/// Registries refuse larger manifests, and so do we.
const MAX_MANIFEST: u64 = 4 << 20;
const DIGEST: &str = "docker-content-digest";

/// How a registry is to be reached, beside what the environment and the files of the user say.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// Whether certificates count: where not, plain HTTP is tried as well. Otherwise it is for this machine only.
    pub tls_verify: Option<bool>,
    /// Who one is, instead of what files say.
    pub credentials: Option<Credentials>,
    /// The file that says who one is.
    pub auth_file: Option<PathBuf>,
    /// The directory with certificates for the registry that the reference names.
    pub cert_dir: Option<PathBuf>,
    /// Hears what a person should know that is not an error.
    pub notice: Option<fn(&str)>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("tls_verify", &self.tls_verify).finish_non_exhaustive()
    }
}

/// An image in a registry, or in a mirror of it.
#[derive(Debug)]
pub(super) struct Registry {
    name: Name,
    /// Where it may be, the nearest first.
    places: Vec<Arc<Client>>,
    /// The first of them that has it.
    at: AtomicUsize,
    access: Access,
}

impl Registry {
    /// Reads what files and the environment say; nothing is sent yet.
    pub(super) fn open(name: &Name, access: &Access) -> Result<Registry> {
        let get = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
        let mut places = Vec::new();
        if let Some(text) = get(mirror::VARIABLE).filter(|_| name.is_hub()) {
            let unusable =
                |why: String| Error::Unavailable { what: format!("docker://{name}"), why, hint: String::new() };
            let mirror = Mirror::parse(&text.to_string_lossy()).map_err(unusable)?;
            let path = format!("{}{}", mirror.prefix, name.path);
            let schemes = mirror.schemes.unwrap_or_else(|| Schemes::of(&mirror.host, access.tls_verify));
            // What --src-creds names is for the registry that the reference names.
            let credentials = stored(access, &format!("{}/{path}", mirror.host))?;
            let http = http(access, None, &mirror.host)?;
            places.push(Arc::new(Client::new(http, &mirror.host, &path, schemes, credentials)));
        }
        let credentials = match &access.credentials {
            Some(credentials) => credentials.clone(),
            None => stored(access, &format!("{}/{}", name.registry, name.path))?,
        };
        let schemes = Schemes::of(name.host(), access.tls_verify);
        if let (Schemes::HttpsFirst, Some(notice)) = (schemes, access.notice) {
            notice(&format!(
                "warning: {}: its certificate is not checked: anybody on the way can read and change it",
                name.host()
            ));
        }
        let http = http(access, access.cert_dir.as_deref(), name.host())?;
        places.push(Arc::new(Client::new(http, name.host(), &name.path, schemes, credentials)));
        Ok(Registry { name: name.clone(), places, at: AtomicUsize::new(0), access: access.clone() })
    }

    /// Asks one place after the other, from the one that had the manifest on.
    fn first<T>(&self, ask: impl Fn(&Arc<Client>) -> Result<T>) -> Result<T> {
        let mut at = self.at.load(Ordering::Relaxed);
        loop {
            let Some(place) = self.places.get(at) else {
                return Err(Error::malformed(self.what(), "nowhere to ask"));
            };
            match (ask(place), self.places.get(at + 1)) {
                (Err(Error::Registry { fault, .. }), Some(next)) => {
                    if let Some(notice) = self.access.notice {
                        notice(&format!("mirror: {fault}; asking {} instead", next.host()));
                    }
                    at += 1;
                }
                (asked, _) => {
                    self.at.store(at, Ordering::Relaxed);
                    return asked;
                }
            }
        }
    }

    fn what(&self) -> String {
        format!("docker://{}", self.name)
    }

    fn manifest_of(&self, wanted: &str, what: &str) -> Result<(Vec<u8>, Response<Body>)> {
        let accept = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(", ");
        self.first(|client| client.document(&format!("manifests/{wanted}"), &accept, MAX_MANIFEST, what))
    }
}

/// The way to a registry.
fn http(access: &Access, cert_dir: Option<&Path>, host: &str) -> Result<Http> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let certificates = Certificates::find(cert_dir, host, home)?;
    Ok(Http::new(host, access.tls_verify != Some(false), certificates))
}

/// The credentials that files hold.
fn stored(access: &Access, repository: &str) -> Result<Credentials> {
    let get = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let files = credentials::files(access.auth_file.as_deref(), get);
    credentials::find(&files, repository)
}

impl Source for Registry {
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)> {
        let what = self.what();
        let (bytes, response) = self.manifest_of(&self.name.wanted(), &what)?;
        let media_type = answer::media_type(response.headers()).to_string();
        if media_type == "text/html" {
            let host = self.places.get(self.at.load(Ordering::Relaxed)).map(|place| place.host().to_string());
            let fault = Fault::Protocol {
                host: host.unwrap_or_default(),
                why: "a web page, where a manifest should be".into(),
            };
            return Err(Error::Registry { what, fault });
        }
        let header = response.headers().get(DIGEST).and_then(|value| value.to_str().ok());
        // An empty one says nothing.
        let header = header.map(str::trim).filter(|header| !header.is_empty());
        let header = header.map(str::parse::<Digest>).transpose();
        let header = header.map_err(|why| Error::malformed(&what, format!("Docker-Content-Digest: {why}")))?;
        // The digest in the name is the one that counts; a registry's own word for a tag is at least kept.
        let digest = self.name.digest.clone().or(header).unwrap_or_else(|| Digest::of(&bytes));
        let size = bytes.len() as u64;
        Ok((bytes, Some(Descriptor { media_type, digest, size, ..Descriptor::default() })))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let what = format!("{}: manifest {}", self.what(), descriptor.digest);
        let (bytes, _) = self.manifest_of(&descriptor.digest.to_string(), &what)?;
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }

    fn tags(&self) -> Result<Vec<String>> {
        let what = format!("docker://{}/{}: tags", self.name.registry, self.name.path);
        self.first(|client| tags::all(client, &what))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let what = format!("{}: {}", self.what(), descriptor.digest);
        let rest = format!("blobs/{}", descriptor.digest);
        self.first(|client| {
            let blob = blob::Blob::open(Arc::clone(client), rest.clone(), what.clone(), descriptor.size)?;
            Ok(Box::new(blob) as Box<dyn Read + Send>)
        })
    }
}
