//! Several daemons on one Postgres: shares, takeover, leaving, and the pace of it all.
//! Throughout, WhatsApp never sees a device twice: the sandbox's `replaced` stays 0.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use paird_sandbox::{Fault, Scope};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Daemon, Phones, Stage, until};

/// Short leases, so that a takeover takes seconds.
const TTL: Duration = Duration::from_secs(3);
const BRISK: [(&str, &str); 2] = [("PAIRD_LEASE_TTL", "3s"), ("PAIRD_CONNECT_RATE", "0")];
/// On top of the lease: a renewal until it is noticed, the claim and the logins.
const TAKEOVER: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_daemon_that_joins_gets_its_share_and_one_that_leaves_leaves_it_to_the_others() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&BRISK).await;
    let accounts = connect(&stage, 20).await;
    let second = stage.daemon(&BRISK).await;
    shares_are(&stage, &[(&first, 10), (&second, 10)]).await;
    all_online(&stage, 20).await;
    assert_eq!(stage.web.count("SELECT max(fence) FROM whatsapp_accounts", &[]).await, 2, "moved more than once");

    let asked = Instant::now();
    assert!(first.terminate().await.success());
    shares_are(&stage, &[(&second, 20)]).await;
    all_online(&stage, 20).await;
    assert!(asked.elapsed() < Duration::from_secs(8), "it took {:?}", asked.elapsed());
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([second]).await;
}

#[tokio::test]
async fn a_killed_daemons_accounts_are_connected_elsewhere_when_its_lease_is_over() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&BRISK).await;
    let accounts = connect(&stage, 20).await;
    let second = stage.daemon(&BRISK).await;
    shares_are(&stage, &[(&first, 10), (&second, 10)]).await;
    all_online(&stage, 20).await;

    let died = Instant::now();
    first.kill().await;
    shares_are(&stage, &[(&second, 20)]).await;
    all_online(&stage, 20).await;
    assert!(died.elapsed() < TTL + TAKEOVER, "it took {:?}", died.elapsed());
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([second]).await;
}

#[tokio::test]
async fn a_daemon_that_was_stopped_beyond_its_lease_writes_nothing_and_holds_no_socket_when_it_wakes() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&BRISK).await;
    let accounts = connect(&stage, 12).await;
    let mut second = stage.daemon(&BRISK).await;
    shares_are(&stage, &[(&first, 6), (&second, 6)]).await;
    all_online(&stage, 12).await;

    second.signal(Signal::SIGSTOP);
    let lost = owned_by(&stage, &second).await;
    let before: BTreeMap<Uuid, i64> = seqs(&stage, &lost).await;
    // Nobody who is stopped closes a socket; WhatsApp gives up on it.
    for account in &lost {
        let jid: String = stage.web.column(*account, "device_jid").await;
        stage.phones.fault(Fault::Cut { scope: Scope::Device(jid) }).await;
    }
    shares_are(&stage, &[(&first, 12)]).await;
    all_online(&stage, 12).await;

    second.signal(Signal::SIGCONT);
    second.says("the lease was not renewed in time").await;
    second.log_until("nobody of before is left", |log| log.matches(" → Gone").count() >= lost.len()).await;
    shares_are(&stage, &[(&first, 6), (&second, 6)]).await;
    all_online(&stage, 12).await;
    for (account, seq) in before {
        let told: Vec<_> = stage.web.events(account).await.into_iter().filter(|event| event.seq > seq).collect();
        let by_the_dead = |reason: &str| !["daemon_restarted", "released"].contains(&reason);
        let of_the_dead = told.iter().find(|event| event.payload["reason"].as_str().is_some_and(by_the_dead));
        assert_eq!(of_the_dead, None, "written by the daemon that had lost the account");
    }
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([first, second]).await;
}

#[tokio::test]
async fn a_daemon_without_its_database_lets_go_in_time_and_comes_back_with_new_fences() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&BRISK).await;
    let accounts = connect(&stage, 12).await;
    stage.web.sql.batch_execute("CREATE ROLE cut_off LOGIN SUPERUSER").await.unwrap();
    let dsn = stage.dsn.replace("user=paird", "user=cut_off");
    assert_ne!(dsn, stage.dsn);
    let mut second = stage.daemon(&[BRISK[0], BRISK[1], ("DATABASE_URL", &dsn)]).await;
    shares_are(&stage, &[(&first, 6), (&second, 6)]).await;
    all_online(&stage, 12).await;
    let lost = owned_by(&stage, &second).await;

    let cut = Instant::now();
    let sever =
        "ALTER ROLE cut_off NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cut_off'";
    stage.web.sql.batch_execute(sever).await.unwrap();
    until("its sockets closed", || async { (stage.phones.report().await.logged_in_now == 6).then_some(()) }).await;
    assert!(cut.elapsed() < TTL, "not before another daemon may take over: {:?}", cut.elapsed());
    shares_are(&stage, &[(&first, 12)]).await;
    all_online(&stage, 12).await;
    let fences: Vec<i64> = join_all(lost.iter().map(|account| stage.web.column(*account, "fence"))).await;

    stage.web.sql.batch_execute("ALTER ROLE cut_off LOGIN").await.unwrap();
    second.says("the lease is live again").await;
    shares_are(&stage, &[(&first, 6), (&second, 6)]).await;
    all_online(&stage, 12).await;
    assert!(fences.iter().all(|fence| *fence >= 3), "taken over without a new fence: {fences:?}");
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([first, second]).await;
}

#[tokio::test]
async fn a_rolling_restart_of_three_daemons_ends_every_command_exactly_once() {
    let stage = Stage::empty().await;
    let mut daemons = vec![stage.daemon(&BRISK).await];
    let accounts = connect(&stage, 12).await;
    daemons.push(stage.daemon(&BRISK).await);
    daemons.push(stage.daemon(&BRISK).await);
    shares_are(&stage, &[(&daemons[0], 4), (&daemons[1], 4), (&daemons[2], 4)]).await;

    let mut sent = Vec::new();
    {
        let rolling = async {
            for _ in 0..3 {
                let leaver = daemons.remove(0);
                assert!(leaver.terminate().await.success());
                daemons.push(stage.daemon(&BRISK).await);
                shares_are(&stage, &[(&daemons[0], 4), (&daemons[1], 4), (&daemons[2], 4)]).await;
            }
        };
        tokio::pin!(rolling);
        loop {
            let pause = tokio::time::sleep(Duration::from_millis(20));
            let account = accounts[sent.len() % accounts.len()];
            // One that fails says so in an event: exactly one.
            let kind = if sent.len() % 3 == 0 { "groups.sync" } else { "account.wave" };
            sent.push((stage.web.send(kind, account, json!({})).await, kind));
            tokio::select! {
                () = &mut rolling => break,
                () = pause => {}
            }
        }
    }
    all_online(&stage, 12).await;
    for (command, kind) in &sent {
        let (state, result) = stage.web.outcome(*command).await;
        let told = "SELECT count(*) FROM events WHERE kind = 'command.failed' AND payload->>'commandId' = $1::text";
        let told = stage.web.count(told, &[&command.to_string()]).await;
        let failed = i64::from(state == "failed");
        assert_eq!(told, failed, "command {command}, {kind}, {state}: {result}");
        assert!(*kind == "groups.sync" || failed == 1, "{kind} was {state}: {result}");
    }
    assert!(sent.len() >= accounts.len(), "only {} commands were on the way", sent.len());
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish(daemons).await;
}

#[tokio::test]
async fn restored_accounts_come_up_at_the_pace_of_the_budget_and_pairing_goes_ahead_of_them() {
    const ACCOUNTS: usize = 60;
    const RATE: f64 = 10.0;
    let paced = [("PAIRD_CONNECT_RATE", "10"), ("PAIRD_LEASE_TTL", "3s")];
    let stage = Stage::empty().await;
    // With a lease of full length: many pairings at once keep a small machine busy.
    let first = stage.daemon(&[BRISK[1]]).await;
    let accounts = connect(&stage, ACCOUNTS).await;
    assert!(first.terminate().await.success());
    let before = stage.phones.report().await.accepted_at_ms.len();

    let daemon = stage.daemon(&paced).await;
    until("the burst used up", || async {
        (stage.phones.report().await.accepted_at_ms.len() >= before + 26).then_some(())
    })
    .await;
    let newcomer = stage.web.account("newcomer").await;
    let asked = Instant::now();
    stage.web.send("account.pair", newcomer, json!({})).await;
    stage.web.qr(newcomer).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "a person waited {:?} for a QR", asked.elapsed());
    assert!(stage.phones.report().await.logged_in_now < ACCOUNTS as u64, "there was nobody to go ahead of");
    stage.web.does("account.cancel", newcomer, json!({})).await;
    all_online(&stage, ACCOUNTS).await;
    paced_at(&stage, before, RATE).await;

    // WhatsApp is down for a while: everybody is thrown out and nobody is let in.
    let before = stage.phones.report().await.accepted_at_ms.len();
    stage.phones.fault(Fault::RefuseConnections { times: None }).await;
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    let down = Instant::now();
    until("many vain tries", || async { (stage.phones.report().await.refused >= 40).then_some(()) }).await;
    let refused = stage.phones.report().await.refused as f64;
    let most = RATE * 2.5 + RATE * (down.elapsed().as_secs_f64() + 1.0);
    assert!(refused <= most, "{refused} tries in {:?}", down.elapsed());
    stage.phones.clear_faults().await;
    all_online(&stage, ACCOUNTS).await;
    paced_at(&stage, before, RATE).await;
    moved_without_a_word_lost(&stage, &accounts).await;
    stage.finish([daemon]).await;
}

/// In no stretch of time more connections than a burst and the rate allow.
async fn paced_at(stage: &Stage, from: usize, rate: f64) {
    let accepted = stage.phones.report().await.accepted_at_ms;
    let accepted = &accepted[from..];
    for (nth, start) in accepted.iter().enumerate() {
        for (count, end) in accepted[nth..].iter().enumerate() {
            let seconds = (end - start) as f64 / 1000.0;
            // What was dialed late counts as early: the daemon's clock is not the sandbox's.
            let most = rate * 2.5 + rate * (seconds + 0.5) + 2.0;
            assert!(count as f64 <= most, "{count} connections within {seconds} s");
        }
    }
}

fn number(nth: usize) -> String {
    format!("43660{:07}", 1_000_000 + nth)
}

/// So many accounts, all connected.
async fn connect(stage: &Stage, count: usize) -> Vec<Uuid> {
    let mut accounts = Vec::new();
    for batch in (0..count).collect::<Vec<_>>().chunks(20) {
        let connecting = batch.iter().map(|nth| {
            let phones: &Phones = &stage.phones;
            async move { stage.web.connect_account(&format!("desk {nth}"), &number(*nth), phones).await }
        });
        accounts.extend(join_all(connecting).await);
    }
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
    until(&format!("{count} connected"), || async {
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
