//! Which accounts are listed, and in which order: the same for `paird status` and `paird watch`.

use chrono::{DateTime, FixedOffset};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use paird_actors::domain::{Phone, Reason, Status, StatusReason};
use paird_sql::queries::cli::{ListedAccount, WatchedAccount};
use uuid::Uuid;

/// Every filter that is given must let an account through.
#[derive(Args, Clone, Debug)]
pub(super) struct FleetFilter {
    /// Only those with one of these statuses, with commas between them.
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = statuses())]
    status: Vec<String>,
    /// Only those of this operator: its id, or how that begins.
    #[arg(long, value_name = "UUID")]
    operator: Option<String>,
    /// Only those whose reason begins with this word.
    #[arg(long, value_name = "WORD", value_parser = reasons(), hide_possible_values = true)]
    reason: Option<String>,
    /// Only those with this in the label, the reason or the number, however that is written, or at the beginning of the id.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// `status` puts first what wants attention, `since` what changed last, `retry` what is tried next, `created` the oldest.
    #[arg(long, value_enum, value_name = "ORDER", default_value_t = SortOrder::Status)]
    pub(super) sort: SortOrder,
    /// Set where a label or an id was given.
    #[arg(skip)]
    only: Option<Uuid>,
}

/// The order of a list of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SortOrder {
    Status,
    Label,
    Since,
    Retry,
    Created,
}

impl SortOrder {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Label => "label",
            Self::Since => "since",
            Self::Retry => "retry",
            Self::Created => "created",
        }
    }

    /// The next one, and after the last the first.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Status => Self::Label,
            Self::Label => Self::Since,
            Self::Since => Self::Retry,
            Self::Retry => Self::Created,
            Self::Created => Self::Status,
        }
    }
}

/// Statuses in the order in which they want attention.
pub(super) const BY_ATTENTION: [Status; 6] =
    [Status::Held, Status::Pending, Status::Reconnecting, Status::Connected, Status::Unpaired, Status::Deleting];

fn statuses() -> PossibleValuesParser {
    BY_ATTENTION.iter().map(|status| status.as_str()).collect::<Vec<_>>().into()
}

fn reasons() -> PossibleValuesParser {
    Reason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().into()
}

/// What is filtered and sorted by, of the rows of either statement.
pub(super) trait FleetRow {
    fn id(&self) -> Uuid;
    fn operator_id(&self) -> Uuid;
    fn label(&self) -> &str;
    fn status(&self) -> &str;
    fn reason(&self) -> &str;
    /// Of the link that there is, and of the one before.
    fn numbers(&self) -> [Option<&str>; 2];
    fn since(&self) -> DateTime<FixedOffset>;
    fn next_retry_at(&self) -> Option<DateTime<FixedOffset>>;
}

macro_rules! fleet_row {
    ($row:ty) => {
        impl FleetRow for $row {
            fn id(&self) -> Uuid {
                self.id
            }
            fn operator_id(&self) -> Uuid {
                self.operator_id
            }
            fn label(&self) -> &str {
                &self.label
            }
            fn status(&self) -> &str {
                &self.status
            }
            fn reason(&self) -> &str {
                &self.status_reason
            }
            fn numbers(&self) -> [Option<&str>; 2] {
                [self.phone_number.as_deref(), self.last_phone_number.as_deref()]
            }
            fn since(&self) -> DateTime<FixedOffset> {
                self.status_since
            }
            fn next_retry_at(&self) -> Option<DateTime<FixedOffset>> {
                self.next_retry_at
            }
        }
    };
}

fleet_row!(ListedAccount);
fleet_row!(WatchedAccount);

impl FleetFilter {
    /// All accounts in this order.
    pub(super) fn all(sort: SortOrder) -> Self {
        Self { status: Vec::new(), operator: None, reason: None, search: None, sort, only: None }
    }

    /// Lets this account through and no other.
    pub(super) fn only(id: Uuid) -> Self {
        Self { only: Some(id), ..Self::all(SortOrder::Status) }
    }

    /// Whether it may keep accounts back.
    pub(super) fn is_set(&self) -> bool {
        let Self { status, operator, reason, search, sort: _, only } = self;
        !status.is_empty() || operator.is_some() || reason.is_some() || search.is_some() || only.is_some()
    }

    /// Those that it lets through, in its order, and the others.
    pub(super) fn split<R: FleetRow>(&self, accounts: Vec<R>) -> (Vec<R>, Vec<R>) {
        let (mut through, others): (Vec<R>, Vec<R>) =
            accounts.into_iter().partition(|account| self.lets_through(account));
        self.sort(&mut through);
        (through, others)
    }

    fn lets_through(&self, account: &impl FleetRow) -> bool {
        let Self { status, operator, reason, search, sort: _, only } = self;
        let is_of = |begun: &String| account.operator_id().to_string().starts_with(&begun.to_lowercase());
        let has_word = |word: &String| StatusReason::parse(account.reason()).word().as_str() == word;
        (status.is_empty() || status.iter().any(|status| status == account.status()))
            && operator.as_ref().is_none_or(is_of)
            && reason.as_ref().is_none_or(has_word)
            && search.as_ref().is_none_or(|text| contains(account, text))
            && only.is_none_or(|id| id == account.id())
    }

    /// Accounts that are equal in it stay as they are: the oldest first.
    fn sort(&self, accounts: &mut [impl FleetRow]) {
        let label = |account: &dyn FleetRow| account.label().to_lowercase();
        match self.sort {
            SortOrder::Status => accounts.sort_by_cached_key(|account| (attention(account.status()), label(account))),
            SortOrder::Label => accounts.sort_by_cached_key(|account| label(account)),
            SortOrder::Since => accounts.sort_by_key(|account| std::cmp::Reverse(account.since())),
            SortOrder::Retry => {
                accounts.sort_by_key(|account| (account.next_retry_at().is_none(), account.next_retry_at()));
            }
            SortOrder::Created => {}
        }
    }
}

/// The place of a status among those that want attention.
fn attention(status: &str) -> usize {
    BY_ATTENTION.iter().position(|known| known.as_str() == status).unwrap_or(BY_ATTENTION.len())
}

fn contains(account: &impl FleetRow, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let is_in = |field: &str| field.to_lowercase().contains(&text);
    let digits = Phone::searched_digits(&text);
    let is_number = |number: &str| digits.as_ref().is_some_and(|digits| number.contains(digits.as_str()));
    is_in(account.label())
        || is_in(account.reason())
        || account.id().to_string().starts_with(&text)
        || account.numbers().into_iter().flatten().any(is_number)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        filter: FleetFilter,
    }

    fn filter(arguments: &[&str]) -> FleetFilter {
        Arguments::parse_from([&["status"], arguments].concat()).filter
    }

    fn account(id: u128, label: &str, status: &str, reason: &str) -> WatchedAccount {
        let now = DateTime::<chrono::Utc>::default().fixed_offset();
        WatchedAccount {
            id: Uuid::from_u128(id << 96),
            operator_id: Uuid::from_u128((id % 2) << 96),
            label: label.to_owned(),
            status: status.to_owned(),
            status_reason: reason.to_owned(),
            status_since: now + TimeDelta::seconds(i64::try_from(id).unwrap()),
            phone_number: None,
            last_phone_number: Some(format!("43660123000{id}")),
            next_retry_at: (status == "reconnecting").then_some(now - TimeDelta::seconds(i64::try_from(id).unwrap())),
            pair_deadline: None,
            last_qr_png: None,
            pair_code: None,
            database_now: now,
        }
    }

    fn listed(arguments: &[&str]) -> Vec<String> {
        let fleet = vec![
            account(1, "shop", "connected", "connected"),
            account(2, "Desk", "reconnecting", "socket_lost: reset"),
            account(3, "attic", "held", "banned: spam"),
            account(4, "till", "reconnecting", "server_busy"),
            account(5, "cellar", "held", "replaced"),
        ];
        let (through, others) = filter(arguments).split(fleet);
        assert_eq!(through.len() + others.len(), 5);
        through.into_iter().map(|account| account.label).collect()
    }

    #[test]
    fn what_wants_attention_goes_first_unless_told_otherwise() {
        assert_eq!(listed(&[]), ["attic", "cellar", "Desk", "till", "shop"]);
        assert_eq!(listed(&["--sort", "label"]), ["attic", "cellar", "Desk", "shop", "till"]);
        assert_eq!(listed(&["--sort", "since"]), ["cellar", "till", "attic", "Desk", "shop"]);
        assert_eq!(listed(&["--sort", "retry"]), ["till", "Desk", "shop", "attic", "cellar"]);
        assert_eq!(listed(&["--sort", "created"]), ["shop", "Desk", "attic", "till", "cellar"]);
        assert!(Status::ALL.iter().all(|status| BY_ATTENTION.contains(status)));
        let mut order = SortOrder::Status;
        for known in SortOrder::value_variants() {
            assert_eq!(order, *known);
            order = order.next();
        }
    }

    #[test]
    fn filters_narrow_the_list_together() {
        assert_eq!(listed(&["--status", "held,reconnecting", "--operator", "00000001"]), ["attic", "cellar"]);
        assert_eq!(listed(&["--reason", "banned"]), ["attic"]);
        assert_eq!(listed(&["--reason", "banned", "--status", "connected"]), Vec::<String>::new());
        assert!(Arguments::try_parse_from(["status", "--status", "hold"]).is_err());
        assert!(Arguments::try_parse_from(["status", "--reason", "bannt"]).is_err());
        assert!(!filter(&["--sort", "label"]).is_set() && filter(&["--search", "x"]).is_set());
    }

    #[test]
    fn a_search_finds_label_reason_id_and_number() {
        for (text, label) in [
            ("DESK", "Desk"),
            ("spam", "attic"),
            ("00000004-", "till"),
            ("0660 123/0005", "cellar"),
            ("+43 (0) 660 123 0001", "shop"),
            ("0043 660 1230002", "Desk"),
        ] {
            assert_eq!(listed(&["--search", text]), [label], "{text}");
        }
        assert_eq!(listed(&["--search", "0660"]).len(), 5);
        assert!(listed(&["--search", "03"]).is_empty(), "too few digits for a number");
    }
}
