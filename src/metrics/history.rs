//! The last hours in figures, for people who have no Prometheus: kept in memory, a sample a minute.
//! A restart begins anew.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Between two samples.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(60);
/// Six hours of samples.
const KEPT: usize = 360;

/// What a daemon has done since it started; only grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub qrs: Waits,
    pub logins: Waits,
    /// Connections that ended by themselves, by the word of the reason.
    pub ends: BTreeMap<&'static str, u64>,
    pub received: u64,
    pub sent: u64,
}

/// How often somebody waited, and how long in all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    pub count: u64,
    pub total: Duration,
}

/// The fleet as the database has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetFiguresOfThen {
    /// Number of accounts that are not deleted, by status.
    pub by_status: BTreeMap<String, i64>,
    pub daemons: i64,
    /// Linked devices that are still to be removed from a phone.
    pub open_tickets: i64,
    /// Commands that have not ended.
    pub open_commands: i64,
    /// Messages that are to be sent; 100000 stands for more.
    pub queued_messages: i64,
    pub unsent_events: i64,
}

/// A minute of a daemon, and the fleet at its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    /// The end of the minute.
    at: DateTime<Utc>,
    /// Null if the database did not answer.
    fleet: Option<FleetFiguresOfThen>,
    /// Connections to WhatsApp that this daemon held.
    connections: i64,
    /// Number of first QRs in the minute.
    qrs: u64,
    /// From the order of a pairing connection to its first QR, on average; null without one.
    qr_ms: Option<u64>,
    /// Number of logins with keys that existed.
    logins: u64,
    /// From dialing to logged in, on average; null without one.
    login_ms: Option<u64>,
    /// Connections that ended by themselves, by reason.
    ends: BTreeMap<&'static str, u64>,
    /// Messages that came in.
    received: u64,
    /// Messages that WhatsApp acknowledged.
    sent: u64,
}

#[derive(Default)]
pub(super) struct History(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    samples: VecDeque<Sample>,
    /// When the last of them was taken.
    until: Totals,
}

impl History {
    /// Ends a minute.
    pub fn keep(&self, now: DateTime<Utc>, connections: i64, totals: Totals, fleet: Option<FleetFiguresOfThen>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = sample(now, connections, &kept.until, &totals, fleet);
        if kept.samples.len() == KEPT {
            kept.samples.pop_front();
        }
        kept.samples.push_back(sample);
        kept.until = totals;
    }

    /// The minutes that are kept, oldest first, and the one that has begun.
    pub fn so_far(
        &self,
        now: DateTime<Utc>,
        connections: i64,
        totals: &Totals,
        fleet: Option<FleetFiguresOfThen>,
    ) -> Vec<Sample> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = sample(now, connections, &kept.until, totals, fleet);
        kept.samples.iter().cloned().chain([current]).collect()
    }
}

fn sample(
    at: DateTime<Utc>,
    connections: i64,
    before: &Totals,
    now: &Totals,
    fleet: Option<FleetFiguresOfThen>,
) -> Sample {
    let ended = |(reason, count): (&&'static str, &u64)| {
        let more = count - before.ends.get(reason).copied().unwrap_or(0);
        (more > 0).then_some((*reason, more))
    };
    let (qrs, logins) = (now.qrs.since(before.qrs), now.logins.since(before.logins));
    Sample {
        at,
        fleet,
        connections,
        qrs: qrs.count,
        qr_ms: qrs.average_ms(),
        logins: logins.count,
        login_ms: logins.average_ms(),
        ends: now.ends.iter().filter_map(ended).collect(),
        received: now.received - before.received,
        sent: now.sent - before.sent,
    }
}

impl Waits {
    pub fn add(&mut self, wait: Duration) {
        self.count += 1;
        self.total += wait;
    }

    fn since(self, before: Self) -> Self {
        Self { count: self.count - before.count, total: self.total.saturating_sub(before.total) }
    }

    fn average_ms(self) -> Option<u64> {
        let total = u64::try_from(self.total.as_millis()).unwrap_or(u64::MAX);
        total.checked_div(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(qrs: u64, seconds: u64, lost: u64) -> Totals {
        Totals {
            qrs: Waits { count: qrs, total: Duration::from_secs(seconds) },
            ends: BTreeMap::from([("socket_lost", lost), ("banned", 0)]),
            received: lost * 10,
            ..Totals::default()
        }
    }

    #[test]
    fn a_minute_has_what_was_new_in_it() {
        let (history, now) = (History::default(), DateTime::UNIX_EPOCH);
        history.keep(now, 5, totals(2, 4, 1), None);
        history.keep(now, 5, totals(2, 4, 1), None);
        let samples = history.so_far(now, 6, &totals(4, 5, 4), Some(FleetFiguresOfThen::default()));
        let shown: Vec<_> = samples.iter().map(|one| (one.qrs, one.qr_ms, one.ends.clone(), one.received)).collect();
        let lost = |count| BTreeMap::from([("socket_lost", count)]);
        assert_eq!(shown, [(2, Some(2000), lost(1), 10), (0, None, BTreeMap::new(), 0), (2, Some(500), lost(3), 30)]);
        assert!(samples[1].fleet.is_none() && samples[2].fleet.is_some());
    }

    #[test]
    fn six_hours_are_kept_and_asking_ends_no_minute() {
        let (history, now) = (History::default(), DateTime::UNIX_EPOCH);
        for minute in 0..400 {
            history.keep(now + SAMPLE_EVERY * minute, 0, totals(u64::from(minute), 0, 0), None);
            assert_eq!(history.so_far(now, 0, &totals(1000, 0, 0), None).last().unwrap().qrs, 1000 - u64::from(minute));
        }
        let samples = history.so_far(now, 0, &totals(1000, 0, 0), None);
        assert_eq!(samples.len(), 361);
        assert_eq!(samples[0].at, now + SAMPLE_EVERY * 40);
    }
}
