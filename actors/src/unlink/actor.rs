//! The shell of a ticket: a task that carries out what the saga orders. Its orders
//! are strictly one after the other, so it needs no mailbox framework.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, info, warn};

use super::{
    handle::UnlinkHandle,
    saga::{Effect, Input, Saga, after_unwritten},
};
use crate::{
    Deps, clock,
    domain::{
        Ending, Incarnation, KeyringId, OpenSession, Purpose, StoreError, TicketOutcome, TicketRecord, UnlinkAnswer,
    },
    exit::ExitGuard,
    machine,
    ports::{SessionListener, TicketStore},
    supervisor::{Member, Retired},
    trace,
};

/// Between two tries of a write that the database did not take.
const RECORD_RETRY: Duration = Duration::from_millis(500);

/// Starts the actor of a ticket.
pub fn start(deps: Deps, saga: Saga, first: Vec<Effect>) -> UnlinkHandle {
    let (inbox, inputs) = mpsc::unbounded_channel();
    let member = Member::Ticket(saga.ticket().id);
    let crashed = Retired::of(member, Ending::Crashed);
    let runtime = deps.runtime.clone();
    let span = trace::ticket(saga.ticket());
    let fenced = Arc::new(watch::Sender::new(false));
    let exit = ExitGuard::new(crashed, Arc::clone(&deps.on_exit), deps.runtime.clone(), fenced.subscribe());
    let actor = UnlinkActor { saga, deps, exit, inbox: inbox.clone(), inputs, fenced: fenced.subscribe(), end: None };
    runtime.spawn(actor.run(first).instrument(span));
    UnlinkHandle::new(inbox, fenced)
}

struct UnlinkActor {
    saga: Saga,
    deps: Deps,
    exit: ExitGuard,
    inbox: mpsc::UnboundedSender<Input>,
    inputs: mpsc::UnboundedReceiver<Input>,
    /// Set once: whatever the database is asked for is given up.
    fenced: watch::Receiver<bool>,
    /// It cannot go on from where it is.
    end: Option<Ending>,
}

impl UnlinkActor {
    async fn run(mut self, first: Vec<Effect>) {
        let mut effects = first;
        loop {
            for effect in std::mem::take(&mut effects) {
                if effect == Effect::Retire {
                    self.end = Some(Ending::Done);
                } else {
                    self.carry_out(effect).await;
                }
                if let Some(end) = self.end.take() {
                    self.exit.leave_as(Retired::of(Member::Ticket(self.saga.ticket().id), end));
                    return;
                }
            }
            let input = self.next_input().await;
            let stepped = machine::step(&mut self.saga, input, clock::now());
            effects = stepped.effects;
            if let Some((before, after)) = stepped.moved {
                let ticket = self.saga.ticket();
                info!(account = %ticket.account, label = %ticket.label, ticket = %ticket.id, "unlink: {before} → {after}");
            }
        }
    }

    /// The next thing that happens; the deadline is one of them.
    async fn next_input(&mut self) -> Input {
        let due = self.saga.deadline();
        let deadline = async {
            match due {
                Some(due) => clock::reached(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = self.inputs.recv() => input.unwrap_or(Input::Leave),
            () = deadline => Input::Deadline,
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Open { incarnation, keyring } => self.open(incarnation, keyring).await,
            Effect::Unlink(incarnation) => {
                let session = self.exit.session(incarnation);
                let inbox = self.inbox.clone();
                // Meanwhile the saga may be told to leave.
                let asking = async move {
                    let answer = match session {
                        Some(session) => session.unlink().await,
                        None => UnlinkAnswer::Unknown("the connection is gone".to_owned()),
                    };
                    let _ = inbox.send(Input::Answered(incarnation, answer));
                };
                self.deps.runtime.spawn(asking.in_current_span());
            }
            Effect::Close(incarnation) => {
                if let Some(session) = self.exit.session(incarnation) {
                    let mut fenced = self.fenced.clone();
                    tokio::select! {
                        () = session.close() => {}
                        // Cut by the next order.
                        _ = fenced.wait_for(|fenced| *fenced) => return,
                    }
                }
                self.exit.closed(incarnation);
                let _ = self.inbox.send(Input::SessionClosed(incarnation));
            }
            Effect::Cut(incarnation) => {
                if let Some(session) = self.exit.session(incarnation) {
                    session.cut().await;
                }
                self.exit.closed(incarnation);
                let _ = self.inbox.send(Input::SessionClosed(incarnation));
            }
            Effect::Record(outcome) => self.record(outcome).await,
            Effect::Retire => {}
        }
    }

    async fn open(&mut self, incarnation: Incarnation, keyring: KeyringId) {
        let ticket = self.saga.ticket();
        let inbox = self.inbox.clone();
        let listener: SessionListener = Arc::new(move |incarnation, event| {
            let _ = inbox.send(Input::Session(incarnation, event));
        });
        let opened = async {
            let order = OpenSession {
                account: ticket.account,
                label: ticket.label.clone(),
                fence: ticket.fence,
                incarnation,
                keyring,
                purpose: Purpose::Login,
                settings: self.deps.tickets.load_connection_settings(ticket.account, ticket.fence).await?,
            };
            self.deps.gateway.open(order, listener).await
        };
        match opened.await {
            Ok(session) => self.exit.set_session(incarnation, session),
            Err(why) => {
                let _ = self.inbox.send(Input::not_opened(incarnation, why));
            }
        }
    }

    /// Writes until it is written, or known that it must not be. A confirmation is
    /// not lost by a database that is away; one that the daemon's end cuts off is
    /// asked for again, and WhatsApp then says that the device is gone.
    async fn record(&mut self, outcome: TicketOutcome) {
        let (store, ticket) = (Arc::clone(&self.deps.tickets), self.saga.ticket().clone());
        let mut fenced = self.fenced.clone();
        let written = tokio::select! {
            written = write(&*store, &ticket, &outcome) => written,
            _ = fenced.wait_for(|fenced| *fenced) => Err(StoreError::Fenced),
        };
        match written.map_err(after_unwritten) {
            Ok(()) => {}
            Err(Ok(input)) => {
                let _ = self.inbox.send(input);
            }
            Err(Err(ending)) => self.end = Some(ending),
        }
    }
}

/// Until the outcome is known.
async fn write(store: &dyn TicketStore, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError> {
    let mut told = false;
    loop {
        match store.record_ticket(ticket, outcome).await {
            Err(StoreError::Unavailable(why)) => {
                if !told {
                    warn!(account = %ticket.account, label = %ticket.label, ticket = %ticket.id, %why, "cannot write how the unlink went; trying until the database takes it");
                    told = true;
                }
                tokio::time::sleep(RECORD_RETRY).await;
            }
            written => return written,
        }
    }
}
