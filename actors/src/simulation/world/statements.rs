//! The database's statements on their way, and what goes wrong with them.

use uuid::Uuid;

use super::{
    super::{
        daemon::{Arrival, AskedFor, Process},
        dice::Dice,
        flaws::Flaw,
        model::Statement,
        schedule::{Refused, StatementFault, StatementKind},
    },
    CONNECTIONS, Due, World,
    trace::{found_nothing, is_routine, said, said_answer},
};
use crate::domain::{AccountId, Change, CommandId, StoreError};

/// How long a caller waits for a statement.
const STATEMENT_TIMEOUT: i64 = 15_000;

pub type CallId = u64;

/// A statement on its way.
#[derive(Debug)]
pub struct StatementCall {
    pub daemon: usize,
    pub process: Uuid,
    pub statement: Statement,
    /// The continuation after its answer; none once it was given up.
    pub then: Option<AskedFor>,
    connection: usize,
    unheard: bool,
    /// Executions to come.
    left: u32,
    refused: Option<String>,
}

/// Statements that something is wrong with.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) sort: StatementKind,
    pub(super) left: u32,
    pub(super) how: StatementFault,
}

/// Changes that are refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) account: AccountId,
    pub(super) what: Refused,
    pub(super) until: Option<i64>,
}

impl World {
    /// Sends a statement. Its answer, or that there is none, comes to `then`.
    pub fn ask(&mut self, process: &Process, statement: Statement, then: AskedFor) {
        let daemon = process.daemon;
        self.statements += 1;
        let id = self.statements;
        let is_of_messages = is_of_messages(&statement);
        let mut call = StatementCall {
            daemon,
            process: process.id,
            statement,
            then: Some(then),
            connection: self.dice_of(is_of_messages).below(CONNECTIONS),
            unheard: false,
            left: 1,
            refused: None,
        };
        let way = self.dice_of(is_of_messages).spread(1, 40);
        let is_renewal = matches!(call.statement, Statement::RenewLease { .. } | Statement::TakeLease { .. });
        let mut at = if is_renewal { way } else { way.max(self.frozen_for(daemon, call.connection) + way) };
        let timeout = if is_renewal { 4_000 } else { STATEMENT_TIMEOUT };
        let mut again = None;
        let mut told = "";
        if let Some(how) = self.what_is_wrong(daemon, &call.statement) {
            match how {
                StatementFault::Late(ms) => (at, told) = (at + ms, ", late"),
                StatementFault::LateUnheard(ms) => {
                    (at, told) = (at + ms, ", late and unheard");
                    self.note(5, daemon, process.id, Arrival::TimedOut(id));
                }
                StatementFault::Unanswered => (call.unheard, told) = (true, ", unanswered"),
                StatementFault::Failed => {
                    (call.refused, told) = (Some("it failed".to_owned()), ", failing");
                }
                // Only what is tried again can come twice, and keys never are.
                StatementFault::Twice(_) if matches!(call.statement, Statement::PutCredentials { .. }) => {}
                // And outcomes are tried again later than a statement can be late, see `OutgoingPolicy`.
                StatementFault::Twice(_) if matches!(call.statement, Statement::SettleMessages { .. }) => {}
                StatementFault::Twice(ms) => {
                    (call.left, told) = (2, ", twice");
                    again = Some(at + ms);
                }
            }
        }
        if !is_routine(&call.statement) || !told.is_empty() {
            self.tell(|| format!("d{daemon} asks {}{told}", said(&call.statement)));
        }
        self.after(at, Due::Execute(id));
        if let Some(again) = again {
            self.after(again, Due::Execute(id));
        }
        self.note(timeout, daemon, process.id, Arrival::TimedOut(id));
        self.calls.insert(id, call);
    }

    fn dice_of(&mut self, is_of_messages: bool) -> &mut Dice {
        if is_of_messages { &mut self.message_dice } else { &mut self.dice }
    }

    fn frozen_for(&self, daemon: usize, connection: usize) -> i64 {
        let until = self.frozen.get(daemon).and_then(|all| all.get(connection)).copied().unwrap_or(0);
        (until - self.now).max(0)
    }

    fn what_is_wrong(&mut self, daemon: usize, statement: &Statement) -> Option<StatementFault> {
        let wrong = self.wrong.get_mut(daemon)?;
        let found = wrong.iter().position(|wrong| matches(wrong.sort, statement))?;
        let one = wrong.get_mut(found)?;
        one.left -= 1;
        let how = one.how;
        if one.left == 0 {
            wrong.remove(found);
        }
        Some(how)
    }

    /// The caller has given up, so its connection is discarded.
    pub fn give_up(&mut self, call: CallId) -> Option<AskedFor> {
        let call = self.calls.get_mut(&call)?;
        let then = call.then.take()?;
        if let Some(frozen) = self.frozen.get_mut(call.daemon).and_then(|all| all.get_mut(call.connection)) {
            *frozen = 0;
        }
        Some(then)
    }

    /// The continuation of a statement, if its caller still waits.
    pub fn take_then(&mut self, call: CallId) -> Option<AskedFor> {
        let then = self.calls.get_mut(&call)?.then.take();
        if self.calls.get(&call).is_some_and(|call| call.left == 0) {
            self.calls.remove(&call);
        }
        then
    }

    pub(super) fn execute(&mut self, id: CallId) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        let back = self.dice_of(is_of_messages(&call.statement)).spread(1, 30);
        let now = self.database_now();
        call.left -= 1;
        let answer = if self.now < self.away_until || call.refused.is_some() {
            Err(StoreError::Unavailable("the database did not do it".to_owned()))
        } else if let Some(why) = self.refusal(&call.statement) {
            Err(why)
        } else {
            let answer = self.model.execute(&call.statement, now);
            let whatsapp = &self.whatsapp;
            self.referee.on_executed(&call.statement, &self.model, now, |keyring| whatsapp.is_listed(keyring));
            Ok(answer)
        };
        let daemon = call.daemon;
        let wrote_keys = matches!(&call.statement, Statement::RecordChange { write, .. } if write.keys.is_some());
        if let Some((ms, order)) = self.stop_behind_keys.take_if(|_| wrote_keys && answer.is_ok()) {
            self.tell(|| format!("* d{daemon} stops behind the keys of a link"));
            self.stop(daemon, ms, false, order);
        }
        let late = if call.then.is_none() { "late: " } else { "" };
        if !is_routine(&call.statement) || call.then.is_none() || !found_nothing(&answer) {
            self.tell(|| format!("   database, {late}d{daemon} {} → {}", said(&call.statement), said_answer(&answer)));
        }
        let (process, unheard) = (call.process, call.unheard);
        let answer = if unheard { Err(StoreError::Unavailable("the connection broke".to_owned())) } else { answer };
        if call.then.is_some() || call.left > 0 {
            self.calls.insert(id, call);
        }
        self.note(back, daemon, process, Arrival::Answer(id, Box::new(answer)));
    }

    fn refusal(&self, statement: &Statement) -> Option<StoreError> {
        let Statement::RecordChange { write, .. } = statement else { return None };
        let now = self.now;
        let refused = self.refusals.iter().any(|refusal| {
            refusal.account == write.record.id
                && refusal.until.is_none_or(|until| until > now)
                && is_refused(refusal.what, &write.change)
        });
        let why = "the database refuses it".to_owned();
        refused.then_some(match self.flaw {
            Some(Flaw::RefusedIsTriedForEver) => StoreError::Unavailable(why),
            _ => StoreError::Refused(why),
        })
    }

    /// A change that is on its way, ends that command, and would be applied.
    pub fn can_still_end(&self, command: CommandId) -> bool {
        self.calls.values().filter(|call| call.left > 0).any(|call| {
            let Statement::RecordChange { process, write } = &call.statement else { return false };
            let account = self.model.accounts.get(&write.record.id);
            account.is_some_and(|account| {
                account.owner == Some(*process)
                    && account.record.fence == write.record.fence
                    && account.last_change == write.follows
                    && write.change.finished.iter().any(|ended| ended.command == command)
            })
        })
    }

    /// It was refused something, at any time.
    pub fn has_refusals_of(&self, account: AccountId) -> bool {
        self.refusals.iter().any(|refusal| refusal.account == account)
    }
}

fn is_refused(what: Refused, change: &Change) -> bool {
    match what {
        Refused::Groups => change.groups.as_ref().is_some_and(|groups| !groups.is_empty()),
        Refused::Event(kind) => change.events.iter().any(|event| event.kind() == kind),
    }
}

fn is_of_messages(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::TakeMessages { .. }
            | Statement::SettleMessages { .. }
            | Statement::RecordReceipts { .. }
            | Statement::SweepMessages
            | Statement::ListRinging { .. }
    )
}

fn matches(sort: StatementKind, statement: &Statement) -> bool {
    match sort {
        // Messages have faults of their own.
        StatementKind::Any => !matches!(statement, Statement::RenewLease { .. }) && !is_of_messages(statement),
        StatementKind::Change => matches!(statement, Statement::RecordChange { .. }),
        StatementKind::Take => matches!(statement, Statement::TakeCommands { .. }),
        StatementKind::Requeue => matches!(statement, Statement::RequeueCommands { .. }),
        StatementKind::Orphans => matches!(statement, Statement::FailOrphanedCommands),
        StatementKind::Release => {
            matches!(statement, Statement::ReleaseAccount { .. } | Statement::RetakeAccount { .. })
        }
        StatementKind::Claim => matches!(statement, Statement::ClaimAccounts { .. } | Statement::Survey { .. }),
        StatementKind::Load => matches!(statement, Statement::LoadAccount { .. } | Statement::LoadTicket { .. }),
        StatementKind::Ticket => matches!(statement, Statement::RetryTicket { .. } | Statement::CloseTicket { .. }),
        StatementKind::Opening => {
            matches!(statement, Statement::OpenKeyring { .. } | Statement::LoadConnectionSettings { .. })
        }
        StatementKind::Keys => matches!(statement, Statement::PutCredentials { .. }),
        StatementKind::Renewal => matches!(statement, Statement::RenewLease { .. }),
        StatementKind::TakeMessages => matches!(statement, Statement::TakeMessages { .. }),
        StatementKind::Outcomes => matches!(statement, Statement::SettleMessages { .. }),
        StatementKind::Receipts => matches!(statement, Statement::RecordReceipts { .. }),
        StatementKind::Drain => matches!(statement, Statement::SetDraining { .. } | Statement::GiveAccountsBack { .. }),
    }
}
