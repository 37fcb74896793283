//! The daemon's one LISTEN connection: for the command channel and all other subscriptions. A
//! notification only wakes its reader, which then reads the rows; those alone are the truth.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::domain::{Failures, StoreError};
use paird_sql::queries::connections::{check_listening, listen_to_channel, ring_pulse};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{AsyncMessage, Client, Notification};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::notify_lane::{LaneTotals, NotifyCommands, NotifyLane};
use super::pool::{DrivenConnection, Dsn, MAX_AGE, RETRY, bounded, connection};
use super::subscriptions::Subscriptions;

const PING_EVERY: Duration = Duration::from_secs(5);
/// A frozen server is detected only by an unanswered ping.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
const POLL_WHILE_LISTENING: Duration = Duration::from_secs(15);
const POLL_WITHOUT_LISTEN: Duration = Duration::from_secs(2);
/// Between two checks whether a test notification has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Between two resyncs. Any login that can connect may request one, at any rate.
const RESYNC_EVERY: Duration = Duration::from_millis(250);

/// Sent by daemons on each other's command channels: accounts or daemons came or went. Cannot
/// be mistaken for a command, which is a JSON object.
pub const RESYNC: &str = "resync";

/// The way in which the listener learns of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenMode {
    /// By LISTEN, with polling behind it.
    Listening,
    /// By polling alone: not connected, or behind a proxy that does not pass LISTEN.
    Polling,
}

/// The listener of one daemon. Reconnects without limit.
pub struct Listener {
    wake: Arc<Notify>,
    resync: Arc<Notify>,
    mode: watch::Receiver<ListenMode>,
    subscriptions: Subscriptions,
    ending: CancellationToken,
    lane_totals: LaneTotals,
}

impl Listener {
    /// Listens in the background. The first wake comes at once.
    pub fn start(dsn: Dsn, pool: Pool, channel: &str, commands: NotifyCommands) -> Self {
        Self::start_with(dsn, pool, channel, commands, MAX_AGE)
    }

    /// The same, with connections that are replaced after `max_age`.
    pub fn start_with(dsn: Dsn, pool: Pool, channel: &str, commands: NotifyCommands, max_age: Duration) -> Self {
        let (wake, resync) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let ending = CancellationToken::new();
        let (tell, mode) = watch::channel(ListenMode::Polling);
        let lane = NotifyLane::new(commands);
        let lane_totals = lane.totals();
        let subscriptions = Subscriptions::default();
        let router = NotificationRouter {
            channel: channel.to_owned(),
            wake: Arc::clone(&wake),
            resync: Arc::new(Notify::new()),
            lane: lane.clone(),
            subscriptions: subscriptions.clone(),
            heard: Arc::default(),
            pulse: format!("paird_pulse_{}", Uuid::new_v4().simple()),
            pulses: Arc::default(),
        };
        let paced = pace(Arc::clone(&router.resync), Arc::clone(&resync));
        let checked = dsn.listens_elsewhere().then(|| pool.clone());
        let task = ListenTask { dsn, router, mode: tell, pool: checked, max_age };
        tokio::spawn(ending.clone().run_until_cancelled_owned(paced));
        tokio::spawn(ending.clone().run_until_cancelled_owned(task.listen_for_ever()));
        tokio::spawn(ending.clone().run_until_cancelled_owned(poll(Arc::clone(&wake), mode.clone())));
        tokio::spawn(ending.clone().run_until_cancelled_owned(lane.run(pool, Arc::clone(&wake))));
        wake.notify_one();
        Self { wake, resync, mode, subscriptions, ending, lane_totals }
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

    /// Lends the connection to others.
    pub fn subscriptions(&self) -> Subscriptions {
        self.subscriptions.clone()
    }

    /// The outcomes of the notifications that were meant as commands.
    pub fn lane_totals(&self) -> LaneTotals {
        self.lane_totals.clone()
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

/// Routes a notification to its reader. Never blocks, and its memory is bounded.
#[derive(Clone)]
struct NotificationRouter {
    channel: String,
    wake: Arc<Notify>,
    resync: Arc<Notify>,
    lane: NotifyLane,
    subscriptions: Subscriptions,
    /// Notifications so far, of any channel.
    heard: Arc<AtomicU64>,
    /// A channel of this daemon alone, and the number of notifications there.
    pulse: String,
    pulses: Arc<AtomicU64>,
}

impl NotificationRouter {
    fn route(&self, notification: &Notification, counted: &CountedCommands) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        self.subscriptions.notify(notification.channel(), notification.payload());
        if notification.channel() == self.pulse {
            self.pulses.fetch_add(1, Ordering::Relaxed);
            counted.on_mark();
        }
        if notification.channel() != self.channel {
            return;
        }
        match notification.payload() {
            "" => self.wake.notify_one(),
            RESYNC => self.resync.notify_one(),
            payload if counted.count() => self.lane.hear(notification.process_id(), payload),
            _ => {}
        }
    }
}

/// Which bare NOTIFYs of a connection count. While a new connection takes over from an old one both
/// hear the same, and each must count once: the lane takes an equal one for another command. All
/// hear notifications in the same order, so those before a mark are the old one's, those after it
/// the new one's.
struct CountedCommands(Mutex<Counted>, Notify);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    All,
    UntilMark,
    AfterMark,
    None,
}

impl CountedCommands {
    fn new(counted: Counted) -> Self {
        Self(Mutex::new(counted), Notify::new())
    }

    fn count(&self) -> bool {
        matches!(*self.lock(), Counted::All | Counted::UntilMark)
    }

    fn until_mark(&self) {
        *self.lock() = Counted::UntilMark;
    }

    fn on_mark(&self) {
        let mut counted = self.lock();
        *counted = match *counted {
            Counted::UntilMark | Counted::None => Counted::None,
            Counted::AfterMark | Counted::All => Counted::All,
        };
        self.1.notify_one();
    }

    /// Waits for the mark.
    async fn marked(&self) {
        while matches!(*self.lock(), Counted::UntilMark | Counted::AfterMark) {
            self.1.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that listens.
struct ListenSession {
    client: Client,
    driver: AbortOnDropHandle<()>,
    counted: Arc<CountedCommands>,
    /// Its channels besides those of every listener.
    channels: BTreeSet<String>,
    since: Instant,
}

struct ListenTask {
    dsn: Dsn,
    router: NotificationRouter,
    mode: watch::Sender<ListenMode>,
    /// Set if this connection has a connection string of its own, which may be wrong.
    pool: Option<Pool>,
    max_age: Duration,
}

/// Whether notifications arrive on the LISTEN connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListenHealth {
    Works,
    /// LISTEN has no effect.
    NoListen,
    /// Notifications that the pool sends do not arrive.
    OtherDatabase,
}

impl ListenTask {
    async fn listen_for_ever(self) {
        let mut failures = Failures::default();
        loop {
            let started = Instant::now();
            let Err(why) = self.listen().await;
            self.mode.send_replace(ListenMode::Polling);
            if started.elapsed() > PING_EVERY {
                failures.reset();
            }
            let wait = failures.next(RETRY, rand::random());
            warn!(%why, retry_in_ms = wait.as_millis(), "not listening for commands");
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection after the other, without a gap, until one ends.
    async fn listen(&self) -> Result<std::convert::Infallible, StoreError> {
        let mut session = self.open(Counted::All).await?;
        // Anything sent before LISTEN is in the rows.
        self.router.wake.notify_one();
        let mut known = None;
        loop {
            let ListenSession { client, driver, channels, since, .. } = &mut session;
            tokio::select! {
                _ = driver => return Err(StoreError::Unavailable("database: the connection ended".to_owned())),
                aged = self.keep_listening(client, channels, *since, &mut known) => aged?,
            }
            session = self.replace(session).await?;
        }
    }

    async fn open(&self, counted: Counted) -> Result<ListenSession, StoreError> {
        let (client, connection) = self.dsn.connect().await?;
        let counted = Arc::new(CountedCommands::new(counted));
        let driving = drive(connection, self.router.clone(), Arc::clone(&counted));
        let driver = AbortOnDropHandle::new(tokio::spawn(driving));
        for channel in [&self.router.channel, &self.router.pulse] {
            self.answered(bounded(listen_to_channel().bind(&client, channel).one())).await?;
        }
        Ok(ListenSession { client, driver, counted, channels: BTreeSet::new(), since: Instant::now() })
    }

    /// A connection that is as old as connections may be gives way to a new one, since the name of
    /// the server may mean another one by now. Both listen for a moment, so that nothing is missed.
    async fn replace(&self, old: ListenSession) -> Result<ListenSession, StoreError> {
        let mut new = self.open(Counted::AfterMark).await?;
        self.listen_to_subscriptions(&new.client, &mut new.channels).await?;
        old.counted.until_mark();
        // Also if the queue is full, or the new connection is at another server: as after a cut.
        if self.answered(bounded(ring_pulse().bind(&new.client, &self.router.pulse).one())).await? != Some(true) {
            return Err(StoreError::Unavailable("database: the queue of notifications is full".to_owned()));
        }
        let marked = async { tokio::join!(old.counted.marked(), new.counted.marked()) };
        self.answered(async { Ok(marked.await) }).await?;
        debug!("replaced the connection that listens");
        Ok(new)
    }

    async fn listen_to_subscriptions(
        &self,
        client: &Client,
        listened: &mut BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let subscriptions = &self.router.subscriptions;
        for channel in subscriptions.channels() {
            if !listened.contains(&channel) {
                self.answered(bounded(listen_to_channel().bind(client, &channel).one())).await?;
                subscriptions.missed(&channel);
                listened.insert(channel);
            }
        }
        Ok(())
    }

    /// Returns when the connection is too old.
    async fn keep_listening(
        &self,
        client: &Client,
        listened: &mut BTreeSet<String>,
        since: Instant,
        known: &mut Option<ListenHealth>,
    ) -> Result<(), StoreError> {
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.listen_to_subscriptions(client, listened).await?;
            tokio::select! {
                () = self.router.subscriptions.changed() => {}
                () = tokio::time::sleep_until(since + self.max_age) => return Ok(()),
                _ = ping.tick() => {
                    let health = self.check(client).await?;
                    if known.replace(health) != Some(health) {
                        self.report(health);
                    }
                }
            }
        }
    }

    /// Waits for an answer as long as the server sends anything: in a flood of notifications the
    /// answer comes after them, and reconnecting would lose the rest.
    async fn answered<T>(&self, statement: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut statement = pin!(statement);
        loop {
            let heard = self.router.heard.load(Ordering::Relaxed);
            match tokio::time::timeout(ANSWER_TIMEOUT, &mut statement).await {
                Ok(done) => return done,
                Err(_) if self.router.heard.load(Ordering::Relaxed) != heard => {}
                Err(_) => return Err(StoreError::Unavailable("database: no answer to a ping".to_owned())),
            }
        }
    }

    async fn check(&self, client: &Client) -> Result<ListenHealth, StoreError> {
        let listening = self.answered(bounded(check_listening().bind(client, &self.router.channel).one())).await?;
        Ok(if !listening {
            ListenHealth::NoListen
        } else if self.hears_the_pool().await {
            ListenHealth::Works
        } else {
            ListenHealth::OtherDatabase
        })
    }

    /// Sends a notification through the pool, and waits for it while any others arrive.
    async fn hears_the_pool(&self) -> bool {
        let Some(pool) = &self.pool else { return true };
        let NotificationRouter { pulses, heard, pulse, .. } = &self.router;
        let before = pulses.load(Ordering::Relaxed);
        let ring = async { bounded(ring_pulse().bind(&connection(pool).await?, pulse).one()).await };
        // Without a notification there is nothing to conclude.
        let Ok(Some(true)) = ring.await else { return true };
        let mut last = (heard.load(Ordering::Relaxed), Instant::now() + ANSWER_TIMEOUT);
        while pulses.load(Ordering::Relaxed) == before {
            let so_far = heard.load(Ordering::Relaxed);
            if so_far != last.0 {
                last = (so_far, Instant::now() + ANSWER_TIMEOUT);
            }
            if Instant::now() >= last.1 {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    fn report(&self, health: ListenHealth) {
        let mode = if health == ListenHealth::Works { ListenMode::Listening } else { ListenMode::Polling };
        self.mode.send_replace(mode);
        match health {
            ListenHealth::Works => info!(channel = %self.router.channel, "listening for commands"),
            ListenHealth::NoListen => warn!("cannot LISTEN here (a pooling proxy?): polling for commands"),
            ListenHealth::OtherDatabase => warn!(
                "PAIRD_LISTEN_URL is another database than DATABASE_URL: its notifications do not arrive; polling for \
                 commands"
            ),
        }
    }
}

async fn drive(mut connection: DrivenConnection, router: NotificationRouter, counted: Arc<CountedCommands>) {
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => router.route(&notification, &counted),
            Some(Ok(_)) => {}
            // A database in another encoding than UTF-8 passes any bytes on.
            Some(Err(wrong)) if is_no_text(&wrong) => warn!("ignored a notification that is not valid UTF-8"),
            Some(Err(_)) | None => return,
        }
    }
}

fn is_no_text(wrong: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(wrong).and_then(|source| source.downcast_ref::<std::io::Error>());
    source.and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<std::str::Utf8Error>())
}

/// Passes rings on, the first at once, then never more often than `RESYNC_EVERY`.
async fn pace(rings: Arc<Notify>, passed_on: Arc<Notify>) {
    loop {
        rings.notified().await;
        passed_on.notify_one();
        tokio::time::sleep(RESYNC_EVERY).await;
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
