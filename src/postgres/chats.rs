//! What is done with chats besides messages: sql/queries/chats.sql.

use async_trait::async_trait;
use chrono::DateTime;
use deadpool_postgres::Pool;
use paird_actors::domain::{
    ChatJid, CheckedContact, ContactCheckPolicy, ContactChecks, Instant, MessageId, Party, Phone, StoreError,
    UnreadChatMessage,
};
use paird_sql::queries::chats::{find_chat_jid, has_chat_message, list_unread_messages, mark_messages_as_read};
use paird_sql::queries::contacts::{
    begin_contact_checks, end_contact_checks, list_contact_checks, list_contacts_asked,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::pool::{bounded, connection};
use crate::whatsapp::{ChatStore, MessageLink};

/// How far back a chat is looked through for what is not marked as read.
const DEPTH: i64 = 1_000;

/// The chats of a daemon's accounts.
#[derive(Clone)]
pub struct PgChats {
    pool: Pool,
    process: Uuid,
}

impl PgChats {
    /// `process` is that of the daemon's lease.
    pub fn new(pool: Pool, process: Uuid) -> Self {
        Self { pool, process }
    }
}

#[async_trait]
impl ChatStore for PgChats {
    async fn jid_of(&self, link: &MessageLink, chat: &ChatJid) -> Result<String, StoreError> {
        let client = connection(&self.pool).await?;
        bounded(find_chat_jid().bind(&client, &link.account.0, &chat.as_str()).one()).await
    }

    async fn unread(
        &self,
        link: &MessageLink,
        chat: &str,
        up_to: MessageId,
    ) -> Result<Option<Vec<UnreadChatMessage>>, StoreError> {
        let (account, client) = (&link.account.0, connection(&self.pool).await?);
        if !bounded(has_chat_message().bind(&client, &up_to.0, account, &chat).one()).await? {
            return Ok(None);
        }
        let rows = bounded(list_unread_messages().bind(&client, account, &chat, &up_to.0, &DEPTH).all()).await?;
        let unread = rows.into_iter().map(|row| UnreadChatMessage {
            id: MessageId(row.id),
            wa_id: row.wa_id,
            sender: Party {
                jid: row.sender,
                phone: row.sender_phone.and_then(|digits| Phone::from_digits(&digits).ok()),
            },
        });
        Ok(Some(unread.collect()))
    }

    async fn mark_as_read(&self, link: &MessageLink, messages: &[MessageId]) -> Result<(), StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let messages: Vec<i64> = messages.iter().map(|id| id.0).collect();
        let client = connection(&self.pool).await?;
        let statement = mark_messages_as_read();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &messages);
        bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        Ok(())
    }

    async fn contact_checks(
        &self,
        link: &MessageLink,
        phones: &[Phone],
        policy: &ContactCheckPolicy,
    ) -> Result<ContactChecks, StoreError> {
        let (account, phones) = (&link.account.0, digits(phones));
        let client = connection(&self.pool).await?;
        let rows = bounded(list_contact_checks().bind(&client, account, &phones).all()).await?;
        let answers = rows.into_iter().filter_map(|row| {
            let phone = Phone::from_digits(&row.phone).ok()?;
            Some(CheckedContact { phone, chat: row.chat, checked_at: Instant::from(row.checked_at.to_utc()) })
        });
        let answers = answers.collect();
        let (window, most) = (policy.window.as_secs_f64(), i64::try_from(policy.budget).unwrap_or(i64::MAX));
        let asked = bounded(list_contacts_asked().bind(&client, account, &window, &most).all()).await?;
        Ok(ContactChecks {
            answers,
            asked: asked.into_iter().map(|at: DateTime<_>| Instant::from(at.to_utc())).collect(),
        })
    }

    async fn begin_contact_checks(&self, link: &MessageLink, phones: &[Phone]) -> Result<(), StoreError> {
        let (MessageLink { account, fence, keyring, .. }, phones) = (link, digits(phones));
        let client = connection(&self.pool).await?;
        let statement = begin_contact_checks();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &phones);
        bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        Ok(())
    }

    async fn end_contact_checks(&self, link: &MessageLink, answers: &[CheckedContact]) -> Result<(), StoreError> {
        let MessageLink { account, fence, keyring, .. } = link;
        let answers = answers.iter().map(|answer| {
            json!({
                "phone": answer.phone.digits(), "is_on_whatsapp": answer.chat.is_some(), "chat": answer.chat,
                "at_ms": answer.checked_at.0,
            })
        });
        let answers = Value::Array(answers.collect());
        let client = connection(&self.pool).await?;
        let statement = end_contact_checks();
        let bound = statement.bind(&client, &account.0, &self.process, &fence.0, &keyring.0, &answers);
        bounded(bound.opt()).await?.ok_or(StoreError::Fenced)?;
        Ok(())
    }
}

fn digits(phones: &[Phone]) -> Vec<&str> {
    phones.iter().map(Phone::digits).collect()
}
