//! Faults that can be injected. These types are also the JSON of the admin API.

mod armed;
mod kinds;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::odd::Stanza;
pub(crate) use armed::{Armed, Occasion};
pub use kinds::{
    ActivationFault, AgainFault, DeliveryFault, Garbage, MessageFault, PausePoint, PrekeyFault, ReceiptFault,
    RestartFault, UnlinkFault,
};

/// Which connections a fault hits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    All,
    /// Pairing sockets.
    Unregistered,
    /// Every device of one phone.
    Number(String),
    /// One linked device.
    Device(String),
}

/// A version of the client: major, minor, revision.
pub type Version = (u32, u32, u32);

/// One fault. Those with `times` last for so many occasions, or until they are
/// cleared when it is absent; those without it happen once, at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Drops sockets without a word, now.
    Cut {
        #[serde(default)]
        scope: Scope,
    },
    /// Accepts TCP connections and drops them.
    RefuseConnections {
        #[serde(default)]
        times: Option<u32>,
    },
    /// Reads iqs of registered devices and never answers them, until cleared.
    StallIqs {
        /// Only iqs of this namespace.
        #[serde(default)]
        xmlns: Option<String>,
    },
    /// `<stream:error code=…>` and close, now.
    StreamError {
        code: u16,
        #[serde(default)]
        scope: Scope,
    },
    /// `<stream:error><conflict type="replaced"/>` and close, now.
    Replaced {
        #[serde(default)]
        scope: Scope,
    },
    /// The phone removes its devices in scope: off the list and, where
    /// connected, `<stream:error><conflict type="device_removed"/>`, now.
    DeviceRemoved {
        #[serde(default)]
        scope: Scope,
    },
    /// A frame that cannot be decrypted, now.
    Garble {
        #[serde(default)]
        scope: Scope,
        #[serde(default)]
        how: Garbage,
    },
    /// Answers iqs of registered devices with this instead of the usual.
    Answer {
        xmlns: String,
        children: Vec<Stanza>,
        #[serde(default)]
        times: Option<u32>,
    },
    /// Answers iqs of registered devices with an error.
    RefuseIqs {
        xmlns: String,
        code: u16,
        text: String,
        #[serde(default)]
        times: Option<u32>,
    },
    /// `<failure reason=…>` instead of `<success>`. The device stays linked.
    LoginFailure {
        reason: u16,
        /// The ban code that goes with 402.
        #[serde(default)]
        code: Option<u16>,
        /// How long the ban lasts, in seconds, goes with 402.
        #[serde(default)]
        expire: Option<u64>,
        /// Only logins of this phone's devices.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Refuses whoever claims an older client version than this with 405, until cleared.
    Outdated { below: Version },
    /// Answers a request for a pair code with an error.
    RefuseCode {
        code: u16,
        text: String,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Asks every companion that shows a pair code for another one, now.
    RefreshCode {},
    /// Asks for the passkeys that are being waited for again, with other challenges, now.
    ChallengeAgain {},
    /// Sends the same refs again to every pairing socket, `times` times, now.
    QrBurst {
        #[serde(default = "one")]
        times: u32,
    },
    /// A pairing socket that is done stays open so long, and the server keeps
    /// sending on it as long as the client still listens.
    LateClose {
        linger_ms: u64,
        #[serde(default)]
        times: Option<u32>,
    },
    /// The treatment of a device's own request to be unlinked.
    Unlink {
        how: UnlinkFault,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// When the 515 after a scan comes.
    Restart {
        how: RestartFault,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// The treatment of a message that a device sends.
    Message {
        how: MessageFault,
        /// Only messages of this phone's devices.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// The way in which a message from outside reaches a device.
    Delivery {
        how: DeliveryFault,
        /// Only messages for this phone's devices.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// A message of a simulated phone is sent once more under the same id.
    Again {
        how: AgainFault,
        /// Only messages to this number.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// The treatment of a receipt for a message.
    Receipts {
        how: ReceiptFault,
        /// Only receipts for messages of this number.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Requests for the keys of this number's devices get an unusual answer.
    Prekeys {
        how: PrekeyFault,
        #[serde(default)]
        number: Option<String>,
        #[serde(default)]
        times: Option<u32>,
    },
    /// The list of this number's devices names the phone alone.
    StaleDevices {
        #[serde(default)]
        number: Option<String>,
        #[serde(default)]
        times: Option<u32>,
    },
    /// A device that has logged in gets less than what waits for it, on that connection.
    Activation {
        how: ActivationFault,
        /// Only this phone's devices.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Cuts the socket after so many stanzas of the backlog that was announced, and at the latest before
    /// the mark of its end.
    CutBacklog {
        after: usize,
        /// Only backlogs of this phone's devices.
        #[serde(default)]
        number: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Holds every connection that reaches the point, until cleared.
    Pause {
        at: PausePoint,
        /// Only connections of this phone's devices.
        #[serde(default)]
        number: Option<String>,
    },
}

impl Fault {
    /// Its kind, with what distinguishes it from others of its kind.
    pub fn name(&self) -> String {
        // Every fault is a JSON object.
        let fault = serde_json::to_value(self).unwrap_or_default();
        let mut name = fault["kind"].as_str().unwrap_or_default().to_owned();
        for field in ["how", "at", "code", "reason"] {
            match &fault[field] {
                Value::String(word) => name = format!("{name} {word}"),
                Value::Object(one) => name = one.keys().fold(name, |name, word| format!("{name} {word}")),
                Value::Number(code) => name = format!("{name} {code}"),
                Value::Null | Value::Bool(_) | Value::Array(_) => {}
            }
        }
        name
    }
}

// `Option` because that is the field's type: serde calls it for an absent field.
#[expect(clippy::unnecessary_wraps)]
fn once() -> Option<u32> {
    Some(1)
}

fn one() -> u32 {
    1
}
