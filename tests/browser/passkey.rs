//! A phone that links only with its passkey: both questions on the page, and both answers
//! from it, with the sandbox's phone as the one that asks.

use serde_json::{Value, json};

use crate::{desk::Desk, window};

const NUMBER: &str = "436607400001";

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_answered_and_its_code_confirmed_on_the_page() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (stage, window) = (&desk.stage, &desk.window);
    stage.phones.add(NUMBER).await;
    stage.phones.set_passkey(NUMBER, 120_000).await;
    let account = stage.web.account("Vault").await;
    desk.go_to_pairing(account).await;
    window.run("window.sameDocument = true", vec![]).await;
    desk.start_qr().await;
    desk.scan(NUMBER).await;
    desk.phase("passkey").await;
    window.says(".face", "WhatsApp asks for a passkey").await;
    window.says("#spoken", "passkey").await;

    // A person copies the challenge from the page and answers it where the passkey is.
    window.see("[data-action=answer]").await;
    let shown = window.run("return document.querySelector('#challenge').textContent", vec![]).await;
    let challenge: Value = serde_json::from_str(shown.as_str().unwrap()).unwrap();
    let assertion = stage.phones.passkey_assertion(NUMBER, &challenge).await;
    let mut forged = assertion.clone();
    forged["response"]["signature"] = json!("AAAA");
    window.fill("#response", &forged.to_string()).await;
    window.click("[data-action=answer]").await;
    window.says(".toast[data-tone=bad]", "WhatsApp did not take the answer").await;
    assert!(window.text(".face").await.contains("WhatsApp asks for a passkey"), "it may be tried again");
    window.click(".toast button").await;

    window.fill("#response", &assertion.to_string()).await;
    window.click("[data-action=answer]").await;
    window.says(".face h2", "Compare the codes").await;
    window.see("[data-action=confirm]").await;
    window.says("#spoken", "Compare the codes").await;
    assert_eq!(window.texts("#response").await, Vec::<String>::new(), "the answer is off the page");
    let groups: Vec<_> = window.texts(".letters span").await.iter().map(|group| group.replace('\n', "")).collect();
    assert_eq!(groups.iter().map(String::len).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(groups.concat(), stage.phones.passkey_code(NUMBER).await.replace('-', ""));
    assert_eq!(stage.phones.devices(NUMBER).await, [], "nothing is linked before the operator's word");
    window.keep_pictures("pair-passkey-confirm").await;
    window.assert_accessible("pairing, passkey, confirm").await;

    window.tab_to("[data-action=confirm]").await;
    window.click("[data-action=confirm]").await;
    desk.phase("connected").await;
    assert_eq!(window.run("return window.sameDocument", vec![]).await, json!(true));
    stage.phones.devices_are(NUMBER, 1).await;
    desk.close().await;
}
