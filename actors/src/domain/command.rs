use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{AccountId, CommandId, Phone, Secret, TakingId, word::word};

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

/// A row of `commands`, read once: by the store that takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRow {
    pub id: CommandId,
    /// The asking that took it here.
    pub taking: TakingId,
    pub account: AccountId,
    /// As it was sent; it may be no kind that there is.
    pub kind: String,
    /// What it asks for, or what is wrong with it.
    pub command: Result<Command, String>,
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

    /// It does not block its account's next command.
    pub fn runs_concurrently(&self) -> bool {
        CommandKind::parse(&self.kind).is_some_and(CommandKind::runs_concurrently)
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
        let kind = CommandKind::parse(kind).ok_or_else(|| format!("unknown command kind {:?}", shorten(kind)))?;
        let args = args.only(kind.arguments())?;
        match kind {
            CommandKind::Pair => args.pair(),
            CommandKind::Cancel => Ok(Self::Cancel),
            CommandKind::Passkey => args.passkey(),
            CommandKind::Unpair => Ok(Self::Unpair { logout: args.flag("logout")? }),
            CommandKind::Resume => Ok(Self::Resume),
            CommandKind::Reconnect => Ok(Self::Reconnect),
            CommandKind::Delete => Ok(Self::Delete),
            CommandKind::SyncGroups => Ok(Self::SyncGroups),
        }
    }

    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Pair(_) => CommandKind::Pair,
            Self::Cancel => CommandKind::Cancel,
            Self::Passkey(_) => CommandKind::Passkey,
            Self::Unpair { .. } => CommandKind::Unpair,
            Self::Resume => CommandKind::Resume,
            Self::Reconnect => CommandKind::Reconnect,
            Self::Delete => CommandKind::Delete,
            Self::SyncGroups => CommandKind::SyncGroups,
        }
    }
}

/// The kind of a [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum CommandKind {
    #[strum(serialize = "account.pair")]
    Pair,
    #[strum(serialize = "account.cancel")]
    Cancel,
    #[strum(serialize = "account.passkey")]
    Passkey,
    #[strum(serialize = "account.unpair")]
    Unpair,
    #[strum(serialize = "account.resume")]
    Resume,
    #[strum(serialize = "account.reconnect")]
    Reconnect,
    #[strum(serialize = "account.delete")]
    Delete,
    #[strum(serialize = "groups.sync")]
    SyncGroups,
}

word!(CommandKind);

impl CommandKind {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pair => "start a pair attempt; one that is running is replaced",
            Self::Cancel => "end the pair attempt now",
            Self::Passkey => "the operator's answer to a passkey challenge",
            Self::Unpair => {
                "close the connection and keep it closed; with `logout` the device is removed from the phone, too"
            }
            Self::Resume => "connect again with the stored keys, without a QR code",
            Self::Reconnect => "connect again at once, with the settings of now",
            Self::Delete => "remove the device from the phone, then erase the account",
            Self::SyncGroups => "fetch the groups again",
        }
    }

    /// It does not block its account's next command: it takes long and changes no status.
    pub fn runs_concurrently(self) -> bool {
        match self {
            Self::SyncGroups => true,
            Self::Pair
            | Self::Cancel
            | Self::Passkey
            | Self::Unpair
            | Self::Resume
            | Self::Reconnect
            | Self::Delete => false,
        }
    }

    /// The names that `args` may have.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Pair => &["method", "phone", "expectPhone"],
            Self::Passkey => &["response", "confirm"],
            Self::Unpair => &["logout"],
            Self::Cancel | Self::Resume | Self::Reconnect | Self::Delete | Self::SyncGroups => &[],
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
            (PairMethod::Code { phone }, Some(expected)) if !phone.is_same_number(expected) => {
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
