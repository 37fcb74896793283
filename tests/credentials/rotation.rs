//! Rotation of the master key while keyrings are in use.

use std::fs;
use std::num::NonZeroU32;

use paird::credentials::{MasterKeyError, Rotated, Rotation, RotationError, Unopenable};
use paird_actors::domain::StoreError;
use wacore::store::traits::{DeviceStore, SignalStore};

use crate::rig::{FENCE, Rig};

const BATCH: NonZeroU32 = NonZeroU32::new(2).unwrap();

#[tokio::test]
async fn a_rotation_reseals_every_keyring_and_touches_no_record() {
    let rig = Rig::new().await;
    let mut keyrings = Vec::new();
    for name in ["a@lid", "b@lid", "c@lid", "d@lid", "e@lid"] {
        let keyring = rig.durable().await;
        keyring.put_identity(name, [7; 32]).await.unwrap();
        keyrings.push((name, keyring));
    }
    let (records, wrapped, old) = (records(&rig).await, wrapped(&rig).await, file(&rig));

    let Rotated { key, resumed, keyrings: count } = rotate(&rig).await.unwrap();
    assert_eq!((resumed, count), (false, 5));
    assert_eq!(sealed_with(&rig).await, [(key, 5)]);
    assert_eq!(self::records(&rig).await, records);
    assert!(self::wrapped(&rig).await.iter().all(|now| !wrapped.contains(now)));
    assert_eq!(file(&rig).lines().count(), 1);
    assert_ne!(file(&rig), old);

    let restarted = rig.reopen_store().await.unwrap();
    for (name, keyring) in keyrings {
        // A keyring that was open during the rotation; then openings by a store that has read only the
        // old key, and by one that has read only the new key.
        assert_eq!(keyring.load_identity(name).await.unwrap(), Some([7; 32]));
        for store in [&rig.store, &restarted] {
            let opened = store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
            assert_eq!(opened.load_identity(name).await.unwrap(), Some([7; 32]));
        }
    }
    fs::write(&rig.key_file, old).unwrap();
    assert!(
        matches!(rig.reopen_store().await, Err(MasterKeyError::Wrong { keyrings: 5, .. })),
        "the old key opens nothing"
    );
}

#[tokio::test]
async fn an_interrupted_rotation_resumes_and_all_stays_readable() {
    let rig = Rig::new().await;
    let keyrings = [rig.durable().await, rig.durable().await, rig.durable().await];
    let first = prepare(&rig).await.unwrap();
    assert_eq!(file(&rig).lines().count(), 2);
    let newer = rig.fresh();
    newer.create().await.unwrap();
    newer.secure(rig.admission()).await.unwrap();
    assert_eq!(sealed_with(&rig).await.len(), 2, "what is sealed meanwhile is sealed with the new key");
    for store in [&rig.store, &rig.reopen_store().await.unwrap()] {
        for keyring in keyrings.iter().chain([&newer]) {
            store.open_keyring(rig.account, FENCE, keyring.id()).await.unwrap();
        }
    }
    let again = prepare(&rig).await.unwrap();
    assert_eq!((again.key.as_str(), again.resumed), (first.key.as_str(), true), "no third key");

    let done = rotate(&rig).await.unwrap();
    assert_eq!(done, Rotated { key: first.key.clone(), resumed: true, keyrings: 3 });
    assert_eq!(sealed_with(&rig).await, [(first.key, 4)]);
    assert_eq!(file(&rig).lines().count(), 1);
}

#[tokio::test]
async fn a_keyring_staged_before_a_rotation_gets_the_new_key() {
    let rig = Rig::new().await;
    rig.durable().await;
    let staged = rig.fresh();
    staged.create().await.unwrap();
    let Rotated { key, .. } = rotate(&rig).await.unwrap();
    staged.secure(rig.admission()).await.unwrap();
    assert_eq!(sealed_with(&rig).await, [(key, 2)]);
    rig.reopen_store().await.unwrap().open_keyring(rig.account, FENCE, staged.id()).await.unwrap();
}

#[tokio::test]
async fn a_stalled_rotation_blocks_others_only_briefly() {
    let rig = Rig::new().await;
    let staged = rig.fresh();
    staged.create().await.unwrap();
    // The lock of a rotation that was stopped in its last step.
    let stopped = fs::File::open(rig.key_file.parent().unwrap()).unwrap();
    stopped.lock().unwrap();
    tokio::time::pause();
    let refused = staged.secure(rig.admission()).await;
    tokio::time::resume();
    let Err(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("locked by a rotation") && why.contains("paird keys rotate"), "{why}");
    assert_eq!(rig.image().await, "");
    drop(stopped);
    staged.secure(rig.admission()).await.unwrap();
}

#[tokio::test]
async fn an_unreadable_keyring_keeps_the_old_key_in_the_file() {
    let rig = Rig::new().await;
    let bad = rig.durable().await;
    let good = rig.durable().await;
    let spoil =
        "UPDATE keyrings SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1) WHERE id = $1";
    rig.execute(spoil, &[&bad.id().0]).await;
    let refused = rotate(&rig).await;
    let Err(RotationError::Unopenable(unopenable)) = &refused else { panic!("{refused:?}") };
    let of_it = Unopenable { keyring: bad.id().0, account: rig.account.0, label: "test".to_owned() };
    assert_eq!(*unopenable, [of_it]);
    assert!(refused.unwrap_err().to_string().starts_with("the keys of \"test\" do not open"));
    assert_eq!(file(&rig).lines().count(), 2);
    let restarted = rig.reopen_store().await.unwrap();
    restarted.open_keyring(rig.account, FENCE, good.id()).await.unwrap();
    // Once the keyring is repaired, the rotation can end.
    rig.execute(spoil, &[&bad.id().0]).await;
    assert_eq!(rotate(&rig).await.unwrap().keyrings, 1);
    assert_eq!(file(&rig).lines().count(), 1);
}

#[tokio::test]
async fn a_rotation_needs_every_key_in_use_to_be_in_the_file() {
    let rig = Rig::new().await;
    rig.durable().await;
    rig.execute("UPDATE keyrings SET master_key = 'another'", &[]).await;
    let (image, before) = (rig.image().await, file(&rig));
    let refused = rotate(&rig).await;
    assert!(matches!(refused, Err(RotationError::Foreign { keyrings: 1, .. })), "{refused:?}");
    assert_eq!((rig.image().await, file(&rig)), (image, before));
    fs::remove_file(&rig.key_file).unwrap();
    assert!(matches!(rotate(&rig).await, Err(RotationError::NoFile(_))));
    assert!(!rig.key_file.exists());
}

#[tokio::test]
async fn a_second_concurrent_rotation_is_rejected() {
    let rig = Rig::new().await;
    let held = rig.pool.get().await.unwrap();
    let lock = "SELECT pg_try_advisory_lock(hashtextextended('paird.keys.rotate', 0))";
    assert!(held.query_one(lock, &[]).await.unwrap().get::<_, bool>(0));
    assert!(matches!(rotate(&rig).await, Err(RotationError::Busy)));
    assert_eq!(file(&rig).lines().count(), 1);
}

async fn rotate(rig: &Rig) -> Result<Rotated, RotationError> {
    // A connection of its own, outside the pool: the rotation's lock ends with it.
    let client = deadpool_postgres::Object::take(rig.pool.get().await.unwrap());
    Rotation::new(&client, &rig.key_file, BATCH).run(|_| {}).await
}

async fn prepare(rig: &Rig) -> Result<Rotated, RotationError> {
    let client = deadpool_postgres::Object::take(rig.pool.get().await.unwrap());
    Rotation::new(&client, &rig.key_file, BATCH).prepare().await
}

fn file(rig: &Rig) -> String {
    fs::read_to_string(&rig.key_file).unwrap()
}

async fn sealed_with(rig: &Rig) -> Vec<(String, i64)> {
    let query = "SELECT master_key, count(*) FROM keyrings GROUP BY master_key ORDER BY count(*)";
    let rows = rig.pool.get().await.unwrap().query(query, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn records(rig: &Rig) -> String {
    let query = "SELECT string_agg(c::text, ',' ORDER BY c::text) FROM credentials c";
    rig.pool.get().await.unwrap().query_one(query, &[]).await.unwrap().get(0)
}

async fn wrapped(rig: &Rig) -> Vec<Vec<u8>> {
    let rows = rig.pool.get().await.unwrap().query("SELECT wrapped_key FROM keyrings", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
