use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::domain::{Command, Finished, Reason, StoreError, Taken, TakingId};

const NOW: Instant = Instant(1_700_000_000_000);

fn policy() -> RosterPolicy {
    RosterPolicy::default()
}

fn account(nth: u8) -> AccountId {
    AccountId(Uuid::from_u128(nth.into()))
}

fn owned(nth: u8) -> Owned {
    Owned { account: account(nth), fence: Fence(1), movable: true, active: true, tickets: Vec::new() }
}

fn row(nth: u8, id: i64) -> CommandRow {
    CommandRow {
        id: CommandId(id),
        taking: taken(id).taking,
        account: account(nth),
        kind: "account.pair".to_owned(),
        command: Command::parse("account.pair", &json!({})),
        source: "web".to_owned(),
        created_at: NOW,
    }
}

fn taken(id: i64) -> Taken {
    Taken { command: CommandId(id), taking: TakingId(Uuid::from_u128(7)) }
}

fn requeue(id: i64) -> Directive {
    Directive::Write(RosterWrite::Requeue(vec![taken(id)]))
}

fn member(nth: u8) -> Member {
    Member::Account(account(nth))
}

#[test]
fn a_command_for_a_resting_account_starts_its_actor_first() {
    let mut roster = Roster::new(policy(), 1);
    assert_eq!(roster.on_command(row(1, 7)), [Directive::Start(member(1))]);
    let started = roster.on_started(member(1), Started::Running, NOW);
    assert_eq!(started, [Directive::Deliver(account(1), row(1, 7))]);
    assert_eq!(roster.on_command(row(1, 8)), [Directive::Deliver(account(1), row(1, 8))]);
}

#[test]
fn a_crashed_actor_comes_back_after_a_rest_that_grows() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1)]);
    let mut now = NOW;
    let mut rests = Vec::new();
    for _ in 0..5 {
        roster.on_started(member(1), Started::Running, now);
        let gone = roster.on_retired(Retired::of(member(1), Ending::Crashed), now);
        assert!(gone.contains(&Directive::RequeueOf(account(1), Vec::new())), "its commands are put back: {gone:?}");
        let due = roster.deadline().unwrap();
        rests.push(now.until(due));
        now = due;
        assert_eq!(roster.on_deadline(now), [Directive::Start(member(1))]);
    }
    assert!(rests.windows(2).all(|pair| pair[1] > pair[0]), "{rests:?}");
}

#[test]
fn an_account_that_another_daemon_owns_now_is_fenced_off() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1), owned(2)]);
    roster.on_started(member(1), Started::Running, NOW);
    roster.on_started(member(2), Started::Running, NOW);
    assert_eq!(roster.on_owned(&[owned(2)]), [Directive::FenceOff(member(1))]);
}

#[test]
fn an_account_that_arrives_during_a_look_is_not_judged_by_it() {
    let mut roster = Roster::new(policy(), 1);
    assert_eq!(roster.wake(true), [Directive::Poll { resync: true }]);
    assert_eq!(roster.on_restart(account(1)), [Directive::Start(member(1))]);
    roster.on_started(member(1), Started::Running, NOW);
    let asked_before = Survey { daemons: 1, ..Survey::default() };
    assert_eq!(roster.on_polled(Some(&asked_before), Vec::new(), NOW), []);
    roster.wake(true);
    assert_eq!(roster.on_polled(Some(&asked_before), Vec::new(), NOW), [Directive::FenceOff(member(1))]);
}

#[test]
fn commands_taken_by_a_look_from_before_a_drain_are_requeued() {
    for is_drain in [true, false] {
        let mut roster = Roster::new(policy(), 1);
        roster.wake(true);
        if is_drain {
            roster.on_drain();
            assert_eq!(roster.on_undrain(), []);
        } else {
            roster.on_lease_lost();
            assert_eq!(roster.on_lease_back(), []);
        }
        let survey = Survey { owned: vec![owned(2)], needing: 1, daemons: 1, least: 1 };
        let directives = roster.on_polled(Some(&survey), vec![row(1, 7)], NOW);
        assert_eq!(directives, [requeue(7), Directive::Poll { resync: true }]);
        assert_eq!(roster.on_polled(None, vec![row(1, 7)], NOW), [Directive::Start(member(1))]);
    }
}

#[test]
fn an_unreadable_row_keeps_the_reason_for_the_hold() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1)]);
    roster.on_started(member(1), Started::Running, NOW);
    let finished = Finished { command: CommandId(7), kind: "account.unpair".to_owned(), result: Ok(String::new()) };
    let trouble = Trouble { reason: Reason::WriteRefused.into(), commands: vec![finished], is_muted: false };
    roster.on_retired(Retired::of(member(1), Ending::Refused(trouble.clone())), NOW);
    roster.on_started(member(1), Started::Failed, NOW);
    let due = roster.deadline().unwrap();
    let mut stopped = roster.clone();
    assert_eq!(roster.on_deadline(due), [Directive::StartHeld(account(1), trouble)]);
    assert_eq!(stopped.on_drain(), [Directive::RequeueOf(account(1), Vec::new()), Directive::Drained]);
}

#[test]
fn a_refused_write_makes_its_account_begin_again_and_be_held() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1)]);
    roster.on_started(member(1), Started::Running, NOW);
    let finished = Finished { command: CommandId(7), kind: "account.unpair".to_owned(), result: Ok(String::new()) };
    let trouble = Trouble { reason: Reason::WriteRefused.into(), commands: vec![finished], is_muted: false };
    let directives = roster.on_retired(Retired::of(member(1), Ending::Refused(trouble.clone())), NOW);
    let expected = [Directive::RequeueOf(account(1), vec![CommandId(7)]), Directive::StartHeld(account(1), trouble)];
    assert_eq!(directives, expected, "the next one ends the command, so nobody else may");
    assert!(roster.on_started(member(1), Started::Failed, NOW).is_empty());
    let again = roster.deadline().unwrap();
    assert!(
        matches!(roster.on_deadline(again)[..], [Directive::StartHeld(..)]),
        "the database did not say: still to be held"
    );
    roster.on_started(member(1), Started::Running, NOW);
    roster.on_retired(Retired::of(member(1), Ending::Unwritable("no".to_owned())), NOW);
    assert!(roster.deadline().is_some(), "it is looked at again later");
}

#[test]
fn looks_run_one_at_a_time_and_later_requests_follow() {
    let mut roster = Roster::new(policy(), 1);
    assert_eq!(roster.wake(false), [Directive::Poll { resync: false }]);
    assert_eq!(roster.wake(true), []);
    assert_eq!(roster.wake(false), []);
    assert_eq!(roster.on_polled(None, Vec::new(), NOW), [Directive::Poll { resync: true }], "all that was asked for");
    roster.on_poll_failed(true, NOW);
    let again = roster.deadline().unwrap();
    assert_eq!(roster.on_deadline(again), [Directive::Poll { resync: true }], "by itself, after a while");
    let slow = CommandRow { kind: "groups.sync".to_owned(), ..row(1, 7) };
    let directives = roster.on_polled(None, vec![slow], NOW);
    assert!(directives.contains(&Directive::Poll { resync: false }), "nobody waits for it: {directives:?}");
}

#[test]
fn a_repeated_drain_reports_again_that_no_account_is_left() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1)]);
    roster.on_started(member(1), Started::Running, NOW);
    roster.on_drain();
    assert_eq!(roster.on_drain(), [], "one still leaves");
    roster.on_retired(Retired::of(member(1), Ending::Done), NOW);
    assert_eq!(roster.on_drain(), [Directive::Drained]);
}

#[test]
fn a_lost_lease_also_reaches_leaving_accounts() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1)]);
    roster.on_started(member(1), Started::Running, NOW);
    roster.on_restart(account(1));
    assert_eq!(roster.on_lease_lost(), [Directive::FenceOff(member(1))]);
}

#[test]
fn a_drain_ends_every_account_and_reports_the_last() {
    let mut roster = Roster::new(policy(), 1);
    roster.on_owned(&[owned(1), owned(2)]);
    roster.on_started(member(1), Started::Running, NOW);
    assert_eq!(roster.on_drain(), [Directive::Drain(member(1))]);
    assert_eq!(roster.on_command(row(1, 9)), [requeue(9)]);
    assert_eq!(roster.on_started(member(2), Started::Running, NOW), [Directive::Drain(member(2))]);
    assert!(!roster.on_retired(Retired::of(member(1), Ending::Done), NOW).contains(&Directive::Drained));
    assert!(roster.on_retired(Retired::of(member(2), Ending::Done), NOW).contains(&Directive::Drained));
}

#[test]
fn a_cancelled_drain_lets_released_accounts_start_again() {
    let mut roster = Roster::new(policy(), 1);
    assert_eq!(roster.on_undrain(), []);
    roster.on_owned(&[owned(1), owned(2)]);
    for nth in [1, 2] {
        roster.on_started(member(nth), Started::Running, NOW);
    }
    roster.on_drain();
    roster.on_retired(Retired::of(member(1), Ending::Done), NOW);
    assert_eq!(roster.on_undrain(), [Directive::Poll { resync: true }]);
    assert_eq!(roster.on_owned(&[owned(1), owned(2)]), [Directive::Start(member(1))], "the other one still leaves");
    assert!(!roster.on_retired(Retired::of(member(2), Ending::Done), NOW).contains(&Directive::Drained));
    assert_eq!(roster.on_owned(&[owned(1), owned(2)]), [Directive::Start(member(2))]);
}

#[test]
fn failed_writes_are_tried_again_at_once_after_an_outage() {
    let mut roster = Roster::new(policy(), 1);
    assert_eq!(roster.requeue(vec![taken(7)]), [requeue(7)]);
    let write = RosterWrite::Requeue(vec![taken(7)]);
    let away = || Err(StoreError::Unavailable("away".to_owned()));
    let mut now = NOW;
    for _ in 0..10 {
        assert_eq!(roster.on_written(&write, away(), now), []);
        now = roster.deadline().unwrap();
        assert_eq!(roster.on_deadline(now), [requeue(7)]);
    }
    assert_eq!(roster.on_written(&write, away(), now), []);
    assert!(now.until(roster.deadline().unwrap()) > Duration::from_secs(40), "the pauses have grown");

    let back = now.after(Duration::from_secs(2));
    assert_eq!(roster.wake(false), [Directive::Poll { resync: false }]);
    assert_eq!(roster.on_polled(None, Vec::new(), back), [requeue(7)], "the database answers: nobody waits longer");
    assert_eq!(roster.on_written(&write, Ok(()), back), [Directive::Poll { resync: false }]);
    assert_eq!(roster.deadline(), None);
}

#[test]
fn a_write_that_goes_on_failing_follows_no_look_at_once() {
    let mut roster = Roster::new(policy(), 1);
    roster.requeue(vec![taken(7)]);
    let write = RosterWrite::Requeue(vec![taken(7)]);
    roster.on_written(&write, Err(StoreError::Unavailable("locked".to_owned())), NOW);
    roster.wake(false);
    assert_eq!(roster.on_polled(None, Vec::new(), NOW.after(Duration::from_millis(10))), []);
    assert!(NOW.until(roster.deadline().unwrap()) > Duration::from_millis(700));
}

#[test]
fn a_clock_that_is_set_back_delays_no_write() {
    let mut roster = Roster::new(policy(), 1);
    roster.requeue(vec![taken(7)]);
    let write = RosterWrite::Requeue(vec![taken(7)]);
    roster.on_written(&write, Err(StoreError::Unavailable("away".to_owned())), NOW);
    let hours_before = Instant(NOW.0 - 12 * 3_600_000);
    roster.wake(true);
    roster.on_polled(None, Vec::new(), hours_before);
    assert!(hours_before.until(roster.deadline().unwrap()) <= Duration::from_secs(1));
}

#[test]
fn a_look_that_fails_is_repeated_with_all_that_it_was_for() {
    let mut roster = Roster::new(policy(), 1);
    roster.wake(true);
    roster.wake(false);
    roster.on_poll_failed(true, NOW);
    assert_eq!(roster.wake(false), [Directive::Poll { resync: true }], "a notification comes first");
    assert_eq!(roster.deadline(), None, "there is one look to come, not two");
    roster.on_poll_failed(true, NOW);
    roster.on_claim_failed(NOW);
    let due = roster.deadline().unwrap();
    assert!(NOW.until(due) <= policy().poll_retry);
    assert_eq!(roster.on_deadline(due), [Directive::Poll { resync: true }]);
}

#[test]
fn an_account_that_was_not_released_is_taken_back_first() {
    let mut roster = Roster::new(policy(), 1);
    roster.hand_over(&owned(1));
    let retake = RosterWrite::Retake(account(1), Fence(1));
    assert_eq!(roster.on_released(account(1), Fence(1), false), [Directive::Write(retake.clone())]);
    assert_eq!(roster.on_command(row(1, 7)), [], "its release may yet land");
    let away = Err(StoreError::Unavailable("away".to_owned()));
    assert_eq!(roster.on_written(&retake, away, NOW), []);
    assert!(roster.is_handed_over(account(1)));
    let goes_on = roster.on_written(&retake, Ok(()), NOW);
    assert_eq!(goes_on, [Directive::RequeueOf(account(1), Vec::new()), Directive::Poll { resync: true }]);
}

/// The shell's knowledge: members that were started and are not gone.
#[derive(Default)]
struct World {
    starting: BTreeSet<Member>,
    running: BTreeSet<Member>,
    /// Commands in the roster's hands: taken, and neither delivered nor put back.
    in_hand: BTreeMap<i64, AccountId>,
    /// Writes without an answer from the database.
    writing: BTreeSet<RosterWrite>,
    polling: bool,
    draining: bool,
}

impl World {
    fn follow(&mut self, roster: &mut Roster, directives: &[Directive]) {
        for directive in directives {
            match directive {
                Directive::StartHeld(account, _) => {
                    assert!(self.starting.insert(Member::Account(*account)), "{account} started twice at once");
                }
                Directive::Start(member) => {
                    assert!(!self.running.contains(member), "{member:?} started beside itself");
                    assert!(self.starting.insert(*member), "{member:?} started twice at once");
                    assert!(!self.draining, "{member:?} started while draining");
                }
                Directive::Deliver(account, row) => {
                    assert!(self.running.contains(&Member::Account(*account)), "delivered to nobody");
                    assert_eq!(self.in_hand.remove(&row.id.0), Some(*account), "delivered twice or to another");
                }
                Directive::Write(write) => {
                    assert!(self.writing.insert(write.clone()), "written twice at once: {write:?}");
                }
                Directive::RequeueOf(account, _) => {
                    let left = self.in_hand.iter().filter(|(_, of)| *of == account).map(|(id, _)| taken(*id));
                    let directives = roster.requeue(left.collect());
                    self.follow(roster, &directives);
                }
                Directive::Drain(member) | Directive::HandOver(member) | Directive::FenceOff(member) => {
                    assert!(self.running.contains(member));
                }
                Directive::Drained => assert!(self.draining && self.running.is_empty() && self.starting.is_empty()),
                Directive::Release(account, _) => {
                    assert!(!self.starting.contains(&Member::Account(*account)), "{account} given up while starting");
                    assert!(!self.running.contains(&Member::Account(*account)), "{account} given up while running");
                    self.in_hand.retain(|_, of| of != account);
                }
                Directive::Poll { .. } => assert!(!std::mem::replace(&mut self.polling, true), "two looks at once"),
                Directive::Claim(_) => {}
            }
        }
    }

    /// The database's answer to a write.
    fn answer(&mut self, roster: &mut Roster, write: &RosterWrite, is_done: bool, now: Instant) {
        assert!(self.writing.remove(write));
        if let (RosterWrite::Requeue(commands), true) = (write, is_done) {
            for taken in commands {
                self.in_hand.remove(&taken.command.0);
            }
        }
        let outcome = if is_done { Ok(()) } else { Err(StoreError::Unavailable("away".to_owned())) };
        let directives = roster.on_written(write, outcome, now);
        self.follow(roster, &directives);
    }

    fn answer_look(&mut self, roster: &mut Roster, is_done: bool, now: Instant) {
        self.polling = false;
        if is_done {
            let directives = roster.on_polled(None, Vec::new(), now);
            self.follow(roster, &directives);
        } else {
            roster.on_poll_failed(false, now);
            let due = roster.deadline().expect("another look is due");
            assert!(now.until(due) <= policy().poll_retry);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_account_runs_twice_and_no_command_is_lost(moments in proptest::collection::vec((0..10u8, 0..4u8, 0..4u8), 1..80)) {
        let mut roster = Roster::new(policy(), 3);
        let mut world = World::default();
        let mut now = NOW;
        let mut id = 0;
        for (kind, nth, how) in moments {
            now = now.after(Duration::from_millis(400));
            let who = member(nth);
            let directives = match kind {
                0 => roster.on_owned(&(0..=nth).map(owned).collect::<Vec<_>>()),
                1 | 2 => {
                    id += 1;
                    world.in_hand.insert(id, account(nth));
                    roster.on_command(row(nth, id))
                }
                3 if world.starting.contains(&who) => {
                    world.starting.remove(&who);
                    let how = match how {
                        0 => Started::Absent,
                        1 => Started::Failed,
                        _ => Started::Running,
                    };
                    if how == Started::Running {
                        world.running.insert(who);
                    }
                    roster.on_started(who, how, now)
                }
                4 if world.running.contains(&who) => {
                    world.running.remove(&who);
                    let trouble = || Trouble { reason: Reason::WriteRefused.into(), commands: Vec::new(), is_muted: false };
                    let ending = match how {
                        0 => Ending::Crashed,
                        1 => Ending::Refused(trouble()),
                        2 => Ending::Overtaken,
                        _ => Ending::Done,
                    };
                    let retired = Retired::of(who, ending);
                    roster.on_retired(retired, now)
                }
                5 => roster.on_deadline(now),
                6 => roster.on_restart(account(nth)),
                7 if how == 0 => {
                    world.draining = true;
                    roster.on_drain()
                }
                7 if how == 1 => {
                    world.draining = false;
                    roster.on_undrain()
                }
                8 if !world.writing.is_empty() => {
                    let write = world.writing.iter().nth(usize::from(nth) % world.writing.len()).cloned().unwrap();
                    world.answer(&mut roster, &write, how > 1, now);
                    Vec::new()
                }
                9 if world.polling => {
                    world.answer_look(&mut roster, how > 1, now);
                    Vec::new()
                }
                9 => roster.wake(how == 0),
                _ => Vec::new(),
            };
            world.follow(&mut roster, &directives);
        }
        // All starting members come up; only those that back off may still hold commands.
        for who in std::mem::take(&mut world.starting) {
            world.running.insert(who);
            let directives = roster.on_started(who, Started::Running, now);
            world.follow(&mut roster, &directives);
        }
        for _ in 0..40 {
            now = now.after(policy().restart.cap * 2);
            let directives = roster.on_deadline(now);
            world.follow(&mut roster, &directives);
            for who in std::mem::take(&mut world.starting) {
                world.running.insert(who);
                let directives = roster.on_started(who, Started::Running, now);
                world.follow(&mut roster, &directives);
            }
        }
        for who in std::mem::take(&mut world.running) {
            let directives = roster.on_retired(Retired::of(who, Ending::Done), now);
            world.follow(&mut roster, &directives);
        }
        // The database is back.
        while let Some(write) = world.writing.first().cloned() {
            world.answer(&mut roster, &write, true, now);
            let due = roster.deadline().filter(|due| *due <= now.after(policy().write_retry_when_back));
            now = due.unwrap_or(now);
            let directives = roster.on_deadline(now);
            world.follow(&mut roster, &directives);
        }
        prop_assert!(world.in_hand.is_empty(), "commands are stuck: {:?}", world.in_hand);
    }
}
