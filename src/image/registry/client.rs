//! A registry and one of its repositories: which scheme it speaks, who we are, where it sends us, and trying again.

use super::{
    answer,
    challenge::{self, Challenge},
    credentials::Credentials,
    fault::Fault,
    http::{Http, Outgoing, Request, host_of, is_https, is_loopback, resolve, same_origin},
    retry::{Failed, retry},
    token,
};
use crate::image::Result;
use std::sync::{Mutex, PoisonError};
use ureq::{
    Body,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header},
};

/// How often a registry may send us somewhere else.
const MAX_HOPS: usize = 10;

/// A repository: `https://HOST/v2/PATH/`.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    /// Host and port.
    host: String,
    /// The repository.
    path: String,
    schemes: Schemes,
    credentials: Credentials,
    /// The scheme, once it is known.
    https: Mutex<Option<bool>>,
    /// The value of `Authorization`, once the registry has wanted one.
    authorization: Mutex<Option<String>>,
    /// What tokens are asked for, where the registry does not say.
    actions: &'static str,
}

/// The answer to something that was sent: it is a success.
#[derive(Debug)]
pub(super) struct Sent {
    /// Its headers.
    pub headers: HeaderMap,
}

/// Which schemes may be spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schemes {
    /// HTTPS alone.
    Https,
    /// HTTP alone, as was asked for.
    Http,
    /// Either, HTTP first: nothing leaves this machine.
    HttpFirst,
    /// Either, HTTPS first: certificates do not count.
    HttpsFirst,
}

impl Schemes {
    /// What is right for a host.
    pub(super) fn of(host: &str, tls_verify: Option<bool>) -> Schemes {
        let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
        match tls_verify {
            Some(true) => Schemes::Https,
            Some(false) if is_loopback(name) => Schemes::HttpFirst,
            Some(false) => Schemes::HttpsFirst,
            None if is_loopback(name) => Schemes::HttpFirst,
            None => Schemes::Https,
        }
    }
}

/// An answer, and the host that gave it in the end.
pub(super) type Answered = (Response<Body>, String);

impl Client {
    /// Sets up; nothing is sent yet.
    pub(super) fn new(http: Http, host: &str, path: &str, schemes: Schemes, credentials: Credentials) -> Client {
        Client {
            http,
            host: host.into(),
            path: path.into(),
            schemes,
            credentials,
            https: Mutex::new(None),
            authorization: Mutex::new(None),
            actions: "pull",
        }
    }

    /// The same for who wants to send something.
    pub(super) fn for_push(self) -> Client {
        Client { actions: "pull,push", ..self }
    }

    /// Host and port, for messages.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// How faults while reading a body are told.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// Gets a document as a whole, with its headers; `rest` is `manifests/TAG`.
    pub(super) fn document(
        &self,
        rest: &str,
        accept: &str,
        limit: u64,
        what: &str,
    ) -> Result<(Vec<u8>, Response<Body>)> {
        retry(what, || {
            let (mut response, host) = self.get(rest, accept, 0)?;
            let bytes = answer::whole(&self.http, &host, &mut response, limit)?;
            Ok((bytes, response))
        })
    }

    /// Asks once, from the byte `from` on, and gives an answer that is a success.
    pub(super) fn get(&self, rest: &str, accept: &str, from: u64) -> std::result::Result<Answered, Failed> {
        let home = self.uri(&format!("{}/{rest}", self.path))?;
        let mut authorization = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut asked = false;
        let mut uri = home.clone();
        for _ in 0..MAX_HOPS {
            let ours = same_origin(&home, &uri);
            let host = host_of(&uri);
            let shown = authorization.as_deref().filter(|_| ours);
            let mut response =
                self.http.send(&uri, &Request { accept, authorization: shown, from, ..Request::default() })?;
            match response.status() {
                status if status.is_success() => return Ok((response, host)),
                // A token may also have expired since the last request.
                StatusCode::UNAUTHORIZED if ours && !asked => {
                    asked = true;
                    let Some(proof) = self.prove(&response)? else {
                        return Err(answer::failed(&self.http, &host, &mut response, &self.credentials));
                    };
                    *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof.clone());
                    authorization = Some(proof);
                    uri = home.clone();
                }
                status if status.is_redirection() => uri = self.elsewhere(&uri, &response)?,
                _ => return Err(answer::failed(&self.http, &host, &mut response, &self.credentials)),
            }
        }
        Err(Fault::Protocol { host: self.host.clone(), why: format!("it redirects more than {MAX_HOPS} times") }.into())
    }

    /// Sends something once, to a place below the repository or to an address that the registry gave, and gives an answer that
    /// is a success. A body can be sent only once: before it, who we must prove to be is known.
    pub(super) fn send(&self, method: &Method, to: &str, outgoing: Outgoing) -> std::result::Result<Sent, Failed> {
        let home = self.uri(&format!("{}/", self.path))?;
        let wrong = || Fault::Protocol { host: self.host.clone(), why: format!("{to:?} is not an address") };
        let uri = match to.contains("://") || to.starts_with('/') {
            true => resolve(&home, to).ok_or_else(wrong)?,
            false => self.uri(&format!("{}/{to}", self.path))?,
        };
        if !is_https(&uri) && (is_https(&home) || !self.may_be_plain(&uri)) {
            let why = format!("it wants the image at {}, away from TLS", host_of(&uri));
            return Err(Fault::Protocol { host: self.host.clone(), why }.into());
        }
        let (ours, host) = (same_origin(&home, &uri), host_of(&uri));
        let known = || self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| ours);
        let (again, kind) = (outgoing.body.is_none(), outgoing.media_type);
        let mut response = self.http.put(method, &uri, known().as_deref(), outgoing)?;
        if response.status() == StatusCode::UNAUTHORIZED
            && ours
            && let Some(proof) = self.prove(&response)?
        {
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
            if !again {
                // Its body is gone; another try comes with what was wanted.
                return Err(Fault::Cut { host, at: 0, of: None }.into());
            }
            response = self.http.put(method, &uri, known().as_deref(), Outgoing { media_type: kind, body: None })?;
        }
        if response.status().is_success() {
            return Ok(Sent { headers: response.headers().clone() });
        }
        Err(answer::failed(&self.http, &host, &mut response, &self.credentials))
    }

    /// Where a redirect leads; never from TLS to plain HTTP.
    fn elsewhere(&self, from: &Uri, response: &Response<Body>) -> std::result::Result<Uri, Fault> {
        let wrong = |why: String| Fault::Protocol { host: host_of(from), why };
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| wrong("a redirect to nowhere".into()))?;
        let to = resolve(from, location).ok_or_else(|| wrong(format!("a redirect to {location:?}")))?;
        match is_https(&to) || (!is_https(from) && self.may_be_plain(&to)) {
            true => Ok(to),
            false => Err(wrong(format!("a redirect to {}, away from TLS", host_of(&to)))),
        }
    }

    /// Plain HTTP is for this machine, or for who asked for it.
    fn may_be_plain(&self, uri: &Uri) -> bool {
        let asked = matches!(self.schemes, Schemes::Http | Schemes::HttpsFirst);
        uri.scheme_str() == Some("http") && (asked || uri.host().is_some_and(is_loopback))
    }

    /// Meets the challenge of a 401; `None` where there is nothing to meet it with.
    fn prove(&self, response: &Response<Body>) -> std::result::Result<Option<String>, Failed> {
        let headers = response.headers().get_all(header::WWW_AUTHENTICATE);
        match challenge::choose(headers.iter().filter_map(|value| value.to_str().ok())) {
            None => Ok(None),
            Some(Challenge::Basic) => Ok(self.credentials.basic()),
            Some(Challenge::Bearer { realm, service, scope }) => {
                let wrong = |why: &str| Fault::Protocol { host: self.host.clone(), why: format!("{why} {realm:?}") };
                let uri: Uri = realm.parse().map_err(|_| wrong("tokens are to come from"))?;
                if !is_https(&uri) && !self.may_be_plain(&uri) {
                    return Err(wrong("tokens would come without TLS from").into());
                }
                let scope = scope.unwrap_or_else(|| format!("repository:{}:{}", self.path, self.actions));
                let elsewhere = |from: &Uri, response: &Response<Body>| self.elsewhere(from, response);
                token::get(&self.http, &uri, elsewhere, service.as_deref(), &scope, &self.credentials).map(Some)
            }
        }
    }

    fn uri(&self, rest: &str) -> std::result::Result<Uri, Fault> {
        let mut known = self.https.lock().unwrap_or_else(PoisonError::into_inner);
        let https = match *known {
            Some(https) => https,
            None => {
                let https = self.find_scheme()?;
                *known = Some(https);
                https
            }
        };
        self.with_scheme(https, rest)
    }

    fn with_scheme(&self, https: bool, rest: &str) -> std::result::Result<Uri, Fault> {
        let (scheme, host) = (if https { "https" } else { "http" }, &self.host);
        let uri = format!("{scheme}://{host}/v2/{rest}");
        uri.parse().map_err(|_| Fault::Protocol { host: host.clone(), why: format!("{uri:?} is not an address") })
    }

    /// Which scheme the registry speaks. The question carries no secret.
    fn find_scheme(&self) -> std::result::Result<bool, Fault> {
        let first = match self.schemes {
            Schemes::Https => return Ok(true),
            Schemes::Http => return Ok(false),
            Schemes::HttpFirst => false,
            Schemes::HttpsFirst => true,
        };
        let answer = self.http.send(&self.with_scheme(first, "")?, &Request { accept: "*/*", ..Request::default() });
        match answer {
            // A server of TLS that hears plain HTTP says 400, or hangs up.
            Ok(response) => Ok(first || response.status() == StatusCode::BAD_REQUEST),
            Err(Fault::Tls { plain: true, .. } | Fault::Protocol { .. } | Fault::Cut { .. }) => Ok(!first),
            // Without a port each scheme has its own.
            Err(Fault::Connect { .. } | Fault::ConnectTimeout { .. }) if !self.host.contains(':') => Ok(!first),
            Err(fault) => Err(fault),
        }
    }
}
