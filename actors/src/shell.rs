//! The shell of every machine that has an actor: queues inputs, and carries out the desk's
//! tasks one after the other. It decides nothing. The tasks themselves are in each machine's
//! `effects.rs`.

use std::{future::Future, pin::Pin, sync::Arc};

use actix::prelude::*;
use tokio::sync::{oneshot, watch};
use tracing::{Instrument as _, Span, debug, error, field::display, info_span, warn};

use crate::{
    Deps, clock,
    desk::{Caused, Desk, Next, Retrying, Wait, Work},
    domain::{
        AccountId, ConnectionSettings, Ending, Fence, Incarnation, KeyringId, Member, OpenSession, OperatorId, Purpose,
        Retired, SessionEvent, StoreError, TicketId,
    },
    exit::{ExitGuard, LiveSession, NumberedSession},
    ports::{Session, SessionListener},
};

/// The threads that actors run on.
pub use actix::ArbiterHandle;

/// Commands that may wait in front of one actor; more stay in the database.
const MAILBOX: usize = 64;

/// Carries out the tasks of a machine.
pub trait CarryOut:
    Work<Input: Send + 'static, Effect: Send + 'static, Task: 'static, Answer: 'static> + Send + Sized + 'static
{
    fn subject(&self) -> Subject;

    /// Of what no command led to.
    fn span(&self) -> Span;

    /// Begins a task. The store and the connection are called in what is returned, not here.
    fn carry_out(&self, task: Self::Task, context: TaskContext<Self>) -> Running<Self>;

    /// Logs a transition.
    fn log_transition(&self, from: &'static str, to: &'static str);
}

/// A task on its way to its end.
pub type Running<W> = Pin<Box<dyn Future<Output = Done<W>>>>;

/// The result of a task.
pub enum Done<W: Work> {
    /// Of a task that the desk waits for.
    Answer(W::Answer),
    /// Of any other.
    Input(W::Input),
}

/// The account or ticket that an actor works for.
#[derive(Clone, Debug)]
pub struct Subject {
    pub account: AccountId,
    /// Of an account.
    pub operator: Option<OperatorId>,
    pub ticket: Option<TicketId>,
    pub label: String,
    pub fence: Fence,
}

impl Subject {
    fn member(&self) -> Member {
        self.ticket.map_or(Member::Account(self.account), Member::Ticket)
    }
}

/// The dependencies of a task.
pub struct TaskContext<W: CarryOut> {
    pub deps: Deps,
    pub subject: Subject,
    /// As of when the task began: a connection that is being closed can still be cut.
    session: Option<NumberedSession>,
    live: LiveSession,
    address: Addr<Shell<W>>,
    cause: Span,
}

impl<W: CarryOut> TaskContext<W> {
    /// The connection of that incarnation, if it is the one that is live.
    pub fn session(&self, incarnation: Incarnation) -> Option<Arc<dyn Session>> {
        self.session.as_ref().filter(|(live, _)| *live == incarnation).map(|(_, session)| Arc::clone(session))
    }

    /// Opens a connection, which is live from then on. Without settings the database is asked
    /// for them, and whose the account is. `heard` makes inputs of what the connection lives
    /// through; all that comes of them belongs to the command that opened it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(
        self,
        incarnation: Incarnation,
        keyring: KeyringId,
        purpose: Purpose,
        settings: Option<ConnectionSettings>,
        heard: fn(Incarnation, SessionEvent) -> W::Input,
    ) -> Result<(), StoreError> {
        let Self { deps, subject, live, address, cause, .. } = self;
        let Subject { account, operator, label, fence, .. } = subject;
        let span = info_span!("session", %account, %label, incarnation = incarnation.0);
        let listener: SessionListener = Arc::new(move |incarnation, event| {
            address.do_send(Mail::Input(Caused { what: heard(incarnation, event), cause: Some(cause.clone()) }));
        });
        let opening = async {
            let settings = match settings {
                Some(settings) => settings,
                None => deps.connections.load_connection_settings(account, fence).await?,
            };
            let order = OpenSession { account, operator, label, fence, incarnation, keyring, purpose, settings };
            deps.gateway.open(order, listener).await
        };
        live.set(incarnation, opening.instrument(span).await?);
        Ok(())
    }

    /// Closes the connection of that incarnation.
    pub async fn close(&self, incarnation: Incarnation) {
        if let Some(session) = self.session(incarnation) {
            session.close().await;
        }
        self.live.closed(incarnation);
    }

    /// The same at once, see [`Session::cut`].
    pub async fn cut(&self, incarnation: Incarnation) {
        if let Some(session) = self.session(incarnation) {
            session.cut().await;
        }
        self.live.closed(incarnation);
    }
}

/// The actor is gone, or has more to do than it can queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotDelivered;

/// A running actor, as others reach it.
pub struct Mailbox<W: CarryOut>(Addr<Shell<W>>);

impl<W: CarryOut> Clone for Mailbox<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W: CarryOut> Mailbox<W> {
    /// Hands over what a command asks for. All that it leads to is in the current span.
    ///
    /// # Errors
    /// It was not taken.
    pub fn command(&self, input: W::Input) -> Result<(), NotDelivered> {
        let input = Caused { what: input, cause: Some(Span::current()) };
        self.0.try_send(Mail::Input(input)).map_err(|_| NotDelivered)
    }

    pub fn tell(&self, input: W::Input) {
        self.0.do_send(Mail::Input(Caused { what: input, cause: None }));
    }

    /// The account has another owner: the actor ends at once and writes nothing.
    pub fn fence_off(&self) {
        self.0.do_send(Mail::FenceOff);
    }

    /// Reads the machine with `look`; `None` if the actor is gone.
    pub async fn look<R: Send + 'static>(&self, look: impl FnOnce(&W) -> R + Send + 'static) -> Option<R> {
        let (tell, seen) = oneshot::channel();
        self.0.do_send(Mail::Inspect(Box::new(move |work| {
            // The asker may have given up.
            let _ = tell.send(look(work));
        })));
        seen.await.ok()
    }
}

/// A message to an actor.
#[derive(Message)]
#[rtype(result = "()")]
enum Mail<W: CarryOut> {
    Input(Caused<W::Input, Option<Span>>),
    FenceOff,
    Inspect(Box<dyn FnOnce(&W) + Send>),
}

/// Starts an actor, with the first orders of its machine.
pub fn start<W: CarryOut>(on: &ArbiterHandle, deps: Deps, work: W, first: Vec<W::Effect>) -> Mailbox<W> {
    Mailbox(Shell::start_in_arbiter(on, move |ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        Shell::new(deps, work, first)
    }))
}

/// See the module.
struct Shell<W: CarryOut> {
    desk: Desk<W, Span>,
    deps: Deps,
    exit: ExitGuard,
    timer: Option<SpawnHandle>,
    /// The epoch of the daemon's lease when this life began.
    leased: Option<i64>,
    /// Set once, by [`Mail::FenceOff`]: pending calls to the store are given up.
    fenced: watch::Sender<bool>,
}

impl<W: CarryOut> Unpin for Shell<W> {}

impl<W: CarryOut> Shell<W> {
    fn new(deps: Deps, work: W, first: Vec<W::Effect>) -> Self {
        let fenced = watch::Sender::new(false);
        let crashed = Retired::of(work.subject().member(), Ending::Crashed);
        let exit = ExitGuard::new(crashed, Arc::clone(&deps.on_exit), deps.runtime.clone(), fenced.subscribe());
        let leased = (deps.lease)();
        let span = work.span();
        Self { desk: Desk::new(work, first, span), deps, exit, timer: None, leased, fenced }
    }

    /// Whether the lease is the one that this life began under, without a break.
    fn is_leased(&self) -> bool {
        let now = (self.deps.lease)();
        now.is_some() && now == self.leased
    }

    fn pump(&mut self, ctx: &mut Context<Self>) {
        while ctx.state() == ActorState::Running {
            match self.desk.next(clock::now(), self.is_leased()) {
                Next::Task { task, wait, cause } => self.carry_out(task, wait, cause, ctx),
                Next::Moved { from, to, cause } => cause.in_scope(|| self.desk.work().log_transition(from, to)),
                Next::End(ending) => {
                    self.exit.leave_as(ending);
                    ctx.stop();
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
            self.timer = Some(ctx.spawn(due.map(|(), shell, ctx| {
                shell.timer = None;
                shell.desk.on_deadline();
                shell.pump(ctx);
            })));
        }
    }

    fn carry_out(&mut self, task: W::Task, wait: Wait, cause: Span, ctx: &mut Context<Self>) {
        let work = self.desk.work();
        let context = TaskContext {
            deps: self.deps.clone(),
            subject: work.subject(),
            session: self.exit.live().now(),
            live: self.exit.live().clone(),
            address: ctx.address(),
            cause: cause.clone(),
        };
        let running = work.carry_out(task, context).instrument(cause.clone());
        let mut fenced = self.fenced.subscribe();
        let running = async move {
            if wait != Wait::UnlessFenced {
                return Some(running.await);
            }
            tokio::select! {
                // First: a connection that opens at the same moment goes with its opening.
                biased;
                _ = fenced.wait_for(|fenced| *fenced) => None,
                done = running => Some(done),
            }
        };
        ctx.spawn(running.into_actor(self).map(move |done, shell, ctx| match done {
            // Behind what the connection said before.
            Some(Done::Input(what)) => ctx.address().do_send(Mail::Input(Caused { what, cause: Some(cause) })),
            Some(Done::Answer(answer)) => {
                let retrying = shell.desk.on_answer(answer, clock::now());
                cause.in_scope(|| shell.log_retry(retrying));
                shell.pump(ctx);
            }
            None => shell.pump(ctx),
        }));
    }

    fn log_retry(&self, retrying: Option<Retrying>) {
        let Some(Retrying { why, is_first }) = retrying else { return };
        let Subject { account, label, ticket, .. } = self.desk.work().subject();
        let ticket = ticket.map(display);
        if is_first {
            warn!(%account, %label, ticket, %why, "failed to record state change; retrying");
        } else {
            debug!(%account, %label, ticket, %why, "still failing to record state change");
        }
    }

    fn fence_off(&mut self, ctx: &mut Context<Self>) {
        if !self.fenced.send_replace(true) {
            let Subject { account, label, ticket, .. } = self.desk.work().subject();
            error!(%account, %label, ticket = ticket.map(display), "ownership is lost; leaving without a write");
            self.desk.fence();
            self.pump(ctx);
        }
    }
}

impl<W: CarryOut> Actor for Shell<W> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.pump(ctx);
    }
}

impl<W: CarryOut> Handler<Mail<W>> for Shell<W> {
    type Result = ();

    fn handle(&mut self, mail: Mail<W>, ctx: &mut Self::Context) {
        match mail {
            Mail::Input(Caused { what, cause }) => {
                self.desk.take(what, cause);
                self.pump(ctx);
            }
            Mail::FenceOff => self.fence_off(ctx),
            Mail::Inspect(inspect) => inspect(self.desk.work()),
        }
    }
}
