//! The nouns. Values only: nothing here does anything.

mod audit;
mod close;
mod command;
mod event;
mod ids;
mod instant;
mod phone;
mod policy;
mod reason;
mod record;
pub mod schema;
mod secret;
mod shown;
mod status;
mod word;

pub use audit::{AuditAction, AuditEntry};
pub use close::{CloseReason, Verdict};
pub use command::{Command, CommandKind, CommandRow, PairMethod, PairRequest, PasskeyAnswer, Taken};
pub use event::{CancelReason, Event, EventKind, PasskeyStage, Unlinked};
pub use ids::{AccountId, ChangeId, CommandId, Fence, Incarnation, KeyringId, OperatorId, TakingId, TicketId};
pub use instant::Instant;
pub use phone::{Phone, PhoneError};
pub use policy::{Policy, Refuse};
pub use reason::{Reason, StatusReason};
pub use record::{AccountRecord, Attempt, ConnectionSettings, Group, PendingAttempt, Swept, TicketRecord};
pub use secret::Secret;
pub use shown::{Phase, Shown};
pub use status::{Desired, Status};
