//! What the web app sends, between the other acts of a script.

use std::time::Duration;

use paird_sandbox::{Fault, MessageFault, PrekeyFault, ReceiptFault};

use super::{Act, CONTACTS, Dice, GROUPS, LATE, LATE_OF_COMMANDS, What, contact, number};

/// People who are written to. The first of them write themselves.
pub const READERS: usize = 16;

#[derive(Clone, Debug)]
pub enum WebAct {
    /// By the account at this place; shops come behind the phones' accounts.
    Send {
        by: usize,
        to: Addressee,
        what: What,
        /// The same call once more, as if its answer had been lost.
        again: bool,
        /// Right after it, `cancel_message`.
        cancel: bool,
        /// It is not worth sending after so long.
        expires: Option<Duration>,
    },
    /// So many texts of an account, to one reader after the other.
    Burst { by: usize, count: usize },
    /// One of the messages that are queued is cancelled.
    Cancel { which: usize },
    /// A reader has looked at the last messages that an account sent.
    Look { reader: usize },
    /// A reader's phone goes off line, or comes back.
    Online { reader: usize, online: bool },
    /// Its own connections to the database are cut.
    Cut,
}

#[derive(Clone, Copy, Debug)]
pub enum Addressee {
    Reader(usize),
    Group(usize),
}

impl WebAct {
    /// The name it is counted under.
    pub fn name(&self) -> String {
        match self {
            Self::Send { to, what, .. } => {
                let to = if matches!(to, Addressee::Group(_)) { " to a group" } else { "" };
                format!("{what:?} sent{to}").to_lowercase()
            }
            Self::Burst { .. } => "burst of texts sent".to_owned(),
            Self::Cancel { .. } => "message cancelled".to_owned(),
            Self::Look { .. } => "sent messages read".to_owned(),
            Self::Online { online: false, .. } => "reader off line".to_owned(),
            Self::Online { online: true, .. } => "reader back on line".to_owned(),
            Self::Cut => "web app's connections cut".to_owned(),
        }
    }

    pub fn is_fault(&self) -> bool {
        match self {
            Self::Online { .. } | Self::Cut => true,
            Self::Send { .. } | Self::Burst { .. } | Self::Cancel { .. } | Self::Look { .. } => false,
        }
    }
}

impl Dice {
    /// An act of the web app, or a fault that what it sends meets.
    pub fn web_app(&mut self, burst: usize) -> (Duration, Act) {
        let (by, reader) = (self.called(), self.below(READERS));
        let group = Addressee::Group(by % GROUPS);
        let act = match self.below(100) {
            0..24 => WebAct::Burst { by, count: burst },
            24..58 => WebAct::Send {
                by,
                to: self.one_of(&[Addressee::Reader(reader), Addressee::Reader(reader % CONTACTS), group]),
                what: self.what(),
                again: self.below(4) == 0,
                cancel: self.below(6) == 0,
                expires: (self.below(6) == 0).then(|| self.up_to_ms(20, 4_000)),
            },
            58..64 => WebAct::Cancel { which: self.below(1000) },
            64..71 => WebAct::Look { reader },
            71..74 => WebAct::Online { reader, online: false },
            74..78 => WebAct::Online { reader, online: true },
            78..80 => WebAct::Cut,
            80..83 => {
                let which = LATE_OF_COMMANDS + self.below(LATE.len() - LATE_OF_COMMANDS);
                return (Duration::ZERO, Act::Late(which, self.up_to_ms(300, 4_000)));
            }
            _ => return (Duration::ZERO, Act::Fault(self.fault_of_sends(by, reader))),
        };
        (Duration::ZERO, Act::Web(act))
    }

    fn fault_of_sends(&mut self, by: usize, reader: usize) -> Fault {
        let (sender, recipient) = (Some(number(by)), Some(contact(reader)));
        let times = Some(1 + u32::try_from(self.below(3)).unwrap());
        match self.below(12) {
            0..8 => Fault::Message {
                how: self.one_of(&[
                    MessageFault::Lost,
                    MessageFault::AckLost,
                    MessageFault::AckAfterMs(700),
                    MessageFault::Nack(503),
                    MessageFault::Nack(479),
                    MessageFault::CutBefore,
                    MessageFault::CutBetween,
                    MessageFault::CutAfter,
                    MessageFault::CutAfter,
                ]),
                number: sender,
                times,
            },
            8 => Fault::Receipts {
                how: self.one_of(&[ReceiptFault::Lost, ReceiptFault::Swapped]),
                number: sender,
                times,
            },
            9 | 10 => Fault::Prekeys {
                how: self.one_of(&[
                    PrekeyFault::Missing(406),
                    PrekeyFault::LeftOut,
                    PrekeyFault::SignedOnly,
                    PrekeyFault::Refused(503),
                ]),
                number: recipient,
                times,
            },
            _ => Fault::StaleDevices { number: Some(contact(reader % CONTACTS)), times },
        }
    }
}
