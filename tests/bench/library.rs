//! The protocol library alone, in a process of its own: as many clients as a daemon has
//! accounts, their keys in memory, without paird. A daemon's own cost is the difference.

use std::{process::Stdio, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use paird_sandbox::RemoteError;
use paird_testkit::Phones;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use wacore::{
    store::InMemoryBackend,
    types::events::{ChannelEventHandler, Event, EventInterest, EventKind},
};
use whatsapp_rust::{
    CacheConfig, Client, NodeFilter, TokioRuntime,
    http::{HttpClient, UreqHttpClient},
    store::persistence_manager::PersistenceManager,
    transport::{TokioWebSocketTransportFactory, TransportFactory},
};

use super::{
    figures::Figures,
    fleet::{Fleet, number},
    process::{settled, share},
    say,
};

const AT_ONCE: usize = 40;
/// As the daemon sets its clients up.
const PRE_KEYS: usize = 30;
const SAVER_INTERVAL: Duration = Duration::from_secs(30);

/// The share of a core that so many idle clients take, in percent.
pub async fn measure(clients: usize, idle: Duration, figures: &mut Figures) -> f64 {
    let fleet = Fleet::empty().await;
    say(format_args!("the library alone, {clients} clients"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--clients", &clients.to_string(), "--whatsapp", &fleet.whatsapp, "--phones", &fleet.admin])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("ready"));
    let base = settled(pid).await;
    go_on(&mut child);
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("linked"));
    let each = (settled(pid).await - base) / clients as f64;
    let cpu = share(pid, idle).await;
    child.kill().await.unwrap();
    figures.add(format!("resident for an idle client of the library alone, of {clients}"), "KiB", None, vec![each]);
    figures.add(format!("{clients} idle clients of the library alone"), "% of a core", None, vec![cpu]);
    fleet.end([]).await;
    cpu
}

/// The child waits for the end of its input before it links.
fn go_on(child: &mut Child) {
    drop(child.stdin.take());
}

/// The child: says when it is ready, and when all are linked; then it idles.
pub async fn live(clients: usize, whatsapp: &str, phones: &str) {
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await.unwrap().unwrap();
    let phones = Phones::new(phones);
    let dial: Arc<dyn TransportFactory> = Arc::new(TokioWebSocketTransportFactory::new().with_url(whatsapp));
    let http: Arc<dyn HttpClient> = Arc::new(UreqHttpClient::new());
    let linking = (0..clients).map(|nth| link(number(nth), &phones, &dial, &http));
    let linked: Vec<Arc<Client>> = stream::iter(linking).buffer_unordered(AT_ONCE).collect().await;
    println!("linked");
    std::future::pending::<()>().await;
    drop(linked);
}

async fn link(
    number: String,
    phones: &Phones,
    dial: &Arc<dyn TransportFactory>,
    http: &Arc<dyn HttpClient>,
) -> Arc<Client> {
    phones.add(&number).await;
    let kept = PersistenceManager::new(Arc::new(InMemoryBackend::new())).await.unwrap();
    let client = Client::builder()
        .with_runtime(TokioRuntime)
        .with_persistence_manager(Arc::new(kept))
        .with_transport_factory_arc(Arc::clone(dial))
        .with_http_client_arc(Arc::clone(http))
        .with_version_override((2, 3000, 1))
        .with_cache_config(CacheConfig { seed_msg_secrets_from_history: false, ..CacheConfig::default() })
        .with_skip_history_sync(true)
        .with_wanted_pre_key_count(PRE_KEYS)
        .with_background_saver_interval(SAVER_INTERVAL)
        .build()
        .await
        .unwrap()
        .into_client();
    let (ear, heard) = ChannelEventHandler::new();
    let shown = client.subscribe(EventInterest::of(&[EventKind::PairingQrCode]), ear);
    let logged_in = client.wait_for_node(NodeFilter::tag("success"));
    let running = Arc::clone(&client);
    tokio::spawn(async move { running.run().await });
    while let Ok(event) = heard.recv().await {
        let Event::PairingQrCode(qr) = &*event else { continue };
        let scanned: Result<(), RemoteError> = phones.scan(&number, &qr.code).await;
        if scanned.is_ok() {
            break;
        }
    }
    logged_in.await.unwrap();
    drop(shown);
    client
}
