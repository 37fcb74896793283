//! `paird messages`: what came in and went out, from the rows, and with `--follow` what comes in and
//! goes out, each message when its event reports it.

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use paird_actors::domain::{EventKind, MessageDirection, MessageState, Phone};
use paird_sql::queries::reading::{
    MessageRow, begin_following_messages, get_event_seq, list_chats_of_phone, list_last_messages,
    list_last_messages_of_chats, list_messages, list_messages_by_id, list_messages_of_chats, list_told_messages,
};
use tokio::time::Duration;
use uuid::Uuid;

use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::config::Config;
use crate::console::{Message, is_jid};

/// A notification may be lost; the rows are looked at this often regardless.
const POLL: Duration = Duration::from_secs(1);
const DEFAULT_LIMIT: i64 = 50;
/// Messages that are read at once, which is as many as a statement returns.
const PAGE: i64 = 100;

#[derive(Args, Debug)]
pub(super) struct MessagesArgs {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
    /// Only of this chat: a jid as --json prints it, or a phone number.
    #[arg(long, value_name = "JID|PHONE", value_parser = wanted_chat)]
    chat: Option<WantedChat>,
    /// At most so many; the last ones, or with --after the first ones after it [default: 50].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// Only messages with a higher id; with --follow, all of them.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// Goes on with what comes in and what is sent, until Ctrl-C.
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Debug)]
enum WantedChat {
    Jid(String),
    Phone(Phone),
}

fn wanted_chat(text: &str) -> Result<WantedChat, String> {
    if text.contains('@') {
        let is_one = is_jid(text);
        return is_one.then(|| WantedChat::Jid(text.to_owned())).ok_or_else(|| "not a jid".to_owned());
    }
    Phone::parse(text).map(WantedChat::Phone).map_err(|wrong| format!("neither a jid nor a number: {wrong}"))
}

/// Prints the messages of an account, or of one of its chats.
struct Reader {
    account: Uuid,
    wanted: Option<WantedChat>,
    /// The jids of the wanted chat.
    chats: Option<Vec<String>>,
    format: Format,
}

pub(super) async fn run(config: &Config, format: Format, args: MessagesArgs) -> anyhow::Result<ExitCode> {
    let MessagesArgs { account, chat: wanted, limit, after, follow } = args;
    if follow && after.is_some() && limit.is_some() {
        let words = "--limit would leave a gap between --after and --follow: leave one of the three out";
        return Err(failure(Exit::Usage, words));
    }
    let database = Database::connect(config, format).await?;
    let account = database.account(&account).await?.id;
    let mut reader = Reader { account, wanted, chats: None, format };
    reader.chats = reader.resolve(&database).await?;
    if follow {
        database.listen(&config.event_channel).await?;
        return reader.follow(config, database, after, limit.unwrap_or(DEFAULT_LIMIT)).await;
    }
    reader.list(&database, after, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    Ok(ExitCode::SUCCESS)
}

impl Reader {
    async fn resolve(&self, database: &Database) -> anyhow::Result<Option<Vec<String>>> {
        match &self.wanted {
            None => Ok(None),
            Some(WantedChat::Jid(jid)) => Ok(Some(vec![jid.clone()])),
            Some(WantedChat::Phone(phone)) => {
                let chats = list_chats_of_phone().bind(&database.client, &self.account, &phone.digits()).all().await;
                Ok(Some(chats.map_err(explained)?))
            }
        }
    }

    async fn list(&self, database: &Database, after: Option<i64>, limit: i64) -> anyhow::Result<()> {
        let mut messages = Vec::new();
        match after {
            None => messages = self.last(database, i64::MAX, limit).await?,
            Some(mut after) => {
                while let left @ 1.. = limit - i64::try_from(messages.len())? {
                    let page = self.page(database, after, left.min(PAGE)).await?;
                    let Some(last) = page.last() else { break };
                    after = last.id;
                    messages.extend(page);
                }
            }
        }
        match self.format {
            Format::Json => out::json(&serde_json::to_value(messages)?),
            Format::Text => messages.iter().for_each(|message| out::line(line(message))),
        }
        Ok(())
    }

    /// The first messages after an id.
    async fn page(&self, database: &Database, after: i64, limit: i64) -> anyhow::Result<Vec<Message>> {
        let (client, account) = (&database.client, &self.account);
        let rows = match &self.chats {
            None => list_messages().bind(client, account, &after, &limit).all().await,
            Some(chats) => list_messages_of_chats().bind(client, chats, account, &after, &limit).all().await,
        };
        shown(rows)
    }

    /// The last messages before an id, which may be more than a page.
    async fn last(&self, database: &Database, mut before: i64, limit: i64) -> anyhow::Result<Vec<Message>> {
        let (client, account) = (&database.client, &self.account);
        let mut messages: Vec<Message> = Vec::new();
        while let left @ 1.. = limit - i64::try_from(messages.len())? {
            let limit = left.min(PAGE);
            let rows = match &self.chats {
                None => list_last_messages().bind(client, account, &before, &0, &limit).all().await,
                Some(chats) => {
                    list_last_messages_of_chats().bind(client, chats, account, &before, &0, &limit).all().await
                }
            };
            let page = shown(rows)?;
            let Some(first) = page.first() else { break };
            before = first.id;
            messages = page.into_iter().chain(messages).collect();
        }
        Ok(messages)
    }

    /// Prints what is there and then each message once: when it can be read, or when it was sent or
    /// has failed. The events after the seq of the beginning report exactly what the listing before
    /// does not have.
    async fn follow(
        &self,
        config: &Config,
        mut database: Database,
        after: Option<i64>,
        limit: i64,
    ) -> anyhow::Result<ExitCode> {
        let begin = begin_following_messages().bind(&database.client, &self.account).opt().await.map_err(explained)?;
        let Some(begin) = begin else { return Err(failure(Exit::NoAccount, "the account was deleted")) };
        // What went out and is printed now may be reported by an event that is read later.
        let mut listed = HashSet::new();
        let mut print_settled = |messages: Vec<Message>| {
            for message in messages.iter().filter(|message| !begin.waiting.contains(&message.id)) {
                if !is_out(message) {
                    self.print(message);
                } else if !MessageState::parse(&message.state).is_some_and(MessageState::is_open) {
                    self.print(message);
                    listed.insert(message.id);
                }
            }
        };
        match after {
            None => print_settled(self.last(&database, begin.last.saturating_add(1), limit).await?),
            Some(mut after) => loop {
                let mut page = self.page(&database, after, PAGE).await?;
                page.retain(|message| message.id <= begin.last);
                let Some(last) = page.last() else { break };
                after = last.id;
                print_settled(page);
            },
        }
        let mut seq = begin.seq;
        loop {
            match self.print_told(&database, &listed, &mut seq).await {
                Ok(Account::Lives) => tokio::select! {
                    () = database.until_notified_within(POLL) => {}
                    () = out::until_closed() => return Ok(ExitCode::SUCCESS),
                    _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
                },
                Ok(Account::Deleted) => {
                    self.format.remark("the account was deleted, and its messages with it");
                    return Ok(ExitCode::SUCCESS);
                }
                Err(error) => {
                    self.format.remark(format_args!("{error:#}; trying again"));
                    database = tokio::select! {
                        database = Database::reconnected(config, self.format) => database,
                        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
                    };
                    // It may have been restored to an older state.
                    if let Ok(Some(now)) = get_event_seq().bind(&database.client, &self.account).opt().await {
                        seq = seq.min(now);
                    }
                }
            }
        }
    }

    /// Prints what the events after `seq` report and was not listed before.
    async fn print_told(&self, database: &Database, listed: &HashSet<i64>, seq: &mut i64) -> anyhow::Result<Account> {
        loop {
            let told = list_told_messages().bind(&database.client, &self.account, seq, &PAGE).all().await;
            let told = told.map_err(explained)?;
            let is_last = told.len() < usize::try_from(PAGE).unwrap_or_default();
            let ids: Vec<i64> = told.iter().filter_map(|event| event.message).collect();
            let mut messages = HashMap::new();
            if !ids.is_empty() {
                let rows = list_messages_by_id().bind(&database.client, &ids, &self.account).all().await;
                messages.extend(shown(rows)?.into_iter().map(|message| (message.id, message)));
            }
            for event in told {
                let kind = EventKind::parse(&event.event);
                let message = event.message.filter(|id| !listed.contains(id)).and_then(|id| messages.get(&id));
                match message.filter(|message| self.is_wanted(message)) {
                    Some(message) if kind == Some(EventKind::MessageWaiting) => {
                        let (id, who) = (message.id, person(&message.sender, message.sender_phone.as_deref(), None));
                        self.format
                            .remark(format_args!("#{id}, from {who}, cannot be read yet and is asked for again"));
                    }
                    Some(message) => self.print(message),
                    None => {}
                }
                *seq = event.seq;
                if kind == Some(EventKind::AccountDeleted) {
                    return Ok(Account::Deleted);
                }
            }
            if is_last {
                return Ok(Account::Lives);
            }
        }
    }

    /// Of the wanted chat, which may be one that began after the jids were looked up.
    fn is_wanted(&self, message: &Message) -> bool {
        let is_of_phone = |wanted: &Phone| {
            let phone = message.chat_phone.as_deref().and_then(|digits| Phone::from_digits(digits).ok());
            phone.is_some_and(|phone| phone.is_same_number(wanted))
        };
        match &self.wanted {
            None => true,
            Some(WantedChat::Jid(jid)) => message.chat == *jid,
            Some(WantedChat::Phone(phone)) => {
                is_of_phone(phone) || self.chats.as_ref().is_some_and(|chats| chats.contains(&message.chat))
            }
        }
    }

    fn print(&self, message: &Message) {
        match self.format {
            Format::Json => out::json(&serde_json::to_value(message).unwrap_or_default()),
            Format::Text => out::line(line(message)),
        }
    }
}

enum Account {
    Lives,
    Deleted,
}

fn shown(rows: Result<Vec<MessageRow>, tokio_postgres::Error>) -> anyhow::Result<Vec<Message>> {
    Ok(rows.map_err(explained)?.into_iter().map(Message::from).collect())
}

fn is_out(message: &Message) -> bool {
    message.direction == MessageDirection::Out.as_str()
}

fn line(message: &Message) -> String {
    let at = message.sent_at.unwrap_or(message.created_at).to_rfc3339_opts(SecondsFormat::Secs, true);
    let sender = person(&message.sender, message.sender_phone.as_deref(), message.sender_name.as_deref());
    let chat = person(&message.chat, message.chat_phone.as_deref(), message.chat_name.as_deref());
    let who = match MessageDirection::parse(&message.direction) {
        Some(MessageDirection::Echo) => format!("me → {chat}"),
        Some(MessageDirection::Out) => format!("[{}] → {chat}", message.state_text),
        Some(MessageDirection::In) | None if message.chat == message.sender => sender,
        Some(MessageDirection::In) | None => format!("{sender} in {chat}"),
    };
    format!("{at}  #{}  {who}: {}", message.id, message.text)
}

/// The number or jid before the name, which people choose themselves.
fn person(jid: &str, phone: Option<&str>, name: Option<&str>) -> String {
    let phone = phone.and_then(|digits| Phone::from_digits(digits).ok()).map(|phone| phone.grouped());
    let who = phone.unwrap_or_else(|| jid.to_owned());
    match name.filter(|name| !name.trim().is_empty()) {
        Some(name) => format!("{who} ({name})"),
        None => who,
    }
}
