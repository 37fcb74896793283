//! A daemon that has lost its accounts and does not know it.

use std::{collections::BTreeMap, time::Instant};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until};
use uuid::Uuid;

use super::{BRISK, TTL, all_online, connect, moved_without_a_word_lost, owned_by, seqs, shares_are};

#[tokio::test]
async fn a_daemon_waking_after_its_lease_writes_nothing() {
    let stage = Stage::empty().await;
    let first = stage.daemon(&BRISK).await;
    let accounts = connect(&stage, 12).await;
    let mut second = stage.daemon(&BRISK).await;
    shares_are(&stage, &[(&first, 6), (&second, 6)]).await;
    all_online(&stage, 12).await;

    second.signal(Signal::SIGSTOP);
    let lost = owned_by(&stage, &second).await;
    let before: BTreeMap<Uuid, i64> = seqs(&stage, &lost).await;
    // A stopped daemon does not close its sockets; WhatsApp gives up on them.
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
async fn a_daemon_cut_from_its_database_lets_go_and_gets_new_fences() {
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
