//! Writes the incoming messages of one connection.
//!
//! The library acknowledges a message after its durability hook, which waits here until the
//! message is written. What the library reports without waiting (a message that cannot be
//! decrypted, or one that the phone sent again) is written before the next frame is sent, since
//! that frame may be the acknowledgement. The writes of a connection run one after the other, in
//! the order of arrival; messages that arrive during a write go with the next one.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    connection::Outcome,
    domain::{AccountId, Fence, IncomingMessage, KeyringId, MessageContent, Said, StoreError, WaitReason},
};
use tokio::sync;
use wacore::types::{
    events::{Event, EventHandler, EventInterest, EventKind, InboundMessage, UndecryptableMessage},
    message::MessageInfo,
};
use waproto::whatsapp as wa;
use whatsapp_rust::{Client, InboundDurabilityHook, anyhow};

use super::{super::content, Shell};

/// How long a write is retried. Until then messages pile up in memory; then the connection ends,
/// and WhatsApp keeps them.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_RETRY: Duration = Duration::from_millis(250);

/// The link that messages come in over: its keys, and the ownership of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLink {
    pub account: AccountId,
    pub fence: Fence,
    pub keyring: KeyringId,
}

/// Where messages are written.
#[async_trait]
pub trait MessageStore: Send + Sync + 'static {
    /// Writes them in their order, all or none. Those that were written before are skipped.
    ///
    /// # Errors
    /// `Fenced`: this daemon may no longer write them.
    async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<(), StoreError>;
}

/// See the module's text.
pub(in crate::whatsapp) struct Inbox {
    store: Arc<dyn MessageStore>,
    link: MessageLink,
    shell: Arc<Shell>,
    queue: Mutex<Queue>,
    /// The number of messages written so far. Held through a write.
    written: sync::Mutex<u64>,
    /// After a failed write nothing more is written, so that each chat keeps its order.
    failure: OnceLock<StoreError>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Heard>,
    /// The number of messages so far.
    came: u64,
    /// Messages up to this number must be written before anything is sent.
    urgent: u64,
}

struct Heard {
    info: Arc<MessageInfo>,
    what: What,
}

enum What {
    Message(Arc<wa::Message>),
    Unreadable(WaitReason),
    /// It will never be readable here, for this reason.
    Withheld(&'static str),
}

impl Inbox {
    pub(in crate::whatsapp) fn new(store: Arc<dyn MessageStore>, link: MessageLink, shell: Arc<Shell>) -> Self {
        Self { store, link, shell, queue: Mutex::default(), written: sync::Mutex::default(), failure: OnceLock::new() }
    }

    /// The events that are wanted besides the calls of the hook.
    pub(super) fn interest() -> EventInterest {
        EventInterest::of(&[EventKind::UndecryptableMessage, EventKind::Messages])
    }

    /// A message that cannot be read. The library reports it before it answers.
    fn unreadable(&self, message: &UndecryptableMessage) {
        let kind = message.unavailable_type;
        let what = if !message.is_unavailable {
            What::Unreadable(WaitReason::Undecryptable)
        } else if kind.is_unrecoverable_fanout() {
            What::Withheld(kind.as_str())
        } else {
            What::Unreadable(WaitReason::Unavailable)
        };
        self.put_urgent(Heard { info: Arc::clone(&message.info), what });
    }

    /// Messages that the owner's phone sent again. The library does not wait for these.
    fn recovered(&self, messages: &[InboundMessage]) {
        for message in messages {
            self.put_urgent(heard(message));
        }
    }

    /// Waits until everything that must be written before a frame is sent has been.
    ///
    /// # Errors
    /// The write failed: nothing more may be sent.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let urgent = self.lock().urgent;
        if urgent == 0 { Ok(()) } else { self.write_up_to(urgent).await }
    }

    fn put_urgent(&self, heard: Heard) {
        if !content::is_between_people(&heard.info) {
            return;
        }
        let mut queue = self.lock();
        queue.waiting.push(heard);
        queue.came += 1;
        queue.urgent = queue.came;
    }

    async fn write_up_to(&self, wanted: u64) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        if *written >= wanted {
            return Ok(());
        }
        if let Some(failure) = self.failure.get() {
            return Err(failure.clone());
        }
        let (batch, came) = {
            let mut queue = self.lock();
            (std::mem::take(&mut queue.waiting), queue.came)
        };
        let unknown = UnknownEnd(Some(self));
        let done = match tokio::time::timeout(WRITE_TIMEOUT, self.write(&batch)).await {
            Ok(done) => done,
            Err(_) => Err(StoreError::Unavailable(format!(
                "messages could not be written within {} s",
                WRITE_TIMEOUT.as_secs()
            ))),
        };
        match done {
            Ok(()) => {
                unknown.resolve();
                *written = came;
                Ok(())
            }
            Err(failure) => {
                unknown.resolve();
                Err(self.fail(failure))
            }
        }
    }

    async fn write(&self, batch: &[Heard]) -> Result<(), StoreError> {
        loop {
            match self.try_to_write(batch).await {
                Err(StoreError::Unavailable(why)) => {
                    tracing::debug!(incarnation = %self.shell.incarnation, %why, "messages are not written yet");
                    tokio::time::sleep(WRITE_RETRY).await;
                }
                done => return done,
            }
        }
    }

    async fn try_to_write(&self, batch: &[Heard]) -> Result<(), StoreError> {
        let Some(client) = self.shell.client() else {
            return Err(StoreError::Unavailable("the connection is over".to_owned()));
        };
        let mut messages = Vec::with_capacity(batch.len());
        for heard in batch {
            if let Some(content) = heard.content() {
                messages.push(content::incoming(&client, &heard.info, content).await?);
            }
        }
        if messages.is_empty() { Ok(()) } else { self.store.record(&self.link, &messages).await }
    }

    /// Ends the connection at once. WhatsApp sends what was not written again, in order, at the
    /// next login.
    fn fail(&self, failure: StoreError) -> StoreError {
        let failure = self.failure.get_or_init(|| failure).clone();
        self.shell.feed_outcome(Outcome::StoreFailed(failure.to_string()));
        failure
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// `None` if it is not a message between people.
    fn content(&self) -> Option<Result<MessageContent, WaitReason>> {
        match &self.what {
            What::Message(message) => content::content(message).map(Ok),
            What::Unreadable(reason) => Some(Err(*reason)),
            What::Withheld(what) => {
                let said = Said::Unsupported { what: (*what).to_owned() };
                Some(Ok(MessageContent { said, reply_to: None }))
            }
        }
    }
}

fn heard(message: &InboundMessage) -> Heard {
    Heard { info: Arc::clone(&message.info), what: What::Message(Arc::clone(&message.message)) }
}

/// A write that is dropped loses its messages, so it counts as failed.
struct UnknownEnd<'a>(Option<&'a Inbox>);

impl UnknownEnd<'_> {
    fn resolve(mut self) {
        self.0 = None;
    }
}

impl Drop for UnknownEnd<'_> {
    fn drop(&mut self) {
        if let Some(inbox) = self.0 {
            inbox.fail(StoreError::Unavailable("a write of messages was cancelled".to_owned()));
        }
    }
}

impl EventHandler for Inbox {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's enum is open; `interest` is what it is asked for"
    )]
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::UndecryptableMessage(message) => self.unreadable(message),
            // All others go through the hook.
            Event::Messages(batch) if !batch.hook_committed => self.recovered(&batch.messages),
            _ => {}
        }
    }
}

#[async_trait]
impl InboundDurabilityHook for Inbox {
    /// Returns when the batch is written.
    async fn on_messages(&self, _: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        let messages = batch.iter().filter(|message| content::is_between_people(&message.info)).map(heard);
        let came = {
            let mut queue = self.lock();
            let before = queue.waiting.len();
            queue.waiting.extend(messages);
            queue.came += u64::try_from(queue.waiting.len() - before)?;
            queue.came
        };
        Ok(self.write_up_to(came).await?)
    }
}
