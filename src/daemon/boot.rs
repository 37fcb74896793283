//! The database: somebody's, or our own in the data directory; migrated either way.

use anyhow::Context as _;
use tracing::{info, warn};

use crate::{
    config::Config,
    postgres::{embedded::Embedded, migrate::migrate, pool::Dsn},
    private_file,
};

/// Where the rows are.
pub struct Database {
    dsn: Dsn,
    embedded: Option<(Embedded, std::path::PathBuf)>,
}

impl Database {
    /// Opens and migrates it; waits while it is not reachable.
    ///
    /// # Errors
    /// No Postgres binaries, a connection string that is none, a schema that is newer
    /// than this program.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (text, embedded) = match &config.database_url {
            Some(url) => (url.expose().to_owned(), None),
            None => {
                let embedded = Embedded::start(&config.data_dir, config.postgres_bin.as_deref())
                    .await
                    .context("no DATABASE_URL is set, and the embedded Postgres did not start")?;
                info!(data_dir = %config.data_dir.display(), "embedded Postgres is up");
                (embedded.dsn(), Some((embedded, config.embedded_dsn_file())))
            }
        };
        let mut dsn = Dsn::parse(&text).context("DATABASE_URL")?;
        if let (Some(url), None) = (&config.listen_url, &embedded) {
            dsn = dsn.with_direct(Dsn::parse(url.expose()).context("PAIRD_LISTEN_URL")?);
        }
        migrate(&dsn).await?;
        if let Some((_, file)) = &embedded {
            // For the command line, which has no other way to know.
            tell(file, &text)?;
        }
        Ok(Self { dsn, embedded })
    }

    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// Ends the embedded Postgres, if there is one.
    pub async fn close(self) {
        if let Some((embedded, file)) = self.embedded {
            if let Err(why) = std::fs::remove_file(&file) {
                warn!(%why, file = %file.display(), "could not remove the connection string");
            }
            embedded.stop().await;
        }
    }
}

fn tell(file: &std::path::Path, dsn: &str) -> anyhow::Result<()> {
    // Whole or not at all, and for nobody else.
    private_file::replace(file, dsn.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}
