//! Where an image is: `TRANSPORT:REST`, as skopeo(1) and containers-transports(5) write it.

use std::{fmt, path::PathBuf, str::FromStr};

/// A place that images come from, or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `oci:DIR[:TAG]`: an OCI image layout.
    Oci {
        /// The layout.
        dir: PathBuf,
        /// Which of its images.
        tag: Option<String>,
    },
    /// `dir:DIR`: one image as plain files, easy to look at.
    Dir(PathBuf),
    /// `builtin:`: the image that this program makes of the machine's own programs.
    Builtin,
}

/// What a reference looks like, for messages.
pub const FORMS: &str = "builtin:  dir:DIR  oci:DIR[:TAG]";

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Reference, String> {
        let wrong = |why: &str| format!("{text}: {why}; images are written {FORMS}");
        let (transport, rest) = match text.split_once(':') {
            None if text == "builtin" => ("builtin", ""),
            None => return Err(wrong("no transport")),
            Some(parts) => parts,
        };
        match transport {
            "builtin" if rest.is_empty() => Ok(Reference::Builtin),
            "builtin" => Err(wrong("there is only one built-in image")),
            "dir" | "oci" if rest.is_empty() => Err(wrong("no directory named")),
            "dir" => Ok(Reference::Dir(rest.into())),
            // The path ends at the first colon, as with skopeo: a directory with a colon in its name needs another name.
            "oci" => match rest.split_once(':') {
                Some(("", _)) => Err(wrong("no directory named")),
                Some((dir, tag)) if !tag.is_empty() => Ok(Reference::Oci { dir: dir.into(), tag: Some(tag.into()) }),
                Some(_) => Err(wrong("no tag after the colon")),
                None => Ok(Reference::Oci { dir: rest.into(), tag: None }),
            },
            other => Err(wrong(&format!("unknown transport {other:?}"))),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Oci { dir, tag: None } => write!(f, "oci:{}", dir.display()),
            Reference::Oci { dir, tag: Some(tag) } => write!(f, "oci:{}:{tag}", dir.display()),
            Reference::Dir(dir) => write!(f, "dir:{}", dir.display()),
            Reference::Builtin => write!(f, "builtin:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        for text in ["oci:/x/y", "oci:./x:latest", "dir:alpine", "builtin:"] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        assert_eq!("builtin".parse(), Ok(Reference::Builtin));
        for text in ["", "alpine", "oci:", "dir:", "oci::x", "oci:x:", "ftp:x", "builtin:x"] {
            let why = text.parse::<Reference>().unwrap_err();
            assert!(why.contains("images are written"), "{why}");
        }
    }
}
