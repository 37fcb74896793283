//! `paird events`: the outbox, replayed per account by `seq` and followed in commit order.

use std::collections::HashMap;
use std::process::ExitCode;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use clap::Args;
use paird_sql::queries::{
    cli::{self, AccountEvent},
    console::{FeedEvent, get_feed_line, list_feed_events},
};
use serde_json::{Value, json};
use tokio::time::Duration;
use uuid::Uuid;

use super::database::{Database, explained};
use super::out::{self, Format};
use super::when::{Range, When};
use crate::config::Config;
use crate::console::Cursor;

/// An event is read once every older transaction has ended, and that end is not notified.
const POLL: Duration = Duration::from_secs(1);
/// Events that are read at once.
const PAGE: i64 = 500;

/// How many are printed where nothing says which.
pub(super) const DEFAULT_LIMIT: i64 = 100;

#[derive(Args, Debug)]
pub(super) struct EventsArgs {
    /// Goes on with what happens, until Ctrl-C: from now, or behind what --since or --limit print.
    #[arg(long)]
    follow: bool,
    /// Only from this time on, such as 2h, 3d or 2026-11-30T10:00 (UTC); or only after this seq of each account.
    #[arg(long, value_name = "TIME|SEQ", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = When::parse, conflicts_with = "follow")]
    until: Option<When>,
    /// Only of this account: a label, or an id, of a deleted one, too.
    #[arg(value_name = "LABEL|ID")]
    account: Option<String>,
    /// Only the last ones of those; 100 where neither --since nor --until is given.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
}

/// Where to begin: a number alone is a seq.
#[derive(Clone, Copy, Debug)]
enum Since {
    Seq(i64),
    Time(When),
}

impl Since {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seq) => Ok(Self::Seq(seq)),
            Err(_) => When::parse(text).map(Self::Time).map_err(|wrong| format!("{wrong}, nor a seq")),
        }
    }
}

/// Which events are printed that were there before.
struct Wanted {
    after_seq: i64,
    range: Range,
    /// Committed by transactions below it: a follower reads the others.
    before: Option<i64>,
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
    let (after_seq, since) = match args.since {
        Some(Since::Seq(seq)) => (seq, None),
        Some(Since::Time(when)) => (0, Some(when)),
        None => (0, None),
    };
    let mut printer = Printer { only, labels: HashMap::new(), format };
    let range = Range::of(&database, since, args.until).await?;
    let is_ranged = args.since.is_some() || args.until.is_some();
    if !args.follow {
        let wanted = Wanted { after_seq, range, before: None };
        match (args.limit, is_ranged) {
            (Some(limit), _) => {
                printer.last(&database, &wanted, limit).await?;
            }
            (None, true) => printer.replay(&database, &wanted).await?,
            (None, false) => {
                let printed = printer.last(&database, &wanted, DEFAULT_LIMIT).await?;
                remark_on_the_rest(format, printed);
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    database.listen(&config.event_channel).await?;
    let line = feed_line(&database).await?;
    let wanted = Wanted { after_seq, range, before: Some(line) };
    match args.limit {
        Some(limit) => {
            printer.last(&database, &wanted, limit).await?;
        }
        None if is_ranged => printer.replay(&database, &wanted).await?,
        None => {}
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

/// Says that there may be more, where the usual number was printed.
pub(super) fn remark_on_the_rest(format: Format, printed: usize) {
    if usize::try_from(DEFAULT_LIMIT).is_ok_and(|limit| printed >= limit) {
        format.remark(format_args!("these are the last {DEFAULT_LIMIT}: --since or --limit prints more"));
    }
}

/// Every transaction below it has ended.
async fn feed_line(database: &Database) -> anyhow::Result<i64> {
    get_feed_line().bind(&database.client).one().await.map_err(explained)
}

impl Printer {
    /// Prints all of those, of each account in the order of `seq`.
    async fn replay(&mut self, database: &Database, wanted: &Wanted) -> anyhow::Result<()> {
        let mut seen: HashMap<Uuid, i64> = HashMap::new();
        let Wanted { after_seq, range: Range { earliest, latest }, before } = wanted;
        loop {
            let (accounts, seqs): (Vec<Uuid>, Vec<i64>) = seen.iter().map(|(id, seq)| (*id, *seq)).unzip();
            let page = cli::list_events_after();
            let page = page.bind(&database.client, &accounts, &seqs, after_seq, before, earliest, latest, &self.only);
            let events = page.all().await.map_err(explained)?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                seen.insert(event.account_id, event.seq);
                self.print(database, event.into()).await?;
            }
        }
    }

    /// Prints the last of those, and returns how many they were.
    async fn last(&mut self, database: &Database, wanted: &Wanted, limit: i64) -> anyhow::Result<usize> {
        let client = &database.client;
        let Wanted { after_seq, range: Range { earliest, latest }, before } = wanted;
        let events = match &self.only {
            Some(account) => {
                let last = cli::list_last_events_of_account();
                last.bind(client, account, after_seq, before, earliest, latest, &limit).all().await
            }
            None => {
                let last = cli::list_last_events();
                last.bind(client, after_seq, before, earliest, latest, &limit).all().await
            }
        };
        let events = events.map_err(explained)?;
        let count = events.len();
        for event in events {
            self.print(database, event.into()).await?;
        }
        Ok(count)
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
            Format::Json => out::json(&event.as_json()),
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
    /// In the shape that the event channel carries, and when it happened.
    fn as_json(&self) -> Value {
        let mut message = json!({
            "type": self.kind,
            "accountId": self.account_id,
            "id": self.id,
            "seq": self.seq,
            "createdAt": self.created_at,
        });
        if let (Some(message), Some(payload)) = (message.as_object_mut(), self.payload.as_object()) {
            message.extend(payload.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        message
    }
}
