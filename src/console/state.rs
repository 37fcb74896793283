//! The application state that every handler gets.

use std::{path::PathBuf, sync::Arc};

use deadpool_postgres::{Object, Pool};
use paird_actors::supervisor::handle::SupervisorHandle;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{db::connect, feed::Feed, login::Sessions, problem::Problem, token::Token};
use crate::postgres::lease::LeaseRow;
use crate::vitals::Vitals;

/// There is one for the whole console.
pub struct AppState {
    /// This daemon, as the rows name it.
    pub process: Uuid,
    pub pool: Pool,
    pub supervisor: SupervisorHandle,
    pub lease_row: LeaseRow,
    pub vitals: Arc<Vitals>,
    /// Seals the login of a proxy.
    pub master_key_file: PathBuf,
    pub feed: Feed,
    pub token: Token,
    pub sessions: Sessions,
    /// Serializes draining and undraining.
    pub drain_turn: Mutex<()>,
    /// Cancelled when the daemon stops: requests that wait end.
    pub ending: CancellationToken,
}

impl AppState {
    /// A connection of the console's own pool: its requests never take one from the accounts.
    ///
    /// # Errors
    /// 503.
    pub async fn database(&self) -> Result<Object, Problem> {
        connect(&self.pool).await
    }
}
