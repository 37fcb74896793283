//! The way to WhatsApp's socket, and the gate on its way out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Uri, header::ORIGIN};
use paird_actors::domain::CloseReason;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_websockets::{ClientBuilder, Connector};
use wacore::net::{WHATSAPP_WEB_ORIGIN, WHATSAPP_WEB_WS_URL};
use whatsapp_rust::{
    anyhow, async_channel,
    transport::{
        TokioWebSocketTransportFactory, Transport, TransportEvent, TransportFactory, default_tls_connector,
        from_websocket,
    },
};

use super::{admission::Gate, close::Signs, keys::LinkKeys, proxy::Proxy};

/// TLS and the upgrade, once the proxy has opened the tunnel.
const UPGRADE_PATIENCE: Duration = Duration::from_secs(20);
const LOOPBACK_ONLY: &str = "a build with the sandbox feature dials loopback addresses only";

type Dialled = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

/// How one account's traffic leaves this machine.
pub(super) enum Way {
    Direct,
    Through(Proxy),
    /// Not at all: its proxy cannot be used, and nothing goes around it.
    Barred(CloseReason),
}

/// How the process dials, shared by every connection: where to, and one TLS
/// setup (the library would build one, root store included, per connect).
pub(super) struct Dial {
    sockets: TokioWebSocketTransportFactory,
    tls: Connector,
    url: String,
    refused: Option<&'static str>,
}

impl Dial {
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

    async fn dial(&self, way: &Way) -> Result<Dialled, CloseReason> {
        if let Some(refused) = self.refused {
            return Err(CloseReason::Unreachable(refused.to_owned()));
        }
        match way {
            Way::Direct => {
                let dialled = self.sockets.create_transport().await;
                dialled.map_err(|failure| CloseReason::Unreachable(format!("{failure:#}")))
            }
            Way::Through(proxy) => self.dial_through(proxy).await,
            Way::Barred(reason) => Err(reason.clone()),
        }
    }

    /// TLS and WebSocket as the library makes them, inside the proxy's tunnel.
    async fn dial_through(&self, proxy: &Proxy) -> Result<Dialled, CloseReason> {
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
        match timeout(UPGRADE_PATIENCE, upgrade).await {
            Ok(dialled) => dialled,
            Err(_) => Err(unreachable("WebSocket", &format!("no answer within {} s", UPGRADE_PATIENCE.as_secs()))),
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

/// The `TransportFactory` of one connection: dials, notes why that failed (the
/// library only logs it), and puts the gate on what goes out.
pub(super) struct GatedDial {
    dial: Arc<Dial>,
    way: Arc<Way>,
    gate: Arc<Gate>,
    keys: Arc<dyn LinkKeys>,
    signs: Arc<Signs>,
}

impl GatedDial {
    pub(super) fn new(
        dial: Arc<Dial>,
        way: Arc<Way>,
        gate: Arc<Gate>,
        keys: Arc<dyn LinkKeys>,
        signs: Arc<Signs>,
    ) -> Self {
        Self { dial, way, gate, keys, signs }
    }
}

#[async_trait]
impl TransportFactory for GatedDial {
    async fn create_transport(&self) -> Result<Dialled, anyhow::Error> {
        match self.dial.dial(&self.way).await {
            Ok((socket, incoming)) => {
                let (gate, keys, signs) = (self.gate.clone(), self.keys.clone(), self.signs.clone());
                Ok((Arc::new(GatedSocket { socket, gate, keys, signs }), incoming))
            }
            Err(reason) => {
                let failure = anyhow::anyhow!(reason.describe());
                self.signs.unreachable(reason);
                Err(failure)
            }
        }
    }
}

struct GatedSocket {
    socket: Arc<dyn Transport>,
    gate: Arc<Gate>,
    keys: Arc<dyn LinkKeys>,
    signs: Arc<Signs>,
}

#[async_trait]
impl Transport for GatedSocket {
    /// Waits while the gate holds, and until what it may rest on is durable. The library
    /// sends from one task, one write at a time, so nothing overtakes a held frame: a
    /// keepalive behind it waits too.
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        if let Err(refused) = self.gate.pass().await {
            self.socket.disconnect().await;
            return Err(refused.into());
        }
        if let Err(failure) = self.keys.flush_before_send().await {
            self.signs.say(CloseReason::StoreFailed(failure.to_string()));
            self.socket.disconnect().await;
            return Err(failure.into());
        }
        self.socket.send(data).await
    }

    /// Not gated: a held frame must not keep a connection from being closed.
    async fn disconnect(&self) {
        self.socket.disconnect().await;
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
