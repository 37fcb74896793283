//! The holder of a daemon's lease, and the clock that is kept to the database's.

use std::time::Duration;

use super::{
    super::{
        flaws::Flaw,
        model::{Statement, StatementAnswer},
        whatsapp::{LifeId, SessionId},
        world::World,
    },
    Arrival, AskedFor, Process, TOLERANCE, TTL,
};
use crate::{
    domain::{Instant, StoreError},
    lease::{Answer as LeaseAnswer, Follower, LeaseState, Order as LeaseOrder, Turn},
};

impl World {
    pub(super) fn beat(&mut self, p: &mut Process) {
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

    pub(super) fn on_renewal(
        &mut self,
        p: &mut Process,
        number: i64,
        asked: i64,
        answer: Result<StatementAnswer, StoreError>,
    ) {
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

    pub(super) fn on_lease_answer(&mut self, p: &mut Process, number: i64, answer: LeaseAnswer) {
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
        let senders: Vec<SessionId> = p.senders.keys().copied().collect();
        for session in senders {
            self.note(0, p.daemon, p.id, Arrival::SenderDue(session));
        }
        self.note(0, p.daemon, p.id, Arrival::RosterDue);
    }
}
