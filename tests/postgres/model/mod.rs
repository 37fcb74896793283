//! The simulation's model of the database behaves like the SQL: random histories of statements, many
//! of them late or repeated, give the same answers and the same rows on both.

#![allow(clippy::wildcard_enum_match_arm, reason = "one answer or statement is looked for among many")]

mod compare;
mod draw;
mod execute;
mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use paird::postgres::outbox::Waker;
use paird::postgres::store::PgStore;
use paird_actors::domain::{AccountId, CommandId, CommandRow, Instant, KeyringId, OperatorId, Taken, TicketId};
use paird_actors::simulation::{
    Dice,
    model::{Model, Statement, StatementAnswer},
};
use serde_json::json;
use uuid::Uuid;

use self::compare::{name, plain};
use crate::support::Database;

const HISTORIES: u64 = 6;
const STEPS: usize = 510;
/// Kinds of answers that must occur, so that the histories show something.
const SEEN: [&str; 36] = [
    "recorded",
    "recorded before",
    "overtaken",
    "number taken",
    "not the owner",
    "keys put",
    "keyring opened since",
    "opened",
    "opened later",
    "claimed",
    "released",
    "ticket closed",
    "ticket open",
    "try written",
    "try not written",
    "lease expired",
    "renewal overtaken",
    "lease gone",
    "taken",
    "orphans",
    "put back",
    "given back",
    "messages taken",
    "messages taken again",
    "nothing to take",
    "not the sender",
    "sender overtaken",
    "more to take",
    "due later",
    "message sent",
    "message sent by a receipt",
    "message read",
    "message taken back",
    "message failed",
    "message expired",
    "rings",
];
/// Leases end only when a history ends them.
const TTL: Duration = Duration::from_secs(3600);
/// Kind and name of the only record of each keyring; its value is the model's counter.
const RECORD: (&str, &str) = ("device", "");

#[tokio::test]
async fn a_history_gives_the_same_rows_on_the_model() {
    let mut seen = BTreeSet::new();
    for seed in 1..=HISTORIES {
        let mut both = Both::new(seed).await;
        for step in 0..STEPS {
            both.step(&format!("seed {seed}, step {step}")).await;
        }
        seen.extend(both.seen);
    }
    let missing: Vec<_> = SEEN.iter().filter(|what| !seen.contains(*what)).collect();
    assert!(missing.is_empty(), "never came: {missing:?}");
}

struct Both {
    dice: Dice,
    model: Model,
    database: Database,
    client: deadpool_postgres::Object,
    pool: deadpool_postgres::Pool,
    processes: Vec<Uuid>,
    stores: BTreeMap<Uuid, PgStore>,
    accounts: Vec<AccountId>,
    /// The database's id of each of the model's tickets.
    tickets: BTreeMap<TicketId, Uuid>,
    /// Every keyring that ever was, with its account.
    keyrings: Vec<(AccountId, KeyringId)>,
    taken: Vec<Taken>,
    issued: Vec<Statement>,
    renewals: i64,
    drains: i64,
    stamps: i64,
    openings: u64,
    seen: BTreeSet<&'static str>,
}

impl Both {
    async fn new(seed: u64) -> Self {
        let database = Database::new().await;
        let pool = database.dsn.pool().unwrap();
        let mut model = Model::default();
        let mut dice = Dice::new(seed);
        let accounts: Vec<AccountId> = (1..=4).map(|nth| AccountId(Uuid::from_u128(nth << 64))).collect();
        for (nth, account) in accounts.iter().enumerate() {
            let (operator, label) = (Uuid::from_u128(if nth == 3 { 2 } else { 1 }), format!("a{nth}"));
            let sql = "INSERT INTO whatsapp_accounts (id, operator_id, label) VALUES ($1, $2, $3)";
            database.web.execute(sql, &[&account.0, &operator, &label]).await.unwrap();
            model.add_account(*account, OperatorId(operator), &label, now());
            messages::pace(&database, &mut model, *account, nth).await;
        }
        let processes: Vec<Uuid> = (0..3).map(|_| Uuid::from_u128(dice.wide())).collect();
        let store = |process| PgStore::new(pool.clone(), process, Waker::default(), Arc::default());
        let stores = processes.iter().map(|process| (*process, store(*process))).collect();
        let client = pool.get().await.unwrap();
        let mut both = Self {
            dice,
            model,
            database,
            client,
            pool,
            processes,
            stores,
            accounts,
            tickets: BTreeMap::new(),
            keyrings: Vec::new(),
            taken: Vec::new(),
            issued: Vec::new(),
            renewals: 0,
            drains: 0,
            stamps: 0,
            openings: 0,
            seen: BTreeSet::new(),
        };
        for process in both.processes.clone() {
            both.renewals += 1;
            let renewal = both.renewals;
            both.run(Statement::TakeLease { process, ttl: TTL, renewal, draining: false, drain_no: 0 }, "start").await;
        }
        both
    }

    async fn step(&mut self, at: &str) {
        match self.dice.below(34) {
            0 | 1 => self.send().await,
            2 => self.end_a_lease().await,
            3 if self.dice.chance(15) => self.age_tickets().await,
            20..=23 => self.send_message().await,
            24 => self.cancel_message().await,
            25 if self.dice.chance(30) => self.age_messages().await,
            26.. => {
                let account = self.account_that_sends();
                let statement = self.draw_of_messages(account).unwrap_or(Statement::SweepMessages);
                self.issued.push(statement.clone());
                self.run(statement, at).await;
            }
            // A statement that was issued before arrives late, or a second time.
            4..=8 if !self.issued.is_empty() => {
                let nth = self.dice.below(self.issued.len());
                self.run(self.issued[nth].clone(), &format!("{at}, again")).await;
            }
            _ => {
                let statement = self.draw();
                self.issued.push(statement.clone());
                // Repeated at once: later the keyring would probably be gone.
                let twice = matches!(statement, Statement::OpenKeyring { .. }) && self.dice.chance(50);
                self.run(statement.clone(), at).await;
                if twice {
                    self.run(statement, &format!("{at}, twice")).await;
                }
            }
        }
        self.compare(at).await;
        self.compare_messages(at).await;
    }

    async fn run(&mut self, statement: Statement, at: &str) {
        let expected = self.model.execute(&statement, now());
        let answer = self.execute(&statement).await;
        assert_eq!(plain(answer), plain(expected.clone()), "{at}: {statement:?}");
        self.seen.extend(name(&expected));
        self.note_messages(&expected);
        self.seen.extend(match (&statement, &expected) {
            (Statement::RequeueCommands { .. }, StatementAnswer::Count(1..)) => Some("put back"),
            (Statement::GiveAccountsBack { .. }, StatementAnswer::Count(1..)) => Some("given back"),
            _ => None,
        });
        if let StatementAnswer::Commands { due, .. } = expected {
            self.taken.extend(due.iter().map(CommandRow::taken));
        }
        self.learn_tickets().await;
    }

    async fn send(&mut self) {
        let account = self.account();
        let known = !self.dice.chance(10);
        let account = if known { Some(account) } else { self.dice.chance(50).then(|| AccountId(Uuid::from_u128(99))) };
        let kind = if self.dice.chance(30) { "groups.sync" } else { "account.pair" };
        let sql = "SELECT send_command($1, $2)";
        let id: i64 = self.database.one(sql, &[&kind, &account.map(|account| account.0)]).await;
        assert_eq!(CommandId(id), self.model.add_command(account, kind, json!({})));
    }

    async fn end_a_lease(&mut self) {
        let process = self.process();
        let sql = "UPDATE processes SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1";
        self.database.web.execute(sql, &[&process]).await.unwrap();
        if let Some(row) = self.model.processes.get_mut(&process) {
            row.expires_at = Instant(now().0 - 1_000);
        }
    }

    async fn age_tickets(&mut self) {
        let sql = "UPDATE unlink_tickets SET abandon_at = clock_timestamp() - interval '1 s'";
        self.database.web.execute(sql, &[]).await.unwrap();
        for ticket in self.model.tickets.values_mut() {
            ticket.abandon_at = Instant(now().0 - 1_000);
        }
    }
}

fn now() -> Instant {
    Instant::from(Utc::now())
}
