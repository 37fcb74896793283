//! Wiring: makes the parts, hands them to each other, and takes them down in order.

mod bells;
mod boot;
mod limits;
mod shutdown;

use std::{sync::Arc, time::Duration};

use actix::{Arbiter, System};
use anyhow::Context as _;
use paird_actors::{
    lease::Turn,
    supervisor::{RosterPolicy, actor as supervisor, handle::SupervisorHandle},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::watch,
};
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use crate::{
    checks::{FIRST_ACCOUNT, OwnChecks},
    config::Config,
    console::{self, Console, PairingPage},
    credentials::{CredentialStore, MasterKeyError},
    listen::ListenAddress,
    metrics::{Exposition, MeteredGateway, MeteredMessages, MeteredOutgoing, MeteredStore, Meters},
    postgres::{
        chats::PgChats,
        client_version::KeptVersion,
        lease::{Lease, LeaseEvent, Stranger, find_stranger},
        listener::{ListenMode, Listener},
        messages::PgMessages,
        outbox::Outbox,
        outgoing::PgOutgoing,
        prune,
        store::PgStore,
    },
    probe::ProbeListener,
    qr, systemd,
    vitals::Vitals,
    whatsapp::{
        OutgoingStore, cert_check,
        gateway::{self, WhatsApp},
    },
};
use boot::DaemonDatabase;
use shutdown::Stop;

/// Everything is compared with the database at least this often.
const TICK: Duration = Duration::from_secs(15);
/// One to renew the lease with, and one to look at the others' meanwhile.
const HEARTBEAT_CONNECTIONS: usize = 2;
/// A flood of incoming messages must not delay the accounts' work.
const MESSAGE_CONNECTIONS: usize = 4;
/// Probes and scrapes must not wait for the accounts' work.
const VITALS_CONNECTIONS: usize = 2;
/// Between two tries to open the credentials while the database is away.
const RETRY: Duration = Duration::from_secs(1);
/// How long the end of a start waits for the database.
const FORGO_TIMEOUT: Duration = Duration::from_secs(1);
/// Behind a proxy that does not pass LISTEN the daemon is up all the same.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the daemon until SIGTERM or SIGINT.
///
/// # Errors
/// The reason why it cannot start, in one line: a build that does not verify WhatsApp's
/// certificate, no Postgres found, a master key that does not decrypt the sealed data. An
/// unavailable database is no error: it is waited for.
pub fn run(config: Config) -> anyhow::Result<()> {
    cert_check::self_test()?;
    limits::set();
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let runtime = Arc::new(runtime);
    let system = System::with_tokio_rt({
        let runtime = Arc::clone(&runtime);
        move || runtime
    });
    let served = system.block_on(serve(config, Arc::clone(&runtime)));
    drop(system);
    abandon(runtime);
    served
}

/// Ends the runtime without waiting for threads that are still busy, such as with a pair
/// code's key or a version lookup: their results are no longer needed.
fn abandon(runtime: Arc<Runtime>) {
    match Arc::try_unwrap(runtime) {
        Ok(runtime) => runtime.shutdown_background(),
        // Never dropped, so never waited for: the process ends next.
        Err(shared) => std::mem::forget(shared),
    }
}

async fn serve(config: Config, runtime: Arc<Runtime>) -> anyhow::Result<()> {
    let mut stop = Stop::on_signals()?;
    systemd::status("opening the database");
    let database = match stop.unless(DaemonDatabase::open(&config)).await {
        Some(database) => database?,
        None => return Ok(()),
    };
    let served = serve_with(&config, &database, &mut stop, runtime).await;
    database.close().await;
    served
}

async fn serve_with(
    config: &Config,
    database: &DaemonDatabase,
    stop: &mut Stop,
    runtime: Arc<Runtime>,
) -> anyhow::Result<()> {
    let process = Uuid::now_v7();
    let token = console_token(config)?;
    // Separate pools, so that the keys of a thousand logins cannot delay the writes of
    // accounts' rows, and nothing can delay the heartbeat.
    let (pool, keys, heartbeat) =
        (database.dsn().pool()?, database.dsn().pool_with_long_wait()?, database.dsn().pool_of(HEARTBEAT_CONNECTIONS)?);
    let Some(credentials) = stop.unless(open_credentials(&keys, process, config)).await else { return Ok(()) };
    let credentials = Arc::new(credentials?);
    let Some(lease) = stop.unless(lease(&heartbeat, process, config, credentials.master_keys())).await else {
        forgo_lease(&heartbeat, process).await;
        return Ok(());
    };
    if let Some(known) = stop.unless(know_neighbours(&heartbeat, process, config)).await
        && let Err(stranger) = known
    {
        release(lease).await;
        return Err(stranger);
    }
    let vitals_pool = database.dsn().pool_of(VITALS_CONNECTIONS)?;
    let message_pool = database.dsn().pool_that_plans_once(MESSAGE_CONNECTIONS)?;
    let pools = [
        ("accounts", pool.clone()),
        ("keys", keys.clone()),
        ("heartbeat", heartbeat.clone()),
        ("vitals", vitals_pool.clone()),
        ("messages", message_pool.clone()),
    ];
    let outbox = Outbox::start(pool.clone(), process, &config.event_channel, config.event_payload);
    let listener =
        Listener::start(database.dsn().clone(), pool.clone(), &config.command_channel, config.notify_commands);
    let pruning = prune::start(pool.clone(), config.keep);
    let meters = Arc::new(Meters::default());
    let daemon_pool = pool.clone();
    let store = PgStore::new(pool, process, outbox.waker(), listener.wake()).with_resync(listener.resync());
    let store = Arc::new(MeteredStore::new(Arc::new(store), Arc::clone(&meters)));
    let outgoing = PgOutgoing::new(message_pool.clone(), process, outbox.waker());
    let outgoing: Arc<dyn OutgoingStore> = Arc::new(MeteredOutgoing::new(Arc::new(outgoing), Arc::clone(&meters)));
    let chats = PgChats::new(message_pool.clone(), process);
    let gateway = WhatsApp::new(gateway::GatewaySettings {
        url: config.whatsapp_url.clone(),
        runtime: runtime.handle().clone(),
        credentials,
        device_name: config.device_name.clone(),
        connect_rate: config.connect_rate,
        proxy_allow: config.proxy_allow.clone(),
        versions: Arc::new(KeptVersion::new(daemon_pool.clone())),
        odd: {
            let meters = Arc::clone(&meters);
            Arc::new(move |kind| meters.stanza_was_odd(kind))
        },
        proxied: {
            let meters = Arc::clone(&meters);
            Arc::new(move |dial| meters.proxy_was_dialled(dial))
        },
        messages: {
            let messages = PgMessages::new(message_pool, process, outbox.waker());
            Arc::new(MeteredMessages::new(Arc::new(messages), Arc::clone(&meters)))
        },
        outgoing: Arc::clone(&outgoing),
        chats: Arc::new(chats),
        bells: Arc::new(listener.subscriptions()),
        sending: config.outgoing_policy(),
    });
    let looking = bells::look_for_messages(outgoing, listener.subscriptions(), listener.mode());
    let arbiters: Vec<Arbiter> = (0..runtime.metrics().num_workers())
        .map(|_| {
            let runtime = Arc::clone(&runtime);
            Arbiter::with_tokio_rt(move || runtime)
        })
        .collect();
    let supervisor = supervisor::start(supervisor::SupervisorConfig {
        store: Arc::clone(&store) as _,
        gateway: Arc::new(MeteredGateway::new(Arc::new(gateway), Arc::clone(&meters))),
        qr: Arc::new(qr::Painter),
        policy: config.policy(),
        roster: RosterPolicy { per_round: per_round(config.connect_rate), ..RosterPolicy::default() },
        lease: lease.status().epoch_now(),
        arbiters: arbiters.iter().map(Arbiter::handle).collect(),
        runtime: runtime.handle().clone(),
        seed: Arc::new(rand::random::<u128>),
    });

    let metrics = Exposition::new(meters, &lease, runtime.handle().clone());
    metrics.watch_lane(listener.lane_totals());
    for (name, pool) in pools {
        metrics.watch_pool(name, pool);
    }
    let vitals = Arc::new(Vitals::new(vitals_pool, supervisor.clone(), lease.status(), metrics));
    let console = match config.console_addr.zip(token) {
        None => None,
        Some((addr, token)) => Some(Console::start(console::ConsoleSettings {
            listen: ListenAddress {
                name: "the console",
                setting: "PAIRD_CONSOLE_ADDR",
                addr,
                addr_file: config.console_addr_file(),
                token_file: Some(config.console_token_file.clone()),
            },
            socket: config.console_socket(),
            checks: OwnChecks::new(config.clone(), database.dsn().clone(), daemon_pool.clone(), Arc::clone(&vitals)),
            token,
            pages_send: config.console_sends,
            dsn: database.console_dsn().clone(),
            daemon_pool,
            event_channel: config.event_channel.clone(),
            notifications: listener.subscriptions(),
            process,
            supervisor: supervisor.clone(),
            lease_row: lease.row(),
            vitals: Arc::clone(&vitals),
            master_key_file: config.master_key_file.clone(),
            link_url: config.link_url.clone(),
        })?),
    };
    let pairing_page = match config.link_addr {
        None => None,
        Some(addr) => Some(PairingPage::start(console::PairingPageSettings {
            listen: ListenAddress {
                name: "the page of pairing links",
                setting: "PAIRD_LINK_ADDR",
                addr,
                addr_file: config.link_addr_file(),
                token_file: None,
            },
            dsn: database.console_dsn().clone(),
            proxies: config.link_proxies.clone(),
            vitals: Arc::clone(&vitals),
        })?),
    };
    let probes = config.probe_addr.map(|addr| {
        let addr_file = config.probe_addr_file();
        let (name, setting) = ("the probe listener", "PAIRD_PROBE_ADDR");
        let listen = ListenAddress { name, setting, addr, addr_file, token_file: None };
        ProbeListener::start(listen, Arc::clone(&vitals))
    });
    let history = console.is_some().then(|| {
        let vitals = Arc::clone(&vitals);
        tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move { vitals.keep_history().await }))
    });
    let mut running = Running { supervisor, listener, lease, outbox, console, pairing_page, probes, vitals };
    running.until(stop, process).await;
    drop((pruning, looking, history));
    shutdown::in_order(running).await;
    for arbiter in arbiters {
        arbiter.stop();
        // An arbiter that panicked has nothing left to say.
        let _ = arbiter.join();
    }
    tell_tasks();
    info!("paird is down");
    Ok(())
}

/// The parts that are taken down in order.
struct Running {
    supervisor: SupervisorHandle,
    listener: Listener,
    lease: Lease,
    outbox: Outbox,
    console: Option<Console>,
    pairing_page: Option<PairingPage>,
    probes: Option<ProbeListener>,
    vitals: Arc<Vitals>,
}

/// An event that the daemon's main loop acts on.
enum DaemonEvent {
    Stop,
    Lease(LeaseEvent),
    /// The daemon is up, and listens for commands.
    Up,
    /// There may be commands.
    Wake,
    /// Anything may be otherwise than it was.
    Resync,
    /// A part is gone without which it cannot go on.
    Ended(&'static str),
}

impl Running {
    /// Boot, a listener that is back and the tick are one resync; a notification is a
    /// look for commands.
    async fn until(&mut self, stop: &mut Stop, process: Uuid) {
        let Self { supervisor, listener, lease, vitals, .. } = self;
        let (wake, resync, mut mode) = (listener.wake(), listener.resync(), listener.mode());
        let mut heard = std::pin::pin!(listening(listener.mode()));
        let mut is_up = false;
        let mut tick = tokio::time::interval(TICK);
        let mut beat = std::pin::pin!(systemd::beat(async || supervisor.headcount().await));
        loop {
            let event = tokio::select! {
                // The one place that says what goes first.
                biased;
                // 1. Connections that another daemon may open, too.
                event = lease.next_event() => event.map_or(DaemonEvent::Ended("the lease"), DaemonEvent::Lease),
                // 2. A stop, which is killed if it takes too long.
                () = stop.asked() => DaemonEvent::Stop,
                // 3. The watchdog, and the readiness report, ahead of all work.
                never = &mut beat => match never {},
                () = &mut heard, if !is_up => DaemonEvent::Up,
                // 4. The work. A resync is a wake, too.
                _ = tick.tick() => DaemonEvent::Resync,
                changed = mode.changed() => match changed {
                    Ok(()) if *mode.borrow_and_update() == ListenMode::Listening => DaemonEvent::Resync,
                    Ok(()) => continue,
                    Err(_) => DaemonEvent::Ended("the listener"),
                },
                () = resync.notified() => DaemonEvent::Resync,
                () = wake.notified() => DaemonEvent::Wake,
            };
            match event {
                DaemonEvent::Stop => return,
                DaemonEvent::Ended(part) => return error!("{part} ended"),
                DaemonEvent::Lease(LeaseEvent::Turned(Turn::Lost)) => {
                    error!("the lease was not renewed in time: closing every connection");
                    supervisor.lease_lost();
                }
                DaemonEvent::Lease(LeaseEvent::Turned(Turn::Back)) => {
                    info!("the lease is live again");
                    supervisor.lease_back();
                }
                DaemonEvent::Up => {
                    is_up = true;
                    info!(%process, version = env!("CARGO_PKG_VERSION"), "paird is up");
                    systemd::ready();
                    tokio::spawn(say_how_to_begin(Arc::clone(vitals)));
                }
                DaemonEvent::Resync | DaemonEvent::Lease(LeaseEvent::FleetChanged) => {
                    tell_tasks();
                    supervisor.resync();
                }
                DaemonEvent::Wake => supervisor.wake(),
            }
        }
    }
}

/// Waits until a bare NOTIFY is heard: one that is sent to a daemon that said it is up must
/// not be lost.
async fn listening(mut mode: watch::Receiver<ListenMode>) {
    let _ = tokio::time::timeout(LISTEN_TIMEOUT, mode.wait_for(|how| *how == ListenMode::Listening)).await;
}

/// The last lines of a first start: what to do with a fleet that has no account.
async fn say_how_to_begin(vitals: Arc<Vitals>) {
    if vitals.has_accounts().await != Some(false) {
        return;
    }
    for (command, what) in FIRST_ACCOUNT {
        info!("there is no account yet; next: {command} ({what})");
    }
}

/// Reveals tasks that outlive their connection: the number must depend only on how many
/// accounts are connected now.
fn tell_tasks() {
    debug!(tasks = Handle::current().metrics().num_alive_tasks(), "tasks alive");
}

async fn lease(pool: &deadpool_postgres::Pool, process: Uuid, config: &Config, master_keys: Vec<String>) -> Lease {
    Lease::start(pool.clone(), process, &config.command_channel, master_keys, config.lease_ttl).await
}

/// The statement that takes the lease may still be carried out after its caller gave up.
async fn forgo_lease(pool: &deadpool_postgres::Pool, process: Uuid) {
    if !matches!(tokio::time::timeout(FORGO_TIMEOUT, Lease::forgo(pool, process)).await, Ok(Ok(()))) {
        info!("the database did not answer; a lease that comes about runs out by itself");
    }
}

async fn release(lease: Lease) {
    if let Err(why) = lease.release().await {
        warn!(%why, "the lease is not released and runs out by itself");
    }
}

/// Two machines that start with an empty database would each make a master key, and neither
/// could open what the other seals.
async fn know_neighbours(pool: &deadpool_postgres::Pool, process: Uuid, config: &Config) -> anyhow::Result<()> {
    loop {
        match find_stranger(pool, process).await {
            Ok(None) => return Ok(()),
            Ok(Some(Stranger { host, pid })) => {
                let path = config.master_key_file.clone();
                return Err(MasterKeyError::Strange { path, host, pid }).context("PAIRD_MASTER_KEY_FILE");
            }
            Err(why) => {
                warn!(%why, "cannot compare the master key with those of the other daemons yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Before anything runs: a token that cannot be read ends the start.
fn console_token(config: &Config) -> anyhow::Result<Option<console::Token>> {
    if config.console_addr.is_none() {
        return Ok(None);
    }
    console::Token::read_or_make(&config.console_token_file).map(Some).context("PAIRD_CONSOLE_TOKEN_FILE")
}

/// Accounts come at the pace at which they can connect: a burst a second.
fn per_round(connect_rate: u32) -> u32 {
    if connect_rate == 0 { u32::MAX } else { connect_rate.saturating_mul(5).div_ceil(2) }
}

/// Waits for a database that is away; a key that does not fit ends the start.
async fn open_credentials(
    pool: &deadpool_postgres::Pool,
    process: Uuid,
    config: &Config,
) -> anyhow::Result<CredentialStore> {
    loop {
        match CredentialStore::open(pool.clone(), process, &config.master_key_file).await {
            Err(why @ MasterKeyError::Unchecked(_)) => {
                warn!(%why, "cannot check the master key yet");
                tokio::time::sleep(RETRY).await;
            }
            opened => return opened.context("PAIRD_MASTER_KEY_FILE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_does_not_wait_for_a_thread_that_is_busy() {
        let runtime = Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap());
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = std::sync::mpsc::channel();
        runtime.spawn_blocking(move || {
            begin.send(()).unwrap();
            // As long as `finish` lives.
            let _ = finished.recv();
        });
        begun.recv().unwrap();
        let (end, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            abandon(runtime);
            end.send(())
        });
        ended.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(finish);
    }
}
