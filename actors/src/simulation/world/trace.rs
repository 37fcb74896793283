//! What a run says of itself, line by line.

use uuid::Uuid;

use super::{
    super::{
        daemon::outcome_names,
        model::{Statement, StatementAnswer},
    },
    BEGINNING, World,
};
use crate::domain::StoreError;

/// The lines of a trace that are kept.
const LINES: usize = 160;

impl World {
    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            if trace.len() == LINES {
                trace.pop_front();
            }
            trace.push_back(format!("{:>7}.{:03} {}", self.now / 1000, self.now % 1000, shortened(&what())));
        }
    }
}

/// Ids by their beginnings.
fn shortened(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let is_id = word.len() >= 36 && word.get(8..9) == Some("-") && word.get(13..14) == Some("-");
        if is_id { format!("{}{}", &word[..8], &word[36..]) } else { word.to_owned() }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

/// Whether a statement is so frequent that it would fill a trace.
pub(super) fn is_routine(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::RenewLease { .. }
            | Statement::Survey { .. }
            | Statement::TakeCommands { .. }
            | Statement::PutCredentials { .. }
            | Statement::ClaimAccounts { .. }
            | Statement::TakeMessages { .. }
            | Statement::SweepMessages
            | Statement::ListRinging { .. }
    )
}

pub(super) fn found_nothing(answer: &Result<StatementAnswer, StoreError>) -> bool {
    match answer {
        Ok(StatementAnswer::Renewed { epoch, expired, .. }) => epoch.is_some() && !expired,
        Ok(StatementAnswer::Commands { due, orphans }) => due.is_empty() && !orphans,
        Ok(StatementAnswer::Claimed(claimed)) => claimed.is_empty(),
        Ok(StatementAnswer::Messages(Some(taken))) => taken.messages.is_empty(),
        Ok(StatementAnswer::Ringing(accounts)) => accounts.is_empty(),
        Ok(StatementAnswer::Told(told)) => *told == Some(false),
        Ok(StatementAnswer::Survey(_) | StatementAnswer::Put { written: true, .. }) => true,
        _ => false,
    }
}

pub(super) fn said(statement: &Statement) -> String {
    match statement {
        Statement::RecordChange { write, .. } => {
            let record = &write.record;
            let short = |id: Option<Uuid>| id.map_or_else(|| "-".to_owned(), |id| id.to_string()[..8].to_owned());
            let events: Vec<_> = write.change.events.iter().map(|event| event.kind().as_str()).collect();
            let ended: Vec<_> = write.change.finished.iter().map(|ended| ended.command.0).collect();
            format!(
                "record_change {} after {} of {} {:?}: {} ({}) fence {} keyring {} linking {}, told {events:?}, ended {ended:?}, tickets {}, erased {}",
                short(Some(write.id.0)),
                short(write.follows.map(|id| id.0)),
                record.label,
                record.attempt().map(|attempt| attempt.deadline.0 - BEGINNING),
                record.status,
                record.reason,
                record.fence.0,
                short(record.keyring().map(|id| id.0)),
                short(record.linking().map(|id| id.0)),
                write.change.tickets.len(),
                write.change.erase.len(),
            )
        }
        Statement::TakeMessages { held, room, .. } => format!("take_messages, {room} besides {held:?}"),
        Statement::SettleMessages { outcomes, .. } => format!("settle_messages {:?}", outcome_names(outcomes)),
        Statement::RecordReceipts { receipts, .. } => format!("record_receipts {receipts:?}"),
        other => format!("{other:?}"),
    }
}

pub(super) fn said_answer(answer: &Result<StatementAnswer, StoreError>) -> String {
    match answer {
        Ok(StatementAnswer::Loaded(Some(loaded))) => {
            format!("{} ({}) fence {}", loaded.record.status, loaded.record.reason, loaded.record.fence.0)
        }
        Ok(answer) => format!("{answer:?}"),
        Err(why) => format!("{why:?}"),
    }
}
