//! Names and passwords for registries, from the files in which `skopeo login` and `docker login` keep them
//! (containers-auth.json(5)).

use super::name::canonical_registry;
use crate::image::{Error, Result, manifest::json, staging::read_small};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// A file with passwords is small.
const MAX_FILE: u64 = 1 << 20;

/// Who one is, for one repository of a registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// No user in particular.
    #[default]
    Anonymous,
    /// A user name and a password.
    Password(String, String),
    /// A token that is exchanged for others.
    IdentityToken(String),
    /// A program keeps them, which is not asked.
    Program(String),
}

impl fmt::Debug for Credentials {
    /// Says what kind they are and no more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Anonymous => "Anonymous",
            Credentials::Password(..) => "Password",
            Credentials::IdentityToken(_) => "IdentityToken",
            Credentials::Program(_) => "Program",
        })
    }
}

impl Credentials {
    /// `USER:PASSWORD`, as `--src-creds` has it.
    pub(crate) fn parse(text: &str) -> std::result::Result<Credentials, String> {
        match text.split_once(':') {
            Some((user, password)) if !user.is_empty() => Ok(Credentials::Password(user.into(), password.into())),
            _ => Err("credentials are written USER:PASSWORD".into()),
        }
    }

    /// The value of `Authorization` for [`Credentials::Password`].
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Credentials::Password(user, password) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            _ => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// The files that may hold credentials, and whether one must be there; the first that knows the registry decides.
pub(super) fn files(named: Option<&Path>, get: impl Fn(&str) -> Option<PathBuf>) -> Vec<(PathBuf, bool)> {
    if let Some(path) = named.map(Path::to_path_buf).or_else(|| get("REGISTRY_AUTH_FILE")) {
        return vec![(path, true)];
    }
    let home = get("HOME");
    let below_home = |rest: &str| home.as_ref().map(|home| home.join(rest));
    let all = [
        get("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
        get("XDG_CONFIG_HOME").or(below_home(".config")).map(|dir| dir.join("containers/auth.json")),
        get("DOCKER_CONFIG").or(below_home(".docker")).map(|dir| dir.join("config.json")),
    ];
    all.into_iter().flatten().map(|path| (path, false)).collect()
}

/// What these files know about a repository, `HOST[:PORT]/PATH`.
pub(super) fn find(files: &[(PathBuf, bool)], repository: &str) -> Result<Credentials> {
    let mut program = Credentials::Anonymous;
    for (path, must) in files {
        if !must && !path.exists() {
            continue;
        }
        let what = path.display().to_string();
        let file: File = json(&read_small(path, MAX_FILE)?, &what)?;
        match look_up(&file, repository).map_err(|why| Error::malformed(what, why))? {
            Credentials::Anonymous => {}
            // Another file may hold them in the open.
            helper @ Credentials::Program(_) => program = helper,
            found => return Ok(found),
        }
    }
    Ok(program)
}

/// The entry of the longest name that the repository begins with.
fn look_up(file: &File, repository: &str) -> std::result::Result<Credentials, String> {
    let host = repository.split('/').next().unwrap_or_default();
    let mut wanted = Some(repository);
    while let Some(name) = wanted {
        for (key, entry) in &file.auths {
            if normal(key) == name {
                let found = entry.credentials().map_err(|why| format!("auths: {key}: {why}"))?;
                if found != Credentials::Anonymous {
                    return Ok(found);
                }
            }
        }
        wanted = name.rsplit_once('/').map(|(shorter, _)| shorter);
    }
    let helper = file.cred_helpers.iter().find(|(key, _)| normal(key) == host).map(|(_, program)| program);
    let helper = helper.or(file.creds_store.as_ref()).filter(|program| !program.is_empty());
    Ok(helper.map_or(Credentials::Anonymous, |program| Credentials::Program(program.clone())))
}

/// A key as a name: older ones are addresses, `https://index.docker.io/v1/`, of which only the host counts.
fn normal(key: &str) -> String {
    let (rest, address) = match key.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (key, false),
    };
    let rest = rest.trim_end_matches('/');
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = canonical_registry(host);
    if address || path.is_empty() { host.into() } else { format!("{host}/{path}") }
}

impl Entry {
    fn credentials(&self) -> std::result::Result<Credentials, String> {
        if !self.identitytoken.is_empty() {
            return Ok(Credentials::IdentityToken(self.identitytoken.clone()));
        }
        if self.auth.is_empty() {
            let named = !self.username.is_empty();
            let password = || Credentials::Password(self.username.clone(), self.password.clone());
            return Ok(if named { password() } else { Credentials::Anonymous });
        }
        let decoded = STANDARD.decode(self.auth.trim()).map_err(|_| "auth is not base64")?;
        // Some tools end it with zeros.
        let text = String::from_utf8(decoded).map_err(|_| "auth is not text")?;
        Credentials::parse(text.trim_end_matches('\0')).map_err(|_| "auth is not USER:PASSWORD in base64".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, repository: &str) -> Credentials {
        look_up(&serde_json::from_str(text).unwrap(), repository).unwrap()
    }

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password(user.into(), password.into())
    }

    #[test]
    fn the_longest_name_decides() {
        // u:p, v:q, w:r
        let text = r#"{"auths":{"reg.example:5000":{"auth":"dTpw"},"reg.example:5000/a/b":{"auth":"djpx"},
            "https://index.docker.io/v1/":{"auth":"dzpy"},"empty.example":{},"id.example":{"identitytoken":"T"}},
            "credHelpers":{"help.example":"pass"}}"#;
        let table = [
            ("reg.example:5000/a/b/c", password("v", "q")),
            ("reg.example:5000/a/b", password("v", "q")),
            ("reg.example:5000/a/bc", password("u", "p")),
            ("reg.example:5000/a", password("u", "p")),
            ("reg.example/a", Credentials::Anonymous),
            ("docker.io/library/alpine", password("w", "r")),
            ("empty.example/x", Credentials::Anonymous),
            ("id.example/x", Credentials::IdentityToken("T".into())),
            ("help.example/x", Credentials::Program("pass".into())),
        ];
        for (repository, wanted) in table {
            assert_eq!(look(text, repository), wanted, "{repository}");
        }
        assert_eq!(look(r#"{"credsStore":"desktop"}"#, "x/y"), Credentials::Program("desktop".into()));
    }

    #[test]
    fn the_first_file_that_knows_decides() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
            dir.path().join(name)
        };
        let helper = write("a", r#"{"credsStore":"desktop"}"#);
        let open = write("b", r#"{"auths":{"r":{"auth":"dTpw"}}}"#);
        let broken = write("c", r#"{"auths":{"r":{"auth":"%"}}}"#);
        let found = |paths: &[(&PathBuf, bool)]| {
            find(&paths.iter().map(|(path, must)| (path.to_path_buf(), *must)).collect::<Vec<_>>(), "r/x")
        };
        assert_eq!(found(&[(&helper, false), (&open, false)]).unwrap(), password("u", "p"));
        assert_eq!(found(&[(&dir.path().join("none"), false)]).unwrap(), Credentials::Anonymous);
        assert!(found(&[(&dir.path().join("none"), true)]).unwrap_err().to_string().contains("ENOENT"));
        assert!(found(&[(&broken, false)]).unwrap_err().to_string().contains("not base64"));
    }

    #[test]
    fn a_named_file_is_the_only_one() {
        let env = |name: &str| Some(PathBuf::from(format!("/{name}")));
        assert_eq!(files(None, env), [(PathBuf::from("/REGISTRY_AUTH_FILE"), true)]);
        assert_eq!(files(Some(Path::new("/x")), env), [(PathBuf::from("/x"), true)]);
        let home = files(None, |name| (name == "HOME").then(|| "/home/u".into()));
        assert_eq!(home[1].0, Path::new("/home/u/.docker/config.json"));
        assert!(!format!("{:?}", password("user", "secret")).contains("secret"));
    }
}
