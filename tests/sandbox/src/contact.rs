//! Somebody who writes to a phone's linked devices, end to end encrypted.

use std::collections::HashMap;

use anyhow::Result;
use async_trait::async_trait;
use buffa::Message as _;
use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{
    CiphertextMessage, DeviceId, Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, KeyPair,
    PreKeyBundle, ProtocolAddress, SessionRecord, SessionStore, SignalProtocolError, UsePQRatchet, message_encrypt,
    process_prekey_bundle,
};
use waproto::whatsapp::Message;

type Signal<T> = std::result::Result<T, SignalProtocolError>;

/// A `<message>` from this address with this content, for the device whose keys these are. Each
/// is the first of a new session.
pub(crate) async fn write(
    from: &Jid,
    identity: &KeyPair,
    to: PreKeyBundle,
    message: &Message,
    id: &str,
    now_s: u64,
) -> Result<Node> {
    let address = ProtocolAddress::new("device", DeviceId::new(1));
    let mut keys = Identity(IdentityKeyPair::new(IdentityKey::new(identity.public_key), identity.private_key.clone()));
    let mut sessions = Sessions::default();
    let rng = &mut rand::rng();
    process_prekey_bundle(&address, &mut sessions, &mut keys, &to, rng, UsePQRatchet::No).await?;
    let padded = MessageUtils::pad_message_v2(message.encode_to_vec());
    let sealed = message_encrypt(&padded, &address, &mut sessions, &mut keys).await?;
    let kind = match &sealed {
        CiphertextMessage::PreKeySignalMessage(_) => "pkmsg",
        CiphertextMessage::SignalMessage(_)
        | CiphertextMessage::SenderKeyMessage(_)
        | CiphertextMessage::PlaintextContent(_) => "msg",
    };
    let enc = NodeBuilder::new("enc").attr("v", "2").attr("type", kind).bytes(sealed.serialize().to_vec()).build();
    Ok(NodeBuilder::new("message")
        .attr("from", from)
        .attr("id", id)
        .attr("t", now_s)
        .attr("type", "text")
        .attr("notify", "A contact")
        .children([enc])
        .build())
}

struct Identity(IdentityKeyPair);

#[async_trait]
impl IdentityKeyStore for Identity {
    async fn get_identity_key_pair(&self) -> Signal<IdentityKeyPair> {
        Ok(self.0.clone())
    }

    async fn get_local_registration_id(&self) -> Signal<u32> {
        Ok(7)
    }

    async fn save_identity(&mut self, _: &ProtocolAddress, _: &IdentityKey) -> Signal<IdentityChange> {
        Ok(IdentityChange::NewOrUnchanged)
    }

    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Signal<bool> {
        Ok(true)
    }

    async fn get_identity(&self, _: &ProtocolAddress) -> Signal<Option<IdentityKey>> {
        Ok(None)
    }
}

#[derive(Default)]
struct Sessions(HashMap<String, SessionRecord>);

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Signal<Option<SessionRecord>> {
        Ok(self.0.get(&address.to_string()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Signal<bool> {
        Ok(self.0.contains_key(&address.to_string()))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Signal<()> {
        self.0.insert(address.to_string(), record);
        Ok(())
    }
}
