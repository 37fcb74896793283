//! `paird status` and `paird watch` of many accounts: filters, orders, near names, narrow terminals.

use std::process::Stdio;

use paird_testkit::Stage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use uuid::Uuid;

use super::{command, document, paird, refused, screen::Screen, text};

/// As a daemon leaves a row.
async fn is(stage: &Stage, account: Uuid, status: &str, reason: &str, number: Option<&str>) {
    let sql = "UPDATE whatsapp_accounts SET status = $2, status_reason = $3, phone_number = $4, status_since = now(),
                   next_retry_at = CASE WHEN $2 = 'reconnecting' THEN now() + interval '5 minutes' END WHERE id = $1";
    stage.web.sql.execute(sql, &[&account, &status, &reason, &number]).await.unwrap();
}

/// Five accounts, one of them of another operator.
async fn fleet(stage: &Stage) -> Uuid {
    let other = Uuid::new_v4();
    for (label, status, reason, number) in [
        ("shop", "connected", "connected", Some("436607000101")),
        ("desk", "reconnecting", "socket_lost: reset by peer", Some("436607000102")),
        ("attic", "held", "banned: spam", None),
        ("till", "unpaired", "new", None),
    ] {
        let account = stage.web.account(label).await;
        is(stage, account, status, reason, number).await;
    }
    let account = stage.web.account_of(other, "cellar").await;
    is(stage, account, "held", "replaced", None).await;
    other
}

async fn labels(stage: &Stage, args: &[&str]) -> Vec<String> {
    let listed = document(stage, &[&["status"], args].concat()).await;
    listed.as_array().unwrap().iter().map(|account| account["label"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_searched_and_sorted() {
    let stage = Stage::empty().await;
    let other = fleet(&stage).await;
    let begun = &other.to_string()[..8];
    for (args, expected) in [
        (&[][..], &["attic", "cellar", "desk", "shop", "till"][..]),
        (&["--sort", "created"], &["shop", "desk", "attic", "till", "cellar"]),
        (&["--sort", "label"], &["attic", "cellar", "desk", "shop", "till"]),
        (&["--sort", "since"], &["cellar", "till", "attic", "desk", "shop"]),
        (&["--sort", "retry"], &["desk", "shop", "attic", "till", "cellar"]),
        (&["--status", "held,connected"], &["attic", "cellar", "shop"]),
        (&["--status", "held", "--operator", begun], &["cellar"]),
        (&["--reason", "socket_lost"], &["desk"]),
        (&["--search", "0660/700 0101"], &["shop"]),
        (&["--search", "SPAM"], &["attic"]),
        (&["--search", "nothing like that"], &[]),
    ] {
        assert_eq!(labels(&stage, args).await, expected, "{args:?}");
        let table = text(&paird(&stage, &[&["status"], args].concat()).await);
        let rows: Vec<_> = table.lines().skip(1).filter_map(|row| row.split_whitespace().next()).collect();
        assert!(rows == expected || expected.is_empty() && table == "none of 5 accounts is like that\n", "{table}");
    }
    let oldest = document(&stage, &["accounts", "list"]).await;
    assert_eq!((&oldest[0]["label"], &oldest[4]["label"]), (&json!("shop"), &json!("cellar")));
    let retries = text(&paird(&stage, &["status", "--sort", "retry"]).await);
    assert!(retries.lines().next().unwrap().contains("NEXT TRY"), "{retries}");
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_list_has_the_filters_and_orders_of_the_other() {
    let stage = Stage::empty().await;
    fleet(&stage).await;
    let mut screen = Screen::start(&stage, &["status", "--watch", "--status", "held,reconnecting"], 140, 20);
    screen.shows("5 accounts  3 shown  2 held  1 reconnecting").await;
    let order = |text: &str| {
        let mut labels = ["attic", "cellar", "desk"];
        labels.sort_by_key(|label| text.find(label));
        labels
    };
    assert_eq!(order(&screen.text()), ["attic", "cellar", "desk"]);
    assert!(!screen.text().contains("shop") && screen.text().contains("socket_lost: reset by peer"));
    screen.press("ss");
    screen.shows("now by since").await;
    assert_eq!(order(&screen.text()), ["cellar", "attic", "desk"]);
    screen.press("q");
    assert_eq!(screen.end().await, 0);

    let mut alone = Screen::start(&stage, &["status", "till", "--watch"], 100, 20);
    alone.shows("5 accounts  1 shown").await;
    alone.press("q");
    assert_eq!(alone.end().await, 0);
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_a_filter_is_told_once_more() {
    let stage = Stage::empty().await;
    fleet(&stage).await;
    let mut watch = command(&stage);
    let mut child = watch.args(["watch", "--status", "held", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(std::time::Duration::from_secs(30), lines.next_line()).await.expect("a line");
        let told: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        (told["label"].as_str().unwrap().to_owned(), told["status"].as_str().unwrap().to_owned())
    };
    let pair = |label: &str, status: &str| (label.to_owned(), status.to_owned());
    assert_eq!([next().await, next().await], [pair("attic", "held"), pair("cellar", "held")]);
    stage.web.sql.execute("UPDATE whatsapp_accounts SET status = 'unpaired' WHERE label = 'attic'", &[]).await.unwrap();
    assert_eq!(next().await, pair("attic", "unpaired"));
    stage.web.sql.execute("UPDATE whatsapp_accounts SET status = 'held' WHERE label = 'till'", &[]).await.unwrap();
    assert_eq!(next().await, pair("till", "held"));
    child.kill().await.unwrap();
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_terminal_shows_the_first_columns_in_full() {
    let stage = Stage::empty().await;
    fleet(&stage).await;
    for columns in [24, 40, 60, 80] {
        let mut screen = Screen::start(&stage, &["status"], columns, 12);
        assert_eq!(screen.end().await, 0);
        screen.shows("till").await;
        let shown = screen.text();
        let rows: Vec<_> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(rows.len(), 6, "one line for each account: {shown}");
        assert!(rows[3].starts_with("desk    reconnecting"), "{columns}: {shown}");
        assert_eq!(rows[0].contains("PHONE"), columns >= 60, "{columns}: {shown}");
    }
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_names_are_offered_and_ids_may_be_shortened() {
    let stage = Stage::empty().await;
    let mut ids = Vec::new();
    for label in ["lobby", "north lobby", "Desk", "shop", "cellar"] {
        ids.push(stage.web.account(label).await.to_string());
    }
    let (code, words) = refused(&stage, &["status", "loby"]).await;
    assert_eq!((code, words.as_str()), (8, "paird: no account \"loby\"; the nearest of 5: lobby, north lobby, shop"));
    for wanted in ["desk", "DESK", &ids[2], &ids[2][..8], &format!("{}…", &ids[2][..9])] {
        assert_eq!(document(&stage, &["status", wanted]).await["id"], ids[2], "{wanted}");
    }
    for wanted in ["desk", &ids[2][..8]] {
        let (code, words) = refused(&stage, &["delete", wanted, "--yes"]).await;
        assert!(code == 8 && words.contains("\"Desk\"") && words.contains(&ids[2]), "{words}");
    }
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 0);
    stage.web.account("DESK").await;
    let (code, words) = refused(&stage, &["status", "desk"]).await;
    assert!(code == 9 && words.contains("Desk (") && words.contains("DESK ("), "{words}");
    stage.finish([]).await;
}
