//! Where an image is: `TRANSPORT:REST`, as skopeo(1) and containers-transports(5) write it.

use super::registry::Name;
use std::{fmt, path::PathBuf, str::FromStr};

/// A place that images come from, or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `oci:DIR[:TAG]`: an OCI image layout.
    Oci {
        /// The layout.
        dir: PathBuf,
        /// Which of its images.
        tag: Option<String>,
    },
    /// `oci-archive:FILE[:TAG]`: a layout packed into one file.
    OciArchive {
        /// The archive.
        file: PathBuf,
        /// Which of its images.
        tag: Option<String>,
    },
    /// `docker-archive:FILE[:NAME]`: what `docker save` writes.
    DockerArchive {
        /// The archive.
        file: PathBuf,
        /// Which of its images: `NAME[:TAG]`, or `@NUMBER` counted from 0.
        name: Option<String>,
    },
    /// `dir:DIR`: one image as plain files, easy to look at.
    Dir(PathBuf),
    /// `docker://NAME[:TAG][@DIGEST]`: in a registry.
    Docker(Name),
    /// `builtin:`: the image that this program makes of the machine's own programs.
    Builtin,
}

/// What a reference looks like, for messages.
pub(crate) const FORMS: &str = "builtin:  docker://NAME[:TAG][@DIGEST]  dir:DIR  oci:DIR[:TAG]  oci-archive:FILE[:TAG]  \
    docker-archive:FILE[:NAME]";

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
            "docker" => {
                let name = rest.strip_prefix("//").ok_or_else(|| wrong("a registry's names begin with docker://"))?;
                name.parse().map(Reference::Docker).map_err(|why| wrong(&why))
            }
            "dir" if rest.is_empty() => Err(wrong("no path named")),
            "dir" => Ok(Reference::Dir(rest.into())),
            "oci" => path_and_tag(rest).map(|(dir, tag)| Reference::Oci { dir, tag }).map_err(wrong),
            "oci-archive" => path_and_tag(rest).map(|(file, tag)| Reference::OciArchive { file, tag }).map_err(wrong),
            "docker-archive" => {
                path_and_tag(rest).map(|(file, name)| Reference::DockerArchive { file, name }).map_err(wrong)
            }
            other => Err(wrong(&format!("unknown transport {other:?}"))),
        }
    }
}

impl Reference {
    /// The same place, whatever directory it is looked for from.
    pub(crate) fn absolute(mut self) -> Reference {
        match &mut self {
            Reference::Oci { dir: path, .. }
            | Reference::OciArchive { file: path, .. }
            | Reference::DockerArchive { file: path, .. }
            | Reference::Dir(path) => {
                // Only an empty path, or a directory that is gone, has no absolute form: then it is wrong anyway.
                if let Ok(whole) = std::path::absolute(&*path) {
                    *path = whole;
                }
            }
            Reference::Docker(_) | Reference::Builtin => {}
        }
        self
    }
}

/// The path ends at the first colon, as with skopeo: a path with a colon in it needs another name.
fn path_and_tag(rest: &str) -> Result<(PathBuf, Option<String>), &'static str> {
    let (path, tag) = rest.split_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
    match (path, tag) {
        ("", _) => Err("no path named"),
        (_, Some("")) => Err("no tag after the colon"),
        _ => Ok((path.into(), tag.map(str::to_string))),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, tag) = match self {
            Reference::Oci { dir, tag } => ("oci", dir, tag),
            Reference::OciArchive { file, tag } => ("oci-archive", file, tag),
            Reference::DockerArchive { file, name } => ("docker-archive", file, name),
            Reference::Dir(dir) => ("dir", dir, &None),
            Reference::Docker(name) => return write!(f, "docker://{name}"),
            Reference::Builtin => return write!(f, "builtin:"),
        };
        write!(f, "{transport}:{}", path.display())?;
        tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        for text in [
            "oci:/x/y",
            "oci:./x:latest",
            "dir:alpine",
            "oci-archive:x.tar:a",
            "docker-archive:x.tar:a/b:1",
            "docker://localhost:5000/a/b:c",
            "builtin:",
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        assert_eq!("builtin".parse(), Ok(Reference::Builtin));
        for text in [
            "",
            "alpine",
            "oci:",
            "dir:",
            "oci::x",
            "oci:x:",
            "oci-archive:",
            "docker-archive::x",
            "ftp:x",
            "builtin:x",
            "docker:alpine",
            "docker://A",
        ] {
            let why = text.parse::<Reference>().unwrap_err();
            assert!(why.contains("images are written"), "{why}");
        }
    }
}
