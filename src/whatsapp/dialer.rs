//! Dials WhatsApp, directly or through an account's proxy.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri, header::ORIGIN};
use paird_actors::domain::CloseReason;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_websockets::{ClientBuilder, Connector};
use wacore::net::{WHATSAPP_WEB_ORIGIN, WHATSAPP_WEB_WS_URL};
use whatsapp_rust::{
    async_channel,
    transport::{
        TokioWebSocketTransportFactory, Transport, TransportEvent, TransportFactory, default_tls_connector,
        from_websocket,
    },
};

use super::proxy::Proxy;

/// TLS and the upgrade, once the proxy has opened the tunnel.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(20);
const LOOPBACK_ONLY: &str = "a build with the sandbox feature dials loopback addresses only";

pub(super) type Dialed = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

/// How one account's traffic leaves this machine.
pub(super) enum Route {
    Direct,
    Through(Proxy),
    /// Not at all: the account's proxy cannot be used, and nothing may bypass it.
    Blocked(CloseReason),
}

/// How the process dials, shared by every connection: where to, and one TLS
/// setup (the library would build one, root store included, per connect).
pub(super) struct Dialer {
    sockets: TokioWebSocketTransportFactory,
    tls: Connector,
    url: String,
    refused: Option<&'static str>,
}

impl Dialer {
    /// Dials the given address, or WhatsApp's own.
    pub(super) fn to(url: Option<&str>) -> Self {
        let tls = match url {
            Some(url) if url.starts_with("wss://") => trusting_this_machine(),
            Some(_) | None => default_tls_connector(),
        };
        let sockets = TokioWebSocketTransportFactory::new().with_connector(shared(&tls));
        let sockets = match url {
            Some(url) => sockets.with_url(url),
            None => sockets,
        };
        // The sandbox feature skips the check of WhatsApp's certificate chain.
        let refused = (cfg!(feature = "sandbox") && !url.is_some_and(is_loopback)).then_some(LOOPBACK_ONLY);
        Self { sockets, tls, url: url.unwrap_or(WHATSAPP_WEB_WS_URL).to_owned(), refused }
    }

    pub(super) async fn dial(&self, route: &Route) -> Result<Dialed, CloseReason> {
        if let Some(refused) = self.refused {
            return Err(CloseReason::Unreachable(refused.to_owned()));
        }
        match route {
            Route::Direct => {
                let dialed = self.sockets.create_transport().await;
                dialed.map_err(|failure| CloseReason::Unreachable(format!("{failure:#}")))
            }
            Route::Through(proxy) => self.dial_through(proxy).await,
            Route::Blocked(reason) => Err(reason.clone()),
        }
    }

    /// TLS and WebSocket as the library makes them, inside the proxy's tunnel.
    async fn dial_through(&self, proxy: &Proxy) -> Result<Dialed, CloseReason> {
        if cfg!(feature = "sandbox") && !proxy.is_on_this_machine() {
            return Err(CloseReason::ProxyInvalid(LOOPBACK_ONLY.to_owned()));
        }
        let unreachable = |what: &str, why: &dyn std::fmt::Display| {
            CloseReason::Unreachable(format!("through the proxy: {what}: {why}"))
        };
        let uri: Uri = self.url.parse().map_err(|error| unreachable("address", &error))?;
        let host = uri.host().unwrap_or_default().to_owned();
        let tls = uri.scheme_str() == Some("wss");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let tunnel = proxy.reach(&host, port).await?;
        let connector = if tls { &self.tls } else { &Connector::Plain };
        let upgrade = async {
            let stream = connector.wrap(&host, tunnel).await.map_err(|error| unreachable("TLS", &error))?;
            let origin = HeaderValue::from_static(WHATSAPP_WEB_ORIGIN);
            let builder = ClientBuilder::from_uri(uri).add_header(ORIGIN, origin);
            let builder = builder.map_err(|error| unreachable("WebSocket", &error))?;
            let (socket, _) = builder.connect_on(stream).await.map_err(|error| unreachable("WebSocket", &error))?;
            Ok(from_websocket(socket))
        };
        match timeout(UPGRADE_TIMEOUT, upgrade).await {
            Ok(dialed) => dialed,
            Err(_) => Err(unreachable("WebSocket", &format!("no answer within {} s", UPGRADE_TIMEOUT.as_secs()))),
        }
    }
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

/// The same TLS setup once more.
fn shared(tls: &Connector) -> Connector {
    match tls {
        Connector::Rustls(tls) => Connector::Rustls(tls.clone()),
        Connector::Plain => Connector::Plain,
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
