//! Rings for messages whose own bell was not heard, and ends what is over by the clock.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::{
    postgres::{listener::ListenMode, subscriptions::Subscriptions},
    whatsapp::OutgoingStore,
};

/// A bell is only a hint: messages are looked for at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks until the handle is dropped.
pub(super) fn look_for_messages(
    store: Arc<dyn OutgoingStore>,
    bells: Subscriptions,
    mut mode: watch::Receiver<ListenMode>,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let _listening = bells.listen_to_bells();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                // Those that rang meanwhile were not heard.
                changed = mode.changed() => match changed {
                    Ok(()) => {}
                    Err(_) => return,
                },
            }
            if let Err(failure) = store.sweep().await {
                debug!(%failure, "messages are not swept yet");
            }
            match store.ringing().await {
                Ok(accounts) => accounts.into_iter().for_each(|account| bells.ring(account)),
                Err(failure) => debug!(%failure, "messages are not looked for yet"),
            }
        }
    }))
}
