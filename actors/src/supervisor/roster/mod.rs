//! Decides which actors run, which accounts are given up, and which actor gets a command. A
//! pure machine.

mod hand_over;
mod policy;
mod shares;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    AccountId, CommandId, CommandRow, Ending, Fence, Instant, Member, Owned, Retired, Survey, Trouble,
};
use hand_over::HandOver;
use shares::Shares;
use writes::Writes;

pub use policy::RosterPolicy;
pub use writes::RosterWrite;

/// The outcome of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    Running,
    /// The row does not exist, or belongs to another daemon.
    Absent,
    /// The database did not say.
    Failed,
}

/// An order to the shell.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive {
    /// Load the row and start an actor: [`Roster::on_started`] hears how it went.
    Start(Member),
    /// The same, for an account that is to be held.
    StartHeld(AccountId, Trouble),
    /// Hand the command over; [`Roster::requeue`] it if that fails.
    Deliver(AccountId, CommandRow),
    /// Write this: [`Roster::on_written`] hears what came of it.
    Write(RosterWrite),
    /// [`Roster::requeue`] every command that an actor of this account left undone, but for
    /// those that the next one ends.
    RequeueOf(AccountId, Vec<CommandId>),
    /// Tell the actor to disconnect and end.
    Drain(Member),
    /// The same, since another daemon is to go on.
    HandOver(Member),
    /// Tell the actor that the account is another daemon's: end at once and write nothing.
    FenceOff(Member),
    /// Claim at most so many free accounts: [`Roster::on_claimed`] hears how many it got, or
    /// [`Roster::on_claim_failed`].
    Claim(u32),
    /// Nothing of the account runs here: give it up, [`Roster::on_released`] hears how it
    /// went. Puts back every command of it.
    Release(AccountId, Fence),
    /// Ask the database for commands, with `resync` for the whole fleet, too:
    /// [`Roster::on_polled`] or [`Roster::on_poll_failed`] hears what came of it.
    Poll { resync: bool },
    /// No actor is left.
    Drained,
}

/// What a look at the database must find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    resync: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Slot {
    /// Commands that came meanwhile wait for the start.
    Starting {
        queued: Vec<CommandRow>,
        failures: u32,
        /// The reason for which it must be held, if any.
        trouble: Option<Trouble>,
    },
    Running {
        since: Instant,
        failures: u32,
    },
    /// Was told to leave, and has not ended yet.
    Leaving,
    /// Crashed; restarts at `until`.
    BackingOff {
        until: Instant,
        queued: Vec<CommandRow>,
        failures: u32,
        trouble: Option<Trouble>,
    },
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Roster {
    policy: RosterPolicy,
    slots: BTreeMap<Member, Slot>,
    /// Accounts on their way to another daemon; not started here again.
    handing_over: BTreeMap<AccountId, HandOver>,
    shares: Shares,
    draining: bool,
    /// The lease is lost: no actor starts before it is back.
    suspended: bool,
    /// A look at the database is under way.
    polling: bool,
    /// The look that must follow it, if any.
    again: Option<Wanted>,
    /// The next look after one that failed, and when.
    retry: Option<(Instant, Wanted)>,
    writes: Writes,
    /// Members that the current look does not cover, since they came after it had begun.
    newcomers: BTreeSet<Member>,
    /// Accounts that were given up since it had begun: commands that it took for them may be
    /// back in the queue.
    given_up: BTreeSet<AccountId>,
    /// It began before a drain, or a loss of the lease, that is over: every account may have
    /// been given up since.
    is_void: bool,
    /// Other daemons live that would go on with what this one gives up.
    has_heirs: bool,
    /// Spreads restarts; see [`Backoff`].
    seed: u128,
}

impl Roster {
    pub fn new(policy: RosterPolicy, seed: u128) -> Self {
        Self {
            policy,
            slots: BTreeMap::new(),
            handing_over: BTreeMap::new(),
            shares: Shares::new(policy),
            draining: false,
            suspended: false,
            polling: false,
            again: None,
            retry: None,
            writes: Writes::new(policy, seed),
            newcomers: BTreeSet::new(),
            given_up: BTreeSet::new(),
            is_void: false,
            has_heirs: false,
            seed,
        }
    }

    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// There may be new commands; with `resync`, anything may have changed. Only one look runs at
    /// a time: requests meanwhile are combined into one more after it.
    pub fn wake(&mut self, resync: bool) -> Vec<Directive> {
        if self.is_stopped() {
            return Vec::new();
        }
        if self.polling {
            let resync = resync || self.again.is_some_and(|again| again.resync);
            self.again = Some(Wanted { resync });
            return Vec::new();
        }
        let resync = resync || self.retry.take().is_some_and(|(_, failed)| failed.resync);
        self.polling = true;
        self.newcomers.clear();
        self.given_up.clear();
        self.is_void = false;
        vec![Directive::Poll { resync }]
    }

    /// The result of [`Directive::Poll`].
    pub fn on_polled(&mut self, survey: Option<&Survey>, commands: Vec<CommandRow>, now: Instant) -> Vec<Directive> {
        self.polling = false;
        let survey = survey.filter(|_| !self.is_void);
        let mut directives = survey.map(|survey| self.on_survey(survey, now)).unwrap_or_default();
        // Such a command does not block the account's next one, so look for that at once. After any
        // other command, its end triggers the next look.
        if commands.iter().any(CommandRow::runs_concurrently) {
            self.again = Some(self.again.unwrap_or(Wanted { resync: false }));
        }
        for row in commands {
            directives.extend(self.on_command(row));
        }
        if let Some(again) = self.again.take() {
            directives.extend(self.wake(again.resync));
        }
        directives.extend(self.writes.on_answer(now));
        directives
    }

    /// The database did not answer to a look for this: another one follows in a while.
    pub fn on_poll_failed(&mut self, resync: bool, now: Instant) {
        self.polling = false;
        let asked = self.again.take().is_some_and(|again| again.resync);
        self.poll_later(resync || asked, now);
    }

    fn poll_later(&mut self, resync: bool, now: Instant) {
        let resync = resync || self.retry.is_some_and(|(_, failed)| failed.resync);
        self.retry = Some((now.after(self.policy.poll_retry), Wanted { resync }));
    }

    /// The database's word on the fleet: starts and fences off, claims what is
    /// missing to a fair share, or gives up what is beyond it.
    fn on_survey(&mut self, survey: &Survey, now: Instant) -> Vec<Directive> {
        self.has_heirs = survey.daemons > 1;
        if self.is_stopped() {
            return Vec::new();
        }
        let mut directives = Vec::new();
        let mine = survey.owned.iter().filter(|own| own.needs_daemon() && !self.is_handed_over(own.account));
        let plan = self.shares.plan(survey, u32::try_from(mine.count()).unwrap_or(u32::MAX), now);
        let leaving = self.leavers(&survey.owned, plan.give_up);
        for own in leaving {
            directives.extend(self.hand_over(own));
        }
        directives.extend(self.on_owned(&survey.owned));
        if plan.claim > 0 {
            directives.push(Directive::Claim(plan.claim));
        }
        directives
    }

    /// The result of [`Directive::Claim`].
    pub fn on_claimed(&mut self, asked: u32, got: u32) -> Vec<Directive> {
        self.shares.on_claimed(asked, got);
        if got > 0 { self.wake(true) } else { Vec::new() }
    }

    /// The database did not answer to a claim.
    pub fn on_claim_failed(&mut self, now: Instant) {
        self.poll_later(true, now);
    }

    /// The result of [`Directive::Release`]; an account that could not be given up is taken back.
    pub fn on_released(&mut self, account: AccountId, fence: Fence, done: bool) -> Vec<Directive> {
        if !done {
            return self.writes.begin(RosterWrite::Retake(account, fence)).into_iter().collect();
        }
        let Some(HandOver { commands, .. }) = self.handing_over.remove(&account) else { return Vec::new() };
        self.given_up.insert(account);
        // The release put back the commands that were taken before it. An account at rest may
        // have been claimed again for its next command right after the release; that command
        // is put back here.
        commands.into_iter().filter_map(|taken| self.writes.requeue(vec![taken])).collect()
    }

    /// An account whose release did not come about goes on here.
    fn keep(&mut self, account: AccountId) -> Vec<Directive> {
        if self.handing_over.remove(&account).is_none() {
            return Vec::new();
        }
        let mut directives = vec![Directive::RequeueOf(account, Vec::new())];
        directives.extend(self.wake(true));
        directives
    }

    /// The database's word on what this daemon owns: starts who is missing, and
    /// fences off who runs here but is owned elsewhere.
    fn on_owned(&mut self, owned: &[Owned]) -> Vec<Directive> {
        if self.is_stopped() {
            return Vec::new();
        }
        let mut directives = Vec::new();
        let handing_over = &self.handing_over;
        let staying = || owned.iter().filter(|own| !handing_over.contains_key(&own.account));
        let accounts = staying().filter(|own| own.active).map(|own| Member::Account(own.account));
        let tickets = staying().flat_map(|own| own.tickets.iter().copied().map(Member::Ticket));
        for member in accounts.chain(tickets) {
            self.slots.entry(member).or_insert_with(|| {
                directives.push(Directive::Start(member));
                Slot::Starting { queued: Vec::new(), failures: 0, trouble: None }
            });
        }
        let tickets = owned.iter().flat_map(|own| own.tickets.iter().copied().map(Member::Ticket));
        let mine: BTreeSet<Member> = owned.iter().map(|own| Member::Account(own.account)).chain(tickets).collect();
        for (member, slot) in &mut self.slots {
            let is_judged = !self.newcomers.contains(member);
            if is_judged && !mine.contains(member) && matches!(slot, Slot::Running { .. }) {
                *slot = Slot::Leaving;
                directives.push(Directive::FenceOff(*member));
            }
        }
        directives
    }

    /// A command was taken from the queue for one of our accounts.
    fn on_command(&mut self, row: CommandRow) -> Vec<Directive> {
        let account = row.account;
        let member = Member::Account(account);
        if self.is_stopped() || self.is_void || self.given_up.contains(&account) {
            return self.requeue(vec![row.taken()]);
        }
        if let Some(hand_over) = self.handing_over.get_mut(&account) {
            // Put back when the release is over: earlier, it would only be taken here again.
            hand_over.commands.push(row.taken());
            return Vec::new();
        }
        match self.slots.get_mut(&member) {
            None => {
                self.slots.insert(member, Slot::Starting { queued: vec![row], failures: 0, trouble: None });
                vec![Directive::Start(member)]
            }
            Some(Slot::Starting { queued, .. } | Slot::BackingOff { queued, .. }) => {
                queued.push(row);
                Vec::new()
            }
            Some(Slot::Running { .. }) => vec![Directive::Deliver(account, row)],
            // When it retires, its unfinished commands are put back.
            Some(Slot::Leaving) => Vec::new(),
        }
    }

    /// Starting → Running | BackingOff | (no slot)
    pub fn on_started(&mut self, member: Member, how: Started, now: Instant) -> Vec<Directive> {
        let Some(Slot::Starting { queued, failures, trouble }) = self.slots.get_mut(&member) else {
            return Vec::new();
        };
        let (queued, failures, trouble) = (std::mem::take(queued), *failures, trouble.take());
        match how {
            Started::Running if self.suspended => {
                self.slots.insert(member, Slot::Leaving);
                vec![Directive::FenceOff(member)]
            }
            Started::Running if self.draining => {
                self.slots.insert(member, Slot::Leaving);
                vec![self.order_to_leave()(member)]
            }
            Started::Running => {
                self.slots.insert(member, Slot::Running { since: now, failures });
                queued.into_iter().map(|row| Directive::Deliver(row.account, row)).collect()
            }
            Started::Absent => self.remove(member, queued, trouble),
            Started::Failed if self.is_stopped() => self.remove(member, queued, trouble),
            Started::Failed => {
                self.back_off(member, queued, failures, trouble, now);
                Vec::new()
            }
        }
    }

    /// any → BackingOff | (no slot)
    pub fn on_retired(&mut self, retired: Retired, now: Instant) -> Vec<Directive> {
        let member = retired.member;
        let Some(slot) = self.slots.remove(&member) else { return Vec::new() };
        if let Some(account) = self.handed_over_with(member) {
            return self.release_when_empty(account).into_iter().chain(self.drained()).collect();
        }
        let mut directives = Vec::new();
        if let Member::Account(account) = member {
            let ended_by_the_next = match &retired.ending {
                Ending::Refused(trouble) if !self.is_stopped() => {
                    trouble.commands.iter().map(|finished| finished.command).collect()
                }
                Ending::Refused(_) | Ending::Done | Ending::Crashed | Ending::Overtaken | Ending::Unwritable(_) => {
                    Vec::new()
                }
            };
            directives.push(Directive::RequeueOf(account, ended_by_the_next));
        }
        let failures = match slot {
            Slot::Running { since, failures } if since.until(now) < self.policy.stable_after => failures,
            Slot::Running { .. } | Slot::Leaving => 0,
            Slot::Starting { failures, .. } | Slot::BackingOff { failures, .. } => failures,
        };
        match (retired.ending, member) {
            (Ending::Done, _) => directives.extend(self.wake(true)),
            // At once: the change that holds it is another one than that which was refused.
            (Ending::Refused(trouble), Member::Account(account)) if !self.is_stopped() => {
                let slot = Slot::Starting { queued: Vec::new(), failures, trouble: Some(trouble.clone()) };
                self.slots.insert(member, slot);
                directives.push(Directive::StartHeld(account, trouble));
            }
            (Ending::Crashed | Ending::Overtaken | Ending::Refused(_) | Ending::Unwritable(_), _) => {
                self.back_off(member, Vec::new(), failures, None, now);
            }
        }
        directives.extend(self.drained());
        directives
    }

    /// When [`Roster::on_deadline`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.slots
            .values()
            .filter_map(|slot| match slot {
                Slot::BackingOff { until, .. } => Some(*until),
                Slot::Starting { .. } | Slot::Running { .. } | Slot::Leaving => None,
            })
            .chain(self.shares.wake())
            .chain(self.retry.map(|(due, _)| due))
            .chain(self.writes.deadline())
            .min()
    }

    /// BackingOff → Starting; the next round of sharing out; and what failed is tried again.
    pub fn on_deadline(&mut self, now: Instant) -> Vec<Directive> {
        let mut directives = self.writes.on_deadline(now);
        if self.shares.is_due(now) {
            directives.extend(self.wake(true));
        }
        if let Some((_, failed)) = self.retry.take_if(|(due, _)| *due <= now) {
            directives.extend(self.wake(failed.resync));
        }
        directives.extend(self.start_again(now));
        directives
    }

    fn start_again(&mut self, now: Instant) -> Vec<Directive> {
        let mut directives = Vec::new();
        for (member, slot) in &mut self.slots {
            if let Slot::BackingOff { until, queued, failures, trouble } = slot
                && *until <= now
            {
                let trouble = trouble.take();
                directives.push(match (*member, trouble.clone()) {
                    (Member::Account(account), Some(trouble)) => Directive::StartHeld(account, trouble),
                    (member, _) => Directive::Start(member),
                });
                *slot = Slot::Starting { queued: std::mem::take(queued), failures: *failures, trouble };
            }
        }
        directives
    }

    /// An admin restarts this account's actor. Running → Leaving, then started by a resync.
    pub fn on_restart(&mut self, account: AccountId) -> Vec<Directive> {
        let member = Member::Account(account);
        let may_start = !self.is_stopped() && !self.is_handed_over(account);
        match self.slots.get_mut(&member) {
            Some(slot @ Slot::Running { .. }) => {
                *slot = Slot::Leaving;
                vec![Directive::Drain(member)]
            }
            Some(Slot::BackingOff { until, .. }) => {
                *until = Instant(0);
                self.start_again(Instant(0))
            }
            Some(Slot::Starting { .. } | Slot::Leaving) => Vec::new(),
            None if !may_start => Vec::new(),
            None => {
                self.slots.insert(member, Slot::Starting { queued: Vec::new(), failures: 0, trouble: None });
                self.newcomers.insert(member);
                vec![Directive::Start(member)]
            }
        }
    }

    /// The daemon stops: all actors leave, and none starts. [`Directive::Drained`] follows once
    /// no actor is left, also for a drain that is requested after that.
    pub fn on_drain(&mut self) -> Vec<Directive> {
        if self.draining {
            return self.drained().into_iter().collect();
        }
        self.draining = true;
        let mut directives = Vec::new();
        let order = self.order_to_leave();
        for (member, slot) in &mut self.slots {
            if matches!(slot, Slot::Running { .. }) {
                *slot = Slot::Leaving;
                directives.push(order(*member));
            }
        }
        directives.extend(self.remove_backing_off());
        directives.extend(self.drained());
        directives
    }

    /// A plain drain tells consumers at once that the accounts are disconnected; a hand-over
    /// leaves that to the next owner.
    fn order_to_leave(&self) -> fn(Member) -> Directive {
        if self.has_heirs { Directive::HandOver } else { Directive::Drain }
    }

    /// The drain is undone: actors that left may start again; those still leaving end first.
    pub fn on_undrain(&mut self) -> Vec<Directive> {
        if std::mem::take(&mut self.draining) { self.begin_anew() } else { Vec::new() }
    }

    /// The lease is lost: all actors end at once and write nothing, and none starts before it is
    /// back.
    pub fn on_lease_lost(&mut self) -> Vec<Directive> {
        self.suspended = true;
        // The outcome of their release is not awaited. Accounts that still have a slot put back
        // their commands when they retire.
        let left = std::mem::take(&mut self.handing_over).into_keys();
        let without_slot = left.filter(|account| !self.slots.contains_key(&Member::Account(*account)));
        let mut directives: Vec<Directive> =
            without_slot.map(|account| Directive::RequeueOf(account, Vec::new())).collect();
        for (member, slot) in &mut self.slots {
            // A member that is already leaving may still be disconnecting properly.
            if matches!(slot, Slot::Running { .. } | Slot::Leaving) {
                *slot = Slot::Leaving;
                directives.push(Directive::FenceOff(*member));
            }
        }
        directives.extend(self.remove_backing_off());
        directives.extend(self.drained());
        directives
    }

    /// The lease is back: accounts that are still ours start again.
    pub fn on_lease_back(&mut self) -> Vec<Directive> {
        if std::mem::take(&mut self.suspended) { self.begin_anew() } else { Vec::new() }
    }

    fn begin_anew(&mut self) -> Vec<Directive> {
        self.is_void = self.polling;
        self.wake(true)
    }

    /// No actor may start now, so there is nothing to look for.
    pub fn is_stopped(&self) -> bool {
        self.draining || self.suspended
    }

    /// The accounts that have a slot now.
    pub fn accounts(&self) -> Vec<AccountId> {
        let accounts = self.slots.keys().filter_map(|member| match member {
            Member::Account(account) => Some(*account),
            Member::Ticket(_) => None,
        });
        accounts.collect()
    }

    /// The members that have a slot now.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.slots.keys().copied()
    }

    /// BackingOff → (no slot)
    fn remove_backing_off(&mut self) -> Vec<Directive> {
        let mut directives = Vec::new();
        self.slots.retain(|member, slot| {
            let Slot::BackingOff { queued, trouble, .. } = slot else { return true };
            directives.extend(put_back(&mut self.writes, *member, std::mem::take(queued), trouble.take()));
            false
        });
        directives
    }

    /// Removes the member's slot and puts back the commands that waited for it.
    fn remove(&mut self, member: Member, queued: Vec<CommandRow>, trouble: Option<Trouble>) -> Vec<Directive> {
        self.slots.remove(&member);
        let mut directives = put_back(&mut self.writes, member, queued, trouble);
        directives.extend(self.drained());
        directives
    }

    fn back_off(
        &mut self,
        member: Member,
        queued: Vec<CommandRow>,
        failures: u32,
        trouble: Option<Trouble>,
        now: Instant,
    ) {
        if self.is_stopped() {
            return;
        }
        let until = now.after(self.policy.restart.wait(failures, self.seed));
        let failures = failures.saturating_add(1);
        self.slots.insert(member, Slot::BackingOff { until, queued, failures, trouble });
    }

    fn drained(&self) -> Option<Directive> {
        (self.draining && self.slots.is_empty()).then_some(Directive::Drained)
    }
}

/// Puts back the commands that waited for a member that does not start, and those that its
/// start would have ended.
fn put_back(writes: &mut Writes, member: Member, queued: Vec<CommandRow>, trouble: Option<Trouble>) -> Vec<Directive> {
    let of_the_trouble = match member {
        Member::Account(account) if trouble.is_some() => Some(Directive::RequeueOf(account, Vec::new())),
        Member::Account(_) | Member::Ticket(_) => None,
    };
    queued.into_iter().filter_map(|row| writes.requeue(vec![row.taken()])).chain(of_the_trouble).collect()
}

#[cfg(test)]
mod sharing_tests;
#[cfg(test)]
mod tests;
