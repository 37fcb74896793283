//! The operator's commands, in every state. Every command is safe to repeat.

use super::{CommandInput, Lifecycle, State, Step, closing::AfterClose};
use crate::domain::{
    CancelReason, Change, CloseReason, Command, CommandId, CommandKind, Desired, Event, Finished, HoldCause,
    PairRequest, Reason, Status,
};

/// Why a command failed that needs a connection.
pub(super) const NOT_CONNECTED: &str = "the account is not connected";
pub(super) const DELETED_ALREADY: &str = "deleted already";

const RECONNECTING: &str = "connecting again";

impl Lifecycle {
    pub(super) fn on_command(&mut self, input: CommandInput, step: &mut Step) {
        if self.is_gone() {
            // The row stays `running`, and the next owner takes it again.
            return;
        }
        if let State::Closing { waiting, .. } | State::Reclaiming { waiting, .. } = &mut self.state {
            return waiting.push(input);
        }
        if let State::Deleted { .. } = self.state {
            return self.on_late_command(&input, step);
        }
        // After a minimal hold, the row may still have a link to leave behind.
        self.leave_behind(step);
        let command = match input.command.clone() {
            Err(reason) => return self.fail(&input, &reason.to_string(), step),
            Ok(command) => command,
        };
        match command {
            Command::Pair(request) => self.on_pair(request, input, step),
            Command::Cancel => self.on_cancel(input, step),
            Command::Passkey(answer) => self.on_passkey_answer(answer, &input, step),
            Command::Unpair { logout } => self.close_then(AfterClose::Unpair { logout, command: input }, step),
            Command::Resume => self.on_resume(input, step),
            Command::Reconnect => self.on_reconnect(&input, step),
            Command::Delete => self.on_delete(input, step),
            Command::SyncGroups => self.on_sync_groups(&input, step),
            Command::Online(request) => self.on_request(request, &input, step),
        }
    }

    /// Deleted → Gone. A further command starts a new actor from the row.
    fn on_late_command(&mut self, input: &CommandInput, step: &mut Step) {
        match &input.command {
            Err(reason) => self.fail(input, &reason.to_string(), step),
            Ok(Command::Delete) => self.done(input, DELETED_ALREADY, step),
            Ok(_) => self.fail(input, "the account was deleted", step),
        }
        self.retire(step);
    }

    /// any → Closing → Opening; Online → Online
    fn on_pair(&mut self, request: PairRequest, input: CommandInput, step: &mut Step) {
        if matches!(self.state, State::Online { .. }) {
            return self.tell_connected(&input, step);
        }
        self.close_then(AfterClose::Begin { request, command: input }, step);
    }

    /// (any attempt) → Closing → Unpaired
    fn on_cancel(&mut self, input: CommandInput, step: &mut Step) {
        if self.record.attempt().is_none() {
            return self.done(&input, "no pair attempt is running", step);
        }
        let terminal = Event::Cancelled { reason: CancelReason::Operator };
        let (reason, cancel) = (Reason::Cancelled.into(), Some(input));
        self.close_then(AfterClose::EndAttempt { terminal, reason, cancel }, step);
    }

    /// Unpaired → Reclaiming | Connecting; Held | Reconnecting → Connecting
    fn on_resume(&mut self, input: CommandInput, step: &mut Step) {
        if matches!(self.state, State::Online { .. }) {
            return self.tell_connected(&input, step);
        }
        if self.record.attempt().is_some() {
            return self.fail(&input, "a pair attempt is running; cancel it first", step);
        }
        if self.record.keyring().is_none() {
            return self.fail(&input, "there are no stored keys to connect with; pair the account", step);
        }
        if self.state.has_session() {
            return self.done(&input, "connecting already", step);
        }
        match (self.record.phone(), &self.record.last_phone) {
            (None, Some(phone)) => {
                let mut update = self.login_update(&input, step);
                update.record.learn(Some(phone.clone()), None);
                let until = step.now.after(self.policy.admission_timeout);
                let claimed = Box::new(update.record.clone());
                self.state = State::Reclaiming { command: input, waiting: Vec::new(), claimed, until };
                self.claim(update, step);
            }
            (Some(_), _) | (None, None) => self.start_login(&input, step),
        }
    }

    /// Reconnects with the current settings, if connected or trying to be.
    /// (any attempt) → Closing → Opening | Linking; Online | Connecting → Closing → Connecting;
    /// Reconnecting | Held by its proxy → Connecting
    fn on_reconnect(&mut self, input: &CommandInput, step: &mut Step) {
        match &self.state {
            State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::Linking { .. }
            | State::ClaimingNumber { .. }
            | State::Waiting { .. }
                if self.record.attempt().is_some() =>
            {
                self.done(input, RECONNECTING, step);
                let (reason, until) = (Reason::Reconnecting.into(), step.now);
                self.close_then(AfterClose::NextSocket { reason, until, erase_linking: false }, step);
            }
            State::Online { .. } | State::Connecting { .. } | State::Linking { .. } | State::ClaimingNumber { .. } => {
                self.done(input, RECONNECTING, step);
                let (reason, is_trial) = (CloseReason::RestartRequired, self.state.is_trial());
                self.close_then(AfterClose::Relogin { reason, until: step.now, is_trial }, step);
            }
            State::Reconnecting { .. } => {
                self.done(input, RECONNECTING, step);
                self.backoff.reset();
                self.log_in(step);
            }
            State::Held { cause: HoldCause::UnusableProxy, .. } => {
                self.done(input, RECONNECTING, step);
                self.on_hold_over(step);
            }
            State::Held { cause: HoldCause::OutdatedClient | HoldCause::Other, .. } => {
                self.done(input, "the account is held; what was changed is used when it is resumed", step)
            }
            State::Unpaired
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::Waiting { .. }
            | State::Reclaiming { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => {
                self.done(input, "nothing is connected; what was changed is used by the next connection", step)
            }
        }
    }

    /// Gone from the lists at once; the rest follows the close. any → Closing → Gone
    fn on_delete(&mut self, input: CommandInput, step: &mut Step) {
        self.record.desired = Desired::Deleted;
        self.record.deleted_at = Some(step.now);
        self.set_status(Status::Deleting, Reason::Operator, step);
        if self.state.has_session() {
            let change = Change::out_of_pending();
            self.write(change, step);
        }
        self.close_then(AfterClose::Delete { command: Some(input) }, step);
    }

    /// Online → Online
    fn on_sync_groups(&mut self, input: &CommandInput, step: &mut Step) {
        let now = step.now;
        let State::Online { groups, .. } = &mut self.state else {
            return self.fail(input, NOT_CONNECTED, step);
        };
        groups.commands.push(input.id);
        if !groups.asked {
            groups.due = Some(now);
            self.fetch_groups(step);
        }
    }

    fn tell_connected(&mut self, input: &CommandInput, step: &mut Step) {
        let change = Change {
            events: vec![Event::Connected { phone: self.record.phone().cloned() }],
            finished: vec![input.ended(Ok("already connected".to_owned()))],
            ..Change::default()
        };
        self.write(change, step);
    }

    pub(super) fn done(&mut self, input: &CommandInput, result: &str, step: &mut Step) {
        let change = Change { finished: vec![input.ended(Ok(result.to_owned()))], ..Change::default() };
        self.write(change, step);
    }

    pub(super) fn fail(&mut self, input: &CommandInput, reason: &str, step: &mut Step) {
        self.fail_all(&[input.id], &input.kind, reason, step);
    }

    /// See [`Groups::commands`](super::state::Groups).
    pub(super) fn fail_syncs(&mut self, commands: &[CommandId], reason: &str, step: &mut Step) {
        self.fail_all(commands, CommandKind::SyncGroups.as_str(), reason, step);
    }

    /// Each of these, of one kind, ends `failed` and emits `command.failed`.
    pub(super) fn fail_all(&mut self, commands: &[CommandId], kind: &str, reason: &str, step: &mut Step) {
        if commands.is_empty() {
            return;
        }
        let mut change = Change::default();
        for command in commands {
            fail_into(&mut change, *command, kind.to_owned(), reason);
        }
        self.write(change, step);
    }
}

/// Ends the command as `failed` in this change, with a `command.failed` event.
pub(super) fn fail_into(change: &mut Change, command: CommandId, kind: String, reason: &str) {
    change.events.push(Event::CommandFailed { command, kind: kind.clone(), reason: reason.to_owned() });
    change.finished.push(Finished { command, kind, result: Err(reason.to_owned()) });
}
