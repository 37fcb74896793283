//! Looks at every statement right after it was carried out, at every login and every command
//! that is handed over, and objects.

use std::collections::{BTreeMap, BTreeSet};

use super::messages_seen::MessagesSeen;
use super::model::{CommandState, Model, Statement, StoredAccount};
use crate::domain::{
    AccountId, AccountRecord, Attempt, ChangeId, CommandId, Event, Finished, Instant, KeyringId, Status, Unlinked,
    Write,
};

/// A rule that no run may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An applied change follows the change that the row had, and the row is its image.
    RowsFollowTheirChanges,
    EventsAreGapless,
    /// And each attempt ends once.
    AttemptsEndOnce,
    CommandsEndOnce,
    CommandsFailOnce,
    CommandsAreDeliveredOnce,
    NumbersAreHeldOnce,
    KeysNeverGoBack,
    KeysAreErasedOnAWord,
    LiveKeysHaveNoTicket,
    DeletedSaysWhatIsPending,
    NobodyFights,
    /// Only the owner dials, by the database's word.
    OwnersDial,
    /// Only the owner lets a link come about, by the database's word.
    OwnersConfirm,
    /// A life begins under a newer fence than one that a lost lease ended.
    FencesGrow,
    /// A daemon's own lives never have two connections of one device.
    OneConnection,
    DrainsEnd,
    /// Under each of WhatsApp's ids comes one content, with one secret.
    IdsHaveOneContent,
    /// Each message under one id, which a phone shows once.
    ShownOnce,
    KeysMakeOneMessage,
    /// No message is in two terminal states, and only a try that did not reach WhatsApp is taken back.
    MessagesGoForward,
    /// Only the connection that took a message last, of the account's owner, says what came of it.
    OutcomesAreTheTakers,
    /// No connection takes back what a later one of its account has taken.
    LaterConnectionsTake,
    OneUnderWayInAChat,
    ChatsKeepTheirOrder,
    /// Nothing is taken or sent before the connection has read what WhatsApp kept for it.
    NothingLeavesUnread,
    SentIsAcknowledged,
    /// What was cancelled, or has expired, is on no phone.
    CancelWinsOrLoses,
    /// Nor is what failed, unless its reason leaves that open.
    FailuresAreTrue,
    /// When the faults are over: see `quiet`.
    AllIsWell,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    pub what: String,
}

/// The last known row of an account.
#[derive(Clone, Debug)]
struct Image {
    record: AccountRecord,
    last_change: Option<ChangeId>,
    seq: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Referee {
    images: BTreeMap<AccountId, Image>,
    events: usize,
    ended: BTreeMap<CommandId, CommandState>,
    failed: BTreeSet<CommandId>,
    keyrings: BTreeMap<KeyringId, i64>,
    abandon_at: BTreeMap<KeyringId, Instant>,
    pub messages: MessagesSeen,
    pub first: Option<Violation>,
}

impl Referee {
    /// A rule was broken.
    pub fn has_objected(&self) -> bool {
        self.first.is_some() || self.messages.first.is_some()
    }

    /// The first violation.
    pub fn take_objection(&mut self) -> Option<Violation> {
        self.first.take().or(self.messages.first.take())
    }

    pub fn object(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some(Violation { rule, what: what() });
        }
    }

    /// An account was made.
    pub fn add_account(&mut self, row: &StoredAccount) {
        let image = Image { record: row.record.clone(), last_change: row.last_change, seq: row.event_seq };
        self.images.insert(row.record.id, image);
    }

    /// The statement was carried out. `is_listed` says whether a phone lists that device.
    pub fn on_executed(
        &mut self,
        statement: &Statement,
        model: &Model,
        now: Instant,
        is_listed: impl Fn(KeyringId) -> bool,
    ) {
        self.messages.on_statement(statement, model, now);
        let (account, change) = match statement {
            Statement::RecordChange { write, .. } => (write.record.id, Some(write)),
            Statement::CloseTicket { ticket, .. } => (ticket.account, None),
            Statement::PutCredentials { keyring, .. } => return self.on_keys(*keyring, model),
            _ => return self.on_events(model),
        };
        let Some(row) = model.accounts.get(&account) else { return };
        let Some(image) = self.images.get(&account).cloned() else { return };
        let is_applied = row.last_change != image.last_change;
        let told = model.events.iter().skip(self.events).filter(|told| told.account == account);
        let told: Vec<Event> = told.filter_map(|told| told.event.of_account()).cloned().collect();
        self.on_events(model);
        match change.filter(|_| is_applied) {
            Some(write) => {
                if write.follows != image.last_change {
                    self.object(Rule::RowsFollowTheirChanges, || {
                        format!(
                            "change {} of {account} follows {:?}, and the row had {:?}",
                            write.id, write.follows, image.last_change
                        )
                    });
                }
                self.on_change(write, &image.record, row, &told, model);
            }
            None => {
                let same = AccountRecord { fence: image.record.fence, ..row.record.clone() } == image.record;
                if !same {
                    self.object(Rule::RowsFollowTheirChanges, || format!("{account} was written without a change"));
                }
            }
        }
        self.images
            .insert(account, Image { record: row.record.clone(), last_change: row.last_change, seq: row.event_seq });
        self.on_keyrings(model, now, is_listed);
    }

    fn on_keys(&mut self, keyring: KeyringId, model: &Model) {
        let Some(row) = model.keyrings.get(&keyring) else { return };
        let former = self.keyrings.insert(keyring, row.counter).unwrap_or(0);
        if row.counter < former {
            self.object(Rule::KeysNeverGoBack, || format!("keyring {keyring} had {former}, and has {}", row.counter));
        }
    }

    fn on_events(&mut self, model: &Model) {
        let new: Vec<_> = model.events.iter().skip(self.events).cloned().collect();
        self.events = model.events.len();
        for told in new {
            let seq = self.images.get_mut(&told.account).map(|image| {
                image.seq += 1;
                image.seq
            });
            if seq != Some(told.seq) {
                self.object(Rule::EventsAreGapless, || {
                    format!("{} has an event {}, not {seq:?}", told.account, told.seq)
                });
            }
            let Some(&Event::CommandFailed { command, .. }) = told.event.of_account() else { continue };
            if !self.failed.insert(command) {
                self.object(Rule::CommandsFailOnce, || format!("command {command} is told to have failed again"));
            }
            let state = model.commands.get(&command).map(|row| row.state);
            if state != Some(CommandState::Failed) {
                self.object(Rule::CommandsFailOnce, || {
                    format!("command {command} is told to have failed, and is {state:?}")
                });
            }
        }
    }

    fn on_change(&mut self, write: &Write, before: &AccountRecord, row: &StoredAccount, told: &[Event], model: &Model) {
        let Write { id, change, record, .. } = write;
        let account = row.record.id;
        let after = &row.record;
        let unlinks = after.status == Status::Deleting && change.deletes;
        let image = AccountRecord { label: after.label.clone(), ..record.clone() };
        let is_image = if unlinks {
            AccountRecord { status: after.status, reason: after.reason.clone(), since: after.since, ..image } == *after
        } else {
            image == *after
        };
        if !is_image {
            self.object(Rule::RowsFollowTheirChanges, || format!("the row of {account} is not what change {id} says"));
        }
        for Finished { command, result, .. } in &change.finished {
            // Commands that have ended stay as they are.
            let ended = model.commands.get(command).map(|row| row.state);
            let says = if result.is_ok() { CommandState::Done } else { CommandState::Failed };
            let former = *self.ended.entry(*command).or_insert(says);
            if ended != Some(former) {
                self.object(Rule::CommandsEndOnce, || format!("command {command} ended {former:?}, and is {ended:?}"));
            }
        }
        self.on_attempt(before, after, told);
        let is_open = model.tickets_of(account).next().is_some();
        if after.deleted_at.is_some() && after.status == Status::Unpaired && is_open {
            self.object(Rule::DeletedSaysWhatIsPending, || format!("{account} is deleted, and a ticket is open"));
        }
        if told.iter().any(|event| matches!(event, Event::AccountDeleted { .. })) {
            let says = told.iter().any(|event| matches!(event, Event::AccountDeleted { unlinked: Unlinked::Pending }));
            if is_open != says {
                self.object(Rule::DeletedSaysWhatIsPending, || {
                    format!("{account} is deleted, pending: {says}; tickets open: {is_open}")
                });
            }
        }
        let phone = after.phone().filter(|_| after.deleted_at.is_none());
        let others = model
            .accounts
            .values()
            .filter(|other| other.record.id != account)
            .filter(|other| other.record.operator == after.operator && other.record.deleted_at.is_none());
        if let Some(other) = others.into_iter().find(|other| phone.is_some() && other.record.phone() == phone) {
            let other = other.record.id;
            self.object(Rule::NumbersAreHeldOnce, || format!("{account} and {other} have one number"));
        }
        for (_, ticket) in model.tickets_of(account) {
            if [after.keyring(), after.linking()].contains(&Some(ticket.keyring)) {
                self.object(Rule::LiveKeysHaveNoTicket, || format!("a ticket of {account} is to remove its live link"));
            }
        }
    }

    fn on_attempt(&mut self, before: &AccountRecord, after: &AccountRecord, told: &[Event]) {
        let account = after.id;
        let ends = |event: &&Event| {
            matches!(
                event,
                Event::WrongPhone { .. }
                    | Event::Timeout { .. }
                    | Event::Cancelled { .. }
                    | Event::Failed { .. }
                    | Event::Duplicate { .. }
            )
        };
        let is_same = |former: &Attempt, present: &Attempt| {
            (former.deadline, &former.request) == (present.deadline, &present.request)
        };
        let terminals = told.iter().filter(ends).count();
        let connected = told.iter().filter(|event| matches!(event, Event::Connected { .. })).count();
        let is_right = match (before.attempt(), after.attempt()) {
            (None, None) => {
                // A link may be parked since its number has another holder, and an attempt
                // without a deadline is parked as one that timed out.
                let is_allowed = |event: &Event| match event {
                    Event::Duplicate { .. } => before.keyring().is_some(),
                    Event::Timeout { .. } => before.status == Status::Pending,
                    _ => false,
                };
                told.iter().filter(ends).all(is_allowed) && terminals <= 1
            }
            (None, Some(_)) => terminals == 0 && connected == 0,
            (Some(former), Some(present)) if is_same(former, present) => terminals == 0 && connected == 0,
            (Some(_), Some(_)) => terminals == 1 && connected == 0,
            // A minimal hold emits no events.
            (Some(_), None) if after.status == Status::Held && told.is_empty() => true,
            (Some(_), None) => terminals + connected == 1,
        };
        if !is_right {
            self.object(Rule::AttemptsEndOnce, || {
                format!(
                    "{account}: {:?} → {:?} told {terminals} ends and {connected} logins",
                    before.attempt(),
                    after.attempt()
                )
            });
        }
    }

    fn on_keyrings(&mut self, model: &Model, now: Instant, is_listed: impl Fn(KeyringId) -> bool) {
        for ticket in model.tickets.values() {
            self.abandon_at.entry(ticket.keyring).or_insert(ticket.abandon_at);
        }
        let gone: Vec<KeyringId> =
            self.keyrings.keys().filter(|id| !model.keyrings.contains_key(id)).copied().collect();
        for keyring in gone {
            self.keyrings.remove(&keyring);
            let is_out_of_time = self.abandon_at.get(&keyring).is_some_and(|at| *at <= now);
            if is_listed(keyring) && !is_out_of_time {
                self.object(Rule::KeysAreErasedOnAWord, || {
                    format!("keyring {keyring} is erased, and a phone lists it")
                });
            }
        }
        for (keyring, row) in &model.keyrings {
            self.keyrings.entry(*keyring).or_insert(row.counter);
        }
    }
}
