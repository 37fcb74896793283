//! The nouns. Values only: nothing here does anything.

mod audit;
mod backoff;
mod change;
mod close;
mod command;
mod contact_check;
mod ending;
mod event;
mod fleet;
mod ids;
mod instant;
mod message;
mod message_state;
mod message_text;
mod online;
mod outgoing;
mod phone;
mod policy;
mod reason;
mod record;
pub mod schema;
mod sealed;
mod secret;
mod session;
mod shown;
mod status;
mod store_error;
mod ticket;
mod word;

pub use audit::{AuditAction, AuditEntry, describe_action};
pub use backoff::{Backoff, Failures, Retry, jitter, share};
pub use change::{Change, Claim, ClaimError, CodeChange, Finished, QrChange, Update, Write, Written};
pub use close::{CloseReason, HoldCause, ProxyFault, Verdict};
pub use command::{
    Command, CommandError, CommandKind, CommandRow, CommandState, PairMethod, PairRequest, PasskeyAnswer, Taken,
};
pub use contact_check::{CONTACTS_PER_CHECK, CheckedContact, ContactCheckPlan, ContactCheckPolicy, ContactChecks};
pub use ending::{Ending, Member, Retired, Trouble};
pub use event::{
    AttemptEnd, CancelReason, Event, EventKind, PasskeyStage, Tone, Unlinked, describe_event, reason_text,
};
pub use fleet::{Owned, PendingAttempt, Survey, Swept};
pub use ids::{AccountId, ChangeId, CommandId, Fence, Incarnation, KeyringId, OperatorId, TakingId, TicketId};
pub use instant::Instant;
pub use message::{
    ContactCard, IncomingMessage, MediaDescription, MediaKind, MessageContent, MessageDirection, MessageKind, Party,
    Said, UnreadMessage, UnreadReason, WaitReason, WaitingMessage,
};
pub use message_state::{MessageState, describe_message_state, describe_pause};
pub use message_text::describe_message;
pub use online::{
    ChatJid, ChatJidError, OnlineAnswer, OnlineError, OnlineOrder, OnlineRequest, TypingState, UnreadChatMessage,
};
pub use outgoing::{
    MessageId, MessageRef, OutgoingContent, OutgoingMessage, Pace, Receipt, ReceiptKind, SendFailure, SendOutcome,
    TakenMessages,
};
pub use phone::{Phone, PhoneError};
pub use policy::{Policy, Refuse};
pub use reason::{Reason, StatusReason};
pub use record::{AccountRecord, Attempt, ConnectionSettings, Group, Link, LinkedDevice, Loaded, Presence};
pub use sealed::{SealedKeys, SealedRecord};
pub use secret::Secret;
pub use session::{CodeOver, GroupsError, OpenSession, PasskeyError, Purpose, SessionEvent, UnlinkAnswer};
pub use shown::{Phase, Shown};
pub use status::{Desired, Status};
pub use store_error::StoreError;
pub use ticket::{TicketOutcome, TicketReason, TicketRecord};
