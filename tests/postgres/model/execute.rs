//! Executes the model's statements on Postgres, by the statements of the daemon.

use std::time::Duration;

use paird_actors::domain::{
    AccountId, Command, CommandId, CommandRow, ConnectionSettings, Fence, Instant, KeyringId, Owned, Presence,
    StoreError, Survey, TakingId, TicketId, TicketRecord, Written,
};
use paird_actors::ports::{AccountStore, FleetStore};
use paird_actors::simulation::model::{Recorded, Retried, Statement, StatementAnswer, StoredKeyring};
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
use uuid::Uuid;

use super::{Both, RECORD};

impl Both {
    pub(super) async fn execute(&self, statement: &Statement) -> StatementAnswer {
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
                        // As the model, which has another clock.
                        created_at: Instant(0),
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
                let (none, nothing, no_stamps): ([&str; 0], [&[u8]; 0], [i64; 0]) = ([], [], []);
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
                    added_kinds: none.as_slice(),
                    added_names: none.as_slice(),
                    added_sealed: nothing.as_slice(),
                    added_stamps: no_stamps.as_slice(),
                    gone_kinds: none.as_slice(),
                    gone_names: none.as_slice(),
                };
                let before = self.version_of_record(*keyring).await;
                let put = put_credentials().params(client, &row).one().await.unwrap();
                let written = self.version_of_record(*keyring).await != before;
                StatementAnswer::Put { held: put.held, epoch: put.epoch, written }
            }
            Statement::TakeMessages { .. }
            | Statement::SettleMessages { .. }
            | Statement::RecordReceipts { .. }
            | Statement::SweepMessages
            | Statement::ListRinging { .. } => self.execute_of_messages(statement).await,
        }
    }

    /// Differs after each write.
    async fn version_of_record(&self, keyring: KeyringId) -> Option<String> {
        let sql = "SELECT xmin::text || ctid::text FROM credentials WHERE (keyring_id, kind, name) = ($1, $2, $3)";
        let row = self.client.query_opt(sql, &[&keyring.0, &RECORD.0, &RECORD.1]).await.unwrap();
        row.map(|row| row.get(0))
    }

    async fn survey(&self, process: Uuid, running: &[AccountId]) -> StatementAnswer {
        let running: Vec<Uuid> = running.iter().map(|account| account.0).collect();
        let fleet = survey_fleet().bind(&self.client).one().await.unwrap();
        let owned = list_owned_accounts().bind(&self.client, &process, &running).all().await.unwrap();
        let owned = owned.into_iter().map(|row| {
            let ids = row.tickets.iter().map(|id| self.tickets.iter().find(|(_, known)| *known == id).unwrap().0);
            let mut tickets: Vec<TicketId> = ids.copied().collect();
            // Those that one statement opened are in no order.
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

    /// Finds the database's ids of the model's new tickets, by their keyrings.
    pub(super) async fn learn_tickets(&mut self) {
        let rows = self.database.web.query("SELECT id, keyring_id FROM unlink_tickets", &[]).await.unwrap();
        for row in rows {
            let (id, keyring): (Uuid, Uuid) = (row.get(0), row.get(1));
            let known = self.model.tickets.iter().find(|(_, ticket)| ticket.keyring.0 == keyring);
            if let Some((ticket, _)) = known {
                self.tickets.insert(*ticket, id);
            }
        }
    }
}

/// The answer of the statement that leads to this result of the store.
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

fn count(of: i64) -> u32 {
    u32::try_from(of).unwrap()
}
