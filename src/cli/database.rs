//! The command line's own connection to the daemon's database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use futures_util::{StreamExt as _, stream};
use paird_sql::queries::cli::{self, CommandEnd, ListedAccount};
use paird_sql::queries::connections;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client};
use uuid::Uuid;

use super::{labels, out};
use crate::config::Config;
use crate::postgres::pool::Dsn;

/// A notification may be lost; the rows are looked at this often regardless.
pub(super) const POLL: Duration = Duration::from_millis(250);
/// A command that still waits after this long makes one wonder whether a daemon runs.
const WONDER_AFTER: Duration = Duration::from_secs(3);

/// One connection of its own: a pooled one would lose notifications.
pub(super) struct Database {
    pub(super) client: Client,
    rung: Arc<Notify>,
}

impl Database {
    /// Connects to `DATABASE_URL`, or to the embedded cluster of a running daemon.
    pub(super) async fn connect(config: &Config) -> anyhow::Result<Self> {
        let (client, mut connection) = Dsn::parse(&dsn_of(config)?)?.connect().await?;
        let rung = Arc::new(Notify::new());
        let bell = Arc::clone(&rung);
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    bell.notify_one();
                }
            }
        });
        Ok(Self { client, rung })
    }

    /// From now on events wake [`Database::rung`].
    pub(super) async fn listen(&self, channel: &str) -> anyhow::Result<()> {
        connections::listen_to_channel().bind(&self.client, &channel).one().await.map_err(explained)?;
        Ok(())
    }

    /// Waits for a notification, or until it is time to look anyway.
    pub(super) async fn rung(&self) {
        let _ = tokio::time::timeout(POLL, self.rung.notified()).await;
    }

    pub(super) async fn accounts(&self) -> anyhow::Result<Vec<ListedAccount>> {
        cli::list_listed_accounts().bind(&self.client).all().await.map_err(explained)
    }

    /// The account that a label or an id means.
    pub(super) async fn account(&self, wanted: &str) -> anyhow::Result<ListedAccount> {
        labels::resolve(self.accounts().await?, wanted).map_err(|wrong| anyhow!(wrong))
    }

    /// Sends a command and returns its id; it is done when a daemon does it.
    pub(super) async fn send(&self, kind: &str, account: Uuid, args: &Value) -> anyhow::Result<i64> {
        cli::send_cli_command().bind(&self.client, &kind, &account, args).one().await.map_err(explained)
    }

    pub(super) async fn command(&self, id: i64) -> anyhow::Result<CommandEnd> {
        cli::get_command_end().bind(&self.client, &id).one().await.map_err(explained)
    }

    /// Sends a command and waits for its end: the result in words, as an error if it failed.
    pub(super) async fn ask(&self, kind: &str, account: Uuid, args: &Value) -> anyhow::Result<String> {
        let id = self.send(kind, account, args).await?;
        let mut patience = Patience::new(id);
        loop {
            let end = self.command(id).await?;
            let result = end.result.unwrap_or_default();
            match end.state.as_str() {
                "done" => return Ok(result),
                "failed" => bail!("{result}"),
                _ => patience.check(self).await?,
            }
            self.rung().await;
        }
    }

    async fn live_daemons(&self) -> anyhow::Result<i64> {
        cli::count_live_daemons().bind(&self.client).one().await.map_err(explained)
    }

    pub(super) async fn live_daemons_on(&self, host: &str) -> anyhow::Result<i64> {
        cli::count_live_daemons_on().bind(&self.client, &host).one().await.map_err(explained)
    }
}

/// Says once that nobody is there to do a command, if so.
pub(super) struct Patience {
    command: i64,
    wonder_at: Option<tokio::time::Instant>,
}

impl Patience {
    pub(super) fn new(command: i64) -> Self {
        Self { command, wonder_at: Some(tokio::time::Instant::now() + WONDER_AFTER) }
    }

    pub(super) async fn check(&mut self, database: &Database) -> anyhow::Result<()> {
        if self.wonder_at.is_some_and(|at| tokio::time::Instant::now() >= at) {
            self.wonder_at = None;
            if database.live_daemons().await? == 0 {
                let id = self.command;
                out::remark(format_args!(
                    "no daemon runs on this database; command {id} stays queued until one does (Ctrl-C stops waiting, not the command)"
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn dsn_of(config: &Config) -> anyhow::Result<String> {
    if let Some(url) = &config.database_url {
        return Ok(url.expose().to_owned());
    }
    let file = config.embedded_dsn_file();
    std::fs::read_to_string(&file).map(|text| text.trim().to_owned()).map_err(|_| {
        let dir = config.data_dir.display();
        anyhow!("no daemon runs on {dir}: start paird serve, or set DATABASE_URL or PAIRD_DATA_DIR")
    })
}

/// The database's words in one line, and what to do about the likely one.
pub(super) fn explained(error: tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(refused) if *refused.code() == SqlState::UNDEFINED_TABLE => {
            anyhow!("the database has no tables of paird yet: paird serve makes them")
        }
        Some(refused) => anyhow!("database: {}", refused.message()),
        None => anyhow!("database: {error}"),
    }
}
