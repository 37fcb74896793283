//! Postgres, WhatsApp's double and daemons, each a process of its own, and accounts on them.

use std::{path::PathBuf, process::Stdio, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, future::join_all, stream};
use paird::postgres::embedded::Embedded;
use paird_sandbox::Pace;
use paird_testkit::{Daemon, ParseDsn as _, Phones, Web, read_qr, scratch, until_within};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::Instant,
};
use uuid::Uuid;

use super::{event_listener::EventListener, say};

/// Attempts under way at once while a fleet is made.
const AT_ONCE: usize = 40;
const MEASURE_TIMEOUT: Duration = Duration::from_secs(900);

/// No delays of the double, so that only paird is measured.
pub const NO_DELAYS: Pace = Pace {
    before_first_stanza_ms: 0,
    before_restart_ms: 0,
    before_close_ms: 0,
    unscanned_lifetime_ms: 160_000,
    refs: 6,
};

pub struct Fleet {
    pub web: Web,
    pub phones: Phones,
    pub listener: EventListener,
    pub accounts: Vec<Uuid>,
    pub dsn: String,
    pub whatsapp: String,
    /// Where the phones are.
    pub admin: String,
    pub dir: PathBuf,
    sandbox: Child,
    database: Embedded,
}

/// When what happened.
pub struct Paired {
    pub asked: Instant,
    pub scanned: Instant,
    pub connected: Instant,
}

impl Fleet {
    /// No daemon and no account yet. The Postgres is the one that `paird serve` would
    /// start: it keeps everything safe from a power cut.
    pub async fn empty() -> Self {
        let dir = scratch();
        let database = Embedded::start(&dir, paird::config::embedded_postgres(None)).await.unwrap();
        let dsn = database.dsn();
        paird::postgres::migrate::migrate(&dsn.parse_dsn()).await.unwrap();
        let mut sandbox = Command::new(env!("CARGO_BIN_EXE_paird"))
            .arg("sandbox")
            .env("PAIRD_DATA_DIR", dir.join("whatsapp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(sandbox.stdout.take().unwrap()).lines();
        let mut address = async |before: &str| {
            let line = said.next_line().await.unwrap().unwrap();
            line.strip_prefix(before).unwrap_or_else(|| panic!("the sandbox said {line:?}")).to_owned()
        };
        let whatsapp = address("PAIRD_WHATSAPP_URL=").await;
        let admin = address("admin API and phones: ").await;
        let phones = Phones::new(&admin);
        phones.set_pace(NO_DELAYS).await;
        let web = Web::connect(&dsn).await;
        let listener = EventListener::open(&dsn).await;
        Self { web, phones, listener, accounts: Vec::new(), dsn, whatsapp, admin, dir, sandbox, database }
    }

    /// A daemon that is up, with its connections unpaced unless these settings say otherwise.
    pub async fn daemon(&self, settings: &[(&str, &str)]) -> Daemon {
        let data_dir = self.dir.join("daemon").display().to_string();
        let usual = [
            ("DATABASE_URL", self.dsn.as_str()),
            ("PAIRD_DATA_DIR", data_dir.as_str()),
            ("PAIRD_WHATSAPP_URL", self.whatsapp.as_str()),
            ("PAIRD_CONSOLE_ADDR", "127.0.0.1:0"),
            ("PAIRD_CONNECT_RATE", "0"),
        ];
        let mut daemon = Daemon::start(&self.dir, usual.iter().chain(settings).copied());
        daemon.up().await;
        daemon
    }

    /// Makes so many accounts more.
    pub async fn accounts(&self, count: usize) -> Vec<Uuid> {
        let sql = "INSERT INTO whatsapp_accounts (operator_id, label)
                   SELECT '00000000-0000-0000-0000-000000000001', 'desk ' || gen_random_uuid()
                   FROM generate_series(1, $1) RETURNING id";
        let rows = self.web.sql.query(sql, &[&i32::try_from(count).unwrap()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Pairs accounts until so many are connected.
    pub async fn grow_to(&mut self, count: usize) {
        let have = self.accounts.len();
        if count > have {
            say(format_args!("pairing {} accounts", count - have));
        }
        let newcomers = self.accounts(count.saturating_sub(have)).await;
        let fleet = &*self;
        let pairing = newcomers.iter().zip(have..).map(|(account, nth)| fleet.pair(*account, number(nth)));
        stream::iter(pairing).buffer_unordered(AT_ONCE).for_each(|_| std::future::ready(())).await;
        self.accounts.extend(newcomers);
    }

    /// The whole way, with a phone of that number.
    pub async fn pair(&self, account: Uuid, number: String) -> Paired {
        self.phones.add(&number).await;
        let asked = self.ask(account, "account.pair").await;
        self.listener.wait_for(account, "session.qr", asked).await;
        loop {
            let png: Option<String> = self.web.column(account, "last_qr_png").await;
            let Some(png) = png else { continue };
            let read = move || {
                let png = BASE64_STANDARD.decode(png).unwrap();
                read_qr(&image::load_from_memory(&png).unwrap().into_luma8())
            };
            let qr = tokio::task::spawn_blocking(read).await.unwrap();
            let scanned = Instant::now();
            // A QR may have changed under the phone.
            if self.phones.scan(&number, &qr).await.is_ok() {
                let connected = self.listener.wait_for(account, "session.connected", asked).await;
                return Paired { asked, scanned, connected };
            }
        }
    }

    /// Sends; the moment before it did.
    pub async fn ask(&self, account: Uuid, kind: &str) -> Instant {
        let asked = Instant::now();
        self.web.send(kind, account, serde_json::json!({})).await;
        asked
    }

    /// Waits until rows and WhatsApp agree that all are connected.
    pub async fn all_connected(&self) {
        let sql = "SELECT count(*) FROM whatsapp_accounts WHERE status = 'connected'";
        until_within(MEASURE_TIMEOUT, "all connected", || async {
            let seen = self.phones.report().await.logged_in_now;
            (seen == self.accounts.len() as u64
                && self.web.count(sql, &[]).await == i64::try_from(self.accounts.len()).unwrap())
            .then_some(())
        })
        .await;
    }

    /// Ends attempts, and waits for their ends.
    pub async fn cancel(&self, accounts: &[Uuid]) {
        join_all(accounts.iter().map(|account| async {
            let asked = self.ask(*account, "account.cancel").await;
            self.listener.wait_for(*account, "session.cancelled", asked).await;
        }))
        .await;
    }

    /// How much write-ahead log there was so far, in bytes.
    pub async fn wal(&self) -> i64 {
        self.web.count("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint", &[]).await
    }

    /// Transactions that were ended so far, this program's among them.
    pub async fn transactions(&self) -> i64 {
        let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        self.web.count(sql, &[]).await
    }

    pub async fn end(mut self, daemons: impl IntoIterator<Item = Daemon>) {
        for daemon in daemons {
            assert!(daemon.terminate().await.success());
        }
        let report = self.phones.report().await;
        assert_eq!((report.replaced, report.unknown, report.violations), (0, vec![], vec![]));
        self.sandbox.kill().await.unwrap();
        self.database.stop().await;
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A phone's own.
pub fn number(nth: usize) -> String {
    format!("4366{:09}", 100_000_000 + nth)
}
