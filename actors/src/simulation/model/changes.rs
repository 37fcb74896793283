//! Changes of accounts, and tries of tickets.

use std::{collections::BTreeSet, time::Duration};

use uuid::Uuid;

use super::{
    super::flaws::Flaw,
    Model,
    rows::{CommandState, StoredAccount, StoredEvent, StoredKeyring, StoredTicket, ToldEvent},
    statement::{Recorded, Retried},
};
use crate::domain::{
    AccountRecord, Change, ChangeId, CommandId, Event, Finished, Instant, KeyringId, QrChange, Reason, Status,
    TicketId, TicketRecord, Unlinked, Write,
};

/// How long a ticket is worked on.
const ABANDONED_AFTER: Duration = Duration::from_hours(14 * 24);

impl Model {
    pub(super) fn record_change(&mut self, process: Uuid, write: &Write, now: Instant) -> Option<Recorded> {
        let Write { id, follows, record, change, keys, qr_png: _ } = write;
        let account = record.id;
        if !self.held(account, process, record.fence) {
            return None;
        }
        let row = self.accounts.get(&account)?;
        let was_written = row.last_change == Some(*id);
        let in_turn = row.last_change == *follows || self.flaw == Some(Flaw::ForgetsPredecessor);
        let existing_label = if in_turn { self.incumbent(row, record) } else { None };
        let settings = row.settings.clone();
        let ends = |id: &CommandId| change.finished.iter().any(|ended| ended.command == *id);
        let more = self.commands.iter().any(|(id, command)| {
            command.account == Some(account) && command.state == CommandState::Queued && !ends(id)
        });
        if in_turn && !was_written && existing_label.is_none() {
            self.change(*id, (record, change), keys.as_ref().map(|keys| keys.keyring), now);
        }
        Some(Recorded { in_turn, was_written, existing_label, more, is_live: self.is_live(process, now), settings })
    }

    /// The oldest other live account of the operator that has the number that this one gets.
    fn incumbent(&self, row: &StoredAccount, record: &AccountRecord) -> Option<String> {
        let phone = record.phone()?;
        let is_it = |record: &AccountRecord| record.phone().is_some_and(|other| other.is_same_number(phone));
        if is_it(&row.record) {
            return None;
        }
        let mut others = self.accounts.values().filter(|other| {
            other.record.id != row.record.id
                && other.record.operator == row.record.operator
                && other.record.deleted_at.is_none()
                && is_it(&other.record)
        });
        others.next().map(|other| other.record.label.clone())
    }

    fn change(
        &mut self,
        id: ChangeId,
        (record, change): (&AccountRecord, &Change),
        new_keyring: Option<KeyringId>,
        now: Instant,
    ) {
        let account = record.id;
        let sees_tickets = self.flaw != Some(Flaw::DeletionIgnoresTickets);
        let has_tickets = sees_tickets && self.tickets_of(account).next().is_some();
        let unlinks = change.deletes && (!change.tickets.is_empty() || has_tickets);
        let Some(row) = self.accounts.get_mut(&account) else { return };
        let former = (row.record.status, row.record.since);
        let was_deleted = row.record.deleted_at.is_some();
        row.record = AccountRecord { label: row.record.label.clone(), operator: row.record.operator, ..record.clone() };
        if unlinks {
            row.record.status = Status::Deleting;
            row.record.reason = Reason::Unlinking.into();
            if former.0 == Status::Deleting {
                row.record.since = former.1;
            }
        }
        row.last_change = Some(id);
        match &change.qr {
            QrChange::Keep => {}
            QrChange::Clear => row.qr = None,
            QrChange::Show { payload, .. } => row.qr = Some(payload.clone()),
        }
        for event in &change.events {
            row.event_seq += 1;
            let event = match event {
                Event::AccountDeleted { .. } if unlinks => Event::AccountDeleted { unlinked: Unlinked::Pending },
                event => event.clone(),
            };
            self.events.push(StoredEvent { account, seq: row.event_seq, event: ToldEvent::OfAccount(event) });
        }
        if !was_deleted && record.deleted_at.is_some() {
            self.messages.retain(|_, message| message.account != account);
            self.chats.retain(|(of, _)| *of != account);
        }
        // Statements of one WITH do not see each other's rows: a ticket is opened for, and
        // keys are erased of, keyrings that were there before.
        let before: BTreeSet<KeyringId> =
            self.keyrings.iter().filter(|(_, ring)| ring.account == account).map(|(id, _)| *id).collect();
        let ticketed: BTreeSet<KeyringId> = self.tickets.values().map(|ticket| ticket.keyring).collect();
        if let Some(keyring) = new_keyring {
            self.keyrings.insert(keyring, StoredKeyring { account, epoch: 1, opened: None, counter: 0, made_at: now });
        }
        for keyring in change.erase.iter().filter(|keyring| before.contains(keyring)) {
            if !ticketed.contains(keyring) && !change.tickets.iter().any(|(ticket, _)| ticket == keyring) {
                self.keyrings.remove(keyring);
            }
        }
        for (keyring, reason) in change.tickets.iter().filter(|(keyring, _)| before.contains(keyring)) {
            if !self.tickets.values().any(|ticket| ticket.keyring == *keyring) {
                let id = TicketId(self.fresh_id());
                let ticket = StoredTicket {
                    account,
                    keyring: *keyring,
                    reason: reason.to_string(),
                    attempts: 0,
                    last_error: None,
                    next_retry_at: now,
                    abandon_at: now.after(ABANDONED_AFTER),
                };
                self.tickets.insert(id, ticket);
            }
        }
        for Finished { command, result, .. } in &change.finished {
            let row = self.commands.get_mut(command);
            if let Some(row) = row.filter(|row| row.account == Some(account) && row.is_open()) {
                row.state = if result.is_ok() { CommandState::Done } else { CommandState::Failed };
                row.result = Some(match result {
                    Ok(said) | Err(said) => said.clone(),
                });
            }
        }
    }

    /// Grows, so that what was made first comes first.
    fn fresh_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(u128::from(self.next_id))
    }

    pub(super) fn retry_ticket(
        &mut self,
        process: Uuid,
        ticket: &TicketRecord,
        attempts: u32,
        error: &str,
        next_retry_at: Instant,
    ) -> Option<Retried> {
        if !self.held(ticket.account, process, ticket.fence) {
            return None;
        }
        let Some(row) = self.tickets.get_mut(&ticket.id) else {
            return Some(Retried { is_written: false, was_written: false });
        };
        let was_written = row.attempts == attempts && row.last_error.as_deref() == Some(error);
        let is_written = row.account == ticket.account && row.attempts + 1 == attempts;
        if is_written {
            (row.attempts, row.last_error, row.next_retry_at) = (attempts, Some(error.to_owned()), next_retry_at);
        }
        Some(Retried { is_written, was_written })
    }

    pub(super) fn close_ticket(
        &mut self,
        process: Uuid,
        ticket: &TicketRecord,
        is_abandoned: bool,
        event: &Event,
        now: Instant,
    ) -> Option<bool> {
        if !self.held(ticket.account, process, ticket.fence) {
            return None;
        }
        let is_timed = self.flaw != Some(Flaw::AbandonsByLocalClock);
        let row = self.tickets.get(&ticket.id);
        let is_there = row.is_some();
        let closed =
            row.filter(|row| row.account == ticket.account && (!is_abandoned || !is_timed || row.abandon_at <= now));
        let Some(keyring) = closed.map(|row| row.keyring) else { return Some(is_there) };
        self.tickets.remove(&ticket.id);
        self.keyrings.remove(&keyring);
        let is_last = self.tickets_of(ticket.account).next().is_none();
        if let Some(account) = self.accounts.get_mut(&ticket.account) {
            account.event_seq += 1;
            let event = ToldEvent::OfAccount(event.clone());
            self.events.push(StoredEvent { account: ticket.account, seq: account.event_seq, event });
            let settles = self.flaw == Some(Flaw::TicketSettlesDeletion) && is_last;
            if settles && account.record.status == Status::Deleting {
                account.record.set_status(Status::Unpaired, Reason::Deleted, now);
            }
        }
        Some(false)
    }

    pub(super) fn load_ticket(&self, process: Uuid, ticket: TicketId) -> Option<TicketRecord> {
        let row = self.tickets.get(&ticket)?;
        let account = self.accounts.get(&row.account).filter(|account| account.owner == Some(process))?;
        Some(TicketRecord {
            id: ticket,
            account: row.account,
            label: account.record.label.clone(),
            fence: account.record.fence,
            keyring: row.keyring,
            reason: row.reason.clone(),
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            next_retry_at: row.next_retry_at,
            abandon_at: row.abandon_at,
        })
    }
}
