//! The running server: one listener, one task for each connection.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use waproto::whatsapp::ClientPayload;

use crate::faults::{Occasion, Version};
use crate::noise::ServerKeys;
use crate::peer::{Ending, Peer};
use crate::settings::Settings;
use crate::stanza::failure;
use crate::wire::Line;
use crate::world::{World, now_ms};
use crate::{admin, pairing, session};

/// For a thousand clients that reconnect in the same second.
const BACKLOG: u32 = 4_096;

/// A running sandbox. Dropping it stops it; [`Sandbox::stop`] also waits.
pub struct Sandbox {
    address: SocketAddr,
    admin: SocketAddr,
    stopping: CancellationToken,
    connections: TaskTracker,
    listener: JoinHandle<()>,
    admin_api: admin::Running,
}

impl Sandbox {
    /// Starts on the ambient tokio runtime, which must not be the one whose
    /// only thread then calls [`crate::Remote`].
    ///
    /// Fails when an address is not on loopback or cannot be bound.
    #[expect(clippy::unused_async, reason = "needs an ambient runtime, which an async signature says")]
    pub async fn start(settings: Settings) -> Result<Self> {
        settings.check()?;
        let world = Arc::new(World::new(ServerKeys::generate()?, settings.pace));
        let socket = if settings.listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(settings.listen).with_context(|| format!("cannot listen on {}", settings.listen))?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (admin_api, admin) = admin::start(settings.admin, Arc::clone(&world))?;
        let stopping = CancellationToken::new();
        let connections = TaskTracker::new();
        let listener = tokio::spawn(accept(listener, world, stopping.clone(), connections.clone()));
        Ok(Self { address, admin, stopping, connections, listener, admin_api })
    }

    /// `ws://127.0.0.1:PORT/ws/chat`
    pub fn whatsapp_url(&self) -> String {
        format!("ws://{}/ws/chat", self.address)
    }

    /// `http://127.0.0.1:PORT`
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Cuts every connection and frees both ports.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        // A listener that panicked is stopped as well.
        let _ = (&mut self.listener).await;
        self.connections.close();
        self.connections.wait().await;
        self.admin_api.stop().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

async fn accept(listener: TcpListener, world: Arc<World>, stopping: CancellationToken, connections: TaskTracker) {
    loop {
        let tcp = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    // Out of descriptors, most likely: those that close make room.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        if world.accept() {
            let stopped = stopping.clone().cancelled_owned();
            let serving = serve(Arc::clone(&world), tcp);
            connections.spawn(async move {
                tokio::select! {
                    () = stopped => {}
                    () = serving => {}
                }
            });
        }
    }
}

async fn serve(world: Arc<World>, tcp: TcpStream) {
    let (enrolled, orders) = world.enroll();
    let (line, caller) = match Box::pin(Line::open(tcp, &world.keys)).await {
        Ok(open) => open,
        Err(error) => {
            tracing::debug!(error = format!("{error:#}"), "no handshake");
            return;
        }
    };
    world.count_handshake(caller.pattern);
    let mut peer = Peer::new(world, enrolled, line, orders);
    let (version, device) = (version(&caller.payload), session::claimed(&caller.payload));
    let from = device.as_ref().map_or_else(|| peer.name.clone(), ToString::to_string);
    peer.world.state().report.note_version(now_ms(), &from, version);
    if peer.world.take_fault(Occasion::Introduction { version }).is_some() {
        return Box::pin(peer.end(Ending::With(Box::new(failure(405, None, None))))).await;
    }
    let ending = match device {
        Some(device) => Box::pin(session::run(&mut peer, device, &caller.noise_key)).await,
        None => match pairing::registration(&caller.payload, caller.noise_key) {
            Ok(companion) => Box::pin(pairing::run(&mut peer, companion)).await,
            Err(error) => {
                peer.note_violation(format!("a registration with {error}"));
                Ending::Cut
            }
        },
    };
    Box::pin(peer.end(ending)).await;
}

fn version(payload: &ClientPayload) -> Version {
    let version = &payload.user_agent.app_version;
    let part = |part: Option<u32>| part.unwrap_or_default();
    (part(version.primary), part(version.secondary), part(version.tertiary))
}
