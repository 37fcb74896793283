//! Writes incoming messages: one statement per batch of a link.

use async_trait::async_trait;
use deadpool_postgres::Pool;
use paird_actors::domain::{IncomingMessage, Party, Phone, StoreError};
use paird_sql::queries::messages::record_messages;
use serde_json::{Value, json};
use uuid::Uuid;

use super::outbox::Waker;
use super::pool::{bounded, connection};
use super::store::strip_nul;
use crate::whatsapp::{MessageLink, MessageStore};

/// The columns' limit for a WhatsApp id, a jid or a person's name, in characters.
const KEY_MAX: usize = 200;
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

    /// Writes them in their order, all or none, and returns how many were new. Those that were
    /// written before are neither written nor reported again.
    ///
    /// # Errors
    /// `Fenced`: the account has another owner, or no longer this link.
    pub async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<i64, StoreError> {
        let messages = Value::Array(batch.iter().map(row).collect());
        let MessageLink { account, fence, keyring } = link;
        let client = connection(&self.pool).await?;
        let statement = record_messages();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &messages);
        let written = bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        if written > 0 {
            self.outbox.wake();
        }
        Ok(written)
    }
}

#[async_trait]
impl MessageStore for PgMessages {
    async fn record(&self, link: &MessageLink, batch: &[IncomingMessage]) -> Result<(), StoreError> {
        Self::record(self, link, batch).await.map(drop)
    }
}

/// Values that a stranger chose are cut to the limits of the columns: WhatsApp would send a
/// message that the database refuses again for ever.
fn row(message: &IncomingMessage) -> Value {
    let IncomingMessage { direction, chat, sender, sender_name, wa_id, sent_at, content } = message;
    let mut row = json!({
        "direction": direction,
        "chat": key(&chat.jid), "chat_phone": phone(chat),
        "sender": key(&sender.jid), "sender_phone": phone(sender),
        "name": sender_name.as_deref().map(key),
        "wa_id": key(wa_id),
        "sent_ms": sent_at.0.clamp(0, SENT_MAX),
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
