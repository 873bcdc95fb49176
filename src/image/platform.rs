//! Choosing one of several images by the machine that it is for.

use super::{Error, Result, manifest::Descriptor};
use crate::lang::say;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::{fmt, str::FromStr};

/// A machine: `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The CPU, as Go names it.
    #[serde(default)]
    pub architecture: String,
    /// The operating system.
    #[serde(default)]
    pub os: String,
    /// A variant of the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "unless_empty")]
    pub variant: Option<String>,
    /// What else is said of it, which is kept.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// An empty text is none.
fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.filter(|text| !text.is_empty()))
}

impl Platform {
    /// This machine.
    pub fn host() -> Platform {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "x86" => ("386", None),
            "aarch64" => ("arm64", Some("v8")),
            "arm" => ("arm", Some("v7")),
            "powerpc64" => ("ppc64le", None),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        Platform::new("linux", architecture, variant)
    }

    /// A machine of this kind.
    pub(crate) fn new(os: &str, architecture: &str, variant: Option<&str>) -> Platform {
        let variant = variant.map(str::to_string);
        Platform { architecture: architecture.into(), os: os.into(), variant, more: Map::new() }
    }

    /// How well an image for `other` fits this machine; `None` where it does not.
    ///
    /// The exact variant is best, then none named, then the nearest lower one: a v7 CPU runs v6 programs.
    fn fits(&self, other: &Platform) -> Option<u32> {
        if (&self.os, &self.architecture) != (&other.os, &other.architecture) {
            return None;
        }
        let level = |variant: &str| variant.trim_start_matches('v').parse::<u32>().ok();
        match (self.variant.as_deref(), other.variant.as_deref()) {
            (ours, theirs) if ours == theirs => Some(1000),
            (_, None) => Some(900),
            // A machine's amd64 level is not told, and v1 runs everywhere.
            (None, Some(theirs)) => level(theirs).map(|level| 800 - level.min(700)),
            (Some(ours), Some(theirs)) => match (level(ours), level(theirs)) {
                (Some(ours), Some(theirs)) if theirs <= ours => Some(100 + theirs.min(600)),
                _ => None,
            },
        }
    }

    /// Chooses from a list. What is not an image (an attestation) is passed over.
    pub(crate) fn choose<'a>(&self, all: &'a [Descriptor], what: &str) -> Result<&'a Descriptor> {
        let image = |descriptor: &&Descriptor| {
            let attests = descriptor.annotations.contains_key("vnd.docker.reference.type");
            let nowhere = descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
            !attests && !nowhere
        };
        let images: Vec<&Descriptor> = all.iter().filter(image).collect();
        let fitting = images.iter().filter_map(|one| Some((self.fits(one.platform.as_ref()?)?, *one)));
        // Of equals the first one: the list is in the order of its author.
        let best = fitting.fold(None, |best: Option<(u32, &Descriptor)>, one| match best {
            Some(best) if best.0 >= one.0 => Some(best),
            _ => Some(one),
        });
        match (best, images.as_slice()) {
            (Some((_, best)), _) => Ok(best),
            // A list of one without a platform names an image for any platform.
            (None, [only]) if only.platform.is_none() => Ok(only),
            (None, _) => {
                let names: Vec<String> =
                    images.iter().filter_map(|one| one.platform.as_ref()).map(Platform::to_string).collect();
                let there = if names.is_empty() { "no image at all".into() } else { names.join(", ") };
                Err(Error::Unavailable {
                    what: what.into(),
                    why: format!("no image for {self}; there is {there}"),
                    hint: say(
                        "--platform chooses another one, which this machine may be unable to run",
                        "可用 --platform 选别的镜像，但这台机器可能无法运行",
                    )
                    .into(),
                })
            }
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Platform, String> {
        match text.split('/').map(str::to_string).collect::<Vec<_>>().as_slice() {
            [os, architecture] => Ok(Platform::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Platform::new(os, architecture, Some(variant))),
            _ => Err(format!("{text}: a platform is OS/ARCHITECTURE[/VARIANT], such as linux/arm64/v8")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Descriptor> {
        let one = |name: &&str| Descriptor { platform: name.parse().ok(), ..Descriptor::default() };
        names.iter().map(one).collect()
    }

    #[test]
    fn the_nearest_machine_is_chosen() {
        let table: [(&str, &[&str], Option<usize>); 8] = [
            ("linux/amd64", &["windows/amd64", "linux/arm64", "linux/amd64"], Some(2)),
            ("linux/amd64", &["linux/amd64/v3", "linux/amd64/v2"], Some(1)),
            ("linux/amd64", &["linux/amd64/v2", "linux/amd64"], Some(1)),
            ("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6", "linux/arm64/v8"], Some(1)),
            ("linux/arm/v6", &["linux/arm/v7", "linux/arm/v8"], None),
            ("linux/arm64/v8", &["linux/amd64", "linux/arm64"], Some(1)),
            ("linux/amd64", &["unknown/unknown"], None),
            ("linux/amd64", &[""], Some(0)),
        ];
        for (wanted, there, index) in table {
            let all = list(there);
            let chosen = wanted.parse::<Platform>().unwrap().choose(&all, "x");
            let at = chosen.ok().map(|chosen| all.iter().position(|one| std::ptr::eq(one, chosen)).unwrap());
            assert_eq!(at, index, "{wanted} of {there:?}");
        }
    }

    #[test]
    fn what_is_there_is_named() {
        let all = list(&["linux/amd64", "linux/arm64"]);
        let error = "linux/s390x".parse::<Platform>().unwrap().choose(&all, "x");
        assert_eq!(error.unwrap_err().to_string(), "x: no image for linux/s390x; there is linux/amd64, linux/arm64");
    }
}
