//! How long a killed daemon's accounts are without a connection.

use paird_testkit::{Daemon, until_within};
use tokio::time::Instant;

use super::{
    figures::{Figures, Target},
    fleet::Fleet,
    say,
};
use std::time::Duration;

/// `PAIRD_LEASE_TTL` by default, and 15 s more.
const TARGET_S: f64 = 35.0;
const MEASURE_TIMEOUT: Duration = Duration::from_secs(300);

/// With so many accounts on two daemons, half of them lose theirs.
pub async fn measure(accounts: usize, figures: &mut Figures) {
    let mut fleet = Fleet::empty().await;
    let dying = fleet.daemon(&[]).await;
    fleet.grow_to(accounts).await;
    let heir = fleet.daemon(&[]).await;
    say("both daemons come to own half");
    until_within(MEASURE_TIMEOUT, "equal shares", || async {
        (owned(&fleet, &dying).await == accounts / 2 && owned(&fleet, &heir).await == accounts / 2).then_some(())
    })
    .await;
    fleet.all_connected().await;
    say(format_args!("kill -9 with {} accounts", accounts / 2));
    let died = Instant::now();
    dying.kill().await;
    until_within(MEASURE_TIMEOUT, "the dead one's connections gone", || async {
        (fleet.phones.report().await.logged_in_now <= accounts as u64 / 2).then_some(())
    })
    .await;
    fleet.all_connected().await;
    let what = format!("kill -9 → {} accounts connected elsewhere", accounts / 2);
    figures.add(what, "s", Some(Target::AtMost(TARGET_S)), vec![died.elapsed().as_secs_f64()]);
    fleet.end([heir]).await;
}

async fn owned(fleet: &Fleet, daemon: &Daemon) -> usize {
    let sql = "SELECT count(*) FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner WHERE p.pid = $1";
    usize::try_from(fleet.web.count(sql, &[&daemon.pid()]).await).unwrap()
}
