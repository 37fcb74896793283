use serde_json::Value;

use super::{AccountId, CommandId, Phone, Secret, TakingId};

/// How the phone is to be linked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PairMethod {
    Qr,
    /// A code typed on the phone that has this number.
    Code {
        phone: Phone,
    },
}

/// What an `account.pair` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PairRequest {
    pub method: PairMethod,
    /// The only number that may be linked, if the operator named one.
    pub expect_phone: Option<Phone>,
}

impl PairRequest {
    /// The one number that may be linked, if there is one: that of the code, since a QR
    /// is shown beside it and another phone could scan that.
    pub fn only_phone(&self) -> Option<&Phone> {
        match (&self.expect_phone, &self.method) {
            (Some(phone), _) | (None, PairMethod::Code { phone }) => Some(phone),
            (None, PairMethod::Qr) => None,
        }
    }
}

/// The operator's answer to a passkey challenge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PasskeyAnswer {
    /// The assertion, as the browser's JSON.
    Response(Secret),
    /// The codes on both screens are the same.
    Confirm,
}

/// A row of `commands` as it lies in the database, kind and arguments unread.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRow {
    pub id: CommandId,
    /// The asking that took it here.
    pub taking: TakingId,
    pub account: AccountId,
    pub kind: String,
    pub args: Value,
    pub source: String,
}

/// A command, and the asking that took it: what a write that puts it back must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Taken {
    pub command: CommandId,
    pub taking: TakingId,
}

impl CommandRow {
    pub fn taken(&self) -> Taken {
        Taken { command: self.id, taking: self.taking }
    }

    /// Its account's next command is run while this one still is: it takes long.
    pub fn holds_nobody_up(&self) -> bool {
        self.kind == "groups.sync"
    }
}

/// What an operator can ask of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    Pair(PairRequest),
    Cancel,
    Passkey(PasskeyAnswer),
    Unpair {
        logout: bool,
    },
    Resume,
    /// Connect again with the settings of now: the proxy was changed.
    Reconnect,
    Delete,
    SyncGroups,
}

impl Command {
    /// Reads a command's kind and arguments.
    ///
    /// # Errors
    /// One line that names the kind or argument that is wrong, without its value.
    pub fn parse(kind: &str, args: &Value) -> Result<Self, String> {
        let args = Args::new(kind, args)?;
        match kind {
            "account.pair" => args.only(&["method", "phone", "expectPhone"])?.pair(),
            "account.cancel" => args.only(&[]).map(|_| Self::Cancel),
            "account.passkey" => args.only(&["response", "confirm"])?.passkey(),
            "account.unpair" => {
                let args = args.only(&["logout"])?;
                Ok(Self::Unpair { logout: args.flag("logout")? })
            }
            "account.resume" => args.only(&[]).map(|_| Self::Resume),
            "account.reconnect" => args.only(&[]).map(|_| Self::Reconnect),
            "account.delete" => args.only(&[]).map(|_| Self::Delete),
            "groups.sync" => args.only(&[]).map(|_| Self::SyncGroups),
            _ => Err(format!("unknown command kind {:?}", shorten(kind))),
        }
    }

    /// The kind on the row.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pair(_) => "account.pair",
            Self::Cancel => "account.cancel",
            Self::Passkey(_) => "account.passkey",
            Self::Unpair { .. } => "account.unpair",
            Self::Resume => "account.resume",
            Self::Reconnect => "account.reconnect",
            Self::Delete => "account.delete",
            Self::SyncGroups => "groups.sync",
        }
    }
}

/// The arguments of one command, read strictly: an unknown name is an error, so
/// that a misspelt `expectPhone` never links the wrong phone.
struct Args<'a> {
    kind: &'a str,
    values: Option<&'a serde_json::Map<String, Value>>,
}

impl<'a> Args<'a> {
    fn new(kind: &'a str, args: &'a Value) -> Result<Self, String> {
        match args {
            Value::Null => Ok(Self { kind, values: None }),
            Value::Object(values) => Ok(Self { kind, values: Some(values) }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(format!("{}: args is not a JSON object", shorten(kind)))
            }
        }
    }

    fn only(self, names: &[&str]) -> Result<Self, String> {
        let unknown = self.values.into_iter().flat_map(|v| v.keys()).find(|name| !names.contains(&name.as_str()));
        match unknown {
            Some(name) => Err(format!("{}: unknown argument {:?}", self.kind, shorten(name))),
            None => Ok(self),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.values.and_then(|v| v.get(name)).filter(|v| !v.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(format!("{}: {name} is not a string", self.kind)),
            },
        }
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| format!("{}: {name} is not true or false", self.kind)),
        }
    }

    fn phone(&self, name: &str) -> Result<Option<Phone>, String> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => Phone::parse(text).map(Some).map_err(|wrong| format!("{}: {name}: {wrong}", self.kind)),
        }
    }

    fn pair(self) -> Result<Command, String> {
        let phone = self.phone("phone")?;
        let method = match (self.text("method")?.unwrap_or("qr"), phone) {
            ("qr", None) => PairMethod::Qr,
            ("qr", Some(_)) => {
                return Err("account.pair: phone goes with method \"code\"; to allow one number only use expectPhone"
                    .to_owned());
            }
            ("code", Some(phone)) => PairMethod::Code { phone },
            ("code", None) => return Err("account.pair: method \"code\" needs phone".to_owned()),
            (other, _) => {
                return Err(format!("account.pair: method {:?} is neither \"qr\" nor \"code\"", shorten(other)));
            }
        };
        let request = PairRequest { method, expect_phone: self.phone("expectPhone")? };
        match (&request.method, &request.expect_phone) {
            (PairMethod::Code { phone }, Some(expected)) if phone != expected => {
                Err("account.pair: phone and expectPhone are different numbers; a code links only its own phone"
                    .to_owned())
            }
            _ => Ok(Command::Pair(request)),
        }
    }

    fn passkey(self) -> Result<Command, String> {
        let confirm = self.flag("confirm")?;
        match (self.get("response"), confirm) {
            (Some(response), false) => {
                let text = response.as_str().map_or_else(|| response.to_string(), str::to_owned);
                Ok(Command::Passkey(PasskeyAnswer::Response(Secret::new(text))))
            }
            (None, true) => Ok(Command::Passkey(PasskeyAnswer::Confirm)),
            (Some(_), true) | (None, false) => Err("account.passkey: give either response or confirm".to_owned()),
        }
    }
}

/// A name from outside, short enough for an error line.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
