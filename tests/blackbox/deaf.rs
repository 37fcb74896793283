//! Connections that are logged in, answer pings, and to which WhatsApp does not deliver: they are found by that.

use std::time::Duration;

use paird_sandbox::{ActivationFault, Fault, Scope};
use paird_testkit::{Api, Phones, Stage, until, until_within};
use uuid::Uuid;

use crate::receiving::texts;

const ANNA: &str = "999000000501";
const NUMBER: &str = "436606000001";

/// As the row and the event say it.
const REASON: &str = "socket_lost: whatsapp fell silent before it had delivered all that waited";

/// The machine's own times: how long WhatsApp may be silent, and the pause after that, which doubles, less a quarter.
const SILENCE_MS: u64 = 20_000;
const FIRST_PAUSE_MS: u64 = 750;

fn activation(how: ActivationFault, number: &str, times: Option<u32>) -> Fault {
    Fault::Activation { how, number: Some(number.to_owned()), times }
}

/// So many texts of a contact.
async fn write_to(phones: &Phones, number: &str, count: usize) -> Vec<String> {
    let texts: Vec<String> = (0..count).map(|nth| format!("Nr. {nth}")).collect();
    phones.burst(ANNA, number, texts.clone()).await;
    texts
}

/// The reasons for which the account lost its connections after `seq`.
async fn losses(stage: &Stage, account: Uuid, seq: i64) -> Vec<String> {
    let events = stage.web.events(account).await.into_iter();
    let lost = events.filter(|event| event.seq > seq && event.kind == "session.disconnected");
    lost.map(|event| event.payload["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_given_nothing_is_replaced_in_30_s() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (web, phones) = (&stage.web, &stage.phones);
    // What waits is more than WhatsApp sends unasked.
    let kinds = [
        ActivationFault::Unanswered,
        ActivationFault::Refused(500),
        ActivationFault::Unheeded,
        ActivationFault::Endless,
    ];
    let mut accounts = Vec::new();
    for (nth, how) in kinds.into_iter().enumerate() {
        let number = format!("43660600001{nth}");
        let account = web.connect_account(&format!("desk {nth}"), &number, phones).await;
        phones.keys_told(&number).await;
        accounts.push((account, number, how));
    }
    assert!(daemon.terminate().await.success());
    let mut written = Vec::new();
    for (account, number, how) in &accounts {
        phones.fault(activation(*how, number, Some(1))).await;
        written.push((*account, write_to(phones, number, 12).await, web.seq(*account).await));
    }
    let logins = phones.report().await.logins;
    let daemon = stage.daemon(&[]).await;
    until("every account is logged in", || async { (phones.report().await.logins >= logins + 4).then_some(()) }).await;
    until_within(Duration::from_secs(30), "another connection of each", || async {
        (phones.report().await.logins >= logins + 8).then_some(())
    })
    .await;
    for (account, all, seq) in &written {
        until("what waited", || async { (texts(&stage, *account).await.len() >= all.len()).then_some(()) }).await;
        assert_eq!(texts(&stage, *account).await, *all);
        assert_eq!(losses(&stage, *account, *seq).await, [REASON]);
        web.status_is(*account, "connected").await;
    }
    assert_eq!(phones.report().await.logins, logins + 8, "one more of each");
    assert_eq!(daemon.log().lines().filter(|line| line.contains("delivers nothing on this connection")).count(), 4);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whatsapp_that_never_delivers_is_asked_more_rarely() {
    const CONNECTIONS: usize = 4;
    let stage = Stage::in_haste().await;
    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    phones.keys_told(NUMBER).await;
    let (seq, before) = (web.seq(account).await, phones.report().await.accepted_at_ms.len());
    phones.fault(activation(ActivationFault::Unanswered, NUMBER, None)).await;
    phones.fault(Fault::Cut { scope: Scope::Number(NUMBER.to_owned()) }).await;
    let accepted = until_within(Duration::from_secs(120), "connections, one after the other", || async {
        Some(phones.report().await.accepted_at_ms.split_off(before)).filter(|at| at.len() > CONNECTIONS)
    })
    .await;
    // The first pause was after the cut, so the first of these is the second.
    for (pair, nth) in accepted.windows(2).zip(1..) {
        let took = (pair[1] - pair[0]) * u64::from(stage.haste());
        let least = SILENCE_MS + (FIRST_PAUSE_MS << nth);
        assert!(took >= least, "{took} ms after connection {nth}, and not {least}: {accepted:?}");
    }
    // For longer and longer, the row and the page say that it is not connected, and why.
    until("a pause, and its reason", || async {
        let shown = api.account(&account.to_string()).await;
        (shown["status"] == "reconnecting" && shown["statusReason"] == REASON).then_some(())
    })
    .await;
    let lost = losses(&stage, account, seq).await;
    assert!(lost.len() >= CONNECTIONS && lost[1..].iter().all(|reason| reason == REASON), "{lost:?}");
    phones.clear_faults().await;
    let all = write_to(phones, NUMBER, 3).await;
    until("what waited", || async { (texts(&stage, account).await == all).then_some(()) }).await;
    web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

/// Longer in all than WhatsApp may be silent.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_backlog_ends_no_connection() {
    let stage = Stage::in_haste().await;
    let daemon = stage.daemon(&[]).await;
    let (web, phones) = (&stage.web, &stage.phones);
    let account = web.connect_account("desk", NUMBER, phones).await;
    phones.keys_told(NUMBER).await;
    assert!(daemon.terminate().await.success());
    let pause_ms = SILENCE_MS / 2 / u64::from(stage.haste());
    phones.fault(activation(ActivationFault::EachAfterMs(pause_ms), NUMBER, Some(1))).await;
    let (all, seq) = (write_to(phones, NUMBER, 6).await, web.seq(account).await);
    let logins = phones.report().await.logins;
    let daemon = stage.daemon(&[]).await;
    until("the backlog", || async { (texts(&stage, account).await == all).then_some(()) }).await;
    // Nor afterwards, when nothing more comes.
    let pings = phones.report().await.pings_answered;
    until("two pings", || async { (phones.report().await.pings_answered >= pings + 2).then_some(()) }).await;
    assert_eq!(losses(&stage, account, seq).await, Vec::<String>::new());
    assert_eq!(phones.report().await.logins, logins + 1);
    stage.finish([daemon]).await;
}
