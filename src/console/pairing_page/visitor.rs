//! Where a request comes from, for the limits.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

const FORWARDED: &str = "x-forwarded-for";

/// The address of the visitor: the last one that no trusted proxy has. What stands before it in the
/// header was written by the visitor.
pub(super) fn address_of(request: &HttpRequest, proxies: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let headers = request.headers().get_all(FORWARDED).filter_map(|value| value.to_str().ok());
    let said: Vec<&str> = headers.flat_map(|value| value.split(',')).collect();
    last_unknown(peer, &said, proxies)
}

fn last_unknown(peer: IpAddr, said: &[&str], proxies: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    for next in said.iter().rev() {
        if !proxies.iter().any(|net| net.contains(&address)) {
            break;
        }
        // A proxy that writes something else says nothing.
        let Ok(next) = next.trim().parse::<IpAddr>() else { break };
        address = next.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_the_visitor_is() {
        let proxies: Vec<IpNet> = ["127.0.0.0/8", "10.0.0.0/8"].map(|net| net.parse().unwrap()).to_vec();
        let visitor = |peer: &str, said: &[&str]| last_unknown(peer.parse().unwrap(), said, &proxies).to_string();
        assert_eq!(visitor("203.0.113.7", &["198.51.100.1"]), "203.0.113.7", "anybody can write the header");
        assert_eq!(visitor("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(visitor("127.0.0.1", &["192.0.2.9", " 198.51.100.1 "]), "198.51.100.1", "the first is claimed");
        assert_eq!(visitor("127.0.0.1", &["198.51.100.1", "10.1.2.3"]), "198.51.100.1", "two proxies");
        assert_eq!(visitor("::ffff:127.0.0.1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(visitor("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(visitor("127.0.0.1", &["unknown"]), "127.0.0.1");
        assert_eq!(visitor("127.0.0.1", &["198.51.100.1", ""]), "127.0.0.1");
    }
}
