//! Carries out the tasks of a ticket's machine.

use tracing::{Span, info};

use super::saga::{Answer, Input, Saga, TicketTask};
use crate::{
    domain::{Purpose, UnlinkAnswer},
    shell::{CarryOut, Done, Running, Subject, TaskContext},
    trace,
};

impl CarryOut for Saga {
    fn subject(&self) -> Subject {
        let ticket = self.ticket();
        Subject {
            account: ticket.account,
            operator: None,
            ticket: Some(ticket.id),
            label: ticket.label.clone(),
            fence: ticket.fence,
        }
    }

    fn span(&self) -> Span {
        trace::ticket(self.ticket())
    }

    fn carry_out(&self, task: TicketTask, context: TaskContext<Self>) -> Running<Self> {
        let ticket = self.ticket().clone();
        Box::pin(async move {
            match task {
                TicketTask::Open { incarnation, keyring } => {
                    let opened = context.open(incarnation, keyring, Purpose::Unlink, None, Input::Session).await;
                    Done::Answer(Answer::Opened(incarnation, opened))
                }
                TicketTask::Unlink(incarnation) => {
                    let answer = match context.session(incarnation) {
                        Some(session) => session.unlink().await,
                        None => UnlinkAnswer::Unknown("the connection is gone".to_owned()),
                    };
                    Done::Input(Input::Answered(incarnation, answer))
                }
                TicketTask::Close(incarnation) => {
                    context.close(incarnation).await;
                    Done::Input(Input::SessionClosed(incarnation))
                }
                TicketTask::Cut(incarnation) => {
                    context.cut(incarnation).await;
                    Done::Input(Input::SessionClosed(incarnation))
                }
                TicketTask::Record(outcome) => {
                    let recorded = context.deps.tickets.record_ticket(&ticket, &outcome).await;
                    Done::Answer(Answer::Recorded(outcome, recorded))
                }
            }
        })
    }

    fn log_transition(&self, from: &'static str, to: &'static str) {
        let ticket = self.ticket();
        info!(account = %ticket.account, label = %ticket.label, ticket = %ticket.id, "unlink: {from} → {to}");
    }
}
