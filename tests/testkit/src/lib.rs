//! A stage for one test: a Postgres, a WhatsApp, any number of daemons, a web app.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod daemon;
mod haste;
mod http;
pub mod odd;
mod phones;
pub mod postgres;
mod proxy;
mod secrets;
mod truth;
mod web;
mod wire;

use std::{future::Future, path::PathBuf, time::Duration};

use haste::Haste;
use nix::sys::signal::Signal;
use paird::postgres::{embedded::Embedded, roles::Isolation};
use paird_sandbox::{Fault, Pace, Sandbox, Scope, Settings};
use tokio::time::Instant;
use uuid::Uuid;

pub use daemon::Daemon;
pub use haste::libfaketime;
pub use http::{Answer, Api, Live, sample};
pub use phones::Phones;
pub use proxy::Proxy;
pub use web::{Web, find_qr, find_qrs, read_qr};
pub use wire::{OPENING, Wire};

/// No wait is longer than this; a test that needs it all has failed already.
pub const DEADLINE: Duration = Duration::from_secs(45);

pub struct Stage {
    pub web: Web,
    pub phones: Phones,
    pub database: Option<Embedded>,
    pub dsn: String,
    pub dir: PathBuf,
    sandbox: Sandbox,
    /// The logins of the daemons, unless overridden; the owner of the tables if none.
    roles: Option<Logins>,
    haste: Option<Haste>,
}

/// Connection strings of logins that have the roles of `sql/roles.sql`.
pub struct Logins {
    pub web: String,
    pub daemon: String,
    pub console: String,
}

impl Stage {
    /// Postgres, WhatsApp and the web app are there; no daemon yet.
    pub async fn empty() -> Self {
        Self::with_pace(Pace::default()).await
    }

    pub async fn with_pace(pace: Pace) -> Self {
        Self::set(scratch(), pace, None).await
    }

    /// Empty; for its daemons and its database time passes [`Self::haste`] times as fast.
    pub async fn in_haste() -> Self {
        let dir = scratch();
        let haste = Haste::beside(&dir);
        Self::set(dir, Pace::default(), haste).await
    }

    async fn set(dir: PathBuf, pace: Pace, haste: Option<Haste>) -> Self {
        let database = postgres::start_by(&dir, haste.as_ref().map(|haste| haste.bin.clone())).await;
        let dsn = database.dsn();
        let sandbox = Sandbox::start(Settings { pace, ..Settings::default() }).await.unwrap();
        let phones = Phones::new(&sandbox.admin_url());
        let web = Web::connect(&dsn).await;
        Self { web, phones, database: Some(database), dsn, dir, sandbox, roles: None, haste }
    }

    /// Empty; its daemons log in as members of the roles. The test itself stays the owner.
    pub async fn under_roles() -> Self {
        let mut stage = Self::empty().await;
        stage.roles = Some(stage.logins().await);
        stage
    }

    /// How many times as fast as for the test time passes for the daemons and the database.
    pub fn haste(&self) -> u32 {
        self.haste.as_ref().map_or(1, Haste::times)
    }

    /// An empty stage and one daemon, up.
    pub async fn with_daemon() -> (Self, Daemon) {
        let stage = Self::empty().await;
        let daemon = stage.daemon(&[]).await;
        (stage, daemon)
    }

    /// The same under the roles.
    pub async fn with_daemon_under_roles() -> (Self, Daemon) {
        let stage = Self::under_roles().await;
        let daemon = stage.daemon(&[]).await;
        (stage, daemon)
    }

    /// Starts a daemon and waits until it is up.
    pub async fn daemon(&self, settings: &[(&str, &str)]) -> Daemon {
        let mut daemon = self.daemon_starting(settings);
        daemon.up().await;
        daemon
    }

    /// Starts a daemon with these settings over the usual ones.
    pub fn daemon_starting(&self, settings: &[(&str, &str)]) -> Daemon {
        self.daemon_starting_by(tokio::process::Command::new(paird()), settings)
    }

    /// The same by another command, which ends in the program.
    pub fn daemon_starting_by(&self, command: tokio::process::Command, settings: &[(&str, &str)]) -> Daemon {
        let url = self.whatsapp_url();
        let data_dir = self.dir.join("daemon").display().to_string();
        let dsn = self.roles.as_ref().map_or(&self.dsn, |logins| &logins.daemon);
        let console = self.roles.as_ref().map(|logins| ("PAIRD_CONSOLE_DATABASE_URL", logins.console.as_str()));
        let usual = [
            ("DATABASE_URL", dsn.as_str()),
            ("PAIRD_DATA_DIR", data_dir.as_str()),
            ("PAIRD_WHATSAPP_URL", url.as_str()),
            ("PAIRD_CONSOLE_ADDR", "127.0.0.1:0"),
            ("PAIRD_LOG", "debug"),
        ];
        let haste = self.haste.iter().flat_map(Haste::settings);
        let usual = usual.into_iter().chain(console).chain(haste);
        Daemon::start_by(command, &self.dir, usual.chain(settings.iter().copied()))
    }

    /// Starts the stopped database again.
    pub async fn start_database(&mut self) {
        let bin = self.haste.as_ref().map(|haste| haste.bin.clone());
        self.database = Some(postgres::start_by(&self.dir, bin).await);
    }

    /// The web app goes over to the private Postgres of the daemon with this data directory.
    pub async fn use_database_of(&mut self, data_dir: &std::path::Path) {
        self.dsn = std::fs::read_to_string(data_dir.join("postgres.dsn")).unwrap();
        self.web = Web::connect(&self.dsn).await;
    }

    /// The logins of a stage with roles: those of its daemons, and a web app's.
    pub fn roles(&self) -> &Logins {
        self.roles.as_ref().unwrap()
    }

    /// Sets the roles' rights, and makes a login in each of them.
    pub async fn logins(&self) -> Logins {
        paird::postgres::roles::grant(&self.dsn.parse_dsn(), Isolation::AsItIs).await.unwrap();
        Logins {
            web: self.login("paird_web").await,
            daemon: self.login("paird_daemon").await,
            console: self.login("paird_console").await,
        }
    }

    /// Another login in this role.
    pub async fn login(&self, role: &str) -> String {
        let name = format!("{role}_{}", Uuid::new_v4().simple());
        self.web.sql.batch_execute(&format!("CREATE ROLE {name} LOGIN IN ROLE {role}")).await.unwrap();
        self.dsn.replace("user=paird", &format!("user={name}"))
    }

    /// The URL of the sandbox's admin API.
    pub fn admin_url(&self) -> String {
        self.sandbox.admin_url()
    }

    /// The URL of WhatsApp for a daemon or a command.
    pub fn whatsapp_url(&self) -> String {
        self.sandbox.whatsapp_url()
    }

    /// Has the database log every statement, so that those with this text can be counted.
    pub async fn statements(&self, text: &'static str) -> Statements {
        self.web.sql.execute("ALTER SYSTEM SET log_statement = 'all'", &[]).await.unwrap();
        self.web.sql.execute("SELECT pg_reload_conf()", &[]).await.unwrap();
        // A session takes it over before its next statement.
        until("statements are logged", || async {
            let row = self.web.sql.query_one("SHOW log_statement", &[]).await.unwrap();
            (row.get::<_, String>(0) == "all").then_some(())
        })
        .await;
        Statements { log: self.dir.join("postgres.log"), text }
    }

    /// Cuts the account's connection and waits until the next one has logged in. Unlike the first
    /// one after a link, that one writes each change of keys at once.
    pub async fn logs_in_anew(&self, account: Uuid, number: &str) {
        let logins = self.phones.report().await.logins;
        self.phones.fault(Fault::Cut { scope: Scope::Number(number.to_owned()) }).await;
        until("a newer login", || async {
            let seen = self.phones.report().await;
            (seen.logins > logins && self.web.status(account).await == "connected").then_some(())
        })
        .await;
    }

    /// Does something while these daemons stand still, each between two statements, so that they
    /// write nothing meanwhile.
    pub async fn while_stopped<T>(&self, daemons: &[&Daemon], work: impl Future<Output = T>) -> T {
        let busy = "SELECT count(*) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state = 'active'";
        until("a moment without a statement under way", || async {
            for daemon in daemons {
                daemon.stop().await;
            }
            if self.web.count(busy, &[]).await == 0 {
                return Some(());
            }
            daemons.iter().for_each(|daemon| daemon.signal(Signal::SIGCONT));
            None
        })
        .await;
        let done = work.await;
        daemons.iter().for_each(|daemon| daemon.signal(Signal::SIGCONT));
        done
    }

    /// The end of a test without daemons that has stopped the database.
    pub async fn finish_without_database(self) {
        self.sandbox.stop().await;
        postgres::remove(&self.dir);
    }

    /// The end of a good test: every daemon stops on SIGTERM, says nothing secret, and
    /// never confused WhatsApp.
    pub async fn finish(self, daemons: impl IntoIterator<Item = Daemon>) {
        for daemon in daemons {
            let status = daemon.terminate().await;
            assert!(status.success(), "the daemon ended with {status}");
        }
        let report = self.phones.report().await;
        assert_eq!(report.unknown, [], "stanzas that the sandbox did not understand");
        assert_eq!(report.violations, [], "what no correct client does");
        secrets::assert_none_in_logs(&self.dir, &self.web).await;
        if let Some(database) = self.database {
            database.stop().await;
        }
        self.sandbox.stop().await;
        postgres::remove(&self.dir);
    }
}

/// What the database's log says of one statement.
pub struct Statements {
    log: PathBuf,
    text: &'static str,
}

impl Statements {
    pub fn so_far(&self) -> u64 {
        let log = std::fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| line.contains(self.text)).count() as u64
    }
}

/// For `paird`'s own types in tests.
pub trait ParseDsn {
    fn parse_dsn(&self) -> paird::postgres::pool::Dsn;
}

impl ParseDsn for String {
    fn parse_dsn(&self) -> paird::postgres::pool::Dsn {
        paird::postgres::pool::Dsn::parse(self).unwrap()
    }
}

/// Waits for a condition; says what never came.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl FnMut() -> F) -> T {
    until_within(DEADLINE, what, look).await
}

/// Like [`until`], for what takes its time.
pub async fn until_within<T, F: Future<Output = Option<T>>>(
    most: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let patience = Patience::of(most);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(patience.lasts().await, "never: {what}");
    }
}

/// A wait for something that is looked at again and again.
pub struct Patience {
    begun: Instant,
    most: Duration,
}

impl Patience {
    pub fn of(most: Duration) -> Self {
        Self { begun: Instant::now(), most }
    }

    /// Waits until the next look. `false` if there shall be no other: so much time has passed.
    ///
    /// The pauses grow with the wait, which they make longer by a twentieth at most: looks cost
    /// time of the processor, which is what the others wait for.
    pub async fn lasts(&self) -> bool {
        let waited = self.begun.elapsed();
        let pause = (waited / 20).clamp(Duration::from_millis(10), Duration::from_millis(100));
        tokio::time::sleep(pause).await;
        waited < self.most
    }
}

/// A tool that a test needs and may be left out without, which it then says. In CI it is there.
pub fn found_or_left_out<T>(tool: Option<T>, name: &str, package: &str) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "whether a test may be left out")]
    let must = std::env::var_os("CI").is_some();
    assert!(tool.is_some() || !must, "{name} is missing: apt install {package}");
    if tool.is_none() {
        eprintln!("left out: {name} is missing (apt install {package})");
    }
    tool
}

/// An empty directory, kept when the test fails.
pub fn scratch() -> PathBuf {
    let dir = target_tmp().join(format!("bb-{}", Uuid::new_v4().simple()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The program under test, which Cargo builds before it runs a suite.
pub fn paird() -> PathBuf {
    profile_dir().join("paird")
}

/// Cargo's `CARGO_TARGET_TMPDIR`, which it sets only for the suites themselves.
pub(crate) fn target_tmp() -> PathBuf {
    profile_dir().with_file_name("tmp")
}

/// `target/debug` for a suite that is run as `target/debug/deps/blackbox-0123456789abcdef`.
fn profile_dir() -> PathBuf {
    let suite = std::env::current_exe().unwrap();
    suite.ancestors().nth(2).unwrap().to_owned()
}
