//! Keeps a connection from making its account look online.
//!
//! The library sends `<presence type="available">` by itself and has no switch for that: after
//! each login, as soon as it knows the account's name, and whenever the name changes. From then
//! on WhatsApp holds back the phone's notifications, and counts messages as delivered. It does
//! not send it while it has no name (its `set_available`). So it is made to forget the name
//! before each of these moments, and `unavailable` is sent instead:
//!
//! - after the login it looks for the name twice: to see whether it must ask for the first
//!   app state, and, once WhatsApp has answered that the connection is an active one, to say
//!   that it is available. In between it asks to be an active one ([`PresenceKeeper::before_send`]);
//! - a name that arrives later reaches the event handler first ([`PresenceKeeper::renamed`]).

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use paird_actors::domain::Presence;
use wacore::store::commands::DeviceCommand;
use wacore_binary::{Node, builder::NodeBuilder};
use whatsapp_rust::{Client, NodeFilter, store::persistence_manager::PersistenceManager};

use super::Shell;

type Asking = Pin<Box<dyn Future<Output = Option<Arc<Node>>> + Send>>;

/// Controls the presence that one connection sends for its account.
pub(in crate::whatsapp) struct PresenceKeeper {
    presence: Presence,
    /// Set while the login on this socket has not asked to be an active connection yet.
    asking: Mutex<Option<Asking>>,
}

impl PresenceKeeper {
    pub(in crate::whatsapp) fn new(presence: Presence) -> Self {
        Self { presence, asking: Mutex::new(None) }
    }

    /// Before the library runs a socket.
    pub(super) fn watch(&self, client: &Client) {
        let asking = client.wait_for_sent_node(NodeFilter::tag("iq").attr("xmlns", "passive"));
        *self.lock() = Some(Box::pin(asking.map(Result::ok)));
    }

    /// Called before a frame is sent. If the frame requests an active connection, the name is
    /// forgotten before WhatsApp can answer.
    pub(super) async fn before_send(&self, shell: &Shell) {
        let Some(asked) = self.take_asked() else { return };
        let (Some(client), Some(id)) = (shell.client(), asked.attrs.get("id")) else { return };
        let answered = client.wait_for_node(NodeFilter::tag("iq").attr("id", id.as_str().into_owned()));
        let kept = client.persistence_manager();
        let name = kept.get_device_snapshot().push_name.clone();
        if self.presence == Presence::Silent {
            forget_name(&kept).await;
        }
        if name.is_empty() {
            return;
        }
        let (presence, client) = (self.presence, Arc::downgrade(&client));
        drop(shell.runtime.start(async move {
            if answered.await.is_ok()
                && let Some(client) = client.upgrade()
            {
                say(presence, &client, &name).await;
            }
        }));
    }

    /// The library has just heard that the person is called so; called inside its event
    /// handler. When this returns, a library that is to be silent has forgotten it.
    pub(super) fn renamed(&self, shell: &Shell, name: &str) {
        let Some(client) = shell.client() else { return };
        let kept = client.persistence_manager();
        // The lock is never held for long, but may be held now.
        if self.presence == Presence::Silent && forget_name(&kept).now_or_never().is_none() {
            let forgetting = forget_name(&kept);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(forgetting));
        }
        let (presence, name, client) = (self.presence, name.to_owned(), Arc::downgrade(&client));
        drop(shell.runtime.start(async move {
            let Some(client) = client.upgrade() else { return };
            if presence == Presence::Silent {
                remember_name(&client, &name).await;
            }
            say(presence, &client, &name).await;
        }));
    }

    fn take_asked(&self) -> Option<Arc<Node>> {
        let mut asking = self.lock();
        let asked = asking.as_mut()?.as_mut().now_or_never()?;
        *asking = None;
        asked
    }

    fn lock(&self) -> MutexGuard<'_, Option<Asking>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forget_name(kept: &PersistenceManager) {
    kept.process_command(DeviceCommand::SetPushName(String::new())).await;
}

/// For the next connection. Only the library must not know it: the store keeps the last name
/// when it is given none.
async fn remember_name(client: &Client, name: &str) {
    let kept = client.persistence_manager();
    let mut device = kept.get_device_snapshot().to_serializable();
    name.clone_into(&mut device.push_name);
    if let Err(failure) = kept.backend().save(&device).await {
        tracing::debug!(%failure, "the name of an account was not stored");
    }
}

/// Not called without a name: then the library never said `available`.
async fn say(presence: Presence, client: &Client, name: &str) {
    let said = match presence {
        Presence::Available => client.presence().set_available().await.map_err(|failure| failure.to_string()),
        // Not by the library, which knows no name.
        Presence::Silent => {
            let presence = NodeBuilder::new("presence").attr("type", "unavailable").attr("name", name);
            client.send_node(presence.build()).await.map_err(|failure| failure.to_string())
        }
    };
    if let Err(failure) = said {
        tracing::debug!(%failure, "failed to send the account's presence");
    }
}
