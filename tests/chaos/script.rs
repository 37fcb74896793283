//! What a campaign does, decided by its seed alone.

use std::time::Duration;

use paird_sandbox::{Fault, RestartFault, Scope, UnlinkFault};

/// Accounts, and fewer phones, so that some scan for two.
pub const ACCOUNTS: usize = 20;
pub const PHONES: usize = 14;
pub const DAEMONS: usize = 2;
/// The script of `make chaos`, and as much of it as `make test` has time for.
pub const WHOLE: usize = 190;
pub const SHORT: usize = 110;

pub struct Script {
    pub seed: u64,
    pub acts: Vec<(Duration, Act)>,
}

#[derive(Clone, Debug)]
pub enum Act {
    /// A command for an account, in its own JSON.
    Command(usize, &'static str, serde_json::Value),
    /// One of the accounts that show a QR is scanned with this phone.
    Scan {
        which: usize,
        phone: usize,
        approve_after_ms: u64,
        bad_signature: bool,
        then: Option<Then>,
    },
    /// The phone's owner removes one of its devices.
    RemoveDevice {
        phone: usize,
        which: usize,
    },
    Fault(&'static str, Fault),
    ClearFaults,
    /// kill -9, and another in its place.
    KillDaemon(usize),
    /// SIGTERM, and another in its place.
    TerminateDaemon(usize),
    /// SIGSTOP, and SIGCONT so much later: within its lease.
    FreezeDaemon(usize, Duration),
    CrashPostgres,
    /// Every connection of a daemon to Postgres is cut.
    CutDatabase,
}

/// The operator changes their mind while the link is being made: a command for the
/// account that was scanned, so long after.
pub type Then = (Duration, &'static str, serde_json::Value);

impl Script {
    /// The first `length` acts that the seed stands for.
    pub fn of(seed: u64, length: usize) -> Self {
        let mut dice = Dice(seed);
        let mut acts = Vec::with_capacity(length);
        for number in 0..length {
            // Pairings first, or there would be nothing to break.
            let act = match number {
                0..ACCOUNTS => Act::Command(number, "account.pair", serde_json::json!({})),
                ACCOUNTS..50 => dice.scan(),
                75 => Act::KillDaemon(dice.below(DAEMONS)),
                90 => Act::TerminateDaemon(dice.below(DAEMONS)),
                105 => Act::CrashPostgres,
                _ => dice.act(),
            };
            acts.push((Duration::from_millis(dice.below(120) as u64), act));
        }
        Self { seed, acts }
    }
}

/// SplitMix64: the same everywhere and for ever, unlike a crate's generator.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn scan(&mut self) -> Act {
        Act::Scan {
            which: self.below(1000),
            phone: self.below(PHONES),
            approve_after_ms: self.below(4) as u64 * 60,
            bad_signature: self.below(15) == 0,
            then: self.change_of_mind(),
        }
    }

    fn change_of_mind(&mut self) -> Option<Then> {
        let (kind, args) = match self.below(12) {
            0 => ("account.cancel", serde_json::json!({})),
            1 => ("account.pair", serde_json::json!({})),
            2 => ("account.unpair", serde_json::json!({})),
            3 => ("account.unpair", serde_json::json!({"logout": true})),
            4 if self.below(2) == 0 => ("account.delete", serde_json::json!({})),
            _ => return None,
        };
        // From before the scan is known to after the first login.
        Some((Duration::from_millis(self.below(450) as u64), kind, args))
    }

    fn act(&mut self) -> Act {
        let account = self.below(ACCOUNTS);
        let command = |kind, args| Act::Command(account, kind, args);
        match self.below(100) {
            0..18 => command("account.pair", serde_json::json!({})),
            18..20 => command("account.pair", serde_json::json!({"expectPhone": number(self.below(PHONES))})),
            20..45 => self.scan(),
            45..49 => command("account.cancel", serde_json::json!({})),
            49..54 => command("account.unpair", serde_json::json!({})),
            54..59 => command("account.unpair", serde_json::json!({"logout": true})),
            59..65 => command("account.resume", serde_json::json!({})),
            65..67 => command("account.delete", serde_json::json!({})),
            67..71 => command("groups.sync", serde_json::json!({})),
            71 => command("account.nonsense", serde_json::json!({})),
            72 => command("account.pair", serde_json::json!({"method": "smoke", "expectPhone": "no"})),
            73 => command("account.passkey", serde_json::json!({"confirm": true})),
            74..77 => Act::RemoveDevice { phone: self.below(PHONES), which: self.below(4) },
            77 => Act::FreezeDaemon(self.below(DAEMONS), Duration::from_millis(500 + self.below(1_500) as u64)),
            78 => Act::ClearFaults,
            79 => Act::CutDatabase,
            80 => Act::KillDaemon(self.below(DAEMONS)),
            81 => Act::TerminateDaemon(self.below(DAEMONS)),
            _ => self.fault(),
        }
    }

    fn fault(&mut self) -> Act {
        let times = Some(1 + u32::try_from(self.below(3)).unwrap());
        let scope = match self.below(5) {
            0 => Scope::All,
            1 => Scope::Unregistered,
            _ => Scope::Number(number(self.below(PHONES))),
        };
        let number = Some(number(self.below(PHONES)));
        let refused = |reason| Fault::LoginFailure { reason, code: None, expire: None, number: number.clone(), times };
        match self.below(17) {
            0..3 => Act::Fault("cut", Fault::Cut { scope }),
            3 => Act::Fault("refused connections", Fault::RefuseConnections { times }),
            4 => Act::Fault("stalled iqs", Fault::StallIqs { xmlns: None }),
            5 => Act::Fault("stream error 503", Fault::StreamError { code: 503, scope }),
            6 => Act::Fault("stream error 515", Fault::StreamError { code: 515, scope }),
            7 => Act::Fault("garbled frame", Fault::Garble { scope }),
            8 => Act::Fault("login 503", refused(503)),
            9 => Act::Fault("login 429", refused(429)),
            10 => {
                let ban = Fault::LoginFailure { reason: 402, code: Some(101), expire: Some(3), number, times: Some(1) };
                Act::Fault("temporary ban", ban)
            }
            11 => Act::Fault("login 403", refused(403)),
            12 => Act::Fault("same refs again", Fault::QrBurst { times: 3 }),
            13 => Act::Fault("late close", Fault::LateClose { linger_ms: 1_500, times }),
            14 | 15 => {
                let hows = [
                    UnlinkFault::Lost,
                    UnlinkFault::Stalled,
                    UnlinkFault::Overtaken,
                    UnlinkFault::Dropped,
                    UnlinkFault::Refused,
                ];
                Act::Fault("unlink answer", Fault::Unlink { how: hows[self.below(hows.len())], times })
            }
            _ => {
                let hows = [
                    RestartFault::BeforeSign,
                    RestartFault::WithPairSuccess,
                    RestartFault::AtOnce,
                    RestartFault::AfterMs(900),
                    RestartFault::Cut,
                    RestartFault::Never,
                ];
                Act::Fault("515 variant", Fault::Restart { how: hows[self.below(hows.len())], times })
            }
        }
    }
}

pub fn number(phone: usize) -> String {
    format!("4366010{phone:05}")
}
