//! WhatsApp refuses the client's version: few accounts try again meanwhile, and all come back by themselves.

use std::time::Duration;

use futures_util::future::join_all;
use paird_sandbox::{Fault, Scope};
use paird_testkit::{Stage, until, until_within};

const ACCOUNTS: u64 = 50;
/// Within this time every account's next try is due, and two rounds of tries have begun.
const NEXT_TRIES: Duration = Duration::from_secs(200);
/// How many try in a round.
const CANARIES: usize = 3;
/// Within this time the next round comes, and then the second try of the other accounts.
const BACK: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_whose_client_was_refused_comes_back_by_itself() {
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
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
    until("those that were on their way are refused", || async {
        (stage.phones.report().await.connections_now == 0).then_some(())
    })
    .await;
    let held = "SELECT count(*) FROM whatsapp_accounts WHERE status_reason LIKE 'client_outdated%'";
    until("the row says why", || async { (web.count(held, &[]).await >= 1).then_some(()) }).await;
    let tries = || async { stage.phones.report().await.accepted_at_ms };
    let before = tries().await.len();
    let tried = until_within(NEXT_TRIES, "a second round", || async {
        Some(tries().await.split_off(before)).filter(|tried| tried.len() > CANARIES)
    })
    .await;
    // Rounds are 30 s apart at first, less a quarter.
    for four in tried.windows(CANARIES + 1) {
        let took = (four[CANARIES] - four[0]) * u64::from(stage.haste());
        assert!(took >= 20_000, "four logins within {took} ms, of {ACCOUNTS} accounts that all want to: {tried:?}");
    }
    for account in &accounts {
        let held = web.kinds(*account).await.iter().filter(|kind| *kind == "session.held").count();
        assert!(held <= 1, "a repeated refusal writes no event");
    }

    stage.phones.clear_faults().await;
    until_within(BACK, "all are back", || is("connected")).await;
    let commands = web.count("SELECT count(*) FROM commands WHERE kind <> 'account.pair'", &[]).await;
    assert_eq!(commands, 0, "they came back without a command");
    stage.finish([daemon]).await;
}
