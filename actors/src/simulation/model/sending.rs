//! What comes of messages: outcomes, receipts, and what is over by the clock.

use uuid::Uuid;

use super::{
    super::flaws::Flaw,
    Model,
    messages::DAY,
    rows::{StoredEvent, ToldEvent},
    statement::SendingLink,
};
use crate::domain::{
    AccountId, EventKind, Instant, KeyringId, MessageId, MessageState, Receipt, ReceiptKind, SendFailure, SendOutcome,
};

/// So many first messages that are refused in a row pause the others.
const REFUSALS_UNTIL_PAUSE: u32 = 3;

impl Model {
    fn tell(&mut self, account: AccountId, event: ToldEvent) {
        let Some(row) = self.accounts.get_mut(&account) else { return };
        row.event_seq += 1;
        self.events.push(StoredEvent { account, seq: row.event_seq, event });
    }

    fn tell_of_message(&mut self, kind: EventKind, id: MessageId) {
        if let Some(account) = self.messages.get(&id).map(|row| row.account) {
            self.tell(account, ToldEvent::OfMessage(kind, id));
        }
    }

    fn tell_sent(&mut self, id: MessageId) {
        self.tell_of_message(EventKind::MessageSent, id);
        let Some(row) = self.messages.get(&id).filter(|row| row.is_new_chat) else { return };
        let (account, chat) = (row.account, row.chat.clone());
        // `chat_became_known`
        for waiting in self.messages.values_mut().filter(|row| row.account == account && row.chat == chat) {
            if waiting.state == MessageState::Queued && waiting.is_new_chat {
                (waiting.is_new_chat, waiting.reason) = (false, None);
            }
        }
        self.chats.insert((account, chat));
        if let Some(row) = self.accounts.get_mut(&account) {
            row.sending.new_chats_refused = 0;
        }
    }

    /// Whether it told anything.
    pub(super) fn end_what_is_over(&mut self, account: AccountId, at: Instant) -> bool {
        let over = self.messages.iter_mut().filter(|(_, row)| {
            row.account == account
                && row.state == MessageState::Queued
                && row.expires_at.is_some_and(|expires_at| expires_at <= at)
        });
        let over = over.map(|(id, row)| {
            row.fail(MessageState::Expired, SendFailure::Expired);
            *id
        });
        let over: Vec<MessageId> = over.collect();
        for id in &over {
            self.tell_of_message(EventKind::MessageFailed, *id);
        }
        let row = self.accounts.get_mut(&account);
        let paused = row.filter(|row| row.sending.paused_until.is_some_and(|until| until <= at));
        let resumes = paused.is_some();
        if let Some(row) = paused {
            (row.sending.paused_until, row.sending.new_chats_refused) = (None, 0);
            self.tell(account, ToldEvent::OfSending(EventKind::SendingResumed));
        }
        resumes || !over.is_empty()
    }

    pub(super) fn settle_messages(
        &mut self,
        process: Uuid,
        link: SendingLink,
        connection: Uuid,
        outcomes: &[(MessageId, SendOutcome)],
        at: Instant,
    ) -> Option<bool> {
        let is_forward = self.flaw != Some(Flaw::SettlesAgain);
        if !self.holds_link(process, link) {
            return None;
        }
        let mut told = false;
        for (id, outcome) in outcomes {
            let row = self.messages.get_mut(id).filter(|row| row.account == link.account);
            let row = row.filter(|row| row.state == MessageState::Sending || !is_forward);
            let Some(row) = row.filter(|row| row.taken_by == Some(connection)) else { continue };
            let is_new_chat = row.is_new_chat;
            match outcome {
                SendOutcome::Sent { .. } => {
                    (row.state, row.reason, row.code) = (MessageState::Sent, None, None);
                    told = true;
                    self.tell_sent(*id);
                }
                SendOutcome::Again { after } => {
                    (row.state, row.reason, row.code) = (MessageState::Queued, None, None);
                    row.due_at = at.after(*after);
                }
                SendOutcome::Failed { reason, code } => {
                    let is_expired = *reason == SendFailure::Expired;
                    row.fail(if is_expired { MessageState::Expired } else { MessageState::Failed }, *reason);
                    row.code = *code;
                    told = true;
                    self.tell_of_message(EventKind::MessageFailed, *id);
                    if is_new_chat && *reason == SendFailure::ReachoutTimelocked {
                        self.count_refusal(link.account, at);
                    }
                }
            }
        }
        Some(told)
    }

    /// Some of these are another connection's by now.
    pub(super) fn has_been_taken_since(
        &self,
        account: AccountId,
        connection: Uuid,
        outcomes: &[(MessageId, SendOutcome)],
    ) -> bool {
        let rows = outcomes.iter().filter_map(|(id, _)| self.messages.get(id));
        let mut open = rows.filter(|row| row.account == account && row.state == MessageState::Sending);
        open.any(|row| row.taken_by != Some(connection))
    }

    fn count_refusal(&mut self, account: AccountId, at: Instant) {
        let row = self.accounts.get_mut(&account).filter(|row| row.sending.paused_until.is_none());
        let Some(row) = row else { return };
        row.sending.new_chats_refused += 1;
        if row.sending.new_chats_refused >= REFUSALS_UNTIL_PAUSE {
            row.sending.paused_until = Some(at.after(DAY));
            self.tell(account, ToldEvent::OfSending(EventKind::SendingPaused));
        }
    }

    pub(super) fn record_receipts(&mut self, process: Uuid, link: SendingLink, receipts: &[Receipt]) -> Option<bool> {
        if !self.holds_link(process, link) {
            return None;
        }
        let mut told = false;
        for (receipt, wa_id) in receipts.iter().flat_map(|of| of.wa_ids.iter().map(move |wa_id| (of, wa_id))) {
            let is_it = |account: AccountId, chat: &str, id: &str| {
                (account, chat, id) == (link.account, receipt.chat.jid.as_str(), wa_id.as_str())
            };
            let found = self.messages.iter_mut().find(|(_, row)| is_it(row.account, &row.chat, &row.wa_id));
            let Some((id, row)) = found else { continue };
            let id = *id;
            let was_tried = row.state == MessageState::Queued && row.attempt > 0;
            let is_first_word = row.state == MessageState::Sending || was_tried;
            if !is_first_word && !row.state.is_sent() {
                continue;
            }
            if is_first_word {
                (row.state, row.reason) = (MessageState::Sent, None);
                self.tell_sent(id);
            }
            let Some(row) = self.messages.get_mut(&id) else { continue };
            let (state, kind) = match receipt.kind {
                ReceiptKind::Delivered => (MessageState::Delivered, EventKind::MessageDelivered),
                ReceiptKind::Read => (MessageState::Read, EventKind::MessageRead),
            };
            let moves = row.state == MessageState::Sent
                || (row.state == MessageState::Delivered && receipt.kind == ReceiptKind::Read);
            if moves {
                row.state = state;
                told = true;
                self.tell_of_message(kind, id);
            }
        }
        Some(told)
    }

    /// Whether it told anything.
    pub(super) fn sweep_messages(&mut self, now: Instant) -> bool {
        let is_over = |row: &super::StoredMessage| {
            row.state == MessageState::Queued && row.expires_at.is_some_and(|expires_at| expires_at <= now)
        };
        let is_due = |id: AccountId| self.messages.values().any(|row| row.account == id && is_over(row));
        let live = || self.accounts.values().filter(|account| account.record.deleted_at.is_none());
        let has_rested =
            |account: &super::StoredAccount| account.sending.paused_until.is_some_and(|until| until <= now);
        let due: Vec<AccountId> = live()
            .filter(|account| has_rested(account) || is_due(account.record.id))
            .map(|account| account.record.id)
            .collect();
        let links: Vec<(AccountId, Vec<KeyringId>)> = live()
            .map(|account| &account.record)
            .map(|record| (record.id, [record.keyring(), record.linking()].into_iter().flatten().collect()))
            .collect();
        let mut told = false;
        for account in due {
            told |= self.end_what_is_over(account, now);
        }
        for (account, keyrings) in links {
            told |= self.end_those_of_former_links(account, &keyrings);
        }
        told
    }

    /// Whether it told anything.
    pub(super) fn end_those_of_former_links(&mut self, account: AccountId, keyrings: &[KeyringId]) -> bool {
        let is_former = |row: &super::StoredMessage| row.taken_under.is_some_and(|under| !keyrings.contains(&under));
        let former = self
            .messages
            .iter_mut()
            .filter(|(_, row)| row.account == account && row.state == MessageState::Sending && is_former(row));
        let ended = former.map(|(id, row)| {
            row.fail(MessageState::Failed, SendFailure::NoAck);
            *id
        });
        let ended: Vec<MessageId> = ended.collect();
        for id in &ended {
            self.tell_of_message(EventKind::MessageFailed, *id);
        }
        !ended.is_empty()
    }
}
