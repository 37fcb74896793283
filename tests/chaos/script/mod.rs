//! The acts of a campaign, determined by its seed alone.

mod dice;
mod faults;
mod sends;
mod talk;

use std::time::Duration;

use paird_sandbox::{Fault, Stanza};
use serde_json::{Value, json};

use dice::Dice;
pub use sends::{Addressee, READERS, WebAct};
pub use talk::{Author, CONTACTS, GROUPS, Place, Talk, WITH_COMPANIONS, What, members};

/// Accounts at the start, and fewer phones, so that some scan for two.
pub const ACCOUNTS: usize = 20;
pub const PHONES: usize = 14;
/// Beside them, accounts that stay linked, and that most messages are for.
pub const SHOPS: usize = 4;
pub const ALL_PHONES: usize = PHONES + SHOPS;
/// Daemons at the start, and within what bounds they come and go.
pub const DAEMONS: usize = 2;
pub const MOST_DAEMONS: usize = 4;
/// The script of `make chaos`, and as much of it as `make test` has time for.
pub const WHOLE: usize = 220;
pub const SHORT: usize = 110;
/// Phones are written to from this act on, when most of the pairings have begun.
const TALK_FROM: usize = 32;
/// Texts in a burst: by default, and in a campaign for the sake of messages.
pub const BURST: usize = 60;
pub const BURST_FOR_VOLUME: usize = 200;
/// A burst of what is sent is so many times smaller: each message is a send, an acknowledgement and a receipt.
const SENT_TO_WRITTEN: usize = 2;

/// A piece of each kind of statement whose answer something rests on.
pub const LATE: [&str; 16] = [
    "last_change IS NOT DISTINCT FROM",
    "left_undone (command, taking)",
    "WITH RECURSIVE waiting",
    "candidate AS (",
    "SET owner = NULL",
    "t.attempts = ",
    "DELETE FROM unlink_tickets",
    "SET epoch = k.epoch + 1",
    "INSERT INTO credentials",
    "UPDATE processes",
    "SET notified = true",
    "AS m (direction, chat",
    "AS gone (kind, name)",
    "FROM take_messages(",
    "FROM settle_messages(",
    "FROM record_receipts(",
];
/// The last of them are of messages that are sent.
const LATE_OF_COMMANDS: usize = 13;

pub struct Script {
    pub seed: u64,
    /// It has no time for what takes a minute.
    pub is_short: bool,
    pub acts: Vec<(Duration, Act)>,
}

/// Accounts, devices and daemons are named by any number: the one at that place, modulo how many there are.
#[derive(Clone, Debug)]
pub enum Act {
    Command {
        account: usize,
        kind: &'static str,
        args: Value,
    },
    /// The same as a bare NOTIFY.
    Notify {
        account: usize,
        kind: String,
        args: Value,
    },
    NewAccount,
    /// So many notifications at once, of no use or for commands, by a login that may send none.
    Flood {
        by: Flooder,
        count: u32,
    },
    /// WhatsApp says something that nobody expects.
    Say {
        phone: usize,
        stanza: Stanza,
    },
    /// One of the accounts that show a QR is scanned with this phone.
    Scan {
        which: usize,
        phone: usize,
        approve_after_ms: u64,
        flaw: Option<Flaw>,
        then: Option<Then>,
    },
    /// The code of one of the accounts that show one is typed.
    TypeCode {
        which: usize,
        how: Typing,
    },
    /// The phone's owner removes one of its devices.
    RemoveDevice {
        phone: usize,
        which: usize,
    },
    Talk(Talk),
    Web(WebAct),
    Fault(Fault),
    ClearFaults,
    Daemon(DaemonAct, usize),
    Database(DatabaseAct),
    /// The next statement of this kind, by its place in [`LATE`], lands so much later.
    Late(usize, Duration),
    /// `paird keys rotate`, while everything goes on.
    RotateKeys,
}

#[derive(Clone, Copy, Debug)]
pub enum Flooder {
    /// A login without any grant.
    Stranger,
    /// A web app, with what is no command.
    Web,
}

#[derive(Clone, Copy, Debug)]
pub enum Flaw {
    Signature,
    Hmac,
}

#[derive(Clone, Copy, Debug)]
pub enum Typing {
    Right,
    WrongCode,
    WrongPhone(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum DaemonAct {
    Join,
    /// SIGTERM, and no other in its place.
    Leave,
    /// kill -9, and another in its place.
    Kill,
    /// SIGTERM, and another in its place.
    Replace,
    /// By its HTTP API: it gives its accounts away, or takes some again.
    Drain,
    Undrain,
    /// SIGSTOP, and SIGCONT so much later: within its lease, after it was lost, or after it was another's.
    Freeze(Duration),
}

#[derive(Clone, Copy, Debug)]
pub enum DatabaseAct {
    /// Every connection is cut.
    Cut,
    Crash,
    Restart,
    /// Every connection is cut, and others take all there are, for so long.
    Exhaust(Duration),
    /// The server processes of the daemons' connections stop, for so long.
    Freeze(Duration),
}

/// The operator changes their mind while the link is being made: a command for the
/// account that was scanned, so long after.
pub type Then = (Duration, &'static str, Value);

impl Script {
    /// The first `length` acts that the seed stands for, and what is said between them, `burst`
    /// texts at a time.
    pub fn of(seed: u64, length: usize, burst: usize) -> Self {
        let mut dice = Dice::new(seed);
        // Of its own, so that talk does not shift the other acts.
        let mut talk = Dice::new(!seed);
        let mut web = Dice::new(!seed.rotate_left(32));
        let acts = (0..length).flat_map(|nth| {
            // Always drawn, so that a preset act does not shift the later ones.
            let drawn = dice.act(nth);
            let act = (Duration::from_millis(dice.below(140) as u64), Self::set(nth, &mut dice).unwrap_or(drawn));
            let said = (nth >= TALK_FROM).then(|| talk.talk(burst));
            let sent = (nth >= TALK_FROM).then(|| web.web_app(burst / SENT_TO_WRITTEN));
            [Some(act), said, sent].into_iter().flatten()
        });
        Self { seed, is_short: length <= SHORT, acts: acts.collect() }
    }

    /// Pairings first, or there would be nothing to break; and what no campaign may be without.
    fn set(nth: usize, dice: &mut Dice) -> Option<Act> {
        Some(match nth {
            0..ACCOUNTS if nth % 5 == 4 => pair(nth, json!({"method": "code", "phone": number(nth % PHONES)})),
            0..ACCOUNTS => pair(nth, json!({})),
            ACCOUNTS..50 if nth % 5 == 4 => Act::TypeCode { which: dice.below(1000), how: Typing::Right },
            ACCOUNTS..50 => dice.scan(),
            54 => Act::Flood { by: Flooder::Stranger, count: 20_000 },
            58 => Act::Daemon(DaemonAct::Join, 0),
            64 => Act::Daemon(DaemonAct::Freeze(Duration::from_millis(5_500)), dice.below(1000)),
            72 => Act::Daemon(DaemonAct::Kill, dice.below(1000)),
            78 => Act::RotateKeys,
            86 => Act::Daemon(DaemonAct::Replace, dice.below(1000)),
            94 => Act::Daemon(DaemonAct::Leave, dice.below(1000)),
            104 => Act::Database(DatabaseAct::Crash),
            150 => Act::Database(DatabaseAct::Restart),
            _ => return None,
        })
    }
}

fn pair(account: usize, args: Value) -> Act {
    Act::Command { account, kind: "account.pair", args }
}

impl Act {
    /// The name it is counted under; a fault has its own.
    pub fn name(&self) -> String {
        match self {
            Self::Command { kind, .. } => (*kind).to_owned(),
            Self::Notify { .. } => "bare NOTIFY".to_owned(),
            Self::NewAccount => "new account".to_owned(),
            Self::Flood { by: Flooder::Stranger, .. } => "flood of a stranger".to_owned(),
            Self::Flood { by: Flooder::Web, .. } => "flood of a web app".to_owned(),
            Self::Say { stanza, .. } => format!("odd {}", stanza.tag),
            Self::Scan { flaw: None, .. } => "scan".to_owned(),
            Self::Scan { flaw: Some(flaw), .. } => format!("scan with a wrong {flaw:?}").to_lowercase(),
            Self::TypeCode { how: Typing::Right, .. } => "code typed".to_owned(),
            Self::TypeCode { how: Typing::WrongCode, .. } => "wrong code typed".to_owned(),
            Self::TypeCode { how: Typing::WrongPhone(_), .. } => "code typed on another phone".to_owned(),
            Self::RemoveDevice { .. } => "device removed on the phone".to_owned(),
            Self::Talk(talk) => talk.name(),
            Self::Web(act) => act.name(),
            Self::Fault(fault) => fault.name(),
            Self::ClearFaults => "faults cleared".to_owned(),
            Self::Daemon(DaemonAct::Freeze(time), _) => match time.as_millis() {
                ..3_000 => "daemon frozen within its lease".to_owned(),
                3_000..5_000 => "daemon frozen until it lost its lease".to_owned(),
                5_000.. => "daemon frozen beyond its lease".to_owned(),
            },
            Self::Daemon(DaemonAct::Join, _) => "daemon joined".to_owned(),
            Self::Daemon(DaemonAct::Leave, _) => "daemon left".to_owned(),
            Self::Daemon(DaemonAct::Kill, _) => "daemon killed".to_owned(),
            Self::Daemon(DaemonAct::Replace, _) => "daemon replaced".to_owned(),
            Self::Daemon(DaemonAct::Drain, _) => "daemon drained".to_owned(),
            Self::Daemon(DaemonAct::Undrain, _) => "drain taken back".to_owned(),
            Self::Database(DatabaseAct::Cut) => "database connections cut".to_owned(),
            Self::Database(DatabaseAct::Crash) => "database crashed".to_owned(),
            Self::Database(DatabaseAct::Restart) => "database restarted".to_owned(),
            Self::Database(DatabaseAct::Exhaust(_)) => "database connections exhausted".to_owned(),
            Self::Database(DatabaseAct::Freeze(_)) => "database backends frozen".to_owned(),
            Self::Late(_, time) if time.as_secs() >= 15 => "statement late beyond its timeout".to_owned(),
            Self::Late(..) => "statement late".to_owned(),
            Self::RotateKeys => "keys rotated".to_owned(),
        }
    }

    /// Whether it is a fault, rather than an operator's action.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Fault(_)
            | Self::Flood { .. }
            | Self::Say { .. }
            | Self::RemoveDevice { .. }
            | Self::Daemon(..)
            | Self::Database(_)
            | Self::Late(..)
            | Self::RotateKeys => true,
            Self::Scan { flaw, .. } => flaw.is_some(),
            Self::TypeCode { how, .. } => !matches!(how, Typing::Right),
            Self::Talk(Talk::Online { .. }) => true,
            Self::Web(act) => act.is_fault(),
            Self::Command { .. } | Self::Notify { .. } | Self::NewAccount | Self::Talk(_) | Self::ClearFaults => false,
        }
    }
}

pub fn number(phone: usize) -> String {
    format!("4366010{phone:05}")
}

pub fn contact(nth: usize) -> String {
    format!("9990000{nth:05}")
}

pub fn group(nth: usize) -> String {
    format!("12036300000000{nth:04}@g.us")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;

    use super::*;

    /// The names of an enum's variants, from the words in which serde refuses another.
    fn names<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
        let refused = serde_json::from_value::<T>(unknown).err().unwrap().to_string();
        let names: BTreeSet<String> = refused.split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect();
        assert!(names.len() > 3, "{refused}");
        names
    }

    fn drawn() -> Vec<Fault> {
        let acts = (1..=60).flat_map(|seed| Script::of(seed, WHOLE, BURST).acts);
        acts.filter_map(|(_, act)| if let Act::Fault(fault) = act { Some(fault) } else { None }).collect()
    }

    /// The values of the named field in the faults' JSON.
    fn said(field: &str) -> BTreeSet<String> {
        let fields = drawn().into_iter().filter_map(|fault| serde_json::to_value(fault).unwrap().get(field).cloned());
        fields
            .map(|value| {
                value.as_str().map_or_else(|| value.as_object().unwrap().keys().next().unwrap().clone(), str::to_owned)
            })
            .collect()
    }

    /// Drawn as a login failure.
    const NOT_DRAWN: [&str; 1] = ["outdated"];

    #[test]
    fn every_kind_of_fault_of_the_sandbox_is_in_the_scripts() {
        let not_drawn = NOT_DRAWN.map(str::to_owned).into();
        let kinds = said("kind").union(&not_drawn).cloned().collect::<BTreeSet<_>>();
        assert_eq!(kinds, names::<Fault>(json!({"kind": "none of them"})));
        assert!(said("kind").is_disjoint(&not_drawn));
        let none = || json!("none of them");
        let hows = [
            names::<paird_sandbox::UnlinkFault>(none()),
            names::<paird_sandbox::RestartFault>(none()),
            names::<paird_sandbox::Garbage>(none()),
            names::<paird_sandbox::DeliveryFault>(none()),
            names::<paird_sandbox::ActivationFault>(none()),
            names::<paird_sandbox::MessageFault>(none()),
            names::<paird_sandbox::PrekeyFault>(none()),
        ];
        // Of only two.
        let hows = hows.into_iter().flatten().chain(["same", "anew", "lost", "swapped"].map(str::to_owned)).collect();
        assert_eq!(said("how"), hows);
        assert_eq!(said("at"), names::<paird_sandbox::PausePoint>(json!("none of them")));
        assert_eq!(said("scope"), ["all", "number", "unregistered"].map(str::to_owned).into());
    }

    #[test]
    fn scripts_cover_every_act_and_are_reproduced_by_their_seed() {
        let acts = |seed| Script::of(seed, WHOLE, BURST).acts;
        let names: BTreeSet<String> = (1..=60).flat_map(acts).map(|(_, act)| act.name()).collect();
        for name in [
            "bare NOTIFY",
            "new account",
            "scan with a wrong hmac",
            "wrong code typed",
            "code typed on another phone",
            "device removed on the phone",
            "faults cleared",
            "flood of a stranger",
            "flood of a web app",
            "odd notification",
            "odd message",
            "odd iq",
            "daemon frozen within its lease",
            "daemon frozen until it lost its lease",
            "daemon frozen beyond its lease",
            "daemon joined",
            "daemon left",
            "daemon killed",
            "daemon replaced",
            "database connections cut",
            "database crashed",
            "database restarted",
            "database connections exhausted",
            "database backends frozen",
            "keys rotated",
            "statement late",
            "statement late beyond its timeout",
            "daemon drained",
            "drain taken back",
            "account.delete",
            "account.resume",
            "account.unpair",
            "account.cancel",
            "account.passkey",
            "groups.sync",
            "burst of texts",
            "text of a contact",
            "reply of a contact in a group",
            "react of the owner",
            "edit of the owner in a group",
            "revoke of a contact",
            "messages read",
            "phone off line",
            "phone back on line",
            "burst of texts sent",
            "text sent",
            "reply sent to a group",
            "react sent",
            "edit sent to a group",
            "revoke sent",
            "message cancelled",
            "sent messages read",
            "reader off line",
            "reader back on line",
            "web app's connections cut",
        ] {
            assert!(names.contains(name), "{name} is in no script of {names:?}");
        }
        assert_eq!(format!("{:?}", acts(7)), format!("{:?}", acts(7)));
        assert!(
            format!("{:?}", acts(7))
                .starts_with(format!("{:?}", Script::of(7, SHORT, BURST).acts).trim_end_matches(']'))
        );
    }
}
