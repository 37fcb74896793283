//! Closes a connection before recording what follows. So an attempt's end is published only
//! once its connection is gone, and no unlink ticket is opened for a device that is still
//! connected.

use super::{
    CommandInput, Effect, Lifecycle, NOBODY, State, Step,
    commands::{DELETED_ALREADY, fail_into},
    state::LifecyclePhase,
};
use crate::domain::{
    AuditAction, CancelReason, Change, CloseReason, Command, Desired, Event, HoldCause, Instant, PairRequest, Phone,
    Reason, Status, StatusReason, TicketReason, Unlinked,
};

/// The step that follows once the connection is closed.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterClose {
    /// The attempt is over. Closing → Unpaired
    EndAttempt { terminal: Event, reason: StatusReason, cancel: Option<CommandInput> },
    /// The attempt starts, in place of one that runs or of a link that is down. Closing → Opening
    Begin { request: PairRequest, command: CommandInput },
    /// The attempt goes on, with another socket. Closing → Waiting | Opening | Linking
    NextSocket { reason: StatusReason, until: Instant, erase_linking: bool },
    /// The link is there and the socket is not. Closing → Reconnecting | Connecting
    Relogin { reason: CloseReason, until: Instant, is_trial: bool },
    /// WhatsApp says that the link is gone. Closing → Unpaired
    LinkGone { reason: CloseReason },
    /// WhatsApp says: not now. Closing → Held
    Hold { reason: CloseReason, cause: HoldCause, until: Option<Instant> },
    /// The number has another holder; the keys are parked. Closing → Unpaired
    Park { phone: Phone, existing_label: String },
    /// The operator wants it closed. Closing → Unpaired
    Unpair { logout: bool, command: CommandInput },
    /// The operator wants it gone; `deleted_at` is written already. Closing → Gone
    Delete { command: Option<CommandInput> },
    /// This daemon gives the account up. Closing → Gone
    Leave(Leaving),
}

/// The way in which this daemon gives an account up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It is another daemon's, or may be soon: nothing is written, and sockets are cut.
    Fenced,
    /// No other daemon is known to take over: consumers hear at once that it is disconnected.
    Announced,
    /// Another daemon takes over: consumers hear of it only if that takes too long.
    Moved,
}

impl AfterClose {
    /// Not to be lost when the daemon stops; the others are what a restart does anyway.
    fn ends_something(&self) -> bool {
        match self {
            Self::EndAttempt { .. }
            | Self::LinkGone { .. }
            | Self::Hold { .. }
            | Self::Park { .. }
            | Self::Unpair { .. }
            | Self::Delete { .. } => true,
            // The command of a `Begin` is run again by the next owner.
            Self::Begin { .. } | Self::NextSocket { .. } | Self::Relogin { .. } | Self::Leave(_) => false,
        }
    }
}

impl Lifecycle {
    /// Closes the connection if there is one, then does what follows. any → Closing
    pub(super) fn close_then(&mut self, after: AfterClose, step: &mut Step) {
        if let State::Online { groups, .. } = &mut self.state {
            let unanswered = std::mem::take(&mut groups.commands);
            // On leaving they stay `running`, and the next owner runs them again.
            if !matches!(after, AfterClose::Leave(_)) {
                self.fail_syncs(&unanswered, "the connection ended before the groups came", step);
            }
        }
        self.requests_lose(&after, step);
        if matches!(self.state, State::Admitting { .. }) {
            step.order(Effect::RefuseLink(self.incarnation));
        }
        let had_session = self.state.has_session();
        let until = step.now.after(self.policy.close_timeout);
        self.state = State::Closing { after: Box::new(after), waiting: Vec::new(), leave: false, until };
        if had_session {
            step.order(Effect::Close(self.incarnation));
        } else {
            self.finish_closing(step);
        }
    }

    /// Gives the account up at once and leaves any pending follow-up to the next owner.
    /// any → Closing → Gone
    fn cut(&mut self, step: &mut Step) {
        if matches!(self.state, State::Admitting { .. }) {
            step.order(Effect::RefuseLink(self.incarnation));
        }
        let had_session = self.state.has_session();
        let after = Box::new(AfterClose::Leave(Leaving::Fenced));
        let until = step.now.after(self.policy.close_timeout);
        self.state = State::Closing { after, waiting: Vec::new(), leave: false, until };
        if had_session {
            step.order(Effect::Cut(self.incarnation));
        } else {
            self.finish_closing(step);
        }
    }

    /// [`Effect::Close`] is being carried out: its time is measured from now on, however long
    /// a write before it took.
    pub fn close_begins(&mut self, now: Instant) {
        if let State::Closing { until, .. } = &mut self.state {
            *until = now.after(self.policy.close_timeout);
        }
    }

    /// Closing → the state that follows
    pub(super) fn on_session_closed(&mut self, step: &mut Step) {
        if matches!(self.state, State::Closing { .. }) {
            self.finish_closing(step);
        }
    }

    /// Gives the account up. If a close is under way, a follow-up that ends something is recorded
    /// first, unless the account is fenced; one that would reconnect is dropped.
    pub(super) fn leave(&mut self, leaving: Leaving, step: &mut Step) {
        if leaving == Leaving::Fenced {
            return self.cut(step);
        }
        let State::Closing { after, leave, .. } = &mut self.state else {
            return self.close_then(AfterClose::Leave(leaving), step);
        };
        if after.ends_something() {
            *leave = true;
        } else if !matches!(**after, AfterClose::Leave(_)) {
            // One that leaves already stays as it is: a fence is not undone by a drain.
            **after = AfterClose::Leave(leaving);
        }
    }

    /// Gives the account up: the next owner runs again what is not ended.
    pub(super) fn is_leaving(&self) -> bool {
        match self.state.phase() {
            LifecyclePhase::Closing => {
                matches!(&self.state, State::Closing { after, .. } if matches!(**after, AfterClose::Leave(_)))
            }
            LifecyclePhase::Gone => true,
            LifecyclePhase::Resting | LifecyclePhase::Pairing | LifecyclePhase::Linking | LifecyclePhase::Linked => {
                false
            }
        }
    }

    pub(super) fn finish_closing(&mut self, step: &mut Step) {
        let State::Closing { after, waiting, leave, .. } = std::mem::replace(&mut self.state, State::Unpaired) else {
            return;
        };
        match *after {
            AfterClose::Delete { command } => return self.finish_delete(command, waiting, step),
            AfterClose::Leave(leaving) => return self.finish_leave(leaving, step),
            AfterClose::EndAttempt { terminal, reason, cancel } => {
                self.finish_attempt(terminal, reason, cancel.as_ref(), step)
            }
            AfterClose::Begin { request, command } => self.begin_attempt(request, command, step),
            AfterClose::NextSocket { reason, until, erase_linking } => {
                self.finish_socket(reason, until, erase_linking, step)
            }
            AfterClose::Relogin { reason, until, is_trial } => self.finish_loss(&reason, until, is_trial, step),
            AfterClose::LinkGone { reason } => self.finish_link_gone(&reason, step),
            AfterClose::Hold { reason, cause, until } => self.finish_hold(&reason, cause, until, step),
            AfterClose::Park { phone, existing_label } => self.finish_park(phone, existing_label, step),
            AfterClose::Unpair { logout, command } => self.finish_unpair(logout, &command, step),
        }
        if leave {
            return self.close_then(AfterClose::Leave(Leaving::Announced), step);
        }
        for command in waiting {
            self.on_command(command, step);
        }
    }

    /// Closing → Unpaired
    fn finish_attempt(
        &mut self,
        terminal: Event,
        reason: StatusReason,
        cancel: Option<&CommandInput>,
        step: &mut Step,
    ) {
        let mut change = Change::out_of_pending();
        change.finished.extend(cancel.map(|command| command.ended(Ok("the attempt was cancelled".to_owned()))));
        self.finish_attempt_with(change, terminal, reason, step);
    }

    fn finish_attempt_with(&mut self, mut change: Change, terminal: Event, reason: StatusReason, step: &mut Step) {
        self.end_attempt_into(&mut change, terminal);
        self.record.desired = Desired::Unpaired;
        self.record.next_retry_at = None;
        self.set_status(Status::Unpaired, reason, step);
        self.state = State::Unpaired;
        self.write(change, step);
    }

    /// The attempt's one terminal event, and what becomes of its keys: a device
    /// that the phone may list gets a ticket, keys that were never confirmed go.
    pub(super) fn end_attempt_into(&mut self, change: &mut Change, terminal: Event) {
        let Some(attempt) = self.record.end_attempt() else { return };
        let device = attempt.device.map(|device| (device.keyring, TicketReason::AttemptEnded(terminal.kind())));
        change.tickets.extend(device);
        change.events.push(terminal);
    }

    /// Closing → Waiting | Opening | Linking
    fn finish_socket(&mut self, reason: StatusReason, until: Instant, erase_linking: bool, step: &mut Step) {
        let mut change = Change::out_of_pending();
        if erase_linking {
            change.erase.extend(self.record.drop_new_link());
        }
        if self.record.attempt().is_some_and(|attempt| attempt.deadline <= step.now) {
            let after = reason.setback().or_else(|| self.setback.clone());
            let reason = StatusReason::after(Reason::Timeout, after.as_ref());
            return self.finish_attempt_with(change, Event::Timeout { after }, reason, step);
        }
        self.set_status(Status::Pending, reason, step);
        // One that the attempt does not live to see is not announced.
        self.record.next_retry_at = (until > step.now && self.within_the_attempt(until) == until).then_some(until);
        self.write(change, step);
        if until > step.now {
            self.state = State::Waiting { until };
        } else {
            self.continue_attempt(step);
        }
    }

    /// Closing → Reconnecting | Connecting
    fn finish_loss(&mut self, reason: &CloseReason, until: Instant, is_trial: bool, step: &mut Step) {
        if *reason == CloseReason::RestartRequired && until <= step.now {
            if self.record.status == Status::Connected {
                // Like a move: an event follows only if it takes long, as in a mass reconnect.
                self.record.released_at = Some(step.now);
            }
            return self.log_in_as(is_trial, step);
        }
        // One that came from another daemon counts, too: consumers believe that it is connected.
        let was_connected = self.record.released_at.take().is_some() || self.record.status == Status::Connected;
        self.record.next_retry_at = Some(until);
        self.set_status(Status::Reconnecting, reason.reason(), step);
        let mut change = Change::default();
        if was_connected {
            change.events.push(Event::Disconnected { reason: reason.reason(), next_retry_at: until });
            change.audit.push(self.audit(NOBODY, AuditAction::Disconnected, reason.raw()));
        }
        self.write(change, step);
        self.state = State::Reconnecting { until };
    }

    /// Closing → Unpaired. The keys open nothing any more: WhatsApp said so.
    fn finish_link_gone(&mut self, reason: &CloseReason, step: &mut Step) {
        let keyring = self.record.take_keyring();
        self.record.desired = Desired::Unpaired;
        self.record.next_retry_at = None;
        self.record.groups_synced_at = None;
        self.set_status(Status::Unpaired, Reason::LoggedOut, step);
        let change = Change {
            erase: keyring.into_iter().collect(),
            events: vec![Event::LoggedOut { reason: reason.reason() }],
            audit: vec![self.audit(NOBODY, AuditAction::LoggedOut, reason.raw())],
            ..Change::default()
        };
        self.write(change, step);
        self.state = State::Unpaired;
    }

    /// Closing → Held
    fn finish_hold(&mut self, reason: &CloseReason, cause: HoldCause, until: Option<Instant>, step: &mut Step) {
        self.record.next_retry_at = until;
        self.set_status(Status::Held, reason.reason(), step);
        let mut change = Change::default();
        // The event was sent when WhatsApp first refused this client; further refusals add nothing.
        let is_told = cause == HoldCause::OutdatedClient && self.outdated.are_many();
        if !is_told {
            change.events.push(Event::Held { reason: reason.reason(), until });
            change.audit.push(self.audit(NOBODY, AuditAction::Held, reason.raw()));
        }
        self.write(change, step);
        self.state = State::Held { cause, until };
    }

    /// Closing → Unpaired
    fn finish_park(&mut self, phone: Phone, existing_label: String, step: &mut Step) {
        self.record.give_up_number();
        self.record.desired = Desired::Unpaired;
        self.record.next_retry_at = None;
        self.set_status(Status::Unpaired, Reason::Duplicate, step);
        let change = Change { events: vec![Event::Duplicate { phone, existing_label }], ..Change::default() };
        self.write(change, step);
        self.state = State::Unpaired;
    }

    /// Closing → Unpaired. The keys are parked, or get a ticket.
    fn finish_unpair(&mut self, logout: bool, command: &CommandInput, step: &mut Step) {
        let mut change = Change::out_of_pending();
        self.end_attempt_into(&mut change, Event::Cancelled { reason: CancelReason::Operator });
        if logout {
            change.tickets.extend(self.record.take_keyring().map(|keyring| (keyring, TicketReason::Unpaired)));
            self.record.groups_synced_at = None;
        }
        self.record.give_up_number();
        self.record.desired = Desired::Unpaired;
        self.record.next_retry_at = None;
        let unlinked = if change.tickets.is_empty() { Unlinked::None } else { Unlinked::Pending };
        change.events.push(Event::AccountUnpaired { unlinked });
        // Asked twice, done once.
        if self.record.status != Status::Unpaired || unlinked == Unlinked::Pending {
            change.audit.push(self.audit(&command.source, AuditAction::Unpaired, None));
        }
        self.set_status(Status::Unpaired, Reason::Operator, step);
        let result = match (unlinked, self.record.keyring()) {
            (Unlinked::Pending, _) => "unpaired; the device is being removed from the phone",
            (Unlinked::Confirmed | Unlinked::None, Some(_)) => {
                "unpaired; the phone still lists the device, and resuming connects it again"
            }
            (Unlinked::Confirmed | Unlinked::None, None) => "unpaired",
        };
        change.finished.push(command.ended(Ok(result.to_owned())));
        self.state = State::Unpaired;
        self.write(change, step);
    }

    /// Closing → Gone
    fn finish_delete(&mut self, command: Option<CommandInput>, waiting: Vec<CommandInput>, step: &mut Step) {
        let mut change = Change::out_of_pending();
        self.end_attempt_into(&mut change, Event::Cancelled { reason: CancelReason::Operator });
        self.leave_behind_into(&mut change);
        change.tickets.extend(self.record.take_keyring().map(|keyring| (keyring, TicketReason::Deleted)));
        change.deletes = true;
        self.record.give_up_number();
        self.record.next_retry_at = None;
        self.record.groups_synced_at = None;
        let unlinked = if change.tickets.is_empty() { Unlinked::None } else { Unlinked::Pending };
        match unlinked {
            Unlinked::Pending => self.set_status(Status::Deleting, Reason::Unlinking, step),
            Unlinked::Confirmed | Unlinked::None => self.set_status(Status::Unpaired, Reason::Deleted, step),
        }
        let source = command.as_ref().map_or(NOBODY, |command| command.source.as_str());
        change.events.push(Event::AccountDeleted { unlinked });
        change.audit.push(self.audit(source, AuditAction::Deleted, None));
        change.groups = Some(Vec::new());
        if let Some(command) = command {
            let result = match unlinked {
                Unlinked::Pending => "deleted; the device is being removed from the phone",
                Unlinked::Confirmed | Unlinked::None => "deleted",
            };
            change.finished.push(command.ended(Ok(result.to_owned())));
        }
        for command in waiting {
            match command.command {
                Ok(Command::Delete) => change.finished.push(command.ended(Ok(DELETED_ALREADY.to_owned()))),
                Ok(_) | Err(_) => fail_into(&mut change, command.id, command.kind, "the account was deleted"),
            }
        }
        self.write(change, step);
        self.retire(step);
    }

    /// Closing → Gone. The desired state stays as it is.
    fn finish_leave(&mut self, leaving: Leaving, step: &mut Step) {
        let is_connected = self.record.status == Status::Connected;
        if is_connected && leaving != Leaving::Fenced {
            self.record.next_retry_at = Some(step.now);
            self.set_status(Status::Reconnecting, Reason::Released, step);
            self.record.released_at = Some(step.now);
        }
        match leaving {
            Leaving::Fenced => {}
            Leaving::Announced if self.record.released_at.is_some() => self.tell_of_the_move(step),
            Leaving::Moved if is_connected => {
                self.write_row(step);
            }
            Leaving::Announced | Leaving::Moved => {}
        }
        self.retire(step);
    }

    /// When a move between daemons has taken so long that consumers must hear that the account
    /// is disconnected.
    pub(super) fn move_deadline(&self) -> Option<Instant> {
        let on_its_way = matches!(self.state, State::Connecting { .. } | State::Reconnecting { .. } | State::Unpaired);
        self.record.released_at.filter(|_| on_its_way).map(|at| at.after(self.policy.move_timeout))
    }

    /// It takes longer than a move may. The state stays.
    pub(super) fn tell_of_the_move(&mut self, step: &mut Step) {
        self.record.released_at = None;
        if self.record.status == Status::Connected {
            self.record.next_retry_at = Some(step.now);
            self.set_status(Status::Reconnecting, Reason::RestartRequired, step);
        }
        let next_retry_at = self.record.next_retry_at.unwrap_or(step.now);
        let change = Change {
            events: vec![Event::Disconnected { reason: self.record.reason.clone(), next_retry_at }],
            audit: vec![self.audit(NOBODY, AuditAction::Disconnected, None)],
            ..Change::default()
        };
        self.write(change, step);
    }

    pub(super) fn retire(&mut self, step: &mut Step) {
        self.state = State::Gone;
        self.requests = Vec::new();
        step.order(Effect::Retire);
    }
}
