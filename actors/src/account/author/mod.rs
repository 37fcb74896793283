//! The lifecycle as the one author of its account's row: which change each write follows,
//! and what comes of an order that is answered.

use super::lifecycle::{Effect, Input, Lifecycle};
use crate::{
    desk::{Begun, Then, Wait, Work},
    domain::{
        Backoff, ChangeId, Claim, ClaimError, CloseReason, CommandId, ConnectionSettings, Ending, Finished,
        Incarnation, Instant, KeyringId, Loaded, OnlineOrder, PasskeyAnswer, Policy, Purpose, Reason, SessionEvent,
        StatusReason, StoreError, Trouble, Update, Write, Written,
    },
    machine::Machine,
};

/// One thing to do for an account.
#[derive(Clone, Debug)]
pub enum Task {
    /// Until it is known what came of it.
    Write(Box<Write>),
    /// Once: a phone is not kept waiting. With `keys_of` the keys of that connection go with it.
    Claim {
        incarnation: Incarnation,
        write: Box<Write>,
        keys_of: Option<Incarnation>,
    },
    /// Without settings they are to be asked for, and so is whose the account is.
    Open {
        incarnation: Incarnation,
        keyring: KeyringId,
        purpose: Purpose,
        settings: Option<ConnectionSettings>,
    },
    ConfirmLink(Incarnation),
    RefuseLink(Incarnation),
    Close(Incarnation),
    Cut(Incarnation),
    AnswerPasskey {
        incarnation: Incarnation,
        command: CommandId,
        answer: PasskeyAnswer,
    },
    FetchGroups(Incarnation),
    Ask {
        incarnation: Incarnation,
        command: CommandId,
        order: OnlineOrder,
    },
}

/// The outcome of a task that the machine waits for.
#[derive(Clone, Debug)]
pub enum Answer {
    Written(Box<Write>, Result<Written, StoreError>),
    Claimed(Incarnation, Box<Write>, Result<Written, StoreError>),
    Opened(Incarnation, Result<(), StoreError>),
    /// The link was confirmed, or refused.
    Done,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Author {
    life: Lifecycle,
    /// The last change that the row is known to have.
    follows: Option<ChangeId>,
    /// As the last write found them: for a connection right behind it, and for no other.
    settings: Option<ConnectionSettings>,
    /// The reason for which the first write puts the account on hold.
    holding: Option<Trouble>,
    seed: u128,
    writes: u64,
}

impl Author {
    /// From the row; held where the row cannot be read, or cannot be written as a life would.
    /// With its first orders.
    pub fn of(
        loaded: Loaded,
        trouble: Option<Trouble>,
        policy: Policy,
        seed: u128,
        now: Instant,
    ) -> (Self, Vec<Effect>) {
        let Loaded { record, last_change: follows, damage } = loaded;
        let damage = damage.map(|what| StatusReason::new(Reason::RowUnreadable, what));
        let damage = damage.map(|reason| Trouble { reason, commands: Vec::new(), is_muted: false });
        let holding = trouble.or(damage);
        let (life, first) = match &holding {
            Some(trouble) => Lifecycle::hold(record, policy, seed, now, trouble.clone()),
            None => Lifecycle::resume(record, policy, seed, now),
        };
        (Self { life, follows, settings: None, holding, seed, writes: 0 }, first)
    }

    pub fn life(&self) -> &Lifecycle {
        &self.life
    }

    /// The reason for which the first write puts the account on hold, if it does.
    pub fn holding(&self) -> Option<&Trouble> {
        self.holding.as_ref()
    }

    fn write_of(&mut self, update: Update) -> Box<Write> {
        self.writes += 1;
        // Unique among the lives of all accounts, as the seed is.
        let mixed =
            self.seed.rotate_left(64) ^ u128::from(self.writes).wrapping_mul(0xD6E8_FEB8_6659_FD93_A3B1_95EA_5D2C_9F11);
        let id = ChangeId(uuid::Builder::from_random_bytes(mixed.to_be_bytes()).into_uuid());
        Box::new(Write {
            id,
            follows: self.follows,
            record: update.record,
            change: update.change,
            keys: None,
            qr_png: None,
        })
    }

    fn on_written(&mut self, write: Box<Write>, outcome: Result<Written, StoreError>) -> Then<Input, Task> {
        match outcome {
            Ok(Written::Done { settings }) => {
                self.was_written(write.id, settings);
                Then::Proceed
            }
            // Happens only if the row was edited by hand.
            Ok(Written::NumberTaken { existing_label }) => {
                self.was_refused(format!("the number is linked to «{existing_label}»"), write.change.finished)
            }
            Err(StoreError::Fenced) => Then::Fence,
            Err(StoreError::Overtaken) => Then::End(Ending::Overtaken),
            Err(StoreError::Refused(why) | StoreError::Poisoned(why)) => self.was_refused(why, write.change.finished),
            Err(StoreError::Unavailable(why)) => Then::Again(Task::Write(write), why),
        }
    }

    fn on_claimed(
        &mut self,
        incarnation: Incarnation,
        write: Write,
        outcome: Result<Written, StoreError>,
    ) -> Then<Input, Task> {
        let claim = match outcome {
            Ok(Written::Done { settings }) => {
                self.was_written(write.id, settings);
                Ok(Claim::Granted)
            }
            Ok(Written::NumberTaken { existing_label }) => Ok(Claim::Duplicate { existing_label }),
            Err(StoreError::Fenced) => return Then::Fence,
            Err(StoreError::Overtaken) => return Then::End(Ending::Overtaken),
            Err(StoreError::Refused(why)) => return self.was_refused(why, write.change.finished),
            // Written or not, the next write finds out.
            Err(StoreError::Unavailable(why) | StoreError::Poisoned(why)) => Err(ClaimError::Failed(why)),
        };
        Then::Input(Input::Claimed(incarnation, claim))
    }

    fn on_opened(incarnation: Incarnation, outcome: Result<(), StoreError>) -> Then<Input, Task> {
        let reason = match outcome {
            Ok(()) => return Then::Proceed,
            Err(StoreError::Fenced) => return Then::Fence,
            Err(StoreError::Overtaken) => return Then::End(Ending::Overtaken),
            Err(StoreError::Poisoned(why)) => CloseReason::KeysUnusable(why),
            Err(StoreError::Refused(why) | StoreError::Unavailable(why)) => CloseReason::StoreFailed(why),
        };
        Then::Input(Input::Session(incarnation, SessionEvent::Ended { reason }))
    }

    fn was_written(&mut self, id: ChangeId, settings: Option<ConnectionSettings>) {
        self.follows = Some(id);
        self.settings = settings;
        self.holding = None;
    }

    fn was_refused(&mut self, reason: String, commands: Vec<Finished>) -> Then<Input, Task> {
        Then::End(match self.holding.take() {
            None => {
                let reason = StatusReason::new(Reason::WriteRefused, reason);
                Ending::Refused(Trouble { reason, commands, is_muted: false })
            }
            Some(trouble) if !trouble.is_muted => Ending::Refused(Trouble { is_muted: true, ..trouble }),
            Some(trouble) => Ending::Unwritable(trouble.reason.to_string()),
        })
    }
}

impl Machine for Author {
    type Input = Input;
    type Effect = Effect;

    fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        self.settings = None;
        self.life.step(input, now)
    }

    fn deadline(&self) -> Option<Instant> {
        self.life.deadline()
    }

    fn state_name(&self) -> &'static str {
        self.life.state_name()
    }
}

impl Work for Author {
    type Task = Task;
    type Answer = Answer;

    const DEADLINE: Input = Input::Deadline;
    const FENCED: Input = Input::Fenced;

    fn begin(&mut self, order: Effect, now: Instant, is_leased: bool) -> Begun<Task> {
        let settings = self.settings.take();
        match order {
            Effect::Open { incarnation, keyring, purpose } => {
                self.life.open_begins(now);
                Begun::Task(Task::Open { incarnation, keyring, purpose, settings }, Wait::UnlessFenced)
            }
            // The process may have been suspended since the keys became durable. The next owner
            // tried them before the link existed and erased them, so a device linked now could
            // never be unlinked. The notice of the lost lease itself arrives later.
            Effect::ConfirmLink(incarnation) if !is_leased => Begun::Task(Task::RefuseLink(incarnation), Wait::Always),
            Effect::ConfirmLink(incarnation) => Begun::Task(Task::ConfirmLink(incarnation), Wait::Always),
            Effect::RefuseLink(incarnation) => Begun::Task(Task::RefuseLink(incarnation), Wait::Always),
            Effect::Close(incarnation) => {
                self.life.close_begins(now);
                Begun::Task(Task::Close(incarnation), Wait::No)
            }
            Effect::Cut(incarnation) => Begun::Task(Task::Cut(incarnation), Wait::No),
            Effect::AnswerPasskey { incarnation, command, answer } => {
                Begun::Task(Task::AnswerPasskey { incarnation, command, answer }, Wait::No)
            }
            Effect::FetchGroups(incarnation) => Begun::Task(Task::FetchGroups(incarnation), Wait::No),
            Effect::Ask { incarnation, command, order } => {
                Begun::Task(Task::Ask { incarnation, command, order }, Wait::No)
            }
            Effect::Record(update) => Begun::Task(Task::Write(self.write_of(*update)), Wait::UnlessFenced),
            Effect::Claim { incarnation, update } => {
                let keys_of = update.change.links.as_ref().map(|_| incarnation);
                let write = self.write_of(*update);
                Begun::Task(Task::Claim { incarnation, write, keys_of }, Wait::UnlessFenced)
            }
            Effect::Retire => Begun::Retire,
        }
    }

    fn on_answer(&mut self, answer: Answer) -> Then<Input, Task> {
        match answer {
            Answer::Written(write, outcome) => self.on_written(write, outcome),
            Answer::Claimed(incarnation, write, outcome) => self.on_claimed(incarnation, *write, outcome),
            Answer::Opened(incarnation, outcome) => Self::on_opened(incarnation, outcome),
            Answer::Done => Then::Proceed,
        }
    }

    fn outlives_a_fence(order: &Effect) -> bool {
        match order {
            Effect::Close(_) | Effect::Cut(_) | Effect::RefuseLink(_) | Effect::Retire => true,
            Effect::Open { .. }
            | Effect::Claim { .. }
            | Effect::ConfirmLink(_)
            | Effect::AnswerPasskey { .. }
            | Effect::FetchGroups(_)
            | Effect::Ask { .. }
            | Effect::Record(_) => false,
        }
    }

    fn retry(&self) -> (Backoff, u128) {
        (self.life.policy().write_retry, self.seed)
    }
}

#[cfg(test)]
mod tests;
