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
    roster::{Directive, Member, Retired, Roster, RosterWrite, Started},
};
use crate::{
    Deps, LeaseEpoch,
    account::{
        self,
        desk::Beginning,
        handle::{AccountHandle, Inspection},
        lifecycle::pending,
    },
    clock,
    domain::{
        AccountId, CommandRow, Ending, Fence, Loaded, Policy, Status, StoreError, Survey, Swept, Taken, TicketId,
        Trouble,
    },
    ports::{Gateway, Store},
    trace,
    unlink::{self, handle::UnlinkHandle, saga::Saga},
};

pub(super) type Address = Addr<SupervisorActor>;

/// What a supervisor is given.
pub struct SupervisorConfig {
    pub store: Arc<dyn Store>,
    pub gateway: Arc<dyn Gateway>,
    pub policy: Policy,
    pub lease: LeaseEpoch,
    /// Where accounts live; an account is always on the same one.
    pub arbiters: Vec<ArbiterHandle>,
    /// Where their input and output runs.
    pub runtime: tokio::runtime::Handle,
    /// The most accounts that are claimed, or handed over, in one second.
    pub per_round: u32,
    /// Randomness: a new number at each call.
    pub seed: Arc<dyn Fn() -> u128 + Send + Sync>,
}

/// Starts the supervisor on the current arbiter. It does nothing until the first resync.
pub fn start(config: SupervisorConfig) -> SupervisorHandle {
    SupervisorHandle::new(SupervisorActor::new(config).start())
}

pub(super) fn wake(address: &Address, resync: bool) {
    address.do_send(Wake { resync });
}

pub(super) fn restart(address: &Address, account: AccountId) {
    address.do_send(Restart(account));
}

pub(super) fn lease_lost(address: &Address) {
    address.do_send(LeaseLost);
}

pub(super) fn lease_back(address: &Address) {
    address.do_send(LeaseBack);
}

pub(super) async fn inspect(address: &Address, account: AccountId) -> Option<Inspection> {
    let handle = address.send(Find(account)).await.ok().flatten()?;
    handle.inspect().await
}

pub(super) async fn inspect_all(address: &Address) -> Vec<Inspection> {
    let handles = address.send(FindAll).await.unwrap_or_default();
    let all = futures_util::future::join_all(handles.iter().map(AccountHandle::inspect)).await;
    all.into_iter().flatten().collect()
}

pub(super) async fn headcount(address: &Address) -> Option<usize> {
    address.send(Headcount).await.ok()
}

pub(super) async fn sweep(address: &Address, dry_run: bool) -> Result<Vec<Swept>, StoreError> {
    let gone = |_| StoreError::Unavailable("the daemon is stopping".to_owned());
    address.send(Sweep { dry_run }).await.map_err(gone)?
}

pub(super) async fn drain(address: &Address) -> bool {
    let (told, done) = oneshot::channel();
    address.do_send(Drain(told));
    // An error means that the supervisor is gone, and so is everybody.
    done.await.unwrap_or(true)
}

pub(super) fn undrain(address: &Address) {
    address.do_send(Undrain);
}

/// See the module.
pub struct SupervisorActor {
    roster: Roster,
    config: SupervisorConfig,
    accounts: HashMap<AccountId, AccountHandle>,
    tickets: HashMap<TicketId, UnlinkHandle>,
    timer: Option<SpawnHandle>,
    waiting_for_drain: Vec<oneshot::Sender<bool>>,
}

#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
struct Wake {
    resync: bool,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Exited(Retired);

#[derive(Message)]
#[rtype(result = "()")]
struct Restart(AccountId);

#[derive(Message)]
#[rtype(result = "()")]
struct LeaseLost;

#[derive(Message)]
#[rtype(result = "()")]
struct LeaseBack;

#[derive(Message)]
#[rtype(result = "()")]
struct Drain(oneshot::Sender<bool>);

#[derive(Message)]
#[rtype(result = "()")]
struct Undrain;

#[derive(Message)]
#[rtype(result = "Option<AccountHandle>")]
struct Find(AccountId);

#[derive(Message)]
#[rtype(result = "Vec<AccountHandle>")]
struct FindAll;

#[derive(Message)]
#[rtype(result = "usize")]
struct Headcount;

#[derive(Message)]
#[rtype(result = "Result<Vec<Swept>, StoreError>")]
struct Sweep {
    dry_run: bool,
}

/// An actor that is ready to run, and what its row said.
enum Ready {
    Account(AccountHandle),
    Ticket(UnlinkHandle),
}

/// What one look at the database found.
struct Look {
    survey: Option<Survey>,
    commands: Vec<CommandRow>,
}

impl SupervisorActor {
    fn new(config: SupervisorConfig) -> Self {
        let roster = Roster::new((config.seed)(), config.per_round);
        Self {
            roster,
            config,
            accounts: HashMap::new(),
            tickets: HashMap::new(),
            timer: None,
            waiting_for_drain: Vec::new(),
        }
    }

    fn look(&mut self, resync: bool, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.config.store);
        let running = self.roster.accounts();
        let look = async move {
            let survey = if resync { Some(store.survey(&running).await?) } else { None };
            let commands = store.take_commands().await?;
            Ok::<_, StoreError>(Look { survey, commands })
        };
        ctx.spawn(look.into_actor(self).map(move |look, actor, ctx| {
            let directives = match look {
                Ok(Look { survey, commands }) => actor.roster.on_look(survey.as_ref(), commands, clock::now()),
                Err(why) => {
                    warn!(%why, "cannot look into the database; trying again");
                    actor.roster.on_look_failed(resync, clock::now());
                    Vec::new()
                }
            };
            actor.follow(directives, ctx);
        }));
    }

    fn wake(&mut self, resync: bool, ctx: &mut Context<Self>) {
        let directives = self.roster.wake(resync);
        self.follow(directives, ctx);
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
                error!(%account, why = %trouble.reason, "the database refuses what is to be written of an account; it is held");
                self.start_member(Member::Account(account), Some(trouble), ctx);
            }
            Directive::Deliver(account, row) => self.deliver(account, &row, ctx),
            Directive::Write(write) => self.write(write, ctx),
            Directive::RequeueOf(account, but) => {
                // As of now: what is taken from now on is another actor's.
                let taken = self.config.store.handed_out(account);
                let left = taken.into_iter().filter(|taken| !but.contains(&taken.command)).collect();
                self.requeue(left, ctx);
            }
            Directive::Drain(member) => match member {
                Member::Account(account) => self.accounts.get(&account).into_iter().for_each(AccountHandle::drain),
                Member::Ticket(ticket) => self.tickets.get(&ticket).into_iter().for_each(UnlinkHandle::leave),
            },
            Directive::HandOver(member) => match member {
                Member::Account(account) => self.accounts.get(&account).into_iter().for_each(AccountHandle::hand_over),
                Member::Ticket(ticket) => self.tickets.get(&ticket).into_iter().for_each(UnlinkHandle::leave),
            },
            Directive::FenceOff(member) => match member {
                Member::Account(account) => self.accounts.get(&account).into_iter().for_each(AccountHandle::fence_off),
                Member::Ticket(ticket) => self.tickets.get(&ticket).into_iter().for_each(UnlinkHandle::fence_off),
            },
            Directive::Claim(limit) => self.claim(limit, ctx),
            Directive::Release(account, fence) => self.release(account, fence, ctx),
            Directive::Look { resync } => self.look(resync, ctx),
            Directive::Drained => self.end_waits_for_drain(true),
        }
    }

    fn end_waits_for_drain(&mut self, is_drained: bool) {
        for told in self.waiting_for_drain.drain(..) {
            // Whoever asked may have given up.
            let _ = told.send(is_drained);
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
                warn!(%why, "could not claim accounts; trying again");
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
                Err(why) => warn!(%account, %why, "could not hand an account over; it goes on here"),
            }
            let directives = actor.roster.on_released(account, fence, released.is_ok());
            actor.follow(directives, ctx);
        }));
    }

    fn deliver(&mut self, account: AccountId, row: &CommandRow, ctx: &mut Context<Self>) {
        let span = trace::command(row);
        let delivered = span.in_scope(|| {
            let delivered = self.accounts.get(&account).is_some_and(|handle| handle.command(row).is_ok());
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
                        warn!(%why, commands = commands.len(), "could not put commands back")
                    }
                    RosterWrite::Retake(account, _) => warn!(%why, %account, "could not take an account back"),
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
            accounts: Arc::clone(&store) as _,
            tickets: Arc::clone(&store) as _,
            gateway: Arc::clone(&self.config.gateway),
            lease: Arc::clone(&self.config.lease),
            on_exit: Arc::new(move |retired| supervisor.do_send(Exited(retired))),
            runtime: self.config.runtime.clone(),
        };
        let policy = self.config.policy.clone();
        let seed = (self.config.seed)();
        let arbiter = self.arbiter_of(member);
        let starting = async move {
            match member {
                Member::Account(account) => {
                    let Some(loaded) = store.load_account(account).await? else { return Ok(None) };
                    let beginning = begin(loaded, trouble, policy, seed);
                    Ok(Some(Ready::Account(account::actor::start(&arbiter, deps, beginning))))
                }
                Member::Ticket(ticket) => {
                    let Some(record) = store.load_ticket(ticket).await? else { return Ok(None) };
                    let (saga, first) = Saga::resume(record, policy, seed, clock::now());
                    Ok(Some(Ready::Ticket(unlink::actor::start(deps, saga, first))))
                }
            }
        };
        ctx.spawn(starting.into_actor(self).map(move |ready: Result<Option<Ready>, StoreError>, actor, ctx| {
            let how = match ready {
                Ok(Some(ready)) => actor.register(member, ready),
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

    fn register(&mut self, member: Member, ready: Ready) -> Started {
        match (member, ready) {
            (Member::Account(account), Ready::Account(handle)) => {
                self.accounts.insert(account, handle);
            }
            (Member::Ticket(ticket), Ready::Ticket(handle)) => {
                self.tickets.insert(ticket, handle);
            }
            (Member::Account(_), Ready::Ticket(_)) | (Member::Ticket(_), Ready::Account(_)) => return Started::Failed,
        }
        Started::Running
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

/// A life from the row, and what is to be said of it.
fn begin(loaded: Loaded, trouble: Option<Trouble>, policy: Policy, seed: u128) -> Beginning {
    let now = clock::now();
    let record = &loaded.record;
    let stale = pending(record).staleness(&policy, now).filter(|_| record.status == Status::Pending);
    let beginning = Beginning::of(loaded, trouble, policy, seed, now);
    let record = beginning.life.record();
    if let Some(why) = stale {
        info!(account = %record.id, label = %record.label, %why, "swept: a pair attempt that was left behind is parked");
    }
    if let Some(Trouble { reason, .. }) = &beginning.holding {
        error!(account = %record.id, label = %record.label, why = %reason, "an account cannot be run as its row says; it is held until a command mends it");
    }
    beginning
}

impl Actor for SupervisorActor {
    type Context = Context<Self>;
}

impl Handler<Wake> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, wake: Wake, ctx: &mut Self::Context) {
        self.wake(wake.resync, ctx);
    }
}

impl Handler<Exited> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Exited(retired): Exited, ctx: &mut Self::Context) {
        match (&retired.member, &retired.ending) {
            (member, Ending::Crashed) => error!(?member, "an actor crashed; it is started again from its row"),
            (member, Ending::Overtaken) => {
                info!(?member, "an actor's row was written by somebody else; it is started again from there");
            }
            (member, Ending::Refused(trouble)) => {
                error!(?member, why = %trouble.reason, "the database refuses what an actor writes");
            }
            (member, Ending::Unwritable(why)) => {
                error!(?member, %why, "the database refuses whatever an actor writes; it rests, mend the database");
            }
            (member, Ending::Done) => debug!(?member, "an actor ended"),
        }
        match retired.member {
            Member::Account(account) => drop(self.accounts.remove(&account)),
            Member::Ticket(ticket) => drop(self.tickets.remove(&ticket)),
        }
        let directives = self.roster.on_retired(retired, clock::now());
        self.follow(directives, ctx);
    }
}

impl Handler<Restart> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Restart(account): Restart, ctx: &mut Self::Context) {
        let directives = self.roster.on_restart(account);
        self.follow(directives, ctx);
    }
}

impl Handler<LeaseLost> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: LeaseLost, ctx: &mut Self::Context) {
        let directives = self.roster.on_lease_lost();
        self.follow(directives, ctx);
    }
}

impl Handler<LeaseBack> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: LeaseBack, ctx: &mut Self::Context) {
        let directives = self.roster.on_lease_back();
        self.follow(directives, ctx);
    }
}

impl Handler<Drain> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, Drain(told): Drain, ctx: &mut Self::Context) {
        info!(members = self.roster.members().count(), "draining");
        self.waiting_for_drain.push(told);
        let directives = self.roster.on_drain();
        self.follow(directives, ctx);
    }
}

impl Handler<Undrain> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: Undrain, ctx: &mut Self::Context) {
        info!("taking accounts again");
        self.end_waits_for_drain(false);
        let directives = self.roster.on_undrain();
        self.follow(directives, ctx);
    }
}

impl Handler<Find> for SupervisorActor {
    type Result = Option<AccountHandle>;

    fn handle(&mut self, Find(account): Find, _: &mut Self::Context) -> Self::Result {
        self.accounts.get(&account).cloned()
    }
}

impl Handler<FindAll> for SupervisorActor {
    type Result = Vec<AccountHandle>;

    fn handle(&mut self, _: FindAll, _: &mut Self::Context) -> Self::Result {
        self.accounts.values().cloned().collect()
    }
}

impl Handler<Headcount> for SupervisorActor {
    type Result = usize;

    fn handle(&mut self, _: Headcount, _: &mut Self::Context) -> Self::Result {
        self.accounts.len()
    }
}

impl Handler<Sweep> for SupervisorActor {
    type Result = ResponseActFuture<Self, Result<Vec<Swept>, StoreError>>;

    /// A stale attempt is parked by its own actor, which begins from the row: here its
    /// account is only made to run.
    fn handle(&mut self, Sweep { dry_run }: Sweep, _: &mut Self::Context) -> Self::Result {
        let store = Arc::clone(&self.config.store);
        let listing = async move { store.list_pending().await };
        Box::pin(listing.into_actor(self).map(move |pending, actor, ctx| {
            let policy = &actor.config.policy;
            let stale = pending?.into_iter().filter_map(|attempt| {
                let why = attempt.staleness(policy, clock::now())?;
                Some(Swept { account: attempt.account, label: attempt.label, why })
            });
            let swept: Vec<Swept> = stale.collect();
            if !dry_run && !swept.is_empty() {
                for one in &swept {
                    let directives = actor.roster.on_restart(one.account);
                    actor.follow(directives, ctx);
                }
                actor.wake(true, ctx);
            }
            Ok(swept)
        }))
    }
}
