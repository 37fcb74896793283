//! The state of all daemons and queues.

use std::collections::BTreeMap;

use actix_web::{
    get,
    web::{Data, Json},
};
use chrono::{DateTime, Utc};
use paird_sql::queries::console::{count_accounts_by_status, list_daemons, measure_queues};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{problem::Problem, state::AppState};
use crate::metrics::{SAMPLE_EVERY, Sample};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Fleet {
    /// Number of accounts that are not deleted, by status; without statuses that none has.
    by_status: BTreeMap<String, i64>,
    /// Those whose lease is live.
    daemons: Vec<Daemon>,
    /// Linked devices that are still to be removed from a phone.
    open_tickets: i64,
    queued_commands: i64,
    oldest_queued_command_age_ms: Option<i64>,
    /// Events that were not sent on the event channel yet.
    unsent_events: i64,
    /// Whether sessions of the console's pages send messages; the token always does.
    pages_send_messages: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Daemon {
    id: Uuid,
    host: String,
    pid: i32,
    version: String,
    started_at: DateTime<Utc>,
    renewed_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// It takes no accounts and no commands.
    draining: bool,
    /// Number of accounts that it owns.
    accounts: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FleetHistory {
    /// Seconds that a sample stands for; the last one has only begun.
    every_s: u64,
    /// Oldest first: six hours at most, since this daemon has started.
    samples: Vec<Sample>,
}

/// The last hours of this daemon, and of the fleet as it saw it: kept in its memory, minute by minute.
#[utoipa::path(tag = "fleet", responses((status = 200, body = FleetHistory)))]
#[get("/api/fleet/history")]
pub async fn history(state: Data<AppState>) -> Json<FleetHistory> {
    Json(FleetHistory { every_s: SAMPLE_EVERY.as_secs(), samples: state.vitals.history().await })
}

/// The state of all daemons and queues.
#[utoipa::path(tag = "fleet", responses((status = 200, body = Fleet)))]
#[get("/api/fleet")]
pub async fn show(state: Data<AppState>) -> Result<Json<Fleet>, Problem> {
    let database = state.database().await?;
    let statuses = state.query(count_accounts_by_status().bind(&database).all()).await?;
    let daemons = state.query(list_daemons().bind(&database).all()).await?;
    let queues = state.query(measure_queues().bind(&database).one()).await?;
    let told = |row: paird_sql::queries::console::ListDaemons| Daemon {
        id: row.id,
        host: row.host,
        pid: row.pid,
        version: row.version,
        started_at: row.started_at.to_utc(),
        renewed_at: row.renewed_at.to_utc(),
        expires_at: row.expires_at.to_utc(),
        draining: row.draining,
        accounts: row.accounts,
    };
    Ok(Json(Fleet {
        by_status: statuses.into_iter().map(|row| (row.status, row.accounts)).collect(),
        daemons: daemons.into_iter().map(told).collect(),
        open_tickets: queues.open_tickets,
        queued_commands: queues.queued_commands,
        oldest_queued_command_age_ms: queues.oldest_queued_command_age_ms,
        unsent_events: queues.unsent_events,
        pages_send_messages: state.pages_send,
    }))
}
