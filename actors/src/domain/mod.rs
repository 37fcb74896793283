//! The nouns. Values only: nothing here does anything.

mod advice;
mod audit;
mod close;
mod command;
mod event;
mod ids;
mod instant;
mod phone;
mod policy;
mod record;
mod secret;
mod status;

pub use advice::advice;
pub use audit::AuditEntry;
pub use close::{CloseReason, Verdict};
pub use command::{Command, CommandRow, PairMethod, PairRequest, PasskeyAnswer, Taken};
pub use event::{CancelReason, Event, PasskeyStage, Unlinked};
pub use ids::{AccountId, ChangeId, CommandId, Fence, Incarnation, KeyringId, OperatorId, TakingId, TicketId};
pub use instant::Instant;
pub use phone::{Phone, PhoneError};
pub use policy::{Policy, Refuse};
pub use record::{AccountRecord, Attempt, ConnectionSettings, Group, PendingAttempt, Swept, TicketRecord};
pub use secret::Secret;
pub use status::{Desired, Status};
