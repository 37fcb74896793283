//! Messages on their way out: added once, taken in order, each written once what came of it.

mod adding;
mod histories;
mod keeping;
mod long_queues;
mod pacing;
mod receipts;
mod settling;
mod taking;

use std::future::poll_fn;
use std::time::Duration;

use paird::postgres::outbox::Waker;
use paird::postgres::outgoing::PgOutgoing;
use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{
    Instant, KeyringId, MessageId, OutgoingMessage, Receipt, ReceiptKind, SendFailure, SendOutcome, StoreError,
    TakenMessages,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{AsyncMessage, Client, Error, NoTls};
use uuid::Uuid;

use crate::messages::{Linked, party};
use crate::support::Database;

struct Bell {
    heard: mpsc::UnboundedReceiver<String>,
    _client: Client,
}

impl Bell {
    async fn heard(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.unwrap().unwrap()
    }
}

/// When WhatsApp had a message, and when its recipient.
const SENT: Instant = Instant(1_700_000_000_000);
const RECEIVED: Instant = Instant(1_700_000_001_000);

/// A linked account that sends without limits, and one of its connections.
struct Sending {
    linked: Linked,
    connection: Uuid,
    /// As the machine of the connection has it.
    held: Vec<MessageId>,
}

impl Sending {
    async fn new(database: &Database) -> Self {
        let sending = Self::slow(database).await;
        database.web.execute("UPDATE whatsapp_accounts SET new_chats_per_day = NULL", &[]).await.unwrap();
        sending
    }

    /// With the limits that every account has at first.
    async fn slow(database: &Database) -> Self {
        Self { linked: Linked::new(database).await, connection: Uuid::new_v4(), held: Vec::new() }
    }

    fn store(&self) -> PgOutgoing {
        PgOutgoing::new(self.linked.daemon.pool.clone(), self.linked.daemon.process, Waker::default())
    }

    /// The next connection of the account, which opens its keyring.
    async fn reconnect(&mut self) {
        let client = self.linked.daemon.pool.get().await.unwrap();
        let opened = "UPDATE keyrings SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
        self.linked.link.epoch = client.query_one(opened, &[&self.linked.link.keyring.0]).await.unwrap().get(0);
        self.connection = Uuid::new_v4();
        self.held.clear();
    }

    /// The account has been paired anew, and this is the first connection of its new link.
    async fn pair_anew(&mut self, database: &Database) {
        let account = self.linked.record.id;
        let keyring = KeyringId(database.keyring(account).await);
        let linked = "UPDATE whatsapp_accounts SET keyring_id = $2 WHERE id = $1";
        database.web.execute(linked, &[&account.0, &keyring.0]).await.unwrap();
        self.linked.link.keyring = keyring;
        self.reconnect().await;
    }

    async fn try_to_take(&mut self, room: u16) -> Result<TakenMessages, StoreError> {
        let taken = self.store().take(&self.linked.link, self.connection, &self.held, room).await?;
        self.held.extend(taken.messages.iter().map(|message| message.id).chain(taken.unread.iter().copied()));
        Ok(taken)
    }

    async fn take(&mut self, room: u16) -> TakenMessages {
        self.try_to_take(room).await.unwrap()
    }

    async fn settle(&mut self, id: MessageId, outcome: SendOutcome) {
        self.store().settle(&self.linked.link, self.connection, &[(id, outcome)]).await.unwrap();
        self.held.retain(|held| *held != id);
    }

    async fn receive(&self, chat: &str, by: &str, wa_ids: &[&str], kind: ReceiptKind) {
        let wa_ids = wa_ids.iter().map(|id| (*id).to_owned()).collect();
        let receipt = Receipt { chat: party(chat), by: party(by), wa_ids, kind, at: RECEIVED };
        self.store().record_receipts(&self.linked.link, &[receipt]).await.unwrap();
    }
}

impl Database {
    async fn try_to_send(&self, account: &Sending, content: &Value, key: Option<&str>) -> Result<MessageId, Error> {
        let sql = "SELECT send_message($1, $2, $3)";
        let row = self.web.query_one(sql, &[&account.linked.record.id.0, content, &key]).await?;
        Ok(MessageId(row.get(0)))
    }

    async fn send_content(&self, account: &Sending, content: &Value) -> MessageId {
        self.try_to_send(account, content, None).await.unwrap()
    }

    async fn send_text(&self, account: &Sending, to: &str, body: &str) -> MessageId {
        self.send_content(account, &text_to(to, body)).await
    }

    /// With the arguments that follow the content.
    async fn send_with(&self, account: &Sending, to: &str, arguments: &str) -> MessageId {
        let sql = format!("SELECT send_message($1, $2, {arguments})");
        MessageId(self.one(&sql, &[&account.linked.record.id.0, &text_to(to, "x")]).await)
    }

    async fn cancel(&self, id: MessageId) -> bool {
        self.one("SELECT cancel_message($1)", &[&id.0]).await
    }

    /// What is told on a channel from now on.
    async fn listener(&self, channel: &str) -> Bell {
        let (client, mut connection) = tokio_postgres::connect(&self.text, NoTls).await.unwrap();
        let (forward, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    let _ = forward.send(notification.payload().to_owned());
                }
            }
        });
        client.batch_execute(&format!("LISTEN {channel}")).await.unwrap();
        Bell { heard, _client: client }
    }

    async fn column<T: FromSqlOwned>(&self, column: &str, id: MessageId) -> T {
        self.one(&format!("SELECT {column} FROM messages WHERE id = $1"), &[&id.0]).await
    }

    async fn state(&self, id: MessageId) -> String {
        self.column("state", id).await
    }

    async fn wa_id(&self, id: MessageId) -> String {
        self.column("wa_id", id).await
    }

    /// Kinds of the account's events, each with the message or reason that it names.
    async fn events(&self) -> Vec<String> {
        let sql = "SELECT coalesce(array_agg(kind || coalesce(' ' || (payload->>'messageId'), '')
                                             || coalesce(' ' || (payload->>'reason'), '') ORDER BY seq), '{}') FROM events";
        self.one(sql, &[]).await
    }

    /// So much time passes for everything that waits, was taken, or is paused.
    async fn passes(&self, time: &str) {
        let sql = format!(
            "UPDATE messages SET due_at = due_at - interval '{time}', taken_at = taken_at - interval '{time}',
                                 expires_at = expires_at - interval '{time}' WHERE direction = 'out';
             UPDATE whatsapp_accounts SET sending_paused_until = sending_paused_until - interval '{time}',
                                          send_level_at = send_level_at - interval '{time}'"
        );
        self.web.batch_execute(&sql).await.unwrap();
    }
}

fn text_to(to: &str, body: &str) -> Value {
    json!({"to": to, "type": "text", "text": {"body": body}})
}

fn ids(taken: &TakenMessages) -> Vec<MessageId> {
    taken.messages.iter().map(|message| message.id).collect()
}

fn only(taken: TakenMessages) -> OutgoingMessage {
    let mut messages = taken.messages;
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.pop().unwrap()
}

fn sent() -> SendOutcome {
    SendOutcome::Sent { at: SENT }
}

fn again(after: Duration) -> SendOutcome {
    SendOutcome::Again { after }
}

fn failed(reason: SendFailure) -> SendOutcome {
    SendOutcome::Failed { reason, code: None }
}

/// The message of the database's refusal.
fn refusal(wrong: &Error, code: &SqlState) -> String {
    let refused = wrong.as_db_error().unwrap();
    assert_eq!(refused.code(), code, "{}", refused.message());
    refused.message().to_owned()
}
