use std::time::Duration;

use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, ConnectionSettings, Desired, Fence, Instant, KeyringId, OperatorId, PairMethod,
    PairRequest, Phone, Status, Swept, TicketId,
};
use paird_actors::ports::{Claim, Owned, StoreError, Survey};
use paird_sql::client::Params;
use paird_sql::queries::accounts::{
    HoldAccountParams, LoadAccount, claim_accounts, claim_number, get_unread_account, hold_account,
    list_owned_accounts, list_stale_attempts, load_account, park_stale_attempts, release_account, survey_fleet,
};
use paird_sql::queries::processes::ring_daemons;
use paird_sql::queries::settings::load_connection_settings;
use tracing::info;

use super::{PgStore, clean, instant, timestamp};
use crate::postgres::listener::RESYNC;
use crate::postgres::{number, pool::bounded};

impl PgStore {
    pub(super) async fn survey_fleet(&self) -> Result<Survey, StoreError> {
        let client = self.connection().await?;
        let fleet = bounded(survey_fleet().bind(&client).one()).await?;
        let owned = bounded(list_owned_accounts().bind(&client, &self.process).all()).await?;
        let owned = owned.into_iter().map(|row| Owned {
            account: AccountId(row.id),
            fence: Fence(row.fence),
            movable: row.movable,
            active: row.active,
            tickets: row.tickets.into_iter().map(TicketId).collect(),
        });
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Survey { owned: owned.collect(), needing: count(fleet.needing), daemons: count(fleet.daemons) })
    }

    pub(super) async fn claim_free(&self, limit: u32) -> Result<u32, StoreError> {
        let client = self.connection().await?;
        let claimed = bounded(claim_accounts().bind(&client, &self.process, &i64::from(limit)).all()).await?;
        if !claimed.is_empty() {
            info!(accounts = claimed.len(), "claimed accounts");
            // A former owner may have left events unsent.
            self.outbox.ring();
        }
        Ok(u32::try_from(claimed.len()).unwrap_or(u32::MAX))
    }

    pub(super) async fn give_up(&self, account: AccountId, fence: Fence) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let handed_out = self.handed_out.of(account);
        bounded(release_account().bind(&client, &account.0, &self.process, &fence.0).opt()).await?;
        self.handed_out.forget_takings(&handed_out);
        // Only hurries the others: they look again by themselves.
        bounded(ring_daemons().bind(&client, &RESYNC).all()).await?;
        Ok(())
    }

    pub(super) async fn read_account(&self, account: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let client = self.connection().await?;
        let row = bounded(load_account().bind(&client, &account.0, &self.process).opt()).await?;
        row.map(record).transpose()
    }

    pub(super) async fn read_connection_settings(&self, account: AccountId) -> Result<ConnectionSettings, StoreError> {
        let client = self.connection().await?;
        let row = bounded(load_connection_settings().bind(&client, &account.0).opt()).await?;
        let row = row.ok_or_else(|| StoreError::Poisoned("the account's row is gone".to_owned()))?;
        Ok(ConnectionSettings { proxy: row.proxy, device_name: row.device_name })
    }

    pub(super) async fn claim_for(&self, account: AccountId, fence: Fence, phone: &Phone) -> Result<Claim, StoreError> {
        let client = self.connection().await?;
        for _ in 0..number::RACES {
            let digits = phone.digits();
            let asked = async {
                let statement = claim_number();
                number::unless_taken(statement.bind(&client, &account.0, &self.process, &fence.0, &digits).one().await)
            };
            match bounded(asked).await? {
                None => {}
                Some(answer) if answer.granted => return Ok(Claim::Granted),
                Some(answer) => {
                    return match answer.existing_label {
                        Some(existing_label) => Ok(Claim::Duplicate { existing_label }),
                        None => Err(StoreError::Fenced),
                    };
                }
            }
        }
        Err(number::contested())
    }

    pub(super) async fn hold(&self, account: AccountId, reason: &str) -> Result<(), StoreError> {
        let client = self.connection().await?;
        let row = bounded(get_unread_account().bind(&client, &account.0, &self.process).opt()).await?;
        let row = row.ok_or(StoreError::Fenced)?;
        let desired = Desired::parse(&row.desired).unwrap_or(match (row.deleted, row.linked) {
            (true, _) => Desired::Deleted,
            (false, true) => Desired::Paired,
            (false, false) => Desired::Unpaired,
        });
        let params = HoldAccountParams {
            reason: clean::text(reason),
            desired: desired.as_str(),
            phone_number: readable(row.phone_number.as_deref()),
            last_phone_number: readable(row.last_phone_number.as_deref()),
            account: account.0,
            process: self.process,
        };
        let owned = bounded(hold_account().params(&client, &params).one()).await?;
        if !owned {
            return Err(StoreError::Fenced);
        }
        self.outbox.ring();
        Ok(())
    }

    pub(super) async fn park_stale(
        &self,
        pending_max_age: Duration,
        now: Instant,
        dry_run: bool,
    ) -> Result<Vec<Swept>, StoreError> {
        let client = self.connection().await?;
        let age = i64::try_from(pending_max_age.as_millis()).unwrap_or(i64::MAX);
        let oldest = timestamp(Instant(now.0.saturating_sub(age)));
        let now = timestamp(now);
        let found: Vec<(uuid::Uuid, String, bool)> = if dry_run {
            let stale = bounded(list_stale_attempts().bind(&client, &now, &self.process, &oldest).all()).await?;
            stale.into_iter().map(|row| (row.id, row.label, row.past_deadline)).collect()
        } else {
            let parked = bounded(park_stale_attempts().bind(&client, &now, &self.process, &oldest).all()).await?;
            self.outbox.ring();
            parked.into_iter().map(|row| (row.id, row.label, row.past_deadline)).collect()
        };
        let swept = found.into_iter().map(|(id, label, past_deadline)| Swept {
            account: AccountId(id),
            label,
            why: if past_deadline {
                "the attempt's deadline has passed".to_owned()
            } else {
                format!("pending for over {} s", pending_max_age.as_secs())
            },
        });
        Ok(swept.collect())
    }
}

fn record(row: LoadAccount) -> Result<AccountRecord, StoreError> {
    let unknown = |column: &str, word: &str| {
        let word: String = word.chars().take(60).collect();
        StoreError::Poisoned(format!("unknown {column} {word:?}"))
    };
    let status = Status::parse(&row.status).ok_or_else(|| unknown("status", &row.status))?;
    let desired = Desired::parse(&row.desired).ok_or_else(|| unknown("desired", &row.desired))?;
    let method = match (row.pair_method.as_str(), phone("pair_phone", row.pair_phone.as_deref())?) {
        ("qr", _) => PairMethod::Qr,
        ("code", Some(phone)) => PairMethod::Code { phone },
        ("code", None) => return Err(StoreError::Poisoned("pair_method is code and pair_phone is missing".to_owned())),
        (other, _) => return Err(unknown("pair_method", other)),
    };
    let expect_phone = phone("expect_phone", row.expect_phone.as_deref())?;
    let attempt = row
        .pair_deadline
        .map(|deadline| Attempt { deadline: instant(deadline), request: PairRequest { method, expect_phone } });
    Ok(AccountRecord {
        id: AccountId(row.id),
        operator: OperatorId(row.operator_id),
        label: row.label,
        fence: Fence(row.fence),
        status,
        reason: row.status_reason,
        since: instant(row.status_since),
        desired,
        next_retry_at: row.next_retry_at.map(instant),
        phone: phone("phone_number", row.phone_number.as_deref())?,
        last_phone: phone("last_phone_number", row.last_phone_number.as_deref())?,
        device_jid: row.device_jid,
        attempt,
        keyring: row.keyring_id.map(KeyringId),
        linking: row.linking_keyring_id.map(KeyringId),
        deleted_at: row.deleted_at.map(instant),
        groups_synced_at: row.groups_synced_at.map(instant),
    })
}

fn readable(number: Option<&str>) -> Option<&str> {
    number.filter(|number| Phone::parse(number).is_ok())
}

fn phone(column: &str, digits: Option<&str>) -> Result<Option<Phone>, StoreError> {
    // Empty is no number.
    let digits = digits.filter(|digits| !digits.is_empty());
    digits.map(Phone::parse).transpose().map_err(|wrong| StoreError::Poisoned(format!("{column}: {wrong}")))
}
