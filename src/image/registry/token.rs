//! Tokens: what a registry takes instead of a password (distribution specification, "Token Authentication").

use super::{
    answer,
    credentials::Credentials,
    fault::Fault,
    http::{Http, Request, host_of, same_origin},
    retry::Failed,
};
use serde::Deserialize;
use ureq::{
    Body,
    http::{Response, Uri},
};

/// A token is small.
const MAX_TOKEN: u64 = 1 << 20;
/// How we call ourselves where a token is exchanged for another.
const CLIENT: &str = "boxwright";

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// How often we may be sent elsewhere.
const MAX_HOPS: usize = 5;

/// Gets a token, and gives the value of `Authorization` that carries it. `elsewhere` says where a redirect leads, if anywhere.
pub(super) fn get(
    http: &Http,
    realm: &Uri,
    elsewhere: impl Fn(&Uri, &Response<Body>) -> Result<Uri, Fault>,
    service: Option<&str>,
    scope: &str,
    credentials: &Credentials,
) -> Result<String, Failed> {
    let basic = credentials.basic();
    let service = service.map(|service| ("service", service));
    let mut request = Request { accept: "application/json", authorization: basic.as_deref(), ..Request::default() };
    match credentials {
        // RFC 6749, 6: an identity token is a refresh token.
        Credentials::IdentityToken(token) => {
            let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)];
            form.push(("scope", scope));
            form.extend(service);
            request.form = Some(form);
        }
        Credentials::Password(user, _) => {
            request.query.push(("account", user));
            request.query.extend(service);
            request.query.push(("scope", scope));
        }
        Credentials::Anonymous | Credentials::Program(_) => {
            request.query.extend(service);
            request.query.push(("scope", scope));
        }
    }
    let (mut uri, mut host) = (realm.clone(), host_of(realm));
    let mut response = http.send(&uri, &request)?;
    for _ in 0..MAX_HOPS {
        if !response.status().is_redirection() {
            break;
        }
        let to = elsewhere(&uri, &response)?;
        // Who we are is for the address that the registry named, and what was asked stands in the new address.
        let ours = same_origin(realm, &to);
        if request.form.is_some() && !ours {
            let why = format!("it sends a secret on to {}", host_of(&to));
            return Err(Fault::Protocol { host, why }.into());
        }
        request.authorization = request.authorization.filter(|_| ours);
        request.query.clear();
        (host, uri) = (host_of(&to), to);
        response = http.send(&uri, &request)?;
    }
    if !response.status().is_success() {
        return Err(answer::failed(http, &host, &mut response, credentials));
    }
    let bytes = answer::whole(http, &host, &mut response, MAX_TOKEN)?;
    let wrong = |why: &str| Fault::Protocol { host: host.clone(), why: format!("{why}, where a token should be") };
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| wrong("something that is not JSON"))?;
    let token = if token.token.is_empty() { token.access_token } else { token.token };
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("JSON without one").into());
    }
    Ok(format!("Bearer {token}"))
}
