//! Properties of every connection, under any sequence of inputs.

mod diagram;
mod exhaustive;
mod history;
mod referee;
mod scenarios;

use std::time::Duration;

use super::*;
use crate::domain::{CloseReason, CodeOver, Phone, Secret};

const START: Instant = Instant(1_700_000_000_000);
const DEVICE: &str = "436601234567:1@s.whatsapp.net";
const OTHER_DEVICE: &str = "436607654321:1@s.whatsapp.net";

fn phone() -> Phone {
    Phone::from_digits("436601234567").unwrap()
}

fn scan_of(device_jid: &str) -> LibraryEvent {
    let scan = Scan { phone: phone(), device_jid: device_jid.to_owned(), stanza_id: "1".to_owned() };
    LibraryEvent::PairSuccess(Some(scan))
}

fn qr(payload: &str) -> LibraryEvent {
    LibraryEvent::Qr { payload: Secret::new(payload), lasts: Duration::from_secs(20) }
}

fn code() -> LibraryEvent {
    LibraryEvent::Code { code: Secret::new("ABCD1234"), lasts: Duration::from_secs(180) }
}

fn success() -> LibraryEvent {
    LibraryEvent::Success { phone: Some(phone()), device_jid: Some(DEVICE.to_owned()) }
}

fn lost() -> CloseReason {
    CloseReason::SocketLost("stream ended".to_owned())
}

fn ended(reason: CloseReason) -> Effect {
    Effect::Emit(SessionEvent::Ended { reason })
}

fn code_over(reason: CodeOver) -> Effect {
    Effect::Emit(SessionEvent::CodeOver { reason })
}

/// A connection with a hand on its time, under the referee's eyes; remembers the effects of
/// the last step.
struct Bench {
    machine: Connection,
    referee: referee::Referee,
    now: Instant,
    effects: Vec<Effect>,
}

impl Bench {
    fn new(purpose: Purpose) -> Self {
        let referee = referee::Referee::new(&purpose, ConnectionPolicy::default());
        let (machine, effects) = Connection::begin(purpose, ConnectionPolicy::default());
        Self { machine, referee, now: START, effects }
    }

    /// It is its turn, and a socket is being dialed.
    fn dialing(purpose: Purpose) -> Self {
        let mut bench = Self::new(purpose);
        bench.outcome(Outcome::TurnCame);
        bench
    }

    fn pairing() -> Self {
        let mut bench = Self::dialing(Purpose::Pair { code_for: None });
        bench.event(LibraryEvent::Stanza);
        bench.event(qr("q1"));
        bench
    }

    /// A code was asked for.
    fn pairing_by_code() -> Self {
        let mut bench = Self::dialing(Purpose::Pair { code_for: Some(phone()) });
        bench.event(LibraryEvent::Stanza);
        bench
    }

    /// A scan that its owner was asked about.
    fn held() -> Self {
        let mut bench = Self::pairing();
        bench.event(scan_of(DEVICE));
        bench.outcome(Outcome::Answered(bench.machine.scan, Answer::Confirms));
        bench
    }

    fn confirmed() -> Self {
        let mut bench = Self::held();
        bench.outcome(Outcome::KeysDurable(bench.machine.scan));
        bench.request(Request::Confirm);
        bench
    }

    /// Of what waits nothing was heard yet.
    fn logged_in() -> Self {
        let mut bench = Self::dialing(Purpose::Login);
        bench.event(LibraryEvent::Stanza);
        bench.event(success());
        bench
    }

    fn open() -> Self {
        let mut bench = Self::logged_in();
        bench.event(LibraryEvent::NothingWaits);
        bench
    }

    fn feed(&mut self, input: Input) -> &[Effect] {
        self.referee.before(&input, &self.machine, self.now);
        self.effects = self.machine.step(input.clone(), self.now);
        self.referee.after(&input, &self.effects, &self.machine, self.now);
        &self.effects
    }

    fn event(&mut self, event: LibraryEvent) -> &[Effect] {
        self.feed(Input::Event(event))
    }

    fn outcome(&mut self, outcome: Outcome) -> &[Effect] {
        self.feed(Input::Outcome(outcome))
    }

    fn request(&mut self, request: Request) -> &[Effect] {
        self.feed(Input::Request(request))
    }

    fn pass(&mut self, time: Duration) -> &[Effect] {
        self.now = self.now.after(time);
        self.feed(Input::Deadline)
    }

    fn state(&self) -> &'static str {
        self.machine.state().name()
    }

    /// Ends the socket, takes everything down, and returns the reported reason.
    fn end(&mut self) -> CloseReason {
        if self.machine.state().has_run() {
            self.outcome(Outcome::RunEnded);
        }
        let effects = self.outcome(Outcome::TakenDown);
        match effects {
            [Effect::Emit(SessionEvent::Ended { reason })] => reason.clone(),
            effects => panic!("not ended: {effects:?}"),
        }
    }
}
