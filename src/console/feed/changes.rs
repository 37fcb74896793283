//! The changes in the database since the last read, as frames of the live stream.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
};

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use paird_actors::domain::{StoreError, describe_event, reason_text};
use paird_sql::queries::console::{
    FeedEvent, ShownAccount, get_feed_line, list_changed_accounts, list_feed_events, list_shown_accounts,
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Cursor, Frame};
use crate::{console::account_view::Account, postgres::pool::bounded};

/// Events that are read at once.
pub const PAGE: i64 = 500;

/// The accounts as they were published last, and how far the events were.
pub struct Changes {
    accounts: HashMap<Uuid, Account>,
    /// Every transaction below it has ended, and what it wrote was published.
    watermark: i64,
    cursor: Cursor,
}

impl Changes {
    /// Starts with the rows of now: none of them is a change.
    pub async fn from_now(client: &Client) -> Result<Self, StoreError> {
        let watermark = bounded(get_feed_line().bind(client).one()).await?;
        let rows = bounded(list_shown_accounts().bind(client).all()).await?;
        let accounts = rows.into_iter().map(|row| (row.id, Account::from(row))).collect();
        Ok(Self { accounts, watermark, cursor: Cursor::before(watermark) })
    }

    /// Accounts come before events, so that a client that receives an event already has the
    /// account as it is after the event.
    pub async fn read(&mut self, client: &Client) -> Result<Vec<Frame>, StoreError> {
        // Before the rows are read, so that none changes in between.
        let watermark = bounded(get_feed_line().bind(client).one()).await?;
        let changed = bounded(list_changed_accounts().bind(client, &self.watermark).all()).await?;
        let mut frames: Vec<Frame> = changed.into_iter().filter_map(|row| self.on_row(row)).collect();
        self.watermark = watermark;
        loop {
            let Cursor { xact, id } = self.cursor;
            let page = bounded(list_feed_events().bind(client, &xact, &id, &PAGE).all()).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
            for event in page {
                self.cursor = Cursor { xact: event.xact, id: event.id };
                frames.push(Frame { cursor: Some(self.cursor), text: event_frame(event) });
            }
            if is_last {
                return Ok(frames);
            }
        }
    }

    /// Accounts that no longer exist: the list of changes leaves out old deletions.
    pub async fn deleted(&mut self, client: &Client) -> Result<Vec<Frame>, StoreError> {
        let rows = bounded(list_shown_accounts().bind(client).all()).await?;
        let present: HashSet<Uuid> = rows.into_iter().map(|row| row.id).collect();
        let deleted: Vec<Uuid> = self.accounts.keys().copied().filter(|id| !present.contains(id)).collect();
        Ok(deleted.into_iter().filter_map(|id| self.on_deleted(id)).collect())
    }

    /// One frame for each account, in the order of lists, and then one with the ids of all: other
    /// accounts that a client knows were deleted while it was away.
    pub fn snapshot(&self) -> Vec<Bytes> {
        let mut accounts: Vec<&Account> = self.accounts.values().collect();
        let order = |account: &Account| -> (DateTime<Utc>, Uuid) { (account.created_at, account.id) };
        accounts.sort_by_key(|account| order(account));
        let ids: Vec<Uuid> = accounts.iter().map(|account| account.id).collect();
        let end = frame("accounts", None, &json!({ "ids": ids }));
        accounts.into_iter().map(account_frame).chain([end]).collect()
    }

    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    pub fn is_anybody_pending(&self) -> bool {
        self.accounts.values().any(Account::is_pending)
    }

    /// `None` if the account was never published.
    fn on_deleted(&mut self, id: Uuid) -> Option<Frame> {
        let deleted = self.accounts.remove(&id)?;
        let text = frame("account", None, &json!({"id": deleted.id, "deleted": true}));
        Some(Frame { cursor: None, text })
    }

    /// `None` if nothing that is shown has changed.
    fn on_row(&mut self, row: ShownAccount) -> Option<Frame> {
        if row.deleted_at.is_some() {
            return self.on_deleted(row.id);
        }
        let account = Account::from(row);
        if self.accounts.get(&account.id) == Some(&account) {
            return None;
        }
        let text = account_frame(&account);
        self.accounts.insert(account.id, account);
        Some(Frame { cursor: None, text })
    }
}

/// An event with the whole payload of its row, and what its reason means.
pub fn event_frame(event: FeedEvent) -> Bytes {
    let cursor = Cursor { xact: event.xact, id: event.id };
    let (text, tone) = describe_event(&event.kind, &event.payload);
    let head = json!({
        "type": event.kind,
        "accountId": event.account_id,
        "id": event.id,
        "seq": event.seq,
        "createdAt": event.created_at.to_utc(),
        "eventText": text,
        "tone": tone,
    });
    let reason = reason_text(&event.payload);
    let mut data = match event.payload {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => serde_json::Map::new(),
    };
    if let Value::Object(head) = head {
        data.extend(head);
    }
    if let Some(reason) = reason {
        data.insert("reasonText".to_owned(), Value::String(reason));
    }
    frame(&event.kind, Some(cursor), &Value::Object(data))
}

fn account_frame(account: &Account) -> Bytes {
    // A struct of texts, numbers and times always has a JSON form. A snapshot is thousands of them.
    frame("account", None, &serde_json::to_string(account).unwrap_or_default())
}

/// JSON has no line ends of its own, and a kind is a word.
fn frame(kind: &str, cursor: Option<Cursor>, data: &impl Display) -> Bytes {
    let id = cursor.map(|cursor| format!("id: {cursor}\n")).unwrap_or_default();
    Bytes::from(format!("event: {kind}\n{id}data: {data}\n\n"))
}
