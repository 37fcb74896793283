//! The shell of an account: carries out what the desk hands it, one task after the other,
//! and tells it what came of each. It decides nothing.

use std::{future::Future, sync::Arc, time::Duration};

use actix::prelude::*;
use tokio::sync::watch;
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use super::{
    desk::{Beginning, Caused, Desk, Next, Task},
    handle::{AccountHandle, Inspection, NotDelivered},
    lifecycle::Input,
};
use crate::{
    Deps, clock,
    domain::{
        AccountId, ConnectionSettings, Ending, GroupsError, Incarnation, KeyringId, OpenSession, PasskeyError, Purpose,
        StoreError, Write, Written,
    },
    exit::ExitGuard,
    ports::{AccountStore, Session, SessionListener},
    supervisor::{Member, Retired},
    trace,
};

pub(super) type Address = Addr<AccountActor>;

/// Commands that may wait in front of one account; more stay in the database.
const MAILBOX: usize = 64;

/// Starts an account on an arbiter.
pub fn start(on: &ArbiterHandle, deps: Deps, beginning: Beginning) -> AccountHandle {
    let address = AccountActor::start_in_arbiter(on, move |ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        AccountActor::new(deps, beginning)
    });
    AccountHandle::new(address)
}

pub(super) fn try_feed(address: &Address, input: Input, cause: Span) -> Result<(), NotDelivered> {
    address.try_send(Feed(Caused { what: input, cause: Cause(cause) })).map_err(|_| NotDelivered)
}

pub(super) fn feed(address: &Address, input: Input) {
    address.do_send(Feed(Caused { what: input, cause: Cause::default() }));
}

pub(super) fn fence_off(address: &Address) {
    address.do_send(FenceOff);
}

pub(super) async fn inspect(address: &Address) -> Option<Inspection> {
    address.send(Inspect).await.ok()
}

/// The span of the command that led to something.
#[derive(Clone, Debug)]
struct Cause(Span);

impl Default for Cause {
    fn default() -> Self {
        Self(Span::none())
    }
}

/// See the module.
pub struct AccountActor {
    account: AccountId,
    desk: Desk<Cause>,
    deps: Deps,
    exit: ExitGuard,
    timer: Option<SpawnHandle>,
    /// The epoch of the daemon's lease when this life began.
    leased: Option<i64>,
    /// Set once, by [`FenceOff`]: whatever is waited for is given up.
    fenced: watch::Sender<bool>,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Feed(Caused<Input, Cause>);

#[derive(Message)]
#[rtype(result = "()")]
struct FenceOff;

struct Inspect;

impl Message for Inspect {
    type Result = Inspection;
}

impl AccountActor {
    fn new(deps: Deps, beginning: Beginning) -> Self {
        let account = beginning.life.record().id;
        let crashed = Retired::of(Member::Account(account), Ending::Crashed);
        let fenced = watch::Sender::new(false);
        let exit = ExitGuard::new(crashed, Arc::clone(&deps.on_exit), deps.runtime.clone(), fenced.subscribe());
        let desk = Desk::new(beginning);
        let leased = (deps.lease)();
        Self { account, desk, deps, exit, timer: None, leased, fenced }
    }

    /// Whether the lease is the one that this life began under, without a break.
    fn is_leased(&self) -> bool {
        let now = (self.deps.lease)();
        now.is_some() && now == self.leased
    }

    fn pump(&mut self, ctx: &mut Context<Self>) {
        while ctx.state() == ActorState::Running {
            match self.desk.next(clock::now(), self.is_leased()) {
                Next::Task(Caused { what: task, cause }) => self.carry_out(task, cause.0, ctx),
                Next::Moved { from, to, cause } => {
                    let record = self.desk.life().record();
                    let _of = cause.0.enter();
                    info!(account = %self.account, label = %record.label, status = %record.status, reason = %record.reason, "{from} → {to}");
                }
                Next::Nothing => break,
            }
        }
        self.arm_timer(ctx);
    }

    fn arm_timer(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        if let Some(due) = self.desk.deadline() {
            let due = clock::reached(due).into_actor(self);
            self.timer = Some(ctx.spawn(due.map(|(), actor, ctx| {
                actor.timer = None;
                // Its command is long over, mostly.
                actor.take(Input::Deadline, Cause::default(), ctx);
            })));
        }
    }

    fn take(&mut self, input: Input, cause: Cause, ctx: &mut Context<Self>) {
        if let Input::SessionClosed(incarnation) = input {
            self.exit.closed(incarnation);
        }
        self.desk.take(input, cause);
        self.pump(ctx);
    }

    fn carry_out(&mut self, task: Task, cause: Span, ctx: &mut Context<Self>) {
        match task {
            Task::Write { write, keys_of } => self.write(write, keys_of, Duration::ZERO, cause, ctx),
            Task::Open { incarnation, keyring, purpose, settings } => {
                self.open(incarnation, keyring, purpose, settings, cause, ctx);
            }
            Task::ConfirmLink(incarnation) => {
                let session = self.exit.session(incarnation);
                self.wait_for(ctx, cause, async move {
                    if let Some(session) = session {
                        session.confirm_link().await;
                    }
                });
            }
            Task::RefuseLink(incarnation) => {
                let session = self.exit.session(incarnation);
                self.wait_for(ctx, cause, async move {
                    if let Some(session) = session {
                        session.refuse_link().await;
                    }
                });
            }
            Task::Close(incarnation) => {
                self.leave_session(incarnation, cause, ctx, |session| async move { session.close().await });
            }
            Task::Cut(incarnation) => {
                self.leave_session(incarnation, cause, ctx, |session| async move { session.cut().await });
            }
            Task::AnswerPasskey { incarnation, command, answer } => {
                let session = self.exit.session(incarnation);
                Self::meanwhile(ctx, cause, async move {
                    let outcome = match session {
                        Some(session) => session.answer_passkey(answer).await,
                        None => Err(PasskeyError::ConnectionOver),
                    };
                    Input::PasskeyAnswered(incarnation, command, outcome)
                });
            }
            Task::FetchGroups(incarnation) => {
                let session = self.exit.session(incarnation);
                Self::meanwhile(ctx, cause, async move {
                    let outcome = match session {
                        Some(session) => session.groups().await,
                        None => Err(GroupsError::ConnectionOver),
                    };
                    Input::GroupsFetched(incarnation, outcome)
                });
            }
            Task::End(end) => {
                self.exit.leave_as(Retired::of(Member::Account(self.account), end.into()));
                ctx.stop();
            }
        }
    }

    /// Tried, as the desk says, until its outcome is known.
    fn write(
        &mut self,
        write: Box<Write>,
        keys_of: Option<Incarnation>,
        pause: Duration,
        cause: Span,
        ctx: &mut Context<Self>,
    ) {
        let store = Arc::clone(&self.deps.accounts);
        let session = keys_of.map(|incarnation| self.exit.session(incarnation));
        let is_news = pause.is_zero();
        let writing = async move {
            tokio::time::sleep(pause).await;
            let outcome = match session {
                None => store.record(&write).await,
                Some(Some(session)) => write_with_keys(&*session, store, (*write).clone()).await,
                Some(None) => Err(StoreError::Unavailable("the connection is gone".to_owned())),
            };
            if let Err(StoreError::Unavailable(why)) = &outcome {
                let record = &write.record;
                if is_news {
                    warn!(account = %record.id, label = %record.label, %why, "cannot write what happened; trying until the database takes it");
                } else {
                    debug!(account = %record.id, label = %record.label, %why, "still cannot write what happened");
                }
            }
            outcome
        };
        let of = cause.clone();
        self.ask_store(ctx, cause, writing, |actor, outcome, ctx| {
            if let Some((write, pause)) = actor.desk.on_written(outcome) {
                actor.write(write, None, pause, of, ctx);
            }
        });
    }

    fn open(
        &mut self,
        incarnation: Incarnation,
        keyring: KeyringId,
        purpose: Purpose,
        settings: Option<ConnectionSettings>,
        cause: Span,
        ctx: &mut Context<Self>,
    ) {
        let record = self.desk.life().record();
        let (account, label, fence) = (self.account, record.label.clone(), record.fence);
        let address = ctx.address();
        // What the connection lives through belongs to the command that opened it.
        let of = Cause(cause.clone());
        let listener: SessionListener = Arc::new(move |incarnation, event| {
            address.do_send(Feed(Caused { what: Input::Session(incarnation, event), cause: of.clone() }));
        });
        let deps = self.deps.clone();
        let span = info_span!(parent: &cause, "session", account = %self.account, label = %record.label, incarnation = incarnation.0);
        let opening = async move {
            let settings = match settings {
                Some(settings) => settings,
                None => deps.accounts.load_connection_settings(account, fence).await?,
            };
            let order = OpenSession { account, label, fence, incarnation, keyring, purpose, settings };
            deps.gateway.open(order, listener).await
        };
        self.ask_store(ctx, cause, opening.instrument(span), move |actor, opened, _| {
            let opened = opened.map(|session| actor.exit.set_session(incarnation, session));
            actor.desk.on_opened(opened);
        });
    }

    fn leave_session<F: Future<Output = ()> + 'static>(
        &mut self,
        incarnation: Incarnation,
        cause: Span,
        ctx: &mut Context<Self>,
        leave: impl FnOnce(Arc<dyn Session>) -> F + 'static,
    ) {
        let session = self.exit.session(incarnation);
        Self::meanwhile(ctx, cause, async move {
            if let Some(session) = session {
                leave(session).await;
            }
            Input::SessionClosed(incarnation)
        });
    }

    /// What the desk waits for; given up when the account is lost.
    fn ask_store<T: 'static>(
        &mut self,
        ctx: &mut Context<Self>,
        cause: Span,
        asking: impl Future<Output = T> + 'static,
        then: impl FnOnce(&mut Self, T, &mut Context<Self>) + 'static,
    ) {
        let mut fenced = self.fenced.subscribe();
        let asking = async move {
            tokio::select! {
                // First: a connection that opens at the same moment goes with its opening.
                biased;
                _ = fenced.wait_for(|fenced| *fenced) => None,
                answer = asking => Some(answer),
            }
        };
        ctx.spawn(asking.instrument(cause).into_actor(self).map(|answer, actor, ctx| {
            if let Some(answer) = answer {
                then(actor, answer, ctx);
            }
            actor.pump(ctx);
        }));
    }

    /// The desk waits until this is done.
    fn wait_for(&mut self, ctx: &mut Context<Self>, cause: Span, done: impl Future<Output = ()> + 'static) {
        ctx.spawn(done.instrument(cause).into_actor(self).map(|(), actor, ctx| {
            actor.desk.on_done();
            actor.pump(ctx);
        }));
    }

    /// Goes on while other inputs are taken.
    fn meanwhile(ctx: &mut Context<Self>, cause: Span, outcome: impl Future<Output = Input> + 'static) {
        let address = ctx.address();
        let outcome = outcome.instrument(cause.clone());
        ctx.spawn(actix::fut::wrap_future(async move {
            address.do_send(Feed(Caused { what: outcome.await, cause: Cause(cause) }));
        }));
    }
}

/// The connection seals its keys as they are now, and they become durable with the change.
async fn write_with_keys(
    session: &dyn Session,
    store: Arc<dyn AccountStore>,
    write: Write,
) -> Result<Written, StoreError> {
    let put = move |keys| -> std::pin::Pin<Box<dyn Future<Output = Result<Written, StoreError>> + Send>> {
        Box::pin(async move { store.record(&Write { keys: Some(keys), ..write }).await })
    };
    session.secure_keys(Box::new(put)).await
}

impl Actor for AccountActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.pump(ctx);
    }
}

impl Handler<Feed> for AccountActor {
    type Result = ();

    fn handle(&mut self, Feed(Caused { what: input, cause }): Feed, ctx: &mut Self::Context) {
        if matches!(input, Input::Command(_)) {
            trace::arrived(&cause.0, self.desk.life().record());
        }
        self.take(input, cause, ctx);
    }
}

impl Handler<FenceOff> for AccountActor {
    type Result = ();

    fn handle(&mut self, _: FenceOff, ctx: &mut Self::Context) {
        if !self.fenced.send_replace(true) {
            error!(account = %self.account, label = %self.desk.life().record().label, "ownership is lost; leaving without a write");
            self.desk.fence(Cause::default());
            self.pump(ctx);
        }
    }
}

impl Handler<Inspect> for AccountActor {
    type Result = MessageResult<Inspect>;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Self::Result {
        let life = self.desk.life();
        MessageResult(Inspection {
            state: life.state().name(),
            deadline: life.deadline(),
            record: life.record().clone(),
        })
    }
}
