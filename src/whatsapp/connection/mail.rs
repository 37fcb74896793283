use std::{future::Future, sync::Arc, time::Duration};

use paird_actors::domain::StoreError;

use super::{Chats, Courier, Inbox, Shell};

/// How long a write is retried. Until then what comes piles up in memory; then the connection
/// ends, and WhatsApp keeps it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_RETRY: Duration = Duration::from_millis(250);

/// The messages of a connection, both ways, and what else it does with chats.
#[derive(Clone)]
pub(in crate::whatsapp) struct Mail {
    pub(in crate::whatsapp) inbox: Arc<Inbox>,
    pub(in crate::whatsapp) courier: Arc<Courier>,
    pub(in crate::whatsapp) chats: Chats,
}

impl Mail {
    /// Waits until everything is written that the next frame may acknowledge.
    ///
    /// # Errors
    /// It is not: nothing more may be sent.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.inbox.settle().await?;
        self.courier.settle().await
    }
}

/// Repeats a write that the database does not answer, for a while.
///
/// # Errors
/// It was refused, or not answered in time.
pub(super) async fn write_in_time<F: Future<Output = Result<(), StoreError>>>(
    shell: &Shell,
    what: &str,
    write: impl Fn() -> F,
) -> Result<(), StoreError> {
    let written = async {
        loop {
            match write().await {
                Err(StoreError::Unavailable(why)) => {
                    tracing::debug!(incarnation = %shell.incarnation, %why, "{what} are not written yet");
                    tokio::time::sleep(WRITE_RETRY).await;
                }
                done => return done,
            }
        }
    };
    let seconds = WRITE_TIMEOUT.as_secs();
    let late = |_| Err(StoreError::Unavailable(format!("{what} could not be written within {seconds} s")));
    tokio::time::timeout(WRITE_TIMEOUT, written).await.unwrap_or_else(late)
}
