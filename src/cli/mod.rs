//! The command line. `serve` is the daemon; the rest is one more user of its public
//! face: rows, `send_command`, events.

mod account_commands;
mod accounts;
mod database;
#[cfg(feature = "sandbox")]
mod demo;
mod events;
mod keys;
mod labels;
mod out;
mod pair;
#[cfg(feature = "sandbox")]
mod phone;
mod proxy;
#[cfg(feature = "sandbox")]
mod sandbox;
mod status;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use uuid::Uuid;

use crate::config::Config;
use crate::{daemon, telemetry};

/// The operator of accounts that are added without `--operator`: a fixed id, so that
/// a single operator needs none.
pub const DEFAULT_OPERATOR: Uuid = Uuid::from_u128(1);

/// A setting or an argument is wrong.
const EXIT_USAGE: u8 = 2;

const SETTINGS_HELP: &str = "\
Settings, from the environment or paird.toml (same names; the environment wins):
  DATABASE_URL              Postgres to use; absent: an embedded one in the data directory
  PAIRD_DATA_DIR            default $XDG_DATA_HOME/paird, else ~/.local/share/paird
  PAIRD_CONFIG              settings file; default ./paird.toml, else <data dir>/paird.toml
  PAIRD_MASTER_KEY_FILE     default <data dir>/master.key
  PAIRD_COMMAND_CHANNEL     default paird_command
  PAIRD_EVENT_CHANNEL       default paird_event
  PAIRD_PAIR_TIMEOUT        how long a pair attempt may take; default 5m
  PAIRD_PENDING_MAX_AGE     an older pending account is parked at start; default 1h
  PAIRD_REFUSE              before-link (default) or after-link
  PAIRD_CONSOLE_ADDR        loopback address of the console; default 127.0.0.1:8088
  PAIRD_CONSOLE_TOKEN_FILE  default <data dir>/console.token
  PAIRD_DEVICE_NAME         name under Linked devices; default paird
  PAIRD_LOG                 default info; for example info,paird::postgres=debug
  PAIRD_LOG_FORMAT          text (default) or json
  PAIRD_POSTGRES_BIN        directory of initdb and postgres
  PAIRD_CONNECT_RATE        connections to WhatsApp a second, after a burst; 0: no limit; default 20
  PAIRD_LEASE_TTL           a silent daemon's accounts are taken over after this; default 20s
  PAIRD_WHATSAPP_URL        sandbox builds only: the sandbox's ws:// address";

/// Links and keeps WhatsApp accounts, driven through Postgres.
#[derive(Debug, Parser)]
#[command(name = "paird", version, after_help = SETTINGS_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon until SIGTERM or Ctrl-C.
    #[command(after_help = SETTINGS_HELP)]
    Serve,
    /// Adds accounts, lists them, and sets how their connections are made.
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// Links an account: draws the QR here until the phone has scanned it.
    ///
    /// Exit codes: 0 connected, 3 the number is linked already, 4 wrong phone,
    /// 5 timeout, 6 cancelled, 7 failed.
    Pair(pair::PairArgs),
    /// Closes an account's connection and keeps it closed.
    Unpair {
        #[command(flatten)]
        account: AccountArg,
        /// Also removes the device from the phone's list, and erases the keys.
        #[arg(long)]
        logout: bool,
    },
    /// Connects an unpaired account again with its parked keys.
    Resume(AccountArg),
    /// Ends the running pair attempt of an account.
    Cancel(AccountArg),
    /// Deletes an account, and its device from the phone's list.
    Delete {
        #[command(flatten)]
        account: AccountArg,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Lists the groups of an account.
    Groups {
        #[command(flatten)]
        account: AccountArg,
        /// Fetches them from WhatsApp first.
        #[arg(long)]
        sync: bool,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Says how an account is, or all of them.
    Status {
        /// Label or id; all accounts if absent.
        account: Option<String>,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Replaces the master key, and says what is sealed with which.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Prints what happened to accounts, and with --follow what happens.
    Events(events::EventsArgs),
    /// Runs a WhatsApp server double with simulated phones until Ctrl-C.
    #[cfg(feature = "sandbox")]
    Sandbox,
    /// Moves the simulated phones of a running sandbox.
    #[cfg(feature = "sandbox")]
    #[command(subcommand)]
    Phone(phone::PhoneCommand),
    /// Shows everything once, against the sandbox, and checks it.
    #[cfg(feature = "sandbox")]
    Demo(demo::DemoArgs),
}

#[derive(Args, Debug)]
struct AccountArg {
    /// Label or id of the account.
    #[arg(value_name = "LABEL|ID")]
    account: String,
}

/// Reads arguments and settings, does what is asked, and says in the exit code how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load().and_then(|config| if cli.is_daemon() { config.for_daemon() } else { Ok(config) })
    {
        Ok(config) => config,
        Err(wrong) => return out::complain(&wrong, EXIT_USAGE),
    };
    // The daemon makes its own runtime.
    let done = if cli.is_daemon() {
        serve(config)
    } else {
        runtime().and_then(|runtime| runtime.block_on(run(cli.command, config)))
    };
    done.unwrap_or_else(|error| out::complain(&format!("{error:#}"), 1))
}

impl Cli {
    fn is_daemon(&self) -> bool {
        matches!(self.command, Command::Serve)
    }
}

fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::start(&config.log, config.log_format)?;
    daemon::run(config)?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    use account_commands::{Ask, ask};
    match command {
        Command::Serve => Ok(ExitCode::SUCCESS),
        Command::Accounts(command) => accounts::run(&config, command).await,
        Command::Pair(args) => pair::run(&config, args).await,
        Command::Unpair { account, logout } => ask(&config, &account.account, Ask::Unpair { logout }).await,
        Command::Resume(account) => ask(&config, &account.account, Ask::Resume).await,
        Command::Cancel(account) => ask(&config, &account.account, Ask::Cancel).await,
        Command::Delete { account, yes } => account_commands::delete(&config, &account.account, yes).await,
        Command::Groups { account, sync, json } => {
            account_commands::groups(&config, &account.account, sync, json).await
        }
        Command::Status { account, json } => status::run(&config, account.as_deref(), json).await,
        Command::Keys(command) => keys::run(&config, command).await,
        Command::Events(args) => events::run(&config, args).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox => sandbox::run(&config).await,
        #[cfg(feature = "sandbox")]
        Command::Phone(command) => phone::run(&config, command).await,
        #[cfg(feature = "sandbox")]
        Command::Demo(args) => demo::run(&config, args).await,
    }
}
