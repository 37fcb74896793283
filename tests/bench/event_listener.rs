//! A consumer that notes when it heard what.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use paird_testkit::until_within;
use tokio::{sync::watch, time::Instant};
use tokio_postgres::{AsyncMessage, Client, NoTls};
use uuid::Uuid;

use std::time::Duration;

/// Nothing that is measured takes longer.
const MEASURE_TIMEOUT: Duration = Duration::from_secs(180);

pub struct EventListener {
    heard: Arc<Mutex<Heard>>,
    changed: watch::Receiver<u64>,
    _connection: Client,
}

#[derive(Default)]
struct Heard {
    last: HashMap<(Uuid, String), Instant>,
    /// By kind.
    counts: HashMap<String, u64>,
    count: u64,
}

impl EventListener {
    pub async fn open(dsn: &str) -> Self {
        let (client, mut connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (say, changed) = watch::channel(0);
        let noted = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                let AsyncMessage::Notification(notification) = message else { continue };
                let now = Instant::now();
                let event: serde_json::Value = serde_json::from_str(notification.payload()).unwrap();
                let account = event["accountId"].as_str().unwrap().parse().unwrap();
                let kind = event["type"].as_str().unwrap().to_owned();
                let mut heard = noted.lock().unwrap();
                *heard.counts.entry(kind.clone()).or_default() += 1;
                heard.last.insert((account, kind), now);
                heard.count += 1;
                say.send_replace(heard.count);
            }
        });
        client.batch_execute("LISTEN paird_event").await.unwrap();
        Self { heard, changed, _connection: client }
    }

    /// Waits for an event of the account after that moment; when it was heard.
    pub async fn wait_for(&self, account: Uuid, kind: &str, after: Instant) -> Instant {
        let mut changed = self.changed.clone();
        let wait = async {
            loop {
                let at = self.heard.lock().unwrap().last.get(&(account, kind.to_owned())).copied();
                if let Some(at) = at.filter(|at| *at >= after) {
                    return at;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(MEASURE_TIMEOUT, wait).await.unwrap_or_else(|_| panic!("never heard: {kind} of {account}"))
    }

    /// How many events were heard so far.
    pub fn count(&self) -> u64 {
        *self.changed.borrow()
    }

    pub async fn wait_for_count(&self, count: u64) {
        until_within(MEASURE_TIMEOUT, &format!("{count} events"), || async { (self.count() >= count).then_some(()) })
            .await;
    }

    /// How many of one kind.
    pub fn count_of(&self, kind: &str) -> u64 {
        self.heard.lock().unwrap().counts.get(kind).copied().unwrap_or_default()
    }

    pub async fn wait_for_count_of(&self, kind: &str, count: u64) {
        let what = format!("{count} times {kind}");
        until_within(MEASURE_TIMEOUT, &what, || async { (self.count_of(kind) >= count).then_some(()) }).await;
    }
}
