//! The ports of the machines' shells: a store, as one narrow trait for each client, and a
//! gateway to WhatsApp. `paird` implements both; their values are in [`crate::domain`].
//!
//! Every write of a store names the state it follows (owner and fence, the last change of a
//! row, the taking of a command), so that a late or repeated one writes nothing.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

use crate::domain::{
    AccountId, CommandRow, ConnectionSettings, Fence, Group, GroupsError, Incarnation, Loaded, OnlineAnswer,
    OnlineError, OnlineOrder, OpenSession, PasskeyAnswer, PasskeyError, PendingAttempt, SealedKeys, Secret,
    SessionEvent, StoreError, Survey, Taken, TicketId, TicketOutcome, TicketRecord, UnlinkAnswer, Write, Written,
};

/// The store of every actor that opens connections.
#[async_trait]
pub trait ConnectionStore: Send + Sync + 'static {
    /// The settings for the account's next connection.
    ///
    /// # Errors
    /// `Fenced` if the account, under that fence and a live lease, is not this daemon's:
    /// then there must be no connection.
    async fn load_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError>;
}

/// The store of an account's actor.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// One transaction; the events are sent to the event channel after it. Written again
    /// under the same id, since the outcome of the last try is unknown, it is one change.
    async fn record(&self, write: &Write) -> Result<Written, StoreError>;
}

/// The store of a ticket's actor.
#[async_trait]
pub trait TicketStore: Send + Sync + 'static {
    /// Ends a ticket's try, see [`TicketOutcome`].
    ///
    /// # Errors
    /// `Overtaken`: the ticket is at another try by now, or not out of time yet.
    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError>;
}

/// The store of the supervisor.
#[async_trait]
pub trait FleetStore: Send + Sync + 'static {
    /// The accounts of this daemon that need one or are `running` here, and the size of the
    /// fleet. A daemon owns nothing while its lease is not live by the database's clock.
    async fn survey(&self, running: &[AccountId]) -> Result<Survey, StoreError>;

    /// Claims up to `limit` accounts that need a daemon and have no live owner, those with
    /// waiting commands first; returns how many.
    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError>;

    /// Gives an account up, if it is still ours with that fence, and puts back its
    /// commands; the other daemons hear of it. Nothing of it may run here any more.
    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError>;

    /// Takes an account back whose release was not answered, unless another daemon has it;
    /// a release that lands later does nothing.
    async fn retake_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError>;

    /// The account's row; `None` if it does not exist or is owned by another daemon.
    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError>;

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError>;

    /// Takes the next command of each owned account that has none running, oldest
    /// first, marks it `running`, and fails those whose account does not exist. An
    /// account at rest without a live owner is claimed for its command.
    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError>;

    /// The account's commands that were taken here and have not ended, as of now.
    fn handed_out(&self, account: AccountId) -> Vec<Taken>;

    /// Puts these commands back into the queue, except for those that were taken again since.
    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError>;

    /// The accounts whose rows say `pending`: ours, and those without a live owner.
    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError>;
}

/// The whole store of a daemon.
pub trait Store: ConnectionStore + AccountStore + TicketStore + FleetStore {}

impl<S: ConnectionStore + AccountStore + TicketStore + FleetStore> Store for S {}

/// Draws QR codes.
#[async_trait]
pub trait QrPainter: Send + Sync + 'static {
    /// The payload as a PNG, base64.
    ///
    /// # Errors
    /// `Refused` if it does not fit in a QR code.
    async fn png(&self, payload: &Secret) -> Result<Secret, StoreError>;
}

/// Says what a connection lives through, at once and without waiting; safe to call
/// from any thread, also after the listener is gone.
pub type SessionListener = Arc<dyn Fn(Incarnation, SessionEvent) + Send + Sync>;

/// Connections to WhatsApp.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Starts a connection and returns at once when it is set up; it waits for its
    /// turn and connects in the background, and speaks through `listener`.
    ///
    /// # Errors
    /// The keys could not be read. Never means that there are none.
    async fn open(&self, order: OpenSession, listener: SessionListener) -> Result<Arc<dyn Session>, StoreError>;
}

/// One live connection.
#[async_trait]
pub trait Session: Send + Sync + 'static {
    /// Seals the current keys, hands them to `write`, which makes them durable or not, and
    /// returns its result. Key changes of the connection meanwhile wait, and are flushed before
    /// any frame is sent that depends on them.
    ///
    /// # Errors
    /// Those of `write`; or there is no scan that waits for its answer.
    async fn secure_keys(&self, write: WriteKeys) -> Result<Written, StoreError>;

    /// Lets the confirmation out to WhatsApp. Only after [`Session::secure_keys`].
    async fn confirm_link(&self);

    /// Never lets it out. The connection is closed by a following [`Session::close`].
    async fn refuse_link(&self);

    /// Asks WhatsApp to remove this device, and waits for its word.
    async fn unlink(&self) -> UnlinkAnswer;

    /// The groups that the account is in, as WhatsApp lists them now.
    ///
    /// # Errors
    /// Why there are none; trying again later may do.
    async fn groups(&self) -> Result<Vec<Group>, GroupsError>;

    /// Does what a command asks for. Nothing of it leaves after the order's `until`.
    ///
    /// # Errors
    /// Why WhatsApp does not have it, or may not have it.
    async fn ask(&self, order: OnlineOrder) -> Result<OnlineAnswer, OnlineError>;

    /// Hands over the operator's answer to a passkey challenge.
    ///
    /// # Errors
    /// Why WhatsApp does not have it.
    async fn answer_passkey(&self, answer: PasskeyAnswer) -> Result<(), PasskeyError>;

    /// Closes without logging out. After it returns nothing of this connection
    /// lives, and its listener is not called again.
    async fn close(&self);

    /// The same at once: nothing more is sent, written or waited for. For an account that
    /// is, or may soon be, another daemon's; also while a [`Session::close`] is under way.
    async fn cut(&self);
}

/// Makes sealed keys durable, within a change of the account.
pub type WriteKeys =
    Box<dyn FnOnce(SealedKeys) -> Pin<Box<dyn Future<Output = Result<Written, StoreError>> + Send>> + Send>;
