//! Messages on their way out: adding, cancelling and taking them. See the functions of the same
//! names in `sql/migrations`. Chats are groups, and people who are known by their LID alone.

use std::{collections::BTreeSet, time::Duration};

use uuid::Uuid;

use super::{super::flaws::Flaw, Model, count, rows::StoredMessage, statement::SendingLink};
use crate::domain::{
    AccountId, Instant, MessageId, MessageState, OutgoingContent, OutgoingMessage, Pace, Party, TakenMessages,
};

pub(super) const DAY: Duration = Duration::from_hours(24);

/// The arguments of `send_message`, and the id that WhatsApp is to know the message by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub account: AccountId,
    pub chat: String,
    pub body: String,
    pub key: Option<String>,
    pub not_before: Option<Instant>,
    pub expires_at: Option<Instant>,
    pub wa_id: String,
}

impl Model {
    /// The message, or the former one of that key. None: no such account, or an expiry that is over.
    pub fn send_message(&mut self, new: NewMessage, now: Instant) -> Option<MessageId> {
        let NewMessage { account, chat, body, key, not_before, expires_at, wa_id } = new;
        self.accounts.get(&account).filter(|row| row.record.deleted_at.is_none())?;
        let is_same = |row: &StoredMessage| row.account == account && key.is_some() && row.key == key;
        let former = self.messages.iter().find(|(_, row)| is_same(row)).map(|(id, _)| *id);
        if former.is_some() && self.flaw != Some(Flaw::KeysMakeTwo) {
            return former;
        }
        let due_at = not_before.map_or(now, |at| at.max(now));
        if expires_at.is_some_and(|at| at <= due_at) {
            return None;
        }
        self.last_message += 1;
        let id = MessageId(self.last_message);
        let is_new_chat = !chat.ends_with("@g.us") && !self.chats.contains(&(account, chat.clone()));
        let row = StoredMessage {
            account,
            chat,
            wa_id,
            key,
            body,
            state: MessageState::Queued,
            reason: None,
            code: None,
            due_at,
            expires_at,
            attempt: 0,
            taken_at: None,
            taken_by: None,
            taken_under: None,
            is_new_chat,
        };
        self.messages.insert(id, row);
        Some(id)
    }

    /// Whether the message was still queued.
    pub fn cancel_message(&mut self, id: MessageId) -> bool {
        let takes_any = self.flaw == Some(Flaw::CancelsWhatIsSending);
        let is_open = |row: &StoredMessage| row.state == MessageState::Queued || (takes_any && row.state.is_open());
        let row = self.messages.get_mut(&id).filter(|row| is_open(row));
        let found = row.is_some();
        if let Some(row) = row {
            (row.state, row.reason) = (MessageState::Cancelled, None);
        }
        found
    }

    /// `lock_link`
    pub(super) fn holds_link(&self, process: Uuid, link: SendingLink) -> bool {
        let row = self.accounts.get(&link.account).filter(|_| self.held(link.account, process, link.fence));
        row.is_some_and(|row| {
            let record = &row.record;
            record.deleted_at.is_none() && [record.keyring(), record.linking()].contains(&Some(link.keyring))
        })
    }

    /// Another connection has opened the link since.
    pub(super) fn is_overtaken(&self, process: Uuid, link: SendingLink) -> bool {
        let is_last = self.keyrings.get(&link.keyring).is_some_and(|row| row.epoch == link.epoch);
        self.holds_link(process, link) && !is_last && self.flaw != Some(Flaw::TakesOvertaken)
    }

    fn of(&self, account: AccountId) -> impl Iterator<Item = (MessageId, &StoredMessage)> {
        self.messages.iter().filter(move |(_, row)| row.account == account).map(|(id, row)| (*id, row))
    }

    fn queued(&self, account: AccountId) -> impl Iterator<Item = (MessageId, &StoredMessage)> {
        self.of(account).filter(|(_, row)| row.state == MessageState::Queued)
    }

    fn is_sending(row: &StoredMessage) -> bool {
        row.state == MessageState::Sending
    }

    /// Nothing of its chat is under way, or is to go before it.
    fn is_its_turn(&self, id: MessageId, row: &StoredMessage, at: Instant) -> bool {
        let waits = self.flaw != Some(Flaw::TakesBusyChats);
        let in_order = self.flaw != Some(Flaw::TakesOutOfOrder);
        self.of(row.account).filter(|(_, other)| other.chat == row.chat).all(|(other_id, other)| {
            let is_before = other.state == MessageState::Queued
                && other_id < id
                && (other.due_at <= at || (other.attempt > 0 && in_order));
            !(is_before || (Self::is_sending(other) && waits))
        })
    }

    fn next_queued(&self, of: impl Iterator<Item = MessageId>, at: Instant, most: usize) -> Vec<MessageId> {
        let rows = of.filter_map(|id| Some((id, self.messages.get(&id)?)));
        let mut next: Vec<(Instant, MessageId)> = rows
            .filter(|(_, row)| row.state == MessageState::Queued && row.due_at <= at)
            .filter(|(_, row)| row.expires_at.is_none_or(|over| over > at))
            .filter(|(id, row)| self.is_its_turn(*id, row, at))
            .map(|(id, row)| (row.due_at, id))
            .collect();
        next.sort();
        next.truncate(most);
        next.into_iter().map(|(_, id)| id).collect()
    }

    fn left_behind(&self, account: AccountId, connection: Uuid, held: &[MessageId]) -> Vec<MessageId> {
        let is_held = |id: MessageId, row: &StoredMessage| row.taken_by == Some(connection) && held.contains(&id);
        let sending = || self.of(account).filter(|(_, row)| Self::is_sending(row));
        let left = sending().filter(|(id, row)| {
            let others = || sending().filter(|(other, of)| other != id && of.chat == row.chat);
            !is_held(*id, row) && !others().any(|(other, of)| other < *id || is_held(other, of))
        });
        left.map(|(id, _)| id).collect()
    }

    pub(super) fn take_messages(
        &mut self,
        process: Uuid,
        link: SendingLink,
        (connection, held): (Uuid, &[MessageId]),
        room: u16,
        at: Instant,
    ) -> Option<TakenMessages> {
        if !self.holds_link(process, link) {
            return None;
        }
        let account = link.account;
        self.end_what_is_over(account, at);
        self.end_those_of_former_links(account, &[link.keyring]);
        let sending = self.accounts.get(&account)?.sending.clone();
        let day_ago = Instant(at.0 - i64::try_from(DAY.as_millis()).unwrap_or(0));
        let rested = sending.level_at.unwrap_or(day_ago).max(day_ago).until(at).as_secs_f64();
        let mut level = (sending.level - f64::from(sending.rate) * rested).max(0.0);
        let room = usize::from(room);

        let mut ids = self.left_behind(account, connection, held);
        if self.flaw == Some(Flaw::LeavesBehind) {
            ids.clear();
        }
        ids.truncate(room);
        let may_be_sent = |row: &StoredMessage| row.taken_by != Some(connection) || row.attempt > 1;
        let maybe_sent: BTreeSet<MessageId> =
            ids.iter().filter(|id| self.messages.get(*id).is_some_and(may_be_sent)).copied().collect();
        let known: Vec<MessageId> =
            self.queued(account).filter(|(_, row)| !row.is_new_chat).map(|(id, _)| id).collect();
        let known = self.next_queued(known.into_iter(), at, room - ids.len());
        ids.extend(known);

        let begun: Vec<MessageId> = self
            .of(account)
            .filter(|(_, row)| row.is_new_chat && row.taken_at.is_some_and(|taken| taken > day_ago))
            .map(|(id, _)| id)
            .collect();
        // Of messages to new chats: how many may begin, and how many are to be tried again.
        let (mut allowance, mut retries) = (Some(0), 0);
        if sending.paused_until.is_none() {
            let is_due = |row: &StoredMessage| row.state == MessageState::Queued && row.due_at <= at;
            retries = begun.iter().filter(|id| self.messages.get(*id).is_some_and(is_due)).count();
            let again = self.next_queued(begun.iter().copied(), at, room - ids.len());
            retries -= again.len();
            ids.extend(again);
            let new_chats = usize::try_from(count(begun.len())).unwrap_or(usize::MAX);
            allowance = sending
                .new_chats_per_day
                .map(|most| usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(new_chats));
            let new = self.queued(account).filter(|(id, row)| row.is_new_chat && !ids.contains(id)).map(|(id, _)| id);
            let new: Vec<MessageId> = new.collect();
            let left = room - ids.len();
            let new = self.next_queued(new.into_iter(), at, allowance.map_or(left, |allowance| allowance.min(left)));
            allowance = allowance.map(|allowance| allowance - new.len());
            ids.extend(new);
        }

        for id in &ids {
            let Some(row) = self.messages.get_mut(id) else { continue };
            (row.state, row.reason) = (MessageState::Sending, None);
            (row.taken_by, row.taken_at) = (Some(connection), Some(at));
            row.taken_under = Some(link.keyring);
            row.attempt += 1;
        }
        if !ids.is_empty() {
            level += f64::from(count(ids.len()));
            if let Some(row) = self.accounts.get_mut(&account) {
                (row.sending.level, row.sending.level_at) = (level, Some(at));
            }
        }
        if allowance == Some(0) {
            let why = if sending.paused_until.is_none() { "new_chat_limit" } else { "sending_paused" };
            self.hold_up(account, at, why);
        }
        let messages = ids.iter().filter_map(|id| self.outgoing(*id, maybe_sent.contains(id))).collect();
        let is_due = |row: &StoredMessage| row.due_at <= at;
        let waits_as_new = self.queued(account).any(|(_, row)| row.is_new_chat && is_due(row));
        let has_more = self.queued(account).any(|(_, row)| !row.is_new_chat && is_due(row))
            || self.of(account).any(|(id, row)| Self::is_sending(row) && !held.contains(&id) && !ids.contains(&id))
            || retries > 0
            || (allowance != Some(0) && waits_as_new);
        let mut next_due = self.queued(account).map(|(_, row)| row.due_at).filter(|due| *due > at).min();
        if allowance == Some(0) && waits_as_new {
            let nth = begun.len().saturating_sub(usize::try_from(sending.new_chats_per_day.unwrap_or(0)).unwrap_or(0));
            // As of the statement's end, with those that were taken by it.
            let mut taken: Vec<Instant> = self
                .of(account)
                .filter(|(_, row)| row.is_new_chat)
                .filter_map(|(_, row)| row.taken_at.filter(|taken| *taken > day_ago))
                .collect();
            taken.sort();
            let room_at = taken.get(nth).map(|taken| taken.after(DAY));
            next_due = next_due.into_iter().chain(sending.paused_until.or(room_at)).min();
        }
        Some(TakenMessages {
            messages,
            unread: Vec::new(),
            pace: Some(Pace { rate: sending.rate, burst: sending.burst }),
            recent: whole(level),
            has_more,
            next_due: next_due.map(|due| at.until(due)),
        })
    }

    /// Says of messages to new chats why they wait.
    fn hold_up(&mut self, account: AccountId, at: Instant, why: &str) {
        for row in self.messages.values_mut().filter(|row| row.account == account) {
            let waits = row.state == MessageState::Queued && row.is_new_chat && row.due_at <= at;
            if waits && row.reason.is_none() && row.attempt == 0 {
                row.reason = Some(why.to_owned());
            }
        }
    }

    fn outgoing(&self, id: MessageId, maybe_sent: bool) -> Option<OutgoingMessage> {
        let row = self.messages.get(&id)?;
        Some(OutgoingMessage {
            id,
            chat: Party { jid: row.chat.clone(), phone: None },
            wa_id: row.wa_id.clone(),
            content: OutgoingContent::Text { body: row.body.clone(), mentions: Vec::new(), reply_to: None },
            attempt: row.attempt,
            is_new_chat: row.is_new_chat,
            maybe_sent,
            expires_at: row.expires_at,
        })
    }

    pub(super) fn list_ringing(&self, process: Uuid, now: Instant) -> Vec<AccountId> {
        let is_due = |row: &StoredMessage| row.due_at <= now && !(row.is_new_chat && row.reason.is_some());
        let mine = self.accounts.values().filter(|account| {
            let record = &account.record;
            account.owner == Some(process) && record.deleted_at.is_none() && record.keyring().is_some()
        });
        let ids = mine.map(|account| account.record.id);
        ids.filter(|id| self.queued(*id).any(|(_, row)| is_due(row))).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of messages")]
fn whole(level: f64) -> u32 {
    level.ceil() as u32
}
