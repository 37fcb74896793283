//! Which accounts of a list are meant: the same criteria over HTTP and on the command line.

use std::fmt;

use chrono::{DateTime, Utc};
use paird_actors::domain::{Phone, Reason, Status};
use paird_sql::{
    client::{GenericClient, Params as _},
    queries::console::{FindAccountsParams, ShownAccount, find_accounts},
};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    proxy_address::ProxyAddress,
    tags::{TagError, checked_tag},
};

/// Characters that a value has at most; a proxy's address is the longest.
const VALUE_MAX_CHARS: usize = 2000;
/// A shorter text begins too many ids.
const ID_PREFIX_MIN: usize = 4;

/// Criteria that an account meets all of; without any, every account does. Of several statuses or
/// reasons it has one, of several tags all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountFilter {
    statuses: Vec<Status>,
    reasons: Vec<Reason>,
    operator: Option<Uuid>,
    daemon: Option<String>,
    proxy: Option<String>,
    tags: Vec<String>,
    search: Option<String>,
}

/// The reason why a value is not a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum FilterError {
    #[error("there is no {name} {value:?}; there are: {known}")]
    UnknownWord { name: &'static str, value: String, known: String },
    #[error("operator is not a UUID")]
    Operator,
    #[error("{0}")]
    Tag(TagError),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("{0} has more than {VALUE_MAX_CHARS} characters")]
    TooLong(&'static str),
    #[error("{0} has control characters")]
    Control(&'static str),
}

impl AccountFilter {
    /// Adds a criterion by its name: `status`, `reason` and `tag`, each also several times or with
    /// several values between commas; `operator`, `daemon`, `proxy` (`none` for a direct connection), and
    /// `q`, a text to search for.
    /// False if no criterion has this name.
    ///
    /// # Errors
    /// The value is none for it.
    pub(crate) fn add(&mut self, name: &str, value: &str) -> Result<bool, FilterError> {
        match name {
            "status" => {
                let statuses = words("status", value, Status::ALL, Status::as_str)?;
                self.statuses.extend(statuses);
            }
            "reason" => {
                let reasons = words("reason", value, Reason::ALL, Reason::as_str)?;
                self.reasons.extend(reasons);
            }
            "tag" => {
                for tag in value.split(',') {
                    self.tags.push(checked_tag(tag).map_err(FilterError::Tag)?.to_owned());
                }
            }
            "operator" => {
                let operator = text("operator", value)?.parse().map_err(|_| FilterError::Operator)?;
                set("operator", &mut self.operator, operator)?;
            }
            "daemon" => set("daemon", &mut self.daemon, text("daemon", value)?)?,
            "proxy" => {
                let given = text("proxy", value)?;
                let address = ProxyAddress::parse(&given).map_or(given, |address| address.to_string());
                set("proxy", &mut self.proxy, address)?;
            }
            // An empty box searches for nothing.
            "q" if value.trim().is_empty() => {}
            "q" => set("q", &mut self.search, text("q", value)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The accounts that meet it, in the order of lists: after a position, if one is given, and at
    /// most so many.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn find(
        &self,
        client: &impl GenericClient,
        after: Option<AccountCursor>,
        most: Option<i64>,
    ) -> Result<Vec<ShownAccount>, tokio_postgres::Error> {
        let words =
            |reasons: &[Reason]| -> Vec<&'static str> { reasons.iter().map(|reason| reason.as_str()).collect() };
        let others = self.reasons.contains(&Reason::Unknown);
        let search = self.search.as_deref();
        let sentences: Vec<Reason> = match search.map(str::to_lowercase) {
            None => Vec::new(),
            Some(text) => {
                Reason::ALL.iter().copied().filter(|reason| reason.headline().to_lowercase().contains(&text)).collect()
            }
        };
        let id_prefix = search.map(str::to_lowercase).filter(|text| text.len() >= ID_PREFIX_MIN);
        let wanted = FindAccountsParams {
            after_at: after.map(|after| after.created_at.fixed_offset()),
            after_id: after.map(|after| after.id),
            operator: self.operator,
            statuses: self.statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>(),
            reasons: words(&self.reasons),
            known_reasons: if others { words(Reason::ALL) } else { Vec::new() },
            daemon: self.daemon.as_deref(),
            proxy: self.proxy.as_deref(),
            tags: self.tags.iter().map(String::as_str).collect::<Vec<_>>(),
            search,
            searched_reasons: words(&sentences),
            id_prefix,
            digits: search.and_then(Phone::searched_digits),
            number_key: search.and_then(|text| Phone::parse(text).ok()).map(|phone| phone.key()),
            most,
        };
        find_accounts().params(client, &wanted).all().await
    }
}

/// A place in a list of accounts: behind this one. It stays where it is when accounts are added,
/// renamed or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountCursor {
    created_at: DateTime<Utc>,
    id: Uuid,
}

impl AccountCursor {
    /// Behind this account.
    pub(crate) fn behind(account: &ShownAccount) -> Self {
        Self { created_at: account.created_at.to_utc(), id: account.id }
    }

    /// Accepts exactly what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('_')?;
        let cursor = Self { created_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?, id: id.parse().ok()? };
        (cursor.to_string() == text).then_some(cursor)
    }
}

impl fmt::Display for AccountCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.created_at.timestamp_micros(), self.id.simple())
    }
}

/// The words between commas.
///
/// # Errors
/// There is no such word.
pub(crate) fn words<T: Copy>(
    name: &'static str,
    value: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, FilterError> {
    let find = |text: &str| {
        all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| FilterError::UnknownWord {
            name,
            value: text.chars().take(60).collect(),
            known: all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", "),
        })
    };
    value.split(',').map(|text| find(text.trim())).collect()
}

fn text(name: &'static str, value: &str) -> Result<String, FilterError> {
    let value = value.trim();
    if value.is_empty() {
        return Err(FilterError::Empty(name));
    }
    if value.chars().count() > VALUE_MAX_CHARS {
        return Err(FilterError::TooLong(name));
    }
    if value.chars().any(char::is_control) {
        return Err(FilterError::Control(name));
    }
    Ok(value.to_owned())
}

fn set<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), FilterError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(FilterError::Twice(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(criteria: &[(&str, &str)]) -> Result<AccountFilter, FilterError> {
        let mut filter = AccountFilter::default();
        for (name, value) in criteria {
            assert!(filter.add(name, value)?, "{name}");
        }
        Ok(filter)
    }

    #[test]
    fn values_between_commas_are_as_good_as_repeated_ones() {
        let repeated = filter(&[("status", "held"), ("status", "pending"), ("tag", "vip"), ("tag", "north")]).unwrap();
        assert_eq!(filter(&[("status", "held, pending"), ("tag", "vip,north")]).unwrap(), repeated);
        assert_ne!(filter(&[("status", "held")]).unwrap(), repeated);
        assert_eq!(filter(&[("q", " ")]).unwrap(), AccountFilter::default());
        assert_eq!(AccountFilter::default().add("limit", "1"), Ok(false));
    }

    #[test]
    fn what_is_no_criterion_is_refused_by_its_name() {
        for (criteria, named) in [
            (&[("status", "dead")][..], "there are: unpaired, pending"),
            (&[("status", "")], "no status \"\""),
            (&[("reason", "Held")], "no reason"),
            (&[("operator", "me")], "UUID"),
            (&[("daemon", " ")], "daemon is empty"),
            (&[("proxy", "none"), ("proxy", "none")], "proxy is given twice"),
            (&[("tag", "a,,b")], "a tag is empty"),
            (&[("q", "a\0")], "q has control characters"),
        ] {
            let wrong = filter(criteria).unwrap_err().to_string();
            assert!(wrong.contains(named), "{criteria:?}: {wrong}");
        }
        let long = "x".repeat(VALUE_MAX_CHARS + 1);
        assert_eq!(filter(&[("q", &long)]), Err(FilterError::TooLong("q")));
    }

    #[test]
    fn only_a_written_position_is_a_cursor() {
        let cursor = AccountCursor { created_at: DateTime::from_timestamp_micros(1_234_567).unwrap(), id: Uuid::max() };
        assert_eq!(AccountCursor::parse(&cursor.to_string()), Some(cursor));
        let id = Uuid::nil();
        for wrong in ["", "_", "1", &format!("1_{id}"), &format!("+1_{}", id.simple()), "x_y", "1_"] {
            assert_eq!(AccountCursor::parse(wrong), None, "{wrong}");
        }
    }
}
