use std::time::Duration;

use paird_testkit::odd;
use serde_json::{Value, json};

use super::{ACCOUNTS, Act, DaemonAct, DatabaseAct, Flaw, Flooder, LATE_OF_COMMANDS, PHONES, Then, Typing, number};

/// `SplitMix64`: stable on all platforms and versions, unlike a crate's generator.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    pub fn one_of<T: Clone>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())].clone()
    }

    pub fn number(&mut self) -> String {
        number(self.below(PHONES))
    }

    pub fn scan(&mut self) -> Act {
        Act::Scan {
            which: self.below(1000),
            phone: self.below(PHONES),
            approve_after_ms: self.below(4) as u64 * 60,
            flaw: [Some(Flaw::Signature), Some(Flaw::Hmac)].get(self.below(24)).copied().flatten(),
            then: self.change_of_mind(),
        }
    }

    fn change_of_mind(&mut self) -> Option<Then> {
        let (kind, args) = match self.below(20) {
            0 => ("account.cancel", json!({})),
            1 => ("account.pair", json!({})),
            2 => ("account.unpair", json!({})),
            3 => ("account.unpair", json!({"logout": true})),
            4 if self.below(2) == 0 => ("account.delete", json!({})),
            _ => return None,
        };
        // From before the scan is known to after the first login.
        Some((self.up_to_ms(0, 450), kind, args))
    }

    pub fn act(&mut self, nth: usize) -> Act {
        let account = self.below(1000);
        let command = |kind, args| Act::Command { account, kind, args };
        match self.below(100) {
            0..12 => command("account.pair", json!({})),
            12..15 => command("account.pair", json!({"method": "code", "phone": self.number()})),
            15..17 => command("account.pair", json!({"expectPhone": self.number()})),
            17..35 => self.scan(),
            35..39 => self.typing(),
            39..42 => command("account.cancel", json!({})),
            42..46 => command("account.unpair", json!({})),
            46..50 => command("account.unpair", json!({"logout": true})),
            50..56 => command("account.resume", json!({})),
            56..58 => command("account.delete", json!({})),
            58 => Act::NewAccount,
            59..62 => command("groups.sync", json!({})),
            62 => self.nonsense(account),
            63..66 => self.notify(nth),
            66..68 => Act::RemoveDevice { phone: self.below(PHONES), which: self.below(4) },
            68..73 => self.daemon(),
            73..75 => Act::Database(self.database()),
            77..80 => self.late(),
            75 => {
                if self.below(3) == 0 {
                    Act::RotateKeys
                } else {
                    Act::ClearFaults
                }
            }
            76 => Act::ClearFaults,
            80 => self.flood(),
            81..84 => self.say(nth),
            _ => Act::Fault(self.fault()),
        }
    }

    fn nonsense(&mut self, account: usize) -> Act {
        let (kind, args): (_, Value) = self.one_of(&[
            ("account.nonsense", json!({})),
            ("account.pair", json!({"method": "smoke"})),
            ("account.pair", json!({"method": "code"})),
            ("account.pair", json!({"expectphone": "436601000001"})),
            ("account.passkey", json!({"confirm": true})),
        ]);
        Act::Command { account, kind, args }
    }

    fn notify(&mut self, nth: usize) -> Act {
        let account = self.below(1000);
        let wave = format!("account.wave-{nth}");
        let (kind, args) = match self.below(4) {
            0 => ("account.pair", json!({})),
            1 => ("groups.sync", json!({})),
            2 => ("account.resume", json!({})),
            _ => (wave.as_str(), json!({})),
        };
        Act::Notify { account, kind: kind.to_owned(), args }
    }

    fn flood(&mut self) -> Act {
        Act::Flood { by: self.one_of(&[Flooder::Stranger, Flooder::Web]), count: 5_000 }
    }

    /// Each under an id of its own, as WhatsApp does it.
    fn say(&mut self, nth: usize) -> Act {
        let mut odd = odd::Dice::new(self.below(usize::MAX) as u64);
        let nth = nth as u64;
        let stanza = match self.below(4) {
            0 => odd::unheard(&mut odd, nth),
            1 => odd::empty_message(&mut odd, nth),
            _ => {
                let tag = self.one_of(&["notification", "notification", "receipt", "call", "ib", "presence", "iq"]);
                odd::odd_of_known_kind(&mut odd, tag, nth)
            }
        };
        Act::Say { phone: self.below(PHONES), stanza }
    }

    fn typing(&mut self) -> Act {
        let how = match self.below(5) {
            0 => Typing::WrongCode,
            1 => Typing::WrongPhone(self.below(PHONES)),
            _ => Typing::Right,
        };
        Act::TypeCode { which: self.below(ACCOUNTS), how }
    }

    fn daemon(&mut self) -> Act {
        let act = match self.below(12) {
            0 | 1 => DaemonAct::Join,
            2 => DaemonAct::Leave,
            3 => DaemonAct::Kill,
            4 => DaemonAct::Replace,
            5 | 6 => DaemonAct::Freeze(self.up_to_ms(500, 2_500)),
            7 => DaemonAct::Freeze(self.up_to_ms(3_200, 4_800)),
            8 | 9 => DaemonAct::Drain,
            10 => DaemonAct::Undrain,
            _ => DaemonAct::Freeze(self.up_to_ms(5_200, 7_000)),
        };
        Act::Daemon(act, self.below(1000))
    }

    fn late(&mut self) -> Act {
        let time = if self.below(4) == 0 { self.up_to_ms(15_500, 18_000) } else { self.up_to_ms(300, 4_000) };
        Act::Late(self.below(LATE_OF_COMMANDS), time)
    }

    fn database(&mut self) -> DatabaseAct {
        match self.below(8) {
            0..3 => DatabaseAct::Cut,
            3 => DatabaseAct::Crash,
            4 => DatabaseAct::Restart,
            5 => DatabaseAct::Exhaust(self.up_to_ms(500, 4_000)),
            _ => DatabaseAct::Freeze(self.up_to_ms(500, 6_000)),
        }
    }

    pub fn up_to_ms(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis((least + self.below(most - least)) as u64)
    }
}
