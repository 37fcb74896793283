//! What an account's actor does next: the orders of its lifecycle, one after the other, and
//! between them the inputs. Pure, so that a simulation works with the very same desk.

use std::{collections::VecDeque, time::Duration};

use super::lifecycle::{Effect, Input, Lifecycle};
use crate::{
    domain::{
        ChangeId, Claim, ClaimError, CloseReason, CommandId, ConnectionSettings, Ending, Incarnation, Instant,
        KeyringId, Loaded, PasskeyAnswer, Policy, Purpose, Reason, SessionEvent, StatusReason, StoreError, Trouble,
        Update, Write, Written,
    },
    machine::{self, Stepped},
};

/// What happened, or is to be done, and what led to it.
#[derive(Clone, Debug)]
pub struct Caused<T, C> {
    pub what: T,
    pub cause: C,
}

/// One thing to do. Where it says so, the desk waits for its outcome.
#[derive(Clone, Debug)]
pub enum Task {
    /// [`Desk::on_written`] hears the outcome. With `keys_of` the keys of that connection
    /// go with it.
    Write {
        write: Box<Write>,
        keys_of: Option<Incarnation>,
    },
    /// [`Desk::on_opened`] hears the outcome. Without settings they are to be asked for,
    /// and so is whose the account is.
    Open {
        incarnation: Incarnation,
        keyring: KeyringId,
        purpose: Purpose,
        settings: Option<ConnectionSettings>,
    },
    /// [`Desk::on_done`] hears when it is done; the same for refusing.
    ConfirmLink(Incarnation),
    RefuseLink(Incarnation),
    /// Goes on meanwhile; [`Input::SessionClosed`] comes later. So do the answers below.
    Close(Incarnation),
    Cut(Incarnation),
    AnswerPasskey {
        incarnation: Incarnation,
        command: CommandId,
        answer: PasskeyAnswer,
    },
    FetchGroups(Incarnation),
    /// The actor ends.
    End(End),
}

/// How an actor's life ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has done all that it was to do.
    Retired,
    /// The row was written by somebody else since: a new life begins from there.
    Overtaken,
    /// The database will never take what was to be written: a new life begins that is held.
    Refused(Trouble),
    /// Not even that.
    Unwritable(String),
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Retired => Self::Done,
            End::Overtaken => Self::Overtaken,
            End::Refused(trouble) => Self::Refused(trouble),
            End::Unwritable(why) => Self::Unwritable(why),
        }
    }
}

/// How a life begins.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub life: Lifecycle,
    /// Its first effects.
    pub first: Vec<Effect>,
    /// The last change of the row that it began from.
    pub follows: Option<ChangeId>,
    /// What it is held for, if it is.
    pub holding: Option<Trouble>,
    /// This life's randomness.
    pub seed: u128,
}

impl Beginning {
    /// From the row; held where the row cannot be read, or cannot be written as a life would.
    pub fn of(loaded: Loaded, trouble: Option<Trouble>, policy: Policy, seed: u128, now: Instant) -> Self {
        let Loaded { record, last_change: follows, damage } = loaded;
        let damage = damage.map(|what| StatusReason::new(Reason::RowUnreadable, what));
        let damage = damage.map(|reason| Trouble { reason, commands: Vec::new(), is_muted: false });
        let holding = trouble.or(damage);
        let (life, first) = match &holding {
            Some(trouble) => Lifecycle::hold(record, policy, seed, now, trouble.clone()),
            None => Lifecycle::resume(record, policy, seed, now),
        };
        Self { life, first, follows, holding, seed }
    }
}

/// What [`Desk::next`] comes to.
#[derive(Clone, Debug)]
pub enum Next<C> {
    Task(Caused<Task, C>),
    /// The machine has another state now; there may be more to do.
    Moved {
        from: &'static str,
        to: &'static str,
        cause: C,
    },
    /// Nothing, until something comes.
    Nothing,
}

/// See the module. `C` is what a command's work is known by, in the shell a span.
#[derive(Clone, Debug)]
pub struct Desk<C> {
    life: Lifecycle,
    /// What happened and was not stepped yet.
    inbox: VecDeque<Caused<Input, C>>,
    /// What was ordered and is not carried out yet.
    orders: VecDeque<Caused<Effect, C>>,
    /// The last change that the row is known to have.
    follows: Option<ChangeId>,
    /// As the last write found them: for a connection right behind it, and for no other.
    settings: Option<ConnectionSettings>,
    /// What the first write is to hold the account for.
    holding: Option<Trouble>,
    /// A task is under way that the next one must wait for.
    waiting: Option<Waiting<C>>,
    end: Option<End>,
    seed: u128,
    writes: u64,
}

#[derive(Clone, Debug)]
struct Waiting<C> {
    cause: C,
    what: WaitedFor,
}

#[derive(Clone, Debug)]
enum WaitedFor {
    Record(Box<Write>),
    Claim(Incarnation, ChangeId, Vec<crate::domain::Finished>),
    Opened(Incarnation),
    Other,
}

impl<C: Clone + Default> Desk<C> {
    pub fn new(beginning: Beginning) -> Self {
        let Beginning { life, first, follows, holding, seed } = beginning;
        Self {
            life,
            inbox: VecDeque::new(),
            orders: first.into_iter().map(|what| Caused { what, cause: C::default() }).collect(),
            follows,
            settings: None,
            holding,
            waiting: None,
            end: None,
            seed,
            writes: 0,
        }
    }

    pub fn life(&self) -> &Lifecycle {
        &self.life
    }

    /// When [`Input::Deadline`] is due; `None` also while something is waited for, since
    /// nothing is stepped before that is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.life.deadline().filter(|_| self.waiting.is_none())
    }

    /// Something happened.
    pub fn take(&mut self, input: Input, cause: C) {
        self.inbox.push_back(Caused { what: input, cause });
    }

    /// The account is another daemon's, or may be soon. Orders to close, to refuse and to
    /// retire stand; everything else is the next owner's. Nothing that the store was asked
    /// for is waited for any more.
    pub fn fence(&mut self, cause: C) {
        self.waiting.take_if(|waiting| !matches!(waiting.what, WaitedFor::Other));
        self.orders.retain(|order| match order.what {
            Effect::Close(_) | Effect::Cut(_) | Effect::RefuseLink(_) | Effect::Retire => true,
            Effect::Open { .. }
            | Effect::Claim { .. }
            | Effect::ConfirmLink(_)
            | Effect::AnswerPasskey { .. }
            | Effect::FetchGroups(_)
            | Effect::Record(_) => false,
        });
        self.inbox.push_front(Caused { what: Input::Fenced, cause });
    }

    /// What a fence did once: a simulation shows what came of that.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn forget_orders(&mut self) {
        self.orders.clear();
    }

    /// One input → all its effects → the next input. `is_leased`: whether the daemon has
    /// had its lease since this life began, up to this moment.
    pub fn next(&mut self, now: Instant, is_leased: bool) -> Next<C> {
        if self.waiting.is_some() {
            return Next::Nothing;
        }
        if let Some(end) = self.end.take() {
            self.orders.clear();
            self.inbox.clear();
            return Next::Task(Caused { what: Task::End(end), cause: C::default() });
        }
        loop {
            if let Some(Caused { what, cause }) = self.orders.pop_front() {
                return Next::Task(Caused { what: self.task_of(what, &cause, now, is_leased), cause });
            }
            let Some(Caused { what: input, cause }) = self.inbox.pop_front() else { return Next::Nothing };
            self.settings = None;
            let Stepped { effects, moved } = machine::step(&mut self.life, input, now);
            self.orders.extend(effects.into_iter().map(|what| Caused { what, cause: cause.clone() }));
            if let Some((from, to)) = moved {
                return Next::Moved { from, to, cause };
            }
        }
    }

    fn task_of(&mut self, effect: Effect, cause: &C, now: Instant, is_leased: bool) -> Task {
        let settings = self.settings.take();
        let mut wait_for = |what| self.waiting = Some(Waiting { cause: cause.clone(), what });
        match effect {
            Effect::Open { incarnation, keyring, purpose } => {
                wait_for(WaitedFor::Opened(incarnation));
                self.life.open_begins(now);
                Task::Open { incarnation, keyring, purpose, settings }
            }
            // The process may have stood still since the keys became durable. Their heir, who
            // tried them before there was a link, has erased them: nobody could unlink what
            // this would link. The loss of the lease itself arrives later.
            Effect::ConfirmLink(incarnation) => {
                wait_for(WaitedFor::Other);
                if is_leased { Task::ConfirmLink(incarnation) } else { Task::RefuseLink(incarnation) }
            }
            Effect::RefuseLink(incarnation) => {
                wait_for(WaitedFor::Other);
                Task::RefuseLink(incarnation)
            }
            Effect::Close(incarnation) => {
                self.life.close_begins(now);
                Task::Close(incarnation)
            }
            Effect::Cut(incarnation) => Task::Cut(incarnation),
            Effect::AnswerPasskey { incarnation, command, answer } => {
                Task::AnswerPasskey { incarnation, command, answer }
            }
            Effect::FetchGroups(incarnation) => Task::FetchGroups(incarnation),
            Effect::Record(update) => {
                let write = Box::new(self.write_of(*update));
                self.waiting = Some(Waiting { cause: cause.clone(), what: WaitedFor::Record(write.clone()) });
                Task::Write { write, keys_of: None }
            }
            Effect::Claim { incarnation, update } => {
                let keys_of = update.change.links.as_ref().map(|_| incarnation);
                let write = Box::new(self.write_of(*update));
                let what = WaitedFor::Claim(incarnation, write.id, write.change.finished.clone());
                self.waiting = Some(Waiting { cause: cause.clone(), what });
                Task::Write { write, keys_of }
            }
            Effect::Retire => Task::End(End::Retired),
        }
    }

    fn write_of(&mut self, update: Update) -> Write {
        self.writes += 1;
        // Unique among the lives of all accounts, as the seed is.
        let mixed =
            self.seed.rotate_left(64) ^ u128::from(self.writes).wrapping_mul(0xD6E8_FEB8_6659_FD93_A3B1_95EA_5D2C_9F11);
        let id = ChangeId(uuid::Builder::from_random_bytes(mixed.to_be_bytes()).into_uuid());
        Write { id, follows: self.follows, record: update.record, change: update.change, keys: None }
    }

    /// What came of [`Task::Write`]. Its outcome must be learnt: after the returned pause it
    /// is to be tried again as it was.
    pub fn on_written(&mut self, outcome: Result<Written, StoreError>) -> Option<(Box<Write>, Duration)> {
        let waiting = self.waiting.take()?;
        let Waiting { cause, what } = waiting;
        match (what, outcome) {
            (WaitedFor::Record(write), Ok(Written::Done { settings })) => {
                self.was_written(write.id, settings);
            }
            (WaitedFor::Claim(incarnation, id, _), Ok(Written::Done { settings })) => {
                self.was_written(id, settings);
                self.answer(Input::Claimed(incarnation, Ok(Claim::Granted)), cause);
            }
            (WaitedFor::Claim(incarnation, ..), Ok(Written::NumberTaken { existing_label })) => {
                self.answer(Input::Claimed(incarnation, Ok(Claim::Duplicate { existing_label })), cause);
            }
            // Only a row that somebody changed by hand comes to this.
            (WaitedFor::Record(write), Ok(Written::NumberTaken { existing_label })) => {
                self.was_refused(format!("the number is linked to «{existing_label}»"), write.change.finished);
            }
            (_, Err(StoreError::Fenced)) => self.fence(cause),
            (_, Err(StoreError::Overtaken)) => self.end = Some(End::Overtaken),
            (WaitedFor::Record(write), Err(StoreError::Refused(why) | StoreError::Poisoned(why))) => {
                self.was_refused(why, write.change.finished);
            }
            (WaitedFor::Claim(_, _, finished), Err(StoreError::Refused(why))) => self.was_refused(why, finished),
            (WaitedFor::Record(write), Err(StoreError::Unavailable(_))) => {
                self.waiting = Some(Waiting { cause, what: WaitedFor::Record(write.clone()) });
                return Some((write, self.life.policy().write_retry));
            }
            // Written or not, the next write finds out: a phone is not kept waiting.
            (WaitedFor::Claim(incarnation, ..), Err(StoreError::Unavailable(why) | StoreError::Poisoned(why))) => {
                self.answer(Input::Claimed(incarnation, Err(ClaimError::Failed(why))), cause);
            }
            (what @ (WaitedFor::Opened(_) | WaitedFor::Other), _) => self.waiting = Some(Waiting { cause, what }),
        }
        None
    }

    fn was_written(&mut self, id: ChangeId, settings: Option<ConnectionSettings>) {
        self.follows = Some(id);
        self.settings = settings;
        self.holding = None;
    }

    fn was_refused(&mut self, reason: String, commands: Vec<crate::domain::Finished>) {
        self.end = Some(match self.holding.take() {
            None => {
                let reason = StatusReason::new(Reason::WriteRefused, reason);
                End::Refused(Trouble { reason, commands, is_muted: false })
            }
            Some(trouble) if !trouble.is_muted => End::Refused(Trouble { is_muted: true, ..trouble }),
            Some(trouble) => End::Unwritable(trouble.reason.to_string()),
        });
    }

    /// What came of [`Task::Open`]: whether there is a connection now.
    pub fn on_opened(&mut self, outcome: Result<(), StoreError>) {
        let Some(Waiting { cause, what: WaitedFor::Opened(incarnation) }) = self.waiting.take() else { return };
        let reason = match outcome {
            Ok(()) => return,
            Err(StoreError::Fenced) => return self.fence(cause),
            Err(StoreError::Overtaken) => return self.end = Some(End::Overtaken),
            Err(StoreError::Poisoned(why)) => CloseReason::KeysUnusable(why),
            Err(StoreError::Refused(why) | StoreError::Unavailable(why)) => CloseReason::StoreFailed(why),
        };
        self.answer(Input::Session(incarnation, SessionEvent::Ended { reason }), cause);
    }

    /// The task that is waited for is done, and has no outcome.
    pub fn on_done(&mut self) {
        self.waiting = None;
    }

    /// Before whatever else happened.
    fn answer(&mut self, input: Input, cause: C) {
        self.inbox.push_front(Caused { what: input, cause });
    }
}

#[cfg(test)]
mod tests;
