//! Properties of everything that a connection sends, under any sequence of inputs.

mod diagram;
mod exhaustive;
mod history;
mod referee;
mod scenarios;

use std::time::Duration;

use super::*;
use crate::domain::{OutgoingContent, Pace, Party};

const START: Instant = Instant(1_700_000_000_000);

fn message(id: i64) -> OutgoingMessage {
    OutgoingMessage {
        id: MessageId(id),
        chat: Party { jid: format!("{id}@lid"), phone: None },
        wa_id: format!("3EB0{id}"),
        content: OutgoingContent::Text { body: "hello".to_owned(), mentions: Vec::new(), reply_to: None },
        attempt: 1,
        is_new_chat: false,
        maybe_sent: false,
        expires_at: None,
    }
}

fn nth_try(id: i64, attempt: u16) -> OutgoingMessage {
    OutgoingMessage { attempt, maybe_sent: attempt > 1, ..message(id) }
}

fn pace(rate: f32, burst: u32) -> Option<Pace> {
    Some(Pace { rate, burst })
}

fn nothing() -> TakenMessages {
    TakenMessages { pace: pace(1.0, 5), ..TakenMessages::default() }
}

fn taken(messages: Vec<OutgoingMessage>) -> TakenMessages {
    TakenMessages { messages, ..nothing() }
}

fn more(messages: Vec<OutgoingMessage>) -> TakenMessages {
    TakenMessages { has_more: true, ..taken(messages) }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("away".to_owned())
}

fn take(held: &[i64], room: u16) -> Effect {
    Effect::Take { held: held.iter().copied().map(MessageId).collect(), room }
}

fn settle(id: i64, outcome: SendOutcome) -> Effect {
    Effect::Settle(vec![(MessageId(id), outcome)])
}

fn failed(reason: SendFailure, code: Option<u16>) -> SendOutcome {
    SendOutcome::Failed { reason, code }
}

/// A machine with a hand on its time, under the referee's eyes; remembers the effects of the
/// last step.
#[derive(Clone)]
struct Bench {
    machine: Outgoing,
    referee: referee::Referee,
    now: Instant,
    effects: Vec<Effect>,
}

impl Bench {
    fn with(policy: OutgoingPolicy) -> Self {
        let referee = referee::Referee::new(policy.clone());
        Self { machine: Outgoing::new(policy, 7), referee, now: START, effects: Vec::new() }
    }

    fn new() -> Self {
        Self::with(OutgoingPolicy::default())
    }

    /// Logged in; the database has nothing to send.
    fn idle() -> Self {
        let mut bench = Self::new();
        bench.feed(Input::Ready);
        bench.taken(nothing());
        bench
    }

    /// The library is at work on this message.
    fn sending(message: OutgoingMessage) -> Self {
        let mut bench = Self::idle();
        bench.feed(Input::Rung);
        bench.taken(taken(vec![message]));
        bench
    }

    /// The message 1 is on the wire, for the nth time.
    fn wired(attempt: u16) -> Self {
        let mut bench = Self::sending(nth_try(1, attempt));
        bench.wire(1, true);
        bench
    }

    fn feed(&mut self, input: Input) -> &[Effect] {
        self.referee.before(&input, &self.machine, self.now);
        self.effects = self.machine.step(input.clone(), self.now);
        self.referee.after(&input, &self.effects, &self.machine, self.now);
        &self.effects
    }

    fn taken(&mut self, answer: TakenMessages) -> &[Effect] {
        self.feed(Input::Taken(Ok(answer)))
    }

    fn wire(&mut self, id: i64, is_reached: bool) -> &[Effect] {
        self.feed(Input::Wired { id: MessageId(id), is_reached })
    }

    fn ack(&mut self, id: i64) -> &[Effect] {
        self.feed(Input::Acked { id: MessageId(id), at: START })
    }

    fn refuse(&mut self, id: i64, code: u16) -> &[Effect] {
        self.feed(Input::Refused { id: MessageId(id), code })
    }

    fn not_sent(&mut self, id: i64, why: NotSent) -> &[Effect] {
        self.feed(Input::NotSent { id: MessageId(id), why })
    }

    fn settled(&mut self) -> &[Effect] {
        self.feed(Input::Settled(Ok(())))
    }

    /// To the machine's next deadline.
    fn wait(&mut self) -> &[Effect] {
        self.now = self.now.max(self.machine.deadline().unwrap());
        self.feed(Input::Deadline)
    }

    fn until_deadline(&self) -> Duration {
        self.now.until(self.machine.deadline().unwrap())
    }
}
