//! Which command led to what: a span that goes with it from the supervisor through the
//! account's actor to store and gateway. Off unless the log asks for [`TARGET`] at debug.

use tracing::{Span, debug_span, field};

use crate::domain::{AccountRecord, CommandRow, TicketRecord};

/// What `PAIRD_LOG` calls it.
pub const TARGET: &str = "paird::trace";

/// A command on its way. Its account's label is not known before the actor has it.
pub fn command(row: &CommandRow) -> Span {
    debug_span!(target: TARGET, "command", id = %row.id, kind = %row.kind, account = %row.account, label = field::Empty)
}

/// The actor has taken the command.
pub fn arrived(command: &Span, record: &AccountRecord) {
    command.record("label", field::display(&record.label));
}

/// A ticket's tries belong to no command: it outlives the one that opened it.
pub fn ticket(ticket: &TicketRecord) -> Span {
    debug_span!(target: TARGET, "unlink", ticket = %ticket.id, account = %ticket.account, label = %ticket.label)
}
