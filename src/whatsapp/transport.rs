//! The way to WhatsApp's socket, and the gate on its way out.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use whatsapp_rust::{
    anyhow, async_channel,
    transport::{TokioWebSocketTransportFactory, Transport, TransportEvent, TransportFactory, default_tls_connector},
};

use super::{admission::Gate, close::Signs};

/// How the process dials, shared by every connection: where to, and one TLS
/// setup (the library would build one, root store included, per connect).
pub(super) struct Dial {
    sockets: TokioWebSocketTransportFactory,
    refused: Option<&'static str>,
}

impl Dial {
    /// Dials the given address, or WhatsApp's own.
    pub(super) fn to(url: Option<&str>) -> Self {
        let sockets = TokioWebSocketTransportFactory::new().with_connector(default_tls_connector());
        let sockets = match url {
            Some(url) => sockets.with_url(url),
            None => sockets,
        };
        // The sandbox feature skips the check of WhatsApp's certificate chain.
        let refused = (cfg!(feature = "sandbox") && !url.is_some_and(is_loopback))
            .then_some("a build with the sandbox feature dials loopback addresses only");
        Self { sockets, refused }
    }

    async fn dial(&self) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), anyhow::Error> {
        match self.refused {
            Some(refused) => Err(anyhow::anyhow!(refused)),
            None => self.sockets.create_transport().await,
        }
    }
}

/// The `TransportFactory` of one connection: dials, notes why that failed (the
/// library only logs it), and puts the gate on what goes out.
pub(super) struct GatedDial {
    dial: Arc<Dial>,
    gate: Arc<Gate>,
    signs: Arc<Signs>,
}

impl GatedDial {
    pub(super) fn new(dial: Arc<Dial>, gate: Arc<Gate>, signs: Arc<Signs>) -> Self {
        Self { dial, gate, signs }
    }
}

#[async_trait]
impl TransportFactory for GatedDial {
    async fn create_transport(
        &self,
    ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), anyhow::Error> {
        match self.dial.dial().await {
            Ok((socket, incoming)) => Ok((Arc::new(GatedSocket { socket, gate: self.gate.clone() }), incoming)),
            Err(failure) => {
                self.signs.unreachable(format!("{failure:#}"));
                Err(failure)
            }
        }
    }
}

struct GatedSocket {
    socket: Arc<dyn Transport>,
    gate: Arc<Gate>,
}

#[async_trait]
impl Transport for GatedSocket {
    /// Waits while the gate holds. The library sends from one task, one write at
    /// a time, so nothing overtakes a held frame: a keepalive behind it waits too.
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        if let Err(refused) = self.gate.pass().await {
            self.socket.disconnect().await;
            return Err(refused.into());
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
