//! Messages on their way out, as the database hands them to a connection, and what comes of them.
//! `Debug` shows no contents and nobody's number.

use std::{fmt, time::Duration};

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{Instant, MessageKind, Party, word::word};

/// A row of `messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

/// Another message of the same chat, as WhatsApp names it.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// WhatsApp's id of it.
    pub wa_id: String,
    /// Its author; `None` if that is this account, from here or from the phone.
    pub sender: Option<Party>,
    /// Its text, as long as that is kept: a reply quotes it.
    pub body: Option<String>,
}

/// What a message is to say.
#[derive(Clone, PartialEq)]
pub enum OutgoingContent {
    Text {
        body: String,
        /// Jids.
        mentions: Vec<String>,
        reply_to: Option<MessageRef>,
    },
    /// An empty emoji takes the reaction back.
    Reaction {
        of: MessageRef,
        emoji: String,
    },
    Edit {
        of: MessageRef,
        body: String,
    },
    Revoke {
        of: MessageRef,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
        reply_to: Option<MessageRef>,
    },
}

/// A message that a connection has taken to send it.
#[derive(Clone, PartialEq)]
pub struct OutgoingMessage {
    pub id: MessageId,
    /// A person or a group; the LID where that is known.
    pub chat: Party,
    /// WhatsApp's id of it, fixed since the row was made: every try has the same.
    pub wa_id: String,
    pub content: OutgoingContent,
    /// From 1.
    pub attempt: u16,
    /// Nothing was heard from this chat yet, and nothing sent to it before.
    pub is_new_chat: bool,
    /// An earlier try was left without an end: WhatsApp may have it.
    pub maybe_sent: bool,
    /// It is not sent after that.
    pub expires_at: Option<Instant>,
}

/// The pace that an account keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Messages a second, above 0.
    pub rate: f32,
    /// How many may go at once after a rest; at least 1.
    pub burst: u32,
}

/// The answer of the database to a connection that asks for messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenMessages {
    /// At most one of each chat, in the order of the rows; first those of former connections.
    pub messages: Vec<OutgoingMessage>,
    /// Taken, but neither readable nor given back: it stays with the connection, which does nothing about it.
    pub unread: Vec<MessageId>,
    pub pace: Option<Pace>,
    /// How many were taken of this account within the time that a burst takes to come back, these
    /// included.
    pub recent: u32,
    /// Whether more are due: they can be taken as soon as there is room and their chats are free.
    pub has_more: bool,
    /// When the next one is due that is not due yet: its `not_before`, its next try, or the day's
    /// room for new chats.
    pub next_due: Option<Duration>,
}

/// Why a message was not sent. The first part of `messages.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum SendFailure {
    /// Nobody has this number on WhatsApp.
    NotOnWhatsapp,
    /// None of the recipient's devices could be reached, so nobody could have read it.
    NoRecipientDevice,
    /// WhatsApp refused it; `code` says why.
    Refused,
    /// WhatsApp lets the account write to no new chats for the time being (463).
    ReachoutTimelocked,
    /// WhatsApp never said that it has the message.
    NoAck,
    /// Its time was over before it could be sent.
    Expired,
    /// What it refers to is gone.
    TargetMissing,
}

word!(SendFailure);

/// What came of a try.
#[derive(Clone, Debug, PartialEq)]
pub enum SendOutcome {
    /// WhatsApp has it, for at least one device of the recipient.
    Sent {
        at: Instant,
    },
    /// It did not reach WhatsApp, or only in vain: it may be taken again after this pause.
    Again {
        after: Duration,
    },
    Failed {
        reason: SendFailure,
        code: Option<u16>,
    },
}

/// How far a message got at the recipient's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReceiptKind {
    Delivered,
    Read,
}

/// A receipt for messages of this account.
#[derive(Clone, PartialEq)]
pub struct Receipt {
    pub chat: Party,
    /// Who has them: in a group a member.
    pub by: Party,
    pub wa_ids: Vec<String>,
    pub kind: ReceiptKind,
    /// By WhatsApp's clock.
    pub at: Instant,
}

impl OutgoingContent {
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Text { .. } => MessageKind::Text,
            Self::Reaction { .. } => MessageKind::Reaction,
            Self::Edit { .. } => MessageKind::Edit,
            Self::Revoke { .. } => MessageKind::Revoke,
            Self::Location { .. } => MessageKind::Location,
        }
    }
}

impl fmt::Debug for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[message]")
    }
}

impl fmt::Debug for OutgoingContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.kind())
    }
}

impl fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, wa_id, content, attempt, .. } = self;
        f.debug_struct("OutgoingMessage")
            .field("id", &id.0)
            .field("wa_id", wa_id)
            .field("content", content)
            .field("attempt", attempt)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wa_ids, kind, at, .. } = self;
        f.debug_struct("Receipt").field("wa_ids", wa_ids).field("kind", kind).field("at", at).finish_non_exhaustive()
    }
}
