use std::sync::Arc;

use paird_actors::domain::{
    Attempt, AuditAction, AuditEntry, Change, CodeChange, CommandId, Desired, Event, Group, KeyringId, Link,
    LinkedDevice, Loaded, PairMethod, PairRequest, Phone, QrChange, Reason, Secret, Status, StatusReason, StoreError,
    TicketReason,
};
use paird_actors::ports::{AccountStore, FleetStore};
use serde_json::{Value, json};

use crate::support::{Database, at, finished, update, write};

#[tokio::test]
async fn a_record_read_back_is_the_record_written() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let phone = |digits| Some(Phone::parse(digits).unwrap());
    record.status = Status::Pending;
    record.reason = Reason::Pairing.into();
    record.since = at(1);
    record.desired = Desired::Paired;
    record.next_retry_at = Some(at(2));
    record.last_phone = phone("436607654321");
    let method = PairMethod::Code { phone: Phone::parse("436601234567").unwrap() };
    let device = LinkedDevice {
        keyring: KeyringId(database.keyring(record.id).await),
        phone: phone("436601234567"),
        jid: Some("43@s.whatsapp.net".to_owned()),
    };
    let request = PairRequest { method, expect_phone: phone("436601234567") };
    let parked = Some(KeyringId(database.keyring(record.id).await));
    record.link = Link::Pairing { attempt: Attempt { deadline: at(3), request, device: Some(device) }, parked };
    record.deleted_at = Some(at(4));
    record.groups_synced_at = Some(at(5));
    record.released_at = Some(at(6));
    let written = write(None, update(&record, Change::default()));
    daemon.store.record(&written).await.unwrap();
    let loaded = daemon.store.load_account(record.id).await.unwrap();
    assert_eq!(loaded, Some(Loaded { record, last_change: Some(written.id), damage: None }));
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
    let whole = update(
        &record,
        Change {
            qr: QrChange::Show { payload: Secret::new("2@abc,def"), at: at(0), expires_at: at(60_000) },
            pair_code: CodeChange::Show(Secret::new("ABCD1234")),
            erase: vec![KeyringId(erased)],
            tickets: vec![(KeyringId(ticketed), TicketReason::PairedAgain)],
            groups: Some(vec![group("1@g.us"), group("2@g.us")]),
            events: vec![
                Event::Timeout { after: None },
                Event::Failed { reason: StatusReason::parse("odd \0 \u{fffd}") },
            ],
            audit: vec![AuditEntry {
                source: "web".to_owned(),
                action: AuditAction::Paired,
                raw: Some("401".to_owned()),
                payload: json!({"more": 1}),
            }],
            finished: vec![finished(command, Ok("done so"))],
            ..Change::default()
        },
    );
    daemon.write(whole).await.unwrap();
    let png: String = database.one("SELECT last_qr_png FROM whatsapp_accounts", &[]).await;
    assert!(png.starts_with("iVBOR"));
    assert_eq!(database.count("SELECT count(*) FROM whatsapp_groups WHERE subject = 'ab'").await, 2);
    assert_eq!(
        database.one::<String>("SELECT string_agg(kind, ' ' ORDER BY seq) FROM events", &[]).await,
        "session.timeout session.failed"
    );
    let audit: Value = database.one("SELECT payload FROM audit_log WHERE action = 'account.paired'", &[]).await;
    assert_eq!(audit, json!({"label": "shop", "raw": "401", "more": 1}));
    assert_eq!(database.one::<String>("SELECT state || result FROM commands", &[]).await, "donedone so");
    let kept: uuid::Uuid =
        database.one("SELECT k.id FROM keyrings k JOIN credentials c ON c.keyring_id = k.id", &[]).await;
    assert_eq!(kept, ticketed);
    assert_eq!(database.one::<String>("SELECT reason || source FROM unlink_tickets", &[]).await, "re-pairedweb");

    let after = update(
        &record,
        Change {
            qr: QrChange::Clear,
            pair_code: CodeChange::Clear,
            groups: Some(vec![group("2@g.us")]),
            erase: vec![KeyringId(ticketed)],
            ..Change::default()
        },
    );
    daemon.write(after).await.unwrap();
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
    let told = update(
        &record,
        Change { events: vec![Event::Timeout { after: None }], groups: Some(Vec::new()), ..Change::default() },
    );
    assert!(matches!(former.record(&write(None, told)).await, Err(StoreError::Fenced)));
    assert_eq!(database.count("SELECT count(*) FROM events").await, 0);
    assert!(former.load_account(record.id).await.unwrap().is_none());
}

#[tokio::test]
async fn of_changes_that_follow_the_same_one_is_written() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let store = Arc::new(daemon.store.clone());
    let mut follows = None;
    for _ in 0..10 {
        let writers = (0..4).map(|_| {
            let events = vec![Event::Timeout { after: None }, Event::Timeout { after: None }];
            let (store, next) =
                (Arc::clone(&store), write(follows, update(&record, Change { events, ..Change::default() })));
            tokio::spawn(async move { (next.id, store.record(&next).await) })
        });
        let mut written = Vec::new();
        for writer in writers.collect::<Vec<_>>() {
            match writer.await.unwrap() {
                (id, Ok(_)) => written.push(id),
                (_, Err(overtaken)) => assert_eq!(overtaken, StoreError::Overtaken),
            }
        }
        let [only] = written[..] else { panic!("{} of four were written", written.len()) };
        follows = Some(only);
    }
    let sql = "SELECT count(*) FILTER (WHERE seq = nth)
               FROM (SELECT seq, row_number() OVER (ORDER BY id) AS nth FROM events) AS e";
    assert_eq!(database.count(sql).await, 20);
}

#[tokio::test]
async fn unreadable_columns_are_reported_and_left_out() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let spoil = "ALTER TABLE whatsapp_accounts DROP CONSTRAINT whatsapp_accounts_status_check;
         UPDATE whatsapp_accounts SET status = 'dreaming', last_phone_number = 'x', pair_method = 'code'";
    database.web.batch_execute(spoil).await.unwrap();
    let loaded = daemon.store.load_account(record.id).await.unwrap().unwrap();
    assert!(loaded.damage.unwrap().contains("dreaming"), "the first of it is told");
    assert_eq!((loaded.record.status, loaded.record.last_phone), (Status::Held, None));
    let mend = "UPDATE whatsapp_accounts SET status = 'held', last_phone_number = NULL, pair_method = 'qr',
         phone_number = '436601234567'";
    database.web.batch_execute(mend).await.unwrap();
    let damage = daemon.store.load_account(record.id).await.unwrap().unwrap().damage.unwrap();
    assert_eq!(damage, "phone_number is set, and neither keyring_id nor linking_keyring_id is");
}

#[tokio::test]
async fn a_change_that_is_written_again_is_one_change() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "desk").await;
    let told = update(&record, Change { events: vec![Event::Timeout { after: None }], ..Change::default() });
    let once = write(None, told.clone());
    for _ in 0..3 {
        daemon.store.record(&once).await.unwrap();
    }
    assert_eq!(database.count("SELECT count(*) FROM events").await, 1);
    daemon.store.record(&write(Some(once.id), told)).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM events").await, 2, "the same again is not the same change");
}

#[tokio::test]
async fn a_change_that_lands_after_later_ones_changes_nothing() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "desk").await;
    let command = database.send("account.pair", record.id).await;
    let failed =
        Event::CommandFailed { command: CommandId(command), kind: "account.pair".to_owned(), reason: "no".to_owned() };
    let first = write(
        None,
        update(
            &record,
            Change { events: vec![failed], finished: vec![finished(command, Err("no"))], ..Change::default() },
        ),
    );
    daemon.store.record(&first).await.unwrap();
    record.set_status(Status::Connected, Reason::Connected, at(1));
    let second = write(
        Some(first.id),
        update(&record, Change { events: vec![Event::Timeout { after: None }], ..Change::default() }),
    );
    daemon.store.record(&second).await.unwrap();
    assert_eq!(daemon.store.record(&first).await, Err(StoreError::Overtaken));
    assert_eq!(daemon.load(record.id).await.status, Status::Connected, "the row went back in time");
    assert_eq!(database.count("SELECT count(*) FROM events").await, 2, "told twice");
}

#[tokio::test]
async fn a_group_that_is_listed_twice_is_stored_once() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "desk").await;
    let group = |subject: &str| Group {
        jid: "1@g.us".to_owned(),
        subject: subject.to_owned(),
        participants: 2,
        is_admin: false,
    };
    daemon
        .write(update(&record, Change { groups: Some(vec![group("old"), group("new")]), ..Change::default() }))
        .await
        .unwrap();
    assert_eq!(database.one::<String>("SELECT string_agg(subject, ' ') FROM whatsapp_groups", &[]).await, "new");
}

#[tokio::test]
async fn permanent_and_passing_write_failures_are_distinguished() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "desk").await;
    let told =
        || write(None, update(&record, Change { events: vec![Event::Timeout { after: None }], ..Change::default() }));
    let refuse = |code: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE 'not this one' USING ERRCODE = '{code}'; END $$;
             DROP TRIGGER IF EXISTS refuse ON events;
             CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    };
    for code in ["P0001", "21000", "22003", "23514", "23505", "42P01", "54000"] {
        database.web.batch_execute(&refuse(code)).await.unwrap();
        let refused = daemon.store.record(&told()).await;
        assert!(
            matches!(&refused, Err(StoreError::Refused(why)) if why.contains("not this one")),
            "{code}: {refused:?}"
        );
    }
    for code in ["40001", "40P01", "53100", "55P03", "57014", "57P01", "25006", "XX000"] {
        database.web.batch_execute(&refuse(code)).await.unwrap();
        let passes = daemon.store.record(&told()).await;
        assert!(matches!(&passes, Err(StoreError::Unavailable(_))), "{code}: {passes:?}");
    }
    database.web.batch_execute(&refuse("42501")).await.unwrap();
    let forbidden = daemon.store.record(&told()).await;
    assert!(
        matches!(&forbidden, Err(StoreError::Unavailable(why)) if why.contains("paird migrate --roles")),
        "no account's fault: {forbidden:?}"
    );
}
