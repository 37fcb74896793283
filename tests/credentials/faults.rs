//! A moved fence, a lost database and modified rows are errors, and never "no such record".

use futures_util::FutureExt as _;
use paird_actors::domain::StoreError;
use wacore::store::InMemoryBackend;
use wacore::store::traits::{Backend, DeviceStore, SignalStore};

use crate::operations::{Outcome, every_operation, run};
use crate::rig::{FENCE, Rig};

#[tokio::test]
async fn after_the_fence_moved_no_write_lands_ever_again() {
    let rig = Rig::new().await;
    for write in every_operation().into_iter().filter(|operation| operation.writes()) {
        let keyring = rig.durable().await;
        prepare(&*keyring).await;
        let image = rig.image().await;
        rig.move_fence().await;
        assert!(run(&*keyring, &write).await.is_err(), "{write:?}");
        assert_eq!(rig.image().await, image, "{write:?}");
        assert!(matches!(keyring.failed().now_or_never(), Some(StoreError::Fenced)), "{write:?}");
        // Even if the daemon gets the account back: another owner may have written newer keys.
        let restore = "UPDATE whatsapp_accounts SET fence = $1, owner = $2";
        rig.execute(restore, &[&FENCE.0, &rig.process]).await;
        assert!(keyring.load_identity("nobody@lid").await.is_err(), "{write:?}");
        assert_eq!(rig.image().await, image, "{write:?}");
    }
}

#[tokio::test]
async fn after_the_fence_moved_a_staged_keyring_is_not_secured() {
    let rig = Rig::new().await;
    let keyring = rig.fresh();
    keyring.create().await.unwrap();
    rig.move_fence().await;
    assert!(matches!(keyring.secure(rig.admission()).await, Err(StoreError::Fenced)));
    assert!(!keyring.is_durable());
    assert_eq!(rig.image().await, "");
    let linking = "SELECT FROM whatsapp_accounts WHERE linking_keyring_id IS NOT NULL";
    assert!(rig.pool.get().await.unwrap().query_opt(linking, &[]).await.unwrap().is_none());
}

#[tokio::test]
async fn every_method_on_a_lost_database_is_an_error() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    prepare(&*keyring).await;
    // With nothing in memory yet.
    let keyring = rig.reopened(&keyring).await;
    rig.pool.close();
    for operation in every_operation() {
        let outcome = run(&*keyring, &operation).await;
        assert!(outcome.is_err(), "{operation:?} answered {outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_read_is_an_error_and_overwrites_nothing() {
    let rig = Rig::new().await;
    for operation in every_operation() {
        let keyring = rig.durable().await;
        prepare(&*keyring).await;
        let keyring = rig.reopened(&keyring).await;
        let client = rig.pool.get().await.unwrap();
        // STABLE: it is evaluated once for each statement, even if the table has no matching row.
        let refuse = "CREATE FUNCTION refuse() RETURNS boolean STABLE LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'injected'; END $$;
            ALTER TABLE credentials RENAME TO kept;
            CREATE VIEW credentials AS SELECT * FROM kept WHERE refuse()";
        client.batch_execute(refuse).await.unwrap();
        let image = "SELECT coalesce(string_agg(k::text, ',' ORDER BY k::text), '') FROM kept k";
        let before: String = client.query_one(image, &[]).await.unwrap().get(0);
        let outcome = run(&*keyring, &operation).await;
        let after: String = client.query_one(image, &[]).await.unwrap().get(0);
        if operation.writes() {
            assert!(outcome.is_ok() || before == after, "{operation:?} answered {outcome:?} and wrote");
        } else {
            assert!(outcome.is_err(), "{operation:?} answered {outcome:?}");
        }
        assert!(keyring.exists().await.is_err(), "an error, not a no");
        assert!(keyring.load().await.is_err());
        let refused = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "to be tried again");

        let undo = "DROP VIEW credentials; DROP FUNCTION refuse; ALTER TABLE kept RENAME TO credentials";
        client.batch_execute(undo).await.unwrap();
        rig.store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
    }
}

#[tokio::test]
async fn every_method_on_an_erased_keyring_is_an_error() {
    let rig = Rig::new().await;
    for operation in every_operation() {
        let keyring = rig.durable().await;
        rig.execute("DELETE FROM keyrings WHERE id = $1", &[&keyring.id().0]).await;
        let outcome = run(&*keyring, &operation).await;
        assert!(outcome.is_err(), "{operation:?} answered {outcome:?}");
    }
}

#[tokio::test]
async fn records_that_changed_places_do_not_open() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    keyring.put_identity("b@lid", [2; 32]).await.unwrap();
    let swap = "UPDATE credentials c SET sealed = o.sealed FROM credentials o
        WHERE c.kind = 'identity' AND o.kind = 'identity' AND c.name <> o.name";
    assert_eq!(rig.execute(swap, &[]).await, 2);
    assert!(keyring.load_identity("a@lid").await.is_err());
    assert!(keyring.load_identity("b@lid").await.is_err());
}

#[tokio::test]
async fn another_accounts_rows_do_not_open() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    let other = rig.add_account().await;
    let others = rig.store.fresh(other, FENCE, paird_actors::domain::KeyringId(uuid::Uuid::new_v4()));
    others.create().await.unwrap();
    others.put_identity("a@lid", [9; 32]).await.unwrap();
    others.secure(rig.admission_of(other, None)).await.unwrap();
    let copy = "UPDATE credentials c SET sealed = o.sealed FROM credentials o
        WHERE c.keyring_id = $1 AND o.keyring_id = $2 AND c.kind = o.kind AND c.name = o.name";
    assert_eq!(rig.execute(copy, &[&keyring.id().0, &others.id().0]).await, 2);
    assert!(keyring.load_identity("a@lid").await.is_err());
    // Nor does it open with the other keyring's data key, which is bound to its own row.
    let copy = "UPDATE keyrings k SET wrapped_key = o.wrapped_key FROM keyrings o WHERE k.id = $1 AND o.id = $2";
    rig.execute(copy, &[&keyring.id().0, &others.id().0]).await;
    let refused = rig.store.open_keyring(rig.account, FENCE, keyring.id()).await;
    assert!(matches!(refused, Err(StoreError::Poisoned(_))));
}

#[tokio::test]
async fn a_linked_keyring_whose_device_vanished_gets_no_new_one() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    rig.execute("DELETE FROM credentials", &[]).await;
    assert!(keyring.exists().await.is_err());
    assert!(keyring.load().await.is_err());
    assert!(keyring.create().await.is_err());
    assert_eq!(rig.count("credentials").await, 0);
}

#[tokio::test]
async fn no_value_is_readable_on_its_row() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_session("a@lid", b"a session in the clear").await.unwrap();
    let device = keyring.load().await.unwrap().unwrap();
    let client = rig.pool.get().await.unwrap();
    for row in client.query("SELECT sealed FROM credentials", &[]).await.unwrap() {
        let sealed: &[u8] = row.get(0);
        assert!(!contains(sealed, b"a session in the clear"));
        assert!(!contains(sealed, b"noise_key"));
        assert!(!contains(sealed, device.noise_key.public_key.public_key_bytes()));
    }
}

/// These tests go through all operations, so no method of the storage may be missing there.
#[test]
fn every_method_of_the_storage_is_among_the_operations() {
    // Methods that neither read nor write a record.
    const NO_RECORDS: [&str; 3] = ["mark_prekeys_uploaded", "snapshot_db", "resource_report"];
    let source = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let operations = source("tests/credentials/operations.rs");
    let mut methods = 0;
    for file in ["app_sync", "device", "msg_secrets", "protocol", "signal"] {
        let text = source(&format!("src/whatsapp/library_store/{file}.rs"));
        let storage = text.split("#[async_trait]").nth(1).unwrap().split("\n}\n").next().unwrap().to_owned();
        for method in storage.split("async fn ").skip(1).map(|rest| rest.split('(').next().unwrap()) {
            methods += 1;
            let is_there = operations.contains(&format!("b.{method}("));
            assert!(is_there || NO_RECORDS.contains(&method), "{method} of {file}.rs is no operation");
        }
    }
    assert!(methods > 70, "only {methods} methods were found");
}

/// Writes a record for each operation to find.
pub async fn prepare(backend: &dyn Backend) {
    let judge = InMemoryBackend::new();
    for operation in every_operation().into_iter().filter(|operation| operation.writes() && !operation.only_deletes()) {
        let outcome: Outcome = run(&judge, &operation).await.unwrap();
        assert_eq!(run(backend, &operation).await.unwrap(), outcome, "{operation:?}");
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
