//! Shares the daemon's one LISTEN connection among several readers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paird_actors::domain::AccountId;
use tokio::sync::Notify;

use crate::whatsapp::{BellGuard, Bells};

/// Where the database tells of messages to send: the payload is the account. `send_message` in
/// sql/migrations names it, too.
pub(crate) const OUTGOING_CHANNEL: &str = "paird_outgoing";

/// The channels of the LISTEN connection besides the command channel.
#[derive(Clone, Default)]
pub struct Subscriptions(Arc<Shared>);

#[derive(Default)]
struct Shared {
    of: Mutex<BTreeMap<String, Readers>>,
    changed: Notify,
}

/// Those of one channel.
#[derive(Default)]
struct Readers {
    of_all: Vec<Arc<Notify>>,
    /// By the payload that they wait for.
    of_one: HashMap<String, Vec<Arc<Notify>>>,
}

/// Lasts until it is dropped.
#[must_use = "dropped, it hears nothing"]
pub struct ChannelSubscription {
    shared: Arc<Shared>,
    channel: String,
    payload: Option<String>,
    wake: Arc<Notify>,
}

impl Subscriptions {
    /// `wake` is notified of each notification of the channel, and whenever some may have been
    /// missed: LISTEN begins later than this call. Read the rows on each wake-up, and also
    /// periodically: a notification is only a hint.
    pub fn subscribe(&self, channel: &str, wake: Arc<Notify>) -> ChannelSubscription {
        self.add(channel, None, wake)
    }

    /// The same for notifications with this payload. Nothing tells of those that were missed:
    /// there may be thousands of such readers, and somebody who looks for all of them at once.
    pub fn subscribe_to(&self, channel: &str, payload: &str, wake: Arc<Notify>) -> ChannelSubscription {
        self.add(channel, Some(payload.to_owned()), wake)
    }

    fn add(&self, channel: &str, payload: Option<String>, wake: Arc<Notify>) -> ChannelSubscription {
        let mut of = self.lock();
        let is_new = !of.contains_key(channel);
        of.entry(channel.to_owned()).or_default().of(payload.as_deref()).push(Arc::clone(&wake));
        if is_new {
            self.0.changed.notify_one();
        }
        ChannelSubscription { shared: Arc::clone(&self.0), channel: channel.to_owned(), payload, wake }
    }

    pub(super) fn channels(&self) -> BTreeSet<String> {
        self.lock().keys().cloned().collect()
    }

    /// A notification came.
    pub(super) fn notify(&self, channel: &str, payload: &str) {
        if let Some(readers) = self.lock().get(channel) {
            let of_one = readers.of_one.get(payload).into_iter().flatten();
            readers.of_all.iter().chain(of_one).for_each(|wake| wake.notify_one());
        }
    }

    /// Notifications of this channel may have been missed.
    pub(super) fn missed(&self, channel: &str) {
        if let Some(readers) = self.lock().get(channel) {
            readers.of_all.iter().for_each(|wake| wake.notify_one());
        }
    }

    /// Keeps the daemon listening for messages to send, so that none is missed while no account
    /// is connected yet.
    pub fn listen_to_bells(&self) -> ChannelSubscription {
        self.subscribe_to(OUTGOING_CHANNEL, "", Arc::default())
    }

    /// As if the database had told of this account.
    pub fn ring(&self, account: AccountId) {
        self.notify(OUTGOING_CHANNEL, &account.0.to_string());
    }

    /// Returns after the next subscription to a new channel.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Readers>> {
        self.0.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bells for Subscriptions {
    fn subscribe(&self, account: AccountId, bell: Arc<Notify>) -> BellGuard {
        Box::new(self.subscribe_to(OUTGOING_CHANNEL, &account.0.to_string(), bell))
    }
}

impl Readers {
    fn of(&mut self, payload: Option<&str>) -> &mut Vec<Arc<Notify>> {
        match payload {
            None => &mut self.of_all,
            Some(payload) => self.of_one.entry(payload.to_owned()).or_default(),
        }
    }
}

impl Drop for ChannelSubscription {
    fn drop(&mut self) {
        let mut of = self.shared.of.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(readers) = of.get_mut(&self.channel) else { return };
        let wakes = readers.of(self.payload.as_deref());
        if let Some(at) = wakes.iter().position(|wake| Arc::ptr_eq(wake, &self.wake)) {
            wakes.swap_remove(at);
        }
        if let (true, Some(payload)) = (wakes.is_empty(), &self.payload) {
            readers.of_one.remove(payload);
        }
        if readers.of_all.is_empty() && readers.of_one.is_empty() {
            of.remove(&self.channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_subscriber_hears_its_own_channel_while_it_lasts() {
        let subscriptions = Subscriptions::default();
        let wake = Arc::new(Notify::new());
        let subscription = subscriptions.subscribe("events", Arc::clone(&wake));
        assert_eq!(subscriptions.channels(), BTreeSet::from(["events".to_owned()]));
        subscriptions.notify("commands", "");
        let hears = async || tokio::time::timeout(Duration::from_millis(20), wake.notified()).await.is_ok();
        assert!(!hears().await);
        subscriptions.notify("events", "");
        assert!(hears().await);
        drop(subscription);
        subscriptions.notify("events", "");
        assert!(!hears().await && subscriptions.channels().is_empty());
    }

    #[tokio::test]
    async fn a_bell_rings_for_its_account_alone_while_it_lasts() {
        let subscriptions = Subscriptions::default();
        let (account, bell) = (AccountId(uuid::Uuid::from_u128(1)), Arc::new(Notify::new()));
        let guard = Bells::subscribe(&subscriptions, account, Arc::clone(&bell));
        let hears = async || tokio::time::timeout(Duration::from_millis(20), bell.notified()).await.is_ok();
        subscriptions.ring(AccountId(uuid::Uuid::from_u128(2)));
        subscriptions.missed(OUTGOING_CHANNEL);
        assert!(!hears().await);
        subscriptions.ring(account);
        assert!(hears().await);
        drop(guard);
        subscriptions.ring(account);
        assert!(!hears().await && subscriptions.channels().is_empty());
    }
}
