//! The shell of accounts and tickets in virtual time: what `shell.rs` and the `effects.rs` of
//! both do around their desks.

use std::collections::BTreeSet;

use super::{
    daemon::{Arrival, AskedFor, Process},
    flaws::Flaw,
    model::{Statement, StatementAnswer},
    referee::Rule,
    whatsapp::{Keys, LifeId, SessionId, SessionModel, SessionStage},
    world::World,
};
use crate::{
    account::{
        author::{Answer as OfAccount, Author, Task},
        lifecycle::{CommandInput, Input},
    },
    desk::{Desk, Next},
    domain::{
        AccountId, CommandId, CommandRow, ConnectionSettings, Ending, Event, Fence, GroupsError, Incarnation, Instant,
        KeyringId, Loaded, Member, PasskeyError, Purpose, Retired, SealedKeys, SessionEvent, StoreError, TicketId,
        TicketOutcome, TicketRecord, Trouble, UnlinkAnswer, Write, Written,
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
    pub fn begin_life(&mut self, p: &mut Process, loaded: Loaded, trouble: Option<Trouble>) {
        let (account, fence) = (loaded.record.id, loaded.record.fence);
        let seed = self.dice.wide();
        let (author, first) = Author::of(loaded, trouble, p.policy.clone(), seed, self.clock(p));
        let id = self.fresh_life();
        let (daemon, state) = (p.daemon, author.life().state().name());
        self.tell(|| format!("d{daemon} life {id} of {account} begins under {fence:?}: {state}"));
        let fenced_off = self.daemons.get(p.daemon).and_then(|of| of.fenced_off.get(&(p.id, account))).copied();
        // At rest a fence may be reused: late statements for the account name what they follow.
        let is_spared = self.model.spared.contains(&(p.id, account));
        if fenced_off.is_some_and(|former| fence <= former) && !is_spared {
            self.referee.object(Rule::FencesGrow, || {
                format!("d{daemon}: a life of {account} begins under {fence:?}, and one that had it was fenced off")
            });
        }
        let life = Life {
            account,
            fence,
            desk: Desk::new(author, first, ()),
            epoch: self.epoch_now(p),
            session: None,
            is_stillborn: p.is_lost,
            is_fenced: false,
            token: 0,
            commands: BTreeSet::new(),
            due_at: None,
        };
        p.accounts.insert(account, id);
        p.lives.insert(id, life);
        self.pump(p, id);
    }

    pub fn command(&mut self, p: &mut Process, id: LifeId, row: &CommandRow) {
        let Some(life) = p.lives.get_mut(&id) else { return };
        let input = CommandInput::of(row);
        life.commands.insert(row.id);
        self.input(p, id, Input::Command(input));
    }

    fn input(&mut self, p: &mut Process, id: LifeId, input: Input) {
        if let Some(life) = p.lives.get_mut(&id) {
            life.desk.take(input, None);
            self.pump(p, id);
        }
    }

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

    // An account

    fn pump(&mut self, p: &mut Process, id: LifeId) {
        let Some(mut life) = p.lives.remove(&id) else { return };
        loop {
            let epoch = self.epoch_now(p);
            let is_leased = (epoch.is_some() && epoch == life.epoch) || self.flaw == Some(Flaw::ConfirmsUnleased);
            match life.desk.next(self.clock(p), is_leased) {
                Next::End(ending) => return self.end_life(p, &life, ending),
                Next::Task { task, .. } => self.carry_out_task(p, id, &mut life, task),
                Next::Moved { from, to, .. } => {
                    let (daemon, record) = (p.daemon, life.desk.work().life().record());
                    self.tell(|| format!("d{daemon} life {id} {}: {from} → {to}", record.label));
                }
                Next::Nothing => break,
            }
        }
        life.due_at = self.life_due(p, id, life.desk.deadline(), life.due_at);
        p.lives.insert(id, life);
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

    fn end_life(&mut self, p: &mut Process, life: &Life, ending: Ending) {
        let retired = Retired::of(Member::Account(life.account), ending);
        self.depart(p, life.session, retired);
    }

    /// The connection is closed first, then the actor is missed.
    fn depart(&mut self, p: &mut Process, session: Option<(Incarnation, SessionId)>, retired: Retired) {
        let ms = match session {
            None => 0,
            Some((_, session)) => self.close(session),
        };
        self.note(ms, p.daemon, p.id, Arrival::Retired(retired));
    }

    /// How long it takes.
    fn close(&mut self, id: SessionId) -> i64 {
        let ms = if self.dice.chance(12) { self.dice.between(8_000, 14_000) } else { self.dice.spread(10, 600) };
        if let Some(session) = self.whatsapp.sessions.get_mut(&id) {
            session.is_closing = true;
        }
        self.send_hang_up(id, ms);
        ms
    }

    fn cut(&mut self, id: SessionId) -> i64 {
        if let Some(session) = self.whatsapp.sessions.get_mut(&id) {
            session.is_left = true;
            session.is_closing = true;
        }
        let way = self.dice.spread(1, 50);
        self.send_hang_up(id, way);
        1
    }

    fn carry_out_task(&mut self, p: &mut Process, id: LifeId, life: &mut Life, task: Task) {
        match task {
            Task::Write(write) => self.write(p, id, life, write, None, None),
            Task::Claim { incarnation, write, keys_of } => self.write(p, id, life, write, Some(incarnation), keys_of),
            Task::Open { incarnation, keyring, purpose, settings } => {
                let asks = !matches!(self.flaw, Some(Flaw::DialsUnasked | Flaw::RevivesUnseen));
                let is_asked = settings.is_some() || asks;
                let opening = Opening { incarnation, keyring, purpose, since: self.now, is_asked };
                if settings.is_none() && asks {
                    let (account, fence) = (life.account, life.desk.work().life().record().fence);
                    let statement = Statement::LoadConnectionSettings { process: p.id, account, fence };
                    self.life_ask(p, id, life, statement, LifeAsk::Settings(opening));
                } else {
                    self.open_session(p, id, life, opening);
                }
            }
            Task::ConfirmLink(incarnation) => {
                if let Some(session) = live(life.session, incarnation) {
                    self.send_confirmation(p, session);
                }
                self.note(1, p.daemon, p.id, Arrival::Done(id));
            }
            Task::RefuseLink(incarnation) => {
                let session = live(life.session, incarnation);
                if let Some(session) = session.and_then(|session| self.whatsapp.sessions.get_mut(&session)) {
                    session.is_refused = true;
                }
                self.note(1, p.daemon, p.id, Arrival::Done(id));
            }
            Task::Close(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.close(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            Task::Cut(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.cut(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            Task::AnswerPasskey { incarnation, command, .. } => {
                let answered = Input::PasskeyAnswered(
                    incarnation,
                    command,
                    Err(PasskeyError::NotTaken("no passkeys here".to_owned())),
                );
                life.desk.take(answered, None);
            }
            Task::FetchGroups(incarnation) => {
                let way = self.dice.spread(20, 2_000);
                self.note(way, p.daemon, p.id, Arrival::Groups(id, incarnation));
            }
        }
    }

    fn life_ask(&mut self, p: &Process, id: LifeId, life: &mut Life, statement: Statement, ask: LifeAsk) {
        life.token += 1;
        // Requests for a lost account are not waited for.
        let then = if life.is_fenced { AskedFor::Nothing } else { AskedFor::Life(id, life.token, ask) };
        self.ask(p, statement, then);
    }

    fn write(
        &mut self,
        p: &mut Process,
        id: LifeId,
        life: &mut Life,
        mut write: Box<Write>,
        claims: Option<Incarnation>,
        keys_of: Option<Incarnation>,
    ) {
        let mut with_keys = None;
        if let Some(incarnation) = keys_of {
            let session = live(life.session, incarnation);
            let ring = session
                .and_then(|session| self.whatsapp.sessions.get(&session))
                .filter(|session| !session.is_left && matches!(session.stage, SessionStage::Scanned(..)));
            let Some(ring) = ring else {
                let gone = Err(StoreError::Unavailable("the connection is gone".to_owned()));
                life.desk.on_answer(OfAccount::Claimed(incarnation, write, gone), self.clock(p));
                return;
            };
            let (keyring, master_key) = (ring.keyring, String::new());
            write.keys = Some(SealedKeys { keyring, wrapped_key: Vec::new(), master_key, records: Vec::new() });
            with_keys = session;
        }
        let ask = LifeAsk::Record { write: write.clone(), claims, looks_ended: p.looks.1, with_keys };
        self.life_ask(p, id, life, Statement::RecordChange { process: p.id, write }, ask);
    }

    pub fn on_life_answer(
        &mut self,
        p: &mut Process,
        id: LifeId,
        token: u64,
        ask: LifeAsk,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        let now = self.clock(p);
        let Some(mut life) = p.lives.remove(&id) else { return };
        if life.token == token {
            match ask {
                LifeAsk::Record { write, claims, looks_ended, with_keys } => {
                    let written = self.written(p, &write, looks_ended, answer);
                    let keys = with_keys.filter(|_| matches!(written, Ok(Written::Done { .. })));
                    if let Some(session) = keys.and_then(|session| self.whatsapp.sessions.get_mut(&session)) {
                        session.keys = Some(Keys { epoch: 1, failed: false });
                    }
                    let is_fenced = written == Err(StoreError::Fenced);
                    let answer = match claims {
                        Some(incarnation) => OfAccount::Claimed(incarnation, write, written),
                        None => OfAccount::Written(write, written),
                    };
                    life.desk.on_answer(answer, now);
                    if is_fenced && self.flaw == Some(Flaw::FenceDropsOrders) {
                        life.desk.forget_orders();
                    }
                }
                LifeAsk::Settings(opening) => match settings(answer) {
                    Ok(_) => self.open_session(p, id, &mut life, opening),
                    Err(why) => drop(life.desk.on_answer(OfAccount::Opened(opening.incarnation, Err(why)), now)),
                },
                LifeAsk::Keyring(opening) => match opened(answer) {
                    Ok(epoch) => {
                        let (account, fence) = (life.account, life.desk.work().life().record().fence);
                        self.begin_session(p, id, &mut life, (account, fence), opening, Some(epoch));
                    }
                    Err(why) => drop(life.desk.on_answer(OfAccount::Opened(opening.incarnation, Err(why)), now)),
                },
            }
        }
        p.lives.insert(id, life);
        self.pump(p, id);
    }

    /// As the store says it.
    fn written(
        &mut self,
        p: &mut Process,
        write: &Write,
        looks_ended: u64,
        answer: Result<StatementAnswer, StoreError>,
    ) -> Result<Written, StoreError> {
        let StatementAnswer::Recorded(recorded) = answer? else {
            return Err(StoreError::Unavailable("another answer".to_owned()));
        };
        let recorded = recorded.ok_or(StoreError::Fenced)?;
        let settings = recorded.is_live.then_some(recorded.settings);
        let written = Written::of(recorded.was_written, recorded.in_turn, recorded.existing_label, settings)?;
        if let Written::NumberTaken { .. } = written {
            return Ok(written);
        }
        for ended in &write.change.finished {
            p.forget(ended.command);
        }
        // A look that overlapped with the change may have seen both.
        if !write.change.finished.is_empty() && (recorded.more || p.looks.0 > looks_ended) {
            self.note(0, p.daemon, p.id, Arrival::Wake);
        }
        Ok(written)
    }

    fn open_session(&mut self, p: &mut Process, id: LifeId, life: &mut Life, opening: Opening) {
        let (account, fence) = (life.account, life.desk.work().life().record().fence);
        if opening.purpose == Purpose::Login {
            let statement = self.open_keyring(p, account, fence, opening.keyring);
            self.life_ask(p, id, life, statement, LifeAsk::Keyring(opening));
        } else {
            self.begin_session(p, id, life, (account, fence), opening, None);
        }
    }

    fn open_keyring(&mut self, p: &Process, account: AccountId, fence: Fence, keyring: KeyringId) -> Statement {
        self.openings += 1;
        Statement::OpenKeyring { process: p.id, account, fence, keyring, opening: self.openings }
    }

    fn begin_session(
        &mut self,
        p: &Process,
        id: LifeId,
        life: &mut Life,
        of: (AccountId, Fence),
        opening: Opening,
        epoch: Option<i64>,
    ) {
        let incarnation = opening.incarnation;
        let session = self.new_session(p, id, of, opening, epoch);
        life.session = Some((incarnation, session));
        life.desk.on_answer(OfAccount::Opened(incarnation, Ok(())), self.clock(p));
    }

    fn new_session(
        &mut self,
        p: &Process,
        life: LifeId,
        (account, fence): (AccountId, Fence),
        opening: Opening,
        epoch: Option<i64>,
    ) -> SessionId {
        let session = self.whatsapp.add(SessionModel {
            daemon: p.daemon,
            process: p.id,
            life,
            account,
            fence,
            incarnation: opening.incarnation,
            keyring: opening.keyring,
            purpose: opening.purpose,
            stage: SessionStage::Waiting,
            keys: epoch.map(|epoch| Keys { epoch, failed: false }),
            is_left: false,
            is_refused: false,
            is_closing: false,
            since: opening.since,
            is_asked: opening.is_asked,
            lost_time: self.daemons.get(p.daemon).map_or(0, |of| of.lost_time),
        });
        let turn = if self.dice.chance(10) { self.dice.spread(500, 5_000) } else { self.dice.spread(1, 50) };
        self.note(turn, p.daemon, p.id, Arrival::Dial(session));
        session
    }

    pub fn on_session(&mut self, p: &mut Process, life: LifeId, id: SessionId, event: SessionEvent) {
        let Some(session) = self.whatsapp.sessions.get(&id).filter(|session| !session.is_left) else { return };
        let incarnation = session.incarnation;
        if matches!(event, SessionEvent::Open { .. }) {
            let soon = self.dice.spread(20, 400);
            self.note(soon, p.daemon, p.id, Arrival::PutKeys(id));
        }
        if p.lives.contains_key(&life) {
            self.input(p, life, Input::Session(incarnation, event));
        } else {
            self.ticket_input(p, life, saga::Input::Session(incarnation, event));
        }
    }

    pub fn on_done(&mut self, p: &mut Process, id: LifeId) {
        let now = self.clock(p);
        if let Some(life) = p.lives.get_mut(&id) {
            life.desk.on_answer(OfAccount::Done, now);
            self.pump(p, id);
        }
    }

    pub fn on_closed(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation, session: SessionId) {
        if let Some(session) = self.whatsapp.sessions.get_mut(&session) {
            session.is_left = true;
        }
        if let Some(life) = p.lives.get_mut(&id) {
            life.session.take_if(|(live, _)| *live == incarnation);
            self.input(p, id, Input::SessionClosed(incarnation));
        } else if let Some(life) = p.ticket_lives.get_mut(&id) {
            life.session.take_if(|(live, _)| *live == incarnation);
            self.ticket_input(p, id, saga::Input::SessionClosed(incarnation));
        }
    }

    pub fn on_groups(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation) {
        let is_there = p.lives.get(&id).is_some_and(|life| live(life.session, incarnation).is_some());
        let outcome = if is_there { self.groups() } else { Err(GroupsError::ConnectionOver) };
        self.input(p, id, Input::GroupsFetched(incarnation, outcome));
    }

    /// A connection writes what came of a message.
    pub fn put_keys(&mut self, p: &mut Process, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let is_writing = session.stage == SessionStage::Open && !session.is_left;
        let Some(keys) = session.keys.filter(|keys| is_writing && !keys.failed) else { return };
        // One write after the other.
        let statement = Statement::PutCredentials {
            process: p.id,
            account: session.account,
            fence: session.fence,
            keyring: session.keyring,
            epoch: keys.epoch,
            counter: self.fresh_stamp(),
        };
        self.ask(p, statement, AskedFor::Put(id));
    }

    /// A write that was not done, or whose outcome is not known, fails the keyring for good,
    /// and its connection with it.
    pub fn on_put(&mut self, p: &Process, id: SessionId, answer: &Result<StatementAnswer, StoreError>) {
        if matches!(answer, Ok(StatementAnswer::Put { written: true, .. })) {
            let next = self.dice.between(1_000, 12_000);
            return self.note(next, p.daemon, p.id, Arrival::PutKeys(id));
        }
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        if let Some(keys) = &mut session.keys {
            keys.failed = true;
        }
        if !session.is_left && session.stage != SessionStage::Over {
            self.hang_up_with(id, crate::domain::CloseReason::StoreFailed("keys".to_owned()));
        }
    }

    // A ticket

    pub fn begin_ticket(&mut self, p: &mut Process, record: TicketRecord) {
        let seed = self.dice.wide();
        let ticket = record.id;
        let (saga, first) = Saga::resume(record, p.policy.clone(), seed, self.clock(p));
        let id = self.fresh_life();
        let daemon = p.daemon;
        self.tell(|| format!("d{daemon} life {id} of ticket {ticket} begins: {}", saga.state().name()));
        let desk = Desk::new(saga, first, ());
        let life = TicketLife { ticket, desk, session: None, is_fenced: false, token: 0, due_at: None };
        p.tickets.insert(ticket, id);
        p.ticket_lives.insert(id, life);
        self.run_ticket(p, id);
    }

    fn ticket_input(&mut self, p: &mut Process, id: LifeId, input: saga::Input) {
        if let Some(life) = p.ticket_lives.get_mut(&id) {
            life.desk.take(input, None);
            self.run_ticket(p, id);
        }
    }

    fn run_ticket(&mut self, p: &mut Process, id: LifeId) {
        let Some(mut life) = p.ticket_lives.remove(&id) else { return };
        loop {
            match life.desk.next(self.clock(p), true) {
                Next::End(ending) => return self.end_ticket(p, &life, ending),
                Next::Task { task, .. } => self.carry_out_of_ticket(p, id, &mut life, task),
                Next::Moved { from, to, .. } => {
                    let daemon = p.daemon;
                    self.tell(|| format!("d{daemon} life {id} ticket: {from} → {to}"));
                }
                Next::Nothing => break,
            }
        }
        life.due_at = self.life_due(p, id, life.desk.deadline(), life.due_at);
        p.ticket_lives.insert(id, life);
    }

    fn end_ticket(&mut self, p: &mut Process, life: &TicketLife, ending: Ending) {
        let retired = Retired::of(Member::Ticket(life.ticket), ending);
        self.depart(p, life.session, retired);
    }

    fn carry_out_of_ticket(&mut self, p: &mut Process, id: LifeId, life: &mut TicketLife, task: saga::TicketTask) {
        let ticket = life.desk.work().ticket().clone();
        match task {
            saga::TicketTask::Open { incarnation, keyring } => {
                let purpose = Purpose::Unlink;
                let opening = Opening { incarnation, keyring, purpose, since: self.now, is_asked: true };
                let statement =
                    Statement::LoadConnectionSettings { process: p.id, account: ticket.account, fence: ticket.fence };
                self.ticket_ask(p, id, life, statement, TicketAsk::Settings(opening));
            }
            saga::TicketTask::Unlink(incarnation) => match live(life.session, incarnation) {
                Some(session) => self.send_unlink(session),
                None => {
                    let gone = UnlinkAnswer::Unknown("the connection is gone".to_owned());
                    life.desk.take(saga::Input::Answered(incarnation, gone), None);
                }
            },
            saga::TicketTask::Close(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.close(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            saga::TicketTask::Cut(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.cut(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            saga::TicketTask::Record(outcome) => self.record_outcome(p, id, life, outcome),
        }
    }

    fn ticket_ask(&mut self, p: &Process, id: LifeId, life: &mut TicketLife, statement: Statement, ask: TicketAsk) {
        life.token += 1;
        // As in `life_ask`.
        let then = if life.is_fenced { AskedFor::Nothing } else { AskedFor::Ticket(id, life.token, ask) };
        self.ask(p, statement, then);
    }

    fn record_outcome(&mut self, p: &Process, id: LifeId, life: &mut TicketLife, outcome: TicketOutcome) {
        let (process, ticket) = (p.id, life.desk.work().ticket().clone());
        let statement = match outcome.clone() {
            TicketOutcome::Unlinked { reason } => {
                let event = Event::AccountUnlinked { reason };
                Statement::CloseTicket { process, ticket, is_abandoned: false, event }
            }
            TicketOutcome::Abandoned { reason } => {
                let event = Event::UnlinkAbandoned { reason };
                Statement::CloseTicket { process, ticket, is_abandoned: true, event }
            }
            TicketOutcome::Failed { error, attempts, next_retry_at } => {
                Statement::RetryTicket { process, ticket, attempts, error, next_retry_at }
            }
        };
        self.ticket_ask(p, id, life, statement, TicketAsk::Record(outcome));
    }

    pub fn on_ticket_answer(
        &mut self,
        p: &mut Process,
        id: LifeId,
        token: u64,
        ask: TicketAsk,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        let Some(mut life) = p.ticket_lives.remove(&id) else { return };
        if life.token != token {
            p.ticket_lives.insert(id, life);
            return;
        }
        let ticket = life.desk.work().ticket();
        let of = (ticket.account, ticket.fence);
        let answer = match ask {
            TicketAsk::Settings(opening) => match settings(answer) {
                Ok(_) => {
                    let (account, fence) = of;
                    let statement = self.open_keyring(p, account, fence, opening.keyring);
                    self.ticket_ask(p, id, &mut life, statement, TicketAsk::Keyring(opening));
                    None
                }
                Err(why) => Some(saga::Answer::Opened(opening.incarnation, Err(why))),
            },
            TicketAsk::Keyring(opening) => {
                let incarnation = opening.incarnation;
                let opened = opened(answer).map(|epoch| {
                    let session = self.new_session(p, id, of, opening, Some(epoch));
                    life.session = Some((incarnation, session));
                });
                Some(saga::Answer::Opened(incarnation, opened))
            }
            TicketAsk::Record(outcome) => Some(saga::Answer::Recorded(outcome, outcome_written(answer))),
        };
        if let Some(answer) = answer {
            life.desk.on_answer(answer, self.clock(p));
        }
        p.ticket_lives.insert(id, life);
        self.run_ticket(p, id);
    }

    pub fn on_unlinked(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation, answer: UnlinkAnswer) {
        self.ticket_input(p, id, saga::Input::Answered(incarnation, answer));
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

fn outcome_written(answer: Result<StatementAnswer, StoreError>) -> Result<(), StoreError> {
    match answer? {
        StatementAnswer::Retried(None) | StatementAnswer::Closed(None) => Err(StoreError::Fenced),
        StatementAnswer::Retried(Some(retried)) if retried.is_written || retried.was_written => Ok(()),
        StatementAnswer::Closed(Some(false)) => Ok(()),
        _ => Err(StoreError::Overtaken),
    }
}
