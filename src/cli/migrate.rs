//! `paird migrate`: the schema, by hand, for where the daemon's own role may not change it.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::database;
use super::out::Format;
use crate::config::Config;
use crate::postgres::{
    migrate::migrate_and_tell,
    roles::{self, Granted, Isolation},
};

#[derive(Args, Debug)]
pub(super) struct MigrateArgs {
    /// Also makes the roles paird_web, paird_daemon and paird_console and sets what they may.
    #[arg(long)]
    roles: bool,
    /// Binds each login in paird_web to one operator, the one in its setting paird.operator, or
    /// (=off) to none. Without it that stays as it is.
    #[arg(
        long,
        requires = "roles",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_name = "on|off"
    )]
    isolate: Option<Isolate>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Isolate {
    On,
    Off,
}

impl Isolate {
    fn wanted(asked: Option<Self>) -> Isolation {
        match asked {
            None => Isolation::AsItIs,
            Some(Self::On) => Isolation::On,
            Some(Self::Off) => Isolation::Off,
        }
    }
}

pub(super) async fn run(config: &Config, format: Format, args: MigrateArgs) -> anyhow::Result<ExitCode> {
    // Migrating waits for a database that is away; a person would rather hear of it.
    database::Database::connect_as_daemon(config, format).await?;
    let dsn = database::dsn(config)?;
    let version = migrate_and_tell(&dsn, |remark| format.remark(remark)).await?;
    let granted = if args.roles { Some(roles::grant(&dsn, Isolate::wanted(args.isolate)).await?) } else { None };
    let roles =
        if args.roles { "; the roles paird_web, paird_daemon and paird_console have the rights they need" } else { "" };
    format.tell(
        format_args!("the schema is at version {version}{roles}"),
        &json!({
            "schemaVersion": version,
            "rolesGranted": args.roles,
            "isOpenToAll": granted.map(|granted| granted.is_open_to_all),
            "isIsolated": granted.map(|granted| granted.is_isolated),
        }),
    );
    match (granted.map(|granted| granted.is_isolated), args.isolate) {
        (Some(true), Some(_)) => format.remark(
            "each login in paird_web sees and touches the rows of one operator from now on, the one in its setting \
             paird.operator, and without it none; notifications of events tell nothing but that there is one",
        ),
        (Some(true), None) => format.remark(
            "operators stay isolated: a login in paird_web works for the operator in its setting paird.operator; \
             --isolate=off ends that",
        ),
        (Some(false), Some(_)) => format.remark("each login in paird_web sees and touches the rows of all operators"),
        (Some(false) | None, _) => {}
    }
    match granted {
        Some(Granted { is_open_to_all: true, .. }) => format.remark(
            "everybody may still connect to the database and hear its notifications, since this role does not own it: \
             as its owner, REVOKE CONNECT, TEMPORARY ON DATABASE … FROM PUBLIC and GRANT both to paird_web, paird_daemon and paird_console",
        ),
        Some(Granted { is_open_to_all: false, .. }) => format.remark(
            "PUBLIC has no CONNECT and TEMPORARY on this database any more: another program's login needs \
             GRANT CONNECT ON DATABASE … TO it",
        ),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}
