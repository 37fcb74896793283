//! Groups: fetched after a login, after a change that WhatsApp tells of, and slowly all the while.

use super::{super::*, *};
use crate::domain::{CloseReason, Group, GroupsError};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn list(subject: &str) -> Vec<Group> {
    ["a@g.us", "b@g.us"]
        .map(|jid| Group { jid: jid.to_owned(), subject: subject.to_owned(), participants: 2, is_admin: false })
        .into()
}

impl Bench {
    /// Passes the time until something is due; how long that was.
    fn until_due(&mut self) -> Duration {
        let wait = self.now.until(self.life.deadline().expect("something is due"));
        self.pass(wait);
        wait
    }

    fn fetched(&mut self, outcome: Result<Vec<Group>, GroupsError>) -> &[Effect] {
        self.feed(Input::GroupsFetched(self.life.incarnation, outcome))
    }

    /// The next fetch is asked for; after how long.
    fn looks(&mut self) -> Duration {
        let wait = self.until_due();
        assert_eq!(self.effects, [Effect::FetchGroups(self.life.incarnation)]);
        wait
    }

    /// Online, its groups fetched.
    fn with_groups(policy: Policy) -> Self {
        let mut bench = Self::with(fresh_record(), policy);
        bench.ask("account.pair");
        bench.qr("q1");
        bench.scanned();
        bench.claimed(Claim::Granted);
        bench.open();
        assert!(bench.looks() <= 3 * SECOND);
        bench.fetched(Ok(list("before")));
        assert_eq!(bench.events(), ["groups.synced"]);
        bench
    }

    fn synced_at(&self) -> Instant {
        self.life.record().groups_synced_at.unwrap()
    }
}

#[test]
fn groups_are_fetched_again_after_a_change() {
    let mut bench = Bench::with_groups(Policy::default());
    bench.now = bench.now.after(HOUR);
    let begun = bench.now;
    for _ in 0..100 {
        assert!(bench.hear(SessionEvent::GroupsChanged).is_empty());
        bench.now = bench.now.after(SECOND / 20);
    }
    bench.looks();
    let waited = begun.until(bench.now);
    assert!((7 * SECOND..13 * SECOND).contains(&waited), "one fetch for a burst, after {waited:?}");
    bench.fetched(Ok(list("after")));
    assert_eq!((bench.events(), bench.synced_at()), (vec!["groups.synced"], bench.now));
    assert!(bench.looks() > 4 * HOUR, "the burst is over");
}

#[test]
fn a_change_during_a_fetch_is_looked_at_after_it() {
    let mut bench = Bench::with_groups(Policy::default());
    bench.hear(SessionEvent::GroupsChanged);
    bench.looks();
    assert!(bench.hear(SessionEvent::GroupsChanged).is_empty());
    bench.now = bench.now.after(SECOND);
    bench.fetched(Ok(list("before")));
    assert!(bench.looks() < 60 * SECOND, "the answer may be of before");
    bench.fetched(Ok(list("after")));
    assert!(bench.looks() > 4 * HOUR);
}

#[test]
fn changes_without_an_end_are_looked_at_ever_more_slowly() {
    let mut bench = Bench::with_groups(Policy::default());
    let mut waits = Vec::new();
    for nth in 0..16 {
        let begun = bench.now;
        let mut due = bench.hear(SessionEvent::GroupsChanged).is_empty().then(|| bench.life.deadline()).flatten();
        while let Some(at) = due.filter(|at| *at > bench.now.after(SECOND)) {
            bench.now = bench.now.after(SECOND);
            bench.hear(SessionEvent::GroupsChanged);
            due = bench.life.deadline();
            assert_eq!(due, Some(at), "a change does not put the look off");
        }
        bench.looks();
        waits.push(begun.until(bench.now));
        bench.fetched(Ok(list(&format!("name {nth}"))));
    }
    let grows = waits[..8].windows(2).all(|pair| pair[1] > pair[0]);
    assert!(grows && waits.last().is_some_and(|last| *last <= Duration::from_secs(2251)), "{waits:?}");
    // Once nothing was told until the slow refresh, the next change is looked at soon.
    assert!(bench.looks() > 4 * HOUR);
    bench.fetched(Ok(list("quiet")));
    bench.hear(SessionEvent::GroupsChanged);
    assert!(bench.looks() < 13 * SECOND);
}

#[test]
fn a_change_now_and_then_is_looked_at_soon() {
    let mut bench = Bench::with_groups(Policy::default());
    for nth in 0..10 {
        bench.now = bench.now.after(Duration::from_secs(600));
        bench.hear(SessionEvent::GroupsChanged);
        assert!(bench.looks() < 13 * SECOND, "{nth}");
        bench.fetched(Ok(list(&format!("name {nth}"))));
    }
}

#[test]
fn a_refresh_is_slow_and_jittered() {
    let mut waits = Vec::new();
    for seed in 0..40 {
        let (life, effects) = Lifecycle::resume(fresh_record(), Policy::default(), seed, START);
        let mut bench = Bench { life, now: START, effects, commands: 0 };
        bench.ask("account.pair");
        bench.qr("q1");
        bench.scanned();
        bench.claimed(Claim::Granted);
        bench.open();
        bench.looks();
        bench.fetched(Ok(list("before")));
        waits.push(bench.looks());
        let before = bench.synced_at();
        // In another order it is the same list.
        let same: Vec<Group> = list("before").into_iter().rev().collect();
        bench.fetched(Ok(same));
        assert_eq!(bench.events(), Vec::<&str>::new(), "what is as it was is no news");
        assert!(bench.synced_at() > before, "the row says when it was looked");
        bench.looks();
        bench.fetched(Ok(list("after")));
        assert_eq!(bench.events(), ["groups.synced"]);
    }
    assert!(waits.iter().all(|wait| (4 * HOUR..8 * HOUR).contains(wait)), "{waits:?}");
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 30, "spread: {waits:?}");
}

#[test]
fn whoever_asks_for_the_groups_is_told_in_any_case() {
    let mut bench = Bench::with_groups(Policy::default());
    bench.ask("groups.sync");
    assert_eq!(bench.effects, [Effect::FetchGroups(bench.life.incarnation)]);
    bench.fetched(Ok(list("before")));
    assert_eq!(bench.events(), ["groups.synced"]);
}

#[test]
fn groups_are_as_fresh_after_a_reconnect_as_before() {
    for (away, soon) in [(SECOND, false), (9 * HOUR, true)] {
        let mut bench = Bench::with_groups(Policy::default());
        let reason = CloseReason::SocketLost("reset".to_owned());
        bench.hear(SessionEvent::Ended { reason });
        bench.closed();
        bench.until_due();
        bench.now = bench.now.after(away);
        bench.open();
        let wait = bench.looks();
        assert_eq!(wait <= 3 * SECOND, soon, "{wait:?} after {away:?}");
    }
}

#[test]
fn a_failed_fetch_is_tried_again_ever_more_slowly() {
    for mut bench in [Bench::paired(), Bench::with_groups(Policy::default())] {
        bench.looks();
        let mut waits = Vec::new();
        for nth in 0..10 {
            // Refused, or not answered at all.
            let begun = bench.now;
            if nth % 2 == 0 {
                bench.fetched(Err(GroupsError::Failed("rate-overlimit".to_owned())));
            } else {
                bench.until_due();
                assert!(bench.effects.is_empty(), "given up");
            }
            let given_up = bench.now;
            // A change does not hurry what is refused.
            bench.hear(SessionEvent::GroupsChanged);
            bench.looks();
            waits.push(given_up.until(bench.now));
            assert!(begun.until(bench.now) >= *waits.last().unwrap());
        }
        let doubling = waits[..5].windows(2).all(|pair| pair[1] > pair[0]);
        assert!(doubling && waits[0] >= 22 * SECOND, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(1125)), "{waits:?}");
    }
}
