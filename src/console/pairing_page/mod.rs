//! The page of pairing links, `PAIRD_LINK_ADDR`: a listener of its own, which may leave loopback and
//! serves nothing but the pairing of the one account that a link is for.
//!
//! A link is `PAIRD_LINK_URL/#TOKEN`. Browsers keep what stands behind the `#` to themselves: it is in no
//! log of a proxy, no Referer, and no preview of a messenger can open it. The page sends it as a bearer
//! token, so no cookie is needed, and no other site can send it. The database knows its hash alone, and
//! whoever does not have it learns nothing: the page is the same for everybody, and so is the answer to a
//! token that was never one, that was revoked, has expired or is used up.

mod limits;
mod shown;
mod visitor;

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    body::{BoxBody, MessageBody},
    dev::{Server, ServiceRequest, ServiceResponse},
    guard,
    http::{
        KeepAlive, StatusCode,
        header::{AUTHORIZATION, ETAG},
    },
    middleware::{DefaultHeaders, Next, from_fn},
    web::{self, Data, Path},
};
use deadpool_postgres::Pool;
use ipnet::IpNet;
use paird_actors::domain::Phone;
use paird_sql::queries::pairing_links::{ViewedPairingLink, pair_by_link, view_pairing_link};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    db::with_timeout,
    json_body::JsonBody,
    login::wants_page,
    middleware,
    not_modified::not_modified,
    pages::file,
    problem::{Problem, ProblemCode},
    routes,
};
use crate::{
    listen::{ListenAddress, limit_unread_time},
    metrics::{Front, count_requests},
    postgres::pool::Dsn,
    vitals::Vitals,
};
use limits::Limits;
use shown::{PairingState, etag};
use visitor::address_of;

/// Why no link can be made.
pub const NOWHERE: &str =
    "pairing links would lead nowhere: set PAIRD_LINK_URL, and PAIRD_LINK_ADDR for the daemon, first";

/// What is sent of the pages; a page loads no others.
const FILES: [&str; 13] = [
    "icon.svg",
    "lib/clock.js",
    "lib/dom.js",
    "lib/text.js",
    "lib/time.js",
    "link.js",
    "model/link.js",
    "shapes.svg",
    "styles/base.css",
    "styles/parts.css",
    "styles/views.css",
    "views/copy.js",
    "views/pairing_views.js",
];
const PAGE: &str = "link.html";

/// 256 bits in base64url.
const TOKEN_CHARS: usize = 43;
const MAX_CONNECTIONS: usize = 256;
/// Visitors must not take connections from the console or the accounts.
const DATABASE_CONNECTIONS: usize = 3;
/// For the head of a request. The connection ends with its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// A phone number and some spaces.
const LARGEST_BODY: usize = 1024;

type TokenHash = [u8; 32];

/// A link as it is sent to people.
pub fn url_of(base: &str, token: &str) -> String {
    format!("{base}/#{token}")
}

/// What the listener needs of the daemon.
pub struct PairingPageSettings {
    pub(crate) listen: ListenAddress,
    /// As the console: its functions answer to the hash of a token alone.
    pub dsn: Dsn,
    pub proxies: Vec<IpNet>,
    pub(crate) vitals: Arc<Vitals>,
}

/// The running listener.
pub struct PairingPage {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl PairingPage {
    /// Serves in the background, as soon as the address is free.
    ///
    /// # Errors
    /// Only a setting of the pool.
    pub fn start(settings: PairingPageSettings) -> anyhow::Result<Self> {
        let PairingPageSettings { listen, dsn, proxies, vitals } = settings;
        let pool = dsn.pool_of(DATABASE_CONNECTIONS)?;
        vitals.metrics().watch_pool("pairing_links", pool.clone());
        let door = Data::new(Door { pool, proxies, limits: Limits::new() });
        let ending = CancellationToken::new();
        let server = move |listener| server(listener, &door, &vitals);
        Ok(Self { task: actix_web::rt::spawn(listen.serve(ending.clone(), server)), ending })
    }

    /// Lets answers that are under way finish, and closes.
    pub async fn stop(self) {
        self.ending.cancel();
        if tokio::time::timeout(STOP_TIMEOUT * 2, self.task).await.is_err() {
            warn!("the page of pairing links did not close in time");
        }
    }
}

fn server(listener: TcpListener, door: &Data<Door>, vitals: &Arc<Vitals>) -> io::Result<Server> {
    let (door, vitals) = (door.clone(), Data::from(Arc::clone(vitals)));
    let app = move || {
        App::new()
            .app_data(door.clone())
            .app_data(vitals.clone())
            .app_data(Front::PairingPage)
            .wrap(from_fn(limit_requests))
            .wrap(from_fn(middleware::finish))
            .wrap(
                DefaultHeaders::new()
                    .add(("X-Robots-Tag", "noindex, nofollow"))
                    .add(("Cross-Origin-Opener-Policy", "same-origin"))
                    .add(("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")),
            )
            .wrap(from_fn(count_requests))
            .configure(routes::strict)
            .service(web::resource("/").guard(guard::Get()).to(page))
            .service(web::resource("/static/{path:.*}").guard(guard::Get()).to(asset))
            .service(web::resource("/state").guard(guard::Get()).to(show))
            .service(web::resource("/pair").guard(guard::Post()).to(pair))
            .default_service(web::to(nothing))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .keep_alive(KeepAlive::Disabled)
        .client_request_timeout(REQUEST_TIMEOUT)
        .client_disconnect_timeout(CLOSE_TIMEOUT)
        .on_connect(limit_unread_time)
        .disable_signals()
        .shutdown_timeout(STOP_TIMEOUT.as_secs())
        .listen(listener)?;
    Ok(server.run())
}

/// What every request passes.
struct Door {
    pool: Pool,
    proxies: Vec<IpNet>,
    limits: Limits,
}

async fn limit_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if let Some(door) = request.app_data::<Data<Door>>()
        && let Err(wait) = door.limits.request(address_of(request.request(), &door.proxies))
    {
        return Ok(request.error_response(too_many(wait)));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

async fn page(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, PAGE)
}

async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Problem> {
    if !FILES.contains(&path.as_str()) {
        return Err(absent());
    }
    file(&request, &path)
}

/// The same page, which says that it opens nothing.
async fn nothing(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !wants_page(&request) {
        return Err(absent());
    }
    let mut page = file(&request, PAGE)?;
    *page.status_mut() = StatusCode::NOT_FOUND;
    Ok(page)
}

async fn show(request: HttpRequest, door: Data<Door>) -> Result<HttpResponse, Problem> {
    let row = door.view(&request).await?.1;
    let etag = etag(&row);
    if let Some(answer) = not_modified(&request, &etag) {
        return Ok(answer);
    }
    Ok(HttpResponse::Ok().insert_header((ETAG, etag)).json(PairingState::from(row)))
}

/// What an attempt is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttemptRequest {
    /// For a code to type there; without it, a QR code is shown.
    phone: Option<String>,
}

async fn pair(
    request: HttpRequest,
    door: Data<Door>,
    body: JsonBody<AttemptRequest, LARGEST_BODY>,
) -> Result<HttpResponse, Problem> {
    // A wrong number is no attempt.
    let (hash, _) = door.view(&request).await?;
    let phone = body.0.phone.as_deref().map(Phone::parse).transpose();
    let phone = phone.map_err(|wrong| Problem::argument("phone", wrong.to_string()))?;
    door.limits.attempt(hash).map_err(too_many)?;
    let database = door.pool.get().await.map_err(|why| away(&why))?;
    let phone = phone.as_ref().map(Phone::digits);
    let answer = with_timeout(pair_by_link().bind(&database, &hash.as_slice(), &phone).one()).await;
    let answer = answer.map_err(|_| away(&"no answer in time"))?.map_err(|why| away(&why))?;
    match answer.as_str() {
        "asked" => Ok(HttpResponse::Accepted().json(serde_json::json!({}))),
        "linked" => Err(Problem::new(ProblemCode::AccountLinked, "a phone is linked already")),
        "other_phone" => Err(Problem::new(ProblemCode::PhoneNotAllowed, "this link is for another number")),
        "no_daemon" => {
            let detail = "no code can be made at the moment: try again in a minute";
            Err(Problem::new(ProblemCode::DaemonUnavailable, detail))
        }
        _ => Err(absent()),
    }
}

impl Door {
    /// The account of the link that the request presents.
    async fn view(&self, request: &HttpRequest) -> Result<(TokenHash, ViewedPairingLink), Problem> {
        let visitor = address_of(request, &self.proxies);
        self.limits.may_guess(visitor).map_err(too_many)?;
        let missed = || {
            self.limits.missed(visitor);
            absent()
        };
        let hash = hash_of(request).ok_or_else(missed)?;
        self.limits.look(hash).map_err(too_many)?;
        let database = self.pool.get().await.map_err(|why| away(&why))?;
        let row = with_timeout(view_pairing_link().bind(&database, &hash.as_slice()).opt()).await;
        let row = row.map_err(|_| away(&"no answer in time"))?.map_err(|why| away(&why))?;
        Ok((hash, row.ok_or_else(missed)?))
    }
}

/// Of the token in the Authorization header, if it can be one.
fn hash_of(request: &HttpRequest) -> Option<TokenHash> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let is_token = token.len() == TOKEN_CHARS
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then(|| Sha256::digest(token).into())
}

fn absent() -> Problem {
    Problem::new(ProblemCode::LinkUnknown, "there is nothing here, or no longer")
}

fn too_many(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Problem::new(ProblemCode::RequestsTooMany, "too many requests: wait a moment").retry_after(seconds)
}

/// A stranger is not told why.
fn away(why: &dyn std::fmt::Display) -> Problem {
    debug!(%why, "the page of pairing links has no answer from the database");
    Problem::new(ProblemCode::DatabaseUnavailable, "this does not work at the moment: try again in a minute")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::PathBuf};

    use actix_web::test::TestRequest;

    use super::*;

    fn source(path: &str) -> String {
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/console/web").join(path)).unwrap()
    }

    #[test]
    fn the_files_that_are_served_are_those_that_the_page_loads() {
        let mut found = BTreeSet::new();
        let mut open = vec![PAGE.to_owned()];
        while let Some(path) = open.pop() {
            let text = source(&path);
            let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            // An address begins with /static/, an import is relative.
            let addresses = text.split(['\'', '"', '#', '`']).filter_map(|word| word.strip_prefix("/static/"));
            let imports = text.lines().filter(|line| line.starts_with("import "));
            let imports =
                imports.filter_map(|line| line.split('\'').nth(1)).map(|name| match name.strip_prefix("../") {
                    Some(above) => above.to_owned(),
                    None => format!("{folder}{}", name.trim_start_matches("./")),
                });
            for named in addresses.map(str::to_owned).chain(imports) {
                if found.insert(named.clone()) {
                    open.push(named);
                }
            }
        }
        assert_eq!(found, FILES.map(str::to_owned).into());
    }

    #[test]
    fn only_what_can_be_a_token_is_looked_up() {
        let hash =
            |header: &str| hash_of(&TestRequest::default().insert_header((AUTHORIZATION, header)).to_http_request());
        let token = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_";
        assert_eq!(hash(&format!("Bearer {token}")), Some(Sha256::digest(token).into()));
        let (long, short) = (format!("Bearer {}", "a".repeat(10_240)), format!("Bearer {}", &token[1..]));
        let odd = format!("Bearer {}'", &token[1..]);
        for wrong in [long.as_str(), &short, &odd, &format!("Basic {token}"), "Bearer", "Bearer ", ""] {
            assert_eq!(hash(wrong), None, "{wrong}");
        }
    }
}
