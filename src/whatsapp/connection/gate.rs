//! Sockets of one connection, and the gate on their way out.
//!
//! WhatsApp names the number in `<pair-success>`, and the link exists once the client
//! answered with `<pair-device-sign>` (`whatsapp-rust`, module `pair`). The library calls the
//! raw-node handler before it handles a stanza, so the machine holds the frames before the
//! answer is even built.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use paird_actors::connection::{Input, LibraryEvent, Outcome};
use thiserror::Error;
use whatsapp_rust::{
    anyhow,
    async_channel::Receiver,
    transport::{Transport, TransportEvent, TransportFactory},
};

use super::{
    super::{
        dialer::{Dialed, Dialer, Route},
        keys::LinkKeys,
    },
    Mail, Shell,
    presence::PresenceKeeper,
};

type Incoming = Receiver<TransportEvent>;

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
    presence: Arc<PresenceKeeper>,
    mail: Option<Mail>,
}

impl GatedDialer {
    pub(in crate::whatsapp) fn new(
        dialer: Arc<Dialer>,
        route: Arc<Route>,
        shell: Arc<Shell>,
        keys: Arc<dyn LinkKeys>,
        presence: Arc<PresenceKeeper>,
        mail: Option<Mail>,
    ) -> Self {
        Self { dialer, route, shell, keys, presence, mail }
    }
}

#[async_trait]
impl TransportFactory for GatedDialer {
    async fn create_transport(&self) -> Result<Dialed, anyhow::Error> {
        match self.dialer.dial(&self.route).await {
            Ok((socket, incoming)) => {
                let (shell, keys, presence) = (self.shell.clone(), self.keys.clone(), self.presence.clone());
                let mail = self.mail.clone();
                let incoming = self.listened_to(incoming);
                Ok((Arc::new(GatedSocket { socket, shell, keys, presence, mail }), incoming))
            }
            Err(reason) => {
                let failure = anyhow::anyhow!(reason.describe());
                self.shell.feed(Input::Event(LibraryEvent::DialFailed(reason)));
                Err(failure)
            }
        }
    }
}

impl GatedDialer {
    /// The same, and the machine hears that something came, before the library reads it.
    fn listened_to(&self, incoming: Incoming) -> Incoming {
        let (passed_on, listened_to) = whatsapp_rust::async_channel::bounded(1);
        let shell = Arc::clone(&self.shell);
        drop(self.shell.runtime.start(async move {
            while let Ok(event) = incoming.recv().await {
                if matches!(event, TransportEvent::DataReceived(_)) {
                    shell.feed(Input::Event(LibraryEvent::Frame));
                }
                if passed_on.send(event).await.is_err() {
                    break;
                }
            }
        }));
        listened_to
    }
}

struct GatedSocket {
    socket: Arc<dyn Transport>,
    shell: Arc<Shell>,
    keys: Arc<dyn LinkKeys>,
    presence: Arc<PresenceKeeper>,
    mail: Option<Mail>,
}

#[async_trait]
impl Transport for GatedSocket {
    /// Waits while frames are held, and until the keys that this one may rest on and the
    /// messages and receipts that it may acknowledge are durable. The library sends from one task, one write
    /// at a time, so nothing overtakes a held frame: a keepalive behind it waits too.
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        if !self.shell.may_pass().await {
            self.socket.disconnect().await;
            return Err(Refused.into());
        }
        if let Err(failure) = self.keys.flush_before_send().await {
            self.shell.feed_outcome(Outcome::StoreFailed(failure.to_string()));
            self.socket.disconnect().await;
            return Err(failure.into());
        }
        if let Some(mail) = &self.mail
            && let Err(failure) = mail.settle().await
        {
            self.socket.disconnect().await;
            return Err(failure.into());
        }
        self.presence.before_send(&self.shell).await;
        self.shell.feed(Input::Event(LibraryEvent::Frame));
        self.socket.send(data).await
    }

    /// Not gated: a held frame must not keep a connection from being closed.
    async fn disconnect(&self) {
        self.socket.disconnect().await;
    }
}
