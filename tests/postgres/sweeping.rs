use std::time::Duration;

use paird_actors::domain::{
    AccountRecord, Attempt, Desired, Event, Fence, Instant, KeyringId, PairMethod, PairRequest, Phone, Secret, Status,
};
use paird_actors::ports::{Change, QrChange, Store, StoreError};

use crate::support::{Daemon, Database, at, change, new_change};

const MAX_AGE: Duration = Duration::from_secs(3600);

async fn pending(
    database: &Database,
    daemon: &Daemon,
    label: &str,
    since: Instant,
    deadline: Instant,
) -> AccountRecord {
    let mut record = database.owned(daemon, label).await;
    record.status = Status::Pending;
    record.desired = Desired::Paired;
    record.since = since;
    record.phone = Some(Phone::parse("436601234567").unwrap());
    record.attempt = Some(Attempt { deadline, request: PairRequest { method: PairMethod::Qr, expect_phone: None } });
    record.linking = Some(KeyringId(database.keyring(record.id).await));
    let qr = QrChange::Show { payload: Secret::new("2@abc"), at: since, expires_at: deadline };
    daemon.store.record(new_change(), &Change { qr, ..change(&record) }).await.unwrap();
    record
}

#[tokio::test]
async fn stale_attempts_are_parked_and_fresh_ones_left_alone() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let now = at(10_000_000);
    let fresh = pending(&database, &daemon, "fresh", at(9_900_000), at(10_000_001)).await;
    let late = pending(&database, &daemon, "late", at(9_900_000), at(10_000_000)).await;
    let old = pending(&database, &daemon, "old", at(0), at(20_000_000)).await;
    let found = daemon.store.sweep(MAX_AGE, now, true).await.unwrap();
    let labels: Vec<_> = found.iter().map(|swept| (swept.account, swept.label.as_str())).collect();
    assert_eq!(labels, [(late.id, "late"), (old.id, "old")]);
    for untouched in [&fresh, &late, &old] {
        assert_eq!(daemon.store.load_account(untouched.id).await.unwrap().as_ref(), Some(untouched));
    }
    assert_eq!(database.count("SELECT count(*) FROM events").await, 0, "a dry run told something");

    assert_eq!(daemon.store.sweep(MAX_AGE, now, false).await.unwrap(), found);
    assert_eq!(daemon.store.sweep(MAX_AGE, now, false).await.unwrap(), []);
    assert_eq!(daemon.store.load_account(fresh.id).await.unwrap().as_ref(), Some(&fresh));
    let parked = daemon.store.load_account(late.id).await.unwrap().unwrap();
    let expected = AccountRecord {
        status: Status::Unpaired,
        reason: "timeout".to_owned(),
        since: now,
        desired: Desired::Unpaired,
        phone: None,
        attempt: None,
        linking: None,
        fence: Fence(late.fence.0 + 1),
        ..late.clone()
    };
    assert_eq!(parked, expected);
    assert_eq!(database.count("SELECT count(*) FROM events WHERE kind = 'session.timeout'").await, 2);
    assert_eq!(database.count("SELECT count(*) FROM unlink_tickets").await, 2);
    assert_eq!(database.count("SELECT count(last_qr_png) FROM whatsapp_accounts").await, 1);

    let told = Change { events: vec![Event::Timeout], ..change(&late) };
    assert!(
        matches!(daemon.store.record(new_change(), &told).await, Err(StoreError::Fenced)),
        "a swept attempt spoke again"
    );
}
