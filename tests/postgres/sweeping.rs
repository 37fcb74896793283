use std::time::Duration;

use paird_actors::domain::{
    Attempt, Change, Desired, Instant, KeyringId, Link, LinkedDevice, PairMethod, PairRequest, Phone, Policy, QrChange,
    Secret, Status,
};
use paird_actors::ports::FleetStore;
use uuid::Uuid;

use crate::support::{Daemon, Database, at, update};

async fn pending(database: &Database, daemon: &Daemon, label: &str, since: Instant, deadline: Instant) {
    let mut record = database.owned(daemon, label).await;
    record.status = Status::Pending;
    record.desired = Desired::Paired;
    record.since = since;
    let keyring = KeyringId(database.keyring(record.id).await);
    let device = LinkedDevice { keyring, phone: Some(Phone::parse("436601234567").unwrap()), jid: None };
    let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
    record.link = Link::Pairing { attempt: Attempt { deadline, request, device: Some(device) }, parked: None };
    let qr = QrChange::Show { payload: Secret::new("2@abc"), at: since, expires_at: deadline };
    daemon.write(update(&record, Change { qr, ..Change::default() })).await.unwrap();
}

#[tokio::test]
async fn stale_attempts_are_distinguished_from_fresh_ones() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let now = at(10_000_000);
    pending(&database, &daemon, "fresh", at(9_900_000), at(10_000_001)).await;
    pending(&database, &daemon, "late", at(9_900_000), at(10_000_000)).await;
    pending(&database, &daemon, "old", at(0), at(20_000_000)).await;
    let neighbour = database.daemon().await;
    pending(&database, &neighbour, "a neighbour's", at(0), at(0)).await;
    let left = database.account(Uuid::new_v4(), "left behind").await;
    let leave = "UPDATE whatsapp_accounts SET status = 'pending', owner = gen_random_uuid() WHERE id = $1";
    database.web.execute(leave, &[&left.0]).await.unwrap();

    let policy = Policy { pending_max_age: Duration::from_secs(3600), ..Policy::default() };
    let found = daemon.store.list_pending().await.unwrap();
    let stale: Vec<_> =
        found.iter().filter_map(|attempt| Some((attempt.label.as_str(), attempt.staleness(&policy, now)?))).collect();
    let expected = [
        ("late", "the attempt's deadline has passed".to_owned()),
        ("old", "pending for over 3600 s".to_owned()),
        ("left behind", "it has no deadline".to_owned()),
    ];
    assert_eq!(stale, expected);
}
