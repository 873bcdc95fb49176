//! `BOXWRIGHT_MIRROR`: a copy of Docker's own registry nearby, asked first, so that a class pulls an image only once.

use super::{client::Schemes, name::Name};

/// The variable.
pub(super) const VARIABLE: &str = "BOXWRIGHT_MIRROR";

/// A mirror: `[http://]HOST[:PORT][/PREFIX]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// Host and port.
    pub host: String,
    /// What its repositories' names begin with; empty, or ending in a slash.
    pub prefix: String,
    /// Plain HTTP where `http://` asks for it.
    pub schemes: Option<Schemes>,
}

impl Mirror {
    /// Reads what the variable says.
    pub(super) fn parse(text: &str) -> Result<Mirror, String> {
        let (schemes, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Schemes::Http), rest),
            Some(("https", rest)) => (Some(Schemes::Https), rest),
            Some((other, _)) => return Err(wrong(text, &format!("{other}:// does not lead to a registry"))),
            None => (None, text),
        };
        let rest = rest.trim_end_matches('/');
        let (host, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(wrong(text, "no host"));
        }
        // A name is made of it, so that a name's rules hold for it.
        let name: Name = format!("{}/{prefix}{}x", with_dot(host), if prefix.is_empty() { "" } else { "/" })
            .parse()
            .map_err(|why: String| wrong(text, &why))?;
        let prefix = name.path.strip_suffix('x').unwrap_or_default().to_string();
        Ok(Mirror { host: host.to_ascii_lowercase(), prefix, schemes })
    }
}

/// A host of one word is still a host here.
fn with_dot(host: &str) -> String {
    if host.contains(['.', ':']) { host.into() } else { format!("{host}.local") }
}

fn wrong(text: &str, why: &str) -> String {
    format!("{VARIABLE}={text}: {why}; a mirror is written [http://]HOST[:PORT][/PREFIX]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_read() {
        let table = [
            ("10.0.0.1:5000", "10.0.0.1:5000", "", None),
            ("http://mirror:5000/", "mirror:5000", "", Some(Schemes::Http)),
            ("https://mirror.example/hub/docker", "mirror.example", "hub/docker/", Some(Schemes::Https)),
            ("mirror", "mirror", "", None),
        ];
        for (text, host, prefix, schemes) in table {
            let mirror = Mirror { host: host.into(), prefix: prefix.into(), schemes };
            assert_eq!(Mirror::parse(text), Ok(mirror), "{text}");
        }
        for text in ["", "/x", "ftp://x", "x/A", "a b"] {
            assert!(Mirror::parse(text).unwrap_err().contains(VARIABLE), "{text}");
        }
    }
}
