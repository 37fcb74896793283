//! The schema, brought up to date at start.

use std::time::Duration;

use backoff::Backoff;
use paird_actors::ports::StoreError;
use paird_sql::queries::connections::lock_migrations;
use thiserror::Error;
use tracing::{info, warn};

use super::backoff;
use super::pool::{Dsn, bounded};

mod embedded {
    refinery::embed_migrations!("sql/migrations");
}

/// Why the schema cannot be used, however long one waits.
#[derive(Debug, Error)]
pub enum MigrateError {
    #[error("the database has schema version {found}, this paird knows up to {known}: start a newer paird")]
    Newer { found: i32, known: i32 },
    #[error("the database's schema is not the one this paird expects: {0}")]
    Divergent(String),
}

/// Brings the schema up to date, waiting for the database as long as it takes. Of
/// several daemons one migrates and the others wait for it.
///
/// # Errors
/// Only what waiting cannot mend.
pub async fn migrate(dsn: &Dsn) -> Result<(), MigrateError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        match try_migrate(dsn).await {
            Ok(Step::Done) => return Ok(()),
            Ok(Step::Locked) => {
                info!("waiting for another paird to migrate the database");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(Failed::ForGood(wrong)) => return Err(wrong),
            Err(Failed::ForNow(why)) => {
                let wait = backoff.next();
                warn!(%why, retry_in_ms = wait.as_millis(), "waiting for the database");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// The newest schema that this program has.
pub fn known() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(|migration| migration.version()).max().unwrap_or(0)
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
        Err(wrong) => Err(StoreError::Unavailable(match sort(&wrong) {
            Failed::ForNow(why) => why,
            Failed::ForGood(wrong) => wrong.to_string(),
        })),
    }
}

enum Step {
    Done,
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

async fn try_migrate(dsn: &Dsn) -> Result<Step, Failed> {
    let (mut client, connection) = dsn.connect_patiently().await?;
    let driver = tokio::spawn(connection);
    let step = migrate_on(&mut client).await;
    // The lock is the session's: it goes with the connection.
    driver.abort();
    step
}

async fn migrate_on(client: &mut tokio_postgres::Client) -> Result<Step, Failed> {
    if !bounded(lock_migrations().bind(client).one()).await? {
        return Ok(Step::Locked);
    }
    let runner = embedded::migrations::runner().set_abort_divergent(true).set_abort_missing(false);
    let known = known();
    let report = runner.run_async(client).await.map_err(|wrong| sort(&wrong))?;
    let found = runner.get_last_applied_migration_async(client).await.map_err(|wrong| sort(&wrong))?;
    if let Some(found) = found.map(|migration| migration.version()).filter(|found| *found > known) {
        return Err(Failed::ForGood(MigrateError::Newer { found, known }));
    }
    for migration in report.applied_migrations() {
        info!(%migration, "migrated the database");
    }
    Ok(Step::Done)
}

fn sort(wrong: &refinery::Error) -> Failed {
    use refinery::error::Kind;
    match wrong.kind() {
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

fn innermost<'a>(wrong: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut innermost = wrong;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}
