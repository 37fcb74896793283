//! Connections to Postgres: one reading of the DSN, a pool for statements, and single
//! connections for what must not be pooled.

use std::{future::poll_fn, sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use paird_actors::domain::StoreError;
use thiserror::Error;
use tokio::sync::Notify;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::tls::{self, Trust};

/// How long the server may work on one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server keeps a transaction, and its locks, of a daemon that says nothing: one
/// that was stopped in the middle must not lock its accounts away from the others.
const SILENCE_IN_TRANSACTION: Duration = Duration::from_secs(10);
/// How long a cut link goes unnoticed. What was sent before it does not arrive later, either.
const CUT_AFTER: Duration = Duration::from_secs(9);
/// How long a caller waits for a statement, network included: a frozen server answers
/// no statement_timeout.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a pooled connection may take to show that its server still answers.
const PROOF_TIMEOUT: Duration = Duration::from_secs(2);
const POOL_SIZE: usize = 8;
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

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

/// Where the database is and how to speak to it.
#[derive(Clone)]
pub struct Dsn {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Dsn {
    /// Reads a URL or a key=value string. Nothing is connected yet.
    ///
    /// # Errors
    /// The text is no DSN, or the root certificate that it names cannot be read.
    pub fn parse(text: &str) -> Result<Self, DsnError> {
        let (text, trust) = split_trust(text);
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
        let options = format!(
            "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c statement_timeout={} \
             -c idle_in_transaction_session_timeout={} {}",
            STATEMENT_TIMEOUT.as_millis(),
            SILENCE_IN_TRANSACTION.as_millis(),
            config.get_options().unwrap_or_default(),
        );
        config.options(options.trim_end());
        Ok(Self { config, tls: tls::connector(&trust)? })
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
        self.pool_with(size, CONNECT_TIMEOUT)
    }

    /// Connections for the keys of links: many ask at once when a fleet comes back, and
    /// each waits for its turn rather than fail and ask again.
    ///
    /// # Errors
    /// As [`Dsn::pool`].
    pub fn patient_pool(&self) -> Result<Pool, DsnError> {
        self.pool_with(POOL_SIZE, TURN_TIMEOUT)
    }

    fn pool_with(&self, size: usize, turn: Duration) -> Result<Pool, DsnError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), recycling);
        Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(turn))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .pre_recycle(still_answers())
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|wrong| DsnError::Dsn(wrong.to_string()))
    }

    /// One connection of its own, for LISTEN or a session lock.
    pub(crate) async fn connect(&self) -> Result<(Client, DrivenConnection), StoreError> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.config.connect(self.tls.clone())).await {
            Ok(connected) => connected.map_err(|wrong| store_error(&wrong)),
            Err(_) => Err(StoreError::Unavailable("no answer while connecting".to_owned())),
        }
    }

    /// The same without a limit on a statement's length: migrations alone.
    pub(super) async fn connect_patiently(&self) -> Result<(Client, DrivenConnection), StoreError> {
        let mut patient = self.clone();
        let options = format!("{} -c statement_timeout=0", self.config.get_options().unwrap_or_default());
        patient.config.options(options);
        patient.connect().await
    }
}

/// A connection of its own that notifies `wake` at every notification. It lives as long as
/// the second half.
pub(crate) async fn listening(dsn: &Dsn, wake: Arc<Notify>) -> Result<(Client, AbortOnDropHandle<()>), StoreError> {
    let (client, mut connection) = dsn.connect().await?;
    let driver = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                wake.notify_one();
            }
        }
        // Whoever waits for it finds that the connection is over.
        wake.notify_one();
    });
    Ok((client, AbortOnDropHandle::new(driver)))
}

/// A connection whose server process hangs, or still works on a statement that
/// somebody gave up waiting for, is thrown away instead of handed on. One round trip
/// without a statement.
fn still_answers() -> Hook {
    Hook::async_fn(|client, _| {
        Box::pin(async move {
            match tokio::time::timeout(PROOF_TIMEOUT, client.check_connection()).await {
                Ok(Ok(())) => Ok(()),
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
    pool.get().await.map_err(|wrong| StoreError::Unavailable(format!("database: {wrong}")))
}

/// Waits for a statement, but not for ever.
///
/// # Errors
/// [`StoreError::Unavailable`], or [`StoreError::Refused`] for what will never be done, with
/// the database's own words.
pub async fn bounded<T, F>(statement: F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, tokio_postgres::Error>>,
{
    match tokio::time::timeout(QUERY_TIMEOUT, statement).await {
        Ok(done) => done.map_err(|wrong| store_error(&wrong)),
        Err(_) => Err(StoreError::Unavailable(format!("database: no answer in {} s", QUERY_TIMEOUT.as_secs()))),
    }
}

/// What an error of the database means for who asked, in its words. Never its DETAIL: that
/// holds values of the row.
pub(crate) fn store_error(wrong: &tokio_postgres::Error) -> StoreError {
    let Some(refused) = wrong.as_db_error() else {
        return StoreError::Unavailable(match std::error::Error::source(wrong) {
            Some(source) => format!("database: {wrong}: {source}"),
            None => format!("database: {wrong}"),
        });
    };
    let said = format!("database: {} ({})", refused.message(), refused.code().code());
    if *refused.code() == SqlState::INSUFFICIENT_PRIVILEGE {
        // Of no account's making, and mended from outside.
        return StoreError::Unavailable(format!(
            "{said}: the daemon's role lacks a right; run paird migrate --roles as the tables' owner"
        ));
    }
    if is_for_good(refused.code()) { StoreError::Refused(said) } else { StoreError::Unavailable(said) }
}

/// Whether the same statement will always fail: what it says is wrong, or something in the
/// database (a constraint, a trigger) is against it. Everything else passes: a server that
/// is going down, a lock, a full disk.
fn is_for_good(code: &SqlState) -> bool {
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

/// `verify-ca`, `verify-full` and `sslrootcert` are libpq's; tokio_postgres refuses
/// them. They are taken out of the DSN here.
fn split_trust(text: &str) -> (String, Trust) {
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
    let mut kept = Vec::new();
    for setting in settings.split(separator).filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("sslmode", "verify-ca" | "verify-full")) => {
                verified = true;
                kept.push("sslmode=require");
            }
            Some(("sslrootcert", path)) => {
                verified = true;
                root = (path != "system").then(|| percent_decoded(path, is_url).into());
            }
            Some(_) | None => kept.push(setting),
        }
    }
    let trust = if verified { Trust::Verified { root } } else { Trust::Anyone };
    (format!("{head}{}", kept.join(&separator.to_string())), trust)
}

fn percent_decoded(text: &str, is_url: bool) -> String {
    if is_url { text.replace("%2F", "/").replace("%2f", "/").replace("%20", " ") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_full_is_taken_out_of_a_url_and_verifies() {
        let (text, trust) = split_trust("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&x=1");
        assert_eq!(text, "postgres://u@h/d?sslmode=require&x=1");
        assert_eq!(trust, Trust::Verified { root: Some("/ca.pem".into()) });
    }

    #[test]
    fn a_plain_key_value_dsn_stays_as_it_is() {
        let (text, trust) = split_trust("host=/run user=paird options='-c search_path=x'");
        assert_eq!(text, "host=/run user=paird options='-c search_path=x'");
        assert_eq!(trust, Trust::Anyone);
    }

    #[test]
    fn a_wrong_dsn_is_named_and_its_password_is_not_shown() {
        let wrong = Dsn::parse("postgres://u:geheim@h:notaport/d").unwrap_err().to_string();
        assert!(wrong.starts_with("DATABASE_URL: ") && !wrong.contains("geheim"), "{wrong}");
        assert_eq!(format!("{:?}", Dsn::parse("postgres://u:geheim@h/d").unwrap()), "[dsn]");
    }
}
