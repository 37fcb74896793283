//! An account in a database, its daemon's store, and questions about its rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use paird::credentials::{CredentialStore, Keyring, MasterKeyError};
use paird::postgres::{outbox::Waker, store::PgStore};
use paird_actors::domain::{
    AccountId, AccountRecord, Attempt, Change, ChangeId, Desired, Fence, Instant, KeyringId, Link, LinkedDevice,
    OperatorId, PairMethod, PairRequest, Phone, Reason, Status, Write,
};
use paird_actors::ports::{AccountStore, WriteKeys};
use paird_testkit::Patience;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use wacore::store::traits::DeviceStore;

use crate::postgres::Postgres;

pub const FENCE: Fence = Fence(7);
pub const JID: &str = "436601234567:3@s.whatsapp.net";

pub struct Rig {
    pub pool: Pool,
    pub process: Uuid,
    pub account: AccountId,
    pub store: CredentialStore,
    pub key_file: PathBuf,
    pub phone: Phone,
    keys: PathBuf,
    postgres: Postgres,
}

impl Rig {
    pub async fn new() -> Self {
        let postgres = Postgres::start().await;
        let pool = postgres.pool();
        let process = Uuid::new_v4();
        let keys = std::env::temp_dir().join(format!("paird-keys-{}", Uuid::new_v4().simple()));
        let key_file = keys.join("master.key");
        let store = CredentialStore::open(pool.clone(), process, &key_file).await.unwrap();
        let account = add_account(&pool, process).await;
        let phone = Phone::parse("436601234567").unwrap();
        Self { pool, process, account, store, key_file, phone, keys, postgres }
    }

    pub fn socket_dir(&self) -> PathBuf {
        self.postgres.dir.join("run")
    }

    pub async fn add_account(&self) -> AccountId {
        add_account(&self.pool, self.process).await
    }

    pub async fn reopen_store(&self) -> Result<CredentialStore, MasterKeyError> {
        CredentialStore::open(self.pool.clone(), self.process, &self.key_file).await
    }

    pub fn fresh(&self) -> Arc<Keyring> {
        self.store.fresh(self.account, FENCE, KeyringId(Uuid::new_v4()))
    }

    /// A durable keyring with a device that was opened again, so that everything is read from rows.
    pub async fn durable(&self) -> Arc<Keyring> {
        let secured = self.secured().await;
        self.store.open_keyring(self.account, FENCE, secured.id()).await.unwrap()
    }

    /// A keyring with a device that was just made durable: it still has its write-behind cache.
    pub async fn secured(&self) -> Arc<Keyring> {
        let keyring = self.fresh();
        keyring.create().await.unwrap();
        keyring.secure(self.admission()).await.unwrap();
        keyring
    }

    /// The change of the account with which keys are made durable. It claims no number.
    pub fn admission(&self) -> WriteKeys {
        self.admission_of(self.account, None)
    }

    /// The same for any account, claiming the number.
    pub fn admission_of(&self, account: AccountId, phone: Option<Phone>) -> WriteKeys {
        let (pool, process, links) = (self.pool.clone(), self.process, Some(self.phone.clone()));
        Box::new(move |keys| {
            Box::pin(async move {
                let client = pool.get().await.unwrap();
                let last = "SELECT last_change FROM whatsapp_accounts WHERE id = $1";
                let follows: Option<Uuid> = client.query_one(last, &[&account.0]).await.unwrap().get(0);
                drop(client);
                let request = PairRequest { method: PairMethod::Qr, expect_phone: None };
                let device = LinkedDevice { keyring: keys.keyring, phone, jid: Some(JID.to_owned()) };
                let attempt = Attempt { deadline: Instant(1_900_000_000_000), request, device: Some(device) };
                let record = AccountRecord { link: Link::Pairing { attempt, parked: None }, ..linking(account) };
                let change = Change { links, ..Change::default() };
                let id = ChangeId(Uuid::new_v4());
                let write =
                    Write { id, follows: follows.map(ChangeId), record, change, keys: Some(keys), qr_png: None };
                PgStore::new(pool, process, Waker::default(), Arc::default()).record(&write).await
            })
        })
    }

    pub async fn move_fence(&self) {
        self.execute("UPDATE whatsapp_accounts SET fence = fence + 1, owner = gen_random_uuid()", &[]).await;
    }

    pub async fn execute(&self, statement: &str, params: &[&(dyn ToSql + Sync)]) -> u64 {
        self.pool.get().await.unwrap().execute(statement, params).await.unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        let client = self.pool.get().await.unwrap();
        client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
    }

    /// Opened again by the account's owner.
    pub async fn reopened(&self, keyring: &Keyring) -> Arc<Keyring> {
        self.store.open_keyring(self.account, FENCE, keyring.id()).await.unwrap()
    }

    /// Waits until so many statements wait for a lock.
    pub async fn are_stuck(&self, count: u64) {
        let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        until("stuck", async || self.execute(waits, &[]).await == count).await;
    }

    /// All rows of `credentials` as one text, to compare.
    pub async fn records(&self) -> String {
        let client = self.pool.get().await.unwrap();
        let query = "SELECT coalesce(string_agg(c::text, E'\\n' ORDER BY c::text), '') FROM credentials c";
        client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// All rows of `credentials` and `keyrings` as one text, to compare.
    pub async fn image(&self) -> String {
        let client = self.pool.get().await.unwrap();
        let query = "SELECT coalesce(string_agg(r, E'\\n' ORDER BY r), '') FROM (
            SELECT c::text AS r FROM credentials c UNION ALL SELECT k::text FROM keyrings k) rows";
        client.query_one(query, &[]).await.unwrap().get(0)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.keys);
    }
}

pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let patience = Patience::of(Duration::from_secs(30));
    while !is_so().await {
        assert!(patience.lasts().await, "never: {what}");
    }
}

/// An account in the middle of a pairing.
fn linking(account: AccountId) -> AccountRecord {
    AccountRecord {
        fence: FENCE,
        status: Status::Pending,
        reason: Reason::Linking.into(),
        desired: Desired::Paired,
        ..AccountRecord::new(account, OperatorId(Uuid::nil()), "test", Instant(1_700_000_000_000))
    }
}

async fn add_account(pool: &Pool, process: Uuid) -> AccountId {
    let statement = "INSERT INTO whatsapp_accounts (operator_id, label, owner, fence)
        VALUES (gen_random_uuid(), 'test', $1, $2) RETURNING id";
    let client = pool.get().await.unwrap();
    AccountId(client.query_one(statement, &[&process, &FENCE.0]).await.unwrap().get(0))
}
