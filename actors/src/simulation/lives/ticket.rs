//! A ticket's actor.

use super::{
    super::{
        daemon::{Arrival, AskedFor, Process},
        model::{Statement, StatementAnswer},
        whatsapp::LifeId,
        world::World,
    },
    Opening, TicketAsk, TicketLife, live, opened, settings,
};
use crate::{
    desk::{Desk, Next},
    domain::{
        Ending, Event, Incarnation, Member, Purpose, Retired, StoreError, TicketOutcome, TicketRecord, UnlinkAnswer,
    },
    unlink::saga::{self, Saga},
};

impl World {
    pub fn begin_ticket(&mut self, p: &mut Process, record: TicketRecord) {
        let seed = self.dice.wide();
        let ticket = record.id;
        let (saga, first) = Saga::resume(record, p.policy.clone(), seed, self.clock(p));
        let id = self.fresh_life();
        let daemon = p.daemon;
        self.tell(|| format!("d{daemon} life {id} of ticket {ticket} begins: {}", saga.state().name()));
        let desk = Desk::new(saga, first, ());
        let life = TicketLife { ticket, desk, session: None, is_fenced: false, token: 0, due_at: None };
        p.tickets.insert(ticket, id);
        p.ticket_lives.insert(id, life);
        self.run_ticket(p, id);
    }

    pub(super) fn ticket_input(&mut self, p: &mut Process, id: LifeId, input: saga::Input) {
        if let Some(life) = p.ticket_lives.get_mut(&id) {
            life.desk.take(input, None);
            self.run_ticket(p, id);
        }
    }

    pub(super) fn run_ticket(&mut self, p: &mut Process, id: LifeId) {
        let Some(mut life) = p.ticket_lives.remove(&id) else { return };
        loop {
            match life.desk.next(self.clock(p), true) {
                Next::End(ending) => return self.end_ticket(p, &life, ending),
                Next::Task { task, .. } => self.carry_out_of_ticket(p, id, &mut life, task),
                Next::Moved { from, to, .. } => {
                    let daemon = p.daemon;
                    self.tell(|| format!("d{daemon} life {id} ticket: {from} → {to}"));
                }
                Next::Nothing => break,
            }
        }
        life.due_at = self.life_due(p, id, life.desk.deadline(), life.due_at);
        p.ticket_lives.insert(id, life);
    }

    fn end_ticket(&mut self, p: &mut Process, life: &TicketLife, ending: Ending) {
        let retired = Retired::of(Member::Ticket(life.ticket), ending);
        self.depart(p, life.session, retired);
    }

    fn carry_out_of_ticket(&mut self, p: &mut Process, id: LifeId, life: &mut TicketLife, task: saga::TicketTask) {
        let ticket = life.desk.work().ticket().clone();
        match task {
            saga::TicketTask::Open { incarnation, keyring } => {
                let purpose = Purpose::Unlink;
                let opening = Opening { incarnation, keyring, purpose, since: self.now, is_asked: true };
                let statement =
                    Statement::LoadConnectionSettings { process: p.id, account: ticket.account, fence: ticket.fence };
                self.ticket_ask(p, id, life, statement, TicketAsk::Settings(opening));
            }
            saga::TicketTask::Unlink(incarnation) => match live(life.session, incarnation) {
                Some(session) => self.send_unlink(session),
                None => {
                    let gone = UnlinkAnswer::Unknown("the connection is gone".to_owned());
                    life.desk.take(saga::Input::Answered(incarnation, gone), None);
                }
            },
            saga::TicketTask::Close(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.close(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            saga::TicketTask::Cut(incarnation) => {
                let session = live(life.session, incarnation);
                let ms = session.map_or(0, |session| self.cut(session));
                self.note(ms, p.daemon, p.id, Arrival::Closed(id, incarnation, session.unwrap_or(0)));
            }
            saga::TicketTask::Record(outcome) => self.record_outcome(p, id, life, outcome),
        }
    }

    fn ticket_ask(&mut self, p: &Process, id: LifeId, life: &mut TicketLife, statement: Statement, ask: TicketAsk) {
        life.token += 1;
        // As in `life_ask`.
        let then = if life.is_fenced { AskedFor::Nothing } else { AskedFor::Ticket(id, life.token, ask) };
        self.ask(p, statement, then);
    }

    fn record_outcome(&mut self, p: &Process, id: LifeId, life: &mut TicketLife, outcome: TicketOutcome) {
        let (process, ticket) = (p.id, life.desk.work().ticket().clone());
        let statement = match outcome.clone() {
            TicketOutcome::Unlinked { reason } => {
                let event = Event::AccountUnlinked { reason };
                Statement::CloseTicket { process, ticket, is_abandoned: false, event }
            }
            TicketOutcome::Abandoned { reason } => {
                let event = Event::UnlinkAbandoned { reason };
                Statement::CloseTicket { process, ticket, is_abandoned: true, event }
            }
            TicketOutcome::Failed { error, attempts, next_retry_at } => {
                Statement::RetryTicket { process, ticket, attempts, error, next_retry_at }
            }
        };
        self.ticket_ask(p, id, life, statement, TicketAsk::Record(outcome));
    }

    pub fn on_ticket_answer(
        &mut self,
        p: &mut Process,
        id: LifeId,
        token: u64,
        ask: TicketAsk,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        let Some(mut life) = p.ticket_lives.remove(&id) else { return };
        if life.token != token {
            p.ticket_lives.insert(id, life);
            return;
        }
        let ticket = life.desk.work().ticket();
        let of = (ticket.account, ticket.fence);
        let answer = match ask {
            TicketAsk::Settings(opening) => match settings(answer) {
                Ok(_) => {
                    let (account, fence) = of;
                    let statement = self.open_keyring(p, account, fence, opening.keyring);
                    self.ticket_ask(p, id, &mut life, statement, TicketAsk::Keyring(opening));
                    None
                }
                Err(why) => Some(saga::Answer::Opened(opening.incarnation, Err(why))),
            },
            TicketAsk::Keyring(opening) => {
                let incarnation = opening.incarnation;
                let opened = opened(answer).map(|epoch| {
                    let session = self.new_session(p, id, of, opening, Some(epoch));
                    life.session = Some((incarnation, session));
                });
                Some(saga::Answer::Opened(incarnation, opened))
            }
            TicketAsk::Record(outcome) => Some(saga::Answer::Recorded(outcome, outcome_written(answer))),
        };
        if let Some(answer) = answer {
            life.desk.on_answer(answer, self.clock(p));
        }
        p.ticket_lives.insert(id, life);
        self.run_ticket(p, id);
    }

    pub fn on_unlinked(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation, answer: UnlinkAnswer) {
        self.ticket_input(p, id, saga::Input::Answered(incarnation, answer));
    }
}

fn outcome_written(answer: Result<StatementAnswer, StoreError>) -> Result<(), StoreError> {
    match answer? {
        StatementAnswer::Retried(None) | StatementAnswer::Closed(None) => Err(StoreError::Fenced),
        StatementAnswer::Retried(Some(retried)) if retried.is_written || retried.was_written => Ok(()),
        StatementAnswer::Closed(Some(false)) => Ok(()),
        _ => Err(StoreError::Overtaken),
    }
}
