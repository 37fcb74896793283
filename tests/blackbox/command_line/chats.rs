//! `paird chat`, `paird contact check` and `paird accounts pace`.

use paird_sandbox::Writing;
use paird_testkit::{Stage, until};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{document, paird, refused, text};

const NUMBER: &str = "436607000051";
const ANNA: &str = "436607000052";
const NOBODY: &str = "436607000059";

/// An account, and somebody who writes to it.
async fn written_to(stage: &Stage, texts: &[&str]) -> (Uuid, Vec<i64>) {
    stage.phones.add(ANNA).await;
    let account = stage.web.reachable_account("shop", NUMBER, &stage.phones).await;
    for text in texts {
        stage.phones.send(ANNA, Writing::text(NUMBER, text)).await;
    }
    let ids = until("every message", || async {
        let sql = "SELECT id FROM messages WHERE direction = 'in' ORDER BY id";
        let rows = stage.web.sql.query(sql, &[]).await.unwrap();
        (rows.len() == texts.len()).then(|| rows.iter().map(|row| row.get(0)).collect())
    })
    .await;
    (account, ids)
}

/// Texts that Anna sees as read.
async fn ticked(stage: &Stage) -> Vec<String> {
    let screen = stage.phones.screen(ANNA).await;
    let read = screen.into_iter().filter(|shown| shown.receipts.iter().any(|receipt| receipt.kind == "read"));
    read.filter_map(|shown| shown.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_read_and_typed_in_from_the_command_line() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (account, ids) = written_to(&stage, &["one", "two", "three"]).await;
    let up_to = ids[1].to_string();
    let read = text(&paird(&stage, &["chat", "read", "shop", "+43 660 7000052", &up_to]).await);
    assert_eq!(read, "shop: 2 messages were marked as read\n");
    assert_eq!(ticked(&stage).await, ["one", "two"]);
    let again = document(&stage, &["chat", "read", &account.to_string(), ANNA, &up_to]).await;
    let told = [&again["accountId"], &again["label"], &again["kind"], &again["result"]];
    let wanted = [&json!(account), &json!("shop"), &json!("chat.read"), &json!("all of it was marked as read before")];
    assert_eq!(told, wanted);

    assert_eq!(text(&paird(&stage, &["chat", "typing", "shop", ANNA]).await), "shop: sent\n");
    let stopped = document(&stage, &["chat", "typing", "shop", ANNA, "--state", "paused"]).await;
    assert_eq!((&stopped["kind"], &stopped["result"]), (&json!("chat.typing"), &json!("sent")));
    let states = until("both states", || async {
        let shown = stage.phones.typing(ANNA).await;
        (shown.len() == 2).then(|| shown.into_iter().map(|one| one.state).collect::<Vec<_>>())
    })
    .await;
    assert_eq!(states, ["composing", "paused"]);

    for (args, code, words) in [
        (&["chat", "read", "shop", ANNA, "999999"][..], 1, "shop: upTo: there is no such message in this chat"),
        (&["chat", "read", "shop", "Anna", &up_to], 2, "shop: chat: must be a phone number"),
        (&["chat", "read", "shop", ANNA, "0"], 2, "shop: upTo: must be the id of a message"),
        (&["chat", "read", "lobby", ANNA, &up_to], 8, "lobby"),
    ] {
        let (got, complaint) = refused(&stage, args).await;
        assert!(got == code && complaint.contains(words), "{args:?}: {got} {complaint}");
    }
    for args in [&["chat", "read", "shop", ANNA, "last"][..], &["chat", "typing", "shop", ANNA, "--state", "online"]] {
        assert_eq!(paird(&stage, args).await.status.code(), Some(2), "{args:?}");
    }
    stage.web.does("account.unpair", account, json!({})).await;
    let (code, complaint) = refused(&stage, &["chat", "typing", "shop", ANNA]).await;
    assert_eq!((code, complaint.as_str()), (1, "paird: shop: the account is not connected"));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_checked_from_the_command_line() {
    let (stage, daemon) = Stage::with_daemon().await;
    let (account, _) = written_to(&stage, &[]).await;
    let checked = document(&stage, &["contact", "check", "shop", "+43 660 7000052", NOBODY]).await;
    let listed: Vec<(&Value, &Value)> =
        checked.as_array().unwrap().iter().map(|one| (&one["phone"], &one["isOnWhatsapp"])).collect();
    assert_eq!(listed, [(&json!(ANNA), &json!(true)), (&json!(NOBODY), &json!(false))]);
    let chat = checked[0]["chat"].as_str().unwrap();
    assert!(chat.ends_with("@lid") && checked[1]["chat"].is_null(), "{checked}");
    let table = text(&paird(&stage, &["contact", "check", "shop", ANNA, NOBODY]).await);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [vec!["PHONE", "ON", "WHATSAPP", "JID"], vec![ANNA, "yes", chat], vec![NOBODY, "no"]]);
    let asked = "SELECT count(*) FROM contact_checks WHERE account_id = $1";
    assert_eq!(stage.web.count(asked, &[&account]).await, 2, "the second time from what is kept");

    for args in [&["contact", "check", "shop", "Anna"][..], &["contact", "check", "shop", "1@lid"]] {
        let (code, complaint) = refused(&stage, args).await;
        assert!(
            code == 2 && complaint.contains("shop: phones: must be a list of 1 to 50 phone numbers"),
            "{complaint}"
        );
    }
    assert_eq!(paird(&stage, &["contact", "check", "shop"]).await.status.code(), Some(2));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_of_an_account_is_shown_and_set() {
    let stage = Stage::empty().await;
    let desk = stage.web.account("desk").await;
    let shown = text(&paird(&stage, &["accounts", "pace", "desk"]).await);
    assert_eq!(shown, "desk: 1 messages a second, 5 at once after a rest, at most 20 new chats a day\n");
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'account.pace_set' AND source = 'cli'";
    assert_eq!(stage.web.count(audited, &[]).await, 0, "to look at it changes nothing");

    let set = document(&stage, &["accounts", "pace", "desk", "--rate", "0.5", "--new-chats", "none"]).await;
    let wanted = json!({"id": desk, "label": "desk", "sendRate": 0.5, "sendBurst": 5, "newChatsPerDay": null});
    assert_eq!(set, wanted);
    let set = text(&paird(&stage, &["accounts", "pace", "desk", "--burst", "2"]).await);
    assert_eq!(set, "desk: 0.5 messages a second, 2 at once after a rest, any number of new chats a day\n");
    let row = "SELECT jsonb_build_array(send_rate, send_burst, new_chats_per_day) FROM whatsapp_accounts WHERE id = $1";
    let row: Value = stage.web.sql.query_one(row, &[&desk]).await.unwrap().get(0);
    assert_eq!(row, json!([0.5, 2, null]));
    assert_eq!(stage.web.count(audited, &[]).await, 2);

    for (option, wrong) in
        [("--rate", "0"), ("--rate", "NaN"), ("--rate", "1001"), ("--burst", "0"), ("--new-chats=-1", "")]
    {
        let args = [&["accounts", "pace", "desk", option][..], &[wrong][usize::from(wrong.is_empty())..]].concat();
        let (code, complaint) = refused(&stage, &args).await;
        assert!(code != 0 && complaint.starts_with("paird: "), "{args:?}: {code} {complaint}");
    }
    assert_eq!(paird(&stage, &["accounts", "pace", "desk", "--new-chats", "many"]).await.status.code(), Some(2));
    let unchanged: Value = stage
        .web
        .sql
        .query_one("SELECT jsonb_build_array(send_rate, send_burst) FROM whatsapp_accounts", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(unchanged, json!([0.5, 2]));
    stage.finish([]).await;
}
