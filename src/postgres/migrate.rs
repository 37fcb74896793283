//! The schema, brought up to date at start.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use paird_actors::domain::{Failures, StoreError};
use paird_sql::queries::connections::{lock_migrations, settle_restored_events};
use refinery::Migration;
use thiserror::Error;
use tokio_postgres::AsyncMessage;
use tokio_postgres::error::{DbError, SqlState};
use tracing::{info, warn};

use super::pool::{DrivenConnection, Dsn, RETRY, bounded, is_for_good, store_error};

mod embedded {
    refinery::embed_migrations!("sql/migrations");
}

/// Why the schema cannot be used, however long one waits.
#[derive(Debug, Error)]
pub enum MigrateError {
    #[error("the database has schema version {found}, this paird knows up to {known}: start a newer paird")]
    Newer { found: i32, known: i32 },
    #[error(
        "the database has schema version {found}, this paird needs {known}, and its role may not change the schema: \
         run paird migrate --roles with the DATABASE_URL of the tables' owner"
    )]
    NotAllowed { found: i32, known: i32 },
    #[error(
        "the database was restored from a dump and its events have no place in the order of events yet, and this \
         role may not give them one: run paird migrate --roles with the DATABASE_URL of the tables' owner"
    )]
    Restored,
    #[error("the database's schema is not the one this paird expects: {0}")]
    Divergent(String),
    #[error(
        "another program's tables are where paird's are to be ({said}): give paird a database of its own, or a schema \
         (CREATE SCHEMA paird) and options=-csearch_path=paird in DATABASE_URL"
    )]
    Occupied { said: String },
    #[error("the database refuses to be migrated, and will again: {said}")]
    Refused { said: String },
}

/// Brings the schema up to date, waiting for the database as long as it takes. Of
/// several daemons one migrates and the others wait for it. Returns the schema's version.
///
/// # Errors
/// Only what waiting cannot mend.
pub async fn migrate(dsn: &Dsn) -> Result<i32, MigrateError> {
    migrate_and_tell(dsn, |remark| warn!(remark, "a migration has mended rows")).await
}

/// The same, and passes on the notices of migrations about existing rows.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_and_tell(dsn: &Dsn, tell: impl Fn(&str)) -> Result<i32, MigrateError> {
    let mut failures = Failures::default();
    loop {
        match try_migrate(dsn, &tell).await {
            Ok(MigrateOutcome::Done(version)) => return Ok(version),
            Ok(MigrateOutcome::Locked) => {
                info!("waiting for another paird to migrate the database");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(Failed::ForGood(wrong)) => return Err(wrong),
            Err(Failed::ForNow(why)) => {
                let wait = failures.next(RETRY, rand::random());
                warn!(%why, retry_in_ms = wait.as_millis(), "waiting for the database");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// The newest schema that this program has.
pub fn known() -> i32 {
    newest(embedded::migrations::runner().get_migrations())
}

/// The version of the database's schema; `None` if it was never migrated. Changes nothing.
///
/// # Errors
/// The database's words.
pub async fn version(dsn: &Dsn) -> Result<Option<i32>, StoreError> {
    let (mut client, connection) = dsn.connect().await?;
    let driver = tokio::spawn(connection);
    let found = embedded::migrations::runner().get_last_applied_migration_async(&mut client).await;
    driver.abort();
    match found {
        Ok(migration) => Ok(migration.map(|migration| migration.version())),
        Err(wrong) if refusal(&wrong) == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(wrong) => Err(StoreError::Unavailable(match sort(&wrong, 0, known()) {
            Failed::ForNow(why) => why,
            Failed::ForGood(wrong) => wrong.to_string(),
        })),
    }
}

/// Published migrations that were amended later, with their former checksums. The schema that
/// they make is the same.
///
/// The eighth gave a function a setting, which on Postgres 15 only a superuser may.
const FORMER: [(i32, u64); 1] = [(8, 11_373_730_944_248_512_827)];

fn is_former(applied: &Migration) -> bool {
    FORMER.contains(&(applied.version(), applied.checksum()))
}

enum MigrateOutcome {
    Done(i32),
    Locked,
}

enum Failed {
    ForNow(String),
    ForGood(MigrateError),
}

impl From<StoreError> for Failed {
    fn from(why: StoreError) -> Self {
        Self::ForNow(why.to_string())
    }
}

async fn try_migrate(dsn: &Dsn, tell: &impl Fn(&str)) -> Result<MigrateOutcome, Failed> {
    let (mut client, connection) = dsn.connect_patiently().await?;
    let remarks = Arc::<Mutex<Vec<String>>>::default();
    let driver = tokio::spawn(drive(connection, Arc::clone(&remarks)));
    let step = migrate_on(&mut client).await;
    // The lock is the session's: it goes with the connection.
    driver.abort();
    if step.is_ok() {
        for remark in std::mem::take(&mut *remarks.lock().unwrap_or_else(PoisonError::into_inner)) {
            tell(&remark);
        }
    }
    step
}

async fn drive(mut connection: DrivenConnection, remarks: Arc<Mutex<Vec<String>>>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.severity() == "WARNING"
        {
            remarks.lock().unwrap_or_else(PoisonError::into_inner).push(notice.message().to_owned());
        }
    }
}

async fn migrate_on(client: &mut tokio_postgres::Client) -> Result<MigrateOutcome, Failed> {
    let runner = embedded::migrations::runner();
    let known = known();
    let applied = match runner.get_applied_migrations_async(client).await {
        Ok(applied) => applied,
        Err(wrong) if refusal(&wrong) == Some(&SqlState::UNDEFINED_TABLE) => Vec::new(),
        Err(wrong) => return Err(sort(&wrong, 0, known)),
    };
    if let Some(theirs) = first_of_another(&applied) {
        let said = format!("refinery_schema_history begins with the migration {theirs}");
        return Err(Failed::ForGood(MigrateError::Occupied { said }));
    }
    let found = newest(&applied);
    if found > known {
        return Err(Failed::ForGood(MigrateError::Newer { found, known }));
    }
    let is_amended = applied.iter().any(is_former);
    let is_explained = |theirs: &Migration| is_former(theirs) || runner.get_migrations().contains(theirs);
    let may_diverge = is_amended && applied.iter().all(is_explained);
    let is_applied = |ours: &Migration| {
        applied.iter().any(|theirs| theirs == ours || (is_former(theirs) && theirs.version() == ours.version()))
    };
    // Not a word that changes anything when there is nothing to change: the daemon's role may not.
    if !runner.get_migrations().iter().all(is_applied) {
        // Taken only if there is something to do: any session could hold this lock.
        if !bounded(lock_migrations().bind(client).one()).await?.unwrap_or(true) {
            return Ok(MigrateOutcome::Locked);
        }
        let runner = runner.set_abort_divergent(!may_diverge).set_abort_missing(false);
        let report = runner.run_async(client).await.map_err(|wrong| sort(&wrong, found, known))?;
        for migration in report.applied_migrations() {
            info!(%migration, "migrated the database");
        }
    }
    settle_restored(client).await?;
    Ok(MigrateOutcome::Done(known))
}

/// Of one statement, however many events a dump brought: it waits as long as that takes.
async fn settle_restored(client: &tokio_postgres::Client) -> Result<(), Failed> {
    match settle_restored_events().bind(client).one().await {
        Ok(0) => Ok(()),
        Ok(events) => {
            info!(events, "the database was restored from a dump: its events are not announced as new");
            Ok(())
        }
        Err(wrong) if wrong.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(Failed::ForGood(MigrateError::Restored))
        }
        Err(wrong) => Err(store_error(&wrong).into()),
    }
}

/// The first migration that was applied, if it is not ours: another program keeps its own in a
/// table of the same name.
fn first_of_another(applied: &[Migration]) -> Option<String> {
    let ours = embedded::migrations::runner();
    let first = ours.get_migrations().iter().min_by_key(|migration| migration.version())?;
    let theirs = applied.iter().min_by_key(|migration| migration.version())?;
    (theirs.version() != first.version() || theirs.name() != first.name()).then(|| theirs.to_string())
}

fn newest(migrations: &[Migration]) -> i32 {
    migrations.iter().map(Migration::version).max().unwrap_or(0)
}

fn sort(wrong: &refinery::Error, found: i32, known: i32) -> Failed {
    use refinery::error::Kind;
    match wrong.kind() {
        Kind::Connection(..) if refusal(wrong) == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Failed::ForGood(MigrateError::NotAllowed { found, known })
        }
        Kind::Connection(..) if refusal(wrong).is_some_and(is_for_good) => {
            let said = innermost(wrong).to_string();
            let is_there_already = refusal(wrong).is_some_and(|code| {
                [SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT, SqlState::DUPLICATE_FUNCTION].contains(code)
            });
            Failed::ForGood(match found {
                0 if is_there_already => MigrateError::Occupied { said },
                _ => MigrateError::Refused { said },
            })
        }
        Kind::Connection(what, source) => Failed::ForNow(format!("{what}: {}", innermost(source.as_ref()))),
        Kind::InvalidName
        | Kind::InvalidVersion
        | Kind::RepeatedVersion(_)
        | Kind::DivergentVersion(_, _)
        | Kind::MissingVersion(_)
        | Kind::InvalidMigrationPath(_, _)
        | Kind::InvalidMigrationFile(_, _)
        | Kind::ConfigError(_) => Failed::ForGood(MigrateError::Divergent(wrong.to_string())),
    }
}

/// The database's own code, if it was the database that refused.
fn refusal(wrong: &refinery::Error) -> Option<&SqlState> {
    innermost(wrong).downcast_ref().map(DbError::code)
}

fn innermost<'a>(wrong: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut innermost = wrong;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}
