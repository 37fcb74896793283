//! The rights of who is not the owner of the tables.

use paird_actors::domain::StoreError;
use paird_sql::queries::doctor::get_connect_rights;

use super::pool::{Dsn, bounded};

const ROLES: &str = include_str!("../../sql/roles.sql");

/// Whether everybody else may still connect, since the caller does not own the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub is_open_to_all: bool,
}

/// Makes the roles `paird_web`, `paird_daemon` and `paird_console`, and gives them what they need in this
/// schema and nothing more. As often as one likes.
///
/// # Errors
/// The database's words: most likely, the caller does not own the tables.
pub async fn grant(dsn: &Dsn) -> Result<Granted, StoreError> {
    let (client, connection) = dsn.connect().await?;
    let driver = tokio::spawn(connection);
    let granted = async {
        bounded(client.batch_execute(ROLES)).await?;
        let rights = bounded(get_connect_rights().bind(&client).one()).await?;
        Ok(Granted { is_open_to_all: rights.everybody })
    };
    let granted = granted.await;
    driver.abort();
    granted
}
