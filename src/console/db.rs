//! Database access of the handlers: statements with a timeout, and the problems that their failures become.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tracing::debug;

use super::problem::Problem;
use crate::postgres::pool::connection;

/// Shorter than the daemon's own timeout, because a person waits for the page.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Takes a connection from the console's pool.
///
/// # Errors
/// 503: the database cannot be reached, or every connection stayed busy.
pub async fn connect(pool: &Pool) -> Result<Object, Problem> {
    connection(pool).await.map_err(|why| away(&why))
}

/// Runs one statement.
///
/// # Errors
/// 422 for a value that the database rejects, else 503.
pub async fn query<T>(statement: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Problem> {
    with_timeout(statement).await?.map_err(|wrong| problem_of(&wrong))
}

/// Runs several statements, or anything else that uses the database.
///
/// # Errors
/// 503: it took too long.
pub async fn with_timeout<T>(asking: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(TIMEOUT, asking).await.map_err(|_| away(&"no answer in time"))
}

/// The problem to answer with when a statement failed: 422 for a value that the database rejects, else 503.
pub fn problem_of(wrong: &tokio_postgres::Error) -> Problem {
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
