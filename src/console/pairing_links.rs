//! Pairing links of an account: made, listed and revoked. They are opened at [`super::pairing_page`].

use actix_web::{
    HttpResponse, delete, get,
    http::StatusCode,
    post,
    web::{Data, Json, Path, ReqData},
};
use chrono::{DateTime, Utc};
use paird_actors::domain::Phone;
use paird_sql::queries::pairing_links::{
    ListedPairingLink, create_pairing_link, list_pairing_links, revoke_pairing_link,
};
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    account_view::utc,
    accounts::shown,
    auth::Caller,
    db::with_timeout,
    json_body::JsonBody,
    pairing_page,
    problem::{Problem, ProblemCode},
    state::AppState,
};

const A_DAY_S: u32 = 24 * 3600;

/// What a pairing link is to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPairingLink {
    /// Seconds until it expires; a day if absent.
    #[schema(minimum = 60, maximum = 7_776_000)]
    expires_in: Option<u32>,
    /// It ends with the pair attempt that is running, instead.
    with_attempt: Option<bool>,
    /// How often a phone may be linked to the account until it is used up; once if absent.
    #[schema(minimum = 1, maximum = 100)]
    uses: Option<i32>,
    /// The only number that may be linked through it.
    #[schema(max_length = 100, example = "+43 660 1234567")]
    expect_phone: Option<String>,
}

/// A new pairing link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewPairingLinkUrl {
    id: Uuid,
    /// To be sent to whoever has the phone. It is a secret, and is never returned again.
    url: String,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct PairingLinks {
    /// Newest first, at most 100.
    links: Vec<PairingLink>,
}

/// A pairing link, without what opens it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PairingLink {
    id: Uuid,
    /// live, used (up), expired or revoked.
    state: String,
    /// Who made it says he was this.
    source: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    uses_left: i32,
    expect_phone: Option<String>,
    first_opened_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Makes a pairing link: whoever has it can pair this account, and do nothing else. Each request
/// makes another one, since it is known only here and now.
#[utoipa::path(tag = "pairing links", params(("id" = Uuid, Path)), request_body = NewPairingLink,
    responses((status = 201, body = NewPairingLinkUrl)))]
#[post("/api/accounts/{id}/links")]
pub async fn create(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    account: Path<Uuid>,
    new: JsonBody<NewPairingLink>,
) -> Result<HttpResponse, Problem> {
    let NewPairingLink { expires_in, with_attempt, uses, expect_phone } = new.0;
    let base =
        state.link_url.as_deref().ok_or_else(|| Problem::new(ProblemCode::LinksNotServed, pairing_page::NOWHERE))?;
    let seconds = match (expires_in, with_attempt.unwrap_or_default()) {
        (Some(_), true) => {
            return Err(Problem::argument("expiresIn", "expiresIn: a link withAttempt ends with the attempt"));
        }
        (None, true) => None,
        (seconds, false) => Some(f64::from(seconds.unwrap_or(A_DAY_S))),
    };
    let phone = expect_phone.as_deref().map(Phone::parse).transpose();
    let phone = phone.map_err(|wrong| Problem::argument("expectPhone", format!("expectPhone: {wrong}")))?;
    shown(&state, *account).await?;
    let database = state.database().await?;
    let (uses, phone, source) = (uses.unwrap_or(1), phone.as_ref().map(Phone::digits), caller.source());
    let statement = create_pairing_link();
    let made = statement.bind(&database, &account, &seconds, &uses, &phone, &source).one();
    let made = with_timeout(made).await?.map_err(|wrong| match wrong.as_db_error() {
        Some(refused) if *refused.code() == SqlState::INVALID_PARAMETER_VALUE => {
            let detail = refused.message().replace("expires_in", "expiresIn");
            let field = detail.split_once(": ").map_or("expiresIn", |(field, _)| field).to_owned();
            Problem::argument(&field, detail)
        }
        Some(refused) if *refused.code() == SqlState::CONFIGURATION_LIMIT_EXCEEDED => {
            Problem::new(ProblemCode::LinksNotNow, refused.message())
        }
        Some(_) | None => state.problem_of(&wrong),
    })?;
    let url = pairing_page::url_of(base, &made.token);
    Ok(HttpResponse::Created().json(NewPairingLinkUrl { id: made.id, url, expires_at: made.expires_at.to_utc() }))
}

/// The account's pairing links, without what opens them. They are kept for a week after their end.
#[utoipa::path(tag = "pairing links", params(("id" = Uuid, Path)), responses((status = 200, body = PairingLinks)))]
#[get("/api/accounts/{id}/links")]
pub async fn list(state: Data<AppState>, account: Path<Uuid>) -> Result<Json<PairingLinks>, Problem> {
    shown(&state, *account).await?;
    let database = state.database().await?;
    let links = state.query(list_pairing_links().bind(&database, &account).all()).await?;
    Ok(Json(PairingLinks { links: links.into_iter().map(PairingLink::from).collect() }))
}

/// Revokes a pairing link: it opens nothing any more, and an attempt that was begun through it ends.
#[utoipa::path(tag = "pairing links", params(("id" = Uuid, Path), ("link" = Uuid, Path)),
    responses((status = 204, description = "It opens nothing any more")))]
#[delete("/api/accounts/{id}/links/{link}")]
pub async fn revoke(
    state: Data<AppState>,
    caller: ReqData<Caller>,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (account, link) = *path;
    let database = state.database().await?;
    match state.query(revoke_pairing_link().bind(&database, &caller.source(), &link, &account).opt()).await? {
        Some(true) => {
            state.supervisor.wake();
            Ok(HttpResponse::new(StatusCode::NO_CONTENT))
        }
        Some(false) => Err(Problem::new(ProblemCode::LinkOver, "the link was used up, revoked or has expired already")),
        None => Err(Problem::new(ProblemCode::LinkUnknown, format!("the account has no link {link}"))),
    }
}

impl From<ListedPairingLink> for PairingLink {
    fn from(row: ListedPairingLink) -> Self {
        Self {
            id: row.id,
            state: row.state,
            source: row.source,
            created_at: row.created_at.to_utc(),
            expires_at: row.expires_at.to_utc(),
            uses_left: row.uses_left,
            expect_phone: row.expect_phone,
            first_opened_at: utc(row.first_opened_at),
            last_used_at: utc(row.last_used_at),
            revoked_at: utc(row.revoked_at),
        }
    }
}
