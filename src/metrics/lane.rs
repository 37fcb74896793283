//! The raw lane: bare NOTIFYs that are to be commands.

use std::sync::{Mutex, PoisonError};

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::postgres::notify_lane::{LaneOutcome, LaneTotals};

/// See the module.
pub(super) struct LaneCounters {
    counted: Mutex<Option<LaneTotals>>,
    notifications: Family<[(&'static str, &'static str); 1], Counter>,
}

impl LaneCounters {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let notifications = Family::default();
        let help = "Notifications that were to be commands, by what became of them";
        registry.register("paird_notified_commands", help, Family::clone(&notifications));
        let counters = Self { counted: Mutex::default(), notifications };
        counters.read();
        counters
    }

    pub(super) fn watch(&self, totals: LaneTotals) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(totals);
    }

    pub(super) fn read(&self) {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in LaneOutcome::ALL {
            let counter = self.notifications.get_or_create(&[("outcome", outcome.name())]);
            let total = counted.as_ref().map_or(0, |totals| totals.of(outcome));
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }
}
