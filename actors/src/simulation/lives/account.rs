//! An account's actor.

use std::collections::BTreeSet;

use super::{
    super::{
        daemon::{Arrival, AskedFor, Process},
        flaws::Flaw,
        model::{Statement, StatementAnswer},
        referee::Rule,
        whatsapp::{Keys, LifeId, SessionStage},
        world::World,
    },
    Life, LifeAsk, Opening, live, opened, settings,
};
use crate::{
    account::{
        author::{Answer as OfAccount, Author, Task},
        lifecycle::{CommandInput, Input},
    },
    desk::{Desk, Next},
    domain::{
        CommandRow, Ending, GroupsError, Incarnation, Loaded, Member, OnlineError, PasskeyError, Retired, SealedKeys,
        StoreError, Trouble, Write, Written,
    },
};

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

    pub(super) fn input(&mut self, p: &mut Process, id: LifeId, input: Input) {
        if let Some(life) = p.lives.get_mut(&id) {
            life.desk.take(input, None);
            self.pump(p, id);
        }
    }

    pub(super) fn pump(&mut self, p: &mut Process, id: LifeId) {
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

    fn end_life(&mut self, p: &mut Process, life: &Life, ending: Ending) {
        let retired = Retired::of(Member::Account(life.account), ending);
        self.depart(p, life.session, retired);
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
            Task::Ask { incarnation, command, .. } => {
                life.desk.take(Input::Answered(incarnation, command, Err(OnlineError::NoAnswer)), None);
            }
            Task::FetchGroups(incarnation) => {
                let way = self.dice.spread(20, 2_000);
                self.note(way, p.daemon, p.id, Arrival::Groups(id, incarnation));
            }
        }
    }

    pub(super) fn life_ask(&mut self, p: &Process, id: LifeId, life: &mut Life, statement: Statement, ask: LifeAsk) {
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
        if !write.change.tickets.is_empty() {
            self.note(0, p.daemon, p.id, Arrival::Resync);
        }
        Ok(written)
    }

    pub fn on_done(&mut self, p: &mut Process, id: LifeId) {
        let now = self.clock(p);
        if let Some(life) = p.lives.get_mut(&id) {
            life.desk.on_answer(OfAccount::Done, now);
            self.pump(p, id);
        }
    }

    pub fn on_groups(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation) {
        let is_there = p.lives.get(&id).is_some_and(|life| live(life.session, incarnation).is_some());
        let outcome = if is_there { self.groups() } else { Err(GroupsError::ConnectionOver) };
        self.input(p, id, Input::GroupsFetched(incarnation, outcome));
    }
}
