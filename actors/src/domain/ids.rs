use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A row of `whatsapp_accounts`.
    AccountId
);
uuid_id!(
    /// The customer or team that an account belongs to. A number is unique among an operator's
    /// live accounts.
    OperatorId
);

impl OperatorId {
    /// The operator of accounts that are added without one: a fixed id, so that an
    /// installation with a single operator needs to name none.
    pub const DEFAULT: Self = Self(Uuid::from_u128(1));
}

uuid_id!(
    /// The keys of one link, that is of one device entry on a phone. A new link gets a new keyring.
    KeyringId
);
uuid_id!(
    /// A device entry on a phone that must go: a row of `unlink_tickets`.
    TicketId
);
uuid_id!(
    /// One change of an account: a change that is written again keeps it, and is one change.
    ChangeId
);
uuid_id!(
    /// One asking for commands: a command that was put back and taken again has another.
    TakingId
);

/// A row of `commands`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub i64);

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which ownership of an account a write belongs to. It grows with every change
/// of owner, and a write that names an older one writes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// The number of a connection within one actor's life. Events of a connection count only
/// while its number is the current one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
