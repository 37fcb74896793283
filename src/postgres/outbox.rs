//! From `events` to the event channel: after the commit, in order, at least once.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::domain::{Failures, StoreError};
use paird_sql::queries::events::notify_events;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::pool::{RETRY, bounded, connection};

/// A NOTIFY takes a database-wide lock during its commit, so events within this time share one
/// commit.
const COALESCE: Duration = Duration::from_millis(3);
/// For events whose wake-up was lost with a former owner.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// As many as the statement sends at once.
const FULL_BATCH: i64 = 500;

/// `PAIRD_EVENT_PAYLOAD`: the contents of an event's notification, which every login that can
/// connect to the database can receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventPayload {
    /// All of the event.
    Full,
    /// Its kind and where its row is.
    Wake,
}

/// Wakes the outbox after a commit.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Notify>);

impl Waker {
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// The one sender of a daemon.
pub struct Outbox {
    waker: Waker,
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Outbox {
    /// Sends what is unsent, and from then on at every wake-up.
    pub fn start(pool: Pool, process: Uuid, channel: &str, payload: EventPayload) -> Self {
        let waker = Waker::default();
        let ending = CancellationToken::new();
        let sender = Sender { pool, process, channel: channel.to_owned(), payload };
        waker.wake();
        let task = tokio::spawn(sender.run(waker.clone(), ending.clone()));
        Self { waker, ending, task }
    }

    /// A handle to wake the outbox after writing events.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Sends what is unsent, if the database lets it, and ends.
    pub async fn stop(self) {
        self.ending.cancel();
        let _ = self.task.await;
    }
}

struct Sender {
    pool: Pool,
    process: Uuid,
    channel: String,
    payload: EventPayload,
}

impl Sender {
    async fn run(self, waker: Waker, ending: CancellationToken) {
        let mut failures = Failures::default();
        let mut retry = None;
        loop {
            tokio::select! {
                () = ending.cancelled() => break,
                () = waker.0.notified(), if retry.is_none() => tokio::time::sleep(COALESCE).await,
                () = tokio::time::sleep(retry.unwrap_or(POLL_EVERY)) => {}
            }
            retry = match self.send_all().await {
                Ok(()) => {
                    failures.reset();
                    None
                }
                Err(why) => {
                    warn!(%why, "events wait for the database");
                    Some(failures.next(RETRY, rand::random()))
                }
            };
        }
        if let Err(why) = self.send_all().await {
            warn!(%why, "unsent events are left for the next daemon");
        }
    }

    async fn send_all(&self) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        let is_full = self.payload == EventPayload::Full;
        loop {
            let batch = bounded(notify_events().bind(&client, &self.process, &self.channel, &is_full).one()).await?;
            if batch.sent < FULL_BATCH {
                return Ok(());
            }
        }
    }
}
