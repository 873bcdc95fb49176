//! Certificates for one registry, from a directory (containers-certs.d(5)): `*.crt` are authorities that are trusted beside
//! the system's, and `NAME.cert` with `NAME.key` is what proves who we are.

use crate::image::{Error, Result, staging::read_small};
use rustls_native_certs::load_native_certs;
use std::{
    fs,
    path::{Path, PathBuf},
};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, parse_pem};

/// A file with certificates is small.
const MAX_FILE: u64 = 4 << 20;
/// Where such directories are, beside the user's own.
const SYSTEM: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// What such a directory holds.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    authorities: Vec<Certificate<'static>>,
    /// For the registry itself and for nobody that it sends us to.
    pub client: Option<ClientCert>,
}

impl Certificates {
    /// Reads the directory that somebody named, or else the first one that there is for this host and port.
    pub fn find(named: Option<&Path>, host: &str, home: Option<PathBuf>) -> Result<Certificates> {
        if let Some(dir) = named {
            return Certificates::read(dir);
        }
        let users = home.map(|home| home.join(".config/containers/certs.d"));
        let mut places = users.into_iter().chain(SYSTEM.map(PathBuf::from)).map(|place| place.join(host));
        places.find(|place| place.is_dir()).map_or(Ok(Certificates::default()), |place| Certificates::read(&place))
    }

    fn read(dir: &Path) -> Result<Certificates> {
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = entries.map_err(Error::io(dir))?.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        let mut found = Certificates::default();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.extend(certificates(&path)?),
                Some("cert") => found.client = Some(client(&path)?),
                Some("key") if !path.with_extension("cert").exists() => {
                    let missing = path.with_extension("cert");
                    let why = format!("a key without its certificate, {}", missing.display());
                    return Err(Error::malformed(path.display().to_string(), why));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Who is trusted: the system's authorities, and these.
    pub fn roots(&self) -> RootCerts {
        if self.authorities.is_empty() {
            return RootCerts::PlatformVerifier;
        }
        // Those that cannot be read are missing for everybody else as well.
        let system = load_native_certs().certs;
        let all =
            system.iter().map(|one| Certificate::from_der(one).to_owned()).chain(self.authorities.iter().cloned());
        RootCerts::new_with_certs(&all.collect::<Vec<_>>())
    }
}

/// The certificates of a PEM file, of which there must be one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let items = items(path)?.into_iter();
    let all: Vec<_> =
        items.filter_map(|item| if let PemItem::Certificate(one) = item { Some(one) } else { None }).collect();
    if all.is_empty() { Err(Error::malformed(path.display().to_string(), "no certificate in PEM")) } else { Ok(all) }
}

/// The certificate of this file, and the key of the file beside it.
fn client(path: &Path) -> Result<ClientCert> {
    let key = path.with_extension("key");
    let mut keys = items(&key)?.into_iter();
    let found: Option<PrivateKey> =
        keys.find_map(|item| if let PemItem::PrivateKey(key) = item { Some(key) } else { None });
    let found = found.ok_or_else(|| Error::malformed(key.display().to_string(), "no private key in PEM"))?;
    Ok(ClientCert::new_with_certs(&certificates(path)?, found))
}

fn items(path: &Path) -> Result<Vec<PemItem<'static>>> {
    let bytes = read_small(path, MAX_FILE)?;
    let items: std::result::Result<Vec<_>, _> = parse_pem(&bytes).collect();
    items.map_err(|error| Error::malformed(path.display().to_string(), error))
}
