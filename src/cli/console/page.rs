//! `paird console`: where the console's pages are, and where their token is. The token is never a part of an address,
//! which browsers keep and send on.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::address;
use crate::cli::exit::{Exit, failure};
use crate::cli::out::Format;
use crate::config::{Config, executable_dirs};
use crate::listen::page_in_words;

/// A console on loopback answers at once, if there is one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// What opens a browser, by the system and its age.
const OPENERS: [&str; 4] = ["xdg-open", "open", "sensible-browser", "x-www-browser"];

#[derive(Args, Debug)]
pub(in crate::cli) struct ConsoleArgs {
    /// Also opens it in the browser of this machine.
    #[arg(long)]
    open: bool,
}

/// The address of the console that a daemon of this data directory says it has.
pub(in crate::cli) fn here(config: &Config) -> Option<String> {
    config.console_addr_file().exists().then(|| address(config).ok()).flatten().map(url)
}

pub(in crate::cli) fn run(config: &Config, format: Format, args: &ConsoleArgs) -> anyhow::Result<ExitCode> {
    let address = address(config)?;
    // Whatever a killed daemon has left behind.
    if TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_err() {
        let words =
            format!("no console answers on {address}: start paird serve, or set PAIRD_DATA_DIR to its data directory");
        return Err(failure(Exit::NoDaemon, words));
    }
    let (url, file) = (url(address), &config.console_token_file);
    format.tell(page_in_words(address, file), &json!({ "url": url, "tokenFile": file.display().to_string() }));
    if args.open {
        open(&url, &executable_dirs())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

fn open(url: &str, dirs: &[impl AsRef<Path>]) -> anyhow::Result<()> {
    let mut programs = OPENERS.iter().flat_map(|name| dirs.iter().map(move |dir| dir.as_ref().join(name)));
    let program = programs.find(|path| path.is_file());
    let program = program.ok_or_else(|| {
        anyhow::anyhow!(
            "nothing here opens a browser ({} are not there): open the address yourself",
            OPENERS.join(", ")
        )
    })?;
    let opened =
        Command::new(&program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match opened {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => anyhow::bail!("{}: {status}; open the address yourself", program.display()),
        Err(why) => anyhow::bail!("{}: {why}; open the address yourself", program.display()),
    }
}
