//! The settings: environment first, then `paird.toml`, then a default. .deploy/README.md
//! lists them.
//!
//! This is the only file that reads the environment; everything else is handed values.

mod parsers;
mod settings;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use paird_actors::domain::{Policy, Refuse, Secret};
use paird_actors::outgoing::OutgoingPolicy;
use thiserror::Error;

pub use parsers::device_name;
pub use settings::help as settings_help;
pub(crate) use settings::usual_channels;
use sources::RawSettings;

use crate::postgres::{embedded::Options, notify_lane::NotifyCommands, outbox::EventPayload, prune::Keep};
use crate::whatsapp::ProxyAllow;

/// Every setting, read once at start and valid.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DATABASE_URL`; `None` means the embedded Postgres of the data directory.
    pub database_url: Option<DatabaseUrl>,
    /// `PAIRD_LISTEN_URL`: the same database past a pooler, for the connections that need a
    /// session: LISTEN and locks. Only with `DATABASE_URL`.
    pub listen_url: Option<DatabaseUrl>,
    /// `PAIRD_CONSOLE_DATABASE_URL`: the same database for the console, the HTTP API and the
    /// command line, as a login in `paird_console`. Only with `DATABASE_URL`.
    pub console_database_url: Option<DatabaseUrl>,
    /// `PAIRD_DATA_DIR`: the embedded cluster, and the files below unless named.
    /// Default `$XDG_DATA_HOME/paird`, else `~/.local/share/paird`.
    pub data_dir: PathBuf,
    /// `PAIRD_MASTER_KEY_FILE`, default `<data dir>/master.key`.
    pub master_key_file: PathBuf,
    /// `PAIRD_COMMAND_CHANNEL`: a plain identifier, at most 63 bytes.
    pub command_channel: String,
    /// `PAIRD_EVENT_CHANNEL`: likewise, and another one.
    pub event_channel: String,
    /// `PAIRD_NOTIFY_COMMANDS`: whose bare NOTIFYs are commands.
    pub notify_commands: NotifyCommands,
    /// `PAIRD_EVENT_PAYLOAD`: what a notification of an event tells.
    pub event_payload: EventPayload,
    /// `PAIRD_PAIR_TIMEOUT`: how long a pair attempt may take.
    pub pair_timeout: Duration,
    /// `PAIRD_PENDING_MAX_AGE`: an older `pending` row is parked at start.
    pub pending_max_age: Duration,
    /// `PAIRD_REFUSE`.
    pub refuse: Refuse,
    /// `PAIRD_RESEND`: whether a message is sent again of which it is not known whether it arrived.
    pub sends_again: bool,
    /// `PAIRD_UNLINK_TIMEOUT`: how long WhatsApp's answer to the removal of a device may take.
    pub unlink_timeout: Duration,
    /// `PAIRD_CONSOLE_ADDR`: loopback only; `None` is `off`.
    pub console_addr: Option<SocketAddr>,
    /// `PAIRD_PROBE_ADDR`: any address, for probes and metrics alone; `None` is `off`.
    pub probe_addr: Option<SocketAddr>,
    /// `PAIRD_LINK_ADDR`: any address, for the page of pairing links alone; `None` is `off`.
    pub link_addr: Option<SocketAddr>,
    /// `PAIRD_LINK_URL`: what pairing links begin with, without a slash at its end; `None`: they could be
    /// opened nowhere. Known wherever `link_addr` is set.
    pub link_url: Option<String>,
    /// `PAIRD_LINK_PROXIES`: reverse proxies whose word on their visitors' addresses counts.
    pub link_proxies: Vec<IpNet>,
    /// `PAIRD_CONSOLE_TOKEN_FILE`, default `<data dir>/console.token`.
    pub console_token_file: PathBuf,
    /// `PAIRD_CONSOLE_MESSAGES`: whether sessions of the console's pages send messages.
    pub console_sends: bool,
    /// `PAIRD_LOG`: directives as of tracing's `EnvFilter`, checked.
    pub log: String,
    /// `PAIRD_LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `PAIRD_WHATSAPP_URL`: the sandbox to talk to, `ws://` on a loopback address, or
    /// `wss://` with a certificate that this machine trusts.
    /// Always `None` in a production build, never `None` in a sandbox build that
    /// passed [`Config::for_daemon`].
    pub whatsapp_url: Option<String>,
    /// `PAIRD_DEVICE_NAME`: the name under "Linked devices" on the phone.
    pub device_name: String,
    /// `PAIRD_POSTGRES_BIN`: the directory of `initdb` and `postgres`, instead of
    /// looking for it in [`executable_dirs`] and the usual places.
    pub postgres_bin: Option<PathBuf>,
    /// `PAIRD_CONNECT_RATE`: connections to WhatsApp that this daemon opens in one
    /// second, once a burst of two and a half times as many is used up. 0: no limit.
    pub connect_rate: u32,
    /// `PAIRD_PROXY_ALLOW`: where accounts' proxies may be.
    pub proxy_allow: ProxyAllow,
    /// `PAIRD_GROUPS_REFRESH`: how often groups are fetched again without a reported change.
    pub groups_refresh: Duration,
    /// `PAIRD_LEASE_TTL`: how long after its last sign of life a daemon's accounts are
    /// taken over. It closes its connections by itself after three fifths of that.
    pub lease_ttl: Duration,
    /// `PAIRD_KEEP_EVENTS`, `PAIRD_KEEP_COMMANDS`, `PAIRD_KEEP_BODIES`, `PAIRD_KEEP_AUDIT`: a
    /// day at least; deleted accounts and messages are kept as long as events.
    pub keep: Keep,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One JSON object a line.
    Json,
}

/// A connection string. `Debug` hides it whole: it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Secret);

impl DatabaseUrl {
    /// The string itself, to connect with.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[connection string]")
    }
}

/// A setting that cannot be used: its name and what is wrong, in one line, without
/// a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{setting}: {wrong}")]
pub struct ConfigError {
    pub setting: String,
    pub wrong: String,
}

impl ConfigError {
    fn new(setting: &str, wrong: impl Into<String>) -> Self {
        Self { setting: setting.to_owned(), wrong: wrong.into() }
    }
}

impl Config {
    /// Reads the environment and the settings file.
    ///
    /// # Errors
    /// The first setting that is wrong, misspelt or unknown.
    pub fn load() -> Result<Self, ConfigError> {
        Self::read(environment()?)
    }

    /// Reads the settings from the given environment, and from the file that it
    /// or its directories name.
    fn read(variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let raw = RawSettings::new(variables)?;
        let data_dir = raw.data_dir()?;
        let path = |setting, default: PathBuf| raw.get(setting).map_or(default, PathBuf::from);

        let command_channel = raw.parse(&settings::COMMAND_CHANNEL, parsers::channel)?;
        let event_channel = raw.parse(&settings::EVENT_CHANNEL, parsers::channel)?;
        if command_channel == event_channel {
            return Err(ConfigError::new(settings::EVENT_CHANNEL.name, "is the same as PAIRD_COMMAND_CHANNEL"));
        }
        let link_addr = raw.parse(&settings::LINK_ADDR, parsers::probe_addr)?;
        let link_url = match (raw.parse_optional(&settings::LINK_URL, parsers::link_url)?, link_addr) {
            (None, Some(addr)) if addr.ip().is_loopback() && addr.port() != 0 => Some(format!("http://{addr}")),
            (None, Some(_)) => {
                let wrong = "is not set, and PAIRD_LINK_ADDR does not say how a phone gets to its pages";
                return Err(ConfigError::new(settings::LINK_URL.name, wrong));
            }
            (url, _) => url,
        };
        Ok(Self {
            link_addr,
            link_url,
            link_proxies: raw.parse(&settings::LINK_PROXIES, parsers::networks)?,
            database_url: raw.parse_optional(&settings::DATABASE_URL, parsers::database_url)?,
            console_database_url: raw.parse_optional(&settings::CONSOLE_DATABASE_URL, parsers::database_url)?,
            listen_url: raw.parse_optional(&settings::LISTEN_URL, parsers::database_url)?,
            master_key_file: path(&settings::MASTER_KEY_FILE, data_dir.join("master.key")),
            command_channel,
            event_channel,
            notify_commands: raw.parse(&settings::NOTIFY_COMMANDS, parsers::notify_commands)?,
            event_payload: raw.parse(&settings::EVENT_PAYLOAD, parsers::event_payload)?,
            pair_timeout: raw.parse(&settings::PAIR_TIMEOUT, parsers::duration)?,
            pending_max_age: raw.parse(&settings::PENDING_MAX_AGE, parsers::duration)?,
            refuse: raw.parse(&settings::REFUSE, parsers::refuse)?,
            sends_again: raw.parse(&settings::RESEND, parsers::resend)?,
            unlink_timeout: raw.parse(&settings::UNLINK_TIMEOUT, parsers::duration)?,
            console_addr: raw.parse(&settings::CONSOLE_ADDR, parsers::console_addr)?,
            probe_addr: raw.parse(&settings::PROBE_ADDR, parsers::probe_addr)?,
            console_token_file: path(&settings::CONSOLE_TOKEN_FILE, data_dir.join("console.token")),
            console_sends: raw.parse(&settings::CONSOLE_MESSAGES, parsers::console_messages)?,
            log: raw.parse(&settings::LOG, parsers::log_directives)?,
            log_format: raw.parse(&settings::LOG_FORMAT, parsers::log_format)?,
            whatsapp_url: raw.parse_optional(&settings::WHATSAPP_URL, parsers::whatsapp_url)?,
            device_name: raw.parse(&settings::DEVICE_NAME, parsers::device_name)?,
            postgres_bin: raw.get(&settings::POSTGRES_BIN).map(PathBuf::from),
            connect_rate: raw.parse(&settings::CONNECT_RATE, parsers::connect_rate)?,
            proxy_allow: raw.parse(&settings::PROXY_ALLOW, parsers::proxy_allow)?,
            keep: Keep {
                events: raw.parse(&settings::KEEP_EVENTS, parsers::keep)?,
                commands: raw.parse(&settings::KEEP_COMMANDS, parsers::keep)?,
                bodies: raw.parse(&settings::KEEP_BODIES, parsers::keep_bodies)?,
                audit: raw.parse(&settings::KEEP_AUDIT, parsers::keep_audit)?,
            },
            groups_refresh: raw.parse(&settings::GROUPS_REFRESH, parsers::groups_refresh)?,
            lease_ttl: raw.parse(&settings::LEASE_TTL, parsers::lease_ttl)?,
            data_dir,
        })
    }

    /// Checks the daemon's own requirements: a build that skips WhatsApp's certificate check
    /// must be configured with the sandbox to talk to.
    ///
    /// # Errors
    /// A sandbox build without `PAIRD_WHATSAPP_URL`.
    pub fn for_daemon(self) -> Result<Self, ConfigError> {
        if cfg!(feature = "sandbox") && self.whatsapp_url.is_none() {
            let wrong = "is not set; this is a sandbox build, which never talks to the real WhatsApp: \
                         give it a sandbox's ws:// address, or build without the sandbox feature";
            return Err(ConfigError::new(settings::WHATSAPP_URL.name, wrong));
        }
        Ok(self)
    }

    /// The console's own login. The embedded Postgres has a single login.
    pub fn own_console_url(&self) -> Option<&DatabaseUrl> {
        self.console_database_url.as_ref().filter(|_| self.database_url.is_some())
    }

    /// The settings that decide what the machines do.
    pub fn policy(&self) -> Policy {
        Policy {
            pair_timeout: self.pair_timeout,
            pending_max_age: self.pending_max_age,
            refuse: self.refuse,
            groups_refresh: self.groups_refresh,
            unlink_timeout: self.unlink_timeout,
            ..Policy::default()
        }
    }

    /// The settings that decide how messages are sent.
    pub fn outgoing_policy(&self) -> OutgoingPolicy {
        OutgoingPolicy { sends_again: self.sends_again, ..OutgoingPolicy::default() }
    }

    /// The file in which the daemon writes the address of its console while it listens.
    pub fn console_addr_file(&self) -> PathBuf {
        self.data_dir.join("console.addr")
    }

    /// The console's socket, for the command line.
    pub fn console_socket(&self) -> PathBuf {
        self.data_dir.join("console.sock")
    }

    /// The same for its probe listener.
    pub fn probe_addr_file(&self) -> PathBuf {
        self.data_dir.join("probe.addr")
    }

    /// The same for the listener of pairing links.
    pub fn link_addr_file(&self) -> PathBuf {
        self.data_dir.join("link.addr")
    }

    /// The file in which the daemon writes the connection string of its embedded cluster
    /// while that is up.
    pub fn embedded_dsn_file(&self) -> PathBuf {
        self.data_dir.join("postgres.dsn")
    }
}

/// `PATH`, split: where programs are looked for.
#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
pub fn executable_dirs() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// `TMPDIR` or its usual value.
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// How a private Postgres is run on this host, with the programs of `bin` if it is given.
pub fn embedded_postgres(bin: Option<PathBuf>) -> Options {
    Options { bin, executable_dirs: executable_dirs(), temp_dir: temp_dir(), fast: false }
}

/// The variables that matter here. One that is not UTF-8 is an error if it is ours.
#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
fn environment() -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        match value.into_string() {
            Ok(value) => {
                variables.insert(name, value);
            }
            Err(_) if sources::is_ours(&name) => return Err(ConfigError::new(&name, "is not valid UTF-8")),
            Err(_) => {}
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests;
