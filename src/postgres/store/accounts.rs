use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, ChangeId, ConnectionSettings, Desired, Fence, KeyringId, OperatorId, PairMethod,
    PairRequest, PendingAttempt, Phone, Status, StatusReason, TicketId,
};
use paird_actors::ports::{Loaded, Owned, StoreError, Survey};
use paird_sql::queries::accounts::{
    LoadAccount, claim_accounts, list_owned_accounts, list_pending_accounts, load_account, release_account,
    retake_account, survey_fleet,
};
use paird_sql::queries::processes::ring_daemons;
use paird_sql::queries::settings::load_connection_settings;
use tracing::info;

use super::{PgStore, instant};
use crate::postgres::listener::RESYNC;
use crate::postgres::pool::bounded;

impl PgStore {
    pub(super) async fn survey_fleet(&self, running: &[AccountId]) -> Result<Survey, StoreError> {
        let client = self.connection().await?;
        let fleet = bounded(survey_fleet().bind(&client).one()).await?;
        let running: Vec<_> = running.iter().map(|account| account.0).collect();
        let owned = bounded(list_owned_accounts().bind(&client, &self.process, &running).all()).await?;
        let owned = owned.into_iter().map(|row| Owned {
            account: AccountId(row.id),
            fence: Fence(row.fence),
            movable: row.movable,
            active: row.active,
            tickets: row.tickets.into_iter().map(TicketId).collect(),
        });
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Survey {
            owned: owned.collect(),
            needing: count(fleet.needing),
            daemons: count(fleet.daemons),
            least: count(fleet.least),
        })
    }

    pub(super) async fn claim_free(&self, limit: u32) -> Result<u32, StoreError> {
        let client = self.connection().await?;
        let claimed = bounded(claim_accounts().bind(&client, &self.process, &i64::from(limit)).all()).await?;
        if !claimed.is_empty() {
            info!(accounts = claimed.len(), "claimed accounts");
            // A former owner may have left events unsent.
            self.outbox.wake();
        }
        Ok(u32::try_from(claimed.len()).unwrap_or(u32::MAX))
    }

    pub(super) async fn give_up(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let handed_out = self.in_flight.of(account);
        bounded(release_account().bind(&client, &account.0, &self.process, &fence.0).opt()).await?;
        self.in_flight.forget_takings(&handed_out);
        // Only hurries the others: they look again by themselves.
        bounded(ring_daemons().bind(&client, &RESYNC).all()).await?;
        Ok(())
    }

    pub(super) async fn take_back(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        let client = self.connection().await?;
        bounded(retake_account().bind(&client, &self.process, &account.0, &fence.0).opt()).await?;
        Ok(())
    }

    pub(super) async fn read_account(&self, account: AccountId) -> Result<Option<Loaded>, StoreError> {
        let client = self.connection().await?;
        let row = bounded(load_account().bind(&client, &account.0, &self.process).opt()).await?;
        Ok(row.map(loaded))
    }

    pub(super) async fn read_connection_settings(
        &self,
        account: AccountId,
        fence: Fence,
    ) -> Result<ConnectionSettings, StoreError> {
        let client = self.connection().await?;
        let statement = load_connection_settings();
        let row = bounded(statement.bind(&client, &account.0, &self.process, &fence.0).opt()).await?;
        let row = row.ok_or(StoreError::Fenced)?;
        Ok(ConnectionSettings { proxy: row.proxy, device_name: row.device_name })
    }

    pub(super) async fn read_pending(&self) -> Result<Vec<PendingAttempt>, StoreError> {
        let client = self.connection().await?;
        let rows = bounded(list_pending_accounts().bind(&client, &self.process).all()).await?;
        let pending = rows.into_iter().map(|row| PendingAttempt {
            account: AccountId(row.id),
            label: row.label,
            since: instant(row.status_since),
            deadline: row.pair_deadline.map(instant),
        });
        Ok(pending.collect())
    }
}

/// What cannot be read is left out, and the first of it told.
fn loaded(row: LoadAccount) -> Loaded {
    let mut damage = Damage::default();
    let status = damage.unless_read("status", &row.status, Status::parse).unwrap_or(Status::Held);
    let desired = damage.unless_read("desired", &row.desired, Desired::parse).unwrap_or({
        match (row.deleted_at, row.keyring_id) {
            (Some(_), _) => Desired::Deleted,
            (None, Some(_)) => Desired::Paired,
            (None, None) => Desired::Unpaired,
        }
    });
    let pair_phone = damage.phone("pair_phone", row.pair_phone.as_deref());
    let method = match (row.pair_method.as_str(), pair_phone) {
        ("qr", _) => PairMethod::Qr,
        ("code", Some(phone)) => PairMethod::Code { phone },
        ("code", None) => {
            damage.note("pair_method is code and pair_phone is missing".to_owned());
            PairMethod::Qr
        }
        (other, _) => {
            damage.note(unknown("pair_method", other));
            PairMethod::Qr
        }
    };
    let expect_phone = damage.phone("expect_phone", row.expect_phone.as_deref());
    let attempt = row
        .pair_deadline
        .map(|deadline| Attempt { deadline: instant(deadline), request: PairRequest { method, expect_phone } });
    let record = AccountRecord {
        id: AccountId(row.id),
        operator: OperatorId(row.operator_id),
        label: row.label,
        fence: Fence(row.fence),
        status,
        // What an older version or a person wrote is kept, and damages nothing.
        reason: StatusReason::parse(&row.status_reason),
        since: instant(row.status_since),
        desired,
        next_retry_at: row.next_retry_at.map(instant),
        phone: damage.phone("phone_number", row.phone_number.as_deref()),
        last_phone: damage.phone("last_phone_number", row.last_phone_number.as_deref()),
        device_jid: row.device_jid,
        attempt,
        keyring: row.keyring_id.map(KeyringId),
        linking: row.linking_keyring_id.map(KeyringId),
        deleted_at: row.deleted_at.map(instant),
        groups_synced_at: row.groups_synced_at.map(instant),
        released_at: row.released_at.map(instant),
    };
    Loaded { record, last_change: row.last_change.map(ChangeId), damage: damage.0 }
}

/// The first thing that cannot be read, in words.
#[derive(Default)]
struct Damage(Option<String>);

impl Damage {
    fn note(&mut self, what: String) {
        self.0.get_or_insert(what);
    }

    fn unless_read<T>(&mut self, column: &str, word: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let read = read(word);
        if read.is_none() {
            self.note(unknown(column, word));
        }
        read
    }

    fn phone(&mut self, column: &str, digits: Option<&str>) -> Option<Phone> {
        // Empty is no number.
        match Phone::parse(digits.filter(|digits| !digits.is_empty())?) {
            Ok(phone) => Some(phone),
            Err(wrong) => {
                self.note(format!("{column}: {wrong}"));
                None
            }
        }
    }
}

fn unknown(column: &str, word: &str) -> String {
    let word: String = word.chars().take(60).collect();
    format!("unknown {column} {word:?}")
}
