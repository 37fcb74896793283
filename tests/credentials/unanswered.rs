//! Statements without an answer. A write may still be carried out, so its keyring must be opened
//! again; a read can be repeated.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use deadpool_postgres::Client;
use futures_util::FutureExt as _;
use paird::credentials::{CredentialStore, Keyring, SentMessages};
use paird::postgres::pool::Dsn;
use paird_actors::domain::StoreError;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinHandle};
use wacore::store::error::StoreError as LibraryError;
use wacore::store::traits::{MsgSecretStore, ProtocolStore, SignalStore};
use wacore::time::now_secs;

use crate::faults::prepare;
use crate::operations::{Operation, Outcome, every_write, run};
use crate::rig::{FENCE, Rig, until};

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
        keyring.store_pending_inbound("a@lid", "a@lid", "3EB0", b"hello").await.unwrap();
        assert_eq!(pending(&rig).await, 0, "{ending}: it costs no statement yet");
        let (writing, in_the_way) = stuck(&rig, &keyring, &Operation::PutSession(1, 1)).await;
        match ending {
            "given up" => writing.abort(),
            "refused" => {
                let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
                assert_eq!(rig.execute(cancel, &[]).await, 1);
            }
            _ => {}
        }
        let is_written = if ending == "written" {
            in_the_way.batch_execute("ROLLBACK").await.unwrap();
            writing.await.unwrap().is_ok()
        } else {
            let is_written = writing.await.is_ok_and(|written| written.is_ok());
            in_the_way.batch_execute("ROLLBACK").await.unwrap();
            is_written
        };
        assert_eq!(is_written, ending == "written");
        if ending == "refused" {
            let kept = keyring.get_pending_inbound("a@lid", "a@lid", "3EB0").await.unwrap();
            assert_eq!(kept.as_deref(), Some(&b"hello"[..]), "it goes with the next session");
            run(&*keyring, &Operation::PutSession(1, 2)).await.unwrap();
        }
        rig.are_stuck(0).await;
        let again = rig.reopened(&keyring).await;
        let session = run(&*again, &Operation::HasSession(1)).await.unwrap();
        let kept = again.get_pending_inbound("a@lid", "a@lid", "3EB0").await.unwrap().unwrap();
        assert_eq!(format!("{session:?}").contains("true"), kept == b"hello", "{ending}: one without the other");
        // One that was given up may be carried out after all.
        assert!(kept == b"hello" || ending == "given up", "{ending}");
        rig.execute("DELETE FROM credentials WHERE kind = 'pending_inbound'", &[]).await;
    }
}

/// Sender keys read the messages of groups.
#[tokio::test]
async fn no_group_key_is_written_without_the_message_it_read() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.store_pending_inbound("a@g.us", "a@lid", "3EB0", b"hello").await.unwrap();
    keyring.put_identity("a@lid", [1; 32]).await.unwrap();
    assert_eq!(pending(&rig).await, 0, "an identity has read nothing");
    keyring.put_sender_key("a@g.us::a@lid", b"has read it").await.unwrap();
    assert_eq!(pending(&rig).await, 1);
    let again = rig.reopened(&keyring).await;
    assert_eq!(again.get_pending_inbound("a@g.us", "a@lid", "3EB0").await.unwrap().unwrap(), b"hello");
    // It has its row, and goes without being asked for.
    again.delete_pending_inbound("a@g.us", "a@lid", "3EB0").await.unwrap();
    until("gone", async || pending(&rig).await == 0).await;
}

/// Younger ones may have no row yet.
#[tokio::test]
async fn copies_of_former_connections_alone_are_deleted() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.store_pending_inbound("a@lid", "a@lid", "3EB0", b"hello").await.unwrap();
    keyring.put_session("a@lid", b"has read it").await.unwrap();
    let age = "UPDATE credentials SET stamp = stamp - 2 WHERE kind = 'pending_inbound'";
    rig.execute(age, &[]).await;
    let again = rig.reopened(&keyring).await;
    let began = now_secs();
    again.store_pending_inbound("a@lid", "a@lid", "3EB1", b"hello again").await.unwrap();
    again.put_session("a@lid", b"has read it, too").await.unwrap();
    again.store_pending_inbound("a@lid", "a@lid", "3EB2", b"in memory").await.unwrap();
    again.delete_copies_before(began).await.unwrap();
    assert_eq!(pending(&rig).await, 1);
    for (id, kept) in [("3EB1", &b"hello again"[..]), ("3EB2", b"in memory")] {
        assert_eq!(again.get_pending_inbound("a@lid", "a@lid", id).await.unwrap().unwrap(), kept);
    }
}

/// The row of a message comes before the keys that read it, as a rule.
#[tokio::test]
async fn a_message_with_a_row_is_not_kept_beside_it() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.store_pending_inbound("a@lid", "a@lid", "3EB0", b"hello").await.unwrap();
    keyring.delete_pending_inbound("a@lid", "a@lid", "3EB0").await.unwrap();
    keyring.put_session("a@lid", b"has read it").await.unwrap();
    assert_eq!(pending(&rig).await, 0);
}

/// A message with a secret of its own costs no statement more.
#[tokio::test]
async fn a_secret_goes_with_the_keys_that_read_its_message() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    keyring.store_pending_inbound("a@lid", "a@lid", "3EB0", b"hello").await.unwrap();
    let mut adding = Box::pin(keyring.put_msg_secret("a@lid", "a@lid", "3EB0", &[7; 32]));
    assert!((&mut adding).now_or_never().is_none(), "it waits");
    keyring.delete_pending_inbound("a@lid", "a@lid", "3EB0").await.unwrap();
    keyring.put_session("a@lid", b"has read it").await.unwrap();
    adding.await.unwrap();
    let alike = "SELECT FROM credentials s JOIN credentials k ON k.xmin::text = s.xmin::text
                 WHERE s.kind = 'message_secret' AND k.kind = 'session'";
    assert_eq!(rig.execute(alike, &[]).await, 1, "not one transaction");
    // The newer one counts, whatever went before.
    keyring.put_msg_secret("a@lid", "a@lid", "3EB0", &[8; 32]).await.unwrap();
    assert_eq!(keyring.get_msg_secret("a@lid", "a@lid", "3EB0").await.unwrap(), Some(vec![8; 32]));
}

async fn pending(rig: &Rig) -> i64 {
    rig.count("credentials WHERE kind = 'pending_inbound'").await
}

/// Devices of the recipient may ask for it again for a month.
#[tokio::test]
async fn a_message_that_is_sent_goes_with_the_next_keys() {
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    let send = async |id: &str| keyring.store_sent_message("a@lid", id, id.as_bytes()).await.unwrap();
    send("3EB0").await;
    assert_eq!(sent(&rig).await, 0, "it costs no statement of its own");
    assert_eq!(keyring.take_sent_message("a@lid", "3EB0").await.unwrap().unwrap(), b"3EB0", "from memory");
    keyring.put_session("a@lid", b"has encrypted it").await.unwrap();
    assert_eq!(sent(&rig).await, 1);
    send("3EB1").await;
    until("written although no keys are", async || sent(&rig).await == 2).await;
    send("3EB2").await;
    keyring.flush().await.unwrap();
    let again = rig.reopened(&keyring).await;
    for id in ["3EB0", "3EB1", "3EB2"] {
        assert_eq!(again.take_sent_message("a@lid", id).await.unwrap().unwrap(), id.as_bytes());
    }
}

/// The rows of messages.
struct MessageRows {
    sent_at: i64,
}

#[async_trait]
impl SentMessages for MessageRows {
    async fn sent(&self, chat: &str, wa_id: &str) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        match wa_id {
            "3EB0" if chat == "a@lid" => Ok(Some((b"from its row".to_vec(), self.sent_at))),
            "3EB1" => Err(StoreError::Unavailable("no database".to_owned())),
            _ => Ok(None),
        }
    }
}

#[tokio::test]
async fn a_message_without_a_copy_is_made_from_its_row() {
    const DAY: i64 = 24 * 3_600;
    let rig = Rig::new().await;
    let keyring = rig.durable().await;
    assert_eq!(keyring.take_sent_message("a@lid", "3EB0").await.unwrap(), None, "nobody has rows");
    let rows = Arc::new(MessageRows { sent_at: now_secs() - 29 * DAY });
    let messages: Weak<MessageRows> = Arc::downgrade(&rows);
    keyring.ask_for_lost_copies(messages);
    assert_eq!(keyring.take_sent_message("b@lid", "3EB0").await.unwrap(), None, "another chat");
    let made = keyring.take_sent_message("a@lid", "3EB0").await.unwrap().unwrap();
    assert_eq!(made, b"from its row");
    assert!(keyring.take_sent_message("a@lid", "3EB1").await.is_err(), "and never that there is none");
    // As the library does after it has answered, under the other name of the chat.
    keyring.store_sent_message("1@s.whatsapp.net", "3EB0", &made).await.unwrap();
    keyring.flush().await.unwrap();
    let stamp = format!("credentials WHERE kind = 'sent_message' AND stamp = {}", rows.sent_at);
    assert_eq!(rig.count(&stamp).await, 1, "kept for longer, since somebody has asked for it");
    let rows = Arc::new(MessageRows { sent_at: now_secs() - 31 * DAY });
    let messages: Weak<MessageRows> = Arc::downgrade(&rows);
    keyring.ask_for_lost_copies(messages);
    assert_eq!(keyring.take_sent_message("a@lid", "3EB0").await.unwrap(), None, "after a month");
}

async fn sent(rig: &Rig) -> i64 {
    rig.count("credentials WHERE kind = 'sent_message'").await
}
