//! Writes the incoming messages of one connection.
//!
//! The library acknowledges a message after its durability hook, which waits here until the
//! message is written. What the library reports without waiting (a message that cannot be
//! decrypted, or one that the phone sent again) is written before the next frame is sent, since
//! that frame may be the acknowledgement. The writes of a connection run one after the other, in
//! the order of arrival; messages that arrive during a write go with the next one.
//!
//! What cannot be read is a row, too, and waits. The library asks the sender and the owner's phone
//! for it once, in memory; this module asks the phone again in later logins.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    connection::Outcome,
    domain::{
        AccountId, Fence, IncomingMessage, KeyringId, MessageContent, MessageId, Purpose, Said, StoreError,
        UnreadMessage, UnreadReason, WaitReason, WaitingMessage,
    },
};
use tokio::sync;
use wacore::time::now_secs;
use wacore::types::{
    events::{Event, EventHandler, EventInterest, EventKind, InboundMessage, UndecryptableMessage},
    message::MessageInfo,
};
use waproto::whatsapp as wa;
use whatsapp_rust::{Client, InboundDurabilityHook, anyhow};

use super::{
    super::{content, keys::LinkKeys},
    Shell,
    history::Histories,
    mail::write_in_time,
};

/// The pause between two looks for messages that wait, while the connection lives. The library
/// asks for a message once in 24 hours.
const REQUEST_EVERY: Duration = Duration::from_hours(25);
/// Copies of messages that came before are not needed any more then.
const TIDIED_AFTER: Duration = Duration::from_secs(10);
const REQUEST_RETRY: Duration = Duration::from_mins(1);
/// And once the phone could not be asked, over a connection that lives.
const UNASKED_RETRY: Duration = Duration::from_mins(10);

/// The link that messages come in over: its keys, and the ownership of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLink {
    pub account: AccountId,
    pub fence: Fence,
    pub keyring: KeyringId,
    /// Of the opening of the keyring that the connection uses: a later one belongs to another connection.
    pub epoch: i64,
}

/// Where messages are written.
#[async_trait]
pub trait MessageStore: Send + Sync + 'static {
    /// Writes them in their order, all or none, and returns the positions of those that are new.
    /// Those that were written before are skipped.
    ///
    /// # Errors
    /// `Fenced`: this daemon may no longer write them.
    async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<Vec<usize>, StoreError>;

    /// Takes messages that the phone is to be asked for now, over a connection of this age: a batch, or
    /// none if none is due. This counts as a request of each.
    ///
    /// # Errors
    /// None was taken, or the answer was lost.
    async fn take_waiting(&self, link: &MessageLink, age: Duration) -> Result<Vec<WaitingMessage>, StoreError>;

    /// The phone was not asked for these, which were taken: that does not count.
    ///
    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Unavailable`: they may have been put back.
    async fn put_back_waiting(&self, link: &MessageLink, messages: &[MessageId]) -> Result<(), StoreError>;

    /// Ends the wait for those that wait, once it is certain that there is nothing to wait for.
    ///
    /// # Errors
    /// `Fenced`: this daemon may no longer write them.
    async fn end_waits(&self, link: &MessageLink, unread: &[UnreadMessage]) -> Result<(), StoreError>;
}

/// See the module's text.
pub(in crate::whatsapp) struct Inbox {
    store: Arc<dyn MessageStore>,
    keys: Arc<dyn LinkKeys>,
    link: MessageLink,
    shell: Arc<Shell>,
    histories: Arc<Histories>,
    queue: Mutex<Queue>,
    /// The number of messages written so far. Held through a write.
    written: sync::Mutex<u64>,
    /// After a failed write nothing more is written, so that each chat keeps its order.
    failure: OnceLock<StoreError>,
    /// By the clock of the copies.
    began_secs: i64,
    /// Whether messages may wait from before this connection.
    is_login: bool,
    /// Notified when the phone may have to be asked for messages.
    due: sync::Notify,
    /// Notified when a login has read all that WhatsApp kept.
    is_read: sync::Notify,
    begun: tokio::time::Instant,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Heard>,
    /// The number of messages so far.
    came: u64,
    /// Messages up to this number must be written before anything is sent.
    urgent: u64,
    /// The requests that the phone answered with a message on this connection.
    answered: HashSet<String>,
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
    /// It was asked for, and the phone does not have it.
    NotOnPhone,
}

impl Inbox {
    pub(in crate::whatsapp) fn new(
        store: Arc<dyn MessageStore>,
        keys: Arc<dyn LinkKeys>,
        link: MessageLink,
        purpose: &Purpose,
        shell: Arc<Shell>,
        histories: Arc<Histories>,
    ) -> Self {
        let is_login = match purpose {
            Purpose::Login => true,
            Purpose::Pair { .. } | Purpose::Unlink => false,
        };
        Self {
            store,
            keys,
            link,
            shell,
            histories,
            queue: Mutex::default(),
            written: sync::Mutex::default(),
            failure: OnceLock::new(),
            began_secs: now_secs(),
            is_login,
            due: sync::Notify::new(),
            is_read: sync::Notify::new(),
            begun: tokio::time::Instant::now(),
        }
    }

    /// The events that are wanted besides the calls of the hook.
    pub(super) fn interest() -> EventInterest {
        EventInterest::of(&[EventKind::UndecryptableMessage, EventKind::Messages, EventKind::OfflineSyncCompleted])
    }

    /// Deletes the copies of messages that former connections have left, a moment after a login has
    /// read all that WhatsApp kept.
    pub(super) async fn tidy_up(&self) -> Infallible {
        self.is_read.notified().await;
        tokio::time::sleep(TIDIED_AFTER).await;
        let came = self.lock().came;
        // Otherwise the connection ends.
        if self.write_up_to(came).await.is_ok()
            && let Err(failure) = self.keys.delete_copies_before(self.began_secs).await
        {
            tracing::debug!(incarnation = %self.shell.incarnation, %failure, "copies of messages are not deleted yet");
        }
        std::future::pending().await
    }

    /// Asks the owner's phone for messages that wait: after a login, when a message turns out to
    /// be lost, and from time to time.
    pub(super) async fn keep_requesting(&self) -> Infallible {
        let mut pause = REQUEST_EVERY;
        loop {
            let _ = tokio::time::timeout(pause, self.due.notified()).await;
            pause = match self.request_waiting().await {
                Ok(true) => REQUEST_EVERY,
                Ok(false) => UNASKED_RETRY,
                Err(failure) => {
                    tracing::debug!(incarnation = %self.shell.incarnation, %failure, "waiting messages are not asked for yet");
                    REQUEST_RETRY
                }
            };
        }
    }

    /// A request that did not leave does not count: no message is given up before the phone was asked
    /// for it. Says whether all have left.
    async fn request_waiting(&self) -> Result<bool, StoreError> {
        // None that was asked for is due again before some minutes, so this ends.
        while let Some(client) = self.shell.client().filter(|client| client.is_logged_in()) {
            let due = self.store.take_waiting(&self.link, self.begun.elapsed()).await?;
            if due.is_empty() {
                break;
            }
            let mut not_asked = Vec::new();
            for waiting in &due {
                let Some(info) = content::info_of(waiting) else { continue };
                if client.send_pdo_placeholder_resend_request(&Arc::new(info)).await.is_err() {
                    not_asked.push(waiting.id);
                }
            }
            if !not_asked.is_empty() {
                self.store.put_back_waiting(&self.link, &not_asked).await?;
                tracing::debug!(incarnation = %self.shell.incarnation, "the phone was not asked for all messages that wait");
                return Ok(false);
            }
        }
        Ok(true)
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
            self.lock().answered.extend(message.info.unavailable_request_id.clone());
            self.put_urgent(heard(message));
        }
    }

    /// Reads answers of the phone that the library read on an earlier connection, which ended
    /// before the messages in them were written.
    async fn read_answers_again(&self, client: &Arc<Client>, batch: &[InboundMessage]) {
        for message in batch {
            if let Some(answer) = content::answer_of_the_phone(message)
                && !answer.stanza_id.as_ref().is_some_and(|request| self.lock().answered.contains(request))
            {
                client.handle_pdo_response(answer, &message.info).await;
            }
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
        match write_in_time(&self.shell, "messages", || self.try_to_write(&batch)).await {
            Ok(()) => {
                unknown.resolve();
                *written = came;
                if batch.iter().any(Heard::was_not_requested) {
                    self.due.notify_one();
                }
                Ok(())
            }
            Err(failure) => {
                unknown.resolve();
                Err(self.fail(failure))
            }
        }
    }

    async fn try_to_write(&self, batch: &[Heard]) -> Result<(), StoreError> {
        let Some(client) = self.shell.client() else {
            return Err(StoreError::Unavailable("the connection is over".to_owned()));
        };
        let mut messages = Vec::with_capacity(batch.len());
        let mut unread = Vec::new();
        for heard in batch {
            match heard.content() {
                Ok(content) => {
                    let mut message = content::incoming(&client, &heard.info, content).await?;
                    message.media = heard.sealed_media(&*self.keys)?;
                    messages.push(message);
                }
                Err(why) => unread.push(content::unread(&client, &heard.info, why).await?),
            }
        }
        if !messages.is_empty() {
            self.store.record(&self.link, &messages).await?;
        }
        // Behind the rows of this batch, which may be among them.
        if unread.is_empty() { Ok(()) } else { self.store.end_waits(&self.link, &unread).await }
    }

    /// Ends the connection at once. WhatsApp sends what was not written again, in order, at the
    /// next login. The library writes the sessions on its way out, also those of messages that it
    /// has decrypted and not handed on yet, which nobody could read any more then.
    fn fail(&self, failure: StoreError) -> StoreError {
        let failure = self.failure.get_or_init(|| failure).clone();
        self.shell.feed_outcome(Outcome::StoreFailed(failure.to_string()));
        self.keys.message_unwritten();
        failure
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// The library asks for what it cannot read, but not for the owner's own messages.
    fn was_not_requested(&self) -> bool {
        match self.what {
            What::Unreadable(WaitReason::Lost) => true,
            What::Unreadable(WaitReason::Undecryptable | WaitReason::Unavailable) => self.info.source.is_from_me,
            What::Message(_) | What::Withheld(_) | What::NotOnPhone => false,
        }
    }

    fn sealed_media(&self, keys: &dyn LinkKeys) -> Result<Option<Vec<u8>>, StoreError> {
        let media = match &self.what {
            What::Message(message) => content::media_keys(message),
            What::Unreadable(_) | What::Withheld(_) | What::NotOnPhone => None,
        };
        media.map(|media| keys.seal_media(&self.info.id, &media)).transpose()
    }

    /// What its row says, unless it has none.
    fn content(&self) -> Result<Result<MessageContent, WaitReason>, UnreadReason> {
        match &self.what {
            What::Message(message) => match content::content(message) {
                Some(content) => Ok(Ok(content)),
                None => Err(UnreadReason::ForPrograms(content::name_among_programs(message))),
            },
            What::Unreadable(reason) => Ok(Err(*reason)),
            What::Withheld(what) => {
                let said = Said::Unsupported { what: (*what).to_owned() };
                Ok(Ok(MessageContent { said, reply_to: None }))
            }
            What::NotOnPhone => Err(UnreadReason::NotOnPhone),
        }
    }
}

fn heard(message: &InboundMessage) -> Heard {
    Heard { info: Arc::clone(&message.info), what: What::Message(Arc::clone(&message.message)) }
}

/// An empty message stands for one that was decrypted before and is not pending, see the
/// library's `get_pending_inbound`. Whoever sends an empty one has it fetched from the phone.
fn heard_or_lost(message: &InboundMessage) -> Heard {
    if waproto::codec::message_encoded_len(&message.message) == 0 {
        Heard { info: Arc::clone(&message.info), what: What::Unreadable(WaitReason::Lost) }
    } else {
        heard(message)
    }
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
            Event::OfflineSyncCompleted(_) if self.is_login => {
                self.due.notify_one();
                self.is_read.notify_one();
                self.histories.logged_in();
            }
            _ => {}
        }
    }
}

#[async_trait]
impl InboundDurabilityHook for Inbox {
    /// Returns when the batch is written, and what the phone said in it of other messages.
    async fn on_messages(&self, client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        self.read_answers_again(&client, batch).await;
        for message in batch.iter().filter(|message| content::announces_history(message)) {
            self.histories.until_noted(&message.info.id).await;
        }
        let messages = batch.iter().filter(|message| content::is_between_people(&message.info)).map(heard_or_lost);
        let missing = batch.iter().filter_map(content::answer_of_the_phone).flat_map(content::not_on_phone);
        let missing = missing.map(|info| Heard { info: Arc::new(info), what: What::NotOnPhone });
        let came = {
            let mut queue = self.lock();
            let before = queue.waiting.len();
            queue.waiting.extend(messages.chain(missing));
            queue.came += u64::try_from(queue.waiting.len() - before)?;
            queue.came
        };
        Ok(self.write_up_to(came).await?)
    }
}
