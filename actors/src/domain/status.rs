use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::word::word;

/// The state of an account, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    Unpaired,
    Pending,
    Connected,
    Reconnecting,
    Held,
    Deleting,
}

word!(Status);

impl Status {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unpaired => "no live link; keys may be parked",
            Self::Pending => "a pair attempt is running",
            Self::Connected => "logged in to WhatsApp",
            Self::Reconnecting => "linked, the connection is down, and the next try is scheduled",
            Self::Held => "linked or lost; needs a person or a date, the reason says which",
            Self::Deleting => "deleted by the operator; the device is still being removed from the phone",
        }
    }

    /// In a word or two, for people.
    pub fn headline(self) -> &'static str {
        match self {
            Self::Unpaired => "Not linked",
            Self::Pending => "Pairing",
            Self::Connected => "Connected",
            Self::Reconnecting => "Reconnecting",
            Self::Held => "Held",
            Self::Deleting => "Deleting",
        }
    }
}

/// The state that the operator wants. A restart restores from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Desired {
    Unpaired,
    Paired,
    Deleted,
}

word!(Desired);

impl Desired {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unpaired => "no connection; parked keys stay parked",
            Self::Paired => "a link, and a connection over it",
            Self::Deleted => "nothing of the account is to remain",
        }
    }
}
