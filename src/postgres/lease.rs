//! This daemon's row in `processes`: while it is renewed, its accounts are its own.

use std::time::Duration;

use deadpool_postgres::Pool;
use paird_actors::ports::StoreError;
use paird_sql::client::Params;
use paird_sql::queries::processes::{
    RenewLeaseParams, bury_processes, list_processes_of_pid_space, release_lease, renew_lease, set_draining,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::birth::Birth;
use super::pool::{bounded, connection};

/// By the database's clock; who is not renewed for so long loses its accounts.
const TTL: Duration = Duration::from_secs(20);
const RENEW_EVERY: Duration = Duration::from_secs(5);
const RENEW_TIMEOUT: Duration = Duration::from_secs(4);
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Counted from the start of the last good renewal, so that it ends well before the
/// database lets another daemon in.
const LOST_AFTER: Duration = Duration::from_secs(12);

/// Whether connections may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    Live,
    /// Not renewed for twelve seconds: every connection must be closed now. It turns
    /// live again when the database is back.
    Lost,
}

/// The lease of one daemon, renewed until it is released.
pub struct Lease {
    process: Uuid,
    pool: Pool,
    state: watch::Receiver<LeaseState>,
    ending: CancellationToken,
}

impl Lease {
    /// Takes the lease, as soon as the database lets it. Former daemons of this machine
    /// whose process is gone lose theirs at once.
    pub async fn start(pool: Pool, process: Uuid, command_channel: &str) -> Self {
        let holder = Holder {
            pool: pool.clone(),
            process,
            birth: Birth::of_this_process(),
            command_channel: command_channel.to_owned(),
        };
        let anchor = loop {
            match holder.take().await {
                Ok(anchor) => break anchor,
                Err(why) => warn!(%why, "cannot take the lease yet"),
            }
            tokio::time::sleep(RETRY_AFTER).await;
        };
        let ending = CancellationToken::new();
        let (renewed, anchors) = watch::channel(anchor);
        let (tell, state) = watch::channel(LeaseState::Live);
        tokio::spawn(ending.clone().run_until_cancelled_owned(async move { holder.keep(&renewed).await }));
        tokio::spawn(ending.clone().run_until_cancelled_owned(observe(anchors, tell)));
        Self { process, pool, state, ending }
    }

    pub fn process(&self) -> Uuid {
        self.process
    }

    pub fn is_live(&self) -> bool {
        *self.state.borrow() == LeaseState::Live
    }

    /// Changes of the lease.
    pub fn watch(&self) -> watch::Receiver<LeaseState> {
        self.state.clone()
    }

    /// A draining daemon takes neither accounts nor commands.
    ///
    /// # Errors
    /// The database did not do it.
    pub async fn drain(&self, draining: bool) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        bounded(set_draining().bind(&client, &draining, &self.process)).await?;
        Ok(())
    }

    /// Gives every account back and ends the lease, at shutdown.
    ///
    /// # Errors
    /// The database did not do it; the lease then runs out by itself.
    pub async fn release(self) -> Result<(), StoreError> {
        self.ending.cancel();
        let client = connection(&self.pool).await?;
        bounded(release_lease().bind(&client, &self.process)).await?;
        info!(process = %self.process, "released the lease");
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

struct Holder {
    pool: Pool,
    process: Uuid,
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
        Ok(anchor)
    }

    /// Renews; the instant is the one before the database was asked.
    async fn renew(&self) -> Result<Instant, StoreError> {
        let started = Instant::now();
        let renewed = tokio::time::timeout(RENEW_TIMEOUT, async {
            let client = connection(&self.pool).await?;
            let row = RenewLeaseParams {
                process: self.process,
                host: self.birth.host.as_str(),
                pid: self.birth.pid,
                version: env!("CARGO_PKG_VERSION"),
                pid_space: self.birth.pid_space.as_str(),
                pid_birth: self.birth.pid_birth,
                command_channel: self.command_channel.as_str(),
                ttl_secs: TTL.as_secs_f64(),
            };
            bounded(renew_lease().params(&client, &row)).await
        });
        match renewed.await {
            Ok(done) => done.map(|_| started),
            Err(_) => Err(StoreError::Unavailable("database: no answer to the renewal".to_owned())),
        }
    }

    async fn keep(&self, renewed: &watch::Sender<Instant>) {
        let mut wait = RENEW_EVERY;
        loop {
            tokio::time::sleep(wait).await;
            wait = match self.renew().await {
                Ok(anchor) => {
                    renewed.send_replace(anchor);
                    RENEW_EVERY
                }
                Err(why) => {
                    warn!(%why, "cannot renew the lease");
                    RETRY_AFTER
                }
            };
        }
    }
}

/// Apart from the renewals, so that one that hangs delays nothing.
async fn observe(mut anchors: watch::Receiver<Instant>, tell: watch::Sender<LeaseState>) {
    loop {
        let end = *anchors.borrow_and_update() + LOST_AFTER;
        let state = if Instant::now() < end { LeaseState::Live } else { LeaseState::Lost };
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
        let last_renewal = Instant::now().checked_sub(Duration::from_millis(11_800)).unwrap();
        let (renewed, anchors) = watch::channel(last_renewal);
        let (tell, mut state) = watch::channel(LeaseState::Live);
        tokio::spawn(observe(anchors, tell));
        state.wait_for(|state| *state == LeaseState::Lost).await.unwrap();
        assert!(last_renewal.elapsed() >= LOST_AFTER);
        renewed.send_replace(Instant::now());
        state.wait_for(|state| *state == LeaseState::Live).await.unwrap();
    }
}
