//! The database, external or embedded in the data directory; migrated in both cases.

use anyhow::Context as _;
use tracing::{info, warn};

use crate::{
    config::{Config, embedded_postgres},
    postgres::{embedded::Embedded, migrate::migrate, pool::Dsn},
    private_file,
};

/// The daemon's database.
pub struct DaemonDatabase {
    dsn: Dsn,
    console: Dsn,
    embedded: Option<(Embedded, std::path::PathBuf)>,
}

impl DaemonDatabase {
    /// Opens and migrates it; waits while it is not reachable.
    ///
    /// # Errors
    /// No Postgres binaries, a connection string that is none, a schema that is newer
    /// than this program.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (text, embedded) = match &config.database_url {
            Some(url) => (url.expose().to_owned(), None),
            None => {
                let embedded = Embedded::start(&config.data_dir, embedded_postgres(config.postgres_bin.clone()))
                    .await
                    .context("no DATABASE_URL is set, and the embedded Postgres did not start")?;
                info!(data_dir = %config.data_dir.display(), "embedded Postgres is up");
                (embedded.dsn(), Some((embedded, config.embedded_dsn_file())))
            }
        };
        let mut dsn = Dsn::parse(&text).context("DATABASE_URL")?;
        warn_of_unverified("DATABASE_URL", &dsn);
        let mut console = match config.own_console_url() {
            Some(url) => {
                let own = Dsn::parse(url.expose()).context("PAIRD_CONSOLE_DATABASE_URL")?;
                warn_of_unverified("PAIRD_CONSOLE_DATABASE_URL", &own);
                own
            }
            None => dsn.clone(),
        };
        if let (Some(url), None) = (&config.listen_url, &embedded) {
            let direct = Dsn::parse(url.expose()).context("PAIRD_LISTEN_URL")?;
            (dsn, console) = (dsn.with_direct(direct.clone()), console.with_direct(direct));
        }
        migrate(&dsn).await?;
        if let Some((_, file)) = &embedded {
            // For the command line, which has no other way to know.
            tell(file, &text)?;
        }
        Ok(Self { dsn, console, embedded })
    }

    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// As whom the console and the HTTP API ask.
    pub fn console_dsn(&self) -> &Dsn {
        &self.console
    }

    /// Ends the embedded Postgres, if there is one.
    pub async fn close(self) {
        if let Some((embedded, file)) = self.embedded {
            if let Err(why) = std::fs::remove_file(&file) {
                warn!(%why, file = %file.display(), "failed to remove the connection string");
            }
            embedded.stop().await;
        }
    }
}

fn warn_of_unverified(setting: &str, dsn: &Dsn) {
    for host in dsn.unverified_hosts() {
        warn!(
            setting,
            host,
            "the database server's certificate is not verified: anyone between here and there can read and change everything; set \
             sslmode=verify-full (and sslrootcert for a CA of your own) and channel_binding=require"
        );
    }
}

fn tell(file: &std::path::Path, dsn: &str) -> anyhow::Result<()> {
    // Written atomically, and readable only by the owner.
    private_file::replace(file, dsn.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}
