//! The faults that wait for their occasion.

use std::collections::BTreeMap;

use super::{Fault, PausePoint, RestartFault, Version};

/// A connection reaches a point where a fault may have been armed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occasion<'a> {
    Accepted,
    Iq {
        xmlns: &'a str,
    },
    Login {
        number: &'a str,
    },
    /// A client says who it is.
    Introduction {
        version: Version,
    },
    PairingDone,
    Unlinking,
    Restarting,
    AskingForCode,
    /// A device sends a message.
    Message {
        number: &'a str,
    },
    /// A device from outside is sent one.
    Delivery {
        number: &'a str,
    },
    /// A simulated phone has written to this number.
    Again {
        number: &'a str,
    },
    /// A receipt for a message of this number.
    Receipt {
        number: &'a str,
    },
    Prekeys {
        number: &'a str,
    },
    DeviceList {
        number: &'a str,
    },
    /// A device is given a part of what waited for it.
    Backlog {
        number: &'a str,
    },
}

/// The faults that wait for their occasion.
#[derive(Debug, Default)]
pub(crate) struct Armed {
    waiting: Vec<Fault>,
    /// How often each happened, by its name.
    hit: BTreeMap<String, u64>,
}

impl Armed {
    pub(crate) fn arm(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// One that was taken and is not done with.
    pub(crate) fn put_back(&mut self, fault: Fault) {
        if let Some(times) = self.hit.get_mut(&fault.name()) {
            *times = times.saturating_sub(1);
        }
        self.waiting.insert(0, fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.waiting.clone()
    }

    pub(crate) fn hit(&self) -> &BTreeMap<String, u64> {
        &self.hit
    }

    /// Takes one use of the first fault armed for the occasion.
    pub(crate) fn take(&mut self, occasion: Occasion<'_>) -> Option<Fault> {
        let at = self.waiting.iter().position(|fault| fault.fits(occasion))?;
        let fault = self.waiting[at].clone();
        if let Some(left) = self.waiting[at].times_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.waiting.remove(at);
            }
        }
        *self.hit.entry(fault.name()).or_default() += 1;
        Some(fault)
    }

    /// Takes one use of a 515 that is to come before the companion's signature.
    pub(crate) fn take_early_restart(&mut self) -> Option<RestartFault> {
        let first = self.waiting.iter().find(|fault| fault.fits(Occasion::Restarting));
        let Some(&Fault::Restart { how, .. }) = first else { return None };
        if !matches!(how, RestartFault::BeforeSign | RestartFault::WithPairSuccess) {
            return None;
        }
        self.take(Occasion::Restarting);
        Some(how)
    }

    pub(crate) fn pauses(&self, point: PausePoint, number: &str) -> bool {
        self.waiting.iter().any(|fault| match fault {
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
            | Fault::Outdated { .. }
            | Fault::QrBurst { .. }
            | Fault::RefuseCode { .. }
            | Fault::RefreshCode {}
            | Fault::ChallengeAgain {}
            | Fault::LateClose { .. }
            | Fault::Unlink { .. }
            | Fault::Message { .. }
            | Fault::Delivery { .. }
            | Fault::Again { .. }
            | Fault::Receipts { .. }
            | Fault::Prekeys { .. }
            | Fault::StaleDevices { .. }
            | Fault::CutBacklog { .. }
            | Fault::EndlessBacklog { .. }
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
            (Fault::Outdated { below }, Occasion::Introduction { version }) => version < *below,
            (Fault::StallIqs { xmlns: only }, Occasion::Iq { xmlns }) => {
                only.as_deref().is_none_or(|only| only == xmlns)
            }
            (Fault::Answer { xmlns: only, .. } | Fault::RefuseIqs { xmlns: only, .. }, Occasion::Iq { xmlns }) => {
                only == xmlns
            }
            (Fault::LoginFailure { number: only, .. }, Occasion::Login { number })
            | (Fault::Message { number: only, .. }, Occasion::Message { number })
            | (Fault::Delivery { number: only, .. }, Occasion::Delivery { number })
            | (Fault::Again { number: only, .. }, Occasion::Again { number })
            | (Fault::Receipts { number: only, .. }, Occasion::Receipt { number })
            | (Fault::Prekeys { number: only, .. }, Occasion::Prekeys { number })
            | (Fault::StaleDevices { number: only, .. }, Occasion::DeviceList { number })
            | (
                Fault::CutBacklog { number: only, .. } | Fault::EndlessBacklog { number: only, .. },
                Occasion::Backlog { number },
            ) => only.as_deref().is_none_or(|only| only == number),
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
            | Fault::Message { times, .. }
            | Fault::Delivery { times, .. }
            | Fault::Again { times, .. }
            | Fault::Receipts { times, .. }
            | Fault::Prekeys { times, .. }
            | Fault::StaleDevices { times, .. }
            | Fault::CutBacklog { times, .. }
            | Fault::EndlessBacklog { times, .. }
            | Fault::Restart { times, .. } => times.as_mut(),
            Fault::Cut { .. }
            | Fault::StallIqs { .. }
            | Fault::StreamError { .. }
            | Fault::Replaced { .. }
            | Fault::DeviceRemoved { .. }
            | Fault::Garble { .. }
            | Fault::QrBurst { .. }
            | Fault::Outdated { .. }
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
            r#"{"kind":"outdated","below":[2,3000,7]}"#,
            r#"{"kind":"restart","how":{"after_ms":500}}"#,
            r#"{"kind":"unlink","how":"lost"}"#,
            r#"{"kind":"pause","at":"before_restart"}"#,
            r#"{"kind":"message","how":{"nack":463},"number":"15550001111"}"#,
            r#"{"kind":"message","how":{"ack_after_ms":3000}}"#,
            r#"{"kind":"delivery","how":"garbled","times":null}"#,
            r#"{"kind":"again","how":"anew"}"#,
            r#"{"kind":"receipts","how":"swapped"}"#,
            r#"{"kind":"prekeys","how":{"refused":503}}"#,
            r#"{"kind":"stale_devices","number":"15550001111"}"#,
            r#"{"kind":"cut_backlog","after":40}"#,
            r#"{"kind":"endless_backlog","number":"15550001111"}"#,
        ] {
            serde_json::from_str::<Fault>(json).unwrap_or_else(|e| panic!("{json}: {e}"));
        }
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        serde_json::from_str::<Fault>(r#"{"kind":"cut","scop":"all"}"#).unwrap_err();
    }
}
