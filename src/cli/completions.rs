//! `paird completions`: completion scripts for shells.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, out};

pub(super) fn print(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "paird", &mut script);
    out::raw(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
