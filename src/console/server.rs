//! The listening socket and the workers behind it.

use std::{io, net::TcpListener, os::unix::net::UnixListener, path::PathBuf, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{self, Data},
};
use deadpool_postgres::Pool;
use paird_actors::supervisor::handle::SupervisorHandle;
use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use utoipa::OpenApi as _;
use utoipa_actix_web::AppExt as _;
use uuid::Uuid;

use super::{
    auth,
    feed::Feed,
    live::MOST_STREAMS,
    login::Sessions,
    middleware, pages,
    routes::{self, ApiDoc, Document},
    socket,
    state::AppState,
    token::Token,
    trail::Trail,
};
use crate::checks::OwnChecks;
use crate::listen::{ListenAddress, limit_unread_time};
use crate::metrics::{Front, count_requests};
use crate::postgres::{lease::LeaseRow, pool::Dsn, subscriptions::Subscriptions};
use crate::vitals::Vitals;

/// Few callers are expected, and the accounts' work must not wait for them.
/// Of each worker: they share the process's descriptors with the sockets to WhatsApp.
const MAX_CONNECTIONS: usize = 128;
const WORKERS: usize = 2;
const CONNECTIONS: usize = 4;
/// Requests under way may finish.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The console's settings and its dependencies in the daemon.
pub struct ConsoleSettings {
    pub(crate) listen: ListenAddress,
    /// For the command line, which needs no token there.
    pub socket: PathBuf,
    pub token: Token,
    /// `PAIRD_CONSOLE_MESSAGES`: whether a session of the pages may send messages.
    pub pages_send: bool,
    pub dsn: Dsn,
    /// The daemon's own, for the audit log.
    pub daemon_pool: Pool,
    pub event_channel: String,
    pub notifications: Subscriptions,
    pub process: Uuid,
    pub supervisor: SupervisorHandle,
    pub lease_row: LeaseRow,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) checks: OwnChecks,
    pub master_key_file: PathBuf,
    pub link_url: Option<String>,
}

/// The running console.
pub struct Console {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Console {
    /// Serves in the background, as soon as the address is free.
    ///
    /// # Errors
    /// Only a setting of the pool.
    pub fn start(settings: ConsoleSettings) -> anyhow::Result<Self> {
        let ending = CancellationToken::new();
        let pool = settings.dsn.pool_of(CONNECTIONS)?;
        settings.vitals.metrics().watch_pool("console", pool.clone());
        let state = Data::new(AppState {
            process: settings.process,
            pool,
            db_login: settings.dsn.login().to_owned(),
            supervisor: settings.supervisor,
            lease_row: settings.lease_row,
            vitals: settings.vitals,
            checks: settings.checks,
            master_key_file: settings.master_key_file,
            link_url: settings.link_url,
            feed: Feed::start(settings.dsn, settings.notifications, &settings.event_channel, ending.clone()),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            trail: Trail::start(settings.daemon_pool, settings.process, &ending),
            sessions: Sessions::new(&settings.token),
            token: settings.token,
            pages_send: settings.pages_send,
            drain_turn: Mutex::default(),
            ending: ending.clone(),
        });
        let for_socket = state.clone();
        let by_address =
            settings.listen.serve(ending.clone(), move |listener| server(ListenSocket::Address(listener), &state));
        let by_socket = socket::serve(settings.socket, ending.clone(), move |listener| {
            server(ListenSocket::Socket(listener), &for_socket)
        });
        let served = async {
            tokio::join!(by_address, by_socket);
        };
        Ok(Self { ending, task: actix_web::rt::spawn(served) })
    }

    /// Ends every stream at once, lets short answers finish, and closes.
    pub async fn stop(self) {
        self.ending.cancel();
        if tokio::time::timeout(STOP_TIMEOUT * 2, self.task).await.is_err() {
            warn!("the console did not close in time");
        }
    }
}

/// A socket on which the console listens.
enum ListenSocket {
    Address(TcpListener),
    Socket(UnixListener),
}

fn server(socket: ListenSocket, state: &Data<AppState>) -> io::Result<Server> {
    let (state, vitals) = (state.clone(), Data::from(Arc::clone(&state.vitals)));
    let app = move || {
        let (app, document) = App::new()
            .into_utoipa_app()
            .openapi(ApiDoc::openapi())
            .map(|app| {
                app.wrap(from_fn(auth::authenticate))
                    .wrap(from_fn(middleware::finish))
                    .wrap(from_fn(count_requests))
                    .configure(routes::strict)
            })
            .app_data(state.clone())
            .app_data(vitals.clone())
            .app_data(Front::Console)
            .configure(routes::api)
            .split_for_parts();
        app.configure(pages::pages)
            .app_data(Data::new(Document::new(document, state.sessions.cookie())))
            .default_service(web::to(routes::nothing))
    };
    let server = HttpServer::new(app)
        .max_connections(MAX_CONNECTIONS)
        .on_connect(|connection, extensions| {
            limit_unread_time(connection, extensions);
            socket::mark_owner(connection, extensions);
        })
        .disable_signals()
        .shutdown_timeout(STOP_TIMEOUT.as_secs());
    Ok(match socket {
        ListenSocket::Address(listener) => server.workers(WORKERS).listen(listener)?.run(),
        ListenSocket::Socket(listener) => server.workers(1).listen_uds(listener)?.run(),
    })
}
