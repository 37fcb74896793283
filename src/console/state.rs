//! The application state that every handler gets.

use std::{path::PathBuf, sync::Arc};

use deadpool_postgres::{Object, Pool};
use paird_actors::supervisor::handle::SupervisorHandle;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    db::{connect, problem_of, with_timeout},
    feed::Feed,
    login::Sessions,
    problem::Problem,
    token::Token,
    trail::Trail,
};
use crate::checks::OwnChecks;
use crate::metrics::WrongToken;
use crate::postgres::lease::LeaseRow;
use crate::vitals::Vitals;

/// There is one for the whole console.
pub struct AppState {
    /// This daemon, as the rows name it.
    pub process: Uuid,
    pub pool: Pool,
    /// Whom the pool logs in as.
    pub db_login: String,
    pub supervisor: SupervisorHandle,
    pub lease_row: LeaseRow,
    pub vitals: Arc<Vitals>,
    pub checks: OwnChecks,
    /// Seals the login of a proxy.
    pub master_key_file: PathBuf,
    pub feed: Feed,
    /// One permit for each live stream that may be open.
    pub streams: Arc<Semaphore>,
    pub token: Token,
    /// Whether a session of the pages may send messages, and cancel them.
    pub pages_send: bool,
    pub sessions: Sessions,
    pub trail: Trail,
    /// Serializes draining and undraining.
    pub drain_turn: Mutex<()>,
    /// What pairing links begin with; `None`: they could be opened nowhere.
    pub link_url: Option<String>,
    /// Cancelled when the daemon stops: requests that wait end.
    pub ending: CancellationToken,
}

impl AppState {
    /// A connection of the console's own pool: its requests never take one from the accounts.
    ///
    /// # Errors
    /// 503; 403 for a login that is not let in.
    pub async fn database(&self) -> Result<Object, Problem> {
        connect(&self.pool, &self.db_login).await
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// 422 for a value that the database rejects, 403 for what the login may not, else 503.
    pub async fn query<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Problem> {
        with_timeout(statement).await?.map_err(|wrong| self.problem_of(&wrong))
    }

    /// Counts a wrong token in the metrics and records it in the audit log.
    pub fn token_was_wrong(&self, how: WrongToken) {
        self.vitals.metrics().token_was_wrong(how);
        self.trail.wrong_token();
    }

    /// The response to a failed statement.
    pub fn problem_of(&self, wrong: &tokio_postgres::Error) -> Problem {
        problem_of(wrong, &self.db_login)
    }
}
