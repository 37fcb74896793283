//! Messages on their way out: draws what connections and web apps do, and compares the rows.

use std::collections::BTreeSet;
use std::time::Duration;

use paird::postgres::outbox::Waker;
use paird::postgres::outgoing::PgOutgoing;
use paird::whatsapp::{MessageLink, OutgoingStore as _};
use paird_actors::domain::{
    AccountId, Instant, MessageId, MessageState, Party, Receipt, ReceiptKind, SendFailure, SendOutcome, StoreError,
};
use paird_actors::simulation::model::{Model, NewMessage, SendingLink, Statement, StatementAnswer, StoredMessage};
use paird_sql::queries::outgoing::{list_ringing, sweep_messages};
use serde_json::json;
use uuid::Uuid;

use super::{Both, now};
use crate::support::Database;

const CHATS: [&str; 5] = ["0@g.us", "1@g.us", "2@lid", "3@lid", "4@lid"];
/// What is for later, or to be tried again, waits so long; and so much passes at once.
const LATER: Duration = Duration::from_hours(1);
const PASSES: Duration = Duration::from_hours(25);
/// By WhatsApp's clock.
const SENT: Instant = Instant(1_700_000_000_000);
/// So slow that the level of an account does not fall by one in a history.
const RATE: f32 = 0.001;

/// Gives an account its limits.
pub(super) async fn pace(database: &Database, model: &mut Model, account: AccountId, nth: usize) {
    let limits = [Some(2), None, Some(1), Some(20)];
    let limit: Option<u32> = limits[nth % limits.len()];
    let new_chats = limit.map(|limit| i32::try_from(limit).unwrap());
    let sql = "UPDATE whatsapp_accounts SET send_rate = $2, new_chats_per_day = $3 WHERE id = $1";
    database.web.execute(sql, &[&account.0, &RATE, &new_chats]).await.unwrap();
    let sending = &mut model.accounts.get_mut(&account).unwrap().sending;
    (sending.rate, sending.new_chats_per_day) = (RATE, limit);
}

impl Both {
    pub(super) async fn send_message(&mut self) {
        let account = self.account();
        let chat = self.dice.one_of(&CHATS).unwrap();
        let nth = self.dice.below(6);
        let key = self.dice.chance(30).then(|| format!("key {nth}"));
        // One key has one content.
        let (chat, body) =
            if key.is_some() { (CHATS[nth % CHATS.len()], format!("text {nth}")) } else { (chat, "x".into()) };
        let is_later = self.dice.chance(15);
        let not_before = is_later.then(|| now().after(LATER));
        let expires_at = self.dice.chance(25).then(|| now().after(LATER * 2));
        let content = json!({"to": chat, "type": "text", "text": {"body": body}});
        let times = [not_before, expires_at].map(|at| at.map(Instant::to_utc));
        let sql = "SELECT send_message($1, $2, $3, $4, $5)";
        let made = self.database.web.query_one(sql, &[&account.0, &content, &key, &times[0], &times[1]]).await;
        let made = made.ok().map(|row| row.get::<_, i64>(0));
        let wa_id = match made {
            Some(id) => self.database.one("SELECT wa_id FROM messages WHERE id = $1", &[&id]).await,
            None => String::new(),
        };
        let new = NewMessage { account, chat: chat.to_owned(), body, key, not_before, expires_at, wa_id };
        assert_eq!(made.map(MessageId), self.model.send_message(new, now()));
    }

    pub(super) async fn cancel_message(&mut self) {
        let known: Vec<MessageId> = self.model.messages.keys().copied().collect();
        let Some(id) = self.dice.one_of(&known) else { return };
        let is_cancelled: bool = self.database.one("SELECT cancel_message($1)", &[&id.0]).await;
        assert_eq!(is_cancelled, self.model.cancel_message(id), "message {}", id.0);
    }

    pub(super) async fn age_messages(&mut self) {
        let passes = format!("interval '{} s'", PASSES.as_secs());
        let sql = format!(
            "UPDATE messages SET due_at = due_at - {passes}, taken_at = taken_at - {passes}, expires_at = expires_at - {passes};
             UPDATE whatsapp_accounts SET sending_paused_until = sending_paused_until - {passes}"
        );
        self.database.web.batch_execute(&sql).await.unwrap();
        let earlier = |at: Instant| Instant(at.0 - i64::try_from(PASSES.as_millis()).unwrap());
        for row in self.model.messages.values_mut() {
            row.due_at = earlier(row.due_at);
            (row.taken_at, row.expires_at) = (row.taken_at.map(earlier), row.expires_at.map(earlier));
        }
        for account in self.model.accounts.values_mut() {
            account.sending.paused_until = account.sending.paused_until.map(earlier);
        }
    }

    /// Mostly one that has a link: others send nothing.
    pub(super) fn account_that_sends(&mut self) -> AccountId {
        let is_linked = |account: &AccountId| self.model.accounts[account].record.keyring().is_some();
        let linked: Vec<AccountId> = self.accounts.iter().copied().filter(is_linked).collect();
        let linked = self.dice.one_of(&linked).filter(|_| self.dice.chance(80));
        linked.unwrap_or_else(|| self.account())
    }

    pub(super) fn draw_of_messages(&mut self, account: AccountId) -> Option<Statement> {
        let record = &self.model.accounts[&account].record;
        let present = record.keyring().or(record.linking());
        let known: Vec<_> = self.keyrings.iter().filter(|(of, _)| *of == account).map(|(_, id)| *id).collect();
        let another = self.dice.one_of(&known);
        let keyring = present.filter(|_| !self.dice.chance(5)).or(another)?;
        let (process, fence) = self.owner_of(account);
        let epoch = self.model.keyrings.get(&keyring).map_or(1, |row| row.epoch);
        let epoch = if self.dice.chance(8) { epoch - 1 } else { epoch };
        let link = SendingLink { account, fence, keyring, epoch };
        let connections = [1, 2, 3].map(|nth| Uuid::from_u128(account.0.as_u128() | nth));
        // Mostly the last.
        let nth = if self.dice.chance(70) { 2 } else { self.dice.below(3) };
        let connection = connections[nth];
        let mine: Vec<(MessageId, StoredMessage)> = self
            .model
            .messages
            .iter()
            .filter(|(_, row)| row.account == account)
            .map(|(id, row)| (*id, row.clone()))
            .collect();
        let open: Vec<_> = mine.iter().filter(|(_, row)| row.state == MessageState::Sending).cloned().collect();
        Some(match self.dice.below(20) {
            0 => Statement::SweepMessages,
            1 => Statement::ListRinging { process },
            2..=8 => {
                let held = open.iter().filter(|(_, row)| row.taken_by == Some(connection)).map(|(id, _)| *id);
                let held: Vec<MessageId> = held.filter(|_| self.dice.chance(80)).collect();
                Statement::TakeMessages {
                    process,
                    link,
                    connection,
                    held,
                    room: u16::try_from(self.dice.below(5)).unwrap(),
                }
            }
            9..=15 => {
                let among = if self.dice.chance(85) && !open.is_empty() { &open } else { &mine };
                let picked: Vec<_> = (0..=self.dice.below(2)).filter_map(|_| self.pick(among)).collect();
                let taker = picked.first()?.1.taken_by.filter(|_| self.dice.chance(90));
                // One account writes to people who do not want it to.
                let refused = account == self.accounts[1] && self.dice.chance(70);
                let outcomes = picked.into_iter().map(|(id, _)| (id, self.outcome(refused))).collect();
                Statement::SettleMessages { process, link, connection: taker.unwrap_or(connection), outcomes }
            }
            _ => {
                let tried: Vec<_> = mine.iter().filter(|(_, row)| row.attempt > 0).cloned().collect();
                let among = if self.dice.chance(85) { &tried } else { &mine };
                let receipts = (0..=self.dice.below(2)).filter_map(|_| self.pick(among)).collect::<Vec<_>>();
                let receipts = receipts.into_iter().map(|(_, row)| {
                    let chat = if self.dice.chance(90) { row.chat } else { CHATS[0].to_owned() };
                    let kind = if self.dice.chance(50) { ReceiptKind::Delivered } else { ReceiptKind::Read };
                    let party = |jid: &str| Party { jid: jid.to_owned(), phone: None };
                    Receipt { chat: party(&chat), by: party("9@lid"), wa_ids: vec![row.wa_id], kind, at: SENT }
                });
                Statement::RecordReceipts { process, link, receipts: receipts.collect() }
            }
        })
    }

    fn pick(&mut self, among: &[(MessageId, StoredMessage)]) -> Option<(MessageId, StoredMessage)> {
        among.get(self.dice.below(among.len())).cloned()
    }

    fn outcome(&mut self, refused: bool) -> SendOutcome {
        let failed = |reason, code| SendOutcome::Failed { reason, code };
        match if refused { 9 } else { self.dice.below(10) } {
            0..=2 => SendOutcome::Sent { at: SENT },
            3 | 4 => SendOutcome::Again { after: LATER },
            5 => SendOutcome::Again { after: Duration::ZERO },
            6 => failed(SendFailure::Expired, None),
            7 => failed(SendFailure::Refused, Some(400)),
            _ => failed(SendFailure::ReachoutTimelocked, Some(463)),
        }
    }

    pub(super) async fn execute_of_messages(&self, statement: &Statement) -> StatementAnswer {
        let store = |process: &Uuid| PgOutgoing::new(self.pool.clone(), *process, Waker::default());
        let of = |link: &SendingLink| {
            let SendingLink { account, fence, keyring, epoch } = *link;
            MessageLink { account, fence, keyring, epoch }
        };
        match statement {
            Statement::TakeMessages { process, link, connection, held, room } => {
                let taken = store(process).take(&of(link), *connection, held, *room).await;
                if taken == Err(StoreError::Overtaken) {
                    return StatementAnswer::Overtaken;
                }
                StatementAnswer::Messages(unless_fenced(taken))
            }
            Statement::SettleMessages { process, link, connection, outcomes } => {
                let settled = store(process).settle(&of(link), *connection, outcomes).await;
                if settled == Err(StoreError::Overtaken) {
                    return StatementAnswer::Overtaken;
                }
                StatementAnswer::Told(unless_fenced(settled).map(|()| true))
            }
            Statement::RecordReceipts { process, link, receipts } => {
                let written = store(process).record_receipts(&of(link), receipts).await;
                StatementAnswer::Told(unless_fenced(written).map(|()| true))
            }
            Statement::SweepMessages => {
                StatementAnswer::Told(Some(sweep_messages().bind(&self.client, &1_000).one().await.unwrap().told))
            }
            Statement::ListRinging { process } => {
                let mut ringing = list_ringing().bind(&self.client, process).all().await.unwrap();
                ringing.sort();
                StatementAnswer::Ringing(ringing.into_iter().map(AccountId).collect())
            }
            _ => unreachable!("not a statement of messages"),
        }
    }

    /// What shows that the histories show something.
    pub(super) fn note_messages(&mut self, answer: &StatementAnswer) {
        let mut seen: BTreeSet<&'static str> = BTreeSet::new();
        match answer {
            StatementAnswer::Messages(None) | StatementAnswer::Told(None) => drop(seen.insert("not the sender")),
            StatementAnswer::Messages(Some(taken)) => {
                let again = taken.messages.iter().any(|message| message.maybe_sent);
                seen.extend(again.then_some("messages taken again"));
                seen.insert(if taken.messages.is_empty() { "nothing to take" } else { "messages taken" });
                seen.extend(taken.has_more.then_some("more to take"));
                seen.extend(taken.next_due.map(|_| "due later"));
            }
            StatementAnswer::Overtaken => drop(seen.insert("sender overtaken")),
            StatementAnswer::Ringing(accounts) if !accounts.is_empty() => drop(seen.insert("rings")),
            _ => {}
        }
        for row in self.model.messages.values() {
            seen.extend(match row.state {
                MessageState::Sent => Some("message sent"),
                MessageState::Delivered => Some("message sent by a receipt"),
                MessageState::Read => Some("message read"),
                MessageState::Queued if row.attempt > 0 => Some("message taken back"),
                MessageState::Failed => Some("message failed"),
                MessageState::Expired => Some("message expired"),
                _ => None,
            });
        }
        self.seen.extend(seen);
    }

    pub(super) async fn compare_messages(&self, at: &str) {
        let sql = "SELECT m.id, m.account_id, m.chat, m.key, m.state, m.reason, m.code, m.attempt::integer, m.taken_by,
                          m.is_new_chat, m.due_at > clock_timestamp() + interval '1 minute', m.expires_at
                   FROM messages m ORDER BY m.id";
        type Row = (i64, Uuid, String, Option<String>, String, Option<String>);
        type Rest = (Option<i32>, i32, Option<Uuid>, bool, bool, Option<Instant>);
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        let rows: Vec<(Row, Rest)> = rows
            .iter()
            .map(|row| {
                let expires_at = row.get::<_, Option<chrono::DateTime<chrono::Utc>>>(11).map(Instant::from);
                (
                    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5)),
                    (row.get(6), row.get(7), row.get(8), row.get(9), row.get(10), expires_at),
                )
            })
            .collect();
        let soon = now().after(Duration::from_mins(1));
        let expected = self.model.messages.iter().map(|(id, row)| {
            let StoredMessage { account, chat, key, state, reason, code, attempt, taken_by, .. } = row.clone();
            (
                (id.0, account.0, chat, key, state.to_string(), reason),
                (code.map(i32::from), i32::from(attempt), taken_by, row.is_new_chat, row.due_at > soon, row.expires_at),
            )
        });
        assert_eq!(rows, expected.collect::<Vec<_>>(), "{at}");

        let sql = "SELECT account_id, jid FROM contacts WHERE has_chat ORDER BY account_id, jid";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        let chats: Vec<(Uuid, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let expected = self.model.chats.iter().map(|(account, chat)| (account.0, chat.clone()));
        assert_eq!(chats, expected.collect::<Vec<_>>(), "{at}");

        let sql = "SELECT id, sending_paused_until IS NOT NULL, new_chats_refused::integer FROM whatsapp_accounts ORDER BY id";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        let accounts: Vec<(Uuid, bool, i32)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let expected = self.model.accounts.iter().map(|(id, row)| {
            (id.0, row.sending.paused_until.is_some(), i32::try_from(row.sending.new_chats_refused).unwrap())
        });
        assert_eq!(accounts, expected.collect::<Vec<_>>(), "{at}");
    }
}

fn unless_fenced<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(StoreError::Fenced) => None,
        Err(why) => panic!("{why:?}"),
    }
}
