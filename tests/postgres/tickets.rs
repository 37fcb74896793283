use paird_actors::domain::{KeyringId, Status};
use paird_actors::ports::{Change, Owned, Store, StoreError, TicketOutcome};
use serde_json::{Value, json};

use crate::support::{Database, at, change, new_change};

#[tokio::test]
async fn a_ticket_keeps_the_keys_until_the_unlink_is_confirmed_and_then_settles_the_account() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    record.status = Status::Deleting;
    record.deleted_at = Some(at(0));
    let deleted = Change { tickets: vec![(keyring, "deleted".to_owned())], ..change(&record) };
    daemon.store.record(new_change(), &deleted).await.unwrap();
    daemon.store.record(new_change(), &deleted).await.unwrap();

    let owned = daemon.store.survey().await.unwrap().owned;
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
    let settled = daemon.store.load_account(record.id).await.unwrap().unwrap();
    assert_eq!((settled.status, settled.reason.as_str()), (Status::Unpaired, "deleted"));
    assert!(!daemon.store.survey().await.unwrap().owned.iter().any(Owned::needs_daemon));

    // Whoever was asked something meanwhile writes what it knew: that the device is being removed.
    daemon.store.record(new_change(), &change(&record)).await.unwrap();
    let settled = daemon.store.load_account(record.id).await.unwrap().unwrap();
    assert_eq!((settled.status, settled.reason.as_str()), (Status::Unpaired, "deleted"));
    assert!(!daemon.store.survey().await.unwrap().owned.iter().any(Owned::needs_daemon));
}

#[tokio::test]
async fn of_two_tickets_that_end_at_once_the_later_one_settles_the_account() {
    let database = Database::new().await;
    let daemon = database.daemon().await;
    let mut record = database.owned(&daemon, "shop").await;
    let keyrings = [KeyringId(database.keyring(record.id).await), KeyringId(database.keyring(record.id).await)];
    record.status = Status::Deleting;
    record.deleted_at = Some(at(0));
    let tickets = keyrings.map(|keyring| (keyring, "deleted".to_owned())).to_vec();
    daemon.store.record(new_change(), &Change { tickets, ..change(&record) }).await.unwrap();
    let owned = daemon.store.survey().await.unwrap().owned;
    let [one, other] = owned[0].tickets[..] else { panic!("{owned:?}") };
    let one = daemon.store.load_ticket(one).await.unwrap().unwrap();
    let other = daemon.store.load_ticket(other).await.unwrap().unwrap();

    // Both have begun, and neither is through.
    database.web.batch_execute("BEGIN; SELECT FROM whatsapp_accounts FOR UPDATE").await.unwrap();
    let unlinked = TicketOutcome::Unlinked { reason: "device_removed".to_owned() };
    let both_wait = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        while database.count(waiting).await < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        database.web.batch_execute("COMMIT").await.unwrap();
    };
    let ended = tokio::join!(
        daemon.store.record_ticket(&one, &unlinked),
        daemon.store.record_ticket(&other, &unlinked),
        tokio::time::timeout(std::time::Duration::from_secs(20), both_wait),
    );
    assert!(matches!(ended, (Ok(()), Ok(()), Ok(()))), "{ended:?}");
    let settled = daemon.store.load_account(record.id).await.unwrap().unwrap();
    assert_eq!((settled.status, settled.reason.as_str()), (Status::Unpaired, "deleted"));
}

#[tokio::test]
async fn a_former_owner_ends_no_ticket() {
    let database = Database::new().await;
    let former = database.daemon().await;
    let record = database.owned(&former, "shop").await;
    let keyring = KeyringId(database.keyring(record.id).await);
    former
        .store
        .record(new_change(), &Change { tickets: vec![(keyring, "x".to_owned())], ..change(&record) })
        .await
        .unwrap();
    let ticket = former.store.survey().await.unwrap().owned[0].tickets[0];
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
