//! Where the bytes are: the same fleet, each time with one thing more.

use paird_sandbox::{Fault, Scope};
use paird_testkit::{Daemon, until_within};

use super::{figures::Figures, fleet::Fleet, process::settled, say};
use std::time::Duration;

const MEASURE_TIMEOUT: Duration = Duration::from_secs(300);

pub async fn measure(accounts: usize, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let daemon = fleet.daemon(&[]).await;
    let base = settled(daemon.pid()).await;
    fleet.grow_to(accounts).await;
    fleet.all_connected().await;
    let daemon = again(&fleet, daemon).await;
    fleet.all_connected().await;
    let connected = settled(daemon.pid()).await;

    say("the same accounts, held");
    fleet.phones.fault(Fault::Replaced { scope: Scope::All }).await;
    let held = "SELECT count(*) FROM whatsapp_accounts WHERE status = 'held'";
    until_within(MEASURE_TIMEOUT, "all held", || async {
        (fleet.web.count(held, &[]).await == i64::try_from(accounts).unwrap()).then_some(())
    })
    .await;
    let daemon = again(&fleet, daemon).await;
    let held = settled(daemon.pid()).await;

    let each = |more: f64, less: f64| vec![(more - less) / accounts as f64];
    figures.add("of an account's memory: its actor", "KiB", None, each(held, base));
    figures.add("of an account's memory: its connection, client and keys", "KiB", None, each(connected, held));
    let sql = "SELECT pg_total_relation_size('credentials') + pg_total_relation_size('keyrings')";
    let stored = fleet.web.count(sql, &[]).await as f64 / accounts as f64 / 1024.0;
    figures.add("of an account on disk: its sealed keys, indexes included", "KiB", None, vec![stored]);
    fleet.end([daemon]).await;
}

async fn again(fleet: &Fleet, daemon: Daemon) -> Daemon {
    assert!(daemon.terminate().await.success());
    fleet.daemon(&[]).await
}
