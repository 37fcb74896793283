use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn timings() -> LeaseTimings {
    LeaseTimings::of(Duration::from_secs(20))
}

fn renewed(epoch: i64) -> Answer {
    Answer::Renewed { epoch }
}

/// Live in epoch 1, renewed last at 0.
fn live() -> Heartbeat {
    let mut heartbeat = Heartbeat::new(timings(), ms(0));
    assert_eq!(heartbeat.state(), LeaseState::Lost);
    assert_eq!(heartbeat.begin(ms(0)), Renewal { number: 1, order: Order::Take });
    heartbeat.on_answer(1, renewed(1), ms(10));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 1 });
    heartbeat
}

#[test]
fn it_is_renewed_at_a_quarter_and_lost_at_three_fifths() {
    let mut heartbeat = live();
    assert_eq!((heartbeat.due(), heartbeat.deadline()), (Some(ms(5_010)), Some(ms(12_000))));
    let renewal = heartbeat.begin(ms(5_010));
    assert_eq!(renewal, Renewal { number: 2, order: Order::Renew { refresh: false } });
    assert_eq!(heartbeat.due(), None, "one at a time");
    heartbeat.on_answer(2, Answer::Failed, ms(9_010));
    assert_eq!(heartbeat.due(), Some(ms(10_010)));
    heartbeat.on_time(ms(11_999));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 1 });
    heartbeat.on_time(ms(12_000));
    assert_eq!((heartbeat.state(), heartbeat.deadline()), (LeaseState::Lost, None));
}

#[test]
fn a_renewal_begun_before_the_loss_does_not_end_it() {
    let mut heartbeat = live();
    assert_eq!(heartbeat.begin(ms(11_900)).order, Order::Renew { refresh: false });
    heartbeat.on_answer(2, renewed(1), ms(12_500));
    assert_eq!(heartbeat.state(), LeaseState::Lost);
    assert_eq!(heartbeat.due(), Some(ms(12_500)), "at once");
    assert_eq!(heartbeat.begin(ms(12_500)), Renewal { number: 3, order: Order::Renew { refresh: true } });
    heartbeat.on_answer(3, renewed(3), ms(12_510));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 3 });
}

#[test]
fn a_refresh_begun_before_the_loss_does_not_end_it() {
    let mut heartbeat = live();
    heartbeat.begin(ms(11_900));
    heartbeat.on_answer(2, renewed(2), ms(12_500));
    assert_eq!(heartbeat.state(), LeaseState::Lost, "who started in between has the new fences");
    heartbeat.begin(ms(12_500));
    heartbeat.on_answer(3, renewed(3), ms(12_510));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 3 });
}

#[test]
fn a_row_that_had_expired_is_another_epoch() {
    let mut heartbeat = live();
    heartbeat.begin(ms(5_000));
    heartbeat.on_answer(2, renewed(2), ms(5_010));
    assert_eq!((heartbeat.state(), heartbeat.due()), (LeaseState::Lost, Some(ms(5_010))), "who began meanwhile");
    assert_eq!(heartbeat.begin(ms(5_010)), Renewal { number: 3, order: Order::Renew { refresh: true } });
    heartbeat.on_answer(3, renewed(3), ms(5_020));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 3 });
}

#[test]
fn a_refresh_whose_answer_was_lost_is_another_epoch() {
    let mut heartbeat = live();
    heartbeat.begin(ms(5_000));
    heartbeat.on_answer(2, Answer::Failed, ms(9_000));
    heartbeat.begin(ms(10_000));
    heartbeat.on_answer(3, renewed(2), ms(10_010));
    assert_eq!(heartbeat.state(), LeaseState::Lost);
    heartbeat.begin(ms(10_010));
    heartbeat.on_answer(4, renewed(4), ms(10_020));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 4 });
}

#[test]
fn a_row_that_is_gone_is_a_loss_and_is_made_again() {
    let mut heartbeat = live();
    heartbeat.begin(ms(5_000));
    heartbeat.on_answer(2, Answer::Gone, ms(5_010));
    assert_eq!((heartbeat.state(), heartbeat.due()), (LeaseState::Lost, Some(ms(5_010))));
    assert_eq!(heartbeat.begin(ms(5_010)), Renewal { number: 3, order: Order::Take });
    heartbeat.on_answer(3, renewed(3), ms(5_020));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 3 });
}

#[test]
fn an_answer_slower_than_the_lease_does_not_restore_it() {
    let mut heartbeat = live();
    heartbeat.begin(ms(12_000));
    heartbeat.on_answer(2, renewed(2), ms(24_000));
    assert_eq!(heartbeat.state(), LeaseState::Lost);
    assert_eq!(heartbeat.begin(ms(24_000)).order, Order::Renew { refresh: true });
}

#[test]
fn an_answer_to_an_earlier_renewal_changes_nothing() {
    let mut heartbeat = live();
    heartbeat.begin(ms(5_000));
    heartbeat.on_answer(1, renewed(9), ms(5_010));
    heartbeat.on_answer(2, renewed(1), ms(5_020));
    heartbeat.on_answer(2, renewed(9), ms(5_030));
    assert_eq!(heartbeat.state(), LeaseState::Live { epoch: 1 });
    assert_eq!(heartbeat.renewed_at(), ms(5_000));
}

#[test]
fn another_lease_that_ends_brings_the_next_renewal_forward() {
    let mut heartbeat = live();
    heartbeat.bring_forward(ms(9_000));
    assert_eq!(heartbeat.due(), Some(ms(5_010)));
    heartbeat.bring_forward(ms(700));
    assert_eq!(heartbeat.due(), Some(ms(700)));
}

#[test]
fn an_unnoticed_loss_is_reported_before_the_recovery() {
    let mut follower = Follower::new(1);
    assert_eq!(follower.on_state(LeaseState::Live { epoch: 1 }), []);
    assert_eq!(follower.on_state(LeaseState::Live { epoch: 2 }), [Turn::Lost, Turn::Back]);
    assert_eq!(follower.on_state(LeaseState::Lost), [Turn::Lost]);
    assert_eq!(follower.on_state(LeaseState::Lost), []);
    assert_eq!(follower.on_state(LeaseState::Live { epoch: 5 }), [Turn::Back]);
    assert_eq!(follower.on_state(LeaseState::Live { epoch: 5 }), []);
}

/// An event in the surroundings of a heartbeat.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Time passes, for the daemon and the database.
    Pass(u64),
    /// The machine is paused: the daemon's clock stands still.
    Pause(u64),
    /// A renewal begins, even before its time, unless one is under way.
    Begin,
    /// The database carries out a statement that was sent, the oldest or a later one.
    CarryOut(usize),
    /// The answer to the last one arrives, if there is one.
    Hear,
    /// The daemon gives the last one up.
    GiveUp,
    /// The row is deleted.
    Bury,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..6_000_u64).prop_map(Act::Pass),
        1 => (1..40_000_u64).prop_map(Act::Pause),
        6 => Just(Act::Begin),
        6 => (0..4_usize).prop_map(Act::CarryOut),
        6 => Just(Act::Hear),
        2 => Just(Act::GiveUp),
        1 => Just(Act::Bury),
    ]
}

/// The row, as `take_lease` and `renew_lease` treat it.
#[derive(Clone, Copy, Debug)]
struct Row {
    renewal: i64,
    epoch: i64,
    expires_at: Duration,
}

/// A database, a daemon, and what must be so of both.
struct World {
    heartbeat: Heartbeat,
    follower: Follower,
    /// By the daemon's clock, and by the database's.
    now: Duration,
    database_now: Duration,
    row: Option<Row>,
    sent: Vec<Renewal>,
    /// Of the last one, once it was carried out; and whether others could have the accounts
    /// at some time since the last answer.
    answer: Option<(Answer, bool)>,
    lapsed: bool,
    started: Duration,
    last_good: Option<Duration>,
    /// How often fences were refreshed.
    refreshes: i64,
    /// The same, when the daemon last had to close its connections.
    stale: i64,
    may_run: bool,
    epochs: BTreeSet<i64>,
}

impl World {
    fn new() -> Self {
        let now = ms(1);
        Self {
            heartbeat: Heartbeat::new(timings(), now),
            follower: Follower::new(0),
            now,
            database_now: ms(1_000_000),
            row: None,
            sent: Vec::new(),
            answer: None,
            lapsed: false,
            started: now,
            last_good: None,
            refreshes: 0,
            stale: 0,
            may_run: false,
            epochs: BTreeSet::new(),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Pass(by) => {
                self.now += ms(by);
                self.database_now += ms(by);
            }
            Act::Pause(by) => self.database_now += ms(by),
            Act::Begin => {
                if self.heartbeat.due().is_some() {
                    let renewal = self.heartbeat.begin(self.now);
                    self.sent.push(renewal);
                    (self.answer, self.started) = (None, self.now);
                }
            }
            Act::CarryOut(nth) => {
                if !self.sent.is_empty() {
                    let renewal = self.sent.remove(nth % self.sent.len());
                    let answer = self.carry_out(renewal);
                    let is_last = self.heartbeat.due().is_none() && renewal.number == self.heartbeat.number;
                    self.answer = if is_last { Some((answer, self.lapsed)) } else { self.answer };
                }
            }
            Act::Hear => {
                if let Some((answer, lapsed)) = self.answer.take() {
                    let former = self.heartbeat.state();
                    self.heartbeat.on_answer(self.heartbeat.number, answer, self.now);
                    if matches!(answer, Answer::Renewed { .. }) {
                        assert!(
                            !lapsed || self.heartbeat.state() != former || !former.is_live(),
                            "a lapse went unseen"
                        );
                        (self.last_good, self.lapsed) = (Some(self.started), false);
                    }
                }
            }
            Act::GiveUp => {
                self.answer = None;
                self.heartbeat.on_answer(self.heartbeat.number, Answer::Failed, self.now);
            }
            Act::Bury => self.row = None,
        }
        self.heartbeat.on_time(self.now);
    }

    /// `sql/queries/processes.sql`
    fn carry_out(&mut self, Renewal { number, order }: Renewal) -> Answer {
        let expires_at = self.database_now + timings().ttl;
        let (epoch, refreshed) = match (order, self.row) {
            (_, Some(row)) if row.renewal >= number => return Answer::Overtaken,
            (Order::Take, _) => (number, true),
            (Order::Renew { .. }, None) => return Answer::Gone,
            (Order::Renew { refresh }, Some(row)) => {
                let refreshed = refresh || row.expires_at <= self.database_now;
                (if refreshed { number } else { row.epoch }, refreshed)
            }
        };
        self.lapsed |= self.row.is_none_or(|row| row.expires_at <= self.database_now);
        self.refreshes += i64::from(refreshed);
        self.row = Some(Row { renewal: number, epoch, expires_at });
        Answer::Renewed { epoch }
    }

    /// Starts and ends the lives as the daemon's notices say, and checks their fences.
    fn referee(&mut self) {
        let turns = self.follower.on_state(self.heartbeat.state());
        if turns.contains(&Turn::Lost) && (self.may_run || *turns == [Turn::Lost]) {
            // Lives until now have at most the current fence.
            (self.may_run, self.stale) = (false, self.refreshes);
        }
        if turns.contains(&Turn::Back) {
            assert!(self.refreshes > self.stale, "lives start under the fences of lives of before");
            assert!(self.epochs.insert(self.follower.epoch), "an epoch comes again");
            self.may_run = true;
        }
        if self.may_run {
            let last_good = self.last_good.expect("live without a renewal");
            assert!(self.now < last_good + timings().lost_after, "live without a renewal for too long");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_account_runs_under_a_lost_lease(acts in proptest::collection::vec(act(), 1..120)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            world.referee();
        }
    }

    #[test]
    fn with_a_database_that_answers_it_comes_back(acts in proptest::collection::vec(act(), 1..60)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.act(Act::GiveUp);
        world.sent.clear();
        for _ in 0..4 {
            world.act(Act::Pass(5_000));
            world.act(Act::Begin);
            world.act(Act::CarryOut(0));
            world.act(Act::Hear);
        }
        prop_assert!(world.heartbeat.state().is_live());
    }
}
