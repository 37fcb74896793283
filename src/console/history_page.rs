//! A page of a list that goes back in time: its criteria, and where it begins and ends.

use std::fmt;

use actix_web::HttpRequest;
use chrono::{DateTime, FixedOffset, Utc};
use paird_actors::domain::CommandState;
use paird_sql::queries::console::{find_account, find_accounts_called};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    accounts::nobody,
    parameters::unknown_parameter,
    problem::{Problem, ProblemCode},
    state::AppState,
};
use crate::account_filter::words;

pub const PAGE: i64 = 100;
pub const LARGEST_PAGE: i64 = 500;

/// What every such list can be asked for, as the document shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this describes what `Criteria::add` reads")]
pub struct HistoryPage {
    /// Only those of this account, which may be a deleted one.
    account: Option<Uuid>,
    /// Only those of the account that is called exactly so now.
    #[param(max_length = 200)]
    label: Option<String>,
    /// Only those of this time or later.
    since: Option<DateTime<Utc>>,
    /// Only those of an earlier time.
    until: Option<DateTime<Utc>>,
    /// At most so many; default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before, with the same criteria.
    cursor: Option<String>,
}

/// The words by which rows of a list are chosen.
pub struct ListWords {
    /// Of the list, so that no cursor of another one is taken.
    pub list: &'static str,
    /// What the parameter with the kinds is called.
    pub kind: &'static str,
    pub kinds: fn(&str) -> Result<Vec<&'static str>, Problem>,
    pub has_states: bool,
}

/// The known words between commas.
pub fn known_words<T: Copy>(
    name: &'static str,
    value: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str + Copy,
) -> Result<Vec<&'static str>, Problem> {
    let known = words(name, value, all, word).map_err(|wrong| Problem::parameter(name, wrong.to_string()))?;
    Ok(known.into_iter().map(word).collect())
}

#[derive(Default)]
struct Criteria {
    account: Option<Uuid>,
    label: Option<String>,
    kinds: Vec<&'static str>,
    states: Vec<&'static str>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    limit: Option<i64>,
    cursor: Option<String>,
}

impl Criteria {
    fn add(&mut self, words: &ListWords, name: &str, value: &str) -> Result<(), Problem> {
        let is_first = match name {
            _ if name == words.kind => {
                self.kinds.extend((words.kinds)(value)?);
                true
            }
            "state" if words.has_states => {
                self.states.extend(known_words("state", value, CommandState::ALL, CommandState::as_str)?);
                true
            }
            "account" => {
                let id = value.parse().map_err(|_| Problem::parameter(name, "account is not a UUID"))?;
                self.account.replace(id).is_none()
            }
            "label" => self.label.replace(value.to_owned()).is_none(),
            "since" => self.since.replace(time(name, value)?).is_none(),
            "until" => self.until.replace(time(name, value)?).is_none(),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
                let limit = limit.ok_or_else(|| Problem::parameter(name, format!("limit is 1 to {LARGEST_PAGE}")))?;
                self.limit.replace(limit).is_none()
            }
            "cursor" => self.cursor.replace(value.to_owned()).is_none(),
            _ => return Err(unknown_parameter(name)),
        };
        if is_first { Ok(()) } else { Err(Problem::parameter(name, format!("{name} is given twice"))) }
    }
}

/// A page that can be read: every row in it meets the criteria and lies before its begin.
pub struct Page {
    pub account: Option<Uuid>,
    pub kinds: Vec<&'static str>,
    pub states: Vec<&'static str>,
    pub earliest: Option<DateTime<FixedOffset>>,
    /// Of rows of one account, which go by their number.
    pub latest: Option<DateTime<FixedOffset>>,
    before: Option<Place>,
    limit: i64,
    /// What a cursor of this list begins with.
    criteria: String,
}

/// Of a row in its list: by time, and by number within the same time or account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: DateTime<Utc>,
    pub number: i64,
}

impl Page {
    pub async fn of(state: &AppState, request: &HttpRequest, words: &ListWords) -> Result<Self, Problem> {
        let mut asked = Criteria::default();
        for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
            asked.add(words, &name, &value)?;
        }
        let account = account_of(state, asked.account, asked.label.as_deref()).await?;
        let Criteria { mut kinds, mut states, since, until, limit, cursor, .. } = asked;
        kinds.sort_unstable();
        kinds.dedup();
        states.sort_unstable();
        let criteria = fingerprint(&format!("{} {account:?} {kinds:?} {states:?} {since:?} {until:?}", words.list));
        let before = cursor.map(|cursor| Place::behind(&cursor, &criteria).ok_or_else(wrong_cursor)).transpose()?;
        Ok(Self {
            account,
            kinds,
            states,
            earliest: since.map(|at| at.fixed_offset()),
            latest: until.map(|at| at.fixed_offset()),
            before,
            limit: limit.unwrap_or(PAGE),
            criteria,
        })
    }

    /// One more than asked for: it says whether there is a next page.
    pub fn most(&self) -> i64 {
        self.limit + 1
    }

    /// Only rows of one account go by it.
    pub fn before_number(&self) -> Option<i64> {
        self.before.map(|place| place.number)
    }

    /// Where a page of the fleet begins; the end of the time asked for is before every row of that moment.
    pub fn before(&self) -> (Option<DateTime<FixedOffset>>, Option<i64>) {
        match self.before {
            Some(place) => (Some(place.at.fixed_offset()), Some(place.number)),
            None => (self.latest, None),
        }
    }

    /// Takes the row too many away, and leads behind the last one that stays.
    pub fn cut<T>(&self, rows: &mut Vec<T>, place: impl Fn(&T) -> Place) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        rows.last().map(|last| format!("{}_{}", self.criteria, place(last)))
    }
}

impl Place {
    fn behind(cursor: &str, criteria: &str) -> Option<Self> {
        let place = cursor.strip_prefix(criteria)?.strip_prefix('_')?;
        let (micros, number) = place.split_once('_')?;
        let read = Self { at: DateTime::from_timestamp_micros(micros.parse().ok()?)?, number: number.parse().ok()? };
        (read.to_string() == place).then_some(read)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.timestamp_micros(), self.number)
    }
}

fn wrong_cursor() -> Problem {
    Problem::parameter("cursor", "cursor is not the nextCursor of a page with the same criteria")
}

fn fingerprint(criteria: &str) -> String {
    Sha256::digest(criteria).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

async fn account_of(state: &AppState, id: Option<Uuid>, label: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let database = state.database().await?;
    match (id, label) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Problem::parameter("label", "give account or label, not both")),
        (Some(id), None) => {
            state.query(find_account().bind(&database, &id).opt()).await?.ok_or_else(|| nobody(id))?;
            Ok(Some(id))
        }
        (None, Some(label)) => {
            if label.contains('\0') {
                return Err(Problem::parameter("label", "label has control characters"));
            }
            match state.query(find_accounts_called().bind(&database, &label).all()).await?.as_slice() {
                [] => Err(Problem::new(ProblemCode::AccountUnknown, "no account is called so").field("label")),
                [id] => Ok(Some(*id)),
                _ => Err(Problem::parameter("label", "several accounts are called so: give account, with an id")),
            }
        }
    }
}

fn time(name: &str, value: &str) -> Result<DateTime<Utc>, Problem> {
    let detail = || format!("{name} is not a point in time, such as 2026-12-31T23:59:59Z");
    DateTime::parse_from_rfc3339(value).map(|at| at.to_utc()).map_err(|_| Problem::parameter(name, detail()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_in_its_own_list_alone() {
        let place = Place { at: DateTime::from_timestamp_micros(-1_234_567).unwrap(), number: 7 };
        let (own, other) = (fingerprint("events []"), fingerprint("audit []"));
        let cursor = format!("{own}_{place}");
        assert_eq!(Place::behind(&cursor, &own), Some(place));
        assert_eq!(Place::behind(&cursor, &other), None);
        for wrong in ["", "_", &own, &format!("{own}_1"), &format!("{own}_+1_7"), &format!("{own}_x_y")] {
            assert_eq!(Place::behind(wrong, &own), None, "{wrong}");
        }
    }
}
