//! The model that the simulation runs on is the SQL: random histories of statements, many of
//! them late or doubled, give the same answers and the same rows on both.

#![allow(clippy::wildcard_enum_match_arm, reason = "one answer or statement is looked for among many")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use paird::postgres::outbox::Waker;
use paird::postgres::store::PgStore;
use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, Change, ChangeId, Command, CommandId, CommandRow, ConnectionSettings, Desired,
    Event, Fence, Finished, Instant, KeyringId, Link, LinkedDevice, OperatorId, Owned, PairMethod, PairRequest, Phone,
    Presence, SealedKeys, SealedRecord, Status, StatusReason, StoreError, Survey, Taken, TakingId, TicketId,
    TicketReason, TicketRecord, Unlinked, Write, Written,
};
use paird_actors::ports::{AccountStore, FleetStore};
use paird_actors::simulation::{
    Dice,
    model::{CommandState, Model, Recorded, Retried, Statement, StatementAnswer, StoredKeyring},
};
use paird_sql::client::Params;
use paird_sql::queries::{
    accounts::{claim_accounts, list_owned_accounts, release_account, retake_account, survey_fleet},
    commands::{fail_orphaned_commands, requeue_commands, take_commands},
    credentials::{PutCredentialsParams, put_credentials},
    keyrings::{OpenKeyringParams, open_keyring},
    processes::{
        GiveAccountsBackParams, RenewLeaseParams, SetDrainingParams, ShortenLeaseParams, TakeLeaseParams,
        bury_processes, disown_accounts, give_accounts_back, release_lease, renew_lease, set_draining, shorten_lease,
        survey_daemons, take_lease,
    },
    settings::load_connection_settings,
    tickets::{CloseTicketParams, RetryTicketParams, close_ticket, load_ticket, retry_ticket},
};
use serde_json::json;
use uuid::Uuid;

use crate::support::Database;

const HISTORIES: u64 = 6;
const STEPS: usize = 300;
/// Histories in which one of these never came would show little.
const SEEN: [&str; 22] = [
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
];
/// Nobody's lease ends by itself.
const TTL: Duration = Duration::from_secs(3600);
/// What the one record of a keyring is called; its stamp is the model's counter.
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
        match self.dice.below(20) {
            0 | 1 => self.send().await,
            2 => self.end_a_lease().await,
            3 if self.dice.chance(15) => self.age_tickets().await,
            // Late, or again.
            4..=8 if !self.issued.is_empty() => {
                let nth = self.dice.below(self.issued.len());
                self.run(self.issued[nth].clone(), &format!("{at}, again")).await;
            }
            _ => {
                let statement = self.draw();
                self.issued.push(statement.clone());
                // An account has few keyrings, and each for a short time only.
                let twice = matches!(statement, Statement::OpenKeyring { .. }) && self.dice.chance(50);
                self.run(statement.clone(), at).await;
                if twice {
                    self.run(statement, &format!("{at}, twice")).await;
                }
            }
        }
        self.compare(at).await;
    }

    async fn run(&mut self, statement: Statement, at: &str) {
        let expected = self.model.execute(&statement, now());
        let answer = self.execute(&statement).await;
        assert_eq!(plain(answer), plain(expected.clone()), "{at}: {statement:?}");
        self.seen.extend(name(&expected));
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

    // What is asked

    fn process(&mut self) -> Uuid {
        self.dice.one_of(&self.processes).unwrap()
    }

    fn account(&mut self) -> AccountId {
        self.dice.one_of(&self.accounts).unwrap()
    }

    /// Mostly the owner and its fence.
    fn owner_of(&mut self, account: AccountId) -> (Uuid, Fence) {
        let row = &self.model.accounts[&account];
        let (owner, fence) = (row.owner, row.record.fence);
        let another = self.process();
        let process = owner.filter(|_| !self.dice.chance(10)).unwrap_or(another);
        (process, if self.dice.chance(10) { Fence(fence.0 - 1) } else { fence })
    }

    fn draw(&mut self) -> Statement {
        let process = self.process();
        let account = self.account();
        let (owner, fence) = self.owner_of(account);
        match self.dice.below(60) {
            0 => {
                self.renewals += 1;
                let (draining, drain_no) = self.drain();
                Statement::TakeLease { process, ttl: TTL, renewal: self.renewals, draining, drain_no }
            }
            1 | 2 => {
                self.renewals += 1;
                let (draining, drain_no) = self.drain();
                let refresh = self.dice.chance(30);
                Statement::RenewLease { process, ttl: TTL, renewal: self.renewals, refresh, draining, drain_no }
            }
            3 => Statement::SurveyDaemons { process },
            4 if self.dice.chance(30) => Statement::ReleaseLease { process },
            4 => Statement::ShortenLease { process, left: if self.dice.chance(50) { Duration::ZERO } else { TTL } },
            5 if self.dice.chance(30) => Statement::BuryProcesses { gone: vec![process] },
            5 | 6 => {
                let (draining, drain_no) = self.drain();
                Statement::SetDraining { process, draining, drain_no }
            }
            7 => {
                let drain_no = self.model.processes.get(&process).map_or(0, |row| row.drain_no);
                Statement::GiveAccountsBack { process, drain_no: drain_no - i64::from(self.dice.chance(20)) }
            }
            8 => Statement::Survey { process, running: vec![account] },
            9 | 10 => Statement::ClaimAccounts { process, limit: 1 + u32::try_from(self.dice.below(3)).unwrap() },
            11 => Statement::ReleaseAccount { process: owner, account, fence },
            12 => Statement::RetakeAccount { process: owner, account, fence },
            13 => Statement::LoadConnectionSettings { process: owner, account, fence },
            14..=17 => {
                let handed = self.taken.iter().copied().filter(|_| self.dice.chance(90)).collect();
                Statement::TakeCommands { process, taking: TakingId(Uuid::from_u128(self.dice.wide())), handed }
            }
            18 => Statement::FailOrphanedCommands,
            19 => {
                let commands = self.taken.iter().copied().filter(|_| self.dice.chance(60)).collect();
                Statement::RequeueCommands { process: owner, commands }
            }
            // Leases last, and accounts have owners, most of the time.
            37..=41 => {
                self.renewals += 1;
                let (renewal, (draining, drain_no)) = (self.renewals, (false, self.drains));
                Statement::TakeLease { process, ttl: TTL, renewal, draining, drain_no }
            }
            42..=45 => Statement::ClaimAccounts { process, limit: 2 },
            20..=23 => self.draw_of_a_ticket().unwrap_or(Statement::SurveyDaemons { process }),
            24..=27 => self.draw_of_keys().unwrap_or(Statement::SurveyDaemons { process }),
            _ => self.draw_change(account, owner, fence),
        }
    }

    fn drain(&mut self) -> (bool, i64) {
        self.drains += i64::from(self.dice.chance(60));
        (self.dice.chance(30), self.drains)
    }

    fn draw_of_a_ticket(&mut self) -> Option<Statement> {
        let known: Vec<TicketId> = self.model.tickets.keys().copied().collect();
        let (id, row) = self.dice.one_of(&known).map(|id| (id, self.model.tickets[&id].clone()))?;
        let (process, fence) = self.owner_of(row.account);
        let ticket = TicketRecord {
            id,
            account: row.account,
            label: String::new(),
            fence,
            keyring: row.keyring,
            reason: row.reason.clone(),
            attempts: row.attempts,
            last_error: None,
            next_retry_at: row.next_retry_at,
            abandon_at: row.abandon_at,
        };
        let reason = "gone".to_owned();
        Some(match self.dice.below(4) {
            0 => Statement::LoadTicket { process, ticket: id },
            1 => {
                let error = format!("try {}", self.dice.below(3));
                let attempts = row.attempts + u32::try_from(self.dice.below(3)).unwrap();
                Statement::RetryTicket { process, ticket, attempts, error, next_retry_at: now() }
            }
            2 => Statement::CloseTicket {
                process,
                ticket,
                is_abandoned: false,
                event: Event::AccountUnlinked { reason },
            },
            _ => {
                Statement::CloseTicket { process, ticket, is_abandoned: true, event: Event::UnlinkAbandoned { reason } }
            }
        })
    }

    fn draw_of_keys(&mut self) -> Option<Statement> {
        let present: Vec<_> = self.model.keyrings.iter().map(|(id, row)| (row.account, *id)).collect();
        let known = if self.dice.chance(80) { &present } else { &self.keyrings };
        let (account, keyring) = self.dice.one_of(known)?;
        let (process, fence) = self.owner_of(account);
        let epoch = self.model.keyrings.get(&keyring).map_or(1, |row| row.epoch) - i64::from(self.dice.chance(30));
        if self.dice.chance(30) {
            self.openings += 1;
            return Some(Statement::OpenKeyring { process, account, fence, keyring, opening: self.openings });
        }
        self.stamps += 1;
        Some(Statement::PutCredentials { process, account, fence, keyring, epoch, counter: self.stamps })
    }

    fn draw_change(&mut self, account: AccountId, process: Uuid, fence: Fence) -> Statement {
        let row = self.model.accounts[&account].clone();
        let former: Vec<ChangeId> = self
            .issued
            .iter()
            .filter_map(|issued| match issued {
                Statement::RecordChange { write, .. } => Some(write.id),
                _ => None,
            })
            .collect();
        let another = self.dice.one_of(&former);
        let follows = if self.dice.chance(10) { another } else { row.last_change };
        let mine: Vec<KeyringId> =
            self.keyrings.iter().filter(|(of, _)| *of == account).map(|(_, keyring)| *keyring).collect();
        let links = self.dice.chance(25);
        let fresh = KeyringId(Uuid::from_u128(self.dice.wide()));
        let mut record = self.draw_record(&row.record, fence, &mine);
        if links {
            let device = LinkedDevice { keyring: fresh, phone: record.phone().cloned(), jid: None };
            record.link = Link::LeftBehind { device, parked: record.keyring() };
        }
        let commands: Vec<CommandId> = self.model.commands.keys().copied().collect();
        let mut change = Change { deletes: self.dice.chance(15), ..Change::default() };
        if change.deletes || self.dice.chance(10) {
            change.events.push(Event::AccountDeleted { unlinked: Unlinked::None });
        }
        for _ in 0..self.dice.below(3) {
            change.events.push(Event::Timeout);
        }
        if let Some(command) = self.dice.one_of(&commands).filter(|_| self.dice.chance(50)) {
            let result = if self.dice.chance(50) { Ok("done".to_owned()) } else { Err("not done".to_owned()) };
            change.finished.push(Finished { command, kind: "account.pair".to_owned(), result });
        }
        let old = self.dice.one_of(&mine).filter(|_| self.dice.chance(60));
        change.tickets.extend(old.map(|keyring| (keyring, TicketReason::PairedAgain)));
        change.erase.extend(self.dice.one_of(&mine).filter(|_| self.dice.chance(20)));
        change.links = links.then(|| phone(1));
        let keys = links.then(|| {
            self.keyrings.push((account, fresh));
            let (kind, name) = RECORD;
            let record = SealedRecord { kind, name: name.to_owned(), sealed: vec![1], stamp: 0 };
            SealedKeys { keyring: fresh, wrapped_key: vec![1], master_key: "m".to_owned(), records: vec![record] }
        });
        let id = ChangeId(Uuid::from_u128(self.dice.wide()));
        Statement::RecordChange { process, write: Box::new(Write { id, follows, record, change, keys, qr_png: None }) }
    }

    fn draw_record(&mut self, row: &AccountRecord, fence: Fence, mine: &[KeyringId]) -> AccountRecord {
        let statuses = [
            Status::Unpaired,
            Status::Pending,
            Status::Connected,
            Status::Reconnecting,
            Status::Held,
            Status::Deleting,
        ];
        let status = self.dice.one_of(&statuses).unwrap();
        let desired = self.dice.one_of(&[Desired::Paired, Desired::Unpaired, Desired::Deleted]).unwrap();
        let phone = match self.dice.below(4) {
            0 => None,
            1 => Some(phone(1)),
            2 => Some(phone(2)),
            _ => row.phone().cloned(),
        };
        let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
        let keyring = self.dice.one_of(mine).filter(|_| self.dice.chance(60));
        let linking = self.dice.one_of(mine).filter(|linking| Some(*linking) != keyring && self.dice.chance(30));
        let device = linking.map(|keyring| LinkedDevice { keyring, phone: phone.clone(), jid: None });
        let link = match (device, keyring) {
            (device, parked) if self.dice.chance(30) => {
                Link::Pairing { attempt: Attempt { deadline: now(), request, device }, parked }
            }
            (Some(device), parked) => Link::LeftBehind { device, parked },
            (None, Some(keyring)) => Link::Held(LinkedDevice { keyring, phone, jid: None }),
            (None, None) => Link::None,
        };
        // Who is deleted stays so, and who lives again would take its number unasked.
        let deleted_at = row.deleted_at.or_else(|| self.dice.chance(5).then(now));
        AccountRecord {
            fence,
            status,
            reason: StatusReason::parse(&format!("r{}", self.dice.below(5))),
            since: now(),
            desired,
            next_retry_at: self.dice.chance(20).then(now),
            link,
            deleted_at,
            released_at: self.dice.chance(10).then(now),
            ..row.clone()
        }
    }

    // The database's answers

    async fn execute(&self, statement: &Statement) -> StatementAnswer {
        let client = &self.client;
        match statement {
            Statement::TakeLease { process, ttl, renewal, draining, drain_no } => {
                let row = TakeLeaseParams {
                    process: *process,
                    host: "host",
                    pid: 1,
                    version: "0",
                    pid_space: "space",
                    pid_birth: 1,
                    command_channel: "paird_command",
                    ttl_secs: ttl.as_secs_f64(),
                    renewal: *renewal,
                    draining: *draining,
                    drain_no: *drain_no,
                    master_keys: Vec::<String>::new(),
                };
                let taken = take_lease().params(client, &row).opt().await.unwrap();
                StatementAnswer::Taken { epoch: taken.map(|taken| taken.epoch), database_now: Instant(0) }
            }
            Statement::RenewLease { process, ttl, renewal, refresh, draining, drain_no } => {
                let row = RenewLeaseParams {
                    process: *process,
                    ttl_secs: ttl.as_secs_f64(),
                    renewal: *renewal,
                    refresh: *refresh,
                    drain_no: *drain_no,
                    draining: *draining,
                };
                let renewed = renew_lease().params(client, &row).one().await.unwrap();
                let (found, epoch, expired) = (renewed.found, renewed.epoch, renewed.expired);
                StatementAnswer::Renewed { found, epoch, expired, database_now: Instant(0) }
            }
            Statement::SurveyDaemons { process } => {
                let fleet = survey_daemons().bind(client, process).one().await.unwrap();
                let next_end = fleet.next_end_secs.map(Duration::from_secs_f64);
                StatementAnswer::Daemons { live: count(fleet.daemons), next_end }
            }
            Statement::ReleaseLease { process } => {
                release_lease().bind(client, process).await.unwrap();
                disown_accounts().bind(client, process, &1_000).one().await.unwrap();
                StatementAnswer::Nothing
            }
            Statement::ShortenLease { process, left } => {
                let row = ShortenLeaseParams { left_secs: left.as_secs_f64(), process: *process };
                shorten_lease().params(client, &row).await.unwrap();
                StatementAnswer::Nothing
            }
            Statement::BuryProcesses { gone } => {
                bury_processes().bind(client, gone).await.unwrap();
                StatementAnswer::Nothing
            }
            Statement::SetDraining { process, draining, drain_no } => {
                let row = SetDrainingParams { draining: *draining, drain_no: *drain_no, process: *process };
                set_draining().params(client, &row).await.unwrap();
                StatementAnswer::Nothing
            }
            Statement::GiveAccountsBack { process, drain_no } => {
                let row = GiveAccountsBackParams { process: *process, drain_no: *drain_no, batch: 1_000 };
                let given = give_accounts_back().params(client, &row).one().await.unwrap();
                StatementAnswer::Count(u32::try_from(given.given).unwrap())
            }
            Statement::Survey { process, running } => self.survey(*process, running).await,
            Statement::ClaimAccounts { process, limit } => {
                let claimed = claim_accounts().bind(client, process, &i64::from(*limit)).all().await.unwrap();
                StatementAnswer::Claimed(claimed.into_iter().map(AccountId).collect())
            }
            Statement::ReleaseAccount { process, account, fence } => {
                let statement = release_account();
                let found = statement.bind(client, &account.0, process, &fence.0).opt().await.unwrap();
                StatementAnswer::Found(found.is_some())
            }
            Statement::RetakeAccount { process, account, fence } => {
                let found = retake_account().bind(client, process, &account.0, &fence.0).opt().await.unwrap();
                StatementAnswer::Found(found.is_some())
            }
            Statement::LoadAccount { process, account } => {
                StatementAnswer::Loaded(self.stores[process].load_account(*account).await.unwrap().map(Box::new))
            }
            Statement::LoadConnectionSettings { process, account, fence } => {
                let statement = load_connection_settings();
                let row = statement.bind(client, &account.0, process, &fence.0).opt().await.unwrap();
                StatementAnswer::Settings(row.map(|row| ConnectionSettings {
                    proxy: row.proxy,
                    device_name: row.device_name,
                    presence: Presence::parse(&row.presence).unwrap_or_default(),
                }))
            }
            Statement::LoadTicket { process, ticket } => {
                let id = self.tickets[ticket];
                let row = load_ticket().bind(client, &id, process).opt().await.unwrap();
                StatementAnswer::Ticket(row.map(|row| TicketRecord {
                    id: *ticket,
                    account: AccountId(row.account_id),
                    label: row.label,
                    fence: Fence(row.fence),
                    keyring: KeyringId(row.keyring_id),
                    reason: row.reason,
                    attempts: u32::try_from(row.attempts).unwrap(),
                    last_error: row.last_error,
                    next_retry_at: Instant(0),
                    abandon_at: Instant(0),
                }))
            }
            Statement::TakeCommands { process, taking, handed } => {
                let commands: Vec<i64> = handed.iter().map(|taken| taken.command.0).collect();
                let takings: Vec<Uuid> = handed.iter().map(|taken| taken.taking.0).collect();
                let statement = take_commands();
                let rows = statement.bind(client, process, &taking.0, &commands, &takings).all().await.unwrap();
                let orphans = rows.iter().any(|row| row.orphans);
                let due = rows.into_iter().filter_map(|row| {
                    let (kind, args) = (row.kind?, row.args?);
                    Some(CommandRow {
                        id: CommandId(row.id?),
                        taking: TakingId(row.taken?),
                        account: AccountId(row.account_id?),
                        command: Command::parse(&kind, &args),
                        kind,
                        source: row.source?,
                    })
                });
                StatementAnswer::Commands { due: due.collect(), orphans }
            }
            Statement::FailOrphanedCommands => {
                let failed = fail_orphaned_commands().bind(client).all().await.unwrap();
                StatementAnswer::Orphans(failed.into_iter().map(CommandId).collect())
            }
            Statement::RequeueCommands { process, commands } => {
                let ids: Vec<i64> = commands.iter().map(|taken| taken.command.0).collect();
                let takings: Vec<Uuid> = commands.iter().map(|taken| taken.taking.0).collect();
                let back = requeue_commands().bind(client, &ids, &takings, process).all().await.unwrap();
                StatementAnswer::Count(u32::try_from(back.len()).unwrap())
            }
            Statement::RecordChange { process, write } => recorded(self.stores[process].record(write).await),
            Statement::RetryTicket { process, ticket, attempts, error, next_retry_at } => {
                let row = RetryTicketParams {
                    account: ticket.account.0,
                    process: *process,
                    fence: ticket.fence.0,
                    attempts: i32::try_from(*attempts).unwrap(),
                    error: error.as_str(),
                    next_retry_at: next_retry_at.to_utc().fixed_offset(),
                    ticket: self.tickets[&ticket.id],
                };
                let written = retry_ticket().params(client, &row).opt().await.unwrap();
                StatementAnswer::Retried(
                    written.map(|row| Retried { is_written: row.is_written, was_written: row.was_written }),
                )
            }
            Statement::CloseTicket { process, ticket, is_abandoned, event } => {
                let row = CloseTicketParams {
                    account: ticket.account.0,
                    process: *process,
                    fence: ticket.fence.0,
                    ticket: self.tickets[&ticket.id],
                    is_abandoned: *is_abandoned,
                    event_kind: event.kind().as_str(),
                    event_payload: event.payload(),
                    raw: "raw",
                };
                StatementAnswer::Closed(close_ticket().params(client, &row).opt().await.unwrap())
            }
            Statement::OpenKeyring { process, account, fence, keyring, opening } => {
                let row = OpenKeyringParams {
                    account_id: account.0,
                    owner: *process,
                    fence: fence.0,
                    keyring_id: keyring.0,
                    opening: Uuid::from_u128((*opening).into()),
                    device_kind: RECORD.0,
                    device_name: RECORD.1,
                };
                let opened = open_keyring().params(client, &row).one().await.unwrap();
                let opened_by = Some((*process, *opening));
                let row = |epoch| StoredKeyring {
                    account: *account,
                    epoch,
                    opened: opened_by,
                    counter: 0,
                    made_at: Instant(0),
                };
                StatementAnswer::Opened { held: opened.held, found: opened.found, keyring: opened.epoch.map(row) }
            }
            Statement::PutCredentials { process, account, fence, keyring, epoch, counter } => {
                let none: [&str; 0] = [];
                let (sealed, stamps): ([&[u8]; 1], [i64; 1]) = ([&[2]], [*counter]);
                let row = PutCredentialsParams {
                    account_id: account.0,
                    owner: *process,
                    fence: fence.0,
                    keyring_id: keyring.0,
                    epoch: *epoch,
                    kinds: [RECORD.0].as_slice(),
                    names: [RECORD.1].as_slice(),
                    sealed: sealed.as_slice(),
                    stamps: stamps.as_slice(),
                    gone_kinds: none.as_slice(),
                    gone_names: none.as_slice(),
                };
                let put = put_credentials().params(client, &row).one().await.unwrap();
                StatementAnswer::Put { held: put.held, epoch: put.epoch, written: put.written > 0 }
            }
        }
    }

    async fn survey(&self, process: Uuid, running: &[AccountId]) -> StatementAnswer {
        let running: Vec<Uuid> = running.iter().map(|account| account.0).collect();
        let fleet = survey_fleet().bind(&self.client).one().await.unwrap();
        let owned = list_owned_accounts().bind(&self.client, &process, &running).all().await.unwrap();
        let owned = owned.into_iter().map(|row| {
            let ids = row.tickets.iter().map(|id| self.tickets.iter().find(|(_, known)| *known == id).unwrap().0);
            let mut tickets: Vec<TicketId> = ids.copied().collect();
            // Opened by one statement, they are in no order.
            tickets.sort();
            Owned {
                account: AccountId(row.id),
                fence: Fence(row.fence),
                movable: row.movable,
                active: row.active,
                tickets,
            }
        });
        StatementAnswer::Survey(Survey {
            owned: owned.collect(),
            needing: count(fleet.needing),
            daemons: count(fleet.daemons),
            least: count(fleet.least),
        })
    }

    /// New tickets are known to both by their keyrings.
    async fn learn_tickets(&mut self) {
        let rows = self.database.web.query("SELECT id, keyring_id FROM unlink_tickets", &[]).await.unwrap();
        for row in rows {
            let (id, keyring): (Uuid, Uuid) = (row.get(0), row.get(1));
            let known = self.model.tickets.iter().find(|(_, ticket)| ticket.keyring.0 == keyring);
            if let Some((ticket, _)) = known {
                self.tickets.insert(*ticket, id);
            }
        }
    }

    // The rows

    async fn compare(&self, at: &str) {
        self.compare_accounts(at).await;
        let rows = self.database.web.query("SELECT id, state, taken, taken_by, result FROM commands ORDER BY id", &[]);
        type Command = (i64, String, Option<Uuid>, Option<Uuid>, Option<String>);
        let commands: Vec<Command> = rows
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
            .collect();
        let expected = self.model.commands.iter().map(|(id, row)| {
            let state = match row.state {
                CommandState::Queued => "queued",
                CommandState::Running => "running",
                CommandState::Done => "done",
                CommandState::Failed => "failed",
            };
            (id.0, state.to_owned(), row.taken.map(|taking| taking.0), row.taken_by, row.result.clone())
        });
        assert_eq!(commands, expected.collect::<Vec<_>>(), "{at}");

        let sql = "SELECT account_id, seq, kind, payload ->> 'unlinked' FROM events ORDER BY account_id, seq";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        type Told = (Uuid, i64, String, Option<String>);
        let events: Vec<Told> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        let told = self.model.events.iter().map(|told| {
            let unlinked = match &told.event {
                Event::AccountDeleted { unlinked } => Some(unlinked.as_str().to_owned()),
                _ => None,
            };
            (told.account.0, told.seq, told.event.kind().to_string(), unlinked)
        });
        let mut expected: Vec<Told> = told.collect();
        expected.sort();
        assert_eq!(events, expected, "{at}");

        let sql =
            "SELECT account_id, keyring_id, attempts, last_error FROM unlink_tickets ORDER BY account_id, keyring_id";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        type Ticket = (Uuid, Uuid, i32, Option<String>);
        let tickets: Vec<Ticket> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        let mut expected: Vec<Ticket> = self
            .model
            .tickets
            .values()
            .map(|row| (row.account.0, row.keyring.0, i32::try_from(row.attempts).unwrap(), row.last_error.clone()))
            .collect();
        expected.sort();
        assert_eq!(tickets, expected, "{at}");

        let sql =
            "SELECT k.id, k.epoch, c.stamp FROM keyrings k JOIN credentials c ON c.keyring_id = k.id ORDER BY k.id";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        let keyrings: Vec<(Uuid, i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let expected = self.model.keyrings.iter().map(|(id, row)| (id.0, row.epoch, row.counter));
        assert_eq!(keyrings, expected.collect::<Vec<_>>(), "{at}");

        let sql =
            "SELECT id, renewal, epoch, draining, drain_no, expires_at > clock_timestamp() FROM processes ORDER BY id";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        type Process = (Uuid, i64, i64, bool, i64, bool);
        let processes: Vec<Process> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5))).collect();
        let expected = self
            .model
            .processes
            .iter()
            .map(|(id, row)| (*id, row.renewal, row.epoch, row.draining, row.drain_no, row.expires_at > now()));
        assert_eq!(processes, expected.collect::<Vec<_>>(), "{at}");
    }

    async fn compare_accounts(&self, at: &str) {
        let sql = "SELECT id, owner, fence, last_change, event_seq, status, status_reason, status_since, desired,
                          phone_number, keyring_id, linking_keyring_id, pair_deadline, next_retry_at, deleted_at, released_at
                   FROM whatsapp_accounts ORDER BY id";
        for row in self.database.web.query(sql, &[]).await.unwrap() {
            let account = &self.model.accounts[&AccountId(row.get(0))];
            let record = &account.record;
            let names: (Option<Uuid>, i64, Option<Uuid>, i64) = (row.get(1), row.get(2), row.get(3), row.get(4));
            let expected =
                (account.owner, record.fence.0, account.last_change.map(|change| change.0), account.event_seq);
            assert_eq!(names, expected, "{at}: {}", record.label);
            let said: (String, String, String) = (row.get(5), row.get(6), row.get(8));
            let expected = (record.status.to_string(), record.reason.to_string(), record.desired.to_string());
            assert_eq!(said, expected, "{at}: {}", record.label);
            let ids: (Option<String>, Option<Uuid>, Option<Uuid>) = (row.get(9), row.get(10), row.get(11));
            let phone = record.phone().map(|phone| phone.digits().to_owned());
            let expected = (phone, record.keyring().map(|ring| ring.0), record.linking().map(|ring| ring.0));
            assert_eq!(ids, expected, "{at}: {}", record.label);
            let time = |column: usize| {
                row.get::<_, Option<DateTime<FixedOffset>>>(column).map(|time| Instant::from(time.to_utc()))
            };
            let times = [time(12), time(13), time(14), time(15)];
            let deadline = record.attempt().map(|attempt| attempt.deadline);
            let expected = [deadline, record.next_retry_at, record.deleted_at, record.released_at];
            assert_eq!(times, expected, "{at}: {}", record.label);
            if account.last_change.is_some() {
                assert_eq!(time(7), Some(record.since), "{at}: {}", record.label);
            }
        }
    }
}

/// What the store makes of the statement's answer, as the model gives it.
fn recorded(written: Result<Written, StoreError>) -> StatementAnswer {
    let settings = ConnectionSettings::default();
    let answer = Recorded {
        in_turn: true,
        was_written: false,
        existing_label: None,
        more: false,
        is_live: false,
        settings: settings.clone(),
    };
    match written {
        Ok(Written::Done { settings }) => {
            StatementAnswer::Recorded(Some(Recorded { is_live: settings.is_some(), ..answer }))
        }
        Ok(Written::NumberTaken { existing_label }) => {
            StatementAnswer::Recorded(Some(Recorded { existing_label: Some(existing_label), ..answer }))
        }
        Err(StoreError::Fenced) => StatementAnswer::Recorded(None),
        Err(StoreError::Overtaken) => StatementAnswer::Recorded(Some(Recorded { in_turn: false, ..answer })),
        Err(why) => panic!("{why:?}"),
    }
}

/// Without what only the clocks know, and what the store does not hand on.
fn plain(answer: StatementAnswer) -> StatementAnswer {
    match answer {
        StatementAnswer::Taken { epoch, .. } => StatementAnswer::Taken { epoch, database_now: Instant(0) },
        StatementAnswer::Renewed { found, epoch, expired, .. } => {
            StatementAnswer::Renewed { found, epoch, expired, database_now: Instant(0) }
        }
        StatementAnswer::Daemons { live, next_end } => {
            StatementAnswer::Daemons { live, next_end: next_end.map(|_| Duration::ZERO) }
        }
        StatementAnswer::Claimed(mut claimed) => {
            claimed.sort();
            StatementAnswer::Claimed(claimed)
        }
        StatementAnswer::Orphans(mut orphans) => {
            orphans.sort();
            StatementAnswer::Orphans(orphans)
        }
        StatementAnswer::Ticket(Some(ticket)) => {
            StatementAnswer::Ticket(Some(TicketRecord { next_retry_at: Instant(0), abandon_at: Instant(0), ..ticket }))
        }
        StatementAnswer::Opened { held, found, keyring } => {
            let keyring = keyring.map(|row| StoredKeyring { counter: 0, made_at: Instant(0), ..row });
            StatementAnswer::Opened { held, found, keyring }
        }
        StatementAnswer::Recorded(Some(recorded)) => {
            let settings = ConnectionSettings::default();
            let is_done = recorded.was_written || (recorded.in_turn && recorded.existing_label.is_none());
            let existing_label = recorded.existing_label.filter(|_| !is_done);
            let in_turn = is_done || existing_label.is_some();
            let is_live = is_done && recorded.is_live;
            StatementAnswer::Recorded(Some(Recorded {
                in_turn,
                was_written: false,
                existing_label,
                more: false,
                is_live,
                settings,
            }))
        }
        other => other,
    }
}

fn name(answer: &StatementAnswer) -> Option<&'static str> {
    Some(match answer {
        StatementAnswer::Recorded(None) | StatementAnswer::Closed(None) | StatementAnswer::Put { held: false, .. } => {
            "not the owner"
        }
        StatementAnswer::Recorded(Some(Recorded { was_written: true, .. })) => "recorded before",
        StatementAnswer::Recorded(Some(Recorded { in_turn: false, .. })) => "overtaken",
        StatementAnswer::Recorded(Some(Recorded { existing_label: Some(_), .. })) => "number taken",
        StatementAnswer::Recorded(Some(_)) => "recorded",
        StatementAnswer::Put { written: true, .. } => "keys put",
        StatementAnswer::Put { epoch: Some(_), .. } => "keyring opened since",
        StatementAnswer::Opened { keyring: Some(_), .. } => "opened",
        StatementAnswer::Opened { found: true, .. } => "opened later",
        StatementAnswer::Claimed(claimed) if !claimed.is_empty() => "claimed",
        StatementAnswer::Found(true) => "released",
        StatementAnswer::Closed(Some(false)) => "ticket closed",
        StatementAnswer::Closed(Some(true)) => "ticket open",
        StatementAnswer::Retried(Some(Retried { is_written: true, .. })) => "try written",
        StatementAnswer::Retried(Some(_)) => "try not written",
        StatementAnswer::Renewed { expired: true, .. } => "lease expired",
        StatementAnswer::Renewed { found: true, epoch: None, .. } => "renewal overtaken",
        StatementAnswer::Renewed { found: false, .. } => "lease gone",
        StatementAnswer::Commands { due, .. } if !due.is_empty() => "taken",
        StatementAnswer::Orphans(orphans) if !orphans.is_empty() => "orphans",
        _ => return None,
    })
}

fn phone(nth: u8) -> Phone {
    Phone::parse(&format!("4366012345{nth:02}")).unwrap()
}

fn now() -> Instant {
    Instant::from(Utc::now())
}

fn count(of: i64) -> u32 {
    u32::try_from(of).unwrap()
}
