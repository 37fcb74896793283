//! Messages on their way out: queued, and cancelled while they are.

use actix_web::{
    HttpRequest, HttpResponse, delete, post,
    web::{Data, Json, Path, ReqData},
};
use chrono::{DateTime, FixedOffset, Utc};
use paird_actors::domain::MessageState;
use paird_sql::{
    client::Params as _,
    queries::{
        console::get_shown_account,
        sending::{QueueMessageParams, cancel_queued_message, queue_message},
    },
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    accounts::nobody,
    auth::Caller,
    commands::{idempotency_key, key_taken},
    db::with_timeout,
    json_body::JsonBody,
    messages::{self, Message},
    problem::{Problem, ProblemCode},
    state::AppState,
    vocabulary,
};
use crate::postgres::send_refusal::SendRefusal;

/// A text has at most 65,536 characters, each of which JSON may write with twelve.
const LARGEST_BODY: usize = 1024 * 1024;
/// An account sends a message a second, unless it is set otherwise.
const QUEUE_RETRY_S: u32 = 10;
const NOT_BEFORE: &str = "notBefore";
const EXPIRES_AT: &str = "expiresAt";

/// The content of a message, and when it is to be sent. The database decides whether it is one.
#[derive(Deserialize)]
struct MessageBody(Map<String, Value>);

/// A message as it is sent. Of `text`, `reaction`, `edit`, `revoke` and `location` it has the one
/// that `type` names.
#[derive(ToSchema)]
#[schema(as = NewMessage)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewMessage {
    /// A phone number with its country code, as people write it, or the jid of a person or group.
    #[schema(max_length = 100, example = "+43 660 1234567")]
    to: String,
    #[serde(rename = "type")]
    #[schema(schema_with = vocabulary::sendable_kind)]
    kind: String,
    text: Option<NewText>,
    reaction: Option<NewReaction>,
    edit: Option<NewEdit>,
    revoke: Option<NewRevoke>,
    location: Option<NewLocation>,
    /// The id of the message of the same chat that a text or a location answers.
    reply_to: Option<i64>,
    /// It is sent then at the earliest.
    not_before: Option<DateTime<Utc>>,
    /// It is given up then.
    expires_at: Option<DateTime<Utc>>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewText {
    #[schema(min_length = 1, max_length = 65536)]
    body: String,
    /// Phone numbers of members of the group.
    #[schema(max_items = 1000)]
    mentions: Option<Vec<String>>,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewReaction {
    message_id: i64,
    /// An empty one takes the reaction back.
    #[schema(max_length = 64)]
    emoji: String,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewEdit {
    /// A text of this account.
    message_id: i64,
    #[schema(min_length = 1, max_length = 65536)]
    body: String,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewRevoke {
    /// A message of this account.
    message_id: i64,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the database reads the body; this describes it")]
struct NewLocation {
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
    #[schema(max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 200)]
    address: Option<String>,
}

/// Queues a message. It is a row as soon as this answers: it is sent even if no daemon runs now.
#[utoipa::path(tag = "messages", request_body = NewMessage,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header,
            description = "The same key again for the same account is the same message", max_length = 200)),
    responses((status = 202, body = Message, headers(("Location" = String, description = "The message, and how far it is")))))]
#[post("/api/accounts/{id}/messages")]
pub async fn send(
    state: Data<AppState>,
    request: HttpRequest,
    caller: ReqData<Caller>,
    account: Path<Uuid>,
    body: JsonBody<MessageBody, LARGEST_BODY>,
) -> Result<HttpResponse, Problem> {
    check_sends(&state, *caller)?;
    let (account, MessageBody(mut content)) = (*account, body.0);
    let (not_before, expires_at) = (time(&mut content, NOT_BEFORE)?, time(&mut content, EXPIRES_AT)?);
    let (content, key) = (Value::Object(content), idempotency_key(&request)?);
    let database = state.database().await?;
    state.query(get_shown_account().bind(&database, &account).opt()).await?.ok_or_else(|| nobody(account))?;
    let source = caller.source();
    let row = QueueMessageParams { account, content: &content, key, not_before, expires_at, source };
    let id = match with_timeout(queue_message().params(&database, &row).one()).await? {
        Ok(id) => id,
        Err(wrong) => {
            return Err(match SendRefusal::of(&wrong) {
                Some(refusal) => problem_of(refusal, account),
                None => state.problem_of(&wrong),
            });
        }
    };
    drop(database);
    let message = messages::shown(&state, id).await?;
    Ok(HttpResponse::Accepted().insert_header(("Location", format!("/api/messages/{id}"))).json(message))
}

/// Cancels a message that is still queued. One that a connection has taken is not cancelled: 409,
/// with its state.
#[utoipa::path(tag = "messages", params(("id" = i64, Path)), responses((status = 200, body = Message)))]
#[delete("/api/messages/{id}")]
pub async fn cancel(state: Data<AppState>, caller: ReqData<Caller>, id: Path<i64>) -> Result<Json<Message>, Problem> {
    check_sends(&state, *caller)?;
    let database = state.database().await?;
    state.query(cancel_queued_message().bind(&database, &id).one()).await?;
    drop(database);
    let message = messages::shown(&state, *id).await?;
    if message.state == MessageState::Cancelled.as_str() {
        return Ok(Json(message));
    }
    let detail = format!("only a queued message can be cancelled, and message {id} is {}", message.state);
    Err(Problem::new(ProblemCode::MessageNotQueued, detail))
}

fn check_sends(state: &AppState, caller: Caller) -> Result<(), Problem> {
    if caller == Caller::Cookie && !state.pages_send {
        let detail = "messages are only read in this console: PAIRD_CONSOLE_MESSAGES is read";
        return Err(Problem::new(ProblemCode::SendingDisabled, detail));
    }
    Ok(())
}

fn problem_of(refusal: SendRefusal, account: Uuid) -> Problem {
    match refusal {
        SendRefusal::Form { field, trouble } => {
            let field = match field.as_str() {
                "not_before" => NOT_BEFORE,
                "expires_at" => EXPIRES_AT,
                field => field,
            };
            Problem::argument(field, format!("{field}: {}", trouble.replace("not_before", NOT_BEFORE)))
        }
        SendRefusal::NoAccount => nobody(account),
        SendRefusal::KeyTaken => key_taken("another message of the account has this key already"),
        SendRefusal::QueueFull { words } => Problem::new(ProblemCode::QueueFull, words).retry_after(QUEUE_RETRY_S),
    }
}

/// Takes a point in time out of the body: it is not a part of the content.
fn time(body: &mut Map<String, Value>, name: &str) -> Result<Option<DateTime<FixedOffset>>, Problem> {
    let text = match body.remove(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => String::new(),
    };
    let detail = format!("{name}: must be a point in time, such as 2026-12-31T23:59:59Z");
    let wrong = |_| Problem::argument(name, detail);
    DateTime::parse_from_rfc3339(&text).map(Some).map_err(wrong)
}
