//! The rights of who is not the owner of the tables.

use paird_actors::domain::StoreError;
use paird_sql::queries::connections::get_isolation;
use paird_sql::queries::doctor::get_connect_rights;

use super::pool::{Dsn, bounded};

const ROLES: &str = include_str!("../../sql/roles.sql");
const ISOLATE: &str = include_str!("../../sql/isolate.sql");
const SHARE: &str = include_str!("../../sql/share.sql");

/// Whether a web login is bound to the rows of one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// As the database has it; tables that came since are included.
    AsItIs,
    On,
    Off,
}

/// The state of the database after granting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Every login may still connect, since the caller does not own the database.
    pub is_open_to_all: bool,
    pub is_isolated: bool,
}

/// Makes the roles `paird_web`, `paird_daemon` and `paird_console`, and gives them what they need
/// in this schema and nothing more. As often as one likes.
///
/// # Errors
/// The database's words: most likely, the caller does not own the tables.
pub async fn grant(dsn: &Dsn, isolation: Isolation) -> Result<Granted, StoreError> {
    let (client, connection) = dsn.connect().await?;
    let driver = tokio::spawn(connection);
    let granted = async {
        bounded(client.batch_execute(ROLES)).await?;
        let was_isolated = bounded(get_isolation().bind(&client).one()).await?;
        let is_isolated = match isolation {
            Isolation::AsItIs => was_isolated,
            Isolation::On => true,
            Isolation::Off => false,
        };
        if is_isolated {
            bounded(client.batch_execute(ISOLATE)).await?;
        } else if was_isolated {
            bounded(client.batch_execute(SHARE)).await?;
        }
        let rights = bounded(get_connect_rights().bind(&client).one()).await?;
        Ok(Granted { is_open_to_all: rights.everybody, is_isolated })
    };
    let granted = granted.await;
    driver.abort();
    granted
}
