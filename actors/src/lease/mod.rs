//! The heartbeat of a daemon: when its lease is renewed, when it is lost, and when it is
//! back. Pure: a point in time is how long after some start it is, by the daemon's own
//! monotonic clock.

use std::time::Duration;

/// The times of a lease, all of them parts of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTimings {
    /// By the database's clock. A daemon that does not renew for this long loses its accounts.
    pub ttl: Duration,
    pub renew_every: Duration,
    pub renew_timeout: Duration,
    pub retry_after: Duration,
    /// Counted from the start of the last good renewal, so that it ends well before the
    /// database lets another daemon in.
    pub lost_after: Duration,
}

impl LeaseTimings {
    pub fn of(ttl: Duration) -> Self {
        Self { ttl, renew_every: ttl / 4, renew_timeout: ttl / 5, retry_after: ttl / 20, lost_after: ttl.mul_f64(0.6) }
    }
}

/// Whether connections may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// A different epoch than before means that it was lost meanwhile, even if no state between
    /// showed it.
    Live { epoch: i64 },
    /// Not renewed for three fifths of its length: every connection must be closed now.
    /// It turns live again when the database is back.
    Lost,
}

impl LeaseState {
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

/// A renewal to send to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Grows with each one; the database carries out none behind a later one.
    pub number: i64,
    pub order: Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make the row, and refresh the fences.
    Take,
    /// Renew the row; refresh the fences if that is asked, or if the row had expired.
    Renew { refresh: bool },
}

/// The outcome of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Renewed {
        /// The number of the renewal that refreshed the fences of this daemon's accounts last:
        /// this one's own if it did.
        epoch: i64,
    },
    /// The row no longer exists.
    Gone,
    /// A later renewal came first.
    Overtaken,
    /// No answer, or an error: it may have been carried out, or may be yet.
    Failed,
}

/// See the module. One renewal is under way at a time.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    timings: LeaseTimings,
    /// The start of the last good renewal.
    renewed_at: Duration,
    /// From the last successful renewal.
    epoch: i64,
    /// While it is lost.
    lost_at: Option<Duration>,
    has_row: bool,
    number: i64,
    /// The start of the renewal that waits for its answer.
    under_way: Option<Duration>,
    due: Duration,
}

impl Heartbeat {
    /// Of a daemon that has no lease yet.
    pub fn new(timings: LeaseTimings, now: Duration) -> Self {
        Self {
            timings,
            renewed_at: now,
            epoch: 0,
            lost_at: Some(now),
            has_row: false,
            number: 0,
            under_way: None,
            due: now,
        }
    }

    pub fn state(&self) -> LeaseState {
        match self.lost_at {
            None => LeaseState::Live { epoch: self.epoch },
            Some(_) => LeaseState::Lost,
        }
    }

    /// The epoch, if it is live at this moment; also where its end was not looked for yet: a
    /// process that stood still finds out before its timers do.
    pub fn epoch_at(&self, now: Duration) -> Option<i64> {
        self.deadline().filter(|end| now < *end).map(|_| self.epoch)
    }

    /// The start of the last good renewal.
    pub fn renewed_at(&self) -> Duration {
        self.renewed_at
    }

    /// When the next renewal begins; `None` while one is under way.
    pub fn due(&self) -> Option<Duration> {
        self.under_way.is_none().then_some(self.due)
    }

    /// When the lease is lost unless it is renewed; `None` while it is lost.
    pub fn deadline(&self) -> Option<Duration> {
        self.lost_at.is_none().then(|| self.renewed_at.saturating_add(self.timings.lost_after))
    }

    /// The next renewal begins then at the latest.
    pub fn bring_forward(&mut self, to: Duration) {
        self.due = self.due.min(to);
    }

    /// Live → Lost
    pub fn on_time(&mut self, now: Duration) {
        if let Some(end) = self.deadline().filter(|end| *end <= now) {
            self.lost_at = Some(end);
        }
    }

    /// A renewal begins.
    pub fn begin(&mut self, now: Duration) -> Renewal {
        self.on_time(now);
        self.number += 1;
        self.under_way = Some(now);
        let order = if self.has_row { Order::Renew { refresh: self.lost_at.is_some() } } else { Order::Take };
        Renewal { number: self.number, order }
    }

    /// Live → Live | Lost, Lost → Lost | Live. A loss ends only if the fences were refreshed by a
    /// statement that began after it, so that statements from before the loss write nothing.
    pub fn on_answer(&mut self, number: i64, answer: Answer, now: Duration) {
        self.on_time(now);
        if number != self.number {
            return;
        }
        let Some(started) = self.under_way.take() else { return };
        match answer {
            Answer::Renewed { epoch } => {
                let refreshed = epoch == number;
                self.has_row = true;
                self.renewed_at = started;
                let is_news = std::mem::replace(&mut self.epoch, epoch) != epoch;
                self.lost_at = match self.lost_at {
                    Some(lost) if refreshed && started >= lost => None,
                    // The lease had ended unnoticed. Actors that started since the fences were
                    // refreshed hold the new ones, and must not share them with later ones.
                    None if is_news => Some(now),
                    lost => lost,
                };
                // The answer may have taken that long.
                self.on_time(now);
                self.due = match self.state() {
                    LeaseState::Live { .. } => now.saturating_add(self.timings.renew_every),
                    LeaseState::Lost => now,
                };
            }
            Answer::Gone => {
                self.has_row = false;
                self.lost_at.get_or_insert(now);
                self.due = now;
            }
            Answer::Overtaken | Answer::Failed => self.due = now.saturating_add(self.timings.retry_after),
        }
    }
}

/// A change of the lease that the daemon must act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Close every connection and write nothing.
    Lost,
    /// Start again from the rows.
    Back,
}

/// Derives the turns of a lease from snapshots of its state, some of which may come late or
/// never.
#[derive(Clone, Copy, Debug)]
pub struct Follower {
    epoch: i64,
    is_lost: bool,
}

impl Follower {
    /// Of a lease that is live in this epoch.
    pub fn new(epoch: i64) -> Self {
        Self { epoch, is_lost: false }
    }

    pub fn on_state(&mut self, state: LeaseState) -> &'static [Turn] {
        match state {
            LeaseState::Lost if self.is_lost => &[],
            LeaseState::Lost => {
                self.is_lost = true;
                &[Turn::Lost]
            }
            LeaseState::Live { epoch } if epoch == self.epoch && !self.is_lost => &[],
            LeaseState::Live { epoch } => {
                self.epoch = epoch;
                if std::mem::take(&mut self.is_lost) { &[Turn::Back] } else { &[Turn::Lost, Turn::Back] }
            }
        }
    }
}

#[cfg(test)]
mod tests;
