//! Records log-ins, wrong tokens and administrative requests in the audit log. Written by the
//! daemon's login, which may append to it; the console's login may only read it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::Pool;
use paird_actors::domain::{AccountId, AuditAction, StoreError};
use paird_sql::queries::audit::{note_account_in_audit, note_in_audit};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::auth::Caller;
use crate::postgres::pool::{bounded, connection};

/// Wrong tokens within this are one line: a flood of them must not flood the log.
const BETWEEN_FAILURES: Duration = Duration::from_mins(1);
/// Entries waiting to be written. A client with the token can log in faster than that.
const MOST_WAITING: usize = 64;

struct Note {
    action: AuditAction,
    source: &'static str,
    /// What it was done to, if not to the daemon.
    account: Option<AccountId>,
}

#[derive(Default)]
struct WrongTokens {
    count: AtomicU64,
    seen: Notify,
}

/// Takes entries for the audit log without blocking the request.
pub struct Trail {
    notes: mpsc::Sender<Note>,
    wrong_tokens: Arc<WrongTokens>,
}

impl Trail {
    /// Writes in the background, as long as the console runs.
    pub fn start(pool: Pool, process: Uuid, ending: &CancellationToken) -> Self {
        let (notes, noted) = mpsc::channel(MOST_WAITING);
        let wrong_tokens = Arc::<WrongTokens>::default();
        let writer = Writer { pool, process };
        let seen = Arc::clone(&wrong_tokens);
        let writing = async move { tokio::join!(writer.write_notes(noted), writer.write_wrong_tokens(&seen)) };
        tokio::spawn(ending.clone().run_until_cancelled_owned(writing));
        Self { notes, wrong_tokens }
    }

    /// Of the daemon.
    pub fn note(&self, action: AuditAction, caller: Caller) {
        self.send(Note { action, source: caller.source(), account: None });
    }

    pub fn note_account(&self, action: AuditAction, caller: Caller, account: AccountId) {
        self.send(Note { action, source: caller.source(), account: Some(account) });
    }

    fn send(&self, note: Note) {
        let action = note.action;
        if self.notes.try_send(note).is_err() {
            warn!(action = action.as_str(), "the audit log takes no more at once; this is not in it");
        }
    }

    /// Counted; written at once if none was for a minute.
    pub fn wrong_token(&self) {
        self.wrong_tokens.count.fetch_add(1, Ordering::Relaxed);
        self.wrong_tokens.seen.notify_one();
    }
}

struct Writer {
    pool: Pool,
    process: Uuid,
}

impl Writer {
    async fn write_notes(&self, mut noted: mpsc::Receiver<Note>) {
        while let Some(Note { action, source, account }) = noted.recv().await {
            match account {
                None => self.write(action, source, &json!({})).await,
                Some(account) => warn_of_failure(action, self.write_of_account(action, source, account).await),
            }
        }
    }

    async fn write_wrong_tokens(&self, wrong: &WrongTokens) {
        loop {
            wrong.seen.notified().await;
            let count = wrong.count.swap(0, Ordering::Relaxed);
            if count > 0 {
                self.write(AuditAction::ConsoleLoginFailed, "", &json!({ "count": count })).await;
                tokio::time::sleep(BETWEEN_FAILURES).await;
            }
        }
    }

    async fn write(&self, action: AuditAction, source: &str, payload: &Value) {
        warn_of_failure(action, self.try_write(action, source, payload).await);
    }

    async fn write_of_account(&self, action: AuditAction, source: &str, account: AccountId) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        let (action, channel) = (action.as_str(), "http");
        bounded(note_account_in_audit().bind(&client, &source, &action, &channel, &account.0)).await.map(drop)
    }

    async fn try_write(&self, action: AuditAction, source: &str, payload: &Value) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        let target = Some(self.process);
        let (action, of, channel) = (action.as_str(), "daemon", "http");
        bounded(note_in_audit().bind(&client, &source, &action, &of, &target, payload, &channel)).await.map(drop)
    }
}

fn warn_of_failure(action: AuditAction, written: Result<(), StoreError>) {
    if let Err(why) = written {
        warn!(%why, action = action.as_str(), "failed to write a console action to the audit log");
    }
}
