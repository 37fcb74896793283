//! A simulated phone: its number, its groups and its list of linked devices.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wacore_binary::{Jid, Server};
use wacore_libsignal::protocol::KeyPair;

use crate::adv;
use crate::authenticator::Authenticator;
use crate::keys::KeyBundle;
use crate::post::queue::Queue;
use crate::talk::app_state::AppState;
use crate::talk::handset::Handset;
use crate::talk::history::History;
use crate::talk::signal::Signal;
use crate::world::{ConnectionId, DeviceId, now_ms};

/// A linked device as the phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedDevice {
    pub jid: String,
    /// The name that the device gave itself.
    pub label: String,
    /// The kind of device that it says it is, e.g. `DESKTOP`.
    pub platform: String,
    /// Milliseconds since 1970.
    pub linked_at_ms: u64,
    pub connected: bool,
}

/// That somebody types in a chat, as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownTyping {
    /// The number that types.
    pub by: String,
    /// The number of the other one, or the group's jid.
    pub chat: String,
    /// `composing`, `recording` or `paused`.
    pub state: String,
}

/// A group that the phone is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub jid: String,
    pub subject: String,
    /// How many are in it, the phone included.
    pub participants: u32,
    pub is_admin: bool,
    /// Whether participants are named by LID, with the number as an attribute.
    #[serde(default)]
    pub by_lid: bool,
}

/// By which of their two names people are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    #[default]
    Lid,
    Number,
}

impl Naming {
    pub(crate) fn of(jid: &Jid) -> Self {
        if jid.server == Server::Pn { Self::Number } else { Self::Lid }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Lid => Self::Number,
            Self::Number => Self::Lid,
        }
    }

    pub(crate) fn user(self, number: &str) -> Jid {
        self.device(number, 0)
    }

    pub(crate) fn device(self, number: &str, device: u16) -> Jid {
        match self {
            Self::Lid => Jid::lid_device(lid_user(number), device),
            Self::Number => Jid::pn_device(number, device),
        }
    }

    /// Its name in a group's stanzas.
    pub(crate) fn mode(self) -> &'static str {
        match self {
            Self::Lid => "lid",
            Self::Number => "pn",
        }
    }
}

pub(crate) struct Phone {
    pub(crate) number: String,
    pub(crate) lid_user: String,
    /// The name that others see above its messages.
    pub(crate) push_name: String,
    /// What it shares with its companions; `None` until the owner changes anything.
    pub(crate) app_state: Option<AppState>,
    /// What it sends to a device that it links.
    pub(crate) history: Option<History>,
    /// The devices that were sent it.
    pub(crate) historic: HashSet<u16>,
    /// What others were typing, as the phone has shown it.
    pub(crate) typing: Vec<ShownTyping>,
    /// The phone itself, which is device 0.
    primary: Device,
    /// Signs the identities of linked devices.
    pub(crate) identity: KeyPair,
    pub(crate) groups: Vec<Group>,
    pub(crate) devices: Vec<Device>,
    /// The business name that a companion receives when it is linked; none for a person's phone.
    pub(crate) business: Option<String>,
    /// Asked for whenever the phone links a device.
    pub(crate) passkey: Option<Authenticator>,
    /// The code of a passkey exchange that the phone shows.
    pub(crate) passkey_code: Option<String>,
    /// The number of the last device that was offered a link. Never goes down.
    last_device: u16,
}

pub(crate) struct Device {
    pub(crate) number: u16,
    pub(crate) label: String,
    pub(crate) platform: String,
    pub(crate) linked_at_ms: u64,
    /// The static Noise key that paired; a login must come with it.
    pub(crate) noise_key: [u8; 32],
    /// Its proof that it belongs to the phone; empty for the phone itself.
    pub(crate) device_identity: Vec<u8>,
    pub(crate) bundle: KeyBundle,
    /// The stanzas that wait for it.
    pub(crate) queue: Queue,
    /// The connection that has been sent `<success>`.
    pub(crate) connection: Option<ConnectionId>,
    /// A simulated device. Those that log in from outside have none.
    pub(crate) hand: Option<Box<Handset>>,
}

impl Device {
    /// A device from outside, which has been linked just now.
    pub(crate) fn linked(number: u16, label: &str, platform: &str, noise_key: [u8; 32], identity: Vec<u8>) -> Self {
        Self {
            number,
            label: label.to_owned(),
            platform: platform.to_owned(),
            linked_at_ms: now_ms(),
            noise_key,
            device_identity: identity,
            bundle: KeyBundle::default(),
            queue: Queue::default(),
            connection: None,
            hand: None,
        }
    }

    /// A device that the sandbox plays itself.
    fn simulated(id: DeviceId, identity: &KeyPair, device_identity: Vec<u8>) -> Result<Self> {
        let mut device = Self::linked(id.device, "companion", "SIMULATED", [0; 32], device_identity.clone());
        let mut signal = Signal::new(identity)?;
        signal.fill(&mut device.bundle)?;
        device.hand = Some(Box::new(Handset::new(id, signal, device_identity)));
        Ok(device)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.hand.as_ref().map_or(self.connection.is_some(), |hand| hand.online)
    }
}

impl Phone {
    /// Fails unless the number is 7 to 15 digits that do not begin with 0.
    pub(crate) fn new(number: &str) -> Result<Self> {
        ensure!(
            (7..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0'),
            "a phone number is 7 to 15 digits and does not begin with 0"
        );
        let identity = KeyPair::generate(&mut rand::rng());
        let primary = Device::simulated(DeviceId { number: number.to_owned(), device: 0 }, &identity, Vec::new())?;
        Ok(Self {
            number: number.to_owned(),
            lid_user: lid_user(number),
            push_name: format!("Somebody {}", &number[number.len() - 4..]),
            app_state: None,
            history: None,
            historic: HashSet::new(),
            typing: Vec::new(),
            primary,
            identity,
            groups: default_groups(number),
            devices: Vec::new(),
            business: Some(format!("Phone {number}")),
            passkey: None,
            passkey_code: None,
            last_device: 0,
        })
    }

    /// The number of the next device, which no other device ever had.
    pub(crate) fn next_device(&mut self) -> u16 {
        self.last_device += 1;
        self.last_device
    }

    /// Links a companion that the sandbox plays itself. Returns its number.
    pub(crate) fn add_companion(&mut self) -> Result<u16> {
        let id = DeviceId { number: self.number.clone(), device: self.next_device() };
        let companion = KeyPair::generate(&mut rand::rng());
        let index = u32::from(id.device);
        let device_identity = adv::device_identity(&self.identity, &companion, index, now_ms() / 1_000)?;
        self.devices.push(Device::simulated(id, &companion, device_identity)?);
        Ok(self.last_device)
    }

    /// The phone itself is device 0.
    pub(crate) fn device(&self, number: u16) -> Option<&Device> {
        self.all_devices().find(|device| device.number == number)
    }

    pub(crate) fn device_mut(&mut self, number: u16) -> Option<&mut Device> {
        std::iter::once(&mut self.primary).chain(&mut self.devices).find(|device| device.number == number)
    }

    /// The phone itself and what is linked to it.
    pub(crate) fn all_devices(&self) -> impl Iterator<Item = &Device> {
        std::iter::once(&self.primary).chain(&self.devices)
    }

    pub(crate) fn jid(&self, device: u16) -> Jid {
        Jid::pn_device(self.number.as_str(), device)
    }

    pub(crate) fn lid(&self, device: u16) -> Jid {
        Jid::lid_device(self.lid_user.as_str(), device)
    }

    pub(crate) fn linked_devices(&self) -> Vec<LinkedDevice> {
        let show = |device: &Device| LinkedDevice {
            jid: self.jid(device.number).to_string(),
            label: device.label.clone(),
            platform: device.platform.clone(),
            linked_at_ms: device.linked_at_ms,
            connected: device.is_connected(),
        };
        self.devices.iter().map(show).collect()
    }
}

/// The LID that belongs to a number: 15 digits that say nothing about it.
pub(crate) fn lid_user(number: &str) -> String {
    let digest = Sha256::digest(number.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    format!("{}", 100_000_000_000_000 + u64::from_be_bytes(head) % 900_000_000_000_000)
}

fn default_groups(number: &str) -> Vec<Group> {
    let group = |index: u32, subject: &str, participants, is_admin, by_lid| Group {
        // Derived from the LID, so that no two phones are in the same groups by accident.
        jid: format!("1203{}{index}@g.us", &lid_user(number)[1..]),
        subject: subject.to_owned(),
        participants,
        is_admin,
        by_lid,
    };
    vec![
        group(1, "Family", 5, false, false),
        group(2, "Harbour crew", 12, true, false),
        group(3, "Neighbours", 40, false, true),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_phone_number_is_refused() {
        for wrong in ["", "123456", "0155500011", "+15550001111", "1555 000", "1234567890123456"] {
            assert!(Phone::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn device_numbers_grow_and_are_not_reused() {
        let mut phone = Phone::new("15550001111").unwrap();
        assert_eq!([phone.next_device(), phone.next_device(), phone.next_device()], [1, 2, 3]);
    }

    #[test]
    fn groups_of_two_phones_have_different_jids() {
        let [a, b] = ["15550001111", "15550002222"].map(|number| Phone::new(number).unwrap().groups);
        assert!(a.iter().all(|group| b.iter().all(|other| other.jid != group.jid)));
    }
}
