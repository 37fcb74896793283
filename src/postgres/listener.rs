//! LISTENs on the command channel. A notification only wakes the reader: the rows are the
//! truth, and it reads all of them.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::{clock, domain, domain::StoreError};
use paird_sql::client::Params;
use paird_sql::queries::commands::{StoreNotifiedCommandParams, store_notified_command};
use paird_sql::queries::connections::{check_listening, listen_to_channel};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{AsyncMessage, Client, Notification};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::notify_command::NotifiedCommand;
use super::pool::{DrivenConnection, Dsn, bounded, connection};

const PING_EVERY: Duration = Duration::from_secs(5);
/// A frozen server answers no ping, and nothing else tells of it.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
const POLL_WHILE_LISTENING: Duration = Duration::from_secs(15);
const POLL_WITHOUT_LISTEN: Duration = Duration::from_secs(2);
/// Two equal notifications of one sender within this are counted; see `store_notified_command`.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

/// What daemons tell each other on their command channels: accounts or daemons came or
/// went. A command is a JSON object, so it is none.
pub const RESYNC: &str = "resync";

/// How the listener learns of commands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenMode {
    /// By LISTEN, with polling behind it.
    Listening,
    /// By polling alone: not connected, or behind a proxy that does not pass LISTEN.
    Polling,
}

/// The listener of one daemon: connects again for ever.
pub struct Listener {
    wake: Arc<Notify>,
    resync: Arc<Notify>,
    mode: watch::Receiver<ListenMode>,
    ending: CancellationToken,
}

impl Listener {
    /// Listens in the background. The first wake comes at once.
    pub fn start(dsn: Dsn, pool: Pool, channel: &str) -> Self {
        let (wake, resync) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let ending = CancellationToken::new();
        let (tell, mode) = watch::channel(ListenMode::Polling);
        let (raw, heard) = mpsc::unbounded_channel();
        let task = ListenTask {
            dsn,
            channel: channel.to_owned(),
            wake: Arc::clone(&wake),
            resync: Arc::clone(&resync),
            mode: tell,
            raw,
        };
        tokio::spawn(ending.clone().run_until_cancelled_owned(task.listen_for_ever()));
        tokio::spawn(ending.clone().run_until_cancelled_owned(poll(Arc::clone(&wake), mode.clone())));
        tokio::spawn(ending.clone().run_until_cancelled_owned(store_notified(pool, heard, Arc::clone(&wake))));
        wake.notify_one();
        Self { wake, resync, mode, ending }
    }

    /// Holds one permit while there may be something to read; any number of rings while
    /// the reader is busy is one more wake.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// The same for another daemon's word that accounts or daemons came or went.
    pub fn resync(&self) -> Arc<Notify> {
        Arc::clone(&self.resync)
    }

    pub fn mode(&self) -> watch::Receiver<ListenMode> {
        self.mode.clone()
    }

    pub fn stop(self) {
        self.ending.cancel();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

/// A notification with a payload.
struct Heard {
    sender: i32,
    payload: String,
    at: Instant,
}

struct ListenTask {
    dsn: Dsn,
    channel: String,
    wake: Arc<Notify>,
    resync: Arc<Notify>,
    mode: watch::Sender<ListenMode>,
    raw: mpsc::UnboundedSender<Heard>,
}

impl ListenTask {
    async fn listen_for_ever(self) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            let started = Instant::now();
            let Err(why) = self.listen().await;
            self.mode.send_replace(ListenMode::Polling);
            if started.elapsed() > PING_EVERY {
                backoff.reset();
            }
            let wait = backoff.next();
            warn!(%why, retry_in_ms = wait.as_millis(), "not listening for commands");
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection's life.
    async fn listen(&self) -> Result<std::convert::Infallible, StoreError> {
        let (client, connection) = self.dsn.connect().await?;
        let (forward, mut notifications) = mpsc::unbounded_channel();
        // Ends with the connection, or when `notifications` is dropped and the next one comes.
        let driver = AbortOnDropHandle::new(tokio::spawn(drive(connection, forward)));
        answered(bounded(listen_to_channel().bind(&client, &self.channel).one())).await?;
        // Whatever came before LISTEN is in the rows.
        self.wake.notify_one();
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = notifications.recv() => match heard {
                    Some(notification) => self.take(&notification),
                    None => break,
                },
                _ = ping.tick() => self.check(&client).await?,
            }
        }
        drop(driver);
        Err(StoreError::Unavailable("database: the connection ended".to_owned()))
    }

    fn take(&self, notification: &Notification) {
        if notification.channel() != self.channel {
            return;
        }
        if notification.payload().is_empty() {
            self.wake.notify_one();
            return;
        }
        if notification.payload() == RESYNC {
            self.resync.notify_one();
            return;
        }
        let payload = notification.payload().to_owned();
        // The receiver lives as long as this task.
        let _ = self.raw.send(Heard { sender: notification.process_id(), payload, at: Instant::now() });
    }

    async fn check(&self, client: &Client) -> Result<(), StoreError> {
        let listening = answered(bounded(check_listening().bind(client, &self.channel).one())).await?;
        let mode = if listening { ListenMode::Listening } else { ListenMode::Polling };
        if self.mode.send_replace(mode) != mode {
            match mode {
                ListenMode::Listening => info!(channel = %self.channel, "listening for commands"),
                ListenMode::Polling => warn!("cannot LISTEN here (a pooling proxy?): polling for commands"),
            }
        }
        Ok(())
    }
}

async fn drive(mut connection: DrivenConnection, forward: mpsc::UnboundedSender<Notification>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message
            && forward.send(notification).is_err()
        {
            return;
        }
    }
}

async fn poll(wake: Arc<Notify>, mut mode: watch::Receiver<ListenMode>) {
    loop {
        let every = match *mode.borrow_and_update() {
            ListenMode::Listening => POLL_WHILE_LISTENING,
            ListenMode::Polling => POLL_WITHOUT_LISTEN,
        };
        match tokio::time::timeout(every, mode.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => wake.notify_one(),
        }
    }
}

/// Stores what came with a payload: it exists nowhere else, so it is tried until it is stored.
async fn store_notified(pool: Pool, mut heard: mpsc::UnboundedReceiver<Heard>, wake: Arc<Notify>) {
    let mut counted: HashMap<(i32, String), VecDeque<Instant>> = HashMap::new();
    while let Some(notification) = heard.recv().await {
        let nth = count(&mut counted, &notification);
        let command = NotifiedCommand::read(&notification.payload);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while let Err(why) = store_one(&pool, &notification, nth, &command).await {
            warn!(%why, "a notified command waits for the database");
            tokio::time::sleep(backoff.next()).await;
        }
        wake.notify_one();
    }
}

/// How often this was heard lately, this time included.
fn count(counted: &mut HashMap<(i32, String), VecDeque<Instant>>, heard: &Heard) -> i32 {
    counted.retain(|_, times| {
        times.retain(|at| heard.at.duration_since(*at) <= COUNTED_WITHIN);
        !times.is_empty()
    });
    let times = counted.entry((heard.sender, heard.payload.clone())).or_default();
    times.push_back(heard.at);
    i32::try_from(times.len()).unwrap_or(i32::MAX)
}

async fn store_one(pool: &Pool, heard: &Heard, nth: i32, command: &NotifiedCommand) -> Result<(), StoreError> {
    let client = connection(pool).await?;
    let ago = i64::try_from(heard.at.elapsed().as_millis()).unwrap_or(i64::MAX);
    let heard_at = domain::Instant(clock::now().0.saturating_sub(ago)).to_utc().fixed_offset();
    let row = StoreNotifiedCommandParams {
        sender: heard.sender,
        payload: heard.payload.as_str(),
        nth,
        heard_at,
        counted_secs: COUNTED_WITHIN.as_secs_f64(),
        kind: command.kind.as_str(),
        account: command.account,
        args: &command.args,
        dedupe_key: command.dedupe_key.as_deref(),
        failure: command.failure.as_deref(),
    };
    bounded(store_notified_command().params(&client, &row).one()).await?;
    Ok(())
}

async fn answered<T>(statement: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_WITHIN, statement).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable("database: no answer to a ping".to_owned())),
    }
}
