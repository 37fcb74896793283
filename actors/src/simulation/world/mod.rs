//! Time and the daemons' processes: everything that is due happens in its order.

mod acts;
mod messages;
mod phones;
mod statements;
mod trace;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    time::Duration,
};

use uuid::Uuid;

use self::{
    acts::AdminRequest,
    messages::PhoneReceipt,
    statements::{Refusal, StatementCall, Wrong},
};
use super::{
    daemon::{Arrival, Daemon, Process},
    dice::Dice,
    flaws::Flaw,
    model::Model,
    referee::{Referee, Violation},
    schedule::{Act, ArrivalOrder, Schedule},
    whatsapp::{MailId, SentFrame, SessionId, WhatsAppModel},
};
use crate::{
    domain::{AccountId, Backoff, Instant, OperatorId, Policy, Refuse},
    outgoing::OutgoingPolicy,
};

pub use statements::CallId;

/// When a run begins, by the database's clock.
const BEGINNING: i64 = 1_800_000_000_000;
/// Connections of a daemon to the database.
const CONNECTIONS: usize = 4;

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
    SayWhatWasKept(SessionId),
    Frame(SessionId, Box<SentFrame>),
    MailRead(SessionId, Vec<MailId>),
    PhoneReceipt(PhoneReceipt),
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
    /// For everything that is about messages, so that the rest of a run is what it is without.
    pub message_dice: Dice,
    pub model: Model,
    pub whatsapp: WhatsAppModel,
    pub daemons: Vec<Daemon>,
    pub referee: Referee,
    pub flaw: Option<Flaw>,
    pub policy: Policy,
    pub outgoing_policy: OutgoingPolicy,
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
    /// Tries of messages so far, of all daemons.
    pub last_try: u64,
    last_stamp: i64,
    trace: Option<VecDeque<String>>,
}

/// One run, until all is well again after the last act, or a rule is broken. `traces` makes
/// it record what happened.
pub fn run(schedule: &Schedule, flaw: Option<Flaw>, traces: bool) -> RunOutcome {
    let mut world = World::new(schedule, flaw, traces);
    let settled_after = world.live_through(schedule);
    RunOutcome {
        violation: world.referee.take_objection(),
        trace: world.trace.unwrap_or_default().into(),
        settled_after,
        statements: world.statements,
    }
}

/// Short, so that a run sees all of them; but for `late_statement`, after which a statement of a
/// run that stood still and was late is over, too.
fn outgoing_policy() -> OutgoingPolicy {
    OutgoingPolicy {
        at_once: 3,
        send_timeout: Duration::from_secs(5),
        ack_timeout: Duration::from_secs(10),
        pause: Backoff::new(Duration::from_secs(1), Duration::from_secs(20)),
        late_statement: Duration::from_secs(130),
        ..OutgoingPolicy::default()
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
        let mut message_dice = Dice::new(schedule.seed ^ 0xB00C);
        let mut referee = Referee::default();
        let mut accounts = Vec::new();
        for nth in 0..schedule.accounts {
            let id = AccountId(Uuid::from_u128(dice.wide() >> 16 | u128::try_from(nth).unwrap_or(0) << 112));
            let operator = OperatorId(Uuid::from_u128(if nth == 3 { 2 } else { 1 }));
            model.add_account(id, operator, &format!("a{nth}"), Instant(BEGINNING));
            if let Some(row) = model.accounts.get_mut(&id) {
                row.sending.burst = if message_dice.chance(30) { 1 } else { 5 };
                row.sending.new_chats_per_day = message_dice.one_of(&[None, Some(20), Some(20), Some(1)]).flatten();
            }
            referee.add_account(&model.accounts[&id]);
            accounts.push(id);
        }
        let mut world = Self {
            now: 0,
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            nth: 0,
            dice,
            message_dice,
            model,
            whatsapp: WhatsAppModel::default(),
            daemons: (0..schedule.daemons).map(|_| Daemon::default()).collect(),
            referee,
            flaw,
            policy,
            outgoing_policy: outgoing_policy(),
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
            last_try: 0,
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
            if at > end || self.referee.has_objected() {
                break;
            }
            self.queue.pop();
            let Some(due) = self.due.remove(&nth) else { continue };
            self.now = self.now.max(at);
            self.happen(due);
        }
        if !self.referee.has_objected() {
            self.now = end;
        }
    }

    pub fn database_now(&self) -> Instant {
        Instant(BEGINNING + self.now)
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
            Due::SayWhatWasKept(session) => self.say_what_was_kept(session),
            Due::Frame(session, frame) => self.on_frame(session, &frame),
            Due::MailRead(session, mail) => self.forget_mail(session, &mail),
            Due::PhoneReceipt(receipt) => self.on_phone_receipt(receipt),
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
}
