//! The metrics endpoint for Prometheus.

use actix_web::{HttpResponse, get, web::Data};

use super::{
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::metrics::CONTENT_TYPE;

/// Counters, times and the fleet's figures, as OpenMetrics text.
#[utoipa::path(tag = "health", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text")))]
#[get("/metrics")]
pub async fn scrape(state: Data<AppState>) -> Result<HttpResponse, Problem> {
    match state.vitals.exposition().await {
        Ok(text) => Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text)),
        Err(_) => Err(Problem::new(ProblemCode::DaemonUnavailable, "the metrics cannot be written")),
    }
}
