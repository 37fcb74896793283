//! The last client version that WhatsApp accepted, for the whole fleet.

use async_trait::async_trait;
use deadpool_postgres::Pool;
use paird_actors::domain::StoreError;
use paird_sql::queries::client_version::{get_client_version, note_client_version};

use super::pool::{bounded, connection};
use crate::whatsapp::{VersionStore, WebVersion};

/// The one row of `client_version`.
pub struct KeptVersion {
    pool: Pool,
}

impl KeptVersion {
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl VersionStore for KeptVersion {
    async fn last_accepted(&self) -> Result<Option<WebVersion>, StoreError> {
        let client = connection(&self.pool).await?;
        let row = bounded(get_client_version().bind(&client).opt()).await?;
        let number = |part: i64| u32::try_from(part).ok();
        Ok(row.and_then(|row| Some((number(row.major)?, number(row.minor)?, number(row.revision)?))))
    }

    async fn note_accepted(&self, (major, minor, revision): WebVersion) -> Result<(), StoreError> {
        let client = connection(&self.pool).await?;
        let (major, minor, revision) = (major.into(), minor.into(), revision.into());
        bounded(note_client_version().bind(&client, &major, &minor, &revision)).await.map(drop)
    }
}
