//! The minute after a link was made: writes are gathered, and nothing is sent upon one
//! that a crash would forget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deadpool_postgres::Client;
use futures_util::FutureExt as _;
use paird::credentials::Keyring;
use paird_actors::domain::StoreError;
use tokio::task::JoinHandle;
use wacore::store::traits::{DeviceStore, SignalStore};

use crate::operations::{Operation as Op, run};
use crate::rig::{Rig, until};

/// Fails every write of credentials, as the server's own answer.
const REFUSE: &str = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR DELETE ON credentials EXECUTE FUNCTION refuse()";
const ALLOW: &str = "DROP TRIGGER refuse ON credentials";

/// A flush before a send that waits for a lock, which a transaction on the other connection holds.
async fn stuck(rig: &Rig, keyring: &Arc<Keyring>, in_the_way: &Client) -> JoinHandle<Result<(), StoreError>> {
    in_the_way.batch_execute("BEGIN; SELECT FROM keyrings FOR UPDATE").await.unwrap();
    let sender = Arc::clone(keyring);
    let sending = tokio::spawn(async move { sender.flush_before_send().await });
    rig.are_stuck(1).await;
    sending
}

#[tokio::test]
async fn nothing_is_sent_before_all_earlier_writes_are_durable() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    let image = rig.image().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    keyring.store_prekey(1, b"first", false).await.unwrap();
    keyring.store_prekey(2, b"used at once", false).await.unwrap();
    keyring.remove_prekey(2).await.unwrap();
    keyring.put_session("a@lid", b"one").await.unwrap();
    assert_eq!(rig.image().await, image, "gathered");
    keyring.flush_before_send().await.unwrap();
    let opened = rig.reopened(&keyring).await;
    assert_eq!(opened.load_identity("a@lid").await.unwrap(), Some([1; 32]));
    assert_eq!(opened.load_prekey(1).await.unwrap().unwrap(), "first");
    assert_eq!(opened.load_prekey(2).await.unwrap(), None);
    assert_eq!(opened.get_session("a@lid").await.unwrap().unwrap(), "one");

    // The first keyring writes no more, since it was opened again. The same with deletions:
    let keyring = rig.secured().await;
    keyring.store_prekey(1, b"first", false).await.unwrap();
    keyring.put_session("a@lid", b"one").await.unwrap();
    keyring.flush_before_send().await.unwrap();
    keyring.remove_prekey(1).await.unwrap();
    keyring.delete_session("a@lid").await.unwrap();
    keyring.flush_before_send().await.unwrap();
    let opened = rig.reopened(&keyring).await;
    assert_eq!((opened.load_prekey(1).await.unwrap(), opened.get_session("a@lid").await.unwrap()), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_without_end_holds_no_frame_up() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    keyring.put_session("a@lid", b"one").await.unwrap();
    let (writer, written) = (Arc::clone(&keyring), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        loop {
            let nth = count.fetch_add(1, Ordering::Relaxed);
            writer.put_session(&format!("{nth}@lid"), b"more").await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    until("it is being written", async || written.load(Ordering::Relaxed) > 100).await;
    let flushed = tokio::time::timeout(Duration::from_secs(9), keyring.flush_before_send()).await;
    writing.abort();
    flushed.expect("a frame waits for what has nothing to do with it").unwrap();
    assert_eq!(rig.reopened(&keyring).await.get_session("a@lid").await.unwrap().unwrap(), "one");
}

#[tokio::test]
async fn device_keys_and_watermarks_are_durable_before_any_send() {
    let rig = Rig::new().await;
    for nth in 1..4 {
        let keyring = rig.secured().await;
        let mut device = keyring.load().await.unwrap().unwrap();
        match nth {
            1 => device.next_pre_key_id = 31,
            2 => device.first_unupload_pre_key_id = 31,
            _ => device.signed_pre_key_id += 1,
        }
        keyring.save(&device).await.unwrap();
        keyring.flush_before_send().await.unwrap();
        let durable = rig.reopened(&keyring).await.load().await.unwrap().unwrap();
        let marks = |device: &wacore::store::Device| {
            (device.next_pre_key_id, device.first_unupload_pre_key_id, device.signed_pre_key_id)
        };
        assert_eq!(marks(&durable), marks(&device), "{nth}");
    }
}

#[tokio::test]
async fn repeatable_records_delay_no_frame_and_are_settled_later() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    let image = rig.image().await;
    let mut device = keyring.load().await.unwrap().unwrap();
    device.login_counter += 1;
    keyring.save(&device).await.unwrap();
    for told in [Op::SetVersion(1, 1), Op::UpdateDeviceList(1, 1)] {
        run(&*keyring, &told).await.unwrap();
    }
    keyring.flush_before_send().await.unwrap();
    assert_eq!(rig.image().await, image, "nothing waits for these");
    keyring.until_pending().await;
    keyring.flush().await.unwrap();
    assert!(keyring.until_pending().now_or_never().is_none(), "settled");
    let opened = rig.reopened(&keyring).await;
    assert_eq!(opened.load().await.unwrap().unwrap().login_counter, device.login_counter);
    for read in [Op::GetVersion(1), Op::GetDevices(1)] {
        assert_eq!(run(&*opened, &read).await.unwrap(), run(&*keyring, &read).await.unwrap());
    }
}

#[tokio::test]
async fn unchanged_records_are_not_written_again() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    let device = keyring.load().await.unwrap().unwrap();
    keyring.save(&device).await.unwrap();
    keyring.delete_session("nobody@lid").await.unwrap();
    assert!(keyring.until_pending().now_or_never().is_none());
}

#[tokio::test]
async fn a_refused_flush_is_retried_with_newer_changes() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    rig.pool.get().await.unwrap().batch_execute(REFUSE).await.unwrap();
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    keyring.put_identity("b@lid", [1; 32]).await.unwrap();
    assert!(matches!(keyring.flush().await, Err(StoreError::Unavailable(_))));
    keyring.put_identity("b@lid", [2; 32]).await.unwrap();
    let sender = keyring.clone();
    let sending = tokio::spawn(async move { sender.flush_before_send().await });
    assert_eq!(keyring.load_identity("b@lid").await.unwrap(), Some([2; 32]), "as it is now");
    rig.pool.get().await.unwrap().batch_execute(ALLOW).await.unwrap();
    sending.await.unwrap().unwrap();
    let opened = rig.reopened(&keyring).await;
    assert_eq!(opened.load_identity("a@lid").await.unwrap(), Some([1; 32]));
    assert_eq!(opened.load_identity("b@lid").await.unwrap(), Some([2; 32]));
}

#[tokio::test]
async fn a_timed_out_flush_may_land_later_so_the_keyring_fails() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    let in_the_way = rig.pool.get().await.unwrap();
    let sending = stuck(&rig, &keyring, &in_the_way).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    in_the_way.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(keyring.failed().await, StoreError::Unavailable(_)));
    assert!(keyring.put_identity("a@lid", [2; 32]).await.is_err());
    assert!(keyring.flush_before_send().await.is_err());
    // Asked in SQL: opening the keyring again would reject the write that is still under way.
    let landed = async || rig.execute("SELECT FROM credentials WHERE kind = 'identity'", &[]).await == 1;
    until("it landed", landed).await;
    assert_eq!(rig.reopened(&keyring).await.load_identity("a@lid").await.unwrap(), Some([1; 32]));
}

#[tokio::test]
async fn a_flush_is_retried_after_its_connection_is_terminated() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    let in_the_way = rig.pool.get().await.unwrap();
    let sending = stuck(&rig, &keyring, &in_the_way).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    assert_eq!(rig.execute(cut, &[]).await, 1);
    // The server reports the termination, so the client knows that nothing was written.
    in_the_way.batch_execute("COMMIT").await.unwrap();
    sending.await.unwrap().unwrap();
    assert_eq!(rig.reopened(&keyring).await.load_identity("a@lid").await.unwrap(), Some([1; 32]));
}

#[tokio::test]
async fn after_the_fence_moved_nothing_is_sent() {
    let rig = Rig::new().await;
    let keyring = rig.secured().await;
    let image = rig.image().await;
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    rig.move_fence().await;
    assert!(matches!(keyring.flush_before_send().await, Err(StoreError::Fenced)));
    assert!(matches!(keyring.failed().await, StoreError::Fenced));
    assert!(keyring.load_identity("a@lid").await.is_err());
    assert_eq!(rig.image().await, image);
}
