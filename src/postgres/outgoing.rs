//! Outgoing messages: what a connection takes, and what came of it. The functions that
//! sql/queries/outgoing.sql calls decide.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use paird_actors::domain::{
    AccountId, Instant, MessageId, MessageRef, OutgoingContent, OutgoingMessage, Pace, Party, Phone, Receipt,
    ReceiptKind, SendOutcome, StoreError, TakenMessages,
};
use paird_sql::queries::outgoing::{
    find_sent_message, list_ringing, record_receipts, settle_messages, sweep_messages, take_messages,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::messages::merge_chat;
use super::outbox::Waker;
use super::pool::{bounded, connection};
use super::store::strip_nul;
use crate::whatsapp::{MessageLink, OutgoingStore, SentMessage};

/// How long a message waits that this version cannot read: a newer one may.
const UNREADABLE_PAUSE: Duration = Duration::from_mins(15);
/// Messages that one statement ends because their time is over.
const SWEEP_BATCH: i32 = 500;
/// The column's limit for a jid.
const JID_MAX: usize = 200;
/// The last second that has a year of four digits.
const TIME_MAX: i64 = 253_402_300_799_000;

/// The outgoing messages of a daemon's accounts.
#[derive(Clone)]
pub struct PgOutgoing {
    pool: Pool,
    process: Uuid,
    outbox: Waker,
}

impl PgOutgoing {
    /// `process` is that of the daemon's lease; `outbox` is woken after each commit with events.
    pub fn new(pool: Pool, process: Uuid, outbox: Waker) -> Self {
        Self { pool, process, outbox }
    }

    fn wake_if(&self, told: bool) {
        if told {
            self.outbox.wake();
        }
    }
}

#[async_trait]
impl OutgoingStore for PgOutgoing {
    async fn take(
        &self,
        link: &MessageLink,
        connection_id: Uuid,
        held: &[MessageId],
        room: u16,
    ) -> Result<TakenMessages, StoreError> {
        let MessageLink { account, fence, keyring, epoch } = link;
        let held: Vec<i64> = held.iter().map(|id| id.0).collect();
        let room = i32::from(room);
        let client = connection(&self.pool).await?;
        let statement = take_messages();
        let bound = statement.bind(
            &client,
            &account.0,
            &self.process,
            &fence.0,
            &keyring.0,
            epoch,
            &connection_id,
            &held,
            &room,
        );
        let row = bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        if row.overtaken {
            return Err(StoreError::Overtaken);
        }
        self.wake_if(row.told);
        let taken: Vec<_> = row.taken.as_array().into_iter().flatten().map(|row| (row, message(row))).collect();
        let mut unread = Vec::new();
        for outcome in taken.iter().filter(|(_, message)| message.is_none()).filter_map(|(row, _)| later(row)) {
            // Each by itself, so that one row that cannot be written stops no other.
            match self.settle(link, connection_id, std::slice::from_ref(&outcome)).await {
                Ok(()) => {}
                Err(why @ (StoreError::Fenced | StoreError::Overtaken)) => return Err(why),
                Err(why) => {
                    let (MessageId(id), _) = outcome;
                    tracing::warn!(message = id, %why, "a message that cannot be read cannot be given back, either");
                    unread.push(MessageId(id));
                }
            }
        }
        Ok(TakenMessages {
            unread,
            messages: taken.into_iter().filter_map(|(_, message)| message).collect(),
            pace: Some(Pace { rate: row.rate, burst: u32::try_from(row.burst).unwrap_or(1) }),
            recent: u32::try_from(row.recent).unwrap_or(0),
            has_more: row.has_more,
            next_due: row.next_due_secs.map(|secs| Duration::try_from_secs_f64(secs).unwrap_or_default()),
        })
    }

    async fn settle(
        &self,
        link: &MessageLink,
        connection_id: Uuid,
        outcomes: &[(MessageId, SendOutcome)],
    ) -> Result<(), StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let outcomes = Value::Array(outcomes.iter().map(|(id, outcome)| outcome_row(*id, outcome)).collect());
        let client = connection(&self.pool).await?;
        let statement = settle_messages();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &connection_id, &outcomes);
        let row = bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        self.wake_if(row.told);
        if row.overtaken { Err(StoreError::Overtaken) } else { Ok(()) }
    }

    async fn record_receipts(&self, link: &MessageLink, receipts: &[Receipt]) -> Result<(), StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let receipts = Value::Array(receipts.iter().map(receipt_row).collect());
        let client = connection(&self.pool).await?;
        let statement = record_receipts();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &receipts);
        self.wake_if(bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?);
        Ok(())
    }

    async fn is_called(&self, link: &MessageLink, number: &Phone, jid: &str) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        merge_chat(&client, self.process, link, jid, number.digits()).await?;
        self.outbox.wake();
        Ok(())
    }

    async fn find_sent(
        &self,
        link: &MessageLink,
        chats: &[String],
        wa_id: &str,
    ) -> Result<Option<SentMessage>, StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let chats: Vec<_> = chats.iter().map(|chat| strip_nul::text(chat)).collect();
        let wa_id = strip_nul::text(wa_id);
        let client = connection(&self.pool).await?;
        let statement = find_sent_message();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &wa_id, &chats);
        Ok(bounded(bound.opt()).await?.and_then(|row| {
            let (tried_at, sent_at) = (Instant(row.taken_ms?), Instant(row.sent_ms?));
            message(&row.sent).map(|message| SentMessage { message, tried_at, sent_at })
        }))
    }

    async fn ringing(&self) -> Result<Vec<AccountId>, StoreError> {
        let client = connection(&self.pool).await?;
        let ids = bounded(list_ringing().bind(&client, &self.process).all()).await?;
        Ok(ids.into_iter().map(AccountId).collect())
    }

    /// Of all accounts: of one without a connection nobody else does.
    async fn sweep(&self) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        loop {
            let swept = bounded(sweep_messages().bind(&client, &SWEEP_BATCH).one()).await?;
            self.wake_if(swept.told);
            if !swept.more {
                return Ok(());
            }
        }
    }
}

/// A message as `take_messages` returns it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TakenRow {
    id: i64,
    chat: String,
    phone: Option<String>,
    wa_id: String,
    content: Content,
    attempt: u16,
    is_new_chat: bool,
    maybe_sent: bool,
    expires_ms: Option<i64>,
    target: Option<Target>,
}

/// The message that it refers to; `sender` is null if that is the account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    wa_id: String,
    sender: Option<String>,
    phone: Option<String>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    Text {
        body: String,
        #[serde(default)]
        mentions: Vec<String>,
    },
    Reaction {
        emoji: String,
    },
    Edit {
        body: String,
    },
    Revoke {},
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
}

/// `None` for what this version does not know, or somebody changed by hand.
fn message(row: &Value) -> Option<OutgoingMessage> {
    let Ok(row) = TakenRow::deserialize(row) else {
        tracing::warn!(message = ?row.get("id"), "a queued message cannot be read, and waits for a version that can");
        return None;
    };
    let target = row.target.map(|target| MessageRef {
        wa_id: target.wa_id,
        sender: target.sender.map(|jid| party(jid, target.phone)),
        body: target.body,
    });
    Some(OutgoingMessage {
        id: MessageId(row.id),
        chat: party(row.chat, row.phone),
        wa_id: row.wa_id,
        content: row.content.about(target)?,
        attempt: row.attempt,
        is_new_chat: row.is_new_chat,
        maybe_sent: row.maybe_sent,
        expires_at: row.expires_ms.map(Instant),
    })
}

/// The row is given back.
fn later(row: &Value) -> Option<(MessageId, SendOutcome)> {
    let id = row.get("id")?.as_i64()?;
    Some((MessageId(id), SendOutcome::Again { after: UNREADABLE_PAUSE }))
}

impl Content {
    /// `None` if there is nothing that it refers to: the statement lets no such message through.
    fn about(self, target: Option<MessageRef>) -> Option<OutgoingContent> {
        Some(match self {
            Self::Text { body, mentions } => {
                let mentions = mentions.into_iter().map(jid).collect();
                OutgoingContent::Text { body, mentions, reply_to: target }
            }
            Self::Reaction { emoji } => OutgoingContent::Reaction { of: target?, emoji },
            Self::Edit { body } => OutgoingContent::Edit { of: target?, body },
            Self::Revoke {} => OutgoingContent::Revoke { of: target? },
            Self::Location { latitude, longitude, name, address } => {
                OutgoingContent::Location { latitude, longitude, name, address, reply_to: target }
            }
        })
    }
}

/// A person is stored by the number, if that is known.
fn jid(person: String) -> String {
    if person.contains('@') { person } else { format!("{person}@s.whatsapp.net") }
}

fn party(jid: String, phone: Option<String>) -> Party {
    Party { jid, phone: phone.and_then(|digits| Phone::from_digits(&digits).ok()) }
}

fn outcome_row(id: MessageId, outcome: &SendOutcome) -> Value {
    match outcome {
        SendOutcome::Sent { at } => json!({ "id": id.0, "state": "sent", "at_ms": time(*at) }),
        SendOutcome::Again { after } => {
            let after_ms = i64::try_from(after.as_millis()).unwrap_or(TIME_MAX).min(TIME_MAX);
            json!({ "id": id.0, "state": "queued", "after_ms": after_ms })
        }
        SendOutcome::Failed { reason, code } => {
            json!({ "id": id.0, "state": "failed", "reason": reason, "code": code })
        }
    }
}

fn receipt_row(receipt: &Receipt) -> Value {
    let Receipt { chat, by, wa_ids, kind, at } = receipt;
    let wa_ids: Vec<String> = wa_ids.iter().map(|id| strip_nul::text(id)).collect();
    json!({
        "chat": short(&chat.jid), "chat_phone": chat.phone.as_ref().map(Phone::digits),
        "participant": short(&by.jid),
        "wa_ids": wa_ids,
        "kind": match kind {
            ReceiptKind::Delivered => "delivered",
            ReceiptKind::Read => "read",
        },
        "at_ms": time(*at),
    })
}

fn time(at: Instant) -> i64 {
    at.0.clamp(0, TIME_MAX)
}

/// Whoever sends a receipt chose its jid.
fn short(jid: &str) -> String {
    let kept: String = strip_nul::text(jid).chars().take(JID_MAX).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}
