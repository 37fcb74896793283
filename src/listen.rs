//! An HTTP listener that lives as long as the daemon: bound as soon as its address is free,
//! and again if it fails.

use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use actix_web::dev::{Extensions, Server};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::private_file;

/// Between two attempts to bind an address that is in use.
const RETRY: Duration = Duration::from_secs(3);
/// A client that stops reading for longer is disconnected.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(10);

/// An address to listen on, and its name in the log.
pub(crate) struct ListenAddress {
    pub(crate) name: &'static str,
    pub(crate) setting: &'static str,
    pub(crate) addr: SocketAddr,
    /// The bound address is written here: for port 0, and for the command line.
    pub(crate) addr_file: PathBuf,
    /// Where the token is that it wants, if it wants one.
    pub(crate) token_file: Option<PathBuf>,
}

impl ListenAddress {
    /// Serves until cancelled. Short responses that are under way then may finish.
    pub(crate) async fn serve(self, ending: CancellationToken, server: impl Fn(TcpListener) -> io::Result<Server>) {
        let Self { name, setting, addr, .. } = self;
        let mut said = false;
        while !ending.is_cancelled() {
            match TcpListener::bind(addr) {
                Ok(listener) => {
                    said = false;
                    if let Err(why) = self.serve_on(listener, &ending, &server).await {
                        error!(%why, "{name} ended; it is started again");
                    }
                }
                Err(why) if said => debug!(%why, "{name} still has no address"),
                Err(why) => {
                    said = true;
                    warn!(%addr, %why, "{setting}: {name} cannot listen there; the daemon goes on without it and tries again");
                }
            }
            let _ = ending.run_until_cancelled(tokio::time::sleep(RETRY)).await;
        }
    }

    async fn serve_on(
        &self,
        listener: TcpListener,
        ending: &CancellationToken,
        server: &impl Fn(TcpListener) -> io::Result<Server>,
    ) -> io::Result<()> {
        let addr = listener.local_addr()?;
        let server = server(listener)?;
        if let Err(why) = private_file::replace(&self.addr_file, addr.to_string().as_bytes()) {
            warn!(%why, file = %self.addr_file.display(), "failed to write the address of {}", self.name);
        }
        match &self.token_file {
            Some(file) => info!(%addr, "{} is listening: {}", self.name, page_in_words(addr, file)),
            None => info!(%addr, "{} is listening", self.name),
        }
        let served = until_ending(server, ending).await;
        // It may be gone with the whole data directory.
        let _ = std::fs::remove_file(&self.addr_file);
        served
    }
}

/// The address that a listener has written down, else the one in the settings.
pub(crate) fn known_address(addr_file: &Path, setting: Option<SocketAddr>) -> Option<SocketAddr> {
    let told = std::fs::read_to_string(addr_file).ok().and_then(|text| text.trim().parse().ok());
    told.or(setting)
}

/// Where the pages are and where their token is: the same words in the log and by `paird console`.
pub(crate) fn page_in_words(addr: SocketAddr, token_file: &Path) -> String {
    format!("http://{addr}/ (token: {})", token_file.display())
}

/// Runs a server, and stops it when the daemon ends.
pub(crate) async fn until_ending(server: Server, ending: &CancellationToken) -> io::Result<()> {
    let handle = server.handle();
    let mut server = pin!(server);
    tokio::select! {
        ended = &mut server => ended,
        () = ending.cancelled() => tokio::join!(handle.stop(true), server).1,
    }
}

/// Lets the kernel disconnect a client that stops reading: the dispatcher does not poll a
/// connection that accepts no data.
#[cfg(target_os = "linux")]
pub(crate) fn limit_unread_time(connection: &dyn Any, _: &mut Extensions) {
    use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
    if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
        let most = u32::try_from(UNREAD_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        // If this fails, the connection only lives longer.
        let _ = setsockopt(socket, TcpUserTimeout, &most);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn limit_unread_time(_: &dyn Any, _: &mut Extensions) {}
