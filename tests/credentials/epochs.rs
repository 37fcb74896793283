//! Once a keyring has been opened again, late statements of its former opening write nothing.

use std::sync::Arc;

use deadpool_postgres::Client;
use futures_util::FutureExt as _;
use paird::credentials::{CredentialStore, Keyring};
use paird_actors::domain::{Fence, StoreError};
use paird_sql::client::Params as _;
use paird_sql::queries::keyrings::{OpenKeyring, OpenKeyringParams, open_keyring};
use uuid::Uuid;
use wacore::store::traits::SignalStore;

use crate::faults::prepare;
use crate::operations::{every_operation, every_write, run};
use crate::rig::{FENCE, Rig};

/// Blocks the next insert of a record, which holds its locks meanwhile, until [`let_go`].
async fn hold_up(rig: &Rig) -> Client {
    let in_the_way = rig.pool.get().await.unwrap();
    let machinery = "SELECT pg_advisory_lock(1);
        CREATE SEQUENCE inserts;
        CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('inserts') = 1 THEN
                PERFORM pg_advisory_xact_lock_shared(1);
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER stand_still BEFORE INSERT ON credentials FOR EACH ROW EXECUTE FUNCTION stand_still()";
    in_the_way.batch_execute(machinery).await.unwrap();
    in_the_way
}

async fn let_go(in_the_way: &Client) {
    in_the_way.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
}

fn is_told_to_end(keyring: &Keyring) -> bool {
    let failed = keyring.failed().now_or_never();
    matches!(failed, Some(StoreError::Unavailable(why)) if why.contains("opened by a newer connection"))
}

#[tokio::test]
async fn an_older_opening_writes_nothing_after_a_newer_one() {
    let rig = Rig::new().await;
    let writes = every_operation().into_iter().filter(|operation| operation.writes());
    for write in every_write().into_iter().chain(writes) {
        let older = rig.durable().await;
        prepare(&*older).await;
        let newer = rig.reopened(&older).await;
        let image = rig.image().await;
        assert!(run(&*older, &write).await.is_err(), "{write:?}");
        assert_eq!(rig.image().await, image, "{write:?}");
        assert!(is_told_to_end(&older), "{write:?}");
        run(&*newer, &write).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_of_an_older_opening_fails_after_a_newer_one() {
    let rig = Rig::new().await;
    for read in every_operation().into_iter().filter(|operation| !operation.writes()) {
        let older = rig.durable().await;
        let newer = rig.reopened(&older).await;
        assert!(run(&*older, &read).await.is_err(), "{read:?}");
        assert!(is_told_to_end(&older), "{read:?}");
        run(&*newer, &read).await.unwrap();
    }
}

/// Carries out an opening that was asked for earlier: the id is a UUIDv7 and tells when.
async fn late_opening(rig: &Rig, owner: Uuid, keyring: &Keyring, opening: Uuid) -> OpenKeyring {
    let client = rig.pool.get().await.unwrap();
    let params = OpenKeyringParams {
        account_id: rig.account.0,
        owner,
        fence: FENCE.0,
        keyring_id: keyring.id().0,
        opening,
        device_kind: "device",
        device_name: "",
    };
    open_keyring().params(&client, &params).one().await.unwrap()
}

#[tokio::test]
async fn an_opening_that_lands_late_ends_no_newer_one() {
    let rig = Rig::new().await;
    let early = Uuid::now_v7();
    let live = rig.durable().await;
    let image = rig.image().await;
    let late = late_opening(&rig, rig.process, &live, early).await;
    assert_eq!((late.held, late.found, late.epoch), (true, true, None));
    assert_eq!(rig.image().await, image);
    live.put_session("a@lid", b"goes on").await.unwrap();

    // One that lands twice opens once.
    let twice = Uuid::now_v7();
    let first = late_opening(&rig, rig.process, &live, twice).await;
    let second = late_opening(&rig, rig.process, &live, twice).await;
    assert!(first.epoch.is_some() && second.epoch.is_none());

    // Openings are ordered within one process only: another host's clock may be behind.
    let heir = Uuid::new_v4();
    rig.execute("UPDATE whatsapp_accounts SET owner = $1", &[&heir]).await;
    assert!(late_opening(&rig, heir, &live, early).await.epoch.is_some());
}

#[tokio::test]
async fn gathered_writes_are_not_settled_after_a_newer_opening() {
    let rig = Rig::new().await;
    let secured = rig.secured().await;
    secured.put_identity("a@lid", [1; 32]).await.unwrap();
    let newer = rig.reopened(&secured).await;
    let image = rig.image().await;
    assert!(secured.flush_before_send().await.is_err());
    assert_eq!(rig.image().await, image);
    assert!(is_told_to_end(&secured));
    assert_eq!(newer.load_identity("a@lid").await.unwrap(), None);
}

#[tokio::test]
async fn a_write_that_waited_for_an_opening_writes_nothing() {
    let rig = Rig::new().await;
    for write in every_write() {
        let older = rig.durable().await;
        prepare(&*older).await;
        let records = rig.records().await;
        let opening = rig.pool.get().await.unwrap();
        // The UPDATE of an opening, in a transaction that is not committed yet.
        opening.batch_execute("BEGIN; UPDATE keyrings SET epoch = epoch + 1").await.unwrap();
        let writing = tokio::spawn({
            let (older, write) = (Arc::clone(&older), write.clone());
            async move { run(&*older, &write).await }
        });
        rig.are_stuck(1).await;
        opening.batch_execute("COMMIT").await.unwrap();
        assert!(writing.await.unwrap().is_err(), "{write:?}");
        assert_eq!(rig.records().await, records, "{write:?}");
        assert!(is_told_to_end(&older), "{write:?}");
    }
}

#[tokio::test]
async fn the_last_write_lands_last_however_slow_the_former() {
    let rig = Rig::new().await;
    let other = rig.durable().await;
    let keyring = rig.durable().await;
    let in_the_way = hold_up(&rig).await;
    let put = |value: &'static [u8]| {
        let writer = Arc::clone(&keyring);
        tokio::spawn(async move { writer.put_session("a@lid", value).await })
    };
    let former = put(b"former");
    rig.are_stuck(1).await;
    let last = put(b"last");
    // A write of another keyring that was asked for later is done; this one has not even begun.
    other.put_session("a@lid", b"other").await.unwrap();
    rig.are_stuck(1).await;
    let_go(&in_the_way).await;
    former.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(keyring.get_session("a@lid").await.unwrap().unwrap(), "last");
}

#[tokio::test]
async fn an_opening_waits_for_a_write_that_is_being_committed() {
    let rig = Rig::new().await;
    let older = rig.durable().await;
    let in_the_way = hold_up(&rig).await;
    let writer = Arc::clone(&older);
    let writing = tokio::spawn(async move { writer.put_session("a@lid", b"newest").await });
    rig.are_stuck(1).await;
    let (store, account, id) = (rig.store.clone(), rig.account, older.id());
    let opening = tokio::spawn(async move { store.open_keyring(account, FENCE, id).await });
    rig.are_stuck(2).await;
    let_go(&in_the_way).await;
    writing.await.unwrap().unwrap();
    let newer = opening.await.unwrap().unwrap();
    assert_eq!(newer.get_session("a@lid").await.unwrap().unwrap(), "newest");
}

/// The write checked the owner before the takeover, and is not committed yet. The takeover does not
/// wait for it, but the new owner's opening does.
#[tokio::test]
async fn an_heir_reads_the_last_write_of_the_former_owner() {
    let rig = Rig::new().await;
    let former = rig.durable().await;
    let in_the_way = hold_up(&rig).await;
    let writer = Arc::clone(&former);
    let writing = tokio::spawn(async move { writer.put_session("a@lid", b"last").await });
    rig.are_stuck(1).await;

    let (heir, fence) = (Uuid::new_v4(), Fence(FENCE.0 + 1));
    rig.execute("UPDATE whatsapp_accounts SET owner = $1, fence = $2", &[&heir, &fence.0]).await;
    let store = CredentialStore::open(rig.pool.clone(), heir, &rig.key_file).await.unwrap();
    let (account, id) = (rig.account, former.id());
    let opening = tokio::spawn(async move { store.open_keyring(account, fence, id).await });
    rig.are_stuck(2).await;
    let_go(&in_the_way).await;
    writing.await.unwrap().unwrap();
    let heirs = opening.await.unwrap().unwrap();
    assert_eq!(heirs.get_session("a@lid").await.unwrap().unwrap(), "last");

    heirs.put_session("a@lid", b"the heir's").await.unwrap();
    assert!(former.put_session("a@lid", b"too late").await.is_err());
    assert!(matches!(former.failed().await, StoreError::Fenced));
    assert_eq!(heirs.get_session("a@lid").await.unwrap().unwrap(), "the heir's");
}

#[tokio::test]
async fn only_the_owner_opens_a_keyring() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let image = rig.image().await;
    let older = rig.store.open_keyring(rig.account, Fence(FENCE.0 - 1), keyring.id()).await;
    assert!(matches!(older, Err(StoreError::Fenced)));
    let another = CredentialStore::open(rig.pool.clone(), Uuid::new_v4(), &rig.key_file).await.unwrap();
    assert!(matches!(another.open_keyring(rig.account, FENCE, keyring.id()).await, Err(StoreError::Fenced)));
    assert_eq!(rig.image().await, image);
    keyring.put_session("a@lid", b"goes on").await.unwrap();

    rig.move_fence().await;
    rig.execute("DELETE FROM keyrings", &[]).await;
    let former = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await;
    assert!(matches!(former, Err(StoreError::Fenced)), "whether or not it is there still");
}

#[tokio::test]
async fn key_ownership_is_rechecked_after_a_long_wait() {
    let rig = Rig::new().await;
    let older = rig.durable().await;
    let image = rig.image().await;
    older.check_ownership().await.unwrap();
    assert_eq!(rig.image().await, image, "it only asks");
    let newer = rig.reopened(&older).await;
    older.check_ownership().await.unwrap_err();
    assert!(is_told_to_end(&older));
    newer.check_ownership().await.unwrap();
}
