//! Linking with a code that the phone's owner types instead of scanning.
//!
//! ```text
//! companion_hello(ephemeral sealed under the code) ─▶ ref
//! primary_hello(the phone's ephemeral, sealed under the code as typed) ─▶ companion
//! companion_finish(key bundle sealed under the ephemerals' secret) ─▶ pair-success
//! ```

use anyhow::{Context as _, Result, ensure};
use wacore::crypto::hkdf_sha256_into;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PublicKey};

use crate::keys::bytes;
use crate::orders::{Done, TypedCode};
use crate::stanza::attr;
use crate::world::now_ms;

const BUNDLE_KEY: &[u8] = b"link_code_pairing_key_bundle_encryption_key";

pub(crate) struct CodeFlow {
    number: String,
    reference: Vec<u8>,
    /// The companion's ephemeral key, sealed under the code on show.
    sealed_ephemeral: Vec<u8>,
    typed: Option<Typed>,
}

struct Typed {
    number: String,
    identity: KeyPair,
    ephemeral: KeyPair,
    companion_ephemeral: [u8; 32],
    done: Done,
}

impl CodeFlow {
    pub(crate) fn begin(hello: &Node) -> Result<Self> {
        let jid = attr(hello, "jid");
        let number = jid.strip_suffix("@s.whatsapp.net").context("a companion_hello without a phone's jid")?;
        let sealed_ephemeral = bytes(hello.get_optional_child("link_code_pairing_wrapped_companion_ephemeral_pub"));
        ensure!(sealed_ephemeral.len() == 80, "a wrapped ephemeral key of {} bytes", sealed_ephemeral.len());
        let reference: [u8; 16] = rand::random();
        Ok(Self { number: number.to_owned(), reference: reference.to_vec(), sealed_ephemeral, typed: None })
    }

    /// The number of the phone that the code is for.
    pub(crate) fn number(&self) -> &str {
        &self.number
    }

    /// It was typed, and the companion has not answered yet.
    pub(crate) fn is_typed(&self) -> bool {
        self.typed.is_some()
    }

    pub(crate) fn hello_answer(&self) -> Node {
        NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "companion_hello")
            .children([leaf("link_code_pairing_ref", &self.reference)])
            .build()
    }

    /// Asks the companion for another code.
    pub(crate) fn refresh(&self) -> Node {
        let stage = NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "refresh_code")
            .children([leaf("link_code_pairing_ref", &self.reference)])
            .build();
        notification(stage)
    }

    /// The phone's answer to the code as typed; nothing when it cannot be made.
    /// A wrong code shows only in [`Self::finish`], as on a real phone.
    pub(crate) async fn primary_hello(&mut self, typed: TypedCode, identity: KeyPair) -> Option<Node> {
        let TypedCode { number, code, done } = typed;
        let code = code.replace('-', "").to_ascii_uppercase();
        let (sealed, ephemeral) = (self.sealed_ephemeral.clone(), KeyPair::generate(&mut rand::rng()));
        let public = ephemeral.public_key.public_key_bytes().try_into().ok()?;
        // Twice 131,072 rounds of PBKDF2.
        let derived = tokio::task::spawn_blocking(move || {
            let companion = PairCodeUtils::decrypt_primary_ephemeral_pub(&sealed, &code)?;
            Ok::<_, anyhow::Error>((companion, PairCodeUtils::encrypt_ephemeral_pub(&public, &code)))
        });
        let (companion_ephemeral, sealed) = derived.await.ok()?.ok()?;
        let stage = NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .children([
                leaf("link_code_pairing_wrapped_primary_ephemeral_pub", &sealed),
                leaf("primary_identity_pub", identity.public_key.public_key_bytes()),
                leaf("link_code_pairing_ref", &self.reference),
            ])
            .build();
        self.typed = Some(Typed { number, identity, ephemeral, companion_ephemeral, done });
        Some(notification(stage))
    }

    /// Opens the companion's key bundle. Returns the ADV secret that both ends now
    /// share, the phone's number, and the sender to notify of the outcome.
    pub(crate) fn finish(&mut self, stage: &Node) -> Option<(Result<[u8; 32]>, String, Done)> {
        let Typed { number, identity, ephemeral, companion_ephemeral, done } = self.typed.take()?;
        let opened = open_bundle(stage, &self.reference, &identity, &ephemeral, &companion_ephemeral);
        Some((opened, number, done))
    }
}

fn open_bundle(
    stage: &Node,
    reference: &[u8],
    identity: &KeyPair,
    ephemeral: &KeyPair,
    companion_ephemeral: &[u8; 32],
) -> Result<[u8; 32]> {
    ensure!(bytes(stage.get_optional_child("link_code_pairing_ref")) == reference, "the ref is not the one given");
    let companion_identity = bytes(stage.get_optional_child("companion_identity_public"));
    let wrapped = bytes(stage.get_optional_child("link_code_pairing_wrapped_key_bundle"));
    let (salt, rest) = wrapped.split_at_checked(32).context("a key bundle without its salt")?;
    let (nonce, sealed) = rest.split_at_checked(12).context("a key bundle without its nonce")?;

    let shared = ephemeral
        .private_key
        .calculate_agreement(&PublicKey::from_djb_public_key_bytes(companion_ephemeral)?)
        .context("the code is wrong")?;
    let mut bundle_key = [0; 32];
    hkdf_sha256_into(&shared, Some(salt), BUNDLE_KEY, &mut bundle_key)?;
    let mut bundle = Vec::with_capacity(96);
    aes_256_gcm_decrypt(&bundle_key, nonce.try_into()?, b"", sealed, &mut bundle).context("the code is wrong")?;
    let [in_bundle, ours, random] = [0, 32, 64].map(|at| bundle.get(at..at + 32).unwrap_or_default());
    ensure!(in_bundle == companion_identity, "the key bundle is of another companion");
    ensure!(ours == identity.public_key.public_key_bytes(), "the key bundle is for another phone");

    let companion = PublicKey::from_djb_public_key_bytes(&companion_identity)?;
    let mut secret = shared.to_vec();
    secret.extend_from_slice(&identity.private_key.calculate_agreement(&companion)?);
    secret.extend_from_slice(random);
    let mut adv_secret = [0; 32];
    hkdf_sha256_into(&secret, None, b"adv_secret", &mut adv_secret)?;
    Ok(adv_secret)
}

fn notification(stage: Node) -> Node {
    NodeBuilder::new("notification")
        .attrs([("from", SERVER_JID), ("type", "link_code_companion_reg"), ("id", "sandbox-code")])
        .attr("t", now_ms() / 1_000)
        .children([stage])
        .build()
}

fn leaf(tag: &'static str, bytes: &[u8]) -> Node {
    NodeBuilder::new(tag).bytes(bytes).build()
}
