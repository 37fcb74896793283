//! Writes incoming messages: one statement per batch of a link.

use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use deadpool_postgres::{Object, Pool};
use paird_actors::domain::{
    IncomingMessage, Instant, MessageDirection, MessageId, Party, Phone, StoreError, UnreadMessage, UnreadReason,
    WaitingMessage,
};
use paird_sql::queries::messages::{
    self as sql, TakeWaiting, end_waits, put_back_waiting, record_messages, take_waiting,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::outbox::Waker;
use super::pool::{bounded, connection};
use super::store::strip_nul;
use crate::whatsapp::{MessageLink, MessageStore};

/// The columns' limit for a WhatsApp id, a jid or a person's name, in characters.
const KEY_MAX: usize = 200;
/// Messages of a chat that one statement merges into another chat.
const MERGE_BATCH: i32 = 5_000;
/// Waiting messages that a phone is asked for at once.
const WAITING_BATCH: i64 = 100;
/// The last second that has a year of four digits.
const SENT_MAX: i64 = 253_402_300_799_000;

/// Writes the messages of a daemon.
#[derive(Clone)]
pub struct PgMessages {
    pool: Pool,
    process: Uuid,
    outbox: Waker,
}

impl PgMessages {
    /// `process` is that of the daemon's lease; `outbox` is woken after each commit with events.
    pub fn new(pool: Pool, process: Uuid, outbox: Waker) -> Self {
        Self { pool, process, outbox }
    }
}

/// Merges what is known of a person by a spelling of the number into what is known by `jid`, by which
/// the person is called from now on.
///
/// # Errors
/// `Fenced`: this daemon may not. `Unavailable`: a part of it may have been merged.
pub(super) async fn merge_chat(
    client: &Object,
    process: Uuid,
    link: &MessageLink,
    jid: &str,
    number: &str,
) -> Result<(), StoreError> {
    let (account, fence) = (&link.account.0, &link.fence.0);
    loop {
        let statement = sql::merge_chat();
        let bound = statement.bind(client, account, &process, fence, &jid, &number, &MERGE_BATCH);
        if !bounded(bound.opt()).await?.ok_or(StoreError::Fenced)? {
            return Ok(());
        }
    }
}

#[async_trait]
impl MessageStore for PgMessages {
    async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<Vec<usize>, StoreError> {
        let messages = Value::Array(batch.iter().map(row).collect());
        let MessageLink { account, fence, keyring, .. } = link;
        let client = connection(&self.pool).await?;
        loop {
            let statement = record_messages();
            let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &messages);
            let recorded = bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
            let Some(Value::Array(split)) = recorded.split else {
                if !recorded.written.is_empty() {
                    self.outbox.wake();
                }
                // Postgres counts from one.
                return Ok(recorded.written.into_iter().filter_map(|nth| usize::try_from(nth - 1).ok()).collect());
            };
            for former in split {
                let [jid, number] = [0, 1].map(|nth| former[nth].as_str().unwrap_or_default());
                merge_chat(&client, self.process, link, jid, number).await?;
                self.outbox.wake();
            }
        }
    }

    /// At most three times each, less and less often, and for two weeks.
    async fn take_waiting(&self, link: &MessageLink, age: Duration) -> Result<Vec<WaitingMessage>, StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let (age, client) = (age.as_secs_f64(), connection(&self.pool).await?);
        let statement = take_waiting();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &age, &WAITING_BATCH);
        Ok(bounded(bound.all()).await?.into_iter().filter_map(waiting).collect())
    }

    async fn put_back_waiting(&self, link: &MessageLink, messages: &[MessageId]) -> Result<(), StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let messages: Vec<i64> = messages.iter().map(|id| id.0).collect();
        let client = connection(&self.pool).await?;
        let statement = put_back_waiting();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &messages);
        bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        Ok(())
    }

    async fn end_waits(&self, link: &MessageLink, unread: &[UnreadMessage]) -> Result<(), StoreError> {
        let unread = Value::Array(unread.iter().map(ended).collect());
        let MessageLink { account, fence, keyring, .. } = link;
        let client = connection(&self.pool).await?;
        let statement = end_waits();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &unread);
        if bounded(bound.opt()).await?.ok_or(StoreError::Fenced)? > 0 {
            self.outbox.wake();
        }
        Ok(())
    }
}

fn ended(message: &UnreadMessage) -> Value {
    let UnreadMessage { chat, sender, wa_id, why } = message;
    let (what, is_certain) = match why {
        UnreadReason::ForPrograms(what) => (what.as_str(), true),
        UnreadReason::NotOnPhone => ("not_on_phone", false),
    };
    json!({
        "chat": key(&chat.jid), "chat_phone": phone(chat),
        "sender": key(&sender.jid), "sender_phone": phone(sender),
        "wa_id": key(wa_id), "what": what, "is_certain": is_certain,
    })
}

/// `None` for a message that did not come in.
fn waiting(row: TakeWaiting) -> Option<WaitingMessage> {
    let party =
        |jid, phone: Option<String>| Party { jid, phone: phone.and_then(|phone| Phone::from_digits(&phone).ok()) };
    Some(WaitingMessage {
        id: MessageId(row.id),
        direction: MessageDirection::parse(&row.direction)?,
        chat: party(row.chat, row.chat_phone),
        sender: party(row.sender, row.sender_phone),
        wa_id: row.wa_id,
        sent_at: Instant::from(row.sent_at.to_utc()),
    })
}

/// Values that a stranger chose are cut to the limits of the columns: WhatsApp would send a
/// message that the database refuses again for ever.
fn row(message: &IncomingMessage) -> Value {
    let IncomingMessage { direction, chat, sender, sender_name, wa_id, sent_at, content, media } = message;
    let mut row = json!({
        "direction": direction,
        "chat": key(&chat.jid), "chat_phone": phone(chat),
        "sender": key(&sender.jid), "sender_phone": phone(sender),
        "name": sender_name.as_deref().map(key),
        "wa_id": key(wa_id),
        "sent_ms": sent_at.0.clamp(0, SENT_MAX),
        "media": media.as_ref().map(|sealed| BASE64_STANDARD.encode(sealed)),
    });
    let rest = match content {
        Ok(content) => json!({
            "state": "received", "kind": content.said.kind(), "content": strip_nul::json(&content.json()),
            "refers_to_wa_id": content.refers_to().map(key),
        }),
        Err(reason) => json!({ "state": "waiting", "reason": reason }),
    };
    if let (Value::Object(row), Value::Object(rest)) = (&mut row, rest) {
        row.extend(rest);
    }
    row
}

fn phone(party: &Party) -> Option<&str> {
    party.phone.as_ref().map(Phone::digits)
}

fn key(text: &str) -> String {
    let kept: String = strip_nul::text(text).chars().take(KEY_MAX).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}
