//! Time, the database's statements on their way, WhatsApp's side, and the acts.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    time::Duration,
};

use serde_json::json;
use uuid::Uuid;

use super::{
    daemon::{Arrival, AskedFor, Daemon, Process},
    dice::Dice,
    flaws::Flaw,
    model::{Model, Statement, StatementAnswer},
    referee::{Referee, Rule, Violation},
    schedule::{Act, ActKind, ArrivalOrder, AskedCommand, Refused, Schedule, StatementFault, StatementKind},
    whatsapp::{Device, SessionId, SessionStage, WhatsAppModel, number},
};
use crate::domain::{
    AccountId, Change, CloseReason, Group, GroupsError, Instant, OperatorId, Policy, Purpose, Refuse, Secret,
    SessionEvent, StoreError, UnlinkAnswer,
};

/// When a run begins, by the database's clock.
const BEGINNING: i64 = 1_800_000_000_000;
/// How long a caller waits for a statement.
pub const STATEMENT_TIMEOUT: i64 = 15_000;
/// Connections of a daemon to the database.
const CONNECTIONS: usize = 4;
/// The same QR is shown for so long.
const QR: i64 = 20_000;
const QRS: u32 = 5;
/// A phone tries to scan for so long.
const SCANS: i64 = 20_000;
/// A phone waits so long for the confirmation of a link: longer than any lease.
const CONFIRMED_WITHIN: i64 = 30_000;
/// The lines of a trace that are kept.
const LINES: usize = 160;

pub type CallId = u64;

/// A statement on its way.
#[derive(Debug)]
pub struct StatementCall {
    pub daemon: usize,
    pub process: Uuid,
    pub statement: Statement,
    /// The continuation after its answer; none once it was given up.
    pub then: Option<AskedFor>,
    connection: usize,
    unheard: bool,
    /// Executions to come.
    left: u32,
    refused: Option<String>,
}

#[derive(Debug)]
enum Due {
    Act(Act),
    Execute(CallId),
    Note(usize, Uuid, Arrival),
    Continue(usize),
    Boot(usize),
    LogIn(SessionId),
    ShowQr(SessionId, u32),
    Confirm(SessionId),
    Unlink(SessionId),
    HangUp(SessionId),
    Scan { phone: usize, account: usize, until: i64 },
    Operator(usize),
}

/// Statements that something is wrong with.
#[derive(Clone, Debug)]
struct Wrong {
    sort: StatementKind,
    left: u32,
    how: StatementFault,
}

/// Changes that are refused.
#[derive(Clone, Debug)]
struct Refusal {
    account: AccountId,
    what: Refused,
    until: Option<i64>,
}

/// An operator's request to a daemon's API, repeated until it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminRequest {
    pub daemon: usize,
    pub drains: bool,
    pub is_done: bool,
    /// It waits for an answer.
    pub is_asked: bool,
}

/// The result of a run.
#[derive(Debug)]
pub struct RunOutcome {
    pub violation: Option<Violation>,
    /// The last lines, if they were asked for.
    pub trace: Vec<String>,
    /// How long it took until all was well, in milliseconds after the faults.
    pub settled_after: i64,
    pub statements: u64,
}

/// See the module.
pub struct World {
    pub now: i64,
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    due: BTreeMap<u64, Due>,
    nth: u64,
    pub dice: Dice,
    pub model: Model,
    pub whatsapp: WhatsAppModel,
    pub daemons: Vec<Daemon>,
    pub referee: Referee,
    pub flaw: Option<Flaw>,
    pub policy: Policy,
    pub accounts: Vec<AccountId>,
    calls: BTreeMap<CallId, StatementCall>,
    statements: u64,
    wrong: Vec<Vec<Wrong>>,
    frozen: Vec<[i64; CONNECTIONS]>,
    away_until: i64,
    refusals: Vec<Refusal>,
    /// How long the next daemon that writes the keys of a link stops then.
    stop_behind_keys: Option<(i64, ArrivalOrder)>,
    /// Accounts that a daemon threw out which could not know better.
    pub thrown_out: BTreeSet<AccountId>,
    pub requests: Vec<AdminRequest>,
    last_life: u64,
    /// Openings of keyrings so far, of all daemons.
    pub openings: u64,
    last_stamp: i64,
    trace: Option<VecDeque<String>>,
}

/// One run, until all is well again after the last act, or a rule is broken. `traces` makes
/// it record what happened.
pub fn run(schedule: &Schedule, flaw: Option<Flaw>, traces: bool) -> RunOutcome {
    let mut world = World::new(schedule, flaw, traces);
    let settled_after = world.live_through(schedule);
    RunOutcome {
        violation: world.referee.first.take(),
        trace: world.trace.unwrap_or_default().into(),
        settled_after,
        statements: world.statements,
    }
}

impl World {
    fn new(schedule: &Schedule, flaw: Option<Flaw>, traces: bool) -> Self {
        let mut dice = Dice::new(schedule.seed ^ 0xA5A5);
        let policy = Policy {
            pair_timeout: Duration::from_secs(60),
            turn_timeout: Duration::from_secs(120),
            backoff_cap: Duration::from_secs(20),
            refuse: if schedule.after_link { Refuse::AfterLink } else { Refuse::BeforeLink },
            ..Policy::default()
        };
        let mut model = Model::default();
        (model.flaw, model.stays_after_linking) = (flaw, Duration::from_secs(5));
        let mut referee = Referee::default();
        let mut accounts = Vec::new();
        for nth in 0..schedule.accounts {
            let id = AccountId(Uuid::from_u128(dice.wide() >> 16 | u128::try_from(nth).unwrap_or(0) << 112));
            let operator = OperatorId(Uuid::from_u128(if nth == 3 { 2 } else { 1 }));
            model.add_account(id, operator, &format!("a{nth}"), Instant(BEGINNING));
            referee.add_account(&model.accounts[&id]);
            accounts.push(id);
        }
        let mut world = Self {
            now: 0,
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            nth: 0,
            dice,
            model,
            whatsapp: WhatsAppModel::default(),
            daemons: (0..schedule.daemons).map(|_| Daemon::default()).collect(),
            referee,
            flaw,
            policy,
            accounts,
            calls: BTreeMap::new(),
            statements: 0,
            wrong: vec![Vec::new(); schedule.daemons],
            frozen: vec![[0; CONNECTIONS]; schedule.daemons],
            away_until: 0,
            refusals: Vec::new(),
            stop_behind_keys: None,
            thrown_out: BTreeSet::new(),
            requests: Vec::new(),
            last_life: 0,
            openings: 0,
            last_stamp: 0,
            trace: traces.then(VecDeque::new),
        };
        for daemon in 0..schedule.daemons {
            let after = world.dice.between(0, 500);
            world.after(after, Due::Boot(daemon));
        }
        for act in &schedule.acts {
            world.after(act.at, Due::Act(act.clone()));
        }
        world
    }

    /// Goes on until then, or until a rule is broken.
    pub fn until(&mut self, end: i64) {
        while let Some(Reverse((at, nth))) = self.queue.peek().copied() {
            if at > end || self.referee.first.is_some() {
                break;
            }
            self.queue.pop();
            let Some(due) = self.due.remove(&nth) else { continue };
            self.now = self.now.max(at);
            self.happen(due);
        }
        if self.referee.first.is_none() {
            self.now = end;
        }
    }

    pub fn database_now(&self) -> Instant {
        Instant(BEGINNING + self.now)
    }

    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            if trace.len() == LINES {
                trace.pop_front();
            }
            trace.push_back(format!("{:>7}.{:03} {}", self.now / 1000, self.now % 1000, shortened(&what())));
        }
    }

    fn after(&mut self, ms: i64, due: Due) {
        self.nth += 1;
        self.due.insert(self.nth, due);
        self.queue.push(Reverse((self.now + ms.max(0), self.nth)));
    }

    /// To that process, in a while.
    pub fn note(&mut self, ms: i64, daemon: usize, process: Uuid, note: Arrival) {
        self.after(ms, Due::Note(daemon, process, note));
    }

    pub fn fresh_life(&mut self) -> u64 {
        self.last_life += 1;
        self.last_life
    }

    pub fn fresh_stamp(&mut self) -> i64 {
        self.last_stamp += 1;
        self.last_stamp
    }

    /// The machine starts the daemon, if it does not run.
    pub fn boot(&mut self, daemon: usize, ms: i64) {
        self.after(ms, Due::Boot(daemon));
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Act(act) => self.act(act.what),
            Due::Execute(call) => self.execute(call),
            Due::Note(daemon, process, note) => self.deliver(daemon, process, note),
            Due::Continue(daemon) => self.go_on(daemon),
            Due::Boot(daemon) => self.start_process(daemon),
            Due::LogIn(session) => self.log_in(session),
            Due::ShowQr(session, nth) => self.show_qr(session, nth),
            Due::Confirm(session) => self.confirm(session),
            Due::Unlink(session) => self.unlink(session),
            Due::HangUp(session) => self.whatsapp.hang_up(session),
            Due::Scan { phone, account, until } => self.scan(phone, account, until),
            Due::Operator(request) => self.ask_for(request),
        }
    }

    /// A note comes to a process, or waits until that goes on.
    fn deliver(&mut self, daemon: usize, process: Uuid, note: Arrival) {
        let Some(of) = self.daemons.get_mut(daemon) else { return };
        if of.present != Some(process) {
            return;
        }
        if of.is_stopped {
            of.held.push((process, note));
            return;
        }
        let Some(mut running) = of.process.take() else { return };
        let goes_on = self.on_note(&mut running, note);
        if goes_on {
            if let Some(of) = self.daemons.get_mut(daemon) {
                of.process = Some(running);
            }
        } else {
            self.end_process(daemon, &running);
        }
    }

    /// Nothing of a process is left but what it had sent.
    fn end_process(&mut self, daemon: usize, process: &Process) {
        self.tell(|| format!("d{daemon} ends"));
        self.whatsapp.hang_up_process(process.id);
        for request in self.requests.iter_mut().filter(|request| request.daemon == daemon) {
            request.is_done = true;
        }
        if let Some(of) = self.daemons.get_mut(daemon) {
            (of.process, of.present) = (None, None);
            of.held.clear();
            of.former.push(process.id);
        }
    }

    fn kill(&mut self, daemon: usize) {
        if let Some(process) = self.daemons.get_mut(daemon).and_then(|of| of.process.take()) {
            self.end_process(daemon, &process);
        }
    }

    fn go_on(&mut self, daemon: usize) {
        let Some(of) = self.daemons.get_mut(daemon) else { return };
        if !of.is_stopped || self.now < of.stopped_until {
            return;
        }
        of.is_stopped = false;
        if of.stops_host {
            of.lost_time += self.now - of.stopped_at;
            of.clocks_stood_until = self.now;
        }
        of.resumed_at = self.now;
        let held = of.take_held();
        self.tell(|| format!("d{daemon} goes on, {} notes wait", held.len()));
        for (process, note) in held {
            self.note(0, daemon, process, note);
        }
    }

    // The database

    /// Sends a statement. Its answer, or that there is none, comes to `then`.
    pub fn ask(&mut self, process: &Process, statement: Statement, then: AskedFor) {
        let daemon = process.daemon;
        self.statements += 1;
        let id = self.statements;
        let mut call = StatementCall {
            daemon,
            process: process.id,
            statement,
            then: Some(then),
            connection: self.dice.below(CONNECTIONS),
            unheard: false,
            left: 1,
            refused: None,
        };
        let way = self.dice.spread(1, 40);
        let is_renewal = matches!(call.statement, Statement::RenewLease { .. } | Statement::TakeLease { .. });
        let mut at = if is_renewal { way } else { way.max(self.frozen_for(daemon, call.connection) + way) };
        let timeout = if is_renewal { 4_000 } else { STATEMENT_TIMEOUT };
        let mut again = None;
        let mut told = "";
        if let Some(how) = self.what_is_wrong(daemon, &call.statement) {
            match how {
                StatementFault::Late(ms) => (at, told) = (at + ms, ", late"),
                StatementFault::LateUnheard(ms) => {
                    (at, told) = (at + ms, ", late and unheard");
                    self.note(5, daemon, process.id, Arrival::TimedOut(id));
                }
                StatementFault::Unanswered => (call.unheard, told) = (true, ", unanswered"),
                StatementFault::Failed => {
                    (call.refused, told) = (Some("it failed".to_owned()), ", failing");
                }
                // Only what is tried again can come twice, and keys never are.
                StatementFault::Twice(_) if matches!(call.statement, Statement::PutCredentials { .. }) => {}
                StatementFault::Twice(ms) => {
                    (call.left, told) = (2, ", twice");
                    again = Some(at + ms);
                }
            }
        }
        if !is_routine(&call.statement) || !told.is_empty() {
            self.tell(|| format!("d{daemon} asks {}{told}", said(&call.statement)));
        }
        self.after(at, Due::Execute(id));
        if let Some(again) = again {
            self.after(again, Due::Execute(id));
        }
        self.note(timeout, daemon, process.id, Arrival::TimedOut(id));
        self.calls.insert(id, call);
    }

    fn frozen_for(&self, daemon: usize, connection: usize) -> i64 {
        let until = self.frozen.get(daemon).and_then(|all| all.get(connection)).copied().unwrap_or(0);
        (until - self.now).max(0)
    }

    fn what_is_wrong(&mut self, daemon: usize, statement: &Statement) -> Option<StatementFault> {
        let wrong = self.wrong.get_mut(daemon)?;
        let found = wrong.iter().position(|wrong| matches(wrong.sort, statement))?;
        let one = wrong.get_mut(found)?;
        one.left -= 1;
        let how = one.how;
        if one.left == 0 {
            wrong.remove(found);
        }
        Some(how)
    }

    /// The caller has given up, so its connection is discarded.
    pub fn give_up(&mut self, call: CallId) -> Option<AskedFor> {
        let call = self.calls.get_mut(&call)?;
        let then = call.then.take()?;
        if let Some(frozen) = self.frozen.get_mut(call.daemon).and_then(|all| all.get_mut(call.connection)) {
            *frozen = 0;
        }
        Some(then)
    }

    /// The continuation of a statement, if its caller still waits.
    pub fn take_then(&mut self, call: CallId) -> Option<AskedFor> {
        let then = self.calls.get_mut(&call)?.then.take();
        if self.calls.get(&call).is_some_and(|call| call.left == 0) {
            self.calls.remove(&call);
        }
        then
    }

    fn execute(&mut self, id: CallId) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        let back = self.dice.spread(1, 30);
        let now = self.database_now();
        call.left -= 1;
        let answer = if self.now < self.away_until || call.refused.is_some() {
            Err(StoreError::Unavailable("the database did not do it".to_owned()))
        } else if let Some(why) = self.refusal(&call.statement) {
            Err(why)
        } else {
            let answer = self.model.execute(&call.statement, now);
            let whatsapp = &self.whatsapp;
            self.referee.on_executed(&call.statement, &self.model, now, |keyring| whatsapp.is_listed(keyring));
            Ok(answer)
        };
        let daemon = call.daemon;
        let wrote_keys = matches!(&call.statement, Statement::RecordChange { write, .. } if write.keys.is_some());
        if let Some((ms, order)) = self.stop_behind_keys.take_if(|_| wrote_keys && answer.is_ok()) {
            self.tell(|| format!("* d{daemon} stops behind the keys of a link"));
            self.stop(daemon, ms, false, order);
        }
        let late = if call.then.is_none() { "late: " } else { "" };
        if !is_routine(&call.statement) || call.then.is_none() || !found_nothing(&answer) {
            self.tell(|| format!("   database, {late}d{daemon} {} → {}", said(&call.statement), said_answer(&answer)));
        }
        let (process, unheard) = (call.process, call.unheard);
        let answer = if unheard { Err(StoreError::Unavailable("the connection broke".to_owned())) } else { answer };
        if call.then.is_some() || call.left > 0 {
            self.calls.insert(id, call);
        }
        self.note(back, daemon, process, Arrival::Answer(id, Box::new(answer)));
    }

    fn stop(&mut self, daemon: usize, ms: i64, host: bool, order: ArrivalOrder) {
        let now = self.now;
        let Some(of) = self.daemons.get_mut(daemon) else { return };
        if of.is_stopped || of.process.is_none() {
            return;
        }
        (of.is_stopped, of.stops_host, of.order) = (true, host, order);
        (of.stopped_at, of.stopped_until) = (now, now + ms);
        self.after(ms, Due::Continue(daemon));
    }

    fn refusal(&self, statement: &Statement) -> Option<StoreError> {
        let Statement::RecordChange { write, .. } = statement else { return None };
        let now = self.now;
        let refused = self.refusals.iter().any(|refusal| {
            refusal.account == write.record.id
                && refusal.until.is_none_or(|until| until > now)
                && is_refused(refusal.what, &write.change)
        });
        let why = "the database refuses it".to_owned();
        refused.then_some(match self.flaw {
            Some(Flaw::RefusedIsTriedForEver) => StoreError::Unavailable(why),
            _ => StoreError::Refused(why),
        })
    }

    /// A change that is on its way, ends that command, and would be applied.
    pub fn can_still_end(&self, command: crate::domain::CommandId) -> bool {
        self.calls.values().filter(|call| call.left > 0).any(|call| {
            let Statement::RecordChange { process, write } = &call.statement else { return false };
            let account = self.model.accounts.get(&write.record.id);
            account.is_some_and(|account| {
                account.owner == Some(*process)
                    && account.record.fence == write.record.fence
                    && account.last_change == write.follows
                    && write.change.finished.iter().any(|ended| ended.command == command)
            })
        })
    }

    // WhatsApp

    /// Delivers a connection's event to its daemon.
    pub fn speak(&mut self, id: SessionId, event: SessionEvent) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let (daemon, process, life) = (session.daemon, session.process, session.life);
        let way = self.dice.spread(1, 60);
        self.note(way, daemon, process, Arrival::Session(life, id, Box::new(event)));
    }

    /// The connection's turn has come.
    pub fn dial(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        if session.is_left || session.stage != SessionStage::Waiting {
            return;
        }
        session.stage = SessionStage::Dialled;
        let way = self.dice.spread(5, 300);
        let due = match session.purpose {
            Purpose::Login | Purpose::Unlink => Due::LogIn(id),
            Purpose::Pair { .. } => Due::ShowQr(id, 1),
        };
        let (account, process, fence, daemon) = (session.account, session.process, session.fence, session.daemon);
        let is_login = matches!(session.purpose, Purpose::Login | Purpose::Unlink);
        let now = self.database_now();
        if is_login && let Some(row) = self.model.accounts.get(&account) {
            let another = row.owner.filter(|owner| *owner != process && self.model.is_live(*owner, now));
            if another.is_some() && !self.could_not_know(id) {
                let owner = row.record.fence;
                self.referee.object(Rule::OwnersDial, || {
                    format!("d{daemon} dials {account} under {fence:?}, and another has it under {owner:?}")
                });
            }
        }
        self.after(way, due);
        self.speak(id, SessionEvent::Dialing);
    }

    fn log_in(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id).cloned() else { return };
        if session.stage != SessionStage::Dialled {
            return;
        }
        let keyring = session.keyring;
        if self.now < self.whatsapp.busy_until {
            return self.hang_up_with(id, CloseReason::ServerBusy("503".to_owned()));
        }
        if !self.whatsapp.is_listed(keyring) {
            return self.hang_up_with(id, CloseReason::NotAuthorized("401".to_owned()));
        }
        if let Some(former) = self.whatsapp.live.get(&keyring).copied() {
            self.on_replaced(former, id, &session);
            self.hang_up_with(former, CloseReason::Replaced("conflict".to_owned()));
        }
        self.whatsapp.live.insert(keyring, id);
        self.open(id);
    }

    fn open(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        session.stage = SessionStage::Open;
        let device = self.whatsapp.devices.get(&session.keyring);
        let phone = device.and_then(|device| number(device.phone));
        let device_jid = device.map(|device| format!("{}:{}@s.whatsapp.net", device.phone, session.keyring));
        self.speak(id, SessionEvent::Open { phone, device_jid });
    }

    /// Its monotonic clock stood still, and it was not renewed since.
    fn is_unsure(&self, daemon: usize) -> bool {
        self.daemons.get(daemon).is_some_and(|of| of.renewed_at < of.clocks_stood_until)
    }

    /// The daemon asked whose the account is, and was stopped since, or knows no better how
    /// long its lease lasts.
    fn could_not_know(&self, id: SessionId) -> bool {
        self.whatsapp.sessions.get(&id).is_some_and(|session| {
            let resumed_at = self.daemons.get(session.daemon).map_or(0, |of| of.resumed_at);
            resumed_at > session.since || (session.is_asked && self.is_unsure(session.daemon))
        })
    }

    fn on_replaced(&mut self, former: SessionId, id: SessionId, by: &super::whatsapp::SessionModel) {
        let Some(former) = self.whatsapp.sessions.get(&former) else { return };
        if former.is_left {
            return;
        }
        let (theirs, ours) = (former.daemon, by.daemon);
        let Some(of) = self.daemons.get(theirs) else { return };
        let keyring = by.keyring;
        if former.process == by.process {
            if !former.is_closing {
                self.referee.object(Rule::OneConnection, || format!("d{ours} connects twice with keyring {keyring}"));
            }
            return;
        }
        // A process that is, or was just now, stopped cannot know that it is no longer the owner.
        let is_excused =
            of.is_stopped || self.now - of.resumed_at < 1_000 || self.is_unsure(theirs) || self.could_not_know(id);
        if is_excused {
            self.thrown_out.insert(by.account);
        } else {
            self.referee.object(Rule::NobodyFights, || format!("d{ours} throws out d{theirs}, keyring {keyring}"));
        }
    }

    pub fn hang_up_with(&mut self, id: SessionId, reason: CloseReason) {
        self.whatsapp.hang_up(id);
        self.speak(id, SessionEvent::Ended { reason });
    }

    fn show_qr(&mut self, id: SessionId, nth: u32) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        match session.stage {
            SessionStage::Dialled => {}
            SessionStage::Shows(shown) if shown + 1 == nth => {}
            _ => return,
        }
        if nth > QRS {
            return self.hang_up_with(id, CloseReason::QrExhausted);
        }
        session.stage = SessionStage::Shows(nth);
        let expires_at = self.database_now().after(Duration::from_secs(20));
        self.speak(id, SessionEvent::Qr { payload: Secret::new(format!("{id}/{nth}")), expires_at });
        self.after(QR, Due::ShowQr(id, nth + 1));
    }

    fn scan(&mut self, phone: usize, account: usize, until: i64) {
        let shown =
            self.accounts.get(account).and_then(|id| self.model.accounts.get(id)).and_then(|row| row.qr.clone());
        let session = shown.as_ref().and_then(|qr| {
            let (id, nth) = qr.expose().split_once('/')?;
            let id: SessionId = id.parse().ok()?;
            let stage = self.whatsapp.sessions.get(&id)?.stage;
            (stage == SessionStage::Shows(nth.parse().ok()?)).then_some(id)
        });
        let Some(id) = session else {
            if self.now < until {
                self.after(400, Due::Scan { phone, account, until });
            }
            return;
        };
        let (Some(session), Some(phone_number)) = (self.whatsapp.sessions.get_mut(&id), number(phone)) else { return };
        session.stage = SessionStage::Scanned(phone, self.now);
        let device_jid = format!("{phone}:{}@s.whatsapp.net", session.keyring);
        self.tell(|| format!("phone {phone} scans a{account}"));
        self.speak(id, SessionEvent::Scanned { phone: phone_number, device_jid });
    }

    /// The daemon lets the link come about.
    pub fn send_confirmation(&mut self, p: &Process, id: SessionId) {
        let now = self.database_now();
        let session = self.whatsapp.sessions.get(&id);
        let row = session.and_then(|session| self.model.accounts.get(&session.account));
        let another = row.and_then(|row| row.owner).filter(|owner| *owner != p.id && self.model.is_live(*owner, now));
        let lost_time = self.daemons.get(p.daemon).map_or(0, |of| of.lost_time);
        let could_know = session.is_some_and(|session| session.lost_time == lost_time) && !self.is_unsure(p.daemon);
        if another.is_some() && could_know {
            let daemon = p.daemon;
            self.referee.object(Rule::OwnersConfirm, || format!("d{daemon} confirms a link of another's account"));
        } else if another.is_some() {
            // A daemon cannot notice that its clocks stood still. This does not leave an orphaned
            // entry on the phone only because phones do not wait for so long.
            return self.hang_up_with(id, CloseReason::SocketLost("the phone has given up".to_owned()));
        }
        let way = self.dice.spread(1, 60);
        self.after(way, Due::Confirm(id));
    }

    fn confirm(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let SessionStage::Scanned(phone, since) = session.stage else { return };
        if session.is_refused {
            return;
        }
        if self.now - since > CONFIRMED_WITHIN {
            return self.hang_up_with(id, CloseReason::SocketLost("the phone has given up".to_owned()));
        }
        let keyring = session.keyring;
        self.whatsapp.devices.insert(keyring, Device { phone, is_listed: true });
        self.tell(|| format!("phone {phone} lists {keyring}"));
        if self.dice.chance(10) {
            return self.hang_up_with(id, CloseReason::SocketLost("after the link".to_owned()));
        }
        self.whatsapp.live.insert(keyring, id);
        self.open(id);
    }

    pub fn send_unlink(&mut self, id: SessionId) {
        let way = self.dice.spread(20, 600);
        self.after(way, Due::Unlink(id));
    }

    fn unlink(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id).cloned() else { return };
        let answer = if session.stage != SessionStage::Open || self.now < self.whatsapp.busy_until {
            UnlinkAnswer::Unknown("no answer".to_owned())
        } else {
            if let Some(device) = self.whatsapp.devices.get_mut(&session.keyring) {
                device.is_listed = false;
            }
            self.whatsapp.hang_up(id);
            if self.dice.chance(15) {
                UnlinkAnswer::Unknown("the answer was lost".to_owned())
            } else {
                UnlinkAnswer::Gone("removed".to_owned())
            }
        };
        let way = self.dice.spread(1, 60);
        self.note(way, session.daemon, session.process, Arrival::Unlinked(session.life, session.incarnation, answer));
    }

    /// WhatsApp hears of a close or a cut so much later.
    pub fn send_hang_up(&mut self, id: SessionId, ms: i64) {
        self.after(ms, Due::HangUp(id));
    }

    pub fn groups(&mut self) -> Result<Vec<Group>, GroupsError> {
        if self.now < self.whatsapp.busy_until {
            return Err(GroupsError::Failed("no answer".to_owned()));
        }
        Ok(vec![Group { jid: "1@g.us".to_owned(), subject: "one".to_owned(), participants: 2, is_admin: false }])
    }

    // The acts

    fn act(&mut self, what: ActKind) {
        self.tell(|| format!("* {what:?}"));
        match what {
            ActKind::Command { account, kind } => {
                let Some(id) = self.accounts.get(account).copied() else { return };
                let (kind, args) = match kind {
                    AskedCommand::Pair => ("account.pair", json!({})),
                    AskedCommand::Cancel => ("account.cancel", json!({})),
                    AskedCommand::Unpair => ("account.unpair", json!({})),
                    AskedCommand::UnpairAndLogOut => ("account.unpair", json!({"logout": true})),
                    AskedCommand::Resume => ("account.resume", json!({})),
                    AskedCommand::Reconnect => ("account.reconnect", json!({})),
                    AskedCommand::Delete => ("account.delete", json!({})),
                    AskedCommand::SyncGroups => ("groups.sync", json!({})),
                };
                let command = self.model.add_command(Some(id), kind, args);
                self.tell(|| format!("  command {command} {kind} for a{account}"));
                self.ring(Arrival::Wake);
            }
            ActKind::Orphan => {
                self.model.add_command(None, "account.pair", json!({}));
                self.ring(Arrival::Wake);
            }
            ActKind::Scan { phone, account } => self.scan(phone, account, self.now + SCANS),
            ActKind::CutSocket { account } => {
                let keyring = self.accounts.get(account).and_then(|id| self.model.accounts.get(id));
                let keyring = keyring.and_then(|row| row.record.keyring().or(row.record.linking()));
                if let Some(session) = keyring.and_then(|keyring| self.whatsapp.live.get(&keyring)).copied() {
                    self.hang_up_with(session, CloseReason::SocketLost("cut".to_owned()));
                }
            }
            ActKind::RemoveDevices { phone } => {
                let gone: Vec<_> = self.whatsapp.devices.iter().filter(|(_, device)| device.phone == phone).collect();
                let gone: Vec<_> = gone.into_iter().map(|(keyring, _)| *keyring).collect();
                for keyring in gone {
                    if let Some(device) = self.whatsapp.devices.get_mut(&keyring) {
                        device.is_listed = false;
                    }
                    if let Some(session) = self.whatsapp.live.get(&keyring).copied() {
                        self.hang_up_with(session, CloseReason::LoggedOut("device_removed".to_owned()));
                    }
                }
            }
            ActKind::WhatsAppBusy { ms } => self.whatsapp.busy_until = self.whatsapp.busy_until.max(self.now + ms),
            ActKind::Statements { daemon, sort, count, how } => {
                if let Some(wrong) = self.wrong.get_mut(daemon) {
                    wrong.push(Wrong { sort, left: count, how });
                }
            }
            ActKind::Freeze { daemon, ms } => {
                let connection = self.dice.below(CONNECTIONS);
                let until = self.now + ms;
                if let Some(frozen) = self.frozen.get_mut(daemon).and_then(|all| all.get_mut(connection)) {
                    *frozen = until;
                }
            }
            ActKind::DatabaseAway { ms } => self.away_until = self.away_until.max(self.now + ms),
            ActKind::Stop { daemon, ms, host, order } => self.stop(daemon, ms, host, order),
            ActKind::StopBehindKeys { ms, order } => self.stop_behind_keys = Some((ms, order)),
            ActKind::Kill { daemon, ms } => {
                self.kill(daemon);
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.is_stopped = false;
                }
                self.boot(daemon, ms);
            }
            ActKind::Terminate { daemon, ms } => {
                if let Some(process) = self.daemons.get(daemon).and_then(|of| of.present) {
                    self.note(0, daemon, process, Arrival::Terminate(ms));
                }
            }
            ActKind::Drain { daemon } => self.send_request(daemon, true),
            ActKind::Undrain { daemon } => self.send_request(daemon, false),
            ActKind::HostClock { daemon, ms } => {
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.wall_clock_off = ms;
                }
            }
            ActKind::Refuse { account, what, ms } => {
                let Some(account) = self.accounts.get(account).copied() else { return };
                let until = ms.map(|ms| self.now + ms);
                self.refusals.push(Refusal { account, what, until });
            }
            ActKind::Deaf { daemon, ms } => {
                let until = self.now + ms;
                if let Some(of) = self.daemons.get_mut(daemon) {
                    of.deaf_until = of.deaf_until.max(until);
                }
            }
            ActKind::RestartActor { account } => {
                let Some(account) = self.accounts.get(account).copied() else { return };
                let owner = self.model.accounts.get(&account).and_then(|row| row.owner);
                for daemon in 0..self.daemons.len() {
                    if let Some(owner) = owner.filter(|owner| self.runs(daemon, *owner)) {
                        self.note(0, daemon, owner, Arrival::RestartActor(account));
                    }
                }
            }
        }
    }

    pub fn runs(&self, daemon: usize, process: Uuid) -> bool {
        self.daemons.get(daemon).is_some_and(|of| of.present == Some(process))
    }

    /// Delivers it to every process that listens.
    pub fn ring(&mut self, note: Arrival) {
        for daemon in 0..self.daemons.len() {
            self.ring_one(daemon, note.clone());
        }
    }

    fn ring_one(&mut self, daemon: usize, note: Arrival) {
        let way = self.dice.spread(1, 20);
        let Some(of) = self.daemons.get(daemon) else { return };
        let process = of.present;
        if let Some(process) = process.filter(|_| of.deaf_until <= self.now) {
            self.note(way, daemon, process, note);
        }
    }

    /// An operator asks a daemon to drain, or not to, until it says that it did.
    pub fn send_request(&mut self, daemon: usize, drains: bool) {
        // The latest word counts.
        for request in self.requests.iter_mut().filter(|request| request.daemon == daemon && request.drains != drains) {
            request.is_done = true;
        }
        self.requests.push(AdminRequest { daemon, drains, is_done: false, is_asked: false });
        self.after(0, Due::Operator(self.requests.len() - 1));
    }

    fn ask_for(&mut self, nth: usize) {
        let Some(request) = self.requests.get_mut(nth).filter(|request| !request.is_done && !request.is_asked) else {
            return;
        };
        let (daemon, drains) = (request.daemon, request.drains);
        match self.daemons.get(daemon).and_then(|of| of.present) {
            Some(process) => {
                request.is_asked = true;
                self.note(1, daemon, process, Arrival::AdminRequest(nth, drains));
            }
            // It does not run: when it does, it does not drain.
            None => request.is_done = true,
        }
    }

    /// Delivers the daemon's answer to an operator, who asks again if it was not done.
    pub fn answer_request(&mut self, nth: usize, is_done: bool) {
        if let Some(request) = self.requests.get_mut(nth) {
            request.is_asked = false;
            request.is_done |= is_done;
            if !request.is_done {
                self.after(2_000, Due::Operator(nth));
            }
        }
    }

    /// Nothing is wrong any more from now on, but for what was refused for good.
    pub fn end_faults(&mut self) {
        self.tell(|| "* the faults are over".to_owned());
        for wrong in &mut self.wrong {
            wrong.clear();
        }
        for frozen in &mut self.frozen {
            *frozen = [0; CONNECTIONS];
        }
        self.away_until = 0;
        self.whatsapp.busy_until = 0;
        self.stop_behind_keys = None;
        for daemon in 0..self.daemons.len() {
            if let Some(of) = self.daemons.get_mut(daemon) {
                of.deaf_until = 0;
                of.stopped_until = 0;
            }
            self.go_on(daemon);
            self.boot(daemon, 0);
        }
    }

    /// It was refused something, at any time.
    pub fn has_refusals_of(&self, account: AccountId) -> bool {
        self.refusals.iter().any(|refusal| refusal.account == account)
    }
}

fn is_refused(what: Refused, change: &Change) -> bool {
    match what {
        Refused::Groups => change.groups.as_ref().is_some_and(|groups| !groups.is_empty()),
        Refused::Event(kind) => change.events.iter().any(|event| event.kind() == kind),
    }
}

fn matches(sort: StatementKind, statement: &Statement) -> bool {
    match sort {
        StatementKind::Any => !matches!(statement, Statement::RenewLease { .. }),
        StatementKind::Change => matches!(statement, Statement::RecordChange { .. }),
        StatementKind::Take => matches!(statement, Statement::TakeCommands { .. }),
        StatementKind::Requeue => matches!(statement, Statement::RequeueCommands { .. }),
        StatementKind::Orphans => matches!(statement, Statement::FailOrphanedCommands),
        StatementKind::Release => {
            matches!(statement, Statement::ReleaseAccount { .. } | Statement::RetakeAccount { .. })
        }
        StatementKind::Claim => matches!(statement, Statement::ClaimAccounts { .. } | Statement::Survey { .. }),
        StatementKind::Load => matches!(statement, Statement::LoadAccount { .. } | Statement::LoadTicket { .. }),
        StatementKind::Ticket => matches!(statement, Statement::RetryTicket { .. } | Statement::CloseTicket { .. }),
        StatementKind::Opening => {
            matches!(statement, Statement::OpenKeyring { .. } | Statement::LoadConnectionSettings { .. })
        }
        StatementKind::Keys => matches!(statement, Statement::PutCredentials { .. }),
        StatementKind::Renewal => matches!(statement, Statement::RenewLease { .. }),
        StatementKind::Drain => matches!(statement, Statement::SetDraining { .. } | Statement::GiveAccountsBack { .. }),
    }
}

/// Ids by their beginnings.
fn shortened(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let is_id = word.len() >= 36 && word.get(8..9) == Some("-") && word.get(13..14) == Some("-");
        if is_id { format!("{}{}", &word[..8], &word[36..]) } else { word.to_owned() }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

/// Whether a statement is so frequent that it would fill a trace.
fn is_routine(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::RenewLease { .. }
            | Statement::Survey { .. }
            | Statement::TakeCommands { .. }
            | Statement::PutCredentials { .. }
            | Statement::ClaimAccounts { .. }
    )
}

fn found_nothing(answer: &Result<StatementAnswer, StoreError>) -> bool {
    match answer {
        Ok(StatementAnswer::Renewed { epoch, expired, .. }) => epoch.is_some() && !expired,
        Ok(StatementAnswer::Commands { due, orphans }) => due.is_empty() && !orphans,
        Ok(StatementAnswer::Claimed(claimed)) => claimed.is_empty(),
        Ok(StatementAnswer::Survey(_) | StatementAnswer::Put { written: true, .. }) => true,
        _ => false,
    }
}

fn said(statement: &Statement) -> String {
    match statement {
        Statement::RecordChange { write, .. } => {
            let record = &write.record;
            let short = |id: Option<Uuid>| id.map_or_else(|| "-".to_owned(), |id| id.to_string()[..8].to_owned());
            let events: Vec<_> = write.change.events.iter().map(|event| event.kind().as_str()).collect();
            let ended: Vec<_> = write.change.finished.iter().map(|ended| ended.command.0).collect();
            format!(
                "record_change {} after {} of {} {:?}: {} ({}) fence {} keyring {} linking {}, told {events:?}, ended {ended:?}, tickets {}, erased {}",
                short(Some(write.id.0)),
                short(write.follows.map(|id| id.0)),
                record.label,
                record.attempt().map(|attempt| attempt.deadline.0 - BEGINNING),
                record.status,
                record.reason,
                record.fence.0,
                short(record.keyring().map(|id| id.0)),
                short(record.linking().map(|id| id.0)),
                write.change.tickets.len(),
                write.change.erase.len(),
            )
        }
        other => format!("{other:?}"),
    }
}

fn said_answer(answer: &Result<StatementAnswer, StoreError>) -> String {
    match answer {
        Ok(StatementAnswer::Loaded(Some(loaded))) => {
            format!("{} ({}) fence {}", loaded.record.status, loaded.record.reason, loaded.record.fence.0)
        }
        Ok(answer) => format!("{answer:?}"),
        Err(why) => format!("{why:?}"),
    }
}
