//! The command line's own connection to the daemon's database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use futures_util::{StreamExt as _, stream};
use paird_actors::domain::StoreError;
use paird_sql::queries::cli::{self, CommandEnd, ListedAccount};
use paird_sql::queries::connections;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client};
use uuid::Uuid;

use super::exit::{Exit, failure};
use super::labels;
use super::out::Format;
use crate::config::Config;
use crate::postgres::pool::Dsn;

/// A notification may be lost; the rows are looked at this often regardless.
pub(super) const POLL: Duration = Duration::from_millis(250);
/// How long to wait before the database is asked again after it went away.
const RECONNECT: Duration = Duration::from_secs(1);
/// After this long it is checked whether any daemon runs that could take the command.
const NO_DAEMON_HINT_AFTER: Duration = Duration::from_secs(3);

/// One connection of its own: a pooled one would lose notifications.
pub(super) struct Database {
    pub(super) client: Client,
    format: Format,
    notified: Arc<Notify>,
}

impl Database {
    /// As a person who works with accounts: to `PAIRD_CONSOLE_DATABASE_URL`, else as the daemon.
    pub(super) async fn connect(config: &Config, format: Format) -> anyhow::Result<Self> {
        Self::connect_to(config, console_dsn(config)?, format).await
    }

    /// As the daemon, for its keys and its leftovers: to `DATABASE_URL`, or to the embedded
    /// cluster of a running daemon.
    pub(super) async fn connect_as_daemon(config: &Config, format: Format) -> anyhow::Result<Self> {
        Self::connect_to(config, dsn(config)?, format).await
    }

    async fn connect_to(config: &Config, dsn: Dsn, format: Format) -> anyhow::Result<Self> {
        let (client, mut connection) = dsn.connect().await.map_err(|away| unreachable(config, &away))?;
        let notified = Arc::new(Notify::new());
        let wake = Arc::clone(&notified);
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    wake.notify_one();
                }
            }
        });
        Ok(Self { client, format, notified })
    }

    /// Connects, and hears events from now on.
    pub(super) async fn listening(config: &Config, format: Format) -> anyhow::Result<Self> {
        let database = Self::connect(config, format).await?;
        database.listen(&config.event_channel).await?;
        Ok(database)
    }

    /// The same, retried until the database is back.
    pub(super) async fn reconnected(config: &Config, format: Format) -> Self {
        loop {
            if let Ok(database) = Self::listening(config, format).await {
                return database;
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// From now on events wake [`Database::until_notified`].
    pub(super) async fn listen(&self, channel: &str) -> anyhow::Result<()> {
        connections::listen_to_channel().bind(&self.client, &channel).one().await.map_err(explained)?;
        Ok(())
    }

    /// Waits for a notification, or until it is time to look anyway.
    pub(super) async fn until_notified(&self) {
        self.until_notified_within(POLL).await;
    }

    pub(super) async fn until_notified_within(&self, most: Duration) {
        let _ = tokio::time::timeout(most, self.notified.notified()).await;
    }

    pub(super) async fn accounts(&self) -> anyhow::Result<Vec<ListedAccount>> {
        cli::list_listed_accounts().bind(&self.client).all().await.map_err(explained)
    }

    /// The account that a label or an id means.
    pub(super) async fn account(&self, wanted: &str) -> anyhow::Result<ListedAccount> {
        labels::resolve(self.accounts().await?, wanted)
    }

    /// The account with exactly this label or id.
    pub(super) async fn account_exactly(&self, wanted: &str) -> anyhow::Result<ListedAccount> {
        labels::resolve_exactly(self.accounts().await?, wanted)
    }

    /// The id that a label or an id means; of a deleted account only the id is known.
    pub(super) async fn account_ever(&self, wanted: &str) -> anyhow::Result<Uuid> {
        if let Ok(id) = Uuid::parse_str(wanted) {
            let found = cli::get_account_label().bind(&self.client, &id).opt().await.map_err(explained)?;
            return found
                .map(|_| id)
                .ok_or_else(|| failure(Exit::NoAccount, format!("no account ever had the id {id}")));
        }
        Ok(self.account(wanted).await?.id)
    }

    /// Sends a command and returns its id; it is done when a daemon does it.
    pub(super) async fn send(&self, kind: &str, account: Uuid, args: &Value) -> anyhow::Result<i64> {
        let sent = cli::send_cli_command().bind(&self.client, &kind, &account, args).one().await;
        sent.map_err(|error| match error.as_db_error() {
            Some(refused) if *refused.code() == SqlState::INVALID_PARAMETER_VALUE => {
                failure(Exit::Usage, refused.message().trim_start_matches("args.").to_owned())
            }
            Some(_) | None => explained(error),
        })
    }

    pub(super) async fn command(&self, id: i64) -> anyhow::Result<CommandEnd> {
        cli::get_command_end().bind(&self.client, &id).one().await.map_err(explained)
    }

    /// Sends a command and waits for its end: its id and the result in words, as an
    /// error if it failed.
    pub(super) async fn ask(&self, kind: &str, account: Uuid, args: &Value) -> anyhow::Result<(i64, String)> {
        let id = self.send(kind, account, args).await?;
        let mut hint = NoDaemonHint::new(id);
        loop {
            let end = self.command(id).await?;
            let result = end.result.unwrap_or_default();
            match end.state.as_str() {
                "done" => return Ok((id, result)),
                "failed" => bail!("{result}"),
                _ => hint.check(self).await?,
            }
            self.until_notified().await;
        }
    }

    /// Why nobody takes commands now, and what that waits for; `None` if a daemon does.
    async fn standstill(&self) -> anyhow::Result<Option<&'static str>> {
        let daemons = cli::count_daemons().bind(&self.client).one().await.map_err(explained)?;
        Ok(match (daemons.live, daemons.taking) {
            (0, _) => Some("no daemon runs on this database"),
            (_, 0) => Some("every daemon of this database is drained (paird drain --undo)"),
            (_, _) => None,
        })
    }

    /// Waits until a daemon takes commands, and says what is waited for.
    pub(super) async fn until_commands_are_taken(&self) -> anyhow::Result<()> {
        let mut is_told = false;
        while let Some(why) = self.standstill().await? {
            if !std::mem::replace(&mut is_told, true) {
                self.format.remark(format_args!("waiting: {why}; nothing is queued (Ctrl-C leaves)"));
            }
            self.until_notified().await;
        }
        Ok(())
    }

    pub(super) async fn live_daemons_on(&self, host: &str) -> anyhow::Result<i64> {
        cli::count_live_daemons_on().bind(&self.client, &host).one().await.map_err(explained)
    }
}

/// Says once that no daemon is there to run a command or send a message, or only drained ones, if so.
pub(super) struct NoDaemonHint {
    what: &'static str,
    id: i64,
    due: Option<tokio::time::Instant>,
}

impl NoDaemonHint {
    pub(super) fn new(command: i64) -> Self {
        Self::about("command", command)
    }

    pub(super) fn of_message(message: i64) -> Self {
        Self::about("message", message)
    }

    fn about(what: &'static str, id: i64) -> Self {
        Self { what, id, due: Some(tokio::time::Instant::now() + NO_DAEMON_HINT_AFTER) }
    }

    pub(super) async fn check(&mut self, database: &Database) -> anyhow::Result<()> {
        if self.due.is_some_and(|at| tokio::time::Instant::now() >= at) {
            self.due = None;
            if let Some(why) = database.standstill().await? {
                let Self { what, id, .. } = self;
                database.format.remark(format_args!(
                    "{why}; {what} {id} stays queued until one takes it (Ctrl-C stops waiting, not the {what})"
                ));
            }
        }
        Ok(())
    }
}

/// As [`dsn`], as the login of the console where that has one of its own.
fn console_dsn(config: &Config) -> anyhow::Result<Dsn> {
    match config.own_console_url() {
        Some(url) => Dsn::parse(url.expose()).map_err(|wrong| failure(Exit::Usage, wrong.to_string())),
        None => dsn(config),
    }
}

/// The database's connection string, as far as this process can know it.
pub(super) fn dsn(config: &Config) -> anyhow::Result<Dsn> {
    let text = match &config.database_url {
        Some(url) => url.expose().to_owned(),
        None => std::fs::read_to_string(config.embedded_dsn_file()).map_err(|_| no_daemon(config))?,
    };
    let parse = |text: &str| Dsn::parse(text.trim()).map_err(|wrong| failure(Exit::Usage, wrong.to_string()));
    let dsn = parse(&text)?;
    match (&config.listen_url, &config.database_url) {
        (Some(url), Some(_)) => Ok(dsn.with_direct(parse(url.expose())?)),
        (Some(_) | None, _) => Ok(dsn),
    }
}

fn no_daemon(config: &Config) -> anyhow::Error {
    let dir = config.data_dir.display();
    failure(
        Exit::NoDaemon,
        format!("no daemon runs on {dir}: start paird serve, or set DATABASE_URL or PAIRD_DATA_DIR"),
    )
}

/// The embedded server ends with its daemon; its address may stay behind.
fn unreachable(config: &Config, away: &StoreError) -> anyhow::Error {
    match &config.database_url {
        None => no_daemon(config),
        Some(_) => failure(Exit::DatabaseAway, format!("{away}; is DATABASE_URL right, and the server up?")),
    }
}

/// The database's words in one line, and what to do about the likely one.
pub(super) fn explained(error: tokio_postgres::Error) -> anyhow::Error {
    let Some(refused) = error.as_db_error() else {
        return failure(Exit::DatabaseAway, format!("database: {error}"));
    };
    match refused.code() {
        code if *code == SqlState::UNDEFINED_TABLE => {
            failure(Exit::NoDaemon, "the database has no tables of paird yet: paird serve makes them")
        }
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => anyhow::anyhow!(
            "database: {}: this login may not do that. paird migrate --roles, as the tables' owner, sets what each \
             role may: the daemon's login (DATABASE_URL) is to be in paird_daemon, the one of the console and of \
             people (PAIRD_CONSOLE_DATABASE_URL) in paird_console; paird doctor names what is missing",
            refused.message()
        ),
        code if is_going_away(code) => failure(Exit::DatabaseAway, format!("database: {}", refused.message())),
        _ => anyhow::anyhow!("database: {}", refused.message()),
    }
}

fn is_going_away(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW, SqlState::TOO_MANY_CONNECTIONS]
        .contains(code)
}
