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
use paird_actors::{lease::LeaseState, supervisor::handle::SupervisorHandle};
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
};
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
};
use crate::metrics::Exposition;
use crate::postgres::{lease::LeaseRow, pool::Dsn};

/// People and a few programs; the accounts' work must not wait for them.
const WORKERS: usize = 2;
const CONNECTIONS: usize = 4;
/// Between two tries to get an address that somebody else has.
const RETRY: Duration = Duration::from_secs(3);
/// How long a client may leave unread what was sent to it.
const UNREAD_TIME: Duration = Duration::from_secs(10);
/// An answer under way may be finished.
const STOP_TIME: Duration = Duration::from_secs(1);

/// What the console is given.
pub struct Settings {
    pub addr: SocketAddr,
    /// Where the address is written that was bound: for port 0, and for the command line.
    pub addr_file: PathBuf,
    pub token: Token,
    pub dsn: Dsn,
    pub event_channel: String,
    pub process: Uuid,
    pub supervisor: SupervisorHandle,
    pub lease: watch::Receiver<LeaseState>,
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
    /// Serves in the background; an address that is in use is waited for.
    ///
    /// # Errors
    /// Only a setting of the pool.
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        let ending = CancellationToken::new();
        let state = Data::new(AppState {
            process: settings.process,
            pool: settings.dsn.pool_of(CONNECTIONS)?,
            supervisor: settings.supervisor,
            lease: settings.lease,
            lease_row: settings.lease_row,
            metrics: settings.metrics,
            master_key_file: settings.master_key_file,
            feed: Feed::start(settings.dsn, &settings.event_channel, ending.clone()),
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
        if tokio::time::timeout(STOP_TIME * 2, self.task).await.is_err() {
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
            .on_connect(give_up_on_who_does_not_read)
            .disable_signals()
            .shutdown_timeout(STOP_TIME.as_secs())
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
        // Gone with the data directory, it is gone too.
        let _ = std::fs::remove_file(&self.addr_file);
        served
    }
}

/// A consumer that lets its stream pile up is cut off by the kernel: the dispatcher does
/// not look at a connection that takes nothing.
#[cfg(target_os = "linux")]
fn give_up_on_who_does_not_read(connection: &dyn Any, _: &mut Extensions) {
    use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
    if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let most = u32::try_from(UNREAD_TIME.as_millis()).unwrap_or(u32::MAX);
        // Without it the connection only lives longer.
        let _ = setsockopt(socket, TcpUserTimeout, &most);
    }
}

#[cfg(not(target_os = "linux"))]
fn give_up_on_who_does_not_read(_: &dyn Any, _: &mut Extensions) {}
