//! Shares the daemon's one LISTEN connection among several readers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The channels of the LISTEN connection besides the command channel.
#[derive(Clone, Default)]
pub struct Subscriptions(Arc<Shared>);

#[derive(Default)]
struct Shared {
    of: Mutex<Vec<Subscribed>>,
    changed: Notify,
}

struct Subscribed {
    channel: String,
    wake: Arc<Notify>,
}

/// Lasts until it is dropped.
#[must_use = "dropped, it hears nothing"]
pub struct ChannelSubscription {
    shared: Arc<Shared>,
    wake: Arc<Notify>,
}

impl Subscriptions {
    /// `wake` is notified of each notification of the channel, and whenever some may have been
    /// missed: LISTEN begins later than this call. Read the rows on each wake-up, and also
    /// periodically: a notification is only a hint.
    pub fn subscribe(&self, channel: &str, wake: Arc<Notify>) -> ChannelSubscription {
        self.lock().push(Subscribed { channel: channel.to_owned(), wake: Arc::clone(&wake) });
        self.0.changed.notify_one();
        ChannelSubscription { shared: Arc::clone(&self.0), wake }
    }

    pub(super) fn channels(&self) -> BTreeSet<String> {
        self.lock().iter().map(|subscribed| subscribed.channel.clone()).collect()
    }

    pub(super) fn notify(&self, channel: &str) {
        self.lock().iter().filter(|subscribed| subscribed.channel == channel).for_each(|one| one.wake.notify_one());
    }

    /// Returns after the next subscription.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Subscribed>> {
        self.0.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ChannelSubscription {
    fn drop(&mut self) {
        let mut of = self.shared.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = of.iter().position(|one| Arc::ptr_eq(&one.wake, &self.wake)) {
            of.swap_remove(at);
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
        subscriptions.notify("commands");
        let hears = async || tokio::time::timeout(Duration::from_millis(20), wake.notified()).await.is_ok();
        assert!(!hears().await);
        subscriptions.notify("events");
        assert!(hears().await);
        drop(subscription);
        subscriptions.notify("events");
        assert!(!hears().await && subscriptions.channels().is_empty());
    }
}
