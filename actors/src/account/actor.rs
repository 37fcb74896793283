//! The shell of an account: carries out what the lifecycle orders, one order after
//! the other, and feeds back what came of it. It decides nothing.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix::prelude::*;
use tokio::sync::watch;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use super::{
    handle::{AccountHandle, Inspection, NotDelivered},
    lifecycle::{Effect, Input, Lifecycle},
};
use crate::{
    World, clock,
    departure::Departure,
    domain::{AccountId, ChangeId, CloseReason, ConnectionSettings, Incarnation, KeyringId},
    ports::{Change, OpenSession, Purpose, SessionEvent, SessionListener, Store, StoreError},
    supervisor::{Member, Retired},
    trace,
};

pub(super) type Address = Addr<AccountActor>;

/// Commands that may wait in front of one account; more stay in the database.
const MAILBOX: usize = 64;
/// Between two tries of a write that the database did not take.
const RECORD_RETRY: Duration = Duration::from_millis(250);

/// Starts an account on an arbiter, from the machine and the first effects of
/// [`Lifecycle::resume`].
pub fn start(on: &ArbiterHandle, world: World, life: Lifecycle, first: Vec<Effect>) -> AccountHandle {
    let address = AccountActor::start_in_arbiter(on, move |ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        AccountActor::new(world, life, first)
    });
    AccountHandle::new(address)
}

pub(super) fn try_feed(address: &Address, input: Input, cause: Span) -> Result<(), NotDelivered> {
    address.try_send(Feed(Caused { what: input, cause })).map_err(|_| NotDelivered)
}

pub(super) fn feed(address: &Address, input: Input) {
    address.do_send(Feed(Caused { what: input, cause: Span::none() }));
}

pub(super) fn fence_off(address: &Address) {
    address.do_send(FenceOff);
}

pub(super) async fn inspect(address: &Address) -> Option<Inspection> {
    address.send(Inspect).await.ok()
}

/// See the module.
pub struct AccountActor {
    account: AccountId,
    life: Lifecycle,
    world: World,
    departure: Departure,
    /// What happened and was not stepped yet.
    inbox: VecDeque<Caused<Input>>,
    /// What was ordered and is not carried out yet.
    orders: VecDeque<Caused<Effect>>,
    /// As the last write found them: for the connection that follows it.
    settings: Option<ConnectionSettings>,
    /// An order is under way that the next one must wait for.
    busy: bool,
    timer: Option<SpawnHandle>,
    /// Set once, by [`FenceOff`]: a write that is being retried gives up.
    fenced: watch::Sender<bool>,
}

/// What happened, or is to be done, and the span of the command that led to it.
struct Caused<T> {
    what: T,
    cause: Span,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Feed(Caused<Input>);

#[derive(Message)]
#[rtype(result = "()")]
struct FenceOff;

struct Inspect;

impl Message for Inspect {
    type Result = Inspection;
}

impl AccountActor {
    fn new(world: World, life: Lifecycle, first: Vec<Effect>) -> Self {
        let account = life.record().id;
        let crashed = Retired::crashed(Member::Account(account));
        let departure = Departure::new(crashed, Arc::clone(&world.farewell), world.runtime.clone());
        Self {
            account,
            life,
            world,
            departure,
            inbox: VecDeque::new(),
            orders: first.into_iter().map(|what| Caused { what, cause: Span::none() }).collect(),
            settings: None,
            busy: false,
            timer: None,
            fenced: watch::Sender::new(false),
        }
    }

    /// One input → all its effects → the next input.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        while !self.busy && ctx.state() == ActorState::Running {
            if let Some(effect) = self.orders.pop_front() {
                self.carry_out(effect, ctx);
            } else if let Some(input) = self.inbox.pop_front() {
                self.step(input);
            } else {
                break;
            }
        }
        self.arm_timer(ctx);
    }

    fn step(&mut self, Caused { what: input, cause }: Caused<Input>) {
        let before = self.life.state().name();
        let effects = self.life.step(input, clock::now());
        let after = self.life.state().name();
        if before != after {
            let record = self.life.record();
            let _of = cause.enter();
            info!(account = %self.account, label = %record.label, status = %record.status, reason = %record.reason, "{before} → {after}");
        }
        self.orders.extend(effects.into_iter().map(|what| Caused { what, cause: cause.clone() }));
    }

    fn arm_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        if let Some(due) = self.life.deadline() {
            // A millisecond late rather than a hair early: an early deadline is no deadline.
            let wait = clock::now().until(due) + Duration::from_millis(1);
            self.timer = Some(ctx.run_later(wait, |actor, ctx| {
                actor.timer = None;
                // Its command is long over, mostly.
                actor.take(Caused { what: Input::Deadline, cause: Span::none() }, ctx);
            }));
        }
    }

    fn take(&mut self, input: Caused<Input>, ctx: &mut Context<Self>) {
        self.inbox.push_back(input);
        self.pump(ctx);
    }

    fn carry_out(&mut self, Caused { what: effect, cause }: Caused<Effect>, ctx: &mut Context<Self>) {
        match effect {
            Effect::Open { incarnation, keyring, purpose } => self.open(incarnation, keyring, purpose, cause, ctx),
            Effect::Close(incarnation) => self.close(incarnation, cause, ctx),
            Effect::Claim { incarnation, phone } => {
                let store = Arc::clone(&self.world.store);
                let (account, fence) = (self.account, self.life.record().fence);
                self.wait_for(ctx, cause, async move {
                    match store.claim_number(account, fence, &phone).await {
                        Err(StoreError::Fenced) => Input::Fenced,
                        answer => Input::Claimed(incarnation, answer.map_err(|why| why.to_string())),
                    }
                });
            }
            Effect::SecureKeys { incarnation, refuse, reason } => {
                let session = self.departure.session(incarnation);
                self.wait_for(ctx, cause, async move {
                    let Some(session) = session else {
                        return Input::KeysSecured(incarnation, Err("the connection is gone".to_owned()));
                    };
                    match session.secure_keys(refuse, reason).await {
                        Err(StoreError::Fenced) => Input::Fenced,
                        outcome => Input::KeysSecured(incarnation, outcome.map_err(|why| why.to_string())),
                    }
                });
            }
            Effect::ConfirmLink(incarnation) => {
                if let Some(session) = self.departure.session(incarnation) {
                    self.wait_silently(ctx, cause, async move { session.confirm_link().await });
                }
            }
            Effect::RefuseLink(incarnation) => {
                if let Some(session) = self.departure.session(incarnation) {
                    self.wait_silently(ctx, cause, async move { session.refuse_link().await });
                }
            }
            Effect::AnswerPasskey { incarnation, command, answer } => {
                let session = self.departure.session(incarnation);
                Self::meanwhile(ctx, cause, async move {
                    let outcome = match session {
                        Some(session) => session.answer_passkey(answer).await,
                        None => Err("the connection is gone".to_owned()),
                    };
                    Input::PasskeyAnswered(incarnation, command, outcome)
                });
            }
            Effect::FetchGroups(incarnation) => {
                let session = self.departure.session(incarnation);
                Self::meanwhile(ctx, cause, async move {
                    let outcome = match session {
                        Some(session) => session.groups().await,
                        None => Err("the connection is gone".to_owned()),
                    };
                    Input::GroupsFetched(incarnation, outcome)
                });
            }
            Effect::Record(change) => self.record(*change, cause, ctx),
            Effect::Retire => {
                self.departure.leave_as(Retired::done(Member::Account(self.account)));
                ctx.stop();
            }
        }
    }

    fn open(
        &mut self,
        incarnation: Incarnation,
        keyring: KeyringId,
        purpose: Purpose,
        cause: Span,
        ctx: &mut Context<Self>,
    ) {
        let record = self.life.record();
        let (account, label, fence) = (self.account, record.label.clone(), record.fence);
        let address = ctx.address();
        // What the connection lives through belongs to the command that opened it.
        let of = cause.clone();
        let listener: SessionListener = Arc::new(move |incarnation, event| {
            address.do_send(Feed(Caused { what: Input::Session(incarnation, event), cause: of.clone() }));
        });
        let world = self.world.clone();
        let span = info_span!(parent: &cause, "session", account = %self.account, label = %record.label, incarnation = incarnation.0);
        let settings = self.settings.take();
        let opening = async move {
            let settings = match settings {
                Some(settings) => settings,
                None => world.store.load_connection_settings(account).await?,
            };
            let order = OpenSession { account, label, fence, incarnation, keyring, purpose, settings };
            world.gateway.open(order, listener).await
        };
        let opening = opening.instrument(span);
        self.busy = true;
        ctx.spawn(opening.into_actor(self).map(move |opened, actor, ctx| {
            actor.busy = false;
            match opened {
                Ok(session) => actor.departure.set_session(incarnation, session),
                Err(StoreError::Fenced) => actor.next(Input::Fenced, cause),
                Err(StoreError::Poisoned(why)) => actor.ended(incarnation, CloseReason::KeysUnusable(why), cause),
                Err(StoreError::Unavailable(why)) => actor.ended(incarnation, CloseReason::StoreFailed(why), cause),
            }
            actor.pump(ctx);
        }));
    }

    fn ended(&mut self, incarnation: Incarnation, reason: CloseReason, cause: Span) {
        self.next(Input::Session(incarnation, SessionEvent::Ended { reason }), cause);
    }

    /// Before whatever else happened.
    fn next(&mut self, input: Input, cause: Span) {
        self.inbox.push_front(Caused { what: input, cause });
    }

    fn close(&mut self, incarnation: Incarnation, cause: Span, ctx: &mut Context<Self>) {
        let session = self.departure.take_session(incarnation);
        Self::meanwhile(ctx, cause, async move {
            if let Some(session) = session {
                session.close().await;
            }
            Input::SessionClosed(incarnation)
        });
    }

    /// Writes until it is written, or known that it must not be.
    fn record(&mut self, change: Change, cause: Span, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.world.store);
        let mut fenced = self.fenced.subscribe();
        let writing = async move {
            tokio::select! {
                written = write(store, change) => written,
                _ = fenced.wait_for(|fenced| *fenced) => Err(StoreError::Fenced),
            }
        };
        let writing = writing.instrument(cause.clone());
        self.busy = true;
        ctx.spawn(writing.into_actor(self).map(move |written, actor, ctx| {
            actor.busy = false;
            match written {
                Ok(settings) => actor.settings = Some(settings),
                Err(StoreError::Fenced) => {
                    // What was ordered before belongs to the new owner now.
                    actor.orders.clear();
                    actor.next(Input::Fenced, cause);
                }
                Err(StoreError::Poisoned(why) | StoreError::Unavailable(why)) => {
                    actor.departure.leave_as(Retired::poisoned(Member::Account(actor.account), why));
                    ctx.stop();
                }
            }
            actor.pump(ctx);
        }));
    }

    /// The next order waits until this is done; its outcome is the next input.
    fn wait_for(&mut self, ctx: &mut Context<Self>, cause: Span, outcome: impl Future<Output = Input> + 'static) {
        self.busy = true;
        let outcome = outcome.instrument(cause.clone());
        ctx.spawn(outcome.into_actor(self).map(move |input, actor, ctx| {
            actor.busy = false;
            actor.next(input, cause);
            actor.pump(ctx);
        }));
    }

    fn wait_silently(&mut self, ctx: &mut Context<Self>, cause: Span, done: impl Future<Output = ()> + 'static) {
        self.busy = true;
        ctx.spawn(done.instrument(cause).into_actor(self).map(|(), actor, ctx| {
            actor.busy = false;
            actor.pump(ctx);
        }));
    }

    /// Goes on while other inputs are taken.
    fn meanwhile(ctx: &mut Context<Self>, cause: Span, outcome: impl Future<Output = Input> + 'static) {
        let address = ctx.address();
        let outcome = outcome.instrument(cause.clone());
        ctx.spawn(actix::fut::wrap_future(async move {
            address.do_send(Feed(Caused { what: outcome.await, cause }));
        }));
    }
}

async fn write(store: Arc<dyn Store>, change: Change) -> Result<ConnectionSettings, StoreError> {
    let id = ChangeId(uuid::Uuid::now_v7());
    let mut told = false;
    loop {
        match store.record(id, &change).await {
            Ok(settings) => return Ok(settings),
            Err(why @ (StoreError::Fenced | StoreError::Poisoned(_))) => return Err(why),
            Err(StoreError::Unavailable(why)) => {
                let record = &change.record;
                if told {
                    debug!(account = %record.id, label = %record.label, %why, "still cannot write what happened");
                } else {
                    warn!(account = %record.id, label = %record.label, %why, "cannot write what happened; trying until the database takes it");
                    told = true;
                }
                tokio::time::sleep(RECORD_RETRY).await;
            }
        }
    }
}

impl Actor for AccountActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.pump(ctx);
    }
}

impl Handler<Feed> for AccountActor {
    type Result = ();

    fn handle(&mut self, Feed(input): Feed, ctx: &mut Self::Context) {
        if matches!(input.what, Input::Command(_)) {
            trace::arrived(&input.cause, self.life.record());
        }
        self.take(input, ctx);
    }
}

impl Handler<FenceOff> for AccountActor {
    type Result = ();

    fn handle(&mut self, _: FenceOff, ctx: &mut Self::Context) {
        if !self.fenced.send_replace(true) {
            error!(account = %self.account, label = %self.life.record().label, "ownership is lost; leaving without a write");
            self.orders.clear();
            self.next(Input::Fenced, Span::none());
            self.pump(ctx);
        }
    }
}

impl Handler<Inspect> for AccountActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Self::Result {
        MessageResult(Inspection {
            state: self.life.state().name(),
            deadline: self.life.deadline(),
            record: self.life.record().clone(),
        })
    }
}
