use std::future::poll_fn;
use std::sync::Arc;

use paird::postgres::outbox::{EventPayload, Outbox};
use paird::postgres::store::PgStore;
use paird_actors::domain::{AccountRecord, Change, Event, Instant, PasskeyStage, Update};
use paird_actors::ports::{AccountStore, FleetStore as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, NoTls};

use crate::support::{Database, update, write};

/// What a web app hears on the event channel.
async fn events(database: &Database) -> mpsc::UnboundedReceiver<Value> {
    let (client, mut connection) = tokio_postgres::connect(&database.text, NoTls).await.unwrap();
    let (forward, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message {
                forward.send(serde_json::from_str(notification.payload()).unwrap()).unwrap();
            }
        }
    });
    client.batch_execute("LISTEN paird_event").await.unwrap();
    std::mem::forget(client);
    heard
}

async fn next(heard: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(std::time::Duration::from_secs(20), heard.recv()).await.unwrap().unwrap()
}

fn told(record: &AccountRecord, events: Vec<Event>) -> Update {
    update(record, Change { events, ..Change::default() })
}

#[tokio::test]
async fn committed_events_are_sent_in_order_with_all_promised_fields() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let mut heard = events(&database).await;
    let outbox = Outbox::start(daemon.pool.clone(), daemon.process, "paird_event", EventPayload::Full);
    let store = PgStore::new(daemon.pool.clone(), daemon.process, outbox.waker(), Arc::default());
    let mut follows = None;
    for _ in 0..30 {
        let change = told(&record, vec![Event::Timeout { after: None }, Event::GroupsSynced { count: 3 }]);
        let next = write(follows, change);
        store.record(&next).await.unwrap();
        follows = Some(next.id);
    }
    for seq in 1..=60 {
        let event = next(&mut heard).await;
        assert_eq!(event["seq"], seq);
        assert_eq!(event["accountId"], record.id.to_string());
        assert!(event["id"].is_i64());
        if seq % 2 == 0 {
            assert_eq!((&event["type"], &event["count"]), (&json!("groups.synced"), &json!(3)));
        }
    }
    outbox.stop().await;
}

#[tokio::test]
async fn events_left_unsent_by_a_crash_are_sent_by_the_next_daemon() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    former.write(told(&record, vec![Event::Timeout { after: None }])).await.unwrap();
    database.kill(former).await;
    let mut heard = events(&database).await;
    let present = database.daemon().await;
    let outbox = Outbox::start(present.pool.clone(), present.process, "paird_event", EventPayload::Full);
    assert_eq!(next(&mut heard).await["type"], "session.timeout");
    outbox.stop().await;
    assert_eq!(database.count("SELECT count(*) FROM events WHERE NOT notified").await, 0);
}

#[tokio::test]
async fn a_live_owners_events_are_left_to_it() {
    let database = Database::new().await;
    let owner = database.daemon().await;
    let record = database.owned(&owner, "shop").await;
    owner.write(told(&record, vec![Event::Timeout { after: None }])).await.unwrap();
    let other = database.daemon().await;
    Outbox::start(other.pool.clone(), other.process, "paird_event", EventPayload::Full).stop().await;
    assert_eq!(database.count("SELECT count(*) FROM events WHERE NOT notified").await, 1);
    Outbox::start(owner.pool.clone(), owner.process, "paird_event", EventPayload::Full).stop().await;
    assert_eq!(database.count("SELECT count(*) FROM events WHERE NOT notified").await, 0);
}

#[tokio::test]
async fn an_oversized_notification_goes_without_its_large_field() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let mut heard = events(&database).await;
    let outbox = Outbox::start(daemon.pool.clone(), daemon.process, "paird_event", EventPayload::Full);
    let request = json!({ "publicKey": "ü".repeat(5000) });
    let event = Event::Passkey { stage: PasskeyStage::Challenge, request, expires_at: Instant(0) };
    let store = PgStore::new(daemon.pool.clone(), daemon.process, outbox.waker(), Arc::default());
    store.record(&write(None, told(&record, vec![event.clone()]))).await.unwrap();
    let sent = next(&mut heard).await;
    assert_eq!((&sent["stage"], &sent["truncated"], sent.get("request")), (&json!("challenge"), &json!(true), None));
    let row: Value = database.one("SELECT payload FROM events", &[]).await;
    assert_eq!(row, event.payload());
    outbox.stop().await;
}

/// The statement calls the function for long events alone.
#[tokio::test]
async fn a_notification_is_what_event_message_makes() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.owned(&daemon, "shop").await.id;
    let mut heard = events(&database).await;
    // On both sides of the limit of a notification.
    let sql = "INSERT INTO events (account_id, seq, kind, payload)
               SELECT $1, length, 'session.timeout',
                      jsonb_build_object('id', 'of the payload', 'short', 'ü', 'long', repeat('v', length))
               FROM generate_series(7800, 7899) length";
    database.web.execute(sql, &[&account.0]).await.unwrap();
    let outbox = Outbox::start(daemon.pool.clone(), daemon.process, "paird_event", EventPayload::Full);
    let mut truncated = 0;
    for seq in 7800_i64..7900 {
        let event = next(&mut heard).await;
        let made: Value = database.one("SELECT event_message(e)::jsonb FROM events e WHERE seq = $1", &[&seq]).await;
        assert_eq!(event, made);
        truncated += usize::from(event.get("truncated").is_some());
    }
    assert!((1..100).contains(&truncated), "{truncated} of 100 are too long");
    outbox.stop().await;
}

/// A sender that has waited for another one continues with the events that the other did not send.
#[tokio::test]
async fn events_behind_those_that_another_has_sent_do_not_wait() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.owned(&daemon, "shop").await.id;
    let sql =
        "INSERT INTO events (account_id, seq, kind) SELECT $1, seq, 'session.timeout' FROM generate_series(1, 700) seq";
    database.web.execute(sql, &[&account.0]).await.unwrap();
    let other = crate::support::connect(&database.text).await;
    other.batch_execute("BEGIN; UPDATE events SET notified = true WHERE seq <= 400").await.unwrap();
    let outbox = Outbox::start(daemon.pool.clone(), daemon.process, "paird_event", EventPayload::Full);
    crate::support::eventually("the sender waits", async || {
        database.count("SELECT count(*) FROM pg_locks WHERE NOT granted").await > 0
    })
    .await;
    other.batch_execute("COMMIT").await.unwrap();
    let committed = std::time::Instant::now();
    crate::support::eventually("all are sent", async || {
        database.count("SELECT count(*) FROM events WHERE NOT notified").await == 0
    })
    .await;
    assert!(committed.elapsed() < std::time::Duration::from_secs(4), "they waited for the next poll");
    outbox.stop().await;
}

/// Replaces functions of Postgres, for sessions that begin from now on.
async fn shadow(database: &Database, functions: &str) {
    let sql = format!("{functions}; ALTER ROLE CURRENT_USER SET search_path = public, pg_catalog");
    database.web.batch_execute(&sql).await.unwrap();
}

/// As if the queue of notifications were full. The real error comes at the commit; this one at the call.
const FULL: &str = "CREATE FUNCTION pg_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'too many notifications in the NOTIFY queue'; END $$;
                    CREATE FUNCTION pg_notification_queue_usage() RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8'";

#[tokio::test]
async fn commands_and_leases_do_without_a_bell_when_the_queue_is_full() {
    let database = Database::new().await;
    shadow(&database, FULL).await;
    let web = crate::support::connect(&database.text).await;
    let account = database.account(uuid::Uuid::new_v4(), "shop").await;
    let daemon = database.daemon().await;
    let sent = web.query_one("SELECT send_command('account.cancel', $1)", &[&account.0]).await.unwrap();
    let taken = daemon.store.take_commands().await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.id.0).collect::<Vec<_>>(), [sent.get::<_, i64>(0)]);
    let proxied = "UPDATE whatsapp_accounts SET proxy = 'socks5://127.0.0.1:1080', status = 'connected' WHERE id = $1";
    assert_eq!(web.execute(proxied, &[&account.0]).await.unwrap(), 1);
    let told = daemon.lease.drain(true).await.unwrap();
    daemon.lease.row().give_back(told).await.unwrap();
    daemon.lease.release().await.unwrap();
}

#[tokio::test]
async fn a_channel_that_cannot_be_rung_fails_no_command() {
    let database = Database::new().await;
    let _daemon = database.daemon().await;
    let account = database.account(uuid::Uuid::new_v4(), "shop").await;
    for channel in [String::new(), "x".repeat(64)] {
        database.web.execute("UPDATE processes SET command_channel = $1", &[&channel]).await.unwrap();
        database.send("account.cancel", account).await;
    }
    let rung: bool = database.one("SELECT ring('paird_command', repeat('x', 8000))", &[]).await;
    assert!(!rung);
    assert_eq!(database.count("SELECT count(*) FROM commands WHERE state = 'queued'").await, 2);
}

#[tokio::test]
async fn an_event_of_any_size_and_kind_holds_up_no_other() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.owned(&daemon, "shop").await.id;
    let mut heard = events(&database).await;
    let sql = "INSERT INTO events (account_id, seq, kind, payload)
               SELECT $1, row_number() OVER (), kind, payload FROM (VALUES
                   (repeat('k', 9000), '{}'::jsonb),
                   ('session.timeout', jsonb_build_object(repeat('n', 9000), 1)),
                   ('session.timeout', (SELECT jsonb_object_agg(n, repeat('v', 900)) FROM generate_series(1, 20) n)),
                   ('session.timeout', '{}')) AS event (kind, payload)";
    database.web.execute(sql, &[&account.0]).await.unwrap();
    let outbox = Outbox::start(daemon.pool.clone(), daemon.process, "paird_event", EventPayload::Full);
    for seq in 1..=4 {
        let event = next(&mut heard).await;
        assert_eq!((&event["seq"], event.get("truncated").is_some()), (&json!(seq), seq < 4), "{event}");
    }
    outbox.stop().await;
}

#[tokio::test]
async fn events_wait_for_a_full_queue_and_are_sent_in_order() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let account = database.owned(&daemon, "shop").await.id;
    let sql =
        "INSERT INTO events (account_id, seq, kind) SELECT $1, seq, 'session.timeout' FROM generate_series(1, 3) seq";
    database.web.execute(sql, &[&account.0]).await.unwrap();
    shadow(&database, FULL).await;
    let mut heard = events(&database).await;
    let outbox = Outbox::start(database.dsn.pool().unwrap(), daemon.process, "paird_event", EventPayload::Full);
    daemon.write(told(&daemon.record(account).await, vec![])).await.unwrap();
    database.web.batch_execute("DROP FUNCTION public.pg_notify, public.pg_notification_queue_usage").await.unwrap();
    for seq in 1..=3 {
        assert_eq!(next(&mut heard).await["seq"], seq);
    }
    outbox.stop().await;
    assert_eq!(database.count("SELECT count(*) FROM events WHERE NOT notified").await, 0);
}
