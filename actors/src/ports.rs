//! What the machines' shells need from outside: a store and a gateway to WhatsApp.
//! `paird` implements both; the fakes here are for this crate's own tests.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

use crate::domain::{
    AccountId, AccountRecord, AuditEntry, ChangeId, CloseReason, CommandId, CommandRow, ConnectionSettings, Event,
    Fence, Group, Incarnation, Instant, KeyringId, PasskeyAnswer, PasskeyStage, PendingAttempt, Phone, Secret, Taken,
    TicketId, TicketRecord,
};

/// Why a store operation did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Another daemon owns the account now: nothing was written, and nothing more may be.
    #[error("the account belongs to another daemon now")]
    Fenced,
    /// The row has changed since the state that the write follows: nothing was written.
    /// Whoever wrote it must begin again, from the row.
    #[error("the row has changed since it was read")]
    Overtaken,
    /// The database will never take this write as it is (a constraint, a trigger, a value
    /// too large): nothing was written, and trying again is of no use.
    #[error("{0}")]
    Refused(String),
    /// What is stored cannot be used (undecryptable keys); a person must look.
    #[error("{0}")]
    Poisoned(String),
    /// The database did not do it: not reachable, timed out, failed. Whether it was done is unknown.
    #[error("{0}")]
    Unavailable(String),
}

/// One transaction on an account: its row, and everything that tells of the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub record: AccountRecord,
    pub qr: QrChange,
    pub pair_code: CodeChange,
    /// Keyrings whose link is gone or never was: shredded.
    pub erase: Vec<KeyringId>,
    /// Keyrings whose device entry must go: a ticket each, with its reason.
    pub tickets: Vec<(KeyringId, String)>,
    /// Replaces the account's groups.
    pub groups: Option<Vec<Group>>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditEntry>,
    /// Commands that end with this change.
    pub finished: Vec<Finished>,
    /// A phone with this number has scanned, and a link is being made: the keys of its
    /// connection become durable with this change, as those of the record's `linking`.
    pub links: Option<Phone>,
    /// The account's deletion is over with this change, unless a device entry must still
    /// leave a phone. Only the statement knows of tickets: where one is open, the row says
    /// `deleting` instead, and `account.deleted` says `pending`.
    pub deletes: bool,
}

/// A command that has ended, with its result in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub command: CommandId,
    pub kind: String,
    pub result: Result<String, String>,
}

impl Change {
    /// Writes the row and tells nothing; the rest is added by struct update.
    pub fn of(record: AccountRecord) -> Self {
        Self {
            record,
            qr: QrChange::Keep,
            pair_code: CodeChange::Keep,
            erase: Vec::new(),
            tickets: Vec::new(),
            groups: None,
            events: Vec::new(),
            audit: Vec::new(),
            finished: Vec::new(),
            links: None,
            deletes: false,
        }
    }
}

/// A change on its way into the database, under a name that a second try keeps.
#[derive(Clone, Debug)]
pub struct Write {
    pub id: ChangeId,
    /// The last change of the row that this one was decided on.
    pub follows: Option<ChangeId>,
    pub change: Change,
    /// Those of a change that [links](Change::links).
    pub keys: Option<SealedKeys>,
}

/// A keyring and its records, sealed: all of them opaque here.
#[derive(Clone)]
pub struct SealedKeys {
    pub keyring: KeyringId,
    pub wrapped_key: Vec<u8>,
    /// Which master key wraps it.
    pub master_key: String,
    pub records: Vec<SealedRecord>,
}

/// How many, and nothing of what they are.
impl std::fmt::Debug for SealedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} sealed records of keyring {}]", self.records.len(), self.keyring)
    }
}

/// One sealed record of a keyring.
#[derive(Clone)]
pub struct SealedRecord {
    pub kind: &'static str,
    pub name: String,
    pub sealed: Vec<u8>,
    /// See the column of `credentials`.
    pub stamp: i64,
}

/// What came of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The row says so, and everything that tells of it is written; by this try, or by
    /// an earlier one.
    Done {
        /// How a connection that is made right now is to be made; nothing while the
        /// daemon's lease is not live.
        settings: Option<ConnectionSettings>,
    },
    /// Nothing was written: the change gives the account a number that another live
    /// account of the operator has. The oldest one's label.
    NumberTaken { existing_label: String },
}

impl Written {
    /// What the database's answer to a write means: a change that was written before is
    /// done, whatever came after it.
    ///
    /// # Errors
    /// `Overtaken`: another change came first.
    pub fn of(
        was_written: bool,
        in_turn: bool,
        existing_label: Option<String>,
        settings: Option<ConnectionSettings>,
    ) -> Result<Self, StoreError> {
        match existing_label {
            _ if was_written => Ok(Self::Done { settings }),
            Some(existing_label) => Ok(Self::NumberTaken { existing_label }),
            None if in_turn => Ok(Self::Done { settings }),
            None => Err(StoreError::Overtaken),
        }
    }
}

/// An account's row, as a life begins with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub record: AccountRecord,
    /// What the first write of that life follows.
    pub last_change: Option<ChangeId>,
    /// What of the row cannot be read, and is left out of the record.
    pub damage: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QrChange {
    Keep,
    Clear,
    /// Shows this payload as a PNG on the row.
    Show {
        payload: Secret,
        at: Instant,
        expires_at: Instant,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeChange {
    Keep,
    Clear,
    Show(Secret),
}

/// The answer to "may this account hold this number?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The number is on the account's row now, and nobody else of the operator can have it.
    Granted,
    /// The oldest other live account of the operator that has it.
    Duplicate { existing_label: String },
}

/// Why nobody knows whose the number is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    #[error("the database did not answer in time")]
    Late,
    #[error("{0}")]
    Failed(String),
}

/// Why there are no groups.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GroupsError {
    #[error("WhatsApp did not answer")]
    Late,
    #[error("{0}")]
    Failed(String),
}

/// How a ticket's try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketOutcome {
    /// WhatsApp confirmed, or said that the device is gone: ticket and keyring are
    /// erased, `account.unlinked` is emitted, all in one transaction.
    Unlinked { reason: String },
    /// Tried again at the given moment.
    Failed { error: String, attempts: u32, next_retry_at: Instant },
    /// Out of time, by the database's clock: ticket and keyring are erased,
    /// `account.unlink_abandoned` is emitted.
    Abandoned { reason: String },
}

/// Postgres, for one daemon. Every write names what it follows (owner and fence, the last
/// change of a row, the taking of a command), so that one that is late, or comes twice,
/// writes nothing.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What this daemon owns of what needs a daemon, and of the accounts that are
    /// `running` here; and how much there is to share. Owns nothing while its lease is
    /// not live by the database's clock.
    async fn survey(&self, running: &[AccountId]) -> Result<Survey, StoreError>;

    /// Takes accounts that need a daemon and that nobody live owns, at most `limit`
    /// of them, those with waiting commands first; says how many.
    async fn claim_accounts(&self, limit: u32) -> Result<u32, StoreError>;

    /// Gives an account up, if it is still ours with that fence, and puts back its
    /// commands; the other daemons hear of it. Nothing of it may run here any more.
    async fn release_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError>;

    /// Takes an account back whose release was not answered, unless another daemon has it;
    /// a release that lands later does nothing.
    async fn retake_account(&self, account: AccountId, fence: Fence) -> Result<(), StoreError>;

    /// The account's row; `None` if it does not exist or is owned by another daemon.
    async fn load_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError>;

    /// How the account's next connection is to be made.
    ///
    /// # Errors
    /// `Fenced` if the account, under that fence and a live lease, is not this daemon's:
    /// then there must be no connection.
    async fn load_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError>;

    async fn load_ticket(&self, ticket: TicketId) -> Result<Option<TicketRecord>, StoreError>;

    /// Takes the next command of each owned account that has none running, oldest
    /// first, marks it `running`, and fails those whose account does not exist. An
    /// account at rest that nobody live owns is claimed for its command.
    async fn take_commands(&self) -> Result<Vec<CommandRow>, StoreError>;

    /// The account's commands that were taken here and have not ended, as of now.
    fn handed_out(&self, account: AccountId) -> Vec<Taken>;

    /// Puts these commands back into the queue, each if nobody has taken it since.
    async fn requeue_commands(&self, commands: &[Taken]) -> Result<(), StoreError>;

    /// One transaction; the events are sent to the event channel after it. Written again
    /// under the same id, since the outcome of the last try is unknown, it is one change.
    async fn record(&self, write: &Write) -> Result<Written, StoreError>;

    /// Ends a ticket's try, see [`TicketOutcome`].
    ///
    /// # Errors
    /// `Overtaken`: the ticket is at another try by now, or not out of time yet.
    async fn record_ticket(&self, ticket: &TicketRecord, outcome: &TicketOutcome) -> Result<(), StoreError>;

    /// The accounts whose rows say `pending`: ours, and those that nobody live owns.
    async fn list_pending(&self) -> Result<Vec<PendingAttempt>, StoreError>;
}

/// One daemon's view of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every account of ours that needs a daemon, and of those that were asked for every
    /// one that is ours, at rest or not.
    pub owned: Vec<Owned>,
    /// Accounts that need a daemon, whoever owns them.
    pub needing: u32,
    /// Daemons that are alive and not draining, this one among them.
    pub daemons: u32,
    /// How many accounts that need a daemon the one of them has that has fewest.
    pub least: u32,
}

/// An account that this daemon owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub account: AccountId,
    pub fence: Fence,
    /// May be handed over: neither in the middle of a pair attempt, nor linked just now.
    pub movable: bool,
    /// Needs an actor now: wanted paired, or in an unfinished state.
    pub active: bool,
    /// Open unlink tickets.
    pub tickets: Vec<TicketId>,
}

impl Owned {
    /// Has anything to run.
    pub fn needs_daemon(&self) -> bool {
        self.active || !self.tickets.is_empty()
    }
}

/// What a connection is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Link a new device: fresh keys, which stay in memory until [`Session::secure_keys`].
    Pair { code_for: Option<Phone> },
    /// Log in with the keyring's stored keys.
    Login,
}

/// An order for one connection.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub account: AccountId,
    pub label: String,
    pub fence: Fence,
    pub incarnation: Incarnation,
    pub keyring: KeyringId,
    pub purpose: Purpose,
    pub settings: ConnectionSettings,
}

/// Says what a connection lives through, at once and without waiting; safe to call
/// from any thread, also after the listener is gone.
pub type SessionListener = Arc<dyn Fn(Incarnation, SessionEvent) + Send + Sync>;

/// What happens on a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEvent {
    /// Its turn to connect has come: until then it waited for the connect budget.
    Dialing,
    /// A QR to show, for this long.
    Qr { payload: Secret, expires_at: Instant },
    /// The QR on show cannot be scanned any more, and the connection goes on for its code.
    QrOver,
    /// A code to type on the phone.
    Code { code: Secret, expires_at: Instant },
    /// The code on show is over, and this connection shows no other before the next [`Self::Code`].
    CodeOver { reason: CodeOver },
    /// WhatsApp asks for a passkey assertion, or to confirm one, until then.
    Passkey { stage: PasskeyStage, request: Value, expires_at: Instant },
    /// The phone scanned. Nothing is linked yet: the connection waits for
    /// [`Session::confirm_link`] or [`Session::refuse_link`].
    Scanned { phone: Phone, device_jid: String },
    /// A scan that failed (wrong signature, phone without multi-device): the next may do.
    ScanRejected { reason: String },
    /// Logged in: `<success>` was received.
    Open { phone: Option<Phone>, device_jid: Option<String> },
    /// The connection is over, by itself; the last event of its incarnation.
    Ended { reason: CloseReason },
}

/// Why a code is not on show any more, or never was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeOver {
    /// Nobody typed it in its time.
    Expired,
    /// It was typed and no link came of it: a wrong code, mostly; or WhatsApp wants another.
    Spent,
    /// WhatsApp gives none: why, in words.
    Refused(String),
}

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
    /// Seals the keys as they are now and hands them to `write`, which makes them durable,
    /// or not; what `write` says comes back. What the connection writes meanwhile waits, and
    /// is settled before anything is sent that rests on it.
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
    /// The reason in words; trying again later may do.
    async fn groups(&self) -> Result<Vec<Group>, String>;

    /// Hands over the operator's answer to a passkey challenge.
    ///
    /// # Errors
    /// The reason in words.
    async fn answer_passkey(&self, answer: PasskeyAnswer) -> Result<(), String>;

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

/// WhatsApp's word on an unlink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlinkAnswer {
    /// Removed, or known to be gone: the reason, raw.
    Gone(String),
    /// Not known: ask again later.
    Unknown(String),
}
