//! `paird accounts proxy`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use paird_actors::domain::AccountId;
use serde_json::json;
use zeroize::Zeroizing;

use super::AccountArg;
use super::accounts::NONE;
use super::database::{Database, explained};
use super::exit::{Exit, failure};
use super::out::{self, Format};
use crate::config::Config;
use crate::credentials::{GivenProxy, ProxyError, forget_proxy, set_proxy};

/// A password file holds one line.
const LONGEST_INPUT: u64 = 4096;

#[derive(Args, Debug)]
pub(super) struct ProxyArgs {
    #[command(flatten)]
    account: AccountArg,
    /// socks5://host:port or http://host:port, `none`, or `-`: read from stdin, where it
    /// may hold user and password.
    #[arg(value_name = "URL|none|-")]
    url: String,
    /// The proxy wants this user.
    #[arg(long)]
    user: Option<String>,
    /// The user's password is the first line of this file.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
}

pub(super) async fn run(
    config: &Config,
    database: &Database,
    format: Format,
    args: ProxyArgs,
) -> anyhow::Result<ExitCode> {
    let account = database.account(&args.account.account).await?;
    let id = AccountId(account.id);
    if args.url == NONE {
        if args.user.is_some() {
            return Err(failure(Exit::Usage, "no proxy has no user"));
        }
        forget_proxy(&database.client, id, "cli").await.map_err(in_words)?;
        let document = json!({ "id": account.id, "label": account.label, "proxy": null });
        format.tell(format_args!("{}: connects directly", account.label), &document);
        return Ok(ExitCode::SUCCESS);
    }
    let given = given(args).map_err(|wrong| failure(Exit::Usage, format!("{wrong:#}")))?;
    set_proxy(&database.client, &config.master_key_file, id, &given, "cli").await.map_err(in_words)?;
    let login = if given.login.is_some() { ", with user and password" } else { "" };
    let document = json!({
        "id": account.id, "label": account.label,
        "proxy": given.address.to_string(), "hasLogin": given.login.is_some(),
    });
    format.tell(format_args!("{}: connects through {}{login}", account.label, given.address), &document);
    Ok(ExitCode::SUCCESS)
}

/// What goes wrong here is wrong with the arguments.
fn given(args: ProxyArgs) -> anyhow::Result<GivenProxy> {
    let from_stdin = args.url == "-";
    let url = match from_stdin {
        true => first_line(&mut io::stdin().lock(), "the URL, the first line of stdin,")?,
        false => Zeroizing::new(args.url),
    };
    let given = GivenProxy::parse(&url).map_err(said_once)?;
    ensure!(
        from_stdin || given.login.is_none(),
        "every user of this machine can read arguments: give user and password with --user, or the URL on stdin (-)"
    );
    let Some(user) = args.user else { return Ok(given) };
    ensure!(given.login.is_none(), ProxyError::TwoLogins);
    let password = match args.password_file {
        Some(file) => {
            let opened = std::fs::File::open(&file).with_context(|| file.display().to_string())?;
            let what = format!("the password, the first line of {},", file.display());
            first_line(&mut io::BufReader::new(opened), &what)?
        }
        None if from_stdin => bail!("stdin gave the URL; give the password with --password-file"),
        None => password(&user)?,
    };
    given.with_login(&user, &password).map_err(said_once)
}

/// Its words contain those of its source.
fn said_once(wrong: ProxyError) -> anyhow::Error {
    anyhow!(wrong.to_string())
}

fn first_line(input: &mut impl io::BufRead, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::Read::take(input, LONGEST_INPUT).read_line(&mut line)?;
    let line = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(!line.is_empty(), "{what} is empty");
    Ok(line)
}

/// Asks for the password without an echo, if stdin is a terminal.
fn password(user: &str) -> anyhow::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return first_line(&mut stdin.lock(), "the password, the first line of stdin,");
    }
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    out::raw(&format!("password of {}: ", crate::escape::escaped(user)));
    io::stdout().flush()?;
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden)?;
    let line = first_line(&mut stdin.lock(), "the password");
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &shown)?;
    out::line("");
    line
}

fn in_words(error: ProxyError) -> anyhow::Error {
    match error {
        ProxyError::Database(error) => explained(error),
        other @ (ProxyError::Address(_)
        | ProxyError::Login
        | ProxyError::TwoLogins
        | ProxyError::NoAccount
        | ProxyError::KeyFile(_)
        | ProxyError::NoFile(_)
        | ProxyError::Seal(_)) => anyhow!(other),
    }
}
