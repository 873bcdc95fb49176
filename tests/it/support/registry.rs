//! A registry on the loopback, with the faults that real ones have. It serves an OCI layout.

pub use super::registry_plan::{Auth, Plan, Redirect, TAGS, Tags};
use super::registry_store::store;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

/// The repository that it has.
pub const REPOSITORY: &str = "class/demo";
/// What it takes for a user name and a password: `u:p`.
pub const BASIC: &str = "Basic dTpw";
const TOKEN: &str = "Bearer T0K3N";

/// How many pieces a slow layer comes in, and the pause after each.
const PIECES: usize = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// A request, as far as it matters.
struct Asked {
    host: &'static str,
    path: String,
    auth: String,
    range: Option<String>,
    accept: String,
    method: String,
    body: Vec<u8>,
}

struct Shared {
    plan: Plan,
    layout: PathBuf,
    port: u16,
    refusals: AtomicUsize,
    blob_refusals: AtomicUsize,
    expiries: AtomicUsize,
    uses: AtomicUsize,
    cuts: AtomicUsize,
    log: Mutex<Vec<String>>,
    stop: AtomicBool,
    stopped: (Mutex<bool>, Condvar),
}

/// A running registry; it ends with this.
pub struct Registry {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Registry {
    /// Serves the layout, over TLS where there is a configuration for it.
    pub fn start(layout: &Path, plan: Plan, tls: Option<Arc<ServerConfig>>) -> Registry {
        let (first, second) = listeners();
        let shared = Arc::new(Shared {
            refusals: AtomicUsize::new(plan.refuse.0),
            blob_refusals: AtomicUsize::new(plan.refuse_blobs),
            expiries: AtomicUsize::new(plan.expiries),
            uses: AtomicUsize::new(0),
            cuts: AtomicUsize::new(plan.cuts),
            plan,
            layout: layout.into(),
            port: first.local_addr().unwrap().port(),
            log: Mutex::default(),
            stop: AtomicBool::new(false),
            stopped: Default::default(),
        });
        let serve = |listener: TcpListener, host: &'static str| {
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    if shared.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (shared, tls) = (Arc::clone(&shared), tls.clone());
                    thread::spawn(move || {
                        // A client that hangs up is the client's business.
                        let _ = match tls {
                            None => shared.answer(stream, host),
                            Some(tls) => {
                                shared.answer(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), host)
                            }
                        };
                    });
                }
            })
        };
        let threads = vec![serve(first, "127.0.0.1"), serve(second, "127.0.0.2")];
        Registry { shared, threads }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.shared.port)
    }

    /// The image as a reference.
    pub fn image(&self) -> String {
        format!("docker://{}/{REPOSITORY}", self.host())
    }

    /// One line a request: `HOST METHOD PATH auth=SCHEME range=RANGE`.
    pub fn log(&self) -> Vec<String> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        *self.shared.stopped.0.lock().unwrap() = true;
        self.shared.stopped.1.notify_all();
        for host in ["127.0.0.1", "127.0.0.2"] {
            let _ = TcpStream::connect((host, self.shared.port));
        }
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

/// The same free port of two hosts.
fn listeners() -> (TcpListener, TcpListener) {
    let pair = || {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let second = TcpListener::bind(("127.0.0.2", first.local_addr().unwrap().port())).ok()?;
        Some((first, second))
    };
    (0..100).find_map(|_| pair()).unwrap()
}

impl Shared {
    fn answer(&self, stream: impl Read + Write, host: &'static str) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 || !line.is_ascii() {
                return Ok(());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_string()),
            }
        }
        let header = |name: &str| {
            let fields = lines.iter().filter_map(|line| line.split_once(": "));
            fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_string()).next()
        };
        let path = lines[0].split(' ').nth(1).unwrap_or_default().to_string();
        let (auth, range) = (header("authorization").unwrap_or_default(), header("range"));
        let scheme = auth.split(' ').next().filter(|scheme| !scheme.is_empty()).unwrap_or("-");
        let method = lines[0].split(' ').next().unwrap_or_default();
        let line = format!("{host} {method} {path} auth={scheme} range={}", range.as_deref().unwrap_or("-"));
        self.log.lock().unwrap().push(line);
        let accept = header("accept").unwrap_or_default();
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let (mut body, method) = (vec![0; length], method.to_string());
        stream.read_exact(&mut body)?;
        self.route(stream.get_mut(), &Asked { host, path, auth, range, accept, method, body })
    }

    fn route(&self, out: &mut impl Write, asked: &Asked) -> io::Result<()> {
        let (path, auth, range) = (asked.path.as_str(), asked.auth.as_str(), asked.range.as_deref());
        if path.starts_with("/token") && self.plan.token_moved {
            // On another host, so that a password is not sent on.
            let (host, query) = ("127.0.0.2", path.trim_start_matches("/token"));
            let to = if self.plan.auth == Auth::TokenForPassword { "127.0.0.1" } else { host };
            return send(out, 307, &[&format!("Location: http://{to}:{}/moved{query}", self.port)], b"");
        }
        if path.starts_with("/token") || path.starts_with("/moved") {
            let good = self.plan.auth != Auth::TokenForPassword || auth == BASIC;
            self.uses.store(0, Ordering::Relaxed);
            let (status, body) = if good { (200, r#"{"access_token":"T0K3N"}"#) } else { (401, "{}") };
            return send(out, status, &[], body.as_bytes());
        }
        if let Some(digest) = path.strip_prefix("/cdn/") {
            return match (self.plan.redirect, auth.is_empty()) {
                (Redirect::Away, false) => send(out, 400, &[], b"only one auth mechanism allowed"),
                (Redirect::Here, true) => send(out, 401, &[], b"credentials were dropped"),
                _ => self.blob(out, digest, range),
            };
        }
        let needed = match self.plan.auth {
            Auth::Everybody => "",
            Auth::Basic => BASIC,
            Auth::Token | Auth::TokenForPassword => TOKEN,
        };
        // A token is good for two requests before it is none any more.
        let expired = needed == TOKEN && auth == needed && {
            self.uses.fetch_add(1, Ordering::Relaxed) > 1 && take(&self.expiries)
        };
        if (auth != needed || expired) && asked.host == "127.0.0.1" {
            let port = self.port;
            let challenge = match self.plan.auth {
                Auth::Basic => "WWW-Authenticate: Basic realm=\"x, y\"".to_string(),
                _ => format!(
                    "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"s\",scope=\"repository:{REPOSITORY}:pull,push\""
                ),
            };
            return send(out, 401, &[&challenge], br#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}"#);
        }
        if path == "/v2/" {
            return send(out, 200, &[], b"{}");
        }
        let below = format!("/v2/{}{REPOSITORY}/", self.plan.prefix);
        let (sent, manifest) = (asked.method != "GET", path.contains("/manifests/"));
        if sent && manifest && take(&self.refusals) {
            return self.refused(out);
        }
        if sent && !manifest && asked.method != "HEAD" && take(&self.blob_refusals) {
            return send(out, 500, &[], b"a bad moment");
        }
        if let Some((status, headers)) = store(&self.layout, &asked.method, path, &below, &asked.body) {
            return send(out, status, &headers.iter().map(String::as_str).collect::<Vec<_>>(), b"");
        }
        let rest = path.strip_prefix(&below);
        match rest.and_then(|rest| rest.split_once('/')) {
            Some(("manifests", wanted)) => self.manifest(out, wanted, &asked.accept),
            Some(("tags", list)) => self.tags(out, list),
            Some(("blobs", _)) if take(&self.blob_refusals) => send(out, 500, &[], b"a bad moment"),
            Some(("blobs", digest)) => {
                let digits = digest.trim_start_matches("sha256:");
                let location = match self.plan.redirect {
                    Redirect::None => return self.blob(out, digits, range),
                    Redirect::Away => format!("Location: http://127.0.0.2:{}/cdn/{digits}", self.port),
                    Redirect::Here => format!("Location: /cdn/{digits}"),
                };
                send(out, 307, &[&location], b"")
            }
            _ => send(out, 404, &[], br#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#),
        }
    }

    /// `list?last=TAG`: the tags that follow.
    fn tags(&self, out: &mut impl Write, list: &str) -> io::Result<()> {
        let last = list.split_once("last=").map_or("", |(_, last)| last);
        let rest: Vec<&str> = TAGS.into_iter().filter(|tag| *tag > last).collect();
        let (page, link) = match self.plan.tags {
            Tags::Refused(status) => {
                return send(out, status, &[], br#"{"errors":[{"code":"DENIED","message":"no lists here"}]}"#);
            }
            Tags::Paged(form) if rest.len() > 2 => (&rest[..2], Some(form)),
            Tags::Paged(_) | Tags::Whole => (&rest[..], None),
        };
        let link = link.map(|form| format!("Link: {}", form.replace("{}", &format!("n=2&last={}", page[1]))));
        let body = format!(r#"{{"name":"{REPOSITORY}","tags":["{}"]}}"#, page.join("\",\""));
        send(out, 200, &link.iter().map(String::as_str).collect::<Vec<_>>(), body.as_bytes())
    }

    fn refused(&self, out: &mut impl Write) -> io::Result<()> {
        let (_, status, after) = self.plan.refuse;
        let after = if after == "date" { soon() } else { after.into() };
        let after = format!("Retry-After: {after}");
        let headers = [after.as_str(), "RateLimit-Limit: 100;w=21600", "RateLimit-Remaining: 0;w=21600"];
        send(out, status, &headers, br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\u001b down"}]}"#)
    }

    fn manifest(&self, out: &mut impl Write, wanted: &str, accept: &str) -> io::Result<()> {
        if take(&self.refusals) {
            return self.refused(out);
        }
        let newer = ["oci.image.index", "oci.image.manifest", "manifest.list.v2", "manifest.v2"];
        let asked = newer.iter().all(|kind| accept.contains(kind));
        if self.plan.schema1 || (self.plan.old_unless_asked && !asked) {
            let kind = "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws";
            return send(out, 200, &[kind], br#"{"schemaVersion":1,"fsLayers":[]}"#);
        }
        if self.plan.web_page {
            return send(out, 200, &["Content-Type: text/html; charset=utf-8"], b"<html>Log in to the network</html>");
        }
        let digits = match wanted.strip_prefix("sha256:") {
            Some(digits) => digits.to_string(),
            None => {
                let index = fs::read_to_string(self.layout.join("index.json")).unwrap();
                let tagged = index.contains(&format!("\"{wanted}\""));
                let first = index.split("\"sha256:").nth(1).map(|rest| rest[..64].to_string());
                first.filter(|_| tagged).unwrap_or_default()
            }
        };
        let Ok(mut bytes) = fs::read(self.layout.join("blobs/sha256").join(&digits)) else {
            return send(out, 404, &[], br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}"#);
        };
        bytes.extend(vec![b' '; self.plan.padding]);
        let text = String::from_utf8_lossy(&bytes);
        let kind = if text.contains("\"manifests\"") { "index" } else { "manifest" };
        let kind = format!("Content-Type: application/vnd.oci.image.{kind}.v1+json");
        let digits = if self.plan.wrong_digest { "0".repeat(64) } else { digits };
        let digits = if self.plan.empty_digest { String::new() } else { format!("sha256:{digits}") };
        let digest = format!("Docker-Content-Digest: {digits}");
        let headers = [kind.as_str(), digest.as_str()];
        send(out, 200, if self.plan.no_digest { &headers[..1] } else { &headers }, &bytes)
    }

    fn blob(&self, out: &mut impl Write, digits: &str, range: Option<&str>) -> io::Result<()> {
        let Ok(mut bytes) = fs::read(self.layout.join("blobs/sha256").join(digits)) else {
            return send(out, 404, &[], br#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#);
        };
        if bytes.starts_with(b"{") {
            return send(out, 200, &[], &bytes);
        }
        if self.plan.no_rest && range.is_some() {
            return send(out, 416, &[&format!("Content-Range: bytes */{}", bytes.len())], b"");
        }
        if self.plan.corrupt {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        let from = range.filter(|_| self.plan.ranges).and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from: usize = from.and_then(|from| from.parse().ok()).unwrap_or(0);
        let (all, rest) = (bytes.len(), &bytes[from..]);
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", rest.len());
        let range = format!("Content-Range: bytes {from}-{}/{all}\r\n\r\n", all - 1);
        out.write_all(format!("{head}{range}").as_bytes())?;
        if self.plan.slow {
            for piece in rest.chunks(rest.len().div_ceil(PIECES)) {
                out.write_all(piece)?;
                out.flush()?;
                let stopped = self.stopped.0.lock().unwrap();
                drop(self.stopped.1.wait_timeout_while(stopped, PAUSE, |stopped| !*stopped).unwrap());
            }
            return Ok(());
        }
        let cut = self.plan.stall || take(&self.cuts);
        out.write_all(if cut { &rest[..rest.len() / 2] } else { rest })?;
        out.flush()?;
        if self.plan.stall {
            let stopped = self.stopped.0.lock().unwrap();
            drop(self.stopped.1.wait_while(stopped, |stopped| !*stopped).unwrap());
        }
        Ok(())
    }
}

/// The moment 2 s from now, as HTTP writes it.
fn soon() -> String {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 2;
    let mut date = Command::new("date");
    let output =
        date.args(["-u", "-d", &format!("@{seconds}"), "+%a, %d %b %Y %H:%M:%S GMT"]).env("LC_ALL", "C").output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().into()
}

/// Counts down to nothing.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn send(out: &mut impl Write, status: u16, headers: &[&str], body: &[u8]) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
    out.write_all(format!("{head}\r\n").as_bytes())?;
    out.write_all(body)?;
    out.flush()
}
