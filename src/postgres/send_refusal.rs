//! Why the database does not take a message.

use tokio_postgres::error::SqlState;

/// What `send_message` says no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendRefusal {
    /// A field that is missing, unknown or not as it must be: its path within the content, or the
    /// name of another argument.
    Form {
        field: String,
        trouble: String,
    },
    NoAccount,
    /// Another message of the account has the key.
    KeyTaken,
    /// As many messages of the account wait as may.
    QueueFull {
        words: String,
    },
}

impl SendRefusal {
    /// `None` if the statement failed for another reason.
    pub fn of(error: &tokio_postgres::Error) -> Option<Self> {
        let refused = error.as_db_error()?;
        Self::parse(refused.code(), refused.message())
    }

    fn parse(code: &SqlState, words: &str) -> Option<Self> {
        match *code {
            SqlState::INVALID_PARAMETER_VALUE => {
                let (field, trouble) = words.split_once(": ")?;
                if field == "account_id" {
                    return Some(Self::NoAccount);
                }
                let field = field.strip_prefix("content.").unwrap_or(field).to_owned();
                Some(Self::Form { field, trouble: trouble.to_owned() })
            }
            SqlState::UNIQUE_VIOLATION => Some(Self::KeyTaken),
            SqlState::CONFIGURATION_LIMIT_EXCEEDED => Some(Self::QueueFull { words: words.to_owned() }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_field_within_the_content() {
        let form = |words: &str| SendRefusal::parse(&SqlState::INVALID_PARAMETER_VALUE, words);
        let of = |field: &str, trouble: &str| {
            Some(SendRefusal::Form { field: field.to_owned(), trouble: trouble.to_owned() })
        };
        assert_eq!(form("content.text.body: must be a text"), of("text.body", "must be a text"));
        assert_eq!(form("content: must be an object"), of("content", "must be an object"));
        assert_eq!(form("not_before: must be later: now"), of("not_before", "must be later: now"));
        assert_eq!(form("account_id: there is no such account"), Some(SendRefusal::NoAccount));
        assert_eq!(form("a value of another kind"), None);
        assert_eq!(SendRefusal::parse(&SqlState::UNIQUE_VIOLATION, "x"), Some(SendRefusal::KeyTaken));
        assert_eq!(SendRefusal::parse(&SqlState::INSUFFICIENT_PRIVILEGE, "x"), None);
    }
}
