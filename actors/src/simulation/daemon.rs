//! A daemon's shells in virtual time: what `supervisor/actor.rs`, the store and the lease's
//! holder do around their machines.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use uuid::Uuid;

use super::{
    flaws::Flaw,
    lives::{Life, LifeAsk, TicketAsk, TicketLife},
    model::{Statement, StatementAnswer},
    referee::Rule,
    schedule::ArrivalOrder,
    whatsapp::{LifeId, SessionId},
    world::{CallId, World},
};
use crate::{
    domain::{
        AccountId, CommandId, CommandRow, Fence, Incarnation, Instant, Member, Policy, Retired, SessionEvent,
        StoreError, Survey, Taken, TakingId, TicketId, Trouble, UnlinkAnswer,
    },
    lease::{Answer as LeaseAnswer, Follower, Heartbeat, LeaseState, LeaseTimings, Order as LeaseOrder, Turn},
    supervisor::roster::{Directive, Roster, RosterPolicy, RosterWrite, Started},
};

const TTL: Duration = Duration::from_secs(20);
/// Everything is compared with the database at least this often.
const TICK: i64 = 15_000;
const DRAIN_TIMEOUT: i64 = 10_000;
const END_TIMEOUT: i64 = 7_000;
const FLUSH_TIMEOUT: i64 = 1_000;
const CUT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest error of the clock that is left uncorrected.
const TOLERANCE: i64 = 2_000;

/// A machine that a daemon runs on.
#[derive(Debug, Default)]
pub struct Daemon {
    /// Taken out while it does something.
    pub process: Option<Process>,
    /// The process that runs, also meanwhile.
    pub present: Option<Uuid>,
    pub former: Vec<Uuid>,
    pub is_stopped: bool,
    pub stops_host: bool,
    pub stopped_at: i64,
    pub stopped_until: i64,
    pub resumed_at: i64,
    /// When its last good renewal began.
    pub renewed_at: i64,
    pub order: ArrivalOrder,
    /// Notes that came while it was stopped.
    pub held: Vec<(Uuid, Arrival)>,
    /// How long its monotonic clock stood still.
    pub lost_time: i64,
    /// They stood still until then, if they ever did.
    pub clocks_stood_until: i64,
    pub wall_clock_off: i64,
    pub deaf_until: i64,
    /// Under which fence a life of the account, in that process, was fenced off last.
    pub fenced_off: BTreeMap<(Uuid, AccountId), Fence>,
}

impl Daemon {
    pub fn take_held(&mut self) -> Vec<(Uuid, Arrival)> {
        let mut held = std::mem::take(&mut self.held);
        match self.order {
            ArrivalOrder::AsItCame => {}
            ArrivalOrder::TimersFirst => held.sort_by_key(|(_, note)| !note.is_timer()),
            ArrivalOrder::TimersLast => held.sort_by_key(|(_, note)| note.is_timer()),
        }
        held
    }
}

/// A message to a process.
#[derive(Clone, Debug)]
pub enum Arrival {
    Answer(CallId, Box<Result<StatementAnswer, StoreError>>),
    TimedOut(CallId),
    Heartbeat,
    Tick,
    Wake,
    Resync,
    RosterDue,
    RestartActor(AccountId),
    Retired(Retired),
    AdminRequest(usize, bool),
    DrainTimeout(usize, i64),
    Terminate(i64),
    EndNow(bool),
    Exit,
    LifeDue(LifeId),
    Session(LifeId, SessionId, Box<SessionEvent>),
    Dial(SessionId),
    PutKeys(SessionId),
    Done(LifeId),
    Closed(LifeId, Incarnation, SessionId),
    Groups(LifeId, Incarnation),
    Unlinked(LifeId, Incarnation, UnlinkAnswer),
}

impl Arrival {
    fn is_timer(&self) -> bool {
        matches!(
            self,
            Self::TimedOut(_)
                | Self::Heartbeat
                | Self::Tick
                | Self::RosterDue
                | Self::DrainTimeout(..)
                | Self::EndNow(_)
                | Self::LifeDue(_)
                | Self::Dial(_)
                | Self::PutKeys(_)
        )
    }
}

/// The continuation after the answer of a statement.
#[derive(Clone, Debug)]
pub enum AskedFor {
    Nothing,
    Renewal { number: i64, asked: i64 },
    Buried { number: i64, epoch: i64 },
    Surveyed,
    Took { resync: bool, survey: Option<Survey> },
    FailedOrphans { resync: bool, survey: Option<Survey>, commands: Vec<CommandRow> },
    Claimed(u32),
    Released(AccountId, Fence, Vec<Taken>),
    RosterWritten(RosterWrite),
    Loaded(Member, Option<Trouble>),
    Life(LifeId, u64, LifeAsk),
    Ticket(LifeId, u64, TicketAsk),
    Put(SessionId),
    DrainSet(usize),
    GivenBack(usize),
    Exit,
}

/// The operator's request that this process is working on.
#[derive(Debug)]
struct CurrentAdminRequest {
    nth: usize,
    drains: bool,
    number: i64,
    /// Whether the row says so; nothing while that is asked.
    written: Option<bool>,
}

/// A running daemon.
#[derive(Debug)]
pub struct Process {
    pub id: Uuid,
    pub daemon: usize,
    pub policy: Policy,
    /// The monotonic clock when it began.
    born: i64,
    /// How far its clock is ahead of the monotonic one.
    offset: i64,
    heartbeat: Heartbeat,
    follower: Option<Follower>,
    /// Whether the supervisor was told that the lease is lost.
    pub is_lost: bool,
    /// When the last renewal began.
    asked_at: i64,
    beats: bool,
    beat_at: Option<i64>,
    daemons: u32,
    drain: (bool, i64),
    roster: Roster,
    roster_at: Option<i64>,
    pub accounts: BTreeMap<AccountId, LifeId>,
    pub tickets: BTreeMap<TicketId, LifeId>,
    pub lives: BTreeMap<LifeId, Life>,
    pub ticket_lives: BTreeMap<LifeId, TicketLife>,
    handed: BTreeMap<CommandId, (AccountId, TakingId)>,
    pub looks: (u64, u64),
    delivered: BTreeMap<CommandId, BTreeSet<TakingId>>,
    /// Members that were told to leave.
    leaving: BTreeSet<Member>,
    requests: VecDeque<(usize, bool)>,
    request: Option<CurrentAdminRequest>,
    /// It stops, and starts again after so long.
    terminating: Option<i64>,
    is_ending: bool,
}

impl World {
    pub fn mono(&self, daemon: usize) -> i64 {
        self.now - self.daemons.get(daemon).map_or(0, |of| of.lost_time)
    }

    /// By the daemon's own clock.
    pub fn clock(&self, p: &Process) -> Instant {
        Instant(self.database_now().0 - self.now + self.mono(p.daemon) + p.offset)
    }

    /// The epoch of a lease that the daemon may take for live at this moment.
    pub fn epoch_now(&self, p: &Process) -> Option<i64> {
        p.heartbeat.epoch_at(self.since_birth(p))
    }

    fn since_birth(&self, p: &Process) -> Duration {
        Duration::from_millis(u64::try_from(self.mono(p.daemon) - p.born).unwrap_or(0))
    }

    pub fn start_process(&mut self, daemon: usize) {
        let id = Uuid::from_u128(self.dice.wide());
        let born = self.mono(daemon);
        let seed = self.dice.wide();
        let Some(of) = self.daemons.get_mut(daemon).filter(|of| of.present.is_none()) else { return };
        of.present = Some(id);
        // There are too few accounts to be uneven otherwise.
        let roster = Roster::new(RosterPolicy { tolerated: 0, ..RosterPolicy::default() }, seed);
        let process = Process {
            id,
            daemon,
            policy: self.policy.clone(),
            born,
            offset: of.wall_clock_off + of.lost_time,
            heartbeat: Heartbeat::new(LeaseTimings::of(TTL), Duration::ZERO),
            follower: None,
            is_lost: false,
            asked_at: 0,
            beats: true,
            beat_at: None,
            daemons: 0,
            drain: (false, 0),
            roster,
            roster_at: None,
            accounts: BTreeMap::new(),
            tickets: BTreeMap::new(),
            lives: BTreeMap::new(),
            ticket_lives: BTreeMap::new(),
            handed: BTreeMap::new(),
            looks: (0, 0),
            delivered: BTreeMap::new(),
            leaving: BTreeSet::new(),
            requests: VecDeque::new(),
            request: None,
            terminating: None,
            is_ending: false,
        };
        of.process = Some(process);
        of.is_stopped = false;
        self.tell(|| format!("d{daemon} starts as {id}"));
        self.note(0, daemon, id, Arrival::Heartbeat);
    }

    /// Whether the process goes on.
    pub fn on_note(&mut self, p: &mut Process, note: Arrival) -> bool {
        match note {
            Arrival::Answer(call, answer) => {
                if let Some(then) = self.take_then(call) {
                    return self.on_answer(p, then, *answer);
                }
            }
            Arrival::TimedOut(call) => {
                if let Some(then) = self.give_up(call) {
                    return self.on_answer(p, then, Err(StoreError::Unavailable("no answer".to_owned())));
                }
            }
            Arrival::Heartbeat => {
                p.beat_at = None;
                self.beat(p);
            }
            Arrival::Tick => {
                self.wake(p, true);
                self.note(TICK, p.daemon, p.id, Arrival::Tick);
            }
            Arrival::Wake => self.wake(p, false),
            Arrival::Resync => self.wake(p, true),
            Arrival::RosterDue => {
                p.roster_at = None;
                let directives = p.roster.on_deadline(self.clock(p));
                self.follow(p, directives);
            }
            Arrival::RestartActor(account) => {
                let directives = p.roster.on_restart(account);
                self.follow(p, directives);
            }
            Arrival::Retired(retired) => self.on_retired(p, retired),
            Arrival::AdminRequest(nth, drains) => {
                p.requests.push_back((nth, drains));
                self.next_request(p);
            }
            Arrival::DrainTimeout(nth, number) => {
                if p.request.as_ref().is_some_and(|request| request.nth == nth && request.number == number) {
                    self.end_request(p, false);
                }
            }
            Arrival::Terminate(ms) => self.terminate(p, ms),
            Arrival::EndNow(is_drained) => self.end_now(p, is_drained),
            Arrival::Exit => return self.exit(p),
            Arrival::LifeDue(life) => self.on_life_due(p, life),
            Arrival::Session(life, session, event) => self.on_session(p, life, session, *event),
            Arrival::Dial(session) => self.dial(session),
            Arrival::PutKeys(session) => self.put_keys(p, session),
            Arrival::Done(life) => self.on_done(p, life),
            Arrival::Closed(life, incarnation, session) => self.on_closed(p, life, incarnation, session),
            Arrival::Groups(life, incarnation) => self.on_groups(p, life, incarnation),
            Arrival::Unlinked(life, incarnation, answer) => self.on_unlinked(p, life, incarnation, answer),
        }
        true
    }

    fn on_answer(&mut self, p: &mut Process, then: AskedFor, answer: Result<StatementAnswer, StoreError>) -> bool {
        match then {
            AskedFor::Nothing => {}
            AskedFor::Renewal { number, asked } => self.on_renewal(p, number, asked, answer),
            AskedFor::Buried { number, epoch } => {
                let answer = match answer {
                    Ok(_) => LeaseAnswer::Renewed { epoch },
                    Err(_) => LeaseAnswer::Failed,
                };
                self.ring(Arrival::Resync);
                self.on_lease_answer(p, number, answer);
            }
            AskedFor::Surveyed => match answer {
                Ok(StatementAnswer::Survey(survey)) => self.take_commands(p, true, Some(survey)),
                _ => self.on_poll_failed(p, true),
            },
            AskedFor::Took { resync, survey } => self.on_took(p, resync, survey, answer),
            AskedFor::FailedOrphans { resync, survey, commands } => {
                if answer.is_err() && self.flaw == Some(Flaw::OrphansLoseCommands) {
                    p.hand_out(&commands);
                    self.on_poll_failed(p, resync);
                } else {
                    self.on_polled(p, survey.as_ref(), commands);
                }
            }
            AskedFor::Claimed(limit) => match answer {
                Ok(StatementAnswer::Claimed(got)) => {
                    let directives = p.roster.on_claimed(limit, u32::try_from(got.len()).unwrap_or(u32::MAX));
                    self.follow(p, directives);
                }
                _ => {
                    p.roster.on_claim_failed(self.clock(p));
                    self.follow(p, Vec::new());
                }
            },
            AskedFor::Released(account, fence, taken) => {
                if answer.is_ok() {
                    p.forget_takings(&taken);
                    self.ring(Arrival::Resync);
                    let directives = p.roster.on_released(account, fence, true);
                    self.follow(p, directives);
                } else {
                    let mut directives = p.roster.on_released(account, fence, false);
                    if self.flaw == Some(Flaw::LostReleaseIsKept) {
                        let unwritten = RosterWrite::Retake(account, fence);
                        directives = p.roster.on_written(&unwritten, Ok(()), self.clock(p));
                    }
                    self.follow(p, directives);
                }
            }
            AskedFor::RosterWritten(write) => self.on_roster_written(p, &write, answer),
            AskedFor::Loaded(member, trouble) => self.on_loaded(p, member, trouble, answer),
            AskedFor::Life(life, token, ask) => self.on_life_answer(p, life, token, ask, answer),
            AskedFor::Ticket(life, token, ask) => self.on_ticket_answer(p, life, token, ask, answer),
            AskedFor::Put(session) => self.on_put(p, session, &answer),
            AskedFor::DrainSet(nth) => self.on_drain_set(p, nth, answer.is_ok()),
            AskedFor::GivenBack(nth) => {
                if p.request.as_ref().is_some_and(|request| request.nth == nth) {
                    self.ring(Arrival::Resync);
                    self.end_request(p, answer.is_ok());
                }
            }
            AskedFor::Exit => return self.exit(p),
        }
        true
    }

    // The lease

    fn beat(&mut self, p: &mut Process) {
        if !p.beats {
            return;
        }
        let now = self.since_birth(p);
        p.heartbeat.on_time(now);
        self.tell_lease(p);
        if p.heartbeat.due().is_some_and(|due| due <= now) {
            let renewal = p.heartbeat.begin(now);
            self.tell_lease(p);
            let (process, renewal_no, (draining, drain_no)) = (p.id, renewal.number, p.drain);
            let statement = match renewal.order {
                LeaseOrder::Take => Statement::TakeLease { process, ttl: TTL, renewal: renewal_no, draining, drain_no },
                LeaseOrder::Renew { refresh } => {
                    Statement::RenewLease { process, ttl: TTL, renewal: renewal_no, refresh, draining, drain_no }
                }
            };
            let asked = self.mono(p.daemon);
            p.asked_at = self.now;
            self.ask(p, statement, AskedFor::Renewal { number: renewal.number, asked });
        }
        self.arm_beat(p);
    }

    fn arm_beat(&mut self, p: &mut Process) {
        let next = p.heartbeat.due().into_iter().chain(p.heartbeat.deadline()).min();
        let Some(next) = next else { return };
        let at = p.born + i64::try_from(next.as_millis()).unwrap_or(i64::MAX);
        if p.beat_at.is_none_or(|armed| at < armed) {
            p.beat_at = Some(at);
            self.note(at - self.mono(p.daemon), p.daemon, p.id, Arrival::Heartbeat);
        }
    }

    fn on_renewal(&mut self, p: &mut Process, number: i64, asked: i64, answer: Result<StatementAnswer, StoreError>) {
        let answer = match answer {
            Ok(StatementAnswer::Taken { epoch, database_now }) => {
                self.correct_clock(p, asked, database_now);
                let Some(epoch) = epoch else { return self.on_lease_answer(p, number, LeaseAnswer::Overtaken) };
                let gone = self.daemons.get(p.daemon).map(|of| of.former.clone()).unwrap_or_default();
                return self.ask(p, Statement::BuryProcesses { gone }, AskedFor::Buried { number, epoch });
            }
            Ok(StatementAnswer::Renewed { found, epoch, database_now, .. }) => {
                self.correct_clock(p, asked, database_now);
                match epoch {
                    Some(epoch) => LeaseAnswer::Renewed { epoch },
                    None if found => LeaseAnswer::Overtaken,
                    None => LeaseAnswer::Gone,
                }
            }
            _ => LeaseAnswer::Failed,
        };
        self.on_lease_answer(p, number, answer);
    }

    fn on_lease_answer(&mut self, p: &mut Process, number: i64, answer: LeaseAnswer) {
        let now = self.since_birth(p);
        p.heartbeat.on_answer(number, answer, now);
        let mut is_other = false;
        if matches!(answer, LeaseAnswer::Renewed { .. }) {
            if let Some(of) = self.daemons.get_mut(p.daemon) {
                of.renewed_at = p.asked_at;
            }
            let database_now = self.database_now();
            let daemons = self.model.execute(&Statement::SurveyDaemons { process: p.id }, database_now);
            if let StatementAnswer::Daemons { live, next_end } = daemons {
                is_other = std::mem::replace(&mut p.daemons, live) != live;
                if let Some(end) = next_end {
                    p.heartbeat.bring_forward(now + end + Duration::from_millis(50));
                }
            }
        }
        self.tell_lease(p);
        if is_other {
            self.wake(p, true);
        }
        self.beat(p);
    }

    fn tell_lease(&mut self, p: &mut Process) {
        let state = p.heartbeat.state();
        let Some(follower) = &mut p.follower else {
            if let LeaseState::Live { epoch } = state {
                p.follower = Some(Follower::new(epoch));
                self.note(0, p.daemon, p.id, Arrival::Tick);
            }
            return;
        };
        for turn in follower.on_state(state) {
            self.tell(|| format!("d{} lease: {turn:?}", p.daemon));
            p.is_lost = *turn == Turn::Lost;
            let directives = match turn {
                Turn::Lost => p.roster.on_lease_lost(),
                Turn::Back => p.roster.on_lease_back(),
            };
            self.follow(p, directives);
        }
    }

    fn correct_clock(&mut self, p: &mut Process, asked: i64, database_now: Instant) {
        if self.flaw == Some(Flaw::AbandonsByLocalClock) {
            return;
        }
        let half = (self.mono(p.daemon) - asked) / 2;
        let by = database_now.0 + half - self.clock(p).0;
        if by.abs() <= TOLERANCE + half {
            return;
        }
        p.offset += by;
        self.tell(|| format!("d{} steps its clock by {by} ms", p.daemon));
        // Recompute all waits.
        let lives: Vec<LifeId> = p.lives.keys().chain(p.ticket_lives.keys()).copied().collect();
        for life in lives {
            self.note(0, p.daemon, p.id, Arrival::LifeDue(life));
        }
        self.note(0, p.daemon, p.id, Arrival::RosterDue);
    }

    // The supervisor

    pub fn wake(&mut self, p: &mut Process, resync: bool) {
        if p.follower.is_some() {
            let directives = p.roster.wake(resync);
            self.follow(p, directives);
        }
    }

    pub fn follow(&mut self, p: &mut Process, directives: Vec<Directive>) {
        for directive in directives {
            self.carry_out_directive(p, directive);
        }
        if let Some(due) = p.roster.deadline() {
            let at = self.mono(p.daemon) + due.0.saturating_sub(self.clock(p).0).max(0) + 1;
            if p.roster_at.is_none_or(|armed| at < armed || armed <= self.mono(p.daemon)) {
                p.roster_at = Some(at);
                self.note(at - self.mono(p.daemon), p.daemon, p.id, Arrival::RosterDue);
            }
        }
    }

    fn carry_out_directive(&mut self, p: &mut Process, directive: Directive) {
        match directive {
            Directive::Start(member) => self.load(p, member, None),
            Directive::StartHeld(account, trouble) => self.load(p, Member::Account(account), Some(trouble)),
            Directive::Deliver(account, row) => self.deliver_command(p, account, &row),
            Directive::Write(write) => self.write_of_roster(p, write),
            Directive::RequeueOf(account, but) => {
                let left = p.handed_out(account).into_iter().filter(|taken| !but.contains(&taken.command)).collect();
                self.requeue(p, left);
            }
            Directive::Drain(member) | Directive::HandOver(member) => {
                p.leaving.insert(member);
                let moves = matches!(directive, Directive::HandOver(_));
                self.tell_to_leave(p, member, moves);
            }
            Directive::FenceOff(member) => {
                let is_spared = self.flaw == Some(Flaw::LeaversKeepTheirSockets) && p.leaving.contains(&member);
                p.leaving.insert(member);
                if !is_spared {
                    self.fence_off(p, member);
                }
            }
            Directive::Claim(limit) => {
                self.ask(p, Statement::ClaimAccounts { process: p.id, limit }, AskedFor::Claimed(limit));
            }
            Directive::Release(account, fence) => {
                let taken = p.handed_out(account);
                let statement = Statement::ReleaseAccount { process: p.id, account, fence };
                self.ask(p, statement, AskedFor::Released(account, fence, taken));
            }
            Directive::Poll { resync: true } => {
                self.ask(p, Statement::Survey { process: p.id, running: p.roster.accounts() }, AskedFor::Surveyed);
            }
            Directive::Poll { resync: false } => self.take_commands(p, false, None),
            Directive::Drained => self.on_drained(p),
        }
    }

    fn take_commands(&mut self, p: &mut Process, resync: bool, survey: Option<Survey>) {
        p.looks.0 += 1;
        let handed = p.handed.iter().map(|(command, (_, taking))| Taken { command: *command, taking: *taking });
        let taking = TakingId(Uuid::from_u128(self.dice.wide()));
        let statement = Statement::TakeCommands { process: p.id, taking, handed: handed.collect() };
        self.ask(p, statement, AskedFor::Took { resync, survey });
    }

    fn on_took(
        &mut self,
        p: &mut Process,
        resync: bool,
        survey: Option<Survey>,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        p.looks.1 += 1;
        let Ok(StatementAnswer::Commands { due, orphans }) = answer else { return self.on_poll_failed(p, resync) };
        if self.flaw == Some(Flaw::HandsOutUnheard) {
            p.hand_out(&due);
        }
        if orphans {
            let then = AskedFor::FailedOrphans { resync, survey, commands: due };
            return self.ask(p, Statement::FailOrphanedCommands, then);
        }
        self.on_polled(p, survey.as_ref(), due);
    }

    fn on_polled(&mut self, p: &mut Process, survey: Option<&Survey>, commands: Vec<CommandRow>) {
        p.hand_out(&commands);
        let directives = p.roster.on_polled(survey, commands, self.clock(p));
        self.follow(p, directives);
    }

    fn on_poll_failed(&mut self, p: &mut Process, resync: bool) {
        p.roster.on_poll_failed(resync, self.clock(p));
        self.follow(p, Vec::new());
    }

    fn requeue(&mut self, p: &mut Process, commands: Vec<Taken>) {
        let directives = p.roster.requeue(commands);
        self.follow(p, directives);
    }

    fn write_of_roster(&mut self, p: &mut Process, write: RosterWrite) {
        let process = p.id;
        let statement = match &write {
            RosterWrite::Requeue(commands) => Statement::RequeueCommands { process, commands: commands.clone() },
            RosterWrite::Retake(account, fence) => {
                Statement::RetakeAccount { process, account: *account, fence: *fence }
            }
        };
        self.ask(p, statement, AskedFor::RosterWritten(write));
    }

    fn on_roster_written(&mut self, p: &mut Process, write: &RosterWrite, answer: Result<StatementAnswer, StoreError>) {
        if let (RosterWrite::Requeue(commands), Ok(_)) = (write, &answer) {
            p.forget_takings(commands);
        }
        let directives = p.roster.on_written(write, answer.map(drop), self.clock(p));
        self.follow(p, directives);
    }

    fn load(&mut self, p: &mut Process, member: Member, trouble: Option<Trouble>) {
        let process = p.id;
        let statement = match member {
            Member::Account(account) => Statement::LoadAccount { process, account },
            Member::Ticket(ticket) => Statement::LoadTicket { process, ticket },
        };
        self.ask(p, statement, AskedFor::Loaded(member, trouble));
    }

    fn on_loaded(
        &mut self,
        p: &mut Process,
        member: Member,
        trouble: Option<Trouble>,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        p.leaving.remove(&member);
        let how = match answer {
            Ok(StatementAnswer::Loaded(Some(loaded))) => {
                self.begin_life(p, *loaded, trouble);
                Started::Running
            }
            Ok(StatementAnswer::Ticket(Some(record))) => {
                self.begin_ticket(p, record);
                Started::Running
            }
            Ok(_) => Started::Absent,
            Err(_) => Started::Failed,
        };
        let directives = p.roster.on_started(member, how, self.clock(p));
        self.follow(p, directives);
    }

    fn deliver_command(&mut self, p: &mut Process, account: AccountId, row: &CommandRow) {
        let life = p.accounts.get(&account).copied().filter(|life| p.lives.contains_key(life));
        let Some(life) = life else { return self.requeue(p, vec![row.taken()]) };
        let daemon = p.daemon;
        let command = row.id;
        self.tell(|| format!("d{daemon} delivers {command} {} to life {life}", row.kind));
        let is_again = !p.delivered.entry(command).or_default().insert(row.taking);
        let is_owner = self.model.accounts.get(&account).is_some_and(|row| row.owner == Some(p.id));
        let is_elsewhere = self.runs_elsewhere(p, account, life, command);
        if is_again || is_elsewhere || (is_owner && self.can_still_end(command)) {
            self.referee.object(Rule::CommandsAreDeliveredOnce, || {
                format!("d{daemon}: command {command} is delivered again, and its first life may end it yet")
            });
        }
        self.command(p, life, row);
    }

    /// Another life has the command, and may write.
    fn runs_elsewhere(&self, p: &Process, account: AccountId, life: LifeId, command: CommandId) -> bool {
        let Some(row) = self.model.accounts.get(&account) else { return false };
        // Without the current fence this life can write nothing.
        let may_write =
            row.owner == Some(p.id) && p.lives.get(&life).is_some_and(|receiver| receiver.fence() == row.record.fence);
        if !may_write {
            return false;
        }
        let mine = p.lives.iter().map(|(id, life)| (p.id, id, life));
        let others = self.daemons.iter().filter_map(|of| of.process.as_ref());
        let theirs = others.flat_map(|of| of.lives.iter().map(|(id, life)| (of.id, id, life)));
        mine.chain(theirs).any(|(process, id, other)| {
            let may_write = row.owner == Some(process) && other.fence() == row.record.fence;
            (may_write && *id != life && other.had(command)) || (*id == life && other.had(command))
        })
    }

    fn on_retired(&mut self, p: &mut Process, retired: Retired) {
        match retired.member {
            Member::Account(account) => drop(p.accounts.remove(&account)),
            Member::Ticket(ticket) => drop(p.tickets.remove(&ticket)),
        }
        let daemon = p.daemon;
        self.tell(|| format!("d{daemon} misses {retired:?}"));
        p.leaving.remove(&retired.member);
        let directives = p.roster.on_retired(retired, self.clock(p));
        self.follow(p, directives);
    }

    // The ends

    fn next_request(&mut self, p: &mut Process) {
        if p.request.is_some() {
            return;
        }
        let Some((nth, drains)) = p.requests.pop_front() else { return };
        let number = p.drain.1 + 1;
        p.drain = (drains, number);
        p.request = Some(CurrentAdminRequest { nth, drains, number, written: None });
        let statement = Statement::SetDraining { process: p.id, draining: drains, drain_no: number };
        self.ask(p, statement, AskedFor::DrainSet(nth));
    }

    fn on_drain_set(&mut self, p: &mut Process, nth: usize, is_written: bool) {
        let Some(request) = p.request.as_mut().filter(|request| request.nth == nth) else { return };
        request.written = Some(is_written);
        let (drains, number) = (request.drains, request.number);
        self.ring(Arrival::Resync);
        if drains {
            self.note(DRAIN_TIMEOUT, p.daemon, p.id, Arrival::DrainTimeout(nth, number));
            self.drain_roster(p);
        } else {
            let directives = p.roster.on_undrain();
            self.follow(p, directives);
            self.end_request(p, is_written);
        }
    }

    fn drain_roster(&mut self, p: &mut Process) {
        let is_again = p.roster.is_draining();
        let directives = p.roster.on_drain();
        if !(is_again && self.flaw == Some(Flaw::SecondDrainIsSilent)) {
            self.follow(p, directives);
        }
    }

    fn on_drained(&mut self, p: &mut Process) {
        if p.terminating.is_some() {
            self.note(0, p.daemon, p.id, Arrival::EndNow(true));
        }
        let Some(request) = p.request.as_ref().filter(|request| request.drains) else { return };
        match request.written {
            None => {}
            Some(false) => self.end_request(p, false),
            Some(true) => {
                let (nth, drain_no) = (request.nth, request.number);
                let statement = Statement::GiveAccountsBack { process: p.id, drain_no };
                self.ask(p, statement, AskedFor::GivenBack(nth));
            }
        }
    }

    fn end_request(&mut self, p: &mut Process, is_done: bool) {
        if let Some(request) = p.request.take() {
            self.tell(|| format!("d{} request {request:?}: {is_done}", p.daemon));
            self.answer_request(request.nth, is_done);
        }
        self.next_request(p);
    }

    fn terminate(&mut self, p: &mut Process, ms: i64) {
        if p.terminating.is_some() {
            return;
        }
        p.terminating = Some(ms);
        let number = p.drain.1 + 1;
        p.drain = (true, number);
        let statement = Statement::SetDraining { process: p.id, draining: true, drain_no: number };
        self.ask(p, statement, AskedFor::Nothing);
        self.note(END_TIMEOUT, p.daemon, p.id, Arrival::EndNow(false));
        self.drain_roster(p);
    }

    fn end_now(&mut self, p: &mut Process, is_drained: bool) {
        if std::mem::replace(&mut p.is_ending, true) {
            return;
        }
        p.beats = false;
        let statement = if is_drained {
            Statement::ReleaseLease { process: p.id }
        } else {
            Statement::ShortenLease { process: p.id, left: CUT_TIMEOUT }
        };
        self.ask(p, statement, AskedFor::Exit);
        self.note(FLUSH_TIMEOUT, p.daemon, p.id, Arrival::Exit);
    }

    fn exit(&mut self, p: &mut Process) -> bool {
        self.ring(Arrival::Resync);
        self.boot(p.daemon, p.terminating.unwrap_or(1_000).max(1));
        false
    }
}

impl Process {
    pub fn owns_lease(&self) -> bool {
        self.heartbeat.state().is_live()
    }

    fn handed_out(&self, account: AccountId) -> Vec<Taken> {
        let of = self.handed.iter().filter(|(_, (of, _))| *of == account);
        of.map(|(command, (_, taking))| Taken { command: *command, taking: *taking }).collect()
    }

    fn hand_out(&mut self, commands: &[CommandRow]) {
        self.handed.extend(commands.iter().map(|row| (row.id, (row.account, row.taking))));
    }

    /// Only once the database has said that it ended.
    pub fn forget(&mut self, command: CommandId) {
        self.handed.remove(&command);
    }

    fn forget_takings(&mut self, taken: &[Taken]) {
        self.handed.retain(|command, (_, taking)| !taken.contains(&Taken { command: *command, taking: *taking }));
    }
}
