//! Commands: sent, and waited for.

use std::time::Duration;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, get, post,
    web::{Data, Json, Path},
};
use chrono::{DateTime, Utc};
use paird_actors::domain::{Command, CommandError};
use paird_sql::{
    client::Params as _,
    queries::console::{SendConsoleCommandParams, ShownCommand, get_command, get_shown_account, send_console_command},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    account_view::utc,
    accounts::nobody,
    auth::Caller,
    db::with_timeout,
    json_body::JsonBody,
    parameters::Parameters,
    problem::{Problem, ProblemCode},
    state::AppState,
    vocabulary,
};

pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const KEY_MAX_BYTES: usize = 200;
const LONGEST_WAIT: u64 = 30;
/// Interval at which a command is polled while a request waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A command as it is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCommand {
    #[schema(schema_with = vocabulary::command_kind)]
    kind: String,
    /// The arguments of the kind; any other argument is a 422 that names it.
    #[schema(value_type = Option<Object>)]
    args: Option<Value>,
}

#[derive(Serialize, ToSchema)]
struct Accepted {
    id: i64,
    #[schema(schema_with = vocabulary::command_state)]
    state: String,
}

/// A command and what came of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommandEnd {
    id: i64,
    account_id: Option<Uuid>,
    #[schema(schema_with = vocabulary::kind_as_sent)]
    kind: String,
    #[schema(schema_with = vocabulary::command_state)]
    state: String,
    /// In words, once it is done or failed.
    result: Option<String>,
    /// Who sent it says he was this.
    source: String,
    /// The database login that sent it.
    sent_by: Option<String>,
    created_at: DateTime<Utc>,
    /// When a daemon took it, for the last time.
    started_at: Option<DateTime<Utc>>,
    done_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitQuery {
    /// Seconds to wait for its end, at most 30.
    #[param(minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

/// Sends a command to an account. It is a row as soon as this answers: it is done even if
/// no daemon runs now.
#[utoipa::path(tag = "commands", request_body = NewCommand,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header,
            description = "The same key again for the same account is the same command", max_length = 200)),
    responses((status = 202, body = Accepted, headers(("Location" = String, description = "The command, with its outcome")))))]
#[post("/api/accounts/{id}/commands")]
pub async fn send(
    state: Data<AppState>,
    request: HttpRequest,
    account: Path<Uuid>,
    new: JsonBody<NewCommand>,
) -> Result<HttpResponse, Problem> {
    let (account, NewCommand { kind, args }) = (*account, new.0);
    let args = args.unwrap_or_else(|| json!({}));
    Command::parse(&kind, &args).map_err(|wrong| refusal(&wrong))?;
    let dedupe_key = idempotency_key(&request)?;
    let source = request.extensions().get::<Caller>().copied().unwrap_or(Caller::Token).source();

    let database = state.database().await?;
    state.query(get_shown_account().bind(&database, &account).opt()).await?.ok_or_else(|| nobody(account))?;
    let row = SendConsoleCommandParams { kind: kind.as_str(), account, args: &args, dedupe_key, source };
    let id = match with_timeout(send_console_command().params(&database, &row).one()).await? {
        Ok(id) => id,
        Err(wrong) if wrong.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            return Err(key_taken("another command of the account has this key already"));
        }
        // What the database reads more strictly: digits of another script.
        Err(wrong) if wrong.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => {
            let words = wrong.as_db_error().map_or("args", tokio_postgres::error::DbError::message);
            let field = words.split_once(": ").map_or("args", |(field, _)| field);
            return Err(Problem::argument(field, format!("{kind}: {}", words.trim_start_matches("args."))));
        }
        Err(wrong) => return Err(state.problem_of(&wrong)),
    };
    let stored = state.query(get_command().bind(&database, &id).one()).await?;
    state.supervisor.wake();
    let accepted = Accepted { id, state: stored.state };
    Ok(HttpResponse::Accepted().insert_header(("Location", format!("/api/commands/{id}"))).json(accepted))
}

/// Shows a command; with `wait`, as soon as it has ended.
#[utoipa::path(tag = "commands", params(("id" = i64, Path), WaitQuery), responses((status = 200, body = CommandEnd)))]
#[get("/api/commands/{id}")]
pub async fn show(
    state: Data<AppState>,
    id: Path<i64>,
    query: Parameters<WaitQuery>,
) -> Result<Json<CommandEnd>, Problem> {
    let wait = query.0.wait.unwrap_or(0);
    if wait > LONGEST_WAIT {
        return Err(Problem::parameter("wait", format!("wait is at most {LONGEST_WAIT} seconds")));
    }
    let deadline = Instant::now() + Duration::from_secs(wait);
    loop {
        // Not held while waiting: the pool is small.
        let row = {
            let database = state.database().await?;
            state.query(get_command().bind(&database, &id).opt()).await?
        };
        let row = row.ok_or_else(|| Problem::new(ProblemCode::CommandUnknown, format!("there is no command {id}")))?;
        let is_over = row.done_at.is_some() || Instant::now() >= deadline || state.ending.is_cancelled();
        if is_over {
            return Ok(Json(row.into()));
        }
        let look = tokio::time::sleep(LOOK_EVERY);
        let _ = state.ending.run_until_cancelled(look).await;
    }
}

/// The key that a request names itself with, so that it may be sent again.
pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > KEY_MAX_BYTES {
        let detail = format!("{IDEMPOTENCY_KEY} is not 1 to {KEY_MAX_BYTES} visible ASCII characters");
        return Err(Problem::new(ProblemCode::HeaderInvalid, detail).field(IDEMPOTENCY_KEY));
    }
    Ok(Some(key))
}

/// The problem of a key that came with another body before.
pub(super) fn key_taken(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::KeyTaken, format!("{IDEMPOTENCY_KEY}: {words}")).field(IDEMPOTENCY_KEY)
}

/// The problem of a key whose account was deleted.
pub(super) fn key_deleted(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::AccountDeleted, format!("{IDEMPOTENCY_KEY}: {words}")).field(IDEMPOTENCY_KEY)
}

fn refusal(wrong: &CommandError) -> Problem {
    if let CommandError::UnknownKind(_) = wrong {
        return Problem::new(ProblemCode::KindUnknown, wrong.to_string()).field("kind");
    }
    let field = wrong.argument().map_or_else(|| "args".to_owned(), |name| format!("args.{name}"));
    if let CommandError::UnknownArgument { .. } = wrong {
        return Problem::new(ProblemCode::ArgumentUnknown, wrong.to_string()).field(&field);
    }
    Problem::argument(&field, wrong.to_string())
}

impl From<ShownCommand> for CommandEnd {
    fn from(row: ShownCommand) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            kind: row.kind,
            state: row.state,
            result: row.result,
            source: row.source,
            sent_by: row.sent_by,
            started_at: utc(row.started_at),
            created_at: row.created_at.to_utc(),
            done_at: utc(row.done_at),
        }
    }
}
