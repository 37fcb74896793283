//! The list of accounts: filters, search, pages, and answers that have not changed.

use std::collections::BTreeSet;

use paird_testkit::{Api, Stage};
use serde_json::{Value, json};
use uuid::Uuid;

/// Five accounts of two operators, in every state that a filter tells apart.
async fn fleet(stage: &Stage) -> (Uuid, Uuid) {
    let other = Uuid::new_v4();
    let desk = stage.web.account("Front Desk Äpfel").await;
    for label in ["lobby", "shop", "depot"] {
        stage.web.account(label).await;
    }
    stage.web.account_of(other, "store").await;
    for sql in [
        "UPDATE whatsapp_accounts SET status = 'held', status_reason = 'banned: stream:error 403', desired = 'paired',
                last_phone_number = '436601234567' WHERE label = 'shop'",
        "UPDATE whatsapp_accounts SET status = 'held', status_reason = 'client_outdated', desired = 'paired' WHERE label = 'depot'",
        "UPDATE whatsapp_accounts SET proxy = 'socks5://10.0.0.7:1080', tags = '{VIP, Nord}' WHERE label = 'lobby'",
        "UPDATE whatsapp_accounts SET tags = '{vip}', desired_phone = '5511987654321' WHERE label = 'store'",
    ] {
        stage.web.sql.batch_execute(sql).await.unwrap();
    }
    (other, desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_every_criterion_and_all_together() {
    // Without a daemon that would carry on with what the rows say.
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    api.post("/api/drain", json!({})).await.is(200);
    let (other, desk) = fleet(&stage).await;
    let prefix = &desk.to_string()[..8];
    for (query, found) in [
        ("", "Front Desk Äpfel, lobby, shop, depot, store"),
        ("status=held", "shop, depot"),
        ("status=held&status=pending", "shop, depot"),
        ("status=held,unpaired", "Front Desk Äpfel, lobby, shop, depot, store"),
        ("reason=banned", "shop"),
        ("reason=banned,client_outdated", "shop, depot"),
        (&format!("operator={other}"), "store"),
        ("tag=vip", "lobby, store"),
        ("tag=vip&tag=NORD", "lobby"),
        ("proxy=SOCKS5://10.0.0.7:1080", "lobby"),
        ("proxy=none&status=unpaired", "Front Desk Äpfel, store"),
        ("daemon=nowhere", ""),
        ("q=desk", "Front Desk Äpfel"),
        ("q=%C3%A4PFEL", "Front Desk Äpfel"),
        ("q=%25", ""),
        ("q=_", "depot"),
        ("q=0660+123", "shop"),
        ("q=%2B43+%280%29660+1234567", "shop"),
        ("q=nord", "lobby"),
        ("q=403", "shop"),
        ("q=locked+by+WhatsApp", "shop"),
        (&format!("q={prefix}"), "Front Desk Äpfel"),
        // The older spelling of a Brazilian number.
        ("q=%2B55+11+8765-4321", "store"),
        ("q=", "Front Desk Äpfel, lobby, shop, depot, store"),
        (&format!("operator={other}&tag=vip&q=sto&status=unpaired"), "store"),
        (&format!("operator={other}&tag=nord"), ""),
    ] {
        assert_eq!(labels(&api, &format!("?{query}")).await, found, "{query}");
    }
    for (query, named) in [
        ("status=dead", "there are: unpaired"),
        ("reason=", "no reason"),
        ("operator=me", "UUID"),
        ("tag=", "a tag is empty"),
        ("proxy=a&proxy=b", "proxy is given twice"),
        ("q=%00", "control characters"),
        ("sort=label", "no parameter \"sort\""),
        ("limit=0", "limit is 1 to 500"),
        ("limit=501", "limit is 1 to 500"),
        ("limit=2&limit=3", "limit is given twice"),
        ("limit=2&cursor=x", "nextCursor"),
        ("cursor=0_00000000000000000000000000000000", "cursor needs a limit"),
    ] {
        let problem = api.get(&format!("/api/accounts?{query}")).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains(named), "{query}: {problem}");
    }
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_the_daemon_that_runs_it() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.web.connect_account("desk", "436607000023", &stage.phones).await;
    stage.web.account("lobby").await;
    let owner = api.get("/api/accounts?status=connected").await.is(200).json()["accounts"][0]["owner"].clone();
    let (host, pid) = (owner["host"].as_str().unwrap(), owner["pid"].as_i64().unwrap());
    let process: Uuid =
        stage.web.sql.query_one("SELECT owner FROM whatsapp_accounts WHERE label = 'desk'", &[]).await.unwrap().get(0);
    for daemon in [host.to_owned(), format!("{host}:{pid}"), process.to_string()] {
        assert_eq!(labels(&api, &format!("?status=connected&daemon={daemon}")).await, "desk", "{daemon}");
    }
    assert_eq!(labels(&api, &format!("?daemon={host}:{}", pid + 1)).await, "");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_miss_no_account_while_others_come_and_go() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let mut present = BTreeSet::new();
    for n in 0..25 {
        present.insert(stage.web.account(&format!("account {n}")).await.to_string());
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = api.get(&format!("/api/accounts?limit=4{cursor}")).await.is(200).json();
        let ids: Vec<String> =
            page["accounts"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        pages += 1;
        // One that was seen is renamed, another goes, and a new one comes.
        let sql = "UPDATE whatsapp_accounts SET label = 'zzz' WHERE id = $1";
        stage.web.sql.execute(sql, &[&ids[0].parse::<Uuid>().unwrap()]).await.unwrap();
        stage.web.does("account.delete", ids.last().unwrap().parse().unwrap(), json!({})).await;
        if pages < 4 {
            stage.web.account(&format!("new {pages}")).await;
        }
        assert!(ids.len() <= 4);
        seen.extend(ids);
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, 7);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "none came twice");
    assert!(present.iter().all(|id| seen.contains(id)), "none was missed");
    let whole = api.get("/api/accounts").await.is(200).json();
    assert_eq!((&whole["nextCursor"], whole["accounts"].as_array().unwrap().len()), (&Value::Null, 28 - 7));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.account("desk").await;
    let first = api.get("/api/accounts").await.is(200);
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    for known in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
        let again = api.ask("GET", "/api/accounts", &[("If-None-Match", &known)], None).await.is(304);
        assert_eq!((again.body.len(), again.header("etag")), (0, etag.as_str()));
    }
    assert_ne!(api.get("/api/accounts?status=held").await.header("etag"), etag);
    let sql = "UPDATE whatsapp_accounts SET tags = '{vip}' WHERE id = $1";
    stage.web.sql.execute(sql, &[&account]).await.unwrap();
    let changed = api.ask("GET", "/api/accounts", &[("If-None-Match", &etag)], None).await.is(200);
    assert_eq!(changed.json()["accounts"][0]["tags"], json!(["vip"]));
    assert_ne!(changed.header("etag"), etag);
    stage.finish([daemon]).await;
}

async fn labels(api: &Api, query: &str) -> String {
    let list = api.get(&format!("/api/accounts{query}")).await.is(200).json();
    let labels =
        list["accounts"].as_array().unwrap().iter().map(|account| account["label"].as_str().unwrap().to_owned());
    labels.collect::<Vec<_>>().join(", ")
}
