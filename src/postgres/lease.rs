//! This daemon's row in `processes`: while it is renewed, its accounts are its own.

use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::ports::StoreError;
use paird_sql::client::Params;
use paird_sql::queries::processes::{
    RenewLeaseParams, bury_processes, count_daemons, give_accounts_back, list_processes_of_pid_space, refresh_fences,
    release_lease, renew_lease, ring_daemons, set_draining, shorten_lease,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::birth::Birth;
use super::listener::RESYNC;
use super::pool::{bounded, connection};

/// `PAIRD_LEASE_TTL` by default.
pub const TTL: Duration = Duration::from_secs(20);

/// The times of a lease, all of them parts of its length.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// By the database's clock; who is not renewed for so long loses its accounts.
    ttl: Duration,
    renew_every: Duration,
    renew_timeout: Duration,
    retry_after: Duration,
    /// Counted from the start of the last good renewal, so that it ends well before the
    /// database lets another daemon in.
    lost_after: Duration,
}

impl Terms {
    fn of(ttl: Duration) -> Self {
        Self { ttl, renew_every: ttl / 4, renew_timeout: ttl / 5, retry_after: ttl / 20, lost_after: ttl.mul_f64(0.6) }
    }
}

/// Whether connections may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    Live,
    /// Not renewed for three fifths of its length: every connection must be closed now.
    /// It turns live again when the database is back.
    Lost,
}

/// The lease of one daemon, renewed until it is released.
pub struct Lease {
    row: LeaseRow,
    state: watch::Receiver<LeaseState>,
    lapses: watch::Receiver<u64>,
    daemons: watch::Receiver<i64>,
    ending: CancellationToken,
}

impl Lease {
    /// Takes the lease, as soon as the database lets it. Former daemons of this machine
    /// whose process is gone lose theirs at once.
    pub async fn start(pool: Pool, process: Uuid, command_channel: &str, ttl: Duration) -> Self {
        let terms = Terms::of(ttl);
        let (count, daemons) = watch::channel(0);
        let holder = Holder {
            pool: pool.clone(),
            process,
            terms,
            daemons: count,
            birth: Birth::of_this_process(),
            command_channel: command_channel.to_owned(),
        };
        let anchor = loop {
            match holder.take().await {
                Ok(anchor) => break anchor,
                Err(why) => warn!(%why, "cannot take the lease yet"),
            }
            tokio::time::sleep(terms.retry_after).await;
        };
        let ending = CancellationToken::new();
        let (renewed, anchors) = watch::channel(anchor);
        let (tell, state) = watch::channel(LeaseState::Live);
        let (lapse, lapses) = watch::channel(0);
        tokio::spawn(ending.clone().run_until_cancelled_owned(async move { holder.keep(&renewed).await }));
        tokio::spawn(ending.clone().run_until_cancelled_owned(observe(terms.lost_after, anchors, tell, lapse)));
        Self { row: LeaseRow { process, pool }, state, lapses, daemons, ending }
    }

    pub fn process(&self) -> Uuid {
        self.row.process
    }

    /// For whoever lets this daemon drain while it goes on.
    pub fn row(&self) -> LeaseRow {
        self.row.clone()
    }

    pub fn is_live(&self) -> bool {
        *self.state.borrow() == LeaseState::Live
    }

    /// Changes of the lease.
    pub fn watch(&self) -> watch::Receiver<LeaseState> {
        self.state.clone()
    }

    /// How often it was lost so far: a loss that was over before anybody looked counts, too.
    pub fn lapses(&self) -> watch::Receiver<u64> {
        self.lapses.clone()
    }

    /// How many daemons are alive and not draining, as of the last renewal.
    pub fn daemons(&self) -> watch::Receiver<i64> {
        self.daemons.clone()
    }

    /// See [`LeaseRow::drain`].
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn drain(&self, draining: bool) -> Result<(), StoreError> {
        self.row.drain(draining).await
    }

    /// Gives every account back and ends the lease, at shutdown.
    ///
    /// # Errors
    /// The database did not do it; the lease then runs out by itself.
    pub async fn release(self) -> Result<(), StoreError> {
        self.ending.cancel();
        let client = connection(&self.row.pool).await?;
        bounded(release_lease().bind(&client, &self.row.process)).await?;
        info!(process = %self.row.process, "released the lease");
        ring(&client).await
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

/// A daemon's row in `processes`.
#[derive(Clone)]
pub struct LeaseRow {
    process: Uuid,
    pool: Pool,
}

impl LeaseRow {
    /// A draining daemon takes neither accounts nor commands.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn drain(&self, draining: bool) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        bounded(set_draining().bind(&client, &draining, &self.process)).await?;
        ring(&client).await
    }

    /// Gives every account back, with its commands, while the lease goes on: after a
    /// drain, when nothing of them runs here. How many they were.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn give_back(&self) -> Result<u64, StoreError> {
        let client = connection(&self.pool).await?;
        let given = bounded(give_accounts_back().bind(&client, &self.process)).await?;
        ring(&client).await?;
        Ok(given)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

/// Tells every daemon that the fleet has changed.
async fn ring(client: &deadpool_postgres::Object) -> Result<(), StoreError> {
    bounded(ring_daemons().bind(client, &RESYNC).all()).await?;
    Ok(())
}

struct Holder {
    pool: Pool,
    process: Uuid,
    terms: Terms,
    daemons: watch::Sender<i64>,
    birth: Birth,
    command_channel: String,
}

impl Holder {
    async fn take(&self) -> Result<Instant, StoreError> {
        let anchor = self.renew().await?;
        let client = connection(&self.pool).await?;
        let neighbours =
            bounded(list_processes_of_pid_space().bind(&client, &self.birth.pid_space, &self.process).all()).await?;
        let gone: Vec<Uuid> = neighbours
            .into_iter()
            .filter(|former| Birth::is_gone(former.pid, former.pid_birth))
            .map(|former| former.id)
            .collect();
        for former in &gone {
            info!(process = %former, "a former daemon of this machine is gone: its accounts are free");
        }
        bounded(bury_processes().bind(&client, &gone)).await?;
        ring(&client).await?;
        Ok(anchor)
    }

    /// Renews; the instant is the one before the database was asked.
    async fn renew(&self) -> Result<Instant, StoreError> {
        let started = Instant::now();
        let renewed = tokio::time::timeout(self.terms.renew_timeout, async {
            let client = connection(&self.pool).await?;
            let row = RenewLeaseParams {
                process: self.process,
                host: self.birth.host.as_str(),
                pid: self.birth.pid,
                version: env!("CARGO_PKG_VERSION"),
                pid_space: self.birth.pid_space.as_str(),
                pid_birth: self.birth.pid_birth,
                command_channel: self.command_channel.as_str(),
                ttl_secs: self.terms.ttl.as_secs_f64(),
            };
            bounded(renew_lease().params(&client, &row)).await?;
            bounded(count_daemons().bind(&client).one()).await
        });
        match renewed.await {
            Ok(done) => {
                let now = done?;
                self.daemons.send_if_modified(|former| std::mem::replace(former, now) != now);
                Ok(started)
            }
            Err(_) => Err(StoreError::Unavailable("database: no answer to the renewal".to_owned())),
        }
    }

    async fn keep(&self, renewed: &watch::Sender<Instant>) {
        let mut wait = self.terms.renew_every;
        loop {
            tokio::time::sleep(wait).await;
            let former = *renewed.borrow();
            let renewal = async {
                let anchor = self.renew().await?;
                if anchor.duration_since(former) >= self.terms.lost_after {
                    // Before anybody is told that it is live again.
                    let client = connection(&self.pool).await?;
                    bounded(refresh_fences().bind(&client, &self.process)).await?;
                }
                Ok::<_, StoreError>(anchor)
            };
            wait = match renewal.await {
                Ok(anchor) => {
                    renewed.send_replace(anchor);
                    self.terms.renew_every
                }
                Err(why) => {
                    warn!(%why, "cannot renew the lease");
                    self.terms.retry_after
                }
            };
        }
    }
}

/// Apart from the renewals, so that one that hangs delays nothing. A process that was
/// stopped for longer may see its renewal before the loss: that is a lapse all the same.
async fn observe(
    lost_after: Duration,
    mut anchors: watch::Receiver<Instant>,
    tell: watch::Sender<LeaseState>,
    lapses: watch::Sender<u64>,
) {
    let mut former = *anchors.borrow_and_update();
    loop {
        let anchor = *anchors.borrow_and_update();
        let end = anchor + lost_after;
        let state = if Instant::now() < end { LeaseState::Live } else { LeaseState::Lost };
        let known = *tell.borrow() == LeaseState::Lost;
        if !known && (state == LeaseState::Lost || anchor.duration_since(former) >= lost_after) {
            lapses.send_modify(|lapses| *lapses += 1);
        }
        former = anchor;
        tell.send_if_modified(|former| std::mem::replace(former, state) != state);
        let changed = match state {
            LeaseState::Live => tokio::time::timeout_at(end, anchors.changed()).await.unwrap_or(Ok(())),
            LeaseState::Lost => anchors.changed().await,
        };
        if changed.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_is_lost_twelve_seconds_after_its_last_renewal_and_comes_back() {
        let lost_after = Terms::of(TTL).lost_after;
        let last_renewal = Instant::now().checked_sub(Duration::from_millis(11_800)).unwrap();
        let (renewed, anchors) = watch::channel(last_renewal);
        let (tell, mut state) = watch::channel(LeaseState::Live);
        let (lapse, lapses) = watch::channel(0);
        tokio::spawn(observe(lost_after, anchors, tell, lapse));
        state.wait_for(|state| *state == LeaseState::Lost).await.unwrap();
        assert!(last_renewal.elapsed() >= Duration::from_secs(12));
        renewed.send_replace(Instant::now());
        state.wait_for(|state| *state == LeaseState::Live).await.unwrap();
        assert_eq!(*lapses.borrow(), 1);
    }

    #[tokio::test]
    async fn a_loss_that_was_over_before_anybody_looked_is_a_lapse() {
        let lost_after = Duration::from_secs(12);
        let now = Instant::now();
        let (renewed, anchors) = watch::channel(now);
        let (tell, _state) = watch::channel(LeaseState::Live);
        let (lapse, mut lapses) = watch::channel(0);
        tokio::spawn(observe(lost_after, anchors, tell, lapse));
        tokio::task::yield_now().await;
        renewed.send_replace(now + lost_after);
        lapses.wait_for(|lapses| *lapses == 1).await.unwrap();
    }
}
