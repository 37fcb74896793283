//! Connections to Postgres: one reading of the DSN, a pool for statements, and single
//! connections for what must not be pooled.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use paird_actors::domain::{Backoff, StoreError};
use paird_sql::queries::connections::{check_session, configure_session};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::tls::{self, TlsSettings, Trust};

/// How long the server may work on one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server keeps an idle transaction and its locks: a daemon that is suspended in
/// the middle of one must not keep its accounts locked for the others.
const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a cut connection goes unnoticed. Data sent before that does not arrive later.
const CUT_AFTER: Duration = Duration::from_secs(9);
/// How long a caller waits for a statement, network included: a frozen server answers
/// no statement_timeout.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a pooled connection may take to show that its server still answers.
const PROOF_TIMEOUT: Duration = Duration::from_secs(2);
const POOL_SIZE: usize = 8;
const TURN_TIMEOUT: Duration = Duration::from_secs(30);
/// After which a connection is replaced: the name of its server may mean another one by now.
pub(super) const MAX_AGE: Duration = Duration::from_mins(30);
/// How often a connection is asked what it can do, at its next use, and after how many uses of a
/// busy one: often enough after a failover, seldom enough to cost a pairing nothing.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const LOOK_EACH: usize = 64;
const READ_ONLY: &str = "the server takes no writes (a standby, or default_transaction_read_only)";

/// Between two tries of what waits for the database.
pub(crate) const RETRY: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// The half of a connection that its owner must drive.
pub(crate) type DrivenConnection = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Why a DSN cannot be used.
#[derive(Debug, Error)]
pub enum DsnError {
    #[error("DATABASE_URL: {0}")]
    Dsn(String),
    #[error("DATABASE_URL: {0}")]
    Tls(String),
}

/// The database's address and connection settings.
#[derive(Clone)]
pub struct Dsn {
    config: Config,
    tls: MakeRustlsConnect,
    /// Whether the server must show a certificate that is checked.
    is_verified: bool,
    /// For what needs a connection of its own, where this one is a pooler's.
    direct: Option<Box<Dsn>>,
}

impl Dsn {
    /// Reads a URL or a key=value string. Nothing is connected yet.
    ///
    /// # Errors
    /// The text is not a DSN, or the root certificate that it names cannot be read.
    pub fn parse(text: &str) -> Result<Self, DsnError> {
        let (text, tls) = split_tls(text);
        let mut config: Config = text.parse().map_err(|wrong: tokio_postgres::Error| {
            DsnError::Dsn(std::error::Error::source(&wrong).map_or_else(|| wrong.to_string(), ToString::to_string))
        })?;
        if config.get_dbname().is_none() && config.get_user().is_none() {
            return Err(DsnError::Dsn("names neither a user nor a database".to_owned()));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(DsnError::Dsn("names no host".to_owned()));
        }
        // Noticed by both sides, and not after minutes.
        config
            .application_name("paird")
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(3))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(CUT_AFTER);
        }
        let is_verified = matches!(tls.trust, Trust::Verified { .. });
        Ok(Self { config, tls: tls::connector(&tls)?, is_verified, direct: None })
    }

    /// Single connections, for LISTEN and session locks, go to `direct`, bypassing a pooler that
    /// gives each transaction another connection. Sessions of such a pooler are shared, so their
    /// settings are left alone.
    #[must_use]
    pub fn with_direct(self, direct: Self) -> Self {
        Self { direct: Some(Box::new(direct)), ..self }
    }

    /// Whether single connections use a connection string of their own.
    pub(super) fn listens_elsewhere(&self) -> bool {
        self.direct.is_some()
    }

    /// The remote hosts whose certificate is not verified: a machine in between could read and
    /// change everything, and receive the password.
    pub fn unverified_hosts(&self) -> Vec<String> {
        if self.is_verified {
            return Vec::new();
        }
        // An address is dialled instead of the name beside it.
        let addresses = self.config.get_hostaddrs();
        let hosts =
            self.config.get_hosts().iter().enumerate().filter_map(|(nth, host)| match (addresses.get(nth), host) {
                (Some(address), _) => (!address.is_loopback()).then(|| address.to_string()),
                (None, Host::Tcp(name)) => (!is_loopback(name)).then(|| name.clone()),
                (None, Host::Unix(_)) => None,
            });
        let bare = addresses.iter().skip(self.config.get_hosts().len());
        hosts.chain(bare.filter(|address| !address.is_loopback()).map(ToString::to_string)).collect()
    }

    /// Whom it logs in as, for what is said of a right that is missing.
    pub fn login(&self) -> &str {
        self.config.get_user().unwrap_or("of this process's user")
    }

    /// A pool of a few connections, made when they are needed.
    ///
    /// # Errors
    /// Only a setting of the pool itself; the database is not asked.
    pub fn pool(&self) -> Result<Pool, DsnError> {
        self.pool_of(POOL_SIZE)
    }

    /// The same, of at most so many.
    ///
    /// # Errors
    /// As [`Dsn::pool`].
    pub fn pool_of(&self, size: usize) -> Result<Pool, DsnError> {
        self.pool_with(size, CONNECT_TIMEOUT, Planning::Usual)
    }

    /// The same, of sessions that plan each statement once, with indexes that do whatever its
    /// arguments are. Left to itself, Postgres plans most statements of the functions that take
    /// messages anew each time, for the sake of short arrays: two thirds of their time.
    ///
    /// # Errors
    /// As [`Dsn::pool`].
    pub fn pool_that_plans_once(&self, size: usize) -> Result<Pool, DsnError> {
        self.pool_with(size, CONNECT_TIMEOUT, Planning::Once)
    }

    /// Connections for the keys of links: many ask at once when a fleet comes back, and
    /// each waits for its turn rather than fail and ask again.
    ///
    /// # Errors
    /// As [`Dsn::pool`].
    pub fn pool_with_long_wait(&self) -> Result<Pool, DsnError> {
        self.pool_with(POOL_SIZE, TURN_TIMEOUT, Planning::Usual)
    }

    fn pool_with(&self, size: usize, turn: Duration, planning: Planning) -> Result<Pool, DsnError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), recycling);
        Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(turn))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .post_create(configured(self.settings(STATEMENT_TIMEOUT, planning)))
            .pre_recycle(still_useful())
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|wrong| DsnError::Dsn(wrong.to_string()))
    }

    /// One connection of its own, for LISTEN or a session lock.
    pub(crate) async fn connect(&self) -> Result<(Client, DrivenConnection), StoreError> {
        self.connect_with(STATEMENT_TIMEOUT).await
    }

    /// The same without a limit on a statement's length: migrations alone.
    pub(super) async fn connect_patiently(&self) -> Result<(Client, DrivenConnection), StoreError> {
        self.connect_with(Duration::ZERO).await
    }

    async fn connect_with(&self, statement: Duration) -> Result<(Client, DrivenConnection), StoreError> {
        let own = self.direct.as_deref().unwrap_or(self);
        let connecting = async {
            let settings = own.settings(statement, Planning::Usual);
            let (client, mut connection) = own.config.connect(own.tls.clone()).await?;
            // Nothing is answered unless the connection is driven meanwhile.
            let done = tokio::select! {
                done = configure(&client, &settings) => done.map(drop),
                ended = &mut connection => ended,
            };
            done.map(|()| (client, connection))
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|wrong| store_error(&wrong)),
            Err(_) => Err(StoreError::Unavailable("no answer while connecting".to_owned())),
        }
    }

    /// The settings of each session, except for those in the DSN's own options.
    fn settings(&self, statement: Duration, planning: Planning) -> SessionSettings {
        if self.direct.is_some() {
            // The sessions are the pooler's, and other programs' as well.
            return Vec::new();
        }
        let options = self.config.get_options().unwrap_or_default();
        let plans = match planning {
            Planning::Usual => None,
            Planning::Once => Some(("plan_cache_mode", "force_generic_plan".to_owned())),
        };
        let all = [
            ("tcp_keepalives_idle", "3".to_owned()),
            ("tcp_keepalives_interval", "2".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            ("statement_timeout", statement.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT.as_millis().to_string()),
        ];
        all.into_iter().chain(plans).filter(|(name, _)| !options.contains(name)).collect()
    }
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a session does with statements that it carries out again and again.
#[derive(Clone, Copy)]
enum Planning {
    /// Postgres decides which ones it plans anew for their arguments.
    Usual,
    Once,
}

type SessionSettings = Vec<(&'static str, String)>;

/// Returns whether the server takes no writes.
async fn configure(client: &Client, settings: &SessionSettings) -> Result<bool, tokio_postgres::Error> {
    let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = settings.iter().map(|(_, value)| value.as_str()).collect();
    Ok(configure_session().bind(client, &names, &values).one().await?.read_only)
}

fn configured(settings: SessionSettings) -> Hook {
    let settings = Arc::new(settings);
    Hook::async_fn(move |client, _| {
        let settings = Arc::clone(&settings);
        Box::pin(async move {
            match tokio::time::timeout(CONNECT_TIMEOUT, configure(client, &settings)).await {
                Ok(Ok(false)) => Ok(()),
                Ok(Ok(true)) => Err(HookError::message(READ_ONLY)),
                Ok(Err(wrong)) => Err(HookError::Backend(wrong)),
                Err(_) => Err(HookError::message("no answer")),
            }
        })
    })
}

/// A connection of its own, for one reader. It lives as long as the second half.
pub(crate) async fn own_connection(dsn: &Dsn) -> Result<(Client, AbortOnDropHandle<()>), StoreError> {
    let (client, connection) = dsn.connect().await?;
    let driver = tokio::spawn(async move {
        // Users of the client get its error.
        let _ = connection.await;
    });
    Ok((client, AbortOnDropHandle::new(driver)))
}

/// Whether a connection of this age, idle for so long, is asked at its next use: the first one in
/// each period of its life, and each so-manyth.
fn is_looked_at(age: Duration, idle: Duration, uses: usize) -> bool {
    let period = |age: Duration| age.as_secs() / LOOK_EVERY.as_secs();
    period(age) != period(age.saturating_sub(idle)) || uses.is_multiple_of(LOOK_EACH)
}

/// Discards a connection whose server process hangs, is still busy with an abandoned
/// statement, or can no longer do the daemon's work; also an old one, since its name may point
/// to another server by now. Costs one round trip, most of the time without a statement.
fn still_useful() -> Hook {
    Hook::async_fn(|client, metrics| {
        let is_old = metrics.age() > MAX_AGE;
        let is_looked_at = is_looked_at(metrics.age(), metrics.last_used(), metrics.recycle_count);
        Box::pin(async move {
            if is_old {
                return Err(HookError::message("it is old"));
            }
            let check = async {
                if !is_looked_at {
                    return client.check_connection().await.map(|()| None);
                }
                let session = check_session().bind(&**client).one().await?;
                Ok(match (session.read_only, session.has_tables) {
                    (true, _) => Some(READ_ONLY),
                    (false, false) => Some("it does not see the tables: another server, database or role"),
                    (false, true) => None,
                })
            };
            match tokio::time::timeout(PROOF_TIMEOUT, check).await {
                Ok(Ok(None)) => Ok(()),
                Ok(Ok(Some(useless))) => Err(HookError::message(useless)),
                Ok(Err(wrong)) => Err(HookError::Backend(wrong)),
                Err(_) => Err(HookError::message("no answer")),
            }
        })
    })
}

/// A DSN may hold a password.
impl std::fmt::Debug for Dsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[dsn]")
    }
}

/// Takes a pooled connection.
///
/// # Errors
/// [`StoreError::Unavailable`] after five seconds without one.
pub async fn connection(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(|wrong| {
        let why = match &wrong {
            // The pool's own words say which of its hooks it was, and end the line.
            PoolError::PostCreateHook(why) => why.to_string(),
            PoolError::Timeout(_) | PoolError::Backend(_) | PoolError::Closed | PoolError::NoRuntimeSpecified => {
                wrong.to_string()
            }
        };
        StoreError::Unavailable(format!("database: {why}"))
    })
}

/// Waits for a statement, with a timeout.
///
/// # Errors
/// [`StoreError::Unavailable`], or [`StoreError::Refused`] for a statement that can never
/// succeed, with the database's own message.
pub async fn bounded<T, F>(statement: F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, tokio_postgres::Error>>,
{
    match tokio::time::timeout(QUERY_TIMEOUT, statement).await {
        Ok(done) => done.map_err(|wrong| store_error(&wrong)),
        Err(_) => Err(StoreError::Unavailable(format!("database: no answer in {} s", QUERY_TIMEOUT.as_secs()))),
    }
}

/// Classifies an error of the database and keeps its message, but never its DETAIL, which
/// contains values of the row.
pub(crate) fn store_error(wrong: &tokio_postgres::Error) -> StoreError {
    let Some(refused) = wrong.as_db_error() else {
        return StoreError::Unavailable(match std::error::Error::source(wrong) {
            Some(source) => format!("database: {wrong}: {source}"),
            None => format!("database: {wrong}"),
        });
    };
    let said = format!("database: {} ({})", refused.message(), refused.code().code());
    if *refused.code() == SqlState::INSUFFICIENT_PRIVILEGE {
        // Not caused by an account, and fixed from outside.
        return StoreError::Unavailable(format!(
            "{said}: the login lacks a right; run paird migrate --roles as the tables' owner"
        ));
    }
    if matches!(*refused.code(), SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT) {
        return StoreError::Unavailable(format!(
            "{said}: a pooler shares connections between transactions; use its session mode, or PgBouncer 1.21 with \
             max_prepared_statements and set PAIRD_LISTEN_URL to the server itself"
        ));
    }
    if is_for_good(refused.code()) { StoreError::Refused(said) } else { StoreError::Unavailable(said) }
}

/// Whether the same statement will always fail: it is wrong, or something in the database (a
/// constraint, a trigger) refuses it. All other errors are temporary: a server that is
/// shutting down, a lock, a full disk.
pub(super) fn is_for_good(code: &SqlState) -> bool {
    const CLASSES: [&str; 11] = [
        "0A", // feature not supported
        "21", // cardinality violation
        "22", // data exception: a value out of range, too long, not of its type
        "23", // integrity constraint violation
        "2F", // SQL routine exception
        "38", "39", // an external routine's
        "42", // a table, column or function that is not there
        "44", // WITH CHECK OPTION
        "54", // program limit exceeded: an index row or a value too large
        "P0", // RAISE in a trigger or function
    ];
    CLASSES.contains(&code.code().get(..2).unwrap_or_default())
}

/// `verify-ca`, `verify-full` and the files of certificates are libpq's; tokio_postgres refuses
/// them. They are taken out of the DSN here.
fn split_tls(text: &str) -> (String, TlsSettings) {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let (head, settings, separator) = if is_url {
        match text.split_once('?') {
            Some((head, query)) => (format!("{head}?"), query, '&'),
            None => (text.to_owned(), "", '&'),
        }
    } else {
        (String::new(), text, ' ')
    };
    let mut verified = false;
    let mut root = None;
    let (mut revoked, mut certificate, mut key) = (None, None, None);
    let mut kept = Vec::new();
    let file = |path| Some(PathBuf::from(decoded(path, is_url)));
    for setting in settings.split(separator).filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("sslmode", "verify-ca" | "verify-full")) => {
                verified = true;
                kept.push("sslmode=require");
            }
            Some(("sslrootcert", path)) => {
                verified = true;
                root = file(path).filter(|_| path != "system");
            }
            Some(("sslcrl", path)) => revoked = file(path),
            Some(("sslcert", path)) => certificate = file(path),
            Some(("sslkey", path)) => key = file(path),
            Some(_) | None => kept.push(setting),
        }
    }
    let trust = if verified { Trust::Verified { root } } else { Trust::Anyone };
    (format!("{head}{}", kept.join(&separator.to_string())), TlsSettings { trust, revoked, certificate, key })
}

/// In a URL a path is percent-encoded; between blanks it may be in quotes.
fn decoded(path: &str, is_url: bool) -> String {
    if is_url {
        percent_decode_str(path).decode_utf8_lossy().into_owned()
    } else {
        path.strip_prefix('\'').and_then(|path| path.strip_suffix('\'')).unwrap_or(path).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_asked_once_in_half_a_minute() {
        let at = Duration::from_secs;
        // Each second of five minutes.
        let asked = (1..=300).filter(|age| is_looked_at(at(*age), at(1), 1)).count();
        assert_eq!(asked, 10);
        assert!(is_looked_at(at(100), at(60), 1), "after a long rest");
        assert!(!is_looked_at(at(29), at(28), 1), "it is new");
        assert_eq!((1..=640).filter(|uses| is_looked_at(at(1), at(0), *uses)).count(), 10, "a busy one");
    }

    #[test]
    fn verify_full_is_taken_out_of_a_url_and_verifies() {
        let (text, tls) = split_tls("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&x=1");
        assert_eq!(text, "postgres://u@h/d?sslmode=require&x=1");
        assert_eq!(tls.trust, Trust::Verified { root: Some("/ca.pem".into()) });
    }

    #[test]
    fn files_of_certificates_are_taken_out_whatever_they_are_called() {
        let (text, tls) = split_tls(
            "postgres://u@h/d?sslcert=%2Fa%3Ab.pem&sslkey=%2Fschl%C3%BCssel%20.pem&sslcrl=/gone.pem&sslrootcert=system",
        );
        assert_eq!(text, "postgres://u@h/d?");
        assert_eq!(tls.certificate, Some("/a:b.pem".into()));
        assert_eq!(tls.key, Some("/schlüssel .pem".into()));
        assert_eq!((tls.revoked, tls.trust), (Some("/gone.pem".into()), Trust::Verified { root: None }));
        let (text, tls) = split_tls("host=h user=u sslcert='/own.pem' sslkey=/own%20.key");
        assert_eq!((text.as_str(), tls.certificate), ("host=h user=u", Some("/own.pem".into())));
        assert_eq!(tls.key, Some("/own%20.key".into()), "no URL");
        for (dsn, wrong) in [
            ("postgres://u@h/d?sslcert=/own.pem", "sslcert needs sslkey"),
            ("postgres://u@h/d?sslkey=/own.pem", "sslkey needs sslcert"),
            ("postgres://u@h/d?sslmode=verify-full&sslcrl=/nowhere.pem", "sslcrl /nowhere.pem"),
            ("postgres://u@h/d?sslcert=/nowhere.pem&sslkey=/nowhere.key", "sslcert /nowhere.pem"),
        ] {
            let said = Dsn::parse(dsn).unwrap_err().to_string();
            assert!(said.contains(wrong), "{said}");
        }
    }

    #[test]
    fn a_plain_key_value_dsn_stays_as_it_is() {
        let (text, tls) = split_tls("host=/run user=paird options='-c search_path=x'");
        assert_eq!(text, "host=/run user=paird options='-c search_path=x'");
        assert_eq!(tls.trust, Trust::Anyone);
    }

    #[test]
    fn an_unverified_remote_host_is_named() {
        for (text, named) in [
            ("postgres://u@db.example/d", &["db.example"][..]),
            ("postgres://u@db.example/d?sslmode=require", &["db.example"]),
            ("postgres://u@db.example/d?sslmode=disable&channel_binding=require", &["db.example"]),
            ("postgres://u@db.example/d?sslmode=verify-full", &[]),
            ("postgres://u@localhost/d", &[]),
            ("postgres://u@127.0.0.7:5433/d", &[]),
            ("host=::1 user=u", &[]),
            ("host=/run/postgresql user=u", &[]),
            ("host=/run/postgresql,10.0.0.7 user=u", &["10.0.0.7"]),
            ("host=db.example hostaddr=127.0.0.1 user=u", &[]),
            ("host=localhost hostaddr=10.0.0.7 user=u", &["10.0.0.7"]),
            ("hostaddr=10.0.0.7 user=u", &["10.0.0.7"]),
        ] {
            assert_eq!(Dsn::parse(text).unwrap().unverified_hosts(), named, "{text}");
        }
    }

    #[test]
    fn a_wrong_dsn_is_named_and_its_password_is_not_shown() {
        let wrong = Dsn::parse("postgres://u:geheim@h:notaport/d").unwrap_err().to_string();
        assert!(wrong.starts_with("DATABASE_URL: ") && !wrong.contains("geheim"), "{wrong}");
        assert_eq!(format!("{:?}", Dsn::parse("postgres://u:geheim@h/d").unwrap()), "[dsn]");
    }
}
