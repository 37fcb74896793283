//! The responder's side of WhatsApp's Noise handshakes: XX for a client that
//! does not know the server yet, IK for one that does, and XXfallback for one
//! that knows a server that no longer exists.

use anyhow::{Context as _, Result, ensure};
use buffa::{Message as _, MessageField};
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp::{self as wa, CertChain, HandshakeMessage, cert_chain, handshake_message};

/// From 2023 to 2100, in seconds: outside of it a client drops a cached chain.
const VALIDITY: (u64, u64) = (1_700_000_000, 4_102_444_800);

/// The identity of one sandbox: a static key and a certificate chain that is
/// well-formed and signed, but not by WhatsApp's root.
pub(crate) struct ServerKeys {
    static_key: KeyPair,
    chain: Vec<u8>,
}

/// Which handshake a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Xx,
    Ik,
    XxFallback,
}

/// The result of a finished handshake.
pub(crate) struct Accepted {
    pub(crate) pattern: Pattern,
    pub(crate) write: NoiseCipher,
    pub(crate) read: NoiseCipher,
    /// The client's static Noise key, proven by the handshake.
    pub(crate) client_static: [u8; 32],
    pub(crate) payload: wa::ClientPayload,
}

/// The step after the ServerHello.
pub(crate) enum Hello {
    /// IK: the client has said all it had to say.
    Done(Box<Accepted>),
    /// XX and XXfallback: a ClientFinish is still to come.
    AwaitFinish(Box<HalfOpen>),
}

/// A handshake that waits for the ClientFinish.
pub(crate) struct HalfOpen {
    pattern: Pattern,
    noise: NoiseHandshake,
    ephemeral: KeyPair,
}

impl ServerKeys {
    /// Makes a new identity; clients that cached an older one fall back to XX.
    pub(crate) fn generate() -> Result<Self> {
        let mut rng = rand::rng();
        let root = KeyPair::generate(&mut rng);
        let intermediate = KeyPair::generate(&mut rng);
        let static_key = KeyPair::generate(&mut rng);
        let chain = CertChain {
            intermediate: MessageField::some(certificate(1, 0, &intermediate, &root)?),
            leaf: MessageField::some(certificate(2, 1, &static_key, &intermediate)?),
        };
        Ok(Self { static_key, chain: chain.encode_to_vec() })
    }

    /// Reads a ClientHello; returns the ServerHello to send and what comes next.
    pub(crate) fn answer_hello(&self, client_hello: &[u8]) -> Result<(Vec<u8>, Hello)> {
        let hello = HandshakeMessage::decode_from_slice(client_hello)?
            .client_hello
            .into_option()
            .context("the first frame holds no ClientHello")?;
        let client_ephemeral = key(hello.ephemeral.as_deref().unwrap_or_default(), "client ephemeral")?;
        match (hello.r#static, hello.payload) {
            (Some(sealed_static), Some(sealed_payload)) => self
                .answer_ik(&client_ephemeral, &sealed_static, &sealed_payload)
                .or_else(|_| self.answer_xx(Pattern::XxFallback, &client_ephemeral)),
            _ => self.answer_xx(Pattern::Xx, &client_ephemeral),
        }
    }

    fn answer_xx(&self, pattern: Pattern, client_ephemeral: &[u8; 32]) -> Result<(Vec<u8>, Hello)> {
        let name = if pattern == Pattern::XxFallback { NOISE_PATTERN_XXFALLBACK } else { NOISE_PATTERN_XX };
        let ephemeral = KeyPair::generate(&mut rand::rng());
        let mut noise = NoiseHandshake::new(name, &WA_CONN_HEADER)?;
        noise.authenticate(client_ephemeral);
        noise.authenticate(ephemeral.public_key.public_key_bytes());
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        let sealed_static = noise.encrypt(self.static_key.public_key.public_key_bytes())?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let sealed_chain = noise.encrypt(&self.chain)?;
        let hello = server_hello(&ephemeral, Some(sealed_static), sealed_chain);
        Ok((hello, Hello::AwaitFinish(Box::new(HalfOpen { pattern, noise, ephemeral }))))
    }

    fn answer_ik(
        &self,
        client_ephemeral: &[u8; 32],
        sealed_static: &[u8],
        sealed_payload: &[u8],
    ) -> Result<(Vec<u8>, Hello)> {
        let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
        noise.authenticate(self.static_key.public_key.public_key_bytes());
        noise.authenticate(client_ephemeral);
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let client_static = key(&noise.decrypt(sealed_static)?, "client static")?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), &client_static)?;
        let payload = wa::ClientPayload::decode_from_slice(&noise.decrypt(sealed_payload)?)?;

        let ephemeral = KeyPair::generate(&mut rand::rng());
        noise.authenticate(ephemeral.public_key.public_key_bytes());
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_static)?;
        let sealed_chain = noise.encrypt(&self.chain)?;
        let hello = server_hello(&ephemeral, None, sealed_chain);
        Ok((hello, Hello::Done(Box::new(accept(Pattern::Ik, noise, client_static, payload)?))))
    }
}

impl HalfOpen {
    /// Reads the ClientFinish.
    pub(crate) fn finish(mut self, client_finish: &[u8]) -> Result<Accepted> {
        let finish = HandshakeMessage::decode_from_slice(client_finish)?
            .client_finish
            .into_option()
            .context("the second frame holds no ClientFinish")?;
        let sealed_static = finish.r#static.as_deref().unwrap_or_default();
        let client_static = key(&self.noise.decrypt(sealed_static)?, "client static")?;
        self.noise.mix_shared_secret(self.ephemeral.private_key.serialize(), &client_static)?;
        let payload = self.noise.decrypt(finish.payload.as_deref().unwrap_or_default())?;
        let payload = wa::ClientPayload::decode_from_slice(&payload)?;
        accept(self.pattern, self.noise, client_static, payload)
    }
}

/// The initiator's write key is the responder's read key, so the two are swapped.
fn accept(
    pattern: Pattern,
    noise: NoiseHandshake,
    client_static: [u8; 32],
    payload: wa::ClientPayload,
) -> Result<Accepted> {
    let (read, write) = noise.finish()?;
    Ok(Accepted { pattern, write, read, client_static, payload })
}

fn server_hello(ephemeral: &KeyPair, sealed_static: Option<Vec<u8>>, sealed_chain: Vec<u8>) -> Vec<u8> {
    HandshakeMessage {
        server_hello: MessageField::some(handshake_message::ServerHello {
            ephemeral: Some(ephemeral.public_key.public_key_bytes().to_vec()),
            r#static: sealed_static,
            payload: Some(sealed_chain),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

fn certificate(
    serial: u32,
    issuer_serial: u32,
    subject: &KeyPair,
    issuer: &KeyPair,
) -> Result<cert_chain::NoiseCertificate> {
    let details = cert_chain::noise_certificate::Details {
        serial: Some(serial),
        issuer_serial: Some(issuer_serial),
        key: Some(subject.public_key.public_key_bytes().to_vec()),
        not_before: Some(VALIDITY.0),
        not_after: Some(VALIDITY.1),
    }
    .encode_to_vec();
    let signature = issuer.private_key.calculate_signature(&details, &mut rand::rng())?;
    Ok(cert_chain::NoiseCertificate { details: Some(details), signature: Some(signature.to_vec()) })
}

fn key(bytes: &[u8], name: &str) -> Result<[u8; 32]> {
    ensure!(bytes.len() == 32, "the {name} key has {} bytes instead of 32", bytes.len());
    Ok(bytes.try_into()?)
}
