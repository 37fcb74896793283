//! Authentication: the requested Host, the token or the cookie, and the origin of the request.

use std::net::IpAddr;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, Uri,
        header::{AUTHORIZATION, HOST, HeaderValue, LOCATION, ORIGIN, WWW_AUTHENTICATE},
    },
    middleware::Next,
    web::Data,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    login::wants_page,
    problem::{Problem, ProblemCode},
    socket::TrustedPeer,
    state::AppState,
};
use crate::metrics::WrongToken;

/// Files below it contain no data and need no authentication.
pub const ASSETS: &str = "/static/";
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/login"];

/// The way in which the caller is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// By the command line's socket, which only the daemon's user and root can open.
    Socket,
    Token,
    Cookie,
}

impl Caller {
    /// The `source` of its commands and audit records.
    pub fn source(self) -> &'static str {
        match self {
            Self::Socket | Self::Token => "api",
            Self::Cookie => "console",
        }
    }
}

/// Lets a request pass if its caller is known, and notes on the request who that is.
pub async fn authenticate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match decide(request.request()) {
        Ok(Entry::Open) => {}
        Ok(Entry::Known(caller)) => {
            request.extensions_mut().insert(caller);
        }
        Ok(Entry::LoginFirst) => {
            let answer = HttpResponse::SeeOther()
                .insert_header((LOCATION, login_for(request.path(), request.query_string())))
                .finish();
            return Ok(request.into_response(answer));
        }
        Err(problem) => return Ok(request.error_response(problem)),
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

enum Entry {
    Open,
    Known(Caller),
    /// A browser without a session asked for a page.
    LoginFirst,
}

fn decide(request: &HttpRequest) -> Result<Entry, Problem> {
    if !is_asked_as_loopback(request) {
        let detail = "the Host header names no loopback address: another site's name leads here";
        return Err(Problem::new(ProblemCode::HostForeign, detail).field("Host"));
    }
    let path = request.path();
    let is_open = OPEN.contains(&path) || path.starts_with(ASSETS);
    if is_open {
        let is_foreign_login = !request.method().is_safe() && origin(request) == Origin::Elsewhere;
        return if is_foreign_login { Err(cross_origin()) } else { Ok(Entry::Open) };
    }
    let Some(caller) = caller(request) else {
        let is_page = *request.method() == Method::GET && !path.starts_with("/api/") && wants_page(request);
        return if is_page { Ok(Entry::LoginFirst) } else { Err(unauthenticated()) };
    };
    if caller == Caller::Cookie && !request.method().is_safe() && origin(request) != Origin::Here {
        return Err(cross_origin());
    }
    Ok(Entry::Known(caller))
}

/// The login, with where to go afterwards: a plain path of ours and its query, as `login.js` takes it.
fn login_for(path: &str, query: &str) -> String {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    if path.starts_with("//") || !is_plain || (path == "/" && query.is_empty()) {
        return "/login".to_owned();
    }
    let query = utf8_percent_encode(query, NON_ALPHANUMERIC).to_string();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/login?to={path}{mark}{query}")
}

/// A wrong Authorization header is not made up for by a cookie.
fn caller(request: &HttpRequest) -> Option<Caller> {
    if request.conn_data::<TrustedPeer>().is_some() {
        return Some(Caller::Socket);
    }
    let state = request.app_data::<Data<AppState>>()?;
    if let Some(authorization) = request.headers().get(AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        let is_known = is_bearer && state.token.is(token.trim());
        if is_bearer && !is_known {
            state.token_was_wrong(WrongToken::Bearer);
        }
        return is_known.then_some(Caller::Token);
    }
    state.sessions.of(request).map(|_| Caller::Cookie)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Here,
    Elsewhere,
    /// Not a browser, or a very old one.
    NotSaid,
}

/// The origin of the page that sent the request, by the browser's headers.
fn origin(request: &HttpRequest) -> Origin {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    match header("sec-fetch-site") {
        Some(b"same-origin") => return Origin::Here,
        Some(_) => return Origin::Elsewhere,
        None => {}
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return Origin::NotSaid };
    let here = header(HOST.as_str()).unwrap_or_default();
    match origin.strip_prefix(b"http://") {
        Some(authority) if authority.eq_ignore_ascii_case(here) => Origin::Here,
        Some(_) | None => Origin::Elsewhere,
    }
}

/// Any port is accepted, since it may be a tunnel's. Other names are not: a foreign name that
/// resolves to 127.0.0.1 is DNS rebinding.
fn is_asked_as_loopback(request: &HttpRequest) -> bool {
    let mut hosts = request.headers().get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(host) = host.to_str().ok().filter(|host| !host.contains('@')) else { return false };
    let Ok(uri) = host.parse::<Uri>() else { return false };
    let Some(name) = uri.host() else { return false };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The answer to a caller whom nothing authenticates.
pub fn unauthenticated() -> Problem {
    let detail = "send Authorization: Bearer with the word in the file that PAIRD_CONSOLE_TOKEN_FILE names, or log in";
    Problem::new(ProblemCode::Unauthenticated, detail)
        .field("Authorization")
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn cross_origin() -> Problem {
    let detail = "this comes from another site, or does not say that it comes from the console's own pages";
    Problem::new(ProblemCode::OriginForeign, detail)
}
