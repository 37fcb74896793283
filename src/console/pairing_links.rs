//! Pairing links of an account: made, listed and revoked. They are opened at [`super::pairing_page`].

use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::StatusCode,
    post,
    web::{Data, Json, Path, ReqData},
};
use base64::{Engine as _, engine::general_purpose};
use chrono::{DateTime, Utc};
use paird_actors::domain::Phone;
use paird_sql::queries::pairing_links::{
    ListedPairingLink, create_pairing_link, list_pairing_links, place_pairing_link, revoke_pairing_link,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio_postgres::error::SqlState;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    account_view::utc,
    accounts::shown,
    auth::Caller,
    commands::{idempotency_key, key_taken},
    db::with_timeout,
    json_body::JsonBody,
    pairing_page,
    problem::{Problem, ProblemCode},
    state::AppState,
};

use crate::{credentials::seal::MasterKeys, idempotency::id_of_parts};

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
    /// To be sent to whoever has the phone. It is a secret, and is returned to nobody again who does not
    /// send the same request with the same Idempotency-Key.
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

/// Makes a pairing link: whoever has it can pair this account, and do nothing else. Without a key each
/// request makes another one, since it is known only here and now.
#[utoipa::path(tag = "pairing links", request_body = NewPairingLink,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header,
            description = "The same key again for the same account is the same link, as long as its row is kept",
            max_length = 200)),
    responses((status = 201, body = NewPairingLinkUrl)))]
#[post("/api/accounts/{id}/links")]
pub async fn create(
    state: Data<AppState>,
    request: HttpRequest,
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
    let key = idempotency_key(&request)?;
    shown(&state, *account).await?;
    let wanted = Wanted {
        account: *account,
        seconds,
        uses: uses.unwrap_or(1),
        phone: phone.as_ref().map(Phone::digits),
        source: caller.source(),
    };
    let NewLink { id, token, expires_at } = match key {
        Some(key) => wanted.place(&state, key).await?,
        None => wanted.create(&state).await?,
    };
    let url = pairing_page::url_of(base, &token);
    Ok(HttpResponse::Created().json(NewPairingLinkUrl { id, url, expires_at }))
}

/// What a request for a link says.
struct Wanted<'a> {
    account: Uuid,
    seconds: Option<f64>,
    uses: i32,
    phone: Option<&'a str>,
    source: &'static str,
}

struct NewLink {
    id: Uuid,
    token: Zeroizing<String>,
    expires_at: DateTime<Utc>,
}

impl Wanted<'_> {
    async fn create(&self, state: &AppState) -> Result<NewLink, Problem> {
        let Self { account, seconds, uses, phone, source } = self;
        let database = state.database().await?;
        let statement = create_pairing_link();
        let made = statement.bind(&database, account, seconds, uses, phone, source).one();
        let made = with_timeout(made).await?.map_err(|wrong| refusal(state, &wrong))?;
        Ok(NewLink { id: made.id, token: made.token.into(), expires_at: made.expires_at.to_utc() })
    }

    /// The token follows from the key and from what is asked for, by the master key: the row has its hash
    /// alone, and so tells who asks for the same again. Every master key that is left may have made it.
    async fn place(&self, state: &AppState, key: &str) -> Result<NewLink, Problem> {
        let Self { account, seconds, uses, phone, source } = self;
        let no_keys = |why: String| Problem::new(ProblemCode::KeysUnavailable, why);
        // Held until the row is written: no rotation ends in between.
        let (keys, _lock) =
            MasterKeys::read_locked(&state.master_key_file).await.map_err(|why| no_keys(why.to_string()))?;
        let keys = keys.ok_or_else(|| no_keys("there is no master key file: paird serve makes it".to_owned()))?;
        let said = format!("{seconds:?} {uses} {phone:?}");
        let parts: [&[u8]; 5] = [b"pairing link\0", account.as_bytes(), key.as_bytes(), b"\0", said.as_bytes()];
        let tokens: Vec<Zeroizing<String>> = keys
            .iter()
            .map(|key| general_purpose::URL_SAFE_NO_PAD.encode(key.derive(&parts).as_slice()).into())
            .collect();
        let hashes: Vec<Vec<u8>> = tokens.iter().map(|token| Sha256::digest(token.as_bytes()).to_vec()).collect();
        let id = id_of_parts(&[b"paird idempotency key of a pairing link\0", account.as_bytes(), key.as_bytes()]);

        let database = state.database().await?;
        let statement = place_pairing_link();
        let placed = statement.bind(&database, &id, &hashes, account, seconds, uses, phone, source).one();
        let placed = with_timeout(placed).await?.map_err(|wrong| refusal(state, &wrong))?;
        let token =
            tokens.into_iter().zip(&hashes).find(|(_, hash)| **hash == placed.token_hash).map(|(token, _)| token);
        let token = token.ok_or_else(|| key_taken("another pairing link has this key already"))?;
        Ok(NewLink { id, token, expires_at: placed.expires_at.to_utc() })
    }
}

fn refusal(state: &AppState, wrong: &tokio_postgres::Error) -> Problem {
    match wrong.as_db_error() {
        Some(refused) if *refused.code() == SqlState::UNIQUE_VIOLATION => key_taken(refused.message()),
        Some(refused) if *refused.code() == SqlState::INVALID_PARAMETER_VALUE => {
            let detail = refused.message().replace("expires_in", "expiresIn");
            let field = detail.split_once(": ").map_or("expiresIn", |(field, _)| field).to_owned();
            Problem::argument(&field, detail)
        }
        Some(refused) if *refused.code() == SqlState::CONFIGURATION_LIMIT_EXCEEDED => {
            Problem::new(ProblemCode::LinksNotNow, refused.message())
        }
        Some(_) | None => state.problem_of(wrong),
    }
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
