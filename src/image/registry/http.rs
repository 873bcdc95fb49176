//! One HTTP request and its answer: timeouts, proxies, TLS with the system's authorities. No redirect is followed here.

use super::{
    certificates::Certificates,
    fault::Fault,
    proxy::{self, Proxies},
    tcp::{Names, Tcp},
    tls::{self, Tls, Trust, is_authority},
};
use crate::lang::say;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use ureq::{
    Agent, Body, Error, SendBody, Timeout,
    http::{Method, Response, Uri, header},
    unversioned::transport::{ConnectProxyConnector, Connector},
};

/// How long resolving a name may take, and how long connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a transfer may be silent unless `BOXWRIGHT_TIMEOUT` says otherwise.
const STALL: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("boxwright/", env!("CARGO_PKG_VERSION"));

/// A request.
#[derive(Clone, Debug, Default)]
pub(super) struct Request<'a> {
    /// What kinds of answer are understood.
    pub accept: &'a str,
    /// The value of `Authorization`.
    pub authorization: Option<&'a str>,
    /// The first byte that is wanted.
    pub from: u64,
    /// What is added to the address.
    pub query: Vec<(&'a str, &'a str)>,
    /// What is posted.
    pub form: Option<Vec<(&'a str, &'a str)>>,
}

/// What is sent to a registry.
#[derive(Default)]
pub(super) struct Outgoing<'a> {
    /// The content, and how many bytes it has.
    pub body: Option<(&'a mut dyn io::Read, u64)>,
    /// What it is; empty for bytes as such.
    pub media_type: &'a str,
}

/// The proxy, if any, and whether the host is the registry itself: both decide how a connection is made.
type Way = (Option<String>, bool);
type Agents = Mutex<BTreeMap<Way, Agent>>;

/// Connections, kept open for the next request.
#[derive(Debug)]
pub(super) struct Http {
    /// Host and port of the registry.
    home: String,
    proxies: Proxies,
    verify: bool,
    certificates: Arc<Certificates>,
    stall: Duration,
    agents: Agents,
}

impl Http {
    /// Sets up the way to a registry as the environment says; `verify` is whether certificates count.
    pub(super) fn new(home: &str, verify: bool, certificates: Certificates) -> Http {
        let get = |name: &str| std::env::var(name).ok();
        let seconds = get("BOXWRIGHT_TIMEOUT").and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
        let (home, proxies, certificates) = (home.to_string(), Proxies::read(get), Arc::new(certificates));
        Http {
            home,
            proxies,
            verify,
            certificates,
            stall: seconds.map_or(STALL, Duration::from_secs),
            agents: Agents::default(),
        }
    }

    /// Sends a request and waits for the head of the answer, whatever its status.
    pub(super) fn send(&self, uri: &Uri, request: &Request) -> Result<Response<Body>, Fault> {
        let host = host_of(uri);
        let proxy = self.proxies.on_the_way(is_https(uri), uri.host().unwrap_or_default(), port_of(uri));
        let agent = self.agent(proxy, &host)?;
        let answer = match &request.form {
            None => {
                let mut get = agent.get(uri).header(header::ACCEPT, request.accept);
                if let Some(authorization) = request.authorization {
                    get = get.header(header::AUTHORIZATION, authorization);
                }
                if request.from > 0 {
                    get = get.header(header::RANGE, format!("bytes={}-", request.from));
                }
                get.query_pairs(request.query.iter().copied()).call()
            }
            Some(form) => agent.post(uri).send_form(form.iter().copied()),
        };
        answer.map_err(|error| self.fault(error, &host, proxy))
    }

    /// Sends something, and waits for the head of the answer, whatever its status. `proof` is the value of `Authorization`.
    pub(super) fn put(
        &self,
        method: &Method,
        uri: &Uri,
        proof: Option<&str>,
        outgoing: Outgoing,
    ) -> Result<Response<Body>, Fault> {
        let host = host_of(uri);
        let proxy = self.proxies.on_the_way(is_https(uri), uri.host().unwrap_or_default(), port_of(uri));
        let agent = self.agent(proxy, &host)?;
        let (mut nothing, kind) = (io::empty(), outgoing.media_type);
        let (body, length): (&mut dyn io::Read, u64) = outgoing.body.unwrap_or((&mut nothing, 0));
        let mut limited = io::Read::take(body, length);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        if *method != Method::HEAD {
            let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
            request = request.header(header::CONTENT_TYPE, kind).header(header::CONTENT_LENGTH, length);
        }
        if let Some(authorization) = proof {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let wrong = |error: ureq::http::Error| Fault::Protocol { host: host.clone(), why: error.to_string() };
        let answer = match *method == Method::HEAD {
            true => request.body(()).map_err(wrong).map(|request| agent.run(request))?,
            false => {
                request.body(SendBody::from_reader(&mut limited)).map_err(wrong).map(|request| agent.run(request))?
            }
        };
        answer.map_err(|error| self.fault(error, &host, proxy))
    }

    fn agent(&self, proxy: Option<&str>, host: &str) -> Result<Agent, Fault> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let way = (proxy.map(str::to_string), host.eq_ignore_ascii_case(&self.home));
        if let Some(agent) = agents.get(&way) {
            return Ok(agent.clone());
        }
        let (certificates, verify, ours) = (Arc::clone(&self.certificates), self.verify, way.1);
        let tls = Tls::new(move || {
            let trust = if verify { certificates.trust() } else { Trust::Everybody };
            // Who we are is for the registry, and for no host that it sends us to.
            tls::config(trust, certificates.client().filter(|_| ours))
        });
        let config = Agent::config_builder()
            .proxy(proxy.map(|proxy| proxy::parse(proxy, host)).transpose()?)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            // A layer must come as it is stored.
            .accept_encoding("identity")
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(self.stall))
            .timeout_per_write(Some(self.stall))
            .build();
        let connector = ().chain(ConnectProxyConnector::default()).chain(Tcp).chain(tls);
        let agent = Agent::with_parts(config, connector, Names);
        agents.insert(way, agent.clone());
        Ok(agent)
    }

    /// What a failed request means.
    fn fault(&self, error: Error, host: &str, proxy: Option<&str>) -> Fault {
        let named = host.to_string();
        let connecting = match &error {
            Error::ConnectProxyFailed(_)
            | Error::HostNotFound
            | Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
            Error::Io(error) => !is_cut(error) && rustls_error(error).is_none(),
            _ => false,
        };
        if let Some(proxy) = proxy.filter(|_| connecting) {
            let why = match error {
                Error::ConnectProxyFailed(why) => why,
                error => self.fault(error, proxy::shown(proxy), None).to_string(),
            };
            return Fault::Proxy { proxy: proxy::shown(proxy).into(), host: named, why };
        }
        match error {
            Error::HostNotFound => Fault::Dns { host: named, why: "none found".into() },
            Error::Timeout(Timeout::Resolve) => {
                Fault::Dns { host: named, why: format!("no answer within {} s", CONNECT.as_secs()) }
            }
            Error::Timeout(Timeout::Connect) => Fault::ConnectTimeout { host: named, after: CONNECT },
            Error::Timeout(_) => Fault::Stalled { host: named, after: self.stall },
            Error::Rustls(error) => tls_fault(named, &error),
            Error::Tls(why) => Fault::Tls { host: named, why: why.into(), plain: false, hint: "" },
            Error::Io(error) => io_fault(error, named),
            other => Fault::Protocol { host: named, why: other.to_string() },
        }
    }

    /// What it means that a body could not be read after `at` of its bytes.
    pub(super) fn body_fault(&self, error: io::Error, host: &str, at: u64, of: Option<u64>) -> Fault {
        let host = host.to_string();
        match Error::from(error) {
            Error::Timeout(_) => Fault::Stalled { host, after: self.stall },
            Error::Io(error) if is_cut(&error) => Fault::Cut { host, at, of },
            Error::Io(error) => io_fault(error, host),
            other => Fault::Protocol { host, why: other.to_string() },
        }
    }
}

fn io_fault(error: io::Error, host: String) -> Fault {
    if let Some(error) = rustls_error(&error) {
        return tls_fault(host, error);
    }
    if is_cut(&error) {
        return Fault::Cut { host, at: 0, of: None };
    }
    // The resolver's errors have no number of their own.
    match error.raw_os_error() {
        None => Fault::Dns { host, why: error.to_string() },
        Some(_) => Fault::Connect { host, source: error },
    }
}

fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What is wrong with a certificate, and what may help.
fn tls_fault(host: String, error: &rustls::Error) -> Fault {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error::*};
    let (why, hint) = match error {
        InvalidMessage(_) => (
            "it does not speak TLS".to_string(),
            say(
                "for plain HTTP, which anyone on the way can change: --src-tls-verify=false",
                "要用明文 HTTP（途中任何人都能篡改）：--src-tls-verify=false",
            ),
        ),
        InvalidCertificate(Bad::UnknownIssuer) => (
            "no authority that this machine trusts has signed its certificate".into(),
            say(
                "a proxy that looks into connections, or a registry of your own? Get its authority's certificate: SSL_CERT_FILE=FILE, or --src-cert-dir DIR with it as DIR/NAME.crt, or add it to the system's",
                "是会解密连接的代理，还是自建的镜像仓库？取得其 CA 证书：SSL_CERT_FILE=文件，或用 --src-cert-dir 目录（证书存为 目录/主机.crt），或加入系统证书",
            ),
        ),
        error if is_authority(error) => (
            "its certificate is its own authority, which this machine does not trust".into(),
            say(
                "is it your registry? Get this very certificate from it: SSL_CERT_FILE=FILE, or --src-cert-dir DIR with it as DIR/NAME.crt, or add it to the system's",
                "是你自己的镜像仓库吗？取得这张证书：SSL_CERT_FILE=文件，或用 --src-cert-dir 目录（证书存为 目录/主机.crt），或加入系统证书",
            ),
        ),
        AlertReceived(Alert::CertificateRequired) => (
            "it wants to see a certificate".into(),
            say(
                "--src-cert-dir DIR with yours as DIR/NAME.cert, and its key as DIR/NAME.key",
                "用 --src-cert-dir 目录 提供客户端证书：目录/主机.cert，私钥为 目录/主机.key",
            ),
        ),
        InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => (error.to_string(), say("is the clock of this machine right? See: date", "这台机器的时钟对吗？见 date")),
        InvalidCertificate(_) => (error.to_string(), say("is it the host that you mean?", "主机名写对了吗？")),
        General(why) => (
            why.clone(),
            say(
                "install the package ca-certificates, or name a file: SSL_CERT_FILE=FILE",
                "安装软件包 ca-certificates，或指定证书文件：SSL_CERT_FILE=文件",
            ),
        ),
        other => (other.to_string(), ""),
    };
    Fault::Tls { host, why, plain: matches!(error, InvalidMessage(_)), hint }
}

/// Host and port as the address has them, for messages and comparisons.
pub(super) fn host_of(uri: &Uri) -> String {
    uri.authority()
        .map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default().to_string())
        .unwrap_or_default()
}

/// Whether the address is one of TLS.
pub(super) fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// The port, also where it is the usual one.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if is_https(uri) { 443 } else { 80 })
}

/// Whether both are the same scheme, host and port: only then are credentials for one meant for the other.
pub(super) fn same_origin(a: &Uri, b: &Uri) -> bool {
    let of = |uri: &Uri| (is_https(uri), uri.host().map(str::to_ascii_lowercase), port_of(uri));
    of(a) == of(b)
}

/// Whether the host is this machine, so that plain HTTP never leaves it.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where a redirect leads.
pub(super) fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    if location.contains("://") {
        return location.parse().ok();
    }
    let text = match location {
        rest if rest.starts_with("//") => format!("{scheme}:{rest}"),
        rest if rest.starts_with('/') => format!("{scheme}://{authority}{rest}"),
        rest => {
            let above = base.path().rsplit_once('/').map_or("", |(above, _)| above);
            format!("{scheme}://{authority}{above}/{rest}")
        }
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn redirects_lead_somewhere() {
        let base = uri("https://a.example:5000/v2/x/blobs/y?z=1");
        for (location, wanted) in [
            ("https://cdn.example/b?sig=1%2F#x", "https://cdn.example/b?sig=1%2F"),
            ("//cdn.example/b", "https://cdn.example/b"),
            ("/cdn/b", "https://a.example:5000/cdn/b"),
            ("b", "https://a.example:5000/v2/x/blobs/b"),
        ] {
            assert_eq!(resolve(&base, location), Some(uri(wanted)), "{location}");
        }
    }

    #[test]
    fn credentials_stay_with_scheme_host_and_port() {
        let base = uri("https://a.example/x");
        for (other, same) in [
            ("https://A.example:443/y", true),
            ("http://a.example/x", false),
            ("https://a.example:444/x", false),
            ("https://b.example/x", false),
        ] {
            assert_eq!(same_origin(&base, &uri(other)), same, "{other}");
        }
        assert!(["localhost", "127.0.0.2", "[::1]", "a.localhost"].iter().all(|host| is_loopback(host)));
        assert!(!["localhost.example", "128.0.0.1", "10.0.0.1"].iter().any(|host| is_loopback(host)));
    }
}
