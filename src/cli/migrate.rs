//! `paird migrate`: the schema, by hand, for where the daemon's own role may not change it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::database;
use super::out::Format;
use crate::config::Config;
use crate::postgres::{migrate::migrate, roles};

#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// Also makes the roles paird_web and paird_daemon and sets what they may.
    #[arg(long)]
    roles: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: MigrateArgs) -> anyhow::Result<ExitCode> {
    // Migrating waits for a database that is away; a person would rather hear of it.
    database::Database::connect(config, format).await?;
    let dsn = database::dsn(config)?;
    let version = migrate(&dsn).await?;
    if args.roles {
        roles::grant(&dsn).await?;
    }
    let roles = if args.roles { "; the roles paird_web and paird_daemon may what they need" } else { "" };
    format.tell(
        format_args!("the schema is at version {version}{roles}"),
        &json!({"schemaVersion": version, "rolesGranted": args.roles}),
    );
    Ok(ExitCode::SUCCESS)
}
