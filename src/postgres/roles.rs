//! The rights of who is not the owner of the tables.

use paird_actors::domain::StoreError;

use super::pool::{Dsn, bounded};

const ROLES: &str = include_str!("../../sql/roles.sql");

/// Makes the roles `paird_web` and `paird_daemon`, and gives them what they need in this
/// schema and nothing more. As often as one likes.
///
/// # Errors
/// The database's words: most likely, the caller does not own the tables.
pub async fn grant(dsn: &Dsn) -> Result<(), StoreError> {
    let (client, connection) = dsn.connect().await?;
    let driver = tokio::spawn(connection);
    let granted = bounded(client.batch_execute(ROLES)).await;
    driver.abort();
    granted
}
