//! A daemon's shells in virtual time: what `supervisor/actor.rs`, the store and the lease's
//! holder do around their machines.

mod ends;
mod heartbeat;
mod messages;
mod supervisor;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use uuid::Uuid;

use super::{
    flaws::Flaw,
    lives::{Life, LifeAsk, TicketAsk, TicketLife},
    model::StatementAnswer,
    schedule::ArrivalOrder,
    whatsapp::{LifeId, SessionId},
    world::{CallId, World},
};
use crate::{
    domain::{
        AccountId, CommandId, CommandRow, Fence, Incarnation, Instant, Member, MessageId, Policy, Retired,
        SessionEvent, StoreError, Survey, Taken, TakingId, TicketId, Trouble, UnlinkAnswer,
    },
    lease::{Answer as LeaseAnswer, Follower, Heartbeat, LeaseTimings},
    supervisor::roster::{Roster, RosterPolicy, RosterWrite},
};

pub use messages::{LibraryWord, MailWord, outcome_names};
use messages::{SenderAsk, SessionSender};

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
    /// There may be messages of the account to send.
    Bell(AccountId),
    LookForMessages,
    SenderDue(SessionId),
    Library(SessionId, MessageId, u64, LibraryWord),
    Mail(SessionId, MailWord),
    WriteReceipts(SessionId),
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
                | Self::LookForMessages
                | Self::SenderDue(_)
                | Self::WriteReceipts(_)
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
    Sender(SessionId, SenderAsk),
    Swept,
    Ringing,
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
    /// Of each connection that is logged in.
    pub senders: BTreeMap<SessionId, SessionSender>,
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
            senders: BTreeMap::new(),
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
        self.note(0, daemon, id, Arrival::LookForMessages);
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
            Arrival::Bell(account) => self.on_bell(p, account),
            Arrival::LookForMessages => self.look_for_messages(p),
            Arrival::SenderDue(session) => self.on_sender_due(p, session),
            Arrival::Library(session, message, nth, word) => self.on_library(p, session, (message, nth), word),
            Arrival::Mail(session, word) => self.on_mail(p, session, word),
            Arrival::WriteReceipts(session) => self.ask_for_receipts(p, session),
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
            AskedFor::Sender(session, ask) => self.on_sender_answer(p, session, ask, answer),
            AskedFor::Swept => self.on_swept(p),
            AskedFor::Ringing => self.on_ringing(p, answer),
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
