//! Probes for process supervisors and load balancers.

use actix_web::{
    HttpResponse, get,
    http::StatusCode,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::vitals::Readiness;

#[derive(Serialize, ToSchema)]
struct Alive {
    alive: bool,
}

/// Liveness: the supervisor answers, and the lease is being renewed. An unavailable database
/// does not count, since a restart would not help.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = Alive)))]
#[get("/healthz")]
pub async fn alive(state: Data<AppState>) -> Result<Json<Alive>, Problem> {
    if !state.vitals.is_alive().await {
        return Err(Problem::new(ProblemCode::DaemonUnavailable, "the daemon is stuck or stopping"));
    }
    Ok(Json(Alive { alive: true }))
}

/// Readiness: the database answers, the lease is live, and the daemon is not draining.
#[utoipa::path(tag = "health", security(()), responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn ready(state: Data<AppState>) -> HttpResponse {
    let readiness = state.vitals.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(readiness)
}
