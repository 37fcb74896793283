//! Accounts, commands and what is shown of them.

use paird_testkit::{Answer, Api, Stage, read_qr, until};
use serde_json::{Value, json};
use uuid::Uuid;

const NUMBER: &str = "436607000001";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_added_renamed_and_listed_in_order_of_creation() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let operator = Uuid::new_v4();

    let zebra = api.post("/api/accounts", json!({"label": " zebra ", "operatorId": operator})).await.is(201);
    let id = zebra.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(zebra.header("location"), format!("/api/accounts/{id}"));
    let shown = zebra.json();
    assert_eq!(shown["label"], "zebra");
    assert_eq!(shown["operatorId"], operator.to_string());
    assert_eq!((&shown["status"], &shown["desired"]), (&json!("unpaired"), &json!("unpaired")));
    for field in [
        "qr",
        "pairCode",
        "pairDeadline",
        "expectPhone",
        "phoneNumber",
        "lastPhoneNumber",
        "nextRetryAt",
        "owner",
        "proxy",
        "deviceName",
        "advice",
    ] {
        assert_eq!(shown[field], Value::Null, "{field}");
    }
    assert_eq!(
        (&shown["statusReason"], &shown["statusWord"], &shown["statusRaw"]),
        (&json!("new"), &json!("new"), &Value::Null)
    );
    assert_eq!((&shown["statusText"], &shown["phase"]), (&json!("Never paired"), &json!("idle")));
    assert_eq!(shown["actions"], json!(["account.pair", "account.delete"]));
    assert_eq!((&shown["openTickets"], &shown["proxyHasLogin"]), (&json!(0), &json!(false)));
    assert!(shown["createdAt"].as_str().unwrap().ends_with('Z'));

    let other = api.post("/api/accounts", json!({"label": "ant"})).await.is(201).json();
    assert_eq!(other["operatorId"], Uuid::from_u128(1).to_string());
    let renamed = api.ask("PATCH", &format!("/api/accounts/{id}"), &[], Some(json!({"label": "zoo"}))).await.is(200);
    assert_eq!(renamed.json()["label"], "zoo");
    assert_eq!(labels(&api.get("/api/accounts").await), ["zoo", "ant"]);
    assert_eq!(labels(&api.get(&format!("/api/accounts?operator={operator}")).await), ["zoo"]);

    api.does(&id, "account.delete", json!({})).await;
    assert_eq!(labels(&api.get("/api/accounts").await), ["ant"]);
    api.get(&format!("/api/accounts/{id}")).await.problem(404);
    let events = api.get(&format!("/api/accounts/{id}/events")).await.is(200).json();
    assert_eq!(events["events"][0]["type"], "account.deleted");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_links_by_the_served_qr_as_png_and_as_svg() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.phones.add(NUMBER).await;
    let id = stage.web.account("desk").await.to_string();
    let path = format!("/api/accounts/{id}/qr");
    api.get(&path).await.problem(404);

    api.does(&id, "account.pair", json!({})).await;
    let png = until("a picture", || async { Some(api.get(&path).await).filter(|answer| answer.status == 200) }).await;
    assert_eq!(png.header("content-type"), "image/png");
    assert_eq!(png.header("cache-control"), "no-store");
    let payload = read_qr(&image::load_from_memory(&png.body).unwrap().into_luma8());
    let account = api.account(&id).await;
    assert!(account["qr"]["at"].is_string() && account["qr"]["expiresAt"].is_string(), "{account}");
    assert_eq!((&account["pairCode"], &account["phase"]), (&Value::Null, &json!("scan")));
    assert_eq!(account["actions"], json!(["account.cancel", "account.pair", "account.delete"]));

    let svg = api.get(&format!("{path}?format=svg")).await.is(200);
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    let from_svg = read_qr(&rasterised(&svg.text()));
    let by_accept = api.ask("GET", &path, &[("Accept", "image/svg+xml,image/png;q=0.5")], None).await.is(200);
    assert_eq!(by_accept.header("content-type"), "image/svg+xml");

    // The code may have changed between the two pictures; each tag goes with its own.
    let tag = png.header("etag").to_owned();
    let again = api.ask("GET", &path, &[("If-None-Match", &tag)], None).await;
    assert!(again.status == 304 && again.body.is_empty() || again.header("etag") != tag);
    if again.status == 304 {
        assert_eq!(from_svg, payload);
    }

    until("a scan that is taken", || async {
        let svg = api.get(&format!("{path}?format=svg")).await;
        stage.phones.scan(NUMBER, &read_qr(&rasterised(&svg.text()))).await.ok()
    })
    .await;
    let connected = api.status_is(&id, "connected").await;
    assert_eq!(connected["phoneNumber"], NUMBER);
    assert_eq!(connected["owner"]["pid"], daemon.pid());
    assert_eq!((&connected["phase"], &connected["statusText"]), (&json!("connected"), &json!("Linked and online")));
    let possible = json!(["groups.sync", "account.reconnect", "account.unpair", "account.delete"]);
    assert_eq!(connected["actions"], possible);
    assert_eq!(connected["qr"], Value::Null);
    api.get(&path).await.problem(404);
    let groups = || async { api.get(&format!("/api/accounts/{id}/groups")).await.is(200).json()["groups"].clone() };
    let groups =
        until("groups", || async { Some(groups().await).filter(|groups| !groups.as_array().unwrap().is_empty()) });
    assert!(groups.await[0]["subject"].is_string());
    let audit = api.get(&format!("/api/accounts/{id}/audit")).await.is(200).json();
    assert_eq!(audit["records"][0]["action"], "account.paired");
    assert_eq!(audit["records"][0]["source"], "api");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_code_is_served_only_with_its_account_while_valid() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    stage.phones.add(NUMBER).await;
    let id = stage.web.account("desk").await;
    let path = id.to_string();
    let mut live = api.follow(None);
    api.does(&path, "account.pair", json!({"method": "code", "phone": NUMBER})).await;
    let code = stage.web.code(id).await;
    until("the code", || async { (api.account(&path).await["pairCode"] == code.as_str()).then_some(()) }).await;
    let list = api.get("/api/accounts").await;
    assert!(!list.text().contains(&code));
    assert_eq!(list.json()["accounts"][0]["phase"], "code", "the account's own document has the code");
    live.until("session.code", |told| told.kind == "session.code").await;
    stage.phones.type_code(NUMBER, &code).await.unwrap();
    let connected = api.status_is(&path, "connected").await;
    assert_eq!(connected["pairCode"], Value::Null);
    live.until("session.connected", |told| told.kind == "session.connected").await;
    assert!(live.seen.iter().all(|told| !told.data.to_string().contains(&code)));
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_command_for_the_same_account() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (one, two) = (stage.web.account("one").await, stage.web.account("two").await);
    let send = |account: Uuid, key: &'static str, body: Value| {
        let api = &api;
        async move {
            api.ask("POST", &format!("/api/accounts/{account}/commands"), &[("Idempotency-Key", key)], Some(body)).await
        }
    };
    let cancel = json!({"kind": "account.cancel"});
    let first = send(one, "k-1", cancel.clone()).await.is(202);
    let id = first.json()["id"].clone();
    assert_eq!(first.header("location"), format!("/api/commands/{id}"));
    let at_once = futures_util::future::join_all((0..10).map(|_| send(one, "k-1", cancel.clone()))).await;
    assert!(at_once.into_iter().all(|again| again.is(202).json()["id"] == id));
    assert_ne!(send(two, "k-1", cancel.clone()).await.is(202).json()["id"], id);
    assert_ne!(send(one, "k-2", cancel.clone()).await.is(202).json()["id"], id);
    send(one, "k-1", json!({"kind": "account.resume"})).await.problem(422);
    send(one, "", cancel.clone()).await.problem(400);
    assert_eq!(stage.web.count("SELECT count(*) FROM commands", &[]).await, 3);

    let end = api.get(&format!("/api/commands/{id}?wait=30")).await.is(200).json();
    assert_eq!((&end["state"], &end["kind"]), (&json!("done"), &json!("account.cancel")));
    assert_eq!(end["accountId"], one.to_string());
    assert_eq!(end["result"], "no pair attempt is running");
    assert!(end["doneAt"].is_string());
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_command_returns_its_end_or_its_state() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    // Owned by no daemon, so it never runs.
    let sql = "INSERT INTO commands (kind, account_id, state) VALUES ('account.cancel', $1, 'running') RETURNING id";
    let id: i64 = stage.web.sql.query_one(sql, &[&Uuid::new_v4()]).await.unwrap().get(0);
    let started = std::time::Instant::now();
    let waited = api.get(&format!("/api/commands/{id}?wait=1")).await.is(200).json();
    assert_eq!((&waited["state"], &waited["result"]), (&json!("running"), &Value::Null));
    assert!(started.elapsed().as_millis() >= 1_000);

    let path = format!("/api/commands/{id}?wait=30");
    let waiting = api.get(&path);
    let end = async {
        let sql = "UPDATE commands SET state = 'done', result = 'so be it', done_at = now() WHERE id = $1";
        stage.web.sql.execute(sql, &[&id]).await.unwrap();
    };
    let (waited, ()) = tokio::join!(waiting, end);
    assert_eq!(waited.is(200).json()["result"], "so be it");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_in_pages_without_a_gap() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let sql = "WITH told AS (
                   INSERT INTO events (account_id, seq, kind) SELECT $1, n, 'session.timeout' FROM generate_series(1, 25) n
               ), audited AS (
                   INSERT INTO audit_log (source, action, target_type, target_id)
                   SELECT 'web', 'account.paired', 'whatsapp_account', $1 FROM generate_series(1, 25)
               ) UPDATE whatsapp_accounts SET event_seq = 25 WHERE id = $1";
    stage.web.sql.execute(sql, &[&id]).await.unwrap();
    let (mut seqs, mut after) = (Vec::new(), 0);
    loop {
        let page = api.get(&format!("/api/accounts/{id}/events?after={after}&limit=10")).await.is(200).json();
        let page: Vec<i64> =
            page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        let Some(last) = page.last() else { break };
        after = *last;
        seqs.extend(page);
    }
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
    // The same backwards, newest first.
    let (mut seqs, mut before) = (Vec::new(), i64::MAX);
    while before > 1 {
        let path = format!("/api/accounts/{id}/events?before={before}&limit=10");
        let page = api.get(&path).await.is(200).json();
        let page: Vec<i64> =
            page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert!(page.is_sorted() && page.len() <= 10, "{page:?}");
        before = page[0];
        seqs.splice(0..0, page);
    }
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>());
    let within = api.get(&format!("/api/accounts/{id}/events?after=3&before=6")).await.is(200).json();
    assert_eq!(within["events"].as_array().unwrap().len(), 2);
    let first = api.get(&format!("/api/accounts/{id}/audit?limit=10")).await.is(200).json();
    let before = first["records"][9]["id"].as_i64().unwrap();
    let second = api.get(&format!("/api/accounts/{id}/audit?before={before}")).await.is(200).json();
    let ids = |page: &Value| -> Vec<i64> {
        page["records"].as_array().unwrap().iter().map(|record| record["id"].as_i64().unwrap()).collect()
    };
    let all = [ids(&first), ids(&second)].concat();
    // The 25 of above, and the line about the account that was added.
    assert_eq!(all.len(), 26);
    assert!(all.is_sorted_by(|newer, older| newer > older));
    stage.finish([daemon]).await;
}

fn labels(list: &Answer) -> Vec<String> {
    list.json()["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["label"].as_str().unwrap().to_owned())
        .collect()
}

/// Draws what our SVG consists of: a white square, and a path of `M x y h n v 1 h -n z`.
fn rasterised(svg: &str) -> image::GrayImage {
    let document: Vec<&str> = svg.split('"').collect();
    let after = |name: &str| document[document.iter().rposition(|part| part.trim_end().ends_with(name)).unwrap() + 1];
    let side: u32 = after("viewBox=").split(' ').nth(2).unwrap().parse().unwrap();
    let scale = 6;
    let mut picture = image::GrayImage::from_pixel(side * scale, side * scale, image::Luma([255]));
    for run in after(" d=").split('M').skip(1) {
        let (place, run) = run.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let (x, y): (u32, u32) = (x.parse().unwrap(), y.parse().unwrap());
        let width: u32 = run.split('v').next().unwrap().parse().unwrap();
        for (dx, dy) in (0..width * scale).flat_map(|dx| (0..scale).map(move |dy| (dx, dy))) {
            picture.put_pixel(x * scale + dx, y * scale + dy, image::Luma([0]));
        }
    }
    picture
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_one_account() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let add = |key: &'static str, body: Value| {
        let api = &api;
        async move { api.ask("POST", "/api/accounts", &[("Idempotency-Key", key)], Some(body)).await }
    };
    let first = add("order-1", json!({"label": "desk"})).await.is(201).json();
    let again = add("order-1", json!({"label": "desk"})).await.is(201);
    assert_eq!(again.json()["id"], first["id"]);
    assert_eq!(again.header("location"), format!("/api/accounts/{}", first["id"].as_str().unwrap()));
    let other = add("order-2", json!({"label": "desk"})).await.is(201).json();
    assert_ne!(other["id"], first["id"]);
    for body in [json!({"label": "lobby"}), json!({"label": "desk", "operatorId": Uuid::new_v4()})] {
        let refused = add("order-1", body).await.problem(422);
        assert!(refused["detail"].as_str().unwrap().contains("Idempotency-Key"), "{refused}");
    }
    add("", json!({"label": "desk"})).await.problem(400);
    assert_eq!(stage.web.count("SELECT count(*) FROM whatsapp_accounts", &[]).await, 2);
    let both = futures_util::future::join_all((0..8).map(|_| add("order-3", json!({"label": "desk"})))).await;
    let made: std::collections::BTreeSet<String> =
        both.into_iter().map(|answer| answer.is(201).json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(made.len(), 1);

    api.does(first["id"].as_str().unwrap(), "account.delete", json!({})).await;
    let gone = add("order-1", json!({"label": "desk"})).await.problem(409);
    assert!(gone["detail"].as_str().unwrap().contains("deleted"), "{gone}");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_keys_are_parked_is_said_and_resume_offered_by_it() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let account = stage.web.connect_account("desk", NUMBER, &stage.phones).await;
    let id = account.to_string();
    let shown = || async {
        let shown = api.account(&id).await;
        let keys = stage.web.count("SELECT count(keyring_id) FROM whatsapp_accounts WHERE id = $1", &[&account]).await;
        assert_eq!(shown["hasKeys"], json!(keys == 1), "{shown}");
        (shown["hasKeys"] == true, shown["actions"].as_array().unwrap().contains(&json!("account.resume")))
    };
    assert_eq!(shown().await, (true, false));
    api.does(&id, "account.unpair", json!({})).await;
    assert_eq!(shown().await, (true, true));
    api.does(&id, "account.pair", json!({})).await;
    api.does(&id, "account.cancel", json!({})).await;
    assert_eq!(shown().await, (true, true), "the cancelled attempt leaves the parked keys");
    api.does(&id, "account.resume", json!({})).await;
    api.status_is(&id, "connected").await;
    api.does(&id, "account.unpair", json!({"logout": true})).await;
    assert_eq!(shown().await, (false, false));
    stage.finish([daemon]).await;
}
