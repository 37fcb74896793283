//! A fleet whose client is refused for a while, in virtual time: all accounts come back by
//! themselves, and few logins are made meanwhile.

use std::time::Duration;

use proptest::prelude::*;

use super::{Bench, Lifecycle, START};
use crate::connection::{Leave, Outage, OutagePolicy};
use crate::domain::{CloseReason, Instant, Policy, SessionEvent};

/// Accounts with a link, each with a seed of its own.
fn fleet(accounts: u64, seed: u64) -> Vec<Bench> {
    let record = Bench::paired().life.record().clone();
    let life = |nth: u64| {
        let own = u128::from(seed) << 64 | u128::from(nth);
        let (life, effects) = Lifecycle::resume(record.clone(), Policy::default(), own, START);
        Bench { life, now: START, effects, commands: 0 }
    };
    (0..accounts).map(life).collect()
}

fn refused(bench: &mut Bench) {
    bench.hear(SessionEvent::Ended { reason: CloseReason::ClientOutdated("failure 405".to_owned()) });
    bench.closed();
}

/// Completes the login of each connecting account, except for those that must wait. Counts the
/// logins that reach WhatsApp.
fn log_in(fleet: &mut [Bench], outage: &mut Outage, is_refusing: bool, now: Instant) -> u32 {
    let mut logins = 0;
    for bench in fleet.iter_mut().filter(|bench| bench.state() == "Connecting") {
        if matches!(outage.ask(now), Leave::Wait { .. }) {
            continue;
        }
        logins += 1;
        if is_refusing {
            outage.on_refused(now);
            refused(bench);
        } else {
            outage.on_accepted();
            bench.open();
        }
    }
    logins
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_fleet_comes_back_by_itself_after_few_logins(
        accounts in 1u64..60,
        minutes in 1i64..240,
        seed in any::<u64>(),
    ) {
        let mut fleet = fleet(accounts, seed);
        let mut outage = Outage::new(OutagePolicy::default(), seed.into());
        // All were under way when it began.
        for bench in &mut fleet {
            outage.on_refused(START);
            refused(bench);
        }
        let (mut meanwhile, mut second) = (0, 0);
        let end = minutes * 60;
        while fleet.iter().any(|bench| bench.state() != "Online") {
            second += 1;
            let now = START.after(Duration::from_secs(u64::try_from(second).unwrap()));
            for bench in &mut fleet {
                bench.now = now;
                if bench.state() != "Online" && bench.life.deadline().is_some_and(|due| due <= now) {
                    bench.pass(Duration::ZERO);
                    if bench.state() == "Closing" {
                        bench.closed();
                    }
                }
            }
            let logins = log_in(&mut fleet, &mut outage, second < end, now);
            if second < end {
                meanwhile += logins;
            }
            // The longest distance of rounds, and the pause of those who tried last.
            prop_assert!(second < end + 900 * 5 / 4 + 600 * 5 / 4 + 60, "not back {} s after its end", second - end);
        }
        // Three in each round: five in the first quarter of an hour, then one every 11 minutes or more.
        let rounds = 7 + minutes / 11;
        prop_assert!(i64::from(meanwhile) <= 3 * rounds, "{meanwhile} logins in {minutes} minutes");
    }
}
