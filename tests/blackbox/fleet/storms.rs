//! Many accounts that connect at once: the rate limit holds.

use std::time::{Duration, Instant};

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until};
use serde_json::json;

use super::{EAGER, all_online, connect, moved_without_a_word_lost};

#[tokio::test(flavor = "multi_thread")]
async fn restored_accounts_are_paced_and_pairing_goes_first() {
    let accounts = accounts();
    let pace = Pace::for_accounts(accounts);
    let stage = Stage::empty().await;
    let first = stage.daemon(&[EAGER, ("PAIRD_LOG", "info")]).await;
    let began = Instant::now();
    let paired = connect(&stage, accounts).await;
    say(&format!("{accounts} accounts paired"), began);
    let began = Instant::now();
    assert!(first.terminate().await.success());
    say("stopped", began);
    let before = stage.phones.report().await.accepted_at_ms.len();

    let began = Instant::now();
    let daemon = stage.daemon(&[("PAIRD_CONNECT_RATE", &pace.rate.to_string()), ("PAIRD_LOG", "info")]).await;
    until("the burst used up", || async {
        (stage.phones.report().await.accepted_at_ms.len() >= before + pace.burst() as usize).then_some(())
    })
    .await;
    let newcomer = stage.web.account("newcomer").await;
    let asked = Instant::now();
    stage.web.send("account.pair", newcomer, json!({})).await;
    stage.web.qr(newcomer).await;
    // Without priority a newcomer would wait for nearly all others.
    assert!(asked.elapsed() < WHOLE / 2, "a person waited {:?} for a QR", asked.elapsed());
    assert!(
        stage.phones.report().await.logged_in_now < accounts as u64,
        "all accounts were connected before the newcomer"
    );
    stage.web.does("account.cancel", newcomer, json!({})).await;
    all_online(&stage, accounts).await;
    say("all connected again", began);
    paced_since(&stage, before, pace).await;

    // WhatsApp is down for a while: all connections are closed and no login is accepted.
    let before = stage.phones.report().await.accepted_at_ms.len();
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    let down = Instant::now();
    until("many vain tries", || async {
        (stage.phones.report().await.refused >= 2 * pace.burst() as u64).then_some(())
    })
    .await;
    let refused = stage.phones.report().await.refused;
    assert!(pace.allows(refused, down.elapsed()), "{refused} tries in {:?}", down.elapsed());
    stage.phones.clear_faults().await;
    let began = Instant::now();
    all_online(&stage, accounts).await;
    say("all connected after the outage", began);
    paced_since(&stage, before, pace).await;
    moved_without_a_word_lost(&stage, &paired).await;
    stage.finish([daemon]).await;
}

fn say(what: &str, began: Instant) {
    eprintln!("{what}: {:.1?}", began.elapsed());
}

/// Connections a second, after a burst.
#[derive(Clone, Copy)]
struct Pace {
    rate: u32,
}

/// How long all of them take under the rate limit.
const WHOLE: Duration = Duration::from_secs(10);

impl Pace {
    fn for_accounts(accounts: usize) -> Self {
        Self { rate: u32::try_from(accounts / WHOLE.as_secs() as usize).unwrap() }
    }

    fn burst(self) -> f64 {
        f64::from(self.rate) * 2.5
    }

    /// A late dial may count as an early one, since the clocks of daemon and sandbox differ.
    fn allows(self, connections: u64, within: Duration) -> bool {
        connections as f64 <= self.burst() + f64::from(self.rate) * (within.as_secs_f64() + 0.5) + 2.0
    }
}

/// No interval has more connections than a burst and the rate allow.
async fn paced_since(stage: &Stage, from: usize, pace: Pace) {
    let accepted = stage.phones.report().await.accepted_at_ms;
    let accepted = &accepted[from..];
    for (nth, start) in accepted.iter().enumerate() {
        for (count, end) in (0..).zip(&accepted[nth..]) {
            let within = Duration::from_millis(end - start);
            assert!(pace.allows(count, within), "{count} connections within {within:?}");
        }
    }
}

/// `make storm` wants a thousand: pairing them takes minutes.
#[expect(clippy::disallowed_methods, reason = "the one knob of the storm")]
fn accounts() -> usize {
    std::env::var("PAIRD_TEST_ACCOUNTS").map_or(100, |accounts| accounts.parse().unwrap())
}
