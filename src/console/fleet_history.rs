//! Events, audit log and commands of all accounts, the newest first.

use actix_web::{
    HttpRequest, get,
    web::{Data, Json},
};
use paird_actors::domain::{AuditAction, CommandKind, EventKind};
use paird_sql::{
    client::Params as _,
    queries::console::{
        ListAccountAuditParams, ListAccountCommandsParams, ListFleetAuditParams, ListFleetCommandsParams,
        ListFleetEventsParams, ListNewestAccountEventsParams, list_account_audit, list_account_commands,
        list_fleet_audit, list_fleet_commands, list_fleet_events, list_newest_account_events,
    },
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    commands::CommandEnd,
    history::{AuditRecord, EventRecord},
    history_page::{HistoryPage, ListWords, Page, Place, known_words},
    problem::Problem,
    state::AppState,
    vocabulary,
};

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `Page::of` reads")]
pub struct EventKinds {
    /// Only events of these types: repeated, or with commas between them.
    #[param(schema_with = vocabulary::event_kinds, required = false)]
    kind: Vec<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `Page::of` reads")]
struct AuditActions {
    /// Only records of these actions: repeated, or with commas between them.
    #[param(schema_with = vocabulary::audit_actions, required = false)]
    action: Vec<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `Page::of` reads")]
struct CommandWords {
    /// Only commands of these kinds: repeated, or with commas between them.
    #[param(schema_with = vocabulary::command_kinds, required = false)]
    kind: Vec<String>,
    /// Only commands in these states: repeated, or with commas between them.
    #[param(schema_with = vocabulary::command_states, required = false)]
    state: Vec<String>,
}

const EVENTS: ListWords = ListWords {
    list: "events",
    kind: "kind",
    kinds: |value| known_words("kind", value, EventKind::ALL, EventKind::as_str),
    has_states: false,
};
const AUDIT: ListWords = ListWords {
    list: "audit",
    kind: "action",
    kinds: |value| known_words("action", value, AuditAction::ALL, AuditAction::as_str),
    has_states: false,
};
const COMMANDS: ListWords = ListWords {
    list: "commands",
    kind: "kind",
    kinds: |value| known_words("kind", value, CommandKind::ALL, CommandKind::as_str),
    has_states: true,
};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The newest first.
    events: Vec<EventRecord>,
    /// The `cursor` of the next page, of older ones; null if there are none. What comes meanwhile shifts
    /// nothing: no event is missed or comes twice.
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditPage {
    /// The newest first.
    records: Vec<AuditRecord>,
    /// The `cursor` of the next page, of older ones; null if there are none. What comes meanwhile shifts
    /// nothing: no record is missed or comes twice.
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CommandPage {
    /// The newest first.
    commands: Vec<CommandEnd>,
    /// The `cursor` of the next page, of older ones; null if there are none. What comes meanwhile shifts
    /// nothing: no command is missed or comes twice.
    next_cursor: Option<String>,
}

/// The page of events that a request asks for. Its route is the live stream's, for clients that accept JSON.
pub async fn events(state: &AppState, request: &HttpRequest) -> Result<EventPage, Problem> {
    let page = Page::of(state, request, &EVENTS).await?;
    let database = state.database().await?;
    let Page { account, kinds, earliest, latest, .. } = &page;
    let (limit, (before_at, before_id)) = (page.most(), page.before());
    let mut rows = if let Some(account) = *account {
        let (earliest, latest, before) = (*earliest, *latest, page.before_number());
        let wanted = ListNewestAccountEventsParams { account, before, kinds, earliest, latest, limit };
        state.query(list_newest_account_events().params(&database, &wanted).all()).await?
    } else {
        let wanted = ListFleetEventsParams { kinds, earliest: *earliest, before_at, before_id, limit };
        state.query(list_fleet_events().params(&database, &wanted).all()).await?
    };
    let next_cursor = page.cut(&mut rows, |row| Place {
        at: row.created_at.to_utc(),
        number: if account.is_some() { row.seq } else { row.id },
    });
    Ok(EventPage { events: rows.into_iter().map(EventRecord::from).collect(), next_cursor })
}

/// The audit log: what was done to all accounts, and to the daemons.
#[utoipa::path(tag = "history", params(AuditActions, HistoryPage), responses((status = 200, body = AuditPage)))]
#[get("/api/audit")]
pub async fn audit(state: Data<AppState>, request: HttpRequest) -> Result<Json<AuditPage>, Problem> {
    let page = Page::of(&state, &request, &AUDIT).await?;
    let database = state.database().await?;
    let Page { account, kinds, earliest, latest, .. } = &page;
    let (limit, (before_at, before_id)) = (page.most(), page.before());
    let mut rows = if let Some(account) = *account {
        let (earliest, latest, before) = (*earliest, *latest, page.before_number());
        let wanted = ListAccountAuditParams { account, before, kinds, earliest, latest, limit };
        state.query(list_account_audit().params(&database, &wanted).all()).await?
    } else {
        let wanted = ListFleetAuditParams { kinds, earliest: *earliest, before_at, before_id, limit };
        state.query(list_fleet_audit().params(&database, &wanted).all()).await?
    };
    let next_cursor = page.cut(&mut rows, |row| Place { at: row.created_at.to_utc(), number: row.id });
    Ok(Json(AuditPage { records: rows.into_iter().map(AuditRecord::from).collect(), next_cursor }))
}

/// The commands of all accounts, whoever sent them, as long as they are kept.
#[utoipa::path(tag = "commands", params(CommandWords, HistoryPage), responses((status = 200, body = CommandPage)))]
#[get("/api/commands")]
pub async fn commands(state: Data<AppState>, request: HttpRequest) -> Result<Json<CommandPage>, Problem> {
    let page = Page::of(&state, &request, &COMMANDS).await?;
    let database = state.database().await?;
    let Page { account, kinds, states, earliest, latest, .. } = &page;
    let (limit, (before_at, before_id)) = (page.most(), page.before());
    let mut rows = if let Some(account) = *account {
        let (earliest, latest, before) = (*earliest, *latest, page.before_number());
        let wanted = ListAccountCommandsParams { account, before, kinds, states, earliest, latest, limit };
        state.query(list_account_commands().params(&database, &wanted).all()).await?
    } else {
        let wanted = ListFleetCommandsParams { kinds, earliest: *earliest, before_at, before_id, states, limit };
        state.query(list_fleet_commands().params(&database, &wanted).all()).await?
    };
    let next_cursor = page.cut(&mut rows, |row| Place { at: row.created_at.to_utc(), number: row.id });
    Ok(Json(CommandPage { commands: rows.into_iter().map(CommandEnd::from).collect(), next_cursor }))
}
