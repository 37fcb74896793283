//! The address of an account's proxy.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// The address and protocol of a proxy: `socks5://host:port` or `http://host:port`. It never
/// contains a login, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    pub(crate) kind: ProxyKind,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    Socks5,
    /// Asked with CONNECT.
    Http,
}

/// Why a text is not a proxy address. The text is not repeated, since it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("not a valid proxy URL; expected socks5://host:port or http://host:port")]
    Malformed,
    #[error("the scheme of the proxy URL is neither socks5 nor http")]
    Scheme,
    #[error("the proxy URL has no port")]
    NoPort,
    #[error("the proxy URL has a path; expected socks5://host:port or http://host:port")]
    Path,
    #[error("the proxy URL contains a user name or a password; set those with: paird accounts proxy")]
    Login,
}

impl ProxyAddress {
    /// # Errors
    /// The reason why `text` is not an address, without `text` itself.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text.trim()).map_err(|_| AddressError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Login);
        }
        Self::of(&url)
    }

    /// A stored proxy URL, fit to be shown: a web app may have written a login into it, which no
    /// connection uses.
    pub fn shown(text: &str) -> String {
        match Url::parse(text.trim()).map_err(|_| AddressError::Malformed).and_then(|url| Self::of(&url)) {
            Ok(address) => address.to_string(),
            Err(_) if text.contains('@') => "(not a valid proxy URL)".to_owned(),
            Err(_) => text.to_owned(),
        }
    }

    /// Without a look at the login.
    pub(crate) fn of(url: &Url) -> Result<Self, AddressError> {
        let kind = match url.scheme() {
            "socks5" | "socks5h" => ProxyKind::Socks5,
            "http" => ProxyKind::Http,
            _ => return Err(AddressError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Path);
        }
        let host = match url.host() {
            // Of schemes that it does not know the crate leaves the host as it is.
            Some(Host::Domain(name)) if !name.is_empty() => Host::parse(name).map_err(|_| AddressError::Malformed)?,
            Some(Host::Ipv4(address)) => Host::Ipv4(address),
            Some(Host::Ipv6(address)) => Host::Ipv6(address),
            Some(Host::Domain(_)) | None => return Err(AddressError::Malformed),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(AddressError::NoPort)?;
        Ok(Self { kind, host, port })
    }

    /// As it is dialled: without the brackets of a URL.
    pub(crate) fn dialled(&self) -> (String, u16) {
        let host = match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        (host, self.port)
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Http => "http",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> AddressError {
        ProxyAddress::parse(text).unwrap_err()
    }

    #[test]
    fn an_address_is_read_and_written_the_same() {
        for text in
            ["socks5://proxy.example:1080", "http://10.0.0.1:3128", "http://[::1]:8080", "http://proxy.example:80"]
        {
            assert_eq!(ProxyAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            ProxyAddress::parse(" socks5h://Proxy.Example:1080/ ").unwrap().to_string(),
            "socks5://proxy.example:1080"
        );
    }

    #[test]
    fn an_invalid_address_is_described_without_its_text() {
        assert_eq!(wrong("proxy.example"), AddressError::Malformed);
        assert_eq!(wrong("socks5://"), AddressError::Malformed);
        assert_eq!(wrong("socks5://:1080"), AddressError::Malformed);
        assert_eq!(wrong("proxy.example:1080"), AddressError::Scheme);
        assert_eq!(wrong("https://proxy.example:443"), AddressError::Scheme);
        assert_eq!(wrong("socks4://proxy.example:1080"), AddressError::Scheme);
        assert_eq!(wrong("socks5://proxy.example"), AddressError::NoPort);
        assert_eq!(wrong("socks5://proxy.example:0"), AddressError::NoPort);
        assert_eq!(wrong("http://proxy.example:3128/path"), AddressError::Path);
        assert_eq!(wrong("http://proxy.example:3128?a=b"), AddressError::Path);
        for hush in ["socks5://user:hush@proxy.example:1080", "http://hush@proxy.example:3128", "ftp://user:hush@x:1"] {
            let said = wrong(hush).to_string();
            assert!(!said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn the_shown_address_never_contains_a_login() {
        for (column, shown) in [
            ("socks5://Proxy.Example:1080", "socks5://proxy.example:1080"),
            ("socks5://user:hush@proxy.example:1080", "socks5://proxy.example:1080"),
            ("http://hush@proxy.example:3128/path", "(not a valid proxy URL)"),
            ("user:hush@proxy.example", "(not a valid proxy URL)"),
            ("proxy.example", "proxy.example"),
        ] {
            assert_eq!(ProxyAddress::shown(column), shown);
        }
    }
}
