//! Answers of a registry: bodies of a bounded size, and what an error among them says.

use super::{
    credentials::Credentials,
    fault::Fault,
    http::Http,
    retry::{Failed, retry_after},
};
use crate::kernel::text::is_obeyed;
use crate::lang::say;
use serde::Deserialize;
use std::io::Read;
use ureq::{
    Body,
    http::{HeaderMap, Response, StatusCode, header},
};

/// How much of an error is read, and how much of it is shown.
const MAX_ERROR: u64 = 64 << 10;
const MAX_SHOWN: usize = 200;

/// Reads a body as a whole.
pub(super) fn whole(http: &Http, host: &str, response: &mut Response<Body>, limit: u64) -> Result<Vec<u8>, Failed> {
    let of = response.body().content_length();
    let mut bytes = Vec::new();
    let read = response.body_mut().as_reader().take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| http.body_fault(error, host, bytes.len() as u64, of))?;
    if bytes.len() as u64 > limit {
        let why = format!("more than {limit} bytes, too many for such a document");
        return Err(Fault::Protocol { host: host.into(), why }.into());
    }
    Ok(bytes)
}

/// What an answer that is not a success means.
pub(super) fn failed(http: &Http, host: &str, response: &mut Response<Body>, credentials: &Credentials) -> Failed {
    let status = response.status();
    let after = retry_after(response.headers());
    let limits = limits(response.headers());
    // What cannot be read is not news beside the status.
    let body = whole(http, host, response, MAX_ERROR).unwrap_or_default();
    let said = said(&body, status);
    let host = host.to_string();
    let fault = match status {
        StatusCode::UNAUTHORIZED => Fault::Unauthorized { host, why: said, hint: log_in(credentials) },
        StatusCode::FORBIDDEN => Fault::Forbidden { host, why: said },
        StatusCode::NOT_FOUND => Fault::NotFound { host, why: said },
        StatusCode::TOO_MANY_REQUESTS => {
            let come_back = after.map(|after| format!("; it says to come back in {} s", after.as_secs()));
            Fault::RateLimited { host, why: said + &limits + &come_back.unwrap_or_default() }
        }
        other => Fault::Status { host, status: other.as_u16(), why: said },
    };
    Failed { fault, after }
}

/// What may help where a registry wants to know who one is.
fn log_in(credentials: &Credentials) -> String {
    match credentials {
        Credentials::Anonymous => say(
            "no such public image: a wrong name, or a private one. Log in: --src-creds USER:PASSWORD, \
                 or the file that docker login and skopeo login write",
            "没有这个公开镜像：名字写错了，或者是私有镜像。登录用 --src-creds 用户:密码，\
                 或 docker login、skopeo login 写下的文件",
        )
        .into(),
        Credentials::Password(user, _) => say(
            format!("the password of {user:?} is wrong, or {user:?} may not do this"),
            format!("{user:?} 的密码不对，或者没有这个权限"),
        ),
        Credentials::IdentityToken(_) => say(
            "the identity token in the credentials file has expired: log in again",
            "凭据文件里的身份令牌已过期：请重新登录",
        )
        .into(),
        Credentials::Program(name) => say(
            format!(
                "the password is kept by docker-credential-{name}, which is not asked here: use --src-creds USER:PASSWORD"
            ),
            format!("密码由 docker-credential-{name} 保管，这里不会调用它：请用 --src-creds 用户:密码"),
        ),
    }
}

/// The limit that an answer names: `; 0 of 100 left`.
fn limits(headers: &HeaderMap) -> String {
    let number = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        value.split(';').next()?.trim().parse::<u64>().ok()
    };
    match (number("ratelimit-remaining"), number("ratelimit-limit")) {
        (Some(left), Some(limit)) => format!("; {left} of {limit} left"),
        _ => String::new(),
    }
}

/// What the body of an error says, in one line that a terminal can bear.
fn said(body: &[u8], status: StatusCode) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let first = serde_json::from_slice::<Errors>(body).ok().and_then(|errors| errors.errors.into_iter().next());
    let text = first.map(|one| match (one.code.is_empty(), one.message.is_empty()) {
        (false, false) => format!("{}: {}", one.code, one.message),
        (_, true) => one.code,
        (true, _) => one.message,
    });
    let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| match std::str::from_utf8(body) {
        Ok(text) if !text.trim().is_empty() && !text.trim_start().starts_with(['<', '{']) => text.trim().into(),
        _ => status.canonical_reason().unwrap_or("no reason").into(),
    });
    text.chars().map(|letter| if is_obeyed(letter) { ' ' } else { letter }).take(MAX_SHOWN).collect()
}

/// The media type of an answer, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_something_in_one_line() {
        let table = [
            (r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no\nsuch"}]}"#, "NAME_UNKNOWN: no such"),
            (r#"{"errors":[{"code":"DENIED"}]}"#, "DENIED"),
            (r#"{"errors":[]}"#, "Not Found"),
            ("<html>\u{1b}[2J", "Not Found"),
            ("try \u{1b}[2Jlater\n", "try  [2Jlater"),
            ("", "Not Found"),
        ];
        for (body, text) in table {
            assert_eq!(said(body.as_bytes(), StatusCode::NOT_FOUND), text);
        }
        assert_eq!(said("x".repeat(1000).as_bytes(), StatusCode::NOT_FOUND).len(), MAX_SHOWN);
    }
}
