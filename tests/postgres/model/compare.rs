//! Compares answers and rows of Postgres with those of the model.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use paird_actors::domain::{AccountId, ConnectionSettings, Event, EventKind, Instant, TakenMessages, TicketRecord};
use paird_actors::simulation::model::{CommandState, Recorded, Retried, StatementAnswer, StoredKeyring, ToldEvent};
use uuid::Uuid;

use super::{Both, now};

impl Both {
    pub(super) async fn compare(&self, at: &str) {
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

        let sql = "SELECT account_id, seq, kind,
                          coalesce(payload ->> 'unlinked', CASE WHEN kind <> 'message.failed' THEN payload ->> 'messageId' END)
                   FROM events ORDER BY account_id, seq";
        let rows = self.database.web.query(sql, &[]).await.unwrap();
        type Told = (Uuid, i64, String, Option<String>);
        let events: Vec<Told> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        let told = self.model.events.iter().map(|told| {
            let says = match &told.event {
                ToldEvent::OfAccount(Event::AccountDeleted { unlinked }) => Some(unlinked.as_str().to_owned()),
                // Those that expire together are told in any order.
                ToldEvent::OfMessage(kind, id) if *kind != EventKind::MessageFailed => Some(id.0.to_string()),
                _ => None,
            };
            (told.account.0, told.seq, told.event.kind().to_string(), says)
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

/// Without times, and without what the store does not return.
pub(super) fn plain(answer: StatementAnswer) -> StatementAnswer {
    match answer {
        StatementAnswer::Taken { epoch, .. } => StatementAnswer::Taken { epoch, database_now: Instant(0) },
        StatementAnswer::Renewed { found, epoch, expired, .. } => {
            StatementAnswer::Renewed { found, epoch, expired, database_now: Instant(0) }
        }
        StatementAnswer::Daemons { live, next_end } => {
            StatementAnswer::Daemons { live, next_end: next_end.map(|_| Duration::ZERO) }
        }
        StatementAnswer::Messages(Some(taken)) => {
            StatementAnswer::Messages(Some(TakenMessages { next_due: taken.next_due.map(|_| Duration::ZERO), ..taken }))
        }
        StatementAnswer::Told(told) => StatementAnswer::Told(told.map(|_| true)),
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

pub(super) fn name(answer: &StatementAnswer) -> Option<&'static str> {
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
