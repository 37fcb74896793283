//! Properties of every life, under any sequence of inputs.

mod diagram;
mod exhaustive;
mod groups;
mod history;
mod outage;
mod referee;
mod requests;
mod scenarios;

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{CommandInput, Effect, Input, Lifecycle};
use crate::domain::{
    AccountId, AccountRecord, Claim, Command, CommandId, Desired, Fence, Incarnation, Instant, OperatorId, Phone,
    Policy, Reason, Secret, SessionEvent, Status,
};

const SEED: u128 = 0x5eed;
const START: Instant = Instant(1_700_000_000_000);

fn fresh_record() -> AccountRecord {
    let (id, operator) = (AccountId(Uuid::from_u128(1)), OperatorId(Uuid::from_u128(2)));
    AccountRecord { fence: Fence(1), ..AccountRecord::new(id, operator, "front desk", START) }
}

fn phone() -> Phone {
    Phone::from_digits("436601234567").unwrap()
}

fn command(id: i64, kind: &str) -> Input {
    let args = match kind {
        "account.unpair!" => json!({"logout": true}),
        "chat.read" => json!({"chat": "436601234567", "upTo": 7}),
        "contact.check" => json!({"phones": ["436601234567"]}),
        "chat.typing" => json!({"chat": "436601234567", "state": "composing"}),
        _ => json!({}),
    };
    let kind = kind.trim_end_matches('!');
    Input::Command(CommandInput {
        id: CommandId(id),
        kind: kind.to_owned(),
        source: "web".to_owned(),
        command: Command::parse(kind, &args),
        created_at: START,
    })
}

/// A life with a hand on its clock, that remembers the effects of the last step.
struct Bench {
    life: Lifecycle,
    now: Instant,
    effects: Vec<Effect>,
    commands: i64,
}

impl Bench {
    fn new() -> Self {
        Self::with(fresh_record(), Policy::default())
    }

    fn with(record: AccountRecord, policy: Policy) -> Self {
        let (life, effects) = Lifecycle::resume(record, policy, SEED, START);
        Self { life, now: START, effects, commands: 0 }
    }

    fn feed(&mut self, input: Input) -> &[Effect] {
        self.effects = self.life.step(input, self.now);
        &self.effects
    }

    fn ask(&mut self, kind: &str) -> &[Effect] {
        self.commands += 1;
        self.feed(command(self.commands, kind))
    }

    fn hear(&mut self, event: SessionEvent) -> &[Effect] {
        self.feed(Input::Session(self.life.incarnation, event))
    }

    fn closed(&mut self) -> &[Effect] {
        self.feed(Input::SessionClosed(self.life.incarnation))
    }

    fn qr(&mut self, payload: &str) -> &[Effect] {
        let expires_at = self.now.after(Duration::from_secs(20));
        self.hear(SessionEvent::Qr { payload: Secret::new(payload), expires_at })
    }

    fn scanned(&mut self) -> &[Effect] {
        self.hear(SessionEvent::Scanned { phone: phone(), device_jid: "436601234567:1@s.whatsapp.net".to_owned() })
    }

    fn claimed(&mut self, claim: Claim) -> &[Effect] {
        self.feed(Input::Claimed(self.life.incarnation, Ok(claim)))
    }

    fn open(&mut self) -> &[Effect] {
        self.hear(SessionEvent::Open { phone: Some(phone()), device_jid: None })
    }

    fn pass(&mut self, time: Duration) -> &[Effect] {
        self.now = self.now.after(time);
        self.feed(Input::Deadline)
    }

    /// unpaired → connected, the usual way
    fn paired() -> Self {
        let mut bench = Self::new();
        bench.ask("account.pair");
        bench.qr("q1");
        bench.scanned();
        bench.claimed(Claim::Granted);
        bench.open();
        bench
    }

    fn incarnation(&self) -> Incarnation {
        self.life.incarnation
    }

    fn events(&self) -> Vec<&'static str> {
        self.effects
            .iter()
            .filter_map(|effect| if let Effect::Record(update) = effect { Some(&update.change) } else { None })
            .flat_map(|change| change.events.iter().map(|event| event.kind().as_str()))
            .collect()
    }

    fn reason(&self) -> String {
        self.life.record().reason.to_string()
    }

    fn state(&self) -> &'static str {
        self.life.state().name()
    }
}
