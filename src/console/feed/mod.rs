//! Reads the database for all live streams at once, while at least one is open.

mod changes;
mod cursor;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::web::Bytes;
use paird_actors::domain::{Failures, StoreError};
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::problem::{Problem, ProblemCode};
use crate::postgres::{
    pool::{Dsn, RETRY, own_connection},
    subscriptions::Subscriptions,
};
use changes::Changes;
pub use changes::{PAGE, event_frame};
pub use cursor::Cursor;

/// Frames that a stream may lag behind before it has to read the rest from the database.
const SLACK: usize = 1024;
/// Poll interval while an account is `pending`, because its phases have no events.
const POLL_WHILE_PENDING: Duration = Duration::from_millis(250);
/// Poll interval otherwise: labels, owners and what a web app writes have no events either.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// A connection that lasted this long ends the row of failures.
const STABLE_AFTER: Duration = Duration::from_secs(5);
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);

/// One message of the stream, as it is sent to every subscriber.
#[derive(Clone)]
pub struct Frame {
    /// `None` for an account's state, which may be sent again.
    pub cursor: Option<Cursor>,
    pub text: Bytes,
}

/// A new stream's input: a snapshot of the accounts, and every frame from then on.
pub struct Subscription {
    pub snapshot: Vec<Bytes>,
    /// Every event up to here comes before `frames`.
    pub cursor: Cursor,
    /// Upper bound (exclusive) of the transaction ids that were published so far.
    watermark: i64,
    pub frames: broadcast::Receiver<Frame>,
}

impl Subscription {
    /// Whether this database can have published the cursor.
    pub fn may_have_published(&self, cursor: Cursor) -> bool {
        cursor.xact < self.watermark
    }
}

/// Streams subscribe here.
#[derive(Clone)]
pub struct Feed {
    requests: mpsc::Sender<oneshot::Sender<Subscription>>,
    wake: Arc<Notify>,
    trouble: Arc<Mutex<String>>,
}

impl Feed {
    /// The database is not read before the first subscription.
    pub fn start(dsn: Dsn, notifications: Subscriptions, channel: &str, ending: CancellationToken) -> Self {
        let (sender, requests) = mpsc::channel(64);
        let wake = Arc::new(Notify::new());
        let trouble = Arc::<Mutex<String>>::default();
        let (channel, told) = (channel.to_owned(), Arc::clone(&trouble));
        let reader = Reader { dsn, notifications, channel, wake: Arc::clone(&wake), trouble: told, requests };
        tokio::spawn(ending.run_until_cancelled_owned(reader.run()));
        Self { requests: sender, wake, trouble }
    }

    /// Reads now: there may be a change that no event announces.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// # Errors
    /// 503: the database does not answer, or the daemon stops.
    pub async fn subscribe(&self) -> Result<Subscription, Problem> {
        let (reply, subscription) = oneshot::channel();
        let subscribed = tokio::time::timeout(JOIN_TIMEOUT, async {
            self.requests.send(reply).await.ok()?;
            subscription.await.ok()
        });
        subscribed.await.ok().flatten().ok_or_else(|| {
            let why = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            Problem::new(
                ProblemCode::DatabaseUnavailable,
                format!("the live stream waits for the database{why}: try again"),
            )
        })
    }
}

struct Reader {
    dsn: Dsn,
    notifications: Subscriptions,
    channel: String,
    wake: Arc<Notify>,
    /// Why the last try to read failed.
    trouble: Arc<Mutex<String>>,
    requests: mpsc::Receiver<oneshot::Sender<Subscription>>,
}

impl Reader {
    async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let (frames, _) = broadcast::channel(SLACK);
            let mut subscribers = Subscribers { frames, waiting: vec![first], changes: None };
            let mut failures = Failures::default();
            loop {
                let begun = Instant::now();
                let Err(why) = self.follow(&mut subscribers).await else { break };
                if begun.elapsed() > STABLE_AFTER {
                    failures.reset();
                }
                let wait = failures.next(RETRY, rand::random());
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why.to_string();
                warn!(%why, retry_in_ms = wait.as_millis(), "the live stream waits for the database");
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Serves until the connection fails; returns `Ok` when the last subscriber has left.
    async fn follow(&mut self, subscribers: &mut Subscribers) -> Result<(), StoreError> {
        let (client, _driver) = own_connection(&self.dsn).await?;
        let _subscription = self.notifications.subscribe(&self.channel, Arc::clone(&self.wake));
        if let Some(changes) = &mut subscribers.changes {
            // The connection before this one may have been lost days ago.
            for frame in changes.deleted(&client).await? {
                let _ = subscribers.frames.send(frame);
            }
        }
        loop {
            while let Ok(one) = self.requests.try_recv() {
                subscribers.waiting.push(one);
            }
            let changes = match &mut subscribers.changes {
                Some(changes) => {
                    for frame in changes.read(&client).await? {
                        // Fails only if there is no subscriber.
                        let _ = subscribers.frames.send(frame);
                    }
                    changes
                }
                none => none.insert(Changes::from_now(&client).await?),
            };
            for one in subscribers.waiting.drain(..) {
                // Fails only if the stream was closed meanwhile.
                let _ = one.send(Subscription {
                    snapshot: changes.snapshot(),
                    cursor: changes.cursor(),
                    watermark: changes.watermark(),
                    frames: subscribers.frames.subscribe(),
                });
            }
            if subscribers.frames.receiver_count() == 0 {
                return Ok(());
            }
            let pause = if changes.is_anybody_pending() { POLL_WHILE_PENDING } else { POLL_EVERY };
            tokio::select! {
                () = self.wake.notified() => {}
                one = self.requests.recv() => match one {
                    Some(one) => subscribers.waiting.push(one),
                    None => return Ok(()),
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// The open streams, those that wait to be opened, and what was published to them.
struct Subscribers {
    frames: broadcast::Sender<Frame>,
    waiting: Vec<oneshot::Sender<Subscription>>,
    changes: Option<Changes>,
}
