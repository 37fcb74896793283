//! The daemon's health, for the console and the probe listener.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use deadpool_postgres::Pool;
use paird_actors::{domain::AccountId, supervisor::handle::SupervisorHandle};
use paird_sql::queries::{connections::ping, console::count_accounts_by_status};
use serde::Serialize;
use tokio::{sync::Mutex, time::MissedTickBehavior};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    metrics::{Exposition, SAMPLE_EVERY, Sample},
    postgres::{
        lease::LeaseStatus,
        pool::{bounded, connection},
    },
};

/// A supervisor, or a database, that takes longer is stuck.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer of the database is shared by all requests.
const FRESH: Duration = Duration::from_secs(1);

/// There is one for each daemon.
pub(crate) struct Vitals {
    pool: Pool,
    supervisor: SupervisorHandle,
    lease: LeaseStatus,
    metrics: Exposition,
    draining: AtomicBool,
    stopping: AtomicBool,
    database: Mutex<Option<(Instant, bool)>>,
}

/// A daemon that should get accounts has the first three true and the last false.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    /// Reachable.
    database: bool,
    /// Live: this daemon's accounts are its own.
    pub(crate) lease: bool,
    /// It releases its accounts, or stops.
    pub(crate) draining: bool,
}

impl Vitals {
    pub(crate) fn new(pool: Pool, supervisor: SupervisorHandle, lease: LeaseStatus, metrics: Exposition) -> Self {
        Self {
            pool,
            supervisor,
            lease,
            metrics,
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            database: Mutex::default(),
        }
    }

    /// Whether the process works: its supervisor answers, and the lease is being renewed. An
    /// unavailable database does not count, since a restart would not help.
    pub(crate) async fn is_alive(&self) -> bool {
        let nobody = AccountId(Uuid::nil());
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.supervisor.inspect(nobody)).await;
        answer.is_ok() && self.lease.is_kept()
    }

    /// Whether the database answers, the lease is live, and the daemon is not draining. The
    /// database is asked at most once a second.
    pub(crate) async fn readiness(&self) -> Readiness {
        let database = self.database_answered().await;
        let lease = self.lease.is_live();
        let draining = self.is_draining();
        Readiness { ready: database && lease && !draining, database, lease, draining }
    }

    /// `None` if the database does not say.
    pub(crate) async fn has_accounts(&self) -> Option<bool> {
        let database = connection(&self.pool).await.ok()?;
        let statuses = bounded(count_accounts_by_status().bind(&database).all()).await.ok()?;
        Some(!statuses.is_empty())
    }

    /// The metrics in the format of Prometheus.
    ///
    /// # Errors
    /// Never in practice: text is written into memory.
    pub(crate) async fn exposition(&self) -> Result<String, std::fmt::Error> {
        self.metrics.render(&self.pool).await
    }

    /// The last hours of this daemon and its fleet.
    pub(crate) async fn history(&self) -> Vec<Sample> {
        self.metrics.history(&self.pool).await
    }

    /// Keeps a history of each minute, for as long as the daemon runs.
    pub(crate) async fn keep_history(&self) {
        let mut minutes = tokio::time::interval_at(tokio::time::Instant::now() + SAMPLE_EVERY, SAMPLE_EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minutes.tick().await;
            self.metrics.keep_minute(&self.pool).await;
        }
    }

    pub(crate) fn metrics(&self) -> &Exposition {
        &self.metrics
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_asked_to_drain() || self.stopping.load(Ordering::Relaxed)
    }

    /// Whether an operator asked this daemon to release its accounts.
    pub(crate) fn is_asked_to_drain(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Returns what it was before.
    pub(crate) fn set_draining(&self, draining: bool) -> bool {
        self.draining.swap(draining, Ordering::Relaxed)
    }

    /// The daemon ends.
    pub(crate) fn stops(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    async fn database_answered(&self) -> bool {
        // Concurrent requests wait here and share the answer.
        let mut last = self.database.lock().await;
        if let Some((at, answers)) = *last
            && at.elapsed() < FRESH
        {
            return answers;
        }
        let answers = self.ask_database().await;
        *last = Some((Instant::now(), answers));
        answers
    }

    async fn ask_database(&self) -> bool {
        let asking = tokio::time::timeout(ANSWER_TIMEOUT, async {
            let database = connection(&self.pool).await?;
            bounded(ping().bind(&database).one()).await
        });
        matches!(asking.await, Ok(Ok(true)))
    }
}
