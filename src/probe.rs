//! The probe listener, `PAIRD_PROBE_ADDR`: liveness, readiness and metrics, for orchestrators
//! and Prometheus. It needs no token and may listen beyond loopback, so it serves nothing else,
//! names no account, and closes connections quickly.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    guard,
    http::{KeepAlive, header},
    middleware::{DefaultHeaders, from_fn},
    web::{self, Data},
};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    listen::{ListenAddress, limit_unread_time},
    metrics::{CONTENT_TYPE, Front, count_requests},
    vitals::Vitals,
};

/// More wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 64;
/// For a request to come in whole. The connection ends with its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The running listener.
pub(crate) struct ProbeListener {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl ProbeListener {
    /// Serves in the background, as soon as the address is free.
    pub(crate) fn start(listen: ListenAddress, vitals: Arc<Vitals>) -> Self {
        let ending = CancellationToken::new();
        let server = move |listener| server(listener, &vitals);
        Self { task: actix_web::rt::spawn(listen.serve(ending.clone(), server)), ending }
    }

    pub(crate) async fn stop(self) {
        self.ending.cancel();
        if tokio::time::timeout(STOP_TIMEOUT * 2, self.task).await.is_err() {
            warn!("the probe listener did not close in time");
        }
    }
}

fn server(listener: TcpListener, vitals: &Arc<Vitals>) -> io::Result<Server> {
    let vitals = Data::from(Arc::clone(vitals));
    let app = move || {
        App::new()
            .app_data(vitals.clone())
            .app_data(Front::Probe)
            .wrap(
                DefaultHeaders::new()
                    .add((header::CACHE_CONTROL, "no-store"))
                    .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff")),
            )
            .wrap(from_fn(count_requests))
            .service(read_only("/healthz").to(alive))
            .service(read_only("/readyz").to(ready))
            .service(read_only("/metrics").to(scrape))
            .default_service(web::to(HttpResponse::NotFound))
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

fn read_only(path: &str) -> actix_web::Resource {
    web::resource(path).guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn alive(vitals: Data<Vitals>) -> HttpResponse {
    match vitals.is_alive().await {
        true => HttpResponse::Ok().json(json!({"alive": true})),
        false => HttpResponse::ServiceUnavailable().json(json!({"alive": false})),
    }
}

async fn ready(vitals: Data<Vitals>) -> HttpResponse {
    let readiness = vitals.readiness().await;
    match readiness.ready {
        true => HttpResponse::Ok().json(readiness),
        false => HttpResponse::ServiceUnavailable().json(readiness),
    }
}

async fn scrape(vitals: Data<Vitals>) -> HttpResponse {
    match vitals.exposition().await {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
