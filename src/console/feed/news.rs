//! What the followers know, and what is new to them.

use std::collections::{HashMap, HashSet};

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use paird_actors::ports::StoreError;
use paird_sql::queries::console::{
    FeedEvent, ShownAccount, get_feed_line, list_changed_accounts, list_feed_events, list_shown_accounts,
};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{Frame, Place};
use crate::{console::shown::Account, postgres::pool::bounded};

/// Events that are read at once.
pub const PAGE: i64 = 500;

/// The accounts as they were told last, and how far the events were.
pub struct News {
    accounts: HashMap<Uuid, Account>,
    /// Below it every transaction is over: what they wrote was told.
    line: i64,
    place: Place,
}

impl News {
    /// Whatever is there already is no news.
    pub async fn from_now(client: &Client) -> Result<Self, StoreError> {
        let line = bounded(get_feed_line().bind(client).one()).await?;
        let rows = bounded(list_shown_accounts().bind(client, &None).all()).await?;
        let accounts = rows.into_iter().map(|row| (row.id, Account::from(row))).collect();
        Ok(Self { accounts, line, place: Place::before(line) })
    }

    /// The accounts first: who hears an event finds the account as it is after it.
    pub async fn read(&mut self, client: &Client) -> Result<Vec<Frame>, StoreError> {
        // Before the rows are read, so that none changes in between.
        let line = bounded(get_feed_line().bind(client).one()).await?;
        let changed = bounded(list_changed_accounts().bind(client, &self.line).all()).await?;
        let mut frames: Vec<Frame> = changed.into_iter().filter_map(|row| self.on_row(row)).collect();
        self.line = line;
        loop {
            let Place { xact, id } = self.place;
            let page = bounded(list_feed_events().bind(client, &xact, &id, &PAGE).all()).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
            for event in page {
                self.place = Place { xact: event.xact, id: event.id };
                frames.push(Frame { place: Some(self.place), text: event_frame(event) });
            }
            if is_last {
                return Ok(frames);
            }
        }
    }

    /// Accounts that are not there any more: what was deleted long ago is in no list of changes.
    pub async fn gone(&mut self, client: &Client) -> Result<Vec<Frame>, StoreError> {
        let rows = bounded(list_shown_accounts().bind(client, &None).all()).await?;
        let present: HashSet<Uuid> = rows.into_iter().map(|row| row.id).collect();
        let gone: Vec<Uuid> = self.accounts.keys().copied().filter(|id| !present.contains(id)).collect();
        Ok(gone.into_iter().filter_map(|id| self.on_gone(id)).collect())
    }

    /// One frame for each, in the order of lists.
    pub fn accounts(&self) -> Vec<Bytes> {
        let mut accounts: Vec<&Account> = self.accounts.values().collect();
        let order = |account: &Account| -> (DateTime<Utc>, Uuid) { (account.created_at, account.id) };
        accounts.sort_by_key(|account| order(account));
        accounts.into_iter().map(account_frame).collect()
    }

    pub fn place(&self) -> Place {
        self.place
    }

    pub fn line(&self) -> i64 {
        self.line
    }

    pub fn is_anybody_pending(&self) -> bool {
        self.accounts.values().any(Account::is_pending)
    }

    /// `None` if nobody was told of it.
    fn on_gone(&mut self, id: Uuid) -> Option<Frame> {
        let gone = self.accounts.remove(&id)?;
        let text = frame("account", None, &json!({"id": gone.id, "deleted": true}));
        Some(Frame { place: None, text })
    }

    /// `None` if what it shows is what it showed.
    fn on_row(&mut self, row: ShownAccount) -> Option<Frame> {
        if row.deleted_at.is_some() {
            return self.on_gone(row.id);
        }
        let account = Account::from(row);
        if self.accounts.get(&account.id) == Some(&account) {
            return None;
        }
        let text = account_frame(&account);
        self.accounts.insert(account.id, account);
        Some(Frame { place: None, text })
    }
}

/// An event with the whole payload of its row.
pub fn event_frame(event: FeedEvent) -> Bytes {
    let place = Place { xact: event.xact, id: event.id };
    let head = json!({
        "type": event.kind,
        "accountId": event.account_id,
        "id": event.id,
        "seq": event.seq,
        "createdAt": event.created_at.to_utc(),
    });
    let mut told = match event.payload {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => serde_json::Map::new(),
    };
    if let Value::Object(head) = head {
        told.extend(head);
    }
    frame(&event.kind, Some(place), &Value::Object(told))
}

fn account_frame(account: &Account) -> Bytes {
    // A struct of texts, numbers and times always has a JSON form.
    frame("account", None, &serde_json::to_value(account).unwrap_or_default())
}

/// JSON has no line ends of its own, and a kind is a word.
fn frame(kind: &str, place: Option<Place>, data: &Value) -> Bytes {
    let id = place.map(|place| format!("id: {place}\n")).unwrap_or_default();
    Bytes::from(format!("event: {kind}\n{id}data: {data}\n\n"))
}
