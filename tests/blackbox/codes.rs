//! Linking by a code that is typed on the phone.

use paird_sandbox::Fault;
use paird_testkit::{Stage, until};
use serde_json::json;
use uuid::Uuid;

const NUMBER: &str = "436601234567";
const OTHER: &str = "436607654321";

/// An attempt by code, its code on the row.
async fn shown(stage: &Stage) -> (Uuid, String) {
    for number in [NUMBER, OTHER] {
        stage.phones.add(number).await;
    }
    let account = stage.web.account("desk").await;
    stage.web.does("account.pair", account, json!({"method": "code", "phone": "0043 660 1234567"})).await;
    let code = stage.web.code(account).await;
    (account, code)
}

async fn another_code(stage: &Stage, account: Uuid, former: &str) -> String {
    until("another code", || async {
        let code: Option<String> = stage.web.column(account, "pair_code").await;
        code.filter(|code| code != former)
    })
    .await;
    stage.web.code(account).await
}

async fn reason(stage: &Stage, account: Uuid) -> String {
    stage.web.column(account, "status_reason").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_has_its_qr_beside_it_and_either_links() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, code) = shown(&stage).await;
    web.qr(account).await;
    until("the code is what is waited for", || async {
        (reason(&stage, account).await == "waiting_for_code").then_some(())
    })
    .await;
    let told = web.event(account, "session.code", 0).await;
    assert!(!told.payload.to_string().contains(&code), "the event does not contain the code");
    web.scan(account, NUMBER, &stage.phones).await;
    web.status_is(account, "connected").await;
    web.assert_no_attempt_is_on_the_row(account).await;

    let second = web.account("second").await;
    web.does("account.pair", second, json!({"method": "code", "phone": OTHER})).await;
    web.qr(second).await;
    let code = web.code(second).await;
    stage.phones.type_code(OTHER, &code).await.unwrap();
    web.status_is(second, "connected").await;
    web.assert_no_attempt_is_on_the_row(second).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_beside_a_code_links_only_the_codes_phone() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, _) = shown(&stage).await;
    web.scan(account, OTHER, &stage.phones).await;
    let wrong = web.event(account, "session.wrong_phone", 0).await;
    assert_eq!((&wrong.payload["phoneNumber"], &wrong.payload["expectedPhone"]), (&json!(OTHER), &json!(NUMBER)));
    web.status_is(account, "unpaired").await;
    web.assert_unpaired(account, "wrong_phone").await;
    assert_eq!(stage.phones.devices(OTHER).await, []);

    let args = json!({"method": "code", "phone": NUMBER, "expectPhone": OTHER});
    let (state, why) = web.ask("account.pair", account, args).await;
    assert!(state == "failed" && why.contains("different numbers"), "{why}");
    assert_eq!(web.status(account).await, "unpaired");
    let args = json!({"method": "code", "phone": NUMBER, "expectPhone": "0043 (660) 123-45 67"});
    web.does("account.pair", account, args).await;
    let code = web.code(account).await;
    stage.phones.type_code(NUMBER, &code).await.unwrap();
    web.status_is(account, "connected").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_whatsapp_wants_refreshed_is_replaced_on_the_row() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, first) = shown(&stage).await;
    let seq = web.event(account, "session.code", 0).await.seq;
    stage.phones.fault(Fault::RefreshCode {}).await;
    let second = another_code(&stage, account, &first).await;
    let told = web.event(account, "session.code", seq).await;
    assert_eq!(web.kinds(account).await.iter().filter(|kind| *kind == "session.code").count(), 2, "{told:?}");
    stage.phones.type_code(NUMBER, &second).await.unwrap();
    web.status_is(account, "connected").await;
    web.assert_no_attempt_is_on_the_row(account).await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_code_can_be_retyped_and_is_replaced_after_three() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, code) = shown(&stage).await;
    for _ in 0..3 {
        let refused = stage.phones.type_code(NUMBER, "WRNGC0DE").await.unwrap_err().to_string();
        assert!(refused.contains("the code is wrong"), "{refused}");
    }
    assert_eq!(web.code(account).await, code);
    // The library accepts three tries at a code; the fourth fails even if it is right.
    stage.phones.type_code(NUMBER, &code).await.unwrap_err();
    let next = another_code(&stage, account, &code).await;
    stage.phones.type_code(NUMBER, &next).await.unwrap();
    web.status_is(account, "connected").await;
    assert_eq!(stage.phones.report().await.codes_given, 2);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_refused_by_whatsapp_is_explained_and_the_qr_links() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    for (nth, (code, text, said)) in [
        (400, "bad-request", "too many were requested, or the number has no WhatsApp"),
        (403, "forbidden", "whatsapp refused a code for this number (403)"),
        (429, "rate-overlimit", "whatsapp gives no code for this number now (429): too many"),
        (452, "feature-not-available", "this number cannot be linked by a code (452)"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("43660100000{nth}");
        stage.phones.add(&number).await;
        let account = web.account(text).await;
        stage.phones.fault(Fault::RefuseCode { code, text: text.to_owned(), times: Some(1) }).await;
        web.does("account.pair", account, json!({"method": "code", "phone": number})).await;
        until(said, || async {
            let reason = reason(&stage, account).await;
            (reason.starts_with("code_refused: ") && reason.contains(said)).then_some(())
        })
        .await;
        assert_eq!(web.column::<Option<String>>(account, "pair_code").await, None);
        web.scan(account, &number, &stage.phones).await;
        web.status_is(account, "connected").await;
    }
    for bad in ["0660 1234567", "12", "call me"] {
        let account = web.account("bad").await;
        let (state, why) = web.ask("account.pair", account, json!({"method": "code", "phone": bad})).await;
        assert!(state == "failed" && why.starts_with("account.pair: phone: phone number "), "{why}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_off_the_row_on_every_way_out() {
    let (stage, daemon) = Stage::with_daemon().await;
    let web = &stage.web;
    let (account, first) = shown(&stage).await;
    web.does("account.cancel", account, json!({})).await;
    web.assert_unpaired(account, "cancelled").await;
    // The old socket's code is no longer accepted.
    stage.phones.type_code(NUMBER, &first).await.unwrap_err();

    let by_code = json!({"method": "code", "phone": NUMBER});
    web.does("account.pair", account, by_code.clone()).await;
    let second = web.code(account).await;
    web.does("account.pair", account, json!({})).await;
    assert_eq!(web.column::<Option<String>>(account, "pair_code").await, None, "superseded by a QR attempt");
    web.does("account.pair", account, by_code.clone()).await;
    let third = another_code(&stage, account, &second).await;
    stage.phones.fault(Fault::Cut { scope: paird_sandbox::Scope::Unregistered }).await;
    let fourth = another_code(&stage, account, &third).await;
    assert_ne!(fourth, third, "a new socket has a new code");
    daemon.kill().await;
    let daemon = stage.daemon(&[]).await;
    let fifth = another_code(&stage, account, &fourth).await;
    assert_eq!(web.column::<String>(account, "pair_method").await, "code");
    web.does("account.unpair", account, json!({})).await;
    web.assert_no_attempt_is_on_the_row(account).await;
    stage.phones.type_code(NUMBER, &fifth).await.unwrap_err();
    web.does("account.pair", account, by_code).await;
    web.code(account).await;
    web.does("account.delete", account, json!({})).await;
    assert_eq!(web.column::<Option<String>>(account, "pair_code").await, None);
    stage.finish([daemon]).await;
}
