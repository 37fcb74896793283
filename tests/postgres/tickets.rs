use std::sync::Arc;

use futures_util::FutureExt as _;
use paird_actors::domain::{
    Change, Event, KeyringId, Link, Owned, Reason, Status, StoreError, TicketOutcome, TicketReason, Unlinked,
};
use paird_actors::ports::{FleetStore, TicketStore};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Database, at, update};

#[tokio::test]
async fn a_ticket_keeps_the_keys_until_the_unlink_is_confirmed() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    record.status = Status::Deleting;
    record.deleted_at = Some(at(0));
    let deleted = update(&record, Change { tickets: vec![(keyring, TicketReason::Deleted)], ..Change::default() });
    daemon.write(deleted.clone()).await.unwrap();
    daemon.write(deleted).await.unwrap();

    let owned = daemon.store.survey(&[]).await.unwrap().owned;
    let [ticket] = owned[0].tickets[..] else { panic!("{owned:?}") };
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    assert_eq!((ticket.keyring, ticket.label.as_str(), ticket.attempts), (keyring, "shop", 0));
    let failed = TicketOutcome::Failed { error: "no answer".to_owned(), attempts: 1, next_retry_at: at(5) };
    daemon.store.record_ticket(&ticket, &failed).await.unwrap();
    let again = daemon.store.load_ticket(ticket.id).await.unwrap().unwrap();
    assert_eq!((again.attempts, again.next_retry_at), (1, at(5)));
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 1);

    let unlinked = TicketOutcome::Unlinked { reason: "device_removed".to_owned() };
    daemon.store.record_ticket(&again, &unlinked).await.unwrap();
    daemon.store.record_ticket(&again, &unlinked).await.unwrap();
    assert!(daemon.store.load_ticket(ticket.id).await.unwrap().is_none());
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 0);
    let audit: Value = database.one("SELECT payload FROM audit_log WHERE action = 'account.unlinked'", &[]).await;
    assert_eq!(audit, json!({"label": "shop", "raw": "device_removed"}));
    let event: Value = database.one("SELECT payload FROM events WHERE kind = 'account.unlinked'", &[]).await;
    assert_eq!(event, json!({"reason": "device_removed"}));
}

#[tokio::test]
async fn a_new_ticket_waits_for_no_tick() {
    let database = Database::new().await;
    let mut daemon = database.daemon().await;
    let resync = Arc::new(Notify::new());
    daemon.store = daemon.store.with_resync(Arc::clone(&resync));
    let record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    daemon.write(update(&record, Change::default())).await.unwrap();
    assert!(resync.notified().now_or_never().is_none());
    let tickets = vec![(keyring, TicketReason::Unpaired)];
    daemon.write(update(&record, Change { tickets, ..Change::default() })).await.unwrap();
    assert!(resync.notified().now_or_never().is_some(), "it would wait for the next tick");
}

#[tokio::test]
async fn a_deletion_is_over_when_no_ticket_of_the_account_is_open() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    // The ticket of an unpair with logout that WhatsApp has not confirmed yet.
    daemon
        .write(update(&record, Change { tickets: vec![(keyring, TicketReason::Unpaired)], ..Change::default() }))
        .await
        .unwrap();
    let mut deleted = daemon.load(record.id).await;
    deleted.deleted_at = Some(at(0));
    deleted.set_status(Status::Unpaired, Reason::Deleted, at(0));
    let told = vec![Event::AccountDeleted { unlinked: Unlinked::None }];
    daemon.write(update(&deleted, Change { events: told, deletes: true, ..Change::default() })).await.unwrap();
    let row = daemon.load(record.id).await;
    assert_eq!((row.status, row.reason), (Status::Deleting, Reason::Unlinking.into()), "its device is on the phone");
    let event: Value = database.one("SELECT payload FROM events WHERE kind = 'account.deleted'", &[]).await;
    assert_eq!(event, json!({"unlinked": "pending"}));

    let ticket = daemon.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    let unlinked = TicketOutcome::Unlinked { reason: "device_removed".to_owned() };
    daemon.store.record_ticket(&ticket, &unlinked).await.unwrap();
    assert_eq!(daemon.load(record.id).await.status, Status::Deleting, "a ticket decides nothing about the account");
    assert!(daemon.store.survey(&[]).await.unwrap().owned[0].active, "its actor has something to settle");
    daemon.write(update(&deleted, Change { deletes: true, ..Change::default() })).await.unwrap();
    let row = daemon.load(record.id).await;
    assert_eq!((row.status, row.reason), (Status::Unpaired, Reason::Deleted.into()));
    assert!(!daemon.store.survey(&[record.id]).await.unwrap().owned.iter().any(Owned::needs_daemon));
}

#[tokio::test]
async fn a_proxys_login_stays_until_no_ticket_needs_it() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    let login = "INSERT INTO proxy_logins (id, account_id, proxy, wrapped_key, master_key, sealed)
        VALUES (gen_random_uuid(), $1, 'socks5://h:1', 'x', 'm', 'x')";
    database.web.execute(login, &[&record.id.0]).await.unwrap();
    daemon
        .write(update(&record, Change { tickets: vec![(keyring, TicketReason::Unpaired)], ..Change::default() }))
        .await
        .unwrap();
    let mut deleted = daemon.load(record.id).await;
    deleted.deleted_at = Some(at(0));
    deleted.set_status(Status::Unpaired, Reason::Deleted, at(0));
    daemon.write(update(&deleted, Change { deletes: true, ..Change::default() })).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM proxy_logins").await, 1, "the unlink dials through it");
    let ticket = daemon.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    daemon.store.record_ticket(&ticket, &TicketOutcome::Unlinked { reason: "gone".to_owned() }).await.unwrap();
    daemon.write(update(&deleted, Change { deletes: true, ..Change::default() })).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM proxy_logins").await, 0);
}

#[tokio::test]
async fn a_ticket_of_former_keys_settles_no_deletion_under_way() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let (old, live) = (database.keyring(record.id).await, database.keyring(record.id).await);
    record.link = Link::parked(Some(KeyringId(live)));
    record.deleted_at = Some(at(0));
    record.set_status(Status::Deleting, Reason::Operator, at(0));
    let tickets = vec![(KeyringId(old), TicketReason::PairedAgain)];
    daemon.write(update(&record, Change { tickets, ..Change::default() })).await.unwrap();
    let ticket = daemon.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    daemon.store.record_ticket(&ticket, &TicketOutcome::Unlinked { reason: "gone".to_owned() }).await.unwrap();
    let row = daemon.load(record.id).await;
    assert_eq!((row.status, row.keyring()), (Status::Deleting, Some(KeyringId(live))));
}

#[tokio::test]
async fn a_ticket_is_given_up_by_the_databases_clock_alone() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    daemon
        .write(update(&record, Change { tickets: vec![(keyring, TicketReason::Deleted)], ..Change::default() }))
        .await
        .unwrap();
    let ticket = daemon.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    let abandoned = TicketOutcome::Abandoned { reason: "14 days".to_owned() };
    let early = daemon.store.record_ticket(&ticket, &abandoned).await;
    assert!(matches!(early, Err(StoreError::Overtaken)), "by a clock that is ahead: {early:?}");
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 1, "the keys are needed");
    database.web.execute("UPDATE unlink_tickets SET abandon_at = clock_timestamp()", &[]).await.unwrap();
    daemon.store.record_ticket(&ticket, &abandoned).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 0);
}

#[tokio::test]
async fn a_late_failure_does_not_set_a_ticket_back() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    daemon
        .write(update(&record, Change { tickets: vec![(keyring, TicketReason::Deleted)], ..Change::default() }))
        .await
        .unwrap();
    let ticket = daemon.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = daemon.store.load_ticket(ticket).await.unwrap().unwrap();
    let failed = |attempts: u32| TicketOutcome::Failed {
        error: format!("try {attempts}"),
        attempts,
        next_retry_at: at(attempts.into()),
    };
    daemon.store.record_ticket(&ticket, &failed(1)).await.unwrap();
    daemon.store.record_ticket(&ticket, &failed(1)).await.unwrap();
    daemon.store.record_ticket(&ticket, &failed(2)).await.unwrap();
    let late = daemon.store.record_ticket(&ticket, &failed(1)).await;
    assert!(matches!(late, Err(StoreError::Overtaken)), "{late:?}");
    let row = daemon.store.load_ticket(ticket.id).await.unwrap().unwrap();
    assert_eq!((row.attempts, row.next_retry_at), (2, at(2)));
}

#[tokio::test]
async fn a_former_owner_ends_no_ticket() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    former
        .write(update(&record, Change { tickets: vec![(keyring, TicketReason::Deleted)], ..Change::default() }))
        .await
        .unwrap();
    let ticket = former.store.survey(&[]).await.unwrap().owned[0].tickets[0];
    let ticket = former.store.load_ticket(ticket).await.unwrap().unwrap();
    let former = database.kill(former).await;
    database.daemon().await.record(record.id).await;
    for outcome in [
        TicketOutcome::Unlinked { reason: "gone".to_owned() },
        TicketOutcome::Abandoned { reason: "14 days".to_owned() },
        TicketOutcome::Failed { error: "x".to_owned(), attempts: 1, next_retry_at: at(0) },
    ] {
        assert!(matches!(former.record_ticket(&ticket, &outcome).await, Err(StoreError::Fenced)));
    }
    assert_eq!(database.count("SELECT count(*) FROM credentials").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM events").await, 0);
}
