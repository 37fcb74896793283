//! WhatsApp refuses the client, for the whole fleet: it comes back by itself, and is not knocked at meanwhile.

use std::time::Duration;

use futures_util::future::join_all;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until_within};

const ACCOUNTS: u64 = 50;
/// Until all that were under way have come to something.
const FIRST_TRIES: Duration = Duration::from_secs(15);
/// Every account has wanted to try again within this: a minute, jittered.
const NEXT_TRIES: Duration = Duration::from_secs(75);
/// The next round comes within this, and the second try of those who were refused in vain.
const BACK: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_whose_client_was_refused_comes_back_by_itself() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let accounts = join_all((0..ACCOUNTS).map(|nth| {
        let stage = &stage;
        async move {
            stage.web.connect_account(&format!("desk {nth}"), &(436_608_000_000 + nth).to_string(), &stage.phones).await
        }
    }))
    .await;
    let is = |status: &'static str| async move {
        let sql = "SELECT count(*) FROM whatsapp_accounts WHERE status = $1";
        (web.count(sql, &[&status]).await == i64::try_from(ACCOUNTS).unwrap()).then_some(())
    };

    let refusing = Fault::LoginFailure { reason: 405, code: None, expire: None, number: None, times: None };
    stage.phones.fault(refusing).await;
    stage.phones.fault(Fault::Cut { scope: Scope::All }).await;
    let not_connected = "SELECT count(*) FROM whatsapp_accounts WHERE status <> 'connected'";
    web.count_becomes(not_connected, i64::try_from(ACCOUNTS).unwrap()).await;
    // Some were on their way when the first was refused.
    tokio::time::sleep(FIRST_TRIES).await;
    let held =
        web.count("SELECT count(*) FROM whatsapp_accounts WHERE status_reason LIKE 'client_outdated%'", &[]).await;
    assert!(held >= 1, "the row says why");
    let tries = || async { stage.phones.report().await.accepted };
    let before = tries().await;
    tokio::time::sleep(NEXT_TRIES).await;
    let meanwhile = tries().await - before;
    assert!(meanwhile <= 9, "{meanwhile} logins of {ACCOUNTS} accounts that all want to");
    for account in &accounts {
        let held = web.kinds(*account).await.iter().filter(|kind| *kind == "session.held").count();
        assert!(held <= 1, "a client that is still refused is no news");
    }

    stage.phones.clear_faults().await;
    until_within(BACK, "all are back", || is("connected")).await;
    let commands = web.count("SELECT count(*) FROM commands WHERE kind <> 'account.pair'", &[]).await;
    assert_eq!(commands, 0, "nobody resumed them");
    stage.finish([daemon]).await;
}
