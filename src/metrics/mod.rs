//! The daemon's counters and timings, in the format of Prometheus.
//!
//! The machines know nothing of it: [`MeteredStore`], [`MeteredMessages`], [`MeteredOutgoing`] and
//! [`MeteredGateway`] stand in front of the real ones and listen. No label names an account: a fleet of thousands
//! would be thousands of series, and its rows say more.

mod fleet;
mod gateway;
mod history;
mod http;
mod lane;
mod messages;
mod meters;
mod outgoing;
mod pools;
mod process;
mod store;
mod trace;

pub use fleet::FleetGauges;
pub use gateway::MeteredGateway;
pub(crate) use history::{SAMPLE_EVERY, Sample};
pub(crate) use http::{Front, WrongToken, count_requests};
pub use messages::MeteredMessages;
pub use meters::Meters;
pub use outgoing::MeteredOutgoing;
pub use store::MeteredStore;

use std::sync::Arc;

use chrono::Utc;
use deadpool_postgres::Pool;
use prometheus_client::encoding::text::encode;
use tokio::runtime::Handle;

use history::History;
use http::HttpMeters;
use lane::LaneCounters;
use pools::PoolGauges;

use crate::postgres::{
    lease::{Lease, LeaseStatus},
    notify_lane::LaneTotals,
};

/// The media type of what [`Exposition::render`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that a scrape reads.
pub struct Exposition {
    meters: Arc<Meters>,
    fleet: FleetGauges,
    history: History,
    http: HttpMeters,
    pools: PoolGauges,
    lane: LaneCounters,
    lease: LeaseStatus,
    runtime: Handle,
}

impl Exposition {
    pub fn new(meters: Arc<Meters>, lease: &Lease, runtime: Handle) -> Self {
        let fleet = FleetGauges::registered_with(&meters);
        let (http, pools, lane) = {
            let mut registry = meters.registry();
            let r = &mut registry;
            (HttpMeters::registered(r), PoolGauges::registered(r), LaneCounters::registered(r))
        };
        Self { meters, fleet, history: History::default(), http, pools, lane, lease: lease.status(), runtime }
    }

    /// Adds the outcomes of notifications to the metrics.
    pub fn watch_lane(&self, totals: LaneTotals) {
        self.lane.watch(totals);
    }

    /// Adds the figures of this pool to the metrics.
    pub fn watch_pool(&self, name: &'static str, pool: Pool) {
        self.pools.watch(name, pool);
    }

    pub(crate) fn token_was_wrong(&self, how: WrongToken) {
        self.http.token_was_wrong(how);
    }

    fn http(&self) -> &HttpMeters {
        &self.http
    }

    /// Adds a minute to the history.
    pub(crate) async fn keep_minute(&self, pool: &Pool) {
        self.fleet.read(pool).await;
        self.history.keep(Utc::now(), self.meters.connections_now(), self.meters.totals(), self.fleet.as_of_now());
    }

    /// The last hours, oldest first, up to now.
    pub(crate) async fn history(&self, pool: &Pool) -> Vec<Sample> {
        self.fleet.read(pool).await;
        self.history.so_far(Utc::now(), self.meters.connections_now(), &self.meters.totals(), self.fleet.as_of_now())
    }

    /// The current values. The fleet's figures are read from the database at each scrape, so a
    /// daemon that is not scraped and has no console sends no queries. While the database is unavailable they keep
    /// their values, and `paird_fleet_figures_age_seconds` grows.
    ///
    /// # Errors
    /// Never in practice: text is written into memory.
    pub async fn render(&self, pool: &Pool) -> Result<String, std::fmt::Error> {
        self.fleet.read(pool).await;
        self.pools.read();
        self.lane.read();
        self.meters.lease_is(self.lease.is_live(), self.lease.age());
        self.meters.process_is(process::Usage::now(), self.runtime.metrics().num_alive_tasks());
        let mut text = String::new();
        encode(&mut text, &self.meters.registry())?;
        Ok(text)
    }
}
