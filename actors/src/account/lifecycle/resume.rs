//! Builds a machine from the row that the previous one left.

use super::{AfterClose, Lifecycle, NOBODY, State, Step};
use crate::domain::{
    AccountRecord, AuditAction, Change, Desired, Event, Failures, Finished, HoldCause, Incarnation, Instant,
    PendingAttempt, Policy, Reason, Status, StatusReason, TicketReason, Trouble,
};

impl Lifecycle {
    /// Continues from the row, even if its writer crashed at any point. `seed` is this life's
    /// randomness; two lives of one account must not have the same.
    pub fn resume(record: AccountRecord, policy: Policy, seed: u128, now: Instant) -> (Self, Vec<super::Effect>) {
        let mut life = Self::of(record, policy, seed, now);
        let mut step = Step::at(now);
        life.pick_up(&mut step);
        (life, step.effects)
    }

    /// Puts the account on hold, because its row cannot be read or the database refuses to write
    /// it. The change is as small as possible and leaves the unreadable columns alone. Commands
    /// are then handled as for any held account.
    pub fn hold(
        record: AccountRecord,
        policy: Policy,
        seed: u128,
        now: Instant,
        trouble: Trouble,
    ) -> (Self, Vec<super::Effect>) {
        let mut life = Self::of(record, policy, seed, now);
        let mut step = Step::at(now);
        life.be_held(trouble, &mut step);
        (life, step.effects)
    }

    fn of(record: AccountRecord, policy: Policy, seed: u128, now: Instant) -> Self {
        let is_kept = record.reason.is_refusal() || !record.reason.word().is_setback();
        let setback = record.reason.setback().filter(|_| is_kept && record.status == Status::Pending);
        Self {
            record,
            policy,
            state: State::Unpaired,
            incarnation: Incarnation::default(),
            seed,
            backoff: Failures::default(),
            socket_since: now,
            was_prompt: false,
            setback,
            outdated: Failures::default(),
            doubted: None,
            source: NOBODY.to_owned(),
            told_groups: None,
            requests: Vec::new(),
        }
    }

    /// → Held | Deleted. Announced once: a row that says so already is not written again.
    fn be_held(&mut self, trouble: Trouble, step: &mut Step) {
        if self.record.deleted_at.is_some() {
            return self.rest_deleted(trouble, step);
        }
        let Trouble { reason, commands, is_muted } = trouble;
        self.state = State::Held { cause: HoldCause::Other, until: None };
        let was_held = self.record.status == Status::Held && self.record.reason == reason;
        if was_held && self.record.attempt().is_none() && commands.is_empty() {
            return;
        }
        let mut change = Change::out_of_pending();
        if is_muted {
            self.record.abandon_attempt();
        } else {
            self.end_attempt_into(&mut change, Event::Failed { reason: reason.clone() });
        }
        self.record.next_retry_at = None;
        self.record.set_status(Status::Held, reason.clone(), step.now);
        if !was_held && !is_muted {
            change.events.push(Event::Held { reason: reason.clone(), until: None });
            change.audit.push(self.audit(NOBODY, AuditAction::Held, reason.raw()));
        }
        fail_all(&mut change, commands, &reason, is_muted);
        self.write(change, step);
    }

    /// A deleted account is not held: operators no longer see it and could not resume it. The
    /// rest of its deletion is retried with the next command, or after the longest backoff.
    /// → Deleted
    fn rest_deleted(&mut self, Trouble { reason, commands, is_muted }: Trouble, step: &mut Step) {
        self.state = State::Deleted { until: step.now.after(self.policy.backoff_cap) };
        if !commands.is_empty() {
            let mut change = Change::default();
            fail_all(&mut change, commands, &reason, is_muted);
            self.write(change, step);
        }
    }

    fn pick_up(&mut self, step: &mut Step) {
        if self.record.deleted_at.is_some() || self.record.desired == Desired::Deleted {
            return self.pick_up_deletion(step);
        }
        if self.record.status == Status::Pending {
            return self.pick_up_attempt(step);
        }
        self.leave_behind(step);
        if self.record.desired == Desired::Paired && self.record.keyring().is_some() {
            return self.pick_up_link(step);
        }
        if !matches!(self.record.status, Status::Unpaired) {
            self.record.give_up_number();
            self.record.desired = Desired::Unpaired;
            self.record.next_retry_at = None;
            self.set_status(Status::Unpaired, Reason::NoKeys, step);
            let change = Change::out_of_pending();
            self.write(change, step);
        }
    }

    /// Opens a ticket for a link that no attempt owns any more, since the phone may still list
    /// its device, and frees the number that only that attempt had. The state stays.
    pub(super) fn leave_behind(&mut self, step: &mut Step) {
        let mut change = Change::default();
        self.leave_behind_into(&mut change);
        if !change.tickets.is_empty() {
            self.write(change, step);
        }
    }

    pub(super) fn leave_behind_into(&mut self, change: &mut Change) {
        let Some(device) = self.record.take_left_behind() else { return };
        if self.record.status == Status::Unpaired {
            self.record.last_phone = device.phone.or(self.record.last_phone.take());
        }
        change.tickets.push((device.keyring, TicketReason::LeftBehind));
    }

    /// A deletion that a crash cut off is finished, and one whose last device entry has left
    /// its phone is settled. → Closing | Deleted
    fn pick_up_deletion(&mut self, step: &mut Step) {
        let unfinished =
            self.record.keyring().is_some() || self.record.linking().is_some() || self.record.attempt().is_some();
        if unfinished {
            return self.close_then(AfterClose::Delete { command: None }, step);
        }
        if self.record.status == Status::Deleting {
            self.set_status(Status::Unpaired, Reason::Deleted, step);
            self.write_row(step);
        }
        self.state = State::Deleted { until: step.now.after(self.policy.late_commands) };
    }

    /// An attempt with time left goes on; one without ends as it would have. → Opening | Linking | Unpaired
    fn pick_up_attempt(&mut self, step: &mut Step) {
        if pending(&self.record).staleness(&self.policy, step.now).is_none() {
            self.set_status(Status::Pending, Reason::DaemonRestarted, step);
            let change = Change::out_of_pending();
            self.write(change, step);
            return self.continue_attempt(step);
        }
        if self.record.attempt().is_some() {
            return self.end_attempt_by_timeout(step);
        }
        let mut change = Change::out_of_pending();
        change.events.push(Event::Timeout { after: None });
        self.leave_behind_into(&mut change);
        self.record.forget_number();
        self.record.desired = Desired::Unpaired;
        self.set_status(Status::Unpaired, Reason::Timeout, step);
        self.write(change, step);
    }

    /// → Connecting | Held
    fn pick_up_link(&mut self, step: &mut Step) {
        if self.record.status == Status::Held {
            let cause = HoldCause::of_row(&self.record.reason);
            // Without a date it was held by a version of paird that waited for a person.
            let until = self.record.next_retry_at.or_else(|| self.next_trial(cause, step));
            self.state = State::Held { cause, until };
            return;
        }
        if self.record.status == Status::Connected {
            self.set_status(Status::Reconnecting, Reason::DaemonRestarted, step);
            self.record.released_at = None;
            self.record.next_retry_at = Some(step.now);
            let told = Event::Disconnected { reason: Reason::DaemonRestarted.into(), next_retry_at: step.now };
            let change = Change { events: vec![told], ..Change::default() };
            self.write(change, step);
        } else if self.move_deadline().is_some_and(|due| due <= step.now) {
            self.tell_of_the_move(step);
        }
        self.log_in(step);
    }
}

/// The commands that a refused change would have ended fail with the reason of the refusal.
fn fail_all(change: &mut Change, commands: Vec<Finished>, reason: &StatusReason, is_muted: bool) {
    for Finished { command, kind, .. } in commands {
        if !is_muted {
            change.events.push(Event::CommandFailed { command, kind: kind.clone(), reason: reason.to_string() });
        }
        change.finished.push(Finished { command, kind, result: Err(reason.to_string()) });
    }
}

/// A row that says `pending`, as a sweep sees it.
pub fn pending(record: &AccountRecord) -> PendingAttempt {
    PendingAttempt {
        account: record.id,
        label: record.label.clone(),
        since: record.since,
        deadline: record.attempt().map(|attempt| attempt.deadline),
    }
}
