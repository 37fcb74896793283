mod state;

use serde_json::{Value, json};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use thiserror::Error;

use super::{
    AccountId, CONTACTS_PER_CHECK, ChatJid, ChatJidError, CommandId, HoldCause, Instant, MessageId, OnlineRequest,
    Phase, Phone, PhoneError, Secret, Shown, Status, TakingId, TypingState, word::word,
};

pub use state::CommandState;

/// The way in which the phone is linked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PairMethod {
    Qr,
    /// A code typed on the phone that has this number.
    Code {
        phone: Phone,
    },
}

/// The arguments of an `account.pair`.
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
    /// The parsed command, or why it is invalid.
    pub command: Result<Command, CommandError>,
    pub source: String,
    /// When it was sent.
    pub created_at: Instant,
}

/// A command and the statement that took it. A write that requeues it must name both, so that
/// it does not requeue a command that was taken again since.
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

/// A command of an operator to an account.
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
    /// For a live connection: nothing of the account changes.
    Online(OnlineRequest),
}

/// The reason why a command is invalid, in one line that names the kind or argument but not
/// its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
pub enum CommandError {
    #[error("unknown command kind {0:?}")]
    UnknownKind(String),
    #[error("{kind}: args is not a JSON object")]
    NotAnObject { kind: String },
    #[error("{kind}: unknown argument {name:?}")]
    UnknownArgument { kind: CommandKind, name: String },
    #[error("{kind}: {name} is not a string")]
    NotAString { kind: CommandKind, name: &'static str },
    #[error("{kind}: {name} is not true or false")]
    NotABoolean { kind: CommandKind, name: &'static str },
    #[error("{kind}: {name}: {wrong}")]
    NotAPhone { kind: CommandKind, name: &'static str, wrong: PhoneError },
    #[error("{kind}: {name}: {wrong}")]
    NotAChat { kind: CommandKind, name: &'static str, wrong: ChatJidError },
    #[error("{kind}: {name}: must be the id of a message")]
    NotAMessage { kind: CommandKind, name: &'static str },
    #[error("{kind}: {name}: must be a list of 1 to {CONTACTS_PER_CHECK} phone numbers")]
    NotPhones { kind: CommandKind, name: &'static str },
    #[error("chat.typing: state: must be composing, recording or paused")]
    UnknownTypingState,
    #[error("account.pair: phone goes with method \"code\"; to allow one number only use expectPhone")]
    PhoneWithoutCode,
    #[error("account.pair: method \"code\" needs phone")]
    CodeWithoutPhone,
    #[error("account.pair: method {0:?} is neither \"qr\" nor \"code\"")]
    UnknownMethod(String),
    #[error("account.pair: phone and expectPhone are different numbers; a code links only its own phone")]
    TwoNumbers,
    #[error("account.passkey: give either response or confirm")]
    ResponseOrConfirm,
}

impl CommandError {
    /// The argument that is wrong, if it is one.
    pub fn argument(&self) -> Option<&str> {
        match self {
            Self::UnknownKind(_) | Self::NotAnObject { .. } | Self::ResponseOrConfirm => None,
            Self::UnknownArgument { name, .. } => Some(name),
            Self::NotAString { name, .. }
            | Self::NotABoolean { name, .. }
            | Self::NotAPhone { name, .. }
            | Self::NotAChat { name, .. }
            | Self::NotAMessage { name, .. }
            | Self::NotPhones { name, .. } => Some(name),
            Self::UnknownTypingState => Some("state"),
            Self::PhoneWithoutCode | Self::CodeWithoutPhone => Some("phone"),
            Self::UnknownMethod(_) => Some("method"),
            Self::TwoNumbers => Some("expectPhone"),
        }
    }
}

impl Command {
    /// Reads a command's kind and arguments.
    ///
    /// # Errors
    /// The command is invalid.
    pub fn parse(kind: &str, args: &Value) -> Result<Self, CommandError> {
        let values = match args {
            Value::Null => None,
            Value::Object(values) => Some(values),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(CommandError::NotAnObject { kind: shorten(kind) });
            }
        };
        let kind = CommandKind::parse(kind).ok_or_else(|| CommandError::UnknownKind(shorten(kind)))?;
        let args = Args::new(kind, values)?;
        match kind {
            CommandKind::Pair => args.pair(),
            CommandKind::Cancel => Ok(Self::Cancel),
            CommandKind::Passkey => args.passkey(),
            CommandKind::Unpair => Ok(Self::Unpair { logout: args.flag("logout")? }),
            CommandKind::Resume => Ok(Self::Resume),
            CommandKind::Reconnect => Ok(Self::Reconnect),
            CommandKind::Delete => Ok(Self::Delete),
            CommandKind::SyncGroups => Ok(Self::SyncGroups),
            CommandKind::ReadChat => args.read_chat(),
            CommandKind::ShowTyping => args.show_typing(),
            CommandKind::CheckContacts => args.check_contacts(),
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
            Self::Online(request) => request.kind(),
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
    #[strum(serialize = "chat.read")]
    ReadChat,
    #[strum(serialize = "chat.typing")]
    ShowTyping,
    #[strum(serialize = "contact.check")]
    CheckContacts,
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
            Self::Reconnect => "reconnect at once, with the current settings",
            Self::Delete => "remove the device from the phone, then erase the account",
            Self::SyncGroups => "fetch the groups again",
            Self::ReadChat => "send read receipts for what came in with a chat, up to a message",
            Self::ShowTyping => "show a chat that somebody is typing or recording, or no longer: now or not at all",
            Self::CheckContacts => "find out which of these numbers are on WhatsApp; an account may ask for 100 a day",
        }
    }

    /// The action as the beginning of a sentence: "Pairing" failed.
    pub fn gerund(self) -> &'static str {
        match self {
            Self::Pair => "Pairing",
            Self::Cancel => "Cancelling",
            Self::Passkey => "The passkey answer",
            Self::Unpair => "Unpairing",
            Self::Resume => "Resuming",
            Self::Reconnect => "Connecting again",
            Self::Delete => "Deleting",
            Self::SyncGroups => "Fetching the groups",
            Self::ReadChat => "Marking a chat as read",
            Self::ShowTyping => "Showing that somebody types",
            Self::CheckContacts => "Checking numbers",
        }
    }

    /// It does not block its account's next command: it takes long and changes no status.
    pub fn runs_concurrently(self) -> bool {
        match self {
            Self::SyncGroups | Self::ReadChat | Self::CheckContacts => true,
            // Short, and in order: paused comes after composing.
            Self::ShowTyping
            | Self::Pair
            | Self::Cancel
            | Self::Passkey
            | Self::Unpair
            | Self::Resume
            | Self::Reconnect
            | Self::Delete => false,
        }
    }

    /// Where it stands among the commands that people are offered for an account, the likeliest
    /// first; `None` if it makes no sense now.
    pub fn place_among_actions(self, account: &Shown<'_>) -> Option<u8> {
        let status = account.status;
        let is_linked = matches!(status, Status::Connected | Status::Reconnecting | Status::Held);
        let is_offline = matches!(status, Status::Unpaired | Status::Reconnecting | Status::Held);
        let (place, makes_sense) = match self {
            Self::Resume => (0, account.has_keys && is_offline),
            Self::Passkey => (1, matches!(account.phase(), Phase::Passkey | Phase::PasskeyConfirmation)),
            Self::Cancel => (2, status == Status::Pending),
            Self::SyncGroups => (3, status == Status::Connected),
            Self::Reconnect if status == Status::Held => {
                (4, HoldCause::of_row(account.reason) == HoldCause::UnusableProxy)
            }
            Self::Reconnect => (4, matches!(status, Status::Connected | Status::Reconnecting)),
            Self::Pair => (5, is_offline || status == Status::Pending),
            Self::Unpair => (6, is_linked),
            Self::Delete => (7, status != Status::Deleting),
            // They are about others, not about the account.
            Self::ReadChat | Self::ShowTyping | Self::CheckContacts => return None,
        };
        makes_sense.then_some(place)
    }

    /// The names that `args` may have.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Pair => &["method", "phone", "expectPhone"],
            Self::Passkey => &["response", "confirm"],
            Self::Unpair => &["logout"],
            Self::ReadChat => &["chat", "upTo"],
            Self::ShowTyping => &["chat", "state"],
            Self::CheckContacts => &["phones"],
            Self::Cancel | Self::Resume | Self::Reconnect | Self::Delete | Self::SyncGroups => &[],
        }
    }

    /// Strict, as the daemon is: an unknown argument is an error.
    pub fn args_schema(self) -> Value {
        let phone = || json!({ "type": ["string", "null"], "pattern": PHONE_PATTERN });
        let flag = || json!({ "type": ["boolean", "null"], "default": false });
        let chat = || json!({ "type": "string", "description": "a phone number, or the jid of a person or a group" });
        let (properties, rest) = match self {
            Self::Pair => (
                json!({
                    "method": { "enum": ["qr", "code", null], "default": "qr" },
                    "phone": phone(),
                    "expectPhone": phone(),
                }),
                json!({
                    "if": { "properties": { "method": { "const": "code" } }, "required": ["method"] },
                    "then": { "properties": { "phone": { "type": "string" } }, "required": ["phone"] },
                    "else": { "properties": { "phone": { "type": "null" } } },
                }),
            ),
            Self::Passkey => (
                json!({ "response": {}, "confirm": flag() }),
                json!({ "oneOf": [
                    {
                        "properties": { "response": { "not": { "type": "null" } }, "confirm": { "enum": [false, null] } },
                        "required": ["response"],
                    },
                    {
                        "properties": { "response": { "type": "null" }, "confirm": { "const": true } },
                        "required": ["confirm"],
                    },
                ] }),
            ),
            Self::Unpair => (json!({ "logout": flag() }), json!({})),
            Self::ReadChat => (
                json!({ "chat": chat(), "upTo": { "type": "integer", "minimum": 1 } }),
                json!({ "required": ["chat", "upTo"] }),
            ),
            Self::ShowTyping => (
                json!({ "chat": chat(), "state": { "enum": TypingState::ALL } }),
                json!({ "required": ["chat", "state"] }),
            ),
            Self::CheckContacts => (
                json!({ "phones": {
                    "type": "array", "minItems": 1, "maxItems": CONTACTS_PER_CHECK,
                    "items": { "type": "string", "pattern": PHONE_PATTERN },
                } }),
                json!({ "required": ["phones"] }),
            ),
            Self::Cancel | Self::Resume | Self::Reconnect | Self::Delete | Self::SyncGroups => (json!({}), json!({})),
        };
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let (Value::Object(schema), Value::Object(rest)) = (&mut schema, rest) {
            schema.extend(rest);
        }
        schema
    }
}

/// As people write numbers, in digits of any script; separators are skipped.
const PHONE_PATTERN: &str = r"^\P{L}*\p{Nd}\P{L}*$";

/// The arguments of one command, read strictly: an unknown name is an error, so
/// that a misspelt `expectPhone` never links the wrong phone.
struct Args<'a> {
    kind: CommandKind,
    values: Option<&'a serde_json::Map<String, Value>>,
}

impl<'a> Args<'a> {
    fn new(kind: CommandKind, values: Option<&'a serde_json::Map<String, Value>>) -> Result<Self, CommandError> {
        let mut names = values.into_iter().flat_map(|values| values.keys());
        match names.find(|name| !kind.arguments().contains(&name.as_str())) {
            Some(name) => Err(CommandError::UnknownArgument { kind, name: shorten(name) }),
            None => Ok(Self { kind, values }),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.values.and_then(|v| v.get(name)).filter(|v| !v.is_null())
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, CommandError> {
        match self.get(name).map(Value::as_str) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text)),
            Some(None) => Err(CommandError::NotAString { kind: self.kind, name }),
        }
    }

    fn flag(&self, name: &'static str) -> Result<bool, CommandError> {
        match self.get(name).map(Value::as_bool) {
            None => Ok(false),
            Some(Some(flag)) => Ok(flag),
            Some(None) => Err(CommandError::NotABoolean { kind: self.kind, name }),
        }
    }

    fn phone(&self, name: &'static str) -> Result<Option<Phone>, CommandError> {
        let phone = self.text(name)?.map(Phone::parse).transpose();
        phone.map_err(|wrong| CommandError::NotAPhone { kind: self.kind, name, wrong })
    }

    fn pair(self) -> Result<Command, CommandError> {
        let phone = self.phone("phone")?;
        let method = match (self.text("method")?.unwrap_or("qr"), phone) {
            ("qr", None) => PairMethod::Qr,
            ("qr", Some(_)) => return Err(CommandError::PhoneWithoutCode),
            ("code", Some(phone)) => PairMethod::Code { phone },
            ("code", None) => return Err(CommandError::CodeWithoutPhone),
            (other, _) => return Err(CommandError::UnknownMethod(shorten(other))),
        };
        let request = PairRequest { method, expect_phone: self.phone("expectPhone")? };
        match (&request.method, &request.expect_phone) {
            (PairMethod::Code { phone }, Some(expected)) if !phone.is_same_number(expected) => {
                Err(CommandError::TwoNumbers)
            }
            _ => Ok(Command::Pair(request)),
        }
    }

    fn chat(&self, name: &'static str) -> Result<ChatJid, CommandError> {
        let wrong = |wrong| CommandError::NotAChat { kind: self.kind, name, wrong };
        let text = self.text(name)?.ok_or_else(|| wrong(ChatJidError))?;
        ChatJid::parse(text).map_err(wrong)
    }

    fn read_chat(self) -> Result<Command, CommandError> {
        let chat = self.chat("chat")?;
        let up_to = self.get("upTo").and_then(Value::as_i64).filter(|id| *id > 0).map(MessageId);
        let up_to = up_to.ok_or(CommandError::NotAMessage { kind: self.kind, name: "upTo" })?;
        Ok(Command::Online(OnlineRequest::ReadChat { chat, up_to }))
    }

    fn show_typing(self) -> Result<Command, CommandError> {
        let chat = self.chat("chat")?;
        let state = self.text("state")?.and_then(TypingState::parse).ok_or(CommandError::UnknownTypingState)?;
        Ok(Command::Online(OnlineRequest::ShowTyping { chat, state }))
    }

    fn check_contacts(self) -> Result<Command, CommandError> {
        let (kind, name) = (self.kind, "phones");
        let listed = self.get(name).and_then(Value::as_array);
        let listed = listed.filter(|phones| (1..=CONTACTS_PER_CHECK).contains(&phones.len()));
        let texts = listed.and_then(|phones| phones.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let texts = texts.ok_or(CommandError::NotPhones { kind, name })?;
        let phones = texts.into_iter().map(Phone::parse).collect::<Result<Vec<_>, _>>();
        let phones = phones.map_err(|wrong| CommandError::NotAPhone { kind, name, wrong })?;
        Ok(Command::Online(OnlineRequest::CheckContacts { phones }))
    }

    fn passkey(self) -> Result<Command, CommandError> {
        let confirm = self.flag("confirm")?;
        match (self.get("response"), confirm) {
            (Some(response), false) => {
                let text = response.as_str().map_or_else(|| response.to_string(), str::to_owned);
                Ok(Command::Passkey(PasskeyAnswer::Response(Secret::new(text))))
            }
            (None, true) => Ok(Command::Passkey(PasskeyAnswer::Confirm)),
            (Some(_), true) | (None, false) => Err(CommandError::ResponseOrConfirm),
        }
    }
}

/// A name from outside, short enough for an error line.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
