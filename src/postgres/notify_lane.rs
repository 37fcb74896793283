//! The older way in: commands that come as a bare NOTIFY. Postgres has no rights on channels,
//! so any login that can connect to the database may send any number of them. The memory for
//! them is bounded, and a command counts only if its sender has the right to send commands.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::{
    clock, domain,
    domain::{Failures, StoreError},
};
use paird_sql::client::Params;
use paird_sql::queries::commands::{StoreNotifiedCommandParams, find_senders, store_notified_command};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tracing::warn;

use super::notify_command::NotifiedCommand;
use super::pool::{RETRY, bounded, connection};

/// Two equal notifications of one sender within this are counted; see `store_notified_command`.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);
/// Limits of the queue, for all senders and for one, so that one that floods the queue leaves
/// room for the others.
const MOST_BYTES: usize = 16 << 20;
const MOST_BYTES_OF_ONE: usize = 4 << 20;
/// Memory of an entry besides its payload, rounded up.
const ENTRY_BYTES: usize = 128;
/// Looked up by one statement.
const BATCH: usize = 1000;
/// Verified and not stored yet.
const MOST_VERIFIED: usize = 1000;
/// Between two log lines about dropped notifications.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// `PAIRD_NOTIFY_COMMANDS`: the senders whose bare NOTIFYs count as commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyCommands {
    /// Those of senders who may execute `send_command`, and are still connected when they
    /// are looked up.
    Verified,
    /// Those of any login that can connect to the database.
    Open,
    /// None.
    Off,
}

/// A notification with a payload.
struct Heard {
    sender: i32,
    /// Its login, once that was looked up.
    login: Option<String>,
    payload: String,
    at: Instant,
}

impl Heard {
    fn bytes(&self) -> usize {
        self.payload.len() + ENTRY_BYTES
    }
}

/// The outcome of a notification with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneOutcome {
    /// It is a row.
    Stored,
    /// The database refused it.
    Rejected,
    /// Its sender may not send commands.
    NotAllowed,
    SenderGone,
    /// The queue was full.
    Dropped,
    LaneOff,
}

impl LaneOutcome {
    pub const ALL: [Self; 6] =
        [Self::Stored, Self::Rejected, Self::NotAllowed, Self::SenderGone, Self::Dropped, Self::LaneOff];

    pub fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Rejected => "rejected",
            Self::NotAllowed => "not_allowed",
            Self::SenderGone => "sender_gone",
            Self::Dropped => "dropped",
            Self::LaneOff => "lane_off",
        }
    }
}

/// How many came to what, since the start.
#[derive(Clone, Default)]
pub struct LaneTotals(Arc<[AtomicU64; LaneOutcome::ALL.len()]>);

impl LaneTotals {
    fn count(&self, outcome: LaneOutcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn of(&self, outcome: LaneOutcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }
}

/// The listener's end of the lane.
#[derive(Clone)]
pub(super) struct NotifyLane {
    mode: NotifyCommands,
    queue: Arc<Queue>,
}

impl NotifyLane {
    pub(super) fn new(mode: NotifyCommands) -> Self {
        Self { mode, queue: Arc::default() }
    }

    /// Never blocks: a notification that finds the queue full is counted and dropped.
    pub(super) fn hear(&self, sender: i32, payload: &str) {
        let heard = Heard { sender, login: None, payload: payload.to_owned(), at: Instant::now() };
        match self.mode {
            NotifyCommands::Verified | NotifyCommands::Open => self.queue.push(heard),
            NotifyCommands::Off => self.queue.count(LaneOutcome::LaneOff),
        }
        self.queue.filled.notify_one();
    }

    /// Verifies and stores notifications, and notifies `wake` after each. Never returns.
    pub(super) async fn run(self, pool: Pool, wake: Arc<Notify>) {
        // Concurrent, so that storing commands cannot delay the lookup of a sender.
        let (verified, to_store) = mpsc::channel(MOST_VERIFIED);
        tokio::join!(self.verify(&pool, verified), store_all(&pool, to_store, &wake, &self.queue.totals));
    }

    pub(super) fn totals(&self) -> LaneTotals {
        self.queue.totals.clone()
    }

    async fn verify(&self, pool: &Pool, verified: mpsc::Sender<Heard>) {
        let mut senders = Senders::default();
        let mut told = None;
        loop {
            let batch = self.queue.take();
            if batch.is_empty() {
                // Logs the latest counts even if no notification follows.
                let _ = tokio::time::timeout(TELL_EVERY, self.queue.filled.notified()).await;
                self.tell(&mut told);
                continue;
            }
            if self.mode == NotifyCommands::Verified {
                senders.look_up(pool, &batch).await;
            }
            for mut heard in batch {
                let taken = match self.mode {
                    NotifyCommands::Open => true,
                    NotifyCommands::Verified => match senders.check(&heard) {
                        SenderCheck::May(login) => {
                            heard.login = Some(login);
                            true
                        }
                        SenderCheck::MayNot => {
                            self.queue.count(LaneOutcome::NotAllowed);
                            false
                        }
                        SenderCheck::Gone => {
                            self.queue.count(LaneOutcome::SenderGone);
                            false
                        }
                    },
                    NotifyCommands::Off => false,
                };
                if taken && verified.send(heard).await.is_err() {
                    return;
                }
            }
            self.tell(&mut told);
        }
    }

    /// Says what was not taken, not for each notification, and never its text.
    fn tell(&self, told: &mut Option<Instant>) {
        if told.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return;
        }
        let Untaken { refused, gone, dropped, off } = self.queue.counted();
        if refused + gone + dropped + off == 0 {
            return;
        }
        *told = Some(Instant::now());
        warn!(
            may_not_send_commands = refused,
            sender_gone = gone,
            too_many_at_once = dropped,
            lane_is_off = off,
            "notifications were not taken as commands; send commands with SELECT send_command(…), \
             or stay connected after NOTIFY until the command's row is there"
        );
    }
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    totals: LaneTotals,
}

#[derive(Default)]
struct Waiting {
    heard: VecDeque<Heard>,
    bytes: usize,
    bytes_of: HashMap<i32, usize>,
    untaken: Untaken,
}

/// Notifications that were not taken since the last log line, by reason.
#[derive(Default)]
struct Untaken {
    refused: u64,
    gone: u64,
    dropped: u64,
    off: u64,
}

impl Queue {
    fn push(&self, heard: Heard) {
        let mut waiting = self.lock();
        let of_sender = waiting.bytes_of.get(&heard.sender).copied().unwrap_or(0) + heard.bytes();
        if waiting.bytes + heard.bytes() > MOST_BYTES || of_sender > MOST_BYTES_OF_ONE {
            waiting.untaken.dropped += 1;
            self.totals.count(LaneOutcome::Dropped);
            return;
        }
        waiting.bytes += heard.bytes();
        waiting.bytes_of.insert(heard.sender, of_sender);
        waiting.heard.push_back(heard);
    }

    /// The oldest, a batch at most.
    fn take(&self) -> Vec<Heard> {
        let mut waiting = self.lock();
        let count = waiting.heard.len().min(BATCH);
        let batch: Vec<Heard> = waiting.heard.drain(..count).collect();
        for heard in &batch {
            waiting.bytes -= heard.bytes();
            if let Some(bytes) = waiting.bytes_of.get_mut(&heard.sender) {
                *bytes -= heard.bytes();
            }
        }
        if waiting.heard.is_empty() {
            // The room of a flood is given back.
            waiting.heard = VecDeque::new();
            waiting.bytes_of = HashMap::new();
        }
        batch
    }

    fn count(&self, outcome: LaneOutcome) {
        self.totals.count(outcome);
        let untaken = &mut self.lock().untaken;
        match outcome {
            LaneOutcome::NotAllowed => untaken.refused += 1,
            LaneOutcome::SenderGone => untaken.gone += 1,
            LaneOutcome::Dropped => untaken.dropped += 1,
            LaneOutcome::LaneOff => untaken.off += 1,
            // Logged where they happen.
            LaneOutcome::Stored | LaneOutcome::Rejected => {}
        }
    }

    fn counted(&self) -> Untaken {
        std::mem::take(&mut self.lock().untaken)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum SenderCheck {
    /// With its login.
    May(String),
    MayNot,
    /// Its session has ended, so its login is unknown.
    Gone,
}

/// The senders that were looked up.
#[derive(Default)]
struct Senders {
    /// When each was looked up, and its login if it may. That counts for what was heard until
    /// then: a process of the same number that comes later is another sender.
    known: HashMap<i32, (Instant, Option<String>)>,
}

impl Senders {
    /// Until the database has answered.
    async fn look_up(&mut self, pool: &Pool, batch: &[Heard]) {
        let wanted: HashSet<i32> = batch.iter().filter(|heard| !self.knows(heard)).map(|heard| heard.sender).collect();
        let wanted: Vec<i32> = wanted.into_iter().collect();
        if wanted.is_empty() {
            return;
        }
        let mut failures = Failures::default();
        // Read before the query: a session that it finds existed when the notification was heard.
        let at = Instant::now();
        let found = loop {
            match find(pool, &wanted).await {
                Ok(found) => break found,
                Err(why) if !is_passing(&why) => {
                    warn!(%why, "cannot look up who sent a notification");
                    break Vec::new();
                }
                Err(why) => {
                    warn!(%why, "cannot look up who sent a notification yet");
                    tokio::time::sleep(failures.next(RETRY, rand::random())).await;
                }
            }
        };
        self.known.retain(|_, (looked_up, _)| at.duration_since(*looked_up) < TELL_EVERY);
        for (sender, may) in found {
            self.known.insert(sender, (at, may));
        }
    }

    fn knows(&self, heard: &Heard) -> bool {
        self.known.get(&heard.sender).is_some_and(|(looked_up, _)| heard.at <= *looked_up)
    }

    fn check(&self, heard: &Heard) -> SenderCheck {
        match self.known.get(&heard.sender) {
            Some((looked_up, Some(login))) if heard.at <= *looked_up => SenderCheck::May(login.clone()),
            Some((looked_up, None)) if heard.at <= *looked_up => SenderCheck::MayNot,
            Some(_) | None => SenderCheck::Gone,
        }
    }
}

async fn find(pool: &Pool, senders: &[i32]) -> Result<Vec<(i32, Option<String>)>, StoreError> {
    let client = connection(pool).await?;
    let found = bounded(find_senders().bind(&client, &senders).all()).await?;
    let login = |may: Option<bool>, login: Option<String>| (may == Some(true)).then(|| login.unwrap_or_default());
    Ok(found.into_iter().map(|sender| (sender.pid, login(sender.may_send, sender.login))).collect())
}

/// Stores commands. They exist nowhere else, so each is retried until the database is back. One
/// that the database refuses is logged and dropped, so that it does not block the next.
async fn store_all(pool: &Pool, mut verified: mpsc::Receiver<Heard>, wake: &Notify, totals: &LaneTotals) {
    let mut recent = Recent::default();
    while let Some(heard) = verified.recv().await {
        let nth = recent.count(&heard);
        let command = NotifiedCommand::read(&heard.payload);
        let mut failures = Failures::default();
        loop {
            match store_one(pool, &heard, nth, &command).await {
                Ok(()) => {
                    totals.count(LaneOutcome::Stored);
                    break;
                }
                Err(why) if !is_passing(&why) => {
                    warn!(%why, "the database refuses a notified command; it is dropped");
                    totals.count(LaneOutcome::Rejected);
                    break;
                }
                Err(why) => {
                    warn!(%why, "a notified command waits for the database");
                    tokio::time::sleep(failures.next(RETRY, rand::random())).await;
                }
            }
        }
        wake.notify_one();
    }
}

/// Whether the same may succeed later.
fn is_passing(why: &StoreError) -> bool {
    match why {
        StoreError::Unavailable(_) => true,
        StoreError::Refused(_) | StoreError::Fenced | StoreError::Overtaken | StoreError::Poisoned(_) => false,
    }
}

/// How often each notification was heard lately. Ordered by age, so that old entries are found
/// at the front.
#[derive(Default)]
struct Recent {
    order: VecDeque<(Instant, [u8; 32])>,
    counts: HashMap<[u8; 32], i32>,
}

impl Recent {
    /// This time included.
    fn count(&mut self, heard: &Heard) -> i32 {
        while let Some((at, key)) = self.order.front()
            && heard.at.duration_since(*at) > COUNTED_WITHIN
        {
            if let Some(count) = self.counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(key);
                }
            }
            self.order.pop_front();
        }
        let key: [u8; 32] =
            Sha256::new().chain_update(heard.sender.to_be_bytes()).chain_update(&heard.payload).finalize().into();
        self.order.push_back((heard.at, key));
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(1);
        *count
    }
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
        sent_by: heard.login.as_deref(),
    };
    bounded(store_notified_command().params(&client, &row).one()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(sender: i32, payload: &str, at: Instant) -> Heard {
        Heard { sender, login: None, payload: payload.to_owned(), at }
    }

    #[test]
    fn the_queue_is_bounded_and_fair_between_senders() {
        let lane = NotifyLane::new(NotifyCommands::Verified);
        for nth in 0..200_000 {
            lane.hear(1, &format!("{{\"type\":\"account.delete\",\"nth\":{nth}}}"));
        }
        lane.hear(2, "{}");
        let (mut of_one, mut of_two) = (0, 0);
        loop {
            let batch = lane.queue.take();
            if batch.is_empty() {
                break;
            }
            of_one += batch.iter().filter(|heard| heard.sender == 1).map(Heard::bytes).sum::<usize>();
            of_two += batch.iter().filter(|heard| heard.sender == 2).count();
        }
        assert!(of_one <= MOST_BYTES_OF_ONE, "{of_one}");
        assert_eq!(of_two, 1);
        assert!(lane.queue.counted().dropped > 100_000);
        assert_eq!(lane.queue.lock().bytes, 0);
    }

    #[test]
    fn equal_notifications_are_counted_for_half_a_minute() {
        let mut recent = Recent::default();
        let now = Instant::now();
        assert_eq!(recent.count(&heard(1, "a", now)), 1);
        assert_eq!(recent.count(&heard(1, "b", now)), 1);
        assert_eq!(recent.count(&heard(2, "a", now)), 1);
        assert_eq!(recent.count(&heard(1, "a", now + COUNTED_WITHIN)), 2);
        assert_eq!(recent.count(&heard(1, "a", now + COUNTED_WITHIN + Duration::from_millis(1))), 2);
        assert_eq!(recent.count(&heard(1, "a", now + COUNTED_WITHIN * 3)), 1);
        assert_eq!((recent.order.len(), recent.counts.len()), (1, 1), "nothing is kept of what is over");
    }

    #[test]
    fn a_sender_check_covers_notifications_heard_before_it() {
        let looked_up = Instant::now();
        let senders =
            Senders { known: HashMap::from([(1, (looked_up, Some("shop".to_owned()))), (2, (looked_up, None))]) };
        assert!(matches!(senders.check(&heard(1, "", looked_up)), SenderCheck::May(login) if login == "shop"));
        assert!(matches!(senders.check(&heard(2, "", looked_up)), SenderCheck::MayNot));
        assert!(matches!(senders.check(&heard(3, "", looked_up)), SenderCheck::Gone));
        let later = looked_up + Duration::from_millis(1);
        assert!(matches!(senders.check(&heard(1, "", later)), SenderCheck::Gone), "it may be another process");
    }
}
