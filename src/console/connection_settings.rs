//! An account's proxy, the device name that its phone lists, its presence, and the pace of its
//! messages. Setting the current value again is a no-op.

use actix_web::{
    delete, get, put,
    web::{Data, Json, Path, ReqData},
};
use paird_actors::domain::{AccountId, Presence};
use paird_sql::queries::settings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    account_view::Account,
    accounts::{nobody, shown},
    auth::Caller,
    db::with_timeout,
    json_body::JsonBody,
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::config::device_name;
use crate::credentials::{self, GivenProxy, ProxyError};

/// A proxy. Without user and password, those that were set are removed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewProxy {
    /// `socks5://host:port` or `http://host:port` (CONNECT).
    #[schema(example = "socks5://10.0.0.7:1080", max_length = 2000)]
    url: String,
    /// Requires a password; both may be in the URL instead.
    #[schema(write_only, min_length = 1, max_length = 255)]
    user: Option<String>,
    /// Sealed at once, and never returned.
    #[schema(write_only, min_length = 1, max_length = 255)]
    password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewDeviceName {
    /// 1 to 40 characters, none a control character.
    #[schema(min_length = 1, max_length = 40)]
    device_name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPresence {
    /// `silent`: the account looks as if nothing was linked. `available`: it is online, its
    /// phone does not notify its owner, and what it receives counts as delivered.
    #[schema(example = "silent", pattern = "^(silent|available)$")]
    presence: String,
}

/// How fast an account sends.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pace {
    /// Messages a second.
    #[schema(example = 1.0, minimum = 0.001, maximum = 1000)]
    send_rate: f32,
    /// How many may go at once after a rest.
    #[schema(example = 5, minimum = 1, maximum = 1000)]
    send_burst: i32,
    /// First messages to new chats within 24 hours; null: any number.
    // Null must be said: without it, a body that lacks the field would lift the limit.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(example = 20, required = true, minimum = 0, maximum = 1_000_000)]
    new_chats_per_day: Option<i32>,
}

/// Sets an account's proxy. A connected account reconnects through it at once; others use it
/// from their next connection on.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewProxy,
    responses((status = 200, body = Account)))]
#[put("/api/accounts/{id}/proxy")]
pub async fn set_proxy(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewProxy>,
) -> Result<Json<Account>, Problem> {
    let given = given(&new.0).map_err(|wrong| refusal(&state, wrong, *id))?;
    let database = state.database().await?;
    let set = credentials::set_proxy(&**database, &state.master_key_file, AccountId(*id), &given, caller.source());
    with_timeout(set).await?.map_err(|wrong| refusal(&state, wrong, *id))?;
    drop(database);
    changed(&state, *id).await
}

/// Removes the proxy and its login: the account connects directly. A connected account
/// reconnects at once.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 200, body = Account)))]
#[delete("/api/accounts/{id}/proxy")]
pub async fn forget_proxy(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
) -> Result<Json<Account>, Problem> {
    let database = state.database().await?;
    let forgotten = credentials::forget_proxy(&**database, AccountId(*id), caller.source());
    with_timeout(forgotten).await?.map_err(|wrong| refusal(&state, wrong, *id))?;
    drop(database);
    changed(&state, *id).await
}

/// Sets the name that the phone shows under "Linked devices", from the next pairing on.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewDeviceName,
    responses((status = 200, body = Account)))]
#[put("/api/accounts/{id}/device-name")]
pub async fn set_device_name(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewDeviceName>,
) -> Result<Json<Account>, Problem> {
    let name = device_name(new.0.device_name.trim());
    let name = name.map_err(|wrong| Problem::argument("deviceName", format!("deviceName {wrong}")))?;
    name_device(&state, *caller, *id, Some(&name)).await
}

/// Returns to the daemon's default name, from the next pairing on.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 200, body = Account)))]
#[delete("/api/accounts/{id}/device-name")]
pub async fn forget_device_name(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
) -> Result<Json<Account>, Problem> {
    name_device(&state, *caller, *id, None).await
}

/// Sets whether the account looks online while it is linked. A connected account reconnects
/// at once; others use it from their next connection on.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewPresence,
    responses((status = 200, body = Account)))]
#[put("/api/accounts/{id}/presence")]
pub async fn set_presence(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewPresence>,
) -> Result<Json<Account>, Problem> {
    let presence = Presence::parse(&new.0.presence);
    let presence = presence.ok_or_else(|| Problem::argument("presence", "presence must be silent or available"))?;
    let database = state.database().await?;
    let set =
        state.query(settings::set_presence().bind(&database, &presence.as_str(), &caller.source(), &id).opt()).await?;
    set.ok_or_else(|| nobody(*id))?;
    drop(database);
    changed(&state, *id).await
}

/// How fast the account sends.
#[utoipa::path(tag = "messages", params(("id" = Uuid, Path)), responses((status = 200, body = Pace)))]
#[get("/api/accounts/{id}/pace")]
pub async fn show_pace(state: Data<AppState>, id: Path<Uuid>) -> Result<Json<Pace>, Problem> {
    let database = state.database().await?;
    let row = state.query(settings::get_pace().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(*id))?;
    let settings::GetPace { send_rate, send_burst, new_chats_per_day } = row;
    Ok(Json(Pace { send_rate, send_burst, new_chats_per_day }))
}

/// Sets how fast the account sends, within a second. What it sent lately counts by the new pace.
#[utoipa::path(tag = "messages", params(("id" = Uuid, Path)), request_body = Pace,
    responses((status = 200, body = Pace)))]
#[put("/api/accounts/{id}/pace")]
pub async fn set_pace(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<Pace>,
) -> Result<Json<Pace>, Problem> {
    let Pace { send_rate, send_burst, new_chats_per_day } = &new.0;
    let database = state.database().await?;
    let source = caller.source();
    let statement = settings::set_pace();
    let set = statement.bind(&database, send_rate, send_burst, new_chats_per_day, &source, &id).opt();
    let set = with_timeout(set).await?.map_err(|wrong| pace_refusal(&state, &wrong))?;
    set.ok_or_else(|| nobody(*id))?;
    Ok(Json(new.0))
}

async fn name_device(state: &AppState, caller: Caller, id: Uuid, name: Option<&str>) -> Result<Json<Account>, Problem> {
    let database = state.database().await?;
    state
        .query(settings::set_device_name().bind(&database, &name, &caller.source(), &id).opt())
        .await?
        .ok_or_else(|| nobody(id))?;
    drop(database);
    changed(state, id).await
}

async fn changed(state: &AppState, id: Uuid) -> Result<Json<Account>, Problem> {
    state.supervisor.wake();
    state.feed.wake();
    Ok(Json(shown(state, id).await?))
}

fn given(new: &NewProxy) -> Result<GivenProxy, ProxyError> {
    let given = GivenProxy::parse(&new.url)?;
    match (&new.user, &new.password) {
        (None, None) => Ok(given),
        (user, password) => {
            given.with_login(user.as_deref().unwrap_or_default(), password.as_deref().unwrap_or_default())
        }
    }
}

fn refusal(state: &AppState, wrong: ProxyError, account: Uuid) -> Problem {
    match wrong {
        ProxyError::Address(_) | ProxyError::TwoLogins => Problem::argument("url", wrong.to_string()),
        ProxyError::Login => Problem::argument("password", wrong.to_string()),
        ProxyError::NoAccount => nobody(account),
        ProxyError::Database(wrong) => state.problem_of(&wrong),
        ProxyError::KeyFile(_) | ProxyError::NoFile(_) | ProxyError::Seal(_) => {
            Problem::new(ProblemCode::KeysUnavailable, wrong.to_string())
        }
    }
}

/// The limits are the database's, whose constraints are called after the columns.
fn pace_refusal(state: &AppState, wrong: &tokio_postgres::Error) -> Problem {
    let broken = wrong.as_db_error().map_or("", tokio_postgres::error::DbError::message);
    let fields =
        [("send_rate_is", "sendRate"), ("send_burst_is", "sendBurst"), ("new_chats_per_day_is", "newChatsPerDay")];
    let problem = state.problem_of(wrong);
    match fields.iter().find(|(constraint, _)| broken.contains(constraint)) {
        Some((_, field)) => problem.field(field),
        None => problem,
    }
}
