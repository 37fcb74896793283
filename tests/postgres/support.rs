//! A database for one test, on a server of its own, and a daemon's view of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use paird::postgres::embedded::Embedded;
use paird::postgres::lease::{Lease, TTL};
use paird::postgres::outbox::Waker;
use paird::postgres::pool::Dsn;
use paird::postgres::store::PgStore;
use paird_actors::domain::{
    AccountId, AccountRecord, Change, ChangeId, CommandId, Finished, Instant, QrChange, Secret, StoreError, Update,
    Write, Written,
};
use paird_actors::ports::{AccountStore, FleetStore};
use paird_testkit::Patience;
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A server for one test, which may do to it what it likes. Gone when dropped.
pub struct Cluster {
    dir: PathBuf,
    server: Option<Embedded>,
}

impl Cluster {
    /// With the schema in its database.
    pub async fn start() -> Self {
        let dir = scratch();
        let server = paird_testkit::postgres::start(&dir).await;
        Self { dir, server: Some(server) }
    }

    pub fn server(&self) -> &Embedded {
        self.server.as_ref().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.server.take());
        paird_testkit::postgres::remove(&self.dir);
    }
}

/// An empty directory for one test.
pub fn scratch() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::new_v4().simple().to_string());
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A database with the schema, and a connection of the test's own, as a web app has one.
pub struct Database {
    pub dsn: Dsn,
    pub text: String,
    pub web: Client,
    pub cluster: Cluster,
}

impl Database {
    pub async fn new() -> Self {
        let cluster = Cluster::start().await;
        let text = cluster.server().dsn();
        let web = connect(&text).await;
        Self { dsn: Dsn::parse(&text).unwrap(), text, web, cluster }
    }

    pub async fn one<T: FromSqlOwned>(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> T {
        self.web.query_one(sql, params).await.unwrap().get(0)
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.one(sql, &[]).await
    }

    pub async fn account(&self, operator: Uuid, label: &str) -> AccountId {
        let sql = "INSERT INTO whatsapp_accounts (operator_id, label) VALUES ($1, $2) RETURNING id";
        AccountId(self.one(sql, &[&operator, &label]).await)
    }

    pub async fn send(&self, kind: &str, account: AccountId) -> i64 {
        self.one("SELECT send_command($1, $2)", &[&kind, &account.0]).await
    }

    pub async fn daemon(&self) -> Daemon {
        let pool = self.dsn.pool().unwrap();
        let process = Uuid::now_v7();
        let lease = Lease::start(pool.clone(), process, "paird_command", Vec::new(), TTL).await;
        Daemon { store: PgStore::new(pool.clone(), process, Waker::default(), Arc::default()), process, pool, lease }
    }

    /// Ends a daemon the way a crash does: its row stays and runs out.
    pub async fn kill(&self, daemon: Daemon) -> PgStore {
        let Daemon { store, process, lease, .. } = daemon;
        drop(lease);
        let sql = "UPDATE processes SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1";
        self.web.execute(sql, &[&process]).await.unwrap();
        store
    }

    /// An account that the daemon owns, as the daemon sees it.
    pub async fn owned(&self, daemon: &Daemon, label: &str) -> AccountRecord {
        let account = self.account(Uuid::new_v4(), label).await;
        daemon.record(account).await
    }

    pub async fn keyring(&self, account: AccountId) -> Uuid {
        let id = Uuid::new_v4();
        self.web
            .execute(
                "INSERT INTO keyrings (id, account_id, wrapped_key, master_key) VALUES ($1, $2, 'x', 'm')",
                &[&id, &account.0],
            )
            .await
            .unwrap();
        self.web
            .execute(
                "INSERT INTO credentials (account_id, keyring_id, kind, name, sealed) VALUES ($1, $2, 'k', 'n', 'x')",
                &[&account.0, &id],
            )
            .await
            .unwrap();
        id
    }
}

pub struct Daemon {
    pub store: PgStore,
    pub process: Uuid,
    pub pool: deadpool_postgres::Pool,
    pub lease: Lease,
}

impl Daemon {
    /// Takes the account, if nobody live has it, at rest or not.
    pub async fn own(&self, account: AccountId) {
        let sql = "UPDATE whatsapp_accounts a SET owner = $2, fence = a.fence + 1 WHERE a.id = $1 AND NOT EXISTS (
                       SELECT FROM processes p WHERE p.id = a.owner AND p.expires_at > clock_timestamp())";
        self.pool.get().await.unwrap().execute(sql, &[&account.0, &self.process]).await.unwrap();
    }

    /// Takes the account and reads it.
    pub async fn record(&self, account: AccountId) -> AccountRecord {
        self.own(account).await;
        self.load(account).await
    }

    pub async fn load(&self, account: AccountId) -> AccountRecord {
        self.store.load_account(account).await.unwrap().unwrap().record
    }

    /// Writes an update that follows whatever the row has now.
    pub async fn write(&self, update: Update) -> Result<Written, StoreError> {
        let loaded = self.store.load_account(update.record.id).await?;
        let follows = loaded.and_then(|loaded| loaded.last_change);
        self.store.record(&write(follows, update)).await
    }
}

pub fn write(follows: Option<ChangeId>, Update { record, change }: Update) -> Write {
    let qr_png = picture(&change);
    Write { id: new_change(), follows, record, change, keys: None, qr_png }
}

/// As an account's actor draws it.
pub fn picture(change: &Change) -> Option<Secret> {
    match &change.qr {
        QrChange::Show { payload, .. } => Some(Secret::new(paird::qr::png_base64(payload).unwrap())),
        QrChange::Keep | QrChange::Clear => None,
    }
}

pub fn finished(command: i64, result: Result<&str, &str>) -> Finished {
    let result = result.map(str::to_owned).map_err(str::to_owned);
    Finished { command: CommandId(command), kind: "account.pair".to_owned(), result }
}

pub fn update(record: &AccountRecord, change: Change) -> Update {
    Update { record: record.clone(), change }
}

pub fn at(ms: i64) -> Instant {
    Instant(1_800_000_000_000 + ms)
}

pub async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits for a condition, twenty seconds at most.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut is_so: F) {
    let patience = Patience::of(Duration::from_secs(20));
    while !is_so().await {
        assert!(patience.lasts().await, "never: {what}");
    }
}

/// The id of a change that was never written before.
pub fn new_change() -> ChangeId {
    ChangeId(Uuid::new_v4())
}
