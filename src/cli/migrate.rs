//! `paird migrate`: the schema, by hand, for where the daemon's own role may not change it.

use std::process::ExitCode;

use clap::Args;

use super::{database, out};
use crate::config::Config;
use crate::postgres::{migrate::migrate, pool::Dsn, roles};

#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// Also makes the roles paird_web and paird_daemon and sets what they may.
    #[arg(long)]
    roles: bool,
}

pub(super) async fn run(config: &Config, args: MigrateArgs) -> anyhow::Result<ExitCode> {
    // Migrating waits for a database that is away; a person would rather hear of it.
    database::Database::connect(config).await?;
    let dsn = Dsn::parse(&database::dsn_of(config)?)?;
    let version = migrate(&dsn).await?;
    out::line(format_args!("the schema is at version {version}"));
    if args.roles {
        roles::grant(&dsn).await?;
        out::line("the roles paird_web and paird_daemon may what they need");
    }
    Ok(ExitCode::SUCCESS)
}
