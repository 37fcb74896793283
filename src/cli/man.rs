//! `paird man`: the manual pages, made of the same words as the help.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::Cli;
use super::exit::Exit;
use super::out::{self, Format};

/// Every page into a directory, which must exist; or the first one to stdout.
pub(super) fn write(dir: Option<&Path>, format: Format) -> ExitCode {
    let written = match dir {
        Some(dir) => clap_mangen::generate_to(Cli::command(), dir).map_err(|why| format!("{}: {why}", dir.display())),
        None => first().map_err(|why| why.to_string()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => format.complain(Exit::Failed, why),
    }
}

fn first() -> std::io::Result<()> {
    let mut page = Vec::new();
    Man::new(Cli::command().disable_help_subcommand(true)).render(&mut page)?;
    out::raw(&String::from_utf8_lossy(&page));
    Ok(())
}
