//! WhatsApp's side: sockets, QR codes, scans, links and logins.

use std::time::Duration;

use super::{
    super::{
        daemon::{Arrival, Process},
        referee::Rule,
        whatsapp::{Device, SessionId, SessionModel, SessionStage, number},
    },
    Due, World,
};
use crate::domain::{CloseReason, Group, GroupsError, Purpose, Secret, SessionEvent, UnlinkAnswer};

/// The same QR is shown for so long.
const QR: i64 = 20_000;
const QRS: u32 = 5;
/// A phone waits so long for the confirmation of a link: longer than any lease.
const CONFIRMED_WITHIN: i64 = 30_000;

impl World {
    /// Delivers a connection's event to its daemon.
    pub fn speak(&mut self, id: SessionId, event: SessionEvent) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let (daemon, process, life) = (session.daemon, session.process, session.life);
        let way = self.dice.spread(1, 60);
        self.note(way, daemon, process, Arrival::Session(life, id, Box::new(event)));
    }

    /// The connection's turn has come.
    pub fn dial(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        if session.is_left || session.stage != SessionStage::Waiting {
            return;
        }
        session.stage = SessionStage::Dialled;
        let way = self.dice.spread(5, 300);
        let due = match session.purpose {
            Purpose::Login | Purpose::Unlink => Due::LogIn(id),
            Purpose::Pair { .. } => Due::ShowQr(id, 1),
        };
        let (account, process, fence, daemon) = (session.account, session.process, session.fence, session.daemon);
        let is_login = matches!(session.purpose, Purpose::Login | Purpose::Unlink);
        let now = self.database_now();
        if is_login && let Some(row) = self.model.accounts.get(&account) {
            let another = row.owner.filter(|owner| *owner != process && self.model.is_live(*owner, now));
            if another.is_some() && !self.could_not_know(id) {
                let owner = row.record.fence;
                self.referee.object(Rule::OwnersDial, || {
                    format!("d{daemon} dials {account} under {fence:?}, and another has it under {owner:?}")
                });
            }
        }
        self.after(way, due);
        self.speak(id, SessionEvent::Dialing);
    }

    pub(super) fn log_in(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id).cloned() else { return };
        if session.stage != SessionStage::Dialled {
            return;
        }
        let keyring = session.keyring;
        if self.now < self.whatsapp.busy_until {
            return self.hang_up_with(id, CloseReason::ServerBusy("503".to_owned()));
        }
        if !self.whatsapp.is_listed(keyring) {
            return self.hang_up_with(id, CloseReason::NotAuthorized("401".to_owned()));
        }
        if let Some(former) = self.whatsapp.live.get(&keyring).copied() {
            self.on_replaced(former, id, &session);
            self.hang_up_with(former, CloseReason::Replaced("conflict".to_owned()));
        }
        self.whatsapp.live.insert(keyring, id);
        self.open(id);
    }

    fn open(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        session.stage = SessionStage::Open;
        let device = self.whatsapp.devices.get(&session.keyring);
        let phone = device.and_then(|device| number(device.phone));
        let device_jid = device.map(|device| format!("{}:{}@s.whatsapp.net", device.phone, session.keyring));
        self.speak(id, SessionEvent::Open { phone, device_jid });
        let way = self.message_dice.spread(60, 2_000);
        self.after(way, Due::SayWhatWasKept(id));
    }

    /// Its monotonic clock stood still, and it was not renewed since.
    fn is_unsure(&self, daemon: usize) -> bool {
        self.daemons.get(daemon).is_some_and(|of| of.renewed_at < of.clocks_stood_until)
    }

    /// The daemon asked whose the account is, and was stopped since, or knows no better how
    /// long its lease lasts.
    fn could_not_know(&self, id: SessionId) -> bool {
        self.whatsapp.sessions.get(&id).is_some_and(|session| {
            let resumed_at = self.daemons.get(session.daemon).map_or(0, |of| of.resumed_at);
            resumed_at > session.since || (session.is_asked && self.is_unsure(session.daemon))
        })
    }

    fn on_replaced(&mut self, former: SessionId, id: SessionId, by: &SessionModel) {
        let Some(former) = self.whatsapp.sessions.get(&former) else { return };
        if former.is_left {
            return;
        }
        let (theirs, ours) = (former.daemon, by.daemon);
        let Some(of) = self.daemons.get(theirs) else { return };
        let keyring = by.keyring;
        if former.process == by.process {
            if !former.is_closing {
                self.referee.object(Rule::OneConnection, || format!("d{ours} connects twice with keyring {keyring}"));
            }
            return;
        }
        // A process that is, or was just now, stopped cannot know that it is no longer the owner.
        let is_excused =
            of.is_stopped || self.now - of.resumed_at < 1_000 || self.is_unsure(theirs) || self.could_not_know(id);
        if is_excused {
            self.thrown_out.insert(by.account);
        } else {
            self.referee.object(Rule::NobodyFights, || format!("d{ours} throws out d{theirs}, keyring {keyring}"));
        }
    }

    pub fn hang_up_with(&mut self, id: SessionId, reason: CloseReason) {
        self.whatsapp.hang_up(id);
        self.speak(id, SessionEvent::Ended { reason });
    }

    pub(super) fn show_qr(&mut self, id: SessionId, nth: u32) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        match session.stage {
            SessionStage::Dialled => {}
            SessionStage::Shows(shown) if shown + 1 == nth => {}
            _ => return,
        }
        if nth > QRS {
            return self.hang_up_with(id, CloseReason::QrExhausted);
        }
        session.stage = SessionStage::Shows(nth);
        let expires_at = self.database_now().after(Duration::from_secs(20));
        self.speak(id, SessionEvent::Qr { payload: Secret::new(format!("{id}/{nth}")), expires_at });
        self.after(QR, Due::ShowQr(id, nth + 1));
    }

    pub(super) fn scan(&mut self, phone: usize, account: usize, until: i64) {
        let shown =
            self.accounts.get(account).and_then(|id| self.model.accounts.get(id)).and_then(|row| row.qr.clone());
        let session = shown.as_ref().and_then(|qr| {
            let (id, nth) = qr.expose().split_once('/')?;
            let id: SessionId = id.parse().ok()?;
            let stage = self.whatsapp.sessions.get(&id)?.stage;
            (stage == SessionStage::Shows(nth.parse().ok()?)).then_some(id)
        });
        let Some(id) = session else {
            if self.now < until {
                self.after(400, Due::Scan { phone, account, until });
            }
            return;
        };
        let (Some(session), Some(phone_number)) = (self.whatsapp.sessions.get_mut(&id), number(phone)) else { return };
        session.stage = SessionStage::Scanned(phone, self.now);
        let device_jid = format!("{phone}:{}@s.whatsapp.net", session.keyring);
        self.tell(|| format!("phone {phone} scans a{account}"));
        self.speak(id, SessionEvent::Scanned { phone: phone_number, device_jid });
    }

    /// The daemon lets the link come about.
    pub fn send_confirmation(&mut self, p: &Process, id: SessionId) {
        let now = self.database_now();
        let session = self.whatsapp.sessions.get(&id);
        let row = session.and_then(|session| self.model.accounts.get(&session.account));
        let another = row.and_then(|row| row.owner).filter(|owner| *owner != p.id && self.model.is_live(*owner, now));
        let lost_time = self.daemons.get(p.daemon).map_or(0, |of| of.lost_time);
        let could_know = session.is_some_and(|session| session.lost_time == lost_time) && !self.is_unsure(p.daemon);
        if another.is_some() && could_know {
            let daemon = p.daemon;
            self.referee.object(Rule::OwnersConfirm, || format!("d{daemon} confirms a link of another's account"));
        } else if another.is_some() {
            // A daemon cannot notice that its clocks stood still. This does not leave an orphaned
            // entry on the phone only because phones do not wait for so long.
            return self.hang_up_with(id, CloseReason::SocketLost("the phone has given up".to_owned()));
        }
        let way = self.dice.spread(1, 60);
        self.after(way, Due::Confirm(id));
    }

    pub(super) fn confirm(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let SessionStage::Scanned(phone, since) = session.stage else { return };
        if session.is_refused {
            return;
        }
        if self.now - since > CONFIRMED_WITHIN {
            return self.hang_up_with(id, CloseReason::SocketLost("the phone has given up".to_owned()));
        }
        let keyring = session.keyring;
        self.whatsapp.devices.insert(keyring, Device { phone, is_listed: true });
        self.tell(|| format!("phone {phone} lists {keyring}"));
        if self.dice.chance(10) {
            return self.hang_up_with(id, CloseReason::SocketLost("after the link".to_owned()));
        }
        self.whatsapp.live.insert(keyring, id);
        self.open(id);
    }

    pub fn send_unlink(&mut self, id: SessionId) {
        let way = self.dice.spread(20, 600);
        self.after(way, Due::Unlink(id));
    }

    pub(super) fn unlink(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id).cloned() else { return };
        let answer = if session.stage != SessionStage::Open || self.now < self.whatsapp.busy_until {
            UnlinkAnswer::Unknown("no answer".to_owned())
        } else {
            if let Some(device) = self.whatsapp.devices.get_mut(&session.keyring) {
                device.is_listed = false;
            }
            self.whatsapp.hang_up(id);
            if self.dice.chance(15) {
                UnlinkAnswer::Unknown("the answer was lost".to_owned())
            } else {
                UnlinkAnswer::Gone("removed".to_owned())
            }
        };
        let way = self.dice.spread(1, 60);
        self.note(way, session.daemon, session.process, Arrival::Unlinked(session.life, session.incarnation, answer));
    }

    /// WhatsApp hears of a close or a cut so much later.
    pub fn send_hang_up(&mut self, id: SessionId, ms: i64) {
        self.after(ms, Due::HangUp(id));
    }

    pub fn groups(&mut self) -> Result<Vec<Group>, GroupsError> {
        if self.now < self.whatsapp.busy_until {
            return Err(GroupsError::Failed("no answer".to_owned()));
        }
        Ok(vec![Group { jid: "1@g.us".to_owned(), subject: "one".to_owned(), participants: 2, is_admin: false }])
    }
}
