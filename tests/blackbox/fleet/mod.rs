//! Several daemons on one Postgres: shares, takeover, leaving, and the pace of it all.
//! Throughout, WhatsApp never sees a device twice: the sandbox's `replaced` stays 0.

pub mod late_writes;
mod measured;
mod shares;
mod storms;
mod zombies;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use paird_testkit::{DEADLINE, Daemon, Phones, Stage, until, until_within};
use uuid::Uuid;

/// Without the rate limit, so that accounts move at once.
const EAGER: (&str, &str) = ("PAIRD_CONNECT_RATE", "0");
/// For tests in which a lease must run out: short, but long enough for a busy machine to renew it.
const TTL: Duration = Duration::from_secs(6);
const BRISK: [(&str, &str); 2] = [("PAIRD_LEASE_TTL", "6s"), EAGER];

fn number(nth: usize) -> String {
    format!("43660{:07}", 1_000_000 + nth)
}

/// Makes so many connected accounts.
async fn connect(stage: &Stage, count: usize) -> Vec<Uuid> {
    let mut accounts = Vec::new();
    for batch in (0..count).collect::<Vec<_>>().chunks(20) {
        let connecting = batch.iter().map(|nth| {
            let phones: &Phones = &stage.phones;
            async move { stage.web.connect_account(&format!("desk {nth}"), &number(*nth), phones).await }
        });
        accounts.extend(join_all(connecting).await);
    }
    stage.web.linked_long_ago().await;
    accounts
}

async fn owned_by(stage: &Stage, daemon: &Daemon) -> Vec<Uuid> {
    let sql = "SELECT a.id FROM whatsapp_accounts a JOIN processes p ON p.id = a.owner WHERE p.pid = $1 ORDER BY 1";
    let rows = stage.web.sql.query(sql, &[&daemon.pid()]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Waits until the daemons own so many accounts each.
async fn shares_are(stage: &Stage, shares: &[(&Daemon, usize)]) {
    until(&format!("shares of {:?}", shares.iter().map(|(_, share)| share).collect::<Vec<_>>()), || async {
        for (daemon, share) in shares {
            if owned_by(stage, daemon).await.len() != *share {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// Waits until rows and WhatsApp agree that so many are connected.
async fn all_online(stage: &Stage, count: usize) {
    let sql = "SELECT count(*) FROM whatsapp_accounts WHERE status = 'connected'";
    let most = DEADLINE.max(Duration::from_millis(150) * u32::try_from(count).unwrap());
    until_within(most, &format!("{count} connected"), || async {
        let rows = stage.web.count(sql, &[]).await;
        let seen = stage.phones.report().await.logged_in_now;
        (rows == count as i64 && seen == count as u64).then_some(())
    })
    .await;
}

async fn seqs(stage: &Stage, accounts: &[Uuid]) -> BTreeMap<Uuid, i64> {
    let seqs = join_all(accounts.iter().map(|account| stage.web.seq(*account))).await;
    accounts.iter().copied().zip(seqs).collect()
}

/// Never two connections of one device, and no gap in any account's events.
async fn moved_without_a_word_lost(stage: &Stage, accounts: &[Uuid]) {
    assert_eq!(stage.phones.report().await.replaced, 0, "two connections of one device");
    for account in accounts {
        let events = stage.web.events(*account).await;
        assert!(!events.is_empty());
    }
}
