//! WhatsApp's side of messages, the phones of their recipients, and the web apps that send them.

use super::{
    super::{
        daemon::{Arrival, MailWord},
        model::NewMessage,
        schedule::ActKind,
        schedule_messages::AskedMessage,
        whatsapp::{SentFrame, SessionId, SessionStage},
    },
    Act, Due, World,
};
use crate::domain::{AccountId, CloseReason, Instant, KeyringId, MessageId, Party, Receipt, ReceiptKind};

/// A web app tries again so long after it got no answer.
const TRIES_AGAIN: i64 = 1_000;

/// A receipt on its way from a phone.
#[derive(Clone, Debug)]
pub(super) struct PhoneReceipt {
    keyring: KeyringId,
    chat: String,
    wa_id: String,
    kind: ReceiptKind,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameFate {
    Acked,
    AckLost,
    CutBehind,
    CutBefore,
    Dropped,
    Refused(u16),
}

impl World {
    /// A web app sends a message, and perhaps again, since it did not hear the answer.
    pub(super) fn send_message(&mut self, asked: AskedMessage) {
        let Some(account) = self.accounts.get(asked.account).copied() else { return };
        if self.now < self.away_until {
            return self.after(TRIES_AGAIN, Due::Act(Act { at: 0, what: ActKind::Send(asked) }));
        }
        let now = self.database_now();
        let at = |ms: i64| Instant(now.0 + ms);
        let new = NewMessage {
            account,
            chat: chat_name(asked.chat),
            body: format!("text {}", asked.text),
            key: asked.key.map(|key| format!("key {key}")),
            not_before: asked.later.map(at),
            expires_at: asked.expires.map(at),
            wa_id: format!("3EB0{:020X}", self.message_dice.wide() >> 48),
        };
        let sent = self.model.send_message(new, now);
        self.tell(|| format!("  message {:?} of a{} to chat {}", sent.map(|id| id.0), asked.account, asked.chat));
        self.referee.messages.on_web_app(&self.model, None);
        self.ring_for_messages(account);
        if let Some(ms) = asked.again {
            let asked = AskedMessage { again: None, ..asked };
            self.after(ms, Due::Act(Act { at: 0, what: ActKind::Send(asked) }));
        }
    }

    /// Of the account's messages, the nth from the last.
    pub(super) fn cancel_message(&mut self, account: usize, nth: usize) {
        let Some(account) = self.accounts.get(account).copied().filter(|_| self.now >= self.away_until) else { return };
        let of = self.model.messages.iter().filter(|(_, row)| row.account == account).map(|(id, _)| *id);
        let of: Vec<MessageId> = of.collect();
        let Some(id) = of.iter().rev().nth(nth).copied() else { return };
        let is_cancelled = self.model.cancel_message(id);
        self.tell(|| format!("  message {} is cancelled: {is_cancelled}", id.0));
        self.referee.messages.on_web_app(&self.model, Some(id));
    }

    fn ring_for_messages(&mut self, account: AccountId) {
        for daemon in 0..self.daemons.len() {
            let way = self.message_dice.spread(1, 20);
            let Some(of) = self.daemons.get(daemon).filter(|of| of.deaf_until <= self.now) else { continue };
            if let Some(process) = of.present {
                self.note(way, daemon, process, Arrival::Bell(account));
            }
        }
    }

    /// WhatsApp says it on the connection, after what it said before.
    fn say(&mut self, id: SessionId, word: MailWord) {
        let way = self.message_dice.spread(1, 200);
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        session.says_at = session.says_at.max(self.now + way);
        let (daemon, process, way) = (session.daemon, session.process, session.says_at - self.now);
        self.note(way, daemon, process, Arrival::Mail(id, word));
    }

    /// After a login: what was kept for the device, and that this was all.
    pub(super) fn say_what_was_kept(&mut self, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        if session.stage != SessionStage::Open {
            return;
        }
        session.was_told_all = true;
        let kept = self.whatsapp.mail.get(&session.keyring).cloned().unwrap_or_default();
        for (mail, receipt) in kept {
            self.say(id, MailWord::Received(mail, receipt));
        }
        self.say(id, MailWord::Drained);
    }

    /// The device has them, in a while: WhatsApp forgets them if it hears that.
    pub fn acknowledge_mail(&mut self, id: SessionId, written: Vec<u64>) {
        let way = self.message_dice.spread(1, 100);
        self.after(way, Due::MailRead(id, written));
    }

    pub(super) fn forget_mail(&mut self, id: SessionId, read: &[u64]) {
        let Some(session) = self.whatsapp.sessions.get(&id).filter(|of| of.stage == SessionStage::Open) else { return };
        if let Some(kept) = self.whatsapp.mail.get_mut(&session.keyring) {
            kept.retain(|mail, _| !read.contains(mail));
        }
    }

    /// A frame leaves, behind those that left before.
    pub fn send_frame(&mut self, id: SessionId, way: i64, frame: SentFrame) {
        let Some(session) = self.whatsapp.sessions.get_mut(&id) else { return };
        session.hears_at = session.hears_at.max(self.now + way);
        let way = session.hears_at - self.now;
        self.after(way, Due::Frame(id, Box::new(frame)));
    }

    pub(super) fn on_frame(&mut self, id: SessionId, frame: &SentFrame) {
        let Some(session) = self.whatsapp.sessions.get(&id) else { return };
        let keyring = session.keyring;
        if session.stage != SessionStage::Open || self.whatsapp.live.get(&keyring) != Some(&id) {
            return self.tell(|| format!("message {} goes into the void", frame.message.0));
        }
        let fate = self.fate_of(frame);
        self.tell(|| {
            let reach = if frame.is_reached { "" } else { ", for nobody" };
            format!("WhatsApp, message {}{reach}: {fate:?}", frame.message.0)
        });
        if matches!(fate, FrameFate::Acked | FrameFate::AckLost | FrameFate::CutBehind) {
            self.accept(keyring, frame);
        }
        match fate {
            FrameFate::Acked => {
                self.referee.messages.on_acknowledged(frame);
                let at = self.database_now();
                self.say(id, MailWord::Acked(frame.wa_id.clone(), at));
            }
            FrameFate::CutBehind | FrameFate::CutBefore => {
                self.hang_up_with(id, CloseReason::SocketLost("cut at a message".to_owned()));
            }
            FrameFate::Refused(code) => self.say(id, MailWord::Refused(frame.wa_id.clone(), code)),
            FrameFate::AckLost | FrameFate::Dropped => {}
        }
    }

    fn fate_of(&mut self, frame: &SentFrame) -> FrameFate {
        let is_known = self.whatsapp.accepted.contains_key(&frame.wa_id);
        if self.now < self.whatsapp.busy_until {
            return FrameFate::Refused(503);
        }
        if self.whatsapp.is_calm {
            return FrameFate::Acked;
        }
        match self.message_dice.below(50) {
            0..=3 => FrameFate::AckLost,
            4..=6 => FrameFate::CutBehind,
            7..=9 => FrameFate::CutBefore,
            10 | 11 => FrameFate::Dropped,
            12..=14 => FrameFate::Refused(429),
            // A message that it has is refused no more for what it is.
            15 if !is_known => FrameFate::Refused(400),
            16 | 17 if !is_known && frame.is_new_chat => FrameFate::Refused(463),
            _ => FrameFate::Acked,
        }
    }

    /// WhatsApp has it, and delivers it unless it had it before.
    fn accept(&mut self, keyring: KeyringId, frame: &SentFrame) {
        let is_shown = self.whatsapp.accepted.entry(frame.wa_id.clone()).or_insert(false);
        if !frame.is_reached {
            return;
        }
        let was_shown = std::mem::replace(is_shown, true);
        self.referee.messages.on_accepted(frame, &self.model);
        if was_shown {
            return;
        }
        self.referee.messages.on_shown(frame, &self.model);
        if self.message_dice.chance(70) {
            let way = self.message_dice.spread(20, 20_000);
            let kind = ReceiptKind::Delivered;
            let (chat, wa_id) = (frame.chat.clone(), frame.wa_id.clone());
            let receipt = PhoneReceipt { keyring, chat, wa_id, kind };
            if self.message_dice.chance(30) {
                let receipt = PhoneReceipt { kind: ReceiptKind::Read, ..receipt.clone() };
                self.after(way * 2, Due::PhoneReceipt(receipt));
            }
            self.after(way, Due::PhoneReceipt(receipt));
        }
    }

    /// It is kept for the device until that has it.
    pub(super) fn on_phone_receipt(&mut self, receipt: PhoneReceipt) {
        let PhoneReceipt { keyring, chat, wa_id, kind } = receipt;
        if !self.whatsapp.is_listed(keyring) {
            return;
        }
        let by = if chat.ends_with("@g.us") { "99@lid".to_owned() } else { chat.clone() };
        let party = |jid: String| Party { jid, phone: None };
        let receipt =
            Receipt { chat: party(chat), by: party(by), wa_ids: vec![wa_id.clone()], kind, at: self.database_now() };
        self.referee.messages.on_receipt(wa_id);
        self.whatsapp.last_mail += 1;
        let mail = self.whatsapp.last_mail;
        self.whatsapp.mail.entry(keyring).or_default().insert(mail, receipt.clone());
        let live = self.whatsapp.live.get(&keyring).copied();
        let is_told = |id: &SessionId| self.whatsapp.sessions.get(id).is_some_and(|session| session.was_told_all);
        if let Some(id) = live.filter(is_told) {
            self.say(id, MailWord::Received(mail, receipt));
        }
    }
}

/// Two groups, and people.
fn chat_name(nth: usize) -> String {
    if nth < 2 { format!("{nth}@g.us") } else { format!("{nth}@lid") }
}
