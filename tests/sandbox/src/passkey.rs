//! The passkey gate: a phone that has one is linked only after its owner signed a
//! challenge with it, and saw the same code on both screens.
//!
//! ```text
//! passkey_prologue_request(options) ─▶ companion
//! ref? ─▶ ref, passkey_prologue(assertion, commitment) ─▶ crsc_continuation(the phone's ephemeral)
//! companion_nonce ─▶ the phone shows a code
//! encrypted_pairing_request(keys, ADV secret) ─▶ pair-success
//! ```

use anyhow::{Context as _, Result, ensure};
use buffa::Message as _;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use wacore::shortcake::ShortcakeUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::KeyPair;
use waproto::whatsapp::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity, ProloguePayload,
};

use crate::keys::bytes;
use crate::orders::ScanOptions;
use crate::world::{Registration, World, now_ms};

/// One exchange, from the challenge on.
pub(crate) struct Exchange {
    pub(crate) number: String,
    /// Of the scan that led here.
    pub(crate) options: ScanOptions,
    challenge: [u8; 32],
    reference: String,
    primary: KeyPair,
    primary_nonce: [u8; 32],
    prologue: Option<Prologue>,
}

struct Prologue {
    identity: Vec<u8>,
    commitment: Vec<u8>,
    companion: CompanionEphemeralIdentity,
}

impl Exchange {
    pub(crate) fn new(number: &str, options: ScanOptions) -> Self {
        let mut rng = rand::rng();
        let (mut challenge, mut primary_nonce) = ([0; 32], [0; 32]);
        rng.fill_bytes(&mut challenge);
        rng.fill_bytes(&mut primary_nonce);
        let reference = format!("passkey-{:032x}", rand::random::<u128>());
        let primary = KeyPair::generate(&mut rng);
        Self { number: number.to_owned(), options, challenge, reference, primary, primary_nonce, prologue: None }
    }

    /// Asks the companion for an assertion.
    pub(crate) fn request(&self, world: &World) -> Result<Node> {
        let options = world.passkey_of(&self.number, |passkey| Ok(passkey.options(&self.challenge).to_string()))?;
        let options = NodeBuilder::new("passkey_request_options").bytes(options.into_bytes()).build();
        Ok(notification("passkey_prologue_request", options))
    }

    pub(crate) fn reference(&self) -> Node {
        NodeBuilder::new("ref").bytes(self.reference.as_bytes()).build()
    }

    /// Looks at the assertion and keeps what the companion commits itself to.
    pub(crate) fn on_prologue(&mut self, world: &World, stage: &Node) -> Result<()> {
        let credential = bytes(stage.get_optional_child("credential_id"));
        let assertion = bytes(stage.get_optional_child("webauthn_assertion"));
        world.passkey_of(&self.number, |passkey| passkey.verify(&self.challenge, &credential, &assertion))?;
        let payload = ProloguePayload::decode_from_slice(&bytes(stage.get_optional_child("prologue_payload")))?;
        let identity = payload.companion_ephemeral_identity.clone().context("no ephemeral identity")?;
        let commitment = payload.commitment.as_option().and_then(|commitment| commitment.hash.clone());
        let companion = CompanionEphemeralIdentity::decode_from_slice(&identity)?;
        ensure!(companion.r#ref.as_deref() == Some(self.reference.as_str()), "the ref is not the one given");
        let commitment = commitment.context("no commitment")?.to_vec();
        self.prologue = Some(Prologue { identity: identity.to_vec(), commitment, companion });
        Ok(())
    }

    /// The phone's half of the agreement.
    pub(crate) fn continuation(&self) -> Node {
        let identity = PrimaryEphemeralIdentity {
            public_key: Some(self.primary.public_key.public_key_bytes().to_vec()),
            nonce: Some(self.primary_nonce.to_vec()),
        };
        let identity = NodeBuilder::new("primary_ephemeral_identity").bytes(identity.encode_to_vec()).build();
        notification("crsc_continuation", identity)
    }

    /// The code that the phone shows now.
    pub(crate) fn on_nonce(&self, nonce: &[u8]) -> Result<String> {
        let prologue = self.prologue.as_ref().context("a nonce before the prologue")?;
        let committed = Sha256::new().chain_update(&prologue.identity).chain_update(nonce).finalize();
        ensure!(committed.as_slice() == prologue.commitment, "the nonce is not the one committed to");
        let public = self.primary.public_key.public_key_bytes().try_into()?;
        let code = ShortcakeUtils::derive_verification_code(nonce.try_into()?, &public, &self.primary_nonce);
        let (head, tail) = code.split_at_checked(4).context("a short code")?;
        Ok(format!("{head}-{tail}"))
    }

    /// Opens the companion's keys: the ADV secret that both ends share from now on.
    pub(crate) fn on_pairing_request(&self, sealed: &[u8], companion: &Registration) -> Result<[u8; 32]> {
        let prologue = self.prologue.as_ref().context("a pairing request before the prologue")?;
        let theirs = prologue.companion.public_key.as_deref().context("no ephemeral key")?.try_into()?;
        let device_type = prologue.companion.device_type.context("no device type")?;
        let key = ShortcakeUtils::derive_encryption_key(&self.primary, &theirs, device_type, &self.reference)?;
        let sealed = EncryptedPairingRequest::decode_from_slice(sealed)?;
        let iv = sealed.iv.as_deref().context("no iv")?;
        let mut opened = Vec::new();
        let payload = sealed.encrypted_payload.as_deref().context("no payload")?;
        aes_256_gcm_decrypt(&key, iv.try_into()?, b"", payload, &mut opened)?;
        let request = PairingRequest::decode_from_slice(&opened)?;
        ensure!(request.companion_public_key.as_deref() == Some(&companion.noise_key[..]), "another noise key");
        ensure!(request.companion_identity_key.as_deref() == Some(&companion.identity[..]), "another identity");
        Ok(request.adv_secret.as_deref().context("no adv secret")?.try_into()?)
    }
}

fn notification(kind: &'static str, child: Node) -> Node {
    NodeBuilder::new("notification")
        .attrs([("from", SERVER_JID), ("type", kind), ("id", "sandbox-passkey")])
        .attr("t", now_ms() / 1_000)
        .children([child])
        .build()
}
