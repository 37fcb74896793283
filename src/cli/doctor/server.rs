//! The database: is it there, may we, who else may.

use paird_sql::queries::doctor as sql;

use super::{Finding, rights};
use crate::checks::server;
use crate::cli::database::{self, Database, explained};
use crate::config::Config;

pub(super) fn away(config: &Config, why: &anyhow::Error) -> Finding {
    let advice = match &config.database_url {
        Some(_) => "start the server, or correct DATABASE_URL",
        None => "start paird serve, or set DATABASE_URL or PAIRD_DATA_DIR to the daemon's",
    };
    Finding::fail("database", format!("{why:#}"), advice)
}

/// The findings, and whether there is anything that this login could look into.
pub(super) async fn look(config: &Config, database: &Database) -> anyhow::Result<(Vec<Finding>, bool)> {
    let (server, mut findings) = server::look(&database.client).await.map_err(explained)?;
    findings.extend(verified(config)?);
    if !server.has_tables {
        let advice = "start paird serve on it, which makes them; if they are there, correct the search_path";
        findings.push(Finding::fail("schema", "the database has no tables of paird", advice));
        return Ok((findings, false));
    }
    let (rights, is_daemon) = rights::look(config, database, &server).await?;
    findings.extend(rights);
    findings.push(connect_rights(database).await?);
    Ok((findings, is_daemon))
}

/// Whether a machine between here and the server could pose as the server.
fn verified(config: &Config) -> anyhow::Result<Option<Finding>> {
    if config.database_url.is_none() {
        return Ok(None);
    }
    let hosts = database::dsn(config)?.unverified_hosts();
    Ok(Some(if hosts.is_empty() {
        Finding::ok("tls", "the database is on this machine, or its certificate is checked")
    } else {
        Finding::warn(
            "tls",
            format!("the server's certificate is not verified: {}", hosts.join(", ")),
            "set sslmode=verify-full in DATABASE_URL, sslrootcert for a CA of your own, and channel_binding=require",
        )
    }))
}

/// Postgres has no rights on notifications: every login that can connect receives all events,
/// and can send notifications that look like commands.
async fn connect_rights(database: &Database) -> anyhow::Result<Finding> {
    let rights = sql::get_connect_rights().bind(&database.client).one().await.map_err(explained)?;
    if rights.everybody {
        let advice = "paird migrate --roles, as the owner of the database, leaves that to the logins of paird's roles; \
                      PAIRD_EVENT_PAYLOAD=wake keeps what happened out of notifications";
        return Ok(Finding::warn(
            "connect",
            "every login can connect to the database and receive its notifications",
            advice,
        ));
    }
    if !rights.logins.is_empty() {
        let found = format!(
            "in none of paird's roles, but may connect and receive notifications: {}",
            rights.logins.join(", ")
        );
        return Ok(Finding::warn("connect", found, "REVOKE CONNECT ON DATABASE from those that do not need it"));
    }
    Ok(Finding::ok("connect", "only logins of paird's roles and the owner may connect"))
}

pub(super) async fn schema(config: &Config) -> Finding {
    match database::dsn(config) {
        Ok(dsn) => server::schema(&dsn).await,
        Err(why) => Finding::not_looked_at("schema", &why),
    }
}
