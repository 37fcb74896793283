//! Sockets of one connection, and the gate on their way out.
//!
//! WhatsApp names the number in `<pair-success>`, and the link exists once the client
//! answered with `<pair-device-sign>` (`whatsapp-rust`, `pair.rs`). The library calls the
//! raw-node handler before it handles a stanza, so the machine holds the frames before the
//! answer is even built.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use paird_actors::connection::{Input, LibraryEvent, Outcome};
use thiserror::Error;
use whatsapp_rust::{
    anyhow,
    transport::{Transport, TransportFactory},
};

use super::{
    super::{
        dialer::{Dialed, Dialer, Route},
        keys::LinkKeys,
    },
    Shell,
};

/// The machine refused a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the link was refused")]
struct Refused;

/// The `TransportFactory` of one connection: dials, reports why that failed (the library
/// only logs it), and puts the gate on what goes out.
pub(in crate::whatsapp) struct GatedDialer {
    dialer: Arc<Dialer>,
    route: Arc<Route>,
    shell: Arc<Shell>,
    keys: Arc<dyn LinkKeys>,
}

impl GatedDialer {
    pub(in crate::whatsapp) fn new(
        dialer: Arc<Dialer>,
        route: Arc<Route>,
        shell: Arc<Shell>,
        keys: Arc<dyn LinkKeys>,
    ) -> Self {
        Self { dialer, route, shell, keys }
    }
}

#[async_trait]
impl TransportFactory for GatedDialer {
    async fn create_transport(&self) -> Result<Dialed, anyhow::Error> {
        match self.dialer.dial(&self.route).await {
            Ok((socket, incoming)) => {
                let (shell, keys) = (self.shell.clone(), self.keys.clone());
                Ok((Arc::new(GatedSocket { socket, shell, keys }), incoming))
            }
            Err(reason) => {
                let failure = anyhow::anyhow!(reason.describe());
                self.shell.feed(Input::Event(LibraryEvent::DialFailed(reason)));
                Err(failure)
            }
        }
    }
}

struct GatedSocket {
    socket: Arc<dyn Transport>,
    shell: Arc<Shell>,
    keys: Arc<dyn LinkKeys>,
}

#[async_trait]
impl Transport for GatedSocket {
    /// Waits while frames are held, and until the keys that this one may rest on are
    /// durable. The library sends from one task, one write at a time, so nothing overtakes
    /// a held frame: a keepalive behind it waits too.
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        if !self.shell.may_pass().await {
            self.socket.disconnect().await;
            return Err(Refused.into());
        }
        if let Err(failure) = self.keys.flush_before_send().await {
            self.shell.feed_outcome(Outcome::KeysFailed(failure.to_string()));
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
