//! Database access of the handlers: statements with a timeout, and the problems that their failures become.

use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError};
use tokio_postgres::error::SqlState;
use tracing::{debug, warn};

use super::problem::{Problem, ProblemCode};

/// Shorter than the daemon's own timeout, because a person waits for the page.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Takes a connection from the console's pool.
///
/// # Errors
/// 503: the database cannot be reached, or every connection stayed busy. 403: it does not
/// let the console's login in.
pub async fn connect(pool: &Pool, login: &str) -> Result<Object, Problem> {
    pool.get().await.map_err(|why| match &why {
        PoolError::Backend(wrong) => refused_login(wrong, login).unwrap_or_else(|| away(&why)),
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            away(&why)
        }
    })
}

/// Runs several statements, or anything else that uses the database.
///
/// # Errors
/// 503: it took too long.
pub async fn with_timeout<T>(asking: impl Future<Output = T>) -> Result<T, Problem> {
    within(TIMEOUT, asking).await
}

/// The same for what may take longer than a person waits for a page.
///
/// # Errors
/// 503: it took too long.
pub async fn within<T>(most: Duration, asking: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(most, asking).await.map_err(|_| away(&"no answer in time"))
}

/// The problem to answer with when a statement failed: 422 for a value that the database rejects, 403
/// for what the console's login may not do, else 503.
pub fn problem_of(wrong: &tokio_postgres::Error, login: &str) -> Problem {
    match wrong.as_db_error() {
        // Data exceptions and broken constraints are about what was sent.
        Some(refused) if ["22", "23"].iter().any(|class| refused.code().code().starts_with(class)) => {
            Problem::new(ProblemCode::ArgumentInvalid, format!("the database refuses a value: {}", refused.message()))
        }
        Some(refused) => refused_login(wrong, login)
            .unwrap_or_else(|| away(&format!("{} ({})", refused.message(), refused.code().code()))),
        None => away(wrong),
    }
}

/// It answers, and says no: to this login, or to what this login wants.
fn refused_login(wrong: &tokio_postgres::Error, login: &str) -> Option<Problem> {
    let refused = wrong.as_db_error()?;
    let said = refused.message();
    let detail = match refused.code() {
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "the console's login {login} may not do that ({said}): run paird migrate --roles as the tables' owner, and \
             let PAIRD_CONSOLE_DATABASE_URL name a login that is a member of paird_console"
        ),
        code if code.code().starts_with("28") => format!(
            "the database does not let the console's login {login} in ({said}): correct PAIRD_CONSOLE_DATABASE_URL, or \
             DATABASE_URL if the former is not set"
        ),
        _ => return None,
    };
    warn!(login, %said, "the console's login lacks a right");
    Some(Problem::new(ProblemCode::DatabaseForbids, detail))
}

fn away(why: &dyn std::fmt::Display) -> Problem {
    debug!(%why, "the console has no answer from the database");
    let detail = "the database does not answer; paird goes on as soon as it does: try again";
    Problem::new(ProblemCode::DatabaseUnavailable, detail)
}
