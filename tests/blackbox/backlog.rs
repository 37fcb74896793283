//! Messages that waited at WhatsApp while no daemon was there, and are announced at the next login.

use std::time::Duration;

use paird_sandbox::Fault;
use paird_testkit::{Daemon, Stage, until_within};
use uuid::Uuid;

use crate::receiving::{ANNA, NUMBER, all_are_told_once, linked, texts};

/// What one request to the sandbox writes within its time.
const AT_ONCE: usize = 500;

/// How many wait: `PAIRD_TEST_BACKLOG`, or what a suite has time for.
#[expect(clippy::disallowed_methods, reason = "a knob of this test")]
fn so_many() -> usize {
    std::env::var("PAIRD_TEST_BACKLOG").ok().map_or(1_500, |given| given.parse().unwrap())
}

/// An account whose daemon has ended, and what was written to it since.
async fn with_backlog(stage: &Stage, daemon: Daemon) -> (Uuid, Vec<String>) {
    let account = linked(stage).await;
    assert!(daemon.terminate().await.success());
    let all: Vec<String> = (0..so_many()).map(|nth| format!("Nr. {nth}")).collect();
    for some in all.chunks(AT_ONCE) {
        stage.phones.burst(ANNA, NUMBER, some.to_vec()).await;
    }
    (account, all)
}

async fn comes_whole(stage: &Stage, account: Uuid, all: &[String]) {
    let count = "SELECT count(*) FROM messages WHERE account_id = $1";
    let most = Duration::from_secs(45 + all.len() as u64 / 50);
    until_within(most, "the backlog", || async {
        (stage.web.count(count, &[&account]).await >= all.len() as i64).then_some(())
    })
    .await;
    assert_eq!(texts(stage, account).await, all);
    all_are_told_once(stage, account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_comes_whole_and_in_order() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (account, all) = with_backlog(&stage, daemon).await;
    let daemon = stage.daemon(&[]).await;
    comes_whole(&stage, account, &all).await;
    stage.finish([daemon]).await;
}

/// WhatsApp breaks the connection off early, in the middle and at the end of what it announced.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_that_is_broken_off_midway_comes_whole() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (account, all) = with_backlog(&stage, daemon).await;
    for after in [all.len() / 10, all.len() / 2, all.len()] {
        stage.phones.fault(Fault::CutBacklog { after, number: Some(NUMBER.to_owned()), times: Some(1) }).await;
    }
    let logins = stage.phones.report().await.logins;
    let daemon = stage.daemon(&[]).await;
    comes_whole(&stage, account, &all).await;
    let report = stage.phones.report().await;
    assert_eq!((report.logins - logins, report.faults_hit["cut_backlog"]), (4, 3), "each login was broken off but one");
    stage.finish([daemon]).await;
}

/// The same by the daemon's own end.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_amid_a_backlog_loses_none_of_it() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (account, all) = with_backlog(&stage, daemon).await;
    let daemon = stage.daemon(&[]).await;
    let some = "SELECT count(*) FROM messages WHERE account_id = $1";
    until_within(Duration::from_secs(45), "a part of the backlog", || async {
        (stage.web.count(some, &[&account]).await > 0).then_some(())
    })
    .await;
    daemon.kill().await;
    assert!(texts(&stage, account).await.len() < all.len(), "it was all there already");
    let daemon = stage.daemon(&[]).await;
    comes_whole(&stage, account, &all).await;
    stage.finish([daemon]).await;
}
