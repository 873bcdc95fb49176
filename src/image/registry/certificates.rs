//! Certificates for one registry, from a directory (containers-certs.d(5)): `*.crt` are authorities that are trusted beside
//! the system's, and `NAME.cert` with `NAME.key` is what proves who we are.

use super::tls::{Client, Trust};
use crate::image::{Error, Result, staging::read_small};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls_native_certs::load_native_certs;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file with certificates is small.
const MAX_FILE: u64 = 4 << 20;
/// Where such directories are, beside the user's own.
const SYSTEM: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// What such a directory holds.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    authorities: Vec<CertificateDer<'static>>,
    client: Option<Client>,
}

impl Certificates {
    /// Reads the directory that was named, or else the first one that there is for this host and port.
    pub(super) fn find(named: Option<&Path>, host: &str, home: Option<PathBuf>) -> Result<Certificates> {
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

    /// What is trusted: the system's authorities (or those that SSL_CERT_FILE and SSL_CERT_DIR name), and these.
    pub(super) fn trust(&self) -> Trust {
        // Those that cannot be read are missing for other programs as well.
        let system = load_native_certs().certs;
        Trust::Authorities(system.into_iter().chain(self.authorities.iter().cloned()).collect())
    }

    /// Our own, for the registry itself and for no host that it sends us to.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.as_ref().map(|(chain, key)| (chain.clone(), key.clone_key()))
    }
}

/// The certificates of a PEM file, of which there must be one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read_small(path, MAX_FILE)?;
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let all = all.map_err(|error| Error::malformed(path.display().to_string(), error))?;
    if all.is_empty() { Err(Error::malformed(path.display().to_string(), "no certificate in PEM")) } else { Ok(all) }
}

/// The certificate of this file, and the key of the file beside it.
fn client(path: &Path) -> Result<Client> {
    let key = path.with_extension("key");
    let bytes = read_small(&key, MAX_FILE)?;
    let found = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| Error::malformed(key.display().to_string(), "no private key in PEM"))?;
    Ok((certificates(path)?, found))
}
