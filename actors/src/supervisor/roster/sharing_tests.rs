//! Several rosters on one model of the database: the distribution of accounts over time.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use uuid::Uuid;

use super::{shares::Plan, *};
use crate::domain::{Command, CommandId, Taken, TakingId, TicketId};

const NOW: Instant = Instant(1_700_000_000_000);
const ROUND: Duration = Duration::from_secs(1);
const PER_ROUND: u32 = 3;

fn policy() -> RosterPolicy {
    RosterPolicy { round: ROUND, per_round: PER_ROUND, ..RosterPolicy::default() }
}

fn account(nth: usize) -> AccountId {
    AccountId(Uuid::from_u128(nth as u128 + 1))
}

/// Every third account has a ticket.
fn tickets(nth: usize) -> Vec<TicketId> {
    if nth.is_multiple_of(3) { vec![TicketId(Uuid::from_u128(nth as u128 + 1000))] } else { Vec::new() }
}

fn members(nth: usize) -> Vec<Member> {
    std::iter::once(Member::Account(account(nth))).chain(tickets(nth).into_iter().map(Member::Ticket)).collect()
}

#[derive(Clone)]
struct Row {
    owner: Option<usize>,
    fence: i64,
    movable: bool,
}

struct Daemon {
    roster: Roster,
    alive: bool,
    starting: BTreeSet<Member>,
    running: BTreeSet<Member>,
    /// Told to leave, and not gone yet.
    leaving: BTreeSet<Member>,
    resync: bool,
    /// When accounts were claimed or given up.
    moves: Vec<Instant>,
}

struct Fleet {
    rows: Vec<Row>,
    daemons: Vec<Daemon>,
    now: Instant,
    releases_fail: bool,
}

impl Fleet {
    fn new(accounts: usize, daemons: usize) -> Self {
        let mut fleet = Self {
            rows: vec![Row { owner: None, fence: 0, movable: true }; accounts],
            daemons: Vec::new(),
            now: NOW,
            releases_fail: false,
        };
        (0..daemons).for_each(|_| fleet.join());
        fleet
    }

    fn join(&mut self) {
        self.daemons.push(Daemon {
            roster: Roster::new(policy(), self.daemons.len() as u128),
            alive: true,
            starting: BTreeSet::new(),
            running: BTreeSet::new(),
            leaving: BTreeSet::new(),
            resync: true,
            moves: Vec::new(),
        });
    }

    /// kill -9, and the lease is over.
    fn kill(&mut self, which: usize) {
        let daemon = &mut self.daemons[which];
        daemon.alive = false;
        daemon.starting.clear();
        daemon.running.clear();
        daemon.leaving.clear();
    }

    fn living(&self) -> usize {
        self.daemons.iter().filter(|daemon| daemon.alive).count()
    }

    fn survey(&mut self, which: usize) {
        if !self.daemons[which].alive {
            return;
        }
        let mine = self.rows.iter().enumerate().filter(|(_, row)| row.owner == Some(which));
        let owned = mine.map(|(nth, row)| Owned {
            account: account(nth),
            fence: Fence(row.fence),
            movable: row.movable,
            active: true,
            tickets: tickets(nth),
        });
        let survey = Survey {
            owned: owned.collect(),
            needing: self.rows.len() as u32,
            daemons: self.living() as u32,
            least: self.shares().into_iter().min().unwrap_or(0) as u32,
        };
        self.daemons[which].resync = false;
        let directives = self.daemons[which].roster.on_polled(Some(&survey), Vec::new(), self.now);
        self.follow(which, directives);
    }

    fn follow(&mut self, which: usize, directives: Vec<Directive>) {
        for directive in directives {
            match directive {
                Directive::Start(member) => {
                    let nth = (0..self.rows.len()).find(|nth| members(*nth).contains(&member)).unwrap();
                    assert_eq!(self.rows[nth].owner, Some(which), "{member:?} is started by who does not own it");
                    for (other, daemon) in self.daemons.iter().enumerate() {
                        let there = [&daemon.starting, &daemon.running, &daemon.leaving];
                        let lives = there.iter().any(|members| members.contains(&member));
                        assert!(!lives, "{member:?} is started by {which} and lives at {other}");
                    }
                    self.daemons[which].starting.insert(member);
                }
                Directive::Drain(member) | Directive::HandOver(member) | Directive::FenceOff(member) => {
                    assert!(
                        self.daemons[which].running.remove(&member),
                        "{member:?} was told to leave and is not here"
                    );
                    self.daemons[which].leaving.insert(member);
                    if matches!(member, Member::Account(_)) {
                        self.moves_one(which);
                    }
                }
                Directive::Claim(limit) => {
                    assert!(limit > 0);
                    let alive: Vec<_> = self.daemons.iter().map(|daemon| daemon.alive).collect();
                    let free = self.rows.iter_mut().filter(|row| row.owner.is_none_or(|owner| !alive[owner]));
                    let mut got = 0;
                    for row in free.take(limit as usize) {
                        *row = Row { owner: Some(which), fence: row.fence + 1, movable: row.movable };
                        got += 1;
                    }
                    (0..got).for_each(|_| self.moves_one(which));
                    let directives = self.daemons[which].roster.on_claimed(limit, got);
                    self.follow(which, directives);
                }
                Directive::Release(released, fence) => {
                    let nth = (0..self.rows.len()).find(|nth| account(*nth) == released).unwrap();
                    let here = &self.daemons[which];
                    for member in members(nth) {
                        let there = [&here.starting, &here.running, &here.leaving];
                        assert!(!there.iter().any(|set| set.contains(&member)), "{member:?} is given up and lives");
                    }
                    let row = &mut self.rows[nth];
                    assert!(row.movable, "given up in the middle of an attempt");
                    assert_eq!((row.owner, row.fence), (Some(which), fence.0), "given up by who does not own it");
                    let done = !self.releases_fail;
                    if done {
                        row.owner = None;
                        // As the notification does.
                        self.daemons.iter_mut().for_each(|daemon| daemon.resync = true);
                    }
                    let directives = self.daemons[which].roster.on_released(released, fence, done);
                    self.follow(which, directives);
                }
                Directive::Write(write) => {
                    let directives = self.daemons[which].roster.on_written(&write, Ok(()), self.now);
                    self.follow(which, directives);
                }
                Directive::Poll { .. } => self.daemons[which].resync = true,
                Directive::RequeueOf(..) => {}
                Directive::Deliver(..) | Directive::Drained | Directive::StartHeld(..) => {
                    panic!("{directive:?}")
                }
            }
        }
    }

    /// No daemon moves more than a round's worth within a round.
    fn moves_one(&mut self, which: usize) {
        let moves = &mut self.daemons[which].moves;
        moves.push(self.now);
        let lately = moves.iter().filter(|at| at.until(self.now) < ROUND).count();
        assert!(lately <= PER_ROUND as usize, "{lately} accounts moved within a round");
    }

    /// Completes all starts, departures and looks that are under way.
    fn turn(&mut self, which: usize) {
        if !self.daemons[which].alive {
            return;
        }
        for member in std::mem::take(&mut self.daemons[which].starting) {
            self.daemons[which].running.insert(member);
            let directives = self.daemons[which].roster.on_started(member, Started::Running, self.now);
            self.follow(which, directives);
        }
        for member in self.daemons[which].leaving.clone() {
            self.daemons[which].leaving.remove(&member);
            let directives = self.daemons[which].roster.on_retired(Retired::of(member, Ending::Done), self.now);
            self.follow(which, directives);
        }
        let directives = self.daemons[which].roster.on_deadline(self.now);
        self.follow(which, directives);
        if std::mem::take(&mut self.daemons[which].resync) {
            self.survey(which);
        }
    }

    fn settle(&mut self) {
        for _ in 0..80 {
            self.now = self.now.after(Duration::from_millis(250));
            (0..self.daemons.len()).for_each(|which| self.turn(which));
        }
    }

    fn shares(&self) -> Vec<usize> {
        let all = self.daemons.iter().enumerate().filter(|(_, daemon)| daemon.alive);
        all.map(|(which, _)| self.rows.iter().filter(|row| row.owner == Some(which)).count()).collect()
    }

    fn assert_shared_out_and_running(&self) {
        let target = self.rows.len().div_ceil(self.living());
        let least = self.shares().into_iter().min().unwrap();
        for share in self.shares() {
            let tolerated = share <= target || share - least <= 8 || (share - least) * 5 <= share;
            assert!(tolerated, "a share of {share} where {target} is fair: {:?}", self.shares());
        }
        for (nth, row) in self.rows.iter().enumerate() {
            let owner = row.owner.expect("an account that nobody has");
            for member in members(nth) {
                assert!(self.daemons[owner].running.contains(&member), "{member:?} does not run where it is owned");
            }
        }
    }
}

#[test]
fn a_joining_daemon_gets_its_share_and_no_account_moves_twice() {
    let mut fleet = Fleet::new(20, 1);
    fleet.settle();
    assert_eq!(fleet.shares(), [20]);
    fleet.join();
    fleet.daemons[0].resync = true;
    fleet.settle();
    assert_eq!(fleet.shares(), [10, 10]);
    fleet.assert_shared_out_and_running();
    assert!(fleet.rows.iter().all(|row| row.fence <= 2));
}

#[test]
fn one_account_more_or_less_moves_no_other() {
    let mut fleet = Fleet::new(32, 2);
    fleet.settle();
    let before: Vec<_> = fleet.rows.iter().map(|row| row.fence).collect();
    fleet.rows.truncate(30);
    fleet.daemons.iter_mut().for_each(|daemon| daemon.resync = true);
    fleet.now = fleet.now.after(ROUND);
    (0..2).for_each(|which| fleet.survey(which));
    let after: Vec<_> = fleet.rows.iter().map(|row| row.fence).collect();
    assert_eq!(after[..], before[..30]);
}

#[test]
fn a_small_imbalance_moves_no_account() {
    for accounts in [6, 8] {
        let mut fleet = Fleet::new(accounts, 1);
        fleet.settle();
        fleet.join();
        fleet.daemons[0].resync = true;
        fleet.settle();
        assert_eq!(fleet.shares(), [accounts, 0]);
    }
    // More than eight, and less than a fifth.
    let mut shares = Shares::new(policy());
    let survey = Survey { owned: Vec::new(), needing: 110, daemons: 2, least: 50 };
    assert_eq!(shares.plan(&survey, 60, NOW), Plan::default());
    assert_eq!(shares.plan(&Survey { needing: 120, ..survey }, 70, NOW).give_up, PER_ROUND);
}

#[test]
fn an_attempt_in_the_middle_stays_where_it_is() {
    let mut fleet = Fleet::new(20, 1);
    fleet.settle();
    fleet.rows.iter_mut().take(15).for_each(|row| row.movable = false);
    fleet.join();
    fleet.daemons[0].resync = true;
    fleet.settle();
    assert_eq!(fleet.shares(), [15, 5]);
}

#[test]
fn a_hand_over_that_the_database_does_not_take_goes_on_here() {
    let mut fleet = Fleet::new(20, 1);
    fleet.settle();
    fleet.join();
    fleet.daemons[0].resync = true;
    fleet.releases_fail = true;
    fleet.settle();
    assert_eq!(fleet.shares(), [20, 0]);
    fleet.releases_fail = false;
    fleet.daemons[0].resync = true;
    fleet.settle();
    assert_eq!(fleet.shares(), [10, 10]);
    fleet.assert_shared_out_and_running();
}

#[test]
fn commands_of_a_moving_account_are_neither_run_nor_reclaimed() {
    let mut roster = Roster::new(policy(), 1);
    let own = |nth| Owned { account: account(nth), fence: Fence(1), movable: true, active: true, tickets: Vec::new() };
    let survey = |daemons| Survey { owned: (1..=9).map(own).collect(), needing: 9, daemons, least: 0 };
    roster.on_survey(&survey(1), NOW);
    for nth in 1..=9 {
        roster.on_started(Member::Account(account(nth)), Started::Running, NOW);
    }
    let gone = Member::Account(account(9));
    let leaving = roster.on_survey(&survey(2), NOW.after(ROUND));
    assert_eq!(leaving.len(), PER_ROUND as usize);
    assert!(leaving.contains(&Directive::HandOver(gone)));
    let row = CommandRow {
        id: CommandId(7),
        taking: TakingId(Uuid::from_u128(7)),
        account: account(9),
        kind: "account.pair".to_owned(),
        command: Ok(Command::Cancel),
        source: "web".to_owned(),
        created_at: NOW,
    };
    assert_eq!(roster.on_command(row.clone()), []);
    assert_eq!(roster.on_restart(account(9)), []);
    assert_eq!(roster.on_retired(Retired::of(gone, Ending::Done), NOW), [Directive::Release(account(9), Fence(1))]);
    assert_eq!(roster.on_survey(&survey(2), NOW.after(ROUND)), [], "not started again before the release is through");
    // Taken right behind the release, if the account was at rest: nothing else puts it back.
    let taken = Taken { command: CommandId(7), taking: TakingId(Uuid::from_u128(7)) };
    let mut lost = roster.clone();
    assert!(lost.on_lease_lost().contains(&Directive::RequeueOf(account(9), Vec::new())), "and what its actor left");
    let requeue = |taken| Directive::Write(RosterWrite::Requeue(vec![taken]));
    assert_eq!(roster.on_released(account(9), Fence(1), true), [requeue(taken)]);
    // A look that was under way may have taken one before the release put it back.
    let other = CommandRow { id: CommandId(8), ..row.clone() };
    assert_eq!(roster.on_command(other.clone()), [requeue(other.taken())]);
    assert_eq!(roster.wake(false), [Directive::Poll { resync: false }]);
    assert_eq!(roster.on_command(row), [Directive::Start(gone)], "taken since");
}

#[test]
fn accounts_run_only_while_the_lease_is_held() {
    let mut roster = Roster::new(policy(), 1);
    let own = Owned { account: account(1), fence: Fence(1), movable: true, active: true, tickets: Vec::new() };
    let survey = Survey { owned: vec![own], needing: 1, daemons: 1, least: 1 };
    let member = Member::Account(account(1));
    roster.on_survey(&survey, NOW);
    roster.on_started(member, Started::Running, NOW);
    assert_eq!(roster.on_lease_lost(), [Directive::FenceOff(member)]);
    roster.on_retired(Retired::of(member, Ending::Done), NOW);
    assert_eq!(roster.on_survey(&survey, NOW), []);
    assert_eq!(roster.on_restart(account(1)), []);
    assert_eq!(roster.on_lease_back(), [Directive::Poll { resync: true }]);
    assert_eq!(roster.on_survey(&survey, NOW), [Directive::Start(member)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_account_runs_twice_and_all_are_shared_out_in_the_end(
        accounts in 1..24usize,
        moments in proptest::collection::vec((0..10u8, 0..5usize, 0..1200u64), 1..60),
    ) {
        let mut fleet = Fleet::new(accounts, 1);
        for (kind, which, wait) in moments {
            fleet.now = fleet.now.after(Duration::from_millis(wait));
            let which = which % fleet.daemons.len();
            match kind {
                0 if fleet.daemons.len() < 5 => fleet.join(),
                1 if fleet.living() > 1 && fleet.daemons[which].alive => fleet.kill(which),
                2 => fleet.releases_fail = !fleet.releases_fail,
                3..=5 => fleet.survey(which),
                _ => fleet.turn(which),
            }
        }
        fleet.releases_fail = false;
        fleet.now = fleet.now.after(ROUND);
        // The tick.
        fleet.daemons.iter_mut().for_each(|daemon| daemon.resync = true);
        fleet.settle();
        fleet.daemons.iter_mut().for_each(|daemon| daemon.resync = true);
        fleet.settle();
        fleet.assert_shared_out_and_running();
    }
}
