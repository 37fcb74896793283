//! The shell of accounts and tickets in virtual time: what `shell.rs` and the `effects.rs` of
//! both do around their desks.

mod account;
mod connections;
mod ticket;

use std::collections::BTreeSet;

use super::{
    daemon::{Arrival, Process},
    flaws::Flaw,
    model::StatementAnswer,
    whatsapp::{LifeId, SessionId},
    world::World,
};
use crate::{
    account::{author::Author, lifecycle::Input},
    desk::Desk,
    domain::{
        AccountId, CommandId, ConnectionSettings, Fence, Incarnation, Instant, KeyringId, Member, Purpose, Retired,
        StoreError, TicketId, TicketOutcome, Write,
    },
    unlink::saga::{self, Saga},
};

/// A connection that an actor opens.
#[derive(Clone, Debug)]
pub struct Opening {
    incarnation: Incarnation,
    keyring: KeyringId,
    purpose: Purpose,
    since: i64,
    is_asked: bool,
}

/// A request of an account's actor to the database.
#[derive(Clone, Debug)]
pub enum LifeAsk {
    Record { write: Box<Write>, claims: Option<Incarnation>, looks_ended: u64, with_keys: Option<SessionId> },
    Settings(Opening),
    Keyring(Opening),
}

/// A request of a ticket's actor to the database.
#[derive(Clone, Debug)]
pub enum TicketAsk {
    Settings(Opening),
    Keyring(Opening),
    Record(TicketOutcome),
}

/// An account's actor.
#[derive(Debug)]
pub struct Life {
    account: AccountId,
    fence: Fence,
    desk: Desk<Author, ()>,
    /// Of the daemon's lease when it began.
    epoch: Option<i64>,
    session: Option<(Incarnation, SessionId)>,
    /// It began when the lease was lost, and is fenced off at once.
    is_stillborn: bool,
    is_fenced: bool,
    /// Identifies the last request to the database; earlier answers are ignored.
    token: u64,
    commands: BTreeSet<CommandId>,
    due_at: Option<i64>,
}

impl Life {
    pub fn fence(&self) -> Fence {
        self.fence
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn state(&self) -> &'static str {
        self.desk.work().life().state().name()
    }

    pub fn session(&self) -> Option<SessionId> {
        self.session.map(|(_, session)| session)
    }

    /// The command was handed to it.
    pub fn had(&self, command: CommandId) -> bool {
        self.commands.contains(&command)
    }
}

/// A ticket's actor.
#[derive(Debug)]
pub struct TicketLife {
    ticket: TicketId,
    desk: Desk<Saga, ()>,
    session: Option<(Incarnation, SessionId)>,
    is_fenced: bool,
    token: u64,
    due_at: Option<i64>,
}

impl World {
    pub fn tell_to_leave(&mut self, p: &mut Process, member: Member, moves: bool) {
        match member {
            Member::Account(account) => {
                if let Some(life) = p.accounts.get(&account).copied() {
                    self.input(p, life, if moves { Input::HandOver } else { Input::Drain });
                }
            }
            Member::Ticket(ticket) => {
                if let Some(life) = p.tickets.get(&ticket).copied() {
                    self.ticket_input(p, life, saga::Input::Leave);
                }
            }
        }
    }

    pub fn fence_off(&mut self, p: &mut Process, member: Member) {
        match member {
            Member::Account(account) => {
                let Some(id) = p.accounts.get(&account).copied() else { return };
                let Some(life) = p.lives.get_mut(&id) else { return };
                if std::mem::replace(&mut life.is_fenced, true) {
                    return;
                }
                life.token += 1;
                let fence = life.fence;
                let is_by_a_loss = p.is_lost && !life.is_stillborn;
                if let Some(of) = self.daemons.get_mut(p.daemon).filter(|_| is_by_a_loss) {
                    of.fenced_off.insert((p.id, account), fence);
                }
                life.desk.fence();
                if self.flaw == Some(Flaw::FenceDropsOrders) {
                    life.desk.forget_orders();
                }
                self.pump(p, id);
            }
            Member::Ticket(ticket) => {
                let Some(id) = p.tickets.get(&ticket).copied() else { return };
                let Some(life) = p.ticket_lives.get_mut(&id) else { return };
                if std::mem::replace(&mut life.is_fenced, true) {
                    return;
                }
                life.token += 1;
                life.desk.fence();
                self.run_ticket(p, id);
            }
        }
    }

    /// When it is woken next.
    fn life_due(&mut self, p: &Process, id: LifeId, due: Option<Instant>, armed: Option<i64>) -> Option<i64> {
        let Some(due) = due else { return armed };
        let mono = self.mono(p.daemon);
        let at = mono + due.0.saturating_sub(self.clock(p).0).max(0) + 1;
        if armed.is_some_and(|armed| mono <= armed && armed <= at) {
            return armed;
        }
        self.note(at - mono, p.daemon, p.id, Arrival::LifeDue(id));
        Some(at)
    }

    pub fn on_life_due(&mut self, p: &mut Process, id: LifeId) {
        let now = self.clock(p);
        if let Some(life) = p.lives.get_mut(&id) {
            life.due_at = None;
            if life.desk.deadline().is_some_and(|due| due < now) {
                life.desk.on_deadline();
            }
            self.pump(p, id);
        } else if let Some(life) = p.ticket_lives.get_mut(&id) {
            life.due_at = None;
            if life.desk.deadline().is_some_and(|due| due < now) {
                life.desk.on_deadline();
            }
            self.run_ticket(p, id);
        }
    }

    /// The connection is closed first, then the actor is missed.
    fn depart(&mut self, p: &mut Process, session: Option<(Incarnation, SessionId)>, retired: Retired) {
        let ms = match session {
            None => 0,
            Some((_, session)) => self.close(session),
        };
        self.note(ms, p.daemon, p.id, Arrival::Retired(retired));
    }
}

fn live(session: Option<(Incarnation, SessionId)>, incarnation: Incarnation) -> Option<SessionId> {
    session.filter(|(live, _)| *live == incarnation).map(|(_, session)| session)
}

fn settings(answer: Result<StatementAnswer, StoreError>) -> Result<ConnectionSettings, StoreError> {
    match answer? {
        StatementAnswer::Settings(settings) => settings.ok_or(StoreError::Fenced),
        _ => Err(StoreError::Unavailable("another answer".to_owned())),
    }
}

/// The epoch.
fn opened(answer: Result<StatementAnswer, StoreError>) -> Result<i64, StoreError> {
    match answer? {
        StatementAnswer::Opened { held: false, .. } => Err(StoreError::Fenced),
        StatementAnswer::Opened { keyring: Some(keyring), .. } => Ok(keyring.epoch),
        StatementAnswer::Opened { found: true, .. } => {
            Err(StoreError::Unavailable("it was opened again meanwhile".to_owned()))
        }
        StatementAnswer::Opened { .. } => Err(StoreError::Poisoned("there is no such keyring".to_owned())),
        _ => Err(StoreError::Unavailable("another answer".to_owned())),
    }
}
