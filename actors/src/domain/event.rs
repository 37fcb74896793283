use serde_json::{Value, json};

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{
    CheckedContact, CommandId, CommandKind, Instant, MessageKind, Phone, Reason, SendFailure, Status, StatusReason,
    reason::capitalized, schema, word::word,
};

/// An event for web apps, one row of `events` each, listed in sql/README.md;
/// [`Event::payload`] is its JSON. Those of messages are not here: the statement that writes
/// messages writes them.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Qr {
        ts: Instant,
        expires_at: Instant,
    },
    Code {
        ts: Instant,
        expires_at: Instant,
    },
    /// It can be answered until then.
    Passkey {
        stage: PasskeyStage,
        request: Value,
        expires_at: Instant,
    },
    Connected {
        phone: Option<Phone>,
    },
    Duplicate {
        phone: Phone,
        existing_label: String,
    },
    WrongPhone {
        phone: Phone,
        expected: Phone,
    },
    /// The attempt's time is over. `after` is what went wrong before, if anything did.
    Timeout {
        after: Option<StatusReason>,
    },
    Cancelled {
        reason: CancelReason,
    },
    Failed {
        reason: StatusReason,
    },
    Disconnected {
        reason: StatusReason,
        next_retry_at: Instant,
    },
    LoggedOut {
        reason: StatusReason,
    },
    Held {
        reason: StatusReason,
        until: Option<Instant>,
    },
    GroupsSynced {
        count: usize,
    },
    AccountUnpaired {
        unlinked: Unlinked,
    },
    AccountDeleted {
        unlinked: Unlinked,
    },
    AccountUnlinked {
        reason: String,
    },
    UnlinkAbandoned {
        reason: String,
    },
    CommandFailed {
        command: CommandId,
        kind: String,
        reason: String,
    },
    ContactsChecked {
        command: CommandId,
        contacts: Vec<CheckedContact>,
    },
}

/// The kind of an event: the `type` in a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum EventKind {
    #[strum(serialize = "session.qr")]
    Qr,
    #[strum(serialize = "session.code")]
    Code,
    #[strum(serialize = "session.passkey")]
    Passkey,
    #[strum(serialize = "session.connected")]
    Connected,
    #[strum(serialize = "session.duplicate")]
    Duplicate,
    #[strum(serialize = "session.wrong_phone")]
    WrongPhone,
    #[strum(serialize = "session.timeout")]
    Timeout,
    #[strum(serialize = "session.cancelled")]
    Cancelled,
    #[strum(serialize = "session.failed")]
    Failed,
    #[strum(serialize = "session.disconnected")]
    Disconnected,
    #[strum(serialize = "session.logged_out")]
    LoggedOut,
    #[strum(serialize = "session.held")]
    Held,
    #[strum(serialize = "groups.synced")]
    GroupsSynced,
    #[strum(serialize = "account.unpaired")]
    AccountUnpaired,
    #[strum(serialize = "account.deleted")]
    AccountDeleted,
    #[strum(serialize = "account.unlinked")]
    AccountUnlinked,
    #[strum(serialize = "account.unlink_abandoned")]
    UnlinkAbandoned,
    #[strum(serialize = "command.failed")]
    CommandFailed,
    #[strum(serialize = "message.received")]
    MessageReceived,
    #[strum(serialize = "message.echo")]
    MessageEcho,
    #[strum(serialize = "message.waiting")]
    MessageWaiting,
    #[strum(serialize = "message.recovered")]
    MessageRecovered,
    #[strum(serialize = "message.sent")]
    MessageSent,
    #[strum(serialize = "message.delivered")]
    MessageDelivered,
    #[strum(serialize = "message.read")]
    MessageRead,
    #[strum(serialize = "message.failed")]
    MessageFailed,
    #[strum(serialize = "sending.paused")]
    SendingPaused,
    #[strum(serialize = "sending.resumed")]
    SendingResumed,
    #[strum(serialize = "chat.merged")]
    ChatMerged,
    #[strum(serialize = "contact.checked")]
    ContactsChecked,
}

word!(EventKind);

impl EventKind {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Qr => "a new QR code is on the row",
            Self::Code => "a new code to type on the phone is on the row",
            Self::Passkey => "WhatsApp wants a passkey assertion, or a comparison of codes",
            Self::Connected => "logged in; ends a pair attempt",
            Self::Duplicate => "the number is linked to another account of the operator; ends a pair attempt",
            Self::WrongPhone => "another phone than the expected one scanned; ends a pair attempt",
            Self::Timeout => {
                "not linked in time; the reason says what went wrong before, if anything did; ends a pair attempt"
            }
            Self::Cancelled => "the operator ended the pair attempt, or another one took its place",
            Self::Failed => "a retry cannot succeed; ends a pair attempt",
            Self::Disconnected => "the connection was lost and is retried",
            Self::LoggedOut => "the phone or WhatsApp removed the device",
            Self::Held => "needs a person, or the date in `until`",
            Self::GroupsSynced => "the groups were fetched",
            Self::AccountUnpaired => "the operator unpaired the account",
            Self::AccountDeleted => "the operator deleted the account",
            Self::AccountUnlinked => "WhatsApp confirmed that an old device entry is gone from the phone",
            Self::UnlinkAbandoned => "an old device entry could not be removed in time",
            Self::CommandFailed => "a command ended without being done",
            Self::MessageReceived => "a message came in",
            Self::MessageEcho => "the owner sent a message from the phone or another device",
            Self::MessageWaiting => "a message came in that cannot be read yet; paird asks for it again",
            Self::MessageRecovered => {
                "the wait for a message that could not be read is over: it can be read now, or is `unsupported`"
            }
            Self::MessageSent => "WhatsApp has a message of the account, for at least one device of the recipient",
            Self::MessageDelivered => "a message of the account is on the recipient's phone; in a group, on the first",
            Self::MessageRead => "a message of the account was read; in a group, by the first",
            Self::MessageFailed => "a message of the account was not sent, and is not tried again",
            Self::SendingPaused => "nothing is sent to new chats until then",
            Self::SendingResumed => "messages to new chats are sent again",
            Self::ChatMerged => "chat, sender and contact `former`, known by number alone, are `chat` from now on",
            Self::ContactsChecked => "it is known of these numbers whether they are on WhatsApp",
        }
    }

    /// The event as a sentence without its full stop, and its tone; `payload` is as on the row.
    pub fn describe(self, payload: &Value) -> (String, Tone) {
        let text = |field| payload.get(field).and_then(Value::as_str).unwrap_or_default();
        let number = |field| match Phone::from_digits(text(field)) {
            Ok(phone) => phone.grouped(),
            Err(_) => text(field).to_owned(),
        };
        let why = || reason_text(payload).unwrap_or_default();
        let unlinked = || match text("unlinked") {
            "confirmed" => ". WhatsApp has removed the device from the phone",
            "pending" => ". The device is being removed from the phone",
            _ => "",
        };
        match self {
            Self::Qr => ("A QR code was shown".to_owned(), Tone::Busy),
            Self::Code => ("A code to type was shown".to_owned(), Tone::Busy),
            Self::Passkey if text("stage") == PasskeyStage::Confirm.as_str() => {
                ("WhatsApp asked to compare a code".to_owned(), Tone::Busy)
            }
            Self::Passkey => ("WhatsApp asked for a passkey".to_owned(), Tone::Busy),
            Self::Connected if text("phoneNumber").is_empty() => ("Connected".to_owned(), Tone::Good),
            Self::Connected => (format!("Connected as {}", number("phoneNumber")), Tone::Good),
            Self::Duplicate => {
                let (phone, label) = (number("phoneNumber"), text("existingLabel"));
                (format!("Refused: {phone} is linked to «{label}» already"), Tone::Warn)
            }
            Self::WrongPhone => {
                let (scanned, expected) = (number("phoneNumber"), number("expectedPhone"));
                (format!("Refused: {scanned} scanned, {expected} was expected"), Tone::Warn)
            }
            Self::Timeout => {
                let before = StatusReason::parse(text("reason")).setback();
                let text =
                    before.map(|before| format!("Pairing ended, not linked in time. Before that: {}", before.told()));
                (text.unwrap_or_else(|| "Pairing ended: nobody scanned in time".to_owned()), Tone::Warn)
            }
            Self::Cancelled if text("reason") == CancelReason::Superseded.as_str() => {
                ("Pairing was restarted".to_owned(), Tone::Idle)
            }
            Self::Cancelled => ("Pairing was cancelled".to_owned(), Tone::Idle),
            Self::Failed => (format!("Pairing failed: {}", why()), Tone::Bad),
            Self::Disconnected => (format!("Offline: {}", why()), Tone::Warn),
            Self::LoggedOut => (format!("Logged out: {}", why()), Tone::Bad),
            Self::Held => (format!("Held: {}", why()), Tone::Bad),
            Self::GroupsSynced => match payload.get("count").and_then(Value::as_u64).unwrap_or_default() {
                1 => ("1 group was fetched".to_owned(), Tone::Idle),
                count => (format!("{count} groups were fetched"), Tone::Idle),
            },
            Self::AccountUnpaired => (format!("Unpaired{}", unlinked()), Tone::Idle),
            Self::AccountDeleted => (format!("Deleted{}", unlinked()), Tone::Idle),
            Self::AccountUnlinked => ("The old device is gone from the phone".to_owned(), Tone::Good),
            Self::UnlinkAbandoned => {
                (format!("The old device could not be removed from the phone: {}", why()), Tone::Bad)
            }
            Self::CommandFailed => {
                let kind = match CommandKind::parse(text("kind")) {
                    Some(kind) => kind.gerund(),
                    None => text("kind"),
                };
                (format!("{kind} failed: {}", text("reason")), Tone::Bad)
            }
            Self::MessageReceived => ("A message came in".to_owned(), Tone::Idle),
            Self::MessageEcho => ("A message was sent from the phone or another device".to_owned(), Tone::Idle),
            Self::MessageWaiting => ("A message came in that cannot be read yet".to_owned(), Tone::Warn),
            Self::MessageRecovered => {
                ("A message that could not be read at first can be read now".to_owned(), Tone::Good)
            }
            Self::MessageSent => ("A message was sent".to_owned(), Tone::Good),
            Self::MessageDelivered => ("A message was delivered".to_owned(), Tone::Good),
            Self::MessageRead => ("A message was read".to_owned(), Tone::Good),
            Self::MessageFailed => {
                let code = payload.get("code").and_then(Value::as_u64).map(|code| format!(" ({code})"));
                let why = match SendFailure::parse(text("reason")) {
                    Some(failure) => failure.meaning(),
                    None => text("reason"),
                };
                (format!("A message was not sent: {why}{}", code.unwrap_or_default()), Tone::Bad)
            }
            Self::SendingPaused => ("Sending to new chats is paused".to_owned(), Tone::Warn),
            Self::SendingResumed => ("Sending to new chats goes on".to_owned(), Tone::Good),
            Self::ChatMerged => (format!("The chat with {} got another id", number("phone")), Tone::Idle),
            Self::ContactsChecked => {
                let contacts = payload.get("contacts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let found = contacts.iter().filter(|one| one.get("isOnWhatsapp") == Some(&Value::Bool(true))).count();
                (format!("{found} of {} numbers checked are on WhatsApp", contacts.len()), Tone::Idle)
            }
        }
    }

    /// The payload of one of its kind, for documents.
    pub fn example(self) -> Value {
        let (ts, later) = (Instant(1_767_225_600_000), Instant(1_767_225_620_000));
        let phone = || Phone::example(1);
        let (message, chat) = (21, "100000012345678@lid");
        let event = match self {
            Self::Qr => Event::Qr { ts, expires_at: later },
            Self::Code => Event::Code { ts, expires_at: later },
            Self::Passkey => {
                let (stage, request) = (PasskeyStage::Challenge, json!({ "challenge": "c2FtcGxl" }));
                Event::Passkey { stage, request, expires_at: later }
            }
            Self::Connected => Event::Connected { phone: Some(phone()) },
            Self::Duplicate => Event::Duplicate { phone: phone(), existing_label: "front desk".to_owned() },
            Self::WrongPhone => Event::WrongPhone { phone: phone(), expected: Phone::example(2) },
            Self::Timeout => Event::Timeout { after: None },
            Self::Cancelled => Event::Cancelled { reason: CancelReason::Operator },
            Self::Failed => Event::Failed { reason: StatusReason::new(Reason::ClientOutdated, "failure 405") },
            Self::Disconnected => {
                Event::Disconnected { reason: StatusReason::new(Reason::SocketLost, "reset"), next_retry_at: later }
            }
            Self::LoggedOut => Event::LoggedOut { reason: StatusReason::new(Reason::LoggedOut, "device_removed") },
            Self::Held => Event::Held { reason: StatusReason::new(Reason::Banned, "failure 403"), until: None },
            Self::GroupsSynced => Event::GroupsSynced { count: 3 },
            Self::AccountUnpaired => Event::AccountUnpaired { unlinked: Unlinked::Pending },
            Self::AccountDeleted => Event::AccountDeleted { unlinked: Unlinked::Confirmed },
            Self::AccountUnlinked => Event::AccountUnlinked { reason: "device_removed".to_owned() },
            Self::UnlinkAbandoned => Event::UnlinkAbandoned { reason: "not confirmed within 14 days".to_owned() },
            Self::CommandFailed => Event::CommandFailed {
                command: CommandId(7),
                kind: CommandKind::SyncGroups.as_str().to_owned(),
                reason: "the account is not connected".to_owned(),
            },
            Self::ContactsChecked => Event::ContactsChecked {
                command: CommandId(7),
                contacts: vec![
                    CheckedContact { phone: phone(), chat: Some(chat.to_owned()), checked_at: ts },
                    CheckedContact { phone: Phone::example(2), chat: None, checked_at: ts },
                ],
            },
            Self::MessageReceived | Self::MessageEcho => {
                return json!({
                    "messageId": message, "chat": chat, "phone": phone().digits(), "sender": chat,
                    "kind": MessageKind::Text, "refersTo": null, "sentAt": rfc3339(&ts),
                });
            }
            Self::MessageWaiting | Self::MessageRecovered => {
                return json!({ "messageId": message, "chat": chat, "sender": chat });
            }
            Self::MessageSent => {
                return json!({
                    "messageId": message, "key": "order-17", "waId": "3EB0123456789ABCDEF01234", "chat": chat,
                    "sentAt": rfc3339(&ts),
                });
            }
            Self::MessageDelivered | Self::MessageRead => {
                return json!({ "messageId": message, "at": rfc3339(&later), "by": chat });
            }
            Self::MessageFailed => {
                return json!({
                    "messageId": message, "key": "order-17", "reason": SendFailure::NotOnWhatsapp, "code": null,
                });
            }
            Self::SendingPaused => {
                return json!({ "reason": SendFailure::ReachoutTimelocked, "until": rfc3339(&later) });
            }
            Self::SendingResumed => return json!({ "reason": SendFailure::ReachoutTimelocked, "until": null }),
            Self::ChatMerged => {
                let former = format!("{}@s.whatsapp.net", phone().digits());
                return json!({ "chat": chat, "former": former, "phone": phone().digits() });
            }
        };
        event.payload()
    }

    /// If it ends a pair attempt, how. Each attempt has exactly one of these.
    pub fn end(self) -> Option<AttemptEnd> {
        match self {
            Self::Connected => Some(AttemptEnd::Connected),
            Self::Duplicate => Some(AttemptEnd::Duplicate),
            Self::WrongPhone => Some(AttemptEnd::WrongPhone),
            Self::Timeout => Some(AttemptEnd::Timeout),
            Self::Cancelled => Some(AttemptEnd::Cancelled),
            Self::Failed => Some(AttemptEnd::Failed),
            Self::Qr
            | Self::Code
            | Self::Passkey
            | Self::Disconnected
            | Self::LoggedOut
            | Self::Held
            | Self::GroupsSynced
            | Self::AccountUnpaired
            | Self::AccountDeleted
            | Self::AccountUnlinked
            | Self::UnlinkAbandoned
            | Self::CommandFailed
            | Self::MessageReceived
            | Self::MessageEcho
            | Self::MessageWaiting
            | Self::MessageRecovered
            | Self::MessageSent
            | Self::MessageDelivered
            | Self::MessageRead
            | Self::MessageFailed
            | Self::SendingPaused
            | Self::SendingResumed
            | Self::ChatMerged
            | Self::ContactsChecked => None,
        }
    }

    /// Whether consumers take the account for connected from then on; `None` leaves them with
    /// what they know.
    pub fn tells_connected(self) -> Option<bool> {
        match self {
            Self::Connected => Some(true),
            Self::Disconnected
            | Self::LoggedOut
            | Self::Held
            | Self::Duplicate
            | Self::AccountUnpaired
            | Self::AccountDeleted => Some(false),
            Self::Qr
            | Self::Code
            | Self::Passkey
            | Self::WrongPhone
            | Self::Timeout
            | Self::Cancelled
            | Self::Failed
            | Self::GroupsSynced
            | Self::AccountUnlinked
            | Self::UnlinkAbandoned
            | Self::MessageReceived
            | Self::MessageEcho
            | Self::MessageWaiting
            | Self::MessageRecovered
            | Self::MessageSent
            | Self::MessageDelivered
            | Self::MessageRead
            | Self::MessageFailed
            | Self::SendingPaused
            | Self::SendingResumed
            | Self::ChatMerged
            | Self::ContactsChecked
            | Self::CommandFailed => None,
        }
    }

    /// See [`EventKind::end`].
    pub fn is_terminal(self) -> bool {
        self.end().is_some()
    }

    /// Open, so that a later version may add fields: a consumer skips what it does not know.
    pub fn payload_schema(self) -> Value {
        let properties = match self {
            Self::Qr | Self::Code => json!({
                "ts": { "type": "integer", "description": "milliseconds since 1970" },
                "expiresAt": schema::time(),
            }),
            Self::Passkey => json!({
                "stage": { "enum": ["challenge", "confirm"] },
                "request": { "description": "the options for WebAuthn, or the code to compare" },
                "expiresAt": schema::time(),
            }),
            Self::Connected => json!({ "phoneNumber": schema::or_null(schema::phone()) }),
            Self::Duplicate => json!({ "phoneNumber": schema::phone(), "existingLabel": { "type": "string" } }),
            Self::WrongPhone => json!({ "phoneNumber": schema::phone(), "expectedPhone": schema::phone() }),
            Self::Timeout => json!({ "reason": schema::reason() }),
            Self::Cancelled => json!({ "reason": { "enum": ["operator", "superseded"] } }),
            Self::Failed | Self::LoggedOut => json!({ "reason": schema::reason() }),
            Self::Disconnected => json!({ "reason": schema::reason(), "nextRetryAt": schema::time() }),
            Self::Held => json!({ "reason": schema::reason(), "until": schema::or_null(schema::time()) }),
            Self::GroupsSynced => json!({ "count": { "type": "integer", "minimum": 0 } }),
            Self::AccountUnpaired | Self::AccountDeleted => {
                let words = [Unlinked::Confirmed, Unlinked::Pending, Unlinked::None].map(Unlinked::as_str);
                json!({ "unlinked": { "enum": words } })
            }
            Self::AccountUnlinked | Self::UnlinkAbandoned => json!({ "reason": { "type": "string" } }),
            Self::CommandFailed => json!({
                "commandId": { "type": "integer" },
                "kind": { "type": "string", "description": "as it was sent" },
                "reason": { "type": "string", "description": "for people" },
            }),
            Self::MessageReceived | Self::MessageEcho => json!({
                "messageId": schema::message_id(),
                "chat": schema::jid(),
                "phone": schema::or_null(schema::phone()),
                "sender": schema::jid(),
                "kind": { "enum": MessageKind::ALL },
                "refersTo": schema::or_null(schema::message_id()),
                "sentAt": schema::time(),
            }),
            Self::MessageWaiting | Self::MessageRecovered => json!({
                "messageId": schema::message_id(),
                "chat": schema::jid(),
                "sender": schema::jid(),
            }),
            Self::MessageSent => json!({
                "messageId": schema::message_id(),
                "key": schema::or_null(schema::key()),
                "waId": { "type": "string", "description": "WhatsApp's id of it" },
                "chat": schema::jid(),
                "sentAt": schema::time(),
            }),
            Self::MessageDelivered | Self::MessageRead => json!({
                "messageId": schema::message_id(),
                "at": schema::time(),
                "by": schema::jid(),
            }),
            Self::MessageFailed => json!({
                "messageId": schema::message_id(),
                "key": schema::or_null(schema::key()),
                "reason": { "enum": SendFailure::ALL },
                "code": { "type": ["integer", "null"], "description": "WhatsApp's" },
            }),
            Self::SendingPaused | Self::SendingResumed => json!({
                "reason": { "enum": [SendFailure::ReachoutTimelocked] },
                "until": schema::or_null(schema::time()),
            }),
            Self::ChatMerged => json!({ "chat": schema::jid(), "former": schema::jid(), "phone": schema::phone() }),
            Self::ContactsChecked => json!({
                "commandId": { "type": "integer" },
                "contacts": { "type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "phone": schema::phone(),
                        "isOnWhatsapp": { "type": "boolean" },
                        "chat": schema::or_null(schema::jid()),
                        "checkedAt": schema::time(),
                    },
                    "required": ["chat", "checkedAt", "isOnWhatsapp", "phone"],
                } },
            }),
        };
        let mut required: Vec<&String> = properties.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
        required.sort();
        json!({ "type": "object", "properties": properties, "required": required })
    }
}

/// The outcome of a pair attempt, as its terminal event says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptEnd {
    Connected,
    Duplicate,
    WrongPhone,
    Timeout,
    Cancelled,
    Failed,
}

/// How good or bad an event is; pages choose its colour by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Tone {
    /// Something is on its way.
    Busy,
    Good,
    /// Neither good nor bad.
    Idle,
    Warn,
    Bad,
}

word!(Tone);

impl Tone {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Busy => "something is on its way",
            Self::Good => "good news",
            Self::Idle => "neither good nor bad",
            Self::Warn => "a problem that was refused or resolves itself",
            Self::Bad => "needs attention",
        }
    }
}

fn rfc3339(at: &Instant) -> String {
    at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Describes an event of any kind, including kinds that this version does not know.
pub fn describe_event(kind: &str, payload: &Value) -> (String, Tone) {
    match EventKind::parse(kind) {
        Some(kind) => kind.describe(payload),
        None => (capitalized(&kind.replace(['.', '_'], " ")), Tone::Idle),
    }
}

/// The meaning of the reason in an event's payload, with WhatsApp's own words in parentheses.
pub fn reason_text(payload: &Value) -> Option<String> {
    let reason = StatusReason::parse(payload.get("reason")?.as_str()?);
    let headline = reason.text(Status::Held);
    match reason.raw() {
        // The end of an attempt says already what went before.
        Some(raw) if !matches!(reason.word(), Reason::Unknown | Reason::Timeout) => Some(format!("{headline} ({raw})")),
        Some(_) | None => Some(headline),
    }
}

/// The stage of a passkey exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PasskeyStage {
    /// WhatsApp wants an assertion; `request` holds the WebAuthn options.
    Challenge,
    /// WhatsApp wants the operator to compare a code.
    Confirm,
}

impl PasskeyStage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Confirm => "confirm",
        }
    }
}

/// The cause of a cancelled attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CancelReason {
    Operator,
    Superseded,
}

impl CancelReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Superseded => "superseded",
        }
    }
}

/// The state of the phone's device entry when an account is unpaired or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unlinked {
    /// WhatsApp said so.
    Confirmed,
    /// A ticket is open.
    Pending,
    /// There was no entry, or it is meant to stay.
    None,
}

impl Unlinked {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Pending => "pending",
            Self::None => "none",
        }
    }
}

impl Event {
    /// The `type` in the notification and the `kind` on the row.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Qr { .. } => EventKind::Qr,
            Self::Code { .. } => EventKind::Code,
            Self::Passkey { .. } => EventKind::Passkey,
            Self::Connected { .. } => EventKind::Connected,
            Self::Duplicate { .. } => EventKind::Duplicate,
            Self::WrongPhone { .. } => EventKind::WrongPhone,
            Self::Timeout { .. } => EventKind::Timeout,
            Self::Cancelled { .. } => EventKind::Cancelled,
            Self::Failed { .. } => EventKind::Failed,
            Self::Disconnected { .. } => EventKind::Disconnected,
            Self::LoggedOut { .. } => EventKind::LoggedOut,
            Self::Held { .. } => EventKind::Held,
            Self::GroupsSynced { .. } => EventKind::GroupsSynced,
            Self::AccountUnpaired { .. } => EventKind::AccountUnpaired,
            Self::AccountDeleted { .. } => EventKind::AccountDeleted,
            Self::AccountUnlinked { .. } => EventKind::AccountUnlinked,
            Self::UnlinkAbandoned { .. } => EventKind::UnlinkAbandoned,
            Self::CommandFailed { .. } => EventKind::CommandFailed,
            Self::ContactsChecked { .. } => EventKind::ContactsChecked,
        }
    }

    /// The fields besides `type`, `accountId`, `id` and `seq`. Points in time are
    /// RFC 3339, `ts` alone is milliseconds since the epoch.
    pub fn payload(&self) -> Value {
        match self {
            Self::Qr { ts, expires_at } | Self::Code { ts, expires_at } => {
                json!({ "ts": ts.0, "expiresAt": rfc3339(expires_at) })
            }
            Self::Passkey { stage, request, expires_at } => {
                json!({ "stage": stage.as_str(), "request": request, "expiresAt": rfc3339(expires_at) })
            }
            Self::Connected { phone } => json!({ "phoneNumber": phone.as_ref().map(Phone::digits) }),
            Self::Duplicate { phone, existing_label } => {
                json!({ "phoneNumber": phone.digits(), "existingLabel": existing_label })
            }
            Self::WrongPhone { phone, expected } => {
                json!({ "phoneNumber": phone.digits(), "expectedPhone": expected.digits() })
            }
            Self::Timeout { after } => json!({ "reason": StatusReason::after(Reason::Timeout, after.as_ref()) }),
            Self::Cancelled { reason } => json!({ "reason": reason.as_str() }),
            Self::Failed { reason } | Self::LoggedOut { reason } => json!({ "reason": reason }),
            Self::AccountUnlinked { reason } | Self::UnlinkAbandoned { reason } => json!({ "reason": reason }),
            Self::Disconnected { reason, next_retry_at } => {
                json!({ "reason": reason, "nextRetryAt": rfc3339(next_retry_at) })
            }
            Self::Held { reason, until } => json!({ "reason": reason, "until": until.as_ref().map(rfc3339) }),
            Self::GroupsSynced { count } => json!({ "count": count }),
            Self::AccountUnpaired { unlinked } | Self::AccountDeleted { unlinked } => {
                json!({ "unlinked": unlinked.as_str() })
            }
            Self::CommandFailed { command, kind, reason } => {
                json!({ "commandId": command.0, "kind": kind, "reason": reason })
            }
            Self::ContactsChecked { command, contacts } => {
                let contacts: Vec<Value> = contacts
                    .iter()
                    .map(|contact| {
                        json!({
                            "phone": contact.phone.digits(), "isOnWhatsapp": contact.chat.is_some(),
                            "chat": contact.chat, "checkedAt": rfc3339(&contact.checked_at),
                        })
                    })
                    .collect();
                json!({ "commandId": command.0, "contacts": contacts })
            }
        }
    }

    /// See [`EventKind::is_terminal`].
    pub fn is_terminal(&self) -> bool {
        self.kind().is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_shown_with_whatsapps_own_words() {
        for (payload, text) in [
            (json!({"reason": "banned: failure 403"}), Some("Banned or locked by WhatsApp (failure 403)")),
            (json!({"reason": "timeout"}), Some("Nobody scanned in time")),
            (json!({"reason": "of another version"}), Some("Of another version")),
            (json!({"reason": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(reason_text(&payload).as_deref(), text);
        }
    }

    #[test]
    fn an_event_reads_as_a_sentence() {
        for (kind, payload, text) in [
            ("session.connected", json!({"phoneNumber": "436601000001"}), "Connected as +436 601 000 001"),
            ("session.connected", json!({"phoneNumber": "12025550123"}), "Connected as +12 025 550 123"),
            ("session.connected", json!({"phoneNumber": "1202555012"}), "Connected as +1202 555 012"),
            ("session.connected", json!({"phoneNumber": null}), "Connected"),
            ("session.held", json!({"reason": "banned: 403"}), "Held: Banned or locked by WhatsApp (403)"),
            ("session.timeout", json!({"reason": "timeout"}), "Pairing ended: nobody scanned in time"),
            (
                "session.timeout",
                json!({"reason": "timeout: scan_rejected: bad signature"}),
                "Pairing ended, not linked in time. Before that: The last scan was not accepted (bad signature)",
            ),
            ("groups.synced", json!({"count": 1}), "1 group was fetched"),
            (
                "account.unpaired",
                json!({"unlinked": "pending"}),
                "Unpaired. The device is being removed from the phone",
            ),
            ("command.failed", json!({"kind": "account.pair", "reason": "no"}), "Pairing failed: no"),
            ("command.failed", json!({"kind": "account.wave", "reason": "no"}), "account.wave failed: no"),
            ("message.sent_late", json!({}), "Message sent late"),
        ] {
            assert_eq!(describe_event(kind, &payload).0, text);
        }
    }

    #[test]
    fn no_sentence_of_an_event_ends_with_a_full_stop() {
        for kind in EventKind::ALL {
            let (text, _) = kind.describe(&kind.example());
            assert!(!text.ends_with(['.', ' ', ':']), "{kind}: {text}");
        }
    }
}
