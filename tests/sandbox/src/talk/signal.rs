//! The Signal sessions of one simulated device: the library's primitives, and nothing else of
//! it. Stanzas, padding and wrappers are made by hand, or the double would repeat the mistakes
//! of the client to itself.

use anyhow::{Context as _, Result, ensure};
use futures_util::FutureExt as _;
use wacore_libsignal::protocol::{
    CiphertextMessage, DeviceId as SignalDevice, GenericSignedPreKey as _, IdentityKey, IdentityKeyPair, KeyPair,
    PreKeyBundle, PreKeyRecord, PreKeySignalMessage, ProtocolAddress, SenderKeyDistributionMessage, SenderKeyName,
    SignalMessage, SignalProtocolError, SignedPreKeyRecord, Timestamp, UsePQRatchet,
    create_sender_key_distribution_message, group_decrypt, group_encrypt, message_decrypt, message_encrypt,
    process_prekey_bundle, process_sender_key_distribution_message,
};

use super::stores::{Identities, OneTimeKeys, SenderKeys, Sessions, SignedKey};
use crate::keys::KeyBundle;
use crate::world::DeviceId;

/// One-time keys that a device makes at a time.
const BATCH_OF_KEYS: u32 = 10;
const SIGNED_KEY: u32 = 1;

pub(crate) struct Signal {
    identities: Identities,
    sessions: Sessions,
    one_time: OneTimeKeys,
    signed: SignedKey,
    signed_pair: KeyPair,
    sender_keys: SenderKeys,
    last_one_time: u32,
}

/// The content of an `<enc>`.
pub(crate) struct Sealed {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Signal {
    pub(crate) fn new(identity: &KeyPair) -> Result<Self> {
        let rng = &mut rand::rng();
        let own = IdentityKeyPair::new(IdentityKey::new(identity.public_key), identity.private_key.clone());
        let pair = KeyPair::generate(rng);
        let signature = identity.private_key.calculate_signature(&pair.public_key.serialize(), rng)?;
        let signed =
            SignedPreKeyRecord::new(SIGNED_KEY.into(), Timestamp::from_epoch_millis(0), &pair, signature.as_ref());
        Ok(Self {
            identities: Identities::new(own, rand::random::<u32>() % 16_000 + 1),
            sessions: Sessions::default(),
            one_time: OneTimeKeys::default(),
            signed: SignedKey(signed),
            signed_pair: pair,
            sender_keys: SenderKeys::default(),
            last_one_time: 0,
        })
    }

    /// The device's upload: either all its keys, or more one-time keys for the existing ones.
    pub(crate) fn fill(&mut self, bundle: &mut KeyBundle) -> Result<()> {
        self.fill_without_keys(bundle)?;
        for _ in 0..BATCH_OF_KEYS {
            let (id, public) = self.one_time_key();
            bundle.add_one_time(id, public)?;
        }
        Ok(())
    }

    /// A fresh one-time key, whose private half the device keeps.
    fn one_time_key(&mut self) -> (u32, Vec<u8>) {
        self.last_one_time += 1;
        let pair = KeyPair::generate(&mut rand::rng());
        self.one_time.keep(self.last_one_time, PreKeyRecord::new(self.last_one_time.into(), &pair));
        (self.last_one_time, pair.public_key.public_key_bytes().to_vec())
    }

    /// A bundle for one correspondent alone, which goes into a retry receipt.
    pub(crate) fn own_bundle(&mut self) -> Result<KeyBundle> {
        let mut bundle = KeyBundle::default();
        self.fill_without_keys(&mut bundle)?;
        let (id, public) = self.one_time_key();
        bundle.add_one_time(id, public)?;
        Ok(bundle)
    }

    fn fill_without_keys(&mut self, bundle: &mut KeyBundle) -> Result<()> {
        bundle.set_identity(
            self.identities.registration,
            self.identities.own.public_key().public_key_bytes(),
            SIGNED_KEY,
            self.signed_pair.public_key.public_key_bytes(),
            &self.signed.0.signature()?,
        );
        Ok(())
    }

    pub(crate) fn registration(&self) -> u32 {
        self.identities.registration
    }

    pub(crate) fn has_session(&self, with: &DeviceId) -> bool {
        self.sessions.has(&address(with))
    }

    /// All sessions and group keys are lost, as after a restore from an old backup.
    pub(crate) fn forget_sessions(&mut self) {
        self.sessions.forget_all();
        self.sender_keys.forget_all();
    }

    pub(crate) fn begin_session(&mut self, with: &DeviceId, bundle: &PreKeyBundle) -> Result<()> {
        let rng = &mut rand::rng();
        let address = address(with);
        at_once(process_prekey_bundle(
            &address,
            &mut self.sessions,
            &mut self.identities,
            bundle,
            rng,
            UsePQRatchet::No,
        ))?;
        Ok(())
    }

    pub(crate) fn encrypt(&mut self, to: &DeviceId, content: &[u8]) -> Result<Sealed> {
        let sealed = at_once(message_encrypt(&pad(content), &address(to), &mut self.sessions, &mut self.identities))?;
        let kind = match &sealed {
            CiphertextMessage::PreKeySignalMessage(_) => "pkmsg",
            CiphertextMessage::SignalMessage(_)
            | CiphertextMessage::SenderKeyMessage(_)
            | CiphertextMessage::PlaintextContent(_) => "msg",
        };
        Ok(Sealed { kind, bytes: sealed.serialize().to_vec() })
    }

    /// `kind` is `pkmsg` or `msg`.
    pub(crate) fn decrypt(&mut self, from: &DeviceId, kind: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let sealed = if kind == "pkmsg" {
            CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(sealed)?)
        } else {
            CiphertextMessage::SignalMessage(SignalMessage::try_from(sealed)?)
        };
        let opened = at_once(message_decrypt(
            &sealed,
            &address(from),
            &mut self.sessions,
            &mut self.identities,
            &mut self.one_time,
            &self.signed,
            &mut rand::rng(),
            UsePQRatchet::No,
        ))?;
        if let Some(used) = opened.consumed_prekey_id {
            self.one_time.use_up(used);
        }
        unpad(opened.plaintext)
    }

    /// The key that the members of a group need to read this device's messages there.
    pub(crate) fn distribution(&mut self, group: &str, own: &DeviceId) -> Result<Vec<u8>> {
        let name = sender_key(group, own);
        let made = at_once(create_sender_key_distribution_message(&name, &mut self.sender_keys, &mut rand::rng()))?;
        Ok(made.serialized().to_vec())
    }

    pub(crate) fn take_distribution(&mut self, group: &str, from: &DeviceId, message: &[u8]) -> Result<()> {
        let message = SenderKeyDistributionMessage::try_from(message)?;
        at_once(process_sender_key_distribution_message(&sender_key(group, from), &message, &mut self.sender_keys))
    }

    pub(crate) fn encrypt_for_group(&mut self, group: &str, own: &DeviceId, content: &[u8]) -> Result<Sealed> {
        let name = sender_key(group, own);
        let sealed = at_once(group_encrypt(&mut self.sender_keys, &name, &pad(content), &mut rand::rng()))?;
        Ok(Sealed { kind: "skmsg", bytes: sealed.serialized().to_vec() })
    }

    pub(crate) fn decrypt_of_group(&mut self, group: &str, from: &DeviceId, sealed: &[u8]) -> Result<Vec<u8>> {
        unpad(at_once(group_decrypt(sealed, &mut self.sender_keys, &sender_key(group, from)))?)
    }
}

/// One session per device, for both its number and its LID.
fn address(of: &DeviceId) -> ProtocolAddress {
    ProtocolAddress::new(&of.number, SignalDevice::new(of.device.into()))
}

fn sender_key(group: &str, sender: &DeviceId) -> SenderKeyName {
    SenderKeyName::from_parts(group, &format!("{}.{}", sender.number, sender.device))
}

fn at_once<T>(work: impl Future<Output = Result<T, SignalProtocolError>>) -> Result<T> {
    Ok(work.now_or_never().context("a store in memory has made somebody wait")??)
}

/// One to fifteen bytes, each of which says how many there are.
fn pad(content: &[u8]) -> Vec<u8> {
    let more = rand::random_range(1..=15_u8);
    let mut padded = content.to_vec();
    padded.extend(std::iter::repeat_n(more, more.into()));
    padded
}

fn unpad(mut padded: Vec<u8>) -> Result<Vec<u8>> {
    let more = *padded.last().context("an empty plaintext")?;
    let length = padded.len().checked_sub(more.into()).context("more padding than plaintext")?;
    ensure!(more > 0 && padded[length..].iter().all(|byte| *byte == more), "padding that is none");
    padded.truncate(length);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(number: &str) -> (DeviceId, Signal) {
        let id = DeviceId { number: number.to_owned(), device: 0 };
        (id, Signal::new(&KeyPair::generate(&mut rand::rng())).unwrap())
    }

    #[test]
    fn two_devices_talk_from_a_bundle_on() {
        let ((anna, mut a), (bert, mut b)) = (device("15550001111"), device("15550002222"));
        let mut bundle = KeyBundle::default();
        b.fill(&mut bundle).unwrap();
        a.begin_session(&bert, &bundle.take().unwrap()).unwrap();
        let first = a.encrypt(&bert, b"hello").unwrap();
        assert_eq!((first.kind, b.decrypt(&anna, first.kind, &first.bytes).unwrap()), ("pkmsg", b"hello".to_vec()));
        let answer = b.encrypt(&anna, b"you too").unwrap();
        assert_eq!((answer.kind, a.decrypt(&bert, answer.kind, &answer.bytes).unwrap()), ("msg", b"you too".to_vec()));
        assert!(b.decrypt(&anna, first.kind, &first.bytes).is_err(), "read before");
    }

    #[test]
    fn a_group_is_read_by_whom_its_key_was_given() {
        let ((anna, mut a), (_, mut b)) = (device("15550001111"), device("15550002222"));
        let key = a.distribution("1@g.us", &anna).unwrap();
        let sealed = a.encrypt_for_group("1@g.us", &anna, b"all").unwrap();
        assert!(b.decrypt_of_group("1@g.us", &anna, &sealed.bytes).is_err());
        b.take_distribution("1@g.us", &anna, &key).unwrap();
        assert_eq!(b.decrypt_of_group("1@g.us", &anna, &sealed.bytes).unwrap(), b"all");
    }

    #[test]
    fn padding_is_taken_off_and_false_padding_refused() {
        for length in 0..40 {
            let content = vec![7; length];
            assert_eq!(unpad(pad(&content)).unwrap(), content);
        }
        for wrong in [vec![], vec![0], vec![1, 2], vec![9, 9]] {
            assert!(unpad(wrong).is_err());
        }
    }
}
