//! Messages, with what they say while that is kept.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use chrono::{DateTime, Utc};
use paird_actors::domain::{MessageDirection, describe_message, describe_message_state};
use paird_sql::queries::{
    console::get_shown_account,
    reading::{
        MemberReceiptRow, MessageRow, get_message, list_last_messages, list_last_messages_by_chat,
        list_last_messages_of_chats, list_messages, list_messages_of_chats, list_receipts,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    account_view::utc,
    accounts::nobody,
    parameters::Parameters,
    problem::{Problem, ProblemCode},
    state::AppState,
    vocabulary,
};

const PAGE: i64 = 50;
/// Smaller than other pages, as a message may have 65,536 characters; the statements return no
/// more.
const LARGEST_PAGE: i64 = 100;
/// What the jid of a group ends with.
const GROUP_SERVER: &str = "@g.us";
/// Characters of a jid that a row has at most.
const JID_MAX_CHARS: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only messages of this chat: its jid.
    chat: Option<String>,
    /// Only messages with a higher id.
    #[param(value_type = Option<i64>)]
    after: Option<String>,
    /// Only messages with a lower id, and of these the last ones: one that no id reaches
    /// gives the newest.
    #[param(value_type = Option<i64>)]
    before: Option<String>,
    /// At most so many; default 50.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Messages {
    /// By id; always the older ones first.
    messages: Vec<Message>,
}

/// A message of an account. The command line prints the same document.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// Grows in the order in which the messages of an account were written.
    pub(crate) id: i64,
    account_id: Uuid,
    #[schema(schema_with = vocabulary::message_direction)]
    pub(crate) direction: String,
    /// The jid of the other person or of the group.
    pub(crate) chat: String,
    /// The person's number, in digits.
    pub(crate) chat_phone: Option<String>,
    /// The group's subject, or the name that the person uses.
    pub(crate) chat_name: Option<String>,
    pub(crate) sender: String,
    pub(crate) sender_phone: Option<String>,
    pub(crate) sender_name: Option<String>,
    /// WhatsApp's id, chosen by the sender.
    wa_id: String,
    /// Null while the message cannot be read.
    #[schema(schema_with = vocabulary::message_kind)]
    kind: Option<String>,
    /// The id of the message that it changes, reacts to or answers.
    refers_to: Option<i64>,
    #[schema(schema_with = vocabulary::message_state)]
    pub(crate) state: String,
    /// State and reason as a sentence for people, without its full stop.
    pub(crate) state_text: String,
    /// Why it cannot be read yet, what it waits for, or why it was not sent.
    pub(crate) reason: Option<String>,
    /// WhatsApp's code of a refusal.
    code: Option<i32>,
    /// By WhatsApp's clock; null until it is sent.
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    /// When a message that could not be read at first could be read.
    recovered_at: Option<DateTime<Utc>>,
    /// The sender's own name for a message that is sent with one.
    key: Option<String>,
    not_before: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    /// When a device of the recipient had it; in a group, the first member's.
    delivered_at: Option<DateTime<Utc>>,
    /// When the recipient read it; in a group, the first member.
    read_at: Option<DateTime<Utc>>,
    /// Of a message to a group that is shown by itself: how far it got with each member of whom
    /// there is a receipt. Null in lists.
    receipts: Option<Vec<MemberReceipt>>,
    /// By which way it was sent, as the sender claims: `web`, `api`, `console`, `cli`.
    source: Option<String>,
    /// The database login that sent it.
    sent_by: Option<String>,
    /// What it says, as `message_bodies.content`; null when it is not kept any more.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// What it says or is, for people. A stranger chose it: it may contain any characters.
    pub(crate) text: String,
}

/// How far a message got with one member of a group.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MemberReceipt {
    /// The member's jid.
    member: String,
    /// The member's number, in digits.
    phone: Option<String>,
    /// The name that the member uses.
    name: Option<String>,
    delivered_at: Option<DateTime<Utc>>,
    /// When the member read it, or played it.
    read_at: Option<DateTime<Utc>>,
}

impl From<MemberReceiptRow> for MemberReceipt {
    fn from(row: MemberReceiptRow) -> Self {
        let MemberReceiptRow { member, phone, name, delivered_at, read_at } = row;
        Self { member, phone, name, delivered_at: utc(delivered_at), read_at: utc(read_at) }
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            direction: row.direction,
            chat: row.chat,
            chat_phone: row.chat_phone,
            chat_name: row.chat_name,
            sender: row.sender,
            sender_phone: row.sender_phone,
            sender_name: row.sender_name,
            wa_id: row.wa_id,
            text: describe_message(row.kind.as_deref(), row.content.as_ref()),
            kind: row.kind,
            refers_to: row.refers_to,
            state_text: describe_message_state(&row.state, row.reason.as_deref(), row.code),
            state: row.state,
            reason: row.reason,
            code: row.code,
            sent_at: utc(row.sent_at),
            created_at: row.created_at.to_utc(),
            recovered_at: utc(row.recovered_at),
            key: row.key,
            not_before: utc(row.not_before),
            expires_at: utc(row.expires_at),
            delivered_at: utc(row.delivered_at),
            read_at: utc(row.read_at),
            receipts: None,
            source: row.source,
            sent_by: row.sent_by,
            content: row.content,
        }
    }
}

/// The messages of an account: those that came in, those that its owner sent from the phone, and
/// those that were sent or are to be sent from here.
#[utoipa::path(tag = "messages", params(("id" = Uuid, Path), Page), responses((status = 200, body = Messages)))]
#[get("/api/accounts/{id}/messages")]
pub async fn list(state: Data<AppState>, id: Path<Uuid>, page: Parameters<Page>) -> Result<Json<Messages>, Problem> {
    let page = page.0;
    let limit = limit(page.limit)?;
    let after = number("after", page.after)?.unwrap_or(0);
    let before = number("before", page.before)?;
    let chats = match page.chat {
        Some(chat) if is_jid(&chat) => Some(vec![chat]),
        Some(_) => {
            let detail = "chat is not a jid, such as 100000012345678@lid, 436601234567@s.whatsapp.net or 1203630@g.us";
            return Err(Problem::parameter("chat", detail));
        }
        None => None,
    };
    let database = state.database().await?;
    state.query(get_shown_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(*id))?;
    let rows = match (&chats, before) {
        (None, None) => state.query(list_messages().bind(&database, &id, &after, &limit).all()).await?,
        (None, Some(before)) => {
            state.query(list_last_messages().bind(&database, &id, &before, &after, &limit).all()).await?
        }
        (Some(chats), None) => {
            state.query(list_messages_of_chats().bind(&database, chats, &id, &after, &limit).all()).await?
        }
        (Some(chats), Some(before)) => {
            let statement = list_last_messages_of_chats();
            state.query(statement.bind(&database, chats, &id, &before, &after, &limit).all()).await?
        }
    };
    Ok(Json(Messages { messages: rows.into_iter().map(Message::from).collect() }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChatPage {
    /// Only chats whose last message has a lower id.
    #[param(value_type = Option<i64>)]
    before: Option<String>,
    /// At most so many; default 50.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Chats {
    /// That with the newest message first.
    chats: Vec<Chat>,
}

/// A person or a group that messages were exchanged with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Chat {
    /// The `chat` of its messages.
    jid: String,
    /// The person's number, in digits.
    phone: Option<String>,
    /// The group's subject, or the name that the person uses.
    name: Option<String>,
    is_group: bool,
    last_message: Message,
}

impl From<MessageRow> for Chat {
    fn from(row: MessageRow) -> Self {
        let message = Message::from(row);
        Self {
            jid: message.chat.clone(),
            phone: message.chat_phone.clone(),
            name: message.chat_name.clone(),
            is_group: message.chat.ends_with(GROUP_SERVER),
            last_message: message,
        }
    }
}

/// The chats of an account, as far as their messages are kept.
#[utoipa::path(tag = "messages", params(("id" = Uuid, Path), ChatPage), responses((status = 200, body = Chats)))]
#[get("/api/accounts/{id}/chats")]
pub async fn list_chats(
    state: Data<AppState>,
    id: Path<Uuid>,
    page: Parameters<ChatPage>,
) -> Result<Json<Chats>, Problem> {
    let page = page.0;
    let (before, limit) = (number("before", page.before)?.unwrap_or(i64::MAX), limit(page.limit)?);
    let database = state.database().await?;
    state.query(get_shown_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(*id))?;
    let rows = state.query(list_last_messages_by_chat().bind(&database, &id, &before, &limit).all()).await?;
    Ok(Json(Chats { chats: rows.into_iter().map(Chat::from).collect() }))
}

/// One message.
#[utoipa::path(tag = "messages", params(("id" = i64, Path)), responses((status = 200, body = Message)))]
#[get("/api/messages/{id}")]
pub async fn show(state: Data<AppState>, id: Path<i64>) -> Result<Json<Message>, Problem> {
    Ok(Json(shown(&state, *id).await?))
}

/// The message as it is now. It takes another connection from the pool, so release yours first.
pub(super) async fn shown(state: &AppState, id: i64) -> Result<Message, Problem> {
    let database = state.database().await?;
    let row = state.query(get_message().bind(&database, &id).opt()).await?;
    let gone = || {
        let detail = format!("there is no message {id}, or it is no longer kept");
        Problem::new(ProblemCode::MessageUnknown, detail)
    };
    let mut message = Message::from(row.ok_or_else(gone)?);
    if message.direction == MessageDirection::Out.as_str() && message.chat.ends_with(GROUP_SERVER) {
        let receipts = state.query(list_receipts().bind(&database, &id).all()).await?;
        message.receipts = Some(receipts.into_iter().map(MemberReceipt::from).collect());
    }
    Ok(message)
}

/// Whether a chat may have it as its jid: a name, one `@`, and a server.
pub(crate) fn is_jid(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|one| one.is_ascii_graphic() && one != '@');
    text.chars().count() <= JID_MAX_CHARS
        && text.split_once('@').is_some_and(|(user, server)| is_part(user) && is_part(server))
}

fn limit(value: Option<String>) -> Result<i64, Problem> {
    match number("limit", value)?.unwrap_or(PAGE) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(Problem::parameter("limit", format!("limit is 1 to {LARGEST_PAGE}"))),
    }
}

fn number(name: &str, value: Option<String>) -> Result<Option<i64>, Problem> {
    let Some(value) = value else { return Ok(None) };
    value.parse().map(Some).map_err(|_| Problem::parameter(name, format!("{name} is not a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jid_has_a_name_and_a_server() {
        for jid in ["100000012345678@lid", "436601234567@s.whatsapp.net", "120363-0@g.us", "1:2@lid"] {
            assert!(is_jid(jid), "{jid}");
        }
        let long = format!("{}@lid", "1".repeat(200));
        for other in ["", "436601234567", "@lid", "1@", "1@@lid", "1@lid@x", "a b@lid", "a\0@lid", "é@lid", &long] {
            assert!(!is_jid(other), "{other:?}");
        }
    }
}
