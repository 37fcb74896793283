//! `paird events`: the outbox, replayed per account by `seq` and followed in commit order.

use std::collections::HashMap;
use std::process::ExitCode;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use clap::Args;
use paird_sql::queries::{
    cli::{self, AccountEvent},
    console::{FeedEvent, get_feed_line, list_feed_events, list_last_account_events},
};
use serde_json::{Value, json};
use tokio::time::Duration;
use uuid::Uuid;

use super::database::{Database, explained};
use super::out::{self, Format};
use crate::config::Config;
use crate::console::Cursor;

/// An event is read once every older transaction has ended, and that end is not notified.
const POLL: Duration = Duration::from_secs(1);
/// Events that are read at once.
const PAGE: i64 = 500;

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
    /// Only the last ones.
    #[arg(long, value_name = "COUNT", conflicts_with = "follow", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
}

/// Prints events, of one account or of all.
struct Printer {
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
    let mut printer = Printer { only, labels: HashMap::new(), format };
    if let Some(limit) = args.limit {
        printer.last(&database, args.since.unwrap_or(0), limit).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.follow {
        printer.replay(&database, args.since.unwrap_or(0), None).await?;
        return Ok(ExitCode::SUCCESS);
    }
    database.listen(&config.event_channel).await?;
    let line = feed_line(&database).await?;
    if let Some(since) = args.since {
        printer.replay(&database, since, Some(line)).await?;
    }
    let mut cursor = Cursor::before(line);
    loop {
        match printer.follow(&database, &mut cursor).await {
            Ok(()) => tokio::select! {
                () = database.until_notified_within(POLL) => {}
                () = out::until_closed() => return Ok(ExitCode::SUCCESS),
                _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
            },
            Err(error) => {
                format.remark(format_args!("{error:#}; trying again"));
                // Events from meanwhile lie after the cursor.
                database = Database::reconnected(config, format).await;
                // Another cluster, perhaps restored from a dump, has its own transaction ids.
                if let Ok(line) = feed_line(&database).await
                    && line < cursor.xact
                {
                    cursor = Cursor::before(line);
                }
            }
        }
    }
}

/// Every transaction below it has ended.
async fn feed_line(database: &Database) -> anyhow::Result<i64> {
    get_feed_line().bind(&database.client).one().await.map_err(explained)
}

impl Printer {
    /// Prints the events of all accounts after `since` that were committed by transactions
    /// below `before`.
    async fn replay(&mut self, database: &Database, since: i64, before: Option<i64>) -> anyhow::Result<()> {
        let mut seen: HashMap<Uuid, i64> = HashMap::new();
        loop {
            let (accounts, seqs): (Vec<Uuid>, Vec<i64>) = seen.iter().map(|(id, seq)| (*id, *seq)).unzip();
            let statement = cli::list_events_after();
            let found = statement.bind(&database.client, &accounts, &seqs, &since, &before, &self.only).all().await;
            let events = found.map_err(explained)?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                seen.insert(event.account_id, event.seq);
                self.print(database, event.into()).await?;
            }
        }
    }

    /// Prints the last events after `since`.
    async fn last(&mut self, database: &Database, since: i64, limit: i64) -> anyhow::Result<()> {
        let client = &database.client;
        let events: Vec<Event> = match &self.only {
            Some(account) => {
                let found = list_last_account_events().bind(client, account, &since, &i64::MAX, &limit).all().await;
                found.map_err(explained)?.into_iter().map(Event::from).collect()
            }
            None => {
                let found = cli::list_last_events().bind(client, &since, &limit).all().await;
                found.map_err(explained)?.into_iter().map(Event::from).collect()
            }
        };
        for event in events {
            self.print(database, event).await?;
        }
        Ok(())
    }

    /// Prints what is behind the cursor, in commit order. Nothing comes to stand before it
    /// later: of transactions that are still under way, and of those after them, nothing is read.
    async fn follow(&mut self, database: &Database, cursor: &mut Cursor) -> anyhow::Result<()> {
        loop {
            let page = list_feed_events().bind(&database.client, &cursor.xact, &cursor.id, &PAGE).all().await;
            let page = page.map_err(explained)?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
            for event in page {
                let next = Cursor { xact: event.xact, id: event.id };
                self.print(database, event.into()).await?;
                *cursor = next;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn print(&mut self, database: &Database, event: Event) -> anyhow::Result<()> {
        if self.only.is_some_and(|only| only != event.account_id) {
            return Ok(());
        }
        match self.format {
            Format::Json => out::json(&event.as_notified()),
            Format::Text => {
                let label = self.label(database, event.account_id).await?;
                let at = event.created_at.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true);
                out::line(format_args!("{at}  {label}  #{}  {}  {}", event.seq, event.kind, event.payload));
            }
        }
        Ok(())
    }

    async fn label(&mut self, database: &Database, account: Uuid) -> anyhow::Result<String> {
        if !self.labels.contains_key(&account) {
            self.labels = database.accounts().await?.into_iter().map(|a| (a.id, a.label)).collect();
        }
        Ok(self.labels.entry(account).or_insert_with(|| account.to_string()).clone())
    }
}

/// An event, as each of the statements returns it.
struct Event {
    id: i64,
    account_id: Uuid,
    seq: i64,
    kind: String,
    payload: Value,
    created_at: DateTime<FixedOffset>,
}

impl From<AccountEvent> for Event {
    fn from(AccountEvent { id, account_id, seq, kind, payload, created_at }: AccountEvent) -> Self {
        Self { id, account_id, seq, kind, payload, created_at }
    }
}

impl From<FeedEvent> for Event {
    fn from(FeedEvent { id, account_id, seq, kind, payload, created_at, xact: _ }: FeedEvent) -> Self {
        Self { id, account_id, seq, kind, payload, created_at }
    }
}

impl Event {
    /// In the shape that the event channel carries.
    fn as_notified(&self) -> Value {
        let mut message = json!({
            "type": self.kind,
            "accountId": self.account_id,
            "id": self.id,
            "seq": self.seq,
        });
        if let (Some(message), Some(payload)) = (message.as_object_mut(), self.payload.as_object()) {
            message.extend(payload.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        message
    }
}
