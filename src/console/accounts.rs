//! Routes that show, add and rename an account.

use actix_web::{
    HttpRequest, HttpResponse, get, patch, post,
    web::{Data, Json, Path, ReqData},
};
use paird_actors::domain::OperatorId;
use paird_sql::queries::console::{add_account, get_account_of_key, get_pair_code, get_shown_account, rename_account};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    account_view::Account,
    auth::Caller,
    commands::{idempotency_key, key_deleted, key_taken},
    json_body::JsonBody,
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::{idempotency::id_of_parts, label::checked_label};

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewAccount {
    /// 1 to 200 characters, one of them visible, none a control character.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    label: String,
    /// The operator it belongs to; if absent, the default operator.
    operator_id: Option<Uuid>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewLabel {
    /// 1 to 200 characters, one of them visible, none a control character.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    label: String,
}

/// Adds an account, which is unpaired at first.
#[utoipa::path(tag = "accounts", request_body = NewAccount,
    params(("Idempotency-Key" = Option<String>, Header,
            description = "The same key again is the same account, as long as its row is kept", max_length = 200)),
    responses(
    (status = 201, body = Account, headers(("Location" = String, description = "Where it is")))
))]
#[post("/api/accounts")]
pub async fn add(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    request: HttpRequest,
    new: JsonBody<NewAccount>,
) -> Result<HttpResponse, Problem> {
    let label = checked(&new.0.label)?;
    let operator = new.0.operator_id.unwrap_or(OperatorId::DEFAULT.0);
    let id = idempotency_key(&request)?.map_or_else(Uuid::new_v4, id_of_key);
    let database = state.database().await?;
    let added = state.query(add_account().bind(&database, &id, &operator, &label, &caller.source()).opt()).await?;
    if added.is_none() {
        let former = state.query(get_account_of_key().bind(&database, &id).opt()).await?;
        if former.as_ref().is_some_and(|former| former.is_deleted) {
            return Err(key_deleted("the account with this key was deleted"));
        }
        if former.is_none_or(|former| (former.operator_id, former.label.as_str()) != (operator, label)) {
            return Err(key_taken("another account has this key already"));
        }
    }
    drop(database);
    state.feed.wake();
    let account = shown(&state, id).await?;
    Ok(HttpResponse::Created().insert_header(("Location", format!("/api/accounts/{id}"))).json(account))
}

/// Shows one account, with its pair code while there is one to type.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 200, body = Account)))]
#[get("/api/accounts/{id}")]
pub async fn show(state: Data<AppState>, id: Path<Uuid>) -> Result<Json<Account>, Problem> {
    Ok(Json(shown(&state, *id).await?))
}

/// Renames an account. Its position in lists does not change.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewLabel,
    responses((status = 200, body = Account)))]
#[patch("/api/accounts/{id}")]
pub async fn rename(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewLabel>,
) -> Result<Json<Account>, Problem> {
    let label = checked(&new.0.label)?;
    let database = state.database().await?;
    state
        .query(rename_account().bind(&database, &label, &caller.source(), &id).opt())
        .await?
        .ok_or_else(|| nobody(*id))?;
    drop(database);
    state.feed.wake();
    Ok(Json(shown(&state, *id).await?))
}

/// The account as it is now, which is the answer of every route that changes one. It takes
/// another connection from the pool, so release yours first.
pub async fn shown(state: &AppState, id: Uuid) -> Result<Account, Problem> {
    let database = state.database().await?;
    let row = state.query(get_shown_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(id))?;
    let mut account = Account::from(row);
    if account.is_pending() {
        account.pair_code = state.query(get_pair_code().bind(&database, &id).opt()).await?.flatten();
    }
    Ok(account)
}

/// The problem of a route below an account that does not exist.
pub fn nobody(id: Uuid) -> Problem {
    Problem::new(ProblemCode::AccountUnknown, format!("there is no account {id}, or it was deleted"))
}

fn id_of_key(key: &str) -> Uuid {
    id_of_parts(&[b"paird idempotency key of an account\0", key.as_bytes()])
}

fn checked(label: &str) -> Result<&str, Problem> {
    checked_label(label).map_err(|wrong| Problem::argument("label", format!("label {wrong}")))
}
