//! What an operator can ask, in every state. Every command is safe to repeat.

use super::{CommandInput, Lifecycle, State, closing::AfterClose};
use crate::domain::{
    CancelReason, Change, CloseReason, Command, CommandId, Desired, Event, Finished, PairRequest, Reason, Status,
};

pub(super) const DELETED_ALREADY: &str = "deleted already";

const RECONNECTING: &str = "connecting again";

impl Lifecycle {
    pub(super) fn on_command(&mut self, input: CommandInput) {
        if self.is_gone() {
            // The row stays `running`; whoever runs the account next takes it again.
            return;
        }
        if let State::Closing { waiting, .. } | State::Reclaiming { waiting, .. } = &mut self.state {
            return waiting.push(input);
        }
        if let State::Deleted { .. } = self.state {
            return self.on_late_command(&input);
        }
        // Who was held by the smallest write has it still.
        self.leave_behind();
        let command = match input.command.clone() {
            Err(reason) => return self.fail(&input, &reason),
            Ok(command) => command,
        };
        match command {
            Command::Pair(request) => self.on_pair(request, input),
            Command::Cancel => self.on_cancel(input),
            Command::Passkey(answer) => self.on_passkey_answer(answer, &input),
            Command::Unpair { logout } => self.close_then(AfterClose::Unpair { logout, command: input }),
            Command::Resume => self.on_resume(input),
            Command::Reconnect => self.on_reconnect(&input),
            Command::Delete => self.on_delete(input),
            Command::SyncGroups => self.on_sync_groups(&input),
        }
    }

    /// Deleted → Gone: who comes next finds the row as it is then.
    fn on_late_command(&mut self, input: &CommandInput) {
        match &input.command {
            Err(reason) => self.fail(input, &reason.clone()),
            Ok(Command::Delete) => self.done(input, DELETED_ALREADY),
            Ok(_) => self.fail(input, "the account was deleted"),
        }
        self.retire();
    }

    /// any → Closing → Opening; Online → Online
    fn on_pair(&mut self, request: PairRequest, input: CommandInput) {
        if matches!(self.state, State::Online { .. }) {
            return self.tell_connected(&input);
        }
        self.close_then(AfterClose::Begin { request, command: input });
    }

    /// (any attempt) → Closing → Unpaired
    fn on_cancel(&mut self, input: CommandInput) {
        if self.record.attempt().is_none() {
            return self.done(&input, "no pair attempt is running");
        }
        let terminal = Event::Cancelled { reason: CancelReason::Operator };
        let command = Some((input, "the attempt was cancelled".to_owned()));
        self.close_then(AfterClose::EndAttempt { terminal, reason: Reason::Cancelled.into(), command });
    }

    /// Unpaired → Reclaiming | Connecting; Held | Reconnecting → Connecting
    fn on_resume(&mut self, input: CommandInput) {
        if matches!(self.state, State::Online { .. }) {
            return self.tell_connected(&input);
        }
        if self.record.attempt().is_some() {
            return self.fail(&input, "a pair attempt is running; cancel it first");
        }
        if self.record.keyring().is_none() {
            return self.fail(&input, "there are no stored keys to connect with; pair the account");
        }
        if self.state.has_session() {
            return self.done(&input, "connecting already");
        }
        match (self.record.phone(), &self.record.last_phone) {
            (None, Some(phone)) => {
                let mut update = self.login_update(&input);
                update.record.learn(Some(phone.clone()), None);
                let until = self.now.after(self.policy.admission_timeout);
                let claimed = Box::new(update.record.clone());
                self.state = State::Reclaiming { command: input, waiting: Vec::new(), claimed, until };
                self.claim(update);
            }
            (Some(_), _) | (None, None) => self.start_login(&input),
        }
    }

    /// What is connected, or tries to be, does so anew, with the settings of now.
    /// (any attempt) → Closing → Opening | Linking; Online | Connecting → Closing → Connecting;
    /// Reconnecting | Held by its proxy → Connecting
    fn on_reconnect(&mut self, input: &CommandInput) {
        let held_by_proxy = self.record.reason.word() == Reason::ProxyInvalid;
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
                self.done(input, RECONNECTING);
                let (reason, until) = (Reason::Reconnecting.into(), self.now);
                self.close_then(AfterClose::NextSocket { reason, until, erase_linking: false });
            }
            State::Online { .. } | State::Connecting { .. } | State::Linking { .. } | State::ClaimingNumber { .. } => {
                self.done(input, RECONNECTING);
                self.close_then(AfterClose::Relogin { reason: CloseReason::RestartRequired, until: self.now });
            }
            State::Reconnecting { .. } => {
                self.done(input, RECONNECTING);
                self.backoff.reset();
                self.log_in();
            }
            State::Held { .. } if held_by_proxy => {
                self.done(input, RECONNECTING);
                self.on_hold_over();
            }
            State::Held { .. } => self.done(input, "the account is held; what was changed is used when it is resumed"),
            State::Unpaired
            | State::Opening { .. }
            | State::AwaitingScan { .. }
            | State::AwaitingPasskey { .. }
            | State::Admitting { .. }
            | State::Waiting { .. }
            | State::Reclaiming { .. }
            | State::Closing { .. }
            | State::Deleted { .. }
            | State::Gone => self.done(input, "nothing is connected; what was changed is used by the next connection"),
        }
    }

    /// Gone from the lists at once; the rest follows the close. any → Closing → Gone
    fn on_delete(&mut self, input: CommandInput) {
        self.record.desired = Desired::Deleted;
        self.record.deleted_at = Some(self.now);
        self.set_status(Status::Deleting, Reason::Operator);
        if self.state.has_session() {
            let change = Change::out_of_pending();
            self.write(change);
        }
        self.close_then(AfterClose::Delete { command: Some(input) });
    }

    /// Online → Online
    fn on_sync_groups(&mut self, input: &CommandInput) {
        let now = self.now;
        let State::Online { groups, .. } = &mut self.state else {
            return self.fail(input, "the account is not connected");
        };
        groups.commands.push((input.id, input.kind.clone()));
        if !groups.asked {
            groups.due = Some(now);
            self.fetch_groups();
        }
    }

    fn tell_connected(&mut self, input: &CommandInput) {
        let change = Change {
            events: vec![Event::Connected { phone: self.record.phone().cloned() }],
            finished: vec![input.ended(Ok("already connected".to_owned()))],
            ..Change::default()
        };
        self.write(change);
    }

    pub(super) fn done(&mut self, input: &CommandInput, result: &str) {
        let change = Change { finished: vec![input.ended(Ok(result.to_owned()))], ..Change::default() };
        self.write(change);
    }

    pub(super) fn fail(&mut self, input: &CommandInput, reason: &str) {
        self.fail_all(vec![(input.id, input.kind.clone())], reason);
    }

    /// Each ends `failed` and emits `command.failed`.
    pub(super) fn fail_all(&mut self, commands: Vec<(CommandId, String)>, reason: &str) {
        if commands.is_empty() {
            return;
        }
        let mut change = Change::default();
        for (command, kind) in commands {
            fail_into(&mut change, command, kind, reason);
        }
        self.write(change);
    }
}

/// The command ends `failed` with this change, and `command.failed` tells so.
pub(super) fn fail_into(change: &mut Change, command: CommandId, kind: String, reason: &str) {
    change.events.push(Event::CommandFailed { command, kind: kind.clone(), reason: reason.to_owned() });
    change.finished.push(Finished { command, kind, result: Err(reason.to_owned()) });
}
