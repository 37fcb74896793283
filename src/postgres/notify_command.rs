//! A command that came as a bare NOTIFY: `{"type":"account.pair","accountId":"…", …args}`.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::store::strip_nul;

/// The stored form of a command that came as a notification.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifiedCommand {
    pub kind: String,
    pub account: Option<Uuid>,
    pub args: Value,
    pub dedupe_key: Option<String>,
    /// The error, if the payload names no account that could be told of it. Never the payload.
    pub failure: Option<String>,
}

/// The kind of a row whose payload names none.
const NO_KIND: &str = "(none)";
/// The limit of the table.
const KEY_MAX_CHARS: usize = 200;
const KIND_MAX_CHARS: usize = 100;

impl NotifiedCommand {
    /// Reads a payload. If it names an account, the command goes to that account's owner, which
    /// fails an invalid one with an event of the account.
    pub fn read(payload: &str) -> Self {
        let mut fields = match serde_json::from_str::<Value>(payload) {
            Ok(Value::Object(fields)) => fields,
            Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Self::failed(NO_KIND, "the notification is not a JSON object");
            }
            Err(_) => return Self::failed(NO_KIND, "the notification is not JSON"),
        };
        let kind = fields.remove("type");
        let kind = kind.as_ref().and_then(Value::as_str).map(strip_nul::text).filter(|kind| !kind.is_empty());
        let account = fields.remove("accountId");
        let readable = account.as_ref().and_then(Value::as_str).and_then(|text| Uuid::try_parse(text.trim()).ok());
        let known_kind = kind.as_deref().unwrap_or(NO_KIND);
        match (readable, account) {
            (Some(account), _) => Self::queued(known_kind, account, fields),
            (None, Some(_)) => Self::failed(known_kind, "accountId is not a uuid"),
            (None, None) => Self::failed(known_kind, "accountId is missing"),
        }
    }

    fn queued(kind: &str, account: Uuid, mut fields: Map<String, Value>) -> Self {
        // A key that is not a string stays among the arguments, where it is refused as unknown.
        let dedupe_key = match fields.remove("dedupeKey") {
            Some(Value::String(key)) => Some(strip_nul::text(&key)),
            None | Some(Value::Null) => None,
            Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
                fields.insert("dedupeKey".to_owned(), other);
                None
            }
        };
        if dedupe_key.as_ref().is_some_and(|key| key.chars().count() > KEY_MAX_CHARS) {
            let why = format!("dedupeKey has more than {KEY_MAX_CHARS} characters");
            return Self { account: Some(account), ..Self::failed(kind, &why) };
        }
        let args = strip_nul::json(&Value::Object(fields));
        Self { kind: shorten(kind), account: Some(account), args, dedupe_key, failure: None }
    }

    fn failed(kind: &str, why: &str) -> Self {
        Self {
            kind: shorten(kind),
            account: None,
            args: Value::Object(Map::new()),
            dedupe_key: None,
            failure: Some(why.to_owned()),
        }
    }
}

fn shorten(kind: &str) -> String {
    kind.chars().take(KIND_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_command_is_read() {
        let id = Uuid::new_v4();
        let payload = json!({"type": "account.pair", "accountId": id, "method": "qr", "dedupeKey": "k"}).to_string();
        let read = NotifiedCommand::read(&payload);
        assert_eq!(
            read,
            NotifiedCommand {
                kind: "account.pair".to_owned(),
                account: Some(id),
                args: json!({"method": "qr"}),
                dedupe_key: Some("k".to_owned()),
                failure: None,
            }
        );
    }

    #[test]
    fn a_malformed_payload_is_named_without_quoting_it() {
        for (payload, why) in [
            ("secret", "the notification is not JSON"),
            ("[\"secret\"]", "the notification is not a JSON object"),
            (r#"{"type":"account.pair","phone":"secret"}"#, "accountId is missing"),
            (r#"{"type":"account.pair","accountId":"secret"}"#, "accountId is not a uuid"),
            (r#"{"type":"account.pair","accountId":7}"#, "accountId is not a uuid"),
        ] {
            let read = NotifiedCommand::read(payload);
            assert_eq!(read.failure.as_deref(), Some(why));
            assert!(!format!("{read:?}").contains("secret"));
        }
    }

    #[test]
    fn a_missing_type_is_left_to_the_owner_of_the_account() {
        let id = Uuid::new_v4();
        let read = NotifiedCommand::read(&json!({ "accountId": id }).to_string());
        assert_eq!((read.kind.as_str(), read.account, read.failure), ("(none)", Some(id), None));
    }
}
