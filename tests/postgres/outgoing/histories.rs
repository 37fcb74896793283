//! Random histories of one account's messages, with lost answers, former connections and late
//! outcomes, against a model of what must come of each.

use std::collections::BTreeMap;
use std::time::Duration;

use paird::whatsapp::OutgoingStore as _;
use paird_actors::domain::{MessageId, Party, Receipt, ReceiptKind, SendFailure, SendOutcome, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use super::{RECEIVED, Sending, again, failed, ids, sent, text_to};
use crate::support::Database;

const CHATS: [&str; 3] = ["1@g.us", "2@g.us", "3@g.us"];
/// How long a message for later waits, and one that is tried again; and how much passes at once.
const WAIT: u64 = 60;
const STEP: u64 = 120;

#[derive(Clone, Copy, Debug)]
enum Step {
    Send {
        chat: usize,
        key: Option<u8>,
        later: bool,
    },
    /// The answer may be lost: then the connection holds nothing of it.
    Take {
        room: u16,
        is_lost: bool,
        /// A former connection's.
        is_late: bool,
    },
    Reconnect,
    Settle {
        nth: usize,
        by_former: bool,
        outcome: u8,
    },
    Cancel {
        nth: usize,
    },
    Receipt {
        nth: usize,
        is_read: bool,
    },
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..CHATS.len(), prop::option::weighted(0.3, 0..4_u8), prop::bool::weighted(0.2))
            .prop_map(|(chat, key, later)| Step::Send { chat, key, later }),
        5 => (0..4_u16, prop::bool::weighted(0.2), prop::bool::weighted(0.1))
            .prop_map(|(room, is_lost, is_late)| Step::Take { room, is_lost, is_late }),
        1 => Just(Step::Reconnect),
        6 => (0..64_usize, prop::bool::weighted(0.2), 0..4_u8)
            .prop_map(|(nth, by_former, outcome)| Step::Settle { nth, by_former, outcome }),
        1 => (0..64_usize).prop_map(|nth| Step::Cancel { nth }),
        3 => (0..64_usize, any::<bool>()).prop_map(|(nth, is_read)| Step::Receipt { nth, is_read }),
        2 => Just(Step::Pass),
    ]
}

struct Row {
    id: MessageId,
    chat: usize,
    state: &'static str,
    taken_by: Option<Uuid>,
    attempts: u32,
    /// The second, and the step that said it.
    due: (u64, usize),
}

#[derive(Default)]
struct Model {
    rows: Vec<Row>,
    keys: BTreeMap<u8, MessageId>,
    events: Vec<String>,
    now: u64,
    steps: usize,
}

impl Model {
    fn row(&mut self, nth: usize) -> Option<&mut Row> {
        let count = self.rows.len();
        (count > 0).then(|| &mut self.rows[nth % count])
    }

    fn tell(&mut self, what: &str, id: MessageId) {
        self.events.push(format!("message.{what} {}", id.0));
    }

    fn take(&mut self, connection: Uuid, held: &[MessageId], room: usize) -> Vec<MessageId> {
        let is_held = |row: &Row| row.taken_by == Some(connection) && held.contains(&row.id);
        let left = self.rows.iter().filter(|row| row.state == "sending" && !is_held(row));
        let mut taken: Vec<MessageId> = left.map(|row| row.id).take(room).collect();
        let is_due = |row: &&Row| row.state == "queued" && row.due.0 <= self.now;
        let is_next = |row: &&Row| {
            self.rows.iter().filter(|other| other.chat == row.chat).all(|other| {
                other.state != "sending"
                    && !(other.state == "queued" && other.id < row.id && (is_due(&other) || other.attempts > 0))
            })
        };
        let mut queued: Vec<&Row> = self.rows.iter().filter(is_due).filter(is_next).collect();
        queued.sort_by_key(|row| (row.due, row.id));
        let rest = room - taken.len();
        taken.extend(queued.into_iter().map(|row| row.id).take(rest));
        for row in self.rows.iter_mut().filter(|row| taken.contains(&row.id)) {
            row.state = "sending";
            row.taken_by = Some(connection);
            row.attempts += 1;
        }
        taken
    }

    fn settle(&mut self, nth: usize, connection: Uuid, outcome: u8) {
        let due = (self.now + WAIT, self.steps);
        let Some(row) = self.row(nth) else { return };
        if row.state != "sending" || row.taken_by != Some(connection) {
            return;
        }
        let id = row.id;
        match outcome {
            0 | 1 => {
                row.state = "sent";
                self.tell("sent", id);
            }
            2 => {
                row.state = "queued";
                row.due = due;
            }
            _ => {
                row.state = "failed";
                self.events.push(format!("message.failed {} refused", id.0));
            }
        }
    }

    fn receive(&mut self, nth: usize, is_read: bool) {
        let Some(row) = self.row(nth) else { return };
        let (id, state, was_tried) = (row.id, row.state, row.attempts > 0);
        let is_first_word = state == "sending" || (state == "queued" && was_tried);
        if is_first_word {
            row.state = "sent";
        }
        let moves = row.state == "sent" || (row.state == "delivered" && is_read);
        let word = if is_read { "read" } else { "delivered" };
        if moves {
            row.state = word;
        }
        if is_first_word {
            self.tell("sent", id);
        }
        if moves {
            self.tell(word, id);
        }
    }
}

#[test]
fn whatever_happens_each_message_has_one_history() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::new());
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    runner
        .run(&vec(step(), 10..80), |steps| {
            runtime.block_on(runs_as_the_model(&database, &steps));
            Ok(())
        })
        .unwrap();
}

async fn runs_as_the_model(database: &Database, steps: &[Step]) {
    let mut account = Sending::new(database).await;
    let own = account.linked.record.id.0;
    let mut former = (account.connection, account.linked.link);
    let mut model = Model::default();
    for (n, step) in steps.iter().enumerate() {
        model.steps = n;
        match *step {
            Step::Send { chat, key, later } => {
                let chat = key.map_or(chat, |key| usize::from(key) % CHATS.len());
                let sql = "SELECT send_message($1, $2, $3, CASE WHEN $4 THEN clock_timestamp() + interval '60 s' END)";
                let name = key.map(|key| key.to_string());
                let id = MessageId(database.one(sql, &[&own, &text_to(CHATS[chat], "x"), &name, &later]).await);
                let known = key.and_then(|key| model.keys.get(&key).copied());
                assert!(known.is_none_or(|known| known == id), "a key has one message");
                if known.is_none() {
                    let due = (if later { model.now + WAIT } else { model.now }, n);
                    model.rows.push(Row { id, chat, state: "queued", taken_by: None, attempts: 0, due });
                    model.keys.extend(key.map(|key| (key, id)));
                }
            }
            Step::Take { room, is_late: true, .. } => {
                let (connection, link) = former;
                let told = account.store().take(&link, connection, &[], room).await;
                if connection == account.connection {
                    // There was none before.
                    assert_eq!(ids(&told.unwrap()), model.take(connection, &[], usize::from(room)), "step {n}");
                } else {
                    assert_eq!(told, Err(StoreError::Overtaken), "step {n}");
                }
            }
            Step::Take { room, is_lost, .. } => {
                let held = account.held.clone();
                let taken = account.take(room).await;
                assert_eq!(ids(&taken), model.take(account.connection, &held, usize::from(room)), "step {n}");
                if is_lost {
                    account.held = held;
                }
            }
            Step::Reconnect => {
                former = (account.connection, account.linked.link);
                account.reconnect().await;
            }
            Step::Settle { nth, by_former, outcome } => {
                let Some(id) = model.row(nth).map(|row| row.id) else { continue };
                let (connection, link) = if by_former { former } else { (account.connection, account.linked.link) };
                let said = outcome_of(outcome);
                let told = account.store().settle(&link, connection, &[(id, said.clone()), (id, said)]).await;
                let is_anothers = |row: &mut Row| row.state == "sending" && row.taken_by != Some(connection);
                let is_overtaken = model.row(nth).is_some_and(is_anothers);
                assert_eq!(told, if is_overtaken { Err(StoreError::Overtaken) } else { Ok(()) }, "step {n}");
                model.settle(nth, connection, outcome);
                if !by_former {
                    account.held.retain(|held| *held != id);
                }
            }
            Step::Cancel { nth } => {
                let Some(row) = model.row(nth) else { continue };
                let is_queued = row.state == "queued";
                if is_queued {
                    row.state = "cancelled";
                }
                let id = row.id;
                assert_eq!(database.cancel(id).await, is_queued, "step {n}");
            }
            Step::Receipt { nth, is_read } => {
                let Some((id, chat)) = model.row(nth).map(|row| (row.id, CHATS[row.chat])) else { continue };
                let jid = |jid: &str| Party { jid: jid.to_owned(), phone: None };
                let kind = if is_read { ReceiptKind::Read } else { ReceiptKind::Delivered };
                let wa_ids = vec![database.wa_id(id).await];
                let receipt = Receipt { chat: jid(chat), by: jid("9@lid"), wa_ids, kind, at: RECEIVED };
                account.store().record_receipts(&account.linked.link, &[receipt]).await.unwrap();
                model.receive(nth, is_read);
            }
            Step::Pass => {
                let sql = "UPDATE messages SET due_at = due_at - make_interval(secs => $2) WHERE account_id = $1";
                #[expect(clippy::cast_precision_loss, reason = "two minutes")]
                let step = STEP as f64;
                database.web.execute(sql, &[&own, &step]).await.unwrap();
                model.now += STEP;
            }
        }
        let sql = "SELECT coalesce(array_agg(state ORDER BY id), '{}') FROM messages WHERE account_id = $1";
        let states: Vec<String> = database.one(sql, &[&own]).await;
        assert_eq!(states, model.rows.iter().map(|row| row.state).collect::<Vec<_>>(), "after step {n}, {step:?}");
    }
    let sql =
        "SELECT coalesce(array_agg(concat_ws(' ', kind, payload->>'messageId', payload->>'reason') ORDER BY seq), '{}')
               FROM events WHERE account_id = $1";
    assert_eq!(database.one::<Vec<String>>(sql, &[&own]).await, model.events);
    let sql = "SELECT count(*) = coalesce(max(seq), 0)
                      AND coalesce(max(seq), 0) = (SELECT event_seq FROM whatsapp_accounts WHERE id = $1)
               FROM events WHERE account_id = $1";
    assert!(database.one::<bool>(sql, &[&own]).await, "a gap in seq");
}

fn outcome_of(outcome: u8) -> SendOutcome {
    match outcome {
        0 | 1 => sent(),
        2 => again(Duration::from_secs(WAIT)),
        _ => failed(SendFailure::Refused),
    }
}
