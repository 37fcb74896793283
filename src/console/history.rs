//! An account's events, audit log and groups.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use chrono::{DateTime, Utc};
use deadpool_postgres::Object;
use paird_actors::domain::{Tone, describe_action, describe_event, reason_text};
use paird_sql::{
    client::Params as _,
    queries::console::{
        FeedEvent, ListAccountAuditParams, find_account, get_shown_account, list_account_audit, list_account_events,
        list_account_groups, list_last_account_events,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    accounts::nobody,
    history_page::{LARGEST_PAGE, PAGE},
    parameters::Parameters,
    problem::Problem,
    state::AppState,
    vocabulary,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Span {
    /// Only events with a higher seq.
    after: Option<i64>,
    /// Only events with a lower seq, and of these the last ones: one that no seq reaches
    /// gives the newest.
    before: Option<i64>,
    /// At most so many; default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Before {
    /// Only records with a lower id.
    before: Option<i64>,
    /// At most so many; default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct Events {
    /// By seq, which has no gaps; always the older ones first.
    events: Vec<EventRecord>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub(super) struct EventRecord {
    id: i64,
    account_id: Uuid,
    seq: i64,
    #[serde(rename = "type")]
    #[schema(schema_with = vocabulary::event_kind)]
    kind: String,
    created_at: DateTime<Utc>,
    #[schema(value_type = Object)]
    payload: Value,
    /// The payload's `reason`, if it has one, as a sentence for people without its full stop.
    reason_text: Option<String>,
    /// The event as a sentence for people, without its full stop.
    event_text: String,
    #[schema(schema_with = vocabulary::tone)]
    tone: Tone,
}

#[derive(Serialize, ToSchema)]
struct Audit {
    /// Newest first.
    records: Vec<AuditRecord>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditRecord {
    id: i64,
    operator_id: Option<Uuid>,
    /// `whatsapp_account`, `daemon`, or what else it was done to.
    target_type: String,
    /// The account, or the process of the daemon.
    target_id: Option<Uuid>,
    /// The source that the sender claims to be.
    source: String,
    /// The login that the database knows the sender by; null on records of older versions.
    sent_by: Option<String>,
    /// The channel: command, notify, row, http, cli or daemon; null on records of older versions.
    channel: Option<String>,
    #[schema(schema_with = vocabulary::audit_action)]
    action: String,
    /// The action and its source, as a sentence for people, without its full stop.
    action_text: String,
    #[schema(value_type = Object)]
    payload: Value,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Group {
    jid: String,
    subject: String,
    participants: i32,
    is_admin: bool,
    synced_at: DateTime<Utc>,
}

impl From<FeedEvent> for EventRecord {
    fn from(row: FeedEvent) -> Self {
        let (event_text, tone) = describe_event(&row.kind, &row.payload);
        Self {
            id: row.id,
            account_id: row.account_id,
            seq: row.seq,
            kind: row.kind,
            created_at: row.created_at.to_utc(),
            reason_text: reason_text(&row.payload),
            event_text,
            tone,
            payload: row.payload,
        }
    }
}

impl From<paird_sql::queries::console::AuditRecord> for AuditRecord {
    fn from(row: paird_sql::queries::console::AuditRecord) -> Self {
        Self {
            id: row.id,
            operator_id: row.operator_id,
            target_type: row.target_type,
            target_id: row.target_id,
            action_text: describe_action(&row.action, &row.source),
            source: row.source,
            sent_by: row.sent_by,
            channel: row.channel,
            action: row.action,
            payload: row.payload,
            created_at: row.created_at.to_utc(),
        }
    }
}

/// The events of an account, also of a deleted one.
#[utoipa::path(tag = "history", params(("id" = Uuid, Path), Span), responses((status = 200, body = Events)))]
#[get("/api/accounts/{id}/events")]
pub async fn events(state: Data<AppState>, id: Path<Uuid>, page: Parameters<Span>) -> Result<Json<Events>, Problem> {
    let limit = limit(page.0.limit)?;
    let database = existing(&state, *id).await?;
    let after = page.0.after.unwrap_or(0);
    let rows = match page.0.before {
        None => state.query(list_account_events().bind(&database, &id, &after, &limit).all()).await?,
        Some(before) => {
            state.query(list_last_account_events().bind(&database, &id, &after, &before, &limit).all()).await?
        }
    };
    Ok(Json(Events { events: rows.into_iter().map(EventRecord::from).collect() }))
}

/// The audit log of an account, which may be a deleted one.
#[utoipa::path(tag = "history", params(("id" = Uuid, Path), Before), responses((status = 200, body = Audit)))]
#[get("/api/accounts/{id}/audit")]
pub async fn audit(state: Data<AppState>, id: Path<Uuid>, page: Parameters<Before>) -> Result<Json<Audit>, Problem> {
    let limit = limit(page.0.limit)?;
    let database = existing(&state, *id).await?;
    let kinds: &[&str] = &[];
    let wanted =
        ListAccountAuditParams { account: *id, before: page.0.before, kinds, earliest: None, latest: None, limit };
    let rows = state.query(list_account_audit().params(&database, &wanted).all()).await?;
    Ok(Json(Audit { records: rows.into_iter().map(AuditRecord::from).collect() }))
}

/// The groups of an account, as they were when they were last fetched.
#[utoipa::path(tag = "accounts", params(("id" = Uuid, Path)), responses((status = 200, body = Groups)))]
#[get("/api/accounts/{id}/groups")]
pub async fn groups(state: Data<AppState>, id: Path<Uuid>) -> Result<Json<Groups>, Problem> {
    let database = state.database().await?;
    state.query(get_shown_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(*id))?;
    let rows = state.query(list_account_groups().bind(&database, &id).all()).await?;
    let told = |row: paird_sql::queries::console::ListAccountGroups| Group {
        jid: row.jid,
        subject: row.subject,
        participants: row.participants,
        is_admin: row.is_admin,
        synced_at: row.synced_at.to_utc(),
    };
    Ok(Json(Groups { groups: rows.into_iter().map(told).collect() }))
}

async fn existing(state: &AppState, id: Uuid) -> Result<Object, Problem> {
    let database = state.database().await?;
    state.query(find_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(id))?;
    Ok(database)
}

fn limit(wanted: Option<i64>) -> Result<i64, Problem> {
    match wanted.unwrap_or(PAGE) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(Problem::parameter("limit", format!("limit is 1 to {LARGEST_PAGE}"))),
    }
}
