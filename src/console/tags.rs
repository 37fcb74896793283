//! An account's tags, and the number that it is for.

use actix_web::{
    delete, patch, put,
    web::{Data, Json, Path, ReqData},
};
use paird_actors::domain::Phone;
use paird_sql::queries::settings;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    account_view::Account,
    accounts::{nobody, shown},
    auth::Caller,
    json_body::JsonBody,
    problem::Problem,
    state::AppState,
};
use crate::tags::{TagError, checked_tag, checked_tags};

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewTags {
    /// All tags of the account, in the order in which they are shown. Each has 1 to 40 characters, no
    /// commas and no control characters; upper and lower case are the same.
    #[schema(max_items = 20)]
    tags: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TagChange {
    /// What is there already stays as it is.
    #[serde(default)]
    #[schema(max_items = 20)]
    add: Vec<String>,
    /// Removed first. What is not there is no error.
    #[serde(default)]
    remove: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewDesiredPhone {
    /// As people write it, with its country code.
    #[schema(example = "+43 660 1234567", max_length = 100)]
    desired_phone: String,
}

/// Sets the tags of an account.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewTags,
    responses((status = 200, body = Account)))]
#[put("/api/accounts/{id}/tags")]
pub async fn set_tags(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewTags>,
) -> Result<Json<Account>, Problem> {
    let tags = checked_tags(new.0.tags.iter().map(String::as_str)).map_err(|wrong| refusal("tags", &wrong))?;
    let database = state.database().await?;
    let set = state.query(settings::set_tags().bind(&database, &tags, &caller.source(), &id).opt()).await?;
    set.ok_or_else(|| nobody(*id))?;
    drop(database);
    changed(&state, *id).await
}

/// Adds tags to those of an account, and removes some. Two such requests at once are both carried out.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = TagChange,
    responses((status = 200, body = Account)))]
#[patch("/api/accounts/{id}/tags")]
pub async fn change_tags(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<TagChange>,
) -> Result<Json<Account>, Problem> {
    let added = checked_tags(new.0.add.iter().map(String::as_str)).map_err(|wrong| refusal("add", &wrong))?;
    let removed: Vec<&str> = new
        .0
        .remove
        .iter()
        .map(|tag| checked_tag(tag))
        .collect::<Result<_, _>>()
        .map_err(|wrong| refusal("remove", &wrong))?;
    let database = state.database().await?;
    let source = caller.source();
    let set = state.query(settings::change_tags().bind(&database, &added, &removed, &source, &id).opt()).await?;
    set.ok_or_else(|| nobody(*id))?;
    drop(database);
    changed(&state, *id).await
}

/// Sets the only number that may be linked, unless `account.pair` names one. A link that there is stays.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), request_body = NewDesiredPhone,
    responses((status = 200, body = Account)))]
#[put("/api/accounts/{id}/desired-phone")]
pub async fn desire_phone(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
    new: JsonBody<NewDesiredPhone>,
) -> Result<Json<Account>, Problem> {
    let phone = Phone::parse(&new.0.desired_phone);
    let phone = phone.map_err(|wrong| Problem::argument("desiredPhone", format!("desiredPhone: {wrong}")))?;
    set_desired_phone(&state, *caller, *id, Some(phone.digits())).await
}

/// From the next attempt on any number may be linked.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 200, body = Account)))]
#[delete("/api/accounts/{id}/desired-phone")]
pub async fn forget_desired_phone(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    id: Path<Uuid>,
) -> Result<Json<Account>, Problem> {
    set_desired_phone(&state, *caller, *id, None).await
}

async fn set_desired_phone(
    state: &AppState,
    caller: Caller,
    id: Uuid,
    phone: Option<&str>,
) -> Result<Json<Account>, Problem> {
    let database = state.database().await?;
    let set = state.query(settings::set_desired_phone().bind(&database, &phone, &caller.source(), &id).opt()).await?;
    set.ok_or_else(|| nobody(id))?;
    drop(database);
    changed(state, id).await
}

async fn changed(state: &AppState, id: Uuid) -> Result<Json<Account>, Problem> {
    state.feed.wake();
    Ok(Json(shown(state, id).await?))
}

fn refusal(field: &str, wrong: &TagError) -> Problem {
    Problem::argument(field, format!("{field}: {wrong}"))
}
