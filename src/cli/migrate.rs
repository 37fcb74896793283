//! `paird migrate`: the schema, by hand, for where the daemon's own role may not change it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::database;
use super::out::Format;
use crate::config::Config;
use crate::postgres::{
    migrate::migrate_and_tell,
    roles::{self, Granted},
};

#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// Also makes the roles paird_web, paird_daemon and paird_console and sets what they may.
    #[arg(long)]
    roles: bool,
}

pub(super) async fn run(config: &Config, format: Format, args: MigrateArgs) -> anyhow::Result<ExitCode> {
    // Migrating waits for a database that is away; a person would rather hear of it.
    database::Database::connect_as_daemon(config, format).await?;
    let dsn = database::dsn(config)?;
    let version = migrate_and_tell(&dsn, |remark| format.remark(remark)).await?;
    let granted = if args.roles { Some(roles::grant(&dsn).await?) } else { None };
    let roles =
        if args.roles { "; the roles paird_web, paird_daemon and paird_console may what they need" } else { "" };
    format.tell(
        format_args!("the schema is at version {version}{roles}"),
        &json!({
            "schemaVersion": version,
            "rolesGranted": args.roles,
            "isOpenToAll": granted.map(|granted| granted.is_open_to_all),
        }),
    );
    match granted {
        Some(Granted { is_open_to_all: true }) => format.remark(
            "everybody may still connect to the database and hear its notifications, since this role does not own it: \
             as its owner, REVOKE CONNECT, TEMPORARY ON DATABASE … FROM PUBLIC and GRANT both to paird_web, paird_daemon and paird_console",
        ),
        Some(Granted { is_open_to_all: false }) => format.remark(
            "PUBLIC has no CONNECT and TEMPORARY on this database any more: another program's login needs \
             GRANT CONNECT ON DATABASE … TO it",
        ),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}
