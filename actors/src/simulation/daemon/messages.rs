//! What a connection sends, in virtual time: what `src/whatsapp/connection/courier.rs` and
//! `receipts.rs` of the daemon do around the machine of [`crate::outgoing`], in the same order.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    super::{
        flaws::Flaw,
        model::{SendingLink, Statement, StatementAnswer},
        referee::Rule,
        whatsapp::{MailId, SentFrame, SessionId, SessionStage},
        world::World,
    },
    Arrival, AskedFor, Process, TICK,
};
use crate::{
    domain::{
        AccountId, CloseReason, Instant, MessageId, OutgoingMessage, Purpose, Receipt, SendOutcome, StoreError,
        TakenMessages,
    },
    machine,
    outgoing::{Effect, EndCause, Input, NotSent, Outgoing},
};

/// How long a write of receipts is repeated, and the pause before.
const RECEIPTS_TIMEOUT: i64 = 10_000;
const RECEIPTS_RETRY: i64 = 250;

/// The shell of what one connection sends.
#[derive(Debug)]
pub struct SessionSender {
    machine: Outgoing,
    link: SendingLink,
    connection: Uuid,
    sends: BTreeMap<MessageId, UnderWay>,
    due_at: Option<i64>,
    /// Receipts that are not written yet.
    receipts: Vec<(MailId, Receipt)>,
    /// How many of them are being written, and until when that is tried.
    writes: Option<(usize, i64)>,
    /// Frames that wait until they are written.
    frames: Vec<(MessageId, u64)>,
}

/// A message that is being sent.
#[derive(Debug)]
struct UnderWay {
    message: OutgoingMessage,
    /// Identifies this try.
    nth: u64,
    stage: TryStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TryStage {
    /// The library is at work.
    Composing,
    Left,
    /// It was not sent.
    Over,
}

/// What the library does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryWord {
    /// It is encrypted, and to leave.
    Composed,
    /// It has left; whether for a device of the recipient.
    Left(bool),
    NotSent(NotSent),
    /// It was told to stop.
    Stopped,
}

/// What WhatsApp says on a connection besides how it ends.
#[derive(Clone, Debug)]
pub enum MailWord {
    /// What it kept for the device has been said.
    Drained,
    Acked(String, Instant),
    Refused(String, u16),
    Received(MailId, Receipt),
}

/// A request of a connection to the database.
#[derive(Clone, Copy, Debug)]
pub enum SenderAsk {
    Take,
    Settle,
    Receipts,
}

impl World {
    /// The connection is logged in.
    pub fn begin_sending(&mut self, p: &mut Process, id: SessionId) {
        let Some(session) = self.whatsapp.sessions.get(&id).filter(|session| session.purpose != Purpose::Unlink) else {
            return;
        };
        // Fresh keys are those of the first epoch.
        let epoch = session.keys.map_or(1, |keys| keys.epoch);
        let link = SendingLink { account: session.account, fence: session.fence, keyring: session.keyring, epoch };
        let machine = Outgoing::new(self.outgoing_policy.clone(), self.message_dice.wide());
        let connection = Uuid::from_u128(self.message_dice.wide());
        self.referee.messages.on_connection(connection);
        let sender = SessionSender {
            machine,
            link,
            connection,
            sends: BTreeMap::new(),
            due_at: None,
            receipts: Vec::new(),
            writes: None,
            frames: Vec::new(),
        };
        p.senders.insert(id, sender);
        if self.flaw == Some(Flaw::SendsUnread) {
            self.feed(p, id, Input::Ready);
        }
    }

    fn is_sending(&self, id: SessionId) -> bool {
        self.whatsapp.sessions.get(&id).is_some_and(|session| !session.is_left && !session.is_closing)
    }

    pub(super) fn feed(&mut self, p: &mut Process, id: SessionId, input: Input) {
        let now = self.clock(p);
        // With its connection it ends.
        let Some(mut sender) = p.senders.remove(&id).filter(|_| self.is_sending(id)) else { return };
        let stepped = machine::step(&mut sender.machine, input, now);
        for effect in stepped.effects {
            self.carry_out_sending(p, id, &mut sender, effect);
        }
        let machine = &sender.machine;
        sender.sends.retain(|message, _| machine.holds(*message));
        self.arm_sender(p, id, &mut sender);
        p.senders.insert(id, sender);
    }

    fn arm_sender(&mut self, p: &Process, id: SessionId, sender: &mut SessionSender) {
        let Some(due) = sender.machine.deadline() else { return };
        let mono = self.mono(p.daemon);
        let at = mono + due.0.saturating_sub(self.clock(p).0).max(0);
        if sender.due_at.is_none_or(|armed| at < armed || armed < mono) {
            sender.due_at = Some(at);
            self.note(at - mono, p.daemon, p.id, Arrival::SenderDue(id));
        }
    }

    pub(super) fn on_sender_due(&mut self, p: &mut Process, id: SessionId) {
        let now = self.clock(p);
        let Some(mut sender) = p.senders.remove(&id) else { return };
        sender.due_at = None;
        let is_due = sender.machine.deadline().is_some_and(|due| due <= now);
        if !is_due {
            self.arm_sender(p, id, &mut sender);
        }
        p.senders.insert(id, sender);
        if is_due {
            self.feed(p, id, Input::Deadline);
        }
    }

    fn carry_out_sending(&mut self, p: &Process, id: SessionId, sender: &mut SessionSender, effect: Effect) {
        let (process, link, connection) = (p.id, sender.link, sender.connection);
        match effect {
            Effect::Take { held, room } => {
                if room > 0 {
                    self.object_unless_ready(p, id, "takes messages");
                }
                let statement = Statement::TakeMessages { process, link, connection, held, room };
                self.ask(p, statement, AskedFor::Sender(id, SenderAsk::Take));
            }
            Effect::Settle(outcomes) => {
                let statement = Statement::SettleMessages { process, link, connection, outcomes };
                self.ask(p, statement, AskedFor::Sender(id, SenderAsk::Settle));
            }
            Effect::Send(message) => self.compose(p, id, sender, *message),
            Effect::Stop(message) => {
                if let Some(nth) = sender.sends.get(&message).map(|send| send.nth) {
                    let way = self.message_dice.between(0, 5);
                    self.note(way, p.daemon, p.id, Arrival::Library(id, message, nth, LibraryWord::Stopped));
                }
            }
            Effect::EndConnection(EndCause::NotAcknowledged) => {
                self.end_connection(id, CloseReason::SocketLost("a message was not acknowledged".to_owned()));
            }
            Effect::EndConnection(EndCause::NotOurs) => {
                self.end_connection(id, CloseReason::StoreFailed("messages can no longer be taken".to_owned()));
            }
        }
    }

    fn end_connection(&mut self, id: SessionId, reason: CloseReason) {
        let is_there = |stage: SessionStage| stage != SessionStage::Over;
        if self.is_sending(id) && self.whatsapp.sessions.get(&id).is_some_and(|session| is_there(session.stage)) {
            self.hang_up_with(id, reason);
        }
    }

    fn object_unless_ready(&mut self, p: &Process, id: SessionId, what: &str) {
        let is_ready = self.whatsapp.sessions.get(&id).is_some_and(|session| session.is_drained && !session.is_left);
        if !is_ready {
            let daemon = p.daemon;
            self.referee.object(Rule::NothingLeavesUnread, || {
                format!("d{daemon} {what} on connection {id}, which has not read what WhatsApp kept for it")
            });
        }
    }

    /// The library takes its time, fails or hangs.
    fn compose(&mut self, p: &Process, id: SessionId, sender: &mut SessionSender, message: OutgoingMessage) {
        self.last_try += 1;
        let nth = self.last_try;
        let is_calm = self.whatsapp.is_calm;
        let dice = &mut self.message_dice;
        let (word, way) = match dice.below(50) {
            0..=3 if !is_calm => (Some(LibraryWord::Composed), dice.spread(1_000, 20_000)),
            4 if !is_calm => (None, 0),
            5 | 6 if !is_calm => (Some(LibraryWord::NotSent(NotSent::Failed)), dice.spread(5, 8_000)),
            7 if message.is_new_chat && !is_calm => (Some(LibraryWord::NotSent(NotSent::NobodyThere)), 50),
            _ => (Some(LibraryWord::Composed), dice.spread(5, 300)),
        };
        if let Some(word) = word {
            self.note(way, p.daemon, p.id, Arrival::Library(id, message.id, nth, word));
        }
        sender.sends.insert(message.id, UnderWay { message, nth, stage: TryStage::Composing });
    }

    pub(super) fn on_library(
        &mut self,
        p: &mut Process,
        id: SessionId,
        (message, nth): (MessageId, u64),
        word: LibraryWord,
    ) {
        let Some(sender) = p.senders.get_mut(&id).filter(|_| self.is_sending(id)) else { return };
        let must_wait = !sender.receipts.is_empty();
        let Some(send) = sender.sends.get_mut(&message).filter(|send| send.nth == nth) else { return };
        match (word, send.stage) {
            (LibraryWord::Left(is_reached), TryStage::Left) => {
                self.feed(p, id, Input::Wired { id: message, is_reached });
            }
            (LibraryWord::Composed, TryStage::Composing) => {
                let is_over = self.whatsapp.sessions.get(&id).is_none_or(|of| of.stage != SessionStage::Open);
                if is_over && self.message_dice.chance(50) {
                    send.stage = TryStage::Over;
                    self.feed(p, id, Input::NotSent { id: message, why: NotSent::Disconnected });
                } else if must_wait {
                    sender.frames.push((message, nth));
                } else {
                    self.leave(p, id, message);
                }
            }
            (LibraryWord::NotSent(why), TryStage::Composing) => {
                send.stage = TryStage::Over;
                self.feed(p, id, Input::NotSent { id: message, why });
            }
            (LibraryWord::Stopped, TryStage::Composing) => {
                send.stage = TryStage::Over;
                self.feed(p, id, Input::NotSent { id: message, why: NotSent::Failed });
            }
            _ => {}
        }
    }

    /// The frame leaves; what it was addressed to is found out a moment later.
    fn leave(&mut self, p: &mut Process, id: SessionId, message: MessageId) {
        self.object_unless_ready(p, id, "sends");
        let is_reached = self.whatsapp.is_calm || self.message_dice.chance(90);
        let (way, after) = (self.message_dice.spread(1, 200), self.message_dice.between(0, 30));
        let knows_by_try = self.flaw == Some(Flaw::IdsOfTries);
        let Some(sender) = p.senders.get_mut(&id) else { return };
        let Some(send) = sender.sends.get_mut(&message) else { return };
        send.stage = TryStage::Left;
        let wa_id = &send.message.wa_id;
        let frame = SentFrame {
            message,
            account: sender.link.account,
            wa_id: if knows_by_try { format!("{wa_id}{}", send.nth) } else { wa_id.clone() },
            chat: send.message.chat.jid.clone(),
            content: send.message.content.clone(),
            secret: if self.flaw == Some(Flaw::SecretsOfTries) {
                (sender.link.keyring, send.nth)
            } else {
                (sender.link.keyring, 0)
            },
            is_new_chat: send.message.is_new_chat,
            is_reached,
        };
        let nth = send.nth;
        self.send_frame(id, way, frame);
        self.note(after, p.daemon, p.id, Arrival::Library(id, message, nth, LibraryWord::Left(is_reached)));
        if self.flaw == Some(Flaw::SentWhenLeft) {
            let at = self.clock(p);
            self.feed(p, id, Input::Received { id: message, at });
        }
    }

    pub(super) fn on_mail(&mut self, p: &mut Process, id: SessionId, word: MailWord) {
        let Some(sender) = p.senders.get_mut(&id).filter(|_| self.is_sending(id)) else { return };
        let sends = &sender.sends;
        let id_of = |wa_id: &str| sends.iter().find(|(_, send)| send.message.wa_id == wa_id).map(|(id, _)| *id);
        match word {
            MailWord::Drained => {
                if let Some(session) = self.whatsapp.sessions.get_mut(&id) {
                    session.is_drained = true;
                }
                self.feed(p, id, Input::Ready);
            }
            MailWord::Acked(wa_id, at) => {
                if let Some(message) = id_of(&wa_id) {
                    self.feed(p, id, Input::Acked { id: message, at });
                }
            }
            MailWord::Refused(wa_id, code) => {
                if let Some(message) = id_of(&wa_id) {
                    self.feed(p, id, Input::Refused { id: message, code });
                }
            }
            MailWord::Received(mail, receipt) => {
                let at = receipt.at;
                let messages: Vec<MessageId> = receipt.wa_ids.iter().filter_map(|wa_id| id_of(wa_id)).collect();
                sender.receipts.push((mail, receipt));
                self.write_receipts(p, id);
                for message in messages {
                    self.feed(p, id, Input::Received { id: message, at });
                }
            }
        }
    }

    /// Unless a write is under way.
    fn write_receipts(&mut self, p: &mut Process, id: SessionId) {
        let Some(sender) = p.senders.get_mut(&id) else { return };
        if sender.writes.is_some() || sender.receipts.is_empty() {
            return;
        }
        sender.writes = Some((sender.receipts.len(), self.now + RECEIPTS_TIMEOUT));
        self.ask_for_receipts(p, id);
    }

    pub(super) fn ask_for_receipts(&mut self, p: &mut Process, id: SessionId) {
        let Some(sender) = p.senders.get(&id).filter(|_| self.is_sending(id)) else { return };
        let Some((count, _)) = sender.writes else { return };
        let receipts = sender.receipts.iter().take(count).map(|(_, receipt)| receipt.clone()).collect();
        let statement = Statement::RecordReceipts { process: p.id, link: sender.link, receipts };
        self.ask(p, statement, AskedFor::Sender(id, SenderAsk::Receipts));
    }

    fn on_receipts_written(&mut self, p: &mut Process, id: SessionId, answer: Result<(), StoreError>) {
        let Some(sender) = p.senders.get_mut(&id) else { return };
        let Some((count, until)) = sender.writes else { return };
        match answer {
            Ok(()) => {
                sender.writes = None;
                let written: Vec<MailId> = sender.receipts.drain(..count).map(|(mail, _)| mail).collect();
                let frames = if sender.receipts.is_empty() { std::mem::take(&mut sender.frames) } else { Vec::new() };
                self.acknowledge_mail(id, written);
                self.write_receipts(p, id);
                for (message, nth) in frames {
                    self.on_library(p, id, (message, nth), LibraryWord::Composed);
                }
            }
            Err(StoreError::Unavailable(_)) if self.now < until => {
                self.note(RECEIPTS_RETRY, p.daemon, p.id, Arrival::WriteReceipts(id));
            }
            Err(why) => self.end_connection(id, CloseReason::StoreFailed(format!("receipts: {why:?}"))),
        }
    }

    pub(super) fn on_sender_answer(
        &mut self,
        p: &mut Process,
        id: SessionId,
        ask: SenderAsk,
        answer: Result<StatementAnswer, StoreError>,
    ) {
        match ask {
            SenderAsk::Take => {
                let mut taken = taken(answer);
                if let Ok(taken) = &mut taken
                    && self.flaw == Some(Flaw::ForgetsFormerTries)
                {
                    taken.messages.iter_mut().for_each(|message| message.maybe_sent = false);
                }
                self.feed(p, id, Input::Taken(taken));
            }
            SenderAsk::Settle => self.feed(p, id, Input::Settled(told(answer))),
            SenderAsk::Receipts => self.on_receipts_written(p, id, told(answer)),
        }
    }

    /// A bell of that account.
    pub(super) fn on_bell(&mut self, p: &mut Process, account: AccountId) {
        let of = p.senders.iter().filter(|(_, sender)| sender.link.account == account).map(|(id, _)| *id);
        for id in of.collect::<Vec<_>>() {
            self.feed(p, id, Input::Rung);
        }
    }

    /// As `src/daemon/bells.rs` does.
    pub(super) fn look_for_messages(&mut self, p: &Process) {
        self.note(TICK, p.daemon, p.id, Arrival::LookForMessages);
        let is_open = self.model.messages.values().any(|row| row.state.is_open());
        // Otherwise both statements find nothing.
        if is_open || self.model.accounts.values().any(|row| row.sending.paused_until.is_some()) {
            self.ask(p, Statement::SweepMessages, AskedFor::Swept);
        }
    }

    pub(super) fn on_swept(&mut self, p: &Process) {
        self.ask(p, Statement::ListRinging { process: p.id }, AskedFor::Ringing);
    }

    pub(super) fn on_ringing(&mut self, p: &mut Process, answer: Result<StatementAnswer, StoreError>) {
        let Ok(StatementAnswer::Ringing(accounts)) = answer else { return };
        for account in accounts {
            self.on_bell(p, account);
        }
    }
}

fn taken(answer: Result<StatementAnswer, StoreError>) -> Result<TakenMessages, StoreError> {
    match answer? {
        StatementAnswer::Messages(taken) => taken.ok_or(StoreError::Fenced),
        StatementAnswer::Overtaken => Err(StoreError::Overtaken),
        _ => Err(StoreError::Unavailable("another answer".to_owned())),
    }
}

fn told(answer: Result<StatementAnswer, StoreError>) -> Result<(), StoreError> {
    match answer? {
        StatementAnswer::Told(told) => told.map(drop).ok_or(StoreError::Fenced),
        StatementAnswer::Overtaken => Err(StoreError::Overtaken),
        _ => Err(StoreError::Unavailable("another answer".to_owned())),
    }
}

/// For a trace: without contents.
pub fn outcome_names(outcomes: &[(MessageId, SendOutcome)]) -> Vec<String> {
    let name = |outcome: &SendOutcome| match outcome {
        SendOutcome::Sent { .. } => "sent".to_owned(),
        SendOutcome::Again { after } => format!("again in {} ms", after.as_millis()),
        SendOutcome::Failed { reason, code } => format!("failed: {reason} {code:?}"),
    };
    outcomes.iter().map(|(id, outcome)| format!("{} {}", id.0, name(outcome))).collect()
}
