//! Whether each login may do what it is for, and no finding for what it need not do.

use paird_sql::queries::doctor::{self as sql, GetServer};

use super::Finding;
use crate::cli::database::{Database, explained};
use crate::config::Config;
use crate::postgres::rights::{COLUMNS, FUNCTIONS, Role, SEQUENCES};

const CHECK: &str = "privileges";
const CONSOLE: &str = "console login";

/// Also whether this is the daemon's login, or the owner's: others may not read the rest.
pub(super) async fn look(
    config: &Config,
    database: &Database,
    server: &GetServer,
) -> anyhow::Result<(Vec<Finding>, bool)> {
    let login = &server.role;
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    let own = sql::list_own_roles().bind(&database.client, &names).all().await.map_err(explained)?;
    let is_daemon = own.is_empty() || own.iter().any(|name| name == Role::Daemon.name());
    if !is_daemon {
        let found = format!("{login} is a login of {}: keys, daemons and queues are not looked at", own.join(" and "));
        let advice = "run paird doctor with the DATABASE_URL of the daemon to look at the rest";
        return Ok((vec![Finding::warn(CHECK, found, advice)], false));
    }
    let missing = missing(database, Role::Daemon).await?;
    let mut findings = vec![if !missing.is_empty() {
        let advice = format!(
            "as the owner of the tables: paird migrate --roles, then GRANT paird_daemon TO {login}; or connect as the \
             owner, or as the login of the daemon"
        );
        Finding::fail(CHECK, format!("{login} lacks {}", missing.join(", ")), advice)
    } else if server.may_create {
        Finding::ok(CHECK, format!("{login} may do what the daemon does"))
    } else {
        Finding::ok(CHECK, format!("{login} may do what the daemon does, but for migrations, which are the owner's"))
    }];
    if config.console_addr.is_some() {
        findings.push(console(config, database, login).await?);
    }
    Ok((findings, true))
}

async fn console(config: &Config, daemon: &Database, login: &str) -> anyhow::Result<Finding> {
    let own = match config.own_console_url() {
        Some(_) => Some(Database::connect(config, crate::cli::out::Format::Text).await),
        None => None,
    };
    let database = match &own {
        Some(Ok(database)) => database,
        None => daemon,
        Some(Err(why)) => {
            let advice = "correct PAIRD_CONSOLE_DATABASE_URL: the console and the HTTP API answer nothing without it";
            return Ok(Finding::fail(CONSOLE, format!("PAIRD_CONSOLE_DATABASE_URL: {why:#}"), advice));
        }
    };
    let login = match &own {
        Some(_) => sql::get_server().bind(&database.client).one().await.map_err(explained)?.role,
        None => login.to_owned(),
    };
    let missing = missing(database, Role::Console).await?;
    if missing.is_empty() {
        return Ok(Finding::ok(CONSOLE, format!("{login} may do what the console does")));
    }
    let advice = match own {
        Some(_) => format!("as the owner of the tables: paird migrate --roles, then GRANT paird_console TO {login}"),
        None => "set PAIRD_CONSOLE_DATABASE_URL to a login that is a member of paird_console (paird migrate --roles \
                 makes the role)"
            .to_owned(),
    };
    Ok(Finding::fail(CONSOLE, format!("{login} lacks {}", missing.join(", ")), advice))
}

async fn missing(database: &Database, role: Role) -> anyhow::Result<Vec<String>> {
    let wanted = COLUMNS.iter().flat_map(|rights| {
        rights.columns.split(' ').flat_map(move |column| {
            rights.of(role).chars().map(move |letter| {
                let privilege = match letter {
                    'S' => "SELECT",
                    'I' => "INSERT",
                    'U' => "UPDATE",
                    _ => "DELETE",
                };
                (rights.table, column, privilege)
            })
        })
    });
    let (mut tables, mut columns, mut privileges) = (Vec::new(), Vec::new(), Vec::new());
    for (table, column, privilege) in wanted {
        tables.push(table);
        columns.push(column);
        privileges.push(privilege);
    }
    let functions: Vec<&str> =
        FUNCTIONS.iter().filter(|one| one.callers.contains(&role)).map(|one| one.signature).collect();
    let sequences: Vec<&str> =
        SEQUENCES.iter().filter(|(_, users)| users.contains(&role)).map(|(name, _)| *name).collect();
    let query = sql::list_missing_rights();
    let rows = query.bind(&database.client, &tables, &columns, &privileges, &functions, &sequences).all().await;
    rows.map_err(explained)
}
