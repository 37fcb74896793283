//! Probes for process supervisors and load balancers.

use std::time::Duration;

use actix_web::{
    HttpResponse, get,
    http::StatusCode,
    web::{Data, Json},
};
use paird_actors::domain::AccountId;
use paird_sql::queries::connections::ping;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{problem::Problem, state::AppState};

/// A supervisor that takes longer is stuck.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Serialize, ToSchema)]
struct Alive {
    alive: bool,
}

/// A daemon that should get accounts has the first three true and the last false.
#[derive(Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// Reachable.
    database: bool,
    /// Live: this daemon's accounts are its own.
    lease: bool,
    /// It releases its accounts, or stops.
    draining: bool,
}

/// The process lives: its supervisor answers, and the lease is being looked after. A
/// database that is away is no reason to restart it.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = Alive)))]
#[get("/healthz")]
pub async fn alive(state: Data<AppState>) -> Result<Json<Alive>, Problem> {
    let nobody = AccountId(Uuid::nil());
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, state.supervisor.inspect(nobody)).await;
    if answer.is_err() || !state.lease.is_kept() {
        return Err(Problem::unavailable("the daemon is stuck or stopping"));
    }
    Ok(Json(Alive { alive: true }))
}

/// The database answers, the lease is live, and nobody drains it.
#[utoipa::path(tag = "health", security(()), responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn ready(state: Data<AppState>) -> HttpResponse {
    let database = tokio::time::timeout(ANSWER_TIMEOUT, async {
        let database = state.database().await?;
        state.query(ping().bind(&database).one()).await
    });
    let database = matches!(database.await, Ok(Ok(true)));
    let lease = state.lease.is_live();
    let draining = state.is_draining();
    let ready = database && lease && !draining;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(Readiness { ready, database, lease, draining })
}
