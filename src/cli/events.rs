//! `paird events`: the outbox, replayed per account by `seq`.

use std::collections::HashMap;
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use paird_sql::queries::cli::{self, AccountEvent};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};
use uuid::Uuid;

use super::database::{Database, explained};
use super::out::{self, Format};
use crate::config::Config;

/// How long to wait before the database is asked again after it went away.
const RECONNECT: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct EventsArgs {
    /// Goes on with what happens, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Only events after this seq of each account; with --follow the default is from now.
    #[arg(long, value_name = "SEQ")]
    since: Option<i64>,
    /// Only of this account: a label, or an id, of a deleted one, too.
    #[arg(value_name = "LABEL|ID")]
    account: Option<String>,
}

/// How far each account's events were read. Never an id: ids commit out of order.
struct Reader {
    seen: HashMap<Uuid, i64>,
    since: i64,
    only: Option<Uuid>,
    labels: HashMap<Uuid, String>,
    format: Format,
}

pub(super) async fn run(config: &Config, format: Format, args: EventsArgs) -> anyhow::Result<ExitCode> {
    let mut database = Database::connect(config, format).await?;
    let only = match &args.account {
        Some(wanted) => Some(database.account_ever(wanted).await?),
        None => None,
    };
    let mut reader =
        Reader { seen: HashMap::new(), since: args.since.unwrap_or(0), only, labels: HashMap::new(), format };
    if !args.follow {
        while reader.print_new(&database).await? {}
        return Ok(ExitCode::SUCCESS);
    }
    database.listen(&config.event_channel).await?;
    if args.since.is_none() {
        reader.start_from_now(&database).await?;
    }
    loop {
        match reader.print_new(&database).await {
            Ok(true) => {}
            Ok(false) => tokio::select! {
                () = database.until_notified() => {}
                _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
            },
            Err(error) => {
                format.remark(format_args!("{error:#}; trying again"));
                database = reconnected(config, format).await;
            }
        }
    }
}

/// Retries until the database is back; what happened meanwhile is replayed by `seq`.
async fn reconnected(config: &Config, format: Format) -> Database {
    loop {
        if let Ok(database) = Database::listening(config, format).await {
            return database;
        }
        sleep(RECONNECT).await;
    }
}

impl Reader {
    async fn start_from_now(&mut self, database: &Database) -> anyhow::Result<()> {
        let seqs = cli::list_event_seqs().bind(&database.client).all().await.map_err(explained)?;
        self.seen = seqs.into_iter().map(|row| (row.account_id, row.event_seq)).collect();
        Ok(())
    }

    /// Prints what is new; `false` if nothing was.
    async fn print_new(&mut self, database: &Database) -> anyhow::Result<bool> {
        let (accounts, seqs): (Vec<Uuid>, Vec<i64>) = self.seen.iter().map(|(id, seq)| (*id, *seq)).unzip();
        let since = self.since;
        let found = cli::list_events_after().bind(&database.client, &accounts, &seqs, &since).all().await;
        let events = found.map_err(explained)?;
        for event in &events {
            self.seen.insert(event.account_id, event.seq);
            if self.only.is_some_and(|only| only != event.account_id) {
                continue;
            }
            match self.format {
                Format::Json => out::json(&as_notified(event)),
                Format::Text => {
                    let label = self.label(database, event.account_id).await?;
                    let at = event.created_at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
                    out::line(format_args!("{at}  {label}  #{}  {}  {}", event.seq, event.kind, event.payload));
                }
            }
        }
        Ok(!events.is_empty())
    }

    async fn label(&mut self, database: &Database, account: Uuid) -> anyhow::Result<String> {
        if !self.labels.contains_key(&account) {
            self.labels = database.accounts().await?.into_iter().map(|a| (a.id, a.label)).collect();
        }
        Ok(self.labels.entry(account).or_insert_with(|| account.to_string()).clone())
    }
}

/// The event in the shape that the event channel carries.
fn as_notified(event: &AccountEvent) -> Value {
    let mut message = json!({
        "type": event.kind,
        "accountId": event.account_id,
        "id": event.id,
        "seq": event.seq,
    });
    if let (Some(message), Some(payload)) = (message.as_object_mut(), event.payload.as_object()) {
        message.extend(payload.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    message
}
