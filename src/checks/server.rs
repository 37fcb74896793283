//! The database server: which, does the schema fit, what time is it there.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use paird_sql::{
    client::GenericClient,
    queries::doctor::{self as sql, GetServer},
};

use super::Finding;
use crate::postgres::{migrate, pool::Dsn};

/// The oldest that the schema was tried on.
const OLDEST_SERVER: i32 = 150_000;
/// Deadlines and leases are compared between two clocks.
const TOLERABLE_SKEW: TimeDelta = TimeDelta::seconds(2);
const BAD_SKEW: TimeDelta = TimeDelta::seconds(30);

/// What it says of itself, and the findings.
pub(crate) async fn look<C: GenericClient>(database: &C) -> Result<(GetServer, Vec<Finding>), tokio_postgres::Error> {
    let asked = Utc::now();
    let server = sql::get_server().bind(database).one().await?;
    let answered = Utc::now();
    let findings = vec![reached(&server), clock(asked, server.database_now, answered)];
    Ok((server, findings))
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

/// On a connection of its own, since reading the version needs it whole.
pub(crate) async fn schema(dsn: &Dsn) -> Finding {
    let known = migrate::known();
    match migrate::version(dsn).await {
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
        Err(why) => Finding::not_looked_at("schema", &why.into()),
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
