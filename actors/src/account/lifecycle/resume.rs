//! The beginning of a life: a machine made from the row that the last one left.

use super::{Backoff, Finale, Lifecycle, NOBODY, State};
use crate::{
    domain::{AccountRecord, Desired, Event, Incarnation, Instant, Policy, Status},
    ports::Change,
};

impl Lifecycle {
    /// Goes on from the row, whoever wrote it and however it ended. `seed` is this
    /// life's randomness; two lives of one account must not have the same.
    pub fn resume(record: AccountRecord, policy: Policy, seed: u128, now: Instant) -> (Self, Vec<super::Effect>) {
        let mut life = Self {
            record,
            policy,
            state: State::Unpaired,
            incarnation: Incarnation::default(),
            seed,
            backoff: Backoff::default(),
            refreshed: false,
            source: NOBODY.to_owned(),
            now,
            effects: Vec::new(),
        };
        life.pick_up();
        let effects = std::mem::take(&mut life.effects);
        (life, effects)
    }

    fn pick_up(&mut self) {
        if self.record.deleted_at.is_some() || self.record.desired == Desired::Deleted {
            return self.pick_up_deletion();
        }
        if self.record.status == Status::Pending {
            return self.pick_up_attempt();
        }
        if let Some(keyring) = self.record.linking.take() {
            // No attempt owns it: the phone may list a device that nobody wants.
            let tickets = vec![(keyring, "left behind".to_owned())];
            let change = Change { tickets, ..self.change() };
            self.write(change);
        }
        if self.record.desired == Desired::Paired && self.record.keyring.is_some() {
            return self.pick_up_link();
        }
        if !matches!(self.record.status, Status::Unpaired) {
            self.give_up_number();
            self.record.desired = Desired::Unpaired;
            self.record.next_retry_at = None;
            self.set_status(Status::Unpaired, "no_keys");
            let change = self.change_out_of_pending();
            self.write(change);
        }
    }

    /// A crash may have cut the deletion off: then it is finished. Otherwise the
    /// machine only answers commands that come too late. → Gone | Unpaired
    fn pick_up_deletion(&mut self) {
        let unfinished =
            self.record.keyring.is_some() || self.record.linking.is_some() || self.record.attempt.is_some();
        if unfinished {
            self.close_then(Finale::Delete { command: None });
        }
    }

    /// An attempt with time left goes on; one without ends as it would have. → Opening | Linking | Unpaired
    fn pick_up_attempt(&mut self) {
        let too_old = self.record.since.after(self.policy.pending_max_age) <= self.now;
        match &self.record.attempt {
            Some(attempt) if attempt.deadline > self.now && !too_old => {
                if self.record.linking.is_none() {
                    self.record.phone = None;
                    self.record.device_jid = None;
                }
                self.set_status(Status::Pending, "daemon_restarted");
                let change = self.change_out_of_pending();
                self.write(change);
                self.continue_attempt();
            }
            Some(_) => self.end_attempt_by_timeout(),
            None => {
                self.record.phone = None;
                self.record.desired = Desired::Unpaired;
                self.set_status(Status::Unpaired, "timeout");
                let mut change = self.change_out_of_pending();
                change.events.push(Event::Timeout);
                change.tickets.extend(self.record.linking.take().map(|keyring| (keyring, "left behind".to_owned())));
                self.write(Change { record: self.record.clone(), ..change });
            }
        }
    }

    /// → Connecting | Held
    fn pick_up_link(&mut self) {
        if self.record.status == Status::Held {
            let until = self.record.next_retry_at;
            self.state = State::Held { until };
            return;
        }
        if self.record.status == Status::Connected {
            let reason = "daemon_restarted";
            self.set_status(Status::Reconnecting, reason);
            self.record.next_retry_at = Some(self.now);
            let told = Event::Disconnected { reason: reason.to_owned(), next_retry_at: self.now };
            let change = Change { events: vec![told], ..self.change() };
            self.write(change);
        }
        self.log_in();
    }
}
