//! What is ready, and how to begin: for a fleet that has no account yet.

use actix_web::{
    get,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::state::AppState;
use crate::checks::{Finding, Level, Way, summary, worst};

#[derive(Serialize, ToSchema)]
struct Setup {
    /// All findings in one line.
    summary: String,
    worst: Level,
    findings: Vec<Finding>,
    /// How to add the first account.
    ways: Vec<Way>,
}

/// Whether everything is ready for the first account, and each way to add it. It changes nothing.
#[utoipa::path(tag = "fleet", responses((status = 200, body = Setup)))]
#[get("/api/setup")]
pub async fn show(state: Data<AppState>) -> Json<Setup> {
    let findings = state.checks.findings().await;
    Json(Setup { summary: summary(&findings), worst: worst(&findings), ways: state.checks.ways(), findings })
}
