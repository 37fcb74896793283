//! `paird phone`: sending messages to an account without a real second phone.

use paird_testkit::Stage;
use serde_json::{Value, json};

use super::{document, paird, refused, text};

const DESK: &str = "436607000071";
const CUSTOMER: &str = "436607000072";

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_phone_writes_and_shows_what_it_wrote() {
    let (stage, daemon) = Stage::with_daemon().await;
    std::fs::write(stage.dir.join("daemon/sandbox.admin"), stage.admin_url()).unwrap();
    let account = stage.web.connect_account("desk", DESK, &stage.phones).await;
    stage.web.account("unlinked").await;

    let written = document(&stage, &["phone", "write", CUSTOMER, "--to", "desk", "Is it ready?"]).await;
    assert_eq!(written["to"], "desk");
    let chats = document(&stage, &["phone", "chats", CUSTOMER]).await;
    assert_eq!(chats[0]["id"], written["waId"]);
    assert_eq!(chats[0]["text"], "Is it ready?");
    assert_eq!(chats[0]["from_me"], Value::Bool(true));
    let shown = text(&paird(&stage, &["phone", "chats", CUSTOMER]).await);
    assert!(
        shown.lines().nth(1).is_some_and(|line| line.starts_with(DESK) && line.contains("Is it ready?")),
        "{shown}"
    );

    let complaint = refused(&stage, &["phone", "write", CUSTOMER, "--to", "unlinked", "Hello"]).await;
    assert_eq!(
        complaint,
        (1, "paird: \"unlinked\" has no number: pair it first, `paird pair \"unlinked\"`".to_owned())
    );

    stage.web.does("account.delete", account, json!({})).await;
    stage.finish([daemon]).await;
}
