//! This daemon's row in `processes`: while it is renewed, its accounts are its own.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, FixedOffset};
use deadpool_postgres::{Object, Pool};
use paird_actors::{
    LeaseEpoch, clock, domain,
    domain::StoreError,
    lease::{Answer, Follower, Heartbeat, LeaseState, LeaseTimings, Order, Renewal, Turn},
};
use paird_sql::client::Params;
use paird_sql::queries::processes::{
    self, RenewLeaseParams, SurveyDaemons, TakeLeaseParams, bury_processes, disown_accounts, get_time,
    give_accounts_back, list_processes_of_pid_space, release_lease, renew_lease, ring_daemons, set_draining,
    shorten_lease, survey_daemons, take_lease,
};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::listener::RESYNC;
use super::pool::{bounded, connection};
use super::process_identity::ProcessIdentity;

/// `PAIRD_LEASE_TTL` by default.
pub const TTL: Duration = Duration::from_secs(20);

/// Accounts that one statement gives back, so that it is over in some tens of milliseconds.
const BATCH: i64 = 500;

/// How long the end of a daemon takes its name off accounts, which are free all the same.
const DISOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// A lease that has ended is seen to have ended.
const AFTER_AN_END: Duration = Duration::from_millis(50);

/// The lease of one daemon, renewed until it is released.
pub struct Lease {
    row: LeaseRow,
    status: LeaseStatus,
    events: mpsc::UnboundedReceiver<LeaseEvent>,
    ending: CancellationToken,
}

/// An event that the daemon must act on; delivered in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseEvent {
    Turned(Turn),
    /// Another number of daemons is alive and not draining.
    FleetChanged,
}

/// A lease as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseView {
    pub state: LeaseState,
    /// The start of the last good renewal.
    renewed_at: Instant,
    /// How many daemons are alive and not draining, as of the last renewal.
    pub daemons: i64,
}

/// A read-only view of a lease, for occasional reads.
#[derive(Clone)]
pub struct LeaseStatus {
    view: watch::Receiver<LeaseView>,
    lost_after: Duration,
}

impl LeaseStatus {
    /// Correct at any moment, even before the task that reports the lease's end has run: the
    /// process may have been suspended until now.
    pub fn epoch_now(self) -> LeaseEpoch {
        Arc::new(move || match self.view.borrow().state {
            LeaseState::Live { epoch } => (self.age() < self.lost_after).then_some(epoch),
            LeaseState::Lost => None,
        })
    }

    pub fn is_live(&self) -> bool {
        self.view.borrow().state.is_live()
    }

    /// Whether its renewing task is running.
    pub fn is_kept(&self) -> bool {
        self.view.has_changed().is_ok()
    }

    /// Since the start of the last good renewal.
    pub fn age(&self) -> Duration {
        self.view.borrow().renewed_at.elapsed()
    }
}

impl Lease {
    /// Takes the lease, as soon as the database lets it, and sets the clock by the
    /// database's. Former daemons of this machine whose process is gone lose theirs at once.
    ///
    /// `master_keys`: the ids of those that this daemon opens keyrings with.
    pub async fn start(
        pool: Pool,
        process: Uuid,
        command_channel: &str,
        master_keys: Vec<String>,
        ttl: Duration,
    ) -> Self {
        let started = Instant::now();
        let timings = LeaseTimings::of(ttl);
        let heartbeat = Heartbeat::new(timings, Duration::ZERO);
        let (show, mut view) = watch::channel(LeaseView { state: heartbeat.state(), renewed_at: started, daemons: 0 });
        let (tell, events) = mpsc::unbounded_channel();
        let row = LeaseRow { process, pool: pool.clone(), drain: Arc::default() };
        let (identity, command_channel) = (ProcessIdentity::of_this_process(), command_channel.to_owned());
        let renewer = Renewer {
            asking: Asking { row: row.clone(), timings, identity, command_channel, master_keys },
            heartbeat,
            started,
            listeners: Listeners { view: show, events: tell, follower: None },
        };
        let ending = CancellationToken::new();
        tokio::spawn(ending.clone().run_until_cancelled_owned(renewer.keep()));
        let lease =
            Self { row, status: LeaseStatus { view: view.clone(), lost_after: timings.lost_after }, events, ending };
        // The renewer outlives this: the token is ours.
        let _ = view.wait_for(|view| view.state.is_live()).await;
        lease
    }

    pub fn process(&self) -> Uuid {
        self.row.process
    }

    /// The lease's row, for draining the daemon while it keeps running.
    pub fn row(&self) -> LeaseRow {
        self.row.clone()
    }

    pub fn is_live(&self) -> bool {
        self.status.is_live()
    }

    pub fn status(&self) -> LeaseStatus {
        self.status.clone()
    }

    /// The next event; `None` once it is no longer renewed.
    pub async fn next_event(&mut self) -> Option<LeaseEvent> {
        self.events.recv().await
    }

    /// The latest state. It may skip states; [events](Lease::next_event) do not.
    pub fn watch(&self) -> watch::Receiver<LeaseView> {
        self.status.view.clone()
    }

    /// See [`LeaseRow::drain`].
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn drain(&self, draining: bool) -> Result<Drain, StoreError> {
        self.row.drain(draining).await
    }

    /// Ends the lease, at shutdown: every account is free from then on.
    ///
    /// # Errors
    /// The database did not do it; the lease then runs out by itself.
    pub async fn release(self) -> Result<(), StoreError> {
        self.ending.cancel();
        release(&self.row.pool, self.row.process).await
    }

    /// For a daemon that ends before it has its lease, since its statement may still be carried
    /// out.
    ///
    /// # Errors
    /// The database did not do it; a lease that is then still taken expires by itself.
    pub async fn forgo(pool: &Pool, process: Uuid) -> Result<(), StoreError> {
        release(pool, process).await
    }

    /// Lets the lease run out soon, but not before `left`: for an end with connections
    /// that are not known to be closed.
    ///
    /// # Errors
    /// The database did not do it; the lease then runs out by itself.
    pub async fn shorten(self, left: Duration) -> Result<(), StoreError> {
        self.ending.cancel();
        let client = connection(&self.row.pool).await?;
        bounded(shorten_lease().bind(&client, &left.as_secs_f64(), &self.row.process)).await?;
        Ok(())
    }
}

/// A drain, or its undoing: each has a number, and one of before writes nothing any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drain {
    number: i64,
    draining: bool,
}

/// The result of returning accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenBack {
    pub accounts: i64,
    /// More accounts remain to be returned: the next batch, and those locked by other sessions.
    pub more: bool,
}

/// A daemon's row in `processes`.
#[derive(Clone)]
pub struct LeaseRow {
    process: Uuid,
    pool: Pool,
    /// The last one that was asked for; each renewal writes it, too.
    drain: Arc<Mutex<Drain>>,
}

impl LeaseRow {
    /// A draining daemon takes neither accounts nor commands.
    ///
    /// # Errors
    /// The database did not do it; the next renewal does.
    pub async fn drain(&self, draining: bool) -> Result<Drain, StoreError> {
        let drain = {
            let mut last = self.last_drain();
            *last = Drain { number: last.number + 1, draining };
            *last
        };
        let client = connection(&self.pool).await?;
        bounded(set_draining().bind(&client, &drain.draining, &drain.number, &self.process)).await?;
        ring(&client).await;
        Ok(drain)
    }

    /// Gives a batch of accounts back, with all commands, while the lease goes on: after a
    /// drain, when nothing of them runs here. None if the drain was undone.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn give_back(&self, drained: Drain) -> Result<GivenBack, StoreError> {
        let client = connection(&self.pool).await?;
        let given = bounded(give_accounts_back().bind(&client, &self.process, &drained.number, &BATCH).one()).await?;
        ring(&client).await;
        Ok(GivenBack { accounts: given.given, more: given.more })
    }

    fn last_drain(&self) -> MutexGuard<'_, Drain> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

async fn release(pool: &Pool, process: Uuid) -> Result<(), StoreError> {
    let client = connection(pool).await?;
    bounded(release_lease().bind(&client, &process)).await?;
    info!(%process, "released the lease");
    ring(&client).await;
    let disowned = tokio::time::timeout(DISOWN_TIMEOUT, async {
        while bounded(disown_accounts().bind(&client, &process, &BATCH).one()).await? == BATCH {}
        Ok(())
    });
    disowned.await.unwrap_or(Ok(()))
}

/// A daemon that has none of this one's master keys, although nothing is sealed yet that
/// would tell whose are the right ones.
///
/// # Errors
/// The database did not answer.
pub async fn find_stranger(pool: &Pool, process: Uuid) -> Result<Option<Stranger>, StoreError> {
    let client = connection(pool).await?;
    let found = bounded(processes::find_stranger().bind(&client, &process).opt()).await?;
    Ok(found.map(|row| Stranger { host: row.host, pid: row.pid }))
}

/// See [`find_stranger`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    pub host: String,
    pub pid: i32,
}

/// Tells every daemon that the fleet has changed. A failure does no harm: they also look
/// periodically.
pub(super) async fn ring(client: &Object) {
    if let Err(why) = bounded(ring_daemons().bind(client, &RESYNC).all()).await {
        debug!(%why, "the other daemons were not notified, and find out by themselves");
    }
}

/// The shell of [`Heartbeat`].
struct Renewer {
    asking: Asking,
    heartbeat: Heartbeat,
    /// The zero of its times.
    started: Instant,
    listeners: Listeners,
}

/// The receivers of the lease's state and events.
struct Listeners {
    view: watch::Sender<LeaseView>,
    events: mpsc::UnboundedSender<LeaseEvent>,
    /// Set once it is live: no account runs before that, so no loss needs reporting.
    follower: Option<Follower>,
}

impl Listeners {
    fn tell(&mut self, state: LeaseState, renewed_at: Instant) {
        self.view.send_modify(|view| (view.state, view.renewed_at) = (state, renewed_at));
        let turns = match (&mut self.follower, state) {
            (Some(follower), state) => follower.on_state(state),
            (None, LeaseState::Live { epoch }) => {
                self.follower = Some(Follower::new(epoch));
                &[]
            }
            (None, LeaseState::Lost) => &[],
        };
        turns.iter().for_each(|turn| self.send(LeaseEvent::Turned(*turn)));
    }

    fn tell_of_daemons(&self, daemons: i64) {
        if self.view.borrow().daemons != daemons {
            self.view.send_modify(|view| view.daemons = daemons);
            self.send(LeaseEvent::FleetChanged);
        }
    }

    fn send(&self, event: LeaseEvent) {
        // A lease that is being released has no listener.
        let _ = self.events.send(event);
    }
}

impl Renewer {
    async fn keep(mut self) {
        loop {
            tokio::select! {
                // A loss that came first must be reported first.
                biased;
                () = until(self.heartbeat.deadline(), self.started) => self.heartbeat.on_time(self.now()),
                () = until(self.heartbeat.due(), self.started) => self.renew().await,
            }
            self.tell();
        }
    }

    /// One renewal, and its answer. One that hangs delays no loss.
    async fn renew(&mut self) {
        let renewal = self.heartbeat.begin(self.now());
        self.tell();
        let mut asking = pin!(self.asking.ask(renewal));
        let answer = loop {
            tokio::select! {
                answer = &mut asking => break answer,
                () = until(self.heartbeat.deadline(), self.started) => {
                    self.heartbeat.on_time(self.started.elapsed());
                    self.listeners.tell(self.heartbeat.state(), self.started + self.heartbeat.renewed_at());
                }
            }
        };
        let (answer, fleet) = answer.unwrap_or_else(|why| {
            match renewal.order {
                Order::Take => warn!(%why, "cannot take the lease yet"),
                Order::Renew { .. } => warn!(%why, "cannot renew the lease"),
            }
            (Answer::Failed, None)
        });
        let now = self.now();
        self.heartbeat.on_answer(renewal.number, answer, now);
        if let Some(fleet) = fleet {
            self.listeners.tell_of_daemons(fleet.daemons);
            let next_end = fleet.next_end_secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
            if let Some(end) = next_end {
                // Accounts of that daemon must not wait for a whole round.
                self.heartbeat.bring_forward(now.saturating_add(end).saturating_add(AFTER_AN_END));
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn tell(&mut self) {
        self.listeners.tell(self.heartbeat.state(), self.started + self.heartbeat.renewed_at());
    }
}

/// Waits for a point of a heartbeat; never returns without one.
async fn until(point: Option<Duration>, started: Instant) {
    match point {
        Some(point) => tokio::time::sleep_until(started + point).await,
        None => std::future::pending().await,
    }
}

/// The data of this daemon that a renewal needs.
struct Asking {
    row: LeaseRow,
    timings: LeaseTimings,
    identity: ProcessIdentity,
    command_channel: String,
    master_keys: Vec<String>,
}

impl Asking {
    /// With a good renewal the daemons are counted, too.
    async fn ask(&self, renewal: Renewal) -> Result<(Answer, Option<SurveyDaemons>), StoreError> {
        let end = Instant::now()
            + match renewal.order {
                // Without a lease there is none to lose meanwhile.
                Order::Take => self.timings.lost_after,
                Order::Renew { .. } => self.timings.renew_timeout,
            };
        let no_answer = |_| StoreError::Unavailable("database: no answer to the renewal".to_owned());
        let client = tokio::time::timeout_at(end, connection(&self.row.pool)).await.map_err(no_answer)??;
        let answer = tokio::time::timeout_at(end, self.ask_by(&client, renewal)).await.map_err(no_answer).flatten();
        if answer.is_err() {
            // It may be busy with the abandoned statement; the next renewal takes another one.
            drop(Object::take(client));
        }
        answer
    }

    async fn ask_by(&self, client: &Object, renewal: Renewal) -> Result<(Answer, Option<SurveyDaemons>), StoreError> {
        let answer = match renewal.order {
            Order::Take => self.take(client, renewal.number).await?,
            Order::Renew { refresh } => self.renew(client, renewal.number, refresh).await?,
        };
        let fleet = match answer {
            Answer::Renewed { .. } => Some(bounded(survey_daemons().bind(client, &self.row.process).one()).await?),
            Answer::Gone | Answer::Overtaken | Answer::Failed => None,
        };
        Ok((answer, fleet))
    }

    async fn take(&self, client: &Object, number: i64) -> Result<Answer, StoreError> {
        let drain = *self.row.last_drain();
        let row = TakeLeaseParams {
            process: self.row.process,
            host: self.identity.host.as_str(),
            pid: self.identity.pid,
            version: env!("CARGO_PKG_VERSION"),
            pid_space: self.identity.pid_space.as_str(),
            pid_birth: self.identity.pid_birth,
            command_channel: self.command_channel.as_str(),
            ttl_secs: self.timings.ttl.as_secs_f64(),
            renewal: number,
            draining: drain.draining,
            drain_no: drain.number,
            master_keys: &self.master_keys,
        };
        let asked = Instant::now();
        let Some(taken) = bounded(take_lease().params(client, &row).opt()).await? else {
            return Ok(Answer::Overtaken);
        };
        set_clock(taken.database_now, asked.elapsed());
        self.bury_the_dead(client).await?;
        ring(client).await;
        Ok(Answer::Renewed { epoch: taken.epoch })
    }

    async fn renew(&self, client: &Object, number: i64, refresh: bool) -> Result<Answer, StoreError> {
        let drain = *self.row.last_drain();
        let row = RenewLeaseParams {
            process: self.row.process,
            ttl_secs: self.timings.ttl.as_secs_f64(),
            renewal: number,
            refresh,
            draining: drain.draining,
            drain_no: drain.number,
        };
        let asked = Instant::now();
        let renewed = bounded(renew_lease().params(client, &row).one()).await?;
        set_clock(renewed.database_now, asked.elapsed());
        if renewed.expired {
            warn!("by the database's clock the lease had ended: other daemons may have taken accounts");
        }
        Ok(match renewed.epoch {
            Some(epoch) => Answer::Renewed { epoch },
            None if renewed.found => Answer::Overtaken,
            None => Answer::Gone,
        })
    }

    async fn bury_the_dead(&self, client: &Object) -> Result<(), StoreError> {
        let neighbours =
            bounded(list_processes_of_pid_space().bind(client, &self.identity.pid_space, &self.row.process).all())
                .await?;
        let gone: Vec<Uuid> = neighbours
            .into_iter()
            .filter(|former| ProcessIdentity::is_gone(former.pid, former.pid_birth))
            .map(|former| former.id)
            .collect();
        for former in &gone {
            info!(process = %former, "a former daemon of this machine is gone: its accounts are free");
        }
        bounded(bury_processes().bind(client, &gone)).await?;
        Ok(())
    }
}

/// For a program without a lease: [`clock::now`] is the database's from now on.
///
/// # Errors
/// The database did not say.
pub async fn keep_the_databases_time(pool: &Pool) -> Result<(), StoreError> {
    let client = connection(pool).await?;
    let asked = Instant::now();
    let database_now = bounded(get_time().bind(&client).one()).await?;
    set_clock(database_now, asked.elapsed());
    Ok(())
}

/// The best estimate is that the database read its clock in the middle of the round trip.
fn set_clock(database_now: DateTime<FixedOffset>, round_trip: Duration) {
    let half = round_trip / 2;
    if let Some(by) = clock::correct(domain::Instant::from(database_now.to_utc()).after(half), half) {
        warn!(by_ms = by, "the clock was not the database's, by which deadlines are kept from now on");
    }
}
