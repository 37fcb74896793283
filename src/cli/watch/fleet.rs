//! The accounts and the daemons that run them, read again when something happens.

use std::time::Duration;

use paird_sql::queries::cli::{self, WatchedAccount};

use crate::cli::database::{Database, explained};
use crate::cli::fleet_filter::{BY_ATTENTION, FleetFilter};
use crate::cli::out::Format;
use crate::config::Config;

/// Countdowns move once a second, and so does what no notification announces.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// The fleet at one moment.
#[derive(Default)]
pub(super) struct Fleet {
    /// Those that are looked for, in the order that was asked for.
    pub(super) accounts: Vec<WatchedAccount>,
    /// Those that a filter keeps back.
    pub(super) others: Vec<WatchedAccount>,
    pub(super) daemons: i64,
    /// How many of them are not drained.
    pub(super) taking: i64,
}

impl Fleet {
    /// Whether a filter lets it through or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &WatchedAccount> {
        self.accounts.iter().chain(&self.others)
    }

    /// How many accounts are in each status, in the order in which they want attention.
    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        BY_ATTENTION
            .into_iter()
            .map(|status| status.as_str())
            .map(|status| (status, self.all().filter(|account| account.status == status).count()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The account that a phone could scan now: the wanted one, else the newest attempt.
    pub(super) fn shown(&self, wanted: Option<usize>) -> Option<&WatchedAccount> {
        let can_be_scanned = |account: &&WatchedAccount| account.last_qr_png.is_some() || account.pair_code.is_some();
        let wanted = wanted.and_then(|place| self.accounts.get(place)).filter(can_be_scanned);
        wanted.or_else(|| self.accounts.iter().filter(can_be_scanned).max_by_key(|account| account.status_since))
    }
}

/// Reads the fleet, and connects again after the database was away.
pub(super) struct FleetPoller<'a> {
    config: &'a Config,
    format: Format,
    database: Option<Database>,
    pub(super) filter: FleetFilter,
}

impl<'a> FleetPoller<'a> {
    /// # Errors
    /// There is nothing to see now; later that is waited for.
    pub(super) async fn open(config: &'a Config, format: Format, filter: FleetFilter) -> anyhow::Result<Self> {
        let database = Some(Database::listening(config, format).await?);
        Ok(Self { config, format, database, filter })
    }

    pub(super) async fn poll(&mut self) -> anyhow::Result<Fleet> {
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::listening(self.config, self.format).await?,
        };
        let accounts = cli::list_watched_accounts().bind(&database.client).all().await.map_err(explained)?;
        let daemons = cli::count_daemons().bind(&database.client).one().await.map_err(explained)?;
        self.database = Some(database);
        let (accounts, others) = self.filter.split(accounts);
        Ok(Fleet { accounts, others, daemons: daemons.live, taking: daemons.taking })
    }

    /// Waits until there may be something new.
    pub(super) async fn until_changed(&self) {
        match &self.database {
            Some(database) => database.until_notified_within(POLL_EVERY).await,
            None => tokio::time::sleep(POLL_EVERY).await,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use uuid::Uuid;

    use super::*;

    pub(in crate::cli::watch) fn account(label: &str, status: &str) -> WatchedAccount {
        let now = DateTime::<Utc>::default().fixed_offset();
        WatchedAccount {
            id: Uuid::new_v4(),
            operator_id: Uuid::nil(),
            label: label.to_owned(),
            status: status.to_owned(),
            status_reason: "new".to_owned(),
            status_since: now,
            phone_number: None,
            last_phone_number: None,
            next_retry_at: None,
            pair_deadline: None,
            last_qr_png: None,
            pair_code: None,
            database_now: now + TimeDelta::seconds(90),
        }
    }

    fn scannable(label: &str, since_secs: i64) -> WatchedAccount {
        let mut account = account(label, "pending");
        account.status_since += TimeDelta::seconds(since_secs);
        account.last_qr_png = Some("png".to_owned());
        account
    }

    #[test]
    fn the_newest_attempt_is_shown_unless_another_one_is_wanted() {
        let accounts = vec![scannable("old", 0), scannable("new", 5), account("none", "connected")];
        let fleet = Fleet { accounts, others: Vec::new(), daemons: 1, taking: 1 };
        let shown = |wanted| fleet.shown(wanted).unwrap().label.clone();
        assert_eq!([shown(None), shown(Some(0)), shown(Some(2)), shown(Some(9))], ["new", "old", "new", "new"]);
        assert!(Fleet::default().shown(None).is_none());
    }

    #[test]
    fn accounts_needing_attention_are_counted_first() {
        let accounts = vec![account("a", "connected"), account("b", "held")];
        let fleet = Fleet { accounts, others: vec![account("c", "connected")], daemons: 1, taking: 1 };
        assert_eq!(fleet.counts(), [("held", 1), ("connected", 2)]);
    }
}
