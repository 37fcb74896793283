//! A point in time on the command line: so long ago, or a date.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use paird_sql::queries::cli;

use super::database::{Database, explained};

/// Dates without an offset are UTC, as all times are that the command line prints.
const DATE_TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"];
const WITH_OFFSET: [&str; 2] = ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M%:z"];

/// As it was given: how long ago, or the time itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Ago(Duration),
    At(DateTime<Utc>),
}

impl When {
    /// `2h`, `3d 6h`, `2026-11-30`, `2026-11-30T10:00`, with an offset or in UTC.
    ///
    /// # Errors
    /// What would be right, without the text itself.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(ago) = humantime::parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        let local = text.strip_suffix('Z').unwrap_or(text);
        let naive = || DATE_TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(local, format).ok());
        let offset = || WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
        let at = DateTime::parse_from_rfc3339(text).ok().or_else(offset).map(|at| at.to_utc());
        let at = at.or_else(|| date().or_else(naive).map(|at| at.and_utc()));
        at.map(Self::At).ok_or_else(|| "not a time such as 2h, 3d, 2026-11-30 or 2026-11-30T10:00 (UTC)".to_owned())
    }

    fn before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            // What is too long ago for a date is before everything.
            Self::Ago(ago) => {
                let ago = TimeDelta::from_std(ago).ok().and_then(|ago| now.checked_sub_signed(ago));
                ago.unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
            }
        }
    }
}

/// The two ends of a range, by the database's clock, which the rows' times are of.
pub(super) struct Range {
    pub(super) earliest: Option<DateTime<chrono::FixedOffset>>,
    pub(super) latest: Option<DateTime<chrono::FixedOffset>>,
}

impl Range {
    pub(super) async fn of(database: &Database, since: Option<When>, until: Option<When>) -> anyhow::Result<Self> {
        if since.is_none() && until.is_none() {
            return Ok(Self { earliest: None, latest: None });
        }
        let now = cli::get_database_time().bind(&database.client).one().await.map_err(explained)?.to_utc();
        let end = |when: Option<When>| when.map(|when| when.before(now).fixed_offset());
        Ok(Self { earliest: end(since), latest: end(until) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let ten = at("2026-11-30T10:00:00Z");
        for text in [
            "2026-11-30T10:00",
            "2026-11-30 10:00",
            "2026-11-30T10:00Z",
            "2026-11-30T10:00:00Z",
            "2026-11-30T10:00:00.000Z",
            "2026-11-30T12:00+02:00",
            "2026-11-30T12:00:00+02:00",
        ] {
            assert_eq!(When::parse(text), Ok(When::At(ten)), "{text}");
        }
        assert_eq!(When::parse("2026-11-30"), Ok(When::At(at("2026-11-30T00:00:00Z"))));
        assert_eq!(When::parse("2h"), Ok(When::Ago(Duration::from_secs(7200))));
        assert_eq!(When::parse("2h").unwrap().before(ten), at("2026-11-30T08:00:00Z"));
        assert_eq!(When::parse("9000000years").map(|when| when.before(ten)), Ok(DateTime::UNIX_EPOCH));
        for wrong in ["", "7", "yesterday", "2026-13-01", "10:00"] {
            assert!(When::parse(wrong).is_err(), "{wrong}");
        }
    }
}
