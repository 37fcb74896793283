//! The contents of a keyring: records of a kind and a name. Every storage method of the
//! protocol library is expressed in terms of them.

use async_trait::async_trait;
use paird_actors::domain::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::seal::Plain;

/// Below this is every stamp.
pub(crate) const ANY_STAMP: i64 = i64::MAX;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal),+ $(,)?) => {
        /// The kind of a record. The words are on the rows and in their associated data, so
        /// changing one makes its records unreadable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum RecordKind { $($(#[$doc])* $kind),+ }

        /// The words of all kinds.
        pub const RECORD_KINDS: &[&str] = &[$($word),+];

        impl RecordKind {
            /// Whether a message that was read with such a record has changed it, so that the
            /// message cannot be read with the new one.
            pub(crate) fn moves_on_with_messages(self) -> bool {
                matches!(self, Self::Session | Self::SenderKey)
            }

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word),+ }
            }
        }
    };
}

kinds!(
    AppVersion = "app_version",
    BaseKey = "base_key",
    /// The device itself: who it is linked as and its long-term keys. Every durable keyring has it.
    Device = "device",
    DeviceList = "device_list",
    GroupMetadata = "group_metadata",
    Identity = "identity",
    /// The id of the app state key that was stored last.
    LatestSyncKey = "latest_sync_key",
    LidMapping = "lid_mapping",
    /// The LID that a phone number was last seen with.
    LidOfPhone = "lid_of_phone",
    MessageSecret = "message_secret",
    MutationMac = "mutation_mac",
    PendingInbound = "pending_inbound",
    Prekey = "prekey",
    SenderKey = "sender_key",
    SenderKeyDevice = "sender_key_device",
    SentMessage = "sent_message",
    Session = "session",
    SignedPrekey = "signed_prekey",
    SyncKey = "sync_key",
    TcToken = "tc_token",
);

/// One record: found under its kind and name, opened.
#[derive(Clone)]
pub(crate) struct Entry {
    pub kind: RecordKind,
    pub name: String,
    pub value: Plain,
    /// In the clear on the row: a time in unix seconds. 0 where it means nothing.
    pub stamp: i64,
    pub durability: Durability,
}

/// By when a write of an entry must be durable, where writes are gathered in memory.
#[derive(Clone, Copy)]
pub(crate) enum Durability {
    /// Before anything more is sent: WhatsApp may come to rely on it.
    BeforeSend,
    /// Later: WhatsApp sends it again if it is lost.
    Later,
    /// `Later` if the function, given the former entry and the new one, says that nothing
    /// WhatsApp relies on differs; otherwise, and without a former one, `BeforeSend`.
    LaterIf(fn(&Entry, &Entry) -> bool),
}

impl Durability {
    fn may_wait(self, former: Option<&Entry>, present: &Entry) -> bool {
        match self {
            Self::BeforeSend => false,
            Self::Later => true,
            Self::LaterIf(same) => former.is_some_and(|former| same(former, present)),
        }
    }
}

impl Entry {
    pub fn new(kind: RecordKind, name: String, value: impl Into<Vec<u8>>) -> Self {
        Self { kind, name, value: Zeroizing::new(value.into()), stamp: 0, durability: Durability::BeforeSend }
    }

    /// # Errors
    /// Poisoned: the value has no JSON form.
    pub fn json<T: Serialize>(kind: RecordKind, name: String, value: &T) -> Result<Self, StoreError> {
        let value = serde_json::to_vec(value).map_err(|_| unreadable(kind))?;
        Ok(Self::new(kind, name, value))
    }

    pub fn stamped(self, stamp: i64) -> Self {
        Self { stamp, ..self }
    }

    pub fn durable(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// Whether something may be sent before this, written over `former`, is durable.
    pub fn may_wait(&self, former: Option<&Self>) -> bool {
        self.durability.may_wait(former, self)
    }

    /// # Errors
    /// Poisoned: it opened, but is not what a record of its kind is.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        // The parser's own words may quote what it read.
        serde_json::from_slice(&self.value).map_err(|_| unreadable(self.kind))
    }

    /// # Errors
    /// Poisoned: a value of another length.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        self.value.as_slice().try_into().map_err(|_| unreadable(self.kind))
    }

    pub fn into_value(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.value)
    }
}

/// A record that opens and still makes no sense.
pub(crate) fn unreadable(kind: RecordKind) -> StoreError {
    StoreError::Poisoned(format!("a stored {} record cannot be read by this build", kind.as_str()))
}

/// Which records of a kind go.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    Names(Vec<String>),
    Prefix(String),
    /// Those whose second part of the name is one of these (see [`super::record_key`]).
    SecondPart(Vec<String>),
    /// Those stamped, with anything but 0, below this.
    StampBelow(i64),
}

/// A store of a keyring's records. Each call is atomic; of several writes of one name
/// within a call the last counts.
#[async_trait]
pub(crate) trait Records: Send + Sync {
    async fn get(&self, kind: RecordKind, name: &str) -> Result<Option<Entry>, StoreError>;

    /// Those that exist, in no order.
    async fn get_many(&self, kind: RecordKind, names: Vec<String>) -> Result<Vec<Entry>, StoreError>;

    /// Those with a name that starts with `prefix` and a stamp below `stamp_below`, in no order.
    async fn list(&self, kind: RecordKind, prefix: &str, stamp_below: i64) -> Result<Vec<Entry>, StoreError>;

    /// Those with the greatest stamps, so many at most, in no order.
    async fn newest(&self, kind: RecordKind, count: usize) -> Result<Vec<Entry>, StoreError>;

    async fn names(&self, kind: RecordKind) -> Result<Vec<String>, StoreError>;

    /// The greatest name of a kind.
    async fn last_name(&self, kind: RecordKind) -> Result<Option<String>, StoreError>;

    /// Whether any of the kinds has a name that starts with one of the prefixes.
    async fn has_prefix(&self, kinds: &[RecordKind], prefixes: Vec<String>) -> Result<bool, StoreError>;

    /// Inserts or replaces. Copies of messages (`PendingInbound`) may stay in memory until a record
    /// is written that has read them: see [`RecordKind::moves_on_with_messages`].
    async fn put(&self, entries: Vec<Entry>) -> Result<(), StoreError>;

    /// Inserts those that are not there, and returns the names of the others, which stay as they are.
    /// All are of one kind. It may wait a moment for another write to go with.
    async fn add(&self, entries: Vec<Entry>) -> Result<Vec<String>, StoreError>;

    /// How many went.
    async fn delete(&self, kind: RecordKind, which: Selection) -> Result<u64, StoreError>;
}
