//! Deletes old rows: events, messages and their contents, commands, deleted accounts, the audit
//! log if configured, and keys that no account or ticket refers to.
//!
//! It works in small batches, so that nothing else has to wait, and one batch at a time in the
//! whole database. Functions in sql/migrations decide what is old, by the database's clock.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use deadpool_postgres::Pool;
use paird_actors::domain::StoreError;
use paird_sql::queries::prune::{
    PrunedBatch, erase_messages, list_consumers, prune_accounts, prune_audit, prune_bodies, prune_commands,
    prune_contact_checks, prune_events, prune_messages, prune_pairing_links, shred_orphaned_keyrings,
};
use rand::RngExt;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use uuid::Uuid;

use super::pool::{bounded, connection};

/// Rows that a statement looks at.
const BATCH: i32 = 500;
/// Messages that a statement looks at. Each takes its receipts with it: in a group up to a thousand.
const MESSAGES: i32 = 100;
/// Accounts, and what their rows know: each takes others with it, or has them looked at.
const ACCOUNTS: i32 = 100;
/// Between two batches of a daemon.
const PAUSE: Duration = Duration::from_millis(100);
/// A start has better things to do at first.
const FIRST_AFTER: Duration = Duration::from_secs(15);
const EVERY: Duration = Duration::from_secs(3600);

/// How long what is over is kept: a day at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Events and messages, and accounts since they were deleted.
    pub events: Duration,
    /// The contents of messages: 30 days at most.
    pub bodies: Duration,
    /// Commands since they ended.
    pub commands: Duration,
    /// `None`: without limit.
    pub audit: Option<Duration>,
}

/// The number of rows that were, or would be, deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub events: i64,
    pub messages: i64,
    /// Contents of messages whose rows remain.
    pub bodies: i64,
    pub commands: i64,
    pub accounts: i64,
    /// Answers whether a number is on WhatsApp.
    pub contact_checks: i64,
    /// Links that nobody can open any more.
    pub pairing_links: i64,
    pub audit: i64,
    pub keyrings: Vec<OrphanedKeyring>,
    /// Consumers of events that nothing is kept for any more.
    pub silent: Vec<SilentConsumer>,
}

/// Keys that no account's row and no ticket knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanedKeyring {
    pub account: Uuid,
    pub label: String,
}

/// A consumer that has not said for 90 days how far it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentConsumer {
    pub name: String,
    pub heard_at: DateTime<FixedOffset>,
}

impl Pruned {
    fn is_nothing(&self) -> bool {
        let Self {
            events,
            messages,
            bodies,
            commands,
            accounts,
            contact_checks,
            pairing_links,
            audit,
            keyrings,
            silent: _,
        } = self;
        [events, messages, bodies, commands, accounts, contact_checks, pairing_links, audit]
            .iter()
            .all(|gone| **gone == 0)
            && keyrings.is_empty()
    }
}

/// Prunes periodically for as long as the handle lives. The round after an interrupted one
/// starts from the beginning.
pub fn start(pool: Pool, keep: Keep) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(prune_now_and_then(pool, keep)))
}

async fn prune_now_and_then(pool: Pool, keep: Keep) {
    let mut named = HashSet::new();
    let mut wait = FIRST_AFTER;
    loop {
        sleep(jittered(wait)).await;
        wait = EVERY;
        match (Tour { pool: &pool, keep, dry_run: false, pause: PAUSE }).run().await {
            Ok(pruned) => tell(&pruned, &mut named),
            Err(why) => warn!(%why, "failed to prune; retrying in an hour"),
        }
    }
}

/// Daemons that were started together do not come together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::rng().random_range(0.75..=1.25))
}

fn tell(pruned: &Pruned, named: &mut HashSet<String>) {
    for consumer in &pruned.silent {
        if named.insert(consumer.name.clone()) {
            warn!(consumer = %consumer.name, last_heard = %consumer.heard_at.to_utc(),
                  "a consumer of events was silent for 90 days: events that it has not read are pruned with the others");
        }
    }
    for keyring in &pruned.keyrings {
        warn!(account = %keyring.account, label = %keyring.label, "shredded keys that no account and no ticket knew");
    }
    if !pruned.is_nothing() {
        let Pruned { events, messages, bodies, commands, accounts, contact_checks, pairing_links, audit, .. } = pruned;
        info!(
            events,
            messages,
            bodies,
            commands,
            accounts,
            contact_checks,
            pairing_links,
            audit,
            keyrings = pruned.keyrings.len(),
            "pruned"
        );
    }
}

/// Prunes once, without a pause; with `dry_run` nothing is changed.
///
/// # Errors
/// The database's message, of the first batch that failed. All others are deleted.
pub async fn once(pool: &Pool, keep: Keep, dry_run: bool) -> Result<Pruned, StoreError> {
    Tour { pool, keep, dry_run, pause: Duration::ZERO }.run().await
}

/// Kinds of rows that are gone through batch by batch: by their ids, but for those that every batch
/// finds by itself.
#[derive(Clone, Copy)]
enum PruneTarget {
    Events,
    Messages,
    Bodies,
    Commands,
    Audit(Duration),
    /// Messages of deleted accounts.
    Erased,
    ContactChecks,
    PairingLinks,
}

struct Tour<'a> {
    pool: &'a Pool,
    keep: Keep,
    dry_run: bool,
    pause: Duration,
}

/// What could not be pruned keeps nothing else from being.
struct FirstFailure(Option<StoreError>);

impl FirstFailure {
    fn or_nothing<T: Default>(&mut self, result: Result<T, StoreError>) -> T {
        result.unwrap_or_else(|why| {
            self.0.get_or_insert(why);
            T::default()
        })
    }
}

impl Tour<'_> {
    async fn run(&self) -> Result<Pruned, StoreError> {
        let silent = self.silent_consumers().await?;
        let names: Vec<String> = silent.iter().map(|consumer| consumer.name.clone()).collect();
        let mut failure = FirstFailure(None);
        let erased = failure.or_nothing(self.all(PruneTarget::Erased, &names).await);
        let bodies = failure.or_nothing(self.all(PruneTarget::Bodies, &names).await);
        let messages = erased + failure.or_nothing(self.all(PruneTarget::Messages, &names).await);
        let events = failure.or_nothing(self.all(PruneTarget::Events, &names).await);
        let accounts = failure.or_nothing(self.accounts(&names).await);
        let commands = failure.or_nothing(self.all(PruneTarget::Commands, &names).await);
        let audit = match self.keep.audit {
            Some(kept) => failure.or_nothing(self.all(PruneTarget::Audit(kept), &names).await),
            None => 0,
        };
        let contact_checks = failure.or_nothing(self.all(PruneTarget::ContactChecks, &names).await);
        let pairing_links = failure.or_nothing(self.all(PruneTarget::PairingLinks, &names).await);
        let keyrings = failure.or_nothing(self.keyrings().await);
        match failure.0 {
            Some(why) => Err(why),
            None => Ok(Pruned {
                events,
                messages,
                bodies,
                commands,
                accounts,
                contact_checks,
                pairing_links,
                audit,
                keyrings,
                silent,
            }),
        }
    }

    async fn silent_consumers(&self) -> Result<Vec<SilentConsumer>, StoreError> {
        let client = connection(self.pool).await?;
        let all = bounded(list_consumers().bind(&client).all()).await?;
        let silent = all.into_iter().filter(|one| one.silent);
        Ok(silent.map(|one| SilentConsumer { name: one.consumer, heard_at: one.heard_at }).collect())
    }

    async fn all(&self, kind: PruneTarget, silent: &Vec<String>) -> Result<i64, StoreError> {
        let (mut gone, mut after) = (0, i64::MIN);
        loop {
            let batch = self.batch(kind, silent, after).await?;
            gone += batch.gone;
            if !batch.more {
                return Ok(gone);
            }
            after = batch.last;
            sleep(self.pause).await;
        }
    }

    async fn batch(&self, kind: PruneTarget, silent: &Vec<String>, after: i64) -> Result<PrunedBatch, StoreError> {
        let client = connection(self.pool).await?;
        let dry_run = &self.dry_run;
        match kind {
            PruneTarget::Events => {
                let keep = self.keep.events.as_secs_f64();
                bounded(prune_events().bind(&client, &keep, silent, &after, &BATCH, dry_run).one()).await
            }
            PruneTarget::Messages => {
                let keep = self.keep.events.as_secs_f64();
                bounded(prune_messages().bind(&client, &keep, silent, &after, &MESSAGES, dry_run).one()).await
            }
            PruneTarget::Bodies => {
                let keep = self.keep.bodies.as_secs_f64();
                bounded(prune_bodies().bind(&client, &keep, silent, &after, &BATCH, dry_run).one()).await
            }
            PruneTarget::Commands => {
                let keep = self.keep.commands.as_secs_f64();
                bounded(prune_commands().bind(&client, &keep, &after, &BATCH, dry_run).one()).await
            }
            PruneTarget::Audit(keep) => {
                bounded(prune_audit().bind(&client, &keep.as_secs_f64(), &after, &BATCH, dry_run).one()).await
            }
            PruneTarget::Erased => {
                let batch = bounded(erase_messages().bind(&client, &MESSAGES, dry_run).one()).await?;
                Ok(PrunedBatch { gone: batch.gone, last: after, more: batch.more })
            }
            PruneTarget::ContactChecks => {
                let batch = bounded(prune_contact_checks().bind(&client, &BATCH, dry_run).one()).await?;
                Ok(PrunedBatch { gone: batch.gone, last: after, more: batch.more })
            }
            PruneTarget::PairingLinks => {
                let batch = bounded(prune_pairing_links().bind(&client, &BATCH, dry_run).one()).await?;
                Ok(PrunedBatch { gone: batch.gone, last: after, more: batch.more })
            }
        }
    }

    async fn accounts(&self, silent: &Vec<String>) -> Result<i64, StoreError> {
        let keep = self.keep.events.as_secs_f64();
        let (mut gone, mut after) = (0, None);
        loop {
            let client = connection(self.pool).await?;
            let statement = prune_accounts();
            let batch = bounded(statement.bind(&client, &keep, silent, &after, &ACCOUNTS, &self.dry_run).one()).await?;
            drop(client);
            gone += batch.gone;
            if !batch.more {
                return Ok(gone);
            }
            after = batch.last;
            sleep(self.pause).await;
        }
    }

    async fn keyrings(&self) -> Result<Vec<OrphanedKeyring>, StoreError> {
        let (mut found, mut after) = (Vec::new(), Uuid::nil());
        loop {
            let client = connection(self.pool).await?;
            let statement = shred_orphaned_keyrings();
            let rows = bounded(statement.bind(&client, &after, &i64::from(ACCOUNTS), &self.dry_run).all()).await?;
            drop(client);
            let next = rows.first().filter(|row| row.more).and_then(|row| row.last);
            let orphaned = rows.into_iter().filter_map(|row| row.account_id.zip(row.label));
            found.extend(orphaned.map(|(account, label)| OrphanedKeyring { account, label }));
            match next {
                Some(last) => after = last,
                None => return Ok(found),
            }
            sleep(self.pause).await;
        }
    }
}
