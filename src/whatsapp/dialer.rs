//! Dials WhatsApp, directly or through an account's proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri, header::ORIGIN};
use paird_actors::domain::{CloseReason, ProxyFault};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_websockets::{ClientBuilder, Connector};
use wacore::net::{WHATSAPP_WEB_ORIGIN, WHATSAPP_WEB_WS_URL};
use whatsapp_rust::{
    async_channel,
    transport::{Transport, TransportEvent, default_tls_connector, from_websocket},
};

use super::{happy_eyeballs, proxy::Proxy};

/// All addresses of the name together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// TLS and the upgrade, once there is a connection, or the proxy has opened the tunnel.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(20);
const LOOPBACK_ONLY: &str = "a build with the sandbox feature dials loopback addresses only";

pub(super) type Dialed = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

/// The route of one account's traffic.
pub(super) enum Route {
    Direct,
    Through(Proxy),
    /// Not at all: the account's proxy cannot be used, and nothing may bypass it.
    Blocked(CloseReason),
}

/// The outcome of a try to connect through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyDial {
    Connected,
    /// The account's proxy cannot be used as it is set.
    Invalid,
    Unreachable,
    /// The proxy refused the login.
    Auth,
    /// The proxy refused the tunnel.
    Refused,
    /// The tunnel was open, and what is at its end did not answer as WhatsApp does.
    Beyond,
}

impl ProxyDial {
    /// For the series, which begin at nothing.
    pub const ALL: [Self; 6] =
        [Self::Connected, Self::Invalid, Self::Unreachable, Self::Auth, Self::Refused, Self::Beyond];

    pub fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::Auth => "auth",
            Self::Refused => "refused",
            Self::Beyond => "beyond",
        }
    }

    fn of(dialed: &Result<Dialed, CloseReason>) -> Self {
        let Err(reason) = dialed else { return Self::Connected };
        match reason.proxy_fault() {
            Some(ProxyFault::Invalid) => Self::Invalid,
            Some(ProxyFault::Unreachable) => Self::Unreachable,
            Some(ProxyFault::Auth) => Self::Auth,
            Some(ProxyFault::Refused) => Self::Refused,
            None => Self::Beyond,
        }
    }
}

/// Called for each.
pub type ProxyListener = Arc<dyn Fn(ProxyDial) + Send + Sync>;

/// Dials for every connection of the process. It shares one TLS setup, since the library would
/// build one, root store included, per connect.
pub(super) struct Dialer {
    tls: Connector,
    url: String,
    refused: Option<&'static str>,
    proxied: ProxyListener,
}

impl Dialer {
    /// Dials the given address, or WhatsApp's own.
    pub(super) fn to(url: Option<&str>, proxied: ProxyListener) -> Self {
        let tls = match url {
            Some(url) if url.starts_with("wss://") => trusting_this_machine(),
            Some(_) | None => default_tls_connector(),
        };
        // The sandbox feature skips the check of WhatsApp's certificate chain.
        let refused = (cfg!(feature = "sandbox") && !url.is_some_and(is_loopback)).then_some(LOOPBACK_ONLY);
        Self { tls, url: url.unwrap_or(WHATSAPP_WEB_WS_URL).to_owned(), refused, proxied }
    }

    pub(super) async fn dial(&self, route: &Route) -> Result<Dialed, CloseReason> {
        if let Some(refused) = self.refused {
            return Err(CloseReason::Unreachable(refused.to_owned()));
        }
        match route {
            Route::Direct => self.dial_directly().await,
            Route::Through(proxy) => self.proxied(self.dial_through(proxy).await),
            Route::Blocked(reason) => self.proxied(Err(reason.clone())),
        }
    }

    fn proxied(&self, dialed: Result<Dialed, CloseReason>) -> Result<Dialed, CloseReason> {
        (self.proxied)(ProxyDial::of(&dialed));
        dialed
    }

    async fn dial_directly(&self) -> Result<Dialed, CloseReason> {
        let target = self.target().map_err(CloseReason::Unreachable)?;
        let connecting = timeout(CONNECT_TIMEOUT, happy_eyeballs::connect_to(&target.host, target.port, dialable));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(CloseReason::Unreachable(format!("{}: {error}", target.host))),
            Err(_) => {
                let seconds = CONNECT_TIMEOUT.as_secs();
                let why = format!("{}: no address of it answers within {seconds} s", target.host);
                return Err(CloseReason::Unreachable(why));
            }
        };
        self.upgrade(target, stream).await.map_err(CloseReason::Unreachable)
    }

    async fn dial_through(&self, proxy: &Proxy) -> Result<Dialed, CloseReason> {
        let unreachable = |why: String| CloseReason::Unreachable(format!("through the proxy: {why}"));
        let target = self.target().map_err(unreachable)?;
        let tunnel = proxy.reach(&target.host, target.port).await?;
        self.upgrade(target, tunnel).await.map_err(unreachable)
    }

    fn target(&self) -> Result<Target, String> {
        let uri: Uri = self.url.parse().map_err(|error| format!("address: {error}"))?;
        let host = uri.host().unwrap_or_default().to_owned();
        let is_tls = uri.scheme_str() == Some("wss");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Target { uri, host, port, is_tls })
    }

    /// TLS and WebSocket as the library makes them.
    async fn upgrade(&self, target: Target, stream: TcpStream) -> Result<Dialed, String> {
        let connector = if target.is_tls { &self.tls } else { &Connector::Plain };
        let upgrade = async {
            let stream = connector.wrap(&target.host, stream).await.map_err(|error| format!("TLS: {error}"))?;
            let origin = HeaderValue::from_static(WHATSAPP_WEB_ORIGIN);
            let websocket = |error: tokio_websockets::Error| format!("WebSocket: {error}");
            let builder = ClientBuilder::from_uri(target.uri).add_header(ORIGIN, origin).map_err(websocket)?;
            let (socket, _) = builder.connect_on(stream).await.map_err(websocket)?;
            Ok(from_websocket(socket))
        };
        match timeout(UPGRADE_TIMEOUT, upgrade).await {
            Ok(dialed) => dialed,
            Err(_) => Err(format!("WebSocket: no answer within {} s", UPGRADE_TIMEOUT.as_secs())),
        }
    }
}

/// In a build with the sandbox feature, the hosts file cannot make `localhost` another machine.
fn dialable(mut addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    if cfg!(feature = "sandbox") {
        addresses.retain(|address| address.ip().is_loopback());
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, LOOPBACK_ONLY));
        }
    }
    Ok(addresses)
}

/// The host and port of a URL.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    is_tls: bool,
}

/// For a sandbox behind TLS, whose certificate no public authority vouches for.
fn trusting_this_machine() -> Connector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let ring = Arc::new(ring::default_provider());
    match ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions() {
        Ok(config) => {
            Connector::Rustls(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
        }
        // Ring speaks the versions that rustls has by default.
        Err(_) => default_tls_connector(),
    }
}

/// Whether a URL's host is this machine.
fn is_loopback(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        for url in ["ws://127.0.0.1:7700/ws/chat", "ws://localhost/ws/chat", "ws://[::1]:7700/ws/chat"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "wss://web.whatsapp.com/ws/chat",
            "ws://127.0.0.1.example.net/",
            "ws://127.0.0.1@example.net/",
            "ws://localhost.example.net/",
            "127.0.0.1",
            "ws://",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
