//! The Signal key bundle that a device uploads, as far as a server keeps it.

use anyhow::{Context as _, Result};
use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::protocol::{DeviceId, IdentityKey, PreKeyBundle, PublicKey};

/// What `encrypt set` brought. Only public keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyBundle {
    registration: Vec<u8>,
    identity: Vec<u8>,
    signed: SignedKey,
    one_time: Vec<OneTimeKey>,
}

#[derive(Debug, Clone, Default)]
struct SignedKey {
    id: Vec<u8>,
    value: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Debug, Clone)]
struct OneTimeKey {
    id: [u8; 3],
    value: [u8; 32],
}

impl KeyBundle {
    /// Takes in an `encrypt set`: a new identity and signed key, more one-time keys.
    /// Returns whether the iq was one.
    pub(crate) fn upload(&mut self, iq: &Node) -> bool {
        if let Some(rotated) = iq.get_optional_child("rotate").and_then(|rotate| rotate.get_optional_child("skey")) {
            self.signed = SignedKey::read(rotated);
            return true;
        }
        let Some(list) = iq.get_optional_child("list") else { return false };
        self.registration = bytes(iq.get_optional_child("registration"));
        self.identity = bytes(iq.get_optional_child("identity"));
        self.signed = iq.get_optional_child("skey").map(SignedKey::read).unwrap_or_default();
        self.one_time.extend(list.get_children_by_tag("key").filter_map(OneTimeKey::read));
        true
    }

    pub(crate) fn count(&self) -> usize {
        self.one_time.len()
    }

    /// Sets the identity and signed prekey that a simulated device uploads.
    pub(crate) fn set_identity(&mut self, registration: u32, identity: &[u8], id: u32, key: &[u8], signature: &[u8]) {
        self.registration = registration.to_be_bytes().to_vec();
        self.identity = identity.to_vec();
        self.signed =
            SignedKey { id: id.to_be_bytes()[1..].to_vec(), value: key.to_vec(), signature: signature.to_vec() };
    }

    pub(crate) fn add_one_time(&mut self, id: u32, value: Vec<u8>) -> Result<()> {
        let id = [1, 2, 3].map(|at| id.to_be_bytes()[at]);
        let value = value.try_into().ok().context("a key of the wrong length")?;
        self.one_time.push(OneTimeKey { id, value });
        Ok(())
    }

    /// Whether the device has uploaded anything.
    pub(crate) fn is_there(&self) -> bool {
        !self.identity.is_empty()
    }

    /// The bundle as stanzas; uses one of the one-time keys up, if it is to have one.
    pub(crate) fn hand_out(&mut self, with_one_time: bool) -> Vec<Node> {
        let one_time = if with_one_time { self.one_time.pop() } else { None };
        let signed = [
            leaf("id", self.signed.id.clone()),
            leaf("value", self.signed.value.clone()),
            leaf("signature", self.signed.signature.clone()),
        ];
        let mut nodes = vec![leaf("registration", self.registration.clone()), leaf("type", vec![5])];
        nodes.push(leaf("identity", self.identity.clone()));
        nodes.extend(one_time.map(|key| {
            NodeBuilder::new("key").children([leaf("id", key.id.to_vec()), leaf("value", key.value.to_vec())]).build()
        }));
        nodes.push(NodeBuilder::new("skey").children(signed).build());
        nodes
    }

    /// The keys in a device's retry receipt, to begin a session with it; `None` if it sends none.
    pub(crate) fn of_retry(receipt: &Node) -> Option<Self> {
        let keys = receipt.get_optional_child("keys")?;
        Some(Self {
            registration: bytes(receipt.get_optional_child("registration")),
            identity: bytes(keys.get_optional_child("identity")),
            signed: keys.get_optional_child("skey").map(SignedKey::read).unwrap_or_default(),
            one_time: keys.get_optional_child("key").and_then(OneTimeKey::read).into_iter().collect(),
        })
    }

    /// The keys to begin a session with the device; consumes one of its one-time keys.
    pub(crate) fn take(&mut self) -> Result<PreKeyBundle> {
        let one_time = self.one_time.pop().map(|key| Ok::<_, anyhow::Error>((number(&key.id), public(&key.value)?)));
        Ok(PreKeyBundle::new(
            number(&self.registration),
            DeviceId::new(1),
            one_time.transpose()?.map(|(id, key)| (id.into(), key)),
            number(&self.signed.id).into(),
            public(&self.signed.value)?,
            self.signed.signature.clone(),
            IdentityKey::new(public(&self.identity)?),
        )?)
    }

    /// `<digest>`, or nothing when no keys were ever uploaded.
    pub(crate) fn digest(&self) -> Option<Node> {
        if self.identity.is_empty() {
            return None;
        }
        let one_time: Vec<&[u8]> = self.one_time.iter().map(|key| key.value.as_slice()).collect();
        let hash = compute_key_bundle_digest(&self.identity, &self.signed.value, &self.signed.signature, &one_time);
        let ids = self.one_time.iter().map(|key| leaf("id", key.id.to_vec()));
        Some(
            NodeBuilder::new("digest")
                .children([
                    leaf("registration", self.registration.clone()),
                    leaf("type", vec![5]),
                    leaf("identity", self.identity.clone()),
                    NodeBuilder::new("skey")
                        .children([
                            leaf("id", self.signed.id.clone()),
                            leaf("value", self.signed.value.clone()),
                            leaf("signature", self.signed.signature.clone()),
                        ])
                        .build(),
                    NodeBuilder::new("list").children(ids).build(),
                    leaf("hash", hash),
                ])
                .build(),
        )
    }
}

impl SignedKey {
    fn read(node: &Node) -> Self {
        Self {
            id: bytes(node.get_optional_child("id")),
            value: bytes(node.get_optional_child("value")),
            signature: bytes(node.get_optional_child("signature")),
        }
    }
}

impl OneTimeKey {
    fn read(node: &Node) -> Option<Self> {
        let id = bytes(node.get_optional_child("id")).try_into().ok()?;
        let value = bytes(node.get_optional_child("value")).try_into().ok()?;
        Some(Self { id, value })
    }
}

/// The bytes in a node; a string counts as its UTF-8. Nothing when absent.
pub(crate) fn bytes(node: Option<&Node>) -> Vec<u8> {
    use wacore_binary::NodeContent;
    match node.and_then(|node| node.content.as_ref()) {
        Some(NodeContent::Bytes(bytes)) => bytes.to_vec(),
        Some(NodeContent::String(text)) => text.as_bytes().to_vec(),
        Some(NodeContent::Nodes(_)) | None => Vec::new(),
    }
}

fn number(big_endian: &[u8]) -> u32 {
    big_endian.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn public(key: &[u8]) -> Result<PublicKey> {
    PublicKey::from_djb_public_key_bytes(key).ok().context("the device has uploaded no such key")
}

fn leaf(tag: &'static str, bytes: Vec<u8>) -> Node {
    NodeBuilder::new(tag).bytes(bytes).build()
}
