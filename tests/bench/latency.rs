//! How long a person waits: for a QR, and after the scan.

use futures_util::future::join_all;
use paird_testkit::{Api, sample};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    figures::{Figures, Target, ms, percentile},
    fleet::{Fleet, number},
    process::resident,
    say,
};

/// Attempts in one round: enough for a 99th percentile.
const ALONE: usize = 200;
const AT_ONCE: usize = 100;

pub async fn measure(rounds: usize, figures: &mut Figures) {
    say("how long a QR takes");
    let fleet = Fleet::empty().await;
    let mut daemon = fleet.daemon(&[]).await;
    let api = Api::beside(&fleet.dir, &mut daemon).await;
    // The first attempts of a process pay for its caches.
    alone(&fleet, 20).await;

    let (mut p50, mut p99, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = gateways_own(&api).await;
        let mut waited = alone(&fleet, ALONE).await;
        let after = gateways_own(&api).await;
        let handshake = (after.0 - before.0) / (after.1 - before.1) * 1_000.0;
        ours.push(waited.iter().sum::<f64>() / waited.len() as f64 - handshake);
        p50.push(percentile(&mut waited, 50));
        p99.push(percentile(&mut waited, 99));
    }
    figures.add("command → `session.qr` heard, alone, p50", "ms", Some(Target::AtMost(25.0)), p50);
    figures.add("command → `session.qr` heard, alone, p99", "ms", Some(Target::AtMost(80.0)), p99);
    figures.add("of its mean, not the connection to WhatsApp", "ms", None, ours);

    let (mut p50, mut p99, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = resident(daemon.pid());
        let (mut waited, accounts) = together(&fleet, AT_ONCE).await;
        each.push(resident(daemon.pid()).saturating_sub(before) as f64 / AT_ONCE as f64);
        fleet.cancel(&accounts).await;
        p50.push(percentile(&mut waited, 50));
        p99.push(percentile(&mut waited, 99));
    }
    figures.add("the same, 100 attempts at once, p50", "ms", None, p50);
    figures.add("the same, 100 attempts at once, p99", "ms", Some(Target::AtMost(400.0)), p99);
    // Later rounds find the memory of earlier ones still there.
    figures.add("resident for each attempt on show, first round", "KiB", None, vec![each[0]]);

    say("how long a link takes");
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let mut nth = 0;
    for _ in 0..rounds {
        let mut took = Vec::new();
        for account in fleet.accounts(ALONE / 2).await {
            let paired = fleet.pair(account, number(nth)).await;
            took.push(ms(paired.connected - paired.scanned));
            nth += 1;
        }
        p50.push(percentile(&mut took, 50));
        p99.push(percentile(&mut took, 99));
    }
    figures.add("scan → `session.connected` heard, p50", "ms", Some(Target::AtMost(120.0)), p50);
    figures.add("scan → `session.connected` heard, p99", "ms", None, p99);
    fleet.end([daemon]).await;
}

/// One attempt after the other, each of another account.
pub async fn alone(fleet: &Fleet, count: usize) -> Vec<f64> {
    let mut waited = Vec::new();
    for account in fleet.accounts(count).await {
        let asked = fleet.ask(account, "account.pair").await;
        waited.push(ms(fleet.listener.wait_for(account, "session.qr", asked).await - asked));
        fleet.cancel(&[account]).await;
    }
    waited
}

/// All asked for in one transaction.
async fn together(fleet: &Fleet, count: usize) -> (Vec<f64>, Vec<Uuid>) {
    let accounts = fleet.accounts(count).await;
    let asked = Instant::now();
    let sql = "SELECT send_command('account.pair', id) FROM unnest($1::uuid[]) id";
    fleet.web.sql.query(sql, &[&accounts]).await.unwrap();
    let heard = join_all(accounts.iter().map(|account| fleet.listener.wait_for(*account, "session.qr", asked))).await;
    (heard.into_iter().map(|at| ms(at - asked)).collect(), accounts)
}

/// What the daemon saw between the order of a connection and its first QR, so far:
/// seconds, and how many.
async fn gateways_own(api: &Api) -> (f64, f64) {
    let text = api.get("/metrics").await.is(200).text();
    let value = |name: &str| sample(&text, name).unwrap_or_else(|| panic!("no {name}"));
    (value("paird_first_qr_duration_seconds_sum"), value("paird_first_qr_duration_seconds_count"))
}
