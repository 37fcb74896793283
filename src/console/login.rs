//! The login of browsers: the token is exchanged for a signed cookie. The key is derived from
//! the token, so a session survives a restart of the daemon and ends when the token is replaced.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    FromRequest as _, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time},
    dev::Payload,
    http::header::{ACCEPT, LOCATION},
    post,
    web::{self, Data},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use hmac::{Hmac, KeyInit as _, Mac as _};
use paird_actors::domain::AuditAction;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};
use tokio::sync::{Semaphore, watch};
use tracing::{info, warn};
use utoipa::ToSchema;

use super::{
    auth::Caller,
    json_body::{JsonBody, in_time},
    problem::{Problem, ProblemCode},
    state::AppState,
    token::Token,
};
use crate::metrics::WrongToken;

/// Prefix of the cookie's name. Cookies ignore the port: with one name, two consoles on a host
/// would log each other out.
const COOKIE: &str = "paird_session_";
/// Length of the suffix, which is derived from the token.
const COOKIE_MARK: usize = 8;
/// A working day: how long a session lasts.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Delay of the answer to a wrong token; concurrent guesses wait for each other.
const PENALTY: Duration = Duration::from_millis(300);
/// More concurrent guesses are rejected with 429.
const MOST_WAITING: usize = 8;

const NONCE: usize = 16;
const BODY: usize = 8 + NONCE;

type Nonce = [u8; NONCE];

/// A browser's session, as read from a cookie that was signed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserSession {
    /// Unix time in seconds.
    expiry: i64,
    nonce: Nonce,
}

/// Signs cookies and checks them.
pub struct Sessions {
    key: Hmac<Sha256>,
    cookie: String,
    /// Sessions that were logged out before they expired; kept in memory only.
    ended: Mutex<HashMap<Nonce, i64>>,
    logouts: watch::Sender<()>,
    turn: Semaphore,
    waiting: Semaphore,
}

impl Sessions {
    pub fn new(token: &Token) -> Self {
        let key = Sha512::new().chain_update(b"paird console session v1\0").chain_update(token.bytes()).finalize();
        let key: Hmac<Sha256> = Hmac::new(&key);
        let mark = URL_SAFE_NO_PAD.encode(key.clone().chain_update(b"name of the cookie").finalize().into_bytes());
        Self {
            cookie: format!("{COOKIE}{}", &mark[..COOKIE_MARK]),
            key,
            ended: Mutex::default(),
            logouts: watch::Sender::new(()),
            turn: Semaphore::new(1),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

    /// The name of the cookie: one for each token.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    fn begin(&self, now: i64) -> String {
        let expiry = now.saturating_add_unsigned(LIFETIME.as_secs());
        let mut value = expiry.to_be_bytes().to_vec();
        value.extend(rand::random::<Nonce>());
        let mac = self.mac(&value);
        value.extend(mac.finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(value)
    }

    /// The live session of a request, if its cookie names one.
    pub fn of(&self, request: &HttpRequest) -> Option<BrowserSession> {
        let session = self.read(request.cookie(&self.cookie)?.value())?;
        self.is_live(session).then_some(session)
    }

    /// Whether the session has neither expired nor been logged out.
    pub fn is_live(&self, session: BrowserSession) -> bool {
        self.is_live_at(session, Utc::now().timestamp())
    }

    fn is_live_at(&self, session: BrowserSession, now: i64) -> bool {
        session.expiry > now && !self.ended().contains_key(&session.nonce)
    }

    /// Changes whenever a session is logged out: whoever serves one for long looks at it again.
    pub fn logouts(&self) -> watch::Receiver<()> {
        self.logouts.subscribe()
    }

    fn end(&self, session: BrowserSession, now: i64) {
        let mut ended = self.ended();
        ended.retain(|_, expiry| *expiry > now);
        ended.insert(session.nonce, session.expiry);
        drop(ended);
        self.logouts.send_replace(());
    }

    /// The session of a cookie that was signed here, even of one that is over.
    fn read(&self, cookie: &str) -> Option<BrowserSession> {
        let value = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (body, signature) = value.split_at_checked(BODY)?;
        self.mac(body).verify_slice(signature).ok()?;
        let (expiry, nonce) = body.split_at(8);
        Some(BrowserSession { expiry: i64::from_be_bytes(expiry.try_into().ok()?), nonce: nonce.try_into().ok()? })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        mac.update(body);
        mac
    }

    fn ended(&self) -> std::sync::MutexGuard<'_, HashMap<Nonce, i64>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The console's token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// Begins a browser's session: sets a cookie that begins with `paird_session_`.
#[utoipa::path(tag = "session", security(()), request_body(content(
        (Login = "application/json"), (Login = "application/x-www-form-urlencoded"))),
    responses((status = 204, description = "Logged in",
            headers(("Set-Cookie" = String, description = "HttpOnly, SameSite=Strict, 12 hours"))),
        (status = 303, description = "The same, for a form that a browser sent")))]
#[post("/login")]
pub async fn login(state: Data<AppState>, request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Problem> {
    let said = read_login(&request, body).await?;
    let sessions = &state.sessions;
    if !state.token.is(&said.token) {
        return refuse(&state, &request).await;
    }
    info!("a login to the console");
    state.trail.note(AuditAction::ConsoleLoggedIn, Caller::Cookie);
    let value = sessions.begin(Utc::now().timestamp());
    let lifetime = time::Duration::try_from(LIFETIME).unwrap_or(time::Duration::HOUR);
    Ok(answer(&request, cookie(sessions, value, lifetime), "/"))
}

/// Rejects a wrong token. The right one does not get here, so guesses cannot keep its owner out;
/// and a token is too long to be guessed at any rate.
async fn refuse(state: &AppState, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let sessions = &state.sessions;
    let Ok(_place) = sessions.waiting.try_acquire() else {
        let detail = "too many wrong tokens at once: wait a moment";
        return Err(Problem::new(ProblemCode::RequestsTooMany, detail).retry_after(3));
    };
    // Held during the delay, so that wrong tokens are answered one by one. It is never closed.
    let _turn = sessions.turn.acquire().await;
    state.token_was_wrong(WrongToken::Login);
    warn!("a login to the console with a wrong token");
    tokio::time::sleep(PENALTY).await;
    if wants_page(request) {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/login?wrong")).finish());
    }
    let detail = "the token is wrong; it is the word in the file that PAIRD_CONSOLE_TOKEN_FILE names";
    Err(Problem::new(ProblemCode::TokenWrong, detail).field("token"))
}

/// Ends the session, and the live streams that were opened with it.
#[utoipa::path(tag = "session", responses((status = 204, description = "Logged out"),
    (status = 303, description = "The same, for a form that a browser sent")))]
#[post("/logout")]
pub async fn logout(state: Data<AppState>, request: HttpRequest) -> HttpResponse {
    let sessions = &state.sessions;
    if let Some(session) = sessions.of(&request) {
        sessions.end(session, Utc::now().timestamp());
    }
    answer(&request, cookie(sessions, String::new(), time::Duration::ZERO), "/login")
}

async fn read_login(request: &HttpRequest, body: web::Payload) -> Result<Login, Problem> {
    let mut payload: Payload = body.into_inner();
    let is_form = request
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"));
    if is_form {
        let form = in_time(web::Form::<Login>::from_request(request, &mut payload)).await?;
        return form
            .map(web::Form::into_inner)
            .map_err(|_| Problem::argument("token", "the form has not exactly one field, token"));
    }
    Ok(JsonBody::<Login>::from_request(request, &mut payload).await?.0)
}

fn cookie(sessions: &Sessions, value: String, lifetime: time::Duration) -> Cookie<'static> {
    let cookie =
        Cookie::build(sessions.cookie().to_owned(), value).path("/").http_only(true).same_site(SameSite::Strict);
    cookie.max_age(lifetime).finish()
}

fn answer(request: &HttpRequest, cookie: Cookie<'static>, page: &'static str) -> HttpResponse {
    let mut response = if wants_page(request) {
        let mut response = HttpResponse::SeeOther();
        response.insert_header((LOCATION, page));
        response
    } else {
        HttpResponse::NoContent()
    };
    response.cookie(cookie).finish()
}

/// Whether a browser navigates, rather than a program calls.
pub fn wants_page(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|kinds| kinds.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(token: &str) -> Sessions {
        Sessions::new(&Token::of(token))
    }

    #[test]
    fn a_session_outlives_a_restart_but_not_its_time_or_token() {
        let cookie = sessions("one").begin(1_000);
        let restarted = sessions("one");
        let session = restarted.read(&cookie).unwrap();
        assert!(restarted.is_live_at(session, 1_001));
        assert!(!restarted.is_live_at(session, 1_000 + 12 * 3600));
        assert_eq!(sessions("two").read(&cookie), None);
    }

    #[test]
    fn a_session_that_was_logged_out_is_over_and_others_are_not() {
        let sessions = sessions("one");
        let [session, other] = [(); 2].map(|()| sessions.read(&sessions.begin(0)).unwrap());
        let logouts = sessions.logouts();
        sessions.end(session, 1);
        assert!(!sessions.is_live_at(session, 1));
        assert!(sessions.is_live_at(other, 1));
        assert!(logouts.has_changed().unwrap());
    }

    #[test]
    fn consoles_with_one_token_share_a_cookie_and_others_do_not() {
        assert_eq!(sessions("one").cookie(), sessions("one").cookie());
        assert_ne!(sessions("one").cookie(), sessions("two").cookie());
    }

    #[test]
    fn no_byte_of_a_cookie_can_be_changed() {
        let sessions = sessions("one");
        let cookie = URL_SAFE_NO_PAD.decode(sessions.begin(0)).unwrap();
        for at in 0..cookie.len() {
            let mut changed = cookie.clone();
            changed[at] ^= 1;
            assert_eq!(sessions.read(&URL_SAFE_NO_PAD.encode(changed)), None, "byte {at}");
        }
        for short in ["", "AAAA", &URL_SAFE_NO_PAD.encode(&cookie[..24])] {
            assert_eq!(sessions.read(short), None);
        }
    }
}
