//! The addresses that proxies may have: a user who can set an account's proxy must not be able
//! to probe this machine's ports with it, or reach a cloud's metadata service.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    str::FromStr as _,
};

use ipnet::IpNet;

/// This machine, this link, groups, and the addresses beside 169.254.169.254 at which clouds
/// tell a machine its secrets.
const NEVER_BY_DEFAULT: [&str; 14] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "::/128",
    "::1/128",
    "fe80::/10",
    "ff00::/8",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
];

/// `PAIRD_PROXY_ALLOW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyAllow {
    /// Everywhere but [`NEVER_BY_DEFAULT`].
    Usual,
    /// In these networks and nowhere else.
    Only(Vec<IpNet>),
}

impl ProxyAllow {
    /// Loopback addresses only, for builds with the sandbox feature.
    pub fn this_machine() -> Self {
        Self::Only(nets(&["127.0.0.0/8", "::1/128"]).collect())
    }

    pub fn permits(&self, address: IpAddr) -> bool {
        // ::ffff:127.0.0.1 is 127.0.0.1.
        let address = address.to_canonical();
        match self {
            Self::Usual => !nets(&NEVER_BY_DEFAULT).any(|net| net.contains(&address)),
            Self::Only(nets) => nets.iter().any(|net| net.contains(&address)),
        }
    }

    /// The permitted ones of the addresses that a proxy's name has.
    ///
    /// # Errors
    /// None is.
    pub(in crate::whatsapp) fn filter(&self, addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let (permitted, refused): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| self.permits(address.ip()));
        match refused.first() {
            Some(first) if permitted.is_empty() => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, NotAllowed(first.ip())))
            }
            Some(_) | None => Ok(permitted),
        }
    }
}

fn nets(texts: &[&str]) -> impl Iterator<Item = IpNet> {
    texts.iter().filter_map(|net| IpNet::from_str(net).ok())
}

/// Why a proxy is not dialled.
#[derive(Clone, Copy, Debug)]
pub(in crate::whatsapp) struct NotAllowed(IpAddr);

impl NotAllowed {
    pub(in crate::whatsapp) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxies may not be at {}: the daemon's PAIRD_PROXY_ALLOW says where", self.0)
    }
}

impl std::error::Error for NotAllowed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(allow: &ProxyAllow, address: &str) -> bool {
        allow.permits(address.parse().unwrap())
    }

    #[test]
    fn by_default_no_proxy_is_on_this_machine_or_its_link() {
        assert_eq!(nets(&NEVER_BY_DEFAULT).count(), NEVER_BY_DEFAULT.len());
        let forbidden = "127.0.0.1 127.8.8.8 0.0.0.0 169.254.169.254 169.254.1.1 224.0.0.1 255.255.255.255 ::1 :: \
                         fe80::1 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 fd00:ec2::254 100.100.100.200 \
                         168.63.129.16";
        for address in forbidden.split_whitespace() {
            assert!(!permits(&ProxyAllow::Usual, address), "{address}");
        }
        for address in ["10.0.0.7", "192.168.1.1", "172.16.0.1", "100.64.0.1", "203.0.113.9", "2001:db8::1", "fd12::1"]
        {
            assert!(permits(&ProxyAllow::Usual, address), "{address}");
        }
    }

    #[test]
    fn an_explicit_list_permits_only_its_networks() {
        let only = ProxyAllow::Only(nets(&["10.1.0.0/16", "127.0.0.0/8"]).collect());
        for address in ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3"] {
            assert!(permits(&only, address), "{address}");
        }
        for address in ["10.2.0.1", "203.0.113.9", "::1", "2001:db8::1"] {
            assert!(!permits(&only, address), "{address}");
        }
    }

    #[test]
    fn of_a_name_with_several_addresses_the_permitted_are_dialled() {
        let addresses = |all: &[&str]| all.iter().map(|address| address.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let both = addresses(&["127.0.0.1:1080", "203.0.113.9:1080"]);
        assert_eq!(ProxyAllow::Usual.filter(both).unwrap(), addresses(&["203.0.113.9:1080"]));
        let refused = ProxyAllow::Usual.filter(addresses(&["[::1]:1080", "127.0.0.1:1080"])).unwrap_err();
        assert!(NotAllowed::is(&refused) && refused.to_string().contains("PAIRD_PROXY_ALLOW"), "{refused}");
    }
}
