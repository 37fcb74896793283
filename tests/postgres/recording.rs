use std::sync::Arc;

use paird_actors::domain::{
    Attempt, AuditEntry, CommandId, Desired, Event, Group, KeyringId, PairMethod, PairRequest, Phone, Secret, Status,
};
use paird_actors::ports::{Change, CodeChange, QrChange, Store, StoreError};
use serde_json::{Value, json};

use crate::support::{Database, at, change, new_change};

#[tokio::test]
async fn a_record_read_back_is_the_record_written() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let phone = |digits| Some(Phone::parse(digits).unwrap());
    record.status = Status::Pending;
    record.reason = "pairing".to_owned();
    record.since = at(1);
    record.desired = Desired::Paired;
    record.next_retry_at = Some(at(2));
    record.phone = phone("436601234567");
    record.last_phone = phone("436607654321");
    record.device_jid = Some("43@s.whatsapp.net".to_owned());
    let method = PairMethod::Code { phone: Phone::parse("436601234567").unwrap() };
    record.attempt =
        Some(Attempt { deadline: at(3), request: PairRequest { method, expect_phone: phone("436601234567") } });
    record.keyring = Some(KeyringId(database.keyring(record.id).await));
    record.linking = Some(KeyringId(database.keyring(record.id).await));
    record.deleted_at = Some(at(4));
    record.groups_synced_at = Some(at(5));
    daemon.store.record(new_change(), &change(&record)).await.unwrap();
    assert_eq!(daemon.store.load_account(record.id).await.unwrap(), Some(record));
}

#[tokio::test]
async fn one_change_writes_everything_that_tells_of_it() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let command = database.send("account.pair", record.id).await;
    let erased = database.keyring(record.id).await;
    let ticketed = database.keyring(record.id).await;
    let taken = daemon.store.take_commands().await.unwrap();
    assert_eq!(taken.len(), 1);
    let group = |jid: &str| Group { jid: jid.to_owned(), subject: "a\0b".to_owned(), participants: 3, is_admin: true };
    let whole = Change {
        qr: QrChange::Show { payload: Secret::new("2@abc,def"), at: at(0), expires_at: at(60_000) },
        pair_code: CodeChange::Show(Secret::new("ABCD1234")),
        erase: vec![KeyringId(erased)],
        tickets: vec![(KeyringId(ticketed), "replaced".to_owned())],
        groups: Some(vec![group("1@g.us"), group("2@g.us")]),
        events: vec![Event::Timeout, Event::Failed { reason: "odd \0 \u{fffd}".to_owned() }],
        audit: vec![AuditEntry {
            source: "web".to_owned(),
            action: "account.paired",
            raw: Some("401".to_owned()),
            payload: json!({"more": 1}),
        }],
        finished: vec![(CommandId(command), Ok("done so".to_owned()))],
        ..change(&record)
    };
    daemon.store.record(new_change(), &whole).await.unwrap();
    let png: String = database.one("SELECT last_qr_png FROM whatsapp_accounts", &[]).await;
    assert!(png.starts_with("iVBOR"));
    assert_eq!(database.count("SELECT count(*) FROM whatsapp_groups WHERE subject = 'ab'").await, 2);
    assert_eq!(
        database.one::<String>("SELECT string_agg(kind, ' ' ORDER BY seq) FROM events", &[]).await,
        "session.timeout session.failed"
    );
    let audit: Value = database.one("SELECT payload FROM audit_log", &[]).await;
    assert_eq!(audit, json!({"label": "shop", "raw": "401", "more": 1}));
    assert_eq!(database.one::<String>("SELECT state || result FROM commands", &[]).await, "donedone so");
    let kept: uuid::Uuid =
        database.one("SELECT k.id FROM keyrings k JOIN credentials c ON c.keyring_id = k.id", &[]).await;
    assert_eq!(kept, ticketed);
    assert_eq!(database.one::<String>("SELECT reason || source FROM unlink_tickets", &[]).await, "replacedweb");

    let after = Change {
        qr: QrChange::Clear,
        pair_code: CodeChange::Clear,
        groups: Some(vec![group("2@g.us")]),
        erase: vec![KeyringId(ticketed)],
        ..change(&record)
    };
    daemon.store.record(new_change(), &after).await.unwrap();
    let cleared =
        "SELECT count(*) FROM whatsapp_accounts WHERE num_nulls(last_qr_png, last_qr_at, qr_expires_at, pair_code) = 4";
    assert_eq!(database.count(cleared).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM whatsapp_groups").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM keyrings").await, 1, "a ticket's keys were erased");
}

#[tokio::test]
async fn a_fenced_change_writes_nothing_at_all() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    let former = database.kill(former).await;
    let present = database.daemon().await;
    present.record(record.id).await;
    let told = Change { events: vec![Event::Timeout], groups: Some(Vec::new()), ..change(&record) };
    assert!(matches!(former.record(new_change(), &told).await, Err(StoreError::Fenced)));
    assert_eq!(database.count("SELECT count(*) FROM events").await, 0);
    assert!(former.load_account(record.id).await.unwrap().is_none());
    let phone = Phone::parse("436601234567").unwrap();
    assert!(matches!(former.claim_number(record.id, record.fence, &phone).await, Err(StoreError::Fenced)));
    assert!(matches!(former.hold_account(record.id, "x").await, Err(StoreError::Fenced)));
}

#[tokio::test]
async fn seq_is_gapless_under_concurrent_changes() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let store = Arc::new(daemon.store.clone());
    let writers = (0..40).map(|_| {
        let (store, record) = (Arc::clone(&store), record.clone());
        tokio::spawn(async move {
            store
                .record(new_change(), &Change { events: vec![Event::Timeout, Event::Timeout], ..change(&record) })
                .await
                .unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let sql = "SELECT count(*) FILTER (WHERE seq = nth)
               FROM (SELECT seq, row_number() OVER (ORDER BY id) AS nth FROM events) AS e";
    assert_eq!(database.count(sql).await, 80);
}

#[tokio::test]
async fn an_unknown_status_is_poison_and_holding_the_account_tells_it_once() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    database
        .web
        .batch_execute(
            "ALTER TABLE whatsapp_accounts DROP CONSTRAINT whatsapp_accounts_status_check;
             UPDATE whatsapp_accounts SET status = 'dreaming'",
        )
        .await
        .unwrap();
    let wrong = daemon.store.load_account(record.id).await.unwrap_err();
    assert!(matches!(&wrong, StoreError::Poisoned(why) if why.contains("dreaming")), "{wrong}");
    for _ in 0..2 {
        daemon.store.hold_account(record.id, &wrong.to_string()).await.unwrap();
    }
    assert_eq!(daemon.store.load_account(record.id).await.unwrap().unwrap().status, Status::Held);
    assert_eq!(database.count("SELECT count(*) FROM events WHERE kind = 'session.held'").await, 1);
}

#[tokio::test]
async fn a_change_that_is_written_again_is_one_change() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "desk").await;
    let told = Change { events: vec![Event::Timeout], ..change(&record) };
    let id = new_change();
    for _ in 0..3 {
        daemon.store.record(id, &told).await.unwrap();
    }
    assert_eq!(database.count("SELECT count(*) FROM events").await, 1);
    daemon.store.record(new_change(), &told).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM events").await, 2, "the same again is not the same change");
}
