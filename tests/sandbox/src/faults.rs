//! What can be made to go wrong. The JSON of the admin API is these types.

use serde::{Deserialize, Serialize};

use crate::odd::Stanza;

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
    /// What becomes of a device's own request to be unlinked.
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
    /// Holds every connection that reaches the point, until cleared.
    Pause {
        at: PausePoint,
        /// Only connections of this phone's devices.
        #[serde(default)]
        number: Option<String>,
    },
}

/// What a client is sent that it cannot decrypt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// One frame of random bytes. Everything after it is encrypted as if it had not been.
    #[default]
    Frame,
    /// A frame of the cipher's counter after next, as if one had been lost on the way.
    Skipped,
    /// A length that no frame has; what follows is taken for its content.
    Length,
    /// A frame without content.
    Empty,
}

/// How a request to be unlinked goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlinkFault {
    /// Unlinked, but the answer is lost: the socket is cut.
    Lost,
    /// Unlinked, but no answer and no close ever comes.
    Stalled,
    /// Unlinked, and the stream error overtakes the answer.
    Overtaken,
    /// Not unlinked, and no answer: the socket is cut.
    Dropped,
    /// Not unlinked: an iq error 500.
    Refused,
}

/// When the 515 comes, and whether at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartFault {
    /// Right behind pair-success, and the socket closes: whatever the client
    /// signs is not read, so there is no link.
    BeforeSign,
    /// Right behind pair-success, but what the client signs still counts.
    WithPairSuccess,
    /// At once after pair-device-sign, without the usual pause.
    AtOnce,
    /// So many milliseconds after pair-device-sign.
    AfterMs(u64),
    /// Linked, but no 515 ever comes and the socket stays open.
    Never,
    /// Linked, but the socket is cut instead of a 515.
    Cut,
}

/// Where a connection can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PausePoint {
    /// Scanned, pair-success not sent.
    BeforePairSuccess,
    /// pair-device-sign arrived, the link not yet made.
    BeforeLink,
    /// Linked, 515 not sent.
    BeforeRestart,
    /// Logging in, `<success>` not sent.
    BeforeSuccess,
    /// Unlink requested, nothing done.
    BeforeUnlink,
}

// `Option` because that is the field's type: serde calls it for an absent field.
#[expect(clippy::unnecessary_wraps)]
fn once() -> Option<u32> {
    Some(1)
}

fn one() -> u32 {
    1
}

/// A connection reaches a point where a fault may have been armed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occasion<'a> {
    Accepted,
    Iq { xmlns: &'a str },
    Login { number: &'a str },
    PairingDone,
    Unlinking,
    Restarting,
    AskingForCode,
}

/// The faults that wait for their occasion.
#[derive(Debug, Default)]
pub(crate) struct Armed(Vec<Fault>);

impl Armed {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0.clone()
    }

    /// Takes one use of the first fault armed for the occasion.
    pub(crate) fn take(&mut self, occasion: Occasion<'_>) -> Option<Fault> {
        let at = self.0.iter().position(|fault| fault.fits(occasion))?;
        let fault = self.0[at].clone();
        if let Some(left) = self.0[at].times_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.0.remove(at);
            }
        }
        Some(fault)
    }

    /// Takes one use of a 515 that is to come before the companion's signature.
    pub(crate) fn take_early_restart(&mut self) -> Option<RestartFault> {
        let first = self.0.iter().find(|fault| fault.fits(Occasion::Restarting));
        let Some(&Fault::Restart { how, .. }) = first else { return None };
        if !matches!(how, RestartFault::BeforeSign | RestartFault::WithPairSuccess) {
            return None;
        }
        self.take(Occasion::Restarting);
        Some(how)
    }

    pub(crate) fn pauses(&self, point: PausePoint, number: &str) -> bool {
        self.0.iter().any(|fault| match fault {
            Fault::Pause { at, number: only } => *at == point && only.as_deref().is_none_or(|only| only == number),
            Fault::Cut { .. }
            | Fault::RefuseConnections { .. }
            | Fault::StallIqs { .. }
            | Fault::StreamError { .. }
            | Fault::Replaced { .. }
            | Fault::DeviceRemoved { .. }
            | Fault::Garble { .. }
            | Fault::Answer { .. }
            | Fault::RefuseIqs { .. }
            | Fault::LoginFailure { .. }
            | Fault::QrBurst { .. }
            | Fault::RefuseCode { .. }
            | Fault::RefreshCode {}
            | Fault::ChallengeAgain {}
            | Fault::LateClose { .. }
            | Fault::Unlink { .. }
            | Fault::Restart { .. } => false,
        })
    }
}

impl Fault {
    fn fits(&self, occasion: Occasion<'_>) -> bool {
        match (self, occasion) {
            (Fault::RefuseConnections { .. }, Occasion::Accepted)
            | (Fault::LateClose { .. }, Occasion::PairingDone)
            | (Fault::RefuseCode { .. }, Occasion::AskingForCode)
            | (Fault::Unlink { .. }, Occasion::Unlinking)
            | (Fault::Restart { .. }, Occasion::Restarting) => true,
            (Fault::StallIqs { xmlns: only }, Occasion::Iq { xmlns }) => {
                only.as_deref().is_none_or(|only| only == xmlns)
            }
            (Fault::Answer { xmlns: only, .. } | Fault::RefuseIqs { xmlns: only, .. }, Occasion::Iq { xmlns }) => {
                only == xmlns
            }
            (Fault::LoginFailure { number: only, .. }, Occasion::Login { number }) => {
                only.as_deref().is_none_or(|only| only == number)
            }
            (_, _) => false,
        }
    }

    fn times_mut(&mut self) -> Option<&mut u32> {
        match self {
            Fault::RefuseConnections { times }
            | Fault::Answer { times, .. }
            | Fault::RefuseIqs { times, .. }
            | Fault::LoginFailure { times, .. }
            | Fault::LateClose { times, .. }
            | Fault::RefuseCode { times, .. }
            | Fault::Unlink { times, .. }
            | Fault::Restart { times, .. } => times.as_mut(),
            Fault::Cut { .. }
            | Fault::StallIqs { .. }
            | Fault::StreamError { .. }
            | Fault::Replaced { .. }
            | Fault::DeviceRemoved { .. }
            | Fault::Garble { .. }
            | Fault::QrBurst { .. }
            | Fault::RefreshCode {}
            | Fault::ChallengeAgain {}
            | Fault::Pause { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_for_its_times() {
        let mut armed = Armed::default();
        armed.arm(Fault::RefuseConnections { times: Some(2) });
        let taken: Vec<bool> = (0..3).map(|_| armed.take(Occasion::Accepted).is_some()).collect();
        assert_eq!(taken, [true, true, false]);
    }

    #[test]
    fn a_fault_without_times_lasts_until_cleared() {
        let mut armed = Armed::default();
        armed.arm(Fault::RefuseConnections { times: None });
        assert!((0..5).all(|_| armed.take(Occasion::Accepted).is_some()));
        armed.clear();
        assert!(armed.take(Occasion::Accepted).is_none());
    }

    #[test]
    fn a_login_failure_for_one_number_spares_the_others() {
        let mut armed = Armed::default();
        armed.arm(serde_json::from_str(r#"{"kind":"login_failure","reason":401,"number":"15550001111"}"#).unwrap());
        assert!(armed.take(Occasion::Login { number: "15550002222" }).is_none());
        assert!(armed.take(Occasion::Login { number: "15550001111" }).is_some());
        assert!(armed.take(Occasion::Login { number: "15550001111" }).is_none(), "it was for one login");
    }

    #[test]
    fn faults_read_as_the_json_that_the_readme_shows() {
        for json in [
            r#"{"kind":"cut","scope":"unregistered"}"#,
            r#"{"kind":"cut","scope":{"device":"15550001111:2@s.whatsapp.net"}}"#,
            r#"{"kind":"stream_error","code":503}"#,
            r#"{"kind":"login_failure","reason":402,"code":101,"expire":60}"#,
            r#"{"kind":"restart","how":{"after_ms":500}}"#,
            r#"{"kind":"unlink","how":"lost"}"#,
            r#"{"kind":"pause","at":"before_restart"}"#,
        ] {
            serde_json::from_str::<Fault>(json).unwrap_or_else(|e| panic!("{json}: {e}"));
        }
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        serde_json::from_str::<Fault>(r#"{"kind":"cut","scop":"all"}"#).unwrap_err();
    }
}
