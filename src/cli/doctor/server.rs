//! The database: is it there, may we, does its schema fit, what time is it there.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use paird_sql::queries::doctor::{self as sql, GetServer};

use super::{Finding, rights};
use crate::cli::database::{self, Database, explained};
use crate::config::Config;
use crate::postgres::migrate;

/// The oldest that the schema was tried on.
const OLDEST_SERVER: i32 = 150_000;
/// Deadlines and leases are compared between two clocks.
const TOLERABLE_SKEW: TimeDelta = TimeDelta::seconds(2);
const BAD_SKEW: TimeDelta = TimeDelta::seconds(30);

pub(super) fn away(config: &Config, why: &anyhow::Error) -> Finding {
    let advice = match &config.database_url {
        Some(_) => "start the server, or correct DATABASE_URL",
        None => "start paird serve, or set DATABASE_URL or PAIRD_DATA_DIR to the daemon's",
    };
    Finding::fail("database", format!("{why:#}"), advice)
}

/// The findings, and whether there is anything that this login could look into.
pub(super) async fn look(config: &Config, database: &Database) -> anyhow::Result<(Vec<Finding>, bool)> {
    let asked = Utc::now();
    let server = sql::get_server().bind(&database.client).one().await.map_err(explained)?;
    let answered = Utc::now();
    let mut findings = vec![reached(&server)];
    findings.extend(verified(config)?);
    if !server.has_tables {
        let advice = "start paird serve on it, which makes them; if they are there, correct the search_path";
        findings.push(Finding::fail("schema", "the database has no tables of paird", advice));
        return Ok((findings, false));
    }
    let (rights, is_daemon) = rights::look(config, database, &server).await?;
    findings.extend(rights);
    findings.push(connect_rights(database).await?);
    findings.push(clock(asked, server.database_now, answered));
    Ok((findings, is_daemon))
}

fn reached(server: &GetServer) -> Finding {
    let found = format!("Postgres {}, as {}", server.version, server.role);
    if server.in_recovery {
        return Finding::fail(
            "database",
            format!("{found}: a standby, which takes no writes"),
            "set DATABASE_URL to the primary",
        );
    }
    if server.version_number < OLDEST_SERVER {
        return Finding::warn("database", found, "use Postgres 15 or newer: paird is not tried on older ones");
    }
    Finding::ok("database", found)
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

/// On a connection of its own, since reading the version needs it whole.
pub(super) async fn schema(config: &Config) -> Finding {
    let found = match database::dsn(config) {
        Ok(dsn) => migrate::version(&dsn).await.map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    };
    let known = migrate::known();
    match found {
        Ok(Some(found)) if found == known => Finding::ok("schema", format!("version {found}, as this paird has it")),
        Ok(Some(found)) if found > known => Finding::fail(
            "schema",
            format!("version {found}; this paird knows up to {known}"),
            "use the newer paird that the daemon is, here too",
        ),
        Ok(Some(found)) => Finding::warn(
            "schema",
            format!("version {found}; this paird has {known}"),
            "restart the daemon with this paird: it migrates at start",
        ),
        Ok(None) => {
            Finding::fail("schema", "tables, but no migration is recorded", "start paird serve on an empty database")
        }
        Err(why) => Finding::fail("schema", why, "fix that, then run paird doctor again"),
    }
}

fn clock(asked: DateTime<Utc>, theirs: DateTime<FixedOffset>, answered: DateTime<Utc>) -> Finding {
    skew("clock", "the database's", asked, theirs.to_utc(), answered)
}

/// Another clock is compared with the middle of the time that it took to ask.
pub(super) fn skew(
    check: &'static str,
    whose: &str,
    asked: DateTime<Utc>,
    theirs: DateTime<Utc>,
    answered: DateTime<Utc>,
) -> Finding {
    let took = answered - asked;
    let ours = asked + took / 2;
    let off = theirs - ours;
    let secs = off.num_milliseconds() as f64 / 1000.0;
    let found =
        format!("{whose} clock is {:.1} s {} this one", secs.abs(), if secs < 0.0 { "behind" } else { "ahead of" });
    let advice = "let NTP set both clocks (timedatectl set-ntp true)";
    match off.abs() - took / 2 {
        off if off > BAD_SKEW => Finding::fail(check, found, advice),
        off if off > TOLERABLE_SKEW => Finding::warn(check, found, advice),
        _ => Finding::ok(check, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_middle_of_the_question() {
        let asked = DateTime::<Utc>::default();
        let at = |secs: i64| asked + TimeDelta::seconds(secs);
        for (theirs, answered, level) in
            [(0, 0, Level::Ok), (3, 6, Level::Ok), (5, 0, Level::Warn), (-5, 0, Level::Warn), (-60, 0, Level::Fail)]
        {
            assert_eq!(skew("clock", "its", asked, at(theirs), at(answered)).level, level, "{theirs} {answered}");
        }
    }
}
