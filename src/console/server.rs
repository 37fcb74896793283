//! The listening socket and the workers behind it.

use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    pin::pin,
    sync::atomic::AtomicBool,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::Extensions,
    middleware::from_fn,
    web::{self, Data},
};
use deadpool_postgres::Pool;
use paird_actors::supervisor::handle::SupervisorHandle;
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use utoipa::OpenApi as _;
use utoipa_actix_web::AppExt as _;
use uuid::Uuid;

use super::{
    auth,
    feed::Feed,
    login::Sessions,
    middleware, pages,
    routes::{self, ApiDoc, Document},
    state::AppState,
    token::Token,
    trail::Trail,
};
use crate::metrics::Exposition;
use crate::postgres::{
    lease::{LeaseRow, LeaseStatus},
    pool::Dsn,
    subscriptions::Subscriptions,
};

/// Few callers are expected, and the accounts' work must not wait for them.
/// Of each worker: they share the process's descriptors with the sockets to WhatsApp.
const MAX_CONNECTIONS: usize = 128;
const WORKERS: usize = 2;
const CONNECTIONS: usize = 4;
/// Between two attempts to bind an address that is in use.
const RETRY: Duration = Duration::from_secs(3);
/// A client that stops reading for longer is disconnected.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way may finish.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// What the console needs from the daemon.
pub struct ConsoleSettings {
    pub addr: SocketAddr,
    /// The bound address is written here: for port 0, and for the command line.
    pub addr_file: PathBuf,
    pub token: Token,
    pub dsn: Dsn,
    /// The daemon's own, for the audit log.
    pub daemon_pool: Pool,
    pub event_channel: String,
    pub notifications: Subscriptions,
    pub process: Uuid,
    pub supervisor: SupervisorHandle,
    pub lease: LeaseStatus,
    pub lease_row: LeaseRow,
    pub metrics: Exposition,
    pub master_key_file: PathBuf,
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
        let state = Data::new(AppState {
            process: settings.process,
            pool: settings.dsn.pool_of(CONNECTIONS)?,
            db_login: settings.dsn.login().to_owned(),
            supervisor: settings.supervisor,
            lease: settings.lease,
            lease_row: settings.lease_row,
            metrics: settings.metrics,
            master_key_file: settings.master_key_file,
            feed: Feed::start(settings.dsn, settings.notifications, &settings.event_channel, ending.clone()),
            trail: Trail::start(settings.daemon_pool, settings.process, &ending),
            sessions: Sessions::new(&settings.token),
            token: settings.token,
            draining: AtomicBool::new(false),
            drain_turn: Mutex::default(),
            ending: ending.clone(),
        });
        let listen_loop =
            ListenLoop { addr: settings.addr, addr_file: settings.addr_file, state, ending: ending.clone() };
        Ok(Self { ending, task: actix_web::rt::spawn(listen_loop.run()) })
    }

    /// Ends every stream at once, lets short answers finish, and closes.
    pub async fn stop(self) {
        self.ending.cancel();
        if tokio::time::timeout(STOP_TIMEOUT * 2, self.task).await.is_err() {
            warn!("the console did not close in time");
        }
    }
}

/// Binds the address, serves until the listener fails, and binds it again.
struct ListenLoop {
    addr: SocketAddr,
    addr_file: PathBuf,
    state: Data<AppState>,
    ending: CancellationToken,
}

impl ListenLoop {
    async fn run(self) {
        let mut said = false;
        while !self.ending.is_cancelled() {
            match TcpListener::bind(self.addr) {
                Ok(listener) => {
                    said = false;
                    if let Err(why) = self.serve(listener).await {
                        error!(%why, "the console ended; it is started again");
                    }
                }
                Err(why) if said => debug!(%why, "the console still has no address"),
                Err(why) => {
                    said = true;
                    warn!(addr = %self.addr, %why, "PAIRD_CONSOLE_ADDR: the console cannot listen there; the daemon goes on without it and tries again");
                }
            }
            let _ = self.ending.run_until_cancelled(tokio::time::sleep(RETRY)).await;
        }
    }

    async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let addr = listener.local_addr()?;
        let state = self.state.clone();
        let server = HttpServer::new(move || {
            let (app, document) = App::new()
                .into_utoipa_app()
                .openapi(ApiDoc::openapi())
                .map(|app| {
                    app.wrap(from_fn(auth::authenticate)).wrap(from_fn(middleware::finish)).configure(routes::strict)
                })
                .app_data(state.clone())
                .configure(routes::api)
                .split_for_parts();
            app.configure(pages::pages)
                .app_data(Data::new(Document::new(document, state.sessions.cookie())))
                .default_service(web::to(routes::nothing))
        });
        let server = server
            .workers(WORKERS)
            .max_connections(MAX_CONNECTIONS)
            .on_connect(limit_unread_time)
            .disable_signals()
            .shutdown_timeout(STOP_TIMEOUT.as_secs())
            .listen(listener)?
            .run();
        if let Err(why) = std::fs::write(&self.addr_file, addr.to_string()) {
            warn!(%why, file = %self.addr_file.display(), "could not write the console's address");
        }
        info!(%addr, "the console is listening");
        let handle = server.handle();
        let mut server = pin!(server);
        let served = tokio::select! {
            ended = &mut server => ended,
            () = self.ending.cancelled() => tokio::join!(handle.stop(true), server).1,
        };
        // It may be gone with the whole data directory.
        let _ = std::fs::remove_file(&self.addr_file);
        served
    }
}

/// Lets the kernel disconnect a client that stops reading: the dispatcher does not poll a
/// connection that accepts no data.
#[cfg(target_os = "linux")]
fn limit_unread_time(connection: &dyn Any, _: &mut Extensions) {
    use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
    if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let most = u32::try_from(UNREAD_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        // If this fails, the connection only lives longer.
        let _ = setsockopt(socket, TcpUserTimeout, &most);
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_unread_time(_: &dyn Any, _: &mut Extensions) {}
