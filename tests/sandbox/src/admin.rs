//! The admin API: plain HTTP and JSON. The README lists the routes.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, ResponseError};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::faults::Fault;
use crate::inject::parse_device;
use crate::journal::Report;
use crate::odd::Stanza;
use crate::orders::{Order, Scan, ScanOptions, TypedCode};
use crate::phone::{Group, LinkedDevice, Naming, ShownTyping};
use crate::post::STRANGERS;
use crate::post::ledger::Posted;
use crate::post::members::SharedGroup;
use crate::qr::{Qr, read_png};
use crate::settings::Pace;
use crate::talk::history::History;
use crate::talk::shown::ShownMessage;
use crate::talk::{HandSettings, Reading, Writing, Written};
use crate::world::{DeviceId, World};

/// A screenshot of a QR is some 10 kB.
const LARGEST_BODY: usize = 1024 * 1024;

pub(crate) struct Running(ServerHandle);

impl Running {
    pub(crate) async fn stop(&self) {
        self.0.stop(false).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The order is given by the call; only its completion would need a wait.
        drop(self.0.stop(false));
    }
}

pub(crate) fn start(address: SocketAddr, world: Arc<World>) -> anyhow::Result<(Running, SocketAddr)> {
    let media_of = Arc::clone(&world);
    let world = Data::from(world);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(world.clone())
            .app_data(web::JsonConfig::default().limit(LARGEST_BODY).error_handler(|error, _| refused(&error).into()))
            .wrap(from_fn(own_callers_alone))
            .configure(routes)
            .default_service(web::to(|| async {
                Refused(StatusCode::NOT_FOUND, "no such route".to_owned()).response()
            }))
    })
    .workers(1)
    // A busy machine takes longer than the usual 5 s to read a request, which would be answered with 408.
    .client_request_timeout(std::time::Duration::from_secs(60))
    .disable_signals()
    .bind(address)
    .with_context(|| format!("cannot listen on {address}"))?;
    let address = *server.addrs().first().context("the admin api has no address")?;
    media_of.state().media_host = address.to_string();
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok((Running(handle), address))
}

/// No page of another site may use the phones: a browser says where a request is from, and a
/// name that is not this machine's leads here by DNS rebinding.
async fn own_callers_alone<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_of_a_page = header("origin").is_some() || header("sec-fetch-site").is_some_and(|site| site != "none");
    let host = header("host").and_then(|host| host.parse::<Uri>().ok());
    let is_here = host.as_ref().and_then(Uri::host).is_some_and(|host| {
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    });
    if is_of_a_page || !is_here {
        let refused = Refused(StatusCode::FORBIDDEN, "this is for programs on this machine, not for pages".to_owned());
        return Ok(request.into_response(refused.response()).map_into_boxed_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/phones", web::get().to(phones))
        .route("/phones", web::post().to(add_phone))
        .route("/phones/{number}/groups", web::put().to(set_groups))
        .route("/phones/{number}/business", web::put().to(set_business))
        .route("/phones/{number}/stanzas", web::post().to(say))
        .route("/phones/{number}/messages", web::post().to(write))
        .route("/phones/{number}/messages", web::get().to(messages))
        .route("/phones/{number}/typing", web::get().to(typing))
        .route("/phones/{number}/burst", web::post().to(burst))
        .route("/phones/{number}/read", web::post().to(read))
        .route("/phones/{number}/hand/{device}", web::patch().to(set_hand))
        .route("/phones/{number}/push_name", web::put().to(set_push_name))
        .route("/phones/{number}/settings/push_name", web::put().to(change_own_name))
        .route("/phones/{number}/history", web::put().to(set_history))
        .route("/media/{name}", web::get().to(media))
        .route("/phones/{number}/companions", web::post().to(add_companion))
        .route("/phones/{number}/waiting/{device}", web::get().to(waiting))
        .route("/posted", web::get().to(posted))
        .route("/groups/{jid}", web::put().to(set_shared_group))
        .route("/phones/{number}/scan", web::post().to(scan))
        .route("/phones/{number}/code", web::post().to(type_code))
        .route("/phones/{number}/passkey", web::put().to(set_passkey))
        .route("/phones/{number}/passkey/assertion", web::post().to(assertion))
        .route("/phones/{number}/passkey/code", web::get().to(passkey_code))
        .route("/phones/{number}/devices", web::get().to(devices))
        .route("/phones/{number}/devices/{jid}", web::delete().to(unlink))
        .route("/faults", web::get().to(faults))
        .route("/faults", web::post().to(fault))
        .route("/faults", web::delete().to(clear_faults))
        .route("/pace", web::get().to(pace))
        .route("/pace", web::put().to(set_pace))
        .route("/report", web::get().to(report));
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPhone {
    pub(crate) number: String,
}

/// Either `qr` or `png`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct NewScan {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) qr: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) png: Option<String>,
    #[serde(flatten)]
    pub(crate) options: ScanOptions,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCode {
    pub(crate) code: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPasskey {
    #[serde(default = "a_minute")]
    pub(crate) timeout_ms: u64,
}

/// The name of the business; none for a person's phone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBusiness {
    pub(crate) name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Burst {
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) naming: Naming,
    pub(crate) texts: Vec<String>,
}

/// A device's screen, and one chat on it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    #[serde(default)]
    device: u16,
    chat: Option<String>,
}

/// Stanzas that the server keeps for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Stanzas that the device has not said to have.
    pub stanzas: usize,
    pub one_time_keys: usize,
}

fn a_minute() -> u64 {
    60_000
}

/// The body of every answer that is not 2xx.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Complaint {
    pub(crate) error: String,
}

async fn phones(world: Data<World>) -> Json<Vec<String>> {
    Json(world.state().phones.keys().filter(|number| !number.starts_with(STRANGERS)).cloned().collect())
}

async fn add_phone(world: Data<World>, phone: Json<NewPhone>) -> Outcome {
    world.add_phone(&phone.number)?;
    done()
}

async fn set_groups(world: Data<World>, number: Path<String>, groups: Json<Vec<Group>>) -> Outcome {
    world.set_groups(&number, groups.into_inner())?;
    done()
}

async fn set_business(world: Data<World>, number: Path<String>, business: Json<NewBusiness>) -> Outcome {
    world.set_business(&number, business.into_inner().name)?;
    done()
}

async fn say(world: Data<World>, number: Path<String>, stanza: Json<Stanza>) -> Outcome {
    world.say(&number, &stanza)?;
    done()
}

async fn write(world: Data<World>, number: Path<String>, writing: Json<Writing>) -> Result<Json<Written>, Refused> {
    Ok(Json(world.state().write(&number, &writing)?))
}

/// So many texts, one after another.
async fn burst(world: Data<World>, number: Path<String>, burst: Json<Burst>) -> Result<Json<Vec<Written>>, Refused> {
    let written = burst.texts.iter().map(|text| {
        let writing = Writing { naming: burst.naming, ..Writing::text(&burst.to, text) };
        // Others get their turn in between.
        world.state().write(&number, &writing)
    });
    Ok(Json(written.collect::<Result<_, _>>()?))
}

async fn messages(
    world: Data<World>,
    number: Path<String>,
    looked: web::Query<Look>,
) -> Result<Json<Vec<ShownMessage>>, Refused> {
    let device = DeviceId { number: number.into_inner(), device: looked.device };
    Ok(Json(world.state().screen(&device, looked.chat.as_deref())?))
}

async fn typing(world: Data<World>, number: Path<String>) -> Result<Json<Vec<ShownTyping>>, Refused> {
    Ok(Json(world.state().phone(&number)?.typing.clone()))
}

async fn read(world: Data<World>, number: Path<String>, reading: Json<Reading>) -> Outcome {
    world.state().read(&number, &reading)?;
    done()
}

async fn set_hand(world: Data<World>, path: Path<(String, u16)>, settings: Json<HandSettings>) -> Outcome {
    let (number, device) = path.into_inner();
    world.state().set_hand(&DeviceId { number, device }, &settings)?;
    done()
}

async fn set_push_name(world: Data<World>, number: Path<String>, name: Json<String>) -> Outcome {
    world.state().phone(&number)?.push_name = name.into_inner();
    done()
}

async fn change_own_name(world: Data<World>, number: Path<String>, name: Json<String>) -> Outcome {
    world.state().change_own_name(&number, &name)?;
    done()
}

async fn set_history(world: Data<World>, number: Path<String>, history: Json<History>) -> Outcome {
    world.set_history(&number, history.into_inner())?;
    done()
}

/// The media host.
async fn media(world: Data<World>, name: Path<String>) -> Outcome {
    let (status, body) = world.media(&name).await?;
    let status = StatusCode::from_u16(status).map_err(anyhow::Error::from)?;
    Ok(HttpResponse::build(status).content_type("application/octet-stream").body(body))
}

/// Adds a device that the sandbox plays itself, without announcing it.
async fn add_companion(world: Data<World>, number: Path<String>) -> Result<Json<u16>, Refused> {
    Ok(Json(world.state().phone(&number)?.add_companion()?))
}

async fn waiting(world: Data<World>, path: Path<(String, u16)>) -> Result<Json<Waiting>, Refused> {
    let (number, device) = path.into_inner();
    let state = world.state();
    let device = state.device(&DeviceId { number, device }).context("the phone has no such device")?;
    Ok(Json(Waiting { stanzas: device.queue.len(), one_time_keys: device.bundle.count() }))
}

async fn posted(world: Data<World>) -> Json<BTreeMap<String, Vec<Posted>>> {
    Json(world.state().ledger.list())
}

async fn set_shared_group(world: Data<World>, jid: Path<String>, group: Json<SharedGroup>) -> Outcome {
    world.state().set_shared_group(&jid, group.into_inner())?;
    done()
}

async fn scan(world: Data<World>, number: Path<String>, scan: Json<NewScan>) -> Outcome {
    let payload = match scan.into_inner() {
        NewScan { qr: Some(qr), png: None, options } => (qr, options),
        NewScan { qr: None, png: Some(png), options } => {
            (web::block(move || read_png(&png)).await.map_err(anyhow::Error::from)??, options)
        }
        NewScan { .. } => return Err(Refused::bad("a scan needs either qr or png")),
    };
    let (qr, options) = (Qr::parse(&payload.0)?, payload.1);
    let number = number.into_inner();
    world.state().phone(&number)?;
    let mailbox = world.shown_by(&qr.reference)?;
    confirmed(&mailbox, |done| Order::Scan(Box::new(Scan { number, qr, options, done }))).await
}

async fn type_code(world: Data<World>, number: Path<String>, code: Json<NewCode>) -> Outcome {
    let number = number.into_inner();
    world.state().phone(&number)?;
    let mailbox = world.code_shown_by(&number)?;
    let code = code.into_inner().code;
    confirmed(&mailbox, |done| Order::TypeCode(Box::new(TypedCode { number, code, done }))).await
}

async fn set_passkey(world: Data<World>, number: Path<String>, passkey: Json<NewPasskey>) -> Outcome {
    world.set_passkey(&number, passkey.timeout_ms)?;
    done()
}

/// The phone's owner holds a finger on it.
async fn assertion(world: Data<World>, number: Path<String>, options: Json<Value>) -> Result<Json<Value>, Refused> {
    Ok(Json(world.passkey_of(&number, |passkey| passkey.assertion(&options))?))
}

async fn passkey_code(world: Data<World>, number: Path<String>) -> Result<Json<String>, Refused> {
    Ok(Json(world.passkey_code(&number)?))
}

async fn devices(world: Data<World>, number: Path<String>) -> Result<Json<Vec<LinkedDevice>>, Refused> {
    Ok(Json(world.devices(&number)?))
}

async fn unlink(world: Data<World>, path: Path<(String, String)>) -> Outcome {
    let (number, jid) = path.into_inner();
    let device = parse_device(&jid)?;
    if device.number != number {
        return Err(Refused::bad("the device is not of this phone"));
    }
    world.unlink(&device)?;
    done()
}

async fn faults(world: Data<World>) -> Json<Vec<Fault>> {
    Json(world.state().armed.list())
}

async fn fault(world: Data<World>, fault: Json<Fault>) -> Outcome {
    world.inject(fault.into_inner())?;
    done()
}

async fn clear_faults(world: Data<World>) -> Outcome {
    world.clear_faults();
    done()
}

async fn pace(world: Data<World>) -> Json<Pace> {
    Json(world.pace())
}

async fn set_pace(world: Data<World>, pace: Json<Pace>) -> Outcome {
    pace.check()?;
    world.state().pace = pace.into_inner();
    done()
}

async fn report(world: Data<World>) -> Json<Report> {
    Json(world.report())
}

type Outcome = Result<HttpResponse, Refused>;

fn done() -> Outcome {
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a connection an order and waits for its word.
async fn confirmed(
    mailbox: &mpsc::Sender<Order>,
    order: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Order,
) -> Outcome {
    let gone = || Refused::bad("the connection ended before the link was offered");
    let (sender, outcome) = oneshot::channel();
    mailbox.try_send(order(sender)).map_err(|_| gone())?;
    match outcome.await {
        Ok(Ok(())) => done(),
        Ok(Err(error)) => Err(Refused::bad(error)),
        Err(_) => Err(gone()),
    }
}

#[derive(Debug)]
struct Refused(StatusCode, String);

impl Refused {
    fn bad(error: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into())
    }

    fn response(&self) -> HttpResponse {
        HttpResponse::build(self.0).json(Complaint { error: self.1.clone() })
    }
}

fn refused(error: &dyn fmt::Display) -> Refused {
    Refused::bad(error.to_string())
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::bad(format!("{error:#}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
