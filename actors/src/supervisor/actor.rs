//! The shell of the roster: asks the database, starts actors, hands commands over.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use actix::prelude::*;
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

use super::{
    handle::SupervisorHandle,
    member::MemberHandle,
    roster::{Directive, Roster, RosterPolicy, RosterWrite, Started},
};
use crate::{
    Deps, LeaseEpoch,
    account::{author::Author, handle::AccountHandle, lifecycle},
    clock,
    domain::{
        AccountId, CommandRow, Ending, Fence, Loaded, Member, PendingAttempt, Policy, Retired, Status, StoreError,
        Survey, Swept, Taken, Trouble,
    },
    ports::{Gateway, QrPainter, Store},
    shell::ArbiterHandle,
    trace,
    unlink::{handle::UnlinkHandle, saga::Saga},
};

pub(super) type Address = Addr<SupervisorActor>;

/// The configuration and dependencies of the supervisor.
pub struct SupervisorConfig {
    pub store: Arc<dyn Store>,
    pub gateway: Arc<dyn Gateway>,
    pub qr: Arc<dyn QrPainter>,
    /// Of accounts and tickets.
    pub policy: Policy,
    pub roster: RosterPolicy,
    pub lease: LeaseEpoch,
    /// The threads of the accounts' actors; an account is always on the same one.
    pub arbiters: Vec<ArbiterHandle>,
    /// Runs their input and output.
    pub runtime: tokio::runtime::Handle,
    /// Randomness: a new number at each call.
    pub seed: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// Starts the supervisor on the current arbiter. It does nothing until the first resync.
pub fn start(config: SupervisorConfig) -> SupervisorHandle {
    SupervisorHandle::new(SupervisorActor::new(config).start())
}

/// A message to the supervisor.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) enum Call {
    Wake { resync: bool },
    Exited(Retired),
    Restart(AccountId),
    LeaseLost,
    LeaseBack,
    Drain(oneshot::Sender<bool>),
    Undrain,
    Find(AccountId, oneshot::Sender<Option<AccountHandle>>),
    FindAll(oneshot::Sender<Vec<AccountHandle>>),
    Headcount(oneshot::Sender<usize>),
    Sweep { dry_run: bool, swept: oneshot::Sender<Result<Vec<Swept>, StoreError>> },
}

/// See the module.
pub struct SupervisorActor {
    roster: Roster,
    config: SupervisorConfig,
    running: HashMap<Member, MemberHandle>,
    timer: Option<SpawnHandle>,
    waiting_for_drain: Vec<oneshot::Sender<bool>>,
}

/// The result of one look at the database.
struct Poll {
    survey: Option<Survey>,
    commands: Vec<CommandRow>,
}

impl SupervisorActor {
    fn new(config: SupervisorConfig) -> Self {
        let roster = Roster::new(config.roster, (config.seed)());
        Self { roster, config, running: HashMap::new(), timer: None, waiting_for_drain: Vec::new() }
    }

    fn poll(&mut self, resync: bool, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let running = self.roster.accounts();
        let poll = async move {
            let survey = if resync { Some(store.survey(&running).await?) } else { None };
            let commands = store.take_commands().await?;
            Ok::<_, StoreError>(Poll { survey, commands })
        };
        ctx.spawn(poll.into_actor(self).map(move |poll, actor, ctx| {
            let directives = match poll {
                Ok(Poll { survey, commands }) => actor.roster.on_polled(survey.as_ref(), commands, clock::now()),
                Err(why) => {
                    warn!(%why, "cannot look into the database; trying again");
                    actor.roster.on_poll_failed(resync, clock::now());
                    Vec::new()
                }
            };
            actor.follow(directives, ctx);
        }));
    }

    fn follow(&mut self, directives: Vec<Directive>, ctx: &mut Context<Self>) {
        for directive in directives {
            self.carry_out(directive, ctx);
        }
        self.arm_timer(ctx);
    }

    fn carry_out(&mut self, directive: Directive, ctx: &mut Context<Self>) {
        match directive {
            Directive::Start(member) => self.start_member(member, None, ctx),
            Directive::StartHeld(account, trouble) => {
                error!(%account, why = %trouble.reason, "the database refused to record an account's state; the account is held");
                self.start_member(Member::Account(account), Some(trouble), ctx);
            }
            Directive::Deliver(account, row) => self.deliver(account, &row, ctx),
            Directive::Write(write) => self.write(write, ctx),
            Directive::RequeueOf(account, but) => {
                // Read now, since commands taken later belong to the next actor.
                let taken = self.config.store.handed_out(account);
                let left = taken.into_iter().filter(|taken| !but.contains(&taken.command)).collect();
                self.requeue(left, ctx);
            }
            Directive::Drain(member) => self.running.get(&member).into_iter().for_each(MemberHandle::drain),
            Directive::HandOver(member) => self.running.get(&member).into_iter().for_each(MemberHandle::hand_over),
            Directive::FenceOff(member) => self.running.get(&member).into_iter().for_each(MemberHandle::fence_off),
            Directive::Claim(limit) => self.claim(limit, ctx),
            Directive::Release(account, fence) => self.release(account, fence, ctx),
            Directive::Poll { resync } => self.poll(resync, ctx),
            Directive::Drained => self.end_waits_for_drain(true),
        }
    }

    fn end_waits_for_drain(&mut self, is_drained: bool) {
        for told in self.waiting_for_drain.drain(..) {
            answer(told, is_drained);
        }
    }

    fn claim(&mut self, limit: u32, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let claiming = async move { store.claim_accounts(limit).await };
        ctx.spawn(claiming.into_actor(self).map(move |claimed, actor, ctx| match claimed {
            Ok(got) => {
                let directives = actor.roster.on_claimed(limit, got);
                actor.follow(directives, ctx);
            }
            Err(why) => {
                warn!(%why, "failed to claim accounts; retrying");
                actor.roster.on_claim_failed(clock::now());
                actor.arm_timer(ctx);
            }
        }));
    }

    fn release(&mut self, account: AccountId, fence: Fence, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let releasing = async move { store.release_account(account, fence).await };
        ctx.spawn(releasing.into_actor(self).map(move |released, actor, ctx| {
            match &released {
                Ok(()) => info!(%account, "handed an account over"),
                Err(why) => warn!(%account, %why, "failed to hand over an account; it keeps running here"),
            }
            let directives = actor.roster.on_released(account, fence, released.is_ok());
            actor.follow(directives, ctx);
        }));
    }

    fn deliver(&mut self, account: AccountId, row: &CommandRow, ctx: &mut Context<Self>) {
        let span = trace::command(row);
        let delivered = span.in_scope(|| {
            let delivered = self.account(account).is_some_and(|handle| handle.command(row).is_ok());
            debug!(%account, command = %row.id, taking = %row.taking, kind = %row.kind, delivered, "command");
            delivered
        });
        if !delivered {
            self.requeue(vec![row.taken()], ctx);
        }
    }

    fn requeue(&mut self, commands: Vec<Taken>, ctx: &mut Context<Self>) {
        let directives = self.roster.requeue(commands);
        self.follow(directives, ctx);
    }

    fn write(&mut self, write: RosterWrite, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let writing = async move {
            let outcome = match &write {
                RosterWrite::Requeue(commands) => store.requeue_commands(commands).await,
                RosterWrite::Retake(account, fence) => store.retake_account(*account, *fence).await,
            };
            (write, outcome)
        };
        ctx.spawn(writing.into_actor(self).map(|(write, outcome), actor, ctx| {
            if let Err(why) = &outcome {
                match &write {
                    RosterWrite::Requeue(commands) => {
                        warn!(%why, commands = commands.len(), "failed to requeue commands")
                    }
                    RosterWrite::Retake(account, _) => warn!(%why, %account, "failed to retake an account"),
                }
            }
            let directives = actor.roster.on_written(&write, outcome, clock::now());
            actor.follow(directives, ctx);
        }));
    }

    fn start_member(&mut self, member: Member, trouble: Option<Trouble>, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let supervisor = ctx.address();
        let deps = Deps {
            connections: Arc::clone(&store) as _,
            accounts: Arc::clone(&store) as _,
            tickets: Arc::clone(&store) as _,
            gateway: Arc::clone(&self.config.gateway),
            qr: Arc::clone(&self.config.qr),
            lease: Arc::clone(&self.config.lease),
            on_exit: Arc::new(move |retired| supervisor.do_send(Call::Exited(retired))),
            runtime: self.config.runtime.clone(),
        };
        let policy = self.config.policy.clone();
        let seed = (self.config.seed)();
        let arbiter = self.arbiter_of(member);
        let starting = async move {
            match member {
                Member::Account(account) => {
                    let Some(loaded) = store.load_account(account).await? else { return Ok(None) };
                    let (author, first) = begin(loaded, trouble, policy, seed);
                    let handle = AccountHandle::start(&arbiter, deps, author, first);
                    Ok(Some(MemberHandle::Account(handle)))
                }
                Member::Ticket(ticket) => {
                    let Some(record) = store.load_ticket(ticket).await? else { return Ok(None) };
                    let (saga, first) = Saga::resume(record, policy, seed, clock::now());
                    Ok(Some(MemberHandle::Ticket(UnlinkHandle::start(&arbiter, deps, saga, first))))
                }
            }
        };
        ctx.spawn(starting.into_actor(self).map(move |started: Result<_, StoreError>, actor, ctx| {
            let how = match started {
                Ok(Some(handle)) => {
                    actor.running.insert(member, handle);
                    Started::Running
                }
                Ok(None) | Err(StoreError::Fenced) => Started::Absent,
                Err(why) => {
                    warn!(?member, %why, "cannot load a row; trying again");
                    Started::Failed
                }
            };
            let directives = actor.roster.on_started(member, how, clock::now());
            actor.follow(directives, ctx);
        }));
    }

    fn account(&self, account: AccountId) -> Option<&AccountHandle> {
        self.running.get(&Member::Account(account)).and_then(MemberHandle::account)
    }

    fn accounts(&self) -> impl Iterator<Item = &AccountHandle> {
        self.running.values().filter_map(MemberHandle::account)
    }

    fn arbiter_of(&self, member: Member) -> ArbiterHandle {
        let mut hasher = DefaultHasher::new();
        member.hash(&mut hasher);
        let arbiters = &self.config.arbiters;
        let nth = usize::try_from(hasher.finish()).unwrap_or_default().checked_rem(arbiters.len());
        nth.and_then(|nth| arbiters.get(nth)).cloned().unwrap_or_else(Arbiter::current)
    }

    fn arm_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        if let Some(due) = self.roster.deadline() {
            let due = clock::reached(due).into_actor(self);
            self.timer = Some(ctx.spawn(due.map(|(), actor, ctx| {
                actor.timer = None;
                let directives = actor.roster.on_deadline(clock::now());
                actor.follow(directives, ctx);
            })));
        }
    }
}

/// Answers a query. The asker may have given up, which is no error.
fn answer<T>(asked: oneshot::Sender<T>, answer: T) -> Vec<Directive> {
    drop(asked.send(answer));
    Vec::new()
}

/// A life from the row, and what is to be said of it.
fn begin(loaded: Loaded, trouble: Option<Trouble>, policy: Policy, seed: u128) -> (Author, Vec<lifecycle::Effect>) {
    let now = clock::now();
    let record = &loaded.record;
    let stale = lifecycle::pending(record).staleness(&policy, now).filter(|_| record.status == Status::Pending);
    let (author, first) = Author::of(loaded, trouble, policy, seed, now);
    let record = author.life().record();
    if let Some(why) = stale {
        info!(account = %record.id, label = %record.label, %why, "swept: a pair attempt that was left behind is parked");
    }
    if let Some(Trouble { reason, .. }) = author.holding() {
        error!(account = %record.id, label = %record.label, why = %reason, "an account cannot be run as its row says; it is held until a command mends it");
    }
    (author, first)
}

impl Actor for SupervisorActor {
    type Context = Context<Self>;
}

impl Handler<Call> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, call: Call, ctx: &mut Self::Context) {
        let directives = match call {
            Call::Wake { resync } => self.roster.wake(resync),
            Call::Exited(retired) => self.on_exited(retired),
            Call::Restart(account) => self.roster.on_restart(account),
            Call::LeaseLost => self.roster.on_lease_lost(),
            Call::LeaseBack => self.roster.on_lease_back(),
            Call::Drain(told) => {
                info!(members = self.roster.members().count(), "draining");
                self.waiting_for_drain.push(told);
                self.roster.on_drain()
            }
            Call::Undrain => {
                info!("taking accounts again");
                self.end_waits_for_drain(false);
                self.roster.on_undrain()
            }
            Call::Find(account, asked) => answer(asked, self.account(account).cloned()),
            Call::FindAll(asked) => answer(asked, self.accounts().cloned().collect()),
            Call::Headcount(asked) => answer(asked, self.accounts().count()),
            Call::Sweep { dry_run, swept } => return self.sweep(dry_run, swept, ctx),
        };
        self.follow(directives, ctx);
    }
}

impl SupervisorActor {
    fn on_exited(&mut self, retired: Retired) -> Vec<Directive> {
        match (&retired.member, &retired.ending) {
            (member, Ending::Crashed) => error!(?member, "an actor crashed; it is started again from its row"),
            (member, Ending::Overtaken) => {
                info!(?member, "an actor's row was changed by another writer; restarting the actor from the row");
            }
            (member, Ending::Refused(trouble)) => {
                error!(?member, why = %trouble.reason, "the database refused an actor's write");
            }
            (member, Ending::Unwritable(why)) => {
                error!(?member, %why, "the database refuses every write of an actor; it stays stopped until the database is repaired");
            }
            (member, Ending::Done) => debug!(?member, "an actor ended"),
        }
        self.running.remove(&retired.member);
        self.roster.on_retired(retired, clock::now())
    }

    /// A stale attempt is parked by its own actor, which begins from the row: here its
    /// account is only made to run.
    fn sweep(&mut self, dry_run: bool, told: oneshot::Sender<Result<Vec<Swept>, StoreError>>, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let listing = async move { store.list_pending().await };
        ctx.spawn(listing.into_actor(self).map(move |pending, actor, ctx| {
            let stale = |attempt: PendingAttempt| {
                let why = attempt.staleness(&actor.config.policy, clock::now())?;
                Some(Swept { account: attempt.account, label: attempt.label, why })
            };
            let swept = pending.map(|pending| pending.into_iter().filter_map(stale).collect::<Vec<_>>());
            if let Ok(swept) = &swept
                && !dry_run
                && !swept.is_empty()
            {
                let mut directives: Vec<_> =
                    swept.iter().flat_map(|one| actor.roster.on_restart(one.account)).collect();
                directives.extend(actor.roster.wake(true));
                actor.follow(directives, ctx);
            }
            answer(told, swept);
        }));
    }
}
