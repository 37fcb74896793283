//! Statements without an answer. A write may still be carried out, so its keyring must be opened
//! again; a read can be repeated.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use deadpool_postgres::Client;
use futures_util::FutureExt as _;
use paird::credentials::{CredentialStore, Keyring};
use paird::postgres::pool::Dsn;
use paird_actors::domain::StoreError;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinHandle};
use wacore::store::error::StoreError as LibraryError;
use wacore::store::traits::{ProtocolStore, SignalStore};

use crate::faults::prepare;
use crate::operations::{Operation, Outcome, every_write, run};
use crate::rig::{FENCE, Rig};

const SOCKET: &str = ".s.PGSQL.5432";

/// A proxy in front of the rig's Postgres, whose connections can be cut.
struct Relay {
    dir: PathBuf,
    links: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Relay {
    fn to(rig: &Rig) -> Self {
        let dir = rig.key_file.with_file_name("relay");
        std::fs::create_dir(&dir).unwrap();
        let listener = UnixListener::bind(dir.join(SOCKET)).unwrap();
        let (real, links) = (rig.socket_dir().join(SOCKET), Arc::<Mutex<Vec<AbortHandle>>>::default());
        let carried = Arc::clone(&links);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = UnixStream::connect(&real).await.unwrap();
                let link = tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
                carried.lock().unwrap().push(link.abort_handle());
            }
        });
        Self { dir, links }
    }

    async fn store(&self, rig: &Rig) -> CredentialStore {
        let dsn = format!("host='{}' user=paird dbname=paird sslmode=disable", self.dir.display());
        CredentialStore::open(Dsn::parse(&dsn).unwrap().pool().unwrap(), rig.process, &rig.key_file).await.unwrap()
    }

    fn cut(&self) {
        self.links.lock().unwrap().drain(..).for_each(|link| link.abort());
    }
}

/// A write that waits for a lock, and the connection whose transaction holds it.
async fn stuck(
    rig: &Rig,
    keyring: &Arc<Keyring>,
    write: &Operation,
) -> (JoinHandle<Result<Outcome, LibraryError>>, Client) {
    let in_the_way = rig.pool.get().await.unwrap();
    in_the_way.batch_execute("BEGIN; SELECT FROM keyrings FOR UPDATE").await.unwrap();
    let (writer, write) = (Arc::clone(keyring), write.clone());
    let writing = tokio::spawn(async move { run(&*writer, &write).await });
    rig.are_stuck(1).await;
    (writing, in_the_way)
}

async fn failed_for_good(keyring: &Keyring, write: &Operation) {
    let failed = keyring.failed().now_or_never();
    let Some(StoreError::Unavailable(why)) = failed else { panic!("{write:?}: {failed:?}") };
    assert!(why.contains("must be opened again"), "{why}");
    assert!(keyring.load_identity("nobody@lid").await.is_err(), "{write:?}");
}

#[tokio::test]
async fn a_write_that_was_given_up_fails_its_keyring_for_good() {
    let rig = Rig::new().await;
    for write in every_write() {
        let keyring = rig.durable().await;
        prepare(&*keyring).await;
        let (writing, in_the_way) = stuck(&rig, &keyring, &write).await;
        writing.abort();
        assert!(writing.await.unwrap_err().is_cancelled());
        in_the_way.batch_execute("ROLLBACK").await.unwrap();
        failed_for_good(&keyring, &write).await;
        rig.are_stuck(0).await;
    }
}

#[tokio::test]
async fn a_write_whose_connection_broke_fails_its_keyring() {
    let rig = Rig::new().await;
    let relay = Relay::to(&rig);
    let store = relay.store(&rig).await;
    for write in every_write() {
        let keyring = store.open_keyring(rig.account, FENCE, rig.secured().await.id()).await.unwrap();
        prepare(&*keyring).await;
        let (writing, in_the_way) = stuck(&rig, &keyring, &write).await;
        relay.cut();
        assert!(writing.await.unwrap().is_err(), "{write:?}");
        in_the_way.batch_execute("ROLLBACK").await.unwrap();
        failed_for_good(&keyring, &write).await;
        rig.are_stuck(0).await;
    }
}

#[tokio::test]
async fn a_write_that_is_never_answered_fails_its_keyring() {
    let rig = Rig::new().await;
    for write in every_write() {
        let keyring = rig.durable().await;
        prepare(&*keyring).await;
        let (writing, in_the_way) = stuck(&rig, &keyring, &write).await;
        // Nothing else is under way, so the paused clock jumps to the write's timeout.
        tokio::time::pause();
        assert!(writing.await.unwrap().is_err(), "{write:?}");
        tokio::time::resume();
        in_the_way.batch_execute("ROLLBACK").await.unwrap();
        failed_for_good(&keyring, &write).await;
        rig.are_stuck(0).await;
    }
}

#[tokio::test]
async fn a_write_that_the_server_refuses_fails_nothing_else() {
    let rig = Rig::new().await;
    for write in every_write() {
        let keyring = rig.durable().await;
        prepare(&*keyring).await;
        let (writing, in_the_way) = stuck(&rig, &keyring, &write).await;
        let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        assert_eq!(rig.execute(cancel, &[]).await, 1);
        assert!(writing.await.unwrap().is_err(), "{write:?}");
        in_the_way.batch_execute("ROLLBACK").await.unwrap();
        run(&*keyring, &write).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_that_is_never_answered_fails_nothing_else() {
    let rig = Rig::new().await;
    let relay = Relay::to(&rig);
    let store = relay.store(&rig).await;
    let keyring = store.open_keyring(rig.account, FENCE, rig.secured().await.id()).await.unwrap();
    let in_the_way = rig.pool.get().await.unwrap();
    for ending in ["given up", "broken", "late"] {
        in_the_way.batch_execute("BEGIN; LOCK TABLE credentials").await.unwrap();
        let reader = Arc::clone(&keyring);
        let reading = tokio::spawn(async move { reader.load_identity("a@lid").await });
        rig.are_stuck(1).await;
        match ending {
            "given up" => reading.abort(),
            "broken" => relay.cut(),
            _ => tokio::time::pause(),
        }
        let outcome = reading.await;
        assert!(outcome.is_err() || outcome.unwrap().is_err(), "{ending}");
        if ending == "late" {
            tokio::time::resume();
        }
        in_the_way.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(keyring.load_identity("a@lid").await.unwrap(), None, "{ending}");
    }
}

/// The library writes sessions at any time, for example because of another chat. If the session that
/// decrypted a message were durable without the message, the library would take the message for a
/// duplicate when WhatsApp sends it again, and acknowledge it unread.
#[tokio::test]
async fn no_session_is_written_without_the_message_it_read() {
    let rig = Rig::new().await;
    for ending in ["written", "given up", "refused"] {
        let keyring = rig.durable().await;
        let in_the_way = rig.pool.get().await.unwrap();
        in_the_way.batch_execute("BEGIN; SELECT FROM keyrings FOR UPDATE").await.unwrap();
        let keeper = Arc::clone(&keyring);
        let keeping =
            tokio::spawn(async move { keeper.store_pending_inbound("a@lid", "a@lid", "3EB0", b"hello").await });
        rig.are_stuck(1).await;
        let writer = Arc::clone(&keyring);
        let mut writing = tokio::spawn(async move { writer.put_session("a@lid", b"read it").await });
        assert!((&mut writing).now_or_never().is_none(), "{ending}: it waits");
        match ending {
            "given up" => keeping.abort(),
            "refused" => {
                let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
                assert_eq!(rig.execute(cancel, &[]).await, 1);
            }
            _ => {}
        }
        // The session's own write is not let through before the message's has ended.
        let kept = match ending {
            "written" => {
                in_the_way.batch_execute("ROLLBACK").await.unwrap();
                keeping.await.unwrap().is_ok()
            }
            _ => {
                let kept = keeping.await.is_ok_and(|kept| kept.is_ok());
                in_the_way.batch_execute("ROLLBACK").await.unwrap();
                kept
            }
        };
        assert_eq!(kept, ending == "written");
        assert_eq!(writing.await.unwrap().is_ok(), kept, "{ending}");
        let again = rig.reopened(&keyring).await;
        rig.are_stuck(0).await;
        assert_eq!(again.get_session("a@lid").await.unwrap().is_some(), kept, "{ending}");
    }
}
