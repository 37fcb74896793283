//! A sandbox, a gateway with keys in memory, and what its sessions said.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use paird_actors::{
    domain::{
        AccountId, ChatJid, CheckedContact, CloseReason, ConnectionSettings, ContactCheckPolicy, ContactChecks, Fence,
        Incarnation, IncomingMessage, KeyringId, MessageId, OpenSession, Phone, Purpose, Receipt, SealedKeys,
        SendOutcome, SessionEvent, StoreError, TakenMessages, UnreadChatMessage, UnreadMessage, WaitingMessage,
        Written,
    },
    outgoing::OutgoingPolicy,
    ports::{Session, WriteKeys},
};
use paird_sandbox::{LinkedDevice, Remote, RemoteError, Sandbox};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wacore::store::{CacheStore, traits::Backend};

use whatsapp_rust::Client;

use super::super::{
    BellGuard, Bells, ChatStore, GatewaySettings, KeySource, LinkKeys, MessageLink, MessageSecret, MessageStore,
    OutgoingStore, ProxyAllow, SentMessage, VersionStore, WebVersion, WhatsApp, connection::WhatsAppSession,
};
use crate::credentials::{self, KeyedDevices, ProxyLogin, SentMessages};

/// Longer than anything here takes on a busy machine.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
pub(super) const NUMBER: &str = "436601234567";

/// Keyrings in memory: the staged ones, and the secured ones, which survive a crash.
#[derive(Default)]
pub(super) struct Keyrings {
    staged: Mutex<HashMap<KeyringId, Arc<Keyring>>>,
    secured: Arc<Mutex<HashMap<KeyringId, Arc<Keyring>>>>,
    pub(super) unwritable: Arc<AtomicBool>,
    /// Every flush before a send fails.
    pub(super) unsettled: Arc<AtomicBool>,
    pub(super) fenced: CancellationToken,
    pub(super) lids: Arc<Lids>,
}

/// Which LID has which number, as the library writes it.
#[derive(Default)]
pub(super) struct Lids(Mutex<HashMap<String, Vec<u8>>>);

impl Lids {
    pub(super) fn of(&self, number: &str) -> Option<String> {
        self.0.lock().unwrap().get(number).map(|entry| String::from_utf8(entry.clone()).unwrap())
    }
}

#[async_trait]
impl CacheStore for Lids {
    async fn get(&self, _: &str, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn set(&self, _: &str, key: &str, value: &[u8], _: Option<Duration>) -> anyhow::Result<()> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, _: &str, _: &str) -> anyhow::Result<()> {
        anyhow::bail!("nothing is deleted")
    }

    async fn clear(&self, _: &str) -> anyhow::Result<()> {
        anyhow::bail!("nothing is deleted")
    }
}

#[derive(Clone)]
struct Keyring {
    id: KeyringId,
    keys: Arc<credentials::Keyring>,
    lids: Arc<Lids>,
    secured: Arc<Mutex<HashMap<KeyringId, Arc<Keyring>>>>,
    unwritable: Arc<AtomicBool>,
    unsettled: Arc<AtomicBool>,
    fenced: CancellationToken,
}

impl Keyrings {
    pub(super) fn is_secured(&self, keyring: KeyringId) -> bool {
        self.secured.lock().unwrap().contains_key(&keyring)
    }

    /// Whether its last opening is written to no more.
    pub(super) fn has_failed(&self, keyring: KeyringId) -> bool {
        let keys = self.secured.lock().unwrap()[&keyring].keys.clone();
        keys.failed().now_or_never().is_some()
    }
}

#[async_trait]
impl KeySource for Keyrings {
    async fn fresh(&self, _: AccountId, _: Fence, keyring: KeyringId) -> Result<Arc<dyn LinkKeys>, StoreError> {
        let keys = Arc::new(Keyring {
            id: keyring,
            keys: Arc::new(credentials::Keyring::in_memory(keyring)),
            lids: self.lids.clone(),
            secured: self.secured.clone(),
            unwritable: self.unwritable.clone(),
            unsettled: self.unsettled.clone(),
            fenced: self.fenced.clone(),
        });
        self.staged.lock().unwrap().insert(keyring, keys.clone());
        Ok(keys)
    }

    async fn open_keyring(&self, _: AccountId, _: Fence, keyring: KeyringId) -> Result<Arc<dyn LinkKeys>, StoreError> {
        let former = self.secured.lock().unwrap().get(&keyring).cloned();
        let Some(former) = former else { return Err(StoreError::Poisoned("no such keyring".into())) };
        let keys = former.keys.opened_again().await?;
        let again = Arc::new(Keyring { keys: Arc::new(keys), ..Keyring::clone(&former) });
        self.secured.lock().unwrap().insert(keyring, again.clone());
        Ok(again)
    }

    async fn proxy_login(&self, _: AccountId, _: &str) -> Result<Option<ProxyLogin>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl LinkKeys for Keyring {
    fn backend(self: Arc<Self>) -> Arc<dyn Backend> {
        self.keys.clone()
    }

    fn epoch(&self) -> i64 {
        1
    }

    fn lids(self: Arc<Self>) -> Arc<dyn CacheStore> {
        self.lids.clone()
    }

    async fn secure(&self, write: WriteKeys) -> Result<Written, StoreError> {
        if self.unwritable.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("no database".into()));
        }
        let backend: Arc<dyn Backend> = self.keys.clone();
        let stored = backend.load().await.unwrap().expect("a stored device");
        assert!(stored.pn.is_some() && stored.lid.is_some() && stored.account.is_some(), "not enough to log in with");
        self.secured.lock().unwrap().insert(self.id, Arc::new(self.clone()));
        let sealed = SealedKeys {
            keyring: self.id,
            wrapped_key: Vec::new(),
            master_key: "none".to_owned(),
            records: Vec::new(),
        };
        write(sealed).await
    }

    fn seal_media(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    /// Its memory is the library's own, which has no place for them.
    fn unread_histories(&self) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::new()
    }

    fn note_history(&self, _: &str, _: Option<Vec<u8>>) {}

    fn message_secret(&self, _: &str) -> MessageSecret {
        MessageSecret::default()
    }

    fn limit_group_marks(&self, _: &str, _: &str, _: Option<KeyedDevices>) {}

    async fn flush_before_send(&self) -> Result<(), StoreError> {
        if self.unsettled.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("no database".into()));
        }
        Ok(())
    }

    fn ask_for_lost_copies(&self, messages: Weak<dyn SentMessages>) {
        self.keys.ask_for_lost_copies(messages);
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn check_ownership(&self) -> Result<(), StoreError> {
        if self.fenced.is_cancelled() { Err(StoreError::Fenced) } else { Ok(()) }
    }

    async fn delete_copies_before(&self, _: i64) -> Result<(), StoreError> {
        Ok(())
    }

    fn message_unwritten(&self) {
        self.keys.message_unwritten();
    }

    async fn until_pending(&self) {
        std::future::pending().await
    }

    async fn failed(&self) -> StoreError {
        tokio::select! {
            () = self.fenced.cancelled() => StoreError::Fenced,
            failure = self.keys.failed() => failure,
        }
    }
}

pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) phone: Remote,
    pub(super) keyrings: Arc<Keyrings>,
    pub(super) gateway: WhatsApp,
}

impl Bench {
    pub(super) async fn start() -> Self {
        Self::with_messages(Arc::new(NoMessages)).await
    }

    /// One whose messages are written here.
    pub(super) async fn with_messages(messages: Arc<dyn MessageStore>) -> Self {
        let sandbox = Sandbox::start(paird_sandbox::Settings::default()).await.unwrap();
        let phone = Remote::new(&sandbox.admin_url());
        let keyrings = Arc::new(Keyrings::default());
        let gateway = gateway_into(messages, &sandbox.whatsapp_url(), keyrings.clone());
        let bench = Self { sandbox, phone, keyrings, gateway };
        bench.ask(|phone| phone.add_phone(NUMBER)).await.unwrap();
        bench
    }

    /// The sandbox's admin API blocks.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Remote) -> Result<T, RemoteError> + Send + 'static,
    ) -> Result<T, RemoteError> {
        let phone = self.phone.clone();
        tokio::task::spawn_blocking(move || question(&phone)).await.unwrap()
    }

    pub(super) async fn devices(&self) -> Vec<LinkedDevice> {
        self.ask(|phone| phone.devices(NUMBER)).await.unwrap()
    }

    pub(super) async fn pair(&self) -> Opened {
        self.open(KeyringId(Uuid::new_v4()), Purpose::Pair { code_for: None }).await
    }

    pub(super) async fn open(&self, keyring: KeyringId, purpose: Purpose) -> Opened {
        open(&self.gateway, keyring, purpose).await.unwrap()
    }

    /// A session that shows a QR, scanned by the phone, held at the gate.
    pub(super) async fn scanned(&self) -> Opened {
        let session = self.pair().await;
        let qr = session.qr().await;
        self.ask(move |phone| phone.scan(NUMBER, &qr)).await.unwrap();
        session.hears(|event| matches!(event, SessionEvent::Scanned { .. })).await;
        session
    }

    /// A session that was linked and logged in.
    pub(super) async fn linked(&self) -> Opened {
        let session = self.scanned().await;
        session.secure_keys(write_well()).await.unwrap();
        session.confirm_link().await;
        session.hears(|event| matches!(event, SessionEvent::Open { .. })).await;
        session
    }
}

/// Nobody writes in these tests.
struct NoMessages;

#[async_trait]
impl MessageStore for NoMessages {
    async fn record(&self, _: &MessageLink, _: &[IncomingMessage]) -> Result<Vec<usize>, StoreError> {
        Err(StoreError::Unavailable("no database".into()))
    }

    async fn take_waiting(&self, _: &MessageLink, _: Duration) -> Result<Vec<WaitingMessage>, StoreError> {
        Ok(Vec::new())
    }

    async fn put_back_waiting(&self, _: &MessageLink, _: &[MessageId]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end_waits(&self, _: &MessageLink, _: &[UnreadMessage]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// And nobody is written to.
struct NothingToSend;

#[async_trait]
impl OutgoingStore for NothingToSend {
    async fn take(&self, _: &MessageLink, _: Uuid, _: &[MessageId], _: u16) -> Result<TakenMessages, StoreError> {
        Ok(TakenMessages::default())
    }

    async fn settle(&self, _: &MessageLink, _: Uuid, _: &[(MessageId, SendOutcome)]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn record_receipts(&self, _: &MessageLink, _: &[Receipt]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn is_called(&self, _: &MessageLink, _: &Phone, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find_sent(&self, _: &MessageLink, _: &[String], _: &str) -> Result<Option<SentMessage>, StoreError> {
        Ok(None)
    }

    async fn ringing(&self) -> Result<Vec<AccountId>, StoreError> {
        Ok(Vec::new())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl ChatStore for NothingToSend {
    async fn jid_of(&self, _: &MessageLink, chat: &ChatJid) -> Result<String, StoreError> {
        Ok(chat.as_str().to_owned())
    }

    async fn unread(
        &self,
        _: &MessageLink,
        _: &str,
        _: MessageId,
    ) -> Result<Option<Vec<UnreadChatMessage>>, StoreError> {
        Ok(None)
    }

    async fn mark_as_read(&self, _: &MessageLink, _: &[MessageId]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn contact_checks(
        &self,
        _: &MessageLink,
        _: &[Phone],
        _: &ContactCheckPolicy,
    ) -> Result<ContactChecks, StoreError> {
        Ok(ContactChecks::default())
    }

    async fn begin_contact_checks(&self, _: &MessageLink, _: &[Phone]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end_contact_checks(&self, _: &MessageLink, _: &[CheckedContact]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Bells for NothingToSend {
    fn subscribe(&self, _: AccountId, _: Arc<Notify>) -> BellGuard {
        Box::new(())
    }
}

pub(super) fn gateway(url: &str, keyrings: Arc<Keyrings>) -> WhatsApp {
    gateway_into(Arc::new(NoMessages), url, keyrings)
}

fn gateway_into(messages: Arc<dyn MessageStore>, url: &str, keyrings: Arc<Keyrings>) -> WhatsApp {
    WhatsApp::new(GatewaySettings {
        url: Some(url.to_owned()),
        runtime: Handle::current(),
        credentials: keyrings,
        device_name: "paird test".into(),
        connect_rate: 0,
        proxy_allow: ProxyAllow::this_machine(),
        versions: Arc::new(VersionInMemory::default()),
        odd: Arc::new(|_| {}),
        proxied: Arc::new(|_| {}),
        messages,
        outgoing: Arc::new(NothingToSend),
        chats: Arc::new(NothingToSend),
        bells: Arc::new(NothingToSend),
        sending: OutgoingPolicy::default(),
    })
}

/// The last client version that WhatsApp took, in memory.
#[derive(Default)]
pub(super) struct VersionInMemory(Mutex<Option<WebVersion>>);

impl VersionInMemory {
    pub(super) fn of(version: Option<WebVersion>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(version)))
    }

    pub(super) fn now(&self) -> Option<WebVersion> {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl VersionStore for VersionInMemory {
    async fn last_accepted(&self) -> Result<Option<WebVersion>, StoreError> {
        Ok(self.now())
    }

    async fn note_accepted(&self, version: WebVersion) -> Result<(), StoreError> {
        *self.0.lock().unwrap() = Some(version);
        Ok(())
    }
}

pub(super) async fn open(gateway: &WhatsApp, keyring: KeyringId, purpose: Purpose) -> Result<Opened, StoreError> {
    let incarnation = Incarnation(7);
    let heard = watch::Sender::new(Vec::new());
    let into = heard.clone();
    let listener = Arc::new(move |from, event| {
        assert_eq!(from, incarnation);
        if event == SessionEvent::Dialing {
            // Each connection begins with it.
            return;
        }
        into.send_modify(|heard: &mut Vec<SessionEvent>| heard.push(event));
    });
    let order = OpenSession {
        account: AccountId(Uuid::new_v4()),
        operator: None,
        label: "test".into(),
        fence: Fence(1),
        incarnation,
        keyring,
        purpose,
        settings: ConnectionSettings::default(),
    };
    let session = gateway.open_session(order, listener).await?;
    Ok(Opened { session, keyring, heard })
}

/// A session and what it said.
pub(super) struct Opened {
    session: Arc<WhatsAppSession>,
    pub(super) keyring: KeyringId,
    heard: watch::Sender<Vec<SessionEvent>>,
}

impl std::ops::Deref for Opened {
    type Target = WhatsAppSession;

    fn deref(&self) -> &WhatsAppSession {
        &self.session
    }
}

impl Opened {
    pub(super) fn heard(&self) -> Vec<SessionEvent> {
        self.heard.borrow().clone()
    }

    /// Waits until it said something like this, and gives it back.
    pub(super) async fn hears(&self, wanted: impl Fn(&SessionEvent) -> bool) -> SessionEvent {
        let mut heard = self.heard.subscribe();
        let said = tokio::time::timeout(TIMEOUT, heard.wait_for(|heard| heard.iter().any(&wanted))).await;
        match said {
            Ok(Ok(heard)) => heard.iter().find(|event| wanted(event)).cloned().unwrap(),
            Ok(Err(_)) | Err(_) => panic!("not said; said was {:?}", self.heard()),
        }
    }

    pub(super) async fn qr(&self) -> String {
        let said = self.hears(|event| matches!(event, SessionEvent::Qr { .. })).await;
        let SessionEvent::Qr { payload, .. } = said else { panic!("{said:?}") };
        payload.expose().to_owned()
    }

    /// Waits for the end and checks that it was said once and last.
    pub(super) async fn end(&self) -> CloseReason {
        let is_end = |event: &SessionEvent| matches!(event, SessionEvent::Ended { .. });
        let end = self.hears(is_end).await;
        let heard = self.heard();
        assert_eq!(heard.iter().filter(|event| is_end(event)).count(), 1);
        assert!(heard.last().is_some_and(is_end));
        let SessionEvent::Ended { reason } = end else { panic!("{end:?}") };
        reason
    }

    /// Nothing of the connection lives any more.
    pub(super) async fn is_gone(&self) {
        gone(&self.session.client()).await;
    }
}

pub(super) async fn gone(client: &Weak<Client>) {
    until("the client is gone", || client.strong_count() == 0).await;
}

pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    until_told(what, async || is_so()).await;
}

/// The same of what has to be asked for.
pub(super) async fn until_told(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(TIMEOUT, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not within {TIMEOUT:?}");
}

/// A database that takes the keys.
pub(super) fn write_well() -> WriteKeys {
    Box::new(|_| Box::pin(async { Ok(Written::Done { settings: None }) }))
}
