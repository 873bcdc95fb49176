//! Names of images in registries: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, and what the short ones mean.
//!
//! The grammar is that of the distribution project's `reference` package, which every tool of the field follows.

use crate::image::Digest;
use std::{fmt, str::FromStr};

/// The host that a name without one means, and the host that answers for it.
const HUB: &str = "docker.io";
const HUB_HOST: &str = "registry-1.docker.io";
/// Older names of the same.
const HUB_ALIASES: [&str; 3] = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// How many characters a tag may have, and a path with its host.
const MAX_TAG: usize = 128;
const MAX_PATH: usize = 255;

/// An image in a registry, its name written out in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The registry as people name it, with its port where one was named: `docker.io`, `localhost:5000`.
    pub registry: String,
    /// The repository: `library/alpine`.
    pub path: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, which decides where there is a tag as well.
    pub digest: Option<Digest>,
}

impl Name {
    /// The host, with its port, that answers for the registry.
    pub(crate) fn host(&self) -> &str {
        if self.is_hub() { HUB_HOST } else { &self.registry }
    }

    /// Whether the name belongs to the registry that is meant where none is named.
    pub(crate) fn is_hub(&self) -> bool {
        self.registry == HUB
    }

    /// What a registry is asked for: the digest, else the tag.
    pub(crate) fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".into(),
        }
    }
}

/// The name of a registry as credentials and messages use it: Docker's own has had several.
pub(crate) fn canonical_registry(host: &str) -> &str {
    if HUB_ALIASES.contains(&host) { HUB } else { host }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the port.
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag {
            check_tag(tag)?;
        }
        let (registry, path) = match rest.split_once('/') {
            Some((first, path)) if is_host(first) => (first, path.to_string()),
            _ => (HUB, rest.to_string()),
        };
        check_host(registry)?;
        let registry = canonical_registry(&registry.to_ascii_lowercase()).to_string();
        let path =
            if registry == HUB && !path.contains('/') && !path.is_empty() { format!("library/{path}") } else { path };
        check_path(&path)?;
        if registry.len() + 1 + path.len() > MAX_PATH {
            return Err(format!("a name has at most {MAX_PATH} characters"));
        }
        let tag = tag.or(digest.is_none().then_some("latest")).map(str::to_string);
        Ok(Name { registry, path, tag, digest })
    }
}

/// The first part is a host where it cannot be a part of a path, or is `localhost`.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn check_host(host: &str) -> Result<(), String> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| format!("{address:?} is not an IPv6 address"))?;
            (None, port)
        }
        None => host.split_once(':').map_or((Some(host), ""), |(name, _)| (Some(name), &host[name.len()..])),
    };
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if name.is_some_and(|name| !name.split('.').all(label)) {
        return Err(format!("{host:?} is not a host"));
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port != 0) => Ok(()),
        _ => Err(format!("{host:?} has an invalid port")),
    }
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("no repository named".into());
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("repository names are lower case: {:?}", path.to_ascii_lowercase()));
    }
    for part in path.split('/') {
        if !is_component(part) {
            return Err(format!(
                "{part:?} is not part of a repository name: letters and digits, and . _ __ - between them"
            ));
        }
    }
    Ok(())
}

/// Letters and digits with separators between them: one dot, one or two underscores, any number of hyphens.
fn is_component(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| plain(*byte));
    let separators = part.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    let bytes = part.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && separators
            .filter(|one| !one.is_empty())
            .all(|one| matches!(one, "." | "_" | "__") || one.bytes().all(|byte| byte == b'-'))
}

fn check_tag(tag: &str) -> Result<(), String> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let good = tag.bytes().next().is_some_and(word)
        && tag.len() <= MAX_TAG
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'));
    match good {
        true => Ok(()),
        false if tag.is_empty() => Err("no tag after the colon".into()),
        false => Err(format!("{tag:?} is not a tag: up to {MAX_TAG} letters, digits, and . _ -")),
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn short_names_are_written_out() {
        let table = [
            ("alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
            ("alpine:3.20", "docker.io/library/alpine:3.20", "registry-1.docker.io"),
            ("user/x", "docker.io/user/x:latest", "registry-1.docker.io"),
            ("docker.io/alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
            ("index.docker.io/library/alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
            ("localhost/x", "localhost/x:latest", "localhost"),
            ("localhost:5055/library/demo", "localhost:5055/library/demo:latest", "localhost:5055"),
            ("registry.example/a/b/c:v1", "registry.example/a/b/c:v1", "registry.example"),
            ("Registry.Example/a", "registry.example/a:latest", "registry.example"),
            ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000"),
            ("a__b--d/e.f_g", "docker.io/a__b--d/e.f_g:latest", "registry-1.docker.io"),
        ];
        for (text, full, host) in table {
            let name: Name = text.parse().unwrap();
            assert_eq!((name.to_string().as_str(), name.host()), (full, host), "{text}");
            assert_eq!(full.parse(), Ok(name));
        }
    }

    #[test]
    fn a_digest_decides() {
        let name: Name = format!("reg.example:5000/a/b@{DIGEST}").parse().unwrap();
        assert_eq!((name.wanted().as_str(), &name.tag), (DIGEST, &None));
        let both: Name = format!("alpine:3.20@{DIGEST}").parse().unwrap();
        assert_eq!(both.wanted(), DIGEST);
        assert_eq!(both.to_string(), format!("docker.io/library/alpine:3.20@{DIGEST}"));
    }

    #[test]
    fn what_is_no_name_is_told_why() {
        let table = [
            ("", "no repository"),
            (":x", "no repository"),
            ("Alpine", "lower case: \"library/alpine\""),
            ("user/Alpine", "lower case"),
            ("alpine:", "no tag"),
            ("alpine:-x", "not a tag: up to"),
            ("alpine@sha256:12", "digest"),
            ("host.example/", "no repository"),
            ("host.example:0/x", "port"),
            ("host.example:99999/x", "port"),
            ("ho_st.example/x", "not a host"),
            ("[::g]/x", "IPv6"),
            ("a//b", "not part"),
            ("a/../b", "not part"),
            ("a/.b", "not part"),
            ("a/b___c", "not part"),
            ("a/b c", "not part"),
            ("host.example/a?b", "not part"),
        ];
        for (text, why) in table {
            let error = text.parse::<Name>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(format!("a/{}", "b".repeat(300)).parse::<Name>().unwrap_err().contains("at most"));
    }
}
