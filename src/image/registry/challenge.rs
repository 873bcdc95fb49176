//! `WWW-Authenticate`: what a registry wants to see first (RFC 9110, 11.6.1; distribution specification, token flow).

/// A way to prove who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user name and a password with every request.
    Basic,
    /// A token that another address gives out.
    Bearer {
        /// That address.
        realm: String,
        /// The registry's own name for it.
        service: Option<String>,
        /// What the token is to allow.
        scope: Option<String>,
    },
}

/// The challenge to be met: a token before a password, for a token is all that most registries take.
pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<Challenge> = headers.flat_map(parse).collect();
    let bearer = all.iter().find(|one| matches!(one, Challenge::Bearer { .. }));
    bearer.or(all.first()).cloned()
}

/// Reads one header, which may hold several challenges. Unknown ones are passed over.
fn parse(header: &str) -> Vec<Challenge> {
    let mut schemes: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for part in split(header) {
        // A part is `key=value`, or `Scheme`, or `Scheme key=value`.
        let (scheme, parameter) = match part.split_once(char::is_whitespace) {
            Some((word, rest)) if !word.contains('=') && !rest.trim_start().starts_with('=') => {
                (Some(word), rest.trim())
            }
            _ if !part.contains('=') => (Some(part), ""),
            _ => (None, part),
        };
        if let Some(scheme) = scheme {
            schemes.push((scheme.to_ascii_lowercase(), Vec::new()));
        }
        if let (Some((key, value)), Some((_, parameters))) = (parameter.split_once('='), schemes.last_mut()) {
            parameters.push((key.trim().to_ascii_lowercase(), unquote(value.trim())));
        }
    }
    let challenge = |(scheme, parameters): (String, Vec<(String, String)>)| {
        let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        match scheme.as_str() {
            "basic" => Some(Challenge::Basic),
            "bearer" => {
                let realm = get("realm")?;
                Some(Challenge::Bearer { realm, service: get("service"), scope: get("scope") })
            }
            _ => None,
        }
    };
    schemes.into_iter().filter_map(challenge).collect()
}

/// Splits at commas outside of quotes: `scope="repository:a:pull,push"` is one part.
fn split(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(header.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(header.get(start..).unwrap_or_default());
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest)) else {
        return value.into();
    };
    let mut escaped = false;
    let keep = |letter: &char| {
        escaped = *letter == '\\' && !escaped;
        !escaped
    };
    inner.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let text = |text: Option<&str>| text.map(str::to_string);
        Some(Challenge::Bearer { realm: realm.into(), service: text(service), scope: text(scope) })
    }

    #[test]
    fn challenges_are_read() {
        let table = [
            (
                r#"Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push""#,
                bearer("https://auth.example/token", Some("reg"), Some("repository:a/b:pull,push")),
            ),
            (r#"bearer Realm=https://x/t , service = "a \"b\"""#, bearer("https://x/t", Some("a \"b\""), None)),
            (r#"Basic realm="a, Bearer realm=b""#, Some(Challenge::Basic)),
            (r#"Basic realm="x", Bearer realm="https://y/""#, bearer("https://y/", None, None)),
            (r#"Negotiate, Basic realm=x"#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            ("Bearer service=x", None),
            (r#"Digest nonce="x""#, None),
            ("", None),
            (",=,\"", None),
        ];
        for (header, challenge) in table {
            assert_eq!(choose([header].into_iter()), challenge, "{header}");
        }
        assert_eq!(choose(["Basic realm=x", "Bearer realm=y"].into_iter()), bearer("y", None, None));
    }
}
