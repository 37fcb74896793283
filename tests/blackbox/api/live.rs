//! The live stream: nothing lost, nothing doubled, nothing held up.

use paird_testkit::{Api, DEADLINE, Stage, Web, until};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_postgres::NoTls;

const NUMBER: &str = "436607000002";

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_begins_with_every_account_then_sends_changes() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (one, two) = (stage.web.account("one").await.to_string(), stage.web.account("two").await.to_string());
    let mut live = api.follow(None);
    assert!(live.next().await.unwrap().id.is_some(), "there is a position before the first event");
    for (id, label) in [(&one, "one"), (&two, "two")] {
        let told = live.next().await.unwrap();
        assert_eq!((told.kind.as_str(), &told.data["id"], &told.data["label"]), ("account", &json!(id), &json!(label)));
        assert_eq!(told.data, api.account(id).await);
    }
    let all = live.next().await.unwrap();
    assert_eq!((all.kind.as_str(), all.data), ("accounts", json!({"ids": [one, two]})));

    // Changes without an event: a rename and a new account, by SQL and here.
    stage.web.sql.execute("UPDATE whatsapp_accounts SET label = 'uno' WHERE label = 'one'", &[]).await.unwrap();
    live.until("the rename", |told| told.kind == "account" && told.data["label"] == "uno").await;
    stage.web.account("three").await;
    live.until("a new account", |told| told.kind == "account" && told.data["label"] == "three").await;
    api.post("/api/accounts", json!({"label": "four"})).await.is(201);
    live.until("another", |told| told.kind == "account" && told.data["label"] == "four").await;

    api.does(&one, "account.pair", json!({})).await;
    live.until("pending", |told| told.data["id"] == one.as_str() && told.data["status"] == "pending").await;
    let qr = live.until("session.qr", |told| told.kind == "session.qr").await;
    assert_eq!(
        (&qr.data["type"], &qr.data["accountId"], &qr.data["seq"]),
        (&json!("session.qr"), &json!(one), &json!(1))
    );
    assert!(
        qr.data["expiresAt"].is_string() && qr.data["createdAt"].is_string() && qr.data["id"].is_number(),
        "{qr:?}"
    );
    api.does(&one, "account.delete", json!({})).await;
    let gone = live.until("the deletion", |told| told.kind == "account" && told.data["deleted"] == true).await;
    assert_eq!(gone.data, json!({"id": one, "deleted": true}));
    live.until("account.deleted", |told| told.kind == "account.deleted").await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnecting_follower_gets_each_event_exactly_once() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let web = &stage.web;
    let id = web.connect_account("desk", NUMBER, &stage.phones).await;
    let desk = id.to_string();
    let before = web.seq(id).await;
    let mut live = api.follow(None);
    live.until("the first account", |told| told.kind == "account").await;
    web.does("account.pair", id, json!({})).await;
    live.until("one event", |told| told.kind == "session.connected").await;
    let mut heard = live.seqs(&desk);
    let last = live.last.clone().unwrap();
    daemon.terminate().await;
    while live.next().await.is_some() {}
    heard.extend(live.seqs(&desk).into_iter().skip(heard.len()));
    let last = live.last.clone().unwrap_or(last);

    // While no client listens.
    let quiet = stage.daemon(&[]).await;
    web.status_is(id, "connected").await;
    web.does("account.unpair", id, json!({})).await;
    quiet.terminate().await;
    web.sql
        .execute("INSERT INTO whatsapp_accounts (operator_id, label) VALUES (gen_random_uuid(), 'new')", &[])
        .await
        .unwrap();

    let mut daemon = stage.daemon(&[]).await;
    let api = Api::of(&stage, &mut daemon).await;
    let mut live = api.follow(Some(&last));
    web.does("account.resume", id, json!({})).await;
    web.status_is(id, "connected").await;
    let end = web.seq(id).await;
    live.until("the last event", |told| told.data["accountId"] == desk.as_str() && told.data["seq"] == end).await;
    heard.extend(live.seqs(&desk));
    assert_eq!(heard, (before + 1..=end).collect::<Vec<_>>());
    let shown = live.seen.iter().filter(|told| told.kind == "account").map(|told| told.data["label"].as_str().unwrap());
    let shown: Vec<_> = shown.take(2).collect();
    assert_eq!(shown, ["desk", "new"], "all accounts are sent again");
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_reaches_present_and_returning_followers() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let (slow, fast) = (stage.web.account("slow").await, stage.web.account("fast").await);
    let mut live = api.follow(None);
    live.until("the accounts", |told| told.data["label"] == "fast").await;

    // The lower id commits after the higher one.
    let (mut other, connection) = tokio_postgres::connect(&stage.dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql =
        "WITH told AS (INSERT INTO events (account_id, seq, kind) VALUES ($1, $2, 'session.timeout') RETURNING id)
               UPDATE whatsapp_accounts SET event_seq = $2 WHERE id = $1 RETURNING (SELECT id FROM told)";
    let held = other.transaction().await.unwrap();
    let low: i64 = held.query_one(sql, &[&slow, &1_i64]).await.unwrap().get(0);
    let high: i64 = stage.web.sql.query_one(sql, &[&fast, &1_i64]).await.unwrap().get(0);
    assert!(low < high);
    // The state is sent at once; the event waits for its place in the order.
    let place = live.last.clone().unwrap();
    held.commit().await.unwrap();
    live.until("the high one", |told| told.data["id"] == high).await;
    let ids = |live: &paird_testkit::Live| -> Vec<i64> {
        live.seen
            .iter()
            .filter(|told| told.kind == "session.timeout")
            .map(|told| told.data["id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(ids(&live), [low, high]);
    let mut back = api.follow(Some(&place));
    back.until("the high one", |told| told.data["id"] == high).await;
    assert_eq!(ids(&back), [low, high]);

    // The same from a position in the middle.
    let middle = live.seen.iter().find(|told| told.data["id"] == low && told.kind == "session.timeout").unwrap();
    let mut back = api.follow(middle.id.as_deref());
    back.until("the high one", |told| told.data["id"] == high).await;
    assert_eq!(ids(&back), [high]);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_events_reach_many_and_returning_followers() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let desk = id.to_string();
    let mut lives = Vec::new();
    for _ in 0..5 {
        lives.push(api.follow(None));
    }
    for live in &mut lives {
        live.until("the account", |told| told.kind == "account").await;
    }
    let start = lives[0].last.clone().unwrap();
    for from in (1..=3_000_i64).step_by(100) {
        insert_events(&stage.web, id, from, from + 99).await;
    }
    let all: Vec<i64> = (1..=3_000).collect();
    for live in &mut lives {
        live.until("the last", |told| told.data["seq"] == 3_000).await;
        assert_eq!(live.seqs(&desk), all);
    }
    let mut back = api.follow(Some(&start));
    back.until("the last", |told| told.data["seq"] == 3_000).await;
    assert_eq!(back.seqs(&desk), all);
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_followers_the_database_is_not_queried() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let readers = || async {
        let sql = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_snapshot_xmin%' AND pid <> pg_backend_pid()";
        let rows = stage.web.sql.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>()
    };
    assert!(readers().await.is_empty());
    stage.web.account("desk").await;
    let mut live = api.follow(None);
    live.next().await.unwrap();
    let reader = until("a reader", || async { readers().await.pop() }).await;
    drop(live);
    // The connection itself ends: what was read last is not always the feed's question.
    until("no reader", || async {
        // The daemon sees that the consumer is gone when it writes to it.
        stage.web.sql.execute("UPDATE whatsapp_accounts SET label = 'desk ' || random()", &[]).await.unwrap();
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        (stage.web.count(sql, &[&reader]).await == 0).then_some(())
    })
    .await;
    stage.finish([daemon]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_stops_reading_is_cut_off_alone() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let mut deaf = TcpStream::connect(&api.addr).await.unwrap();
    let request =
        format!("GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n", api.addr, api.token);
    deaf.write_all(request.as_bytes()).await.unwrap();
    let mut live = api.follow(None);
    live.until("the account", |told| told.kind == "account").await;
    // More than all buffers between daemon and client hold.
    let sql = "INSERT INTO events (account_id, seq, kind, payload)
               SELECT $1, n, 'session.timeout', jsonb_build_object('x', repeat('x', 100000)) FROM generate_series(1, 300) n";
    stage.web.sql.execute(sql, &[&id]).await.unwrap();
    live.until("the last", |told| told.data["seq"] == 300).await;
    assert_eq!(live.seqs(&id.to_string()), (1..=300).collect::<Vec<_>>());
    let port: u16 = api.addr.rsplit(':').next().unwrap().parse().unwrap();
    let ours = deaf.local_addr().unwrap().port();
    until("the end of the deaf one's connection", || async { (!is_established(port, ours)).then_some(()) }).await;
    stage.finish([daemon]).await;
}

/// Whether the kernel still has the daemon's end of the connection.
fn is_established(from: u16, to: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1].ends_with(&format!(":{from:04X}")) && fields[2].ends_with(&format!(":{to:04X}")) && fields[3] == "01"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_at_once_when_the_daemon_stops() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let sql = "INSERT INTO commands (kind, state) VALUES ('account.cancel', 'running') RETURNING id";
    let id: i64 = stage.web.sql.query_one(sql, &[]).await.unwrap().get(0);
    let mut live = api.follow(None);
    live.next().await.unwrap();
    let started = tokio::time::Instant::now();
    let path = format!("/api/commands/{id}?wait=30");
    let waiting = api.get(&path);
    let stop = async {
        // This answer shows that the waiting request has been accepted, too.
        api.get("/api/accounts").await.is(200);
        assert!(daemon.terminate().await.success());
    };
    let (waited, ()) = tokio::join!(waiting, stop);
    assert_eq!(waited.is(200).json()["state"], "running");
    while live.next().await.is_some() {}
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    stage.finish([]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_event_id_is_refused_a_foreign_one_starts_over() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    for wrong in ["", "x", "1", "1-2-3", "-1-1", "1-99999999999999999999"] {
        api.ask("GET", "/api/events", &[("Last-Event-ID", wrong)], None).await.problem(400);
    }
    let id = stage.web.account("desk").await;
    let mut live = api.follow(Some("9000000000000000000-7"));
    live.until("the account", |told| told.kind == "account").await;
    insert_events(&stage.web, id, 1, 1).await;
    let told = tokio::time::timeout(DEADLINE, live.until("an event", |told| told.kind == "session.timeout"));
    assert_eq!(told.await.unwrap().data["seq"], 1);
    stage.finish([daemon]).await;
}

/// One transaction of events, as an account's owner writes them.
async fn insert_events(web: &Web, account: uuid::Uuid, from: i64, to: i64) {
    let sql = "WITH told AS (
                   INSERT INTO events (account_id, seq, kind)
                   SELECT $1, n, 'session.timeout' FROM generate_series($2::bigint, $3::bigint) n
               ) UPDATE whatsapp_accounts SET event_seq = $3 WHERE id = $1";
    web.sql.execute(sql, &[&account, &from, &to]).await.unwrap();
}

/// Reading changes covers only one day; after a lost connection all accounts are compared.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_deletion_is_reported_after_a_lost_connection() {
    let (stage, mut daemon) = Stage::with_daemon_under_roles().await;
    let api = Api::of(&stage, &mut daemon).await;
    let id = stage.web.account("desk").await;
    let mut live = api.follow(None);
    live.until("the account", |told| told.data["label"] == "desk").await;
    let deleted = "UPDATE whatsapp_accounts SET deleted_at = now() - interval '2 days' WHERE id = $1";
    stage.web.sql.execute(deleted, &[&id]).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'paird'";
    stage.web.sql.execute(cut, &[]).await.unwrap();
    let gone = live.until("the deletion", |told| told.data["deleted"] == true).await;
    assert_eq!(gone.data["id"], json!(id.to_string()));
    stage.finish([daemon]).await;
}
