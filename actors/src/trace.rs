//! Which command led to what: a span that goes with it from the supervisor through the
//! account's actor to store and gateway. Off unless the log asks for [`TARGET`] at debug.

use tracing::{Span, debug_span, field};

use crate::domain::{CommandRow, TicketRecord};

/// What `PAIRD_LOG` calls it.
pub const TARGET: &str = "paird::trace";

/// A command on its way. Its account's label is not known before its actor is found.
pub fn command(row: &CommandRow) -> Span {
    debug_span!(target: TARGET, "command", id = %row.id, kind = %row.kind, account = %row.account, label = field::Empty)
}

/// The command is handed to the actor of the account with this label.
pub fn delivered(command: &Span, label: &str) {
    command.record("label", label);
}

/// A ticket's tries belong to no command: it outlives the one that opened it.
pub fn ticket(ticket: &TicketRecord) -> Span {
    debug_span!(target: TARGET, "unlink", ticket = %ticket.id, account = %ticket.account, label = %ticket.label)
}
