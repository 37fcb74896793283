//! The passkey gate: WhatsApp's challenge reaches the operator, and the answer WhatsApp.

use paird_sandbox::Fault;
use paird_testkit::{Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436601234567";

/// An account whose phone was scanned and asks for its passkey: the request, and its `seq`.
async fn challenged(stage: &Stage, timeout_ms: u64) -> (Uuid, Value, i64) {
    stage.phones.add(NUMBER).await;
    stage.phones.set_passkey(NUMBER, timeout_ms).await;
    let account = stage.web.account("desk").await;
    stage.web.pair_with(account, NUMBER, &stage.phones).await;
    let (request, seq) = challenge(stage, account, 0).await;
    (account, request, seq)
}

async fn challenge(stage: &Stage, account: Uuid, after: i64) -> (Value, i64) {
    let asked = stage.web.event(account, "session.passkey", after).await;
    assert_eq!(asked.payload["stage"], "challenge", "{asked:?}");
    (asked.payload["request"].clone(), asked.seq)
}

async fn reason(stage: &Stage, account: Uuid) -> String {
    stage.web.column(account, "status_reason").await
}

/// From a challenge to the account that is connected.
async fn links(stage: &Stage, account: Uuid, request: &Value, seq: i64) {
    let (web, phones) = (&stage.web, &stage.phones);
    let response = phones.passkey_assertion(NUMBER, request).await;
    web.does("account.passkey", account, json!({"response": response})).await;
    let confirm = web.event(account, "session.passkey", seq).await;
    assert_eq!(confirm.payload["stage"], "confirm", "{confirm:?}");
    assert_eq!(reason(stage, account).await, "waiting_for_passkey_confirmation");
    // The operator compares the codes on both screens.
    assert_eq!(confirm.payload["request"]["code"], phones.passkey_code(NUMBER).await);
    assert_eq!(phones.devices(NUMBER).await, [], "the device is linked before the operator confirmed");
    web.does("account.passkey", account, json!({"confirm": true})).await;
    web.status_is(account, "connected").await;
    web.agrees_with(phones, NUMBER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_phone_links_by_its_answer_and_the_operators_word() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, request, seq) = challenged(&stage, 60_000).await;
    assert_eq!(web.status(account).await, "pending");
    assert_eq!(reason(&stage, account).await, "waiting_for_passkey");
    assert_eq!(web.qr_now(account).await, None, "the scan is done, its QR is off the row");
    // The event contains only what a browser gets: nothing that gives access to an account.
    let mut names: Vec<_> = request.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["allowCredentials", "challenge", "rpId", "timeout", "userVerification"]);

    links(&stage, account, &request, seq).await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    assert_eq!(
        web.count("SELECT count(*) FROM commands WHERE args ? 'response'", &[]).await,
        0,
        "answers are not kept"
    );
    let heard = web.heard(account);
    assert!(heard.iter().any(|event| event["type"] == "session.passkey" && event["stage"] == "challenge"));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passkey_answer_fails_and_the_right_one_still_links() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, request, seq) = challenged(&stage, 60_000).await;
    let answer = |args: Value| web.ask("account.passkey", account, args);

    let mut forged = stage.phones.passkey_assertion(NUMBER, &request).await;
    forged["response"]["signature"] = json!("AAAA");
    let (state, why) = answer(json!({"response": forged})).await;
    assert_eq!(state, "failed");
    assert!(why.contains("WhatsApp did not take the answer") && why.contains("401"), "{why}");
    let other = json!({"challenge": "AAAA"});
    let stale = stage.phones.passkey_assertion(NUMBER, &other).await;
    assert_eq!(answer(json!({"response": stale})).await.0, "failed");
    let (state, why) = answer(json!({"response": "hush"})).await;
    assert_eq!((state.as_str(), why.as_str()), ("failed", "the passkey response is not JSON"));
    let (state, why) = answer(json!({"confirm": true})).await;
    assert!(state == "failed" && why.contains("nothing to confirm yet"), "{why}");
    let (state, why) = answer(json!({})).await;
    assert!(state == "failed" && why.contains("either response or confirm"), "{why}");
    assert_eq!(reason(&stage, account).await, "waiting_for_passkey");
    assert_eq!(web.count("SELECT count(*) FROM events WHERE kind = 'command.failed'", &[]).await, 5);
    assert_eq!(web.count("SELECT count(*) FROM commands WHERE args ? 'response'", &[]).await, 0);

    let seq = web.seq(account).await.max(seq);
    links(&stage, account, &request, seq).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsolicited_passkey_answer_fails_in_every_status() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    stage.phones.add(NUMBER).await;
    let account = web.account("desk").await;
    let nobody_asked = async |when: &str| {
        for args in [json!({"response": {"rawId": "AQID", "response": {}}}), json!({"confirm": true})] {
            let (state, why) = web.ask("account.passkey", account, args).await;
            assert_eq!((state.as_str(), why.as_str()), ("failed", "WhatsApp did not ask for a passkey"), "{when}");
        }
    };
    nobody_asked("unpaired").await;
    web.does("account.pair", account, json!({})).await;
    web.qr(account).await;
    nobody_asked("with a QR on the row").await;
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    nobody_asked("connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_passkey_challenge_gives_way_to_a_fresh_qr() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, request, seq) = challenged(&stage, 1_500).await;
    until("the reason", || async { (reason(&stage, account).await == "passkey_timeout").then_some(()) }).await;
    web.qr(account).await;
    let late = stage.phones.passkey_assertion(NUMBER, &request).await;
    let (state, why) = web.ask("account.passkey", account, json!({"response": late})).await;
    assert_eq!((state.as_str(), why.as_str()), ("failed", "WhatsApp did not ask for a passkey"));
    stage.phones.set_passkey(NUMBER, 60_000).await;
    web.scan(account, NUMBER, &stage.phones).await;
    let (request, seq) = challenge(&stage, account, seq).await;
    links(&stage, account, &request, seq).await;
    assert_eq!(web.ends(account).await, ["session.connected"], "one attempt");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_challenge_can_no_longer_be_answered() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, former, seq) = challenged(&stage, 60_000).await;
    stage.phones.fault(Fault::ChallengeAgain {}).await;
    let (request, seq) = challenge(&stage, account, seq).await;
    assert_ne!(request["challenge"], former["challenge"]);
    let stale = stage.phones.passkey_assertion(NUMBER, &former).await;
    let (state, why) = web.ask("account.passkey", account, json!({"response": stale})).await;
    assert!(state == "failed" && why.contains("401"), "{why}");

    // Asked again after the answer was accepted: this needs a new socket.
    let response = stage.phones.passkey_assertion(NUMBER, &request).await;
    web.does("account.passkey", account, json!({"response": response})).await;
    let seq = web.event(account, "session.passkey", seq).await.seq;
    stage.phones.fault(Fault::ChallengeAgain {}).await;
    web.scan(account, NUMBER, &stage.phones).await;
    let (request, seq) = challenge(&stage, account, seq).await;
    links(&stage, account, &request, seq).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_passkey_attempt_links_nothing_and_is_repeatable() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, request, seq) = challenged(&stage, 60_000).await;
    web.does("account.cancel", account, json!({})).await;
    web.assert_unpaired(account, "cancelled").await;

    web.pair_with(account, NUMBER, &stage.phones).await;
    let (second, seq) = challenge(&stage, account, seq).await;
    assert_ne!(second["challenge"], request["challenge"]);
    let response = stage.phones.passkey_assertion(NUMBER, &second).await;
    web.does("account.passkey", account, json!({"response": response})).await;
    assert_eq!(web.event(account, "session.passkey", seq).await.payload["stage"], "confirm");
    web.does("account.cancel", account, json!({})).await;
    web.assert_unpaired(account, "cancelled").await;
    let (state, why) = web.ask("account.passkey", account, json!({"confirm": true})).await;
    assert_eq!((state.as_str(), why.as_str()), ("failed", "WhatsApp did not ask for a passkey"));
    assert_eq!(stage.phones.devices(NUMBER).await, []);
    assert_eq!(web.keys(account).await, (0, 0));

    let seq = web.seq(account).await;
    web.pair_with(account, NUMBER, &stage.phones).await;
    let (third, seq) = challenge(&stage, account, seq).await;
    links(&stage, account, &third, seq).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_before_the_answer_restarts_the_attempt() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, request, seq) = challenged(&stage, 60_000).await;
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    web.qr(account).await;
    assert_eq!(web.status(account).await, "pending");
    let stale = stage.phones.passkey_assertion(NUMBER, &request).await;
    let (state, why) = web.ask("account.passkey", account, json!({"response": stale})).await;
    assert_eq!((state.as_str(), why.as_str()), ("failed", "WhatsApp did not ask for a passkey"));

    web.scan(account, NUMBER, &stage.phones).await;
    let (request, seq) = challenge(&stage, account, seq).await;
    let response = stage.phones.passkey_assertion(NUMBER, &request).await;
    web.does("account.passkey", account, json!({"response": response})).await;
    assert_eq!(web.event(account, "session.passkey", seq).await.payload["stage"], "confirm");
    let seq = web.seq(account).await;
    assert!(daemon.terminate().await.success());
    let daemon = stage.daemon(&[]).await;
    web.scan(account, NUMBER, &stage.phones).await;
    let (request, seq) = challenge(&stage, account, seq).await;
    links(&stage, account, &request, seq).await;
    assert_eq!(web.ends(account).await, ["session.connected"]);
    stage.finish([daemon]).await;
}
