//! Where a connection finds the messages that it is to send.

use async_trait::async_trait;
use paird_actors::domain::{AccountId, MessageId, Receipt, SendOutcome, StoreError, TakenMessages};
use uuid::Uuid;

use super::MessageLink;

/// Where outgoing messages are.
#[async_trait]
pub trait OutgoingStore: Send + Sync + 'static {
    /// Takes at most `room` messages that are due: first those that were left without an end and are
    /// not `held` by this connection, then the oldest of each chat that it has nothing of.
    ///
    /// # Errors
    /// `Fenced`: this daemon may take none. `Unavailable`: some may have been taken.
    async fn take(
        &self,
        link: &MessageLink,
        connection: Uuid,
        held: &[MessageId],
        room: u16,
    ) -> Result<TakenMessages, StoreError>;

    /// Writes what came of messages that this connection took. Of messages that another has taken
    /// since, it writes nothing.
    ///
    /// # Errors
    /// `Fenced`: this daemon may write nothing. `Unavailable`: it may have been written.
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
}
