//! What phones write, between the other acts of a script.

use std::time::Duration;

use paird_sandbox::{
    ActivationFault, AgainFault, DeliveryFault, Fault, MessageFault, Naming, PrekeyFault, ReceiptFault,
};

use super::{ALL_PHONES, Act, Dice, PHONES, SHOPS, number};

/// People who write to the phones; the first of them have companions.
pub const CONTACTS: usize = 6;
pub const WITH_COMPANIONS: usize = 2;
pub const GROUPS: usize = 2;
/// Phones in each group.
const IN_A_GROUP: usize = 5;

/// The phones in a group.
pub fn members(group: usize) -> impl Iterator<Item = usize> {
    (0..IN_A_GROUP).map(move |nth| ALL_PHONES - 1 - group - nth * GROUPS)
}

#[derive(Clone, Debug)]
pub enum Talk {
    Write {
        by: Author,
        to: Place,
        naming: Naming,
        what: What,
    },
    /// So many texts of a contact, one after another.
    Burst {
        contact: usize,
        phone: usize,
        naming: Naming,
        count: usize,
    },
    /// A contact has looked at what a phone's owner wrote last.
    Look {
        contact: usize,
        phone: usize,
    },
    /// A phone goes off line, or comes back.
    Online {
        phone: usize,
        online: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Author {
    Contact(usize),
    /// On the phone itself.
    Owner(usize),
}

#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Between this contact and this phone.
    Chat(usize, usize),
    Group(usize),
}

/// All but a text refer to the last message of the chat, an edit or a revocation to the author's.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Text,
    Reply,
    React,
    Edit,
    Revoke,
}

impl Talk {
    /// The name it is counted under.
    pub fn name(&self) -> String {
        match self {
            Self::Write { by, to, what, .. } => {
                let by = match by {
                    Author::Contact(_) => "of a contact",
                    Author::Owner(_) => "of the owner",
                };
                let to = match to {
                    Place::Chat(..) => "",
                    Place::Group(_) => " in a group",
                };
                format!("{what:?} {by}{to}").to_lowercase()
            }
            Self::Burst { .. } => "burst of texts".to_owned(),
            Self::Look { .. } => "messages read".to_owned(),
            Self::Online { online: false, .. } => "phone off line".to_owned(),
            Self::Online { online: true, .. } => "phone back on line".to_owned(),
        }
    }
}

impl Dice {
    /// An act of a phone, or a fault that messages meet.
    pub fn talk(&mut self, burst: usize) -> (Duration, Act) {
        let (contact, phone) = (self.below(CONTACTS), self.called());
        let naming = self.one_of(&[Naming::Lid, Naming::Lid, Naming::Number]);
        let place =
            self.one_of(&[Place::Chat(contact, phone), Place::Chat(contact, phone), Place::Group(phone % GROUPS)]);
        let talk = match self.below(100) {
            0..32 => Talk::Burst { contact, phone, naming, count: burst },
            32..50 => Talk::Write { by: Author::Contact(contact), to: place, naming, what: self.what() },
            50..65 => Talk::Write { by: Author::Owner(phone), to: place, naming, what: self.what() },
            65..69 => Talk::Look { contact, phone },
            69..71 => Talk::Online { phone, online: false },
            71..73 => Talk::Online { phone, online: true },
            _ => return (Duration::ZERO, Act::Fault(self.fault_of_messages())),
        };
        (Duration::ZERO, Act::Talk(talk))
    }

    /// Whom a message is for, or of.
    pub fn called(&mut self) -> usize {
        if self.below(4) == 0 { self.below(PHONES) } else { PHONES + self.below(SHOPS) }
    }

    pub fn what(&mut self) -> What {
        self.one_of(&[What::Text, What::Text, What::Reply, What::React, What::Edit, What::Revoke])
    }

    fn fault_of_messages(&mut self) -> Fault {
        let number = Some(number(self.called()));
        let times = Some(1 + u32::try_from(self.below(6)).unwrap());
        match self.below(20) {
            0..8 => Fault::Delivery {
                how: self.one_of(&[
                    DeliveryFault::Garbled,
                    DeliveryFault::Garbled,
                    DeliveryFault::Twice,
                    DeliveryFault::Unavailable,
                    DeliveryFault::ViewOnce,
                    DeliveryFault::Lost,
                ]),
                number,
                times,
            },
            8..12 => Fault::Again { how: self.one_of(&[AgainFault::Same, AgainFault::Anew]), number, times },
            12..15 => Fault::Message {
                how: self.one_of(&[
                    MessageFault::Lost,
                    MessageFault::AckLost,
                    MessageFault::AckAfterMs(900),
                    MessageFault::Nack(503),
                    MessageFault::CutBefore,
                    MessageFault::CutBetween,
                    MessageFault::CutAfter,
                ]),
                number,
                times,
            },
            15 => Fault::Receipts { how: self.one_of(&[ReceiptFault::Lost, ReceiptFault::Swapped]), number, times },
            16 => Fault::Prekeys {
                how: self.one_of(&[
                    PrekeyFault::Missing(406),
                    PrekeyFault::LeftOut,
                    PrekeyFault::SignedOnly,
                    PrekeyFault::Refused(503),
                ]),
                number,
                times,
            },
            17 => Fault::StaleDevices { number, times },
            18 => Fault::Activation {
                how: self.one_of(&[
                    ActivationFault::Unanswered,
                    ActivationFault::Refused(503),
                    ActivationFault::Unheeded,
                    ActivationFault::Endless,
                    ActivationFault::EachAfterMs(40),
                ]),
                number,
                times: Some(1),
            },
            _ => Fault::CutBacklog { after: self.below(60), number, times: Some(1) },
        }
    }
}
