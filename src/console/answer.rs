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
    in_time(statement).await?.map_err(|wrong| unanswered(&wrong))
}

/// Waits for several statements, or for whatever else asks the database.
///
/// # Errors
/// 503: it took too long.
pub async fn in_time<T>(asking: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(PATIENCE, asking).await.map_err(|_| away(&"no answer in time"))
}

/// What a failed statement is to who asked: 422 for a value that the database refuses, else 503.
pub fn unanswered(wrong: &tokio_postgres::Error) -> Problem {
    match wrong.as_db_error() {
        // Data exceptions and broken constraints are about what was sent.
        Some(refused) if ["22", "23"].iter().any(|class| refused.code().code().starts_with(class)) => {
            Problem::refused(format!("the database refuses a value: {}", refused.message()))
        }
        Some(refused) => away(&format!("{} ({})", refused.message(), refused.code().code())),
        None => away(wrong),
    }
}

fn away(why: &dyn std::fmt::Display) -> Problem {
    debug!(%why, "the console has no answer from the database");
    Problem::unavailable("the database does not answer; paird goes on as soon as it does: try again")
}
