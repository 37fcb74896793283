//! Statements of the console, and what it says when one has no answer.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tracing::debug;

use super::problem::Problem;
use crate::postgres::pool::connection;

/// Somebody sits before a screen: shorter than the daemon's own patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes one of the console's connections.
///
/// # Errors
/// The database is away, or every connection is busy.
pub async fn connected(pool: &Pool) -> Result<Object, Problem> {
    connection(pool).await.map_err(|why| away(&why))
}

/// Waits for a statement.
///
/// # Errors
/// 422 for a value that the database refuses, else 503.
pub async fn answered<T>(statement: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, statement).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(wrong)) => match wrong.as_db_error() {
            // Data exceptions and broken constraints are about what was sent.
            Some(refused) if ["22", "23"].iter().any(|class| refused.code().code().starts_with(class)) => {
                Err(Problem::refused(format!("the database refuses a value: {}", refused.message())))
            }
            Some(refused) => Err(away(&format!("{} ({})", refused.message(), refused.code().code()))),
            None => Err(away(&wrong)),
        },
        Err(_) => Err(away(&"no answer in time")),
    }
}

fn away(why: &dyn std::fmt::Display) -> Problem {
    debug!(%why, "the console has no answer from the database");
    Problem::unavailable("the database does not answer; paird goes on as soon as it does: try again")
}
