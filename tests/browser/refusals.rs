//! The pages for refusals by WhatsApp or paird.

use paird_sandbox::Fault;
use serde_json::json;

use crate::{desk::Desk, window};

const NUMBER: &str = "436607200001";

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_linked_already_is_named_with_its_account() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.web.connect_account("Front desk", NUMBER, &stage.phones).await;
    let second = stage.web.account("Lobby").await;
    desk.go_to_pairing(second).await;
    desk.start_qr().await;
    desk.scan(NUMBER).await;
    desk.phase("duplicate").await;
    window.says(".face", "linked to «Front desk». Unpair that account first, or scan with another phone").await;
    assert_eq!(window.see(".face").await.attr("data-tone").await.unwrap().as_deref(), Some("warn"));
    window.keep_pictures("pair-duplicate").await;
    window.assert_accessible("pairing, duplicate").await;
    stage.phones.devices_are(NUMBER, 1).await;

    // It is still shown after a reload.
    window.page.refresh().await.unwrap();
    desk.phase("duplicate").await;
    let other = "436607200002";
    stage.phones.add(other).await;
    window.click("[data-action=again]").await;
    window.see("#qr").await;
    desk.scan(other).await;
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_phone_is_named_with_both_numbers() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    let (expected, wrong) = ("436607200003", "436607200004");
    stage.phones.add(expected).await;
    stage.phones.add(wrong).await;
    let account = stage.web.account("Lobby").await;
    desk.go_to_pairing(account).await;
    window.click(".more summary").await;
    window.fill("#expect", "+43 660 7200003").await;
    desk.start_qr().await;
    window.says(".face", "Only +436 607 200 003 is accepted").await;
    desk.scan(wrong).await;
    desk.phase("wrong_phone").await;
    window.says(".face", "+436 607 200 004 scanned, but +436 607 200 003 is expected").await;
    window.keep_pictures("pair-wrong-phone").await;
    window.assert_accessible("pairing, wrong phone").await;

    // Again asks for the same phone again.
    window.click("[data-action=again]").await;
    window.says(".face", "Only +436 607 200 003 is accepted").await;
    desk.scan(expected).await;
    desk.phase("connected").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_explained_with_advice_and_whatsapps_code() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("Lobby").await;
    let refused =
        Fault::LoginFailure { reason: 405, code: None, expire: None, number: Some(NUMBER.to_owned()), times: Some(1) };
    stage.phones.fault(refused).await;
    desk.go_to_pairing(account).await;
    desk.start_qr().await;
    desk.scan(NUMBER).await;
    desk.phase("failed").await;
    window.says(".face", "no longer talks to this version of paird").await;
    window.says(".face", "Update paird").await;
    window.keep_pictures("pair-failed").await;
    window.assert_accessible("pairing, failed").await;
    stage.phones.devices_are(NUMBER, 0).await;
    desk.close().await;
}

/// The row and the event are those of a daemon elsewhere: the answer goes as far as its command.
#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_challenge_reaches_a_person_and_the_answer_returns() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let columns = "status, status_reason, desired, pair_deadline =
                   'pending', 'waiting_for_passkey', 'paired', now() + interval '4 minutes'";
    let account = desk.foreign_account("Vault", columns).await;
    desk.tell(account, "session.passkey", json!({ "stage": "challenge", "request": { "challenge": "Zm9v" } })).await;
    desk.go_to_pairing(account).await;
    desk.phase("passkey").await;
    window.click(".face .raw summary").await;
    window.says("#challenge", "Zm9v").await;
    window.keep_pictures("pair-passkey").await;
    window.assert_accessible("pairing, passkey").await;

    window.fill("#response", "no JSON").await;
    window.click("[data-action=answer]").await;
    window.says("#response-wrong", "not JSON").await;
    let answer = r#"{"rawId":"AQID","response":{"signature":"AA"}}"#;
    window.fill("#response", answer).await;
    window.click("[data-action=answer]").await;
    let sent = "SELECT count(*) FROM commands WHERE account_id = $1 AND kind = 'account.passkey'
                AND args->'response' = $2::jsonb";
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    paird_testkit::until("the answer on its way", || async {
        (web.count(sent, &[&account, &answer]).await == 1).then_some(())
    })
    .await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_code_is_told_beside_the_qr_and_asked_again() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    let account = stage.web.account("Till").await;
    stage.phones.fault(Fault::RefuseCode { code: 429, text: "rate-overlimit".to_owned(), times: Some(1) }).await;
    desk.go_to_pairing(account).await;
    window.click("[name=method][value=code]").await;
    window.fill("#phone", NUMBER).await;
    window.click("[data-action=start]").await;
    desk.phase("scan").await;
    window.says("[data-fact=setback]", "WhatsApp issued no code to type").await;
    window.says("[data-fact=setback]", "Scan the QR instead").await;
    window.keep_pictures("pair-code-refused").await;
    window.assert_accessible("pairing, code refused").await;
    window.click("[data-action=code-again]").await;
    desk.phase("code").await;
    window.see("#code b").await;
    assert_eq!(window.texts("[data-fact=setback]").await, Vec::<String>::new());
    stage.phones.type_code(NUMBER, &stage.web.code(account).await).await.unwrap();
    desk.phase("connected").await;
    desk.close().await;
}
