//! The statements and their answers, as values.

use std::time::Duration;

use uuid::Uuid;

use super::rows::StoredKeyring;
use crate::domain::{
    AccountId, CommandId, CommandRow, ConnectionSettings, Event, Fence, Instant, KeyringId, Loaded, MessageId, Receipt,
    SendOutcome, Survey, Taken, TakenMessages, TakingId, TicketId, TicketRecord, Write,
};

/// The link under which a connection sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendingLink {
    pub account: AccountId,
    pub fence: Fence,
    pub keyring: KeyringId,
    /// Of the opening of the keyring that the connection uses.
    pub epoch: i64,
}

/// One statement, by the name that it has in `sql/queries`.
#[derive(Clone, Debug)]
pub enum Statement {
    TakeLease {
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        draining: bool,
        drain_no: i64,
    },
    RenewLease {
        process: Uuid,
        ttl: Duration,
        renewal: i64,
        refresh: bool,
        draining: bool,
        drain_no: i64,
    },
    SurveyDaemons {
        process: Uuid,
    },
    ReleaseLease {
        process: Uuid,
    },
    ShortenLease {
        process: Uuid,
        left: Duration,
    },
    BuryProcesses {
        gone: Vec<Uuid>,
    },
    SetDraining {
        process: Uuid,
        draining: bool,
        drain_no: i64,
    },
    GiveAccountsBack {
        process: Uuid,
        drain_no: i64,
    },
    /// `survey_fleet` and `list_owned_accounts`.
    Survey {
        process: Uuid,
        running: Vec<AccountId>,
    },
    ClaimAccounts {
        process: Uuid,
        limit: u32,
    },
    ReleaseAccount {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    RetakeAccount {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    LoadAccount {
        process: Uuid,
        account: AccountId,
    },
    LoadConnectionSettings {
        process: Uuid,
        account: AccountId,
        fence: Fence,
    },
    LoadTicket {
        process: Uuid,
        ticket: TicketId,
    },
    TakeCommands {
        process: Uuid,
        taking: TakingId,
        handed: Vec<Taken>,
    },
    FailOrphanedCommands,
    RequeueCommands {
        process: Uuid,
        commands: Vec<Taken>,
    },
    RecordChange {
        process: Uuid,
        write: Box<Write>,
    },
    RetryTicket {
        process: Uuid,
        ticket: TicketRecord,
        attempts: u32,
        error: String,
        next_retry_at: Instant,
    },
    CloseTicket {
        process: Uuid,
        ticket: TicketRecord,
        is_abandoned: bool,
        event: Event,
    },
    OpenKeyring {
        process: Uuid,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
        opening: u64,
    },
    PutCredentials {
        process: Uuid,
        account: AccountId,
        fence: Fence,
        keyring: KeyringId,
        epoch: i64,
        counter: i64,
    },
    TakeMessages {
        process: Uuid,
        link: SendingLink,
        connection: Uuid,
        held: Vec<MessageId>,
        room: u16,
    },
    SettleMessages {
        process: Uuid,
        link: SendingLink,
        connection: Uuid,
        outcomes: Vec<(MessageId, SendOutcome)>,
    },
    RecordReceipts {
        process: Uuid,
        link: SendingLink,
        receipts: Vec<Receipt>,
    },
    SweepMessages,
    ListRinging {
        process: Uuid,
    },
}

/// The answer of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementAnswer {
    /// The statement returns nothing of interest.
    Nothing,
    /// No epoch: a later renewal came first.
    Taken {
        epoch: Option<i64>,
        database_now: Instant,
    },
    Renewed {
        found: bool,
        epoch: Option<i64>,
        expired: bool,
        database_now: Instant,
    },
    Daemons {
        live: u32,
        next_end: Option<Duration>,
    },
    Count(u32),
    Survey(Survey),
    Claimed(Vec<AccountId>),
    /// Whether a row was found.
    Found(bool),
    Loaded(Option<Box<Loaded>>),
    Settings(Option<ConnectionSettings>),
    Ticket(Option<TicketRecord>),
    Commands {
        due: Vec<CommandRow>,
        orphans: bool,
    },
    Orphans(Vec<CommandId>),
    /// `None`: the account has another owner, or a newer fence.
    Recorded(Option<Recorded>),
    Retried(Option<Retried>),
    /// Whether the ticket is still open; `None`: the account is another's.
    Closed(Option<bool>),
    Opened {
        held: bool,
        found: bool,
        keyring: Option<StoredKeyring>,
    },
    /// `None`: the account has another owner, a newer fence, or no longer this link.
    Messages(Option<TakenMessages>),
    /// Whether there are new events; `None` as above.
    Told(Option<bool>),
    /// Of messages: another connection has followed the one that says this.
    Overtaken,
    Ringing(Vec<AccountId>),
    /// The epoch of the keyring, if there is one, and whether the write was done.
    Put {
        held: bool,
        epoch: Option<i64>,
        written: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub in_turn: bool,
    pub was_written: bool,
    pub existing_label: Option<String>,
    /// More commands of the account wait.
    pub more: bool,
    pub is_live: bool,
    pub settings: ConnectionSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    pub is_written: bool,
    pub was_written: bool,
}
