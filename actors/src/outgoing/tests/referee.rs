//! What must hold whatever happens, seen from outside.

use std::collections::BTreeMap;

use super::*;

/// Watches what one connection sends, by its inputs and effects, and objects when an invariant is
/// broken.
#[derive(Clone, Debug)]
pub struct Referee {
    policy: OutgoingPolicy,
    is_ready: bool,
    has_ended: bool,
    looks: Option<u16>,
    is_informed: bool,
    pace: Option<Pace>,
    /// When messages were taken, the youngest last.
    taken_at: Vec<Instant>,
    held: BTreeMap<MessageId, Try>,
    /// A write whose end is not known.
    writes: Option<Vec<(MessageId, SendOutcome)>>,
    due: Option<Instant>,
}

/// One try of a message.
#[derive(Clone, Debug)]
struct Try {
    message: OutgoingMessage,
    is_sent: bool,
    is_stopped: bool,
    wired: Option<bool>,
    acked: bool,
    received: bool,
    refused: Option<u16>,
    not_sent: bool,
    outcome: Option<SendOutcome>,
}

impl Referee {
    pub fn new(policy: OutgoingPolicy) -> Self {
        Self {
            policy,
            is_ready: false,
            has_ended: false,
            looks: None,
            is_informed: false,
            pace: None,
            taken_at: Vec::new(),
            held: BTreeMap::new(),
            writes: None,
            due: None,
        }
    }

    /// What is believable of an input at all: a shell answers only what was ordered.
    pub fn before(&mut self, input: &Input, machine: &Outgoing, now: Instant) {
        self.due = machine.deadline().filter(|due| *due <= now && *input == Input::Deadline);
        match input {
            Input::Ready => self.is_ready = true,
            Input::Taken(Ok(taken)) if self.looks.is_some() && !self.has_ended => {
                self.looks = None;
                self.is_informed = true;
                self.pace = taken.pace;
                for message in &taken.messages {
                    self.taken_at.push(now);
                    self.held.entry(message.id).or_insert_with(|| Try::of(message));
                }
                self.pace_is_kept(now);
            }
            Input::Settled(Ok(())) if !self.has_ended => {
                for (id, _) in self.writes.take().unwrap_or_default() {
                    self.held.remove(&id);
                }
            }
            Input::Wired { id, is_reached } => self.on(*id, |a_try| {
                if a_try.is_sent && !a_try.not_sent {
                    a_try.wired.get_or_insert(*is_reached);
                }
            }),
            Input::Acked { id, .. } => self.on(*id, |a_try| a_try.acked |= a_try.is_sent && a_try.refused.is_none()),
            Input::Received { id, .. } => self.on(*id, |a_try| a_try.received |= a_try.is_sent),
            Input::Refused { id, code } => self.on(*id, |a_try| {
                if a_try.is_sent && !a_try.acked {
                    a_try.refused.get_or_insert(*code);
                }
            }),
            Input::NotSent { id, why } => self.on(*id, |a_try| {
                if a_try.is_sent && a_try.wired.is_none() {
                    a_try.not_sent = true;
                    if let NotSent::Refused(code) = why {
                        a_try.refused = Some(*code);
                    }
                }
            }),
            Input::Rung | Input::Taken(_) | Input::Settled(_) | Input::Deadline => {}
        }
    }

    fn on(&mut self, id: MessageId, note: impl FnOnce(&mut Try)) {
        if let Some(a_try) = self.held.get_mut(&id) {
            note(a_try);
        }
    }

    /// In no time more messages than the burst and what has come back of it.
    fn pace_is_kept(&self, now: Instant) {
        let Some(pace) = self.pace else { return };
        for (nth, from) in self.taken_at.iter().enumerate() {
            let seconds = from.until(now).as_secs_f64();
            let allowed = f64::from(pace.burst.max(1)) + seconds * f64::from(pace.rate) + 0.01;
            let count = self.taken_at.len() - nth;
            assert!(count as f64 <= allowed, "{count} messages in {seconds} s");
        }
    }

    pub fn after(&mut self, input: &Input, effects: &[Effect], machine: &Outgoing, now: Instant) {
        for effect in effects {
            assert!(!self.has_ended, "{effect:?} after the end");
            self.on_effect(effect, input, now);
        }
        if self.due.is_some() {
            assert!(machine.deadline().is_none_or(|next| next > now), "a reached deadline made no progress");
        }
        if self.has_ended {
            assert_eq!(machine.deadline(), None, "something goes on after the end");
            return;
        }
        for a_try in self.held.values() {
            // What comes during a write goes with the next.
            let is_written = a_try.outcome.is_some() || self.writes.is_some();
            assert!(a_try.is_sent || is_written, "a message was taken and forgotten");
            assert!(!a_try.is_known() || is_written || a_try.may_rest(), "what came of a message is not written");
        }
        let waits = |a_try: &Try| a_try.is_sent && a_try.outcome.is_none() && (!a_try.is_known() || a_try.may_rest());
        let waits = self.held.values().any(waits);
        // It may have been given up during a write; then it goes with the next.
        let has_end = machine.deadline().is_some() || self.writes.is_some();
        assert!(!waits || has_end, "a message is waited for without an end");
        let is_written = self.held.values().all(|a_try| a_try.outcome.is_none());
        assert!(is_written || self.writes.is_some(), "an outcome that nobody writes");
        if self.held.is_empty() {
            assert_eq!(machine.held.capacity(), 0, "memory is kept for nothing");
        }
    }

    fn on_effect(&mut self, effect: &Effect, input: &Input, now: Instant) {
        match effect {
            Effect::Take { held, room } => {
                assert!(self.is_ready, "taken before the login was complete");
                assert!(
                    held.iter().eq(self.held.keys()) || self.same_held(held),
                    "told of other messages than it holds"
                );
                let is_again = matches!(input, Input::Deadline) && self.looks == Some(*room);
                assert!(self.looks.is_none() || is_again, "two looks at once");
                let place = usize::from(self.policy.at_once).saturating_sub(self.held.len());
                assert!(usize::from(*room) <= place, "more at once than may be");
                assert!(self.is_informed || *room == 0, "taken before the pace is known");
                self.looks = Some(*room);
            }
            Effect::Send(message) => {
                let a_try = self.held.get_mut(&message.id);
                if let Input::Taken(Ok(taken)) = input {
                    assert!(taken.messages.contains(&**message), "sent what was not taken");
                } else {
                    let rested = *input == Input::Deadline && a_try.as_ref().is_some_and(|a_try| a_try.may_rest());
                    assert!(rested, "sent on {input:?}");
                }
                let a_try = a_try.expect("sent what is not held");
                if a_try.may_rest() {
                    let attempt = a_try.message.attempt + 1;
                    *a_try = Try::of(&OutgoingMessage { attempt, ..a_try.message.clone() });
                    assert_eq!(a_try.message, **message, "sent something else");
                }
                assert!(!std::mem::replace(&mut a_try.is_sent, true), "sent twice by one try");
                assert!(message.expires_at.is_none_or(|at| at > now), "sent after its time");
                assert!(!message.maybe_sent || self.policy.sends_again, "sent again where that is not wanted");
            }
            Effect::Stop(id) => {
                let a_try = &mut self.held.get_mut(id).expect("stopped what is not held");
                assert!(a_try.is_sent && a_try.wired.is_none(), "stopped what is on the wire");
                assert!(!std::mem::replace(&mut a_try.is_stopped, true), "stopped twice");
            }
            Effect::Settle(outcomes) => self.on_settle(outcomes, input),
            Effect::EndConnection(_) => self.has_ended = true,
        }
    }

    /// What is given back is put off when that was not heard of.
    fn is_same(&self, (id, before): &(MessageId, SendOutcome), (of, now): &(MessageId, SendOutcome)) -> bool {
        let late = self.policy.late_statement;
        id == of
            && match (before, now) {
                (SendOutcome::Again { after: before }, SendOutcome::Again { after: now }) => {
                    *now == *before || *now == (*before).max(late)
                }
                _ => before == now,
            }
    }

    fn same_held(&self, held: &[MessageId]) -> bool {
        let mut held = held.to_vec();
        held.sort();
        held.iter().eq(self.held.keys())
    }

    fn on_settle(&mut self, outcomes: &[(MessageId, SendOutcome)], input: &Input) {
        assert!(!outcomes.is_empty(), "an empty write");
        if let Some(before) = &self.writes {
            assert_eq!(*input, Input::Deadline, "two writes at once");
            for outcome in before {
                let is_kept = outcomes.iter().any(|now| self.is_same(outcome, now));
                assert!(is_kept, "an outcome changed, or was dropped");
            }
        }
        for (id, outcome) in outcomes {
            let before = self.held.get(id).and_then(|a_try| a_try.outcome.clone());
            if let Some(before) = before {
                assert!(self.is_same(&(*id, before), &(*id, outcome.clone())), "an outcome changed");
                continue;
            }
            let a_try = self.held.get_mut(id).expect("an outcome of nothing");
            a_try.is_true(outcome, &self.policy);
            a_try.outcome = Some(outcome.clone());
        }
        self.writes = Some(outcomes.to_vec());
    }
}

impl Try {
    fn of(message: &OutgoingMessage) -> Self {
        Self {
            message: message.clone(),
            is_sent: false,
            is_stopped: false,
            wired: None,
            acked: false,
            received: false,
            refused: None,
            not_sent: false,
            outcome: None,
        }
    }

    /// It may have arrived by an earlier try, and not by this one.
    fn may_rest(&self) -> bool {
        let is_unreached = self.acked && self.wired == Some(false);
        let is_busy = self.wired.is_some() && matches!(self.refused, Some(429 | 503));
        self.message.maybe_sent && self.is_sent && !self.received && (self.not_sent || is_unreached || is_busy)
    }

    fn is_known(&self) -> bool {
        self.not_sent || (self.wired.is_some() && (self.acked || self.received || self.refused.is_some()))
    }

    /// Whether this is what came of it.
    fn is_true(&self, outcome: &SendOutcome, policy: &OutgoingPolicy) {
        let attempt = self.message.attempt;
        let left = |tries: u16| attempt < tries;
        match outcome {
            SendOutcome::Sent { .. } => {
                let is_acked = self.acked && self.wired == Some(true);
                assert!(is_acked || self.received, "sent, and nobody can read it");
            }
            SendOutcome::Again { .. } => {
                assert!(left(policy.tries_in_all), "tried for ever");
                assert!(!self.message.maybe_sent, "given back, and it may have arrived");
                let is_unreached = self.acked && self.wired == Some(false) && left(policy.tries_unreached);
                let is_busy = matches!(self.refused, Some(429 | 503)) && left(policy.tries_busy);
                assert!(self.not_sent || is_unreached || is_busy, "sent again while WhatsApp may have it");
            }
            SendOutcome::Failed { reason, .. } if self.message.maybe_sent && self.is_sent => {
                assert_eq!(*reason, SendFailure::NoAck, "it may have arrived");
                let has_ended = self.not_sent || self.refused.is_some() || self.wired == Some(false);
                let is_over = self.message.expires_at.is_some();
                assert!(has_ended || is_over || !left(policy.tries), "given up too early");
            }
            SendOutcome::Failed { reason, code } => match reason {
                SendFailure::Refused | SendFailure::ReachoutTimelocked => {
                    assert_eq!(*code, self.refused, "refused with another code");
                    assert!(code.is_some() || self.not_sent, "refused by nobody");
                }
                SendFailure::NoRecipientDevice => {
                    assert!(self.wired == Some(false) || self.not_sent, "a device was reached");
                    assert!(!left(policy.tries_unreached), "given up too early");
                }
                SendFailure::NoAck => {
                    let may_have_arrived = self.message.maybe_sent && !self.is_sent;
                    let is_unwanted = may_have_arrived && (!policy.sends_again || self.message.expires_at.is_some());
                    assert!(is_unwanted || !left(policy.tries), "given up too early");
                }
                SendFailure::NotOnWhatsapp | SendFailure::TargetMissing => assert!(self.not_sent, "{reason} by nobody"),
                SendFailure::Expired => {
                    assert!(!self.is_sent && !self.message.maybe_sent, "it may have arrived");
                    assert!(self.message.expires_at.is_some(), "not expired");
                }
            },
        }
    }
}

/// Each invariant is broken once: a referee who sees nothing would be worth nothing.
mod is_not_blind {
    use super::*;

    /// The referee's objection to effects that a broken machine might return here.
    fn objects(mut bench: Bench, input: Input, effects: &[Effect]) -> String {
        let broken = std::panic::AssertUnwindSafe(move || {
            bench.referee.before(&input, &bench.machine, bench.now);
            bench.referee.after(&input, effects, &bench.machine, bench.now);
        });
        let objection = std::panic::catch_unwind(broken).unwrap_err();
        let text = objection.downcast_ref::<String>().cloned();
        text.or_else(|| objection.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
    }

    fn sent() -> Effect {
        settle(1, SendOutcome::Sent { at: START })
    }

    fn acked() -> Input {
        Input::Acked { id: MessageId(1), at: START }
    }

    #[test]
    fn a_look_before_the_login_is_objected_to() {
        assert!(objects(Bench::new(), Input::Rung, &[take(&[], 0)]).contains("before the login"));
    }

    #[test]
    fn two_looks_and_too_much_room_are_objected_to() {
        let mut bench = Bench::idle();
        bench.feed(Input::Rung);
        assert!(objects(bench, Input::Rung, &[take(&[], 5)]).contains("two looks"));
        assert!(objects(Bench::idle(), Input::Rung, &[take(&[], 17)]).contains("more at once"));
        let mut early = Bench::new();
        early.referee.is_ready = true;
        assert!(objects(early, Input::Ready, &[take(&[], 1)]).contains("before the pace"));
    }

    #[test]
    fn too_many_messages_in_a_second_are_objected_to() {
        let mut bench = Bench::idle();
        bench.feed(Input::Rung);
        let six = Input::Taken(Ok(taken((1..=6).map(message).collect())));
        assert!(objects(bench, six, &[]).contains("6 messages in 0 s"));
    }

    #[test]
    fn a_message_that_is_forgotten_or_sent_unasked_is_objected_to() {
        let mut bench = Bench::idle();
        bench.feed(Input::Rung);
        let one = Input::Taken(Ok(taken(vec![message(1)])));
        assert!(objects(bench.clone(), one.clone(), &[]).contains("forgotten"));
        assert!(objects(bench.clone(), one, &[Effect::Send(message(2).into())]).contains("not taken"));
        assert!(objects(bench, Input::Rung, &[Effect::Send(message(1).into())]).contains("sent on Rung"));
    }

    #[test]
    fn a_second_sending_by_one_try_is_objected_to() {
        let mut bench = Bench::idle();
        bench.feed(Input::Rung);
        let one = Input::Taken(Ok(taken(vec![message(1)])));
        let twice = [Effect::Send(message(1).into()), Effect::Send(message(1).into())];
        assert!(objects(bench, one, &twice).contains("sent twice"));
    }

    #[test]
    fn a_word_that_whatsapp_has_not_said_is_objected_to() {
        assert!(objects(Bench::wired(1), Input::Rung, &[sent()]).contains("nobody can read"));
        let mut unreached = Bench::sending(message(1));
        unreached.wire(1, false);
        assert!(objects(unreached.clone(), acked(), &[sent()]).contains("nobody can read"));
        let none = settle(1, failed(SendFailure::NoRecipientDevice, None));
        assert!(objects(unreached, acked(), &[none]).contains("too early"));
        let refused = settle(1, failed(SendFailure::Refused, Some(400)));
        assert!(objects(Bench::wired(1), Input::Rung, &[refused]).contains("another code"));
    }

    #[test]
    fn a_repetition_while_whatsapp_may_have_it_is_objected_to() {
        let again = settle(1, SendOutcome::Again { after: Duration::ZERO });
        assert!(objects(Bench::wired(1), Input::Deadline, &[again]).contains("WhatsApp may have it"));
    }

    #[test]
    fn an_outcome_that_changes_or_is_not_written_is_objected_to() {
        assert!(objects(Bench::wired(1), acked(), &[]).contains("is not written"));
        let mut bench = Bench::wired(1);
        bench.ack(1);
        let other = settle(1, failed(SendFailure::NoAck, None));
        assert!(objects(bench, Input::Deadline, &[other]).contains("changed"));
    }

    #[test]
    fn anything_after_the_end_is_objected_to() {
        let mut bench = Bench::wired(1);
        bench.wait();
        assert!(objects(bench, Input::Rung, &[take(&[], 1)]).contains("after the end"));
    }

    #[test]
    fn a_deadline_that_stands_still_is_objected_to() {
        let mut bench = Bench::wired(1);
        bench.now = bench.machine.deadline().unwrap();
        assert!(objects(bench, Input::Deadline, &[]).contains("no progress"));
    }

    #[test]
    fn a_stop_of_what_is_on_the_wire_is_objected_to() {
        assert!(objects(Bench::wired(1), Input::Rung, &[Effect::Stop(MessageId(1))]).contains("on the wire"));
    }
}
