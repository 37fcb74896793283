//! Administration of this daemon: inspect, restart, sweep, resync, drain and undrain.

use std::time::Duration;

use actix_web::{
    HttpResponse, delete, get,
    http::StatusCode,
    post,
    web::{Data, Json, Path, ReqData},
};
use chrono::{DateTime, Utc};
use paird_actors::{
    account::handle::Inspection as Inspected,
    domain::{AccountId, AuditAction, StoreError},
};
use paird_sql::queries::console::{AccountOwner, get_owner};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    accounts::nobody,
    auth::Caller,
    json_body::JsonBody,
    problem::{Problem, ProblemCode},
    state::AppState,
    vocabulary,
};

/// Accounts that disconnect more slowly do so after the answer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two attempts to release the accounts of a drained daemon.
const DRAIN_RETRY: Duration = Duration::from_secs(1);

#[derive(Serialize, ToSchema)]
struct Inspections {
    /// Of the accounts that run in this daemon now; those at rest have no actor.
    inspections: Vec<Inspection>,
}

/// The state of an account's actor, and its copy of the row.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    account_id: Uuid,
    label: String,
    /// A state of the machine, finer than the status.
    state: String,
    /// When its next timeout is.
    deadline: Option<DateTime<Utc>>,
    #[schema(schema_with = vocabulary::status)]
    status: String,
    status_reason: String,
    status_since: DateTime<Utc>,
    #[schema(schema_with = vocabulary::desired)]
    desired: String,
    next_retry_at: Option<DateTime<Utc>>,
    pair_deadline: Option<DateTime<Utc>>,
    fence: i64,
    /// It holds or has parked the keys of a link.
    has_keys: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SweepOrder {
    /// Only names what would be parked.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Swept)]
struct SweepReport {
    dry_run: bool,
    /// Pair attempts that a crash left behind.
    swept: Vec<SweptAttempt>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SweptAttempt {
    account_id: Uuid,
    label: String,
    why: String,
}

#[derive(Serialize, ToSchema)]
struct Drained {
    /// Accounts that were given back.
    accounts: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Undrained {
    /// There was a drain to undo.
    was_draining: bool,
}

/// The states of all accounts that run here.
#[utoipa::path(tag = "admin", responses((status = 200, body = Inspections)))]
#[get("/api/inspections")]
pub async fn inspect_all(state: Data<AppState>) -> Json<Inspections> {
    let mut inspections: Vec<_> = state.supervisor.inspect_all().await.into_iter().map(Inspection::from).collect();
    inspections.sort_by_key(|inspection| inspection.account_id);
    Json(Inspections { inspections })
}

/// The state of one account, if it runs here.
#[utoipa::path(tag = "admin", params(("id" = Uuid, Path)), responses((status = 200, body = Inspection)))]
#[get("/api/accounts/{id}/inspection")]
pub async fn inspect(state: Data<AppState>, id: Path<Uuid>) -> Result<Json<Inspection>, Problem> {
    let owner = owner(&state, *id).await?;
    elsewhere(&state, &owner)?;
    let inspected = state.supervisor.inspect(AccountId(*id)).await;
    inspected.map(|inspected| Json(inspected.into())).ok_or_else(at_rest)
}

/// Restarts an account's actor from its row: disconnects and connects again.
#[utoipa::path(tag = "admin", params(("id" = Uuid, Path)),
    responses((status = 202, description = "It is on its way")))]
#[post("/api/accounts/{id}/restart")]
pub async fn restart(state: Data<AppState>, id: Path<Uuid>, caller: ReqData<Caller>) -> Result<HttpResponse, Problem> {
    let owner = owner(&state, *id).await?;
    elsewhere(&state, &owner)?;
    if owner.process.is_none() {
        return Err(at_rest());
    }
    info!(account = %id, "actor restart requested");
    state.trail.note_account(AuditAction::Restarted, *caller, AccountId(*id));
    state.supervisor.restart(AccountId(*id));
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// Parks pair attempts that a crash left behind.
#[utoipa::path(tag = "admin", request_body = SweepOrder, responses((status = 200, body = SweepReport)))]
#[post("/api/sweep")]
pub async fn sweep(
    state: Data<AppState>,
    order: JsonBody<SweepOrder>,
    caller: ReqData<Caller>,
) -> Result<Json<SweepReport>, Problem> {
    let dry_run = order.0.dry_run;
    if !dry_run {
        state.trail.note(AuditAction::Swept, *caller);
    }
    let swept = state.supervisor.sweep(dry_run).await.map_err(|why| not_done(&why))?;
    let told = |swept: paird_actors::domain::Swept| SweptAttempt {
        account_id: swept.account.0,
        label: swept.label,
        why: swept.why,
    };
    Ok(Json(SweepReport { dry_run, swept: swept.into_iter().map(told).collect() }))
}

/// Compares everything with the database now, as the tick does.
#[utoipa::path(tag = "admin", responses((status = 202, description = "It is on its way")))]
#[post("/api/resync")]
pub async fn resync(state: Data<AppState>, caller: ReqData<Caller>) -> HttpResponse {
    state.trail.note(AuditAction::Resynced, *caller);
    state.supervisor.resync();
    HttpResponse::new(StatusCode::ACCEPTED)
}

/// Releases all accounts of this daemon and claims no new ones. The process and its console
/// keep running, and `/readyz` fails. Other daemons take the accounts over at once; if there
/// are none, the accounts stay disconnected. No account is logged out. The daemon claims
/// accounts again when the drain is undone or the daemon restarts.
#[utoipa::path(tag = "admin", responses((status = 200, body = Drained)))]
#[post("/api/drain")]
pub async fn drain(state: Data<AppState>, caller: ReqData<Caller>) -> Result<Json<Drained>, Problem> {
    state.trail.note(AuditAction::Drained, *caller);
    {
        let _turn = state.drain_turn.lock().await;
        state.vitals.set_draining(true);
        // If this write fails, the next renewal of the lease does it: no account may stay here.
        if let Err(why) = state.lease_row.drain(true).await {
            warn!(%why, "failed to tell the other daemons about the drain");
        }
    }
    let draining = actix_web::rt::spawn(give_everything_back(state));
    match tokio::time::timeout(DRAIN_TIMEOUT, draining).await {
        Ok(Ok(Some(accounts))) => Ok(Json(Drained { accounts })),
        Ok(Ok(None)) => Err(Problem::new(ProblemCode::DrainUndone, "the drain was taken back before it was done")),
        Ok(Err(_)) | Err(_) => {
            let detail = "some accounts are still disconnecting, and the drain goes on: ask again";
            Err(Problem::new(ProblemCode::DrainUnfinished, detail).retry_after(5))
        }
    }
}

/// Continues after the request has ended: accounts that run nowhere must not stay with a
/// daemon that takes none. Returns their number; `None` if the drain was undone.
async fn give_everything_back(state: Data<AppState>) -> Option<u64> {
    let mut given = 0;
    while state.supervisor.drain().await {
        let giving = async {
            // Not held over the pause below: an undoing would wait for it.
            let _turn = state.drain_turn.lock().await;
            if !state.vitals.is_asked_to_drain() {
                return None;
            }
            let told = match state.lease_row.drain(true).await {
                Ok(told) => told,
                Err(why) => return Some(Err(why)),
            };
            Some(state.lease_row.give_back(told).await)
        };
        match giving.await? {
            Ok(back) => {
                given += u64::try_from(back.accounts).unwrap_or_default();
                if !back.more {
                    info!(accounts = given, "gave every account back");
                    return Some(given);
                }
                if back.accounts > 0 {
                    // The next batch; an undoing has its turn in between.
                    continue;
                }
                info!("some accounts are locked by other sessions; they are returned once the locks are released");
            }
            Err(why) => warn!(%why, "failed to return the accounts; retrying"),
        }
        tokio::time::sleep(DRAIN_RETRY).await;
    }
    None
}

/// Undoes a drain: this daemon takes its share of the accounts again.
#[utoipa::path(tag = "admin", responses((status = 200, body = Undrained)))]
#[delete("/api/drain")]
pub async fn undrain(state: Data<AppState>, caller: ReqData<Caller>) -> Result<Json<Undrained>, Problem> {
    state.trail.note(AuditAction::Undrained, *caller);
    let undraining = actix_web::rt::spawn(take_accounts_again(state));
    match tokio::time::timeout(DRAIN_TIMEOUT, undraining).await {
        Ok(Ok(was_draining)) => Ok(Json(Undrained { was_draining })),
        Ok(Err(_)) | Err(_) => {
            let detail = "the database cannot record it now; the drain is undone as soon as it can";
            Err(Problem::new(ProblemCode::DrainUnfinished, detail).retry_after(5))
        }
    }
}

/// Continues after the request has ended. No account starts before the undoing is written:
/// a statement of the drain that is still under way would free accounts that run. Returns
/// whether the daemon was draining.
async fn take_accounts_again(state: Data<AppState>) -> bool {
    let was_draining = {
        let _turn = state.drain_turn.lock().await;
        state.vitals.set_draining(false)
    };
    loop {
        {
            let _turn = state.drain_turn.lock().await;
            if state.vitals.is_asked_to_drain() {
                // Another drain came meanwhile.
                return was_draining;
            }
            match state.lease_row.drain(false).await {
                Ok(_) => {
                    state.supervisor.undrain();
                    return was_draining;
                }
                Err(why) => warn!(%why, "failed to undo the drain; retrying"),
            }
        }
        tokio::time::sleep(DRAIN_RETRY).await;
    }
}

async fn owner(state: &AppState, id: Uuid) -> Result<AccountOwner, Problem> {
    let database = state.database().await?;
    state.query(get_owner().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(id))
}

/// An account can be inspected and restarted only in the daemon that runs it.
fn elsewhere(state: &AppState, owner: &AccountOwner) -> Result<(), Problem> {
    match (owner.process, &owner.host, owner.pid) {
        (Some(process), Some(host), Some(pid)) if process != state.process => {
            let detail = format!("the account runs in another daemon, process {pid} on {host}: ask there");
            Err(Problem::new(ProblemCode::AccountElsewhere, detail))
        }
        (_, _, _) => Ok(()),
    }
}

fn at_rest() -> Problem {
    Problem::new(ProblemCode::AccountAtRest, "the account is at rest: nothing of it runs, in no daemon")
}

fn not_done(why: &StoreError) -> Problem {
    Problem::new(ProblemCode::DatabaseUnavailable, format!("{why}: try again"))
}

impl From<Inspected> for Inspection {
    fn from(inspected: Inspected) -> Self {
        let record = inspected.record;
        let pair_deadline = record.attempt().map(|attempt| attempt.deadline.to_utc());
        let has_keys = record.keyring().is_some() || record.linking().is_some();
        Self {
            account_id: record.id.0,
            label: record.label,
            state: inspected.state.to_owned(),
            deadline: inspected.deadline.map(|at| at.to_utc()),
            status: record.status.as_str().to_owned(),
            status_reason: record.reason.to_string(),
            status_since: record.since.to_utc(),
            desired: record.desired.as_str().to_owned(),
            next_retry_at: record.next_retry_at.map(|at| at.to_utc()),
            pair_deadline,
            fence: record.fence.0,
            has_keys,
        }
    }
}
