//! Which LID has which number, for accounts that know thousands of people: through the library's own
//! map, which the keyring stands behind.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use paird::credentials::Keyring;
use wacore::store::CacheStore;
use wacore::store::traits::{LidPnMappingEntry, ProtocolStore};
use wacore::types::{LearningSource, LidPnEntry};
use whatsapp_rust::CacheEntryConfig;
use whatsapp_rust::lid_pn_cache::LidPnCache;

use crate::rig::Rig;

const MANY: u64 = 5_000;
/// The most that are kept in memory of each side.
const KEPT: u64 = 2_048;
/// Those that are given to the library at a start.
const AT_START: usize = 512;
const A_DAY: i64 = 24 * 3600;

#[tokio::test]
async fn thousands_of_lids_are_found_in_bounded_memory() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let map = map_over(&keyring);
    for nth in 0..MANY {
        // Of a backlog, which the library learns from without storing anything.
        map.add(&entry(nth)).await;
        assert!(kept(&keyring).await.into_iter().all(|kept| kept <= KEPT));
    }
    all_are_found(&map).await;
    assert!(kept(&keyring).await.into_iter().all(|kept| kept <= KEPT));
}

#[tokio::test]
async fn any_of_thousands_of_lids_is_found_after_a_restart() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let all: Vec<_> = (0..MANY).map(stored).collect();
    for some in all.chunks(1_000) {
        keyring.put_lid_mappings(some).await.unwrap();
    }
    let again = rig.reopened(&keyring).await;
    let map = map_over(&again);
    let at_start = again.get_all_lid_mappings().await.unwrap();
    assert_eq!(at_start.len(), AT_START);
    map.warm_up(at_start.into_iter().map(learned)).await;
    all_are_found(&map).await;
    assert!(kept(&again).await.into_iter().all(|kept| kept <= KEPT));
    assert_eq!(map.get_current_lid("43699999999").await, None);
}

#[tokio::test]
async fn a_start_is_given_the_lids_that_were_written_last() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let all: Vec<_> = (0..2 * AT_START as u64).map(stored).collect();
    keyring.put_lid_mappings(&all).await.unwrap();
    let newest: HashSet<String> = all.iter().step_by(2).map(|entry| entry.lid.clone()).collect();
    let others: Vec<_> = all.iter().skip(1).step_by(2).map(|entry| entry.lid.clone()).collect();
    rig.execute("UPDATE credentials SET stamp = stamp - 10 WHERE name = ANY ($1)", &[&others]).await;
    let again = rig.reopened(&keyring).await;
    let given = again.get_all_lid_mappings().await.unwrap();
    assert_eq!(given.into_iter().map(|entry| entry.lid).collect::<HashSet<_>>(), newest);
}

#[tokio::test]
async fn a_start_asks_for_no_lid_again() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let all: Vec<_> = (0..100).map(stored).collect();
    keyring.put_lid_mappings(&all).await.unwrap();
    let again = rig.reopened(&keyring).await;
    let given = again.get_all_lid_mappings().await.unwrap();
    // What is read now would not be there.
    rig.execute("DELETE FROM credentials WHERE kind IN ('lid_mapping', 'lid_of_phone')", &[]).await;
    let map = map_over(&again);
    map.warm_up(given.into_iter().map(learned)).await;
    for nth in 0..100 {
        is_found(&map, nth).await;
    }
    again.put_lid_mappings(&all).await.unwrap();
    assert_eq!(rig.count("credentials").await, 1, "the device alone: they were written today");
}

#[tokio::test]
async fn with_few_people_nothing_is_read_to_know_a_stranger() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let all: Vec<_> = (0..AT_START as u64).map(stored).collect();
    keyring.put_lid_mappings(&all[1..]).await.unwrap();
    let again = rig.reopened(&keyring).await;
    again.get_all_lid_mappings().await.unwrap();
    // Any statement from here on would fail.
    rig.execute("UPDATE keyrings SET epoch = epoch + 1", &[]).await;
    assert!(again.get_pn_mapping(&phone(0)).await.unwrap().is_none());
    assert!(again.get_lid_mapping(&lid(0)).await.unwrap().is_none());
    assert!(again.get_pn_mapping(&phone(1)).await.unwrap().is_some());
    drop(again);

    let keyring = rig.durable().await;
    keyring.put_lid_mappings(&all).await.unwrap();
    let again = rig.reopened(&keyring).await;
    again.get_all_lid_mappings().await.unwrap();
    rig.execute("UPDATE keyrings SET epoch = epoch + 1", &[]).await;
    assert!(again.get_pn_mapping("43699999999").await.is_err(), "there may be others than it was given");
}

/// The library cannot be told, and would go on as if nobody had the number.
#[tokio::test]
async fn a_lid_that_cannot_be_read_ends_the_use_of_the_keys() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_lid_mapping(&stored(1)).await.unwrap();
    rig.execute("ALTER TABLE credentials RENAME TO hidden", &[]).await;
    let soon = async {
        for nth in 2..5 {
            assert!(keyring.get_lid_mapping(&lid(nth)).await.is_err());
        }
        rig.execute("ALTER TABLE hidden RENAME TO credentials", &[]).await;
    };
    let map = map_over(&keyring);
    tokio::join!(is_found(&map, 1), soon);
    assert!(keyring.failed().now_or_never().is_none());

    rig.execute("ALTER TABLE credentials RENAME TO hidden", &[]).await;
    assert_eq!(map.get_current_lid(&phone(2)).await, None);
    assert!(keyring.failed().now_or_never().is_some());
}

#[tokio::test]
async fn an_unchanged_lid_is_written_once_a_day() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_lid_mapping(&stored(1)).await.unwrap();
    let before = rig.records().await;
    is_found(&map_over(&keyring), 1).await;
    keyring.put_lid_mapping(&stored(1)).await.unwrap();
    assert_eq!(rig.records().await, before);
    rig.execute("UPDATE credentials SET stamp = stamp - $1 WHERE kind = 'lid_mapping'", &[&A_DAY]).await;
    let again = rig.reopened(&keyring).await;
    is_found(&map_over(&again), 1).await;
    again.put_lid_mapping(&stored(1)).await.unwrap();
    let fresh = "credentials WHERE kind = 'lid_mapping' AND stamp > extract(epoch FROM now()) - 3600";
    assert_eq!(rig.count(fresh).await, 1);
}

#[tokio::test]
async fn a_number_keeps_its_lid_when_an_older_one_is_learned() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_lid_mapping(&stored(1)).await.unwrap();
    // As the library dates what WhatsApp says that it was once.
    let former = LidPnMappingEntry { lid: lid(7), created_at: 0, updated_at: 0, ..stored(1) };
    keyring.put_lid_mapping(&former).await.unwrap();
    let again = rig.reopened(&keyring).await;
    let map = map_over(&again);
    map.warm_up(again.get_all_lid_mappings().await.unwrap().into_iter().map(learned)).await;
    is_found(&map, 1).await;
    assert_eq!(map.get_phone_number(&lid(7)).await, Some(phone(1)));
    // Without what a start is given.
    is_found(&map_over(&rig.reopened(&keyring).await), 1).await;
}

#[tokio::test]
async fn a_moved_lid_is_found_by_its_new_number_alone() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.put_lid_mapping(&stored(1)).await.unwrap();
    let map = map_over(&keyring);
    is_found(&map, 1).await;
    let moved = LidPnMappingEntry { phone_number: phone(2), ..stored(1) };
    map.add(&learned(moved.clone())).await;
    // Before it is written, too.
    assert_eq!(map.get_current_lid(&phone(1)).await, None);
    assert_eq!(map.get_phone_number(&lid(1)).await, Some(phone(2)));
    keyring.put_lid_mapping(&moved).await.unwrap();
    for is_reopened in [false, true] {
        let keyring = if is_reopened { rig.reopened(&keyring).await } else { Arc::clone(&keyring) };
        let map = map_over(&keyring);
        assert_eq!(map.get_current_lid(&phone(2)).await.as_deref(), Some(lid(1).as_str()));
        assert_eq!(map.get_current_lid(&phone(1)).await, None);
        assert_eq!(map.get_phone_number(&lid(1)).await, Some(phone(2)));
    }
}

async fn all_are_found(map: &LidPnCache) {
    // In an order that has little to do with that of writing.
    for nth in (0..MANY).map(|nth| nth * 7 % MANY).step_by(19) {
        is_found(map, nth).await;
    }
}

async fn is_found(map: &LidPnCache, nth: u64) {
    assert_eq!(map.get_current_lid(&phone(nth)).await.as_deref(), Some(lid(nth).as_str()), "{nth}");
    assert_eq!(map.get_phone_number(&lid(nth)).await, Some(phone(nth)), "{nth}");
}

fn map_over(keyring: &Arc<Keyring>) -> LidPnCache {
    LidPnCache::with_config(&CacheEntryConfig::new(None, KEPT), Some(Arc::clone(keyring) as Arc<dyn CacheStore>))
}

async fn kept(keyring: &Keyring) -> [u64; 2] {
    let count = async |map| keyring.entry_count(map).await.unwrap();
    [count("lid_pn_by_lid").await, count("lid_pn_by_pn").await]
}

fn lid(nth: u64) -> String {
    format!("{}", 100_000_000_000_000 + nth)
}

fn phone(nth: u64) -> String {
    format!("{}", 436_600_000_000 + nth)
}

fn entry(nth: u64) -> LidPnEntry {
    LidPnEntry::with_timestamp(lid(nth), phone(nth), 1_700_000_000, LearningSource::PeerLidMessage)
}

fn stored(nth: u64) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: lid(nth),
        phone_number: phone(nth),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        learning_source: "peer_lid_message".to_owned(),
    }
}

fn learned(entry: LidPnMappingEntry) -> LidPnEntry {
    let source = LearningSource::parse(&entry.learning_source);
    LidPnEntry::with_timestamp(entry.lid, entry.phone_number, entry.created_at, source)
}
