//! Sends the messages of one connection: the shell of [`paird_actors::outgoing`], which decides.
//!
//! It lives beside the inbox, and ends with the connection, so that nothing is ever sent by an old
//! one. Every send is a task of its own: one that hangs holds up no other chat. What the library
//! says of a send counts for nothing: it returns `Ok` for a message that nobody can read, and for
//! one that WhatsApp refuses. Three things count: the stanza as it leaves, which names the devices
//! that it is encrypted for; WhatsApp's acknowledgement; and receipts.
//!
//! Receipts are written before the next frame is sent, since that frame may acknowledge them.

use std::{
    convert::Infallible,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use paird_actors::{
    clock,
    connection::Outcome,
    domain::{AccountId, Instant, MessageId, OutgoingMessage, Phone, Receipt, SendOutcome, StoreError, TakenMessages},
    machine,
    outgoing::{Effect, EndCause, Input, NotSent, Outgoing, OutgoingPolicy},
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wacore::types::events::{self, Event, EventHandler, EventInterest, EventKind, ServerAck};
use wacore_binary::{Jid, JidExt as _, Node};
use whatsapp_rust::{Client, NodeFilter, SendError, SendOptions, futures::channel::oneshot, request::IqError};

use super::{
    super::{
        compose::{self, OwnJids},
        content,
        keys::LinkKeys,
    },
    MessageLink, NumberChecker, Receipts, Shell,
};
use crate::credentials::SentMessages;

/// WhatsApp announces the end of what it kept for a connection. If it does not, this long after
/// the login is taken for it.
const QUEUE_TIMEOUT: Duration = Duration::from_mins(1);

/// Where outgoing messages are.
#[async_trait]
pub trait OutgoingStore: Send + Sync + 'static {
    /// Takes at most `room` messages that are due: first those that were left without an end and are
    /// not `held` by this connection, then the oldest of each chat that it has nothing of.
    ///
    /// # Errors
    /// `Fenced`: this daemon may take none. `Overtaken`: another connection has opened the link since,
    /// and none were taken. `Unavailable`: some may have been taken.
    async fn take(
        &self,
        link: &MessageLink,
        connection: Uuid,
        held: &[MessageId],
        room: u16,
    ) -> Result<TakenMessages, StoreError>;

    /// Writes what came of messages that this connection took. What was written before stays.
    ///
    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Overtaken`: another connection has taken some of them
    /// since; of those nothing was written. `Unavailable`: it may have been written.
    async fn settle(
        &self,
        link: &MessageLink,
        connection: Uuid,
        outcomes: &[(MessageId, SendOutcome)],
    ) -> Result<(), StoreError>;

    /// Messages only move forward by them; those of unknown messages are ignored.
    ///
    /// # Errors
    /// They may not have been written.
    async fn record_receipts(&self, link: &MessageLink, receipts: &[Receipt]) -> Result<(), StoreError>;

    /// WhatsApp calls the person of a chat by this jid, whatever the number of the chat: it becomes that
    /// of the jid.
    ///
    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Unavailable`: a part of it may have been written.
    async fn is_called(&self, link: &MessageLink, number: &Phone, jid: &str) -> Result<(), StoreError>;

    /// The message with this id that was tried over this link, in a chat that is called one of these;
    /// `None` if WhatsApp cannot have it, or it has no body any more. Without what it answers, if that is
    /// gone.
    ///
    /// # Errors
    /// The database did not answer.
    async fn find_sent(
        &self,
        link: &MessageLink,
        chats: &[String],
        wa_id: &str,
    ) -> Result<Option<SentMessage>, StoreError>;

    /// The accounts of this daemon that have messages due, for bells that were not heard.
    ///
    /// # Errors
    /// The database did not answer.
    async fn ringing(&self) -> Result<Vec<AccountId>, StoreError>;

    /// Ends what is over by the clock: messages that have expired, and pauses.
    ///
    /// # Errors
    /// The database did not answer.
    async fn sweep(&self) -> Result<(), StoreError>;

    /// Hears how long a try of a message took to a step, since the step before.
    fn came_to(&self, _step: SendStep, _after: Duration) {}
}

/// A message that WhatsApp has, or may have.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMessage {
    pub message: OutgoingMessage,
    /// When the last try began.
    pub tried_at: Instant,
    /// When WhatsApp had it, if it has said so; else when it was tried.
    pub sent_at: Instant,
}

/// A step of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStep {
    /// The frame has left; since the try began.
    Wired,
    /// WhatsApp has acknowledged it; since the frame left.
    Acknowledged,
}

/// Tells that an account may have messages to send.
pub trait Bells: Send + Sync + 'static {
    /// `bell` is notified whenever there may be some, until the guard is dropped.
    fn subscribe(&self, account: AccountId, bell: Arc<Notify>) -> BellGuard;
}

/// A subscription: it ends when this is dropped.
pub type BellGuard = Box<dyn Send + Sync>;

/// What all couriers of a daemon share.
#[derive(Clone)]
pub(in crate::whatsapp) struct PostOffice {
    pub(in crate::whatsapp) store: Arc<dyn OutgoingStore>,
    pub(in crate::whatsapp) bells: Arc<dyn Bells>,
    pub(in crate::whatsapp) policy: OutgoingPolicy,
}

/// See the module's text.
pub(in crate::whatsapp) struct Courier {
    store: Arc<dyn OutgoingStore>,
    keys: Arc<dyn LinkKeys>,
    numbers: Arc<NumberChecker>,
    link: MessageLink,
    /// Names this connection to the database.
    connection: Uuid,
    shell: Arc<Shell>,
    receipts: Receipts,
    inner: Mutex<Inner>,
    /// Of the machine, as of the last step.
    deadline: watch::Sender<Option<Instant>>,
    bell: Arc<Notify>,
    _subscribed: BellGuard,
    /// Notified at the login.
    connected: Notify,
}

struct Inner {
    machine: Outgoing,
    sends: Vec<UnderWay>,
    /// Rows that this connection took and can neither read nor give back.
    unread: Vec<MessageId>,
}

/// A message that is being sent.
struct UnderWay {
    id: MessageId,
    wa_id: String,
    stop: CancellationToken,
    /// When it came to its last step.
    since: std::time::Instant,
}

impl Courier {
    pub(in crate::whatsapp) fn new(
        office: &PostOffice,
        keys: Arc<dyn LinkKeys>,
        numbers: Arc<NumberChecker>,
        link: MessageLink,
        shell: Arc<Shell>,
    ) -> Arc<Self> {
        let bell = Arc::new(Notify::new());
        let machine = Outgoing::new(office.policy.clone(), rand::random());
        let courier = Arc::new(Self {
            store: Arc::clone(&office.store),
            receipts: Receipts::new(Arc::clone(&office.store), link, Arc::clone(&shell)),
            keys,
            numbers,
            link,
            connection: Uuid::now_v7(),
            shell,
            inner: Mutex::new(Inner { machine, sends: Vec::new(), unread: Vec::new() }),
            deadline: watch::Sender::new(None),
            _subscribed: office.bells.subscribe(link.account, Arc::clone(&bell)),
            bell,
            connected: Notify::new(),
        });
        let messages: Weak<Self> = Arc::downgrade(&courier);
        courier.keys.ask_for_lost_copies(messages);
        courier
    }

    /// The events that it wants to hear.
    pub(super) fn interest() -> EventInterest {
        EventInterest::of(&[
            EventKind::ServerAck,
            EventKind::Receipt,
            EventKind::Connected,
            EventKind::OfflineSyncCompleted,
        ])
    }

    /// Feeds bells and deadlines while the connection lives.
    pub(super) async fn work(self: &Arc<Self>) -> Infallible {
        let mut deadline = self.deadline.subscribe();
        let ready = self.be_ready_in_time();
        tokio::pin!(ready);
        loop {
            let due = *deadline.borrow_and_update();
            let reached = async {
                match due {
                    Some(due) => clock::reached(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender lives in `self`.
                _ = deadline.changed() => {}
                () = self.bell.notified() => self.feed(Input::Rung),
                () = reached => self.feed(Input::Deadline),
                never = &mut ready => match never {},
            }
        }
    }

    /// After the login, should WhatsApp not say that its queue has ended.
    async fn be_ready_in_time(self: &Arc<Self>) -> Infallible {
        loop {
            self.connected.notified().await;
            tokio::time::sleep(QUEUE_TIMEOUT).await;
            self.feed(Input::Ready);
        }
    }

    /// Waits until the receipts that came so far are written.
    ///
    /// # Errors
    /// They are not: nothing more may be sent.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.receipts.settle().await
    }

    /// Takes one input. When it returns its effects are under way.
    fn feed(self: &Arc<Self>, input: Input) {
        let mut inner = self.lock();
        let stepped = machine::step(&mut inner.machine, input, clock::now());
        let deadline = inner.machine.deadline();
        self.deadline.send_if_modified(|current| std::mem::replace(current, deadline) != deadline);
        for effect in stepped.effects {
            self.carry_out(effect, &mut inner);
        }
        let Inner { machine, sends, .. } = &mut *inner;
        sends.retain(|send| machine.holds(send.id));
        if sends.is_empty() {
            *sends = Vec::new();
        }
        if let Some((before, after)) = stepped.moved {
            tracing::trace!(incarnation = %self.shell.incarnation, "messages: {before} → {after}");
        }
    }

    fn carry_out(self: &Arc<Self>, effect: Effect, inner: &mut Inner) {
        let courier = Arc::clone(self);
        match effect {
            Effect::Take { mut held, room } => {
                // They would be taken again and again, in the place of others.
                held.extend(&inner.unread);
                self.start(async move {
                    let mut taken = courier.store.take(&courier.link, courier.connection, &held, room).await;
                    if let Ok(taken) = &mut taken {
                        courier.lock().unread.append(&mut taken.unread);
                    }
                    courier.feed(Input::Taken(taken));
                });
            }
            Effect::Settle(outcomes) => self.start(async move {
                let settled = courier.store.settle(&courier.link, courier.connection, &outcomes).await;
                courier.feed(Input::Settled(settled));
            }),
            Effect::Send(message) => {
                let stop = CancellationToken::new();
                let (id, wa_id, since) = (message.id, message.wa_id.clone(), std::time::Instant::now());
                // The same message may have rested since a former try.
                inner.sends.retain(|send| send.id != id);
                inner.sends.push(UnderWay { id, wa_id, stop: stop.clone(), since });
                self.start(async move { courier.send(*message, stop).await });
            }
            Effect::Stop(id) => {
                inner.sends.iter().filter(|send| send.id == id).for_each(|send| send.stop.cancel());
            }
            Effect::EndConnection(cause) => self.end_connection(cause),
        }
    }

    fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.shell.runtime.start(task));
    }

    fn end_connection(&self, cause: EndCause) {
        let incarnation = self.shell.incarnation;
        match cause {
            EndCause::NotAcknowledged => {
                tracing::warn!(%incarnation, "WhatsApp does not acknowledge a message; connecting anew to find out");
                self.shell.feed_outcome(Outcome::NotAcknowledged);
            }
            EndCause::NotOurs => {
                self.shell.feed_outcome(Outcome::StoreFailed("messages can no longer be taken".to_owned()));
            }
        }
    }

    /// One try of a message.
    async fn send(self: &Arc<Self>, message: OutgoingMessage, stop: CancellationToken) {
        let id = message.id;
        let not_sent = |why| self.feed(Input::NotSent { id, why });
        let Some(client) = self.shell.client() else { return not_sent(NotSent::Disconnected) };
        let Some(chat) = compose::chat_of(&message) else { return not_sent(NotSent::Malformed) };
        let own = OwnJids::of(&client);
        let mut stanza = client.wait_for_sent_node(sent_as(&message.wa_id));
        let _limit = chat.is_group().then(|| GroupLimit::set(&self.keys, &chat, &client, &message.wa_id));
        let options = SendOptions::default().with_message_id(message.wa_id.as_str());
        let sending = async {
            let to = self.recipient(&client, &message, &chat).await?;
            let secret = self.keys.message_secret(&message.wa_id);
            let composed = compose::message(&message, &to, &own, &secret, clock::now());
            let sent = client.send_message_with_options(to, composed, options).await;
            sent.map(drop).map_err(|failure| self.describe(id, &chat, &failure))
        };
        tokio::pin!(sending);
        let ended = tokio::select! {
            biased;
            left = &mut stanza => match left {
                Ok(stanza) => {
                    self.has_left(id, &client, &stanza, &chat, &own).await;
                    // It does more than to write the frame. Whether that arrived, WhatsApp says.
                    let _ = sending.await;
                    return;
                }
                Err(_) => Err(NotSent::Disconnected),
            },
            sent = &mut sending => sent,
            () = stop.cancelled() => Err(NotSent::Failed),
        };
        // The stanza may have left just now.
        match (stanza.try_recv(), ended) {
            (Ok(Some(stanza)), _) => self.has_left(id, &client, &stanza, &chat, &own).await,
            (Ok(None) | Err(_), Err(why)) => not_sent(why),
            (Ok(None) | Err(_), Ok(())) => not_sent(NotSent::Failed),
        }
    }

    /// Somebody who is known by a number alone is written to for the first time under the name that
    /// WhatsApp has for it. To a number that nobody has, the library would send the message to the own
    /// devices alone; that is noticed when it leaves, if WhatsApp does not say it before.
    async fn recipient(&self, client: &Client, message: &OutgoingMessage, chat: &Jid) -> Result<Jid, NotSent> {
        let number = Phone::from_digits(&chat.user).ok();
        let Some(number) = number.filter(|_| message.is_new_chat && chat.server.is_pn_family()) else {
            return Ok(chat.clone());
        };
        if number.has_spellings() {
            return self.as_it_is_spelt(client, number, chat).await;
        }
        match self.numbers.jid_of(client, number).await {
            Ok(Some(jid)) => Ok(jid),
            Ok(None) => Err(NotSent::NobodyThere),
            Err(_) => Ok(chat.clone()),
        }
    }

    /// WhatsApp may know the number in another spelling: the chat is called so from then on. What is kept
    /// of former checks does not say how the number is spelt, so WhatsApp is asked.
    async fn as_it_is_spelt(&self, client: &Client, number: Phone, chat: &Jid) -> Result<Jid, NotSent> {
        let answer = client.contacts().is_on_whatsapp(std::slice::from_ref(chat)).await;
        let Some(found) = answer.ok().and_then(|mut found| found.pop()) else { return Ok(chat.clone()) };
        if !found.is_registered && found.contact_error.is_none() {
            return Err(NotSent::NobodyThere);
        }
        let named = found.pn_jid.unwrap_or(found.jid).to_non_ad();
        let spelt = Phone::from_digits(&named.user).ok().filter(|_| named.server.is_pn_family());
        if spelt.is_none_or(|spelt| spelt == number || !spelt.is_same_number(&number)) {
            return Ok(chat.clone());
        }
        // By the LID it is called once that person writes, like everybody.
        let called = self.store.is_called(&self.link, &number, &named.to_string()).await;
        called.map(|()| named).map_err(|_| NotSent::Failed)
    }

    async fn has_left(self: &Arc<Self>, id: MessageId, client: &Client, stanza: &Node, chat: &Jid, own: &OwnJids) {
        self.came_to(id, SendStep::Wired);
        let is_reached = self.is_reached(client, stanza, chat, own).await;
        self.feed(Input::Wired { id, is_reached });
    }

    /// Whether somebody can read it.
    async fn is_reached(&self, client: &Client, stanza: &Node, chat: &Jid, own: &OwnJids) -> bool {
        let devices = compose::addressed_devices(stanza);
        if compose::names_the_recipient(&devices, chat, own) {
            return true;
        }
        if !compose::is_for_a_group(stanza) {
            return false;
        }
        // Members that have the group's key already are not named.
        let marks = client.persistence_manager().backend().get_sender_key_devices(&chat.to_string()).await;
        marks.is_ok_and(|marks| marks.iter().any(|(_, has_key)| *has_key))
    }

    /// None is the message's fault, also where the library says so of a group: it is WhatsApp's answer that
    /// was odd.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open")]
    fn describe(&self, id: MessageId, chat: &Jid, failure: &SendError) -> NotSent {
        tracing::debug!(incarnation = %self.shell.incarnation, message = id.0, kind = kind_of(failure), "a message was not sent");
        match failure {
            SendError::Client(_) | SendError::NotLoggedIn => NotSent::Disconnected,
            SendError::Iq(IqError::ServerError { code, .. }) if chat.is_group() => NotSent::Refused(*code),
            _ => NotSent::Failed,
        }
    }

    fn acknowledged(self: &Arc<Self>, ack: &ServerAck) {
        if ack.class.as_deref().is_some_and(|class| class != "message") {
            return;
        }
        let Some(id) = self.id_of(&ack.id) else { return };
        if ack.error.is_none() {
            self.came_to(id, SendStep::Acknowledged);
        }
        self.feed(match &ack.error {
            Some(code) => Input::Refused { id, code: code.parse().unwrap_or_default() },
            None => Input::Acked { id, at: ack.timestamp.map_or_else(clock::now, Instant::from) },
        });
    }

    fn received(self: &Arc<Self>, receipt: &events::Receipt) {
        if !self.receipts.put(receipt) {
            return;
        }
        for wa_id in &receipt.message_ids {
            if let Some(id) = self.id_of(wa_id) {
                self.feed(Input::Received { id, at: Instant::from(receipt.timestamp) });
            }
        }
    }

    fn came_to(&self, id: MessageId, step: SendStep) {
        let now = std::time::Instant::now();
        let before =
            self.lock().sends.iter_mut().find(|send| send.id == id).map(|send| mem::replace(&mut send.since, now));
        if let Some(before) = before {
            self.store.came_to(step, now - before);
        }
    }

    fn id_of(&self, wa_id: &str) -> Option<MessageId> {
        self.lock().sends.iter().find(|send| send.wa_id == wa_id).map(|send| send.id)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SentMessages for Courier {
    async fn sent(&self, chat: &str, wa_id: &str) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        let Some(client) = self.shell.client() else {
            return Err(StoreError::Unavailable("the connection is over".to_owned()));
        };
        // The library asks by one of the names, and repairs the session of the one that is found.
        let mut chats = vec![chat.to_owned()];
        if let Ok(jid) = chat.parse::<Jid>() {
            let called = content::party(&client, &jid, None).await?;
            chats.extend(called.phone.map(|phone| format!("{}@s.whatsapp.net", phone.digits())));
            chats.push(called.jid);
        }
        let found = self.store.find_sent(&self.link, &chats, wa_id).await?;
        let Some(SentMessage { message, tried_at, sent_at }) = found else { return Ok(None) };
        let Some(to) = compose::chat_of(&message) else { return Ok(None) };
        let secret = self.keys.message_secret(wa_id);
        let composed = compose::message(&message, &to, &OwnJids::of(&client), &secret, tried_at);
        Ok(Some((waproto::codec::message_to_vec(&composed), sent_at.0 / 1_000)))
    }
}

/// The events of the library, to a courier that its tasks share.
pub(super) struct CourierEvents(pub(super) Arc<Courier>);

impl EventHandler for CourierEvents {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's enum is open; `interest` is what it is asked for"
    )]
    fn handle_event(&self, event: Arc<Event>) {
        let courier = &self.0;
        match &*event {
            Event::ServerAck(ack) => courier.acknowledged(ack),
            Event::Receipt(receipt) => courier.received(receipt),
            Event::Connected(_) => courier.connected.notify_one(),
            Event::OfflineSyncCompleted(_) => courier.feed(Input::Ready),
            _ => {}
        }
    }
}

fn sent_as(wa_id: &str) -> NodeFilter {
    NodeFilter::tag("message").attr("id", wa_id.to_owned())
}

/// Without its text, which may quote what was sent.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is open")]
fn kind_of(failure: &SendError) -> &'static str {
    match failure {
        SendError::Client(_) => "connection",
        SendError::NotLoggedIn => "not logged in",
        SendError::Iq(_) => "query",
        SendError::InvalidRequest(_) => "invalid request",
        _ => "internal",
    }
}

/// While a message is sent to a group, the library records all members' devices as having the
/// group's key, also those that it had none for. They would never be given one.
struct GroupLimit {
    keys: Arc<dyn LinkKeys>,
    group: String,
    wa_id: String,
}

impl GroupLimit {
    fn set(keys: &Arc<dyn LinkKeys>, group: &Jid, client: &Client, wa_id: &str) -> Self {
        let group = group.to_string();
        let addressed = Mutex::new(Addressed::Awaited(client.wait_for_sent_node(sent_as(wa_id))));
        let is_keyed = move |device: &str| {
            let mut addressed = addressed.lock().unwrap_or_else(PoisonError::into_inner);
            addressed.names(device)
        };
        keys.limit_group_marks(&group, wa_id, Some(Box::new(is_keyed)));
        Self { keys: Arc::clone(keys), group, wa_id: wa_id.to_owned() }
    }
}

impl Drop for GroupLimit {
    fn drop(&mut self) {
        self.keys.limit_group_marks(&self.group, &self.wa_id, None);
    }
}

/// The devices that a stanza gave a key to, once it has left.
enum Addressed {
    Awaited(oneshot::Receiver<Arc<Node>>),
    Known(Vec<Jid>),
}

impl Addressed {
    fn names(&mut self, device: &str) -> bool {
        if let Self::Awaited(stanza) = self
            && let Ok(Some(stanza)) = stanza.try_recv()
        {
            *self = Self::Known(compose::addressed_devices(&stanza));
        }
        let Self::Known(devices) = self else { return false };
        device.parse::<Jid>().is_ok_and(|device| devices.contains(&device))
    }
}
