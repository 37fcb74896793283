//! The command line. `serve` is the daemon; the rest is one more user of its public
//! face: rows, `send_command`, events, and the console's HTTP API.

mod account_commands;
mod account_filter;
mod accounts;
mod accounts_file;
mod admin;
mod audit;
mod chat;
mod completions;
mod console;
mod contact;
mod database;
#[cfg(feature = "sandbox")]
mod demo;
mod doctor;
mod events;
mod exit;
mod fleet_filter;
mod groups;
mod health;
mod help;
mod keys;
mod labels;
mod link;
mod man;
mod messages;
mod migrate;
mod out;
mod pair;
mod passkey;
#[cfg(feature = "sandbox")]
mod phone;
mod progress;
mod proxy;
mod prune;
#[cfg(feature = "sandbox")]
mod sandbox;
mod send;
mod status;
mod tag;
mod watch;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use paird_actors::domain::CommandKind;
use serde_json::json;

use crate::config::Config;
use crate::{daemon, telemetry};
use exit::Exit;
use out::Format;

/// Links and keeps WhatsApp accounts, driven through Postgres.
#[derive(Debug, Parser)]
#[command(name = "paird", version, after_help = help::BEGIN)]
struct Cli {
    /// JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says whether paird can run here, and what to do next. It changes nothing.
    Init,
    /// Runs the daemon until SIGTERM or Ctrl-C.
    #[command(after_help = help::settings())]
    Serve,
    /// Adds accounts, lists and renames them, and sets how their connections are made.
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// Links an account: draws the QR here until the phone has scanned it.
    #[command(after_help = help::exit_codes())]
    Pair(pair::PairArgs),
    /// Makes a link by which whoever has the phone pairs an account; lists and revokes such links.
    Link(link::LinkArgs),
    /// Ends the running pair attempt of an account.
    Cancel(AccountArg),
    /// Shows what WhatsApp asks of a passkey, and answers it.
    #[command(after_help = help::PASSKEY)]
    Passkey(passkey::PasskeyArgs),
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
    },
    /// Prints the messages of an account, and with --follow those that come in or are sent.
    #[command(after_help = help::MESSAGES)]
    Messages(messages::MessagesArgs),
    /// Sends a text from an account.
    #[command(after_help = help::SEND)]
    Send(send::SendArgs),
    /// Marks a chat as read, or shows it that somebody is typing.
    #[command(subcommand)]
    Chat(chat::ChatCommand),
    /// Finds out whether numbers are on WhatsApp.
    #[command(subcommand)]
    Contact(contact::ContactCommand),
    /// Says how an account is, or all of them.
    ///
    /// What wants attention goes first. A filter that matches nothing is no error.
    #[command(after_help = help::STATUS)]
    Status(status::StatusArgs),
    /// Says whether the daemon of this machine lives: exit code 1 if it does not, exit code 11 if its data
    /// directory knows of none.
    Health(health::HealthArgs),
    /// Brings the schema up to date, as the owner of the tables.
    ///
    /// The daemon does that itself at its start, if its role may.
    Migrate(migrate::MigrateArgs),
    /// Deletes what is older than it is kept for, as a daemon does every hour.
    ///
    /// See PAIRD_KEEP_EVENTS, PAIRD_KEEP_BODIES, PAIRD_KEEP_COMMANDS and PAIRD_KEEP_AUDIT.
    Prune(prune::PruneArgs),
    /// Shows the fleet live, with the QR of the account that is being paired.
    Watch(fleet_filter::FleetFilter),
    /// Prints what happened to accounts, and with --follow what happens.
    Events(events::EventsArgs),
    /// Prints who did what to which account.
    Audit(audit::AuditArgs),
    /// Says where the console's pages are, and where the token is that they ask for.
    Console(console::page::ConsoleArgs),
    /// Looks for everything that may be wrong, and says what to do about it.
    Doctor,
    /// Replaces the master key, and says what is sealed with which.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    #[command(flatten)]
    Admin(admin::AdminCommand),
    /// Prints the completions of a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions { shell: clap_complete::Shell },
    /// Writes the manual pages into a directory; without one, prints the first of them.
    #[command(hide = true)]
    Man { dir: Option<PathBuf> },
    /// Lists the exit codes.
    #[command(after_help = help::exit_codes())]
    ExitCodes,
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
    if let Some(answered) = completions::answer() {
        return answered;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => return misused(&wrong),
    };
    let format = Format::of(cli.json);
    if let Some(done) = without_settings(&cli.command, format) {
        return done;
    }
    let config = match Config::load().and_then(|config| if cli.is_daemon() { config.for_daemon() } else { Ok(config) })
    {
        Ok(config) => config,
        Err(wrong) => return format.complain(Exit::Usage, wrong),
    };
    // The daemon makes its own runtime.
    let done = if cli.is_daemon() {
        serve(config)
    } else {
        runtime().and_then(|runtime| runtime.block_on(run(cli.command, &config, format)))
    };
    done.unwrap_or_else(|error| format.complain(Exit::of(&error), format_args!("{error:#}")))
}

impl Cli {
    fn is_daemon(&self) -> bool {
        matches!(self.command, Command::Serve)
    }
}

/// Help and version are asked for in the same way as something wrong is. Without any argument the help is
/// what one most likely came for.
fn misused(wrong: &clap::Error) -> ExitCode {
    let is_asked = matches!(wrong.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_asked || std::env::args_os().len() == 1 {
        let _ = wrong.print();
        return ExitCode::from(if is_asked { Exit::Done.code() } else { Exit::Usage.code() });
    }
    let format = Format::of(std::env::args_os().any(|arg| arg == "--json"));
    format.complain(Exit::Usage, in_one_line(wrong.kind(), &wrong.to_string()))
}

/// What clap says in several paragraphs: what is wrong, tips, the usage, and where help is.
fn in_one_line(kind: ErrorKind, text: &str) -> String {
    let usage = text.lines().find_map(|line| line.trim_start().strip_prefix("Usage: "));
    let is_last = |line: &&str| line.trim_start().starts_with("Usage: ") || line.starts_with("For more information");
    let words = if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // The rest of a long description is indented further.
        let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        let names: Vec<_> = names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").collect();
        format!("a command is missing, one of {}", names.join(", "))
    } else {
        let lines = text.lines().take_while(|line| !is_last(line)).map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").replace(" tip: ", "; tip: ")
    };
    let Some(usage) = usage else { return format!("{words}; paird help says more") };
    let command: Vec<_> = usage
        .split(' ')
        .skip(1)
        .take_while(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .collect();
    format!("{words}; usage: {usage}; more: {}", [&["paird help"], &command[..]].concat().join(" "))
}

/// Runs the commands that need neither settings nor a database.
fn without_settings(command: &Command, format: Format) -> Option<ExitCode> {
    if let Command::Completions { shell } = command {
        return Some(completions::print(*shell, format));
    }
    if let Command::Man { dir } = command {
        return Some(man::write(dir.as_deref(), format));
    }
    if matches!(command, Command::ExitCodes) {
        match format {
            Format::Text => out::raw(&format!("{}\n", exit::table())),
            Format::Json => out::json(&exit::as_json()),
        }
        return Some(ExitCode::SUCCESS);
    }
    None
}

fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::start(&config.log, config.log_format)?;
    daemon::run(config)?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn run(command: Command, config: &Config, format: Format) -> anyhow::Result<ExitCode> {
    use account_commands::ask;
    match command {
        Command::Serve | Command::Completions { .. } | Command::Man { .. } | Command::ExitCodes => {
            Ok(ExitCode::SUCCESS)
        }
        Command::Accounts(command) => accounts::run(config, format, command).await,
        Command::Pair(args) => pair::run(config, format, args).await,
        Command::Link(args) => link::run(config, format, args).await,
        Command::Cancel(account) => ask(config, format, &account.account, CommandKind::Cancel, json!({})).await,
        Command::Passkey(args) => passkey::run(config, format, args).await,
        Command::Unpair { account, logout } => {
            ask(config, format, &account.account, CommandKind::Unpair, json!({ "logout": logout })).await
        }
        Command::Resume(account) => ask(config, format, &account.account, CommandKind::Resume, json!({})).await,
        Command::Delete { account, yes } => account_commands::delete(config, format, &account.account, yes).await,
        Command::Groups { account, sync } => groups::run(config, format, &account.account, sync).await,
        Command::Messages(args) => messages::run(config, format, args).await,
        Command::Send(args) => send::run(config, format, args).await,
        Command::Chat(command) => chat::run(config, format, command).await,
        Command::Contact(command) => contact::run(config, format, command).await,
        Command::Status(args) => status::run(config, format, args).await,
        Command::Watch(filter) => watch::run(config, format, filter).await,
        Command::Events(args) => events::run(config, format, args).await,
        Command::Audit(args) => audit::run(config, format, args).await,
        Command::Console(args) => console::page::run(config, format, &args),
        Command::Init => doctor::init::run(config, format).await,
        Command::Doctor => doctor::run(config, format).await,
        Command::Keys(command) => keys::run(config, format, command).await,
        Command::Admin(command) => admin::run(config, format, command).await,
        Command::Health(args) => health::run(config, format, args).await,
        Command::Prune(args) => prune::run(config, format, args).await,
        Command::Migrate(args) => migrate::run(config, format, args).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox => sandbox::run(config).await,
        #[cfg(feature = "sandbox")]
        Command::Phone(command) => phone::run(config, format, command).await,
        #[cfg(feature = "sandbox")]
        Command::Demo(args) => demo::run(config, args).await,
    }
}
