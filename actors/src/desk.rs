//! Decides what an actor does next: carries out its machine's orders one at a time, and steps
//! the next input when there are none. Pure, so that the simulation runs the same code.

use std::collections::VecDeque;

use crate::{
    domain::{Backoff, Ending, Instant, Retry},
    machine::{self, Machine, Stepped},
};

/// A machine that has an actor: turns its orders into tasks, and their answers into inputs.
pub trait Work: Machine {
    /// One thing for the shell to do.
    type Task;
    /// The outcome of a task that the desk waits for.
    type Answer;

    const DEADLINE: Self::Input;
    /// The input that says that the account is, or may soon be, another daemon's.
    const FENCED: Self::Input;

    /// Right before an order is carried out. `is_leased`: whether the daemon has had its
    /// lease since this life began, up to this moment.
    fn begin(&mut self, order: Self::Effect, now: Instant, is_leased: bool) -> Begun<Self::Task>;

    fn on_answer(&mut self, answer: Self::Answer) -> Then<Self::Input, Self::Task>;

    /// Orders to close, to refuse and to retire; everything else is the next owner's.
    fn outlives_a_fence(order: &Self::Effect) -> bool;

    /// Between two tries of a write whose outcome is not known, and this life's randomness.
    fn retry(&self) -> (Backoff, u128);
}

/// The result of beginning an order.
#[derive(Clone, Debug)]
pub enum Begun<T> {
    Task(T, Wait),
    /// The actor ends.
    Retire,
}

/// Whether the next order or input waits for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It goes on meanwhile, and ends with an input.
    No,
    /// Until it is answered, or the actor is fenced.
    UnlessFenced,
    /// Until it is answered.
    Always,
}

/// The step that follows an answer.
#[derive(Clone, Debug)]
pub enum Then<I, T> {
    Proceed,
    /// Step this input before all that are queued.
    Input(I),
    /// The outcome of a write is unknown, for this reason. The same write is repeated after a
    /// pause until its outcome is known.
    Again(T, String),
    /// As [`Desk::fence`].
    Fence,
    /// The actor ends.
    End(Ending),
}

/// An input or an order, with its cause.
#[derive(Clone, Debug)]
pub struct Caused<T, C> {
    pub what: T,
    pub cause: C,
}

/// The result of [`Desk::next`].
#[derive(Clone, Debug)]
pub enum Next<T, C> {
    Task {
        task: T,
        wait: Wait,
        cause: C,
    },
    /// The machine has another state now; there may be more to do.
    Moved {
        from: &'static str,
        to: &'static str,
        cause: C,
    },
    /// The actor ends.
    End(Ending),
    /// Nothing, until something comes.
    Nothing,
}

/// A write is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrying {
    pub why: String,
    pub is_first: bool,
}

/// See the module. `C` identifies the command that work is done for; in the shell, a span.
#[derive(Clone, Debug)]
pub struct Desk<W: Work, C> {
    work: W,
    /// Inputs that were not stepped yet.
    inbox: VecDeque<Caused<W::Input, C>>,
    /// Orders that were not carried out yet.
    orders: VecDeque<Caused<W::Effect, C>>,
    /// A task is under way that the next one must wait for.
    waiting: Option<Waiting<W::Task, C>>,
    end: Option<Ending>,
    /// The cause of work that no command asked for.
    root: C,
}

#[derive(Clone, Debug)]
struct Waiting<T, C> {
    wait: Wait,
    cause: C,
    retry: Retry,
    /// To be tried again when that is due.
    again: Option<T>,
}

impl<W: Work, C: Clone> Desk<W, C> {
    pub fn new(work: W, first: Vec<W::Effect>, root: C) -> Self {
        let orders = first.into_iter().map(|what| Caused { what, cause: root.clone() }).collect();
        Self { work, inbox: VecDeque::new(), orders, waiting: None, end: None, root }
    }

    pub fn work(&self) -> &W {
        &self.work
    }

    /// When [`Desk::on_deadline`] is due; `None` also while an answer is waited for, since
    /// nothing is stepped before that is over.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.waiting {
            None => self.work.deadline(),
            Some(waiting) => waiting.retry.due(),
        }
    }

    /// It was reached.
    pub fn on_deadline(&mut self) {
        if self.waiting.is_none() {
            // The command that set the deadline has usually ended long ago.
            self.inbox.push_back(Caused { what: W::DEADLINE, cause: self.root.clone() });
        }
    }

    /// Queues an input. Without a cause of its own it counts as not asked for by a command.
    pub fn take(&mut self, input: W::Input, cause: Option<C>) {
        self.inbox.push_back(Caused { what: input, cause: cause.unwrap_or_else(|| self.root.clone()) });
    }

    /// The account is, or may soon be, another daemon's: stops waiting for the store, and drops
    /// the orders that are the next owner's.
    pub fn fence(&mut self) {
        self.fence_by(self.root.clone());
    }

    fn fence_by(&mut self, cause: C) {
        self.waiting.take_if(|waiting| waiting.wait != Wait::Always);
        self.orders.retain(|order| W::outlives_a_fence(&order.what));
        self.inbox.push_front(Caused { what: W::FENCED, cause });
    }

    /// A former defect of `fence`, which the simulation must detect.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn forget_orders(&mut self) {
        self.orders.clear();
    }

    /// One input → all its effects → the next input.
    pub fn next(&mut self, now: Instant, is_leased: bool) -> Next<W::Task, C> {
        if let Some(Waiting { wait, cause, retry, again }) = &mut self.waiting {
            return match again.take_if(|_| retry.begin_if_due(now)) {
                Some(task) => Next::Task { task, wait: *wait, cause: cause.clone() },
                None => Next::Nothing,
            };
        }
        if let Some(ending) = self.end.take() {
            self.orders.clear();
            self.inbox.clear();
            return Next::End(ending);
        }
        loop {
            if let Some(Caused { what: order, cause }) = self.orders.pop_front() {
                return match self.work.begin(order, now, is_leased) {
                    Begun::Retire => Next::End(Ending::Done),
                    Begun::Task(task, wait) => {
                        self.waiting = (wait != Wait::No).then(|| Waiting {
                            wait,
                            cause: cause.clone(),
                            retry: Retry::default(),
                            again: None,
                        });
                        Next::Task { task, wait, cause }
                    }
                };
            }
            let Some(Caused { what: input, cause }) = self.inbox.pop_front() else { return Next::Nothing };
            let Stepped { effects, moved } = machine::step(&mut self.work, input, now);
            self.orders.extend(effects.into_iter().map(|what| Caused { what, cause: cause.clone() }));
            if let Some((from, to)) = moved {
                return Next::Moved { from, to, cause };
            }
        }
    }

    /// The task that the desk waits for has ended.
    pub fn on_answer(&mut self, answer: W::Answer, now: Instant) -> Option<Retrying> {
        let Waiting { wait, cause, mut retry, .. } = self.waiting.take()?;
        match self.work.on_answer(answer) {
            Then::Proceed => {}
            Then::Input(input) => self.inbox.push_front(Caused { what: input, cause }),
            Then::Again(task, why) => {
                let (backoff, seed) = self.work.retry();
                let is_first = retry.on_failed(backoff, seed, now);
                self.waiting = Some(Waiting { wait, cause, retry, again: Some(task) });
                return Some(Retrying { why, is_first });
            }
            Then::Fence => self.fence_by(cause),
            Then::End(ending) => self.end = Some(ending),
        }
        None
    }
}
