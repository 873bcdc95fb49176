//! TLS as other tools of the field understand it: a certificate is right where an authority vouches for it, and also where it
//! is itself the authority that was named, as a registry of one's own has it that was set up with one command (`openssl
//! req -x509`). Everything else is as the verifier of rustls decides.

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// What is trusted.
pub(super) enum Trust {
    /// These authorities.
    Authorities(Vec<CertificateDer<'static>>),
    /// Every server, as was asked for.
    Everybody,
}

/// A certificate of ours, and its key.
pub(super) type Client = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// How connections are secured.
pub(super) fn config(trust: Trust, client: Option<Client>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(trust, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(match client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
    }))
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None where every server is trusted.
    usual: Option<Arc<WebPkiServerVerifier>>,
    authorities: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(trust: Trust, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
        let Trust::Authorities(authorities) = trust else {
            return Ok(Verifier { provider: Arc::clone(provider), usual: None, authorities: Vec::new() });
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        if roots.is_empty() {
            return Err(Error::General("this machine has no CA certificates".into()));
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let usual = usual.map_err(|error| Error::General(error.to_string()))?;
        Ok(Verifier { provider: Arc::clone(provider), usual: Some(usual), authorities })
    }

    /// How signatures are checked.
    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(usual) = &self.usual else { return Ok(ServerCertVerified::assertion()) };
        let error = match usual.verify_server_cert(shown, between, name, ocsp, now) {
            Err(error) if is_authority(&error) => error,
            verified => return verified,
        };
        if !self.authorities.iter().any(|known| known.as_ref() == shown.as_ref()) {
            return Err(error);
        }
        // The user trusts just this certificate. Its name and its time count all the same.
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        match validity(shown) {
            Some((from, _)) if now.as_secs() < from => Err(rustls::CertificateError::NotValidYet.into()),
            Some((_, until)) if now.as_secs() > until => Err(rustls::CertificateError::Expired.into()),
            Some(_) => Ok(ServerCertVerified::assertion()),
            None => Err(rustls::CertificateError::BadEncoding.into()),
        }
    }

    // A server must have the key of its certificate, whatever is trusted.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, shown, signature, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, shown, signature, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

/// Whether the certificate that was shown is that of an authority.
pub(super) fn is_authority(error: &Error) -> bool {
    // The verifier gives this one no name of its own but hands on its parser's.
    matches!(error, Error::InvalidCertificate(rustls::CertificateError::Other(other)) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// From when until when a certificate is valid (RFC 5280, 4.1), in seconds since 1970.
fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let (outer, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(outer, SEQUENCE)?;
    // A version, if any, then serial number, algorithm and issuer.
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    for kind in [INTEGER, SEQUENCE, SEQUENCE] {
        rest = element(rest, kind)?.1;
    }
    let (times, _) = element(rest, SEQUENCE)?;
    let (from, rest) = time(times)?;
    Some((from, time(rest)?.0))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The content of a DER element of this kind, and what follows it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(2)?;
    let (length, rest) = match head {
        [found, length @ 0..=0x7f] if *found == kind => (usize::from(*length), rest),
        [found, length @ 0x81..=0x84] if *found == kind => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A time, `YYMMDDhhmmssZ` or with four digits of the year, and what follows it.
fn time(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (text, rest) = element(bytes, UTC_TIME).or_else(|| element(bytes, GENERALIZED_TIME))?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = match text.len() {
        12 if text.starts_with(['0', '1', '2', '3', '4']) => format!("20{text}"),
        12 => format!("19{text}"),
        _ => text.to_string(),
    };
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if whole.len() != 14 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Days since 1 March of the year 0, by a calendar whose years end with February.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second, rest))
}

type Make = dyn Fn() -> Result<Arc<ClientConfig>, Error> + Send + Sync;

/// Secures a connection, in the chain of those that the HTTP client makes it with. How is settled with the first one: there
/// may be none.
pub(super) struct Tls {
    make: Box<Make>,
    made: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(make: impl Fn() -> Result<Arc<ClientConfig>, Error> + Send + Sync + 'static) -> Tls {
        Tls { make: Box::new(make), made: OnceLock::new() }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        match self.made.get() {
            Some(made) => Ok(Arc::clone(made)),
            None => (self.make)().map(|made| Arc::clone(self.made.get_or_init(|| made))),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Secured>;

    fn connect(&self, details: &ConnectionDetails, plain: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(plain) = plain else { return Ok(None) };
        if !details.needs_tls() || plain.is_tls() {
            return Ok(Some(Either::A(plain)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_string();
        let name =
            ServerName::try_from(bare).map_err(|_| ureq::Error::Tls("the host's name cannot be in a certificate"))?;
        let mut connection = ClientConnection::new(self.config()?, name)?;
        let mut socket = TransportAdapter::new(plain.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Secured { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

/// A secured connection.
pub(super) struct Secured {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secured")
    }
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(std::io::Write::write_all(&mut self.stream, output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = std::io::Read::read(&mut self.stream, self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = if length < 128 { vec![kind, length as u8] } else { vec![kind, 0x81, length as u8] };
        [head, content.to_vec()].concat()
    }

    #[test]
    fn times_of_certificates_are_read() {
        let read = |kind, text: &str| time(&der(kind, text.as_bytes())).map(|(seconds, _)| seconds);
        let table = [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "000229120000Z", Some(951_825_600)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (UTC_TIME, "690101000000Z", None),
            (UTC_TIME, "7001010000Z", None),
            (UTC_TIME, "700101000000", None),
            (UTC_TIME, "701301000000Z", None),
        ];
        for (kind, text, seconds) in table {
            assert_eq!(read(kind, text), seconds, "{text}");
        }
    }

    #[test]
    fn the_validity_stands_where_it_should() {
        let times = der(SEQUENCE, &[der(UTC_TIME, b"700101000001Z"), der(UTC_TIME, b"700101000100Z")].concat());
        let version = der(VERSION, &der(INTEGER, &[2]));
        let rest = [der(INTEGER, &[1; 100]), der(SEQUENCE, b""), der(SEQUENCE, b""), times].concat();
        let certificate = |to_be_signed: &[u8]| der(SEQUENCE, &der(SEQUENCE, to_be_signed));
        assert_eq!(validity(&certificate(&rest)), Some((1, 60)));
        assert_eq!(validity(&certificate(&[version, rest.clone()].concat())), Some((1, 60)));
        assert_eq!(validity(&certificate(rest.get(..40).unwrap())), None);
        assert_eq!(validity(b""), None);
    }
}
