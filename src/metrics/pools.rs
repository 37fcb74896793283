//! The pools of database connections, as they are at a scrape.

use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Pool;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    pool: &'static str,
    state: &'static str,
}

type ByPool = Family<[(&'static str, &'static str); 1], Gauge>;

/// See the module.
pub(super) struct PoolGauges {
    pools: Mutex<Vec<(&'static str, Pool)>>,
    connections: Family<Connections, Gauge>,
    most: ByPool,
    waiting: ByPool,
}

impl PoolGauges {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let (connections, most, waiting) = (Family::default(), ByPool::default(), ByPool::default());
        registry.register("paird_pool_connections", "Connections to Postgres, by pool and state", connections.clone());
        registry.register("paird_pool_connections_max", "How many connections a pool may have", most.clone());
        registry.register("paird_pool_waiting", "Who waits for a connection of a pool", waiting.clone());
        Self { pools: Mutex::default(), connections, most, waiting }
    }

    pub(super) fn watch(&self, name: &'static str, pool: Pool) {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push((name, pool));
    }

    pub(super) fn read(&self) {
        let whole = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        for (pool, watched) in self.pools.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let status = watched.status();
            for (state, count) in [("idle", status.available), ("used", status.size.saturating_sub(status.available))] {
                self.connections.get_or_create(&Connections { pool, state }).set(whole(count));
            }
            self.most.get_or_create(&[("pool", *pool)]).set(whole(status.max_size));
            self.waiting.get_or_create(&[("pool", *pool)]).set(whole(status.waiting));
        }
    }
}
