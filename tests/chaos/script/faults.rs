//! WhatsApp's faults.

use paird_sandbox::{Fault, Garbage, PausePoint, RestartFault, Scope, Stanza, UnlinkFault};
use paird_testkit::odd;

use super::Dice;

/// Not 401 and 516: the sandbox would say that a device is gone and go on listing it.
/// Devices that are really removed are acts of the phones, and [`Fault::DeviceRemoved`].
const LOGIN_FAILURES: [u16; 8] = [403, 405, 406, 409, 429, 440, 500, 503];
const STREAM_ERRORS: [u16; 9] = [403, 406, 409, 429, 440, 500, 503, 515, 599];

impl Dice {
    pub fn fault(&mut self) -> Fault {
        let times = Some(1 + u32::try_from(self.below(3)).unwrap());
        let scope = match self.below(6) {
            0 => Scope::All,
            1 => Scope::Unregistered,
            _ => Scope::Number(self.number()),
        };
        let number = Some(self.number());
        match self.below(29) {
            0..3 => Fault::Cut { scope },
            3 => Fault::RefuseConnections { times },
            4 => Fault::StallIqs { xmlns: self.one_of(&[None, Some("w:g2".to_owned()), Some("md".to_owned())]) },
            5 | 6 => Fault::StreamError { code: self.one_of(&STREAM_ERRORS), scope },
            7 => Fault::Replaced { scope: Scope::Number(self.number()) },
            8 => Fault::DeviceRemoved { scope: Scope::Number(self.number()) },
            9 | 10 => Fault::Garble {
                scope,
                how: self.one_of(&[Garbage::Frame, Garbage::Skipped, Garbage::Length, Garbage::Empty]),
            },
            11..14 => {
                Fault::LoginFailure { reason: self.one_of(&LOGIN_FAILURES), code: None, expire: None, number, times }
            }
            14 => Fault::LoginFailure { reason: 402, code: Some(101), expire: Some(3), number, times: Some(1) },
            15 => Fault::QrBurst { times: 3 },
            16 => Fault::LateClose { linger_ms: 1_500, times },
            17 | 18 => Fault::Unlink {
                how: self.one_of(&[
                    UnlinkFault::Lost,
                    UnlinkFault::Stalled,
                    UnlinkFault::Overtaken,
                    UnlinkFault::Dropped,
                    UnlinkFault::Refused,
                ]),
                times,
            },
            19..22 => Fault::Restart {
                how: self.one_of(&[
                    RestartFault::BeforeSign,
                    RestartFault::WithPairSuccess,
                    RestartFault::AtOnce,
                    RestartFault::AfterMs(900),
                    RestartFault::Cut,
                    RestartFault::Never,
                ]),
                times,
            },
            22 => Fault::RefuseCode { code: 429, text: "rate-overlimit".to_owned(), times },
            23 => Fault::RefreshCode {},
            24 => Fault::ChallengeAgain {},
            // Of queries that a connection is healthy without.
            25 => Fault::RefuseIqs {
                xmlns: self.one_of(&["w:g2", "privacy", "blocklist"]).to_owned(),
                code: self.one_of(&[400, 404, 429, 500]),
                text: "odd".to_owned(),
                times,
            },
            26 => Fault::Answer { xmlns: "w:g2".to_owned(), children: self.groups(), times },
            _ => Fault::Pause {
                at: self.one_of(&[
                    PausePoint::BeforePairSuccess,
                    PausePoint::BeforeLink,
                    PausePoint::BeforeRestart,
                    PausePoint::BeforeSuccess,
                    PausePoint::BeforeUnlink,
                ]),
                number: self.one_of(&[None, number]),
            },
        }
    }
}

impl Dice {
    /// A list of odd groups, or something that is none.
    fn groups(&mut self) -> Vec<Stanza> {
        let mut odd = odd::Dice::new(self.below(usize::MAX) as u64);
        if self.below(3) == 0 {
            return odd::odd_children(&mut odd, 3);
        }
        let groups = (0..self.below(20) as u64).map(|nth| odd::odd_group(&mut odd, nth).0);
        vec![Stanza { children: groups.collect(), ..Stanza::new("groups") }]
    }
}
