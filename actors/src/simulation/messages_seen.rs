//! Looks at the rows of messages after every statement that may change them, and at what WhatsApp
//! gets of them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    model::{Model, Statement, StoredMessage},
    referee::{Rule, Violation},
    whatsapp::SentFrame,
};
use crate::domain::{AccountId, Fence, Instant, MessageId, MessageState, SendFailure};

/// What was seen last of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    state: MessageState,
    attempt: u16,
    taken_by: Option<Uuid>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct MessagesSeen {
    rows: BTreeMap<MessageId, Seen>,
    /// Keys of each account.
    keys: BTreeMap<(AccountId, String), MessageId>,
    /// What came under each of WhatsApp's ids.
    contents: BTreeMap<String, SentFrame>,
    /// The ids that were shown of each message.
    shown: BTreeMap<MessageId, BTreeSet<String>>,
    /// When each was taken out of the queue last.
    taken_at: BTreeMap<MessageId, Instant>,
    /// WhatsApp has said so, to a connection or by a receipt.
    acknowledged: BTreeSet<String>,
    /// Connections that send, in the order in which they logged in.
    connections: Vec<Uuid>,
    pub first: Option<Violation>,
}

/// Who may change a row, and how far.
#[derive(Clone, Copy)]
enum Cause<'a> {
    /// A web app, which cancels that message.
    WebApp(Option<MessageId>),
    Statement(&'a Statement),
}

impl MessagesSeen {
    fn object(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some(Violation { rule, what: what() });
        }
    }

    pub fn on_connection(&mut self, connection: Uuid) {
        self.connections.push(connection);
    }

    pub fn on_web_app(&mut self, model: &Model, cancels: Option<MessageId>) {
        self.on_rows(Cause::WebApp(cancels), model, Instant(i64::MIN), true);
    }

    /// The statement was carried out.
    pub fn on_statement(&mut self, statement: &Statement, model: &Model, now: Instant) {
        let owns = |account: AccountId, process: Uuid, fence: Fence| {
            let row = model.accounts.get(&account);
            row.is_some_and(|row| row.owner == Some(process) && row.record.fence == fence)
        };
        let is_owner = match statement {
            Statement::TakeMessages { process, link, .. }
            | Statement::SettleMessages { process, link, .. }
            | Statement::RecordReceipts { process, link, .. } => owns(link.account, *process, link.fence),
            Statement::SweepMessages => true,
            Statement::RecordChange { .. } if !self.rows.is_empty() => {
                self.rows.retain(|id, _| model.messages.contains_key(id));
                return;
            }
            _ => return,
        };
        self.on_rows(Cause::Statement(statement), model, now, is_owner);
    }

    fn on_rows(&mut self, cause: Cause<'_>, model: &Model, now: Instant, is_owner: bool) {
        for (id, row) in &model.messages {
            let seen = Seen { state: row.state, attempt: row.attempt, taken_by: row.taken_by };
            match self.rows.insert(*id, seen) {
                None => self.on_new(*id, row),
                Some(former) if former == seen => {}
                Some(former) => {
                    let nth = |of: Option<Uuid>| self.connections.iter().position(|known| Some(*known) == of);
                    if former.state == MessageState::Sending && nth(row.taken_by) < nth(former.taken_by) {
                        self.object(Rule::LaterConnectionsTake, || {
                            format!("message {} was taken back by a former connection", id.0)
                        });
                    }
                    if !is_owner {
                        self.object(Rule::OutcomesAreTheTakers, || {
                            format!("message {} was changed by who does not own its account", id.0)
                        });
                    }
                    self.on_changed(cause, *id, (former, row), model, now);
                }
            }
        }
    }

    fn on_new(&mut self, id: MessageId, row: &StoredMessage) {
        let Some(key) = row.key.clone() else { return };
        if let Some(former) = self.keys.insert((row.account, key), id) {
            self.object(Rule::KeysMakeOneMessage, || format!("messages {} and {} have one key", former.0, id.0));
        }
    }

    fn on_changed(
        &mut self,
        cause: Cause<'_>,
        id: MessageId,
        (former, row): (Seen, &StoredMessage),
        model: &Model,
        now: Instant,
    ) {
        use MessageState::{Cancelled, Delivered, Expired, Failed, Queued, Read, Sending, Sent};
        let (takes, settles, receives, sweeps) = match cause {
            Cause::WebApp(_) => (false, false, false, false),
            Cause::Statement(statement) => (
                matches!(statement, Statement::TakeMessages { .. }),
                matches!(statement, Statement::SettleMessages { .. }),
                matches!(statement, Statement::RecordReceipts { .. }),
                matches!(statement, Statement::SweepMessages),
            ),
        };
        let is_over = row.expires_at.is_some_and(|at| at <= now);
        // Nobody will say what came of it.
        let is_of_former_link = model.accounts.get(&row.account).is_some_and(|account| {
            let record = &account.record;
            !match cause {
                Cause::Statement(Statement::TakeMessages { link, .. }) => row.taken_under == Some(link.keyring),
                _ => [record.keyring(), record.linking()].contains(&row.taken_under),
            }
        });
        let is_allowed = match (former.state, row.state) {
            (Queued | Sending, Sending) => takes,
            (Queued, Cancelled) => matches!(cause, Cause::WebApp(Some(cancelled)) if cancelled == id),
            (Queued, Expired) => (takes || sweeps) && is_over,
            (Queued, Sent | Delivered | Read) => receives && former.attempt > 0,
            (Sending, Queued | Expired) => settles,
            (Sending, Failed) => settles || ((takes || sweeps) && is_of_former_link),
            (Sending, Sent) => settles || receives,
            (Sending | Sent, Delivered | Read) | (Delivered, Read) => receives,
            _ => false,
        };
        if !is_allowed {
            let (from, to) = (former.state, row.state);
            let rule = if to == Cancelled { Rule::CancelWinsOrLoses } else { Rule::MessagesGoForward };
            self.object(rule, || format!("message {} went from {from} to {to}", id.0));
        }
        if let Cause::Statement(Statement::SettleMessages { connection, .. }) = cause
            && former.taken_by != Some(*connection)
        {
            self.object(Rule::OutcomesAreTheTakers, || {
                format!("message {} was settled by a connection that did not take it last", id.0)
            });
        }
        if former.state == Queued && row.state == Sending {
            self.on_taken(id, row, model, now);
        }
        if former.state.is_open() && row.state.is_sent() && !self.acknowledged.contains(&row.wa_id) {
            self.object(Rule::SentIsAcknowledged, || format!("message {} is {}, and nobody has it", id.0, row.state));
        }
        self.is_true(id, row);
    }

    /// A message that a phone shows, and what its row says.
    fn is_true(&mut self, id: MessageId, row: &StoredMessage) {
        if !self.shown.contains_key(&id) {
            return;
        }
        if row.state == MessageState::Queued {
            self.object(Rule::MessagesGoForward, || format!("message {} is queued, and a phone shows it", id.0));
        }
        if matches!(row.state, MessageState::Cancelled | MessageState::Expired) {
            self.object(Rule::CancelWinsOrLoses, || format!("message {} is {}, and a phone shows it", id.0, row.state));
        }
        let is_unsure = row.reason.as_deref() == Some(SendFailure::NoAck.as_str());
        if row.state == MessageState::Failed && !is_unsure {
            self.object(Rule::FailuresAreTrue, || {
                format!("message {} failed as {:?}, and a phone shows it", id.0, row.reason)
            });
        }
    }

    /// The only one of its chat, and the next.
    fn on_taken(&mut self, id: MessageId, row: &StoredMessage, model: &Model, now: Instant) {
        self.taken_at.insert(id, now);
        let is_of = |other: &StoredMessage| other.account == row.account && other.chat == row.chat;
        for (other_id, other) in model.messages.iter().filter(|(other, row)| **other != id && is_of(row)) {
            if other.state == MessageState::Sending {
                self.object(Rule::OneUnderWayInAChat, || {
                    format!("messages {} and {} of a chat are both under way", id.0, other_id.0)
                });
            }
            let goes_first = other.due_at <= now || other.attempt > 0;
            if other.state == MessageState::Queued && *other_id < id && goes_first {
                self.object(Rule::ChatsKeepTheirOrder, || {
                    format!("message {} is taken, and {} of its chat waits", id.0, other_id.0)
                });
            }
        }
    }

    /// WhatsApp has it, for somebody who can read it.
    pub fn on_accepted(&mut self, frame: &SentFrame, model: &Model) {
        let former = self.contents.entry(frame.wa_id.clone()).or_insert_with(|| frame.clone()).clone();
        let same = (former.account, &former.chat, &former.content, &former.secret);
        if same != (frame.account, &frame.chat, &frame.content, &frame.secret) {
            self.object(Rule::IdsHaveOneContent, || {
                format!("message {} came again with other contents, or another secret", frame.message.0)
            });
        }
        let wa_id = model.messages.get(&frame.message).map(|row| &row.wa_id);
        if wa_id.is_some_and(|wa_id| *wa_id != frame.wa_id) {
            self.object(Rule::ShownOnce, || {
                format!("message {} came under an id that is not its own", frame.message.0)
            });
        }
    }

    pub fn on_acknowledged(&mut self, frame: &SentFrame) {
        if frame.is_reached {
            self.acknowledged.insert(frame.wa_id.clone());
        }
    }

    pub fn on_receipt(&mut self, wa_id: String) {
        self.acknowledged.insert(wa_id);
    }

    /// A phone shows it, for the first time under this id.
    pub fn on_shown(&mut self, frame: &SentFrame, model: &Model) {
        let id = frame.message;
        let shown = self.shown.entry(id).or_default();
        shown.insert(frame.wa_id.clone());
        if shown.len() > 1 {
            self.object(Rule::ShownOnce, || format!("a phone shows message {} again", id.0));
        }
        // Those of a deleted account are gone.
        let Some(row) = model.messages.get(&id) else { return };
        let taken_at = self.taken_at.get(&id).copied();
        self.is_true(id, row);
        let is_of = |other: &StoredMessage| other.account == row.account && other.chat == row.chat;
        let others = model.messages.iter().filter(|(other, row)| **other != id && is_of(row));
        for (other_id, other) in others {
            if other.state == MessageState::Sending {
                self.object(Rule::OneUnderWayInAChat, || {
                    format!("a phone shows message {}, and {} of its chat is under way", id.0, other_id.0)
                });
            }
            let waits = other.state == MessageState::Queued && *other_id < id;
            let went_first = other.attempt > 0 || taken_at.is_some_and(|taken| other.due_at <= taken);
            if waits && went_first {
                self.object(Rule::ChatsKeepTheirOrder, || {
                    format!("a phone shows message {}, and {} of its chat waits", id.0, other_id.0)
                });
            }
        }
    }
}
