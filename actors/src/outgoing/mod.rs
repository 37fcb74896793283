//! The messages that one connection to WhatsApp sends: which are taken, when, and what came of
//! each.
//!
//! It lives as long as its connection, so nothing is sent off line or by a connection that
//! another has replaced. What it knows is in the rows: a message that a connection leaves behind
//! unsettled is sent again by the next, under the same id. In each chat one message is under way
//! at a time, and the next is taken once it is written what came of it; messages of several
//! chats go side by side, so that one that hangs holds up no other.
//!
//! Only WhatsApp's word says that a message was sent, and only if a device of the recipient was
//! addressed: WhatsApp also acknowledges what nobody can read.
//!
//! The shell is `src/whatsapp/connection/courier.rs` of the daemon.

mod effect;
mod input;
mod pacing;
mod policy;
mod state;

#[cfg(test)]
mod tests;

pub use effect::{Effect, EndCause};
pub use input::{Input, NotSent};
pub use policy::OutgoingPolicy;

use pacing::Pacing;
use state::{End, HeldMessage, SendStage, Wish, Word};

use crate::domain::{Instant, MessageId, OutgoingMessage, Retry, SendFailure, SendOutcome, StoreError, TakenMessages};
use crate::machine::{self, Machine};

/// The codes with which WhatsApp refuses a message that have a meaning of their own.
const TIMELOCKED: u16 = 463;
const BUSY: [u16; 2] = [429, 503];
/// The account is not in the group (403), or there is no such group (404), as whatsmeow names these codes.
const NO_SUCH_GROUP: [u16; 2] = [403, 404];

/// The machine of what one connection sends.
#[derive(Clone, Debug)]
pub struct Outgoing {
    policy: OutgoingPolicy,
    seed: u128,
    is_ready: bool,
    is_over: bool,
    /// Whether the database has said how matters stand.
    is_informed: bool,
    /// When it said so last.
    informed_at: Instant,
    /// From when on it is asked again, though there is no room: the pace may be another.
    refresh_at: Option<Instant>,
    wish: Wish,
    /// A look that is under way, or failed and is due again: with the room that it has.
    look: Option<(u16, Retry)>,
    /// When there may be messages without anybody saying so.
    next_look: Option<Instant>,
    pacing: Pacing,
    held: Vec<HeldMessage>,
    /// A write that is under way, or failed and is due again.
    write: Option<Retry>,
}

type Step = machine::Step<Effect>;

impl Machine for Outgoing {
    type Input = Input;
    type Effect = Effect;

    fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        Outgoing::step(self, input, now)
    }

    fn deadline(&self) -> Option<Instant> {
        Outgoing::deadline(self)
    }

    fn state_name(&self) -> &'static str {
        Outgoing::state_name(self)
    }
}

impl Outgoing {
    pub fn new(policy: OutgoingPolicy, seed: u128) -> Self {
        Self {
            policy,
            seed,
            is_ready: false,
            is_over: false,
            is_informed: false,
            informed_at: Instant(0),
            refresh_at: None,
            wish: Wish::Nothing,
            look: None,
            next_look: None,
            pacing: Pacing::default(),
            held: Vec::new(),
            write: None,
        }
    }

    /// Takes one input, and returns what is to be done about it.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut step = Step::at(now);
        if self.is_over {
            return step.effects;
        }
        match input {
            Input::Ready => self.on_ready(),
            Input::Rung => self.on_rung(now),
            Input::Taken(answer) => self.on_taken(answer, &mut step),
            Input::Settled(answer) => self.on_settled(answer, &mut step),
            Input::Wired { id, is_reached } => self.on_wired(id, is_reached, now),
            Input::Acked { id, at } => self.on_word(id, Word::Acked(at), now),
            Input::Received { id, at } => self.on_word(id, Word::Received(at), now),
            Input::Refused { id, code } => self.on_word(id, Word::Refused(code), now),
            Input::NotSent { id, why } => self.on_not_sent(id, why, now),
            Input::Deadline => self.on_deadline(&mut step),
        }
        self.go_on(&mut step);
        step.effects
    }

    /// When [`Input::Deadline`] is due; asked after each step.
    pub fn deadline(&self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let messages = self.held.iter().filter_map(HeldMessage::deadline);
        let writes = self.write.as_ref().and_then(Retry::due);
        messages.chain(writes).chain(self.look_deadline()).min()
    }

    /// Whether it still waits for what comes of this message.
    pub fn holds(&self, id: MessageId) -> bool {
        self.held.iter().any(|held| held.id == id)
    }

    /// Derived, for logs and the diagram.
    pub fn state_name(&self) -> &'static str {
        if self.is_over {
            "Over"
        } else if !self.is_ready {
            "Starting"
        } else if !self.held.is_empty() {
            "Busy"
        } else if self.look.is_some() {
            "Looking"
        } else if self.wish == Wish::Look {
            "Pacing"
        } else {
            "Idle"
        }
    }

    fn look_deadline(&self) -> Option<Instant> {
        match &self.look {
            _ if !self.is_ready => None,
            Some((_, retry)) => retry.due(),
            None if self.wish == Wish::Look && self.has_place() => {
                let room_at = self.pacing.room_at();
                Some(self.refresh_at.map_or(room_at, |at| at.min(room_at)))
            }
            None => self.next_look,
        }
    }

    fn on_ready(&mut self) {
        if !self.is_ready {
            self.is_ready = true;
            self.wish = Wish::Look;
        }
    }

    /// The bell also rings when the pace is set. While there is no room for long by the pace that is
    /// known, the database is asked, but not each time.
    fn on_rung(&mut self, now: Instant) {
        self.wish = Wish::Look;
        if self.pacing.room_at() > now.after(self.policy.pace_kept) {
            self.refresh_at = Some(now.max(self.informed_at.after(self.policy.pace_kept)));
        }
    }

    fn on_taken(&mut self, answer: Result<TakenMessages, StoreError>, step: &mut Step) {
        let Some((room, retry)) = &mut self.look else { return };
        let taken = match answer {
            Ok(taken) => taken,
            Err(StoreError::Fenced | StoreError::Overtaken) => return self.end(EndCause::NotOurs, step),
            Err(StoreError::Unavailable(_) | StoreError::Refused(_) | StoreError::Poisoned(_)) => {
                retry.on_failed(self.policy.store_pause, self.seed, step.now);
                return self.look_after_late_statement(step.now);
            }
        };
        let room = usize::from(*room);
        self.look = None;
        self.informed_at = step.now;
        self.pacing.learn(taken.pace, taken.recent, !std::mem::replace(&mut self.is_informed, true), step.now);
        let count = taken.messages.len();
        if room > 0 {
            self.pacing.spend(u32::try_from(count).unwrap_or(u32::MAX), step.now);
        }
        if let Some(pause) = taken.next_due {
            self.look_at(step.now.after(pause));
        }
        if self.wish != Wish::Look && taken.has_more {
            // What did not come although there was room waits for its chat.
            self.wish = if count < room { Wish::WhenSettled } else { Wish::Look };
        }
        for message in taken.messages {
            self.hold(message, step);
        }
        if self.wish == Wish::WhenSettled && self.held.is_empty() {
            // HeldMessage by nothing that this connection knows of.
            self.look_at(step.now.after(self.policy.store_pause.cap));
        }
    }

    fn hold(&mut self, message: OutgoingMessage, step: &mut Step) {
        if self.held.iter().any(|held| held.id == message.id) {
            return;
        }
        let (id, attempt) = (message.id, message.attempt);
        let maybe_sent = message.maybe_sent.then(|| Box::new(message.clone()));
        let is_over = message.expires_at.is_some_and(|at| at <= step.now);
        let is_last = !self.policy.sends_again || attempt > self.policy.tries_in_all;
        let failed = match message.maybe_sent {
            // An earlier try may have arrived.
            true if is_over || is_last => Some(SendFailure::NoAck),
            false if is_over => Some(SendFailure::Expired),
            true | false => None,
        };
        let stage = if let Some(reason) = failed {
            SendStage::Done { outcome: SendOutcome::Failed { reason, code: None }, is_being_written: false }
        } else {
            step.order(Effect::Send(Box::new(message)));
            SendStage::Sending { until: step.now.after(self.policy.send_timeout), word: None }
        };
        self.held.push(HeldMessage { id, attempt, maybe_sent, stage });
    }

    fn on_wired(&mut self, id: MessageId, is_reached: bool, now: Instant) {
        let until = now.after(self.policy.ack_timeout);
        let Some(held) = self.held_mut(id) else { return };
        let (SendStage::Sending { word, .. } | SendStage::Stopping { word, .. }) = held.stage else { return };
        held.stage = SendStage::Wired { is_reached, until };
        if let Some(word) = word {
            self.on_word(id, word, now);
        }
    }

    fn on_word(&mut self, id: MessageId, heard: Word, now: Instant) {
        let Some(held) = self.held_mut(id) else { return };
        let is_reached = match &mut held.stage {
            SendStage::Sending { word, .. } | SendStage::Stopping { word, .. } => {
                // That it was received is the last word.
                if word.is_none() || matches!(heard, Word::Received(_)) {
                    *word = Some(heard);
                }
                return;
            }
            SendStage::Wired { is_reached, .. } => *is_reached,
            SendStage::Resting { .. } if matches!(heard, Word::Received(_)) => true,
            SendStage::Resting { .. } | SendStage::Done { .. } => return,
        };
        let end = match heard {
            Word::Refused(code) => End::Refused(code),
            Word::Received(at) => End::Sent(at),
            Word::Acked(at) if is_reached => End::Sent(at),
            Word::Acked(_) => End::Unreached,
        };
        self.conclude(id, end, now);
    }

    fn on_not_sent(&mut self, id: MessageId, why: NotSent, now: Instant) {
        let Some(held) = self.held_mut(id) else { return };
        let end = match held.stage {
            // By an earlier try.
            SendStage::Sending { word: Some(Word::Received(at)), .. }
            | SendStage::Stopping { word: Some(Word::Received(at)), .. } => End::Sent(at),
            SendStage::Sending { .. } | SendStage::Stopping { .. } => End::NotSent(why),
            SendStage::Wired { .. } | SendStage::Resting { .. } | SendStage::Done { .. } => return,
        };
        self.conclude(id, end, now);
    }

    /// The end of a try is known.
    fn conclude(&mut self, id: MessageId, end: End, now: Instant) {
        let (policy, seed) = (self.policy.clone(), self.seed);
        let Some(held) = self.held_mut(id) else { return };
        let attempt = held.attempt;
        let mut outcome = outcome(&policy, seed, attempt, end);
        if held.maybe_sent.is_some() {
            match &mut outcome {
                SendOutcome::Again { after } => {
                    held.stage = SendStage::Resting { until: now.after(*after) };
                    return;
                }
                // This try says nothing of the others.
                SendOutcome::Failed { reason, .. } => *reason = SendFailure::NoAck,
                SendOutcome::Sent { .. } => {}
            }
        }
        held.stage = SendStage::Done { outcome: outcome.clone(), is_being_written: false };
        if let SendOutcome::Again { after } = outcome {
            self.look_at(now.after(after));
        }
    }

    fn on_settled(&mut self, answer: Result<(), StoreError>, step: &mut Step) {
        let Some(write) = &mut self.write else { return };
        match answer {
            Ok(()) => {
                self.write = None;
                let before = self.held.len();
                self.held.retain(|held| !matches!(held.stage, SendStage::Done { is_being_written: true, .. }));
                if self.held.is_empty() {
                    // An idle account costs no memory.
                    self.held = Vec::new();
                }
                if self.held.len() < before && self.wish == Wish::WhenSettled {
                    self.wish = Wish::Look;
                }
            }
            Err(StoreError::Fenced | StoreError::Overtaken) => self.end(EndCause::NotOurs, step),
            Err(StoreError::Unavailable(_) | StoreError::Refused(_) | StoreError::Poisoned(_)) => {
                write.on_failed(self.policy.store_pause, self.seed, step.now);
                // What is given back is not taken again before the lost statement is carried out: that
                // would give it back while it is on the wire.
                for held in &mut self.held {
                    if let SendStage::Done { outcome: SendOutcome::Again { after }, is_being_written: true } =
                        &mut held.stage
                    {
                        *after = (*after).max(self.policy.late_statement);
                    }
                }
            }
        }
    }

    /// A reached deadline always makes progress.
    fn on_deadline(&mut self, step: &mut Step) {
        if let Some(write) = &mut self.write
            && write.begin_if_due(step.now)
        {
            self.write_all(step);
        }
        if let Some((room, retry)) = &mut self.look
            && retry.begin_if_due(step.now)
        {
            let room = *room;
            self.take(room, step);
        }
        if self.is_ready && self.next_look.take_if(|at| *at <= step.now).is_some() {
            self.wish = Wish::Look;
        }
        let overdue = |held: &HeldMessage| held.deadline().is_some_and(|due| due <= step.now);
        let overdue: Vec<MessageId> = self.held.iter().filter(|held| overdue(held)).map(|held| held.id).collect();
        for id in overdue {
            self.on_overdue(id, step);
        }
    }

    fn on_overdue(&mut self, id: MessageId, step: &mut Step) {
        let until = step.now.after(self.policy.ack_timeout);
        let tries = self.policy.tries;
        let Some(held) = self.held_mut(id) else { return };
        match held.stage {
            SendStage::Sending { word, .. } => {
                held.stage = SendStage::Stopping { until, word };
                step.order(Effect::Stop(id));
            }
            // The next connection may hear of it. After the last try there is none to wait for.
            SendStage::Stopping { .. } | SendStage::Wired { .. } if held.attempt < tries => {
                self.end(EndCause::NotAcknowledged, step);
            }
            SendStage::Stopping { .. } | SendStage::Wired { .. } => self.conclude(id, End::NoWord, step.now),
            SendStage::Resting { .. } => self.send_again(id, step),
            SendStage::Done { .. } => {}
        }
    }

    fn send_again(&mut self, id: MessageId, step: &mut Step) {
        let until = step.now.after(self.policy.send_timeout);
        let Some(held) = self.held_mut(id) else { return };
        let Some(message) = &mut held.maybe_sent else { return };
        if message.expires_at.is_some_and(|at| at <= step.now) {
            let outcome = SendOutcome::Failed { reason: SendFailure::NoAck, code: None };
            held.stage = SendStage::Done { outcome, is_being_written: false };
            return;
        }
        held.attempt = held.attempt.saturating_add(1);
        message.attempt = held.attempt;
        held.stage = SendStage::Sending { until, word: None };
        step.order(Effect::Send(message.clone()));
    }

    /// What follows from the state after every input.
    fn go_on(&mut self, step: &mut Step) {
        if self.is_over {
            return;
        }
        if self.write.is_none() && self.held.iter().any(|held| matches!(held.stage, SendStage::Done { .. })) {
            self.write = Some(Retry::default());
            self.write_all(step);
        }
        if self.is_ready && self.look.is_none() && self.wish == Wish::Look {
            let place = self.policy.at_once.saturating_sub(u16::try_from(self.held.len()).unwrap_or(u16::MAX));
            let room = place.min(self.pacing.room(step.now));
            // The pace is not known before the first answer.
            if !self.is_informed {
                self.begin_look(0, step);
            } else if room > 0 {
                self.begin_look(room, step);
            } else if place > 0 && self.refresh_at.is_some_and(|at| at <= step.now) {
                self.begin_look(0, step);
            }
        }
    }

    fn begin_look(&mut self, room: u16, step: &mut Step) {
        self.wish = Wish::Nothing;
        self.refresh_at = None;
        self.look = Some((room, Retry::default()));
        self.take(room, step);
    }

    fn take(&self, room: u16, step: &mut Step) {
        step.order(Effect::Take { held: self.held.iter().map(|held| held.id).collect(), room });
    }

    /// Everything that is known by now.
    fn write_all(&mut self, step: &mut Step) {
        let mut outcomes = Vec::new();
        for held in &mut self.held {
            if let SendStage::Done { outcome, is_being_written } = &mut held.stage {
                *is_being_written = true;
                outcomes.push((held.id, outcome.clone()));
            }
        }
        step.order(Effect::Settle(outcomes));
    }

    fn end(&mut self, cause: EndCause, step: &mut Step) {
        self.is_over = true;
        self.held = Vec::new();
        step.order(Effect::EndConnection(cause));
    }

    fn look_at(&mut self, at: Instant) {
        self.next_look = Some(self.next_look.map_or(at, |other| other.min(at)));
    }

    /// The lost statement may have taken messages, or may yet.
    fn look_after_late_statement(&mut self, now: Instant) {
        self.look_at(now.after(self.policy.late_statement));
    }

    fn has_place(&self) -> bool {
        self.held.len() < usize::from(self.policy.at_once)
    }

    fn held_mut(&mut self, id: MessageId) -> Option<&mut HeldMessage> {
        self.held.iter_mut().find(|held| held.id == id)
    }
}

/// What is written of a try that ended so.
fn outcome(policy: &OutgoingPolicy, seed: u128, attempt: u16, end: End) -> SendOutcome {
    let again = |tries: u16, reason: SendFailure, code: Option<u16>| {
        if attempt < tries {
            SendOutcome::Again { after: policy.pause.wait(u32::from(attempt.saturating_sub(1)), seed) }
        } else {
            SendOutcome::Failed { reason, code }
        }
    };
    let failed = |reason| SendOutcome::Failed { reason, code: None };
    match end {
        End::Sent(at) => SendOutcome::Sent { at },
        End::Unreached => again(policy.tries_unreached, SendFailure::NoRecipientDevice, None),
        End::Refused(TIMELOCKED) => {
            SendOutcome::Failed { reason: SendFailure::ReachoutTimelocked, code: Some(TIMELOCKED) }
        }
        End::Refused(code) if BUSY.contains(&code) => again(policy.tries_busy, SendFailure::Refused, Some(code)),
        End::Refused(code) => SendOutcome::Failed { reason: SendFailure::Refused, code: Some(code) },
        End::NotSent(NotSent::NobodyThere) => failed(SendFailure::NotOnWhatsapp),
        End::NotSent(NotSent::Malformed) => failed(SendFailure::Refused),
        End::NotSent(NotSent::Refused(code)) if NO_SUCH_GROUP.contains(&code) => {
            SendOutcome::Failed { reason: SendFailure::Refused, code: Some(code) }
        }
        End::NotSent(NotSent::Refused(_) | NotSent::Failed) => again(policy.tries, SendFailure::NoAck, None),
        End::NotSent(NotSent::Disconnected) => again(policy.tries_in_all, SendFailure::NoAck, None),
        End::NoWord => failed(SendFailure::NoAck),
    }
}
