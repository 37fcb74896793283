//! The Signal protocol's stores for one device, in memory.
//!
//! Nothing here ever waits, so futures built on it complete at their first poll.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore_libsignal::protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyId, PreKeyRecord, PreKeyStore,
    ProtocolAddress, SenderKeyName, SenderKeyRecord, SenderKeyStore, SessionRecord, SessionStore, SignalProtocolError,
    SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
};

type Signal<T> = std::result::Result<T, SignalProtocolError>;

/// The device's own identity, and those of the devices that it talked to.
pub(super) struct Identities {
    pub(super) own: IdentityKeyPair,
    pub(super) registration: u32,
    known: HashMap<String, IdentityKey>,
}

impl Identities {
    pub(super) fn new(own: IdentityKeyPair, registration: u32) -> Self {
        Self { own, registration, known: HashMap::new() }
    }
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Signal<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Signal<u32> {
        Ok(self.registration)
    }

    async fn save_identity(&mut self, of: &ProtocolAddress, identity: &IdentityKey) -> Signal<IdentityChange> {
        let before = self.known.insert(of.to_string(), *identity);
        Ok(IdentityChange::from_changed(before.is_some_and(|before| before != *identity)))
    }

    /// A phone only says that the security code has changed.
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Signal<bool> {
        Ok(true)
    }

    async fn get_identity(&self, of: &ProtocolAddress) -> Signal<Option<IdentityKey>> {
        Ok(self.known.get(&of.to_string()).copied())
    }
}

#[derive(Default)]
pub(super) struct Sessions(HashMap<String, SessionRecord>);

impl Sessions {
    pub(super) fn has(&self, with: &ProtocolAddress) -> bool {
        self.0.contains_key(&with.to_string())
    }

    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, with: &ProtocolAddress) -> Signal<Option<SessionRecord>> {
        Ok(self.0.get(&with.to_string()).cloned())
    }

    async fn has_session(&self, with: &ProtocolAddress) -> Signal<bool> {
        Ok(self.has(with))
    }

    async fn store_session(&mut self, with: &ProtocolAddress, record: SessionRecord) -> Signal<()> {
        self.0.insert(with.to_string(), record);
        Ok(())
    }
}

/// The private halves of the unused one-time keys.
#[derive(Default)]
pub(super) struct OneTimeKeys(HashMap<u32, PreKeyRecord>);

impl OneTimeKeys {
    pub(super) fn keep(&mut self, id: u32, record: PreKeyRecord) {
        self.0.insert(id, record);
    }

    pub(super) fn use_up(&mut self, id: PreKeyId) {
        self.0.remove(&u32::from(id));
    }
}

#[async_trait]
impl PreKeyStore for OneTimeKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Signal<PreKeyRecord> {
        self.0.get(&u32::from(id)).cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Signal<()> {
        self.keep(id.into(), record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Signal<()> {
        self.use_up(id);
        Ok(())
    }
}

pub(super) struct SignedKey(pub(super) SignedPreKeyRecord);

#[async_trait]
impl SignedPreKeyStore for SignedKey {
    async fn get_signed_pre_key(&self, _: SignedPreKeyId) -> Signal<SignedPreKeyRecord> {
        Ok(self.0.clone())
    }

    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, record: &SignedPreKeyRecord) -> Signal<()> {
        self.0 = record.clone();
        Ok(())
    }
}

/// The keys of groups: the device's own and those that it was given.
#[derive(Default)]
pub(super) struct SenderKeys(HashMap<String, SenderKeyRecord>);

impl SenderKeys {
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Signal<()> {
        self.0.insert(name.cache_key().to_owned(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Signal<Option<SenderKeyRecord>> {
        Ok(self.0.get(name.cache_key()).cloned())
    }
}
