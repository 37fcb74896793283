//! The connections that actors open, and the keys that these write.

use super::{
    super::{
        daemon::{Arrival, AskedFor, Process},
        model::{Statement, StatementAnswer},
        whatsapp::{Keys, LifeId, SessionId, SessionModel, SessionStage},
        world::World,
    },
    Life, LifeAsk, Opening,
};
use crate::{
    account::{author::Answer as OfAccount, lifecycle::Input},
    domain::{AccountId, Fence, Incarnation, KeyringId, Purpose, SessionEvent, StoreError},
    unlink::saga,
};

impl World {
    /// How long it takes.
    pub(super) fn close(&mut self, id: SessionId) -> i64 {
        let ms = if self.dice.chance(12) { self.dice.between(8_000, 14_000) } else { self.dice.spread(10, 600) };
        if let Some(session) = self.whatsapp.sessions.get_mut(&id) {
            session.is_closing = true;
        }
        self.send_hang_up(id, ms);
        ms
    }

    pub(super) fn cut(&mut self, id: SessionId) -> i64 {
        if let Some(session) = self.whatsapp.sessions.get_mut(&id) {
            session.is_left = true;
            session.is_closing = true;
        }
        let way = self.dice.spread(1, 50);
        self.send_hang_up(id, way);
        1
    }

    pub(super) fn open_session(&mut self, p: &mut Process, id: LifeId, life: &mut Life, opening: Opening) {
        let (account, fence) = (life.account, life.desk.work().life().record().fence);
        if opening.purpose == Purpose::Login {
            let statement = self.open_keyring(p, account, fence, opening.keyring);
            self.life_ask(p, id, life, statement, LifeAsk::Keyring(opening));
        } else {
            self.begin_session(p, id, life, (account, fence), opening, None);
        }
    }

    pub(super) fn open_keyring(
        &mut self,
        p: &Process,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
    ) -> Statement {
        self.openings += 1;
        Statement::OpenKeyring { process: p.id, account, fence, keyring, opening: self.openings }
    }

    pub(super) fn begin_session(
        &mut self,
        p: &Process,
        id: LifeId,
        life: &mut Life,
        of: (AccountId, Fence),
        opening: Opening,
        epoch: Option<i64>,
    ) {
        let incarnation = opening.incarnation;
        let session = self.new_session(p, id, of, opening, epoch);
        life.session = Some((incarnation, session));
        life.desk.on_answer(OfAccount::Opened(incarnation, Ok(())), self.clock(p));
    }

    pub(super) fn new_session(
        &mut self,
        p: &Process,
        life: LifeId,
        (account, fence): (AccountId, Fence),
        opening: Opening,
        epoch: Option<i64>,
    ) -> SessionId {
        let session = self.whatsapp.add(SessionModel {
            daemon: p.daemon,
            process: p.id,
            life,
            account,
            fence,
            incarnation: opening.incarnation,
            keyring: opening.keyring,
            purpose: opening.purpose,
            stage: SessionStage::Waiting,
            keys: epoch.map(|epoch| Keys { epoch, failed: false }),
            is_left: false,
            is_refused: false,
            is_closing: false,
            since: opening.since,
            is_asked: opening.is_asked,
            lost_time: self.daemons.get(p.daemon).map_or(0, |of| of.lost_time),
            was_told_all: false,
            is_drained: false,
            says_at: 0,
            hears_at: 0,
        });
        let turn = if self.dice.chance(10) { self.dice.spread(500, 5_000) } else { self.dice.spread(1, 50) };
        self.note(turn, p.daemon, p.id, Arrival::Dial(session));
        session
    }

    pub fn on_session(&mut self, p: &mut Process, life: LifeId, id: SessionId, event: SessionEvent) {
        let Some(session) = self.whatsapp.sessions.get(&id).filter(|session| !session.is_left) else { return };
        let incarnation = session.incarnation;
        if matches!(event, SessionEvent::Open { .. }) {
            let soon = self.dice.spread(20, 400);
            self.note(soon, p.daemon, p.id, Arrival::PutKeys(id));
            self.begin_sending(p, id);
        } else if matches!(event, SessionEvent::Ended { .. }) {
            p.senders.remove(&id);
        }
        if p.lives.contains_key(&life) {
            self.input(p, life, Input::Session(incarnation, event));
        } else {
            self.ticket_input(p, life, saga::Input::Session(incarnation, event));
        }
    }

    pub fn on_closed(&mut self, p: &mut Process, id: LifeId, incarnation: Incarnation, session: SessionId) {
        if let Some(session) = self.whatsapp.sessions.get_mut(&session) {
            session.is_left = true;
        }
        if let Some(life) = p.lives.get_mut(&id) {
            life.session.take_if(|(live, _)| *live == incarnation);
            self.input(p, id, Input::SessionClosed(incarnation));
        } else if let Some(life) = p.ticket_lives.get_mut(&id) {
            life.session.take_if(|(live, _)| *live == incarnation);
            self.ticket_input(p, id, saga::Input::SessionClosed(incarnation));
        }
    }

    /// A connection writes what came of a message.
    pub fn put_keys(&mut self, p: &mut Process, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let is_writing = session.stage == SessionStage::Open && !session.is_left;
        let Some(keys) = session.keys.filter(|keys| is_writing && !keys.failed) else { return };
        // One write after the other.
        let statement = Statement::PutCredentials {
            process: p.id,
            account: session.account,
            fence: session.fence,
            keyring: session.keyring,
            epoch: keys.epoch,
            counter: self.fresh_stamp(),
        };
        self.ask(p, statement, AskedFor::Put(id));
    }

    /// A write that was not done, or whose outcome is not known, fails the keyring for good,
    /// and its connection with it.
    pub fn on_put(&mut self, p: &Process, id: SessionId, answer: &Result<StatementAnswer, StoreError>) {
        if matches!(answer, Ok(StatementAnswer::Put { written: true, .. })) {
            let next = self.dice.between(1_000, 12_000);
            return self.note(next, p.daemon, p.id, Arrival::PutKeys(id));
        }
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        if let Some(keys) = &mut session.keys {
            keys.failed = true;
        }
        if !session.is_left && session.stage != SessionStage::Over {
            self.hang_up_with(id, crate::domain::CloseReason::StoreFailed("keys".to_owned()));
        }
    }
}
