//! Proxies, as curl(1) reads them: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case first.

use super::fault::Fault;
use std::net::IpAddr;

/// What the environment says about proxies.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    exceptions: Vec<String>,
}

impl Proxies {
    /// Reads them; `get` gives a variable of the environment.
    pub(super) fn read(get: impl Fn(&str) -> Option<String>) -> Proxies {
        let either = |name: &str| {
            [name.to_ascii_lowercase(), name.to_string()]
                .iter()
                .find_map(|name| get(name).filter(|value| !value.is_empty()))
        };
        let all = either("ALL_PROXY");
        let exceptions = either("NO_PROXY").unwrap_or_default();
        Proxies {
            http: either("HTTP_PROXY").or(all.clone()),
            https: either("HTTPS_PROXY").or(all),
            exceptions: exceptions.split([',', ' ']).filter(|one| !one.is_empty()).map(str::to_string).collect(),
        }
    }

    /// The proxy on the way to a host, if any.
    pub(super) fn on_the_way(&self, https: bool, host: &str, port: u16) -> Option<&str> {
        let proxy = if https { &self.https } else { &self.http };
        let around = self.exceptions.iter().any(|exception| excepts(exception, host, port));
        proxy.as_deref().filter(|_| !around)
    }
}

/// How messages name a proxy: host and port, without its password.
pub(super) fn shown(proxy: &str) -> &str {
    let address = proxy.split_once("://").map_or(proxy, |(_, address)| address).trim_end_matches('/');
    address.rsplit_once('@').map_or(address, |(_, host)| host)
}

/// A proxy as the HTTP client takes it.
pub(super) fn parse(proxy: &str, host: &str) -> Result<ureq::Proxy, Fault> {
    ureq::Proxy::new(proxy).map_err(|_| Fault::Proxy {
        proxy: shown(proxy).into(),
        host: host.into(),
        why: "it is not the address of a proxy: http://HOST:PORT".into(),
    })
}

/// One entry of `NO_PROXY`: `*`, a domain with what is below it, an address, a network, each with or without a port.
fn excepts(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    if let (Some(address), Some((network, bits))) = (address, entry.split_once('/')) {
        let network = network.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        return network.is_ok_and(|network| bits.parse().is_ok_and(|bits| within(address, network, bits)));
    }
    let bare = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let (name, named) = match entry.rsplit_once(':') {
        Some((name, number)) if !bare(entry) => match number.parse::<u16>() {
            Ok(number) => (name, Some(number)),
            Err(_) => return false,
        },
        _ => (entry, None),
    };
    if named.is_some_and(|named| named != port) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if address.is_some() {
        return name.parse::<IpAddr>().ok() == address;
    }
    let domain = name.trim_start_matches('*').trim_start_matches('.');
    !domain.is_empty() && (host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |a: u128, b: u128, width: u32| bits <= width && (bits == 0 || (a ^ b) >> (width - bits) == 0);
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(no_proxy: &str) -> Proxies {
        Proxies::read(|name| match name {
            "https_proxy" => Some("http://p:3128".into()),
            "HTTP_PROXY" => Some("http://u:secret@q:3128".into()),
            "NO_PROXY" => Some(no_proxy.into()),
            _ => None,
        })
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let all = proxies("");
        assert_eq!(all.on_the_way(true, "x.example", 443), Some("http://p:3128"));
        assert_eq!(all.on_the_way(false, "x.example", 80).map(shown), Some("q:3128"));
        assert_eq!(shown("http://p:3128/"), "p:3128");
        let one = Proxies::read(|name| (name == "ALL_PROXY").then(|| "p".into()));
        assert_eq!((one.on_the_way(true, "x", 1), one.on_the_way(false, "x", 1)), (Some("p"), Some("p")));
    }

    #[test]
    fn exceptions_go_around_it() {
        let table = [
            ("*", "x.example", true),
            ("example", "x.example", true),
            (".example", "x.example", true),
            ("*.example", "x.example", true),
            ("X.Example", "x.example", true),
            ("ample", "x.example", false),
            ("x.example:443", "x.example", true),
            ("x.example:5000", "x.example", false),
            ("a, 10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1:443", "127.0.0.1", true),
            ("127.0.0.0/99", "127.0.0.1", false),
            ("::1", "[::1]", true),
            ("[::1]:443", "[::1]", true),
            ("fe80::/10", "[fe80::1]", true),
            ("", "x", false),
        ];
        for (no_proxy, host, around) in table {
            assert_eq!(proxies(no_proxy).on_the_way(true, host, 443).is_none(), around, "{no_proxy} {host}");
        }
    }
}
